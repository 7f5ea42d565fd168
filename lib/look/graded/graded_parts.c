#include "gauss.h"
#include "graded_internal.h"
#include "shot_view.h"
#include <math.h>

enum { WIDEST = 240, FITTED = 200, USABLE_LEAST = 60 };
static const double SOFT = 1., PIVOT = .4, GREY[3] = {.1, .4, .8};
/* Ranges of the grades, either way: what a colourist's first light corrects. */
static const double STOPS = .6, BALANCE = .12, SLOPE = .1, OFFSET = .03, POWER = .12, CONTRAST = .15, SATURATION = .25;

ipos_status ip_part_picture(const ip_look_source *source, size_t index, ip_image3 *out) {
    ip_plane_f scratch = {0};
    IP_TRY(ip_look_fetch(source, index, WIDEST, out));
    ipos_status status = ip_plane_new(out->c[0].width, out->c[0].height, &scratch);
    for (int c = 0; c < 3 && status == IPOS_OK; c++) {
        ip_look_code_plane(source, &out->c[c], &out->c[c]);
        ip_gauss_blur(&out->c[c], &out->c[c], &scratch, SOFT, source->threads);
    }
    ip_plane_free(&scratch);
    if (status != IPOS_OK)
        ip_image3_free(out);
    return status;
}

void ip_part_add(const ip_image3 *picture, ip_box_i box, size_t most, ip_part *out) {
    const int w = box.width, h = box.height;
    const double step = fmax(1., sqrt((double)w * h / (double)most));
    const size_t end = IP_MIN(out->count + most, (size_t)IP_PART_MOST);
    for (double v = step / 2.; v < h; v += step)
        for (double u = step / 2.; u < w && out->count < end; u += step) {
            const int x = (int)u, y = (int)v;
            for (int c = 0; c < 3; c++)
                out->code[out->count][c] = ip_row(&picture->c[c], box.y + y)[box.x + x];
            out->tile[out->count++] = (uint8_t)(y * 3 / h * 3 + x * 3 / w);
        }
}

static double within(ip_rng *rng, double range) { return range * (2. * ip_rng_unit(rng) - 1.); }

void ip_part_grade(const ip_look_source *source, const ip_part *was, ip_rng *rng, ip_part *out) {
    double light[3], slope[3], offset[3], power[3], exposure = exp2(within(rng, STOPS));
    for (int c = 0; c < 3; c++) {
        light[c] = exposure * (c == 1 ? 1. : 1. + within(rng, BALANCE));
        slope[c] = 1. + within(rng, SLOPE);
        offset[c] = within(rng, OFFSET);
        power[c] = 1. + within(rng, POWER);
    }
    const double contrast = 1. + within(rng, CONTRAST), saturation = 1. + within(rng, SATURATION);
    const float top = source->clip > 0.f ? ip_look_code(source, source->clip) : INFINITY;
    *out = *was;
    for (size_t i = 0; i < was->count; i++) {
        double x[3];
        for (int c = 0; c < 3; c++) {
            x[c] = ip_look_code(source, (float)light[c] * ip_look_linear(source->encoding, was->code[i][c]));
            x[c] = PIVOT + contrast * (pow(fmax(0., slope[c] * x[c] + offset[c]), power[c]) - PIVOT);
        }
        const double luma = ip_luma_of((float)x[0], (float)x[1], (float)x[2]);
        for (int c = 0; c < 3; c++)
            out->code[i][c] = fminf(top, fmaxf(0.f, (float)(luma + saturation * (x[c] - luma))));
    }
}

/* What is added to v: a parabola through the changes of the three greys. */
static double added(const double at[3], double v) {
    double sum = 0.;
    for (int i = 0; i < 3; i++) {
        double share = at[i];
        for (int j = 0; j < 3; j++)
            if (j != i)
                share *= (v - GREY[j]) / (GREY[i] - GREY[j]);
        sum += share;
    }
    return sum;
}

ipos_status ip_part_change(const ip_part *part, const double out[IP_GRADED_OUT], ip_grade_pair pairs[IP_PART_MOST], ip_grade *grade) {
    const double saturation = exp(fmin(.5, fmax(-.5, out[9])));
    for (size_t i = 0; i < part->count; i++) {
        const float *code = part->code[i];
        const double luma = ip_luma_of(code[0], code[1], code[2]);
        for (int c = 0; c < 3; c++) {
            const double v = luma + saturation * (code[c] - luma);
            pairs[i].from[c] = code[c];
            pairs[i].to[c] = (float)(v + added(&out[3 * c], fmin(1., fmax(0., v))));
        }
    }
    return ip_grade_fit_pairs(pairs, part->count, grade);
}

ipos_status ip_part_way_back(const ip_look_source *like, const ip_part *graded, const ip_part *was, double out[IP_GRADED_OUT], bool *usable) {
    ip_grade_pair pair[FITTED];
    ip_grade grade;
    size_t count = 0;
    const size_t step = IP_MAX((size_t)1, graded->count / FITTED);
    for (size_t i = 0; i < graded->count && count < FITTED; i += step) {
        if (!ip_shot_usable(like, graded->code[i]) || !ip_shot_usable(like, was->code[i]))
            continue;
        memcpy(pair[count].from, graded->code[i], sizeof pair->from);
        memcpy(pair[count++].to, was->code[i], sizeof pair->to);
    }
    *usable = count >= USABLE_LEAST;
    if (!*usable)
        return IPOS_OK;
    IP_TRY(ip_grade_fit_pairs(pair, count, &grade));
    for (int i = 0; i < 3; i++) {
        const double in[3] = {GREY[i], GREY[i], GREY[i]};
        double z[3];
        ip_grade_at(&grade, in, z);
        for (int c = 0; c < 3; c++)
            out[3 * c + i] = z[c] - GREY[i];
    }
    out[9] = log(grade.saturation);
    return IPOS_OK;
}

ipos_status ip_part_inputs(const ip_look_source *like, const ip_part *shot, const ip_part *reference, double in[IP_GRADED_IN]) {
    IP_TRY(ip_colour_figures(like, shot->code, shot->count, in + IP_COLOUR_FIGURES));
    IP_TRY(ip_colour_figures(like, reference->code, reference->count, in));
    for (int k = 0; k < IP_COLOUR_FIGURES; k++)
        in[k] -= in[IP_COLOUR_FIGURES + k];
    return IPOS_OK;
}
