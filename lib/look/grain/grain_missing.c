/* How much of its grain a picture lacks, place by place. */
#include "grain_internal.h"
#include <math.h>

enum { WINDOW = 20 };               /* radius of a mean, taken twice */
static const float EDGE = 12.f;     /* times the grain's power: more is an edge and counts as so much, to begin with */
/* Then so many times the power found there: a few pixels of a wrong edge or a seam have more of it than all others. Of normal grain that keeps a share. */
enum { ROUNDS = 4 };
static const float OUTLIER = 4.f, WITHIN = .9205f; /* mean of min(z^2, 4) */
static const float CALM = 3.f;      /* times the grain's own squared gradient: less is calm */
static const float FEWEST = .02f;   /* share of a window that must speak */
static const double SPLIT_LEAST = .1; /* filters that see more alike tell no bands apart */

typedef struct missing_work {
    int stride;
    ip_plane_f luma, weight, power, expected, tmp;
    ip_plane_f sum, said; /* power over channels; weight in windows */
    ip_plane_f wanted;    /* share that the reference has */
} missing_work;

static void blur(ip_plane_f *plane, ip_plane_f *tmp, int threads) {
    ip_box_blur(plane, plane, tmp, WINDOW, WINDOW, threads);
    ip_box_blur(plane, plane, tmp, WINDOW, WINDOW, threads);
}

/* Power of the picture's fine detail, all channels, no more than `most` times the grain's at `share` of it, into sum. */
static void add_power(const ip_grain *grain, const ip_image3 *image, const ip_plane_f *share, float most, int threads, missing_work *w) {
    ip_plane_fill(&w->sum, 0.f);
    for (int c = 0; c < 3; c++) {
        float response = ip_grain_response(grain->autocorrelation[c], w->stride);
        ip_grain_second_difference(&image->c[c], w->stride, &w->power, threads);
        for (int y = 0; y < w->luma.height; y++)
            for (int x = 0; x < w->luma.width; x++) {
                float limit = most * (share ? ip_row(share, y)[x] : 1.f) * response * ip_grain_variance(grain, c, ip_row(&w->luma, y)[x]);
                ip_row(&w->sum, y)[x] += ip_row(&w->weight, y)[x] * fminf(ip_row(&w->power, y)[x], limit);
            }
    }
}

/* Smooth luma: the level that the grain goes by. */
static void levels(const ip_image3 *image, int threads, missing_work *w) {
    ip_luma(image, -1e6f, 1e6f, &w->luma, threads);
    ip_box_blur(&w->luma, &w->luma, &w->tmp, 1, 1, threads);
    ip_box_blur(&w->luma, &w->luma, &w->tmp, 1, 1, threads);
    ip_box_blur(&w->luma, &w->luma, &w->tmp, 1, 1, threads);
}

/* Weight 1 where the picture's gradient is no more than grain makes. Uses power and expected as scratch. */
static void only_calm(const ip_grain *grain, int threads, missing_work *w) {
    float own = ip_grain_gradient_response(grain->autocorrelation[1]);
    ip_sobel(&w->luma, &w->power, &w->expected, threads);
    for (int y = 0; y < w->luma.height; y++)
        for (int x = 0; x < w->luma.width; x++) {
            float gx = .5f * ip_row(&w->power, y)[x], gy = .5f * ip_row(&w->expected, y)[x];
            if (!(gx * gx + gy * gy <= CALM * own * ip_grain_variance(grain, 1, ip_row(&w->luma, y)[x])))
                ip_row(&w->weight, y)[x] = 0.f;
        }
}

static void start_weight(const ip_image3 *image, const ip_image3 *reference, const ip_plane_f *region, int stride, ip_plane_f *weight) {
    for (int y = 0; y < weight->height; y++)
        for (int x = 0; x < weight->width; x++) {
            bool in = y >= stride && x >= stride && y + stride < weight->height && x + stride < weight->width && (!region || ip_row(region, y)[x] > 0.f);
            for (int c = 0; c < 3 && in; c++)
                in = isfinite(ip_row(&image->c[c], y)[x]) && (!reference || isfinite(ip_row(&reference->c[c], y)[x]));
            ip_row(weight, y)[x] = in ? 1.f : 0.f;
        }
}

static double total(const ip_plane_f *plane) {
    double sum = 0;
    for (int y = 0; y < plane->height; y++)
        for (int x = 0; x < plane->width; x++)
            sum += ip_row(plane, y)[x];
    return sum;
}

/* The share of the grain that the picture has in windows, where enough of the window speaks; elsewhere over all that speaks. */
static void find_share(const ip_grain *grain, const ip_image3 *image, double most, int threads, missing_work *w, ip_plane_f *share) {
    for (int round = 0; round < ROUNDS; round++) {
        add_power(grain, image, round > 0 ? share : NULL, round > 0 ? OUTLIER : EDGE, threads, w);
        float times = round > 0 ? 1.f / WITHIN : 1.f, whole = most > 0 ? times * (float)(total(&w->sum) / most) : 1.f;
        blur(&w->sum, &w->tmp, threads);
        for (int y = 0; y < share->height; y++)
            for (int x = 0; x < share->width; x++) {
                float expected = ip_row(&w->expected, y)[x];
                bool speaks = ip_row(&w->said, y)[x] > FEWEST && expected > 0.f;
                ip_row(share, y)[x] = speaks ? times * fmaxf(0.f, ip_row(&w->sum, y)[x]) / expected : whole;
            }
    }
}

static void weigh(const ip_grain *grain, const ip_image3 *image, const ip_image3 *reference, const ip_plane_f *region, int threads, missing_work *w,
    ip_plane_f *missing) {
    levels(image, threads, w);
    start_weight(image, reference, region, w->stride, &w->weight);
    if (!reference)
        only_calm(grain, threads, w);
    float response[3];
    for (int c = 0; c < 3; c++)
        response[c] = ip_grain_response(grain->autocorrelation[c], w->stride);
    ip_plane_copy(&w->said, &w->weight);
    blur(&w->said, &w->tmp, threads);
    for (int y = 0; y < missing->height; y++)
        for (int x = 0; x < missing->width; x++) {
            float expected = 0.f;
            for (int c = 0; c < 3; c++)
                expected += response[c] * ip_grain_variance(grain, c, ip_row(&w->luma, y)[x]);
            ip_row(&w->expected, y)[x] = ip_row(&w->weight, y)[x] * expected;
        }
    double most = total(&w->expected);
    blur(&w->expected, &w->tmp, threads);
    find_share(grain, image, most, threads, w, missing);
    if (reference)
        find_share(grain, reference, most, threads, w, &w->wanted);
    for (int y = 0; y < missing->height; y++)
        for (int x = 0; x < missing->width; x++) {
            float lacks = (reference ? ip_row(&w->wanted, y)[x] : 1.f) - ip_row(missing, y)[x];
            ip_row(missing, y)[x] = !region || ip_row(region, y)[x] > 0.f ? fmaxf(0.f, fminf(1.f, lacks)) : 0.f;
        }
}

static ipos_status missing_at(const ip_grain *grain, const ip_image3 *image, const ip_image3 *reference, const ip_plane_f *region, int stride, int threads,
    ip_plane_f *missing) {
    const ip_plane_f *plane = &image->c[0];
    missing_work w = {.stride = stride};
    if (missing->width != plane->width || missing->height != plane->height || (region && (region->width != plane->width || region->height != plane->height)) ||
        (reference && (reference->c[0].width != plane->width || reference->c[0].height != plane->height)))
        return ip_fail(IPOS_ERR_ARGUMENT, "grain: image of %dx%d, expected missing, region and reference of that size", plane->width, plane->height);
    ip_plane_f *all[] = {&w.luma, &w.weight, &w.power, &w.expected, &w.tmp, &w.sum, &w.said, &w.wanted};
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < IP_COUNT(all) && status == IPOS_OK; i++)
        status = ip_plane_new(plane->width, plane->height, all[i]);
    if (status == IPOS_OK)
        weigh(grain, image, reference, region, threads, &w, missing);
    for (size_t i = 0; i < IP_COUNT(all); i++)
        ip_plane_free(all[i]);
    return status;
}

ipos_status ip_grain_missing(const ip_grain *grain, const ip_image3 *image, const ip_image3 *reference, const ip_plane_f *region, int threads,
    ip_plane_f *missing) {
    IP_TRY(ip_grain_check(grain));
    return missing_at(grain, image, reference, region, ip_grain_stride(grain), threads, missing);
}

static float squared_share(double amplitude) { return (float)(fmax(0., fmin(1., amplitude)) * fmax(0., fmin(1., amplitude))); }

ipos_status ip_grain_missing_bands(const ip_grain *grain, const ip_image3 *image, const ip_image3 *reference, const ip_plane_f *region, int threads,
    ip_plane_f *fine, ip_plane_f *coarse) {
    IP_TRY(ip_grain_check(grain));
    const int stride = ip_grain_stride(grain);
    IP_TRY(missing_at(grain, image, reference, region, stride, threads, fine));
    IP_TRY(missing_at(grain, image, reference, region, 2 * stride, threads, coarse));
    const double narrow = ip_grain_split_seen(grain, stride), wide = ip_grain_split_seen(grain, 2 * stride);
    if (!(wide - narrow > SPLIT_LEAST)) {
        ip_plane_copy(coarse, fine);
        return IPOS_OK;
    }
    for (int y = 0; y < fine->height; y++)
        for (int x = 0; x < fine->width; x++) {
            float *f = &ip_row(fine, y)[x], *c = &ip_row(coarse, y)[x];
            double a = sqrt(*f), b = sqrt(*c), steep = (b - a) / (wide - narrow);
            *f = squared_share(a - narrow * steep);
            *c = squared_share(a + (1. - narrow) * steep);
        }
    return IPOS_OK;
}
