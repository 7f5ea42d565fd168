#include "cast.h"
#include "gauss.h"
#include "trim.h"

#include <math.h>

enum { LAYERS = 11, CELLS_MOST = 4000, BLOCK = 12, TAPS = 4 };
static const double CELL = .06, PUSH = .7, THICK_MOST = 3, BIAS = .3, BIAS_THING = 1.2, SOFT_MOST = .7;
static const double SPREAD = .02; /* metres of softness for one of distance: the sun's own size asks for .009, the casters' unsure shape for the rest */
static const float BEYOND = 1.15f; /* times the room's depth: behind it, and no error of depth that would shade the wall it lies on */
static const float FAT = 3; /* pixels that outlines lose: leaves at the edge let light through */

void ip_caster_free(ip_caster *caster) {
    ip_free(caster->far);
    ip_free(caster->block);
    ip_facade_free(&caster->facade);
    *caster = (ip_caster){0};
}

/* Two passes over all points: first the reach of the map, then the map. */
typedef struct casting {
    ip_caster *caster;
    double low[2], high[2];
    bool measure;
} casting;

static void add_point(casting *c, const double at[3]) {
    ip_caster *m = c->caster;
    double u = ip_dot3(m->side, at), v = ip_dot3(m->over, at);
    if (c->measure) {
        c->low[0] = fmin(c->low[0], u);
        c->low[1] = fmin(c->low[1], v);
        c->high[0] = fmax(c->high[0], u);
        c->high[1] = fmax(c->high[1], v);
        return;
    }
    int i = (int)((u - m->low[0]) / m->cell), j = (int)((v - m->low[1]) / m->cell);
    if (i < 0 || j < 0 || i >= m->width || j >= m->height)
        return;
    float *far = &m->far[(size_t)j * (size_t)m->width + (size_t)i];
    *far = fmaxf(*far, (float)ip_dot3(m->toward, at));
}

/* Things of a frame: mask (1 outside), depth of their middle, distance to the outline, radius of the largest disk that holds a pixel. */
typedef struct outline {
    ip_plane_f mask, depth, inside, radius, tmp;
} outline;

/* The depth of the middle of things: that of their front, pushed back, smoothed over the thing. */
static ipos_status outline_make(const ip_set_frame *f, const ip_lens *lens, outline *o) {
    int width = f->kind.width, height = f->kind.height, wide = ip_relight_pixels(width, 30);
    ip_plane_f planes[5], share;
    IP_TRY(ip_planes_new(width, height, planes, 5));
    *o = (outline){planes[0], planes[1], planes[2], planes[3], planes[4]};
    IP_TRY(ip_plane_new(width, height, &share));
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            ip_row(&o->mask, y)[x] = ip_row(&f->kind, y)[x] != IP_IS_THING;
    ip_distance_to(&o->mask, &o->inside);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            ip_row(&o->inside, y)[x] = fmaxf(ip_row(&o->inside, y)[x] - FAT * ip_relight_unit(width), 0);
    ip_widest_disks(&o->inside, &o->radius);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            float w = fmaxf(ip_row(&f->view.inverse, y)[x], 1e-4f), radius = ip_row(&o->radius, y)[x] / (float)lens->focal;
            bool sure = !(ip_row(&o->mask, y)[x] > 0) && w * ip_row(&f->room, y)[x] * .93f > 1 && ip_row(&f->view.agreeing, y)[x] >= IP_AGREE;
            ip_row(&share, y)[x] = sure;
            ip_row(&o->depth, y)[x] = sure ? logf((1 + (float)PUSH * radius) / w) : 0;
        }
    ip_box_blur(&o->depth, &o->depth, &o->tmp, wide, wide, 1);
    ip_box_blur(&share, &share, &o->tmp, wide, wide, 1);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            float known = ip_row(&share, y)[x];
            ip_row(&o->depth, y)[x] = known > 0 ? expf(ip_row(&o->depth, y)[x] / known) : 1 / fmaxf(ip_row(&f->view.inverse, y)[x], 1e-4f);
        }
    ip_plane_free(&share);
    return IPOS_OK;
}

static void outline_free(outline *o) {
    ip_plane_free(&o->mask);
    ip_plane_free(&o->depth);
    ip_plane_free(&o->inside);
    ip_plane_free(&o->radius);
    ip_plane_free(&o->tmp);
}

static void add_thing(casting *c, const ip_set_frame *f, const ip_lens *lens, const outline *o, int x, int y) {
    double depth = (double)ip_row(&o->depth, y)[x], radius = (double)ip_row(&o->radius, y)[x], inside = fmin((double)ip_row(&o->inside, y)[x], radius);
    double metre = depth / lens->focal, half = fmin(sqrt(fmax(inside * (2 * radius - inside), 0)) * metre, THICK_MOST);
    double at[3];
    for (int k = 0; k < LAYERS; k++) {
        ip_world_of(&f->view.pose, lens, x, y, depth + half * (2. * k / (LAYERS - 1) - 1), at);
        add_point(c, at);
    }
}

static void add_frame(casting *c, const ip_set_frame *f, const ip_lens *lens, const outline *o) {
    for (int y = 0; y < f->kind.height; y++)
        for (int x = 0; x < f->kind.width; x++) {
            float kind = ip_row(&f->kind, y)[x], w = ip_row(&f->view.inverse, y)[x];
            if (kind == IP_IS_THING && ip_row(&o->inside, y)[x] <= 0)
                continue;
            if (kind == IP_IS_THING) {
                add_thing(c, f, lens, o, x, y);
            } else if (kind == IP_IS_UPRIGHT && ip_row(&f->view.agreeing, y)[x] >= IP_AGREE && w * ip_row(&f->room, y)[x] * BEYOND < 1) {
                double at[3]; /* behind the room's walls: other buildings, seen through gaps */
                ip_world_of(&f->view.pose, lens, x, y, 1 / fmax((double)w, 1e-4), at);
                if (at[1] > .5)
                    add_point(c, at);
            }
        }
}

/* The furthest of every block of cells and those around it. */
static ipos_status find_blocks(ip_caster *m) {
    m->blocks_wide = (m->width + BLOCK - 1) / BLOCK;
    m->blocks_high = (m->height + BLOCK - 1) / BLOCK;
    size_t count = (size_t)m->blocks_wide * (size_t)m->blocks_high;
    m->block = ip_alloc(count * sizeof *m->block);
    if (!m->block)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        m->block[i] = -1e9f;
    for (int y = 0; y < m->height; y++)
        for (int x = 0; x < m->width; x++) {
            float far = m->far[(size_t)y * (size_t)m->width + (size_t)x];
            for (int by = IP_MAX(y / BLOCK - 1, 0); far > -1e9f && by <= IP_MIN(y / BLOCK + 1, m->blocks_high - 1); by++)
                for (int bx = IP_MAX(x / BLOCK - 1, 0); bx <= IP_MIN(x / BLOCK + 1, m->blocks_wide - 1); bx++) {
                    float *most = &m->block[by * m->blocks_wide + bx];
                    *most = far > *most ? far : *most;
                }
        }
    return IPOS_OK;
}

/* An empty map over what was measured. */
static ipos_status map_new(const casting *c) {
    ip_caster *m = c->caster;
    m->cell = fmax(CELL, fmax(c->high[0] - c->low[0], c->high[1] - c->low[1]) / CELLS_MOST);
    for (int k = 0; k < 2; k++)
        m->low[k] = c->low[k] - 2 * m->cell;
    m->width = (int)((c->high[0] - c->low[0]) / m->cell) + 5;
    m->height = (int)((c->high[1] - c->low[1]) / m->cell) + 5;
    size_t cells = (size_t)m->width * (size_t)m->height;
    m->far = ip_alloc(cells * sizeof *m->far);
    for (size_t i = 0; m->far && i < cells; i++)
        m->far[i] = -1e9f;
    return m->far ? IPOS_OK : IPOS_ERR_NO_MEMORY;
}

static ipos_status fill(casting *c, const ip_set_frame *const *frames, size_t count, const ip_lens *lens, const outline *outlines) {
    for (size_t i = 0; i < count; i++)
        add_frame(c, frames[i], lens, &outlines[i]);
    if (c->low[0] > c->high[0])
        return IPOS_OK; /* nothing stands before the room */
    IP_TRY(map_new(c));
    c->measure = false;
    for (size_t i = 0; i < count; i++)
        add_frame(c, frames[i], lens, &outlines[i]);
    return find_blocks(c->caster);
}

ipos_status ip_caster_make(const ip_room *room, const ip_set_frame *const *frames, size_t count, const ip_lens *lens, const double toward[3],
    ip_caster *out) {
    casting c = {out, {1e9, 1e9}, {-1e9, -1e9}, true};
    *out = (ip_caster){.toward = {toward[0], toward[1], toward[2]}, .cell = CELL};
    ip_sun_across(toward, out->side, out->over);
    IP_TRY(ip_facade_make(room, frames, count, lens, toward, &out->facade));
    outline *outlines = ip_calloc(IP_MAX(count, 1), sizeof *outlines);
    ipos_status status = outlines ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < count && status == IPOS_OK; i++)
        status = outline_make(frames[i], lens, &outlines[i]);
    if (status == IPOS_OK)
        status = fill(&c, frames, count, lens, outlines);
    for (size_t i = 0; i < count && outlines; i++)
        outline_free(&outlines[i]);
    ip_free(outlines);
    return status;
}

/* Nothing near this place of the map lies beyond it. Places off the map have none of it within reach (SOFT_MOST is less than a block). */
static bool is_open(const ip_caster *m, double i, double j, double own) {
    double reach = SOFT_MOST / m->cell;
    if (i < -reach || j < -reach || i > m->width + reach || j > m->height + reach)
        return true;
    int x = IP_MIN(IP_MAX((int)i, 0), m->width - 1) / BLOCK, y = IP_MIN(IP_MAX((int)j, 0), m->height - 1) / BLOCK;
    return (double)m->block[y * m->blocks_wide + x] <= own;
}

/* Cells of a square around a place, by row and column; -1 beyond the map. */
typedef struct taps {
    int x[2 * TAPS + 1], y[2 * TAPS + 1];
} taps;

static int cell_at(double place, int cells) {
    return place >= 0 && place < cells ? (int)place : -1;
}

static taps taps_of(const ip_caster *m, double i, double j, double radius) {
    taps t;
    for (int k = -TAPS; k <= TAPS; k++) {
        t.x[k + TAPS] = cell_at(i + radius * k / TAPS, m->width);
        t.y[k + TAPS] = cell_at(j + radius * k / TAPS, m->height);
    }
    return t;
}

/* How many of the cells stop the sun. */
static int stopped(const ip_caster *m, const taps *t, double own) {
    float under = (float)own; /* whatever is over this is over own */
    int count = 0;
    if ((double)under > own)
        under = nextafterf(under, -INFINITY);
    for (int j = 0; j <= 2 * TAPS; j++) {
        const float *line = m->far + (size_t)IP_MAX(t->y[j], 0) * (size_t)m->width;
        for (int i = 0; i <= 2 * TAPS && t->y[j] >= 0; i++)
            count += t->x[i] >= 0 && line[t->x[i]] > under;
    }
    return count;
}

/* How far off those are on average; there are some. */
static double away_of(const ip_caster *m, const taps *t, double own) {
    double sum = 0;
    int count = 0;
    for (int j = 0; j <= 2 * TAPS; j++) {
        const float *line = m->far + (size_t)IP_MAX(t->y[j], 0) * (size_t)m->width;
        for (int i = 0; i <= 2 * TAPS && t->y[j] >= 0; i++) {
            double over = t->x[i] >= 0 ? (double)line[t->x[i]] - own : 0;
            count += over > 0;
            sum += over > 0 ? over : 0;
        }
    }
    return sum / count;
}

/* Share of the sun that gets to a place: edges are the softer the further off the caster is (Fernando, SIGGRAPH sketches 2005). */
static float lit(const ip_caster *m, const double at[3], double bias) {
    double i = (ip_dot3(m->side, at) - m->low[0]) / m->cell, j = (ip_dot3(m->over, at) - m->low[1]) / m->cell, own = ip_dot3(m->toward, at) + bias;
    if (!m->far || is_open(m, i, j, own))
        return 1;
    taps t = taps_of(m, i, j, SOFT_MOST / m->cell);
    if (!stopped(m, &t, own))
        return 1;
    t = taps_of(m, i, j, fmin(fmax(SPREAD * (away_of(m, &t, own) + bias), m->cell), SOFT_MOST) / m->cell);
    return 1 - (float)((double)stopped(m, &t, own) / ((2 * TAPS + 1) * (2 * TAPS + 1)));
}

typedef struct seen_job {
    const ip_caster *caster;
    const ip_plane_f *behind;
    const ip_set_frame *frame;
    const ip_lens *lens;
    const ip_plane_f *seen;
} seen_job;

static void seen_rows(void *user, int64_t begin, int64_t end) {
    const seen_job *job = user;
    const ip_set_frame *f = job->frame;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < f->kind.width; x++) {
            float kind = ip_row(&f->kind, y)[x], *out = &ip_row(job->seen, y)[x];
            double at[3], room = 1 / fmax((double)ip_row(job->behind, y)[x], 1e-4), own = 1 / fmax((double)ip_row(&f->view.inverse, y)[x], 1e-4);
            *out = 1;
            if (kind == IP_IS_SKY)
                continue;
            bool before = kind == IP_IS_THING || kind == IP_IS_MOVING;
            ip_world_of(&f->view.pose, job->lens, x, y, before ? own : room, at);
            *out = lit(job->caster, at, before ? BIAS_THING : BIAS);
            if (!before)
                *out = fminf(*out, ip_facade_lit(&job->caster->facade, at));
        }
}

/* 1 / depth of what the shadows fall on: the room's walls are flat, facades are not quite, and through gaps there is what is seen there. Beside things
 * depth is often theirs: where it lies before the wall, and is believed or right beside a thing, that of beyond goes on. */
static void find_behind(const ip_room *room, const ip_set_frame *f, const ip_lens *lens, int threads, ip_plane_f part[5]) {
    int width = f->kind.width, reach = ip_relight_pixels(width, 7), wide = ip_relight_pixels(width, 25);
    for (int y = 0; y < f->kind.height; y++)
        for (int x = 0; x < width; x++) {
            float w = ip_row(&f->view.inverse, y)[x], backdrop = ip_room_backdrop(room, &f->view.pose, lens, x, y), kind = ip_row(&f->kind, y)[x];
            bool gap = ip_row(&f->room, y)[x] > 9e3f, far = gap && kind == IP_IS_UPRIGHT && (backdrop > 9e3f || w * backdrop < .87f);
            ip_row(&part[0], y)[x] = backdrop;
            ip_row(&part[2], y)[x] = far ? w : 0;
            ip_row(&part[3], y)[x] = far;
            ip_row(&part[4], y)[x] = kind == IP_IS_THING;
        }
    ip_box_blur(&part[4], &part[4], &part[1], reach, reach, threads);
    ip_box_blur(&part[2], &part[2], &part[1], wide, wide, threads);
    ip_box_blur(&part[3], &part[3], &part[1], wide, wide, threads);
    for (int y = 0; y < f->kind.height; y++)
        for (int x = 0; x < width; x++) {
            float behind = ip_row(&f->room, y)[x], w = ip_row(&f->view.inverse, y)[x], kind = ip_row(&f->kind, y)[x];
            bool upright = kind == IP_IS_UPRIGHT, near = upright && ip_row(&f->view.agreeing, y)[x] >= IP_AGREE && fabsf(w * behind - 1) < .08f;
            float through = ip_row(&part[3], y)[x] > .01f ? ip_row(&part[2], y)[x] / ip_row(&part[3], y)[x] : w;
            bool doubtful = ip_row(&f->view.agreeing, y)[x] < IP_AGREE && ip_row(&part[4], y)[x] < 1e-3f;
            bool own = upright && (w * ip_row(&part[0], y)[x] < 1.07f || doubtful);
            ip_row(&part[0], y)[x] = near || (upright && w * behind < .8f) ? w : behind > 9e3f ? (own ? w : through) : 1 / behind;
        }
    ip_box_blur(&part[0], &part[0], &part[1], reach, 2, threads);
    for (int y = 0; y < f->kind.height; y++)
        for (int x = 0; x < width; x++)
            if (ip_row(&f->kind, y)[x] == IP_IS_GROUND)
                ip_row(&part[0], y)[x] = 1 / ip_row(&f->room, y)[x];
}

ipos_status ip_cast_behind(const ip_room *room, const ip_set_frame *frame, const ip_lens *lens, int threads, const ip_plane_f *behind) {
    ip_plane_f part[5];
    IP_TRY(ip_planes_new(behind->width, behind->height, &part[1], 4));
    part[0] = *behind;
    find_behind(room, frame, lens, threads, part);
    ip_planes_free(&part[1], 4);
    return IPOS_OK;
}

void ip_caster_seen(const ip_caster *caster, const ip_plane_f *behind, const ip_set_frame *frame, const ip_lens *lens, int threads, const ip_plane_f *seen) {
    seen_job job = {caster, behind, frame, lens, seen};
    ip_parallel(threads, seen->height, 8, seen_rows, &job);
}
