#include "stroke_text.h"

#include <math.h>

enum { MOST_POINTS = 1000 };

ipos_status ip_strokes_list(const char *text, const char *form, json_t **document, const json_t **list) {
    json_error_t error;
    *document = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!*document)
        return ip_fail(IPOS_ERR_ARGUMENT, "strokes: not JSON, line %d: %s", error.line, error.text);
    *list = json_is_array(*document) ? *document : json_object_get(*document, "strokes");
    if (json_is_array(*list))
        return IPOS_OK;
    json_decref(*document);
    *document = NULL;
    return ip_fail(IPOS_ERR_ARGUMENT, "strokes: expected {\"strokes\":[{%s}]}", form);
}

ipos_status ip_stroke_points(const json_t *list, size_t number, ip_point **points, size_t *count) {
    *count = json_array_size(list);
    if (*count < 2 || *count > MOST_POINTS)
        return ip_fail(IPOS_ERR_ARGUMENT, "strokes: stroke %zu has %zu points, expected 2 to %d", number, *count, MOST_POINTS);
    *points = ip_calloc(*count, sizeof **points);
    if (!*points)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < *count; i++) {
        const json_t *point = json_array_get(list, i), *px = json_array_get(point, 0), *py = json_array_get(point, 1);
        double x = json_number_value(px), y = json_number_value(py);
        if (json_array_size(point) != 2 || !json_is_number(px) || !json_is_number(py) || !(fabs(x) < 1e6 && fabs(y) < 1e6))
            return ip_fail(IPOS_ERR_ARGUMENT, "strokes: point %zu of stroke %zu: expected [x, y] in pixels", i, number);
        (*points)[i] = (ip_point){(float)x, (float)y};
    }
    return IPOS_OK;
}
