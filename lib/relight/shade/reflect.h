/* What mirrors shows the sky and the sun of the new light: panes of glass in part, metal where the sun meets it. */
#ifndef IP_REFLECT_H
#define IP_REFLECT_H

#include "sky_glow.h"
#include "surface.h"

typedef struct ip_mirrors {
    double wall[3]; /* where panes face: unit vector, right, up, forward */
    double white;   /* what a white surface shows under a light of 1 (ip_reflect_white) */
    float amount;   /* 0..1 */
    float exposure; /* stops that gain holds on top of the change of light */
} ip_mirrors;

/* Into gain (log2 of what R,G,B are multiplied with): of a pane, three tenths of what is seen is taken for a mirrored picture, which changes as the sky does
 * in the direction it comes from (sky_glow.h) or, below the horizon, as lit ground; glints are added to light. Where nothing mirrors, and where old and new
 * light are alike, gain keeps its bits. light: the picture, scene-linear. */
void ip_reflect(const ip_surface *surface, const ip_relight_pair *pair, const ip_sky_view *view, const ip_mirrors *mirrors, const ip_image3 *light,
    int threads, const ip_image3 *gain);

/* From a picture of what stands still (1 where to look) under the old light, its shadows not told, at a mean reflectance of .3: the median over all pixels. 0 where
 * there is nothing to look at. */
ipos_status ip_reflect_white(const ip_image3 *light, const ip_surface *surface, const ip_plane_f *still, const ip_relight_pair *pair, double *white);

#endif
