#include "reflect.h"
#include "fit.h"

#include <math.h>

static const double MIRRORED = .3;  /* of what a pane shows */
static const double MEAN = .3;      /* reflectance of streets and walls */
static const double SEAM = .02;     /* of a pane's picture, between sky and ground: sine of an angle */
static const float DARKEST = .01f;  /* glints are told as gains, which black does not take */

typedef struct reflect_job {
    const ip_surface *surface;
    const ip_relight_pair *pair;
    const ip_sky_view *view;
    const ip_mirrors *mirrors;
    const ip_image3 *light, *gain;
    double ground[3]; /* how lit ground changes */
} reflect_job;

/* How what a pane shows changes: a mirror turns the ray back at the wall and leaves its height over the horizon. */
static void pane_at(const reflect_job *job, int x, int y, double out[3]) {
    const double *wall = job->mirrors->wall;
    double ray[3], stops[3];
    ip_sky_ray(job->view, x, y, ray);
    double into = ip_dot3(ray, wall), sky = fmin(fmax(ray[1] / SEAM + .5, 0), 1);
    for (int k = 0; k < 3; k++)
        ray[k] -= 2 * into * wall[k];
    ip_sky_change(job->pair, ray, stops);
    for (int c = 0; c < 3; c++)
        out[c] = sky * job->pair->sky[c] * exp2(stops[c]) + (1 - sky) * job->ground[c];
}

static void reflect_rows(void *user, int64_t begin, int64_t end) {
    const reflect_job *job = user;
    const ip_surface *s = job->surface;
    const ip_mirrors *m = job->mirrors;
    double more = exp2((double)m->exposure);
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < s->sky.width; x++) {
            float open = (1 - ip_row(&s->sky, y)[x]) * m->amount, unshaded = fminf(fmaxf(2 * ip_row(&s->seen[IP_OLD_SUN], y)[x] - 1, 0), 1);
            double pane = MIRRORED * (double)(open * unshaded * ip_row(&s->pane, y)[x]), picture[3] = {0};
            double glint = m->white * (double)(open * ip_row(&s->glint, y)[x] * ip_row(&s->seen[IP_NEW_SUN], y)[x]);
            if (!(pane > 0 || glint > 0))
                continue;
            pane_at(job, x, y, picture);
            for (int c = 0; c < 3; c++) {
                float *stops = &ip_row(&job->gain->c[c], y)[x];
                double gain = (1 - pane) * exp2((double)*stops) + pane * more * picture[c];
                *stops = (float)log2(gain + more * glint * job->pair->now.sun[c] / (double)fmaxf(ip_row(&job->light->c[c], y)[x], DARKEST));
            }
        }
}

void ip_reflect(const ip_surface *surface, const ip_relight_pair *pair, const ip_sky_view *view, const ip_mirrors *mirrors, const ip_image3 *light,
    int threads, const ip_image3 *gain) {
    reflect_job job = {surface, pair, view, mirrors, light, gain, {0}};
    if (!(mirrors->amount > 0) || !memcmp(&pair->old, &pair->now, sizeof pair->old))
        return;
    for (int c = 0; c < 3; c++)
        job.ground[c] = ip_light_falls(&pair->now, c, fmax(pair->now.toward[1], .02), 1) / ip_light_falls(&pair->old, c, fmax(pair->old.toward[1], .02), 1);
    ip_parallel(threads, surface->sky.height, 8, reflect_rows, &job);
}

ipos_status ip_reflect_white(const ip_image3 *light, const ip_surface *surface, const ip_plane_f *still, const ip_relight_pair *pair, double *white) {
    size_t count = 0, room = (size_t)surface->sky.width * (size_t)surface->sky.height;
    float *values = ip_alloc(room * sizeof *values);
    if (!values)
        return IPOS_ERR_NO_MEMORY;
    for (int y = 0; y < surface->sky.height; y++)
        for (int x = 0; x < surface->sky.width; x++) {
            double rgb[3];
            if (!(ip_row(still, y)[x] > .5f) || ip_row(&surface->sky, y)[x] > .5f)
                continue;
            for (int c = 0; c < 3; c++)
                rgb[c] = (double)ip_row(&light->c[c], y)[x];
            values[count++] = (float)(ip_luminance(rgb) / ip_light_level(&pair->old, (double)ip_row(&surface->facing[IP_OLD_SUN], y)[x], 1));
        }
    *white = count ? (double)ip_quantile(values, count, .5) / MEAN : 0;
    ip_free(values);
    return IPOS_OK;
}
