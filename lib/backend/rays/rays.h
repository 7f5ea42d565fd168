/* Rays against triangles: a C face over Embree (Wald, Woop, Benthin, Johnson, Ernst, "Embree: A Kernel Framework for Efficient CPU Ray Tracing",
 * ACM TOG 33, 2014). Engine only.
 *
 * Watertight intersection; rays may be asked for from any number of threads, and the answers do not depend on how many. Building uses the calling
 * thread alone. */
#ifndef IP_RAYS_H
#define IP_RAYS_H

#include "core.h"

typedef struct ip_rays ip_rays;

/* points: x,y,z each, finite; corners: three indices below points each. Both are copied. IPOS_ERR_UNSUPPORTED where Embree does not run. */
ipos_status ip_rays_new(const float *at, size_t points, const uint32_t *corner, size_t triangles, ip_rays **out);
void ip_rays_free(ip_rays *rays);

/* The nearest triangle along a direction of whatever length from `least` times it on. distance: in lengths of the direction. normal: unit, towards
 * where the ray comes from. false: nothing, and neither is written. */
bool ip_rays_first(const ip_rays *rays, const float from[3], const float along[3], float least, float *distance, float normal[3]);
/* Whether anything lies that way. */
bool ip_rays_stopped(const ip_rays *rays, const float from[3], const float along[3], float least);

#endif
