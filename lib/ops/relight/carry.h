/* Inside relighting by example: examples made ready, and the motion from frames of the shot to them; carry.c */
#ifndef IP_RELIGHT_CARRY_H
#define IP_RELIGHT_CARRY_H

#include "relight_op.h"
#include "taught.h"

/* A shot at two sizes. */
typedef struct ir_plate {
    ir_run *run;
    ip_shot footage;
    ip_look_source source;
    int width, height; /* of the analysis */
} ir_plate;
ipos_status ir_plate_open(ir_run *run, int64_t first, int64_t last, ir_plate *out);
void ir_plate_close(ir_plate *plate);
/* A frame at the analysis' size, not below 0; and at its own. Allocate out. */
ipos_status ir_plate_small(ir_plate *plate, size_t index, ip_image3 *out);
ipos_status ir_plate_full(ip_shot *footage, size_t index, ip_image3 *out);
/* Luma of a frame at the analysis' size, 0..255; allocates out. */
ipos_status ir_plate_luma(ir_plate *plate, size_t index, ip_plane_f *out);
/* Light becomes what screens show: sRGB code going on over 1, mirrored at 0. */
void ir_light_encode(const ip_image3 *light, int threads);

/* An example with the frame it belongs to. */
typedef struct ir_known {
    bool is;
    size_t index;            /* of that frame in the shot */
    ip_image3 light;         /* the example, the whole picture, finite */
    ip_image3 plate, example; /* the frame and the example as ip_taught_view takes them */
    ip_image3 small;         /* of plate */
    ip_plane_f luma;         /* of small, 0..255 */
    ip_grid grid;
} ir_known;
/* Frame `at` of the example's clip. */
ipos_status ir_known_make(ir_plate *plate, size_t index, ip_shot *example, size_t at, ir_known *out);
void ir_known_free(ir_known *known);

/* The way from frame to frame away from an example, and the flow back along it. */
typedef struct ir_way {
    size_t index;
    ip_plane_f luma, flow[2];
} ir_way;
ipos_status ir_way_start(const ir_known *known, ir_way *way);
/* Goes on to the frame before or after. */
ipos_status ir_way_step(ir_plate *plate, bool forward, ir_way *way);
/* Flow from where the way has got to straight to the example, from the flow along the way. Allocates flow. */
ipos_status ir_way_direct(const ir_plate *plate, const ir_known *known, const ir_way *way, ip_plane_f flow[2]);
void ir_way_free(ir_way *way);

/* A frame as it was carried; taught_carried.c */
typedef struct ir_carried {
    size_t index;
    const ir_known *known;   /* it is this example itself; else NULL */
    const ip_image3 *code;   /* as screens show it: own, or the example's */
    ip_image3 own;
    ip_plane_f luma, seen;   /* of the analysis' size; seen: {0} of an example */
    ip_plane_f part[2];      /* how sure it is, its kind: of the picture's size; {0} of an example */
} ir_carried;
/* The frame of carried->index as the examples say, along the motion and, where the scene's set is known, by that. flow: to the examples, NULL for one
 * that does not count. carried is freed by the caller, whatever is returned. */
ipos_status ir_carry(ir_plate *plate, ir_scene *scene, const ir_known known[2], ip_plane_f *const flow[2], ir_carried *carried);
/* An example in its own frame; known must outlive it. */
ipos_status ir_carry_known(const ir_known *known, ir_carried *carried);
void ir_carried_free(ir_carried *carried);
/* Light of a carried frame with those before and after it (NULL: none); out: of the picture's size. */
ipos_status ir_carried_steady(const ir_plate *plate, const ir_carried *at, const ir_carried *const beside[2], const ip_image3 *out);

/* The flow from a frame to others as the set and the camera's path say; reproject.c. Planes of the scene's size, flow[i] to frame to[i]. Where
 * the path is not known for one of the frames, *known is false and nothing is written. */
ipos_status ir_reproject(ir_scene *scene, size_t from, const size_t *to, size_t count, ip_plane_f (*flow)[2], bool *known);

#endif
