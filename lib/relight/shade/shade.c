/* Old shadows, found by a shift test on the colours of the shot. */
#include "gauss.h"
#include "guided.h"
#include "surface.h"

#include <math.h>
#include <stdlib.h>

enum { BINS = 40, LINE = BINS * BINS, ALL = BINS * BINS * BINS };
static const float LOW = -8, HIGH = 2, DARK = .002f;

ipos_status ip_shades_open(ip_shades *shades) {
    *shades = (ip_shades){.pool = {ip_calloc(ALL, sizeof(float)), ip_calloc(ALL, sizeof(float))}};
    if (shades->pool[0] && shades->pool[1])
        return IPOS_OK;
    ip_shades_close(shades);
    return IPOS_ERR_NO_MEMORY;
}

void ip_shades_close(ip_shades *shades) {
    ip_free(shades->pool[0]);
    ip_free(shades->pool[1]);
    *shades = (ip_shades){0};
}

static float log_of(float light) {
    return log2f(fmaxf(light, 0) + DARK);
}

static float place_of(float level) {
    return fminf(fmaxf((level - LOW) / (HIGH - LOW) * BINS - .5f, 0), BINS - 1.001f);
}

void ip_shades_add(ip_shades *shades, const ip_image3 *light, const ip_surface *surface, const ip_plane_f *still) {
    for (int y = 0; y < surface->sky.height; y++)
        for (int x = 0; x < surface->sky.width; x++) {
            if (ip_row(&surface->sky, y)[x] > .5f || ip_row(still, y)[x] <= .5f)
                continue;
            int which = ip_row(&surface->ground, y)[x] > .5f, bin = 0;
            for (int c = 0; c < 3; c++)
                bin = bin * BINS + (int)(place_of(log_of(ip_row(&light->c[c], y)[x])) + .5f);
            shades->pool[which][bin]++;
            shades->count[which]++;
        }
}

/* One axis of the pool blurred by a sampled Gaussian of 1.2 bins. */
static void blur_axis(float *pool, int step, int next, int outer) {
    float weight[5], line[BINS];
    for (int t = 0; t < 5; t++)
        weight[t] = expf(-.5f * (float)(t * t) / (1.2f * 1.2f));
    for (int a = 0; a < BINS; a++)
        for (int b = 0; b < BINS; b++) {
            float *at = pool + a * outer + b * next;
            for (int i = 0; i < BINS; i++) {
                float sum = 0, all = 0;
                for (int t = -4; t <= 4; t++) {
                    sum += weight[abs(t)] * at[IP_MIN(IP_MAX(i + t, 0), BINS - 1) * step];
                    all += weight[abs(t)];
                }
                line[i] = sum / all;
            }
            for (int i = 0; i < BINS; i++)
                at[i * step] = line[i];
        }
}

static void settle(ip_shades *shades) {
    for (int k = 0; k < 2; k++) {
        float *pool = shades->pool[k];
        blur_axis(pool, 1, BINS, LINE);
        blur_axis(pool, BINS, 1, LINE);
        blur_axis(pool, LINE, BINS, 1);
        for (int i = 0; i < ALL; i++)
            pool[i] = (float)(pool[i] / fmax(shades->count[k], 1));
    }
    shades->settled = true;
}

/* The pool between its bins. */
static float often(const float *pool, const float level[3]) {
    int base[3];
    float part[3], sum = 0;
    for (int c = 0; c < 3; c++) {
        float place = place_of(level[c]);
        base[c] = (int)place;
        part[c] = place - (float)base[c];
    }
    for (int corner = 0; corner < 8; corner++) {
        float share = 1;
        int bin = 0;
        for (int c = 0; c < 3; c++) {
            int up = corner >> c & 1;
            share *= up ? part[c] : 1 - part[c];
            bin = bin * BINS + base[c] + up;
        }
        sum += share * pool[bin];
    }
    return sum;
}

typedef struct shade_job {
    const ip_shades *shades;
    const ip_image3 *light;
    const ip_relight_pair *pair;
    const ip_plane_f *still;
    const ip_surface *surface;
} shade_job;

/* The picture smoothed along its edges: 5 pixels across, .15 of light apart (Tomasi, Manduchi, ICCV 1998). */
static void smooth_at(const ip_image3 *light, int x, int y, float out[3]) {
    float sum[3] = {0}, all = 0, middle[3];
    for (int c = 0; c < 3; c++)
        middle[c] = ip_row(&light->c[c], y)[x];
    for (int dy = -2; dy <= 2; dy++)
        for (int dx = -2; dx <= 2; dx++) {
            int nx = x + dx, ny = y + dy;
            if (dx * dx + dy * dy > 4 || nx < 0 || ny < 0 || nx >= light->c[0].width || ny >= light->c[0].height)
                continue;
            float value[3], apart = 0;
            for (int c = 0; c < 3; c++) {
                value[c] = ip_row(&light->c[c], ny)[nx];
                apart += fabsf(value[c] - middle[c]);
            }
            float weight = expf(-.5f * apart * apart / (.15f * .15f) - .5f * (float)(dx * dx + dy * dy) / 4);
            for (int c = 0; c < 3; c++)
                sum[c] += weight * value[c];
            all += weight;
        }
    for (int c = 0; c < 3; c++)
        out[c] = sum[c] / all;
}

static float lit_at(const shade_job *job, int x, int y) {
    float smooth[3], level[3], lit[3], facing = ip_row(&job->surface->facing[IP_OLD_SUN], y)[x];
    const float *pool = job->shades->pool[ip_row(&job->surface->ground, y)[x] > .5f];
    smooth_at(job->light, x, y, smooth);
    for (int c = 0; c < 3; c++) {
        float sun = (float)job->pair->old.sun[c] * facing, shade = (float)job->pair->old.ambient[c];
        level[c] = log_of(smooth[c]);
        lit[c] = level[c] + log2f((sun + shade) / shade);
    }
    float more = log2f(often(pool, lit) + 2e-6f) - log2f(often(pool, level) + 2e-6f);
    return 1 / (1 + expf(1.5f * (more - .5f)));
}

static void find_rows(void *user, int64_t begin, int64_t end) {
    const shade_job *job = user;
    const ip_plane_f *seen = &job->surface->seen[IP_OLD_SUN];
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < seen->width; x++) {
            bool look = ip_row(&job->surface->sky, y)[x] < .5f && ip_row(job->still, y)[x] > .5f;
            ip_row(seen, y)[x] = look ? lit_at(job, x, y) : 1;
        }
}

ipos_status ip_shades_find(ip_shades *shades, const ip_image3 *light, const ip_relight_pair *pair, const ip_plane_f *still, int threads,
    const ip_surface *surface) {
    const ip_plane_f *seen = &surface->seen[IP_OLD_SUN];
    ip_plane_f luma;
    if (!shades->settled)
        settle(shades);
    shade_job job = {shades, light, pair, still, surface};
    ip_parallel(threads, seen->height, 4, find_rows, &job);
    IP_TRY(ip_plane_new(seen->width, seen->height, &luma));
    ip_display_luma(light, &luma, threads);
    ipos_status status = ip_guided(&luma, seen, seen, ip_relight_pixels(seen->width, 5), 3e-3f, threads);
    ip_plane_free(&luma);
    for (int y = 0; y < seen->height && status == IPOS_OK; y++)
        for (int x = 0; x < seen->width; x++) {
            bool out = ip_row(still, y)[x] <= .5f;
            ip_row(seen, y)[x] = out ? 1 : fminf(fmaxf(ip_row(seen, y)[x], 0), 1);
        }
    return status;
}
