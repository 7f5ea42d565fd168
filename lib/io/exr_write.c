#include "exr.h"

typedef struct writer {
    ip_output *out;
    const ip_exr_plan *plan;
    const ipos_frame *frame;
    size_t part;
    bool multipart;
    uint64_t at;       /* where the next chunk goes */
    uint64_t *offsets; /* of the part's chunks */
} writer;

static ipos_status put_chunk(writer *w, uint64_t index, const ip_exr_chunk *chunk, const uint8_t *bytes, size_t size) {
    const ip_exr_part *part = &w->plan->part;
    int32_t leader[6];
    size_t n = 0;
    if (w->multipart)
        leader[n++] = (int32_t)w->part;
    if (part->tiled) {
        leader[n++] = chunk->tile_x;
        leader[n++] = chunk->tile_y;
        leader[n++] = 0;
        leader[n++] = 0;
    } else {
        leader[n++] = part->data.y + chunk->y;
    }
    leader[n++] = (int32_t)size;
    w->offsets[index] = w->at;
    IP_TRY(ip_output_write(w->out, w->at, leader, n * 4));
    IP_TRY(ip_output_write(w->out, w->at + n * 4, bytes, size));
    w->at += n * 4 + size;
    return IPOS_OK;
}

/* Chunk number n in the order the file has them. */
static uint64_t in_line_order(const ip_exr_part *part, uint64_t n) {
    if (part->line_order != IP_EXR_DECREASING)
        return n;
    uint64_t columns = part->tiled ? ((uint64_t)part->data.width + part->tile_width - 1) / part->tile_width : 1;
    return (part->chunk_count / columns - 1 - n / columns) * columns + n % columns;
}

static ipos_status write_packed(writer *w) {
    const ip_exr_part *part = &w->plan->part;
    ip_exr_codec *codec;
    IP_TRY(ip_exr_codec_open(part, w->out->name, true, &codec));
    ipos_status status = IPOS_OK;
    for (uint64_t n = 0; n < part->chunk_count && status == IPOS_OK; n++) {
        const uint64_t index = in_line_order(part, n);
        const uint8_t *bytes = NULL;
        size_t size = 0;
        ip_exr_chunk chunk;
        ip_exr_chunk_place(part, index, &chunk);
        uint8_t *raw = ip_exr_pack_buffer(codec, &chunk);
        if (!raw) {
            status = IPOS_ERR_NO_MEMORY;
            break;
        }
        ip_exr_gather(part, &chunk, raw, w->frame, w->plan->order);
        status = ip_exr_pack(codec, &chunk, &bytes, &size);
        if (status == IPOS_OK)
            status = put_chunk(w, index, &chunk, bytes, size);
    }
    ip_exr_codec_close(codec);
    return status;
}

/* The module packs the part as a file of its own; its chunks are taken over. */
static ipos_status write_dwa(writer *w) {
    const ip_exr_part *part = &w->plan->part;
    void *bytes = NULL;
    size_t size = 0;
    ip_input in = {.fd = -1};
    ip_exr_file file = {0};
    ip_exr_chunk *chunks = NULL;
    uint64_t count = 0;
    ipos_status status = ip_exr_dwa_write(part, w->plan->dwa_level, w->frame, w->plan->order, w->out->name, &bytes, &size);
    if (status == IPOS_OK)
        status = ip_input_memory(bytes, size, &in);
    if (status == IPOS_OK)
        status = ip_exr_open(&in, &file);
    if (status == IPOS_OK)
        status = ip_exr_chunks(&file, 0, &chunks, &count);
    if (status == IPOS_OK && count != part->chunk_count)
        status = ip_fail(IPOS_ERR_UNKNOWN, "%s: interpos_dwa made %llu chunks, expected %llu", w->out->name, (unsigned long long)count,
            (unsigned long long)part->chunk_count);
    for (uint64_t n = 0; n < count && status == IPOS_OK; n++) {
        const uint64_t index = in_line_order(part, n);
        status = put_chunk(w, index, &chunks[index], (const uint8_t *)bytes + chunks[index].offset, (size_t)chunks[index].packed);
    }
    ip_free(chunks);
    ip_exr_close(&file);
    ip_input_close(&in);
    ip_free(bytes);
    return status;
}

static ipos_status write_parts(ipos_frame *const *frames, const ip_exr_plan *plans, size_t count, ip_output *out) {
    ip_buffer header = {0};
    ipos_status status = ip_exr_put_headers(frames, plans, count, out->name, &header);
    if (status == IPOS_OK)
        status = ip_output_write(out, 0, header.data, header.size);
    uint64_t table = header.size, at = table;
    ip_buffer_free(&header);
    for (size_t i = 0; i < count; i++)
        at += 8 * plans[i].part.chunk_count;
    for (size_t i = 0; i < count && status == IPOS_OK; i++) {
        const size_t entries = (size_t)plans[i].part.chunk_count;
        writer w = {.out = out, .plan = &plans[i], .frame = frames[i], .part = i, .multipart = count > 1, .at = at};
        w.offsets = ip_calloc(entries, sizeof *w.offsets);
        status = !w.offsets ? IPOS_ERR_NO_MEMORY : plans[i].part.compression >= IP_EXR_DWAA ? write_dwa(&w) : write_packed(&w);
        if (status == IPOS_OK)
            status = ip_output_write(out, table, w.offsets, entries * 8);
        ip_free(w.offsets);
        table += entries * 8;
        at = w.at;
    }
    return status;
}

ipos_status ip_exr_write(ipos_frame *const *frames, size_t count, const ipos_write_config *config, ip_output *out) {
    ip_exr_plan *plans = ip_calloc(count, sizeof *plans);
    if (!plans)
        return IPOS_ERR_NO_MEMORY;
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < count && status == IPOS_OK; i++)
        status = ip_exr_plan_make(frames[i], config, out->name, &plans[i]);
    if (status == IPOS_OK)
        status = write_parts(frames, plans, count, out);
    for (size_t i = 0; i < count; i++)
        ip_exr_plan_free(&plans[i]);
    ip_free(plans);
    return status;
}
