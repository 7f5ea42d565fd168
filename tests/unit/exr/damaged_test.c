/* Files cut short, bits turned, and sizes that lie: a status and a text, no crash, no memory for nothing. */
#include "exr_make.h"
#include <stdlib.h>

static const char *const every[] = {"none", "rle", "zips", "zip", "piz", "pxr24", "b44", "b44a", "dwaa", "dwab"};

static bytes sample(const char *compression, int tile) {
    static const ipos_channel channels[] = {{"A", IPOS_F16, 1, 1}, {"B", IPOS_F16, 1, 1}, {"G", IPOS_F16, 1, 1}, {"R", IPOS_F16, 1, 1}, {"Z", IPOS_F32, 1, 1}};
    const ipos_box box = {-3, 2, 33, 41};
    ipos_frame *frame = make_frame(box, box, channels, 5, FILL_SMOOTH);
    bytes file = write_exr(&frame, 1, compression, tile);
    ipos_frame_release(frame);
    return file;
}

static bool expected(ipos_status status) {
    return status == IPOS_OK || status == IPOS_ERR_FORMAT || status == IPOS_ERR_UNSUPPORTED || status == IPOS_ERR_NO_MEMORY;
}

static void cut_short(void **unused) {
    (void)unused;
    for (size_t i = 0; i < IP_COUNT(every); i++) {
        bytes file = sample(every[i], i % 2 ? 16 : 0);
        for (size_t n = 0; n < file.size; n += n < 600 ? 1 : 37) {
            uint8_t *copy = malloc(n ? n : 1); /* of exactly that size, so that reading past it is seen */
            assert_non_null(copy);
            memcpy(copy, file.data, n);
            const ipos_status status = try_exr(copy, n, 0);
            if (status != IPOS_ERR_FORMAT)
                fail_msg("%s cut to %zu of %zu bytes: status %d", every[i], n, file.size, status);
            free(copy);
        }
        ip_free(file.data);
    }
}

static void bits_turned(void **unused) {
    (void)unused;
    for (size_t i = 0; i < IP_COUNT(every); i++) {
        for (int tile = 0; tile <= 16; tile += 16) {
            bytes file = sample(every[i], tile);
            uint8_t *copy = malloc(file.size);
            assert_non_null(copy);
            for (size_t at = 4; at < file.size; at += at < 500 ? 1 : 1 + next_random() % 97) {
                memcpy(copy, file.data, file.size);
                copy[at] ^= (uint8_t)(at % 3 == 0 ? 0xff : 1u << (at % 8));
                const ipos_status status = try_exr(copy, file.size, 0);
                if (!expected(status))
                    fail_msg("%s with byte %zu changed: status %d", every[i], at, status);
            }
            free(copy);
            ip_free(file.data);
        }
    }
}

static uint8_t *find(bytes file, const char *name, const char *type) {
    char both[80];
    const int n = snprintf(both, sizeof both, "%s%c%s", name, 0, type) + 1;
    uint8_t *at = memmem(file.data, file.size, both, (size_t)n);
    assert_non_null(at);
    return at + n + 4;
}

static void put32(uint8_t *at, int32_t value) {
    memcpy(at, &value, 4);
}

/* A few hundred bytes that claim gigabytes are refused before memory is asked for. */
static void sizes_that_lie(void **unused) {
    static const struct {
        int32_t box[4];
    } claims[] = {{{0, 0, 1 << 29, 40}}, {{0, 0, 32, 1 << 29}}, {{0, 0, 1 << 29, 1 << 29}}, {{-1073741823, -1073741823, 1073741823, 1073741823}},
        {{5, 5, 4, 4}}, {{INT32_MIN, INT32_MIN, INT32_MAX, INT32_MAX}}};
    (void)unused;
    for (size_t i = 0; i < IP_COUNT(every); i++) {
        for (int tile = 0; tile <= 16; tile += 16) {
            bytes file = sample(every[i], tile);
            for (size_t k = 0; k < IP_COUNT(claims); k++) {
                memcpy(find(file, "dataWindow", "box2i"), claims[k].box, 16);
                const ipos_status status = try_exr(file.data, file.size, 0);
                assert_true(status != IPOS_OK && expected(status));
            }
            ip_free(file.data);
        }
    }
    bytes file = sample("zip", 16);
    uint8_t *tiles = find(file, "tiles", "tiledesc");
    static const int32_t sizes[] = {0, -1, INT32_MIN, INT32_MAX, 1};
    for (size_t k = 0; k < IP_COUNT(sizes); k++) {
        put32(tiles, sizes[k]);
        assert_int_equal(try_exr(file.data, file.size, 0), IPOS_ERR_FORMAT);
    }
    ip_free(file.data);
}

static void memory_limit_holds(void **unused) {
    ipos_frame *frame = make_rgba(512, 512); /* 2 MiB */
    bytes file = write_exr(&frame, 1, "zip", 0);
    ip_io_env env = {.memory_limit = 1 << 20};
    ipos_frame *back = NULL;
    (void)unused;
    assert_int_equal(ip_image_read(&env, NULL, file.data, file.size, 0, &back), IPOS_ERR_NO_MEMORY);
    assert_null(back);
    env.memory_limit = 8 << 20;
    assert_int_equal(ip_image_read(&env, NULL, file.data, file.size, 0, &back), IPOS_OK);
    ipos_frame_release(back);
    ip_cancel cancel;
    atomic_init(&cancel.set, 1);
    env.cancel = &cancel;
    assert_int_equal(ip_image_read(&env, NULL, file.data, file.size, 0, &back), IPOS_ERR_CANCELLED);
    ip_free(file.data);
    ipos_frame_release(frame);
}

static void chunk_table_is_checked(void **unused) {
    bytes file = sample("none", 0);
    uint64_t first = 0;
    (void)unused;
    /* The table follows the header's end, and its first entry points right behind it. */
    const uint64_t table_bytes = 41 * 8;
    size_t at = 0;
    for (at = 8; at + 8 < file.size; at++) {
        memcpy(&first, file.data + at, 8);
        if (first == at + table_bytes)
            break;
    }
    assert_true(at + 8 < file.size);
    const uint64_t lies[] = {0, 4, file.size, file.size - 1, file.size - 8, UINT64_MAX, UINT64_MAX - 7, first + 1, (uint64_t)INT64_MAX};
    for (size_t k = 0; k < IP_COUNT(lies); k++) {
        memcpy(file.data + at, &lies[k], 8);
        assert_int_equal(try_exr(file.data, file.size, 0), IPOS_ERR_FORMAT);
    }
    /* Two entries for one chunk. */
    memcpy(file.data + at, &first, 8);
    assert_int_equal(try_exr(file.data, file.size, 0), IPOS_OK);
    memcpy(file.data + at + 8, &first, 8);
    assert_int_equal(try_exr(file.data, file.size, 0), IPOS_ERR_FORMAT);
    ip_free(file.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(cut_short), cmocka_unit_test(bits_turned), cmocka_unit_test(sizes_that_lie),
        cmocka_unit_test(memory_limit_holds), cmocka_unit_test(chunk_table_is_checked)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
