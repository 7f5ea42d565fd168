/* Two networks in one file: their parameters side by side under prefixes. */
#include "wire_model.h"

#include "fuse_net.h"
#include "weights.h"

static ipos_status add_under(ip_params *all, const char *prefix, const ip_params *part)
{
    for (size_t i = 0; i < part->count; i++) {
        ip_tensor *shared = NULL;
        char *name = ip_format("%s%s", prefix, part->names[i]);
        ipos_status status = name ? part->b->share(&shared, part->tensors[i]) : IPOS_ERR_NO_MEMORY;
        if (status != IPOS_OK) {
            ip_free(name);
            return status;
        }
        all->names[all->count] = name;
        all->tensors[all->count++] = shared;
    }
    return IPOS_OK;
}

/* Both networks' tensors under their file names; the tensors are shared, so setting them sets the networks. */
static ipos_status join(const ip_wire_model *model, ip_params *all)
{
    const ip_params *net = ip_wire_net_params(model->net), *fuse = &model->fuse->params;
    ip_params_init(all, net->b, net->device);
    all->room = net->count + fuse->count;
    all->names = ip_calloc(all->room, sizeof *all->names);
    all->tensors = ip_calloc(all->room, sizeof *all->tensors);
    ipos_status status = all->names && all->tensors ? add_under(all, "detector.", net) : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK)
        status = add_under(all, "fusion.", fuse);
    if (status != IPOS_OK)
        ip_params_clear(all);
    return status;
}

ipos_status ip_wire_model_new(const ip_backend_v1 *b, int32_t device, uint64_t seed, ip_wire_model *out)
{
    *out = (ip_wire_model){0};
    ipos_status status = ip_wire_net_new(b, device, seed, &out->net);
    if (status == IPOS_OK)
        status = ip_fuse_new(b, device, seed + 1, &out->fuse);
    if (status != IPOS_OK)
        ip_wire_model_free(out);
    return status;
}

void ip_wire_model_free(ip_wire_model *model)
{
    ip_wire_net_free(model->net);
    ip_fuse_free(model->fuse);
    *model = (ip_wire_model){0};
}

int64_t ip_wire_model_size(const ip_wire_model *model)
{
    return ip_params_size(ip_wire_net_params(model->net)) + ip_fuse_size(model->fuse);
}

ipos_status ip_wire_model_save(const ip_wire_model *model, void **bytes, size_t *size)
{
    ip_params all;
    IP_TRY(join(model, &all));
    ipos_status status = ip_weights_save(&all, &(ip_weight_set){"", all.tensors}, 1, IP_WIRE_MODEL_ARCHITECTURE, NULL, bytes, size);
    ip_params_clear(&all);
    return status;
}

ipos_status ip_wire_model_load(const ip_backend_v1 *b, int32_t device, const void *bytes, size_t size, ip_wire_model *out)
{
    ip_safetensors file;
    *out = (ip_wire_model){0};
    IP_TRY(ip_weights_open(bytes, size, IP_WIRE_MODEL_ARCHITECTURE, &file));
    ip_params all = {0};
    ipos_status status = ip_wire_model_new(b, device, 0, out);
    if (status == IPOS_OK)
        status = join(out, &all);
    if (status == IPOS_OK && file.count != all.count)
        status = ip_fail(IPOS_ERR_FORMAT, "model file: %zu tensors, the networks have %zu", file.count, all.count);
    if (status == IPOS_OK)
        status = ip_weights_load(&all, &file, &(ip_weight_set){"", all.tensors});
    if (all.tensors)
        ip_params_clear(&all);
    ip_st_free(&file);
    if (status != IPOS_OK)
        ip_wire_model_free(out);
    return status;
}
