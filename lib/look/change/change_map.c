/* Where a take differs from what the other, laid over it and matched, says it should look like. */
#include "change_internal.h"
#include "difference.h"
#include "fit.h"
#include "gauss.h"
#include <math.h>

enum { CLIP_RING = 3, CLOSE = 4, OPEN = 2, EDGE = 3 };
static const float CLIPPED = .975f, SURE = 6.f; /* of the code of clip; dE that a clipped sample must be off by at least */
static const double SMOOTH = 1., MAP_SMOOTH = 1.5, STEEP_SMOOTH = 2.;
static const float STEEP = .25f, SPREADS = 4.f, LEAST_SPREAD = .3f;
static const double LEVEL_MOST = 12.; /* dE: where nearly all differs, as under another sun, the picture itself is no measure */

/* 1 where any sample within the square of radius is over 0, or (all) where all are. */
static void spread(const ip_plane_f *mask, const ip_plane_f *tmp, int radius, bool all, int threads) {
    ip_plane_f to = *mask, scratch = *tmp;
    float part = 1.f / (float)((2 * radius + 1) * (2 * radius + 1)), least = all ? 1.f - .5f * part : .5f * part;
    ip_box_blur(mask, &to, &scratch, radius, radius, threads);
    for (int y = 0; y < mask->height; y++)
        for (int x = 0; x < mask->width; x++)
            ip_row(mask, y)[x] = ip_row(mask, y)[x] > least ? 1.f : 0.f;
}

/* ---- what clipping leaves of a comparison */

/* A clipped sample says only that the light is at least so strong: where the other is stronger, nothing is known to differ. */
static bool equalise(float a, float *expected, bool a_clipped, bool b_clipped) {
    if ((a_clipped && *expected > a) || (b_clipped && a > *expected))
        *expected = a;
    return a_clipped || b_clipped;
}

/* Codes of both blurred, those of which clipping says nothing made equal; clipped: 1 where a sample of either clips. */
static ipos_status soften(const ip_change_pair *pair, ip_image3 soft[2], const ip_plane_f *clipped, const ip_plane_f *tmp) {
    const ip_look_source *source = pair->source;
    float high = source->clip > 0.f ? CLIPPED * ip_look_code(source, source->clip) : INFINITY;
    int w = clipped->width, h = clipped->height;
    for (int c = 0; c < 3; c++) {
        const ip_plane_f *a = &pair->a.code.c[c], *laid = &pair->laid.c[c];
        ip_plane_copy(&soft[0].c[c], a);
        ip_plane_copy(&soft[1].c[c], &pair->expected.c[c]);
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                if (equalise(ip_row(a, y)[x], &ip_row(&soft[1].c[c], y)[x], ip_row(a, y)[x] >= high, ip_row(laid, y)[x] >= high))
                    ip_row(clipped, y)[x] = 1.f;
        for (int i = 0; i < 2; i++)
            ip_gauss_blur(&soft[i].c[c], &soft[i].c[c], tmp, SMOOTH, source->threads);
    }
    return IPOS_OK;
}

typedef struct lab_job {
    const ip_encoding *encoding;
    const ip_image3 *code, *lab;
} lab_job;

static void lab_rows(void *user, int64_t begin, int64_t end) {
    const lab_job *job = user;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < job->lab->c[0].width; x++) {
            double linear[3], lab[3];
            for (int c = 0; c < 3; c++)
                linear[c] = ip_look_linear(job->encoding, ip_row(&job->code->c[c], y)[x]);
            ip_lab(linear, lab);
            for (int c = 0; c < 3; c++)
                ip_row(&job->lab->c[c], y)[x] = (float)lab[c];
        }
}

/* ---- distance */

typedef struct distance_job {
    const ip_image3 *lab; /* two */
    const ip_plane_f *out;
} distance_job;

static float square(const distance_job *job, int x, int y, int ox, int oy) {
    float sum = 0.f;
    for (int c = 0; c < 3; c++) {
        float d = ip_row(&job->lab[0].c[c], y)[x] - ip_row(&job->lab[1].c[c], oy)[ox];
        sum += d * d;
    }
    return sum;
}

/* The least distance to a neighbour within a pixel, so that edges half a pixel off are no change. */
static void distance_rows(void *user, int64_t begin, int64_t end) {
    const distance_job *job = user;
    int w = job->out->width, h = job->out->height;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < w; x++) {
            float least = INFINITY;
            for (int j = IP_MAX(0, y - 1); j <= IP_MIN(h - 1, y + 1); j++)
                for (int i = IP_MAX(0, x - 1); i <= IP_MIN(w - 1, x + 1); i++)
                    least = fminf(least, square(job, x, y, i, j));
            ip_row(job->out, y)[x] = sqrtf(least);
        }
}

/* Steepness of the expected picture in L*a*b* a pixel, blurred. scratch: three planes. */
static void steepness(const ip_image3 *lab, const ip_plane_f *out, ip_plane_f *scratch, int threads) {
    ip_plane_fill(&scratch[2], 0.f);
    for (int c = 0; c < 3; c++) {
        ip_sobel(&lab->c[c], &scratch[0], &scratch[1], threads);
        for (int y = 0; y < out->height; y++)
            for (int x = 0; x < out->width; x++) {
                float gx = .5f * ip_row(&scratch[0], y)[x], gy = .5f * ip_row(&scratch[1], y)[x];
                ip_row(&scratch[2], y)[x] += gx * gx + gy * gy;
            }
    }
    for (int y = 0; y < out->height; y++)
        for (int x = 0; x < out->width; x++)
            ip_row(out, y)[x] = sqrtf(ip_row(&scratch[2], y)[x]);
    ip_gauss_blur(out, out, &scratch[0], STEEP_SMOOTH, threads);
}

/* ---- what is looked at, and what counts as a change */

/* Clipped samples that may differ or not: all but those that are surely off. */
static void unsure(const ip_plane_f *difference, const ip_plane_f *clipped) {
    for (int y = 0; y < clipped->height; y++)
        for (int x = 0; x < clipped->width; x++)
            if (ip_row(difference, y)[x] > SURE)
                ip_row(clipped, y)[x] = 0.f;
}

/* Not where the reference ends, and not around samples that may differ or not. */
static void look_at(const ip_change_pair *pair, const ip_plane_f *ring, const ip_plane_f *looked) {
    int w = looked->width, h = looked->height;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            bool inner = x >= EDGE && y >= EDGE && x < w - EDGE && y < h - EDGE && ip_row(&pair->inside, y)[x] > 0.f;
            ip_row(looked, y)[x] = inner && !(ip_row(ring, y)[x] > 0.f) ? 1.f : 0.f;
        }
}

static ipos_status level_of(const ip_plane_f *difference, const ip_plane_f *looked, double *level, double *share) {
    size_t room = (size_t)looked->width * (size_t)looked->height, count = 0;
    float *values = ip_calloc(room, sizeof *values);
    if (!values)
        return IPOS_ERR_NO_MEMORY;
    for (int y = 0; y < looked->height; y++)
        for (int x = 0; x < looked->width; x++)
            if (ip_row(looked, y)[x] > 0.f)
                values[count++] = ip_row(difference, y)[x];
    *share = (double)count / (double)room;
    *level = 0.;
    if (count) {
        float median = ip_select(values, count, count / 2);
        for (size_t i = 0; i < count; i++)
            values[i] = fabsf(values[i] - median);
        *level = fmin(LEVEL_MOST, median + SPREADS * (ip_select(values, count, count / 2) + LEAST_SPREAD));
    }
    ip_free(values);
    return IPOS_OK;
}

static void decide(const ip_change_report *report, const ip_plane_f *steep, double threshold, const ip_plane_f *mask) {
    for (int y = 0; y < mask->height; y++)
        for (int x = 0; x < mask->width; x++) {
            float d = ip_row(&report->difference, y)[x];
            bool looked = ip_row(&report->looked, y)[x] > 0.f;
            ip_row(mask, y)[x] = looked && d > threshold && d > (float)report->level + STEEP * ip_row(steep, y)[x] ? 1.f : 0.f;
            if (!looked)
                ip_row(&report->difference, y)[x] = 0.f;
        }
}

enum { RING, STEEPNESS, SCRATCH, PLANES = SCRATCH + 3 };

static ipos_status make_map(ip_change_pair *pair, ip_image3 soft[2], ip_plane_f *part, ip_change_report *report, ip_plane_f *mask) {
    int w = pair->a.luma.width, h = pair->a.luma.height, threads = pair->source->threads;
    double threshold = pair->options->threshold > 0. ? pair->options->threshold : 3.;
    IP_TRY(soften(pair, soft, &part[RING], &part[SCRATCH]));
    for (int i = 0; i < 2; i++) {
        lab_job job = {pair->source->encoding, &soft[i], &pair->lab[i]};
        ip_parallel(threads, h, 8, lab_rows, &job);
    }
    IP_TRY(ip_plane_new(w, h, &report->difference));
    IP_TRY(ip_plane_new(w, h, &report->looked));
    IP_TRY(ip_plane_new(w, h, mask));
    distance_job distance = {pair->lab, &report->difference};
    ip_parallel(threads, h, 8, distance_rows, &distance);
    unsure(&report->difference, &part[RING]);
    spread(&part[RING], &part[SCRATCH], CLIP_RING, false, threads);
    look_at(pair, &part[RING], &report->looked);
    ip_gauss_blur(&report->difference, &report->difference, &part[SCRATCH], MAP_SMOOTH, threads);
    steepness(&pair->lab[1], &part[STEEPNESS], &part[SCRATCH], threads);
    IP_TRY(level_of(&report->difference, &report->looked, &report->level, &report->compared));
    decide(report, &part[STEEPNESS], threshold, mask);
    spread(mask, &part[SCRATCH], CLOSE, false, threads);
    spread(mask, &part[SCRATCH], CLOSE, true, threads);
    spread(mask, &part[SCRATCH], OPEN, true, threads);
    spread(mask, &part[SCRATCH], OPEN, false, threads);
    return IPOS_OK;
}

ipos_status ip_change_map(ip_change_pair *pair, ip_change_report *report, ip_plane_f *mask) {
    int w = pair->a.luma.width, h = pair->a.luma.height;
    ip_image3 soft[2] = {0};
    ip_plane_f part[PLANES];
    *mask = (ip_plane_f){0};
    IP_TRY(ip_planes_new(w, h, part, PLANES));
    ipos_status status = IPOS_OK;
    for (int i = 0; i < 2 && status == IPOS_OK; i++) {
        status = ip_image3_new(w, h, &soft[i]);
        if (status == IPOS_OK)
            status = ip_image3_new(w, h, &pair->lab[i]);
    }
    if (status == IPOS_OK)
        status = make_map(pair, soft, part, report, mask);
    for (int i = 0; i < 2; i++)
        ip_image3_free(&soft[i]);
    ip_planes_free(part, PLANES);
    return status;
}
