/* The network over whole pictures, tile by tile. */
#include "fuse_net.h"
#include "weights.h"

#include <math.h>

ipos_status ip_fuse_load(const ip_backend_v1 *b, int32_t device, const void *bytes, size_t size, ip_fuse **out)
{
    ip_safetensors file;
    *out = NULL;
    IP_TRY(ip_weights_open(bytes, size, IP_FUSE_ARCHITECTURE, &file));
    ip_fuse *fuse = NULL;
    ipos_status status = ip_fuse_new(b, device, 0, &fuse);
    if (status == IPOS_OK && file.count != fuse->params.count)
        status = ip_fail(IPOS_ERR_FORMAT, "model file: %zu tensors, the network has %zu", file.count, fuse->params.count);
    if (status == IPOS_OK)
        status = ip_weights_load(&fuse->params, &file, &(ip_weight_set){"", fuse->params.tensors});
    ip_st_free(&file);
    if (status != IPOS_OK) {
        ip_fuse_free(fuse);
        return status;
    }
    *out = fuse;
    return IPOS_OK;
}

ipos_status ip_fuse_save(const ip_fuse *fuse, const json_t *metadata, void **bytes, size_t *size)
{
    return ip_weights_save(&fuse->params, &(ip_weight_set){"", fuse->params.tensors}, 1, IP_FUSE_ARCHITECTURE, metadata, bytes, size);
}

/* Bytes held for each pixel of a tile with its margins: planes gathered, the same again in the backend, and the layers. */
enum { BYTES_A_PIXEL = 640, DEFAULT_MEMORY = 1 << 30, MIN_TILE = 64 };

typedef struct job {
    const ip_fuse *fuse;
    const ip_fuse_input *in;
    const ip_fuse_output *out;
    float *candidates, *aux, *change; /* of the largest tile */
} job;

static int32_t up_to(int64_t value, int32_t step)
{
    return (int32_t)((value + step - 1) / step * step);
}

/* The largest tile whose margins fit the memory; a picture that fits as a whole needs none. */
static int64_t tile_side(const ip_fuse_input *in, const ip_fuse_limits *limits)
{
    double pixels = (double)(limits->memory ? limits->memory : DEFAULT_MEMORY) / BYTES_A_PIXEL;
    int64_t whole = IP_MAX(up_to(in->width, IP_FUSE_ALIGN), up_to(in->height, IP_FUSE_ALIGN));
    int64_t side = limits->tile;
    if (side <= 0) {
        bool fits = (double)up_to(in->width, IP_FUSE_ALIGN) * (double)up_to(in->height, IP_FUSE_ALIGN) <= pixels;
        side = fits ? whole : (int64_t)sqrt(pixels) - 2 * IP_FUSE_REACH;
    }
    side = side / IP_FUSE_ALIGN * IP_FUSE_ALIGN;
    return side < MIN_TILE ? MIN_TILE : side > whole ? whole : side;
}

static ipos_status network(const job *j, const ip_fuse_view *view)
{
    const ip_backend_v1 *b = j->fuse->params.b;
    int64_t images[4] = {1, IP_FUSE_IMAGES, view->height, view->width}, aux[4] = {1, IP_FUSE_AUX, view->height, view->width};
    ip_tape tape;
    ip_tape_begin(&tape, b, j->fuse->params.device);
    int32_t former = b->gradients(0);
    ip_tensor *change = ip_fuse_net(&tape, &j->fuse->params, ip_t_from(&tape, j->candidates, images, 4), ip_t_from(&tape, j->aux, aux, 4));
    if (change) {
        ipos_status status = b->to_memory(change, j->change, (int64_t)IP_FUSE_OUT * view->height * view->width);
        (void)ip_tape_own(&tape, status, NULL);
    }
    b->gradients(former);
    return ip_tape_end(&tape);
}

/* change, candidates: plane k of pixel at + k * step. to: index in the output planes. */
static void finish_pixel(const job *j, const float *logits, size_t at, size_t step, size_t to)
{
    float weight[IP_FUSE_CANDIDATES], high = -INFINITY, sum = 0, residual[3];
    for (int k = 0; k < IP_FUSE_CANDIDATES; k++) {
        weight[k] = logits[k] + IP_FUSE_DELTA_GAIN * j->change[at + (size_t)k * step];
        high = IP_MAX(high, weight[k]);
        if (j->out->logit[k])
            j->out->logit[k][to] = weight[k];
    }
    for (int c = 0; c < 3; c++) {
        residual[c] = IP_FUSE_RESIDUAL_GAIN * j->change[at + (size_t)(IP_FUSE_CANDIDATES + c) * step];
        if (j->out->residual[c])
            j->out->residual[c][to] = residual[c];
    }
    if (!j->out->picture[0])
        return;
    for (int k = 0; k < IP_FUSE_CANDIDATES; k++)
        sum += weight[k] = expf(weight[k] - high);
    for (int c = 0; c < 3; c++) {
        float value = 0;
        for (int k = 0; k < IP_FUSE_CANDIDATES; k++)
            value += weight[k] * j->candidates[at + (size_t)(3 * k + c) * step];
        j->out->picture[c][to] = value / sum + residual[c];
    }
}

/* x, y, width, height: the tile's own part. */
static ipos_status one_tile(const job *j, int32_t x, int32_t y, int32_t width, int32_t height)
{
    int32_t right = IP_MIN(x + width + IP_FUSE_REACH, up_to(j->in->width, IP_FUSE_ALIGN));
    int32_t bottom = IP_MIN(y + height + IP_FUSE_REACH, up_to(j->in->height, IP_FUSE_ALIGN));
    ip_fuse_view view = {.x0 = IP_MAX(x - IP_FUSE_REACH, 0), .y0 = IP_MAX(y - IP_FUSE_REACH, 0), .gain = 1};
    view.width = right - view.x0;
    view.height = bottom - view.y0;
    ip_fuse_gather(j->in, NULL, &view, j->candidates, j->aux, NULL, NULL);
    IP_TRY(network(j, &view));
    size_t step = (size_t)view.width * (size_t)view.height;
    for (int32_t row = y; row < IP_MIN(y + height, j->in->height); row++) {
        for (int32_t column = x; column < IP_MIN(x + width, j->in->width); column++) {
            size_t at = (size_t)(row - view.y0) * (size_t)view.width + (size_t)(column - view.x0);
            float logits[IP_FUSE_CANDIDATES];
            for (int k = 0; k < IP_FUSE_CANDIDATES; k++) {
                float logit = j->in->logit[k][(ptrdiff_t)row * j->in->stride + column];
                logits[k] = isfinite(logit) ? logit : 0;
            }
            finish_pixel(j, logits, at, step, (size_t)row * (size_t)j->in->width + (size_t)column);
        }
    }
    return IPOS_OK;
}

static ipos_status all_tiles(const job *j, const ip_fuse_limits *limits, int64_t side)
{
    int64_t across = (j->in->width + side - 1) / side, down = (j->in->height + side - 1) / side;
    for (int64_t i = 0; i < across * down; i++) {
        if (ip_cancelled(limits->cancel))
            return ip_fail(IPOS_ERR_CANCELLED, "stopped");
        if (limits->tick)
            IP_TRY(limits->tick(limits->user, (double)i / (double)(across * down)));
        IP_TRY(one_tile(j, (int32_t)(i % across * side), (int32_t)(i / across * side), (int32_t)side, (int32_t)side));
    }
    return IPOS_OK;
}

static ipos_status check_input(const ip_fuse_input *in)
{
    if (in->width < 1 || in->height < 1 || in->width > 1 << 20 || in->height > 1 << 20 || in->stride < in->width)
        return ip_fail(IPOS_ERR_ARGUMENT, "fusion: a picture of %d x %d", in->width, in->height);
    for (int k = 0; k < IP_FUSE_CANDIDATES; k++) {
        if (!in->logit[k] || !in->candidate[k][0] || !in->candidate[k][1] || !in->candidate[k][2])
            return ip_fail(IPOS_ERR_ARGUMENT, "fusion: candidate %d has not all its planes", k);
    }
    return IPOS_OK;
}

ipos_status ip_fuse_forward(const ip_fuse *fuse, const ip_fuse_input *input, const ip_fuse_limits *limits, const ip_fuse_output *output)
{
    static const ip_fuse_limits unlimited;
    if (!limits)
        limits = &unlimited;
    IP_TRY(check_input(input));
    int64_t side = tile_side(input, limits);
    size_t width = (size_t)IP_MIN(side + 2 * IP_FUSE_REACH, up_to(input->width, IP_FUSE_ALIGN));
    size_t height = (size_t)IP_MIN(side + 2 * IP_FUSE_REACH, up_to(input->height, IP_FUSE_ALIGN)), pixels = width * height;
    job j = {.fuse = fuse, .in = input, .out = output};
    float *planes = ip_alloc((3 * IP_FUSE_CANDIDATES + IP_FUSE_AUX + IP_FUSE_OUT) * pixels * sizeof *planes);
    if (!planes)
        return IPOS_ERR_NO_MEMORY;
    j.candidates = planes;
    j.aux = planes + 3 * IP_FUSE_CANDIDATES * pixels;
    j.change = j.aux + IP_FUSE_AUX * pixels;
    ipos_status status = all_tiles(&j, limits, side);
    ip_free(planes);
    return status;
}
