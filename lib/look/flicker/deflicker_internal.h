/* Between the files of the deflicker. */
#ifndef IP_DEFLICKER_INTERNAL_H
#define IP_DEFLICKER_INTERNAL_H

#include "deflicker.h"

enum { IP_DEFLICKER_LAGS = 3, IP_DEFLICKER_REACH = 5, IP_DEFLICKER_SIDES = 2, IP_DEFLICKER_STRIPS = 3 * IP_DEFLICKER_BANDS, IP_DEFLICKER_STEPS = 10, IP_DEFLICKER_EXPONENTS = 4 };
extern const int ip_deflicker_lag[IP_DEFLICKER_LAGS];

/* A log-ratio and what it rests on. weight 0: none. */
typedef struct ip_ratio {
    float log, weight;
    float here, there; /* the mean row of its pixels in both frames, in bands: .5 is the middle of the first */
} ip_ratio;

/* A frame against the one lag frames before it. */
typedef struct ip_pair {
    bool same;              /* both show the same things */
    float share, spread;    /* of the pixels that were registered; median absolute deviation of log-ratios within a cell */
    ip_ratio whole, side[IP_DEFLICKER_SIDES];
    ip_ratio strip[IP_DEFLICKER_STRIPS]; /* of equal height: within a band gains bend, and its mean is not the value at its middle */
    ip_ratio cell[IP_DEFLICKER_SIDES][IP_DEFLICKER_BANDS];
} ip_pair;

/* pairs: count x IP_DEFLICKER_LAGS, frame by frame; those before the first frame stay empty. The caller frees. */
ipos_status ip_deflicker_pairs(const ip_look_source *source, ip_pair **pairs);

/* Symmetric positive matrices with `reach` diagonals each side: row i holds columns i - reach .. i, so [i * (reach + 1) + reach] is the
 * diagonal. factor: into L D L', false where it is not positive. */
bool ip_band_factor(double *matrix, size_t n, size_t reach);
void ip_band_solve(const double *factor, size_t n, size_t reach, double *x);
/* Trace of the inverse (Takahashi, Fagan, Chin, 1973); work: n * (reach + 1). */
double ip_band_inverse_trace(const double *factor, size_t n, size_t reach, double *work);

/* One row: value = path[i] at `here` - path[j] at `there`, rows of the picture in bands. */
typedef struct ip_path_row {
    uint32_t i, j;
    float here, there, value, weight;
} ip_path_row;
/* The path of n frames x knots (1, or IP_DEFLICKER_BANDS: the values at the middles of bands of a natural cubic spline, straight beyond the outer
 * ones) that explains the rows best, by Cauchy re-weighting; its mean over the frames is 0 for each knot. */
ipos_status ip_deflicker_path(const ip_path_row *rows, size_t count, size_t n, size_t knots, double *path);

/* What at most four waves in time, each of one frequency in all knots, leave of what is a knot's own in values (frames x knots, mean over time about 0): of its
 * difference from the mean over knots, since what all have in common makes up for what bands put wrong in the path of the whole. share: of its deviation; 1 where
 * there are too few frames. */
ipos_status ip_deflicker_waves(const double *values, size_t n, size_t knots, double *left, double *share);

/* Marks where stretches begin in step[0..n) (step[0] stays false): jumps that stand out of a line on either side. */
void ip_deflicker_steps(const double *path, size_t n, bool *step);
/* What between and across those steps is no flicker. */
ipos_status ip_deflicker_trend(const double *path, size_t n, const bool *step, double *trend);
/* The levels of the stretches that begin at 0 and at[0..steps), at most IP_DEFLICKER_STEPS, under flicker of any distribution (deflicker_level.c). */
void ip_deflicker_levels(const double *path, size_t n, const size_t *at, size_t steps, double *trend);
/* Exponential power noise, deflicker_level.c: adds to the sums of the powers of what n values of a path differ from a level by, one for each exponent; and
 * the log-likelihood of such sums over n values, but for a constant, over all exponents, the scale integrated out over its reciprocal. */
void ip_deflicker_powers(const double *path, size_t n, double level, double sum[IP_DEFLICKER_EXPONENTS]);
double ip_deflicker_power_likelihood(const double sum[IP_DEFLICKER_EXPONENTS], double n);
/* The path as a fade between two levels. left: what the likeliest one leaves, squared; HUGE_VAL: too little changes or too few frames, and trend is
 * as it was. unknowns: how many numbers it takes. */
ipos_status ip_deflicker_fade(const double *path, size_t n, double *trend, double *left, double *unknowns);
/* The smooth part at a given stiffness. */
ipos_status ip_deflicker_whittaker(const double *path, size_t n, double stiffness, double *trend);

#endif
