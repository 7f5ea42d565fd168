/* What the files of the change report share. */
#ifndef IP_LOOK_CHANGE_INTERNAL_H
#define IP_LOOK_CHANGE_INTERNAL_H

#include "change_report.h"
#include "overlay.h"

/* Two frames at working size, the reference laid over the take and matched. */
typedef struct ip_change_pair {
    const ip_look_source *source; /* of the take */
    const ip_change_options *options;
    ip_shot_view a, b;
    ip_overlay overlay;
    ip_image3 laid;        /* code of b in a, as it was shot */
    ip_image3 expected;    /* the same matched: what a should look like */
    ip_plane_f inside;
    ip_image3 lab[2];      /* of a and of expected, slightly blurred; samples of which clipping says nothing made equal */
} ip_change_pair;

/* change_map.c: fills report's difference, looked, level, and mask (allocated): 1 where changed. */
ipos_status ip_change_map(ip_change_pair *pair, ip_change_report *report, ip_plane_f *mask);
/* change_regions.c: regions of mask into the report. */
ipos_status ip_change_regions(const ip_change_pair *pair, const ip_plane_f *mask, ip_change_report *report);
/* change_global.c: exposure and the rest from pairs of colours of what agrees (reference to take, the first `kept` belonging together). */
ipos_status ip_change_global(const ip_look_source *take, const ip_grade_pair *pairs, size_t count, size_t kept, ip_change_report *report);
/* Skin and sharpness, from whole frames in linear light. */
ipos_status ip_change_whole(const ip_look_source *take, const ip_image3 *take_image, const ip_look_source *reference, const ip_image3 *reference_image,
    const ip_change_options *options, ip_change_report *report);

#endif
