/* Curves in the picture: what a stroke means, and where a wire runs. Positions are continuous pixels: pixel (i, j) covers
 * i..i+1 by j..j+1, so its centre is (i + .5, j + .5). */
#ifndef IP_CURVE_H
#define IP_CURVE_H

#include "core.h"

typedef struct ip_point {
    float x, y;
} ip_point;

/* Points along a wire in order; ip_curve_even makes them evenly spaced. */
typedef struct ip_curve {
    ip_point *at;
    size_t count;
} ip_curve;

void ip_curve_free(ip_curve *curve);
ipos_status ip_curve_copy(const ip_curve *from, ip_curve *to);
float ip_curve_length(const ip_curve *curve);
/* Centripetal Catmull-Rom spline (Yuksel, Schaefer, Keyser, CAD 2011) through all points, sampled every step pixels of arc length
 * (the last interval is stretched or shrunk to fit). Points closer than 1e-3 are one. At least two points are needed. */
ipos_status ip_curve_spline(const ip_point *points, size_t count, float step, ip_curve *out);
/* The same polyline at even steps of arc length; straight between its points. */
ipos_status ip_curve_even(const ip_curve *from, float step, ip_curve *out);
/* Unit tangent and normal (tangent turned by +90 degrees: (-ty, tx)) at point i, from its neighbours up to `reach` points away. */
void ip_curve_frame(const ip_curve *curve, size_t i, size_t reach, ip_point *tangent, ip_point *normal);

#endif
