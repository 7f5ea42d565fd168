/* Cosine-transform shrinkage against coloured noise. */
#include "grain_remove.h"
#include "simd.h"
#include <math.h>

enum { N = 8, STEP = 4 };
static const float HARD = 2.7f; /* standard deviations */

typedef struct basis {
    float at[N][N];      /* [frequency][sample], orthonormal */
    float power[N][N];   /* of unit grain in each coefficient */
} basis;

static void basis_of(const float r[IP_GRAIN_LAGS][IP_GRAIN_LAGS], basis *b) {
    double lag[N][IP_GRAIN_LAGS] = {{0}};
    for (int k = 0; k < N; k++)
        for (int i = 0; i < N; i++)
            b->at[k][i] = (float)(sqrt((k ? 2. : 1.) / N) * cos(3.14159265358979323846 * (i + .5) * k / N));
    for (int k = 0; k < N; k++)
        for (int l = -IP_GRAIN_REACH; l <= IP_GRAIN_REACH; l++)
            for (int i = IP_MAX(0, -l); i < N && i + l < N; i++)
                lag[k][l + IP_GRAIN_REACH] += (double)b->at[k][i] * b->at[k][i + l];
    for (int v = 0; v < N; v++)
        for (int u = 0; u < N; u++) {
            double sum = 0;
            for (int y = 0; y < IP_GRAIN_LAGS; y++)
                for (int x = 0; x < IP_GRAIN_LAGS; x++)
                    sum += r[y][x] * lag[v][y] * lag[u][x];
            b->power[v][u] = (float)fmax(sum, 1e-4);
        }
}

/* c = B a B' (forward) or B' a B (back). */
IP_HOT static void transform(const basis *b, bool back, float a[N][N]) {
    float t[N][N];
    for (int v = 0; v < N; v++)
        for (int x = 0; x < N; x++) {
            float sum = 0.f;
            for (int y = 0; y < N; y++)
                sum += (back ? b->at[y][v] : b->at[v][y]) * a[y][x];
            t[v][x] = sum;
        }
    for (int v = 0; v < N; v++)
        for (int u = 0; u < N; u++) {
            float sum = 0.f;
            for (int x = 0; x < N; x++)
                sum += t[v][x] * (back ? b->at[x][u] : b->at[u][x]);
            a[v][u] = sum;
        }
}

typedef struct shrink_job {
    const basis *basis;
    const ip_plane_f *from, *guide, *variance; /* guide NULL: hard */
    float *strips;                             /* 8 rows for each row of blocks */
    int rows, columns;
} shrink_job;

static int place(int i, int size) { return IP_MIN(i * STEP, size - N); }

static void read_block(const ip_plane_f *from, int x0, int y0, float a[N][N]) {
    for (int y = 0; y < N; y++)
        memcpy(a[y], ip_row(from, y0 + y) + x0, N * sizeof(float));
}

static void shrink_block(const shrink_job *job, int x0, int y0, float a[N][N]) {
    float g[N][N], variance = 0.f;
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++)
            variance += ip_row(job->variance, y0 + y)[x0 + x] * (1.f / (N * N));
    read_block(job->from, x0, y0, a);
    transform(job->basis, false, a);
    if (job->guide) {
        read_block(job->guide, x0, y0, g);
        transform(job->basis, false, g);
    }
    for (int v = 0; v < N; v++)
        for (int u = 0; u < N; u++) {
            float noise = variance * job->basis->power[v][u];
            if (u == 0 && v == 0)
                continue;
            if (job->guide)
                a[v][u] *= g[v][u] * g[v][u] / (g[v][u] * g[v][u] + noise + 1e-20f);
            else if (a[v][u] * a[v][u] < HARD * HARD * noise)
                a[v][u] = 0.f;
        }
    transform(job->basis, true, a);
}

static void shrink_rows(void *user, int64_t begin, int64_t end) {
    const shrink_job *job = user;
    int width = job->from->width;
    for (int64_t row = begin; row < end; row++) {
        float *strip = job->strips + (size_t)row * N * (size_t)width;
        memset(strip, 0, N * (size_t)width * sizeof *strip);
        for (int i = 0; i < job->columns; i++) {
            float a[N][N];
            int x0 = place(i, width);
            shrink_block(job, x0, place((int)row, job->from->height), a);
            for (int y = 0; y < N; y++)
                for (int x = 0; x < N; x++)
                    strip[(size_t)y * (size_t)width + (size_t)(x0 + x)] += a[y][x];
        }
    }
}

/* How many blocks of an axis cover a sample; the last block may lie further in than its step says. */
static int covers(int at, int size, int blocks) {
    int first = IP_MAX(0, (at - N) / STEP + (at >= N)), last = IP_MIN(at / STEP, blocks - 2);
    return IP_MAX(0, last - first + 1) + (at >= size - N);
}

static void join(const shrink_job *job, ip_plane_f *to) {
    int width = to->width, height = to->height;
    for (int y = 0; y < height; y++)
        memset(ip_row(to, y), 0, (size_t)width * sizeof(float));
    for (int row = 0; row < job->rows; row++)
        for (int k = 0; k < N; k++) {
            float *out = ip_row(to, place(row, height) + k);
            const float *strip = job->strips + ((size_t)row * N + (size_t)k) * (size_t)width;
            for (int x = 0; x < width; x++)
                out[x] += strip[x];
        }
    for (int y = 0; y < height; y++) {
        float down = (float)covers(y, height, job->rows);
        for (int x = 0; x < width; x++)
            ip_row(to, y)[x] /= down * (float)covers(x, width, job->columns);
    }
}

static void variance_of(const ip_grain *grain, int c, const ip_plane_f *luma, const ip_plane_f *share, ip_plane_f *out) {
    for (int y = 0; y < out->height; y++)
        for (int x = 0; x < out->width; x++)
            ip_row(out, y)[x] = ip_row(share, y)[x] * ip_grain_variance(grain, c, ip_row(luma, y)[x]);
}

ipos_status ip_grain_shrink(const ip_grain *grain, const ip_plane_f *share, int threads, ip_image3 *image) {
    int w = share->width, h = share->height;
    ip_plane_f p[4] = {0}; /* luma, variance, first result, second */
    if (w < N || h < N)
        return IPOS_OK;
    shrink_job job = {.rows = (h - N + STEP - 1) / STEP + 1, .columns = (w - N + STEP - 1) / STEP + 1};
    ipos_status status = ip_planes_new(w, h, p, 4);
    job.strips = ip_alloc((size_t)job.rows * N * (size_t)w * sizeof *job.strips);
    if (status == IPOS_OK && !job.strips)
        status = IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK) {
        ip_luma(image, -1e6f, 1e6f, &p[0], threads);
        ip_box_blur(&p[0], &p[0], &p[1], 1, 1, threads);
    }
    for (int c = 0; c < 3 && status == IPOS_OK; c++) {
        basis b;
        basis_of(grain->autocorrelation[c], &b);
        variance_of(grain, c, &p[0], share, &p[1]);
        job.basis = &b;
        job.from = &image->c[c];
        job.variance = &p[1];
        job.guide = NULL;
        ip_parallel(threads, job.rows, 4, shrink_rows, &job);
        join(&job, &p[2]);
        job.guide = &p[2];
        ip_parallel(threads, job.rows, 4, shrink_rows, &job);
        join(&job, &p[3]);
        ip_plane_copy(&image->c[c], &p[3]);
    }
    ip_free(job.strips);
    ip_planes_free(p, 4);
    return status;
}
