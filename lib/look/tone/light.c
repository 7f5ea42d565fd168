#include "light.h"
#include "fit.h"
#include <math.h>

enum { BINS = 256 };
static const size_t PIXELS_LEAST = 200;
static const double SHARE_LEAST = .08, STOPS_LEAST = .5, APART_LEAST = .78;

/* Otsu's threshold of log2 luma; apart: the share of the variance that lies between the classes. */
static double threshold(const float *stops, size_t count, double *apart) {
    double low = INFINITY, high = -INFINITY, n[BINS] = {0}, s[BINS] = {0}, sum = 0., square = 0.;
    for (size_t i = 0; i < count; i++) {
        low = fmin(low, stops[i]);
        high = fmax(high, stops[i]);
        sum += stops[i];
        square += (double)stops[i] * stops[i];
    }
    *apart = 0.;
    if (!(high > low))
        return low;
    for (size_t i = 0; i < count; i++) {
        int bin = IP_MIN(BINS - 1, (int)((stops[i] - low) / (high - low) * BINS));
        n[bin] += 1.;
        s[bin] += stops[i];
    }
    double total = square / (double)count - sum * sum / (double)count / (double)count, below = 0., below_sum = 0., best = low;
    for (int b = 0; b + 1 < BINS; b++) {
        below += n[b];
        below_sum += s[b];
        double above = (double)count - below;
        if (below < 1. || above < 1.)
            continue;
        double gap = below_sum / below - (sum - below_sum) / above, between = below * above / (double)count / (double)count * gap * gap / total;
        if (between > *apart) {
            *apart = between;
            best = low + (high - low) * (b + 1) / BINS;
        }
    }
    return best;
}

/* Median luma and mean colour over luma of one side of the threshold. */
static size_t describe(const float *rgb, const float *stops, size_t count, double at, bool lit, float *scratch, double *median, double colour[3]) {
    size_t n = 0;
    double luma = 0.;
    for (size_t i = 0; i < count; i++) {
        if ((stops[i] > at) != lit)
            continue;
        scratch[n++] = stops[i];
        luma += ip_luma_of(rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]);
        for (int c = 0; c < 3; c++)
            colour[c] += rgb[3 * i + (size_t)c];
    }
    for (int c = 0; c < 3; c++)
        colour[c] = luma > 0. ? colour[c] / luma : 0.;
    *median = n ? ip_select(scratch, n, n / 2) : 0.;
    return n;
}

static double warm(const double colour[3]) { return log2(fmax(1e-6, colour[0]) / fmax(1e-6, colour[2])); }

static void judge(double count, size_t lit, ip_light *out) {
    out->key_share = (double)lit / count;
    if (fmin(out->key_share, 1. - out->key_share) < SHARE_LEAST)
        ip_not_measurable(&out->reading, "%.0f %% of the marked pixels are in light: both light and shade are needed", 100. * out->key_share);
    else if (out->stops < STOPS_LEAST)
        ip_not_measurable(&out->reading, "the brighter and the darker part are %.2f stops apart, at least %.1f is needed", out->stops, STOPS_LEAST);
    else if (out->apart < APART_LEAST)
        ip_not_measurable(&out->reading, "no gap between light and shade (%.2f of the variance, at least %.2f is needed)", out->apart, APART_LEAST);
    else
        out->reading.confidence = fmin(1., (out->apart - APART_LEAST) / (1. - APART_LEAST) + .3) * (1. - exp(-count / 1000.));
}

ipos_status ip_light_measure(const ip_look_source *source, const ip_region *region, ip_light *out) {
    *out = (ip_light){.reading.frames = 1};
    float *rgb;
    size_t count;
    IP_TRY(ip_region_pixels(source, region, .1f * ip_look_low(source), "light", &rgb, &count));
    if (count < PIXELS_LEAST) {
        ip_not_measurable(&out->reading, "%zu pixels are neither clipped nor black, at least %zu are needed", count, PIXELS_LEAST);
        ip_free(rgb);
        return IPOS_OK;
    }
    float *stops = ip_alloc(2 * count * sizeof *stops);
    if (!stops) {
        ip_free(rgb);
        return IPOS_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++)
        stops[i] = log2f(ip_luma_of(rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]));
    double at = threshold(stops, count, &out->apart), key, fill;
    size_t lit = describe(rgb, stops, count, at, true, stops + count, &key, out->key);
    describe(rgb, stops, count, at, false, stops + count, &fill, out->fill);
    out->stops = lit > 0 && lit < count ? key - fill : 0.;
    out->ratio = exp2(out->stops);
    out->warmth = warm(out->key) - warm(out->fill);
    judge((double)count, lit, out);
    ip_free(stops);
    ip_free(rgb);
    return IPOS_OK;
}

static const ip_field fields[] = {IP_FIELD(ip_light, reading, IP_FIELD_READING), IP_FIELD(ip_light, ratio, IP_FIELD_REAL),
    IP_FIELD(ip_light, stops, IP_FIELD_REAL), IP_FIELDS(ip_light, key, IP_FIELD_REAL, 3), IP_FIELDS(ip_light, fill, IP_FIELD_REAL, 3),
    IP_FIELD(ip_light, warmth, IP_FIELD_REAL), IP_FIELD(ip_light, key_share, IP_FIELD_REAL), IP_FIELD(ip_light, apart, IP_FIELD_REAL)};

json_t *ip_light_json(const ip_light *light) { return ip_record_json(fields, IP_COUNT(fields), light); }

ipos_status ip_light_parse(const json_t *value, ip_light *out) {
    *out = (ip_light){0};
    return ip_record_parse(fields, IP_COUNT(fields), value, "light", out);
}
