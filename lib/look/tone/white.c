#include "white.h"
#include "gain.h"
#include "gauss.h"
#include <math.h>

enum { POWER = 6 }; /* of shades */
/* Steps of several frames: what a step misreads adds up along the path. */
enum { STEP = 4, POINTS_LEAST = 6 };
static const double DISAGREE_MOST = .15, SMOOTH = 1.5;
static const double TINT_MOST = .3; /* mean of log R/G and B/G: lights are warmer or colder, not green or purple */
static const double USABLE_LEAST = .05; /* share of the pixels */

/* Sums over the frames: of powers, and of powers of gradients, for each channel. */
typedef struct sums {
    double shades[3], edges[3], usable, looked;
} sums;

static ipos_status add_frame(const ip_look_source *source, const ip_image3 *image, sums *s) {
    int w = image->c[0].width, h = image->c[0].height;
    float high = ip_look_high(source), low = ip_look_low(source) * .25f;
    ip_plane_f part[4];
    IP_TRY(ip_planes_new(w, h, part, 4));
    for (int c = 0; c < 3; c++)
        ip_gauss_blur(&image->c[c], &part[c], &part[3], SMOOTH, source->threads);
    for (int y = 1; y < h - 1; y++)
        for (int x = 1; x < w - 1; x++) {
            s->looked += 1.;
            float v[3] = {ip_row(&part[0], y)[x], ip_row(&part[1], y)[x], ip_row(&part[2], y)[x]};
            if (fmaxf(v[0], fmaxf(v[1], v[2])) > high || fminf(v[0], fminf(v[1], v[2])) < low)
                continue;
            s->usable += 1.;
            /* scaled by the pixel's place in stops, so that scene-linear lamps do not stand for the whole picture */
            double scale = 1. / sqrt(.18 + ip_luma_of(v[0], v[1], v[2]));
            for (int c = 0; c < 3; c++) {
                double gx = ip_row(&part[c], y)[x + 1] - ip_row(&part[c], y)[x - 1], gy = ip_row(&part[c], y + 1)[x] - ip_row(&part[c], y - 1)[x];
                double cube = scale * v[c] * (scale * v[c]) * (scale * v[c]);
                s->edges[c] += scale * scale * (gx * gx + gy * gy);
                s->shades[c] += cube * cube;
            }
        }
    ip_planes_free(part, 4);
    return IPOS_OK;
}

static void level(const sums *s, size_t frames, ip_white *out) {
    out->level.frames = (int64_t)frames;
    out->red = out->blue = 1.;
    if (!(s->usable > USABLE_LEAST * s->looked) || !(fmin(s->edges[0], fmin(s->edges[1], s->edges[2])) > 0.)) {
        ip_not_measurable(&out->level, "%.1f %% of the pixels are neither clipped nor black", s->looked > 0. ? 100. * s->usable / s->looked : 0.);
        return;
    }
    double red[2] = {log(s->shades[0] / s->shades[1]) / POWER, .5 * log(s->edges[0] / s->edges[1])};
    double blue[2] = {log(s->shades[2] / s->shades[1]) / POWER, .5 * log(s->edges[2] / s->edges[1])};
    out->red = exp(.5 * (red[0] + red[1]));
    out->blue = exp(.5 * (blue[0] + blue[1]));
    out->disagreement = fmax(fabs(red[0] - red[1]), fabs(blue[0] - blue[1]));
    if (out->disagreement > DISAGREE_MOST)
        ip_not_measurable(&out->level, "two estimates of what is grey differ by %.0f %%", 100. * (exp(out->disagreement) - 1.));
    else if (fabs(log(out->red * out->blue)) > 2. * TINT_MOST)
        ip_not_measurable(&out->level, "R/G %.2f and B/G %.2f are the colours of things, not of a light", out->red, out->blue);
    else
        out->level.confidence = .7 * (1. - out->disagreement / DISAGREE_MOST); /* an assumption about the scene is no measurement of it */
}

static void add_point(ip_white *out, double time, const ip_gain *gain) {
    int64_t n = out->points, last = n > 0 ? n - 1 : 0;
    bool step = gain && ip_gain_same(gain);
    out->breaks += gain && !step;
    out->time[n] = time;
    out->red_path[n] = out->red_path[last] + (step ? gain->log[0] - gain->log[1] : 0.);
    out->blue_path[n] = out->blue_path[last] + (step ? gain->log[2] - gain->log[1] : 0.);
    out->exposure_path[n] = out->exposure_path[last] + (step ? gain->log[1] : 0.);
    out->points++;
}

static void spread(const double *path, int64_t n, double *rms, double *most) {
    double mean = 0., square = 0., low = path[0], high = path[0];
    for (int64_t i = 0; i < n; i++) {
        mean += path[i] / (double)n;
        low = fmin(low, path[i]);
        high = fmax(high, path[i]);
    }
    for (int64_t i = 0; i < n; i++)
        square += (path[i] - mean) * (path[i] - mean) / (double)n;
    *rms = fmax(*rms, sqrt(square));
    *most = fmax(*most, high - low);
}

static void drift(double error, ip_white *out) {
    out->drift.frames = out->points;
    spread(out->red_path, out->points, &out->rms, &out->most);
    spread(out->blue_path, out->points, &out->rms, &out->most);
    if (out->points < 2)
        ip_not_measurable(&out->drift, "one frame alone has no drift");
    else if (2 * out->breaks > out->points - 1)
        ip_not_measurable(&out->drift, "%lld of %lld steps show too little that both frames share", (long long)out->breaks, (long long)out->points - 1);
    else
        out->drift.confidence = (1. - (double)out->breaks / (double)(out->points - 1)) / (1. + error * sqrt((double)out->points) / .01);
}

size_t ip_white_frames(size_t count, size_t at[IP_LOOK_FRAMES]) {
    _Static_assert((int)IP_WHITE_POINTS <= (int)IP_LOOK_FRAMES, "there is room for every frame");
    size_t wanted = IP_MAX((count + STEP - 1) / STEP, (size_t)POINTS_LEAST), frames = ip_look_spread(count, IP_MIN(wanted, (size_t)IP_WHITE_POINTS));
    for (size_t i = 0; i < frames; i++)
        at[i] = ip_look_spread_at(count, frames, i);
    return frames;
}

ipos_status ip_white_measure(const ip_look_source *source, ip_white *out) {
    *out = (ip_white){0};
    IP_TRY(ip_look_check(source, "white balance"));
    size_t at[IP_LOOK_FRAMES], frames = ip_white_frames(source->count, at);
    ip_image3 before = {0};
    sums s = {0};
    double error = 0.;
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < frames && status == IPOS_OK; i++) {
        ip_image3 now;
        ip_gain gain;
        status = ip_look_fetch(source, at[i], IP_LOOK_SMALL, &now);
        if (status == IPOS_OK)
            status = add_frame(source, &now, &s);
        if (status == IPOS_OK && i > 0)
            status = ip_gain_between(source, &before, &now, &gain);
        if (status == IPOS_OK)
            add_point(out, (double)at[i], i > 0 ? &gain : NULL);
        if (status == IPOS_OK && i > 0 && ip_gain_same(&gain))
            error = fmax(error, gain.error);
        ip_image3_free(&before);
        before = now;
    }
    ip_image3_free(&before);
    IP_TRY(status);
    level(&s, frames, out);
    drift(error, out);
    return IPOS_OK;
}

static const ip_field fields[] = {IP_FIELD(ip_white, points, IP_FIELD_INT), IP_FIELD(ip_white, level, IP_FIELD_READING), IP_FIELD(ip_white, red, IP_FIELD_REAL),
    IP_FIELD(ip_white, blue, IP_FIELD_REAL), IP_FIELD(ip_white, disagreement, IP_FIELD_REAL), IP_FIELD(ip_white, drift, IP_FIELD_READING),
    IP_FIELD(ip_white, rms, IP_FIELD_REAL), IP_FIELD(ip_white, most, IP_FIELD_REAL), IP_FIELD(ip_white, breaks, IP_FIELD_INT),
    IP_FIELDS_USED(ip_white, time, IP_FIELD_REAL, IP_WHITE_POINTS, 0), IP_FIELDS_USED(ip_white, red_path, IP_FIELD_REAL, IP_WHITE_POINTS, 0),
    IP_FIELDS_USED(ip_white, blue_path, IP_FIELD_REAL, IP_WHITE_POINTS, 0), IP_FIELDS_USED(ip_white, exposure_path, IP_FIELD_REAL, IP_WHITE_POINTS, 0)};

json_t *ip_white_json(const ip_white *white) { return ip_record_json(fields, IP_COUNT(fields), white); }

ipos_status ip_white_parse(const json_t *value, ip_white *out) {
    *out = (ip_white){0};
    return ip_record_parse(fields, IP_COUNT(fields), value, "white balance", out);
}
