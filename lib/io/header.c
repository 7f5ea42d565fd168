#include "format.h"

ipos_status ip_header_add_channel(ip_image_header *header, const char *name, int32_t sample_type, int32_t xs, int32_t ys) {
    ipos_channel *channels = ip_realloc(header->channels, (header->channel_count + 1) * sizeof *channels);
    if (!channels)
        return IPOS_ERR_NO_MEMORY;
    header->channels = channels;
    char *copy = ip_strdup(name);
    if (!copy)
        return IPOS_ERR_NO_MEMORY;
    channels[header->channel_count++] = (ipos_channel){copy, sample_type, xs, ys};
    return IPOS_OK;
}

static void free_attribute(ip_attribute *attribute) {
    ip_free(attribute->name);
    ip_free(attribute->type);
    ip_free(attribute->bytes);
}

ipos_status ip_header_set_attribute(ip_image_header *header, const char *name, const char *type, const void *bytes, size_t size) {
    ip_attribute made = {ip_strdup(name), ip_strdup(type), ip_alloc(size ? size : 1), size};
    if (!made.name || !made.type || !made.bytes) {
        free_attribute(&made);
        return IPOS_ERR_NO_MEMORY;
    }
    if (size)
        memcpy(made.bytes, bytes, size);
    for (size_t i = 0; i < header->attribute_count; i++) {
        if (strcmp(header->attributes[i].name, name) == 0) {
            free_attribute(&header->attributes[i]);
            header->attributes[i] = made;
            return IPOS_OK;
        }
    }
    ip_attribute *attributes = ip_realloc(header->attributes, (header->attribute_count + 1) * sizeof *attributes);
    if (!attributes) {
        free_attribute(&made);
        return IPOS_ERR_NO_MEMORY;
    }
    header->attributes = attributes;
    attributes[header->attribute_count++] = made;
    return IPOS_OK;
}

const ip_attribute *ip_header_attribute(const ip_image_header *header, const char *name) {
    for (size_t i = 0; i < header->attribute_count; i++)
        if (strcmp(header->attributes[i].name, name) == 0)
            return &header->attributes[i];
    return NULL;
}

void ip_header_free(ip_image_header *header) {
    for (size_t i = 0; i < header->channel_count; i++)
        ip_free((char *)header->channels[i].name);
    for (size_t i = 0; i < header->attribute_count; i++)
        free_attribute(&header->attributes[i]);
    ip_free(header->channels);
    ip_free(header->attributes);
    memset(header, 0, sizeof *header);
}

uint64_t ip_header_bytes(const ip_image_header *header) {
    uint64_t sum = 0;
    for (size_t i = 0; i < header->channel_count; i++) {
        const ipos_channel *c = &header->channels[i];
        uint64_t xs = c->x_sampling > 1 ? (uint64_t)c->x_sampling : 1, ys = c->y_sampling > 1 ? (uint64_t)c->y_sampling : 1;
        uint64_t row = ((uint64_t)header->data_window.width / xs + 1) * ip_sample_bytes(c->sample_type);
        uint64_t plane = 0;
        row = (row + 63) / 64 * 64;
        if (__builtin_mul_overflow(row, (uint64_t)header->data_window.height / ys + 1, &plane) ||
            __builtin_add_overflow(sum, plane, &sum))
            return UINT64_MAX;
    }
    return sum;
}

uint64_t ip_io_memory_limit(const ip_io_env *env) {
    return env && env->memory_limit ? env->memory_limit : (uint64_t)4 << 30;
}

const ip_cancel *ip_io_cancel(const ip_io_env *env) {
    return env ? env->cancel : NULL;
}

ipos_status ip_header_frame(const ip_io_env *env, const ip_image_header *header, const char *name, ipos_frame **out) {
    *out = NULL;
    if (header->data_window.width <= 0 || header->data_window.height <= 0)
        return ip_fail(
            IPOS_ERR_FORMAT, "%s: has no pixels (%d x %d)", name, header->data_window.width, header->data_window.height);
    uint64_t need = ip_header_bytes(header), limit = ip_io_memory_limit(env);
    if (need > limit)
        return ip_fail(IPOS_ERR_NO_MEMORY, "%s: %d x %d pixels of %zu channels need %llu MiB, the limit is %llu MiB", name,
            header->data_window.width, header->data_window.height, header->channel_count, (unsigned long long)(need >> 20),
            (unsigned long long)(limit >> 20));
    ipos_frame *frame = NULL;
    ipos_status status = ip_frame_new(&header->data_window, &header->display_window, header->channels, header->channel_count,
        env ? env->make : NULL, env ? env->make_user : NULL, &frame);
    if (status == IPOS_OK && header->encoding[0])
        status = ipos_frame_set_encoding(frame, header->encoding);
    for (size_t i = 0; status == IPOS_OK && i < header->attribute_count; i++) {
        const ip_attribute *a = &header->attributes[i];
        status = ipos_frame_set_attribute(frame, a->name, a->type, a->bytes, a->size);
    }
    if (status != IPOS_OK) {
        ipos_frame_release(frame);
        return ip_fail_in(status, "%s", name);
    }
    *out = frame;
    return IPOS_OK;
}
