/* Straight thin lines too faint for any one of their pixels to tell. */
#ifndef IP_LINE_H
#define IP_LINE_H

#include "image.h"

/* How far a straight line through each pixel stands out from both its sides, in multiples of what is usual: of the plane's own spread and of
 * the lines around it. plane is averaged along each direction within `spread` (radians, 0.. .5) of `angle` (of the line, x to the right, y down) over 40 units to
 * either side before it is looked at across, so that noise and texture lose what a line keeps (a line integral, as of Radon's transform, over a short length);
 * what stands out so is averaged once more over 80 units, of which no single place says much. unit: pixels, at least 1. Bright and dark lines count alike, of
 * widths 1 to about 6 units. Noise reads about 1, the most of a wide search about 2, at most 6. out: a new plane of the size of plane. */
ipos_status ip_line_evidence(const ip_plane_f *plane, float angle, float spread, float unit, int threads, ip_plane_f *out);

#endif
