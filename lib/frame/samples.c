/* Samples of any type to and from floats. Whatever the stride, the work is done on packed runs, which the compiler vectorises. */
#include "color.h"
#include "frame.h"

enum { RUN = 1024 };

static const struct {
    size_t bytes;
    const char *name;
} kinds[] = {[IPOS_U8] = {1, "u8"}, [IPOS_U16] = {2, "u16"}, [IPOS_F16] = {2, "f16"}, [IPOS_F32] = {4, "f32"}, [IPOS_U32] = {4, "u32"}};

size_t ip_sample_bytes(int32_t type)
{
    return type >= IPOS_U8 && type <= IPOS_U32 ? kinds[type].bytes : 0;
}

const char *ip_sample_name(int32_t type)
{
    return type >= IPOS_U8 && type <= IPOS_U32 ? kinds[type].name : "unknown sample type";
}

void ip_samples_gather(size_t bytes, const void *data, ptrdiff_t stride, void *packed, size_t n)
{
    const uint8_t *from = data;
    uint8_t *to = packed;
    if (stride == (ptrdiff_t)bytes) {
        memcpy(to, from, n * bytes);
        return;
    }
    switch (bytes) { /* known sizes make single moves of the copies */
    case 1:
        for (size_t i = 0; i < n; i++, from += stride)
            to[i] = *from;
        break;
    case 2:
        for (size_t i = 0; i < n; i++, from += stride)
            memcpy(to + 2 * i, from, 2);
        break;
    default:
        for (size_t i = 0; i < n; i++, from += stride)
            memcpy(to + 4 * i, from, 4);
    }
}

void ip_samples_scatter(size_t bytes, const void *packed, void *data, ptrdiff_t stride, size_t n)
{
    const uint8_t *from = packed;
    uint8_t *to = data;
    if (stride == (ptrdiff_t)bytes) {
        memcpy(to, from, n * bytes);
        return;
    }
    switch (bytes) {
    case 1:
        for (size_t i = 0; i < n; i++, to += stride)
            *to = from[i];
        break;
    case 2:
        for (size_t i = 0; i < n; i++, to += stride)
            memcpy(to, from + 2 * i, 2);
        break;
    default:
        for (size_t i = 0; i < n; i++, to += stride)
            memcpy(to, from + 4 * i, 4);
    }
}

/* in may lie at any address, so halves and words are copied into the run first. */
static void run_to_float(int32_t type, const uint8_t *in, float *out, size_t n)
{
    uint16_t words[RUN];
    switch (type) {
    case IPOS_U8:
        for (size_t i = 0; i < n; i++)
            out[i] = (float)in[i] / 255.0f; /* divided, so that the maximum is exactly 1 */
        break;
    case IPOS_U16:
        memcpy(words, in, 2 * n);
        for (size_t i = 0; i < n; i++)
            out[i] = (float)words[i] / 65535.0f;
        break;
    case IPOS_F16:
        memcpy(words, in, 2 * n);
        ip_halves_to_floats(words, out, n);
        break;
    default:
        memcpy(out, in, 4 * n);
    }
}

void ip_samples_to_float(int32_t type, const void *data, ptrdiff_t stride, float *out, size_t n)
{
    uint8_t packed[RUN * 4];
    const uint8_t *from = data;
    size_t bytes = ip_sample_bytes(type);
    for (size_t done = 0; done < n; done += RUN) {
        size_t run = IP_MIN(n - done, (size_t)RUN);
        const uint8_t *in = from + (ptrdiff_t)done * stride;
        if (stride != (ptrdiff_t)bytes) {
            ip_samples_gather(bytes, in, stride, packed, run);
            in = packed;
        }
        run_to_float(type, in, out + done, run);
    }
}

/* NaN becomes 0 in integers and stays NaN in halves. */
static void run_from_float(int32_t type, const float *in, uint8_t *packed, size_t n)
{
    uint16_t words[RUN];
    float clamped[RUN];
    switch (type) {
    case IPOS_U8:
        for (size_t i = 0; i < n; i++) {
            float v = in[i] > 0 ? in[i] : 0;
            packed[i] = (uint8_t)(int32_t)((v < 1 ? v : 1) * 255.0f + 0.5f);
        }
        return;
    case IPOS_U16:
        for (size_t i = 0; i < n; i++) {
            float v = in[i] > 0 ? in[i] : 0;
            words[i] = (uint16_t)(int32_t)((v < 1 ? v : 1) * 65535.0f + 0.5f);
        }
        break;
    case IPOS_F16:
        for (size_t i = 0; i < n; i++) {
            float v = in[i] < -65504.0f ? -65504.0f : in[i];
            clamped[i] = v > 65504.0f ? 65504.0f : v;
        }
        ip_floats_to_halves(clamped, words, n);
        break;
    default:
        memcpy(packed, in, 4 * n);
        return;
    }
    memcpy(packed, words, 2 * n);
}

void ip_samples_from_float(int32_t type, const float *in, void *data, ptrdiff_t stride, size_t n)
{
    uint8_t packed[RUN * 4];
    uint8_t *to = data;
    size_t bytes = ip_sample_bytes(type);
    for (size_t done = 0; done < n; done += RUN) {
        size_t run = IP_MIN(n - done, (size_t)RUN);
        uint8_t *out = to + (ptrdiff_t)done * stride;
        if (stride == (ptrdiff_t)bytes)
            run_from_float(type, in + done, out, run);
        else {
            run_from_float(type, in + done, packed, run);
            ip_samples_scatter(bytes, packed, out, stride, run);
        }
    }
}

ipos_status ip_channel_to_float(const ip_channel *channel, float *out)
{
    if (channel->type == IPOS_U32)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "channel \"%s\": u32 samples are ids, which are never filtered; leave the channel out", channel->name);
    for (int32_t y = 0; y < channel->height; y++)
        ip_samples_to_float(channel->type, channel->data + y * channel->row_stride, channel->pixel_stride,
            out + (size_t)y * (size_t)channel->width, (size_t)channel->width);
    return IPOS_OK;
}

void ip_channel_from_float(const ip_channel *channel, const float *in)
{
    if (channel->type == IPOS_U32)
        return;
    for (int32_t y = 0; y < channel->height; y++)
        ip_samples_from_float(channel->type, in + (size_t)y * (size_t)channel->width, channel->data + y * channel->row_stride,
            channel->pixel_stride, (size_t)channel->width);
}
