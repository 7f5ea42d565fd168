#include "colorimetry.h"

/* To CIE XYZ: IEC 61966-2-1; SMPTE ST 2065-1; Academy S-2014-004. */
static const double REC709[9] = {.4123908, .3575843, .1804808, .2126390, .7151687, .0721923, .0193308, .1191948, .9505322};
static const double AP0[9] = {.9525523959, 0., .0000936786, .3439664498, .7281660966, -.0721325464, 0., 0., 1.0088251844};
static const double AP1[9] = {.6624541811, .1340042065, .1561876870, .2722287168, .6740817658, .0536895174, -.0055746495, .0040607335, 1.0103391003};

static const double *matrix_of(const ip_encoding *encoding) {
    if (strcmp(encoding->name, "acescg") == 0 || strcmp(encoding->name, "acescct") == 0)
        return AP1;
    return strcmp(encoding->name, "aces2065-1") == 0 ? AP0 : REC709;
}

static bool project(const double *m, const double rgb[3], double *u, double *v) {
    double x = m[0] * rgb[0] + m[1] * rgb[1] + m[2] * rgb[2], y = m[3] * rgb[0] + m[4] * rgb[1] + m[5] * rgb[2];
    double z = m[6] * rgb[0] + m[7] * rgb[1] + m[8] * rgb[2], sum = x + 15. * y + 3. * z;
    if (!(sum > 1e-9))
        return false;
    *u = 4. * x / sum;
    *v = 9. * y / sum;
    return true;
}

void ip_chromaticity(const ip_encoding *encoding, const double rgb[3], double *u, double *v) {
    static const double grey[3] = {1., 1., 1.};
    const double *m = matrix_of(encoding);
    if (!project(m, rgb, u, v))
        project(m, grey, u, v);
}
