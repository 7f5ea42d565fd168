/* Exposure flicker: how much the exposure jumps from frame to frame. */
#ifndef IP_FLICKER_H
#define IP_FLICKER_H

#include "record.h"

enum { IP_FLICKER_STEPS = 47 };

typedef struct ip_flicker {
    ip_reading reading;
    double rms;     /* of the frame-to-frame gain less its local trend, natural logarithm of linear light: .01 is 1 % */
    double most;    /* largest of it */
    double trend;   /* gain of the whole run that is no flicker: fades, drifting light; natural logarithm */
    int64_t cuts;   /* steps whose frames share too little; left out */
    int64_t steps;  /* in use of gain */
    double gain[IP_FLICKER_STEPS]; /* frame to frame, mean of the channels; 0 over cuts */
} ip_flicker;

/* On up to 48 consecutive frames from the middle, at up to 480 pixels wide: robust mean log-ratio of flow-registered pixels (Delon, "Movie
 * and Video Scale-Time Equalization", IEEE TIP 2006, compares histograms instead, which motion changes). The trend is the running
 * median over 9 steps. Not measurable: fewer than 6 steps within shots. Footage without any flicker reads up to about .005. */
ipos_status ip_flicker_measure(const ip_look_source *source, ip_flicker *out);
size_t ip_flicker_frames(size_t count, size_t at[IP_LOOK_FRAMES]); /* those it looks at, ascending */

json_t *ip_flicker_json(const ip_flicker *flicker);
ipos_status ip_flicker_parse(const json_t *value, ip_flicker *out);

#endif
