/* The clips of a run: the one it works on, and those that options of type clip name. */
#include "api_operation.h"
#include <stdlib.h>

enum { MOST_CLIPS = 256 };

static ipos_status add_name(ip_job_clips *clips, const char *role, const char *begin, size_t length)
{
    while (length && *begin == ' ')
        begin++, length--;
    while (length && begin[length - 1] == ' ')
        length--;
    if (length == 0)
        return ip_fail(IPOS_ERR_ARGUMENT, "setting \"%s\": an empty name among the clips", role);
    if (clips->count == MOST_CLIPS)
        return ip_fail(IPOS_ERR_ARGUMENT, "setting \"%s\": more than %d clips in one run", role, MOST_CLIPS);
    char *name = ip_format("%.*s", (int)length, begin);
    if (!name)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < clips->count; i++) {
        const ip_op_clip *other = &clips->views[i];
        if (strcmp(name, other->name) != 0 || (*other->role && strcmp(other->role, role) != 0))
            continue;
        ipos_status status = ip_fail(IPOS_ERR_ARGUMENT, "setting \"%s\": clip '%s' is %s", role, name,
            *other->role ? "named twice" : "the one to work on: name another");
        ip_free(name);
        return status;
    }
    clips->names[clips->count] = name;
    clips->views[clips->count++] = (ip_op_clip){.name = name, .role = role};
    return IPOS_OK;
}

static ipos_status name_all(const ipos_operation *operation, ip_job_clips *clips)
{
    for (size_t i = 0; i < operation->spec->option_count; i++) {
        const ip_option_spec *option = &operation->spec->options[i];
        const char *list = option->type == IPOS_OPTION_CLIP ? ip_options_text(operation->options, option->name) : "";
        for (const char *at = list; *list;) {
            const char *end = strchrnul(at, ',');
            IP_TRY(add_name(clips, option->name, at, (size_t)(end - at)));
            if (!*end)
                break;
            at = end + 1;
        }
    }
    return IPOS_OK;
}

static ipos_status view_stored(const ipos_operation *operation, ip_job_clips *clips, size_t index)
{
    ip_store *store = operation->project->store;
    ip_op_clip *view = &clips->views[index];
    const char *role = view->role;
    ipos_status status = ip_store_check_permission(store, view->name, operation->spec->name, false);

    if (status == IPOS_OK)
        status = ip_store_clip_get(store, view->name, &clips->stored[index]);
    if (status != IPOS_OK)
        return *role ? ip_fail_in(status, "setting \"%s\"", role) : status;
    ip_clip_view(&clips->stored[index], view);
    view->role = role;
    return IPOS_OK;
}

/* What a host states of its clip holds for its further ones; mattes are numbers, not light. */
static void view_host(const ip_host_input *host, ip_op_clip *view)
{
    const ipos_host_clip *clip = &host->clip;
    const bool data = strcmp(view->role, "matte") == 0 || strcmp(view->role, "holdout") == 0;

    view->encoding = data ? "data" : clip->encoding;
    view->may_train = clip->training == IPOS_TRAINING_ALLOWED;
    view->first = clip->first;
    view->last = clip->last;
    view->rate = clip->rate.den ? clip->rate : (ipos_rational){0, 1};
}

static ipos_status fill(const ipos_operation *operation, ip_job_clips *clips)
{
    const bool host = operation->host.fetch != NULL;

    clips->views = ip_calloc(MOST_CLIPS, sizeof *clips->views);
    clips->names = ip_calloc(MOST_CLIPS, sizeof *clips->names);
    clips->stored = ip_calloc(MOST_CLIPS, sizeof *clips->stored);
    if (!clips->views || !clips->names || !clips->stored)
        return IPOS_ERR_NO_MEMORY;
    clips->views[clips->count++] = (ip_op_clip){.name = host ? operation->host.clip.name : operation->clip, .role = ""};
    if (!host)
        IP_TRY(view_stored(operation, clips, 0)); /* what is wrong with it comes first */
    IP_TRY(name_all(operation, clips));
    for (size_t i = 0; i < clips->count; i++) {
        if (host)
            view_host(&operation->host, &clips->views[i]);
        else if (i > 0)
            IP_TRY(view_stored(operation, clips, i));
    }
    return IPOS_OK;
}

ipos_status ip_job_clips_of(const ipos_operation *operation, ip_job_clips *out)
{
    *out = (ip_job_clips){0};
    ipos_status status = fill(operation, out);
    if (status != IPOS_OK)
        ip_job_clips_free(out);
    return status;
}

void ip_job_clips_free(ip_job_clips *clips)
{
    for (size_t i = 0; i < clips->count; i++) {
        ip_free(clips->names[i]);
        ip_store_clip_free(&clips->stored[i]);
    }
    ip_free(clips->views);
    ip_free(clips->names);
    ip_free(clips->stored);
    *clips = (ip_job_clips){0};
}
