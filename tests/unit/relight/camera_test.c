/* Poses and points settled at once; what stops the sun: the main wall, things and their outlines. */
#include "cast.h"
#include "geometry.h"
#include "moving.h"
#include "round.h"
#include "trim.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { VIEWS = 7, POINTS = 150, WIDTH = 128, HEIGHT = 72 };
static const ip_lens lens = {500, 319.5, 179.5};

static double draw(int salt, int index, double low, double high) {
    ip_rng rng = ip_rng_at((uint64_t)salt, (uint64_t)index);
    return low + (high - low) * ip_rng_unit(&rng);
}

/* A camera that goes to the right and turns left as it goes. more: share by which it turns too far, which going less far hides. */
static ip_pose pose_at(int view, double more) {
    double angle = .015 * (view - VIEWS / 2) * (1 + more), away = .25 * (view - VIEWS / 2);
    ip_pose p = {{cos(angle), 0, sin(angle), 0, 1, 0, -sin(angle), 0, cos(angle)}, {0, 0, 0}};
    double centre[3] = {away, .01 * view, .04 * view};
    for (int i = 0; i < 3; i++)
        p.t[i] = -(p.r[3 * i] * centre[0] + p.r[3 * i + 1] * centre[1] + p.r[3 * i + 2] * centre[2]);
    return p;
}

static double turn(const ip_pose *a, const ip_pose *b) {
    double trace = 0;
    for (int i = 0; i < 9; i++)
        trace += a->r[i] * b->r[i];
    return acos(fmin(1, fmax(-1, (trace - 1) / 2)));
}

static bool asked_to_stop(const void *user) {
    (void)user;
    return false;
}

typedef struct set_up {
    ip_sighting seen[VIEWS * POINTS];
    ip_pose pose[VIEWS];
    double point[3 * POINTS];
} set_up;

/* Seen without error but for every 40th, which is off by far; poses turn too far, points are off. */
static void build(set_up *s) {
    for (int p = 0; p < POINTS; p++) {
        double depth = draw(1, p, 6, 40), world[3] = {depth * draw(2, p, -.5, .5), depth * draw(3, p, -.3, .3), depth};
        for (int v = 0; v < VIEWS; v++) {
            ip_pose true_pose = pose_at(v, 0);
            double c[3];
            for (int i = 0; i < 3; i++)
                c[i] = true_pose.r[3 * i] * world[0] + true_pose.r[3 * i + 1] * world[1] + true_pose.r[3 * i + 2] * world[2] + true_pose.t[i];
            double wrong = (p * VIEWS + v) % 40 == 7 ? 25 : 0;
            s->seen[p * VIEWS + v] = (ip_sighting){(uint32_t)v, (uint32_t)p, (float)(lens.focal * c[0] / c[2] + lens.cx + wrong), (float)(lens.focal * c[1] / c[2] + lens.cy)};
        }
        for (int k = 0; k < 3; k++)
            s->point[3 * p + k] = world[k] * draw(4, p, .94, .98);
    }
    for (int v = 0; v < VIEWS; v++)
        s->pose[v] = pose_at(v, .05);
}

static void test_adjust(void **state) {
    static set_up s, again;
    (void)state;
    build(&s);
    again = s;
    ip_pose first = pose_at(0, 0), last = pose_at(VIEWS - 1, 0);
    double wanted = turn(&first, &last), before = fabs(turn(&s.pose[0], &s.pose[VIEWS - 1]) - wanted);
    assert_int_equal(ip_geometry_adjust(s.seen, VIEWS * POINTS, &lens, VIEWS / 2, s.pose, VIEWS, s.point, NULL, NULL), IPOS_OK);
    assert_true(before > .04 * wanted);
    assert_true(fabs(turn(&s.pose[0], &s.pose[VIEWS - 1]) - wanted) < 2e-4 * wanted);
    ip_pose held = pose_at(VIEWS / 2, .05);
    for (int i = 0; i < 9; i++)
        assert_true(fabs(held.r[i] - s.pose[VIEWS / 2].r[i]) < 1e-12);
    assert_int_equal(ip_geometry_adjust(again.seen, VIEWS * POINTS, &lens, VIEWS / 2, again.pose, VIEWS, again.point, NULL, NULL), IPOS_OK);
    assert_memory_equal(&s.pose, &again.pose, sizeof s.pose);
    assert_int_equal(ip_geometry_adjust(s.seen, VIEWS * POINTS, &lens, 0, s.pose, VIEWS, s.point, asked_to_stop, NULL), IPOS_ERR_CANCELLED);
}

/* A wall 10 m ahead, a gap of 2 m in its middle, the sun behind the camera to the left. */
static void test_facade(void **state) {
    ip_room room = {.wall = {{.normal = {0, 0, -1}, .offset = -10, .low = -20, .high = 20, .weight = 1}}, .walls = 1};
    ip_lens small = {100, (WIDTH - 1) / 2., (HEIGHT - 1) / 2.};
    ip_set_frame frame = {.view.pose = {{1, 0, 0, 0, -1, 0, 0, 0, 1}, {0, 1.6, 0}}};
    const ip_set_frame *frames[1] = {&frame};
    double toward[3] = {-.6, .1, -.7937}, from_behind[3] = {-.6, .1, .7937};
    ip_facade facade;
    (void)state;
    assert_int_equal(ip_plane_new(WIDTH, HEIGHT, &frame.view.inverse), IPOS_OK);
    assert_int_equal(ip_plane_new(WIDTH, HEIGHT, &frame.kind), IPOS_OK);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            double across = 10 * (x - small.cx) / small.focal;
            ip_row(&frame.view.inverse, y)[x] = fabs(across) < 1 ? 1.f / 30 : 1.f / 10;
            ip_row(&frame.kind, y)[x] = IP_IS_UPRIGHT;
        }
    assert_int_equal(ip_facade_make(&room, frames, 1, &small, toward, &facade), IPOS_OK);
    const double before[3] = {3, 1, 8}, through[3] = {.6 / .7937 * 10, 1.6, 20}, closed[3] = {0, 1.6, 20}, far_aside[3] = {-40, 1.6, 20};
    assert_true(ip_facade_lit(&facade, before) == 1);   /* in front of the wall */
    assert_true(ip_facade_lit(&facade, through) > .95f); /* the ray goes through the gap */
    assert_true(ip_facade_lit(&facade, closed) < .05f);
    assert_true(ip_facade_lit(&facade, far_aside) < .05f); /* beyond the border the wall goes on */
    ip_facade_free(&facade);
    assert_int_equal(ip_facade_make(&room, frames, 1, &small, from_behind, &facade), IPOS_OK);
    assert_true(ip_facade_lit(&facade, closed) == 1); /* the wall does not stand between that sun and what is behind it */
    ip_facade_free(&facade);
    ip_plane_free(&frame.view.inverse);
    ip_plane_free(&frame.kind);
}

/* A red disk on grey, both uneven, and a mask that reaches 5 pixels over its edge. */
static void test_trim(void **state) {
    enum { SIZE = 160 };
    ip_image3 light;
    ip_plane_f mask;
    int wrong[2] = {0, 0};
    (void)state;
    assert_int_equal(ip_image3_new(640, SIZE, &light), IPOS_OK);
    assert_int_equal(ip_plane_new(640, SIZE, &mask), IPOS_OK);
    for (int pass = 0; pass < 2; pass++) {
        for (int y = 0; y < SIZE; y++)
            for (int x = 0; x < 640; x++) {
                double away = hypot(x - 300, y - 80);
                bool in = away < 40;
                if (!pass) {
                    ip_row(&mask, y)[x] = away < 45;
                    for (int c = 0; c < 3; c++)
                        ip_row(&light.c[c], y)[x] = (float)((in ? (c ? .1 : .4) : .3) * draw(5 + c, y * 640 + x, .7, 1.3));
                }
                wrong[pass] += (ip_row(&mask, y)[x] > 0) != in;
            }
        if (!pass)
            assert_int_equal(ip_trim(&light, 2, &mask), IPOS_OK);
    }
    assert_true(wrong[0] > 1000);
    assert_true(wrong[1] < 120); /* half a pixel of its circumference */
    ip_image3_free(&light);
    ip_plane_free(&mask);
}

/* Columns between a sixth and five sixths of the sun, seen from above, where half a plane so high over the ground stops a sun in the zenith. */
static int soft_columns(float high) {
    enum { CELLS = 200, BLOCKS = 17 };
    const ip_lens eye = {400, (WIDTH - 1) / 2., (HEIGHT - 1) / 2.};
    ip_room room = {.walls = 0};
    ip_set_frame f = {.view.pose = {{1, 0, 0, 0, 0, -1, 0, -1, 0}, {0, 0, 8}}};
    static float far[CELLS * CELLS], block[BLOCKS * BLOCKS];
    ip_caster caster = {.toward = {0, 1, 0}, .side = {1, 0, 0}, .over = {0, 0, -1}, .low = {-6, -6}, .cell = .06, .width = CELLS, .height = CELLS, .far = far,
        .blocks_wide = BLOCKS, .blocks_high = BLOCKS, .block = block};
    ip_plane_f *planes[4] = {&f.view.inverse, &f.view.agreeing, &f.room, &f.kind}, seen, behind;
    int soft = 0;
    for (int i = 0; i < CELLS * CELLS; i++)
        far[i] = i % CELLS < CELLS / 2 ? high : -1e9f;
    for (int i = 0; i < BLOCKS * BLOCKS; i++)
        block[i] = high;
    for (int k = 0; k < 4; k++)
        assert_int_equal(ip_plane_new(WIDTH, HEIGHT, planes[k]), IPOS_OK);
    assert_int_equal(ip_plane_new(WIDTH, HEIGHT, &seen), IPOS_OK);
    assert_int_equal(ip_plane_new(WIDTH, HEIGHT, &behind), IPOS_OK);
    ip_plane_fill(&f.room, 8);
    ip_plane_fill(&f.view.inverse, 1.f / 8);
    ip_plane_fill(&f.kind, IP_IS_GROUND);
    assert_int_equal(ip_cast_behind(&room, &f, &eye, 2, &behind), IPOS_OK);
    ip_caster_seen(&caster, &behind, &f, &eye, 2, &seen);
    assert_true(ip_row(&seen, HEIGHT / 2)[2] < .05f && ip_row(&seen, HEIGHT / 2)[WIDTH - 3] > .95f);
    for (int x = 0; x < WIDTH; x++)
        soft += ip_row(&seen, HEIGHT / 2)[x] > 1.f / 6 && ip_row(&seen, HEIGHT / 2)[x] < 5.f / 6;
    ip_plane_free(&seen);
    ip_plane_free(&behind);
    for (int k = 0; k < 4; k++)
        ip_plane_free(planes[k]);
    return soft;
}

static void test_softness(void **state) {
    (void)state;
    int near = soft_columns(4), far = soft_columns(16); /* 50 pixels a metre: 8 and 32 of the whole slope */
    assert_in_range(near, 3, 9);
    assert_in_range(far, 16, 28);
}

/* A post 1.2 m high that moves, 8 m off on plain ground, the sun to the left: its shadow lies to the right of its foot; one in the air throws none. */
static void test_moving(void **state) {
    const ip_lens eye = {120, (WIDTH - 1) / 2., 10};
    const double toward[3] = {-.8944, .4472, 0};
    ip_room room = {.walls = 0};
    ip_set_frame f = {.view.pose = {{1, 0, 0, 0, -1, 0, 0, 0, 1}, {0, 1.6, 0}}};
    ip_plane_f *planes[5] = {&f.view.inverse, &f.view.agreeing, &f.room, &f.kind, &f.wall}, seen, behind;
    (void)state;
    for (int k = 0; k < 5; k++)
        assert_int_equal(ip_plane_new(WIDTH, HEIGHT, planes[k]), IPOS_OK);
    assert_int_equal(ip_plane_new(WIDTH, HEIGHT, &seen), IPOS_OK);
    assert_int_equal(ip_plane_new(WIDTH, HEIGHT, &behind), IPOS_OK);
    int foot = (int)(eye.cy + 1.6 * eye.focal / 8), top = (int)(eye.cy + .4 * eye.focal / 8);
    for (int lifted = 0; lifted < 2; lifted++) {
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++) {
                bool ground = y > eye.cy + 1, post = abs(x - 50) <= 8 && y >= top - 10 * lifted && y <= foot - 21 * lifted;
                ip_row(&f.room, y)[x] = ground ? (float)(1.6 * eye.focal / (y - eye.cy)) : 1e4f;
                ip_row(&f.wall, y)[x] = ground ? 0 : -1;
                ip_row(&f.view.inverse, y)[x] = 1 / ip_row(&f.room, y)[x];
                ip_row(&f.kind, y)[x] = post ? IP_IS_MOVING : ground ? IP_IS_GROUND : IP_IS_SKY;
            }
        ip_plane_fill(&seen, 1);
        assert_int_equal(ip_cast_behind(&room, &f, &eye, 2, &behind), IPOS_OK);
        assert_int_equal(ip_moving_shade(&behind, &f, &eye, toward, 2, &seen), IPOS_OK);
        float right = ip_row(&seen, foot)[50 + 20], left = ip_row(&seen, foot)[50 - 20], beyond = ip_row(&seen, foot)[50 + 60];
        assert_true(lifted ? right > .99f : right < .1f); /* 1.2 m throw 2.4 m: 36 pixels */
        assert_true(left > .99f && beyond > .99f);
    }
    ip_plane_free(&seen);
    ip_plane_free(&behind);
    for (int k = 0; k < 5; k++)
        ip_plane_free(planes[k]);
}

/* A pole 10 pixels wide and a crown of 60, of a picture 640 wide, with the sun to the left behind the camera. */
static void test_round(void **state) {
    ip_set_frame f = {.view.pose = {{1, 0, 0, 0, -1, 0, 0, 0, 1}, {0, 1.6, 0}}};
    ip_relight_pair pair = {.old.toward = {0, .6, -.8}, .now.toward = {-.8, .2, -.5657}};
    ip_surface s;
    (void)state;
    assert_int_equal(ip_plane_new(640, 8, &f.kind), IPOS_OK);
    assert_int_equal(ip_surface_new(640, 8, &s), IPOS_OK);
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 640; x++) {
            ip_row(&f.kind, y)[x] = (x >= 100 && x < 110) || (x >= 300 && x < 360) ? IP_IS_THING : IP_IS_UPRIGHT;
            ip_row(&s.facing[0], y)[x] = ip_row(&s.facing[1], y)[x] = .4f;
            ip_row(&s.seen[0], y)[x] = ip_row(&s.seen[1], y)[x] = 1;
        }
    assert_int_equal(ip_round_things(&f, &pair, &s), IPOS_OK);
    const float *old = ip_row(&s.facing[0], 4), *now = ip_row(&s.facing[1], 4), *seen = ip_row(&s.seen[1], 4);
    assert_true(now[100] > .75f && now[105] > .3f && now[105] < .6f && now[109] < .03f); /* lit from the left */
    assert_true(fabsf(old[104] - old[105]) < .02f && old[104] > .75f);                   /* from the front */
    assert_true(seen[104] == 1 && ip_row(&s.seen[0], 4)[330] == 1);
    assert_true(now[330] == .4f && fabsf(seen[330] - .65f) < 1e-6f);
    assert_true(now[200] == .4f && seen[200] == 1);
    ip_surface_free(&s);
    ip_plane_free(&f.kind);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_adjust), cmocka_unit_test(test_facade), cmocka_unit_test(test_trim), cmocka_unit_test(test_softness), cmocka_unit_test(test_moving),
        cmocka_unit_test(test_round)};
    return cmocka_run_group_tests_name("relight camera", tests, NULL, NULL);
}
