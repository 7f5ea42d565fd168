#include "fit.h"
#include "overlay.h"
#include "shot_match.h"
#include <math.h>

static const double NEARER = .8;                    /* of the difference that gains leave, for a whole grade */
static const float DARK = 1e-4f, STEPS = .02f;      /* linear; of log-ratios of integer codes */

/* Logarithms of the gains of linear R,G,B. */
static ipos_status gains_of(const ip_encoding *encoding, const ip_grade_pair *pairs, size_t count, double log_gain[3]) {
    const ip_fit_options options = {.tags = 1, .iterations = 25, .floor = encoding->kind != IP_ENCODING_LINEAR ? STEPS : 1e-4};
    for (int c = 0; c < 3; c++) {
        ip_fit_rows rows = {.unknowns = 1};
        ip_fit_result fit = {0};
        ipos_status status = IPOS_OK;
        for (size_t i = 0; i < count && status == IPOS_OK; i++) {
            float from = ip_look_linear(encoding, pairs[i].from[c]), to = ip_look_linear(encoding, pairs[i].to[c]);
            ip_fit_row row = {.x = {1.f}, .weight = 1.f};
            if (from > DARK && to > DARK) {
                row.y = logf(to / from);
                status = ip_fit_add(&rows, &row);
            }
        }
        if (status == IPOS_OK && rows.count)
            status = ip_fit(&rows, &options, &fit);
        ip_fit_free(&rows);
        IP_TRY(status);
        log_gain[c] = fit.solution[0];
    }
    return IPOS_OK;
}

ipos_status ip_overlay_match(const ip_encoding *encoding, ip_grade_pair *pairs, size_t count, ip_overlay_grade *out) {
    ip_grade whole;
    double log_gain[3], after;
    *out = (ip_overlay_grade){.grade = ip_grade_none()};
    ip_grade_pair *scratch = ip_calloc(IP_MAX(count, (size_t)1), sizeof *scratch);
    if (!scratch)
        return IPOS_ERR_NO_MEMORY;
    memcpy(scratch, pairs, count * sizeof *scratch);
    ipos_status status = gains_of(encoding, pairs, count, log_gain);
    if (status == IPOS_OK)
        status = ip_shot_gains_grade(encoding, scratch, count, log_gain, &out->grade);
    ip_free(scratch);
    IP_TRY(status);
    IP_TRY(ip_shot_judge(encoding, pairs, count, &out->grade, &out->before, &out->after));
    IP_TRY(ip_grade_fit_most(pairs, count, &whole, &out->kept));
    IP_TRY(ip_shot_judge(encoding, pairs, count, &whole, &out->before, &after));
    if (after < NEARER * out->after) {
        out->grade = whole;
        out->after = after;
    }
    if (ip_shot_matching(out->before, out->after)) {
        out->grade = ip_grade_none();
        out->after = out->before;
    }
    return ip_grade_keep(&out->grade, pairs, count, &out->kept);
}
