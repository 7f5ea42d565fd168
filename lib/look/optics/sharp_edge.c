#include "sharp_edge.h"
#include <math.h>

enum { REACH = 8, OVER = 4, BINS = 2 * REACH * OVER };
static const double COHERENT = .92, LINE_MOST = .25, PLATEAU_MOST = .08;
static const double FALLEN = .85, RISE_MOST = .08;
static const double DETOUR_MOST = 1.6; /* total variation over height: halos of sharpening pass, a line beside the edge does not */

bool ip_edge_look(const ip_plane_f *gx, const ip_plane_f *gy, ip_edge_place *c) {
    double xx = 0., xy = 0., yy = 0.;
    for (int y = c->y - IP_EDGE_HALF; y <= c->y + IP_EDGE_HALF; y++)
        for (int x = c->x - IP_EDGE_HALF; x <= c->x + IP_EDGE_HALF; x++) {
            double a = ip_row(gx, y)[x], b = ip_row(gy, y)[x];
            xx += a * a;
            xy += a * b;
            yy += b * b;
        }
    double apart = hypot(xx - yy, 2. * xy), angle = .5 * atan2(2. * xy, xx - yy);
    c->energy = xx + yy;
    c->nx = cos(angle);
    c->ny = sin(angle);
    return c->energy > 0. && apart > COHERENT * c->energy;
}

/* Centroid of the derivative along line i of the window (a row where the edge stands, a column where it lies), near the expected place. */
static bool centroid(const ip_plane_f *plane, const ip_edge_place *c, bool standing, int i, double expected, double *at) {
    double sum = 0., moment = 0., sign = 0.;
    for (int pass = 0; pass < 2; pass++) {
        for (int j = (int)floor(expected - 6.); j <= (int)ceil(expected + 6.); j++) {
            if (j < -IP_EDGE_HALF || j > IP_EDGE_HALF)
                continue;
            int x = standing ? c->x + j : c->x + i, y = standing ? c->y + i : c->y + j;
            int dx = standing ? 1 : 0, dy = standing ? 0 : 1;
            double d = .5 * (ip_row(plane, y + dy)[x + dx] - ip_row(plane, y - dy)[x - dx]);
            if (pass == 0)
                sign += d;
            else if (d * sign > 0.) {
                sum += fabs(d);
                moment += fabs(d) * j;
            }
        }
    }
    *at = sum > 0. ? moment / sum : 0.;
    return sum > 0.;
}

/* The line at = first + slope * i through the centroids, twice; false where it is not straight, or shows too few phases of the grid. */
static bool fit_line(const ip_plane_f *plane, const ip_edge_place *c, bool standing, double *first, double *slope) {
    *slope = standing ? -c->ny / c->nx : -c->nx / c->ny;
    *first = 0.;
    double left = 0.;
    for (int round = 0; round < 3; round++) {
        double n = 0., s = 0., si = 0., sii = 0., sa = 0., saa = 0., sia = 0.;
        for (int i = -IP_EDGE_HALF + 1; i < IP_EDGE_HALF; i++) {
            double at;
            if (!centroid(plane, c, standing, i, *first + *slope * i, &at))
                return false;
            n += 1., si += i, sii += (double)i * i, sa += at, saa += at * at, sia += i * at;
        }
        s = n * sii - si * si;
        *slope = (n * sia - si * sa) / s;
        *first = (sa - *slope * si) / n;
        left = saa - *first * sa - *slope * sia;
        left = sqrt(fmax(0., left) / n);
    }
    double reach = fabs(*slope) * 2. * (IP_EDGE_HALF - 1);
    return left < LINE_MOST && reach >= 1. && fabs(*first) < 3. && fabs(fabs(*slope) - 1.) > .03;
}

/* The profile across the edge in bins of a quarter pixel; false where one is empty. */
static bool profile(const ip_plane_f *plane, const ip_edge_place *c, bool standing, double first, double slope, double out[BINS]) {
    double sum[BINS] = {0}, count[BINS] = {0}, unit = 1. / sqrt(1. + slope * slope);
    for (int y = -IP_EDGE_HALF; y <= IP_EDGE_HALF; y++)
        for (int x = -IP_EDGE_HALF; x <= IP_EDGE_HALF; x++) {
            double along = standing ? y : x, across = standing ? x : y, distance = (across - first - slope * along) * unit;
            int bin = (int)floor((distance + REACH) * OVER);
            if (bin < 0 || bin >= BINS)
                continue;
            sum[bin] += ip_row(plane, c->y + y)[c->x + x];
            count[bin] += 1.;
        }
    for (int i = 0; i < BINS; i++) {
        if (count[i] < 1.)
            return false;
        out[i] = sum[i] / count[i];
    }
    return true;
}

/* Both sides flat and apart: nothing else in the window. */
static bool isolated(const double esf[BINS], double least) {
    enum { SIDE = BINS / 8 };
    double mean[2] = {0}, square[2] = {0};
    for (int i = 0; i < SIDE; i++)
        for (int side = 0; side < 2; side++) {
            double v = esf[side ? BINS - 1 - i : i];
            mean[side] += v / SIDE;
            square[side] += v * v / SIDE;
        }
    double height = fabs(mean[1] - mean[0]);
    for (int side = 0; side < 2; side++)
        if (sqrt(fmax(0., square[side] - mean[side] * mean[side])) > PLATEAU_MOST * height)
            return false;
    return height > least;
}

static double modulation(const double lsf[BINS], double frequency) {
    double re = 0., im = 0., dc = 0.;
    for (int i = 0; i < BINS; i++) {
        double phase = 2. * M_PI * frequency * i / OVER;
        re += lsf[i] * cos(phase);
        im += lsf[i] * sin(phase);
        dc += lsf[i];
    }
    double u = M_PI * frequency / OVER, loss = frequency > 0. ? sin(u) / u : 1.;
    return dc != 0. ? hypot(re, im) / fabs(dc) / (loss * loss) : 0.;
}

/* Whether the profile goes from one side to the other without much ado. */
static bool single(const double esf[BINS]) {
    double way = 0.;
    for (int i = 2; i < BINS; i += 2) /* pairs of bins, against noise */
        way += .5 * fabs(esf[i] + esf[i + 1] - esf[i - 2] - esf[i - 1]);
    return way < DETOUR_MOST * fabs(esf[BINS - 1] - esf[0]);
}

/* Derivative of the profile about its centroid, tapered over the outer 40 %. ISO 12233's Hamming window narrows wide profiles: 14 % at a blur
 * of 2 pixels. */
static void spread_function(const double esf[BINS], double lsf[BINS]) {
    double sum = 0., moment = 0.;
    lsf[0] = 0.;
    for (int i = 1; i < BINS; i++) {
        lsf[i] = esf[i] - esf[i - 1];
        sum += fabs(lsf[i]);
        moment += fabs(lsf[i]) * i;
    }
    double middle = sum > 0. ? moment / sum : BINS / 2.;
    for (int i = 0; i < BINS; i++) {
        double t = (fabs(i - middle) / (BINS / 2.) - .6) / .4;
        lsf[i] *= t <= 0. ? 1. : t < 1. ? .5 + .5 * cos(M_PI * t) : 0.;
    }
}

/* Whether the modulation, once it has fallen, stays low until it is a half: two edges in one window beat against each other. */
static bool falls(const ip_edge *e) {
    double lowest = 1.;
    for (int i = 0; i < IP_SHARP_FREQUENCIES && .5 * i / (IP_SHARP_FREQUENCIES - 1) <= e->mtf50; i++) {
        lowest = fmin(lowest, e->curve[i]);
        if (lowest < FALLEN && e->curve[i] > lowest + RISE_MOST)
            return false;
    }
    return true;
}

bool ip_edge_measure(const ip_plane_f *plane, const ip_edge_place *c, double least, ip_edge *out) {
    bool standing = fabs(c->nx) > fabs(c->ny);
    double first, slope, esf[BINS], lsf[BINS];
    if (!fit_line(plane, c, standing, &first, &slope) || !profile(plane, c, standing, first, slope, esf) || !isolated(esf, least) || !single(esf))
        return false;
    spread_function(esf, lsf);
    for (int i = 0; i < IP_SHARP_FREQUENCIES; i++)
        out->curve[i] = modulation(lsf, .5 * i / (IP_SHARP_FREQUENCIES - 1));
    double before = 1.;
    for (double f = .005; f <= 1.; f += .005) {
        double now = modulation(lsf, f);
        if (now < .5) {
            out->mtf50 = f - .005 * (.5 - now) / (before - now);
            return falls(out);
        }
        before = now;
    }
    return false;
}
