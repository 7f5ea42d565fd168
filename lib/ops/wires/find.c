/* Looking for the wires of one frame. A wire that lies still is near where it was; one that swings, or was lost for a while, is looked
 * for from several places, among them the lines that the detector sees by itself; what explains most of the wire wins. */
#include "wires_track.h"

#include <math.h>

enum { PROPOSALS = 24 };

typedef struct candidate {
    ip_trace trace;
    float worth;
    bool stale; /* something it may be made of was given to another */
} candidate;

typedef struct search {
    iw_work *w;
    ip_curve *proposed;
    size_t proposed_count;
    candidate *best;
    bool *settled;
    float total; /* of gain_of() */
} search;

/* Marks where a wire was seen. */
static ipos_status take(const iw_work *w, const iw_seen *seen, ip_plane_f *taken) {
    const ip_trace *trace = &seen->trace;
    uint8_t *use = ip_alloc(IP_MAX(trace->curve.count, 1));
    if (!use)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < trace->curve.count; i++)
        use[i] = trace->seen[i] >= .3f;
    ip_curve_band(&trace->curve, use, 1.5f + .5f * seen->width, 2, w->box.x, w->box.y, taken);
    ip_free(use);
    return IPOS_OK;
}

/* The map without what belongs to the wires found before. */
static ipos_status map_without(const search *s, size_t mine, ip_wire_map *out) {
    const iw_work *w = s->w;
    ip_plane_f taken;
    out->x = w->box.x;
    out->y = w->box.y;
    IP_TRY(ip_plane_new(w->box.width, w->box.height, &taken));
    ipos_status status = ip_plane_new(w->box.width, w->box.height, &out->plane);
    for (size_t i = 0; i < w->count && status == IPOS_OK; i++)
        if (i != mine && s->settled[i] && !w->follow[i].seen->lost)
            status = take(w, w->follow[i].seen, &taken);
    for (int y = 0; y < w->box.height && status == IPOS_OK; y++)
        for (int x = 0; x < w->box.width; x++)
            ip_row(&out->plane, y)[x] = ip_row(&w->plain, y)[x] * (1 - .9f * ip_row(&taken, y)[x]);
    ip_plane_free(&taken);
    return status;
}

/* The width of what lies under the curve found along a stroke. */
static ipos_status refine_width(const iw_work *w, iw_seen *seen) {
    float width;
    IP_TRY(ip_curve_width(&w->luma, &seen->trace.curve, 14 * iw_lines(w->shot), &width));
    if (width > 0)
        seen->width = fmaxf(width, 1);
    return IPOS_OK;
}

static void cut(const iw_work *w, ip_trace *trace, float enough, float most) {
    const iw_shot *shot = w->shot;
    ip_trace_trim(trace, enough, (size_t)(most / IW_STEP), (float)shot->canvas.width / (float)shot->scale,
        (float)shot->canvas.height / (float)shot->scale);
}

bool iw_stiff(const iw_work *w, const iw_follow *f) {
    return f->bend < 10 * iw_lines(w->shot);
}

/* Goes on from ends that are still seen, as long as there is something to see. */
static ipos_status grow(const iw_work *w, const iw_follow *f, const ip_wire_map *map, ip_trace *trace) {
    float unit = iw_lines(w->shot);
    const ip_trace_options options = {.step = IW_STEP, .reach = (iw_stiff(w, f) ? 2 : 5) * unit, .stay = iw_stiff(w, f) ? 1 : .3f,
        .grow = (iw_stiff(w, f) ? 120 : 60) * unit};
    for (int again = 0; again < 8 && trace->curve.count >= 2; again++) {
        size_t before = trace->curve.count;
        ip_trace longer;
        IP_TRY(ip_trace_find(map, &trace->curve, &options, &longer));
        cut(w, &longer, .5f, options.grow + IW_STEP);
        if (iw_stiff(w, f) && iw_bend(&longer.curve) > f->bend) {
            ip_trace_free(&longer);
            break;
        }
        ip_trace_free(trace);
        *trace = longer;
        if (longer.curve.count < before + 4)
            break;
    }
    return IPOS_OK;
}

float iw_bend(const ip_curve *curve) {
    float most = 0;
    if (curve->count < 3)
        return 0;
    ip_point a = curve->at[0], b = curve->at[curve->count - 1];
    float length = fmaxf(hypotf(b.x - a.x, b.y - a.y), 1);
    for (size_t k = 0; k < curve->count; k++)
        most = fmaxf(most, fabsf((curve->at[k].x - a.x) * (b.y - a.y) - (curve->at[k].y - a.y) * (b.x - a.x)) / length);
    return most;
}

float iw_direction(const ip_curve *curve) {
    ip_point a = curve->at[0], b = curve->at[curve->count - 1];
    return atan2f(b.y - a.y, b.x - a.x);
}

/* Between the directions of two lines, 0..pi/2. */
static float turn_between(const ip_curve *a, const ip_curve *b) {
    float turn = fabsf(remainderf(iw_direction(a) - iw_direction(b), 3.14159265f));
    return turn;
}

static float distance_to(const ip_curve *curve, ip_point at) {
    float least = INFINITY;
    for (size_t i = 0; i < curve->count; i++)
        least = fminf(least, hypotf(curve->at[i].x - at.x, curve->at[i].y - at.y));
    return least;
}

/* How much of the wire a trace explains: what is seen of it as a share of its length, less for lying elsewhere and otherwise. */
static float worth_of(const iw_work *w, const iw_follow *f, const iw_start *start, const ip_trace *trace) {
    float unit = iw_lines(w->shot), seen = 0, away = 0;
    const ip_curve *curve = &trace->curve;
    size_t count = 0;
    if (curve->count < 2)
        return 0;
    for (size_t i = 0; i < curve->count; i++)
        seen += trace->seen[i] >= .3f ? trace->seen[i] * IW_STEP : -.12f * IW_STEP;
    for (size_t i = 0; i < curve->count; i += 4, count++)
        away += distance_to(&start->curve, curve->at[i]);
    away /= (float)count;
    float length = fmaxf(fmaxf(ip_curve_length(&start->curve), .6f * f->length), 40 * unit), turn = turn_between(curve, &start->curve), bent = iw_bend(curve) / f->bend;
    if (f->whole) /* of which both ends were seen: it grows no longer */
        seen -= .5f * fmaxf(ip_curve_length(curve) - 1.2f * length, 0);
    return fminf(seen / length, 1.2f) - .35f * away / (start->sweep + 40 * unit) - (iw_stiff(w, f) ? .6f * turn + .4f * fmaxf(bent - .8f, 0) : .2f * turn);
}

static void keep_better(candidate *best, ip_trace *trace, float worth) {
    if (worth > best->worth) {
        ip_trace_free(&best->trace);
        *best = (candidate){.trace = *trace, .worth = worth};
    } else
        ip_trace_free(trace);
}

static ipos_status weigh(const iw_work *w, const iw_follow *f, const iw_start *start, ip_trace *trace, candidate *best) {
    float wrong = 0;
    ipos_status status = f->stroke ? IPOS_OK : iw_tone_contradiction(w, f, trace, &wrong);
    if (status == IPOS_OK)
        keep_better(best, trace, worth_of(w, f, start, trace) - .8f * wrong - .8f * iw_rest(w, f, trace));
    else
        ip_trace_free(trace);
    return status;
}

static ipos_status from_start(const iw_work *w, const iw_follow *f, const iw_start *start, const ip_wire_map *map, candidate *best) {
    float unit = iw_lines(w->shot);
    ip_trace trace;
    const ip_trace_options options = {.step = IW_STEP, .sweep = f->stroke ? 0 : start->sweep, .reach = f->stroke ? 9 * unit : iw_stiff(w, f) ? .6f * f->bend : f->bend,
        .stay = f->stroke ? 1 : iw_stiff(w, f) ? 1.5f : .6f};
    IP_TRY(ip_trace_find(map, &start->curve, &options, &trace));
    if (!f->stroke) {
        cut(w, &trace, .4f, 0);
        IP_TRY(grow(w, f, map, &trace));
    }
    return weigh(w, f, start, &trace, best);
}

/* A line that the detector sees by itself, where it could be this wire. */
static ipos_status from_proposal(const iw_work *w, const iw_follow *f, const ip_curve *line, const ip_wire_map *map, candidate *best) {
    float unit = iw_lines(w->shot);
    const iw_start *start = &f->starts[0];
    ip_trace trace;
    if (turn_between(line, &start->curve) > (iw_stiff(w, f) ? .3f : .8f) || iw_bend(line) > f->bend || distance_to(&start->curve, line->at[line->count / 2]) > start->sweep + 60 * unit)
        return IPOS_OK;
    const ip_trace_options options = {.step = IW_STEP, .reach = 4 * unit, .stay = 1};
    IP_TRY(ip_trace_find(map, line, &options, &trace));
    cut(w, &trace, .4f, ip_curve_length(line));
    IP_TRY(grow(w, f, map, &trace));
    return weigh(w, f, start, &trace, best);
}

static ipos_status look_for(const search *s, size_t i) {
    const iw_work *w = s->w;
    const iw_follow *f = &w->follow[i];
    candidate *best = &s->best[i];
    ip_wire_map map;
    ip_trace_free(&best->trace);
    *best = (candidate){.worth = -INFINITY};
    IP_TRY(map_without(s, i, &map));
    ipos_status status = IPOS_OK;
    for (size_t k = 0; k < f->start_count && status == IPOS_OK; k++)
        status = from_start(w, f, &f->starts[k], &map, best);
    for (size_t k = 0; k < s->proposed_count && status == IPOS_OK && !f->stroke; k++)
        status = from_proposal(w, f, &s->proposed[k], &map, best);
    if (f->stroke)
        best->worth += 10; /* what a person drew comes first */
    ip_plane_free(&map.plane);
    return status;
}

static bool touch(const ip_curve *a, const ip_curve *b, float near) {
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < b->count; k++)
            if (fabsf(a->at[i].x - b->at[k].x) < near && fabsf(a->at[i].y - b->at[k].y) < near)
                return true;
    return false;
}

/* How much of the picture is explained: what the lengths of the wires are worth together. */
static float gain_of(const iw_work *w, size_t i, const candidate *c) {
    return fmaxf(c->worth, 0) * w->follow[i].length;
}

/* The next to be given what it is made of: by share of its length, or the one that explains most. */
static ipos_status take_next(search *s, bool longest, bool *more) {
    iw_work *w = s->w;
    size_t first = SIZE_MAX;
    float most = -INFINITY;
    for (size_t i = 0; i < w->count; i++) {
        if (s->settled[i])
            continue;
        if (s->best[i].stale)
            IP_TRY(look_for(s, i));
        float value = longest && !w->follow[i].stroke ? gain_of(w, i, &s->best[i]) : s->best[i].worth;
        if (first == SIZE_MAX || value > most) {
            first = i;
            most = value;
        }
    }
    *more = first != SIZE_MAX;
    if (!*more)
        return IPOS_OK;
    iw_follow *f = &w->follow[first];
    s->total += gain_of(w, first, &s->best[first]);
    ip_trace_free(&f->seen->trace);
    f->seen->trace = s->best[first].trace;
    f->seen->worth = s->best[first].worth;
    s->best[first].trace = (ip_trace){0};
    s->settled[first] = true;
    for (size_t i = 0; i < w->count; i++)
        if (!s->settled[i] && touch(&s->best[i].trace.curve, &f->seen->trace.curve, 6 + f->seen->width))
            s->best[i].stale = true;
    if (!f->stroke)
        return IPOS_OK;
    if (!(f->width > 0))
        IP_TRY(refine_width(w, f->seen));
    f->seen->passes = iw_passing_share(w, &f->seen->trace);
    return iw_tone_learn(w, f->seen);
}

static ipos_status give_all(search *s, bool longest) {
    iw_work *w = s->w;
    s->total = 0;
    for (size_t i = 0; i < w->count; i++) {
        s->settled[i] = !w->follow[i].search;
        s->best[i].stale = true;
    }
    for (bool more = true; more;)
        IP_TRY(take_next(s, longest, &more));
    return IPOS_OK;
}

/* Which wire comes first decides which gets a line that two could be. Both orders are tried, and what explains more is kept. */
static ipos_status give_best(search *s) {
    size_t searched = 0;
    bool stroke = false;
    for (size_t i = 0; i < s->w->count; i++) {
        searched += s->w->follow[i].search;
        stroke = stroke || (s->w->follow[i].search && s->w->follow[i].stroke);
    }
    if (searched < 2 || stroke)
        return give_all(s, false);
    IP_TRY(give_all(s, true));
    float total = s->total;
    IP_TRY(give_all(s, false));
    return total > s->total ? give_all(s, true) : IPOS_OK;
}

ipos_status iw_find(iw_work *w) {
    const ip_wire_map map = {w->plain, w->box.x, w->box.y};
    search s = {.w = w};
    float *sure = NULL;
    s.best = ip_calloc(w->count, sizeof *s.best);
    s.settled = ip_calloc(w->count, sizeof *s.settled);
    ipos_status status = s.best && s.settled ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    const ip_image3 *plate;
    if (status == IPOS_OK)
        status = iw_shot_plate(w->shot, w->index, &plate);
    if (status == IPOS_OK)
        status = ip_plane_new(plate->c[0].width, plate->c[0].height, &w->luma);
    if (status == IPOS_OK)
        ip_luma(plate, -1, 2, &w->luma, w->shot->host->threads);
    if (status == IPOS_OK)
        status = iw_propose(&map, iw_lines(w->shot), PROPOSALS, &s.proposed, &sure, &s.proposed_count);
    if (status == IPOS_OK)
        status = give_best(&s);
    for (size_t i = 0; i < s.proposed_count; i++)
        ip_curve_free(&s.proposed[i]);
    for (size_t i = 0; s.best && i < w->count; i++)
        ip_trace_free(&s.best[i].trace);
    ip_free(s.proposed);
    ip_free(sure);
    ip_free(s.best);
    ip_free(s.settled);
    return status;
}
