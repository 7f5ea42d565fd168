/* Shadows of what moves, frame by frame: it has no depth of its own from the camera's motion, so it stands where it touches the ground. */
#ifndef IP_MOVING_H
#define IP_MOVING_H

#include "cast.h"

/* Takes the sun away, in seen, from ground and upright places that moving things shade. Those that touch no ground in the picture throw none: how far
 * off they are is not known. behind: ip_cast_behind of the frame. toward: to the sun, in the world. */
ipos_status ip_moving_shade(const ip_plane_f *behind, const ip_set_frame *frame, const ip_lens *lens, const double toward[3], int threads,
    const ip_plane_f *seen);

#endif
