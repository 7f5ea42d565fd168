/* The in-between operation over frames whose motion is known. */
#include "fake_host.h"
#include "inbetween.h"
#include "moving.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

extern const ip_op ip_op_inbetween;

static double psnr_u8(const ipos_frame *a, const ipos_frame *b) {
    double sum = 0;
    for (int c = 0; c < 3; c++)
        for (int y = 4; y < H - 4; y++)
            for (int x = 8; x < W - 8; x++) {
                double d = (double)a->channels[c].data[y * a->channels[c].row_stride + x * a->channels[c].pixel_stride] -
                           b->channels[c].data[y * b->channels[c].row_stride + x * b->channels[c].pixel_stride];
                sum += d * d;
            }
    return 10 * log10(255 * 255 / fmax(sum / (3.0 * (H - 8) * (W - 16)), 1e-6));
}

static void missing_frames_are_made_and_never_read(void **state) {
    (void)state;
    fake_host fake;
    fake_open(&fake, ip_op_inbetween.spec, 1, 20, "rec709", moving_u8, NULL);
    const ipos_rational times[] = {{8, 1}, {10, 1}, {23, 2}};
    fake_times(&fake, times, 3);
    assert_int_equal(ip_op_inbetween.run(&fake.host), IPOS_OK);
    assert_false(fake_fetched(&fake, 8));
    assert_false(fake_fetched(&fake, 10));
    assert_true(fake.variant_count >= 3);
    for (int i = 0; i < fake.variant_count; i++)
        assert_int_equal(fake.variants[i].rank, i);
    assert_true(fake.variants[0].score > 25);
    ipos_frame *truth, *made = fake_picture(&fake, fake.variants[0].variant, times[0]);
    assert_int_equal(moving_u8(8, &truth), IPOS_OK);
    assert_non_null(made);
    double best = psnr_u8(made, truth), average = psnr_u8(fake_picture(&fake, "average", times[0]), truth);
    if (best < 38 || best < average + 8)
        fail_msg("motion not followed: %.2f dB, average %.2f", best, average);
    ipos_frame_release(truth);
    assert_non_null(fake_picture(&fake, fake.variants[0].variant, times[2]));
    fake_close(&fake);
}

static float sample(const ipos_frame *frame, const char *name, int x, int y) {
    const ip_channel *channel = &frame->channels[ipos_frame_find_channel(frame, name)];
    const uint8_t *at = channel->data + (y - frame->data_window.y) * channel->row_stride + (x - frame->data_window.x) * channel->pixel_stride;
    float value;
    uint16_t half;
    if (channel->type == IPOS_F32) {
        memcpy(&value, at, sizeof value);
        return value;
    }
    memcpy(&half, at, sizeof half);
    return ip_half_to_float(half);
}

static void all_channels_go_along_unclamped(void **state) {
    (void)state;
    fake_host fake;
    fake_open(&fake, ip_op_inbetween.spec, 1, 12, "linear", moving_exr, (const char *const[]){"variants", "full,plain", NULL});
    const ipos_rational times[] = {{6, 1}};
    fake_times(&fake, times, 1);
    assert_int_equal(ip_op_inbetween.run(&fake.host), IPOS_OK);
    for (int v = 0; v < 2; v++) {
        ipos_frame *made = fake_picture(&fake, v ? "plain" : "full", times[0]);
        assert_non_null(made);
        assert_int_equal(made->channel_count, 6);
        assert_int_equal(made->display_window.width, W + 8);
        float lowest = 0, highest = 0;
        double depth = 0;
        int known = 0, wrong = 0;
        for (int y = 10; y < H - 10; y++)
            for (int x = 12; x < W - 12; x++) {
                float r = sample(made, "R", x, y);
                lowest = fminf(lowest, r);
                highest = fmaxf(highest, r);
                assert_true(fabsf(sample(made, "A", x, y) - 1) < 1e-3f);
                depth += fabs(sample(made, "Z", x, y) - (1000 + 500 * moving_texture(x, y, 6, 0)));
                const ip_channel *id = &made->channels[5];
                uint32_t value;
                memcpy(&value, id->data + (y - made->data_window.y) * id->row_stride + (x - made->data_window.x) * id->pixel_stride, 4);
                known += value == 7 || value == 4000000001u;
                wrong += value != (moving_texture(x, y, 6, 0) > .5f ? 4000000001u : 7u);
            }
        int pixels = (H - 20) * (W - 24);
        assert_true(lowest < -.005f && highest > 2);
        assert_true(depth / pixels < 12);
        assert_int_equal(known, pixels);
        assert_true(wrong < pixels / 20);
    }
    fake_close(&fake);
}

/* Hard black and white edges that move: a bicubic kernel overshoots at each of them. */
static ipos_status moving_edges(int64_t number, ipos_frame **out) {
    IP_TRY(moving_exr(number, out));
    for (int c = 0; c < 4; c++) {
        static const char *const names[] = {"R", "G", "B", "A"};
        const ip_channel *channel = &(*out)->channels[ipos_frame_find_channel(*out, names[c])];
        for (int y = 0; y < channel->height; y++)
            for (int x = 0; x < channel->width; x++) {
                int place = x + (*out)->data_window.x - 3 * (int)number + 200;
                uint16_t value = ip_float_to_half(place / 9 % 2 ? (c < 3 ? 40.f : 1.f) : 0.f);
                memcpy(channel->data + y * channel->row_stride + x * channel->pixel_stride, &value, sizeof value);
            }
    }
    return IPOS_OK;
}

static void nothing_leaves_the_range_of_the_sources(void **state) {
    (void)state;
    fake_host fake;
    fake_open(&fake, ip_op_inbetween.spec, 1, 12, "linear", moving_edges, NULL);
    const ipos_rational times[] = {{6, 1}, {19, 3}};
    fake_times(&fake, times, 2);
    assert_int_equal(ip_op_inbetween.run(&fake.host), IPOS_OK);
    assert_true(fake.emits >= 6);
    for (int i = 0; i < fake.emits; i++) {
        const ipos_frame *made = fake.emitted[i].picture;
        ipos_box box = made->data_window;
        for (int y = box.y; y < box.y + box.height; y++)
            for (int x = box.x; x < box.x + box.width; x++) {
                float r = sample(made, "R", x, y), a = sample(made, "A", x, y);
                if (r < 0 || r > 40.1f || a < 0 || a > 1)
                    fail_msg("%s: %g, alpha %g at %d,%d", fake.emitted[i].variant, (double)r, (double)a, x, y);
            }
    }
    fake_close(&fake);
}

static void memory_limit_is_kept(void **state) {
    (void)state;
    const ipos_rational times[] = {{8, 1}};
    const uint64_t full = ip_inbetween_memory(W, H, IP_INBETWEEN_FULL), kept = 12 * W * H * 3;
    fake_host fake;
    for (int asked = 0; asked < 3; asked++) {
        fake_open(&fake, ip_op_inbetween.spec, 1, 20, "rec709", moving_u8,
            asked == 1 ? (const char *const[]){"variants", "full", NULL} : NULL);
        fake.host.memory_limit = asked == 2 ? full / 4 : full + kept / 12 - 1;
        fake_times(&fake, times, 1);
        ipos_status status = ip_op_inbetween.run(&fake.host);
        assert_int_equal(status, asked ? IPOS_ERR_NO_MEMORY : IPOS_OK);
        if (asked)
            assert_non_null(strstr(ipos_last_error(), "memory_limit"));
        else {
            assert_int_equal(fake.variant_count, 2); /* plain and average */
            assert_null(fake_picture(&fake, "full", times[0]));
        }
        fake_close(&fake);
    }
}

static void nothing_crosses_a_cut(void **state) {
    (void)state;
    fake_host fake;
    const int64_t cuts[] = {9};
    moving_cut_at = 9;
    fake_open(&fake, ip_op_inbetween.spec, 1, 16, "rec709", moving_u8, NULL);
    fake.clips[0].cuts = cuts;
    fake.clips[0].cut_count = 1;
    const ipos_rational times[] = {{7, 1}};
    fake_times(&fake, times, 1);
    assert_int_equal(ip_op_inbetween.run(&fake.host), IPOS_OK);
    for (int64_t n = 9; n <= 16; n++)
        assert_false(fake_fetched(&fake, n));
    fake_close(&fake);
    /* The first frame of a shot has a known frame on one side only: refused, or held if asked. */
    const ipos_rational first[] = {{9, 1}};
    fake_open(&fake, ip_op_inbetween.spec, 1, 16, "rec709", moving_u8, NULL);
    fake.clips[0].cuts = cuts;
    fake.clips[0].cut_count = 1;
    fake_times(&fake, first, 1);
    assert_int_equal(ip_op_inbetween.run(&fake.host), IPOS_ERR_ARGUMENT);
    assert_non_null(strstr(ipos_last_error(), "edges=hold"));
    assert_int_equal(fake.fetches, 0);
    fake_close(&fake);
    fake_open(&fake, ip_op_inbetween.spec, 1, 16, "rec709", moving_u8, (const char *const[]){"edges", "hold", NULL});
    fake.clips[0].cuts = cuts;
    fake.clips[0].cut_count = 1;
    fake_times(&fake, first, 1);
    assert_int_equal(ip_op_inbetween.run(&fake.host), IPOS_OK);
    ipos_frame *next;
    assert_int_equal(moving_u8(10, &next), IPOS_OK);
    assert_true(psnr_u8(fake_picture(&fake, "full", first[0]), next) > 90);
    ipos_frame_release(next);
    fake_close(&fake);
    moving_cut_at = 1000;
}

static void repeated_frames_are_not_neighbours(void **state) {
    (void)state;
    fake_host fake;
    const int64_t repeats[] = {9, 11};
    fake_open(&fake, ip_op_inbetween.spec, 1, 20, "rec709", moving_u8, (const char *const[]){"variants", "plain", NULL});
    fake.clips[0].duplicates = repeats;
    fake.clips[0].duplicate_count = 2;
    const ipos_rational times[] = {{10, 1}};
    fake_times(&fake, times, 1);
    assert_int_equal(ip_op_inbetween.run(&fake.host), IPOS_OK);
    assert_false(fake_fetched(&fake, 9) || fake_fetched(&fake, 11) || fake_fetched(&fake, 10));
    assert_true(fake_fetched(&fake, 8) && fake_fetched(&fake, 12));
    fake_close(&fake);
}

/* A still picture under grain of known strength: made frames have half of its variance, or with grain=1 what their neighbours have (and what interpolation got wrong). */
enum { GW = 320, GH = 192 };
static double scene(int x, int y) { return .3 + .3 * x / GW + .08 * sin(.11 * x + .03 * y) * sin(.09 * y); }
static ipos_status grainy(int64_t number, ipos_frame **out) {
    static const ipos_channel channels[3] = {{"R", IPOS_F32, 1, 1}, {"G", IPOS_F32, 1, 1}, {"B", IPOS_F32, 1, 1}};
    ipos_box window = {0, 0, GW, GH};
    IP_TRY(ip_frame_new(&window, NULL, channels, 3, NULL, NULL, out));
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < GH; y++)
            for (int x = 0; x < GW; x++) {
                ip_rng rng = ip_rng_at((uint64_t)number, (uint64_t)(y * GW + x) * 4 + (uint64_t)c);
                float value = (float)scene(x, y) + .03f * (float)ip_rng_normal(&rng);
                memcpy((*out)->channels[c].data + y * (*out)->channels[c].row_stride + x * (*out)->channels[c].pixel_stride, &value, sizeof value);
            }
    return ipos_frame_set_encoding(*out, "rec709");
}

static double grain_of(const ipos_frame *frame) {
    double squares = 0;
    for (int y = 0; y < GH; y++)
        for (int x = 0; x < GW; x++) {
            float value;
            memcpy(&value, frame->channels[1].data + y * frame->channels[1].row_stride + x * frame->channels[1].pixel_stride, sizeof value);
            squares += ((double)value - scene(x, y)) * ((double)value - scene(x, y));
        }
    return squares / (GW * GH) / (.03 * .03);
}

static void made_frames_have_the_grain_of_their_neighbours(void **state) {
    (void)state;
    const ipos_rational times[] = {{8, 1}};
    double left[2];
    for (int grain = 0; grain < 2; grain++) {
        fake_host fake;
        fake_open(&fake, ip_op_inbetween.spec, 1, 16, "rec709", grainy, (const char *const[]){"variants", "plain", "gate", "0", "grain", grain ? "1" : "0", NULL});
        fake_times(&fake, times, 1);
        assert_int_equal(ip_op_inbetween.run(&fake.host), IPOS_OK);
        assert_false(fake_fetched(&fake, 8));
        left[grain] = grain_of(fake_picture(&fake, "plain", times[0]));
        fake_close(&fake);
    }
    if (!(left[0] < .75 && left[1] > .9 && left[1] < 1.15))
        fail_msg("variance of the made frame over its neighbours': %.3f, with grain %.3f", left[0], left[1]);
}

static void cancel_stops_it(void **state) {
    (void)state;
    fake_host fake;
    fake_open(&fake, ip_op_inbetween.spec, 1, 20, "rec709", moving_u8, NULL);
    ip_cancel cancel;
    atomic_init(&cancel.set, 1);
    fake.host.cancel = &cancel;
    const ipos_rational times[] = {{8, 1}};
    fake_times(&fake, times, 1);
    assert_int_equal(ip_op_inbetween.run(&fake.host), IPOS_ERR_CANCELLED);
    fake_close(&fake);
}

static void training_gives_a_model_that_renders(void **state) {
    (void)state;
    fake_host fake;
    fake_open(&fake, ip_op_inbetween.spec, 1, 30, "rec709", moving_u8, NULL);
    fake.host.steps = 6;
    fake.host.seed = 3;
    assert_int_equal(ip_op_inbetween.train(&fake.host), IPOS_OK);
    assert_true(fake.model_bytes > 1000000);
    assert_non_null(strstr(fake.measured, "\"held_out\""));
    assert_non_null(strstr(fake.measured, "\"baseline\""));
    fake_host run;
    fake_open(&run, ip_op_inbetween.spec, 1, 20, "rec709", moving_u8, NULL);
    run.host.model = fake.model;
    run.host.model_bytes = fake.model_bytes;
    const ipos_rational times[] = {{8, 1}};
    fake_times(&run, times, 1);
    assert_int_equal(ip_op_inbetween.run(&run.host), IPOS_OK);
    assert_non_null(fake_picture(&run, "learned", times[0]));
    fake_close(&run);
    /* A damaged model is refused with a text. */
    ((char *)fake.model)[9] ^= 0x55;
    fake_open(&run, ip_op_inbetween.spec, 1, 20, "rec709", moving_u8, NULL);
    run.host.model = fake.model;
    run.host.model_bytes = fake.model_bytes;
    fake_times(&run, times, 1);
    assert_int_not_equal(ip_op_inbetween.run(&run.host), IPOS_OK);
    assert_non_null(strstr(ipos_last_error(), "model"));
    fake_close(&run);
    fake_close(&fake);
}

static void too_little_to_learn_from_is_said(void **state) {
    (void)state;
    fake_host fake;
    fake_open(&fake, ip_op_inbetween.spec, 1, 4, "rec709", moving_u8, NULL);
    fake.host.steps = 6;
    assert_int_equal(ip_op_inbetween.train(&fake.host), IPOS_ERR_ARGUMENT);
    assert_non_null(strstr(ipos_last_error(), "longer"));
    fake_close(&fake);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_frames_are_made_and_never_read), cmocka_unit_test(all_channels_go_along_unclamped),
        cmocka_unit_test(nothing_leaves_the_range_of_the_sources), cmocka_unit_test(memory_limit_is_kept),
        cmocka_unit_test(nothing_crosses_a_cut), cmocka_unit_test(repeated_frames_are_not_neighbours), cmocka_unit_test(made_frames_have_the_grain_of_their_neighbours),
        cmocka_unit_test(cancel_stops_it),
        cmocka_unit_test(training_gives_a_model_that_renders), cmocka_unit_test(too_little_to_learn_from_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
