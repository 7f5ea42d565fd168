/* Dense optical flow by inverse patch search on a pyramid, densification, and variational refinement.
 *
 * Own implementation after Kroeger, Timofte, Dai, Van Gool, "Fast Optical Flow using Dense Inverse Search" (ECCV 2016) for the patches
 * and Brox, Bruhn, Papenberg, Weickert (ECCV 2004), with the derivative normalisation of Zimmer, Bruhn, Weickert (IJCV 2011), for the
 * refinement. On finite planes of about 0..255. */
#ifndef IP_FLOW_H
#define IP_FLOW_H

#include "image.h"

typedef struct ip_flow_options {
    int finest;       /* pyramid level the search ends at: 1 is "medium", 0 "fine" */
    bool flipped;     /* work on mirrored planes: other accidents of search order, for averaging */
    int threads;
    const ip_pulse *pulse; /* may be NULL; where it says stop: IPOS_ERR_CANCELLED */
    const ip_plane_f *initial_u, *initial_v; /* a flow to start the coarsest level from, any size; NULL: zero */
    ip_plane_f *searched; /* two planes, allocated here: the flow at the level the search ended at, for ip_flow_again; NULL: not wanted. Not with flipped */
} ip_flow_options;

/* flow[0], flow[1]: x and y displacement in pixels that takes a pixel of a to its place in b. Allocated here, of a's size. */
ipos_status ip_flow(const ip_plane_f *a, const ip_plane_f *b, const ip_flow_options *options, ip_plane_f flow[2]);

/* The very flow that ended in what was searched, for planes of that size; allocated here. */
ipos_status ip_flow_again(const ip_plane_f searched[2], int width, int height, int threads, ip_plane_f flow[2]);

/* A path one frame further: displacements of a frame's pixels, and the flow of where they lead. Of one size; path is changed. */
void ip_flow_follow(const ip_plane_f flow[2], const ip_plane_f path[2]);

/* The refinement alone, in place. */
typedef struct ip_refine_options {
    int outer, inner;                 /* re-weightings, sweeps of over-relaxation for each */
    float smooth, brightness, gradient; /* weights of the terms */
    const ip_pulse *pulse;            /* may be NULL; where it says stop, the flow is left half refined */
} ip_refine_options;
ipos_status ip_flow_refine(const ip_plane_f *a, const ip_plane_f *b, const ip_refine_options *options, ip_plane_f flow[2], int threads);

/* One level of patch search and densification; flow holds the start and receives the result. Sizes at least 8x8. pulse as above. */
ipos_status ip_flow_search(const ip_plane_f *a, const ip_plane_f *b, int steps, const ip_pulse *pulse, ip_plane_f flow[2], int threads);

#endif
