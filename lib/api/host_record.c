/* What the ledger keeps of results handed to the host: a draft. */
#include "api_operation.h"

static json_t *describe_clip(const ipos_host_clip *clip)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:[I,I]}", "name", clip->name, "encoding", clip->encoding, "owner", clip->owner,
        "licence", clip->licence, "training", clip->training == IPOS_TRAINING_ALLOWED ? "allowed" : "denied",
        "first", (json_int_t)clip->first, "last", (json_int_t)clip->last, "rate", (json_int_t)clip->rate.num, (json_int_t)clip->rate.den);
}

static json_t *describe_sources(const ipos_operation *operation)
{
    json_t *list = json_array();

    for (size_t i = 0; i < operation->source_count; i++) {
        const ip_source *source = &operation->sources[i];
        json_t *entry = json_pack("{s:I,s:s}", "frame", (json_int_t)source->number, "sha256", source->hash);
        if (source->name)
            json_object_set_new(entry, "clip", json_string(source->name));
        json_array_append_new(list, entry);
    }
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
    json_t *variants = json_array();

    for (size_t i = 0; i < operation->result_count; i++)
        if (json_array_append_new(variants, describe_result(&operation->results[i])) != 0) {
            json_decref(variants);
            return NULL;
        }
    return json_pack("{s:s,s:o,s:o}", "request", operation->frames, "sources", describe_sources(operation), "variants", variants);
}

static ipos_status record(ipos_operation *operation, char *texts[4], char **draft)
{
    const ipos_model *model = operation->model;

    IP_TRY(ip_json_give(describe_clip(&operation->host.clip), &texts[0]));
    IP_TRY(ip_operation_parameters(operation, &texts[1]));
    if (model)
        IP_TRY(ip_json_give(json_pack("{s:s,s:s}", "name", model->name, "sha256", model->hash), &texts[2]));
    IP_TRY(ip_json_give(describe_run(operation), &texts[3]));
    return ip_store_draft(operation->project->store, operation->spec->name, texts[0], texts[1], texts[2], texts[3], draft);
}

ipos_status ip_host_record(ipos_operation *operation)
{
    char *texts[4] = {NULL}, *draft = NULL;
    ipos_status status = record(operation, texts, &draft);

    for (size_t i = 0; i < IP_COUNT(texts); i++)
        ip_free(texts[i]);
    for (size_t i = 0; i < operation->result_count && status == IPOS_OK; i++) {
        ip_free(operation->results[i].option);
        if (!(operation->results[i].option = ip_strdup(draft)))
            status = IPOS_ERR_NO_MEMORY;
    }
    ip_free(draft);
    return status;
}
