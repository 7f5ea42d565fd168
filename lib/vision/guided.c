#include "guided.h"
#include "simd.h"

enum { GUIDE, FROM, SQUARE, PRODUCT, TMP, PLANES };

typedef struct guided_job {
    const ip_plane_f *guide, *from, *to, *a, *b;
    ip_plane_f part[PLANES];
    float epsilon;
} guided_job;

IP_HOT static void products_row(const float *g, const float *f, float *square, float *product, int n) {
    for (int x = 0; x < n; x++) {
        square[x] = g[x] * g[x];
        product[x] = g[x] * f[x];
    }
}

static void products(void *user, int64_t begin, int64_t end) {
    const guided_job *job = user;
    for (int y = (int)begin; y < (int)end; y++)
        products_row(ip_row(job->guide, y), ip_row(job->from, y), ip_row(&job->part[SQUARE], y), ip_row(&job->part[PRODUCT], y), job->guide->width);
}

/* Means become coefficients: a in SQUARE, b in PRODUCT. */
static void coefficients(void *user, int64_t begin, int64_t end) {
    const guided_job *job = user;
    for (int y = (int)begin; y < (int)end; y++) {
        const float *g = ip_row(&job->part[GUIDE], y), *f = ip_row(&job->part[FROM], y);
        float *square = ip_row(&job->part[SQUARE], y), *product = ip_row(&job->part[PRODUCT], y);
        for (int x = 0; x < job->guide->width; x++) {
            float variance = square[x] - g[x] * g[x], a = (product[x] - g[x] * f[x]) / ((variance > 0 ? variance : 0) + job->epsilon);
            square[x] = a;
            product[x] = f[x] - a * g[x];
        }
    }
}

static void apply(void *user, int64_t begin, int64_t end) {
    const guided_job *job = user;
    for (int y = (int)begin; y < (int)end; y++) {
        const float *g = ip_row(job->guide, y), *a = ip_row(job->a, y), *b = ip_row(job->b, y);
        float *to = ip_row(job->to, y);
        for (int x = 0; x < job->to->width; x++)
            to[x] = a[x] * g[x] + b[x];
    }
}

static void fit(guided_job *job, int radius, int threads) {
    int rows = job->guide->height;
    ip_parallel(threads, rows, 16, products, job);
    ip_box_blur(job->guide, &job->part[GUIDE], &job->part[TMP], radius, radius, threads);
    ip_box_blur(job->from, &job->part[FROM], &job->part[TMP], radius, radius, threads);
    ip_box_blur(&job->part[SQUARE], &job->part[SQUARE], &job->part[TMP], radius, radius, threads);
    ip_box_blur(&job->part[PRODUCT], &job->part[PRODUCT], &job->part[TMP], radius, radius, threads);
    ip_parallel(threads, rows, 16, coefficients, job);
    ip_box_blur(&job->part[SQUARE], &job->part[SQUARE], &job->part[TMP], radius, radius, threads);
    ip_box_blur(&job->part[PRODUCT], &job->part[PRODUCT], &job->part[TMP], radius, radius, threads);
}

ipos_status ip_guided(const ip_plane_f *guide, const ip_plane_f *from, const ip_plane_f *to, int radius, float epsilon, int threads) {
    guided_job job = {.guide = guide, .from = from, .to = to, .epsilon = epsilon};
    IP_TRY(ip_planes_new(guide->width, guide->height, job.part, PLANES));
    fit(&job, radius, threads);
    job.a = &job.part[SQUARE];
    job.b = &job.part[PRODUCT];
    ip_parallel(threads, guide->height, 16, apply, &job);
    ip_planes_free(job.part, PLANES);
    return IPOS_OK;
}

ipos_status ip_guided_up(const ip_plane_f *guide, const ip_plane_f *from, const ip_plane_f *full, ip_plane_f *to, int radius, float epsilon,
    int threads) {
    guided_job job = {.guide = guide, .from = from, .epsilon = epsilon};
    ip_plane_f large[2];
    IP_TRY(ip_planes_new(guide->width, guide->height, job.part, PLANES));
    ipos_status status = ip_planes_new(to->width, to->height, large, 2);
    if (status == IPOS_OK) {
        fit(&job, radius, threads);
        ip_resize(&job.part[SQUARE], &large[0], 1, threads);
        ip_resize(&job.part[PRODUCT], &large[1], 1, threads);
        job.guide = full;
        job.to = to;
        job.a = &large[0];
        job.b = &large[1];
        ip_parallel(threads, to->height, 16, apply, &job);
        ip_planes_free(large, 2);
    }
    ip_planes_free(job.part, PLANES);
    return status;
}
