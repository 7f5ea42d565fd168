/* Curves followed through maps whose best path is known. */
#include "ridge.h"
#include "wire_track.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { W = 240, H = 160 };

static float true_y(float x) {
    return 80 + 18 * sinf(x / 35);
}

/* A map that is bright on the sine, faint noise elsewhere; nothing where hole says so. */
static ip_wire_map sine_map(int gap_from, int gap_to) {
    ip_wire_map map = {.x = 10, .y = 5};
    assert_int_equal(ip_plane_new(W, H, &map.plane), IPOS_OK);
    ip_rng rng = ip_rng_at(3, 0);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            float px = (float)(map.x + x) + .5f, away = fabsf((float)(map.y + y) + .5f - true_y(px));
            bool gone = x >= gap_from && x < gap_to;
            ip_row(&map.plane, y)[x] = fmaxf(.1f * (float)ip_rng_unit(&rng), gone ? 0 : fmaxf(0, 1 - away / 3));
        }
    return map;
}

static ip_curve straight(float x0, float y0, float x1, float y1) {
    const ip_point ends[2] = {{x0, y0}, {x1, y1}};
    ip_curve out;
    assert_int_equal(ip_curve_spline(ends, 2, 3, &out), IPOS_OK);
    return out;
}

static float worst(const ip_trace *trace, float left, float right) {
    float most = 0;
    for (size_t i = 0; i < trace->curve.count; i++)
        if (trace->curve.at[i].x > left && trace->curve.at[i].x < right)
            most = fmaxf(most, fabsf(trace->curve.at[i].y - true_y(trace->curve.at[i].x)));
    return most;
}

static void a_straight_guess_bends_to_the_curve(void **state) {
    (void)state;
    ip_wire_map map = sine_map(0, 0);
    ip_curve guess = straight(20, 80, 240, 80);
    ip_trace trace;
    const ip_trace_options options = {.step = 3, .reach = 24, .stay = .5f};
    assert_int_equal(ip_trace_find(&map, &guess, &options, &trace), IPOS_OK);
    assert_true(worst(&trace, 25, 235) < 1.5f);
    assert_true(ip_trace_share(&trace, .5f) > .95f);
    ip_trace_free(&trace);
    ip_curve_free(&guess);
    ip_plane_free(&map.plane);
}

static void ends_swing_further_than_the_search_reaches(void **state) {
    (void)state;
    ip_wire_map map = {.x = 0, .y = 0};
    assert_int_equal(ip_plane_new(W, H, &map.plane), IPOS_OK);
    ip_curve line = straight(10, 30, 230, 110), guess = straight(10, 70, 230, 70);
    ip_curve_band(&line, NULL, 1, 1, 0, 0, &map.plane);
    for (int swept = 0; swept < 2; swept++) {
        ip_trace trace;
        const ip_trace_options options = {.step = 3, .reach = 8, .stay = .5f, .sweep = swept ? 60 : 0};
        assert_int_equal(ip_trace_find(&map, &guess, &options, &trace), IPOS_OK);
        assert_true(swept ? ip_trace_share(&trace, .5f) > .95f : ip_trace_share(&trace, .5f) < .6f);
        ip_trace_free(&trace);
    }
    ip_curve_free(&line);
    ip_curve_free(&guess);
    ip_plane_free(&map.plane);
}

static void ends_grow_and_are_cut_back(void **state) {
    (void)state;
    ip_wire_map map = sine_map(180, W); /* the wire ends at x = 190 */
    ip_curve guess = straight(100, true_y(100), 160, true_y(160));
    ip_trace trace;
    const ip_trace_options options = {.step = 3, .reach = 12, .stay = .5f, .grow = 60};
    assert_int_equal(ip_trace_find(&map, &guess, &options, &trace), IPOS_OK);
    size_t before = trace.curve.count;
    ip_trace_trim(&trace, .5f, 30, W + 10, H + 5);
    assert_true(trace.curve.count < before);
    assert_true(fabsf(trace.curve.at[trace.curve.count - 1].x - 190) < 8);
    assert_true(trace.curve.at[0].x < 70);
    before = trace.curve.count;
    ip_trace_trim(&trace, 2, 3, W + 10, H + 5); /* nothing is enough: three points a side go, no more */
    assert_int_equal(trace.curve.count, before - 6);
    ip_trace_trim(&trace, 0, 0, 100, H); /* what lies outside the picture goes whatever it shows */
    for (size_t i = 0; i < trace.curve.count; i++)
        assert_true(trace.curve.at[i].x <= 100);
    ip_trace_free(&trace);
    ip_curve_free(&guess);
    ip_plane_free(&map.plane);
}

static void widths_are_measured(void **state) {
    (void)state;
    static const float widths[] = {2, 4, 9};
    for (size_t i = 0; i < IP_COUNT(widths); i++) {
        ip_plane_f luma;
        assert_int_equal(ip_plane_new(W, H, &luma), IPOS_OK);
        ip_curve line = straight(10, 40, 230, 100);
        ip_curve_band(&line, NULL, .5f * widths[i] - .5f, 1, 0, 0, &luma);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                ip_row(&luma, y)[x] = .3f + .001f * (float)x + .4f * ip_row(&luma, y)[x];
        float width;
        assert_int_equal(ip_curve_width(&luma, &line, 14, &width), IPOS_OK);
        if (fabsf(width - widths[i]) > .6f)
            fail_msg("a line of %.0f px is measured as %.2f", (double)widths[i], (double)width);
        ip_curve_free(&line);
        ip_plane_free(&luma);
    }
}

static void ridges_are_lines_and_not_edges(void **state) {
    (void)state;
    ip_plane_f plane, ridges;
    assert_int_equal(ip_plane_new(W, H, &plane), IPOS_OK);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            ip_row(&plane, y)[x] = (x > 150 ? .7f : .3f) + (y >= 50 && y < 53 ? .15f : 0) - (y == 110 ? .15f : 0);
    assert_int_equal(ip_ridges(&plane, .05f, 2, &ridges), IPOS_OK);
    assert_true(ip_row(&ridges, 51)[60] > .5f);  /* bright, 3 px */
    assert_true(ip_row(&ridges, 110)[60] > .5f); /* dark, 1 px */
    assert_true(ip_row(&ridges, 80)[60] < .05f);
    for (int x = 140; x < 160; x++)
        assert_true(ip_row(&ridges, 80)[x] < .2f); /* the edge */
    ip_plane_free(&plane);
    ip_plane_free(&ridges);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_straight_guess_bends_to_the_curve),
        cmocka_unit_test(ends_swing_further_than_the_search_reaches),
        cmocka_unit_test(ends_grow_and_are_cut_back),
        cmocka_unit_test(widths_are_measured),
        cmocka_unit_test(ridges_are_lines_and_not_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
