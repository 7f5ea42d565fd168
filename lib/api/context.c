/* Contexts: configuration, log, the engine made on first use. */
#include "api.h"
#include <unistd.h>

static ipos_status check_path(const char *path, const char *what)
{
    if (path && path[0] != '/')
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: '%s' is not an absolute path", what, path);
    return IPOS_OK;
}

static ipos_status check_config(const ipos_context_config *config)
{
    if (config->built_against && config->built_against >> 16 != IPOS_VERSION_MAJOR)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "built_against: the caller was built for libinterpos %u.%u, this is %s",
            config->built_against >> 16, config->built_against >> 8 & 255, ipos_version_text());
    if (config->log_level < 0 || config->log_level > IPOS_LOG_DEBUG)
        return ip_fail(IPOS_ERR_ARGUMENT, "log_level: %d is not 0..%d", config->log_level, IPOS_LOG_DEBUG);
    if (config->engine_mode != IPOS_ENGINE_PROCESS && config->engine_mode != IPOS_ENGINE_IN_PROCESS)
        return ip_fail(IPOS_ERR_ARGUMENT, "engine_mode: %d is neither IPOS_ENGINE_PROCESS nor IPOS_ENGINE_IN_PROCESS",
            config->engine_mode);
    if (config->threads < 0 || config->threads > 1024)
        return ip_fail(IPOS_ERR_ARGUMENT, "threads: %d is not 0..1024", config->threads);
    if (config->watchdog_seconds < 0 || config->checkpoint_seconds < 0)
        return ip_fail(IPOS_ERR_ARGUMENT, "watchdog_seconds %d, checkpoint_seconds %d: must not be negative",
            config->watchdog_seconds, config->checkpoint_seconds);
    IP_TRY(check_path(config->engine_path, "engine_path"));
    return check_path(config->ffmpeg_path, "ffmpeg_path");
}

static void fill_defaults(ipos_context_config *config)
{
    if (!config->log_level)
        config->log_level = IPOS_LOG_WARNING;
    if (!config->threads)
        config->threads = ip_processors();
    if (!config->watchdog_seconds)
        config->watchdog_seconds = 120;
    if (!config->memory_limit)
        config->memory_limit = UINT64_C(4) << 30;
    if (!config->checkpoint_seconds)
        config->checkpoint_seconds = 20;
}

static void destroy(ipos_context *context)
{
    context->magic = 0;
    /* In a fork the engine, its pipes and pools are still the parent's: leaving them alone costs the child some memory only. */
    if (context->pid == getpid())
        ip_engine_free(context->engine);
    pthread_mutex_destroy(&context->lock);
    pthread_mutex_destroy(&context->log_lock);
    ip_free((char *)context->config.engine_path);
    ip_free((char *)context->config.ffmpeg_path);
    ip_free(context);
}

static ipos_status copy_texts(ipos_context *context, const ipos_context_config *config)
{
    context->config.engine_path = context->config.ffmpeg_path = NULL;
    if (config->engine_path && !(context->config.engine_path = ip_strdup(config->engine_path)))
        return IPOS_ERR_NO_MEMORY;
    if (config->ffmpeg_path && !(context->config.ffmpeg_path = ip_strdup(config->ffmpeg_path)))
        return IPOS_ERR_NO_MEMORY;
    return IPOS_OK;
}

ipos_status ipos_context_create(const ipos_context_config *config, ipos_context **out)
{
    ipos_context_config taken = {sizeof taken};

    IP_OUT(out);
    if (config)
        IP_TRY(ip_take_config(&taken, sizeof taken, config, sizeof taken, "ipos_context_config"));
    IP_TRY(check_config(&taken));
    fill_defaults(&taken);
    ipos_context *context = ip_calloc(1, sizeof *context);
    if (!context)
        return IPOS_ERR_NO_MEMORY;
    context->config = taken;
    context->magic = IP_MAGIC_CONTEXT;
    context->pid = getpid();
    atomic_init(&context->refs, 1);
    if (ip_new_lock(&context->lock) != IPOS_OK || ip_new_lock(&context->log_lock) != IPOS_OK) {
        ip_free(context);
        return IPOS_ERR_NO_MEMORY;
    }
    ipos_status status = copy_texts(context, &taken);
    if (status != IPOS_OK)
        destroy(context);
    else
        *out = context;
    return status;
}

void ipos_context_retain(ipos_context *context)
{
    if (context && context->magic == IP_MAGIC_CONTEXT)
        atomic_fetch_add_explicit(&context->refs, 1, memory_order_relaxed);
}

void ipos_context_release(ipos_context *context)
{
    if (context && context->magic == IP_MAGIC_CONTEXT && atomic_fetch_sub_explicit(&context->refs, 1, memory_order_acq_rel) == 1)
        destroy(context);
}

void ip_context_log(void *user, int level, const char *text)
{
    ipos_context *context = user;

    if (!context->config.log || level > context->config.log_level)
        return;
    pthread_mutex_lock(&context->log_lock);
    context->config.log(context->config.log_user, level, text);
    pthread_mutex_unlock(&context->log_lock);
}

ipos_status ip_context_engine(ipos_context *context, ip_engine **out)
{
    ipos_status status = IPOS_OK;

    *out = NULL;
    if (context->pid != getpid())
        return ip_fail(IPOS_ERR_STATE, "context: made before a fork: make a new one in this process");
    pthread_mutex_lock(&context->lock);
    if (!context->engine) {
        const ip_engine_config config = {
            .mode = context->config.engine_mode,
            .path = context->config.engine_path,
            .threads = context->config.threads,
            .watchdog_seconds = context->config.watchdog_seconds,
            .memory_limit = context->config.memory_limit,
            .log = ip_context_log,
            .log_user = context,
        };
        status = ip_engine_new(&config, &context->engine);
    }
    *out = context->engine;
    pthread_mutex_unlock(&context->lock);
    return status;
}

ipos_status ip_context_storage(void *user, size_t bytes, ip_storage *storage)
{
    ip_engine *engine;

    IP_TRY(ip_context_engine(user, &engine));
    return ip_engine_storage(engine, bytes, storage);
}

void ip_context_env(ipos_context *context, ip_io_env *env)
{
    *env = (ip_io_env){
        .make = ip_context_storage,
        .make_user = context,
        .memory_limit = context->config.memory_limit,
        .ffmpeg_path = context->config.ffmpeg_path,
    };
}

static void drop_context(void *context)
{
    ipos_context_release(context);
}

void ip_adopt_frame(ipos_context *context, ipos_frame *frame)
{
    if (!frame || frame->parent)
        return;
    ipos_context_retain(context);
    frame->parent = context;
    frame->parent_release = drop_context;
}

ipos_status ipos_context_engine_info(ipos_context *context, int32_t measure, char **json)
{
    ip_engine *engine;

    IP_OUT(json);
    IP_TRY(ip_check_context(context));
    IP_TRY(ip_context_engine(context, &engine));
    return ip_engine_info(engine, measure != 0, json);
}
