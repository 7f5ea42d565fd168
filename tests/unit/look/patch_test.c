/* A region whose truth is known, carried from another frame: colour, place, grain, evidence, and what must stay. */
#include "film.h"
#include "gauss.h"
#include "grain_internal.h"
#include "patch.h"

enum { W = 320, H = 240, FRAMES = 5, MIDDLE = 2 };
static const double DX = 6.4, DY = -3.7; /* where the donor's camera is */

typedef struct take {
    double x, y;
    float gain[3], noise;
    bool thing;         /* in front of the place, in the middle frame */
    uint64_t seed;
} take;

static const take own = {.gain = {1.f, 1.f, 1.f}, .thing = true, .seed = 3};
static const take other = {.x = 6.4, .y = -3.7, .gain = {1.22f * 1.05f, 1.22f, 1.22f * .95f}, .seed = 4};

static bool hidden(double u, double v) { return hypot(u - 150., v - 120.) < 26.; }

/* Linear light of the set. */
static void set_at(const ip_encoding *encoding, double u, double v, bool thing, float linear[3]) {
    double base = film_texture(u, v, 5), red = film_texture(v + 900., u, 5), blue = film_texture(u - 700., v + 300., 5);
    const double code[3] = {.45 + .1 * base + .04 * red, .45 + .1 * base, .43 + .09 * base + .04 * blue};
    const ip_encoding *drawn = encoding->kind == IP_ENCODING_LINEAR ? ip_encoding_find("srgb") : encoding;
    for (int c = 0; c < 3; c++)
        linear[c] = drawn->to_linear((float)(thing && hidden(u, v) ? .2 + .3 * c : code[c]));
}

static void code_of(const ip_look_source *source, const ip_image3 *linear, const ip_image3 *code) {
    for (int c = 0; c < 3; c++)
        ip_look_code_plane(source, &linear->c[c], &code->c[c]);
}

static void shoot(film *f, const take *t) {
    for (size_t i = 0; i < f->count; i++) {
        ip_rng rng = ip_rng_at(t->seed + 100 * i, 3);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                float linear[3];
                set_at(f->source.encoding, x + t->x, y + t->y, t->thing && i == MIDDLE, linear);
                for (int c = 0; c < 3; c++) {
                    float v = linear[c] * t->gain[c], code = t->noise > 0.f ? ip_look_code(&f->source, v) + t->noise * (float)ip_rng_normal(&rng) : 0.f;
                    ip_row(&f->frame[i].c[c], y)[x] = t->noise > 0.f ? ip_look_linear(f->source.encoding, code) : v;
                }
            }
    }
}

/* The hidden place and a little around it. */
static ip_plane_f matte_at(double x0, double y0) {
    ip_plane_f matte;
    assert_int_equal(ip_plane_new(W, H, &matte), IPOS_OK);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            ip_row(&matte, y)[x] = hypot(x + x0 - 150., y + y0 - 120.) < 30. ? 1.f : 0.f;
    return matte;
}

typedef struct scenario {
    film target, donor;
    ip_image3 image, truth;
    ip_plane_f matte;
    ip_patch patch;
} scenario;

static void begin(scenario *s, const char *encoding, const take *target, const take *donor) {
    float clip = ip_encoding_find(encoding)->kind == IP_ENCODING_DISPLAY ? 1.f : 0.f;
    film_new(&s->target, W, H, FRAMES, encoding, clip);
    film_new(&s->donor, W, H, FRAMES, encoding, clip);
    shoot(&s->target, target);
    shoot(&s->donor, donor);
    assert_int_equal(ip_image3_new(W, H, &s->image), IPOS_OK);
    assert_int_equal(ip_image3_new(W, H, &s->truth), IPOS_OK);
    code_of(&s->target.source, &s->target.frame[MIDDLE], &s->image);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            float linear[3];
            set_at(s->target.source.encoding, x + target->x, y + target->y, false, linear);
            for (int c = 0; c < 3; c++)
                ip_row(&s->truth.c[c], y)[x] = ip_look_code(&s->target.source, linear[c]);
        }
    s->matte = matte_at(0., 0.);
    s->patch = (ip_patch){0};
}

static ipos_status make(scenario *s, const ip_patch_options *options) {
    return ip_patch_make(film_start(&s->target), MIDDLE, film_start(&s->donor), MIDDLE, &s->matte, options, &s->image, &s->patch);
}

static void end(scenario *s) {
    film_free(&s->target);
    film_free(&s->donor);
    ip_image3_free(&s->image);
    ip_image3_free(&s->truth);
    ip_plane_free(&s->matte);
    ip_patch_free(&s->patch);
}

static double rms_inside(const scenario *s) {
    double sum = 0.;
    size_t count = 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            if (ip_row(&s->matte, y)[x] > 0.f)
                for (int c = 0; c < 3; c++, count++) {
                    double d = ip_row(&s->image.c[c], y)[x] - ip_row(&s->truth.c[c], y)[x];
                    sum += d * d;
                }
    return sqrt(sum / (double)count);
}

static void the_truth_comes_back_in_every_encoding(void **state) {
    (void)state;
    static const char *const names[] = {"srgb", "logc3", "linear"};
    for (size_t i = 0; i < IP_COUNT(names); i++) {
        scenario s;
        begin(&s, names[i], &own, &other);
        double spoiled = rms_inside(&s);
        assert_int_equal(make(&s, NULL), IPOS_OK);
        assert_true(ip_measured(&s.patch.reading) && s.patch.share == 1. && s.patch.reading.confidence > .5);
        double off = rms_inside(&s);
        if (!(off < .006 && off < .05 * spoiled))
            fail_msg("%s: off by %g inside, %g before", names[i], off, spoiled);
        assert_true(s.patch.before < .04 && s.patch.after < .5 * s.patch.before + .004);
        assert_true(fabs(s.patch.homography[2] + DX) < .3 && fabs(s.patch.homography[5] + DY) < .3);
        end(&s);
    }
}

static void light_stays_where_it_is_asked_to(void **state) {
    (void)state;
    const ip_patch_options options = {.no_relight = true, .no_regrain = true};
    scenario s;
    begin(&s, "srgb", &own, &other);
    assert_int_equal(make(&s, &options), IPOS_OK);
    assert_true(ip_grade_is_none(&s.patch.grade) && rms_inside(&s) > .02); /* a fifth of a stop more, as the donor was shot */
    assert_non_null(strstr(s.patch.regrain.reason, "not asked for"));
    end(&s);
}

/* A slope of light that only the target has: the global match cannot, the ring can. */
static void light_of_the_place_is_carried_inwards(void **state) {
    (void)state;
    scenario s;
    begin(&s, "srgb", &own, &other);
    for (int i = 0; i < 2; i++)
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < H; y++)
                for (int x = 0; x < W; x++)
                    ip_row(i ? &s.truth.c[c] : &s.image.c[c], y)[x] *= 1.f + .12f * (float)exp(-((x - 190.) * (x - 190.) + (y - 120.) * (y - 120.)) / (2. * 60. * 60.));
    assert_int_equal(make(&s, NULL), IPOS_OK);
    double off = rms_inside(&s);
    if (!(off < .012 && s.patch.after < .7 * s.patch.before))
        fail_msg("off by %g, the ring by %g, before %g", off, s.patch.after, s.patch.before);
    end(&s);
}

static bool same_bits(float a, float b) { return memcmp(&a, &b, sizeof a) == 0; }

static void outside_stays_to_the_bit(void **state) {
    (void)state;
    scenario s;
    ip_image3 before;
    size_t touched = 0;
    begin(&s, "linear", &own, &other);
    ip_row(&s.image.c[0], 20)[20] = NAN;
    ip_row(&s.image.c[1], 21)[20] = -0.f;
    ip_row(&s.image.c[2], 22)[20] = 7.5f;
    ip_row(&s.image.c[1], 120)[185] = NAN; /* next to the matte */
    ip_row(&s.image.c[0], 122)[186] = -.4f;
    ip_row(&s.image.c[2], 120)[150] = NAN; /* within: replaced */
    assert_int_equal(ip_image3_new(W, H, &before), IPOS_OK);
    for (int c = 0; c < 3; c++)
        ip_plane_copy(&before.c[c], &s.image.c[c]);
    assert_int_equal(make(&s, NULL), IPOS_OK);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            bool taken = ip_row(&s.patch.evidence, y)[x] > 0.f, far = hypot(x - 150., y - 120.) > 30. + 4.5;
            assert_true(!(taken && far));
            assert_true(taken || ip_row(&s.matte, y)[x] == 0.f);
            touched += taken;
            for (int c = 0; c < 3 && !taken; c++)
                assert_true(same_bits(ip_row(&before.c[c], y)[x], ip_row(&s.image.c[c], y)[x]));
            assert_true(taken ? ip_row(&s.patch.confidence, y)[x] > 0.f : ip_row(&s.patch.confidence, y)[x] == 1.f);
        }
    assert_true(touched > 2700 && touched < 4000 && isfinite(ip_row(&s.image.c[2], 120)[150]));
    ip_image3_free(&before);
    end(&s);
}

static double fine_variance(const ip_image3 *image, const ip_image3 *truth, bool inside) {
    double sum = 0.;
    size_t count = 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            double away = hypot(x - 150., y - 120.);
            if (inside ? away > 26. : away < 40. || away > 100.)
                continue;
            for (int c = 0; c < 3; c++, count++) {
                double d = ip_row(&image->c[c], y)[x] - ip_row(&truth->c[c], y)[x];
                sum += d * d;
            }
        }
    return sum / (double)count;
}

static void grain_is_the_targets(void **state) {
    (void)state;
    static const float donors[] = {.02f, .008f, .032f}; /* as the target, less, more */
    for (size_t i = 0; i < IP_COUNT(donors); i++) {
        scenario s;
        take a = own, b = other;
        a.noise = .02f;
        b.noise = donors[i];
        const ip_patch_options options = {.seed = 11};
        begin(&s, "srgb", &a, &b);
        assert_int_equal(make(&s, &options), IPOS_OK);
        assert_true(ip_measured(&s.patch.regrain));
        double ratio = fine_variance(&s.image, &s.truth, true) / fine_variance(&s.image, &s.truth, false);
        if (!(ratio > .9 && ratio < 1.1))
            fail_msg("donor's grain %g: variance inside over outside is %g; %g was added, removed %d", (double)donors[i], ratio, s.patch.grain_added, s.patch.grain_removed);
        end(&s);
    }
}

/* From one frame no grain can be measured; between its pixels the donor's would lose a good part. */
static void grain_that_cannot_be_measured_stays_whole(void **state) {
    (void)state;
    double ratio[2];
    for (int quiet = 0; quiet < 2; quiet++) {
        scenario s;
        take a = own, b = other;
        a.noise = b.noise = .03f;
        b.x = 6.5;
        b.y = -3.5;
        const ip_patch_options options = {.no_regrain = quiet};
        begin(&s, "srgb", &a, &b);
        s.target.source.count = 1;
        assert_int_equal(ip_patch_make(film_start(&s.target), 0, film_start(&s.donor), MIDDLE, &s.matte, &options, &s.image, &s.patch), IPOS_OK);
        assert_true(ip_measured(&s.patch.reading) && !ip_measured(&s.patch.regrain));
        assert_true(quiet ? s.patch.grain_kept == 0. : s.patch.grain_kept > .9);
        ratio[quiet] = fine_variance(&s.image, &s.truth, true) / fine_variance(&s.image, &s.truth, false);
        end(&s);
    }
    if (!(ratio[0] > .9 && ratio[0] < 1.1 && ratio[1] < .85))
        fail_msg("variance inside over outside is %g, and %g as interpolated", ratio[0], ratio[1]);
}

/* Power of second differences of what is over the truth, inside over outside. */
static double finest_inside(const ip_image3 *image, const ip_image3 *truth) {
    double sum[2] = {0.}, count[2] = {0.};
    for (int c = 0; c < 3; c++) {
        ip_plane_f left, power;
        assert_int_equal(ip_plane_new(W, H, &left), IPOS_OK);
        assert_int_equal(ip_plane_new(W, H, &power), IPOS_OK);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                ip_row(&left, y)[x] = ip_row(&image->c[c], y)[x] - ip_row(&truth->c[c], y)[x];
        ip_grain_second_difference(&left, 1, &power, 1);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                double away = hypot(x - 150., y - 120.);
                if (away > 26. && (away < 40. || away > 100.))
                    continue;
                sum[away > 26.] += ip_row(&power, y)[x];
                count[away > 26.] += 1.;
            }
        ip_plane_free(&left);
        ip_plane_free(&power);
    }
    return sum[0] / count[0] / (sum[1] / count[1]);
}

/* A take that is a little softer: what is finest of it is all but gone, and no gain brings it back: .78 of its power without noise in its place. */
static void finest_grain_that_is_gone_is_made(void **state) {
    (void)state;
    scenario s;
    take a = own, b = other;
    a.noise = b.noise = .03f;
    const ip_patch_options options = {.seed = 3};
    begin(&s, "srgb", &a, &b);
    s.target.source.count = 1;
    for (int c = 0; c < 3; c++) {
        ip_plane_f tmp;
        assert_int_equal(ip_plane_new(W, H, &tmp), IPOS_OK);
        ip_gauss_blur(&s.donor.frame[MIDDLE].c[c], &s.donor.frame[MIDDLE].c[c], &tmp, .4, 1);
        ip_plane_free(&tmp);
    }
    assert_int_equal(ip_patch_make(film_start(&s.target), 0, film_start(&s.donor), MIDDLE, &s.matte, &options, &s.image, &s.patch), IPOS_OK);
    assert_true(ip_measured(&s.patch.reading) && !ip_measured(&s.patch.regrain));
    double ratio = finest_inside(&s.image, &s.truth);
    end(&s);
    if (!(ratio > .88 && ratio < 1.1))
        fail_msg("finest power inside over outside is %g", ratio);
}

static void the_donors_matte_brings_the_donors_thing(void **state) {
    (void)state;
    scenario s;
    take a = own, b = other;
    const ip_patch_options options = {.matte_of_donor = true};
    a.thing = false;
    b.thing = true;
    begin(&s, "srgb", &a, &b);
    ip_plane_free(&s.matte);
    s.matte = matte_at(DX, DY);
    assert_int_equal(make(&s, &options), IPOS_OK);
    assert_true(s.patch.share == 1.);
    for (int c = 0; c < 3; c++) /* red .2, green .5, blue .8 before the donor's exposure, which is taken off */
        assert_true(fabs(ip_row(&s.image.c[c], 120)[150] - (.2 + .3 * c)) < .04);
    assert_true(fabsf(ip_row(&s.image.c[2], 120)[150 + 34] - ip_row(&s.truth.c[2], 120)[150 + 34]) < 1e-5f);
    end(&s);
}

static void it_is_the_same_every_time(void **state) {
    (void)state;
    scenario s[3];
    take a = own, b = other;
    a.noise = .02f;
    b.noise = .01f;
    for (int i = 0; i < 3; i++) {
        const ip_patch_options options = {.seed = i == 2 ? 8 : 7};
        begin(&s[i], "srgb", &a, &b);
        s[i].target.source.threads = s[i].donor.source.threads = i == 1 ? 3 : 1;
        assert_int_equal(make(&s[i], &options), IPOS_OK);
    }
    bool other_grain = false;
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < H; y++) {
            assert_memory_equal(ip_row(&s[0].image.c[c], y), ip_row(&s[1].image.c[c], y), W * sizeof(float));
            other_grain = other_grain || memcmp(ip_row(&s[0].image.c[c], y), ip_row(&s[2].image.c[c], y), W * sizeof(float)) != 0;
        }
    assert_true(other_grain);
    for (int i = 0; i < 3; i++)
        end(&s[i]);
}

static void what_cannot_be_is_refused_or_said(void **state) {
    (void)state;
    scenario s;
    ip_image3 before;
    begin(&s, "srgb", &own, &other);
    assert_int_equal(ip_image3_new(W, H, &before), IPOS_OK);
    for (int c = 0; c < 3; c++)
        ip_plane_copy(&before.c[c], &s.image.c[c]);
    ip_plane_f small = ip_plane_part(&s.matte, (ip_box_i){0, 0, W - 1, H}), given = s.matte;
    s.matte = small;
    assert_int_equal(make(&s, NULL), IPOS_ERR_ARGUMENT);
    assert_non_null(strstr(ipos_last_error(), "expected the target's 320x240"));
    s.matte = given;
    s.donor.source.encoding = ip_encoding_find("logc3");
    assert_int_equal(make(&s, NULL), IPOS_ERR_ARGUMENT);
    s.donor.source.encoding = s.target.source.encoding;
    for (size_t i = 0; i < FRAMES; i++)
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < H; y++)
                for (int x = 0; x < W; x++)
                    ip_row(&s.donor.frame[i].c[c], y)[x] = .2f + .1f * film_texture(x, y, 77);
    assert_int_equal(make(&s, NULL), IPOS_OK);
    assert_non_null(strstr(s.patch.reading.reason, "do not lie over each other"));
    ip_patch_free(&s.patch);
    ip_plane_fill(&s.matte, 0.f);
    shoot(&s.donor, &other);
    assert_int_equal(make(&s, NULL), IPOS_OK);
    assert_non_null(strstr(s.patch.reading.reason, "empty"));
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < H; y++)
            assert_memory_equal(ip_row(&before.c[c], y), ip_row(&s.image.c[c], y), W * sizeof(float));
    json_t *value = ip_patch_json(&s.patch);
    assert_non_null(json_object_get(json_object_get(value, "reading"), "reason"));
    json_decref(value);
    ip_image3_free(&before);
    end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_truth_comes_back_in_every_encoding),
        cmocka_unit_test(light_stays_where_it_is_asked_to),
        cmocka_unit_test(light_of_the_place_is_carried_inwards),
        cmocka_unit_test(outside_stays_to_the_bit),
        cmocka_unit_test(grain_is_the_targets),
        cmocka_unit_test(grain_that_cannot_be_measured_stays_whole), cmocka_unit_test(finest_grain_that_is_gone_is_made),
        cmocka_unit_test(the_donors_matte_brings_the_donors_thing),
        cmocka_unit_test(it_is_the_same_every_time),
        cmocka_unit_test(what_cannot_be_is_refused_or_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
