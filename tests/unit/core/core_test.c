/* lib/core: errors, text, numbers, buffer, settings. */
#include "core.h"
#include <interpos/operation.h>

#include <float.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

/* AddressSanitizer's allocator fails like malloc instead of ending the program. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void test_error_text(void **state)
{
    (void)state;
    assert_int_equal(ip_fail(IPOS_ERR_FORMAT, "%s: value %d", "a.png", 7), IPOS_ERR_FORMAT);
    assert_string_equal(ipos_last_error(), "a.png: value 7");
    assert_int_equal(ip_fail_in(IPOS_ERR_IO, "clip %d", 3), IPOS_ERR_IO);
    assert_string_equal(ipos_last_error(), "clip 3: a.png: value 7");
    ip_fail(IPOS_ERR_FORMAT, "(memory): cut off");
    ip_fail_in(IPOS_ERR_FORMAT, "b.png");
    assert_string_equal(ipos_last_error(), "b.png: cut off");
    ip_fail(IPOS_ERR_IO, "clip 3: a.png: value 7");
    ip_fail(IPOS_ERR_IO, "again: %s", ipos_last_error()); /* its own text as an argument */
    assert_string_equal(ipos_last_error(), "again: clip 3: a.png: value 7");
    ip_fail(IPOS_ERR_IO, "bad \xff name \xc3");
    assert_string_equal(ipos_last_error(), "bad ? name ");
    char longer[5000];
    for (size_t i = 0; i + 3 < sizeof longer; i += 3)
        memcpy(longer + i, "\xe2\x82\xac", 4);
    for (int shift = 0; shift < 3; shift++) {
        ip_fail(IPOS_ERR_IO, "%.*s%s", shift, "ab", longer);
        assert_true(ip_utf8_ok(ipos_last_error()));
        assert_null(strchr(ipos_last_error(), '?'));
        assert_in_range(strlen(ipos_last_error()), 2040, 2047);
        ip_fail_in(IPOS_ERR_IO, "head");
        assert_in_range(strlen(ipos_last_error()), 2040, 2047);
        assert_true(ip_utf8_ok(ipos_last_error()));
    }
    assert_string_equal(ipos_status_name(IPOS_OK), "IPOS_OK");
    assert_string_equal(ipos_status_name(IPOS_ERR_TAMPERED), "IPOS_ERR_TAMPERED");
    assert_string_equal(ipos_status_name(IPOS_ERR_PERMISSION), "IPOS_ERR_PERMISSION");
    assert_string_equal(ipos_status_name(-16), "unknown status");
    assert_string_equal(ipos_status_name(1), "unknown status");
    assert_string_equal(ipos_status_name(INT32_MIN), "unknown status");
    assert_int_equal(ip_fail_errno(2, "x"), IPOS_ERR_NOT_FOUND);
    assert_string_equal(ipos_last_error(), "x: No such file or directory");
}

static void test_memory(void **state)
{
    (void)state;
    assert_null(ip_calloc(SIZE_MAX / 2, 4));
    assert_non_null(strstr(ipos_last_error(), "out of memory"));
    volatile size_t much = (size_t)1 << 62;
    assert_null(ip_alloc(much));
    void *block = ip_aligned_alloc(64, 100);
    assert_int_equal((uintptr_t)block % 64, 0);
    ip_free(block);
    block = ip_alloc(0);
    assert_non_null(block);
    ip_free(block);
    char *text = ip_format("%d-%s", 5, "x");
    assert_string_equal(text, "5-x");
    ip_free(text);
}

static void test_integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {{"0", 0}, {"-0", 0}, {"+5", 5}, {"007", 7}, {"9223372036854775807", INT64_MAX}, {"-9223372036854775808", INT64_MIN}};
    static const char *const bad[] = {"", "-", "+", " 1", "1 ", "1.0", "0x10", "9223372036854775808", "-9223372036854775809", "--1",
        "99999999999999999999999", "1e3", "\xd9\xa1"};
    int64_t value;
    for (size_t i = 0; i < IP_COUNT(good); i++) {
        assert_true(ip_parse_int(good[i].text, &value));
        assert_true(value == good[i].value);
    }
    for (size_t i = 0; i < IP_COUNT(bad); i++)
        assert_false(ip_parse_int(bad[i], &value));
}

static void check_reals(void)
{
    static const char *const bad[] = {"", ".", "-", "nan", "inf", "1e999", "0x1p3", "1,5", " 1", "1 ", "1e", "1.2.3", "infinity", "e5"};
    static const struct {
        double value;
        const char *text;
    } shortest[] = {{0.1, "0.1"}, {0.5, "0.5"}, {1.0 / 3, "0.3333333333333333"}, {1e300, "1e+300"}, {-2, "-2"}, {23.976, "23.976"},
        {0.30000000000000004, "0.30000000000000004"}, {5e-324, "4.94065645841247e-324"}, {DBL_MAX, "1.7976931348623157e+308"}};
    double value;
    for (size_t i = 0; i < IP_COUNT(bad); i++)
        assert_false(ip_parse_real(bad[i], &value));
    for (size_t i = 0; i < IP_COUNT(shortest); i++) {
        char text[32];
        ip_real_text(shortest[i].value, text);
        assert_string_equal(text, shortest[i].text);
        assert_true(ip_parse_real(text, &value) && value == shortest[i].value);
    }
    char *text = ip_format("%.2f", 1.5);
    assert_string_equal(text, "1.50");
    ip_free(text);
    ip_fail(IPOS_ERR_ARGUMENT, "%g", 2.5);
    assert_string_equal(ipos_last_error(), "2.5");
}

static void test_reals(void **state)
{
    (void)state;
    check_reals();
    uint64_t seed = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        double value, again;
        char text[32];
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        memcpy(&value, &seed, sizeof value);
        if (!isfinite(value))
            continue;
        ip_real_text(value, text);
        assert_true(ip_parse_real(text, &again) && again == value);
    }
}

/* A locale with a decimal comma, made here so that the test does not depend on which ones are installed. */
static void test_locale(void **state)
{
    (void)state;
    char folder[] = "/tmp/ip-locale-XXXXXX", command[200];
    if (!mkdtemp(folder))
        skip();
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >/dev/null 2>&1", folder);
    int made = system(command);
    setenv("LOCPATH", folder, 1);
    char *set = setlocale(LC_ALL, "de_DE.UTF-8");
    bool comma = set && localeconv()->decimal_point[0] == ',';
    if (comma) {
        check_reals();
        char host[16];
        snprintf(host, sizeof host, "%.1f", 1.5);
        assert_string_equal(host, "1,5"); /* the host's own printing is as it was */
    }
    setlocale(LC_ALL, "C");
    unsetenv("LOCPATH");
    snprintf(command, sizeof command, "rm -r %s", folder);
    if (system(command) != 0 || made != 0 || !comma)
        skip();
}

static void test_rationals(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t num, den;
    } good[] = {{"24", 24, 1}, {"23.976", 24000, 1001}, {"23.98", 24000, 1001}, {"29.97", 30000, 1001}, {"59.94", 60000, 1001},
        {"119.88", 120000, 1001}, {"47.952", 48000, 1001}, {"24000/1001", 24000, 1001}, {"21/2", 21, 2}, {"10.5", 21, 2},
        {"25.00", 25, 1}, {"24.0", 24, 1}, {"-3/6", -1, 2}, {"0.1", 1, 10}, {"-0.25", -1, 4}, {"12.5", 25, 2}, {"23.9", 239, 10}};
    static const char *const bad[] = {"", "/", "1/", "/2", "1/0", "1/-2", "1.5/2", "1e3", ".", "5.", "1..2", "24 ", "a", "1/2/3",
        "99999999999999999999", "0.1234567890123456", "1.-5"};
    ipos_rational value;
    for (size_t i = 0; i < IP_COUNT(good); i++) {
        assert_true(ip_parse_rational(good[i].text, &value));
        assert_true(value.num == good[i].num && value.den == good[i].den);
    }
    for (size_t i = 0; i < IP_COUNT(bad); i++)
        assert_false(ip_parse_rational(bad[i], &value));
    value = ip_reduce((ipos_rational){6, -4});
    assert_true(value.num == -3 && value.den == 2);
    value = ip_reduce((ipos_rational){0, 9});
    assert_true(value.num == 0 && value.den == 1);
}

static void test_names(void **state)
{
    (void)state;
    assert_true(ip_name_ok("A001_C003.v2-x"));
    assert_false(ip_name_ok(""));
    assert_false(ip_name_ok(".."));
    assert_false(ip_name_ok("-x"));
    assert_false(ip_name_ok("a/b"));
    assert_false(ip_name_ok("a b"));
    assert_false(ip_name_ok("\xc3\xa4"));
    char name[102];
    memset(name, 'a', 101);
    name[101] = 0;
    assert_false(ip_name_ok(name));
    name[100] = 0;
    assert_true(ip_name_ok(name));
    assert_true(ip_in_list("a, b ,c", "b"));
    assert_true(ip_in_list("a", "a"));
    assert_false(ip_in_list("abc,d", "ab"));
    assert_false(ip_in_list("", ""));
    assert_false(ip_in_list("a,,b", ""));
    assert_false(ip_in_list(NULL, "a"));
    assert_true(ip_utf8_ok("gr\xc3\xbc\xc3\x9f \xf0\x9f\x8e\xac"));
    assert_false(ip_utf8_ok("\xc0\x80"));
    assert_false(ip_utf8_ok("\xed\xa0\x80"));
    assert_false(ip_utf8_ok("\xf4\x90\x80\x80"));
    assert_false(ip_utf8_ok("\xe2\x82"));
}

static void test_buffer(void **state)
{
    (void)state;
    ip_buffer buffer = {0};
    char *empty = ip_buffer_take(&buffer);
    assert_string_equal(empty, "");
    ip_free(empty);
    for (int i = 0; i < 1000; i++)
        ip_buffer_printf(&buffer, "%d,", i);
    ip_buffer_add(&buffer, "\0x", 2);
    assert_int_equal(buffer.size, 10 + 90 * 2 + 900 * 3 + 1000 + 2);
    assert_memory_equal(buffer.data, "0,1,2,3,", 8);
    ip_buffer_add(&buffer, "y", SIZE_MAX / 2);
    assert_true(buffer.failed);
    ip_buffer_add(&buffer, "y", 1);
    assert_null(ip_buffer_take(&buffer));
    assert_null(buffer.data);
}

static const ip_option_spec specs[] = {
    {.name = "steps", .type = IPOS_OPTION_INT, .preset = "10", .minimum = 0, .maximum = 100, .unit = "steps"},
    {.name = "strength", .type = IPOS_OPTION_REAL, .preset = "0.5", .minimum = -1, .maximum = 1},
    {.name = "refine", .type = IPOS_OPTION_BOOL, .preset = "1"},
    {.name = "title", .type = IPOS_OPTION_TEXT},
    {.name = "method", .type = IPOS_OPTION_CHOICE, .preset = "full", .choices = "full,plain,average"},
};

static void test_options(void **state)
{
    (void)state;
    ip_option_values *v = ip_options_new(specs, IP_COUNT(specs));
    assert_int_equal(ip_options_int(v, "steps"), 10);
    assert_true(ip_options_real(v, "strength") == 0.5);
    assert_true(ip_options_bool(v, "refine"));
    assert_string_equal(ip_options_text(v, "title"), "");
    assert_null(ip_options_text(v, "nothing"));
    static const char *const good[][3] = {{"steps", "+007", "7"}, {"steps", "100", "100"}, {"strength", "-1.0", "-1"},
        {"strength", "1e-1", "0.1"}, {"refine", "off", "0"}, {"refine", "yes", "1"}, {"title", "Gr\xc3\xbc\xc3\x9f, x", "Gr\xc3\xbc\xc3\x9f, x"},
        {"title", "", ""}, {"method", "plain", "plain"}};
    for (size_t i = 0; i < IP_COUNT(good); i++) {
        assert_int_equal(ip_options_set(v, good[i][0], good[i][1]), IPOS_OK);
        assert_string_equal(ip_options_text(v, good[i][0]), good[i][2]);
    }
    static const char *const bad[][2] = {{"steps", "101"}, {"steps", "-1"}, {"steps", "1.5"}, {"steps", ""}, {"strength", "1.01"},
        {"strength", "nan"}, {"strength", "1,0"}, {"refine", "maybe"}, {"refine", "2"}, {"refine", ""}, {"title", "\xff"},
        {"method", "Plain"}, {"method", "full,plain"}, {"method", ""}, {"unknown", "1"}, {"", "1"}};
    for (size_t i = 0; i < IP_COUNT(bad); i++)
        assert_int_equal(ip_options_set(v, bad[i][0], bad[i][1]), IPOS_ERR_ARGUMENT);
    ip_options_set(v, "steps", "101");
    assert_string_equal(ipos_last_error(), "setting \"steps\": \"101\" is not a whole number from 0 to 100 steps");
    ip_options_set(v, "stepz", "1");
    assert_non_null(strstr(ipos_last_error(), "steps, strength, refine, title, method"));
    assert_int_equal(ip_options_int(v, "steps"), 100); /* a refused value leaves the old one */
    assert_int_equal(ip_options_set(v, "steps", NULL), IPOS_OK);
    assert_int_equal(ip_options_int(v, "steps"), 10);
    ip_options_free(v);
    ip_options_free(NULL);
}

/* Whatever the text, parsing answers; what it accepts is in range and reads back the same. */
static void test_options_random(void **state)
{
    (void)state;
    static const char alphabet[] = "0123456789+-.eE,/ x\xc3\xbc\xff%nainf";
    ip_option_values *v = ip_options_new(specs, IP_COUNT(specs));
    uint32_t seed = 12345;
    int accepted = 0;
    for (int i = 0; i < 200000; i++) {
        char text[24];
        size_t size = (seed = seed * 1664525u + 1013904223u) >> 29;
        for (size_t k = 0; k < size; k++)
            text[k] = alphabet[((seed = seed * 1664525u + 1013904223u) >> 8) % (sizeof alphabet - 1)];
        text[size] = 0;
        const ip_option_spec *spec = &specs[i % 5];
        ipos_rational rational;
        if (ip_parse_rational(text, &rational))
            assert_true(rational.den > 0);
        if (ip_options_set(v, spec->name, text) == IPOS_OK) {
            accepted++;
            char *kept = ip_strdup(ip_options_text(v, spec->name));
            assert_int_equal(ip_options_set(v, spec->name, kept), IPOS_OK);
            assert_string_equal(ip_options_text(v, spec->name), kept);
            ip_free(kept);
        } else
            assert_true(ip_utf8_ok(ipos_last_error()) && *ipos_last_error());
    }
    assert_true(accepted > 1000);
    assert_in_range(ip_options_int(v, "steps"), 0, 100);
    ip_options_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_error_text), cmocka_unit_test(test_memory), cmocka_unit_test(test_integers),
        cmocka_unit_test(test_reals), cmocka_unit_test(test_locale), cmocka_unit_test(test_rationals), cmocka_unit_test(test_names),
        cmocka_unit_test(test_buffer), cmocka_unit_test(test_options), cmocka_unit_test(test_options_random)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
