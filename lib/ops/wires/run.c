/* A request: the clips and settings, shot after shot. The work on one shot is in shot.c. */
#include "wires_run.h"

#include <math.h>

const char *const iw_variant_names[IW_VARIANTS] = {"learned", "standard", "grain", "wide", "near", "matte"};
static const char *const titles[IW_VARIANTS] = {
    "Trained on this production, over the aligned frames around",
    "What the frames around show, by how well they agree",
    "The best of the two, with the plate's own grain",
    "The best of the two, two pixels wider",
    "The best of the two, from the nearest three frames only",
    "The matte alone",
};

ipos_status iw_tick(void *user) {
    iw_run *run = user;
    return run->host->progress(run->host, run->done, run->stage, "");
}

ipos_status iw_step(iw_run *run, double done, const char *stage) {
    run->done = fmax(run->done, run->shot_begin + run->shot_part * done);
    snprintf(run->stage, sizeof run->stage, "%s", stage);
    return iw_tick(run);
}

static ipos_status check_variants(iw_run *run) {
    const char *asked = ip_options_text(run->host->options, "variants");
    bool all = strcmp(asked, "all") == 0;
    for (const char *at = asked; !all;) {
        size_t length = strcspn(at, ",");
        int v = 0;
        while (v < IW_VARIANTS && (strlen(iw_variant_names[v]) != length || strncmp(at, iw_variant_names[v], length)))
            v++;
        if (v == IW_VARIANTS)
            return ip_fail(IPOS_ERR_ARGUMENT, "variants: \"%.*s\" in \"%s\" is none of standard, learned, grain, wide, near, matte; or ask for all",
                (int)length, at, asked);
        if (v == IW_LEARNED && !run->host->model)
            return ip_fail(IPOS_ERR_ARGUMENT, "variants: \"learned\" needs a model: train one and give it to the operation, or leave it out");
        at += length;
        if (!*at)
            break;
        at++;
    }
    for (int v = 0; v < IW_VARIANTS; v++)
        run->offered[v] = all ? v != IW_LEARNED || run->host->model : ip_in_list(asked, iw_variant_names[v]);
    return IPOS_OK;
}

/* The shot's own frames need to stay at hand on both sides of the one being filled. */
static ipos_status open_clips(iw_run *run) {
    ip_op_host *host = run->host;
    size_t takes = 0, kept = 2 * (size_t)ip_options_int(host->options, "reach") + 3;
    IP_TRY(ip_clip_open(&run->clip, host, 0, kept));
    run->beside.takes = ip_calloc(IP_MAX(host->clip_count, 1), sizeof *run->beside.takes);
    if (!run->beside.takes)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 1; i < host->clip_count; i++) {
        const char *role = host->clips[i].role;
        ip_clip *one = NULL;
        if (!strcmp(role, "matte"))
            one = &run->matte;
        else if (!strcmp(role, "holdout"))
            one = &run->holdout;
        else if (!strcmp(role, "clean_plate") || !strcmp(role, "takes"))
            one = &run->beside.takes[takes++];
        if (one && one->host)
            return ip_fail(IPOS_ERR_ARGUMENT, "%s: one clip is expected, not several", role);
        if (one)
            IP_TRY(ip_clip_open(one, host, i, one >= run->beside.takes && one < run->beside.takes + takes ? kept : 2));
        run->beside.take_count = takes;
    }
    run->beside.holdout = run->holdout.host ? &run->holdout : NULL;
    return IPOS_OK;
}

static ipos_status open_model(iw_run *run) {
    ip_op_host *host = run->host;
    run->backend = ip_backend();
    if (!run->backend)
        return IPOS_ERR_ENGINE;
    IP_TRY(run->backend->device_find(host->device, &run->device));
    if (!host->model)
        return IPOS_OK;
    ipos_status status = ip_wire_model_load(run->backend, run->device, host->model, host->model_bytes, &run->model);
    return status == IPOS_OK ? IPOS_OK : ip_fail_in(status, "the model for wires");
}

/* Mean square errors over the holes beside the wires, to dB. */
static double score_of(const iw_run *run, int variant) {
    int method = variant == IW_LEARNED ? 1 : variant == IW_STANDARD ? 0 : -1;
    if (method < 0 || !(run->count[method] > 0))
        return -1;
    return -10 * log10(fmax(run->error[method] / run->count[method], 1e-10));
}

/* The learned fill leads where it helps, else the standard one; then grain, wide, near and the matte. */
static ipos_status offer(iw_run *run) {
    char *details = ip_buffer_take(&run->details);
    if (!details)
        return IPOS_ERR_NO_MEMORY;
    int order[IW_VARIANTS] = {IW_LEARNED, IW_STANDARD, IW_GRAIN, IW_WIDE, IW_NEAR, IW_MATTE}, rank = 0;
    if (!run->use_learned) {
        order[0] = IW_STANDARD;
        order[1] = IW_LEARNED;
    }
    ipos_status status = IPOS_OK;
    for (int i = 0; i < IW_VARIANTS && status == IPOS_OK; i++)
        if (run->offered[order[i]])
            status = run->host->variant(run->host, iw_variant_names[order[i]], titles[order[i]], rank++, score_of(run, order[i]), details);
    ip_free(details);
    return status;
}

static ipos_status all_shots(iw_run *run) {
    ip_op_host *host = run->host;
    for (size_t i = 0; i < host->time_count;) {
        int64_t first, last;
        size_t count = ip_op_shot_times(host, i, &first, &last);
        run->shot_begin = (double)i / (double)host->time_count;
        run->shot_part = (double)count / (double)host->time_count;
        IP_TRY(iw_run_shot(run, first, last, &host->times[i], count));
        i += count;
    }
    return IPOS_OK;
}

static ipos_status run_all(iw_run *run) {
    ip_op_host *host = run->host;
    run->propose = strcmp(ip_options_text(host->options, "mode"), "propose") == 0;
    IP_TRY(check_variants(run));
    IP_TRY(iw_strokes_parse(ip_options_text(host->options, "strokes"), &run->wires));
    IP_TRY(open_clips(run));
    IP_TRY(open_model(run));
    if (!run->propose && !run->wires.count && !run->matte.host)
        return ip_fail(IPOS_ERR_ARGUMENT, "wires: nothing is to be removed: draw a stroke along every wire (option strokes), give a painted matte "
            "(option matte), or ask for mode=propose");
    ip_buffer_printf(&run->details, "{\"shots\":[");
    IP_TRY(all_shots(run));
    iw_details_end(run);
    if (!run->propose)
        return offer(run);
    char *details = ip_buffer_take(&run->details);
    ipos_status status = details ? host->variant(host, "proposals", "What looks like a wire: nothing is removed that nobody confirms", 0, -1, details)
                                 : IPOS_ERR_NO_MEMORY;
    ip_free(details);
    return status;
}

static ipos_status wires_run(ip_op_host *host) {
    iw_run run = {.host = host};
    if (!host->clip_count || !host->time_count)
        return ip_fail(IPOS_ERR_ARGUMENT, "wires: needs a clip and the frames to work on");
    ipos_status status = run_all(&run);
    ip_wire_model_free(&run.model);
    iw_wires_free(&run.wires);
    for (size_t i = 0; i < run.beside.take_count; i++)
        ip_clip_close(&run.beside.takes[i]);
    ip_free(run.beside.takes);
    ip_clip_close(&run.matte);
    ip_clip_close(&run.holdout);
    ip_clip_close(&run.clip);
    ip_buffer_free(&run.details);
    ip_buffer_free(&run.strokes);
    ip_buffer_free(&run.lost);
    return status;
}

const ip_op ip_op_wires = {
    .spec = &ip_op_wires_spec,
    .run = wires_run,
    .train = iw_train,
};
