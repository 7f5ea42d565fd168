/* A wire under load is a line: what is surely seen of it says where the rest runs, over hair, cloth and leaves that hide most of it from
 * a detector that looks at every place by itself. */
#include "wires_track.h"

#include <math.h>

enum { PIECE = 5 };
static const float further = 100; /* how far beyond what is seen the rest is looked for, at 540 lines */

typedef struct line {
    ip_point at, along;
    float first, last; /* of the points it was laid through, along it */
} line;

static float place_on(const line *l, ip_point p) {
    return (p.x - l->at.x) * l->along.x + (p.y - l->at.y) * l->along.y;
}

static float away_from(const line *l, ip_point p) {
    return fabsf((p.y - l->at.y) * l->along.x - (p.x - l->at.x) * l->along.y);
}

/* Keeps of the points marked those near the straight line that most of them are near (Fischler, Bolles, CACM 1981; every pair of a few is
 * tried), where the rest took an edge for the wire. */
static void keep_straight(const ip_curve *curve, uint8_t *marked, float unit) {
    enum { TRIED = 40 };
    size_t tried[TRIED], count = 0, all = 0, most = 0;
    line best = {0};
    for (size_t i = 0; i < curve->count; i++)
        all += marked[i];
    for (size_t i = 0, seen = 0; i < curve->count; i++)
        if (marked[i] && seen++ * TRIED / all >= count && count < TRIED)
            tried[count++] = i;
    for (size_t a = 0; a < count; a++)
        for (size_t b = a + 1; b < count; b++) {
            ip_point from = curve->at[tried[a]], to = curve->at[tried[b]];
            float length = hypotf(to.x - from.x, to.y - from.y);
            if (length < 20 * unit)
                continue;
            const line l = {.at = from, .along = {(to.x - from.x) / length, (to.y - from.y) / length}};
            size_t near = 0;
            for (size_t i = 0; i < curve->count; i++)
                near += marked[i] && away_from(&l, curve->at[i]) < 2 * unit;
            if (near > most) {
                most = near;
                best = l;
            }
        }
    for (size_t i = 0; i < curve->count; i++)
        marked[i] = marked[i] && most && away_from(&best, curve->at[i]) < 2 * unit;
}

/* The line of least squares across it through the straight part of the points marked, the others lose their marks; false where they are few. */
static bool lay(const ip_curve *curve, uint8_t *marked, float unit, line *out) {
    double n = 0, x = 0, y = 0, xx = 0, xy = 0, yy = 0;
    keep_straight(curve, marked, unit);
    for (size_t i = 0; i < curve->count; i++)
        if (marked[i]) {
            n++;
            x += curve->at[i].x;
            y += curve->at[i].y;
        }
    if (n < 40 * unit / IW_STEP)
        return false;
    x /= n;
    y /= n;
    for (size_t i = 0; i < curve->count; i++)
        if (marked[i]) {
            double dx = curve->at[i].x - x, dy = curve->at[i].y - y;
            xx += dx * dx;
            xy += dx * dy;
            yy += dy * dy;
        }
    double angle = .5 * atan2(2 * xy, xx - yy);
    *out = (line){.at = {(float)x, (float)y}, .along = {(float)cos(angle), (float)sin(angle)}, .first = INFINITY, .last = -INFINITY};
    for (size_t i = 0; i < curve->count; i++)
        if (marked[i]) {
            float t = place_on(out, curve->at[i]);
            out->first = fminf(out->first, t);
            out->last = fmaxf(out->last, t);
        }
    return true;
}

static ipos_status draw(const line *l, float from, float to, ip_curve *out) {
    const ip_point ends[2] = {{l->at.x + from * l->along.x, l->at.y + from * l->along.y}, {l->at.x + to * l->along.x, l->at.y + to * l->along.y}};
    return ip_curve_even(&(ip_curve){(ip_point *)ends, 2}, IW_STEP, out);
}

ipos_status iw_straight_hint(const iw_work *w, const iw_follow *f, ip_plane_f *hints) {
    const ip_trace *trace = &f->seen->trace;
    float unit = iw_lines(w->shot);
    line l;
    ip_curve curve;
    uint8_t *marked = iw_stiff(w, f) && trace->curve.count ? ip_alloc(trace->curve.count) : NULL;
    for (size_t i = 0; marked && i < trace->curve.count; i++)
        marked[i] = trace->seen[i] >= w->shot->threshold;
    bool usable = marked && lay(&trace->curve, marked, unit, &l);
    ip_free(marked);
    if (!usable)
        return IPOS_OK;
    IP_TRY(draw(&l, l.first - further * unit, l.last + further * unit, &curve));
    ip_curve_band(&curve, NULL, IW_HINT_HALF, IW_HINT_SOFT, w->box.x, w->box.y, hints);
    ip_curve_free(&curve);
    return IPOS_OK;
}

static float mean_of(const float *values, size_t from, size_t to) {
    float sum = 0;
    for (size_t i = from; i < to; i++)
        sum += values[i];
    return sum / (float)IP_MAX(to - from, 1);
}

static void used_range(const uint8_t *use, size_t count, size_t *first, size_t *last) {
    *first = 0;
    *last = count;
    while (*first < count && !use[*first])
        ++*first;
    while (*last > *first && !use[*last - 1])
        --*last;
}

/* Between surely seen pieces the whole gap must show something; beyond them every piece. */
static void go_on(const float *seen, uint8_t *use, size_t count, float enough) {
    size_t first, last;
    used_range(use, count, &first, &last);
    for (size_t i = first; i < last;) {
        size_t end = i;
        while (end < last && !use[end])
            end++;
        if (end > i && mean_of(seen, i, end) >= enough)
            memset(use + i, 1, end - i);
        i = IP_MAX(end, i + 1);
    }
    for (; last < count && mean_of(seen, last, IP_MIN(last + PIECE, count)) >= enough; last++)
        use[last] = 1;
    for (; first > 0 && mean_of(seen, first - IP_MIN(first, PIECE), first) >= enough; first--)
        use[first - 1] = 1;
    for (; last < count && seen[last] >= enough; last++)
        use[last] = 1;
    for (; first > 0 && seen[first - 1] >= enough; first--)
        use[first - 1] = 1;
}

ipos_status iw_straighten(const iw_work *w, const iw_follow *f) {
    iw_seen *seen = f->seen;
    const ip_wire_map map = {w->hinted, w->box.x, w->box.y};
    float unit = iw_lines(w->shot);
    line l;
    ip_curve curve;
    ip_trace rest;
    if (!iw_stiff(w, f) || !seen->trace.curve.count)
        return IPOS_OK;
    uint8_t *kept = ip_alloc(seen->trace.curve.count);
    if (!kept)
        return IPOS_ERR_NO_MEMORY;
    memcpy(kept, seen->use, seen->trace.curve.count);
    if (!lay(&seen->trace.curve, kept, unit, &l)) {
        ip_free(kept);
        return IPOS_OK;
    }
    const ip_trace_options options = {.step = IW_STEP, .reach = 3 * unit, .stay = 2};
    ipos_status status = draw(&l, l.first - further * unit, l.last + further * unit, &curve);
    if (status == IPOS_OK) {
        status = ip_trace_find(&map, &curve, &options, &rest);
        ip_curve_free(&curve);
    }
    uint8_t *use = status == IPOS_OK ? ip_calloc(IP_MAX(rest.curve.count, 1), 1) : NULL;
    for (size_t i = 0; use && i < rest.curve.count; i++) /* what was used lies along it in the same steps */
        for (size_t k = 0; k < seen->trace.curve.count && !use[i]; k++)
            use[i] = kept[k] && fabsf(place_on(&l, seen->trace.curve.at[k]) - place_on(&l, rest.curve.at[i])) < IW_STEP;
    ip_free(kept);
    IP_TRY(status);
    if (!use) {
        ip_trace_free(&rest);
        return IPOS_ERR_NO_MEMORY;
    }
    go_on(rest.seen, use, rest.curve.count, .85f * w->shot->threshold);
    size_t first, last;
    used_range(use, rest.curve.count, &first, &last);
    rest.curve.count = last - first;
    memmove(rest.curve.at, rest.curve.at + first, rest.curve.count * sizeof *rest.curve.at);
    memmove(rest.seen, rest.seen + first, rest.curve.count * sizeof *rest.seen);
    memmove(use, use + first, rest.curve.count);
    ip_trace_free(&seen->trace);
    ip_free(seen->use);
    seen->trace = rest;
    seen->use = use;
    return IPOS_OK;
}
