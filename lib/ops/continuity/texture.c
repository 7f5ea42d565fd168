/* Grain, sharpness and bloom of a shot brought to the reference's, where both can be measured and differ. */
#include "bloom.h"
#include "continuity_op.h"
#include "fit.h"
#include "gauss.h"
#include "sharp.h"

#include <math.h>

/* Differences below these are within what a measurement may be wrong by: nothing is done about them. */
static const double GRAIN_WORTH = 1.2, SHARP_WORTH = .15, BLOOM_WORTH = .15;
static const double SURE = .3, SHARPEN_MOST = 1.5, DETAIL_SIGMA = 1;

struct ic_texture {
    ip_bloom own_bloom, other_bloom;
    bool bloom, grain;       /* grain: there is some to add */
    double blur, sharpen;    /* sigma in pixels; gain on what a blur of DETAIL_SIGMA takes away; 0: none */
    double remove;           /* share of the grain to take out, before more is added */
    ip_grain own, added;     /* own: as the shot is, to take out */
    ip_grain_kernel kernel;
    uint64_t seed;
    int threads;
};

/* The reference is the same for every shot of a run. */
struct ic_known {
    ip_grain grain;
    ip_sharp sharp;
    ip_bloom bloom;
};

/* ---- grain */

typedef struct graded {
    ip_shot *shot;
    const ip_grade *grade;
} graded;

static ipos_status fetch_graded(void *user, size_t index, const ip_image3 *to) {
    const graded *g = user;
    IP_TRY(ip_shot_frame(g->shot, index, true, to));
    ip_grade_apply(g->grade, to, g->shot->clip.host->threads);
    return IPOS_OK;
}

/* Footage too small to measure is no failure. */
static ipos_status measure_grain(ip_shot *shot, const ip_grade *grade, const ip_pulse *pulse, ip_grain *out) {
    graded user = {shot, grade};
    ip_grain_options options;
    ip_grain_source source = ip_shot_grain_source(shot, &options, pulse);
    if (grade) {
        source.fetch = fetch_graded;
        source.user = &user;
    }
    *out = (ip_grain){0};
    ipos_status status = ip_grain_measure(&source, &options, out);
    if (status != IPOS_ERR_ARGUMENT)
        return status;
    *out = (ip_grain){.reason = "the frames are too small"};
    return IPOS_OK;
}

/* Median over the levels both show of own over other variance, all channels together; 0: no level. */
static double variance_ratio(const ip_grain *own, const ip_grain *other) {
    float ratio[IP_GRAIN_BINS];
    size_t count = 0;
    for (int b = 0; b < IP_GRAIN_BINS; b++) {
        const ip_grain_bin *bin = &own->bins[b];
        double a = 0, z = 0;
        for (int c = 0; c < 3; c++) {
            a += (double)bin->variance[c];
            z += (double)ip_grain_variance(other, c, bin->level);
        }
        if (bin->confidence >= .4f && z > 0)
            ratio[count++] = (float)(a / z);
    }
    return count ? (double)ip_select(ratio, count, count / 2) : 0;
}

/* What is missing at each level once `left` of the own variance is there. */
static void lacking(ip_grain *added, const ip_grain *own, double left) {
    for (int b = 0; b < IP_GRAIN_BINS; b++)
        for (int c = 0; c < 3; c++)
            added->bins[b].variance[c] = fmaxf(0, added->bins[b].variance[c] - (float)left * ip_grain_variance(own, c, added->bins[b].level));
}

static ipos_status compare_grain(ic_run *run, ic_part *part, const ip_grade *grade, ic_texture *t, json_t *note) {
    ip_grain *behind = ip_calloc(1, sizeof *behind);
    if (!behind)
        return IPOS_ERR_NO_MEMORY;
    double ratio = 0;
    ipos_status status = measure_grain(&part->shot, grade, &run->teller.pulse, behind);
    t->added = run->known->grain;
    if (status == IPOS_OK && t->added.measurable && behind->measurable)
        ratio = variance_ratio(behind, &t->added);
    if (status == IPOS_OK && ratio > GRAIN_WORTH) {
        status = measure_grain(&part->shot, NULL, &run->teller.pulse, &t->own);
        t->remove = t->own.measurable ? 1 - sqrt(1 / ratio) : 0;
    } else if (status == IPOS_OK && ratio > 0 && ratio < 1 / GRAIN_WORTH) {
        lacking(&t->added, behind, 1);
        status = ip_grain_make(&t->added, &t->kernel);
        t->grain = status == IPOS_OK;
    }
    const char *why = !behind->measurable ? behind->reason : !t->added.measurable ? t->added.reason : "";
    if (status == IPOS_OK && (*why || !ratio))
        json_object_set_new(note, "grain", json_pack("{s:s}", "reason", *why ? why : "no level that both have"));
    else if (status == IPOS_OK)
        json_object_set_new(note, "grain", json_pack("{s:f, s:f, s:b}", "variance_ratio", ratio, "removed", t->remove, "added", t->grain));
    ip_free(behind);
    return status;
}

/* ---- sharpness */

static double modulation(const ip_sharp *sharp, double frequency) {
    double at = fmin(fmax(frequency * 40, 0), IP_SHARP_FREQUENCIES - 1);
    int i = IP_MIN((int)at, IP_SHARP_FREQUENCIES - 2);
    return sharp->curve[i] + (at - i) * (sharp->curve[i + 1] - sharp->curve[i]);
}

/* The own curve brought to a half where the reference's is. */
static void choose_sharpness(const ip_sharp *own, const ip_sharp *other, ic_texture *t) {
    const double f = other->mtf50, at = fmax(modulation(own, f), .05), wave = 2 * acos(-1.) * f;
    if (at > .5) {
        t->blur = sqrt(2 * log(at / .5)) / wave;
    } else {
        double taken = 1 - exp(-wave * wave * DETAIL_SIGMA * DETAIL_SIGMA / 2);
        t->sharpen = fmin((.5 / at - 1) / fmax(taken, .1), SHARPEN_MOST);
    }
}

static ipos_status measure_sharp(ip_shot *shot, const ip_pulse *pulse, ip_sharp *out) {
    const ip_look_source source = ip_shot_source(shot, pulse);
    ipos_status status = ip_sharp_measure(&source, out);
    if (status != IPOS_ERR_ARGUMENT)
        return status;
    *out = (ip_sharp){0};
    ip_not_measurable(&out->reading, "the frames are too small");
    return IPOS_OK;
}

static ipos_status compare_sharpness(ic_run *run, ic_part *part, ic_texture *t, json_t *note) {
    ip_sharp own = {0}, other = run->known->sharp;
    IP_TRY(measure_sharp(&part->shot, &run->teller.pulse, &own));
    const ip_reading *bad = !ip_measured(&own.reading) ? &own.reading : !ip_measured(&other.reading) ? &other.reading : NULL;
    if (bad || part->shot.window.width != run->reference.window.width)
        return json_object_set_new(note, "sharpness", json_pack("{s:s}", "reason", bad ? bad->reason : "the frames have different sizes")) == 0
            ? IPOS_OK : ip_no_memory(128);
    const double apart = log(own.mtf50 / other.mtf50);
    const bool sure = own.reading.confidence > SURE && other.reading.confidence > SURE;
    if (sure && fabs(apart) > SHARP_WORTH && fabs(apart) > .25 * (own.spread + other.spread))
        choose_sharpness(&own, &other, t);
    json_object_set_new(note, "sharpness", json_pack("{s:f, s:f, s:f, s:f}", "own", own.mtf50, "reference", other.mtf50, "blur", t->blur, "sharpen", t->sharpen));
    return IPOS_OK;
}

/* ---- bloom */

ipos_status ic_bloom_measure(ip_shot *shot, const ip_pulse *pulse, ip_bloom *out) {
    const ip_look_source source = ip_shot_source(shot, pulse);
    ipos_status status = ip_bloom_measure(&source, out);
    if (status != IPOS_ERR_ARGUMENT)
        return status;
    *out = (ip_bloom){0};
    ip_not_measurable(&out->luma.reading, "the frames are too small");
    return IPOS_OK;
}

static ipos_status compare_bloom(ic_run *run, ic_part *part, ic_texture *t, json_t *note) {
    IP_TRY(ic_bloom_measure(&part->shot, &run->teller.pulse, &t->own_bloom));
    t->other_bloom = run->known->bloom;
    const ip_bloom *own = &t->own_bloom, *other = &t->other_bloom;
    const ip_reading *bad = !ip_measured(&own->luma.reading) ? &own->luma.reading : !ip_measured(&other->luma.reading) ? &other->luma.reading : NULL;
    if (bad || !own->strength_known || !other->strength_known) {
        json_object_set_new(note, "bloom", json_pack("{s:s}", "reason", bad ? bad->reason : "the highlights are clipped: its strength is not known"));
        return IPOS_OK;
    }
    t->bloom = fabs(log(own->luma.strength / other->luma.strength)) > BLOOM_WORTH || fabs(log(own->luma.radius / other->luma.radius)) > BLOOM_WORTH;
    json_object_set_new(note, "bloom", json_pack("{s:f, s:f, s:f, s:f, s:b}", "own", own->luma.strength, "reference", other->luma.strength, "own_radius",
        own->luma.radius, "reference_radius", other->luma.radius, "changed", t->bloom));
    return IPOS_OK;
}

/* ---- */

static ipos_status know_reference(ic_run *run) {
    if (run->known)
        return IPOS_OK;
    struct ic_known *known = ip_calloc(1, sizeof *known);
    if (!known)
        return IPOS_ERR_NO_MEMORY;
    ipos_status status = measure_grain(&run->reference, NULL, &run->teller.pulse, &known->grain);
    if (status == IPOS_OK)
        status = measure_sharp(&run->reference, &run->teller.pulse, &known->sharp);
    if (status == IPOS_OK)
        status = ic_bloom_measure(&run->reference, &run->teller.pulse, &known->bloom);
    if (status == IPOS_OK)
        run->known = known;
    else
        ip_free(known);
    return status;
}

void ic_known_free(struct ic_known *known) { ip_free(known); }

ipos_status ic_texture_new(ic_run *run, ic_part *part, const ip_grade *grade, ic_texture **out) {
    ic_texture *t = ip_calloc(1, sizeof *t);
    json_t *note = json_object();
    *out = NULL;
    if (!t || !note) {
        ip_free(t);
        json_decref(note);
        return ip_no_memory(sizeof *t);
    }
    t->seed = (uint64_t)ip_options_int(run->host->options, "seed");
    t->threads = run->host->threads;
    ipos_status status = know_reference(run);
    if (status == IPOS_OK)
        status = compare_grain(run, part, grade, t, note);
    if (status == IPOS_OK)
        status = compare_sharpness(run, part, t, note);
    if (status == IPOS_OK)
        status = compare_bloom(run, part, t, note);
    if (status == IPOS_OK)
        status = ic_say(part, "texture", json_incref(note));
    json_decref(note);
    if (status == IPOS_OK && (t->grain || t->remove > 0 || t->blur > 0 || t->sharpen > 0 || t->bloom))
        *out = t;
    else
        ip_free(t);
    return status;
}

void ic_texture_free(ic_texture *texture) { ip_free(texture); }

static void to_linear(const ip_encoding *encoding, const ip_image3 *image) {
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < image->c[c].height; y++) {
            float *row = ip_row(&image->c[c], y);
            for (int x = 0; x < image->c[c].width; x++)
                row[x] = ip_look_linear(encoding, row[x]);
        }
}

static void to_code(const ip_encoding *encoding, const ip_image3 *image) {
    const ip_look_source source = {.encoding = encoding};
    for (int c = 0; c < 3; c++)
        ip_look_code_plane(&source, &image->c[c], &image->c[c]);
}

/* Samples that are not finite would spread with a blur: `image` gets them back. */
static void mix(const ip_image3 *image, const ip_image3 *made, double share) {
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < image->c[c].height; y++) {
            float *row = ip_row(&image->c[c], y);
            const float *other = ip_row(&made->c[c], y);
            for (int x = 0; x < image->c[c].width; x++)
                if (isfinite(row[x]) && isfinite(other[x]))
                    row[x] += (float)share * (other[x] - row[x]);
        }
}

ipos_status ic_in_light(const ip_image3 *image, const ip_encoding *encoding, double share, ic_light_fn change, const void *user, int threads) {
    ip_image3 made;
    IP_TRY(ip_image3_new(image->c[0].width, image->c[0].height, &made));
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < made.c[c].height; y++)
            for (int x = 0; x < made.c[c].width; x++) {
                float v = ip_row(&image->c[c], y)[x];
                ip_row(&made.c[c], y)[x] = isfinite(v) ? v : 0;
            }
    to_linear(encoding, &made);
    ipos_status status = change(user, &made, threads);
    to_code(encoding, &made);
    if (status == IPOS_OK)
        mix(image, &made, share);
    ip_image3_free(&made);
    return status;
}

ipos_status ic_bloom_add(const void *bloom, const ip_image3 *light, int threads) { return ip_bloom_add(bloom, light, threads); }
ipos_status ic_bloom_remove(const void *bloom, const ip_image3 *light, int threads) { return ip_bloom_remove(bloom, light, threads); }

ipos_status ic_less_grain(const ip_grain *grain, ip_shot *shot, size_t index, double share, const ip_image3 *image) {
    const ip_grain_remove_options options = {.strength = (float)share, .threads = shot->clip.host->threads};
    ip_image3 near[2] = {{{{0}}}}, out = *image;
    const bool there[2] = {index > 0, index + 1 < shot->count};
    ipos_status status = IPOS_OK;
    for (int i = 0; i < 2 && status == IPOS_OK; i++) {
        if (there[i])
            status = ip_image3_new(image->c[0].width, image->c[0].height, &near[i]);
        if (there[i] && status == IPOS_OK)
            status = ip_shot_frame(shot, i ? index + 1 : index - 1, true, &near[i]);
    }
    if (status == IPOS_OK)
        status = ip_grain_remove(grain, there[0] ? &near[0] : NULL, image, there[1] ? &near[1] : NULL, &options, &out, NULL);
    ip_image3_free(&near[0]);
    ip_image3_free(&near[1]);
    return status;
}

ipos_status ic_texture_before(const ic_texture *t, ip_shot *shot, size_t index, double strength, const ip_image3 *image) {
    if (t->remove * strength > 0)
        IP_TRY(ic_less_grain(&t->own, shot, index, t->remove * strength, image));
    return t->bloom ? ic_in_light(image, shot->clip.encoding, strength, ic_bloom_remove, &t->own_bloom, t->threads) : IPOS_OK;
}

static ipos_status change_sharpness(const ic_texture *t, double strength, const ip_image3 *image) {
    ip_image3 soft;
    ip_plane_f tmp;
    const int w = image->c[0].width, h = image->c[0].height;
    IP_TRY(ip_image3_new(w, h, &soft));
    ipos_status status = ip_plane_new(w, h, &tmp);
    for (int c = 0; c < 3 && status == IPOS_OK; c++)
        ip_gauss_blur(&image->c[c], &soft.c[c], &tmp, t->blur > 0 ? t->blur : DETAIL_SIGMA, t->threads);
    if (status == IPOS_OK)
        mix(image, &soft, (t->blur > 0 ? 1 : -t->sharpen) * strength);
    ip_image3_free(&soft);
    ip_plane_free(&tmp);
    return status;
}

ipos_status ic_texture_after(const ic_texture *t, const ip_encoding *encoding, int64_t number, double strength, const ip_image3 *image) {
    if (t->blur > 0 || t->sharpen > 0)
        IP_TRY(change_sharpness(t, strength, image));
    if (t->bloom)
        IP_TRY(ic_in_light(image, encoding, strength, ic_bloom_add, &t->other_bloom, t->threads));
    if (!t->grain)
        return IPOS_OK;
    const ip_grain_add_options options = {.seed = t->seed, .frame = number, .gain = (float)sqrt(strength), .threads = t->threads};
    ip_image3 out = *image;
    return ip_grain_add(&t->added, &t->kernel, &options, &out);
}
