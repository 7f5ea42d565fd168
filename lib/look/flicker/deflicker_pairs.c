#include "deflicker_internal.h"
#include "fit.h"
#include "gauss.h"
#include "register.h"
#include <math.h>

enum { WORK_WIDTH = 400, STEP = 2, FINEST = 2, ITERATIONS = 8, COUNT_LEAST = 12, KEPT = IP_DEFLICKER_REACH + 1 };
/* Across cuts between six clips chance registers up to .21 of the pixels, and the spread, small over grass and cloth, does not tell; of pans by a
 * tenth of the width a frame, motion blur and all, .63 and more are found, and half of foliage with spreads of .15. */
static const float SHARE_LEAST = .24f, SPREAD_MOST = .2f, FIT_LEAST = .05f;
/* Ratios of integer codes come in steps; a robust mean with a scale below those steps would lock to one of them. */
static const float CODE_STEPS = .03f, SMALL = 1e-4f;

static const double SOFTENED = 1.;          /* pixels */
static const double ROWS_SMOOTH = 1. / 48.; /* of the height: bands are broader, and rows one by one would shiver */

const int ip_deflicker_lag[IP_DEFLICKER_LAGS] = {1, 2, 5};

/* A frame reduced to what pairs need. */
typedef struct look {
    ip_plane_f linear, brightest; /* luma, the largest channel */
    ip_plane_f normal, level;     /* luma normalised, to compare; and without what whole rows are brighter by, for the flow */
} look;

/* Log-ratios of one cell of the picture. */
typedef struct sample {
    float log, weight, here, there;
} sample;

typedef struct cells {
    sample *all;
    size_t count[IP_DEFLICKER_SIDES * IP_DEFLICKER_STRIPS], room; /* room: of one cell */
    float *scratch;
} cells;

static void look_free(look *l) {
    ip_plane_free(&l->linear);
    ip_plane_free(&l->brightest);
    ip_plane_free(&l->normal);
    ip_plane_free(&l->level);
}

static void reduce(const ip_image3 *image, look *l) {
    for (int y = 0; y < l->linear.height; y++) {
        const float *r = ip_row(&image->c[0], y), *g = ip_row(&image->c[1], y), *b = ip_row(&image->c[2], y);
        for (int x = 0; x < l->linear.width; x++) {
            ip_row(&l->linear, y)[x] = ip_luma_of(r[x], g[x], b[x]);
            ip_row(&l->brightest, y)[x] = fmaxf(r[x], fmaxf(g[x], b[x]));
        }
    }
}

/* Code of luma without what whole rows are brighter by, for the registration: on plain ground the flow would go with bands that roll over it, and
 * the ratios would miss them. */
static ipos_status level_rows(const ip_look_source *source, const ip_plane_f *linear, const ip_plane_f *code) {
    int w = linear->width, h = linear->height;
    float low = .25f * ip_look_low(source), mean = 0.f;
    ip_plane_f profile[2]; /* one column */
    IP_TRY(ip_planes_new(1, h, profile, 2));
    for (int y = 0; y < h; y++) {
        float sum = 0.f;
        for (int x = 0; x < w; x++)
            sum += logf(fmaxf(low, ip_row(linear, y)[x]));
        *ip_row(&profile[0], y) = sum / (float)w;
        mean += sum / ((float)w * (float)h);
    }
    ip_gauss_blur(&profile[0], &profile[0], &profile[1], ROWS_SMOOTH * h, 1);
    for (int y = 0; y < h; y++) {
        float gain = expf(mean - *ip_row(&profile[0], y));
        for (int x = 0; x < w; x++)
            ip_row(code, y)[x] = gain * ip_row(linear, y)[x];
    }
    ip_planes_free(profile, 2);
    ip_look_code_plane(source, code, code);
    return IPOS_OK;
}

/* One pixel of blur takes away what a place between pixels, or moved by, loses in sharpness: the mean of logarithms rises with that. What touches
 * a clipped sample counts as clipped. spare: of the size of the planes. */
static void soften(look *l, const ip_plane_f *spare) {
    int w = l->linear.width, h = l->linear.height;
    ip_gauss_blur(&l->linear, &l->linear, spare, SOFTENED, 1);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            const float *row = ip_row(&l->brightest, y);
            ip_row(spare, y)[x] = fmaxf(row[x], fmaxf(row[IP_MAX(0, x - 1)], row[IP_MIN(w - 1, x + 1)]));
        }
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            ip_row(&l->brightest, y)[x] = fmaxf(ip_row(spare, y)[x], fmaxf(ip_row(spare, IP_MAX(0, y - 1))[x], ip_row(spare, IP_MIN(h - 1, y + 1))[x]));
}

static ipos_status look_new(const ip_look_source *source, size_t index, look *out) {
    ip_image3 image;
    ip_plane_f code = {0};
    *out = (look){0};
    IP_TRY(ip_look_fetch(source, index, WORK_WIDTH, &image));
    int w = image.c[0].width, h = image.c[0].height;
    ipos_status status = ip_plane_new(w, h, &code);
    if (status == IPOS_OK)
        status = ip_plane_new(w, h, &out->linear);
    if (status == IPOS_OK)
        status = ip_plane_new(w, h, &out->brightest);
    if (status == IPOS_OK) {
        reduce(&image, out);
        ip_look_code_plane(source, &out->linear, &code);
        status = ip_register_normal(source, &code, &out->normal);
    }
    if (status == IPOS_OK)
        soften(out, &code);
    if (status == IPOS_OK)
        status = level_rows(source, &out->linear, &code);
    if (status == IPOS_OK)
        status = ip_register_normal(source, &code, &out->level);
    ip_plane_free(&code);
    ip_image3_free(&image);
    if (status != IPOS_OK)
        look_free(out);
    return status;
}

static float steepness(const ip_plane_f *luma, int x, int y) {
    float here = ip_row(luma, y)[x] + .05f;
    return .5f * hypotf(ip_row(luma, y)[x + 1] - ip_row(luma, y)[x - 1], ip_row(luma, y + 1)[x] - ip_row(luma, y - 1)[x]) / here;
}

/* One step of 8-bit display codes as a log-ratio, of display light 1: large in the shades, where smooth footage without noise does not
 * average it out. */
static const float CODE_STEP_AT_WHITE = 2.2f / 255.f, CODE_STEP_GOOD = .02f;

static float code_weight(const ip_look_source *source, float linear) {
    if (source->encoding->kind != IP_ENCODING_DISPLAY)
        return 1.f;
    float step = CODE_STEP_AT_WHITE * powf(linear, -1.f / 2.2f) / CODE_STEP_GOOD;
    return 1.f / (1.f + step * step);
}

/* The geometric mean of both frames decides: a threshold on one of them would choose by the flicker itself. */
static bool usable(const ip_look_source *source, float a, float b, float brightest) {
    float low = ip_look_low(source);
    return a > 0.f && b > 0.f && a * b > low * low && brightest < ip_look_high(source);
}

/* Share of the pixels of usable brightness that were found in the other frame: of a dark picture that are few of all. */
static float collect(const ip_look_source *source, const look *now, const look *then, const ip_registration *r, cells *c) {
    const ip_plane_f *luma = &now->linear;
    float scale = (float)IP_DEFLICKER_BANDS / (float)luma->height, fine = (float)IP_DEFLICKER_STRIPS / (float)luma->height;
    size_t looked = 0, fit = 0, used = 0;
    memset(c->count, 0, sizeof c->count);
    for (int y = 1; y < luma->height - 1; y += STEP)
        for (int x = 1; x < luma->width - 1; x += STEP) {
            float a = ip_row(luma, y)[x], most = ip_row(&now->brightest, y)[x];
            looked++;
            fit += usable(source, a, a, most);
            if (!(ip_row(&r->agreed, y)[x] > 0.f))
                continue;
            float tx = (float)x + ip_row(&r->flow[0], y)[x], ty = (float)y + ip_row(&r->flow[1], y)[x];
            float b = ip_sample_cubic(&then->linear, tx, ty);
            if (!usable(source, a, b, fmaxf(most, ip_sample_linear(&then->brightest, tx, ty))))
                continue;
            int strip = IP_MIN((int)(((float)y + .5f) * fine), IP_DEFLICKER_STRIPS - 1), cell = (2 * x >= luma->width) * IP_DEFLICKER_STRIPS + strip;
            c->all[(size_t)cell * c->room + c->count[cell]++] =
                (sample){logf(a / b), code_weight(source, a) / (.1f + 4.f * steepness(luma, x, y)), ((float)y + .5f) * scale, (ty + .5f) * scale};
            used++;
        }
    return fminf(1.f, (float)used / fmaxf((float)fit, FIT_LEAST * (float)looked));
}

/* Weighted mean by Cauchy's function; spread: the median absolute residual, of which SMALL or the steps of codes are the least. */
static void robust_mean(const sample *s, size_t n, float floor, cells *c, ip_ratio *out, float *spread) {
    *out = (ip_ratio){0};
    if (n < COUNT_LEAST)
        return;
    for (size_t i = 0; i < n; i++)
        c->scratch[i] = s[i].log;
    double mean = ip_select(c->scratch, n, n / 2), scale = floor;
    double sum[4] = {0.};
    for (int k = 0; k < ITERATIONS; k++) {
        for (size_t i = 0; i < n; i++)
            c->scratch[i] = fabsf(s[i].log - (float)mean);
        scale = ip_select(c->scratch, n, n / 2);
        double cauchy = 1. / (1.5 * fmax(scale, floor));
        memset(sum, 0, sizeof sum);
        for (size_t i = 0; i < n; i++) {
            double q = (s[i].log - mean) * cauchy, w = s[i].weight / (1. + q * q);
            sum[0] += w;
            sum[1] += w * s[i].log;
            sum[2] += w * s[i].here;
            sum[3] += w * s[i].there;
        }
        mean = sum[1] / sum[0];
    }
    scale = fmax(scale, floor);
    *out = (ip_ratio){(float)mean, (float)(sqrt((double)n) / (scale + CODE_STEPS)), (float)(sum[2] / sum[0]), (float)(sum[3] / sum[0])};
    *spread = (float)scale;
}

/* Cells lie one behind the other with gaps; moves them together so that runs of them can be read as one. */
static size_t gather(const cells *c, size_t first, size_t cells_in_all, size_t stride, sample *to) {
    size_t n = 0;
    for (size_t k = 0; k < cells_in_all; k++) {
        size_t cell = first + k * stride;
        memcpy(to + n, c->all + cell * c->room, c->count[cell] * sizeof *to);
        n += c->count[cell];
    }
    return n;
}

static void summarise(cells *c, float floor, sample *joined, ip_pair *out) {
    enum { SIDES = IP_DEFLICKER_SIDES, BANDS = IP_DEFLICKER_BANDS, STRIPS = IP_DEFLICKER_STRIPS, EACH = STRIPS / BANDS };
    float spread, spreads[SIDES * BANDS];
    size_t filled = 0;
    robust_mean(joined, gather(c, 0, SIDES * STRIPS, 1, joined), floor, c, &out->whole, &spread);
    for (size_t s = 0; s < STRIPS; s++)
        robust_mean(joined, gather(c, s, SIDES, STRIPS, joined), floor, c, &out->strip[s], &spread);
    for (size_t k = 0; k < SIDES; k++) {
        robust_mean(joined, gather(c, k * STRIPS, STRIPS, 1, joined), floor, c, &out->side[k], &spread);
        for (size_t b = 0; b < BANDS; b++) {
            robust_mean(joined, gather(c, k * STRIPS + b * EACH, EACH, 1, joined), floor, c, &out->cell[k][b], &spread);
            if (out->cell[k][b].weight > 0.f)
                spreads[filled++] = spread;
        }
    }
    out->spread = filled ? ip_select(spreads, filled, filled / 2) : 0.f; /* within cells: rolling bands differ from cell to cell */
    out->same = out->whole.weight > 0.f && filled > 0 && out->share >= SHARE_LEAST && out->spread <= SPREAD_MOST;
}

static ipos_status compare(const ip_look_source *source, const look *now, const look *then, cells *c, sample *joined, ip_pair *out) {
    ip_registration r;
    IP_TRY(ip_register_quick(source, &now->level, &then->level, (const ip_plane_f[2]){now->normal, then->normal}, FINEST, &r));
    out->share = collect(source, now, then, &r, c);
    ip_registration_free(&r);
    summarise(c, source->encoding->kind == IP_ENCODING_LINEAR ? SMALL : CODE_STEPS, joined, out);
    return IPOS_OK;
}

static ipos_status run(const ip_look_source *source, look *kept, cells *c, sample *joined, ip_pair *pairs) {
    for (size_t i = 0; i < source->count; i++) {
        look *now = &kept[i % KEPT];
        look_free(now);
        IP_TRY(look_new(source, i, now));
        for (size_t l = 0; l < IP_DEFLICKER_LAGS; l++) {
            size_t lag = (size_t)ip_deflicker_lag[l];
            if (lag <= i)
                IP_TRY(compare(source, now, &kept[(i - lag) % KEPT], c, joined, &pairs[i * IP_DEFLICKER_LAGS + l]));
        }
    }
    return IPOS_OK;
}

/* The most samples of the whole picture and of one cell. */
static void rooms(const ip_look_source *source, size_t *whole, size_t *cell) {
    int w = source->width, h = source->height;
    while (w > WORK_WIDTH) {
        w = (w + 1) / 2;
        h = (h + 1) / 2;
    }
    size_t across = (size_t)(w / STEP + 1), rows = (size_t)(h / STEP + 1);
    *whole = across * rows;
    *cell = (across / IP_DEFLICKER_SIDES + 2) * (rows / IP_DEFLICKER_STRIPS + 2);
}

ipos_status ip_deflicker_pairs(const ip_look_source *source, ip_pair **pairs) {
    look kept[KEPT] = {0};
    size_t whole, cell;
    rooms(source, &whole, &cell);
    cells c = {.room = cell};
    c.all = ip_calloc(cell * IP_DEFLICKER_SIDES * IP_DEFLICKER_STRIPS, sizeof *c.all);
    c.scratch = ip_calloc(whole, sizeof *c.scratch);
    sample *joined = ip_calloc(whole, sizeof *joined);
    *pairs = ip_calloc(source->count * IP_DEFLICKER_LAGS, sizeof **pairs);
    ipos_status status = c.all && c.scratch && joined && *pairs ? run(source, kept, &c, joined, *pairs) : IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < KEPT; i++)
        look_free(&kept[i]);
    ip_free(c.all);
    ip_free(c.scratch);
    ip_free(joined);
    if (status != IPOS_OK) {
        ip_free(*pairs);
        *pairs = NULL;
    }
    return status;
}
