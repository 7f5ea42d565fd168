/* Sound and malformed safetensors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "safetensors.h"

/* Refuses an allocation once so many have been given; negative: none. */
static long left = -1;
static bool refused;
static void *limited(size_t bytes)
{
    if (left == 0) {
        refused = true;
        return NULL;
    }
    left -= left > 0;
    return malloc(bytes ? bytes : 1);
}

static ipos_status count_up(void *user, size_t index, float *values, int64_t count)
{
    (void)user;
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)index * 100 + (float)i;
    return IPOS_OK;
}

static ipos_status refuse(void *user, size_t index, float *values, int64_t count)
{
    (void)user;
    (void)values;
    (void)count;
    return index == 1 ? ip_fail(IPOS_ERR_CANCELLED, "no") : IPOS_OK;
}

static const ip_st_source sources[] = {{"b.weight", 2, {2, 3}}, {"a", 1, {5}}, {"nothing", 2, {0, 4}}, {"one", 0, {0}}};

static void written_reads_back(void **state)
{
    (void)state;
    void *bytes;
    size_t size;
    ip_safetensors file;
    json_t *metadata = json_pack("{s:s}", "key", "value \"\xc3\xa4\"");
    assert_int_equal(ip_st_write(sources, IP_COUNT(sources), metadata, count_up, NULL, &bytes, &size), IPOS_OK);
    json_decref(metadata);
    assert_int_equal(ip_st_parse(bytes, size, &file), IPOS_OK);
    assert_int_equal(file.count, 4);
    assert_string_equal(ip_st_metadata(&file, "key"), "value \"\xc3\xa4\"");
    assert_null(ip_st_metadata(&file, "other"));
    assert_null(ip_st_find(&file, "__metadata__"));
    const ip_st_entry *a = ip_st_find(&file, "a");
    assert_true(a && a->rank == 1 && a->shape[0] == 5 && a->size == 20 && strcmp(a->dtype, "F32") == 0);
    float values[5];
    memcpy(values, a->bytes, sizeof values);
    assert_true(values[0] == 100 && values[4] == 104);
    assert_int_equal((file.entries[0].bytes - (const uint8_t *)bytes) % 64, 0);
    assert_int_equal(ip_st_find(&file, "one")->size, 4);
    assert_int_equal(ip_st_find(&file, "nothing")->size, 0);
    ip_st_free(&file);
    ip_st_free(&file);
    /* every shorter file is refused, and read within its bounds (a copy of its own shows that to the address sanitizer) */
    for (size_t n = 0; n < size; n++) {
        void *cut = malloc(n ? n : 1);
        memcpy(cut, bytes, n);
        assert_int_equal(ip_st_parse(cut, n, &file), IPOS_ERR_FORMAT);
        free(cut);
    }
    ip_free(bytes);
}

static void failures_while_writing(void **state)
{
    (void)state;
    void *bytes = (void *)1;
    size_t size = 1;
    assert_int_equal(ip_st_write(sources, IP_COUNT(sources), NULL, refuse, NULL, &bytes, &size), IPOS_ERR_CANCELLED);
    assert_null(bytes);
}

static ipos_status parse(uint64_t length, const char *header, size_t data, ip_safetensors *file, void **bytes)
{
    size_t text = strlen(header), size = 8 + text + data;
    uint8_t *whole = calloc(1, size);
    for (int i = 0; i < 8; i++)
        whole[i] = (uint8_t)(length >> 8 * i);
    memcpy(whole + 8, header, text);
    *bytes = whole;
    return ip_st_parse(whole, size, file);
}

static void expect(ipos_status wanted, const char *header, size_t data)
{
    ip_safetensors file;
    void *bytes;
    ipos_status got = parse(strlen(header), header, data, &file, &bytes);
    if (got != wanted)
        fail_msg("%s: %d, not %d (%s)", header, got, wanted, ipos_last_error());
    ip_st_free(&file);
    free(bytes);
}

static void malformed_headers(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "[]", "{", "{}x", "nothing", "{\"a\":1}", "{\"a\":{}}", "{\"a\":[]}", "{\"a\":null}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"more\":1}}",
        "{\"a\":{\"dtype\":\"F33\",\"shape\":[2],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":32,\"shape\":[2],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2,-1],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,2],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,12]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,\"8\"]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":8}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1000],\"data_offsets\":[0,4000]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[9223372036854775807],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,9223372036854775807]}}",
        /* a gap, an overlap, the same range twice, bytes left over */
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "{}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
        "{\"__metadata__\":[],\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
        "{\"__metadata__\":{\"k\":1},\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
        "{\"\xff\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
    };
    for (size_t i = 0; i < IP_COUNT(bad); i++)
        expect(IPOS_ERR_FORMAT, bad[i], 8);
    expect(IPOS_OK, "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8);
    expect(IPOS_OK, "{\"a\":{\"dtype\":\"BF16\",\"shape\":[2,2],\"data_offsets\":[0,8]},\"z\":{\"dtype\":\"I64\",\"shape\":[0],\"data_offsets\":[8,8]}}", 8);
    expect(IPOS_OK, "{}   ", 0);
}

static void malformed_lengths(void **state)
{
    (void)state;
    static const char header[] = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
    static const uint64_t lengths[] = {0, 1, 2, sizeof header - 2, sizeof header, sizeof header + 7, sizeof header + 8, 1 << 20, 1ull << 32, 1ull << 63,
        UINT64_MAX, UINT64_MAX - 7};
    ip_safetensors file;
    void *bytes;
    for (size_t i = 0; i < IP_COUNT(lengths); i++) {
        assert_int_equal(parse(lengths[i], header, 8, &file, &bytes), IPOS_ERR_FORMAT);
        assert_null(file.header);
        free(bytes);
    }
    assert_int_equal(ip_st_parse(NULL, 100, &file), IPOS_ERR_FORMAT);
}

static void deep_nesting(void **state)
{
    (void)state;
    size_t depth = 200000;
    char *header = malloc(depth + 6);
    memcpy(header, "{\"a\":", 5);
    memset(header + 5, '[', depth);
    header[depth + 5] = 0;
    expect(IPOS_ERR_FORMAT, header, 0);
    free(header);
}

/* Every single byte of a sound file changed to a few others: refused or read, never out of bounds. */
static void changed_bytes(void **state)
{
    (void)state;
    static const uint8_t values[] = {0, '"', '}', '9', '-', 0x80, 0xff};
    void *bytes;
    size_t size;
    assert_int_equal(ip_st_write(sources, IP_COUNT(sources), NULL, count_up, NULL, &bytes, &size), IPOS_OK);
    size_t accepted = 0;
    for (size_t i = 0; i < size; i++) {
        for (size_t k = 0; k < sizeof values; k++) {
            uint8_t *copy = malloc(size);
            ip_safetensors file;
            memcpy(copy, bytes, size);
            copy[i] = values[k];
            ipos_status status = ip_st_parse(copy, size, &file);
            assert_true(status == IPOS_OK || status == IPOS_ERR_FORMAT);
            for (size_t n = 0; n < file.count; n++) {
                assert_true(file.entries[n].bytes >= copy && file.entries[n].bytes + file.entries[n].size <= copy + size);
                accepted++;
            }
            ip_st_free(&file);
            free(copy);
        }
    }
    assert_true(accepted > 0);
    ip_free(bytes);
}

/* The JSON library out of memory at every one of its allocations. */
static void no_memory_anywhere(void **state)
{
    (void)state;
    void *bytes, *again;
    size_t size, again_size;
    ip_safetensors file;
    assert_int_equal(ip_st_write(sources, IP_COUNT(sources), NULL, count_up, NULL, &bytes, &size), IPOS_OK);
    json_set_alloc_funcs(limited, free);
    for (long place = 0; place < 3000; place++) {
        refused = false;
        left = place;
        ipos_status read = ip_st_parse(bytes, size, &file);
        assert_int_equal(read == IPOS_OK, !refused);
        ip_st_free(&file);
        left = place;
        ipos_status written = ip_st_write(sources, IP_COUNT(sources), NULL, count_up, NULL, &again, &again_size);
        assert_true(written == (again ? IPOS_OK : IPOS_ERR_NO_MEMORY));
        left = -1;
        if (again)
            assert_int_equal(again_size, size);
        ip_free(again);
        if (!refused && place > 50)
            break;
    }
    assert_false(refused);
    json_set_alloc_funcs(malloc, free);
    ip_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(written_reads_back), cmocka_unit_test(failures_while_writing),
        cmocka_unit_test(malformed_headers), cmocka_unit_test(malformed_lengths), cmocka_unit_test(deep_nesting), cmocka_unit_test(changed_bytes),
        cmocka_unit_test(no_memory_anywhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
