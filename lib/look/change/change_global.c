/* What differs between two takes as wholes. */
#include "change_internal.h"
#include "fit.h"
#include "sharp.h"
#include "skin.h"
#include <math.h>

enum { LEAST = 200 };
static const float DARK = 1e-4f;

/* Natural logarithms of luma, R/G and B/G of a code, in linear light; false where there is none. */
static bool logs_of(const ip_look_source *source, const float code[3], float out[3]) {
    float v[3];
    for (int c = 0; c < 3; c++) {
        v[c] = ip_look_linear(source->encoding, code[c]);
        if (!(v[c] > DARK))
            return false;
    }
    out[0] = logf(ip_luma_of(v[0], v[1], v[2]));
    out[1] = logf(v[0] / v[1]);
    out[2] = logf(v[2] / v[1]);
    return true;
}

static double range_of(float *values, size_t count) { return ip_quantile(values, count, .9) - ip_quantile(values, count, .1); }

/* lists: 9 of room count: what of the take, what of the reference, their differences. */
static void summarise(float *list[9], size_t count, ip_change_report *report) {
    double middle[3], range[2][3];
    for (int k = 0; k < 3; k++) {
        middle[k] = ip_select(list[6 + k], count, count / 2);
        for (int i = 0; i < 2; i++)
            range[i][k] = range_of(list[3 * i + k], count);
    }
    report->exposure = middle[0] / log(2.);
    report->red = exp(middle[1]);
    report->blue = exp(middle[2]);
    report->contrast = range[1][0] > 0. ? range[0][0] / range[1][0] : 1.;
    double colour = range[1][1] + range[1][2];
    report->saturation = colour > 0. ? (range[0][1] + range[0][2]) / colour : 1.;
}

ipos_status ip_change_global(const ip_look_source *take, const ip_grade_pair *pairs, size_t count, size_t kept, ip_change_report *report) {
    report->global = (ip_reading){.frames = 2};
    report->red = report->blue = report->contrast = report->saturation = 1.;
    float *block = ip_calloc(9 * IP_MAX(kept, (size_t)1), sizeof *block), *list[9];
    size_t good = 0;
    if (!block)
        return IPOS_ERR_NO_MEMORY;
    for (size_t k = 0; k < 9; k++)
        list[k] = block + k * kept;
    for (size_t i = 0; i < kept; i++) {
        float a[3], b[3];
        if (!logs_of(take, pairs[i].to, a) || !logs_of(take, pairs[i].from, b))
            continue;
        for (int k = 0; k < 3; k++) {
            list[k][good] = a[k];
            list[3 + k][good] = b[k];
            list[6 + k][good] = a[k] - b[k];
        }
        good++;
    }
    if (good >= LEAST)
        summarise(list, good, report);
    else
        ip_not_measurable(&report->global, "%zu places agree and are neither clipped nor black, at least %d are needed", good, LEAST);
    if (good >= LEAST)
        report->global.confidence = (double)good / ((double)good + 300.) * (double)kept / (double)count;
    ip_free(block);
    return IPOS_OK;
}

/* ---- skin and sharpness, on frames at hand */

typedef struct held {
    const ip_image3 *image;
    float gain[3];
} held;

static ipos_status fetch_held(void *user, size_t index, const ip_image3 *to) {
    const held *h = user;
    (void)index;
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < to->c[c].height; y++)
            for (int x = 0; x < to->c[c].width; x++)
                ip_row(&to->c[c], y)[x] = h->gain[c] * ip_row(&h->image->c[c], y)[x];
    return IPOS_OK;
}

static ip_look_source held_source(const ip_look_source *like, held *h) {
    ip_look_source out = *like;
    out.count = 1;
    out.fetch = fetch_held;
    out.user = h;
    return out;
}

static ipos_status skins(const ip_look_source sources[2], const ip_region *const marked[2], ip_change_report *report) {
    ip_skin skin[2];
    for (int i = 0; i < 2; i++) {
        ip_region region = *marked[i];
        region.frame = 0;
        IP_TRY(ip_skin_measure(&sources[i], &region, &skin[i]));
    }
    report->skin = (ip_reading){.confidence = fmin(skin[0].reading.confidence, skin[1].reading.confidence), .frames = 2};
    for (int i = 0; i < 2; i++)
        if (!ip_measured(&skin[i].reading)) {
            ip_not_measurable(&report->skin, "%s: %.120s", i ? "reference" : "take", skin[i].reading.reason);
            return IPOS_OK;
        }
    report->skin_shift = hypot(skin[0].u - skin[1].u, skin[0].v - skin[1].v);
    report->skin_stops = skin[0].stops - skin[1].stops;
    return IPOS_OK;
}

static ipos_status sharpness(const ip_look_source sources[2], ip_change_report *report) {
    ip_sharp sharp[2];
    for (int i = 0; i < 2; i++)
        IP_TRY(ip_sharp_measure(&sources[i], &sharp[i]));
    report->sharpness = (ip_reading){.confidence = fmin(sharp[0].reading.confidence, sharp[1].reading.confidence), .frames = 2};
    for (int i = 0; i < 2; i++)
        if (!ip_measured(&sharp[i].reading)) {
            ip_not_measurable(&report->sharpness, "%s: %.120s", i ? "reference" : "take", sharp[i].reading.reason);
            return IPOS_OK;
        }
    for (int i = 0; i < 2; i++)
        report->mtf50[i] = sharp[i].mtf50;
    return IPOS_OK;
}

ipos_status ip_change_whole(const ip_look_source *take, const ip_image3 *take_image, const ip_look_source *reference, const ip_image3 *reference_image,
    const ip_change_options *options, ip_change_report *report) {
    held images[2] = {{take_image, {1.f, 1.f, 1.f}}, {reference_image, {1.f, 1.f, 1.f}}};
    ip_look_source sources[2] = {held_source(take, &images[0]), held_source(reference, &images[1])};
    IP_TRY(sharpness(sources, report));
    if (!options->skin[0] || !options->skin[1]) {
        ip_not_measurable(&report->skin, "no skin was marked in both");
        return IPOS_OK;
    }
    if (!ip_measured(&report->global)) {
        ip_not_measurable(&report->skin, "exposure and white balance of the whole are not known");
        return IPOS_OK;
    }
    double green = ip_luma_of((float)report->red, 1.f, (float)report->blue) * exp2(-report->exposure);
    const double gain[3] = {green / report->red, green, green / report->blue};
    for (int c = 0; c < 3; c++)
        images[0].gain[c] = (float)gain[c];
    sources[0].clip *= (float)fmax(green, fmax(gain[0], gain[2]));
    return skins(sources, options->skin, report);
}
