#include "attribute_pack.h"
#include "color.h"

static void add_part(ip_buffer *out, const void *bytes, size_t size) {
    uint8_t head[4] = {(uint8_t)size, (uint8_t)(size >> 8), (uint8_t)(size >> 16), (uint8_t)(size >> 24)};
    ip_buffer_add(out, head, 4);
    ip_buffer_add(out, bytes, size);
}

void ip_pack_add(ip_buffer *out, const char *name, const char *type, const void *bytes, size_t size) {
    add_part(out, name, strlen(name));
    add_part(out, type, strlen(type));
    add_part(out, bytes, size);
}

void ip_pack_attributes(const ipos_frame *frame, const char *own, const char *except, ip_buffer *out) {
    for (size_t i = 0; i < frame->attribute_count; i++) {
        const ip_attribute *a = &frame->attributes[i];
        if (strncmp(a->type, own, strlen(own)) != 0 && !ip_in_list(except, a->name) && a->size <= INT32_MAX)
            ip_pack_add(out, a->name, a->type, a->bytes, a->size);
    }
}

typedef struct part {
    const uint8_t *bytes;
    size_t size;
} part;

static bool take_part(const uint8_t **at, const uint8_t *end, part *out) {
    if (end - *at < 4)
        return false;
    const uint8_t *b = *at;
    size_t size = (size_t)b[0] | (size_t)b[1] << 8 | (size_t)b[2] << 16 | (size_t)b[3] << 24;
    if (size > (size_t)(end - b) - 4)
        return false;
    *out = (part){b + 4, size};
    *at = b + 4 + size;
    return true;
}

static bool take_text(const part *from, char out[256]) {
    if (from->size == 0 || from->size > 255 || memchr(from->bytes, 0, from->size))
        return false;
    memcpy(out, from->bytes, from->size);
    out[from->size] = 0;
    return true;
}

static void take_encoding(const part *from, ip_image_header *header) {
    char name[256];
    if (take_text(from, name) && ip_encoding_find(name))
        snprintf(header->encoding, sizeof header->encoding, "%.31s", name);
}

ipos_status ip_unpack_attributes(const void *bytes, size_t size, ip_image_header *header) {
    enum { LIMIT = 4096 };
    const uint8_t *at = bytes, *end = at + size;
    for (int count = 0; count < LIMIT; count++) {
        part parts[3];
        char name[256], type[256];
        for (int i = 0; i < 3; i++)
            if (!take_part(&at, end, &parts[i]))
                return IPOS_OK;
        if (!take_text(&parts[0], name) || !take_text(&parts[1], type))
            continue;
        if (strcmp(name, IP_PACK_ENCODING) == 0)
            take_encoding(&parts[2], header);
        else
            IP_TRY(ip_header_set_attribute(header, name, type, parts[2].bytes, parts[2].size));
    }
    return IPOS_OK;
}
