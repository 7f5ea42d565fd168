/* The curve by luma, the autocorrelation, the channels' correlation, and three measures of doubt. */
#include "grain_fits.h"
#include <math.h>
#include <stdlib.h>

enum { BIN_FEWEST = 12, PASSES = 4 };
static const double FAR = 5.5, PEDESTAL_MOST = .02; /* pixels; of the variance */
static const double CALM_BIN = .7, CALM_LAGS = .6, CALM_SPREAD = .3; /* shares of blocks with the smallest gradients */
static const float BIN_HINT = .05f; /* least confidence that says anything: what lies under a bin's least bends the line between its neighbours */

void ip_grain_fits_free(ip_grain_fits *f) {
    ip_free(f->order);
    ip_free(f->key);
}

ipos_status ip_grain_fits_new(const ip_grain_blocks *blocks, float step, ip_grain_fits *f) {
    size_t n = blocks->count;
    *f = (ip_grain_fits){.blocks = blocks, .quantum = step * step / 12.f};
    f->order = ip_calloc(n, sizeof *f->order);
    f->key = ip_calloc(4 * n, sizeof *f->key);
    if (!f->order || !f->key) {
        ip_grain_fits_free(f);
        return IPOS_ERR_NO_MEMORY;
    }
    f->x = f->key + n;
    f->y = f->x + n;
    f->scratch = f->y + n;
    return IPOS_OK;
}

static int bin_of(float luma) {
    float at = (luma - IP_GRAIN_LOW) * (IP_GRAIN_BINS / (IP_GRAIN_HIGH - IP_GRAIN_LOW));
    return at >= 0.f && at < IP_GRAIN_BINS ? (int)at : -1;
}

/* Of order[0..n) keeps those whose key is at most the q-quantile. */
static size_t calmest(ip_grain_fits *f, size_t n, double q) {
    for (size_t i = 0; i < n; i++)
        f->scratch[i] = f->key[f->order[i]];
    float limit = ip_grain_quantile(f->scratch, n, q);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (f->key[f->order[i]] <= limit)
            f->order[kept++] = f->order[i];
    return kept;
}

/* Variance by the squares of the differences, which grain that stays from frame to frame changes in another measure than their product. */
static float by_squares(const ip_grain_fits *f, const ip_grain *grain, const ip_grain_block *block, int c) {
    double power = 2;
    for (int k = 0; k < 2; k++)
        power += ip_grain_kept(grain->autocorrelation[c], block->phase[k]);
    return (float)((block->pair[c] - 4.f * f->quantum) / power);
}

static bool fit_channel(ip_grain_fits *f, int bin, int c, ip_grain_line *line) {
    size_t n = 0;
    for (size_t i = 0; i < f->blocks->count; i++) {
        f->key[i] = f->blocks->at[i].gradient[c];
        if (bin_of(f->blocks->at[i].luma) == bin)
            f->order[n++] = i;
    }
    if (n < BIN_FEWEST)
        return false;
    n = calmest(f, n, CALM_BIN);
    for (size_t i = 0; i < n; i++) {
        const ip_grain_block *block = &f->blocks->at[f->order[i]];
        f->x[i] = block->gradient[c] - f->floor[c] * ip_grain_variance(&f->before, c, block->luma);
        f->y[i] = f->ratio[c] > 0.f ? f->ratio[c] * by_squares(f, &f->before, block, c) : block->cross[c][c] - f->quantum;
    }
    return ip_grain_line_fit(f->x, f->y, n, f->slope[c].deviation > 0 ? &f->slope[c] : NULL, f->scratch, line);
}

void ip_grain_measure_bin(ip_grain_fits *f, int b, float least, ip_grain *out) {
    ip_grain_bin *bin = &out->bins[b];
    double level = 0, confidence = 1;
    *bin = (ip_grain_bin){0};
    for (size_t i = 0; i < f->blocks->count; i++)
        if (bin_of(f->blocks->at[i].luma) == b) {
            level += f->blocks->at[i].luma;
            bin->blocks++;
        }
    bin->level = bin->blocks > 0 ? (float)(level / bin->blocks) : IP_GRAIN_LOW + ((float)b + .5f) * (IP_GRAIN_HIGH - IP_GRAIN_LOW) / IP_GRAIN_BINS;
    for (int c = 0; c < 3; c++) {
        ip_grain_line line;
        if (!fit_channel(f, b, c, &line) || !(line.intercept > 0)) {
            confidence = 0;
            continue;
        }
        double relative = line.error / line.intercept;
        bin->variance[c] = (float)line.intercept;
        confidence = fmin(confidence, 1 / (1 + relative * relative / (.05 * .05)));
    }
    bin->confidence = confidence >= fmin(least, BIN_HINT) ? (float)confidence : 0.f;
}

/* Blocks with a bin that was measured, calmest first by gradient over variance, up to a share of them. */
static size_t calm_blocks(ip_grain_fits *f, const ip_grain *grain, double share) {
    size_t n = 0;
    for (size_t i = 0; i < f->blocks->count; i++) {
        const ip_grain_block *block = &f->blocks->at[i];
        int bin = bin_of(block->luma);
        if (bin < 0 || grain->bins[bin].confidence < f->least)
            continue;
        f->key[i] = 0.f;
        for (int c = 0; c < 3; c++)
            f->key[i] += block->gradient[c] / ip_grain_variance(grain, c, block->luma);
        f->order[n++] = i;
    }
    return n > 0 ? calmest(f, n, share) : 0;
}

/* Line through value / variance over gradient / variance of one channel. */
typedef float (*block_value)(const ip_grain_fits *f, const ip_grain *grain, const ip_grain_block *block, int a, int b);
static bool fit_value(ip_grain_fits *f, const ip_grain *grain, size_t n, block_value value, int a, int b, ip_grain_line *line) {
    for (size_t i = 0; i < n; i++) {
        const ip_grain_block *block = &f->blocks->at[f->order[i]];
        float variance = ip_grain_variance(grain, a, block->luma);
        f->x[i] = block->gradient[a] / variance - f->floor[a];
        f->y[i] = value(f, grain, block, a, b);
    }
    return ip_grain_line_fit(f->x, f->y, n, NULL, f->scratch, line);
}

static float lag_value(const ip_grain_fits *f, const ip_grain *grain, const ip_grain_block *block, int c, int k) {
    return (block->lags[c][k] - (k == IP_GRAIN_HALF_LAGS - 1 ? f->quantum : 0.f)) / ip_grain_variance(grain, c, block->luma);
}

static float cross_value(const ip_grain_fits *f, const ip_grain *grain, const ip_grain_block *block, int a, int b) {
    float one = ip_grain_variance(grain, a, block->luma), other = ip_grain_variance(grain, b, block->luma);
    return (block->cross[a][b] - (a == b ? f->quantum : 0.f)) / sqrtf(one * other);
}

static float pair_value(const ip_grain_fits *f, const ip_grain *grain, const ip_grain_block *block, int c, int unused) {
    (void)unused;
    return by_squares(f, grain, block, c) / ip_grain_variance(grain, c, block->luma);
}

/* What the high pass took: of white noise of variance 1 at distance l. */
static double lost(int dx, int dy) {
    const double v = IP_GRAIN_PASS_VARIANCE, d = dx * dx + dy * dy;
    return 2 / (6.283185307179586 * v) * exp(-d / (2 * v)) - 1 / (12.566370614359172 * v) * exp(-d / (4 * v));
}

/* Gives back what the high pass took from lags; the sum is not known before, so in a few rounds. Returns the variance's factor. */
static double give_back(float r[IP_GRAIN_LAGS][IP_GRAIN_LAGS]) {
    float measured[IP_GRAIN_LAGS][IP_GRAIN_LAGS];
    double factor = 1;
    memcpy(measured, r, sizeof measured);
    for (int pass = 0; pass < PASSES; pass++) {
        double sum = fmax(ip_grain_sum((const float(*)[IP_GRAIN_LAGS])r), 0) * factor;
        factor = 1 + lost(0, 0) * sum;
        for (int y = 0; y < IP_GRAIN_LAGS; y++)
            for (int x = 0; x < IP_GRAIN_LAGS; x++)
                r[y][x] = (float)((measured[y][x] + lost(x - IP_GRAIN_REACH, y - IP_GRAIN_REACH) * sum) / factor);
    }
    return factor;
}

/* Grain has next to nothing in common with itself at the farthest lags; what is read there is of the scene, left by its motion, coarse, and in all lags: little
 * in each, but at the lowest frequencies their sum. Taken from all of them and from the variance, whose factor this returns. */
static double take_pedestal(float r[IP_GRAIN_LAGS][IP_GRAIN_LAGS]) {
    double sum = 0, count = 0;
    for (int y = 0; y < IP_GRAIN_LAGS; y++)
        for (int x = 0; x < IP_GRAIN_LAGS; x++)
            if (hypot(x - IP_GRAIN_REACH, y - IP_GRAIN_REACH) > FAR) {
                sum += r[y][x];
                count++;
            }
    double pedestal = fmax(0, fmin(PEDESTAL_MOST, sum / count));
    for (int y = 0; y < IP_GRAIN_LAGS; y++)
        for (int x = 0; x < IP_GRAIN_LAGS; x++)
            r[y][x] = (float)((r[y][x] - pedestal) / (1 - pedestal));
    return 1 - pedestal;
}

bool ip_grain_measure_lags(ip_grain_fits *f, ip_grain *out) {
    size_t n = calm_blocks(f, out, CALM_LAGS);
    double error = 0;
    for (int c = 0; c < 3; c++) {
        ip_grain_line zero, line;
        if (!fit_value(f, out, n, lag_value, c, IP_GRAIN_HALF_LAGS - 1, &zero) || !(zero.intercept > 0))
            return false;
        for (int k = 0; k < IP_GRAIN_HALF_LAGS; k++) {
            int x = ip_grain_lag_x(k) + IP_GRAIN_REACH, y = ip_grain_lag_y(k) + IP_GRAIN_REACH, last = IP_GRAIN_LAGS - 1;
            if (!fit_value(f, out, n, lag_value, c, k, &line))
                return false;
            float r = (float)fmax(-1, fmin(1, line.intercept / zero.intercept));
            out->autocorrelation[c][y][x] = out->autocorrelation[c][last - y][last - x] = r;
            error += line.error / zero.intercept / (3 * IP_GRAIN_HALF_LAGS);
        }
        double factor = give_back(out->autocorrelation[c]);
        out->autocorrelation[c][IP_GRAIN_REACH][IP_GRAIN_REACH] = 1.f;
        factor *= take_pedestal(out->autocorrelation[c]);
        for (int b = 0; b < IP_GRAIN_BINS; b++)
            out->bins[b].variance[c] *= (float)factor;
    }
    out->lag_error = (float)error;
    return true;
}

bool ip_grain_measure_channels(ip_grain_fits *f, ip_grain *out) {
    size_t n = calm_blocks(f, out, CALM_LAGS);
    double cross[3][3];
    for (int a = 0; a < 3; a++)
        for (int b = a; b < 3; b++) {
            ip_grain_line one, other;
            if (!fit_value(f, out, n, cross_value, a, b, &one) || !fit_value(f, out, n, cross_value, b, a, &other))
                return false;
            cross[a][b] = cross[b][a] = .5 * (one.intercept + other.intercept);
        }
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) {
            double scale = cross[a][a] * cross[b][b];
            out->channels[a][b] = a == b ? 1.f : scale > 0 ? (float)fmax(-1, fmin(1, cross[a][b] / sqrt(scale))) : 0.f;
        }
    return true;
}

void ip_grain_measure_temporal(ip_grain_fits *f, ip_grain *out, float ratio[3], ip_grain_prior slope[3]) {
    size_t n = calm_blocks(f, out, CALM_LAGS);
    out->temporal = 0.f;
    for (int c = 0; c < 3; c++) {
        ip_grain_line pair = {0}, cross;
        ratio[c] = 0.f;
        if (fit_value(f, out, n, pair_value, c, 0, &pair) && fit_value(f, out, n, cross_value, c, c, &cross) && pair.intercept > 0)
            ratio[c] = (float)(cross.intercept / pair.intercept);
        slope[c] = (ip_grain_prior){pair.slope, .5 * fabs(pair.slope) + .003};
        out->temporal += (1.f - ratio[c]) / 3.f;
    }
    out->temporal = fmaxf(-1.f, fminf(1.f, out->temporal));
}

/* Spread of the blocks' variances that grain of this autocorrelation has: products of differences, each grain of two frames. */
static double expected_spread(const float r[IP_GRAIN_LAGS][IP_GRAIN_LAGS]) {
    double sum = 0, n = IP_GRAIN_BLOCK;
    for (int y = 0; y < IP_GRAIN_LAGS; y++)
        for (int x = 0; x < IP_GRAIN_LAGS; x++)
            sum += (double)r[y][x] * r[y][x] * (1 - abs(x - IP_GRAIN_REACH) / n) * (1 - abs(y - IP_GRAIN_REACH) / n);
    return sqrt(5 * sum) / n;
}

void ip_grain_measure_dispersion(ip_grain_fits *f, ip_grain *out) {
    size_t n = calm_blocks(f, out, CALM_SPREAD);
    double sum = 0;
    for (int c = 0; c < 3; c++) {
        ip_grain_line line;
        if (fit_value(f, out, n, cross_value, c, c, &line) && line.intercept > 0)
            sum += line.spread / line.intercept / expected_spread((const float(*)[IP_GRAIN_LAGS])out->autocorrelation[c]) / 3;
    }
    out->dispersion = (float)sum;
}

void ip_grain_measure_unsteady(ip_grain_fits *f, int triples, ip_grain *out) {
    double sum = 0, squares = 0;
    int counted = 0;
    for (int t = 0; t < triples; t++) {
        size_t all = calm_blocks(f, out, CALM_LAGS), n = 0;
        for (size_t i = 0; i < all; i++)
            if (f->blocks->at[f->order[i]].triple == t)
                f->order[n++] = f->order[i];
        ip_grain_line line;
        if (n < IP_GRAIN_FEWEST || !fit_value(f, out, n, cross_value, 1, 1, &line))
            continue;
        sum += line.intercept;
        squares += line.intercept * line.intercept;
        counted++;
    }
    double mean = counted > 0 ? sum / counted : 0;
    out->unsteady = counted > 1 && mean > 0 ? (float)(sqrt(fmax(0, squares / counted - mean * mean)) / mean) : 0.f;
}

