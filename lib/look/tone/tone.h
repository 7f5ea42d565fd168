/* Black and white point, the distribution of tones, and saturation. */
#ifndef IP_TONE_H
#define IP_TONE_H

#include "record.h"

enum { IP_TONE_LEVELS = 11 };
/* .1, 1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9 % */
double ip_tone_level(int i); /* the share, 0..1 */

typedef struct ip_tone {
    ip_reading reading;
    bool scene;                    /* stops count from .18 of scene-linear light; false: of display light, which a grade has bent */
    double code[IP_TONE_LEVELS];   /* luma in the working encoding at the shares above */
    double stops[IP_TONE_LEVELS];  /* luma in stops over .18; not below -16 */
    double black[3], white[3];     /* .1 and 99.9 % of R, G, B in the working encoding */
    double clipped;                /* share of pixels with a channel at its end, 0..1 */
    double saturation, saturation_high; /* CIE 1976 saturation s_uv = 13 |u'v' - white| (CIE 15:2018): median and 95 % of pixels above -6 stops */
} ip_tone;

/* On at most 16 frames, a grid of pixels of each, inside letterbox bars. Not measurable: nothing but one level. */
ipos_status ip_tone_measure(const ip_look_source *source, ip_tone *out);

json_t *ip_tone_json(const ip_tone *tone);
ipos_status ip_tone_parse(const json_t *value, ip_tone *out);

#endif
