/* Format: u64 little-endian header length, that many bytes of JSON (may end in spaces), data. Offsets count from the data's start. */
#include "model_header.h"
#include <stdlib.h>

#define HEADER_MOST 100000000u
#define ALIGNMENT 64

typedef struct ip_range {
    uint64_t begin, end;
} ip_range;

static unsigned type_bytes(const char *type)
{
    static const struct {
        const char *name;
        unsigned bytes;
    } types[] = {{"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"I64", 8}, {"I32", 4}, {"I16", 2}, {"I8", 1}, {"U8",
        1}, {"BOOL", 1}};

    for (size_t i = 0; type && i < IP_COUNT(types); i++)
        if (strcmp(type, types[i].name) == 0)
            return types[i].bytes;
    return 0;
}

static bool tensor_range(const json_t *tensor, uint64_t room, ip_range *range)
{
    const json_t *shape = json_object_get(tensor, "shape"), *offsets = json_object_get(tensor, "data_offsets"), *n;
    uint64_t bytes = type_bytes(json_string_value(json_object_get(tensor, "dtype")));
    json_int_t begin, end;
    size_t i;

    if (!bytes || !json_is_array(shape) || json_array_size(offsets) != 2)
        return false;
    json_array_foreach(shape, i, n)
        if (!json_is_integer(n) || json_integer_value(n) < 0 || __builtin_mul_overflow(bytes, (uint64_t)json_integer_value(n), &bytes))
            return false;
    if (!json_is_integer(json_array_get(offsets, 0)) || !json_is_integer(json_array_get(offsets, 1)))
        return false;
    begin = json_integer_value(json_array_get(offsets, 0));
    end = json_integer_value(json_array_get(offsets, 1));
    if (begin < 0 || end < begin || (uint64_t)end > room || (uint64_t)(end - begin) != bytes)
        return false;
    *range = (ip_range){(uint64_t)begin, (uint64_t)end};
    return true;
}

static int by_begin(const void *a, const void *b)
{
    const ip_range *x = a, *y = b;

    return x->begin != y->begin ? (x->begin > y->begin) - (x->begin < y->begin) : (x->end > y->end) - (x->end < y->end);
}

static ipos_status check_tensors(json_t *header, uint64_t room)
{
    size_t count = 0, n = json_object_size(header);
    ip_range *ranges = ip_calloc(n + 1, sizeof *ranges);
    const char *name;
    json_t *tensor;
    uint64_t at = 0;
    ipos_status status = ranges ? IPOS_OK : ip_no_memory(n * sizeof *ranges);

    if (ranges) {
        json_object_foreach(header, name, tensor) {
            if (strcmp(name, "__metadata__") == 0)
                continue;
            if (!tensor_range(tensor, room, &ranges[count++])) {
                status = ip_fail(IPOS_ERR_FORMAT, "safetensors: tensor \"%s\": type, shape and range do not fit together", name);
                break;
            }
        }
    }
    if (status == IPOS_OK) {
        qsort(ranges, count, sizeof *ranges, by_begin);
        for (size_t i = 0; i < count && status == IPOS_OK; at = ranges[i++].end)
            if (ranges[i].begin != at)
                status = ip_fail(IPOS_ERR_FORMAT, "safetensors: tensors overlap or leave a gap at byte %llu",
                    (unsigned long long)at);
        if (status == IPOS_OK && at != room)
            status = ip_fail(IPOS_ERR_FORMAT, "safetensors: %llu bytes of tensors in a file that holds %llu",
                (unsigned long long)at,
                (unsigned long long)room);
    }
    ip_free(ranges);
    return status;
}

ipos_status ip_model_header_parse(const void *bytes, size_t size, json_t **header, size_t *data)
{
    const uint8_t *at = bytes;
    uint64_t length = 0;
    json_error_t error;

    *header = NULL;
    if (size < 8)
        return ip_fail(IPOS_ERR_FORMAT, "safetensors: %zu bytes are too few", size);
    for (int i = 7; i >= 0; i--)
        length = length << 8 | at[i];
    if (length > HEADER_MOST || length > size - 8)
        return ip_fail(IPOS_ERR_FORMAT, "safetensors: header of %llu bytes in a file of %zu", (unsigned long long)length, size);
    *header = json_loadb((const char *)at + 8, (size_t)length, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(*header)) {
        json_decref(*header);
        *header = NULL;
        return ip_fail(IPOS_ERR_FORMAT, "safetensors: the header is no JSON object (%s)", error.text);
    }
    *data = 8 + (size_t)length;
    ipos_status status = check_tensors(*header, size - *data);
    if (status != IPOS_OK) {
        json_decref(*header);
        *header = NULL;
    }
    return status;
}

ipos_status ip_model_header_with_card(const void *bytes, size_t size, const char *card, void **out, size_t *out_size)
{
    json_t *header, *metadata;
    size_t data, length;
    char *text = NULL;
    uint8_t *made;

    *out = NULL;
    IP_TRY(ip_model_header_parse(bytes, size, &header, &data));
    metadata = json_object_get(header, "__metadata__");
    if (!json_is_object(metadata)) {
        metadata = json_object();
        json_object_set_new(header, "__metadata__", metadata);
    }
    bool ok = json_object_set_new(metadata, IP_SAFETENSORS_CARD, json_string(card)) == 0;
    text = ok ? json_dumps(header, JSON_COMPACT) : NULL;
    json_decref(header);
    if (!text)
        return ip_fail(IPOS_ERR_FORMAT, "safetensors: the card cannot be put into the header");
    length = (strlen(text) + 8 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT - 8;
    if (length > HEADER_MOST) {
        free(text);
        return ip_fail(IPOS_ERR_UNSUPPORTED, "safetensors: a header of %zu bytes is over the format's limit of %u: train on fewer clips", length, HEADER_MOST);
    }
    *out_size = 8 + length + (size - data);
    made = ip_alloc(*out_size);
    if (made) {
        for (int i = 0; i < 8; i++)
            made[i] = (uint8_t)((uint64_t)length >> (8 * i));
        memset(made + 8, ' ', length);
        memcpy(made + 8, text, strlen(text));
        memcpy(made + 8 + length, (const uint8_t *)bytes + data, size - data);
    }
    free(text);
    *out = made;
    return made ? IPOS_OK : ip_no_memory(*out_size);
}

ipos_status ip_model_header_card(const void *bytes, size_t size, char **card)
{
    json_t *header;
    size_t data;

    *card = NULL;
    IP_TRY(ip_model_header_parse(bytes, size, &header, &data));
    const char *text = json_string_value(json_object_get(json_object_get(header, "__metadata__"), IP_SAFETENSORS_CARD));
    if (text)
        *card = ip_strdup(text);
    json_decref(header);
    if (!text)
        return ip_fail(IPOS_ERR_FORMAT, "safetensors: carries no model card");
    return *card ? IPOS_OK : ip_no_memory(256);
}
