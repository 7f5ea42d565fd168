/* Camera geometry from matched points: a C face over OpenCV's calib3d and Ceres. The C++ behind it lets no exception through. Engine only.
 *
 * Positions in pictures are pixel indices (the centre of the first pixel is 0, 0). Cameras look along +z, x to the right, y down:
 * camera = r world + t, picture = focal * (x / z, y / z) + centre. The same input gives the same bits. Any thread; not two at once, for the
 * random numbers of a RANSAC belong to the library. */
#ifndef IP_GEOMETRY_H
#define IP_GEOMETRY_H

#include <interpos/base.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ip_pose {
    double r[9], t[3]; /* r by rows */
} ip_pose;

typedef struct ip_lens {
    double focal, cx, cy; /* pixels */
} ip_lens;

/* Pose of the second view where the first is the identity, |t| = 1: essential matrix by five points (Nister, PAMI 2004) in a RANSAC of 1
 * pixel. a, b: x,y of the same `count` points in both. inlier: count bytes, 1 where the pose explains the pair and the point lies before
 * both cameras. IPOS_ERR_NOT_FOUND with a text where there is none. */
ipos_status ip_geometry_relative(const float *a, const float *b, size_t count, const ip_lens *lens, ip_pose *out, uint8_t *inlier);

/* Pose of a view from points of the world (x,y,z) and where it sees them (x,y). start: a pose near the answer, or NULL: found by RANSAC
 * (within 2 pixels, EPnP of Lepetit, Moreno-Noguer, Fua, IJCV 2009), then refined over all given (Levenberg, Marquardt). At least six points. */
ipos_status ip_geometry_resect(const double *world, const float *seen, size_t count, const ip_lens *lens, const ip_pose *start, ip_pose *out);

/* Where a view sees a point; indices into the arrays of poses and points. */
typedef struct ip_sighting {
    uint32_t view, point;
    float x, y;
} ip_sighting;

/* All poses and points at once, to the least sum of distances between where points are and where they are seen (bundle adjustment: Triggs,
 * McLauchlan, Hartley, Fitzgibbon, 1999; Cauchy's loss of half a pixel). The view `fixed` stays. points: x,y,z. alive is asked between steps;
 * where it says no: IPOS_ERR_CANCELLED. One thread, so that the same input gives the same bits. */
ipos_status ip_geometry_adjust(const ip_sighting *seen, size_t count, const ip_lens *lens, size_t fixed, ip_pose *poses, size_t views, double *points,
    bool (*alive)(const void *user), const void *user);

#ifdef __cplusplus
}
#endif
#endif
