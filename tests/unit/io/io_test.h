/* Helpers of the io tests: frames with every value used, comparing, a scratch folder. */
#ifndef IO_TEST_H
#define IO_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "format.h"
#include <stdlib.h>
#include <unistd.h>

/* channels: names separated by commas. Samples differ from channel to channel and from place to place. */
static inline ipos_frame *make_frame(int32_t width, int32_t height, const char *names, int32_t type) {
    ipos_channel channels[16];
    char text[256], *rest = text, *name;
    size_t n = 0;
    snprintf(text, sizeof text, "%s", names);
    while ((name = strtok_r(rest, ",", &rest)) && n < 16)
        channels[n++] = (ipos_channel){name, type, 1, 1};
    const ipos_box box = {0, 0, width, height};
    ipos_frame *frame = NULL;
    assert_int_equal(ip_frame_new(&box, NULL, channels, n, NULL, NULL, &frame), IPOS_OK);
    uint32_t state = 12345;
    for (size_t c = 0; c < n; c++) {
        ip_channel *channel = &frame->channels[c];
        for (int32_t y = 0; y < height; y++) {
            for (int32_t x = 0; x < width; x++) {
                uint8_t *at = channel->data + y * channel->row_stride + x * channel->pixel_stride;
                state = state * 1664525u + 1013904223u;
                uint32_t v =
                    (uint32_t)(x * 7 + y * 13 + (int)c * 31) * 257u + (state >> 28); /* smooth with noise, as pictures are */
                float f = ((float)v - 20000.0f) / 700.0f;
                uint16_t u16 = (uint16_t)v, f16 = (uint16_t)((v & 0x3bff) | (v & 1 ? 0x8000 : 0));
                memcpy(at,
                    type == IPOS_F32   ? (void *)&f
                    : type == IPOS_U32 ? (void *)&v
                    : type == IPOS_F16 ? (void *)&f16
                                       : (void *)&u16,
                    ip_sample_bytes(type));
            }
        }
    }
    return frame;
}

/* Windows, channel names, types and every bit of every sample, whatever the order of the channels. */
static inline void assert_same_pixels(const ipos_frame *a, const ipos_frame *b) {
    assert_memory_equal(&a->data_window, &b->data_window, sizeof a->data_window);
    assert_int_equal(a->channel_count, b->channel_count);
    for (size_t i = 0; i < a->channel_count; i++) {
        const ip_channel *ca = &a->channels[i];
        int64_t k = ipos_frame_find_channel(b, ca->name);
        assert_true(k >= 0);
        const ip_channel *cb = &b->channels[k];
        assert_int_equal(ca->type, cb->type);
        size_t bytes = ip_sample_bytes(ca->type);
        for (int32_t y = 0; y < ca->height; y++)
            for (int32_t x = 0; x < ca->width; x++)
                assert_memory_equal(ca->data + y * ca->row_stride + x * ca->pixel_stride,
                    cb->data + y * cb->row_stride + x * cb->pixel_stride, bytes);
    }
}

/* Attributes that only OpenEXR knows, a log encoding: no format may lose them. */
static inline void add_foreign_attributes(ipos_frame *frame) {
    const ipos_timecode timecode = {1, 2, 3, 4, 0, 7};
    const ipos_rational rate = {24000, 1001};
    const ipos_chromaticities xy = {0.71234567f, 0.3f, 0.2f, 0.7f, 0.1f, 0.05f, 0.3127f, 0.329f};
    assert_int_equal(ipos_frame_set_timecode(frame, &timecode), IPOS_OK);
    assert_int_equal(ipos_frame_set_rate(frame, &rate), IPOS_OK);
    assert_int_equal(ipos_frame_set_chromaticities(frame, &xy), IPOS_OK);
    assert_int_equal(ipos_frame_set_attribute(frame, "reel", "string", "A001\0x", 6), IPOS_OK);
    assert_int_equal(ipos_frame_set_attribute(frame, "empty", "string", "", 0), IPOS_OK);
    assert_int_equal(ipos_frame_set_attribute(frame, "vendor", "vendorType", "\1\0\377", 3), IPOS_OK);
    assert_int_equal(ipos_frame_set_encoding(frame, "logc3"), IPOS_OK);
}

/* Everything of a, apart from what the file's format adds. */
static inline void assert_keeps(const ipos_frame *a, const ipos_frame *b) {
    assert_string_equal(a->encoding, b->encoding);
    for (size_t i = 0; i < a->attribute_count; i++) {
        const ip_attribute *x = &a->attributes[i], *y = ip_frame_attribute(b, x->name);
        if (!y)
            fail_msg("%s is gone", x->name);
        assert_string_equal(x->type, y->type);
        assert_int_equal(x->size, y->size);
        assert_memory_equal(x->bytes, y->bytes, x->size);
    }
}

static inline char *scratch_folder(void) {
    char name[] = "/tmp/ipos-io-XXXXXX";
    assert_non_null(mkdtemp(name));
    return ip_strdup(name);
}

static inline void remove_folder(const char *folder) {
    char command[512];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

/* A file cut short or with flipped bits must give a status and a text, or a frame, and never more. */
static inline void hammer(const void *bytes, size_t size, int cuts, int flips) {
    const ip_io_env env = {.memory_limit = 64 << 20};
    uint8_t *copy = ip_alloc(size);
    assert_non_null(copy);
    uint32_t state = 99;
    for (int i = 0; i < cuts + flips; i++) {
        memcpy(copy, bytes, size);
        state = state * 1664525u + 1013904223u;
        size_t at = i < cuts ? (size_t)i * size / (size_t)cuts
                    : i % 2  ? (state >> 4) % size
                             : (state >> 4) % IP_MIN(size, (size_t)400);
        size_t have = i < cuts ? at : size;
        if (i >= cuts)
            copy[at] ^= (uint8_t)(1u << (state >> 29));
        /* Its exact size on the heap, so that reading past the end is seen. */
        uint8_t *exact = ip_alloc(have ? have : 1);
        memcpy(exact, copy, have);
        ipos_frame *frame = NULL;
        ipos_status status = ip_image_read(&env, NULL, exact, have, 0, &frame);
        if (status == IPOS_OK) {
            assert_non_null(frame);
        } else {
            assert_null(frame);
            assert_true(strlen(ipos_last_error()) > 8);
        }
        ipos_frame_release(frame);
        ip_free(exact);
    }
    ip_free(copy);
}

#endif
