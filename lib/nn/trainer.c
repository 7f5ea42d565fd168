/* The training loop. State that a resumed run needs lives in ip_train_state and goes through checkpoint.c. */
#include "train_state.h"

#include <math.h>

static const double progress_seconds = .25;
enum { MAX_SKIPPED_IN_A_ROW = 25 };

static ip_train_plan with_defaults(const ip_train_plan *plan)
{
    ip_train_plan p = *plan;
    if (p.rate <= 0)
        p.rate = 8e-4;
    if (p.decay <= 0)
        p.decay = 1e-4;
    if (p.warm_up <= 0)
        p.warm_up = 50;
    if (p.clip <= 0)
        p.clip = 1;
    if (p.ema <= 0)
        p.ema = .995;
    if (p.validations <= 0)
        p.validations = 20;
    if (p.checkpoint_seconds <= 0)
        p.checkpoint_seconds = 20;
    return p;
}

static double elapsed(const ip_train_state *s)
{
    return s->before + (ip_now() - s->started);
}

static double done_part(const ip_train_state *s)
{
    double part = s->plan.steps > 0 ? (double)s->step / (double)s->plan.steps : elapsed(s) / (s->before + s->plan.seconds);
    return part < 0 ? 0 : part > 1 ? 1 : part;
}

static ipos_status report(ip_train_state *s, const char *stage)
{
    s->reported = ip_now();
    if (!s->host->progress)
        return IPOS_OK;
    char loss[32], score[32], baseline[32], extra[256];
    ip_real_text(s->loss, loss);
    ip_real_text(s->best_score, score);
    ip_real_text(s->start_score, baseline);
    snprintf(extra, sizeof extra, "\"loss\":%s,\"score\":%s,\"baseline\":%s,\"step\":%lld,\"steps\":%lld", loss, score, baseline,
        (long long)s->step, (long long)s->plan.steps);
    return s->host->progress(s->host->user, done_part(s), stage, extra);
}

static void swap_in_average(ip_train_state *s)
{
    ip_tensor **params = s->task->params->tensors;
    for (size_t i = 0; i < s->count; i++) {
        ip_tensor *kept = params[i];
        params[i] = s->sets[IP_SET_EMA][i];
        s->sets[IP_SET_EMA][i] = kept;
    }
}

static ipos_status copy_all(const ip_train_state *s, ip_tensor *const *to, ip_tensor *const *from)
{
    for (size_t i = 0; i < s->count; i++)
        IP_TRY(s->b->copy(to[i], from[i]));
    return IPOS_OK;
}

/* Scores the average; keeps it if it is the best so far. */
static ipos_status validate(ip_train_state *s)
{
    double score = 0, begin = ip_now();
    IP_TRY(report(s, "scoring on held-out material"));
    s->b->gradients(0);
    swap_in_average(s);
    ipos_status status = s->task->validate(s->task->user, &score);
    if (status == IPOS_OK && s->task->preview)
        status = s->task->preview(s->task->user);
    swap_in_average(s);
    s->b->gradients(1);
    if (status != IPOS_OK)
        return status;
    if (!isfinite(score))
        score = -1e9;
    if (s->step == 0)
        s->start_score = s->best_score = score;
    if (s->step == 0 || s->plan.keep_last || score > s->best_score) {
        IP_TRY(copy_all(s, s->sets[IP_SET_BEST], s->sets[IP_SET_EMA]));
        s->best_score = score;
        s->best_step = s->step;
    }
    s->validation_seconds = ip_now() - begin;
    s->validated = done_part(s);
    s->validated_step = s->step;
    return IPOS_OK;
}

static double learning_rate(const ip_train_state *s)
{
    double warm = (double)(s->step + 1) / (double)s->plan.warm_up;
    double fall = .5 * (1 + cos(3.141592653589793 * done_part(s)));
    return s->plan.rate * (warm < 1 ? warm : 1) * (.01 + .99 * fall);
}

static ipos_status backward(ip_train_state *s, double *loss, double *norm)
{
    ip_params *params = s->task->params;
    ip_rng rng = ip_rng_at(s->plan.seed, (uint64_t)s->step + 1);
    ip_tape tape;
    ip_tape_begin(&tape, s->b, params->device);
    ip_tensor *value = NULL;
    ipos_status status = s->task->loss(s->task->user, &tape, &rng, s->step, &value);
    if (status == IPOS_OK)
        status = tape.status;
    if (status == IPOS_OK)
        status = s->b->value(value, loss);
    if (status == IPOS_OK && isfinite(*loss))
        status = s->b->backward(value);
    (void)ip_tape_end(&tape);
    if (status == IPOS_OK)
        status = s->b->clip_grads(params->tensors, (int32_t)s->count, s->plan.clip, norm);
    return status;
}

static ipos_status one_step(ip_train_state *s)
{
    ip_params *params = s->task->params;
    int32_t count = (int32_t)s->count;
    double loss = 0, norm = 0, rate = learning_rate(s);
    IP_TRY(backward(s, &loss, &norm));
    if (isfinite(loss) && isfinite(norm)) {
        s->applied++;
        s->skipped_in_a_row = 0;
        IP_TRY(s->b->adamw(params->tensors, s->sets[IP_SET_FIRST], s->sets[IP_SET_SECOND], count, rate, .9, .999, 1e-8,
            s->plan.decay, s->applied));
        /* A young average follows quickly, or it would hold the start values for most of a short run. */
        double young = (1.0 + (double)s->applied) / (10.0 + (double)s->applied);
        IP_TRY(s->b->lerp(s->sets[IP_SET_EMA], params->tensors, count, 1 - (young < s->plan.ema ? young : s->plan.ema)));
        s->loss += (loss - s->loss) * (s->applied < 50 ? 1.0 / (double)s->applied : .02);
    } else if (++s->skipped, ++s->skipped_in_a_row > MAX_SKIPPED_IN_A_ROW) {
        return ip_fail(IPOS_ERR_STATE, "training: %d steps in a row without a finite gradient; look for not-finite pixels in the material",
            MAX_SKIPPED_IN_A_ROW);
    }
    for (size_t i = 0; i < s->count; i++)
        IP_TRY(s->b->clear_grad(params->tensors[i]));
    s->step++;
    return IPOS_OK;
}

static ipos_status keep_checkpoint(ip_train_state *s)
{
    s->saved = ip_now();
    if (!s->host->save_checkpoint)
        return IPOS_OK;
    void *bytes;
    size_t size;
    s->seconds = elapsed(s);
    IP_TRY(ip_train_state_save(s, &bytes, &size));
    ipos_status status = s->host->save_checkpoint(s->host->user, bytes, size);
    ip_free(bytes);
    return status;
}

static bool is_over(const ip_train_state *s)
{
    return s->plan.steps > 0 ? s->step >= s->plan.steps : ip_now() - s->started >= s->plan.seconds;
}

/* By steps the places are fixed, so that an interrupted run validates where the uninterrupted one does. */
static bool validation_due(const ip_train_state *s)
{
    if (is_over(s))
        return true;
    if (s->plan.steps > 0) {
        int64_t every = s->plan.steps / s->plan.validations;
        return s->step % (every > 0 ? every : 1) == 0;
    }
    double spacing = 1.0 / s->plan.validations, costs = 8 * s->validation_seconds / (s->before + s->plan.seconds);
    return done_part(s) >= s->validated + (costs > spacing ? costs : spacing);
}

static ipos_status loop(ip_train_state *s)
{
    /* A run that was stopped while it validated makes up for it. */
    if (s->step == 0 || (validation_due(s) && s->validated_step != s->step))
        IP_TRY(validate(s));
    IP_TRY(report(s, "training"));
    while (!is_over(s)) {
        IP_TRY(one_step(s));
        if (validation_due(s))
            IP_TRY(validate(s));
        if (ip_now() - s->saved >= s->plan.checkpoint_seconds)
            IP_TRY(keep_checkpoint(s));
        if (ip_now() - s->reported >= progress_seconds || is_over(s))
            IP_TRY(report(s, "training"));
    }
    return IPOS_OK;
}

static ipos_status run(ip_train_state *s, ip_train_result *result)
{
    IP_TRY(ip_train_state_make(s));
    if (s->plan.checkpoint)
        IP_TRY(ip_train_state_load(s));
    s->before = s->seconds;
    s->started = s->saved = ip_now();
    ipos_status status = loop(s);
    /* A failure inside a step leaves the moments half a step ahead; only a stop between steps is kept. */
    if (status == IPOS_ERR_CANCELLED && s->step > 0) {
        ipos_status kept = keep_checkpoint(s);
        return kept == IPOS_OK ? ip_fail(IPOS_ERR_CANCELLED, "training stopped after %lld steps", (long long)s->step) : kept;
    }
    IP_TRY(status);
    IP_TRY(copy_all(s, s->task->params->tensors, s->sets[IP_SET_BEST]));
    *result = (ip_train_result){.steps = s->step, .best_step = s->best_step, .seconds = elapsed(s), .loss = s->loss,
        .start_score = s->start_score, .score = s->best_score, .skipped = s->skipped};
    return IPOS_OK;
}

ipos_status ip_train(const ip_train_task *task, const ip_train_plan *plan, const ip_train_host *host, ip_train_result *result)
{
    static const ip_train_host nobody;
    *result = (ip_train_result){0};
    if (plan->steps <= 0 && !(plan->seconds > 0))
        return ip_fail(IPOS_ERR_ARGUMENT, "training needs a budget: steps or seconds above 0");
    ip_train_state state = {.b = task->params->b, .task = task, .plan = with_defaults(plan), .host = host ? host : &nobody,
        .count = task->params->count};
    int32_t former = state.b->gradients(1);
    ipos_status status = run(&state, result);
    state.b->gradients(former);
    for (size_t i = 0; i < state.count; i++)
        (void)state.b->clear_grad(task->params->tensors[i]);
    ip_train_state_free(&state);
    return status;
}
