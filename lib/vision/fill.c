#include "image.h"
#include <math.h>
#include <stdlib.h>

enum { LEVELS = 20 };

/* One level of Gortler's push-pull: values are means weighted by weight (0..1). */
static ipos_status push(const ip_plane_f *values, size_t count, const ip_plane_f *weight, ip_plane_f *out, ip_plane_f *out_weight) {
    int w = (weight->width + 1) / 2, h = (weight->height + 1) / 2;
    IP_TRY(ip_plane_new(w, h, out_weight));
    ipos_status status = ip_planes_new(w, h, out, count);
    if (status != IPOS_OK) {
        ip_plane_free(out_weight);
        return status;
    }
    for (int y = 0; y < h; y++) {
        int ya = 2 * y, yb = IP_MIN(ya + 1, weight->height - 1);
        for (int x = 0; x < w; x++) {
            int xa = 2 * x, xb = IP_MIN(xa + 1, weight->width - 1);
            float k[4] = {ip_row(weight, ya)[xa], ip_row(weight, ya)[xb], ip_row(weight, yb)[xa], ip_row(weight, yb)[xb]};
            float sum = (k[0] + k[1]) + (k[2] + k[3]);
            ip_row(out_weight, y)[x] = IP_MIN(sum, 1.f);
            if (!(sum > 0.f))
                continue;
            for (size_t i = 0; i < count; i++)
                ip_row(&out[i], y)[x] = (k[0] * ip_row(&values[i], ya)[xa] + k[1] * ip_row(&values[i], ya)[xb] +
                    k[2] * ip_row(&values[i], yb)[xa] + k[3] * ip_row(&values[i], yb)[xb]) / sum;
        }
    }
    return IPOS_OK;
}

typedef struct pull_job {
    ip_plane_f *values;
    const ip_plane_f *coarse, *weight;
    size_t count;
} pull_job;

static void pull_rows(void *user, int64_t begin, int64_t end) {
    const pull_job *job = user;
    for (int y = (int)begin; y < (int)end; y++) {
        const float *k = ip_row(job->weight, y);
        for (int x = 0; x < job->weight->width; x++) {
            if (k[x] >= 1.f)
                continue;
            for (size_t i = 0; i < job->count; i++) {
                float far = ip_sample_linear(&job->coarse[i], (float)x * .5f - .25f, (float)y * .5f - .25f);
                float *v = &ip_row(&job->values[i], y)[x];
                *v = k[x] > 0.f ? far + k[x] * (*v - far) : far;
            }
        }
    }
}

static ipos_status fill_level(ip_plane_f *values, size_t count, const ip_plane_f *weight, int depth, int threads) {
    if ((weight->width == 1 && weight->height == 1) || depth >= LEVELS)
        return IPOS_OK;
    bool hole = false;
    for (int y = 0; y < weight->height && !hole; y++)
        for (int x = 0; x < weight->width && !hole; x++)
            hole = ip_row(weight, y)[x] < 1.f;
    if (!hole)
        return IPOS_OK;
    ip_plane_f *coarse = ip_calloc(count, sizeof *coarse), coarse_weight;
    if (!coarse)
        return IPOS_ERR_NO_MEMORY;
    ipos_status status = push(values, count, weight, coarse, &coarse_weight);
    if (status == IPOS_OK) {
        status = fill_level(coarse, count, &coarse_weight, depth + 1, threads);
        if (status == IPOS_OK) {
            pull_job job = {values, coarse, weight, count};
            ip_parallel(threads, weight->height, 16, pull_rows, &job);
        }
        ip_planes_free(coarse, count);
        ip_plane_free(&coarse_weight);
    }
    ip_free(coarse);
    return status;
}

ipos_status ip_push_pull(ip_plane_f *values, size_t count, const ip_plane_f *weight, float full, int threads) {
    ip_plane_f limited;
    IP_TRY(ip_plane_new(weight->width, weight->height, &limited));
    for (int y = 0; y < weight->height; y++)
        for (int x = 0; x < weight->width; x++) {
            float k = ip_row(weight, y)[x] / full;
            ip_row(&limited, y)[x] = k > 0.f ? IP_MIN(k, 1.f) : 0.f;
        }
    for (size_t i = 0; i < count; i++) /* where nothing is known, what the caller left there must not leak */
        for (int y = 0; y < weight->height; y++)
            for (int x = 0; x < weight->width; x++)
                if (ip_row(&limited, y)[x] <= 0.f)
                    ip_row(&values[i], y)[x] = 0.f;
    ipos_status status = fill_level(values, count, &limited, 0, threads);
    ip_plane_free(&limited);
    return status;
}
