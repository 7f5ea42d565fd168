#include "io_test.h"

static void write_memory(ipos_frame *const *frames, size_t count, const ipos_write_config *config, void **bytes, size_t *size) {
    ipos_status status = ip_image_write(frames, count, config, NULL, bytes, size);
    if (status != IPOS_OK)
        fail_msg("%s", ipos_last_error());
}

static void round_trip(
    const char *channels, int32_t type, const char *compression, int32_t tile, int32_t planar, bool broken_too) {
    ipos_frame *frame = make_frame(75, 41, channels, type), *back = NULL, *again = NULL;
    const ipos_write_config config = {sizeof config, "tiff", compression, tile, tile, planar, 0},
                            as_read = {sizeof as_read, "tiff"};
    void *bytes = NULL, *bytes2 = NULL;
    size_t size = 0, size2 = 0;
    write_memory(&frame, 1, &config, &bytes, &size);
    assert_int_equal(ip_image_read(NULL, NULL, bytes, size, 0, &back), IPOS_OK);
    assert_same_pixels(frame, back);
    assert_int_equal(ip_frame_attribute(back, "tiles") != NULL, tile != 0);
    write_memory(&back, 1, &as_read, &bytes2, &size2); /* layout is taken up again */
    assert_int_equal(ip_image_read(NULL, NULL, bytes2, size2, 0, &again), IPOS_OK);
    assert_same_pixels(frame, again);
    assert_int_equal(back->attribute_count, again->attribute_count);
    for (size_t i = 0; i < back->attribute_count; i++) {
        const ip_attribute *a = &back->attributes[i], *b = ip_frame_attribute(again, a->name);
        assert_non_null(b);
        assert_int_equal(a->size, b->size);
        assert_memory_equal(a->bytes, b->bytes, a->size);
    }
    if (broken_too)
        hammer(bytes, size, 25, 120);
    ip_free(bytes);
    ip_free(bytes2);
    ipos_frame_release(frame);
    ipos_frame_release(back);
    ipos_frame_release(again);
}

static void every_layout(void **state) {
    (void)state;
    static const char *const channels[] = {"Y", "Y,A", "R,G,B", "R,G,B,A"}, *const compressions[] = {"none", "lzw", "deflate"};
    static const int32_t types[] = {IPOS_U8, IPOS_U16, IPOS_F16, IPOS_F32, IPOS_U32};
    for (size_t c = 0; c < IP_COUNT(channels); c++)
        for (size_t k = 0; k < IP_COUNT(compressions); k++)
            for (size_t t = 0; t < IP_COUNT(types); t++)
                for (int layout = 0; layout < 4; layout++)
                    round_trip(channels[c], types[t], compressions[k], layout & 1 ? 32 : 0, layout >> 1, c == 2 && t % 3 == 0);
}

static void pages_and_extra_channels(void **state) {
    (void)state;
    ipos_frame *pages[3] = {
        make_frame(20, 10, "R,G,B", IPOS_U8), make_frame(33, 17, "Y", IPOS_F32), make_frame(8, 8, "extra0,A,B,G,R", IPOS_U16)};
    const ipos_write_config config = {sizeof config, "tiff"};
    void *bytes = NULL;
    size_t size = 0;
    write_memory(pages, 3, &config, &bytes, &size);
    ipos_frame *back = NULL;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ip_image_read(NULL, NULL, bytes, size, i, &back), IPOS_OK);
        assert_same_pixels(pages[i], back);
        ipos_frame_release(back);
    }
    assert_int_equal(ip_image_read(NULL, NULL, bytes, size, 3, &back), IPOS_ERR_NOT_FOUND);
    ip_free(bytes);
    for (int i = 0; i < 3; i++)
        ipos_frame_release(pages[i]);
}

static void tags_survive(void **state) {
    (void)state;
    static const struct {
        const char *name, *type, *bytes;
        size_t size;
    } tags[] = {{"tiff:270", "tiff:ascii", "a description", 13}, {"tiff:274", "tiff:short", "\6\0", 2},
        {"tiff:282", "tiff:rational", "\0\0\226\103", 4}, {"tiff:296", "tiff:short", "\3\0", 2},
        {"tiff:700", "tiff:byte", "<x:xmpmeta/>", 12}, {"tiff:34675", "tiff:undefined", "profile\0bytes", 13},
        {"tiff:65123", "tiff:long", "\1\0\0\0\2\0\0\0", 8}, {"tiff:65124", "tiff:double", "\0\0\0\0\0\0\370\77", 8}};
    ipos_frame *frame = make_frame(12, 12, "R,G,B", IPOS_U16), *back = NULL;
    for (size_t i = 0; i < IP_COUNT(tags); i++)
        assert_int_equal(ipos_frame_set_attribute(frame, tags[i].name, tags[i].type, tags[i].bytes, tags[i].size), IPOS_OK);
    const ipos_write_config config = {sizeof config, "tiff"};
    void *bytes = NULL;
    size_t size = 0;
    write_memory(&frame, 1, &config, &bytes, &size);
    assert_int_equal(ip_image_read(NULL, NULL, bytes, size, 0, &back), IPOS_OK);
    for (size_t i = 0; i < IP_COUNT(tags); i++) {
        const ip_attribute *a = ip_frame_attribute(back, tags[i].name);
        if (!a)
            fail_msg("%s is gone", tags[i].name);
        assert_string_equal(a->type, tags[i].type);
        assert_int_equal(a->size, tags[i].size);
        assert_memory_equal(a->bytes, tags[i].bytes, a->size);
    }
    ip_free(bytes);
    ipos_frame_release(frame);
    ipos_frame_release(back);
}

/* A little-endian TIFF of one strip. */
static size_t raw_tiff(uint8_t *out, uint32_t width, uint32_t height, uint16_t bits, uint16_t photometric, uint16_t compression,
    uint16_t format, const uint8_t *pixels, uint32_t size) {
    const struct {
        uint16_t tag, type;
        uint32_t value;
    } tags[] = {{256, 4, width}, {257, 4, height}, {258, 3, bits}, {259, 3, compression}, {262, 3, photometric},
        {273, 4, 8 + 2 + 11 * 12 + 4}, {277, 3, 1}, {278, 4, height}, {279, 4, size}, {284, 3, 1}, {339, 3, format}};
    memcpy(out, "II*\0\10\0\0\0\13\0", 10);
    size_t at = 10;
    for (size_t i = 0; i < IP_COUNT(tags); i++, at += 12) {
        const uint32_t one = 1;
        memcpy(out + at, &tags[i].tag, 2);
        memcpy(out + at + 2, &tags[i].type, 2);
        memcpy(out + at + 4, &one, 4);
        memcpy(out + at + 8, &tags[i].value, 4);
    }
    memset(out + at, 0, 4);
    memcpy(out + at + 4, pixels, size);
    return at + 4 + size;
}

static void small_depths(void **state) {
    (void)state;
    static const struct {
        uint16_t bits, photometric;
        uint8_t row[6];
        int32_t type;
        uint16_t expected[4];
    } cases[] = {{1, 1, {0x50}, IPOS_U8, {0, 255, 0, 255}}, {1, 0, {0x50}, IPOS_U8, {255, 0, 255, 0}},
        {2, 1, {0x1b}, IPOS_U8, {0, 85, 170, 255}}, {4, 1, {0x0f, 0x3c}, IPOS_U8, {0, 255, 51, 204}},
        {8, 0, {0, 1, 254, 255}, IPOS_U8, {255, 254, 1, 0}},
        {12, 1, {0x00, 0x0f, 0xff, 0x80, 0x00, 0x01}, IPOS_U16, {0, 65535, 0x8008, 0x0010}},
        {10, 1, {0x00, 0x3f, 0xf8, 0x00, 0x01}, IPOS_U16, {0, 65535, 0x8020, 0x0040}}};
    for (size_t i = 0; i < IP_COUNT(cases); i++) {
        uint8_t file[256];
        size_t size = raw_tiff(file, 4, 1, cases[i].bits, cases[i].photometric, 1, 1, cases[i].row, (4u * cases[i].bits + 7) / 8);
        ipos_frame *frame = NULL;
        assert_int_equal(ip_image_read(NULL, NULL, file, size, 0, &frame), IPOS_OK);
        assert_int_equal(frame->channels[0].type, cases[i].type);
        for (int x = 0; x < 4; x++) {
            uint16_t v = frame->channels[0].data[x];
            if (cases[i].type == IPOS_U16)
                memcpy(&v, frame->channels[0].data + 2 * x, 2);
            assert_int_equal(v, cases[i].expected[x]);
        }
        ipos_frame_release(frame);
    }
}

static void refusals(void **state) {
    (void)state;
    uint8_t file[256], pixels[64] = {0};
    ipos_frame *frame = NULL;
    /* More pixels than the file can hold; signed samples; a compression nobody has; pixels beyond the end. */
    size_t size = raw_tiff(file, 60000, 60000, 8, 1, 1, 1, pixels, 64);
    assert_int_equal(ip_image_read(NULL, NULL, file, size, 0, &frame), IPOS_ERR_FORMAT);
    size = raw_tiff(file, 4, 4, 8, 1, 1, 2, pixels, 16);
    assert_int_equal(ip_image_read(NULL, NULL, file, size, 0, &frame), IPOS_ERR_UNSUPPORTED);
    size = raw_tiff(file, 4, 4, 8, 1, 4711, 1, pixels, 16);
    assert_int_equal(ip_image_read(NULL, NULL, file, size, 0, &frame), IPOS_ERR_UNSUPPORTED);
    size = raw_tiff(file, 8, 8, 8, 1, 1, 1, pixels, 64);
    assert_int_equal(ip_image_read(NULL, NULL, file, size - 9, 0, &frame), IPOS_ERR_FORMAT);
    assert_null(frame);

    ipos_frame *mixed = make_frame(4, 4, "R,G,B", IPOS_U8);
    mixed->channels[1].type = IPOS_U16;
    const ipos_write_config config = {sizeof config, "tiff"}, odd = {sizeof odd, "tiff", "zip"},
                            tiles = {sizeof tiles, "tiff", NULL, 20, 20};
    void *bytes = NULL;
    assert_int_equal(ip_image_write(&mixed, 1, &config, NULL, &bytes, &size), IPOS_ERR_UNSUPPORTED);
    mixed->channels[1].type = IPOS_U8;
    assert_int_equal(ip_image_write(&mixed, 1, &odd, NULL, &bytes, &size), IPOS_ERR_ARGUMENT);
    assert_int_equal(ip_image_write(&mixed, 1, &tiles, NULL, &bytes, &size), IPOS_ERR_ARGUMENT);
    ipos_frame_release(mixed);
}

static void foreign_attributes_survive(void **state) {
    (void)state;
    ipos_frame *frame = make_frame(9, 7, "R,G,B,A,depth.Z,id", IPOS_F32), *back = NULL, *again = NULL;
    add_foreign_attributes(frame);
    const ipos_write_config config = {sizeof config, "tiff"};
    void *bytes = NULL;
    size_t size = 0;
    assert_int_equal(ip_image_write(&frame, 1, &config, NULL, &bytes, &size), IPOS_OK);
    assert_int_equal(ip_image_read(NULL, NULL, bytes, size, 0, &back), IPOS_OK);
    assert_same_pixels(frame, back);
    assert_keeps(frame, back);
    hammer(bytes, size, 60, 400);
    ip_free(bytes);
    assert_int_equal(ip_image_write(&back, 1, &config, NULL, &bytes, &size), IPOS_OK);
    assert_int_equal(ip_image_read(NULL, NULL, bytes, size, 0, &again), IPOS_OK);
    assert_same_pixels(frame, again);
    assert_keeps(back, again);
    assert_int_equal(back->attribute_count, again->attribute_count);
    ip_free(bytes);
    ipos_frame_release(frame);
    ipos_frame_release(back);
    ipos_frame_release(again);
}

static size_t put(uint8_t *to, size_t at, uint32_t value, int bytes) {
    for (int i = 0; i < bytes; i++)
        to[at + (size_t)i] = (uint8_t)(value >> (8 * i));
    return at + (size_t)bytes;
}

/* Two pixels of 16-bit ink, put down by hand as nothing of ours writes them: R,G,B = (1 - C,M,Y) * (1 - K). */
static void deep_ink_becomes_deep_light(void **state) {
    (void)state;
    static const uint16_t ink[8] = {0, 32768, 65535, 0, 1000, 0, 20000, 32767};
    static const uint32_t tags[][3] = {{256, 4, 2}, {257, 4, 1}, {258, 3, 0}, {259, 3, 1}, {262, 3, 5}, {273, 4, 8}, {277, 3, 4}, {278, 4, 1}, {279, 4, 16}};
    uint8_t file[256] = {0};
    size_t at = put(file, put(file, put(file, 0, 0x4949, 2), 42, 2), 32, 4), count = sizeof tags / sizeof *tags;
    for (int i = 0; i < 8; i++)
        at = put(file, at, ink[i], 2);
    for (int i = 0; i < 4; i++)
        put(file, 24 + 2 * (size_t)i, 16, 2);
    at = put(file, 32, (uint32_t)count, 2);
    for (size_t i = 0; i < count; i++)
        at = put(file, put(file, put(file, put(file, at, tags[i][0], 2), tags[i][1], 2), tags[i][0] == 258 ? 4 : 1, 4),
            tags[i][0] == 258 ? 24 : tags[i][2], 4);
    ip_io_env env = {0};
    ipos_frame *frame;
    if (ip_image_read(&env, NULL, file, at + 4, 0, &frame) != IPOS_OK)
        fail_msg("%s", ipos_last_error());
    assert_int_equal(frame->channel_count, 3);
    for (int x = 0; x < 2; x++)
        for (int c = 0; c < 3; c++) {
            const ip_channel *channel = &frame->channels[ipos_frame_find_channel(frame, (const char *[]){"R", "G", "B"}[c])];
            uint16_t value;
            assert_int_equal(channel->type, IPOS_U16);
            memcpy(&value, channel->data + x * channel->pixel_stride, 2);
            assert_int_equal(value, (uint16_t)((65535.0 - ink[4 * x + c]) * (65535.0 - ink[4 * x + 3]) / 65535 + .5));
        }
    ipos_frame_release(frame);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_layout), cmocka_unit_test(pages_and_extra_channels),
        cmocka_unit_test(tags_survive), cmocka_unit_test(small_depths), cmocka_unit_test(foreign_attributes_survive),
        cmocka_unit_test(refusals), cmocka_unit_test(deep_ink_becomes_deep_light)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
