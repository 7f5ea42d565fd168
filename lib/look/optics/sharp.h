/* Sharpness: the modulation transfer of the pictures over their sharpest straight edges.
 *
 * The slanted edge of ISO 12233:2017, found in the picture instead of on a chart: the edge's line is fitted, pixels are binned by their
 * distance to it at a quarter pixel, the derivative of that profile is tapered and transformed, and the losses of binning and
 * differencing are divided out. In linear light on luma. An edge of the scene may itself be soft, out of focus or moving, so the upper
 * quartile of the edges stands for the camera; delivered pictures that were sharpened read higher than their lens. */
#ifndef IP_SHARP_H
#define IP_SHARP_H

#include "record.h"

enum { IP_SHARP_FREQUENCIES = 21 };

typedef struct ip_sharp {
    ip_reading reading;
    double mtf50;   /* cycles a pixel where half of the contrast is left, upper quartile over the edges */
    double median;  /* the same, median over the edges */
    double spread;  /* quartile range over median */
    double overshoot; /* largest modulation of the curve over 1: sharpening */
    int64_t edges;
    double curve[IP_SHARP_FREQUENCIES]; /* median modulation of the upper quarter at 0, .025, .. .5 cycles a pixel */
} ip_sharp;

/* On at most six frames at full size. Not measurable: fewer than 12 straight, strong, isolated edges. */
ipos_status ip_sharp_measure(const ip_look_source *source, ip_sharp *out);

json_t *ip_sharp_json(const ip_sharp *sharp);
ipos_status ip_sharp_parse(const json_t *value, ip_sharp *out);

#endif
