/* Shots of clips and their frames as planes of light. */
#include "look_op.h"

#include <stdlib.h>

static const uint64_t HELD_WITHOUT_LIMIT = 768u << 20;

static int longer_first(const void *a, const void *b) {
    const il_shot *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x->numbers[0] > y->numbers[0]) - (x->numbers[0] < y->numbers[0]);
}

/* A gap ends a run of frames as a cut does: what is measured from frame to frame must not step over it. */
static ipos_status add_runs(ip_op_host *host, size_t index, int64_t first, int64_t last, il_shot **shots, size_t *count) {
    const ip_op_clip *clip = &host->clips[index];
    for (int64_t n = first; n <= last;) {
        if (ip_sorted_has(clip->missing, clip->missing_count, n)) {
            n++;
            continue;
        }
        int64_t end = n;
        while (end < last && !ip_sorted_has(clip->missing, clip->missing_count, end + 1))
            end++;
        il_shot *grown = ip_realloc(*shots, (*count + 1) * sizeof *grown);
        int64_t *numbers = grown ? ip_alloc((size_t)(end - n + 1) * sizeof *numbers) : NULL;
        *shots = grown ? grown : *shots;
        if (!numbers)
            return IPOS_ERR_NO_MEMORY;
        il_shot *shot = &grown[(*count)++];
        *shot = (il_shot){.host = host, .clip = index, .numbers = numbers};
        for (; n <= end; n++)
            if (n == first || !shot->count || !ip_sorted_has(clip->duplicates, clip->duplicate_count, n))
                numbers[shot->count++] = n;
    }
    return IPOS_OK;
}

ipos_status il_shots_of(ip_op_host *host, size_t clip, size_t most, il_shot **shots, size_t *count) {
    const ip_op_clip *of = &host->clips[clip];
    ipos_status status = IPOS_OK;
    int64_t first = of->first;
    *shots = NULL;
    *count = 0;
    for (size_t i = 0; i <= of->cut_count && status == IPOS_OK; i++) {
        int64_t next = i < of->cut_count ? of->cuts[i] : of->last + 1;
        status = add_runs(host, clip, first, next - 1, shots, count);
        first = next;
    }
    if (status == IPOS_OK && *count == 0)
        status = ip_fail(IPOS_ERR_NOT_FOUND, "clip %s: it has no frames", of->name);
    if (status == IPOS_OK)
        qsort(*shots, *count, sizeof **shots, longer_first);
    while (*count > (status == IPOS_OK ? most : 0))
        ip_free((*shots)[--*count].numbers);
    if (status != IPOS_OK) {
        ip_free(*shots);
        *shots = NULL;
    }
    return status;
}

bool il_is_float(int32_t type) { return type == IPOS_F16 || type == IPOS_F32; }

/* What every sample value of 8 or 16 bits is in light and in the working encoding. */
static ipos_status make_tables(il_shot *shot) {
    size_t count = shot->type == IPOS_U8 ? 256 : 65536;
    if (shot->type == IPOS_F32)
        return IPOS_OK;
    shot->linear = ip_alloc(count * sizeof *shot->linear);
    shot->working = ip_alloc(count * sizeof *shot->working);
    if (!shot->linear || !shot->working)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        float value = shot->type == IPOS_F16 ? ip_half_to_float((uint16_t)i) : (float)i / (float)(count - 1);
        shot->linear[i] = shot->encoding->kind == IP_ENCODING_LINEAR ? value : shot->encoding->to_linear(value);
        shot->working[i] = value;
    }
    ip_to_working(shot->encoding, shot->working, count);
    return IPOS_OK;
}

static void limit_slots(il_shot *shot, const ipos_frame *frame) {
    uint64_t bytes = 1, limit = shot->host->memory_limit;
    for (size_t c = 0; c < frame->channel_count; c++)
        bytes += (uint64_t)ip_sample_bytes(frame->channels[c].type) * (uint64_t)frame->channels[c].width * (uint64_t)frame->channels[c].height;
    limit = limit ? limit / 4 : HELD_WITHOUT_LIMIT;
    shot->slot_count = (size_t)IP_MAX((uint64_t)2, IP_MIN(limit / bytes, (uint64_t)IL_MOST_SLOTS));
}

static ipos_status fetch(il_shot *shot, int64_t number, ipos_frame **out) {
    struct il_slot *oldest = shot->slots;
    for (size_t i = 0; i < shot->slot_count; i++) {
        struct il_slot *slot = &shot->slots[i];
        if (slot->frame && slot->number == number) {
            slot->used = ++shot->clock;
            *out = slot->frame;
            return IPOS_OK;
        }
        if (slot->used < oldest->used)
            oldest = slot;
    }
    ipos_frame *frame = NULL;
    IP_TRY(shot->host->fetch(shot->host, shot->clip, number, &frame));
    ipos_frame_release(oldest->frame);
    *oldest = (struct il_slot){.number = number, .used = ++shot->clock, .frame = frame};
    *out = frame;
    return IPOS_OK;
}

static void refuse_frame(const il_shot *shot, const ipos_frame *frame, char refused[160]) {
    int rgb[3];
    if (shot->encoding->kind == IP_ENCODING_DATA)
        snprintf(refused, 160, "the clip's encoding is \"%s\": numbers, no light", shot->encoding->name);
    else if (!ip_frame_color_channels(frame, rgb))
        snprintf(refused, 160, "the frames have no colour channels (R, G, B or Y)");
    else
        for (int c = 0; c < 3; c++)
            if (frame->channels[rgb[c]].xs != 1 || frame->channels[rgb[c]].ys != 1 || frame->channels[rgb[c]].type == IPOS_U32)
                snprintf(refused, 160, "channel %.40s has fewer samples than pixels, or is no picture", frame->channels[rgb[c]].name);
}

ipos_status il_shot_open(il_shot *shot, char refused[160]) {
    const ip_op_clip *clip = &shot->host->clips[shot->clip];
    ipos_frame *frame;
    int rgb[3];
    refused[0] = 0;
    shot->encoding = ip_encoding_find(clip->encoding);
    if (!shot->encoding)
        return ip_fail(IPOS_ERR_ARGUMENT, "clip %s: encoding \"%s\" is not one of %s", clip->name, clip->encoding, ip_encoding_names());
    shot->slot_count = 1;
    IP_TRY(fetch(shot, shot->numbers[0], &frame));
    limit_slots(shot, frame);
    shot->window = frame->data_window;
    refuse_frame(shot, frame, refused);
    if (refused[0])
        return IPOS_OK;
    ip_frame_color_channels(frame, rgb);
    shot->type = frame->channels[rgb[0]].type;
    return make_tables(shot);
}

void il_shot_close(il_shot *shot) {
    for (size_t i = 0; i < IL_MOST_SLOTS; i++)
        ipos_frame_release(shot->slots[i].frame);
    ip_free(shot->numbers);
    ip_free(shot->linear);
    ip_free(shot->working);
}

typedef struct conversion {
    const il_shot *shot;
    const ip_channel *channel;
    const ip_plane_f *to;
    bool working;
} conversion;

static void by_table(const float *table, const uint8_t *in, ptrdiff_t stride, bool wide, float *out, int32_t count) {
    for (int32_t x = 0; x < count; x++, in += stride) {
        uint16_t value = *in;
        if (wide)
            memcpy(&value, in, sizeof value);
        out[x] = table[value];
    }
}

static void convert_rows(void *user, int64_t begin, int64_t end) {
    const conversion *work = user;
    const ip_channel *channel = work->channel;
    const ip_encoding *encoding = work->shot->encoding;
    for (int64_t y = begin; y < end; y++) {
        const uint8_t *in = channel->data + y * channel->row_stride;
        float *out = ip_row(work->to, (int)y);
        if (channel->type != IPOS_F32) {
            by_table(work->working ? work->shot->working : work->shot->linear, in, channel->pixel_stride, channel->type != IPOS_U8, out, channel->width);
            continue;
        }
        ip_samples_to_float(channel->type, in, channel->pixel_stride, out, (size_t)channel->width);
        if (work->working)
            ip_to_working(encoding, out, (size_t)channel->width);
        else if (encoding->kind != IP_ENCODING_LINEAR)
            for (int32_t x = 0; x < channel->width; x++)
                out[x] = encoding->to_linear(out[x]);
    }
}

ipos_status il_frame(il_shot *shot, size_t index, bool working, const ip_image3 *to) {
    const char *name = shot->host->clips[shot->clip].name;
    const int64_t number = shot->numbers[index];
    ipos_frame *frame;
    int rgb[3];
    IP_TRY(fetch(shot, number, &frame));
    if (memcmp(&frame->data_window, &shot->window, sizeof shot->window) != 0 || !ip_frame_color_channels(frame, rgb))
        return ip_fail(IPOS_ERR_UNSUPPORTED, "clip %s: frame %lld has another window or other channels than frame %lld", name, (long long)number,
            (long long)shot->numbers[0]);
    for (int c = 0; c < 3; c++) {
        const ip_channel *channel = &frame->channels[rgb[c]];
        conversion work = {shot, channel, &to->c[c], working};
        if (channel->type != shot->type || channel->xs != 1 || channel->ys != 1 || channel->width != to->c[c].width || channel->height != to->c[c].height)
            return ip_fail(IPOS_ERR_UNSUPPORTED, "clip %s: frame %lld: channel %s is of another type or size than those of frame %lld", name,
                (long long)number, channel->name, (long long)shot->numbers[0]);
        ip_parallel(shot->host->threads, channel->height, 32, convert_rows, &work);
    }
    return IPOS_OK;
}
