#include "exr.h"
#include "dwa/dwa.h"
#include "module.h"

static ipos_status table_of(const char *name, const ip_dwa_table **table) {
    const void *loaded = NULL;
    ipos_status status = ip_module_load(IP_DWA_FILE, IP_DWA_SYMBOL, &loaded);
    if (status != IPOS_OK)
        return ip_fail_in(status, "%s: DWAA and DWAB compression", name);
    *table = loaded;
    if ((*table)->struct_size < sizeof **table)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: DWAA and DWAB compression: %s is of another version", name, IP_DWA_FILE);
    return IPOS_OK;
}

static int32_t stop(void *user) {
    return ip_cancelled(user);
}

static ipos_status picture_of(const ip_exr_part *part, const ipos_frame *frame, const size_t *order, ip_dwa_picture *picture) {
    ip_dwa_channel *channels = ip_calloc(part->channel_count, sizeof *channels);
    if (!channels)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < part->channel_count; i++) {
        const ip_exr_channel *c = &part->channels[i];
        const ip_channel *plane = &frame->channels[order[i]];
        channels[i] = (ip_dwa_channel){c->name, c->type, c->xs, c->ys, c->linear, plane->data, plane->row_stride, plane->pixel_stride};
    }
    *picture = (ip_dwa_picture){.width = part->data.width, .height = part->data.height, .compression = part->compression,
        .tile_width = part->tiled ? (int32_t)part->tile_width : 0, .tile_height = part->tiled ? (int32_t)part->tile_height : 0,
        .channels = channels, .channel_count = part->channel_count};
    return IPOS_OK;
}

static ipos_status result_of(int32_t result, const char *name, const char *text, const char *what) {
    switch (result) {
    case IP_DWA_OK: return IPOS_OK;
    case IP_DWA_BAD_FILE: return ip_fail(IPOS_ERR_FORMAT, "%s: OpenEXR cannot %s: %s", name, what, text);
    case IP_DWA_NO_MEMORY: return ip_fail(IPOS_ERR_NO_MEMORY, "%s: OpenEXR cannot %s: %s", name, what, text);
    case IP_DWA_STOPPED: return ip_fail(IPOS_ERR_CANCELLED, "%s: cancelled", name);
    default: return ip_fail(IPOS_ERR_UNKNOWN, "%s: OpenEXR cannot %s: %s", name, what, text);
    }
}

/* A single-part file of this part's checked chunks alone, for a library that reads files only. */
static ipos_status assemble(const ip_exr_file *file, const ip_exr_part *part, const ip_exr_chunk *chunks, uint64_t count, uint64_t limit,
    uint8_t **bytes, size_t *size) {
    ip_buffer header = {0};
    ip_exr_put_bare_header(&header, part);
    const size_t words = part->tiled ? 5 : 2;
    uint64_t total = header.size + 8 * count;
    for (uint64_t i = 0; i < count; i++)
        total += words * 4 + chunks[i].packed;
    if (header.failed || total > limit || !(*bytes = ip_alloc((size_t)total))) {
        ip_buffer_free(&header);
        return ip_fail(IPOS_ERR_NO_MEMORY, "%s: %llu MiB of packed pixels are too many", file->in->name, (unsigned long long)(total >> 20));
    }
    memcpy(*bytes, header.data, header.size);
    uint64_t table = header.size, at = table + 8 * count;
    ip_buffer_free(&header);
    for (uint64_t i = 0; i < count; i++) {
        const ip_exr_chunk *c = &chunks[i];
        const int32_t tile[5] = {c->tile_x, c->tile_y, 0, 0, (int32_t)c->packed}, line[2] = {c->y, (int32_t)c->packed};
        memcpy(*bytes + table + 8 * i, &at, 8);
        memcpy(*bytes + at, part->tiled ? tile : line, words * 4);
        at += words * 4;
        if (ip_input_read(file->in, c->offset, *bytes + at, (size_t)c->packed) != (int64_t)c->packed) {
            ip_free(*bytes);
            *bytes = NULL;
            return ip_fail(IPOS_ERR_IO, "%s: cannot read chunk %llu", file->in->name, (unsigned long long)i);
        }
        at += c->packed;
    }
    *size = (size_t)total;
    return IPOS_OK;
}

ipos_status ip_exr_dwa_read(const ip_io_env *env, const ip_exr_file *file, const ip_exr_part *part, const ip_exr_chunk *chunks, uint64_t count,
    ipos_frame *frame, const size_t *order) {
    const ip_dwa_table *table = NULL;
    ip_dwa_picture picture;
    uint8_t *bytes = NULL;
    size_t size = 0;
    char text[256] = "";
    IP_TRY(table_of(file->in->name, &table));
    IP_TRY(assemble(file, part, chunks, count, ip_io_memory_limit(env), &bytes, &size));
    ipos_status status = picture_of(part, frame, order, &picture);
    if (status == IPOS_OK) {
        picture.stop = stop;
        picture.user = (void *)(uintptr_t)ip_io_cancel(env);
        status = result_of(table->decode(bytes, size, &picture, text, sizeof text), file->in->name, text, "decode DWA pixels");
        ip_free((void *)(uintptr_t)picture.channels);
    }
    ip_free(bytes);
    return status;
}

static int32_t put(void *user, uint64_t offset, const void *bytes, size_t n) {
    return ip_output_write(user, offset, bytes, n) != IPOS_OK;
}

ipos_status ip_exr_dwa_write(const ip_exr_part *part, float level, const ipos_frame *frame, const size_t *order, const char *name,
    void **bytes, size_t *size) {
    const ip_dwa_table *table = NULL;
    ip_dwa_picture picture;
    ip_output out;
    char text[256] = "";
    IP_TRY(table_of(name, &table));
    IP_TRY(ip_output_open(NULL, &out));
    ipos_status status = picture_of(part, frame, order, &picture);
    if (status == IPOS_OK) {
        picture.level = level;
        status = result_of(table->encode(&picture, put, &out, text, sizeof text), name, text, "encode DWA pixels");
        ip_free((void *)(uintptr_t)picture.channels);
    }
    if (status == IPOS_OK)
        return ip_output_finish(&out, bytes, size);
    ip_output_discard(&out);
    return status;
}
