#include "tiff_host.h"

enum { COMPRESSION_NONE = 1, COMPRESSION_LZW = 5, COMPRESSION_DEFLATE = 8, COMPRESSION_OLD_DEFLATE = 32946 };

static uint64_t stream_size(void *user) {
    return ((const ip_output *)user)->size;
}

static int64_t stream_read(void *user, uint64_t offset, void *bytes, size_t n) {
    return ip_output_read(user, offset, bytes, n);
}

static bool stream_write(void *user, uint64_t offset, const void *bytes, size_t n) {
    return ip_output_write(user, offset, bytes, n) == IPOS_OK;
}

static uint16_t short_attribute(const ipos_frame *frame, const char *name) {
    const ip_attribute *a = ip_frame_attribute(frame, name);
    uint16_t value = 0;
    if (a && a->size == 2)
        memcpy(&value, a->bytes, 2);
    return value;
}

/* Channel indices in TIFF's order: grey or R,G,B, then A, then the rest as they come. */
static ipos_status order_channels(const ipos_frame *frame, const char *name, ip_tiff_page *page, size_t *order) {
    static const char *const grey[] = {"Y"}, *const rgb[] = {"R", "G", "B"};
    bool is_grey = ipos_frame_find_channel(frame, "R") < 0;
    uint32_t colors = is_grey ? 1 : 3, n = 0;
    for (uint32_t i = 0; i < colors; i++) {
        int64_t index = ipos_frame_find_channel(frame, is_grey ? grey[i] : rgb[i]);
        if (index < 0)
            return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: TIFF holds Y or R,G,B first; the frame has no channel %s", name,
                is_grey ? grey[i] : rgb[i]);
        order[n++] = (size_t)index;
    }
    int64_t alpha = ipos_frame_find_channel(frame, "A");
    if (alpha >= 0)
        order[n++] = (size_t)alpha;
    for (size_t i = 0; i < frame->channel_count; i++) {
        bool used = false;
        for (uint32_t k = 0; k < n; k++)
            used = used || order[k] == i;
        if (!used)
            order[n++] = i;
    }
    page->channels = n;
    for (uint32_t i = 0; i < n; i++) {
        const ip_channel *c = &frame->channels[order[i]];
        if (c->type != frame->channels[order[0]].type || c->xs != 1 || c->ys != 1)
            return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: TIFF holds one sample type and no subsampling; channel %s is %s", name,
                c->name, ip_sample_name(c->type));
        if (i >= colors && strcmp(c->name, "A") != 0)
            snprintf(page->names[i], sizeof page->names[i], "extra%u", i - colors);
        else
            snprintf(page->names[i], sizeof page->names[i], "%s", c->name);
    }
    page->sample_type = frame->channels[order[0]].type;
    return IPOS_OK;
}

static ipos_status choose_compression(
    const ipos_frame *frame, const ipos_write_config *config, const char *name, ip_tiff_page *page) {
    const char *wanted = config->compression;
    if (!wanted) {
        uint16_t had = short_attribute(frame, "tiff:259");
        page->compression = had == COMPRESSION_NONE || had == COMPRESSION_LZW ? had : COMPRESSION_DEFLATE;
        return IPOS_OK;
    }
    page->compression = strcmp(wanted, "none") == 0 ? COMPRESSION_NONE : strcmp(wanted, "lzw") == 0 ? COMPRESSION_LZW
        : strcmp(wanted, "deflate") == 0 ? COMPRESSION_DEFLATE : 0;
    return page->compression
               ? IPOS_OK
               : ip_fail(IPOS_ERR_ARGUMENT, "%s: TIFF compression \"%s\", expected none, lzw or deflate", name, wanted);
}

static ipos_status choose_tiles(const ipos_frame *frame, const ipos_write_config *config, const char *name, ip_tiff_page *page) {
    const ip_attribute *a = ip_frame_attribute(frame, "tiles");
    if (config->tile_width || config->tile_height) {
        int32_t w = config->tile_width, h = config->tile_height ? config->tile_height : w;
        if (w <= 0 || h <= 0 || w % 16 || h % 16 || w > 65536 || h > 65536)
            return ip_fail(IPOS_ERR_ARGUMENT, "%s: TIFF tiles of %d x %d, expected multiples of 16", name, w, h);
        page->tile_width = (uint32_t)w;
        page->tile_height = (uint32_t)h;
    } else if (a && a->size == 9) {
        uint32_t w, h;
        memcpy(&w, a->bytes, 4);
        memcpy(&h, a->bytes + 4, 4);
        bool fits = w && h && w % 16 == 0 && h % 16 == 0 && w <= 65536 && h <= 65536;
        page->tile_width = fits ? w : 0;
        page->tile_height = fits ? h : 0;
    }
    return IPOS_OK;
}

static void pack_rest(const ipos_frame *frame, const ip_tiff_page *page, const size_t *order, ip_buffer *rest) {
    ip_pack_attributes(frame, "tiff:", "tiles," IP_PACK_CHANNELS, rest);
    if (frame->encoding[0])
        ip_pack_add(rest, IP_PACK_ENCODING, "string", frame->encoding, strlen(frame->encoding));
    bool named = false;
    ip_buffer names = {0};
    for (uint32_t i = 0; i < page->channels; i++) {
        const char *name = frame->channels[order[i]].name;
        named = named || strcmp(name, page->names[i]) != 0;
        ip_buffer_printf(&names, "%s%s", i ? "," : "", name);
    }
    if (named)
        ip_pack_add(rest, IP_PACK_CHANNELS, "string", names.data, names.size);
    rest->failed = rest->failed || names.failed;
    ip_buffer_free(&names);
}

static size_t collect_tags(const ipos_frame *frame, const ip_buffer *rest, ip_tiff_tag *tags) {
    size_t n = 0;
    if (rest->size)
        tags[n++] = (ip_tiff_tag){IP_TIFF_PACK_TAG, "undefined", rest->data, rest->size};
    for (size_t i = 0; i < frame->attribute_count; i++) {
        const ip_attribute *a = &frame->attributes[i];
        int64_t tag = 0;
        if (strncmp(a->name, "tiff:", 5) == 0 && strncmp(a->type, "tiff:", 5) == 0 && ip_parse_int(a->name + 5, &tag) &&
            tag > 0 && tag <= 65535)
            tags[n++] = (ip_tiff_tag){(uint32_t)tag, a->type + 5, a->bytes, a->size};
    }
    return n;
}

static ipos_status describe(
    const ipos_frame *frame, const ipos_write_config *config, const char *name, ip_tiff_page *page, size_t *order) {
    if (memcmp(&frame->data_window, &frame->display_window, sizeof frame->data_window) != 0)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: TIFF holds no data window apart from the display window; write OpenEXR", name);
    if (frame->channel_count > IP_TIFF_CHANNELS)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: %zu channels, TIFF holds %d", name, frame->channel_count, IP_TIFF_CHANNELS);
    page->width = (uint32_t)frame->data_window.width;
    page->height = (uint32_t)frame->data_window.height;
    IP_TRY(order_channels(frame, name, page, order));
    IP_TRY(choose_compression(frame, config, name, page));
    IP_TRY(choose_tiles(frame, config, name, page));
    page->planar = page->channels > 1 && (config->planar == 1 || short_attribute(frame, "tiff:284") == 2);
    uint16_t alpha = short_attribute(frame, "tiff:338");
    /* By custom: float pictures are premultiplied, integer ones are not. */
    page->alpha_associated = alpha ? alpha == 1 : page->sample_type == IPOS_F16 || page->sample_type == IPOS_F32;
    return IPOS_OK;
}

static ipos_status add_page(const ip_tiff_module *module, void *file, const ipos_frame *frame, const ipos_write_config *config,
    ip_output *out, uint32_t number) {
    ip_tiff_page *page = ip_calloc(1, sizeof *page);
    size_t order[IP_TIFF_CHANNELS];
    ipos_plane planes[IP_TIFF_CHANNELS];
    ip_tiff_tag *tags = ip_calloc(frame->attribute_count + 1, sizeof *tags);
    ip_buffer rest = {0};
    ipos_status status = page && tags ? describe(frame, config, out->name, page, order) : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK) {
        for (uint32_t i = 0; i < page->channels; i++) {
            const ip_channel *c = &frame->channels[order[i]];
            planes[i] = (ipos_plane){c->data, c->row_stride, c->pixel_stride};
        }
        char text[IP_TIFF_TEXT] = "";
        pack_rest(frame, page, order, &rest);
        status =
            rest.failed ? ip_no_memory(0) : module->add(file, page, planes, tags, collect_tags(frame, &rest, tags), number, text);
        if (status != IPOS_OK && !rest.failed)
            ip_fail(status, "%s: %s", out->name, text);
    }
    ip_buffer_free(&rest);
    ip_free(page);
    ip_free(tags);
    return status;
}

/* Offsets of classic TIFF have 32 bits; compression may make the file grow a little. */
static bool needs_big(ipos_frame *const *frames, size_t count) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t c = 0; c < frames[i]->channel_count; c++)
            sum += (uint64_t)frames[i]->channels[c].width * (uint64_t)frames[i]->channels[c].height *
                   ip_sample_bytes(frames[i]->channels[c].type);
    return sum > 3500000000u;
}

ipos_status ip_tiff_write(ipos_frame *const *frames, size_t count, const ipos_write_config *config, ip_output *out) {
    const ip_tiff_module *module = NULL;
    IP_TRY(ip_tiff_load(&module));
    ip_tiff_stream stream = {out, stream_size, stream_read, stream_write};
    char text[IP_TIFF_TEXT] = "";
    void *file = NULL;
    ipos_status status = module->create(&stream, needs_big(frames, count), &file, text);
    if (status != IPOS_OK)
        return ip_fail(status, "%s: %s", out->name, text);
    for (size_t i = 0; i < count && status == IPOS_OK; i++)
        status = add_page(module, file, frames[i], config, out, (uint32_t)i);
    module->close(file);
    return status;
}
