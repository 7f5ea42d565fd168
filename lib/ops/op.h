/* What an operation is. One folder an operation; a new one adds its folder and its name to the list in lib/ops/meson.build.
 *
 *   lib/ops/NAME/spec.c   const ip_op_spec ip_op_NAME_spec   in the library and the engine: settings, texts
 *   lib/ops/NAME/run.c    const ip_op      ip_op_NAME        engine only: the work
 */
#ifndef IP_OP_H
#define IP_OP_H

#include "core.h"
#include "frame.h"
#include <interpos/operation.h>

typedef struct ip_op_spec {
    const char *name, *title, *help;
    bool trainable;
    const ip_option_spec *options;
    size_t option_count;
    bool edits; /* the frames named exist and are changed: whole numbers, fetched like any other. Else they are made and treated as missing */
    /* No pictures, no times: it reads the clips and tells what it found in the details of one variant a clip. A public call of its own starts
     * it, so it is neither listed nor created by name. */
    bool measures;
} ip_op_spec;

extern const ip_op_spec *const ip_op_specs[]; /* NULL-terminated; lib/ops/table.c */
const ip_op_spec *ip_op_spec_find(const char *name);    /* of those that make pictures; NULL: none */
const ip_op_spec *ip_op_spec_measure(const char *name); /* of those that measure */

/* A clip as an operation sees it. */
typedef struct ip_op_clip {
    const char *name, *encoding;
    const char *role;          /* "": worked on or learned from; else the option of type IPOS_OPTION_CLIP that names it */
    bool may_train;            /* its permission for training allows to learn from it */
    int64_t first, last;
    ipos_rational rate;
    const int64_t *cuts;       /* first frame of every shot but the first, ascending */
    size_t cut_count;
    const int64_t *duplicates; /* frames that repeat the frame before them, ascending */
    size_t duplicate_count;
    const int64_t *missing;    /* numbers between first and last that do not exist, ascending */
    size_t missing_count;
} ip_op_clip;

/* First and last frame of the shot that a time lies in. */
static inline void ip_op_shot_range(const ip_op_clip *clip, double time, int64_t *first, int64_t *last) {
    *first = clip->first;
    *last = clip->last;
    for (size_t i = 0; i < clip->cut_count; i++) {
        if ((double)clip->cuts[i] > time) {
            *last = clip->cuts[i] - 1;
            break;
        }
        *first = clip->cuts[i];
    }
}

/* What the engine offers to an operation while it runs. All calls on the running thread. */
typedef struct ip_op_host ip_op_host;
struct ip_op_host {
    void *user;
    int threads;
    uint64_t memory_limit;
    const char *device;
    const ip_cancel *cancel;
    const ip_option_values *options;
    /* The clip(s). A run: first the one it works on, then those that options of type IPOS_OPTION_CLIP name, in the order of the
     * options and of the names in each. Training: those to learn from. */
    const ip_op_clip *clips;
    size_t clip_count;
    /* Run only: the times to make, ascending, or the frames to change (spec->edits). Times to make must not be fetched. */
    const ipos_rational *times;
    size_t time_count;
    /* A frame of clips[clip]; the caller releases it. IPOS_ERR_NOT_FOUND where there is none. */
    ipos_status (*fetch)(ip_op_host *host, size_t clip, int64_t number, ipos_frame **out);
    /* New frame for results, in memory the library reads without a copy. */
    ipos_status (*frame_like)(ip_op_host *host, const ipos_frame *model, int32_t type, ipos_frame **out);
    ipos_status (*frame_new)(ip_op_host *host, const ipos_box *window, const ipos_channel *channels, size_t count, ipos_frame **out);
    /* Progress; also the sign of life the watchdog looks for. extra: "" or JSON members, e.g. "\"loss\":0.1". Returns
     * IPOS_ERR_CANCELLED when the work should stop. */
    ipos_status (*progress)(ip_op_host *host, double done, const char *stage, const char *extra);
    /* One finished picture of one variant (evidence may be NULL). References stay the caller's. Where spec->edits the time is one of those
     * asked for, the picture has the windows and channels of the frame it changes, evidence must be there, and the library compares: where
     * the channel "evidence" is 0 every bit of the frame stays. */
    ipos_status (*emit)(ip_op_host *host, const char *variant, ipos_rational time, double confidence, ipos_frame *picture, ipos_frame *evidence);
    /* Once per variant, after its pictures: title for people, score in dB (negative: none), details as a JSON object or NULL.
     * Variants are offered in the order of rank (0 first). */
    ipos_status (*variant)(ip_op_host *host, const char *variant, const char *title, int rank, double score, const char *details);
    /* What earlier runs found in the same frames, by a key of 64 hexadecimal digits that says all it rests on (a hash). May be NULL, and what was
     * kept may be gone at any time. recall: *bytes NULL where there is nothing, else the caller frees them. A cache that cannot be written is no
     * error. */
    ipos_status (*recall)(ip_op_host *host, const char *key, void **bytes, size_t *size);
    ipos_status (*keep)(ip_op_host *host, const char *key, const void *bytes, size_t size);
    /* Model file given by the user (safetensors bytes) or NULL. */
    const void *model;
    size_t model_bytes;
    /* Training only. */
    double seconds;      /* time budget left, <= 0: by steps */
    int64_t steps;       /* step budget, 0: by time */
    uint64_t seed;
    double checkpoint_seconds;
    const void *checkpoint; /* to go on from, or NULL */
    size_t checkpoint_bytes;
    ipos_status (*save_checkpoint)(ip_op_host *host, const void *bytes, size_t size);
    /* The finished weights (safetensors, without the card: the library adds it) and what training measured as a JSON object:
     * {"architecture","steps","seconds","score":{"held_out","baseline","gain","per_clip":[...]},"settings":{}}. */
    ipos_status (*save_model)(ip_op_host *host, const void *bytes, size_t size, const char *measured);
    ipos_status (*preview)(ip_op_host *host, ipos_frame *picture); /* for people to watch; u8 R,G,B */
};

/* The frames asked for from the one at `at` on that lie in its shot: how many, and the first and last frame of the shot. */
static inline size_t ip_op_shot_times(const ip_op_host *host, size_t at, int64_t *first, int64_t *last) {
    size_t end = at;
    ip_op_shot_range(&host->clips[0], (double)host->times[at].num, first, last);
    while (end < host->time_count && host->times[end].num <= *last)
        end++;
    return end - at;
}

typedef struct ip_op {
    const ip_op_spec *spec;
    ipos_status (*run)(ip_op_host *host);
    ipos_status (*train)(ip_op_host *host); /* NULL: not trainable */
} ip_op;

extern const ip_op *const ip_ops[]; /* engine only; NULL-terminated; lib/ops/run/run_table.c */

#endif
