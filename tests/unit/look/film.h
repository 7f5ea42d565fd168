/* Films made for the tests of the look: frames in memory, and pictures whose truth is known. */
#ifndef FILM_H
#define FILM_H

#include "source.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { FILM_MOST = 24 };

typedef struct film {
    ip_image3 frame[FILM_MOST];
    size_t count, fetched;
    ip_look_source source;
} film;

static inline ipos_status film_fetch(void *user, size_t index, const ip_image3 *to) {
    film *f = user;
    assert_true(index < f->count);
    assert_true(index >= f->fetched); /* ascending, each at most once */
    f->fetched = index + 1;
    for (int c = 0; c < 3; c++) {
        ip_plane_f plane = to->c[c];
        ip_plane_copy(&plane, &f->frame[index].c[c]);
    }
    return IPOS_OK;
}

static inline void film_new(film *f, int width, int height, size_t count, const char *encoding, float clip) {
    *f = (film){.count = count};
    for (size_t i = 0; i < count; i++)
        assert_int_equal(ip_image3_new(width, height, &f->frame[i]), IPOS_OK);
    f->source = (ip_look_source){.count = count, .width = width, .height = height, .encoding = ip_encoding_find(encoding), .clip = clip, .threads = 1,
        .fetch = film_fetch, .user = f};
    assert_non_null(f->source.encoding);
}

static inline void film_free(film *f) {
    for (size_t i = 0; i < f->count; i++)
        ip_image3_free(&f->frame[i]);
}

/* The source again from its first frame. */
static inline const ip_look_source *film_start(film *f) {
    f->fetched = 0;
    return &f->source;
}

/* Smooth noise of about -1..1 without a period: a sum of waves of several directions and lengths from 6 to 60 pixels. */
static inline float film_texture(double x, double y, uint64_t seed) {
    enum { WAVES = 12 };
    static double wave[WAVES][3];
    static uint64_t made = 0;
    if (made != seed + 1) {
        ip_rng rng = ip_rng_at(seed, 9);
        for (int i = 0; i < WAVES; i++) {
            double length = 6. * pow(10., ip_rng_unit(&rng)), angle = 6.2832 * ip_rng_unit(&rng);
            wave[i][0] = 6.2832 * cos(angle) / length;
            wave[i][1] = 6.2832 * sin(angle) / length;
            wave[i][2] = 6.2832 * ip_rng_unit(&rng);
        }
        made = seed + 1;
    }
    double sum = 0.;
    for (int i = 0; i < WAVES; i++)
        sum += sin(x * wave[i][0] + y * wave[i][1] + wave[i][2]);
    return (float)(sum / 4.);
}

/* Through 8-bit sRGB codes and back. */
static inline float film_8bit(float linear) {
    const ip_encoding *srgb = ip_encoding_find("srgb");
    float code = srgb->from_linear(fminf(1.f, fmaxf(0.f, linear)));
    return srgb->to_linear(floorf(code * 255.f + .5f) / 255.f);
}

static inline void film_to_8bit(film *f) {
    for (size_t i = 0; i < f->count; i++)
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < f->source.height; y++)
                for (int x = 0; x < f->source.width; x++)
                    ip_row(&f->frame[i].c[c], y)[x] = film_8bit(ip_row(&f->frame[i].c[c], y)[x]);
    f->source.encoding = ip_encoding_find("srgb");
    f->source.clip = 1.f;
}

#endif
