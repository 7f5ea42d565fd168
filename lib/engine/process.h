/* An engine of its own process: where it lies, how it is started and how it ends. */
#ifndef IP_PROCESS_H
#define IP_PROCESS_H

#include "core.h"
#include <sys/types.h>

/* The engine's ends of the pipes and the pools; start() leaves them open in the caller. */
typedef struct ip_ends {
    int in, out;      /* messages from and to the client */
    int errors;       /* what the engine prints */
    int client_pool;  /* read-only */
    int engine_pool;
} ip_ends;

/* In the child: these numbers, nothing above them. */
enum { IP_FD_IN = 3, IP_FD_OUT = 4, IP_FD_CLIENT_POOL = 5, IP_FD_ENGINE_POOL = 6, IP_FD_END = 7 };

/* The file an engine is loaded from: configured (must be absolute), or name beside this library, in ../libexec/interpos/ or where a
 * build puts it. Never $PATH, never the current folder. The caller frees *path. */
ipos_status ip_engine_find(const char *configured, const char *name, char **path);

typedef struct ip_process {
    pid_t pid;  /* 0: none */
    int handle; /* pidfd, or -1: survives that another part of the host reaps the child */
} ip_process;
ipos_status ip_process_start(const char *path, int threads, const ip_ends *ends, ip_process *process);
/* Waits up to so many seconds for the end, then kills (SIGKILL) if it is to. Describes the end: "exit code 3", "SIGABRT (Aborted)".
 * Reaps. Safe in a host that ignores SIGCHLD or reaps every child itself. */
void ip_process_end(ip_process *process, double patience, char text[96]);

/* The environment an engine gets (environment.c): what libtorch, the loader and devices need from the host's, and thread and allocator
 * settings, which must be there before it starts. Freed with ip_environment_free. */
char **ip_environment_new(int threads);
void ip_environment_free(char **list);

#endif
