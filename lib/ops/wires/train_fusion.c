/* The second stage of training: fills of holes that are laid where the plate is known are rehearsed, and the fusion learns from them. */
#include "wires_train.h"

#include <math.h>

enum { HELD_CROPS = 48, TILES = 6 };

static ipos_status train_example(void *user, int64_t index, ip_fuse_example *out) {
    iw_crop_example(&((iw_training *)user)->crops[index], out);
    return IPOS_OK;
}

static ipos_status held_example(void *user, int64_t index, ip_fuse_example *out) {
    iw_crop_example(&((iw_training *)user)->held_crops[index], out);
    return IPOS_OK;
}

/* One frame to rehearse on: the clips in turn, frames spread by the golden ratio, so that any number of them is spread evenly. */
static int64_t pick(const ip_op_clip *clip, size_t round, bool held) {
    int64_t end, begin;
    iw_train_parts(clip, &end, &begin);
    int64_t first = held ? begin : clip->first, count = (held ? clip->last + 1 : end) - first;
    double place = fmod(.5 + .6180339887 * (double)round, 1);
    return first + (int64_t)(place * (double)count);
}

static ipos_status rehearse_all(iw_training *t, bool held, size_t wanted, double until, iw_crop *crops, size_t *count) {
    ip_op_host *host = t->host;
    t->stage = held ? "rehearsing held-out fills" : "rehearsing fills";
    for (size_t round = 0; *count + TILES <= wanted && round < 4 * wanted; round++) {
        size_t clip = round % host->clip_count;
        ip_rng rng = ip_rng_at(held ? 30303 : host->seed, 1000 + round);
        ipos_status status = iw_rehearse(&t->clips[clip], clip, pick(&host->clips[clip], round / host->clip_count, held), IW_TRAIN_REACH, &rng, held ? 3 : TILES, iw_train_tick,
            t, crops, count);
        if (status != IPOS_ERR_NOT_FOUND)
            IP_TRY(status);
        IP_TRY(iw_train_tick(t));
        if (!held && host->steps <= 0 && ip_now() > until && *count)
            break;
    }
    return *count ? IPOS_OK : ip_fail(IPOS_ERR_ARGUMENT, "training: no fill could be rehearsed: the clips are too short or too small");
}

static ipos_status rehearse(iw_training *t, double seconds) {
    ip_op_host *host = t->host;
    uint64_t room = host->memory_limit ? host->memory_limit / 3 : UINT64_MAX;
    size_t most = (size_t)IP_MIN(IP_MIN(room, (uint64_t)1200 << 20) / iw_crop_bytes(), (uint64_t)400);
    size_t wanted = host->steps > 0 ? IP_MIN(most, (size_t)host->steps / 8 + 2 * TILES) : most;
    t->crops = ip_calloc(IP_MAX(wanted, TILES) + TILES, sizeof *t->crops);
    t->held_crops = ip_calloc(HELD_CROPS + TILES, sizeof *t->held_crops);
    if (!t->crops || !t->held_crops)
        return IPOS_ERR_NO_MEMORY;
    size_t held = host->steps > 0 ? IP_MIN((size_t)HELD_CROPS, IP_MAX((size_t)(2 * TILES), wanted / 3)) : HELD_CROPS;
    IP_TRY(rehearse_all(t, true, held, 0, t->held_crops, &t->held_crop_count));
    IP_TRY(rehearse_all(t, false, IP_MAX(wanted, (size_t)TILES), ip_now() + .4 * seconds, t->crops, &t->crop_count));
    for (size_t i = 0; i < t->held_crop_count; i++)
        iw_crop_hide(&t->held_crops[i]);
    t->chosen_by = IP_MAX((size_t)1, t->held_crop_count / 2);
    return IPOS_OK;
}

/* The held-out crops that chose no checkpoint (all, where there is but one). */
static ipos_status score_fusion(iw_training *t, const ip_wire_model *model, iw_figures *out) {
    size_t begin = t->chosen_by < t->held_crop_count ? t->chosen_by : 0;
    for (size_t i = begin; i < t->held_crop_count; i++) {
        const iw_crop *crop = &t->held_crops[i];
        size_t plane = (size_t)crop->width * (size_t)crop->height;
        float *picture = ip_alloc(3 * plane * sizeof *picture);
        if (!picture)
            return IPOS_ERR_NO_MEMORY;
        ip_fuse_example example;
        iw_crop_example(crop, &example);
        const ip_fuse_output output = {.picture = {picture, picture + plane, picture + 2 * plane}};
        ipos_status status = ip_fuse_forward(model->fuse, &example.input, NULL, &output);
        double classical, made;
        if (status == IPOS_OK) {
            iw_crop_score(crop, picture, &classical, &made);
            double *own = out->by_clip + 3 * crop->clip;
            own[0] += made;
            own[1] += classical;
            own[2]++;
            out->model += made;
            out->classical += classical;
            out->scored++;
        }
        ip_free(picture);
        IP_TRY(status);
        IP_TRY(iw_train_tick(t));
    }
    return IPOS_OK;
}

ipos_status iw_fusion_stage(iw_training *t, ip_wire_model *model, const iw_mark *from, const uint8_t *rest, size_t rest_size, double seconds, double since,
    iw_figures *out) {
    ip_op_host *host = t->host;
    void *finished = NULL;
    size_t finished_size = 0;
    t->begin = iw_detector_part;
    t->part = 1 - iw_detector_part;
    IP_TRY(rehearse(t, fmax(1, host->seconds - (ip_now() - since))));
    IP_TRY(ip_wire_model_save(model, &finished, &finished_size));
    iw_saver s = {.t = t, .mark = {.stage = 2, .detector_steps = (uint32_t)out->steps[0], .seconds = seconds, .model_size = finished_size}, .model = finished};
    memcpy(s.mark.magic, iw_mark_magic, 8);
    ip_train_result result = {0};
    const ip_fuse_training plan = {
        .train = {.user = t, .count = (int64_t)t->crop_count, .example = train_example},
        .held_out = {.user = t, .count = (int64_t)t->chosen_by, .example = held_example},
        .groups = (int32_t)host->clip_count,
        .ordered = true,
        .plan = {.steps = host->steps > 0 ? IP_MAX((int64_t)1, host->steps - iw_detector_steps(host)) : 0, .seconds = fmax(1, host->seconds - (ip_now() - since)),
            .seed = host->seed, .validations = 10, .checkpoint_seconds = host->checkpoint_seconds, .checkpoint = from->stage == 2 ? rest : NULL,
            .checkpoint_bytes = from->stage == 2 ? rest_size : 0},
        .host = {.user = &s, .progress = iw_train_progress, .save_checkpoint = iw_train_save}};
    ipos_status status = ip_fuse_train(model->fuse, &plan, &result);
    ip_free(finished);
    IP_TRY(status);
    out->steps[1] = result.steps;
    out->seconds += result.seconds;
    t->stage = "scoring the finished model";
    return score_fusion(t, model, out);
}
