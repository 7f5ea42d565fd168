/* The main wall as what stops the sun for everything behind it.
 *
 * Closed where the pictures show it or something before it, open where they show sky or something far through it. Beyond the pictures' borders it is
 * taken to go on as at the border: rows of houses do. */
#ifndef IP_FACADE_H
#define IP_FACADE_H

#include "things.h"

enum { IP_FACADE_VIEWS = 3 };
typedef struct ip_facade {
    double normal[3], offset; /* normal . x = offset, towards the cameras */
    double toward[3];         /* to the sun */
    ip_lens lens;
    size_t count;             /* 0: no wall between the sun and what lies behind it */
    struct {
        ip_pose pose;
        ip_plane_f open;      /* 0..1 */
    } view[IP_FACADE_VIEWS];
} ip_facade;

/* From at most IP_FACADE_VIEWS frames of the set; more are not looked at. No wall, or a sun that is not on the cameras' side of it: count 0. */
ipos_status ip_facade_make(const ip_room *room, const ip_set_frame *const *frames, size_t count, const ip_lens *lens, const double toward[3], ip_facade *out);
void ip_facade_free(ip_facade *facade);
/* How much of the sun the wall lets through to a place, 0..1; 1 for all that is not well behind it. */
float ip_facade_lit(const ip_facade *facade, const double at[3]);

#endif
