/* Measuring the look of clips: what the files of this folder share.
 *
 * A clip is measured shot by shot, its longest ones. Measurements that look at single frames all choose from the same few; those that compare
 * frames see the whole shot and choose for themselves, but say what: so a decoder passes through the shot once for all (gather.c). Frames are
 * kept for that as far as memory allows, those that are compared as small as they are compared; what is not kept is decoded again. */
#ifndef LOOK_OP_H
#define LOOK_OP_H

#include "fingerprint.h"
#include "region.h"
#include "shot.h"
#include "teller.h"

extern const ip_op_spec ip_op_look_spec;
extern const ip_op ip_op_look;

enum { IL_SINGLES = 16 };

/* Some frames of a shot, as a measurement sees them. */
typedef struct il_view {
    ip_shot *shot;
    size_t at[IL_SINGLES], count; /* count 0: all */
} il_view;

/* Frames of a shot no wider than IP_LOOK_SMALL, in linear light. */
typedef struct il_small {
    ip_look_source whole; /* of the shot */
    ip_image3 *image;     /* by index; without planes: not kept */
} il_small;

typedef struct il_run {
    ip_op_host *host;
    ip_teller teller;
    double done;      /* where the step under way begins, 0..1 */
} il_run;

/* gather.c. Passes through the shot once. singles: the frames that single-frame measurements look at, which stay at hand with those that grain is measured
 * on. NULL planes are no failure. */
ipos_status il_gather(ip_shot *shot, const ip_look_source *whole, const il_view *singles, il_small *out);
/* The shot as measurements that compare frames see it; out must outlive it. */
ip_look_source il_small_source(il_small *small);
void il_small_free(il_small *small);

/* measure.c. An object with all measurements of a shot; refused as above. share: of the whole run that this shot is. */
ipos_status il_measure(il_run *run, ip_shot *shot, const char *refused, double share, json_t **out);
ip_look_source il_source(il_run *run, il_view *view);
/* Tells how far the run is; cancelled work ends here. */
ipos_status il_step(il_run *run, double done, const char *clip, const char *what);

/* marks.c. Checks the setting against the clips; "" is an empty list. */
ipos_status il_marks_parse(ip_op_host *host, json_t **marks);
/* Measures the marks of a clip: adds "skin" and "light" to its entry. */
ipos_status il_marks_measure(il_run *run, const json_t *marks, size_t clip, json_t *entry);

#endif
