#include "server_state.h"

#include <interpos/version.h>
#include <time.h>

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define VERSION TEXT(IPOS_VERSION_MAJOR) "." TEXT(IPOS_VERSION_MINOR) "." TEXT(IPOS_VERSION_PATCH)

static void retain(void *user)
{
    atomic_fetch_add(&((ip_server *)user)->refs, 1);
}

static void release(void *user)
{
    ip_server *server = user;
    if (atomic_fetch_sub(&server->refs, 1) != 1)
        return;
    ip_loans_free(server->loans);
    ip_pool_release(server->pool);
    ip_message_clear(&server->next);
    ip_message_clear(&server->reply);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
    pthread_mutex_destroy(&server->writing);
    ip_free(server);
}

/* A frame of the client's is no longer looked at. */
static void returned(void *user, uint64_t offset)
{
    json_t *block = json_pack("{s:i,s:I}", "pool", 0, "offset", (json_int_t)offset);
    ip_server_send(user, IP_RELEASE, json_pack("{s:o}", "block", block));
}

static ipos_status make(const ip_server_config *config, const ip_op *const *ops, const ip_server_backend *backend, ip_server **out)
{
    pthread_condattr_t attributes;
    ip_server *server = ip_calloc(1, sizeof *server);
    if (!server)
        return IPOS_ERR_NO_MEMORY;
    atomic_init(&server->refs, 1);
    server->config = *config;
    server->ops = ops;
    server->backend = backend;
    server->job = -1;
    server->lender = (ip_lender){0, config->client_pool, server, returned, retain, release};
    pthread_mutex_init(&server->writing, NULL);
    pthread_mutex_init(&server->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&server->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    ipos_status status = ip_pool_new(1, config->engine_pool, false, &server->pool);
    if (status == IPOS_OK)
        status = ip_loans_new(&server->loans);
    if (status == IPOS_OK)
        *out = server;
    else
        release(server);
    return status;
}

/* {"libtorch","devices","capability"}; NULL with the error text set. */
static json_t *describe(const ip_server *server)
{
    if (!server->backend || !server->backend->describe)
        return json_pack("{s:s,s:[s],s:s}", "libtorch", "", "devices", "cpu", "capability", "");
    char *text = server->backend->describe(server->config.own_process != 0);
    json_t *about = text ? json_loads(text, 0, NULL) : NULL;
    ip_free(text);
    return about;
}

static ipos_status say_hello(ip_server *server)
{
    json_t *hello = describe(server);
    ipos_status failed = hello ? IPOS_OK : IPOS_ERR_ENGINE;
    if (!hello)
        hello = json_pack("{s:o}", "error", ip_json_from_text(ipos_last_error()));
    json_object_set_new(hello, "protocol", json_integer(IP_MESSAGE_VERSION));
    json_object_set_new(hello, "version", json_string(VERSION));
    json_object_set_new(hello, "threads", json_integer(server->config.threads));
    IP_TRY(ip_server_send(server, IP_HELLO, hello));
    return failed;
}

static ipos_status prepare(ip_server *server, int threads, uint64_t memory)
{
    if (!server->backend || !server->backend->prepare)
        return IPOS_OK;
    return server->backend->prepare(threads, memory, server->config.own_process != 0);
}

static ipos_status run_info(ip_server *server, const ip_message *message, json_t **info)
{
    const ip_server_backend *backend = server->backend;
    json_t *about = describe(server);
    if (!about)
        return IPOS_ERR_ENGINE;
    *info = json_pack("{s:s,s:O,s:O,s:i,s:O}", "engine", VERSION, "libtorch", json_object_get(about, "libtorch"), "device",
        json_object_get(about, "devices"), "threads", server->config.threads, "cpu_capability", json_object_get(about, "capability"));
    json_decref(about);
    if (!json_is_true(json_object_get(message->body, "measure")) || !backend || !backend->measure)
        return IPOS_OK;
    double inference, training;
    IP_TRY(prepare(server, server->config.threads, 0));
    IP_TRY(backend->measure(&inference, &training));
    json_object_set_new(*info, "conv_gflops", json_pack("{s:o,s:o}", "inference", ip_json_from_real(inference), "training",
        ip_json_from_real(training)));
    return IPOS_OK;
}

static ipos_status run_operation(ip_server *server, const ip_message *message)
{
    ip_server_job job = {0};
    ipos_status status = ip_server_job_read(server, message, &job);
    if (status == IPOS_OK)
        status = prepare(server, job.host.threads, job.host.memory_limit);
    if (status == IPOS_OK)
        status = message->type == IP_TRAIN ? job.op->train(&job.host) : job.op->run(&job.host);
    ip_server_host_end(&job);
    ip_server_job_free(&job);
    return status;
}

static ipos_status run_job(ip_server *server, const ip_message *message)
{
    json_t *info = NULL;
    atomic_fetch_add(&server->tick, 1);
    ipos_status status = message->type == IP_INFO ? run_info(server, message, &info) : run_operation(server, message);
    json_t *done = json_pack("{s:I,s:i,s:o}", "job", (json_int_t)server->job, "status", (int)status, "text",
        ip_json_from_text(status == IPOS_OK ? "" : ipos_last_error()));
    if (status == IPOS_OK && info)
        json_object_set(done, "info", info);
    json_decref(info);
    if (server->backend && server->backend->idle)
        server->backend->idle();
    pthread_mutex_lock(&server->lock);
    server->job = -1; /* before done: the client's next job may come at once */
    server->refused = IPOS_OK;
    pthread_mutex_unlock(&server->lock);
    return ip_server_send(server, IP_DONE, done);
}

static void serve(ip_server *server)
{
    pthread_mutex_lock(&server->lock);
    while (!server->closing) {
        if (!server->next.type) {
            ip_server_wait(server, 1);
            continue;
        }
        ip_message message = server->next;
        server->next = (ip_message){0};
        pthread_mutex_unlock(&server->lock);
        run_job(server, &message);
        ip_message_clear(&message);
        pthread_mutex_lock(&server->lock);
    }
    pthread_mutex_unlock(&server->lock);
}

int ip_server_main(const ip_server_config *config, const ip_op *const *ops, const ip_server_backend *backend)
{
    ip_server *server = NULL;
    IP_TRY(make(config, ops, backend, &server));
    ipos_status status = say_hello(server);
    bool beating = status == IPOS_OK && pthread_create(&server->heart, NULL, ip_server_beat, server) == 0;
    bool reading = beating && pthread_create(&server->reader, NULL, ip_server_read, server) == 0;
    if (reading)
        serve(server);
    else if (status == IPOS_OK)
        status = ip_fail(IPOS_ERR_NO_MEMORY, "engine: no threads");
    pthread_mutex_lock(&server->lock);
    server->closing = true;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    if (beating)
        pthread_join(server->heart, NULL);
    if (reading)
        pthread_join(server->reader, NULL);
    pthread_mutex_lock(&server->writing);
    server->gone = true; /* the descriptors are the caller's again, whatever an operation has forgotten to release */
    pthread_mutex_unlock(&server->writing);
    release(server);
    return status;
}
