/* The grammar of frame lists. */
#include "api.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static void expect(const char *text, const char *wanted)
{
    ip_times times;
    ip_buffer buffer = {0};

    assert_int_equal(ip_times_parse(text, &times), IPOS_OK);
    for (size_t i = 0; i < times.count; i++) {
        ip_buffer_printf(&buffer, i ? " %lld" : "%lld", (long long)times.at[i].num);
        if (times.at[i].den != 1)
            ip_buffer_printf(&buffer, "/%lld", (long long)times.at[i].den);
    }
    char *got = ip_buffer_take(&buffer);
    assert_string_equal(got, wanted);
    ip_free(got);
    ip_times_free(&times);
}

static void test_single(void **state)
{
    (void)state;
    expect("10", "10");
    expect("10.5", "21/2");
    expect("21/2", "21/2");
    expect("20/2", "10");
    expect("23.976", "2997/125"); /* a time, not a frame rate */
    expect("-3", "-3");
    expect("0", "0");
    expect("10.250", "41/4");
}

static void test_ranges(void **state)
{
    (void)state;
    expect("10-13", "10 11 12 13");
    expect("1-9x2", "1 3 5 7 9");
    expect("1-8x3", "1 4 7");
    expect("10-11x1/4", "10 41/4 21/2 43/4 11");
    expect("10-11x0.5", "10 21/2 11");
    expect("1.5-4", "3/2 5/2 7/2");
    expect("-2--1", "-2 -1");
    expect("-1-1", "-1 0 1");
    expect("5-5", "5");
}

static void test_mixed(void **state)
{
    (void)state;
    expect("20, 10-12 ,10.5", "10 21/2 11 12 20");
    expect("3,1,2,1,4/2", "1 2 3");
    expect("10-12x1/3,10-12x1/2", "10 31/3 21/2 32/3 11 34/3 23/2 35/3 12");
}

static void test_refused(void **state)
{
    static const char *const texts[] = {"", " ", ",", "1,", ",1", "a", "10-", "-", "10x2", "1-2x", "1-2x0", "1-2x-1", "1/0", "1.", ".5", "1-2-3",
        "1 2", "10--", "12345678901", "0-1000000", "1.123456", "1/123456", "1..2", "1e3", "0x10", "\xff"};
    ip_times times;

    (void)state;
    for (size_t i = 0; i < IP_COUNT(texts); i++) {
        assert_int_equal(ip_times_parse(texts[i], &times), IPOS_ERR_ARGUMENT);
        assert_null(times.at);
        assert_non_null(strstr(ipos_last_error(), "frames"));
    }
    assert_int_equal(ip_times_parse("20-10", &times), IPOS_ERR_ARGUMENT);
    assert_non_null(strstr(ipos_last_error(), "backwards"));
}

static void test_has(void **state)
{
    ip_times times;

    (void)state;
    assert_int_equal(ip_times_parse("10,10.5,12-20x2", &times), IPOS_OK);
    assert_true(ip_times_has(&times, 10));
    assert_true(ip_times_has(&times, 14));
    assert_false(ip_times_has(&times, 11));
    assert_false(ip_times_has(&times, 13));
    ip_times_free(&times);
    assert_false(ip_times_has(&times, 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_single), cmocka_unit_test(test_ranges), cmocka_unit_test(test_mixed),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_has)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
