/* The table that interpos_tiff.so hands out: libtiff behind plain C functions. The module uses nothing of ours but
 * <interpos/base.h> and <interpos/frame.h>, so it exports one symbol and imports none of libinterpos's. */
#ifndef IP_TIFF_MODULE_H
#define IP_TIFF_MODULE_H

#include <interpos/frame.h>
#include <stdbool.h>

#define IP_TIFF_MODULE_FILE "interpos_tiff.so"
#define IP_TIFF_MODULE_SYMBOL "ip_tiff_module_v1"

enum { IP_TIFF_CHANNELS = 256, IP_TIFF_TEXT = 320 };

typedef struct ip_tiff_stream {
    void *user;
    uint64_t (*size)(void *user);
    int64_t (*read)(void *user, uint64_t offset, void *bytes, size_t n);     /* -1: failed */
    bool (*write)(void *user, uint64_t offset, const void *bytes, size_t n); /* NULL: reading only */
} ip_tiff_stream;

/* A page as it is delivered and taken: channels of one sample type. */
typedef struct ip_tiff_page {
    uint32_t width, height, channels, pages;
    int32_t sample_type;
    char names[IP_TIFF_CHANNELS][12]; /* "Y" or "R","G","B", then "A", then "extra0" ... */
    bool alpha_associated;            /* of channel "A" */
    bool planar;
    bool linear;                      /* the file itself says that values are scene-linear (LogLuv) */
    uint32_t tile_width, tile_height; /* 0: strips */
    uint32_t compression;             /* TIFF's number */
    uint64_t pixel_bytes;             /* decoded */
    uint64_t stored_limit;            /* most bytes that the stored data can decode to; UINT64_MAX: no bound known */
} ip_tiff_page;

/* One tag: type is "ascii", "byte", "short", "long", "rational" ...; values as libtiff holds them in memory (rationals as float or
 * double), texts without their terminator. Returning false stops. */
typedef bool (*ip_tiff_tag_fn)(void *user, uint32_t tag, const char *type, const void *bytes, size_t size);
typedef struct ip_tiff_tag {
    uint32_t tag;
    const char *type;
    const void *bytes;
    size_t size;
} ip_tiff_tag;
typedef bool (*ip_tiff_stop_fn)(void *user);

typedef struct ip_tiff_module {
    uint32_t struct_size;
    uint32_t version; /* IPOS_VERSION it was built with */
    const char *library; /* libtiff's own version text */
    /* Functions that return a status put a text into text (IP_TIFF_TEXT bytes) when it is not IPOS_OK. */
    ipos_status (*open)(const ip_tiff_stream *stream, uint64_t memory_limit, void **file, char *text);
    ipos_status (*select)(void *file, uint32_t number, ip_tiff_page *page, char *text);
    void (*tags)(void *file, ip_tiff_tag_fn each, void *user);
    ipos_status (*read)(void *file, const ipos_plane *planes, ip_tiff_stop_fn stop, void *user, char *text);
    ipos_status (*create)(const ip_tiff_stream *stream, bool big, void **file, char *text);
    ipos_status (*add)(void *file, const ip_tiff_page *page, const ipos_plane *planes, const ip_tiff_tag *tags, size_t tag_count,
        uint32_t number, char *text);
    void (*close)(void *file);
} ip_tiff_module;

#endif
