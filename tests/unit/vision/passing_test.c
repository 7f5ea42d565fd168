/* A faint line before a scene that the camera pans over: alone in what passes, whatever lies behind it. */
#include "passing.h"
#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { W = 320, H = 200, FRAMES = 7, MIDDLE_FRAME = 3 };
static const float contrast = .03f;

/* Frame t of a pan; the line stands at x = at, three pixels wide, if it moves by `swing` a frame. */
static ip_plane_f frame_at(int t, float swing, float gain) {
    const scene s = {.width = W, .height = H, .vx = 2.4, .vy = .7};
    ip_plane_f plane;
    assert_int_equal(ip_plane_new(W, H, &plane), IPOS_OK);
    int at = (int)lrintf(150 + swing * (float)(t - MIDDLE_FRAME));
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            ip_row(&plane, y)[x] = gain * (scene_at(&s, t, x, y) + (x >= at && x < at + 3 ? contrast : 0));
    return plane;
}

static void find(float swing, float other_gain, size_t count, ip_plane_f *out) {
    ip_plane_f frame = frame_at(MIDDLE_FRAME, swing, 1), others[FRAMES - 1];
    static const int order[FRAMES - 1] = {2, 4, 1, 5, 0, 6};
    for (size_t i = 0; i < count; i++)
        others[i] = frame_at(order[i], swing, other_gain);
    assert_int_equal(ip_plane_new(W, H, out), IPOS_OK);
    assert_int_equal(ip_passing(&frame, others, count, 2, out), IPOS_OK);
    ip_planes_free(others, count);
    ip_plane_free(&frame);
}

/* Mean over the line, and the root of the mean square beside it, away from the border. */
static void measure(const ip_plane_f *out, float *line, float *rest) {
    double on = 0, off = 0;
    int count_on = 0, count_off = 0;
    for (int y = 30; y < H - 30; y++)
        for (int x = 40; x < W - 40; x++) {
            float value = ip_row(out, y)[x];
            if (x >= 150 && x < 153) {
                on += value;
                count_on++;
            } else if (x < 148 || x > 155) {
                off += value * value;
                count_off++;
            }
        }
    *line = (float)(on / count_on);
    *rest = (float)sqrt(off / count_off);
}

static void what_moves_stands_alone(void **state) {
    (void)state;
    ip_plane_f out;
    float line, rest;
    find(9, 1, FRAMES - 1, &out);
    measure(&out, &line, &rest);
    assert_true(line > .75f * contrast && line < 1.1f * contrast);
    assert_true(rest < .15f * contrast); /* the scene itself spans .8 */
    ip_plane_free(&out);
}

static void what_hangs_on_the_scene_is_scene(void **state) {
    (void)state;
    ip_plane_f out;
    float line, rest;
    find(2.4f, 1, FRAMES - 1, &out);
    measure(&out, &line, &rest);
    assert_true(fabsf(line) < .3f * contrast);
    ip_plane_free(&out);
}

static void other_light_does_not_count(void **state) {
    (void)state;
    ip_plane_f out;
    float line, rest;
    find(9, .93f, FRAMES - 1, &out);
    measure(&out, &line, &rest);
    assert_true(line > .6f * contrast && line < 1.3f * contrast);
    assert_true(rest < .5f * contrast);
    ip_plane_free(&out);
}

static void without_two_neighbours_nothing_is_said(void **state) {
    (void)state;
    for (size_t count = 0; count < 2; count++) {
        ip_plane_f out;
        find(9, 1, count, &out);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                assert_true(ip_row(&out, y)[x] == 0);
        ip_plane_free(&out);
    }
}

static void another_scene_is_left_out(void **state) {
    (void)state;
    ip_plane_f frame = frame_at(0, 9, 1), others[2], out;
    for (int i = 0; i < 2; i++) {
        others[i] = frame_at(1, 9, 1);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                ip_row(&others[i], y)[x] = x < W / 2 ? 0 : 1;
    }
    assert_int_equal(ip_plane_new(W, H, &out), IPOS_OK);
    assert_int_equal(ip_passing(&frame, others, 2, 1, &out), IPOS_OK);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            assert_true(ip_row(&out, y)[x] == 0);
    ip_planes_free(others, 2);
    ip_plane_free(&frame);
    ip_plane_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_moves_stands_alone),
        cmocka_unit_test(what_hangs_on_the_scene_is_scene),
        cmocka_unit_test(other_light_does_not_count),
        cmocka_unit_test(without_two_neighbours_nothing_is_said),
        cmocka_unit_test(another_scene_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
