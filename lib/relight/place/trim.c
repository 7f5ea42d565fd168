#include "trim.h"
#include "curves.h"
#include "gauss.h"
#include "surface.h"

#include <math.h>

enum { NEAREST = 8 };
static const float DEEP = 12, DEEP_SHARE = .75f, OUTSIDE = 1, REACH = 16; /* pixels at 640; share of the thing's radius */
static const float FAR = 9, AWAY = .002f;                                /* no colour is so far; what a pixel of distance adds */

void ip_widest_disks(const ip_plane_f *inside, const ip_plane_f *radius) {
    int width = inside->width, height = inside->height;
    ip_plane_copy(&(ip_plane_f){radius->width, radius->height, radius->stride, radius->data}, inside);
    for (int y = 1; y < height - 1; y++)
        for (int x = 1; x < width - 1; x++) {
            float r = ip_row(inside, y)[x];
            int higher = 0, reach = (int)r;
            if (r < 2)
                continue;
            for (int dy = -1; dy <= 1; dy++)
                for (int dx = -1; dx <= 1; dx++)
                    higher += ip_row(inside, y + dy)[x + dx] > r + .5f;
            if (higher) /* a disk near it holds this one */
                continue;
            for (int ny = IP_MAX(0, y - reach); ny <= IP_MIN(height - 1, y + reach); ny++)
                for (int nx = IP_MAX(0, x - reach); nx <= IP_MIN(width - 1, x + reach); nx++)
                    if ((float)((nx - x) * (nx - x) + (ny - y) * (ny - y)) < r * r)
                        ip_row(radius, ny)[nx] = fmaxf(ip_row(radius, ny)[nx], r);
        }
}

typedef struct trim_job {
    const ip_image3 *screen;
    const ip_plane_f *sure; /* 1 the thing, -1 not, 0 to be told */
    const ip_plane_f *told; /* -1..1 */
    int reach, step;
} trim_job;

static float spread(const ip_plane_f *screen, int y, int x, const float colour[3]) {
    return fabsf(ip_row(&screen[0], y)[x] - colour[0]) + fabsf(ip_row(&screen[1], y)[x] - colour[1]) + fabsf(ip_row(&screen[2], y)[x] - colour[2]);
}

static void keep_nearest(float best[NEAREST], float apart) {
    if (apart >= best[NEAREST - 1])
        return;
    int k = NEAREST - 1;
    for (; k > 0 && best[k - 1] > apart; k--)
        best[k] = best[k - 1];
    best[k] = apart;
}

static float tell(const trim_job *job, int x, int y) {
    const ip_plane_f *screen = job->screen->c;
    const float colour[3] = {ip_row(&screen[0], y)[x], ip_row(&screen[1], y)[x], ip_row(&screen[2], y)[x]};
    float best[2][NEAREST], mean[2] = {0, 0};
    for (int k = 0; k < NEAREST; k++)
        best[0][k] = best[1][k] = FAR;
    for (int dy = -job->reach; dy <= job->reach; dy += job->step)
        for (int dx = -job->reach; dx <= job->reach; dx += job->step) {
            int nx = x + dx, ny = y + dy;
            if (dx * dx + dy * dy > job->reach * job->reach || nx < 0 || ny < 0 || nx >= job->sure->width || ny >= job->sure->height)
                continue;
            float side = ip_row(job->sure, ny)[nx];
            if (side == 1 || side == -1)
                keep_nearest(best[side > 0], spread(screen, ny, nx, colour) + AWAY * hypotf((float)dx, (float)dy));
        }
    for (int k = 0; k < NEAREST; k++) {
        mean[0] += best[0][k] / NEAREST;
        mean[1] += best[1][k] / NEAREST;
    }
    return (mean[0] - mean[1]) / (mean[0] + mean[1] + 1e-3f);
}

static void trim_rows(void *user, int64_t begin, int64_t end) {
    const trim_job *job = user;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < job->told->width; x++) {
            float side = ip_row(job->sure, y)[x];
            ip_row(job->told, y)[x] = side == 0 ? tell(job, x, y) : side == 1 ? 1 : -1;
        }
}

/* Well inside, well outside, and what lies between. */
static void find_sure(const ip_plane_f *mask, const ip_plane_f part[3], const ip_plane_f *sure) {
    float unit = ip_relight_unit(mask->width);
    for (int y = 0; y < mask->height; y++)
        for (int x = 0; x < mask->width; x++)
            ip_row(&part[2], y)[x] = ip_row(mask, y)[x] <= 0;
    ip_distance_to(&part[2], &part[0]);
    ip_widest_disks(&part[0], &part[1]);
    for (int y = 0; y < mask->height; y++)
        for (int x = 0; x < mask->width; x++) {
            bool deep = ip_row(&part[0], y)[x] >= fminf(DEEP * unit, DEEP_SHARE * ip_row(&part[1], y)[x]);
            ip_row(sure, y)[x] = ip_row(mask, y)[x] <= 0 ? -1 : deep ? 1 : 0;
        }
    ip_distance_to(mask, &part[0]);
    for (int y = 0; y < mask->height; y++)
        for (int x = 0; x < mask->width; x++)
            if (ip_row(mask, y)[x] <= 0 && ip_row(&part[0], y)[x] < OUTSIDE * unit)
                ip_row(sure, y)[x] = 0;
}

ipos_status ip_trim(const ip_image3 *light, int threads, const ip_plane_f *mask) {
    ip_image3 screen;
    ip_plane_f part[4];
    int width = mask->width, height = mask->height;
    IP_TRY(ip_image3_new(width, height, &screen));
    ipos_status status = ip_planes_new(width, height, part, 4);
    if (status == IPOS_OK) {
        find_sure(mask, part, &part[3]);
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < height; y++)
                for (int x = 0; x < width; x++)
                    ip_row(&screen.c[c], y)[x] = ip_srgb_from_linear(fminf(fmaxf(ip_row(&light->c[c], y)[x], 0), 1));
        trim_job job = {&screen, &part[3], &part[0], ip_relight_pixels(width, REACH), ip_relight_pixels(width, 2)};
        ip_parallel(threads, height, 4, trim_rows, &job);
        ip_gauss_blur(&part[0], &part[0], &part[1], (double)ip_relight_unit(width), threads);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                ip_row(mask, y)[x] = ip_row(&part[0], y)[x] > 0;
    }
    ip_planes_free(part, 4);
    ip_image3_free(&screen);
    return status;
}
