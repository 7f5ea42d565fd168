/* Raw frames: which layout to ask ffmpeg for, and that layout into planes. */
#include "ffmpeg.h"

/* Depths for which ffmpeg has planar RGB and grey formats of its own, so that no sample is rescaled on the way. */
static bool native_depth(int bits, bool rgb, bool alpha) {
    if (rgb && alpha)
        return bits == 10 || bits == 12;
    return rgb ? bits == 9 || bits == 10 || bits == 12 || bits == 14 : bits == 9 || bits == 10 || bits == 12 || bits == 14;
}

ipos_status ip_raw_plan(const ip_probe *probe, const char *path, ip_raw *out) {
    memset(out, 0, sizeof *out);
    bool grey = probe->components <= 2 && !probe->rgb && !probe->palette;
    out->channels = (grey ? 1 : 3) + (probe->alpha ? 1 : 0);
    out->bytes = probe->bits > 8 ? 2 : 1;
    out->width = probe->width;
    out->height = probe->height;
    static const char *const formats[2][5] = {
        {"", "gray", "ya8", "rgb24", "rgba"}, {"", "gray16le", "ya16le", "rgb48le", "rgba64le"}};
    snprintf(out->made, sizeof out->made, "%s", formats[out->bytes - 1][out->channels]);
    if (out->bytes == 2 && native_depth(probe->bits, probe->rgb, probe->alpha) && (probe->rgb || out->channels == 1)) {
        out->replicate = probe->bits;
        out->planar = probe->rgb;
        snprintf(out->made, sizeof out->made, "%s%dle", probe->rgb ? (probe->alpha ? "gbrap" : "gbrp") : "gray", probe->bits);
    }
    out->pix_fmt = out->made;
    uint64_t bytes = (uint64_t)probe->width * (uint64_t)probe->height * (uint64_t)(out->channels * out->bytes);
    if (bytes > SIZE_MAX / 4)
        return ip_fail(IPOS_ERR_NO_MEMORY, "%s: pictures of %d x %d are too large", path, probe->width, probe->height);
    out->frame_bytes = (size_t)bytes;
    return IPOS_OK;
}

static const char *const channel_names[5][4] = {{0}, {"Y"}, {"Y", "A"}, {"R", "G", "B"}, {"R", "G", "B", "A"}};

ipos_status ip_raw_header(const ip_raw *raw, const ip_probe *probe, ip_image_header *header) {
    header->parts = 1;
    header->data_window = (ipos_box){0, 0, raw->width, raw->height};
    header->display_window = header->data_window;
    for (int i = 0; i < raw->channels; i++)
        IP_TRY(ip_header_add_channel(header, channel_names[raw->channels][i], raw->bytes == 2 ? IPOS_U16 : IPOS_U8, 1, 1));
    snprintf(header->encoding, sizeof header->encoding, "%s", probe->encoding);
    if (probe->pixel_aspect > 0) {
        float aspect = (float)probe->pixel_aspect;
        IP_TRY(ip_header_set_attribute(header, "pixelAspectRatio", "float", &aspect, sizeof aspect));
    }
    return IPOS_OK;
}

static void unpack_u8(const uint8_t *from, size_t step, const ip_channel *channel) {
    for (int32_t y = 0; y < channel->height; y++) {
        uint8_t *to = channel->data + (ptrdiff_t)y * channel->row_stride;
        for (int32_t x = 0; x < channel->width; x++, from += step, to += channel->pixel_stride)
            *to = *from;
    }
}

/* bits 0: samples as they are; else their top bits repeat below, so that the shift back gives the stored value. */
static void unpack_u16(const uint8_t *from, size_t step, int bits, const ip_channel *channel) {
    int up = bits ? 16 - bits : 0, down = bits ? 2 * bits - 16 : 0;
    for (int32_t y = 0; y < channel->height; y++) {
        uint8_t *to = channel->data + (ptrdiff_t)y * channel->row_stride;
        for (int32_t x = 0; x < channel->width; x++, from += step, to += channel->pixel_stride) {
            uint16_t v = (uint16_t)(from[0] | from[1] << 8);
            if (up)
                v = (uint16_t)(v << up | v >> down);
            memcpy(to, &v, 2);
        }
    }
}

void ip_raw_unpack(const ip_raw *raw, const uint8_t *bytes, ipos_frame *frame) {
    static const int gbr[4] = {2, 0, 1, 3}; /* plane of R, G, B, A */
    size_t pixels = (size_t)raw->width * (size_t)raw->height;
    for (int c = 0; c < raw->channels; c++) {
        const uint8_t *from = bytes + (raw->planar ? (size_t)gbr[c] * pixels : (size_t)c) * (size_t)raw->bytes;
        size_t step = (size_t)(raw->planar ? 1 : raw->channels) * (size_t)raw->bytes;
        if (raw->bytes == 1)
            unpack_u8(from, step, &frame->channels[c]);
        else
            unpack_u16(from, step, raw->replicate, &frame->channels[c]);
    }
}
