/* The wire detector: for every pixel, how much of it a thin line that does not belong to the scene covers. Promptable: a hint of where
 * the wire runs makes it follow that wire and no other; without one it marks whatever looks like a wire.
 *
 * A fifth plane shows what passes before the scene (passing.h): drawn wires look like real ones there, whatever they are made of.
 *
 * U-Net (Ronneberger, Fischer, Brox, MICCAI 2015) at half resolution, 3x3 convolutions, no normalisation; what a level has seen is added to what comes up,
 * not laid beside it (Chaurasia, Culurciello, VCIP 2017: LinkNet): .2 M numbers. Works on pictures stretched so that the shot's own spread
 * (its .5 to 99.5 percentile) is 0..1. */
#ifndef IP_WIRE_NET_H
#define IP_WIRE_NET_H

#include "nn.h"
#include "trainer.h"
#include <jansson.h>

#define IP_WIRE_ARCHITECTURE "interpos.wire.3"

enum {
    IP_WIRE_PATCH = 128, /* side of the patches learnt from */
    IP_WIRE_PLANES = 5,  /* R, G, B, prompt, passing */
    IP_WIRE_ALIGN = 16,  /* sides of what goes in are multiples of this */
    IP_WIRE_REACH = 112  /* no input pixel further away matters */
};

typedef struct ip_wire_net ip_wire_net; /* one thread at a time */

ipos_status ip_wire_net_new(const ip_backend_v1 *b, int32_t device, uint64_t seed, ip_wire_net **out);
ipos_status ip_wire_net_copy(const ip_wire_net *from, ip_wire_net **out);
void ip_wire_net_free(ip_wire_net *net);
ip_params *ip_wire_net_params(ip_wire_net *net);

/* plane[0..2]: stretched R, G, B, plane[3]: the prompt 0..1 (NULL: none), plane[4]: ip_wire_passing of what passes (NULL: not known); rows
 * stride floats apart; not-finite values count as 0.
 * out: packed width * height floats 0..1. tick (may be NULL) before each tile; a failure ends the call with it. */
typedef struct ip_wire_view {
    int32_t width, height;
    ptrdiff_t stride;
    const float *plane[IP_WIRE_PLANES];
} ip_wire_view;
ipos_status ip_wire_net_run(const ip_wire_net *net, const ip_wire_view *view, ipos_status (*tick)(void *user), void *user, float *out);

/* planes {n, 4, h, w} -> logits {n, 1, h, w}; the sides multiples of IP_WIRE_ALIGN. */
ip_tensor *ip_wire_net_logits(ip_tape *t, const ip_params *params, const ip_tensor *planes);

/* As the network sees what passes: half where nothing does. */
static inline float ip_wire_passing(float difference) { return difference > .125f ? 1 : difference < -.125f ? 0 : .5f + 4 * difference; }

/* One example: packed planes of IP_WIRE_PATCH^2. */
typedef struct ip_wire_example {
    float *plane[IP_WIRE_PLANES];
    float *target; /* matte 0..1 */
    float *weight; /* 0: not known, is not learnt */
} ip_wire_example;

typedef struct ip_wire_training {
    void *user;
    /* Fills an example from rng alone; on any of threads threads at a time, none of them the caller's where a card computes. */
    ipos_status (*draw)(void *user, ip_rng *rng, ip_wire_example *example);
    /* Example index of the held-out ones, always the same. */
    ipos_status (*held_out)(void *user, int64_t index, ip_wire_example *example);
    int64_t held_out_count;
    int threads;        /* that draw examples; 0: 1 */
    int32_t batch;      /* 1..256; 0: 8 on processors, 32 on a card */
    ip_train_plan plan; /* rate 0: 2e-3 */
    ip_train_host host;
    /* After each validation: the first held-out example and its answer; may be NULL. */
    ipos_status (*preview)(void *user, const ip_wire_example *example, const float *answer);
} ip_wire_training;
/* Trains in place; afterwards net is the best on held_out. Scores are the F1 of answers over .5 against targets over .25, 0..1, where
 * weight is over 0. Loss: weighted cross-entropy of the matte and .3 soft Dice (Milletari, Navab, Ahmadi, 3DV 2016). */
ipos_status ip_wire_net_train(ip_wire_net *net, const ip_wire_training *training, ip_train_result *result);

/* F1 of what the net answers on examples as they come from held_out. */
ipos_status ip_wire_net_score(const ip_wire_net *net, const ip_wire_training *training, double *f1);

#endif
