/* Inside of the fusion network; for fuse_*.c and tests. */
#ifndef IP_FUSE_NET_H
#define IP_FUSE_NET_H

#include "fuse.h"

struct ip_fuse {
    ip_params params;
};

enum {
    IP_FUSE_IMAGES = 12,   /* planes the network sees at full resolution: A0, A1, B0, B1 */
    IP_FUSE_AUX = 16,      /* planes it sees at half resolution: logits, sides, |A0-A1|, |Z0-Z1| */
    IP_FUSE_OUT = 9,       /* delta logits, residual */
    IP_FUSE_ALIGN = 16,    /* sides of what goes in are multiples of this */
    IP_FUSE_REACH = 144    /* no input pixel further away matters (67 half-resolution pixels, rounded up to IP_FUSE_ALIGN) */
};

/* What the network's output is multiplied by. */
#define IP_FUSE_DELTA_GAIN 2.0f
#define IP_FUSE_RESIDUAL_GAIN .25f

/* images {n, 12, h, w}, aux {n, 16, h, w} -> {n, 9, h, w}: six changes of logits, three residuals. */
ip_tensor *ip_fuse_net(ip_tape *t, const ip_params *params, const ip_tensor *images, const ip_tensor *aux);
/* candidates {n, 18, h, w}, logits {n, 6, h, w}, out of ip_fuse_net -> the picture {n, 3, h, w}. */
ip_tensor *ip_fuse_blend(ip_tape *t, const ip_tensor *candidates, const ip_tensor *logits, const ip_tensor *change);

/* Where a patch comes from: pixel (x, y) of the patch is input pixel (x0 + x, y0 + y), mirrored and transposed as said; positions
 * outside repeat the border. */
typedef struct ip_fuse_view {
    int32_t x0, y0, width, height; /* width and height after transposition */
    bool flip_x, flip_y, transpose, reverse_time;
    float gain;
} ip_fuse_view;
/* Any destination may be NULL. candidates: 18 planes, aux: 16, as the network wants them; logits: 6; target: 3. */
void ip_fuse_gather(const ip_fuse_input *input, const float *const target[3], const ip_fuse_view *view, float *candidates, float *aux,
    float *logits, float *to_target);

#endif
