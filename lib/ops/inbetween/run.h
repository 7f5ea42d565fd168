/* What run.c and rank.c share: a request's targets and how they are made. */
#ifndef IB_RUN_H
#define IB_RUN_H

#include "inbetween_op.h"
#include "learned.h"

enum { IB_GATED, IB_LEARNED, IB_FULL, IB_PLAIN, IB_AVERAGE, IB_METHODS };
extern const char *const ib_method_names[IB_METHODS];

typedef struct ib_target {
    ipos_rational time;
    double t;
    size_t shot, left; /* left: index among the shot's known frames */
    bool held;
    int64_t hold;
    ip_inbetween_choice choice;
    bool use_learned, learned_measured;
    double learned_gain; /* dB over the classical plan on the same neighbours, as far as measured */
} ib_target;

typedef struct ib_run {
    ip_op_host *host;
    ib_clip clip;
    ib_learned *learned;
    ip_shot_grain *grain; /* of shot grain_shot; NULL: not asked for */
    size_t grain_shot;
    ib_shot *shots;
    size_t shot_count;
    ib_target *targets;
    size_t count;
    int64_t *hidden;
    size_t hidden_count;
    ib_trial *trials; /* of the known frames of the shot in work, by index; made once */
    bool *tried;
    double done, span;
    char stage[160];
    bool offered[IB_METHODS];
    bool lean; /* somewhere memory_limit does not allow the full variant */
} ib_run;

/* What method m stands for on this target. */
ip_inbetween_variant ib_variant_of(const ib_target *target, int method, bool *learned);

/* rank.c. Tells the host the methods offered: best score first; those that could not be measured keep their order behind those that were. The gate's
 * own choice leads. */
ipos_status ib_rank_methods(ib_run *run);

#endif
