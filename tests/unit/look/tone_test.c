/* Tone, white balance, drift, flicker, skin and light of known values. */
#include "film.h"
#include "flicker.h"
#include "gain.h"
#include "light.h"
#include "skin.h"
#include "tone.h"
#include "white.h"

enum { W = 240, H = 160 };

/* A pan over coloured texture: gains[i][c] in linear light. */
static void pan(film *f, size_t frames, double speed, const double (*gains)[3]) {
    film_new(f, W, H, frames, "linear", 0.f);
    for (size_t i = 0; i < frames; i++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                double u = x + speed * (double)i;
                float base = film_texture(u, y, 6), tint = film_texture(y + 500., u, 6);
                const double colour[3] = {exp(.6 * base + .2 * tint), exp(.6 * base), exp(.6 * base - .2 * tint)};
                for (int c = 0; c < 3; c++)
                    ip_row(&f->frame[i].c[c], y)[x] = (float)(.2 * colour[c] * (gains ? gains[i][c] : 1.));
            }
}

static void percentiles_of_a_ramp(void **state) {
    (void)state;
    film f;
    ip_tone t;
    film_new(&f, 1000, 40, 1, "linear", 0.f);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < 40; y++)
            for (int x = 0; x < 1000; x++)
                ip_row(&f.frame[0].c[c], y)[x] = .18f * exp2f(((float)((x + 25 * y) % 1000) - 500.f) / 100.f);
    assert_int_equal(ip_tone_measure(film_start(&f), &t), IPOS_OK);
    assert_true(ip_measured(&t.reading) && t.scene);
    for (int i = 0; i < IP_TONE_LEVELS; i++)
        assert_true(fabs(t.stops[i] - (10. * ip_tone_level(i) - 5.)) < .06);
    assert_true(fabs(t.code[5] - ip_look_code(&f.source, .18f)) < .002);
    assert_true(fabs(t.black[0] - t.code[0]) < .01 && fabs(t.white[2] - t.code[IP_TONE_LEVELS - 1]) < .01);
    assert_true(t.saturation < 1e-3 && t.clipped == 0.);
    film_free(&f);
}

static void bars_do_not_count_and_clipping_does(void **state) {
    (void)state;
    film f;
    ip_tone t;
    film_new(&f, W, H, 1, "srgb", 1.f);
    for (int y = 24; y < H - 24; y++)
        for (int x = 0; x < W; x++)
            for (int c = 0; c < 3; c++)
                ip_row(&f.frame[0].c[c], y)[x] = x >= W * 3 / 4 ? 1.f : c == 0 ? .4f : .2f + .0004f * (float)x;
    assert_int_equal(ip_tone_measure(film_start(&f), &t), IPOS_OK);
    assert_true(!t.scene && t.code[0] > .4);
    assert_true(fabs(t.clipped - .25) < .02);
    assert_true(t.saturation > .2);
    film_free(&f);
    film_new(&f, W, H, 1, "srgb", 1.f);
    assert_int_equal(ip_tone_measure(film_start(&f), &t), IPOS_OK);
    assert_non_null(strstr(t.reading.reason, "one level"));
    film_free(&f);
}

static void a_known_gain_is_read_from_a_moving_pair(void **state) {
    (void)state;
    const double gains[2][3] = {{1., 1., 1.}, {1.12, .8, .7}};
    for (int codes = 0; codes < 2; codes++) {
        film f;
        ip_gain gain;
        pan(&f, 2, 3.3, gains);
        if (codes)
            film_to_8bit(&f);
        assert_int_equal(ip_gain_between(&f.source, &f.frame[0], &f.frame[1], &gain), IPOS_OK);
        assert_true(gain.share > .4 && ip_gain_same(&gain));
        for (int c = 0; c < 3; c++)
            if (!(fabs(gain.log[c] - log(gains[1][c])) < .003))
                fail_msg("channel %d: gain %g, expected %g", c, exp(gain.log[c]), gains[1][c]);
        film_free(&f);
    }
}

static void frames_of_other_things_share_little(void **state) {
    (void)state;
    film f;
    ip_gain gain;
    pan(&f, 2, 900., NULL);
    assert_int_equal(ip_gain_between(&f.source, &f.frame[0], &f.frame[1], &gain), IPOS_OK);
    if (ip_gain_same(&gain))
        fail_msg("share %g, spread %g", gain.share, gain.spread);
    film_free(&f);
}

static void drift_follows_the_gains(void **state) {
    (void)state;
    double gains[20][3];
    for (int i = 0; i < 20; i++)
        gains[i][0] = exp(.004 * i), gains[i][1] = exp(-.002 * i), gains[i][2] = exp(-.005 * i);
    film f;
    ip_white w;
    pan(&f, 20, 1.2, (const double(*)[3])gains);
    assert_int_equal(ip_white_measure(film_start(&f), &w), IPOS_OK);
    assert_true(ip_measured(&w.drift) && w.drift.confidence > .3 && w.breaks == 0 && w.points >= 5);
    for (int64_t i = 0; i < w.points; i++) {
        assert_true(fabs(w.red_path[i] - .006 * w.time[i]) < .006);
        assert_true(fabs(w.blue_path[i] + .003 * w.time[i]) < .006);
        assert_true(fabs(w.exposure_path[i] + .002 * w.time[i]) < .006);
    }
    assert_true(fabs(w.most - .006 * 19) < .01);
    film_free(&f);
}

static void a_cast_is_read_and_one_colour_is_not_a_balance(void **state) {
    (void)state;
    const double cast[1][3] = {{1.25, 1., .8}};
    film f;
    ip_white w;
    pan(&f, 1, 0., cast);
    assert_int_equal(ip_white_measure(film_start(&f), &w), IPOS_OK);
    assert_true(ip_measured(&w.level));
    assert_true(fabs(w.red / 1.25 - 1.) < .1 && fabs(w.blue / .8 - 1.) < .1);
    assert_false(ip_measured(&w.drift));
    for (int y = 0; y < H; y++) /* a grey rim around a red wall: the two estimates cannot both hold */
        for (int x = 0; x < W; x++)
            for (int c = 0; c < 3; c++)
                ip_row(&f.frame[0].c[c], y)[x] = (x / 8) % 2 ? .1f : (c == 0 ? .6f : .1f);
    assert_int_equal(ip_white_measure(film_start(&f), &w), IPOS_OK);
    assert_false(ip_measured(&w.level));
    assert_true(w.level.confidence == 0.);
    film_free(&f);
}

static void flicker_is_told_from_a_fade(void **state) {
    (void)state;
    enum { N = 20 };
    double gains[N][3];
    for (int kind = 0; kind < 3; kind++) { /* clean, fade, flicker */
        ip_rng rng = ip_rng_at(4, 4);
        double truth = 0., before = 0.;
        for (int i = 0; i < N; i++) {
            double g = kind == 1 ? -.03 * i : kind == 2 ? .05 * ip_rng_normal(&rng) : 0.;
            truth += i ? (g - before) * (g - before) / (N - 1) : 0.;
            before = g;
            gains[i][0] = gains[i][1] = gains[i][2] = exp(g);
        }
        film f;
        ip_flicker m;
        pan(&f, N, 1., (const double(*)[3])gains);
        assert_int_equal(ip_flicker_measure(film_start(&f), &m), IPOS_OK);
        assert_true(ip_measured(&m.reading) && m.cuts == 0 && m.reading.frames == N);
        if (kind == 2)
            assert_true(fabs(m.rms / sqrt(truth) - 1.) < .15);
        else
            assert_true(m.rms < .003);
        assert_true(kind != 1 || fabs(m.trend + .03 * (N - 1)) < .02);
        film_free(&f);
    }
}

static void cuts_are_not_flicker(void **state) {
    (void)state;
    film f;
    ip_flicker m;
    pan(&f, 5, 700., NULL);
    assert_int_equal(ip_flicker_measure(film_start(&f), &m), IPOS_OK);
    assert_int_equal(m.cuts, 4);
    assert_false(ip_measured(&m.reading));
    film_free(&f);
}

/* u', v' of Rec.709 R,G,B by the formulas of CIE 15. */
static void true_uv(const double c[3], double *u, double *v) {
    double x = .4124 * c[0] + .3576 * c[1] + .1805 * c[2], y = .2126 * c[0] + .7152 * c[1] + .0722 * c[2], z = .0193 * c[0] + .1192 * c[1] + .9505 * c[2];
    *u = 4. * x / (x + 15. * y + 3. * z);
    *v = 9. * y / (x + 15. * y + 3. * z);
}

static void skin_is_where_it_was_put_among_other_things(void **state) {
    (void)state;
    film f;
    ip_skin s;
    ip_rng rng = ip_rng_at(8, 0);
    const double skin[3] = {.45, .28, .2};
    film_new(&f, W, H, 3, "linear", 0.f);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            double light = exp2(-1.5 * x / W), noise = .02 * ip_rng_normal(&rng);
            bool hair = (x * 7 + y * 13) % 9 == 0; /* a ninth of the box is something blue */
            for (int c = 0; c < 3; c++)
                ip_row(&f.frame[1].c[c], y)[x] = (float)(hair ? .03 + .2 * (c == 2) : skin[c] * light * (1. + (c == 0 ? noise : 0.)));
        }
    const ip_region region = {.frame = 1, .box = {20, 20, 150, 100}};
    assert_int_equal(ip_skin_measure(film_start(&f), &region, &s), IPOS_OK);
    double u, v;
    true_uv(skin, &u, &v);
    assert_true(ip_measured(&s.reading) && s.reading.frames == 1);
    assert_true(hypot(s.u - u, s.v - v) < .001);
    assert_true(s.kept > .8 && s.kept < .92);
    const double more[3] = {skin[0] * 1.02, skin[1], skin[2]};
    double u2, v2;
    true_uv(more, &u2, &v2);
    assert_true(fabs(sqrt(s.cov[0]) / fabs(u2 - u) - 1.) < .1); /* 2 % of red is one standard deviation */
    assert_true(fabs(s.stops - log2((.2126 * .45 + .7152 * .28 + .0722 * .2) / .18) + 1.5 * 95. / W) < .1);
    film_free(&f);
}

static void marks_that_hold_no_skin_are_refused(void **state) {
    (void)state;
    film f;
    ip_skin s;
    film_new(&f, W, H, 1, "linear", 0.f);
    ip_region region = {.box = {0, 0, 100, 100}};
    assert_int_equal(ip_skin_measure(film_start(&f), &region, &s), IPOS_OK);
    assert_non_null(strstr(s.reading.reason, "0 pixels")); /* black */
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int c = 0; c < 3; c++)
                ip_row(&f.frame[0].c[c], y)[x] = (x / 3 + y / 3 + c) % 3 == 0 ? .8f : .05f; /* red, green and blue tiles */
    assert_int_equal(ip_skin_measure(film_start(&f), &region, &s), IPOS_OK);
    assert_non_null(strstr(s.reading.reason, "more than one surface"));
    region.box.width = W + 1;
    assert_int_equal(ip_skin_measure(film_start(&f), &region, &s), IPOS_ERR_ARGUMENT);
    region = (ip_region){.frame = 1, .box = {0, 0, 10, 10}};
    assert_int_equal(ip_skin_measure(film_start(&f), &region, &s), IPOS_ERR_ARGUMENT);
    film_free(&f);
}

static void key_and_fill_of_a_wall(void **state) {
    (void)state;
    film f;
    ip_light l;
    film_new(&f, W, H, 1, "linear", 0.f);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            bool lit = x < W / 3;
            float grain = 1.f + .1f * film_texture(x, y, 3);
            const float key[3] = {.8f, .6f, .4f}, fill[3] = {.1f, .12f, .15f};
            for (int c = 0; c < 3; c++)
                ip_row(&f.frame[0].c[c], y)[x] = grain * (lit ? key[c] + fill[c] : fill[c]);
        }
    ip_region region = {.box = {0, 0, W, H}};
    assert_int_equal(ip_light_measure(film_start(&f), &region, &l), IPOS_OK);
    double lit = .2126 * .9 + .7152 * .72 + .0722 * .55, shade = .2126 * .1 + .7152 * .12 + .0722 * .15;
    assert_true(ip_measured(&l.reading));
    assert_true(fabs(l.ratio / (lit / shade) - 1.) < .03);
    assert_true(fabs(l.key_share - 1. / 3.) < .01);
    assert_true(fabs(l.key[0] - .9 / lit) < .02 && fabs(l.fill[2] - .15 / shade) < .02);
    assert_true(fabs(l.warmth - log2(.9 / .55 / (.1 / .15))) < .03);
    region.box = (ip_box_i){100, 0, 100, H}; /* shade alone */
    assert_int_equal(ip_light_measure(film_start(&f), &region, &l), IPOS_OK);
    assert_false(ip_measured(&l.reading));
    for (int y = 0; y < H; y++) /* a slope of brightness is no light and shade */
        for (int x = 0; x < W; x++)
            for (int c = 0; c < 3; c++)
                ip_row(&f.frame[0].c[c], y)[x] = .05f * exp2f(4.f * (float)x / W);
    region.box = (ip_box_i){0, 0, W, H};
    assert_int_equal(ip_light_measure(film_start(&f), &region, &l), IPOS_OK);
    assert_non_null(strstr(l.reading.reason, "no gap"));
    film_free(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(percentiles_of_a_ramp), cmocka_unit_test(bars_do_not_count_and_clipping_does),
        cmocka_unit_test(a_known_gain_is_read_from_a_moving_pair), cmocka_unit_test(frames_of_other_things_share_little),
        cmocka_unit_test(drift_follows_the_gains), cmocka_unit_test(a_cast_is_read_and_one_colour_is_not_a_balance),
        cmocka_unit_test(flicker_is_told_from_a_fade), cmocka_unit_test(cuts_are_not_flicker),
        cmocka_unit_test(skin_is_where_it_was_put_among_other_things), cmocka_unit_test(marks_that_hold_no_skin_are_refused),
        cmocka_unit_test(key_and_fill_of_a_wall)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
