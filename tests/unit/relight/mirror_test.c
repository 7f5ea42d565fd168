/* Panes and metal: where they are found, and what they show under another light. */
#include "mask.h"
#include "reflect.h"
#include "shine.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { WIDTH = 320, HEIGHT = 180, POLE = 60, TRUNK = 120, PANE = 180, BROWN = 240, ACROSS = 8 };
static const ip_lens lens = {.9 * WIDTH, .5 * (WIDTH - 1), .5 * (HEIGHT - 1)};
static const ip_pose level = {{1, 0, 0, 0, -1, 0, 0, 0, 1}, {0, 1.7, 0}};
static const ip_light_ask noon = {160, 58, IP_CLEAR, 1, 0}, left = {-120, 7, IP_CLEAR, 1, 0}, right = {120, 7, IP_CLEAR, 1, 0}, dull = {0, 40, IP_OVERCAST, 1, 0};

static void near(double got, double wanted, double within, const char *what) {
    if (!(fabs(got - wanted) <= within))
        fail_msg("%s: %g, expected %g within %g", what, got, wanted, within);
}

static void test_runs(void **state) {
    (void)state;
    static const float row[8] = {0, 1, 1, 0, 0, .5f, 0, 1};
    int from = 0, to = 0;
    assert_true(ip_mask_run(row, 8, &from, &to) && from == 1 && to == 3);
    assert_true(ip_mask_run(row, 8, &from, &to) && from == 5 && to == 6);
    assert_true(ip_mask_run(row, 8, &from, &to) && from == 7 && to == 8);
    assert_true(!ip_mask_run(row, 8, &from, &to));
}

static void paint(const ip_image3 *light, int x0, int x1, int y0, int y1, float r, float g, float b) {
    const float rgb[3] = {r, g, b};
    for (int c = 0; c < 3; c++)
        for (int y = y0; y < y1; y++)
            for (int x = x0; x < x1; x++)
                ip_row(&light->c[c], y)[x] = rgb[c];
}

/* A bright wall with a grey pole, a brown trunk, a dark grey pane and a dark brown patch as large. */
static void make_street(ip_image3 *light, ip_set_frame *frame) {
    *frame = (ip_set_frame){.view = {.pose = level}};
    assert_int_equal(ip_image3_new(WIDTH, HEIGHT, light), IPOS_OK);
    assert_int_equal(ip_plane_new(WIDTH, HEIGHT, &frame->kind), IPOS_OK);
    ip_plane_fill(&frame->kind, IP_IS_UPRIGHT);
    paint(light, 0, WIDTH, 0, HEIGHT, .6f, .45f, .3f);
    paint(light, POLE, POLE + ACROSS, 0, HEIGHT, .1f, .1f, .11f);
    paint(light, TRUNK, TRUNK + ACROSS, 0, HEIGHT, .12f, .07f, .04f);
    paint(light, PANE, PANE + 20, 40, 70, .045f, .05f, .054f);
    paint(light, BROWN, BROWN + 20, 40, 70, .12f, .06f, .03f);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < ACROSS; x++)
            ip_row(&frame->kind, y)[POLE + x] = ip_row(&frame->kind, y)[TRUNK + x] = IP_IS_THING;
}

static void shine(const ip_set_frame *frame, const ip_image3 *light, const ip_light_ask *now, ip_surface *surface) {
    ip_relight_pair pair;
    assert_int_equal(ip_daylight_pair(&noon, now, &pair), IPOS_OK);
    assert_int_equal(ip_surface_new(WIDTH, HEIGHT, surface), IPOS_OK);
    ip_plane_fill(&surface->sky, 0);
    assert_int_equal(ip_shine_find(frame, &lens, light, &pair, 2, surface), IPOS_OK);
}

static float most_of(const ip_plane_f *plane, int x0, int x1) {
    float most = 0;
    for (int y = 20; y < HEIGHT - 20; y++)
        for (int x = x0; x < x1; x++)
            most = fmaxf(most, ip_row(plane, y)[x]);
    return most;
}

static void test_shine(void **state) {
    (void)state;
    ip_image3 light;
    ip_set_frame frame;
    ip_surface s;
    make_street(&light, &frame);
    shine(&frame, &light, &left, &s);
    near(ip_row(&s.pane, 55)[PANE + 10], 1, .05, "a pane");
    near(ip_row(&s.pane, 55)[BROWN + 10], 0, 1e-6, "dark and brown");
    near(ip_row(&s.pane, 100)[PANE + 10], 0, 1e-6, "a wall");
    near(ip_row(&s.pane, 55)[POLE + 4], 0, .05, "a pole");
    near(most_of(&s.glint, TRUNK - 4, TRUNK + ACROSS + 4), 0, 1e-6, "a trunk");
    near(most_of(&s.glint, PANE - 4, WIDTH), 0, 0, "walls");
    float lit = most_of(&s.glint, POLE, POLE + 4), away = most_of(&s.glint, POLE + 5, POLE + ACROSS);
    assert_true(lit > .3f && lit <= 1 && away < .3f * lit);
    ip_surface_free(&s);
    shine(&frame, &light, &right, &s);
    assert_true(most_of(&s.glint, POLE + 4, POLE + ACROSS) > .3f && most_of(&s.glint, POLE, POLE + 3) < .2f);
    ip_surface_free(&s);
    shine(&frame, &light, &dull, &s);
    near(most_of(&s.glint, 0, WIDTH), 0, 0, "no sun");
    ip_surface_free(&s);
    ip_set_frame_free(&frame);
    ip_image3_free(&light);
}

static void test_reflect(void **state) {
    (void)state;
    enum { HIGH = 30, LOW = 150 };
    const ip_sky_view view = {&level, lens, 0};
    ip_mirrors mirrors = {{0, 0, -1}, 1.5, 1, .5f};
    ip_relight_pair pair;
    ip_image3 light, gain;
    ip_surface s;
    double ray[3], change[3], white;
    assert_int_equal(ip_daylight_pair(&noon, &left, &pair), IPOS_OK);
    assert_int_equal(ip_image3_new(WIDTH, HEIGHT, &light), IPOS_OK);
    assert_int_equal(ip_image3_new(WIDTH, HEIGHT, &gain), IPOS_OK);
    assert_int_equal(ip_surface_new(WIDTH, HEIGHT, &s), IPOS_OK);
    ip_plane_fill(&s.sky, 0);
    paint(&light, 0, WIDTH, 0, HEIGHT, .2f, .2f, .2f);
    paint(&gain, 0, WIDTH, 0, HEIGHT, .25f, .25f, .25f);
    ip_row(&s.pane, HIGH)[40] = ip_row(&s.pane, LOW)[40] = 1;
    ip_row(&s.glint, LOW)[80] = .5f;
    ip_row(&s.glint, LOW)[90] = .5f;
    ip_row(&s.seen[IP_NEW_SUN], LOW)[90] = 0;
    ip_reflect(&s, &pair, &view, &mirrors, &light, 2, &gain);
    ip_sky_ray(&view, 40, HIGH, ray);
    ray[2] = -ray[2];
    ip_sky_change(&pair, ray, change);
    for (int c = 0; c < 3; c++) {
        double kept = exp2(.25), more = exp2(.5), ground = ip_light_falls(&pair.now, c, pair.now.toward[1], 1) / ip_light_falls(&pair.old, c, pair.old.toward[1], 1);
        near(ip_row(&gain.c[c], HIGH)[40], log2(.7 * kept + .3 * more * pair.sky[c] * exp2(change[c])), 1e-5, "a pane that shows sky");
        near(ip_row(&gain.c[c], LOW)[40], log2(.7 * kept + .3 * more * ground), 1e-5, "a pane that shows ground");
        near(ip_row(&gain.c[c], LOW)[80], log2(kept + more * 1.5 * .5 * pair.now.sun[c] / (double).2f), 1e-5, "a glint");
        near(ip_row(&gain.c[c], LOW)[90], .25, 0, "a glint in the shade");
        near(ip_row(&gain.c[c], HIGH)[200], .25, 0, "what does not mirror");
    }
    paint(&gain, 0, WIDTH, 0, HEIGHT, .25f, .25f, .25f);
    mirrors.amount = 0;
    ip_reflect(&s, &pair, &view, &mirrors, &light, 2, &gain);
    mirrors.amount = 1;
    pair.now = pair.old;
    ip_reflect(&s, &pair, &view, &mirrors, &light, 2, &gain);
    near(ip_row(&gain.c[0], LOW)[80], .25, 0, "not asked for, or one light");

    double rgb = .6 * ip_light_level(&pair.old, 1, 1);
    paint(&light, 0, WIDTH, 0, HEIGHT, (float)rgb, (float)rgb, (float)rgb);
    ip_plane_fill(&s.passing, 1); /* as what stands still: everything */
    assert_int_equal(ip_reflect_white(&light, &s, &s.passing, &pair, &white), IPOS_OK);
    near(white, 2, 1e-5, "white");
    ip_plane_fill(&s.passing, 0);
    assert_int_equal(ip_reflect_white(&light, &s, &s.passing, &pair, &white), IPOS_OK);
    near(white, 0, 0, "nothing to look at");
    ip_surface_free(&s);
    ip_image3_free(&light);
    ip_image3_free(&gain);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_runs), cmocka_unit_test(test_shine), cmocka_unit_test(test_reflect)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
