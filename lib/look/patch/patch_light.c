/* What light on the donor lacks around the matte, carried into it. */
#include "fit.h"
#include "gauss.h"
#include "patch_internal.h"
#include <math.h>

enum { RING = 24, SWEEPS = 160, EDGE = 3, ROUNDS = 4, LEAST = 64 };
static const double RING_SMOOTH = 4., TRUST_SMOOTH = 8.;
static const float KNOWN = .05f, OUTLIER = 2.5f, LEAST_SPREAD = .004f;
static const float VAGUE = .2f;        /* weight of a place where flow does not agree, as on a bare wall, or that clips or is black */
static const float FOOT = .1f;         /* display codes: corrections are ratios of code + FOOT */
static const float TRUSTED = .05f;     /* code values off at which the confidence is a half */
static const float DEPTH = 96.f;       /* pixels into the matte at which it is a half */

/* In what a correction adds: logarithms of display codes, code values of logs and linear light (which the working encoding makes a log). */
static float into(const ip_patch_work *w, float code) {
    return w->target->encoding->kind == IP_ENCODING_DISPLAY ? logf(fmaxf(.2f * FOOT, code + FOOT)) : code;
}

static float corrected(const ip_patch_work *w, float code, float by) {
    return w->target->encoding->kind == IP_ENCODING_DISPLAY ? (code + FOOT) * expf(by) - FOOT : code + by;
}

typedef struct light {
    ip_patch_work *work;
    ip_plane_f lacks[3], smooth[3], weight, ring, tmp; /* ring: how much a place around the matte says, 0..1 */
    float *values;
} light;

static size_t find_ring(light *l, const ip_plane_f *far) {
    ip_patch_work *w = l->work;
    size_t count = 0;
    for (int y = 0; y < w->box.height; y++)
        for (int x = 0; x < w->box.width; x++) {
            float a[3], b[3], away = ip_row(far, y)[x], *ring = &ip_row(&l->ring, y)[x];
            for (int c = 0; c < 3; c++) {
                a[c] = ip_row(&w->image->c[c], w->box.y + y)[w->box.x + x];
                b[c] = ip_row(&w->laid.c[c], y)[x];
            }
            bool good = away > EDGE && away <= RING && ip_row(&w->there, y)[x] > 0.f && isfinite(ip_luma_of(a[0], a[1], a[2]) + ip_luma_of(b[0], b[1], b[2]));
            *ring = good ? (ip_row(&w->agreed, y)[x] > 0.f ? 1.f : VAGUE) * (ip_shot_usable(w->target, a) && ip_shot_usable(w->target, b) ? 1.f : VAGUE) : 0.f;
            count += good;
            for (int c = 0; c < 3; c++)
                ip_row(&l->lacks[c], y)[x] = good ? into(w, a[c]) - into(w, b[c]) : 0.f;
        }
    return count;
}

/* Weighted means over a few pixels of the ring, so that grain on the border is not carried inwards. */
static void average(light *l) {
    int threads = l->work->target->threads;
    ip_plane_f sum = l->weight;
    for (int c = 0; c < 3; c++) {
        for (int y = 0; y < sum.height; y++)
            for (int x = 0; x < sum.width; x++)
                ip_row(&l->smooth[c], y)[x] = ip_row(&l->lacks[c], y)[x] * ip_row(&l->weight, y)[x];
        ip_gauss_blur(&l->smooth[c], &l->smooth[c], &l->tmp, RING_SMOOTH, threads);
    }
    ip_gauss_blur(&l->weight, &sum, &l->tmp, RING_SMOOTH, threads);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < sum.height; y++)
            for (int x = 0; x < sum.width; x++)
                ip_row(&l->smooth[c], y)[x] /= fmaxf(1e-4f, ip_row(&sum, y)[x]);
}

/* What is far from its neighbours in any channel, things that moved, says little: Cauchy's weights about the smooth field. */
static void weigh(light *l) {
    ip_patch_work *w = l->work;
    ip_plane_copy(&l->weight, &l->ring);
    for (int c = 0; c < 3; c++) {
        size_t n = 0;
        for (int y = 0; y < w->box.height; y++)
            for (int x = 0; x < w->box.width; x++)
                if (ip_row(&l->ring, y)[x] > 0.f)
                    l->values[n++] = fabsf(ip_row(&l->lacks[c], y)[x] - ip_row(&l->smooth[c], y)[x]);
        float scale = OUTLIER * 1.4826f * fmaxf(LEAST_SPREAD, ip_select(l->values, n, n / 2));
        for (int y = 0; y < w->box.height; y++)
            for (int x = 0; x < w->box.width; x++) {
                float off = (ip_row(&l->lacks[c], y)[x] - ip_row(&l->smooth[c], y)[x]) / scale;
                ip_row(&l->weight, y)[x] /= 1.f + off * off;
            }
    }
}

static ipos_status smooth(light *l) {
    ip_plane_copy(&l->weight, &l->ring);
    average(l);
    for (int round = 0; round < ROUNDS; round++) {
        weigh(l);
        average(l);
    }
    return ip_push_pull(l->smooth, 3, &l->weight, KNOWN, l->work->target->threads);
}

/* Laplace's equation where nothing was measured, from the fill: over-relaxed sweeps, ends of the box free. */
static void relax(ip_plane_f *plane, const ip_plane_f *hole) {
    static const float OVER = 1.7f;
    int width = plane->width, height = plane->height;
    for (int sweep = 0; sweep < SWEEPS; sweep++)
        for (int y = 0; y < height; y++) {
            const float *up = ip_row(plane, IP_MAX(0, y - 1)), *down = ip_row(plane, IP_MIN(height - 1, y + 1)), *in = ip_row(hole, y);
            float *row = ip_row(plane, y);
            for (int x = 0; x < width; x++)
                if (in[x] > 0.f)
                    row[x] += OVER * (.25f * (row[IP_MAX(0, x - 1)] + row[IP_MIN(width - 1, x + 1)] + up[x] + down[x]) - row[x]);
        }
}

static double rms_on_ring(const light *l, const ip_plane_f *error) {
    const ip_patch_work *w = l->work;
    double sum = 0.;
    size_t count = 0;
    for (int y = 0; y < w->box.height; y++)
        for (int x = 0; x < w->box.width; x++) {
            float worst = 0.f;
            ip_row(error, y)[x] = 0.f;
            if (!(ip_row(&l->ring, y)[x] > 0.f))
                continue;
            for (int c = 0; c < 3; c++) {
                float d = ip_row(&w->laid.c[c], y)[x] - ip_row(&w->image->c[c], w->box.y + y)[w->box.x + x];
                sum += d * d / 3.;
                worst = fmaxf(worst, fabsf(d));
            }
            ip_row(error, y)[x] = worst;
            count++;
        }
    return count ? sqrt(sum / (double)count) : 0.;
}

static void correct(const light *l, const ip_image3 *image) {
    ip_patch_work *w = l->work;
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < w->box.height; y++)
            for (int x = 0; x < w->box.width; x++)
                ip_row(&image->c[c], y)[x] = corrected(w, ip_row(&image->c[c], y)[x], ip_row(&l->smooth[c], y)[x]);
}

/* From the ring's errors, and from how much of what surrounds the matte agrees, or has no structure that could but the same colours. error: the worst
 * channel on the ring. */
static ipos_status trust(light *l, ip_plane_f *error, const ip_plane_f *far, ip_plane_f *inner) {
    ip_patch_work *w = l->work;
    int threads = w->target->threads;
    ip_plane_f part[2] = {*error, w->agreed};
    for (int y = 0; y < error->height; y++)
        for (int x = 0; x < error->width; x++) {
            ip_row(error, y)[x] *= ip_row(&l->ring, y)[x];
            ip_row(&l->weight, y)[x] = ip_row(far, y)[x] > EDGE && ip_row(far, y)[x] <= RING ? 1.f : 0.f;
            ip_row(&w->agreed, y)[x] *= ip_row(&l->weight, y)[x];
        }
    for (int i = 0; i < 2; i++)
        ip_gauss_blur(&part[i], &part[i], &l->tmp, TRUST_SMOOTH, threads);
    ip_gauss_blur(&l->ring, &l->ring, &l->tmp, TRUST_SMOOTH, threads);
    ip_gauss_blur(&l->weight, &l->weight, &l->tmp, TRUST_SMOOTH, threads);
    for (int y = 0; y < error->height; y++)
        for (int x = 0; x < error->width; x++) {
            ip_row(error, y)[x] /= fmaxf(1e-4f, ip_row(&l->ring, y)[x]);
            ip_row(&w->agreed, y)[x] /= fmaxf(1e-4f, ip_row(&l->weight, y)[x]);
        }
    IP_TRY(ip_push_pull(&part[0], 1, &l->ring, KNOWN, threads));
    IP_TRY(ip_push_pull(&part[1], 1, &l->weight, KNOWN, threads));
    for (int y = 0; y < inner->height; y++) /* depth: the distance to what is not matted */
        for (int x = 0; x < inner->width; x++)
            ip_row(inner, y)[x] = ip_row(&w->alpha, y)[x] > 0.f ? 0.f : 1.f;
    ip_distance_to(inner, inner);
    for (int y = 0; y < error->height; y++)
        for (int x = 0; x < error->width; x++) {
            float off = ip_row(error, y)[x] / TRUSTED, deep = ip_row(inner, y)[x] / DEPTH;
            if (ip_row(&w->alpha, y)[x] > 0.f && ip_row(&w->there, y)[x] > 0.f)
                ip_row(&w->out->confidence, w->box.y + y)[w->box.x + x] =
                    fminf(1.f, fmaxf(ip_row(&w->agreed, y)[x], 1.f / (1.f + 16.f * off * off))) / (1.f + off * off) / (1.f + deep * deep);
        }
    return IPOS_OK;
}

enum { FAR, HOLE, ERROR, PARTS };

static ipos_status work_light(light *l, ip_plane_f part[PARTS]) {
    ip_patch_work *w = l->work;
    for (int y = 0; y < w->box.height; y++)
        for (int x = 0; x < w->box.width; x++)
            ip_row(&part[HOLE], y)[x] = ip_row(&w->alpha, y)[x] > 0.f ? 1.f : 0.f;
    ip_distance_to(&part[HOLE], &part[FAR]);
    size_t count = find_ring(l, &part[FAR]);
    w->out->before = w->out->after = rms_on_ring(l, &part[ERROR]);
    if (count > LEAST && !w->options->no_relight) {
        IP_TRY(smooth(l));
        for (int y = 0; y < w->box.height; y++)
            for (int x = 0; x < w->box.width; x++)
                ip_row(&part[HOLE], y)[x] = ip_row(&l->weight, y)[x] < KNOWN || ip_row(&w->alpha, y)[x] > 0.f ? 1.f : 0.f;
        for (int c = 0; c < 3; c++)
            relax(&l->smooth[c], &part[HOLE]);
        correct(l, &w->laid);
        correct(l, &w->nearest);
        w->out->after = rms_on_ring(l, &part[ERROR]);
    }
    return trust(l, &part[ERROR], &part[FAR], &part[HOLE]);
}

ipos_status ip_patch_light(ip_patch_work *w) {
    light l = {.work = w};
    int width = w->box.width, height = w->box.height;
    ip_plane_f part[PARTS] = {0};
    ipos_status status = ip_planes_new(width, height, l.lacks, 3);
    if (status == IPOS_OK)
        status = ip_planes_new(width, height, l.smooth, 3);
    if (status == IPOS_OK)
        status = ip_plane_new(width, height, &l.weight);
    if (status == IPOS_OK)
        status = ip_plane_new(width, height, &l.ring);
    if (status == IPOS_OK)
        status = ip_plane_new(width, height, &l.tmp);
    if (status == IPOS_OK)
        status = ip_planes_new(width, height, part, PARTS);
    if (status == IPOS_OK) {
        l.values = ip_calloc((size_t)width * (size_t)height, sizeof *l.values);
        status = l.values ? work_light(&l, part) : IPOS_ERR_NO_MEMORY;
    }
    ip_free(l.values);
    ip_planes_free(l.lacks, 3);
    ip_planes_free(l.smooth, 3);
    ip_plane_free(&l.weight);
    ip_plane_free(&l.ring);
    ip_plane_free(&l.tmp);
    ip_planes_free(part, PARTS);
    return status;
}
