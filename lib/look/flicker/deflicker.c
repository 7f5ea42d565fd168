#include "deflicker_internal.h"
#include <math.h>
#include <stddef.h>
#include <stdlib.h>

enum { FRAMES_LEAST = 6, SEEN_LEAST = IP_DEFLICKER_BANDS / 4, BANDS = IP_DEFLICKER_BANDS, LAGS = IP_DEFLICKER_LAGS, SIDES = IP_DEFLICKER_SIDES, STRIPS = IP_DEFLICKER_STRIPS };
static const double RMS_LEAST = .01, BAND_RMS_LEAST = .025, AGREE_LEAST = .7, BANDS_AGREE_LEAST = .65;
static const double WAVES_LEAVE = .25, WAVES_LEAVE_APART = .5; /* of the deviation of bands, at most: then the rest is misread, as things that move are */
static const double OUTLIERS = .04;     /* share of the frames that alone make no flicker: flashes */
static const double BAND_STIFFNESS = 2e4; /* follows what takes about 3 seconds at 24 frames a second */
static const double SIDES_DIFFER = .03, SHARE_FULL = .3;

/* Paths of one shot, frames x (1 or BANDS), natural logarithm. */
typedef struct shot {
    const ip_pair *pairs; /* of the whole source */
    size_t first, n;
    double *memory, *whole, *trend, *side[SIDES], *band, *cell[SIDES], *scratch;
    bool *step;
    ip_path_row *rows;
    double rms, band_rms, agreement, bands_agreement;
} shot;

static void shot_free(shot *s) {
    ip_free(s->memory);
    ip_free(s->step);
    ip_free(s->rows);
}

static ipos_status shot_new(const ip_pair *pairs, size_t first, size_t n, shot *out) {
    enum { ONES = 2 + SIDES + 2, MANY = 1 + SIDES };
    *out = (shot){.pairs = pairs, .first = first, .n = n};
    out->memory = ip_calloc(n * (ONES + MANY * BANDS), sizeof *out->memory);
    out->step = ip_calloc(n, sizeof *out->step);
    out->rows = ip_calloc(n * LAGS * STRIPS, sizeof *out->rows);
    if (!out->memory || !out->step || !out->rows) {
        shot_free(out);
        return IPOS_ERR_NO_MEMORY;
    }
    double *at = out->memory;
    out->whole = at, at += n;
    out->trend = at, at += n;
    out->scratch = at, at += 2 * n;
    for (int k = 0; k < SIDES; k++)
        out->side[k] = at, at += n;
    out->band = at, at += n * BANDS;
    for (int k = 0; k < SIDES; k++)
        out->cell[k] = at, at += n * BANDS;
    return IPOS_OK;
}

/* Solves the path of the ratios found at `offset` bytes into each pair, `many` of them side by side. */
static ipos_status find_path(shot *s, size_t offset, size_t many, size_t knots, double *path) {
    size_t count = 0;
    for (size_t i = 1; i < s->n; i++)
        for (size_t l = 0; l < LAGS; l++) {
            size_t lag = (size_t)ip_deflicker_lag[l];
            const ip_pair *pair = &s->pairs[(s->first + i) * LAGS + l];
            const ip_ratio *ratio = (const ip_ratio *)((const char *)pair + offset);
            for (size_t k = 0; k < many && lag <= i && pair->same; k++)
                if (ratio[k].weight > 0.f)
                    s->rows[count++] = (ip_path_row){(uint32_t)i, (uint32_t)(i - lag), ratio[k].here, ratio[k].there, ratio[k].log, ratio[k].weight};
        }
    return ip_deflicker_path(s->rows, count, s->n, knots, path);
}

static ipos_status find_paths(shot *s) {
    IP_TRY(find_path(s, offsetof(ip_pair, whole), 1, 1, s->whole));
    IP_TRY(find_path(s, offsetof(ip_pair, strip), STRIPS, BANDS, s->band));
    for (size_t k = 0; k < SIDES; k++) {
        IP_TRY(find_path(s, offsetof(ip_pair, side) + k * sizeof(ip_ratio), 1, 1, s->side[k]));
        IP_TRY(find_path(s, offsetof(ip_pair, cell) + k * BANDS * sizeof(ip_ratio), BANDS, BANDS, s->cell[k]));
    }
    return IPOS_OK;
}

static size_t stretch_end(const shot *s, size_t first) {
    size_t end = first + 1;
    while (end < s->n && !s->step[end])
        end++;
    return end;
}

static ipos_status find_trend(shot *s, bool level) {
    ip_deflicker_steps(s->whole, s->n, s->step);
    IP_TRY(ip_deflicker_trend(s->whole, s->n, s->step, s->trend));
    for (size_t first = 0, end; level && first < s->n; first = end) {
        double mean = 0.;
        end = stretch_end(s, first);
        for (size_t i = first; i < end; i++)
            mean += s->trend[i] / (double)(end - first);
        for (size_t i = first; i < end; i++)
            s->trend[i] = mean;
    }
    return IPOS_OK;
}

/* Takes out of one column of values what changes slowly within each stretch. */
static ipos_status take_out_slow(const shot *s, double *values, size_t stride) {
    double *column = s->scratch, *slow = s->scratch + s->n;
    for (size_t i = 0; i < s->n; i++)
        column[i] = values[i * stride];
    for (size_t first = 0, end; first < s->n; first = end) {
        end = stretch_end(s, first);
        IP_TRY(ip_deflicker_whittaker(column + first, end - first, BAND_STIFFNESS, slow + first));
    }
    for (size_t i = 0; i < s->n; i++)
        values[i * stride] = column[i] - slow[i];
    return IPOS_OK;
}

/* Paths of the sides without the trend, those of bands and cells without the path of the whole. */
static ipos_status take_apart(shot *s, bool level) {
    for (size_t i = 0; i < s->n; i++) {
        for (size_t k = 0; k < SIDES; k++)
            s->side[k][i] -= s->trend[i];
        for (size_t b = 0; b < BANDS; b++) {
            s->band[i * BANDS + b] -= s->whole[i];
            for (size_t k = 0; k < SIDES; k++)
                s->cell[k][i * BANDS + b] -= s->whole[i];
        }
    }
    for (size_t k = 0; k < SIDES && !level; k++) /* where drift goes too, halves must agree on it */
        IP_TRY(take_out_slow(s, s->side[k], 1));
    for (size_t b = 0; b < BANDS; b++) {
        IP_TRY(take_out_slow(s, s->band + b, BANDS));
        for (size_t k = 0; k < SIDES; k++)
            IP_TRY(take_out_slow(s, s->cell[k] + b, BANDS));
    }
    return IPOS_OK;
}

static double correlation(const double *a, const double *b, size_t n) {
    double aa = 0., bb = 0., ab = 0.;
    for (size_t i = 0; i < n; i++) {
        aa += a[i] * a[i];
        bb += b[i] * b[i];
        ab += a[i] * b[i];
    }
    return aa > 0. && bb > 0. ? ab / sqrt(aa * bb) : 0.;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of the deviations from the trend without the few largest. */
static double trimmed_rms(const shot *s) {
    size_t left = s->n - IP_MAX((size_t)1, (size_t)(OUTLIERS * (double)s->n));
    double sum = 0.;
    for (size_t i = 0; i < s->n; i++)
        s->scratch[i] = fabs(s->whole[i] - s->trend[i]);
    qsort(s->scratch, s->n, sizeof *s->scratch, ascending);
    for (size_t i = 0; i < left; i++)
        sum += s->scratch[i] * s->scratch[i];
    return sqrt(sum / (double)left);
}

/* Bands of which both halves were seen in most frames; what stands for the others comes from their neighbours. */
static size_t seen_bands(const shot *s, bool seen[BANDS]) {
    size_t all = 0;
    for (size_t b = 0; b < BANDS; b++) {
        size_t frames = 0;
        for (size_t i = 1; i < s->n; i++) {
            const ip_pair *pair = &s->pairs[(s->first + i) * LAGS];
            frames += pair->same && pair->cell[0][b].weight > 0.f && pair->cell[1][b].weight > 0.f;
        }
        seen[b] = 2 * frames >= s->n - 1;
        all += seen[b];
    }
    return all;
}

static double agreement_of_bands(const shot *s, double *const half[SIDES]) {
    bool seen[BANDS];
    double sum[3] = {0.};
    bool some = seen_bands(s, seen) >= SEEN_LEAST;
    for (size_t k = 0; k < BANDS; k++) {
        if (some && !seen[k])
            continue;
        for (size_t i = 0; i < s->n; i++) {
            double left = half[0][i * BANDS + k], right = half[1][i * BANDS + k];
            sum[0] += left * left;
            sum[1] += right * right;
            sum[2] += left * right;
        }
    }
    return sum[0] > 0. && sum[1] > 0. ? sum[2] / sqrt(sum[0] * sum[1]) : 0.;
}

static void judge(shot *s) {
    s->rms = trimmed_rms(s);
    s->agreement = correlation(s->side[0], s->side[1], s->n);
    s->bands_agreement = agreement_of_bands(s, s->cell);
    double sum = 0.;
    for (size_t i = 0; i < s->n * BANDS; i++)
        sum += s->band[i] * s->band[i];
    s->band_rms = sqrt(sum / (double)(s->n * BANDS));
}

/* Bands that are waves in time but for what their reading is off by are those waves: where the rest is small, or not the same in both halves of the picture. */
static ipos_status keep_waves(shot *s) {
    const size_t all = s->n * BANDS;
    double *left = ip_calloc(3 * all, sizeof *left), *half[SIDES] = {left + all, left + 2 * all}, share = 1., of_half;
    ipos_status status = left ? ip_deflicker_waves(s->band, s->n, BANDS, left, &share) : IPOS_ERR_NO_MEMORY;
    const bool open = share >= WAVES_LEAVE && share < WAVES_LEAVE_APART; /* the halves decide */
    for (size_t k = 0; k < SIDES && open && status == IPOS_OK; k++)
        status = ip_deflicker_waves(s->cell[k], s->n, BANDS, half[k], &of_half);
    if (status == IPOS_OK && (share < WAVES_LEAVE || (open && agreement_of_bands(s, half) < BANDS_AGREE_LEAST)))
        for (size_t i = 0; i < all; i++)
            s->band[i] -= left[i];
    ip_free(left);
    return status;
}

static float frame_confidence(const shot *s, size_t i) {
    float share = 0.f;
    for (size_t l = 0; l < LAGS; l++)
        for (size_t ahead = 0; ahead < 2; ahead++) {
            size_t lag = (size_t)ip_deflicker_lag[l], later = i + ahead * lag;
            if (later < s->n && later >= lag && s->pairs[(s->first + later) * LAGS + l].same)
                share = fmaxf(share, s->pairs[(s->first + later) * LAGS + l].share);
        }
    double apart = .5 * (s->side[0][i] - s->side[1][i]) / SIDES_DIFFER;
    return (float)(fmin(1., share / SHARE_FULL) / (1. + apart * apart));
}

static void give_gains(const shot *s, const ip_deflicker_options *options, ip_deflicker_plan *plan) {
    bool bands = s->band_rms > BAND_RMS_LEAST && s->bands_agreement > BANDS_AGREE_LEAST && !options->global_only;
    /* bands of which no whole number fits the picture move its mean, little, and blur what its halves say of that */
    bool whole = bands || (s->rms > RMS_LEAST && s->agreement > AGREE_LEAST);
    for (size_t i = 0; i < s->n; i++) {
        ip_deflicker_frame *f = &plan->frame[s->first + i];
        f->exposure = (float)s->whole[i];
        f->trend = (float)s->trend[i];
        f->confidence = frame_confidence(s, i);
        for (size_t b = 0; b < BANDS; b++)
            f->log_gain[b] = (float)((whole ? s->trend[i] - s->whole[i] : 0.) - (bands ? s->band[i * BANDS + b] : 0.));
    }
    plan->treated += whole || bands;
}

/* Sums for the plan's figures, by frames. */
static void account(const shot *s, ip_deflicker_plan *plan) {
    double n = (double)s->n;
    plan->rms += n * s->rms * s->rms;
    plan->band_rms += n * s->band_rms * s->band_rms;
    plan->agreement += n * s->agreement;
    plan->bands_agreement += n * s->bands_agreement;
    plan->reading.frames += (int64_t)s->n;
    for (size_t i = 0; i < s->n; i++)
        plan->reading.confidence += plan->frame[s->first + i].confidence;
}

static ipos_status plan_shot(const ip_pair *pairs, size_t first, size_t n, const ip_deflicker_options *options, ip_deflicker_plan *plan) {
    shot s;
    for (size_t i = 0; i < n; i++)
        plan->frame[first + i].shot = (int32_t)plan->shots;
    plan->shots++;
    if (n >= FRAMES_LEAST) {
        IP_TRY(shot_new(pairs, first, n, &s));
        ipos_status status = find_paths(&s);
        if (status == IPOS_OK)
            status = find_trend(&s, options->level);
        if (status == IPOS_OK)
            status = take_apart(&s, options->level);
        if (status == IPOS_OK) {
            judge(&s);
            status = keep_waves(&s);
        }
        if (status == IPOS_OK) {
            give_gains(&s, options, plan);
            account(&s, plan);
        }
        for (size_t i = 0; i < n && status == IPOS_OK; i++) {
            plan->stretches += s.step[i];
            plan->frame[first + i].stretch = (int32_t)plan->stretches;
        }
        shot_free(&s);
        IP_TRY(status);
    } else {
        for (size_t i = 0; i < n; i++)
            plan->frame[first + i].stretch = (int32_t)plan->stretches;
    }
    plan->stretches++;
    return IPOS_OK;
}

/* A cut before frame t: it does not show what the frame before shows, and most pairs across agree. */
static bool cut_before(const ip_pair *pairs, size_t count, size_t t) {
    size_t same = 0, across = 0;
    if (pairs[t * LAGS].same)
        return false;
    for (size_t l = 0; l < LAGS; l++) {
        size_t lag = (size_t)ip_deflicker_lag[l];
        for (size_t i = IP_MAX(t, lag); i < IP_MIN(count, t + lag); i++) {
            across++;
            same += pairs[i * LAGS + l].same;
        }
    }
    return 2 * same < across;
}

static ipos_status plan_shots(const ip_pair *pairs, const ip_deflicker_options *options, ip_deflicker_plan *plan) {
    for (size_t first = 0, end; first < plan->count; first = end) {
        end = first + 1;
        while (end < plan->count && !cut_before(pairs, plan->count, end))
            end++;
        IP_TRY(plan_shot(pairs, first, end - first, options, plan));
    }
    double n = (double)plan->reading.frames;
    if (n > 0.) {
        plan->rms = sqrt(plan->rms / n);
        plan->band_rms = sqrt(plan->band_rms / n);
        plan->agreement /= n;
        plan->bands_agreement /= n;
        plan->reading.confidence /= n;
    } else {
        ip_not_measurable(&plan->reading, "no %d frames in a row show the same things, of %zu frames in %lld shots", FRAMES_LEAST, plan->count,
            (long long)plan->shots);
    }
    return IPOS_OK;
}

ipos_status ip_deflicker_plans_new(const ip_look_source *source, const ip_deflicker_options *options, size_t count, ip_deflicker_plan *out) {
    ip_pair *pairs;
    memset(out, 0, count * sizeof *out);
    IP_TRY(ip_look_check(source, "deflicker"));
    IP_TRY(ip_deflicker_pairs(source, &pairs));
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < count && status == IPOS_OK; i++) {
        out[i].count = source->count;
        out[i].frame = ip_calloc(source->count, sizeof *out[i].frame);
        status = out[i].frame ? plan_shots(pairs, &options[i], &out[i]) : IPOS_ERR_NO_MEMORY;
    }
    ip_free(pairs);
    for (size_t i = 0; i < count && status != IPOS_OK; i++)
        ip_deflicker_plan_free(&out[i]);
    return status;
}

ipos_status ip_deflicker_plan_new(const ip_look_source *source, const ip_deflicker_options *options, ip_deflicker_plan *out) {
    const ip_deflicker_options defaults = {0};
    return ip_deflicker_plans_new(source, options ? options : &defaults, 1, out);
}

void ip_deflicker_plan_free(ip_deflicker_plan *plan) {
    ip_free(plan->frame);
    *plan = (ip_deflicker_plan){0};
}
