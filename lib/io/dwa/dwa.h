/* What interpos_dwa.so offers: whole single-part OpenEXR pictures in DWAA or DWAB, through OpenEXR's C++ library, which the
 * C library of 3.1.5 cannot do. The module links nothing of ours; no exception leaves it. */
#ifndef IP_DWA_H
#define IP_DWA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define IP_DWA_FILE "interpos_dwa.so"
#define IP_DWA_SYMBOL "interpos_dwa_v1" /* const void *interpos_dwa_v1(void): an ip_dwa_table */

enum { IP_DWA_OK = 0, IP_DWA_BAD_FILE = 1, IP_DWA_NO_MEMORY = 2, IP_DWA_STOPPED = 3, IP_DWA_FAILED = 4 };

typedef struct ip_dwa_channel {
    const char *name;
    int32_t type; /* as in the file: 0 uint, 1 half, 2 float */
    int32_t xs, ys;
    int32_t linear;
    void *data; /* sample of the window's first column and row */
    ptrdiff_t row_stride, pixel_stride;
} ip_dwa_channel;

typedef struct ip_dwa_picture { /* its window begins at 0,0 */
    int32_t width, height;
    int32_t compression; /* 8 DWAA, 9 DWAB */
    float level;         /* writing */
    int32_t tile_width, tile_height; /* 0: scan lines */
    const ip_dwa_channel *channels;
    size_t channel_count;
    int32_t (*stop)(void *user); /* asked now and then; non-zero ends the work with IP_DWA_STOPPED */
    void *user;
} ip_dwa_picture;

typedef struct ip_dwa_table {
    size_t struct_size;
    /* bytes: a file with exactly the picture's window, compression and channels. error gets a text unless IP_DWA_OK. */
    int32_t (*decode)(const void *bytes, size_t size, const ip_dwa_picture *picture, char *error, size_t room);
    /* put is called with bytes for offsets, which may come in any order; non-zero from it ends the work. */
    int32_t (*encode)(const ip_dwa_picture *picture, int32_t (*put)(void *user, uint64_t offset, const void *bytes, size_t n), void *put_user,
        char *error, size_t room);
} ip_dwa_table;

#ifdef __cplusplus
}
#endif
#endif
