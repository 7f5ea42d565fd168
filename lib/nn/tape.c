/* The tape: who owns what a computation makes. */
#include "nn.h"

void ip_tape_begin(ip_tape *tape, const ip_backend_v1 *b, int32_t device)
{
    *tape = (ip_tape){.b = b, .device = device, .status = IPOS_OK};
}

ipos_status ip_tape_end(ip_tape *tape)
{
    ipos_status status = tape->status;
    ip_tape_release(tape, 0, NULL);
    ip_free(tape->made);
    *tape = (ip_tape){.b = tape->b, .device = tape->device, .status = status};
    return status;
}

ip_tensor *ip_tape_own(ip_tape *tape, ipos_status status, ip_tensor *tensor)
{
    if (tape->status == IPOS_OK)
        tape->status = status;
    if (tape->status == IPOS_OK && tape->count == tape->room) {
        size_t room = tape->room ? 2 * tape->room : 256;
        ip_tensor **made = ip_realloc(tape->made, room * sizeof *made);
        if (made) {
            tape->made = made;
            tape->room = room;
        } else {
            tape->status = IPOS_ERR_NO_MEMORY;
        }
    }
    if (tape->status != IPOS_OK) {
        tape->b->drop(tensor);
        return NULL;
    }
    return tape->made[tape->count++] = tensor;
}

void ip_tape_release(ip_tape *tape, size_t mark, const ip_tensor *keep)
{
    size_t left = mark;
    for (size_t i = mark; i < tape->count; i++) {
        if (tape->made[i] == keep)
            tape->made[left++] = tape->made[i];
        else
            tape->b->drop(tape->made[i]);
    }
    if (tape->count > left)
        tape->count = left;
}

/* Makes one tensor by the backend's call unless the tape has failed. */
#define IP_MAKE(t, call)                       \
    ip_tensor *out = NULL;                     \
    if ((t)->status != IPOS_OK)                \
        return NULL;                           \
    ipos_status status = (t)->b->call;         \
    return ip_tape_own((t), status, out)

ip_tensor *ip_t_from(ip_tape *t, const float *values, const int64_t *shape, int32_t rank)
{
    IP_MAKE(t, from_memory(&out, values, shape, rank, t->device));
}

ip_tensor *ip_t_conv(ip_tape *t, const ip_tensor *x, const ip_tensor *weight, const ip_tensor *bias, int stride, int pad)
{
    IP_MAKE(t, conv2d(&out, x, weight, bias, stride, pad));
}

ip_tensor *ip_t_conv_leaky(ip_tape *t, const ip_tensor *x, const ip_tensor *weight, const ip_tensor *bias, int stride, int pad, double slope)
{
    IP_MAKE(t, conv2d_leaky(&out, x, weight, bias, stride, pad, slope));
}

ip_tensor *ip_t_leaky(ip_tape *t, const ip_tensor *x, double slope)
{
    IP_MAKE(t, leaky_relu(&out, x, slope));
}

ip_tensor *ip_t_softmax(ip_tape *t, const ip_tensor *x, int dim)
{
    IP_MAKE(t, softmax(&out, x, dim));
}

ip_tensor *ip_t_shuffle(ip_tape *t, const ip_tensor *x, int factor)
{
    IP_MAKE(t, pixel_shuffle(&out, x, factor));
}

ip_tensor *ip_t_unshuffle(ip_tape *t, const ip_tensor *x, int factor)
{
    IP_MAKE(t, pixel_unshuffle(&out, x, factor));
}

ip_tensor *ip_t_double(ip_tape *t, const ip_tensor *x, int mode)
{
    int64_t shape[8] = {0};
    if (t->status != IPOS_OK)
        return NULL;
    t->b->shape(x, shape);
    IP_MAKE(t, upsample(&out, x, 2 * shape[2], 2 * shape[3], mode));
}

ip_tensor *ip_t_halve(ip_tape *t, const ip_tensor *x)
{
    IP_MAKE(t, avg_pool(&out, x, 2, 2));
}

ip_tensor *ip_t_channels_last(ip_tape *t, const ip_tensor *x)
{
    IP_MAKE(t, channels_last(&out, x));
}

ip_tensor *ip_t_add(ip_tape *t, const ip_tensor *a, const ip_tensor *b)
{
    IP_MAKE(t, add(&out, a, b));
}

ip_tensor *ip_t_sub(ip_tape *t, const ip_tensor *a, const ip_tensor *b)
{
    IP_MAKE(t, sub(&out, a, b));
}

ip_tensor *ip_t_mul(ip_tape *t, const ip_tensor *a, const ip_tensor *b)
{
    IP_MAKE(t, mul(&out, a, b));
}

ip_tensor *ip_t_affine(ip_tape *t, const ip_tensor *x, double scale, double offset)
{
    IP_MAKE(t, affine(&out, x, scale, offset));
}

ip_tensor *ip_t_abs(ip_tape *t, const ip_tensor *x)
{
    IP_MAKE(t, abs(&out, x));
}

ip_tensor *ip_t_sqrt(ip_tape *t, const ip_tensor *x)
{
    IP_MAKE(t, sqrt(&out, x));
}

ip_tensor *ip_t_square(ip_tape *t, const ip_tensor *x)
{
    IP_MAKE(t, square(&out, x));
}

ip_tensor *ip_t_sum(ip_tape *t, const ip_tensor *x, int dim)
{
    IP_MAKE(t, sum(&out, x, dim));
}

ip_tensor *ip_t_mean(ip_tape *t, const ip_tensor *x, int dim)
{
    IP_MAKE(t, mean(&out, x, dim));
}

ip_tensor *ip_t_cat(ip_tape *t, const ip_tensor *const *parts, int count, int dim)
{
    IP_MAKE(t, cat(&out, parts, count, dim));
}

ip_tensor *ip_t_slice(ip_tape *t, const ip_tensor *x, int dim, int64_t start, int64_t length)
{
    IP_MAKE(t, slice(&out, x, dim, start, length));
}

ip_tensor *ip_t_div(ip_tape *t, const ip_tensor *a, const ip_tensor *b)
{
    IP_MAKE(t, div(&out, a, b));
}

ip_tensor *ip_t_clamp(ip_tape *t, const ip_tensor *x, double low, double high)
{
    IP_MAKE(t, clamp(&out, x, low, high));
}

ip_tensor *ip_t_exp(ip_tape *t, const ip_tensor *x)
{
    IP_MAKE(t, exp(&out, x));
}

ip_tensor *ip_t_log(ip_tape *t, const ip_tensor *x)
{
    IP_MAKE(t, log(&out, x));
}

ip_tensor *ip_t_sigmoid(ip_tape *t, const ip_tensor *x)
{
    IP_MAKE(t, sigmoid(&out, x));
}
