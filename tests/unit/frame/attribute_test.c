/* lib/frame: attributes and those with a type of their own. */
#include "frame.h"

#include <setjmp.h>

#include <cmocka.h>

static int setup(void **state)
{
    ipos_box box = {0, 0, 2, 2};
    ipos_channel channel = {"Y", IPOS_U8};
    return ip_frame_new(&box, NULL, &channel, 1, NULL, NULL, (ipos_frame **)state);
}

static int teardown(void **state)
{
    ipos_frame_release(*state);
    return 0;
}

static void test_attributes(void **state)
{
    ipos_frame *frame = *state, *other;
    char name[16];
    const char *got_name, *got_type;
    const void *bytes;
    size_t size;
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "a%d", i);
        assert_int_equal(ipos_frame_set_attribute(frame, name, "string", name, strlen(name)), IPOS_OK);
    }
    assert_int_equal(ipos_frame_set_attribute(frame, "a7", "opaque", "\0\1\2", 3), IPOS_OK);
    assert_int_equal(ipos_frame_set_attribute(frame, "a3", NULL, NULL, 0), IPOS_OK);
    assert_int_equal(ipos_frame_set_attribute(frame, "missing", NULL, NULL, 0), IPOS_OK);
    assert_int_equal(ipos_frame_set_attribute(frame, "empty", "string", "", 0), IPOS_OK);
    assert_int_equal(ipos_frame_attribute_count(frame), 50);
    assert_int_equal(ipos_frame_find_attribute(frame, "a3"), -1);
    assert_int_equal(ipos_frame_find_attribute(frame, "a2"), 2);
    assert_int_equal(ipos_frame_attribute(frame, 6, &got_name, &got_type, &bytes, &size), IPOS_OK);
    assert_string_equal(got_name, "a7");
    assert_string_equal(got_type, "opaque");
    assert_int_equal(size, 3);
    assert_memory_equal(bytes, "\0\1\2", 3);
    assert_int_equal(ipos_frame_set_attribute(frame, got_name, got_type, bytes, size), IPOS_OK); /* with itself */
    assert_memory_equal(ip_frame_attribute(frame, "a7")->bytes, "\0\1\2", 3);
    assert_int_equal(ipos_frame_attribute(frame, 50, &got_name, NULL, NULL, &size), IPOS_ERR_NOT_FOUND);
    assert_null(got_name);
    assert_int_equal(size, 0);
    assert_int_equal(ipos_frame_attribute(frame, 0, NULL, NULL, NULL, NULL), IPOS_OK);
    assert_int_equal(ipos_frame_set_attribute(frame, "x", "string", NULL, 1), IPOS_ERR_ARGUMENT);
    assert_int_equal(ipos_frame_set_attribute(frame, "", "string", "x", 1), IPOS_ERR_ARGUMENT);
    assert_int_equal(ipos_frame_set_attribute(frame, "x", "", "x", 1), IPOS_ERR_ARGUMENT);
    assert_int_equal(ipos_frame_set_attribute(NULL, "x", "string", "x", 1), IPOS_ERR_ARGUMENT);
    assert_int_equal(ip_frame_like(frame, IPOS_F32, NULL, NULL, &other), IPOS_OK);
    assert_int_equal(ipos_frame_attribute_count(other), 50);
    for (size_t i = 0; i < 50; i++) {
        assert_string_equal(other->attributes[i].name, frame->attributes[i].name);
        assert_string_equal(other->attributes[i].type, frame->attributes[i].type);
        assert_int_equal(other->attributes[i].size, frame->attributes[i].size);
        assert_memory_equal(other->attributes[i].bytes, frame->attributes[i].bytes, frame->attributes[i].size);
    }
    ipos_frame_release(other);
}

static void test_timecode(void **state)
{
    ipos_frame *frame = *state;
    ipos_timecode t = {17, 38, 59, 23, 1, 0xdeadbeef}, got;
    assert_int_equal(ipos_frame_timecode(frame, &got), IPOS_ERR_NOT_FOUND);
    assert_int_equal(ipos_frame_set_timecode(frame, &t), IPOS_OK);
    const ip_attribute *a = ip_frame_attribute(frame, "timeCode");
    assert_string_equal(a->type, "timecode");
    assert_memory_equal(a->bytes, "\x63\x59\x38\x17\xef\xbe\xad\xde", 8); /* what OpenEXR stores for this timecode */
    assert_int_equal(ipos_frame_timecode(frame, &got), IPOS_OK);
    assert_memory_equal(&got, &t, sizeof t);
    for (int i = 0; i < 24 * 60 * 60; i += 37) {
        t = (ipos_timecode){i / 3600, i / 60 % 60, i % 60, i % 40, i & 1, (uint32_t)i};
        assert_int_equal(ipos_frame_set_timecode(frame, &t), IPOS_OK);
        assert_int_equal(ipos_frame_timecode(frame, &got), IPOS_OK);
        assert_memory_equal(&got, &t, sizeof t);
    }
    static const ipos_timecode bad[] = {{24, 0, 0, 0, 0, 0}, {0, 60, 0, 0, 0, 0}, {0, 0, 60, 0, 0, 0}, {0, 0, 0, 40, 0, 0}, {-1, 0, 0, 0, 0, 0},
        {0, 0, 0, 0, 2, 0}};
    for (size_t i = 0; i < IP_COUNT(bad); i++)
        assert_int_equal(ipos_frame_set_timecode(frame, &bad[i]), IPOS_ERR_ARGUMENT);
    /* colour frame, field and binary group flags of the source stay */
    assert_int_equal(ipos_frame_set_attribute(frame, "timeCode", "timecode", "\xff\xff\xff\xff\0\0\0\0", 8), IPOS_OK);
    assert_int_equal(ipos_frame_timecode(frame, &got), IPOS_ERR_FORMAT);
    assert_int_equal(ipos_frame_set_timecode(frame, &(ipos_timecode){1, 2, 3, 4, 0, 5}), IPOS_OK);
    assert_memory_equal(ip_frame_attribute(frame, "timeCode")->bytes, "\x84\x83\x82\xc1\5\0\0\0", 8);
    assert_int_equal(ipos_frame_set_attribute(frame, "timeCode", "timecode", "\1\2\3\4", 4), IPOS_OK);
    assert_int_equal(ipos_frame_timecode(frame, &got), IPOS_ERR_FORMAT);
    assert_int_equal(ipos_frame_set_attribute(frame, "timeCode", "string", "01:00:00:00", 11), IPOS_OK);
    assert_int_equal(ipos_frame_timecode(frame, &got), IPOS_ERR_NOT_FOUND);
}

static void test_rate(void **state)
{
    ipos_frame *frame = *state;
    ipos_rational got;
    assert_int_equal(ipos_frame_rate(frame, &got), IPOS_ERR_NOT_FOUND);
    assert_int_equal(ipos_frame_set_rate(frame, &(ipos_rational){48000, 2002}), IPOS_OK);
    assert_memory_equal(ip_frame_attribute(frame, "framesPerSecond")->bytes, "\xc0\x5d\0\0\xe9\3\0\0", 8);
    assert_string_equal(ip_frame_attribute(frame, "framesPerSecond")->type, "rational");
    assert_int_equal(ipos_frame_rate(frame, &got), IPOS_OK);
    assert_true(got.num == 24000 && got.den == 1001);
    static const ipos_rational bad[] = {{0, 1}, {-24, 1}, {24, 0}, {INT64_C(1) << 40, 1}, {1, INT64_C(1) << 40}, {INT64_MIN, 1}};
    for (size_t i = 0; i < IP_COUNT(bad); i++)
        assert_int_equal(ipos_frame_set_rate(frame, &bad[i]), IPOS_ERR_ARGUMENT);
    assert_int_equal(ipos_frame_set_attribute(frame, "framesPerSecond", "rational", "\x18\0\0\0\0\0\0\0", 8), IPOS_OK);
    assert_int_equal(ipos_frame_rate(frame, &got), IPOS_ERR_FORMAT);
}

static void test_chromaticities(void **state)
{
    ipos_frame *frame = *state;
    ipos_chromaticities value = {0.713f, 0.293f, 0.165f, 0.83f, 0.128f, 0.044f, 0.32168f, 0.33767f}, got;
    assert_int_equal(ipos_frame_chromaticities(frame, &got), IPOS_ERR_NOT_FOUND);
    assert_int_equal(ipos_frame_set_chromaticities(frame, &value), IPOS_OK);
    assert_int_equal(ip_frame_attribute(frame, "chromaticities")->size, 32);
    assert_memory_equal(ip_frame_attribute(frame, "chromaticities")->bytes, &value, 32);
    assert_int_equal(ipos_frame_chromaticities(frame, &got), IPOS_OK);
    assert_memory_equal(&got, &value, sizeof got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_attributes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_timecode, setup, teardown), cmocka_unit_test_setup_teardown(test_rate, setup, teardown),
        cmocka_unit_test_setup_teardown(test_chromaticities, setup, teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
