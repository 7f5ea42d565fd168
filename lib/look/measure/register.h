/* Frames of the look laid over each other by flow that does not see exposure. */
#ifndef IP_LOOK_REGISTER_H
#define IP_LOOK_REGISTER_H

#include "source.h"

/* Where a pixel of one frame is in the other, whether both directions agree within half a pixel, and both pictures look
 * alike there. */
typedef struct ip_registration {
    ip_plane_f flow[2], agreed; /* agreed: 1 or 0 */
} ip_registration;
/* Code luma of both, of one size; locally normalised (8 pixels) before the flow, so that gain and offset do not matter. */
ipos_status ip_register(const ip_look_source *source, const ip_plane_f *a, const ip_plane_f *b, ip_registration *out);
/* The two steps apart, for frames that are compared with several others: code luma locally normalised to about 0..255 (allocates out);
 * and flow one way alone on such planes, agreed where both pictures look alike: by `look`, planes like a and b or the same. finest: as in
 * ip_flow_options. */
ipos_status ip_register_normal(const ip_look_source *source, const ip_plane_f *luma, ip_plane_f *out);
ipos_status ip_register_quick(const ip_look_source *source, const ip_plane_f *a, const ip_plane_f *b, const ip_plane_f look[2], int finest,
    ip_registration *out);
void ip_registration_free(ip_registration *registration);

#endif
