/* A small host for the tests: a clip made on the spot, jobs over it, what came back. */
#ifndef FAULT_SUPPORT_H
#define FAULT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include <sys/types.h>

enum { FRAMES = 12, WIDTH = 96, HEIGHT = 64 };

typedef struct test_host {
    ip_engine *engine;
    bool plain;            /* frames in plain memory, not the engine's pool */
    int progress_calls, emits, variants, checkpoints, models, stop_after; /* stop_after: progress calls, 0 never */
    double last_done;
    char hashes[64][65], evidence[64][65];
    ipos_status fetch_fails, emit_fails;
    int64_t checkpoint, model[2];
    char progress_json[512];
    ip_cancel cancel;
    bool reenter;
    ipos_status reentered;
} test_host;

ip_engine *open_engine(int mode, int watchdog_seconds);
ipos_frame *make_frame(ip_engine *engine, int64_t number); /* engine NULL: plain memory */
void frame_hash(int64_t number, char hex[65]);

typedef struct test_job {
    const char *operation, *how;
    int after, pause, frames; /* frames 0: FRAMES - 1 */
    bool train;
    int64_t steps;
    double checkpoint_seconds;
} test_job;
ipos_status run_job(test_host *host, test_job job);
void expect_copies(const test_host *host, int count); /* every result is the frame before */

extern char last_log[4096]; /* what engines printed and said, of this process */
int count_files(void);      /* open descriptors of this process */
int count_threads(void);
/* Children of parent that run an engine; returns how many, at most room. */
int find_engines(pid_t parent, pid_t *list, int room);
bool gone_within(pid_t pid, double seconds);
void sleep_ms(int ms);

#endif
