/* Strokes from the paths, polylines and lines of an SVG file. */
#include "strokes.h"
#include <expat.h>
#include <math.h>

enum { MOST_DEPTH = 64 };
#define SVG_NAMESPACE "http://www.w3.org/2000/svg "

/* What is in force inside an element. */
typedef struct level {
    ip_affine place;
    int64_t frame;
    double width; /* of strokes, before the transform; negative: not stated */
    char kind[16]; /* "": not stated */
    bool hidden;
} level;

typedef struct reader {
    XML_Parser parser;
    const char *name;
    json_t *strokes;
    level levels[MOST_DEPTH];
    int depth;
    ipos_status status;
} reader;

static const char *attribute(const char **attributes, const char *name) {
    for (; *attributes; attributes += 2)
        if (strcmp(attributes[0], name) == 0)
            return attributes[1];
    return NULL;
}

/* Whether a space-separated list has the word. */
static bool has_word(const char *list, const char *word) {
    const size_t size = strlen(word);
    for (const char *at = list; at && *at; at += strcspn(at, " \t\r\n")) {
        at += strspn(at, " \t\r\n");
        if (strcspn(at, " \t\r\n") == size && strncmp(at, word, size) == 0)
            return true;
    }
    return false;
}

/* The value of a property in style="a:b;c:d", else of the attribute of that name, trimmed, in room; NULL: not stated. */
static const char *property(const char **attributes, const char *name, char room[64]) {
    const size_t size = strlen(name);
    const char *found = attribute(attributes, name), *end = found ? found + strlen(found) : NULL;
    for (const char *at = attribute(attributes, "style"); at && *at; at += *at == ';') {
        at += strspn(at, " \t\r\n");
        if (strncmp(at, name, size) == 0 && at[size + strspn(at + size, " \t\r\n")] == ':') {
            found = strchr(at, ':') + 1;
            end = found + strcspn(found, ";");
        }
        at += strcspn(at, ";");
    }
    if (!found)
        return NULL;
    found += strspn(found, " \t\r\n");
    while (end > found && strchr(" \t\r\n", end[-1]))
        end--;
    snprintf(room, 64, "%.*s", (int)IP_MIN(end - found, 63), found);
    return room;
}

/* Names the element in error texts. */
static void describe(const reader *r, const char *element, const char **attributes, char what[512]) {
    const char *id = attribute(attributes, "id");
    if (id)
        snprintf(what, 512, "%.380s: element '%.60s'", r->name, id);
    else
        snprintf(what, 512, "%.380s: <%.30s> in line %lu", r->name, element, (unsigned long)XML_GetCurrentLineNumber(r->parser));
}

static ipos_status read_frame(const char *text, const char *what, int64_t *out) {
    return ip_parse_int(text, out) ? IPOS_OK
                                   : ip_fail(IPOS_ERR_FORMAT, "%s: data-frame \"%.40s\": expected a whole number", what, text);
}

static ipos_status read_width(const char *text, const char *what, double *out) {
    char number[64];
    size_t size = strlen(text);
    if (size > 2 && strcmp(text + size - 2, "px") == 0)
        size -= 2;
    snprintf(number, sizeof number, "%.*s", (int)size, text);
    if (!ip_parse_real(number, out) || *out < 0)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: stroke-width \"%.40s\": expected a number of pixels, such as 4 or 4px", what, text);
    return IPOS_OK;
}

static ipos_status read_kind(const char **attributes, const char *what, level *in) {
    const char *kind = attribute(attributes, "data-kind");
    if (has_word(attribute(attributes, "class"), "shadow"))
        snprintf(in->kind, sizeof in->kind, "shadow");
    if (!kind)
        return IPOS_OK;
    if (!*kind || strchr(kind, ',') || !ip_in_list(IP_STROKE_KINDS, kind))
        return ip_fail(IPOS_ERR_FORMAT, "%s: data-kind \"%.40s\": expected one of %s", what, kind, IP_STROKE_KINDS);
    snprintf(in->kind, sizeof in->kind, "%s", kind);
    return IPOS_OK;
}

static ipos_status read_common(const char **attributes, const char *what, level *in) {
    const char *transform = attribute(attributes, "transform"), *frame = attribute(attributes, "data-frame"), *text;
    char room[64];
    if ((text = property(attributes, "display", room)) && strcmp(text, "none") == 0)
        in->hidden = true;
    if (in->hidden)
        return IPOS_OK;
    if (transform)
        IP_TRY(ip_svg_transform(transform, what, &in->place));
    if (frame)
        IP_TRY(read_frame(frame, what, &in->frame));
    if ((text = property(attributes, "stroke-width", room)))
        IP_TRY(read_width(text, what, &in->width));
    return read_kind(attributes, what, in);
}

/* "left@1012": the wire's name and its frame. */
static ipos_status read_id(const char *id, bool frame_stated, const char *what, level *in, char **wire) {
    const char *at = id ? strrchr(id, '@') : NULL;
    int64_t frame;
    *wire = NULL;
    if (at && ip_parse_int(at + 1, &frame)) {
        if (frame_stated && frame != in->frame)
            return ip_fail(IPOS_ERR_FORMAT, "%s: its id says frame %lld, its data-frame %lld", what, (long long)frame, (long long)in->frame);
        in->frame = frame;
    } else {
        at = NULL;
    }
    const size_t size = id ? at ? (size_t)(at - id) : strlen(id) : 0;
    if (size && !(*wire = ip_format("%.*s", (int)size, id)))
        return IPOS_ERR_NO_MEMORY;
    return IPOS_OK;
}

static ipos_status read_points(const char *element, const char **attributes, const char *what, const level *in, ip_points *points) {
    static const char *const ends[] = {"x1", "y1", "x2", "y2"};
    const char *data = attribute(attributes, strcmp(element, "path") == 0 ? "d" : "points");
    double v[4] = {0};
    if (strcmp(element, "path") == 0)
        return ip_svg_path(data ? data : "", &in->place, what, points);
    if (strcmp(element, "polyline") == 0)
        return ip_svg_polyline(data ? data : "", &in->place, what, points);
    for (int i = 0; i < 4; i++) {
        const char *text = attribute(attributes, ends[i]);
        if (text && !ip_svg_numbers(text, 1, &v[i]))
            return ip_fail(IPOS_ERR_FORMAT, "%s: %s \"%.40s\": expected a number", what, ends[i], text);
    }
    return ip_svg_line(v, &in->place, points);
}

/* Points nearer than a thousandth of a pixel to the one before are the same. */
static json_t *points_json(const ip_points *points) {
    json_t *list = json_array();
    double x = NAN, y = NAN;
    for (size_t i = 0; i < points->count; i++) {
        const double *at = points->xy + 2 * i;
        if (hypot(at[0] - x, at[1] - y) < 1e-3)
            continue;
        x = at[0], y = at[1];
        if (json_array_append_new(list, json_pack("[f,f]", x, y)) != 0) { /* fails for numbers that are not finite */
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static ipos_status add_stroke(reader *r, const char *wire, const level *in, const ip_points *points, const char *what) {
    json_t *list = points_json(points);
    if (!list)
        return ip_fail(IPOS_ERR_FORMAT, "%s: a point is too far away to be a number", what);
    json_t *stroke = json_pack("{s:s,s:o}", "kind", *in->kind ? in->kind : "wire", "points", list);
    const double scale = sqrt(fabs(in->place.a * in->place.d - in->place.b * in->place.c));
    if (wire)
        json_object_set_new(stroke, "wire", json_string(wire));
    if (in->frame != IP_STROKES_NO_FRAME)
        json_object_set_new(stroke, "frame", json_integer(in->frame));
    if (in->width >= 0)
        json_object_set_new(stroke, "width", json_real(in->width * scale));
    return json_array_append_new(r->strokes, stroke) == 0 ? IPOS_OK : ip_no_memory(256);
}

static ipos_status draw(reader *r, const char *element, const char **attributes, const char *what, level *in) {
    ip_points points = {0};
    char *wire = NULL;
    ipos_status status = read_id(attribute(attributes, "id"), attribute(attributes, "data-frame") != NULL, what, in, &wire);
    if (status == IPOS_OK)
        status = read_points(element, attributes, what, in, &points);
    if (status == IPOS_OK)
        status = add_stroke(r, wire, in, &points, what);
    ip_points_free(&points);
    ip_free(wire);
    return status;
}

/* The picture's corner is where the view box begins; its units are pixels. */
static ipos_status open_root(const char **attributes, const char *what, level *in) {
    const char *text = attribute(attributes, "viewBox");
    double box[4];
    if (!text)
        return IPOS_OK;
    if (!ip_svg_numbers(text, 4, box) || !(box[2] > 0 && box[3] > 0))
        return ip_fail(IPOS_ERR_FORMAT, "%s: viewBox \"%.60s\": expected x, y, width and height", what, text);
    in->place.e = -box[0];
    in->place.f = -box[1];
    return IPOS_OK;
}

static bool is_one_of(const char *element, const char *const *list) {
    while (*list && strcmp(element, *list) != 0)
        list++;
    return *list != NULL;
}

static ipos_status open_element(reader *r, const char *element, const char **attributes, level *in) {
    static const char *const groups[] = {"svg", "g", "a", "switch", NULL};
    static const char *const drawn[] = {"path", "polyline", "line", NULL};
    static const char *const refused[] = {"polygon", "use", NULL};
    static const char *const unseen[] = {"defs", "symbol", "clipPath", "mask", "pattern", "marker", "metadata", "foreignObject", NULL};
    char what[512];
    describe(r, element, attributes, what);
    if (r->depth == 0 && strcmp(element, "svg") != 0)
        return ip_fail(IPOS_ERR_FORMAT, "%s: expected <svg> as the outermost element", what);
    if (is_one_of(element, unseen))
        in->hidden = true;
    if (in->hidden)
        return IPOS_OK;
    if (r->depth > 0 && strcmp(element, "svg") == 0)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: a drawing inside the drawing: expected one <svg>", what);
    if (r->depth == 0)
        IP_TRY(open_root(attributes, what, in));
    if (is_one_of(element, refused))
        return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: <%s> is not read: expected path, polyline or line", what, element);
    if (!is_one_of(element, groups) && !is_one_of(element, drawn))
        return IPOS_OK; /* pictures, texts, backgrounds */
    IP_TRY(read_common(attributes, what, in));
    return in->hidden || is_one_of(element, groups) ? IPOS_OK : draw(r, element, attributes, what, in);
}

static void XMLCALL on_start(void *user, const char *name, const char **attributes) {
    reader *r = user;
    const bool svg = strncmp(name, SVG_NAMESPACE, strlen(SVG_NAMESPACE)) == 0, plain = !strchr(name, ' ');
    if (r->status != IPOS_OK)
        return;
    if (r->depth + 1 == MOST_DEPTH) {
        r->status = ip_fail(IPOS_ERR_FORMAT, "%s: elements lie more than %d deep", r->name, MOST_DEPTH);
    } else {
        level *in = &r->levels[r->depth + 1];
        *in = r->levels[r->depth];
        if (!svg && !plain)
            in->hidden = true; /* a drawing program's own */
        r->status = open_element(r, svg ? name + strlen(SVG_NAMESPACE) : name, attributes, in);
        r->depth++;
    }
    if (r->status != IPOS_OK)
        XML_StopParser(r->parser, XML_FALSE);
}

static void XMLCALL on_end(void *user, const char *name) {
    (void)name;
    ((reader *)user)->depth--;
}

ipos_status ip_strokes_from_svg(const void *bytes, size_t size, const char *name, int64_t frame, json_t **strokes) {
    static const XML_Memory_Handling_Suite memory = {ip_alloc, ip_realloc, ip_free};
    reader r = {.name = name, .strokes = json_array(), .parser = XML_ParserCreate_MM(NULL, &memory, " ")};
    *strokes = NULL;
    if (!r.strokes || !r.parser)
        r.status = ip_no_memory(4096);
    r.levels[0] = (level){.place = {1, 0, 0, 1, 0, 0}, .frame = frame, .width = -1};
    if (r.status == IPOS_OK) {
        XML_SetUserData(r.parser, &r);
        XML_SetElementHandler(r.parser, on_start, on_end);
        /* A document's own entities may be used (some programs write them); expat limits what they grow to and fetches none. */
        if (XML_Parse(r.parser, bytes, (int)size, 1) != XML_STATUS_OK && r.status == IPOS_OK)
            r.status = ip_fail(IPOS_ERR_FORMAT, "%s: not valid XML in line %lu: %s", name, (unsigned long)XML_GetCurrentLineNumber(r.parser),
                XML_ErrorString(XML_GetErrorCode(r.parser)));
    }
    if (r.parser)
        XML_ParserFree(r.parser);
    if (r.status == IPOS_OK && json_array_size(r.strokes) == 0)
        r.status = ip_fail(IPOS_ERR_FORMAT, "%s: nothing is drawn in it, expected path, polyline or line elements", name);
    if (r.status == IPOS_OK)
        *strokes = r.strokes;
    else
        json_decref(r.strokes);
    return r.status;
}
