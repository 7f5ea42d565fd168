/* What stands before the room in a frame: things that throw shadows, and what moves. */
#ifndef IP_THINGS_H
#define IP_THINGS_H

#include "room.h"
#include "surface.h"

enum { IP_IS_GROUND, IP_IS_UPRIGHT, IP_IS_THING, IP_IS_MOVING, IP_IS_SKY };

/* A frame with all that is known of it; planes of one size. */
typedef struct ip_set_frame {
    ip_view view;
    const ip_plane_f *luma;  /* display luma; while things are found */
    const ip_plane_f *sky;   /* the same */
    const ip_image3 *light;  /* the same, scene-linear */
    ip_plane_f room;         /* depth of the room behind every pixel */
    ip_plane_f wall;         /* what the ray meets: -1, 0 ground, 1.. a wall */
    ip_plane_f kind;         /* IP_IS_... */
    size_t index;            /* of the frame; where geometry is given */
    ip_plane_f normal[3];    /* of given geometry, in the set's axes; 0,0,0: not known; {0}: none is given */
} ip_set_frame;
void ip_set_frame_free(ip_set_frame *frame); /* the planes that are its own */

/* Another frame to compare the room with. */
typedef struct ip_beside {
    const ip_pose *pose;
    const ip_plane_f *luma;
} ip_beside;

/* Writes room, wall and kind. Things: nearer than .93 of the room's depth and over .3 m, where neighbouring frames do not fit the room, in pieces
 * that are believed, high enough and reach the air, cut to where their colours end; moving: where depth is not believed and the frames do not fit the room. */
ipos_status ip_things_find(const ip_room *room, const ip_lens *lens, const ip_beside *beside, size_t count, int threads, ip_set_frame *frame);

#endif
