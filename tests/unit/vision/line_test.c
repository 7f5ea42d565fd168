/* A straight line fainter than the noise it lies in. */
#include "line.h"
#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { W = 300, H = 260 };
static const float noise = .02f, right_angle = 1.57079633f;

/* Noise of `noise`; with contrast a line of three pixels through (150, 130) at `angle`, as far as `half` from there. */
static ip_plane_f noisy(float contrast, float angle, float half) {
    ip_plane_f plane;
    uint32_t state = 7;
    assert_int_equal(ip_plane_new(W, H, &plane), IPOS_OK);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            float sum = 0, dx = (float)x - 150, dy = (float)y - 130;
            for (int i = 0; i < 12; i++) { /* the sum of twelve: nearly normal, of deviation 1 */
                state = state * 1664525u + 1013904223u;
                sum += (float)(state >> 8) / 16777216.f - .5f;
            }
            bool on = fabsf(dx * sinf(angle) - dy * cosf(angle)) < 1.5f && fabsf(dx * cosf(angle) + dy * sinf(angle)) < half;
            ip_row(&plane, y)[x] = noise * sum + (on ? contrast : 0);
        }
    return plane;
}

static ip_plane_f evidence(const ip_plane_f *plane, float angle, int threads) {
    ip_plane_f out;
    assert_int_equal(ip_line_evidence(plane, angle, .15f, 1, threads, &out), IPOS_OK);
    assert_int_equal(out.width, W);
    assert_int_equal(out.height, H);
    return out;
}

/* Mean of the best of three pixels across, at distances `from`..`to` from the middle along the line. */
static float along(const ip_plane_f *out, float angle, float from, float to) {
    float sum = 0, count = 0;
    for (float t = from; t <= to; t++, count++) {
        float best = 0;
        for (float side = -1; side <= 1; side++) {
            float x = 150 + t * cosf(angle) - side * sinf(angle), y = 130 + t * sinf(angle) + side * cosf(angle);
            best = fmaxf(best, ip_row(out, (int)lrintf(y))[(int)lrintf(x)]);
        }
        sum += best;
    }
    return sum / count;
}

/* Share of all pixels that read at least `least`. */
static float share_above(const ip_plane_f *out, float least) {
    int count = 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            count += ip_row(out, y)[x] >= least;
    return (float)count / (W * H);
}

static void test_faint_line_at_every_angle(void **state) {
    (void)state;
    for (int k = 0; k < 8; k++) { /* told a tenth of a radian wrong */
        float angle = .25f * (float)k * right_angle + .07f;
        ip_plane_f with = noisy(.8f * noise, angle, 1000), found = evidence(&with, angle + .1f, 2);
        assert_true(along(&found, angle, -70, 70) > 2.4f);
        ip_plane_free(&found);
        found = evidence(&with, angle + .6f, 2); /* another direction does not see it */
        assert_true(along(&found, angle, -70, 70) < 1.7f);
        ip_plane_free(&found);
        ip_plane_free(&with);
    }
}

static void test_noise_is_no_line(void **state) {
    (void)state;
    ip_plane_f plane = noisy(0, 0, 0), found = evidence(&plane, 1.1f, 2);
    assert_true(share_above(&found, 2.1f) < .002f);
    ip_plane_free(&found);
    ip_plane_fill(&plane, .3f);
    found = evidence(&plane, 1.1f, 2);
    assert_true(share_above(&found, .01f) == 0);
    ip_plane_free(&found);
    ip_plane_free(&plane);
}

static void test_line_ends_where_it_ends(void **state) {
    (void)state;
    float angle = right_angle;
    ip_plane_f plane = noisy(1.5f * noise, angle, 60), found = evidence(&plane, angle, 2);
    assert_true(along(&found, angle, -40, 40) > 2.4f);
    assert_true(along(&found, angle, 95, 125) < 1.4f);
    ip_plane_free(&found);
    ip_plane_free(&plane);
}

static void test_bits_and_smallest(void **state) {
    (void)state;
    ip_plane_f plane = noisy(noise, .4f, 1000), one = evidence(&plane, .4f, 1), three = evidence(&plane, .4f, 3), out;
    for (int y = 0; y < H; y++)
        assert_memory_equal(ip_row(&one, y), ip_row(&three, y), W * sizeof(float));
    ip_plane_free(&three);
    ip_plane_free(&one);
    for (int size = 1; size < 12; size += 5) {
        ip_plane_f part = ip_plane_part(&plane, (ip_box_i){3, 4, size, 12 - size});
        assert_int_equal(ip_line_evidence(&part, 1.3f, .15f, 1, 2, &out), IPOS_OK);
        assert_int_equal(out.width, size);
        ip_plane_free(&out);
    }
    ip_plane_free(&plane);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_faint_line_at_every_angle), cmocka_unit_test(test_noise_is_no_line),
        cmocka_unit_test(test_line_ends_where_it_ends), cmocka_unit_test(test_bits_and_smallest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
