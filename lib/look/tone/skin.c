#include "skin.h"
#include "colorimetry.h"
#include "fit.h"
#include <math.h>

enum { ROUNDS = 3 };
static const size_t PIXELS_LEAST = 64;
static const double LEAST = 1e-8; /* variance: what rounding makes, so that a locus may be a line */
static const double KEPT_LEAST = .5;
static const double CUT = 9., CUT_SHRINKS = .9494, WIDEST = .03; /* squared distance; variance left of a 2-d Gaussian inside it */

typedef struct locus {
    double u, v, cov[3];
    size_t count;
} locus;

static double distance2(const locus *l, double u, double v) {
    double du = u - l->u, dv = v - l->v, uu = l->cov[0] + LEAST, vv = l->cov[2] + LEAST, det = uu * vv - l->cov[1] * l->cov[1];
    return (vv * du * du - 2. * l->cov[1] * du * dv + uu * dv * dv) / det;
}

/* Moments of the points within the cut of `about`, of all where it is NULL. */
static locus moments(const float *uv, size_t count, const locus *about) {
    locus l = {0};
    for (int pass = 0; pass < 2; pass++) {
        double n = 0., su = 0., sv = 0.;
        for (size_t i = 0; i < count; i++) {
            double u = uv[2 * i], v = uv[2 * i + 1];
            if (about && distance2(about, u, v) > CUT)
                continue;
            n += 1.;
            if (pass == 0) {
                su += u, sv += v;
            } else {
                l.cov[0] += (u - l.u) * (u - l.u);
                l.cov[1] += (u - l.u) * (v - l.v);
                l.cov[2] += (v - l.v) * (v - l.v);
            }
        }
        if (pass == 0 && n > 0.)
            l.u = su / n, l.v = sv / n;
        l.count = (size_t)n;
    }
    for (int k = 0; k < 3; k++)
        l.cov[k] /= (l.count ? (double)l.count : 1.) * (about ? CUT_SHRINKS : 1.);
    return l;
}

/* Median and median absolute deviation of each axis: a start that a fifth of foreign pixels does not move. */
static locus robust_start(const float *uv, size_t count, float *scratch) {
    locus l = {.count = count};
    double deviation[2];
    for (int axis = 0; axis < 2; axis++) {
        for (size_t i = 0; i < count; i++)
            scratch[i] = uv[2 * i + (size_t)axis];
        float median = ip_select(scratch, count, count / 2);
        for (size_t i = 0; i < count; i++)
            scratch[i] = fabsf(uv[2 * i + (size_t)axis] - median);
        deviation[axis] = fmax(1e-4, 1.4826 * ip_select(scratch, count, count / 2));
        *(axis ? &l.v : &l.u) = median;
    }
    l.cov[0] = deviation[0] * deviation[0];
    l.cov[2] = deviation[1] * deviation[1];
    return l;
}

static void describe(const float *uv, float *luma, size_t count, float *scratch, ip_skin *out) {
    locus l = robust_start(uv, count, scratch);
    for (int i = 0; i < ROUNDS; i++)
        l = moments(uv, count, &l);
    out->u = l.u;
    out->v = l.v;
    memcpy(out->cov, l.cov, sizeof out->cov);
    out->kept = (double)l.count / (double)count;
    out->pixels = (int64_t)l.count;
    out->stops = log2(ip_select(luma, count, count / 2) / .18);
    out->range = log2(ip_quantile(luma, count, .9) / ip_quantile(luma, count, .1));
}

ipos_status ip_skin_measure(const ip_look_source *source, const ip_region *region, ip_skin *out) {
    *out = (ip_skin){.reading.frames = 1};
    float *rgb;
    size_t count;
    IP_TRY(ip_region_pixels(source, region, .25f * ip_look_low(source), "skin", &rgb, &count));
    if (count < PIXELS_LEAST) {
        ip_not_measurable(&out->reading, "%zu pixels are neither clipped nor black, at least %zu are needed", count, PIXELS_LEAST);
        ip_free(rgb);
        return IPOS_OK;
    }
    float *uv = ip_alloc(4 * count * sizeof *uv);
    if (!uv) {
        ip_free(rgb);
        return IPOS_ERR_NO_MEMORY;
    }
    float *luma = uv + 2 * count, *scratch = uv + 3 * count;
    for (size_t i = 0; i < count; i++) {
        double u, v;
        ip_chromaticity(source->encoding, (const double[3]){rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]}, &u, &v);
        uv[2 * i] = (float)u, uv[2 * i + 1] = (float)v;
        luma[i] = ip_luma_of(rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]);
    }
    describe(uv, luma, count, scratch, out);
    double widest = sqrt(fmax(out->cov[0], out->cov[2]));
    if (out->kept < KEPT_LEAST)
        ip_not_measurable(&out->reading, "%.0f %% of the pixels belong together: more than one surface was marked", 100. * out->kept);
    else if (widest > WIDEST)
        ip_not_measurable(&out->reading, "colours spread by %.3f in u'v': more than one surface was marked", widest);
    else
        out->reading.confidence = out->kept * (1. - exp(-(double)count / 500.));
    ip_free(uv);
    ip_free(rgb);
    return IPOS_OK;
}

static const ip_field fields[] = {IP_FIELD(ip_skin, reading, IP_FIELD_READING), IP_FIELD(ip_skin, u, IP_FIELD_REAL), IP_FIELD(ip_skin, v, IP_FIELD_REAL),
    IP_FIELDS(ip_skin, cov, IP_FIELD_REAL, 3), IP_FIELD(ip_skin, stops, IP_FIELD_REAL), IP_FIELD(ip_skin, range, IP_FIELD_REAL),
    IP_FIELD(ip_skin, kept, IP_FIELD_REAL), IP_FIELD(ip_skin, pixels, IP_FIELD_INT)};

json_t *ip_skin_json(const ip_skin *skin) { return ip_record_json(fields, IP_COUNT(fields), skin); }

ipos_status ip_skin_parse(const json_t *value, ip_skin *out) {
    *out = (ip_skin){0};
    return ip_record_parse(fields, IP_COUNT(fields), value, "skin", out);
}
