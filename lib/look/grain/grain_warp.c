/* Pictures moved onto another, block by block. */
#include "grain_internal.h"
#include <math.h>

void ip_grain_lanczos(int phase, int count, float *taps) {
    double f = (double)phase / IP_GRAIN_PHASES, reach = count / 2, sum = 0;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < count; i++) {
            double x = i - (reach - 1) - f, px = 3.14159265358979323846 * x, t = fabs(x) < 1e-9 ? 1. : sin(px) / px * sin(px / reach) / (px / reach);
            if (round == 0)
                sum += t;
            else
                taps[i] = (float)(t / sum);
        }
}

void ip_grain_taps(int phase, float taps[IP_GRAIN_TAPS]) { ip_grain_lanczos(phase, IP_GRAIN_TAPS, taps); }

typedef struct warp_job {
    const ip_image3 *from;
    const ip_grain_motion *motion;
    ip_grain_grid grid;
    ip_image3 *to;
    float taps[IP_GRAIN_PHASES][IP_GRAIN_TAPS];
} warp_job;

static void split(float at, int *whole, int *phase) {
    float rounded = floorf(at * IP_GRAIN_PHASES + .5f);
    *whole = (int)floorf(rounded / IP_GRAIN_PHASES);
    *phase = (int)(rounded - (float)*whole * IP_GRAIN_PHASES);
}

static float sample(const ip_plane_f *from, int x, int y, const float *tx, const float *ty) {
    float sum = 0.f;
    bool inside = x >= 3 && y >= 3 && x + 4 < from->width && y + 4 < from->height;
    for (int j = 0; j < IP_GRAIN_TAPS; j++) {
        const float *row = ip_row(from, inside ? y + j - 3 : IP_MIN(IP_MAX(y + j - 3, 0), from->height - 1));
        float line = 0.f;
        if (inside)
            for (int i = 0; i < IP_GRAIN_TAPS; i++)
                line += tx[i] * row[x + i - 3];
        else
            for (int i = 0; i < IP_GRAIN_TAPS; i++)
                line += tx[i] * row[IP_MIN(IP_MAX(x + i - 3, 0), from->width - 1)];
        sum += ty[j] * line;
    }
    return sum;
}

static void warp_block(const warp_job *job, int bx, int by) {
    const ip_grain_motion *motion = &job->motion[by * job->grid.columns + bx];
    if (!motion->known)
        return;
    for (int y = 0; y < IP_GRAIN_BLOCK; y++)
        for (int x = 0; x < IP_GRAIN_BLOCK; x++) {
            int px = bx * IP_GRAIN_BLOCK + x, py = by * IP_GRAIN_BLOCK + y, sx, sy, fx, fy;
            float dx = (float)(x - IP_GRAIN_BLOCK / 2), dy = (float)(y - IP_GRAIN_BLOCK / 2);
            split((float)px + motion->m[0] + motion->m[1] * dx + motion->m[2] * dy, &sx, &fx);
            split((float)py + motion->m[3] + motion->m[4] * dx + motion->m[5] * dy, &sy, &fy);
            for (int c = 0; c < 3; c++)
                ip_row(&job->to->c[c], py)[px] = sample(&job->from->c[c], sx, sy, job->taps[fx], job->taps[fy]);
        }
}

static void warp_rows(void *user, int64_t begin, int64_t end) {
    const warp_job *job = user;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < job->grid.columns; x++)
            warp_block(job, x, y);
}

void ip_grain_warp(const ip_image3 *from, const ip_grain_motion *motion, int threads, ip_image3 *to) {
    warp_job job = {.from = from, .motion = motion, .grid = ip_grain_grid_of(from->c[0].width, from->c[0].height), .to = to};
    for (int i = 0; i < IP_GRAIN_PHASES; i++)
        ip_grain_taps(i, job.taps[i]);
    for (int c = 0; c < 3; c++)
        ip_plane_fill(&to->c[c], 0.f);
    ip_parallel(threads, job.grid.rows, 1, warp_rows, &job);
}
