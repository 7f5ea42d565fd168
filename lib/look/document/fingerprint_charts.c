#include "fingerprint_charts.h"
#include "plot.h"
#include <math.h>

char *ip_grain_svg(const ip_grain *grain, const char *title) {
    static const char *const names[3] = {"red", "green", "blue"}, *const inks[3] = {"#c03030", "#2f8f3f", "#3050c0"};
    double x[IP_GRAIN_BINS], y[3][IP_GRAIN_BINS], dots[3][IP_GRAIN_BINS], most = 0.;
    for (int b = 0; grain->measurable && b < IP_GRAIN_BINS; b++) {
        x[b] = (double)grain->bins[b].level;
        for (int c = 0; c < 3; c++) {
            y[c][b] = 100. * sqrt(fmax(0., (double)grain->bins[b].variance[c]));
            dots[c][b] = grain->bins[b].confidence > 0.f ? y[c][b] : NAN;
            most = fmax(most, y[c][b]);
        }
    }
    ip_plot plot;
    ip_plot_begin(&plot, title ? title : "Grain", (ip_plot_axis){"luma, working encoding", 0., 1.},
        (ip_plot_axis){"standard deviation, %", 0., most > 0. ? 1.15 * most : 1.});
    ip_plot_basis(&plot, grain->measurable ? NULL : grain->reason, (double)grain->confidence, grain->frames);
    for (int c = 0; grain->measurable && c < 3; c++) {
        ip_plot_line(&plot, x, y[c], IP_GRAIN_BINS, inks[c], names[c]);
        ip_plot_points(&plot, x, dots[c], IP_GRAIN_BINS, 3., inks[c], NULL);
    }
    return ip_plot_end(&plot);
}

char *ip_flicker_svg(const ip_flicker *flicker, const char *title) {
    double x[IP_FLICKER_STEPS], y[IP_FLICKER_STEPS], most = 1.;
    size_t n = (size_t)flicker->steps;
    for (size_t i = 0; i < n; i++) {
        x[i] = (double)i;
        y[i] = 100. * (exp(flicker->gain[i]) - 1.);
        most = fmax(most, 1.1 * fabs(y[i]));
    }
    ip_plot plot;
    ip_plot_begin(&plot, title ? title : "Flicker", (ip_plot_axis){"step from frame to frame", 0., n > 1 ? (double)(n - 1) : 1.},
        (ip_plot_axis){"gain, %", -most, most});
    ip_plot_basis(&plot, ip_measured(&flicker->reading) ? NULL : flicker->reading.reason, flicker->reading.confidence, flicker->reading.frames);
    if (ip_measured(&flicker->reading) && n > 1)
        ip_plot_line(&plot, x, y, n, "#404040", NULL);
    return ip_plot_end(&plot);
}
