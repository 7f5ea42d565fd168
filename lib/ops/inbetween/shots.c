/* Which frames of a shot are known, and the vision session over them. */
#include "inbetween_op.h"

#include <math.h>

static ipos_status shot_take(ib_shot *shot, size_t count) {
    shot->times = ip_calloc(IP_MAX(count, 1), sizeof *shot->times);
    if (!shot->times)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        shot->times[i] = (double)shot->numbers[i];
    shot->count = count;
    return IPOS_OK;
}

ipos_status ib_shot_find(ib_clip *clip, double time, const int64_t *hidden, size_t hidden_count, ib_shot *out) {
    const ip_op_clip *info = clip->frames.clip;
    *out = (ib_shot){.clip = clip};
    ip_op_shot_range(info, time, &out->first, &out->last);
    out->numbers = ip_calloc((size_t)IP_MAX(out->last - out->first + 1, 1), sizeof *out->numbers);
    if (!out->numbers)
        return IPOS_ERR_NO_MEMORY;
    size_t count = 0;
    for (int64_t n = out->first; n <= out->last; n++)
        if (!ip_sorted_has(hidden, hidden_count, n) && !ip_sorted_has(info->missing, info->missing_count, n) &&
            !ip_sorted_has(info->duplicates, info->duplicate_count, n))
            out->numbers[count++] = n;
    ipos_status status = shot_take(out, count);
    if (status != IPOS_OK)
        ib_shot_close(out);
    return status;
}

bool ib_shot_gap(const ib_shot *shot, double time, size_t *left) {
    for (size_t i = 0; i + 1 < shot->count; i++)
        if (shot->times[i] < time && time < shot->times[i + 1]) {
            *left = i;
            return true;
        }
    return false;
}

static ipos_status fetch(void *user, size_t index, float *const rgb[3], ptrdiff_t stride) {
    ib_shot *shot = user;
    ipos_frame *frame = NULL;
    IP_TRY(ip_clip_frame(&shot->clip->frames, shot->numbers[index], &frame));
    ipos_box now = shot->clip->canvas; /* may have grown since the session began */
    shot->clip->canvas = shot->canvas;
    ipos_status status = ib_colour(shot->clip, frame, rgb, stride);
    shot->clip->canvas = now;
    return status;
}

static ipos_status tick(void *user) {
    ib_shot *shot = user;
    return shot->tick ? shot->tick(shot->tick_user) : IPOS_OK;
}

/* What the library may take, less what the frames kept for the next call take. */
static uint64_t room(const ib_clip *clip) {
    uint64_t largest = 0;
    for (size_t i = 0; i < clip->frames.slot_count; i++)
        if (clip->frames.slots[i].frame)
            largest = IP_MAX(largest, ip_frame_bytes(clip->frames.slots[i].frame));
    uint64_t kept = largest * IB_CACHE, limit = clip->frames.host->memory_limit;
    return !limit ? UINT64_MAX : limit > kept ? limit - kept : 0;
}

static ipos_status check_memory(ib_shot *shot) {
    int width = shot->canvas.width, height = shot->canvas.height;
    uint64_t allowed = room(shot->clip), plain = ip_inbetween_memory(width, height, IP_INBETWEEN_PLAIN);
    shot->lean = ip_inbetween_memory(width, height, IP_INBETWEEN_FULL) > allowed;
    if (plain <= allowed)
        return IPOS_OK;
    return ip_fail(IPOS_ERR_NO_MEMORY,
        "clip %s: frames of %dx%d need %llu MiB beside the source frames, memory_limit leaves %llu MiB: raise it to at least %llu MiB",
        shot->clip->frames.clip->name, width, height, (unsigned long long)(plain >> 20), (unsigned long long)(allowed >> 20),
        (unsigned long long)((shot->clip->frames.host->memory_limit - allowed + plain) >> 20) + 1);
}

ipos_status ib_shot_open(ib_shot *shot) {
    if (shot->session && !memcmp(&shot->canvas, &shot->clip->canvas, sizeof shot->canvas))
        return IPOS_OK;
    ip_inbetween_close(shot->session);
    shot->session = NULL;
    shot->canvas = shot->clip->canvas;
    IP_TRY(check_memory(shot));
    ip_inbetween_source source = {
        .width = shot->clip->canvas.width,
        .height = shot->clip->canvas.height,
        .times = shot->times,
        .count = shot->count,
        .fetch = fetch,
        .tick = tick,
        .user = shot,
        .lean = shot->lean,
        .threads = shot->clip->frames.host->threads,
        .cancel = shot->clip->frames.host->cancel,
    };
    return ip_inbetween_open(&source, &shot->session);
}

void ib_shot_close(ib_shot *shot) {
    ip_inbetween_close(shot->session);
    ip_free(shot->numbers);
    ip_free(shot->times);
    *shot = (ib_shot){0};
}

ipos_status ib_shot_without(const ib_shot *shot, size_t index, ib_shot *out) {
    *out = *shot;
    out->session = NULL;
    out->times = NULL;
    out->numbers = ip_calloc(IP_MAX(shot->count, 1), sizeof *out->numbers);
    if (!out->numbers)
        return IPOS_ERR_NO_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < shot->count; i++)
        if (i != index)
            out->numbers[count++] = shot->numbers[i];
    ipos_status status = shot_take(out, count);
    if (status != IPOS_OK)
        ib_shot_close(out);
    return status;
}
