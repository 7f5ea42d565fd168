/* Outlines of things, cut to where their colours end. Depth is found in windows: masks from it reach some pixels over the edge. */
#ifndef IP_TRIM_H
#define IP_TRIM_H

#include "image.h"

/* Radius of the largest disk within the outline that holds a pixel, from the distance to the outline. */
void ip_widest_disks(const ip_plane_f *inside, const ip_plane_f *radius);
/* mask: 0 or 1, in place. Around its edge every pixel goes to whom its colour belongs by those nearest to it in colour among the neighbours that are
 * well inside and those outside. light: scene-linear. */
ipos_status ip_trim(const ip_image3 *light, int threads, const ip_plane_f *mask);

#endif
