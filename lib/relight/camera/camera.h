/* How the camera moved, from points followed through the shot.
 *
 * Corners (Shi, Tomasi, CVPR 1994) of the middle frame are carried by dense flow from frame to frame both ways, with a check backwards; two
 * frames far apart give the first poses and points, all others join, and poses and points are refined in turns. */
#ifndef IP_CAMERA_H
#define IP_CAMERA_H

#include "geometry.h"
#include "image.h"

/* Where a shot's frames come from. What is given stays valid until the next call. */
typedef struct ip_track_source {
    size_t count;
    ipos_status (*luma)(void *user, size_t index, const ip_plane_f **out);               /* display luma, 0..1 */
    ipos_status (*flow)(void *user, size_t index, int forward, const ip_plane_f **out);  /* two planes: to the next frame, or the one before */
    void *user;
    const ip_pulse *pulse; /* may be NULL; where it says stop: IPOS_ERR_CANCELLED */
} ip_track_source;

typedef struct ip_tracks {
    size_t frames, points;
    float *at;      /* x,y of point p on frame f at 2 * (f * points + p) */
    uint8_t *seen;  /* [f * points + p] */
} ip_tracks;
/* Points of frame `from` followed through all. At most 2500. */
ipos_status ip_tracks_make(const ip_track_source *source, size_t from, ip_tracks *out);
void ip_tracks_free(ip_tracks *tracks);

typedef struct ip_camera_path {
    size_t count, points;
    ip_lens lens;
    ip_pose *pose;     /* by frame */
    uint8_t *known;    /* by frame */
    double *point;     /* x,y,z of the tracks' points */
    uint8_t *good;     /* by point */
    double error;      /* median distance of points to where they should be seen, pixels */
    double parallax;   /* degrees: 80 % of the good points are seen under less */
    char reason[160];  /* why there is no path; "" where there is one */
} ip_camera_path;
/* IPOS_OK with a reason is an answer: hardly anything to follow, no parallax (a camera that stands or only turns), poses that do not agree. */
ipos_status ip_camera_solve(const ip_tracks *tracks, const ip_lens *lens, const ip_pulse *pulse, ip_camera_path *out);
/* Points of a path whose poses are known already: pose, known, lens and count are set, the rest is made. A reason is an answer: too few points. */
ipos_status ip_camera_points(const ip_tracks *tracks, ip_camera_path *path);
void ip_camera_free(ip_camera_path *path);

static inline double ip_dot3(const double a[3], const double b[3]) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
/* World to camera, and to the picture; false behind the camera. */
void ip_pose_apply(const ip_pose *pose, const double world[3], double camera[3]);
/* Centre of a camera in the world; a direction of the world as the camera sees it (right, down, away), and back. */
void ip_pose_centre(const ip_pose *pose, double out[3]);
void ip_pose_turn(const ip_pose *pose, const double world[3], double camera[3]);
void ip_pose_turn_back(const ip_pose *pose, const double camera[3], double world[3]);

#endif
