/* Shots and their frames as planes of light. */
#include "shot.h"

#include <stdlib.h>

enum { MOST_HELD = 128 };
static const uint64_t HELD_WITHOUT_LIMIT = 768u << 20;

static int longer_first(const void *a, const void *b) {
    const ip_shot *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x->numbers[0] > y->numbers[0]) - (x->numbers[0] < y->numbers[0]);
}

/* A gap ends a run of frames as a cut does: what is measured from frame to frame must not step over it. */
static ipos_status add_runs(ip_op_host *host, size_t index, int64_t first, int64_t last, ip_shot **shots, size_t *count) {
    const ip_op_clip *clip = &host->clips[index];
    for (int64_t n = first; n <= last;) {
        if (ip_sorted_has(clip->missing, clip->missing_count, n)) {
            n++;
            continue;
        }
        int64_t end = n;
        while (end < last && !ip_sorted_has(clip->missing, clip->missing_count, end + 1))
            end++;
        ip_shot *grown = ip_realloc(*shots, (*count + 1) * sizeof *grown);
        int64_t *numbers = grown ? ip_alloc((size_t)(end - n + 1) * sizeof *numbers) : NULL;
        *shots = grown ? grown : *shots;
        if (!numbers)
            return IPOS_ERR_NO_MEMORY;
        ip_shot *shot = &grown[(*count)++];
        *shot = (ip_shot){.clip = {.host = host, .index = index}, .numbers = numbers};
        for (; n <= end; n++)
            if (n == first || !shot->count || !ip_sorted_has(clip->duplicates, clip->duplicate_count, n))
                numbers[shot->count++] = n;
    }
    return IPOS_OK;
}

ipos_status ip_shots_of(ip_op_host *host, size_t clip, size_t most, ip_shot **shots, size_t *count) {
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

ipos_status ip_shot_range(ip_op_host *host, size_t clip, int64_t first, int64_t last, ip_shot *out) {
    *out = (ip_shot){.clip = {.host = host, .index = clip}};
    IP_TRY(ip_clip_numbers(&host->clips[clip], first, last, &out->numbers, &out->count));
    if (out->count)
        return IPOS_OK;
    ip_free(out->numbers);
    out->numbers = NULL;
    return ip_fail(IPOS_ERR_NOT_FOUND, "clip %s: no frame from %lld to %lld exists", host->clips[clip].name, (long long)first, (long long)last);
}

ipos_status ip_shot_list(ip_op_host *host, size_t clip, const int64_t *numbers, size_t count, ip_shot *out) {
    *out = (ip_shot){.clip = {.host = host, .index = clip}, .numbers = ip_alloc(IP_MAX(count, (size_t)1) * sizeof *numbers), .count = count};
    if (!out->numbers)
        return IPOS_ERR_NO_MEMORY;
    memcpy(out->numbers, numbers, count * sizeof *numbers);
    return IPOS_OK;
}

static bool is_float(int32_t type) { return type == IPOS_F16 || type == IPOS_F32; }

/* What every sample value of 8 or 16 bits is in light and in the working encoding. */
static ipos_status make_tables(ip_shot *shot) {
    size_t count = shot->type == IPOS_U8 ? 256 : 65536;
    if (shot->type == IPOS_F32)
        return IPOS_OK;
    shot->linear = ip_alloc(count * sizeof *shot->linear);
    shot->working = ip_alloc(count * sizeof *shot->working);
    if (!shot->linear || !shot->working)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        float value = shot->type == IPOS_F16 ? ip_half_to_float((uint16_t)i) : (float)i / (float)(count - 1);
        shot->linear[i] = shot->clip.encoding->kind == IP_ENCODING_LINEAR ? value : shot->clip.encoding->to_linear(value);
        shot->working[i] = value;
    }
    ip_to_working(shot->clip.encoding, shot->working, count);
    return IPOS_OK;
}

static void refuse_frame(const ip_shot *shot, const ipos_frame *frame, char refused[160]) {
    int rgb[3];
    if (shot->clip.encoding->kind == IP_ENCODING_DATA)
        snprintf(refused, 160, "the clip's encoding is \"%s\": numbers, no light", shot->clip.encoding->name);
    else if (!ip_frame_color_channels(frame, rgb))
        snprintf(refused, 160, "the frames have no colour channels (R, G, B or Y)");
    else
        for (int c = 0; c < 3; c++)
            if (frame->channels[rgb[c]].xs != 1 || frame->channels[rgb[c]].ys != 1 || frame->channels[rgb[c]].type == IPOS_U32)
                snprintf(refused, 160, "channel %.40s has fewer samples than pixels, or is no picture", frame->channels[rgb[c]].name);
}

ipos_status ip_shot_open(ip_shot *shot, char refused[160]) {
    ip_op_host *host = shot->clip.host;
    ipos_frame *frame;
    int rgb[3];
    refused[0] = 0;
    IP_TRY(ip_clip_open(&shot->clip, host, shot->clip.index, MOST_HELD));
    IP_TRY(ip_clip_frame(&shot->clip, shot->numbers[0], &frame));
    shot->window = frame->data_window;
    refuse_frame(shot, frame, refused);
    if (!refused[0]) {
        ip_frame_color_channels(frame, rgb);
        shot->type = frame->channels[rgb[0]].type;
    }
    ip_clip_limit(&shot->clip, frame, host->memory_limit ? host->memory_limit / 4 : HELD_WITHOUT_LIMIT, 2);
    return refused[0] ? IPOS_OK : make_tables(shot);
}

ipos_status ip_shot_use(ip_op_host *host, size_t clip, int64_t first, int64_t last, const char *what, ip_shot *out) {
    char refused[160];
    IP_TRY(ip_shot_range(host, clip, first, last, out));
    IP_TRY(ip_shot_open(out, refused));
    return *refused ? ip_fail(IPOS_ERR_UNSUPPORTED, "%s %s: %s", what, host->clips[clip].name, refused) : IPOS_OK;
}

size_t ip_shot_index(const ip_shot *shot, int64_t number) {
    size_t i = 0;
    while (i < shot->count && shot->numbers[i] != number)
        i++;
    return i;
}

void ip_shot_close(ip_shot *shot) {
    ip_clip_close(&shot->clip);
    ip_free(shot->numbers);
    ip_free(shot->linear);
    ip_free(shot->working);
    *shot = (ip_shot){0};
}

typedef struct conversion {
    const ip_shot *shot;
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
    const ip_encoding *encoding = work->shot->clip.encoding;
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

ipos_status ip_shot_frame(ip_shot *shot, size_t index, bool working, const ip_image3 *to) {
    const char *name = shot->clip.clip->name;
    const int64_t number = shot->numbers[index];
    ipos_frame *frame;
    int rgb[3];
    IP_TRY(ip_clip_frame(&shot->clip, number, &frame));
    if (memcmp(&frame->data_window, &shot->window, sizeof shot->window) != 0 || !ip_frame_color_channels(frame, rgb))
        return ip_fail(IPOS_ERR_UNSUPPORTED, "clip %s: frame %lld has another window or other channels than frame %lld", name, (long long)number,
            (long long)shot->numbers[0]);
    for (int c = 0; c < 3; c++) {
        const ip_channel *channel = &frame->channels[rgb[c]];
        conversion work = {shot, channel, &to->c[c], working};
        if (channel->type != shot->type || channel->xs != 1 || channel->ys != 1 || channel->width != to->c[c].width || channel->height != to->c[c].height)
            return ip_fail(IPOS_ERR_UNSUPPORTED, "clip %s: frame %lld: channel %s is of another type or size than those of frame %lld", name,
                (long long)number, channel->name, (long long)shot->numbers[0]);
        ip_parallel(shot->clip.host->threads, channel->height, 32, convert_rows, &work);
    }
    return IPOS_OK;
}

float ip_shot_clip(const ip_shot *shot) { return is_float(shot->type) || !shot->linear ? 0.f : shot->clip.encoding->to_linear(1.f); }

static ipos_status fetch_linear(void *user, size_t index, const ip_image3 *to) { return ip_shot_frame(user, index, false, to); }
static ipos_status fetch_working(void *user, size_t index, const ip_image3 *to) { return ip_shot_frame(user, index, true, to); }

ip_look_source ip_shot_source(ip_shot *shot, const ip_pulse *pulse) {
    return (ip_look_source){.count = shot->count, .width = shot->window.width, .height = shot->window.height, .encoding = shot->clip.encoding,
        .clip = ip_shot_clip(shot), .threads = shot->clip.host->threads, .fetch = fetch_linear, .user = shot, .pulse = pulse};
}

ip_grain_source ip_shot_grain_source(ip_shot *shot, ip_grain_options *options, const ip_pulse *pulse) {
    /* samples of 16 bits are most often codes of 10 or 12 bits: what their steps are is not known, and they are fine enough */
    *options = (ip_grain_options){.unclipped = is_float(shot->type) && shot->clip.encoding->kind == IP_ENCODING_LINEAR,
        .step = shot->type == IPOS_U8 ? 1.f / 255.f : 0.f, .threads = shot->clip.host->threads, .pulse = pulse};
    return (ip_grain_source){.width = shot->window.width, .height = shot->window.height, .count = shot->count, .fetch = fetch_working, .user = shot};
}
