/* Reading and writing safetensors: 8 bytes of header length, JSON, samples. Nothing in a file is believed unchecked. */
#include "safetensors.h"

#include <stdlib.h>

enum { MAX_HEADER = 16 << 20, MAX_TENSORS = 100000 };

static size_t dtype_bytes(const char *dtype)
{
    static const struct {
        const char *name;
        size_t bytes;
    } known[] = {{"F32", 4}, {"F16", 2}, {"BF16", 2}, {"F64", 8}, {"I64", 8}, {"I32", 4}, {"I16", 2}, {"I8", 1},
        {"U64", 8}, {"U32", 4}, {"U16", 2}, {"U8", 1}, {"BOOL", 1}};
    for (size_t i = 0; i < IP_COUNT(known); i++) {
        if (strcmp(known[i].name, dtype) == 0)
            return known[i].bytes;
    }
    return 0;
}

static ipos_status read_shape(const json_t *shape, ip_st_entry *entry, uint64_t *wanted)
{
    size_t rank = json_array_size(shape);
    if (!json_is_array(shape) || rank > IP_COUNT(entry->shape))
        return ip_fail(IPOS_ERR_FORMAT, "model file: the shape of %s is not a list of at most 8 numbers", entry->name);
    uint64_t count = 1;
    for (size_t i = 0; i < rank; i++) {
        const json_t *extent = json_array_get(shape, i);
        json_int_t value = json_integer_value(extent);
        if (!json_is_integer(extent) || value < 0 || __builtin_mul_overflow(count, (uint64_t)value, &count))
            return ip_fail(IPOS_ERR_FORMAT, "model file: the shape of %s holds no sound extents", entry->name);
        entry->shape[i] = value;
    }
    entry->rank = (int32_t)rank;
    if (__builtin_mul_overflow(count, (uint64_t)dtype_bytes(entry->dtype), wanted))
        return ip_fail(IPOS_ERR_FORMAT, "model file: %s is larger than any file", entry->name);
    return IPOS_OK;
}

static ipos_status read_entry(const char *name, const json_t *item, const uint8_t *data, size_t data_size, ip_st_entry *entry)
{
    entry->name = name;
    const json_t *dtype = json_object_get(item, "dtype"), *range = json_object_get(item, "data_offsets");
    if (!json_is_object(item) || json_object_size(item) != 3 || !json_is_string(dtype))
        return ip_fail(IPOS_ERR_FORMAT, "model file: %s has not just dtype, shape and data_offsets", name);
    entry->dtype = json_string_value(dtype);
    if (dtype_bytes(entry->dtype) == 0)
        return ip_fail(IPOS_ERR_FORMAT, "model file: %s has the unknown sample type %s", name, entry->dtype);
    uint64_t wanted = 0;
    IP_TRY(read_shape(json_object_get(item, "shape"), entry, &wanted));
    const json_t *first = json_array_get(range, 0), *last = json_array_get(range, 1);
    json_int_t begin = json_integer_value(first), end = json_integer_value(last);
    if (json_array_size(range) != 2 || !json_is_integer(first) || !json_is_integer(last) || begin < 0 || end < begin ||
        (uint64_t)end > data_size)
        return ip_fail(IPOS_ERR_FORMAT, "model file: the bytes of %s lie outside the file", name);
    if ((uint64_t)(end - begin) != wanted)
        return ip_fail(IPOS_ERR_FORMAT, "model file: %s has %lld bytes, its shape needs %llu", name, (long long)(end - begin),
            (unsigned long long)wanted);
    entry->bytes = data + begin;
    entry->size = (size_t)wanted;
    return IPOS_OK;
}

static ipos_status check_metadata(const json_t *metadata)
{
    if (metadata && !json_is_object(metadata))
        return ip_fail(IPOS_ERR_FORMAT, "model file: __metadata__ is not an object");
    const char *key;
    json_t *text;
    json_object_foreach((json_t *)metadata, key, text) {
        if (!json_is_string(text))
            return ip_fail(IPOS_ERR_FORMAT, "model file: __metadata__ \"%s\" is not a text", key);
    }
    return IPOS_OK;
}

static int by_place(const void *left, const void *right)
{
    const ip_st_entry *a = left, *b = right;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? -1 : 1;
    return a->size < b->size ? -1 : a->size > b->size;
}

static ipos_status read_entries(ip_safetensors *file, const uint8_t *data, size_t data_size)
{
    size_t listed = json_object_size(file->header);
    if (listed > MAX_TENSORS)
        return ip_fail(IPOS_ERR_FORMAT, "model file: %zu tensors, more than any model has", listed);
    IP_TRY(check_metadata(json_object_get(file->header, "__metadata__")));
    file->entries = ip_calloc(listed ? listed : 1, sizeof *file->entries);
    if (!file->entries)
        return IPOS_ERR_NO_MEMORY;
    const char *name;
    json_t *item;
    json_object_foreach(file->header, name, item) {
        if (strcmp(name, "__metadata__") != 0)
            IP_TRY(read_entry(name, item, data, data_size, &file->entries[file->count++]));
    }
    qsort(file->entries, file->count, sizeof *file->entries, by_place);
    const uint8_t *place = data;
    for (size_t i = 0; i < file->count; i++) {
        if (file->entries[i].bytes != place)
            return ip_fail(IPOS_ERR_FORMAT, "model file: a gap or an overlap before %s", file->entries[i].name);
        place += file->entries[i].size;
    }
    if (place != data + data_size)
        return ip_fail(IPOS_ERR_FORMAT, "model file: %zu bytes after the last tensor", (size_t)(data + data_size - place));
    return IPOS_OK;
}

ipos_status ip_st_parse(const void *bytes, size_t size, ip_safetensors *out)
{
    *out = (ip_safetensors){0};
    const uint8_t *start = bytes;
    if (!bytes || size < 10)
        return ip_fail(IPOS_ERR_FORMAT, "model file: %zu bytes are too few", size);
    uint64_t length = 0;
    for (int i = 7; i >= 0; i--)
        length = length << 8 | start[i];
    if (length > MAX_HEADER || length > size - 8 || length < 2 || start[8] != '{')
        return ip_fail(IPOS_ERR_FORMAT, "model file: not a safetensors header");
    json_error_t error;
    out->header = json_loadb((const char *)start + 8, (size_t)length, JSON_REJECT_DUPLICATES, &error);
    ipos_status status = json_is_object(out->header)
        ? read_entries(out, start + 8 + length, size - 8 - (size_t)length)
        : ip_fail(IPOS_ERR_FORMAT, "model file: the header is no JSON object: %s", error.text);
    if (status != IPOS_OK)
        ip_st_free(out);
    return status;
}

void ip_st_free(ip_safetensors *file)
{
    json_decref(file->header);
    ip_free(file->entries);
    *file = (ip_safetensors){0};
}

const ip_st_entry *ip_st_find(const ip_safetensors *file, const char *name)
{
    for (size_t i = 0; i < file->count; i++) {
        if (strcmp(file->entries[i].name, name) == 0)
            return &file->entries[i];
    }
    return NULL;
}

const char *ip_st_metadata(const ip_safetensors *file, const char *key)
{
    return json_string_value(json_object_get(json_object_get(file->header, "__metadata__"), key));
}

static int64_t count_of(const ip_st_source *tensor)
{
    int64_t count = 1;
    for (int32_t i = 0; i < tensor->rank; i++)
        count *= tensor->shape[i];
    return count;
}

static char *header_text(const ip_st_source *tensors, size_t count, const json_t *metadata, size_t *data_size)
{
    json_t *header = json_object();
    int failed = header ? 0 : -1;
    size_t place = 0;
    if (metadata)
        failed |= json_object_set_new(header, "__metadata__", json_deep_copy(metadata));
    for (size_t i = 0; i < count; i++) {
        json_t *shape = json_array();
        for (int32_t k = 0; k < tensors[i].rank; k++)
            failed |= json_array_append_new(shape, json_integer(tensors[i].shape[k]));
        size_t end = place + (size_t)count_of(&tensors[i]) * sizeof(float);
        failed |= json_object_set_new(header, tensors[i].name,
            json_pack("{s:s, s:o, s:[I,I]}", "dtype", "F32", "shape", shape, "data_offsets", (json_int_t)place, (json_int_t)end));
        place = end;
    }
    char *text = failed ? NULL : json_dumps(header, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(header);
    *data_size = place;
    return text;
}

ipos_status ip_st_write(const ip_st_source *tensors, size_t count, const json_t *metadata,
    ipos_status (*fill)(void *user, size_t index, float *values, int64_t count), void *user, void **bytes, size_t *size)
{
    *bytes = NULL;
    *size = 0;
    size_t data_size, length;
    char *text = header_text(tensors, count, metadata, &data_size);
    if (!text)
        return ip_fail(IPOS_ERR_NO_MEMORY, "no memory for a model file's header");
    length = (strlen(text) + 8 + 63) / 64 * 64 - 8;
    uint8_t *whole = ip_aligned_alloc(64, 8 + length + data_size);
    if (whole) {
        for (int i = 0; i < 8; i++)
            whole[i] = (uint8_t)((uint64_t)length >> 8 * i);
        memset(whole + 8, ' ', length);
        memcpy(whole + 8, text, strlen(text));
    }
    free(text);
    if (!whole)
        return IPOS_ERR_NO_MEMORY;
    uint8_t *place = whole + 8 + length;
    for (size_t i = 0; i < count; i++) {
        int64_t values = count_of(&tensors[i]);
        ipos_status status = fill(user, i, (float *)(void *)place, values);
        if (status != IPOS_OK) {
            ip_free(whole);
            return status;
        }
        place += (size_t)values * sizeof(float);
    }
    *bytes = whole;
    *size = 8 + length + data_size;
    return IPOS_OK;
}
