#include "gain.h"
#include "fit.h"
#include <math.h>

enum { STEP = 2 };

static float steepness(const ip_plane_f *luma, int x, int y) {
    float here = ip_row(luma, y)[x] + .05f;
    return .5f * hypotf(ip_row(luma, y)[x + 1] - ip_row(luma, y)[x - 1], ip_row(luma, y + 1)[x] - ip_row(luma, y - 1)[x]) / here;
}

static bool within(float v, float low, float high) { return v > low && v < high; }

static ipos_status collect(const ip_look_source *source, const ip_image3 *a, const ip_image3 *b, const ip_plane_f *luma, const ip_registration *r,
    ip_fit_rows rows[3], size_t *looked) {
    float low = ip_look_low(source), high = ip_look_high(source);
    for (int y = 1; y < luma->height - 1; y += STEP)
        for (int x = 1; x < luma->width - 1; x += STEP) {
            ++*looked;
            if (!(ip_row(&r->agreed, y)[x] > 0.f))
                continue;
            float there[3], weight = 1.f / (.1f + 4.f * steepness(luma, x, y));
            ip_sample_cubic3(b, (float)x + ip_row(&r->flow[0], y)[x], (float)y + ip_row(&r->flow[1], y)[x], there);
            bool usable = true;
            for (int c = 0; c < 3; c++)
                usable = usable && within(ip_row(&a->c[c], y)[x], low, high) && within(there[c], low, high);
            for (int c = 0; c < 3 && usable; c++) {
                ip_fit_row row = {.x = {1.f}, .y = logf(there[c] / ip_row(&a->c[c], y)[x]), .weight = weight};
                IP_TRY(ip_fit_add(&rows[c], &row));
            }
        }
    return IPOS_OK;
}

/* Ratios of integer codes come in steps; a robust mean with a scale below those steps would lock to one of them. */
static const double CODE_STEPS = .02, SMALL = 1e-4;

static ipos_status fit_channels(ip_fit_rows rows[3], size_t looked, bool codes, ip_gain *out) {
    const ip_fit_options options = {.tags = 1, .iterations = 15, .floor = codes ? CODE_STEPS : SMALL};
    for (int c = 0; c < 3; c++) {
        ip_fit_result fit;
        IP_TRY(ip_fit(&rows[c], &options, &fit));
        out->log[c] = fit.solution[0];
        out->error = fmax(out->error, fit.error[0]);
        out->spread = fmax(out->spread, fit.scale);
    }
    out->share = looked ? (double)rows[0].count / (double)looked : 0.;
    return IPOS_OK;
}

ipos_status ip_gain_between(const ip_look_source *source, const ip_image3 *a, const ip_image3 *b, ip_gain *out) {
    *out = (ip_gain){0};
    ip_plane_f luma[2];
    ip_registration r = {0};
    ip_fit_rows rows[3] = {{.unknowns = 1}, {.unknowns = 1}, {.unknowns = 1}};
    size_t looked = 0;
    IP_TRY(ip_planes_new(a->c[0].width, a->c[0].height, luma, 2));
    ip_look_code_luma(source, a, &luma[0]);
    ip_look_code_luma(source, b, &luma[1]);
    ipos_status status = ip_register(source, &luma[0], &luma[1], &r);
    if (status == IPOS_OK)
        status = collect(source, a, b, &luma[0], &r, rows, &looked);
    if (status == IPOS_OK)
        status = fit_channels(rows, looked, source->encoding->kind != IP_ENCODING_LINEAR, out);
    for (int c = 0; c < 3; c++)
        ip_fit_free(&rows[c]);
    ip_registration_free(&r);
    ip_planes_free(luma, 2);
    return status;
}
