/* Continuity over frames whose light, flicker and grain are known. */
#include "fake_host.h"
#include "grain.h"
#include "moving.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

extern const ip_op ip_op_continuity;
static const ipos_rational times[] = {{3, 1}, {8, 1}, {14, 1}};

/* Floats, so that what is left is the method's and not a rounding's; wide enough for what registers and measures. */
enum { BW = 320, BH = 240, TW = BW + 32, TH = BH + 32 };
static float table[3][TH][TW];

static void fill_table(void) {
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < TH; y++)
            for (int x = 0; x < TW; x++) {
                double sum = .42 + .04 * c;
                for (int k = 1; k <= 6; k++)
                    sum += .05 * sin(.015 * k * (x * (1 + .13 * k) + y * (.7 - .21 * k)) + 1.7 * k + .4 * c) + .008 * sin(.21 * k * x - .13 * (7 - k) * y + k);
                table[c][y][x] = (float)(sum < .06 ? .06 : sum > .9 ? .9 : sum);
            }
}

static bool locked; /* the camera */
static double texture(int x, int y, int64_t number, int c) {
    return (double)table[c][y + (locked ? 0 : (int)number / 2)][x + (locked ? 0 : (int)number)];
}

typedef double (*grading)(double code, int c, int64_t number, int x, int y);

static ipos_status made_of(int64_t number, grading grade, ipos_frame **out) {
    static const ipos_channel channels[4] = {{"A", IPOS_F32, 1, 1}, {"B", IPOS_F32, 1, 1}, {"G", IPOS_F32, 1, 1}, {"R", IPOS_F32, 1, 1}};
    ipos_box window = {0, 0, BW, BH};
    IP_TRY(ip_frame_new(&window, NULL, channels, 4, NULL, NULL, out));
    for (int k = 0; k < 4; k++)
        for (int y = 0; y < BH; y++)
            for (int x = 0; x < BW; x++) {
                float v = k ? (float)grade(texture(x, y, number, 3 - k), 3 - k, number, x, y) : .25f;
                memcpy((*out)->channels[k].data + y * (*out)->channels[k].row_stride + x * (*out)->channels[k].pixel_stride, &v, sizeof v);
            }
    return ipos_frame_set_encoding(*out, "rec709");
}

static double as_it_is(double code, int c, int64_t number, int x, int y) { return (void)c, (void)number, (void)x, (void)y, code; }
static double graded(double code, int c, int64_t number, int x, int y) {
    static const double gain[3] = {1.12, .96, .88};
    return (void)number, (void)x, (void)y, gain[c] * pow(code, 1.08) + .01;
}
/* A lamp on the left that only the other take has. */
static double lamp(double code, int c, int64_t number, int x, int y) {
    double there = exp(-((x - 60 + number) * (x - 60 + number) + (y - 120) * (y - 120)) / 9000.);
    return graded(code, c, number, x, y) * (1 + (.16 - .06 * c) * there);
}
static double noise_of(int64_t number, int x, int y, int c) {
    ip_rng rng = ip_rng_at((uint64_t)number, (uint64_t)(y * BW + x) * 4 + (uint64_t)c);
    return ip_rng_normal(&rng);
}
static double weak(double code, int c, int64_t number, int x, int y) { return code + .012 * noise_of(number + 100, x, y, c); }
static double grainy(double code, int c, int64_t number, int x, int y) { return code + .03 * noise_of(number, x, y, c); }
static double gain_at(int64_t number) { return .12 * sin(2.4 * (double)number) + .06 * cos(1.1 * (double)number * (double)number); }
static double flickering(double code, int c, int64_t number, int x, int y) {
    const ip_encoding *rec709 = ip_encoding_find("rec709");
    return (void)c, (void)x, (void)y, (double)rec709->from_linear(rec709->to_linear((float)code) * (float)exp(gain_at(number)));
}

static bool in_disc(int x, int y, double radius) { return hypot(x - 210, y - 90) < radius; }
static double with_a_disc(double code, int c, int64_t number, int x, int y) {
    return (void)number, in_disc(x, y, 18) ? .15 + .3 * c : .9 * code;
}

static double waves(double code, int c, int64_t number, int x, int y) {
    return (void)code, .42 + .04 * c + .14 * sin(.05 * (x + (double)number) * (1 + .004 * y)) * cos(.07 * y + .3 * c);
}

#define FRAMES_OF(name, grade) \
    static ipos_status name(int64_t number, ipos_frame **out) { return made_of(number, grade, out); }
FRAMES_OF(plain, as_it_is)
FRAMES_OF(changed, with_a_disc)
FRAMES_OF(other, graded)
FRAMES_OF(lit, lamp)
FRAMES_OF(elsewhere, waves)
FRAMES_OF(quiet, weak)
FRAMES_OF(noisy, grainy)
FRAMES_OF(unsteady, flickering)

static ipos_status lower_half(int64_t number, ipos_frame **out) {
    static const ipos_channel channel = {"Y", IPOS_U8, 1, 1};
    ipos_box window = {0, 0, BW, BH};
    (void)number;
    IP_TRY(ip_frame_new(&window, NULL, &channel, 1, NULL, NULL, out));
    for (int y = BH / 2; y < BH; y++)
        memset((*out)->channels[0].data + y * (*out)->channels[0].row_stride, 255, BW);
    return ipos_frame_set_encoding(*out, "data");
}

static ipos_status around_disc(int64_t number, ipos_frame **out) {
    static const ipos_channel channel = {"Y", IPOS_U8, 1, 1};
    ipos_box window = {0, 0, BW, BH};
    (void)number;
    IP_TRY(ip_frame_new(&window, NULL, &channel, 1, NULL, NULL, out));
    for (int y = 0; y < BH; y++)
        for (int x = 0; x < BW; x++)
            (*out)->channels[0].data[y * (*out)->channels[0].row_stride + x * (*out)->channels[0].pixel_stride] = in_disc(x, y, 24) ? 255 : 0;
    return ipos_frame_set_encoding(*out, "data");
}

static float sample(const ipos_frame *frame, int k, int x, int y) {
    float v;
    memcpy(&v, frame->channels[k].data + y * frame->channels[k].row_stride + x * frame->channels[k].pixel_stride, sizeof v);
    return v;
}

static float evidence_at(const ipos_frame *evidence, const char *name, int x, int y) {
    const ip_channel *map = &evidence->channels[ipos_frame_find_channel(evidence, name)];
    uint16_t half;
    memcpy(&half, map->data + y * map->row_stride + x * map->pixel_stride, sizeof half);
    return ip_half_to_float(half);
}

/* Mean absolute difference of colour, rows from..to. */
static double apart(const ipos_frame *a, const ipos_frame *b, int from, int to) {
    double sum = 0;
    for (int k = 1; k < 4; k++)
        for (int y = from; y < to; y++)
            for (int x = 0; x < BW; x++)
                sum += fabs((double)sample(a, k, x, y) - (double)sample(b, k, x, y));
    return sum / (3. * BW * (to - from));
}

static bool same_bits(const ipos_frame *a, const ipos_frame *b, int k, int from, int to) {
    for (int y = from; y < to; y++)
        if (memcmp(a->channels[k].data + y * a->channels[k].row_stride, b->channels[k].data + y * b->channels[k].row_stride, BW * sizeof(float)))
            return false;
    return true;
}

static void a_shot_is_brought_to_another(void **state) {
    (void)state;
    fake_host fake;
    fake_open(&fake, ip_op_continuity.spec, 1, 16, "rec709", other, (const char *const[]){"texture", "0", "local", "0", NULL});
    fake_role(&fake, "reference", 4, 12, "rec709", plain);
    fake_times(&fake, times, IP_COUNT(times));
    assert_int_equal(ip_op_continuity.run(&fake.host), IPOS_OK);
    assert_string_equal(fake.variants[0].variant, "match");
    for (size_t i = 0; i < IP_COUNT(times); i++) {
        ipos_frame *was, *wanted, *made = fake_picture(&fake, "match", times[i]), *half = fake_picture(&fake, "half", times[i]);
        assert_int_equal(other(times[i].num, &was), IPOS_OK);
        assert_int_equal(plain(times[i].num, &wanted), IPOS_OK);
        assert_true(apart(made, wanted, 0, BH) < .1 * apart(was, wanted, 0, BH));
        double part = apart(half, wanted, 0, BH) / apart(was, wanted, 0, BH);
        assert_true(part > .35 && part < .65);
        assert_true(same_bits(made, was, 0, 0, BH)); /* alpha */
        assert_true(evidence_at(fake_evidence(&fake, "match", times[i]), "evidence", 60, 70) == 4);
        ipos_frame_release(was);
        ipos_frame_release(wanted);
    }
    json_t *details = json_loads(fake.details, 0, NULL);
    const json_t *match = json_object_get(json_array_get(json_object_get(details, "shots"), 0), "match");
    assert_true(json_is_true(json_object_get(match, "registered")));
    assert_true(json_number_value(json_object_get(match, "after")) < .5);
    json_decref(details);
    fake_close(&fake);
}

static void light_that_falls_otherwise_is_matched_place_by_place(void **state) {
    (void)state;
    fake_host fake;
    fake_open(&fake, ip_op_continuity.spec, 1, 16, "rec709", lit, (const char *const[]){"texture", "0", NULL});
    fake_role(&fake, "reference", 4, 12, "rec709", plain);
    fake_times(&fake, times, 2);
    assert_int_equal(ip_op_continuity.run(&fake.host), IPOS_OK);
    for (size_t i = 0; i < 2; i++) {
        ipos_frame *wanted;
        const ipos_frame *global = fake_picture(&fake, "match", times[i]), *local = fake_picture(&fake, "local", times[i]);
        assert_int_equal(plain(times[i].num, &wanted), IPOS_OK);
        if (!local || !(apart(local, wanted, 0, BH) < .5 * apart(global, wanted, 0, BH)))
            fail_msg("%.4f, %.4f: %s", local ? apart(local, wanted, 0, BH) : -1, apart(global, wanted, 0, BH), fake.details);
        ipos_frame_release(wanted);
    }
    fake_close(&fake);
}

/* Where nothing is shared the graded clips are learned from, with their permission, and the details say what came of it; where something is, they are not looked at. */
static void graded_clips_are_learned_from(void **state) {
    (void)state;
    static const int64_t cuts[] = {5, 9, 13};
    for (int i = 0; i < 3; i++) {
        fake_host fake;
        fake_open(&fake, ip_op_continuity.spec, 1, 16, "rec709", other, (const char *const[]){"texture", "0", "local", "0", NULL});
        fake_role(&fake, "reference", 4, 12, "rec709", i == 2 ? plain : elsewhere);
        fake_role(&fake, "graded", 1, 16, "rec709", elsewhere);
        fake.clips[2].may_train = i > 0;
        fake.clips[2].cuts = cuts;
        fake.clips[2].cut_count = IP_COUNT(cuts);
        fake_times(&fake, times, 1);
        assert_int_equal(ip_op_continuity.run(&fake.host), i ? IPOS_OK : IPOS_ERR_PERMISSION);
        if (i == 0)
            assert_non_null(strstr(ipos_last_error(), "may not be learned from"));
        json_t *details = i ? json_loads(fake.details, 0, NULL) : NULL;
        const json_t *said = json_object_get(json_array_get(json_object_get(details, "shots"), 0), "graded");
        assert_true(i == 1 ? json_integer_value(json_object_get(said, "shots")) == 4 && json_number_value(json_object_get(said, "learned")) > 0 : !said);
        if (i)
            assert_string_equal(fake.variants[0].variant, i == 1 ? "suggestion" : "match");
        json_decref(details);
        fake_close(&fake);
    }
}

static void what_is_held_out_keeps_its_bits(void **state) {
    (void)state;
    fake_host fake;
    ipos_frame *was;
    fake_open(&fake, ip_op_continuity.spec, 1, 16, "rec709", other, (const char *const[]){"texture", "0", "local", "0", NULL});
    fake_role(&fake, "reference", 8, 8, "rec709", plain);
    fake_role(&fake, "holdout", 1, 1, "data", lower_half); /* one for all */
    fake_times(&fake, times, 1);
    assert_int_equal(ip_op_continuity.run(&fake.host), IPOS_OK);
    assert_int_equal(other(times[0].num, &was), IPOS_OK);
    const ipos_frame *made = fake_picture(&fake, "match", times[0]), *evidence = fake_evidence(&fake, "match", times[0]);
    for (int k = 0; k < 4; k++)
        assert_true(same_bits(made, was, k, BH / 2, BH));
    assert_true(apart(made, was, 0, BH / 2) > .01);
    assert_true(evidence_at(evidence, "evidence", 9, BH - 1) == 0 && evidence_at(evidence, "confidence", 9, BH - 1) == 1);
    ipos_frame_release(was);
    fake_close(&fake);
}

/* Nothing to do: strength 0, a reference that matches already, a shot that does not flicker. */
static void nothing_to_do_keeps_every_bit(void **state) {
    (void)state;
    static const struct {
        ipos_status (*shot)(int64_t, ipos_frame **);
        const char *variant, *options[7];
    } cases[] = {{other, "match", {"strength", "0", "local", "0", NULL}}, {plain, "match", {"local", "0", NULL}}, {plain, "deflicker", {"mode", "deflicker", NULL}},
        {unsteady, "deflicker", {"mode", "deflicker", "strength", "0", NULL}}};
    for (size_t i = 0; i < IP_COUNT(cases); i++) {
        fake_host fake;
        ipos_frame *was;
        fake_open(&fake, ip_op_continuity.spec, 1, 16, "rec709", cases[i].shot, cases[i].options);
        fake_role(&fake, "reference", 8, 8, "rec709", plain);
        fake_times(&fake, times, 2);
        assert_int_equal(ip_op_continuity.run(&fake.host), IPOS_OK);
        assert_int_equal(cases[i].shot(times[1].num, &was), IPOS_OK);
        const ipos_frame *made = fake_picture(&fake, cases[i].variant, times[1]);
        assert_non_null(made);
        for (int k = 0; k < 4; k++)
            assert_true(same_bits(made, was, k, 0, BH));
        for (int y = 0; y < BH; y += 7)
            assert_true(evidence_at(fake_evidence(&fake, cases[i].variant, times[1]), "evidence", y, y) == 0);
        ipos_frame_release(was);
        fake_close(&fake);
    }
}

static double variance(const ipos_frame *frame) {
    double sum = 0, squares = 0, n = 0;
    for (int y = 0; y < BH; y++)
        for (int x = 0; x < BW; x++, n++) {
            double d = (double)sample(frame, 2, x, y) - texture(x, y, 8, 1);
            sum += d;
            squares += d * d;
        }
    return squares / n - sum / n * (sum / n);
}

/* From the shot's grain to the reference's, whichever has more: a variance ratio of .16, or 6. */
static void grain_is_matched(void **state) {
    (void)state;
    locked = true;
    for (int less = 0; less < 2; less++) {
        fake_host fake;
        ipos_frame *like;
        fake_open(&fake, ip_op_continuity.spec, 1, 16, "rec709", less ? noisy : quiet, (const char *const[]){"local", "0", NULL});
        fake_role(&fake, "reference", 1, 16, "rec709", less ? quiet : noisy);
        fake_times(&fake, &times[1], 1);
        assert_int_equal(ip_op_continuity.run(&fake.host), IPOS_OK);
        assert_int_equal((less ? quiet : noisy)(8, &like), IPOS_OK);
        double ratio = variance(fake_picture(&fake, "match", times[1])) / variance(like);
        if (!(ratio > .85 && ratio < (less ? 1.6 : 1.15)))
            fail_msg("variance %.3f of the reference's: %s", ratio, fake.details);
        ipos_frame_release(like);
        fake_close(&fake);
    }
    locked = false;
}

static void grain_is_taken_out_and_put_in(void **state) {
    (void)state;
    static const struct {
        const char *options[7];
        double least, most; /* of the variance there was */
    } cases[] = {{{"mode", "texture", "degrain", "1", NULL}, 0, .35}, {{"mode", "texture", "degrain", "0.5", NULL}, .15, .6},
        {{"mode", "texture", "regrain", "1", NULL}, 1.8, 2.2}, {{"mode", "texture", "degrain", "1", "regrain", "1", NULL}, .9, 1.3}};
    locked = true;
    for (size_t i = 0; i < IP_COUNT(cases); i++) {
        fake_host fake;
        ipos_frame *was;
        fake_open(&fake, ip_op_continuity.spec, 1, 16, "rec709", noisy, cases[i].options);
        fake_times(&fake, &times[1], 1);
        assert_int_equal(ip_op_continuity.run(&fake.host), IPOS_OK);
        assert_int_equal(noisy(8, &was), IPOS_OK);
        double left = variance(fake_picture(&fake, "texture", times[1])) / variance(was);
        if (!(left >= cases[i].least && left <= cases[i].most))
            fail_msg("case %zu: variance %.3f of what it was: %s", i, left, fake.details);
        assert_true(same_bits(fake_picture(&fake, "texture", times[1]), was, 0, 0, BH));
        ipos_frame_release(was);
        fake_close(&fake);
    }
    locked = false;
}

/* Standard deviation over the frames of the mean log-ratio to the steady shot. */
static double unrest(const fake_host *fake, const char *variant) {
    double sum = 0, squares = 0;
    const ip_encoding *rec709 = ip_encoding_find("rec709");
    for (int64_t n = 1; n <= 24; n++) {
        ipos_frame *steady, *frame = NULL;
        double mean = 0;
        assert_int_equal(plain(n, &steady), IPOS_OK);
        if (!variant)
            assert_int_equal(unsteady(n, &frame), IPOS_OK);
        const ipos_frame *made = variant ? fake_picture(fake, variant, (ipos_rational){n, 1}) : frame;
        assert_non_null(made);
        for (int y = 3; y < BH; y += 7)
            for (int x = 3; x < BW; x += 7)
                mean += log((double)rec709->to_linear(sample(made, 2, x, y)) / (double)rec709->to_linear(sample(steady, 2, x, y))) / ((BH - 3 + 6) / 7 * ((BW - 3 + 6) / 7));
        sum += mean;
        squares += mean * mean;
        ipos_frame_release(steady);
        ipos_frame_release(frame);
    }
    return sqrt(squares / 24 - sum / 24 * (sum / 24));
}

static void flicker_goes(void **state) {
    (void)state;
    fake_host fake;
    ipos_rational all[24];
    for (int i = 0; i < 24; i++)
        all[i] = (ipos_rational){i + 1, 1};
    fake_open(&fake, ip_op_continuity.spec, 1, 24, "rec709", unsteady, (const char *const[]){"mode", "deflicker", NULL});
    fake_times(&fake, all, 24);
    assert_int_equal(ip_op_continuity.run(&fake.host), IPOS_OK);
    double before = unrest(&fake, NULL), after = unrest(&fake, "deflicker"), half = unrest(&fake, "half");
    if (!(after < .15 * before && half > .4 * before && half < .6 * before))
        fail_msg("unrest %.4f, after %.4f, half %.4f", before, after, half);
    fake_close(&fake);
}

/* A disc that only this take has, a seventh of a stop darker; the reference is two frames on. */
static void what_differs_is_reported(void **state) {
    (void)state;
    fake_host fake;
    fake_open(&fake, ip_op_continuity.spec, 1, 16, "rec709", changed, (const char *const[]){"mode", "report", "reference_frames", "5-12", NULL});
    fake_role(&fake, "reference", 1, 16, "rec709", plain);
    fake_times(&fake, times, 2);
    assert_int_equal(ip_op_continuity.run(&fake.host), IPOS_OK);
    const ipos_frame *picture = fake_picture(&fake, "report", times[0]);
    assert_non_null(picture);
    assert_null(fake_evidence(&fake, "report", times[0]));
    assert_string_equal(ipos_frame_encoding(picture), "data");
    json_t *details = json_loads(fake.details, 0, NULL), *reports = json_object_get(json_array_get(json_object_get(details, "shots"), 0), "reports");
    assert_int_equal(json_array_size(reports), 2);
    const json_t *first = json_array_get(reports, 0), *region = json_array_get(json_object_get(first, "regions"), 0);
    assert_int_equal(json_integer_value(json_object_get(first, "frame")), 3);
    assert_int_equal(json_integer_value(json_object_get(first, "reference_frame")), 5);
    assert_int_equal(json_array_size(json_object_get(first, "regions")), 1);
    double box[4];
    for (size_t i = 0; i < 4; i++)
        box[i] = json_number_value(json_array_get(json_object_get(region, "box"), i));
    assert_true(box[0] < 210 && box[0] + box[2] > 210 && box[1] < 90 && box[1] + box[3] > 90 && box[2] < 60 && box[3] < 60);
    json_decref(details);
    fake_close(&fake);
}

static void a_region_is_carried_over(void **state) {
    (void)state;
    fake_host fake;
    ipos_frame *was, *clean;
    fake_open(&fake, ip_op_continuity.spec, 1, 16, "rec709", changed, (const char *const[]){"mode", "patch", "reference_frames", "6", NULL});
    fake_role(&fake, "reference", 1, 16, "rec709", plain);
    fake_role(&fake, "matte", 1, 1, "data", around_disc);
    fake_times(&fake, times, 1);
    assert_int_equal(ip_op_continuity.run(&fake.host), IPOS_OK);
    assert_int_equal(changed(3, &was), IPOS_OK);
    assert_int_equal(plain(3, &clean), IPOS_OK);
    const ipos_frame *made = fake_picture(&fake, "patch", times[0]), *evidence = fake_evidence(&fake, "patch", times[0]);
    double off = 0, n = 0;
    int touched = 0;
    for (int k = 1; k < 4; k++)
        for (int y = 0; y < BH; y++)
            for (int x = 0; x < BW; x++) {
                if (in_disc(x, y, 20)) {
                    off += fabs(sample(made, k, x, y) - .9 * sample(clean, k, x, y));
                    n++;
                } else if (!in_disc(x, y, 32)) {
                    touched += sample(made, k, x, y) != sample(was, k, x, y);
                }
            }
    assert_int_equal(touched, 0);
    if (!(off / n < .012))
        fail_msg("%.4f off where it was patched: %s", off / n, fake.details);
    assert_true(evidence_at(evidence, "evidence", 210, 90) == 2 && evidence_at(evidence, "evidence", 20, 20) == 0);
    ipos_frame_release(was);
    ipos_frame_release(clean);
    fake_close(&fake);
}

static void check_refused(const char *const *options, const char *expected) {
    fake_host fake;
    fake_open(&fake, ip_op_continuity.spec, 1, 16, "rec709", other, options);
    fake_times(&fake, times, 1);
    assert_int_not_equal(ip_op_continuity.run(&fake.host), IPOS_OK);
    if (!strstr(ipos_last_error(), expected))
        fail_msg("\"%s\" does not say \"%s\"", ipos_last_error(), expected);
    assert_int_equal(fake.emits, 0);
    fake_close(&fake);
}

static void what_is_wrong_is_said(void **state) {
    (void)state;
    check_refused(NULL, "nothing to match to");
    check_refused((const char *const[]){"reference_frames", "7-", NULL}, "\"7-\", expected a frame");
    check_refused((const char *const[]){"reference_frames", "9-4", NULL}, "expected a frame");
    check_refused((const char *const[]){"reference_frames", "40-50", NULL}, "has frames 1-16, none of 40-50");
    check_refused((const char *const[]){"mode", "report", NULL}, "nothing to compare with");
    check_refused((const char *const[]){"mode", "texture", NULL}, "set degrain, regrain, bloom or vignette");
    check_refused((const char *const[]){"mode", "patch", "reference_frames", "3", NULL}, "give a clip of mattes");
    check_refused((const char *const[]){"look", "{", NULL}, "look: line 1");
    check_refused((const char *const[]){"look", "{\"format\":\"x\"}", NULL}, "format");
}

static void stops_when_asked(void **state) {
    (void)state;
    fake_host fake;
    ip_cancel cancel = {0};
    fake_open(&fake, ip_op_continuity.spec, 1, 16, "rec709", other, (const char *const[]){"reference_frames", "1-3", NULL});
    fake_times(&fake, times, 1);
    fake.host.cancel = &cancel;
    atomic_store(&cancel.set, 1);
    assert_int_equal(ip_op_continuity.run(&fake.host), IPOS_ERR_CANCELLED);
    fake_close(&fake);
}

int main(void) {
    fill_table();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shot_is_brought_to_another),
        cmocka_unit_test(light_that_falls_otherwise_is_matched_place_by_place),
        cmocka_unit_test(graded_clips_are_learned_from),
        cmocka_unit_test(what_is_held_out_keeps_its_bits),
        cmocka_unit_test(nothing_to_do_keeps_every_bit),
        cmocka_unit_test(grain_is_matched),
        cmocka_unit_test(grain_is_taken_out_and_put_in),
        cmocka_unit_test(flicker_goes),
        cmocka_unit_test(what_differs_is_reported),
        cmocka_unit_test(a_region_is_carried_over),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(stops_when_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
