/* Vignette, chromatic aberration and sharpness of known size, and material without them. */
#include "film.h"
#include "chroma.h"
#include "sharp.h"
#include "vignette.h"

enum { W = 320, H = 200, FRAMES = 18 };

static double radius2_at(double x, double y) {
    double cx = .5 * (W - 1), cy = .5 * (H - 1);
    return ((x - cx) * (x - cx) + (y - cy) * (y - cy)) / (cx * cx + cy * cy);
}

static double polynomial(double r2) { return exp(-.4 * r2 - .1 * r2 * r2); }
static double none(double r2) { return 1. + 0. * r2; }
static double late(double r2) { return 1. - .45 * r2 * r2; } /* no exponential of few terms */

/* A texture that a camera pans over, bright on the left, darkened towards the corners. speed: pixels a frame. */
static void pan(film *f, double speed, double (*darkened)(double r2)) {
    film_new(f, W, H, FRAMES, "linear", 0.f);
    for (int i = 0; i < FRAMES; i++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                double u = x + speed * i, r2 = radius2_at(x, y), light = .3 * exp(.5 * film_texture(u, y + .3 * speed * i, 2) - .002 * u);
                for (int c = 0; c < 3; c++)
                    ip_row(&f->frame[i].c[c], y)[x] = (float)(light * darkened(r2));
            }
}

static void a_vignette_is_measured_through_a_pan(void **state) {
    (void)state;
    double (*const curves[])(double) = {polynomial, late};
    for (int k = 0; k < 2; k++) {
        film f;
        ip_vignette v;
        pan(&f, 3.5, curves[k]);
        assert_int_equal(ip_vignette_measure(film_start(&f), &v), IPOS_OK);
        assert_true(ip_measured(&v.reading));
        assert_true(v.reading.confidence > .3 && v.reading.frames > 4);
        for (double r = 0.; r <= 1.; r += .1)
            if (!(fabs(ip_vignette_gain(&v, r) / curves[k](r * r) - 1.) < .03))
                fail_msg("curve %d: %.3f at %.1f, expected %.3f", k, ip_vignette_gain(&v, r), r, curves[k](r * r));
        film_free(&f);
    }
}

static void a_still_camera_tells_no_vignette(void **state) {
    (void)state;
    film f;
    ip_vignette v;
    pan(&f, 0., polynomial);
    assert_int_equal(ip_vignette_measure(film_start(&f), &v), IPOS_OK);
    assert_false(ip_measured(&v.reading));
    assert_non_null(strstr(v.reading.reason, "moves"));
    ip_image3 *image = &f.frame[0];
    float before = ip_row(&image->c[0], 0)[0];
    ip_vignette_add(&v, image, W, H, 0, 0); /* nothing was measured: nothing is done */
    assert_true(ip_row(&image->c[0], 0)[0] == before);
    film_free(&f);
}

static void a_vignette_comes_off_and_tiles_agree(void **state) {
    (void)state;
    ip_vignette v = {.a = -.5, .b = .2, .c = -.1};
    ip_image3 image, tile;
    assert_int_equal(ip_image3_new(W, H, &image), IPOS_OK);
    assert_int_equal(ip_image3_new(40, 30, &tile), IPOS_OK);
    for (int c = 0; c < 3; c++) {
        ip_plane_fill(&image.c[c], -1.5f);
        ip_plane_fill(&tile.c[c], -1.5f);
    }
    ip_vignette_add(&v, &image, W, H, 0, 0);
    ip_vignette_add(&v, &tile, W, H, 200, 150);
    assert_true(fabsf(ip_row(&image.c[0], 0)[0] / -1.5f - expf(-.4f)) < 1e-5f);
    for (int y = 0; y < 30; y++)
        for (int x = 0; x < 40; x++)
            assert_true(ip_row(&tile.c[1], y)[x] == ip_row(&image.c[1], 150 + y)[200 + x]);
    ip_vignette_remove(&v, &image, W, H, 0, 0);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            assert_true(fabsf(ip_row(&image.c[2], y)[x] + 1.5f) < 1e-6f);
    ip_image3_free(&image);
    ip_image3_free(&tile);
}

/* Channels of one texture, red and blue larger by so many pixels in the corner and all of red moved by (shift, 0). */
static void aberrated(film *f, double red, double blue, double shift) {
    film_new(f, W, H, 2, "linear", 0.f);
    double cx = .5 * (W - 1), cy = .5 * (H - 1), half = hypot(cx, cy);
    for (int i = 0; i < 2; i++)
        for (int c = 0; c < 3; c++) {
            double scale = 1. / (1. + (c == 0 ? red : c == 2 ? blue : 0.) / half), moved = c == 0 ? shift : 0.;
            for (int y = 0; y < H; y++)
                for (int x = 0; x < W; x++)
                    ip_row(&f->frame[i].c[c], y)[x] = (float)((.3 + .1 * c) * exp(.5 * film_texture(2. * (cx + (x - moved - cx) * scale), 2. * (cy + (y - cy) * scale), 30 + (uint64_t)i)));
        }
}

static void aberration_is_told_from_a_channel_shift(void **state) {
    (void)state;
    film f;
    ip_chroma m;
    aberrated(&f, .9, -.5, .3);
    assert_int_equal(ip_chroma_measure(film_start(&f), &m), IPOS_OK);
    if (!ip_measured(&m.red.reading) || !ip_measured(&m.blue.reading))
        fail_msg("red: %s; blue: %s", m.red.reading.reason, m.blue.reading.reason);
    assert_true(fabs(m.red.corner - .9) < .06 && fabs(m.blue.corner + .5) < .06);
    assert_true(fabs(m.red.shift_x - .3) < .04 && fabs(m.blue.shift_x) < .04);
    film_free(&f);
}

static void clean_channels_have_no_aberration(void **state) {
    (void)state;
    film f;
    ip_chroma m;
    aberrated(&f, 0., .03, .4);
    assert_int_equal(ip_chroma_measure(film_start(&f), &m), IPOS_OK);
    assert_false(ip_measured(&m.red.reading));
    assert_false(ip_measured(&m.blue.reading));
    assert_true(fabs(m.red.corner) < .05);
    film_free(&f);
    film_new(&f, W, H, 2, "linear", 0.f);
    assert_int_equal(ip_chroma_measure(film_start(&f), &m), IPOS_OK);
    assert_non_null(strstr(m.red.reading.reason, "places with detail"));
    film_free(&f);
}

static void aberration_comes_off(void **state) {
    (void)state;
    film f, g;
    ip_chroma m;
    aberrated(&f, .9, 0., 0.);
    aberrated(&g, 0., 0., 0.);
    assert_int_equal(ip_chroma_measure(film_start(&f), &m), IPOS_OK);
    assert_int_equal(ip_chroma_remove(&m, &f.frame[0]), IPOS_OK);
    double before = 0., most = 0.;
    for (int y = 4; y < H - 4; y++)
        for (int x = 4; x < W - 4; x++) {
            most = fmax(most, fabs(ip_row(&f.frame[0].c[0], y)[x] - ip_row(&g.frame[0].c[0], y)[x]));
            before = fmax(before, fabs(ip_row(&f.frame[1].c[0], y)[x] - ip_row(&g.frame[1].c[0], y)[x]));
            assert_true(ip_row(&f.frame[0].c[1], y)[x] == ip_row(&g.frame[0].c[1], y)[x]);
        }
    assert_true(most < .2 * before);
    film_free(&f);
    film_free(&g);
}

/* Slanted edges under a Gaussian of sigma pixels, integrated over square pixels: exact along the edge's normal for small angles. */
static void edges(film *f, double sigma) {
    film_new(f, W, H, 2, "linear", 0.f);
    for (int i = 0; i < 2; i++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                double value = .1;
                for (int e = 0; e < 5; e++) {
                    double angle = .07 + .03 * e + .02 * i, d = (x - 40. - 58. * e) * cos(angle) + (y - 100.) * sin(angle), sum = 0.;
                    for (int k = 0; k < 21; k++) /* the pixel's width */
                        sum += .5 * (1. + erf((d + (k - 10) / 21. * (cos(angle))) / (sigma * sqrt(2.)))) / 21.;
                    value += (e % 2 ? -.4 : .5) * sum;
                }
                for (int c = 0; c < 3; c++)
                    ip_row(&f->frame[i].c[c], y)[x] = (float)value;
            }
}

/* Where sinc(f) exp(-2 (pi f sigma)^2) falls to a half. */
static double true_mtf50(double sigma) {
    double f = .001;
    while (sin(M_PI * f) / (M_PI * f) * exp(-2. * (M_PI * f * sigma) * (M_PI * f * sigma)) > .5)
        f += .0005;
    return f;
}

static void blur_of_known_width_gives_its_mtf50(void **state) {
    (void)state;
    const double sigmas[] = {.5, .8, 1.3, 2.};
    for (size_t i = 0; i < IP_COUNT(sigmas); i++) {
        film f;
        ip_sharp m;
        edges(&f, sigmas[i]);
        assert_int_equal(ip_sharp_measure(film_start(&f), &m), IPOS_OK);
        assert_true(ip_measured(&m.reading) && m.edges >= 12);
        double truth = true_mtf50(sigmas[i]);
        if (!(fabs(m.mtf50 / truth - 1.) < .05))
            fail_msg("blur %g: MTF50 %g, expected %g", sigmas[i], m.mtf50, truth);
        assert_true(fabs(m.curve[0] - 1.) < 1e-9 && m.curve[10] < m.curve[2]);
        film_free(&f);
    }
}

static void texture_has_no_edge(void **state) {
    (void)state;
    film f;
    ip_sharp m;
    pan(&f, 2., none);
    assert_int_equal(ip_sharp_measure(film_start(&f), &m), IPOS_OK);
    assert_false(ip_measured(&m.reading));
    film_free(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_vignette_is_measured_through_a_pan), cmocka_unit_test(a_still_camera_tells_no_vignette),
        cmocka_unit_test(a_vignette_comes_off_and_tiles_agree), cmocka_unit_test(aberration_is_told_from_a_channel_shift),
        cmocka_unit_test(clean_channels_have_no_aberration), cmocka_unit_test(aberration_comes_off),
        cmocka_unit_test(blur_of_known_width_gives_its_mtf50), cmocka_unit_test(texture_has_no_edge)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
