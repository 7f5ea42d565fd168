/* Inside the in-between operation: from frames to planes and back, shots, the learned fusion. */
#ifndef IP_INBETWEEN_OP_H
#define IP_INBETWEEN_OP_H

#include "clip.h"
#include "inbetween.h"
#include "shot_grain.h"

enum { IB_CACHE = 10 }; /* frames kept for the next call: both sides of a gap, and what the trajectory looks at */

/* Frames of one clip on one canvas; picture.c */
typedef struct ib_clip {
    ip_clip frames;
    ipos_box canvas; /* what the planes cover; frames with another data window are placed on it */
    ipos_status (*tick)(void *user); /* between the channels of a picture; may be NULL */
    void *tick_user;
} ib_clip;
/* Grows the canvas to hold the frame. */
void ib_canvas_include(ib_clip *clip, const ipos_frame *frame);
/* Colour of a frame in the working encoding on the canvas; outside the data window 0. */
ipos_status ib_colour(const ib_clip *clip, const ipos_frame *frame, float *const rgb[3], ptrdiff_t stride);
/* The picture a plan gives, all channels of the two frames. residual (may be NULL): added to the colour in the working encoding;
 * its planes cover `where` of the canvas. */
typedef struct ib_residual {
    ip_box_i where;
    const ip_plane_f *rgb; /* three planes */
    float *store;          /* their samples */
} ib_residual;
ipos_status ib_picture(ib_clip *clip, const ip_inbetween_plan *plan, ipos_frame *left, ipos_frame *right, const ib_residual *residual,
    ipos_frame **out);
ipos_status ib_evidence(ib_clip *clip, const ip_inbetween_plan *plan, const ipos_frame *picture, ipos_frame **out);
/* A copy of a frame and an evidence map that says "invented", for frames held at the edge of a shot. */
ipos_status ib_hold(ib_clip *clip, ipos_frame *frame, ipos_frame **picture, ipos_frame **evidence);

/* The known frames of one shot; shots.c */
typedef struct ib_shot {
    ib_clip *clip;
    int64_t first, last;
    int64_t *numbers; /* known frames, ascending */
    double *times;    /* the same */
    size_t count;
    ip_inbetween *session; /* NULL until ib_shot_open */
    ipos_box canvas;       /* the session's */
    bool lean;             /* memory_limit does not allow the full variant at this size */
    ipos_status (*tick)(void *user);
    void *tick_user;
} ib_shot;
/* The shot that holds `time`: known are the frames that exist, repeat nothing, and are not in hidden. */
ipos_status ib_shot_find(ib_clip *clip, double time, const int64_t *hidden, size_t hidden_count, ib_shot *out);
/* Index of the last known frame before time; false if there is none, or none after it. */
bool ib_shot_gap(const ib_shot *shot, double time, size_t *left);
/* Makes sure that there is a session on the clip's canvas as it is now. IPOS_ERR_NO_MEMORY where memory_limit does not even
 * allow the plain variant. */
ipos_status ib_shot_open(ib_shot *shot);
void ib_shot_close(ib_shot *shot);
/* The same shot without one of its known frames. */
ipos_status ib_shot_without(const ib_shot *shot, size_t index, ib_shot *out);

/* grain.c. Gives a picture made at `time` as much grain as it lacks against the known frame `like`. Nothing where the grain could not be measured. */
ipos_status ib_grain_add(const ip_shot_grain *grain, const ip_clip *clip, double time, const ipos_frame *like, ipos_frame *picture);

/* A known frame planned from its neighbours as if it were missing; planned.c */
typedef struct ib_planned {
    ip_inbetween_plan *plan;
    ip_image3 left, right; /* working-encoding colour of the two frames, on the canvas */
    ip_image3 truth;       /* of the frame itself, on the active part */
    ip_box_i active;
} ib_planned;
/* shot must not hold `number`. use is called once with what was made, which goes when it returns. */
ipos_status ib_plan_known(ib_shot *shot, int64_t number, ip_inbetween_variant variant, double trajectory,
    ipos_status (*use)(void *user, const ib_planned *planned), void *user);
/* The colour the plan gives on the active part, with residual (may be NULL) added. */
ipos_status ib_plan_colour(const ib_planned *planned, const ib_residual *residual, int threads, ip_image3 *out);

/* How near a made picture comes to the true one of the same size; compare.c. psnr: dB, peak 1 in the working encoding. ssim: of luma. */
typedef struct ib_likeness {
    double psnr, ssim;
} ib_likeness;
ipos_status ib_compare(const ip_image3 *made, const ip_image3 *truth, int threads, ib_likeness *out);

extern const ip_op_spec ip_op_inbetween_spec; /* spec.c */
extern const ip_op ip_op_inbetween;
ipos_status ib_train(ip_op_host *host); /* train.c */

#endif
