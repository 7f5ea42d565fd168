/* Measuring the look of clips: what the files of this folder share.
 *
 * A clip is measured shot by shot, its longest ones. Measurements that look at single frames all choose from the same few, so that a
 * decoder passes through the shot once for them; those that compare frames see the whole shot and choose for themselves. Frames are kept for
 * the next measurement as far as memory allows. */
#ifndef LOOK_OP_H
#define LOOK_OP_H

#include "fingerprint.h"
#include "op.h"
#include "region.h"
#include <pthread.h>

extern const ip_op_spec ip_op_look_spec;
extern const ip_op ip_op_look;

enum { IL_MOST_SLOTS = 128, IL_SINGLES = 16 };

/* One shot of a clip, and its frames. */
typedef struct il_shot {
    ip_op_host *host;
    size_t clip;
    int64_t *numbers; /* ascending: neither missing nor repeating the one before */
    size_t count;
    const ip_encoding *encoding;
    ipos_box window;  /* the first frame's data window */
    int32_t type;     /* of its first colour channel */
    float *linear, *working; /* by sample value, for types of 8 and 16 bits; NULL: none */
    struct il_slot {
        int64_t number;
        uint64_t used;
        ipos_frame *frame;
    } slots[IL_MOST_SLOTS];
    size_t slot_count;
    uint64_t clock;
} il_shot;

/* Some frames of a shot, as a measurement sees them. */
typedef struct il_view {
    il_shot *shot;
    size_t at[IL_SINGLES], count; /* count 0: all */
} il_view;

typedef struct il_run {
    ip_op_host *host;
    pthread_t thread; /* the one that may report */
    ip_pulse pulse;
    double done;      /* where the step under way begins, 0..1 */
    char stage[200];
} il_run;

/* frames.c. Chosen shots of a clip, longest first, at most `most`; the caller frees *shots and each one's numbers. */
ipos_status il_shots_of(ip_op_host *host, size_t clip, size_t most, il_shot **shots, size_t *count);
/* Looks at the first frame. *refused: why nothing can be measured on such pictures; "" if it can. */
ipos_status il_shot_open(il_shot *shot, char refused[160]);
void il_shot_close(il_shot *shot); /* lets go of frames and numbers */
/* A frame's colour in linear light, or in the working encoding. */
ipos_status il_frame(il_shot *shot, size_t index, bool working, const ip_image3 *to);
bool il_is_float(int32_t type);

/* measure.c. An object with all measurements of a shot; refused as above. share: of the whole run that this shot is. */
ipos_status il_measure(il_run *run, il_shot *shot, const char *refused, double share, json_t **out);
ip_look_source il_source(il_run *run, il_view *view);
/* Tells how far the run is; cancelled work ends here. */
ipos_status il_step(il_run *run, double done, const char *clip, const char *what);

/* marks.c. Checks the setting against the clips; "" is an empty list. */
ipos_status il_marks_parse(ip_op_host *host, json_t **marks);
/* Measures the marks of a clip: adds "skin" and "light" to its entry. */
ipos_status il_marks_measure(il_run *run, const json_t *marks, size_t clip, json_t *entry);

#endif
