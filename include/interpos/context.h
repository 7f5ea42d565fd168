/* interpos/context.h: the handle everything else hangs from. Part of libinterpos. */
#ifndef INTERPOS_CONTEXT_H
#define INTERPOS_CONTEXT_H

#include <interpos/base.h>
#include <interpos/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Allocator, log and engine of one user of the library. Thread-safe. Contexts share nothing. */
typedef struct ipos_context ipos_context;

enum { IPOS_LOG_ERROR = 1, IPOS_LOG_WARNING = 2, IPOS_LOG_INFO = 3, IPOS_LOG_DEBUG = 4 };

/* Where the engine runs. */
enum {
    IPOS_ENGINE_PROCESS = 0,   /* default: a child process; the host outlives whatever happens in it */
    IPOS_ENGINE_IN_PROCESS = 1 /* a module in this process; refused with IPOS_ERR_CONFLICT if another libtorch is mapped */
};

/* Called from any thread, never concurrently for one context. message is one line without a newline. */
typedef void (*ipos_log_fn)(void *user, int32_t level, const char *message);

typedef struct ipos_context_config {
    uint32_t struct_size;
    uint32_t built_against;   /* IPOS_VERSION of the caller's headers */
    ipos_log_fn log;          /* NULL: nothing is logged */
    void *log_user;
    int32_t log_level;        /* highest level delivered; 0: IPOS_LOG_WARNING */
    int32_t engine_mode;      /* IPOS_ENGINE_PROCESS or IPOS_ENGINE_IN_PROCESS */
    const char *engine_path;  /* absolute path of interpos-engine (or of interpos_engine.so in-process); NULL: beside the
                                 library or in its libexec folder. $PATH and the current folder are never searched. */
    int32_t threads;          /* threads of the engine; 0: the processors this process may use */
    int32_t watchdog_seconds; /* an engine without a sign of work for so long is killed; 0: 120 */
    uint64_t memory_limit;    /* bytes one operation may hold in the engine; 0: 4 GiB */
    const char *ffmpeg_path;  /* absolute path of ffmpeg for movies (ffprobe beside it); NULL: /usr/bin/ffmpeg */
    int32_t checkpoint_seconds; /* training keeps a checkpoint at least so often; 0: 20 */
} ipos_context_config;

/* Makes a context. config may be NULL: all defaults; it is copied. Cheap: no engine is started and no file read. */
IPOS_API IPOS_NODISCARD ipos_status ipos_context_create(const ipos_context_config *config, ipos_context **out);
IPOS_API void ipos_context_retain(ipos_context *context);
/* Dropping the last reference stops the engine. */
IPOS_API void ipos_context_release(ipos_context *context);
/* Starts the engine now, where a host would rather wait at start-up, and returns what it is as JSON:
 * {"engine","libtorch","device":[...],"threads","cpu_capability","conv_gflops":{"inference","training"}} (ipos_free).
 * With measure != 0 the convolution speed is measured (about 2 s), else conv_gflops is left out. */
IPOS_API IPOS_NODISCARD ipos_status ipos_context_engine_info(ipos_context *context, int32_t measure, char **json);

#ifdef __cplusplus
}
#endif
#endif
