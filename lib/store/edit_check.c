/* Changed frames against what they were: the same layout, and the same bits wherever their evidence says "original". */
#include "store.h"

static const ip_channel *channel_named(const ipos_frame *frame, const char *name)
{
    int64_t at = ipos_frame_find_channel(frame, name);

    return at < 0 ? NULL : &frame->channels[at];
}

static bool same_box(const ipos_box *a, const ipos_box *b)
{
    return a->x == b->x && a->y == b->y && a->width == b->width && a->height == b->height;
}

static ipos_status check_layout(int64_t number, const ipos_frame *source, const ipos_frame *picture)
{
    if (!same_box(&source->data_window, &picture->data_window) || !same_box(&source->display_window, &picture->display_window))
        return ip_fail(IPOS_ERR_ENGINE, "frame %lld: the operation gave a picture with other windows than the frame it changes", (long long)number);
    if (source->channel_count != picture->channel_count)
        return ip_fail(IPOS_ERR_ENGINE, "frame %lld: the operation gave %zu channels, the frame it changes has %zu", (long long)number,
            picture->channel_count, source->channel_count);
    for (size_t i = 0; i < source->channel_count; i++) {
        const ip_channel *was = &source->channels[i], *is = channel_named(picture, was->name);
        if (!is || is->type != was->type || is->xs != was->xs || is->ys != was->ys)
            return ip_fail(IPOS_ERR_ENGINE, "frame %lld: channel %s is %s in the picture, the frame that it changes has it as %s %dx%d",
                (long long)number, was->name, is ? ip_sample_name(is->type) : "missing", ip_sample_name(was->type), was->xs, was->ys);
    }
    return IPOS_OK;
}

/* Bytes over the source's data window: 1 where the evidence says that a pixel is not the original. */
static ipos_status changed_pixels(const ipos_frame *source, const ipos_frame *evidence, uint8_t *changed)
{
    const ipos_box *box = &source->data_window, *from = &evidence->data_window;
    const ip_channel *channel = channel_named(evidence, "evidence");

    memset(changed, channel ? 0 : 1, (size_t)box->width * (size_t)box->height);
    if (!channel)
        return IPOS_OK;
    float *values = ip_alloc(IP_MAX((size_t)channel->width * (size_t)channel->height, (size_t)1) * sizeof *values);
    ipos_status status = values ? ip_channel_to_float(channel, values) : IPOS_ERR_NO_MEMORY;
    for (int64_t v = 0; status == IPOS_OK && v < channel->height; v++)
        for (int64_t u = 0; u < channel->width; u++) {
            const int64_t x = u * channel->xs + from->x - box->x, y = v * channel->ys + from->y - box->y;
            for (int64_t dy = 0; dy < channel->ys; dy++)
                for (int64_t dx = 0; dx < channel->xs; dx++)
                    if (x + dx >= 0 && y + dy >= 0 && x + dx < box->width && y + dy < box->height)
                        changed[(y + dy) * box->width + x + dx] = values[v * channel->width + u] != 0;
        }
    ip_free(values);
    return status;
}

/* The first sample of a span of one dimension that belongs to a subsampled plane, counted from the window's start. */
static int64_t sampled_start(int32_t start, int32_t sampling)
{
    const int64_t past = ((int64_t)start % sampling + sampling) % sampling;

    return past ? sampling - past : 0;
}

static bool may_differ(const ip_channel *channel, const ipos_box *box, const uint8_t *changed, int64_t u, int64_t v)
{
    const int64_t x = sampled_start(box->x, channel->xs) + u * channel->xs, y = sampled_start(box->y, channel->ys) + v * channel->ys;

    for (int64_t dy = 0; dy < channel->ys && y + dy < box->height; dy++)
        for (int64_t dx = 0; dx < channel->xs && x + dx < box->width; dx++)
            if (changed[(y + dy) * box->width + x + dx])
                return true;
    return false;
}

static ipos_status check_channel(int64_t number, const ip_channel *was, const ip_channel *is, const ipos_box *box, const uint8_t *changed)
{
    const size_t bytes = ip_sample_bytes(was->type);
    const bool packed = was->pixel_stride == (ptrdiff_t)bytes && is->pixel_stride == (ptrdiff_t)bytes;

    for (int64_t v = 0; v < was->height; v++) {
        const uint8_t *before = was->data + v * was->row_stride, *after = is->data + v * is->row_stride;
        if (packed && memcmp(before, after, (size_t)was->width * bytes) == 0)
            continue;
        const uint8_t *allowed = was->xs == 1 && was->ys == 1 ? changed + v * box->width : NULL; /* the rule, and quicker */
        for (int64_t u = 0; u < was->width; u++)
            if (!(allowed && allowed[u]) && memcmp(before + u * was->pixel_stride, after + u * is->pixel_stride, bytes) != 0 && !may_differ(was, box, changed, u, v))
                return ip_fail(IPOS_ERR_ENGINE,
                    "frame %lld: the operation changed channel %s at %lld,%lld, where its evidence map says that the pixel is the original",
                    (long long)number, was->name, (long long)(box->x + u * was->xs), (long long)(box->y + v * was->ys));
    }
    return IPOS_OK;
}

ipos_status ip_edit_check(int64_t number, const ipos_frame *source, const ipos_frame *picture, const ipos_frame *evidence)
{
    const ipos_box *box = &source->data_window;

    /* A matte or another by-product beside the picture: it changes nothing. */
    if (strcmp(picture->encoding, "data") == 0 && strcmp(source->encoding, "data") != 0)
        return IPOS_OK;
    IP_TRY(check_layout(number, source, picture));
    if (!evidence)
        return ip_fail(IPOS_ERR_ENGINE, "frame %lld: the operation changed it without an evidence map", (long long)number);
    uint8_t *changed = ip_alloc(IP_MAX((size_t)box->width * (size_t)box->height, (size_t)1));
    ipos_status status = changed ? changed_pixels(source, evidence, changed) : IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < source->channel_count && status == IPOS_OK; i++)
        status = check_channel(number, &source->channels[i], channel_named(picture, source->channels[i].name), box, changed);
    ip_free(changed);
    return status;
}
