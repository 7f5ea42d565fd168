/* The set of a shot, from the shot itself: the camera's path, the room, what stands before it, and the new sun's shadows. */
#ifndef IP_SET_H
#define IP_SET_H

#include "cast.h"
#include "depth.h"
#include "given.h"

/* Frames of the shot; what is given stays valid until the next call. */
typedef struct ip_set_source {
    ip_track_source track;
    ipos_status (*sky)(void *user, size_t index, const ip_plane_f **out); /* user: the track's */
    ipos_status (*light)(void *user, size_t index, const ip_image3 **out); /* scene-linear */
    int width, height, threads;
    ip_given given; /* what is known without looking; {0}: nothing */
    /* What an earlier run found: of the set (index -1) or of a frame. *bytes NULL: nothing; else the set frees them. Both may be NULL; user: the
     * track's. What is kept does not depend on the light. */
    ipos_status (*recall)(void *user, int64_t index, void **bytes, size_t *size);
    ipos_status (*keep)(void *user, int64_t index, const void *bytes, size_t size);
} ip_set_source;

enum { IP_KEYS = 7 };
typedef struct ip_set {
    ip_set_source source;
    ip_camera_path path;
    ip_room room;
    size_t middle, keys, key[IP_KEYS]; /* frames whose depth is at hand */
    ip_view view[IP_KEYS];
    double near_inverse, far_inverse;
    ip_caster caster;
    ip_known known;                    /* of what is given */
    char reason[160];                  /* why there is no set; "" where there is one */
} ip_set;

/* focal: over the width; height of the camera in metres. IPOS_OK with a reason is an answer. progress (may be NULL) with the source's user. */
ipos_status ip_set_build(const ip_set_source *source, double focal, double height, ip_set *out);
void ip_set_free(ip_set *set);
/* The shadows of a sun, toward it in the set's axes: what is right, up, forward on the middle frame. */
ipos_status ip_set_cast(ip_set *set, const double toward[3]);
/* Depth and kinds of a frame; the caller frees it with ip_set_frame_free. */
ipos_status ip_set_look(ip_set *set, size_t index, ip_set_frame *out);
/* Ground, facing, seen[IP_NEW_SUN] and passing of a frame, and where to look for old shadows (still: 1); with a given mesh seen[IP_OLD_SUN] and sky too. */
ipos_status ip_set_surface(const ip_set *set, const ip_set_frame *frame, const ip_relight_pair *pair, const ip_surface *surface, const ip_plane_f *still);
/* Row of the horizon on the middle frame, 0 top .. 1 bottom. */
double ip_set_horizon(const ip_set *set);

#endif
