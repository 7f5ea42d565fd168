/* Attributes byte for byte, parts, levels, and what is refused clearly. */
#include "exr_make.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
    const char *name, *type;
    size_t size;
    const char *value;
} attributes[] = {
    {"owner", "string", 5, "M\xc3\xbcnd"},
    {"nothing", "string", 0, ""},
    {"zeros inside", "string", 5, "a\0b\0c"},
    {"timeCode", "timecode", 8, "\x12\x34\x56\x01\x0a\x0b\x0c\x0d"},
    {"framesPerSecond", "rational", 8, "\xc0\x5d\0\0\xe9\x03\0\0"},
    {"keyCode", "keycode", 28, "\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5\0\0\0\4\0\0\0\x40\0\0"},
    {"multiView", "stringvector", 17, "\4\0\0\0left\5\0\0\0right"},
    {"weights", "floatvector", 8, "\0\0\x80\x3f\0\0\0\x40"},
    {"preview", "preview", 16, "\2\0\0\0\1\0\0\0\1\2\3\4\5\6\7\x08"},
    {"camera", "vendorBlob", 9, "\0\1\2\3\xff\xfe\0\0\7"},
    {"empty blob", "anotherBlob", 0, ""},
    {"icc", "png:iCCP", 3, "\1\2\3"},
    {"a name that is far longer than the thirty-one characters of old", "a type name that is also longer than thirty-one", 2, "\7\x08"},
    {"box", "box2f", 16, "\0\0\0\0\0\0\0\0\0\0\x80\x3f\0\0\x80\x3f"},
    {"pixelAspectRatio", "float", 4, "\0\0\0\x40"},
    {"screenWindowCenter", "v2f", 8, "\0\0\x80\x3f\0\0\x80\xbf"},
    {"screenWindowWidth", "float", 4, "\0\0\x40\x40"},
};

static void every_attribute_comes_back(void **unused) {
    static const char *const compressions[] = {"zip", "dwaa"};
    ipos_frame *frame = make_rgba(20, 10);
    (void)unused;
    for (size_t i = 0; i < IP_COUNT(attributes); i++)
        assert_int_equal(ipos_frame_set_attribute(frame, attributes[i].name, attributes[i].type, attributes[i].value, attributes[i].size), IPOS_OK);
    for (size_t k = 0; k < IP_COUNT(compressions); k++) {
        bytes file = write_exr(&frame, 1, compressions[k], 0);
        ipos_frame *back = read_exr(file, 0);
        for (size_t i = 0; i < IP_COUNT(attributes); i++)
            expect_attribute(back, attributes[i].name, attributes[i].type, attributes[i].value, attributes[i].size);
        ipos_timecode code;
        ipos_rational rate;
        assert_int_equal(ipos_frame_timecode(back, &code), IPOS_OK);
        assert_int_equal(ipos_frame_rate(back, &rate), IPOS_OK);
        assert_int_equal(rate.num, 24000);
        assert_int_equal(rate.den, 1001);
        bytes again = write_exr(&back, 1, NULL, 0);
        assert_int_equal(again.size, file.size);
        assert_memory_equal(again.data, file.data, k == 0 ? file.size : 500); /* DWA loses a little more each time */
        ipos_frame_release(back);
        ip_free(file.data);
        ip_free(again.data);
    }
    ipos_frame_release(frame);
}

static void bad_values_are_not_written(void **unused) {
    static const struct {
        const char *name, *type, *value;
        size_t size;
    } bad[] = {{"timeCode", "timecode", "1234567", 7}, {"n", "int", "", 0}, {"views", "stringvector", "\x09\0\0\0abc", 7}, {"p", "preview", "\1\0\0\0\1\0\0\0\1", 9},
        {"pixelAspectRatio", "string", "1", 1}, {"type", "int", "\0\0\0\0", 4}};
    (void)unused;
    for (size_t i = 0; i < IP_COUNT(bad); i++) {
        ipos_frame *frame = make_rgba(2, 2);
        const ipos_write_config config = {.struct_size = sizeof config, .format = "exr"};
        void *data = NULL;
        size_t size = 0;
        assert_int_equal(ipos_frame_set_attribute(frame, bad[i].name, bad[i].type, bad[i].value, bad[i].size), IPOS_OK);
        assert_int_equal(ip_image_write(&frame, 1, &config, NULL, &data, &size), IPOS_ERR_ARGUMENT);
        assert_null(data);
        assert_non_null(strstr(ipos_last_error(), bad[i].name));
        ipos_frame_release(frame);
    }
}

static void primaries_name_the_encoding(void **unused) {
    static const float ap1[8] = {.713f, .293f, .165f, .830f, .128f, .044f, .32168f, .33767f};
    ipos_frame *frame = make_rgba(4, 4);
    (void)unused;
    assert_int_equal(ipos_frame_set_attribute(frame, "chromaticities", "chromaticities", ap1, sizeof ap1), IPOS_OK);
    bytes file = write_exr(&frame, 1, "zip", 0);
    ipos_frame *back = read_exr(file, 0);
    ipos_chromaticities got;
    assert_string_equal(ipos_frame_encoding(back), "acescg");
    assert_int_equal(ipos_frame_chromaticities(back, &got), IPOS_OK);
    assert_memory_equal(&got, ap1, sizeof ap1);
    ipos_frame_release(back);
    ip_free(file.data);
    ipos_frame_release(frame);
}

static void parts_with_windows_of_their_own(void **unused) {
    static const char *const compressions[] = {"piz", "dwab"};
    static const ipos_channel z = {"Z", IPOS_F32, 1, 1}, id = {"id", IPOS_U32, 1, 1};
    const ipos_box display = {0, 0, 64, 48}, small = {10, -4, 20, 30};
    (void)unused;
    for (size_t k = 0; k < IP_COUNT(compressions); k++) {
        ipos_frame *frames[3] = {make_rgba(64, 48), make_frame(small, display, &z, 1, FILL_SMOOTH), make_frame(small, display, &id, 1, FILL_BITS)};
        static const uint8_t tiles[9] = {7, 0, 0, 0, 9};
        set_text(frames[0], "name", "beauty");
        set_text(frames[0], "view", "left");
        assert_int_equal(ipos_frame_set_attribute(frames[1], "tiles", "tiledesc", tiles, 9), IPOS_OK);
        bytes file = write_exr(frames, 3, compressions[k], 0);
        for (int p = 0; p < 3; p++) {
            ipos_frame *back = read_exr(file, p);
            if (k == 0 || p > 0)
                expect_same_bits(frames[p], back);
            else
                expect_same_layout(frames[p], back);
            expect_attribute(back, "type", "string", p == 1 ? "tiledimage" : "scanlineimage", p == 1 ? 10 : 13);
            if (p == 0)
                expect_attribute(back, "name", "string", "beauty", 6);
            else
                expect_attribute(back, "name", "string", p == 1 ? "part1" : "part2", 5);
            if (p == 1)
                expect_attribute(back, "tiles", "tiledesc", tiles, 9);
            /* One part of it makes a file of its own. */
            bytes alone = write_exr(&back, 1, NULL, 0);
            ipos_frame *single = read_exr(alone, 0);
            expect_same_layout(back, single);
            ipos_frame_release(single);
            ip_free(alone.data);
            ipos_frame_release(back);
        }
        assert_int_equal(try_exr(file.data, file.size, 3), IPOS_ERR_ARGUMENT);
        ip_free(file.data);
        for (int p = 0; p < 3; p++)
            ipos_frame_release(frames[p]);
    }
}

static void parts_must_agree(void **unused) {
    ipos_frame *frames[2] = {make_rgba(8, 8), make_rgba(8, 8)};
    const ipos_write_config config = {.struct_size = sizeof config, .format = "exr"};
    void *data = NULL;
    size_t size = 0;
    (void)unused;
    set_text(frames[0], "name", "same");
    set_text(frames[1], "name", "same");
    assert_int_equal(ip_image_write(frames, 2, &config, NULL, &data, &size), IPOS_ERR_ARGUMENT);
    set_text(frames[1], "name", "other");
    frames[1]->display_window.width = 9;
    assert_int_equal(ip_image_write(frames, 2, &config, NULL, &data, &size), IPOS_ERR_ARGUMENT);
    ipos_frame_release(frames[0]);
    ipos_frame_release(frames[1]);
}

/* pLinear has no place in a frame's channel, and still comes back. */
static void linear_flags_survive(void **unused) {
    static const uint8_t list[4 * 18 + 1] = "A\0\1\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0B\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0"
        "G\0\1\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0R\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0";
    ipos_frame *frame = make_rgba(4, 4);
    (void)unused;
    assert_int_equal(ipos_frame_set_attribute(frame, "channels", "chlist", list, sizeof list), IPOS_OK);
    bytes file = write_exr(&frame, 1, "zip", 0);
    ipos_frame *back = read_exr(file, 0);
    expect_attribute(back, "channels", "chlist", list, sizeof list);
    expect_same_bits(frame, back);
    ipos_frame_release(back);
    ip_free(file.data);
    ipos_frame_release(frame);
}

static void put(ip_buffer *b, const void *data, size_t size) {
    ip_buffer_add(b, data, size);
}

static void put_attribute(ip_buffer *b, const char *name, const char *type, const void *value, uint32_t size) {
    put(b, name, strlen(name) + 1);
    put(b, type, strlen(type) + 1);
    put(b, &size, 4);
    put(b, value, size);
}

/* The header of an uncompressed 8 x 4 picture of one uint channel. */
static void put_header(ip_buffer *b, uint32_t version) {
    static const int32_t box[4] = {0, 0, 7, 3};
    static const float one[2] = {1, 1};
    const uint32_t lead[2] = {20000630, version};
    put(b, lead, 8);
    put_attribute(b, "channels", "chlist", "N\0\0\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0", 19);
    put_attribute(b, "compression", "compression", "", 1);
    put_attribute(b, "dataWindow", "box2i", box, 16);
    put_attribute(b, "displayWindow", "box2i", box, 16);
    put_attribute(b, "lineOrder", "lineOrder", "", 1);
    put_attribute(b, "pixelAspectRatio", "float", one, 4);
    put_attribute(b, "screenWindowCenter", "v2f", one, 8);
    put_attribute(b, "screenWindowWidth", "float", one, 4);
}

/* Tiles of 4 x 4 with all levels, mipmap (1) or ripmap (2): the full picture is what is read. */
static bytes levels_file(uint8_t mode) {
    ip_buffer b = {0}, chunks = {0};
    const uint8_t tiles[9] = {4, 0, 0, 0, 4, 0, 0, 0, mode};
    uint64_t offsets[64];
    int count = 0;
    put_header(&b, 2 | 0x200);
    put_attribute(&b, "tiles", "tiledesc", tiles, 9);
    put(&b, "", 1);
    for (int ly = 0; ly < (mode == 1 ? 4 : 3); ly++) {
        for (int lx = mode == 1 ? ly : 0; lx < (mode == 1 ? ly + 1 : 4); lx++) {
            const int w = IP_MAX(8 >> lx, 1), h = IP_MAX(4 >> ly, 1);
            for (int tx = 0; tx < (w + 3) / 4; tx++) {
                const int tw = IP_MIN(4, w - 4 * tx);
                const int32_t leader[5] = {tx, 0, lx, ly, tw * h * 4};
                offsets[count++] = chunks.size;
                put(&chunks, leader, sizeof leader);
                for (int i = 0; i < tw * h; i++) {
                    const uint32_t value = lx || ly ? 999 : (uint32_t)(i / 4 * 8 + tx * 4 + i % 4);
                    put(&chunks, &value, 4);
                }
            }
        }
    }
    for (int i = 0; i < count; i++)
        offsets[i] += b.size + 8u * (unsigned)count;
    put(&b, offsets, 8u * (unsigned)count);
    put(&b, chunks.data, chunks.size);
    ip_buffer_free(&chunks);
    assert_false(b.failed);
    return (bytes){(uint8_t *)b.data, b.size};
}

static void the_full_level_is_read(void **unused) {
    (void)unused;
    for (uint8_t mode = 1; mode <= 2; mode++) {
        bytes file = levels_file(mode);
        ipos_frame *frame = read_exr(file, 0);
        const uint8_t tiles[9] = {4, 0, 0, 0, 4, 0, 0, 0, mode}, single[9] = {4, 0, 0, 0, 4, 0, 0, 0, 0};
        expect_attribute(frame, "tiles", "tiledesc", tiles, 9);
        for (uint32_t i = 0; i < 32; i++) {
            uint32_t value;
            memcpy(&value, frame->channels[0].data + (ptrdiff_t)(i / 8) * frame->channels[0].row_stride + i % 8 * 4, 4);
            assert_int_equal(value, i);
        }
        bytes again = write_exr(&frame, 1, NULL, 0);
        ipos_frame *back = read_exr(again, 0);
        expect_same_bits(frame, back);
        expect_attribute(back, "tiles", "tiledesc", single, 9);
        ipos_frame_release(back);
        ipos_frame_release(frame);
        ip_free(again.data);
        ip_free(file.data);
    }
}

static void deep_is_refused(void **unused) {
    const int32_t chunks = 4;
    const uint64_t table[4] = {0};
    ip_buffer b = {0};
    (void)unused;
    put_header(&b, 2 | 0x800);
    put_attribute(&b, "type", "string", "deepscanline", 12);
    put_attribute(&b, "version", "int", "\1\0\0", 4);
    put_attribute(&b, "chunkCount", "int", &chunks, 4);
    put(&b, "", 1);
    put(&b, table, sizeof table);
    assert_false(b.failed);
    assert_int_equal(try_exr((const uint8_t *)b.data, b.size, 0), IPOS_ERR_UNSUPPORTED);
    assert_non_null(strstr(ipos_last_error(), "deep"));
    ip_buffer_free(&b);
}

/* What a copy of this program away from the modules says to a DWA file: 0 if it names what is missing. */
static int without_module(const char *path) {
    ipos_frame *frame = NULL;
    const ipos_status status = ip_image_read(NULL, path, NULL, 0, 0, &frame);
    return status == IPOS_ERR_UNSUPPORTED && !frame && strstr(ipos_last_error(), "interpos_dwa.so") ? 0 : 1;
}

static void a_missing_module_is_named(void **unused) {
    char folder[] = "/tmp/interpos-exr-XXXXXX", program[64], picture[64];
    void *self = NULL;
    size_t size = 0;
    (void)unused;
    assert_non_null(mkdtemp(folder));
    snprintf(program, sizeof program, "%s/program", folder);
    snprintf(picture, sizeof picture, "%s/picture.exr", folder);
    assert_int_equal(ip_file_read("/proc/self/exe", (uint64_t)1 << 30, &self, &size), IPOS_OK);
    assert_int_equal(ip_file_write(program, self, size), IPOS_OK);
    ip_free(self);
    assert_int_equal(chmod(program, 0700), 0);
    ipos_frame *frame = make_rgba(8, 8);
    const ipos_write_config config = {.struct_size = sizeof config, .compression = "dwab"};
    assert_int_equal(ip_image_write(&frame, 1, &config, picture, NULL, NULL), IPOS_OK);
    ipos_frame_release(frame);
    const pid_t child = fork();
    if (child == 0) {
        execl(program, program, picture, (char *)NULL);
        _exit(127);
    }
    int code = -1;
    assert_int_equal(waitpid(child, &code, 0), child);
    unlink(program);
    unlink(picture);
    rmdir(folder);
    assert_int_equal(code, 0);
}

int main(int count, char **words) {
    if (count == 2)
        return without_module(words[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_attribute_comes_back), cmocka_unit_test(bad_values_are_not_written), cmocka_unit_test(primaries_name_the_encoding),
        cmocka_unit_test(parts_with_windows_of_their_own), cmocka_unit_test(parts_must_agree), cmocka_unit_test(linear_flags_survive),
        cmocka_unit_test(the_full_level_is_read), cmocka_unit_test(deep_is_refused), cmocka_unit_test(a_missing_module_is_named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
