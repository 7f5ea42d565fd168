/* mode=texture: what camera and lens leave in the pictures taken out or put in, as measured on the shot or on the reference: grain, bloom, vignette. */
#include "continuity_op.h"
#include "shot_grain.h"
#include "vignette.h"

#include <math.h>

typedef struct plan {
    ic_run *run;
    ic_part *part;
    double degrain, regrain, bloom, vignette; /* as asked for */
    ip_shot_grain own, added;
    ip_bloom lens;         /* of what is to be put in, else the shot's own */
    ip_vignette corners;
} plan;

static ipos_status say_reading(json_t *note, const char *name, const char *reason) {
    return json_object_set_new(note, name, *reason ? json_pack("{s:s}", "reason", reason) : json_pack("{s:b}", "measured", 1)) == 0 ? IPOS_OK : ip_no_memory(64);
}

/* Taken out is what the shot has; put in what the reference has, if there is one. */
static ip_shot *model_of(ic_run *run, ic_part *part, double asked) { return asked > 0 && run->reference.numbers ? &run->reference : &part->shot; }

static ipos_status measure_grain(plan *p, ip_shot *shot, ip_shot_grain *out) {
    return ip_shot_grain_measure(p->run->host, shot->clip.index, shot->numbers, shot->count, p->run->teller.done,
        (uint64_t)ip_options_int(p->run->host->options, "seed"), out);
}

static ipos_status measure_lens(plan *p, json_t *note) {
    if (p->bloom != 0) {
        ip_shot *model = model_of(p->run, p->part, p->bloom);
        IP_TRY(ic_step(p->run, .5, "measuring the bloom"));
        IP_TRY(ic_bloom_measure(model, &p->run->teller.pulse, &p->lens));
        const char *reason = p->lens.luma.reading.reason;
        IP_TRY(say_reading(note, "bloom", *reason || p->lens.strength_known ? reason : "the highlights are clipped: its strength is not known"));
    }
    if (p->vignette != 0) {
        const ip_look_source source = ip_shot_source(model_of(p->run, p->part, p->vignette), &p->run->teller.pulse);
        IP_TRY(ic_step(p->run, .7, "measuring the vignette"));
        ipos_status status = ip_vignette_measure(&source, &p->corners);
        if (status == IPOS_ERR_ARGUMENT)
            ip_not_measurable(&p->corners.reading, "the frames are too small");
        else
            IP_TRY(status);
        IP_TRY(say_reading(note, "vignette", p->corners.reading.reason));
    }
    return IPOS_OK;
}

static ipos_status measure(plan *p, json_t *note) {
    IP_TRY(ic_step(p->run, 0, "measuring the grain"));
    if (p->degrain > 0) {
        IP_TRY(measure_grain(p, &p->part->shot, &p->own));
        IP_TRY(say_reading(note, "degrain", p->own.grain.measurable ? "" : p->own.grain.reason));
    }
    if (p->regrain > 0) {
        ip_shot *model = model_of(p->run, p->part, p->regrain);
        if (p->degrain > 0 && model == &p->part->shot)
            p->added = p->own;
        else
            IP_TRY(measure_grain(p, model, &p->added));
        IP_TRY(say_reading(note, "regrain", p->added.grain.measurable ? "" : p->added.grain.reason));
    }
    return measure_lens(p, note);
}

static ipos_status prepare(ic_run *run, ic_part *part) {
    const ip_option_values *options = run->host->options;
    json_t *note = json_object();
    plan *p = part->plan = ip_calloc(1, sizeof *p);
    if (!p || !note || ic_say(part, "texture", note) != IPOS_OK)
        return ip_no_memory(sizeof *p);
    *p = (plan){.run = run, .part = part, .degrain = ip_options_real(options, "degrain"), .regrain = ip_options_real(options, "regrain"),
        .bloom = ip_options_real(options, "bloom"), .vignette = ip_options_real(options, "vignette")};
    if (p->degrain == 0 && p->regrain == 0 && p->bloom == 0 && p->vignette == 0)
        return ip_fail(IPOS_ERR_ARGUMENT, "texture: nothing is asked for: set degrain, regrain, bloom or vignette");
    run->offered[0] = true;
    return measure(p, note);
}

static ipos_status vignette_add(const void *user, const ip_image3 *light, int threads) {
    (void)threads;
    ip_vignette_add(user, light, light->c[0].width, light->c[0].height, 0, 0);
    return IPOS_OK;
}

static ipos_status vignette_remove(const void *user, const ip_image3 *light, int threads) {
    (void)threads;
    ip_vignette_remove(user, light, light->c[0].width, light->c[0].height, 0, 0);
    return IPOS_OK;
}

/* Against the order in which the camera made them: grain goes first and comes last, the lens is in between. */
static ipos_status change(void *user, size_t index, const ip_image3 *image, ic_marks *marks) {
    plan *p = user;
    ip_shot *shot = &p->part->shot;
    const ip_encoding *encoding = shot->clip.encoding;
    const int threads = p->run->host->threads;
    (void)marks;
    if (p->degrain > 0 && p->own.grain.measurable)
        IP_TRY(ic_less_grain(&p->own.grain, shot, index, p->degrain, image));
    if (p->vignette != 0 && ip_measured(&p->corners.reading))
        IP_TRY(ic_in_light(image, encoding, fabs(p->vignette), p->vignette > 0 ? vignette_add : vignette_remove, &p->corners, threads));
    if (p->bloom != 0 && ip_measured(&p->lens.luma.reading) && p->lens.strength_known)
        IP_TRY(ic_in_light(image, encoding, fabs(p->bloom), p->bloom > 0 ? ic_bloom_add : ic_bloom_remove, &p->lens, threads));
    if (!(p->regrain > 0) || !p->added.grain.measurable)
        return IPOS_OK;
    const ip_grain_add_options options = {.seed = p->added.seed, .frame = shot->numbers[index], .gain = (float)p->regrain, .threads = threads};
    ip_image3 out = *image;
    return ip_grain_add(&p->added.grain, &p->added.kernel, &options, &out);
}

static ipos_status emit(ic_run *run, ic_part *part, int variant) { return ic_emit(run, part, variant, 1, change, part->plan); }

static void finish(ic_part *part) { ip_free(part->plan); }

const ic_mode ic_retexture = {
    .name = "texture",
    .variants = {{"texture", "Grain, bloom and vignette as asked for"}},
    .prepare = prepare,
    .emit = emit,
    .finish = finish,
};
