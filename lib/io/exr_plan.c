#include "exr.h"
#include <stdlib.h>

/* Frame channel with its place, for sorting by name as EXR wants it. */
typedef struct placed {
    const ip_channel *channel;
    size_t index;
} placed;

static int by_name(const void *a, const void *b) {
    return strcmp(((const placed *)a)->channel->name, ((const placed *)b)->channel->name);
}

static ipos_status convert_channel(const ip_channel *channel, const ipos_box *window, const char *name, ip_exr_channel *out) {
    *out = (ip_exr_channel){.name = channel->name, .xs = channel->xs, .ys = channel->ys};
    switch (channel->type) {
    case IPOS_F16: out->type = IP_EXR_HALF; break;
    case IPOS_F32: out->type = IP_EXR_FLOAT; break;
    case IPOS_U32: out->type = IP_EXR_UINT; break;
    default:
        return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: channel \"%s\" is %s, EXR holds f16, f32 and u32: convert the frame first", name, channel->name,
            ip_sample_name(channel->type));
    }
    const size_t length = strlen(channel->name);
    if (length < 1 || length > 255)
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: a channel name of %zu bytes, EXR takes 1 to 255", name, length);
    if (window->x % channel->xs || window->width % channel->xs || window->y % channel->ys || window->height % channel->ys)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: channel \"%s\" is sampled every %d x %d pixels, which the data window is no multiple of", name,
            channel->name, channel->xs, channel->ys);
    return IPOS_OK;
}

static ipos_status plan_channels(const ipos_frame *frame, const char *name, ip_exr_plan *plan) {
    ip_exr_part *part = &plan->part;
    const size_t n = frame->channel_count;
    placed *sorted = ip_calloc(n, sizeof *sorted);
    part->channels = ip_calloc(n, sizeof *part->channels);
    plan->order = ip_calloc(n, sizeof *plan->order);
    ipos_status status = sorted && part->channels && plan->order ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; status == IPOS_OK && i < n; i++)
        sorted[i] = (placed){&frame->channels[i], i};
    if (status == IPOS_OK)
        qsort(sorted, n, sizeof *sorted, by_name);
    for (size_t i = 0; status == IPOS_OK && i < n; i++) {
        plan->order[i] = sorted[i].index;
        if (i > 0 && strcmp(sorted[i].channel->name, sorted[i - 1].channel->name) == 0)
            status = ip_fail(IPOS_ERR_ARGUMENT, "%s: two channels are called \"%s\"", name, sorted[i].channel->name);
        else
            status = convert_channel(sorted[i].channel, &frame->data_window, name, &part->channels[i]);
    }
    part->channel_count = n;
    ip_free(sorted);
    return status;
}

/* pLinear, as the file the frame came from had it. */
static void plan_linear(const ipos_frame *frame, ip_exr_part *part) {
    const ip_attribute *a = ip_frame_attribute(frame, "channels");
    ip_exr_channel *channels = NULL;
    size_t count = 0;
    if (!a || strcmp(a->type, "chlist") != 0 || ip_exr_parse_channels(a->bytes, a->size, "channels", &channels, &count) != IPOS_OK)
        return;
    for (size_t i = 0; i < part->channel_count; i++)
        for (size_t k = 0; k < count; k++)
            if (strcmp(part->channels[i].name, channels[k].name) == 0)
                part->channels[i].linear = channels[k].linear;
    ip_free(channels);
}

static ipos_status plan_compression(const ipos_frame *frame, const ipos_write_config *config, const char *name, ip_exr_plan *plan) {
    const ip_attribute *a = ip_frame_attribute(frame, "compression");
    plan->part.compression = IP_EXR_ZIP;
    if (config->compression) {
        plan->part.compression = ip_exr_compression_of(config->compression);
        if (plan->part.compression < 0)
            return ip_fail(IPOS_ERR_ARGUMENT, "%s: compression \"%s\" is unknown, expected none, rle, zips, zip, piz, pxr24, b44, b44a, dwaa or dwab",
                name, config->compression);
    } else if (a && strcmp(a->type, "compression") == 0 && a->size == 1 && a->bytes[0] <= IP_EXR_DWAB) {
        plan->part.compression = a->bytes[0];
    }
    a = ip_frame_attribute(frame, "dwaCompressionLevel");
    plan->dwa_level = 45;
    plan->new_level = config->dwa_level > 0;
    if (plan->new_level)
        plan->dwa_level = config->dwa_level;
    else if (a && strcmp(a->type, "float") == 0 && a->size == 4)
        memcpy(&plan->dwa_level, a->bytes, 4);
    return plan->dwa_level >= 0 && plan->dwa_level < 1e9f ? IPOS_OK : ip_fail(IPOS_ERR_ARGUMENT, "%s: dwa_level out of range", name);
}

static bool text_is(const ip_attribute *a, const char *text) {
    return a && strcmp(a->type, "string") == 0 && a->size == strlen(text) && memcmp(a->bytes, text, a->size) == 0;
}

static ipos_status plan_tiles(const ipos_frame *frame, const ipos_write_config *config, const char *name, ip_exr_part *part) {
    const ip_attribute *a = ip_frame_attribute(frame, "tiles");
    const bool as_read = a && strcmp(a->type, "tiledesc") == 0 && a->size == 9 && !text_is(ip_frame_attribute(frame, "type"), "scanlineimage");
    bool subsampled = false;
    for (size_t i = 0; i < part->channel_count; i++)
        subsampled = subsampled || part->channels[i].xs > 1 || part->channels[i].ys > 1;
    if (config->tile_width < 0 || config->tile_height < 0)
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: tiles of %d x %d", name, config->tile_width, config->tile_height);
    if (config->tile_width > 0 || config->tile_height > 0) {
        if (subsampled)
            return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: EXR tiles cannot hold subsampled channels", name);
        part->tile_width = (uint32_t)(config->tile_width ? config->tile_width : config->tile_height);
        part->tile_height = (uint32_t)(config->tile_height ? config->tile_height : config->tile_width);
    } else if (as_read && !subsampled) {
        memcpy(&part->tile_width, a->bytes, 4);
        memcpy(&part->tile_height, a->bytes + 4, 4);
        part->tile_mode = a->bytes[8] & 0x10; /* smaller levels are not kept; the rounding mode is */
    }
    part->tiled = part->tile_width > 0 && part->tile_height > 0;
    return part->tile_width <= INT32_MAX / 2 && part->tile_height <= INT32_MAX / 2 ? IPOS_OK
        : ip_fail(IPOS_ERR_ARGUMENT, "%s: tiles of %u x %u", name, part->tile_width, part->tile_height);
}

static bool window_ok(const ipos_box *box) {
    const int64_t far = INT32_MAX / 2;
    return box->width > 0 && box->height > 0 && box->x >= -far && box->y >= -far && (int64_t)box->x + box->width - 1 <= far &&
        (int64_t)box->y + box->height - 1 <= far;
}

ipos_status ip_exr_plan_make(const ipos_frame *frame, const ipos_write_config *config, const char *name, ip_exr_plan *plan) {
    ip_exr_part *part = &plan->part;
    memset(plan, 0, sizeof *plan);
    part->data = frame->data_window;
    part->display = frame->display_window;
    if (!window_ok(&part->data) || !window_ok(&part->display))
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: EXR windows lie within +-%d", name, INT32_MAX / 2);
    IP_TRY(plan_channels(frame, name, plan));
    plan_linear(frame, part);
    IP_TRY(plan_compression(frame, config, name, plan));
    IP_TRY(plan_tiles(frame, config, name, part));
    const ip_attribute *a = ip_frame_attribute(frame, "lineOrder");
    if (a && strcmp(a->type, "lineOrder") == 0 && a->size == 1 && (a->bytes[0] <= IP_EXR_DECREASING || (part->tiled && a->bytes[0] == IP_EXR_RANDOM)))
        part->line_order = a->bytes[0];
    part->chunk_count = ip_exr_level_chunks(part);
    if (part->chunk_count > INT32_MAX || ip_exr_largest_chunk(part) > (uint64_t)1 << 30)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: too large for EXR chunks: choose other tiles", name);
    return IPOS_OK;
}

void ip_exr_plan_free(ip_exr_plan *plan) {
    ip_free(plan->part.channels);
    ip_free(plan->order);
    memset(plan, 0, sizeof *plan);
}
