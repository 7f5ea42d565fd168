/* lib/vision: planes, sampling, filling, projection, flow. */
#include "scene.h"
#include "flow.h"
#include "match.h"
#include "splat.h"

#include <limits.h>
#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

static ip_plane_f plane(int width, int height) {
    ip_plane_f p;
    assert_int_equal(ip_plane_new(width, height, &p), IPOS_OK);
    return p;
}

static void test_sampling(void **state) {
    (void)state;
    ip_plane_f p = plane(9, 7);
    for (int y = 0; y < 7; y++)
        for (int x = 0; x < 9; x++)
            ip_row(&p, y)[x] = (float)(3 * x - 2 * y);
    for (int y = 0; y < 7; y++)
        for (int x = 0; x < 9; x++) {
            assert_true(fabsf(ip_sample_cubic(&p, (float)x, (float)y) - (float)(3 * x - 2 * y)) < 1e-5f);
            assert_true(fabsf(ip_sample_linear(&p, (float)x, (float)y) - (float)(3 * x - 2 * y)) < 1e-5f);
        }
    assert_true(fabsf(ip_sample_linear(&p, 3.25f, 2.5f) - (9.75f - 5.f)) < 1e-5f);
    assert_true(fabsf(ip_sample_cubic(&p, 3.5f, 2.5f) - (10.5f - 5.f)) < 1e-4f); /* symmetric: exact on a ramp at the middle */
    assert_true(ip_sample_linear(&p, -1e30f, 1e30f) == -12.f);
    float even[3]; /* Mitchell's cubic keeps ramps too, and softens a peak to (8/9)^2 */
    ip_image3 three = {{p, p, p}};
    ip_sample_even3(&three, 3.3f, 2.6f, even);
    assert_true(fabsf(even[1] - (3 * 3.3f - 2 * 2.6f)) < 1e-4f);
    assert_true(ip_sample_cubic(&p, NAN, NAN) == 0.f);
    assert_true(fabsf(ip_sample_cubic(&p, INFINITY, -INFINITY) - 24.f) < 1e-5f);
    ip_plane_fill(&p, 0);
    ip_row(&p, 3)[4] = 1;
    ip_sample_even3(&three, 4, 3, even);
    assert_true(fabsf(even[0] - 64.f / 81.f) < 1e-5f);
    ip_plane_free(&p);
}

/* What is done a row at a time reads what a single sample reads, to the bit. */
static void test_rows_of_samples(void **state) {
    (void)state;
    enum { COUNT = 150 };
    float x[COUNT], y[COUNT], out[COUNT];
    ip_plane_f p = plane(31, 23), wide = plane(300, 41);
    for (int j = 0; j < 23; j++)
        for (int i = 0; i < 31; i++)
            ip_row(&p, j)[i] = texture(9 * i, 7 * j);
    for (int k = 0; k < COUNT; k++) { /* over every border */
        x[k] = (float)k * .27f - 4;
        y[k] = 26 - (float)k * .21f;
    }
    x[70] = NAN;
    y[71] = INFINITY;
    ip_sample_cubic_row(&p, x, y, COUNT, out);
    for (int k = 0; k < COUNT; k++)
        assert_true(out[k] == ip_sample_cubic(&p, x[k], y[k]));
    ip_resize(&p, &wide, 1.7f, 2);
    for (int j = 0; j < 41; j++)
        for (int i = 0; i < 300; i++)
            assert_true(ip_row(&wide, j)[i] == 1.7f * ip_sample_linear(&p, ((float)i + .5f) * (31.f / 300.f) - .5f, ((float)j + .5f) * (23.f / 41.f) - .5f));
    ip_plane_free(&p);
    ip_plane_free(&wide);
}

static void test_blur_is_the_mean(void **state) {
    (void)state;
    ip_plane_f p = plane(31, 23), out = plane(31, 23), tmp = plane(31, 23);
    for (int y = 0; y < 23; y++)
        for (int x = 0; x < 31; x++)
            ip_row(&p, y)[x] = texture(9 * x, 7 * y);
    ip_box_blur(&p, &out, &tmp, 3, 2, 3);
    for (int y = 0; y < 23; y++)
        for (int x = 0; x < 31; x++) {
            double sum = 0;
            for (int j = -2; j <= 2; j++)
                for (int i = -3; i <= 3; i++)
                    sum += ip_row(&p, IP_MAX(0, IP_MIN(22, y + j)))[IP_MAX(0, IP_MIN(30, x + i))];
            assert_true(fabs(sum / 35 - ip_row(&out, y)[x]) < 1e-5);
        }
    ip_plane_free(&p);
    ip_plane_free(&out);
    ip_plane_free(&tmp);
}

static void test_fill(void **state) {
    (void)state;
    ip_plane_f v = plane(40, 30), k = plane(40, 30);
    ip_plane_fill(&v, NAN); /* what lies in a hole must not leak */
    for (int y = 0; y < 30; y++)
        for (int x = 0; x < 40; x++)
            if (x < 12 || x > 30) {
                ip_row(&v, y)[x] = x < 12 ? 2.f : 4.f;
                ip_row(&k, y)[x] = 1.f;
            }
    assert_int_equal(ip_push_pull(&v, 1, &k, 1.f, 2), IPOS_OK);
    for (int y = 0; y < 30; y++)
        for (int x = 0; x < 40; x++) {
            float got = ip_row(&v, y)[x];
            assert_true(got >= 2.f - 1e-4f && got <= 4.f + 1e-4f);
            if (x < 12)
                assert_true(got == 2.f);
        }
    assert_true(ip_row(&v, 15)[14] < 3.f && ip_row(&v, 15)[28] > 3.f);
    ip_plane_fill(&k, 0.f);
    assert_int_equal(ip_push_pull(&v, 1, &k, 1.f, 1), IPOS_OK);
    assert_true(ip_row(&v, 3)[3] == 0.f);
    ip_plane_free(&v);
    ip_plane_free(&k);
}

static void test_splat(void **state) {
    (void)state;
    ip_plane_f f[2] = {plane(50, 40), plane(50, 40)}, weight = plane(50, 40), motion[2] = {plane(50, 40), plane(50, 40)}, cover = plane(50, 40);
    ip_plane_fill(&f[0], 10.f);
    ip_plane_fill(&f[1], -6.f);
    ip_plane_fill(&weight, .3f);
    ip_splat splat = {&f[0], &f[1], &weight, .5f, -1.f};
    assert_int_equal(ip_splat_flow(&splat, .5f, motion, &cover, 3), IPOS_OK);
    for (int y = 0; y < 40; y++)
        for (int x = 0; x < 50; x++) {
            assert_true(fabsf(ip_row(&motion[0], y)[x] + 10.f) < 1e-4f); /* filled where nothing landed */
            assert_true(fabsf(ip_row(&motion[1], y)[x] - 6.f) < 1e-4f);
            assert_true(fabsf(ip_row(&cover, y)[x] - (x >= 5 && y < 37 ? 1.f : 0.f)) < 1e-5f);
        }
    ip_planes_free(f, 2);
    ip_planes_free(motion, 2);
    ip_plane_free(&weight);
    ip_plane_free(&cover);
}

static double flow_error(const scene *s, const ip_flow_options *options) {
    ip_plane_f a = plane(s->width, s->height), b = plane(s->width, s->height), flow[2];
    for (int y = 0; y < s->height; y++)
        for (int x = 0; x < s->width; x++) {
            ip_row(&a, y)[x] = 255.f * scene_at(s, 0, x, y);
            ip_row(&b, y)[x] = 255.f * scene_at(s, 1, x, y);
        }
    assert_int_equal(ip_flow(&a, &b, options, flow), IPOS_OK);
    double sum = 0, n = 0, cx = .5 * s->width, cy = .5 * s->height;
    for (int y = 16; y < s->height - 16; y++)
        for (int x = 16; x < s->width - 16; x++, n++) {
            double px = x - cx, py = y - cy;
            double u = cx + cos(s->turn) * px - sin(s->turn) * py + s->vx - x, v = cy + sin(s->turn) * px + cos(s->turn) * py + s->vy - y;
            sum += hypot(ip_row(&flow[0], y)[x] - u, ip_row(&flow[1], y)[x] - v);
        }
    ip_planes_free(flow, 2);
    ip_plane_free(&a);
    ip_plane_free(&b);
    return sum / n;
}

static void test_flow(void **state) {
    (void)state;
    scene shift = {.width = 200, .height = 140, .vx = 7.4, .vy = -3.2}, turn = {.width = 200, .height = 140, .turn = .04};
    for (int kind = 0; kind < 4; kind++) {
        ip_flow_options options = {.finest = kind & 1, .flipped = kind >> 1, .threads = 2};
        assert_true(flow_error(&shift, &options) < .12);
        assert_true(flow_error(&turn, &options) < .12);
    }
    ip_flow_options options = {.finest = 1, .threads = 1};
    ip_plane_f a = plane(20, 20), b = plane(21, 20), flow[2];
    assert_int_equal(ip_flow(&a, &b, &options, flow), IPOS_ERR_ARGUMENT);
    ip_plane_free(&a);
    ip_plane_free(&b);
}

/* What was searched gives the very same flow, at odd sizes and at sizes the search pads or does not halve. */
static void test_flow_again(void **state) {
    (void)state;
    static const int sizes[][2] = {{201, 139}, {64, 48}, {20, 20}, {150, 17}};
    for (int finest = 0; finest < 3; finest++)
        for (size_t i = 0; i < IP_COUNT(sizes); i++) {
            scene s = {.width = sizes[i][0], .height = sizes[i][1], .vx = 3.3, .vy = -1.2};
            ip_plane_f a = plane(s.width, s.height), b = plane(s.width, s.height), flow[2], searched[2], again[2];
            for (int y = 0; y < s.height; y++)
                for (int x = 0; x < s.width; x++) {
                    ip_row(&a, y)[x] = 255.f * scene_at(&s, 0, x, y);
                    ip_row(&b, y)[x] = 255.f * scene_at(&s, 1, x, y);
                }
            ip_flow_options options = {.finest = finest, .threads = 1, .searched = searched};
            assert_int_equal(ip_flow(&a, &b, &options, flow), IPOS_OK);
            assert_int_equal(ip_flow_again(searched, s.width, s.height, 2, again), IPOS_OK);
            for (int k = 0; k < 2; k++)
                for (int y = 0; y < s.height; y++)
                    assert_memory_equal(ip_row(&flow[k], y), ip_row(&again[k], y), (size_t)s.width * sizeof(float));
            ip_planes_free(again, 2);
            assert_int_equal(ip_flow_again(searched, s.width + 40, s.height, 2, again), IPOS_ERR_ARGUMENT);
            assert_null(again[0].data);
            ip_planes_free(flow, 2);
            ip_planes_free(searched, 2);
            ip_plane_free(&a);
            ip_plane_free(&b);
        }
}

typedef struct counted {
    int beats, last; /* says stop from this beat on */
} counted;

static bool count_beat(void *user) {
    counted *c = user;
    return ++c->beats < c->last;
}

/* Long steps give signs of life all the way, and end soon after they are told to. */
static void test_pulse(void **state) {
    (void)state;
    ip_image3 image[2];
    scene s = {.width = 320, .height = 200, .vx = 5};
    for (int i = 0; i < 2; i++)
        for (int c = 0; c < 3; c++) {
            image[i].c[c] = plane(s.width, s.height);
            for (int y = 0; y < s.height; y++)
                for (int x = 0; x < s.width; x++)
                    ip_row(&image[i].c[c], y)[x] = scene_at(&s, i, x, y);
        }
    counted all = {.last = INT_MAX};
    ip_pulse pulse = {count_beat, &all};
    ip_flow_options options = {.finest = 1, .threads = 1, .pulse = &pulse};
    ip_plane_f flow[2], back[2];
    assert_int_equal(ip_flow(&image[0].c[0], &image[1].c[0], &options, back), IPOS_OK);
    assert_true(all.beats > 15);
    for (int stop = 1; stop < all.beats; stop += 7) {
        counted some = {.last = stop};
        pulse.user = &some;
        assert_int_equal(ip_flow(&image[0].c[0], &image[1].c[0], &options, flow), IPOS_ERR_CANCELLED);
        assert_null(flow[0].data);
        assert_true(some.beats <= stop + 8);
    }
    ip_override sides[2];
    all.beats = 0;
    pulse.user = &all;
    assert_int_equal(ip_match(&image[0], &image[1], back, back, 1, &pulse, sides), IPOS_OK);
    assert_true(all.beats > 2 * s.height);
    for (int i = 0; i < 2; i++)
        ip_override_free(&sides[i]);
    for (int stop = 1; stop < all.beats; stop += all.beats / 9) {
        counted some = {.last = stop};
        pulse.user = &some;
        assert_int_equal(ip_match(&image[0], &image[1], back, back, 1, &pulse, sides), IPOS_ERR_CANCELLED);
        assert_null(sides[0].mask.data);
        assert_true(some.beats <= stop + 24);
    }
    ip_planes_free(back, 2);
    for (int i = 0; i < 2; i++)
        ip_planes_free(image[i].c, 3);
}

static void test_letterbox(void **state) {
    (void)state;
    ip_plane_f p = plane(120, 80);
    const ip_plane_f *list[1] = {&p};
    for (int y = 0; y < 80; y++)
        for (int x = 0; x < 120; x++)
            ip_row(&p, y)[x] = x < 20 || x >= 100 ? .02f : texture(3 * x, 4 * y);
    ip_box_i box = ip_letterbox(list, 1);
    assert_int_equal(box.x, 22);
    assert_int_equal(box.width, 76);
    assert_int_equal(box.y, 0);
    assert_int_equal(box.height, 80);
    ip_plane_fill(&p, 0.f); /* all black: nothing to cut */
    box = ip_letterbox(list, 1);
    assert_int_equal(box.width, 120);
    assert_int_equal(box.height, 80);
    for (int y = 0; y < 80; y++) /* a bright flat sky is no bar */
        for (int x = 0; x < 120; x++)
            ip_row(&p, y)[x] = y < 20 ? .8f : texture(3 * x, 4 * y);
    assert_int_equal(ip_letterbox(list, 1).y, 0);
    ip_plane_free(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sampling), cmocka_unit_test(test_rows_of_samples), cmocka_unit_test(test_blur_is_the_mean), cmocka_unit_test(test_fill),
        cmocka_unit_test(test_splat), cmocka_unit_test(test_flow), cmocka_unit_test(test_flow_again), cmocka_unit_test(test_pulse), cmocka_unit_test(test_letterbox)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
