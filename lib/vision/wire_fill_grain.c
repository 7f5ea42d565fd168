/* Grain for what was averaged: real residual of calm parts of the same frame, laid over the hole in pieces. The residual is what the
 * views do not explain of the ring, or what a small blur takes away, whichever is less: both hold some texture besides the grain. */
#include "wire_fill_internal.h"
#include <math.h>
#include <stdlib.h>

enum { WINDOW = 7, STEP = 2, PIECE = 6, WINDOWS = 4096, SMOOTH = 1 };
static const float SIMILAR = .12f * 255.f; /* how far in brightness a window still has the hole's grain */
static const float SMOOTH_LOSS = 1.1f;     /* white noise loses this in the blur's residual */

typedef struct window {
    int x, y;
    float power;    /* of the residual's brightness, in 0..255 */
    float gain;     /* not more than the frame's grain */
    float distance; /* in brightness from the hole */
} window;

static int by_distance(const void *a, const void *b) {
    float x = ((const window *)a)->distance, y = ((const window *)b)->distance;
    return (x > y) - (x < y);
}

static int by_power(const void *a, const void *b) {
    float x = ((const window *)a)->power, y = ((const window *)b)->power;
    return (x > y) - (x < y);
}

/* Frame less a small blur of it. */
static ipos_status blur_residual(const ip_wire_work *work, ip_plane_f residual[3]) {
    int w = work->box.width, h = work->box.height;
    ip_plane_f tmp;
    IP_TRY(ip_plane_new(w, h, &tmp));
    for (int c = 0; c < 3; c++) {
        ip_box_blur(&work->colour.c[c], &residual[c], &tmp, SMOOTH, SMOOTH, 1);
        ip_box_blur(&residual[c], &residual[c], &tmp, SMOOTH, SMOOTH, 1);
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                ip_row(&residual[c], y)[x] = SMOOTH_LOSS * (ip_row(&work->colour.c[c], y)[x] - ip_row(&residual[c], y)[x]);
    }
    ip_plane_free(&tmp);
    return IPOS_OK;
}

/* False where the window holds something without a residual. */
static bool measure(const ip_wire_work *work, const ip_plane_f residual[3], const ip_plane_f *known, float level, int x0, int y0, window *out) {
    float power = 0.f, mean = 0.f;
    for (int y = y0; y < y0 + WINDOW; y++)
        for (int x = x0; x < x0 + WINDOW; x++) {
            if (!(ip_row(known, y)[x] > 0.f))
                return false;
            float d = .2126f * ip_row(&residual[0], y)[x] + .7152f * ip_row(&residual[1], y)[x] + .0722f * ip_row(&residual[2], y)[x];
            power += 255.f * 255.f * d * d;
            mean += ip_row(&work->luma, y)[x];
        }
    mean /= WINDOW * WINDOW;
    *out = (window){x0, y0, power / (WINDOW * WINDOW), 1.f, fabsf(mean - level)};
    return true;
}

static float hole_level(const ip_wire_work *work) {
    float sum = 0.f, n = 0.f;
    for (int y = 0; y < work->box.height; y++)
        for (int x = 0; x < work->box.width; x++)
            if (ip_row(&work->matte, y)[x] > 0.f) {
                sum += ip_row(&work->luma, y)[x];
                n += 1.f;
            }
    return n > 0.f ? sum / n : 0.f;
}

/* The calm windows of about the hole's brightness; returns how many. Not the calmest: clipped parts have no grain at all. */
static size_t calm_windows(const ip_wire_work *work, const ip_plane_f residual[3], const ip_plane_f *known, const float *noise, window *list) {
    size_t n = 0;
    float level = hole_level(work);
    for (int y = 0; y + WINDOW <= work->box.height; y += STEP)
        for (int x = 0; x + WINDOW <= work->box.width && n < WINDOWS; x += STEP)
            n += measure(work, residual, known, level, x, y, &list[n]);
    qsort(list, n, sizeof *list, by_distance);
    size_t similar = 0;
    while (similar < n && (similar < 24 || list[similar].distance < SIMILAR))
        similar++;
    qsort(list, similar, sizeof *list, by_power);
    size_t first = similar / 16, last = IP_MAX(first + 1, similar * 3 / 16);
    if (similar == 0)
        return 0;
    memmove(list, list + first, (last - first) * sizeof *list);
    for (size_t i = 0; i < last - first; i++) {
        float own = sqrtf(list[i].power), most = SMOOTH_LOSS * noise[ip_wire_noise_bin(level)];
        list[i].gain = own > most ? most / own : 1.f;
    }
    return last - first;
}

static void lay(const ip_plane_f residual[3], const window *list, size_t n, uint64_t seed, ip_wire_tile *tile) {
    for (int y = 0; y < tile->box.height; y++)
        for (int x = 0; x < tile->box.width; x++) {
            if (!(ip_row(&tile->hole, y)[x] > 0.f))
                continue;
            int fx = tile->box.x + x, fy = tile->box.y + y; /* pieces lie on a grid of the frame */
            ip_rng rng = ip_rng_at(seed, (uint64_t)(fy / PIECE) << 32 | (uint64_t)(fx / PIECE));
            const window *from = &list[ip_rng_below(&rng, (int64_t)n)];
            int sx = from->x + (int)ip_rng_below(&rng, WINDOW - PIECE + 1) + fx % PIECE;
            int sy = from->y + (int)ip_rng_below(&rng, WINDOW - PIECE + 1) + fy % PIECE;
            float gain = from->gain * sqrtf(ip_row(&tile->lacking, y)[x]);
            for (int c = 0; c < 3; c++)
                ip_row(&tile->grain.c[c], y)[x] = gain * ip_row(&residual[c], sy)[sx];
        }
}

static float middle_power(const window *list, size_t n) { return n > 0 ? list[n / 2].power : INFINITY; }

ipos_status ip_wire_grain(const ip_wire_work *work, const float noise[IP_WIRE_BINS], uint64_t seed, ip_wire_tile *tile) {
    ip_plane_f blurred[3];
    IP_TRY(ip_planes_new(work->box.width, work->box.height, blurred, 3));
    window *lists = ip_alloc(2 * WINDOWS * sizeof *lists);
    ipos_status status = lists ? blur_residual(work, blurred) : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK) {
        window *still = lists, *moved = lists + WINDOWS;
        size_t n_still = calm_windows(work, blurred, &work->known, noise, still);
        size_t n_moved = calm_windows(work, work->residual.c, &work->residual_known, noise, moved);
        if (n_moved >= 12 && middle_power(moved, n_moved) <= middle_power(still, n_still))
            lay(work->residual.c, moved, n_moved, seed, tile);
        else if (n_still > 0)
            lay(blurred, still, n_still, seed, tile);
    }
    ip_free(lists);
    ip_planes_free(blurred, 3);
    return status;
}
