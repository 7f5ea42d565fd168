/* lib/core: files, paths, hashing, threads, clocks. */
#include "core.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/ip-core-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static char *in_folder(const char *name)
{
    return ip_path_join(folder, name);
}

static int entries(const char *path)
{
    int count = 0;
    DIR *dir = opendir(path);
    for (struct dirent *e; (e = readdir(dir));)
        count += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(dir);
    return count;
}

static void test_hash(void **state)
{
    (void)state;
    static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    char hex[65];
    uint64_t size;
    assert_true(ip_sha256_of("abc", 3, hex));
    assert_string_equal(hex, abc);
    assert_true(ip_sha256_of(NULL, 0, hex));
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    ip_sha256 *hash = ip_sha256_new();
    assert_true(ip_sha256_add(hash, "a", 1) && ip_sha256_add(hash, "bc", 2) && ip_sha256_end(hash, hex));
    assert_string_equal(hex, abc);
    char *path = in_folder("million");
    char *million = ip_alloc(1000000);
    memset(million, 'a', 1000000);
    assert_int_equal(ip_file_write(path, million, 1000000), IPOS_OK);
    assert_int_equal(ip_sha256_file(path, hex, &size), IPOS_OK);
    assert_int_equal(size, 1000000);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    assert_int_equal(ip_sha256_file("/nowhere/x", hex, NULL), IPOS_ERR_NOT_FOUND);
    assert_string_equal(hex, "");
    ip_free(million);
    unlink(path);
    ip_free(path);
}

static void test_files(void **state)
{
    (void)state;
    char *path = in_folder("file"), *pipe_path = in_folder("pipe");
    void *bytes;
    size_t size;
    assert_int_equal(ip_file_read(path, 0, &bytes, &size), IPOS_ERR_NOT_FOUND);
    assert_null(bytes);
    assert_int_equal(ip_file_write(path, "hello", 5), IPOS_OK);
    assert_int_equal(ip_file_write(path, "good-bye", 8), IPOS_OK);
    assert_int_equal(ip_file_read(path, 8, &bytes, &size), IPOS_OK);
    assert_int_equal(size, 8);
    assert_string_equal(bytes, "good-bye");
    ip_free(bytes);
    assert_int_equal(ip_file_read(path, 7, &bytes, &size), IPOS_ERR_NO_MEMORY);
    assert_null(bytes);
    assert_int_equal(entries(folder), 1);
    assert_int_equal(ip_file_write("/nowhere/x", "x", 1), IPOS_ERR_NOT_FOUND);
    assert_int_not_equal(ip_file_write(folder, "x", 1), IPOS_OK); /* a folder is in the way: nothing may be left behind */
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    assert_int_equal(ip_file_read(pipe_path, 0, &bytes, &size), IPOS_ERR_IO);
    assert_int_equal(ip_file_read(folder, 0, &bytes, &size), IPOS_ERR_IO);
    assert_int_equal(ip_file_read("/proc/self/status", 0, &bytes, &size), IPOS_OK); /* a file that says its size is 0 */
    assert_true(size > 100);
    ip_free(bytes);
    unlink(pipe_path);
    unlink(path);
    assert_int_equal(entries(folder), 0);
    ip_free(path);
    ip_free(pipe_path);
}

/* A disk that fills up in the middle: the old file stays, the temporary goes. */
static void test_full_disk(void **state)
{
    (void)state;
    char *path = in_folder("full");
    assert_int_equal(ip_file_write(path, "old", 3), IPOS_OK);
    struct rlimit before, small;
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 4096;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    char *block = ip_calloc(1, 100000);
    ipos_status status = ip_file_write(path, block, 100000);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(status, IPOS_ERR_IO);
    assert_non_null(strstr(ipos_last_error(), path));
    void *bytes;
    size_t size;
    assert_int_equal(ip_file_read(path, 0, &bytes, &size), IPOS_OK);
    assert_string_equal(bytes, "old");
    assert_int_equal(entries(folder), 1);
    ip_free(bytes);
    ip_free(block);
    unlink(path);
    ip_free(path);
}

static void test_modes(void **state)
{
    (void)state;
    char *path = in_folder("mode");
    struct stat info;
    mode_t before = umask(027);
    assert_int_equal(ip_file_write(path, "x", 1), IPOS_OK);
    umask(before);
    stat(path, &info);
    assert_int_equal(info.st_mode & 0777, 0640);
    chmod(path, 0604);
    assert_int_equal(ip_file_write(path, "y", 1), IPOS_OK);
    stat(path, &info);
    assert_int_equal(info.st_mode & 0777, 0604);
    unlink(path);
    ip_free(path);
}

static void test_paths(void **state)
{
    (void)state;
    char *deep = in_folder("a/b//c/"), *file = in_folder("a/b/file"), *under = in_folder("a/b/file/x");
    assert_int_equal(ip_make_folders(deep), IPOS_OK);
    assert_int_equal(ip_make_folders(deep), IPOS_OK);
    assert_int_equal(access(deep, F_OK), 0);
    assert_int_equal(ip_file_write(file, "", 0), IPOS_OK);
    assert_int_equal(ip_make_folders(under), IPOS_ERR_CONFLICT);
    assert_int_equal(ip_make_folders(""), IPOS_ERR_NOT_FOUND);
    static const char *const joins[][3] = {{"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"a", "/b", "/b"}, {"", "b", "b"}};
    for (size_t i = 0; i < IP_COUNT(joins); i++) {
        char *joined = ip_path_join(joins[i][0], joins[i][1]);
        assert_string_equal(joined, joins[i][2]);
        ip_free(joined);
    }
    static const char *const absolute[][2] = {{"/", "/"}, {"/x//y/./z/", "/x/y/z"}, {"/../x", "/x"}, {"/x/y/../z", "/x/z"}, {"//x/..", "/"}};
    for (size_t i = 0; i < IP_COUNT(absolute); i++) {
        char *path = ip_path_absolute(absolute[i][0]);
        assert_string_equal(path, absolute[i][1]);
        ip_free(path);
    }
    char here[4096], *path = ip_path_absolute("./new"), *link = in_folder("a/link"), *through = in_folder("a/link/../x");
    assert_non_null(getcwd(here, sizeof here));
    char *expected = ip_path_join(here, "new");
    assert_string_equal(path, expected);
    assert_int_equal(symlink(deep, link), 0);
    char *kept = ip_path_absolute(through);
    assert_string_equal(kept, through);
    char *all[] = {deep, file, under, path, link, through, expected, kept};
    for (size_t i = 0; i < IP_COUNT(all); i++)
        ip_free(all[i]);
}

typedef struct tally {
    atomic_int seen[1000];
    atomic_int calls, unblocked;
} tally;

static void count_range(void *user, int64_t begin, int64_t end)
{
    tally *t = user;
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    atomic_fetch_add(&t->calls, 1);
    if (!sigismember(&blocked, SIGUSR1))
        atomic_fetch_add(&t->unblocked, 1);
    for (int64_t i = begin; i < end; i++)
        atomic_fetch_add(&t->seen[i], 1);
}

static void test_parallel(void **state)
{
    (void)state;
    static const int counts[][3] = {{4, 1000, 7}, {1, 1000, 7}, {0, 10, 3}, {64, 1000, 1}, {1000, 5, 1}, {3, 1, 100}, {2, 0, 1}, {2, 100, 0}};
    for (size_t c = 0; c < IP_COUNT(counts); c++) {
        tally t = {0};
        ip_parallel(counts[c][0], counts[c][1], counts[c][2], count_range, &t);
        for (int i = 0; i < 1000; i++)
            assert_int_equal(t.seen[i], i < counts[c][1]);
    }
    tally t = {0};
    ip_parallel(4, INT64_C(1000), INT64_MAX, count_range, &t);
    assert_int_equal(t.calls, 1);
    assert_true(ip_processors() >= 1);
}

/* The linker puts this in the place of the C library's. */
static atomic_int threads_left = 1000;
int __real_pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*start)(void *), void *user);
int __wrap_pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*start)(void *), void *user);
int __wrap_pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*start)(void *), void *user)
{
    return atomic_fetch_sub(&threads_left, 1) > 0 ? __real_pthread_create(id, attr, start, user) : EAGAIN;
}

static void test_parallel_without_threads(void **state)
{
    (void)state;
    for (int allowed = 0; allowed < 3; allowed++) {
        tally t = {0};
        threads_left = allowed;
        ip_parallel(4, 1000, 10, count_range, &t);
        threads_left = 1000;
        for (int i = 0; i < 1000; i++)
            assert_int_equal(t.seen[i], 1);
        if (allowed == 0)
            assert_int_equal(t.unblocked, t.calls); /* all on this thread, whose signals nobody touched */
    }
}

static void note_signals(void *user, int64_t begin, int64_t end)
{
    count_range(user, begin, end);
    usleep(1000); /* so that every thread gets a piece */
}

static void test_parallel_signals(void **state)
{
    (void)state;
    tally t = {0};
    ip_parallel(4, 40, 1, note_signals, &t);
    assert_true(t.unblocked > 0 && t.unblocked < t.calls); /* the caller's pieces, and others with every signal blocked */
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    assert_false(sigismember(&blocked, SIGUSR1));
}

typedef struct errand {
    pthread_t caller;
    bool done, beside;
} errand;

static void run_errand(void *user)
{
    errand *e = user;
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    e->beside = !pthread_equal(pthread_self(), e->caller) && sigismember(&blocked, SIGUSR1);
    e->done = true;
}

static void test_later(void **state)
{
    (void)state;
    for (int allowed = 0; allowed < 2; allowed++) {
        errand e = {.caller = pthread_self()};
        threads_left = allowed;
        ip_later *later = ip_later_begin(run_errand, &e);
        threads_left = 1000;
        assert_int_equal(later != NULL, allowed);
        assert_true(allowed || e.done);
        ip_later_wait(later);
        assert_true(e.done);
        assert_int_equal(e.beside, allowed);
    }
}

static void *other_thread(void *user)
{
    (void)user;
    ip_fail(IPOS_ERR_IO, "theirs");
    return NULL;
}

static void test_error_per_thread(void **state)
{
    (void)state;
    pthread_t id;
    ip_fail(IPOS_ERR_IO, "ours");
    assert_int_equal(pthread_create(&id, NULL, other_thread, NULL), 0);
    pthread_join(id, NULL);
    assert_string_equal(ipos_last_error(), "ours");
}

static void test_time(void **state)
{
    (void)state;
    char text[32];
    ip_utc_text(text);
    assert_int_equal(strlen(text), 24);
    assert_int_equal(text[10], 'T');
    assert_int_equal(text[19], '.');
    assert_int_equal(text[23], 'Z');
    double before = ip_now();
    usleep(2000);
    assert_true(ip_now() - before >= 0.002);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hash), cmocka_unit_test(test_files), cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_modes), cmocka_unit_test(test_paths), cmocka_unit_test(test_parallel),
        cmocka_unit_test(test_parallel_without_threads), cmocka_unit_test(test_parallel_signals), cmocka_unit_test(test_later),
        cmocka_unit_test(test_error_per_thread), cmocka_unit_test(test_time)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
