/* Hosts that die, that treat their children oddly, and engines that are not there. Run again with an argument, this is such a host. */
#include "fault_support.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char self[4096];

/* A host with an engine at work. "forked": a child of it, which does nothing, holds every descriptor. */
static int be_host(const char *kind)
{
    test_host host = {.engine = open_engine(IPOS_ENGINE_PROCESS, 60)};
    if (run_job(&host, (test_job){.operation = "copy"}) != IPOS_OK)
        return 1;
    if (!strcmp(kind, "forked") && fork() == 0) {
        sleep_ms(4000); /* longer than the test looks */
        _exit(0);
    }
    host.last_done = 0;
    bool busy = !strcmp(kind, "busy");
    run_job(&host, (test_job){.operation = "fault", .how = busy ? "hang" : "nothing", .after = busy ? 0 : 1000000, .pause = 1000});
    return 0;
}

static pid_t start(const char *kind)
{
    pid_t pid;
    char name[] = "host", copy[16];
    snprintf(copy, sizeof copy, "%s", kind);
    char *arguments[] = {name, copy, NULL};
    assert_int_equal(posix_spawn(&pid, self, NULL, NULL, arguments, environ), 0);
    return pid;
}

static void engine_ends_with(const char *kind)
{
    pid_t host = start(kind), engine = 0;
    double end = ip_now() + 20;
    int status;
    while (!find_engines(host, &engine, 1) && ip_now() < end)
        sleep_ms(20);
    assert_true(engine > 0);
    sleep_ms(1000); /* well into its second job */
    assert_int_equal(kill(engine, 0), 0);
    kill(host, SIGKILL);
    double killed = ip_now();
    assert_int_equal(waitpid(host, &status, 0), host);
    assert_true(gone_within(engine, 2));
    print_message("%s host: engine gone after %.2f s\n", kind, ip_now() - killed);
}

static void engine_ends_with_its_host(void **state)
{
    (void)state;
    engine_ends_with("slow");
    engine_ends_with("busy");
    engine_ends_with("forked");
}

static void fails_with(const char *how, const char *text)
{
    test_host host = {.engine = open_engine(IPOS_ENGINE_PROCESS, 2)};
    assert_int_equal(run_job(&host, (test_job){.operation = "fault", .how = how}), IPOS_ERR_ENGINE);
    if (!strstr(ipos_last_error(), text))
        fail_msg("\"%s\" does not say \"%s\"", ipos_last_error(), text);
    host.last_done = host.emits = 0;
    assert_int_equal(run_job(&host, (test_job){.operation = "copy"}), IPOS_OK);
    expect_copies(&host, FRAMES - 1);
    double start_time = ip_now();
    ip_engine_free(host.engine);
    assert_true(ip_now() - start_time < 2);
}

static void reap_all(int number)
{
    int saved = errno;
    (void)number;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    errno = saved;
}

static void children_are_ignored(void **state)
{
    (void)state;
    signal(SIGCHLD, SIG_IGN);
    fails_with("abort", "how is not known");
    fails_with("hang", "it was killed");
    signal(SIGCHLD, reap_all);
    fails_with("abort", "it ended");
    fails_with("hang", "it was killed");
    signal(SIGCHLD, SIG_DFL);
}

static void no_engine(const char *path, ipos_status expected, const char *text)
{
    ip_engine *engine;
    const ip_engine_config config = {.path = path, .watchdog_seconds = 5};
    int files = count_files();
    assert_int_equal(ip_engine_new(&config, &engine), IPOS_OK);
    test_host host = {.engine = engine};
    assert_int_equal(run_job(&host, (test_job){.operation = "copy"}), expected);
    if (!strstr(ipos_last_error(), text))
        fail_msg("\"%s\" does not say \"%s\"", ipos_last_error(), text);
    ip_engine_free(engine);
    assert_int_equal(count_files(), files);
}

static void engines_that_are_none(void **state)
{
    (void)state;
    no_engine("/nonexistent/interpos-engine", IPOS_ERR_ENGINE, "/nonexistent/interpos-engine");
    no_engine("bin/interpos-engine", IPOS_ERR_ARGUMENT, "not absolute");
    no_engine("/bin/true", IPOS_ERR_ENGINE, "exit code 0");
    no_engine("/bin/cat", IPOS_ERR_ENGINE, "it has gone");
    no_engine("/etc/passwd", IPOS_ERR_ENGINE, "cannot be started");
    no_engine(NULL, IPOS_ERR_ENGINE, "not found in");
}

static void refuses_to_run_by_hand(void **state)
{
    (void)state;
    char command[4200], text[512] = "";
    snprintf(command, sizeof command, "%s 2>&1", getenv("INTERPOS_TEST_ENGINE"));
    FILE *output = popen(command, "r");
    size_t size = fread(text, 1, sizeof text - 1, output);
    text[size] = 0;
    int status = pclose(output);
    assert_int_equal(WEXITSTATUS(status), 2);
    assert_non_null(strstr(text, "started by libinterpos"));
}

static int be_conflict(void)
{
    if (!dlopen(getenv("INTERPOS_TEST_TORCH"), RTLD_NOW | RTLD_LOCAL))
        return 2;
    test_host host = {.engine = open_engine(IPOS_ENGINE_IN_PROCESS, 5)};
    ipos_status status = run_job(&host, (test_job){.operation = "copy"});
    bool both = strstr(ipos_last_error(), getenv("INTERPOS_TEST_TORCH")) && strstr(ipos_last_error(), getenv("INTERPOS_TEST_MODULE"));
    ip_engine_free(host.engine);
    return status == IPOS_ERR_CONFLICT && both ? 0 : 1;
}

static void another_libtorch_is_refused(void **state)
{
    (void)state;
    int status;
    pid_t pid = start("conflict");
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(int count, char **arguments)
{
    if (count > 1)
        return strcmp(arguments[1], "conflict") == 0 ? be_conflict() : be_host(arguments[1]);
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engine_ends_with_its_host), cmocka_unit_test(children_are_ignored), cmocka_unit_test(engines_that_are_none),
        cmocka_unit_test(refuses_to_run_by_hand), cmocka_unit_test(another_libtorch_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
