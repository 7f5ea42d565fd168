/* A picture for people: where the suns stand and what is taken for shadow. */
#include "relight_op.h"

#include <math.h>

static void put(const ip_image3 *light, const ip_plane_f *drawn, int x, int y, const float rgb[3], float cover) {
    if (x < 0 || y < 0 || x >= drawn->width || y >= drawn->height)
        return;
    for (int c = 0; c < 3; c++) {
        float *value = &ip_row(&light->c[c], y)[x];
        *value = (1 - cover) * (isfinite(*value) ? *value : 0) + cover * rgb[c];
    }
    ip_row(drawn, y)[x] = 1;
}

static void disk(const ip_image3 *light, const ip_plane_f *drawn, float cx, float cy, float radius, const float rgb[3], bool ring) {
    for (int y = (int)(cy - radius) - 1; y <= (int)(cy + radius) + 1; y++)
        for (int x = (int)(cx - radius) - 1; x <= (int)(cx + radius) + 1; x++) {
            float away = hypotf((float)x + .5f - cx, (float)y + .5f - cy);
            if (away <= radius && (!ring || away >= .7f * radius))
                put(light, drawn, x, y, rgb, 1);
        }
}

static void line(const ip_image3 *light, const ip_plane_f *drawn, float x0, float y0, float x1, float y1, float half, const float rgb[3]) {
    int steps = (int)(hypotf(x1 - x0, y1 - y0) * 2) + 1;
    for (int i = 0; i <= steps; i++)
        disk(light, drawn, x0 + (x1 - x0) * (float)i / (float)steps, y0 + (y1 - y0) * (float)i / (float)steps, half, rgb, false);
}

/* The sun itself where it is in the picture; and an arrow on the ground the way its shadows fall: that of a post in front of the camera. */
static void draw_sun(const ir_settings *settings, const double toward[3], float horizon, const ip_image3 *light, const ip_plane_f *drawn, float foot,
    const float rgb[3]) {
    float width = (float)drawn->width, height = (float)drawn->height, focal = (settings->focal > 0 ? settings->focal : .9f) * width;
    float unit = ip_relight_unit(drawn->width), cx = width / 2, cy = horizon * height;
    if (toward[2] > .05)
        disk(light, drawn, cx + focal * (float)(toward[0] / toward[2]), cy - focal * (float)(toward[1] / toward[2]), 16 * unit, rgb, false);
    /* A post of 1.7 m, 6 m away, and the end of its shadow, on the ground 1.7 m below the eye. */
    double away = 6, size = settings->camera_height, post = .5 * size, reach = fmin(post / fmax(toward[1], .12), 2.5), flat = hypot(toward[0], toward[2]);
    double ex = flat > 1e-6 ? -toward[0] / flat * reach : 0, ez = away + (flat > 1e-6 ? -toward[2] / flat * reach : 0);
    float x0 = cx + foot * width, y0 = cy + focal * (float)(size / away), x1 = cx + foot * width + focal * (float)(ex / fmax(ez, 1)),
          y1 = cy + focal * (float)(size / fmax(ez, 1));
    line(light, drawn, x0, y0, x0, y0 - focal * (float)(post / away), 1.5f * unit, rgb);
    line(light, drawn, x0, y0, x1, y1, 2.5f * unit, rgb);
    disk(light, drawn, x1, y1, 5 * unit, rgb, false);
}

void ir_draw_sun(const ir_settings *settings, float horizon, const ip_surface *surface, const ip_image3 *light, const ip_plane_f *drawn) {
    static const float blue[3] = {.1f, .35f, 1}, orange[3] = {1, .3f, .02f}, white[3] = {.9f, .9f, .9f};
    float sx = (float)surface->sky.width / (float)drawn->width, sy = (float)surface->sky.height / (float)drawn->height;
    for (int y = 0; y < drawn->height; y++)
        for (int x = 0; x < drawn->width; x++) {
            float px = ((float)x + .5f) * sx - .5f, py = ((float)y + .5f) * sy - .5f;
            float old = 1 - ip_sample_linear(&surface->seen[IP_OLD_SUN], px, py), now = 1 - ip_sample_linear(&surface->seen[IP_NEW_SUN], px, py);
            if (old > .5f)
                put(light, drawn, x, y, blue, .45f);
            if (now > .5f)
                put(light, drawn, x, y, orange, .45f);
        }
    float unit = ip_relight_unit(drawn->width);
    for (int x = 0; x < drawn->width; x++)
        if (x / (int)(8 * unit + 1) % 2)
            disk(light, drawn, (float)x + .5f, horizon * (float)drawn->height, fmaxf(.8f * unit, .8f), white, false);
    draw_sun(settings, settings->pair.old.toward, horizon, light, drawn, -.06f, blue);
    draw_sun(settings, settings->pair.now.toward, horizon, light, drawn, .06f, orange);
}
