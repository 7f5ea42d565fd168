/* SVG's numbers, transforms and path data: https://www.w3.org/TR/SVG11/paths.html, all but the elliptical arc. */
#include "strokes.h"
#include <math.h>

enum { MOST_FLATTENED = 100000 };
static const double TOLERANCE = 0.1; /* of a flattened curve, in pixels */

typedef struct pen {
    const char *what;
    const ip_affine *place;
    ip_points *out;
    double x, y, start_x, start_y;
    double control_x, control_y; /* the last curve's second control point */
    char before;                 /* the command before this one, upper case */
} pen;

void ip_points_free(ip_points *points) {
    ip_free(points->xy);
    *points = (ip_points){0};
}

static ipos_status add(ip_points *points, double x, double y) {
    if (points->count == points->room) {
        const size_t room = points->room ? points->room * 2 : 64;
        double *grown = ip_realloc(points->xy, room * 2 * sizeof *grown);
        if (!grown)
            return IPOS_ERR_NO_MEMORY;
        points->xy = grown;
        points->room = room;
    }
    points->xy[2 * points->count] = x;
    points->xy[2 * points->count + 1] = y;
    points->count++;
    return IPOS_OK;
}

static void place_point(const ip_affine *m, double x, double y, double out[2]) {
    out[0] = m->a * x + m->c * y + m->e;
    out[1] = m->b * x + m->d * y + m->f;
}

static ipos_status add_placed(ip_points *points, const ip_affine *place, double x, double y) {
    double at[2];
    place_point(place, x, y, at);
    return add(points, at[0], at[1]);
}

static void skip_space(const char **at) {
    *at += strspn(*at, " \t\r\n\f");
}

/* Spaces with at most one comma among them. */
static void skip_comma(const char **at) {
    skip_space(at);
    if (**at == ',') {
        ++*at;
        skip_space(at);
    }
}

static size_t digits(const char *at) {
    return strspn(at, "0123456789");
}

/* "-1.5e3" at *at; what follows may touch it, as in "1-2" or "1.5.5". */
static bool number(const char **at, double *out) {
    char copy[48];
    const char *p = *at;
    p += *p == '-' || *p == '+';
    size_t whole = digits(p), part = 0;
    p += whole;
    if (*p == '.') {
        part = digits(p + 1);
        p += 1 + part;
    }
    if (whole + part == 0)
        return false;
    if (*p == 'e' || *p == 'E') {
        const char *power = p + 1 + (p[1] == '-' || p[1] == '+');
        if (digits(power))
            p = power + digits(power);
    }
    const size_t size = (size_t)(p - *at);
    if (size >= sizeof copy)
        return false;
    memcpy(copy, *at, size);
    copy[size] = 0;
    *at = p;
    return ip_parse_real(copy, out);
}

bool ip_svg_numbers(const char *text, size_t count, double *out) {
    skip_space(&text);
    for (size_t i = 0; i < count; i++) {
        if (i)
            skip_comma(&text);
        if (!number(&text, &out[i]))
            return false;
    }
    skip_space(&text);
    return *text == 0;
}

static ip_affine inside(const ip_affine *outer, const ip_affine *m) {
    return (ip_affine){outer->a * m->a + outer->c * m->b, outer->b * m->a + outer->d * m->b, outer->a * m->c + outer->c * m->d,
        outer->b * m->c + outer->d * m->d, outer->a * m->e + outer->c * m->f + outer->e, outer->b * m->e + outer->d * m->f + outer->f};
}

/* One "name(1 2)" as a matrix; false: another name, or other numbers than it takes. */
static bool one_transform(const char **at, ip_affine *out) {
    static const char *const names[] = {"translate", "scale", "matrix"};
    double v[6] = {0};
    size_t kind = 0, count = 0;
    while (kind < IP_COUNT(names) && strncmp(*at, names[kind], strlen(names[kind])) != 0)
        kind++;
    if (kind == IP_COUNT(names))
        return false;
    *at += strlen(names[kind]);
    skip_space(at);
    if (*(*at)++ != '(')
        return false;
    for (skip_space(at); **at && **at != ')'; skip_comma(at))
        if (count == 6 || !number(at, &v[count++]))
            return false;
    if (**at != ')')
        return false;
    ++*at;
    if (kind == 2)
        *out = (ip_affine){v[0], v[1], v[2], v[3], v[4], v[5]};
    else if (kind == 1)
        *out = (ip_affine){v[0], 0, 0, count == 1 ? v[0] : v[1], 0, 0};
    else
        *out = (ip_affine){1, 0, 0, 1, v[0], v[1]};
    return kind == 2 ? count == 6 : count == 1 || count == 2;
}

ipos_status ip_svg_transform(const char *text, const char *what, ip_affine *place) {
    const char *at = text;
    for (skip_space(&at); *at; skip_comma(&at)) {
        ip_affine m;
        if (!one_transform(&at, &m))
            return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: transform \"%.80s\": expected translate(x y), scale(x y) or matrix(a b c d e f); apply others in the drawing program",
                what, text);
        *place = inside(place, &m);
    }
    return IPOS_OK;
}

static ipos_status bad_path(const pen *p, const char *at) {
    return ip_fail(IPOS_ERR_FORMAT, "%s: path data is not understood at \"%.24s\": expected M, L, H, V, C, S, Q, T or Z and numbers", p->what, at);
}

static ipos_status line_to(pen *p, double x, double y) {
    p->x = x;
    p->y = y;
    return add_placed(p->out, p->place, x, y);
}

/* The curve from where the pen is: 4 control points, or 3 with cubic false, flattened at equal steps of its parameter. */
static ipos_status curve_to(pen *p, bool cubic, double x1, double y1, double x2, double y2, double x, double y) {
    double c[4][2];
    place_point(p->place, p->x, p->y, c[0]);
    if (cubic) {
        place_point(p->place, x1, y1, c[1]);
        place_point(p->place, x2, y2, c[2]);
    } else { /* raised to a cubic one */
        place_point(p->place, p->x + (x1 - p->x) * 2 / 3, p->y + (y1 - p->y) * 2 / 3, c[1]);
        place_point(p->place, x + (x1 - x) * 2 / 3, y + (y1 - y) * 2 / 3, c[2]);
    }
    place_point(p->place, x, y, c[3]);
    const double bend = fmax(hypot(c[0][0] - 2 * c[1][0] + c[2][0], c[0][1] - 2 * c[1][1] + c[2][1]),
        hypot(c[1][0] - 2 * c[2][0] + c[3][0], c[1][1] - 2 * c[2][1] + c[3][1]));
    const int steps = (int)fmin(fmax(ceil(sqrt(0.75 * bend / TOLERANCE)), 1), 1000); /* |B''| <= 6 bend, error <= |B''| / 8 / steps^2 */
    for (int i = 1; i <= steps; i++) {
        const double t = (double)i / steps, s = 1 - t;
        double at[2];
        for (int k = 0; k < 2; k++)
            at[k] = s * s * s * c[0][k] + 3 * s * s * t * c[1][k] + 3 * s * t * t * c[2][k] + t * t * t * c[3][k];
        IP_TRY(add(p->out, at[0], at[1]));
    }
    p->control_x = cubic ? x2 : x1;
    p->control_y = cubic ? y2 : y1;
    p->x = x;
    p->y = y;
    return IPOS_OK;
}

/* One command with its numbers v, absolute; kind is upper case. */
static ipos_status draw(pen *p, char kind, const double *v) {
    const bool cubic_before = strchr("CS", p->before), quad_before = strchr("QT", p->before);
    const double mirror_x = 2 * p->x - p->control_x, mirror_y = 2 * p->y - p->control_y;
    switch (kind) {
    case 'H':
        return line_to(p, v[0], p->y);
    case 'V':
        return line_to(p, p->x, v[0]);
    case 'C':
        return curve_to(p, true, v[0], v[1], v[2], v[3], v[4], v[5]);
    case 'S':
        return curve_to(p, true, cubic_before ? mirror_x : p->x, cubic_before ? mirror_y : p->y, v[0], v[1], v[2], v[3]);
    case 'Q':
        return curve_to(p, false, v[0], v[1], 0, 0, v[2], v[3]);
    case 'T':
        return curve_to(p, false, quad_before ? mirror_x : p->x, quad_before ? mirror_y : p->y, 0, 0, v[0], v[1]);
    default: /* M, L */
        return line_to(p, v[0], v[1]);
    }
}

static bool arguments(const char **at, const pen *p, char kind, bool relative, double v[6]) {
    static const char kinds[] = "MLTHVSQC";
    static const size_t counts[] = {2, 2, 2, 1, 1, 4, 4, 6};
    const size_t count = counts[strchr(kinds, kind) - kinds];
    for (size_t i = 0; i < count; i++) {
        if (i)
            skip_comma(at);
        if (!number(at, &v[i]))
            return false;
        if (relative)
            v[i] += kind == 'V' || (kind != 'H' && i % 2) ? p->y : p->x;
    }
    return true;
}

/* A command and the numbers that repeat it. */
static ipos_status command(pen *p, const char **at, char letter) {
    const char *begin = *at - 1;
    const bool relative = letter >= 'a';
    char kind = relative ? (char)(letter - 'a' + 'A') : letter;
    double v[6];
    if (kind == 'M' && p->before)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: the path has more than one part (another M): draw each as a path of its own", p->what);
    for (bool first = true;; first = false) {
        skip_space(at);
        if (!arguments(at, p, kind, relative, v))
            return bad_path(p, begin);
        IP_TRY(draw(p, kind, v));
        if (kind == 'M' && first) {
            p->start_x = p->x;
            p->start_y = p->y;
        }
        p->before = kind;
        if (kind == 'M')
            kind = 'L';
        if (p->out->count > MOST_FLATTENED)
            return ip_fail(IPOS_ERR_FORMAT, "%s: the path has more than %d points", p->what, MOST_FLATTENED);
        skip_comma(at);
        if (!**at || !strchr("+-.0123456789", **at))
            return IPOS_OK;
    }
}

ipos_status ip_svg_path(const char *data, const ip_affine *place, const char *what, ip_points *out) {
    pen p = {.what = what, .place = place, .out = out};
    const char *at = data;
    for (skip_space(&at); *at; skip_space(&at)) {
        const char letter = *at++;
        if (letter == 'A' || letter == 'a')
            return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: the path has an elliptical arc (A): convert it to curves in the drawing program", what);
        if (p.before == 'Z')
            return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: the path goes on after Z: draw each part as a path of its own", what);
        if (letter == 'Z' || letter == 'z') {
            if (!p.before)
                return bad_path(&p, at - 1);
            IP_TRY(line_to(&p, p.start_x, p.start_y));
            p.before = 'Z';
        } else if (!strchr("MmLlHhVvCcSsQqTt", letter) || (!p.before && letter != 'M' && letter != 'm')) {
            return bad_path(&p, at - 1);
        } else {
            IP_TRY(command(&p, &at, letter));
        }
    }
    return IPOS_OK;
}

ipos_status ip_svg_polyline(const char *data, const ip_affine *place, const char *what, ip_points *out) {
    const char *at = data;
    double x, y;
    for (skip_space(&at); *at; skip_comma(&at)) {
        const char *begin = at;
        if (!number(&at, &x) || (skip_comma(&at), !number(&at, &y)))
            return ip_fail(IPOS_ERR_FORMAT, "%s: points are not understood at \"%.24s\": expected pairs of numbers", what, begin);
        IP_TRY(add_placed(out, place, x, y));
        if (out->count > MOST_FLATTENED)
            return ip_fail(IPOS_ERR_FORMAT, "%s: more than %d points", what, MOST_FLATTENED);
    }
    return IPOS_OK;
}

ipos_status ip_svg_line(const double ends[4], const ip_affine *place, ip_points *out) {
    IP_TRY(add_placed(out, place, ends[0], ends[1]));
    return add_placed(out, place, ends[2], ends[3]);
}
