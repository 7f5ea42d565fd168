/* Following every wire through the shot, all wires of a frame together: from its strokes forwards and backwards, each frame from the
 * stroke nearest to it. */
#include "wires_op.h"

#include <math.h>
#include <stdlib.h>

enum { PATIENCE = 8 };       /* so many frames a lost wire is looked for where it was last */

iw_seen *iw_seen_at(const iw_shot *shot, size_t wire, size_t index) {
    return &shot->seen[wire * shot->count + index];
}

float iw_lines(const iw_shot *shot) {
    return fmaxf(1, (float)shot->canvas.height / (float)shot->scale / 540);
}

/* One wire of the frame in work. */
typedef struct follow {
    size_t wire;
    ip_curve from;  /* where it is looked for */
    float sweep;
    float width;    /* as the person said, detection pixels; 0: not said */
    bool stroke;    /* drawn on this very frame */
    iw_seen *seen;
} follow;

typedef struct work {
    iw_shot *shot;
    size_t index;
    ip_box_i box;
    ip_plane_f plain, hinted; /* answers without and with hints */
    follow *follow;
    size_t count;
} work;

static void seen_clear(iw_seen *seen) {
    ip_trace_free(&seen->trace);
    ip_free(seen->use);
    *seen = (iw_seen){0};
}

/* The part of the plate around all the curves. */
static ip_box_i around(const work *w, float margin) {
    int width = (w->shot->canvas.width + w->shot->scale - 1) / w->shot->scale, height = (w->shot->canvas.height + w->shot->scale - 1) / w->shot->scale;
    float left = (float)width, top = (float)height, right = 0, bottom = 0;
    for (size_t i = 0; i < w->count; i++)
        for (size_t k = 0; k < w->follow[i].from.count; k++) {
            ip_point at = w->follow[i].from.at[k];
            left = fminf(left, at.x);
            top = fminf(top, at.y);
            right = fmaxf(right, at.x);
            bottom = fmaxf(bottom, at.y);
        }
    int x = IP_MAX(0, IP_MIN(width - 1, (int)(left - margin))), y = IP_MAX(0, IP_MIN(height - 1, (int)(top - margin)));
    return (ip_box_i){x, y, IP_MAX(1, IP_MIN(width, (int)(right + margin)) - x), IP_MAX(1, IP_MIN(height, (int)(bottom + margin)) - y)};
}

/* The map without what belongs to the wires found before. */
static ipos_status map_without(const work *w, const ip_plane_f *from, size_t mine, ip_wire_map *out) {
    ip_plane_f taken;
    out->x = w->box.x;
    out->y = w->box.y;
    IP_TRY(ip_plane_new(w->box.width, w->box.height, &taken));
    ipos_status status = ip_plane_new(w->box.width, w->box.height, &out->plane);
    for (size_t i = 0; i < w->count; i++)
        if (i != mine && w->follow[i].seen->trace.curve.count)
            ip_curve_band(&w->follow[i].seen->trace.curve, NULL, 1.5f + .5f * w->follow[i].seen->width, 2, w->box.x, w->box.y, &taken);
    for (int y = 0; y < w->box.height && status == IPOS_OK; y++)
        for (int x = 0; x < w->box.width; x++)
            ip_row(&out->plane, y)[x] = ip_row(from, y)[x] * (1 - .9f * ip_row(&taken, y)[x]);
    ip_plane_free(&taken);
    return status;
}

/* The width of what lies under the curve found along a stroke. */
static ipos_status refine_width(iw_shot *shot, size_t index, iw_seen *seen) {
    const ip_image3 *plate;
    ip_plane_f luma;
    float width;
    IP_TRY(iw_shot_plate(shot, index, &plate));
    IP_TRY(ip_plane_new(plate->c[0].width, plate->c[0].height, &luma));
    ip_luma(plate, -1, 2, &luma, shot->host->threads);
    ipos_status status = ip_curve_width(&luma, &seen->trace.curve, 14 * iw_lines(shot), &width);
    if (status == IPOS_OK && width > 0)
        seen->width = fmaxf(width, 1);
    ip_plane_free(&luma);
    return status;
}

static void cut(const work *w, ip_trace *trace, float enough, float most) {
    const iw_shot *shot = w->shot;
    ip_trace_trim(trace, enough, (size_t)(most / IW_STEP), (float)shot->canvas.width / (float)shot->scale,
        (float)shot->canvas.height / (float)shot->scale);
}

/* Goes on from ends that are still seen, as long as there is something to see. */
static ipos_status grow(const work *w, const ip_wire_map *map, ip_trace *trace) {
    float unit = iw_lines(w->shot);
    for (int again = 0; again < 8 && trace->curve.count >= 2; again++) {
        size_t before = trace->curve.count;
        ip_trace longer;
        const ip_trace_options options = {.step = IW_STEP, .reach = 5 * unit, .stay = .3f, .grow = 30 * unit};
        IP_TRY(ip_trace_find(map, &trace->curve, &options, &longer));
        cut(w, &longer, .5f, options.grow + IW_STEP);
        ip_trace_free(trace);
        *trace = longer;
        if (longer.curve.count < before + 4)
            break;
    }
    return IPOS_OK;
}

static ipos_status find_plain(work *w, size_t i) {
    follow *f = &w->follow[i];
    float unit = iw_lines(w->shot);
    ip_wire_map map;
    IP_TRY(map_without(w, &w->plain, i, &map));
    const ip_trace_options options = {.step = IW_STEP, .sweep = f->stroke ? 0 : f->sweep * unit, .reach = (f->stroke ? 9 : 22) * unit,
        .stay = f->stroke ? 1 : .6f};
    ipos_status status = ip_trace_find(&map, &f->from, &options, &f->seen->trace);
    if (status == IPOS_OK && !f->stroke) {
        cut(w, &f->seen->trace, .4f, 0);
        status = grow(w, &map, &f->seen->trace);
    }
    ip_plane_free(&map.plane);
    if (status == IPOS_OK && f->stroke && !(f->width > 0))
        return refine_width(w->shot, w->index, f->seen);
    return status;
}

static ipos_status ask_with_hints(work *w) {
    ip_plane_f hints;
    IP_TRY(ip_plane_new(w->box.width, w->box.height, &hints));
    for (size_t i = 0; i < w->count; i++)
        if (w->follow[i].seen->trace.curve.count)
            ip_curve_band(&w->follow[i].seen->trace.curve, NULL, IW_HINT_HALF, IW_HINT_SOFT, w->box.x, w->box.y, &hints);
    ipos_status status = iw_detect(w->shot, w->index, w->box, &hints, &w->hinted);
    ip_plane_free(&hints);
    return status;
}

/* Runs of `value` of at most `most` points become the other; inner: only those between two others. */
static void flip_runs(uint8_t *use, size_t count, int value, size_t most, bool inner) {
    for (size_t i = 0; i < count;) {
        size_t end = i;
        while (end < count && use[end] == use[i])
            end++;
        if (use[i] == value && end - i <= most && (!inner || (i > 0 && end < count)))
            memset(use + i, !value, end - i);
        i = end;
    }
}

/* Which points are painted: what is surely seen, what is seen less but hangs together with it (hysteresis), short gaps; no crumbs. */
static ipos_status choose_points(iw_seen *seen, float enough) {
    enum { BRIDGE = 8, CRUMB = 4 };
    size_t count = seen->trace.curve.count;
    seen->use = ip_calloc(IP_MAX(count, 1), 1);
    if (!seen->use)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        seen->use[i] = seen->trace.seen[i] >= enough;
    flip_runs(seen->use, count, 1, 2, false);
    for (size_t i = 1; i < count; i++)
        seen->use[i] |= seen->use[i - 1] && seen->trace.seen[i] >= .5f * enough;
    for (size_t i = count; i-- > 1;)
        seen->use[i - 1] |= seen->use[i] && seen->trace.seen[i - 1] >= .5f * enough;
    flip_runs(seen->use, count, 0, BRIDGE, true);
    flip_runs(seen->use, count, 1, CRUMB, false);
    return IPOS_OK;
}

/* Hints make the network see what is not there; so nothing counts that it does not see by itself too. */
static ipos_status doubt(const work *w, iw_seen *seen) {
    const ip_wire_map map = {w->plain, w->box.x, w->box.y};
    ip_trace alone;
    IP_TRY(ip_trace_read(&map, &seen->trace.curve, &alone));
    for (size_t i = 0; i < seen->trace.curve.count; i++)
        seen->trace.seen[i] *= fminf(fmaxf((alone.seen[i] - .08f) / .17f, 0), 1);
    ip_trace_free(&alone);
    return IPOS_OK;
}

static ipos_status settle(work *w, size_t i) {
    follow *f = &w->follow[i];
    iw_seen *seen = f->seen;
    float enough = w->shot->threshold, unit = iw_lines(w->shot);
    if (seen->trace.curve.count >= 2) {
        const ip_wire_map map = {w->hinted, w->box.x, w->box.y};
        ip_trace_options options = {.step = IW_STEP, .reach = 5 * unit, .stay = .5f, .grow = 0};
        ip_trace again;
        IP_TRY(ip_trace_find(&map, &seen->trace.curve, &options, &again));
        ip_trace_free(&seen->trace);
        seen->trace = again;
        if (w->shot->net)
            IP_TRY(doubt(w, seen));
    }
    IP_TRY(choose_points(seen, enough));
    float sum = 0;
    size_t used = 0;
    for (size_t k = 0; k < seen->trace.curve.count; k++) {
        sum += seen->trace.seen[k];
        used += seen->use[k];
    }
    seen->confidence = seen->trace.curve.count ? sum / (float)seen->trace.curve.count : 0;
    if (f->stroke && seen->trace.curve.count && ip_trace_share(&seen->trace, enough) >= .3f) { /* a person saw all of it */
        memset(seen->use, 1, seen->trace.curve.count);
        used = seen->trace.curve.count;
    }
    seen->lost = (float)used * IW_STEP < 12 * unit || ip_trace_share(&seen->trace, enough) < .25f;
    return IPOS_OK;
}

/* A wire that ends a point or two before the border of the picture goes on beyond it. */
static void band_to_border(const work *w, const iw_seen *seen, float half, float soft, ip_plane_f *to) {
    const ip_curve *curve = &seen->trace.curve;
    float width = (float)w->shot->canvas.width / (float)w->shot->scale, height = (float)w->shot->canvas.height / (float)w->shot->scale;
    ip_curve_band(curve, seen->use, half, soft, w->box.x, w->box.y, to);
    for (int end = 0; end < 2; end++) {
        size_t at = end ? curve->count - 1 : 0;
        ip_point tangent, normal, two[2] = {curve->at[at]};
        float by = end ? 2.5f * IW_STEP : -2.5f * IW_STEP;
        ip_curve_frame(curve, at, 4, &tangent, &normal);
        two[1] = (ip_point){two[0].x + by * tangent.x, two[0].y + by * tangent.y};
        const ip_curve rest = {two, 2};
        if (seen->use[at] && (two[1].x < 0 || two[1].y < 0 || two[1].x > width || two[1].y > height))
            ip_curve_band(&rest, NULL, half, soft, w->box.x, w->box.y, to);
    }
}

/* Alpha of the frame's wires on the plate: the answer within a corridor, at least a band of the wire's own width. */
static ipos_status paint(work *w, bool shadow) {
    iw_shot *shot = w->shot;
    ip_plane_f alpha, corridor;
    bool any = false;
    IP_TRY(ip_plane_new(w->box.width, w->box.height, &alpha));
    ipos_status status = ip_plane_new(w->box.width, w->box.height, &corridor);
    for (size_t i = 0; i < w->count && status == IPOS_OK; i++) {
        const iw_seen *seen = w->follow[i].seen;
        if (seen->lost || shot->wires.at[w->follow[i].wire].shadow != shadow)
            continue;
        any = true;
        band_to_border(w, seen, .5f * seen->width + 3, 2, &corridor);
        band_to_border(w, seen, fmaxf(.5f * seen->width - (shot->net ? .5f : 0), .25f), 1, &alpha);
    }
    /* Ridges tell where a line is, not how wide. */
    for (int y = 0; y < w->box.height && any && shot->net && status == IPOS_OK; y++)
        for (int x = 0; x < w->box.width; x++) {
            float *to = &ip_row(&alpha, y)[x];
            *to = fmaxf(*to, ip_row(&w->hinted, y)[x] * ip_row(&corridor, y)[x]);
        }
    if (any && status == IPOS_OK) {
        ip_box_i box = {w->box.x * shot->scale, w->box.y * shot->scale, 0, 0};
        box.width = IP_MIN(shot->canvas.width, (w->box.x + w->box.width) * shot->scale) - box.x;
        box.height = IP_MIN(shot->canvas.height, (w->box.y + w->box.height) * shot->scale) - box.y;
        ip_plane_f full = alpha;
        if (shot->scale > 1) {
            status = ip_plane_new(w->box.width * shot->scale, w->box.height * shot->scale, &full);
            if (status == IPOS_OK)
                ip_resize(&alpha, &full, 1, shot->host->threads);
        }
        if (status == IPOS_OK)
            status = iw_matte_join(shadow ? &shot->shadow[w->index] : &shot->matte[w->index], box, &full);
        if (shot->scale > 1)
            ip_plane_free(&full);
    }
    ip_plane_free(&corridor);
    ip_plane_free(&alpha);
    return status;
}

static ipos_status one_frame(work *w) {
    w->box = around(w, 110 * iw_lines(w->shot));
    IP_TRY(iw_detect(w->shot, w->index, w->box, NULL, &w->plain));
    for (size_t i = 0; i < w->count; i++)
        IP_TRY(find_plain(w, i));
    IP_TRY(ask_with_hints(w));
    for (size_t i = 0; i < w->count; i++)
        IP_TRY(settle(w, i));
    if (w->shot->painted[w->index])
        return IPOS_OK;
    IP_TRY(paint(w, false));
    return paint(w, true);
}

/* The stroke of a wire nearest to a frame: the index of its frame. */
static size_t nearest_key(const iw_shot *shot, const iw_wire *wire, size_t index, const iw_stroke **stroke) {
    size_t best = SIZE_MAX;
    int64_t away = INT64_MAX;
    for (size_t k = 0; k < wire->count; k++)
        for (size_t i = 0; i < shot->count; i++) {
            int64_t apart = llabs(shot->numbers[i] - shot->numbers[index]);
            if (shot->numbers[i] == wire->strokes[k].frame && apart < away) {
                away = apart;
                best = i;
                *stroke = &wire->strokes[k];
            }
        }
    return best;
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

/* Where to look for a wire: along the stroke on its own frame, else where it was last seen on the way from there. */
static ipos_status predict(iw_shot *shot, size_t wire, size_t index, int toward, follow *out) {
    const iw_stroke *stroke = NULL;
    size_t key = nearest_key(shot, &shot->wires.at[wire], index, &stroke);
    *out = (follow){.wire = wire, .seen = iw_seen_at(shot, wire, index), .sweep = 72};
    if (key == SIZE_MAX)
        return IPOS_OK;
    out->width = stroke->width / (float)shot->scale;
    out->seen->width = out->width > 0 ? out->width : key == index ? 3 : iw_seen_at(shot, wire, key)->width;
    if (key == index) {
        out->stroke = true;
        return iw_stroke_curve(shot, stroke, &out->from);
    }
    for (int missed = 0; missed <= PATIENCE; missed++) {
        const iw_seen *before = iw_seen_at(shot, wire, (size_t)((int64_t)index - toward * (missed + 1)));
        if (before->tried && !before->lost && before->trace.curve.count >= 2) {
            out->sweep = 72 + 8 * (float)missed;
            return ip_curve_copy(&before->trace.curve, &out->from);
        }
        if (before->key)
            break;
    }
    return IPOS_OK;
}

/* toward: +1 when the frame before it has been done, -1 when the one after, 0 on the frame of the stroke. */
static ipos_status visit(iw_shot *shot, size_t index, int toward) {
    work w = {.shot = shot, .index = index};
    w.follow = ip_calloc(IP_MAX(shot->wires.count, 1), sizeof *w.follow);
    if (!w.follow)
        return IPOS_ERR_NO_MEMORY;
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < shot->wires.count && status == IPOS_OK; i++) {
        const iw_stroke *stroke;
        size_t key = nearest_key(shot, &shot->wires.at[i], index, &stroke);
        int way = key == SIZE_MAX ? 2 : key < index ? 1 : key > index ? -1 : 0;
        iw_seen *seen = iw_seen_at(shot, i, index);
        if (way != toward)
            continue;
        seen->tried = true;
        seen->key = way == 0;
        status = predict(shot, i, index, toward, &w.follow[w.count]);
        if (status == IPOS_OK && w.follow[w.count].from.count >= 2)
            w.count++;
        else
            seen->lost = true;
    }
    if (status == IPOS_OK && w.count)
        status = one_frame(&w);
    for (size_t i = 0; i < shot->wires.count; i++)
        ip_curve_free(&w.follow[i].from);
    ip_free(w.follow);
    ip_plane_free(&w.plain);
    ip_plane_free(&w.hinted);
    return status;
}

ipos_status iw_track(iw_shot *shot) {
    for (size_t i = 0; i < shot->count; i++)
        IP_TRY(visit(shot, i, 0));
    for (size_t i = 0; i < shot->count; i++)
        IP_TRY(visit(shot, i, 1));
    for (size_t i = shot->count; i-- > 0;)
        IP_TRY(visit(shot, i, -1));
    return IPOS_OK;
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
