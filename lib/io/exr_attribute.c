#include "exr.h"

static const struct {
    const char *type;
    size_t size;
} fixed[] = {
    {"box2f", 16}, {"box2i", 16}, {"chromaticities", 32}, {"compression", 1}, {"double", 8}, {"envmap", 1}, {"float", 4},
    {"int", 4}, {"keycode", 28}, {"lineOrder", 1}, {"m33d", 72}, {"m33f", 36}, {"m44d", 128}, {"m44f", 64}, {"rational", 8},
    {"tiledesc", 9}, {"timecode", 8}, {"v2d", 16}, {"v2f", 8}, {"v2i", 8}, {"v3d", 24}, {"v3f", 12}, {"v3i", 12},
};

static const char *const compressions[] = {"none", "rle", "zips", "zip", "piz", "pxr24", "b44", "b44a", "dwaa", "dwab"};

int ip_exr_compression_of(const char *name) {
    for (size_t i = 0; i < IP_COUNT(compressions); i++)
        if (strcmp(compressions[i], name) == 0)
            return (int)i;
    return -1;
}

const char *ip_exr_compression_name(int compression) {
    return compression >= 0 && (size_t)compression < IP_COUNT(compressions) ? compressions[compression] : "unknown";
}

static uint32_t get32(const uint8_t *bytes) {
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static bool strings_ok(const uint8_t *bytes, size_t size) {
    while (size > 0) {
        if (size < 4 || get32(bytes) > size - 4)
            return false;
        size_t step = 4 + (size_t)get32(bytes);
        bytes += step;
        size -= step;
    }
    return true;
}

bool ip_exr_value_ok(const char *type, const void *bytes, size_t size) {
    for (size_t i = 0; i < IP_COUNT(fixed); i++)
        if (strcmp(type, fixed[i].type) == 0)
            return size == fixed[i].size;
    if (strcmp(type, "floatvector") == 0)
        return size % 4 == 0;
    if (strcmp(type, "stringvector") == 0)
        return strings_ok(bytes, size);
    if (strcmp(type, "preview") == 0) {
        const uint8_t *b = bytes;
        return size >= 8 && (uint64_t)get32(b) * get32(b + 4) <= (SIZE_MAX - 8) / 4 && size - 8 == (uint64_t)get32(b) * get32(b + 4) * 4;
    }
    return true;
}

const char *ip_exr_shown(const char *name, char out[48]) {
    size_t n = 0;
    for (; name[n] && n < 47; n++)
        out[n] = (char)(name[n] >= ' ' && name[n] < 127 ? name[n] : '?');
    out[n] = 0;
    return out;
}

/* chlist: {name, 0, int type, u8 pLinear, 3 bytes, int xs, int ys}... 0 */
ipos_status ip_exr_parse_channels(const uint8_t *bytes, size_t size, const char *where, ip_exr_channel **out, size_t *count) {
    size_t n = 0;
    *out = NULL;
    *count = 0;
    for (int pass = 0; pass < 2; pass++) {
        size_t at = 0;
        n = 0;
        while (at < size && bytes[at] != 0) {
            const char *name = (const char *)bytes + at;
            size_t length = strnlen(name, size - at);
            if (length > 255 || size - at < length + 17)
                return ip_fail(IPOS_ERR_FORMAT, "%s: the channel list is damaged", where);
            at += length + 1;
            ip_exr_channel c = {.name = name, .type = (int32_t)get32(bytes + at), .linear = bytes[at + 4],
                .xs = (int32_t)get32(bytes + at + 8), .ys = (int32_t)get32(bytes + at + 12)};
            at += 16;
            if (c.type < IP_EXR_UINT || c.type > IP_EXR_FLOAT || c.xs < 1 || c.ys < 1) {
                char shown[48];
                return ip_fail(IPOS_ERR_FORMAT, "%s: channel \"%s\" has type %d and sampling %d x %d", where, ip_exr_shown(name, shown), c.type, c.xs, c.ys);
            }
            if (pass == 1)
                (*out)[n] = c;
            if (++n > 1024)
                return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: more than 1024 channels", where);
        }
        if (n == 0 || at + 1 != size)
            return ip_fail(IPOS_ERR_FORMAT, "%s: the channel list is %s", where, n ? "damaged" : "empty");
        if (pass == 0 && !(*out = ip_calloc(n, sizeof **out)))
            return IPOS_ERR_NO_MEMORY;
    }
    *count = n;
    return IPOS_OK;
}

void ip_exr_put_attribute(ip_buffer *buffer, const char *name, const char *type, const void *bytes, size_t size) {
    uint32_t length = (uint32_t)size;
    ip_buffer_add(buffer, name, strlen(name) + 1);
    ip_buffer_add(buffer, type, strlen(type) + 1);
    ip_buffer_add(buffer, &length, 4);
    if (size)
        ip_buffer_add(buffer, bytes, size);
}

void ip_exr_put_channels(ip_buffer *buffer, const ip_exr_channel *channels, size_t count) {
    ip_buffer list = {0};
    for (size_t i = 0; i < count; i++) {
        const ip_exr_channel *c = &channels[i];
        const uint8_t linear[4] = {c->linear, 0, 0, 0};
        ip_buffer_add(&list, c->name, strlen(c->name) + 1);
        ip_buffer_add(&list, &c->type, 4);
        ip_buffer_add(&list, linear, 4);
        ip_buffer_add(&list, &c->xs, 4);
        ip_buffer_add(&list, &c->ys, 4);
    }
    ip_buffer_add(&list, "", 1);
    if (list.failed)
        buffer->failed = true;
    else
        ip_exr_put_attribute(buffer, "channels", "chlist", list.data, list.size);
    ip_buffer_free(&list);
}

void ip_exr_put_box(ip_buffer *buffer, const char *name, const ipos_box *box) {
    const int32_t corners[4] = {box->x, box->y, (int32_t)((int64_t)box->x + box->width - 1), (int32_t)((int64_t)box->y + box->height - 1)};
    ip_exr_put_attribute(buffer, name, "box2i", corners, sizeof corners);
}

void ip_exr_put_bare_header(ip_buffer *buffer, const ip_exr_part *part) {
    const uint8_t compression = (uint8_t)part->compression, order = IP_EXR_INCREASING;
    const ipos_box window = {0, 0, part->data.width, part->data.height};
    const float one = 1, center[2] = {0, 0};
    const uint32_t lead[2] = {20000630u, 2u | IP_EXR_LONG_NAMES | (part->tiled ? IP_EXR_TILED : 0u)};
    ip_buffer_add(buffer, lead, sizeof lead);
    ip_exr_put_channels(buffer, part->channels, part->channel_count);
    ip_exr_put_attribute(buffer, "compression", "compression", &compression, 1);
    ip_exr_put_box(buffer, "dataWindow", &window);
    ip_exr_put_box(buffer, "displayWindow", &window);
    ip_exr_put_attribute(buffer, "lineOrder", "lineOrder", &order, 1);
    ip_exr_put_attribute(buffer, "pixelAspectRatio", "float", &one, 4);
    ip_exr_put_attribute(buffer, "screenWindowCenter", "v2f", center, 8);
    ip_exr_put_attribute(buffer, "screenWindowWidth", "float", &one, 4);
    if (part->tiled) {
        uint8_t tiles[9] = {0};
        memcpy(tiles, &part->tile_width, 4);
        memcpy(tiles + 4, &part->tile_height, 4);
        ip_exr_put_attribute(buffer, "tiles", "tiledesc", tiles, sizeof tiles);
    }
    ip_buffer_add(buffer, "", 1);
}
