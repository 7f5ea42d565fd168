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
    /* In the picture of the suns both posts stand on the ground in view: feet at four fifths of its height. */
    const ipos_frame *suns = fake_picture(&fake, "sun", times[0]);
    const int foot = (int)(.8f * HIGH), left = (int)(.44f * WIDE), right = (int)(.56f * WIDE);
    assert_true(value_of(suns, "B", left, foot - 2) > .95f && value_of(suns, "R", left, foot - 2) < .2f);
    assert_true(value_of(suns, "R", right, foot - 2) > .95f && value_of(suns, "B", right, foot - 2) < .1f);
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

static ipos_status run_at(fake_host *fake, int64_t frame, const char *const *options) {
    const ipos_rational one = {frame, 1};
    fake_open(fake, &ip_op_relight_spec, 0, 5, "linear", frame_of, options);
    fake_times(fake, &one, 1);
    return ip_op_relight.run(&fake->host);
}

/* How much darker or brighter strokes make a pixel of frame 4, in stops; they were drawn on frame 1, three pixels to the right. */
static float stroke_stops(const char *strokes, int x, int y, float *kind) {
    const char *const with[] = {"old_azimuth", "160", "azimuth", "-120", "geometry", "none", "variants", "full", "softness", "0", "bloom", "0", "strokes", strokes, NULL};
    const char *const without[] = {"old_azimuth", "160", "azimuth", "-120", "geometry", "none", "variants", "full", "softness", "0", "bloom", "0", NULL};
    fake_host a, b;
    assert_int_equal(run_at(&a, 4, with), IPOS_OK);
    assert_int_equal(run_at(&b, 4, without), IPOS_OK);
    assert_non_null(strstr(a.details, "\"carried\":[{"));
    const ipos_rational at = {4, 1};
    float stops = log2f(value_of(fake_picture(&a, "full", at), "G", x, y) / value_of(fake_picture(&b, "full", at), "G", x, y));
    *kind = value_of(fake_evidence(&a, "full", at), "evidence", x, y);
    fake_close(&a);
    fake_close(&b);
    return stops;
}

static void test_strokes_carried(void **state) {
    (void)state;
    static const char *const add = "{\"strokes\":[{\"kind\":\"add\",\"frame\":1,\"points\":[[52,66],[72,66],[72,90],[52,90],[52,66]]}]}";
    static const char *const gobo = "{\"strokes\":[{\"kind\":\"gobo\",\"frame\":1,\"points\":[[52,66],[72,66],[72,90],[52,90],[52,66]]}]}";
    static const char *const old = "{\"strokes\":[{\"kind\":\"old-remove\",\"frame\":1,\"points\":[[74,32],[130,32],[130,62],[74,62],[74,32]]}]}";
    static const char *const lit = "{\"strokes\":[{\"kind\":\"old-add\",\"frame\":1,\"points\":[[40,32],[60,32],[60,48],[40,48],[40,32]]}]}";
    static const char *const band = "{\"strokes\":[{\"kind\":\"add\",\"frame\":1,\"width\":10,\"points\":[[40,80],[120,80]]}]}";
    float kind;
    assert_true(stroke_stops(add, 58, 78, &kind) < -.6f && kind == 6);
    assert_true(stroke_stops(gobo, 58, 78, &kind) < -.6f && kind == 6); /* without a set it is carried as add is */
    assert_true(fabsf(stroke_stops(add, 73, 78, &kind)) < .02f); /* where it would be had it not been carried */
    assert_true(fabsf(stroke_stops(add, 90, 45, &kind)) < .02f);
    assert_true(stroke_stops(old, 95, 50, &kind) < -.6f && kind == 4); /* what was taken for shadow and lifted is not */
    assert_true(stroke_stops(lit, 46, 40, &kind) > .6f && kind == 5);
    assert_true(stroke_stops(band, 77, 80, &kind) < -.6f && fabsf(stroke_stops(band, 77, 90, &kind)) < .02f);
}

static void test_strokes_keys(void **state) {
    (void)state;
    /* One name on two frames: half way between them each counts half, and a remove of a painted shadow takes nothing from it. */
    static const char *const two = "{\"strokes\":[{\"wire\":\"a\",\"kind\":\"add\",\"frame\":3,\"points\":[[52,66],[72,66],[72,90],[52,90],[52,66]]},"
                                   "{\"wire\":\"a\",\"kind\":\"add\",\"frame\":5,\"points\":[[92,66],[112,66],[112,90],[92,90],[92,66]]}]}";
    static const char *const one = "{\"strokes\":[{\"kind\":\"add\",\"frame\":3,\"points\":[[52,66],[72,66],[72,90],[52,90],[52,66]]}]}";
    float kind, half = stroke_stops(two, 61, 78, &kind), other = stroke_stops(two, 103, 78, &kind), whole = stroke_stops(one, 61, 78, &kind);
    assert_true(half < -.1f && half > .8f * whole && other < -.1f && other > .8f * whole);
}

static void test_strokes_protect(void **state) {
    (void)state;
    static const char *const bare[] = {"old_azimuth", "160", "azimuth", "-120", "geometry", "none", "variants", "full", "strokes",
        "{\"strokes\":[{\"kind\":\"protect\",\"frame\":1,\"points\":[[52,66],[92,66],[92,90],[52,90],[52,66]]}]}", NULL};
    static const char *const part[] = {"old_azimuth", "160", "azimuth", "-120", "geometry", "none", "variants", "full", "bloom", "0", "gentle", ".4", "strokes",
        "{\"strokes\":[{\"kind\":\"protect\",\"frame\":4,\"points\":[[52,66],[92,66],[92,90],[52,90],[52,66]]}]}", NULL};
    static const char *const none[] = {"old_azimuth", "160", "azimuth", "-120", "geometry", "none", "variants", "full", "bloom", "0", NULL};
    const ipos_rational first = {1, 1}, at = {4, 1};
    fake_host fake, free_light;
    assert_int_equal(run_at(&fake, 1, bare), IPOS_OK);
    changed(&fake, "full", first);
    assert_true(value_of(fake_evidence(&fake, "full", first), "evidence", 70, 78) == 0);
    assert_true(value_of(fake_evidence(&fake, "full", first), "evidence", 120, 78) > 0);
    fake_close(&fake);
    assert_int_equal(run_at(&fake, 4, part), IPOS_OK);
    assert_int_equal(run_at(&free_light, 4, none), IPOS_OK);
    float was = light_at(4, 70, 78, 1), gentle = log2f(value_of(fake_picture(&fake, "full", at), "G", 70, 78) / was),
          whole = log2f(value_of(fake_picture(&free_light, "full", at), "G", 70, 78) / was);
    assert_true(fabsf(gentle / whole - .4f) < .03f);
    fake_close(&fake);
    fake_close(&free_light);
}

static void test_gentle_mattes(void **state) {
    (void)state;
    static const char *const options[] = {"old_azimuth", "160", "azimuth", "-120", "geometry", "none", "variants", "full", "bloom", "0", "gentle", "0.4", NULL};
    fake_host fake;
    fake_open(&fake, &ip_op_relight_spec, 0, 5, "linear", frame_of, options);
    fake_role(&fake, "protect", 1, 1, "data", left_half);
    fake_times(&fake, times, 2);
    assert_int_equal(ip_op_relight.run(&fake.host), IPOS_OK);
    const ipos_frame *full = fake_picture(&fake, "full", times[0]);
    float kept = log2f(value_of(full, "G", 30, 85) / light_at(2, 30, 85, 1)), free_light = log2f(value_of(full, "G", 130, 85) / light_at(2, 130, 85, 1));
    assert_true(fabsf(kept / free_light - .4f) < .05f);
    fake_close(&fake);
}

static void test_glow(void **state) {
    (void)state;
    static const char *const glows[] = {"old_azimuth", "180", "azimuth", "0", "elevation", "8", "geometry", "none", "glow", "1", "bloom", "0", "variants", "full", NULL};
    static const char *const none[] = {"old_azimuth", "180", "azimuth", "0", "elevation", "8", "geometry", "none", "bloom", "0", "variants", "full", NULL};
    fake_host a, b;
    assert_int_equal(run_at(&a, 2, glows), IPOS_OK);
    assert_int_equal(run_at(&b, 2, none), IPOS_OK);
    const ipos_rational at = {2, 1};
    float near_sun = log2f(value_of(fake_picture(&a, "full", at), "R", 80, 25) / value_of(fake_picture(&b, "full", at), "R", 80, 25));
    float aside = log2f(value_of(fake_picture(&a, "full", at), "R", 4, 25) / value_of(fake_picture(&b, "full", at), "R", 4, 25));
    float blue = log2f(value_of(fake_picture(&a, "full", at), "B", 80, 25) / value_of(fake_picture(&b, "full", at), "B", 80, 25));
    assert_true(near_sun > aside + .05f && aside > .1f && blue < near_sun - .4f);
    fake_close(&a);
    fake_close(&b);
}

/* Evening in another street, under a red light or a blue one. */
static float red_at(int x, int y, int c) {
    static const float red[3] = {.5f, .2f, .04f}, blue[3] = {.2f, .25f, .3f};
    return ((x / 7) % 2 ? .3f : 1.f) * (c >= 3 ? blue[c - 3] : red[c]) * (.9f + .1f * sinf((float)x * .8f + (float)y));
}

static ipos_status take_of(int shift, ipos_frame **out) {
    static const ipos_channel channels[3] = {{"B", IPOS_F32, 1, 1}, {"G", IPOS_F32, 1, 1}, {"R", IPOS_F32, 1, 1}};
    IP_TRY(ip_frame_new(&(ipos_box){0, 0, 120, 70}, NULL, channels, 3, NULL, NULL, out));
    for (int k = 0; k < 3; k++)
        for (int y = 0; y < 70; y++)
            for (int x = 0; x < 120; x++) {
                ip_channel *to = &(*out)->channels[k];
                float value = shift < 0 ? 0 : red_at(x, y, 2 - k + shift);
                memcpy(to->data + y * to->row_stride + x * to->pixel_stride, &value, sizeof value);
            }
    return ipos_frame_set_encoding(*out, "linear");
}

static ipos_status red_take(int64_t number, ipos_frame **out) { return (void)number, take_of(0, out); }
static ipos_status blue_take(int64_t number, ipos_frame **out) { return (void)number, take_of(3, out); }
static ipos_status black_take(int64_t number, ipos_frame **out) { return (void)number, take_of(-1, out); }

static ipos_status run_with(fake_host *fake, ipos_status (*take)(int64_t, ipos_frame **), int takes) {
    static const char *const options[] = {"old_azimuth", "160", "azimuth", "-120", "geometry", "none", "variants", "full,hard", NULL};
    fake_open(fake, &ip_op_relight_spec, 0, 5, "linear", frame_of, options);
    for (int i = 0; i < takes; i++)
        fake_role(fake, "reference", 1, 3, "linear", take);
    fake_times(fake, times, 2);
    return ip_op_relight.run(&fake->host);
}

static void test_reference(void **state) {
    (void)state;
    fake_host fake;
    float warmth[3];
    for (int i = 0; i < 3; i++) { /* by the formula, by a red take, by a blue one */
        assert_int_equal(run_with(&fake, i == 1 ? red_take : blue_take, i > 0), IPOS_OK);
        const ipos_frame *full = fake_picture(&fake, "full", times[1]), *hard = fake_picture(&fake, "hard", times[1]);
        warmth[i] = log2f(value_of(full, "R", 60, 45) / value_of(full, "B", 60, 45));
        assert_true(fabsf(warmth[i] - log2f(value_of(hard, "R", 60, 45) / value_of(hard, "B", 60, 45))) < .5f);
        assert_true(!strstr(fake.details, "\"reference\":{\"used\":true") == !i);
        changed(&fake, "full", times[1]);
        fake_close(&fake);
    }
    assert_true(warmth[1] > warmth[0] + .1f && warmth[2] < warmth[0] - .1f);
    assert_true(warmth[1] < warmth[0] + 1.1f && warmth[2] > warmth[0] - 1.1f); /* not led far */
    assert_int_equal(run_with(&fake, red_take, 2), IPOS_ERR_ARGUMENT);
    assert_non_null(strstr(ipos_last_error(), "reference: one clip is expected"));
    fake_close(&fake);
    assert_int_equal(run_with(&fake, black_take, 1), IPOS_ERR_UNSUPPORTED);
    assert_non_null(strstr(ipos_last_error(), "reference: clip"));
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
    refused("strokes", "{\"strokes\":[{\"frame\":1,\"points\":[[1,2],[3,4]]}]}", "expected add, remove", NULL, NULL);
    refused("strokes", "{\"strokes\":[{\"kind\":\"wire\",\"frame\":1,\"points\":[[1,2],[3,4]]}]}", "of kind \"wire\"", NULL, NULL);
    refused("strokes", "{\"strokes\":[{\"kind\":\"add\",\"frame\":77,\"points\":[[1,2],[3,4]]}]}", "frame 77", NULL, NULL);
    refused("strokes", "{\"strokes\":[{\"kind\":\"add\",\"frame\":1,\"points\":[[500,2],[600,4]]}]}", "lies off the picture", "geometry", "none");
    refused("strokes", "{\"strokes\":[{\"kind\":\"add\",\"frame\":1,\"points\":[[5,2]]}]}", "has 1 points", NULL, NULL);
    refused("strokes", "{\"strokes\":[{\"kind\":\"add\",\"points\":[[5,2],[6,3]]}]}", "has no \"frame\"", NULL, NULL);
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
        cmocka_unit_test(test_place_and_time), cmocka_unit_test(test_protected), cmocka_unit_test(test_reference),
        cmocka_unit_test(test_wrong_settings),
        cmocka_unit_test(test_cancel), cmocka_unit_test(test_strokes_carried), cmocka_unit_test(test_strokes_keys),
        cmocka_unit_test(test_strokes_protect), cmocka_unit_test(test_gentle_mattes), cmocka_unit_test(test_glow)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
