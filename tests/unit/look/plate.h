/* Synthetic plates that move, and grain of known statistics; shares nothing with the library's own grain. */
#ifndef PLATE_H
#define PLATE_H

#include "grain.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

typedef struct plate {
    int width, height;
    size_t frames;
    double vx, vy;         /* pixels a frame */
    float detail;          /* of the texture: 1 is about .1 to .9 */
    float sigma;           /* deviation at luma .5 */
    float rise;            /* added to it for every unit of luma above */
    bool soft;             /* binomial 3x3 on white grain */
    float common;          /* correlation of the channels */
    float last;            /* share of the frame before in the grain (auto-regression of first order) */
    bool patchy;           /* less grain in half of the 16x16 blocks */
    float step;            /* rounding; 0: none */
    uint64_t seed;
} plate;

static inline float plate_clean(const plate *p, double t, int x, int y) {
    double px = x - p->vx * t, py = y - p->vy * t;
    double slow = sin(px * .021 + 1.3 * sin(py * .015)) + sin(py * .017 + 1.1 * sin(px * .013));
    double fine = .25 * sin(px * .31 + py * .12) + .2 * sin(py * .43 - px * .08), here = fmax(0, sin(px * .03) * sin(py * .035 + 1));
    return (float)(.5 + p->detail * (.18 * slow + .2 * fine * here)); /* fine detail in patches, as real pictures have it */
}

static inline float plate_white(const plate *p, int frame, int channel, int x, int y) {
    ip_rng rng = ip_rng_at(p->seed + 1000003u * (uint64_t)frame + 77u * (uint64_t)channel, (uint64_t)(y + 8) * 65536u + (uint64_t)(x + 8));
    rng.counter = 9;
    return (float)ip_rng_normal(&rng);
}

static inline float plate_shaped(const plate *p, int frame, int channel, int x, int y) {
    static const float binomial[3] = {1, 2, 1};
    if (!p->soft)
        return plate_white(p, frame, channel, x, y);
    float sum = 0.f;
    for (int j = 0; j < 3; j++)
        for (int i = 0; i < 3; i++)
            sum += binomial[i] * binomial[j] * plate_white(p, frame, channel, x + i - 1, y + j - 1);
    return sum / 6.f; /* (1 + 4 + 1) in both directions, the root of its square */
}

/* Of unit variance, with what is common to the channels, and the frame before. */
static inline float plate_grain(const plate *p, int frame, int channel, int x, int y) {
    float own = 0.f, share = 1.f;
    for (int back = 0; back < (p->last > 0.f ? 8 : 1); back++) {
        float fresh = sqrtf(p->common) * plate_shaped(p, 100 + frame - back, 3, x, y) + sqrtf(1.f - p->common) * plate_shaped(p, 100 + frame - back, channel, x, y);
        own += share * fresh;
        share *= p->last;
    }
    return own * sqrtf(1.f - p->last * p->last);
}

static inline float plate_sigma(const plate *p, float luma) { return fmaxf(0.f, p->sigma + p->rise * (luma - .5f)); }

static inline ipos_status plate_fetch(void *user, size_t index, const ip_image3 *to) {
    const plate *p = user;
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            float clean = plate_clean(p, (double)index, x, y), sigma = plate_sigma(p, clean);
            uint64_t block = (uint64_t)(y / 16) * 1000 + (uint64_t)(x / 16);
            if (p->patchy && (block * 2654435761u >> 7 & 1))
                sigma *= .6f;
            for (int c = 0; c < 3; c++) {
                float v = clean + sigma * plate_grain(p, (int)index, c, x, y);
                ip_row(&to->c[c], y)[x] = p->step > 0.f ? roundf(v / p->step) * p->step : v;
            }
        }
    return IPOS_OK;
}

static inline void plate_clean_fill(const plate *p, size_t index, const ip_image3 *to) {
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < p->height; y++)
            for (int x = 0; x < p->width; x++)
                ip_row(&to->c[c], y)[x] = plate_clean(p, (double)index, x, y);
}

static inline ip_image3 new_image(int width, int height) {
    ip_image3 image;
    assert_int_equal(ip_image3_new(width, height, &image), IPOS_OK);
    return image;
}

static inline ip_grain measured(plate *p, int threads) {
    const ip_grain_source source = {p->width, p->height, p->frames, plate_fetch, p};
    const ip_grain_options options = {.threads = threads, .step = p->step};
    ip_grain grain;
    assert_int_equal(ip_grain_measure(&source, &options, &grain), IPOS_OK);
    return grain;
}

/* A model by hand: separable autocorrelation a, b at lags 1 and 2. */
static inline ip_grain model(float variance, float a, float b, float common) {
    ip_grain grain = {.measurable = true, .confidence = 1.f, .frames = 3, .lag_error = .001f};
    const float lag[IP_GRAIN_LAGS] = {0, 0, 0, b, a, 1, a, b, 0, 0, 0};
    for (int i = 0; i < IP_GRAIN_BINS; i++)
        grain.bins[i] = (ip_grain_bin){.04f + .092f * ((float)i + .5f), {variance, variance, variance}, 1.f, 100};
    for (int c = 0; c < 3; c++) {
        for (int y = 0; y < IP_GRAIN_LAGS; y++)
            for (int x = 0; x < IP_GRAIN_LAGS; x++)
                grain.autocorrelation[c][y][x] = lag[y] * lag[x];
        for (int d = 0; d < 3; d++)
            grain.channels[c][d] = c == d ? 1.f : common;
    }
    return grain;
}

#endif
