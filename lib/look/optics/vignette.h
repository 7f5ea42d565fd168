/* Vignette: how much darker the picture gets away from its centre, from what moves through the picture.
 *
 *   gain(r) = exp(a r^2 + b r^4 + c r^6),  r = 1 in the corners
 *
 * A point seen at two places under the same light differs by the vignette alone: log-ratios of flow-registered pairs are linear in a, b and c
 * (after Goldman and Chen, "Vignette and Exposure Calibration and Compensation", ICCV 2005). A mean frame would mistake a bright subject
 * in the middle for a vignette. */
#ifndef IP_VIGNETTE_H
#define IP_VIGNETTE_H

#include "record.h"

typedef struct ip_vignette {
    ip_reading reading;
    double a, b, c;
    double corner;     /* gain in the corners: exp(a + b + c) */
    double spread;     /* disagreement of halves of the data, radius-weighted share of light */
    int64_t pairs;     /* frame pairs used */
} ip_vignette;

/* On at most 16 frames and their partners 4 and 8 later, at up to 480 pixels wide. Not measurable: too little that moves, or halves of
 * the data (earlier and later, left and right, top and bottom) that disagree, fitted by two terms, by more than 4.5 % and by more than .15 of the vignette, or
 * corners at less than .25 or more than 1.15 of the centre. Letterbox bars do not count, but r = 1 stays the corner of the frame. */
ipos_status ip_vignette_measure(const ip_look_source *source, ip_vignette *out);
size_t ip_vignette_frames(size_t count, size_t at[IP_LOOK_FRAMES]); /* those it looks at, ascending */

double ip_vignette_gain(const ip_vignette *vignette, double r);
/* Times or over the gain, in linear light, in place; as they are where there is no measurement. The window is the part of a picture of
 * full_width x full_height that begins at (x, y): tiles agree with the whole. */
void ip_vignette_add(const ip_vignette *vignette, const ip_image3 *image, int full_width, int full_height, int x, int y);
void ip_vignette_remove(const ip_vignette *vignette, const ip_image3 *image, int full_width, int full_height, int x, int y);

json_t *ip_vignette_json(const ip_vignette *vignette);
ipos_status ip_vignette_parse(const json_t *value, ip_vignette *out);

#endif
