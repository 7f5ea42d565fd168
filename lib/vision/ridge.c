#include "ridge.h"

#include <math.h>

typedef struct ridge_job {
    const ip_plane_f *smooth;
    ip_plane_f *out;
    float half, side;
} ridge_job;

static float at(const ip_plane_f *plane, int x, int y) {
    x = x < 0 ? 0 : x >= plane->width ? plane->width - 1 : x;
    y = y < 0 ? 0 : y >= plane->height ? plane->height - 1 : y;
    return ip_row(plane, y)[x];
}

/* Unit direction across the line: eigenvector of the Hessian's eigenvalue of larger size. */
static void across(const ip_plane_f *p, int x, int y, float *nx, float *ny) {
    float middle = 2 * at(p, x, y);
    float xx = at(p, x - 1, y) + at(p, x + 1, y) - middle, yy = at(p, x, y - 1) + at(p, x, y + 1) - middle;
    float xy = .25f * (at(p, x + 1, y + 1) + at(p, x - 1, y - 1) - at(p, x + 1, y - 1) - at(p, x - 1, y + 1));
    float angle = .5f * atan2f(2 * xy, xx - yy); /* of the larger eigenvalue by value */
    if (xx + yy < 0)
        angle += 1.57079633f;                    /* dominated by the other sign */
    *nx = cosf(angle);
    *ny = sinf(angle);
}

static void ridge_rows(void *user, int64_t begin, int64_t end) {
    const ridge_job *job = user;
    const ip_plane_f *p = job->smooth;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < p->width; x++) {
            float nx, ny, here = ip_row(p, y)[x];
            across(p, x, y, &nx, &ny);
            float a = here - ip_sample_linear(p, (float)x + job->side * nx, (float)y + job->side * ny);
            float b = here - ip_sample_linear(p, (float)x - job->side * nx, (float)y - job->side * ny);
            float strength = a * b > 0 ? fminf(fabsf(a), fabsf(b)) : 0;
            float *to = &ip_row(job->out, y)[x];
            *to = strength > *to ? strength : *to;
        }
}

/* Against the strength usual around, so that a texture of lines is no forest of wires. */
static void weigh_rows(void *user, int64_t begin, int64_t end) {
    const ridge_job *job = user;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < job->out->width; x++) {
            float *to = &ip_row(job->out, y)[x];
            *to /= *to + job->half + 3 * ip_row(job->smooth, y)[x];
        }
}

enum { AROUND = 20 };

ipos_status ip_ridges(const ip_plane_f *plane, float half, int threads, ip_plane_f *out) {
    static const struct {
        int blur;   /* radius of the box applied twice */
        float side; /* how far away the sides are, pixels */
    } scales[] = {{0, 2}, {1, 4}};
    ip_plane_f part[2];
    IP_TRY(ip_planes_new(plane->width, plane->height, part, 2));
    ipos_status status = ip_plane_new(plane->width, plane->height, out);
    for (size_t i = 0; status == IPOS_OK && i < IP_COUNT(scales); i++) {
        ip_plane_copy(&part[0], plane);
        for (int again = 0; again < 2 && scales[i].blur; again++)
            ip_box_blur(&part[0], &part[0], &part[1], scales[i].blur, scales[i].blur, threads);
        ridge_job job = {&part[0], out, half, scales[i].side};
        ip_parallel(threads, plane->height, 16, ridge_rows, &job);
    }
    if (status == IPOS_OK) {
        ip_box_blur(out, &part[0], &part[1], AROUND, AROUND, threads);
        ridge_job job = {&part[0], out, half, 0};
        ip_parallel(threads, plane->height, 16, weigh_rows, &job);
    }
    ip_planes_free(part, 2);
    return status;
}
