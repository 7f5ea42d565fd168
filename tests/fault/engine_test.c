/* Jobs that go well: both ways to run an engine, results, order, what the host must not notice. */
#include "fault_support.h"

#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void copy_in(int mode, bool plain)
{
    test_host host = {.engine = open_engine(mode, 60), .plain = plain};
    assert_int_equal(run_job(&host, (test_job){.operation = "copy"}), IPOS_OK);
    expect_copies(&host, FRAMES - 1);
    assert_int_equal(host.variants, 1);
    assert_true(host.progress_calls >= 1);
    assert_non_null(strstr(host.progress_json, "\"frames\":1"));
    assert_non_null(strstr(host.progress_json, "\"stage\":\"copying\""));
    ip_engine_free(host.engine);
}

static void copies_in_a_process(void **state)
{
    (void)state;
    copy_in(IPOS_ENGINE_PROCESS, false);
    copy_in(IPOS_ENGINE_PROCESS, true);
}

static void copies_in_this_process(void **state)
{
    (void)state;
    copy_in(IPOS_ENGINE_IN_PROCESS, false);
    copy_in(IPOS_ENGINE_IN_PROCESS, true);
    copy_in(IPOS_ENGINE_IN_PROCESS, true);
}

static void passes_frames_on(void **state)
{
    (void)state;
    test_host host = {.engine = open_engine(IPOS_ENGINE_PROCESS, 60)};
    assert_int_equal(run_job(&host, (test_job){.operation = "fault"}), IPOS_OK);
    expect_copies(&host, FRAMES - 1);
    assert_string_equal(host.evidence[3], host.hashes[3]);
    ip_engine_free(host.engine);
}

static ipos_frame *kept;

static ipos_status keep(void *user, const char *variant, ipos_rational time, double confidence, ipos_frame *picture, ipos_frame *evidence)
{
    (void)user, (void)variant, (void)time, (void)confidence, (void)evidence;
    if (!kept) {
        ipos_frame_retain(picture);
        kept = picture;
    }
    return IPOS_OK;
}

static ipos_status give(void *user, size_t clip, int64_t number, ipos_frame **out)
{
    (void)clip;
    *out = make_frame(((test_host *)user)->engine, number);
    return *out ? IPOS_OK : IPOS_ERR_NO_MEMORY;
}

/* A result outlives the job and the engine, and may be written to. */
static void results_stay(void **state)
{
    (void)state;
    char expected[65], found[65];
    test_host host = {.engine = open_engine(IPOS_ENGINE_PROCESS, 60)};
    const ip_op_clip clip = {.name = "A", .encoding = "srgb", .first = 0, .last = 3, .rate = {24, 1}};
    const ipos_rational times[] = {{1, 1}, {3, 2}};
    const ip_job job = {.operation = "copy", .clips = &clip, .clip_count = 1, .times = times, .time_count = 2, .user = &host, .fetch = give,
        .emit = keep};
    assert_int_equal(ip_engine_run(host.engine, &job), IPOS_OK);
    assert_int_equal(ip_engine_run(host.engine, &job), IPOS_OK);
    ip_engine_free(host.engine);
    frame_hash(0, expected);
    assert_true(ip_frame_hash(kept, found));
    assert_string_equal(found, expected);
    memset(kept->channels[0].data, 7, 16);
    ipos_frame_release(kept);
    kept = NULL;
}

static void reports_of_callbacks(void **state)
{
    (void)state;
    test_host host = {.engine = open_engine(IPOS_ENGINE_PROCESS, 60), .fetch_fails = IPOS_ERR_IO};
    assert_int_equal(run_job(&host, (test_job){.operation = "copy"}), IPOS_ERR_IO);
    assert_string_equal(ipos_last_error(), "frame 0 is on a broken disk");
    host.fetch_fails = 0;
    host.emit_fails = IPOS_ERR_IO;
    assert_int_equal(run_job(&host, (test_job){.operation = "copy"}), IPOS_ERR_IO);
    assert_string_equal(ipos_last_error(), "the disk is full");
    host.emit_fails = 0;
    host.stop_after = 1;
    host.progress_calls = 0;
    assert_int_equal(run_job(&host, (test_job){.operation = "copy"}), IPOS_ERR_CANCELLED);
    host.stop_after = 0;
    host.reenter = true;
    assert_int_equal(run_job(&host, (test_job){.operation = "copy", .frames = 1}), IPOS_OK);
    assert_int_equal(host.reentered, IPOS_ERR_STATE);
    host.reenter = false;
    assert_int_equal(run_job(&host, (test_job){.operation = "nonsense"}), IPOS_ERR_NOT_FOUND);
    assert_int_equal(run_job(&host, (test_job){.operation = "copy", .train = true}), IPOS_ERR_UNSUPPORTED);
    assert_int_equal(run_job(&host, (test_job){.operation = "fault", .frames = FRAMES + 1}), IPOS_ERR_NOT_FOUND);
    ip_engine_free(host.engine);
}

static void tells_what_it_is(void **state)
{
    (void)state;
    ip_engine *engine = open_engine(IPOS_ENGINE_PROCESS, 60);
    char *json = NULL;
    assert_int_equal(ip_engine_info(engine, false, &json), IPOS_OK);
    assert_non_null(strstr(json, "\"engine\":\""));
    assert_non_null(strstr(json, "\"device\":[\"cpu\"]"));
    assert_non_null(strstr(json, "\"threads\":1"));
    ip_free(json);
    ip_engine_free(engine);
}

static void *run_many(void *user)
{
    test_host *host = user;
    for (int i = 0; i < 10; i++) {
        host->emits = host->variants = 0;
        host->last_done = 0;
        if (run_job(host, (test_job){.operation = "copy"}) != IPOS_OK)
            return (void *)"failed";
    }
    return NULL;
}

static void two_at_once(int mode)
{
    test_host hosts[2] = {{.engine = open_engine(mode, 60)}, {.engine = open_engine(mode, 60), .plain = true}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(threads + i, NULL, run_many, hosts + i), 0);
    for (int i = 0; i < 2; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_null(result);
        expect_copies(hosts + i, FRAMES - 1);
        ip_engine_free(hosts[i].engine);
    }
}

static void two_engines_in_two_threads(void **state)
{
    (void)state;
    two_at_once(IPOS_ENGINE_PROCESS);
    two_at_once(IPOS_ENGINE_IN_PROCESS);
}

static void one_engine_for_two_threads(void **state)
{
    (void)state;
    ip_engine *engine = open_engine(IPOS_ENGINE_PROCESS, 60);
    test_host hosts[2] = {{.engine = engine}, {.engine = engine}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(threads + i, NULL, run_many, hosts + i), 0);
    for (int i = 0; i < 2; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_null(result);
    }
    ip_engine_free(engine);
}

static void leaves_nothing_open(void **state)
{
    (void)state;
    int files = count_files(), threads = count_threads();
    for (int mode = IPOS_ENGINE_PROCESS; mode <= IPOS_ENGINE_IN_PROCESS; mode++) {
        test_host host = {.engine = open_engine(mode, 60)};
        int running = 0;
        for (int i = 0; i < 50; i++) {
            host.emits = 0;
            host.last_done = 0;
            assert_int_equal(run_job(&host, (test_job){.operation = i % 2 ? "copy" : "fault"}), IPOS_OK);
            if (i == 0)
                running = count_files();
        }
        expect_copies(&host, FRAMES - 1);
        assert_int_equal(count_files(), running);
        /* Every frame that was lent has come back: a block of the first extent is free again. */
        ip_storage block;
        assert_int_equal(ip_engine_storage(host.engine, 4096, &block), IPOS_OK);
        assert_true(block.offset < 64 * 65536);
        block.release(&block, block.user);
        ip_engine_free(host.engine);
    }
    assert_int_equal(count_files(), files);
    assert_int_equal(count_threads(), threads);
}

static volatile sig_atomic_t pipe_signals;

static void on_pipe(int number)
{
    (void)number;
    pipe_signals++;
}

static void host_is_left_alone(void **state)
{
    (void)state;
    sigset_t before, after, wanted;
    char folder[4096], folder_after[4096];
    struct sigaction handlers[32], handler, own = {.sa_handler = on_pipe};
    sigaction(SIGPIPE, &own, NULL);
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &wanted, NULL);
    setenv("OMP_NUM_THREADS", "7", 1);
    size_t variables = 0, variables_after = 0;
    char *locale = strdup(setlocale(LC_ALL, NULL));
    assert_non_null(getcwd(folder, sizeof folder));
    for (char **entry = environ; *entry; entry++)
        variables++;
    for (int i = 1; i < 32; i++)
        sigaction(i, NULL, handlers + i);
    pthread_sigmask(SIG_SETMASK, NULL, &before);

    copy_in(IPOS_ENGINE_PROCESS, true);
    test_host host = {.engine = open_engine(IPOS_ENGINE_PROCESS, 60)};
    assert_int_equal(run_job(&host, (test_job){.operation = "fault", .how = "exit"}), IPOS_ERR_ENGINE);
    ip_engine_free(host.engine);
    copy_in(IPOS_ENGINE_IN_PROCESS, true);

    pthread_sigmask(SIG_SETMASK, NULL, &after);
    for (int i = 1; i < 32; i++) {
        sigaction(i, NULL, &handler);
        assert_ptr_equal(handler.sa_handler, handlers[i].sa_handler);
        assert_int_equal(sigismember(&before, i), sigismember(&after, i));
    }
    for (char **entry = environ; *entry; entry++)
        variables_after++;
    assert_int_equal(variables, variables_after);
    assert_string_equal(getenv("OMP_NUM_THREADS"), "7");
    assert_string_equal(locale, setlocale(LC_ALL, NULL));
    assert_non_null(getcwd(folder_after, sizeof folder_after));
    assert_string_equal(folder, folder_after);
    assert_int_equal(pipe_signals, 0);
    sigemptyset(&wanted);
    pthread_sigmask(SIG_SETMASK, &wanted, NULL);
    unsetenv("OMP_NUM_THREADS");
    signal(SIGPIPE, SIG_DFL);
    free(locale);
}

/* Engines hold nothing of the host's: no descriptor but their own seven. */
static void inherits_nothing(void **state)
{
    (void)state;
    int extra[2];
    assert_int_equal(pipe(extra), 0);
    test_host host = {.engine = open_engine(IPOS_ENGINE_PROCESS, 60)};
    assert_int_equal(run_job(&host, (test_job){.operation = "copy"}), IPOS_OK);
    pid_t pid;
    char path[64];
    assert_int_equal(find_engines(getpid(), &pid, 1), 1);
    for (int fd = 0; fd < 64; fd++) {
        snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
        assert_int_equal(access(path, F_OK) == 0 || readlink(path, (char[8]){0}, 8) > 0, fd < 7);
    }
    ip_engine_free(host.engine);
    assert_true(gone_within(pid, 2));
    close(extra[0]);
    close(extra[1]);
}

static void refused_after_fork(void **state)
{
    (void)state;
    test_host host = {.engine = open_engine(IPOS_ENGINE_PROCESS, 60)};
    assert_int_equal(run_job(&host, (test_job){.operation = "copy"}), IPOS_OK);
    ipos_frame *frame = make_frame(host.engine, 3);
    pid_t child = fork();
    if (child == 0) {
        ip_storage block;
        ipos_frame_release(frame); /* the parent's samples must survive that */
        int wrong = run_job(&host, (test_job){.operation = "copy"}) != IPOS_ERR_STATE;
        wrong |= ip_engine_storage(host.engine, 4096, &block) != IPOS_ERR_STATE;
        ip_engine_free(host.engine);
        _exit(wrong);
    }
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
    char expected[65], found[65];
    frame_hash(3, expected);
    assert_true(ip_frame_hash(frame, found));
    assert_string_equal(found, expected);
    ipos_frame_release(frame);
    host.emits = 0;
    host.last_done = 0;
    assert_int_equal(run_job(&host, (test_job){.operation = "copy"}), IPOS_OK);
    expect_copies(&host, FRAMES - 1);
    ip_engine_free(host.engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_in_a_process), cmocka_unit_test(copies_in_this_process), cmocka_unit_test(passes_frames_on),
        cmocka_unit_test(results_stay), cmocka_unit_test(reports_of_callbacks), cmocka_unit_test(tells_what_it_is),
        cmocka_unit_test(two_engines_in_two_threads), cmocka_unit_test(one_engine_for_two_threads), cmocka_unit_test(leaves_nothing_open),
        cmocka_unit_test(host_is_left_alone), cmocka_unit_test(inherits_nothing), cmocka_unit_test(refused_after_fork),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
