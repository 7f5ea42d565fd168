/* The levels of a path between steps, under flicker of unknown distribution.
 *
 * The mean is the best level of normal flicker alone. Mains light, shutters and shaken lamps flicker between bounds, and there the outermost frames
 * say more than all others. So flicker is taken as exponential power noise (Box, Tiao, "Bayesian Inference in Statistical Analysis", 1973, 3.2), from
 * Laplace's to nearly uniform, one of unknown scale for the whole shot, and the level is the mean over all exponents by their likelihood. */
#include "deflicker_internal.h"
#include <math.h>

enum { PLACES = 101, ROUNDS = 4, EXPONENTS = IP_DEFLICKER_EXPONENTS };
static const double exponent[EXPONENTS] = {1., 2., 4., 8.};
static const double READING = .003; /* what a path is off by at least */
static const double REACH = 4.;     /* of the next places, in deviations of the last */

typedef struct stretch {
    const double *path;
    size_t n;
    double level, low, high;
} stretch;

/* Log-likelihood but for a constant, the scale integrated out over its reciprocal. */
static double likelihood(double power, double sum, double n) {
    return n * (log(.5 * power) - lgamma(1. / power)) + lgamma(n / power) - log(power) - n / power * log(sum);
}

/* The powers of exponent[], without pow(). */
void ip_deflicker_powers(const double *path, size_t n, double level, double sum[EXPONENTS]) {
    for (size_t i = 0; i < n; i++) {
        double square = (path[i] - level) * (path[i] - level) + READING * READING;
        sum[0] += sqrt(square);
        sum[1] += square;
        sum[2] += square * square;
        sum[3] += square * square * square * square;
    }
}

double ip_deflicker_power_likelihood(const double sum[EXPONENTS], double n) {
    double score[EXPONENTS], best = -HUGE_VAL, weights = 0.;
    for (size_t e = 0; e < EXPONENTS; e++) {
        score[e] = likelihood(exponent[e], sum[e], n);
        best = fmax(best, score[e]);
    }
    for (size_t e = 0; e < EXPONENTS; e++)
        weights += exp(score[e] - best);
    return best + log(weights);
}

static void update(stretch *all, size_t count, size_t k, double n) {
    stretch *s = &all[k];
    double score[PLACES], best = -HUGE_VAL, spacing = (s->high - s->low) / (PLACES - 1), sum[3] = {0.}, others[EXPONENTS] = {0.};
    for (size_t o = 0; o < count; o++)
        if (o != k)
            ip_deflicker_powers(all[o].path, all[o].n, all[o].level, others);
    for (size_t p = 0; p < PLACES; p++) {
        double powers[EXPONENTS];
        memcpy(powers, others, sizeof powers);
        ip_deflicker_powers(s->path, s->n, s->low + spacing * (double)p, powers);
        score[p] = ip_deflicker_power_likelihood(powers, n);
        best = fmax(best, score[p]);
    }
    for (size_t p = 0; p < PLACES; p++) {
        double weight = exp(score[p] - best), at = spacing * (double)p;
        sum[0] += weight;
        sum[1] += weight * at;
        sum[2] += weight * at * at;
    }
    double mean = sum[1] / sum[0], deviation = sqrt(fmax(0., sum[2] / sum[0] - mean * mean)), reach = REACH * fmax(spacing, deviation);
    s->level = s->low + mean;
    s->low = s->level - reach;
    s->high = s->level + reach;
}

void ip_deflicker_levels(const double *path, size_t n, const size_t *at, size_t steps, double *trend) {
    stretch all[IP_DEFLICKER_STEPS + 1];
    for (size_t k = 0; k <= steps; k++) {
        size_t first = k ? at[k - 1] : 0, end = k < steps ? at[k] : n;
        stretch *s = &all[k];
        *s = (stretch){.path = path + first, .n = end - first, .low = path[first], .high = path[first]};
        for (size_t i = 0; i < s->n; i++) {
            s->level += s->path[i] / (double)s->n;
            s->low = fmin(s->low, s->path[i]);
            s->high = fmax(s->high, s->path[i]);
        }
    }
    for (int r = 0; r < ROUNDS; r++)
        for (size_t k = 0; k <= steps; k++)
            update(all, steps + 1, k, (double)n);
    for (size_t k = 0; k <= steps; k++)
        for (size_t i = 0; i < all[k].n; i++)
            trend[(size_t)(all[k].path - path) + i] = all[k].level;
}
