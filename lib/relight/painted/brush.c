#include "brush.h"

#include <math.h>

bool ip_is_area(const ip_point *points, size_t count) {
    return count >= 4 && hypotf(points[0].x - points[count - 1].x, points[0].y - points[count - 1].y) <= .5f;
}

ipos_status ip_brush_make(const ip_point *points, size_t count, float half, float soft, ip_brush *out) {
    float margin = fmaxf(half, 0) + soft;
    *out = (ip_brush){.at = ip_alloc(count * sizeof *points), .count = count, .area = ip_is_area(points, count), .half = half, .soft = soft,
        .low = {INFINITY, INFINITY}, .high = {-INFINITY, -INFINITY}};
    if (!out->at)
        return IPOS_ERR_NO_MEMORY;
    memcpy(out->at, points, count * sizeof *points);
    for (size_t i = 0; i < count; i++) {
        out->low[0] = fminf(out->low[0], points[i].x - margin);
        out->low[1] = fminf(out->low[1], points[i].y - margin);
        out->high[0] = fmaxf(out->high[0], points[i].x + margin);
        out->high[1] = fmaxf(out->high[1], points[i].y + margin);
    }
    return IPOS_OK;
}

void ip_brush_free(ip_brush *brush) {
    ip_free(brush->at);
    *brush = (ip_brush){0};
}

static float to_segment(ip_point a, ip_point b, float x, float y) {
    float dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
    float t = length > 0 ? fminf(fmaxf(((x - a.x) * dx + (y - a.y) * dy) / length, 0), 1) : 0;
    return hypotf(a.x + t * dx - x, a.y + t * dy - y);
}

float ip_brush_at(const ip_brush *brush, float x, float y) {
    float near = INFINITY;
    bool inside = false;
    if (!(x >= brush->low[0] && x <= brush->high[0] && y >= brush->low[1] && y <= brush->high[1]))
        return 0;
    for (size_t i = 0; i + 1 < brush->count; i++) {
        ip_point a = brush->at[i], b = brush->at[i + 1];
        near = fminf(near, to_segment(a, b, x, y));
        if ((a.y > y) != (b.y > y) && x < a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x))
            inside = !inside;
    }
    float over = brush->area ? inside ? -near : near : near - brush->half; /* beyond its edge */
    float t = fminf(fmaxf(.5f - over / brush->soft, 0), 1);
    return t * t * (3 - 2 * t);
}
