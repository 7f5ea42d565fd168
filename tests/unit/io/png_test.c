#include "io_test.h"
#include <zlib.h>

static void round_trip(const char *channels, int32_t type) {
    ipos_frame *frame = make_frame(61, 37, channels, type), *back = NULL;
    const ipos_write_config config = {sizeof config, "png"};
    void *bytes = NULL;
    size_t size = 0;
    assert_int_equal(ip_image_write(&frame, 1, &config, NULL, &bytes, &size), IPOS_OK);
    assert_int_equal(ip_image_read(NULL, NULL, bytes, size, 0, &back), IPOS_OK);
    assert_same_pixels(frame, back);
    hammer(bytes, size, 60, 300);
    ip_free(bytes);
    ipos_frame_release(frame);
    ipos_frame_release(back);
}

static void types(void **state) {
    (void)state;
    static const char *const channels[] = {"Y", "Y,A", "R,G,B", "B,A,R,G"};
    for (size_t i = 0; i < IP_COUNT(channels); i++) {
        round_trip(channels[i], IPOS_U8);
        round_trip(channels[i], IPOS_U16);
    }
}

static void refusals(void **state) {
    (void)state;
    const struct {
        const char *channels;
        int32_t type;
    } cases[] = {{"R,G,B", IPOS_F32}, {"R,G,B", IPOS_F16}, {"R,G", IPOS_U8}, {"R,G,B,depth.Z", IPOS_U8}, {"Y,R", IPOS_U16},
        {"Y", IPOS_U32}};
    const ipos_write_config config = {sizeof config, "png"};
    for (size_t i = 0; i < IP_COUNT(cases); i++) {
        ipos_frame *frame = make_frame(8, 8, cases[i].channels, cases[i].type);
        void *bytes = NULL;
        size_t size = 0;
        assert_int_equal(ip_image_write(&frame, 1, &config, NULL, &bytes, &size), IPOS_ERR_UNSUPPORTED);
        assert_null(bytes);
        ipos_frame_release(frame);
    }
    ipos_frame *two[2] = {make_frame(4, 4, "Y", IPOS_U8), make_frame(4, 4, "Y", IPOS_U8)};
    void *bytes = NULL;
    size_t size = 0;
    assert_int_equal(ip_image_write(two, 2, &config, NULL, &bytes, &size), IPOS_ERR_ARGUMENT);
    two[0]->display_window.width = 9;
    assert_int_equal(ip_image_write(two, 1, &config, NULL, &bytes, &size), IPOS_ERR_UNSUPPORTED);
    ipos_frame_release(two[0]);
    ipos_frame_release(two[1]);
}

static void add_chunk(ip_buffer *out, const char *type, const void *bytes, uint32_t size) {
    uint32_t crc = (uint32_t)crc32(crc32(0, (const Bytef *)type, 4), size ? bytes : (const void *)"", size);
    uint8_t length[4] = {(uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size};
    uint8_t check[4] = {(uint8_t)(crc >> 24), (uint8_t)(crc >> 16), (uint8_t)(crc >> 8), (uint8_t)crc};
    ip_buffer_add(out, length, 4);
    ip_buffer_add(out, type, 4);
    ip_buffer_add(out, bytes, size);
    ip_buffer_add(out, check, 4);
}

/* A PNG of one row from its parts. */
static void make_png(ip_buffer *out, uint32_t width, int depth, int color_type, const uint8_t *row, size_t row_size,
    const char *const *types, const char *const *values, const size_t *sizes) {
    ip_buffer_add(out, "\211PNG\r\n\032\n", 8);
    uint8_t ihdr[13] = {(uint8_t)(width >> 24), (uint8_t)(width >> 16), (uint8_t)(width >> 8), (uint8_t)width, 0, 0, 0, 1,
        (uint8_t)depth, (uint8_t)color_type};
    add_chunk(out, "IHDR", ihdr, 13);
    for (size_t i = 0; types && types[i]; i++)
        add_chunk(out, types[i], values[i], (uint32_t)sizes[i]);
    uint8_t raw[64] = {0}, packed[256];
    memcpy(raw + 1, row, row_size);
    uLongf packed_size = sizeof packed;
    assert_int_equal(compress(packed, &packed_size, raw, row_size + 1), Z_OK);
    add_chunk(out, "IDAT", packed, (uint32_t)packed_size);
    add_chunk(out, "IEND", "", 0);
    assert_false(out->failed);
}

static const uint8_t *samples_of(const ipos_frame *frame, const char *name) {
    int64_t i = ipos_frame_find_channel(frame, name);
    assert_true(i >= 0);
    return frame->channels[i].data;
}

static void small_depths(void **state) {
    (void)state;
    static const struct {
        int depth;
        uint8_t row[2], expected[4];
    } cases[] = {{1, {0x50}, {0, 255, 0, 255}}, {2, {0x1b}, {0, 85, 170, 255}}, {4, {0x0f, 0x3c}, {0, 255, 51, 204}}};
    for (size_t i = 0; i < IP_COUNT(cases); i++) {
        ip_buffer png = {0};
        make_png(&png, 4, cases[i].depth, 0, cases[i].row, 2, NULL, NULL, NULL);
        ipos_frame *frame = NULL;
        assert_int_equal(ip_image_read(NULL, NULL, png.data, png.size, 0, &frame), IPOS_OK);
        assert_memory_equal(samples_of(frame, "Y"), cases[i].expected, 4);
        const ip_attribute *header = ip_frame_attribute(frame, "png:IHDR"); /* says the depth it had */
        assert_non_null(header);
        assert_int_equal(header->bytes[8], cases[i].depth);
        ipos_frame_release(frame);
        ip_buffer_free(&png);
    }
}

static void palette_and_transparency(void **state) {
    (void)state;
    static const char *const types[] = {"PLTE", "tRNS", NULL}, *const values[] = {"\1\2\3\4\5\6\7\10\11", "\200"};
    static const size_t sizes[] = {9, 1};
    ip_buffer png = {0};
    make_png(&png, 3, 8, 3, (const uint8_t *)"\2\0\1", 3, types, values, sizes);
    ipos_frame *frame = NULL;
    assert_int_equal(ip_image_read(NULL, NULL, png.data, png.size, 0, &frame), IPOS_OK);
    assert_memory_equal(samples_of(frame, "R"), "\7\1\4", 3);
    assert_memory_equal(samples_of(frame, "B"), "\11\3\6", 3);
    assert_memory_equal(samples_of(frame, "A"), "\377\200\377", 3);
    ipos_frame_release(frame);
    ip_buffer_free(&png);
}

static void chunks_survive(void **state) {
    (void)state;
    static const char *const types[] = {
        "iCCP", "cICP", "gAMA", "cHRM", "pHYs", "tEXt", "tEXt", "iTXt", "zTXt", "eXIf", "prVt", NULL};
    static const char *const values[] = {"prof\0\0not really deflated", "\1\1\0\1", "\0\0\261\217",
        "\0\0\172\46\0\0\200\204\0\0\372\0\0\0\200\350\0\0\165\60\0\0\352\140\0\0\72\230\0\0\27\160", "\0\0\13\23\0\0\13\23\1",
        "Title\0one", "Title\0two", "K\0\0\0\0\0\303\251", "K\0\0zz", "II*\0", "\0\1\2\377"};
    static const size_t sizes[] = {25, 4, 4, 32, 9, 9, 9, 8, 5, 4, 4};
    ip_buffer png = {0};
    make_png(&png, 3, 8, 2, (const uint8_t *)"\1\2\3\4\5\6\7\10\11", 9, types, values, sizes);
    ipos_frame *frame = NULL, *back = NULL;
    assert_int_equal(ip_image_read(NULL, NULL, png.data, png.size, 0, &frame), IPOS_OK);
    assert_string_equal(frame->encoding, "rec709");
    const ipos_write_config config = {sizeof config, "png"};
    void *bytes = NULL;
    size_t size = 0;
    assert_int_equal(ip_image_write(&frame, 1, &config, NULL, &bytes, &size), IPOS_OK);
    assert_int_equal(ip_image_read(NULL, NULL, bytes, size, 0, &back), IPOS_OK);
    assert_same_pixels(frame, back);
    for (size_t i = 0; types[i]; i++) {
        char name[16];
        snprintf(name, sizeof name, "png:%s%s", types[i], i == 6 ? ".2" : "");
        const ip_attribute *a = ip_frame_attribute(back, name);
        assert_non_null(a);
        assert_int_equal(a->size, sizes[i]);
        assert_memory_equal(a->bytes, values[i], sizes[i]);
    }
    const ip_attribute *xy = ip_frame_attribute(back, "chromaticities");
    assert_non_null(xy);
    float red_x;
    memcpy(&red_x, xy->bytes, 4);
    assert_true(red_x > 0.6399f && red_x < 0.6401f);
    ip_free(bytes);
    ipos_frame_release(frame);
    ipos_frame_release(back);
    ip_buffer_free(&png);
}

static void encodings(void **state) {
    (void)state;
    static const struct {
        const char *type, *value, *encoding;
        size_t size;
    } cases[] = {{"sRGB", "\0", "srgb", 1}, {"gAMA", "\0\0\261\217", "gamma2.2", 4}, {"gAMA", "\0\1\206\240", "linear", 4},
        {"cICP", "\1\15\0\1", "srgb", 4}, {"cICP", "\11\20\0\1", "", 4}, {"iCCP", "x\0\0y", "", 4}, {"gAMA", "\0\0\300\0", "", 4}};
    for (size_t i = 0; i < IP_COUNT(cases); i++) {
        const char *const types[] = {cases[i].type, NULL}, *const values[] = {cases[i].value};
        ip_buffer png = {0};
        make_png(&png, 1, 8, 2, (const uint8_t *)"\1\2\3", 3, types, values, &cases[i].size);
        ipos_frame *frame = NULL;
        assert_int_equal(ip_image_read(NULL, NULL, png.data, png.size, 0, &frame), IPOS_OK);
        assert_string_equal(frame->encoding, cases[i].encoding);
        ipos_frame_release(frame);
        ip_buffer_free(&png);
    }
    static const char *const written[] = {"srgb", "rec709", "gamma2.2", "linear"};
    for (size_t i = 0; i < IP_COUNT(written); i++) { /* a frame from elsewhere says its encoding in PNG's terms */
        ipos_frame *frame = make_frame(3, 3, "R,G,B", IPOS_U8), *back = NULL;
        assert_int_equal(ipos_frame_set_encoding(frame, written[i]), IPOS_OK);
        const ipos_write_config config = {sizeof config, "png"};
        void *bytes = NULL;
        size_t size = 0;
        assert_int_equal(ip_image_write(&frame, 1, &config, NULL, &bytes, &size), IPOS_OK);
        assert_int_equal(ip_image_read(NULL, NULL, bytes, size, 0, &back), IPOS_OK);
        assert_string_equal(back->encoding, written[i]);
        ip_free(bytes);
        ipos_frame_release(frame);
        ipos_frame_release(back);
    }
}

static void bombs(void **state) {
    (void)state;
    ip_buffer png = {0};
    make_png(&png, 4, 8, 0, (const uint8_t *)"abcd", 4, NULL, NULL, NULL);
    uint8_t *ihdr = (uint8_t *)png.data + 8; /* claim 2^30 x 2^30 pixels with a right checksum */
    ihdr[8] = 0x40;
    ihdr[12] = 0x40;
    uint32_t crc = (uint32_t)crc32(crc32(0, NULL, 0), ihdr + 4, 17);
    for (int i = 0; i < 4; i++)
        ihdr[21 + i] = (uint8_t)(crc >> (24 - 8 * i));
    ipos_frame *frame = NULL;
    assert_int_equal(ip_image_read(NULL, NULL, png.data, png.size, 0, &frame), IPOS_ERR_FORMAT);
    ip_buffer_free(&png);

    ipos_frame *large = make_frame(400, 400, "R,G,B", IPOS_U16);
    const ipos_write_config config = {sizeof config, "png"};
    void *bytes = NULL;
    size_t size = 0;
    assert_int_equal(ip_image_write(&large, 1, &config, NULL, &bytes, &size), IPOS_OK);
    const ip_io_env poor = {.memory_limit = 100000};
    assert_int_equal(ip_image_read(&poor, NULL, bytes, size, 0, &frame), IPOS_ERR_NO_MEMORY);
    ip_cancel cancel;
    atomic_init(&cancel.set, 1);
    const ip_io_env stopped = {.cancel = &cancel};
    assert_int_equal(ip_image_read(&stopped, NULL, bytes, size, 0, &frame), IPOS_ERR_CANCELLED);
    assert_int_equal(ip_image_read(NULL, NULL, bytes, size, 1, &frame), IPOS_ERR_NOT_FOUND);
    ip_free(bytes);
    ipos_frame_release(large);
}

static void files_are_atomic(void **state) {
    (void)state;
    char *folder = scratch_folder(), *path = ip_path_join(folder, "a.png"), *none = ip_path_join(folder, "no/a.png");
    ipos_frame *good = make_frame(9, 9, "R,G,B", IPOS_U8), *bad = make_frame(9, 9, "R,G,B", IPOS_F32), *back = NULL;
    assert_int_equal(ip_image_write(&good, 1, NULL, path, NULL, NULL), IPOS_OK);
    assert_int_equal(ip_image_write(&bad, 1, NULL, path, NULL, NULL), IPOS_ERR_UNSUPPORTED);
    assert_int_equal(ip_image_read(NULL, path, NULL, 0, 0, &back), IPOS_OK);
    assert_same_pixels(good, back);
    assert_int_equal(ip_image_write(&good, 1, NULL, none, NULL, NULL), IPOS_ERR_NOT_FOUND);
    char command[600];
    snprintf(command, sizeof command, "test \"$(ls -A '%s')\" = a.png", folder); /* no temporary is left */
    assert_int_equal(system(command), 0);
    ipos_frame_release(good);
    ipos_frame_release(bad);
    ipos_frame_release(back);
    assert_int_equal(ip_image_read(NULL, folder, NULL, 0, 0, &back), IPOS_ERR_IO);
    assert_int_equal(ip_image_read(NULL, none, NULL, 0, 0, &back), IPOS_ERR_NOT_FOUND);
    remove_folder(folder);
    ip_free(none);
    ip_free(path);
    ip_free(folder);
}

static void foreign_attributes_survive(void **state) {
    (void)state;
    ipos_frame *frame = make_frame(9, 7, "R,G,B,A", IPOS_U16), *back = NULL, *again = NULL;
    add_foreign_attributes(frame);
    const ipos_write_config config = {sizeof config, "png"};
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

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(types), cmocka_unit_test(foreign_attributes_survive),
        cmocka_unit_test(refusals), cmocka_unit_test(small_depths), cmocka_unit_test(palette_and_transparency),
        cmocka_unit_test(chunks_survive), cmocka_unit_test(encodings), cmocka_unit_test(bombs),
        cmocka_unit_test(files_are_atomic)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
