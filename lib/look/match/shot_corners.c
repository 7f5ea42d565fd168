/* Lenses of which each darkens its own corners, seen in pairs of places that lie elsewhere in one picture than in the other. */
#include "fit.h"
#include "shot_match.h"
#include <math.h>

enum { ROUNDS = 3 };
static const double LEAST = .05, MOST = .8; /* logarithm of the corner's light: less is left, more is no lens */
static const double SURE = 6.;              /* times its standard error */
static const double EXPLAINED = .3;         /* share of what the first grade leaves that falls with the radii */
static const float DARK = .01f;

static float luma_of(const ip_encoding *encoding, const float code[3]) {
    return ip_luma_of(ip_look_linear(encoding, code[0]), ip_look_linear(encoding, code[1]), ip_look_linear(encoding, code[2]));
}

/* Logarithm of light by the squared radius in the shot and in the reference: what the grade leaves. */
static ipos_status falls_of(const ip_encoding *encoding, const ip_grade_pair *pairs, float (*radius)[2], size_t count, const ip_grade *grade,
    ip_fit_result *fit) {
    const ip_fit_options options = {.tags = 1, .iterations = 25, .floor = .01};
    ip_fit_rows rows = {.unknowns = 3};
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < count && status == IPOS_OK; i++) {
        const double in[3] = {pairs[i].from[0], pairs[i].from[1], pairs[i].from[2]};
        double z[3];
        ip_grade_at(grade, in, z);
        const float code[3] = {(float)z[0], (float)z[1], (float)z[2]}, made = luma_of(encoding, code), wanted = luma_of(encoding, pairs[i].to);
        ip_fit_row row = {.x = {radius[i][0], radius[i][1], 1.f}, .weight = 1.f};
        if (made > DARK && wanted > DARK) {
            row.y = logf(wanted / made);
            status = ip_fit_add(&rows, &row);
        }
    }
    if (status == IPOS_OK)
        status = ip_fit(&rows, &options, fit);
    ip_fit_free(&rows);
    return status;
}

static void lighten(const ip_encoding *encoding, float code[3], double log_gain) {
    const ip_look_source source = {.encoding = encoding};
    for (int c = 0; c < 3; c++)
        code[c] = ip_look_code(&source, ip_look_linear(encoding, code[c]) * (float)exp(log_gain));
}

/* By how much the corners of the shot and of the reference fall, logarithms. The shot's are dark, so what makes up for them rises. */
static bool is_lens(const double fall[2]) { return fmin(fall[0], fall[1]) > LEAST && fmax(fall[0], fall[1]) < MOST; }

/* All of it on the reference's side: a grade comes behind the lens, so light falls in the shot as it does there only before it was graded. */
static void flatten(const ip_encoding *encoding, const ip_grade_pair *from, float (*radius)[2], size_t count, const double fall[2], ip_grade_pair *to) {
    for (size_t i = 0; i < count; i++) {
        to[i] = from[i];
        lighten(encoding, to[i].to, fall[1] * radius[i][1] - fall[0] * radius[i][0]);
    }
}

/* One round: the falls that the grade of the flattened pairs leaves are added. flat, scratch: room for the pairs. */
static ipos_status look_again(const ip_encoding *encoding, const ip_grade_pair *pairs, float (*radius)[2], size_t count, ip_grade_pair *flat,
    ip_grade_pair *scratch, double fall[2], ip_fit_result *fit) {
    ip_grade grade;
    size_t kept;
    flatten(encoding, pairs, radius, count, fall, flat);
    memcpy(scratch, flat, count * sizeof *scratch);
    IP_TRY(ip_grade_fit_most(scratch, count, &grade, &kept));
    IP_TRY(falls_of(encoding, flat, radius, count, &grade, fit));
    fall[0] += fit->solution[0];
    fall[1] -= fit->solution[1];
    return IPOS_OK;
}

ipos_status ip_shot_flatten(const ip_encoding *encoding, const ip_grade_pair *pairs, float (*radius)[2], size_t count, ip_grade_pair *flat, bool *lens) {
    double fall[2] = {0., 0.};
    ip_grade_pair *scratch = ip_calloc(count, sizeof *scratch);
    ipos_status status = scratch ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    *lens = true;
    for (int round = 0; round < ROUNDS && status == IPOS_OK && *lens; round++) {
        ip_fit_result fit = {0};
        status = look_again(encoding, pairs, radius, count, flat, scratch, fall, &fit);
        *lens = is_lens(fall) && (round > 0 || (fit.explained > EXPLAINED && fall[0] > SURE * fit.error[0] && fall[1] > SURE * fit.error[1]));
    }
    if (status == IPOS_OK && *lens)
        flatten(encoding, pairs, radius, count, fall, flat);
    ip_free(scratch);
    return status;
}
