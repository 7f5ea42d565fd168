/* What run.c and shot.c share. */
#ifndef IP_WIRES_RUN_H
#define IP_WIRES_RUN_H

#include "wires_fill.h"

enum { IW_LEARNED, IW_STANDARD, IW_GRAIN, IW_WIDE, IW_NEAR, IW_MATTE, IW_VARIANTS };
extern const char *const iw_variant_names[IW_VARIANTS];

typedef struct iw_run {
    ip_op_host *host;
    const ip_backend_v1 *backend;
    int32_t device;
    ip_clip clip, matte, holdout; /* the latter two with host NULL where there is none */
    iw_beside beside;
    iw_wires wires;
    ip_wire_model model;          /* {0}: none */
    bool propose, offered[IW_VARIANTS], use_learned;
    double error[2], count[2];    /* beside the wires: standard, learned */
    double done, shot_begin, shot_part;
    char stage[160];
    ip_buffer details, strokes, lost; /* JSON, piece by piece */
} iw_run;
ipos_status iw_tick(void *run);
/* done: 0..1 of the shot in work. */
ipos_status iw_step(iw_run *run, double done, const char *stage);

/* One shot: the frames asked for all lie in first..last. shot.c */
ipos_status iw_run_shot(iw_run *run, int64_t first, int64_t last, const ipos_rational *times, size_t count);

size_t iw_index_of(const iw_shot *shot, int64_t number); /* shot->count where the frame is not in work */

/* emit.c */
ipos_status iw_emit_fill(iw_run *run, iw_shot *shot, iw_fill *fill, int variant, size_t index);
ipos_status iw_emit_matte(iw_run *run, iw_shot *shot, const char *variant, size_t index);
ipos_status iw_propose_all(iw_run *run, iw_shot *shot, const ipos_rational *times, size_t count);

/* {"shots":[{"first","last","detector","steps"}],"wires":[{"wire","frames":[{"frame","confidence","lost"}]}],"lost":[{"wire","first","last"}],
 *  "strokes":[...]}; details.c */
ipos_status iw_details_shot(iw_run *run, const iw_shot *shot, const char *detector, int64_t steps);
void iw_details_stroke(iw_run *run, const char *wire, bool shadow, int64_t frame, const ip_curve *curve, float scale, float width, float sure);
void iw_details_end(iw_run *run);

#endif
