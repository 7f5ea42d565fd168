/* Projects: every call checks the handle, takes it for this thread and forwards to the store. */
#include "api.h"

static ipos_status wrap_store(ipos_context *context, ip_store *store, ipos_project **out)
{
    ipos_project *project = ip_calloc(1, sizeof *project);

    if (!project || ip_new_lock(&project->lock) != IPOS_OK) {
        ip_free(project);
        ip_store_close(store);
        return IPOS_ERR_NO_MEMORY;
    }
    project->magic = IP_MAGIC_PROJECT;
    atomic_init(&project->refs, 1);
    ipos_context_retain(context);
    project->context = context;
    project->store = store;
    *out = project;
    return IPOS_OK;
}

ipos_status ipos_project_create(ipos_context *context, const char *folder, const char *title, ipos_project **out)
{
    ip_io_env env;
    ip_store *store;

    IP_OUT(out);
    IP_TRY(ip_check_context(context));
    IP_TRY(ip_check_text(folder, "folder"));
    ip_context_env(context, &env);
    IP_TRY(ip_store_create(folder, title, &env, &store));
    return wrap_store(context, store, out);
}

ipos_status ipos_project_open(ipos_context *context, const char *folder, ipos_project **out)
{
    ip_io_env env;
    ip_store *store;

    IP_OUT(out);
    IP_TRY(ip_check_context(context));
    IP_TRY(ip_check_text(folder, "folder"));
    ip_context_env(context, &env);
    IP_TRY(ip_store_open(folder, &env, &store));
    return wrap_store(context, store, out);
}

void ipos_project_retain(ipos_project *project)
{
    if (project && project->magic == IP_MAGIC_PROJECT)
        atomic_fetch_add_explicit(&project->refs, 1, memory_order_relaxed);
}

void ipos_project_release(ipos_project *project)
{
    if (!project || project->magic != IP_MAGIC_PROJECT || atomic_fetch_sub_explicit(&project->refs, 1, memory_order_acq_rel) != 1)
        return;
    project->magic = 0;
    ip_store_close(project->store);
    pthread_mutex_destroy(&project->lock);
    ipos_context_release(project->context);
    ip_free(project);
}

ipos_status ipos_project_info(ipos_project *project, char **json)
{
    IP_OUT(json);
    IP_TRY(ip_enter(project));
    return ip_leave(project, ip_store_info_json(project->store, json));
}

ipos_status ipos_project_ingest(ipos_project *project, const char *footage, const ipos_clip_config *config,
    ipos_progress_fn progress, void *user)
{
    ipos_clip_config taken;

    IP_NEED(config);
    IP_TRY(ip_check_text(footage, "footage"));
    IP_TRY(ip_take_config(&taken, sizeof taken, config, sizeof taken, "ipos_clip_config"));
    IP_TRY(ip_enter(project));
    return ip_leave(project, ip_store_ingest(project->store, footage, &taken, progress, user));
}

ipos_status ipos_project_clips(ipos_project *project, const char *name, char **json)
{
    IP_OUT(json);
    IP_TRY(ip_enter(project));
    return ip_leave(project, ip_store_clips_json(project->store, name, json));
}

ipos_status ipos_project_frame(ipos_project *project, const char *clip, int64_t number, ipos_frame **out)
{
    IP_OUT(out);
    IP_TRY(ip_check_text(clip, "clip"));
    IP_TRY(ip_enter(project));
    ipos_status status = ip_store_source_frame(project->store, clip, number, out);
    if (status == IPOS_OK)
        ip_adopt_frame(project->context, *out);
    return ip_leave(project, status);
}

ipos_status ipos_project_set_training(ipos_project *project, const char *clip, int32_t training, const char *by, const char *note)
{
    IP_TRY(ip_check_text(clip, "clip"));
    IP_TRY(ip_check_text(by, "by (the person who decides)"));
    if (training != IPOS_TRAINING_ALLOWED && training != IPOS_TRAINING_DENIED)
        return ip_fail(IPOS_ERR_ARGUMENT, "training: %d is neither IPOS_TRAINING_ALLOWED nor IPOS_TRAINING_DENIED", training);
    IP_TRY(ip_enter(project));
    return ip_leave(project, ip_store_set_training(project->store, clip, training, by, note));
}

ipos_status ipos_project_options(ipos_project *project, const char *id, char **json)
{
    IP_OUT(json);
    IP_TRY(ip_enter(project));
    return ip_leave(project, ip_store_options_json(project->store, id, json));
}

ipos_status ipos_option_frame(ipos_project *project, const char *id, size_t index, int32_t evidence, ipos_frame **out)
{
    IP_OUT(out);
    IP_TRY(ip_check_text(id, "option id"));
    IP_TRY(ip_enter(project));
    ipos_status status = ip_store_option_frame(project->store, id, index, evidence != 0, out);
    if (status == IPOS_OK)
        ip_adopt_frame(project->context, *out);
    return ip_leave(project, status);
}

static ipos_status decide(ipos_project *project, const char *id, bool accept, const char *by, const char *note)
{
    IP_TRY(ip_check_text(id, "option id"));
    IP_TRY(ip_check_text(by, "by (the person who decides)"));
    IP_TRY(ip_enter(project));
    return ip_leave(project, ip_store_decide(project->store, id, accept, by, note));
}

ipos_status ipos_option_accept(ipos_project *project, const char *id, const char *by, const char *note)
{
    return decide(project, id, true, by, note);
}

ipos_status ipos_option_reject(ipos_project *project, const char *id, const char *by, const char *note)
{
    return decide(project, id, false, by, note);
}

ipos_status ipos_option_publish(ipos_project *project, const char *id, const char *output, ipos_progress_fn progress, void *user,
    char **json)
{
    if (json)
        *json = NULL;
    IP_TRY(ip_check_text(id, "option id"));
    IP_TRY(ip_check_text(output, "output"));
    IP_TRY(ip_enter(project));
    return ip_leave(project, ip_publish(project->store, id, output, progress, user, json));
}

ipos_status ipos_project_ledger(ipos_project *project, char **json)
{
    IP_OUT(json);
    IP_TRY(ip_enter(project));
    return ip_leave(project, ip_ledger_json(project->store, json));
}

ipos_status ipos_project_verify(ipos_project *project, int32_t footage, ipos_progress_fn progress, void *user, char **json)
{
    char *report = NULL;

    if (json)
        *json = NULL;
    IP_TRY(ip_enter(project));
    ipos_status status = ip_store_verify(project->store, footage != 0, progress, user, &report);
    if (json)
        *json = report;
    else
        ip_free(report);
    return ip_leave(project, status);
}
