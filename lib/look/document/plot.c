#include "plot.h"
#include "text.h"
#include <math.h>
#include <string.h>

enum { WIDTH = 640, HEIGHT = 400, LEFT = 72, RIGHT = 20, TOP = 52, BOTTOM = 52, TICKS = 7, LINE = 17, LEGEND = 120 };

/* Text as XML 1.0 allows it. */
static void add_text(ip_buffer *out, const char *text) {
    char *copy = ip_strdup(text ? text : "");
    if (!copy) {
        out->failed = true;
        return;
    }
    ip_utf8_mend(copy, strlen(copy));
    for (const char *p = copy; *p; p++) {
        const char *name = *p == '&' ? "&amp;" : *p == '<' ? "&lt;" : *p == '>' ? "&gt;" : *p == '"' ? "&quot;" : *p == '\'' ? "&#39;" : NULL;
        if (name)
            ip_buffer_add(out, name, strlen(name));
        else if ((unsigned char)*p >= 32 || *p == '\t' || *p == '\n')
            ip_buffer_add(out, p, 1);
        else
            ip_buffer_add(out, "?", 1);
    }
    ip_free(copy);
}

static void add_words(ip_buffer *out, double x, double y, const char *style, const char *text) {
    ip_buffer_printf(out, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, style);
    add_text(out, text);
    ip_buffer_printf(out, "</text>\n");
}

static double at_x(const ip_plot *plot, double x) { return LEFT + (x - plot->x.low) / (plot->x.high - plot->x.low) * (WIDTH - LEFT - RIGHT); }
static double at_y(const ip_plot *plot, double y) {
    return HEIGHT - BOTTOM - (y - plot->y.low) / (plot->y.high - plot->y.low) * (HEIGHT - TOP - BOTTOM);
}

/* The least of 1, 2, 5 times a power of ten that gives at most TICKS steps. */
static double round_step(double range) {
    double power = pow(10., floor(log10(range / TICKS))), part = range / TICKS / power;
    return power * (part <= 1. ? 1. : part <= 2. ? 2. : part <= 5. ? 5. : 10.);
}

static void ticks(ip_plot *plot, bool across) {
    const ip_plot_axis *axis = across ? &plot->x : &plot->y;
    double step = round_step(axis->high - axis->low);
    for (double i = ceil(axis->low / step - 1e-6); i * step <= axis->high + 1e-6 * step; i += 1.) {
        double value = i * step, px = across ? at_x(plot, value) : LEFT, py = across ? HEIGHT - BOTTOM : at_y(plot, value);
        ip_buffer_printf(&plot->svg, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#e2e2e2\"/>\n", px, py,
            across ? px : (double)(WIDTH - RIGHT), across ? (double)TOP : py);
        ip_buffer_printf(&plot->svg, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%.6g</text>\n", across ? px : px - 6., across ? py + 16. : py + 4.,
            across ? "middle" : "end", fabs(value) < 1e-9 * step ? 0. : value);
    }
}

static ip_plot_axis usable(ip_plot_axis axis) {
    bool good = isfinite(axis.low) && isfinite(axis.high) && axis.high > axis.low && axis.high - axis.low > 1e-12 * fabs(axis.high);
    return good ? axis : (ip_plot_axis){axis.label, 0., 1.};
}

void ip_plot_begin(ip_plot *plot, const char *title, ip_plot_axis x, ip_plot_axis y) {
    *plot = (ip_plot){.x = usable(x), .y = usable(y)};
    ip_buffer_printf(&plot->svg, "<defs><clipPath id=\"axes\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/></clipPath></defs>\n", LEFT, TOP,
        WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
    ticks(plot, true);
    ticks(plot, false);
    ip_buffer_printf(&plot->svg, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"#808080\"/>\n", LEFT, TOP,
        WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
    add_words(&plot->svg, LEFT, 22, "font-size=\"15\" font-weight=\"bold\"", title);
    add_words(&plot->svg, (LEFT + WIDTH - RIGHT) / 2., HEIGHT - 14, "text-anchor=\"middle\"", x.label);
    ip_buffer_printf(&plot->svg, "<g transform=\"translate(18 %.1f) rotate(-90)\">", (TOP + HEIGHT - BOTTOM) / 2.);
    add_words(&plot->svg, 0, 0, "text-anchor=\"middle\"", y.label);
    ip_buffer_printf(&plot->svg, "</g>\n");
}

/* Beside the axes, where it hides no line. */
static void legend(ip_plot *plot, const char *colour, const char *name) {
    if (!name)
        return;
    double y = TOP + LINE * (1. + plot->names++);
    ip_buffer_printf(&plot->legend, "<rect x=\"%d\" y=\"%.1f\" width=\"14\" height=\"4\" fill=\"", WIDTH - 4, y - 6.);
    add_text(&plot->legend, colour);
    ip_buffer_printf(&plot->legend, "\"/>\n");
    add_words(&plot->legend, WIDTH + 16, y, "", name);
}

static double bounded(double v) { return fmin(1e5, fmax(-1e5, v)); }

static void begin_shape(ip_plot *plot, const char *what, const char *colour) {
    ip_buffer_printf(&plot->svg, "<%s clip-path=\"url(#axes)\" fill=\"none\" stroke-width=\"1.8\" stroke=\"", what);
    add_text(&plot->svg, colour);
    ip_buffer_printf(&plot->svg, "\" ");
}

void ip_plot_line(ip_plot *plot, const double *x, const double *y, size_t count, const char *colour, const char *name) {
    bool open = false;
    for (size_t i = 0; i <= count; i++) {
        bool there = i < count && isfinite(x[i]) && isfinite(y[i]);
        if (there && !open) {
            begin_shape(plot, "polyline", colour);
            ip_buffer_printf(&plot->svg, "points=\"");
        }
        if (there)
            ip_buffer_printf(&plot->svg, "%.2f,%.2f ", bounded(at_x(plot, x[i])), bounded(at_y(plot, y[i])));
        else if (open)
            ip_buffer_printf(&plot->svg, "\"/>\n");
        open = there;
    }
    legend(plot, colour, name);
}

void ip_plot_points(ip_plot *plot, const double *x, const double *y, size_t count, double size, const char *colour, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(x[i]) || !isfinite(y[i]))
            continue;
        begin_shape(plot, "circle", colour);
        ip_buffer_printf(&plot->svg, "cx=\"%.2f\" cy=\"%.2f\" r=\"%.2f\"/>\n", bounded(at_x(plot, x[i])), bounded(at_y(plot, y[i])), size);
    }
    legend(plot, colour, name);
}

void ip_plot_ellipse(ip_plot *plot, double x, double y, const double cov[3], double sigmas, const char *colour, const char *name) {
    enum { CORNERS = 72 };
    double px[CORNERS + 1], py[CORNERS + 1];
    /* covariance = L L', L lower triangular: L times a circle is the ellipse */
    double a = sqrt(fmax(0., cov[0])), b = a > 0. ? cov[1] / a : 0., c = sqrt(fmax(0., cov[2] - b * b));
    for (int i = 0; i <= CORNERS; i++) {
        double angle = 2. * M_PI * i / CORNERS, u = sigmas * cos(angle), v = sigmas * sin(angle);
        px[i] = x + a * u;
        py[i] = y + b * u + c * v;
    }
    ip_plot_line(plot, px, py, CORNERS + 1, colour, name);
}

void ip_plot_text(ip_plot *plot, double x, double y, const char *text) {
    if (isfinite(x) && isfinite(y))
        add_words(&plot->svg, bounded(at_x(plot, x)), bounded(at_y(plot, y)), "", text);
}

void ip_plot_note(ip_plot *plot, const char *text) {
    enum { FITS = 84, FITS_SMALL = 108 }; /* characters between the axes' ends */
    size_t size = strlen(text), cut = FITS_SMALL;
    char first[FITS_SMALL + 1];
    if (size <= FITS) {
        add_words(&plot->svg, LEFT, 42, "fill=\"#606060\"", text);
        return;
    }
    if (size <= FITS_SMALL) {
        add_words(&plot->svg, LEFT, 42, "fill=\"#606060\" font-size=\"10\"", text);
        return;
    }
    while (cut > FITS_SMALL / 2 && text[cut] != ' ')
        cut--;
    memcpy(first, text, cut);
    first[cut] = 0;
    add_words(&plot->svg, LEFT, 36, "fill=\"#606060\" font-size=\"10\"", first);
    add_words(&plot->svg, LEFT, 48, "fill=\"#606060\" font-size=\"10\"", text + cut + (text[cut] == ' '));
}

void ip_plot_basis(ip_plot *plot, const char *reason, double confidence, int64_t frames) {
    char text[240];
    if (reason)
        snprintf(text, sizeof text, "not measurable here: %s", reason);
    else
        snprintf(text, sizeof text, "confidence %d %%, %lld frames", (int)(100. * confidence + .5), (long long)frames);
    ip_plot_note(plot, text);
}

char *ip_plot_end(ip_plot *plot) {
    const int width = WIDTH + (plot->names > 0 ? LEGEND : 0);
    ip_buffer whole = {0};
    ip_buffer_printf(&whole,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%d\" height=\"%d\" "
        "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#303030\">\n<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n",
        width, HEIGHT, width, HEIGHT, width, HEIGHT);
    whole.failed = whole.failed || plot->svg.failed || plot->legend.failed;
    ip_buffer_add(&whole, plot->svg.data, plot->svg.size);
    ip_buffer_add(&whole, plot->legend.data, plot->legend.size);
    ip_buffer_printf(&whole, "</svg>\n");
    ip_buffer_free(&plot->svg);
    ip_buffer_free(&plot->legend);
    char *text = ip_buffer_take(&whole);
    if (!text)
        ip_fail(IPOS_ERR_NO_MEMORY, "plot: no memory");
    return text;
}
