/* The public calls on frames that need neither a context nor files. Those on attributes' values are in attribute.c. */
#include "color.h"
#include "frame.h"

void ipos_frame_retain(ipos_frame *frame)
{
    if (frame)
        atomic_fetch_add_explicit(&frame->refs, 1, memory_order_relaxed);
}

void ipos_frame_release(ipos_frame *frame)
{
    if (!frame || atomic_fetch_sub_explicit(&frame->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (frame->storage.release)
        frame->storage.release(&frame->storage, frame->storage.user);
    for (size_t i = 0; i < frame->channel_count; i++)
        ip_free(frame->channels[i].name);
    ip_free(frame->channels);
    ip_frame_clear_attributes(frame);
    ip_free(frame->encoding);
    if (frame->parent_release)
        frame->parent_release(frame->parent); /* last: the samples' memory may be the parent's */
    ip_free(frame);
}

ipos_status ipos_frame_windows(const ipos_frame *frame, ipos_box *data_window, ipos_box *display_window)
{
    if (!frame)
        return ip_fail(IPOS_ERR_ARGUMENT, "ipos_frame_windows: frame is required");
    if (data_window)
        *data_window = frame->data_window;
    if (display_window)
        *display_window = frame->display_window;
    return IPOS_OK;
}

size_t ipos_frame_channel_count(const ipos_frame *frame)
{
    return frame ? frame->channel_count : 0;
}

ipos_status ipos_frame_channel(const ipos_frame *frame, size_t index, ipos_channel *channel, ipos_plane *plane)
{
    if (channel)
        *channel = (ipos_channel){0};
    if (plane)
        *plane = (ipos_plane){0};
    if (!frame)
        return ip_fail(IPOS_ERR_ARGUMENT, "ipos_frame_channel: frame is required");
    if (index >= frame->channel_count)
        return ip_fail(IPOS_ERR_NOT_FOUND, "channel %zu: the frame has %zu, counted from 0", index, frame->channel_count);
    const ip_channel *c = &frame->channels[index];
    if (channel)
        *channel = (ipos_channel){c->name, c->type, c->xs, c->ys};
    if (plane)
        *plane = (ipos_plane){c->data, c->row_stride, c->pixel_stride};
    return IPOS_OK;
}

int64_t ipos_frame_find_channel(const ipos_frame *frame, const char *name)
{
    if (frame && name)
        for (size_t i = 0; i < frame->channel_count; i++)
            if (strcmp(frame->channels[i].name, name) == 0)
                return (int64_t)i;
    return -1;
}

ipos_status ipos_frame_set_encoding(ipos_frame *frame, const char *encoding)
{
    if (!frame || !encoding)
        return ip_fail(IPOS_ERR_ARGUMENT, "ipos_frame_set_encoding: frame and encoding are required");
    if (*encoding && !ip_encoding_find(encoding))
        return ip_fail(IPOS_ERR_ARGUMENT, "encoding \"%s\" is not known; use one of %s", encoding, ip_encoding_names());
    char *copy = ip_strdup(encoding);
    if (!copy)
        return IPOS_ERR_NO_MEMORY;
    ip_free(frame->encoding);
    frame->encoding = copy;
    return IPOS_OK;
}

const char *ipos_frame_encoding(const ipos_frame *frame)
{
    return frame ? frame->encoding : "";
}

size_t ipos_frame_attribute_count(const ipos_frame *frame)
{
    return frame ? frame->attribute_count : 0;
}

ipos_status ipos_frame_attribute(const ipos_frame *frame, size_t index, const char **name, const char **type, const void **bytes,
    size_t *size)
{
    const ip_attribute *a = frame && index < frame->attribute_count ? &frame->attributes[index] : NULL;
    if (name)
        *name = a ? a->name : NULL;
    if (type)
        *type = a ? a->type : NULL;
    if (bytes)
        *bytes = a ? a->bytes : NULL;
    if (size)
        *size = a ? a->size : 0;
    if (!frame)
        return ip_fail(IPOS_ERR_ARGUMENT, "ipos_frame_attribute: frame is required");
    if (!a)
        return ip_fail(IPOS_ERR_NOT_FOUND, "attribute %zu: the frame has %zu, counted from 0", index, frame->attribute_count);
    return IPOS_OK;
}

int64_t ipos_frame_find_attribute(const ipos_frame *frame, const char *name)
{
    const ip_attribute *a = frame && name ? ip_frame_attribute(frame, name) : NULL;
    return a ? a - frame->attributes : -1;
}

static void convert_channel(const ip_channel *from, const ip_channel *to)
{
    enum { RUN = 1024 };
    float run[RUN];
    if (from->type == to->type) {
        ip_channel_copy(to, from);
        return;
    }
    for (int32_t y = 0; y < from->height; y++)
        for (int32_t x = 0; x < from->width; x += RUN) {
            size_t n = (size_t)IP_MIN(from->width - x, (int32_t)RUN);
            ip_samples_to_float(from->type, from->data + y * from->row_stride + x * from->pixel_stride, from->pixel_stride, run, n);
            ip_samples_from_float(to->type, run, to->data + y * to->row_stride + x * to->pixel_stride, to->pixel_stride, n);
        }
}

ipos_status ipos_frame_convert(const ipos_frame *frame, int32_t sample_type, ipos_frame **out)
{
    if (!out)
        return ip_fail(IPOS_ERR_ARGUMENT, "ipos_frame_convert: out is required");
    *out = NULL;
    if (!frame)
        return ip_fail(IPOS_ERR_ARGUMENT, "ipos_frame_convert: frame is required");
    if (!ip_sample_bytes(sample_type) || sample_type == IPOS_U32)
        return ip_fail(IPOS_ERR_ARGUMENT, "frames convert to IPOS_U8, IPOS_U16, IPOS_F16 or IPOS_F32, not to %d", sample_type);
    ipos_frame *made;
    IP_TRY(ip_frame_like(frame, sample_type, NULL, NULL, &made));
    for (size_t i = 0; i < frame->channel_count; i++)
        convert_channel(&frame->channels[i], &made->channels[i]);
    *out = made;
    return IPOS_OK;
}
