#include "shot_match.h"
#include "difference.h"
#include "fit.h"
#include "shot_view.h"
#include <math.h>

enum { FRAMES = 3, TRIES = 10, ENOUGH = 5, PLACES_EACH = 2, PAIRS_LEAST = 200, COLOURS = 1500 };
/* ALIKE: frame pairs laid over each other less well than this share of the best are left out: those most alike were taken closest to one another, in the
 * least changed light. SEEN: CIEDE2000 that half of observers tell from none (Paravina et al., J. Esthetic and Restorative Dentistry 2015). */
static const double WORTH = .8, NOTICED = .4, ALIKE = .95, SEEN = .8;

typedef struct shot {
    const ip_look_source *source;
    ip_shot_view view[FRAMES];
    size_t count;
} shot;

typedef struct candidate {
    size_t a, b;
    ip_place place;
} candidate;

static ipos_status load(const ip_look_source *source, shot *out) {
    size_t chosen = ip_look_spread(source->count, FRAMES);
    out->source = source;
    for (size_t i = 0; i < chosen; i++) {
        IP_TRY(ip_shot_view_new(source, ip_look_spread_at(source->count, chosen, i), &out->view[i]));
        out->count++;
    }
    return IPOS_OK;
}

static void unload(shot *s) {
    for (size_t i = 0; i < s->count; i++)
        ip_shot_view_free(&s->view[i]);
}

/* ---- a fit to what both show */

static ipos_status candidates(const shot *a, const shot *b, candidate *list, size_t *count) {
    *count = 0;
    for (size_t i = 0; i < a->count; i++)
        for (size_t j = 0; j < b->count; j++) {
            ip_place place[PLACES_EACH];
            size_t found;
            if (!ip_alive(a->source->pulse))
                return ip_fail(IPOS_ERR_CANCELLED, "match: cancelled");
            IP_TRY(ip_place_find(&a->view[i].place, &b->view[j].place, PLACES_EACH, place, &found));
            for (size_t k = 0; k < found; k++) {
                size_t at = (*count)++;
                for (; at > 0 && list[at - 1].place.score < place[k].score; at--)
                    list[at] = list[at - 1];
                list[at] = (candidate){i, j, place[k]};
            }
        }
    return IPOS_OK;
}

static ipos_status gather(const shot *a, const shot *b, ip_shot_pairs *pairs) {
    candidate list[FRAMES * FRAMES * PLACES_EACH];
    bool done[FRAMES][FRAMES] = {{false}};
    size_t count;
    double best = 0.;
    IP_TRY(candidates(a, b, list, &count));
    for (size_t i = 0, tries = 0; i < count && tries < TRIES && pairs->places < ENOUGH && list[i].place.score >= ALIKE * best; i++) {
        double agreed;
        if (done[list[i].a][list[i].b])
            continue;
        tries++;
        IP_TRY(ip_shot_pairs_add(a->source, &a->view[list[i].a], &b->view[list[i].b], &list[i].place, pairs, &agreed));
        done[list[i].a][list[i].b] = agreed > 0.;
        if (agreed > 0.)
            best = fmax(best, list[i].place.score);
    }
    return IPOS_OK;
}

static void lab_of(const ip_encoding *encoding, const double code[3], double lab[3]) {
    double linear[3];
    for (int c = 0; c < 3; c++)
        linear[c] = ip_look_linear(encoding, (float)code[c]);
    ip_lab(linear, lab);
}

double ip_shot_difference(const ip_encoding *encoding, const double a[3], const double b[3]) {
    double la[3], lb[3];
    lab_of(encoding, a, la);
    lab_of(encoding, b, lb);
    return ip_ciede2000(la, lb);
}

ipos_status ip_shot_judge(const ip_encoding *encoding, const ip_grade_pair *pairs, size_t count, const ip_grade *grade, double *before, double *after) {
    float *d = ip_calloc(2 * count, sizeof *d);
    if (!d)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        double from[3], to[3], z[3];
        for (int c = 0; c < 3; c++) {
            from[c] = pairs[i].from[c];
            to[c] = pairs[i].to[c];
        }
        ip_grade_at(grade, from, z);
        d[i] = (float)ip_shot_difference(encoding, from, to);
        d[count + i] = (float)ip_shot_difference(encoding, z, to);
    }
    *before = ip_select(d, count, count / 2);
    *after = ip_select(d + count, count, count / 2);
    ip_free(d);
    return IPOS_OK;
}

bool ip_shot_matching(double before, double after) { return before < NOTICED || !(after < WORTH * before); }

static ipos_status fit_pairs(ip_grade_pair *pairs, size_t count, ip_shot_match *out) {
    size_t kept;
    IP_TRY(ip_grade_fit_most(pairs, count, &out->grade, &kept));
    IP_TRY(ip_shot_judge(out->encoding, pairs, count, &out->grade, &out->before, &out->after));
    out->pairs = (int64_t)kept;
    out->matching = out->before < SEEN || ip_shot_matching(out->before, out->after);
    return IPOS_OK;
}

static ipos_status fit_registered(ip_shot_pairs *pairs, ip_shot_match *out) {
    bool lens;
    ip_grade_pair *flat = ip_calloc(pairs->count, sizeof *flat);
    ipos_status status = flat ? ip_shot_flatten(out->encoding, pairs->pair, pairs->radius, pairs->count, flat, &lens) : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK)
        status = fit_pairs(pairs->pair, pairs->count, out);
    if (status == IPOS_OK && lens && !out->matching) /* else the shots match, corners and all */
        status = fit_pairs(flat, pairs->count, out);
    ip_free(flat);
    IP_TRY(status);
    out->registered = true;
    out->places = pairs->places;
    out->share = pairs->share;
    if (out->matching)
        out->grade = ip_grade_none();
    double left = out->matching ? out->before : out->after, kept = (double)out->pairs;
    out->reading.confidence = kept / (kept + 300.) / (1. + left * left / 9.);
    return IPOS_OK;
}

/* ---- a suggestion from the colours both have */

/* Usable colours of all frames of a shot, evenly spread. */
static ipos_status colours(const shot *s, ip_colour_at **out, ip_grade_pair **codes, size_t *count) {
    size_t room = 0;
    *count = 0;
    int w = s->view[0].luma.width, h = s->view[0].luma.height, step = IP_MAX(1, (int)sqrt((double)w * h * (double)s->count / COLOURS));
    room = s->count * (size_t)(w / step + 1) * (size_t)(h / step + 1);
    *out = ip_calloc(room, sizeof **out);
    *codes = ip_calloc(room, sizeof **codes);
    if (!*out || !*codes)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < s->count; i++)
        for (int y = step / 2; y < h; y += step)
            for (int x = step / 2; x < w; x += step) {
                ip_colour_at *at = &(*out)[*count];
                float *code = (*codes)[*count].from;
                bool positive = true;
                for (int c = 0; c < 3; c++) {
                    code[c] = ip_row(&s->view[i].soft.c[c], y)[x];
                    at->rgb[c] = ip_look_linear(s->source->encoding, code[c]);
                    positive = positive && at->rgb[c] > 1e-5f;
                }
                at->tile = y * 3 / h * 3 + x * 3 / w;
                *count += positive && ip_shot_usable(s->source, code);
            }
    return IPOS_OK;
}

ipos_status ip_shot_gains_grade(const ip_encoding *encoding, ip_grade_pair *codes, size_t count, const double log_gain[3], ip_grade *out) {
    const ip_look_source source = {.encoding = encoding};
    for (size_t i = 0; i < count; i++)
        for (int c = 0; c < 3; c++)
            codes[i].to[c] = ip_look_code(&source, ip_look_linear(encoding, codes[i].from[c]) * (float)exp(log_gain[c]));
    return ip_grade_fit_pairs(codes, count, out);
}

static ipos_status suggest(const ip_colour_at *own, ip_grade_pair *codes, size_t count, const ip_colour_at *other, size_t others, ip_shot_match *out) {
    double gain[3];
    IP_TRY(ip_suggest_gains(own, count, other, others, gain, &out->share));
    out->pairs = (int64_t)count;
    out->reading.confidence = .3 * out->share;
    return ip_shot_gains_grade(out->encoding, codes, count, gain, &out->grade);
}

/* ---- */

ipos_status ip_shot_match_cdl(const ip_grade_pair *codes, size_t count, ip_shot_match *out) {
    IP_TRY(ip_cdl_fit(&out->grade, codes, count, &out->cdl));
    double sum = 0.;
    for (size_t i = 0; i < count && !ip_grade_is_none(&out->grade); i++) {
        double in[3] = {codes[i].from[0], codes[i].from[1], codes[i].from[2]}, a[3], b[3];
        ip_grade_at(&out->grade, in, a);
        ip_cdl_at(&out->cdl, in, b);
        sum += ip_shot_difference(out->encoding, a, b);
    }
    out->cdl_error = count ? sum / (double)count : 0.;
    return IPOS_OK;
}

static ipos_status measure(const shot *a, const shot *b, ip_shot_pairs *pairs, ip_colour_at *colour[2], ip_grade_pair *codes[2], ip_shot_match *out) {
    size_t count[2];
    IP_TRY(colours(a, &colour[0], &codes[0], &count[0]));
    IP_TRY(colours(b, &colour[1], &codes[1], &count[1]));
    out->reading.frames = (int64_t)(a->count + b->count);
    if (count[0] < PAIRS_LEAST || count[1] < PAIRS_LEAST) {
        ip_not_measurable(&out->reading, "nearly all of the %s is black or clipped", count[0] < PAIRS_LEAST ? "shot" : "reference");
        return IPOS_OK;
    }
    IP_TRY(gather(a, b, pairs));
    if (pairs->count >= PAIRS_LEAST)
        IP_TRY(fit_registered(pairs, out));
    else
        IP_TRY(suggest(colour[0], codes[0], count[0], colour[1], count[1], out));
    return ip_shot_match_cdl(codes[0], count[0], out);
}

ipos_status ip_shot_match_measure(const ip_look_source *source, const ip_look_source *reference, ip_shot_match *out) {
    IP_TRY(ip_look_check(source, "match: the shot"));
    IP_TRY(ip_look_check(reference, "match: the reference"));
    if (source->encoding != reference->encoding)
        return ip_fail(IPOS_ERR_ARGUMENT, "match: the shot is %s and the reference %s, expected one encoding; convert one of them", source->encoding->name,
            reference->encoding->name);
    shot a = {0}, b = {0};
    ip_shot_pairs pairs = {0};
    ip_colour_at *colour[2] = {NULL, NULL};
    ip_grade_pair *codes[2] = {NULL, NULL};
    *out = (ip_shot_match){.grade = ip_grade_none(), .cdl = {{1., 1., 1.}, {0., 0., 0.}, {1., 1., 1.}, 1.}, .encoding = source->encoding};
    ipos_status status = load(source, &a);
    if (status == IPOS_OK)
        status = load(reference, &b);
    if (status == IPOS_OK)
        status = measure(&a, &b, &pairs, colour, codes, out);
    for (int i = 0; i < 2; i++) {
        ip_free(colour[i]);
        ip_free(codes[i]);
    }
    ip_free(pairs.pair);
    ip_free(pairs.radius);
    unload(&a);
    unload(&b);
    return status;
}

#define REAL(member) IP_FIELD(ip_shot_match, member, IP_FIELD_REAL)
#define THREE(label, member) {label, IP_FIELD_REAL, offsetof(ip_shot_match, member), 3, -1}
static const ip_field fields[] = {
    IP_FIELD(ip_shot_match, reading, IP_FIELD_READING), IP_FIELD(ip_shot_match, registered, IP_FIELD_BOOL), IP_FIELD(ip_shot_match, matching, IP_FIELD_BOOL),
    IP_FIELD(ip_shot_match, places, IP_FIELD_INT), IP_FIELD(ip_shot_match, pairs, IP_FIELD_INT), REAL(share), REAL(before), REAL(after),
    THREE("gain", grade.gain), THREE("offset", grade.offset), THREE("power", grade.power),
    {"saturation", IP_FIELD_REAL, offsetof(ip_shot_match, grade.saturation), 1, -1},
    THREE("cdl_slope", cdl.slope), THREE("cdl_offset", cdl.offset), THREE("cdl_power", cdl.power),
    {"cdl_saturation", IP_FIELD_REAL, offsetof(ip_shot_match, cdl.saturation), 1, -1}, REAL(cdl_error),
};

json_t *ip_shot_match_json(const ip_shot_match *match) {
    json_t *out = ip_record_json(fields, IP_COUNT(fields), match);
    if (out && json_object_set_new(out, "encoding", json_string(match->encoding->name)) != 0) {
        json_decref(out);
        ip_fail(IPOS_ERR_NO_MEMORY, "match: no memory for its JSON");
        return NULL;
    }
    return out;
}

static bool invertible(const double v[3]) { return v[0] > 0. && v[1] > 0. && v[2] > 0.; }

ipos_status ip_shot_match_parse(const json_t *value, ip_shot_match *out) {
    const char *name = json_string_value(json_object_get(value, "encoding"));
    const ip_encoding *encoding = ip_encoding_find(name);
    if (!encoding || encoding->kind == IP_ENCODING_DATA)
        return ip_fail(IPOS_ERR_FORMAT, "match: encoding \"%s\", expected one of %s", name ? name : "", ip_encoding_names());
    json_t *rest = json_copy((json_t *)value);
    if (!rest)
        return IPOS_ERR_NO_MEMORY;
    json_object_del(rest, "encoding");
    ipos_status status = ip_record_parse(fields, IP_COUNT(fields), rest, "match", out);
    json_decref(rest);
    IP_TRY(status);
    out->encoding = encoding;
    if (!invertible(out->grade.gain) || !invertible(out->grade.power) || !(out->grade.saturation > 0.))
        return ip_fail(IPOS_ERR_FORMAT, "match: gain, power and saturation must be over 0");
    return IPOS_OK;
}
