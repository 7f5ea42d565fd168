/* Light by a reference take. */
#include "reference.h"
#include "surface.h"

#include <math.h>
#include <stdlib.h>

enum { BINS = 256, LEAST = 500 };
static const double FACING = .6; /* of what the sun lights up, on average */
/* How much of what the reference says beyond the formula is believed, and the most of it, natural logarithm. */
static const struct {
    double share, most;
} KEY = {.7, .35}, FILL = {.7, .35}, LEVEL = {.7, .35}, SKY = {.7, .35};
static const double PAINT = .1; /* by so much two sets of one film differ anyway: not believed at all */

typedef struct pixels {
    float (*rgb)[3];
    float *luma; /* log2 */
    size_t count;
} pixels;

static int by_value(const void *a, const void *b) {
    const float *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Otsu's threshold of log2 luminance. */
static double threshold(const pixels *p) {
    double low = INFINITY, high = -INFINITY, n[BINS] = {0}, s[BINS] = {0}, sum = 0, below = 0, below_sum = 0, most = 0, best = 0;
    for (size_t i = 0; i < p->count; i++) {
        low = fmin(low, (double)p->luma[i]);
        high = fmax(high, (double)p->luma[i]);
    }
    for (size_t i = 0; i < p->count && high > low; i++) {
        int bin = IP_MIN(BINS - 1, (int)(((double)p->luma[i] - low) / (high - low) * BINS));
        n[bin]++;
        s[bin] += (double)p->luma[i];
        sum += (double)p->luma[i];
    }
    for (int b = 0; b + 1 < BINS; b++) {
        below += n[b];
        below_sum += s[b];
        double above = (double)p->count - below;
        if (below < 1 || above < 1)
            continue;
        double gap = below_sum / below - (sum - below_sum) / above, between = below * above * gap * gap;
        if (between > most) {
            most = between;
            best = low + (high - low) * (b + 1) / BINS;
        }
    }
    return best;
}

/* Medians of one side of the threshold: log2 luminance, and colour over it. Returns how many pixels it has. */
static size_t side(const pixels *p, double at, bool bright, float *room, double *luma, double rgb[3]) {
    size_t count = 0;
    for (int k = 0; k < 4; k++) {
        count = 0;
        for (size_t i = 0; i < p->count; i++)
            if (((double)p->luma[i] > at) == bright)
                room[count++] = k == 3 ? p->luma[i] : p->rgb[i][k] / exp2f(p->luma[i]);
        if (!count)
            return 0;
        qsort(room, count, sizeof *room, by_value);
        *(k == 3 ? luma : &rgb[k]) = (double)room[count / 2];
    }
    double level = ip_luminance(rgb);
    for (int c = 0; c < 3; c++)
        rgb[c] /= level;
    return count;
}

/* A picture's pixels that are no sky, neither near black nor clipped, are added; its sky to sum. */
static void add_pixels(const ip_image3 *picture, const ip_plane_f *sky, float clip, pixels *p, double sum[4]) {
    for (int y = 0; y < sky->height; y++)
        for (int x = 0; x < sky->width; x++) {
            float rgb[3], share = ip_row(sky, y)[x], least = INFINITY, most = 0;
            for (int c = 0; c < 3; c++) {
                rgb[c] = ip_row(&picture->c[c], y)[x];
                least = fminf(least, rgb[c]);
                most = fmaxf(most, rgb[c]);
            }
            if (clip > 0 && most > .95f * clip)
                continue;
            for (int c = 0; c < 3 && share > .9f; c++)
                sum[c] += (double)rgb[c];
            sum[3] += share > .9f;
            float luma = .2126f * rgb[0] + .7152f * rgb[1] + .0722f * rgb[2];
            if (share > .1f || least <= 0 || luma < (clip > 0 ? .004f * clip : .002f))
                continue;
            memcpy(p->rgb[p->count], rgb, sizeof rgb);
            p->luma[p->count++] = log2f(luma);
        }
}

/* A picture that is sky all over is rather one in blue light. */
static bool all_sky(const ip_plane_f *mask) {
    double sum = 0;
    for (int y = 0; y < mask->height; y++)
        for (int x = 0; x < mask->width; x++)
            sum += (double)ip_row(mask, y)[x];
    return sum > .9 * mask->width * mask->height;
}

static ipos_status gather(const ip_image3 *pictures, size_t count, float clip, int threads, pixels *p, double sky[4]) {
    ip_plane_f mask;
    IP_TRY(ip_plane_new(pictures[0].c[0].width, pictures[0].c[0].height, &mask));
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < count && status == IPOS_OK; i++) {
        status = ip_sky_find(&pictures[i], threads, &mask);
        if (status == IPOS_OK && all_sky(&mask))
            ip_plane_fill(&mask, 0);
        if (status == IPOS_OK)
            add_pixels(&pictures[i], &mask, clip, p, sky);
    }
    ip_plane_free(&mask);
    return status;
}

static void measure(const pixels *p, float *room, const double sky[4], size_t all, ip_light_of *out) {
    double at = threshold(p), luma[2] = {0};
    size_t key = side(p, at, true, room, &luma[0], out->key), fill = side(p, at, false, room, &luma[1], out->fill);
    out->share = (double)p->count / (double)all;
    if (p->count < LEAST)
        snprintf(out->reason, sizeof out->reason, "%zu pixels that are neither sky nor black nor clipped, at least %d are needed", p->count, LEAST);
    else if (20 * IP_MIN(key, fill) < p->count)
        snprintf(out->reason, sizeof out->reason, "light and shade do not come apart: %zu and %zu pixels", key, fill);
    out->ratio = exp2(luma[0] - luma[1]);
    for (int c = 0; c < 3 && 200 * sky[3] > (double)all; c++)
        out->sky[c] = sky[c] / sky[3] / exp2(luma[0]);
}

ipos_status ip_light_of_pictures(const ip_image3 *pictures, size_t count, float clip, int threads, ip_light_of *out) {
    size_t all = count * (size_t)pictures[0].c[0].width * (size_t)pictures[0].c[0].height;
    double sky[4] = {0};
    pixels p = {ip_alloc(all * sizeof *p.rgb), ip_alloc(all * sizeof *p.luma), 0};
    float *room = ip_alloc(all * sizeof *room);
    *out = (ip_light_of){0};
    ipos_status status = p.rgb && p.luma && room ? gather(pictures, count, clip, threads, &p, sky) : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK)
        measure(&p, room, sky, all, out);
    ip_free(room);
    ip_free(p.luma);
    ip_free(p.rgb);
    return status;
}

/* The factor by which a measured change goes beyond a predicted one, as far as it is believed. */
static double beyond(double measured, double predicted, double share, double most) {
    double off = log(measured / predicted), d = share * copysign(fmax(fabs(off) - PAINT, 0), off);
    return exp(fmin(fmax(d, -most), most));
}

/* colour times factors, at the luminance it had. */
static void tint(double colour[3], const double factor[3]) {
    double was = ip_luminance(colour);
    for (int c = 0; c < 3; c++)
        colour[c] *= factor[c];
    double is = ip_luminance(colour);
    for (int c = 0; c < 3 && is > 0; c++)
        colour[c] *= was / is;
}

/* What a surface in the sun reads under a light, R,G,B over luminance. */
static void lit(const ip_daylight *light, double rgb[3]) {
    for (int c = 0; c < 3; c++)
        rgb[c] = FACING * light->sun[c] + light->ambient[c];
    double level = ip_luminance(rgb);
    for (int c = 0; c < 3; c++)
        rgb[c] /= level;
}

static double contrast(const ip_daylight *light) { return (FACING * ip_luminance(light->sun) + ip_luminance(light->ambient)) / ip_luminance(light->ambient); }

static void lead_sky(const ip_light_of *shot, const ip_light_of *reference, ip_relight_pair *pair) {
    double before[3], after[3], was[3], is[3];
    for (int c = 0; c < 3; c++)
        if (!(shot->sky[c] > 0 && reference->sky[c] > 0))
            return;
    for (int c = 0; c < 3; c++) { /* sky over what the sun lights up, before and after, at one level of that */
        was[c] = FACING * pair->old.sun[c] + pair->old.ambient[c];
        is[c] = FACING * pair->now.sun[c] + pair->now.ambient[c];
        before[c] = shot->sky[c];
        after[c] = reference->sky[c];
    }
    for (int c = 0; c < 3; c++)
        pair->sky[c] *= beyond(after[c] / before[c], pair->sky[c] * ip_luminance(was) / ip_luminance(is), SKY.share, SKY.most);
}

void ip_reference_lead(const ip_light_of *shot, const ip_light_of *reference, ip_relight_pair *pair) {
    double was[3], is[3], key[3], fill[3], old = ip_luminance(pair->old.ambient), now = ip_luminance(pair->now.ambient);
    lead_sky(shot, reference, pair);
    lit(&pair->old, was);
    lit(&pair->now, is);
    for (int c = 0; c < 3; c++) {
        key[c] = beyond(reference->key[c] / shot->key[c], is[c] / was[c], KEY.share, KEY.most);
        fill[c] = beyond(reference->fill[c] / shot->fill[c], pair->now.ambient[c] / now / (pair->old.ambient[c] / old), FILL.share, FILL.most);
    }
    double level = beyond(shot->ratio / reference->ratio, contrast(&pair->old) / contrast(&pair->now), LEVEL.share, LEVEL.most);
    tint(pair->now.sun, key);
    tint(pair->now.ambient, fill);
    for (int c = 0; c < 3; c++)
        pair->now.ambient[c] *= level;
}
