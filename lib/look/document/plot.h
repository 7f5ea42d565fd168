/* Small plots as SVG 1.1: one picture, two axes, lines, points, ellipses and words. Nothing is drawn outside the axes. */
#ifndef IP_LOOK_PLOT_H
#define IP_LOOK_PLOT_H

#include "core.h"

typedef struct ip_plot_axis {
    const char *label; /* UTF-8; what is not is shown as '?' */
    double low, high;  /* low < high, finite; else the axis becomes 0..1 */
} ip_plot_axis;

typedef struct ip_plot { /* made by begin; failed memory is sticky and told by end */
    ip_buffer svg, legend;
    ip_plot_axis x, y;
    int names;
} ip_plot;

/* 640 x 400 units, with ticks at round numbers (1, 2 or 5 times a power of ten). */
void ip_plot_begin(ip_plot *plot, const char *title, ip_plot_axis x, ip_plot_axis y);
/* Values that are not finite break the line. colour: as SVG has it, "#c03030"; name: for the legend, NULL: none. */
void ip_plot_line(ip_plot *plot, const double *x, const double *y, size_t count, const char *colour, const char *name);
void ip_plot_points(ip_plot *plot, const double *x, const double *y, size_t count, double size, const char *colour, const char *name);
/* Outline of `sigmas` standard deviations of a Gaussian: covariance xx, xy, yy. */
void ip_plot_ellipse(ip_plot *plot, double x, double y, const double cov[3], double sigmas, const char *colour, const char *name);
void ip_plot_text(ip_plot *plot, double x, double y, const char *text); /* begins at a place of the axes */
void ip_plot_note(ip_plot *plot, const char *text);                    /* below the title, in two lines where it is long */
/* The note of a measurement: what it rests on, or the reason why there is none (NULL: there is one). */
void ip_plot_basis(ip_plot *plot, const char *reason, double confidence, int64_t frames);
/* The whole document, NUL-terminated; the caller frees it with ip_free. NULL: out of memory, the error text is set. */
char *ip_plot_end(ip_plot *plot);

#endif
