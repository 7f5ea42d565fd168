/* From surfaces and two lights to gains. */
#include "gauss.h"
#include "surface.h"

#include <math.h>

static const double HIDDEN = .3; /* of the sky, in full shade */

typedef struct regrade_job {
    const ip_surface *surface;
    const ip_relight_pair *pair;
    const ip_regrade *options;
    const ip_plane_f *cast_seen;
    const ip_image3 *gain;
    const ip_plane_f *lifted, *cast;
} regrade_job;

double ip_light_falls(const ip_daylight *light, int c, double facing, double seen) {
    return light->sun[c] * seen * facing + light->ambient[c] * (1 - (light->sun[c] > 0 ? HIDDEN : 0) * (1 - seen));
}

double ip_light_level(const ip_daylight *light, double facing, double seen) {
    double rgb[3];
    for (int c = 0; c < 3; c++)
        rgb[c] = ip_light_falls(light, c, facing, seen);
    return ip_luminance(rgb);
}

double ip_regrade_mean(const ip_surface *surface, const ip_relight_pair *pair) {
    double sum = 0, count = 0;
    for (int y = 0; y < surface->sky.height; y += 2)
        for (int x = 0; x < surface->sky.width; x += 2) {
            double weight = 1 - (double)ip_row(&surface->sky, y)[x];
            sum += weight * log2(ip_light_level(&pair->now, (double)ip_row(&surface->facing[1], y)[x], 1) / ip_light_level(&pair->old, (double)ip_row(&surface->facing[0], y)[x], 1));
            count += weight;
        }
    return count > 0 ? sum / count : 0;
}

/* Stops from one share of the sun to another. */
static float stops_between(const ip_daylight *light, double facing, double was, double is) {
    return was == is ? 0 : (float)log2(ip_light_level(light, facing, is) / ip_light_level(light, facing, was));
}

static void regrade_row(const regrade_job *job, int y) {
    const ip_surface *s = job->surface;
    const float *facing[2] = {ip_row(&s->facing[0], y), ip_row(&s->facing[1], y)}, *old_seen = ip_row(&s->seen[IP_OLD_SUN], y);
    const float *new_seen = ip_row(job->cast_seen, y), *sky = ip_row(&s->sky, y);
    const ip_daylight *old = &job->pair->old, *now = &job->pair->now;
    for (int x = 0; x < s->sky.width; x++) {
        double was = 1 - job->options->lift * (1 - old_seen[x]), is = 1 - job->options->shadow * (1 - new_seen[x]);
        for (int c = 0; c < 3; c++) {
            double ground = ip_light_falls(now, c, (double)facing[1][x], is) / ip_light_falls(old, c, (double)facing[0][x], was);
            ip_row(&job->gain->c[c], y)[x] = (float)(log2((1 - sky[x]) * ground + sky[x] * job->pair->sky[c]) + job->options->exposure);
        }
        if (job->lifted)
            ip_row(job->lifted, y)[x] = (1 - sky[x]) * stops_between(old, (double)facing[0][x], was, 1);
        if (job->cast)
            ip_row(job->cast, y)[x] = (1 - sky[x]) * stops_between(now, (double)facing[1][x], 1, is);
    }
}

static void regrade_rows(void *user, int64_t begin, int64_t end) {
    for (int y = (int)begin; y < (int)end; y++)
        regrade_row(user, y);
}

static bool same_light(const ip_relight_pair *pair) {
    return !memcmp(&pair->old, &pair->now, sizeof pair->old);
}

/* Within things and within what lies behind them, each by itself: else light of the one shines around the other. part: the result, and room. */
static void soften(const ip_surface *surface, float sigma, int threads, ip_plane_f part[5]) {
    const ip_plane_f *seen = &surface->seen[IP_NEW_SUN];
    for (int k = 0; k < 2; k++) {
        ip_plane_f *sum = &part[1 + 2 * k], *weight = &part[2 + 2 * k];
        for (int y = 0; y < seen->height; y++)
            for (int x = 0; x < seen->width; x++) {
                float thing = ip_row(&surface->thing, y)[x], w = (k ? thing : 1 - thing) + 1e-4f;
                ip_row(weight, y)[x] = w;
                ip_row(sum, y)[x] = w * ip_row(seen, y)[x];
            }
        ip_gauss_blur(sum, sum, part, sigma, threads);
        ip_gauss_blur(weight, weight, part, sigma, threads);
    }
    for (int y = 0; y < seen->height; y++)
        for (int x = 0; x < seen->width; x++) {
            float thing = ip_row(&surface->thing, y)[x];
            ip_row(part, y)[x] = (1 - thing) * ip_row(&part[1], y)[x] / ip_row(&part[2], y)[x] + thing * ip_row(&part[3], y)[x] / ip_row(&part[4], y)[x];
        }
}

ipos_status ip_regrade_gain(const ip_surface *surface, const ip_relight_pair *pair, const ip_regrade *options, int threads, const ip_image3 *gain,
    const ip_plane_f *lifted, const ip_plane_f *cast) {
    ip_plane_f part[5];
    IP_TRY(ip_planes_new(surface->sky.width, surface->sky.height, part, 5));
    float unit = ip_relight_unit(surface->sky.width);
    if (options->softness > 0)
        soften(surface, options->softness * unit, threads, part);
    else
        ip_plane_copy(&part[0], &surface->seen[IP_NEW_SUN]);
    regrade_job job = {surface, pair, options, &part[0], gain, lifted, cast};
    if (same_light(pair)) {
        for (int c = 0; c < 3; c++) {
            ip_plane_f plane = gain->c[c];
            ip_plane_fill(&plane, options->exposure);
        }
        for (int y = 0; y < surface->sky.height; y++)
            for (int x = 0; x < surface->sky.width; x++) {
                if (lifted)
                    ip_row(lifted, y)[x] = 0;
                if (cast)
                    ip_row(cast, y)[x] = 0;
            }
    } else {
        ip_parallel(threads, surface->sky.height, 8, regrade_rows, &job);
        for (int c = 0; c < 3; c++)
            ip_gauss_blur(&gain->c[c], &gain->c[c], &part[1], .6 * unit, threads);
    }
    ip_planes_free(part, 5);
    return IPOS_OK;
}
