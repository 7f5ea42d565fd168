/* The shadow of what is off the picture: its outline on the ground or a wall of the set, and all that lies in it on the way from the sun. */
#ifndef IP_GOBO_H
#define IP_GOBO_H

#include "brush.h"
#include "room.h"

typedef struct ip_gobo {
    double normal[3], offset; /* of the plane it lies on: normal . x = offset */
    double side[3], over[3];  /* span it */
    ip_brush brush;           /* in metres along side and over */
} ip_gobo;

/* A stroke in pixels of a view, width and soft as of that view. The plane is the one most of its points lie on: 0 the ground, n wall[n - 1].
 * IPOS_ERR_ARGUMENT where that is none, or where a point is not on that plane before the camera: the text begins with what. */
ipos_status ip_gobo_lay(const ip_room *room, const ip_pose *pose, const ip_lens *lens, const ip_point *points, size_t count, float half, float soft,
    const char *what, ip_gobo *out);
void ip_gobo_free(ip_gobo *gobo);
/* How much of a place in the world lies in it, 0..1, in the light from toward. */
float ip_gobo_at(const ip_gobo *gobo, const double world[3], const double toward[3]);

#endif
