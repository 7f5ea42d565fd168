/* Makes the frames asked for: first the gate measures every method on the known neighbours of every gap, then each method that is
 * offered makes all the frames, so that a person compares like with like. */
#include "run.h"

#include <math.h>

const char *const ib_method_names[IB_METHODS] = {"gated", "learned", "full", "plain", "average"};

static ipos_status run_tick(void *user) {
    ib_run *run = user;
    return run->host->progress(run->host, run->done, run->stage, "");
}

static ipos_status step(ib_run *run, double done, const char *what, ipos_rational time) {
    run->done = done;
    if (time.den == 1)
        snprintf(run->stage, sizeof run->stage, "%s frame %lld", what, (long long)time.num);
    else
        snprintf(run->stage, sizeof run->stage, "%s frame %lld/%lld", what, (long long)time.num, (long long)time.den);
    return run_tick(run);
}

static ipos_status list_hidden(ib_run *run) {
    run->hidden = ip_calloc(IP_MAX(run->host->time_count, 1), sizeof *run->hidden);
    if (!run->hidden)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < run->host->time_count; i++)
        if (run->host->times[i].den == 1)
            run->hidden[run->hidden_count++] = run->host->times[i].num;
    return IPOS_OK;
}

/* The last shot found serves the next target too, as times ascend. */
static ipos_status target_shot(ib_run *run, ib_target *target) {
    ib_shot *last = run->shot_count ? &run->shots[run->shot_count - 1] : NULL;
    if (!last || target->t >= (double)last->last + 1) {
        ib_shot *shot = &run->shots[run->shot_count];
        IP_TRY(ib_shot_find(&run->clip, target->t, run->hidden, run->hidden_count, shot));
        shot->tick = run_tick;
        shot->tick_user = run;
        run->shot_count++;
    }
    target->shot = run->shot_count - 1;
    return IPOS_OK;
}

static ipos_status place_target(ib_run *run, ib_target *target) {
    IP_TRY(target_shot(run, target));
    const ib_shot *shot = &run->shots[target->shot];
    if (ib_shot_gap(shot, target->t, &target->left))
        return IPOS_OK;
    const char *clip = run->clip.frames.clip->name;
    if (!shot->count)
        return ip_fail(IPOS_ERR_ARGUMENT, "clip %s: no known frame is left in the shot %lld-%lld around %g: ask for fewer frames", clip,
            (long long)shot->first, (long long)shot->last, target->t);
    if (strcmp(ip_options_text(run->host->options, "edges"), "hold") != 0)
        return ip_fail(IPOS_ERR_ARGUMENT,
            "clip %s: %g has known frames on one side only (its shot is %lld-%lld, known frames %lld-%lld); ask for frames between "
            "known ones, or set edges=hold to repeat the nearest",
            clip, target->t, (long long)shot->first, (long long)shot->last, (long long)shot->numbers[0],
            (long long)shot->numbers[shot->count - 1]);
    target->held = true;
    target->hold = target->t < shot->times[0] ? shot->numbers[0] : shot->numbers[shot->count - 1];
    return IPOS_OK;
}

/* Opens the session of the target's shot on a canvas that holds both its frames. */
static ipos_status ready_shot(ib_run *run, const ib_target *target, ipos_frame **left, ipos_frame **right) {
    ib_shot *shot = &run->shots[target->shot];
    IP_TRY(ip_clip_frame(&run->clip.frames, shot->numbers[target->left], left));
    IP_TRY(ip_clip_frame(&run->clip.frames, shot->numbers[target->left + 1], right));
    ib_canvas_include(&run->clip, *left);
    ib_canvas_include(&run->clip, *right);
    IP_TRY(ib_shot_open(shot));
    run->lean = run->lean || shot->lean;
    return IPOS_OK;
}

static double forced_trajectory(const ip_op_host *host, double automatic) {
    const char *set = ip_options_text(host->options, "trajectory");
    return !strcmp(set, "straight") ? 0 : !strcmp(set, "half") ? .5 : !strcmp(set, "curved") ? 1 : automatic;
}

static ipos_status try_learned(ib_run *run, ib_target *target) {
    const ib_shot *shot = &run->shots[target->shot];
    double gain = 0, structure = 0;
    int measured = 0;
    for (size_t i = target->left; i <= target->left + 1; i++) {
        if (!run->tried[i]) {
            IP_TRY(ib_learned_trial(run->learned, shot, i, &target->choice, &run->trials[i]));
            run->tried[i] = true;
        }
        if (run->trials[i].measured) {
            gain += run->trials[i].learned.psnr - run->trials[i].classical.psnr;
            structure += run->trials[i].learned.ssim - run->trials[i].classical.ssim;
            measured++;
        }
    }
    target->learned_measured = measured > 0;
    if (measured)
        target->learned_gain = gain / measured;
    target->use_learned = measured && ib_learned_helps(&target->choice, target->learned_gain, structure);
    return IPOS_OK;
}

static ipos_status forget_trials(ib_run *run, size_t shot) {
    ip_free(run->trials);
    ip_free(run->tried);
    run->trials = ip_calloc(IP_MAX(run->shots[shot].count, 1), sizeof *run->trials);
    run->tried = ip_calloc(IP_MAX(run->shots[shot].count, 1), sizeof *run->tried);
    return run->trials && run->tried ? IPOS_OK : IPOS_ERR_NO_MEMORY;
}

static ipos_status measure(ib_run *run) {
    bool gate = ip_options_bool(run->host->options, "gate");
    size_t shot = SIZE_MAX;
    for (size_t i = 0; i < run->count; i++) {
        ib_target *target = &run->targets[i];
        IP_TRY(step(run, .5 * (double)i / (double)run->count, "measuring", target->time));
        if (target->held)
            continue;
        ipos_frame *left, *right;
        IP_TRY(ready_shot(run, target, &left, &right));
        target->choice = (ip_inbetween_choice){.variant = run->shots[target->shot].lean ? IP_INBETWEEN_PLAIN : IP_INBETWEEN_FULL};
        if (gate)
            IP_TRY(ip_inbetween_choose(run->shots[target->shot].session, target->t, &target->choice));
        target->choice.trajectory = forced_trajectory(run->host, target->choice.trajectory);
        if (!run->learned || !gate)
            continue;
        if (shot != target->shot)
            IP_TRY(forget_trials(run, shot = target->shot));
        IP_TRY(try_learned(run, target));
    }
    return IPOS_OK;
}

/* Before anything is measured: every name in the list is one of ours, and there is a model where one is needed. */
static ipos_status check_methods(const ib_run *run) {
    const char *asked = ip_options_text(run->host->options, "variants");
    if (!strcmp(asked, "all"))
        return IPOS_OK;
    for (const char *at = asked;; at++) {
        size_t length = strcspn(at, ",");
        int m = 0;
        while (m < IB_METHODS && (strlen(ib_method_names[m]) != length || strncmp(at, ib_method_names[m], length)))
            m++;
        if (m == IB_METHODS)
            return ip_fail(IPOS_ERR_ARGUMENT, "variants: \"%.*s\" in \"%s\" is none of gated, learned, full, plain, average; or ask for all", (int)length, at,
                asked);
        if (m == IB_LEARNED && !run->host->model)
            return ip_fail(IPOS_ERR_ARGUMENT, "variants: \"learned\" needs a model: train one and give it to the operation, or leave it out");
        at += length;
        if (!*at)
            return IPOS_OK;
    }
}

/* "all" leaves "gated" out where one method is best on every frame: it would be the same pictures twice. */
static ipos_status choose_methods(ib_run *run) {
    const char *asked = ip_options_text(run->host->options, "variants");
    bool all = !strcmp(asked, "all");
    bool mixed = false;
    const ib_target *first = NULL;
    for (size_t i = 0; i < run->count; i++) {
        const ib_target *target = &run->targets[i];
        if (target->held)
            continue;
        if (first)
            mixed = mixed || target->choice.variant != first->choice.variant || target->use_learned != first->use_learned;
        else
            first = target;
    }
    for (int m = 0; m < IB_METHODS; m++)
        run->offered[m] = all ? (m != IB_GATED || mixed) && (m != IB_LEARNED || run->learned) : ip_in_list(asked, ib_method_names[m]);
    if (!run->lean || !run->offered[IB_FULL])
        return IPOS_OK;
    run->offered[IB_FULL] = false;
    return all ? IPOS_OK : ip_fail(IPOS_ERR_NO_MEMORY, "clip %s: the full method needs more than memory_limit (%llu MiB) at this size: "
        "raise it, or ask for other variants", run->clip.frames.clip->name, (unsigned long long)(run->host->memory_limit >> 20));
}

ip_inbetween_variant ib_variant_of(const ib_target *target, int method, bool *learned) {
    ip_inbetween_variant best = target->choice.variant;
    *learned = method == IB_LEARNED || (method == IB_GATED && target->use_learned);
    switch (method) {
    case IB_FULL: return IP_INBETWEEN_FULL;
    case IB_PLAIN: return IP_INBETWEEN_PLAIN;
    case IB_AVERAGE: return IP_INBETWEEN_AVERAGE;
    default: return *learned && best == IP_INBETWEEN_AVERAGE ? IP_INBETWEEN_PLAIN : best;
    }
}

static ipos_status make_one(ib_run *run, const ib_target *target, ipos_frame *left, ipos_frame *right, ip_inbetween_variant variant, bool learned,
    ipos_frame **picture, ipos_frame **evidence, double *confidence) {
    ip_inbetween_plan *plan = NULL;
    ib_residual residual = {0};
    ip_image3 colour[2] = {0};
    ipos_status status =
        ip_inbetween_plan_make(run->shots[target->shot].session, target->t, variant, target->choice.trajectory, &plan);
    if (status == IPOS_OK && learned) {
        ipos_frame *frames[2] = {left, right};
        for (int i = 0; i < 2 && status == IPOS_OK; i++) {
            status = ip_image3_new(run->clip.canvas.width, run->clip.canvas.height, &colour[i]);
            if (status == IPOS_OK)
                status = ib_colour(&run->clip, frames[i], (float *const[3]){colour[i].c[0].data, colour[i].c[1].data, colour[i].c[2].data},
                    colour[i].c[0].stride);
        }
        if (status == IPOS_OK)
            status = ib_learned_apply(run->learned, plan, &colour[0], &colour[1], run->host->threads, &residual);
    }
    if (status == IPOS_OK)
        status = ib_picture(&run->clip, plan, left, right, learned ? &residual : NULL, picture);
    if (status == IPOS_OK)
        status = ib_evidence(&run->clip, plan, *picture, evidence);
    if (status == IPOS_OK && run->grain)
        status = ib_grain_add(run->grain, &run->clip.frames, target->t, left, *picture);
    if (status == IPOS_OK) {
        ip_inbetween_info info;
        ip_inbetween_plan_info(plan, &info);
        *confidence = info.confidence;
    }
    for (int i = 0; i < 2; i++)
        ip_image3_free(&colour[i]);
    ib_residual_free(&residual);
    ip_inbetween_plan_free(plan);
    return status;
}

typedef struct ib_made {
    ip_inbetween_variant variant;
    bool learned, ready;
    ipos_frame *picture, *evidence;
    double confidence;
} ib_made;

static ipos_status ready_grain(ib_run *run, const ib_target *target) {
    if (!run->grain || target->held || run->grain_shot == target->shot)
        return IPOS_OK;
    run->grain_shot = target->shot;
    const ib_shot *shot = &run->shots[target->shot];
    return ip_shot_grain_measure(run->host, 0, shot->numbers, shot->count, run->done, (uint64_t)ip_options_int(run->host->options, "seed"), run->grain);
}

/* Two methods that come to the same thing on this frame share one picture. */
static ipos_status make_target(ib_run *run, ib_target *target) {
    ib_made made[IB_METHODS] = {0};
    ipos_status status = IPOS_OK;
    ipos_frame *left = NULL, *right = NULL;
    if (target->held)
        status = ip_clip_frame(&run->clip.frames, target->hold, &left);
    else
        status = ready_shot(run, target, &left, &right);
    /* Planning asks for other frames, which may push these two out of the cache. */
    if (status == IPOS_OK) {
        ipos_frame_retain(left);
        ipos_frame_retain(right);
    } else
        left = right = NULL;
    for (int m = 0; m < IB_METHODS && status == IPOS_OK; m++) {
        if (!run->offered[m])
            continue;
        bool learned;
        ip_inbetween_variant variant = ib_variant_of(target, m, &learned);
        ib_made *slot = &made[m];
        for (int k = 0; k < m && slot == &made[m]; k++)
            if (made[k].ready && (target->held || (made[k].variant == variant && made[k].learned == learned)))
                slot = &made[k];
        if (!slot->ready) {
            *slot = (ib_made){.variant = variant, .learned = learned};
            status = target->held ? ib_hold(&run->clip, left, &slot->picture, &slot->evidence)
                                  : make_one(run, target, left, right, variant, learned, &slot->picture, &slot->evidence, &slot->confidence);
            slot->ready = status == IPOS_OK;
        }
        if (status == IPOS_OK)
            status = run->host->emit(run->host, ib_method_names[m], target->time, slot->confidence, slot->picture, slot->evidence);
    }
    for (int m = 0; m < IB_METHODS; m++) {
        ipos_frame_release(made[m].picture);
        ipos_frame_release(made[m].evidence);
    }
    ipos_frame_release(left);
    ipos_frame_release(right);
    return status;
}

static ipos_status run_all(ib_run *run) {
    ip_op_host *host = run->host;
    IP_TRY(check_methods(run));
    IP_TRY(ip_clip_open(&run->clip.frames, host, 0, IB_CACHE));
    run->clip.tick = run_tick;
    run->grain_shot = SIZE_MAX;
    if (ip_options_bool(host->options, "grain") && !(run->grain = ip_calloc(1, sizeof *run->grain)))
        return IPOS_ERR_NO_MEMORY;
    run->clip.tick_user = run;
    if (host->model)
        IP_TRY(ib_learned_open(host, host->model, host->model_bytes, &run->learned));
    IP_TRY(list_hidden(run));
    run->count = host->time_count;
    run->targets = ip_calloc(IP_MAX(run->count, 1), sizeof *run->targets);
    run->shots = ip_calloc(IP_MAX(run->count, 1), sizeof *run->shots);
    if (!run->targets || !run->shots)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < run->count; i++) {
        run->targets[i].time = host->times[i];
        run->targets[i].t = (double)host->times[i].num / (double)host->times[i].den;
        IP_TRY(place_target(run, &run->targets[i]));
    }
    IP_TRY(measure(run));
    IP_TRY(choose_methods(run));
    for (size_t i = 0; i < run->count; i++) {
        IP_TRY(step(run, .5 + .5 * (double)i / (double)run->count, "making", run->targets[i].time));
        IP_TRY(ready_grain(run, &run->targets[i]));
        IP_TRY(make_target(run, &run->targets[i]));
    }
    return ib_rank_methods(run);
}

static ipos_status inbetween_run(ip_op_host *host) {
    ib_run run = {.host = host};
    if (host->clip_count != 1 || !host->time_count)
        return ip_fail(IPOS_ERR_ARGUMENT, "inbetween: needs one clip and the frames to make");
    ipos_status status = run_all(&run);
    for (size_t i = 0; i < run.shot_count; i++)
        ib_shot_close(&run.shots[i]);
    ib_learned_close(run.learned);
    ip_clip_close(&run.clip.frames);
    ip_free(run.grain);
    ip_free(run.shots);
    ip_free(run.targets);
    ip_free(run.hidden);
    ip_free(run.trials);
    ip_free(run.tried);
    return status;
}

const ip_op ip_op_inbetween = {
    .spec = &ip_op_inbetween_spec,
    .run = inbetween_run,
    .train = ib_train,
};
