/* As an effects host embeds it: frames come from a callback, results go back as frames. inbetween_host PROJECT
 * The clip is drawn here: a bright disc that moves 3 pixels a frame; frame 5 is missing. */
#include <interpos/interpos.h>
#include <stdio.h>

enum { WIDTH = 192, HEIGHT = 128 };

static void draw(ipos_frame *frame, int64_t number)
{
    ipos_plane plane;

    for (size_t c = 0; c < 3 && ipos_frame_channel(frame, c, NULL, &plane) == IPOS_OK; c++)
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++) {
                const int dx = x - 60 - 3 * (int)number, dy = y - 64;
                float *sample = (float *)(void *)((char *)plane.data + y * plane.row_stride + x * plane.pixel_stride);
                *sample = dx * dx + dy * dy < 900 ? 0.8f - 0.2f * (float)c : 0.1f + 0.002f * (float)((x ^ y) & 31);
            }
}

static ipos_status fetch(void *user, const char *clip, int64_t number, const char *channels, ipos_frame **out)
{
    static const ipos_channel rgb[] = {{"R", IPOS_F32, 1, 1}, {"G", IPOS_F32, 1, 1}, {"B", IPOS_F32, 1, 1}};
    const ipos_box window = {0, 0, WIDTH, HEIGHT};
    ipos_status status = ipos_frame_create(user, &window, NULL, rgb, 3, out); /* or ipos_frame_wrap: the host's own memory */

    (void)clip, (void)channels;
    if (status == IPOS_OK)
        draw(*out, number);
    return status;
}

int main(int argc, char **argv)
{
    ipos_context *context = NULL;
    ipos_project *project = NULL;
    ipos_operation *work = NULL;
    ipos_frame *frame = NULL;
    ipos_result_info best = {.struct_size = sizeof best};
    ipos_host_clip clip = {.struct_size = sizeof clip, .name = "comp-7", .first = 0, .last = 10, .rate = {24, 1}, .encoding = "linear",
        .owner = "me", .licence = "production-owned", .training = IPOS_TRAINING_DENIED};
    double confidence = 0;

    if (argc != 2) {
        fprintf(stderr, "use: inbetween_host PROJECT (a new folder)\n");
        return 2;
    }
    const int failed = ipos_context_create(NULL, &context)
        || ipos_project_create(context, argv[1], NULL, &project) /* holds models, permissions, the ledger */
        || ipos_operation_create(project, "inbetween", &work)
        || ipos_operation_set_host_clip(work, &clip, fetch, context)
        || ipos_operation_set_frames(work, "5")
        || ipos_operation_run(work, NULL, NULL)
        || ipos_operation_result(work, 0, &best)
        || ipos_operation_result_frame(work, 0, 0, 0, NULL, &confidence, &frame);

    if (failed)
        fprintf(stderr, "inbetween_host: %s\n", ipos_last_error());
    else
        printf("draft %s: \"%s\", confidence %.2f, %zu channels\n", best.option, best.title, confidence, ipos_frame_channel_count(frame));
    ipos_frame_release(frame);
    ipos_operation_release(work);
    ipos_project_release(project);
    ipos_context_release(context);
    return failed;
}
