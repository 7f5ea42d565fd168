/* What of a path is no flicker, between steps that are known: smooth, or a fade; or one fade for all that was taken for steps. */
#include "deflicker_internal.h"
#include "fit.h"
#include <math.h>

enum { STIFFNESSES = 13, REACH = 2, JOINT_MOST = IP_DEFLICKER_STEPS };
static const double SOFTEST = 30., RATIO = 3.1622776601683795; /* stiffness 30 .. 3e7: half of what has a period of 15 frames */
static const double TRACE_COST = 1.4;   /* cross-validation's own factor against following noise (Kim, Gu, JRSS B 2004) */
/* Of simulated switches of 36 and 48 frames under even and normal flicker 75 to 87 % come out well with 1.05 throughout, 87 to 95 % so; of slow drifts as many. */
static const double CONSTANT_PREFERRED = 1.15, LEVELS_PREFERRED = 1.3, JOINT_PREFERRED = 1.3;
/* A fade's score is that of its best member, which its mean over all members beats. */
static const double FADE_PREFERRED = 1.3;

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

/* What a trend leaves of a path, and how many numbers it takes. */
typedef struct fit {
    double left, trace;
} fit;

/* Generalised cross-validation. */
static double score(fit f, size_t n) {
    double freedom = (double)n - TRACE_COST * f.trace;
    return freedom > 0. ? (double)n * f.left / (freedom * freedom) : HUGE_VAL;
}

static ipos_status choose(const double *path, size_t n, double *trend, double *trial, double *work, fit *out) {
    constant(path, n, trend);
    *out = (fit){squares(path, trend, n), 1.};
    fit best = {HUGE_VAL, 0.};
    double stiffness = SOFTEST, chosen = 0., of_fade;
    for (int k = 0; k < STIFFNESSES; k++, stiffness *= RATIO) {
        fit f;
        IP_TRY(whittaker(path, n, stiffness, trial, work, &f.trace));
        f.left = squares(path, trial, n);
        if (score(f, n) < score(best, n)) {
            best = f;
            chosen = stiffness;
        }
    }
    fit fade;
    IP_TRY(ip_deflicker_fade(path, n, trial, &fade.left, &fade.trace));
    of_fade = score(fade, n);
    if (score(*out, n) <= CONSTANT_PREFERRED * fmin(score(best, n), of_fade))
        return IPOS_OK;
    bool faded = of_fade <= FADE_PREFERRED * score(best, n);
    *out = faded ? fade : best;
    if (faded)
        memcpy(trend, trial, n * sizeof *trend);
    return faded ? IPOS_OK : whittaker(path, n, chosen, trend, work, NULL);
}

static ipos_status smooth(const double *path, size_t n, double *trend, fit *out) {
    if (n < 5) {
        constant(path, n, trend);
        *out = (fit){squares(path, trend, n), 1.};
        return IPOS_OK;
    }
    double *work = ip_calloc(n * (2 * (REACH + 1) + 1), sizeof *work);
    ipos_status status = work ? choose(path, n, trend, work + n * 2 * (REACH + 1), work, out) : IPOS_ERR_NO_MEMORY;
    ip_free(work);
    return status;
}

ipos_status ip_deflicker_whittaker(const double *path, size_t n, double stiffness, double *trend) {
    double *work = ip_calloc(n * (REACH + 1), sizeof *work);
    ipos_status status = work ? whittaker(path, n, stiffness, trend, work, NULL) : IPOS_ERR_NO_MEMORY;
    ip_free(work);
    return status;
}

/* One smoother across all steps: a switch changes the level and leaves alone what the light does otherwise, and the ends of stretches, where a smoother
 * follows noise most, are two for the whole shot. at: where they are. */
typedef struct joint {
    const double *path;
    size_t n, steps, at[JOINT_MOST];
    double *left[JOINT_MOST + 1]; /* what the smoother leaves of every unit step, and of the path; n each */
    double *work;                 /* 2 (REACH + 1) n */
    double size[JOINT_MOST];
} joint;

static ipos_status joint_whittaker(joint *j, double stiffness, double *trend, fit *out) {
    double N[JOINT_MOST * JOINT_MOST], b[JOINT_MOST];
    size_t n = j->n, k = j->steps;
    IP_TRY(whittaker(j->path, n, stiffness, trend, j->work, &out->trace));
    for (size_t s = 0; s <= k; s++) {
        for (size_t i = 0; i < n; i++)
            j->left[s][i] = s < k ? i >= j->at[s] : j->path[i];
        memcpy(trend, j->left[s], n * sizeof *trend);
        ip_band_solve(j->work, n, REACH, trend);
        for (size_t i = 0; i < n; i++)
            j->left[s][i] -= trend[i];
    }
    for (size_t s = 0; s < k; s++) {
        b[s] = 0.;
        for (size_t i = j->at[s]; i < n; i++)
            b[s] += j->left[k][i];
        for (size_t t = 0; t < k; t++) {
            N[s * k + t] = 0.;
            for (size_t i = j->at[s]; i < n; i++)
                N[s * k + t] += j->left[t][i];
        }
    }
    if (!ip_solve(N, b, (int)k, j->size))
        return ip_fail(IPOS_ERR_UNKNOWN, "deflicker: the steps of %zu frames have no solution at stiffness %g", n, stiffness);
    out->left = 0.;
    out->trace += (double)k;
    for (size_t i = 0; i < n; i++) {
        double left = j->left[k][i];
        for (size_t s = 0; s < k; s++)
            left -= j->size[s] * j->left[s][i];
        trend[i] = j->path[i] - left;
        out->left += left * left;
    }
    return IPOS_OK;
}

static void joint_levels(const joint *j, double *trend, fit *out) {
    for (size_t s = 0; s <= j->steps; s++) {
        size_t first = s ? j->at[s - 1] : 0, end = s < j->steps ? j->at[s] : j->n;
        constant(j->path + first, end - first, trend + first);
    }
    *out = (fit){squares(j->path, trend, j->n), (double)(j->steps + 1)};
}

static ipos_status joint_choose(joint *j, double *trend, fit *out) {
    fit best = {HUGE_VAL, 0.}, f;
    double stiffness = SOFTEST, chosen = 0.;
    for (int k = 0; k < STIFFNESSES; k++, stiffness *= RATIO) {
        IP_TRY(joint_whittaker(j, stiffness, trend, &f));
        if (score(f, j->n) < score(best, j->n)) {
            best = f;
            chosen = stiffness;
        }
    }
    joint_levels(j, trend, out);
    if (score(*out, j->n) > LEVELS_PREFERRED * score(best, j->n))
        return joint_whittaker(j, chosen, trend, out);
    ip_deflicker_levels(j->path, j->n, j->at, j->steps, trend);
    return IPOS_OK;
}

static ipos_status joint_smooth(const double *path, size_t n, const bool *step, double *trend, fit *out) {
    joint j = {.path = path, .n = n};
    *out = (fit){HUGE_VAL, 0.};
    for (size_t i = 0; i < n; i++)
        if (step[i]) {
            if (j.steps == JOINT_MOST)
                return IPOS_OK;
            j.at[j.steps++] = i;
        }
    if (j.steps == 0)
        return IPOS_OK;
    double *memory = ip_calloc(n * (2 * (REACH + 1) + j.steps + 1), sizeof *memory);
    if (!memory)
        return IPOS_ERR_NO_MEMORY;
    j.work = memory;
    for (size_t s = 0; s <= j.steps; s++)
        j.left[s] = memory + n * (2 * (REACH + 1) + s);
    ipos_status status = joint_choose(&j, trend, out);
    ip_free(memory);
    return status;
}

static ipos_status each_apart(const double *path, size_t n, const bool *step, double *trend, fit *out) {
    *out = (fit){0., 0.};
    for (size_t first = 0, end; first < n; first = end) {
        fit f;
        end = first + 1;
        while (end < n && !step[end])
            end++;
        IP_TRY(smooth(path + first, end - first, trend + first, &f));
        out->left += f.left;
        out->trace += f.trace;
    }
    return IPOS_OK;
}

ipos_status ip_deflicker_trend(const double *path, size_t n, const bool *step, double *trend) {
    fit apart, together, fade = {HUGE_VAL, 0.};
    double *other = ip_calloc(2 * n, sizeof *other), *faded = other ? other + n : NULL;
    ipos_status status = other ? each_apart(path, n, step, trend, &apart) : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK)
        status = joint_smooth(path, n, step, other, &together);
    if (status == IPOS_OK && together.left < HUGE_VAL) /* there are steps: a short fade may have been taken for them */
        status = ip_deflicker_fade(path, n, faded, &fade.left, &fade.trace);
    if (status == IPOS_OK) {
        double best = score(apart, n);
        if (score(together, n) <= JOINT_PREFERRED * best) {
            memcpy(trend, other, n * sizeof *trend);
            best = fmin(best, score(together, n));
        }
        if (score(fade, n) <= best)
            memcpy(trend, faded, n * sizeof *trend);
    }
    ip_free(other);
    return status;
}
