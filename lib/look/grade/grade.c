#include "grade.h"
#include <math.h>

static const double LUMA[3] = {.2126, .7152, .0722};

ip_grade ip_grade_none(void) { return (ip_grade){{1., 1., 1.}, {0., 0., 0.}, {1., 1., 1.}, 1.}; }

ip_grade ip_grade_share(const ip_grade *grade, double share) {
    ip_grade out = {.saturation = pow(grade->saturation, share)};
    for (int c = 0; c < 3; c++) {
        out.gain[c] = pow(grade->gain[c], share);
        out.offset[c] = grade->offset[c] * share;
        out.power[c] = pow(grade->power[c], share);
    }
    return out;
}

bool ip_grade_is_none(const ip_grade *grade) {
    for (int c = 0; c < 3; c++)
        if (grade->gain[c] != 1. || grade->offset[c] != 0. || grade->power[c] != 1.)
            return false;
    return grade->saturation == 1.;
}

static double raised(double v, double power) { return v > 0. ? pow(v, power) : v; }

static void saturate(const double in[3], double saturation, double out[3]) {
    double luma = LUMA[0] * in[0] + LUMA[1] * in[1] + LUMA[2] * in[2];
    for (int c = 0; c < 3; c++)
        out[c] = luma + saturation * (in[c] - luma);
}

void ip_grade_at(const ip_grade *grade, const double in[3], double out[3]) {
    double s[3];
    saturate(in, grade->saturation, s);
    for (int c = 0; c < 3; c++)
        out[c] = grade->offset[c] + grade->gain[c] * raised(s[c], grade->power[c]);
}

void ip_grade_undo(const ip_grade *grade, const double in[3], double out[3]) {
    double s[3];
    for (int c = 0; c < 3; c++)
        s[c] = raised((in[c] - grade->offset[c]) / grade->gain[c], 1. / grade->power[c]);
    saturate(s, 1. / grade->saturation, out);
}

void ip_cdl_at(const ip_cdl *cdl, const double in[3], double out[3]) {
    double s[3];
    for (int c = 0; c < 3; c++)
        s[c] = raised(cdl->slope[c] * in[c] + cdl->offset[c], cdl->power[c]);
    saturate(s, cdl->saturation, out);
}

typedef struct work {
    const ip_image3 *image;
    float gain[3], offset[3], power[3], saturation;
} work;

static void apply_rows(void *user, int64_t begin, int64_t end) {
    const work *w = user;
    for (int y = (int)begin; y < (int)end; y++) {
        float *row[3];
        for (int c = 0; c < 3; c++)
            row[c] = ip_row(&w->image->c[c], y);
        for (int x = 0; x < w->image->c[0].width; x++) {
            float in[3] = {row[0][x], row[1][x], row[2][x]}, luma = .2126f * in[0] + .7152f * in[1] + .0722f * in[2];
            if (!isfinite(luma))
                continue;
            for (int c = 0; c < 3; c++) {
                float s = luma + w->saturation * (in[c] - luma);
                row[c][x] = w->offset[c] + w->gain[c] * (s > 0.f ? powf(s, w->power[c]) : s);
            }
        }
    }
}

void ip_grade_apply(const ip_grade *grade, const ip_image3 *image, int threads) {
    if (ip_grade_is_none(grade))
        return;
    work w = {.image = image, .saturation = (float)grade->saturation};
    for (int c = 0; c < 3; c++) {
        w.gain[c] = (float)grade->gain[c];
        w.offset[c] = (float)grade->offset[c];
        w.power[c] = (float)grade->power[c];
    }
    ip_parallel(threads, image->c[0].height, 16, apply_rows, &w);
}
