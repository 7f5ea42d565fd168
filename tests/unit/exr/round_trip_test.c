/* Every compression with every sample type, scan lines and tiles, windows and sampling, there and back. */
#include "exr_make.h"

static const char *const lossless[] = {"none", "rle", "zips", "zip", "piz"};
static const char *const every[] = {"none", "rle", "zips", "zip", "piz", "pxr24", "b44", "b44a", "dwaa", "dwab"};
static const ipos_box windows[][2] = {
    {{0, 0, 37, 35}, {0, 0, 37, 35}},
    {{-17, -5, 64, 70}, {0, 0, 128, 64}},
    {{100, 200, 3, 300}, {90, 190, 50, 400}},
    {{5, -3, 1, 1}, {-10, -10, 30, 30}},
};

static void round_trip(const ipos_frame *frame, const char *compression, int tile) {
    ipos_frame *frames[] = {(ipos_frame *)(uintptr_t)frame};
    bytes file = write_exr(frames, 1, compression, tile);
    ipos_frame *back = read_exr(file, 0);
    expect_same_bits(frame, back);
    /* What was read writes the same file again, byte for byte. */
    bytes again = write_exr(&back, 1, NULL, 0);
    assert_int_equal(again.size, file.size);
    assert_memory_equal(again.data, file.data, file.size);
    ipos_frame_release(back);
    ip_free(file.data);
    ip_free(again.data);
}

static void each_lossless(const ipos_frame *frame) {
    for (size_t i = 0; i < IP_COUNT(lossless); i++) {
        round_trip(frame, lossless[i], 0);
        round_trip(frame, lossless[i], 16);
        round_trip(frame, lossless[i], 128);
    }
}

static void lossless_keeps_every_bit(void **unused) {
    static const ipos_channel mixed[] = {{"depth.Z", IPOS_F32, 1, 1}, {"B", IPOS_F16, 1, 1}, {"id", IPOS_U32, 1, 1}, {"A", IPOS_F16, 1, 1},
        {"G", IPOS_F16, 1, 1}, {"R", IPOS_F16, 1, 1}, {"matte", IPOS_U32, 1, 1}};
    (void)unused;
    for (size_t w = 0; w < IP_COUNT(windows); w++) {
        for (int fill = FILL_BITS; fill <= FILL_SMOOTH; fill++) {
            ipos_frame *frame = make_frame(windows[w][0], windows[w][1], mixed, IP_COUNT(mixed), fill);
            each_lossless(frame);
            ipos_frame_release(frame);
            for (int type = 0; type < 3; type++) {
                const int32_t types[] = {IPOS_F16, IPOS_F32, IPOS_U32};
                const ipos_channel one = {"Y", types[type], 1, 1};
                frame = make_frame(windows[w][0], windows[w][1], &one, 1, fill);
                each_lossless(frame);
                ipos_frame_release(frame);
            }
        }
    }
}

/* PXR24 shortens floats only; B44 packs halves only; DWA keeps ids and alpha. */
static void lossy_keeps_what_it_must(void **unused) {
    static const ipos_channel pxr24[] = {{"A", IPOS_F16, 1, 1}, {"id", IPOS_U32, 1, 1}};
    static const ipos_channel b44[] = {{"Z", IPOS_F32, 1, 1}, {"id", IPOS_U32, 1, 1}};
    static const ipos_channel dwa[] = {{"A", IPOS_F16, 1, 1}, {"id", IPOS_U32, 1, 1}};
    const ipos_box box = windows[1][0];
    ipos_frame *p = make_frame(box, box, pxr24, 2, FILL_BITS), *b = make_frame(box, box, b44, 2, FILL_BITS), *d = make_frame(box, box, dwa, 2, FILL_BITS);
    (void)unused;
    for (int tile = 0; tile <= 48; tile += 48) {
        round_trip(p, "pxr24", tile);
        round_trip(b, "b44", tile);
        round_trip(b, "b44a", tile);
        round_trip(d, "dwaa", tile);
        round_trip(d, "dwab", tile);
    }
    ipos_frame_release(p);
    ipos_frame_release(b);
    ipos_frame_release(d);
}

static void lossy_stays_close(void **unused) {
    static const ipos_channel rgb[] = {{"B", IPOS_F16, 1, 1}, {"G", IPOS_F16, 1, 1}, {"R", IPOS_F16, 1, 1}, {"deep.red", IPOS_F32, 1, 1}};
    (void)unused;
    for (size_t w = 0; w < IP_COUNT(windows); w++) {
        ipos_frame *frame = make_frame(windows[w][0], windows[w][1], rgb, 4, FILL_SMOOTH);
        for (size_t i = 5; i < IP_COUNT(every); i++) {
            for (int tile = 0; tile <= 32; tile += 32) {
                bytes file = write_exr(&frame, 1, every[i], tile);
                ipos_frame *back = read_exr(file, 0);
                const double worst = worst_difference(frame, back), allowed = i == 5 ? 1. / 32768 : i < 8 ? .02 : .01;
                if (worst > allowed)
                    fail_msg("%s, tiles %d: off by %g", every[i], tile, worst);
                ipos_frame_release(back);
                ip_free(file.data);
            }
        }
        ipos_frame_release(frame);
    }
}

static void subsampled_channels(void **unused) {
    static const ipos_channel luma[] = {{"BY", IPOS_F16, 2, 2}, {"RY", IPOS_F16, 2, 2}, {"Y", IPOS_F16, 1, 1}, {"mask", IPOS_U32, 4, 1}};
    static const ipos_channel third[] = {{"Y", IPOS_F16, 1, 1}, {"Z", IPOS_F32, 1, 3}};
    const ipos_box even = {-8, -6, 64, 70}, threes = {3, -3, 10, 45};
    ipos_frame *frame = make_frame(even, even, luma, 4, FILL_BITS);
    (void)unused;
    for (size_t i = 0; i < IP_COUNT(lossless); i++)
        round_trip(frame, lossless[i], 0);
    round_trip(frame, "pxr24", 0);
    const ipos_write_config tiles = {.struct_size = sizeof tiles, .format = "exr", .tile_width = 16};
    void *data = NULL;
    size_t size = 0;
    assert_int_equal(ip_image_write(&frame, 1, &tiles, NULL, &data, &size), IPOS_ERR_UNSUPPORTED);
    ipos_frame_release(frame);
    frame = make_frame(threes, threes, third, 2, FILL_BITS);
    for (size_t i = 0; i < 4; i++) /* lines of a chunk need not be a multiple of the sampling */
        round_trip(frame, lossless[i], 0);
    const ipos_write_config piz = {.struct_size = sizeof piz, .format = "exr", .compression = "piz"};
    assert_int_equal(ip_image_write(&frame, 1, &piz, NULL, &data, &size), IPOS_ERR_UNSUPPORTED);
    ipos_frame_release(frame);
}

static void line_orders(void **unused) {
    (void)unused;
    for (uint8_t order = 0; order <= 2; order++) {
        ipos_frame *frame = make_rgba(40, 100);
        assert_int_equal(ipos_frame_set_attribute(frame, "lineOrder", "lineOrder", &order, 1), IPOS_OK);
        for (int tile = 0; tile <= 16; tile += 16) {
            const uint8_t kept = order == 2 && !tile ? 0 : order; /* scan lines have no random order */
            bytes file = write_exr(&frame, 1, "zip", tile);
            ipos_frame *back = read_exr(file, 0);
            expect_same_bits(frame, back);
            expect_attribute(back, "lineOrder", "lineOrder", &kept, 1);
            ipos_frame_release(back);
            ip_free(file.data);
        }
        ipos_frame_release(frame);
    }
}

/* Frames of the host may be interleaved or upside down. */
static void wrapped_memory(void **unused) {
    static const ipos_channel rgb[] = {{"R", IPOS_F16, 1, 1}, {"G", IPOS_F16, 1, 1}, {"B", IPOS_F16, 1, 1}};
    static uint16_t samples[21][3 * 19];
    const ipos_box box = {0, 0, 19, 21};
    ipos_plane planes[3];
    ipos_frame *frame = NULL;
    (void)unused;
    for (size_t y = 0; y < IP_COUNT(samples); y++)
        for (size_t x = 0; x < IP_COUNT(samples[0]); x++)
            samples[y][x] = (uint16_t)next_random();
    for (int i = 0; i < 3; i++)
        planes[i] = (ipos_plane){&samples[20][i], -(ptrdiff_t)sizeof samples[0], 6};
    assert_int_equal(ip_frame_over(&box, NULL, rgb, planes, 3, NULL, NULL, &frame), IPOS_OK);
    for (size_t i = 0; i < IP_COUNT(lossless); i++) {
        bytes file = write_exr(&frame, 1, lossless[i], 0);
        ipos_frame *back = read_exr(file, 0);
        expect_same_bits(frame, back);
        ipos_frame_release(back);
        ip_free(file.data);
    }
    bytes file = write_exr(&frame, 1, "dwaa", 0);
    ipos_frame *back = read_exr(file, 0);
    expect_same_layout(frame, back);
    ipos_frame_release(back);
    ip_free(file.data);
    ipos_frame_release(frame);
}

static void refuses_what_exr_cannot_hold(void **unused) {
    static const ipos_channel eight = {"Y", IPOS_U8, 1, 1};
    const ipos_box box = {0, 0, 4, 4};
    ipos_frame *frame = NULL;
    void *data = NULL;
    size_t size = 0;
    (void)unused;
    assert_int_equal(ip_frame_new(&box, NULL, &eight, 1, NULL, NULL, &frame), IPOS_OK);
    ipos_write_config config = {.struct_size = sizeof config, .format = "exr"};
    assert_int_equal(ip_image_write(&frame, 1, &config, NULL, &data, &size), IPOS_ERR_UNSUPPORTED);
    assert_non_null(strstr(ipos_last_error(), "u8"));
    ipos_frame_release(frame);
    frame = make_rgba(4, 4);
    config.compression = "jpeg";
    assert_int_equal(ip_image_write(&frame, 1, &config, NULL, &data, &size), IPOS_ERR_ARGUMENT);
    assert_non_null(strstr(ipos_last_error(), "dwab"));
    ipos_frame_release(frame);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lossless_keeps_every_bit), cmocka_unit_test(lossy_keeps_what_it_must), cmocka_unit_test(lossy_stays_close),
        cmocka_unit_test(subsampled_channels), cmocka_unit_test(line_orders), cmocka_unit_test(wrapped_memory),
        cmocka_unit_test(refuses_what_exr_cannot_hold)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
