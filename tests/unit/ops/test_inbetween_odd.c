/* The in-between on frames and clips at the edge of what there can be: a few pixels, a few frames, odd channels. */
#include "fake_host.h"
#include "learned.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static int width, height; /* of the frames made */

static float value_at(int x, int y, int64_t number) {
    return (float)(.5 + .3 * sin(.4 * (x - 2. * (double)number) + .3 * y));
}

static ipos_status fill(ipos_frame *frame, int64_t number) {
    for (size_t c = 0; c < frame->channel_count; c++) {
        ip_channel *channel = &frame->channels[c];
        float *samples = malloc(sizeof *samples * (size_t)channel->width * (size_t)channel->height);
        for (int y = 0; y < channel->height; y++)
            for (int x = 0; x < channel->width; x++)
                samples[y * channel->width + x] = value_at(x * channel->xs, y * channel->ys, number);
        ip_channel_from_float(channel, samples);
        free(samples);
    }
    return ipos_frame_set_encoding(frame, "rec709");
}

static ipos_status make_rgb(int64_t number, ipos_frame **out) {
    static const ipos_channel channels[3] = {{"R", IPOS_U8, 1, 1}, {"G", IPOS_U8, 1, 1}, {"B", IPOS_U8, 1, 1}};
    IP_TRY(ip_frame_new(&(ipos_box){0, 0, width, height}, NULL, channels, 3, NULL, NULL, out));
    return fill(*out, number);
}

static ipos_status make_grey(int64_t number, ipos_frame **out) {
    static const ipos_channel channels[2] = {{"A", IPOS_U16, 1, 1}, {"Y", IPOS_U16, 1, 1}};
    IP_TRY(ip_frame_new(&(ipos_box){0, 0, width, height}, NULL, channels, 2, NULL, NULL, out));
    return fill(*out, number);
}

/* Luminance with chroma at half the size, as OpenEXR has it; the data window does not begin at 0. */
static ipos_status make_chroma(int64_t number, ipos_frame **out) {
    static const ipos_channel channels[3] = {{"BY", IPOS_F16, 2, 2}, {"RY", IPOS_F16, 2, 2}, {"Y", IPOS_F16, 1, 1}};
    IP_TRY(ip_frame_new(&(ipos_box){-6, 4, width, height}, NULL, channels, 3, NULL, NULL, out));
    return fill(*out, number);
}

static ipos_status make_ids(int64_t number, ipos_frame **out) {
    (void)number;
    static const ipos_channel channel = {"id", IPOS_U32, 1, 1};
    return ip_frame_new(&(ipos_box){0, 0, width, height}, NULL, &channel, 1, NULL, NULL, out);
}

static ipos_status make_far_apart(int64_t number, ipos_frame **out) {
    static const ipos_channel channel = {"Y", IPOS_U8, 1, 1};
    IP_TRY(ip_frame_new(&(ipos_box){number % 2 ? INT32_MIN : INT32_MAX - width, 0, width, height}, NULL, &channel, 1, NULL, NULL, out));
    return fill(*out, number);
}

static void all_finite(const ipos_frame *frame) {
    for (size_t c = 0; c < frame->channel_count; c++) {
        const ip_channel *channel = &frame->channels[c];
        size_t count = (size_t)channel->width * (size_t)channel->height;
        float *samples = malloc(sizeof *samples * (count + 1));
        assert_int_equal(ip_channel_to_float(channel, samples), IPOS_OK);
        for (size_t i = 0; i < count; i++)
            assert_true(isfinite(samples[i]));
        free(samples);
    }
}

static ipos_status run(ipos_status (*make)(int64_t, ipos_frame **), int64_t last, ipos_rational time, const char *edges) {
    fake_host fake;
    fake_open(&fake, ip_op_inbetween.spec, 1, last, "rec709", make, (const char *const[]){"edges", edges, NULL});
    fake_times(&fake, &time, 1);
    ipos_status status = ip_op_inbetween.run(&fake.host);
    if (status == IPOS_OK)
        assert_true(fake.variant_count >= 3);
    for (int i = 0; i < fake.emits; i++) {
        assert_int_equal(fake.emitted[i].picture->data_window.width, width);
        assert_int_equal(fake.emitted[i].picture->data_window.height, height);
        assert_true(fake.emitted[i].confidence >= 0 && fake.emitted[i].confidence <= 1);
        all_finite(fake.emitted[i].picture);
        all_finite(fake.emitted[i].evidence);
    }
    fake_close(&fake);
    return status;
}

static void the_smallest_frames(void **state) {
    (void)state;
    static const int sizes[][2] = {{1, 1}, {1, 70}, {70, 1}, {2, 3}, {5, 5}, {9, 16}, {17, 33}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        width = sizes[i][0];
        height = sizes[i][1];
        assert_int_equal(run(make_rgb, 9, (ipos_rational){5, 1}, "refuse"), IPOS_OK);
        assert_int_equal(run(make_grey, 9, (ipos_rational){9, 2}, "refuse"), IPOS_OK);
    }
}

static void the_shortest_clips(void **state) {
    (void)state;
    width = 40;
    height = 24;
    assert_int_equal(run(make_rgb, 1, (ipos_rational){1, 1}, "refuse"), IPOS_ERR_ARGUMENT);
    assert_non_null(strstr(ipos_last_error(), "no known frame"));
    assert_int_equal(run(make_rgb, 1, (ipos_rational){1, 1}, "hold"), IPOS_ERR_ARGUMENT);
    assert_int_equal(run(make_rgb, 2, (ipos_rational){3, 2}, "refuse"), IPOS_OK);
    assert_int_equal(run(make_rgb, 2, (ipos_rational){2, 1}, "refuse"), IPOS_ERR_ARGUMENT);
    assert_int_equal(run(make_rgb, 2, (ipos_rational){2, 1}, "hold"), IPOS_OK);
    assert_int_equal(run(make_rgb, 3, (ipos_rational){2, 1}, "refuse"), IPOS_OK);
    assert_int_equal(run(make_rgb, 3, (ipos_rational){10001, 10000}, "refuse"), IPOS_OK);
}

static void odd_channels(void **state) {
    (void)state;
    width = 48;
    height = 32;
    assert_int_equal(run(make_grey, 7, (ipos_rational){4, 1}, "refuse"), IPOS_OK);
    assert_int_equal(run(make_chroma, 7, (ipos_rational){4, 1}, "refuse"), IPOS_OK);
    assert_int_equal(run(make_far_apart, 8, (ipos_rational){9, 2}, "refuse"), IPOS_ERR_NO_MEMORY);
    assert_int_equal(run(make_ids, 7, (ipos_rational){4, 1}, "refuse"), IPOS_ERR_UNSUPPORTED);
}

/* A network that gains on "plain" is still behind where the average of two frames is far better than either. */
static void a_network_must_beat_the_best_method(void **state) {
    (void)state;
    ip_inbetween_choice choice = {.variant = IP_INBETWEEN_AVERAGE, .measured = true, .psnr = {40, 30, 29}};
    assert_false(ib_learned_helps(&choice, 3, .01));
    assert_true(ib_learned_helps(&choice, 11, .01));
    choice = (ip_inbetween_choice){.variant = IP_INBETWEEN_FULL, .measured = true, .psnr = {30, 35, 36}};
    assert_true(ib_learned_helps(&choice, .1, 0));
    assert_false(ib_learned_helps(&choice, .1, -.001)); /* PSNR paid for with blur */
    assert_false(ib_learned_helps(&choice, -.1, .01));
}

static void blur_is_less_alike(void **state) {
    (void)state;
    ip_image3 truth, made;
    ib_likeness same, blurred;
    assert_int_equal(ip_image3_new(64, 48, &truth), IPOS_OK);
    assert_int_equal(ip_image3_new(64, 48, &made), IPOS_OK);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < 48; y++)
            for (int x = 0; x < 64; x++) {
                ip_row(&truth.c[c], y)[x] = .5f + .2f * ((x ^ y) & 1);
                ip_row(&made.c[c], y)[x] = .6f;
            }
    assert_int_equal(ib_compare(&truth, &truth, 2, &same), IPOS_OK);
    assert_int_equal(ib_compare(&made, &truth, 2, &blurred), IPOS_OK);
    assert_true(same.psnr >= 99.9 && fabs(same.ssim - 1) < 1e-3);
    assert_true(fabs(blurred.psnr - 20) < .1 && blurred.ssim < .2);
    ip_image3_free(&truth);
    ip_image3_free(&made);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_smallest_frames), cmocka_unit_test(the_shortest_clips),
        cmocka_unit_test(odd_channels), cmocka_unit_test(a_network_must_beat_the_best_method),
        cmocka_unit_test(blur_is_less_alike)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
