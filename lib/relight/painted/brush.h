/* What a stroke covers: the area inside it where it ends where it begins, else a band along it. */
#ifndef IP_BRUSH_H
#define IP_BRUSH_H

#include "curve.h"

typedef struct ip_brush {
    ip_point *at;   /* owned */
    size_t count;
    bool area;      /* the inside by the even-odd rule; at least four points, the last one the first */
    float half;     /* of a band: half its width */
    float soft;     /* over which its edge goes from 1 to 0, half inside, half outside; over 0 */
    float low[2], high[2]; /* beyond them it covers nothing */
} ip_brush;

/* Copies the points. Units are the caller's: pixels, or metres on a plane. */
ipos_status ip_brush_make(const ip_point *points, size_t count, float half, float soft, ip_brush *out);
void ip_brush_free(ip_brush *brush);
/* Whether four points or more end within .5 of where they begin. */
bool ip_is_area(const ip_point *points, size_t count);
/* How much of it lies at a place, 0..1. */
float ip_brush_at(const ip_brush *brush, float x, float y);

#endif
