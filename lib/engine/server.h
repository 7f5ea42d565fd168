/* The engine's main loop, the same for the process and the module. */
#ifndef IP_SERVER_H
#define IP_SERVER_H

#include "op.h"

/* What one engine is started with. File descriptors stay the caller's. */
typedef struct ip_server_config {
    int in, out;       /* pipes: messages from and to the client */
    int client_pool;   /* pool 0, readable */
    int engine_pool;   /* pool 1, writable, empty */
    int threads;
    int own_process;   /* the client's process id: the engine is a process of its own and may _exit() when the client goes away; else 0 */
} ip_server_config;

/* What the engine's tensor library offers to the loop; members may be NULL. */
typedef struct ip_server_backend {
    /* Once, first. {"libtorch","devices":[],"capability"} for hello and info; the caller frees. NULL: the engine is of no use, error text set. */
    char *(*describe)(int own_process);
    /* On the job's thread before every job. */
    ipos_status (*prepare)(int threads, uint64_t memory_limit, int own_process);
    /* GFLOP/s with the threads set. */
    ipos_status (*measure)(double *inference, double *training);
    void (*idle)(void); /* after a job */
} ip_server_backend;

/* Serves until `in` ends. Returns 0, or a negative ipos_status. Runs jobs on the calling thread. ops: NULL-terminated. */
int ip_server_main(const ip_server_config *config, const ip_op *const *ops, const ip_server_backend *backend);

/* The module's one symbol: ip_server_main with the module's own operations and backend. */
typedef int (*ip_engine_entry)(const ip_server_config *config);

#endif
