#include "exr.h"

/* Written by put_required, whatever else they say. */
static const char *const own[] = {"channels", "compression", "dataWindow", "displayWindow", "lineOrder", "tiles", "chunkCount"};
static const char *const kept[] = {"pixelAspectRatio", "screenWindowCenter", "screenWindowWidth"};

static bool is_in(const char *name, const char *const *list, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, list[i]) == 0)
            return true;
    return false;
}

static const ip_attribute *typed(const ipos_frame *frame, const char *name, const char *type) {
    const ip_attribute *a = ip_frame_attribute(frame, name);
    return a && strcmp(a->type, type) == 0 ? a : NULL;
}

static void put_kept(ip_buffer *buffer, const ipos_frame *frame, const char *name, const char *type, const void *preset, size_t size) {
    const ip_attribute *a = typed(frame, name, type);
    ip_exr_put_attribute(buffer, name, type, a && a->size == size ? a->bytes : preset, size);
}

/* Attributes that every part must have and with the right type, or readers refuse the file. */
static void put_required(ip_buffer *buffer, const ipos_frame *frame, const ip_exr_part *part) {
    const uint8_t compression = (uint8_t)part->compression, line_order = (uint8_t)part->line_order;
    const float one = 1, center[2] = {0, 0};
    ip_exr_put_channels(buffer, part->channels, part->channel_count);
    ip_exr_put_attribute(buffer, "compression", "compression", &compression, 1);
    ip_exr_put_box(buffer, "dataWindow", &part->data);
    ip_exr_put_box(buffer, "displayWindow", &part->display);
    ip_exr_put_attribute(buffer, "lineOrder", "lineOrder", &line_order, 1);
    put_kept(buffer, frame, "pixelAspectRatio", "float", &one, 4);
    put_kept(buffer, frame, "screenWindowCenter", "v2f", center, 8);
    put_kept(buffer, frame, "screenWindowWidth", "float", &one, 4);
    if (part->tiled) {
        uint8_t tiles[9];
        memcpy(tiles, &part->tile_width, 4);
        memcpy(tiles + 4, &part->tile_height, 4);
        tiles[8] = part->tile_mode;
        ip_exr_put_attribute(buffer, "tiles", "tiledesc", tiles, sizeof tiles);
    }
}

static ipos_status check_value(const ip_attribute *a, const char *name) {
    static const char *const needed[][2] = {{"pixelAspectRatio", "float"}, {"screenWindowCenter", "v2f"}, {"screenWindowWidth", "float"},
        {"name", "string"}, {"type", "string"}};
    const size_t length = strlen(a->name), type = strlen(a->type);
    if (length < 1 || length > 255 || type < 1 || type > 255 || a->size > INT32_MAX)
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: attribute \"%.40s\" of type \"%.40s\" and %zu bytes does not fit into EXR", name, a->name, a->type, a->size);
    if (!ip_exr_value_ok(a->type, a->bytes, a->size))
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: attribute \"%s\" of type %s cannot have %zu bytes", name, a->name, a->type, a->size);
    for (size_t i = 0; i < IP_COUNT(needed); i++)
        if (strcmp(a->name, needed[i][0]) == 0 && strcmp(a->type, needed[i][1]) != 0)
            return ip_fail(IPOS_ERR_ARGUMENT, "%s: attribute \"%s\" must be of type %s, not %s", name, a->name, needed[i][1], a->type);
    return IPOS_OK;
}

static ipos_status put_part(ip_buffer *buffer, const ipos_frame *frame, const ip_exr_plan *plan, size_t index, bool multipart, const char *name) {
    const char *type = plan->part.tiled ? "tiledimage" : "scanlineimage";
    put_required(buffer, frame, &plan->part);
    for (size_t i = 0; i < frame->attribute_count; i++) {
        const ip_attribute *a = &frame->attributes[i];
        if (is_in(a->name, own, IP_COUNT(own)))
            continue;
        IP_TRY(check_value(a, name));
        if (is_in(a->name, kept, IP_COUNT(kept)))
            continue;
        if (strcmp(a->name, "type") == 0)
            ip_exr_put_attribute(buffer, "type", "string", type, strlen(type));
        else if (strcmp(a->name, "dwaCompressionLevel") == 0 && strcmp(a->type, "float") == 0 && plan->new_level)
            ip_exr_put_attribute(buffer, a->name, a->type, &plan->dwa_level, 4);
        else
            ip_exr_put_attribute(buffer, a->name, a->type, a->bytes, a->size);
    }
    if (multipart) {
        const int32_t chunks = (int32_t)plan->part.chunk_count;
        char made[32];
        snprintf(made, sizeof made, "part%zu", index);
        if (!typed(frame, "name", "string"))
            ip_exr_put_attribute(buffer, "name", "string", made, strlen(made));
        if (!typed(frame, "type", "string"))
            ip_exr_put_attribute(buffer, "type", "string", type, strlen(type));
        ip_exr_put_attribute(buffer, "chunkCount", "int", &chunks, 4);
    }
    ip_buffer_add(buffer, "", 1);
    return IPOS_OK;
}

static bool same(const ip_attribute *a, const ip_attribute *b) {
    return (!a && !b) || (a && b && a->size == b->size && strcmp(a->type, b->type) == 0 && memcmp(a->bytes, b->bytes, a->size) == 0);
}

/* Parts of one file must have names of their own and agree on what concerns the whole picture, or readers refuse the file. */
static ipos_status check_parts(ipos_frame *const *frames, size_t count, const char *name) {
    static const char *const shared[] = {"pixelAspectRatio", "timeCode", "chromaticities"};
    for (size_t i = 1; i < count; i++) {
        if (memcmp(&frames[i]->display_window, &frames[0]->display_window, sizeof(ipos_box)) != 0)
            return ip_fail(IPOS_ERR_ARGUMENT, "%s: parts 0 and %zu have different display windows", name, i);
        for (size_t k = 0; k < IP_COUNT(shared); k++)
            if (!same(ip_frame_attribute(frames[0], shared[k]), ip_frame_attribute(frames[i], shared[k])))
                return ip_fail(IPOS_ERR_ARGUMENT, "%s: parts 0 and %zu have different %s", name, i, shared[k]);
        for (size_t k = 0; k < i; k++) {
            const ip_attribute *a = typed(frames[i], "name", "string");
            if (a && same(a, typed(frames[k], "name", "string")))
                return ip_fail(IPOS_ERR_ARGUMENT, "%s: parts %zu and %zu are both called \"%.*s\"", name, k, i, (int)IP_MIN(a->size, (size_t)80),
                    (const char *)a->bytes);
        }
    }
    return IPOS_OK;
}

static bool long_names(ipos_frame *const *frames, size_t count) {
    for (size_t f = 0; f < count; f++) {
        for (size_t i = 0; i < frames[f]->channel_count; i++)
            if (strlen(frames[f]->channels[i].name) > 31)
                return true;
        for (size_t i = 0; i < frames[f]->attribute_count; i++)
            if (strlen(frames[f]->attributes[i].name) > 31 || strlen(frames[f]->attributes[i].type) > 31)
                return true;
    }
    return false;
}

ipos_status ip_exr_put_headers(ipos_frame *const *frames, const ip_exr_plan *plans, size_t count, const char *name, ip_buffer *buffer) {
    const bool multipart = count > 1;
    const uint32_t lead[2] = {20000630u, 2u | (long_names(frames, count) ? IP_EXR_LONG_NAMES : 0u) |
        (multipart ? IP_EXR_MULTIPART : plans[0].part.tiled ? IP_EXR_TILED : 0u)};
    if (multipart)
        IP_TRY(check_parts(frames, count, name));
    ip_buffer_add(buffer, lead, sizeof lead);
    for (size_t i = 0; i < count; i++)
        IP_TRY(put_part(buffer, frames[i], &plans[i], i, multipart, name));
    if (multipart)
        ip_buffer_add(buffer, "", 1);
    return buffer->failed ? IPOS_ERR_NO_MEMORY : IPOS_OK;
}
