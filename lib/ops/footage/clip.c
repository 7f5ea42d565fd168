/* Frames of a clip, boxes of them as planes and back. */
#include "clip.h"

#include <math.h>

ipos_status ip_clip_open(ip_clip *clip, ip_op_host *host, size_t index, size_t kept) {
    *clip = (ip_clip){.host = host, .index = index, .clip = &host->clips[index]};
    clip->encoding = ip_encoding_find(clip->clip->encoding);
    if (!clip->encoding)
        return ip_fail(IPOS_ERR_ARGUMENT, "clip %s: encoding \"%s\" is not one of %s", clip->clip->name, clip->clip->encoding,
            ip_encoding_names());
    clip->slots = ip_calloc(kept, sizeof *clip->slots);
    clip->slot_count = clip->slots ? kept : 0;
    return clip->slots ? IPOS_OK : IPOS_ERR_NO_MEMORY;
}

void ip_clip_close(ip_clip *clip) {
    for (size_t i = 0; i < clip->slot_count; i++)
        ipos_frame_release(clip->slots[i].frame);
    ip_free(clip->slots);
    *clip = (ip_clip){0};
}

ipos_status ip_clip_frame(ip_clip *clip, int64_t number, ipos_frame **out) {
    struct ip_clip_slot *oldest = clip->slots;
    for (size_t i = 0; i < clip->slot_count; i++) {
        struct ip_clip_slot *slot = &clip->slots[i];
        if (slot->frame && slot->number == number) {
            slot->used = ++clip->clock;
            *out = slot->frame;
            return IPOS_OK;
        }
        if (slot->used < oldest->used)
            oldest = slot;
    }
    ipos_frame *frame = NULL;
    IP_TRY(clip->host->fetch(clip->host, clip->index, number, &frame));
    ipos_frame_release(oldest->frame);
    *oldest = (struct ip_clip_slot){.number = number, .used = ++clip->clock, .frame = frame};
    *out = frame;
    return IPOS_OK;
}

ipos_status ip_clip_frame_or_only(ip_clip *clip, int64_t number, ipos_frame **out) {
    return ip_clip_frame(clip, clip->clip->first == clip->clip->last ? clip->clip->first : number, out);
}

void ip_clip_spare(ip_clip *clip, int64_t number) {
    for (size_t i = 0; i < clip->slot_count; i++)
        if (clip->slots[i].frame && clip->slots[i].number == number)
            clip->slots[i].used = 0;
}

void ip_clip_forget(ip_clip *clip) {
    for (size_t i = 0; i < clip->slot_count; i++) {
        ipos_frame_release(clip->slots[i].frame);
        clip->slots[i] = (struct ip_clip_slot){0};
    }
}

uint64_t ip_frame_bytes(const ipos_frame *frame) {
    uint64_t bytes = 0;
    for (size_t c = 0; c < frame->channel_count; c++)
        bytes += (uint64_t)ip_sample_bytes(frame->channels[c].type) * (uint64_t)frame->channels[c].width * (uint64_t)frame->channels[c].height;
    return bytes;
}

void ip_clip_limit(ip_clip *clip, const ipos_frame *frame, uint64_t bytes, size_t least) {
    size_t most = (size_t)IP_MAX((uint64_t)least, IP_MIN(bytes / IP_MAX(ip_frame_bytes(frame), (uint64_t)1), (uint64_t)clip->slot_count));
    for (; clip->slot_count > most; clip->slot_count--)
        ipos_frame_release(clip->slots[clip->slot_count - 1].frame);
}

/* Where a row of the box meets the frame's data window: first column of the box, how many, and the sample of the channel. */
typedef struct overlap {
    int32_t begin, count, from;
} overlap;

static overlap row_overlap(const ipos_frame *frame, ipos_box origin, ip_box_i box) {
    int32_t left = origin.x + box.x, data = frame->data_window.x;
    int32_t begin = IP_MAX(0, data - left), end = IP_MIN(box.width, data + frame->data_window.width - left);
    return (overlap){begin, IP_MAX(0, end - begin), left + begin - data};
}

static ipos_status read_channel(const ipos_frame *frame, const ip_channel *channel, ipos_box origin, ip_box_i box, const ip_plane_f *to) {
    overlap across = row_overlap(frame, origin, box);
    if (channel->xs != 1 || channel->ys != 1)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "channel %s has fewer samples than pixels: convert the frames to full resolution first", channel->name);
    for (int32_t y = 0; y < box.height; y++) {
        float *line = ip_row(to, y);
        int32_t row = origin.y + box.y + y - frame->data_window.y;
        bool inside = row >= 0 && row < channel->height && across.count > 0;
        for (int32_t x = 0; x < box.width; x++)
            if (!inside || x < across.begin || x >= across.begin + across.count)
                line[x] = NAN;
        if (inside)
            ip_samples_to_float(channel->type, channel->data + row * channel->row_stride + across.from * channel->pixel_stride,
                channel->pixel_stride, line + across.begin, (size_t)across.count);
    }
    return IPOS_OK;
}

ipos_status ip_clip_colour(const ip_clip *clip, const ipos_frame *frame, ipos_box origin, ip_box_i box, const ip_image3 *to) {
    int rgb[3];
    if (!ip_frame_color_channels(frame, rgb))
        return ip_fail(IPOS_ERR_UNSUPPORTED, "clip %s: the frames have no colour channels (R, G, B or Y) to work on", clip->clip->name);
    for (int c = 0; c < 3; c++) {
        if (c && rgb[c] == rgb[0]) {
            ip_plane_f same = to->c[c];
            ip_plane_copy(&same, &to->c[0]);
            continue;
        }
        IP_TRY(read_channel(frame, &frame->channels[rgb[c]], origin, box, &to->c[c]));
        for (int32_t y = 0; y < box.height; y++)
            ip_to_working(clip->encoding, ip_row(&to->c[c], y), (size_t)box.width);
    }
    return IPOS_OK;
}

ipos_status ip_clip_grey(const ipos_frame *frame, ipos_box origin, ip_box_i box, const ip_plane_f *to) {
    int rgb[3];
    if (!ip_frame_color_channels(frame, rgb)) {
        if (!frame->channel_count || frame->channels[0].type == IPOS_U32)
            return ip_fail(IPOS_ERR_UNSUPPORTED, "a matte frame has no channel to read: expected Y, R, or A");
        rgb[0] = 0;
    }
    IP_TRY(read_channel(frame, &frame->channels[rgb[0]], origin, box, to));
    for (int32_t y = 0; y < box.height; y++)
        for (int32_t x = 0; x < box.width; x++) {
            float *value = &ip_row(to, y)[x];
            *value = *value > 0 ? fminf(*value, 1) : 0; /* NaN too */
        }
    return IPOS_OK;
}

typedef struct putting {
    const ip_clip *clip;
    const ip_channel *channel;
    const ip_plane_f *from, *mask;
    ip_box_i box;
    overlap across;
    int32_t row; /* of the channel that the box's first one is */
} putting;

/* Runs of samples that the mask takes: one conversion each. */
static void put_row(const putting *put, int32_t y, uint8_t *line) {
    enum { RUN = 256 };
    const float *from = ip_row(put->from, y), *mask = ip_row(put->mask, y);
    const int32_t end = put->across.begin + put->across.count;
    float run[RUN];
    for (int32_t x = put->across.begin; x < end;) {
        int32_t count = 0;
        while (count < RUN && x + count < end && mask[x + count] > 0)
            count++;
        if (count) {
            memcpy(run, from + x, (size_t)count * sizeof *run);
            ip_from_working(put->clip->encoding, run, (size_t)count);
            ip_samples_from_float(put->channel->type, run, line + (put->across.from + x - put->across.begin) * put->channel->pixel_stride,
                put->channel->pixel_stride, (size_t)count);
        }
        x += IP_MAX(count, 1);
    }
}

static void put_rows(void *user, int64_t begin, int64_t end) {
    const putting *put = user;
    for (int32_t y = (int32_t)begin; y < (int32_t)end; y++) {
        int32_t row = put->row + y;
        if (row >= 0 && row < put->channel->height)
            put_row(put, y, put->channel->data + row * put->channel->row_stride);
    }
}

ipos_status ip_clip_put_colour(const ip_clip *clip, ipos_frame *frame, ipos_box origin, ip_box_i box, const ip_image3 *from, const ip_plane_f *mask) {
    int rgb[3];
    if (!ip_frame_color_channels(frame, rgb))
        return ip_fail(IPOS_ERR_UNSUPPORTED, "clip %s: the frames have no colour channels (R, G, B or Y) to work on", clip->clip->name);
    for (int c = 0; c < 3 && !(c && rgb[c] == rgb[0]); c++) {
        putting put = {clip, &frame->channels[rgb[c]], &from->c[c], mask, box, row_overlap(frame, origin, box),
            origin.y + box.y - frame->data_window.y};
        ip_parallel(clip->host->threads, box.height, 64, put_rows, &put);
    }
    return IPOS_OK;
}

ipos_status ip_clip_numbers(const ip_op_clip *clip, int64_t first, int64_t last, int64_t **numbers, size_t *count) {
    first = IP_MAX(first, clip->first);
    last = IP_MIN(last, clip->last);
    *count = 0;
    *numbers = ip_calloc((size_t)IP_MAX(last - first + 1, 1), sizeof **numbers);
    if (!*numbers)
        return IPOS_ERR_NO_MEMORY;
    for (int64_t n = first; n <= last; n++)
        if (!ip_sorted_has(clip->missing, clip->missing_count, n))
            (*numbers)[(*count)++] = n;
    return IPOS_OK;
}
