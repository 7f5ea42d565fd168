/* Where the sun of the footage stands, from its shadows: the set as it is known throws shadows under every sun tried, and those that were found
 * in the picture say which of them fits. After the idea of Duchene et al. (ACM TOG 34, 2015) that geometry and cast shadows calibrate each
 * other; the measure is the correlation of both masks within ground and within walls, so that neither albedo nor how many shadows come from
 * outside the picture counts. */
#ifndef IP_OLD_SUN_H
#define IP_OLD_SUN_H

#include "cast.h"

/* A frame of the set and the shadows found in it. */
typedef struct ip_old_sun_view {
    const ip_set_frame *frame;
    const ip_plane_f *shade; /* 1 where an old shadow was found, 0 where none */
    const ip_plane_f *still; /* 1 where it was looked for */
} ip_old_sun_view;

enum { IP_OLD_SUN_VIEWS = 4 };
typedef struct ip_old_sun {
    double azimuth, elevation; /* degrees, as in ip_light_ask */
    float fits;                /* the correlation, -1..1 */
    float confidence;          /* 0..1: how good the fit is, and how much worse the best one elsewhere */
    char reason[160];          /* why there is no answer; "" where there is one */
} ip_old_sun;

/* elevation: where it is known, else NAN. room: of the frames' world. IPOS_OK with a reason is an answer: few shadows, nothing to throw them, no fit. */
ipos_status ip_old_sun_find(const ip_old_sun_view *views, size_t count, const ip_room *room, const ip_lens *lens, double elevation, int threads,
    const ip_pulse *pulse, ip_old_sun *out);

#endif
