/* What passes before the scene: a frame less what its neighbours show at the same places. A wire of a tenth of the contrast of the rock
 * behind it, or smeared by its own motion, stands alone there, as long as it moves against what it hangs before.
 *
 * The motion of the scene is that of cells so large that nothing thin has a say in it; the median over the neighbours is what stays
 * (Wexler, Shechtman, Irani, CVPR 2004, and every clean plate made by hand, do it so). */
#ifndef IP_PASSING_H
#define IP_PASSING_H

#include "image.h"

enum { IP_PASSING_MOST = 8 };

/* luma and count (0..IP_PASSING_MOST; more are left out) others of its size, values about 0..1, finite. out, of that size: positive where the frame is
 * brighter than what stays, 0 where fewer than two others see the place. Others that show another scene are left out. */
ipos_status ip_passing(const ip_plane_f *luma, const ip_plane_f *others, size_t count, int threads, ip_plane_f *out);

#endif
