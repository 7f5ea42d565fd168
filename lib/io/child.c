#include "child.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void ip_child_blank(ip_child *child) {
    memset(child, 0, sizeof *child);
    child->pidfd = child->in = child->out = child->err = -1;
}

static void close_fd(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Above 2, so that the child's dup2 calls cannot trample one another where the host runs with its standard streams closed. */
static int lift(int fd) {
    if (fd < 0 || fd > 2)
        return fd;
    int high = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    close(fd);
    return high;
}

static bool make_pipe(int ends[2]) {
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    ends[0] = lift(ends[0]);
    ends[1] = lift(ends[1]);
    if (ends[0] >= 0 && ends[1] >= 0)
        return true;
    close_fd(&ends[0]);
    close_fd(&ends[1]);
    return false;
}

static int spawn(const char *const *argv, int in, int out, int err, pid_t *pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    char *const environment[] = {(char[]){"LC_ALL=C"}, (char[]){"AV_LOG_FORCE_NOCOLOR=1"}, NULL};
    if (posix_spawn_file_actions_init(&actions) != 0)
        return ENOMEM;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    int error = in >= 0 ? posix_spawn_file_actions_adddup2(&actions, in, 0)
                        : posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (!error)
        error = posix_spawn_file_actions_adddup2(&actions, out, 1);
    if (!error)
        error = posix_spawn_file_actions_adddup2(&actions, err, 2);
    if (!error)
        error = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (!error)
        error = posix_spawnattr_setsigmask(&attributes, &none);
    if (!error)
        error = posix_spawnattr_setsigdefault(&attributes, &all);
    if (!error)
        error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (!error)
        error = posix_spawn(pid, argv[0], &actions, &attributes, (char *const *)(uintptr_t)argv, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

ipos_status ip_child_start(const char *const *argv, int input, bool feed, ip_child *child) {
    ip_child_blank(child);
    int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1};
    ipos_status status = IPOS_OK;
    if (argv[0][0] != '/')
        status = ip_fail(IPOS_ERR_ARGUMENT, "%s: not an absolute path", argv[0]);
    else if ((feed && !make_pipe(in)) || !make_pipe(out) || !make_pipe(err))
        status = ip_fail(IPOS_ERR_IO, "no pipe could be made: %s", strerror(errno));
    if (status == IPOS_OK) {
        int held = feed ? -1 : input >= 0 ? fcntl(input, F_DUPFD_CLOEXEC, 3) : -1;
        int error = spawn(argv, feed ? in[0] : held, out[1], err[1], &child->pid);
        close_fd(&held);
        if (error) {
            child->pid = 0;
            status =
                ip_fail(error == ENOENT ? IPOS_ERR_NOT_FOUND : IPOS_ERR_IO, "%s cannot be started: %s", argv[0], strerror(error));
        }
    }
    close_fd(&in[0]);
    close_fd(&out[1]);
    close_fd(&err[1]);
    if (status != IPOS_OK) {
        close_fd(&in[1]);
        close_fd(&out[0]);
        close_fd(&err[0]);
        return status;
    }
    child->in = in[1];
    child->out = out[0];
    child->err = err[0];
#ifdef SYS_pidfd_open
    child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
#endif
    fcntl(child->out, F_SETPIPE_SZ, 1 << 20);
    fcntl(child->out, F_SETFL, O_NONBLOCK);
    fcntl(child->err, F_SETFL, O_NONBLOCK);
    if (child->in >= 0) {
        fcntl(child->in, F_SETPIPE_SZ, 1 << 20);
        fcntl(child->in, F_SETFL, O_NONBLOCK);
    }
    return IPOS_OK;
}

static void take_said(ip_child *child) {
    char text[512];
    ssize_t n;
    while ((n = read(child->err, text, sizeof text)) > 0) {
        for (ssize_t i = 0; i < n && child->said_size + 3 < sizeof child->said; i++) {
            char c = text[i];
            if (c == '\n') {
                child->said[child->said_size++] = ';';
                child->said[child->said_size++] = ' ';
            } else if ((unsigned char)c >= 32) {
                child->said[child->said_size++] = c;
            }
            child->said[child->said_size] = 0;
        }
    }
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        close_fd(&child->err);
}

void ip_child_listen(ip_child *child) {
    if (child->err >= 0)
        take_said(child);
}

/* Waits a little for fd (events) and meanwhile takes what the child says. True when fd is ready. */
static bool wait_ready(ip_child *child, int fd, short events) {
    struct pollfd fds[2] = {{fd, events, 0}, {child->err, POLLIN, 0}};
    if (poll(fds, 2, 100) <= 0)
        return false;
    if (fds[1].revents)
        take_said(child);
    return fds[0].revents != 0;
}

static ipos_status check_wait(const char *what, double deadline, const ip_cancel *cancel) {
    if (ip_cancelled(cancel))
        return ip_fail(IPOS_ERR_CANCELLED, "%s was cancelled", what);
    if (ip_now() > deadline)
        return ip_fail(IPOS_ERR_IO, "%s hangs", what);
    return IPOS_OK;
}

ipos_status ip_child_read(ip_child *child, void *bytes, size_t n, double timeout, const ip_cancel *cancel, size_t *got) {
    *got = 0;
    double deadline = ip_now() + timeout;
    while (*got < n && child->out >= 0) {
        ssize_t r = read(child->out, (char *)bytes + *got, n - *got);
        if (r > 0) {
            *got += (size_t)r;
            deadline = ip_now() + timeout;
            if (ip_cancelled(cancel))
                return ip_fail(IPOS_ERR_CANCELLED, "reading was cancelled");
            continue;
        }
        if (r == 0)
            return IPOS_OK;
        if (errno != EAGAIN && errno != EINTR)
            return ip_fail(IPOS_ERR_IO, "reading from the decoder failed: %s", strerror(errno));
        wait_ready(child, child->out, POLLIN);
        IP_TRY(check_wait("the decoder", deadline, cancel));
    }
    return IPOS_OK;
}

/* write() with SIGPIPE held back from this thread and, if it came from here, taken away. */
static ssize_t write_quietly(int fd, const void *bytes, size_t n) {
    sigset_t pipe_only, before, pending;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&pending);
    bool was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    ssize_t put = write(fd, bytes, n);
    int error = errno;
    if (put < 0 && error == EPIPE && !was_pending) {
        const struct timespec now = {0, 0};
        while (sigtimedwait(&pipe_only, NULL, &now) < 0 && errno == EINTR)
            ;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return put;
}

ipos_status ip_child_write(ip_child *child, const void *bytes, size_t n, double timeout, const ip_cancel *cancel) {
    double deadline = ip_now() + timeout;
    for (size_t done = 0; done < n;) {
        ssize_t put = write_quietly(child->in, (const char *)bytes + done, n - done);
        if (put > 0) {
            done += (size_t)put;
            deadline = ip_now() + timeout;
            continue;
        }
        if (put < 0 && errno != EAGAIN && errno != EINTR)
            return ip_fail(IPOS_ERR_IO, "the encoder gave up");
        wait_ready(child, child->in, POLLOUT);
        IP_TRY(check_wait("the encoder", deadline, cancel));
    }
    return IPOS_OK;
}

static void kill_it(ip_child *child) {
#ifdef SYS_pidfd_send_signal
    if (child->pidfd >= 0 && syscall(SYS_pidfd_send_signal, child->pidfd, SIGKILL, NULL, 0) == 0)
        return;
#endif
    if (child->pidfd < 0)
        kill(child->pid, SIGKILL);
}

static int exit_code(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int ip_child_wait(ip_child *child, double timeout, const ip_cancel *cancel) {
    if (child->pid <= 0)
        return -1;
    close_fd(&child->in);
    close_fd(&child->out);
    double deadline = ip_now() + timeout;
    int status = 0, code = -1;
    for (;;) {
        pid_t done = waitpid(child->pid, &status, WNOHANG);
        if (done == child->pid)
            code = exit_code(status);
        else if (done < 0 && errno == ECHILD)
            code = 0; /* the host ignores SIGCHLD or reaped it: how it ended is not ours to know */
        if (code >= 0)
            break;
        if (ip_now() > deadline || ip_cancelled(cancel)) {
            kill_it(child);
            while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
                ;
            break;
        }
        if (child->err >= 0)
            wait_ready(child, child->err, POLLIN);
        else
            poll(&(struct pollfd){child->pidfd, POLLIN, 0}, 1, child->pidfd >= 0 ? 100 : 5);
    }
    if (child->err >= 0)
        take_said(child);
    close_fd(&child->err);
    close_fd(&child->pidfd);
    child->pid = 0;
    return code;
}

void ip_child_kill(ip_child *child) {
    if (child->pid > 0) {
        kill_it(child);
        ip_child_wait(child, 5, NULL);
    }
    close_fd(&child->in);
    close_fd(&child->out);
    close_fd(&child->err);
    close_fd(&child->pidfd);
}
