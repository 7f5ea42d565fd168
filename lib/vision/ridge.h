/* Thin lines without learning: how much a pixel stands out from both its sides. */
#ifndef IP_RIDGE_H
#define IP_RIDGE_H

#include "image.h"

/* Strength 0..1 of a line through each pixel of plane (code values, about 0..1), over widths of about 1 to 5 pixels, bright and dark
 * ones; .5 where it stands out from the nearer of its sides by `half` code values and three times what is usual within 20 pixels. The
 * direction is that of the Hessian's larger eigenvalue (Steger, PAMI 1998), the strength the smaller difference to both sides, so that
 * edges count as nothing. */
ipos_status ip_ridges(const ip_plane_f *plane, float half, int threads, ip_plane_f *out);

#endif
