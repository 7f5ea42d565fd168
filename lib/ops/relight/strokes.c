/* Strokes from the setting's text. */
#include "strokes.h"
#include "stroke_text.h"


enum { MOST_STROKES = 500 };

static const char *const kinds[IR_KINDS] = {"add", "remove", "old-add", "old-remove", "gobo", "protect"};

const char *ir_stroke_kind_name(ir_stroke_kind kind) {
    return kinds[kind];
}

void ir_strokes_free(ir_strokes *strokes) {
    for (size_t i = 0; i < strokes->count; i++) {
        ip_free(strokes->at[i].name);
        ip_free(strokes->at[i].at);
    }
    ip_free(strokes->at);
    *strokes = (ir_strokes){0};
}

static ipos_status read_kind(const json_t *entry, size_t number, ir_stroke_kind *out) {
    const char *kind = json_string_value(json_object_get(entry, "kind"));
    for (int k = 0; kind && k < IR_KINDS; k++)
        if (!strcmp(kind, kinds[k])) {
            *out = (ir_stroke_kind)k;
            return IPOS_OK;
        }
    return ip_fail(IPOS_ERR_ARGUMENT, "strokes: stroke %zu is of kind \"%s\", expected add, remove, old-add, old-remove, gobo or protect", number,
        kind ? kind : "");
}

static ipos_status read_stroke(const json_t *entry, size_t number, ir_stroke *out) {
    char own[32];
    const char *name = json_string_value(json_object_get(entry, "wire"));
    const json_t *frame = json_object_get(entry, "frame");
    snprintf(own, sizeof own, "stroke-%zu", number);
    if (!json_is_integer(frame))
        return ip_fail(IPOS_ERR_ARGUMENT, "strokes: stroke %zu has no \"frame\" (a whole number)", number);
    IP_TRY(read_kind(entry, number, &out->kind));
    out->frame = json_integer_value(frame);
    out->width = (float)json_number_value(json_object_get(entry, "width"));
    if (!(out->width >= 0 && out->width <= 2000))
        return ip_fail(IPOS_ERR_ARGUMENT, "strokes: stroke %zu is %g pixels wide, expected 0 to 2000", number, (double)out->width);
    out->name = ip_strdup(name && *name ? name : own);
    return out->name ? ip_stroke_points(json_object_get(entry, "points"), number, &out->at, &out->count) : IPOS_ERR_NO_MEMORY;
}

ipos_status ir_strokes_parse(const char *json, ir_strokes *out) {
    json_t *document;
    const json_t *list;
    *out = (ir_strokes){0};
    if (!*json)
        return IPOS_OK;
    IP_TRY(ip_strokes_list(json, "\"kind\",\"frame\",\"points\":[[x,y],...]", &document, &list));
    size_t count = json_array_size(list);
    ipos_status status = IPOS_OK;
    if (count > MOST_STROKES)
        status = ip_fail(IPOS_ERR_ARGUMENT, "strokes: %zu of them, expected at most %d", count, MOST_STROKES);
    else if (!(out->at = ip_calloc(count + 1, sizeof *out->at)))
        status = IPOS_ERR_NO_MEMORY;
    for (; status == IPOS_OK && out->count < count; out->count++) {
        status = read_stroke(json_array_get(list, out->count), out->count + 1, &out->at[out->count]);
        if (status != IPOS_OK) { /* its parts may be there */
            out->count++;
            break;
        }
    }
    json_decref(document);
    if (status != IPOS_OK)
        ir_strokes_free(out);
    return status;
}

ipos_status ir_strokes_check(const ir_strokes *strokes, const ip_op_host *host) {
    for (size_t s = 0; s < strokes->count; s++) {
        const ir_stroke *stroke = &strokes->at[s];
        bool found = false;
        int64_t first = 0, last = 0, from = 0, to = 0;
        for (size_t i = 0; i < host->time_count;) {
            size_t count = ip_op_shot_times(host, i, &first, &last);
            from = i ? from : first;
            to = last;
            found = found || (stroke->frame >= first && stroke->frame <= last);
            i += count;
        }
        if (!found)
            return ip_fail(IPOS_ERR_ARGUMENT, "strokes: stroke %zu (%s) is on frame %lld, which is in no shot that is worked on: expected %lld to %lld",
                s + 1, kinds[stroke->kind], (long long)stroke->frame, (long long)from, (long long)to);
        if (ip_sorted_has(host->clips[0].missing, host->clips[0].missing_count, stroke->frame))
            return ip_fail(IPOS_ERR_ARGUMENT, "strokes: stroke %zu (%s) is on frame %lld, which clip %s does not have: draw it on one that exists",
                s + 1, kinds[stroke->kind], (long long)stroke->frame, host->clips[0].name);
    }
    return IPOS_OK;
}
