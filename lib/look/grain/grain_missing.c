/* How much of its grain a picture lacks, place by place. */
#include "grain_internal.h"
#include <math.h>

enum { WINDOW = 20 };               /* radius of a mean, taken twice */
static const float EDGE = 12.f;     /* times the grain's power: more is an edge and counts as so much */
static const float CALM = 3.f;      /* times the grain's own squared gradient: less is calm */
static const float FEWEST = .02f;   /* share of a window that must speak */

typedef struct missing_work {
    int stride;
    ip_plane_f luma, weight, power, expected, tmp, sum; /* sum: over channels */
} missing_work;

static void blur(ip_plane_f *plane, ip_plane_f *tmp, int threads) {
    ip_box_blur(plane, plane, tmp, WINDOW, WINDOW, threads);
    ip_box_blur(plane, plane, tmp, WINDOW, WINDOW, threads);
}

/* Adds sign * the capped power of the picture's fine detail, all channels, to sum. */
static void add_power(const ip_grain *grain, const ip_image3 *image, const float response[3], float sign, int threads, missing_work *w) {
    for (int c = 0; c < 3; c++) {
        ip_grain_second_difference(&image->c[c], w->stride, &w->power, threads);
        for (int y = 0; y < w->luma.height; y++)
            for (int x = 0; x < w->luma.width; x++) {
                float most = EDGE * response[c] * ip_grain_variance(grain, c, ip_row(&w->luma, y)[x]);
                ip_row(&w->sum, y)[x] += sign * fminf(ip_row(&w->power, y)[x], most);
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

/* missing = sum / expected in windows, where enough of the window speaks; elsewhere over all that speaks. */
static void divide(const ip_plane_f *region, int threads, missing_work *w, ip_plane_f *missing) {
    double all = 0, most = 0;
    for (int y = 0; y < missing->height; y++)
        for (int x = 0; x < missing->width; x++) {
            float weight = ip_row(&w->weight, y)[x];
            ip_row(&w->sum, y)[x] *= weight;
            ip_row(&w->expected, y)[x] *= weight;
            all += ip_row(&w->sum, y)[x];
            most += ip_row(&w->expected, y)[x];
        }
    float whole = most > 0 ? (float)fmax(0, fmin(1, all / most)) : 0.f;
    blur(&w->sum, &w->tmp, threads);
    blur(&w->expected, &w->tmp, threads);
    blur(&w->weight, &w->tmp, threads);
    for (int y = 0; y < missing->height; y++)
        for (int x = 0; x < missing->width; x++) {
            float expected = ip_row(&w->expected, y)[x];
            bool speaks = ip_row(&w->weight, y)[x] > FEWEST && expected > 0.f;
            float share = speaks ? fmaxf(0.f, fminf(1.f, ip_row(&w->sum, y)[x] / expected)) : whole;
            ip_row(missing, y)[x] = !region || ip_row(region, y)[x] > 0.f ? share : 0.f;
        }
}

static void weigh(const ip_grain *grain, const ip_image3 *image, const ip_image3 *reference, const ip_plane_f *region, int threads, missing_work *w,
    ip_plane_f *missing) {
    float response[3];
    for (int c = 0; c < 3; c++)
        response[c] = ip_grain_response(grain->autocorrelation[c], w->stride);
    levels(image, threads, w);
    start_weight(image, reference, region, w->stride, &w->weight);
    if (!reference)
        only_calm(grain, threads, w);
    for (int y = 0; y < missing->height; y++)
        for (int x = 0; x < missing->width; x++) {
            float expected = 0.f;
            for (int c = 0; c < 3; c++)
                expected += response[c] * ip_grain_variance(grain, c, ip_row(&w->luma, y)[x]);
            ip_row(&w->expected, y)[x] = expected;
            ip_row(&w->sum, y)[x] = reference ? 0.f : expected;
        }
    add_power(grain, image, response, -1.f, threads, w);
    if (reference)
        add_power(grain, reference, response, 1.f, threads, w);
    divide(region, threads, w, missing);
}

ipos_status ip_grain_missing(const ip_grain *grain, const ip_image3 *image, const ip_image3 *reference, const ip_plane_f *region, int threads,
    ip_plane_f *missing) {
    const ip_plane_f *plane = &image->c[0];
    IP_TRY(ip_grain_check(grain));
    missing_work w = {.stride = ip_grain_stride(grain)};
    if (missing->width != plane->width || missing->height != plane->height || (region && (region->width != plane->width || region->height != plane->height)) ||
        (reference && (reference->c[0].width != plane->width || reference->c[0].height != plane->height)))
        return ip_fail(IPOS_ERR_ARGUMENT, "grain: image of %dx%d, expected missing, region and reference of that size", plane->width, plane->height);
    ip_plane_f *all[] = {&w.luma, &w.weight, &w.power, &w.expected, &w.tmp, &w.sum};
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < IP_COUNT(all) && status == IPOS_OK; i++)
        status = ip_plane_new(plane->width, plane->height, all[i]);
    if (status == IPOS_OK)
        weigh(grain, image, reference, region, threads, &w, missing);
    for (size_t i = 0; i < IP_COUNT(all); i++)
        ip_plane_free(all[i]);
    return status;
}
