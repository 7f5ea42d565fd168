/* Checkpoints: a safetensors file with the weights, their averages and moments, and the counters as JSON in the header. */
#include "train_state.h"

#include <math.h>
#include <stdlib.h>

static const char state_key[] = "interpos.checkpoint";
static const char *const prefixes[IP_SETS] = {"ema/", "first/", "second/", "best/"};

ipos_status ip_train_state_make(ip_train_state *state)
{
    const ip_params *params = state->task->params;
    int64_t shape[8];
    for (int k = 0; k < IP_SETS; k++) {
        state->sets[k] = ip_calloc(state->count ? state->count : 1, sizeof *state->sets[k]);
        if (!state->sets[k])
            return IPOS_ERR_NO_MEMORY;
        for (size_t i = 0; i < state->count; i++) {
            ip_tensor *plain = NULL;
            IP_TRY(state->b->detach(&plain, params->tensors[i]));
            ipos_status status = state->b->clone(&state->sets[k][i], plain);
            state->b->drop(plain);
            IP_TRY(status);
            if (k == IP_SET_FIRST || k == IP_SET_SECOND) {
                ip_tensor *zero = NULL;
                int32_t rank = state->b->shape(params->tensors[i], shape);
                IP_TRY(state->b->full(&zero, shape, rank, 0, params->device));
                status = state->b->copy(state->sets[k][i], zero); /* keeps the layout of the clone */
                state->b->drop(zero);
                IP_TRY(status);
            }
        }
    }
    return IPOS_OK;
}

void ip_train_state_free(ip_train_state *state)
{
    for (int k = 0; k < IP_SETS; k++) {
        for (size_t i = 0; state->sets[k] && i < state->count; i++)
            state->b->drop(state->sets[k][i]);
        ip_free(state->sets[k]);
        state->sets[k] = NULL;
    }
}

static void all_sets(const ip_train_state *state, ip_weight_set sets[IP_SETS + 1])
{
    sets[0] = (ip_weight_set){"param/", state->task->params->tensors};
    for (int k = 0; k < IP_SETS; k++)
        sets[k + 1] = (ip_weight_set){prefixes[k], state->sets[k]};
}

static char *counters_text(const ip_train_state *s)
{
    char seed[24];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)s->plan.seed); /* JSON numbers stop short of 64 bits */
    json_t *counters = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:f, s:f, s:f, s:f, s:f}", "step", (json_int_t)s->step, "applied",
        (json_int_t)s->applied, "best_step", (json_int_t)s->best_step, "validated_step", (json_int_t)s->validated_step, "skipped", (json_int_t)s->skipped, "skipped_in_a_row",
        (json_int_t)s->skipped_in_a_row, "seed", seed, "seconds", s->seconds, "loss", s->loss, "start_score", s->start_score,
        "best_score", s->best_score, "validated", s->validated);
    char *text = json_dumps(counters, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    json_decref(counters);
    return text;
}

ipos_status ip_train_state_save(const ip_train_state *state, void **bytes, size_t *size)
{
    ip_weight_set sets[IP_SETS + 1];
    all_sets(state, sets);
    char *text = counters_text(state);
    json_t *metadata = text ? json_pack("{s:s}", state_key, text) : NULL;
    free(text);
    if (!metadata)
        return ip_fail(IPOS_ERR_NO_MEMORY, "no memory for a checkpoint");
    ipos_status status = ip_weights_save(state->task->params, sets, IP_COUNT(sets), state->task->architecture, metadata, bytes, size);
    json_decref(metadata);
    return status;
}

static ipos_status read_counters(ip_train_state *s, const char *text)
{
    const char *seed = NULL;
    json_int_t step, applied, best_step, validated_step, skipped, in_a_row;
    char own[24];
    json_t *counters = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    int failed = json_unpack(counters, "{s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:F, s:F, s:F, s:F, s:F}", "step", &step, "applied", &applied,
        "best_step", &best_step, "validated_step", &validated_step, "skipped", &skipped, "skipped_in_a_row", &in_a_row, "seed", &seed, "seconds", &s->seconds, "loss",
        &s->loss, "start_score", &s->start_score, "best_score", &s->best_score, "validated", &s->validated);
    ipos_status status = IPOS_OK;
    snprintf(own, sizeof own, "%llu", (unsigned long long)s->plan.seed);
    if (failed || step < 1 || applied < 0 || applied > step || best_step < 0 || best_step > step || !(s->seconds >= 0) || skipped < 0)
        status = ip_fail(IPOS_ERR_FORMAT, "checkpoint: its counters are missing or make no sense; train from the start");
    else if (strcmp(seed, own) != 0)
        status = ip_fail(IPOS_ERR_ARGUMENT, "checkpoint: it was made with seed %s, not %s; resume with that seed or train from the start", seed, own);
    json_decref(counters);
    if (status != IPOS_OK)
        return status;
    s->step = step;
    s->applied = applied;
    s->best_step = best_step;
    s->validated_step = validated_step;
    s->skipped = skipped;
    s->skipped_in_a_row = in_a_row;
    return IPOS_OK;
}

ipos_status ip_train_state_load(ip_train_state *state)
{
    ip_safetensors file;
    ip_weight_set sets[IP_SETS + 1];
    all_sets(state, sets);
    IP_TRY(ip_weights_open(state->plan.checkpoint, state->plan.checkpoint_bytes, state->task->architecture, &file));
    ipos_status status = read_counters(state, ip_st_metadata(&file, state_key));
    for (size_t i = 0; status == IPOS_OK && i < IP_COUNT(sets); i++)
        status = ip_weights_load(state->task->params, &file, &sets[i]);
    ip_st_free(&file);
    return status == IPOS_OK ? status : ip_fail_in(status, "cannot resume");
}
