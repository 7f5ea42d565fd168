/* What the ledger keeps of results handed to the host: a draft. */
#include "api_operation.h"
#include <stdlib.h>

static json_t *describe_clip(const ipos_host_clip *clip)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:[I,I]}", "name", clip->name, "encoding", clip->encoding, "owner", clip->owner,
        "licence", clip->licence, "training", clip->training == IPOS_TRAINING_ALLOWED ? "allowed" : "denied",
        "first", (json_int_t)clip->first, "last", (json_int_t)clip->last, "rate", (json_int_t)clip->rate.num, (json_int_t)clip->rate.den);
}

static json_t *describe_sources(const ipos_operation *operation)
{
    json_t *list = json_array();

    for (size_t i = 0; i < operation->source_count; i++)
        json_array_append_new(list, json_pack("{s:I,s:s}", "frame", (json_int_t)operation->sources[i].number, "sha256",
            operation->sources[i].hash));
    return list;
}

static json_t *describe_pictures(const ip_result *result)
{
    json_t *list = json_array();

    for (size_t i = 0; i < result->count; i++) {
        const ip_picture *picture = &result->pictures[i];
        char hash[65];
        if (!ip_frame_hash(picture->picture, hash)) {
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, json_pack("{s:[I,I],s:f,s:s}", "time", (json_int_t)picture->time.num, (json_int_t)picture->time.den,
            "confidence", picture->confidence, "sha256", hash));
    }
    return list;
}

static json_t *describe_result(const ip_result *result)
{
    json_t *pictures = describe_pictures(result);

    if (!pictures)
        return NULL;
    json_t *details = result->details ? json_loads(result->details, 0, NULL) : NULL;
    json_t *object = json_pack("{s:s,s:s,s:f,s:o}", "variant", result->variant, "title", result->title ? result->title : "", "score",
        result->score, "frames", pictures);
    if (details)
        json_object_set_new(object, "details", details);
    return object;
}

static json_t *describe_run(const ipos_operation *operation)
{
    char *parameters;
    char when[32];
    json_t *results = json_array();

    for (size_t i = 0; i < operation->result_count; i++)
        if (json_array_append_new(results, describe_result(&operation->results[i])) != 0)
            goto failed;
    if (ip_operation_parameters(operation, &parameters) != IPOS_OK)
        goto failed;
    ip_utc_text(when);
    json_t *object = json_pack("{s:s,s:s,s:o,s:s,s:o,s:o,s:o}", "operation", operation->spec->name, "made", when, "clip",
        describe_clip(&operation->host.clip), "request", operation->frames, "parameters", json_loads(parameters, 0, NULL), "sources",
        describe_sources(operation), "results", results);
    ip_free(parameters);
    if (object && operation->model)
        json_object_set_new(object, "model", json_pack("{s:s,s:s}", "name", operation->model->name, "sha256", operation->model->hash));
    return object;
failed:
    json_decref(results);
    return NULL;
}

static ipos_status name_results(ipos_operation *operation, const char *draft)
{
    for (size_t i = 0; i < operation->result_count; i++) {
        ip_free(operation->results[i].option);
        if (!(operation->results[i].option = ip_format("%s.%zu", draft, i + 1)))
            return IPOS_ERR_NO_MEMORY;
    }
    return IPOS_OK;
}

ipos_status ip_host_record(ipos_operation *operation)
{
    char hash[65], draft[16], *text = NULL;
    json_t *details = describe_run(operation);

    if (!details)
        return ip_fail(IPOS_ERR_UNKNOWN, "the draft's record could not be put together");
    char *content = json_dumps(details, JSON_COMPACT | JSON_SORT_KEYS);
    const bool hashed = content && ip_sha256_of(content, strlen(content), hash);
    free(content);
    if (!hashed) {
        json_decref(details);
        return ip_no_memory(0);
    }
    snprintf(draft, sizeof draft, "d%.12s", hash);
    json_object_set_new(details, "draft", json_string(draft));
    IP_TRY(ip_json_give(details, &text));
    ipos_status status = ip_ledger_append(operation->project->store, "draft", NULL, text);
    ip_free(text);
    return status == IPOS_OK ? name_results(operation, draft) : status;
}
