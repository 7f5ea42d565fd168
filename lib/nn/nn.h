/* Networks over the backend's table: a tape that owns what a computation makes, parameters by name, layers, losses. */
#ifndef IP_NN_H
#define IP_NN_H

#include "backend.h"
#include "core.h"

/* A tape owns every tensor made through it. The first failure sticks: later calls do nothing and give NULL, so a network is written
 * without checks and asked once at the end. Inputs may come from elsewhere. */
typedef struct ip_tape {
    const ip_backend_v1 *b;
    int32_t device;
    ipos_status status;
    ip_tensor **made;
    size_t count, room;
} ip_tape;
void ip_tape_begin(ip_tape *tape, const ip_backend_v1 *b, int32_t device);
ipos_status ip_tape_end(ip_tape *tape); /* drops everything; the first failure */
/* Takes over a tensor (NULL with a failed status: keeps the status). Returns it, NULL after any failure. */
ip_tensor *ip_tape_own(ip_tape *tape, ipos_status status, ip_tensor *tensor);
/* Drops what was made since the count was mark, but not keep. For inference, where nothing is needed for gradients. */
void ip_tape_release(ip_tape *tape, size_t mark, const ip_tensor *keep);

ip_tensor *ip_t_from(ip_tape *t, const float *values, const int64_t *shape, int32_t rank);
ip_tensor *ip_t_conv(ip_tape *t, const ip_tensor *x, const ip_tensor *weight, const ip_tensor *bias, int stride, int pad);
ip_tensor *ip_t_conv_leaky(ip_tape *t, const ip_tensor *x, const ip_tensor *weight, const ip_tensor *bias, int stride, int pad, double slope);
ip_tensor *ip_t_leaky(ip_tape *t, const ip_tensor *x, double slope);
ip_tensor *ip_t_softmax(ip_tape *t, const ip_tensor *x, int dim);
ip_tensor *ip_t_shuffle(ip_tape *t, const ip_tensor *x, int factor);
ip_tensor *ip_t_unshuffle(ip_tape *t, const ip_tensor *x, int factor);
ip_tensor *ip_t_double(ip_tape *t, const ip_tensor *x, int mode);   /* twice the size, IP_UP_NEAREST or IP_UP_BILINEAR */
ip_tensor *ip_t_halve(ip_tape *t, const ip_tensor *x);              /* mean of 2x2; odd edges are left out */
ip_tensor *ip_t_channels_last(ip_tape *t, const ip_tensor *x);
ip_tensor *ip_t_add(ip_tape *t, const ip_tensor *a, const ip_tensor *b);
ip_tensor *ip_t_sub(ip_tape *t, const ip_tensor *a, const ip_tensor *b);
ip_tensor *ip_t_mul(ip_tape *t, const ip_tensor *a, const ip_tensor *b);
ip_tensor *ip_t_div(ip_tape *t, const ip_tensor *a, const ip_tensor *b);
ip_tensor *ip_t_affine(ip_tape *t, const ip_tensor *x, double scale, double offset);
ip_tensor *ip_t_clamp(ip_tape *t, const ip_tensor *x, double low, double high);
ip_tensor *ip_t_abs(ip_tape *t, const ip_tensor *x);
ip_tensor *ip_t_exp(ip_tape *t, const ip_tensor *x);
ip_tensor *ip_t_log(ip_tape *t, const ip_tensor *x);
ip_tensor *ip_t_sigmoid(ip_tape *t, const ip_tensor *x);
ip_tensor *ip_t_sqrt(ip_tape *t, const ip_tensor *x);
ip_tensor *ip_t_square(ip_tape *t, const ip_tensor *x);
ip_tensor *ip_t_sum(ip_tape *t, const ip_tensor *x, int dim);       /* the dim stays with extent 1; IP_ALL_DIMS: one value */
ip_tensor *ip_t_mean(ip_tape *t, const ip_tensor *x, int dim);
ip_tensor *ip_t_cat(ip_tape *t, const ip_tensor *const *parts, int count, int dim);
ip_tensor *ip_t_slice(ip_tape *t, const ip_tensor *x, int dim, int64_t start, int64_t length);

/* Named tensors that are learnt. */
typedef struct ip_params {
    const ip_backend_v1 *b;
    int32_t device;
    size_t count, room;
    char **names;
    ip_tensor **tensors;
} ip_params;
void ip_params_init(ip_params *params, const ip_backend_v1 *b, int32_t device);
void ip_params_clear(ip_params *params);
ipos_status ip_params_add(ip_params *params, const char *name, const float *values, const int64_t *shape, int32_t rank);
ip_tensor *ip_params_find(const ip_params *params, const char *name); /* NULL: no such parameter */
int64_t ip_params_size(const ip_params *params);                     /* numbers in all */

/* "NAME.weight" {out, in, 3, 3} and "NAME.bias" {out}: normal with variance gain^2 * 2 / (9 * in), bias 0. gain 0: all zero. */
ipos_status ip_conv_add(ip_params *params, const char *name, int in, int out, double gain, ip_rng *rng);
/* The 3x3 convolution of that name, zero padding. */
ip_tensor *ip_conv(ip_tape *t, const ip_params *params, const char *name, const ip_tensor *x, int stride);
ip_tensor *ip_conv_leaky(ip_tape *t, const ip_params *params, const char *name, const ip_tensor *x, int stride, double slope);

/* Losses, one value each, of pictures {batch, channels, height, width}. */
ip_tensor *ip_charbonnier(ip_tape *t, const ip_tensor *a, const ip_tensor *b, double epsilon); /* mean sqrt(d^2 + epsilon^2) */
/* Mean absolute difference of the pictures' Laplacian pyramids (2x2 means, bilinear enlargement), level i weighted 2^i, the
 * remaining coarsest picture as the last level. The sides must be multiples of 2^(levels - 1). */
ip_tensor *ip_laplacian_loss(ip_tape *t, const ip_tensor *a, const ip_tensor *b, int levels);

#endif
