/* Bands as what they mostly are: light that follows the mains, which a rolling shutter makes waves of.
 *
 * In time each wave has one frequency all over the picture, with an amplitude and a phase of its own in every band of rows. A few numbers a band for
 * dozens of frames are told far better than every frame's bands by themselves, and things that move, which read as bands too, seldom keep time. */
#include "deflicker_internal.h"
#include "fit.h"
#include <math.h>

enum { WAVES = 4, WINDOW = 72, FRAMES_LEAST = 24, FINER = 4, ROUNDS = 24 };
static const double PERIOD_MOST = 15.;   /* frames: slower ones are the scene's, as in trends */
static const double EXPLAINED_LEAST = 5.; /* of what is left, by one wave more, over the number of frames: noise has 2 at one frequency, half as much again at the best */

typedef struct wave_fit {
    const double *values; /* n x knots */
    size_t n, knots, count;
    double frequency[WAVES];     /* turns a frame */
    double column[2 * WAVES][WINDOW];
    double *left;                /* n x knots */
} wave_fit;

static void fill_columns(wave_fit *f, size_t wave) {
    for (size_t i = 0; i < f->n; i++) {
        double turn = 2. * M_PI * f->frequency[wave] * (double)i;
        f->column[2 * wave][i] = cos(turn);
        f->column[2 * wave + 1][i] = sin(turn);
    }
}

/* Least squares of every band on the waves so far; what they leave, squared. False where two of them cannot be told apart. */
static bool solve(wave_fit *f, double *squares) {
    const int m = 2 * (int)f->count;
    double N[4 * WAVES * WAVES], b[2 * WAVES], x[2 * WAVES];
    for (int r = 0; r < m; r++)
        for (int c = 0; c < m; c++) {
            N[r * m + c] = r == c ? 1e-9 : 0.;
            for (size_t i = 0; i < f->n; i++)
                N[r * m + c] += f->column[r][i] * f->column[c][i];
        }
    *squares = 0.;
    for (size_t k = 0; k < f->knots; k++) {
        for (int r = 0; r < m; r++) {
            b[r] = 0.;
            for (size_t i = 0; i < f->n; i++)
                b[r] += f->column[r][i] * f->values[i * f->knots + k];
        }
        if (!ip_solve(N, b, m, x))
            return false;
        for (size_t i = 0; i < f->n; i++) {
            double left = f->values[i * f->knots + k];
            for (int r = 0; r < m; r++)
                left -= x[r] * f->column[r][i];
            f->left[i * f->knots + k] = left;
            *squares += left * left;
        }
    }
    return true;
}

/* Power of what is left at a frequency, over all bands. */
static double power_at(const wave_fit *f, double frequency) {
    double sum = 0., cc = 1e-9, ss = 1e-9, cs = 0.;
    double wave[2][WINDOW];
    for (size_t i = 0; i < f->n; i++) {
        double turn = 2. * M_PI * frequency * (double)i;
        wave[0][i] = cos(turn);
        wave[1][i] = sin(turn);
        cc += wave[0][i] * wave[0][i];
        ss += wave[1][i] * wave[1][i];
        cs += wave[0][i] * wave[1][i];
    }
    const double together = cc * ss - cs * cs;
    for (size_t k = 0; k < f->knots; k++) {
        double c = 0., s = 0.;
        for (size_t i = 0; i < f->n; i++) {
            c += wave[0][i] * f->left[i * f->knots + k];
            s += wave[1][i] * f->left[i * f->knots + k];
        }
        /* at half the sampling rate there is no sine */
        sum += together > 1e-6 * cc * cc ? (c * c * ss - 2. * c * s * cs + s * s * cc) / together : c * c / cc;
    }
    return sum;
}

static double strongest(const wave_fit *f) {
    const double spacing = 1. / (FINER * (double)f->n), least = 1. / PERIOD_MOST;
    double best = least, most = -1.;
    for (double at = least; at <= .5; at += spacing) {
        double power = power_at(f, at);
        if (power > most) {
            most = power;
            best = at;
        }
    }
    double low = fmax(least, best - spacing), high = fmin(.5, best + spacing);
    for (int r = 0; r < ROUNDS; r++) { /* thirds */
        double a = low + (high - low) / 3., b = high - (high - low) / 3.;
        if (power_at(f, a) < power_at(f, b))
            low = a;
        else
            high = b;
    }
    return .5 * (low + high);
}

static void fit_window(wave_fit *f) {
    double squares = 0., better;
    memcpy(f->left, f->values, f->n * f->knots * sizeof *f->left);
    for (size_t i = 0; i < f->n * f->knots; i++)
        squares += f->left[i] * f->left[i];
    while (f->count < WAVES) {
        f->frequency[f->count] = strongest(f);
        fill_columns(f, f->count++);
        bool solved = solve(f, &better);
        if (solved && better <= (1. - EXPLAINED_LEAST / (double)f->n) * squares) {
            squares = better;
            continue;
        }
        f->count--;
        if (f->count == 0 || !solve(f, &better))
            memcpy(f->left, f->values, f->n * f->knots * sizeof *f->left);
        return;
    }
}

static double root_of_squares(const double *values, size_t count) {
    double sum = 0.;
    for (size_t i = 0; i < count; i++)
        sum += values[i] * values[i];
    return sqrt(sum);
}

/* The mains and the camera drift against each other: windows of a few seconds, each half over the next, go over into each other. */
static void in_windows(wave_fit *f, const double *own, size_t n, double *weight, double *left) {
    memset(left, 0, n * f->knots * sizeof *left);
    for (size_t first = 0;; first = IP_MIN(first + f->n / 2, n - f->n)) {
        f->values = own + first * f->knots;
        f->count = 0;
        fit_window(f);
        for (size_t i = 0; i < f->n; i++) {
            double share = (double)IP_MIN(i + 1, f->n - i);
            weight[first + i] += share;
            for (size_t k = 0; k < f->knots; k++)
                left[(first + i) * f->knots + k] += share * f->left[i * f->knots + k];
        }
        if (first + f->n >= n)
            break;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < f->knots; k++)
            left[i * f->knots + k] /= weight[i];
}

ipos_status ip_deflicker_waves(const double *values, size_t n, size_t knots, double *left, double *share) {
    wave_fit f = {.n = IP_MIN(n, (size_t)WINDOW), .knots = knots};
    double *own = ip_calloc(n * knots, sizeof *own), *weight = ip_calloc(n, sizeof *weight);
    f.left = ip_calloc(f.n * knots, sizeof *f.left);
    ipos_status status = own && weight && f.left ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    *share = 1.;
    for (size_t i = 0; i < n && status == IPOS_OK; i++) {
        double mean = 0.;
        for (size_t k = 0; k < knots; k++)
            mean += values[i * knots + k] / (double)knots;
        for (size_t k = 0; k < knots; k++)
            left[i * knots + k] = own[i * knots + k] = values[i * knots + k] - mean;
    }
    if (status == IPOS_OK && n >= FRAMES_LEAST) {
        double all = root_of_squares(own, n * knots);
        in_windows(&f, own, n, weight, left);
        *share = all > 0. ? root_of_squares(left, n * knots) / all : 0.;
    }
    ip_free(own);
    ip_free(weight);
    ip_free(f.left);
    return status;
}
