/* From frames to the grain model, and whether to believe it. */
#include "grain_fits.h"
#include <math.h>

enum { TRIPLES = IP_GRAIN_FRAMES / 3 };
static const float TOO_LASTING = .2f, TOO_UNEVEN = 1.8f, TOO_UNSTEADY = .3f;
static const float BIN_SURE = .4f, BIN_START = .02f; /* least confidence of a bin to count as measured; in the first round */

static ipos_status refuse(ip_grain *out, const char *format, ...) IP_PRINTF(2, 3);
static ipos_status refuse(ip_grain *out, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out->reason, sizeof out->reason, format, arguments);
    va_end(arguments);
    out->measurable = false;
    out->confidence = 0.f;
    return IPOS_OK;
}

static float falling(float value, float limit) { return fmaxf(0.f, 1.f - value * value / (limit * limit)); }

static ipos_status judge(ip_grain *out) {
    float sure = 0.f, blocks = 0.f;
    for (int b = 0; b < IP_GRAIN_BINS; b++) {
        float counted = out->bins[b].confidence >= BIN_SURE ? (float)out->bins[b].blocks : 0.f;
        sure += out->bins[b].confidence * counted;
        blocks += counted;
    }
    if (out->temporal > TOO_LASTING)
        return refuse(out, "what looks like grain stays from frame to frame (correlation %.2f, grain has 0): compressed or denoised footage",
            (double)out->temporal);
    if (out->dispersion > TOO_UNEVEN)
        return refuse(out, "what looks like grain lies %.1f times as unevenly over the picture as grain would: compressed or denoised footage",
            (double)out->dispersion);
    if (out->unsteady > TOO_UNSTEADY)
        return refuse(out, "its variance changes by %.0f %% from frame to frame: compressed footage, or exposure that changes",
            (double)(100.f * out->unsteady));
    out->measurable = true;
    out->confidence = sure / blocks * falling(fmaxf(0.f, out->temporal), TOO_LASTING) * falling(fmaxf(0.f, out->dispersion - 1.f), TOO_UNEVEN - 1.f) *
        falling(out->unsteady, TOO_UNSTEADY);
    return IPOS_OK;
}

/* One round: the curve, then the autocorrelation. False with a reason where there is none. */
static bool measure_round(ip_grain_fits *f, float step, float least, ip_grain *out) {
    float most = 0.f;
    for (int b = 0; b < IP_GRAIN_BINS; b++) {
        ip_grain_measure_bin(f, b, least, out);
        for (int c = 0; c < 3 && out->bins[b].confidence >= least; c++)
            most = fmaxf(most, out->bins[b].variance[c]);
    }
    f->least = least;
    if (!ip_grain_fill_gaps(least, least >= BIN_SURE, out)) /* before the last round, trends of bins that are hardly sure would be wild */
        refuse(out, "at no brightness do the %zu blocks agree on a variance: compressed footage, or too little calm picture", f->blocks->count);
    else if (most < fmaxf(3.f * f->quantum, 1e-10f))
        refuse(out, "no grain above what rounding to steps of %.5f makes", (double)step);
    else if (!ip_grain_measure_lags(f, out))
        refuse(out, "too few calm blocks for an autocorrelation (%zu blocks in all)", f->blocks->count);
    return out->reason[0] == 0;
}

/* The second round knows how much gradient the grain itself has: detail is what goes beyond it. The third takes the curve from the
 * squares of the differences, whose sampling error is half that of their products, scaled to what the products say over all blocks, and its
 * bins need not find out the slope each on its own. */
static ipos_status conclude(const ip_grain_blocks *blocks, int triples, float step, ip_grain *out) {
    if (blocks->count < IP_GRAIN_FEWEST)
        return refuse(out, "only %zu blocks of 16x16 could be aligned with the frames before and after, %d are needed", blocks->count, IP_GRAIN_FEWEST);
    ip_grain_fits f;
    IP_TRY(ip_grain_fits_new(blocks, step, &f));
    ipos_status status = IPOS_OK;
    float ratio[3] = {0};
    ip_grain_prior slope[3] = {{0}};
    bool known = measure_round(&f, step, BIN_START, out);
    for (int round = 1; known && round <= 2; round++) {
        if (round == 2)
            ip_grain_measure_temporal(&f, out, ratio, slope);
        f.before = *out;
        for (int c = 0; c < 3; c++) {
            f.floor[c] = ip_grain_gradient_response((const float(*)[IP_GRAIN_LAGS])out->autocorrelation[c]) / 3.f;
            f.ratio[c] = round == 2 && ratio[c] > 1.f - TOO_LASTING ? ratio[c] : 0.f;
            f.slope[c] = f.ratio[c] > 0.f ? slope[c] : (ip_grain_prior){0};
        }
        known = measure_round(&f, step, round == 2 ? BIN_SURE : BIN_START, out);
    }
    if (known && !ip_grain_measure_channels(&f, out))
        known = false, refuse(out, "too few calm blocks for the channels' correlation (%zu blocks in all)", blocks->count);
    if (known) {
        ip_grain_measure_temporal(&f, out, ratio, slope);
        ip_grain_measure_dispersion(&f, out);
        ip_grain_measure_unsteady(&f, triples, out);
        status = judge(out);
    }
    ip_grain_fits_free(&f);
    return status;
}

/* A frame that repeats its neighbour says nothing of grain. */
static bool repeats(const ip_image3 *a, const ip_image3 *b) {
    size_t same = 0, all = 0;
    for (int y = 0; y < a->c[1].height; y += 3)
        for (int x = 0; x < a->c[1].width; x += 3, all++)
            same += fabsf(ip_row(&a->c[1], y)[x] - ip_row(&b->c[1], y)[x]) < 1e-6f;
    return same * 100 > all * 98;
}

static ipos_status read_triple(const ip_grain_source *source, size_t middle, ip_image3 images[3], bool *useful) {
    for (size_t i = 0; i < 3; i++)
        IP_TRY(source->fetch(source->user, middle + i - 1, &images[i]));
    *useful = !repeats(&images[0], &images[1]) && !repeats(&images[1], &images[2]);
    return IPOS_OK;
}

static size_t most_triples(size_t count, size_t wanted) { return count < 3 ? 0 : IP_MIN(wanted ? wanted : (size_t)TRIPLES, count - 2); }
static size_t middle_of(size_t count, size_t triples, size_t t) { return 1 + (2 * t + 1) * (count - 2) / (2 * triples); }

size_t ip_grain_frames(size_t count, size_t at[IP_GRAIN_FRAMES]) {
    size_t triples = most_triples(count, 0), frames = 0;
    for (size_t t = 0; t < triples; t++)
        for (size_t index = middle_of(count, triples, t) - 1; index <= middle_of(count, triples, t) + 1; index++)
            if (frames == 0 || index > at[frames - 1])
                at[frames++] = index;
    return frames;
}

static ipos_status collect(const ip_grain_source *source, const ip_grain_options *options, ip_grain_blocks *blocks, int *triples, int *frames) {
    ip_image3 images[3] = {0};
    ip_grain_triple triple = {0};
    size_t seen = 0, most = most_triples(source->count, options->triples);
    ipos_status status = ip_grain_triple_new(source->width, source->height, &triple);
    for (int i = 0; i < 3 && status == IPOS_OK; i++)
        status = ip_image3_new(source->width, source->height, &images[i]);
    for (size_t t = 0; t < most && status == IPOS_OK; t++) {
        bool useful;
        size_t middle = middle_of(source->count, most, t);
        status = read_triple(source, middle, images, &useful);
        if (status == IPOS_OK && !ip_alive(options->pulse))
            status = ip_fail(IPOS_ERR_CANCELLED, "grain: cancelled");
        if (status != IPOS_OK || !useful)
            continue;
        status = ip_grain_triple_fill(images, options, &triple);
        if (status == IPOS_OK)
            status = ip_grain_blocks_add(&triple, *triples, options->threads, blocks);
        ++*triples;
        *frames += (int)(middle + 2 - IP_MAX(seen, middle - 1)); /* runs may overlap */
        seen = middle + 2;
    }
    for (int i = 0; i < 3; i++)
        ip_image3_free(&images[i]);
    ip_grain_triple_free(&triple);
    return status;
}

ipos_status ip_grain_measure(const ip_grain_source *source, const ip_grain_options *options, ip_grain *out) {
    const ip_grain_options none = {0};
    options = options ? options : &none;
    *out = (ip_grain){0};
    if (source->width < 64 || source->height < 64)
        return ip_fail(IPOS_ERR_ARGUMENT, "grain: frames of %dx%d, expected at least 64x64", source->width, source->height);
    if (source->count < 3)
        return refuse(out, "%zu frames; three consecutive ones are needed", source->count);
    ip_grain_blocks blocks = {0};
    int triples = 0;
    ipos_status status = collect(source, options, &blocks, &triples, &out->frames);
    if (status == IPOS_OK && triples == 0)
        status = refuse(out, "frames repeat the frames next to them");
    else if (status == IPOS_OK)
        status = conclude(&blocks, triples, options->step, out);
    ip_free(blocks.at);
    return status;
}
