/* interpos/frame.h: pixels, attributes, image files. Part of libinterpos. */
#ifndef INTERPOS_FRAME_H
#define INTERPOS_FRAME_H

#include <interpos/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One picture: named channels over a data window, an encoding, attributes. Reference counted, safe to read from several
 * threads; writing pixels or attributes is for the thread that made it, before it is shared. */
typedef struct ipos_frame ipos_frame;

enum {
    IPOS_U8 = 1,  /* 0..255 */
    IPOS_U16 = 2, /* 0..65535 */
    IPOS_F16 = 3, /* IEEE half */
    IPOS_F32 = 4, /* IEEE single */
    IPOS_U32 = 5  /* EXR uint: ids, masks; never filtered, never interpolated */
};

/* Pixel rectangle, inclusive of x, y, exclusive of x + width, y + height; y grows downwards. */
typedef struct ipos_box {
    int32_t x, y, width, height;
} ipos_box;

/* One channel's samples. Address of sample (column i, row j) of the data window:
 * data + j * row_stride + i * pixel_stride (bytes; may be negative). */
typedef struct ipos_plane {
    void *data;
    ptrdiff_t row_stride;
    ptrdiff_t pixel_stride;
} ipos_plane;

/* What a channel is. */
typedef struct ipos_channel {
    const char *name;       /* "R", "G", "B", "A", "Y", "depth.Z", "beauty.R" ... owned by the frame when read back */
    int32_t sample_type;    /* IPOS_U8 ... */
    int32_t x_sampling;     /* 1, or n: one sample for n columns (EXR); 0 means 1 */
    int32_t y_sampling;
} ipos_channel;

/* Makes a frame with zeroed pixels owned by the library, in memory the engine can read without a copy.
 * data_window: where the pixels lie; display_window NULL: the same. channels: copied; 1..1024 of them.
 * planar: every channel is a plane of its own, rows packed and 64-byte aligned. */
IPOS_API IPOS_NODISCARD ipos_status ipos_frame_create(ipos_context *context, const ipos_box *data_window,
    const ipos_box *display_window, const ipos_channel *channels, size_t channel_count, ipos_frame **out);
/* Wraps the host's memory without a copy. planes[i] belongs to channels[i]. done(user) is called once, on any thread, when
 * the last reference goes, and only if this call succeeded. The memory must stay as it is until then.
 * (Handing a wrapped frame to an engine process copies it once into shared memory; ipos_frame_create's need no copy.) */
IPOS_API IPOS_NODISCARD ipos_status ipos_frame_wrap(ipos_context *context, const ipos_box *data_window,
    const ipos_box *display_window, const ipos_channel *channels, const ipos_plane *planes, size_t channel_count,
    void (*done)(void *user), void *user, ipos_frame **out);
IPOS_API void ipos_frame_retain(ipos_frame *frame);
IPOS_API void ipos_frame_release(ipos_frame *frame);

IPOS_API IPOS_NODISCARD ipos_status ipos_frame_windows(const ipos_frame *frame, ipos_box *data_window, ipos_box *display_window);
IPOS_API size_t ipos_frame_channel_count(const ipos_frame *frame);
/* Channel i and its plane; either out pointer may be NULL. The channel's name and the plane live as long as the frame. */
IPOS_API IPOS_NODISCARD ipos_status ipos_frame_channel(const ipos_frame *frame, size_t index, ipos_channel *channel, ipos_plane *plane);
/* Index of the named channel, -1 if there is none. */
IPOS_API int64_t ipos_frame_find_channel(const ipos_frame *frame, const char *name);

/* Encoding of the colour channels: "srgb", "rec709", "gamma2.2", "linear" (scene-linear, Rec.709 primaries), "acescg",
 * "aces2065-1", "acescct", "logc3", "logc4", "slog3", "vlog", "log3g10", "clog3", "applelog", "cineon", "data" (no colour).
 * ipos_encodings() lists what this version knows as a JSON array of {"name","kind":"display|log|linear|data","help"}. */
IPOS_API IPOS_NODISCARD ipos_status ipos_frame_set_encoding(ipos_frame *frame, const char *encoding);
IPOS_API const char *ipos_frame_encoding(const ipos_frame *frame); /* "" while unknown; lives as long as the frame */
IPOS_API IPOS_NODISCARD ipos_status ipos_encodings(char **json);

/* Attributes: metadata kept verbatim from the file. type is OpenEXR's type name ("string", "int", "float", "double",
 * "rational", "timecode", "chromaticities", "v2f", "m44f", "box2i", ...) with the value's little-endian bytes as OpenEXR
 * stores them (strings without a terminator), or, for things only another format has, "png:iCCP", "png:cICP", "tiff:NNN" ...
 * with that format's bytes. */
IPOS_API size_t ipos_frame_attribute_count(const ipos_frame *frame);
/* name, type and bytes live until the attribute is changed or the frame goes; out pointers may be NULL. */
IPOS_API IPOS_NODISCARD ipos_status ipos_frame_attribute(const ipos_frame *frame, size_t index, const char **name,
    const char **type, const void **bytes, size_t *size);
IPOS_API int64_t ipos_frame_find_attribute(const ipos_frame *frame, const char *name); /* -1: none */
/* Adds or replaces; bytes are copied. bytes NULL and size 0 removes. */
IPOS_API IPOS_NODISCARD ipos_status ipos_frame_set_attribute(ipos_frame *frame, const char *name, const char *type,
    const void *bytes, size_t size);

/* SMPTE timecode. */
typedef struct ipos_timecode {
    int32_t hours, minutes, seconds, frames;
    int32_t drop_frame;  /* 0 or 1 */
    uint32_t user_data;  /* the 32 user bits */
} ipos_timecode;
/* CIE xy of the primaries and white. */
typedef struct ipos_chromaticities {
    float red_x, red_y, green_x, green_y, blue_x, blue_y, white_x, white_y;
} ipos_chromaticities;
/* Typed access: IPOS_ERR_NOT_FOUND where the frame has none. */
IPOS_API IPOS_NODISCARD ipos_status ipos_frame_timecode(const ipos_frame *frame, ipos_timecode *out);
IPOS_API IPOS_NODISCARD ipos_status ipos_frame_set_timecode(ipos_frame *frame, const ipos_timecode *timecode);
IPOS_API IPOS_NODISCARD ipos_status ipos_frame_rate(const ipos_frame *frame, ipos_rational *out);
IPOS_API IPOS_NODISCARD ipos_status ipos_frame_set_rate(ipos_frame *frame, const ipos_rational *rate);
IPOS_API IPOS_NODISCARD ipos_status ipos_frame_chromaticities(const ipos_frame *frame, ipos_chromaticities *out);
IPOS_API IPOS_NODISCARD ipos_status ipos_frame_set_chromaticities(ipos_frame *frame, const ipos_chromaticities *value);

/* Reading and writing image files: PNG, TIFF, OpenEXR. */
typedef struct ipos_read_config {
    uint32_t struct_size;
    int32_t part;          /* part of a multi-part EXR, directory of a multi-page TIFF; from 0 */
    uint64_t memory_limit; /* pixels that would need more bytes are refused with IPOS_ERR_NO_MEMORY; 0: 4 GiB */
} ipos_read_config;

/* Compression names for writing: PNG "deflate"; TIFF "none", "lzw", "deflate"; EXR "none", "rle", "zips", "zip", "piz",
 * "pxr24", "b44", "b44a", "dwaa", "dwab". */
typedef struct ipos_write_config {
    uint32_t struct_size;
    const char *format;      /* "png", "tiff", "exr"; NULL: by the path's extension */
    const char *compression; /* NULL: as the frame was read, else PNG deflate, TIFF deflate, EXR zip */
    int32_t tile_width;      /* 0: as the frame was read (attribute "tiles"), else strips or scan lines */
    int32_t tile_height;
    int32_t planar;          /* TIFF: 1 writes separate planes */
    float dwa_level;         /* 0: 45 */
} ipos_write_config;

/* config may be NULL. The file's kind is found from its first bytes, not its name. A damaged file gives IPOS_ERR_FORMAT. */
IPOS_API IPOS_NODISCARD ipos_status ipos_frame_read(ipos_context *context, const char *path, const ipos_read_config *config, ipos_frame **out);
IPOS_API IPOS_NODISCARD ipos_status ipos_frame_read_memory(ipos_context *context, const void *bytes, size_t size,
    const ipos_read_config *config, ipos_frame **out);
/* Writes frames as the parts (EXR) or pages (TIFF) of one file; PNG takes exactly one frame. Atomic: the path holds the old
 * file or the whole new one. Sample types the format cannot hold are refused with IPOS_ERR_UNSUPPORTED, not converted. */
IPOS_API IPOS_NODISCARD ipos_status ipos_frame_write(ipos_frame *const *frames, size_t count, const char *path, const ipos_write_config *config);
IPOS_API IPOS_NODISCARD ipos_status ipos_frame_write_memory(ipos_frame *const *frames, size_t count,
    const ipos_write_config *config, void **bytes, size_t *size); /* ipos_free(*bytes) */
/* What a file, folder, sequence pattern or movie holds, without decoding pixels, as JSON:
 * {"kind":"image|sequence|movie","format","width","height","channels":[{"name","type"}],"parts",
 *  "frames":{"first","last","count","missing":[]},"rate":[num,den],"timecode","attributes":{...}} (ipos_free).
 * Patterns: "name.%04d.exr", "name.####.exr", "name.[1-50].exr", or a folder holding one sequence. */
IPOS_API IPOS_NODISCARD ipos_status ipos_media_info(ipos_context *context, const char *path, char **json);

/* Converts a copy: every channel to sample_type (U32 channels are kept), samples scaled between integer and float so that
 * the integer maximum is 1.0; float to integer rounds and clamps. Attributes and encoding are kept. */
IPOS_API IPOS_NODISCARD ipos_status ipos_frame_convert(const ipos_frame *frame, int32_t sample_type, ipos_frame **out);

#ifdef __cplusplus
}
#endif
#endif
