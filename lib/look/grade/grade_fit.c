#include "grade_fit.h"
#include "fit.h"
#include <math.h>
#include <stdlib.h>

/* Unknowns: logarithms of three gains, three offsets, logarithms of three powers, logarithm of the saturation. */
enum { UNKNOWNS = 10, SATURATION = 9, DIRECTIONS = 8, QUANTILES = 49, ITERATIONS = 60 };
static const double SPREAD[UNKNOWNS] = {.35, .35, .35, .05, .05, .05, .2, .2, .2, .25};
static const double PULL = .02, SOFT = .01;
static const double LIMIT[UNKNOWNS] = {1.6, 1.6, 1.6, .5, .5, .5, 1., 1., 1., 1.4};
static const float DIRECTION[DIRECTIONS][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {.2126f, .7152f, .0722f}, {1, -1, 0}, {0, 1, -1}, {1, 0, -1},
    {.577f, .577f, .577f}};

/* Residuals and their derivatives (rows x UNKNOWNS) at theta. */
typedef struct problem {
    size_t rows;
    bool soft;
    double pull;
    void (*evaluate)(struct problem *p, const double *theta, double *residual, double *slope);
    const ip_grade_pair *pair;
    size_t count;
    double *target;            /* quantiles, DIRECTIONS x QUANTILES */
    struct ranked *ranked;     /* count */
    float *colour, *change;    /* graded colours, count x 3, and their derivatives by log gain, log power, log saturation: count x 9 */
} problem;

typedef struct ranked {
    float value;
    uint32_t index;
} ranked;

static int by_value(const void *a, const void *b) {
    const ranked *p = a, *q = b;
    return p->value != q->value ? (p->value < q->value ? -1 : 1) : (p->index < q->index ? -1 : 1);
}

static void grade_of(const double *theta, ip_grade *g) {
    for (int c = 0; c < 3; c++) {
        g->gain[c] = exp(theta[c]);
        g->offset[c] = theta[3 + c];
        g->power[c] = exp(theta[6 + c]);
    }
    g->saturation = exp(theta[SATURATION]);
}

static void cdl_of(const double *theta, ip_cdl *cdl) {
    ip_grade g;
    grade_of(theta, &g);
    memcpy(cdl->slope, g.gain, sizeof g.gain);
    memcpy(cdl->offset, g.offset, sizeof g.offset);
    memcpy(cdl->power, g.power, sizeof g.power);
    cdl->saturation = g.saturation;
}

static double weight_of(const problem *p, double residual) { return p->soft ? 1. / sqrt(1. + residual * residual / (SOFT * SOFT)) : 1.; }

static double cost_of(const problem *p, const double *residual, const double *theta) {
    double sum = 0.;
    for (size_t i = 0; i < p->rows; i++) {
        double r = residual[i] / SOFT;
        sum += p->soft ? 2. * SOFT * SOFT * (sqrt(1. + r * r) - 1.) : residual[i] * residual[i];
    }
    for (int k = 0; k < UNKNOWNS; k++)
        sum += p->pull * p->pull * theta[k] * theta[k] / (SPREAD[k] * SPREAD[k]);
    return sum;
}

static void normal_equations(const problem *p, const double *theta, const double *residual, const double *slope, double *N, double *b) {
    memset(N, 0, UNKNOWNS * UNKNOWNS * sizeof *N);
    memset(b, 0, UNKNOWNS * sizeof *b);
    for (size_t i = 0; i < p->rows; i++) {
        double w = weight_of(p, residual[i]);
        const double *s = slope + i * UNKNOWNS;
        for (int k = 0; k < UNKNOWNS; k++) {
            b[k] -= w * s[k] * residual[i];
            for (int l = 0; l < UNKNOWNS; l++)
                N[k * UNKNOWNS + l] += w * s[k] * s[l];
        }
    }
    for (int k = 0; k < UNKNOWNS; k++) {
        double w = p->pull * p->pull / (SPREAD[k] * SPREAD[k]);
        N[k * UNKNOWNS + k] += w + 1e-9;
        b[k] -= w * theta[k];
    }
}

/* Levenberg, Marquardt, with the re-weighting of the soft absolute value. */
static ipos_status descend(problem *p, double *theta) {
    double *room = ip_calloc(2 * p->rows * (UNKNOWNS + 1), sizeof *room);
    if (!room)
        return IPOS_ERR_NO_MEMORY;
    double *residual[2] = {room, room + p->rows}, *slope[2] = {room + 2 * p->rows, room + (2 + UNKNOWNS) * p->rows};
    double damping = 1e-3;
    p->evaluate(p, theta, residual[0], slope[0]);
    double cost = cost_of(p, residual[0], theta);
    for (int i = 0, at = 0; i < ITERATIONS && damping < 1e6; i++) {
        double N[UNKNOWNS * UNKNOWNS], b[UNKNOWNS], step[UNKNOWNS], next[UNKNOWNS];
        normal_equations(p, theta, residual[at], slope[at], N, b);
        for (int k = 0; k < UNKNOWNS; k++)
            N[k * UNKNOWNS + k] *= 1. + damping;
        if (!ip_solve(N, b, UNKNOWNS, step)) {
            damping *= 10.;
            continue;
        }
        for (int k = 0; k < UNKNOWNS; k++)
            next[k] = fmax(-LIMIT[k], fmin(LIMIT[k], theta[k] + step[k]));
        p->evaluate(p, next, residual[1 - at], slope[1 - at]);
        double then = cost_of(p, residual[1 - at], next);
        if (!(then < cost)) {
            damping *= 5.;
            continue;
        }
        bool done = cost - then < 1e-7 * cost;
        memcpy(theta, next, sizeof next);
        cost = then;
        at = 1 - at;
        damping = fmax(1e-9, damping * .2);
        if (done)
            break;
    }
    ip_free(room);
    return IPOS_OK;
}

/* ---- quantiles of sets */

static float along(const float colour[3], int d) { return DIRECTION[d][0] * colour[0] + DIRECTION[d][1] * colour[1] + DIRECTION[d][2] * colour[2]; }

/* The ranks whose mean stands for quantile q. */
static void band(size_t count, int q, size_t *begin, size_t *end) {
    *begin = (size_t)((double)count * (.02 * (q + 1) - .01));
    *end = IP_MAX(*begin + 1, (size_t)((double)count * (.02 * (q + 1) + .01)));
}

static void rank_along(problem *p, const float *colours, size_t stride, int d) {
    for (size_t i = 0; i < p->count; i++)
        p->ranked[i] = (ranked){along(colours + i * stride, d), (uint32_t)i};
    qsort(p->ranked, p->count, sizeof *p->ranked, by_value);
}

/* Colours and what they change by, at theta. */
static void grade_colours(problem *p, const double *theta) {
    ip_grade g;
    grade_of(theta, &g);
    for (size_t i = 0; i < p->count; i++) {
        const float *x = p->pair[i].from;
        double luma = .2126 * x[0] + .7152 * x[1] + .0722 * x[2];
        for (int c = 0; c < 3; c++) {
            double chroma = g.saturation * (x[c] - luma), s = luma + chroma, raised = s > 0. ? pow(s, g.power[c]) : s;
            float *change = p->change + i * 9 + c;
            p->colour[i * 3 + (size_t)c] = (float)(g.offset[c] + g.gain[c] * raised);
            change[0] = (float)(g.gain[c] * raised);
            change[3] = s > 0. ? (float)(g.gain[c] * raised * log(fmax(1e-6, s)) * g.power[c]) : 0.f;
            change[6] = (float)(g.gain[c] * (s > 0. ? g.power[c] * raised / fmax(1e-3, s) : 1.) * chroma);
        }
    }
}

static void evaluate_sets(problem *p, const double *theta, double *residual, double *slope) {
    grade_colours(p, theta);
    for (int d = 0; d < DIRECTIONS; d++) {
        rank_along(p, p->colour, 3, d);
        for (int q = 0; q < QUANTILES; q++) {
            size_t begin, end, row = (size_t)(d * QUANTILES + q);
            double mean = 0., *s = slope + row * UNKNOWNS;
            memset(s, 0, UNKNOWNS * sizeof *s);
            band(p->count, q, &begin, &end);
            double share = 1. / (double)(end - begin);
            for (size_t r = begin; r < end; r++) {
                const float *change = p->change + (size_t)p->ranked[r].index * 9;
                mean += share * p->ranked[r].value;
                for (int c = 0; c < 3; c++) {
                    double k = share * DIRECTION[d][c];
                    s[c] += k * change[c];
                    s[6 + c] += k * change[3 + c];
                    s[SATURATION] += k * change[6 + c];
                }
            }
            for (int c = 0; c < 3; c++)
                s[3 + c] = DIRECTION[d][c];
            residual[row] = mean - p->target[row];
        }
    }
}

static void targets(problem *p) {
    for (int d = 0; d < DIRECTIONS; d++) {
        rank_along(p, p->pair[0].to, sizeof *p->pair / sizeof(float), d);
        for (int q = 0; q < QUANTILES; q++) {
            size_t begin, end;
            double sum = 0.;
            band(p->count, q, &begin, &end);
            for (size_t r = begin; r < end; r++)
                sum += p->ranked[r].value;
            p->target[d * QUANTILES + q] = sum / (double)(end - begin);
        }
    }
}

ipos_status ip_grade_fit_sets(const ip_grade_pair *pairs, size_t count, ip_grade *out) {
    *out = ip_grade_none();
    if (count < 64)
        return ip_fail(IPOS_ERR_ARGUMENT, "grade: %zu pairs of colours, expected at least 64", count);
    problem p = {.rows = DIRECTIONS * QUANTILES, .soft = true, .pull = PULL, .evaluate = evaluate_sets, .pair = pairs, .count = count};
    p.target = ip_calloc(DIRECTIONS * QUANTILES, sizeof *p.target);
    p.ranked = ip_calloc(count, sizeof *p.ranked);
    p.colour = ip_calloc(count * 12, sizeof *p.colour);
    ipos_status status = p.target && p.ranked && p.colour ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK) {
        double theta[UNKNOWNS] = {0};
        p.change = p.colour + count * 3;
        targets(&p);
        status = descend(&p, theta);
        if (status == IPOS_OK)
            grade_of(theta, out);
    }
    ip_free(p.target);
    ip_free(p.ranked);
    ip_free(p.colour);
    return status;
}

/* ---- pairs */

typedef void (*transform)(const double *theta, const double in[3], double out[3]);

static void as_grade(const double *theta, const double in[3], double out[3]) {
    ip_grade g;
    grade_of(theta, &g);
    ip_grade_at(&g, in, out);
}

static void as_cdl(const double *theta, const double in[3], double out[3]) {
    ip_cdl cdl;
    cdl_of(theta, &cdl);
    ip_cdl_at(&cdl, in, out);
}

static void evaluate_pairs(problem *p, transform at, const double *theta, double *residual, double *slope) {
    const double step = 1e-5;
    for (size_t i = 0; i < p->count; i++) {
        double in[3], here[3], there[3], moved[UNKNOWNS];
        for (int c = 0; c < 3; c++)
            in[c] = p->pair[i].from[c];
        at(theta, in, here);
        for (int c = 0; c < 3; c++)
            residual[i * 3 + (size_t)c] = here[c] - p->pair[i].to[c];
        for (int k = 0; k < UNKNOWNS; k++) {
            memcpy(moved, theta, sizeof moved);
            moved[k] += step;
            at(moved, in, there);
            for (int c = 0; c < 3; c++)
                slope[(i * 3 + (size_t)c) * UNKNOWNS + (size_t)k] = (there[c] - here[c]) / step;
        }
    }
}

static void evaluate_grade(problem *p, const double *theta, double *residual, double *slope) { evaluate_pairs(p, as_grade, theta, residual, slope); }
static void evaluate_cdl(problem *p, const double *theta, double *residual, double *slope) { evaluate_pairs(p, as_cdl, theta, residual, slope); }

ipos_status ip_grade_fit_pairs(const ip_grade_pair *pairs, size_t count, ip_grade *out) {
    double theta[UNKNOWNS] = {0};
    problem p = {.rows = count * 3, .pull = 1e-3, .evaluate = evaluate_grade, .pair = pairs, .count = count};
    *out = ip_grade_none();
    IP_TRY(descend(&p, theta));
    grade_of(theta, out);
    return IPOS_OK;
}

ipos_status ip_cdl_fit(const ip_grade *grade, const ip_grade_pair *pairs, size_t count, ip_cdl *out) {
    enum { MOST = 600 };
    size_t step = IP_MAX((size_t)1, count / MOST), used = 0;
    double theta[UNKNOWNS] = {0};
    ip_grade_pair *sample = ip_calloc(count / step + 1, sizeof *sample);
    *out = (ip_cdl){{1., 1., 1.}, {0., 0., 0.}, {1., 1., 1.}, 1.};
    if (!sample)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i += step, used++) {
        double in[3], z[3];
        for (int c = 0; c < 3; c++)
            in[c] = sample[used].from[c] = pairs[i].from[c];
        ip_grade_at(grade, in, z);
        for (int c = 0; c < 3; c++)
            sample[used].to[c] = (float)z[c];
    }
    problem p = {.rows = used * 3, .pull = 1e-3, .evaluate = evaluate_cdl, .pair = sample, .count = used};
    ipos_status status = ip_grade_is_none(grade) ? IPOS_OK : descend(&p, theta);
    if (status == IPOS_OK)
        cdl_of(theta, out);
    ip_free(sample);
    return status;
}

/* ---- sets with strangers among them */

static double distance(const ip_grade *grade, const ip_grade_pair *pair) {
    double in[3] = {pair->from[0], pair->from[1], pair->from[2]}, z[3], sum = 0.;
    ip_grade_at(grade, in, z);
    for (int c = 0; c < 3; c++)
        sum += (z[c] - pair->to[c]) * (z[c] - pair->to[c]);
    return sqrt(sum);
}

ipos_status ip_grade_keep(const ip_grade *grade, ip_grade_pair *pairs, size_t count, size_t *kept) {
    static const double DROP = 2.5;
    float *off = ip_calloc(2 * IP_MAX(count, (size_t)1), sizeof *off);
    if (!off)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        off[i] = off[count + i] = (float)distance(grade, &pairs[i]);
    float most = count ? (float)DROP * ip_select(off + count, count, count / 2) : 0.f;
    *kept = 0;
    for (size_t i = 0; i < count; i++)
        if (off[i] <= most) {
            ip_grade_pair t = pairs[i];
            pairs[i] = pairs[*kept];
            pairs[(*kept)++] = t;
        }
    ip_free(off);
    return IPOS_OK;
}

ipos_status ip_grade_fit_most(ip_grade_pair *pairs, size_t count, ip_grade *grade, size_t *kept) {
    *kept = count;
    for (int round = 0; round < 2; round++) {
        IP_TRY(ip_grade_fit_sets(pairs, *kept, grade));
        IP_TRY(ip_grade_keep(grade, pairs, count, kept));
    }
    return ip_grade_fit_sets(pairs, *kept, grade);
}
