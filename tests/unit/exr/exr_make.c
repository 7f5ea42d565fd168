#include "exr_make.h"
#include "color.h"
#include <math.h>
#include <stdlib.h>

static uint32_t state = 0x2545f491u;

uint32_t next_random(void) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static void put_sample(uint8_t *at, int32_t type, int fill, int32_t x, int32_t y, size_t channel) {
    const float value = .55f + .45f * sinf((float)x * .03f + (float)channel) * cosf((float)y * .02f);
    uint32_t bits = next_random();
    uint16_t half = (uint16_t)bits;
    if (fill == FILL_SMOOTH) {
        half = ip_float_to_half(value);
        if (type == IPOS_F32)
            memcpy(&bits, &value, 4);
        else
            bits = (uint32_t)(x / 7 + y * 3);
    }
    if (type == IPOS_F16)
        memcpy(at, &half, 2);
    else
        memcpy(at, &bits, 4);
}

ipos_frame *make_frame(ipos_box data, ipos_box display, const ipos_channel *channels, size_t count, int fill) {
    ipos_frame *frame = NULL;
    assert_int_equal(ip_frame_new(&data, &display, channels, count, NULL, NULL, &frame), IPOS_OK);
    for (size_t i = 0; i < count; i++) {
        const ip_channel *c = &frame->channels[i];
        for (int32_t y = 0; y < c->height; y++)
            for (int32_t x = 0; x < c->width; x++)
                put_sample(c->data + y * c->row_stride + x * c->pixel_stride, c->type, fill, x, y, i);
    }
    return frame;
}

ipos_frame *make_rgba(int32_t width, int32_t height) {
    static const ipos_channel channels[] = {{"A", IPOS_F16, 1, 1}, {"B", IPOS_F16, 1, 1}, {"G", IPOS_F16, 1, 1}, {"R", IPOS_F16, 1, 1}};
    const ipos_box box = {0, 0, width, height};
    return make_frame(box, box, channels, 4, FILL_BITS);
}

void set_text(ipos_frame *frame, const char *name, const char *text) {
    assert_int_equal(ipos_frame_set_attribute(frame, name, "string", text, strlen(text)), IPOS_OK);
}

bytes write_exr(ipos_frame *const *frames, size_t count, const char *compression, int tile) {
    bytes file = {0};
    void *data = NULL;
    const ipos_write_config config = {.struct_size = sizeof config, .format = "exr", .compression = compression, .tile_width = tile};
    ipos_status status = ip_image_write(frames, count, &config, NULL, &data, &file.size);
    if (status != IPOS_OK)
        fail_msg("writing: %s", ipos_last_error());
    file.data = data;
    return file;
}

ipos_frame *read_exr(bytes file, int part) {
    ipos_frame *frame = NULL;
    if (ip_image_read(NULL, NULL, file.data, file.size, part, &frame) != IPOS_OK)
        fail_msg("reading: %s", ipos_last_error());
    return frame;
}

ipos_status try_exr(const uint8_t *data, size_t size, int part) {
    const ip_io_env env = {.memory_limit = (uint64_t)64 << 20};
    ipos_frame *frame = NULL;
    ipos_status status = ip_image_read(&env, NULL, data, size, part, &frame);
    if (status == IPOS_OK) {
        ipos_frame_release(frame);
    } else {
        assert_null(frame);
        assert_true(strlen(ipos_last_error()) > 10);
    }
    return status;
}

void expect_same_layout(const ipos_frame *a, const ipos_frame *b) {
    assert_memory_equal(&a->data_window, &b->data_window, sizeof(ipos_box));
    assert_memory_equal(&a->display_window, &b->display_window, sizeof(ipos_box));
    assert_int_equal(a->channel_count, b->channel_count);
    for (size_t i = 0; i < a->channel_count; i++) {
        const ip_channel *c = &a->channels[i];
        const int64_t k = ipos_frame_find_channel(b, c->name);
        assert_true(k >= 0);
        assert_int_equal(c->type, b->channels[k].type);
        assert_int_equal(c->xs, b->channels[k].xs);
        assert_int_equal(c->ys, b->channels[k].ys);
        assert_int_equal(c->width, b->channels[k].width);
        assert_int_equal(c->height, b->channels[k].height);
    }
}

void expect_same_bits(const ipos_frame *a, const ipos_frame *b) {
    expect_same_layout(a, b);
    for (size_t i = 0; i < a->channel_count; i++) {
        const ip_channel *c = &a->channels[i], *d = &b->channels[ipos_frame_find_channel(b, c->name)];
        const size_t size = ip_sample_bytes(c->type);
        for (int32_t y = 0; y < c->height; y++)
            for (int32_t x = 0; x < c->width; x++)
                if (memcmp(c->data + y * c->row_stride + x * c->pixel_stride, d->data + y * d->row_stride + x * d->pixel_stride, size) != 0)
                    fail_msg("channel %s differs at %d, %d", c->name, x, y);
    }
}

double worst_difference(const ipos_frame *a, const ipos_frame *b) {
    double worst = 0;
    expect_same_layout(a, b);
    for (size_t i = 0; i < a->channel_count; i++) {
        const ip_channel *c = &a->channels[i], *d = &b->channels[ipos_frame_find_channel(b, c->name)];
        if (c->type == IPOS_U32)
            continue;
        const size_t n = (size_t)c->width * (size_t)c->height;
        float *p = calloc(n, sizeof *p), *q = calloc(n, sizeof *q);
        assert_true(p && q);
        assert_int_equal(ip_channel_to_float(c, p), IPOS_OK);
        assert_int_equal(ip_channel_to_float(d, q), IPOS_OK);
        for (size_t k = 0; k < n; k++)
            worst = fmax(worst, fabs((double)p[k] - (double)q[k]));
        free(p);
        free(q);
    }
    return worst;
}

void expect_attribute(const ipos_frame *frame, const char *name, const char *type, const void *value, size_t size) {
    const ip_attribute *a = ip_frame_attribute(frame, name);
    if (!a)
        fail_msg("attribute %s is missing", name);
    assert_string_equal(a->type, type);
    assert_int_equal(a->size, size);
    assert_memory_equal(a->bytes, value, size);
}
