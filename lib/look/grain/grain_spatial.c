/* What small filters see of grain: their power at white noise, by the grain's autocorrelation. */
#include "grain_internal.h"
#include <math.h>

static float separable(const float r[IP_GRAIN_LAGS][IP_GRAIN_LAGS], const double *x_taps, const double *y_taps, int taps) {
    double axis[2][IP_GRAIN_LAGS] = {{0}}, sum = 0;
    const double *both[2] = {x_taps, y_taps};
    for (int k = 0; k < 2; k++)
        for (int lag = -IP_GRAIN_REACH; lag <= IP_GRAIN_REACH; lag++)
            for (int i = IP_MAX(0, -lag); i < taps && i + lag < taps; i++)
                axis[k][lag + IP_GRAIN_REACH] += both[k][i] * both[k][i + lag];
    for (int y = 0; y < IP_GRAIN_LAGS; y++)
        for (int x = 0; x < IP_GRAIN_LAGS; x++)
            sum += r[y][x] * axis[0][x] * axis[1][y];
    return (float)fmax(sum, 0);
}

enum { STRIDES = 3 };
static const float BROAD = .2f; /* share of the response to white grain that is enough */

float ip_grain_response(const float r[IP_GRAIN_LAGS][IP_GRAIN_LAGS], int stride) {
    double taps[4 * STRIDES + 1] = {0};
    taps[0] = taps[2 * stride] = 1;
    taps[stride] = -2;
    return separable(r, taps, taps, 2 * stride + 1);
}

int ip_grain_stride(const ip_grain *grain) {
    for (int stride = 1; stride < STRIDES; stride++)
        if (ip_grain_response(grain->autocorrelation[1], stride) >= BROAD * 36.f)
            return stride;
    return STRIDES;
}

/* Three means of three, then Sobel: nine taps. */
float ip_grain_gradient_response(const float r[IP_GRAIN_LAGS][IP_GRAIN_LAGS]) {
    enum { TAPS = 9 };
    double taps[2][TAPS] = {{0, 0, 0, -.5, 0, .5}, {0, 0, 0, .25, .5, .25}};
    for (int k = 0; k < 2; k++)
        for (int again = 0; again < 3; again++) {
            double next[TAPS];
            for (int i = 0; i < TAPS; i++)
                next[i] = ((i > 0 ? taps[k][i - 1] : 0) + taps[k][i] + (i + 1 < TAPS ? taps[k][i + 1] : 0)) / 3;
            memcpy(taps[k], next, sizeof next);
        }
    return separable(r, taps[0], taps[1], TAPS) + separable(r, taps[1], taps[0], TAPS);
}

float ip_grain_kept(const float r[IP_GRAIN_LAGS][IP_GRAIN_LAGS], const uint8_t phase[2]) {
    double taps[2][IP_GRAIN_TAPS];
    for (int k = 0; k < 2; k++) {
        float one[IP_GRAIN_TAPS];
        ip_grain_taps(phase[k], one);
        for (int i = 0; i < IP_GRAIN_TAPS; i++)
            taps[k][i] = one[i];
    }
    return separable(r, taps[0], taps[1], IP_GRAIN_TAPS);
}

static const float SPLIT = .6f;

float ip_grain_split(const ip_grain *grain) { return SPLIT * (float)ip_grain_stride(grain); }

double ip_grain_split_seen(const ip_grain *grain, int stride) {
    enum { SIZE = 64 };
    const double turn = 2. * M_PI / SIZE, sigma = ip_grain_split(grain);
    double seen = 0., all = 0.;
    for (int c = 0; c < 3; c++) {
        float spectrum[SIZE][SIZE];
        ip_grain_spectrum(grain, c, spectrum);
        for (int v = 0; v < SIZE; v++)
            for (int u = 0; u < SIZE; u++) {
                double fy = turn * IP_MIN(v, SIZE - v), fx = turn * IP_MIN(u, SIZE - u), across = (2. - 2. * cos(stride * fx)) * (2. - 2. * cos(stride * fy));
                double power = spectrum[v][u] * across * across;
                seen += power * exp(-.5 * sigma * sigma * (fx * fx + fy * fy));
                all += power;
            }
    }
    return all > 0. ? seen / all : 0.;
}

typedef struct filter_job {
    const ip_plane_f *from;
    ip_plane_f *power;
    int stride;
} filter_job;

static void filter_rows(void *user, int64_t begin, int64_t end) {
    const filter_job *job = user;
    int width = job->from->width, height = job->from->height, s = job->stride;
    for (int y = (int)begin; y < (int)end; y++) {
        float *out = ip_row(job->power, y);
        memset(out, 0, (size_t)width * sizeof *out);
        if (y < s || y >= height - s)
            continue;
        const float *a = ip_row(job->from, y - s), *b = ip_row(job->from, y), *c = ip_row(job->from, y + s);
        for (int x = s; x < width - s; x++) {
            float left = a[x - s] - 2.f * b[x - s] + c[x - s], here = a[x] - 2.f * b[x] + c[x], right = a[x + s] - 2.f * b[x + s] + c[x + s];
            float v = left - 2.f * here + right;
            out[x] = isfinite(v) ? v * v : 0.f;
        }
    }
}

void ip_grain_second_difference(const ip_plane_f *from, int stride, ip_plane_f *power, int threads) {
    filter_job job = {from, power, stride};
    ip_parallel(threads, from->height, 32, filter_rows, &job);
}
