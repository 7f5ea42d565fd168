#include "splat.h"
#include <math.h>

typedef struct splat_job {
    const ip_splat *splat;
    ip_plane_f *motion, *coverage, *sum;
    int reach_rows; /* no vector travels further than this down or up */
} splat_job;

static inline bool lands(const ip_splat *s, int x, int y, float *tx, float *ty, float *u, float *v) {
    *u = ip_row(s->u, y)[x];
    *v = ip_row(s->v, y)[x];
    *tx = (float)x + s->reach * *u;
    *ty = (float)y + s->reach * *v;
    return *tx > -1.f && *ty > -1.f && *tx < (float)s->u->width && *ty < (float)s->u->height;
}

/* Each range owns its rows of the target and reads, in raster order, every source row that may reach them: so each sum is formed in
 * the same order however the rows are divided. */
static void splat_rows(void *user, int64_t begin, int64_t end) {
    splat_job *job = user;
    const ip_splat *s = job->splat;
    int w = s->u->width, h = s->u->height, first = IP_MAX(0, (int)begin - job->reach_rows - 1),
        last = IP_MIN(h, (int)end + job->reach_rows + 1);
    for (int y = first; y < last; y++) {
        const float *weight = ip_row(s->weight, y);
        for (int x = 0; x < w; x++) {
            float tx, ty, u, v;
            if (!lands(s, x, y, &tx, &ty, &u, &v))
                continue;
            int x0 = (int)floorf(tx), y0 = (int)floorf(ty);
            if (y0 + 1 < begin || y0 >= end)
                continue;
            float fx = tx - (float)x0, fy = ty - (float)y0;
            for (int j = 0; j < 2; j++) {
                int yy = y0 + j;
                if (yy < begin || yy >= end)
                    continue;
                for (int i = 0; i < 2; i++) {
                    int xx = x0 + i;
                    if (xx < 0 || xx >= w)
                        continue;
                    float share = (i ? fx : 1.f - fx) * (j ? fy : 1.f - fy), k = share * weight[x];
                    ip_row(job->coverage, yy)[xx] += share;
                    ip_row(job->sum, yy)[xx] += k;
                    ip_row(&job->motion[0], yy)[xx] += k * u;
                    ip_row(&job->motion[1], yy)[xx] += k * v;
                }
            }
        }
    }
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < w; x++) {
            float k = ip_row(job->sum, y)[x];
            float scale = k > 0.f ? s->sign / k : 0.f;
            ip_row(&job->motion[0], y)[x] *= scale;
            ip_row(&job->motion[1], y)[x] *= scale;
        }
}

static int furthest(const ip_splat *s) {
    float most = 0.f;
    for (int y = 0; y < s->v->height; y++)
        for (int x = 0; x < s->v->width; x++) {
            float v = fabsf(ip_row(s->v, y)[x]);
            most = v > most ? v : most;
        }
    most *= s->reach;
    return most < (float)s->v->height ? (int)most + 1 : s->v->height;
}

ipos_status ip_splat_flow(const ip_splat *splat, float full, ip_plane_f motion[2], ip_plane_f *coverage, int threads) {
    ip_plane_f sum;
    IP_TRY(ip_plane_new(splat->u->width, splat->u->height, &sum));
    ip_plane_fill(&motion[0], 0.f);
    ip_plane_fill(&motion[1], 0.f);
    ip_plane_fill(coverage, 0.f);
    splat_job job = {splat, motion, coverage, &sum, furthest(splat)};
    ip_parallel(threads, splat->u->height, 64, splat_rows, &job);
    ip_plane_free(&sum);
    return ip_push_pull(motion, 2, coverage, full, threads);
}
