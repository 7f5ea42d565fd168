/* From the autocorrelation to filters that make it. */
#include "grain_internal.h"
#include <math.h>

enum { SIZE = 64, REACH = IP_GRAIN_KERNEL, SPAN = 2 * REACH + 1, ROUNDS = 40, LAGS = IP_GRAIN_LAGS, RINGS = 8 };
static const double BEYOND = 1e-4;        /* share of a filter's power that may be cut off */

typedef struct lags {
    double at[SPAN][SPAN]; /* symmetric about the middle */
} lags;

static void cosines(double table[SIZE]) {
    for (int i = 0; i < SIZE; i++)
        table[i] = cos(6.283185307179586 * i / SIZE);
}

/* Plain sums: 289 lags by 64 x 64 frequencies, half of both by symmetry. */
static void to_spectrum(const lags *r, const double table[SIZE], double s[SIZE][SIZE]) {
    for (int v = 0; v < SIZE; v++)
        for (int u = 0; u <= SIZE / 2; u++) {
            double sum = r->at[REACH][REACH];
            for (int y = 0; y <= REACH; y++)
                for (int x = y > 0 ? -REACH : 1; x <= REACH; x++)
                    sum += 2 * r->at[REACH + y][REACH + x] * table[(u * x + v * y) & (SIZE - 1)];
            s[v][u] = sum;
            s[(SIZE - v) % SIZE][(SIZE - u) % SIZE] = sum;
        }
}

static double lag_of(double s[SIZE][SIZE], const double table[SIZE], int x, int y) {
    double sum = 0;
    for (int v = 0; v < SIZE; v++)
        for (int u = 0; u < SIZE; u++)
            sum += s[v][u] * table[(u * x + v * y) & (SIZE - 1)];
    return sum / (SIZE * SIZE);
}

static void to_lags(double s[SIZE][SIZE], const double table[SIZE], lags *r) {
    for (int y = 0; y <= REACH; y++)
        for (int x = -REACH; x <= REACH; x++)
            r->at[REACH + y][REACH + x] = r->at[REACH - y][REACH - x] = lag_of(s, table, x, y);
}

/* Channels' lags drawn to their mean by as much as they differ no more than their errors make them (James, Stein, 1961); squared error of one after
 * that. Errors of channels whose grain is correlated are so by the square of that. */
static double pool_channels(const ip_grain *grain, double r[3][LAGS][LAGS]) {
    double common = 0, spread = 0, error = (double)grain->lag_error * grain->lag_error;
    for (int c = 0; c < 3; c++)
        common += pow(grain->channels[c][(c + 1) % 3], 2) / 3;
    for (int y = 0; y < LAGS; y++)
        for (int x = 0; x < LAGS; x++) {
            double mean = (r[0][y][x] + r[1][y][x] + r[2][y][x]) / 3;
            for (int c = 0; c < 3; c++)
                spread += (r[c][y][x] - mean) * (r[c][y][x] - mean) / (2 * (LAGS * LAGS - 1));
        }
    double own = spread > 0 ? fmax(0, 1 - error * (1 - common) / spread) : 0;
    for (int y = 0; y < LAGS; y++)
        for (int x = 0; x < LAGS; x++) {
            double mean = (r[0][y][x] + r[1][y][x] + r[2][y][x]) / 3;
            for (int c = 0; c < 3; c++)
                r[c][y][x] = mean + own * (r[c][y][x] - mean);
        }
    return error * (own * own + (1 - own * own) * (1 + 2 * common) / 3);
}

static int ring_of(int x, int y) { return (int)(hypot(x - IP_GRAIN_REACH, y - IP_GRAIN_REACH) + .5); }

/* Empirical Bayes: what a lag is expected to be is told by all at about its distance, their mean and how far they lie from it beyond their error. */
static void shrink_rings(double error, double r[LAGS][LAGS]) {
    double count[RINGS] = {0}, mean[RINGS] = {0}, spread[RINGS] = {0};
    for (int y = 0; y < LAGS; y++)
        for (int x = 0; x < LAGS; x++) {
            count[ring_of(x, y)] += 1;
            mean[ring_of(x, y)] += r[y][x];
        }
    for (int k = 0; k < RINGS; k++)
        mean[k] /= fmax(1, count[k]);
    for (int y = 0; y < LAGS; y++)
        for (int x = 0; x < LAGS; x++)
            spread[ring_of(x, y)] += pow(r[y][x] - mean[ring_of(x, y)], 2) / count[ring_of(x, y)];
    for (int y = 0; y < LAGS; y++)
        for (int x = 0; x < LAGS; x++) {
            int k = ring_of(x, y);
            double of_mean = 2 * error / count[k], true_mean = fmax(0, mean[k] * mean[k] - of_mean), true_spread = fmax(0, spread[k] - error);
            if (k > 0) /* each lag is there twice */
                r[y][x] = mean[k] * (true_mean + of_mean > 0 ? true_mean / (true_mean + of_mean) : 0) +
                    (r[y][x] - mean[k]) * (true_spread + error > 0 ? true_spread / (true_spread + error) : 0);
        }
}

/* The measured lags of a channel with as little of their error as can be told. */
static void expected_lags(const ip_grain *grain, int channel, double out[LAGS][LAGS]) {
    double r[3][LAGS][LAGS];
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < LAGS; y++)
            for (int x = 0; x < LAGS; x++)
                r[c][y][x] = grain->autocorrelation[c][y][x];
    double error = pool_channels(grain, r);
    shrink_rings(error, r[channel]);
    memcpy(out, r[channel], sizeof r[channel]);
}

static void keep_measured(double measured[LAGS][LAGS], lags *r) {
    for (int y = 0; y < LAGS; y++)
        for (int x = 0; x < LAGS; x++)
            r->at[REACH - IP_GRAIN_REACH + y][REACH - IP_GRAIN_REACH + x] = measured[y][x];
}

void ip_grain_spectrum(const ip_grain *grain, int channel, float spectrum[64][64]) {
    double table[SIZE], s[SIZE][SIZE], measured[LAGS][LAGS], mean = 0;
    lags r = {{{0}}};
    expected_lags(grain, channel, measured);
    cosines(table);
    for (int round = 0; round <= ROUNDS; round++) {
        if (round > 0)
            to_lags(s, table, &r);
        keep_measured(measured, &r);
        to_spectrum(&r, table, s);
        for (int v = 0; v < SIZE; v++)
            for (int u = 0; u < SIZE; u++)
                s[v][u] = fmax(s[v][u], 0);
    }
    for (int v = 0; v < SIZE; v++)
        for (int u = 0; u < SIZE; u++)
            mean += s[v][u] / (SIZE * SIZE);
    for (int v = 0; v < SIZE; v++)
        for (int u = 0; u < SIZE; u++)
            spectrum[v][u] = (float)(mean > 0 ? s[v][u] / mean : 1);
}

static void filter_of(float spectrum[SIZE][SIZE], double k[SPAN][SPAN]) {
    double table[SIZE], root[SIZE][SIZE];
    lags r;
    cosines(table);
    for (int v = 0; v < SIZE; v++)
        for (int u = 0; u < SIZE; u++)
            root[v][u] = sqrt(spectrum[v][u]);
    to_lags(root, table, &r);
    memcpy(k, r.at, sizeof r.at);
}

static double power_within(double k[SPAN][SPAN], int radius) {
    double sum = 0;
    for (int y = -radius; y <= radius; y++)
        for (int x = -radius; x <= radius; x++)
            sum += k[REACH + y][REACH + x] * k[REACH + y][REACH + x];
    return sum;
}

static int radius_of(double k[SPAN][SPAN]) {
    int radius = 0;
    while (radius < REACH && power_within(k, radius) < (1 - BEYOND) * power_within(k, REACH))
        radius++;
    return radius;
}

/* Lower-triangular root; false where the matrix has none. */
static bool cholesky(double m[3][3], float out[3][3]) {
    memset(out, 0, 9 * sizeof(float));
    for (int a = 0; a < 3; a++)
        for (int b = 0; b <= a; b++) {
            double sum = m[a][b];
            for (int i = 0; i < b; i++)
                sum -= (double)out[a][i] * out[b][i];
            if (a == b && !(sum > 1e-6))
                return false;
            out[a][b] = (float)(a == b ? sqrt(sum) : sum / out[b][b]);
        }
    return true;
}

/* Filters that differ between channels lower their correlation, so the noises before them need more of it; where that is more than there can be,
 * as much as there can be. */
static void mix_of(const ip_grain *grain, ip_grain_kernel *out) {
    double m[3][3];
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) {
            double common = 0;
            for (int y = 0; y < SPAN; y++)
                for (int x = 0; x < SPAN; x++)
                    common += (double)out->filter[a][y][x] * out->filter[b][y][x];
            m[a][b] = a == b ? 1 : grain->channels[a][b] / fmax(common, .1);
            m[a][b] = a == b ? 1 : fmax(-.999, fmin(.999, m[a][b]));
        }
    for (int tries = 0; tries < 200 && !cholesky(m, out->mix); tries++)
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++)
                m[a][b] *= a == b ? 1 : .98;
}

ipos_status ip_grain_make(const ip_grain *grain, ip_grain_kernel *out) {
    *out = (ip_grain_kernel){0};
    IP_TRY(ip_grain_check(grain));
    for (int c = 0; c < 3; c++) {
        float spectrum[SIZE][SIZE];
        double k[SPAN][SPAN];
        ip_grain_spectrum(grain, c, spectrum);
        filter_of(spectrum, k);
        int radius = radius_of(k);
        double scale = 1 / sqrt(power_within(k, radius));
        for (int y = -radius; y <= radius; y++)
            for (int x = -radius; x <= radius; x++)
                out->filter[c][REACH + y][REACH + x] = (float)(scale * k[REACH + y][REACH + x]);
        out->radius = IP_MAX(out->radius, radius);
    }
    mix_of(grain, out);
    return IPOS_OK;
}
