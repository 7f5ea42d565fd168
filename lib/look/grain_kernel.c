/* From the autocorrelation to filters that make it. */
#include "grain_internal.h"
#include <math.h>

enum { SIZE = 64, REACH = IP_GRAIN_KERNEL, SPAN = 2 * REACH + 1, ROUNDS = 40 };
static const float DOUBT = 1.5f;          /* errors below which a lag counts as none */
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

/* Non-negative garrote (Breiman, Technometrics 1995): what is no more than its error goes, what is much more stays. */
static void keep_measured(const ip_grain *grain, int c, lags *r) {
    for (int y = -IP_GRAIN_REACH; y <= IP_GRAIN_REACH; y++)
        for (int x = -IP_GRAIN_REACH; x <= IP_GRAIN_REACH; x++) {
            double value = grain->autocorrelation[c][IP_GRAIN_REACH + y][IP_GRAIN_REACH + x], doubt = (double)DOUBT * grain->lag_error;
            r->at[REACH + y][REACH + x] = fabs(value) > doubt ? value * (1 - doubt * doubt / (value * value)) : 0;
        }
}

void ip_grain_spectrum(const ip_grain *grain, int channel, float spectrum[64][64]) {
    double table[SIZE], s[SIZE][SIZE], mean = 0;
    lags r = {{{0}}};
    cosines(table);
    for (int round = 0; round <= ROUNDS; round++) {
        if (round > 0)
            to_lags(s, table, &r);
        keep_measured(grain, channel, &r);
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
