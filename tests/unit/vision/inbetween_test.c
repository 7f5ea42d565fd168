/* lib/vision: frames between frames, on shots whose truth is known. */
#include "scene.h"

#include <limits.h>
#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

static const double EVEN[] = {0, 2, 4, 6, 8};

static void render(const scene *s, double t, int channel, ip_plane_f *out) {
    for (int y = 0; y < s->height; y++)
        for (int x = 0; x < s->width; x++)
            ip_row(out, y)[x] = scene_at(s, t, x, y) * (1.f - .2f * (float)channel);
}

static ip_inbetween *opened(shot *s, size_t count, int threads) {
    ip_inbetween *session;
    ip_inbetween_source source = shot_source(s, count, threads);
    assert_int_equal(ip_inbetween_open(&source, &session), IPOS_OK);
    return session;
}

/* Channel 0 of the frames at both sides of time through a plan. */
static ip_plane_f made(const shot *s, const ip_inbetween_plan *plan, int threads) {
    ip_inbetween_info info;
    ip_inbetween_plan_info(plan, &info);
    ip_plane_f sides[2], out;
    assert_int_equal(ip_planes_new(s->scene.width, s->scene.height, sides, 2), IPOS_OK);
    assert_int_equal(ip_plane_new(s->scene.width, s->scene.height, &out), IPOS_OK);
    render(&s->scene, s->times[info.left], 0, &sides[0]);
    render(&s->scene, s->times[info.right], 0, &sides[1]);
    ip_inbetween_apply(plan, &sides[0], &sides[1], &out, threads);
    ip_planes_free(sides, 2);
    return out;
}

static double psnr_of(const ip_plane_f *made_plane, const scene *s, double t, int border) {
    double sum = 0, n = 0;
    for (int y = border; y < s->height - border; y++)
        for (int x = border; x < s->width - border; x++, n++) {
            double d = ip_row(made_plane, y)[x] - scene_at(s, t, x, y);
            sum += d * d;
        }
    return -10 * log10(sum / n + 1e-12);
}

static double quality(shot *s, size_t count, double time, ip_inbetween_variant variant, double trajectory) {
    ip_inbetween *session = opened(s, count, 2);
    ip_inbetween_plan *plan;
    assert_int_equal(ip_inbetween_plan_make(session, time, variant, trajectory, &plan), IPOS_OK);
    ip_plane_f out = made(s, plan, 2);
    double psnr = psnr_of(&out, &s->scene, time, 8);
    ip_plane_free(&out);
    ip_inbetween_plan_free(plan);
    ip_inbetween_close(session);
    return psnr;
}

static void test_translation(void **state) {
    (void)state;
    shot s = {.scene = {.width = 160, .height = 96, .vx = 3.3, .vy = -1.7}, .times = EVEN};
    for (int variant = IP_INBETWEEN_PLAIN; variant <= IP_INBETWEEN_FULL; variant++) {
        assert_true(quality(&s, 2, 1., variant, 0) > 38);
        assert_true(quality(&s, 2, .5, variant, 0) > 38);
        assert_true(quality(&s, 2, 2. / 3, variant, 0) > 38);
    }
    assert_true(quality(&s, 2, 1., IP_INBETWEEN_AVERAGE, 0) < 25);
}

static void test_rotation(void **state) {
    (void)state;
    shot s = {.scene = {.width = 160, .height = 96, .turn = .02}, .times = EVEN};
    assert_true(quality(&s, 2, 1., IP_INBETWEEN_PLAIN, 0) > 38);
}

static void test_occlusion(void **state) {
    (void)state;
    shot s = {.scene = {.width = 192, .height = 128, .vx = -1, .square = 4}, .times = EVEN};
    double average = quality(&s, 2, 1., IP_INBETWEEN_AVERAGE, 0), plain = quality(&s, 2, 1., IP_INBETWEEN_PLAIN, 0);
    assert_true(plain > average + 6);
    assert_true(quality(&s, 2, 1., IP_INBETWEEN_FULL, 0) > average + 6);
}

/* A square that crosses three fifths of its own size: too far for the pyramid, not for the override. */
static void test_large_motion(void **state) {
    (void)state;
    shot s = {.scene = {.width = 256, .height = 160, .vx = -1, .square = 22}, .times = EVEN};
    double plain = quality(&s, 2, 1., IP_INBETWEEN_PLAIN, 0), full = quality(&s, 2, 1., IP_INBETWEEN_FULL, 0);
    assert_true(full > plain + 1);
}

static void test_identical_frames_stay(void **state) {
    (void)state;
    shot s = {.scene = {.width = 80, .height = 60}, .times = EVEN};
    ip_inbetween *session = opened(&s, 2, 1);
    for (int variant = 0; variant < IP_INBETWEEN_VARIANTS; variant++) {
        ip_inbetween_plan *plan;
        assert_int_equal(ip_inbetween_plan_make(session, 1.3, variant, 0, &plan), IPOS_OK);
        ip_plane_f out = made(&s, plan, 1);
        for (int y = 0; y < 60; y++)
            for (int x = 0; x < 80; x++)
                assert_true(fabsf(ip_row(&out, y)[x] - scene_at(&s.scene, 0, x, y)) < 2e-3f);
        ip_inbetween_info info;
        ip_inbetween_plan_info(plan, &info);
        assert_true(info.confidence > .9);
        ip_plane_free(&out);
        ip_inbetween_plan_free(plan);
    }
    ip_inbetween_close(session);
}

static void test_threads_do_not_matter(void **state) {
    (void)state;
    shot s = {.scene = {.width = 200, .height = 150, .vx = 4, .vy = 2, .square = 4}, .times = EVEN};
    for (int variant = 0; variant < IP_INBETWEEN_VARIANTS; variant++) {
        ip_plane_f first = {0};
        for (int threads = 1; threads <= 5; threads += 2) {
            ip_inbetween *session = opened(&s, 4, threads);
            ip_inbetween_plan *plan;
            assert_int_equal(ip_inbetween_plan_make(session, 3., variant, 1, &plan), IPOS_OK);
            ip_plane_f out = made(&s, plan, threads);
            for (int y = 0; y < 150 && first.data; y++)
                assert_memory_equal(ip_row(&out, y), ip_row(&first, y), 200 * sizeof(float));
            if (!first.data)
                first = out;
            else
                ip_plane_free(&out);
            ip_inbetween_plan_free(plan);
            ip_inbetween_close(session);
        }
        ip_plane_free(&first);
    }
}

static void spoil(size_t index, int width, int height, float *const rgb[3], ptrdiff_t stride) {
    (void)width;
    (void)height;
    if (index == 0) {
        rgb[0][40 * stride + 50] = NAN;
        rgb[1][41 * stride + 50] = INFINITY;
        rgb[2][42 * stride + 50] = -INFINITY;
        rgb[0][43 * stride + 50] = 3e38f;
        rgb[1][43 * stride + 51] = -3e38f;
    }
}

static void test_broken_samples_stay_local(void **state) {
    (void)state;
    shot s = {.scene = {.width = 160, .height = 96, .vx = 1.5}, .times = EVEN};
    for (int variant = 0; variant < IP_INBETWEEN_VARIANTS; variant++) {
        ip_plane_f out[2];
        for (int broken = 0; broken < 2; broken++) {
            s.damage = broken ? spoil : NULL;
            ip_inbetween *session = opened(&s, 2, 1);
            ip_inbetween_plan *plan;
            assert_int_equal(ip_inbetween_plan_make(session, 1, variant, 0, &plan), IPOS_OK);
            out[broken] = made(&s, plan, 1);
            ip_inbetween_plan_free(plan);
            ip_inbetween_close(session);
        }
        for (int y = 0; y < 96; y++)
            for (int x = 0; x < 160; x++) {
                float a = ip_row(&out[0], y)[x], b = ip_row(&out[1], y)[x];
                assert_true(isfinite(b));
                if (abs(x - 50) > 32 || abs(y - 41) > 32)
                    assert_true(fabsf(a - b) < .03f);
            }
        ip_planes_free(out, 2);
    }
}

/* What the channel itself holds reaches only the pixels whose kernel reads it; values are never limited. */
static void test_channels_keep_their_values(void **state) {
    (void)state;
    shot s = {.scene = {.width = 96, .height = 64, .vx = 2}, .times = EVEN};
    ip_inbetween *session = opened(&s, 2, 1);
    ip_inbetween_plan *plan;
    assert_int_equal(ip_inbetween_plan_make(session, 1, IP_INBETWEEN_PLAIN, 0, &plan), IPOS_OK);
    ip_plane_f p[3];
    assert_int_equal(ip_planes_new(96, 64, p, 3), IPOS_OK);
    ip_plane_fill(&p[0], -250.f);
    ip_plane_fill(&p[1], -250.f);
    ip_row(&p[0], 30)[40] = NAN;
    ip_inbetween_apply(plan, &p[0], &p[1], &p[2], 1);
    int lost = 0;
    for (int y = 0; y < 64; y++)
        for (int x = 0; x < 96; x++) {
            float v = ip_row(&p[2], y)[x];
            lost += isnan(v);
            if (!isnan(v))
                assert_true(fabsf(v + 250.f) < .01f);
        }
    assert_true(lost <= 64);
    uint32_t ids[2][64 * 96], out[64 * 96];
    for (int i = 0; i < 64 * 96; i++) {
        ids[0][i] = i % 96 < 48 ? 4000000001u : 7u;
        ids[1][i] = (i % 96) - 4 < 48 ? 4000000001u : 7u;
    }
    ip_inbetween_apply_nearest(plan, 4, ids[0], 96 * 4, ids[1], 96 * 4, out, 96 * 4, 1);
    for (int i = 0; i < 64 * 96; i++)
        assert_true(out[i] == 7u || out[i] == 4000000001u);
    for (int y = 8; y < 56; y++) { /* the edge has moved half way */
        assert_int_equal(out[y * 96 + 47], 4000000001u);
        assert_int_equal(out[y * 96 + 53], 7u);
    }
    ip_planes_free(p, 3);
    ip_inbetween_plan_free(plan);
    ip_inbetween_close(session);
}

static void test_tiny_frames(void **state) {
    (void)state;
    static const int sizes[][2] = {{1, 1}, {8, 8}, {3, 17}, {33, 2}};
    for (size_t i = 0; i < IP_COUNT(sizes); i++) {
        shot s = {.scene = {.width = sizes[i][0], .height = sizes[i][1], .vx = .5}, .times = EVEN};
        for (int variant = 0; variant < IP_INBETWEEN_VARIANTS; variant++) {
            ip_inbetween *session = opened(&s, 4, 2);
            ip_inbetween_choice choice;
            ip_inbetween_plan *plan;
            assert_int_equal(ip_inbetween_choose(session, 3, &choice), IPOS_OK);
            assert_int_equal(ip_inbetween_plan_make(session, 3, variant, 1, &plan), IPOS_OK);
            ip_plane_f out = made(&s, plan, 2);
            for (int y = 0; y < sizes[i][1]; y++)
                for (int x = 0; x < sizes[i][0]; x++)
                    assert_true(isfinite(ip_row(&out, y)[x]));
            ip_plane_free(&out);
            ip_inbetween_plan_free(plan);
            ip_inbetween_close(session);
        }
    }
}

static void test_accelerated_path(void **state) {
    (void)state;
    shot s = {.scene = {.width = 160, .height = 96, .vx = -3, .ax = 1.2}, .times = EVEN};
    double straight = quality(&s, 5, 3, IP_INBETWEEN_PLAIN, 0), curved = quality(&s, 5, 3, IP_INBETWEEN_PLAIN, 1);
    assert_true(curved > straight + 3);
    ip_inbetween *session = opened(&s, 5, 1);
    ip_inbetween_choice choice;
    assert_int_equal(ip_inbetween_choose(session, 3, &choice), IPOS_OK);
    assert_true(choice.trajectory >= .75);
    ip_inbetween_close(session);
}

/* One texture dissolves into another: the mean of the neighbours is exactly right, any motion is wrong. */
static void dissolve(size_t index, int width, int height, float *const rgb[3], ptrdiff_t stride) {
    float k = (float)index / 4.f;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++)
                rgb[c][y * stride + x] = (1.f - k) * texture(2 * x, 2 * y) + k * texture(3 * y + 700, 2 * x);
}

static void test_gate(void **state) {
    (void)state;
    shot moving = {.scene = {.width = 160, .height = 96, .vx = 2.5, .vy = 1}, .times = EVEN};
    ip_inbetween *session = opened(&moving, 5, 2);
    ip_inbetween_choice choice;
    assert_int_equal(ip_inbetween_choose(session, 3, &choice), IPOS_OK);
    assert_true(choice.measured);
    assert_true(choice.variant != IP_INBETWEEN_AVERAGE);
    assert_true(choice.psnr[choice.variant] > choice.psnr[IP_INBETWEEN_AVERAGE] + 6);
    int fetched = moving.fetches;
    assert_int_equal(ip_inbetween_choose(session, 3, &choice), IPOS_OK); /* remembered */
    assert_int_equal(moving.fetches, fetched);
    ip_inbetween_close(session);

    shot fading = moving;
    fading.damage = dissolve;
    session = opened(&fading, 5, 2);
    assert_int_equal(ip_inbetween_choose(session, 3, &choice), IPOS_OK);
    assert_int_equal(choice.variant, IP_INBETWEEN_AVERAGE);
    ip_inbetween_close(session);

    session = opened(&moving, 2, 1); /* no neighbours to leave out */
    assert_int_equal(ip_inbetween_choose(session, 1, &choice), IPOS_OK);
    assert_false(choice.measured);
    assert_int_equal(choice.variant, IP_INBETWEEN_PLAIN);
    assert_true(choice.trajectory == 0);
    ip_inbetween_close(session);
}

static void test_fusion_arrays(void **state) {
    (void)state;
    shot s = {.scene = {.width = 96, .height = 64, .vx = 3, .square = 4}, .times = EVEN};
    ip_inbetween *session = opened(&s, 2, 1);
    ip_inbetween_plan *plan;
    assert_int_equal(ip_inbetween_plan_make(session, 1, IP_INBETWEEN_PLAIN, 0, &plan), IPOS_OK);
    ip_image3 sides[2];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ip_planes_new(96, 64, sides[i].c, 3), IPOS_OK);
        for (int c = 0; c < 3; c++)
            render(&s.scene, EVEN[i], c, &sides[i].c[c]);
    }
    ip_inbetween_fusion f;
    assert_int_equal(ip_inbetween_fusion_make(plan, &sides[0], &sides[1], 1, &f), IPOS_OK);
    ip_plane_f out = made(&s, plan, 1);
    for (int y = 0; y < f.height; y++)
        for (int x = 0; x < f.width; x++) {
            double sum = 0, weights = 0;
            for (int i = 0; i < IP_INBETWEEN_CANDIDATES; i++) {
                const ip_image3 *candidate = i < 4 ? &f.warped[i] : &f.still[i - 4];
                double k = exp(ip_row(&f.logits[i], y)[x]);
                assert_true(ip_row(&f.logits[i], y)[x] >= -12.f);
                sum += k * ip_row(&candidate->c[0], y)[x];
                weights += k;
            }
            assert_true(fabs(sum / weights - ip_row(&out, y + f.active.y)[x + f.active.x]) < 5e-3);
        }
    ip_plane_free(&out);
    for (int y = 0; y < f.height; y++) /* all trust in Z1: the right frame */
        for (int x = 0; x < f.width; x++)
            for (int i = 0; i < IP_INBETWEEN_CANDIDATES; i++)
                ip_row(&f.logits[i], y)[x] = i == 5 ? 30.f : -12.f;
    ip_inbetween_plan_set_logits(plan, f.logits, 1);
    out = made(&s, plan, 1);
    assert_true(fabsf(ip_row(&out, 30)[50] - scene_at(&s.scene, 2, 50, 30)) < 1e-5f);
    ip_plane_free(&out);
    ip_inbetween_fusion_free(&f);
    for (int i = 0; i < 2; i++)
        ip_planes_free(sides[i].c, 3);
    ip_inbetween_plan_free(plan);
    ip_inbetween_close(session);
}

static void bars(size_t index, int width, int height, float *const rgb[3], ptrdiff_t stride) {
    (void)index;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++)
                if (y < 16 || y >= height - 16)
                    rgb[c][y * stride + x] = .07f; /* black of a log encoding */
}

static void test_letterbox(void **state) {
    (void)state;
    shot s = {.scene = {.width = 160, .height = 128, .vx = 4}, .times = EVEN, .damage = bars};
    ip_inbetween *session = opened(&s, 3, 1);
    ip_inbetween_plan *plan;
    assert_int_equal(ip_inbetween_plan_make(session, 1, IP_INBETWEEN_PLAIN, 0, &plan), IPOS_OK);
    ip_inbetween_info info;
    ip_inbetween_plan_info(plan, &info);
    assert_int_equal(info.active.x, 0);
    assert_int_equal(info.active.width, 160);
    assert_int_equal(info.active.y, 18);
    assert_int_equal(info.active.height, 128 - 36);
    ip_inbetween_plan_free(plan);
    ip_inbetween_close(session);
}

static void test_refusals(void **state) {
    (void)state;
    shot s = {.scene = {.width = 64, .height = 48, .vx = 1}, .times = EVEN};
    ip_inbetween_source source = shot_source(&s, 1, 1);
    ip_inbetween *session;
    ip_inbetween_plan *plan;
    assert_int_equal(ip_inbetween_open(&source, &session), IPOS_ERR_ARGUMENT);
    assert_null(session);
    session = opened(&s, 3, 1);
    assert_int_equal(ip_inbetween_plan_make(session, 2, IP_INBETWEEN_PLAIN, 0, &plan), IPOS_ERR_ARGUMENT);
    assert_null(plan);
    assert_int_equal(ip_inbetween_plan_make(session, 9, IP_INBETWEEN_PLAIN, 0, &plan), IPOS_ERR_ARGUMENT);
    assert_int_equal(ip_inbetween_plan_make(session, 1, (ip_inbetween_variant)7, 0, &plan), IPOS_ERR_ARGUMENT);
    s.fail = IPOS_ERR_CHANGED;
    assert_int_equal(ip_inbetween_plan_make(session, 1, IP_INBETWEEN_PLAIN, 0, &plan), IPOS_ERR_CHANGED);
    ip_inbetween_close(session);
    s.fail = IPOS_OK;
    ip_cancel cancel;
    atomic_init(&cancel.set, 1);
    source = shot_source(&s, 3, 1);
    source.cancel = &cancel;
    assert_int_equal(ip_inbetween_open(&source, &session), IPOS_OK);
    assert_int_equal(ip_inbetween_plan_make(session, 1, IP_INBETWEEN_FULL, 0, &plan), IPOS_ERR_CANCELLED);
    ip_inbetween_close(session);
    ip_inbetween_close(NULL);
    ip_inbetween_plan_free(NULL);
}

static ipos_status count_down(void *user) {
    shot *s = user;
    return s->fetches-- > 0 ? IPOS_OK : ip_fail(IPOS_ERR_ENGINE, "the test says stop");
}

/* A tick that fails ends the call with its own status, wherever it fails. */
static void test_tick_stops(void **state) {
    (void)state;
    for (int ticks = 0; ticks < 6; ticks++) {
        shot s = {.scene = {.width = 160, .height = 96, .vx = 2}, .times = EVEN};
        ip_inbetween_source source = shot_source(&s, 5, 2);
        ip_inbetween *session;
        ip_inbetween_plan *plan;
        source.tick = count_down;
        assert_int_equal(ip_inbetween_open(&source, &session), IPOS_OK);
        assert_int_equal(ip_inbetween_plan_make(session, 3, IP_INBETWEEN_AVERAGE, 0, &plan), IPOS_OK); /* fetches what is needed */
        ip_inbetween_plan_free(plan);
        s.fetches = ticks;
        ipos_status status = ip_inbetween_plan_make(session, 3, IP_INBETWEEN_FULL, 0, &plan);
        assert_int_equal(status, IPOS_ERR_ENGINE);
        assert_null(plan);
        s.fetches = INT_MAX; /* and the session is as good as new */
        assert_int_equal(ip_inbetween_plan_make(session, 3, IP_INBETWEEN_FULL, 0, &plan), IPOS_OK);
        ip_inbetween_plan_free(plan);
        ip_inbetween_close(session);
    }
}

static void test_lean(void **state) {
    (void)state;
    shot s = {.scene = {.width = 160, .height = 96, .vx = 2.5, .vy = 1}, .times = EVEN};
    ip_inbetween_source source = shot_source(&s, 5, 2);
    ip_inbetween *session;
    ip_inbetween_choice choice;
    source.lean = true;
    assert_int_equal(ip_inbetween_open(&source, &session), IPOS_OK);
    assert_int_equal(ip_inbetween_choose(session, 3, &choice), IPOS_OK);
    assert_true(choice.measured);
    assert_int_equal(choice.variant, IP_INBETWEEN_PLAIN);
    assert_true(choice.psnr[IP_INBETWEEN_FULL] == 0 && choice.psnr[IP_INBETWEEN_PLAIN] > 20);
    ip_inbetween_close(session);
    uint64_t plain = ip_inbetween_memory(4096, 2160, IP_INBETWEEN_PLAIN), full = ip_inbetween_memory(4096, 2160, IP_INBETWEEN_FULL);
    assert_true(plain > 2000000000 && plain < full && full < 5000000000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_translation), cmocka_unit_test(test_rotation), cmocka_unit_test(test_occlusion), cmocka_unit_test(test_large_motion),
        cmocka_unit_test(test_identical_frames_stay), cmocka_unit_test(test_threads_do_not_matter),
        cmocka_unit_test(test_broken_samples_stay_local), cmocka_unit_test(test_channels_keep_their_values),
        cmocka_unit_test(test_tiny_frames), cmocka_unit_test(test_accelerated_path), cmocka_unit_test(test_gate),
        cmocka_unit_test(test_fusion_arrays), cmocka_unit_test(test_letterbox), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_tick_stops), cmocka_unit_test(test_lean)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
