/* Correspondence for motion too large, or things too small, for a pyramid of patches: randomised search with adaptive support.
 *
 * After Barnes, Shechtman, Finkelstein, Goldman, "PatchMatch" (SIGGRAPH 2009), with the adaptive support weights of Yoon and Kweon
 * (PAMI 2006); exhaustive at the coarsest level. Its displacements replace a dense flow only where they explain the picture clearly
 * better and both directions agree. */
#ifndef IP_MATCH_H
#define IP_MATCH_H

#include "image.h"

/* What to replace, at half size: where mask is 1, the displacement is (u, v) pixels of the full frame. */
typedef struct ip_override {
    ip_plane_f u, v, mask;
} ip_override;

/* Both directions at once. a, b: limited, finite working-encoding colour; forward, backward: their dense flows. out[0] is for a -> b,
 * out[1] for b -> a. Frames under 32 pixels either way get empty masks. The random numbers come from position alone: the result is
 * always the same. pulse may be NULL; where it says stop: IPOS_ERR_CANCELLED. */
ipos_status ip_match(const ip_image3 *a, const ip_image3 *b, const ip_plane_f forward[2], const ip_plane_f backward[2], int threads,
    const ip_pulse *pulse, ip_override out[2]);
void ip_override_free(ip_override *override);

/* flow (full size) with the override put in. */
void ip_override_apply(const ip_override *override, ip_plane_f flow[2], int threads);

#endif
