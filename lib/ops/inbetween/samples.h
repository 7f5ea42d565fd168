/* Training material for the fusion network, made from the dailies themselves: frames that exist are hidden, planned classically, and
 * cut into patches with the true pixels beside them. */
#ifndef IP_INBETWEEN_SAMPLES_H
#define IP_INBETWEEN_SAMPLES_H

#include "fuse.h"
#include "inbetween_op.h"

/* One frame to predict from its neighbours. */
typedef struct ib_triplet {
    size_t clip;
    int64_t number;
} ib_triplet;

/* Every triplet of every clip, split by shot: where a clip has four shots or more, every fifth (at least the last) is held out; in
 * shorter clips the last fifth of each shot is, with two triplets left out between the parts. */
typedef struct ib_split {
    ib_triplet *train, *held;
    size_t train_count, held_count;
    char *text; /* JSON array of {"clip","first","last"}: what was held out */
} ib_split;
ipos_status ib_split_make(ip_op_host *host, ib_split *out);
void ib_split_free(ib_split *split);

/* A plan of one triplet with all the network sees, and the truth, on the part inside the letterbox. */
typedef struct ib_example {
    ip_inbetween_fusion fusion;
    ip_image3 truth;            /* of the fusion's size */
    ip_image3 classical;        /* what the plan gives without a network */
} ib_example;
/* Keeps the clips' frame caches and vision sessions between calls. */
typedef struct ib_planner ib_planner;
ipos_status ib_planner_new(ip_op_host *host, ipos_status (*tick)(void *), void *tick_user, ib_planner **out);
void ib_planner_free(ib_planner *planner);
/* IPOS_ERR_NOT_FOUND where the triplet cannot be planned (its shot has too few frames). */
ipos_status ib_planner_make(ib_planner *planner, ib_triplet triplet, ib_example *out);
void ib_example_free(ib_example *example);

/* The same planes for the network. */
void ib_fuse_input(const ip_inbetween_fusion *fusion, ip_fuse_input *out); /* learned.c */

/* A small generator of random numbers for choices that must repeat. */
uint64_t ib_random(uint64_t *state);
void ib_shuffle(ib_triplet *triplets, size_t count, uint64_t seed);

#endif
