/* Measuring the look: clip after clip, one variant each. */
#include "look_op.h"

#include <stdlib.h>

static ipos_status measure_shot(il_run *run, ip_shot *shot, double share, json_t **out) {
    char refused[160];
    ipos_status status = ip_shot_open(shot, refused);
    if (status == IPOS_OK)
        status = il_measure(run, shot, refused, share, out);
    return status;
}

/* Every shot is closed, whatever comes of it. */
static ipos_status measure_shots(il_run *run, ip_shot *shots, size_t count, double share, json_t **entry) {
    json_t **made = ip_calloc(count, sizeof *made), *list = json_array();
    const double begin = run->done;
    ipos_status status = made && list ? IPOS_OK : ip_no_memory(256);
    int64_t frames = 0, width = 0, height = 0;
    for (size_t i = 0; i < count; i++) {
        run->done = begin + share * (double)i / (double)count;
        if (status == IPOS_OK)
            status = measure_shot(run, &shots[i], share / (double)count, &made[i]);
        frames += (int64_t)shots[i].count;
        json_array_append_new(list, json_pack("[I,I]", (json_int_t)shots[i].numbers[0], (json_int_t)shots[i].numbers[shots[i].count - 1]));
        width = i ? width : shots[i].window.width;
        height = i ? height : shots[i].window.height;
        ip_shot_close(&shots[i]);
    }
    if (status == IPOS_OK)
        status = ip_fingerprint_pool((const json_t *const *)made, count, entry);
    for (size_t i = 0; made && i < count; i++)
        json_decref(made[i]);
    ip_free(made);
    if (status != IPOS_OK) {
        json_decref(list);
        return status;
    }
    json_object_set_new(*entry, "shots", list);
    json_object_set_new(*entry, "frames", json_integer(frames));
    json_object_set_new(*entry, "width", json_integer(width));
    json_object_set_new(*entry, "height", json_integer(height));
    return IPOS_OK;
}

static ipos_status send(il_run *run, size_t clip, const json_t *entry) {
    char *text = json_dumps(entry, JSON_COMPACT);
    if (!text)
        return ip_no_memory(4096);
    ipos_status status = run->host->variant(run->host, run->host->clips[clip].name, "look", (int)clip, -1, text);
    free(text);
    return status;
}

static ipos_status measure_clip(il_run *run, const json_t *marks, size_t clip) {
    ip_op_host *host = run->host;
    ip_shot *shots;
    size_t count;
    json_t *entry = NULL;
    run->done = (double)clip / (double)host->clip_count;
    IP_TRY(ip_shots_of(host, clip, (size_t)ip_options_int(host->options, "shots"), &shots, &count));
    ipos_status status = measure_shots(run, shots, count, 1. / (double)host->clip_count, &entry);
    ip_free(shots);
    if (status == IPOS_OK)
        status = il_marks_measure(run, marks, clip, entry);
    if (status == IPOS_OK)
        status = send(run, clip, entry);
    json_decref(entry);
    return status;
}

static ipos_status look_run(ip_op_host *host) {
    il_run run = {.host = host};
    json_t *marks = NULL;
    ip_teller_open(&run.teller, host);
    if (!host->clip_count)
        return ip_fail(IPOS_ERR_ARGUMENT, "look: needs a clip to measure");
    ipos_status status = il_marks_parse(host, &marks);
    for (size_t i = 0; i < host->clip_count && status == IPOS_OK; i++)
        status = measure_clip(&run, marks, i);
    json_decref(marks);
    return status == IPOS_OK ? host->progress(host, 1, "measured", "") : status;
}

const ip_op ip_op_look = {
    .spec = &ip_op_look_spec,
    .run = look_run,
};
