#include "server_state.h"

#include <limits.h>

static ipos_status int_list(const json_t *clip, const char *name, const int64_t **out, size_t *count)
{
    json_t *list;
    *out = NULL;
    IP_TRY(ip_json_member(clip, name, JSON_ARRAY, &list));
    *count = json_array_size(list);
    int64_t *values = ip_alloc(*count * sizeof *values);
    if (!values)
        return IPOS_ERR_NO_MEMORY;
    *out = values;
    for (size_t i = 0; i < *count; i++)
        IP_TRY(ip_json_int_at(list, i, INT64_MIN, INT64_MAX, values + i));
    return IPOS_OK;
}

static ipos_status read_clip(const json_t *json, ip_op_clip *clip)
{
    IP_TRY(ip_json_text(json, "name", &clip->name));
    IP_TRY(ip_json_text(json, "role", &clip->role));
    IP_TRY(ip_json_bool(json, "may_train", &clip->may_train));
    IP_TRY(ip_json_text(json, "encoding", &clip->encoding));
    IP_TRY(ip_json_int(json, "first", INT64_MIN, INT64_MAX, &clip->first));
    IP_TRY(ip_json_int(json, "last", clip->first, INT64_MAX, &clip->last));
    IP_TRY(ip_json_rational(json_object_get(json, "rate"), &clip->rate));
    IP_TRY(int_list(json, "cuts", &clip->cuts, &clip->cut_count));
    IP_TRY(int_list(json, "duplicates", &clip->duplicates, &clip->duplicate_count));
    return int_list(json, "missing", &clip->missing, &clip->missing_count);
}

static ipos_status read_clips(const json_t *body, ip_server_job *job)
{
    json_t *list;
    IP_TRY(ip_json_member(body, "clips", JSON_ARRAY, &list));
    job->clips = ip_calloc(json_array_size(list), sizeof *job->clips);
    if (!job->clips)
        return IPOS_ERR_NO_MEMORY;
    job->host.clips = job->clips;
    for (size_t i = 0; i < json_array_size(list); i++) {
        job->host.clip_count = i + 1; /* as far as it is to be freed */
        IP_TRY(read_clip(json_array_get(list, i), job->clips + i));
    }
    return IPOS_OK;
}

static ipos_status read_times(const json_t *body, ip_server_job *job)
{
    json_t *list;
    IP_TRY(ip_json_member(body, "times", JSON_ARRAY, &list));
    job->times = ip_calloc(json_array_size(list), sizeof *job->times);
    if (!job->times)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < json_array_size(list); i++)
        IP_TRY(ip_json_rational(json_array_get(list, i), job->times + i));
    job->host.times = job->times;
    job->host.time_count = json_array_size(list);
    return IPOS_OK;
}

static ipos_status read_options(const json_t *body, ip_server_job *job)
{
    json_t *object, *value;
    const char *name;
    IP_TRY(ip_json_member(body, "options", JSON_OBJECT, &object));
    job->options = ip_options_new(job->op->spec->options, job->op->spec->option_count);
    if (!job->options)
        return IPOS_ERR_NO_MEMORY;
    job->host.options = job->options;
    json_object_foreach(object, name, value) {
        if (!json_is_string(value))
            return ip_fail(IPOS_ERR_FORMAT, "option %s is not a text", name);
        IP_TRY(ip_options_set(job->options, name, json_string_value(value)));
    }
    return IPOS_OK;
}

static ipos_status find_op(ip_server *server, const json_t *body, bool train, const ip_op **out)
{
    const char *name;
    IP_TRY(ip_json_text(body, "operation", &name));
    for (const ip_op *const *op = server->ops; *op; op++)
        if (strcmp((*op)->spec->name, name) == 0)
            *out = *op;
    if (!*out)
        return ip_fail(IPOS_ERR_NOT_FOUND, "operation %s: this engine does not have it; library and engine are of different builds", name);
    if (train && !(*out)->train)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "operation %s: cannot be trained", name);
    return IPOS_OK;
}

static ipos_status read_training(const json_t *body, ip_op_host *host)
{
    int64_t seed;
    IP_TRY(ip_json_real(body, "seconds", &host->seconds));
    IP_TRY(ip_json_int(body, "steps", 0, INT64_MAX, &host->steps));
    IP_TRY(ip_json_int(body, "seed", INT64_MIN, INT64_MAX, &seed));
    host->seed = (uint64_t)seed;
    return ip_json_real(body, "checkpoint_seconds", &host->checkpoint_seconds);
}

static ipos_status borrow(ip_server *server, const json_t *json, ip_borrowed_bytes *bytes, const void **view, size_t *size)
{
    if (!json)
        return IPOS_OK;
    IP_TRY(ip_bytes_borrow(json, &server->lender, bytes));
    *view = bytes->view;
    *size = bytes->size;
    return IPOS_OK;
}

ipos_status ip_server_job_read(ip_server *server, const ip_message *message, ip_server_job *job)
{
    const json_t *body = message->body;
    bool train = message->type == IP_TRAIN;
    int64_t threads, memory;
    ip_op_host *host = &job->host;
    job->server = server;
    ip_server_host(job);
    IP_TRY(ip_json_int(body, "job", 0, UINT32_MAX, &job->id));
    IP_TRY(find_op(server, body, train, &job->op));
    IP_TRY(ip_json_int(body, "threads", 1, 4096, &threads));
    IP_TRY(ip_json_int(body, "memory", 0, INT64_MAX, &memory));
    IP_TRY(ip_json_text(body, "device", &host->device));
    host->threads = (int)threads;
    host->memory_limit = (uint64_t)memory;
    IP_TRY(read_options(body, job));
    IP_TRY(read_clips(body, job));
    IP_TRY(train ? read_training(body, host) : read_times(body, job));
    IP_TRY(borrow(server, json_object_get(body, "model"), &job->model, &host->model, &host->model_bytes));
    return borrow(server, json_object_get(body, "checkpoint"), &job->checkpoint, &host->checkpoint, &host->checkpoint_bytes);
}

void ip_server_job_free(ip_server_job *job)
{
    for (size_t i = 0; i < job->host.clip_count; i++) {
        ip_free((void *)job->clips[i].cuts);
        ip_free((void *)job->clips[i].duplicates);
        ip_free((void *)job->clips[i].missing);
    }
    ip_free(job->clips);
    ip_free(job->times);
    ip_options_free(job->options);
    ip_bytes_return(&job->model, &job->server->lender);
    ip_bytes_return(&job->checkpoint, &job->server->lender);
    json_decref(job->held_back);
}
