/* The results of a request in order, with what each has to say. */
#include "run.h"

#include <math.h>

static const char *const method_titles[IB_METHODS] = {
    "Per frame, what predicts its known neighbours best",
    "Trained on this production, over the best classical method",
    "Several flows, large motion searched for",
    "One flow",
    "Average of the two neighbours",
};

/* Mean leave-one-out score of a method over the targets where it was measured; -1 if nowhere. */
static double score_of(const ib_run *run, int method) {
    double sum = 0;
    size_t measured = 0;
    for (size_t i = 0; i < run->count; i++) {
        const ib_target *target = &run->targets[i];
        bool learned;
        ip_inbetween_variant variant = ib_variant_of(target, method, &learned);
        if (target->held || !target->choice.measured || (learned && !target->learned_measured))
            continue;
        sum += target->choice.psnr[variant] + (learned ? target->learned_gain : 0);
        measured++;
    }
    return measured ? sum / (double)measured : -1;
}

static char *details_of(const ib_run *run, int method) {
    ip_buffer text = {0};
    ip_buffer_printf(&text, "{\"frames\":[");
    for (size_t i = 0; i < run->count; i++) {
        const ib_target *target = &run->targets[i];
        bool learned;
        ip_inbetween_variant variant = ib_variant_of(target, method, &learned);
        char curve[32];
        ip_real_text(target->choice.trajectory, curve);
        ip_buffer_printf(&text, "%s{\"time\":[%lld,%lld],\"method\":\"%s\",\"learned\":%s,\"trajectory\":%s,\"measured\":%s}", i ? "," : "",
            (long long)target->time.num, (long long)target->time.den, target->held ? "held" : ip_inbetween_variant_name(variant),
            learned ? "true" : "false", curve, target->choice.measured ? "true" : "false");
    }
    ip_buffer_printf(&text, "]");
    if (run->grain)
        ip_buffer_printf(&text, ",\"grain\":{\"added\":%s,\"reason\":\"%s\"}", run->grain->grain.measurable ? "true" : "false", run->grain->grain.reason);
    ip_buffer_printf(&text, "%s}", run->lean ? ",\"left_out\":\"full: needs more than memory_limit at this size\"" : "");
    return ip_buffer_take(&text);
}

/* A network that the gate keeps out of a frame does not lead the list, whatever its PSNR: it ranks just below the best without it. */
static double rank_score(const ib_run *run, int method, double score) {
    bool refused = false;
    for (size_t i = 0; i < run->count; i++)
        refused = refused || (!run->targets[i].held && !run->targets[i].use_learned);
    if (method != IB_LEARNED || !refused)
        return score;
    double best = -1;
    for (int m = IB_FULL; m < IB_METHODS; m++)
        best = run->offered[m] ? fmax(best, score_of(run, m)) : best;
    return fmin(score, best - 1e-6);
}

ipos_status ib_rank_methods(ib_run *run) {
    int order[IB_METHODS], count = 0;
    double score[IB_METHODS], ranked[IB_METHODS];
    for (int m = 0; m < IB_METHODS; m++)
        if (run->offered[m]) {
            score[m] = score_of(run, m);
            ranked[m] = rank_score(run, m, score[m]);
            int at = count++;
            for (; at > 0 && ranked[m] > ranked[order[at - 1]] && order[at - 1] != IB_GATED; at--)
                order[at] = order[at - 1];
            order[at] = m;
        }
    for (int rank = 0; rank < count; rank++) {
        int m = order[rank];
        char *details = details_of(run, m);
        if (!details)
            return IPOS_ERR_NO_MEMORY;
        ipos_status status = run->host->variant(run->host, ib_method_names[m], method_titles[m], rank, score[m], details);
        ip_free(details);
        IP_TRY(status);
    }
    return IPOS_OK;
}
