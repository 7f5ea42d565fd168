#include "depth_parts.h"
#include "simd.h"

#include <math.h>

enum { D = IP_DEPTH_PLANES, STRIP = 16 };

typedef struct choose_job {
    ip_volume *volume;
    const ip_plane_f *feature, *inverse;
    const ip_depth_options *options;
    uint16_t small; /* price of a step of one plane */
} choose_job;

/* Price of a larger step, cheaper across edges. */
static uint16_t jump(float a, float b) {
    return (uint16_t)(IP_DEPTH_UNIT * (.25f + .9f * expf(-fabsf(a - b) / .25f)));
}

/* One pixel on along a path: path holds the former pixel's figures with a spare one on both sides, and becomes this one's. */
IP_HOT static uint16_t advance(const uint8_t *cost, uint16_t *sum, uint16_t *path, uint16_t least, uint16_t small, uint16_t large) {
    uint16_t next[D], best = UINT16_MAX, top = (uint16_t)(least + large);
    for (int d = 0; d < D; d++) {
        uint16_t a = path[d + 1], b = (uint16_t)(IP_MIN(path[d], path[d + 2]) + small), c = IP_MIN(a, b);
        next[d] = (uint16_t)(cost[d] + IP_MIN(c, top) - least);
    }
    for (int d = 0; d < D; d++) {
        sum[d] = (uint16_t)(sum[d] + next[d]);
        best = IP_MIN(best, next[d]);
        path[d + 1] = next[d];
    }
    return best;
}

static void clear(uint16_t *path) {
    memset(path, 0, (D + 2) * sizeof *path);
    path[0] = path[D + 1] = 20000;
}

static void along_rows(void *user, int64_t begin, int64_t end) {
    const choose_job *job = user;
    const ip_volume *v = job->volume;
    for (int64_t y = begin; y < end; y++)
        for (int way = 0; way < 2; way++) {
            uint16_t path[D + 2], least = 0;
            const float *f = ip_row(job->feature, (int)y);
            clear(path);
            for (int i = 0; i < v->width; i++) {
                int x = way ? v->width - 1 - i : i, before = i ? (way ? x + 1 : x - 1) : x;
                size_t at = ((size_t)y * (size_t)v->width + (size_t)x) * D;
                least = advance(v->cost + at, v->sum + at, path, least, job->small, jump(f[x], f[before]));
            }
        }
}

/* Strips of columns, so that what is read lies together. */
static void along_columns(void *user, int64_t begin, int64_t end) {
    const choose_job *job = user;
    const ip_volume *v = job->volume;
    for (int64_t strip = begin; strip < end; strip++)
        for (int way = 0; way < 2; way++) {
            uint16_t path[STRIP][D + 2], least[STRIP] = {0};
            int left = (int)strip * STRIP, right = IP_MIN(v->width, left + STRIP);
            for (int k = 0; k < STRIP; k++)
                clear(path[k]);
            for (int i = 0; i < v->height; i++) {
                int y = way ? v->height - 1 - i : i, before = i ? (way ? y + 1 : y - 1) : y;
                for (int x = left; x < right; x++) {
                    size_t at = ((size_t)y * (size_t)v->width + (size_t)x) * D;
                    uint16_t large = jump(ip_row(job->feature, y)[x], ip_row(job->feature, before)[x]);
                    least[x - left] = advance(v->cost + at, v->sum + at, path[x - left], least[x - left], job->small, large);
                }
            }
        }
}

static void choose_rows(void *user, int64_t begin, int64_t end) {
    const choose_job *job = user;
    const ip_volume *v = job->volume;
    double step = (job->options->near_inverse - job->options->far_inverse) / (D - 1);
    for (int64_t y = begin; y < end; y++)
        for (int x = 0; x < v->width; x++) {
            const uint16_t *sum = v->sum + ((size_t)y * (size_t)v->width + (size_t)x) * D;
            int best = 0;
            for (int d = 1; d < D; d++)
                best = sum[d] < sum[best] ? d : best;
            double place = best;
            if (best > 0 && best < D - 1) {
                double bend = (double)sum[best - 1] + sum[best + 1] - 2. * sum[best];
                place += bend > 0 ? .5 * ((double)sum[best - 1] - sum[best + 1]) / bend : 0;
            }
            ip_row(job->inverse, (int)y)[x] = (float)(job->options->far_inverse + place * step);
        }
}

ipos_status ip_depth_choose(ip_volume *volume, const ip_plane_f *feature, const ip_depth_options *options, const ip_plane_f *inverse) {
    choose_job job = {volume, feature, inverse, options, (uint16_t)(.05f * IP_DEPTH_UNIT)};
    ip_parallel(options->threads, volume->height, 4, along_rows, &job);
    ip_parallel(options->threads, (volume->width + STRIP - 1) / STRIP, 1, along_columns, &job);
    ip_parallel(options->threads, volume->height, 16, choose_rows, &job);
    return IPOS_OK;
}
