/* The engine's main loop, the same for the process and the module. */
#ifndef IP_SERVER_H
#define IP_SERVER_H

/* What one engine is started with. File descriptors stay the caller's. */
typedef struct ip_server_config {
    int in, out;       /* pipes: messages from and to the client */
    int client_pool;   /* pool 0, readable */
    int engine_pool;   /* pool 1, writable, empty */
    int threads;
    int own_process;   /* 1: may _exit() when the client goes away */
} ip_server_config;

/* Serves until `in` ends. Returns 0, or a negative ipos_status. Runs jobs on the calling thread. */
int ip_server_main(const ip_server_config *config);

#endif
