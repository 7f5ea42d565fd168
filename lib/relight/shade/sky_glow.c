#include "sky_glow.h"

#include <math.h>

static const double HALF_TURN = 3.14159265358979323846;
static const double BEND = .8; /* stops of luminance that count half: pictures have no room for a sun's aureole */

double ip_sky_glow_at(double angle) {
    return 10 * fmax(exp(-3 * angle) - exp(-1.5 * HALF_TURN), 0);
}

typedef struct glow_job {
    const ip_relight_pair *pair;
    const ip_sky_view *view;
    float amount;
    const ip_plane_f *sky;
    const ip_image3 *gain;
} glow_job;

void ip_sky_ray(const ip_sky_view *view, double x, double y, double ray[3]) {
    double c[3] = {(x - view->lens.cx) / view->lens.focal, (y - view->lens.cy) / view->lens.focal, 1};
    if (view->pose) {
        ip_pose_turn_back(view->pose, c, ray);
    } else {
        ray[0] = c[0];
        ray[1] = (view->horizon - y) / view->lens.focal;
        ray[2] = 1;
    }
    double length = sqrt(ray[0] * ray[0] + ray[1] * ray[1] + ray[2] * ray[2]);
    for (int k = 0; k < 3; k++)
        ray[k] /= length;
}

/* By how many stops the glow raises R,G,B; 0 where no sun shines. */
static void stops(const ip_daylight *light, const double ray[3], double out[3]) {
    double level = ip_luminance(light->sun), cosine = 0;
    out[0] = out[1] = out[2] = 0;
    if (!(level > 0))
        return;
    for (int k = 0; k < 3; k++)
        cosine += ray[k] * light->toward[k];
    double glow = ip_sky_glow_at(acos(fmax(fmin(cosine, 1), -1)));
    for (int c = 0; c < 3; c++)
        out[c] = log2(1 + glow * light->sun[c] / level);
}

void ip_sky_change(const ip_relight_pair *pair, const double ray[3], double out[3]) {
    double old[3];
    stops(&pair->now, ray, out);
    stops(&pair->old, ray, old);
    for (int c = 0; c < 3; c++)
        out[c] -= old[c];
    double level = ip_luminance(out), bent = level / (1 + fabs(level) / BEND); /* the colour stays as it is */
    for (int c = 0; c < 3; c++)
        out[c] += bent - level;
}

static void glow_rows(void *user, int64_t begin, int64_t end) {
    const glow_job *job = user;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < job->sky->width; x++) {
            float sky = ip_row(job->sky, y)[x];
            double ray[3], change[3];
            if (!(sky > 0))
                continue;
            ip_sky_ray(job->view, x, y, ray);
            ip_sky_change(job->pair, ray, change);
            for (int c = 0; c < 3; c++)
                ip_row(&job->gain->c[c], y)[x] += job->amount * sky * (float)change[c];
        }
}

void ip_sky_glow(const ip_relight_pair *pair, const ip_sky_view *view, float amount, int threads, const ip_plane_f *sky, const ip_image3 *gain) {
    glow_job job = {pair, view, amount, sky, gain};
    if (amount > 0)
        ip_parallel(threads, sky->height, 8, glow_rows, &job);
}
