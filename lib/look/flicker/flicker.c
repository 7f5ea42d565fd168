#include "flicker.h"
#include "fit.h"
#include "gain.h"
#include <math.h>

enum { REACH = 4, STEPS_LEAST = 6 };

/* Median of the steps within REACH of i that belong to the same shot. */
static double local_trend(const double *gain, const bool *cut, int64_t steps, int64_t i) {
    float near[2 * REACH + 1];
    size_t n = 0;
    for (int64_t k = i; k >= 0 && k >= i - REACH && !cut[k]; k--)
        near[n++] = (float)gain[k];
    for (int64_t k = i + 1; k < steps && k <= i + REACH && !cut[k]; k++)
        near[n++] = (float)gain[k];
    if (n % 2 == 1)
        return ip_select(near, n, n / 2);
    return .5 * ((double)ip_select(near, n, n / 2 - 1) + ip_select(near, n, n / 2));
}

static void summarise(const bool *cut, double error, ip_flicker *out) {
    double square = 0.;
    int64_t used = 0;
    for (int64_t i = 0; i < out->steps; i++) {
        if (cut[i])
            continue;
        double trend = local_trend(out->gain, cut, out->steps, i), jump = out->gain[i] - trend;
        out->trend += trend;
        square += jump * jump;
        out->most = fmax(out->most, fabs(jump));
        used++;
    }
    out->reading.frames = out->steps + 1;
    out->rms = used ? sqrt(square / (double)used) : 0.;
    if (used < STEPS_LEAST)
        ip_not_measurable(&out->reading, "%lld of %lld steps are between frames that share enough, at least %d are needed", (long long)used,
            (long long)out->steps, STEPS_LEAST);
    else
        out->reading.confidence = (double)used / ((double)used + 6.) / (1. + error / .005);
}

size_t ip_flicker_frames(size_t count, size_t at[IP_LOOK_FRAMES]) {
    _Static_assert(IP_FLICKER_STEPS + 1 <= IP_LOOK_FRAMES, "there is room for every frame");
    size_t frames = IP_MIN(count, (size_t)IP_FLICKER_STEPS + 1);
    for (size_t i = 0; i < frames; i++)
        at[i] = (count - frames) / 2 + i;
    return frames;
}

ipos_status ip_flicker_measure(const ip_look_source *source, ip_flicker *out) {
    *out = (ip_flicker){0};
    IP_TRY(ip_look_check(source, "flicker"));
    size_t at[IP_LOOK_FRAMES], frames = ip_flicker_frames(source->count, at);
    bool cut[IP_FLICKER_STEPS] = {false};
    ip_image3 before = {0};
    double error = 0.;
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < frames && status == IPOS_OK; i++) {
        ip_image3 now;
        ip_gain gain;
        status = ip_look_fetch(source, at[i], IP_LOOK_SMALL, &now);
        if (status == IPOS_OK && i > 0) {
            status = ip_gain_between(source, &before, &now, &gain);
            bool same = ip_gain_same(&gain);
            cut[out->steps] = !same;
            out->cuts += !same;
            out->gain[out->steps++] = same ? (gain.log[0] + gain.log[1] + gain.log[2]) / 3. : 0.;
            error = same ? fmax(error, gain.error) : error;
        }
        ip_image3_free(&before);
        before = now;
    }
    ip_image3_free(&before);
    IP_TRY(status);
    summarise(cut, error, out);
    return IPOS_OK;
}

static const ip_field fields[] = {IP_FIELD(ip_flicker, steps, IP_FIELD_INT), IP_FIELD(ip_flicker, reading, IP_FIELD_READING), IP_FIELD(ip_flicker, rms, IP_FIELD_REAL),
    IP_FIELD(ip_flicker, most, IP_FIELD_REAL), IP_FIELD(ip_flicker, trend, IP_FIELD_REAL), IP_FIELD(ip_flicker, cuts, IP_FIELD_INT),
    IP_FIELDS_USED(ip_flicker, gain, IP_FIELD_REAL, IP_FLICKER_STEPS, 0)};

json_t *ip_flicker_json(const ip_flicker *flicker) { return ip_record_json(fields, IP_COUNT(fields), flicker); }

ipos_status ip_flicker_parse(const json_t *value, ip_flicker *out) {
    *out = (ip_flicker){0};
    return ip_record_parse(fields, IP_COUNT(fields), value, "flicker", out);
}
