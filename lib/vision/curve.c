#include "curve.h"
#include <math.h>

enum { CURVE_MOST = 1 << 20 }; /* points; a step this small against the length is a caller's mistake */

void ip_curve_free(ip_curve *curve) {
    ip_free(curve->at);
    *curve = (ip_curve){0};
}

static ipos_status curve_new(size_t count, ip_curve *out) {
    *out = (ip_curve){0};
    if (count > CURVE_MOST)
        return ip_fail(IPOS_ERR_ARGUMENT, "curve: more than %d points", (int)CURVE_MOST);
    out->at = ip_alloc(IP_MAX(count, (size_t)1) * sizeof *out->at);
    if (!out->at)
        return IPOS_ERR_NO_MEMORY;
    out->count = count;
    return IPOS_OK;
}

ipos_status ip_curve_copy(const ip_curve *from, ip_curve *to) {
    ip_curve copy;
    IP_TRY(curve_new(from->count, &copy));
    if (from->count)
        memcpy(copy.at, from->at, from->count * sizeof *copy.at);
    *to = copy;
    return IPOS_OK;
}

static float apart(ip_point a, ip_point b) {
    return hypotf(b.x - a.x, b.y - a.y);
}

float ip_curve_length(const ip_curve *curve) {
    double sum = 0;
    for (size_t i = 1; i < curve->count; i++)
        sum += apart(curve->at[i - 1], curve->at[i]);
    return (float)sum;
}

ipos_status ip_curve_even(const ip_curve *from, float step, ip_curve *out) {
    *out = (ip_curve){0};
    double length = 0;
    for (size_t i = 1; i < from->count; i++)
        length += apart(from->at[i - 1], from->at[i]);
    if (!(step > 0.f) || !isfinite(step))
        return ip_fail(IPOS_ERR_ARGUMENT, "curve: a step of %g pixels", (double)step);
    if (!(length > 0) || !isfinite(length))
        return ip_fail(IPOS_ERR_ARGUMENT, "curve: two finite points apart from each other are needed");
    double wanted = fmax(1, round(length / (double)step));
    if (wanted >= CURVE_MOST)
        return ip_fail(IPOS_ERR_ARGUMENT, "curve: more than %d points", (int)CURVE_MOST);
    size_t intervals = (size_t)wanted, i = 1;
    IP_TRY(curve_new(intervals + 1, out));
    double begun = 0, part = apart(from->at[0], from->at[1]);
    for (size_t k = 0; k < intervals; k++) {
        double want = length * (double)k / (double)intervals;
        while (i + 1 < from->count && begun + part < want) {
            begun += part;
            part = apart(from->at[i], from->at[i + 1]);
            i++;
        }
        float t = part > 0 ? (float)fmin(1, (want - begun) / part) : 0.f;
        ip_point a = from->at[i - 1], b = from->at[i];
        out->at[k] = (ip_point){a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)};
    }
    out->at[intervals] = from->at[from->count - 1];
    return IPOS_OK;
}

/* Points of the stroke without repeats, and one more at either end (the neighbour mirrored), so that every interval has four. */
static ipos_status padded_points(const ip_point *points, size_t count, ip_curve *out) {
    IP_TRY(curve_new(count + 2, out));
    size_t kept = 0;
    ip_point *p = out->at + 1;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(points[i].x) || !isfinite(points[i].y)) {
            ip_curve_free(out);
            return ip_fail(IPOS_ERR_ARGUMENT, "curve: point %zu is not finite", i);
        }
        if (!kept || apart(p[kept - 1], points[i]) >= 1e-3f)
            p[kept++] = points[i];
    }
    if (kept < 2) {
        ip_curve_free(out);
        return ip_fail(IPOS_ERR_ARGUMENT, "curve: two points apart from each other are needed");
    }
    p[-1] = (ip_point){2.f * p[0].x - p[1].x, 2.f * p[0].y - p[1].y};
    p[kept] = (ip_point){2.f * p[kept - 1].x - p[kept - 2].x, 2.f * p[kept - 1].y - p[kept - 2].y};
    out->count = kept + 2;
    return IPOS_OK;
}

/* Hermite tangents of a non-uniform Catmull-Rom interval, for the parameter 0..1 along p[1]..p[2]. */
static void tangents(const ip_point *p, ip_point *begin, ip_point *end) {
    float d0 = sqrtf(apart(p[0], p[1])), d1 = sqrtf(apart(p[1], p[2])), d2 = sqrtf(apart(p[2], p[3]));
    float a = d1 / d0, b = d1 / (d0 + d1), c = d1 / (d1 + d2), d = d1 / d2;
    begin->x = a * (p[1].x - p[0].x) - b * (p[2].x - p[0].x) + (p[2].x - p[1].x);
    begin->y = a * (p[1].y - p[0].y) - b * (p[2].y - p[0].y) + (p[2].y - p[1].y);
    end->x = (p[2].x - p[1].x) - c * (p[3].x - p[1].x) + d * (p[3].x - p[2].x);
    end->y = (p[2].y - p[1].y) - c * (p[3].y - p[1].y) + d * (p[3].y - p[2].y);
}

static size_t dense_steps(ip_point a, ip_point b, float step) {
    double n = ceil(4 * (double)apart(a, b) / (double)step);
    return (size_t)fmin(fmax(n, 8), CURVE_MOST); /* NaN gives 8 */
}

ipos_status ip_curve_spline(const ip_point *points, size_t count, float step, ip_curve *out) {
    *out = (ip_curve){0};
    if (!(step > 0.f) || !isfinite(step))
        return ip_fail(IPOS_ERR_ARGUMENT, "curve: a step of %g pixels", (double)step);
    ip_curve through, dense = {0};
    IP_TRY(padded_points(points, count, &through));
    size_t total = 1;
    for (size_t i = 1; i + 2 < through.count; i++)
        total += dense_steps(through.at[i], through.at[i + 1], step);
    ipos_status status = curve_new(total, &dense);
    if (status == IPOS_OK) {
        size_t at = 0;
        for (size_t i = 0; i + 3 < through.count; i++) {
            const ip_point *p = through.at + i;
            ip_point m0, m1;
            tangents(p, &m0, &m1);
            size_t steps = dense_steps(p[1], p[2], step);
            for (size_t k = 0; k < steps; k++) {
                float t = (float)k / (float)steps, t2 = t * t, t3 = t2 * t;
                float h0 = 2.f * t3 - 3.f * t2 + 1.f, h1 = t3 - 2.f * t2 + t, h2 = 3.f * t2 - 2.f * t3, h3 = t3 - t2;
                dense.at[at++] = (ip_point){h0 * p[1].x + h1 * m0.x + h2 * p[2].x + h3 * m1.x,
                    h0 * p[1].y + h1 * m0.y + h2 * p[2].y + h3 * m1.y};
            }
        }
        dense.at[at] = through.at[through.count - 2];
        status = ip_curve_even(&dense, step, out);
    }
    ip_curve_free(&dense);
    ip_curve_free(&through);
    return status;
}

void ip_curve_frame(const ip_curve *curve, size_t i, size_t reach, ip_point *tangent, ip_point *normal) {
    float x = 1.f, y = 0.f;
    for (reach = IP_MAX(reach, (size_t)1); curve->count > 1; reach *= 2) { /* wider where the neighbours fall together */
        size_t a = i > reach ? i - reach : 0, b = IP_MIN(i + reach, curve->count - 1);
        float dx = curve->at[b].x - curve->at[a].x, dy = curve->at[b].y - curve->at[a].y, length = hypotf(dx, dy);
        if (length > 1e-6f && isfinite(length)) {
            x = dx / length;
            y = dy / length;
            break;
        }
        if (a == 0 && b == curve->count - 1)
            break;
    }
    *tangent = (ip_point){x, y};
    *normal = (ip_point){-y, x};
}
