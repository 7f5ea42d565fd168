/* Forward projection of a flow to a time between its two frames, with the holes filled by coverage. */
#ifndef IP_SPLAT_H
#define IP_SPLAT_H

#include "image.h"

typedef struct ip_splat {
    const ip_plane_f *u, *v;  /* the flow, on the grid of the frame it starts from */
    const ip_plane_f *weight; /* how far each vector is to be believed, > 0 */
    float reach;              /* share of the way the vectors travel: position in time, 0..1 */
    float sign;               /* the vector stored at the target is sign times the flow */
} ip_splat;

/* motion[0..1] and coverage (sum of bilinear shares that fell on each pixel, without weights) are written; planes of the flow's
 * size. Pixels covered less than full are mixed with, or taken from, a push-pull fill. The result does not depend on threads. */
ipos_status ip_splat_flow(const ip_splat *splat, float full, ip_plane_f motion[2], ip_plane_f *coverage, int threads);

#endif
