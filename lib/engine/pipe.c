#include "message.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

/* A write into a pipe nobody reads raises SIGPIPE in the writing thread. The handler is the host's, so the signal is blocked here for
 * the length of the call and, if it was this call that raised it, taken back before the mask is restored. */
ptrdiff_t ip_pipe_write(int fd, const void *bytes, size_t size)
{
    sigset_t pipe_signal, before, pending;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    bool was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    ptrdiff_t count;
    do {
        count = write(fd, bytes, size);
    } while (count < 0 && errno == EINTR);
    int error = count < 0 ? errno : 0;
    if (error == EPIPE && !was_pending) {
        const struct timespec now = {0};
        while (sigtimedwait(&pipe_signal, NULL, &now) < 0 && errno == EINTR)
            ;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == EAGAIN || error == EWOULDBLOCK)
        return 0;
    errno = error;
    return count;
}
