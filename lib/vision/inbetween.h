/* The classical in-between: a frame at any time between two known ones.
 *
 *   ip_inbetween_open      one shot: which frames are known, and how to get them
 *   ip_inbetween_choose    the gate: which variant predicts the known neighbours best
 *   ip_inbetween_plan_make the motion and the per-pixel weights for one time
 *   ip_inbetween_apply     any channel of the two frames through that plan
 *
 * Method: dense inverse search flow both ways, forward projection to the wanted time with coverage fill, bicubic warps of both
 * frames, six candidates blended by how well the two warps agree; see inbetween.c for the sources. Results do not depend on the
 * thread count. Memory, measured above 4 megapixels with everything kept for the next call: 300 bytes a pixel for "plain", 460 for
 * "full" (2.7 and 4.1 GB at 4096x2160); about 110 more below, where twice the neighbours and flows are kept. */
#ifndef IP_INBETWEEN_H
#define IP_INBETWEEN_H

#include "image.h"

typedef enum ip_inbetween_variant {
    IP_INBETWEEN_AVERAGE, /* weighted mean of the two frames, no motion */
    IP_INBETWEEN_PLAIN,   /* one medium flow, coverage fill, fusion */
    IP_INBETWEEN_FULL,    /* several flows with large-motion override, their finished pictures averaged */
    IP_INBETWEEN_VARIANTS
} ip_inbetween_variant;
const char *ip_inbetween_variant_name(ip_inbetween_variant variant); /* "average", "plain", "full" */

/* The known frames of ONE shot. Leave out frames that repeat their predecessor, and those that are to be made. */
typedef struct ip_inbetween_source {
    int width, height;
    const double *times; /* of the known frames, strictly ascending; copied */
    size_t count;
    /* Writes frame index's R,G,B in the working encoding (any finite value; others are treated as 0 in matching only) to three
     * planes of width x height, rows stride floats apart. On the calling thread. */
    ipos_status (*fetch)(void *user, size_t index, float *const rgb[3], ptrdiff_t stride);
    /* May be NULL: called between steps as a sign of life; a failure ends the call with that status. */
    ipos_status (*tick)(void *user);
    void *user;
    bool lean;               /* do without the full variant, for want of memory: the gate neither measures nor names it */
    int threads;             /* <= 1: one */
    const ip_cancel *cancel; /* may be NULL */
} ip_inbetween_source;

/* Bytes a session needs at its largest for a variant and what it leaves to the next call, without the caller's own frames. */
uint64_t ip_inbetween_memory(int width, int height, ip_inbetween_variant variant);

typedef struct ip_inbetween ip_inbetween; /* one thread at a time; keeps a few frames and flows for the next call */
ipos_status ip_inbetween_open(const ip_inbetween_source *source, ip_inbetween **out);
void ip_inbetween_close(ip_inbetween *session); /* plans made from it stay valid */

/* What the gate found. Every known frame beside the gap that has known neighbours of its own is predicted from those. */
typedef struct ip_inbetween_choice {
    ip_inbetween_variant variant;            /* the best; PLAIN where nothing could be measured */
    bool measured;                           /* false: too few known frames */
    double psnr[IP_INBETWEEN_VARIANTS];      /* mean over the frames predicted, peak 1 in the working encoding; 0 if not measured */
    double trajectory;                       /* share of the curved path to use: 0, .25 .. 1 */
} ip_inbetween_choice;
/* time lies strictly between two known frames, else IPOS_ERR_ARGUMENT. */
ipos_status ip_inbetween_choose(ip_inbetween *session, double time, ip_inbetween_choice *out);

typedef struct ip_inbetween_plan ip_inbetween_plan;
/* trajectory: 0 straight paths .. 1 the full quadratic one (needs known frames further out; taken as 0 where there are none). */
ipos_status ip_inbetween_plan_make(ip_inbetween *session, double time, ip_inbetween_variant variant, double trajectory,
    ip_inbetween_plan **out);
void ip_inbetween_plan_free(ip_inbetween_plan *plan);

typedef struct ip_inbetween_info {
    size_t left, right; /* indices of the two known frames it is made from */
    double position;    /* 0 at left, 1 at right */
    ip_box_i active;    /* inside the letterbox; outside it the frames are averaged */
    double confidence;  /* mean of the confidence plane over active */
} ip_inbetween_info;
void ip_inbetween_plan_info(const ip_inbetween_plan *plan, ip_inbetween_info *out);

/* One channel at the plan's size: left and right are the channel in the two frames, in its own values (working encoding for
 * colour, anything else as it is). Linear in the samples: constants stay what they are up to rounding. Not-finite samples reach
 * only the pixels whose kernel reads them. Planes may have any stride; out must not overlap the inputs. */
void ip_inbetween_apply(const ip_inbetween_plan *plan, const ip_plane_f *left, const ip_plane_f *right, ip_plane_f *out, int threads);
/* Identifiers and masks that must not be blended: each pixel from the most trusted position, nearest sample. element_bytes 1, 2, 4
 * or 8; strides in bytes. */
void ip_inbetween_apply_nearest(const ip_inbetween_plan *plan, size_t element_bytes, const void *left, ptrdiff_t left_stride,
    const void *right, ptrdiff_t right_stride, void *out, ptrdiff_t out_stride, int threads);
/* confidence: 0..1 per pixel, how far both frames confirm the result. evidence: 1 seen in a known frame, 3 invented (neither
 * frame confirms it). Either may be NULL; planes of the full frame's size. */
void ip_inbetween_evidence(const ip_inbetween_plan *plan, ip_plane_f *confidence, ip_plane_f *evidence, int threads);

/* What a fusion network sees and changes. The picture is, for each layer, softmax(logits) over the candidates, averaged over the
 * layers; a network works on layer 0. Candidate order: A0, A1, B0, B1 (frames left/right warped by flow A/B), Z0, Z1 (the frames). */
enum { IP_INBETWEEN_CANDIDATES = 6, IP_INBETWEEN_SIDES = 8 };
typedef struct ip_inbetween_fusion {
    int width, height;      /* of the active part; every plane has this size */
    ip_box_i active;
    ip_image3 warped[4];    /* A0, A1, B0, B1 */
    ip_image3 still[2];     /* Z0, Z1 */
    ip_plane_f logits[IP_INBETWEEN_CANDIDATES]; /* >= -12 */
    /* 0: |A0-A1| blurred, 1: |B0-B1| blurred, 2: |Z0-Z1| blurred, 3,4: coverage of A, B, 5,6: vA magnitude, |vA-vB| (both / 16 px,
     * cut at 4), 7: position in time. */
    ip_plane_f side[IP_INBETWEEN_SIDES];
} ip_inbetween_fusion;
/* left, right: the working-encoding colour of the two frames. Free with ip_inbetween_fusion_free. AVERAGE plans have none
 * (IPOS_ERR_ARGUMENT). */
ipos_status ip_inbetween_fusion_make(const ip_inbetween_plan *plan, const ip_image3 *left, const ip_image3 *right, int threads,
    ip_inbetween_fusion *out);
void ip_inbetween_fusion_free(ip_inbetween_fusion *fusion);
/* Replaces layer 0's weights by softmax(logits) of the active part's size, for all later ip_inbetween_apply calls. */
void ip_inbetween_plan_set_logits(ip_inbetween_plan *plan, const ip_plane_f logits[IP_INBETWEEN_CANDIDATES], int threads);

#endif
