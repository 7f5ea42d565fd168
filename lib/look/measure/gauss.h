/* Gaussian blur of planes, and the distance to a mask. */
#ifndef IP_LOOK_GAUSS_H
#define IP_LOOK_GAUSS_H

#include "image.h"

/* Edges repeated; in place allowed. Below 4 pixels a sampled Gaussian over 4 sigma; above it four box blurs of mixed width (Kovesi, "Fast
 * Almost-Gaussian Filtering", DICTA 2010), whose own sigma ip_gauss_sigma tells. tmp has the plane's size. */
void ip_gauss_blur(const ip_plane_f *from, const ip_plane_f *to, const ip_plane_f *tmp, double sigma, int threads);
double ip_gauss_sigma(double sigma);

/* (v - mean) / (deviation + floor) over Gaussian windows. Allocates its scratch. */
ipos_status ip_local_normal(const ip_plane_f *from, double sigma, float floor, const ip_plane_f *out, int threads);

/* Pixels to the nearest sample over 0 of mask, within 2 % (chamfer 5-7-11 of Borgefors, CVGIP 1986); large where there is none. */
void ip_distance_to(const ip_plane_f *mask, const ip_plane_f *out);

#endif
