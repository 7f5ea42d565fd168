/* Pixel storage behind ipos_frame, in the library and in the engine. */
#ifndef IP_FRAME_H
#define IP_FRAME_H

#include "core.h"
#include <interpos/frame.h>

/* Where a frame's samples live. */
typedef struct ip_storage {
    void *base;           /* NULL: not ours (wrapped) */
    size_t bytes;
    int pool;             /* which shared pool, -1: plain memory */
    uint64_t offset;      /* in that pool */
    void (*release)(struct ip_storage *storage, void *user); /* called when the last reference goes */
    void *user;
} ip_storage;

typedef struct ip_channel {
    char *name;
    int32_t type, xs, ys;  /* sample type, sampling (>= 1) */
    int32_t width, height; /* of this plane, after sampling */
    uint8_t *data;
    ptrdiff_t row_stride, pixel_stride;
} ip_channel;

typedef struct ip_attribute {
    char *name, *type;
    uint8_t *bytes;
    size_t size;
} ip_attribute;

struct ipos_frame {
    atomic_int refs;
    ipos_box data_window, display_window;
    char *encoding; /* never NULL */
    ip_channel *channels;
    size_t channel_count;
    ip_attribute *attributes;
    size_t attribute_count;
    ip_storage storage;
    void *parent;                    /* context kept alive; opaque at this level */
    void (*parent_release)(void *parent);
};

/* Gives memory for a frame's samples, at least 64-byte aligned and zeroed; fills storage. */
typedef ipos_status (*ip_storage_fn)(void *user, size_t bytes, ip_storage *storage);

/* A frame with planar storage from make (NULL: plain memory). */
ipos_status ip_frame_new(const ipos_box *data_window, const ipos_box *display_window, const ipos_channel *channels, size_t count,
    ip_storage_fn make, void *user, ipos_frame **out);
/* A frame over memory that is not ours. */
ipos_status ip_frame_over(const ipos_box *data_window, const ipos_box *display_window, const ipos_channel *channels,
    const ipos_plane *planes, size_t count, void (*done)(void *), void *user, ipos_frame **out);
/* Same windows, encoding, attributes and channel names as model, new zeroed samples of the given type (0: the model's own; u32
 * channels stay u32). */
ipos_status ip_frame_like(const ipos_frame *model, int32_t type, ip_storage_fn make, void *user, ipos_frame **out);
ipos_status ip_frame_copy_pixels(ipos_frame *to, const ipos_frame *from); /* same layout; bits as they are */
void ip_channel_copy(const ip_channel *to, const ip_channel *from); /* same type and size; bits as they are */
/* Samples from start to start + size - 1 that are multiples of sampling: the width or height of a subsampled plane. */
int32_t ip_sampled(int32_t start, int32_t size, int32_t sampling);
ipos_status ip_frame_copy_attributes(ipos_frame *to, const ipos_frame *from);
const ip_attribute *ip_frame_attribute(const ipos_frame *frame, const char *name);
ipos_status ip_frame_put(ipos_frame *frame, const char *name, const char *type, const void *bytes, size_t size); /* unchecked */
void ip_frame_clear_attributes(ipos_frame *frame);
ipos_status ip_frame_set_text(ipos_frame *frame, const char *name, const char *text); /* type "string" */
size_t ip_sample_bytes(int32_t type); /* 0: not a sample type */
const char *ip_sample_name(int32_t type); /* "u8" ... */
/* SHA-256 of windows, channel names, types and samples, independent of strides. */
bool ip_frame_hash(const ipos_frame *frame, char hex[65]);

/* n samples of one row, stride bytes apart, at any address. gather and scatter move bits. from_float clamps infinities with the
 * rest; NaN becomes 0 in integers. Not for u32. */
void ip_samples_to_float(int32_t type, const void *data, ptrdiff_t stride, float *out, size_t n);
void ip_samples_from_float(int32_t type, const float *in, void *data, ptrdiff_t stride, size_t n);
void ip_samples_gather(size_t bytes, const void *data, ptrdiff_t stride, void *packed, size_t n);
void ip_samples_scatter(size_t bytes, const void *packed, void *data, ptrdiff_t stride, size_t n);

/* Samples of one channel as floats, integers scaled to 0..1; out is width*height, packed. U32 is refused. */
ipos_status ip_channel_to_float(const ip_channel *channel, float *out);
/* The inverse: integers rounded and clamped, half rounded to nearest even and clamped to +-65504. */
void ip_channel_from_float(const ip_channel *channel, const float *in);

/* Which channels are the colour triple an operation works on: indices of R,G,B (or of "Y" three times for grey) within the
 * layer ("" first, else the first layer that has R,G,B). -1s and false if there is none. */
bool ip_frame_color_channels(const ipos_frame *frame, int rgb[3]);

#endif
