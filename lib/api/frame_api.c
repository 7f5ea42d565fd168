/* Frames that need a context: their storage, files, encodings. (The context-free ones are in lib/frame/frame_public.c.) */
#include "api.h"
#include "color.h"

ipos_status ipos_frame_create(ipos_context *context, const ipos_box *data_window, const ipos_box *display_window,
    const ipos_channel *channels, size_t channel_count, ipos_frame **out)
{
    IP_OUT(out);
    IP_TRY(ip_check_context(context));
    IP_NEED(data_window);
    IP_NEED(channels);
    IP_TRY(ip_frame_new(data_window, display_window, channels, channel_count, ip_context_storage, context, out));
    ip_adopt_frame(context, *out);
    return IPOS_OK;
}

ipos_status ipos_frame_wrap(ipos_context *context, const ipos_box *data_window, const ipos_box *display_window,
    const ipos_channel *channels, const ipos_plane *planes, size_t channel_count, void (*done)(void *user), void *user,
    ipos_frame **out)
{
    IP_OUT(out);
    IP_TRY(ip_check_context(context));
    IP_NEED(data_window);
    IP_NEED(channels);
    IP_NEED(planes);
    IP_TRY(ip_frame_over(data_window, display_window, channels, planes, channel_count, done, user, out));
    ip_adopt_frame(context, *out);
    return IPOS_OK;
}

static ipos_status read_image(ipos_context *context, const char *path, const void *bytes, size_t size,
    const ipos_read_config *config, ipos_frame **out)
{
    ipos_read_config taken = {sizeof taken};
    ip_io_env env;

    if (config)
        IP_TRY(ip_take_config(&taken, sizeof taken, config, sizeof taken, "ipos_read_config"));
    if (taken.part < 0)
        return ip_fail(IPOS_ERR_ARGUMENT, "part: %d is negative", taken.part);
    ip_context_env(context, &env);
    env.memory_limit = taken.memory_limit ? taken.memory_limit : UINT64_C(4) << 30;
    ipos_status status = ip_image_read(&env, path, bytes, size, taken.part, out);
    if (status == IPOS_OK)
        ip_adopt_frame(context, *out);
    return status;
}

ipos_status ipos_frame_read(ipos_context *context, const char *path, const ipos_read_config *config, ipos_frame **out)
{
    IP_OUT(out);
    IP_TRY(ip_check_context(context));
    IP_TRY(ip_check_text(path, "path"));
    return read_image(context, path, NULL, 0, config, out);
}

ipos_status ipos_frame_read_memory(ipos_context *context, const void *bytes, size_t size, const ipos_read_config *config,
    ipos_frame **out)
{
    IP_OUT(out);
    IP_TRY(ip_check_context(context));
    IP_NEED(bytes);
    if (size == 0)
        return ip_fail(IPOS_ERR_FORMAT, "image in memory: 0 bytes");
    return read_image(context, NULL, bytes, size, config, out);
}

static ipos_status write_images(ipos_frame *const *frames, size_t count, const ipos_write_config *config, const char *path,
    void **bytes, size_t *size)
{
    ipos_write_config taken = {sizeof taken};

    IP_NEED(frames);
    if (count == 0)
        return ip_fail(IPOS_ERR_ARGUMENT, "no frame to write");
    for (size_t i = 0; i < count; i++)
        if (!frames[i])
            return ip_fail(IPOS_ERR_ARGUMENT, "frame %zu of %zu is NULL", i, count);
    if (config)
        IP_TRY(ip_take_config(&taken, sizeof taken, config, sizeof taken, "ipos_write_config"));
    if (taken.tile_width < 0 || taken.tile_height < 0 || !(taken.dwa_level >= 0))
        return ip_fail(IPOS_ERR_ARGUMENT, "tile size %dx%d, DWA level %g: must not be negative", taken.tile_width,
            taken.tile_height, (double)taken.dwa_level);
    return ip_image_write(frames, count, &taken, path, bytes, size);
}

ipos_status ipos_frame_write(ipos_frame *const *frames, size_t count, const char *path, const ipos_write_config *config)
{
    IP_TRY(ip_check_text(path, "path"));
    return write_images(frames, count, config, path, NULL, NULL);
}

ipos_status ipos_frame_write_memory(ipos_frame *const *frames, size_t count, const ipos_write_config *config, void **bytes,
    size_t *size)
{
    IP_OUT(bytes);
    IP_NEED(size);
    *size = 0;
    if (!config || config->struct_size < sizeof *config || !config->format)
        return ip_fail(IPOS_ERR_ARGUMENT, "format: writing to memory has no file name to tell it by: set \"png\", \"tiff\" or \"exr\"");
    return write_images(frames, count, config, NULL, bytes, size);
}

ipos_status ipos_media_info(ipos_context *context, const char *path, char **json)
{
    ip_io_env env;
    ip_media *media;

    IP_OUT(json);
    IP_TRY(ip_check_context(context));
    IP_TRY(ip_check_text(path, "path"));
    ip_context_env(context, &env);
    IP_TRY(ip_media_open(&env, path, &media));
    ipos_status status = ip_media_json(media, json);
    ip_media_close(media);
    return status;
}

ipos_status ipos_encodings(char **json)
{
    static const char *const kinds[] = {"display", "log", "linear", "data"};

    IP_OUT(json);
    json_t *list = json_array();
    for (size_t i = 0; i < ip_encoding_count(); i++) {
        const ip_encoding *encoding = ip_encoding_at(i);
        json_array_append_new(list, json_pack("{s:s,s:s,s:s}", "name", encoding->name, "kind", kinds[encoding->kind],
            "help", encoding->help));
    }
    return ip_json_give(list, json);
}
