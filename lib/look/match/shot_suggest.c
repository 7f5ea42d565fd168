/* Matching without shared places: colours that both shots have, in the logarithm of linear light. */
#include "fit.h"
#include "shot_match.h"
#include <math.h>

enum { AXES = 3, TILES = 9, ROUNDS = 5 };
static const float CHROMA = .35f, RADIUS = .9f, SHRINK = .75f, RADIUS_LEAST = .3f, STEP = .7f;

typedef struct cloud {
    size_t count;
    float (*at)[AXES]; /* exposure, red over green, blue over green */
    float *weight;
    double mean[AXES], spread[AXES]; /* spread: median absolute deviation of the means of tiles */
} cloud;

static ipos_status cloud_new(const ip_colour_at *from, size_t count, cloud *out) {
    double tile[TILES][AXES] = {{0.}};
    size_t many[TILES] = {0};
    *out = (cloud){.count = count, .at = ip_calloc(count + 1, sizeof *out->at), .weight = ip_calloc(count + 1, sizeof(float))};
    if (!out->at || !out->weight)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        float r = logf(from[i].rgb[0]), g = logf(from[i].rgb[1]), b = logf(from[i].rgb[2]);
        const float v[AXES] = {(r + g + b) / 3.f, r - g, b - g};
        many[from[i].tile]++;
        for (int k = 0; k < AXES; k++) {
            out->at[i][k] = v[k];
            tile[from[i].tile][k] += v[k];
            out->mean[k] += v[k] / (double)count;
        }
    }
    for (int k = 0; k < AXES; k++) {
        float value[TILES];
        size_t n = 0;
        for (int t = 0; t < TILES; t++)
            if (many[t])
                value[n++] = (float)(tile[t][k] / (double)many[t]);
        float middle = n ? ip_select(value, n, n / 2) : 0.f;
        for (size_t i = 0; i < n; i++)
            value[i] = fabsf(value[i] - middle);
        out->spread[k] = n ? ip_select(value, n, n / 2) : 0.;
    }
    return IPOS_OK;
}

static void cloud_free(cloud *c) {
    ip_free(c->at);
    ip_free(c->weight);
}

static float apart(const float a[AXES], const float b[AXES], const double shift[AXES]) {
    float l = a[0] + (float)shift[0] - b[0], r = (a[1] + (float)shift[1] - b[1]) / CHROMA, c = (a[2] + (float)shift[2] - b[2]) / CHROMA;
    return l * l + r * r + c * c;
}

/* A colour counts as far as the other picture has as much of it. The shift is of own towards other. */
static void weigh(cloud *own, const cloud *other, const double shift[AXES], float radius) {
    const double none[AXES] = {0.};
    for (size_t i = 0; i < own->count; i++) {
        size_t mine = 0, theirs = 0;
        for (size_t j = 0; j < own->count; j++)
            mine += apart(own->at[i], own->at[j], none) < radius * radius;
        for (size_t j = 0; j < other->count; j++)
            theirs += apart(own->at[i], other->at[j], shift) < radius * radius;
        double ratio = ((double)theirs / (double)other->count) / ((double)mine / (double)own->count);
        own->weight[i] = (float)fmin(1., ratio);
    }
}

static double weighted(const cloud *c, double mean[AXES]) {
    double sum = 0.;
    memset(mean, 0, AXES * sizeof *mean);
    for (size_t i = 0; i < c->count; i++) {
        sum += c->weight[i];
        for (int k = 0; k < AXES; k++)
            mean[k] += c->weight[i] * c->at[i][k];
    }
    for (int k = 0; k < AXES && sum > 0.; k++)
        mean[k] /= sum;
    return sum;
}

static double shift_between(cloud *s, cloud *r, double shift[AXES]) {
    double shared = 0.;
    for (int k = 0; k < AXES; k++) {
        double d = r->mean[k] - s->mean[k], doubt = .75 * (s->spread[k] * s->spread[k] + r->spread[k] * r->spread[k]);
        shift[k] = d == 0. ? 0. : d * d * d / (d * d + doubt);
    }
    for (int i = 0; i < ROUNDS; i++) {
        float radius = fmaxf(RADIUS * powf(SHRINK, (float)i), RADIUS_LEAST);
        double back[AXES], ms[AXES], mr[AXES];
        for (int k = 0; k < AXES; k++)
            back[k] = -shift[k];
        weigh(s, r, shift, radius);
        weigh(r, s, back, radius);
        double ws = weighted(s, ms), wr = weighted(r, mr);
        shared = ws / (double)s->count;
        if (ws <= 0. || wr <= 0.)
            break;
        for (int k = 0; k < AXES; k++)
            shift[k] += STEP * (mr[k] - ms[k] - shift[k]);
    }
    return shared;
}

ipos_status ip_suggest_gains(const ip_colour_at *shot, size_t shots, const ip_colour_at *reference, size_t references, double log_gain[3], double *shared) {
    cloud s = {0}, r = {0};
    double shift[AXES] = {0.};
    *shared = 0.;
    ipos_status status = cloud_new(shot, shots, &s);
    if (status == IPOS_OK)
        status = cloud_new(reference, references, &r);
    if (status == IPOS_OK && shots && references)
        *shared = shift_between(&s, &r, shift);
    double green = shift[0] - (shift[1] + shift[2]) / 3.;
    log_gain[0] = green + shift[1];
    log_gain[1] = green;
    log_gain[2] = green + shift[2];
    cloud_free(&s);
    cloud_free(&r);
    return status;
}
