#include "graded_internal.h"
#include "shot_view.h"
#include <math.h>

enum { FOLDS = 8, EVERY = 4, COLOURS = 300 };
static const double BETTER = .95;

static bool outside(int64_t shot, int64_t fold) { return shot % FOLDS != fold; }

ipos_status ip_graded_fit(const ip_example *examples, size_t count, int64_t fold, ip_kernel_fit *out) {
    double *x = ip_calloc(count * IP_GRADED_IN, sizeof *x), *y = ip_calloc(count * IP_GRADED_OUT, sizeof *y);
    size_t rows = 0;
    ipos_status status = x && y ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < count && status == IPOS_OK; i++) {
        if (!outside(examples[i].shot, fold))
            continue;
        memcpy(x + rows * IP_GRADED_IN, examples[i].in, sizeof examples[i].in);
        memcpy(y + rows++ * IP_GRADED_OUT, examples[i].out, sizeof examples[i].out);
    }
    if (status == IPOS_OK)
        status = ip_kernel_fit_new(x, y, rows, IP_GRADED_IN, IP_GRADED_OUT, out);
    ip_free(x);
    ip_free(y);
    return status;
}

static double off(const ip_look_source *like, const ip_example *e, const ip_grade *grade) {
    double sum = 0.;
    size_t n = 0;
    for (size_t i = 0; i < e->was.count; i += EVERY, n++) {
        double in[3], z[3], was[3];
        for (int c = 0; c < 3; c++) {
            in[c] = e->graded.code[i][c];
            was[c] = e->was.code[i][c];
        }
        ip_grade_at(grade, in, z);
        sum += ip_shot_difference(like->encoding, z, was);
    }
    return sum / (double)n;
}

static size_t colours(const ip_look_source *like, const ip_part *part, ip_colour_at out[COLOURS], ip_grade_pair codes[COLOURS]) {
    const size_t step = IP_MAX((size_t)1, part->count / COLOURS);
    size_t count = 0;
    for (size_t i = 0; i < part->count && count < COLOURS; i += step) {
        for (int c = 0; c < 3; c++) {
            codes[count].from[c] = part->code[i][c];
            out[count].rgb[c] = ip_look_linear(like->encoding, part->code[i][c]);
        }
        out[count].tile = part->tile[i];
        count += ip_shot_usable(like, part->code[i]);
    }
    return count;
}

static ipos_status by_colours(const ip_look_source *like, const ip_example *e, ip_grade *grade) {
    ip_colour_at own[COLOURS], other[COLOURS];
    ip_grade_pair codes[COLOURS], unused[COLOURS];
    double gain[3], shared;
    const size_t count = colours(like, &e->graded, own, codes), others = colours(like, e->reference, other, unused);
    IP_TRY(ip_suggest_gains(own, count, other, others, gain, &shared));
    return ip_shot_gains_grade(like->encoding, codes, count, gain, grade);
}

static ipos_status judge_one(const ip_look_source *like, const ip_example *e, const ip_kernel_fit *fit, ip_graded_score *score) {
    const ip_grade none = ip_grade_none();
    ip_grade colour, learned;
    ip_grade_pair pairs[IP_PART_MOST];
    double out[IP_GRADED_OUT];
    ip_kernel_fit_at(fit, e->in, out);
    IP_TRY(ip_part_change(&e->graded, out, pairs, &learned));
    IP_TRY(by_colours(like, e, &colour));
    score->none += off(like, e, &none);
    score->colours += off(like, e, &colour);
    score->learned += off(like, e, &learned);
    return IPOS_OK;
}

ipos_status ip_graded_judge(const ip_look_source *like, const ip_example *examples, size_t count, ip_graded_score *score) {
    for (int64_t fold = 0; fold < IP_MIN((int64_t)FOLDS, score->shots); fold++) {
        ip_kernel_fit fit;
        IP_TRY(ip_graded_fit(examples, count, fold, &fit));
        ipos_status status = IPOS_OK;
        for (size_t i = 0; i < count && status == IPOS_OK; i++)
            if (!outside(examples[i].shot, fold))
                status = judge_one(like, &examples[i], &fit, score);
        ip_kernel_fit_free(&fit);
        IP_TRY(status);
    }
    score->none /= (double)count;
    score->colours /= (double)count;
    score->learned /= (double)count;
    score->better = score->learned < BETTER * fmin(score->none, score->colours);
    return IPOS_OK;
}
