/* What a person marked: skin, and surfaces that light falls on. */
#include "look_op.h"

#include "light.h"
#include "skin.h"

static bool is_kind(const char *kind) { return kind && (strcmp(kind, "skin") == 0 || strcmp(kind, "light") == 0); }

static bool is_box(const json_t *box) {
    for (size_t i = 0; i < 4; i++) {
        const json_t *value = json_array_get(box, i);
        if (!json_is_integer(value) || json_integer_value(value) < -1000000 || json_integer_value(value) > 1000000)
            return false;
    }
    return json_array_size(box) == 4 && json_integer_value(json_array_get(box, 2)) > 0 && json_integer_value(json_array_get(box, 3)) > 0;
}

static ipos_status check_mark(ip_op_host *host, size_t place, const json_t *mark) {
    const char *clip = json_string_value(json_object_get(mark, "clip")), *kind = json_string_value(json_object_get(mark, "kind"));
    const json_t *name = json_object_get(mark, "name");
    if (!clip || !is_kind(kind) || !json_is_integer(json_object_get(mark, "frame")) || !is_box(json_object_get(mark, "box")) ||
        (name && !json_is_string(name)))
        return ip_fail(IPOS_ERR_ARGUMENT, "marks: mark %zu: expected {\"clip\":name,\"frame\":number,\"kind\":\"skin\" or \"light\","
            "\"box\":[x,y,width,height] in whole pixels,\"name\":text}", place + 1);
    for (size_t i = 0; i < host->clip_count; i++) {
        const ip_op_clip *of = &host->clips[i];
        json_int_t frame = json_integer_value(json_object_get(mark, "frame"));
        if (strcmp(of->name, clip) != 0)
            continue;
        if (frame < of->first || frame > of->last || ip_sorted_has(of->missing, of->missing_count, frame))
            return ip_fail(IPOS_ERR_NOT_FOUND, "marks: mark %zu: clip %s has no frame %lld", place + 1, clip, (long long)frame);
        return IPOS_OK;
    }
    return ip_fail(IPOS_ERR_NOT_FOUND, "marks: mark %zu: clip %s is not among those to be measured", place + 1, clip);
}

ipos_status il_marks_parse(ip_op_host *host, json_t **marks) {
    const char *text = ip_options_text(host->options, "marks");
    json_error_t error;
    size_t i;
    json_t *mark, *root = json_loads(*text ? text : "{\"marks\":[]}", 0, &error);
    json_t *list = json_object_get(root, "marks");
    ipos_status status = IPOS_OK;
    if (!root)
        return ip_fail(IPOS_ERR_ARGUMENT, "marks: not JSON (line %d, column %d: %s)", error.line, error.column, error.text);
    if (!json_is_array(list))
        status = ip_fail(IPOS_ERR_ARGUMENT, "marks: expected an object with a list \"marks\"");
    json_array_foreach(list, i, mark)
        if (status == IPOS_OK)
            status = check_mark(host, i, mark);
    *marks = status == IPOS_OK ? json_incref(list) : NULL;
    json_decref(root);
    return status;
}

static json_t *skin(const ip_look_source *source, const ip_region *region, const char *refused, ipos_status *status) {
    ip_skin out = {0};
    *status = *refused ? IPOS_OK : ip_skin_measure(source, region, &out);
    if (*refused)
        ip_not_measurable(&out.reading, "%s", refused);
    return *status == IPOS_OK ? ip_skin_json(&out) : NULL;
}

static json_t *light(const ip_look_source *source, const ip_region *region, const char *refused, ipos_status *status) {
    ip_light out = {0};
    *status = *refused ? IPOS_OK : ip_light_measure(source, region, &out);
    if (*refused)
        ip_not_measurable(&out.reading, "%s", refused);
    return *status == IPOS_OK ? ip_light_json(&out) : NULL;
}

static int side(const json_t *mark, size_t i) { return (int)json_integer_value(json_array_get(json_object_get(mark, "box"), i)); }

/* The marked frame is a shot of its own. */
static ipos_status measure_mark(il_run *run, const json_t *mark, size_t clip, json_t *list) {
    int64_t number = json_integer_value(json_object_get(mark, "frame"));
    const bool is_skin = strcmp(json_string_value(json_object_get(mark, "kind")), "skin") == 0;
    ip_shot *shot = ip_calloc(1, sizeof *shot);
    char refused[160];
    json_t *measured = NULL;
    if (!shot)
        return IPOS_ERR_NO_MEMORY;
    *shot = (ip_shot){.clip = {.host = run->host, .index = clip}, .numbers = ip_alloc(sizeof number), .count = 1};
    ipos_status status = shot->numbers ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK) {
        shot->numbers[0] = number;
        status = ip_shot_open(shot, refused);
    }
    if (status == IPOS_OK) {
        il_view view = {.shot = shot};
        const ip_look_source source = il_source(run, &view);
        const ip_region region = {.frame = 0, .box = {side(mark, 0) - shot->window.x, side(mark, 1) - shot->window.y, side(mark, 2), side(mark, 3)}};
        measured = is_skin ? skin(&source, &region, refused, &status) : light(&source, &region, refused, &status);
    }
    ip_shot_close(shot);
    ip_free(shot);
    IP_TRY(status);
    const char *name = json_string_value(json_object_get(mark, "name"));
    json_t *entry = json_pack("{s:s, s:I, s:O, s:o}", "name", name ? name : "", "frame", (json_int_t)number, "box", json_object_get(mark, "box"),
        "measured", measured);
    return entry && json_array_append_new(list, entry) == 0 ? IPOS_OK : ip_no_memory(1024);
}

ipos_status il_marks_measure(il_run *run, const json_t *marks, size_t clip, json_t *entry) {
    const char *name = run->host->clips[clip].name;
    size_t i;
    const json_t *mark;
    json_object_set_new(entry, "skin", json_array());
    json_object_set_new(entry, "light", json_array());
    json_array_foreach(marks, i, mark) {
        json_t *list = json_object_get(entry, json_string_value(json_object_get(mark, "kind")));
        if (strcmp(json_string_value(json_object_get(mark, "clip")), name) != 0)
            continue;
        if (!list)
            return ip_no_memory(64);
        IP_TRY(il_step(run, run->done, name, "marks"));
        IP_TRY(measure_mark(run, mark, clip, list));
    }
    return IPOS_OK;
}
