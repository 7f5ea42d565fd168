/* The spatial part of taking grain out. */
#ifndef IP_GRAIN_REMOVE_H
#define IP_GRAIN_REMOVE_H

#include "grain_internal.h"

/* Shrinks overlapping 8x8 cosine transforms, in place: hard first, then by Wiener with the first result as the signal (Yaroslavsky, Egiazarian,
 * Astola, SPIE 2001). share: of the grain's variance that is in the image, per sample. The image must be finite. */
ipos_status ip_grain_shrink(const ip_grain *grain, const ip_plane_f *share, int threads, ip_image3 *image);

#endif
