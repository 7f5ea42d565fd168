/* Images whatever their format: the first bytes decide when reading, the configuration or the extension when writing. */
#include "format.h"

static ipos_status open_input(const char *path, const void *bytes, size_t size, ip_input *in, const ip_image_format **format) {
    IP_TRY(path ? ip_input_open(path, in) : ip_input_memory(bytes, size, in));
    uint8_t head[64];
    int64_t n = ip_input_read(in, 0, head, sizeof head);
    *format = n > 0 ? ip_format_of_bytes(head, (size_t)n) : NULL;
    if (*format)
        return IPOS_OK;
    ipos_status status = IPOS_ERR_IO;
    if (n >= 0)
        status = ip_fail(IPOS_ERR_FORMAT,
            n ? "%s: not an image this version reads (PNG, TIFF, OpenEXR, JPEG, DPX)" : "%s: is empty", in->name);
    ip_input_close(in);
    return status;
}

ipos_status ip_image_read(const ip_io_env *env, const char *path, const void *bytes, size_t size, int part, ipos_frame **out) {
    *out = NULL;
    ip_input in;
    const ip_image_format *format = NULL;
    IP_TRY(open_input(path, bytes, size, &in, &format));
    ipos_status status = part < 0 ? ip_fail(IPOS_ERR_ARGUMENT, "%s: part %d, expected 0 or more", in.name, part)
                                  : format->read(env, &in, part, out);
    ip_input_close(&in);
    return status;
}

void ip_frames_free(ipos_frame **frames, size_t count) {
    for (size_t i = 0; i < count; i++)
        ipos_frame_release(frames[i]);
    ip_free(frames);
}

static ipos_status count_parts(const ip_io_env *env, const ip_input *in, const ip_image_format *format, int *parts) {
    ip_image_header header = {0};
    ipos_status status = format->info(env, in, 0, &header);
    *parts = IP_MAX(header.parts, 1);
    ip_header_free(&header);
    return status;
}

ipos_status ip_image_read_parts(const ip_io_env *env, const char *path, const void *bytes, size_t size, int first, ipos_frame ***frames, size_t *count) {
    *frames = NULL;
    *count = 0;
    ip_input in;
    const ip_image_format *format = NULL;
    int parts = 0;
    IP_TRY(open_input(path, bytes, size, &in, &format));
    ipos_status status = count_parts(env, &in, format, &parts);
    if (status == IPOS_OK && parts > first && !(*frames = ip_calloc((size_t)(parts - first), sizeof **frames)))
        status = IPOS_ERR_NO_MEMORY;
    for (int part = first; part < parts && status == IPOS_OK; part++) {
        status = format->read(env, &in, part, &(*frames)[*count]);
        *count += status == IPOS_OK;
    }
    ip_input_close(&in);
    if (status != IPOS_OK) {
        ip_frames_free(*frames, *count);
        *frames = NULL;
        *count = 0;
    }
    return status;
}

ipos_status ip_image_info(const ip_io_env *env, const char *path, int part, const char **format_name, ip_image_header *header) {
    memset(header, 0, sizeof *header);
    ip_input in;
    const ip_image_format *format = NULL;
    IP_TRY(open_input(path, NULL, 0, &in, &format));
    ipos_status status = format->info(env, &in, part, header);
    ip_input_close(&in);
    if (status != IPOS_OK)
        ip_header_free(header);
    *format_name = format->name;
    return status;
}

static const ip_image_format *format_for_writing(const ipos_write_config *config, const char *path) {
    const ip_image_format *format = NULL;
    if (config->format) {
        format = ip_format_of_name(config->format);
        if (!format)
            ip_fail(IPOS_ERR_ARGUMENT, "image format \"%s\" is unknown, expected png, tiff or exr", config->format);
    } else if (path) {
        format = ip_format_of_path(path);
        if (!format)
            ip_fail(IPOS_ERR_ARGUMENT, "%s: the extension names no image format, expected .png, .tif or .exr", path);
    } else {
        ip_fail(IPOS_ERR_ARGUMENT, "writing to memory needs a format: png, tiff or exr");
    }
    return format;
}

ipos_status ip_image_write(
    ipos_frame *const *frames, size_t count, const ipos_write_config *config, const char *path, void **bytes, size_t *size) {
    if (bytes)
        *bytes = NULL;
    if (size)
        *size = 0;
    const ipos_write_config none = {.struct_size = sizeof none};
    if (!config)
        config = &none;
    if (!frames || count == 0)
        return ip_fail(IPOS_ERR_ARGUMENT, "no frame to write");
    const ip_image_format *format = format_for_writing(config, path);
    if (!format)
        return IPOS_ERR_ARGUMENT;
    ip_output out;
    IP_TRY(ip_output_open(path, &out));
    ipos_status status = format->write(frames, count, config, &out);
    if (status == IPOS_OK)
        return ip_output_finish(&out, bytes, size);
    ip_output_discard(&out);
    return status;
}
