/* The halo around compact lamps: where to look, and the fit. Gradients rather than values, so that the scene's own level around a lamp
 * does not count; each lamp's surround differs, only the halo is common to all. */
#include "bloom.h"
#include "fit.h"
#include "gauss.h"
#include <math.h>

enum { FRAMES = 8, WORK_WIDTH = 960, PIXELS = 40000, CHANNELS = 4, ROUNDS = 3, PART = 96, PARTS = 4 };
static const double SIGMAS[IP_BLOOM_KERNELS] = {1.5, 2.1, 3., 4.2, 6., 8.5, 12., 17., 24.};
static const float BLOB_LEAST = 3.f, BLOB_MOST = 600.f;    /* pixels at 640 wide */
static const float REACH = 48.f, CLEAR = 2.f, REJECTED_CLEAR = 12.f;
static const float DARK_SURROUND = .25f, DARK_PIXEL = .6f; /* of display white */
static const double EXPLAINED_LEAST = .02;
static const double SPREAD_MOST = .12;
static const double RADIUS_LEAST = 2.5; /* pixels of the work; less is how soft the picture is */
static const size_t ROWS_LEAST = 2000;

typedef struct frame_work {
    ip_image3 image;
    ip_plane_f luma, source, taken, rejected;
    ip_plane_f to_source, to_taken, to_rejected;
    ip_plane_f light[CHANNELS]; /* of the lamps: luma, R, G, B */
    float white, threshold;
    int step; /* every step-th row and column is used */
} frame_work;

typedef struct measuring {
    const ip_look_source *source;
    frame_work frame[FRAMES];
    size_t frames, lamps;
    ip_fit_rows rows[CHANNELS];
    ip_bloom *out;
} measuring;

static ipos_status new_planes(frame_work *f) {
    int w = f->image.c[0].width, h = f->image.c[0].height;
    ip_plane_f *all[] = {&f->luma, &f->source, &f->taken, &f->rejected, &f->to_source, &f->to_taken, &f->to_rejected};
    for (size_t i = 0; i < IP_COUNT(all); i++)
        IP_TRY(ip_plane_new(w, h, all[i]));
    return ip_planes_new(w, h, f->light, CHANNELS);
}

static void free_frame(frame_work *f) {
    ip_plane_f *all[] = {&f->luma, &f->source, &f->taken, &f->rejected, &f->to_source, &f->to_taken, &f->to_rejected};
    for (size_t i = 0; i < IP_COUNT(all); i++)
        ip_plane_free(all[i]);
    ip_planes_free(f->light, CHANNELS);
    ip_image3_free(&f->image);
}

static void find_sources(frame_work *f) {
    for (int y = 0; y < f->luma.height; y++)
        for (int x = 0; x < f->luma.width; x++) {
            float r = ip_row(&f->image.c[0], y)[x], g = ip_row(&f->image.c[1], y)[x], b = ip_row(&f->image.c[2], y)[x];
            ip_row(&f->luma, y)[x] = ip_luma_of(r, g, b);
            ip_row(&f->source, y)[x] = fmaxf(r, fmaxf(g, b)) >= f->threshold ? 1.f : 0.f;
        }
}

/* Median luma of what is no source within 12 pixels of the blob's box. */
static float surround(const frame_work *f, ip_box_i box, float *values) {
    size_t n = 0;
    for (int y = IP_MAX(0, box.y - 12); y < IP_MIN(f->luma.height, box.y + box.height + 12); y++)
        for (int x = IP_MAX(0, box.x - 12); x < IP_MIN(f->luma.width, box.x + box.width + 12); x++)
            if (!(ip_row(&f->source, y)[x] > 0.f))
                values[n++] = ip_row(&f->luma, y)[x];
    return n ? ip_select(values, n, n / 2) : INFINITY;
}

/* The 8-connected blob at (x, y), into stack; marks it seen. Returns its size. */
static size_t flood(const frame_work *f, const ip_plane_f *seen, int x, int y, int *stack, ip_box_i *box) {
    int w = f->luma.width, h = f->luma.height, left = x, right = x, top = y, bottom = y;
    size_t count = 1;
    stack[0] = y * w + x;
    ip_row(seen, y)[x] = 1.f;
    for (size_t i = 0; i < count; i++) {
        int px = stack[i] % w, py = stack[i] / w;
        left = IP_MIN(left, px), right = IP_MAX(right, px), top = IP_MIN(top, py), bottom = IP_MAX(bottom, py);
        for (int ny = IP_MAX(0, py - 1); ny <= IP_MIN(h - 1, py + 1); ny++)
            for (int nx = IP_MAX(0, px - 1); nx <= IP_MIN(w - 1, px + 1); nx++)
                if (ip_row(&f->source, ny)[nx] > 0.f && !(ip_row(seen, ny)[nx] > 0.f)) {
                    ip_row(seen, ny)[nx] = 1.f;
                    stack[count++] = ny * w + nx;
                }
    }
    *box = (ip_box_i){left, top, right - left + 1, bottom - top + 1};
    return count;
}

/* Sorts the sources into lamps and others; returns the number of lamps. */
static ipos_status sort_sources(frame_work *f, size_t *lamps) {
    int w = f->luma.width, h = f->luma.height;
    ip_plane_f *seen = &f->to_source; /* free until the distances are made */
    float area = (float)w * (float)w / (640.f * 640.f);
    int *stack = ip_alloc((size_t)w * (size_t)h * (sizeof(int) + sizeof(float)));
    if (!stack)
        return IPOS_ERR_NO_MEMORY;
    float *values = (float *)(stack + (size_t)w * (size_t)h);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            if (!(ip_row(&f->source, y)[x] > 0.f) || ip_row(seen, y)[x] > 0.f)
                continue;
            ip_box_i box;
            size_t size = flood(f, seen, x, y, stack, &box);
            bool lamp = (float)size >= BLOB_LEAST && (float)size <= BLOB_MOST * fmaxf(1.f, area) &&
                surround(f, box, values) < DARK_SURROUND * f->white;
            *lamps += lamp;
            for (size_t i = 0; i < size; i++)
                ip_row(lamp ? &f->taken : &f->rejected, stack[i] / w)[stack[i] % w] = 1.f;
        }
    ip_free(stack);
    return IPOS_OK;
}

static bool usable(const frame_work *f, int x, int y) {
    return x > 0 && y > 0 && x < f->luma.width - 1 && y < f->luma.height - 1 && ip_row(&f->to_taken, y)[x] <= REACH &&
        ip_row(&f->to_source, y)[x] > CLEAR && ip_row(&f->to_rejected, y)[x] > REJECTED_CLEAR && ip_row(&f->luma, y)[x] < DARK_PIXEL * f->white;
}

static const ip_plane_f *seen_plane(const frame_work *f, int channel) { return channel == 0 ? &f->luma : &f->image.c[channel - 1]; }

/* What shines: sources, with their soft rims where samples do not end; where they do, the rim holds more halo than light, against them. */
static void light_of_lamps(frame_work *f, bool clipped) {
    float rim = clipped ? 0.f : CLEAR;
    for (int c = 0; c < CHANNELS; c++)
        for (int y = 0; y < f->luma.height; y++)
            for (int x = 0; x < f->luma.width; x++)
                ip_row(&f->light[c], y)[x] = ip_row(&f->to_source, y)[x] <= rim ? ip_row(seen_plane(f, c), y)[x] : 0.f;
}

/* share: of the frames looked at, for the number of pixels taken from each. */
static ipos_status prepare(measuring *m, size_t index, size_t share) {
    frame_work *f = &m->frame[m->frames++];
    IP_TRY(ip_look_fetch(m->source, index, WORK_WIDTH, &f->image));
    IP_TRY(new_planes(f));
    f->white = m->source->clip > 0.f ? m->source->clip : 1.f;
    f->threshold = m->source->clip > 0.f ? .98f * f->white : 1.f;
    find_sources(f);
    IP_TRY(sort_sources(f, &m->lamps));
    ip_distance_to(&f->source, &f->to_source);
    ip_distance_to(&f->taken, &f->to_taken);
    ip_distance_to(&f->rejected, &f->to_rejected);
    light_of_lamps(f, m->source->clip > 0.f);
    size_t n = 0;
    for (int y = 0; y < f->luma.height; y++)
        for (int x = 0; x < f->luma.width; x++)
            n += usable(f, x, y);
    f->step = (int)ceil(sqrt((double)IP_MAX(n, (size_t)1) * (double)share / PIXELS));
    return IPOS_OK;
}

static float slope(const ip_plane_f *plane, int x, int y, int axis) {
    return axis == 0 ? .5f * (ip_row(plane, y)[x + 1] - ip_row(plane, y)[x - 1]) : .5f * (ip_row(plane, y + 1)[x] - ip_row(plane, y - 1)[x]);
}

static ipos_status add_rows(measuring *m, const frame_work *f, int channel, const ip_plane_f *halo) {
    for (int y = 0; y < f->luma.height; y += f->step)
        for (int x = 0; x < f->luma.width; x += f->step) {
            if (!usable(f, x, y))
                continue;
            uint8_t part = (uint8_t)(2 * (y / PART & 1) + (x / PART & 1));
            for (int axis = 0; axis < 2; axis++) {
                ip_fit_row row = {.y = slope(seen_plane(f, channel), x, y, axis), .weight = 1.f, .tag = part};
                for (int k = 0; k < IP_BLOOM_KERNELS; k++)
                    row.x[k] = slope(&halo[k], x, y, axis);
                IP_TRY(ip_fit_add(&m->rows[channel], &row));
            }
        }
    return IPOS_OK;
}

static ipos_status collect(measuring *m, int channel) {
    m->rows[channel] = (ip_fit_rows){.unknowns = IP_BLOOM_KERNELS, .row = m->rows[channel].row, .room = m->rows[channel].room};
    for (size_t i = 0; i < m->frames; i++) {
        const frame_work *f = &m->frame[i];
        ip_plane_f halo[IP_BLOOM_KERNELS + 1];
        IP_TRY(ip_planes_new(f->luma.width, f->luma.height, halo, IP_BLOOM_KERNELS + 1));
        for (int k = 0; k < IP_BLOOM_KERNELS; k++)
            ip_gauss_blur(&f->light[channel], &halo[k], &halo[IP_BLOOM_KERNELS], SIGMAS[k], m->source->threads);
        ipos_status status = add_rows(m, f, channel, halo);
        ip_planes_free(halo, IP_BLOOM_KERNELS + 1);
        IP_TRY(status);
    }
    return IPOS_OK;
}

/* Takes what the fit says of the halo inside the lamps from their light, so that weights refer to light and not to light with halo. */
static ipos_status refine_light(measuring *m, int channel, const double *weight) {
    for (size_t i = 0; i < m->frames; i++) {
        frame_work *f = &m->frame[i];
        ip_plane_f part[3];
        IP_TRY(ip_planes_new(f->luma.width, f->luma.height, part, 3));
        for (int k = 0; k < IP_BLOOM_KERNELS; k++) {
            ip_gauss_blur(&f->light[channel], &part[0], &part[1], SIGMAS[k], m->source->threads);
            for (int y = 0; y < part[0].height; y++)
                for (int x = 0; x < part[0].width; x++)
                    ip_row(&part[2], y)[x] += (float)weight[k] * ip_row(&part[0], y)[x];
        }
        for (int y = 0; y < f->luma.height; y++)
            for (int x = 0; x < f->luma.width; x++)
                if (ip_row(&f->to_source, y)[x] <= CLEAR)
                    ip_row(&f->light[channel], y)[x] = fmaxf(0.f, ip_row(seen_plane(f, channel), y)[x] - ip_row(&part[2], y)[x]);
        ip_planes_free(part, 3);
    }
    return IPOS_OK;
}

static double half_radius(const ip_bloom *bloom, const ip_bloom_channel *channel) {
    double low = 0., high = 8. * bloom->sigma[IP_BLOOM_KERNELS - 1];
    for (int i = 0; i < 60; i++) {
        double middle = .5 * (low + high);
        if (ip_bloom_within(bloom, channel, middle) < .5)
            low = middle;
        else
            high = middle;
    }
    return .5 * (low + high);
}

static double sum_of(const double *weight) {
    double sum = 0.;
    for (int k = 0; k < IP_BLOOM_KERNELS; k++)
        sum += weight[k];
    return sum;
}

/* The jackknife's standard error of a logarithm (Efron, 1982). */
static double jackknife(const double value[PARTS]) {
    double mean = 0., square = 0.;
    for (int i = 0; i < PARTS; i++)
        mean += value[i] / PARTS;
    for (int i = 0; i < PARTS; i++)
        square += (value[i] - mean) * (value[i] - mean);
    return sqrt(square * (PARTS - 1.) / PARTS);
}

/* Gradients that 8-bit codes round to nothing. */
static double rounding(const measuring *m) { return 4e-4 * m->source->clip; }

/* How far radius and strength hang on which parts of the pictures are looked at: relative standard error of the worse. */
static ipos_status spread_over_parts(const measuring *m, int channel, double *spread) {
    double radius[PARTS], sum[PARTS];
    for (int i = 0; i < PARTS; i++) {
        const ip_fit_options options = {.tags = ((1u << PARTS) - 1) & ~(1u << i), .iterations = 12, .positive = true, .floor = rounding(m)};
        ip_fit_result fit;
        ip_bloom_channel part = {0};
        IP_TRY(ip_fit(&m->rows[channel], &options, &fit));
        memcpy(part.weight, fit.solution, sizeof part.weight);
        sum[i] = log(fmax(1e-12, sum_of(part.weight)));
        radius[i] = log(fmax(1e-3, half_radius(m->out, &part)));
    }
    *spread = fmax(jackknife(radius), m->out->strength_known ? jackknife(sum) : 0.);
    return IPOS_OK;
}

static void judge(const measuring *m, const ip_fit_result *fit, double spread, ip_bloom_channel *out) {
    memcpy(out->weight, fit->solution, sizeof out->weight);
    double sum = sum_of(out->weight);
    out->explained = fit->explained;
    out->reading.frames = (int64_t)m->frames;
    if (m->lamps == 0)
        ip_not_measurable(&out->reading, "no compact highlight against a dark surround in %zu frames", m->frames);
    else if (fit->rows < ROWS_LEAST)
        ip_not_measurable(&out->reading, "only %zu gradients around %zu highlights, at least %zu are needed", fit->rows, m->lamps, ROWS_LEAST);
    else if (!(fit->explained >= EXPLAINED_LEAST) || !(sum > 0.))
        ip_not_measurable(&out->reading, "a halo explains %.4f of the gradients around %zu highlights, at least %.2f is needed", fit->explained,
            m->lamps, EXPLAINED_LEAST);
    else if (!(spread <= SPREAD_MOST))
        ip_not_measurable(&out->reading, "parts of the pictures disagree: standard error %.0f %%, at most %.0f %% is allowed", 100. * spread,
            100. * SPREAD_MOST);
    else if (half_radius(m->out, out) < RADIUS_LEAST * m->out->sigma[0] / SIGMAS[0])
        ip_not_measurable(&out->reading, "a radius of %.1f pixels is the softness of edges, no halo", half_radius(m->out, out));
    else
        out->reading.confidence = fit->explained / (fit->explained + EXPLAINED_LEAST) * (1. - spread / (2. * SPREAD_MOST));
    if (!ip_measured(&out->reading))
        return;
    out->radius = half_radius(m->out, out);
    out->strength = m->out->strength_known ? sum / (1. + sum) : 0.;
}

static ipos_status measure_channel(measuring *m, int channel) {
    ip_bloom_channel *out = channel == 0 ? &m->out->luma : &m->out->channel[channel - 1];
    const ip_fit_options options = {.tags = (1u << PARTS) - 1, .iterations = 25, .positive = true, .floor = rounding(m)};
    ip_fit_result fit = {0};
    for (int round = 0; round < (m->out->strength_known ? ROUNDS : 1); round++) {
        if (!ip_alive(m->source->pulse))
            return ip_fail(IPOS_ERR_CANCELLED, "bloom: cancelled");
        if (round > 0)
            IP_TRY(refine_light(m, channel, fit.solution));
        IP_TRY(collect(m, channel));
        IP_TRY(ip_fit(&m->rows[channel], &options, &fit));
        if (!(fit.explained >= EXPLAINED_LEAST))
            break;
    }
    double spread = 0.;
    if (fit.explained >= EXPLAINED_LEAST)
        IP_TRY(spread_over_parts(m, channel, &spread));
    judge(m, &fit, spread, out);
    return IPOS_OK;
}

ipos_status ip_bloom_measure(const ip_look_source *source, ip_bloom *out) {
    *out = (ip_bloom){.strength_known = source->clip <= 0.f, .width = source->width};
    IP_TRY(ip_look_check(source, "bloom"));
    measuring *m = ip_calloc(1, sizeof *m);
    if (!m)
        return IPOS_ERR_NO_MEMORY;
    m->source = source;
    m->out = out;
    size_t chosen = ip_look_spread(source->count, FRAMES);
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < chosen && status == IPOS_OK; i++)
        status = prepare(m, ip_look_spread_at(source->count, chosen, i), chosen);
    for (int k = 0; k < IP_BLOOM_KERNELS && status == IPOS_OK; k++)
        out->sigma[k] = ip_gauss_sigma(SIGMAS[k]) * source->width / m->frame[0].luma.width;
    for (int c = 0; c < CHANNELS && status == IPOS_OK; c++)
        status = measure_channel(m, c);
    for (size_t i = 0; i < m->frames; i++)
        free_frame(&m->frame[i]);
    for (int c = 0; c < CHANNELS; c++)
        ip_fit_free(&m->rows[c]);
    ip_free(m);
    return status;
}
