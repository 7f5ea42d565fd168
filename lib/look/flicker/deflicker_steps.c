/* Where a path steps: light switches. */
#include "deflicker_internal.h"
#include "fit.h"
#include <math.h>

enum { WINDOW = 10, SIDE_LEAST = 3 };
static const double JUMP_LEAST = .15, SIGNIFICANT = 5., FEW = 12.; /* significance asked for grows where few frames say so */
static const double SWITCH_LEAST = .25, OVER_NOISE = 2.5, GAIN_LEAST = 5., FIRST_KIND = 1e6;
static const double READING = .003;     /* what a path is off by at least, so that perfect lines do not make every kink significant */

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
