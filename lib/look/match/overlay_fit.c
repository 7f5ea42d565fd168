#include "fit.h"
#include "overlay.h"
#include <math.h>

enum { UNKNOWNS = 8, LEAST = 32 };

/* Points are brought to about -1..1 before the equations, which would be badly scaled otherwise (Hartley, PAMI 1997). */
typedef struct span {
    double x, y, size;
} span;

static span span_of(const float (*points)[2], size_t count) {
    span s = {0};
    double square = 0.;
    for (size_t i = 0; i < count; i++) {
        s.x += points[i][0] / (double)count;
        s.y += points[i][1] / (double)count;
    }
    for (size_t i = 0; i < count; i++)
        square += (points[i][0] - s.x) * (points[i][0] - s.x) + (points[i][1] - s.y) * (points[i][1] - s.y);
    s.size = fmax(1e-6, sqrt(square / (double)count));
    return s;
}

static ipos_status add_rows(const float (*from)[2], const float (*to)[2], size_t count, const span *a, const span *b, ip_fit_rows *rows) {
    for (size_t i = 0; i < count; i++) {
        float x = (float)((from[i][0] - a->x) / a->size), y = (float)((from[i][1] - a->y) / a->size);
        float u = (float)((to[i][0] - b->x) / b->size), v = (float)((to[i][1] - b->y) / b->size);
        const ip_fit_row across = {.x = {x, y, 1.f, 0.f, 0.f, 0.f, -u * x, -u * y}, .y = u, .weight = 1.f};
        const ip_fit_row down = {.x = {0.f, 0.f, 0.f, x, y, 1.f, -v * x, -v * y}, .y = v, .weight = 1.f};
        IP_TRY(ip_fit_add(rows, &across));
        IP_TRY(ip_fit_add(rows, &down));
    }
    return IPOS_OK;
}

static void multiply(const double a[9], const double b[9], double out[9]) {
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            out[3 * i + j] = a[3 * i] * b[j] + a[3 * i + 1] * b[3 + j] + a[3 * i + 2] * b[6 + j];
}

bool ip_homography_fit(const float (*from)[2], const float (*to)[2], size_t count, double out[9]) {
    ip_fit_rows rows = {.unknowns = UNKNOWNS};
    ip_fit_result fit = {0};
    if (count < LEAST)
        return false;
    const span a = span_of(from, count), b = span_of(to, count);
    const ip_fit_options options = {.tags = 1, .iterations = 20, .floor = .02 / b.size};
    bool good = add_rows(from, to, count, &a, &b, &rows) == IPOS_OK && ip_fit(&rows, &options, &fit) == IPOS_OK && fit.rows > 0;
    ip_fit_free(&rows);
    double h[9], part[9];
    for (int i = 0; i < UNKNOWNS; i++)
        h[i] = fit.solution[i];
    h[8] = 1.;
    const double into[9] = {1. / a.size, 0., -a.x / a.size, 0., 1. / a.size, -a.y / a.size, 0., 0., 1.};
    const double back[9] = {b.size, 0., b.x, 0., b.size, b.y, 0., 0., 1.};
    multiply(h, into, part);
    multiply(back, part, out);
    double last = out[8];
    for (int i = 0; i < 9; i++)
        out[i] /= last;
    double area = h[0] * h[4] - h[1] * h[3];
    return good && isfinite(out[0]) && area > .2 && area < 5.;
}

void ip_homography_at(const double h[9], double x, double y, double out[2]) {
    double w = h[6] * x + h[7] * y + h[8];
    w = fabs(w) > 1e-9 ? w : 1e-9;
    out[0] = (h[0] * x + h[1] * y + h[2]) / w;
    out[1] = (h[3] * x + h[4] * y + h[5]) / w;
}

bool ip_homography_inverse(const double h[9], double out[9]) {
    const double m[9] = {h[4] * h[8] - h[5] * h[7], h[2] * h[7] - h[1] * h[8], h[1] * h[5] - h[2] * h[4], h[5] * h[6] - h[3] * h[8], h[0] * h[8] - h[2] * h[6],
        h[2] * h[3] - h[0] * h[5], h[3] * h[7] - h[4] * h[6], h[1] * h[6] - h[0] * h[7], h[0] * h[4] - h[1] * h[3]};
    if (!(fabs(m[8]) > 1e-12))
        return false;
    for (int i = 0; i < 9; i++)
        out[i] = m[i] / m[8];
    return true;
}
