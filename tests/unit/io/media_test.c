#include "io_test.h"
#include "child.h"
#include "media_parts.h"
#include <dirent.h>
#include <jpeglib.h>
#include <signal.h>

static char *folder;

static char *in_folder(const char *name) {
    char *path = ip_path_join(folder, name);
    assert_non_null(path);
    return path;
}

static int set_up(void **state) {
    (void)state;
    folder = scratch_folder();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    remove_folder(folder);
    ip_free(folder);
    return 0;
}

static void shell(const char *format, ...) {
    char command[2000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    if (system(command) != 0)
        fail_msg("%s", command);
}

static int open_descriptors(void) {
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

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

static ip_media *open_ok(const char *path) {
    ip_media *media = NULL;
    if (ip_media_open(NULL, path, &media) != IPOS_OK)
        fail_msg("%s", ipos_last_error());
    return media;
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

static ipos_frame *movie_frame(int number, const char *channels, int32_t type) {
    ipos_frame *frame = make_frame(48, 32, channels, type);
    for (size_t c = 0; c < frame->channel_count; c++)
        for (int32_t y = 0; y < 32; y++)
            frame->channels[c].data[y * frame->channels[c].row_stride] ^= (uint8_t)(number * 5 + y);
    return frame;
}

static void check_movie_frame(ip_media *media, int number, const char *channels, int32_t type) {
    ipos_frame *expected = movie_frame(number, channels, type), *got = NULL;
    if (ip_media_read(media, number, &got) != IPOS_OK)
        fail_msg("%s", ipos_last_error());
    assert_same_pixels(expected, got);
    ipos_frame_release(expected);
    ipos_frame_release(got);
}

static void lossless_movie(const char *channels, int32_t type) {
    int before = open_descriptors();
    char *path = in_folder("m.mkv");
    ip_movie_writer *writer = NULL;
    assert_int_equal(ip_movie_create(NULL, path, (ipos_rational){24000, 1001}, &writer), IPOS_OK);
    for (int i = 0; i < 30; i++) {
        ipos_frame *frame = movie_frame(i, channels, type);
        if (ip_movie_add(writer, frame) != IPOS_OK)
            fail_msg("%s", ipos_last_error());
        ipos_frame_release(frame);
    }
    assert_int_not_equal(access(path, F_OK), 0); /* nothing there before the end */
    if (ip_movie_end(writer, true) != IPOS_OK)
        fail_msg("%s", ipos_last_error());
    ip_media *media = open_ok(path);
    const ip_media_info *info = ip_media_info_of(media);
    assert_true(info->movie);
    assert_string_equal(info->codec, "ffv1");
    assert_int_equal(info->count, 30);
    assert_int_equal(info->rate.num, 24000);
    assert_int_equal(info->rate.den, 1001);
    assert_int_equal(info->sample_type, type);
    static const int order[] = {0, 1, 2, 7, 3, 6, 5, 29, 28, 0, 19, 14, 15, 13, 1, 29};
    for (size_t i = 0; i < IP_COUNT(order); i++)
        check_movie_frame(media, order[i], channels, type);
    ipos_frame *frame = NULL;
    assert_int_equal(ip_media_read(media, 35, &frame), IPOS_ERR_NOT_FOUND);
    assert_true(info->count_exact);
    assert_int_equal(info->count, 30);
    assert_int_equal(ip_media_read(media, 30, &frame), IPOS_ERR_NOT_FOUND);
    check_movie_frame(media, 29, channels, type);
    ip_media_close(media);
    assert_int_equal(open_descriptors(), before);
    unlink(path);
    ip_free(path);
}

static void movies(void **state) {
    (void)state;
    lossless_movie("R,G,B", IPOS_U8);
    lossless_movie("R,G,B", IPOS_U16);
    lossless_movie("R,G,B,A", IPOS_U8);
    lossless_movie("Y", IPOS_U16);
    lossless_movie("Y", IPOS_U8);
}

static void encoding_is_tagged(void **state) {
    (void)state;
    static const char *const encodings[] = {"srgb", "rec709", "linear", "gamma2.2", ""};
    char *path = in_folder("e.mkv");
    for (size_t i = 0; i < IP_COUNT(encodings); i++) {
        ip_movie_writer *writer = NULL;
        ipos_frame *frame = make_frame(48, 32, "R,G,B", IPOS_U8);
        if (encodings[i][0])
            assert_int_equal(ipos_frame_set_encoding(frame, encodings[i]), IPOS_OK);
        assert_int_equal(ip_movie_create(NULL, path, (ipos_rational){25, 1}, &writer), IPOS_OK);
        assert_int_equal(ip_movie_add(writer, frame), IPOS_OK);
        assert_int_equal(ip_movie_end(writer, true), IPOS_OK);
        ipos_frame_release(frame);
        ip_media *media = open_ok(path);
        assert_string_equal(ip_media_info_of(media)->encoding, encodings[i]);
        ip_media_close(media);
    }
    ip_free(path);
}

static void prores(void **state) {
    (void)state;
    char *path = in_folder("m.mov");
    ip_movie_writer *writer = NULL;
    assert_int_equal(ip_movie_create(NULL, path, (ipos_rational){25, 1}, &writer), IPOS_OK);
    for (int i = 0; i < 5; i++) {
        ipos_frame *frame = make_frame(48, 32, "R,G,B", IPOS_U16);
        assert_int_equal(ip_movie_add(writer, frame), IPOS_OK);
        ipos_frame_release(frame);
    }
    assert_int_equal(ip_movie_end(writer, true), IPOS_OK);
    ip_media *media = open_ok(path);
    assert_string_equal(ip_media_info_of(media)->codec, "prores");
    assert_string_equal(ip_media_info_of(media)->format, "mov");
    assert_int_equal(ip_media_info_of(media)->count, 5);
    assert_int_equal(ip_media_info_of(media)->sample_type, IPOS_U16);
    ip_media_close(media);
    ip_free(path);
}

static void writer_refusals(void **state) {
    (void)state;
    char *path = in_folder("m.mkv"), *bad = in_folder("m.mp4");
    ip_movie_writer *writer = NULL;
    assert_int_equal(ip_movie_create(NULL, bad, (ipos_rational){25, 1}, &writer), IPOS_ERR_ARGUMENT);
    assert_int_equal(ip_movie_create(NULL, path, (ipos_rational){0, 1}, &writer), IPOS_ERR_ARGUMENT);
    assert_int_equal(ip_movie_create(NULL, path, (ipos_rational){25, 1}, &writer), IPOS_OK);
    ipos_frame *wide = make_frame(48, 32, "R,G,B", IPOS_F16), *good = make_frame(48, 32, "R,G,B", IPOS_U8),
               *small = make_frame(24, 32, "R,G,B", IPOS_U8);
    assert_int_equal(ip_movie_add(writer, wide), IPOS_ERR_UNSUPPORTED);
    assert_int_equal(ip_movie_add(writer, good), IPOS_OK);
    assert_int_equal(ip_movie_add(writer, small), IPOS_ERR_ARGUMENT);
    assert_int_equal(ip_movie_end(writer, false), IPOS_OK);
    shell("test -z \"$(ls -A '%s')\"", folder);
    /* An encoder that dies under our hands: a status, no SIGPIPE, the signal mask as it was. */
    sigset_t before, after;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    shell("printf '#!/bin/sh\\nexit 3\\n' > '%s/ffmpeg' && chmod +x '%s/ffmpeg'", folder, folder);
    char *fake = in_folder("ffmpeg");
    const ip_io_env env = {.ffmpeg_path = fake};
    assert_int_equal(ip_movie_create(&env, path, (ipos_rational){25, 1}, &writer), IPOS_OK);
    ipos_frame *large = make_frame(1500, 1500, "R,G,B", IPOS_U8);
    ipos_status status = IPOS_OK;
    for (int i = 0; i < 20 && status == IPOS_OK; i++)
        status = ip_movie_add(writer, large);
    assert_int_equal(status, IPOS_ERR_IO);
    assert_int_equal(ip_movie_end(writer, true), IPOS_ERR_STATE);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    assert_int_equal(sigismember(&before, SIGPIPE), sigismember(&after, SIGPIPE));
    assert_int_not_equal(access(path, F_OK), 0);
    ipos_frame_release(wide);
    ipos_frame_release(good);
    ipos_frame_release(small);
    ipos_frame_release(large);
    ip_free(fake);
    ip_free(bad);
    ip_free(path);
}

/* Entering in the middle of a stream with pictures that lean on others both ways, or without any index, gives the very frames that
 * reading from the beginning gives. */
static void random_access(const char *codec, const char *name) {
    enum { FRAMES = 130 };
    shell("/usr/bin/ffmpeg -v error -f lavfi -i testsrc2=size=96x64:rate=24 -frames:v %d %s '%s/%s'", FRAMES, codec, folder, name);
    char *path = in_folder(name), hashes[FRAMES][65], hash[65];
    ip_media *media = open_ok(path);
    ipos_frame *frame = NULL;
    for (int i = 0; i < FRAMES; i++) {
        assert_int_equal(ip_media_read(media, i, &frame), IPOS_OK);
        assert_true(ip_frame_hash(frame, hashes[i]));
        ipos_frame_release(frame);
    }
    ip_media_close(media);
    media = open_ok(path);
    static const int order[] = {129, 100, 60, 61, 3, 75, 129};
    for (size_t i = 0; i < IP_COUNT(order); i++) {
        assert_int_equal(ip_media_read(media, order[i], &frame), IPOS_OK);
        assert_true(ip_frame_hash(frame, hash));
        assert_string_equal(hash, hashes[order[i]]);
        ipos_frame_release(frame);
    }
    assert_int_equal(media->seek.count, strstr(name, ".avi") ? 0 : FRAMES);
    assert_int_equal(ip_media_read(media, FRAMES, &frame), IPOS_ERR_NOT_FOUND);
    assert_true(ip_media_info_of(media)->count_exact);
    assert_int_equal(ip_media_info_of(media)->count, FRAMES);
    ip_media_close(media);
    ip_free(path);
}

static void movies_in_any_order(void **state) {
    (void)state;
    random_access("-c:v mpeg4 -bf 2 -g 12", "a.mp4");
    random_access("-c:v prores_ks", "a.mov");
    random_access("-c:v mpeg4 -g 12", "a.avi");
}

static void timecode_and_ten_bits(void **state) {
    (void)state;
    shell("/usr/bin/ffmpeg -v error -f lavfi -i testsrc2=size=64x48:rate=30000/1001:duration=4 -vf "
          "setparams=color_primaries=bt709:color_trc=bt709 "
          "-c:v prores_ks -profile:v hq -timecode '00:00:58;20' '%s/t.mov'",
        folder);
    char *path = in_folder("t.mov");
    ip_media *media = open_ok(path);
    const ip_media_info *info = ip_media_info_of(media);
    assert_int_equal(info->bits, 10);
    assert_string_equal(info->encoding, "rec709");
    assert_true(info->has_timecode);
    ipos_frame *frame = NULL;
    ipos_timecode timecode;
    ipos_rational rate;
    assert_int_equal(ip_media_read(media, 39, &frame), IPOS_OK);
    assert_int_equal(ipos_frame_timecode(frame, &timecode), IPOS_OK);
    assert_int_equal(timecode.drop_frame, 1);
    assert_int_equal(timecode.seconds, 59);
    assert_int_equal(timecode.frames, 29);
    ipos_frame_release(frame);
    assert_int_equal(ip_media_read(media, 40, &frame), IPOS_OK);
    assert_int_equal(ipos_frame_timecode(frame, &timecode), IPOS_OK); /* ;00 and ;01 of a new minute do not exist */
    assert_int_equal(timecode.minutes, 1);
    assert_int_equal(timecode.seconds, 0);
    assert_int_equal(timecode.frames, 2);
    assert_int_equal(ipos_frame_rate(frame, &rate), IPOS_OK);
    assert_int_equal(rate.num, 30000);
    ipos_frame_release(frame);
    ip_media_close(media);
    ip_free(path);
}

static void deep_rgb_is_invertible(void **state) {
    (void)state;
    /* 10-bit RGB: each u16 is its 10 bits repeated, so >> 6 gives back what was stored. */
    shell(
        "/usr/bin/ffmpeg -v error -f lavfi -i testsrc2=size=64x48:rate=24:duration=0.5 -pix_fmt gbrp10le -c:v ffv1 '%s/d.mkv' && "
        "/usr/bin/ffmpeg -v error -i '%s/d.mkv' -f rawvideo -pix_fmt gbrp10le '%s/d.raw'",
        folder, folder, folder);
    char *path = in_folder("d.mkv"), *raw_path = in_folder("d.raw");
    void *raw = NULL;
    size_t size = 0;
    assert_int_equal(ip_file_read(raw_path, 1 << 24, &raw, &size), IPOS_OK);
    ip_media *media = open_ok(path);
    assert_int_equal(ip_media_info_of(media)->bits, 10);
    const uint16_t *at = (const uint16_t *)raw + 5 * 3 * 64 * 48; /* frame 5: G, B, R */
    ipos_frame *frame = NULL;
    assert_int_equal(ip_media_read(media, 5, &frame), IPOS_OK);
    static const char *const planes[] = {"G", "B", "R"};
    for (int p = 0; p < 3; p++) {
        const ip_channel *c = &frame->channels[ipos_frame_find_channel(frame, planes[p])];
        for (int y = 0; y < 48; y++) {
            for (int x = 0; x < 64; x++, at++) {
                uint16_t v;
                memcpy(&v, c->data + y * c->row_stride + x * c->pixel_stride, 2);
                assert_int_equal(v >> 6, *at);
                assert_int_equal(v & 63, *at >> 4);
            }
        }
    }
    ipos_frame_release(frame);
    ip_media_close(media);
    ip_free(raw);
    ip_free(path);
    ip_free(raw_path);
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

static void broken_movies(void **state) {
    (void)state;
    char *cut = in_folder("cut.mkv"), *junk = in_folder("junk.mov"), *text = in_folder("text.mov");
    shell("/usr/bin/ffmpeg -v error -f lavfi -i testsrc2=size=320x240:rate=24:duration=2 -c:v ffv1 -level 3 -slicecrc 1 "
          "'%s/whole.mkv' && "
          "head -c 60000 '%s/whole.mkv' > '%s' && printf 'no movie at all' > '%s' && cp '%s/whole.mkv' '%s' && "
          "printf 'XXXXXXXX' | dd of='%s' bs=1 seek=100000 conv=notrunc status=none",
        folder, folder, cut, text, folder, junk, junk);
    ip_media *media = NULL;
    assert_int_equal(ip_media_open(NULL, text, &media), IPOS_ERR_FORMAT);
    assert_non_null(strstr(ipos_last_error(), "text.mov"));
    const char *const damaged[] = {cut, junk};
    for (int i = 0; i < 2; i++) {
        ipos_status status = ip_media_open(NULL, damaged[i], &media);
        for (int64_t n = 0; status == IPOS_OK && n < 60; n++) {
            ipos_frame *frame = NULL;
            status = ip_media_read(media, n, &frame);
            ipos_frame_release(frame);
        }
        assert_int_equal(status, IPOS_ERR_FORMAT);
        assert_non_null(strstr(ipos_last_error(), damaged[i]));
        ip_media_close(media);
        media = NULL;
    }
    ip_free(cut);
    ip_free(junk);
    ip_free(text);
}

static void hanging_and_missing_decoders(void **state) {
    (void)state;
    ip_child child;
    const char *const sleeper[] = {"/bin/sleep", "100", NULL}, *const relative[] = {"sleep", "1", NULL},
                      *const none[] = {"/no/such/program", NULL};
    char byte;
    size_t got;
    assert_int_equal(ip_child_start(sleeper, -1, false, &child), IPOS_OK);
    pid_t pid = child.pid;
    assert_int_equal(ip_child_read(&child, &byte, 1, 0.3, NULL, &got), IPOS_ERR_IO);
    assert_non_null(strstr(ipos_last_error(), "hangs"));
    ip_child_kill(&child);
    assert_int_equal(kill(pid, 0), -1); /* killed and reaped */
    ip_cancel cancel;
    atomic_init(&cancel.set, 1);
    assert_int_equal(ip_child_start(sleeper, -1, false, &child), IPOS_OK);
    assert_int_equal(ip_child_read(&child, &byte, 1, 60, &cancel, &got), IPOS_ERR_CANCELLED);
    ip_child_kill(&child);
    assert_int_equal(ip_child_start(relative, -1, false, &child), IPOS_ERR_ARGUMENT);
    assert_int_equal(ip_child_start(none, -1, false, &child), IPOS_ERR_NOT_FOUND);
    char *text = in_folder("x.mov");
    shell("printf 'some bytes that are no picture' > '%s'", text);
    const ip_io_env env = {.ffmpeg_path = "/no/such/ffmpeg"};
    ip_media *media = NULL;
    assert_int_equal(ip_media_open(&env, text, &media), IPOS_ERR_NOT_FOUND);
    assert_non_null(strstr(ipos_last_error(), "/no/such/ffprobe"));
    ip_free(text);
}

static void children_inherit_nothing(void **state) {
    (void)state;
    ip_child child;
    char text[4096];
    size_t got;
    const char *const look[] = {"/bin/sh", "-c", "ls /proc/self/fd | wc -l; env | grep -c SECRET; cat", NULL};
    assert_int_equal(setenv("SECRET", "1", 1), 0);
    int open_here = dup(1);
    assert_int_equal(ip_child_start(look, -1, false, &child), IPOS_OK);
    assert_int_equal(ip_child_read(&child, text, sizeof text, 20, NULL, &got), IPOS_OK);
    assert_int_equal(ip_child_wait(&child, 20, NULL), 0);
    text[got] = 0;
    assert_string_equal(text, "4\n0\n"); /* 0, 1, 2 and the folder that ls reads; standard input is empty */
    close(open_here);
    unsetenv("SECRET");
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void) {
    const struct CMUnitTest tests[] = {T(sequences), T(unclear_sequences), T(one_image), T(movies), T(encoding_is_tagged),
        T(prores), T(writer_refusals), T(movies_in_any_order), T(timecode_and_ten_bits), T(deep_rgb_is_invertible),
        T(dpx_sequence), T(grey_jpeg), T(jpegs), T(broken_movies), T(hanging_and_missing_decoders), T(children_inherit_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
