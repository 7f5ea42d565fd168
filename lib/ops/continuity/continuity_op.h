/* Inside continuity: what its modes share. Each measures on whole shots, so that any part of one comes out the same, and then changes the
 * frames asked for. */
#ifndef IP_CONTINUITY_OP_H
#define IP_CONTINUITY_OP_H

#include "bloom.h"
#include "graded.h"
#include "shot.h"
#include "shot_match.h"
#include "teller.h"
#include <jansson.h>

enum { IC_VARIANTS = 5 };

typedef struct ic_variant {
    const char *name, *title;
} ic_variant;

/* The frames asked for of one shot. */
typedef struct ic_part {
    int64_t first, last; /* of the shot */
    const ipos_rational *times;
    size_t count;
    ip_shot shot;        /* all of its frames */
    json_t *note;        /* what the details say of it */
    void *plan;          /* the mode's */
} ic_part;

typedef struct ic_run ic_run;

/* What an option "mode" names. */
typedef struct ic_mode {
    const char *name;
    ic_variant variants[IC_VARIANTS]; /* best first */
    bool owns_matte;                  /* the option "matte" says what it works on, not what may change */
    ipos_status (*prepare)(ic_run *run, ic_part *part); /* measures; says in run->offered which variants there will be */
    ipos_status (*emit)(ic_run *run, ic_part *part, int variant);
    void (*finish)(ic_part *part);    /* lets go of the plan */
} ic_mode;
extern const ic_mode ic_match, ic_deflicker, ic_report, ic_patch, ic_retexture;

struct ic_run {
    ip_op_host *host;
    const ic_mode *mode;
    ip_teller teller;
    double begin, share;      /* where the step under way begins, and how much of the run it is */
    ip_shot reference;        /* numbers NULL: none */
    struct ic_known *known;   /* grain, sharpness and bloom of the reference, once measured */
    struct ic_learned *learned; /* from the clips named graded, once a shot needed it */
    bool graded;              /* there are some */
    ip_clip matte, holdout;   /* host NULL: none */
    ic_part *parts;
    size_t part_count;
    bool offered[IC_VARIANTS];
    ip_image3 before, after;  /* room for one frame */
    ip_plane_f keep;
};

/* run.c. done: of the step under way, 0..1. */
ipos_status ic_step(ic_run *run, double done, const char *stage);
/* The reference's frame beside one of the shot's: its only one, else side by side from the first asked for on. */
ipos_status ic_beside(const ic_run *run, int64_t number, size_t *index);
/* Adds to what is said of a part; takes value over. */
ipos_status ic_say(ic_part *part, const char *name, json_t *value);

/* change.c. What the evidence map is to say of the samples that changed. */
enum { IC_SEEN = 1, IC_TAKE = 2, IC_REGRADED = 4 };
typedef struct ic_marks {
    float kind;             /* IC_REGRADED unless said otherwise */
    double confidence;      /* of the picture */
    ip_plane_f *by_place;   /* of the frame's size; NULL: the picture's */
} ic_marks;
/* Changes `image`, frame `index` of the part's shot in the working encoding, in place. */
typedef ipos_status (*ic_change)(void *user, size_t index, const ip_image3 *image, ic_marks *marks);
/* Emits the frames asked for as `change` leaves them, inside the matte and outside the holdout. What it does not change keeps its bits: the
 * evidence says original there. confidence: unless marks say otherwise. */
ipos_status ic_emit(ic_run *run, ic_part *part, int variant, double confidence, ic_change change, void *user);
/* Calls `each` with the index in the shot and the position among those asked for of every frame asked for. */
ipos_status ic_each(ic_run *run, ic_part *part, int variant, ipos_status (*each)(void *user, size_t index, size_t asked), void *user);
/* The frame of a mask clip with that number, or its only one, as a plane of the window's size. */
ipos_status ic_mask(ip_clip *mask, int64_t number, ipos_box window, const ip_plane_f *to);

/* texture.c. Grain, sharpness and bloom of one shot against the reference's. */
typedef struct ic_texture ic_texture;
/* The grain is measured behind `grade`, which is how the shot looks by then. *out NULL: nothing differs that both shots show. What was found is
 * said in the part's note. */
ipos_status ic_texture_new(ic_run *run, ic_part *part, const ip_grade *grade, ic_texture **out);
void ic_texture_free(ic_texture *texture);
void ic_known_free(struct ic_known *known);
/* What has to happen before the grade and after it; strength 0..1, the same for both. */
ipos_status ic_texture_before(const ic_texture *texture, ip_shot *shot, size_t index, double strength, const ip_image3 *image);
ipos_status ic_texture_after(const ic_texture *texture, const ip_encoding *encoding, int64_t number, double strength, const ip_image3 *image);

/* What the modes match and texture do to pictures. */
/* Linear light changed by `change`, then that share of the change; samples that are not finite stay. */
typedef ipos_status (*ic_light_fn)(const void *user, const ip_image3 *light, int threads);
ipos_status ic_in_light(const ip_image3 *image, const ip_encoding *encoding, double share, ic_light_fn change, const void *user, int threads);
ipos_status ic_bloom_add(const void *bloom, const ip_image3 *light, int threads); /* user: an ip_bloom */
ipos_status ic_bloom_remove(const void *bloom, const ip_image3 *light, int threads);
/* Footage too small to measure is no failure. */
ipos_status ic_bloom_measure(ip_shot *shot, const ip_pulse *pulse, ip_bloom *out);
/* A share of the grain out of a frame of the shot, with the help of the frames beside it. */
ipos_status ic_less_grain(const ip_grain *grain, ip_shot *shot, size_t index, double share, const ip_image3 *image);

/* learned.c. In place of a match's suggestion, where what was learned from the graded clips does better on those it did not see. */
ipos_status ic_suggest_learned(ic_run *run, ic_part *part, ip_shot_match *match);
void ic_learned_free(struct ic_learned *learned);

/* toward.c. A suggestion: white balance, exposure, contrast and saturation of a measured look. */
ipos_status ic_toward_look(ic_run *run, ic_part *part, ip_shot_match *out);

#endif
