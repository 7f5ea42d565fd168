/* The network itself, and its answers over whole pictures. */
#include "wire_net.h"

#include <math.h>

struct ip_wire_net {
    ip_params params;
};

enum { LEVELS = 4, PASSING = 4, TILE = 1024 - 2 * IP_WIRE_REACH };
static const int widths[LEVELS] = {16, 32, 48, 64};

static ipos_status add_all(ip_params *p, ip_rng *rng)
{
    char name[32];
    for (int i = 0; i < LEVELS; i++) {
        snprintf(name, sizeof name, "down%d", i);
        IP_TRY(ip_conv_add(p, name, i ? widths[i - 1] : 4 * IP_WIRE_PLANES, widths[i], 1, rng));
        snprintf(name, sizeof name, "deep%d", i);
        IP_TRY(ip_conv_add(p, name, widths[i], widths[i], 1, rng));
    }
    for (int i = LEVELS - 2; i >= 0; i--) {
        snprintf(name, sizeof name, "up%d", i);
        IP_TRY(ip_conv_add(p, name, widths[i + 1], widths[i], 1, rng));
        snprintf(name, sizeof name, "join%d", i);
        IP_TRY(ip_conv_add(p, name, widths[i], widths[i], 1, rng));
    }
    return ip_conv_add(p, "head", widths[0], 4, .05, rng);
}

ipos_status ip_wire_net_new(const ip_backend_v1 *b, int32_t device, uint64_t seed, ip_wire_net **out)
{
    *out = NULL;
    ip_wire_net *net = ip_calloc(1, sizeof *net);
    if (!net)
        return IPOS_ERR_NO_MEMORY;
    ip_params_init(&net->params, b, device);
    ip_rng rng = ip_rng_at(seed, 0);
    ipos_status status = add_all(&net->params, &rng);
    if (status != IPOS_OK) {
        ip_wire_net_free(net);
        return status;
    }
    *out = net;
    return IPOS_OK;
}

ipos_status ip_wire_net_copy(const ip_wire_net *from, ip_wire_net **out)
{
    IP_TRY(ip_wire_net_new(from->params.b, from->params.device, 0, out));
    for (size_t i = 0; i < from->params.count; i++) {
        ipos_status status = from->params.b->copy((*out)->params.tensors[i], from->params.tensors[i]);
        if (status != IPOS_OK) {
            ip_wire_net_free(*out);
            *out = NULL;
            return status;
        }
    }
    return IPOS_OK;
}

void ip_wire_net_free(ip_wire_net *net)
{
    if (!net)
        return;
    ip_params_clear(&net->params);
    ip_free(net);
}

ip_params *ip_wire_net_params(ip_wire_net *net)
{
    return &net->params;
}

static ip_tensor *layer(ip_tape *t, const ip_params *p, const char *stem, int level, const ip_tensor *x, int stride)
{
    char name[32];
    snprintf(name, sizeof name, "%s%d", stem, level);
    return ip_conv_leaky(t, p, name, x, stride, .1);
}

ip_tensor *ip_wire_net_logits(ip_tape *t, const ip_params *p, const ip_tensor *planes)
{
    ip_tensor *skip[LEVELS], *x = ip_t_channels_last(t, ip_t_unshuffle(t, ip_t_affine(t, planes, 1, -.5), 2));
    for (int i = 0; i < LEVELS; i++)
        x = skip[i] = layer(t, p, "deep", i, layer(t, p, "down", i, x, i ? 2 : 1), 1);
    for (int i = LEVELS - 2; i >= 0; i--) {
        x = ip_t_double(t, layer(t, p, "up", i, x, 1), IP_UP_NEAREST);
        x = layer(t, p, "join", i, ip_t_add(t, x, skip[i]), 1);
    }
    return ip_t_shuffle(t, ip_conv(t, p, "head", x, 1), 2);
}

static int32_t up_to(int32_t value)
{
    return (value + IP_WIRE_ALIGN - 1) / IP_WIRE_ALIGN * IP_WIRE_ALIGN;
}

static int32_t inside(int32_t value, int32_t size)
{
    return value < 0 ? 0 : value >= size ? size - 1 : value;
}

/* A part of the view, the border repeated. */
static void gather(const ip_wire_view *view, int32_t x0, int32_t y0, int32_t width, int32_t height, float *to)
{
    for (int k = 0; k < IP_WIRE_PLANES; k++)
        for (int32_t y = 0; y < height; y++, to += width) {
            const float *row = view->plane[k] ? view->plane[k] + (ptrdiff_t)inside(y0 + y, view->height) * view->stride : NULL;
            for (int32_t x = 0; x < width; x++) {
                float value = row ? row[inside(x0 + x, view->width)] : k == PASSING ? .5f : 0;
                to[x] = !isfinite(value) ? 0 : value < -1 ? -1 : value > 2 ? 2 : value;
            }
        }
}

static ipos_status answer(const ip_params *p, const float *planes, int32_t width, int32_t height, float *out)
{
    int64_t shape[4] = {1, IP_WIRE_PLANES, height, width};
    ip_tape tape;
    ip_tape_begin(&tape, p->b, p->device);
    int32_t former = p->b->gradients(0);
    ip_tensor *logits = ip_wire_net_logits(&tape, p, ip_t_from(&tape, planes, shape, 4));
    if (logits)
        (void)ip_tape_own(&tape, p->b->to_memory(logits, out, (int64_t)width * height), NULL);
    p->b->gradients(former);
    return ip_tape_end(&tape);
}

typedef struct tiles {
    const ip_wire_net *net;
    const ip_wire_view *view;
    float *planes, *logits, *out;
} tiles;

static ipos_status one_tile(const tiles *job, int32_t x, int32_t y)
{
    const ip_wire_view *view = job->view;
    int32_t x0 = IP_MAX(x - IP_WIRE_REACH, 0), y0 = IP_MAX(y - IP_WIRE_REACH, 0);
    int32_t width = IP_MIN(x + TILE + IP_WIRE_REACH, up_to(view->width)) - x0, height = IP_MIN(y + TILE + IP_WIRE_REACH, up_to(view->height)) - y0;
    gather(view, x0, y0, width, height, job->planes);
    IP_TRY(answer(&job->net->params, job->planes, width, height, job->logits));
    for (int32_t row = y; row < IP_MIN(y + TILE, view->height); row++)
        for (int32_t column = x; column < IP_MIN(x + TILE, view->width); column++)
            job->out[(size_t)row * (size_t)view->width + (size_t)column] =
                1 / (1 + expf(-job->logits[(size_t)(row - y0) * (size_t)width + (size_t)(column - x0)]));
    return IPOS_OK;
}

ipos_status ip_wire_net_run(const ip_wire_net *net, const ip_wire_view *view, ipos_status (*tick)(void *user), void *user, float *out)
{
    if (view->width < 1 || view->height < 1 || view->width > 1 << 20 || view->height > 1 << 20 || !view->plane[0] || !view->plane[1] || !view->plane[2])
        return ip_fail(IPOS_ERR_ARGUMENT, "wire detector: a picture of %d x %d", view->width, view->height);
    size_t pixels = (size_t)IP_MIN(up_to(view->width), TILE + 2 * IP_WIRE_REACH) * (size_t)IP_MIN(up_to(view->height), TILE + 2 * IP_WIRE_REACH);
    float *room = ip_alloc(pixels * (IP_WIRE_PLANES + 1) * sizeof *room);
    if (!room)
        return IPOS_ERR_NO_MEMORY;
    tiles job = {.net = net, .view = view, .planes = room, .logits = room + pixels * IP_WIRE_PLANES, .out = out};
    ipos_status status = IPOS_OK;
    for (int32_t y = 0; y < view->height && status == IPOS_OK; y += TILE)
        for (int32_t x = 0; x < view->width && status == IPOS_OK; x += TILE) {
            if (tick)
                status = tick(user);
            if (status == IPOS_OK)
                status = one_tile(&job, x, y);
        }
    ip_free(room);
    return status;
}
