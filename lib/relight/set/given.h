/* A set of which a production brings along what it knows: camera, depth, positions, normals, a mesh. What is given replaces what would be
 * estimated, piece by piece; what is not is estimated as ever, with what is given to help.
 *
 *   camera    poses and lens; else by positions, else by depth (points of the middle frame followed through the shot), else from motion
 *   depth     the view's depth; else of positions, else of the mesh, else by plane sweep; so also where what is given says nothing
 *   normals   where surfaces face; else of the mesh, else of the given depth, else that of ground and walls
 *   mesh      throws the shadows of both suns: rays to points of the sun's disc from four places of every pixel; needs a camera or positions
 *
 * Callbacks write planes of the analysis' size. */
#ifndef IP_GIVEN_H
#define IP_GIVEN_H

#include "mesh.h"
#include "rays.h"
#include "things.h"

typedef struct ip_given {
    const ip_pose *pose;  /* of every frame, in the world as it is given; NULL: not given */
    ip_lens lens;         /* with pose */
    double up[3];         /* unit; with pose or position */
    bool metres;          /* what is given is in metres; else its scale is not known, and the height of the camera tells it */
    /* 1 / z; 0: not known; -1: nothing is there. */
    ipos_status (*depth)(void *user, size_t index, const ip_plane_f *inverse);
    /* x,y,z of the world; NAN: not known. */
    ipos_status (*position)(void *user, size_t index, const ip_plane_f at[3]);
    /* Unit; 0,0,0: not known. In axes of the camera: right, up, back. */
    ipos_status (*normal)(void *user, size_t index, const ip_plane_f normal[3]);
    bool normals_of_camera;
    const ip_mesh *mesh;
    void *user;
} ip_given;
static inline bool ip_given_any(const ip_given *given) { return given->pose || given->depth || given->position || given->normal || given->mesh; }

/* What a set keeps of it. */
typedef struct ip_known {
    ip_rays *rays;              /* in the world as it is given */
    ip_pose *pose;              /* of that world, by frame */
    double turn[9], foot[3];    /* set = scale turn (given - foot) */
    double scale;
} ip_known;
void ip_known_free(ip_known *known);

struct ip_set;
/* ip_set_build, ip_set_look and ip_set_surface of a set with something given. */
ipos_status ip_given_build(struct ip_set *set, double focal, double height);
ipos_status ip_given_look(struct ip_set *set, size_t index, ip_set_frame *out);
ipos_status ip_given_surface(const struct ip_set *set, const ip_set_frame *frame, const ip_relight_pair *pair, const ip_surface *surface, const ip_plane_f *still);

/* The old sun by rays where the mesh shows something, by the picture's colours elsewhere. by_rays: what ip_given_surface wrote, -1 where the mesh
 * shows nothing; writes seen. (Letting the picture speak against the rays cost .04 dB on shot a of the benchmarks.) */
void ip_given_join(const ip_plane_f *by_rays, const ip_plane_f *seen);

#endif
