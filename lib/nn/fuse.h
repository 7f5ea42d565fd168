/* The fusion network of in-betweens: looks at the warped pictures a classical step has made for one time, and corrects how they are
 * blended. A fresh network corrects nothing, so training starts exactly at the classical picture.
 *
 *   picture = sum over k of softmax(logits + delta)_k * candidate_k + residual
 *
 * U-Net at half resolution, 32/48/64/96 channels, 3x3 convolutions, one residual block a level, .59 M numbers. */
#ifndef IP_FUSE_H
#define IP_FUSE_H

#include "nn.h"
#include "trainer.h"
#include <jansson.h>

#define IP_FUSE_ARCHITECTURE "interpos.fuse.1"

/* Candidates, in order: A0, A1, B0, B1 (the earlier and the later frame, warped by motion A and by motion B), Z0, Z1 (the two frames
 * as they are). Logits: one plane for each, from the classical step, about -12..0. */
enum { IP_FUSE_CANDIDATES = 6 };
/* Side planes, in order; NULL counts as all zero. */
enum {
    IP_FUSE_DIFFERENCE_A, /* blurred mean |A0 - A1|, in code values */
    IP_FUSE_DIFFERENCE_B, /* blurred mean |B0 - B1| */
    IP_FUSE_DIFFERENCE_Z, /* blurred mean |Z0 - Z1| */
    IP_FUSE_COVERAGE_A,   /* how much of the pixel the projected motion A covers, 0..1 */
    IP_FUSE_COVERAGE_B,
    IP_FUSE_MOTION,       /* length of motion A / 16 pixels, at most 4 */
    IP_FUSE_SPREAD,       /* length of the difference of motions A and B / 16 pixels, at most 4 */
    IP_FUSE_TIME,         /* 0 at the earlier frame, 1 at the later */
    IP_FUSE_SIDES
};

/* Everything about one picture; float planes of one size, R,G,B in the working encoding, rows stride floats apart. Values that are
 * not finite are taken as 0. */
typedef struct ip_fuse_input {
    int32_t width, height;
    ptrdiff_t stride;
    const float *candidate[IP_FUSE_CANDIDATES][3];
    const float *logit[IP_FUSE_CANDIDATES];
    const float *side[IP_FUSE_SIDES];
} ip_fuse_input;

typedef struct ip_fuse ip_fuse; /* one thread at a time */

/* A fresh network; the seed decides its inner start values. */
ipos_status ip_fuse_new(const ip_backend_v1 *b, int32_t device, uint64_t seed, ip_fuse **out);
ipos_status ip_fuse_load(const ip_backend_v1 *b, int32_t device, const void *bytes, size_t size, ip_fuse **out);
/* metadata: object of texts for the file's header, or NULL. *bytes is freed with ip_free. */
ipos_status ip_fuse_save(const ip_fuse *fuse, const json_t *metadata, void **bytes, size_t *size);
void ip_fuse_free(ip_fuse *fuse);
int64_t ip_fuse_size(const ip_fuse *fuse); /* numbers in the network */

/* Where results go; packed planes of width * height floats. Members may be NULL. */
typedef struct ip_fuse_output {
    float *logit[IP_FUSE_CANDIDATES]; /* logits + delta */
    float *residual[3];               /* to be added to the blended picture */
    float *picture[3];                /* the whole formula */
} ip_fuse_output;
typedef struct ip_fuse_limits {
    int64_t tile;          /* longest side of a tile's own part, in pixels; 0: from memory */
    uint64_t memory;       /* bytes the network may hold; 0: 1 GiB */
    const ip_cancel *cancel;
    ipos_status (*tick)(void *user, double done); /* before each tile; a failure ends the call with it; may be NULL */
    void *user;
} ip_fuse_limits;
/* Works in tiles with an overlap of the network's whole reach. limits may be NULL. */
ipos_status ip_fuse_forward(const ip_fuse *fuse, const ip_fuse_input *input, const ip_fuse_limits *limits, const ip_fuse_output *output);

/* A known frame and what the classical step made of its neighbours. */
typedef struct ip_fuse_example {
    ip_fuse_input input;
    const float *target[3]; /* same size and stride */
    int32_t group;          /* 0..groups-1: e.g. the clip, for scores by group */
} ip_fuse_example;

/* A supply of examples, on the thread that trains. Examples are asked for many times: keep what is costly to make. example must give
 * the same for the same index throughout; planes stay valid until release (may be NULL). */
typedef struct ip_fuse_source {
    void *user;
    int64_t count;
    ipos_status (*example)(void *user, int64_t index, ip_fuse_example *out);
    void (*release)(void *user, ip_fuse_example *example);
} ip_fuse_source;

/* Side of the patches learnt from, and the least side of an example; the border of smaller ones than a patch is repeated. The network
 * reaches further than a patch of 96: learning from those made held-out pictures worse by up to .19 dB in 160 steps, from 128 by
 * .02 at most. */
enum { IP_FUSE_PATCH = 128, IP_FUSE_LEAST = 32 };

typedef struct ip_fuse_training {
    ip_fuse_source train;
    ip_fuse_source held_out;  /* pictures of any size, never learnt from */
    int32_t groups;           /* of held_out; at least 1 */
    double *group_start, *group_score; /* groups scores in dB each, classical and trained; may be NULL */
    int32_t batch;            /* 0: 4 */
    bool ordered;             /* candidates keep their places: no time reversal */
    ip_train_plan plan;       /* rate 0: 4e-4 */
    ip_train_host host;
    /* After each validation: the first held-out example and its picture, packed planes; may be NULL. */
    ipos_status (*preview)(void *user, const ip_fuse_example *example, const float *const picture[3]);
    void *preview_user;
} ip_fuse_training;
/* Trains in place; afterwards fuse is the best on held_out, or what it was before if nothing beat that. Scores are the mean over the
 * held-out examples of PSNR in dB, peak 1 in the working encoding. Random flips, transposition, time reversal and gain .75..1.25;
 * patches of 128 pixels, the livelier of two places. Loss: 4 * Charbonnier + Laplacian pyramid. */
ipos_status ip_fuse_train(ip_fuse *fuse, const ip_fuse_training *training, ip_train_result *result);

#endif
