#include "difference.h"
#include <math.h>

static const double PI = 3.14159265358979323846;

static double bent(double t) { return t > 216. / 24389. ? cbrt(t) : (24389. / 27. * t + 16.) / 116.; }

void ip_lab(const double rgb[3], double lab[3]) {
    double x = .4124564 * rgb[0] + .3575761 * rgb[1] + .1804375 * rgb[2], y = .2126729 * rgb[0] + .7151522 * rgb[1] + .0721750 * rgb[2],
           z = .0193339 * rgb[0] + .1191920 * rgb[1] + .9503041 * rgb[2];
    double fx = bent(x / .95047), fy = bent(y), fz = bent(z / 1.08883);
    lab[0] = 116. * fy - 16.;
    lab[1] = 500. * (fx - fy);
    lab[2] = 200. * (fy - fz);
}

static double hue(double a, double b) {
    double h = a == 0. && b == 0. ? 0. : atan2(b, a);
    return h < 0. ? h + 2. * PI : h;
}

/* sqrt(c^7 / (c^7 + 25^7)) */
static double saturating(double chroma) {
    double c7 = pow(chroma, 7.);
    return sqrt(c7 / (c7 + 6103515625.));
}

double ip_ciede2000(const double a[3], const double b[3]) {
    double stretch = 1. + .5 * (1. - saturating(.5 * (hypot(a[1], a[2]) + hypot(b[1], b[2]))));
    double a1 = stretch * a[1], a2 = stretch * b[1], c1 = hypot(a1, a[2]), c2 = hypot(a2, b[2]);
    double h1 = hue(a1, a[2]), h2 = hue(a2, b[2]), dh = h2 - h1, hm = h1 + h2;
    if (c1 * c2 == 0.) {
        dh = 0.;
    } else if (fabs(h2 - h1) <= PI) {
        hm *= .5;
    } else {
        dh += dh > 0. ? -2. * PI : 2. * PI;
        hm = .5 * (hm < 2. * PI ? hm + 2. * PI : hm - 2. * PI);
    }
    double lm = .5 * (a[0] + b[0]) - 50., cm = .5 * (c1 + c2), degrees = hm * 180. / PI;
    double t = 1. - .17 * cos(hm - PI / 6.) + .24 * cos(2. * hm) + .32 * cos(3. * hm + PI / 30.) - .2 * cos(4. * hm - 63. * PI / 180.);
    double turn = (degrees - 275.) / 25., theta = PI / 3. * exp(-turn * turn);
    double l = (b[0] - a[0]) / (1. + .015 * lm * lm / sqrt(20. + lm * lm)), c = (c2 - c1) / (1. + .045 * cm);
    double h = 2. * sqrt(c1 * c2) * sin(.5 * dh) / (1. + .015 * cm * t);
    return sqrt(fmax(0., l * l + c * c + h * h - sin(theta) * 2. * saturating(cm) * c * h));
}
