/* A fade as what it is: one level, a way over, another level.
 *
 * A smoother rounds the corners of a fade and pays for following its slope with flicker that it follows too. Two levels and a way of known
 * shape between them take five numbers however long the stretch. Where the fade begins and ends and what shape it has is never sure under
 * flicker, so the trend is the mean of all of them, each by its likelihood under flicker of any distribution, as in deflicker_level.c (Hoeting,
 * Madigan, Raftery, Volinsky, "Bayesian Model Averaging: A Tutorial", Statistical Science 1999), which is nearer the truth than the best of them. */
#include "deflicker_internal.h"
#include <math.h>

enum { PLACES = 24, SHAPES = 6, FADES = SHAPES * PLACES * PLACES, NEWTON = 4, LEVELS_MOST = 5, UNKNOWNS = 5, LENGTH_LEAST = 3, MOVES = 9 };
static const double CHANGE_LEAST = .25;    /* less is left to the smoother */
static const double CHANGE_MOST = 5., STEP_MOST = .5, DARK = 1e-3;
static const double READING = .003;        /* what a path is off by at least */
static const double LIKELY_LEAST = 6., REACH_OF = 4.; /* fades the mean is of at least; reach of the next places, in spacings of these */
static const double WEIGHT_LEAST = 1e-4;   /* under normal flicker, to be looked at further */
static const double MOVES_REACH = 2.5;     /* of level and change, in their deviations under normal flicker */

/* light^power goes over evenly, or eased: power 1 is a dimmer or a mix of light, 1/2.2 a mix of display codes as editing software makes it, 0 even
 * steps in stops. */
typedef struct shape {
    double power;
    bool eased;
} shape;
static const shape shapes[SHAPES] = {{1., false}, {1., true}, {1. / 2.2, false}, {1. / 2.2, true}, {0., false}, {0., true}};

typedef struct fade {
    const shape *shape;
    double begin, end, change; /* change: natural logarithm, after over before */
    double left;               /* sum of squared residuals; HUGE_VAL: none */
} fade;

typedef struct fitting {
    const double *path;
    size_t n;
    double mean, *curve, *slope, *weight, *sum, *rest, *moved; /* n each */
} fitting;

static double way(const fade *f, double at) {
    double u = fmax(0., fmin(1., (at - f->begin) / (f->end - f->begin)));
    return f->shape->eased ? u * u * (3. - 2. * u) : u;
}

static double centre(double *values, size_t n) {
    double mean = 0.;
    for (size_t i = 0; i < n; i++)
        mean += values[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        values[i] -= mean;
    return mean;
}

/* The curve of mean 0, and what it changes by with the change; weight holds the way. */
static void draw(const fitting *t, const fade *f) {
    double power = f->shape->power, after = exp(power * f->change);
    for (size_t i = 0; i < t->n; i++) {
        double w = t->weight[i], level = fmax(DARK, 1. + (after - 1.) * w);
        t->curve[i] = power > 0. ? log(level) / power : f->change * w;
        t->slope[i] = power > 0. ? after * w / level : w;
    }
    centre(t->curve, t->n);
    centre(t->slope, t->n);
}

static void fit_change(const fitting *t, fade *f) {
    f->change = 0.;
    for (int k = 0; k <= NEWTON; k++) {
        double across = 0., along = 0.;
        draw(t, f);
        f->left = 0.;
        for (size_t i = 0; i < t->n; i++) {
            double r = t->path[i] - t->mean - t->curve[i];
            across += t->slope[i] * r;
            along += t->slope[i] * t->slope[i];
            f->left += r * r;
        }
        if (k < NEWTON && along > 0.) { /* the first step is from no change, where all shapes are alike */
            double step = across / along, most = k == 0 ? CHANGE_MOST : STEP_MOST;
            f->change = fmax(-CHANGE_MOST, fmin(CHANGE_MOST, f->change + fmax(-most, fmin(most, step))));
        }
    }
}

typedef struct places {
    double from[2], spacing; /* of begin and end */
} places;

/* All fades of these places; the best of them. */
static const fade *fit_all(const fitting *t, const places *p, fade *all) {
    const fade *best = NULL;
    for (size_t s = 0; s < SHAPES; s++)
        for (size_t b = 0; b < PLACES; b++)
            for (size_t e = 0; e < PLACES; e++) {
                fade *f = &all[(s * PLACES + b) * PLACES + e];
                *f = (fade){.shape = &shapes[s], .begin = p->from[0] + (double)b * p->spacing, .end = p->from[1] + (double)e * p->spacing, .left = HUGE_VAL};
                if (f->end - f->begin < LENGTH_LEAST || f->begin < 0. || f->end > (double)(t->n - 1))
                    continue;
                for (size_t i = 0; i < t->n; i++)
                    t->weight[i] = way(f, (double)i);
                fit_change(t, f);
                if (!best || f->left < best->left)
                    best = f;
            }
    return best;
}

static double weight_of(const fitting *t, const fade *f, const fade *best) {
    double variance = fmax(best->left / ((double)t->n - UNKNOWNS), READING * READING);
    return exp((best->left - f->left) / (2. * variance));
}

/* How many of them are about as likely as the best: few where the places lie too far apart for what the path says. */
static double likely(const fitting *t, const fade *all, const fade *best) {
    double sum = 0., squares = 0.;
    for (size_t k = 0; k < FADES; k++) {
        double weight = weight_of(t, &all[k], best);
        sum += weight;
        squares += weight * weight;
    }
    return sum * sum / squares;
}

/* Likelihood of one fade under flicker of any distribution, over its level and change about the best of normal flicker; and the mean of both by it, as
 * moves from that best. */
typedef struct moves {
    double likelihood, level, change;
} moves;

static double of_moves(const fitting *t, double level, double change) {
    double sum[IP_DEFLICKER_EXPONENTS];
    for (size_t i = 0; i < t->n; i++)
        t->moved[i] = t->rest[i] - level - change * t->slope[i];
    memset(sum, 0, sizeof sum);
    ip_deflicker_powers(t->moved, t->n, 0., sum);
    return ip_deflicker_power_likelihood(sum, (double)t->n);
}

/* t->curve and t->slope as drawn. */
static moves move(const fitting *t, const fade *f) {
    double along = 1e-9, score[MOVES][MOVES], best = -HUGE_VAL, sum[3] = {0.};
    for (size_t i = 0; i < t->n; i++) {
        t->rest[i] = t->path[i] - t->mean - t->curve[i];
        along += t->slope[i] * t->slope[i];
    }
    double deviation = fmax(READING, sqrt(f->left / ((double)t->n - UNKNOWNS))), spacing = 2. * MOVES_REACH / (MOVES - 1) * deviation;
    double level = spacing / sqrt((double)t->n), change = spacing / sqrt(along);
    for (int l = 0; l < MOVES; l++)
        for (int c = 0; c < MOVES; c++) {
            score[l][c] = of_moves(t, (l - MOVES / 2) * level, (c - MOVES / 2) * change);
            best = fmax(best, score[l][c]);
        }
    for (int l = 0; l < MOVES; l++)
        for (int c = 0; c < MOVES; c++) {
            double weight = exp(score[l][c] - best);
            sum[0] += weight;
            sum[1] += weight * (l - MOVES / 2) * level;
            sum[2] += weight * (c - MOVES / 2) * change;
        }
    return (moves){best + log(sum[0] * level * change), sum[1] / sum[0], sum[2] / sum[0]};
}

/* Mean of all by likelihood. */
static void average(const fitting *t, const fade *all, const fade *best, double *trend) {
    double weights = 0., most = -HUGE_VAL;
    memset(t->sum, 0, t->n * sizeof *t->sum);
    for (size_t k = 0; k < FADES; k++) {
        if (!(weight_of(t, &all[k], best) > WEIGHT_LEAST))
            continue;
        for (size_t i = 0; i < t->n; i++)
            t->weight[i] = way(&all[k], (double)i);
        draw(t, &all[k]);
        moves m = move(t, &all[k]);
        double weight = exp(fmin(0., m.likelihood - most)), others = exp(fmin(0., most - m.likelihood));
        for (size_t i = 0; i < t->n; i++)
            t->sum[i] = others * t->sum[i] + weight * (t->curve[i] + m.level + m.change * t->slope[i]);
        weights = others * weights + weight;
        most = fmax(most, m.likelihood);
    }
    for (size_t i = 0; i < t->n; i++)
        trend[i] = t->mean + t->sum[i] / weights;
}

/* From places all over the stretch to places about the best fade, until they lie as close as matters. */
static void search(const fitting *t, fade *all, double *trend, double *left) {
    places p = {{0., 0.}, (double)(t->n - 1) / (PLACES - 1)};
    const fade *best = fit_all(t, &p, all);
    for (int level = 1; level < LEVELS_MOST && best && likely(t, all, best) < LIKELY_LEAST; level++) {
        double reach = REACH_OF * p.spacing, last = (double)(t->n - 1) - 2. * reach;
        p = (places){{fmax(0., fmin(last, best->begin - reach)), fmax(0., fmin(last, best->end - reach))}, 2. * reach / (PLACES - 1)};
        best = fit_all(t, &p, all);
    }
    if (!best || fabs(best->change) < CHANGE_LEAST)
        return;
    *left = best->left;
    average(t, all, best, trend);
}

ipos_status ip_deflicker_fade(const double *path, size_t n, double *trend, double *left, double *unknowns) {
    *left = HUGE_VAL;
    *unknowns = UNKNOWNS;
    if (n < 2 * UNKNOWNS)
        return IPOS_OK;
    fitting t = {.path = path, .n = n};
    fade *all = ip_calloc(FADES, sizeof *all);
    double *work = ip_calloc(6 * n, sizeof *work);
    ipos_status status = all && work ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK) {
        t.curve = work;
        t.slope = work + n;
        t.weight = work + 2 * n;
        t.sum = work + 3 * n;
        t.rest = work + 4 * n;
        t.moved = work + 5 * n;
        for (size_t i = 0; i < n; i++)
            t.mean += path[i] / (double)n;
        search(&t, all, trend, left);
    }
    ip_free(all);
    ip_free(work);
    return status;
}
