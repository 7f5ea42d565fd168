#include "patch.h"
#include "patch_internal.h"
#include <math.h>

static ipos_status check(const ip_look_source *target, size_t target_frame, const ip_look_source *donor, size_t donor_frame, const ip_plane_f *matte,
    const ip_patch_options *options, const ip_image3 *image) {
    IP_TRY(ip_look_check(target, "patch: the target"));
    IP_TRY(ip_look_check(donor, "patch: the donor"));
    if (target->encoding != donor->encoding)
        return ip_fail(IPOS_ERR_ARGUMENT, "patch: the target is %s and the donor %s, expected one encoding; convert one of them", target->encoding->name,
            donor->encoding->name);
    if (target_frame >= target->count || donor_frame >= donor->count)
        return ip_fail(IPOS_ERR_ARGUMENT, "patch: frames %zu of %zu and %zu of %zu, expected ones that exist", target_frame, target->count, donor_frame,
            donor->count);
    const ip_look_source *on = options->matte_of_donor ? donor : target;
    if (matte->width != on->width || matte->height != on->height)
        return ip_fail(IPOS_ERR_ARGUMENT, "patch: matte of %dx%d, expected the %s's %dx%d", matte->width, matte->height,
            options->matte_of_donor ? "donor" : "target", on->width, on->height);
    if (image->c[0].width != target->width || image->c[0].height != target->height)
        return ip_fail(IPOS_ERR_ARGUMENT, "patch: image of %dx%d, expected the target's %dx%d", image->c[0].width, image->c[0].height,
            target->width, target->height);
    return IPOS_OK;
}

static ip_box_i whole(const ip_look_source *source) { return (ip_box_i){0, 0, source->width, source->height}; }

/* About where the matte is, before anything is registered: for what grain is measured on. */
static ip_box_i box_about(const ip_plane_f *matte, const ip_look_source *source, const ip_look_source *of) {
    double sx = 0., sy = 0., n = 0.;
    for (int y = 0; y < matte->height; y++)
        for (int x = 0; x < matte->width; x++)
            if (ip_row(matte, y)[x] > 0.f)
                sx += x, sy += y, n += 1.;
    if (n == 0.)
        return whole(source);
    return (ip_box_i){(int)(sx / n * source->width / of->width), (int)(sy / n * source->height / of->height), 0, 0};
}

/* Share of the donor at each pixel into the image; what the donor does not show stays. */
static void compose(ip_patch_work *w) {
    size_t taken = 0, asked = 0;
    for (int y = 0; y < w->box.height; y++)
        for (int x = 0; x < w->box.width; x++) {
            float share = ip_row(&w->alpha, y)[x], *own[3], sum = 0.f;
            bool core = ip_row(&w->matte, w->box.y + y)[w->box.x + x] > 0.f;
            asked += core;
            if (!(share > 0.f) || !(ip_row(&w->there, y)[x] > 0.f))
                continue;
            taken += core;
            for (int c = 0; c < 3; c++) {
                own[c] = &ip_row(&w->image->c[c], w->box.y + y)[w->box.x + x];
                sum += *own[c];
            }
            for (int c = 0; c < 3; c++) {
                float other = ip_row(&w->laid.c[c], y)[x];
                *own[c] = share >= 1.f || !isfinite(sum) ? other : *own[c] + share * (other - *own[c]);
            }
            ip_row(&w->out->evidence, w->box.y + y)[w->box.x + x] = 1.f;
        }
    w->out->share = asked ? (double)taken / (double)asked : 0.;
}

static void rate(ip_patch_work *w) {
    double sum = 0.;
    size_t count = 0;
    for (int y = 0; y < w->out->evidence.height; y++)
        for (int x = 0; x < w->out->evidence.width; x++)
            if (ip_row(&w->out->evidence, y)[x] > 0.f) {
                sum += ip_row(&w->out->confidence, y)[x];
                count++;
            }
    w->out->reading.confidence = count ? fmin(1., sum / (double)count * w->out->share) : 0.;
    if (!count)
        ip_not_measurable(&w->out->reading, "the donor shows nothing of the matte");
}

static ipos_status work(ip_patch_work *w, size_t target_frame, ip_patch_frames *around) {
    ip_grain grain;
    bool found, usable;
    IP_TRY(ip_plane_new(w->target->width, w->target->height, &w->out->evidence));
    IP_TRY(ip_plane_new(w->target->width, w->target->height, &w->out->confidence));
    ip_plane_fill(&w->out->confidence, 1.f);
    IP_TRY(ip_patch_grain_prepare(w, around, &grain, &usable));
    IP_TRY(ip_patch_register(w, &found));
    if (!found) {
        ip_not_measurable(&w->out->reading, "the frames do not lie over each other: %.0f %% agrees, structure correlates by %.2f", 100. * w->overlay.share,
            w->overlay.structure);
        return IPOS_OK;
    }
    IP_TRY(ip_patch_lay(w));
    if (!ip_measured(&w->out->reading))
        return IPOS_OK;
    w->out->box = w->box;
    IP_TRY(ip_patch_light(w));
    if (usable)
        IP_TRY(ip_patch_regrain(w, &grain, (int64_t)target_frame));
    else if (!w->options->no_regrain)
        IP_TRY(ip_patch_keep_grain(w, (int64_t)target_frame));
    if (!ip_alive(w->target->pulse))
        return ip_fail(IPOS_ERR_CANCELLED, "patch: cancelled");
    compose(w);
    rate(w);
    return IPOS_OK;
}

static void work_free(ip_patch_work *w) {
    ip_patch_frames_free(&w->frames);
    ip_overlay_free(&w->overlay);
    ip_plane_free(&w->alpha);
    ip_planes_free(w->place, 2);
    ip_plane_free(&w->there);
    ip_plane_free(&w->agreed);
    ip_image3_free(&w->laid);
    ip_image3_free(&w->nearest);
    ip_plane_free(&w->laid_matte);
}

ipos_status ip_patch_make(const ip_look_source *target, size_t target_frame, const ip_look_source *donor, size_t donor_frame, const ip_plane_f *matte,
    const ip_patch_options *options, const ip_image3 *image, ip_patch *out) {
    static const ip_patch_options none = {0};
    options = options ? options : &none;
    *out = (ip_patch){.reading.frames = 2, .grade = ip_grade_none()};
    IP_TRY(check(target, target_frame, donor, donor_frame, matte, options, image));
    ip_patch_work w = {.target = target, .donor = donor, .options = options, .image = image, .out = out, .matte = *matte};
    const ip_look_source *on = options->matte_of_donor ? donor : target;
    ip_patch_frames around = {0};
    bool same = donor->user == target->user && donor->fetch == target->fetch;
    ipos_status status = ip_patch_frames_get(target, target_frame, image, box_about(matte, target, on), options->no_regrain || options->grain, &around);
    if (status == IPOS_OK)
        status = ip_patch_frames_get(donor, donor_frame, NULL, box_about(matte, donor, on), options->no_regrain || same, &w.frames);
    if (status == IPOS_OK)
        status = work(&w, target_frame, &around);
    ip_patch_frames_free(&around);
    work_free(&w);
    if (status != IPOS_OK)
        ip_patch_free(out);
    return status;
}

void ip_patch_free(ip_patch *patch) {
    ip_plane_free(&patch->evidence);
    ip_plane_free(&patch->confidence);
}

#define REAL(member) IP_FIELD(ip_patch, member, IP_FIELD_REAL)
static const ip_field fields[] = {
    IP_FIELD(ip_patch, reading, IP_FIELD_READING), IP_FIELDS(ip_patch, homography, IP_FIELD_REAL, 9), REAL(residual), REAL(share), REAL(before), REAL(after),
    IP_FIELD(ip_patch, regrain, IP_FIELD_READING), REAL(grain_added), REAL(grain_kept), IP_FIELD(ip_patch, grain_removed, IP_FIELD_BOOL),
};

json_t *ip_patch_json(const ip_patch *patch) {
    json_t *out = ip_record_json(fields, IP_COUNT(fields), patch);
    if (out && json_object_set_new(out, "box", json_pack("[i,i,i,i]", patch->box.x, patch->box.y, patch->box.width, patch->box.height)) != 0) {
        json_decref(out);
        ip_fail(IPOS_ERR_NO_MEMORY, "patch: no memory for its JSON");
        return NULL;
    }
    return out;
}
