/* A match learned from clips that look as they should (graded), where shot and reference show nothing in common. */
#include "continuity_op.h"

enum { SHOTS_EACH = 8 };

struct ic_learned {
    ip_graded *graded;
    ip_graded_score score;
};

static ipos_status add_shot(ic_run *run, struct ic_learned *learned, ip_shot *shot) {
    char refused[160];
    IP_TRY(ip_shot_open(shot, refused));
    if (*refused)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "graded %s: %s", shot->clip.clip->name, refused);
    const ip_look_source source = ip_shot_source(shot, &run->teller.pulse);
    return ip_graded_add(learned->graded, &source);
}

static ipos_status add_clip(ic_run *run, struct ic_learned *learned, size_t clip) {
    ip_shot *shots;
    size_t count;
    if (!run->host->clips[clip].may_train)
        return ip_fail(IPOS_ERR_PERMISSION, "graded: clip %s may not be learned from: leave it out, or ingest it with permission for training",
            run->host->clips[clip].name);
    IP_TRY(ip_shots_of(run->host, clip, SHOTS_EACH, &shots, &count));
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < count; i++) {
        if (status == IPOS_OK)
            status = add_shot(run, learned, &shots[i]);
        ip_shot_close(&shots[i]);
    }
    ip_free(shots);
    return status;
}

static ipos_status learn(ic_run *run) {
    struct ic_learned *learned = run->learned = ip_calloc(1, sizeof *learned);
    if (!learned)
        return IPOS_ERR_NO_MEMORY;
    IP_TRY(ip_graded_new((uint64_t)ip_options_int(run->host->options, "seed"), &learned->graded));
    for (size_t i = 1; i < run->host->clip_count; i++)
        if (!strcmp(run->host->clips[i].role, "graded"))
            IP_TRY(add_clip(run, learned, i));
    IP_TRY(ic_step(run, .3, "learning from graded shots"));
    return ip_graded_learn(learned->graded, &learned->score);
}

ipos_status ic_suggest_learned(ic_run *run, ic_part *part, ip_shot_match *match) {
    const ip_look_source own = ip_shot_source(&part->shot, &run->teller.pulse), other = ip_shot_source(&run->reference, &run->teller.pulse);
    if (!run->learned)
        IP_TRY(learn(run));
    const ip_graded_score *score = &run->learned->score;
    if (score->better)
        IP_TRY(ip_graded_suggest(run->learned->graded, &own, &other, match));
    return ic_say(part, "graded", json_pack("{s:I, s:f, s:f, s:f, s:b}", "shots", (json_int_t)score->shots, "none", score->none, "colours", score->colours, "learned",
        score->learned, "used", score->better));
}

void ic_learned_free(struct ic_learned *learned) {
    if (learned)
        ip_graded_free(learned->graded);
    ip_free(learned);
}
