/* A shot relit after one or two of its frames that somebody relit: what they show is carried along the motion.
 *
 * Where a frame of the shot agrees with the frame the example belongs to, the example itself is seen there, warped; a seventh of the log ratio of
 * the two frames goes with it, for what changed in between. Where it does not, the colours of the example are learned as a change on a grid over
 * place and brightness (grid.h), and that is applied. Stylising by example along motion: Jamriska et al., SIGGRAPH 2019; the ratio: Shih et al.,
 * "Data-driven Hallucination of Different Times of Day", SIGGRAPH Asia 2013. Colour is scene-linear R,G,B. */
#ifndef IP_TAUGHT_H
#define IP_TAUGHT_H

#include "grid.h"

/* How far a frame agrees with another along the motion, 0..1, at the size of the analysis: screens' values of both pictures within about .12.
 * flow: here to there, pixels; 0 where it leads out of the picture. All planes of one size. */
ipos_status ip_taught_sure(const ip_image3 *here, const ip_image3 *there, const ip_plane_f flow[2], int threads, const ip_plane_f *sure);

/* An example as it is seen from a frame. */
typedef struct ip_taught_view {
    /* The frame it belongs to and the example, whole pictures, finite, as screens show them (sRGB code going on over 1, mirrored at 0): between
     * samples, light rings around what is bright and carries its noise along. */
    const ip_image3 *plate, *example;
    const ip_plane_f *flow;           /* [2], by analysis: to that frame */
    const ip_plane_f *sure;           /* of the analysis' size */
    const ip_grid *grid;              /* of plate and example */
    float distance;                   /* frames, over 0 */
} ip_taught_view;

/* light becomes what the views say; values over 1 and below 0 go along. seen, of the analysis' size: share of a pixel that is seen in an example,
 * the rest is the grid's. Samples that are not finite stay. One to eight views. */
ipos_status ip_taught_picture(const ip_taught_view *views, size_t count, int threads, const ip_image3 *light, const ip_plane_f *seen);

/* A frame beside another, as it was carried. */
typedef struct ip_taught_beside {
    const ip_image3 *code;      /* whole picture, as screens show it; samples that are not finite count for nothing */
    const ip_plane_f *flow;     /* [2], by analysis: from the frame in question to it */
    const ip_plane_f *luma;     /* of its plate, 0..255, of the analysis' size */
    const ip_plane_f *seen;     /* by ip_taught_picture; NULL: all of it */
} ip_taught_beside;

/* The mean of a frame (weight 1) and of those beside it (weight 1/4 each) along the motion, which takes out that every frame finds its way to the example anew.
 * Counts as far as plates agree (luma within about 15) and both frames are seen in an example: what the grid made is the plate's own, grain and
 * all, and stays. code, luma, seen: of the frame; out becomes linear light. */
void ip_taught_steady(const ip_taught_beside *beside, size_t count, const ip_plane_f *luma, const ip_plane_f *seen, int threads, const ip_image3 *code,
    const ip_image3 *out);

#endif
