/* Grain measured on plates whose grain is known, and refused where there is none. */
#include "plate.h"

enum { W = 400, H = 300 };
static const plate BASE = {.width = W, .height = H, .frames = 6, .vx = 1.3, .vy = -.6, .detail = 1, .sigma = .03f, .step = 1.f / 1023.f, .seed = 5};

static void variances_are_near(const plate *p, const ip_grain *grain, double limit) {
    int counted = 0;
    for (int b = 0; b < IP_GRAIN_BINS; b++) {
        if (!(grain->bins[b].confidence >= .4f))
            continue;
        double sigma = plate_sigma(p, grain->bins[b].level);
        for (int c = 0; c < 3; c++)
            if (fabs(grain->bins[b].variance[c] / (sigma * sigma) - 1) > limit)
                fail_msg("bin at %.2f, channel %d: variance %.3g, true %.3g", (double)grain->bins[b].level, c, (double)grain->bins[b].variance[c], sigma * sigma);
        counted++;
    }
    assert_true(counted >= 3);
}

static void lags_are_near(const ip_grain *grain, float one, float two, double limit) {
    const float lag[IP_GRAIN_LAGS] = {0, 0, 0, two, one, 1, one, two, 0, 0, 0};
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < IP_GRAIN_LAGS; y++)
            for (int x = 0; x < IP_GRAIN_LAGS; x++)
                if (fabs((double)grain->autocorrelation[c][y][x] - (double)(lag[y] * lag[x])) > limit)
                    fail_msg("lag (%d, %d) of channel %d: %.3f, true %.3f", x - 5, y - 5, c, (double)grain->autocorrelation[c][y][x], (double)(lag[y] * lag[x]));
}

static void must_be_measured(const ip_grain *grain) {
    if (!grain->measurable)
        fail_msg("%s", grain->reason);
    assert_string_equal(grain->reason, "");
    assert_true(grain->confidence > .3f && grain->confidence <= 1.f);
}

static void white_grain_is_measured(void **state) {
    (void)state;
    plate p = BASE;
    ip_grain grain = measured(&p, 2);
    must_be_measured(&grain);
    assert_int_equal(grain.frames, 6);
    variances_are_near(&p, &grain, .12);
    lags_are_near(&grain, 0, 0, .06);
    assert_true(fabsf(grain.temporal) < .1f);
    assert_true(fabsf(grain.channels[0][1]) < .07f && fabsf(grain.channels[1][2]) < .07f);
}

static void soft_rising_common_grain_is_measured(void **state) {
    (void)state;
    plate p = BASE;
    p.soft = true;
    p.rise = .03f;
    p.common = .6f;
    ip_grain grain = measured(&p, 2);
    must_be_measured(&grain);
    variances_are_near(&p, &grain, .2);
    lags_are_near(&grain, 2.f / 3.f, 1.f / 6.f, .09);
    assert_true(fabsf(grain.channels[0][2] - .6f) < .08f);
    assert_true(ip_grain_variance(&grain, 1, .7f) > 1.5f * ip_grain_variance(&grain, 1, .3f));
    assert_true(ip_grain_variance(&grain, 1, -5.f) == grain.bins[0].variance[1]);
    assert_true(ip_grain_variance(&grain, 1, 99.f) == grain.bins[IP_GRAIN_BINS - 1].variance[1]);
}

/* The flow of a wall with next to nothing on it follows its grain, and no block's own tells a motion; the camera stands all the same. */
static void grain_of_a_bare_wall_is_measured(void **state) {
    (void)state;
    plate p = BASE;
    p.vx = p.vy = 0;
    p.detail = .3f;
    p.soft = true;
    ip_grain grain = measured(&p, 2);
    must_be_measured(&grain);
    lags_are_near(&grain, 2.f / 3.f, 1.f / 6.f, .09);
}

static void threads_do_not_matter(void **state) {
    (void)state;
    plate p = BASE;
    p.width = 200;
    p.height = 170;
    p.frames = 4;
    char *text[2];
    for (int i = 0; i < 2; i++) {
        ip_grain grain = measured(&p, i ? 3 : 1);
        assert_int_equal(ip_grain_to_json(&grain, &text[i]), IPOS_OK);
    }
    assert_string_equal(text[0], text[1]);
    ip_free(text[0]);
    ip_free(text[1]);
}

static void must_be_refused(const plate *given, const char *word) {
    plate p = *given;
    ip_grain grain = measured(&p, 2);
    if (grain.measurable)
        fail_msg("measured, expected a refusal with \"%s\"; temporal %.2f, dispersion %.2f, unsteady %.2f", word, (double)grain.temporal,
            (double)grain.dispersion, (double)grain.unsteady);
    if (!strstr(grain.reason, word))
        fail_msg("refused with \"%s\", expected \"%s\"", grain.reason, word);
    assert_true(grain.confidence == 0.f);
}

static void what_is_no_grain_is_refused(void **state) {
    (void)state;
    plate p = BASE;
    p.frames = 2;
    must_be_refused(&p, "three");
    p = BASE;
    p.vx = p.vy = 0;
    p.sigma = 0;
    must_be_refused(&p, "repeat"); /* flat in time */
    p = BASE;
    p.sigma = 0;
    p.detail = .4f;
    must_be_refused(&p, "agree"); /* moving, rounded, without grain */
    p = BASE;
    p.vx = p.vy = 0; /* what a codec keeps, it keeps along the motion */
    p.last = .6f;
    must_be_refused(&p, "stays from frame to frame");
    p = BASE;
    p.patchy = true;
    must_be_refused(&p, "unevenly");
}

static ipos_status shuffled(void *user, size_t index, const ip_image3 *to) {
    plate p = *(plate *)user;
    p.vx = 60. * (double)(index * index % 7);
    return plate_fetch(&p, 1, to);
}

static void frames_without_common_motion_are_refused(void **state) {
    (void)state;
    plate p = BASE;
    const ip_grain_source source = {W, H, 5, shuffled, &p};
    ip_grain grain;
    assert_int_equal(ip_grain_measure(&source, NULL, &grain), IPOS_OK);
    assert_false(grain.measurable);
}

static ipos_status holed(void *user, size_t index, const ip_image3 *to) {
    IP_TRY(plate_fetch(user, index, to));
    ip_row(&to->c[1], 100)[120] = NAN;
    ip_row(&to->c[0], 60)[200] = INFINITY;
    return IPOS_OK;
}

static void samples_that_are_no_numbers_are_left_out(void **state) {
    (void)state;
    plate p = BASE;
    const ip_grain_source source = {W, H, p.frames, holed, &p};
    ip_grain grain;
    assert_int_equal(ip_grain_measure(&source, NULL, &grain), IPOS_OK);
    must_be_measured(&grain);
    variances_are_near(&p, &grain, .12);
    assert_int_equal(ip_grain_check(&grain), IPOS_OK);
}

static ipos_status broken(void *user, size_t index, const ip_image3 *to) {
    (void)user;
    (void)to;
    return ip_fail(IPOS_ERR_IO, "frame %zu is gone", index);
}

static bool never(void *user) {
    (void)user;
    return false;
}

static void faults_are_told(void **state) {
    (void)state;
    plate p = BASE;
    ip_grain grain;
    const ip_grain_source small = {60, 400, 5, plate_fetch, &p}, gone = {W, H, 5, broken, NULL}, good = {W, H, 5, plate_fetch, &p};
    assert_int_equal(ip_grain_measure(&small, NULL, &grain), IPOS_ERR_ARGUMENT);
    assert_int_equal(ip_grain_measure(&gone, NULL, &grain), IPOS_ERR_IO);
    const ip_pulse pulse = {never, NULL};
    const ip_grain_options options = {.pulse = &pulse};
    assert_int_equal(ip_grain_measure(&good, &options, &grain), IPOS_ERR_CANCELLED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(white_grain_is_measured),
        cmocka_unit_test(soft_rising_common_grain_is_measured),
        cmocka_unit_test(grain_of_a_bare_wall_is_measured),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(what_is_no_grain_is_refused),
        cmocka_unit_test(frames_without_common_motion_are_refused),
        cmocka_unit_test(samples_that_are_no_numbers_are_left_out),
        cmocka_unit_test(faults_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
