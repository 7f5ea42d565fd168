/* Operations: kinds, settings, input. The run is in operation_run.c. */
#include "api_operation.h"
#include "strokes.h"
#include <unistd.h>

static json_t *describe_option(const ip_option_spec *option)
{
    static const char *const types[] = {"", "int", "real", "bool", "text", "choice", "clip", "file"};
    json_t *choices = json_array();

    for (const char *at = option->choices ? option->choices : ""; *at;) {
        const char *end = strchrnul(at, ',');
        json_array_append_new(choices, json_stringn(at, (size_t)(end - at)));
        at = *end ? end + 1 : end;
    }
    json_t *object = json_pack("{s:s,s:s,s:s,s:s,s:o,s:s}", "name", option->name, "type", types[option->type], "help", option->help,
        "unit", option->unit ? option->unit : "", "choices", choices, "default", option->preset);
    if (option->type == IPOS_OPTION_INT || option->type == IPOS_OPTION_REAL) {
        json_object_set_new(object, "minimum", json_real(option->minimum));
        json_object_set_new(object, "maximum", json_real(option->maximum));
    }
    return object;
}

ipos_status ipos_operations(char **json)
{
    json_t *list = json_array();

    if (!json)
        json_decref(list);
    IP_OUT(json);
    for (const ip_op_spec *const *at = ip_op_specs; *at; at++) {
        if ((*at)->measures)
            continue;
        json_t *options = json_array();
        for (size_t i = 0; i < (*at)->option_count; i++)
            json_array_append_new(options, describe_option(&(*at)->options[i]));
        json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:b,s:b,s:o}", "name", (*at)->name, "title", (*at)->title, "help", (*at)->help,
            "trainable", (*at)->trainable, "edits", (*at)->edits, "options", options));
    }
    return ip_json_give(list, json);
}

static ipos_status unknown_kind(const char *kind)
{
    ip_buffer names = {0};

    for (const ip_op_spec *const *at = ip_op_specs; *at; at++)
        if (!(*at)->measures)
            ip_buffer_printf(&names, "%s%s", names.size ? ", " : "", (*at)->name);
    char *list = ip_buffer_take(&names);
    ipos_status status = ip_fail(IPOS_ERR_NOT_FOUND, "operation '%s' is not known: there are %s", kind, list ? list : "");
    ip_free(list);
    return status;
}

ipos_status ipos_operation_create(ipos_project *project, const char *kind, ipos_operation **out)
{
    IP_OUT(out);
    IP_TRY(ip_check_text(kind, "kind of operation"));
    const ip_op_spec *spec = ip_op_spec_find(kind);
    if (!spec)
        return unknown_kind(kind);
    IP_TRY(ip_enter(project));
    ip_leave(project, IPOS_OK);
    ipos_operation *operation = ip_calloc(1, sizeof *operation);
    if (!operation)
        return IPOS_ERR_NO_MEMORY;
    operation->options = ip_options_new(spec->options, spec->option_count);
    if (!operation->options || ip_new_lock(&operation->lock) != IPOS_OK) {
        ip_options_free(operation->options);
        ip_free(operation);
        return IPOS_ERR_NO_MEMORY;
    }
    operation->magic = IP_MAGIC_OPERATION;
    atomic_init(&operation->refs, 1);
    operation->spec = spec;
    ipos_project_retain(project);
    operation->project = project;
    *out = operation;
    return IPOS_OK;
}

static bool alive(const ipos_operation *operation)
{
    return operation && operation->magic == IP_MAGIC_OPERATION;
}

void ipos_operation_retain(ipos_operation *operation)
{
    if (alive(operation))
        atomic_fetch_add_explicit(&operation->refs, 1, memory_order_relaxed);
}

void ipos_operation_release(ipos_operation *operation)
{
    if (!alive(operation) || atomic_fetch_sub_explicit(&operation->refs, 1, memory_order_acq_rel) != 1)
        return;
    operation->magic = 0;
    ip_results_clear(operation);
    ip_host_clear(&operation->host);
    ip_options_free(operation->options);
    ip_times_free(&operation->times);
    ip_free(operation->clip);
    ip_free(operation->frames);
    pthread_mutex_destroy(&operation->lock);
    ipos_model_release(operation->model);
    ipos_project_release(operation->project);
    ip_free(operation);
}

ipos_status ip_operation_enter(ipos_operation *operation)
{
    if (!alive(operation))
        return ip_fail(IPOS_ERR_ARGUMENT, "operation: NULL or not a live ipos_operation");
    if (pthread_mutex_trylock(&operation->lock) != 0)
        return ip_fail(IPOS_ERR_STATE, "operation: in use by another thread: only ipos_operation_cancel may be called meanwhile");
    if (operation->running) {
        pthread_mutex_unlock(&operation->lock);
        return ip_fail(IPOS_ERR_STATE, "operation: its own callback cannot change or run it: only ipos_operation_cancel may be called meanwhile");
    }
    return IPOS_OK;
}

ipos_status ip_operation_leave(ipos_operation *operation, ipos_status status)
{
    pthread_mutex_unlock(&operation->lock);
    return status;
}

size_t ipos_operation_option_count(const ipos_operation *operation)
{
    return alive(operation) ? operation->spec->option_count : 0;
}

ipos_status ipos_operation_option_info(const ipos_operation *operation, size_t index, ipos_option_info *info)
{
    if (!alive(operation))
        return ip_fail(IPOS_ERR_ARGUMENT, "operation: NULL or not a live ipos_operation");
    IP_NEED(info);
    if (index >= operation->spec->option_count)
        return ip_fail(IPOS_ERR_ARGUMENT, "operation '%s': option %zu of %zu", operation->spec->name, index, operation->spec->option_count);
    const ip_option_spec *option = &operation->spec->options[index];
    const ipos_option_info known = {
        .type = option->type,
        .name = option->name,
        .help = option->help,
        .unit = option->unit ? option->unit : "",
        .choices = option->choices ? option->choices : "",
        .preset = option->preset,
        .minimum = option->minimum,
        .maximum = option->maximum,
    };
    return ip_give_info(info, &known, sizeof known, sizeof known, "ipos_option_info");
}

/* Strokes are checked and put into their normal form here, so that what is wrong is said before a run. */
static ipos_status set_option(ipos_operation *operation, const char *name, const char *value)
{
    char *strokes = NULL;

    if (strcmp(name, "strokes") == 0 && ip_options_text(operation->options, name))
        IP_TRY(ip_strokes_check(value, "setting \"strokes\"", &strokes));
    ipos_status status = ip_options_set(operation->options, name, strokes ? strokes : value);
    ip_free(strokes);
    return status;
}

ipos_status ipos_operation_set(ipos_operation *operation, const char *name, const char *value)
{
    IP_TRY(ip_operation_enter(operation));
    if (!name || !value)
        return ip_operation_leave(operation, ip_fail(IPOS_ERR_ARGUMENT, "option: name or value is NULL"));
    return ip_operation_leave(operation, set_option(operation, name, value));
}

ipos_status ipos_operation_set_int(ipos_operation *operation, const char *name, int64_t value)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)value);
    return ipos_operation_set(operation, name, text);
}

ipos_status ipos_operation_set_real(ipos_operation *operation, const char *name, double value)
{
    char text[32];

    ip_real_text(value, text);
    return ipos_operation_set(operation, name, text);
}

static ipos_status set_model(ipos_operation *operation, ipos_model *model)
{
    if (model) {
        IP_TRY(ip_check_model(model));
        if (strcmp(ip_store_id(model->project->store), ip_store_id(operation->project->store)) != 0)
            return ip_fail(IPOS_ERR_PERMISSION, "model '%s' belongs to another project: a model serves the production whose dailies it learned from",
                model->name);
        if (strcmp(model->operation, operation->spec->name) != 0)
            return ip_fail(IPOS_ERR_ARGUMENT, "model '%s' was trained for '%s', this operation is '%s'", model->name, model->operation,
                operation->spec->name);
    }
    ipos_model_retain(model);
    ipos_model_release(operation->model);
    operation->model = model;
    return IPOS_OK;
}

ipos_status ipos_operation_set_model(ipos_operation *operation, ipos_model *model)
{
    IP_TRY(ip_operation_enter(operation));
    return ip_operation_leave(operation, set_model(operation, model));
}

ipos_status ipos_operation_set_clip(ipos_operation *operation, const char *clip)
{
    IP_TRY(ip_check_text(clip, "clip"));
    IP_TRY(ip_operation_enter(operation));
    char *copy = ip_strdup(clip);
    if (!copy)
        return ip_operation_leave(operation, IPOS_ERR_NO_MEMORY);
    ip_host_clear(&operation->host);
    ip_free(operation->clip);
    operation->clip = copy;
    return ip_operation_leave(operation, IPOS_OK);
}

ipos_status ipos_operation_set_host_clip(ipos_operation *operation, const ipos_host_clip *clip, ipos_fetch_fn fetch, void *user)
{
    IP_NEED(clip);
    IP_NEED(fetch);
    IP_TRY(ip_operation_enter(operation));
    ip_host_input input = {0};
    ipos_status status = ip_host_set(&input, clip, fetch, user);
    if (status == IPOS_OK) {
        ip_host_clear(&operation->host);
        operation->host = input;
        ip_free(operation->clip);
        operation->clip = NULL;
    }
    return ip_operation_leave(operation, status);
}

ipos_status ipos_operation_set_frames(ipos_operation *operation, const char *frames)
{
    ip_times times;

    IP_TRY(ip_check_text(frames, "frames"));
    IP_TRY(ip_operation_enter(operation));
    ipos_status status = ip_times_parse(frames, &times);
    if (status != IPOS_OK)
        return ip_operation_leave(operation, status);
    char *copy = ip_strdup(frames);
    if (!copy) {
        ip_times_free(&times);
        return ip_operation_leave(operation, IPOS_ERR_NO_MEMORY);
    }
    ip_times_free(&operation->times);
    ip_free(operation->frames);
    operation->times = times;
    operation->frames = copy;
    return ip_operation_leave(operation, IPOS_OK);
}

/* Only an atomic store: safe from a signal handler. */
void ipos_operation_cancel(ipos_operation *operation)
{
    if (alive(operation))
        atomic_store_explicit(&operation->cancel.set, 1, memory_order_relaxed);
}

ipos_status ip_operation_parameters(const ipos_operation *operation, char **json)
{
    json_t *object = json_object();

    for (size_t i = 0; i < operation->spec->option_count; i++) {
        const char *name = operation->spec->options[i].name;
        json_object_set_new(object, name, json_string(ip_options_text(operation->options, name)));
    }
    return ip_json_give(object, json);
}
