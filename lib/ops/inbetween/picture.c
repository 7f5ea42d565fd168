/* Frames to planes and back: every channel of the two frames goes through the same plan. */
#include "evidence.h"
#include "inbetween_op.h"

#include <math.h>
#include <stdlib.h>

static ipos_box box_union(ipos_box a, ipos_box b) {
    if (a.width <= 0 || a.height <= 0)
        return b;
    int32_t x = IP_MIN(a.x, b.x), y = IP_MIN(a.y, b.y);
    /* Far corners are below 2^31, but two windows may lie further apart than a box is wide; ib_shot_open refuses either. */
    int64_t width = (int64_t)IP_MAX(a.x + a.width, b.x + b.width) - x, height = (int64_t)IP_MAX(a.y + a.height, b.y + b.height) - y;
    return (ipos_box){x, y, (int32_t)IP_MIN(width, INT32_MAX), (int32_t)IP_MIN(height, INT32_MAX)};
}

void ib_canvas_include(ib_clip *clip, const ipos_frame *frame) {
    clip->canvas = box_union(clip->canvas, frame->data_window);
}

/* Copies one channel as floats onto a canvas plane, subsampled channels repeated; what lies outside the data window stays. */
static ipos_status place_channel(const ipos_frame *frame, const ip_channel *channel, ipos_box canvas, float *to, ptrdiff_t stride) {
    size_t count = (size_t)channel->width * (size_t)channel->height;
    if (!count)
        return IPOS_OK;
    float *samples = ip_alloc(count * sizeof *samples);
    if (!samples)
        return IPOS_ERR_NO_MEMORY;
    ipos_status status = ip_channel_to_float(channel, samples);
    ipos_box data = frame->data_window;
    for (int32_t y = IP_MAX(data.y, canvas.y); status == IPOS_OK && y < IP_MIN(data.y + data.height, canvas.y + canvas.height); y++) {
        int32_t row = IP_MIN((y - data.y) / channel->ys, channel->height - 1);
        const float *from = samples + (size_t)row * (size_t)channel->width;
        float *line = to + (ptrdiff_t)(y - canvas.y) * stride;
        int32_t begin = IP_MAX(data.x, canvas.x), end = IP_MIN(data.x + data.width, canvas.x + canvas.width);
        if (channel->xs == 1) {
            if (end > begin)
                memcpy(line + (begin - canvas.x), from + (begin - data.x), (size_t)(end - begin) * sizeof *from);
            continue;
        }
        for (int32_t x = begin; x < end; x++)
            line[x - canvas.x] = from[IP_MIN((x - data.x) / channel->xs, channel->width - 1)];
    }
    ip_free(samples);
    return status;
}

/* The colour triple, or the first channel that can be filtered three times where a frame has no colour (a lone depth pass). */
static bool matched_channels(const ipos_frame *frame, int rgb[3]) {
    if (ip_frame_color_channels(frame, rgb))
        return true;
    for (size_t i = 0; i < frame->channel_count; i++)
        if (frame->channels[i].type != IPOS_U32) {
            rgb[0] = rgb[1] = rgb[2] = (int)i;
            return true;
        }
    return false;
}

ipos_status ib_colour(const ib_clip *clip, const ipos_frame *frame, float *const rgb[3], ptrdiff_t stride) {
    int index[3];
    if (!matched_channels(frame, index))
        return ip_fail(IPOS_ERR_UNSUPPORTED, "clip %s: the frames have no channel to follow motion in, only identifiers", clip->frames.clip->name);
    for (int c = 0; c < 3; c++) {
        if (c && index[c] == index[0]) {
            for (int32_t y = 0; y < clip->canvas.height; y++)
                memcpy(rgb[c] + y * stride, rgb[0] + y * stride, (size_t)clip->canvas.width * sizeof(float));
            continue;
        }
        for (int32_t y = 0; y < clip->canvas.height; y++)
            memset(rgb[c] + y * stride, 0, (size_t)clip->canvas.width * sizeof(float));
        IP_TRY(place_channel(frame, &frame->channels[index[c]], clip->canvas, rgb[c], stride));
        for (int32_t y = 0; y < clip->canvas.height; y++)
            ip_to_working(clip->frames.encoding, rgb[c] + y * stride, (size_t)clip->canvas.width);
    }
    return IPOS_OK;
}

/* Writes the part of a canvas plane under the frame's data window into the channel. */
static ipos_status store_channel(ipos_frame *frame, const ip_channel *channel, ipos_box canvas, const ip_plane_f *from) {
    float *samples = ip_alloc(sizeof *samples * (size_t)IP_MAX(channel->width, 1) * (size_t)IP_MAX(channel->height, 1));
    if (!samples)
        return IPOS_ERR_NO_MEMORY;
    int32_t dx = frame->data_window.x - canvas.x, dy = frame->data_window.y - canvas.y;
    for (int32_t y = 0; y < channel->height; y++) {
        const float *line = ip_row(from, IP_MIN(dy + y * channel->ys, from->height - 1));
        float *to = samples + (size_t)y * (size_t)channel->width;
        if (channel->xs == 1)
            memcpy(to, line + dx, (size_t)channel->width * sizeof *to);
        else
            for (int32_t x = 0; x < channel->width; x++)
                to[x] = line[IP_MIN(dx + x * channel->xs, from->width - 1)];
    }
    ip_channel_from_float(channel, samples);
    ip_free(samples);
    return IPOS_OK;
}

/* Scratch of one picture: a channel in both frames and the result. */
typedef struct ib_scratch {
    ip_plane_f left, right, made;
} ib_scratch;

/* Bicubic kernels overshoot: nothing made may lie below or above all of the two frames, so that no negative light, no alpha over 1 and
 * no brighter highlight comes up that the sources do not have. */
static void keep_in_range(const ip_plane_f *const sources[2], ip_plane_f *made) {
    float low = INFINITY, high = -INFINITY;
    for (int i = 0; i < 2; i++)
        for (int y = 0; y < made->height; y++) {
            const float *row = ip_row(sources[i], y);
            for (int x = 0; x < made->width; x++) {
                low = row[x] < low ? row[x] : low;
                high = row[x] > high ? row[x] : high;
            }
        }
    for (int y = 0; y < made->height && low <= high; y++) {
        float *row = ip_row(made, y);
        for (int x = 0; x < made->width; x++)
            row[x] = row[x] < low ? low : row[x] > high ? high : row[x]; /* NaN stays */
    }
}

static ipos_status blend_channel(ib_clip *clip, const ip_inbetween_plan *plan, ib_scratch *planes, const ipos_frame *left,
    const ip_channel *in_left, const ipos_frame *right, const ip_channel *in_right, int colour, const ib_residual *residual,
    ipos_frame *made, const ip_channel *out) {
    ip_plane_fill(&planes->left, 0);
    ip_plane_fill(&planes->right, 0);
    IP_TRY(place_channel(left, in_left, clip->canvas, planes->left.data, planes->left.stride));
    IP_TRY(place_channel(right, in_right, clip->canvas, planes->right.data, planes->right.stride));
    ip_plane_f *both[2] = {&planes->left, &planes->right};
    for (int i = 0; i < 2 && colour >= 0; i++)
        for (int32_t y = 0; y < clip->canvas.height; y++)
            ip_to_working(clip->frames.encoding, ip_row(both[i], y), (size_t)clip->canvas.width);
    ip_inbetween_apply(plan, &planes->left, &planes->right, &planes->made, clip->frames.host->threads);
    if (colour >= 0 && residual)
        for (int y = 0; y < residual->where.height; y++) {
            float *line = ip_row(&planes->made, residual->where.y + y) + residual->where.x;
            const float *add = ip_row(&residual->rgb[colour], y);
            for (int x = 0; x < residual->where.width; x++)
                line[x] += add[x];
        }
    keep_in_range((const ip_plane_f *const[2]){&planes->left, &planes->right}, &planes->made);
    for (int32_t y = 0; colour >= 0 && y < clip->canvas.height; y++)
        ip_from_working(clip->frames.encoding, ip_row(&planes->made, y), (size_t)clip->canvas.width);
    return store_channel(made, out, clip->canvas, &planes->made);
}

/* Identifiers: nearest sample of the most trusted position, on a canvas of 32-bit values. */
static ipos_status pick_channel(ib_clip *clip, const ip_inbetween_plan *plan, const ipos_frame *left, const ip_channel *in_left,
    const ipos_frame *right, const ip_channel *in_right, ipos_frame *made, const ip_channel *out) {
    size_t width = (size_t)clip->canvas.width, height = (size_t)clip->canvas.height;
    uint32_t *planes = ip_calloc(3 * width * height, sizeof *planes);
    if (!planes)
        return IPOS_ERR_NO_MEMORY;
    const ipos_frame *frames[2] = {left, right};
    const ip_channel *channels[2] = {in_left, in_right};
    for (int i = 0; i < 2; i++) {
        ipos_box data = frames[i]->data_window;
        uint32_t *to = planes + (size_t)i * width * height;
        for (int32_t y = 0; y < data.height; y++) {
            const uint8_t *row = channels[i]->data + (ptrdiff_t)(y / channels[i]->ys) * channels[i]->row_stride;
            uint32_t *line = to + (size_t)(y + data.y - clip->canvas.y) * width + (data.x - clip->canvas.x);
            for (int32_t x = 0; x < data.width; x++)
                memcpy(&line[x], row + (ptrdiff_t)(x / channels[i]->xs) * channels[i]->pixel_stride, sizeof *line);
        }
    }
    uint32_t *result = planes + 2 * width * height;
    ptrdiff_t stride = (ptrdiff_t)(width * sizeof *planes);
    ip_inbetween_apply_nearest(plan, sizeof *planes, planes, stride, planes + width * height, stride, result, stride, clip->frames.host->threads);
    int32_t dx = made->data_window.x - clip->canvas.x, dy = made->data_window.y - clip->canvas.y;
    for (int32_t y = 0; y < out->height; y++)
        for (int32_t x = 0; x < out->width; x++)
            memcpy(out->data + y * out->row_stride + x * out->pixel_stride,
                &result[(size_t)(dy + y * out->ys) * width + (size_t)(dx + x * out->xs)], sizeof *result);
    ip_free(planes);
    return IPOS_OK;
}

static const ip_channel *same_channel(const ipos_frame *frame, const ip_channel *like) {
    int64_t index = ipos_frame_find_channel(frame, like->name);
    if (index < 0 || frame->channels[index].type != like->type || frame->channels[index].xs != like->xs || frame->channels[index].ys != like->ys)
        return NULL;
    return &frame->channels[index];
}

/* A result frame with the left frame's channels over the union of both data windows. */
static ipos_status result_frame(ib_clip *clip, const ipos_frame *left, const ipos_frame *right, ipos_frame **out) {
    ipos_box window = box_union(left->data_window, right->data_window);
    ipos_channel *channels = ip_calloc(left->channel_count, sizeof *channels);
    if (!channels)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < left->channel_count; i++)
        channels[i] = (ipos_channel){left->channels[i].name, left->channels[i].type, left->channels[i].xs, left->channels[i].ys};
    ipos_status status = clip->frames.host->frame_new(clip->frames.host, &window, channels, left->channel_count, out);
    ip_free(channels);
    if (status == IPOS_OK) {
        (*out)->display_window = left->display_window;
        status = ipos_frame_set_encoding(*out, left->encoding);
    }
    return status;
}

ipos_status ib_picture(ib_clip *clip, const ip_inbetween_plan *plan, ipos_frame *left, ipos_frame *right, const ib_residual *residual,
    ipos_frame **out) {
    int rgb[3] = {-1, -1, -1};
    bool has_colour = ip_frame_color_channels(left, rgb);
    ib_scratch planes = {0};
    ipos_frame *made = NULL;
    ipos_status status = result_frame(clip, left, right, &made);
    ip_plane_f *all[3] = {&planes.left, &planes.right, &planes.made};
    for (int i = 0; i < 3 && status == IPOS_OK; i++)
        status = ip_plane_new(clip->canvas.width, clip->canvas.height, all[i]);
    for (size_t i = 0; i < left->channel_count && status == IPOS_OK; i++) {
        if (clip->tick && (status = clip->tick(clip->tick_user)) != IPOS_OK)
            break;
        const ip_channel *in = &left->channels[i], *other = same_channel(right, in);
        int colour = !has_colour ? -1 : rgb[0] == (int)i ? 0 : rgb[1] == (int)i ? 1 : rgb[2] == (int)i ? 2 : -1;
        if (!other)
            status = ip_fail(IPOS_ERR_UNSUPPORTED, "clip %s: channel %s is not the same in both frames around the gap", clip->frames.clip->name, in->name);
        else if (in->type == IPOS_U32)
            status = pick_channel(clip, plan, left, in, right, other, made, &made->channels[i]);
        else
            status = blend_channel(clip, plan, &planes, left, in, right, other, colour, residual, made, &made->channels[i]);
    }
    for (int i = 0; i < 3; i++)
        ip_plane_free(all[i]);
    if (status != IPOS_OK) {
        ipos_frame_release(made);
        return status;
    }
    *out = made;
    return IPOS_OK;
}

static ipos_status evidence_frame(ib_clip *clip, const ipos_frame *picture, ipos_frame **out) {
    static const ipos_channel channels[2] = {{"confidence", IPOS_F16, 1, 1}, {"evidence", IPOS_F16, 1, 1}};
    return ip_evidence_new(clip->frames.host, &picture->data_window, picture, channels, 2, out);
}

ipos_status ib_evidence(ib_clip *clip, const ip_inbetween_plan *plan, const ipos_frame *picture, ipos_frame **out) {
    ip_plane_f planes[2];
    IP_TRY(ip_planes_new(clip->canvas.width, clip->canvas.height, planes, 2));
    ip_inbetween_evidence(plan, &planes[0], &planes[1], clip->frames.host->threads);
    ipos_frame *frame = NULL;
    ipos_status status = evidence_frame(clip, picture, &frame);
    for (int i = 0; i < 2 && status == IPOS_OK; i++)
        status = store_channel(frame, &frame->channels[i], clip->canvas, &planes[i]);
    ip_planes_free(planes, 2);
    if (status != IPOS_OK) {
        ipos_frame_release(frame);
        return status;
    }
    *out = frame;
    return IPOS_OK;
}

ipos_status ib_hold(ib_clip *clip, ipos_frame *frame, ipos_frame **picture, ipos_frame **evidence) {
    *picture = *evidence = NULL;
    ipos_status status = clip->frames.host->frame_like(clip->frames.host, frame, 0, picture);
    if (status == IPOS_OK)
        status = ip_frame_copy_pixels(*picture, frame);
    if (status == IPOS_OK)
        status = evidence_frame(clip, *picture, evidence);
    for (int32_t y = 0; status == IPOS_OK && y < (*evidence)->channels[1].height; y++)
        for (int32_t x = 0; x < (*evidence)->channels[1].width; x++) {
            const ip_channel *channel = &(*evidence)->channels[1];
            uint16_t invented = ip_float_to_half(3);
            memcpy(channel->data + y * channel->row_stride + x * channel->pixel_stride, &invented, sizeof invented);
        }
    if (status != IPOS_OK) {
        ipos_frame_release(*picture);
        ipos_frame_release(*evidence);
        *picture = *evidence = NULL;
    }
    return status;
}
