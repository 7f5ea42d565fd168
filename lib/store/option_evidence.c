/* Evidence maps as the project keeps them. */
#include "catalogue.h"

static ipos_status half_channel(const ip_channel *from, ip_channel *to)
{
    size_t n = (size_t)from->width * (size_t)from->height;
    float *values = ip_alloc(IP_MAX(n, (size_t)1) * sizeof *values);
    ipos_status status = values ? ip_channel_to_float(from, values) : ip_no_memory(n * sizeof *values);
    const float most = from->type == IPOS_U8 ? 255.0f : from->type == IPOS_U16 ? 65535.0f : 1.0f;

    /* Classes 0..3 are numbers, not fractions of the integer's range. */
    if (status == IPOS_OK && strcmp(from->name, "evidence") == 0)
        for (size_t k = 0; k < n; k++)
            values[k] *= most;
    if (status == IPOS_OK)
        ip_channel_from_float(to, values);
    ip_free(values);
    return status;
}

/* Layers in full floats (depth, normals) are for other tools and stay so. */
static int32_t kept_type(const ip_channel *channel)
{
    return channel->type == IPOS_F32 && strchr(channel->name, '.') ? IPOS_F32 : IPOS_F16;
}

ipos_status ip_evidence_half(const ipos_frame *evidence, ipos_frame **out)
{
    static const char *const needed[] = {"confidence", "evidence"};
    const size_t count = evidence->channel_count;

    *out = NULL;
    for (size_t i = 0; i < IP_COUNT(needed); i++)
        if (ipos_frame_find_channel(evidence, needed[i]) < 0)
            return ip_fail(IPOS_ERR_ARGUMENT, "evidence map: channel \"%s\" is missing", needed[i]);
    ipos_channel *channels = ip_calloc(count, sizeof *channels);
    if (!channels)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        channels[i] = (ipos_channel){evidence->channels[i].name, kept_type(&evidence->channels[i]), evidence->channels[i].xs, evidence->channels[i].ys};
    ipos_status status = ip_frame_new(&evidence->data_window, &evidence->display_window, channels, count, NULL, NULL, out);
    ip_free(channels);
    for (size_t i = 0; i < count && status == IPOS_OK; i++) {
        int64_t to = ipos_frame_find_channel(*out, evidence->channels[i].name);
        status = to < 0 ? ip_fail(IPOS_ERR_ARGUMENT, "evidence map: channel \"%s\" cannot be kept", evidence->channels[i].name)
                        : half_channel(&evidence->channels[i], &(*out)->channels[to]);
    }
    if (status == IPOS_OK)
        status = ipos_frame_set_encoding(*out, "data");
    if (status != IPOS_OK) {
        ipos_frame_release(*out);
        *out = NULL;
    }
    return status;
}
