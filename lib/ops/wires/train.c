/* Training on the dailies, in two stages that share the budget: the detector on wires drawn over them, then the fusion of fills that
 * were rehearsed on them. */
#include "wires_train.h"

#include "wire_draw.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

enum { PLATES = 40, HELD_PLATES = 10, HELD_EXAMPLES = 96 };

ipos_status iw_train_tick(void *user) {
    iw_training *t = user;
    return t->host->progress(t->host, t->done, t->stage, "");
}

static ipos_status progress(void *user, double done, const char *stage, const char *extra) {
    iw_training *t = user;
    t->done = fmax(t->done, t->begin + t->part * fmax(done, 0)); /* the trainer says -1 where it does not know */
    return t->host->progress(t->host, t->done, stage, extra);
}

/* The last fifth of every clip is held out, two frames left between. */
void iw_train_parts(const ip_op_clip *clip, int64_t *end, int64_t *held) {
    int64_t count = clip->last - clip->first + 1;
    *held = clip->last + 1 - IP_MAX(count / 5, 1);
    *end = IP_MAX(*held - 2, clip->first + 1);
}

static ipos_status add_plate(iw_training *t, size_t clip, int64_t number, iw_plate *plate) {
    ipos_frame *frame;
    iw_stretch stretch;
    ipos_status status = ip_clip_frame(&t->clips[clip], number, &frame);
    if (status == IPOS_ERR_NOT_FOUND)
        return status;
    IP_TRY(status);
    ipos_box canvas = frame->data_window;
    IP_TRY(iw_stretch_find(&t->clips[clip], canvas, &number, 1, &stretch));
    int scale = iw_plate_scale(canvas.height);
    IP_TRY(iw_plate_make(&t->clips[clip], frame, canvas, scale, stretch, &plate->image));
    IP_TRY(iw_clip_passing(&t->clips[clip], number, canvas, scale, stretch, &plate->image, t->host->threads, &plate->passing));
    plate->grain = ip_plate_grain(&plate->image);
    t->scale = fmaxf(t->scale, (float)plate->image.c[0].height / 540);
    return IPOS_OK;
}

static ipos_status take_plates(iw_training *t, size_t wanted, bool held, iw_plate *plates, size_t *count) {
    ip_op_host *host = t->host;
    size_t each = IP_MAX((size_t)1, (wanted + host->clip_count - 1) / host->clip_count);
    for (size_t c = 0; c < host->clip_count; c++) {
        int64_t end, begin;
        iw_train_parts(&host->clips[c], &end, &begin);
        int64_t first = held ? begin : host->clips[c].first, last = held ? host->clips[c].last : end - 1, before = first - 1;
        for (size_t i = 0; i < each && *count < wanted; i++) {
            int64_t number = first + (int64_t)((double)(last - first) * (each > 1 ? (double)i / (double)(each - 1) : .5));
            if (number == before)
                continue;
            before = number;
            ipos_status status = add_plate(t, c, number, &plates[*count]);
            if (status == IPOS_ERR_NOT_FOUND)
                continue;
            IP_TRY(status);
            ++*count;
            IP_TRY(iw_train_tick(t));
        }
        if (held)
            ip_buffer_printf(&t->held_text, "%s{\"clip\":\"%s\",\"first\":%lld,\"last\":%lld}", t->held_text.size > 1 ? "," : "", host->clips[c].name,
                (long long)first, (long long)last);
    }
    return IPOS_OK;
}

static ipos_status prepare(iw_training *t) {
    ip_op_host *host = t->host;
    t->stage = "looking through the clips";
    t->scale = 1;
    t->clips = ip_calloc(host->clip_count, sizeof *t->clips);
    t->plates = ip_calloc(PLATES, sizeof *t->plates);
    t->held = ip_calloc(HELD_PLATES, sizeof *t->held);
    if (!t->clips || !t->plates || !t->held)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < host->clip_count; i++)
        IP_TRY(ip_clip_open(&t->clips[i], host, i, 2 * IW_TRAIN_REACH + 2));
    ip_buffer_printf(&t->held_text, "[");
    IP_TRY(take_plates(t, PLATES, false, t->plates, &t->plate_count));
    IP_TRY(take_plates(t, HELD_PLATES, true, t->held, &t->held_count));
    ip_buffer_printf(&t->held_text, "]");
    if (!t->plate_count || !t->held_count)
        return ip_fail(IPOS_ERR_ARGUMENT, "training: the clips hold no frames to learn from and to test on");
    t->sampler = (iw_sampler){.plates = t->plates, .count = t->plate_count, .scale = t->scale};
    t->held_sampler = (iw_sampler){.plates = t->held, .count = t->held_count, .scale = t->scale};
    return IPOS_OK;
}

static ipos_status draw(void *user, ip_rng *rng, ip_wire_example *example) {
    iw_training *t = user;
    return iw_sample(&t->sampler, rng, example);
}

static ipos_status held_out(void *user, int64_t index, ip_wire_example *example) {
    iw_training *t = user;
    ip_rng rng = ip_rng_at(20201, (uint64_t)index); /* the same test whatever the seed */
    return iw_sample(&t->held_sampler, &rng, example);
}

/* Crop, what was drawn, what the network answers. */
static ipos_status preview(void *user, const ip_wire_example *example, const float *answer) {
    iw_training *t = user;
    const ipos_channel channels[3] = {{"R", IPOS_U8, 1, 1}, {"G", IPOS_U8, 1, 1}, {"B", IPOS_U8, 1, 1}};
    ipos_box window = {0, 0, 3 * IP_WIRE_PATCH, IP_WIRE_PATCH};
    ipos_frame *frame;
    if (!t->host->preview)
        return IPOS_OK;
    IP_TRY(t->host->frame_new(t->host, &window, channels, 3, &frame));
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < IP_WIRE_PATCH; y++) {
            uint8_t *line = frame->channels[c].data + y * frame->channels[c].row_stride;
            const float *rows[3] = {example->plane[c] + y * IP_WIRE_PATCH, example->target + y * IP_WIRE_PATCH, answer + y * IP_WIRE_PATCH};
            for (int part = 0; part < 3; part++)
                for (int x = 0; x < IP_WIRE_PATCH; x++)
                    line[(part * IP_WIRE_PATCH + x) * frame->channels[c].pixel_stride] = (uint8_t)lrintf(255 * fminf(fmaxf(rows[part][x], 0), 1));
        }
    ipos_status status = ipos_frame_set_encoding(frame, "srgb");
    if (status == IPOS_OK)
        status = t->host->preview(t->host, frame);
    ipos_frame_release(frame);
    return status;
}

ipos_status iw_train_save(void *user, const void *bytes, size_t size) {
    const iw_saver *s = user;
    size_t all = sizeof s->mark + s->mark.model_size + size;
    uint8_t *whole = ip_alloc(all);
    if (!whole)
        return IPOS_ERR_NO_MEMORY;
    memcpy(whole, &s->mark, sizeof s->mark);
    if (s->mark.model_size)
        memcpy(whole + sizeof s->mark, s->model, s->mark.model_size);
    memcpy(whole + sizeof s->mark + s->mark.model_size, bytes, size);
    ipos_status status = s->t->host->save_checkpoint(s->t->host, whole, all);
    ip_free(whole);
    return status;
}

ipos_status iw_train_progress(void *user, double done, const char *stage, const char *extra) {
    return progress(((iw_saver *)user)->t, done, stage, extra);
}

static ipos_status read_mark(const ip_op_host *host, iw_mark *out, const uint8_t **model, const uint8_t **rest, size_t *rest_size) {
    *out = (iw_mark){.stage = 0};
    *model = *rest = NULL;
    *rest_size = 0;
    if (!host->checkpoint)
        return IPOS_OK;
    const uint8_t *bytes = host->checkpoint;
    if (host->checkpoint_bytes < sizeof *out)
        return ip_fail(IPOS_ERR_FORMAT, "checkpoint: %zu bytes, expected more", host->checkpoint_bytes);
    memcpy(out, bytes, sizeof *out);
    if (memcmp(out->magic, iw_mark_magic, 8) != 0 || out->stage < 1 || out->stage > 2 || out->model_size > host->checkpoint_bytes - sizeof *out)
        return ip_fail(IPOS_ERR_FORMAT, "checkpoint: not one of a training for wires");
    *model = bytes + sizeof *out;
    *rest = *model + out->model_size;
    *rest_size = host->checkpoint_bytes - sizeof *out - out->model_size;
    return IPOS_OK;
}

/* Of a budget in steps; 0: by time. */
int64_t iw_detector_steps(const ip_op_host *host) {
    return host->steps > 0 ? IP_MAX((int64_t)1, (int64_t)(iw_detector_part * (double)host->steps)) : 0;
}

static ipos_status detector_stage(iw_training *t, ip_wire_model *model, const iw_mark *from, const uint8_t *rest, size_t rest_size, double seconds, double since,
    iw_figures *out) {
    ip_op_host *host = t->host;
    iw_saver s = {.t = t, .mark = {.stage = 1, .seconds = seconds}};
    memcpy(s.mark.magic, iw_mark_magic, 8);
    ip_train_result result = {0};
    const ip_wire_training plan = {.user = t, .draw = draw, .held_out = held_out, .held_out_count = HELD_EXAMPLES, .threads = host->threads, .preview = preview,
        .plan = {.steps = iw_detector_steps(host),
            .seconds = fmax(1, host->seconds - (1 - iw_detector_part) * seconds - (ip_now() - since)), .seed = host->seed, .validations = 10,
            .checkpoint_seconds = host->checkpoint_seconds, .checkpoint = from->stage == 1 ? rest : NULL, .checkpoint_bytes = from->stage == 1 ? rest_size : 0},
        .host = {.user = &s, .progress = iw_train_progress, .save_checkpoint = iw_train_save}};
    t->begin = 0;
    t->part = iw_detector_part;
    if (from->stage < 2)
        IP_TRY(ip_wire_net_train(model->net, &plan, &result));
    out->steps[0] = from->stage < 2 ? result.steps : from->detector_steps;
    out->seconds += result.seconds;
    t->stage = "scoring the detector";
    IP_TRY(iw_train_tick(t));
    return ip_wire_net_score(model->net, &plan, &out->f1);
}

static json_t *clip_scores(const iw_training *t, const iw_figures *f) {
    json_t *list = json_array();
    for (size_t i = 0; i < t->host->clip_count; i++) {
        const double *own = f->by_clip + 3 * i;
        if (own[2] > 0)
            json_array_append_new(list, json_pack("{s:s,s:f,s:f}", "clip", t->host->clips[i].name, "model", own[0] / own[2], "baseline", own[1] / own[2]));
    }
    return list;
}

static char *measured(const iw_training *t, const ip_backend_v1 *backend, const ip_wire_model *model, const iw_figures *f) {
    double made = f->model / (double)IP_MAX(f->scored, 1), classical = f->classical / (double)IP_MAX(f->scored, 1);
    json_t *document = json_pack("{s:s,s:I,s:f}", "architecture", IP_WIRE_MODEL_ARCHITECTURE, "steps", (json_int_t)(f->steps[0] + f->steps[1]), "seconds",
        f->seconds);
    json_object_set_new(document, "score", json_pack("{s:f,s:f,s:f,s:s,s:o}", "held_out", made, "baseline", classical, "gain", made - classical, "unit",
        "dB, mean PSNR in rehearsed holes of held-out frames that did not choose the checkpoint, peak 1 in the working encoding", "per_clip",
        clip_scores(t, f)));
    json_object_set_new(document, "detector", json_pack("{s:f,s:s}", "f1", f->f1, "unit",
        "F1 of wires drawn over held-out frames, answers over .5 against mattes over .25, hints given for two thirds of them"));
    json_object_set_new(document, "held_out", json_loads(t->held_text.data ? t->held_text.data : "[]", 0, NULL));
    json_object_set_new(document, "settings", json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:i}", "parameters", (json_int_t)ip_wire_model_size(model),
        "detector_steps", (json_int_t)f->steps[0], "fusion_steps", (json_int_t)f->steps[1], "plates", (json_int_t)t->plate_count, "crops",
        (json_int_t)t->crop_count, "crops_choosing", (json_int_t)t->chosen_by, "crops_scored", (json_int_t)f->scored, "reach", (int)IW_TRAIN_REACH));
    json_object_set_new(document, "versions", json_pack("{s:s,s:s}", "libtorch", backend->library_version(), "cpu_capability", backend->capability()));
    char *text = document ? json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(document);
    return text;
}

static ipos_status learn(iw_training *t, const ip_backend_v1 *backend, int32_t device) {
    ip_op_host *host = t->host;
    ip_wire_model model = {0};
    iw_figures f = {.by_clip = ip_calloc(3 * host->clip_count, sizeof *f.by_clip)};
    iw_mark from;
    const uint8_t *kept, *rest;
    size_t rest_size, size = 0;
    void *bytes = NULL;
    double since = ip_now();
    if (!f.by_clip)
        return IPOS_ERR_NO_MEMORY;
    ipos_status status = read_mark(host, &from, &kept, &rest, &rest_size);
    double seconds = from.stage ? from.seconds : host->seconds;
    if (status == IPOS_OK)
        status = from.stage == 2 ? ip_wire_model_load(backend, device, kept, from.model_size, &model)
                                 : ip_wire_model_new(backend, device, host->seed, &model);
    if (status == IPOS_OK)
        status = detector_stage(t, &model, &from, rest, rest_size, seconds, since, &f);
    if (status == IPOS_OK)
        status = iw_fusion_stage(t, &model, &from, rest, rest_size, seconds, since, &f);
    if (status == IPOS_OK)
        status = ip_wire_model_save(&model, &bytes, &size);
    char *text = status == IPOS_OK ? measured(t, backend, &model, &f) : NULL;
    if (status == IPOS_OK)
        status = text ? host->save_model(host, bytes, size, text) : ip_no_memory(0);
    free(text);
    ip_free(bytes);
    ip_free(f.by_clip);
    ip_wire_model_free(&model);
    return status;
}

static void plates_free(iw_plate *plates, size_t count) {
    for (size_t i = 0; i < count; i++) {
        ip_image3_free(&plates[i].image);
        ip_plane_free(&plates[i].passing);
    }
}

static void training_free(iw_training *t) {
    for (size_t i = 0; t->clips && i < t->host->clip_count; i++)
        ip_clip_close(&t->clips[i]);
    plates_free(t->plates, t->plate_count);
    plates_free(t->held, t->held_count);
    for (size_t i = 0; i < t->crop_count; i++)
        ip_free(t->crops[i].store);
    for (size_t i = 0; i < t->held_crop_count; i++)
        ip_free(t->held_crops[i].store);
    ip_free(t->clips);
    ip_free(t->plates);
    ip_free(t->held);
    ip_free(t->crops);
    ip_free(t->held_crops);
    ip_buffer_free(&t->held_text);
}

ipos_status iw_train(ip_op_host *host) {
    const ip_backend_v1 *backend = ip_backend();
    int32_t device;
    if (!backend)
        return IPOS_ERR_ENGINE;
    IP_TRY(backend->device_find(host->device, &device));
    iw_training t = {.host = host};
    ipos_status status = prepare(&t);
    if (status == IPOS_OK)
        status = learn(&t, backend, device);
    training_free(&t);
    return status;
}
