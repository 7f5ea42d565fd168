#include "surface.h"
#include "curves.h"

#include <math.h>

ipos_status ip_surface_new(int width, int height, ip_surface *out) {
    ip_plane_f planes[10];
    *out = (ip_surface){0};
    IP_TRY(ip_planes_new(width, height, planes, 10));
    *out = (ip_surface){planes[0], planes[1], {planes[2], planes[3]}, {planes[4], planes[5]}, planes[6], planes[7], planes[8], planes[9]};
    ip_plane_fill(&out->passing, 1);
    ip_plane_fill(&out->thing, 0);
    ip_plane_fill(&out->pane, 0);
    ip_plane_fill(&out->glint, 0);
    for (int i = 0; i < 2; i++) {
        ip_plane_fill(&out->facing[i], 1);
        ip_plane_fill(&out->seen[i], 1);
    }
    return IPOS_OK;
}

void ip_surface_free(ip_surface *surface) {
    ip_plane_free(&surface->sky);
    ip_plane_free(&surface->ground);
    ip_plane_free(&surface->passing);
    ip_plane_free(&surface->thing);
    ip_plane_free(&surface->pane);
    ip_plane_free(&surface->glint);
    for (int i = 0; i < 2; i++) {
        ip_plane_free(&surface->facing[i]);
        ip_plane_free(&surface->seen[i]);
    }
}

typedef struct luma_job {
    const ip_image3 *light;
    const ip_plane_f *out;
} luma_job;

static void luma_rows(void *user, int64_t begin, int64_t end) {
    const luma_job *job = user;
    for (int y = (int)begin; y < (int)end; y++) {
        const float *r = ip_row(&job->light->c[0], y), *g = ip_row(&job->light->c[1], y), *b = ip_row(&job->light->c[2], y);
        for (int x = 0; x < job->out->width; x++)
            ip_row(job->out, y)[x] = ip_srgb_from_linear(fminf(fmaxf(.2126f * r[x] + .7152f * g[x] + .0722f * b[x], 0), 1));
    }
}

void ip_display_luma(const ip_image3 *light, const ip_plane_f *out, int threads) {
    luma_job job = {light, out};
    ip_parallel(threads, out->height, 16, luma_rows, &job);
}

/* The mean of max(0, n . sun) over horizontal normals within 60 degrees of the camera, those that face it counting more. */
static float upright_facing(const double toward[3]) {
    double sum = 0, count = 0;
    for (int degrees = -60; degrees <= 60; degrees += 5) {
        double turn = degrees * 3.14159265358979323846 / 180, weight = cos(turn) * cos(turn) * cos(turn) * cos(turn);
        sum += weight * fmax(0, sin(turn) * toward[0] - cos(turn) * toward[2]);
        count += weight;
    }
    return (float)(sum / count);
}

float ip_gets_through(const double toward[3]) {
    static const double HALF = .08; /* tangent of the height at which half of it does */
    double tangent = fmax(toward[1] / fmax(hypot(toward[0], toward[2]), 1e-9), .01);
    return (float)(tangent / (tangent + HALF));
}

void ip_surface_guess(const ip_relight_pair *pair, float horizon, float through, const ip_surface *surface) {
    const double *toward[2] = {pair->old.toward, pair->now.toward};
    int height = surface->ground.height;
    for (int y = 0; y < height; y++) {
        float below = ((float)y + .5f) / (float)height - horizon, t = fminf(fmaxf(below / fmaxf(1 - horizon, .05f), 0), 1);
        float ground = fminf(t * t * 2.2f, 1);
        for (int x = 0; x < surface->ground.width; x++)
            ip_row(&surface->ground, y)[x] = ground;
        for (int i = 0; i < 2; i++) {
            float up = fmaxf((float)toward[i][1], .02f), side = fmaxf(upright_facing(toward[i]), .02f);
            float both = fmaxf((ground * up + (1 - ground) * side) * (i == IP_NEW_SUN ? through : 1), .02f);
            for (int x = 0; x < surface->ground.width; x++)
                ip_row(&surface->facing[i], y)[x] = both;
        }
    }
}
