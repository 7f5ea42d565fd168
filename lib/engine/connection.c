#include "connection.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void flush(ip_connection *connection)
{
    ip_buffer *out = &connection->outgoing;
    while (connection->to >= 0 && connection->sent < out->size) {
        ptrdiff_t count = ip_pipe_write(connection->to, out->data + connection->sent, out->size - connection->sent);
        if (count < 0)
            close_fd(&connection->to); /* the reading side tells what happened */
        if (count <= 0)
            break;
        connection->sent += (size_t)count;
    }
    if (connection->sent == out->size || connection->to < 0)
        out->size = connection->sent = 0;
}

ipos_status ip_connection_send(ip_connection *connection, int type, json_t *body)
{
    IP_TRY(ip_message_write(&connection->outgoing, type, connection->sent_serial + 1, body));
    connection->sent_serial++;
    flush(connection);
    return IPOS_OK;
}

/* Tells the engine which of its blocks may go. */
static void send_returned(ip_connection *connection)
{
    uint64_t *list;
    pthread_mutex_lock(&connection->lock);
    list = connection->returned;
    size_t count = connection->returned_count;
    connection->returned = NULL;
    connection->returned_count = connection->returned_room = 0;
    pthread_mutex_unlock(&connection->lock);
    for (size_t i = 0; i < count && connection->to >= 0; i++) {
        json_t *block = json_pack("{s:i,s:I}", "pool", 1, "offset", (json_int_t)list[i]);
        ip_connection_send(connection, IP_RELEASE, json_pack("{s:o}", "block", block));
    }
    ip_free(list);
}

/* ip_lender's: any thread, also long after the engine has gone. Between jobs the message goes out at once. */
static void block_returned(void *user, uint64_t offset)
{
    ip_connection *connection = user;
    if (getpid() != connection->owner)
        return;
    pthread_mutex_lock(&connection->lock);
    if (connection->returned_count == connection->returned_room) {
        size_t room = connection->returned_room ? 2 * connection->returned_room : 16;
        uint64_t *list = ip_realloc(connection->returned, room * sizeof *list);
        if (list) {
            connection->returned = list;
            connection->returned_room = room;
        }
    }
    if (connection->returned_count < connection->returned_room)
        connection->returned[connection->returned_count++] = offset;
    pthread_mutex_unlock(&connection->lock);
    if (pthread_mutex_trylock(&connection->io) == 0) {
        send_returned(connection);
        pthread_mutex_unlock(&connection->io);
    }
}

static void retain(void *user)
{
    atomic_fetch_add(&((ip_connection *)user)->refs, 1);
}

static void release(void *user)
{
    ip_connection *connection = user;
    if (atomic_fetch_sub(&connection->refs, 1) != 1)
        return;
    pthread_mutex_destroy(&connection->io);
    pthread_mutex_destroy(&connection->lock);
    ip_free(connection->returned);
    ip_free(connection);
}

/* How much of the bytes read so far makes messages; keeps the rest. */
static ipos_status parse(ip_connection *connection, ip_message *message)
{
    ip_buffer *in = &connection->incoming;
    size_t used;
    IP_TRY(ip_message_parse(in->data + connection->taken, in->size - connection->taken, message, &used));
    connection->taken += used;
    if (connection->taken == in->size)
        in->size = connection->taken = 0;
    if (!used)
        return IPOS_OK;
    if (message->serial == ++connection->seen_serial)
        return IPOS_OK;
    uint32_t serial = message->serial;
    ip_message_clear(message);
    return ip_fail(IPOS_ERR_FORMAT, "message %u where %u was expected", serial, connection->seen_serial);
}

static ipos_status read_messages(ip_connection *connection)
{
    char bytes[65536];
    ip_buffer *in = &connection->incoming;
    ssize_t count = read(connection->from, bytes, sizeof bytes);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return IPOS_OK;
    if (count <= 0) {
        connection->gone = true;
        return ip_fail(IPOS_ERR_ENGINE, "it has gone");
    }
    connection->silent = 0;
    if (connection->taken) {
        memmove(in->data, in->data + connection->taken, in->size - connection->taken);
        in->size -= connection->taken;
        connection->taken = 0;
    }
    ip_buffer_add(in, bytes, (size_t)count);
    return in->failed ? ip_no_memory(in->size) : IPOS_OK;
}

static void read_errors(ip_connection *connection)
{
    char bytes[4096];
    ssize_t count = read(connection->errors, bytes, sizeof bytes);
    if (count > 0)
        ip_error_lines_add(connection, bytes, (size_t)count);
    else if (count == 0 || (errno != EAGAIN && errno != EINTR))
        close_fd(&connection->errors);
}

/* A turn may have taken long because nobody gave this process time (it was stopped, the machine slept); the engine had none either. */
static void count_time(ip_connection *connection)
{
    double now = ip_now(), turn = IP_MIN(now - connection->loop, .5);
    connection->loop = now;
    connection->silent += turn;
    connection->stalled += turn;
}

void ip_connection_resume(ip_connection *connection)
{
    connection->loop = ip_now();
    connection->silent = connection->stalled = 0;
}

ipos_status ip_connection_judge(const ip_connection *connection)
{
    int limit = connection->config->watchdog_seconds;
    if (connection->silent > IP_MIN(30, IP_MAX(limit, 5)))
        return ip_fail(IPOS_ERR_ENGINE, "it gave no sign of life for %.0f s", connection->silent);
    if (connection->stalled > limit)
        return ip_fail(IPOS_ERR_ENGINE, "it did no work for %.0f s (watchdog_seconds is %d)", connection->stalled, limit);
    return IPOS_OK;
}

ipos_status ip_connection_next(ip_connection *connection, double wait, ip_message *message)
{
    message->type = 0;
    send_returned(connection);
    flush(connection);
    IP_TRY(parse(connection, message));
    if (message->type)
        return IPOS_OK;
    struct pollfd polled[3] = {
        {connection->from, POLLIN, 0},
        {connection->errors, POLLIN, 0},
        {connection->sent < connection->outgoing.size ? connection->to : -1, POLLOUT, 0},
    };
    int ready = poll(polled, 3, (int)(wait * 1000));
    count_time(connection);
    if (ready <= 0)
        return IPOS_OK;
    if (polled[1].revents)
        read_errors(connection);
    if (polled[2].revents)
        flush(connection);
    if (!polled[0].revents)
        return IPOS_OK;
    IP_TRY(read_messages(connection));
    return parse(connection, message);
}

static ipos_status make_pipe(int ends[2])
{
    if (pipe2(ends, O_CLOEXEC) == 0)
        return IPOS_OK;
    ends[0] = ends[1] = -1;
    return ip_fail(IPOS_ERR_IO, "engine: pipe: %s", strerror(errno));
}

/* Our ends never block; each end of a pipe has that flag for itself. */
static void do_not_block(int fd)
{
    if (fd >= 0)
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static ipos_status make_ends(ip_connection *connection, ip_ends *ends)
{
    int pair[2];
    *ends = (ip_ends){-1, -1, -1, -1, -1};
    IP_TRY(make_pipe(pair));
    ends->in = pair[0], connection->to = pair[1];
    IP_TRY(make_pipe(pair));
    connection->from = pair[0], ends->out = pair[1];
    if (connection->config->mode == IPOS_ENGINE_PROCESS) {
        IP_TRY(make_pipe(pair));
        connection->errors = pair[0], ends->errors = pair[1];
    }
    IP_TRY(ip_pool_reopen(ip_pool_fd(connection->pool), &ends->client_pool));
    IP_TRY(ip_pool_file(&ends->engine_pool));
    IP_TRY(ip_pool_reopen(ends->engine_pool, &connection->engine_pool));
    do_not_block(connection->to);
    do_not_block(connection->from);
    do_not_block(connection->errors);
    return IPOS_OK;
}

static void close_ends(ip_ends *ends)
{
    close_fd(&ends->in);
    close_fd(&ends->out);
    close_fd(&ends->errors);
    close_fd(&ends->client_pool);
    close_fd(&ends->engine_pool);
}

static ipos_status start(ip_connection *connection)
{
    const ip_engine_config *config = connection->config;
    bool process = config->mode == IPOS_ENGINE_PROCESS;
    ip_ends ends;
    char *path = NULL;
    ipos_status status = make_ends(connection, &ends);
    if (status == IPOS_OK)
        status = ip_engine_find(config->path, process ? "interpos-engine" : "interpos_engine.so", &path);
    if (status == IPOS_OK && process)
        status = ip_process_start(path, config->threads, &ends, &connection->process);
    else if (status == IPOS_OK)
        status = ip_engine_thread_start(path, config->threads, &ends, &connection->thread);
    if (!connection->thread)
        close_ends(&ends); /* else they are the thread's */
    ip_free(path);
    return status;
}

static ipos_status wait_for_hello(ip_connection *connection, const ip_cancel *cancel)
{
    enum { PATIENCE = 60 }; /* loading libtorch takes 1 to 2 s, far more from a cold disk on a busy machine */
    ip_message message;
    ip_connection_resume(connection);
    for (;;) {
        IP_TRY(ip_connection_next(connection, .05, &message));
        int type = message.type;
        const char *error = type == IP_HELLO ? json_string_value(json_object_get(message.body, "error")) : NULL;
        ipos_status status = error ? ip_fail(IPOS_ERR_ENGINE, "%s", error) : IPOS_OK;
        if (type)
            ip_message_clear(&message);
        if (type == IP_HELLO)
            return status;
        if (type && type != IP_LOG && type != IP_ALIVE)
            return ip_fail(IPOS_ERR_FORMAT, "it says %s before hello", ip_message_name(type));
        if (ip_cancelled(cancel))
            return ip_fail(IPOS_ERR_CANCELLED, "cancelled while the engine started");
        if (connection->silent > PATIENCE)
            return ip_fail(IPOS_ERR_ENGINE, "it did not answer within %d s of its start", PATIENCE);
    }
}

ipos_status ip_connection_open(const ip_engine_config *config, ip_pool *pool, const ip_cancel *cancel, ip_connection **out)
{
    *out = NULL;
    ip_connection *connection = ip_calloc(1, sizeof *connection);
    if (!connection)
        return IPOS_ERR_NO_MEMORY;
    atomic_init(&connection->refs, 1);
    connection->owner = getpid();
    connection->config = config;
    connection->process = (ip_process){0, -1};
    connection->to = connection->from = connection->errors = connection->engine_pool = -1;
    connection->tick = -1;
    connection->pool = pool;
    ip_pool_retain(pool);
    pthread_mutex_init(&connection->io, NULL);
    pthread_mutex_init(&connection->lock, NULL);
    pthread_mutex_lock(&connection->io);
    ipos_status status = ip_loans_new(&connection->loans);
    if (status == IPOS_OK)
        status = start(connection);
    connection->lender = (ip_lender){1, connection->engine_pool, connection, block_returned, retain, release};
    if (status != IPOS_OK) {
        ip_connection_close(connection, 0, NULL);
        return status;
    }
    status = wait_for_hello(connection, cancel);
    if (status == IPOS_OK)
        *out = connection;
    else if (status == IPOS_ERR_CANCELLED)
        ip_connection_close(connection, 0, NULL);
    else
        status = ip_connection_fail(connection, ipos_last_error());
    return status;
}

void ip_connection_close(ip_connection *connection, double patience, char how[96])
{
    char text[96] = "it was not running";
    bool same = getpid() == connection->owner; /* in a forked child only this process's copies go */
    if (same && connection->process.pid && patience <= 0)
        ip_process_end(&connection->process, 0, text); /* before it sees its pipes end and seems to have left by itself */
    close_fd(&connection->to);
    close_fd(&connection->from);
    if (same && connection->process.pid)
        ip_process_end(&connection->process, patience, text);
    if (same && connection->thread)
        snprintf(text, sizeof text, ip_engine_thread_end(connection->thread, patience) ? "its thread has ended" : "its thread still runs");
    for (int i = 0; i < 64 && same && connection->errors >= 0; i++) {
        struct pollfd polled = {connection->errors, POLLIN, 0};
        if (poll(&polled, 1, 0) <= 0)
            break;
        read_errors(connection);
    }
    close_fd(&connection->errors);
    close_fd(&connection->engine_pool);
    if (how)
        memcpy(how, text, sizeof text);
    ip_loans_free(connection->loans);
    connection->loans = NULL;
    ip_pool_release(connection->pool);
    connection->pool = NULL;
    ip_buffer_free(&connection->incoming);
    ip_buffer_free(&connection->outgoing);
    pthread_mutex_unlock(&connection->io);
    release(connection);
}
