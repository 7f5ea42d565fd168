/* The gain of each channel between two frames that show the same things. */
#ifndef IP_LOOK_GAIN_H
#define IP_LOOK_GAIN_H

#include "register.h"

typedef struct ip_gain {
    double log[3];  /* natural logarithm of b over a, linear R, G, B */
    double error;   /* standard error of the worst channel */
    double share;   /* of the pixels that were registered and neither dark nor clipped in both, 0..1 */
    double spread;  /* median absolute deviation of the log-ratio about log, the worst channel */
} ip_gain;

/* Robust mean (Cauchy) of the log-ratio of flow-registered pixels, those of steep places counting less. Frames of one size, linear;
 * about 300 to 500 pixels wide is enough. Frames that do not show the same, where log means nothing: ip_gain_same is false. */
ipos_status ip_gain_between(const ip_look_source *source, const ip_image3 *a, const ip_image3 *b, ip_gain *out);
static inline bool ip_gain_same(const ip_gain *gain) { return gain->share >= .12 && gain->spread <= .1; }

#endif
