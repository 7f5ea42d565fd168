/* What mirrors: panes in walls, and metal that stands upright. */
#ifndef IP_SHINE_H
#define IP_SHINE_H

#include "things.h"

/* Writes surface->pane: how surely what is seen is glass (dark, grey, and smooth for some pixels, in a wall), 0..1; and surface->glint: the new sun's light
 * that upright metal (narrow things, grey, outlined by their colour) mirrors into the camera, in shares of what a white surface would send that faces that
 * sun, 0..1: a cylinder with the distribution of Walter et al. (EGSR 2007), roughness .3, averaged over each pixel, without what shades it.
 * pair: in the set's axes. */
ipos_status ip_shine_find(const ip_set_frame *frame, const ip_lens *lens, const ip_image3 *light, const ip_relight_pair *pair, int threads,
    const ip_surface *surface);

#endif
