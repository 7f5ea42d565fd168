/* TIFF: our frames and streams on one side, the module with libtiff on the other. */
#include "module.h"
#include "tiff_host.h"
#include <interpos/version.h>

static _Atomic(const ip_tiff_module *) loaded;

ipos_status ip_tiff_load(const ip_tiff_module **out) {
    const ip_tiff_module *module = atomic_load(&loaded);
    if (!module) {
        const void *table = NULL;
        IP_TRY(ip_module_load(IP_TIFF_MODULE_FILE, IP_TIFF_MODULE_SYMBOL, &table));
        module = table;
        if (module->struct_size != sizeof *module || module->version != IPOS_VERSION)
            return ip_fail(IPOS_ERR_UNSUPPORTED, "module %s belongs to another version of libinterpos", IP_TIFF_MODULE_FILE);
        atomic_store(&loaded, module);
    }
    *out = module;
    return IPOS_OK;
}

static bool probe(const uint8_t *head, size_t n) {
    static const char *const marks[] = {"II*\0", "MM\0*", "II+\0", "MM\0+"};
    for (size_t i = 0; n >= 8 && i < IP_COUNT(marks); i++)
        if (memcmp(head, marks[i], 4) == 0)
            return true;
    return false;
}

static uint64_t stream_size(void *user) {
    return ((const ip_input *)user)->size;
}

static int64_t stream_read(void *user, uint64_t offset, void *bytes, size_t n) {
    return ip_input_read(user, offset, bytes, n);
}

typedef struct tag_sink {
    ip_image_header *header;
    ipos_status status;
} tag_sink;

static bool keep_tag(void *user, uint32_t tag, const char *type, const void *bytes, size_t size) {
    tag_sink *sink = user;
    char name[24], kind[24];
    snprintf(name, sizeof name, "tiff:%u", tag);
    snprintf(kind, sizeof kind, "tiff:%s", type);
    sink->status = tag == IP_TIFF_PACK_TAG ? ip_unpack_attributes(bytes, size, sink->header)
                                           : ip_header_set_attribute(sink->header, name, kind, bytes, size);
    return sink->status == IPOS_OK;
}

/* Layout that writing takes up again: compression, planes, tiles, what alpha means. */
static ipos_status keep_layout(const ip_tiff_page *page, ip_image_header *header) {
    uint16_t compression = (uint16_t)page->compression, planar = page->planar ? 2 : 1;
    IP_TRY(ip_header_set_attribute(header, "tiff:259", "tiff:short", &compression, 2));
    IP_TRY(ip_header_set_attribute(header, "tiff:284", "tiff:short", &planar, 2));
    if (page->tile_width) {
        uint8_t tiles[9] = {0};
        memcpy(tiles, &page->tile_width, 4);
        memcpy(tiles + 4, &page->tile_height, 4);
        IP_TRY(ip_header_set_attribute(header, "tiles", "tiledesc", tiles, sizeof tiles));
    }
    for (uint32_t i = 0; i < page->channels; i++) {
        uint16_t kind = page->alpha_associated ? 1 : 2;
        if (strcmp(page->names[i], "A") == 0)
            IP_TRY(ip_header_set_attribute(header, "tiff:338", "tiff:short", &kind, 2));
    }
    return IPOS_OK;
}

/* Names of further channels, where the file was written by us and still has as many. */
static ipos_status name_channels(ip_image_header *header) {
    const ip_attribute *a = ip_header_attribute(header, IP_PACK_CHANNELS);
    char *names = a ? ip_format("%.*s", (int)a->size, (const char *)a->bytes) : NULL, *rest = names;
    size_t n = names && names[0] ? 1 : 0;
    for (const char *p = names; p && *p; p++)
        n += *p == ',';
    ipos_status status = IPOS_OK;
    for (size_t i = 0; n == header->channel_count && i < n && status == IPOS_OK; i++) {
        char *name = ip_strdup(strsep(&rest, ","));
        if (!name) {
            status = IPOS_ERR_NO_MEMORY;
        } else {
            ip_free((char *)(uintptr_t)header->channels[i].name);
            header->channels[i].name = name;
        }
    }
    ip_free(names);
    return status;
}

static ipos_status describe(const ip_tiff_module *module, void *file, const ip_tiff_page *page, ip_image_header *header) {
    header->parts = (int)IP_MIN(page->pages, (uint32_t)INT32_MAX);
    header->data_window = (ipos_box){0, 0, (int32_t)page->width, (int32_t)page->height};
    header->display_window = header->data_window;
    for (uint32_t i = 0; i < page->channels; i++)
        IP_TRY(ip_header_add_channel(header, page->names[i], page->sample_type, 1, 1));
    if (page->linear)
        snprintf(header->encoding, sizeof header->encoding, "linear");
    tag_sink sink = {header, IPOS_OK};
    module->tags(file, keep_tag, &sink);
    IP_TRY(sink.status);
    IP_TRY(name_channels(header));
    return keep_layout(page, header);
}

static bool should_stop(void *user) {
    return ip_cancelled(user);
}

static ipos_status decode(const ip_io_env *env, const ip_input *in, const ip_tiff_module *module, void *file,
    const ip_tiff_page *page, const ip_image_header *header, ipos_frame **out) {
    if (page->pixel_bytes > page->stored_limit)
        return ip_fail(IPOS_ERR_FORMAT, "%s: claims %u x %u pixels but holds %llu bytes", in->name, page->width, page->height,
            (unsigned long long)in->size);
    ipos_frame *frame = NULL;
    IP_TRY(ip_header_frame(env, header, in->name, &frame));
    ipos_plane *planes = ip_calloc(frame->channel_count, sizeof *planes);
    ipos_status status = planes ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; planes && i < frame->channel_count; i++)
        planes[i] = (ipos_plane){frame->channels[i].data, frame->channels[i].row_stride, frame->channels[i].pixel_stride};
    if (planes) {
        char text[IP_TIFF_TEXT] = "";
        status = module->read(file, planes, should_stop, (void *)(uintptr_t)ip_io_cancel(env), text);
        if (status != IPOS_OK)
            ip_fail(status, "%s: %s", in->name, text);
    }
    ip_free(planes);
    if (status == IPOS_OK)
        *out = frame;
    else
        ipos_frame_release(frame);
    return status;
}

/* out NULL: the header only. */
static ipos_status open_page(const ip_io_env *env, const ip_input *in, int part, ip_image_header *header, ipos_frame **out) {
    const ip_tiff_module *module = NULL;
    IP_TRY(ip_tiff_load(&module));
    ip_tiff_stream stream = {(void *)(uintptr_t)in, stream_size, stream_read, NULL};
    char text[IP_TIFF_TEXT] = "";
    void *file = NULL;
    ipos_status status = module->open(&stream, ip_io_memory_limit(env), &file, text);
    ip_tiff_page *page = status == IPOS_OK ? ip_alloc(sizeof *page) : NULL;
    if (page)
        status = module->select(file, (uint32_t)part, page, text);
    if (status != IPOS_OK)
        ip_fail(status, "%s: %s", in->name, text);
    else if (!page)
        status = IPOS_ERR_NO_MEMORY;
    else
        status = describe(module, file, page, header);
    if (status == IPOS_OK && out)
        status = decode(env, in, module, file, page, header, out);
    ip_free(page);
    module->close(file);
    return status;
}

static ipos_status info(const ip_io_env *env, const ip_input *in, int part, ip_image_header *out) {
    return open_page(env, in, part, out, NULL);
}

static ipos_status read(const ip_io_env *env, const ip_input *in, int part, ipos_frame **out) {
    *out = NULL;
    ip_image_header header = {0};
    ipos_status status = open_page(env, in, part, &header, out);
    ip_header_free(&header);
    return status;
}

const ip_image_format ip_format_tiff = {"tiff", "tif,tiff", probe, info, read, ip_tiff_write};
