/* A host that runs out of memory at every single allocation of a job: a status, no crash, no leak, and the next job works. */
#include "fault_support.h"

#include <jansson.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);

static long until_failure = -1; /* allocations to go; -1: none fails */

static bool fails(void)
{
    if (until_failure < 0)
        return false;
    return until_failure-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return fails() ? NULL : __real_realloc(block, size);
}

/* fresh: a new handle, and so a new engine, for every try. */
static void run_until_it_succeeds(test_job job, bool fresh)
{
    test_host host = {.plain = true};
    long tried = 0;
    ipos_status status;
    do {
        const ip_engine_config config = {.path = getenv("INTERPOS_TEST_ENGINE"), .threads = 1, .watchdog_seconds = 20};
        until_failure = tried++;
        status = host.engine ? IPOS_OK : ip_engine_new(&config, &host.engine);
        host.checkpoint = 0;
        host.last_done = 0;
        if (status == IPOS_OK)
            status = run_job(&host, job);
        bool failed = until_failure < 0;
        until_failure = -1;
        if (status != IPOS_OK && status != IPOS_ERR_NO_MEMORY && status != IPOS_ERR_ENGINE && status != IPOS_ERR_FORMAT)
            fail_msg("allocation %ld: %d %s", tried, (int)status, ipos_last_error());
        /* An allocation that only something unimportant needed may fail without the job failing. */
        if (status == IPOS_OK && !failed)
            tried = -tried;
        if (host.engine) {
            host.emits = 0;
            host.last_done = 0;
            assert_int_equal(run_job(&host, (test_job){.operation = "copy", .frames = 1}), IPOS_OK);
            assert_int_equal(host.emits, 1);
        }
        if (fresh) {
            ip_engine_free(host.engine);
            host.engine = NULL;
        }
    } while (tried > 0 && tried < 5000);
    ip_engine_free(host.engine);
    print_message("%s: every one of %ld allocations failed once\n", job.operation, -tried - 1);
    assert_true(tried < -50);
}

static void running(void **state)
{
    (void)state;
    int files = count_files();
    run_until_it_succeeds((test_job){.operation = "copy", .frames = 1}, true);
    assert_int_equal(count_files(), files);
}

static void training(void **state)
{
    (void)state;
    int files = count_files();
    run_until_it_succeeds((test_job){.operation = "fault", .train = true, .steps = 2, .after = 100}, false);
    assert_int_equal(count_files(), files);
}

int main(void)
{
    json_set_alloc_funcs(malloc, free); /* so that the library's calls are counted too */
    const struct CMUnitTest tests[] = {cmocka_unit_test(running), cmocka_unit_test(training)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
