/* Following every wire through the shot, all wires of a frame together: from its strokes forwards and backwards, each frame from the
 * stroke nearest to it; then back into the frames where it was lost, from where it was found again. */
#include "wires_track.h"

#include <math.h>
#include <stdlib.h>

enum { PATIENCE = 8 }; /* so many frames a lost wire is looked for where it was last */
static const float sweep = 72; /* how far an end may swing from one frame to the next, at 540 lines */

iw_seen *iw_seen_at(const iw_shot *shot, size_t wire, size_t index) {
    return &shot->seen[wire * shot->count + index];
}

float iw_lines(const iw_shot *shot) {
    return fmaxf(1, (float)shot->canvas.height / (float)shot->scale / 540);
}

float iw_to_border(const iw_shot *shot, ip_point at) {
    float width = (float)shot->canvas.width / (float)shot->scale, height = (float)shot->canvas.height / (float)shot->scale;
    return fminf(fminf(at.x, width - at.x), fminf(at.y, height - at.y));
}

static void seen_clear(iw_seen *seen) {
    ip_trace_free(&seen->trace);
    ip_free(seen->use);
    *seen = (iw_seen){0};
}

/* The part of the plate around all the curves. */
static ip_box_i around(const iw_work *w) {
    float width = ceilf((float)w->shot->canvas.width / (float)w->shot->scale), height = ceilf((float)w->shot->canvas.height / (float)w->shot->scale);
    float left = width, top = height, right = 0, bottom = 0;
    for (size_t i = 0; i < w->count; i++) {
        const iw_follow *f = &w->follow[i];
        for (size_t s = 0; s < IP_MAX(f->start_count, 1); s++) {
            const ip_curve *curve = f->search ? &f->starts[s].curve : &f->seen->trace.curve;
            float margin = (f->search ? f->starts[s].sweep : 0) + 40 * iw_lines(w->shot);
            for (size_t k = 0; k < curve->count; k++) {
                left = fminf(left, curve->at[k].x - margin);
                top = fminf(top, curve->at[k].y - margin);
                right = fmaxf(right, curve->at[k].x + margin);
                bottom = fmaxf(bottom, curve->at[k].y + margin);
            }
        }
    }
    int x = (int)fmaxf(0, fminf(width - 1, left)), y = (int)fmaxf(0, fminf(height - 1, top));
    return (ip_box_i){x, y, IP_MAX(1, (int)fminf(width, right) - x), IP_MAX(1, (int)fminf(height, bottom) - y)};
}

static ipos_status ask_with_hints(iw_work *w) {
    ip_plane_f hints;
    IP_TRY(ip_plane_new(w->box.width, w->box.height, &hints));
    for (size_t i = 0; i < w->count; i++)
        if (w->follow[i].seen->trace.curve.count)
            ip_curve_band(&w->follow[i].seen->trace.curve, NULL, IW_HINT_HALF, IW_HINT_SOFT, w->box.x, w->box.y, &hints);
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < w->count && status == IPOS_OK && w->shot->net; i++)
        if (w->follow[i].search && !w->follow[i].stroke)
            status = iw_straight_hint(w, &w->follow[i], &hints);
    if (status == IPOS_OK)
        status = iw_detect(w->shot, w->index, w->box, &hints, &w->hinted);
    for (int y = 0; y < w->box.height && w->lines.data && status == IPOS_OK; y++)
        for (int x = 0; x < w->box.width; x++) {
            float *to = &ip_row(&w->hinted, y)[x];
            *to = fmaxf(*to, ip_row(&w->lines, y)[x] * ip_row(&hints, y)[x]);
        }
    ip_plane_free(&hints);
    return status;
}

static ipos_status one_frame(iw_work *w) {
    iw_shot *shot = w->shot;
    w->box = around(w);
    IP_TRY(iw_detect(shot, w->index, w->box, NULL, &w->plain));
    if (shot->net)
        IP_TRY(iw_lines_find(w));
    if (w->lines.data)
        ip_plane_max(&w->plain, &w->lines);
    if (shot->net && shot->count > 2) {
        IP_TRY(ip_plane_new(w->box.width, w->box.height, &w->passing));
        IP_TRY(iw_shot_difference(shot, w->index, w->box, &w->passing));
    }
    IP_TRY(iw_find(w));
    IP_TRY(ask_with_hints(w));
    for (size_t i = 0; i < w->count; i++)
        if (w->follow[i].search)
            IP_TRY(iw_settle(w, &w->follow[i]));
    if (shot->painted[w->index])
        return IPOS_OK;
    iw_matte_free(&shot->matte[w->index]);
    iw_matte_free(&shot->shadow[w->index]);
    IP_TRY(iw_paint(w, false));
    return iw_paint(w, true);
}

/* What is not seen where a person drew it cannot be told from other things. */
static bool is_seen(const iw_shot *shot, const iw_seen *drawn) { return !drawn->lost && drawn->confidence >= shot->threshold; }

static bool is_drawn_and_seen(const iw_shot *shot, size_t wire, size_t index) {
    return iw_stroke_at(shot, wire, index) && is_seen(shot, iw_seen_at(shot, wire, index));
}

/* The frame with the stroke nearest to every frame, wire by wire; SIZE_MAX for a wire without. Once the frames with strokes have been
 * looked at, those on which the wire is not seen lead nowhere, if there are others. */
static void find_keys(const iw_shot *shot, bool looked, size_t *keys) {
    for (size_t i = 0; i < shot->wires.count; i++) {
        size_t *key = keys + i * shot->count, last = SIZE_MAX, next = SIZE_MAX;
        bool choose = false;
        for (size_t f = 0; f < shot->count && looked; f++)
            choose = choose || is_drawn_and_seen(shot, i, f);
        for (size_t f = 0; f < shot->count; f++) {
            last = (choose ? is_drawn_and_seen(shot, i, f) : iw_stroke_at(shot, i, f) != NULL) ? f : last;
            key[f] = last;
        }
        for (size_t f = shot->count; f-- > 0;) {
            next = key[f] == f ? f : next;
            if (next != SIZE_MAX && (key[f] == SIZE_MAX || shot->numbers[next] - shot->numbers[f] < shot->numbers[f] - shot->numbers[key[f]]))
                key[f] = next;
        }
    }
}

const iw_stroke *iw_stroke_at(const iw_shot *shot, size_t wire, size_t index) {
    const iw_wire *w = &shot->wires.at[wire];
    for (size_t k = 0; k < w->count; k++)
        if (w->strokes[k].frame == shot->numbers[index])
            return &w->strokes[k];
    return NULL;
}

ipos_status iw_stroke_curve(const iw_shot *shot, const iw_stroke *stroke, ip_curve *out) {
    ip_curve full;
    IP_TRY(ip_curve_spline(stroke->points, stroke->count, IW_STEP, &full));
    for (size_t i = 0; i < full.count; i++)
        full.at[i] = (ip_point){full.at[i].x / (float)shot->scale, full.at[i].y / (float)shot->scale};
    ipos_status status = ip_curve_even(&full, IW_STEP, out);
    ip_curve_free(&full);
    return status;
}

static bool is_sure(const iw_seen *seen) {
    return seen->tried && !seen->lost && seen->confidence >= .5f && ip_trace_share(&seen->trace, .35f) >= .6f;
}

/* A wire under load stays straight, a slack one bends as it likes: about as far from its chord as where it was drawn, and some. Where
 * the stroke is straighter than what was found along it, an edge beside the wire was found. */
static ipos_status bend_of(const iw_shot *shot, size_t wire, float *bend) {
    float most = 0, unit = iw_lines(shot);
    for (size_t i = 0; i < shot->count; i++) {
        const iw_seen *seen = iw_seen_at(shot, wire, i);
        ip_curve drawn;
        if (!seen->key)
            continue;
        IP_TRY(iw_stroke_curve(shot, iw_stroke_at(shot, wire, i), &drawn));
        most = fmaxf(most, fminf(iw_bend(&seen->trace.curve), iw_bend(&drawn)));
        ip_curve_free(&drawn);
    }
    *bend = fminf(fmaxf(2.5f * most + 3 * unit, 6 * unit), 22 * unit);
    return IPOS_OK;
}

/* What is known of a wire from the frame where it was drawn. */
static ipos_status recall(const iw_shot *shot, const iw_seen *drawn, iw_follow *f) {
    const ip_curve *curve = &drawn->trace.curve;
    IP_TRY(bend_of(shot, f->wire, &f->bend));
    f->length = ip_curve_length(curve);
    f->whole = curve->count >= 2;
    for (int end = 0; end < 2 && f->whole; end++)
        f->whole = iw_to_border(shot, curve->at[end ? curve->count - 1 : 0]) > 10 * iw_lines(shot);
    memcpy(f->tone, drawn->tone, sizeof f->tone);
    f->passes = drawn->passes;
    return IPOS_OK;
}

static ipos_status add_start(iw_follow *f, const ip_curve *curve, float far) {
    iw_start *start = &f->starts[f->start_count];
    IP_TRY(ip_curve_copy(curve, &start->curve));
    start->sweep = far;
    f->start_count++;
    return IPOS_OK;
}

/* Where a person drew it on this frame, though it was not seen there. */
static ipos_status add_drawn(const iw_shot *shot, size_t index, iw_follow *f) {
    const iw_stroke *stroke = iw_stroke_at(shot, f->wire, index);
    ip_curve curve;
    if (!stroke)
        return IPOS_OK;
    IP_TRY(iw_stroke_curve(shot, stroke, &curve));
    ipos_status status = add_start(f, &curve, 12 * iw_lines(shot));
    ip_curve_free(&curve);
    return status;
}

/* Where to look on the way from the stroke: where the wire was last seen, where it was last seen surely, where it was drawn. */
static ipos_status predict(iw_shot *shot, size_t key, size_t index, iw_follow *f) {
    const iw_seen *drawn = iw_seen_at(shot, f->wire, key);
    float unit = iw_lines(shot);
    bool last = false;
    if (!is_seen(shot, drawn))
        return IPOS_OK;
    f->width = 0;
    f->seen->width = drawn->width;
    IP_TRY(recall(shot, drawn, f));
    int way = key < index ? 1 : -1;
    for (size_t i = index - (size_t)way, gap = 0;; i -= (size_t)way, gap++) {
        const iw_seen *before = iw_seen_at(shot, f->wire, i);
        bool usable = before->tried && !before->lost && before->trace.curve.count >= 2;
        float far = fminf(sweep + 12 * (float)gap, 150) * unit;
        if (usable && !last && gap <= PATIENCE) {
            IP_TRY(add_start(f, &before->trace.curve, far));
            last = true;
            if (is_sure(before) || i == key)
                break;
        } else if (usable && (is_sure(before) || i == key)) {
            IP_TRY(add_start(f, &before->trace.curve, far));
            break;
        }
        if (i == key)
            break;
    }
    return add_drawn(shot, index, f);
}

static void work_free(iw_work *w) {
    for (size_t i = 0; i < w->shot->wires.count; i++)
        for (size_t s = 0; s < w->follow[i].start_count; s++)
            ip_curve_free(&w->follow[i].starts[s].curve);
    ip_free(w->follow);
    ip_plane_free(&w->luma);
    ip_plane_free(&w->plain);
    ip_plane_free(&w->hinted);
    ip_plane_free(&w->lines);
    ip_plane_free(&w->passing);
}

/* The follow of one wire: whether it is to be looked for on this frame now, and where. */
typedef ipos_status (*starts_fn)(iw_shot *shot, size_t index, int toward, const size_t *keys, iw_follow *f);

static ipos_status visit(iw_shot *shot, size_t index, int toward, const size_t *keys, starts_fn starts) {
    iw_work w = {.shot = shot, .index = index};
    bool any = false;
    w.follow = ip_calloc(IP_MAX(shot->wires.count, 1), sizeof *w.follow);
    if (!w.follow)
        return IPOS_ERR_NO_MEMORY;
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < shot->wires.count && status == IPOS_OK; i++) {
        iw_follow *f = &w.follow[w.count];
        *f = (iw_follow){.wire = i, .seen = iw_seen_at(shot, i, index)};
        status = starts(shot, index, toward, keys, f);
        f->search = f->start_count > 0;
        if (f->search)
            f->seen->lost = false;
        any = any || f->search;
        if (f->search || f->seen->trace.curve.count)
            w.count++;
    }
    if (status == IPOS_OK && any)
        status = one_frame(&w);
    work_free(&w);
    return status;
}

/* From the stroke: on its own frame (toward 0), or after the frame before (+1) or behind (-1) has been done. */
static ipos_status from_stroke(iw_shot *shot, size_t index, int toward, const size_t *keys, iw_follow *f) {
    size_t key = keys[f->wire * shot->count + index];
    int way = key == SIZE_MAX ? 2 : key < index ? 1 : key > index ? -1 : 0;
    if (way != toward && !(way == 2 && toward == 0))
        return IPOS_OK;
    f->seen->tried = true;
    f->seen->key = way == 0;
    ipos_status status = IPOS_OK;
    if (f->seen->key) {
        const iw_stroke *stroke = iw_stroke_at(shot, f->wire, index);
        ip_curve curve;
        f->stroke = true;
        f->bend = 22 * iw_lines(shot);
        f->width = stroke->width / (float)shot->scale;
        f->seen->width = f->width > 0 ? f->width : 3;
        IP_TRY(iw_stroke_curve(shot, stroke, &curve));
        status = add_start(f, &curve, 70 * iw_lines(shot));
        ip_curve_free(&curve);
    } else if (key != SIZE_MAX)
        status = predict(shot, key, index, f);
    f->seen->lost = f->start_count == 0;
    return status;
}

/* Where it was lost, from the neighbour in the direction `toward`, where it was found again. */
static ipos_status from_found(iw_shot *shot, size_t index, int toward, const size_t *keys, iw_follow *f) {
    size_t beside = index - (size_t)toward;
    if (!f->seen->lost || f->seen->key || beside >= shot->count || !is_sure(iw_seen_at(shot, f->wire, beside)))
        return IPOS_OK;
    IP_TRY(recall(shot, iw_seen_at(shot, f->wire, keys[f->wire * shot->count + index]), f));
    f->seen->width = iw_seen_at(shot, f->wire, beside)->width;
    return add_start(f, &iw_seen_at(shot, f->wire, beside)->trace.curve, sweep * iw_lines(shot));
}

static ipos_status visit_strokes(iw_shot *shot, const size_t *keys) {
    for (size_t i = 0; i < shot->count; i++)
        IP_TRY(visit(shot, i, 0, keys, from_stroke));
    return IPOS_OK;
}

static size_t *room_for_keys(const iw_shot *shot) { return ip_alloc(IP_MAX(shot->wires.count * shot->count, 1) * sizeof(size_t)); }

ipos_status iw_track_strokes(iw_shot *shot) {
    size_t *keys = room_for_keys(shot);
    if (!keys)
        return IPOS_ERR_NO_MEMORY;
    find_keys(shot, false, keys);
    ipos_status status = visit_strokes(shot, keys);
    ip_free(keys);
    return status;
}

ipos_status iw_track(iw_shot *shot) {
    size_t *keys = room_for_keys(shot);
    if (!keys)
        return IPOS_ERR_NO_MEMORY;
    find_keys(shot, false, keys);
    ipos_status status = visit_strokes(shot, keys);
    find_keys(shot, true, keys);
    for (int again = 0; again < 2; again++) {
        for (size_t i = 0; i < shot->count && status == IPOS_OK; i++)
            status = visit(shot, i, 1, keys, again ? from_found : from_stroke);
        for (size_t i = shot->count; i-- > 0 && status == IPOS_OK;)
            status = visit(shot, i, -1, keys, again ? from_found : from_stroke);
    }
    ip_free(keys);
    return status;
}

void iw_shot_forget(iw_shot *shot) {
    for (size_t i = 0; shot->seen && i < shot->wires.count * shot->count; i++)
        seen_clear(&shot->seen[i]);
    for (size_t i = 0; i < shot->count; i++) {
        if (!shot->painted[i])
            iw_matte_free(&shot->matte[i]);
        iw_matte_free(&shot->shadow[i]);
    }
}
