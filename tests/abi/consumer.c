/* A C program outside the tree: built against the installed library through pkg-config alone. */
#include <interpos/interpos.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    const ipos_box window = {0, 0, 32, 16};
    const ipos_channel grey = {"Y", IPOS_U8, 1, 1};
    ipos_context *context = NULL;
    ipos_frame *frame = NULL, *again = NULL;
    ipos_plane plane;
    char *json = NULL;
    int failed = argc != 2 || ipos_version() != IPOS_VERSION || ipos_context_create(NULL, &context)
        || ipos_frame_create(context, &window, NULL, &grey, 1, &frame) || ipos_frame_channel(frame, 0, NULL, &plane);

    if (!failed) {
        for (int y = 0; y < 16; y++)
            memset((char *)plane.data + y * plane.row_stride, y * 16, 32);
        failed = ipos_frame_write(&frame, 1, argv[1], NULL) || ipos_frame_read(context, argv[1], NULL, &again)
            || ipos_frame_channel(again, 0, NULL, &plane) || ((unsigned char *)plane.data)[5 * plane.row_stride + 7] != 80
            || ipos_operations(&json);
    }
    if (failed)
        fprintf(stderr, "consumer: %s\n", ipos_last_error());
    else
        printf("consumer: %s with libinterpos %s\n", argv[1], ipos_version_text());
    ipos_free(json);
    ipos_frame_release(again);
    ipos_frame_release(frame);
    ipos_context_release(context);
    return failed;
}
