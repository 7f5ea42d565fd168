/* The set as a room: a ground and upright walls, in metres, from the depth of several views.
 *
 * Planes by RANSAC (Fischler, Bolles, CACM 1981) with a tolerance that grows with distance, refined by least squares. */
#ifndef IP_ROOM_H
#define IP_ROOM_H

#include "camera.h"

/* A view whose depth is known; poses and depth in one unit. */
typedef struct ip_view {
    ip_pose pose;
    ip_plane_f inverse;  /* 1 / z */
    ip_plane_f agreeing; /* how many other views say the same */
} ip_view;
enum { IP_AGREE = 2 };   /* as many are believed */

enum { IP_WALLS = 6 };
typedef struct ip_wall {
    double normal[3];  /* unit, level, towards the camera: normal . x = offset */
    double offset;
    double low, high;  /* how far it reaches along (normal.z, 0, -normal.x), metres */
    double weight;     /* points that lie on it */
} ip_wall;

/* World: x right, y up, z forward of the middle camera, metres, its foot at 0,0,0. */
typedef struct ip_room {
    ip_wall wall[IP_WALLS]; /* the largest first */
    size_t walls;
    double scale;           /* metres in a unit of the poses before they were placed */
    double ground_share;    /* of the lower half's points that lie on the ground, 0..1 */
    char reason[160];       /* why there is none; "" where there is */
} ip_room;

/* Finds the ground in the views, of which `middle` is the one that says where up and forward are, and brings all poses of the path and depths of
 * the views into the world, with the camera `height` metres over the ground. A reason in room is an answer. */
ipos_status ip_room_place(ip_view *views, size_t count, size_t middle, double height, ip_camera_path *path, ip_room *room);
/* Walls, once the views are placed. */
ipos_status ip_room_build(const ip_view *views, size_t count, const ip_lens *lens, ip_room *room);

/* Depth at which the ray of a pixel meets the room, and what it meets: -1 nothing (depth 1e4), 0 ground, 1.. wall[n - 1]. */
typedef struct ip_room_hit {
    float depth;
    int what;
} ip_room_hit;
ip_room_hit ip_room_at(const ip_room *room, const ip_pose *pose, const ip_lens *lens, double x, double y);
/* The same for the main wall as if it had no end: 1e4 where the ray does not meet it. */
float ip_room_backdrop(const ip_room *room, const ip_pose *pose, const ip_lens *lens, double x, double y);
/* Pixel and depth to the world. */
void ip_world_of(const ip_pose *pose, const ip_lens *lens, double x, double y, double depth, double out[3]);

#endif
