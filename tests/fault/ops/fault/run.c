/* An operation that goes wrong on purpose, in the engine's process and in its messages. */
#include "process.h"
#include "server_state.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

extern const ip_op_spec ip_op_fault_spec;
extern const ip_op ip_op_fault;

static void pause_ms(int64_t ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static ip_server *server_of(ip_op_host *host)
{
    return ((ip_server_job *)host->user)->server;
}

static void raw(const void *bytes, size_t size)
{
    if (write(IP_FD_OUT, bytes, size) < 0)
        _exit(9);
}

/* An emit whose frame is described wrongly. */
static ipos_status bogus(ip_op_host *host, int64_t offset, int64_t bytes, int64_t row, int64_t pixel, int type, int width)
{
    ip_server_job *job = host->user;
    ip_storage block;
    IP_TRY(ip_pool_storage(job->server->pool, 65536, &block)); /* so that the file is not empty; lost with the engine */
    json_t *channel = json_pack("{s:s,s:i,s:i,s:i,s:i,s:I,s:I}", "name", "Y", "type", type, "xs", 1, "ys", 1, "offset", 0, "row",
        (json_int_t)row, "pixel", (json_int_t)pixel);
    json_t *frame = json_pack("{s:{s:i,s:I,s:I},s:[i,i,i,i],s:[i,i,i,i],s:s,s:[o]}", "block", "pool", 1, "offset", (json_int_t)offset, "bytes",
        (json_int_t)bytes, "data", 0, 0, width, 16, "display", 0, 0, width, 16, "encoding", "srgb", "channels", channel);
    return ip_server_send(job->server, IP_EMIT, json_pack("{s:I,s:i,s:s,s:[i,i],s:f,s:o,s:n}", "job", (json_int_t)job->id, "request", 1,
        "variant", "x", "time", 1, 1, "confidence", 1.0, "frame", frame, "evidence"));
}

static ipos_status flood(void)
{
    char garbage[4096];
    memset(garbage, 'x', sizeof garbage);
    for (int i = 0; i < 1 << 20; i++)
        raw(garbage, sizeof garbage);
    return IPOS_OK;
}

static ipos_status allocate(ip_op_host *host)
{
    ipos_frame *frame;
    ipos_channel channel = {"Y", IPOS_F32, 1, 1};
    ipos_box box = {0, 0, 1 << 20, 1 << 19};
    return host->frame_new(host, &box, &channel, 1, &frame);
}

static ipos_status print(void)
{
    for (int i = 0; i < 100000; i++)
        fprintf(stderr, "line %d of too many\n", i);
    return IPOS_OK;
}

static ipos_status leak(ip_op_host *host)
{
    ipos_frame *kept;
    return host->fetch(host, 0, host->clips[0].first, &kept);
}

static ipos_status go_wrong(ip_op_host *host)
{
    const char *how = ip_options_text(host->options, "how");
    static const unsigned char giant[16] = {'I', 'P', 'E', '1', 1, 0, 7, 0, 255, 255, 255, 127};
    ip_server *server = server_of(host);
    if (!strcmp(how, "abort"))
        abort();
    if (!strcmp(how, "crash")) {
        signal(SIGSEGV, SIG_DFL); /* a sanitizer's handler would make it an exit */
        raise(SIGSEGV);
    }
    while (!strcmp(how, "hang"))
        pause_ms(1000);
    if (!strcmp(how, "stop"))
        raise(SIGSTOP);
    if (!strcmp(how, "garbage") || !strcmp(how, "flood"))
        return flood();
    if (!strcmp(how, "exit"))
        _exit(3);
    if (!strcmp(how, "giant"))
        raw(giant, sizeof giant);
    if (!strcmp(how, "cut")) {
        raw(giant, 7);
        _exit(0);
    }
    if (!strcmp(how, "offset"))
        return bogus(host, (int64_t)1 << 40, 4096, 16, 1, IPOS_U8, 16);
    if (!strcmp(how, "size"))
        return bogus(host, 0, (int64_t)1 << 40, 16, 1, IPOS_U8, 16);
    if (!strcmp(how, "reach"))
        return bogus(host, 0, 255, 16, 1, IPOS_U8, 16);
    if (!strcmp(how, "reversed"))
        return bogus(host, 0, 256, -16, 1, IPOS_U8, 16);
    if (!strcmp(how, "samples"))
        return bogus(host, 0, 4096, 33, 2, IPOS_F16, 16);
    if (!strcmp(how, "huge"))
        return bogus(host, 0, 4096, (int64_t)1 << 45, 1, IPOS_U8, 1 << 20);
    if (!strcmp(how, "serial")) {
        server->sent_serial += 5;
        return ip_server_send(server, IP_ALIVE, json_pack("{s:i}", "tick", 1));
    }
    if (!strcmp(how, "allocate"))
        return allocate(host);
    if (!strcmp(how, "print"))
        return print();
    if (!strcmp(how, "leak"))
        return leak(host);
    return IPOS_OK;
}

static ipos_status step(ip_op_host *host, int64_t index, double done)
{
    IP_TRY(host->progress(host, done, "working", ""));
    if (index == ip_options_int(host->options, "after"))
        IP_TRY(go_wrong(host));
    pause_ms(ip_options_int(host->options, "pause"));
    return IPOS_OK;
}

static ipos_status run(ip_op_host *host)
{
    for (size_t i = 0; i < host->time_count; i++) {
        ipos_frame *frame;
        IP_TRY(host->fetch(host, 0, host->times[i].num / host->times[i].den - 1, &frame));
        ipos_status status = host->emit(host, "same", host->times[i], .5, frame, frame);
        ipos_frame_release(frame);
        IP_TRY(status);
        IP_TRY(step(host, (int64_t)i, (double)i / (double)host->time_count));
    }
    return IPOS_OK;
}

/* "Training": counts steps. A checkpoint is the count; the model is the count and the steps made by this very run. */
static ipos_status train(ip_op_host *host)
{
    int64_t count[2] = {0, 0};
    double saved = ip_now();
    if (host->checkpoint_bytes >= sizeof count[0])
        memcpy(count, host->checkpoint, sizeof count[0]);
    while (count[0] < host->steps) {
        IP_TRY(step(host, count[0], (double)count[0] / (double)host->steps));
        count[0]++;
        count[1]++;
        if (ip_now() - saved < host->checkpoint_seconds)
            continue;
        saved = ip_now();
        IP_TRY(host->save_checkpoint(host, count, sizeof count[0]));
    }
    return host->save_model(host, count, sizeof count, "{\"architecture\":\"count\"}");
}

const ip_op ip_op_fault = {.spec = &ip_op_fault_spec, .run = run, .train = train};
