/* The brightness of a clear sky around the sun, old taken out and new put in.
 *
 * Gradation by the angle to the sun: the indicatrix of the CIE standard general sky (ISO 15469:2004 / CIE S 011, Kittler, Perez, Darula 1997; the
 * form of Perez, Seals, Michalsky, Solar Energy 50, 1993), type 12 (clear, low turbidity): f(g) = 1 + 10 (exp(-3 g) - exp(-3 pi / 2)). Its
 * backscatter term and what lies more than 90 degrees away are left out, so that a sky away from both suns is not touched. */
#ifndef IP_SKY_GLOW_H
#define IP_SKY_GLOW_H

#include "camera.h"
#include "daylight.h"

/* Where pixels look: along a pose, or level with the horizon at a row (pixels, may lie outside) where pose is NULL. */
typedef struct ip_sky_view {
    const ip_pose *pose;
    ip_lens lens;
    double horizon;
} ip_sky_view;

/* Adds, where there is sky (0..1), amount times log2 of what the glow changes to gain. The light that glows has its sun's colour; a sun that does
 * not shine glows nowhere. Of the stops of luminance
 * at most .8 are kept (x / (1 + x / .8)), those of colour all. Both suns in one place: gain keeps its bits. */
void ip_sky_glow(const ip_relight_pair *pair, const ip_sky_view *view, float amount, int threads, const ip_plane_f *sky, const ip_image3 *gain);
/* By how many stops (R,G,B) that changes the sky in a direction: unit vector, right, up, forward. */
void ip_sky_change(const ip_relight_pair *pair, const double ray[3], double out[3]);
/* Where a pixel looks: unit vector. */
void ip_sky_ray(const ip_sky_view *view, double x, double y, double ray[3]);
/* Over 0 near the sun: f - 1. angle in radians. */
double ip_sky_glow_at(double angle);

#endif
