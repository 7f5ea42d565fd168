#include "client.h"
#include "job.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

struct ip_engine {
    ip_engine_config config; /* texts are the handle's own */
    pid_t owner;
    pthread_mutex_t lock;    /* one job at a time */
    atomic_ulong runner;     /* the thread that runs it, 0: none */
    ip_pool *pool;
    ip_connection *connection;
    uint32_t job;
};

ipos_status ip_engine_new(const ip_engine_config *config, ip_engine **out)
{
    int fd = -1;
    *out = NULL;
    ip_engine *engine = ip_calloc(1, sizeof *engine);
    char *path = config->path ? ip_strdup(config->path) : NULL;
    if (!engine || (config->path && !path)) {
        ip_free(engine);
        ip_free(path);
        return IPOS_ERR_NO_MEMORY;
    }
    ipos_status status = ip_pool_file(&fd);
    if (status == IPOS_OK)
        status = ip_pool_new(0, fd, true, &engine->pool);
    if (status != IPOS_OK) {
        if (fd >= 0)
            close(fd);
        ip_free(engine);
        ip_free(path);
        return status;
    }
    engine->config = *config;
    engine->config.path = path;
    if (engine->config.threads <= 0)
        engine->config.threads = ip_processors();
    if (engine->config.watchdog_seconds <= 0)
        engine->config.watchdog_seconds = 120;
    if (engine->config.memory_limit == 0)
        engine->config.memory_limit = (uint64_t)4 << 30;
    engine->owner = getpid();
    pthread_mutex_init(&engine->lock, NULL);
    *out = engine;
    return IPOS_OK;
}

ipos_status ip_engine_storage(void *user, size_t bytes, ip_storage *storage)
{
    return ip_pool_storage(((ip_engine *)user)->pool, bytes, storage);
}

/* Waits for other jobs of this engine, but not when cancelled, and not for itself. */
static ipos_status acquire(ip_engine *engine, const ip_cancel *cancel)
{
    if (getpid() != engine->owner)
        return ip_fail(IPOS_ERR_STATE, "engine: belongs to the process before fork(); a forked child needs a context of its own");
    if (atomic_load(&engine->runner) == (unsigned long)pthread_self())
        return ip_fail(IPOS_ERR_STATE, "engine: a callback of a job cannot start another job on the same context");
    for (;;) {
        struct timespec until;
        if (ip_cancelled(cancel))
            return ip_fail(IPOS_ERR_CANCELLED, "cancelled before the engine was free for it");
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += 50000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        if (pthread_mutex_clocklock(&engine->lock, CLOCK_MONOTONIC, &until) == 0)
            break;
    }
    atomic_store(&engine->runner, (unsigned long)pthread_self());
    return IPOS_OK;
}

static void let_go(ip_engine *engine)
{
    if (engine->connection)
        pthread_mutex_unlock(&engine->connection->io);
    atomic_store(&engine->runner, 0);
    pthread_mutex_unlock(&engine->lock);
}

/* Reads what an idle engine said; false if it is of no more use. */
static bool still_good(ip_connection *connection)
{
    for (;;) {
        ip_message message;
        if (ip_connection_next(connection, 0, &message) != IPOS_OK)
            return false;
        if (message.type == 0)
            return true;
        json_t *block = json_object_get(message.body, "block");
        int type = message.type;
        if (type == IP_RELEASE)
            ip_loans_return(connection->loans, (uint64_t)json_integer_value(json_object_get(block, "offset")));
        ip_message_clear(&message);
        if (type != IP_RELEASE && type != IP_ALIVE && type != IP_LOG)
            return false;
    }
}

static ipos_status connect_engine(ip_engine *engine, const ip_cancel *cancel)
{
    if (engine->connection) {
        pthread_mutex_lock(&engine->connection->io);
        if (still_good(engine->connection))
            return IPOS_OK;
        ip_connection_close(engine->connection, 0, NULL);
        engine->connection = NULL;
    }
    return ip_connection_open(&engine->config, engine->pool, cancel, &engine->connection);
}

static ipos_status run(ip_engine *engine, const ip_job *job, bool measure, char **info)
{
    bool broken = false;
    const ip_cancel *cancel = job ? job->cancel : NULL;
    IP_TRY(acquire(engine, cancel));
    ipos_status status = connect_engine(engine, cancel);
    if (status != IPOS_OK) {
        let_go(engine);
        return status;
    }
    status = ip_job_start(engine->connection, job, ++engine->job, measure);
    if (status != IPOS_OK) {
        ip_connection_close(engine->connection, 1, NULL); /* takes back what was lent for it */
        engine->connection = NULL;
    } else {
        status = ip_job_pump(engine->connection, job, engine->job, info, &broken);
    }
    if (broken)
        engine->connection = NULL;
    let_go(engine);
    return status;
}

ipos_status ip_engine_run(ip_engine *engine, const ip_job *job)
{
    return run(engine, job, false, NULL);
}

ipos_status ip_engine_info(ip_engine *engine, bool measure, char **json)
{
    *json = NULL;
    IP_TRY(run(engine, NULL, measure, json));
    return *json ? IPOS_OK : ip_fail(IPOS_ERR_ENGINE, "engine: it says nothing about itself");
}

void ip_engine_free(ip_engine *engine)
{
    if (!engine)
        return;
    /* In a forked child a lock may be held by a thread that does not exist there. */
    if (engine->connection && (getpid() == engine->owner ? pthread_mutex_lock(&engine->connection->io) == 0
                                                          : pthread_mutex_trylock(&engine->connection->io) == 0))
        ip_connection_close(engine->connection, 2, NULL);
    ip_pool_release(engine->pool);
    pthread_mutex_destroy(&engine->lock);
    ip_free((char *)engine->config.path);
    ip_free(engine);
}
