/* A missing frame, from a folder of dailies: inbetween_project PROJECT FOOTAGE FRAME
 * Makes the project, records the footage, makes the frame in several ways, writes the best one as frame.png. */
#include <interpos/interpos.h>
#include <stdio.h>

static int32_t show(void *user, double done, double remaining, const char *stage, const char *json)
{
    (void)user, (void)remaining, (void)json;
    fprintf(stderr, "\r%3.0f%% %.60s\033[K", done * 100, stage);
    return 0;
}

int main(int argc, char **argv)
{
    ipos_context *context = NULL;
    ipos_project *project = NULL;
    ipos_operation *work = NULL;
    ipos_frame *frame = NULL;
    ipos_clip_config clip = {.struct_size = sizeof clip, .name = "shot", .owner = "me", .licence = "production-owned",
        .training = IPOS_TRAINING_ALLOWED, .encoding = "rec709", .rate = {24, 1}};
    ipos_write_config png = {.struct_size = sizeof png, .format = "png"};

    if (argc != 4) {
        fprintf(stderr, "use: inbetween_project PROJECT FOOTAGE FRAME\n");
        return 2;
    }
    const int failed = ipos_context_create(NULL, &context)
        || ipos_project_create(context, argv[1], NULL, &project)
        || ipos_project_ingest(project, argv[2], &clip, show, NULL)
        || ipos_operation_create(project, "inbetween", &work)
        || ipos_operation_set_clip(work, "shot")
        || ipos_operation_set_frames(work, argv[3])
        || ipos_operation_run(work, show, NULL)
        || ipos_operation_result_frame(work, 0, 0, 0, NULL, NULL, &frame)
        || ipos_frame_write(&frame, 1, "frame.png", &png);

    fprintf(stderr, "\n");
    if (failed)
        fprintf(stderr, "inbetween_project: %s\n", ipos_last_error());
    else
        printf("frame.png: frame %s in the best of %zu ways; the project holds all of them\n", argv[3], ipos_operation_result_count(work));
    ipos_frame_release(frame);
    ipos_operation_release(work);
    ipos_project_release(project);
    ipos_context_release(context);
    return failed;
}
