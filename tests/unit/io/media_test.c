#include "media_test.h"
#include <jpeglib.h>

/* A frame whose first sample is its number. */
static ipos_frame *numbered(int number) {
    ipos_frame *frame = make_frame(24, 16, "R,G,B", IPOS_U8);
    frame->channels[0].data[0] = (uint8_t)number;
    return frame;
}

static void write_numbered(const char *name, int number) {
    char *path = in_folder(name);
    ipos_frame *frame = numbered(number);
    assert_int_equal(ip_image_write(&frame, 1, NULL, path, NULL, NULL), IPOS_OK);
    ipos_frame_release(frame);
    ip_free(path);
}

static void check_frame(ip_media *media, int64_t number, int first_sample) {
    ipos_frame *frame = NULL;
    if (ip_media_read(media, number, &frame) != IPOS_OK)
        fail_msg("%s", ipos_last_error());
    assert_int_equal(frame->channels[0].data[0], first_sample);
    ipos_frame_release(frame);
}

static void sequences(void **state) {
    (void)state;
    for (int i = 8; i <= 13; i++) {
        char name[32];
        snprintf(name, sizeof name, "a.%04d.png", i);
        if (i != 11)
            write_numbered(name, i);
    }
    static const struct {
        const char *pattern;
        int64_t first, last, count, missing;
    } cases[] = {{"a.%04d.png", 8, 13, 5, 11}, {"a.####.png", 8, 13, 5, 11}, {"a.#.png", 8, 13, 5, 11},
        {"a.[9-12].png", 9, 12, 3, 11}, {"a.[0009-0012].png", 9, 12, 3, 11}, {"", 8, 13, 5, 11}, {"a.[8-13x2].png", 8, 12, 3, 9}};
    for (size_t i = 0; i < IP_COUNT(cases); i++) {
        char *path = cases[i].pattern[0] ? in_folder(cases[i].pattern) : ip_strdup(folder);
        ip_media *media = open_ok(path);
        const ip_media_info *info = ip_media_info_of(media);
        assert_int_equal(info->first, cases[i].first);
        assert_int_equal(info->last, cases[i].last);
        assert_int_equal(info->count, cases[i].count);
        assert_int_equal(info->missing[0], cases[i].missing);
        assert_int_equal(info->count + (int64_t)info->missing_count, info->last - info->first + 1);
        assert_string_equal(info->format, "png");
        char *expected = in_folder("a.%04d.png"), *tenth = in_folder("a.0010.png"), *got = ip_media_frame_path(media, 10);
        assert_string_equal(info->pattern, expected);
        assert_string_equal(got, tenth);
        check_frame(media, 12, 12);
        check_frame(media, 10, 10);
        ipos_frame *frame = NULL;
        assert_int_equal(ip_media_read(media, 11, &frame), IPOS_ERR_NOT_FOUND);
        char *json = NULL;
        assert_int_equal(ip_media_json(media, &json), IPOS_OK);
        assert_non_null(strstr(json, "\"kind\":\"sequence\""));
        assert_non_null(strstr(json, "{\"name\":\"R\",\"type\":\"u8\"}"));
        ip_free(json);
        ip_free(expected);
        ip_free(tenth);
        ip_free(got);
        ip_media_close(media);
        ip_free(path);
    }
}

static void open_fails(const char *name, ipos_status expected, const char *text) {
    char *path = name[0] ? in_folder(name) : ip_strdup(folder);
    ip_media *media = NULL;
    assert_int_equal(ip_media_open(NULL, path, &media), expected);
    assert_null(media);
    if (!strstr(ipos_last_error(), text))
        fail_msg("\"%s\" does not say \"%s\"", ipos_last_error(), text);
    ip_free(path);
}

static void unclear_sequences(void **state) {
    (void)state;
    open_fails("", IPOS_ERR_NOT_FOUND, "neither");
    open_fails("x.%04d.png", IPOS_ERR_NOT_FOUND, "no such files");
    open_fails("x.png", IPOS_ERR_NOT_FOUND, "no such file");
    write_numbered("a.1.png", 1);
    write_numbered("a.2.png", 2);
    write_numbered("b.1.png", 3);
    open_fails("", IPOS_ERR_ARGUMENT, "b.#.png (1)");
    write_numbered("c.01.png", 1);
    write_numbered("c.002.png", 2);
    open_fails("c.#.png", IPOS_ERR_UNSUPPORTED, "padded");
    write_numbered("d.1.png", 1);
    write_numbered("d.100000000000.png", 2);
    open_fails("d.#.png", IPOS_ERR_UNSUPPORTED, "not one sequence");
    char *odd = in_folder("100%d.png");
    write_numbered("100%d.png", 77); /* a name that looks like a pattern is still a name */
    ip_media *media = open_ok(odd);
    check_frame(media, 0, 77);
    ip_media_close(media);
    ip_free(odd);
}

static void one_image(void **state) {
    (void)state;
    write_numbered("shot.0042.png", 42);
    char *path = in_folder("shot.0042.png"), *json = NULL;
    ip_media *media = open_ok(path);
    const ip_media_info *info = ip_media_info_of(media);
    assert_int_equal(info->first, 42);
    assert_int_equal(info->count, 1);
    check_frame(media, 42, 42);
    assert_int_equal(ip_media_json(media, &json), IPOS_OK);
    assert_non_null(strstr(json, "\"kind\":\"image\""));
    ip_free(json);
    ip_media_close(media);
    ip_free(path);
}

static void check_by_run_and_alone(ip_media *media, int number, int width) {
    ipos_frame *frame = NULL, *alone = NULL;
    if (ip_media_read(media, number, &frame) != IPOS_OK)
        fail_msg("%s", ipos_last_error());
    assert_int_equal(frame->data_window.width, width);
    char *path = ip_media_frame_path(media, number);
    void *bytes = NULL;
    size_t size = 0;
    assert_int_equal(ip_file_read(path, 1 << 20, &bytes, &size), IPOS_OK);
    if (ip_image_read(NULL, NULL, bytes, size, 0, &alone) != IPOS_OK)
        fail_msg("%s", ipos_last_error());
    assert_same_pixels(frame, alone);
    ip_free(bytes);
    ip_free(path);
    ipos_frame_release(frame);
    ipos_frame_release(alone);
}

static void dpx_sequence(void **state) {
    (void)state;
    const char *make = "/usr/bin/ffmpeg -v error -y -f lavfi -i testsrc2=size=%s:rate=24:duration=%s -pix_fmt gbrp10be "
                       "-start_number %d '%s/j_%%d.dpx'";
    shell(make, "64x48", "0.5", 95, folder);
    shell(make, "32x32", "0.04", 104, folder);
    shell("rm '%s/j_99.dpx'", folder);
    ip_media *media = open_ok(folder);
    const ip_media_info *info = ip_media_info_of(media);
    assert_false(info->movie);
    assert_string_equal(info->format, "dpx");
    assert_int_equal(info->bits, 10);
    assert_int_equal(info->sample_type, IPOS_U16);
    assert_int_equal(info->first, 95);
    assert_int_equal(info->last, 106);
    assert_int_equal(info->missing_count, 1);
    static const int order[] = {95, 96, 98, 97, 100, 101, 102, 103, 104, 105, 106};
    for (size_t i = 0; i < IP_COUNT(order); i++)
        check_by_run_and_alone(media, order[i], order[i] == 104 ? 32 : 64);
    ip_media_close(media);
}

static void grey_jpeg(void **state) {
    (void)state;
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &size);
    jpeg.image_width = 50;
    jpeg.image_height = 30;
    jpeg.input_components = 1;
    jpeg.in_color_space = JCS_GRAYSCALE;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 100, TRUE);
    jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (int y = 0; y < 30; y++) {
        uint8_t row[50];
        for (int x = 0; x < 50; x++)
            row[x] = (uint8_t)(x * 3 + y * 2);
        JSAMPROW rows = row;
        jpeg_write_scanlines(&jpeg, &rows, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    ipos_frame *frame = NULL;
    assert_int_equal(ip_image_read(NULL, NULL, bytes, size, 0, &frame), IPOS_OK);
    assert_int_equal(frame->channel_count, 1);
    assert_string_equal(frame->channels[0].name, "Y");
    for (int y = 0; y < 30; y++)
        for (int x = 0; x < 50; x++)
            assert_true(abs(frame->channels[0].data[y * frame->channels[0].row_stride + x] - (x * 3 + y * 2)) <= 1);
    ipos_frame_release(frame);
    hammer(bytes, size, 40, 300);
    free(bytes);
}

static void jpegs(void **state) {
    (void)state;
    static const struct {
        const char *pix_fmt;
        int channels;
        double tolerance; /* mean difference of 255 */
    } cases[] = {{"yuvj444p", 3, 1}, {"yuvj420p", 3, 8}};
    for (size_t i = 0; i < IP_COUNT(cases); i++) {
        shell("/usr/bin/ffmpeg -v error -y -f lavfi -i testsrc2=size=68x46:rate=24:duration=0.04 -pix_fmt %s -q:v 2 '%s/a.jpg' && "
              "/usr/bin/ffmpeg -v error -y -i '%s/a.jpg' -f rawvideo -pix_fmt %s '%s/a.raw'", cases[i].pix_fmt, folder, folder,
            "rgb24", folder);
        char *path = in_folder("a.jpg"), *raw_path = in_folder("a.raw");
        void *bytes = NULL, *raw = NULL;
        size_t size = 0, raw_size = 0;
        assert_int_equal(ip_file_read(path, 1 << 20, &bytes, &size), IPOS_OK);
        assert_int_equal(ip_file_read(raw_path, 1 << 20, &raw, &raw_size), IPOS_OK);
        ipos_frame *frame = NULL;
        assert_int_equal(ip_image_read(NULL, path, NULL, 0, 0, &frame), IPOS_OK);
        assert_int_equal(frame->channel_count, cases[i].channels);
        assert_int_equal(raw_size, 68 * 46 * cases[i].channels);
        double sum = 0; /* decoders may round, and smooth chroma, differently */
        for (int k = 0; k < 68 * 46; k++)
            for (int c = 0; c < cases[i].channels; c++)
                sum += abs((int)frame->channels[c].data[k / 68 * frame->channels[c].row_stride + k % 68] -
                           (int)((uint8_t *)raw)[k * cases[i].channels + c]);
        if (sum / (68 * 46 * cases[i].channels) > cases[i].tolerance)
            fail_msg("%s differs by %.2f", cases[i].pix_fmt, sum / (68 * 46 * cases[i].channels));
        ipos_frame_release(frame);
        hammer(bytes, size, 40, 300);
        frame = NULL;
        assert_int_equal(ip_image_read(NULL, NULL, bytes, size / 2, 0, &frame), IPOS_ERR_FORMAT);
        ip_free(bytes);
        ip_free(raw);
        ip_free(path);
        ip_free(raw_path);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {T(sequences), T(unclear_sequences), T(one_image), T(dpx_sequence), T(grey_jpeg), T(jpegs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
