/* A part of one frame that the user marked: a box, and in it a matte where there is one. */
#ifndef IP_LOOK_REGION_H
#define IP_LOOK_REGION_H

#include "source.h"

typedef struct ip_region {
    size_t frame;
    ip_box_i box;             /* pixels of the frame */
    const ip_plane_f *matte;  /* of the frame's size, over .5 counts; NULL: the whole box */
} ip_region;

/* Linear R,G,B of the marked pixels that are neither clipped nor darker than `low`, three floats a pixel; the caller frees. IPOS_ERR_ARGUMENT where
 * the box is not within the frame, the frame does not exist, or the matte has another size. */
ipos_status ip_region_pixels(const ip_look_source *source, const ip_region *region, float low, const char *what, float **rgb, size_t *count);

#endif
