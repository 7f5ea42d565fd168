/* Relighting by example and from a location's days, end to end: a made street that pans, a made view that stands. */
#include "fake_host.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { WIDTH = 96, HEIGHT = 64 };
extern const ip_op ip_op_relight;
static const ipos_channel rgba[4] = {{"A", IPOS_F32, 1, 1}, {"B", IPOS_F32, 1, 1}, {"G", IPOS_F32, 1, 1}, {"R", IPOS_F32, 1, 1}};
static const float warm[3] = {.9f, .55f, .25f}; /* of R,G,B: what the evening does to most of the picture */
static int made_width = WIDTH;                  /* of examples and days */

/* Texture that moves to the left by 2 pixels a frame. */
static float texture(double x, double y) {
    return (float)(.35 + .15 * sin(.31 * x + .12 * y) + .1 * sin(.17 * x - .41 * y + 1) + .08 * sin(.73 * x + .57 * y));
}

/* c: 0 red .. 2 blue. One spot shines, one is below black. */
static float plate_at(int x, int y, int c, int64_t number) {
    if (x > 70 && x < 76 && y > 40 && y < 46)
        return 6 + (float)c;
    if (x > 20 && x < 24 && y > 50 && y < 54)
        return -.02f;
    double at = x + 2. * (double)number;
    return texture(at, y) * (c == 0 ? 1 : c == 1 ? .9f : .7f);
}

/* The same in the evening: warm, and a shadow that no change of colour could know of, fixed to the texture. */
static float evening_at(int x, int y, int c, int64_t number) {
    double at = x + 2. * (double)number;
    bool shadow = at > 50 && at < 70;
    return plate_at(x, y, c, number) * warm[c] * (shadow ? .3f : 1);
}

static ipos_status make(int64_t number, int width, float (*at)(int, int, int, int64_t), ipos_frame **out) {
    IP_TRY(ip_frame_new(&(ipos_box){3, -2, width, HEIGHT}, NULL, rgba, 4, NULL, NULL, out));
    for (int k = 0; k < 4; k++)
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < width; x++) {
                ip_channel *channel = &(*out)->channels[k];
                float value = k == 0 ? .125f * (float)(x % 8) : at(x, y, 3 - k, number);
                memcpy(channel->data + y * channel->row_stride + x * channel->pixel_stride, &value, sizeof value);
            }
    return ipos_frame_set_encoding(*out, "linear");
}

static ipos_status make_plate(int64_t number, ipos_frame **out) { return make(number, WIDTH, plate_at, out); }
static ipos_status make_example(int64_t number, ipos_frame **out) { return make(number, made_width, evening_at, out); }
static float still_at(int x, int y, int c, int64_t number) { return (void)number, plate_at(x, y, c, 0); }
static ipos_status make_still(int64_t number, ipos_frame **out) { return make(number, WIDTH, still_at, out); }
/* Days differ in exposure; on one a saturated thing stands where the texture is. */
static float day_at(int x, int y, int c, int64_t number) {
    if (number == 2 && x > 40 && x < 60 && y > 10 && y < 30)
        return c == 0 ? .9f : .02f;
    return fmaxf(plate_at(x, y, c, 0), 0) * (number == 1 ? .9f : 1.1f);
}
static float night_at(int x, int y, int c, int64_t number) { return fmaxf(plate_at(x, y, c, 0), 0) * warm[c] * (number == 2 ? 1.1f : .95f); }
static ipos_status make_day(int64_t number, ipos_frame **out) { return make(number, made_width, day_at, out); }
static ipos_status make_evening(int64_t number, ipos_frame **out) { return make(number, made_width, night_at, out); }

static float value_of(const ipos_frame *frame, int x, int y, int k) {
    float value;
    const ip_channel *channel = &frame->channels[k];
    ip_samples_to_float(channel->type, channel->data + y * channel->row_stride + x * channel->pixel_stride, channel->pixel_stride, &value, 1);
    return value;
}

static bool same(const ipos_frame *a, const ipos_frame *b, int k) {
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            float p = value_of(a, x, y, k), q = value_of(b, x, y, k);
            if (memcmp(&p, &q, sizeof p) != 0)
                return false;
        }
    return true;
}

/* Mean absolute difference over the parts without odd spots; R,G,B. */
static double apart(const ipos_frame *frame, float (*at)(int, int, int, int64_t), int64_t number) {
    double sum = 0;
    int count = 0;
    for (int y = 4; y < 38; y++)
        for (int x = 8; x < 88; x++)
            for (int c = 0; c < 3; c++, count++)
                sum += fabs((double)value_of(frame, x, y, 3 - c) - (double)at(x, y, c, number));
    return sum / count;
}

static void everything_is_kept(const fake_host *fake, const char *variant, ipos_rational time, ipos_status (*make_one)(int64_t, ipos_frame **)) {
    ipos_frame *source, *picture = fake_picture(fake, variant, time), *evidence = fake_evidence(fake, variant, time);
    assert_non_null(picture);
    assert_int_equal(make_one(time.num, &source), IPOS_OK);
    for (int k = 0; k < 4; k++)
        assert_true(same(picture, source, k));
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            assert_true(value_of(evidence, x, y, 1) == 0);
    ipos_frame_release(source);
}

static void an_example_is_carried(void **state) {
    (void)state;
    fake_host fake;
    const ipos_rational times[3] = {{3, 1}, {5, 1}, {8, 1}};
    fake_open(&fake, ip_op_relight.spec, 1, 9, "linear", make_plate, (const char *const[]){"geometry", "none", NULL});
    fake_role(&fake, "example", 5, 5, "linear", make_example);
    fake_times(&fake, times, 3);
    assert_int_equal(ip_op_relight.run(&fake.host), IPOS_OK);
    assert_int_equal(fake.variant_count, 2);
    assert_string_equal(fake.variants[0].variant, "taught");
    for (int i = 0; i < 3; i++) {
        ipos_frame *full = fake_picture(&fake, "taught", times[i]), *gentle = fake_picture(&fake, "gentle", times[i]), *source;
        ipos_frame *evidence = fake_evidence(&fake, "taught", times[i]);
        assert_non_null(full);
        assert_int_equal(make_plate(times[i].num, &source), IPOS_OK);
        assert_true(same(full, source, 0)); /* alpha */
        double to = apart(full, evening_at, times[i].num), was = apart(source, evening_at, times[i].num);
        assert_true(to < .12 * was);
        double half = apart(gentle, evening_at, times[i].num);
        assert_true(half > 2 * to && half < .7 * was);
        /* what shines goes on shining, what is below black stays there */
        assert_true(value_of(full, 73, 43, 3) > 2);
        assert_true(value_of(full, 22, 52, 3) < 0);
        assert_true(value_of(evidence, 48, 20, 1) == (i == 1 ? 2.f : 1.f));
        assert_true(value_of(evidence, 48, 20, 0) > .5f && value_of(evidence, 48, 20, 0) <= 1);
        ipos_frame_release(source);
    }
    ipos_frame *given, *back = fake_picture(&fake, "taught", times[1]);
    assert_int_equal(make_example(5, &given), IPOS_OK);
    for (int k = 1; k < 4; k++)
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++)
                assert_true(fabsf(value_of(given, x, y, k) - value_of(back, x, y, k)) <= 4e-6f * fabsf(value_of(given, x, y, k)));
    ipos_frame_release(given);
    fake_close(&fake);
}

/* From two examples the nearer one counts more; frames of both sides are served in one go. */
static void two_examples(void **state) {
    (void)state;
    fake_host fake;
    ipos_rational times[9];
    for (int i = 0; i < 9; i++)
        times[i] = (ipos_rational){i + 1, 1};
    fake_open(&fake, ip_op_relight.spec, 1, 9, "linear", make_plate, (const char *const[]){"geometry", "none", "variants", "taught", NULL});
    fake_role(&fake, "example", 2, 2, "linear", make_example);
    fake_role(&fake, "example", 8, 8, "linear", make_example);
    fake_times(&fake, times, 9);
    assert_int_equal(ip_op_relight.run(&fake.host), IPOS_OK);
    assert_int_equal(fake.emits, 9);
    for (int i = 0; i < 9; i++) {
        assert_int_equal(fake.emitted[i].time.num, i + 1);
        assert_true(apart(fake.emitted[i].picture, evening_at, i + 1) < .03);
    }
    fake_close(&fake);
}

static void no_strength_no_change(void **state) {
    (void)state;
    fake_host fake;
    const ipos_rational times[2] = {{4, 1}, {5, 1}};
    fake_open(&fake, ip_op_relight.spec, 1, 9, "linear", make_plate, (const char *const[]){"geometry", "none", "strength", "0", NULL});
    fake_role(&fake, "example", 5, 5, "linear", make_example);
    fake_times(&fake, times, 2);
    assert_int_equal(ip_op_relight.run(&fake.host), IPOS_OK);
    for (int i = 0; i < 2; i++) {
        everything_is_kept(&fake, "taught", times[i], make_plate);
        everything_is_kept(&fake, "gentle", times[i], make_plate);
    }
    fake_close(&fake);
    fake_open(&fake, ip_op_relight.spec, 1, 3, "linear", make_still, (const char *const[]){"strength", "0", NULL});
    fake_role(&fake, "day", 1, 2, "linear", make_day);
    fake_role(&fake, "evening", 1, 3, "linear", make_evening);
    fake_times(&fake, (const ipos_rational[]){{2, 1}}, 1);
    assert_int_equal(ip_op_relight.run(&fake.host), IPOS_OK);
    everything_is_kept(&fake, "days", (ipos_rational){2, 1}, make_still);
    fake_close(&fake);
}

static float goal_at(int x, int y, int c, int64_t number) { return (void)number, plate_at(x, y, c, 0) * warm[c] * .95f; }

static void days_of_the_place(void **state) {
    (void)state;
    fake_host fake;
    const ipos_rational time = {2, 1};
    fake_open(&fake, ip_op_relight.spec, 1, 3, "linear", make_still, NULL);
    fake_role(&fake, "day", 1, 2, "linear", make_day);
    fake_role(&fake, "evening", 1, 3, "linear", make_evening);
    fake_times(&fake, &time, 1);
    assert_int_equal(ip_op_relight.run(&fake.host), IPOS_OK);
    ipos_frame *full = fake_picture(&fake, "days", time), *source;
    assert_non_null(full);
    assert_int_equal(make_still(2, &source), IPOS_OK);
    assert_true(same(full, source, 0));
    assert_true(apart(full, goal_at, 2) < .1 * apart(source, goal_at, 2));
    assert_true(value_of(full, 73, 43, 3) > 2);
    assert_true(value_of(full, 22, 52, 3) < 0);
    assert_true(value_of(fake_evidence(&fake, "days", time), 48, 20, 1) == 4);
    ipos_frame_release(source);
    fake_close(&fake);
}

/* Black and white footage, coloured examples: it stays black and white, at their luminance. */
static ipos_status make_grey(int64_t number, ipos_frame **out) {
    static const ipos_channel channel = {"Y", IPOS_F16, 1, 1};
    IP_TRY(ip_frame_new(&(ipos_box){3, -2, WIDTH, HEIGHT}, NULL, &channel, 1, NULL, NULL, out));
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            float value = plate_at(x, y, 0, number);
            ip_channel *to = &(*out)->channels[0];
            ip_samples_from_float(IPOS_F16, &value, to->data + y * to->row_stride + x * to->pixel_stride, to->pixel_stride, 1);
        }
    return ipos_frame_set_encoding(*out, "linear");
}

static void grey_stays_grey(void **state) {
    (void)state;
    fake_host fake;
    fake_open(&fake, ip_op_relight.spec, 1, 9, "linear", make_grey, (const char *const[]){"geometry", "none", "variants", "taught", NULL});
    fake_role(&fake, "example", 5, 5, "linear", make_example);
    fake_times(&fake, (const ipos_rational[]){{5, 1}}, 1);
    assert_int_equal(ip_op_relight.run(&fake.host), IPOS_OK);
    ipos_frame *made = fake_picture(&fake, "taught", (ipos_rational){5, 1});
    for (int x = 0; x < WIDTH; x++) {
        float luma = .2126f * evening_at(x, 30, 0, 5) + .7152f * evening_at(x, 30, 1, 5) + .0722f * evening_at(x, 30, 2, 5);
        assert_true(fabsf(value_of(made, x, 30, 0) - luma) < 2e-3f * luma);
    }
    fake_close(&fake);
}

static void refused(const char *role, int64_t first, int64_t last, const char *more, const char *const *options, const char *text) {
    fake_host fake;
    fake_open(&fake, ip_op_relight.spec, 1, 9, "linear", make_plate, options);
    fake_role(&fake, role, first, last, "linear", make_example);
    if (more)
        fake_role(&fake, more, first, last, "linear", make_example);
    fake_times(&fake, (const ipos_rational[]){{3, 1}}, 1);
    assert_int_equal(ip_op_relight.run(&fake.host), IPOS_ERR_ARGUMENT);
    if (!strstr(ipos_last_error(), text))
        fail_msg("\"%s\" lacks \"%s\"", ipos_last_error(), text);
    fake_close(&fake);
}

static void what_makes_no_sense(void **state) {
    (void)state;
    refused("example", 20, 21, NULL, NULL, "has none among the examples, whose first is frame 20");
    refused("example", 5, 5, "example", NULL, "frame 5 is given twice");
    refused("example", 5, 5, "day", NULL, "not by both");
    refused("example", 5, 5, NULL, (const char *const[]){"variants", "taught,sun", NULL}, "\"sun\" in \"taught,sun\" is none of taught, gentle");
    refused("day", 1, 2, NULL, NULL, "evening: is missing");
    refused("evening", 1, 2, NULL, NULL, "day: is missing");
    refused("day", 1, 49, "evening", NULL, "day: more than 48 pictures");
    made_width = 80;
    refused("example", 5, 5, NULL, (const char *const[]){"geometry", "none", NULL}, "are 80x64, those of clip c 96x64");
    refused("day", 1, 2, "evening", NULL, "are 80x64, the shot's 96x64");
    made_width = WIDTH;
}

static void cancelled(void **state) {
    (void)state;
    fake_host fake;
    ip_cancel cancel;
    atomic_init(&cancel.set, 1);
    fake_open(&fake, ip_op_relight.spec, 1, 9, "linear", make_plate, (const char *const[]){"geometry", "none", NULL});
    fake_role(&fake, "example", 5, 5, "linear", make_example);
    fake_times(&fake, (const ipos_rational[]){{3, 1}}, 1);
    fake.host.cancel = &cancel;
    assert_int_equal(ip_op_relight.run(&fake.host), IPOS_ERR_CANCELLED);
    assert_int_equal(fake.emits, 0);
    fake_close(&fake);
}

/* A frame comes out the same whichever others are asked for with it, though those beside it steady it. */
static void alone_as_among_others(void **state) {
    (void)state;
    const ipos_rational all[7] = {{2, 1}, {3, 1}, {4, 1}, {5, 1}, {6, 1}, {7, 1}, {8, 1}}, one[2] = {{3, 1}, {7, 1}};
    fake_host among, alone;
    fake_host *const both[2] = {&among, &alone};
    for (int i = 0; i < 2; i++) {
        fake_open(both[i], ip_op_relight.spec, 1, 9, "linear", make_plate, (const char *const[]){"geometry", "none", "variants", "taught", NULL});
        fake_role(both[i], "example", 5, 6, "linear", make_example);
        fake_times(both[i], i ? one : all, i ? 2 : 7);
        assert_int_equal(ip_op_relight.run(&both[i]->host), IPOS_OK);
    }
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 4; k++)
            assert_true(same(fake_picture(&among, "taught", one[i]), fake_picture(&alone, "taught", one[i]), k));
    fake_close(&among);
    fake_close(&alone);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_example_is_carried), cmocka_unit_test(two_examples), cmocka_unit_test(alone_as_among_others), cmocka_unit_test(no_strength_no_change),
        cmocka_unit_test(days_of_the_place), cmocka_unit_test(grey_stays_grey), cmocka_unit_test(what_makes_no_sense), cmocka_unit_test(cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
