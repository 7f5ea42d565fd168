/* Synthetic shots with known motion. */
#ifndef SCENE_H
#define SCENE_H

#include "inbetween.h"
#include <math.h>

/* A smooth texture without repeats over the sizes used here, about .1..0.9. */
static inline float texture(double x, double y) {
    double v = sin(x * .21 + 1.3 * sin(y * .05)) + sin(y * .17 + 1.1 * sin(x * .043)) + .6 * sin((x + y) * .11) + .5 * sin((x - 2 * y) * .37);
    return (float)(.5 + .125 * v);
}

/* Where a pixel of the frame at time t looks into the texture, and an optional square in front. */
typedef struct scene {
    int width, height;
    double vx, vy;     /* pixels a unit of time */
    double ax;         /* acceleration along x */
    double turn;       /* radians a unit of time about the centre */
    double square;     /* a textured square in front moves this many px a unit of time to the right, a quarter of it down; 0: none */
    double gain;       /* of the values */
} scene;

static inline float scene_at(const scene *s, double t, int x, int y) {
    double cx = .5 * s->width, cy = .5 * s->height, a = -s->turn * t;
    double px = x - s->vx * t - .5 * s->ax * t * t - cx, py = y - s->vy * t - cy;
    double tx = cx + cos(a) * px - sin(a) * py, ty = cy + sin(a) * px + cos(a) * py;
    float v = texture(tx, ty);
    if (s->square != 0) {
        double sx = x - (.3 * s->width + s->square * t), sy = y - (.4 * s->height + .25 * s->square * t);
        if (sx >= 0 && sy >= 0 && sx < 40 && sy < 40)
            v = .2f + .9f * texture(1.3 * sx + 500, 1.6 * sy + 300);
    }
    return v * (float)(s->gain > 0 ? s->gain : 1.);
}

typedef struct shot {
    scene scene;
    const double *times;
    void (*damage)(size_t index, int width, int height, float *const rgb[3], ptrdiff_t stride);
    int fetches;
    ipos_status fail;
} shot;

static inline ipos_status shot_fetch(void *user, size_t index, float *const rgb[3], ptrdiff_t stride) {
    shot *s = user;
    s->fetches++;
    if (s->fail != IPOS_OK)
        return ip_fail(s->fail, "the test says so");
    for (int y = 0; y < s->scene.height; y++)
        for (int x = 0; x < s->scene.width; x++)
            for (int c = 0; c < 3; c++)
                rgb[c][y * stride + x] = scene_at(&s->scene, s->times[index], x, y) * (1.f - .2f * (float)c);
    if (s->damage)
        s->damage(index, s->scene.width, s->scene.height, rgb, stride);
    return IPOS_OK;
}

static inline ip_inbetween_source shot_source(shot *s, size_t count, int threads) {
    return (ip_inbetween_source){.width = s->scene.width, .height = s->scene.height, .times = s->times, .count = count,
        .fetch = shot_fetch, .user = s, .threads = threads};
}

#endif
