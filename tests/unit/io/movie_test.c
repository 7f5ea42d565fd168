#include "media_test.h"
#include "child.h"
#include <dirent.h>
#include <signal.h>

static int open_descriptors(void) {
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
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

int main(void) {
    const struct CMUnitTest tests[] = {T(movies), T(encoding_is_tagged), T(prores), T(writer_refusals), T(movies_in_any_order),
        T(timecode_and_ten_bits), T(deep_rgb_is_invertible), T(broken_movies), T(hanging_and_missing_decoders),
        T(children_inherit_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
