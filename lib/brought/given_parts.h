/* A track while it is read; only for given_camera.c, given_json.c, given_colmap.c. */
#ifndef IP_GIVEN_PARTS_H
#define IP_GIVEN_PARTS_H

#include "given_camera.h"

/* Frames in any order, each at most once. */
ipos_status ip_given_add(ip_given_camera *camera, size_t *room, int64_t number, const ip_pose *pose);
/* Makes r exactly a rotation if it is one within 1e-3; false: it is none. */
bool ip_given_rotation(double r[9]);
ipos_status ip_given_json(const char *text, ip_given_camera *camera, const char **up);
ipos_status ip_given_colmap(const char *images, const char *models, ip_given_camera *camera);

#endif
