#include "attribute_pack.h"
#include "png_parts.h"
#include <stdlib.h>
#include <zlib.h>

enum { CHUNK_LIMIT = 64 << 20, KEEP_LIMIT = 128 << 20, COUNT_LIMIT = 100000, KEPT_LIMIT = 1000 };

uint32_t ip_png_u32(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static const char *cicp_encoding(const uint8_t *c) {
    if (c[0] != 1 || c[2] != 0 || c[3] != 1) /* Rec.709 primaries, RGB, full range */
        return "";
    switch (c[1]) {
    case 1: case 6: case 14: case 15: return "rec709";
    case 4: return "gamma2.2";
    case 8: return "linear";
    case 13: return "srgb";
    default: return "";
    }
}

static bool rec709_primaries(const uint8_t *chrm) {
    static const uint32_t expected[8] = {31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000};
    for (int i = 0; i < 8; i++)
        if (labs((long)ip_png_u32(chrm + 4 * i) - (long)expected[i]) > 200)
            return false;
    return true;
}

const char *ip_png_encoding(ip_png_chunk_fn get, const void *user) {
    size_t n = 0;
    const uint8_t *chunk = get(user, "cICP", &n);
    if (chunk && n == 4)
        return cicp_encoding(chunk);
    if (get(user, "iCCP", &n))
        return "";
    if (get(user, "sRGB", &n))
        return "srgb";
    const uint8_t *chrm = get(user, "cHRM", &n);
    if (chrm && (n != 32 || !rec709_primaries(chrm)))
        return "";
    chunk = get(user, "gAMA", &n);
    if (chunk && n == 4 && ip_png_u32(chunk) == 45455)
        return "gamma2.2";
    if (chunk && n == 4 && ip_png_u32(chunk) == 100000)
        return "linear";
    return "";
}

static const uint8_t *header_chunk(const void *user, const char *chunk, size_t *size) {
    const ip_image_header *header = user;
    for (size_t i = 0; i < header->attribute_count; i++) {
        const ip_attribute *a = &header->attributes[i];
        if (strncmp(a->name, "png:", 4) == 0 && strcmp(a->name + 4, chunk) == 0) {
            *size = a->size;
            return a->bytes;
        }
    }
    return NULL;
}

/* Chunks that describe samples in a form we do not keep: the palette and its kin, the further frames of an animation. */
static bool keeps(const char *type, const ip_png_layout *layout) {
    static const char *const dropped[] = {"tRNS", "hIST", "acTL", "fcTL", "fdAT"};
    for (size_t i = 0; i < IP_COUNT(dropped); i++)
        if (strcmp(type, dropped[i]) == 0)
            return false;
    return strcmp(type, "bKGD") != 0 || (layout->color_type != 3 && layout->depth >= 8);
}

static ipos_status keep_chunk(ip_image_header *header, const char *type, const uint8_t *bytes, size_t size) {
    char kind[16], name[32];
    int same = 1;
    snprintf(kind, sizeof kind, "png:%s", type);
    for (size_t i = 0; i < header->attribute_count; i++)
        same += strcmp(header->attributes[i].type, kind) == 0;
    /* Several tEXt, say: names count up, types stay. */
    snprintf(name, sizeof name, same > 1 ? "%s.%d" : "%s", kind, same);
    return ip_header_set_attribute(header, name, kind, bytes, size);
}

static ipos_status read_ihdr(const ip_input *in, const uint8_t *b, ip_png_layout *layout) {
    layout->width = ip_png_u32(b);
    layout->height = ip_png_u32(b + 4);
    layout->depth = b[8];
    layout->color_type = b[9];
    layout->interlace = b[12];
    static const uint8_t depths[7] = {1 | 2 | 4 | 8 | 16, 0, 8 | 16, 1 | 2 | 4 | 8, 8 | 16, 0, 8 | 16};
    uint8_t d = layout->depth;
    bool power = d && d <= 16 && (d & (d - 1)) == 0;
    if (layout->color_type > 6 || !power || !(depths[layout->color_type] & d) || b[10] || b[11] || b[12] > 1)
        return ip_fail(
            IPOS_ERR_FORMAT, "%s: PNG header is damaged (depth %d, colour type %d, interlace %d)", in->name, d, b[9], b[12]);
    if (!layout->width || !layout->height || layout->width > INT32_MAX || layout->height > INT32_MAX)
        return ip_fail(IPOS_ERR_FORMAT, "%s: PNG of %u x %u pixels", in->name, layout->width, layout->height);
    layout->color = (layout->color_type & 2) != 0;
    layout->has_alpha = (layout->color_type & 4) != 0;
    return IPOS_OK;
}

/* One chunk's bytes with its type in front, CRC checked. NULL: damaged (IPOS_OK) or failed. */
static ipos_status load_chunk(const ip_input *in, uint64_t at, uint32_t length, uint8_t **out) {
    *out = NULL;
    uint8_t *bytes = ip_alloc((size_t)length + 8);
    if (!bytes)
        return IPOS_ERR_NO_MEMORY;
    int64_t got = ip_input_read(in, at + 4, bytes, (size_t)length + 8);
    bool good = got == (int64_t)length + 8 && crc32(crc32(0, NULL, 0), bytes, length + 4) == ip_png_u32(bytes + length + 4);
    if (good)
        *out = bytes;
    else
        ip_free(bytes);
    return got < 0 ? IPOS_ERR_IO : IPOS_OK;
}

static ipos_status visit(const ip_input *in, uint64_t at, uint32_t length, const char *type, ip_png_layout *layout,
    ip_image_header *header, uint64_t *kept) {
    if (strcmp(type, "IDAT") == 0) {
        layout->idat_bytes += length;
        return IPOS_OK;
    }
    if (strcmp(type, "tRNS") == 0)
        layout->has_alpha = true;
    bool ancillary = (type[0] & 32) != 0;
    if (!ancillary && strcmp(type, "IHDR") != 0)
        return IPOS_OK; /* PLTE and critical strangers are libpng's to judge */
    if (ancillary &&
        (!keeps(type, layout) || length > CHUNK_LIMIT || *kept + length > KEEP_LIMIT || header->attribute_count >= KEPT_LIMIT))
        return IPOS_OK;
    uint8_t *bytes = NULL;
    IP_TRY(load_chunk(in, at, length, &bytes));
    if (!bytes) /* a stray bit in metadata costs that chunk, in the header the file */
        return ancillary ? IPOS_OK : ip_fail(IPOS_ERR_FORMAT, "%s: PNG header fails its checksum", in->name);
    *kept += length;
    ipos_status status = ancillary ? IPOS_OK : read_ihdr(in, bytes + 4, layout);
    if (status == IPOS_OK)
        status = strcmp(type, "ipAt") == 0 ? ip_unpack_attributes(bytes + 4, length, header)
                                           : keep_chunk(header, type, bytes + 4, length);
    ip_free(bytes);
    return status;
}

void ip_png_chromaticities(const uint8_t *chrm, float xy[8]) {
    for (int i = 0; i < 8; i++) /* white first in PNG, last in OpenEXR */
        xy[(i + 6) % 8] = (float)(ip_png_u32(chrm + 4 * i) / 100000.0);
}

static ipos_status describe(const ip_png_layout *layout, ip_image_header *header) {
    size_t n = 0;
    header->parts = 1;
    header->data_window = (ipos_box){0, 0, (int32_t)layout->width, (int32_t)layout->height};
    header->display_window = header->data_window;
    int32_t type = layout->depth == 16 ? IPOS_U16 : IPOS_U8;
    const char *names = layout->color ? "RGB" : "Y";
    for (; *names; names++)
        IP_TRY(ip_header_add_channel(header, (char[2]){*names, 0}, type, 1, 1));
    if (layout->has_alpha)
        IP_TRY(ip_header_add_channel(header, "A", type, 1, 1));
    if (!header->encoding[0]) /* ipAt has the first word */
        snprintf(header->encoding, sizeof header->encoding, "%s", ip_png_encoding(header_chunk, header));
    const uint8_t *chrm = header_chunk(header, "cHRM", &n);
    if (chrm && n == 32 && !ip_header_attribute(header, "chromaticities")) {
        float xy[8];
        ip_png_chromaticities(chrm, xy);
        IP_TRY(ip_header_set_attribute(header, "chromaticities", "chromaticities", xy, sizeof xy));
    }
    return IPOS_OK;
}

ipos_status ip_png_scan(const ip_input *in, ip_png_layout *layout, ip_image_header *header) {
    memset(layout, 0, sizeof *layout);
    uint64_t at = 8, kept = 0;
    for (int count = 0;; count++) {
        uint8_t head[8];
        int64_t got = ip_input_read(in, at, head, sizeof head);
        if (got < 0)
            return IPOS_ERR_IO;
        uint32_t length = got == 8 ? ip_png_u32(head) : 0;
        if (got < 8 || length > INT32_MAX || at + 12 + length > in->size)
            return ip_fail(IPOS_ERR_FORMAT, "%s: PNG is cut off after %llu bytes", in->name, (unsigned long long)at);
        char type[5] = {(char)head[4], (char)head[5], (char)head[6], (char)head[7], 0};
        for (int i = 0; i < 4; i++)
            if (!((type[i] >= 'A' && type[i] <= 'Z') || (type[i] >= 'a' && type[i] <= 'z')))
                return ip_fail(IPOS_ERR_FORMAT, "%s: PNG has no valid chunk at byte %llu", in->name, (unsigned long long)at);
        if ((count == 0) != (strcmp(type, "IHDR") == 0) || (count == 0 && length != 13) || count > COUNT_LIMIT)
            return ip_fail(IPOS_ERR_FORMAT, "%s: PNG chunks are out of order", in->name);
        if (strcmp(type, "IEND") == 0)
            break;
        IP_TRY(visit(in, at, length, type, layout, header, &kept));
        at += (uint64_t)length + 12;
    }
    if (layout->idat_bytes == 0)
        return ip_fail(IPOS_ERR_FORMAT, "%s: PNG holds no pixels", in->name);
    return describe(layout, header);
}
