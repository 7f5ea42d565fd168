/* The library's side of an engine: start it, run one job, stop it. One job at a time per engine; a job takes the calling thread. */
#ifndef IP_CLIENT_H
#define IP_CLIENT_H

#include "frame.h"
#include "op.h"

typedef struct ip_engine ip_engine; /* thread-safe: jobs wait for one another, cancel comes from any thread */

typedef struct ip_engine_config {
    int mode;              /* IPOS_ENGINE_PROCESS, IPOS_ENGINE_IN_PROCESS */
    const char *path;      /* absolute, or NULL: beside the library, in ../libexec/interpos/, or where the build put it */
    int threads;
    int watchdog_seconds;
    uint64_t memory_limit;
    void (*log)(void *user, int level, const char *text);
    void *log_user;
} ip_engine_config;

/* Makes the handle and its pool; starts nothing. */
ipos_status ip_engine_new(const ip_engine_config *config, ip_engine **out);
void ip_engine_free(ip_engine *engine); /* stops it */
/* Storage for frames in pool 0, for ip_frame_new; user is the ip_engine. Works before the engine has started. */
ipos_status ip_engine_storage(void *engine, size_t bytes, ip_storage *storage);
ipos_status ip_engine_info(ip_engine *engine, bool measure, char **json);

/* One job. Callbacks come on the calling thread. */
typedef struct ip_job {
    const char *operation;
    bool train;
    const ip_option_spec *specs; /* with */
    const ip_option_values *options;
    const ip_op_clip *clips;
    size_t clip_count;
    const ipos_rational *times;
    size_t time_count;
    const void *model, *checkpoint;
    size_t model_bytes, checkpoint_bytes;
    const char *device;
    int threads;
    double seconds, checkpoint_seconds;
    int64_t steps;
    uint64_t seed;
    void *user;
    ipos_status (*fetch)(void *user, size_t clip, int64_t number, ipos_frame **out); /* the client releases *out */
    ipos_status (*emit)(void *user, const char *variant, ipos_rational time, double confidence, ipos_frame *picture, ipos_frame *evidence);
    ipos_status (*variant)(void *user, const char *variant, const char *title, int rank, double score, const char *details);
    ipos_status (*checkpoint_saved)(void *user, const void *bytes, size_t size);
    ipos_status (*model_saved)(void *user, const void *bytes, size_t size, const char *measured);
    ipos_status (*preview)(void *user, ipos_frame *picture);
    /* The project's cache; both may be NULL. recall: *bytes NULL for nothing, else the client frees them. Failures are the callback's to log. */
    ipos_status (*recall)(void *user, const char *key, void **bytes, size_t *size);
    ipos_status (*keep)(void *user, const char *key, const void *bytes, size_t size);
    ipos_progress_fn progress; /* with user */
    ip_cancel *cancel;
} ip_job;
/* Starts the engine if need be and runs the job to its end. An engine that dies, hangs or talks nonsense is killed and reaped, the
 * job ends with IPOS_ERR_ENGINE and the text says what happened and what to do; the next job starts a fresh one. */
ipos_status ip_engine_run(ip_engine *engine, const ip_job *job);

#endif
