/* One running engine as the client sees it: pipes, pools, loans, watchdog. Used by the thread that runs a job, except where noted. */
#ifndef IP_CONNECTION_H
#define IP_CONNECTION_H

#include "client.h"
#include "frame_message.h"
#include "process.h"
#include <pthread.h>

typedef struct ip_engine_thread ip_engine_thread; /* inprocess.c: the engine as a module in this process */

/* The last lines an engine printed, for the text of its failure, and on to the log. */
typedef struct ip_error_lines {
    char line[512], last[4][512];
    size_t size, count; /* of line; of all lines so far */
} ip_error_lines;

typedef struct ip_connection {
    atomic_int refs;          /* the engine handle's and one per borrowed frame */
    pid_t owner;
    const ip_engine_config *config; /* the handle's; not to be used by borrowed frames */
    ip_process process;
    ip_engine_thread *thread; /* instead of a process */
    int to, from, errors;     /* -1: closed */
    int engine_pool;          /* read-only */
    ip_pool *pool;
    ip_loans *loans;
    ip_lender lender;
    ip_buffer incoming, outgoing;
    size_t taken, sent;       /* done with, of the two */
    uint32_t sent_serial, seen_serial;
    ip_error_lines printed;
    double loop, silent, stalled; /* watchdog: time of the last turn; seconds without a byte, without work */
    int64_t tick;
    bool gone; /* its end of the pipe is closed */
    /* Any thread. io: held while someone reads or writes; returned: blocks nobody looks at any more. */
    pthread_mutex_t io, lock;
    uint64_t *returned;
    size_t returned_count, returned_room;
} ip_connection;

/* Starts an engine and waits for its hello. cancel may be NULL. *out comes with its io lock held: unlock it when no job runs, take it
 * for a job and before close. */
ipos_status ip_connection_open(const ip_engine_config *config, ip_pool *pool, const ip_cancel *cancel, ip_connection **out);
/* Ends the engine and gives up the handle's reference. how (may be NULL): how it ended. patience: seconds before it is killed. */
void ip_connection_close(ip_connection *connection, double patience, char how[96]);

/* Sends a message; steals body. Never blocks: what does not fit into the pipe goes out in ip_connection_next. */
ipos_status ip_connection_send(ip_connection *connection, int type, json_t *body);
/* Moves bytes both ways for up to wait seconds until there is a message (message->type 0: none yet). Any failure means that the engine
 * is gone or talks nonsense: close it. */
ipos_status ip_connection_next(ip_connection *connection, double wait, ip_message *message);
/* Time the caller spent elsewhere (in a callback) does not count as the engine's silence. */
void ip_connection_resume(ip_connection *connection);
/* The watchdog's judgement. */
ipos_status ip_connection_judge(const ip_connection *connection);
/* IPOS_ERR_ENGINE with everything known about a failed engine: why, how it ended, what it printed. Closes it. */
ipos_status ip_connection_fail(ip_connection *connection, const char *why);

void ip_error_lines_add(ip_connection *connection, const char *bytes, size_t size);

/* inprocess.c. The thread closes the ends when it is done with them. */
ipos_status ip_engine_thread_start(const char *path, int threads, const ip_ends *ends, ip_engine_thread **out);
/* After the pipes were closed: waits, then lets go of it. False if it still runs. */
bool ip_engine_thread_end(ip_engine_thread *thread, double patience);

#endif
