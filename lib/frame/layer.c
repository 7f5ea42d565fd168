/* Which channels an operation works on. */
#include "frame.h"

/* The channel layer + letter, never one of ids. */
static int find_in_layer(const ipos_frame *frame, const char *layer, size_t size, char letter)
{
    for (size_t i = 0; i < frame->channel_count; i++) {
        const char *name = frame->channels[i].name;
        if (strncmp(name, layer, size) == 0 && name[size] == letter && name[size + 1] == 0 && frame->channels[i].type != IPOS_U32)
            return (int)i;
    }
    return -1;
}

static bool find_triple(const ipos_frame *frame, const char *layer, size_t size, int rgb[3])
{
    for (int i = 0; i < 3; i++)
        rgb[i] = find_in_layer(frame, layer, size, "RGB"[i]);
    return rgb[0] >= 0 && rgb[1] >= 0 && rgb[2] >= 0;
}

bool ip_frame_color_channels(const ipos_frame *frame, int rgb[3])
{
    if (find_triple(frame, "", 0, rgb))
        return true;
    rgb[0] = rgb[1] = rgb[2] = find_in_layer(frame, "", 0, 'Y');
    if (rgb[0] >= 0)
        return true;
    for (size_t i = 0; i < frame->channel_count; i++) {
        const char *name = frame->channels[i].name, *dot = strrchr(name, '.');
        if (dot && find_triple(frame, name, (size_t)(dot - name) + 1, rgb))
            return true;
    }
    rgb[0] = rgb[1] = rgb[2] = -1;
    return false;
}
