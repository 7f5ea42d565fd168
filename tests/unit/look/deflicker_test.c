/* Flicker of known gains over moving plates: what is taken out, what is left, and what a frame's gains do to samples. */
#include "deflicker_internal.h"
#include "film.h"

#include <float.h>

enum { W = 160, H = 96, MOST = 40, PLATE_W = W + 3 * MOST, PLATE_H = H };

/* Frames made as they are asked for: a pan over a plate, every row times its gain. */
typedef struct moving {
    ip_plane_f plate[2];
    float gain[MOST][H], left[MOST]; /* left: of the left half alone */
    size_t cut;                      /* from here on the second plate */
    size_t next, stop_at;
    bool codes;
    ip_look_source source;
} moving;

static ipos_status fetch(void *user, size_t index, const ip_image3 *to) {
    moving *m = user;
    const ip_plane_f *plate = &m->plate[index >= m->cut];
    assert_true(index == m->next && index < m->source.count); /* ascending, each once */
    m->next = index + 1;
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                float light = ip_row(plate, y)[x + 3 * (int)index] * (1.f - .1f * (float)c) * m->gain[index][y] * (2 * x < W ? m->left[index] : 1.f);
                ip_row(&to->c[c], y)[x] = m->codes ? film_8bit(light) : light;
            }
    return IPOS_OK;
}

static void moving_new(moving *m, bool codes) {
    *m = (moving){.cut = MOST, .codes = codes, .stop_at = MOST};
    assert_int_equal(ip_planes_new(PLATE_W, PLATE_H, m->plate, 2), IPOS_OK);
    for (int k = 0; k < 2; k++)
        for (int y = 0; y < PLATE_H; y++)
            for (int x = 0; x < PLATE_W; x++)
                ip_row(&m->plate[k], y)[x] = .22f * expf(.5f * film_texture(x, y, 11 + (uint64_t)k));
    for (int i = 0; i < MOST; i++) {
        m->left[i] = 1.f;
        for (int y = 0; y < H; y++)
            m->gain[i][y] = 1.f;
    }
    m->source = (ip_look_source){.count = MOST, .width = W, .height = H, .encoding = ip_encoding_find(codes ? "srgb" : "linear"), .clip = codes ? 1.f : 0.f,
        .threads = 1, .fetch = fetch, .user = m};
}

static void moving_free(moving *m) { ip_planes_free(m->plate, 2); }

static void flicker(moving *m, float amount, uint64_t seed) {
    ip_rng rng = ip_rng_at(seed, 0);
    for (int i = 0; i < MOST; i++) {
        float g = 1.f + amount * (float)(2. * ip_rng_unit(&rng) - 1.);
        for (int y = 0; y < H; y++)
            m->gain[i][y] *= g;
    }
}

static void roll(moving *m, float amount) {
    for (int i = 0; i < MOST; i++)
        for (int y = 0; y < H; y++)
            m->gain[i][y] *= 1.f + amount * sinf(6.2832f * (1.6f * (float)y / H - .23f * (float)i));
}

/* Of the scene, not of the flicker: a fade to .3 in light, or a switch to .6 at 18. */
static float faded(int i) { return 1.f - .7f * fminf(1.f, fmaxf(0.f, ((float)i - 8.f) / 24.f)); }
/* Eased in display codes: none of the shapes the trend knows. */
static float eased(int i) {
    float u = fminf(1.f, fmaxf(0.f, ((float)i - 8.f) / 24.f));
    return powf(1.f - .42f * (.5f - .5f * cosf(3.14159265f * u)), 2.4f);
}
static float switched(int i) { return i < 18 ? 1.f : .6f; }

static void scene(moving *m, float (*light)(int)) {
    for (int i = 0; i < MOST; i++)
        for (int y = 0; y < H; y++)
            m->gain[i][y] *= light(i);
}

static void plan_of(moving *m, const ip_deflicker_options *options, ip_deflicker_plan *plan) {
    m->next = 0;
    assert_int_equal(ip_deflicker_plan_new(&m->source, options, plan), IPOS_OK);
    assert_int_equal(plan->count, MOST);
}

/* What is left in every row, natural logarithm: the gain put on, the gain that ip_deflicker_apply gives, less the scene's own. */
static void left_over(const moving *m, const ip_deflicker_plan *plan, float (*light)(int), double (*left)[H]) {
    const ip_encoding *linear = ip_encoding_find("linear");
    ip_image3 grey;
    assert_int_equal(ip_image3_new(4, H, &grey), IPOS_OK);
    for (size_t i = 0; i < MOST; i++) {
        float value = .2f;
        ip_to_working(linear, &value, 1);
        ip_plane_fill(&grey.c[1], value);
        assert_int_equal(ip_deflicker_apply(&plan->frame[i], linear, 0.f, &grey, 1), IPOS_OK);
        for (int y = 0; y < H; y++) {
            float after = ip_row(&grey.c[1], y)[2];
            ip_from_working(linear, &after, 1);
            left[i][y] = log((double)after / .2 * (double)m->gain[i][y] / (light ? (double)light((int)i) : 1.));
        }
    }
    ip_image3_free(&grey);
}

static double step_rms(double (*value)[H], size_t cut) {
    double sum = 0., n = 0.;
    for (size_t i = 1; i < MOST; i++)
        for (int y = 0; y < H && i != cut; y++) {
            sum += pow(value[i][y] - value[i - 1][y], 2.);
            n += 1.;
        }
    return sqrt(sum / n);
}

/* Share of the frame-to-frame flicker that is gone. */
static double cut_of(const moving *m, const ip_deflicker_plan *plan, float (*light)(int)) {
    static double before[MOST][H], after[MOST][H];
    const ip_deflicker_plan nothing = {.frame = ip_calloc(MOST, sizeof(ip_deflicker_frame)), .count = MOST};
    assert_non_null(nothing.frame);
    left_over(m, &nothing, light, before);
    left_over(m, plan, light, after);
    ip_free(nothing.frame);
    return 1. - step_rms(after, m->cut) / step_rms(before, m->cut);
}

static void no_gains(const ip_deflicker_plan *plan) {
    for (size_t i = 0; i < plan->count; i++)
        for (int b = 0; b < IP_DEFLICKER_BANDS; b++)
            assert_true(plan->frame[i].log_gain[b] == 0.f);
    assert_int_equal(plan->treated, 0);
}

static void check_cut(moving *m, float (*light)(int), double least, const char *what) {
    ip_deflicker_plan plan;
    plan_of(m, NULL, &plan);
    assert_true(ip_measured(&plan.reading) && plan.reading.frames == MOST && plan.reading.confidence > .5);
    double cut = cut_of(m, &plan, light);
    if (!(cut >= least))
        fail_msg("%s: %.1f %% of the flicker is gone, expected %.1f; rms %g, bands %g, agreement %g, %g", what, 100. * cut, 100. * least, plan.rms, plan.band_rms,
            plan.agreement, plan.bands_agreement);
    ip_deflicker_plan_free(&plan);
}

static void flicker_of_the_whole_goes(void **state) {
    (void)state;
    for (int codes = 0; codes < 2; codes++) {
        moving m;
        moving_new(&m, codes);
        flicker(&m, .15f, 3);
        check_cut(&m, NULL, codes ? .95 : .96, codes ? "8 bits" : "float");
        moving_free(&m);
    }
}

static void rolling_bands_go(void **state) {
    (void)state;
    moving m;
    moving_new(&m, false);
    roll(&m, .15f);
    check_cut(&m, NULL, .94, "bands");
    flicker(&m, .15f, 4);
    check_cut(&m, NULL, .94, "bands and the whole");
    ip_deflicker_plan plan;
    plan_of(&m, &(ip_deflicker_options){.global_only = true}, &plan);
    for (size_t i = 0; i < plan.count; i++)
        for (int b = 1; b < IP_DEFLICKER_BANDS; b++)
            assert_true(plan.frame[i].log_gain[b] == plan.frame[i].log_gain[0]);
    ip_deflicker_plan_free(&plan);
    moving_free(&m);
}

/* Where hardly anything but the bands is to be seen, the flow must not go with them. */
static void bands_over_plain_ground_go(void **state) {
    (void)state;
    moving m;
    moving_new(&m, false);
    for (int y = PLATE_H / 2; y < PLATE_H; y++)
        for (int x = 0; x < PLATE_W; x++)
            ip_row(&m.plate[0], y)[x] = .22f * expf(.012f * film_texture(x, y, 12));
    roll(&m, .15f);
    check_cut(&m, NULL, .94, "bands over plain ground");
    moving_free(&m);
}

static void fades_and_switches_stay(void **state) {
    (void)state;
    float (*const lights[])(int) = {faded, switched, eased};
    for (int k = 0; k < 3; k++) {
        moving m;
        ip_deflicker_plan plan;
        moving_new(&m, false);
        scene(&m, lights[k]);
        plan_of(&m, NULL, &plan);
        no_gains(&plan);
        assert_int_equal(plan.stretches, k == 1 ? 2 : 1);
        if (k == 1)
            assert_true(plan.frame[17].stretch == 0 && plan.frame[18].stretch == 1);
        ip_deflicker_plan_free(&plan);
        flicker(&m, .15f, 5);
        check_cut(&m, lights[k], k == 1 ? .92 : .9, k == 1 ? "switch" : k ? "eased fade" : "fade");
        moving_free(&m);
    }
}

static void drift_goes_where_asked(void **state) {
    (void)state;
    static double left[MOST][H];
    moving m;
    ip_deflicker_plan plan;
    moving_new(&m, false);
    for (int i = 0; i < MOST; i++)
        for (int y = 0; y < H; y++)
            m.gain[i][y] = expf(.01f * (float)i);
    plan_of(&m, NULL, &plan);
    no_gains(&plan);
    ip_deflicker_plan_free(&plan);
    plan_of(&m, &(ip_deflicker_options){.level = true}, &plan);
    left_over(&m, &plan, NULL, left);
    for (int i = 1; i < MOST; i++)
        assert_true(fabs(left[i][H / 2] - left[0][H / 2]) < .01);
    ip_deflicker_plan_free(&plan);
    moving_free(&m);
}

static void clean_footage_stays(void **state) {
    (void)state;
    for (int codes = 0; codes < 2; codes++) {
        moving m;
        ip_deflicker_plan plan;
        moving_new(&m, codes);
        plan_of(&m, NULL, &plan);
        no_gains(&plan);
        assert_true(plan.rms < .004 && plan.shots == 1 && plan.stretches == 1);
        ip_deflicker_plan_free(&plan);
        moving_free(&m);
    }
}

static void shots_are_worked_apart(void **state) {
    (void)state;
    moving m;
    ip_deflicker_plan plan;
    moving_new(&m, false);
    m.cut = 22;
    plan_of(&m, NULL, &plan);
    no_gains(&plan);
    assert_int_equal(plan.shots, 2);
    assert_true(plan.frame[21].shot == 0 && plan.frame[22].shot == 1);
    ip_deflicker_plan_free(&plan);
    flicker(&m, .15f, 6);
    check_cut(&m, NULL, .9, "two shots");
    moving_free(&m);
}

static void a_lamp_in_the_picture_and_one_flash_are_no_flicker(void **state) {
    (void)state;
    moving m;
    ip_deflicker_plan plan;
    ip_rng rng = ip_rng_at(8, 0);
    moving_new(&m, false);
    for (int i = 0; i < MOST; i++)
        m.left[i] = 1.f + .3f * (float)(ip_rng_unit(&rng) - .5);
    plan_of(&m, NULL, &plan);
    no_gains(&plan);
    ip_deflicker_plan_free(&plan);
    for (int i = 0; i < MOST; i++)
        m.left[i] = 1.f;
    for (int y = 0; y < H; y++)
        m.gain[25][y] = 1.4f;
    plan_of(&m, NULL, &plan);
    no_gains(&plan);
    ip_deflicker_plan_free(&plan);
    moving_free(&m);
}

static bool stop(void *user) {
    const moving *m = user;
    return m->next < m->stop_at;
}

static void too_little_cancel_and_errors(void **state) {
    (void)state;
    moving m;
    ip_deflicker_plan plan;
    moving_new(&m, false);
    m.source.count = 4;
    assert_int_equal(ip_deflicker_plan_new(&m.source, NULL, &plan), IPOS_OK);
    assert_non_null(strstr(plan.reading.reason, "no 6 frames"));
    assert_true(plan.count == 4 && plan.reading.confidence == 0.);
    no_gains(&plan);
    ip_deflicker_plan_free(&plan);
    m.next = 0;
    m.stop_at = 3;
    m.source.count = MOST;
    const ip_pulse pulse = {stop, &m};
    m.source.pulse = &pulse;
    assert_int_equal(ip_deflicker_plan_new(&m.source, NULL, &plan), IPOS_ERR_CANCELLED);
    assert_true(m.next == 3 && plan.frame == NULL);
    m.source.count = 0;
    assert_int_equal(ip_deflicker_plan_new(&m.source, NULL, &plan), IPOS_ERR_ARGUMENT);
    assert_non_null(strstr(ipos_last_error(), "no frames"));
    moving_free(&m);
    ip_image3 image;
    ip_deflicker_frame frame = {.log_gain = {.1f}};
    assert_int_equal(ip_image3_new(8, 8, &image), IPOS_OK);
    assert_int_equal(ip_deflicker_apply(&frame, ip_encoding_find("data"), 0.f, &image, 1), IPOS_ERR_ARGUMENT);
    frame.log_gain[3] = NAN;
    assert_int_equal(ip_deflicker_apply(&frame, ip_encoding_find("srgb"), 0.f, &image, 1), IPOS_ERR_ARGUMENT);
    assert_non_null(strstr(ipos_last_error(), "band 3"));
    ip_image3_free(&image);
}

static void all_threads_give_the_same_bits(void **state) {
    (void)state;
    moving m;
    ip_deflicker_plan plan[2];
    moving_new(&m, true);
    roll(&m, .1f);
    flicker(&m, .1f, 9);
    for (int k = 0; k < 2; k++) {
        m.source.threads = 1 + 2 * k;
        plan_of(&m, NULL, &plan[k]);
    }
    assert_memory_equal(plan[0].frame, plan[1].frame, MOST * sizeof *plan[0].frame);
    ip_image3 image[2];
    for (int k = 0; k < 2; k++) {
        assert_int_equal(ip_image3_new(W, H, &image[k]), IPOS_OK);
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < H; y++)
                for (int x = 0; x < W; x++)
                    ip_row(&image[k].c[c], y)[x] = (float)(x * 7 + y * 3 + c) / 1400.f;
        assert_int_equal(ip_deflicker_apply(&plan[k].frame[5], m.source.encoding, 1.f, &image[k], 1 + 2 * k), IPOS_OK);
    }
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < H; y++)
            assert_memory_equal(ip_row(&image[0].c[c], y), ip_row(&image[1].c[c], y), W * sizeof(float));
    for (int k = 0; k < 2; k++) {
        ip_image3_free(&image[k]);
        ip_deflicker_plan_free(&plan[k]);
    }
    moving_free(&m);
}

static const float odd[] = {0.f, -0.f, 1e-6f, .003f, .02f, .18f, .5f, .77f, .949f, .99f, 1.f, 1.7f, 40.f, -.004f, -.3f, NAN, INFINITY, -INFINITY, FLT_MAX};

static void samples_of_gain_one_keep_their_bits(void **state) {
    (void)state;
    const ip_deflicker_frame one = {{0.f}};
    ip_image3 image;
    assert_int_equal(ip_image3_new((int)IP_COUNT(odd), 16, &image), IPOS_OK);
    for (size_t e = 0; e < ip_encoding_count(); e++) {
        const ip_encoding *encoding = ip_encoding_at(e);
        if (encoding->kind == IP_ENCODING_DATA)
            continue;
        for (int y = 0; y < 16; y++)
            memcpy(ip_row(&image.c[0], y), odd, sizeof odd);
        assert_int_equal(ip_deflicker_apply(&one, encoding, 1.f, &image, 1), IPOS_OK);
        for (int y = 0; y < 16; y++)
            assert_memory_equal(ip_row(&image.c[0], y), odd, sizeof odd);
    }
    ip_image3_free(&image);
}

/* The picture's samples against linear light times gain, computed one by one. */
static void samples_are_scaled_in_linear_light(void **state) {
    (void)state;
    ip_image3 image;
    assert_int_equal(ip_image3_new((int)IP_COUNT(odd), 16, &image), IPOS_OK);
    for (size_t e = 0; e < ip_encoding_count(); e++) {
        const ip_encoding *encoding = ip_encoding_at(e);
        for (float gain = .8f; gain < 1.3f && encoding->kind != IP_ENCODING_DATA; gain += .45f) {
            ip_deflicker_frame frame;
            for (int b = 0; b < IP_DEFLICKER_BANDS; b++)
                frame.log_gain[b] = logf(gain);
            for (int y = 0; y < 16; y++) {
                memcpy(ip_row(&image.c[2], y), odd, sizeof odd);
                ip_to_working(encoding, ip_row(&image.c[2], y), IP_COUNT(odd));
            }
            assert_int_equal(ip_deflicker_apply(&frame, encoding, 0.f, &image, 1), IPOS_OK);
            for (size_t i = 0; i < IP_COUNT(odd) - 1; i++) {
                float got = ip_row(&image.c[2], 9)[i], expected = encoding->from_linear(encoding->to_linear(odd[i]) * gain);
                ip_to_working(encoding, &expected, 1);
                if (isnan(odd[i]) ? !isnan(got) : isinf(odd[i]) ? got != odd[i] : !(fabsf(got - expected) <= 1e-5f * fmaxf(1.f, fabsf(expected))))
                    if (isfinite(expected) || !isfinite(odd[i]))
                        fail_msg("%s: %g times %g gives %.8g, expected %.8g", encoding->name, (double)odd[i], (double)gain, (double)got, (double)expected);
            }
        }
    }
    ip_image3_free(&image);
}

static void white_stays_white_and_ramps_stay_ramps(void **state) {
    (void)state;
    enum { N = 512 };
    const ip_encoding *srgb = ip_encoding_find("srgb");
    ip_image3 image;
    ip_deflicker_frame frame;
    for (int b = 0; b < IP_DEFLICKER_BANDS; b++)
        frame.log_gain[b] = -.15f;
    assert_int_equal(ip_image3_new(N, 16, &image), IPOS_OK);
    for (int x = 0; x < N; x++)
        ip_row(&image.c[0], 3)[x] = (float)x * 1.1f / (N - 1);
    float last = ip_row(&image.c[0], 3)[N - 1];
    assert_int_equal(ip_deflicker_apply(&frame, srgb, 1.f, &image, 1), IPOS_OK);
    for (int x = 1; x < N; x++)
        assert_true(ip_row(&image.c[0], 3)[x] > ip_row(&image.c[0], 3)[x - 1]);
    assert_true(fabsf(ip_row(&image.c[0], 3)[N - 1] - last) < 1e-6f);
    assert_true(ip_row(&image.c[0], 3)[N / 2] < .54f * 1.1f * .98f);
    ip_image3_free(&image);
}

/* Bands of rows join without a seam: on grey, neighbouring rows never differ by more than a smooth curve through the gains would. */
static void bands_join_without_a_seam(void **state) {
    (void)state;
    enum { ROWS = 1600 };
    const ip_encoding *linear = ip_encoding_find("linear");
    ip_image3 image;
    ip_deflicker_frame frame;
    float row[ROWS];
    assert_int_equal(ip_image3_new(2, ROWS, &image), IPOS_OK);
    for (int b = 0; b < IP_DEFLICKER_BANDS; b++)
        frame.log_gain[b] = .15f * sinf(6.2832f * 2.f * ((float)b + .5f) / IP_DEFLICKER_BANDS);
    float value = .2f;
    ip_to_working(linear, &value, 1);
    ip_plane_fill(&image.c[0], value);
    assert_int_equal(ip_deflicker_apply(&frame, linear, 0.f, &image, 2), IPOS_OK);
    for (int y = 0; y < ROWS; y++) {
        row[y] = ip_row(&image.c[0], y)[0];
        ip_from_working(linear, &row[y], 1);
        row[y] = logf(row[y] / .2f);
    }
    for (int y = 1; y < ROWS; y++) /* .15 * 2 pi * 2 / 1600 = .0012 at the steepest */
        assert_true(fabsf(row[y] - row[y - 1]) < .0015f);
    for (int y = 100; y < ROWS - 100; y++)
        assert_true(fabsf(row[y] - .15f * sinf(6.2832f * 2.f * ((float)y + .5f) / ROWS)) < .004f);
    ip_image3_free(&image);
}

/* Bounded flicker says more of a level than its mean; normal flicker says the mean, and little is lost by not knowing which it is. */
static double jump_error(ip_rng *rng, bool normal, bool levels) {
    enum { FRAMES = 36, SWITCH = 16, RUNS = 200 };
    double sum = 0.;
    for (int r = 0; r < RUNS; r++) {
        double path[FRAMES], trend[FRAMES], mean[2] = {0.};
        for (int i = 0; i < FRAMES; i++) {
            double even = 0.;
            for (int k = 0; k < (normal ? 12 : 1); k++)
                even += ip_rng_unit(rng) - .5;
            path[i] = (normal ? .087 : .3) * even - (i < SWITCH ? 0. : .5);
            mean[i >= SWITCH] += path[i] / (i < SWITCH ? SWITCH : FRAMES - SWITCH);
        }
        ip_deflicker_levels(path, FRAMES, (const size_t[]){SWITCH}, 1, trend);
        assert_true(trend[0] == trend[SWITCH - 1] && trend[SWITCH] == trend[FRAMES - 1]);
        double jump = levels ? trend[SWITCH] - trend[0] : mean[1] - mean[0];
        sum += (jump + .5) * (jump + .5) / RUNS;
    }
    return sqrt(sum);
}

static void levels_know_bounds(void **state) {
    (void)state;
    for (int normal = 0; normal < 2; normal++) {
        ip_rng one = ip_rng_at(11, 0), same = ip_rng_at(11, 0);
        double ours = jump_error(&one, normal, true), means = jump_error(&same, normal, false);
        if (!(ours < (normal ? 1.1 : .75) * means))
            fail_msg("%s flicker: levels are off by %g, means by %g", normal ? "normal" : "even", ours, means);
    }
}

/* What the trend is off by from frame to frame, over the flicker: slow waves on a fade in stops to .3. */
static double trend_error(ip_rng *rng) {
    enum { FRAMES = 48, FADE = 29 };
    double path[FRAMES], trend[FRAMES], truth[FRAMES], error = 0., all = 0., phase = 6.2832 * ip_rng_unit(rng), speed = 6.2832 * (.1 + .1 * ip_rng_unit(rng));
    bool step[FRAMES] = {false};
    for (int i = 0; i < FRAMES; i++) {
        truth[i] = -1.2 * fmax(0., fmin(1., (i - .5 * (FRAMES - FADE)) / FADE));
        path[i] = truth[i] + .12 * sin(phase + speed * i) + .006 * (ip_rng_unit(rng) - .5);
    }
    ip_deflicker_steps(path, FRAMES, step);
    assert_int_equal(ip_deflicker_trend(path, FRAMES, step, trend), IPOS_OK);
    for (int i = 1; i < FRAMES; i++) {
        error += pow(trend[i] - trend[i - 1] - truth[i] + truth[i - 1], 2);
        all += pow(path[i] - path[i - 1] - truth[i] + truth[i - 1], 2);
    }
    return sqrt(error / all);
}

static void slow_flicker_is_no_trend(void **state) {
    (void)state;
    enum { RUNS = 40 };
    ip_rng rng = ip_rng_at(12, 0);
    int well = 0;
    for (int r = 0; r < RUNS; r++)
        well += trend_error(&rng) < .12;
    if (well < RUNS * 9 / 10)
        fail_msg("fades came out well %d times of %d", well, RUNS);
}

/* Mains light under a rolling shutter with an overtone, in 90 frames (two windows), read with errors; and bands that keep no time. */
static void waves_are_told_from_what_is_misread(void **state) {
    (void)state;
    enum { N = 90, K = IP_DEFLICKER_BANDS };
    static double values[N * K], wave[N * K], left[N * K];
    ip_rng rng = ip_rng_at(4, 0);
    double error = 0., noise = 0., share;
    for (int i = 0; i < N; i++)
        for (int k = 0; k < K; k++) {
            double turn = 6.2832 * (1.3 * k / K - .29 * i), misread = .03 * (2. * ip_rng_unit(&rng) - 1.);
            wave[i * K + k] = .1 * (1. + .3 * sin(k)) * sin(turn) + .02 * sin(2. * turn + 1.);
            values[i * K + k] = wave[i * K + k] + misread;
        }
    assert_int_equal(ip_deflicker_waves(values, N, K, left, &share), IPOS_OK);
    assert_true(share > .1 && share < .35);
    for (int i = 0; i < N * K; i++) {
        error += pow(values[i] - left[i] - wave[i], 2.);
        noise += pow(values[i] - wave[i], 2.);
    }
    if (!(sqrt(error / noise) < .5))
        fail_msg("the waves are off by %.2f of what the bands are", sqrt(error / noise));
    for (int i = 0; i < N * K; i++)
        values[i] = .1 * (2. * ip_rng_unit(&rng) - 1.);
    assert_int_equal(ip_deflicker_waves(values, N, K, left, &share), IPOS_OK);
    assert_true(share > .8);
    assert_int_equal(ip_deflicker_waves(values, 12, K, left, &share), IPOS_OK);
    assert_true(share == 1.);
}

/* Bands that keep no time go as others do. */
static void bands_without_a_period_go(void **state) {
    (void)state;
    moving m;
    ip_rng rng = ip_rng_at(21, 0);
    moving_new(&m, true);
    for (int i = 0; i < MOST; i++) {
        double a = .1 * (2. * ip_rng_unit(&rng) - 1.), b = .1 * (2. * ip_rng_unit(&rng) - 1.);
        for (int y = 0; y < H; y++)
            m.gain[i][y] *= (float)exp(a * cos(3.1416 * y / H) + b * cos(6.2832 * y / H));
    }
    check_cut(&m, NULL, .92, "bands without a period");
    moving_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(flicker_of_the_whole_goes), cmocka_unit_test(rolling_bands_go), cmocka_unit_test(bands_over_plain_ground_go),
        cmocka_unit_test(fades_and_switches_stay),
        cmocka_unit_test(drift_goes_where_asked), cmocka_unit_test(clean_footage_stays), cmocka_unit_test(shots_are_worked_apart),
        cmocka_unit_test(a_lamp_in_the_picture_and_one_flash_are_no_flicker), cmocka_unit_test(too_little_cancel_and_errors),
        cmocka_unit_test(all_threads_give_the_same_bits), cmocka_unit_test(samples_of_gain_one_keep_their_bits),
        cmocka_unit_test(samples_are_scaled_in_linear_light), cmocka_unit_test(white_stays_white_and_ramps_stay_ramps),
        cmocka_unit_test(bands_join_without_a_seam), cmocka_unit_test(levels_know_bounds),
        cmocka_unit_test(slow_flicker_is_no_trend), cmocka_unit_test(waves_are_told_from_what_is_misread), cmocka_unit_test(bands_without_a_period_go)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
