/* Products of the two differences, block by block. */
#include "grain_internal.h"
#include "simd.h"
#include <math.h>

typedef struct blocks_job {
    const ip_grain_triple *triple;
    ip_grain_grid grid;
    ip_grain_block *out; /* grid.columns * grid.rows */
    bool *use;
    int index;
} blocks_job;

/* Blocks whose lags reach only samples that count. */
static bool whole(const ip_grain_triple *t, int x0, int y0) {
    int reach = IP_GRAIN_REACH, x1 = x0 + IP_GRAIN_BLOCK + reach, y1 = y0 + IP_GRAIN_BLOCK + reach, good = 0;
    if (x0 < reach || y0 < reach || x1 > t->valid.width || y1 > t->valid.height)
        return false;
    for (int y = y0 - reach; y < y1; y++)
        for (int x = x0 - reach; x < x1; x++)
            good += ip_row(&t->valid, y)[x] > 0.f;
    int all = (IP_GRAIN_BLOCK + 2 * reach) * (IP_GRAIN_BLOCK + 2 * reach);
    return good > all - all / 50;
}

static float block_mean(const ip_plane_f *plane, int x0, int y0) {
    float sum = 0.f;
    for (int y = y0; y < y0 + IP_GRAIN_BLOCK; y++)
        for (int x = x0; x < x0 + IP_GRAIN_BLOCK; x++)
            sum += ip_row(plane, y)[x];
    return sum * (1.f / (IP_GRAIN_BLOCK * IP_GRAIN_BLOCK));
}

/* Mean of a(x) b(x + lag), with sixteen sums side by side: the order of summation is the same however it is compiled. */
IP_HOT static float product(const float *a, ptrdiff_t a_stride, const float *b, ptrdiff_t b_stride) {
    float sums[IP_GRAIN_BLOCK] = {0}, sum = 0.f;
    for (int y = 0; y < IP_GRAIN_BLOCK; y++)
        for (int x = 0; x < IP_GRAIN_BLOCK; x++)
            sums[x] += a[y * a_stride + x] * b[y * b_stride + x];
    for (int x = 0; x < IP_GRAIN_BLOCK; x++)
        sum += sums[x];
    return sum * (1.f / (IP_GRAIN_BLOCK * IP_GRAIN_BLOCK));
}

static float at_lag(const ip_plane_f *a, const ip_plane_f *b, int x0, int y0, int dx, int dy) {
    return product(ip_row(a, y0) + x0, a->stride, ip_row(b, y0 + dy) + x0 + dx, b->stride);
}

static uint8_t phase_of(float displacement) {
    float whole_part = floorf(displacement);
    return (uint8_t)((int)((displacement - whole_part) * IP_GRAIN_PHASES + .5f) % IP_GRAIN_PHASES);
}

static void fill_block(const blocks_job *job, int at, int x0, int y0) {
    const ip_grain_triple *t = job->triple;
    ip_grain_block *out = &job->out[at];
    *out = (ip_grain_block){.triple = job->index, .luma = block_mean(&t->luma, x0, y0)};
    for (int i = 0; i < 3; i++) {
        const ip_plane_f *before = &t->before.c[i], *after = &t->after.c[i];
        out->gradient[i] = block_mean(&t->gradient.c[i], x0, y0);
        out->pair[i] = at_lag(before, before, x0, y0, 0, 0) + at_lag(after, after, x0, y0, 0, 0);
        for (int j = 0; j < 3; j++)
            out->cross[i][j] = .5f * (at_lag(before, &t->after.c[j], x0, y0, 0, 0) + at_lag(after, &t->before.c[j], x0, y0, 0, 0));
        for (int k = 0; k < IP_GRAIN_HALF_LAGS; k++) {
            int dx = ip_grain_lag_x(k), dy = ip_grain_lag_y(k);
            out->lags[i][k] = .25f * (at_lag(before, after, x0, y0, dx, dy) + at_lag(after, before, x0, y0, dx, dy) +
                at_lag(before, after, x0, y0, -dx, -dy) + at_lag(after, before, x0, y0, -dx, -dy));
        }
    }
    for (int k = 0; k < 2; k++) {
        out->phase[k][0] = phase_of(t->motion[k][at].m[0]);
        out->phase[k][1] = phase_of(t->motion[k][at].m[3]);
    }
}

static void block_rows(void *user, int64_t begin, int64_t end) {
    const blocks_job *job = user;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < job->grid.columns; x++) {
            int at = y * job->grid.columns + x;
            job->use[at] = whole(job->triple, x * IP_GRAIN_BLOCK, y * IP_GRAIN_BLOCK);
            if (job->use[at])
                fill_block(job, at, x * IP_GRAIN_BLOCK, y * IP_GRAIN_BLOCK);
        }
}

ipos_status ip_grain_blocks_add(const ip_grain_triple *triple, int index, int threads, ip_grain_blocks *blocks) {
    ip_grain_grid grid = ip_grain_grid_of(triple->valid.width, triple->valid.height);
    size_t most = (size_t)grid.columns * (size_t)grid.rows;
    if (blocks->count + most > blocks->room) {
        ip_grain_block *more = ip_realloc(blocks->at, (blocks->count + most) * sizeof *more);
        if (!more)
            return IPOS_ERR_NO_MEMORY;
        blocks->at = more;
        blocks->room = blocks->count + most;
    }
    bool *use = ip_calloc(most, sizeof *use);
    if (!use)
        return IPOS_ERR_NO_MEMORY;
    blocks_job job = {triple, grid, blocks->at + blocks->count, use, index};
    ip_parallel(threads, grid.rows, 1, block_rows, &job);
    size_t kept = 0;
    for (size_t i = 0; i < most; i++)
        if (use[i]) {
            ip_grain_block block = job.out[i];
            job.out[kept++] = block;
        }
    blocks->count += kept;
    ip_free(use);
    return IPOS_OK;
}
