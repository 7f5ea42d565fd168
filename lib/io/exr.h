/* OpenEXR behind the format table. The container (headers, chunk tables) is read and written here, so that attributes stay
 * byte for byte and every size is checked before a library sees it; the libraries pack and unpack chunks. */
#ifndef IP_EXR_H
#define IP_EXR_H

#include "format.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the EXR reader and writer copy little-endian values as they are"
#endif

enum { IP_EXR_NONE, IP_EXR_RLE, IP_EXR_ZIPS, IP_EXR_ZIP, IP_EXR_PIZ, IP_EXR_PXR24, IP_EXR_B44, IP_EXR_B44A, IP_EXR_DWAA, IP_EXR_DWAB };
enum { IP_EXR_UINT, IP_EXR_HALF, IP_EXR_FLOAT };               /* pixel types in the file */
enum { IP_EXR_INCREASING, IP_EXR_DECREASING, IP_EXR_RANDOM };  /* line orders */
enum { IP_EXR_TILED = 0x200, IP_EXR_LONG_NAMES = 0x400, IP_EXR_DEEP = 0x800, IP_EXR_MULTIPART = 0x1000 }; /* version flags */

typedef struct ip_exr_channel {
    const char *name;
    int32_t type;   /* IP_EXR_UINT ... */
    uint8_t linear; /* pLinear, which B44 and DWA look at */
    int32_t xs, ys;
} ip_exr_channel;

typedef struct ip_exr_attribute { /* into the header's bytes */
    const char *name, *type;
    const uint8_t *bytes;
    uint32_t size;
} ip_exr_attribute;

typedef struct ip_exr_part {
    ip_exr_channel *channels; /* in file order */
    size_t channel_count;
    ip_exr_attribute *attributes; /* all of them */
    size_t attribute_count;
    int compression, line_order;
    ipos_box data, display;
    bool tiled, deep;
    uint32_t tile_width, tile_height;
    uint8_t tile_mode;     /* low 4 bits: one level, mipmap, ripmap; high 4 bits: rounding */
    uint64_t chunk_count;  /* of all levels */
    uint64_t table_offset;
} ip_exr_part;

typedef struct ip_exr_file {
    const ip_input *in;
    uint8_t *header;
    size_t header_size;
    uint32_t flags;
    ip_exr_part *parts;
    size_t part_count;
} ip_exr_file;

/* exr_header.c. Reads and checks all headers; nothing else of the file is touched. */
ipos_status ip_exr_open(const ip_input *in, ip_exr_file *file);
void ip_exr_close(ip_exr_file *file);
const ip_exr_attribute *ip_exr_find(const ip_exr_part *part, const char *name, const char *type); /* NULL: none of that type */

/* exr_attribute.c */
const char *ip_exr_shown(const char *name, char out[48]); /* a name from a file that may be damaged, for an error text */
/* Whether size bytes can be a value of that type; types this version does not know may be anything. */
bool ip_exr_value_ok(const char *type, const void *bytes, size_t size);
ipos_status ip_exr_parse_channels(const uint8_t *bytes, size_t size, const char *where, ip_exr_channel **out, size_t *count);
void ip_exr_put_attribute(ip_buffer *buffer, const char *name, const char *type, const void *bytes, size_t size);
void ip_exr_put_channels(ip_buffer *buffer, const ip_exr_channel *channels, size_t count);
void ip_exr_put_box(ip_buffer *buffer, const char *name, const ipos_box *box);
/* The header of a single-part file with the part's channels, window (moved to 0,0), compression and tiles. */
void ip_exr_put_bare_header(ip_buffer *buffer, const ip_exr_part *part);
int ip_exr_compression_of(const char *name); /* -1: unknown */
const char *ip_exr_compression_name(int compression);

/* exr_chunk.c. Chunks of the full-resolution level, numbered from the top (tiles: row by row). */
typedef struct ip_exr_chunk {
    int32_t x, y, width, height; /* within the data window */
    int32_t tile_x, tile_y;
    uint64_t unpacked;           /* bytes of its samples */
    uint64_t offset, packed;     /* of its data in the file */
} ip_exr_chunk;
int ip_exr_lines_per_chunk(int compression);
uint64_t ip_exr_level_chunks(const ip_exr_part *part); /* of the full-resolution level */
uint64_t ip_exr_all_chunks(const ip_exr_part *part);   /* of all levels */
/* Places chunk number index. */
void ip_exr_chunk_place(const ip_exr_part *part, uint64_t index, ip_exr_chunk *chunk);
uint64_t ip_exr_largest_chunk(const ip_exr_part *part);
/* All chunks of a part, each checked against the file; *chunks is the caller's (ip_free). */
ipos_status ip_exr_chunks(const ip_exr_file *file, size_t part, ip_exr_chunk **chunks, uint64_t *count);
/* Between a chunk's bytes (line by line, within a line channel by channel) and the planes of the frame's channels;
 * order[c] is the frame's channel for the part's channel c. */
void ip_exr_scatter(const ip_exr_part *part, const ip_exr_chunk *chunk, const uint8_t *bytes, ipos_frame *frame, const size_t *order);
void ip_exr_gather(const ip_exr_part *part, const ip_exr_chunk *chunk, uint8_t *bytes, const ipos_frame *frame, const size_t *order);

/* exr_codec.c: OpenEXRCore for everything but DWA. One codec serves one thread. */
typedef struct ip_exr_codec ip_exr_codec;
ipos_status ip_exr_codec_open(const ip_exr_part *part, const char *name, bool writing, ip_exr_codec **out);
void ip_exr_codec_close(ip_exr_codec *codec);
/* chunk->packed bytes into chunk->unpacked bytes; *bytes stays the codec's, valid until its next call. */
ipos_status ip_exr_unpack(ip_exr_codec *codec, const ip_exr_chunk *chunk, const ip_input *in, const uint8_t **bytes);
/* Where the chunk's bytes are put before ip_exr_pack. NULL: out of memory. */
uint8_t *ip_exr_pack_buffer(ip_exr_codec *codec, const ip_exr_chunk *chunk);
ipos_status ip_exr_pack(ip_exr_codec *codec, const ip_exr_chunk *chunk, const uint8_t **bytes, size_t *size);

/* exr_dwa.c: DWAA and DWAB through the module interpos_dwa.so. */
ipos_status ip_exr_dwa_read(const ip_io_env *env, const ip_exr_file *file, const ip_exr_part *part, const ip_exr_chunk *chunks, uint64_t count,
    ipos_frame *frame, const size_t *order);
/* The part as a file of its own in memory (ip_free). */
ipos_status ip_exr_dwa_write(const ip_exr_part *part, float level, const ipos_frame *frame, const size_t *order, const char *name,
    void **bytes, size_t *size);

/* exr_plan.c: what a frame becomes in a file. */
typedef struct ip_exr_plan {
    ip_exr_part part; /* channels and their names are the plan's and the frame's */
    size_t *order;
    float dwa_level;
    bool new_level; /* asked for, rather than the frame's own attribute */
} ip_exr_plan;
ipos_status ip_exr_plan_make(const ipos_frame *frame, const ipos_write_config *config, const char *name, ip_exr_plan *plan);
void ip_exr_plan_free(ip_exr_plan *plan);
/* exr_build.c: magic number, version and the headers of all parts. */
ipos_status ip_exr_put_headers(ipos_frame *const *frames, const ip_exr_plan *plans, size_t count, const char *name, ip_buffer *buffer);

/* exr_write.c */
ipos_status ip_exr_write(ipos_frame *const *frames, size_t count, const ipos_write_config *config, ip_output *out);

#endif
