#include "colour_figures.h"
#include "fit.h"
#include "shot_view.h"
#include <math.h>
#include <stdlib.h>

enum { AXES = 3, THIRDS = 3, USABLE_LEAST = 50, GREY_SHARE = 5, GREY_LEAST = 10 };
static const double LUMA_AT[] = {.02, .1, .25, .5, .75, .9, .98};
static const float LOW = .013f, HIGH = .987f;

typedef struct colour {
    float axis[AXES]; /* log of linear: mean of channels, red over green, blue over green */
    float luma, chroma, off_grey;
} colour;

typedef struct scratch {
    colour *usable;
    size_t count;
    float *value;
} scratch;

static colour colour_of(const ip_encoding *encoding, const float code[3]) {
    float l[3];
    for (int c = 0; c < 3; c++)
        l[c] = logf(fmaxf(1e-6f, ip_look_linear(encoding, code[c])));
    colour out = {.axis = {(l[0] + l[1] + l[2]) / 3.f, l[0] - l[1], l[2] - l[1]}, .luma = ip_luma_of(code[0], code[1], code[2])};
    out.chroma = .5f * (fabsf(code[0] - code[1]) + fabsf(code[2] - code[1]));
    out.off_grey = hypotf(out.axis[1], out.axis[2]);
    return out;
}

/* Those neither in the noise of the blacks nor clipped; where nearly all are, all, drawn to that range. */
static void take_usable(const ip_look_source *source, const float (*code)[3], size_t count, scratch *s) {
    for (size_t i = 0; i < count; i++)
        if (ip_shot_usable(source, code[i]))
            s->usable[s->count++] = colour_of(source->encoding, code[i]);
    if (s->count >= USABLE_LEAST)
        return;
    s->count = 0;
    for (size_t i = 0; i < count; i++) {
        float drawn[3];
        for (int c = 0; c < 3; c++)
            drawn[c] = fminf(HIGH, fmaxf(LOW, code[i][c]));
        s->usable[s->count++] = colour_of(source->encoding, drawn);
    }
}

static int by_luma(const void *a, const void *b) {
    const colour *x = a, *y = b;
    return (x->luma > y->luma) - (x->luma < y->luma);
}

static int by_grey(const void *a, const void *b) {
    const colour *x = a, *y = b;
    return (x->off_grey > y->off_grey) - (x->off_grey < y->off_grey);
}

static double mean_of(const colour *from, size_t count, int axis) {
    double sum = 0.;
    for (size_t i = 0; i < count; i++)
        sum += from[i].axis[axis];
    return count ? sum / (double)count : 0.;
}

static double *of_all(scratch *s, double *out) {
    double chroma = 0.;
    for (int k = 0; k < AXES; k++)
        *out++ = mean_of(s->usable, s->count, k);
    for (int k = 0; k < AXES; k++) {
        double spread = 0.;
        for (size_t i = 0; i < s->count; i++) {
            s->value[i] = s->usable[i].axis[k];
            spread += pow(s->usable[i].axis[k] - (out - AXES)[0], 2.);
        }
        out[AXES] = log(sqrt(spread / (double)s->count) + .02);
        *out++ = ip_quantile(s->value, s->count, .5);
    }
    out += AXES;
    for (size_t i = 0; i < s->count; i++)
        chroma += s->usable[i].chroma / (double)s->count;
    *out++ = log(chroma + .005);
    return out;
}

static double *by_part(scratch *s, double *out) {
    qsort(s->usable, s->count, sizeof *s->usable, by_luma);
    for (int t = 0; t < THIRDS; t++) {
        size_t begin = s->count * (size_t)t / THIRDS, end = s->count * (size_t)(t + 1) / THIRDS;
        for (int k = 1; k < AXES; k++)
            *out++ = mean_of(s->usable + begin, end - begin, k);
    }
    qsort(s->usable, s->count, sizeof *s->usable, by_grey);
    for (int k = 1; k < AXES; k++)
        *out++ = mean_of(s->usable, IP_MIN(s->count, IP_MAX((size_t)GREY_LEAST, s->count / GREY_SHARE)), k);
    return out;
}

/* Of all colours, usable or not. */
static double *of_ends(const ip_look_source *source, const float (*code)[3], size_t count, float *value, double *out) {
    size_t ended = 0;
    const float end = source->clip > 0.f ? .985f * ip_look_code(source, source->clip) : INFINITY;
    for (size_t i = 0; i < count; i++) {
        value[i] = ip_luma_of(code[i][0], code[i][1], code[i][2]);
        ended += fmaxf(code[i][0], fmaxf(code[i][1], code[i][2])) > end;
    }
    for (size_t q = 0; q < IP_COUNT(LUMA_AT); q++)
        *out++ = ip_quantile(value, count, LUMA_AT[q]);
    for (int c = 0; c < 3; c++) {
        for (size_t i = 0; i < count; i++)
            value[i] = code[i][c];
        *out++ = ip_quantile(value, count, .98);
        *out++ = ip_quantile(value, count, .02);
    }
    *out++ = (double)ended / (double)count;
    return out;
}

ipos_status ip_colour_figures(const ip_look_source *source, const float (*code)[3], size_t count, double out[IP_COLOUR_FIGURES]) {
    scratch s = {.usable = ip_calloc(count, sizeof *s.usable), .value = ip_calloc(count, sizeof *s.value)};
    ipos_status status = s.usable && s.value ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK) {
        take_usable(source, code, count, &s);
        out = of_all(&s, out);
        out = by_part(&s, out);
        of_ends(source, code, count, s.value, out);
    }
    ip_free(s.usable);
    ip_free(s.value);
    return status;
}
