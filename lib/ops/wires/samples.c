/* Examples for the detector: crops of plates with wires drawn over them, with and without a hint. */
#include "wires_op.h"

#include "wire_draw.h"
#include <math.h>

enum { SIDE = IP_WIRE_PATCH, DRAWN = 3, MOST = 8 };
static const double unknown = .12; /* share of the crops whose neighbours nobody has seen: single frames */

/* How a crop lies in its plate. */
typedef struct placing {
    int x, y;
    bool flip_x, flip_y, transpose;
} placing;

/* One wire of a crop: drawn, or known on the plate. matte NULL: the plate's labels, all wires of it together. */
typedef struct mark {
    ip_curve curve;
    const ip_plane_f *matte;
} mark;

/* What one example is made in. */
typedef struct bench {
    ip_image3 crop;
    float *before; /* the crop without what is drawn over it */
    ip_plane_f matte[DRAWN], all, sure, passing, luma, drawn;
    bool blind; /* what passes over the crop is not known */
} bench;

static void bench_close(bench *b) {
    ip_planes_free(b->matte, DRAWN);
    ip_plane_free(&b->all);
    ip_plane_free(&b->sure);
    ip_plane_free(&b->passing);
    ip_plane_free(&b->luma);
    ip_plane_free(&b->drawn);
    ip_image3_free(&b->crop);
    ip_free(b->before);
}

static ipos_status bench_open(bench *b) {
    ip_plane_f *planes[] = {&b->all, &b->sure, &b->passing, &b->luma, &b->drawn};
    *b = (bench){0};
    ipos_status status = ip_planes_new(SIDE, SIDE, b->matte, DRAWN);
    for (size_t i = 0; i < IP_COUNT(planes) && status == IPOS_OK; i++)
        status = ip_plane_new(SIDE, SIDE, planes[i]);
    if (status == IPOS_OK)
        status = ip_image3_new(SIDE, SIDE, &b->crop);
    b->before = ip_alloc(3 * SIDE * SIDE * sizeof *b->before);
    if (status == IPOS_OK && !b->before)
        status = IPOS_ERR_NO_MEMORY;
    if (status != IPOS_OK)
        bench_close(b);
    return status;
}

static float sample_at(const ip_plane_f *plane, const placing *p, int x, int y) {
    if (p->flip_x)
        x = SIDE - 1 - x;
    if (p->flip_y)
        y = SIDE - 1 - y;
    int column = p->x + (p->transpose ? y : x), row = p->y + (p->transpose ? x : y);
    column = column < 0 ? 0 : column >= plane->width ? plane->width - 1 : column;
    row = row < 0 ? 0 : row >= plane->height ? plane->height - 1 : row;
    return ip_row(plane, row)[column];
}

static ip_point point_at(ip_point at, const placing *p) {
    float x = at.x - (float)p->x, y = at.y - (float)p->y;
    if (p->transpose) {
        float swap = x;
        x = y;
        y = swap;
    }
    return (ip_point){p->flip_x ? SIDE - x : x, p->flip_y ? SIDE - y : y};
}

static placing place(const iw_plate *plate, ip_rng *rng) {
    const ip_plane_f *plane = &plate->image.c[0];
    int rooms[2] = {plane->width - SIDE, plane->height - SIDE};
    placing p = {(int)ip_rng_below(rng, IP_MAX(rooms[0], 0) + 1), (int)ip_rng_below(rng, IP_MAX(rooms[1], 0) + 1), false, false, false};
    if (plate->curve_count && ip_rng_unit(rng) < .75) {
        const ip_curve *curve = &plate->curves[ip_rng_below(rng, (int64_t)plate->curve_count)];
        ip_point near = curve->at[ip_rng_below(rng, (int64_t)curve->count)];
        int at[2] = {(int)near.x - SIDE / 2 + (int)ip_rng_below(rng, 81) - 40, (int)near.y - SIDE / 2 + (int)ip_rng_below(rng, 81) - 40};
        p.x = IP_MAX(0, IP_MIN(at[0], rooms[0]));
        p.y = IP_MAX(0, IP_MIN(at[1], rooms[1]));
    }
    uint64_t bits = ip_rng_bits(rng);
    p.flip_x = bits & 1;
    p.flip_y = bits & 2;
    p.transpose = bits & 4;
    return p;
}

/* The crop, its exposure, contrast and colour changed. */
static void take_crop(bench *s, const iw_plate *plate, const placing *p, ip_rng *rng) {
    enum { STEPS = 256 };
    float curve[STEPS + 1]; /* of the contrast: a power, which would cost as much as the network where it was taken of every sample */
    double gamma = .8 + .45 * ip_rng_unit(rng), offset = .12 * (ip_rng_unit(rng) - .5), gain = .8 + .4 * ip_rng_unit(rng);
    for (int i = 0; i <= STEPS; i++)
        curve[i] = (float)pow(i / (double)STEPS, gamma);
    for (int c = 0; c < 3; c++) {
        float own = (float)(gain * (.9 + .2 * ip_rng_unit(rng)));
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) {
                float value = sample_at(&plate->image.c[c], p, x, y), at = value * STEPS;
                if (value > 0 && value < 1)
                    value = curve[(int)at] + (at - floorf(at)) * (curve[(int)at + 1] - curve[(int)at]);
                ip_row(&s->crop.c[c], y)[x] = s->before[(c * SIDE + y) * SIDE + x] = value * own + (float)offset;
            }
    }
    s->blind = !plate->passing.data || ip_rng_unit(rng) < unknown;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            float at = STEPS * fminf(fmaxf(sample_at(&plate->image.c[1], p, x, y), 0), .999f);
            float slope = STEPS * (curve[(int)at + 1] - curve[(int)at]);
            ip_row(&s->passing, y)[x] = s->blind ? 0 : sample_at(&plate->passing, p, x, y) * (float)gain * slope;
            ip_row(&s->all, y)[x] = plate->labels ? sample_at(plate->labels, p, x, y) : 0;
            ip_row(&s->sure, y)[x] = plate->sure ? sample_at(plate->sure, p, x, y) : 1;
        }
}

static void colour_under(const ip_image3 *crop, const ip_curve *curve, float local[3]) {
    float count = 0;
    local[0] = local[1] = local[2] = 0;
    for (size_t i = 0; i < curve->count; i++) {
        int x = (int)curve->at[i].x, y = (int)curve->at[i].y;
        if (x < 0 || y < 0 || x >= SIDE || y >= SIDE)
            continue;
        for (int c = 0; c < 3; c++)
            local[c] += ip_row(&crop->c[c], y)[x];
        count++;
    }
    for (int c = 0; c < 3; c++)
        local[c] = count > 0 ? local[c] / count : .5f;
}

/* What was just drawn (the crop less luma) in what passes: all of it where the wire moves against the scene, less and less where the
 * neighbours have it at the same place; where some do not, a ghost of it stands where they have it. */
static void pass(bench *s, ip_rng *rng) {
    double moves = ip_rng_unit(rng), share = moves < .7 ? 1 : moves < .85 ? ip_rng_unit(rng) : 0;
    double ghost = share > 0 && ip_rng_unit(rng) < .3 ? .5 * ip_rng_unit(rng) : 0;
    int dx = (int)lrint(6 * ip_rng_normal(rng)), dy = (int)lrint(6 * ip_rng_normal(rng));
    ip_luma(&s->crop, -1, 2, &s->drawn, 1);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            ip_row(&s->drawn, y)[x] -= ip_row(&s->luma, y)[x];
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            float *to = &ip_row(&s->passing, y)[x];
            *to += (float)share * ip_row(&s->drawn, y)[x];
            if (ghost > 0 && x >= dx && y >= dy && x - dx < SIDE && y - dy < SIDE)
                *to -= (float)ghost * ip_row(&s->drawn, y - dy)[x - dx];
        }
}

static ipos_status draw_wire(bench *s, const iw_plate *plate, float scale, ip_rng *rng, int slot, mark *out) {
    float local[3];
    ip_wire_look look;
    IP_TRY(ip_wire_curve_random(rng, SIDE, SIDE, 2, &out->curve));
    colour_under(&s->crop, &out->curve, local);
    ip_wire_look_random(rng, scale, local, 1, plate->grain, &look);
    ip_plane_fill(&s->matte[slot], 0);
    out->matte = &s->matte[slot];
    ip_luma(&s->crop, -1, 2, &s->luma, 1);
    IP_TRY(ip_wire_draw(&s->crop, &out->curve, &look, ip_rng_bits(rng), &s->matte[slot]));
    pass(s, rng);
    return IPOS_OK;
}

static ipos_status known_curves(const iw_plate *plate, const placing *p, mark *marks, size_t *count) {
    for (size_t i = 0; i < plate->curve_count && *count < MOST; i++) {
        mark *one = &marks[*count];
        IP_TRY(ip_curve_copy(&plate->curves[i], &one->curve));
        one->matte = NULL;
        (*count)++;
        for (size_t k = 0; k < one->curve.count; k++)
            one->curve.at[k] = point_at(one->curve.at[k], p);
    }
    return IPOS_OK;
}

/* A sloppy copy: shifted, wavy, perhaps longer than the wire. */
static ipos_status hint(const ip_curve *curve, double shift, ip_rng *rng, ip_plane_f *to) {
    ip_curve sloppy;
    IP_TRY(ip_curve_copy(curve, &sloppy));
    double offset = shift + 3.5 * ip_rng_normal(rng), wave = 2.5 * ip_rng_normal(rng), phase = 6.3 * ip_rng_unit(rng),
           period = 30 + 90 * ip_rng_unit(rng);
    for (size_t i = 0; i < sloppy.count; i++) {
        ip_point tangent, normal;
        ip_curve_frame(curve, i, 3, &tangent, &normal);
        float by = (float)(offset + wave * sin(phase + 12.6 * (double)i / period));
        sloppy.at[i] = (ip_point){curve->at[i].x + by * normal.x, curve->at[i].y + by * normal.y};
    }
    for (int end = 0; end < 2; end++) {
        if (ip_rng_unit(rng) > .4)
            continue;
        ip_point tangent, normal, *at = &sloppy.at[end ? sloppy.count - 1 : 0];
        ip_curve_frame(&sloppy, end ? sloppy.count - 1 : 0, 5, &tangent, &normal);
        float by = (float)((end ? 30 : -30) * ip_rng_unit(rng));
        *at = (ip_point){at->x + by * tangent.x, at->y + by * tangent.y};
    }
    ip_curve_band(&sloppy, NULL, IW_HINT_HALF, IW_HINT_SOFT, 0, 0, to);
    ip_curve_free(&sloppy);
    return IPOS_OK;
}

/* How much the crop looks like a line along a curve: mean difference to both sides. Hints on such places teach most. */
static double tempting(const ip_image3 *crop, const ip_curve *curve) {
    double sum = 0;
    for (size_t i = 0; i < curve->count; i += 2) {
        ip_point tangent, normal, at = curve->at[i];
        ip_curve_frame(curve, i, 2, &tangent, &normal);
        float here = ip_sample_linear(&crop->c[1], at.x - .5f, at.y - .5f);
        float a = here - ip_sample_linear(&crop->c[1], at.x - .5f + 4 * normal.x, at.y - .5f + 4 * normal.y);
        float b = here - ip_sample_linear(&crop->c[1], at.x - .5f - 4 * normal.x, at.y - .5f - 4 * normal.y);
        sum += fabs(a) + fabs(b);
    }
    return sum / (double)IP_MAX(curve->count / 2, 1);
}

/* A hint where no wire is: beside one, or along the most line-like of a few random curves. */
static ipos_status false_hint(const bench *s, const mark *marks, size_t count, ip_rng *rng, ip_plane_f *to) {
    if (count && ip_rng_unit(rng) < .4) {
        double side = ip_rng_unit(rng) < .5 ? -1 : 1;
        return hint(&marks[ip_rng_below(rng, (int64_t)count)].curve, side * (24 + 40 * ip_rng_unit(rng)), rng, to);
    }
    ip_curve best = {0};
    double most = -1;
    for (int i = 0; i < 12; i++) {
        ip_curve curve;
        IP_TRY(ip_wire_curve_random(rng, SIDE, SIDE, 2, &curve));
        double value = tempting(&s->crop, &curve);
        if (value > most) {
            ip_curve_free(&best);
            best = curve;
            most = value;
        } else
            ip_curve_free(&curve);
    }
    ipos_status status = hint(&best, 0, rng, to);
    ip_curve_free(&best);
    return status;
}

/* The labels of the wires whose hints were given: those near the hint. */
static void join_near(ip_plane_f *to, const ip_plane_f *labels, const ip_plane_f *near) {
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            if (ip_row(near, y)[x] > 0)
                ip_row(to, y)[x] = fmaxf(ip_row(to, y)[x], ip_row(labels, y)[x]);
}

/* Target and prompt from what is on the crop. open: the plate may hold wires nobody marked. */
static ipos_status pose(const bench *s, const mark *marks, size_t count, bool open, ip_rng *rng, ip_plane_f *target, ip_plane_f *prompt) {
    ip_plane_f near;
    double dice = ip_rng_unit(rng);
    if (!open && dice < .32) { /* no hint: every wire */
        ip_plane_copy(target, &s->all);
        for (size_t i = 0; i < count; i++)
            if (marks[i].matte)
                ip_plane_max(target, marks[i].matte);
        return IPOS_OK;
    }
    if (!count || (!open && dice > .68))
        return false_hint(s, marks, count, rng, prompt);
    size_t chosen = (size_t)ip_rng_below(rng, (int64_t)count);
    IP_TRY(ip_plane_new(SIDE, SIDE, &near));
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < count && status == IPOS_OK; i++) {
        if (i != chosen && ip_rng_unit(rng) < .6)
            continue;
        status = hint(&marks[i].curve, 0, rng, prompt);
        if (marks[i].matte)
            ip_plane_max(target, marks[i].matte);
        else
            ip_curve_band(&marks[i].curve, NULL, 7, 1, 0, 0, &near);
    }
    join_near(target, &s->all, &near);
    ip_plane_free(&near);
    return status;
}

/* open: what looks like a wire there may be one, so none is not an answer. */
static size_t drawn_count(bool known, bool open, ip_rng *rng) {
    double dice = ip_rng_unit(rng);
    if (known)
        return dice < .55 ? 0 : 1;
    return dice < .15 ? open : dice < .6 ? 1 : dice < .85 ? 2 : DRAWN;
}

/* What nobody could see is not asked for. */
static void weigh(const bench *s, ip_wire_example *out) {
    static const float visible = .012f;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            float change = 0;
            int i = y * SIDE + x;
            for (int c = 0; c < 3; c++)
                change = fmaxf(change, fabsf(ip_row(&s->crop.c[c], y)[x] - s->before[c * SIDE * SIDE + i]));
            bool known = ip_row(&s->all, y)[x] > .02f; /* on the plate itself: no picture without it to compare with */
            bool unseen = out->target[i] > .02f && !known && change < visible, unsure = !(ip_row(&s->sure, y)[x] > 0) && !(out->target[i] > .02f);
            out->weight[i] = unseen || unsure ? 0 : 1 + 3 * out->target[i];
        }
}

/* A plate with labels as often as it has wires, for each is to be learnt. */
static const iw_plate *choose(const iw_sampler *s, ip_rng *rng) {
    const iw_plate *plate = &s->plates[ip_rng_below(rng, (int64_t)s->count)];
    double all = 0;
    if (ip_rng_unit(rng) < s->known_share)
        for (size_t i = 0; i < s->count; i++) {
            double own = s->plates[i].labels ? (double)s->plates[i].curve_count : 0;
            all += own;
            plate = own > 0 && ip_rng_unit(rng) * all < own ? &s->plates[i] : plate;
        }
    return plate;
}

static ipos_status make(const iw_sampler *sampler, bench *s, mark *marks, size_t *count, ip_rng *rng, ip_wire_example *out) {
    const iw_plate *plate = choose(sampler, rng);
    placing p = place(plate, rng);
    take_crop(s, plate, &p, rng);
    IP_TRY(known_curves(plate, &p, marks, count));
    bool open = sampler->known_share > 0 && !plate->labels;
    for (size_t n = drawn_count(plate->labels, open, rng), i = 0; i < n; i++)
        IP_TRY(draw_wire(s, plate, sampler->scale, rng, (int)i, &marks[(*count)++]));
    ip_plane_f target = {SIDE, SIDE, SIDE, out->target}, prompt = {SIDE, SIDE, SIDE, out->plane[3]};
    ip_plane_fill(&target, 0);
    ip_plane_fill(&prompt, 0);
    IP_TRY(pose(s, marks, *count, open, rng, &target, &prompt));
    weigh(s, out);
    for (int i = 0; i < SIDE * SIDE; i++)
        out->plane[4][i] = s->blind ? .5f : ip_wire_passing(ip_row(&s->passing, i / SIDE)[i % SIDE]);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < SIDE; y++)
            memcpy(out->plane[c] + y * SIDE, ip_row(&s->crop.c[c], y), SIDE * sizeof(float));
    return IPOS_OK;
}

ipos_status iw_sample(const iw_sampler *sampler, ip_rng *rng, ip_wire_example *out) {
    bench room;
    mark marks[MOST + DRAWN] = {0};
    size_t count = 0;
    IP_TRY(bench_open(&room));
    ipos_status status = make(sampler, &room, marks, &count, rng, out);
    for (size_t i = 0; i < count; i++)
        ip_curve_free(&marks[i].curve);
    bench_close(&room);
    return status;
}
