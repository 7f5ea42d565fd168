/* How light falls on what the user marked: the ratio of key and fill, and the colours of light and shade. */
#ifndef IP_LIGHT_H
#define IP_LIGHT_H

#include "record.h"
#include "region.h"

typedef struct ip_light {
    ip_reading reading;
    double ratio;         /* luma of the lit part over that of the shade, both medians: key plus fill to fill */
    double stops;         /* log2 of it */
    double key[3], fill[3]; /* linear R,G,B of light and shade over their luma: colour of light times that of the surface */
    double warmth;        /* log2 (R/B) of light over that of shade: above 0, light is warmer than shade; the surface cancels */
    double key_share;     /* of the pixels, 0..1 */
    double apart;         /* share of the variance of log luma between the two, 0..1 */
} ip_light;

/* Two classes of log luma by Otsu's threshold (IEEE SMC 1979). The mark should hold one surface, part of it in light and part in shade: a
 * face, a wall. Not measurable: fewer than 200 usable pixels, a class under 8 %, less than half a stop apart, or no gap between the
 * classes (a plain slope of brightness has .75 of its variance between them). */
ipos_status ip_light_measure(const ip_look_source *source, const ip_region *region, ip_light *out);

json_t *ip_light_json(const ip_light *light);
ipos_status ip_light_parse(const json_t *value, ip_light *out);

#endif
