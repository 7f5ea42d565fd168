#include "color.h"
#include "cuts.h"
#include <math.h>

#define SAMPLES_X 8 /* samples a block, spread over it */
#define SAMPLES_Y 4
#define BLOCK (SAMPLES_X * SAMPLES_Y)

static float sample(const ip_channel *channel, int32_t x, int32_t y)
{
    const uint8_t *at = channel->data + (y / channel->ys) * channel->row_stride + (x / channel->xs) * channel->pixel_stride;
    union {
        uint8_t b[4];
        uint16_t half;
        float single;
        uint32_t word;
    } value;

    memcpy(value.b, at, ip_sample_bytes(channel->type));
    switch (channel->type) {
    case IPOS_U8:
        return (float)value.b[0] * (1.0f / 255.0f);
    case IPOS_U16:
        return (float)value.half * (1.0f / 65535.0f);
    case IPOS_F16:
        return ip_half_to_float(value.half);
    case IPOS_F32:
        return value.single;
    default:
        return (float)value.word;
    }
}

/* One block's samples of one channel; outside the data window there is nothing: 0. */
static void block_samples(const ipos_frame *frame, int channel, int bx, int by, float out[BLOCK])
{
    const ipos_box *display = &frame->display_window, *data = &frame->data_window;
    const ip_channel *from = &frame->channels[channel];

    for (int i = 0; i < BLOCK; i++) {
        int64_t u = (int64_t)bx * SAMPLES_X + i % SAMPLES_X, v = (int64_t)by * SAMPLES_Y + i / SAMPLES_X;
        int64_t x = display->x + (2 * u + 1) * display->width / (2 * IP_THUMB_W * SAMPLES_X) - data->x;
        int64_t y = display->y + (2 * v + 1) * display->height / (2 * IP_THUMB_H * SAMPLES_Y) - data->y;
        bool inside = x >= 0 && y >= 0 && x / from->xs < from->width && y / from->ys < from->height;
        out[i] = inside ? sample(from, (int32_t)x, (int32_t)y) : 0;
    }
}

ipos_status ip_thumb_make(const ipos_frame *frame, const char *encoding, uint16_t out[IP_THUMB_SIZE])
{
    static const float weights[3] = {0.2126f, 0.7152f, 0.0722f};
    const ip_encoding *known = ip_encoding_find(encoding);
    int rgb[3] = {0, 0, 0};

    if (!known)
        return ip_fail(IPOS_ERR_ARGUMENT, "encoding \"%s\": unknown, expected one of %s", encoding, ip_encoding_names());
    if (frame->channel_count == 0)
        return ip_fail(IPOS_ERR_FORMAT, "a frame without channels");
    /* A file without colour still has frames to tell apart: its first channel will do. */
    if (!ip_frame_color_channels(frame, rgb))
        rgb[0] = rgb[1] = rgb[2] = 0;
    bool grey = rgb[0] == rgb[1] && rgb[1] == rgb[2];
    for (int block = 0; block < IP_THUMB_SIZE; block++) {
        double luma = 0;
        for (int c = 0; c < (grey ? 1 : 3); c++) {
            float values[BLOCK];
            block_samples(frame, rgb[c], block % IP_THUMB_W, block / IP_THUMB_W, values);
            ip_to_working(known, values, BLOCK);
            double sum = 0;
            for (int i = 0; i < BLOCK; i++)
                sum += isfinite(values[i]) ? IP_MIN(IP_MAX(values[i], -1.0f), 4.0f) : 0;
            luma += sum / BLOCK * (grey ? 1.0 : (double)weights[c]);
        }
        out[block] = (uint16_t)(IP_MIN(IP_MAX(luma, 0.0), 1.9999) * IP_THUMB_ONE + 0.5);
    }
    return IPOS_OK;
}
