/* What the sweep hands to the choice of planes; only for depth.c and depth_choose.c. */
#ifndef IP_DEPTH_PARTS_H
#define IP_DEPTH_PARTS_H

#include "depth.h"

enum { IP_DEPTH_PLANES = 96 };
static const float IP_DEPTH_UNIT = 425; /* of the volume's numbers in a difference of 1 */

typedef struct ip_volume {
    int width, height;
    uint8_t *cost;  /* [y][x][plane] */
    uint16_t *sum;  /* the same, over all directions; zeroed */
} ip_volume;

/* Semi-global matching along four directions, the cheapest plane, a parabola through its neighbours. */
ipos_status ip_depth_choose(ip_volume *volume, const ip_plane_f *feature, const ip_depth_options *options, const ip_plane_f *inverse);

#endif
