/* Parameters to and from safetensors. */
#include "weights.h"

typedef struct saving {
    const ip_params *params;
    const ip_weight_set *sets;
} saving;

static ipos_status fill(void *user, size_t index, float *values, int64_t count)
{
    const saving *from = user;
    const ip_params *params = from->params;
    return params->b->to_memory(from->sets[index / params->count].tensors[index % params->count], values, count);
}

static ipos_status describe(const saving *from, size_t count, ip_st_source *sources)
{
    const ip_params *params = from->params;
    for (size_t i = 0; i < count; i++) {
        char *name = ip_format("%s%s", from->sets[i / params->count].prefix, params->names[i % params->count]);
        if (!name)
            return IPOS_ERR_NO_MEMORY;
        sources[i].name = name;
        sources[i].rank = params->b->shape(params->tensors[i % params->count], sources[i].shape);
    }
    return IPOS_OK;
}

ipos_status ip_weights_save(const ip_params *params, const ip_weight_set *sets, size_t count, const char *architecture,
    const json_t *metadata, void **bytes, size_t *size)
{
    *bytes = NULL;
    *size = 0;
    saving from = {params, sets};
    size_t tensors = params->count * count;
    ip_st_source *sources = ip_calloc(tensors ? tensors : 1, sizeof *sources);
    json_t *texts = metadata ? json_copy((json_t *)metadata) : json_object();
    ipos_status status = sources && texts && json_object_set_new(texts, IP_ARCHITECTURE_KEY, json_string(architecture)) == 0
        ? describe(&from, tensors, sources)
        : ip_fail(IPOS_ERR_NO_MEMORY, "no memory to write a model file");
    if (status == IPOS_OK)
        status = ip_st_write(sources, tensors, texts, fill, &from, bytes, size);
    for (size_t i = 0; sources && i < tensors; i++)
        ip_free((char *)sources[i].name);
    ip_free(sources);
    json_decref(texts);
    return status;
}

ipos_status ip_weights_open(const void *bytes, size_t size, const char *architecture, ip_safetensors *out)
{
    IP_TRY(ip_st_parse(bytes, size, out));
    const char *found = ip_st_metadata(out, IP_ARCHITECTURE_KEY);
    if (found && strcmp(found, architecture) == 0)
        return IPOS_OK;
    ipos_status status = found
        ? ip_fail(IPOS_ERR_UNSUPPORTED, "model file: it holds \"%s\", this needs \"%s\": train a new one with this version", found, architecture)
        : ip_fail(IPOS_ERR_UNSUPPORTED, "model file: not one of libinterpos (no " IP_ARCHITECTURE_KEY " in its header)");
    ip_st_free(out);
    return status;
}

static ipos_status load_one(const ip_params *params, size_t index, const ip_safetensors *file, const ip_weight_set *set)
{
    char name[160];
    snprintf(name, sizeof name, "%s%s", set->prefix, params->names[index]);
    const ip_st_entry *entry = ip_st_find(file, name);
    int64_t shape[8];
    int32_t rank = params->b->shape(params->tensors[index], shape);
    if (!entry)
        return ip_fail(IPOS_ERR_FORMAT, "model file: %s is missing", name);
    if (strcmp(entry->dtype, "F32") != 0 || entry->rank != rank || memcmp(entry->shape, shape, (size_t)rank * sizeof *shape) != 0)
        return ip_fail(IPOS_ERR_FORMAT, "model file: %s has another type or shape than the network", name);
    float *values = ip_alloc(entry->size ? entry->size : 1); /* the file's bytes need not lie on a multiple of 4 */
    if (!values)
        return IPOS_ERR_NO_MEMORY;
    memcpy(values, entry->bytes, entry->size);
    ipos_status status = params->b->assign(set->tensors[index], values, (int64_t)(entry->size / sizeof *values));
    ip_free(values);
    return status;
}

ipos_status ip_weights_load(const ip_params *params, const ip_safetensors *file, const ip_weight_set *set)
{
    for (size_t i = 0; i < params->count; i++)
        IP_TRY(load_one(params, i, file, set));
    int32_t finite = 0;
    IP_TRY(params->b->all_finite(set->tensors, (int32_t)params->count, &finite));
    return finite ? IPOS_OK : ip_fail(IPOS_ERR_FORMAT, "model file: values that are not finite");
}
