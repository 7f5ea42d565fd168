#include "moving.h"

#include <math.h>
#include <stdlib.h>

int64_t moving_cut_at = 1000;

float moving_texture(double x, double y, int64_t number, int c) {
    double u = x - 3.0 * (double)number, v = y - 1.0 * (double)number;
    if (number >= moving_cut_at)
        u = x * 1.7 + y, v = y * .3 - 2 * x;
    return (float)(.5 + .2 * sin(u * .21 + c) + .15 * sin(v * .17 + u * .05) + .1 * sin((u + v) * .45 + 2 * c));
}

ipos_status moving_u8(int64_t number, ipos_frame **out) {
    static const ipos_channel channels[3] = {{"R", IPOS_U8, 1, 1}, {"G", IPOS_U8, 1, 1}, {"B", IPOS_U8, 1, 1}};
    ipos_box window = {0, 0, W, H};
    IP_TRY(ip_frame_new(&window, NULL, channels, 3, NULL, NULL, out));
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                (*out)->channels[c].data[y * (*out)->channels[c].row_stride + x * (*out)->channels[c].pixel_stride] =
                    (uint8_t)lrintf(255 * moving_texture(x, y, number, c));
    return ipos_frame_set_encoding(*out, "rec709");
}

/* Scene-linear with negatives and highlights far over 1. */
static float linear_value(double x, double y, int64_t number, int c) {
    float t = moving_texture(x, y, number, c);
    return t < .3f ? (t - .3f) * .2f : powf(t, 8) * 100;
}

ipos_status moving_exr(int64_t number, ipos_frame **out) {
    static const ipos_channel channels[6] = {{"A", IPOS_F16, 1, 1}, {"B", IPOS_F16, 1, 1}, {"G", IPOS_F16, 1, 1}, {"R", IPOS_F16, 1, 1},
        {"Z", IPOS_F32, 1, 1}, {"id", IPOS_U32, 1, 1}};
    ipos_box window = {-4 + (int)(number % 2), 2, W, H}, display = {0, 0, W + 8, H + 8};
    IP_TRY(ip_frame_new(&window, &display, channels, 6, NULL, NULL, out));
    float *line = malloc(W * H * sizeof *line);
    for (int i = 0; i < 5; i++) {
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                double px = x + window.x, py = y + window.y;
                line[y * W + x] = i == 0 ? 1 : i == 4 ? 1000 + 500 * moving_texture(px, py, number, 0) : linear_value(px, py, number, 3 - i);
            }
        ip_channel_from_float(&(*out)->channels[i], line);
    }
    free(line);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            uint32_t id = moving_texture(x + window.x, y + window.y, number, 0) > .5f ? 4000000001u : 7u;
            memcpy((*out)->channels[5].data + y * (*out)->channels[5].row_stride + x * (*out)->channels[5].pixel_stride, &id, sizeof id);
        }
    return ipos_frame_set_encoding(*out, "linear");
}
