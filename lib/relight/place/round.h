/* How things that stand before the room are lit: trunks, poles and people are round, crowns of trees shade parts of themselves. */
#ifndef IP_ROUND_H
#define IP_ROUND_H

#include "things.h"

/* Changes facing and seen of what is a thing or moves, from how wide it is across: narrow ones are cylinders that stand, wide ones keep where they face and
 * lose a part of the new sun. pair: both suns, in the set's axes. */
ipos_status ip_round_things(const ip_set_frame *frame, const ip_relight_pair *pair, const ip_surface *surface);

#endif
