/* Inside relighting: settings, what is known of a shot frame by frame, pictures on their way out. */
#ifndef IP_RELIGHT_OP_H
#define IP_RELIGHT_OP_H

#include "brought.h"
#include "evidence.h"
#include "reference.h"
#include "set.h"
#include "shot.h"
#include "shot_grain.h"
#include "strokes.h"
#include "surface.h"

#include "teller.h"

enum { IR_FULL, IR_GENTLE, IR_HARD, IR_SUN, IR_GEOMETRY, IR_VARIANTS }; /* the last only where it is named */
extern const char *const ir_variant_names[IR_VARIANTS];

/* What was asked for; settings.c */
typedef struct ir_settings {
    ip_light_ask old, now;
    const char *geometry;     /* "auto", "motion", "none" */
    const char *old_from, *new_from; /* "given", "time", "light", "assumed": for people */
    ip_relight_pair pair;     /* of the two */
    ip_relight_pair hard;     /* with less light from the sky */
    const ip_light_of *reference; /* the new light is led towards it; NULL: the formula alone */
    ip_light_of own;          /* of the shot, to hold it against */
    ip_regrade regrade;
    float strength, haze, bloom, focal, camera_height, horizon; /* horizon below 0: not said */
    bool look_for_old;        /* nobody told the old sun's azimuth: it is looked for where the set is known; old_sun.c */
    bool old_elevation_told, now_follows; /* now_follows: the new sun's azimuth is the old one's */
    float old_confidence;     /* of what was found */
    char old_reason[160];     /* why nothing was; "" where it was, or was not looked for */
    float glow;               /* of the sky around the suns */
    float mirror;             /* how far glass and metal show the new sky and sun */
    float grain;              /* how far noise of lifted shadows is brought to that around them */
    ir_brought *brought;      /* NULL: nothing */
    bool unchanged;           /* old and new light are one, or the strength is 0: every bit stays */
    bool offered[IR_VARIANTS];
} ir_settings;
ipos_status ir_settings_read(const ip_op_host *host, ir_settings *out);
/* pair and hard from old and now, and from the reference. */
ipos_status ir_settings_pairs(ir_settings *settings);

/* What the variant "geometry" tells of a frame's shape, at the size of the analysis; geometry.c */
typedef struct ir_layers {
    bool known;
    ip_plane_f inverse, kind, normal[3]; /* of the exported world: right, up, towards the viewer of the middle frame */
} ir_layers;
ipos_status ir_layers_take(const ip_set *set, const ip_set_frame *frame, ir_layers *out);
void ir_layers_free(ir_layers *layers);
/* Layers depth (metres along the axis, 0: nothing), normal (world), matte.*, at the size of source, evidence 0 everywhere. */
ipos_status ir_geometry_layers(ip_op_host *host, const ipos_frame *source, const ip_surface *surface, const ir_layers *layers, ipos_frame **out);
/* Members of the shot's JSON: the track as "camera", and as "colmap" the texts of "cameras", "images" and "points3D", with places of the first, a
 * middle and the last key frame. The set is known. */
struct ir_scene;
ipos_status ir_track_tell(struct ir_scene *scene, ip_buffer *to);

/* A shot at the size the analysis works at, frame by frame, a few at hand; frames.c, steady.c */
enum { IR_LEAST_HELD = 12, IR_REACH = 2 };
typedef struct ir_scene {
    ip_op_host *host;
    const ir_settings *settings;
    ip_shot *footage;
    ip_look_source source;
    int width, height; /* of the analysis */
    float horizon;     /* 0 top .. 1 bottom */
    ip_shades shades;
    double change;     /* stops the ground and what stands on it would change by on average, before exposure */
    double camera;     /* stops of exposure on top, as a camera would be set */
    double white;      /* ip_reflect_white */
    ip_set set;        /* where geometry is "motion" */
    ir_passes passes;  /* of what was brought along */
    struct ir_slot {
        uint64_t used;     /* 0: empty */
        size_t index;
        ip_image3 light;
        ip_plane_f luma;
        ip_surface surface;
        bool has_surface;
        ip_plane_f still;      /* where to look for old shadows, until surface has them; then and before anything is known {0} */
        ir_layers layers;      /* where settings offer them */
        ip_plane_f sky;
        ip_set_frame shape;    /* where strokes are carried along it */
        ip_plane_f flow[2][2]; /* to the frame before, to the frame after */
    } *slots;
    struct ir_woven {
        size_t index;
        float *values; /* NULL: empty */
    } woven[2 * IR_REACH + 1]; /* by index; steady.c */
    size_t slot_count;
    uint64_t clock;
    const ip_pulse *pulse;
    ir_marks marks;    /* what was painted */
    ip_shot_grain grain;
    char key[65];      /* of all the set rests on; "": nothing is remembered */
    bool motion;       /* the set is known from the camera's motion */
    char reason[200];  /* what the geometry rests on, or why there is none */
} ir_scene;
/* footage must outlive the scene. */
ipos_status ir_scene_open(ir_scene *scene, ip_op_host *host, ir_settings *settings, const ir_strokes *strokes, ip_shot *footage, const ip_pulse *pulse);
/* Looks for the old sun where the settings say so, and puts what it finds into them. */
ipos_status ir_old_sun(ir_scene *scene, ir_settings *settings);
/* No more than its frames and its set: of the settings geometry, focal, camera_height and the new light's direction count. */
ipos_status ir_scene_set(ir_scene *scene, ip_op_host *host, const ir_settings *settings, ip_shot *footage, const ip_pulse *pulse);
void ir_scene_close(ir_scene *scene);
/* The set's memory of earlier runs, where the host has one; remember.c */
ipos_status ir_remember(ir_scene *scene, ip_set_source *source);
/* A plane of the analysis' size, of a frame, with it: skies, and old shadows, which rest on the old light too. */
enum { IR_KEPT_SKY, IR_KEPT_SHADOWS, IR_KEPT_FLOW };
ipos_status ir_recall_plane(ir_scene *scene, int what, size_t index, const ip_plane_f *plane, bool *found);
ipos_status ir_keep_plane(ir_scene *scene, int what, size_t index, const ip_plane_f *plane);
/* A flow as it was searched (flow.h), half the size each way; {0}: nothing is kept. Allocated. */
ipos_status ir_recall_flow(ir_scene *scene, int way, size_t index, ip_plane_f searched[2]);
ipos_status ir_keep_flow(ir_scene *scene, int way, size_t index, const ip_plane_f searched[2]);
/* The shot's grain as it was measured. */
ipos_status ir_recall_grain(ir_scene *scene, ip_shot_grain *grain, bool *found);
ipos_status ir_keep_grain(ir_scene *scene, const ip_shot_grain *grain);
/* Of earlier frames what was made of their pictures is let go: it is made anew if somebody asks. */
void ir_scene_forget(ir_scene *scene, size_t before);
/* The frame with its picture; borrowed until IR_LEAST_HELD others were asked for. */
ipos_status ir_scene_frame(ir_scene *scene, size_t index, struct ir_slot **out);
/* Flow from a frame to the next (way 1) or the one before (0); two planes, borrowed as frames are. */
ipos_status ir_scene_flow(ir_scene *scene, size_t index, int way, const ip_plane_f **out);
/* The frame with what it shows by itself, but for old shadows, as its surface, and where to look for those as still. Nothing has looked yet. */
ipos_status ir_scene_shaped(ir_scene *scene, size_t index, struct ir_slot **out);
/* What is known of a frame together with its neighbours along the motion: steady over the shot. out is allocated. */
ipos_status ir_scene_surface(ir_scene *scene, size_t index, ip_surface *out);

/* A request; run.c */
typedef struct ir_run {
    ip_op_host *host;
    ir_settings settings;
    ir_settings told;       /* of the first shot, with what was found there */
    ir_strokes strokes;
    ip_clip protect;        /* host NULL where there is none */
    bool has_reference;     /* it was read */
    ip_light_of reference;
    ir_brought brought;
    double begin, part;     /* of the run: where the shot under way begins, how much it is */
    ip_buffer details;      /* JSON of the shots */
    ip_teller teller;
} ir_run;
ipos_status ir_step(ir_run *run, double done, const char *stage);
/* Shot after shot: its first and last frame, and which of its frames are asked for. */
typedef ipos_status (*ir_shot_fn)(ir_run *run, void *user, int64_t first, int64_t last, const ipos_rational *times, size_t count);
ipos_status ir_each_shot(ir_run *run, ir_shot_fn one, void *user);

/* Where a clip was given as reference: the shot's settings get its colours of light, as far as the shot's own allow; reference.c. tell: JSON. */
ipos_status ir_reference_use(ir_run *run, ir_settings *settings, int64_t first, int64_t last);
void ir_reference_tell(const ir_run *run, const ir_settings *settings, ip_buffer *to);

/* A frame in all its variants; emit.c */
ipos_status ir_emit(ir_run *run, ir_scene *scene, size_t index);

/* Light of a whole picture under a gain; picture.c. changed: 1 where a sample may differ. */
typedef struct ir_look {
    float strength, haze, bloom;
    double veil[3];           /* colour of the haze */
    const ip_plane_f *keep;   /* 0..1: share that keeps its light; NULL: none */
    int threads;
} ir_look;
ipos_status ir_picture(const ip_image3 *gain, const ip_plane_f *guide, const ir_look *look, const ip_image3 *light, ip_plane_f *changed);

/* The shot's grain, and before the gain: that of what is lifted (stops, of the analysis' size); grain.c */
ipos_status ir_grain_open(ir_scene *scene, double done);
ipos_status ir_grain_lift(ir_scene *scene, size_t index, const ip_plane_f *lifted, const ir_look *look, const ip_image3 *light);

/* What all ways of relighting do to a frame; light.c */
/* Linear light of a frame at an analysis' size, nothing below black; allocates out. */
ipos_status ir_light_fetch(const ip_look_source *source, size_t index, int widest, ip_image3 *out);
/* Linear light back into the frame where changed is over 0; all other samples keep their bits. Planes of the data window. */
ipos_status ir_light_write(const ip_clip *clip, const ip_image3 *light, const ip_plane_f *changed, ipos_frame *picture);
/* What keeps its light in a frame: 0..1, of its data window, allocated; {0} where no matte says so. A clip of one frame holds for all. */
ipos_status ir_keep_read(ir_run *run, const ipos_frame *source, int64_t number, ip_plane_f *keep);
/* The clip that was given in that role, if one was; two are IPOS_ERR_ARGUMENT. clip begins as {0}. */
ipos_status ir_open_role(ip_op_host *host, const char *role, ip_clip *clip);
/* Whether a clip was given in that role. */
bool ir_has_clip(const ip_op_host *host, const char *role);

/* The two results of a change that is known as a whole; two.c */
typedef struct ir_two {
    const char *name, *title[2]; /* of the first, and of both; the second is gentle */
    bool offered[2];
    float strength[2];
} ir_two;
/* Reads variants and strength; name and titles are set. */
ipos_status ir_two_read(const ip_op_host *host, const char *why, ir_two *two);
/* Ends run->details and offers what was made. */
ipos_status ir_two_offer(ir_run *run, const ir_two *two);
/* One of the two: light goes so far towards made as screens show it, and a picture with its evidence is emitted. sure, kind: of the whole change.
 * Samples that are not finite, or of which nothing changes, keep their bits. Planes of the source's data window. */
typedef struct ir_change {
    const ip_clip *clip;
    ipos_frame *source;
    int64_t number;
    const ip_image3 *light, *made;
    const ip_plane_f *keep, *sure, *kind; /* keep: NULL for none */
} ir_change;
ipos_status ir_two_emit(ir_run *run, const ir_two *two, const ir_change *change);

/* By examples, by the location's own days: instead of the light model; taught.c, days.c. run has its clips. */
enum { IR_GRADED = 4, IR_OTHER_FRAME = 1, IR_OTHER_TAKE = 2 };
ipos_status ir_taught_run(ir_run *run);
ipos_status ir_days_run(ir_run *run);

/* Horizon, suns, shadows old and new, drawn over a picture in linear light; sun.c. drawn: over 0 where it was. */
void ir_draw_sun(const ir_settings *settings, float horizon, const ip_surface *surface, const ip_image3 *light, const ip_plane_f *drawn);

extern const ip_op_spec ip_op_relight_spec; /* spec.c */
extern const ip_op ip_op_relight;

#endif
