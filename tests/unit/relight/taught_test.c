/* Grids of affine changes, agreement along a motion, gains from other days. */
#include "curves.h"
#include "days.h"
#include "taught.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { WIDTH = 160, HEIGHT = 90 };

static float colour(int x, int y, int c) { return (float)(.5 + .3 * sin(.21 * x + .4 * c) * cos(.13 * y - .3 * c) + .1 * sin(.9 * x + 1.3 * y)); }

/* Left half one change, right half another; both mix channels. */
static float changed(const float rgb[3], int x, int c) {
    return x < WIDTH / 2 ? .8f * rgb[c] + .05f : .5f * rgb[c] + .15f * rgb[(c + 1) % 3];
}

static void fill(ip_image3 *from, ip_image3 *to) {
    assert_int_equal(ip_image3_new(WIDTH, HEIGHT, from), IPOS_OK);
    assert_int_equal(ip_image3_new(WIDTH, HEIGHT, to), IPOS_OK);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            float rgb[3] = {colour(x, y, 0), colour(x, y, 1), colour(x, y, 2)};
            for (int c = 0; c < 3; c++) {
                ip_row(&from->c[c], y)[x] = rgb[c];
                ip_row(&to->c[c], y)[x] = changed(rgb, x, c);
            }
        }
}

static void a_grid_learns_by_place(void **state) {
    (void)state;
    ip_image3 from, to;
    ip_grid grid;
    double error = 0, before = 0;
    fill(&from, &to);
    assert_int_equal(ip_grid_fit(&from, &to, NULL, &grid), IPOS_OK);
    for (int y = 3; y < HEIGHT; y += 7)
        for (int x = 3; x < WIDTH; x += 7) {
            float rgb[3] = {colour(x, y, 0), colour(x, y, 1), colour(x, y, 2)}, out[3];
            if (x > WIDTH / 2 - 12 && x < WIDTH / 2 + 12)
                continue;
            ip_grid_at(&grid, ((float)x + .5f) / WIDTH, ((float)y + .5f) / HEIGHT, rgb, out);
            for (int c = 0; c < 3; c++) {
                error += fabs((double)out[c] - (double)changed(rgb, x, c));
                before += fabs((double)rgb[c] - (double)changed(rgb, x, c));
            }
        }
    assert_true(error < .2 * before);
    ip_grid_free(&grid);
    ip_image3_free(&from);
    ip_image3_free(&to);
}

/* Learned on greys that turn warm: a teal thing loses its blue, not its red, and does not turn blue or grey. */
static void what_was_not_seen_keeps_its_colour(void **state) {
    (void)state;
    ip_image3 from, to;
    ip_grid grid;
    fill(&from, &to);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            for (int c = 0; c < 3; c++) {
                float grey = colour(x, y, 0);
                ip_row(&from.c[c], y)[x] = grey;
                ip_row(&to.c[c], y)[x] = grey * (c == 0 ? 1 : c == 1 ? .8f : .5f);
            }
    assert_int_equal(ip_grid_fit(&from, &to, NULL, &grid), IPOS_OK);
    const float teal[3] = {.2f, .7f, .65f};
    float out[3];
    ip_grid_at(&grid, .3f, .6f, teal, out);
    assert_true(fabsf(out[0] - .2f) < .05f && fabsf(out[1] - .56f) < .05f && fabsf(out[2] - .325f) < .05f);
    ip_grid_free(&grid);
    ip_image3_free(&from);
    ip_image3_free(&to);
}

static void agreement_along_the_motion(void **state) {
    (void)state;
    ip_image3 here, there;
    ip_plane_f flow[2], sure;
    fill(&here, &there);
    assert_int_equal(ip_planes_new(WIDTH, HEIGHT, flow, 2), IPOS_OK);
    assert_int_equal(ip_plane_new(WIDTH, HEIGHT, &sure), IPOS_OK);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            for (int c = 0; c < 3; c++)
                ip_row(&there.c[c], y)[x] = x > 100 && x < 130 ? 1 - colour(x - 5, y, c) : colour(x - 5, y, c);
    ip_plane_fill(&flow[0], 5);
    assert_int_equal(ip_taught_sure(&here, &there, flow, 2, &sure), IPOS_OK);
    assert_true(ip_row(&sure, 40)[50] > .95f);
    assert_true(ip_row(&sure, 40)[WIDTH - 2] == 0); /* out of the picture */
    double mean = 0;
    for (int x = 105; x < 115; x++)
        mean += (double)ip_row(&sure, 40)[x] / 10;
    assert_true(mean < .5);
    ip_plane_free(&sure);
    ip_planes_free(flow, 2);
    ip_image3_free(&here);
    ip_image3_free(&there);
}

/* Two views of one plate, sure alike, no motion. Over part of the picture the darker says half of what the lighter does: no ghost of both. */
static void one_view_is_followed_where_two_contradict(void **state) {
    (void)state;
    ip_image3 plate, other, lighter, darker, light;
    ip_plane_f flow[2], sure, seen;
    ip_grid grid;
    fill(&plate, &other);
    fill(&lighter, &light);
    assert_int_equal(ip_image3_new(WIDTH, HEIGHT, &darker), IPOS_OK);
    assert_int_equal(ip_planes_new(WIDTH, HEIGHT, flow, 2), IPOS_OK);
    assert_int_equal(ip_plane_new(WIDTH, HEIGHT, &sure), IPOS_OK);
    assert_int_equal(ip_plane_new(WIDTH, HEIGHT, &seen), IPOS_OK);
    ip_plane_fill(&sure, 1);
    assert_int_equal(ip_grid_fit(&plate, &lighter, NULL, &grid), IPOS_OK);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++) { /* plate and light: one even grey; views: .8, and .1 from x = 80 on */
                ip_row(&plate.c[c], y)[x] = .7f;
                ip_row(&light.c[c], y)[x] = ip_srgb_to_linear(.7f);
                ip_row(&lighter.c[c], y)[x] = .8f;
                ip_row(&darker.c[c], y)[x] = x < 80 ? .8f : .1f;
            }
    for (int swap = 0; swap < 2; swap++) {
        ip_image3 made;
        assert_int_equal(ip_image3_new(WIDTH, HEIGHT, &made), IPOS_OK);
        for (int c = 0; c < 3; c++)
            ip_plane_copy(&made.c[c], &light.c[c]);
        ip_taught_view views[2] = {{&plate, swap ? &darker : &lighter, flow, &sure, &grid, 5}, {&plate, swap ? &lighter : &darker, flow, &sure, &grid, 5}};
        assert_int_equal(ip_taught_picture(views, 2, 2, &made, &seen), IPOS_OK);
        assert_true(fabsf(ip_row(&seen, 40)[40] - 1) < 1e-4f);
        assert_true(fabsf(ip_srgb_from_linear(ip_row(&made.c[1], 40)[40]) - .8f) < .01f);  /* alike: what both say */
        assert_true(ip_srgb_from_linear(ip_row(&made.c[1], 40)[120]) > .6f);               /* the mean would be .45 */
        views[swap].distance = 200; /* the lighter is far: the nearer is followed */
        for (int c = 0; c < 3; c++)
            ip_plane_copy(&made.c[c], &light.c[c]);
        assert_int_equal(ip_taught_picture(views, 2, 2, &made, &seen), IPOS_OK);
        assert_true(ip_srgb_from_linear(ip_row(&made.c[1], 40)[120]) < .13f);
        ip_image3_free(&made);
    }
    ip_grid_free(&grid);
    ip_plane_free(&sure);
    ip_plane_free(&seen);
    ip_planes_free(flow, 2);
    ip_image3 *all[] = {&plate, &other, &lighter, &darker, &light};
    for (size_t i = 0; i < IP_COUNT(all); i++)
        ip_image3_free(all[i]);
}

static void constant(ip_image3 *image, float r, float g, float b) {
    const float rgb[3] = {r, g, b};
    assert_int_equal(ip_image3_new(WIDTH, HEIGHT, image), IPOS_OK);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++)
                ip_row(&image->c[c], y)[x] = rgb[c] * (1 + .5f * (float)(x / 20 % 2));
}

static void days_agree_on_the_tint(void **state) {
    (void)state;
    ip_image3 own, day[2], evening[3], gain;
    ip_plane_f sure;
    constant(&own, .4f, .4f, .4f);
    constant(&day[0], .4f, .4f, .4f);
    constant(&day[1], .5f, .5f, .5f);
    constant(&evening[0], .4f, .3f, .2f);
    constant(&evening[1], .4f, .3f, .2f);
    constant(&evening[2], .01f, .3f, .9f); /* one that is not like the others does not count */
    constant(&gain, 0, 0, 0);
    assert_int_equal(ip_plane_new(WIDTH, HEIGHT, &sure), IPOS_OK);
    for (int y = 20; y < 40; y++)
        for (int x = 20; x < 40; x++) /* red where the location is grey */
            for (int c = 0; c < 3; c++)
                ip_row(&own.c[c], y)[x] = c == 0 ? .6f : .06f;
    ip_days days = {&own, day, evening, 2, 3};
    assert_int_equal(ip_days_gain(&days, 2, &gain, &sure), IPOS_OK);
    for (int c = 0; c < 3; c++)
        assert_true(fabsf(ip_row(&gain.c[c], 60)[10] - log2f(((c == 0 ? .4f : c == 1 ? .3f : .2f) + .01f) / .41f)) < .02f);
    /* the red thing is not made grey: blue rises over red by the tint of the evening and what is allowed, not by its own four stops */
    float tint = ip_row(&gain.c[2], 30)[30] - ip_row(&gain.c[0], 30)[30];
    assert_true(tint < 0 && tint > -2);
    assert_true(ip_row(&sure, 30)[10] > 0 && ip_row(&sure, 30)[10] <= 1);
    assert_true(ip_days_alike(&own, &day[0]) > .8);
    ip_plane_free(&sure);
    ip_image3 *all[] = {&own, &day[0], &day[1], &evening[0], &evening[1], &evening[2], &gain};
    for (size_t i = 0; i < IP_COUNT(all); i++)
        ip_image3_free(all[i]);
}

/* What jumps by a constant from frame to frame is evened along the motion; not where the grid made it, where plates differ, or where the frame beside is no number. */
static void frames_beside_steady_one(void **state) {
    (void)state;
    static const float jump = .04f;
    static const int shift = 3;
    ip_image3 code, other, out;
    ip_plane_f luma[2], seen, flow[2];
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(ip_image3_new(WIDTH, HEIGHT, ((ip_image3 *[]){&code, &other, &out})[i]), IPOS_OK);
    assert_int_equal(ip_planes_new(WIDTH, HEIGHT, luma, 2), IPOS_OK);
    assert_int_equal(ip_planes_new(WIDTH, HEIGHT, flow, 2), IPOS_OK);
    assert_int_equal(ip_plane_new(WIDTH, HEIGHT, &seen), IPOS_OK);
    ip_plane_fill(&seen, 1);
    ip_plane_fill(&flow[0], (float)shift);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            for (int c = 0; c < 3; c++) { /* brighter from left to right, so that sampling between pixels is exact */
                ip_row(&code.c[c], y)[x] = .2f + .003f * (float)x + .1f * (float)c;
                ip_row(&other.c[c], y)[x] = .2f + .003f * (float)(x - shift) + .1f * (float)c + jump;
            }
            ip_row(&luma[0], y)[x] = (float)y;
            ip_row(&luma[1], y)[x] = (float)y + (y > 60 ? 200 : 0);
            ip_row(&seen, y)[x] = y > 40 ? 1 : 0;
        }
    ip_row(&other.c[1], 50)[80] = NAN;
    ip_taught_beside beside[2] = {{&other, flow, &luma[1], NULL}, {&other, flow, &luma[1], NULL}};
    ip_taught_steady(beside, 2, &luma[0], &seen, 2, &code, &out);
    for (int x = 10; x < WIDTH - 10; x++) {
        float own = ip_row(&code.c[0], 30)[x];
        assert_true(ip_row(&out.c[0], 30)[x] == ip_srgb_to_linear(own) && ip_row(&out.c[0], 70)[x] == ip_srgb_to_linear(own));
        float made = ip_srgb_from_linear(ip_row(&out.c[0], 55)[x]); /* weights 1, 1/4, 1/4 */
        assert_true(fabsf(made - own - jump / 3) < 1e-3f);
        assert_true(isfinite(ip_row(&out.c[1], 50)[x]));
    }
    for (int x = WIDTH - shift + 1; x < WIDTH; x++) /* leads out of the picture */
        assert_true(ip_row(&out.c[0], 55)[x] == ip_srgb_to_linear(ip_row(&code.c[0], 55)[x]));
    ip_image3_free(&code);
    ip_image3_free(&other);
    ip_image3_free(&out);
    ip_planes_free(luma, 2);
    ip_planes_free(flow, 2);
    ip_plane_free(&seen);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grid_learns_by_place), cmocka_unit_test(what_was_not_seen_keeps_its_colour),
        cmocka_unit_test(agreement_along_the_motion), cmocka_unit_test(one_view_is_followed_where_two_contradict), cmocka_unit_test(days_agree_on_the_tint), cmocka_unit_test(frames_beside_steady_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
