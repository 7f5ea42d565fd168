/* Running an operation: checks, the engine job, where its pictures go. */
#include "api_operation.h"
#include <unistd.h>

typedef struct ip_run {
    ipos_operation *operation;
    ip_job_clips clips;
    ip_option_writer *writer; /* project clips */
    double done;              /* most reported so far */
    ipos_progress_fn progress;
    void *user;
} ip_run;

static ipos_status fetch(void *user, size_t clip, int64_t number, ipos_frame **out)
{
    ip_run *run = user;
    ipos_operation *operation = run->operation;

    *out = NULL;
    if (clip >= run->clips.count)
        return ip_fail(IPOS_ERR_ENGINE, "the engine asked for clip %zu of %zu", clip, run->clips.count);
    const ip_op_clip *view = &run->clips.views[clip];
    if (clip == 0 && !operation->spec->edits && ip_times_has(&operation->times, number))
        return ip_fail(IPOS_ERR_NOT_FOUND, "frame %lld is to be made: it is treated as missing", (long long)number);
    if (operation->host.fetch)
        return ip_host_fetch(operation, clip, view, number, out);
    return ip_store_frame(operation->project->store, view->name, number, out);
}

static ipos_status check_asked(const ipos_operation *operation, ipos_rational time)
{
    if (operation->spec->edits && (time.den != 1 || !ip_times_has(&operation->times, time.num)))
        return ip_fail(IPOS_ERR_ENGINE, "operation '%s': it gave frame %lld/%lld, which nobody asked it to change", operation->spec->name,
            (long long)time.num, (long long)time.den);
    return IPOS_OK;
}

static ipos_status emit(void *user, const char *variant, ipos_rational time, double confidence, ipos_frame *picture, ipos_frame *evidence)
{
    ip_run *run = user;

    IP_TRY(check_asked(run->operation, time));
    if (run->writer)
        return ip_option_add_frame(run->writer, variant, time, confidence, picture, evidence);
    return ip_result_add(run->operation, variant, time, confidence, picture, evidence);
}

static ipos_status variant(void *user, const char *name, const char *title, int rank, double score, const char *details)
{
    ip_run *run = user;

    if (run->writer)
        return ip_option_add(run->writer, name, title, rank, score, details);
    ip_result *result = ip_result_of(run->operation, name);
    if (!result)
        return IPOS_ERR_NO_MEMORY;
    ip_free(result->title);
    ip_free(result->details);
    result->title = ip_strdup(title ? title : name);
    result->details = details ? ip_strdup(details) : NULL;
    result->rank = rank;
    result->score = score;
    return result->title ? IPOS_OK : IPOS_ERR_NO_MEMORY;
}

/* Work that is not remembered is done again: no failure of the request. */
static ipos_status keep(void *user, const char *key, const void *bytes, size_t size)
{
    ip_run *run = user;
    ipos_project *project = run->operation->project;

    if (ip_cache_keep(project->store, key, bytes, size) != IPOS_OK)
        ip_context_log(project->context, IPOS_LOG_WARNING, ipos_last_error());
    return IPOS_OK;
}

static ipos_status recall(void *user, const char *key, void **bytes, size_t *size)
{
    ip_run *run = user;

    return ip_cache_recall(run->operation->project->store, key, bytes, size);
}

static int32_t report(void *user, double done, double remaining, const char *stage, const char *json)
{
    ip_run *run = user;

    run->done = done = IP_MAX(run->done, done);
    return run->progress ? run->progress(run->user, done, remaining, stage, json) : 0;
}

static bool is_missing(const ip_op_clip *clip, int64_t number)
{
    for (size_t i = 0; i < clip->missing_count; i++)
        if (clip->missing[i] == number)
            return true;
    return false;
}

/* What is changed must be there. */
static ipos_status check_there(const ipos_operation *operation, const ip_op_clip *clip)
{
    for (size_t i = 0; i < operation->times.count; i++) {
        const ipos_rational time = operation->times.at[i];
        if (time.den != 1)
            return ip_fail(IPOS_ERR_ARGUMENT, "frames '%s': operation '%s' changes frames that exist: whole numbers, not %lld/%lld",
                operation->frames, operation->spec->name, (long long)time.num, (long long)time.den);
        if (is_missing(clip, time.num))
            return ip_fail(IPOS_ERR_ARGUMENT, "frames '%s': operation '%s' changes frames that exist: clip '%s' has no frame %lld",
                operation->frames, operation->spec->name, clip->name, (long long)time.num);
    }
    return IPOS_OK;
}

static ipos_status check_frames(const ipos_operation *operation, const ip_op_clip *clip)
{
    const ip_times *times = &operation->times;
    const ipos_rational first = times->at[0], last = times->at[times->count - 1];

    if (first.num < (ip_wide)clip->first * first.den || last.num > (ip_wide)clip->last * last.den)
        return ip_fail(IPOS_ERR_ARGUMENT, "frames '%s': clip '%s' has frames %lld to %lld", operation->frames, clip->name,
            (long long)clip->first, (long long)clip->last);
    return operation->spec->edits ? check_there(operation, clip) : IPOS_OK;
}

static ipos_status run_engine(ip_run *run)
{
    ipos_operation *operation = run->operation;
    const ipos_context_config *config = &operation->project->context->config;
    const char *device = ip_options_text(operation->options, "device");
    ip_engine *engine;

    IP_TRY(check_frames(operation, run->clips.views));
    IP_TRY(ip_context_engine(operation->project->context, &engine));
    const ip_job job = {
        .operation = operation->spec->name,
        .specs = operation->spec->options,
        .options = operation->options,
        .clips = run->clips.views,
        .clip_count = run->clips.count,
        .times = operation->times.at,
        .time_count = operation->times.count,
        .model = operation->model ? operation->model->bytes : NULL,
        .model_bytes = operation->model ? operation->model->size : 0,
        .device = device && *device ? device : "auto",
        .threads = config->threads,
        .user = run,
        .fetch = fetch,
        .emit = emit,
        .variant = variant,
        .recall = recall,
        .keep = keep,
        .progress = report,
        .cancel = &operation->cancel,
    };
    return ip_engine_run(engine, &job);
}

static ipos_status begin_options(ip_run *run)
{
    ipos_operation *operation = run->operation;
    const ipos_model *model = operation->model;
    char *parameters;

    IP_TRY(ip_operation_parameters(operation, &parameters));
    ipos_status status = ip_store_options_begin(operation->project->store, operation->spec->name, operation->clip, operation->frames,
        parameters, model ? model->name : NULL, model ? model->hash : NULL, &run->writer);
    ip_free(parameters);
    if (status == IPOS_OK && operation->spec->edits)
        ip_option_edits(run->writer);
    for (size_t i = 1; i < run->clips.count && status == IPOS_OK; i++)
        status = ip_option_add_clip(run->writer, run->clips.views[i].name);
    return status;
}

/* The options stand without their contact sheets: one that cannot be made is only logged. */
static void make_sheets(ipos_operation *operation, char *const *ids, size_t count)
{
    ip_store *store = operation->project->store;

    for (size_t i = 0; i < count; i++) {
        char *path = ip_format("%s/options/%s/sheet.png", ip_store_folder(store), ids[i]);
        if (!path || ip_contact_sheet(store, ids[i], path) != IPOS_OK)
            ip_context_log(operation->project->context, IPOS_LOG_WARNING, ipos_last_error());
        ip_free(path);
    }
}

static ipos_status commit_options(ip_run *run)
{
    char **ids = NULL;
    size_t count = 0;

    ipos_status status = ip_option_commit(run->writer, &ids, &count);
    run->writer = NULL;
    if (status == IPOS_OK) {
        make_sheets(run->operation, ids, count);
        status = ip_results_load(run->operation, ids, count);
    }
    for (size_t i = 0; i < count; i++)
        ip_free(ids[i]);
    ip_free(ids);
    return status;
}

static ipos_status run_project_clip(ip_run *run)
{
    ipos_status status = check_frames(run->operation, run->clips.views);

    if (status == IPOS_OK)
        status = begin_options(run);
    if (status == IPOS_OK)
        status = run_engine(run);
    if (status == IPOS_OK)
        status = commit_options(run);
    if (run->writer)
        ip_option_abandon(run->writer);
    return status;
}

/* A host need not know beforehand which frames it lacks: a job that runs into a hole starts over, knowing of it. */
static ipos_status run_host_clip(ip_run *run)
{
    enum { MOST_HOLES = 64 };
    ip_host_input *host = &run->operation->host;
    ipos_status status;
    size_t holes;

    do {
        holes = host->hole_count;
        run->clips.views[0].missing = host->holes;
        run->clips.views[0].missing_count = holes;
        ip_results_drop(run->operation);
        status = run_engine(run);
    } while (status == IPOS_ERR_NOT_FOUND && host->hole_count > holes && holes < MOST_HOLES);
    IP_TRY(status);
    ip_results_sort(run->operation);
    return ip_host_record(run->operation);
}

static ipos_status run_clips(ip_run *run)
{
    IP_TRY(ip_job_clips_of(run->operation, &run->clips));
    ipos_status status = run->operation->clip ? run_project_clip(run) : run_host_clip(run);
    ip_host_settle(run->operation);
    ip_job_clips_free(&run->clips);
    return status;
}

static ipos_status run_checked(ip_run *run)
{
    ipos_operation *operation = run->operation;

    if (!operation->clip && !operation->host.fetch)
        return ip_fail(IPOS_ERR_STATE, "operation '%s' has no input: call ipos_operation_set_clip or _set_host_clip first", operation->spec->name);
    if (operation->times.count == 0)
        return ip_fail(IPOS_ERR_STATE, "operation '%s' has no frames to work on: call ipos_operation_set_frames first", operation->spec->name);
    ip_results_clear(operation);
    IP_TRY(ip_enter(operation->project));
    ipos_status status = run_clips(run);
    if (status == IPOS_OK)
        operation->finished = true;
    else
        ip_results_clear(operation);
    return ip_leave(operation->project, status);
}

ipos_status ipos_operation_run(ipos_operation *operation, ipos_progress_fn progress, void *user)
{
    ip_run run = {.operation = operation, .progress = progress, .user = user};

    IP_TRY(ip_operation_enter(operation));
    ipos_operation_retain(operation); /* a callback may drop the caller's reference */
    operation->running = true;
    /* A cancel that came before the run stops it too: with threads nobody can tell which was first. */
    ipos_status status = run_checked(&run);
    operation->running = false;
    atomic_store_explicit(&operation->cancel.set, 0, memory_order_relaxed);
    ip_operation_leave(operation, status);
    ipos_operation_release(operation);
    return status;
}
