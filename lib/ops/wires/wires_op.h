/* Inside wire removal: frames of a shot, strokes, detection, tracking, mattes, fills. */
#ifndef IP_WIRES_OP_H
#define IP_WIRES_OP_H

#include "clip.h"
#include "wire_fill.h"
#include "wire_model.h"
#include "wire_track.h"

/* A picture as the detector sees it: reduced to at most about 1100 lines, stretched by the shot's own spread; plates.c */
typedef struct iw_stretch {
    float low, gain; /* seen = (value - low) * gain */
} iw_stretch;
/* From the .5 and 99.5 percentiles of the luma of up to four frames. */
ipos_status iw_stretch_find(ip_clip *clip, ipos_box canvas, const int64_t *numbers, size_t count, iw_stretch *out);
int iw_plate_scale(int height);
ipos_status iw_plate_make(const ip_clip *clip, const ipos_frame *frame, ipos_box canvas, int scale, iw_stretch stretch, ip_image3 *out);

/* Strokes; strokes.c */
typedef struct iw_stroke {
    int64_t frame;
    ip_point *points;
    size_t count;
    float width; /* pixels; 0: not said */
} iw_stroke;
typedef struct iw_wire {
    char *name;
    bool shadow;
    iw_stroke *strokes; /* by frame, ascending, one a frame */
    size_t count;
} iw_wire;
typedef struct iw_wires {
    iw_wire *at;
    size_t count;
} iw_wires;
ipos_status iw_strokes_parse(const char *json, iw_wires *out);
/* A stroke of a new wire. */
ipos_status iw_wires_add(iw_wires *wires, const char *name, int64_t frame, const ip_curve *curve);
void iw_wires_free(iw_wires *wires);

/* Examples for the detector; samples.c. A hint is a band so wide that it says where to look and not where the wire is: along a narrow
 * one a network draws a wire whether there is one or not. */
enum { IW_HINT_HALF = 8, IW_HINT_SOFT = 6 };
typedef struct iw_plate {
    ip_image3 image; /* stretched */
    ip_plane_f passing; /* ip_passing of it; {0}: not known */
    float grain;
    /* Wires known on this plate; mattes over it. labels == NULL: none known, and the plate may hold others. */
    const ip_plane_f *labels; /* matte of every known wire together */
    const ip_plane_f *sure;   /* over 0 where the labels are to be believed; NULL: everywhere */
    const ip_curve *curves;
    size_t curve_count;
} iw_plate;
typedef struct iw_sampler {
    const iw_plate *plates;
    size_t count;
    float scale;        /* plate height / 540, at least 1: sizes of drawn wires */
    float known_share;  /* how often a plate with labels is taken */
} iw_sampler;
/* One example, from rng alone. Any number of threads at a time. */
ipos_status iw_sample(const iw_sampler *sampler, ip_rng *rng, ip_wire_example *out);

/* One wire on one frame. */
typedef struct iw_seen {
    ip_trace trace;   /* in detection pixels; count 0: nothing to paint */
    uint8_t *use;     /* per point: is painted */
    float confidence; /* 0..1 */
    float width;      /* detection pixels */
    float worth;      /* share of the wire that is explained, less for lying elsewhere and otherwise than expected */
    float tone[2];    /* of a frame with a stroke: at least and at most so bright the wire is, luma of the plate */
    float passes;     /* of a frame with a stroke: share of the points at which something passes before the scene */
    bool tried, lost, key;
} iw_seen;

/* A matte over part of the picture, full size pixels. */
typedef struct iw_matte {
    ip_box_i box;
    uint8_t *alpha; /* packed; NULL: empty */
} iw_matte;
void iw_matte_free(iw_matte *matte);
/* Adds alpha * 255 of plane at (x, y). */
ipos_status iw_matte_join(iw_matte *matte, ip_box_i box, const ip_plane_f *plane);
/* 1 where alpha > .3 within `dilate` pixels, else 0. */
void iw_matte_hole(const iw_matte *matte, int dilate, ip_box_i box, const ip_plane_f *to);

/* A shot in work; shot.c, detect.c, track.c */
typedef struct iw_shot {
    ip_op_host *host;
    ip_clip *clip;
    ipos_box canvas;
    int64_t *numbers; /* known frames in work: those asked and `reach` around them */
    size_t count;
    int scale;
    iw_stretch stretch;
    iw_wires wires;
    const ip_wire_net *net; /* NULL: ridges */
    float threshold;
    iw_seen *seen;        /* wires.count * count, wire by wire */
    iw_matte *matte, *shadow; /* by frame; full size, soft */
    bool *painted;        /* by frame: the matte was given */
    bool *doubted;        /* by wire: no stroke of it lies on anything like a wire; NULL: not known */
    struct {
        size_t index;
        uint64_t used;
        ip_image3 image;
    } plates[8];
    struct {
        size_t index;
        uint64_t used;
        int width;
        uint8_t *bytes; /* as the network sees it, times 254 */
    } passing[64];
    uint64_t clock;
    ipos_status (*tick)(void *user);
    void *user;
} iw_shot;
enum { IW_STEP = 3 }; /* detection pixels between the points of a curve */
iw_seen *iw_seen_at(const iw_shot *shot, size_t wire, size_t index);
float iw_lines(const iw_shot *shot); /* of the plate, in units of 540, at least 1: sizes on it grow with it */
float iw_to_border(const iw_shot *shot, ip_point at); /* distance to the nearest border of the plate, below 0 outside */
const iw_stroke *iw_stroke_at(const iw_shot *shot, size_t wire, size_t index); /* drawn on that very frame; NULL: none */
ipos_status iw_stroke_curve(const iw_shot *shot, const iw_stroke *stroke, ip_curve *out); /* in detection pixels */
/* The plate of frame index; borrowed until eight others were asked for. */
ipos_status iw_shot_plate(iw_shot *shot, size_t index, const ip_image3 **out);
/* What passes before the scene in a box of the plate, as the network sees it; out has the box's size; passing.c */
ipos_status iw_shot_passing(iw_shot *shot, size_t index, ip_box_i box, ip_plane_f *out);
ipos_status iw_shot_difference(iw_shot *shot, size_t index, ip_box_i box, ip_plane_f *out); /* the same, as a difference of luma */
void iw_shot_passing_free(iw_shot *shot);
/* Of a plate made from frame number of a clip, as a difference; allocated here. */
ipos_status iw_clip_passing(ip_clip *clip, int64_t number, ipos_box canvas, int scale, iw_stretch stretch, const ip_image3 *plate, int threads,
    ip_plane_f *out);
/* How likely every pixel of a box of the plate shows a wire; prompt (may be NULL) has the box's size. out is allocated. */
ipos_status iw_detect(iw_shot *shot, size_t index, ip_box_i box, const ip_plane_f *prompt, ip_plane_f *out);
/* Follows every wire over all frames from its strokes, and paints the mattes of frames that have none. */
ipos_status iw_track(iw_shot *shot);
ipos_status iw_track_strokes(iw_shot *shot); /* on the frames of the strokes only */
void iw_shot_forget(iw_shot *shot); /* what tracking found */
/* Curves that look like wires on a frame, from the surest place on; propose.c */
ipos_status iw_propose(const ip_wire_map *map, float scale, size_t most, ip_curve **curves, float **sure, size_t *count);

/* Marks the wires none of whose strokes the network believes, after iw_track_strokes and before it is trained on the shot. */
ipos_status iw_doubt(iw_shot *shot);
/* Training on the shot: strokes as examples; tune.c. With a network to start from, which has looked at the strokes (iw_track_strokes), only
 * strokes where it sees at least a trace of a wire: an edge taught as one is seen as one everywhere. out: NULL where no stroke is left. */
ipos_status iw_tune(iw_shot *shot, const ip_wire_net *start, const ip_backend_v1 *backend, int32_t device, int64_t steps, uint64_t seed,
    ip_wire_net **out);

extern const ip_op_spec ip_op_wires_spec; /* spec.c */
extern const ip_op ip_op_wires;
ipos_status iw_train(ip_op_host *host); /* train.c */

#endif
