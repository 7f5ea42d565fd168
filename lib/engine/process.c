#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A copy above every number the child uses, so that no dup2 there overwrites a source still needed. */
static int move_up(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, 16);
}

static int add_files(posix_spawn_file_actions_t *files, const int source[5])
{
    int error = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    const int target[6] = {IP_FD_IN, IP_FD_OUT, IP_FD_CLIENT_POOL, IP_FD_ENGINE_POOL, STDOUT_FILENO, STDERR_FILENO};
    for (int i = 0; i < 6 && !error; i++)
        error = posix_spawn_file_actions_adddup2(files, source[IP_MIN(i, 4)], target[i]);
    return error ? error : posix_spawn_file_actions_addclosefrom_np(files, IP_FD_END);
}

static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    int error = posix_spawnattr_setsigdefault(attributes, &all);
    if (!error)
        error = posix_spawnattr_setsigmask(attributes, &none);
    if (!error)
        error = posix_spawnattr_setpgroup(attributes, 0);
    /* A process group of its own: Ctrl-C at a terminal is for the host, which then cancels in order. */
    return error ? error : posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
}

static int spawn(const char *path, char *const arguments[], char *const environment[], const int source[5], pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&files);
    if (error)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (!error) {
        error = add_files(&files, source);
        if (!error)
            error = set_attributes(&attributes);
        if (!error)
            error = posix_spawn(pid, path, &files, &attributes, arguments, environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&files);
    return error;
}

ipos_status ip_process_start(const char *path, int threads, const ip_ends *ends, ip_process *process)
{
    const int given[5] = {ends->in, ends->out, ends->client_pool, ends->engine_pool, ends->errors};
    int source[5], error = 0;
    char parent[24], count[16];
    *process = (ip_process){0, -1};
    snprintf(parent, sizeof parent, "%ld", (long)getpid());
    snprintf(count, sizeof count, "%d", threads);
    char *name = ip_strdup(path), serve[] = "--serve";
    char *const arguments[] = {name, serve, parent, count, NULL};
    char **environment = ip_environment_new(threads);
    for (int i = 0; i < 5; i++) {
        source[i] = move_up(given[i]);
        if (source[i] < 0 && !error)
            error = errno;
    }
    if (!error)
        error = name && environment ? spawn(path, arguments, environment, source, &process->pid) : ENOMEM;
    for (int i = 0; i < 5; i++)
        if (source[i] >= 0)
            close(source[i]);
    ip_environment_free(environment);
    ip_free(name);
    if (error) {
        process->pid = 0;
        return ip_fail(IPOS_ERR_ENGINE, "%s: cannot be started: %s", path, strerror(error));
    }
    process->handle = pidfd_open(process->pid, 0);
    return IPOS_OK;
}

static void send_kill(const ip_process *process)
{
    if (process->handle >= 0)
        pidfd_send_signal(process->handle, SIGKILL, NULL, 0);
    else
        kill(process->pid, SIGKILL);
}

/* True once there is nothing left to wait for. */
static bool reap(const ip_process *process, char text[96])
{
    siginfo_t info = {0};
    int result = process->handle >= 0 ? waitid(P_PIDFD, (id_t)process->handle, &info, WEXITED | WNOHANG)
                                      : waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG);
    if (result != 0 && errno == EINTR)
        return false;
    if (result != 0) {
        /* The host ignores SIGCHLD or waits for any child: how it ended is lost, that it ended need not be true yet. */
        bool gone = process->handle >= 0 ? pidfd_send_signal(process->handle, 0, NULL, 0) != 0 : kill(process->pid, 0) != 0;
        snprintf(text, 96, "it ended, how is not known (the host takes the status of its children)");
        return gone;
    }
    if (info.si_pid == 0)
        return false;
    const char *name = sigabbrev_np(info.si_status), *meaning = sigdescr_np(info.si_status);
    if (info.si_code == CLD_EXITED)
        snprintf(text, 96, "it ended with exit code %d", info.si_status);
    else
        snprintf(text, 96, "it was ended by SIG%s (%s)", name ? name : "?", meaning ? meaning : "unknown signal");
    return true;
}

void ip_process_end(ip_process *process, double patience, char text[96])
{
    const struct timespec pause = {0, 2000000};
    bool killed = false;
    snprintf(text, 96, "it was not running");
    if (process->pid == 0)
        return;
    double start = ip_now();
    while (!reap(process, text)) {
        double waited = ip_now() - start;
        if (waited >= patience && !killed) {
            send_kill(process);
            killed = true;
        }
        /* Uninterruptible sleep (a dead network disk) outlasts SIGKILL; the host does not wait for that. */
        if (waited >= patience + 5) {
            snprintf(text, 96, "it did not end after SIGKILL");
            break;
        }
        nanosleep(&pause, NULL);
    }
    if (killed)
        snprintf(text, 96, "it was killed");
    if (process->handle >= 0)
        close(process->handle);
    *process = (ip_process){0, -1};
}
