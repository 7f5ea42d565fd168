/* mode=deflicker: exposure flicker and rolling bands out, cuts and real changes of light left. */
#include "continuity_op.h"
#include "deflicker.h"

enum { WHOLE, HALF, LEVEL };

typedef struct plan {
    ip_deflicker_plan kept[2]; /* with the slow drift left, and levelled; the latter with frame NULL: not asked for */
    const ip_deflicker_plan *used;
    ic_part *part;
    float strength;
    int threads;
} plan;

/* The path of exposure, for those who want to see why. */
static ipos_status say_plan(ic_part *part, const char *name, const ip_deflicker_plan *p) {
    json_t *exposure = json_array(), *trend = json_array();
    for (size_t i = 0; i < p->count; i++) {
        json_array_append_new(exposure, json_real(p->frame[i].exposure));
        json_array_append_new(trend, json_real(p->frame[i].trend));
    }
    return ic_say(part, name, json_pack("{s:s, s:f, s:I, s:I, s:f, s:f, s:o*, s:o*}", "reason", p->reading.reason, "confidence", p->reading.confidence,
        "treated", (json_int_t)p->treated, "stretches", (json_int_t)p->stretches, "rms", p->rms, "band_rms", p->band_rms, "exposure", exposure, "trend", trend));
}

static ipos_status prepare(ic_run *run, ic_part *part) {
    const ip_option_values *options = run->host->options;
    const ip_look_source source = ip_shot_source(&part->shot, &run->teller.pulse);
    const bool flat = !ip_options_bool(options, "bands"), drift = ip_options_bool(options, "drift");
    const ip_deflicker_options how[2] = {{.global_only = flat}, {.global_only = flat, .level = true}};
    plan *p = part->plan = ip_calloc(1, sizeof *p);
    if (!p)
        return IPOS_ERR_NO_MEMORY;
    p->part = part;
    p->threads = run->host->threads;
    IP_TRY(ic_step(run, 0, "reading the exposure of every frame"));
    IP_TRY(ip_deflicker_plans_new(&source, how, drift ? 2 : 1, p->kept));
    IP_TRY(say_plan(part, "flicker", &p->kept[0]));
    run->offered[WHOLE] = true;
    run->offered[HALF] = run->offered[HALF] || p->kept[0].treated > 0;
    run->offered[LEVEL] = run->offered[LEVEL] || p->kept[1].treated > 0; /* the halves of the picture have to drift alike */
    return drift ? say_plan(part, "drift", &p->kept[1]) : IPOS_OK;
}

static ipos_status change(void *user, size_t index, const ip_image3 *image, ic_marks *marks) {
    const plan *p = user;
    ip_deflicker_frame frame = p->used->frame[index];
    for (int b = 0; b < IP_DEFLICKER_BANDS; b++)
        frame.log_gain[b] *= p->strength;
    marks->confidence = (double)frame.confidence;
    return ip_deflicker_apply(&frame, p->part->shot.clip.encoding, ip_shot_clip(&p->part->shot), image, p->threads);
}

static ipos_status emit(ic_run *run, ic_part *part, int variant) {
    plan *p = part->plan;
    p->used = &p->kept[variant == LEVEL && p->kept[1].treated > 0];
    p->strength = (float)ip_options_real(run->host->options, "strength") * (variant == HALF ? .5f : 1.f);
    return ic_emit(run, part, variant, p->used->reading.confidence, change, p);
}

static void finish(ic_part *part) {
    plan *p = part->plan;
    ip_deflicker_plan_free(&p->kept[0]);
    ip_deflicker_plan_free(&p->kept[1]);
    ip_free(p);
}

const ic_mode ic_deflicker = {
    .name = "deflicker",
    .variants = {{"deflicker", "Flicker and rolling bands out, cuts, fades and light switches left"}, {"half", "Half of the flicker out"},
        {"level", "Slow drift of exposure out too"}},
    .prepare = prepare,
    .emit = emit,
    .finish = finish,
};
