/* The vignette from pairs of frames. */
#include "vignette.h"
#include "fit.h"
#include "register.h"
#include <math.h>

enum { FRAMES = 16, LAGS = 2, MOST_PAIRS = FRAMES * LAGS, PASSES = 3, STEP = 2, TERMS = 3 };
static const size_t LAG[LAGS] = {4, 8};
static const float CODE_MOST = .97f;
static const double MOVES_LEAST = 3.; /* root mean square difference of r^2, thousandths */
static const double SPREAD_MOST = .045, SPREAD_SHARE = .15;
static const double DARKEST_CORNER = .25, BRIGHTEST = 1.15; /* no lens of a film is beyond */
static const size_t ROWS_LEAST = 20000;

typedef struct view {
    size_t index;
    ip_image3 image;
} view;

typedef struct measuring {
    const ip_look_source *source;
    view views[3 * FRAMES];
    size_t count;
    ip_fit_rows rows;
    double a[TERMS]; /* so far */
    size_t pairs;
} measuring;

static view *find(measuring *m, size_t index) {
    for (size_t i = 0; i < m->count; i++)
        if (m->views[i].index == index)
            return &m->views[i];
    return NULL;
}

/* First frames of the pairs: every third, thinned to FRAMES. */
static size_t first_frames(size_t count, size_t *first) {
    size_t room = count > LAG[0] ? (count - LAG[0] + 2) / 3 : 0, chosen = ip_look_spread(room, FRAMES);
    for (size_t i = 0; i < chosen; i++)
        first[i] = 3 * ip_look_spread_at(room, chosen, i);
    return chosen;
}

size_t ip_vignette_frames(size_t count, size_t at[IP_LOOK_FRAMES]) {
    _Static_assert((LAGS + 1) * FRAMES <= IP_LOOK_FRAMES, "there is room for every frame of a pair");
    size_t first[FRAMES], firsts = first_frames(count, first), frames = 0;
    for (size_t index = 0; index < count; index++) {
        bool wanted = false;
        for (size_t i = 0; i < firsts; i++)
            wanted = wanted || index == first[i] || index == first[i] + LAG[0] || index == first[i] + LAG[1];
        if (wanted)
            at[frames++] = index;
    }
    return frames;
}

static ipos_status load(measuring *m) {
    size_t at[IP_LOOK_FRAMES], frames = ip_vignette_frames(m->source->count, at);
    for (; m->count < frames; m->count++) {
        view *v = &m->views[m->count];
        IP_TRY(ip_look_fetch(m->source, at[m->count], IP_LOOK_SMALL, &v->image));
        v->index = at[m->count];
    }
    return IPOS_OK;
}

typedef struct logs {
    ip_plane_f value, slope, usable, code;
} logs;

static void logs_free(logs *l) {
    ip_plane_free(&l->value);
    ip_plane_free(&l->slope);
    ip_plane_free(&l->usable);
    ip_plane_free(&l->code);
}

static double radius2(const ip_plane_f *plane, double x, double y) {
    double cx = .5 * (plane->width - 1), cy = .5 * (plane->height - 1);
    return ((x - cx) * (x - cx) + (y - cy) * (y - cy)) / (cx * cx + cy * cy);
}

static double exponent(const double a[TERMS], double r2) { return r2 * (a[0] + r2 * (a[1] + r2 * a[2])); }

/* Log of linear luma with the vignette found so far taken off, how steep it is, and where it can be trusted. */
static ipos_status take_logs(const measuring *m, const ip_image3 *image, logs *out) {
    int w = image->c[0].width, h = image->c[0].height;
    *out = (logs){0};
    IP_TRY(ip_plane_new(w, h, &out->value));
    IP_TRY(ip_plane_new(w, h, &out->slope));
    IP_TRY(ip_plane_new(w, h, &out->usable));
    IP_TRY(ip_plane_new(w, h, &out->code));
    float low = ip_look_low(m->source), high = ip_look_high(m->source), most = m->source->clip > 0.f ? ip_look_code(m->source, m->source->clip) * CODE_MOST : INFINITY;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            float r = ip_row(&image->c[0], y)[x], g = ip_row(&image->c[1], y)[x], b = ip_row(&image->c[2], y)[x];
            float luma = ip_luma_of(r, g, b), top = fmaxf(r, fmaxf(g, b));
            bool usable = luma > low && top < high && ip_look_code(m->source, top) < most;
            double r2 = radius2(&out->value, x, y), taken = exponent(m->a, r2);
            ip_row(&out->usable, y)[x] = usable ? 1.f : 0.f;
            ip_row(&out->value, y)[x] = (float)(log(fmax(luma, .25 * low)) - taken);
            ip_row(&out->code, y)[x] = (float)(luma * exp(-taken));
        }
    ip_look_code_plane(m->source, &out->code, &out->code);
    ip_plane_f g[2];
    IP_TRY(ip_planes_new(w, h, g, 2));
    ip_sobel(&out->value, &g[0], &g[1], m->source->threads);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            ip_row(&out->slope, y)[x] = .5f * hypotf(ip_row(&g[0], y)[x], ip_row(&g[1], y)[x]);
    ip_planes_free(g, 2);
    return IPOS_OK;
}

static uint8_t tag_of(const ip_plane_f *plane, int x, int y, bool late) {
    return (uint8_t)((late ? 4 : 0) + (2 * y > plane->height ? 2 : 0) + (2 * x > plane->width ? 1 : 0));
}

static ipos_status add_pair(measuring *m, const logs *a, const logs *b, const ip_registration *r, bool late) {
    const ip_plane_f *p = &a->value;
    for (int y = 1; y < p->height - 1; y += STEP)
        for (int x = 1; x < p->width - 1; x += STEP) {
            if (!(ip_row(&r->agreed, y)[x] > 0.f) || !(ip_row(&a->usable, y)[x] > 0.f))
                continue;
            float tx = (float)x + ip_row(&r->flow[0], y)[x], ty = (float)y + ip_row(&r->flow[1], y)[x];
            if (!(ip_sample_linear(&b->usable, tx, ty) > .999f))
                continue;
            double r1 = radius2(p, x, y), r2 = radius2(p, tx, ty);
            float steep = 20.f * (ip_row(&a->slope, y)[x] + ip_sample_linear(&b->slope, tx, ty)) * .5f;
            ip_fit_row row = {.x = {(float)(r2 - r1), (float)(r2 * r2 - r1 * r1), (float)(r2 * r2 * r2 - r1 * r1 * r1)},
                .y = ip_sample_cubic(&b->value, tx, ty) - ip_row(&a->value, y)[x],
                .weight = 1.f / (1.f + steep * steep), .block = (uint16_t)m->pairs, .tag = tag_of(p, x, y, late)};
            IP_TRY(ip_fit_add(&m->rows, &row));
        }
    m->pairs++;
    return IPOS_OK;
}

static ipos_status pair(measuring *m, size_t i, size_t j, bool late) {
    view *va = find(m, i), *vb = find(m, j);
    if (!va || !vb)
        return IPOS_OK;
    if (!ip_alive(m->source->pulse))
        return ip_fail(IPOS_ERR_CANCELLED, "vignette: cancelled");
    logs a = {0}, b = {0};
    ip_registration r = {0};
    ipos_status status = take_logs(m, &va->image, &a);
    if (status == IPOS_OK)
        status = take_logs(m, &vb->image, &b);
    if (status == IPOS_OK)
        status = ip_register(m->source, &a.code, &b.code, &r);
    if (status == IPOS_OK)
        status = add_pair(m, &a, &b, &r, late);
    ip_registration_free(&r);
    logs_free(&a);
    logs_free(&b);
    return status;
}

/* Radius-weighted mean difference of two curves, each scaled to be 1 on average over the picture. */
static double curve_difference(const double one[TERMS], const double other[TERMS]) {
    enum { RINGS = 50 };
    double log_mean = 0., weight = 0., sum = 0.;
    for (int i = 0; i < RINGS; i++) {
        double r = (i + .5) / RINGS, d = exponent(other, r * r) - exponent(one, r * r);
        log_mean += r * d;
        weight += r;
    }
    log_mean /= weight;
    for (int i = 0; i < RINGS; i++) {
        double r = (i + .5) / RINGS, d = exponent(other, r * r) - exponent(one, r * r);
        sum += r * fabs(exp(d - log_mean) - 1.);
    }
    return sum / weight;
}

/* By the first two terms: with half of the data a third says nothing but how far out it reaches. */
static ipos_status halves(const measuring *m, double *spread) {
    ip_fit_rows rows = m->rows;
    rows.unknowns = TERMS - 1;
    static const uint32_t split[3][2] = {{0x0f, 0xf0}, {0x33, 0xcc}, {0x55, 0xaa}};
    *spread = 0.;
    for (int s = 0; s < 3; s++) {
        ip_fit_result half[2];
        for (int i = 0; i < 2; i++) {
            const ip_fit_options options = {.tags = split[s][i], .iterations = 8, .blocks = (int)m->pairs};
            IP_TRY(ip_fit(&rows, &options, &half[i]));
        }
        if (half[0].rows < ROWS_LEAST / 4 || half[1].rows < ROWS_LEAST / 4)
            continue; /* one half is all there is, e.g. a still subject beside a moving one */
        *spread = fmax(*spread, curve_difference(half[0].solution, half[1].solution));
    }
    return IPOS_OK;
}

/* How far things move towards or away from the centre: root mean square of the difference of r^2, weighted. */
static double motion(const ip_fit_rows *rows) {
    double sum = 0., weight = 0.;
    for (size_t i = 0; i < rows->count; i++) {
        sum += rows->row[i].weight * rows->row[i].x[0] * rows->row[i].x[0];
        weight += rows->row[i].weight;
    }
    return weight > 0. ? 1e3 * sqrt(sum / weight) : 0.;
}

static void judge(const measuring *m, double spread, ip_vignette *out) {
    double moves = motion(&m->rows), strength = curve_difference((double[TERMS]){0.}, m->a);
    *out = (ip_vignette){.a = m->a[0], .b = m->a[1], .c = m->a[2], .corner = exp(exponent(m->a, 1.)), .spread = spread, .pairs = (int64_t)m->pairs, .reading.frames = (int64_t)m->count};
    if (m->rows.count < ROWS_LEAST)
        ip_not_measurable(&out->reading, "only %zu registered pixels in %zu frame pairs, at least %zu are needed", m->rows.count, m->pairs, ROWS_LEAST);
    else if (moves < MOVES_LEAST)
        ip_not_measurable(&out->reading, "hardly anything moves across the picture (%.1f, at least %.1f is needed)", moves, MOVES_LEAST);
    else if (!(spread <= fmax(SPREAD_MOST, SPREAD_SHARE * strength)))
        ip_not_measurable(&out->reading, "halves of the data differ by %.1f %%, the vignette would be %.1f %%", 100. * spread, 100. * strength);
    else if (out->corner < DARKEST_CORNER || out->corner > BRIGHTEST)
        ip_not_measurable(&out->reading, "corners at %.2f of the centre are no lens's: something else changes with the place", out->corner);
    else
        out->reading.confidence = 1. / (1. + spread / SPREAD_MOST) * (1. - exp(-moves / MOVES_LEAST));
}

static ipos_status pass(measuring *m, const size_t *first, size_t firsts) {
    m->rows.count = m->pairs = 0;
    for (size_t i = 0; i < firsts; i++)
        for (int l = 0; l < LAGS; l++)
            IP_TRY(pair(m, first[i], first[i] + LAG[l], 2 * i >= firsts));
    const ip_fit_options options = {.tags = 0xff, .iterations = 15, .blocks = (int)m->pairs};
    ip_fit_result fit;
    IP_TRY(ip_fit(&m->rows, &options, &fit));
    for (int k = 0; k < TERMS; k++)
        m->a[k] += fit.solution[k];
    return IPOS_OK;
}

ipos_status ip_vignette_measure(const ip_look_source *source, ip_vignette *out) {
    *out = (ip_vignette){0};
    IP_TRY(ip_look_check(source, "vignette"));
    size_t first[FRAMES], firsts = first_frames(source->count, first);
    measuring *m = ip_calloc(1, sizeof *m);
    if (!m)
        return IPOS_ERR_NO_MEMORY;
    m->source = source;
    m->rows.unknowns = TERMS;
    double spread = 0.;
    ipos_status status = load(m);
    for (int i = 0; i < PASSES && status == IPOS_OK; i++)
        status = pass(m, first, firsts);
    if (status == IPOS_OK)
        status = halves(m, &spread);
    if (status == IPOS_OK)
        judge(m, spread, out);
    for (size_t i = 0; i < IP_COUNT(m->views); i++)
        ip_image3_free(&m->views[i].image);
    ip_fit_free(&m->rows);
    ip_free(m);
    return status;
}
