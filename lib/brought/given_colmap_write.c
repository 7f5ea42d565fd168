/* A track as COLMAP's three text files. */
#include "given_camera.h"

#include <math.h>

/* Shepperd's: of the four ways to the quaternion (w,x,y,z) of a rotation the one that divides by the most. */
static void quaternion(const double r[9], double q[4]) {
    double square[4] = {1 + r[0] + r[4] + r[8], 1 + r[0] - r[4] - r[8], 1 - r[0] + r[4] - r[8], 1 - r[0] - r[4] + r[8]};
    int best = 0;
    for (int k = 1; k < 4; k++)
        if (square[k] > square[best])
            best = k;
    double twice = sqrt(square[best]), half = .5 / twice;
    double way[4][4] = {{0, r[7] - r[5], r[2] - r[6], r[3] - r[1]}, {r[7] - r[5], 0, r[3] + r[1], r[2] + r[6]},
        {r[2] - r[6], r[3] + r[1], 0, r[7] + r[5]}, {r[3] - r[1], r[2] + r[6], r[7] + r[5], 0}};
    double sign = best && way[best][0] < 0 ? -1 : 1; /* w is not negative */
    for (int k = 0; k < 4; k++)
        q[k] = sign * (k == best ? .5 * twice : half * way[best][k]);
}

static void add(ip_buffer *out, double value, int places, const char *after) {
    double unit = pow(10, places);
    char text[32];
    ip_real_text(round(value * unit) / unit + 0., text);
    ip_buffer_printf(out, "%s%s", text, after);
}

static void add_images(ip_buffer *out, const int64_t *number, const ip_pose *pose, size_t count, const ip_given_point *points, size_t point_count) {
    ip_buffer_printf(out, "# IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME, and a line of X Y POINT3D_ID\n");
    for (size_t i = 0; i < count; i++) {
        const double *from = pose[i].r;
        double r[9], q[4];
        for (int k = 0; k < 9; k++)
            r[k] = k % 3 == 2 ? -from[k] : from[k]; /* ours is a mirror: z forward, theirs is z back */
        quaternion(r, q);
        ip_buffer_printf(out, "%zu ", i + 1);
        for (int k = 0; k < 4; k++)
            add(out, q[k], 12, " ");
        for (int k = 0; k < 3; k++)
            add(out, pose[i].t[k], 9, " ");
        ip_buffer_printf(out, "1 %04lld.png\n", (long long)number[i]);
        for (size_t p = 0; p < point_count; p++)
            if (points[p].frame == i) {
                add(out, points[p].x, 3, " ");
                add(out, points[p].y, 3, " ");
                ip_buffer_printf(out, "%zu ", p + 1);
            }
        ip_buffer_printf(out, "\n");
    }
}

static void add_points(ip_buffer *out, const ip_given_point *points, size_t count, double error) {
    size_t seen = 0;
    ip_buffer_printf(out, "# POINT3D_ID X Y Z R G B ERROR, and a track of IMAGE_ID POINT2D_IDX\n");
    for (size_t p = 0; p < count; p++) {
        const ip_given_point *at = &points[p];
        seen = p && at->frame == at[-1].frame ? seen + 1 : 0;
        ip_buffer_printf(out, "%zu ", p + 1);
        for (int k = 0; k < 3; k++)
            add(out, k == 2 ? -at->world[k] : at->world[k], 6, " ");
        ip_buffer_printf(out, "%d %d %d ", at->rgb[0], at->rgb[1], at->rgb[2]);
        add(out, error, 4, " ");
        ip_buffer_printf(out, "%zu %zu\n", at->frame + 1, seen);
    }
}

void ip_given_colmap_write(ip_given_files *out, const int64_t *number, const ip_pose *pose, size_t count, const ip_lens *lens, int width, int height,
    const ip_given_point *points, size_t point_count, double error) {
    ip_buffer_printf(&out->cameras, "# CAMERA_ID MODEL WIDTH HEIGHT F CX CY\n1 SIMPLE_PINHOLE %d %d ", width, height);
    add(&out->cameras, lens->focal, 9, " ");
    add(&out->cameras, lens->cx + .5, 9, " ");
    add(&out->cameras, lens->cy + .5, 9, "\n");
    add_images(&out->images, number, pose, count, points, point_count);
    add_points(&out->points, points, point_count, error);
}

void ip_given_files_free(ip_given_files *files) {
    ip_buffer_free(&files->cameras);
    ip_buffer_free(&files->images);
    ip_buffer_free(&files->points);
}
