/* What people drew. */
#include "stroke_text.h"
#include "wires_op.h"

enum { MOST_WIRES = 64 };

void iw_wires_free(iw_wires *wires) {
    for (size_t i = 0; i < wires->count; i++) {
        for (size_t k = 0; k < wires->at[i].count; k++)
            ip_free(wires->at[i].strokes[k].points);
        ip_free(wires->at[i].strokes);
        ip_free(wires->at[i].name);
    }
    ip_free(wires->at);
    *wires = (iw_wires){0};
}

static ipos_status wire_named(iw_wires *wires, const char *name, bool shadow, iw_wire **out) {
    for (size_t i = 0; i < wires->count; i++)
        if (strcmp(wires->at[i].name, name) == 0) {
            *out = &wires->at[i];
            return IPOS_OK;
        }
    if (wires->count == MOST_WIRES)
        return ip_fail(IPOS_ERR_ARGUMENT, "strokes: more than %d wires: work on them in parts", MOST_WIRES);
    iw_wire *grown = ip_realloc(wires->at, (wires->count + 1) * sizeof *grown);
    if (!grown)
        return IPOS_ERR_NO_MEMORY;
    wires->at = grown;
    grown[wires->count] = (iw_wire){.name = ip_strdup(name), .shadow = shadow};
    if (!grown[wires->count].name)
        return IPOS_ERR_NO_MEMORY;
    *out = &grown[wires->count++];
    return IPOS_OK;
}

/* Takes the points over, also when it fails. A later stroke of one frame replaces the earlier. */
static ipos_status add_stroke(iw_wire *wire, iw_stroke stroke) {
    for (size_t i = 0; i < wire->count; i++)
        if (wire->strokes[i].frame == stroke.frame) {
            ip_free(wire->strokes[i].points);
            wire->strokes[i] = stroke;
            return IPOS_OK;
        }
    iw_stroke *grown = ip_realloc(wire->strokes, (wire->count + 1) * sizeof *grown);
    if (!grown) {
        ip_free(stroke.points);
        return IPOS_ERR_NO_MEMORY;
    }
    wire->strokes = grown;
    size_t at = wire->count++;
    for (; at > 0 && grown[at - 1].frame > stroke.frame; at--)
        grown[at] = grown[at - 1];
    grown[at] = stroke;
    return IPOS_OK;
}

ipos_status iw_wires_add(iw_wires *wires, const char *name, int64_t frame, const ip_curve *curve) {
    iw_wire *wire;
    iw_stroke stroke = {.frame = frame, .points = ip_calloc(curve->count, sizeof *curve->at), .count = curve->count};
    if (!stroke.points)
        return IPOS_ERR_NO_MEMORY;
    memcpy(stroke.points, curve->at, curve->count * sizeof *curve->at);
    ipos_status status = wire_named(wires, name, false, &wire);
    if (status != IPOS_OK) {
        ip_free(stroke.points);
        return status;
    }
    return add_stroke(wire, stroke);
}

static ipos_status read_stroke(const json_t *entry, size_t number, iw_wires *out) {
    char own[32];
    snprintf(own, sizeof own, "wire-%zu", number + 1);
    const char *name = json_string_value(json_object_get(entry, "wire")), *kind = json_string_value(json_object_get(entry, "kind"));
    const json_t *frame = json_object_get(entry, "frame");
    if (!json_is_integer(frame))
        return ip_fail(IPOS_ERR_ARGUMENT, "strokes: stroke %zu has no \"frame\" (a whole number)", number);
    if (kind && strcmp(kind, "wire") != 0 && strcmp(kind, "shadow") != 0)
        return ip_fail(IPOS_ERR_ARGUMENT, "strokes: stroke %zu is of kind \"%s\", expected wire or shadow", number, kind);
    iw_stroke stroke = {.frame = json_integer_value(frame), .width = (float)json_number_value(json_object_get(entry, "width"))};
    if (!(stroke.width >= 0 && stroke.width < 500))
        return ip_fail(IPOS_ERR_ARGUMENT, "strokes: stroke %zu is %g pixels wide, expected 0 to 500", number, (double)stroke.width);
    iw_wire *wire;
    ipos_status status = ip_stroke_points(json_object_get(entry, "points"), number, &stroke.points, &stroke.count);
    if (status == IPOS_OK)
        status = wire_named(out, name && *name ? name : own, kind && !strcmp(kind, "shadow"), &wire);
    if (status != IPOS_OK) {
        ip_free(stroke.points);
        return status;
    }
    return add_stroke(wire, stroke);
}

ipos_status iw_strokes_parse(const char *json, iw_wires *out) {
    json_t *document;
    const json_t *list;
    *out = (iw_wires){0};
    if (!*json)
        return IPOS_OK;
    IP_TRY(ip_strokes_list(json, "\"wire\",\"frame\",\"points\":[[x,y],...]", &document, &list));
    ipos_status status = IPOS_OK;
    for (size_t i = 0; status == IPOS_OK && i < json_array_size(list); i++)
        status = read_stroke(json_array_get(list, i), i, out);
    json_decref(document);
    if (status != IPOS_OK)
        iw_wires_free(out);
    return status;
}
