#include "vignette.h"
#include <math.h>

double ip_vignette_gain(const ip_vignette *vignette, double r) {
    double r2 = r * r;
    return exp(r2 * (vignette->a + r2 * (vignette->b + r2 * vignette->c)));
}

static void apply(const ip_vignette *vignette, const ip_image3 *image, int full_width, int full_height, int x0, int y0, bool remove) {
    if (!ip_measured(&vignette->reading) || (vignette->a == 0. && vignette->b == 0. && vignette->c == 0.))
        return;
    double cx = .5 * (full_width - 1), cy = .5 * (full_height - 1), unit = 1. / (cx * cx + cy * cy);
    for (int y = 0; y < image->c[0].height; y++)
        for (int x = 0; x < image->c[0].width; x++) {
            double dx = x0 + x - cx, dy = y0 + y - cy, r2 = (dx * dx + dy * dy) * unit;
            double gain = exp(r2 * (vignette->a + r2 * (vignette->b + r2 * vignette->c)));
            for (int c = 0; c < 3; c++)
                ip_row(&image->c[c], y)[x] = (float)(remove ? ip_row(&image->c[c], y)[x] / gain : ip_row(&image->c[c], y)[x] * gain);
        }
}

void ip_vignette_add(const ip_vignette *vignette, const ip_image3 *image, int full_width, int full_height, int x, int y) {
    apply(vignette, image, full_width, full_height, x, y, false);
}

void ip_vignette_remove(const ip_vignette *vignette, const ip_image3 *image, int full_width, int full_height, int x, int y) {
    apply(vignette, image, full_width, full_height, x, y, true);
}

static const ip_field fields[] = {IP_FIELD(ip_vignette, reading, IP_FIELD_READING), IP_FIELD(ip_vignette, a, IP_FIELD_REAL),
    IP_FIELD(ip_vignette, b, IP_FIELD_REAL), IP_FIELD(ip_vignette, corner, IP_FIELD_REAL), IP_FIELD(ip_vignette, spread, IP_FIELD_REAL),
    IP_FIELD(ip_vignette, pairs, IP_FIELD_INT), IP_FIELD(ip_vignette, c, IP_FIELD_REAL)};

json_t *ip_vignette_json(const ip_vignette *vignette) { return ip_record_json(fields, IP_COUNT(fields), vignette); }

ipos_status ip_vignette_parse(const json_t *value, ip_vignette *out) {
    *out = (ip_vignette){0};
    bool two_terms = !json_object_get(value, "c"); /* as documents before the third term have it */
    return ip_record_parse(fields, IP_COUNT(fields) - two_terms, value, "vignette", out);
}
