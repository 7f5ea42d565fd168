/* A child process with its output piped to us: started without fork handlers, nothing inherited, always reaped. */
#ifndef IP_CHILD_H
#define IP_CHILD_H

#include "core.h"
#include <sys/types.h>

typedef struct ip_child {
    pid_t pid; /* 0: none */
    int pidfd; /* -1: the kernel has none */
    int in;    /* its standard input, if it is fed; else -1 */
    int out;   /* its standard output */
    int err;   /* its standard error; -1 once it is closed */
    char said[1200]; /* the first it wrote to standard error, one line, '; ' between lines */
    size_t said_size;
} ip_child;

/* argv[0] is an absolute path. input: a file descriptor to become standard input, -1 for /dev/null; with feed set a pipe is made
 * instead. The child gets LC_ALL=C and nothing else as environment, default signals, and no descriptor beyond 0, 1, 2. */
ipos_status ip_child_start(const char *const *argv, int input, bool feed, ip_child *child);
/* Reads until n bytes or the end; *got says how many. Fails when cancelled, or with IPOS_ERR_IO when quiet for timeout seconds. */
ipos_status ip_child_read(ip_child *child, void *bytes, size_t n, double timeout, const ip_cancel *cancel, size_t *got);
/* Feeds all n bytes; SIGPIPE never reaches the host. */
ipos_status ip_child_write(ip_child *child, const void *bytes, size_t n, double timeout, const ip_cancel *cancel);
/* Takes what it has written to standard error by now into said. */
void ip_child_listen(ip_child *child);
/* Closes the pipes to it, reads what it still says, waits at most timeout seconds and reaps it (killing it if need be).
 * Its exit status; 128 + signal; -1 if it had to be killed. */
int ip_child_wait(ip_child *child, double timeout, const ip_cancel *cancel);
void ip_child_kill(ip_child *child); /* fine when there is none */
void ip_child_blank(ip_child *child);

#endif
