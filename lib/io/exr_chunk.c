#include "exr.h"

enum { LARGEST_CHUNK = 1 << 30 }; /* the libraries count a chunk's samples in int */

int ip_exr_lines_per_chunk(int compression) {
    static const int lines[] = {1, 1, 1, 16, 32, 16, 32, 32, 32, 256};
    return compression >= 0 && (size_t)compression < IP_COUNT(lines) ? lines[compression] : 1;
}

static uint64_t divide_up(uint64_t a, uint64_t b) {
    return (a + b - 1) / b;
}

uint64_t ip_exr_level_chunks(const ip_exr_part *part) {
    if (!part->tiled)
        return divide_up((uint64_t)part->data.height, (uint64_t)ip_exr_lines_per_chunk(part->compression));
    return divide_up((uint64_t)part->data.width, part->tile_width) * divide_up((uint64_t)part->data.height, part->tile_height);
}

static unsigned levels_of(uint64_t size, bool up) {
    unsigned n = 0;
    bool exact = (size & (size - 1)) == 0;
    while (size >> (n + 1))
        n++;
    return n + 1 + (up && !exact);
}

static uint64_t level_size(uint64_t size, unsigned level, bool up) {
    return IP_MAX((size + (up ? ((uint64_t)1 << level) - 1 : 0)) >> level, (uint64_t)1);
}

uint64_t ip_exr_all_chunks(const ip_exr_part *part) {
    const uint64_t w = (uint64_t)part->data.width, h = (uint64_t)part->data.height;
    const bool up = part->tile_mode >> 4 == 1;
    const unsigned mode = part->tile_mode & 15;
    if (!part->tiled || mode == 0)
        return ip_exr_level_chunks(part);
    uint64_t sum = 0, columns = 0, rows = 0;
    if (mode == 1) {
        for (unsigned l = 0, n = levels_of(IP_MAX(w, h), up); l < n; l++)
            sum += divide_up(level_size(w, l, up), part->tile_width) * divide_up(level_size(h, l, up), part->tile_height);
        return sum;
    }
    for (unsigned l = 0, n = levels_of(w, up); l < n; l++)
        columns += divide_up(level_size(w, l, up), part->tile_width);
    for (unsigned l = 0, n = levels_of(h, up); l < n; l++)
        rows += divide_up(level_size(h, l, up), part->tile_height);
    return columns * rows;
}

/* How many of the rows from begin to end a channel sampled every ys rows has. */
static int32_t sampled(int32_t begin, int32_t end, int32_t ys) {
    return (int32_t)(divide_up((uint64_t)end, (uint64_t)ys) - divide_up((uint64_t)begin, (uint64_t)ys));
}

void ip_exr_chunk_place(const ip_exr_part *part, uint64_t index, ip_exr_chunk *chunk) {
    memset(chunk, 0, sizeof *chunk);
    if (part->tiled) {
        uint64_t columns = divide_up((uint64_t)part->data.width, part->tile_width);
        chunk->tile_x = (int32_t)(index % columns);
        chunk->tile_y = (int32_t)(index / columns);
        chunk->x = (int32_t)((int64_t)chunk->tile_x * part->tile_width);
        chunk->y = (int32_t)((int64_t)chunk->tile_y * part->tile_height);
        chunk->width = (int32_t)IP_MIN((int64_t)part->tile_width, (int64_t)part->data.width - chunk->x);
        chunk->height = (int32_t)IP_MIN((int64_t)part->tile_height, (int64_t)part->data.height - chunk->y);
    } else {
        int32_t lines = ip_exr_lines_per_chunk(part->compression);
        chunk->y = (int32_t)(index * (uint64_t)lines);
        chunk->width = part->data.width;
        chunk->height = IP_MIN(lines, part->data.height - chunk->y);
    }
    for (size_t i = 0; i < part->channel_count; i++) {
        const ip_exr_channel *c = &part->channels[i];
        uint64_t bytes = c->type == IP_EXR_HALF ? 2 : 4;
        chunk->unpacked += bytes * (uint64_t)(chunk->width / c->xs) * (uint64_t)sampled(chunk->y, chunk->y + chunk->height, c->ys);
    }
}

uint64_t ip_exr_largest_chunk(const ip_exr_part *part) {
    ip_exr_chunk first;
    ip_exr_chunk_place(part, 0, &first);
    return first.unpacked; /* sampling counts rows from the first, so no later chunk has more */
}

/* What a packed chunk can grow to at most; a claim beyond it is damage, found before anything is allocated for it. */
static bool plausible(int compression, uint64_t packed, uint64_t unpacked) {
    if (unpacked == 0)
        return true;
    if (packed == 0 || packed > unpacked)
        return false;
    switch (compression) {
    case IP_EXR_NONE: return packed == unpacked;
    case IP_EXR_RLE: return unpacked <= packed * 64;
    case IP_EXR_ZIPS:
    case IP_EXR_ZIP: return unpacked <= packed * 1032 + 64;
    case IP_EXR_PXR24: return unpacked <= packed * 1376 + 64;
    case IP_EXR_B44:
    case IP_EXR_B44A: return unpacked <= packed * 11 + 64;
    default: return true;
    }
}

/* Reads and checks the chunk's leader: [part] then y or tile x, y and level x, y, then the size. */
static ipos_status check_leader(const ip_exr_file *file, size_t index, uint64_t number, uint64_t offset, ip_exr_chunk *chunk) {
    const ip_exr_part *part = &file->parts[index];
    const size_t parts = file->flags & IP_EXR_MULTIPART ? 1 : 0, words = parts + (part->tiled ? 5 : 2);
    int32_t leader[6] = {0}, expected[6] = {0};
    if (offset >= file->in->size || file->in->size - offset < words * 4)
        return ip_fail(IPOS_ERR_FORMAT, "%s: chunk %llu lies outside the file: incomplete or damaged", file->in->name, (unsigned long long)number);
    if (ip_input_read(file->in, offset, leader, words * 4) != (int64_t)(words * 4))
        return ip_fail(IPOS_ERR_IO, "%s: cannot read chunk %llu", file->in->name, (unsigned long long)number);
    if (parts)
        expected[0] = (int32_t)index;
    if (part->tiled) {
        expected[parts] = chunk->tile_x;
        expected[parts + 1] = chunk->tile_y;
    } else {
        expected[parts] = part->data.y + chunk->y;
    }
    const int32_t packed = leader[words - 1];
    if (memcmp(leader, expected, (words - 1) * 4) != 0 || packed < 0)
        return ip_fail(IPOS_ERR_FORMAT, "%s: chunk %llu is not where the chunk table says", file->in->name, (unsigned long long)number);
    chunk->offset = offset + words * 4;
    chunk->packed = (uint64_t)packed;
    if (chunk->packed > file->in->size - chunk->offset)
        return ip_fail(IPOS_ERR_FORMAT, "%s: the file ends within chunk %llu", file->in->name, (unsigned long long)number);
    if (!plausible(part->compression, chunk->packed, chunk->unpacked))
        return ip_fail(IPOS_ERR_FORMAT, "%s: chunk %llu has %d bytes, which cannot be %llu bytes of pixels in %s compression", file->in->name,
            (unsigned long long)number, packed, (unsigned long long)chunk->unpacked, ip_exr_compression_name(part->compression));
    return IPOS_OK;
}

ipos_status ip_exr_chunks(const ip_exr_file *file, size_t index, ip_exr_chunk **chunks, uint64_t *count) {
    const ip_exr_part *part = &file->parts[index];
    *chunks = NULL;
    *count = ip_exr_level_chunks(part); /* they come first in the table, whatever the levels */
    if (ip_exr_largest_chunk(part) > LARGEST_CHUNK)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: a chunk of %llu MiB, at most 1 GiB is read", file->in->name,
            (unsigned long long)(ip_exr_largest_chunk(part) >> 20));
    ip_exr_chunk *all = ip_calloc((size_t)*count, sizeof *all);
    if (!all)
        return IPOS_ERR_NO_MEMORY;
    uint64_t offsets[512];
    ipos_status status = IPOS_OK;
    for (uint64_t i = 0; i < *count && status == IPOS_OK; i++) {
        if (i % IP_COUNT(offsets) == 0) {
            size_t bytes = (size_t)IP_MIN(*count - i, (uint64_t)IP_COUNT(offsets)) * 8;
            if (ip_input_read(file->in, part->table_offset + 8 * i, offsets, bytes) != (int64_t)bytes) {
                status = ip_fail(IPOS_ERR_IO, "%s: cannot read the chunk table", file->in->name);
                break;
            }
        }
        ip_exr_chunk_place(part, i, &all[i]);
        status = check_leader(file, index, i, offsets[i % IP_COUNT(offsets)], &all[i]);
    }
    if (status == IPOS_OK)
        *chunks = all;
    else
        ip_free(all);
    return status;
}

/* The run of a channel's samples on one line of a chunk; 0 where it has none on that line. */
static size_t line_of(const ip_exr_channel *c, const ip_exr_chunk *chunk, int32_t y, const ip_channel *plane, uint8_t **samples) {
    if (y % c->ys)
        return 0;
    *samples = plane->data + (ptrdiff_t)(y / c->ys) * plane->row_stride + (ptrdiff_t)(chunk->x / c->xs) * plane->pixel_stride;
    return (size_t)(chunk->width / c->xs);
}

void ip_exr_scatter(const ip_exr_part *part, const ip_exr_chunk *chunk, const uint8_t *bytes, ipos_frame *frame, const size_t *order) {
    for (int32_t y = chunk->y; y < chunk->y + chunk->height; y++) {
        for (size_t i = 0; i < part->channel_count; i++) {
            const ip_channel *plane = &frame->channels[order[i]];
            const size_t size = part->channels[i].type == IP_EXR_HALF ? 2 : 4;
            uint8_t *to = NULL;
            size_t n = line_of(&part->channels[i], chunk, y, plane, &to);
            if (plane->pixel_stride == (ptrdiff_t)size && n > 0)
                memcpy(to, bytes, n * size);
            else
                for (size_t x = 0; x < n; x++)
                    memcpy(to + (ptrdiff_t)x * plane->pixel_stride, bytes + x * size, size);
            bytes += n * size;
        }
    }
}

void ip_exr_gather(const ip_exr_part *part, const ip_exr_chunk *chunk, uint8_t *bytes, const ipos_frame *frame, const size_t *order) {
    for (int32_t y = chunk->y; y < chunk->y + chunk->height; y++) {
        for (size_t i = 0; i < part->channel_count; i++) {
            const ip_channel *plane = &frame->channels[order[i]];
            const size_t size = part->channels[i].type == IP_EXR_HALF ? 2 : 4;
            uint8_t *from = NULL;
            size_t n = line_of(&part->channels[i], chunk, y, plane, &from);
            if (plane->pixel_stride == (ptrdiff_t)size && n > 0)
                memcpy(bytes, from, n * size);
            else
                for (size_t x = 0; x < n; x++)
                    memcpy(bytes + x * size, from + (ptrdiff_t)x * plane->pixel_stride, size);
            bytes += n * size;
        }
    }
}
