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
    /* A post, and the end of its shadow, on the ground below the eye: 6 m away, or as far as it takes for its foot to be well in the picture. */
    double size = settings->camera_height, room = .8 * (double)height - (double)cy, away = room > 0 ? fmax(6, (double)focal * size / room) : 6;
    double post = .5 * size * away / 6, reach = fmin(post / fmax(toward[1], .12), 2.5 * away / 6), flat = hypot(toward[0], toward[2]);
    double ex = flat > 1e-6 ? -toward[0] / flat * reach : 0, ez = away + (flat > 1e-6 ? -toward[2] / flat * reach : 0);
    float x0 = cx + foot * width, y0 = cy + focal * (float)(size / away), x1 = cx + foot * width + focal * (float)(ex / fmax(ez, 1)),
          y1 = cy + focal * (float)(size / fmax(ez, 1));
    line(light, drawn, x0, y0, x0, y0 - focal * (float)(post / away), 1.5f * unit, rgb);
    line(light, drawn, x0, y0, x1, y1, 2.5f * unit, rgb);
    disk(light, drawn, x1, y1, 5 * unit, rgb, false);
}

/* A shadow, its outline in full colour so that it shows on whatever it lies. seen: of the analysis' size, sx and sy of its pixels in one of the picture. */
static void draw_shade(const ip_plane_f *seen, float sx, float sy, const ip_image3 *light, const ip_plane_f *drawn, const float rgb[3]) {
    int step = ip_relight_pixels(drawn->width, 1);
    for (int y = 0; y < drawn->height; y++)
        for (int x = 0; x < drawn->width; x++) {
            bool in[3];
            for (int k = 0; k < 3; k++)
                in[k] = ip_sample_linear(seen, ((float)(x + (k == 1 ? step : 0)) + .5f) * sx - .5f, ((float)(y + (k == 2 ? step : 0)) + .5f) * sy - .5f) < .5f;
            bool edge = in[0] != in[1] || in[0] != in[2];
            if (edge || in[0])
                put(light, drawn, x, y, rgb, edge ? .9f : .45f);
        }
}

void ir_draw_sun(const ir_settings *settings, float horizon, const ip_surface *surface, const ip_image3 *light, const ip_plane_f *drawn) {
    static const float blue[3] = {.1f, .35f, 1}, orange[3] = {1, .3f, .02f}, white[3] = {.9f, .9f, .9f};
    float sx = (float)surface->sky.width / (float)drawn->width, sy = (float)surface->sky.height / (float)drawn->height;
    draw_shade(&surface->seen[IP_OLD_SUN], sx, sy, light, drawn, blue);
    draw_shade(&surface->seen[IP_NEW_SUN], sx, sy, light, drawn, orange);
    float unit = ip_relight_unit(drawn->width);
    for (int x = 0; x < drawn->width; x++)
        if (x / (int)(8 * unit + 1) % 2)
            disk(light, drawn, (float)x + .5f, horizon * (float)drawn->height, fmaxf(.8f * unit, .8f), white, false);
    draw_sun(settings, settings->pair.old.toward, horizon, light, drawn, -.06f, blue);
    draw_sun(settings, settings->pair.now.toward, horizon, light, drawn, .06f, orange);
}
