/* Results of a run: kept in memory for host clips, read from the project otherwise. */
#include "api_operation.h"
#include <stdlib.h>

static void clear_result(ip_result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        ipos_frame_release(result->pictures[i].picture);
        ipos_frame_release(result->pictures[i].evidence);
    }
    ip_free(result->pictures);
    ip_free(result->option);
    ip_free(result->variant);
    ip_free(result->title);
    ip_free(result->details);
}

void ip_results_drop(ipos_operation *operation)
{
    for (size_t i = 0; i < operation->result_count; i++)
        clear_result(&operation->results[i]);
    ip_free(operation->results);
    operation->results = NULL;
    operation->result_count = 0;
}

void ip_results_clear(ipos_operation *operation)
{
    ip_results_drop(operation);
    ip_host_settle(operation);
    for (size_t i = 0; i < operation->source_count; i++) {
        ipos_frame_release(operation->sources[i].attributes);
        ip_free(operation->sources[i].name);
    }
    ip_free(operation->sources);
    operation->sources = NULL;
    operation->source_count = 0;
    operation->finished = false;
}

static ip_result *add_result(ipos_operation *operation)
{
    ip_result *grown = ip_realloc(operation->results, (operation->result_count + 1) * sizeof *grown);

    if (!grown)
        return NULL;
    operation->results = grown;
    ip_result *result = &grown[operation->result_count++];
    *result = (ip_result){.score = -1};
    return result;
}

ip_result *ip_result_of(ipos_operation *operation, const char *variant)
{
    for (size_t i = 0; i < operation->result_count; i++)
        if (strcmp(operation->results[i].variant, variant) == 0)
            return &operation->results[i];
    char *name = ip_strdup(variant);
    ip_result *result = name ? add_result(operation) : NULL;
    if (result)
        result->variant = name;
    else
        ip_free(name);
    return result;
}

static ip_picture *add_picture(ip_result *result, ipos_rational time, double confidence)
{
    ip_picture *grown = ip_realloc(result->pictures, (result->count + 1) * sizeof *grown);

    if (!grown)
        return NULL;
    result->pictures = grown;
    grown[result->count] = (ip_picture){.time = time, .confidence = confidence};
    return &grown[result->count++];
}

ipos_status ip_result_add(ipos_operation *operation, const char *variant, ipos_rational time, double confidence, ipos_frame *picture,
    ipos_frame *evidence)
{
    ip_result *result = ip_result_of(operation, variant);
    ip_picture *added = result ? add_picture(result, time, confidence) : NULL;

    if (!added)
        return IPOS_ERR_NO_MEMORY;
    IP_TRY(ip_host_dress(operation, time, picture, evidence));
    ip_adopt_frame(operation->project->context, picture);
    ip_adopt_frame(operation->project->context, evidence);
    ipos_frame_retain(picture);
    ipos_frame_retain(evidence);
    added->picture = picture;
    added->evidence = evidence;
    return IPOS_OK;
}

static int by_rank(const void *a, const void *b)
{
    const ip_result *x = a, *y = b;

    return x->rank != y->rank ? (x->rank > y->rank) - (x->rank < y->rank) : strcmp(x->variant, y->variant);
}

static int by_time(const void *a, const void *b)
{
    const ip_picture *x = a, *y = b;
    const ip_wide left = (ip_wide)x->time.num * y->time.den, right = (ip_wide)y->time.num * x->time.den;

    return (left > right) - (left < right);
}

void ip_results_sort(ipos_operation *operation)
{
    if (operation->result_count)
        qsort(operation->results, operation->result_count, sizeof *operation->results, by_rank);
    for (size_t i = 0; i < operation->result_count; i++)
        if (operation->results[i].count)
            qsort(operation->results[i].pictures, operation->results[i].count, sizeof(ip_picture), by_time);
}

static ipos_status load_result(ipos_operation *operation, const char *id, json_t *option)
{
    const char *variant = json_string_value(json_object_get(option, "variant"));
    const char *title = json_string_value(json_object_get(option, "title"));
    json_t *score = json_object_get(option, "score"), *frames = json_object_get(option, "frames"), *frame;
    json_t *details = json_object_get(option, "details");
    ip_result *result = add_result(operation);
    size_t i;

    if (!result || !(result->option = ip_strdup(id)) || !(result->variant = ip_strdup(variant ? variant : ""))
        || !(result->title = ip_strdup(title ? title : "")))
        return IPOS_ERR_NO_MEMORY;
    if (json_is_object(details))
        IP_TRY(ip_json_give(json_incref(details), &result->details));
    if (json_is_number(score))
        result->score = json_number_value(score);
    json_array_foreach(frames, i, frame) {
        json_t *time = json_object_get(frame, "time");
        const ipos_rational at = {json_integer_value(json_array_get(time, 0)), json_integer_value(json_array_get(time, 1))};
        if (!add_picture(result, at, json_number_value(json_object_get(frame, "confidence"))))
            return IPOS_ERR_NO_MEMORY;
    }
    return IPOS_OK;
}

ipos_status ip_results_load(ipos_operation *operation, char *const *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *text;
        IP_TRY(ip_store_options_json(operation->project->store, ids[i], &text));
        json_t *list = json_loads(text, 0, NULL);
        ip_free(text);
        ipos_status status = load_result(operation, ids[i], json_array_get(list, 0));
        json_decref(list);
        IP_TRY(status);
    }
    return IPOS_OK;
}

static ipos_status check_result(const ipos_operation *operation, size_t index)
{
    if (!operation || operation->magic != IP_MAGIC_OPERATION)
        return ip_fail(IPOS_ERR_ARGUMENT, "operation: NULL or not a live ipos_operation");
    if (!operation->finished)
        return ip_fail(IPOS_ERR_STATE, "operation '%s' has no results: run it first", operation->spec->name);
    if (index >= operation->result_count)
        return ip_fail(IPOS_ERR_ARGUMENT, "operation '%s': result %zu of %zu", operation->spec->name, index, operation->result_count);
    return IPOS_OK;
}

size_t ipos_operation_result_count(const ipos_operation *operation)
{
    return operation && operation->magic == IP_MAGIC_OPERATION && operation->finished ? operation->result_count : 0;
}

ipos_status ipos_operation_result(const ipos_operation *operation, size_t index, ipos_result_info *info)
{
    IP_NEED(info);
    IP_TRY(check_result(operation, index));
    const ip_result *result = &operation->results[index];
    const ipos_result_info known = {
        .frames = (int32_t)result->count,
        .option = result->option ? result->option : "",
        .variant = result->variant,
        .title = result->title ? result->title : "",
        .score = result->score,
        .details = result->details ? result->details : "{}",
    };
    return ip_give_info(info, &known, sizeof known, offsetof(ipos_result_info, details), "ipos_result_info");
}

ipos_status ipos_operation_result_frame(const ipos_operation *operation, size_t index, size_t frame, int32_t evidence,
    ipos_rational *time, double *confidence, ipos_frame **out)
{
    IP_OUT(out);
    IP_TRY(check_result(operation, index));
    const ip_result *result = &operation->results[index];
    if (frame >= result->count)
        return ip_fail(IPOS_ERR_ARGUMENT, "result '%s': picture %zu of %zu", result->variant, frame, result->count);
    const ip_picture *picture = &result->pictures[frame];
    if (time)
        *time = picture->time;
    if (confidence)
        *confidence = picture->confidence;
    if (!picture->picture)
        return ipos_option_frame(operation->project, result->option, frame, evidence, out);
    *out = evidence ? picture->evidence : picture->picture;
    if (!*out)
        return ip_fail(IPOS_ERR_NOT_FOUND, "result '%s' has no evidence map", result->variant);
    ipos_frame_retain(*out);
    return IPOS_OK;
}
