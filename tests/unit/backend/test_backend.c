#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "backend.h"
#include "core.h"

static const ip_backend_v1 *b;

static void about(void **state)
{
    (void)state;
    printf("%s %s, built %s %s, devices %d, threads %d\n", b->name, b->library_version(), b->built_with(), b->capability(), b->device_count(), b->threads());
    assert_int_equal(b->struct_size, sizeof(ip_backend_v1));
    const void *const *members = (const void *const *)(const void *)((const char *)b + 16);
    for (size_t i = 0; i < (sizeof *b - 16) / sizeof(void *); i++)
        assert_non_null(members[i]);
}

static void speed(void **state)
{
    (void)state;
    double inference = 0, training = 0;
    assert_int_equal(b->set_threads(1), IPOS_OK);
    assert_int_equal(b->measure(IP_DEVICE_CPU, .1, &inference, &training), IPOS_OK);
    assert_true(inference > .1 && training > .1);
    printf("1 thread: %.0f GFLOP/s inference, %.0f training\n", inference, training);
}

int main(void)
{
    b = ip_backend();
    if (!b) {
        fprintf(stderr, "%s\n", ipos_last_error());
        return 1;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(about), cmocka_unit_test(speed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
