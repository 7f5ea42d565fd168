/* Strokes: curves that people draw over a picture, from JSON or SVG, checked, in one form. */
#ifndef IP_STROKES_H
#define IP_STROKES_H

#include "core.h"
#include <jansson.h>

#define IP_STROKES_NO_FRAME INT64_MIN

/* See ipos_strokes_read. *json is the normal form (ip_free). */
ipos_status ip_strokes_read(const char *path, int64_t frame, char **json);
/* The same from a file's bytes; name: for error texts. */
ipos_status ip_strokes_parse(const void *bytes, size_t size, const char *name, int64_t frame, char **json);
/* The same for a setting's text, which is JSON: what is wrong is IPOS_ERR_ARGUMENT. "" stays "". */
ipos_status ip_strokes_check(const char *text, const char *what, char **json);

/* What a stroke may mean, comma-separated; each operation takes some of them. */
#define IP_STROKE_KINDS "wire,shadow,add,remove,old-add,old-remove,gobo,protect"

/* What the strokes' own files share. */

typedef struct ip_points { /* begins as {0}; x, y by turns */
    double *xy;
    size_t count, room;
} ip_points;
/* x' = a x + c y + e, y' = b x + d y + f */
typedef struct ip_affine {
    double a, b, c, d, e, f;
} ip_affine;

/* strokes_svg.c: *strokes as in a JSON file, not yet checked. */
ipos_status ip_strokes_from_svg(const void *bytes, size_t size, const char *name, int64_t frame, json_t **strokes);
/* strokes_path.c. what: for error texts, e.g. "a.svg: element 'left'". Points are placed by the transform and curves flattened to within a
 * tenth of a pixel. */
ipos_status ip_svg_path(const char *data, const ip_affine *place, const char *what, ip_points *out);
ipos_status ip_svg_polyline(const char *data, const ip_affine *place, const char *what, ip_points *out);
ipos_status ip_svg_line(const double ends[4], const ip_affine *place, ip_points *out);
/* A list of translate, scale and matrix; *place is what is in force around it and becomes what is in force inside. */
ipos_status ip_svg_transform(const char *text, const char *what, ip_affine *place);
/* Exactly count numbers, with spaces and commas. */
bool ip_svg_numbers(const char *text, size_t count, double *out);
void ip_points_free(ip_points *points);

#endif
