/* Bins of the curve that could not be measured, from those that could. */
#include "grain_fits.h"
#include <math.h>

enum { TREND_BINS = 4 };
static const double TREND_MOST = 2; /* times what the outermost sure bin has, or one over that */

/* Beyond the outermost sure bin, in direction `step`: the line through up to four sure bins from there inwards, its slope drawn to none by what is known
 * of it (Efron, Morris, JASA 1973). Where brightness clips, as in skies, there is nothing to measure, and grain seldom ends to change just there. */
static void trend_beyond(const ip_grain *grain, int outermost, int step, float least, float level, float out[3]) {
    const ip_grain_bin *edge = &grain->bins[outermost];
    for (int c = 0; c < 3; c++) {
        double w = 0, x = 0, y = 0, xx = 0, xy = 0;
        int n = 0;
        for (int b = outermost; b >= 0 && b < IP_GRAIN_BINS && n < TREND_BINS; b -= step) {
            const ip_grain_bin *bin = &grain->bins[b];
            if (bin->confidence < least)
                continue;
            double relative = .05 * .05 * (1 / bin->confidence - 1) + .02 * .02, weight = 1 / (relative * bin->variance[c] * bin->variance[c]);
            w += weight;
            x += weight * bin->level;
            y += weight * bin->variance[c];
            xx += weight * bin->level * bin->level;
            xy += weight * bin->level * bin->variance[c];
            n++;
        }
        double information = w > 0 ? xx - x * x / w : 0, slope = n > 2 && information > 0 ? (xy - x * y / w) / information : 0;
        double sure = slope * slope > 0 ? slope * slope / (slope * slope + 1 / information) : 0, v = edge->variance[c];
        out[c] = (float)fmax(v / TREND_MOST, fmin(v * TREND_MOST, v + sure * slope * (level - edge->level)));
    }
}

/* The line between the bins next to j that are sure; beyond the outermost constant, or as it goes on there; false if none is. */
static bool between(const ip_grain *grain, int j, float least, bool beyond, float out[3]) {
    int low = j - 1, high = j + 1;
    while (low >= 0 && grain->bins[low].confidence < least)
        low--;
    while (high < IP_GRAIN_BINS && grain->bins[high].confidence < least)
        high++;
    if (low < 0 && high >= IP_GRAIN_BINS)
        return false;
    if (beyond && (low < 0 || high >= IP_GRAIN_BINS)) {
        trend_beyond(grain, low < 0 ? high : low, low < 0 ? -1 : 1, least, grain->bins[j].level, out);
        return true;
    }
    const ip_grain_bin *a = &grain->bins[low < 0 ? high : low], *b = &grain->bins[high < IP_GRAIN_BINS ? high : low];
    float part = a == b ? 0.f : (grain->bins[j].level - a->level) / (b->level - a->level);
    for (int c = 0; c < 3; c++)
        out[c] = a->variance[c] + part * (b->variance[c] - a->variance[c]);
    return true;
}

/* Bins that are not sure: their own value by its error, against a line that may well be off by a fifth. */
bool ip_grain_fill_gaps(float least, bool beyond, ip_grain *out) {
    bool any = false;
    for (int j = 0; j < IP_GRAIN_BINS; j++)
        any = any || out->bins[j].confidence >= least;
    for (int j = 0; j < IP_GRAIN_BINS && any; j++) {
        ip_grain_bin *bin = &out->bins[j];
        float line[3], off = bin->confidence > 0.f ? .05f * .05f * (1.f / bin->confidence - 1.f) : 0.f;
        float own = bin->confidence > 0.f ? .04f / (.04f + off) : 0.f;
        if (bin->confidence >= least || !between(out, j, least, beyond, line))
            continue;
        for (int c = 0; c < 3; c++)
            bin->variance[c] = own * bin->variance[c] + (1.f - own) * line[c];
    }
    return any;
}
