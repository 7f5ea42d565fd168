#include "charts.h"
#include "plot.h"
#include <math.h>

static const char *const INK[4] = {"#404040", "#c03030", "#2f8f3f", "#3050c0"};
enum { SAMPLES = 101 };

static void note(ip_plot *plot, const ip_reading *reading) {
    ip_plot_basis(plot, ip_measured(reading) ? NULL : reading->reason, reading->confidence, reading->frames);
}

char *ip_bloom_svg(const ip_bloom *bloom, const char *title) {
    static const char *const names[4] = {"luma", "red", "green", "blue"};
    double radius = 8., most = -12., x[SAMPLES], y[4][SAMPLES];
    for (int i = 0; i < 4; i++) {
        const ip_bloom_channel *c = i ? &bloom->channel[i - 1] : &bloom->luma;
        if (ip_measured(&c->reading))
            radius = fmax(radius, 4. * c->radius);
    }
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < SAMPLES; k++) {
            const ip_bloom_channel *c = i ? &bloom->channel[i - 1] : &bloom->luma;
            x[k] = radius * k / (SAMPLES - 1);
            y[i][k] = ip_measured(&c->reading) ? log10(fmax(1e-12, ip_bloom_at(bloom, c, x[k]))) : NAN;
            most = isfinite(y[i][k]) ? fmax(most, y[i][k]) : most;
        }
    ip_plot plot;
    ip_plot_begin(&plot, title ? title : "Bloom", (ip_plot_axis){"distance from a lamp, pixels", 0., radius},
        (ip_plot_axis){bloom->strength_known ? "light per pixel, log10" : "shape of the halo, log10", most - 4., most + .3});
    note(&plot, &bloom->luma.reading);
    for (int i = 0; i < 4; i++)
        if (ip_measured(&(i ? &bloom->channel[i - 1] : &bloom->luma)->reading))
            ip_plot_line(&plot, x, y[i], SAMPLES, INK[i], names[i]);
    return ip_plot_end(&plot);
}

char *ip_vignette_svg(const ip_vignette *vignette, const char *title) {
    double x[SAMPLES], y[SAMPLES], low = .8;
    for (int k = 0; k < SAMPLES; k++) {
        x[k] = (double)k / (SAMPLES - 1);
        y[k] = ip_vignette_gain(vignette, x[k]);
        low = ip_measured(&vignette->reading) ? fmin(low, y[k] - .05) : low;
    }
    ip_plot plot;
    ip_plot_begin(&plot, title ? title : "Vignette", (ip_plot_axis){"distance from the centre (1: corner)", 0., 1.}, (ip_plot_axis){"gain", fmax(0., low), 1.1});
    note(&plot, &vignette->reading);
    if (ip_measured(&vignette->reading))
        ip_plot_line(&plot, x, y, SAMPLES, INK[0], NULL);
    return ip_plot_end(&plot);
}

char *ip_tone_svg(const ip_tone *tone, const char *title) {
    double x[IP_TONE_LEVELS], low = fmin(0., tone->code[0]), high = fmax(1., tone->code[IP_TONE_LEVELS - 1]);
    for (int i = 0; i < IP_TONE_LEVELS; i++)
        x[i] = 100. * ip_tone_level(i);
    ip_plot plot;
    ip_plot_begin(&plot, title ? title : "Tone", (ip_plot_axis){"share of pixels below, %", 0., 100.}, (ip_plot_axis){"luma, working encoding", low, high});
    note(&plot, &tone->reading);
    if (ip_measured(&tone->reading)) {
        ip_plot_line(&plot, x, tone->code, IP_TONE_LEVELS, INK[0], NULL);
        ip_plot_points(&plot, x, tone->code, IP_TONE_LEVELS, 3., INK[0], NULL);
    }
    return ip_plot_end(&plot);
}

static void one_skin(ip_plot *plot, const ip_skin *skin, const char *name, const char *ink) {
    if (!ip_measured(&skin->reading))
        return;
    ip_plot_points(plot, &skin->u, &skin->v, 1, 3., ink, name);
    ip_plot_ellipse(plot, skin->u, skin->v, skin->cov, 1., ink, NULL);
    ip_plot_ellipse(plot, skin->u, skin->v, skin->cov, 2., ink, NULL);
}

char *ip_skin_svg(const ip_skin *skins, const char *const *names, size_t count, const char *title) {
    const double white_u = .1978, white_v = .4683; /* D65 */
    double low_u = white_u, high_u = white_u, low_v = white_v, high_v = white_v;
    for (size_t i = 0; i < count; i++) {
        double du = 2.5 * sqrt(fmax(0., skins[i].cov[0])), dv = 2.5 * sqrt(fmax(0., skins[i].cov[2]));
        if (!ip_measured(&skins[i].reading))
            continue;
        low_u = fmin(low_u, skins[i].u - du), high_u = fmax(high_u, skins[i].u + du);
        low_v = fmin(low_v, skins[i].v - dv), high_v = fmax(high_v, skins[i].v + dv);
    }
    ip_plot plot;
    ip_plot_begin(&plot, title ? title : "Skin", (ip_plot_axis){"u'", low_u - .01, high_u + .01}, (ip_plot_axis){"v'", low_v - .01, high_v + .01});
    if (count == 1)
        note(&plot, &skins[0].reading);
    ip_plot_points(&plot, &white_u, &white_v, 1, 3., "#909090", "white (D65)");
    for (size_t i = 0; i < count; i++)
        one_skin(&plot, &skins[i], names ? names[i] : NULL, INK[1 + i % 3]);
    return ip_plot_end(&plot);
}

char *ip_white_svg(const ip_white *white, const char *title) {
    const double *const paths[3] = {white->red_path, white->exposure_path, white->blue_path};
    static const char *const names[3] = {"R/G", "exposure", "B/G"};
    double y[3][IP_WHITE_POINTS], most = 2.;
    size_t n = (size_t)white->points;
    for (int i = 0; i < 3; i++)
        for (size_t k = 0; k < n; k++) {
            y[i][k] = 100. * (exp(paths[i][k]) - 1.);
            most = fmax(most, 1.1 * fabs(y[i][k]));
        }
    ip_plot plot;
    ip_plot_begin(&plot, title ? title : "White balance", (ip_plot_axis){"frame", n ? white->time[0] : 0., n ? white->time[n - 1] : 1.},
        (ip_plot_axis){"change, %", -most, most});
    note(&plot, &white->drift);
    for (int i = 0; i < 3 && ip_measured(&white->drift); i++)
        ip_plot_line(&plot, white->time, y[i], n, i == 1 ? INK[0] : INK[1 + i], names[i]);
    return ip_plot_end(&plot);
}

char *ip_sharp_svg(const ip_sharp *sharp, const char *title) {
    double x[IP_SHARP_FREQUENCIES];
    for (int i = 0; i < IP_SHARP_FREQUENCIES; i++)
        x[i] = .5 * i / (IP_SHARP_FREQUENCIES - 1);
    ip_plot plot;
    ip_plot_begin(&plot, title ? title : "Sharpness", (ip_plot_axis){"cycles a pixel", 0., .5}, (ip_plot_axis){"modulation", 0., 1.2 + sharp->overshoot});
    note(&plot, &sharp->reading);
    if (ip_measured(&sharp->reading))
        ip_plot_line(&plot, x, sharp->curve, IP_SHARP_FREQUENCIES, INK[0], NULL);
    return ip_plot_end(&plot);
}
