/* Whatever bytes: an image of some format, or a status. What was read is written again and read back. */
#include "format.h"
#include "fuzz.h"

enum { LIMIT = 64 << 20, REWRITE_PIXELS = 1 << 16 };

static void write_again(ipos_frame *frame, const ip_io_env *env, const char *format) {
    const ipos_write_config config = {.struct_size = sizeof config, .format = format};
    void *bytes = NULL;
    size_t size = 0;
    ipos_frame *back = NULL;
    if ((int64_t)frame->data_window.width * frame->data_window.height > REWRITE_PIXELS ||
        ip_image_write(&frame, 1, &config, NULL, &bytes, &size) != IPOS_OK)
        return;
    /* Lossy EXR compressions aside, what we wrote must be readable; they too may only fail for want of memory. */
    if (ip_image_read(env, NULL, bytes, size, 0, &back) == IPOS_ERR_FORMAT)
        __builtin_trap();
    ipos_frame_release(back);
    ip_free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const ip_io_env env = {.memory_limit = LIMIT, .ffmpeg_path = "/dev/null"};
    const ip_image_format *format = ip_format_of_bytes(data, size < 64 ? size : 64);
    if (!format || strcmp(format->name, "dpx") == 0)
        return 0; /* DPX is ffmpeg's to read, in a process of its own */
    for (int part = 0; part < 2; part++) {
        ipos_frame *frame = NULL;
        if (ip_image_read(&env, NULL, data, size, part, &frame) == IPOS_OK && format->write)
            write_again(frame, &env, format->name);
        ipos_frame_release(frame);
    }
    ip_input in;
    ip_image_header header = {0};
    if (ip_input_memory(data, size, &in) == IPOS_OK)
        (void)!format->info(&env, &in, 0, &header);
    ip_header_free(&header);
    ip_input_close(&in);
    return 0;
}
