#include "deflicker_internal.h"
#include "fit.h"
#include <math.h>

enum { WINDOW = 10, SIDE_LEAST = 3, STIFFNESSES = 15, REACH = 2 };
static const double JUMP_LEAST = .15, SIGNIFICANT = 5., FEW = 12.; /* significance asked for grows where few frames say so */
static const double SWITCH_LEAST = .25, OVER_NOISE = 2.5, GAIN_LEAST = 5., FIRST_KIND = 1e6;
static const double READING = .003;     /* what a path is off by at least, so that perfect lines do not make every kink significant */
static const double SOFTEST = 3., RATIO = 3.1622776601683795; /* stiffness 3 .. 3e7 */
static const double TRACE_COST = 1.4;   /* cross-validation's own factor against following noise (Kim, Gu, JRSS B 2004) */
static const double CONSTANT_PREFERRED = 1.05;

/* The least-squares step at t over a line through a[first..last). */
static double step_at(const double *path, size_t first, size_t t, size_t last, double *significance) {
    double N[3][3] = {{0}}, b[3] = {0}, squares = 0., n = (double)(last - first);
    for (size_t i = first; i < last; i++) {
        const double x[3] = {1., ((double)i - (double)t) / WINDOW, i >= t ? 1. : 0.};
        for (int r = 0; r < 3; r++) {
            b[r] += x[r] * path[i];
            for (int c = 0; c < 3; c++)
                N[r][c] += x[r] * x[c];
        }
        squares += path[i] * path[i];
    }
    /* eliminate level and slope; what is left of the step's own column is its information */
    for (int p = 0; p < 2; p++) {
        squares -= b[p] * b[p] / N[p][p];
        for (int r = p + 1; r < 3; r++) {
            double k = N[r][p] / N[p][p];
            b[r] -= k * b[p];
            for (int c = p; c < 3; c++)
                N[r][c] -= k * N[p][c];
        }
    }
    double jump = b[2] / N[2][2], freedom = n - 3.;
    double variance = fmax(0., squares - b[2] * jump) / freedom + READING * READING;
    *significance = fabs(jump) / sqrt(variance / N[2][2]) - FEW / freedom;
    return jump;
}

/* What is left of a[first..last) by a parabola, over what is left by two levels that meet at t, as a difference of log-likelihoods: a fade bends,
 * a switch does not. */
static double two_levels_over_a_bend(const double *path, size_t first, size_t t, size_t last, double *jump, double *noise) {
    double N[9] = {0}, b[3] = {0}, x[3] = {0}, squares = 0., bend = 0., mean[2] = {0}, levels = 0., n = (double)(last - first);
    for (size_t i = first; i < last; i++) {
        const double u = ((double)i - (double)t) / WINDOW, p[3] = {1., u, u * u};
        for (int r = 0; r < 3; r++) {
            b[r] += p[r] * path[i];
            for (int c = 0; c < 3; c++)
                N[r * 3 + c] += p[r] * p[c];
        }
        squares += path[i] * path[i];
        mean[i >= t] += path[i] / (double)(i >= t ? last - t : t - first);
    }
    if (!ip_solve(N, b, 3, x))
        return 0.;
    bend = squares - b[0] * x[0] - b[1] * x[1] - b[2] * x[2];
    for (size_t i = first; i < last; i++)
        levels += (path[i] - mean[i >= t]) * (path[i] - mean[i >= t]);
    *jump = mean[1] - mean[0];
    *noise = sqrt(levels / n);
    return .5 * n * log((fmax(0., bend) + n * READING * READING) / (levels + n * READING * READING));
}

/* Either stands out of a line; or, found only where nothing does, two levels explain the surroundings far better than any bend, which is more to
 * the point under strong flicker. What speaks for it, the former always more; 0: no step. */
static double step_score(const double *path, size_t first, size_t t, size_t last) {
    double significance, noise, jump = step_at(path, first, t, last, &significance);
    if (fabs(jump) > JUMP_LEAST && significance > SIGNIFICANT)
        return FIRST_KIND + significance;
    double gain = two_levels_over_a_bend(path, first, t, last, &jump, &noise);
    return gain > GAIN_LEAST && fabs(jump) > fmax(SWITCH_LEAST, OVER_NOISE * noise) ? gain : 0.;
}

static void split(const double *path, size_t first, size_t last, bool *step) {
    size_t best = 0;
    double most = 0.;
    for (size_t t = first + SIDE_LEAST; t + SIDE_LEAST <= last; t++) {
        size_t from = t > first + WINDOW ? t - WINDOW : first, to = IP_MIN(last, t + WINDOW);
        double score = to - from < 2 * SIDE_LEAST + 1 ? 0. : step_score(path, from, t, to);
        if (score > most) {
            most = score;
            best = t;
        }
    }
    if (best == 0)
        return;
    step[best] = true;
    split(path, first, best, step);
    split(path, best, last, step);
}

void ip_deflicker_steps(const double *path, size_t n, bool *step) {
    memset(step, 0, n * sizeof *step);
    split(path, 0, n, step);
}

/* I + stiffness D'D with D the second differences. */
static void equations(size_t n, double stiffness, double *matrix) {
    static const double d[3] = {1., -2., 1.};
    memset(matrix, 0, n * (REACH + 1) * sizeof *matrix);
    for (size_t i = 0; i < n; i++)
        matrix[i * (REACH + 1) + REACH] = 1.;
    for (size_t i = 0; i + 2 < n; i++)
        for (size_t r = 0; r < 3; r++)
            for (size_t c = 0; c <= r; c++)
                matrix[(i + r) * (REACH + 1) + c + REACH - r] += stiffness * d[r] * d[c];
}

static double squares(const double *path, const double *trend, size_t n) {
    double sum = 0.;
    for (size_t i = 0; i < n; i++)
        sum += (path[i] - trend[i]) * (path[i] - trend[i]);
    return sum;
}

static double cross_validation(double left, double trace, double n) {
    double freedom = n - TRACE_COST * trace;
    return freedom > 0. ? n * left / (freedom * freedom) : HUGE_VAL;
}

static void constant(const double *path, size_t n, double *trend) {
    double mean = 0.;
    for (size_t i = 0; i < n; i++)
        mean += path[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        trend[i] = mean;
}

static ipos_status whittaker(const double *path, size_t n, double stiffness, double *trend, double *work, double *trace) {
    double *matrix = work, *inverse = work + n * (REACH + 1);
    equations(n, stiffness, matrix);
    if (!ip_band_factor(matrix, n, REACH))
        return ip_fail(IPOS_ERR_UNKNOWN, "deflicker: the trend of %zu frames has no solution at stiffness %g", n, stiffness);
    memcpy(trend, path, n * sizeof *trend);
    ip_band_solve(matrix, n, REACH, trend);
    if (trace)
        *trace = ip_band_inverse_trace(matrix, n, REACH, inverse);
    return IPOS_OK;
}

static ipos_status choose(const double *path, size_t n, double *trend, double *trial, double *work) {
    constant(path, n, trend);
    double best = HUGE_VAL, of_constant = cross_validation(squares(path, trend, n), 1., (double)n), stiffness = SOFTEST, chosen = 0.;
    for (int k = 0; k < STIFFNESSES; k++, stiffness *= RATIO) {
        double trace;
        IP_TRY(whittaker(path, n, stiffness, trial, work, &trace));
        double score = cross_validation(squares(path, trial, n), trace, (double)n);
        if (score < best) {
            best = score;
            chosen = stiffness;
        }
    }
    return of_constant <= CONSTANT_PREFERRED * best ? IPOS_OK : whittaker(path, n, chosen, trend, work, NULL);
}

ipos_status ip_deflicker_smooth(const double *path, size_t n, double *trend) {
    if (n < 5) {
        constant(path, n, trend);
        return IPOS_OK;
    }
    double *work = ip_calloc(n * (2 * (REACH + 1) + 1), sizeof *work);
    ipos_status status = work ? choose(path, n, trend, work + n * 2 * (REACH + 1), work) : IPOS_ERR_NO_MEMORY;
    ip_free(work);
    return status;
}

ipos_status ip_deflicker_whittaker(const double *path, size_t n, double stiffness, double *trend) {
    double *work = ip_calloc(n * (REACH + 1), sizeof *work);
    ipos_status status = work ? whittaker(path, n, stiffness, trend, work, NULL) : IPOS_ERR_NO_MEMORY;
    ip_free(work);
    return status;
}
