/* Strokes as JSON: what a file or a setting holds is checked and put into one form. */
#include "strokes.h"
#include <math.h>
#include <stdlib.h>

enum { MOST_BYTES = 8 << 20, MOST_STROKES = 10000, MOST_POINTS = 1000, MOST_NAME = 100, MOST_WIDTH = 1000 };
static const int64_t MOST_FRAME = INT64_C(1) << 40;
static const double MOST_FAR = 1e6; /* pixels from the picture's corner */

typedef struct checker {
    const char *name; /* file or setting */
    int64_t frame;    /* for strokes without one */
    json_t *seen;     /* wire, kind and frame of those so far */
} checker;

/* "a.json: stroke 3 (wire 'left')" */
static void describe(const checker *c, size_t index, const json_t *stroke, char what[512]) {
    const char *wire = json_string_value(json_object_get(stroke, "wire"));
    snprintf(what, 512, wire ? "%.380s: stroke %zu (wire '%.60s')" : "%.380s: stroke %zu", c->name, index + 1, wire ? wire : "");
}

/* A value for an error text; the caller frees. */
static char *value_text(const json_t *value) {
    char *whole = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(10)) : NULL;
    char *text = ip_format("%.60s", whole ? whole : "nothing");
    free(whole);
    return text;
}

static ipos_status bad(const char *what, const char *member, const json_t *value, const char *expected) {
    char *text = value_text(value);
    ipos_status status = ip_fail(IPOS_ERR_FORMAT, "%s: \"%s\" is %s, expected %s", what, member, text ? text : "?", expected);
    ip_free(text);
    return status;
}

static ipos_status check_members(const json_t *object, const char *known, const char *what) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
        if (strchr(key, ',') || !ip_in_list(known, key))
            return ip_fail(IPOS_ERR_FORMAT, "%s: member \"%.40s\" is not known: expected %s", what, key, known);
    return IPOS_OK;
}

static bool is_plain(const char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

static ipos_status check_wire(const json_t *value, const char *what, json_t *out) {
    const char *text = json_string_value(value);
    if (!value || json_is_null(value))
        return IPOS_OK;
    if (!text || !*text || strlen(text) > MOST_NAME || json_string_length(value) != strlen(text) || !is_plain(text))
        return bad(what, "wire", value, "a name of 1 to 100 bytes, or none");
    return json_object_set_new(out, "wire", json_string(text)) == 0 ? IPOS_OK : ip_no_memory(64);
}

static ipos_status check_frame(const checker *c, const json_t *value, const char *what, json_t *out) {
    int64_t frame = json_integer_value(value);
    if (!value && c->frame != IP_STROKES_NO_FRAME)
        frame = c->frame;
    else if (!value)
        return ip_fail(IPOS_ERR_FORMAT, "%s: it does not say on which frame it is drawn, and no frame was given for those", what);
    else if (!json_is_integer(value))
        return bad(what, "frame", value, "a whole number");
    if (frame < -MOST_FRAME || frame > MOST_FRAME)
        return ip_fail(IPOS_ERR_FORMAT, "%s: frame %lld, expected at most +-%lld", what, (long long)frame, (long long)MOST_FRAME);
    return json_object_set_new(out, "frame", json_integer(frame)) == 0 ? IPOS_OK : ip_no_memory(64);
}

static ipos_status check_kind(const json_t *value, const char *what, json_t *out) {
    const char *kind = value ? json_string_value(value) : "wire";
    if (!kind || !*kind || strchr(kind, ',') || !ip_in_list(IP_STROKE_KINDS, kind))
        return bad(what, "kind", value, "one of " IP_STROKE_KINDS);
    return json_object_set_new(out, "kind", json_string(kind)) == 0 ? IPOS_OK : ip_no_memory(64);
}

static ipos_status check_width(const json_t *value, const char *what, json_t *out) {
    const double width = json_number_value(value);
    if (!value || json_is_null(value))
        return IPOS_OK;
    if (!json_is_number(value) || !(width > 0 && width <= MOST_WIDTH))
        return bad(what, "width", value, "a number of pixels, over 0 and at most 1000");
    return json_object_set_new(out, "width", json_real(width)) == 0 ? IPOS_OK : ip_no_memory(64);
}

/* Ten-thousandths of a pixel, so that the text is short and stays the same however often it is read and written. */
static json_t *rounded(double value) {
    return json_real(round(value * 1e4) / 1e4);
}

static ipos_status check_point(const json_t *pair, size_t index, const char *what, json_t *list) {
    const double x = json_number_value(json_array_get(pair, 0)), y = json_number_value(json_array_get(pair, 1));
    char member[32];
    if (json_array_size(pair) != 2 || !json_is_number(json_array_get(pair, 0)) || !json_is_number(json_array_get(pair, 1)) ||
        !(fabs(x) <= MOST_FAR) || !(fabs(y) <= MOST_FAR)) {
        snprintf(member, sizeof member, "points[%zu]", index);
        return bad(what, member, pair, "[x, y] in pixels of the data window, at most 1000000 away");
    }
    json_t *point = json_array();
    json_array_append_new(point, rounded(x));
    json_array_append_new(point, rounded(y));
    return json_array_size(point) == 2 && json_array_append_new(list, point) == 0 ? IPOS_OK : ip_no_memory(64);
}

static ipos_status check_points(const json_t *value, const char *what, json_t *out) {
    const size_t count = json_array_size(value);
    json_t *list = json_array();
    ipos_status status = IPOS_OK;
    bool apart = false;
    if (!json_is_array(value))
        status = bad(what, "points", value, "a list of [x, y]");
    else if (count < 2 || count > MOST_POINTS)
        status = ip_fail(IPOS_ERR_FORMAT, "%s: it has %zu points, expected 2 to %d", what, count, MOST_POINTS);
    for (size_t i = 0; i < count && status == IPOS_OK; i++) {
        status = check_point(json_array_get(value, i), i, what, list);
        apart = apart || (i > 0 && !json_equal(json_array_get(list, 0), json_array_get(list, i)));
    }
    if (status == IPOS_OK && !apart)
        status = ip_fail(IPOS_ERR_FORMAT, "%s: all its points are one, expected a curve", what);
    if (status == IPOS_OK)
        return json_object_set_new(out, "points", list) == 0 ? IPOS_OK : ip_no_memory(64);
    json_decref(list);
    return status;
}

/* A wire has one stroke of a kind on a frame: that is its key there. */
static ipos_status check_once(checker *c, const char *what, const json_t *stroke) {
    const char *wire = json_string_value(json_object_get(stroke, "wire")), *kind = json_string_value(json_object_get(stroke, "kind"));
    const long long frame = (long long)json_integer_value(json_object_get(stroke, "frame"));
    if (!wire)
        return IPOS_OK;
    char *key = ip_format("%s %lld %s", kind, frame, wire);
    ipos_status status = key ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK && json_object_get(c->seen, key))
        status = ip_fail(IPOS_ERR_FORMAT, "%s: a second %s of that name on frame %lld, expected one: give the other a name of its own", what,
            strcmp(kind, "wire") == 0 ? "stroke" : kind, frame);
    if (status == IPOS_OK && json_object_set_new(c->seen, key, json_true()) != 0)
        status = ip_no_memory(64);
    ip_free(key);
    return status;
}

static ipos_status check_stroke(checker *c, size_t index, const json_t *stroke, json_t *out) {
    char what[512];
    describe(c, index, stroke, what);
    if (!json_is_object(stroke))
        return ip_fail(IPOS_ERR_FORMAT, "%s: expected an object with \"frame\" and \"points\"", what);
    /* What an operation adds to the curves that it found may be handed back with them. */
    IP_TRY(check_members(stroke, "wire,frame,kind,points,width,confidence,note", what));
    IP_TRY(check_wire(json_object_get(stroke, "wire"), what, out));
    IP_TRY(check_frame(c, json_object_get(stroke, "frame"), what, out));
    IP_TRY(check_kind(json_object_get(stroke, "kind"), what, out));
    IP_TRY(check_width(json_object_get(stroke, "width"), what, out));
    IP_TRY(check_points(json_object_get(stroke, "points"), what, out));
    return check_once(c, what, out);
}

static ipos_status check_all(checker *c, const json_t *strokes, json_t *list) {
    const size_t count = json_array_size(strokes);
    if (!json_is_array(strokes))
        return ip_fail(IPOS_ERR_FORMAT, "%s: expected {\"strokes\":[...]}", c->name);
    if (count > MOST_STROKES)
        return ip_fail(IPOS_ERR_FORMAT, "%s: %zu strokes, expected at most %d", c->name, count, MOST_STROKES);
    for (size_t i = 0; i < count; i++) {
        json_t *out = json_object();
        ipos_status status = check_stroke(c, i, json_array_get(strokes, i), out);
        if (status == IPOS_OK && json_array_append(list, out) != 0)
            status = ip_no_memory(256);
        json_decref(out);
        IP_TRY(status);
    }
    return IPOS_OK;
}

static int add_text(const char *text, size_t size, void *buffer) {
    ip_buffer_add(buffer, text, size);
    return 0;
}

static ipos_status give(const checker *c, json_t *list, char **json) {
    ip_buffer buffer = {0};
    json_t *root = json_pack("{s:O}", "strokes", list);
    json_dump_callback(root, add_text, &buffer, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(12));
    json_decref(root);
    if (buffer.size > MOST_BYTES) {
        ip_buffer_free(&buffer);
        return ip_fail(IPOS_ERR_FORMAT, "%s: the strokes have more points than fit into %d bytes", c->name, MOST_BYTES);
    }
    *json = ip_buffer_take(&buffer);
    return *json ? IPOS_OK : ip_no_memory(buffer.size);
}

/* Steals strokes. */
static ipos_status normal(json_t *strokes, const char *name, int64_t frame, char **json) {
    checker c = {.name = name, .frame = frame, .seen = json_object()};
    json_t *list = json_array();
    ipos_status status = c.seen && list ? check_all(&c, strokes, list) : ip_no_memory(64);
    if (status == IPOS_OK)
        status = give(&c, list, json);
    json_decref(list);
    json_decref(c.seen);
    json_decref(strokes);
    return status;
}

static ipos_status from_json(const void *bytes, size_t size, const char *name, json_t **strokes) {
    json_error_t error;
    json_t *root = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &error);
    ipos_status status;
    if (!root)
        return ip_fail(IPOS_ERR_FORMAT, "%s: not valid JSON in line %d, column %d: %s", name, error.line, error.column, error.text);
    if (!json_is_object(root))
        status = ip_fail(IPOS_ERR_FORMAT, "%s: expected {\"strokes\":[...]}", name);
    else
        status = check_members(root, "strokes", name);
    *strokes = status == IPOS_OK ? json_incref(json_object_get(root, "strokes")) : NULL;
    json_decref(root);
    return status;
}

ipos_status ip_strokes_parse(const void *bytes, size_t size, const char *name, int64_t frame, char **json) {
    const uint8_t *at = bytes;
    size_t left = size;
    json_t *strokes = NULL;
    *json = NULL;
    if (size > MOST_BYTES)
        return ip_fail(IPOS_ERR_FORMAT, "%s: %zu bytes, expected at most %d", name, size, MOST_BYTES);
    if (left >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
        at += 3, left -= 3;
    while (left && strchr(" \t\r\n", *at) && *at)
        at++, left--;
    if (left && (*at == '{' || *at == '['))
        IP_TRY(from_json(at, left, name, &strokes));
    else if (left && (*at == '<' || *at >= 0xfe)) /* or UTF-16 */
        IP_TRY(ip_strokes_from_svg(bytes, size, name, frame, &strokes));
    else
        return ip_fail(IPOS_ERR_FORMAT, "%s: neither JSON ({\"strokes\":[...]}) nor SVG", name);
    return normal(strokes, name, frame, json);
}

ipos_status ip_strokes_read(const char *path, int64_t frame, char **json) {
    void *bytes;
    size_t size;
    *json = NULL;
    IP_TRY(ip_file_read(path, MOST_BYTES, &bytes, &size));
    ipos_status status = ip_strokes_parse(bytes, size, path, frame, json);
    ip_free(bytes);
    return status;
}

ipos_status ip_strokes_check(const char *text, const char *what, char **json) {
    json_t *strokes = NULL;
    *json = NULL;
    if (!*text) {
        *json = ip_strdup("");
        return *json ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    }
    ipos_status status = from_json(text, strlen(text), what, &strokes);
    if (status == IPOS_OK)
        status = normal(strokes, what, IP_STROKES_NO_FRAME, json);
    if (status != IPOS_ERR_FORMAT)
        return status;
    char *reason = ip_strdup(ipos_last_error());
    ip_fail(IPOS_ERR_ARGUMENT, "%s", reason ? reason : "out of memory");
    ip_free(reason);
    return IPOS_ERR_ARGUMENT;
}
