/* From planes to what the network wants: patches and tiles, mirrored, reversed, scaled. */
#include "fuse_net.h"

#include <math.h>

/* Brings every plane to about -1..1; blurred differences are mostly below .1. */
static const struct {
    float gain, offset;
} scaling[IP_FUSE_SIDES] = {
    [IP_FUSE_DIFFERENCE_A] = {8, 0}, [IP_FUSE_DIFFERENCE_B] = {8, 0}, [IP_FUSE_DIFFERENCE_Z] = {8, 0},
    [IP_FUSE_COVERAGE_A] = {1, 0}, [IP_FUSE_COVERAGE_B] = {1, 0}, [IP_FUSE_MOTION] = {.5f, 0}, [IP_FUSE_SPREAD] = {.5f, 0},
    [IP_FUSE_TIME] = {2, -1},
};
static const float logit_gain = 1.0f / 6, logit_offset = 1;

static int32_t inside(int32_t at, int32_t size)
{
    return at < 0 ? 0 : at >= size ? size - 1 : at;
}

/* Column and row of the input for a place in the patch. */
static const float *place(const ip_fuse_input *in, const ip_fuse_view *view, const float *plane, int32_t x, int32_t y)
{
    if (view->flip_x)
        x = view->width - 1 - x;
    if (view->flip_y)
        y = view->height - 1 - y;
    int32_t column = view->x0 + (view->transpose ? y : x), row = view->y0 + (view->transpose ? x : y);
    return plane + (ptrdiff_t)inside(row, in->height) * in->stride + inside(column, in->width);
}

static void copy_row(const ip_fuse_input *in, const ip_fuse_view *view, const float *plane, int32_t y, float *to)
{
    if (!view->flip_x && !view->transpose && view->x0 >= 0 && view->x0 + view->width <= in->width) {
        memcpy(to, place(in, view, plane, 0, y), (size_t)view->width * sizeof *to);
        return;
    }
    for (int32_t x = 0; x < view->width; x++)
        to[x] = *place(in, view, plane, x, y);
}

/* One plane, values times gain plus offset; what is not finite becomes offset. */
static void gather(const ip_fuse_input *in, const ip_fuse_view *view, const float *plane, float gain, float offset, float *to)
{
    size_t count = (size_t)view->width * (size_t)view->height;
    for (int32_t y = 0; plane && y < view->height; y++)
        copy_row(in, view, plane, y, to + (ptrdiff_t)y * view->width);
    for (size_t i = 0; i < count; i++) {
        float value = plane ? to[i] * gain : 0;
        to[i] = (isfinite(value) ? value : 0) + offset;
    }
}

static void difference(const float *a, const float *b, size_t count, float *to)
{
    for (size_t i = 0; i < count; i++)
        to[i] = (fabsf(a[i] - b[i]) + fabsf(a[count + i] - b[count + i]) + fabsf(a[2 * count + i] - b[2 * count + i])) * (4.0f / 3);
}

void ip_fuse_gather(const ip_fuse_input *in, const float *const target[3], const ip_fuse_view *view, float *candidates, float *aux,
    float *logits, float *to_target)
{
    size_t count = (size_t)view->width * (size_t)view->height;
    int swap = view->reverse_time ? 1 : 0; /* candidates come in pairs: earlier, later */
    for (int k = 0; k < IP_FUSE_CANDIDATES; k++) {
        for (int c = 0; c < 3; c++)
            gather(in, view, in->candidate[k ^ swap][c], view->gain, 0, candidates + (size_t)(3 * k + c) * count);
        gather(in, view, in->logit[k ^ swap], logit_gain, logit_offset, aux + (size_t)k * count);
        if (logits)
            gather(in, view, in->logit[k ^ swap], 1, 0, logits + (size_t)k * count);
    }
    for (int k = 0; k < IP_FUSE_SIDES; k++) {
        float gain = scaling[k].gain, offset = scaling[k].offset;
        if (k == IP_FUSE_TIME && swap) { /* 1 - t */
            offset += gain;
            gain = -gain;
        }
        if (k <= IP_FUSE_DIFFERENCE_Z)
            gain *= view->gain;
        gather(in, view, in->side[k], gain, offset, aux + (size_t)(IP_FUSE_CANDIDATES + k) * count);
    }
    difference(candidates, candidates + 3 * count, count, aux + 14 * count);
    difference(candidates + 12 * count, candidates + 15 * count, count, aux + 15 * count);
    for (int c = 0; c < 3 && to_target; c++)
        gather(in, view, target[c], view->gain, 0, to_target + (size_t)c * count);
}
