/* lib/frame: windows, planes, samples, attributes, conversion. */
#include "color.h"
#include "frame.h"

#include <math.h>
#include <setjmp.h>

#include <cmocka.h>

static ipos_frame *make(int width, int height, const ipos_channel *channels, size_t count)
{
    ipos_frame *frame;
    ipos_box box = {0, 0, width, height};
    assert_int_equal(ip_frame_new(&box, NULL, channels, count, NULL, NULL, &frame), IPOS_OK);
    return frame;
}

static void test_new(void **state)
{
    (void)state;
    ipos_box data = {-3, 5, 33, 7}, display = {0, 0, 20, 20}, got_data, got_display;
    ipos_channel channels[] = {{"R", IPOS_F16, 0, 0}, {"id", IPOS_U32, 1, 1}, {"BY", IPOS_F32, 2, 2}}, channel;
    ipos_plane plane;
    ipos_frame *frame;
    assert_int_equal(ip_frame_new(&data, &display, channels, 3, NULL, NULL, &frame), IPOS_OK);
    assert_int_equal(ipos_frame_windows(frame, &got_data, &got_display), IPOS_OK);
    assert_memory_equal(&got_data, &data, sizeof data);
    assert_memory_equal(&got_display, &display, sizeof display);
    assert_int_equal(ipos_frame_channel_count(frame), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ipos_frame_channel(frame, i, &channel, &plane), IPOS_OK);
        assert_string_equal(channel.name, channels[i].name);
        assert_int_equal((uintptr_t)plane.data % 64, 0);
        assert_int_equal(plane.row_stride % 64, 0);
        assert_int_equal(plane.pixel_stride, ip_sample_bytes(channels[i].sample_type));
        const ip_channel *c = &frame->channels[i];
        for (int32_t y = 0; y < c->height; y++)
            for (size_t k = 0; k < (size_t)c->width * ip_sample_bytes(c->type); k++)
                assert_int_equal(c->data[y * c->row_stride + (ptrdiff_t)k], 0);
    }
    assert_int_equal(frame->channels[2].width, 16);  /* even columns of -3..29 */
    assert_int_equal(frame->channels[2].height, 3);  /* 6, 8, 10 of rows 5..11 */
    assert_int_equal(ipos_frame_channel(frame, 3, &channel, NULL), IPOS_ERR_NOT_FOUND);
    assert_null(channel.name);
    assert_int_equal(ipos_frame_find_channel(frame, "id"), 1);
    assert_int_equal(ipos_frame_find_channel(frame, "i"), -1);
    assert_int_equal(ipos_frame_find_channel(NULL, "i"), -1);
    ipos_frame_retain(frame);
    ipos_frame_release(frame);
    assert_int_equal(ipos_frame_channel_count(frame), 3);
    ipos_frame_release(frame);
    ipos_frame_release(NULL);
}

/* Against counting them one by one. */
static void test_sampling(void **state)
{
    (void)state;
    for (int start = -9; start < 9; start++)
        for (int size = 1; size < 9; size++)
            for (int sampling = 1; sampling < 6; sampling++) {
                int count = 0;
                for (int i = start; i < start + size; i++)
                    count += i % sampling == 0;
                assert_int_equal(ip_sampled(start, size, sampling), count);
            }
    assert_int_equal(ip_sampled(INT32_MIN, INT32_MAX, INT32_MAX), 1);
}

static void test_refused(void **state)
{
    (void)state;
    ipos_channel good = {"R", IPOS_U8, 0, 0}, bad[] = {{"", IPOS_U8}, {NULL, IPOS_U8}, {"R", 0}, {"R", 6}, {"R", -1}, {"R", IPOS_U8, -1},
        {"R\xff", IPOS_U8}}, twice[] = {{"R", IPOS_U8}, {"R", IPOS_F16}};
    ipos_box box = {0, 0, 4, 4}, boxes[] = {{0, 0, 0, 1}, {0, 0, 1, 0}, {0, 0, -1, 1}, {INT32_MAX, 0, 1, 1}, {0, 2, 1, INT32_MAX}};
    ipos_frame *frame;
    for (size_t i = 0; i < IP_COUNT(bad); i++)
        assert_int_equal(ip_frame_new(&box, NULL, &bad[i], 1, NULL, NULL, &frame), IPOS_ERR_ARGUMENT);
    for (size_t i = 0; i < IP_COUNT(boxes); i++) {
        assert_int_equal(ip_frame_new(&boxes[i], NULL, &good, 1, NULL, NULL, &frame), IPOS_ERR_ARGUMENT);
        assert_int_equal(ip_frame_new(&box, &boxes[i], &good, 1, NULL, NULL, &frame), IPOS_ERR_ARGUMENT);
    }
    assert_int_equal(ip_frame_new(&box, NULL, twice, 2, NULL, NULL, &frame), IPOS_ERR_ARGUMENT);
    assert_non_null(strstr(ipos_last_error(), "\"R\" is there twice"));
    assert_int_equal(ip_frame_new(&box, NULL, &good, 0, NULL, NULL, &frame), IPOS_ERR_ARGUMENT);
    assert_int_equal(ip_frame_new(&box, NULL, &good, 1025, NULL, NULL, &frame), IPOS_ERR_ARGUMENT);
    ipos_box huge = {0, 0, INT32_MAX, INT32_MAX};
    ipos_channel wide[] = {{"R", IPOS_F32}, {"G", IPOS_F32}, {"B", IPOS_F32}};
    assert_int_equal(ip_frame_new(&huge, NULL, wide, 3, NULL, NULL, &frame), IPOS_ERR_NO_MEMORY);
    assert_null(frame);
}

static void count_done(void *user)
{
    (*(int *)user)++;
}

static ipos_status no_storage(void *user, size_t bytes, ip_storage *storage)
{
    (void)user;
    (void)storage;
    return ip_fail(IPOS_ERR_NO_MEMORY, "pool is full at %zu", bytes);
}

static void test_over(void **state)
{
    (void)state;
    uint8_t pixels[4 * 3 * 3];
    int done = 0;
    ipos_box box = {0, 0, 4, 3};
    ipos_channel channels[] = {{"R", IPOS_U8}, {"G", IPOS_U8}, {"B", IPOS_U8}};
    ipos_plane planes[] = {{pixels + 2 * 12, -12, 3}, {pixels + 2 * 12 + 1, -12, 3}, {pixels + 2 * 12 + 2, -12, 3}}, none[3] = {{0}};
    ipos_frame *frame;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * 7);
    assert_int_equal(ip_frame_over(&box, NULL, channels, none, 3, count_done, &done, &frame), IPOS_ERR_ARGUMENT);
    assert_int_equal(done, 0);
    assert_int_equal(ip_frame_over(&box, NULL, channels, planes, 3, count_done, &done, &frame), IPOS_OK);
    float values[12];
    assert_int_equal(ip_channel_to_float(&frame->channels[1], values), IPOS_OK);
    for (int y = 0; y < 3; y++)
        for (int x = 0; x < 4; x++)
            assert_true(values[4 * y + x] == pixels[(2 - y) * 12 + 3 * x + 1] / 255.0f);
    uint8_t before[sizeof pixels];
    memcpy(before, pixels, sizeof pixels);
    ip_channel_from_float(&frame->channels[1], values);
    assert_memory_equal(before, pixels, sizeof pixels);
    ipos_frame *copy;
    char a[65], b[65];
    assert_int_equal(ip_frame_like(frame, 0, NULL, NULL, &copy), IPOS_OK);
    assert_int_equal(ip_frame_copy_pixels(copy, frame), IPOS_OK);
    assert_true(ip_frame_hash(frame, a) && ip_frame_hash(copy, b));
    assert_string_equal(a, b); /* strides do not count */
    memset(pixels, 0, sizeof pixels);
    assert_int_equal(ip_frame_copy_pixels(frame, copy), IPOS_OK);
    assert_memory_equal(before, pixels, sizeof pixels);
    pixels[5] ^= 1;
    assert_true(ip_frame_hash(frame, b));
    assert_string_not_equal(a, b);
    ipos_frame_release(copy);
    assert_int_equal(ip_frame_like(frame, IPOS_F32, no_storage, NULL, &copy), IPOS_ERR_NO_MEMORY);
    assert_null(copy);
    assert_int_equal(done, 0);
    ipos_frame_release(frame);
    assert_int_equal(done, 1);
}

static void test_over_done(void **state)
{
    (void)state;
    float pixel = 1;
    int done = 0;
    ipos_box box = {0, 0, 1, 1};
    ipos_channel channel = {"Z", IPOS_F32};
    ipos_plane plane = {&pixel, 4, 4};
    ipos_frame *frame;
    assert_int_equal(ip_frame_over(&box, NULL, &channel, &plane, 1, count_done, &done, &frame), IPOS_OK);
    ipos_frame_retain(frame);
    ipos_frame_release(frame);
    assert_int_equal(done, 0);
    ipos_frame_release(frame);
    assert_int_equal(done, 1);
    assert_int_equal(ip_frame_over(&box, NULL, &channel, &plane, 1, NULL, NULL, &frame), IPOS_OK);
    ipos_frame_release(frame);
}

/* Every code of every integer type and every half, through float and back, packed, strided and at odd addresses. */
static void test_samples(void **state)
{
    (void)state;
    static uint8_t bytes[65536 * 7 + 1], again[65536 * 7 + 1];
    static float values[65536];
    static const int types[] = {IPOS_U8, IPOS_U16, IPOS_F16};
    for (size_t t = 0; t < IP_COUNT(types); t++) {
        size_t size = ip_sample_bytes(types[t]), count = size == 1 ? 256 : 65536;
        for (size_t stride = size; stride <= 7; stride += 5 - (size == 2)) {
            memset(bytes, 0, sizeof bytes);
            for (uint32_t i = 0; i < count; i++)
                memcpy(bytes + 1 + i * stride, &(uint16_t){(uint16_t)i}, size);
            memset(again, 0, sizeof again);
            ip_samples_to_float(types[t], bytes + 1, (ptrdiff_t)stride, values, count);
            assert_true(types[t] == IPOS_F16 || (values[0] == 0 && values[count - 1] == 1));
            ip_samples_from_float(types[t], values, again + 1, (ptrdiff_t)stride, count);
            for (uint32_t i = 0; i < count; i++) {
                uint16_t a = 0, b = 0;
                memcpy(&a, bytes + 1 + i * stride, size);
                memcpy(&b, again + 1 + i * stride, size);
                if (types[t] == IPOS_F16 && (a & 0x7fff) > 0x7c00)
                    assert_true((b & 0x7fff) > 0x7c00);
                else if (types[t] == IPOS_F16 && (a & 0x7fff) == 0x7c00)
                    assert_int_equal(b, a - 1); /* infinity is clamped */
                else
                    assert_int_equal(a, b);
            }
        }
    }
    static const float odd[] = {-1, 2, NAN, INFINITY, -INFINITY, 0.5f, 1e30f, 70000, 0.4999f / 255};
    static const uint8_t u8[] = {0, 255, 0, 255, 0, 128, 255, 255, 0};
    static const float f16[] = {-1, 2, NAN, 65504, -65504, 0.5f, 65504, 65504};
    uint8_t got[9];
    uint16_t halves[9];
    ip_samples_from_float(IPOS_U8, odd, got, 1, 9);
    assert_memory_equal(got, u8, 9);
    ip_samples_from_float(IPOS_F16, odd, halves, 2, 9);
    for (int i = 0; i < 8; i++)
        assert_true(i == 2 ? isnan(ip_half_to_float(halves[i])) : ip_half_to_float(halves[i]) == f16[i]);
}

static void test_ids(void **state)
{
    (void)state;
    ipos_channel channels[] = {{"R", IPOS_F16}, {"id", IPOS_U32}};
    ipos_frame *frame = make(3, 2, channels, 2), *made;
    float out[6] = {0};
    assert_int_equal(ip_channel_to_float(&frame->channels[1], out), IPOS_ERR_UNSUPPORTED);
    uint32_t *ids = (uint32_t *)(void *)frame->channels[1].data;
    ids[2] = 0xfffffffe;
    ip_channel_from_float(&frame->channels[1], out);
    assert_int_equal(ids[2], 0xfffffffe);
    assert_int_equal(ipos_frame_convert(frame, IPOS_U8, &made), IPOS_OK);
    assert_int_equal(made->channels[0].type, IPOS_U8);
    assert_int_equal(made->channels[1].type, IPOS_U32);
    assert_int_equal(((uint32_t *)(void *)made->channels[1].data)[2], 0xfffffffe);
    ipos_frame_release(made);
    assert_int_equal(ipos_frame_convert(frame, IPOS_U32, &made), IPOS_ERR_ARGUMENT);
    assert_null(made);
    assert_int_equal(ipos_frame_convert(NULL, IPOS_U8, &made), IPOS_ERR_ARGUMENT);
    ipos_frame_release(frame);
}

/* Wider than a run, every pair of types: what both can hold comes through. */
static void test_convert(void **state)
{
    (void)state;
    enum { WIDTH = 2500 };
    static const int types[] = {IPOS_U8, IPOS_U16, IPOS_F16, IPOS_F32};
    for (size_t a = 0; a < 4; a++)
        for (size_t b = 0; b < 4; b++) {
            ipos_channel channel = {"Y", types[a], 1, 1};
            ipos_frame *frame = make(WIDTH, 2, &channel, 1), *made, *back;
            float in[2 * WIDTH], out[2 * WIDTH];
            for (int i = 0; i < 2 * WIDTH; i++)
                in[i] = (float)(i % 256) / 255;
            ip_channel_from_float(&frame->channels[0], in);
            ip_frame_set_text(frame, "note", "kept");
            assert_int_equal(ipos_frame_set_encoding(frame, "srgb"), IPOS_OK);
            assert_int_equal(ipos_frame_convert(frame, types[b], &made), IPOS_OK);
            assert_string_equal(ipos_frame_encoding(made), "srgb");
            assert_int_equal(ipos_frame_find_attribute(made, "note"), 0);
            assert_int_equal(made->channels[0].type, types[b]);
            assert_int_equal(ip_channel_to_float(&made->channels[0], out), IPOS_OK);
            for (int i = 0; i < 2 * WIDTH; i++)
                assert_true(fabsf(in[i] - out[i]) <= 0.0005f);
            assert_int_equal(ipos_frame_convert(made, IPOS_U8, &back), IPOS_OK);
            for (int i = 0; i < 2 * WIDTH; i++)
                assert_int_equal(back->channels[0].data[i / WIDTH * back->channels[0].row_stride + i % WIDTH], i % 256);
            ipos_frame_release(frame);
            ipos_frame_release(made);
            ipos_frame_release(back);
        }
}

static void test_color_channels(void **state)
{
    (void)state;
    static const struct {
        const char *names[5];
        int rgb[3];
    } cases[] = {{{"A", "B", "G", "R"}, {3, 2, 1}}, {{"Y", "A"}, {0, 0, 0}}, {{"Z"}, {-1, -1, -1}}, {{"R", "G"}, {-1, -1, -1}},
        {{"n.X", "b.c.B", "b.c.G", "b.c.R", "Z"}, {3, 2, 1}}, {{"l.Y", "l.R"}, {-1, -1, -1}}, {{"a.R", "b.G", "c.B"}, {-1, -1, -1}}};
    for (size_t i = 0; i < IP_COUNT(cases); i++) {
        ipos_channel channels[5];
        size_t count = 0;
        for (; count < 5 && cases[i].names[count]; count++)
            channels[count] = (ipos_channel){cases[i].names[count], IPOS_F16, 1, 1};
        ipos_frame *frame = make(1, 1, channels, count);
        int rgb[3];
        assert_int_equal(ip_frame_color_channels(frame, rgb), cases[i].rgb[0] >= 0);
        assert_memory_equal(rgb, cases[i].rgb, sizeof rgb);
        ipos_frame_release(frame);
    }
}

static void test_encoding(void **state)
{
    (void)state;
    ipos_channel channel = {"Y", IPOS_U8};
    ipos_frame *frame = make(1, 1, &channel, 1);
    assert_string_equal(ipos_frame_encoding(frame), "");
    assert_int_equal(ipos_frame_set_encoding(frame, "SRGB"), IPOS_ERR_ARGUMENT);
    assert_non_null(strstr(ipos_last_error(), "acescct"));
    assert_int_equal(ipos_frame_set_encoding(frame, "logc4"), IPOS_OK);
    assert_int_equal(ipos_frame_set_encoding(frame, ipos_frame_encoding(frame)), IPOS_OK);
    assert_string_equal(ipos_frame_encoding(frame), "logc4");
    assert_int_equal(ipos_frame_set_encoding(frame, ""), IPOS_OK);
    ipos_frame_release(frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_new), cmocka_unit_test(test_sampling), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_over), cmocka_unit_test(test_over_done), cmocka_unit_test(test_samples), cmocka_unit_test(test_ids),
        cmocka_unit_test(test_convert), cmocka_unit_test(test_color_channels), cmocka_unit_test(test_encoding)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
