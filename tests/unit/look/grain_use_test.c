/* Grain made, added, matched and taken out. */
#include "gauss.h"
#include "grain_fits.h"
#include "plate.h"

enum { W = 200, H = 150 };

static void filters_have_the_autocorrelation(void **state) {
    (void)state;
    ip_grain grain = model(.001f, 2.f / 3.f, 1.f / 6.f, .5f);
    ip_grain_kernel kernel;
    assert_int_equal(ip_grain_make(&grain, &kernel), IPOS_OK);
    const int last = 2 * IP_GRAIN_KERNEL;
    for (int dy = 0; dy <= 5; dy++)
        for (int dx = -5; dx <= 5; dx++) {
            double sum = 0;
            for (int y = 0; y + dy <= last; y++)
                for (int x = IP_MAX(0, -dx); x <= last && x + dx <= last; x++)
                    sum += (double)kernel.filter[1][y][x] * kernel.filter[1][y + dy][x + dx];
            if (fabs(sum - (double)grain.autocorrelation[1][5 + dy][5 + dx]) > .01)
                fail_msg("lag (%d, %d): %.4f, expected %.4f", dx, dy, sum, (double)grain.autocorrelation[1][5 + dy][5 + dx]);
        }
}

/* A lag of .9 beside none at all has no power spectrum: what comes closest is made. */
static void impossible_autocorrelations_make_a_filter(void **state) {
    (void)state;
    ip_grain grain = model(.001f, .9f, -.9f, .99f);
    ip_grain_kernel kernel;
    assert_int_equal(ip_grain_make(&grain, &kernel), IPOS_OK);
    double power = 0;
    for (int y = 0; y <= 2 * IP_GRAIN_KERNEL; y++)
        for (int x = 0; x <= 2 * IP_GRAIN_KERNEL; x++)
            power += (double)kernel.filter[0][y][x] * kernel.filter[0][y][x];
    assert_true(fabs(power - 1) < 1e-3);
    grain.measurable = false;
    assert_int_equal(ip_grain_make(&grain, &kernel), IPOS_ERR_ARGUMENT);
}

typedef struct stand {
    ip_grain grain;
    ip_grain_kernel kernel;
} stand;

static stand soft_stand(void) {
    stand s = {.grain = model(.0009f, 2.f / 3.f, 1.f / 6.f, .5f)};
    assert_int_equal(ip_grain_make(&s.grain, &s.kernel), IPOS_OK);
    return s;
}

static ip_image3 grained(const stand *s, const ip_grain_add_options *options, int width, int height, float level) {
    ip_image3 image = new_image(width, height);
    for (int c = 0; c < 3; c++)
        ip_plane_fill(&image.c[c], level);
    assert_int_equal(ip_grain_add(&s->grain, &s->kernel, options, &image), IPOS_OK);
    return image;
}

static double covariance(const ip_plane_f *a, const ip_plane_f *b, float level, int dx, int dy) {
    double sum = 0, n = 0;
    for (int y = 0; y + dy < a->height; y++)
        for (int x = 0; x + dx < a->width; x++, n++)
            sum += (double)(ip_row(a, y)[x] - level) * (ip_row(b, y + dy)[x + dx] - level);
    return sum / n;
}

static void grain_has_what_the_model_says(void **state) {
    (void)state;
    stand s = soft_stand();
    const ip_grain_add_options options = {.seed = 7, .frame = 3, .threads = 2};
    ip_image3 a = grained(&s, &options, 500, 400, .5f);
    double v = covariance(&a.c[1], &a.c[1], .5f, 0, 0);
    assert_true(fabs(v / .0009 - 1) < .05);
    assert_true(fabs(covariance(&a.c[1], &a.c[1], .5f, 1, 0) / v - 2. / 3) < .03);
    assert_true(fabs(covariance(&a.c[1], &a.c[1], .5f, 1, 1) / v - 4. / 9) < .04);
    assert_true(fabs(covariance(&a.c[0], &a.c[2], .5f, 0, 0) / .0009 - .5) < .05);
    ip_image3_free(&a);
}

static bool same(const ip_image3 *a, const ip_image3 *b, int x0, int y0) {
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < b->c[c].height; y++)
            if (memcmp(ip_row(&a->c[c], y0 + y) + x0, ip_row(&b->c[c], y), (size_t)b->c[c].width * sizeof(float)) != 0)
                return false;
    return true;
}

static void tiles_threads_and_calls_give_the_same_bits(void **state) {
    (void)state;
    stand s = soft_stand();
    ip_grain_add_options options = {.seed = 7, .frame = 3, .threads = 1};
    ip_image3 whole = grained(&s, &options, W, H, .4f);
    options.threads = 3;
    ip_image3 again = grained(&s, &options, W, H, .4f);
    assert_true(same(&whole, &again, 0, 0));
    static const ip_box_i tiles[] = {{0, 0, 64, 64}, {64, 0, 136, 64}, {3, 61, 97, 89}, {199, 149, 1, 1}};
    for (size_t i = 0; i < IP_COUNT(tiles); i++) {
        options.x = tiles[i].x;
        options.y = tiles[i].y;
        ip_image3 tile = grained(&s, &options, tiles[i].width, tiles[i].height, .4f);
        assert_true(same(&whole, &tile, tiles[i].x, tiles[i].y));
        ip_image3_free(&tile);
    }
    ip_image3_free(&again);
    ip_image3_free(&whole);
}

static void frames_and_seeds_are_unlike(void **state) {
    (void)state;
    stand s = soft_stand();
    const ip_grain_add_options options[] = {{.seed = 7, .frame = 3}, {.seed = 7, .frame = 4}, {.seed = 8, .frame = 3}, {.seed = 7, .frame = 3, .x = W}};
    ip_image3 image[4];
    for (int i = 0; i < 4; i++)
        image[i] = grained(&s, &options[i], W, H, .5f);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++)
            assert_true(fabs(covariance(&image[i].c[1], &image[j].c[1], .5f, 0, 0)) < .06 * .0009);
    for (int i = 0; i < 4; i++)
        ip_image3_free(&image[i]);
}

static void where_nothing_is_missing_bits_stay(void **state) {
    (void)state;
    stand s = soft_stand();
    ip_plane_f missing;
    assert_int_equal(ip_plane_new(W, H, &missing), IPOS_OK);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W / 2; x++)
            ip_row(&missing, y)[x] = .25f;
    ip_image3 image = new_image(W, H);
    for (int c = 0; c < 3; c++)
        ip_plane_fill(&image.c[c], .3f);
    ip_row(&image.c[0], 5)[5] = NAN;
    const ip_grain_add_options options = {.seed = 1, .missing = &missing};
    assert_int_equal(ip_grain_add(&s.grain, &s.kernel, &options, &image), IPOS_OK);
    for (int y = 0; y < H; y++)
        for (int x = W / 2; x < W; x++)
            assert_true(ip_row(&image.c[1], y)[x] == .3f);
    assert_true(isnan(ip_row(&image.c[0], 5)[5]));
    const ip_box_i left = {0, 0, W / 2, H};
    ip_plane_f part = ip_plane_part(&image.c[1], left);
    assert_true(fabs(covariance(&part, &part, .3f, 0, 0) / (.25 * .0009) - 1) < .1);
    const ip_grain_add_options wrong = {.luma = &part};
    assert_int_equal(ip_grain_add(&s.grain, &s.kernel, &wrong, &image), IPOS_ERR_ARGUMENT);
    ip_plane_free(&missing);
    ip_image3_free(&image);
}

static double variance_to_clean(const ip_image3 *image, const ip_image3 *clean, int x0) {
    double sum = 0, n = 0;
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < image->c[c].height; y++)
            for (int x = x0; x < image->c[c].width; x++, n++) {
                double d = ip_row(&image->c[c], y)[x] - ip_row(&clean->c[c], y)[x];
                sum += d * d;
            }
    return sum / n;
}

static void matched_regrain_brings_what_is_missing(void **state) {
    (void)state;
    stand s = soft_stand();
    plate p = {.width = W, .height = H, .detail = 1, .sigma = .03f, .soft = true, .common = .5f, .seed = 3};
    ip_image3 clean = new_image(W, H), full = new_image(W, H), poor = new_image(W, H);
    ip_plane_f region, missing;
    assert_int_equal(ip_plane_new(W, H, &region), IPOS_OK);
    assert_int_equal(ip_plane_new(W, H, &missing), IPOS_OK);
    for (int y = 0; y < H; y++)
        for (int x = 60; x < W; x++)
            ip_row(&region, y)[x] = 1.f;
    plate_clean_fill(&p, 0, &clean);
    for (int use_reference = 0; use_reference < 2; use_reference++) {
        p.seed = 3;
        plate_fetch(&p, 0, &full);
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < H; y++)
                for (int x = 0; x < W; x++)
                    ip_row(&poor.c[c], y)[x] = ip_row(&clean.c[c], y)[x] + .5f * (ip_row(&full.c[c], y)[x] - ip_row(&clean.c[c], y)[x]);
        p.seed = 4;
        plate_fetch(&p, 0, &full);
        assert_int_equal(ip_grain_missing(&s.grain, &poor, use_reference ? &full : NULL, &region, 2, &missing), IPOS_OK);
        const ip_grain_add_options options = {.seed = 2, .missing = &missing};
        double before = ip_row(&poor.c[0], 50)[30];
        assert_int_equal(ip_grain_add(&s.grain, &s.kernel, &options, &poor), IPOS_OK);
        double ratio = variance_to_clean(&poor, &clean, 60) / .0009;
        if (!(ratio > .9 && ratio < 1.1))
            fail_msg("variance ratio %.3f %s", ratio, use_reference ? "with a reference" : "by the model");
        assert_true((double)ip_row(&poor.c[0], 50)[30] == before);
    }
    ip_plane_free(&region);
    ip_plane_free(&missing);
    ip_image3_free(&clean);
    ip_image3_free(&full);
    ip_image3_free(&poor);
}

/* Softened grain lacks the more the finer it is: one share for all leaves too little of what is finest, or too much of what is coarse. */
static void two_bands_bring_softened_grain_its_spectrum(void **state) {
    (void)state;
    enum { SIDE = 400 };
    stand s = soft_stand();
    ip_plane_f fine, coarse, power, tmp;
    ip_plane_f *planes[] = {&fine, &coarse, &power, &tmp};
    for (size_t i = 0; i < IP_COUNT(planes); i++)
        assert_int_equal(ip_plane_new(SIDE, SIDE, planes[i]), IPOS_OK);
    const ip_grain_add_options own = {.seed = 5, .frame = 1, .threads = 2}, others = {.seed = 5, .frame = 2, .threads = 2};
    ip_image3 full = grained(&s, &others, SIDE, SIDE, .5f);
    enum { WIDTHS = 3 };
    static const int width[WIDTHS] = {1, 2, 4};
    double off[2] = {0.};
    for (int bands = 0; bands < 2; bands++) {
        ip_image3 made = grained(&s, &own, SIDE, SIDE, .5f);
        for (int c = 0; c < 3; c++)
            ip_gauss_blur(&made.c[c], &made.c[c], &tmp, .7, 1);
        ip_grain_add_options add = {.seed = 9, .missing = &fine, .coarse = bands ? &coarse : NULL, .threads = 2};
        if (bands)
            assert_int_equal(ip_grain_missing_bands(&s.grain, &made, &full, NULL, 2, &fine, &coarse), IPOS_OK);
        else
            assert_int_equal(ip_grain_missing(&s.grain, &made, &full, NULL, 2, &fine), IPOS_OK);
        assert_int_equal(ip_grain_add(&s.grain, &s.kernel, &add, &made), IPOS_OK);
        for (int w = 0; w < WIDTHS; w++) {
            double sum[2] = {0.};
            for (int k = 0; k < 2; k++) {
                ip_grain_second_difference(k ? &full.c[1] : &made.c[1], width[w], &power, 1);
                for (int y = 0; y < SIDE; y++)
                    for (int x = 0; x < SIDE; x++)
                        sum[k] += ip_row(&power, y)[x];
            }
            off[bands] = fmax(off[bands], fabs(sum[0] / sum[1] - 1.));
        }
        ip_image3_free(&made);
    }
    if (!(off[0] > .08 && off[1] < .05))
        fail_msg("powers are off by %.3f with one share, by %.3f with two", off[0], off[1]);
    ip_image3_free(&full);
    for (size_t i = 0; i < IP_COUNT(planes); i++)
        ip_plane_free(planes[i]);
}

static double mean_of(const ip_plane_f *plane) {
    double sum = 0;
    for (int y = 0; y < plane->height; y++)
        for (int x = 0; x < plane->width; x++)
            sum += ip_row(plane, y)[x];
    return sum / plane->width / plane->height;
}

/* A seam or a wrong edge has more power than all grain beside it. */
static void a_few_wrong_pixels_do_not_pass_for_grain(void **state) {
    (void)state;
    stand s = soft_stand();
    plate p = {.width = W, .height = H, .sigma = .015f, .soft = true, .common = .5f, .seed = 3};
    ip_image3 poor = new_image(W, H);
    ip_plane_f missing;
    double mean[2];
    assert_int_equal(ip_plane_new(W, H, &missing), IPOS_OK);
    plate_fetch(&p, 0, &poor);
    for (int wrong = 0; wrong < 2; wrong++) {
        for (int y = 7; y < H && wrong; y += 17)
            for (int x = 7; x < W; x += 17)
                ip_row(&poor.c[1], y)[x] += .1f;
        assert_int_equal(ip_grain_missing(&s.grain, &poor, NULL, NULL, 2, &missing), IPOS_OK);
        mean[wrong] = mean_of(&missing);
    }
    if (!(fabs(mean[0] - .75) < .05 && fabs(mean[1] - .75) < .1))
        fail_msg("missing %.3f, and %.3f with wrong pixels; .75 was taken", mean[0], mean[1]);
    ip_plane_free(&missing);
    ip_image3_free(&poor);
}

static void grain_is_taken_out(void **state) {
    (void)state;
    stand s = soft_stand();
    plate p = {.width = W, .height = H, .vx = 1.4, .vy = .7, .detail = 1, .sigma = .03f, .soft = true, .common = .5f, .seed = 3};
    ip_image3 clean = new_image(W, H), frame[3], out = new_image(W, H);
    ip_plane_f remaining;
    assert_int_equal(ip_plane_new(W, H, &remaining), IPOS_OK);
    plate_clean_fill(&p, 1, &clean);
    for (size_t i = 0; i < 3; i++) {
        frame[i] = new_image(W, H);
        plate_fetch(&p, i, &frame[i]);
    }
    const ip_grain_remove_options spatial = {.spatial_only = true, .threads = 2}, half = {.strength = .5f, .threads = 2};
    double before = variance_to_clean(&frame[1], &clean, 0);
    assert_int_equal(ip_grain_remove(&s.grain, NULL, &frame[1], NULL, &spatial, &out, &remaining), IPOS_OK);
    double alone = variance_to_clean(&out, &clean, 0);
    assert_true(mean_of(&remaining) == 1.);
    assert_int_equal(ip_grain_remove(&s.grain, &frame[0], &frame[1], &frame[2], NULL, &out, &remaining), IPOS_OK);
    double both = variance_to_clean(&out, &clean, 0);
    if (!(both < .25 * before && both < .8 * alone && alone < .5 * before))
        fail_msg("variance to the clean plate: %.3g as it is, %.3g by one frame, %.3g by three", before, alone, both);
    assert_true(mean_of(&remaining) < .75);
    assert_int_equal(ip_grain_remove(&s.grain, &frame[0], &frame[1], &frame[2], &half, &out, NULL), IPOS_OK);
    assert_true(variance_to_clean(&out, &clean, 0) > both && variance_to_clean(&out, &clean, 0) < before);
    ip_row(&frame[1].c[2], 40)[40] = NAN;
    ip_row(&frame[0].c[0], 80)[80] = INFINITY;
    assert_int_equal(ip_grain_remove(&s.grain, &frame[0], &frame[1], &frame[2], NULL, &frame[1], NULL), IPOS_OK);
    assert_true(isnan(ip_row(&frame[1].c[2], 40)[40]));
    ip_row(&frame[1].c[2], 40)[40] = ip_row(&clean.c[2], 40)[40];
    assert_true(variance_to_clean(&frame[1], &clean, 0) < .3 * before);
    for (int i = 0; i < 3; i++)
        ip_image3_free(&frame[i]);
    ip_image3_free(&clean);
    ip_image3_free(&out);
    ip_plane_free(&remaining);
}

/* A neighbour of another scene must not leave its picture behind. */
static void unlike_neighbours_are_not_averaged_in(void **state) {
    (void)state;
    stand s = soft_stand();
    plate p = {.width = W, .height = H, .detail = 1, .sigma = .03f, .soft = true, .common = .5f, .seed = 3}, q = p;
    q.vx = 90;
    ip_image3 clean = new_image(W, H), frame = new_image(W, H), other = new_image(W, H), alone = new_image(W, H), both = new_image(W, H);
    plate_clean_fill(&p, 0, &clean);
    plate_fetch(&p, 0, &frame);
    plate_fetch(&q, 1, &other);
    assert_int_equal(ip_grain_remove(&s.grain, NULL, &frame, NULL, NULL, &alone, NULL), IPOS_OK);
    assert_int_equal(ip_grain_remove(&s.grain, &other, &frame, NULL, NULL, &both, NULL), IPOS_OK);
    assert_true(variance_to_clean(&both, &clean, 0) < 1.25 * variance_to_clean(&alone, &clean, 0));
    ip_image3_free(&clean);
    ip_image3_free(&frame);
    ip_image3_free(&other);
    ip_image3_free(&alone);
    ip_image3_free(&both);
}

/* Mean |dB| of a channel's spectrum to another grain's, where that has a hundredth of its most. */
static double apart(const ip_grain *grain, int channel, const ip_grain *truth, int of) {
    static float a[64][64], b[64][64];
    float most = 0.f;
    double sum = 0., count = 0.;
    ip_grain_spectrum(grain, channel, a);
    ip_grain_spectrum(truth, of, b);
    for (int i = 0; i < 64 * 64; i++)
        most = fmaxf(most, b[i / 64][i % 64]);
    for (int i = 0; i < 64 * 64; i++)
        if (b[i / 64][i % 64] > .01f * most) {
            sum += fabs(10. * log10(fmax(1e-6, (double)a[i / 64][i % 64]) / (double)b[i / 64][i % 64]));
            count++;
        }
    return sum / count;
}

static void add_error(ip_grain *grain, double error) {
    ip_rng rng = ip_rng_at(9, 0);
    for (int c = 0; c < 3; c++)
        for (int k = 0; k < IP_GRAIN_HALF_LAGS - 1; k++) {
            int x = ip_grain_lag_x(k) + IP_GRAIN_REACH, y = ip_grain_lag_y(k) + IP_GRAIN_REACH, last = IP_GRAIN_LAGS - 1;
            float noisy = grain->autocorrelation[c][y][x] + (float)(error * sqrt(12.) * (ip_rng_unit(&rng) - .5));
            grain->autocorrelation[c][y][x] = grain->autocorrelation[c][last - y][last - x] = noisy;
        }
}

static void errors_of_lags_are_told_from_grain(void **state) {
    (void)state;
    const double error = .012;
    ip_grain truth = model(.001f, 2.f / 3.f, 1.f / 6.f, .2f), noisy, coarse;
    truth.lag_error = 0.f;
    noisy = truth;
    add_error(&noisy, error);
    double believed = 0., told = 0.;
    for (int c = 0; c < 3; c++)
        believed += apart(&noisy, c, &truth, c);
    noisy.lag_error = (float)error;
    for (int c = 0; c < 3; c++)
        told += apart(&noisy, c, &truth, c);
    if (!(told < .6 * believed))
        fail_msg("spectra %.2f dB off where the error is known, %.2f dB where it is not", told / 3., believed / 3.);
    /* what differs by more than errors is kept: blue is coarser */
    coarse = truth;
    ip_grain other = model(.001f, .85f, .5f, .2f);
    memcpy(coarse.autocorrelation[2], other.autocorrelation[2], sizeof coarse.autocorrelation[2]);
    noisy = coarse;
    add_error(&noisy, error);
    noisy.lag_error = (float)error;
    assert_true(apart(&noisy, 2, &coarse, 2) < .5 * apart(&noisy, 0, &coarse, 2));
}

static void curves_go_on_beyond_what_was_measured(void **state) {
    (void)state;
    for (int rising = 0; rising < 2; rising++) {
        ip_grain grain = {0};
        for (int b = 0; b < IP_GRAIN_BINS; b++) {
            float level = .086f + .092f * (float)b, wobble = b % 2 ? 1.02f : .98f;
            bool sure = b >= 2 && b <= 6;
            grain.bins[b] = (ip_grain_bin){.level = level, .confidence = sure ? .8f : 0.f, .blocks = sure ? 100 : 0};
            for (int c = 0; c < 3 && sure; c++)
                grain.bins[b].variance[c] = wobble * 1e-3f * (rising ? .5f + level : 1.f);
        }
        assert_true(ip_grain_fill_gaps(.4f, true, &grain));
        for (int b = 7; b < IP_GRAIN_BINS; b++) {
            float expected = 1e-3f * (rising ? .5f + grain.bins[b].level : 1.f);
            if (!(fabsf(grain.bins[b].variance[1] / expected - 1.f) < .08f))
                fail_msg("%s, level %.2f: %g, expected %g", rising ? "rising" : "flat", (double)grain.bins[b].level, (double)grain.bins[b].variance[1],
                    (double)expected);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_have_the_autocorrelation),
        cmocka_unit_test(impossible_autocorrelations_make_a_filter),
        cmocka_unit_test(errors_of_lags_are_told_from_grain),
        cmocka_unit_test(curves_go_on_beyond_what_was_measured),
        cmocka_unit_test(grain_has_what_the_model_says),
        cmocka_unit_test(tiles_threads_and_calls_give_the_same_bits),
        cmocka_unit_test(frames_and_seeds_are_unlike),
        cmocka_unit_test(where_nothing_is_missing_bits_stay),
        cmocka_unit_test(matched_regrain_brings_what_is_missing),
        cmocka_unit_test(two_bands_bring_softened_grain_its_spectrum),
        cmocka_unit_test(a_few_wrong_pixels_do_not_pass_for_grain),
        cmocka_unit_test(grain_is_taken_out),
        cmocka_unit_test(unlike_neighbours_are_not_averaged_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
