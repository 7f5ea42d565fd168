/* Reads an image, says what it holds, writes it again in another format: read_write IN OUT */
#include <interpos/interpos.h>
#include <stdio.h>

static void describe(const ipos_frame *frame)
{
    static const char *const types[] = {"", "u8", "u16", "half", "float", "uint"};
    ipos_box data, display;
    ipos_channel channel;
    const char *name, *type;
    size_t size;

    if (ipos_frame_windows(frame, &data, &display) == IPOS_OK)
        printf("%dx%d at %d,%d in %dx%d, encoding '%s'\n", data.width, data.height, data.x, data.y, display.width, display.height,
            ipos_frame_encoding(frame));
    for (size_t i = 0; i < ipos_frame_channel_count(frame); i++)
        if (ipos_frame_channel(frame, i, &channel, NULL) == IPOS_OK)
            printf("channel %s: %s\n", channel.name, types[channel.sample_type]);
    for (size_t i = 0; i < ipos_frame_attribute_count(frame); i++)
        if (ipos_frame_attribute(frame, i, &name, &type, NULL, &size) == IPOS_OK)
            printf("attribute %s: %s, %zu bytes\n", name, type, size);
}

int main(int argc, char **argv)
{
    ipos_context *context = NULL;
    ipos_frame *frame = NULL;

    if (argc != 3) {
        fprintf(stderr, "use: read_write IN OUT\n");
        return 2;
    }
    int failed = ipos_context_create(NULL, &context) || ipos_frame_read(context, argv[1], NULL, &frame);
    if (!failed) {
        describe(frame);
        failed = ipos_frame_write(&frame, 1, argv[2], NULL) != IPOS_OK;
    }
    if (failed)
        fprintf(stderr, "read_write: %s\n", ipos_last_error());
    ipos_frame_release(frame);
    ipos_context_release(context);
    return failed;
}
