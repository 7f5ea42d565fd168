/* Named parameters, the 3x3 convolution, losses. */
#include "nn.h"

#include <math.h>

void ip_params_init(ip_params *params, const ip_backend_v1 *b, int32_t device)
{
    *params = (ip_params){.b = b, .device = device};
}

void ip_params_clear(ip_params *params)
{
    for (size_t i = 0; i < params->count; i++) {
        ip_free(params->names[i]);
        params->b->drop(params->tensors[i]);
    }
    ip_free(params->names);
    ip_free(params->tensors);
    ip_params_init(params, params->b, params->device);
}

static ipos_status make_room(ip_params *params)
{
    if (params->count < params->room)
        return IPOS_OK;
    size_t room = params->room ? 2 * params->room : 64;
    char **names = ip_realloc(params->names, room * sizeof *names);
    if (!names)
        return IPOS_ERR_NO_MEMORY;
    params->names = names;
    ip_tensor **tensors = ip_realloc(params->tensors, room * sizeof *tensors);
    if (!tensors)
        return IPOS_ERR_NO_MEMORY;
    params->tensors = tensors;
    params->room = room;
    return IPOS_OK;
}

ipos_status ip_params_add(ip_params *params, const char *name, const float *values, const int64_t *shape, int32_t rank)
{
    if (ip_params_find(params, name))
        return ip_fail(IPOS_ERR_ARGUMENT, "two parameters named %s", name);
    IP_TRY(make_room(params));
    ip_tensor *fresh = NULL, *laid = NULL;
    IP_TRY(params->b->from_memory(&fresh, values, shape, rank, params->device));
    if (rank == 4) {
        ipos_status status = params->b->channels_last(&laid, fresh);
        params->b->drop(fresh);
        if (status != IPOS_OK)
            return status;
        fresh = laid;
    }
    char *copy = ip_strdup(name);
    ipos_status status = copy ? params->b->track(fresh, 1) : IPOS_ERR_NO_MEMORY;
    if (status != IPOS_OK) {
        ip_free(copy);
        params->b->drop(fresh);
        return status;
    }
    params->names[params->count] = copy;
    params->tensors[params->count++] = fresh;
    return IPOS_OK;
}

ip_tensor *ip_params_find(const ip_params *params, const char *name)
{
    for (size_t i = 0; i < params->count; i++) {
        if (strcmp(params->names[i], name) == 0)
            return params->tensors[i];
    }
    return NULL;
}

int64_t ip_params_size(const ip_params *params)
{
    int64_t size = 0;
    for (size_t i = 0; i < params->count; i++)
        size += params->b->count(params->tensors[i]);
    return size;
}

/* He, Zhang, Ren, Sun, "Delving deep into rectifiers", ICCV 2015. */
ipos_status ip_conv_add(ip_params *params, const char *name, int in, int out, double gain, ip_rng *rng)
{
    char full[120];
    int64_t shape[4] = {out, in, 3, 3}, width = out;
    size_t count = (size_t)out * (size_t)in * 9;
    float *values = ip_calloc(count, sizeof *values);
    if (!values)
        return IPOS_ERR_NO_MEMORY;
    double deviation = gain * sqrt(2.0 / (9.0 * in));
    for (size_t i = 0; i < count && gain != 0; i++)
        values[i] = (float)(deviation * ip_rng_normal(rng));
    snprintf(full, sizeof full, "%s.weight", name);
    ipos_status status = ip_params_add(params, full, values, shape, 4);
    if (status == IPOS_OK) {
        memset(values, 0, (size_t)out * sizeof *values);
        snprintf(full, sizeof full, "%s.bias", name);
        status = ip_params_add(params, full, values, &width, 1);
    }
    ip_free(values);
    return status;
}

static void find_layer(ip_tape *t, const ip_params *params, const char *name, const ip_tensor **weight, const ip_tensor **bias)
{
    char full[120];
    snprintf(full, sizeof full, "%s.weight", name);
    *weight = ip_params_find(params, full);
    snprintf(full, sizeof full, "%s.bias", name);
    *bias = ip_params_find(params, full);
    if (t->status == IPOS_OK && (!*weight || !*bias))
        t->status = ip_fail(IPOS_ERR_STATE, "no parameters for the layer %s", name);
}

ip_tensor *ip_conv(ip_tape *t, const ip_params *params, const char *name, const ip_tensor *x, int stride)
{
    const ip_tensor *weight, *bias;
    find_layer(t, params, name, &weight, &bias);
    return ip_t_conv(t, x, weight, bias, stride, 1);
}

ip_tensor *ip_conv_leaky(ip_tape *t, const ip_params *params, const char *name, const ip_tensor *x, int stride, double slope)
{
    const ip_tensor *weight, *bias;
    find_layer(t, params, name, &weight, &bias);
    return ip_t_conv_leaky(t, x, weight, bias, stride, 1, slope);
}

ip_tensor *ip_charbonnier(ip_tape *t, const ip_tensor *a, const ip_tensor *b, double epsilon)
{
    ip_tensor *squares = ip_t_square(t, ip_t_sub(t, a, b));
    return ip_t_mean(t, ip_t_sqrt(t, ip_t_affine(t, squares, 1, epsilon * epsilon)), IP_ALL_DIMS);
}

/* The pyramid is linear, so it is built once, of the difference. */
ip_tensor *ip_laplacian_loss(ip_tape *t, const ip_tensor *a, const ip_tensor *b, int levels)
{
    ip_tensor *level = ip_t_sub(t, a, b), *total = NULL;
    double weight = 1;
    for (int i = 0; i < levels; i++, weight *= 2) {
        ip_tensor *detail = level, *coarse = NULL;
        if (i + 1 < levels) {
            coarse = ip_t_halve(t, level);
            detail = ip_t_sub(t, level, ip_t_double(t, coarse, IP_UP_BILINEAR));
        }
        ip_tensor *term = ip_t_affine(t, ip_t_mean(t, ip_t_abs(t, detail), IP_ALL_DIMS), weight, 0);
        total = total ? ip_t_add(t, total, term) : term;
        level = coarse;
    }
    return total;
}
