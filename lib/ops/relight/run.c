/* A request: settings, clips, shot after shot. */
#include "relight_op.h"

#include <math.h>

const char *const ir_variant_names[IR_VARIANTS] = {"full", "gentle", "hard", "sun", "geometry"};
static const char *const titles[IR_VARIANTS] = {
    "The light as it was asked for",
    "Three fifths of the way, with softer shadows",
    "A harder sun: less light in the shade, sharper shadows",
    "For correction, not a result: horizon, suns, old shadows blue, new ones orange",
    "The frames as they are; their evidence holds depth, normals and mattes, the details hold the camera",
};

ipos_status ir_step(ir_run *run, double done, const char *stage) {
    return ip_teller_say(&run->teller, run->begin + run->part * done, "%s", stage);
}

static ipos_status open_clips(ir_run *run) {
    ip_op_host *host = run->host;
    const ip_encoding *encoding = ip_encoding_find(host->clips[0].encoding);
    if (encoding && encoding->kind == IP_ENCODING_DATA) /* one that is not known is told of where the shot is opened */
        return ip_fail(IPOS_ERR_UNSUPPORTED, "clip %s: its encoding is \"%s\": numbers, no light; say at ingest what the pictures are",
            host->clips[0].name, encoding->name);
    return ir_open_role(host, "protect", &run->protect);
}

static void tell_light(ip_buffer *to, const char *name, const ip_light_ask *light, const char *from, const ir_settings *looked) {
    static const char *const weather[] = {"clear", "overcast", "dusk"};
    ip_buffer_printf(to, "\"%s\":{\"azimuth\":%.2f,\"elevation\":%.2f,\"weather\":\"%s\",\"from\":\"%s\"", name, light->azimuth, light->elevation,
        weather[light->weather], from);
    if (looked && looked->look_for_old)
        ip_buffer_printf(to, ",\"confidence\":%.3f,\"reason\":\"%s\"", (double)looked->old_confidence, looked->old_reason);
    ip_buffer_printf(to, "}");
}

static ipos_status tell_shot(ir_run *run, ir_scene *scene, int64_t first, int64_t last) {
    ip_buffer *to = &run->details;
    ip_buffer_printf(to, "%s{\"first\":%lld,\"last\":%lld,\"geometry\":\"%s\",\"reason\":\"%s\",\"horizon\":%.4f,\"change\":%.3f,\"stops\":%.3f,\"grain\":\"%s\"",
        to->data[to->size - 1] == '[' ? "" : ",", (long long)first, (long long)last, scene->motion ? "motion" : "none", scene->reason, (double)scene->horizon,
        scene->change, scene->camera, scene->grain.grain.measurable ? "measured" : scene->grain.grain.reason);
    if (scene->marks.count) {
        ip_buffer_printf(to, ",\"carried\":");
        ir_marks_tell(&scene->marks, to);
    }
    if (scene->settings->look_for_old) {
        ip_buffer_printf(to, ",");
        tell_light(to, "old", &scene->settings->old, scene->settings->old_from, scene->settings);
    }
    ir_reference_tell(run, scene->settings, to);
    if (run->brought.mesh.triangles)
        ip_buffer_printf(to, ",\"mesh\":{\"triangles\":%zu,\"sha256\":\"%s\"}", run->brought.mesh.triangles, run->brought.mesh_hash);
    if (run->settings.offered[IR_GEOMETRY] && scene->motion) {
        ip_buffer_printf(to, ",");
        IP_TRY(ir_track_tell(scene, to));
    }
    ip_buffer_printf(to, "}");
    return IPOS_OK;
}

static ipos_status run_shot(ir_run *run, void *user, int64_t first, int64_t last, const ipos_rational *times, size_t count) {
    (void)user;
    ip_shot footage = {.count = 0};
    ir_scene scene = {.host = NULL};
    ir_settings settings = run->settings; /* what is looked for is of one shot */
    ipos_status status = ir_step(run, 0, "looking at the shot");
    if (status != IPOS_OK)
        return status;
    status = ir_reference_use(run, &settings, first, last);
    if (status != IPOS_OK)
        return status;
    status = ip_shot_use(run->host, 0, first, last, "clip", &footage);
    if (status == IPOS_OK)
        status = ir_scene_open(&scene, run->host, &settings, &run->strokes, &footage, &run->teller.pulse);
    if (status == IPOS_OK)
        status = ir_grain_open(&scene, run->begin);
    for (size_t i = 0; i < count && status == IPOS_OK; i++) {
        size_t index = ip_shot_index(scene.footage, times[i].num);
        status = ir_step(run, (double)i / (double)count, "relighting");
        if (status == IPOS_OK && index == scene.footage->count)
            status = ip_fail(IPOS_ERR_NOT_FOUND, "clip %s has no frame %lld", run->host->clips[0].name, (long long)times[i].num);
        if (status == IPOS_OK)
            status = ir_emit(run, &scene, index);
        ir_scene_forget(&scene, index - IP_MIN(index, (size_t)IR_REACH));
    }
    if (status == IPOS_OK)
        status = tell_shot(run, &scene, first, last);
    if (!run->told.old_from)
        run->told = settings;
    ir_scene_close(&scene);
    ip_shot_close(&footage);
    return status;
}

ipos_status ir_each_shot(ir_run *run, ir_shot_fn one, void *user) {
    ip_op_host *host = run->host;
    for (size_t i = 0; i < host->time_count;) {
        int64_t first, last;
        size_t count = ip_op_shot_times(host, i, &first, &last);
        run->begin = (double)i / (double)host->time_count;
        run->part = (double)count / (double)host->time_count;
        IP_TRY(one(run, user, first, last, &host->times[i], count));
        i += count;
    }
    return IPOS_OK;
}

static ipos_status offer(ir_run *run) {
    char *details = ip_buffer_take(&run->details);
    int rank = 0;
    if (!details)
        return IPOS_ERR_NO_MEMORY;
    ipos_status status = IPOS_OK;
    for (int v = 0; v < IR_VARIANTS && status == IPOS_OK; v++)
        if (run->settings.offered[v])
            status = run->host->variant(run->host, ir_variant_names[v], titles[v], rank++, -1, details);
    ip_free(details);
    return status;
}

static ipos_status run_all(ir_run *run) {
    IP_TRY(open_clips(run));
    IP_TRY(ir_strokes_parse(ip_options_text(run->host->options, "strokes"), &run->strokes));
    IP_TRY(ir_strokes_check(&run->strokes, run->host));
    if (run->strokes.count && (ir_has_clip(run->host, "example") || ir_has_clip(run->host, "day") || ir_has_clip(run->host, "evening")))
        return ip_fail(IPOS_ERR_ARGUMENT, "strokes: they shape the light model, which an example or a location's days replace: give one of them, and "
            "protect as mattes");
    if (ir_has_clip(run->host, "example"))
        return ir_taught_run(run);
    if (ir_has_clip(run->host, "day") || ir_has_clip(run->host, "evening"))
        return ir_days_run(run);
    IP_TRY(ir_settings_read(run->host, &run->settings));
    IP_TRY(ir_brought_open(&run->brought, run->host));
    run->settings.brought = &run->brought;
    ip_buffer_printf(&run->details, "{\"shots\":[");
    IP_TRY(ir_each_shot(run, run_shot, NULL));
    ip_buffer_printf(&run->details, "],\"light\":{");
    tell_light(&run->details, "old", &run->told.old, run->told.old_from, &run->told);
    ip_buffer_printf(&run->details, ",");
    tell_light(&run->details, "new", &run->told.now, run->told.new_from, NULL);
    ip_buffer_printf(&run->details, "}}");
    return offer(run);
}

static ipos_status relight_run(ip_op_host *host) {
    ir_run run = {.host = host};
    ip_teller_open(&run.teller, host);
    if (!host->clip_count || !host->time_count)
        return ip_fail(IPOS_ERR_ARGUMENT, "relight: needs a clip and the frames to work on");
    ipos_status status = run_all(&run);
    ip_clip_close(&run.protect);
    ir_strokes_free(&run.strokes);
    ir_brought_close(&run.brought);
    ip_buffer_free(&run.details);
    return status;
}

const ip_op ip_op_relight = {
    .spec = &ip_op_relight_spec,
    .run = relight_run,
};
