#include "fuse_sample.h"

#include <math.h>
#include <stdlib.h>

static float texture(double x, double y, int c, const double *wave)
{
    return (float)(.5 + .2 * sin(x * wave[0] + y * wave[1] + c) + .15 * sin(x * wave[2] - y * wave[3]) + .1 * sin((x + y) * wave[4]));
}

static void fill(fuse_sample *s, int x, int y, const double *wave, size_t at, size_t count, ip_rng *rng)
{
    /* where each candidate looks, in pixels from the right place */
    static const double off[IP_FUSE_CANDIDATES] = {1.6, -1.4, .1, -.1, 6, -6};
    float value[IP_FUSE_CANDIDATES][3];
    for (int k = 0; k < IP_FUSE_CANDIDATES; k++) {
        for (int c = 0; c < 3; c++) {
            value[k][c] = texture(x + off[k], y, c, wave) + (float)(.01 * (ip_rng_unit(rng) - .5));
            s->planes[(size_t)(3 * k + c) * count + at] = value[k][c];
        }
        s->planes[(size_t)(18 + k) * count + at] = k < 2 ? 0 : k < 4 ? -2 : -8;
    }
    for (int pair = 0; pair < 3; pair++)
        s->planes[(size_t)(24 + pair) * count + at] = fabsf(value[2 * pair][1] - value[2 * pair + 1][1]);
    s->planes[27 * count + at] = 1;
    s->planes[28 * count + at] = x % 50 > 5;
    s->planes[29 * count + at] = .4f + .002f * (float)x;
    s->planes[30 * count + at] = .1f;
    s->planes[31 * count + at] = .5f;
    for (int c = 0; c < 3; c++)
        s->planes[(size_t)(32 + c) * count + at] = texture(x, y, c, wave);
}

void fuse_sample_new(fuse_sample *s, int width, int height, uint64_t seed)
{
    size_t count = (size_t)width * (size_t)height;
    ip_rng rng = ip_rng_at(seed, 77);
    double wave[5];
    for (int i = 0; i < 5; i++)
        wave[i] = .05 + .5 * ip_rng_unit(&rng);
    *s = (fuse_sample){.planes = malloc(35 * count * sizeof(float))};
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++)
            fill(s, x, y, wave, (size_t)y * (size_t)width + (size_t)x, count, &rng);
    }
    s->example.input.width = width;
    s->example.input.height = height;
    s->example.input.stride = width;
    for (int k = 0; k < IP_FUSE_CANDIDATES; k++) {
        for (int c = 0; c < 3; c++)
            s->example.input.candidate[k][c] = s->planes + (size_t)(3 * k + c) * count;
        s->example.input.logit[k] = s->planes + (size_t)(18 + k) * count;
    }
    for (int k = 0; k < IP_FUSE_SIDES; k++)
        s->example.input.side[k] = s->planes + (size_t)(24 + k) * count;
    for (int c = 0; c < 3; c++)
        s->example.target[c] = s->planes + (size_t)(32 + c) * count;
}

void fuse_sample_free(fuse_sample *s)
{
    free(s->planes);
    *s = (fuse_sample){0};
}
