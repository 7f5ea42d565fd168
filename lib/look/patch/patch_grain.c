/* The grain of the target on what comes from the donor. */
#include "gauss.h"
#include "patch_internal.h"
#include <math.h>

enum { PART = 512, LEAST = 64 };
static const float MORE = 1.2f, LIKE = 1.33f; /* ratio of variances from which on the donor has more, and up to which both have the same */

/* A part of at most PART a side about the middle of a box. */
static ip_box_i part_about(ip_box_i box, int width, int height) {
    int w = IP_MIN(PART, width), h = IP_MIN(PART, height);
    int x = box.x + box.width / 2 - w / 2, y = box.y + box.height / 2 - h / 2;
    return (ip_box_i){IP_MAX(0, IP_MIN(width - w, x)), IP_MAX(0, IP_MIN(height - h, y)), w, h};
}

static ipos_status copy_part(const ip_image3 *image, ip_box_i box, ip_image3 *out) {
    IP_TRY(ip_image3_new(box.width, box.height, out));
    for (int c = 0; c < 3; c++) {
        const ip_plane_f part = ip_plane_part(&image->c[c], box);
        ip_plane_copy(&out->c[c], &part);
    }
    return IPOS_OK;
}

/* Frame `index` as middle (fetched unless given) and, unless alone, parts of those around it. */
ipos_status ip_patch_frames_get(const ip_look_source *source, size_t index, const ip_image3 *middle, ip_box_i around, bool alone, ip_patch_frames *out) {
    size_t first = alone ? index : index - IP_MIN(index, (size_t)IP_PATCH_REACH), last = alone ? index : IP_MIN(source->count - 1, index + IP_PATCH_REACH);
    *out = (ip_patch_frames){.part = part_about(around, source->width, source->height)};
    for (size_t i = first; i <= last; i++) {
        ip_image3 whole = {0};
        if (i == index && middle) {
            IP_TRY(copy_part(middle, out->part, &out->parts[out->count]));
        } else {
            IP_TRY(ip_look_fetch(source, i, 0, &whole));
            ip_look_code_image(source, &whole);
            ipos_status status = copy_part(&whole, out->part, &out->parts[out->count]);
            if (i == index)
                out->middle = whole;
            else
                ip_image3_free(&whole);
            IP_TRY(status);
        }
        if (i == index)
            out->at = out->count;
        out->count++;
    }
    return IPOS_OK;
}

void ip_patch_frames_free(ip_patch_frames *frames) {
    ip_image3_free(&frames->middle);
    for (size_t i = 0; i < IP_PATCH_WINDOW; i++)
        ip_image3_free(&frames->parts[i]);
}

static ipos_status fetch_part(void *user, size_t index, const ip_image3 *to) {
    const ip_patch_frames *frames = user;
    for (int c = 0; c < 3; c++) {
        ip_plane_f plane = to->c[c];
        ip_plane_copy(&plane, &frames->parts[index].c[c]);
    }
    return IPOS_OK;
}

static ipos_status measure(const ip_look_source *source, const ip_patch_frames *frames, float step, ip_grain *out) {
    *out = (ip_grain){0};
    if (frames->count < 3 || frames->part.width < LEAST || frames->part.height < LEAST) {
        snprintf(out->reason, sizeof out->reason, "%zu frames of %dx%d, at least 3 of %dx%d are needed", frames->count, frames->part.width, frames->part.height,
            LEAST, LEAST);
        return IPOS_OK;
    }
    const ip_grain_source frames_source = {frames->part.width, frames->part.height, frames->count, fetch_part, (void *)frames};
    const ip_grain_options options = {.unclipped = !(source->clip > 0.f), .step = step, .threads = source->threads, .pulse = source->pulse};
    return ip_grain_measure(&frames_source, &options, out);
}

/* Variance of a's grain over that of b, over the middle of the tones. */
static float ratio_of(const ip_grain *a, const ip_grain *b) {
    float va = 0.f, vb = 0.f;
    for (int c = 0; c < 3; c++)
        for (int i = 2; i <= 7; i++) {
            va += ip_grain_variance(a, c, .1f * (float)i);
            vb += ip_grain_variance(b, c, .1f * (float)i);
        }
    return vb > 0.f ? va / vb : 1.f;
}

/* The middle without grain, where its neighbours were kept: the part they cover, in place. */
static ipos_status remove_grain(ip_patch_work *w, const ip_grain *grain) {
    ip_patch_frames *f = &w->frames;
    const ip_image3 *before = f->at > 0 ? &f->parts[f->at - 1] : NULL, *after = f->at + 1 < f->count ? &f->parts[f->at + 1] : NULL;
    const ip_grain_remove_options options = {.threads = w->donor->threads, .pulse = w->donor->pulse};
    ip_image3 part = ip_image3_part(&f->middle, f->part);
    IP_TRY(ip_grain_remove(grain, before, &f->parts[f->at], after, &options, &part, NULL));
    w->out->grain_removed = true;
    return IPOS_OK;
}

/* Whether the donor's grain may stand for the target's. */
static ipos_status compare_donor(ip_patch_work *w, const ip_grain *grain, bool *alike) {
    ip_grain donor;
    *alike = w->donor->user == w->target->user && w->donor->fetch == w->target->fetch;
    if (*alike)
        return IPOS_OK;
    IP_TRY(measure(w->donor, &w->frames, w->options->step, &donor));
    if (!donor.measurable)
        return IPOS_OK;
    float ratio = ratio_of(&donor, grain);
    *alike = ratio < LIKE && ratio > 1.f / LIKE;
    return ratio > MORE && !*alike ? remove_grain(w, &donor) : IPOS_OK;
}

ipos_status ip_patch_grain_prepare(ip_patch_work *w, const ip_patch_frames *target, ip_grain *grain, bool *usable) {
    *usable = false;
    if (w->options->no_regrain) {
        ip_not_measurable(&w->out->regrain, "not asked for");
        return IPOS_OK;
    }
    if (w->options->grain)
        *grain = *w->options->grain;
    else
        IP_TRY(measure(w->target, target, w->options->step, grain));
    w->out->regrain = (ip_reading){.confidence = grain->confidence, .frames = grain->frames};
    if (!grain->measurable) {
        ip_not_measurable(&w->out->regrain, "%.150s", grain->reason);
        return IPOS_OK;
    }
    *usable = true;
    return compare_donor(w, grain, &w->alike);
}

ipos_status ip_patch_regrain(ip_patch_work *w, const ip_grain *grain, int64_t frame) {
    ip_grain_kernel kernel;
    ip_plane_f missing = {0};
    double sum = 0.;
    size_t count = 0;
    IP_TRY(ip_grain_make(grain, &kernel));
    IP_TRY(ip_plane_new(w->box.width, w->box.height, &missing));
    ipos_status status = ip_grain_missing(grain, &w->laid, w->alike ? &w->nearest : NULL, &w->alpha, w->target->threads, &missing);
    for (int y = 0; status == IPOS_OK && y < w->box.height; y++)
        for (int x = 0; x < w->box.width; x++)
            if (ip_row(&w->alpha, y)[x] > 0.f) {
                sum += ip_row(&missing, y)[x];
                count++;
            }
    w->out->grain_added = count ? sum / (double)count : 0.;
    const ip_grain_add_options options = {.seed = w->options->seed, .frame = frame, .x = w->box.x, .y = w->box.y, .missing = &missing,
        .threads = w->target->threads};
    if (status == IPOS_OK)
        status = ip_grain_add(grain, &kernel, &options, &w->laid);
    ip_plane_free(&missing);
    return status;
}

enum { POWER_WINDOW = 4 };
static const float TIMES_MOST = 2.f;
static const double WHITE_RESPONSE = 36.; /* power of second differences of white noise */
static const double FINE_SIGMA = 1.5, FINEST_SIGMA = .7; /* pixels: of the blur that takes away what interpolation does, and what even long filters do */

/* Fine detail of one channel as laid, and as the donor's nearest pixels have it; adds to the power and the squared gradient. */
static void split_fine(const ip_patch_work *w, int c, ip_plane_f soft[2], ip_plane_f *power, ip_plane_f *steep, ip_plane_f *tmp) {
    const int threads = w->target->threads;
    ip_gauss_blur(&w->laid.c[c], &soft[0], tmp, FINE_SIGMA, threads);
    ip_gauss_blur(&w->nearest.c[c], &soft[1], tmp, FINE_SIGMA, threads);
    for (int y = 1; y + 1 < power->height; y++)
        for (int x = 1; x + 1 < power->width; x++) {
            float fine = ip_row(&w->nearest.c[c], y)[x] - ip_row(&soft[1], y)[x];
            float gx = .5f * (ip_row(&soft[0], y)[x + 1] - ip_row(&soft[0], y)[x - 1]), gy = .5f * (ip_row(&soft[0], y + 1)[x] - ip_row(&soft[0], y - 1)[x]);
            float p = fine * fine, g = gx * gx + gy * gy;
            ip_row(power, y)[x] += isfinite(p) ? p : 0.f;
            ip_row(steep, y)[x] += isfinite(g) ? g : 0.f;
        }
}

/* 1 where the donor's nearest pixels may stand for what lies between them, 0 where steps would show: the squared gradient of what is coarser is three times
 * the fine power on an edge, a quarter of it on grainy texture, and a fiftieth in grain alone. Into power. */
static void weigh(ip_plane_f *power, const ip_plane_f *steep) {
    for (int y = 0; y < power->height; y++)
        for (int x = 0; x < power->width; x++) {
            float p = ip_row(power, y)[x], g = ip_row(steep, y)[x], times = p > 0.f ? g / p : INFINITY;
            ip_row(power, y)[x] = 1.f / (1.f + times * times * times * times);
        }
}

/* What lies beside the matte says of fine detail: gain, the target's deviation over the donor's, as a codec leaves one frame more of it than the next; grain,
 * near 1 where the two frames' have nothing in common, near 0 where they are alike: that is detail of the scene, which wants its exact place. */
typedef struct beside {
    float gain, grain;
} beside;

static beside look_beside(const ip_patch_work *w, int c, const ip_plane_f soft[2], const ip_plane_f *share, ip_plane_f *tmp, ip_plane_f *own_soft) {
    const ip_plane_f own = ip_plane_part(&w->image->c[c], w->box);
    double target = 0., donor = 0., laid = 0., both = 0.;
    ip_gauss_blur(&own, own_soft, tmp, FINE_SIGMA, w->target->threads);
    for (int y = 0; y < own.height; y++)
        for (int x = 0; x < own.width; x++) {
            float a = ip_row(&own, y)[x] - ip_row(own_soft, y)[x], b = ip_row(&w->nearest.c[c], y)[x] - ip_row(&soft[1], y)[x];
            float d = ip_row(&w->laid.c[c], y)[x] - ip_row(&soft[0], y)[x], s = ip_row(share, y)[x];
            if (ip_row(&w->alpha, y)[x] > 0.f || !(ip_row(&w->there, y)[x] > 0.f) || !isfinite(a * b * d))
                continue;
            target += s * a * a;
            donor += s * b * b;
            laid += s * d * d;
            both += s * a * d;
        }
    if (!(target > 0. && donor > 0. && laid > 0.))
        return (beside){1.f, 0.f};
    double alike = fmax(0., fmin(1., both / sqrt(target * laid))), odds = alike < 1. ? alike / (1. - alike) : INFINITY;
    return (beside){fmaxf(1.f / TIMES_MOST, fminf(TIMES_MOST, (float)sqrt(target / donor))), (float)(1. / (1. + odds * odds * odds * odds))};
}

/* Fine detail of the donor's nearest pixels in place of the interpolated. */
static void exchange(ip_patch_work *w, int c, const ip_plane_f soft[2], const ip_plane_f *share, beside found) {
    for (int y = 0; y < w->box.height; y++)
        for (int x = 0; x < w->box.width; x++) {
            float *laid = &ip_row(&w->laid.c[c], y)[x];
            float more = found.gain * (ip_row(&w->nearest.c[c], y)[x] - ip_row(&soft[1], y)[x]) - (*laid - ip_row(&soft[0], y)[x]);
            if (isfinite(more))
                *laid += found.grain * ip_row(share, y)[x] * more;
        }
}

/* What is finest, of which even long filters keep but a part between pixels, and a codec more in one frame than in the next: as strong as the target's beside
 * the matte. */
static void strengthen(ip_patch_work *w, int c, const ip_plane_f *share, ip_plane_f *tmp, ip_plane_f soft[2]) {
    const ip_plane_f own = ip_plane_part(&w->image->c[c], w->box);
    double target = 0., laid = 0.;
    ip_gauss_blur(&own, &soft[0], tmp, FINEST_SIGMA, w->target->threads);
    ip_gauss_blur(&w->laid.c[c], &soft[1], tmp, FINEST_SIGMA, w->target->threads);
    for (int y = 0; y < own.height; y++)
        for (int x = 0; x < own.width; x++) {
            float a = ip_row(&own, y)[x] - ip_row(&soft[0], y)[x], b = ip_row(&w->laid.c[c], y)[x] - ip_row(&soft[1], y)[x], s = ip_row(share, y)[x];
            if (ip_row(&w->alpha, y)[x] > 0.f || !(ip_row(&w->there, y)[x] > 0.f) || !isfinite(a * b))
                continue;
            target += s * a * a;
            laid += s * b * b;
        }
    float gain = target > 0. && laid > 0. ? fmaxf(1.f / TIMES_MOST, fminf(TIMES_MOST, (float)sqrt(target / laid))) : 1.f;
    for (int y = 0; y < own.height; y++)
        for (int x = 0; x < own.width; x++) {
            float *at = &ip_row(&w->laid.c[c], y)[x], more = (gain - 1.f) * ip_row(share, y)[x] * (*at - ip_row(&soft[1], y)[x]);
            if (isfinite(more))
                *at += more;
        }
}

/* Half-way between pixels nothing is left of what is finest for any gain to bring back: noise takes its place, in the measure that it lacks beside the matte. One
 * noise for all channels, as sensors' and codecs' is mostly of brightness. */
static void make_noise(const ip_patch_work *w, int64_t frame, ip_plane_f *noise, ip_plane_f *soft, ip_plane_f *tmp) {
    for (int y = 0; y < noise->height; y++)
        for (int x = 0; x < noise->width; x++) {
            ip_rng rng = ip_rng_at(w->options->seed, (uint64_t)(uint32_t)(w->box.y + y) << 32 | (uint32_t)(w->box.x + x));
            rng.counter = (uint64_t)frame * 2;
            ip_row(noise, y)[x] = (float)ip_rng_normal(&rng);
        }
    ip_gauss_blur(noise, soft, tmp, FINEST_SIGMA, w->target->threads);
    for (int y = 0; y < noise->height; y++)
        for (int x = 0; x < noise->width; x++)
            ip_row(noise, y)[x] -= ip_row(soft, y)[x];
}

/* Mean power of second differences beside the matte, each pixel by its share. */
static double finest_beside(const ip_patch_work *w, const ip_plane_f *plane, const ip_plane_f *share, ip_plane_f *power) {
    double sum = 0., weight = 0.;
    ip_grain_second_difference(plane, 1, power, w->target->threads);
    for (int y = 1; y + 1 < plane->height; y++)
        for (int x = 1; x + 1 < plane->width; x++)
            if (!(ip_row(&w->alpha, y)[x] > 0.f) && ip_row(&w->there, y)[x] > 0.f && isfinite(ip_row(power, y)[x])) {
                sum += ip_row(share, y)[x] * ip_row(power, y)[x];
                weight += ip_row(share, y)[x];
            }
    return weight > 0. ? sum / weight : 0.;
}

static void add_finest(ip_patch_work *w, int c, const ip_plane_f *share, const ip_plane_f *noise, double unit, ip_plane_f *power, ip_plane_f *tmp) {
    const ip_plane_f own = ip_plane_part(&w->image->c[c], w->box);
    const double rounding = WHITE_RESPONSE * (double)(w->options->step * w->options->step) / 12.; /* comes by itself when codes are written */
    const double target = finest_beside(w, &own, share, power) - rounding, laid = finest_beside(w, &w->laid.c[c], share, power);
    const float lacking = laid > 0. && unit > 0. ? (float)(fmin(TIMES_MOST * TIMES_MOST, target / laid) - 1.) : 0.f;
    ip_box_blur(power, power, tmp, POWER_WINDOW, POWER_WINDOW, w->target->threads); /* where little was laid, little is lacking */
    for (int y = 0; y < own.height && lacking > 0.f; y++)
        for (int x = 0; x < own.width; x++)
            ip_row(&w->laid.c[c], y)[x] += sqrtf(lacking * ip_row(share, y)[x] * ip_row(power, y)[x] / (float)unit) * ip_row(noise, y)[x];
}

static double mean_share(const ip_patch_work *w, const ip_plane_f *share) {
    double sum = 0., count = 0.;
    for (int y = 0; y < w->box.height; y++)
        for (int x = 0; x < w->box.width; x++)
            if (ip_row(&w->alpha, y)[x] > 0.f) {
                sum += ip_row(share, y)[x];
                count++;
            }
    return count > 0. ? sum / count : 0.;
}

ipos_status ip_patch_keep_grain(ip_patch_work *w, int64_t frame) {
    enum { POWER, STEEP, TMP, OWN, NOISE, SOFT, PARTS = SOFT + 6 };
    const int width = w->box.width, height = w->box.height, threads = w->target->threads;
    ip_plane_f part[PARTS] = {0};
    ipos_status status = ip_planes_new(width, height, part, PARTS);
    if (status == IPOS_OK) {
        ip_plane_fill(&part[POWER], 0.f);
        ip_plane_fill(&part[STEEP], 0.f);
        for (int c = 0; c < 3; c++)
            split_fine(w, c, &part[SOFT + 2 * c], &part[POWER], &part[STEEP], &part[TMP]);
        ip_box_blur(&part[POWER], &part[POWER], &part[TMP], POWER_WINDOW, POWER_WINDOW, threads);
        ip_box_blur(&part[STEEP], &part[STEEP], &part[TMP], 1, 1, threads);
        weigh(&part[POWER], &part[STEEP]);
        const double share = mean_share(w, &part[POWER]);
        make_noise(w, frame, &part[NOISE], &part[OWN], &part[TMP]);
        const double unit = finest_beside(w, &part[NOISE], &part[POWER], &part[OWN]);
        for (int c = 0; c < 3; c++) {
            const beside found = look_beside(w, c, &part[SOFT + 2 * c], &part[POWER], &part[TMP], &part[OWN]);
            exchange(w, c, &part[SOFT + 2 * c], &part[POWER], found);
            strengthen(w, c, &part[POWER], &part[TMP], (ip_plane_f[]){part[OWN], part[SOFT + 2 * c]});
            add_finest(w, c, &part[POWER], &part[NOISE], unit, &part[OWN], &part[TMP]);
            w->out->grain_kept += share * (double)found.grain / 3.;
        }
    }
    ip_planes_free(part, PARTS);
    return status;
}
