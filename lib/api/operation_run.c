/* Running an operation: checks, the engine job, where its pictures go. */
#include "api_operation.h"
#include <unistd.h>

typedef struct ip_run {
    ipos_operation *operation;
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
    if (clip != 0)
        return ip_fail(IPOS_ERR_ENGINE, "the engine asked for clip %zu of 1", clip);
    if (ip_times_has(&operation->times, number))
        return ip_fail(IPOS_ERR_NOT_FOUND, "frame %lld is to be made: it is treated as missing", (long long)number);
    if (operation->host.fetch)
        return ip_host_fetch(operation, number, out);
    return ip_store_frame(operation->project->store, operation->clip, number, out);
}

static ipos_status emit(void *user, const char *variant, ipos_rational time, double confidence, ipos_frame *picture, ipos_frame *evidence)
{
    ip_run *run = user;

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

static int32_t report(void *user, double done, double remaining, const char *stage, const char *json)
{
    ip_run *run = user;

    run->done = done = IP_MAX(run->done, done);
    return run->progress ? run->progress(run->user, done, remaining, stage, json) : 0;
}

static ipos_status check_bounds(const ipos_operation *operation, const ip_op_clip *clip)
{
    const ip_times *times = &operation->times;
    const ipos_rational first = times->at[0], last = times->at[times->count - 1];

    if (first.num < (ip_wide)clip->first * first.den || last.num > (ip_wide)clip->last * last.den)
        return ip_fail(IPOS_ERR_ARGUMENT, "frames '%s': clip '%s' has frames %lld to %lld", operation->frames, clip->name,
            (long long)clip->first, (long long)clip->last);
    return IPOS_OK;
}

static ipos_status run_engine(ip_run *run, const ip_op_clip *clip)
{
    ipos_operation *operation = run->operation;
    const ipos_context_config *config = &operation->project->context->config;
    const char *device = ip_options_text(operation->options, "device");
    ip_engine *engine;

    IP_TRY(check_bounds(operation, clip));
    IP_TRY(ip_context_engine(operation->project->context, &engine));
    const ip_job job = {
        .operation = operation->spec->name,
        .specs = operation->spec->options,
        .options = operation->options,
        .clips = clip,
        .clip_count = 1,
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
    ipos_operation *operation = run->operation;
    ip_store *store = operation->project->store;
    ip_store_clip clip = {0};
    ip_op_clip view;

    IP_TRY(ip_store_clip_get(store, operation->clip, &clip));
    ip_clip_view(&clip, &view);
    ipos_status status = ip_store_check_permission(store, operation->clip, operation->spec->name, false);
    if (status == IPOS_OK)
        status = check_bounds(operation, &view);
    if (status == IPOS_OK)
        status = begin_options(run);
    if (status == IPOS_OK)
        status = run_engine(run, &view);
    if (status == IPOS_OK)
        status = commit_options(run);
    if (run->writer)
        ip_option_abandon(run->writer);
    ip_store_clip_free(&clip);
    return status;
}

/* A host need not know beforehand which frames it lacks: a job that runs into a hole starts over, knowing of it. */
static ipos_status run_host_clip(ip_run *run)
{
    enum { MOST_HOLES = 64 };
    const ipos_rational unknown = {0, 1};
    ip_host_input *host = &run->operation->host;
    const ipos_host_clip *clip = &host->clip;
    ipos_status status;
    size_t holes;

    do {
        const ip_op_clip view = {.name = clip->name, .encoding = clip->encoding, .first = clip->first, .last = clip->last,
            .rate = clip->rate.den ? clip->rate : unknown, .missing = host->holes, .missing_count = host->hole_count};
        holes = host->hole_count;
        ip_results_drop(run->operation);
        status = run_engine(run, &view);
    } while (status == IPOS_ERR_NOT_FOUND && host->hole_count > holes && holes < MOST_HOLES);
    IP_TRY(status);
    ip_results_sort(run->operation);
    return ip_host_record(run->operation);
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
    ipos_status status = operation->clip ? run_project_clip(run) : run_host_clip(run);
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
