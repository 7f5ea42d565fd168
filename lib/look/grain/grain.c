/* The grain model itself: its curve, and whether it makes sense. */
#include "grain_internal.h"
#include <math.h>

float ip_grain_variance(const ip_grain *grain, int channel, float luma) {
    const ip_grain_bin *bins = grain->bins;
    if (!(luma > bins[0].level)) /* also what is not a number */
        return bins[0].variance[channel];
    for (int i = 1; i < IP_GRAIN_BINS; i++)
        if (luma < bins[i].level) {
            float part = (luma - bins[i - 1].level) / (bins[i].level - bins[i - 1].level);
            return bins[i - 1].variance[channel] + part * (bins[i].variance[channel] - bins[i - 1].variance[channel]);
        }
    return bins[IP_GRAIN_BINS - 1].variance[channel];
}

float ip_grain_sum(const float r[IP_GRAIN_LAGS][IP_GRAIN_LAGS]) {
    double sum = 0.;
    for (int y = 0; y < IP_GRAIN_LAGS; y++)
        for (int x = 0; x < IP_GRAIN_LAGS; x++)
            sum += r[y][x];
    return (float)sum;
}

static ipos_status check_bins(const ip_grain *grain) {
    for (int i = 0; i < IP_GRAIN_BINS; i++) {
        const ip_grain_bin *bin = &grain->bins[i];
        if (!isfinite(bin->level) || (i > 0 && bin->level <= bin[-1].level))
            return ip_fail(IPOS_ERR_ARGUMENT, "grain: level %g of bin %d, expected finite levels in ascending order", (double)bin->level, i);
        for (int c = 0; c < 3; c++)
            if (!(bin->variance[c] >= 0.f && bin->variance[c] < 1e6f))
                return ip_fail(IPOS_ERR_ARGUMENT, "grain: variance %g in bin %d, expected 0 or more", (double)bin->variance[c], i);
    }
    return IPOS_OK;
}

ipos_status ip_grain_check(const ip_grain *grain) {
    const int last = IP_GRAIN_LAGS - 1;
    if (!grain->measurable)
        return ip_fail(IPOS_ERR_ARGUMENT, "grain: not measurable (%s): there is no model to use", grain->reason);
    IP_TRY(check_bins(grain));
    for (int c = 0; c < 3; c++) {
        if (fabsf(grain->autocorrelation[c][IP_GRAIN_REACH][IP_GRAIN_REACH] - 1.f) > 1e-4f)
            return ip_fail(IPOS_ERR_ARGUMENT, "grain: autocorrelation %g at lag 0, expected 1",
                (double)grain->autocorrelation[c][IP_GRAIN_REACH][IP_GRAIN_REACH]);
        for (int y = 0; y <= last; y++)
            for (int x = 0; x <= last; x++) {
                float r = grain->autocorrelation[c][y][x];
                if (!(fabsf(r) <= 1.001f) || fabsf(r - grain->autocorrelation[c][last - y][last - x]) > 1e-4f)
                    return ip_fail(IPOS_ERR_ARGUMENT, "grain: autocorrelation %g at lag (%d, %d), expected -1..1 and the same at the opposite lag",
                        (double)r, x - IP_GRAIN_REACH, y - IP_GRAIN_REACH);
            }
        for (int d = 0; d < 3; d++)
            if (!(fabsf(grain->channels[c][d]) <= 1.001f) || fabsf(grain->channels[c][d] - grain->channels[d][c]) > 1e-4f ||
                (c == d && fabsf(grain->channels[c][d] - 1.f) > 1e-4f))
                return ip_fail(IPOS_ERR_ARGUMENT, "grain: correlation %g of channels %d and %d, expected a symmetric matrix of -1..1 with 1 on its diagonal",
                    (double)grain->channels[c][d], c, d);
    }
    return IPOS_OK;
}
