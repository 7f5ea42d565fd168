/* What a training run starts from: clips, permissions, settings, a checkpoint. */
#include "api_train.h"
#include <stdlib.h>

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static ipos_status add_name(ip_train *train, const char *begin, size_t length)
{
    while (length && *begin == ' ')
        begin++, length--;
    while (length && begin[length - 1] == ' ')
        length--;
    if (length == 0)
        return ip_fail(IPOS_ERR_ARGUMENT, "clips: an empty name in '%s'", train->config.clips);
    char **grown = ip_realloc(train->names, (train->name_count + 1) * sizeof *grown);
    if (!grown)
        return IPOS_ERR_NO_MEMORY;
    train->names = grown;
    char *name = ip_format("%.*s", (int)length, begin);
    if (!name)
        return IPOS_ERR_NO_MEMORY;
    train->names[train->name_count++] = name;
    return IPOS_OK;
}

static ipos_status split_names(ip_train *train, const char *list)
{
    for (const char *at = list; *list;) {
        const char *end = strchrnul(at, ',');
        IP_TRY(add_name(train, at, (size_t)(end - at)));
        if (!*end)
            break;
        at = end + 1;
    }
    return IPOS_OK;
}

/* Sorted, so that the order in which clips are named does not change what is learned. */
static void sort_names(ip_train *train)
{
    size_t kept = 0;

    if (train->name_count)
        qsort(train->names, train->name_count, sizeof *train->names, by_name);
    for (size_t i = 0; i < train->name_count; i++) {
        if (kept && strcmp(train->names[kept - 1], train->names[i]) == 0)
            ip_free(train->names[i]);
        else
            train->names[kept++] = train->names[i];
    }
    train->name_count = kept;
}

/* Every clip that may be learned from, for this operation. */
static ipos_status take_all_allowed(ip_train *train)
{
    char *all = NULL;
    size_t kept = 0;

    IP_TRY(ip_store_trainable(train->project->store, &all));
    ipos_status status = split_names(train, all ? all : "");
    ip_free(all);
    IP_TRY(status);
    for (size_t i = 0; i < train->name_count; i++) {
        status = ip_store_check_permission(train->project->store, train->names[i], train->spec->name, true);
        if (status == IPOS_OK)
            train->names[kept++] = train->names[i];
        else
            ip_free(train->names[i]);
    }
    train->name_count = kept;
    return IPOS_OK;
}

ipos_status ip_train_permissions(const ip_train *train)
{
    for (size_t i = 0; i < train->name_count; i++)
        IP_TRY(ip_store_check_permission(train->project->store, train->names[i], train->spec->name, true));
    return IPOS_OK;
}

static ipos_status load_clips(ip_train *train)
{
    if (train->config.clips)
        IP_TRY(split_names(train, train->config.clips));
    else
        IP_TRY(take_all_allowed(train));
    sort_names(train);
    if (train->name_count == 0)
        return ip_fail(IPOS_ERR_PERMISSION, "no clip of this project may be trained on for '%s': ingest one with training allowed",
            train->spec->name);
    IP_TRY(ip_train_permissions(train));
    train->clips = ip_calloc(train->name_count, sizeof *train->clips);
    train->views = ip_calloc(train->name_count, sizeof *train->views);
    if (!train->clips || !train->views)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < train->name_count; i++) {
        IP_TRY(ip_store_clip_get(train->project->store, train->names[i], &train->clips[i]));
        ip_clip_view(&train->clips[i], &train->views[i]);
    }
    return IPOS_OK;
}

static ipos_status describe(ip_train *train)
{
    json_t *names = json_array();

    for (size_t i = 0; i < train->name_count; i++)
        json_array_append_new(names, json_string(train->names[i]));
    train->request = json_pack("{s:s,s:s,s:o,s:I,s:s,s:i,s:f,s:I}", "project", ip_store_id(train->project->store), "operation", train->spec->name, "clips", names, "seed",
        (json_int_t)train->config.seed, "device", train->config.device, "threads", (int)train->config.threads, "minutes",
        train->config.minutes, "steps", (json_int_t)train->config.steps);
    return train->request ? IPOS_OK : ip_fail(IPOS_ERR_ARGUMENT, "training settings hold text that is not UTF-8");
}

/* A budget may be raised and the machine changed; what is learned and how it began may not. */
static ipos_status check_same(const ip_train *train, json_t *stored)
{
    static const char *const fixed[] = {"operation", "clips", "seed"};

    if (!json_equal(json_object_get(train->request, "project"), json_object_get(stored, "project")))
        return ip_fail(IPOS_ERR_PERMISSION, "model '%s': its checkpoint was made in another project: remove it and train on this project's own footage",
            train->config.name);
    for (size_t i = 0; i < IP_COUNT(fixed); i++)
        if (!json_equal(json_object_get(train->request, fixed[i]), json_object_get(stored, fixed[i])))
            return ip_fail(IPOS_ERR_CONFLICT, "model '%s': its checkpoint was made with other %s: repeat them, or train a new model under another name",
                train->config.name, fixed[i]);
    return IPOS_OK;
}

static ipos_status load_checkpoint(ip_train *train)
{
    char *settings = NULL;
    ipos_status status = ip_store_checkpoint_load(train->project->store, train->config.name, &settings, &train->checkpoint,
        &train->checkpoint_bytes);

    if (status == IPOS_ERR_NOT_FOUND)
        return IPOS_OK;
    IP_TRY(status);
    json_t *stored = json_loads(settings ? settings : "", 0, NULL);
    ip_free(settings);
    if (!stored)
        return ip_fail(IPOS_ERR_FORMAT, "model '%s': the checkpoint's settings cannot be read: train without resume", train->config.name);
    status = check_same(train, stored);
    train->elapsed = json_number_value(json_object_get(stored, "elapsed"));
    const char *started = json_string_value(json_object_get(stored, "started"));
    if (started)
        snprintf(train->started, sizeof train->started, "%s", started);
    json_decref(stored);
    return status;
}

ipos_status ip_train_prepare(ip_train *train)
{
    train->begun = ip_now();
    ip_utc_text(train->started);
    IP_TRY(load_clips(train));
    IP_TRY(describe(train));
    return train->config.resume ? load_checkpoint(train) : IPOS_OK;
}

void ip_train_clear(ip_train *train)
{
    for (size_t i = 0; i < train->name_count; i++) {
        ip_free(train->names[i]);
        if (train->clips)
            ip_store_clip_free(&train->clips[i]);
    }
    ip_free(train->names);
    ip_free(train->clips);
    ip_free(train->views);
    ip_free(train->checkpoint);
    json_decref(train->request);
    json_decref(train->look);
    ipos_frame_release(train->preview);
}

ipos_status ip_train_settings(const ip_train *train, char **json)
{
    json_t *settings = json_deep_copy(train->request);

    json_object_set_new(settings, "elapsed", json_real(train->elapsed + ip_now() - train->begun));
    json_object_set_new(settings, "started", json_string(train->started));
    if (train->config.operator_name)
        json_object_set_new(settings, "operator", json_string(train->config.operator_name));
    return ip_json_give(settings, json);
}

char *ip_train_clip_list(const ip_train *train)
{
    ip_buffer list = {0};

    for (size_t i = 0; i < train->name_count; i++)
        ip_buffer_printf(&list, "%s%s", i ? "," : "", train->names[i]);
    return ip_buffer_take(&list);
}
