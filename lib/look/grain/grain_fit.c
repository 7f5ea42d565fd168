/* Robust straight lines. */
#include "fit.h"
#include "grain_internal.h"
#include <math.h>

enum { ROUNDS = 15, FEWEST = 6 };
/* In standard deviations: mean squares of grain are skewed, and a narrower biweight would take their upper tail for outliers. */
static const double BIWEIGHT = 6.;

float ip_grain_quantile(float *values, size_t n, double q) {
    return n > 0 ? ip_select(values, n, (size_t)(q * (double)(n - 1) + .5)) : 0.f;
}

typedef struct sums {
    double w, x, y, xx, xy;
} sums;

/* spread: of the residuals before, for the weight of the prior. error comes without the spread's factor. */
static void solve(const sums *s, double narrow, const ip_grain_prior *prior, double spread, ip_grain_line *out) {
    double mx = s->x / s->w, my = s->y / s->w, sxx = s->xx - s->w * mx * mx, sxy = s->xy - s->w * mx * my;
    double belief = prior ? spread * spread / (prior->deviation * prior->deviation) : 0.;
    bool sloped = sxx + belief > narrow * s->w;
    out->slope = sloped ? (sxy + belief * (prior ? prior->slope : 0.)) / (sxx + belief) : 0.;
    out->intercept = my - out->slope * mx;
    out->error = sqrt(1. / s->w + (sloped ? mx * mx / (sxx + belief) : 0.));
    out->weight = s->w;
}

static double spread_about(const float *x, const float *y, size_t n, const ip_grain_line *line, float *scratch) {
    for (size_t i = 0; i < n; i++)
        scratch[i] = (float)fabs(y[i] - line->intercept - line->slope * x[i]);
    return 1.4826 * ip_grain_quantile(scratch, n, .5);
}

/* Begins at the median with no slope: a least-squares start follows outliers at large gradients. */
bool ip_grain_line_fit(const float *x, const float *y, size_t n, const ip_grain_prior *prior, float *scratch, ip_grain_line *out) {
    *out = (ip_grain_line){0};
    if (n < FEWEST)
        return false;
    memcpy(scratch, y, n * sizeof *y);
    out->intercept = ip_grain_quantile(scratch, n, .5);
    double top = 0.;
    for (size_t i = 0; i < n; i++)
        top = fmax(top, fabs(x[i]));
    for (int round = 0; round < ROUNDS; round++) {
        out->spread = spread_about(x, y, n, out, scratch);
        if (!(out->spread > 0.))
            break;
        sums s = {0};
        for (size_t i = 0; i < n; i++) {
            double r = (y[i] - out->intercept - out->slope * x[i]) / (BIWEIGHT * out->spread);
            double w = fabs(r) < 1. ? (1. - r * r) * (1. - r * r) : 0.;
            s.w += w;
            s.x += w * x[i];
            s.y += w * y[i];
            s.xx += w * (double)x[i] * x[i];
            s.xy += w * (double)x[i] * y[i];
        }
        if (!(s.w > 2.))
            return false;
        double spread = out->spread;
        solve(&s, 1e-12 * top * top, prior, spread, out);
        out->spread = spread;
    }
    out->error *= out->spread;
    return true;
}
