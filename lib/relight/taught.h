/* Light learned from pictures: one or two frames of the shot that somebody relit, or a locked camera's other days. No networks.
 *
 * An example is carried along the motion; what cannot be carried gets a change of colour that depends on place and brightness, a bilateral grid
 * of affine maps (Chen, Adams, Wadhwa, Hasinoff, "Bilateral Guided Upsampling", SIGGRAPH Asia 2016) fitted on the example frame. */
#ifndef IP_TAUGHT_H
#define IP_TAUGHT_H

#include "image.h"

enum { IP_GRID_X = 20, IP_GRID_Y = 12, IP_GRID_Z = 8, IP_GRID_TERMS = 22 };
typedef struct ip_grid {
    float *cell;  /* [z][y][x][12]: three rows of four, on display-encoded R,G,B and 1 */
} ip_grid;
/* From a frame as it was and as it is to be, one size. */
ipos_status ip_grid_fit(const ip_image3 *from, const ip_image3 *to, ip_grid *out);
void ip_grid_free(ip_grid *grid);

/* An example for a frame: where every pixel of the frame lies in it. */
typedef struct ip_candidate {
    const ip_plane_f *x, *y;         /* pixels of the example; outside it: not to be seen there */
    const ip_image3 *from, *to;      /* the example frame as it was and as it was relit */
    float distance;                  /* frames away, at least 1 */
    bool strict;                     /* by geometry: only where it fits well */
    const ip_grid *grid;             /* of the same example */
} ip_candidate;
/* log2 gains that bring light (a frame of the shot) to the example's light; sure: 0..1, how well the examples cover each pixel. */
ipos_status ip_taught_gain(const ip_image3 *light, const ip_candidate *candidates, size_t count, int threads, const ip_image3 *gain,
    const ip_plane_f *sure);

/* log2 gains from the mean of a locked camera's pictures under one light to that under another (linear light), smoothed along the edges of
 * `light`; a change of colour of more than a stop and a half between channels is not followed: it was paint, not light. */
ipos_status ip_days_gain(const ip_image3 *light, const ip_image3 *from, const ip_image3 *to, int threads, const ip_image3 *gain);

#endif
