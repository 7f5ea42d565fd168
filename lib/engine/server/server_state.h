/* What the engine's threads share. main runs jobs; reader takes messages in; heart tells the client that this process lives. */
#ifndef IP_SERVER_STATE_H
#define IP_SERVER_STATE_H

#include "frame_message.h"
#include "server.h"
#include <pthread.h>

typedef struct ip_server {
    atomic_int refs; /* main's and one per borrowed frame */
    ip_server_config config;
    const ip_op *const *ops;
    const ip_server_backend *backend;
    ip_pool *pool;   /* the engine's own */
    ip_loans *loans;
    ip_lender lender; /* the client's pool */
    pthread_t reader, heart;

    pthread_mutex_t writing; /* the pipe, the serial, held_back */
    uint32_t sent_serial;
    bool gone; /* nobody reads any more */

    pthread_mutex_t lock; /* everything below; changed: any of it */
    pthread_cond_t changed;
    bool closing;
    ip_message next;      /* the job to run; type 0: none */
    int64_t job;          /* next's or the running one's id, -1: none */
    ip_message reply;     /* to the fetch in flight; type 0: none yet */
    int64_t request;      /* of the last fetch or hand-over */
    int in_hand;          /* handed over and not yet taken */
    ipos_status refused;  /* what the client answered to a hand-over that failed */

    ip_cancel cancel;     /* of the job */
    atomic_llong tick;    /* counts work */
} ip_server;

/* link.c. Sends a message; steals body; blocks while the pipe is full. IPOS_ERR_CANCELLED once the client has gone. */
ipos_status ip_server_send(ip_server *server, int type, json_t *body);
void ip_server_log(ip_server *server, int level, const char *text);
/* The client went away, or what it says cannot be trusted: ends an engine process at once, else cancels the job and closes. */
void ip_server_close(ip_server *server);
void *ip_server_read(void *server); /* the reader's and the heart's main functions */
void *ip_server_beat(void *server);
/* Waits until seconds from now, with lock held; false at the end of that time. */
bool ip_server_wait(ip_server *server, double seconds);

/* A job with everything an operation needs; server_job.c. */
typedef struct ip_server_job {
    ip_op_host host;
    ip_server *server;
    int64_t id;
    const ip_op *op;
    ip_option_values *options;
    ip_op_clip *clips;
    ipos_rational *times;
    ip_borrowed_bytes model, checkpoint;
    /* progress */
    double sent_at;
    char stage[256];
    json_t *held_back; /* the last progress, not sent because another had just been */
} ip_server_job;
ipos_status ip_server_job_read(ip_server *server, const ip_message *message, ip_server_job *job);
void ip_server_job_free(ip_server_job *job);

/* host.c: fills in the calls an operation may make. */
void ip_server_host(ip_server_job *job);
void ip_server_host_end(ip_server_job *job); /* sends what was held back; waits until all that was handed over is taken */

#endif
