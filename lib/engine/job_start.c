#include "job.h"

static json_t *int_list(const int64_t *values, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(list, json_integer(values[i])) != 0)
            break;
    if (json_array_size(list) == count)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *clip_json(const ip_op_clip *clip)
{
    return json_pack("{s:o,s:o,s:b,s:o,s:I,s:I,s:o,s:o,s:o,s:o}", "name", ip_json_from_text(clip->name), "role",
        ip_json_from_text(clip->role), "may_train", clip->may_train, "encoding", ip_json_from_text(clip->encoding), "first", (json_int_t)clip->first, "last", (json_int_t)clip->last, "rate",
        ip_json_from_rational(clip->rate), "cuts", int_list(clip->cuts, clip->cut_count), "duplicates",
        int_list(clip->duplicates, clip->duplicate_count), "missing", int_list(clip->missing, clip->missing_count));
}

static json_t *clips_json(const ip_job *job)
{
    json_t *list = json_array();
    for (size_t i = 0; i < job->clip_count; i++)
        json_array_append_new(list, clip_json(job->clips + i));
    return list;
}

static json_t *times_json(const ip_job *job)
{
    json_t *list = json_array();
    for (size_t i = 0; i < job->time_count; i++)
        json_array_append_new(list, ip_json_from_rational(job->times[i]));
    return list;
}

static json_t *options_json(const ip_job *job)
{
    json_t *options = json_object();
    for (size_t i = 0; i < ip_options_count(job->options); i++)
        json_object_set_new(options, job->specs[i].name, json_string(ip_options_text(job->options, job->specs[i].name)));
    return options;
}

static bool complete(const json_t *body, const ip_job *job)
{
    return json_object_size(json_object_get(body, "options")) == ip_options_count(job->options) &&
        json_array_size(json_object_get(body, "clips")) == job->clip_count &&
        (job->train || json_array_size(json_object_get(body, "times")) == job->time_count);
}

static ipos_status lend(ip_connection *connection, json_t *body, const char *name, const void *bytes, size_t size)
{
    json_t *block;
    if (!bytes || !size)
        return IPOS_OK;
    IP_TRY(ip_bytes_lend(bytes, size, connection->pool, connection->loans, &block));
    return json_object_set_new(body, name, json_pack("{s:o}", "block", block)) == 0 ? IPOS_OK : ip_no_memory(256);
}

ipos_status ip_job_start(ip_connection *connection, const ip_job *job, uint32_t id, bool measure)
{
    if (!job)
        return ip_connection_send(connection, IP_INFO, json_pack("{s:I,s:b}", "job", (json_int_t)id, "measure", measure));
    if (!job->operation || (ip_options_count(job->options) && !job->specs))
        return ip_fail(IPOS_ERR_ARGUMENT, "job: no operation, or settings without their specs");
    json_t *body = json_pack("{s:I,s:o,s:o,s:o,s:i,s:I,s:o}", "job", (json_int_t)id, "operation", ip_json_from_text(job->operation),
        "options", options_json(job), "clips", clips_json(job), "threads", job->threads > 0 ? job->threads : connection->config->threads,
        "memory", (json_int_t)IP_MIN(connection->config->memory_limit, (uint64_t)INT64_MAX), "device",
        ip_json_from_text(job->device ? job->device : "auto"));
    if (job->train) {
        json_object_set_new(body, "seconds", ip_json_from_real(job->seconds));
        json_object_set_new(body, "steps", json_integer(job->steps));
        json_object_set_new(body, "seed", json_integer((json_int_t)job->seed)); /* 64 bits, as they are */
        json_object_set_new(body, "checkpoint_seconds", ip_json_from_real(job->checkpoint_seconds));
    } else {
        json_object_set_new(body, "times", times_json(job));
    }
    ipos_status status = body && complete(body, job) ? IPOS_OK : ip_no_memory(4096);
    if (status == IPOS_OK)
        status = lend(connection, body, "model", job->model, job->model_bytes);
    if (status == IPOS_OK)
        status = lend(connection, body, "checkpoint", job->checkpoint, job->checkpoint_bytes);
    if (status == IPOS_OK)
        return ip_connection_send(connection, job->train ? IP_TRAIN : IP_RUN, body);
    json_decref(body);
    return status;
}
