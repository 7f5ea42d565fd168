/* A camera track that a production brings along: our JSON, or COLMAP's text files.
 *
 * JSON (docs/camera.md has it in full):
 *   {"interpos_camera":1, "up":"y", "metres":1, "looks":"-z", "focal":.889, "centre":[.5,.5],
 *    "frames":[{"number":1001, "matrix":[[r,r,r,x],[r,r,r,y],[r,r,r,z]]}, ...]}
 * matrix takes points of the camera to the world (columns: its right, its up or down, its back or front, its place). An object that holds such a
 * track as its member "camera", or as that of its only entry of "shots", is taken too: the details of the variant "geometry" do.
 *
 * COLMAP (Schonberger, Frahm, CVPR 2016): images.txt, and cameras.txt beside it; SIMPLE_PINHOLE and PINHOLE as they are, SIMPLE_RADIAL, RADIAL and
 * OPENCV without their distortion (a warning says so). The number of a frame is the last run of digits in the image's name. */
#ifndef IP_GIVEN_CAMERA_H
#define IP_GIVEN_CAMERA_H

#include "core.h"
#include "geometry.h"

typedef struct ip_given_camera {
    size_t count;
    int64_t *number;      /* ascending */
    ip_pose *pose;        /* by frame: of the world as it was given, in metres */
    double focal;         /* over the width of the picture */
    double centre[2];     /* 0..1 of the width and of the height; .5, .5 is the middle */
    double up[3];         /* unit, an axis of the world */
    double metres;        /* that a unit of the world was; 0: not known, and pose is in units */
    char warning[200];    /* "" or what was left out of account */
} ip_given_camera;

/* What the file leaves open. */
typedef struct ip_given_words {
    const char *up;       /* "y", "-y", "z", "-z"; NULL or "auto": what the file says, else y, COLMAP: -y */
    double metres;        /* of a unit; below 0: what the file says, COLMAP: 0; 0: not known */
    const char *models;   /* text of cameras.txt; COLMAP only */
} ip_given_words;

/* text: the JSON, or images.txt. IPOS_ERR_FORMAT with a text that begins with "camera: " or "camera_models: ", says which line or key, what is
 * there and what was expected. */
ipos_status ip_given_camera_read(const char *text, const ip_given_words *words, ip_given_camera *out);
void ip_given_camera_free(ip_given_camera *camera);
/* Where a frame is; count: it is not. */
size_t ip_given_camera_index(const ip_given_camera *camera, int64_t number);

/* The JSON of a track, what ip_given_camera_read takes: y up, metres. number, pose: count of them, ascending; lens in pixels of width x height. */
void ip_given_camera_write(ip_buffer *out, const int64_t *number, const ip_pose *pose, size_t count, const ip_lens *lens, int width, int height);

/* A place of the set as one frame shows it. */
typedef struct ip_given_point {
    double world[3];      /* right, up, forward; metres */
    double x, y;          /* where the frame shows it: pixels, 0,0 the upper left corner of the picture */
    size_t frame;         /* index of that frame */
    uint8_t rgb[3];       /* sRGB */
} ip_given_point;
typedef struct ip_given_files { /* begins as {0} */
    ip_buffer cameras, images, points; /* cameras.txt, images.txt, points3D.txt */
} ip_given_files;
/* The same track, in the same world, as COLMAP's text, which ip_given_camera_read takes with up "y" and a unit of 1 metre. One SIMPLE_PINHOLE camera; images are
 * called by number (1001.png); each point is seen on its one frame. points: by ascending frame. error: pixels, of the poses; -1: not known. */
void ip_given_colmap_write(ip_given_files *out, const int64_t *number, const ip_pose *pose, size_t count, const ip_lens *lens, int width, int height,
    const ip_given_point *points, size_t point_count, double error);
void ip_given_files_free(ip_given_files *files);

#endif
