/* The guided filter: a plane smoothed along the edges of another, and carried to the size of another.
 *
 * He, Sun, Tang, "Guided Image Filtering" (PAMI 2013); coefficients at a smaller size as in He, Sun, "Fast Guided Filter" (2015). */
#ifndef IP_GUIDED_H
#define IP_GUIDED_H

#include "image.h"

/* to = a guide + b, a and b by regression of `from` on the guide in windows of 2 radius + 1 pixels; epsilon: variance of the guide below which
 * it counts as flat. Planes of one size; to may be from. */
ipos_status ip_guided(const ip_plane_f *guide, const ip_plane_f *from, const ip_plane_f *to, int radius, float epsilon, int threads);

/* The same with guide and from small, and the answer for `full`, the same guide at the size of `to`. */
ipos_status ip_guided_up(const ip_plane_f *guide, const ip_plane_f *from, const ip_plane_f *full, ip_plane_f *to, int radius, float epsilon,
    int threads);

#endif
