/* Relighting over made frames: a wall with a shadow on it, ground before it, sky above. */
#include "fake_host.h"
#include "relight_op.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { WIDE = 160, HIGH = 96, SKY = 30, GROUND = 64 };

/* Sky, a wall with a shadow, ground; it slides one pixel a frame. A lamp far over 1, and a patch below 0. */
static float light_at(int64_t number, int x, int y, int c) {
    int u = x + (int)number;
    float grain = .9f + .1f * sinf((float)u * .7f) * sinf((float)y * .9f);
    static const float sky[3] = {.15f, .3f, .6f}, wall[3] = {.5f, .42f, .36f}, shade[3] = {.09f, .1f, .12f}, ground[3] = {.4f, .39f, .38f};
    if (y < SKY)
        return sky[c] * (1 + .002f * (float)y);
    if (u >= 20 && u < 26 && y >= 50 && y < 56)
        return 900;
    if (u >= 40 && u < 46 && y >= 50 && y < 56)
        return -.02f;
    if (y < GROUND)
        return grain * (u >= 80 && u < 120 ? shade[c] : wall[c]);
    return grain * ground[c];
}

static ipos_status frame_of(int64_t number, ipos_frame **out) {
    static const ipos_channel channels[6] = {{"A", IPOS_F16, 1, 1}, {"B", IPOS_F16, 1, 1}, {"G", IPOS_F16, 1, 1}, {"R", IPOS_F16, 1, 1},
        {"Z", IPOS_F32, 1, 1}, {"id", IPOS_U32, 1, 1}};
    ipos_box window = {-3, 5, WIDE, HIGH}, display = {0, 0, WIDE + 8, HIGH + 8};
    IP_TRY(ip_frame_new(&window, &display, channels, 6, NULL, NULL, out));
    for (int i = 0; i < 6; i++) {
        ip_channel *to = &(*out)->channels[i];
        for (int y = 0; y < HIGH; y++)
            for (int x = 0; x < WIDE; x++) {
                float value = i == 0 ? .5f : i == 4 ? (float)(10 * x + y) : i < 4 ? light_at(number, x, y, 3 - i) : 0;
                uint32_t id = (uint32_t)(x * y) + 4000000000u;
                void *at = to->data + y * to->row_stride + x * to->pixel_stride;
                if (i == 5)
                    memcpy(at, &id, sizeof id);
                else
                    ip_samples_from_float(to->type, &value, at, to->pixel_stride, 1);
            }
    }
    return ipos_frame_set_encoding(*out, "linear");
}

static const ipos_rational times[] = {{2, 1}, {3, 1}};

static float value_of(const ipos_frame *frame, const char *name, int x, int y) {
    const ip_channel *channel = &frame->channels[ipos_frame_find_channel(frame, name)];
    float value;
    ip_samples_to_float(channel->type, channel->data + y * channel->row_stride + x * channel->pixel_stride, channel->pixel_stride, &value, 1);
    return value;
}

/* Pixels of the colour that differ from the source; every other channel has to be the same, and so has colour where evidence is 0. */
static int changed(const fake_host *fake, const char *variant, ipos_rational time) {
    ipos_frame *source, *made = fake_picture(fake, variant, time), *evidence = fake_evidence(fake, variant, time);
    int count = 0;
    assert_non_null(made);
    assert_non_null(evidence);
    assert_int_equal(frame_of(time.num, &source), IPOS_OK);
    for (size_t i = 0; i < source->channel_count; i++) {
        const ip_channel *a = &source->channels[i], *b = &made->channels[i];
        size_t bytes = ip_sample_bytes(a->type);
        for (int y = 0; y < HIGH; y++)
            for (int x = 0; x < WIDE; x++) {
                bool same = !memcmp(a->data + y * a->row_stride + x * a->pixel_stride, b->data + y * b->row_stride + x * b->pixel_stride, bytes);
                if (i == 0 || i > 3 || value_of(evidence, "evidence", x, y) == 0)
                    assert_true(same);
                count += !same;
            }
    }
    ipos_frame_release(source);
    return count;
}

static ipos_status run(fake_host *fake, const char *const *options) {
    fake_open(fake, &ip_op_relight_spec, 0, 5, "linear", frame_of, options);
    fake_times(fake, times, 2);
    return ip_op_relight.run(&fake->host);
}

static void test_nothing_asked_nothing_done(void **state) {
    (void)state;
    static const char *const none[][9] = {{"strength", "0", "variants", "full,gentle,hard", NULL},
        {"light", "midday", "old_azimuth", "150", "azimuth", "150", NULL}};
    for (size_t i = 0; i < IP_COUNT(none); i++) {
        fake_host fake;
        assert_int_equal(run(&fake, none[i]), IPOS_OK);
        assert_int_equal(changed(&fake, "full", times[0]), 0);
        assert_int_equal(changed(&fake, "hard", times[1]), 0);
        fake_close(&fake);
    }
}

static void test_golden_hour(void **state) {
    (void)state;
    static const char *const options[] = {"old_azimuth", "160", "azimuth", "-120", "geometry", "none", NULL};
    fake_host fake;
    assert_int_equal(run(&fake, options), IPOS_OK);
    assert_int_equal(fake.variant_count, 4);
    assert_true(changed(&fake, "full", times[0]) > WIDE * HIGH);
    const ipos_frame *full = fake_picture(&fake, "full", times[0]), *gentle = fake_picture(&fake, "gentle", times[0]);
    const ipos_frame *evidence = fake_evidence(&fake, "full", times[0]);
    float wall = value_of(full, "R", 60, 45) / value_of(full, "B", 60, 45), was = light_at(2, 60, 45, 0) / light_at(2, 60, 45, 2);
    assert_true(wall > 1.5f * was); /* warmer */
    float half = value_of(gentle, "R", 60, 45) / value_of(gentle, "B", 60, 45);
    assert_true(half > 1.1f * was && half < .9f * wall);
    assert_true(value_of(full, "G", 60, 90) < .7f * light_at(2, 60, 90, 1)); /* ground gets little of a low sun */
    assert_true(value_of(evidence, "evidence", 60, 10) == 7 && value_of(evidence, "relight.sky", 60, 10) > .9f);
    assert_true(value_of(evidence, "evidence", 60, 45) == 4);
    /* The shadow is found, lifted more than the wall beside it, and said to be. */
    float lifted = value_of(full, "G", 96, 45) / light_at(2, 96, 45, 1), lit = value_of(full, "G", 60, 45) / light_at(2, 60, 45, 1);
    assert_true(lifted > 1.8f * lit);
    assert_true(value_of(evidence, "evidence", 96, 45) == 5 && value_of(evidence, "relight.lifted", 96, 45) > .8f);
    assert_true(value_of(evidence, "confidence", 96, 45) < value_of(evidence, "confidence", 60, 45));
    assert_true(value_of(full, "R", 20, 52) > 100 && value_of(full, "R", 40, 52) < 0); /* over 1 and below 0 survive */
    assert_non_null(strstr(fake.details, "\"geometry\":\"none\""));
    assert_non_null(strstr(fake.details, "\"from\":\"given\""));
    fake_close(&fake);
}

static void test_place_and_time(void **state) {
    (void)state;
    static const char *const options[] = {"place", "50.08,14.42", "heading", "120", "old_time", "2024-06-21T11:05Z", "time", "2024-06-21T18:30Z",
        "variants", "full", NULL};
    fake_host fake;
    assert_int_equal(run(&fake, options), IPOS_OK);
    assert_int_equal(fake.variant_count, 1);
    assert_non_null(strstr(fake.details, "\"from\":\"time\""));
    fake_close(&fake);
}

static ipos_status left_half(int64_t number, ipos_frame **out) {
    static const ipos_channel channel = {"Y", IPOS_U8, 1, 1};
    ipos_box window = {-3, 5, WIDE, HIGH};
    (void)number;
    IP_TRY(ip_frame_new(&window, NULL, &channel, 1, NULL, NULL, out));
    for (int y = 0; y < HIGH; y++)
        for (int x = 0; x < WIDE / 2; x++)
            (*out)->channels[0].data[y * (*out)->channels[0].row_stride + x * (*out)->channels[0].pixel_stride] = 255;
    return ipos_frame_set_encoding(*out, "data");
}

static void test_protected(void **state) {
    (void)state;
    static const char *const options[] = {"old_azimuth", "160", "azimuth", "-120", "variants", "full", NULL};
    fake_host fake;
    fake_open(&fake, &ip_op_relight_spec, 0, 5, "linear", frame_of, options);
    fake_role(&fake, "protect", 1, 1, "data", left_half);
    fake_times(&fake, times, 2);
    assert_int_equal(ip_op_relight.run(&fake.host), IPOS_OK);
    const ipos_frame *evidence = fake_evidence(&fake, "full", times[0]);
    changed(&fake, "full", times[0]);
    assert_true(value_of(evidence, "evidence", 30, 45) == 0 && value_of(evidence, "evidence", WIDE - 30, 45) > 0);
    fake_close(&fake);
}

static void refused(const char *name, const char *value, const char *says, const char *more, const char *more_value) {
    const char *const options[] = {name, value, more, more_value, NULL};
    fake_host fake;
    assert_int_equal(run(&fake, options), IPOS_ERR_ARGUMENT);
    if (!strstr(ipos_last_error(), says))
        fail_msg("%s=%s: \"%s\" does not say \"%s\"", name, value, ipos_last_error(), says);
    fake_close(&fake);
}

static void test_wrong_settings(void **state) {
    (void)state;
    refused("azimuth", "north", "not a number from -360 to 360", NULL, NULL);
    refused("elevation", "100", "elevation: \"100\"", NULL, NULL);
    refused("time", "2024-06-21T18:30Z", "needs place", NULL, NULL);
    refused("time", "2024-06-21T18:30Z", "needs heading", "place", "50.08,14.42");
    refused("time", "yesterday", "is no moment", NULL, NULL);
    refused("variants", "full,sharp", "\"sharp\"", NULL, NULL);
    fake_host fake;
    static const char *const options[] = {"geometry", "motion", NULL};
    assert_int_equal(run(&fake, options), IPOS_ERR_UNSUPPORTED); /* a slide is no move of a camera */
    assert_non_null(strstr(ipos_last_error(), "geometry: "));
    fake_close(&fake);
}

static void test_cancel(void **state) {
    (void)state;
    fake_host fake;
    ip_cancel cancel = {1};
    fake_open(&fake, &ip_op_relight_spec, 0, 5, "linear", frame_of, NULL);
    fake_times(&fake, times, 2);
    fake.host.cancel = &cancel;
    assert_int_equal(ip_op_relight.run(&fake.host), IPOS_ERR_CANCELLED);
    assert_int_equal(fake.emits, 0);
    fake_close(&fake);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nothing_asked_nothing_done), cmocka_unit_test(test_golden_hour),
        cmocka_unit_test(test_place_and_time), cmocka_unit_test(test_protected), cmocka_unit_test(test_wrong_settings),
        cmocka_unit_test(test_cancel)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
