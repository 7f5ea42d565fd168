/* What was brought along with a request: a camera track, a mesh, passes of depth, positions and normals. */
#ifndef IP_RELIGHT_BROUGHT_H
#define IP_RELIGHT_BROUGHT_H

#include "clip.h"
#include "given_camera.h"
#include "set.h"

typedef struct ir_brought {
    ip_given_camera camera;    /* count 0: none */
    ip_mesh mesh;              /* triangles 0: none */
    char mesh_hash[65];
    ip_clip depth, position, normals; /* host NULL: none */
    bool along_ray, normals_of_camera;
    double up[3];              /* of positions without a camera */
    double metres;             /* of positions without a camera; 0: not known */
} ir_brought;
/* By the options camera, camera_models, up, metres, mesh, depth, depth_along, position, normals, normals_axes. */
ipos_status ir_brought_open(ir_brought *brought, ip_op_host *host);
void ir_brought_close(ir_brought *brought);
static inline bool ir_brought_any(const ir_brought *b) {
    return b->camera.count || b->mesh.triangles || b->depth.host || b->position.host || b->normals.host;
}

/* It as a shot needs it. */
typedef struct ir_passes {
    ir_brought *brought;
    const int64_t *number;    /* of the shot's frames */
    ipos_box window;          /* of the shot's frames */
    int width, height, step;  /* of the analysis; picture pixels in one of its pixels */
    ip_pose *pose;            /* of its frames, or NULL */
} ir_passes;
/* given: what the set is built from; passes must outlive it. */
ipos_status ir_passes_open(ir_passes *passes, ir_brought *brought, const int64_t *number, size_t count, ipos_box window, int width, int height,
    ip_given *given);
void ir_passes_close(ir_passes *passes);

#endif
