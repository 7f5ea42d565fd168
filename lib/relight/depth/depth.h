/* How far things are, from several views with known poses: plane sweep, then semi-global matching.
 *
 * Collins, CVPR 1996; Hirschmuller, PAMI 2008. 96 planes even in inverse depth; the measure is locally normalised luma, limited, and of all views the
 * better two thirds count, so that what some do not see does no harm. */
#ifndef IP_DEPTH_H
#define IP_DEPTH_H

#include "geometry.h"
#include "image.h"

typedef struct ip_depth_view {
    const ip_plane_f *feature; /* by ip_depth_feature */
    const ip_pose *pose;
} ip_depth_view;

/* Luma without its local mean over its local contrast, limited to +-1.25. Allocates out. */
ipos_status ip_depth_feature(const ip_plane_f *luma, int threads, ip_plane_f *out);

enum { IP_DEPTH_VIEWS = 8 };
typedef struct ip_depth_options {
    ip_lens lens;
    double far_inverse, near_inverse; /* range of 1 / z, in the units of the poses */
    int threads;
    const ip_pulse *pulse;
} ip_depth_options;
/* 1 / z for every pixel of `of`; at least one and at most IP_DEPTH_VIEWS others. Allocates inverse. */
ipos_status ip_depth_find(const ip_depth_view *of, const ip_depth_view *others, size_t count, const ip_depth_options *options, ip_plane_f *inverse);

/* How many of the other views say the same: their own depth at where the point is seen is within `tolerance` of it, relative. agreeing is
 * written. */
void ip_depth_agree(const ip_plane_f *inverse, const ip_pose *pose, const ip_plane_f *const *others, const ip_pose *const *poses, size_t count,
    const ip_lens *lens, float tolerance, int threads, const ip_plane_f *agreeing);

#endif
