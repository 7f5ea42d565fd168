/* The grain of lifted shadows, brought to what the plate has at the level they are lifted to. */
#ifndef IP_LIFT_GRAIN_H
#define IP_LIFT_GRAIN_H

#include "color.h"
#include "grain.h"

/* Before the gain: light is scene-linear R,G,B of a whole picture or a part, worked on in place; stops (its size) is by how much more than its
 * surround a place is going to be raised. Up to a quarter of a stop nothing is done, from three quarters on all: there the grain keeps the share of its standard
 * deviation that the curve of grain by level gives the brighter level, never more than it has. Split of grain and detail: ip_grain_remove, along
 * time where before and after (the pictures beside it, of its size; NULL: none) show the same, else within the picture. grain: measurable. amount: 0..1 of that. Samples that are not finite, and all where nothing is done, keep their bits. */
ipos_status ip_lift_grain(const ip_grain *grain, const ip_encoding *encoding, const ip_plane_f *stops, float amount, const ip_image3 *before,
    const ip_image3 *after, int threads, const ip_pulse *pulse, const ip_image3 *light);
/* The share of it, 0..1: a channel whose value is `value` in light, at a working luma, raised by stops. */
float ip_lift_grain_share(const ip_grain *grain, const ip_encoding *encoding, int channel, float value, const float rgb[3], float stops);

#endif
