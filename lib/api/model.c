/* Models: opened from the project, immutable afterwards. */
#include "api.h"

static ipos_status check_origin(const ipos_project *project, const char *name, json_t *card)
{
    const char *origin = json_string_value(json_object_get(card, "project"));

    if (!origin)
        return ip_fail(IPOS_ERR_FORMAT, "model '%s': its card names no project", name);
    if (strcmp(origin, ip_store_id(project->store)) != 0)
        return ip_fail(IPOS_ERR_PERMISSION, "model '%s' was trained in another project (%s): a model serves the production whose dailies it learned from; train one here",
            name, origin);
    return IPOS_OK;
}

static ipos_status read_card(ipos_model *model)
{
    json_t *card = json_loads(model->card, 0, NULL);
    const char *operation = json_string_value(json_object_get(card, "operation"));
    ipos_status status;

    if (!operation)
        status = ip_fail(IPOS_ERR_FORMAT, "model '%s': its card cannot be read", model->name);
    else
        status = check_origin(model->project, model->name, card);
    if (status == IPOS_OK && !(model->operation = ip_strdup(operation)))
        status = IPOS_ERR_NO_MEMORY;
    json_decref(card);
    return status;
}

ipos_status ipos_model_open(ipos_project *project, const char *name, ipos_model **out)
{
    IP_OUT(out);
    IP_TRY(ip_check_text(name, "model name"));
    IP_TRY(ip_enter(project));
    ipos_model *model = ip_calloc(1, sizeof *model);
    if (!model)
        return ip_leave(project, IPOS_ERR_NO_MEMORY);
    model->magic = IP_MAGIC_MODEL;
    atomic_init(&model->refs, 1);
    ipos_project_retain(project);
    model->project = project;
    model->name = ip_strdup(name);
    ipos_status status = model->name ? ip_store_model_load(project->store, name, &model->bytes, &model->size, &model->card, model->hash)
                                     : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK)
        status = read_card(model);
    ip_leave(project, status);
    if (status != IPOS_OK)
        ipos_model_release(model);
    else
        *out = model;
    return status;
}

void ipos_model_retain(ipos_model *model)
{
    if (model && model->magic == IP_MAGIC_MODEL)
        atomic_fetch_add_explicit(&model->refs, 1, memory_order_relaxed);
}

void ipos_model_release(ipos_model *model)
{
    if (!model || model->magic != IP_MAGIC_MODEL || atomic_fetch_sub_explicit(&model->refs, 1, memory_order_acq_rel) != 1)
        return;
    model->magic = 0;
    ip_free(model->name);
    ip_free(model->card);
    ip_free(model->operation);
    ip_free(model->bytes);
    ipos_project_release(model->project);
    ip_free(model);
}

ipos_status ipos_model_card(ipos_model *model, char **json)
{
    IP_OUT(json);
    IP_TRY(ip_check_model(model));
    *json = ip_strdup(model->card);
    return *json ? IPOS_OK : IPOS_ERR_NO_MEMORY;
}

ipos_status ipos_model_card_text(ipos_model *model, char **text)
{
    IP_OUT(text);
    IP_TRY(ip_check_model(model));
    *text = ip_card_text(model->card);
    return *text ? IPOS_OK : ip_fail(IPOS_ERR_FORMAT, "model '%s': its card cannot be read", model->name);
}

ipos_status ipos_project_models(ipos_project *project, char **json)
{
    IP_OUT(json);
    IP_TRY(ip_enter(project));
    return ip_leave(project, ip_store_models_json(project->store, json));
}
