/* Engines that die, hang, lie and flood. The host lives, the job reports a status, the next job works. */
#include "fault_support.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void expect_failure(const char *how, const char *text)
{
    test_host host = {.engine = open_engine(IPOS_ENGINE_PROCESS, strcmp(how, "stop") ? 2 : 6)};
    assert_int_equal(run_job(&host, (test_job){.operation = "fault", .how = how}), IPOS_ERR_ENGINE);
    if (!strstr(ipos_last_error(), text))
        fail_msg("%s: \"%s\" does not say \"%s\"", how, ipos_last_error(), text);
    pid_t left;
    assert_int_equal(find_engines(getpid(), &left, 1), 0);
    host.emits = 0;
    host.last_done = 0;
    assert_int_equal(run_job(&host, (test_job){.operation = "copy"}), IPOS_OK);
    expect_copies(&host, FRAMES - 1);
    ip_engine_free(host.engine);
}

static void dies(void **state)
{
    (void)state;
    expect_failure("abort", "SIGABRT");
    expect_failure("crash", "SIGSEGV");
    expect_failure("exit", "exit code 3");
}

static void hangs(void **state)
{
    (void)state;
    expect_failure("hang", "it did no work for");
}

static void stops(void **state)
{
    (void)state;
    expect_failure("stop", "no sign of life");
}

static void talks_nonsense(void **state)
{
    (void)state;
    expect_failure("garbage", "expected \"IPE1\"");
    expect_failure("flood", "expected \"IPE1\"");
    expect_failure("giant", "length 2147483647");
    expect_failure("cut", "has gone");
    expect_failure("serial", "was expected");
}

static void describes_memory_it_has_not(void **state)
{
    (void)state;
    expect_failure("offset", "lies outside");
    expect_failure("size", "lies outside");
    expect_failure("reach", "reaches out of its block");
    expect_failure("reversed", "reaches out of its block");
    expect_failure("samples", "not multiples of a sample");
    expect_failure("huge", "\"row\" is");
}

static void prints_too_much(void **state)
{
    (void)state;
    test_host host = {.engine = open_engine(IPOS_ENGINE_PROCESS, 20)};
    assert_int_equal(run_job(&host, (test_job){.operation = "fault", .how = "print"}), IPOS_OK);
    assert_string_equal(last_log, "engine: prints too much, the rest is left out");
    ip_engine_free(host.engine);
}

static void wants_too_much_memory(void **state)
{
    (void)state;
    test_host host = {.engine = open_engine(IPOS_ENGINE_PROCESS, 20)};
    assert_int_equal(run_job(&host, (test_job){.operation = "fault", .how = "allocate"}), IPOS_ERR_NO_MEMORY);
    assert_int_equal(run_job(&host, (test_job){.operation = "copy"}), IPOS_OK);
    ip_engine_free(host.engine);
}

/* A frame the operation forgot costs the engine, not the host, and goes with it. */
static void forgets_frames(void **state)
{
    (void)state;
    int files = count_files();
    test_host host = {.engine = open_engine(IPOS_ENGINE_PROCESS, 20)};
    for (int i = 0; i < 3; i++) {
        host.last_done = 0;
        assert_int_equal(run_job(&host, (test_job){.operation = "fault", .how = "leak"}), IPOS_OK);
    }
    ip_engine_free(host.engine);
    assert_int_equal(count_files(), files);
}

static void *kill_later(void *user)
{
    int *delay = user;
    pid_t pid;
    double end = ip_now() + 5;
    sleep_ms(*delay);
    while (!find_engines(getpid(), &pid, 1) && ip_now() < end)
        sleep_ms(1);
    kill(pid, SIGKILL);
    return NULL;
}

static void killed_at_any_moment(void **state)
{
    (void)state;
    int failed = 0;
    test_host host = {.engine = open_engine(IPOS_ENGINE_PROCESS, 20)};
    for (int i = 0; i < 20; i++) {
        pthread_t killer;
        int delay = i * 13 % 90;
        assert_int_equal(pthread_create(&killer, NULL, kill_later, &delay), 0);
        host.last_done = 0;
        ipos_status status = run_job(&host, (test_job){.operation = "fault", .after = 1000000, .pause = 10});
        assert_true(status == IPOS_ERR_ENGINE || status == IPOS_OK);
        if (status == IPOS_ERR_ENGINE)
            assert_non_null(strstr(ipos_last_error(), "SIGKILL"));
        failed += status != IPOS_OK;
        pthread_join(killer, NULL);
        host.emits = 0;
        host.last_done = 0;
        assert_int_equal(run_job(&host, (test_job){.operation = "copy"}), IPOS_OK);
        expect_copies(&host, FRAMES - 1);
    }
    assert_true(failed >= 10);
    ip_engine_free(host.engine);
}

static void resumes_from_its_last_checkpoint(void **state)
{
    (void)state;
    enum { STEPS = 60, FAULT = 40 };
    test_host host = {.engine = open_engine(IPOS_ENGINE_PROCESS, 20)};
    test_job job = {.operation = "fault", .how = "abort", .after = FAULT, .pause = 5, .train = true, .steps = STEPS, .checkpoint_seconds = .02};
    assert_int_equal(run_job(&host, job), IPOS_ERR_ENGINE);
    assert_true(host.checkpoints >= 3);
    assert_in_range(host.checkpoint, 1, FAULT);
    assert_int_equal(host.models, 0);
    int64_t resumed_at = host.checkpoint;
    assert_true(FAULT - resumed_at < 30);
    job.how = "nothing";
    host.last_done = 0;
    assert_int_equal(run_job(&host, job), IPOS_OK);
    assert_int_equal(host.models, 1);
    assert_int_equal(host.model[0], STEPS);
    assert_int_equal(host.model[1], STEPS - resumed_at);
    ip_engine_free(host.engine);
}

static void *cancel_later(void *user)
{
    test_host *host = user;
    sleep_ms(300);
    atomic_store(&host->cancel.set, 1);
    return NULL;
}

static double cancelled_after(int mode, test_job job)
{
    pthread_t thread;
    test_host host = {.engine = open_engine(mode, 20)};
    double start = ip_now();
    assert_int_equal(pthread_create(&thread, NULL, cancel_later, &host), 0);
    assert_int_equal(run_job(&host, job), IPOS_ERR_CANCELLED);
    double taken = ip_now() - start - .3;
    pthread_join(thread, NULL);
    assert_int_equal(run_job(&host, job), IPOS_ERR_CANCELLED); /* the flag is still set: nothing is started */
    atomic_store(&host.cancel.set, 0);
    host.last_done = 0;
    host.emits = 0;
    assert_int_equal(run_job(&host, (test_job){.operation = "copy"}), IPOS_OK);
    expect_copies(&host, FRAMES - 1);
    ip_engine_free(host.engine);
    return taken;
}

static void cancels_quickly(void **state)
{
    (void)state;
    const test_job run = {.operation = "fault", .after = 1000000, .pause = 100};
    const test_job train = {.operation = "fault", .after = 1000000, .pause = 50, .train = true, .steps = 1000000, .checkpoint_seconds = 1};
    for (int mode = IPOS_ENGINE_PROCESS; mode <= IPOS_ENGINE_IN_PROCESS; mode++) {
        assert_true(cancelled_after(mode, run) < 1);
        assert_true(cancelled_after(mode, train) < 1);
    }
}

/* Told to stop, it does not: killed after the ten seconds it has. */
static void cancel_ends_a_hung_engine(void **state)
{
    (void)state;
    pthread_t thread;
    test_host host = {.engine = open_engine(IPOS_ENGINE_PROCESS, 120)};
    double start = ip_now();
    assert_int_equal(pthread_create(&thread, NULL, cancel_later, &host), 0);
    assert_int_equal(run_job(&host, (test_job){.operation = "fault", .how = "hang", .after = 0}), IPOS_ERR_CANCELLED);
    assert_true(ip_now() - start < 15);
    pthread_join(thread, NULL);
    pid_t left;
    assert_int_equal(find_engines(getpid(), &left, 1), 0);
    ip_engine_free(host.engine);
}

/* A thread cannot be killed: the host is told, the thread is left behind, the next job has an engine of its own. */
static void hangs_in_this_process(void **state)
{
    (void)state;
    test_host host = {.engine = open_engine(IPOS_ENGINE_IN_PROCESS, 2)};
    assert_int_equal(run_job(&host, (test_job){.operation = "fault", .how = "hang"}), IPOS_ERR_ENGINE);
    assert_non_null(strstr(ipos_last_error(), "its thread still runs"));
    host.emits = 0;
    host.last_done = 0;
    assert_int_equal(run_job(&host, (test_job){.operation = "copy"}), IPOS_OK);
    expect_copies(&host, FRAMES - 1);
    ip_engine_free(host.engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dies), cmocka_unit_test(hangs), cmocka_unit_test(stops), cmocka_unit_test(talks_nonsense),
        cmocka_unit_test(describes_memory_it_has_not), cmocka_unit_test(prints_too_much), cmocka_unit_test(wants_too_much_memory),
        cmocka_unit_test(forgets_frames), cmocka_unit_test(killed_at_any_moment), cmocka_unit_test(resumes_from_its_last_checkpoint),
        cmocka_unit_test(cancels_quickly), cmocka_unit_test(cancel_ends_a_hung_engine), cmocka_unit_test(hangs_in_this_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
