/* The network itself, and what goes into it. */
#include "fuse_net.h"

#include <math.h>

static const int widths[4] = {32, 48, 64, 96};
enum { LEVELS = 4, IN = 4 * IP_FUSE_IMAGES + IP_FUSE_AUX, OUT = 4 * IP_FUSE_OUT };

static ipos_status add_all(ip_params *p, ip_rng *rng)
{
    char name[32];
    for (int i = 0; i < LEVELS; i++) {
        snprintf(name, sizeof name, "down%d", i);
        IP_TRY(ip_conv_add(p, name, i ? widths[i - 1] : IN, widths[i], 1, rng));
        snprintf(name, sizeof name, "block%d.a", i);
        IP_TRY(ip_conv_add(p, name, widths[i], widths[i], 1, rng));
        snprintf(name, sizeof name, "block%d.b", i);
        IP_TRY(ip_conv_add(p, name, widths[i], widths[i], .5, rng)); /* small, so that a block starts near the identity */
    }
    for (int i = LEVELS - 2; i >= 0; i--) {
        snprintf(name, sizeof name, "up%d", i);
        IP_TRY(ip_conv_add(p, name, widths[i + 1], widths[i], 1, rng));
        snprintf(name, sizeof name, "join%d", i);
        IP_TRY(ip_conv_add(p, name, widths[i], widths[i], 1, rng));
    }
    return ip_conv_add(p, "head", widths[0], OUT, 0, rng);
}

ipos_status ip_fuse_new(const ip_backend_v1 *b, int32_t device, uint64_t seed, ip_fuse **out)
{
    *out = NULL;
    ip_fuse *fuse = ip_calloc(1, sizeof *fuse);
    if (!fuse)
        return IPOS_ERR_NO_MEMORY;
    ip_params_init(&fuse->params, b, device);
    ip_rng rng = ip_rng_at(seed, 0);
    ipos_status status = add_all(&fuse->params, &rng);
    if (status != IPOS_OK) {
        ip_fuse_free(fuse);
        return status;
    }
    *out = fuse;
    return IPOS_OK;
}

void ip_fuse_free(ip_fuse *fuse)
{
    if (!fuse)
        return;
    ip_params_clear(&fuse->params);
    ip_free(fuse);
}

int64_t ip_fuse_size(const ip_fuse *fuse)
{
    return ip_params_size(&fuse->params);
}

static ip_tensor *layer(ip_tape *t, const ip_params *p, const char *stem, int level, const char *part, const ip_tensor *x, int stride)
{
    char name[32];
    snprintf(name, sizeof name, "%s%d%s", stem, level, part);
    return ip_conv_leaky(t, p, name, x, stride, .1);
}

static ip_tensor *block(ip_tape *t, const ip_params *p, int level, const ip_tensor *x)
{
    char name[32];
    snprintf(name, sizeof name, "block%d.b", level);
    ip_tensor *inner = ip_conv(t, p, name, layer(t, p, "block", level, ".a", x, 1), 1);
    return ip_t_leaky(t, ip_t_add(t, x, inner), .1);
}

static bool is_inference(const ip_tape *t)
{
    int32_t on = t->b->gradients(0);
    t->b->gradients(on);
    return !on;
}

ip_tensor *ip_fuse_net(ip_tape *t, const ip_params *p, const ip_tensor *images, const ip_tensor *aux)
{
    bool inference = is_inference(t);
    size_t start = t->count;
    const ip_tensor *parts[2] = {ip_t_unshuffle(t, ip_t_affine(t, images, 2, -1), 2), ip_t_halve(t, aux)};
    ip_tensor *x = ip_t_channels_last(t, ip_t_cat(t, parts, 2, 1)), *skip[LEVELS];
    if (inference)
        ip_tape_release(t, start, x);
    for (int i = 0; i < LEVELS; i++) {
        size_t mark = t->count;
        x = skip[i] = block(t, p, i, layer(t, p, "down", i, "", x, i ? 2 : 1));
        if (inference)
            ip_tape_release(t, mark, x);
    }
    for (int i = LEVELS - 2; i >= 0; i--) {
        size_t mark = t->count;
        x = ip_t_double(t, layer(t, p, "up", i, "", x, 1), IP_UP_NEAREST);
        x = layer(t, p, "join", i, "", ip_t_add(t, x, skip[i]), 1);
        if (inference)
            ip_tape_release(t, mark, x);
    }
    return ip_t_shuffle(t, ip_conv(t, p, "head", x, 1), 2);
}

ip_tensor *ip_fuse_blend(ip_tape *t, const ip_tensor *candidates, const ip_tensor *logits, const ip_tensor *change)
{
    ip_tensor *delta = ip_t_affine(t, ip_t_slice(t, change, 1, 0, IP_FUSE_CANDIDATES), IP_FUSE_DELTA_GAIN, 0);
    ip_tensor *weights = ip_t_softmax(t, ip_t_add(t, logits, delta), 1);
    ip_tensor *sum = ip_t_affine(t, ip_t_slice(t, change, 1, IP_FUSE_CANDIDATES, 3), IP_FUSE_RESIDUAL_GAIN, 0);
    for (int k = 0; k < IP_FUSE_CANDIDATES; k++) {
        ip_tensor *picture = ip_t_slice(t, candidates, 1, 3 * k, 3);
        sum = ip_t_add(t, sum, ip_t_mul(t, picture, ip_t_slice(t, weights, 1, k, 1)));
    }
    return sum;
}
