/* lib/vision: curves, and wires drawn for training. */
#include "wire_draw.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

typedef struct scene {
    ip_image3 image, plate;
    ip_plane_f alpha;
} scene;

static scene scene_new(int width, int height, float level) {
    scene s;
    assert_int_equal(ip_planes_new(width, height, s.image.c, 3), IPOS_OK);
    assert_int_equal(ip_planes_new(width, height, s.plate.c, 3), IPOS_OK);
    assert_int_equal(ip_plane_new(width, height, &s.alpha), IPOS_OK);
    ip_rng rng = ip_rng_at(5, 0);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                ip_row(&s.plate.c[c], y)[x] = ip_row(&s.image.c[c], y)[x] = level + .05f * (float)ip_rng_unit(&rng);
    return s;
}

static void scene_free(scene *s) {
    ip_planes_free(s->image.c, 3);
    ip_planes_free(s->plate.c, 3);
    ip_plane_free(&s->alpha);
}

static void draw(scene *s, const ip_point *points, size_t count, const ip_wire_look *look, uint64_t seed) {
    ip_curve curve;
    assert_int_equal(ip_curve_spline(points, count, 2.f, &curve), IPOS_OK);
    assert_int_equal(ip_wire_draw(&s->image, &curve, look, seed, &s->alpha), IPOS_OK);
    ip_curve_free(&curve);
}

static const ip_wire_look PLAIN = {.width = {4.f, 4.f}, .colour = {.8f, .7f, .6f}, .opacity = 1.f};

/* Sum and centre of the matte in a column, and its spread. */
static void column(const ip_plane_f *alpha, int x, float *sum, float *centre, float *spread) {
    double s = 0, sy = 0, syy = 0;
    for (int y = 0; y < alpha->height; y++) {
        double a = ip_row(alpha, y)[x], at = y + .5;
        s += a;
        sy += a * at;
        syy += a * at * at;
    }
    *sum = (float)s;
    *centre = (float)(s > 0 ? sy / s : 0);
    *spread = (float)(s > 0 ? sqrt(fmax(0, syy / s - sy / s * (sy / s))) : 0);
}

static float farthest_from(const ip_curve *curve, ip_point p) {
    float least = INFINITY;
    for (size_t i = 1; i < curve->count; i++) {
        ip_point a = curve->at[i - 1], b = curve->at[i];
        float dx = b.x - a.x, dy = b.y - a.y, t = ((p.x - a.x) * dx + (p.y - a.y) * dy) / (dx * dx + dy * dy);
        t = fminf(fmaxf(t, 0.f), 1.f);
        least = fminf(least, hypotf(a.x + t * dx - p.x, a.y + t * dy - p.y));
    }
    return least;
}

static void test_spline(void **state) {
    (void)state;
    const ip_point points[] = {{3, 5}, {20, 11}, {20, 11.0005f}, {44, 2}, {50, 30}, {47, 61}};
    ip_curve curve, copy;
    assert_int_equal(ip_curve_spline(points, IP_COUNT(points), 1.5f, &curve), IPOS_OK);
    for (size_t i = 0; i < IP_COUNT(points); i++)
        assert_true(farthest_from(&curve, points[i]) < .1f); /* chords of 1.5 px cut a sharp turn */
    assert_true(curve.at[0].x == 3 && curve.at[0].y == 5 && curve.at[curve.count - 1].x == 47 && curve.at[curve.count - 1].y == 61);
    float least = INFINITY, most = 0.f;
    for (size_t i = 1; i < curve.count; i++) {
        float d = hypotf(curve.at[i].x - curve.at[i - 1].x, curve.at[i].y - curve.at[i - 1].y);
        least = fminf(least, d);
        most = fmaxf(most, d);
    }
    assert_true(least > 1.42f && most < 1.55f);
    assert_true(fabsf(ip_curve_length(&curve) - 1.5f * (float)(curve.count - 1)) < 1.f);
    assert_int_equal(ip_curve_copy(&curve, &copy), IPOS_OK);
    assert_memory_equal(copy.at, curve.at, curve.count * sizeof *curve.at);
    ip_curve_free(&copy);
    ip_curve_free(&curve);
    const ip_point line[] = {{0, 0}, {30, 40}};
    assert_int_equal(ip_curve_spline(line, 2, 3.f, &curve), IPOS_OK);
    assert_int_equal(curve.count, 18); /* 50 / 3 = 16.7 intervals: 17 */
    assert_true(fabsf(ip_curve_length(&curve) - 50.f) < 1e-3f);
    ip_point tangent, normal;
    for (size_t i = 0; i < curve.count; i++) {
        ip_curve_frame(&curve, i, 2, &tangent, &normal);
        assert_true(fabsf(tangent.x - .6f) < 1e-4f && fabsf(tangent.y - .8f) < 1e-4f);
        assert_true(fabsf(normal.x + .8f) < 1e-4f && fabsf(normal.y - .6f) < 1e-4f);
    }
    ip_curve_free(&curve);
}

static void test_curves_refused(void **state) {
    (void)state;
    const ip_point one[] = {{1, 1}, {1, 1}}, bad[] = {{1, 1}, {NAN, 3}}, two[] = {{0, 0}, {9, 9}}, far[] = {{0, 0}, {3e38f, -3e38f}};
    ip_curve curve, even;
    assert_int_equal(ip_curve_spline(one, 2, 1.f, &curve), IPOS_ERR_ARGUMENT);
    assert_int_equal(ip_curve_spline(bad, 2, 1.f, &curve), IPOS_ERR_ARGUMENT);
    assert_int_equal(ip_curve_spline(two, 1, 1.f, &curve), IPOS_ERR_ARGUMENT);
    assert_int_equal(ip_curve_spline(two, 2, 0.f, &curve), IPOS_ERR_ARGUMENT);
    assert_int_equal(ip_curve_spline(two, 2, NAN, &curve), IPOS_ERR_ARGUMENT);
    assert_int_equal(ip_curve_spline(far, 2, 1.f, &curve), IPOS_ERR_ARGUMENT);
    assert_null(curve.at);
    ip_point same[3] = {{2, 2}, {2, 2}, {2, 2}}, tangent, normal;
    assert_int_equal(ip_curve_even(&(ip_curve){same, 3}, 1.f, &even), IPOS_ERR_ARGUMENT);
    ip_curve_frame(&(ip_curve){same, 3}, 1, 0, &tangent, &normal);
    assert_true(tangent.x == 1.f && tangent.y == 0.f && normal.x == 0.f && normal.y == 1.f);
}

static void test_matte_is_exact(void **state) {
    (void)state;
    const float widths[] = {.4f, .7f, 1.f, 4.f, 9.f};
    for (size_t k = 0; k < IP_COUNT(widths); k++)
        for (int tilt = 0; tilt < 3; tilt++) {
            scene s = scene_new(96, 80, .3f);
            ip_wire_look look = PLAIN;
            look.width[0] = look.width[1] = widths[k];
            float slope = .35f * (float)tilt, cosine = 1.f / sqrtf(1.f + slope * slope), y0 = 15.31f;
            const ip_point points[] = {{-40, y0 - 40 * slope}, {140, y0 + 140 * slope}};
            draw(&s, points, 2, &look, 1);
            for (int x = 30; x < 60; x++) {
                float sum, centre, spread;
                column(&s.alpha, x, &sum, &centre, &spread);
                assert_true(fabsf(sum * cosine - widths[k]) < .002f + .001f * widths[k]);
                /* a pixel cannot tell where in it a thinner wire is */
                assert_true(fabsf(centre - (y0 + slope * ((float)x + .5f))) < (widths[k] < 1.f ? .25f : .05f));
            }
            scene_free(&s);
        }
}

static void test_blur_and_opacity(void **state) {
    (void)state;
    const ip_point points[] = {{-20, 40.2f}, {120, 40.2f}};
    float sum[5], centre[5], spread[5];
    for (int i = 0; i < 5; i++) {
        scene s = scene_new(96, 80, .3f);
        ip_wire_look look = PLAIN;
        if (i == 1)
            look.motion[1] = 9.f;
        if (i == 2)
            look.opacity = .4f;
        if (i == 3)
            look.defocus = 2.f;
        if (i == 4) {
            look.width[0] = look.width[1] = .5f; /* a thin wire must not fall into lines */
            look.motion[1] = 10.f;
        }
        draw(&s, points, 2, &look, 1);
        column(&s.alpha, 50, &sum[i], &centre[i], &spread[i]);
        assert_true(fabsf(centre[i] - 40.2f) < .1f);
        if (i == 4)
            for (int y = 37; y < 43; y++)
                assert_true(fabsf(ip_row(&s.alpha, y)[50] - .05f) < .02f);
        scene_free(&s);
    }
    assert_true(fabsf(sum[1] - 4.f) < .04f && fabsf(sum[3] - 4.f) < .04f && fabsf(sum[2] - 1.6f) < .02f && fabsf(sum[4] - .5f) < .02f);
    /* variances add: a box of length l has l^2/12, a disk of radius r has r^2/4 along any axis */
    assert_true(fabsf(spread[1] * spread[1] - spread[0] * spread[0] - 81.f / 12) < .4f);
    assert_true(fabsf(spread[3] * spread[3] - spread[0] * spread[0] - 1.f) < .2f);
    assert_true(fabsf(spread[2] - spread[0]) < .01f);
}

static ip_wire_look rich(void) {
    return (ip_wire_look){.width = {5.f, 7.f}, .colour = {.7f, .6f, .5f}, .opacity = .8f, .shade = .2f, .highlight = .1f,
        .twist_period = 5.f, .twist_depth = .05f, .lengthwise = .03f, .defocus = 1.3f, .motion = {3.f, -2.f}, .grain = .02f};
}

static void test_untouched_where_clear(void **state) {
    (void)state;
    const ip_point points[] = {{20, 30}, {80, 50}, {150, 170}, {300, 100}, {290, 90}};
    scene s = scene_new(310, 200, .3f);
    ip_wire_look look = rich();
    draw(&s, points, IP_COUNT(points), &look, 3);
    int touched = 0;
    for (int y = 0; y < 200; y++)
        for (int x = 0; x < 310; x++) {
            float a = ip_row(&s.alpha, y)[x], before = ip_row(&s.plate.c[1], y)[x], after = ip_row(&s.image.c[1], y)[x];
            if (a == 0.f)
                for (int c = 0; c < 3; c++)
                    assert_memory_equal(&ip_row(&s.plate.c[c], y)[x], &ip_row(&s.image.c[c], y)[x], sizeof(float));
            else
                touched++;
            assert_true(a >= 0.f && a <= .8001f);
            if (a > .5f)
                assert_true(after != before);
        }
    assert_true(touched > 2000 && touched < 9000);
    scene_free(&s);
}

/* Plain wires are colour * a + plate * (1 - a), also where tiles meet and the picture ends. */
static void test_composite(void **state) {
    (void)state;
    const ip_point points[] = {{-10, 100}, {126, 128}, {130, 127}, {320, 140}};
    scene s = scene_new(310, 200, .3f);
    ip_wire_look look = PLAIN;
    look.defocus = 1.5f;
    look.motion[0] = 2.f;
    look.motion[1] = 4.f;
    draw(&s, points, IP_COUNT(points), &look, 3);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < 200; y++)
            for (int x = 0; x < 310; x++) {
                float a = ip_row(&s.alpha, y)[x], want = ip_row(&s.plate.c[c], y)[x] * (1.f - a) + a * look.colour[c];
                assert_true(fabsf(ip_row(&s.image.c[c], y)[x] - want) < 1e-5f);
            }
    for (int x = 1; x < 310; x++) { /* no seam */
        float before, now, at, spread;
        column(&s.alpha, x - 1, &before, &at, &spread);
        column(&s.alpha, x, &now, &at, &spread);
        assert_true(fabsf(now - before) < .25f);
    }
    /* the larger matte stays */
    ip_plane_fill(&s.alpha, .9f);
    look.opacity = .5f;
    draw(&s, points, IP_COUNT(points), &look, 3);
    for (int y = 0; y < 200; y++)
        assert_true(ip_row(&s.alpha, y)[150] == .9f);
    scene_free(&s);
}

static void test_shading(void **state) {
    (void)state;
    const ip_point points[] = {{-20, 40}, {120, 40}}; /* the normal points down the picture */
    scene s = scene_new(96, 80, .3f);
    ip_wire_look look = PLAIN;
    look.width[0] = look.width[1] = 10.f;
    look.shade = .2f;
    draw(&s, points, 2, &look, 1);
    float top = ip_row(&s.image.c[0], 36)[50], bottom = ip_row(&s.image.c[0], 43)[50];
    assert_true(bottom - top > .1f && bottom - top < .2f);
    float mean = 0.f; /* shading moves light about, it adds none */
    for (int y = 35; y < 45; y++)
        mean += .1f * ip_row(&s.image.c[0], y)[50];
    assert_true(fabsf(mean - .8f) < .01f);
    look.shade = 0.f;
    look.highlight = .15f;
    draw(&s, points, 2, &look, 1);
    assert_true(ip_row(&s.image.c[0], 39)[50] > .9f && ip_row(&s.image.c[0], 35)[50] < .83f);
    look.highlight = 0.f;
    look.twist_depth = .1f;
    look.twist_period = 12.f;
    draw(&s, points, 2, &look, 1);
    float low = 1.f, high = 0.f, first = ip_row(&s.image.c[0], 39)[30], again = ip_row(&s.image.c[0], 39)[42];
    for (int x = 30; x < 42; x++) {
        low = fminf(low, ip_row(&s.image.c[0], 39)[x]);
        high = fmaxf(high, ip_row(&s.image.c[0], 39)[x]);
    }
    assert_true(high - low > .17f && high - low < .21f && fabsf(first - again) < .01f);
    look.twist_depth = 0.f;
    look.grain = .02f;
    draw(&s, points, 2, &look, 1);
    double sum = 0, squares = 0;
    for (int y = 36; y < 44; y++)
        for (int x = 0; x < 96; x++) {
            double v = ip_row(&s.image.c[2], y)[x] - .6f;
            sum += v;
            squares += v * v;
        }
    double n = 8 * 96, deviation = sqrt(squares / n - sum / n * (sum / n));
    assert_true(fabs(sum / n) < .003 && deviation > .018 && deviation < .022);
    scene_free(&s);
}

static void test_determined_by_seed(void **state) {
    (void)state;
    const ip_point points[] = {{5, 10}, {40, 60}, {90, 30}};
    scene a = scene_new(96, 80, .3f), b = scene_new(96, 80, .3f), c = scene_new(96, 80, .3f);
    ip_wire_look look = rich();
    draw(&a, points, 3, &look, 7);
    draw(&b, points, 3, &look, 7);
    draw(&c, points, 3, &look, 8);
    size_t bytes = (size_t)a.alpha.stride * 80 * sizeof(float);
    for (int k = 0; k < 3; k++)
        assert_memory_equal(a.image.c[k].data, b.image.c[k].data, bytes);
    assert_memory_equal(a.alpha.data, c.alpha.data, bytes);
    assert_int_not_equal(memcmp(a.image.c[0].data, c.image.c[0].data, bytes), 0);
    scene_free(&a);
    scene_free(&b);
    scene_free(&c);
}

static void test_hostile_values(void **state) {
    (void)state;
    scene s = scene_new(96, 80, .3f);
    const float bad[] = {NAN, INFINITY, -INFINITY, 1e30f, -1e30f};
    ip_point at[12];
    for (size_t i = 0; i < IP_COUNT(at); i++)
        at[i] = (ip_point){8.f * (float)i, 30.f + (float)(i % 3)};
    at[4] = (ip_point){NAN, 2};
    at[5] = (ip_point){3, INFINITY};
    at[6] = (ip_point){1e30f, -1e30f};
    at[7] = at[8];
    ip_wire_look look = rich();
    for (size_t i = 0; i < IP_COUNT(bad); i++)
        ip_row(&s.image.c[i % 3], 31)[40 + i] = bad[i];
    ip_curve curve = {at, IP_COUNT(at)};
    assert_int_equal(ip_wire_draw(&s.image, &curve, &look, 1, &s.alpha), IPOS_OK);
    assert_int_equal(ip_wire_draw(&s.image, &curve, &look, 1, NULL), IPOS_OK);
    for (int y = 0; y < 80; y++)
        for (int x = 0; x < 96; x++)
            assert_true(ip_row(&s.alpha, y)[x] >= 0.f && ip_row(&s.alpha, y)[x] <= 1.f);
    assert_true(isfinite(ip_plate_grain(&s.image)));
    for (size_t i = 0; i < IP_COUNT(at); i++)
        at[i] = (ip_point){i & 1 ? 9e5f : -9e5f, (float)i * 7e4f - 3e5f};
    look.motion[0] = 1e20f;
    look.defocus = 1e9f;
    look.width[0] = 1e9f;
    assert_int_equal(ip_wire_draw(&s.image, &curve, &look, 1, &s.alpha), IPOS_OK);
    look.motion[0] = NAN;
    assert_int_equal(ip_wire_draw(&s.image, &curve, &look, 1, &s.alpha), IPOS_ERR_ARGUMENT);
    curve.count = 1;
    look = rich();
    assert_int_equal(ip_wire_draw(&s.image, &curve, &look, 1, &s.alpha), IPOS_ERR_ARGUMENT);
    curve.count = 0;
    assert_int_equal(ip_wire_draw(&s.image, &curve, &look, 1, &s.alpha), IPOS_ERR_ARGUMENT);
    scene_free(&s);
}

static bool in(float v, float low, float high) {
    return v >= low - 1e-5f && v <= high + 1e-5f;
}

static void test_random_looks(void **state) {
    (void)state;
    enum { DRAWS = 8000 };
    const float local[3] = {.45f, .40f, .35f}, range = .3f;
    int low = 0, thin = 0, moving = 0, soft = 0, clear = 0, bright = 0, twisted = 0, under_six = 0;
    ip_rng rng = ip_rng_at(11, 2);
    for (int i = 0; i < DRAWS; i++) {
        ip_wire_look look;
        ip_wire_look_random(&rng, 1.f, local, range, .01f, &look);
        float width = fmaxf(look.width[0], look.width[1]), motion = hypotf(look.motion[0], look.motion[1]);
        float contrast = ((look.colour[0] + look.colour[1] + look.colour[2]) / 3.f - .4f) / range;
        assert_true(in(fminf(look.width[0], look.width[1]), .4f, 12.f) && in(width, .5f, 12.f));
        assert_true(in(fabsf(contrast), .03f, .9f));
        assert_true(look.opacity == 1.f || in(look.opacity, .3f, .8f));
        assert_true(motion == 0.f || in(motion, 2.f, 14.f));
        assert_true(in(look.defocus, .1f, 2.f) && in(look.shade, -.35f * range, .35f * range) && in(look.highlight, 0.f, .4f * range));
        assert_true(look.twist_depth == 0.f || (look.twist_period >= 2.f && in(look.twist_depth, 0.f, .09f * range)));
        assert_true(in(look.lengthwise, 0.f, .06f * range) && in(look.grain, .008f, .012f));
        for (int c = 0; c < 3; c++)
            assert_true(in(look.colour[c], 0.f, 1.f));
        low += fabsf(contrast) < .10f;
        bright += contrast > 0.f;
        thin += width < 1.f;
        under_six += width <= 6.f;
        moving += motion > 0.f;
        soft += look.defocus >= .5f;
        clear += look.opacity < 1.f;
        twisted += look.twist_depth > 0.f;
    }
    const float n = DRAWS;
    assert_true(in((float)low / n, .29f, .335f) && in((float)thin / n, .15f, .19f) && in((float)moving / n, .33f, .37f));
    assert_true(in((float)soft / n, .28f, .32f) && in((float)clear / n, .105f, .135f) && in((float)bright / n, .4f, .65f));
    assert_true(in((float)twisted / n, .2f, .35f) && in((float)under_six / n, .75f, .9f));
    ip_wire_look look;
    for (int i = 0; i < 2000; i++) { /* sizes grow with the picture; a white plate gets no wires brighter than white */
        const float white[3] = {.97f, .97f, .97f};
        ip_wire_look_random(&rng, (float)(i % 4) * .75f, white, .9f, 0.f, &look);
        assert_true(in(look.width[0], .4f, 14.f) && in(look.width[1], .4f, 14.f) && in(look.defocus, 0.f, 4.f));
        assert_true((look.colour[0] + look.colour[1] + look.colour[2]) / 3.f + look.highlight <= 1.001f && look.grain == 0.f);
    }
}

static void test_random_curves(void **state) {
    (void)state;
    enum { DRAWS = 3000, W = 128, H = 96 };
    ip_rng rng = ip_rng_at(12, 2);
    int inside = 0, one_inside = 0, shown = 0, bent = 0;
    for (int i = 0; i < DRAWS; i++) {
        ip_curve curve;
        assert_int_equal(ip_wire_curve_random(&rng, W, H, 2.f, &curve), IPOS_OK);
        int ends = 0, seen = 0;
        for (size_t k = 0; k < curve.count; k++) {
            ip_point p = curve.at[k];
            bool in_view = p.x >= 0 && p.y >= 0 && p.x < W && p.y < H;
            assert_true(isfinite(p.x) && isfinite(p.y));
            seen += in_view;
            ends += in_view && (k == 0 || k == curve.count - 1);
        }
        ip_point a = curve.at[0], b = curve.at[curve.count - 1];
        bent += ip_curve_length(&curve) > 1.02f * hypotf(b.x - a.x, b.y - a.y);
        inside += ends > 0;
        one_inside += ends == 1;
        shown += seen >= 5;
        ip_curve_free(&curve);
    }
    assert_true(in((float)inside / DRAWS, .27f, .34f) && in((float)one_inside / DRAWS, .18f, .28f));
    assert_true(shown > DRAWS * 97 / 100 && bent > DRAWS / 5 && bent < DRAWS * 2 / 5);
    ip_curve curve;
    assert_int_equal(ip_wire_curve_random(&rng, 0, 5, 2.f, &curve), IPOS_ERR_ARGUMENT);
}

static void test_grain_measured(void **state) {
    (void)state;
    ip_image3 image;
    assert_int_equal(ip_planes_new(200, 150, image.c, 3), IPOS_OK);
    ip_rng rng = ip_rng_at(9, 9);
    for (int y = 0; y < 150; y++)
        for (int x = 0; x < 200; x++) {
            float noise = .013f * (float)ip_rng_normal(&rng);
            for (int c = 0; c < 3; c++)
                ip_row(&image.c[c], y)[x] = .002f * (float)x + (y > 70 ? .3f : 0.f) + noise;
        }
    assert_true(fabsf(ip_plate_grain(&image) - .013f) < .0008f);
    for (int c = 0; c < 3; c++)
        ip_plane_fill(&image.c[c], .5f);
    assert_true(ip_plate_grain(&image) == 0.f);
    for (int c = 0; c < 3; c++)
        ip_plane_fill(&image.c[c], NAN);
    assert_true(ip_plate_grain(&image) == 0.f);
    ip_planes_free(image.c, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spline),
        cmocka_unit_test(test_curves_refused),
        cmocka_unit_test(test_matte_is_exact),
        cmocka_unit_test(test_blur_and_opacity),
        cmocka_unit_test(test_untouched_where_clear),
        cmocka_unit_test(test_composite),
        cmocka_unit_test(test_shading),
        cmocka_unit_test(test_determined_by_seed),
        cmocka_unit_test(test_hostile_values),
        cmocka_unit_test(test_random_looks),
        cmocka_unit_test(test_random_curves),
        cmocka_unit_test(test_grain_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
