/* mode=match: a shot brought to another shot, to a frame, or to a measured look. */
#include "continuity_op.h"
#include "local_match.h"
#include "shot_match.h"

enum { MATCH, SUGGESTION, LOCAL, COLOUR, HALF };

typedef struct plan {
    ip_shot_match match;
    ip_local_match local;  /* no keys: nothing to do */
    ip_local_place *place; /* by frame asked for, NULL: none */
    bool locally;          /* the variant under way */
    ic_texture *texture;   /* NULL: nothing to do */
    const ic_texture *used;
    ip_grade grade;        /* of the variant under way */
    double strength;
    ic_part *part;
    int threads;
} plan;

static ipos_status measure(ic_run *run, ic_part *part, plan *p) {
    const ip_look_source own = ip_shot_source(&part->shot, &run->teller.pulse);
    if (!run->reference.numbers) {
        if (!*ip_options_text(run->host->options, "look"))
            return ip_fail(IPOS_ERR_ARGUMENT, "match: nothing to match to: name a clip (reference), frames of this one (reference_frames), or give a "
                "measured look (look)");
        return ic_toward_look(run, part, &p->match);
    }
    const ip_look_source other = ip_shot_source(&run->reference, &run->teller.pulse);
    IP_TRY(ip_shot_match_measure(&own, &other, &p->match));
    return run->graded && ip_measured(&p->match.reading) && !p->match.registered ? ic_suggest_learned(run, part, &p->match) : IPOS_OK;
}

static ipos_status say_local(ic_part *part, const ip_local_match *local, const char *reason) {
    return ic_say(part, "local", json_pack("{s:s, s:f, s:f, s:f}", "reason", reason, "confidence", local->reading.confidence, "before", local->before, "after",
        local->after));
}

/* Where the frames asked for lie in the frames that were learned on: all of them, or the correction would come and go. */
static ipos_status place_all(ic_run *run, ic_part *part, plan *p, const char **reason) {
    const ip_look_source own = ip_shot_source(&part->shot, &run->teller.pulse);
    p->place = ip_calloc(part->shot.count, sizeof *p->place);
    if (!p->place)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < part->count; i++) {
        const size_t index = ip_shot_index(&part->shot, part->times[i].num);
        if (index == part->shot.count)
            continue; /* told of where it would be emitted */
        IP_TRY(ic_step(run, .5 + .5 * (double)i / (double)part->count, "following the places"));
        IP_TRY(ip_local_match_place(&p->local, &own, index, &p->place[index]));
        if (!p->place[index].found)
            *reason = "not all frames asked for can be laid over those that were learned on";
    }
    return IPOS_OK;
}

static ipos_status prepare_local(ic_run *run, ic_part *part, plan *p) {
    const ip_look_source own = ip_shot_source(&part->shot, &run->teller.pulse), other = ip_shot_source(&run->reference, &run->teller.pulse);
    IP_TRY(ic_step(run, .45, "comparing place by place"));
    IP_TRY(ip_local_match_measure(&own, &other, &p->match.grade, &p->local));
    const char *reason = p->local.reading.reason;
    if (ip_measured(&p->local.reading))
        IP_TRY(place_all(run, part, p, &reason));
    IP_TRY(say_local(part, &p->local, reason));
    if (*reason)
        ip_local_match_free(&p->local);
    else
        run->offered[LOCAL] = true;
    return IPOS_OK;
}

static ipos_status prepare(ic_run *run, ic_part *part) {
    plan *p = part->plan = ip_calloc(1, sizeof *p);
    if (!p)
        return IPOS_ERR_NO_MEMORY;
    p->part = part;
    p->threads = run->host->threads;
    IP_TRY(ic_step(run, 0, "laying the shots over each other"));
    IP_TRY(measure(run, part, p));
    IP_TRY(ic_say(part, "match", ip_shot_match_json(&p->match)));
    if (run->reference.numbers && ip_options_bool(run->host->options, "texture")) {
        IP_TRY(ic_step(run, .4, "comparing grain, sharpness and bloom"));
        IP_TRY(ic_texture_new(run, part, &p->match.grade, &p->texture));
    }
    if (p->match.registered && ip_options_bool(run->host->options, "local"))
        IP_TRY(prepare_local(run, part, p));
    if (!p->match.registered)
        run->offered[SUGGESTION] = true;
    run->offered[MATCH] = !run->offered[SUGGESTION];
    run->offered[HALF] = run->offered[HALF] || !ip_grade_is_none(&p->match.grade);
    run->offered[COLOUR] = run->offered[COLOUR] || p->texture;
    return IPOS_OK;
}

static ipos_status change(void *user, size_t index, const ip_image3 *image, ic_marks *marks) {
    plan *p = user;
    (void)marks;
    if (p->used)
        IP_TRY(ic_texture_before(p->used, &p->part->shot, index, p->strength, image));
    ip_grade_apply(&p->grade, image, p->threads);
    if (p->locally && p->local.keys)
        ip_local_match_apply(&p->local, &p->place[index], p->strength, image, p->threads);
    return p->used ? ic_texture_after(p->used, p->part->shot.clip.encoding, p->part->shot.numbers[index], p->strength, image) : IPOS_OK;
}

static ipos_status emit(ic_run *run, ic_part *part, int variant) {
    plan *p = part->plan;
    p->strength = ip_options_real(run->host->options, "strength") * (variant == HALF ? .5 : 1);
    p->grade = ip_grade_share(&p->match.grade, p->strength);
    p->locally = variant == LOCAL;
    p->used = variant == COLOUR || p->strength == 0 ? NULL : p->texture;
    return ic_emit(run, part, variant, p->match.reading.confidence, change, p);
}

static void finish(ic_part *part) {
    plan *p = part->plan;
    ic_texture_free(p->texture);
    ip_local_match_free(&p->local);
    ip_free(p->place);
    ip_free(p);
}

const ic_mode ic_match = {
    .name = "match",
    .variants = {{"match", "Brought to the reference, by what both show"},
        {"suggestion", "A suggestion, for both show nothing in common: judge it before you use it"},
        {"local", "Brought to the reference, and what is left from place to place too"}, {"colour", "Its colour alone, not its texture"},
        {"half", "Half of the way"}},
    .prepare = prepare,
    .emit = emit,
    .finish = finish,
};
