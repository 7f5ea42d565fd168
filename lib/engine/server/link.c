#include "server_state.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

void ip_server_close(ip_server *server)
{
    /* Nobody is left to work for, and a convolution cannot be interrupted in any other way. */
    if (server->config.own_process)
        _exit(0);
    pthread_mutex_lock(&server->lock);
    server->closing = true;
    atomic_store(&server->cancel.set, 1);
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

ipos_status ip_server_send(ip_server *server, int type, json_t *body)
{
    ip_buffer buffer = {0};
    bool lost = false;
    pthread_mutex_lock(&server->writing);
    ipos_status status = ip_message_write(&buffer, type, server->sent_serial + 1, body);
    if (status == IPOS_OK)
        server->sent_serial++;
    for (size_t at = 0; status == IPOS_OK && !server->gone && at < buffer.size;) {
        ptrdiff_t count = ip_pipe_write(server->config.out, buffer.data + at, buffer.size - at);
        if (count <= 0)
            lost = server->gone = true;
        else
            at += (size_t)count;
    }
    if (status == IPOS_OK && server->gone)
        status = ip_fail(IPOS_ERR_CANCELLED, "the client has gone");
    pthread_mutex_unlock(&server->writing);
    ip_buffer_free(&buffer);
    if (lost)
        ip_server_close(server);
    return status;
}

void ip_server_log(ip_server *server, int level, const char *text)
{
    ip_server_send(server, IP_LOG, json_pack("{s:i,s:o}", "level", level, "text", ip_json_from_text(text)));
}

bool ip_server_wait(ip_server *server, double seconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(seconds * 1e9);
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return pthread_cond_timedwait(&server->changed, &server->lock, &until) != ETIMEDOUT;
}

static ipos_status take_job(ip_server *server, ip_message *message)
{
    int64_t id;
    IP_TRY(ip_json_int(message->body, "job", 0, UINT32_MAX, &id));
    if (server->job >= 0)
        return ip_fail(IPOS_ERR_FORMAT, "a second job while one runs");
    server->job = id;
    atomic_store(&server->cancel.set, 0);
    server->next = *message;
    *message = (ip_message){0};
    return IPOS_OK;
}

static ipos_status take_reply(ip_server *server, ip_message *message)
{
    int64_t request;
    IP_TRY(ip_json_int(message->body, "request", 0, INT64_MAX, &request));
    if (server->reply.type || request != server->request)
        return ip_fail(IPOS_ERR_FORMAT, "an answer nobody asked for");
    server->reply = *message;
    *message = (ip_message){0};
    return IPOS_OK;
}

static ipos_status take_taken(ip_server *server, const ip_message *message)
{
    int64_t status;
    IP_TRY(ip_json_int(message->body, "status", -64, 0, &status));
    if (server->in_hand <= 0)
        return ip_fail(IPOS_ERR_FORMAT, "taken what was not handed over");
    server->in_hand--;
    if (status && !server->refused)
        server->refused = (ipos_status)status;
    return IPOS_OK;
}

static ipos_status take_cancel(ip_server *server, const ip_message *message)
{
    int64_t id;
    IP_TRY(ip_json_int(message->body, "job", 0, UINT32_MAX, &id));
    if (id == server->job)
        atomic_store(&server->cancel.set, 1);
    return IPOS_OK;
}

static ipos_status take_release(ip_server *server, const ip_message *message)
{
    json_t *block;
    int64_t offset;
    IP_TRY(ip_json_member(message->body, "block", JSON_OBJECT, &block));
    IP_TRY(ip_json_int(block, "offset", 0, INT64_MAX, &offset));
    return ip_loans_return(server->loans, (uint64_t)offset);
}

static ipos_status take(ip_server *server, ip_message *message)
{
    ipos_status status;
    if (message->type == IP_RELEASE)
        return take_release(server, message);
    pthread_mutex_lock(&server->lock);
    switch (message->type) {
    case IP_RUN:
    case IP_TRAIN:
    case IP_INFO:
        status = take_job(server, message);
        break;
    case IP_FRAME:
    case IP_RECALLED:
        status = take_reply(server, message);
        break;
    case IP_TAKEN:
        status = take_taken(server, message);
        break;
    case IP_CANCEL:
        status = take_cancel(server, message);
        break;
    default:
        status = ip_fail(IPOS_ERR_FORMAT, "%s, which only an engine may send", ip_message_name(message->type));
    }
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    return status;
}

/* Every whole message in the buffer. */
static ipos_status take_all(ip_server *server, ip_buffer *in, uint32_t *serial)
{
    size_t at = 0, used = 1;
    while (used) {
        ip_message message = {0};
        IP_TRY(ip_message_parse(in->data + at, in->size - at, &message, &used));
        at += used;
        if (!used)
            break;
        ipos_status status = message.serial == ++*serial ? take(server, &message) : ip_fail(IPOS_ERR_FORMAT, "a message is missing");
        ip_message_clear(&message);
        IP_TRY(status);
    }
    memmove(in->data, in->data + at, in->size - at);
    in->size -= at;
    return IPOS_OK;
}

void *ip_server_read(void *user)
{
    ip_server *server = user;
    ip_buffer in = {0};
    uint32_t serial = 0;
    ipos_status status = IPOS_OK;
    char bytes[65536];
    while (status == IPOS_OK) {
        ssize_t count = read(server->config.in, bytes, sizeof bytes);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            break;
        ip_buffer_add(&in, bytes, (size_t)count);
        status = in.failed ? ip_no_memory((size_t)count) : take_all(server, &in, &serial);
    }
    if (status != IPOS_OK)
        fprintf(stderr, "interpos-engine: closes, the client sent %s\n", ipos_last_error());
    ip_buffer_free(&in);
    ip_server_close(server);
    return NULL;
}

void *ip_server_beat(void *user)
{
    ip_server *server = user;
    pid_t client = (pid_t)server->config.own_process;
    pthread_mutex_lock(&server->lock);
    for (double next = ip_now() + 1; !server->closing;) {
        ip_server_wait(server, .5);
        /* A child that the client forked may hold the pipes open when the client is long dead. */
        if (client && getppid() != client)
            _exit(0);
        if (server->closing || server->job < 0 || ip_now() < next)
            continue;
        next = ip_now() + 1;
        pthread_mutex_unlock(&server->lock);
        ip_server_send(server, IP_ALIVE, json_pack("{s:I}", "tick", (json_int_t)atomic_load(&server->tick)));
        pthread_mutex_lock(&server->lock);
    }
    pthread_mutex_unlock(&server->lock);
    return NULL;
}
