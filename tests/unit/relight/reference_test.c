/* Light by a reference take: what is measured, how far the formula is led; and the sky. */
#include "reference.h"
#include "surface.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { WIDTH = 160, HEIGHT = 90 };
static const double grey[3] = {1, 1, 1};

static void pair_of(ip_relight_pair *pair) {
    ip_light_ask old, now;
    assert_true(ip_light_preset("midday", &old) && ip_light_preset("golden-hour", &now));
    old.azimuth = 150;
    now.azimuth = -120;
    assert_int_equal(ip_daylight_pair(&old, &now, pair), IPOS_OK);
}

/* Surfaces of many greys, three fifths of them in the sun. */
static void picture_of(const ip_daylight *light, const double tint[3], int pattern, ip_image3 *out) {
    assert_int_equal(ip_image3_new(WIDTH, HEIGHT, out), IPOS_OK);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            double surface = .3 + .1 * sin(.9 * x + pattern) * cos(1.3 * y) + .05 * sin(.31 * (x + 2 * y));
            for (int c = 0; c < 3; c++)
                ip_row(&out->c[c], y)[x] = (float)(tint[c] * surface * (light->ambient[c] + (x % 50 < 30 ? .6 * light->sun[c] : 0)));
        }
}

static void light_of(const ip_daylight *light, const double tint[3], int pattern, ip_light_of *out) {
    ip_image3 picture[2];
    picture_of(light, tint, pattern, &picture[0]);
    picture_of(light, tint, pattern + 1, &picture[1]);
    assert_int_equal(ip_light_of_pictures(picture, 2, 0, 2, out), IPOS_OK);
    assert_string_equal(out->reason, "");
    ip_image3_free(&picture[0]);
    ip_image3_free(&picture[1]);
}

static void light_and_shade_are_read(void **state) {
    (void)state;
    ip_relight_pair pair;
    ip_light_of read;
    pair_of(&pair);
    light_of(&pair.old, grey, 0, &read);
    double lit[3], level, shade = ip_luminance(pair.old.ambient);
    for (int c = 0; c < 3; c++)
        lit[c] = .6 * pair.old.sun[c] + pair.old.ambient[c];
    level = ip_luminance(lit);
    for (int c = 0; c < 3; c++) {
        assert_true(fabs(read.key[c] - lit[c] / level) < .01);
        assert_true(fabs(read.fill[c] - pair.old.ambient[c] / shade) < .01);
    }
    assert_true(fabs(log2(read.ratio * shade / level)) < .05);
    assert_true(read.share > .99 && read.sky[1] == 0);
}

/* Led from the formula by a reference whose light is the formula's, times a tint. */
static void lead(const double tint[3], ip_relight_pair *formula, ip_relight_pair *led) {
    ip_light_of shot, reference;
    pair_of(formula);
    *led = *formula;
    light_of(&formula->old, grey, 0, &shot);
    light_of(&formula->now, tint, 5, &reference);
    ip_reference_lead(&shot, &reference, led);
    for (int c = 0; c < 3; c++) {
        assert_true(led->now.toward[c] == formula->now.toward[c] && led->old.sun[c] == formula->old.sun[c] && led->old.ambient[c] == formula->old.ambient[c]);
        assert_true(led->sky[c] == formula->sky[c]); /* none is seen */
    }
    assert_true(fabs(ip_luminance(led->now.sun) - ip_luminance(formula->now.sun)) < 1e-9);
}

static double warmth(const double rgb[3]) { return log(rgb[0] / rgb[2]); }

static void the_formula_stays_where_it_is_right(void **state) {
    (void)state;
    ip_relight_pair formula, led;
    lead(grey, &formula, &led);
    for (int c = 0; c < 3; c++) {
        assert_true(fabs(led.now.sun[c] / formula.now.sun[c] - 1) < .02);
        assert_true(fabs(led.now.ambient[c] / formula.now.ambient[c] - 1) < .02);
    }
}

static void a_tint_is_followed_in_part(void **state) {
    (void)state;
    ip_relight_pair formula, led;
    lead((const double[]){1.05, 1, .9}, &formula, &led); /* as little as paint makes */
    assert_true(fabs(warmth(led.now.sun) - warmth(formula.now.sun)) < .02);
    lead((const double[]){1.3, 1, .6}, &formula, &led);
    double wanted = .7 * (log(1.3 / .6) - .2);
    assert_true(fabs(warmth(led.now.sun) - warmth(formula.now.sun) - wanted) < .02);
    assert_true(fabs(warmth(led.now.ambient) - warmth(formula.now.ambient) - wanted) < .02);
    lead((const double[]){.7, 1, 1.4}, &formula, &led);
    assert_true(warmth(led.now.sun) < warmth(formula.now.sun) - .2);
}

static void it_is_not_led_far(void **state) {
    (void)state;
    ip_relight_pair formula, led;
    lead((const double[]){9, 1, .02}, &formula, &led);
    assert_true(warmth(led.now.sun) - warmth(formula.now.sun) < .7 + 1e-6);
    assert_true(warmth(led.now.ambient) - warmth(formula.now.ambient) < .7 + 1e-6);
    assert_true(warmth(led.now.sun) - warmth(formula.now.sun) > .5);
}

static void skies_are_compared(void **state) {
    (void)state;
    ip_relight_pair pair, formula;
    ip_light_of shot, reference;
    pair_of(&formula);
    light_of(&formula.old, grey, 0, &shot);
    light_of(&formula.now, grey, 5, &reference);
    double was[3], is[3];
    for (int c = 0; c < 3; c++) {
        was[c] = .6 * formula.old.sun[c] + formula.old.ambient[c];
        is[c] = .6 * formula.now.sun[c] + formula.now.ambient[c];
    }
    for (int c = 0; c < 3; c++) { /* what the formula would make of the shot's sky, with .7 of its blue */
        shot.sky[c] = .2 * (c + 1);
        reference.sky[c] = shot.sky[c] * formula.sky[c] * ip_luminance(was) / ip_luminance(is) * (c == 2 ? .7 : 1);
    }
    pair = formula;
    ip_reference_lead(&shot, &reference, &pair);
    assert_true(fabs(pair.sky[0] - formula.sky[0]) < 1e-6 && fabs(pair.sky[2] / formula.sky[2] - exp(.7 * (log(.7) + .1))) < .01);
}

static void nothing_to_go_by(void **state) {
    (void)state;
    ip_image3 black;
    ip_light_of read;
    assert_int_equal(ip_image3_new(WIDTH, HEIGHT, &black), IPOS_OK);
    assert_int_equal(ip_light_of_pictures(&black, 1, 0, 1, &read), IPOS_OK);
    assert_non_null(strstr(read.reason, "neither sky nor black"));
    for (int c = 0; c < 3; c++)
        ip_plane_fill(&black.c[c], .3f);
    assert_int_equal(ip_light_of_pictures(&black, 1, 0, 1, &read), IPOS_OK);
    assert_non_null(strstr(read.reason, "do not come apart"));
    for (int c = 0; c < 3; c++)
        ip_plane_fill(&black.c[c], 1);
    assert_int_equal(ip_light_of_pictures(&black, 1, 1, 1, &read), IPOS_OK);
    assert_true(read.reason[0] != 0); /* clipped */
    ip_image3_free(&black);
}

/* Sky to the right of a wall; to the left, cut off by it, a piece half a stop darker of the same hue, and a window two stops darker. */
static void sky_that_is_cut_off(void **state) {
    (void)state;
    enum { WIDE = 640, HIGH = 360 };
    static const float blue[3] = {.45f, .62f, .8f};
    ip_image3 light;
    ip_plane_f sky;
    assert_int_equal(ip_image3_new(WIDE, HIGH, &light), IPOS_OK);
    assert_int_equal(ip_plane_new(WIDE, HIGH, &sky), IPOS_OK);
    for (int y = 0; y < HIGH; y++)
        for (int x = 0; x < WIDE; x++)
            for (int c = 0; c < 3; c++) {
                float wall = .3f + .15f * sinf(1.1f * (float)x) * sinf((float)y), share = 0;
                if (y < 200 && x > 260)
                    share = 1;
                else if (y > 60 && y < 160 && x > 150 && x < 200)
                    share = .7f;
                else if (y > 60 && y < 160 && x > 40 && x < 90)
                    share = .25f;
                ip_row(&light.c[c], y)[x] = share > 0 ? share * blue[c] : wall;
            }
    assert_int_equal(ip_sky_find(&light, 2, &sky), IPOS_OK);
    assert_true(ip_row(&sky, 100)[450] > .95f);
    assert_true(ip_row(&sky, 110)[175] > .95f);
    assert_true(ip_row(&sky, 110)[65] < .05f);
    assert_true(ip_row(&sky, 300)[400] < .05f);
    ip_plane_free(&sky);
    ip_image3_free(&light);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(light_and_shade_are_read), cmocka_unit_test(the_formula_stays_where_it_is_right), cmocka_unit_test(a_tint_is_followed_in_part),
        cmocka_unit_test(it_is_not_led_far), cmocka_unit_test(skies_are_compared), cmocka_unit_test(nothing_to_go_by), cmocka_unit_test(sky_that_is_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
