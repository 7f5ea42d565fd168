/* Where in the donor each place of the patch is. */
#include "gauss.h"
#include "patch_internal.h"
#include "register.h"
#include <math.h>

enum { WIDEST = 960, PAIRS = 4000, PAIRS_LEAST = 200, MARGIN = 64, SMALLEST = 128, SHY = 3 };
static const double BEND = 6., BEND_SMOOTH = 20., FLOW_MOST = 3., HOLE_SMOOTH = 2.; /* the last: times the smoothing of what was measured */
static const double SMOOTH[3] = {0., 12., 4.}; /* of the flow; 0: none, the homography and its bending stand */
static const float BAND = 12.f, OFF_MOST = .08f; /* pixels around the matte that are predicted from beyond; code values an error counts as at most */

/* ---- whole frames at working size */

static float known_or_0(float v) { return isfinite(v) ? v : 0.f; }

/* A view of codes in the working encoding. */
static ipos_status view_of(const ip_look_source *source, const ip_image3 *code, double *scale, ip_shot_view *out) {
    ip_image3 linear = {0};
    IP_TRY(ip_image3_new(code->c[0].width, code->c[0].height, &linear));
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < code->c[c].height; y++)
            for (int x = 0; x < code->c[c].width; x++)
                ip_row(&linear.c[c], y)[x] = known_or_0(ip_look_linear(source->encoding, known_or_0(ip_row(&code->c[c], y)[x])));
    *scale = 1.;
    ipos_status status = IPOS_OK;
    for (; status == IPOS_OK && linear.c[0].width > WIDEST; *scale *= 2.)
        for (int c = 0; c < 3 && status == IPOS_OK; c++) {
            ip_plane_f half;
            status = ip_halve(&linear.c[c], &half, source->threads);
            if (status == IPOS_OK) {
                ip_plane_free(&linear.c[c]);
                linear.c[c] = half;
            }
        }
    if (status == IPOS_OK)
        status = ip_shot_view_of(source, &linear, out);
    ip_image3_free(&linear);
    return status;
}

/* 1 around the matte, at working size. */
static ipos_status matted(const ip_plane_f *matte, int width, int height, double scale, ip_plane_f *out) {
    ip_plane_f far = {0};
    IP_TRY(ip_plane_new(width, height, out));
    IP_TRY(ip_plane_new(width, height, &far));
    for (int y = 0; y < matte->height; y++)
        for (int x = 0; x < matte->width; x++)
            if (ip_row(matte, y)[x] > 0.f)
                ip_row(out, IP_MIN(height - 1, (int)(y / scale)))[IP_MIN(width - 1, (int)(x / scale))] = 1.f;
    ip_distance_to(out, &far);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            ip_row(out, y)[x] = ip_row(&far, y)[x] <= SHY ? 1.f : 0.f;
    ip_plane_free(&far);
    return IPOS_OK;
}

/* Pixel (x, y) of the target's frame to one of the donor's. */
static void to_donor(const ip_patch_work *w, double x, double y, double out[2]) {
    double k = w->scale[0], m = w->scale[1];
    ip_overlay_at(&w->overlay, (x - .5 * (k - 1.)) / k, (y - .5 * (k - 1.)) / k, out);
    for (int i = 0; i < 2; i++)
        out[i] = m * out[i] + .5 * (m - 1.);
}

/* The donor's matte as it lies on the target. */
static void matte_to_target(ip_patch_work *w, const ip_plane_f *matte) {
    for (int y = 0; y < w->matte.height; y++)
        for (int x = 0; x < w->matte.width; x++) {
            double at[2];
            to_donor(w, x, y, at);
            bool inside = at[0] >= -.5 && at[1] >= -.5 && at[0] <= matte->width - .5 && at[1] <= matte->height - .5;
            ip_row(&w->matte, y)[x] = inside ? ip_sample_linear(matte, (float)at[0], (float)at[1]) : 0.f;
        }
}

static ipos_status overlay_around(ip_patch_work *w, const ip_shot_view view[2], bool with_matte) {
    ip_plane_f without = {0};
    if (with_matte)
        IP_TRY(matted(&w->matte, view[0].luma.width, view[0].luma.height, w->scale[0], &without));
    const ip_overlay_options options = {.most = BEND, .smooth = BEND_SMOOTH, .without = with_matte ? &without : NULL};
    ip_overlay_free(&w->overlay);
    ipos_status status = ip_overlay_find(w->target, &view[0], &view[1], &options, &w->overlay);
    ip_plane_free(&without);
    return status;
}

static ipos_status match(ip_patch_work *w, const ip_shot_view view[2]) {
    int width = view[0].luma.width, height = view[0].luma.height;
    ip_image3 laid = {0};
    ip_plane_f inside = {0};
    ip_grade_pair *pairs = NULL;
    ip_overlay_grade found;
    size_t count = 0;
    ipos_status status = ip_image3_new(width, height, &laid);
    if (status == IPOS_OK)
        status = ip_plane_new(width, height, &inside);
    if (status == IPOS_OK) {
        ip_overlay_lay(&w->overlay, &view[1].code, &laid, &inside, w->target->threads);
        status = ip_overlay_pairs(w->target, &w->overlay, &view[0], &laid, PAIRS, &pairs, &count);
    }
    if (status == IPOS_OK && count >= PAIRS_LEAST) {
        status = ip_overlay_match(w->target->encoding, pairs, count, &found);
        w->out->grade = found.grade;
    }
    ip_free(pairs);
    ip_image3_free(&laid);
    ip_plane_free(&inside);
    return status;
}

ipos_status ip_patch_register(ip_patch_work *w, bool *found) {
    ip_shot_view view[2] = {0};
    bool of_donor = w->options->matte_of_donor;
    const ip_plane_f given = w->matte;
    ipos_status status = view_of(w->target, w->image, &w->scale[0], &view[0]);
    if (status == IPOS_OK)
        status = view_of(w->donor, &w->frames.middle, &w->scale[1], &view[1]);
    if (status == IPOS_OK)
        status = overlay_around(w, view, !of_donor);
    if (status == IPOS_OK && of_donor) {
        status = ip_plane_new(w->target->width, w->target->height, &w->laid_matte);
        w->matte = w->laid_matte;
        if (status == IPOS_OK && w->overlay.found) {
            matte_to_target(w, &given);
            status = overlay_around(w, view, true);
        }
    }
    *found = status == IPOS_OK && w->overlay.found;
    if (*found) {
        memcpy(w->out->homography, w->overlay.homography, sizeof w->out->homography);
        w->out->residual = w->overlay.residual * w->scale[1];
        if (!w->options->no_relight)
            status = match(w, view);
    }
    ip_shot_view_free(&view[0]);
    ip_shot_view_free(&view[1]);
    return status;
}

/* ---- the box at full size */

static bool box_of(const ip_plane_f *matte, int margin, ip_box_i *out) {
    int x0 = matte->width, y0 = matte->height, x1 = -1, y1 = -1;
    for (int y = 0; y < matte->height; y++)
        for (int x = 0; x < matte->width; x++)
            if (ip_row(matte, y)[x] > 0.f)
                x0 = IP_MIN(x0, x), x1 = IP_MAX(x1, x), y0 = IP_MIN(y0, y), y1 = y;
    if (x1 < 0)
        return false;
    int wide = IP_MAX(margin, (SMALLEST - (x1 - x0)) / 2), high = IP_MAX(margin, (SMALLEST - (y1 - y0)) / 2);
    x0 = IP_MAX(0, x0 - wide), y0 = IP_MAX(0, y0 - high);
    *out = (ip_box_i){x0, y0, IP_MIN(matte->width, x1 + wide + 1) - x0, IP_MIN(matte->height, y1 + high + 1) - y0};
    return true;
}

static void make_alpha(ip_patch_work *w, ip_plane_f *far) {
    ip_plane_f matte = ip_plane_part(&w->matte, w->box), core = w->alpha;
    float feather = w->options->feather < 0. ? 0.f : w->options->feather > 0. ? (float)w->options->feather : 3.f;
    for (int y = 0; y < core.height; y++)
        for (int x = 0; x < core.width; x++)
            ip_row(&core, y)[x] = ip_row(&matte, y)[x] >= .5f ? 1.f : 0.f;
    ip_distance_to(&core, far);
    for (int y = 0; y < core.height; y++)
        for (int x = 0; x < core.width; x++) {
            float ramp = fmaxf(0.f, 1.f - ip_row(far, y)[x] / (feather + 1.f)), own = ip_row(&matte, y)[x];
            ip_row(&core, y)[x] = fmaxf(fminf(1.f, own > 0.f ? own : 0.f), ramp * ramp * (3.f - 2.f * ramp));
        }
}

static void lay(ip_patch_work *w, const ip_plane_f flow[2], int taps) {
    const ip_plane_f *from = &w->frames.middle.c[0];
    ip_patch_sampler sampler;
    ip_patch_sampler_new(taps, &sampler);
    for (int y = 0; y < w->box.height; y++)
        for (int x = 0; x < w->box.width; x++) {
            double at[2];
            float rgb[3];
            to_donor(w, w->box.x + x + (flow ? ip_row(&flow[0], y)[x] : 0.f), w->box.y + y + (flow ? ip_row(&flow[1], y)[x] : 0.f), at);
            bool inside = at[0] >= 0. && at[1] >= 0. && at[0] <= from->width - 1 && at[1] <= from->height - 1;
            int nx = (int)lrint(fmax(0., fmin(from->width - 1, at[0]))), ny = (int)lrint(fmax(0., fmin(from->height - 1, at[1])));
            ip_patch_sample(&sampler, &w->frames.middle, at, rgb);
            for (int c = 0; c < 3; c++) {
                ip_row(&w->laid.c[c], y)[x] = rgb[c];
                ip_row(&w->nearest.c[c], y)[x] = ip_row(&w->frames.middle.c[c], ny)[nx];
            }
            ip_row(&w->place[0], y)[x] = (float)at[0];
            ip_row(&w->place[1], y)[x] = (float)at[1];
            ip_row(&w->there, y)[x] = inside ? 1.f : 0.f;
        }
}

static void luma_of(const ip_image3 *code, const ip_plane_f *out) {
    for (int y = 0; y < out->height; y++)
        for (int x = 0; x < out->width; x++)
            ip_row(out, y)[x] = known_or_0(ip_luma_of(ip_row(&code->c[0], y)[x], ip_row(&code->c[1], y)[x], ip_row(&code->c[2], y)[x]));
}

/* What a flow is made of: the measured one, how far from the matte it is taken, and planes to work in. */
typedef struct refinement {
    ip_patch_work *work;
    ip_plane_f measured[2];
    const ip_plane_f *far;   /* distance from the matte */
    ip_plane_f luma[2];      /* of the target, and of the donor as laid without flow */
    ip_plane_f flow[2], known, tmp;
} refinement;

/* The flow of places farther from the matte than `from`, smoothed, and on into the rest. */
static ipos_status extend(refinement *r, double smooth, float from) {
    int threads = r->work->target->threads;
    for (int y = 0; y < r->known.height; y++)
        for (int x = 0; x < r->known.width; x++) {
            float u = ip_row(&r->measured[0], y)[x], v = ip_row(&r->measured[1], y)[x];
            bool good = ip_row(&r->work->agreed, y)[x] > 0.f && ip_row(r->far, y)[x] > from && hypotf(u, v) <= FLOW_MOST && smooth > 0.;
            ip_row(&r->known, y)[x] = good ? 1.f : 0.f;
            ip_row(&r->flow[0], y)[x] = good ? u : 0.f;
            ip_row(&r->flow[1], y)[x] = good ? v : 0.f;
        }
    if (!(smooth > 0.))
        return IPOS_OK;
    ip_gauss_blur(&r->known, &r->known, &r->tmp, smooth, threads);
    for (int i = 0; i < 2; i++) {
        ip_gauss_blur(&r->flow[i], &r->flow[i], &r->tmp, smooth, threads);
        for (int y = 0; y < r->known.height; y++)
            for (int x = 0; x < r->known.width; x++)
                ip_row(&r->flow[i], y)[x] /= fmaxf(1e-3f, ip_row(&r->known, y)[x]);
    }
    IP_TRY(ip_push_pull(r->flow, 2, &r->known, .2f, threads));
    for (int i = 0; i < 2; i++) { /* what was filled in has the steps of its pyramid */
        ip_plane_f soft = {0};
        IP_TRY(ip_plane_new(r->known.width, r->known.height, &soft));
        ip_gauss_blur(&r->flow[i], &soft, &r->tmp, HOLE_SMOOTH * smooth, threads);
        for (int y = 0; y < r->known.height; y++)
            for (int x = 0; x < r->known.width; x++) {
                float k = fminf(1.f, ip_row(&r->known, y)[x]);
                ip_row(&r->flow[i], y)[x] = k * ip_row(&r->flow[i], y)[x] + (1.f - k) * ip_row(&soft, y)[x];
            }
        ip_plane_free(&soft);
    }
    return IPOS_OK;
}

/* How wrong the flow is in the band around the matte, into which it was extended as it will be into the matte. */
static double wrong_in_band(const refinement *r) {
    double sum = 0.;
    size_t count = 0;
    for (int y = 0; y < r->known.height; y++)
        for (int x = 0; x < r->known.width; x++) {
            float away = ip_row(r->far, y)[x], tx = (float)x + ip_row(&r->flow[0], y)[x], ty = (float)y + ip_row(&r->flow[1], y)[x];
            if (!(away > SHY && away <= SHY + BAND) || !(ip_row(&r->work->there, y)[x] > 0.f))
                continue;
            sum += fminf(OFF_MOST, fabsf(ip_sample_linear(&r->luma[1], tx, ty) - ip_row(&r->luma[0], y)[x]));
            count++;
        }
    return count ? sum / (double)count : 0.;
}

/* The smoothing that predicts the band best. */
static ipos_status choose_smoothing(refinement *r, double *out) {
    double best = INFINITY;
    for (size_t i = 0; i < IP_COUNT(SMOOTH); i++) {
        IP_TRY(extend(r, SMOOTH[i], SHY + BAND));
        double wrong = wrong_in_band(r);
        if (wrong < best) {
            best = wrong;
            *out = SMOOTH[i];
        }
    }
    return IPOS_OK;
}

/* The donor's luma is matched to the target's first, so that errors are of place. */
static ipos_status refine(ip_patch_work *w, refinement *r) {
    const ip_image3 own = ip_image3_part(w->image, w->box);
    ip_registration found = {0};
    double smooth = 0.;
    ip_grade_apply(&w->out->grade, &w->laid, w->target->threads);
    luma_of(&own, &r->luma[0]);
    luma_of(&w->laid, &r->luma[1]);
    IP_TRY(ip_register(w->target, &r->luma[0], &r->luma[1], &found));
    for (int y = 0; y < r->far->height; y++)
        for (int x = 0; x < r->far->width; x++) {
            bool good = ip_row(&found.agreed, y)[x] > 0.f && ip_row(&w->there, y)[x] > 0.f && ip_row(r->far, y)[x] > SHY && !(ip_row(&w->alpha, y)[x] > 0.f);
            ip_row(&w->agreed, y)[x] = good ? 1.f : 0.f;
        }
    for (int i = 0; i < 2; i++)
        r->measured[i] = found.flow[i];
    ipos_status status = choose_smoothing(r, &smooth);
    if (status == IPOS_OK)
        status = extend(r, smooth, SHY);
    if (status == IPOS_OK)
        lay(w, r->flow, IP_PATCH_TAPS); /* registration is the better without what is finest: it is grain, or a codec's */
    ip_registration_free(&found);
    return status;
}

ipos_status ip_patch_lay(ip_patch_work *w) {
    enum { LUMA, FLOW = 2, KNOWN = 4, TMP, FAR, PARTS };
    ip_plane_f part[PARTS] = {0};
    if (!box_of(&w->matte, IP_MAX(MARGIN, (int)(.5 * MARGIN * w->scale[0])), &w->box)) {
        ip_not_measurable(&w->out->reading, w->options->matte_of_donor ? "the matte lies outside the target's frame, or is empty" : "the matte is empty");
        return IPOS_OK;
    }
    int width = w->box.width, height = w->box.height;
    IP_TRY(ip_plane_new(width, height, &w->alpha));
    IP_TRY(ip_planes_new(width, height, w->place, 2));
    IP_TRY(ip_plane_new(width, height, &w->there));
    IP_TRY(ip_plane_new(width, height, &w->agreed));
    IP_TRY(ip_image3_new(width, height, &w->laid));
    IP_TRY(ip_image3_new(width, height, &w->nearest));
    IP_TRY(ip_planes_new(width, height, part, PARTS));
    make_alpha(w, &part[FAR]);
    lay(w, NULL, IP_GRAIN_TAPS);
    refinement r = {.work = w, .far = &part[FAR], .luma = {part[LUMA], part[LUMA + 1]}, .flow = {part[FLOW], part[FLOW + 1]}, .known = part[KNOWN],
        .tmp = part[TMP]};
    ipos_status status = refine(w, &r);
    ip_planes_free(part, PARTS);
    ip_grade_apply(&w->out->grade, &w->laid, w->target->threads);
    ip_grade_apply(&w->out->grade, &w->nearest, w->target->threads);
    return status;
}
