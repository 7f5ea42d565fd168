/* What the operations that take strokes read alike from a setting's text (the JSON that ipos_strokes_read gives). */
#ifndef IP_STROKE_TEXT_H
#define IP_STROKE_TEXT_H

#include "curve.h"

#include <jansson.h>

/* The list of strokes: the document itself, or its "strokes". form: what a stroke holds, for people. The caller gives the document back with
 * json_decref; the list is borrowed from it. IPOS_ERR_ARGUMENT leaves no document. */
ipos_status ip_strokes_list(const char *text, const char *form, json_t **document, const json_t **list);
/* Its points, 2 to 1000 of [x, y] in pixels; allocated, also where it fails. number: of the stroke, for people. */
ipos_status ip_stroke_points(const json_t *list, size_t number, ip_point **points, size_t *count);

#endif
