/* mode=patch: what the matte covers carried over from another take or frame. */
#include "continuity_op.h"
#include "patch.h"

enum { PATCH, WIDE, UNLIT };
static const double FEATHER = 3, WIDE_FEATHER = 12;

typedef struct plan {
    ic_run *run;
    ic_part *part;
    ip_grain grain;   /* the shot's, where it could be measured */
    ip_grain_options how;
    ip_patch patch;   /* of the frame under way */
    int variant;
} plan;

static ipos_status prepare(ic_run *run, ic_part *part) {
    if (!run->matte.host)
        return ip_fail(IPOS_ERR_ARGUMENT, "patch: what is to be carried over? give a clip of mattes (matte), white there");
    if (!run->reference.numbers)
        return ip_fail(IPOS_ERR_ARGUMENT, "patch: where from? name a clip (reference) or frames of this one (reference_frames)");
    plan *p = part->plan = ip_calloc(1, sizeof *p);
    if (!p)
        return IPOS_ERR_NO_MEMORY;
    p->run = run;
    p->part = part;
    const ip_grain_source source = ip_shot_grain_source(&part->shot, &p->how, &run->teller.pulse);
    IP_TRY(ic_step(run, 0, "measuring the grain"));
    ipos_status status = ip_grain_measure(&source, &p->how, &p->grain);
    if (status != IPOS_OK && status != IPOS_ERR_ARGUMENT) /* too small to measure is no failure */
        return status;
    run->offered[PATCH] = run->offered[WIDE] = run->offered[UNLIT] = true;
    return ic_say(part, "patches", json_array());
}

static ipos_status note(const plan *p, int64_t number, int64_t from) {
    json_t *entry = p->variant == PATCH ? ip_patch_json(&p->patch) : NULL;
    if (p->variant != PATCH)
        return IPOS_OK;
    if (!entry)
        return ip_no_memory(1024);
    json_object_set_new(entry, "frame", json_integer(number));
    json_object_set_new(entry, "reference_frame", json_integer(from));
    return json_array_append_new(json_object_get(p->part->note, "patches"), entry) == 0 ? IPOS_OK : ip_no_memory(256);
}

static ipos_status lay(plan *p, size_t index, size_t from, const ip_plane_f *matte, const ip_image3 *image) {
    ip_shot *shot = &p->part->shot;
    const ip_look_source target = ip_shot_source(shot, &p->run->teller.pulse), donor = ip_shot_source(&p->run->reference, &p->run->teller.pulse);
    const ip_patch_options options = {.no_relight = p->variant == UNLIT, .no_regrain = !p->grain.measurable, .grain = p->grain.measurable ? &p->grain : NULL,
        .feather = p->variant == WIDE ? WIDE_FEATHER : FEATHER, .seed = (uint64_t)ip_options_int(p->run->host->options, "seed"), .step = p->how.step};
    ip_patch_free(&p->patch);
    return ip_patch_make(&target, index, &donor, from, matte, &options, image, &p->patch);
}

static ipos_status change(void *user, size_t index, const ip_image3 *image, ic_marks *marks) {
    plan *p = user;
    const ip_shot *shot = &p->part->shot;
    const int64_t number = shot->numbers[index];
    ip_plane_f matte;
    size_t from;
    IP_TRY(ic_beside(p->run, number, &from));
    IP_TRY(ip_plane_new(shot->window.width, shot->window.height, &matte));
    ipos_status status = ic_mask(&p->run->matte, number, shot->window, &matte);
    if (status == IPOS_OK)
        status = lay(p, index, from, &matte, image);
    ip_plane_free(&matte);
    IP_TRY(status);
    marks->kind = p->run->reference.clip.index ? IC_TAKE : IC_SEEN;
    marks->confidence = p->patch.reading.confidence;
    marks->by_place = p->patch.confidence.data ? &p->patch.confidence : NULL;
    return note(p, number, p->run->reference.numbers[from]);
}

static ipos_status emit(ic_run *run, ic_part *part, int variant) {
    plan *p = part->plan;
    p->variant = variant;
    return ic_emit(run, part, variant, 0, change, p);
}

static void finish(ic_part *part) {
    plan *p = part->plan;
    ip_patch_free(&p->patch);
    ip_free(p);
}

const ic_mode ic_patch = {
    .name = "patch",
    .variants = {{"patch", "Carried over, in this frame's light and grain"}, {"wide", "The same, fading out over twelve pixels"},
        {"unlit", "In the light it was shot in"}},
    .owns_matte = true,
    .prepare = prepare,
    .emit = emit,
    .finish = finish,
};
