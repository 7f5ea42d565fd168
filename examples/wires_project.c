/* A wire out of a shot, from one rough stroke: wires_project PROJECT FOOTAGE STROKES FRAMES
 * STROKES is a stroke file (JSON or SVG). Makes the project, records the footage, removes the wire in several ways, and writes the
 * first picture of the best one as clean.png and its matte and evidence as evidence.exr. */
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
    ipos_frame *picture = NULL, *evidence = NULL;
    char *strokes = NULL;
    ipos_clip_config clip = {.struct_size = sizeof clip, .name = "shot", .owner = "me", .licence = "production-owned",
        .training = IPOS_TRAINING_ALLOWED, .encoding = "rec709", .rate = {24, 1}};
    ipos_write_config png = {.struct_size = sizeof png, .format = "png"}, exr = {.struct_size = sizeof exr, .format = "exr"};

    if (argc != 5) {
        fprintf(stderr, "use: wires_project PROJECT FOOTAGE STROKES FRAMES\n");
        return 2;
    }
    const int failed = ipos_strokes_read(argv[3], 1, &strokes)
        || ipos_context_create(NULL, &context)
        || ipos_project_create(context, argv[1], NULL, &project)
        || ipos_project_ingest(project, argv[2], &clip, show, NULL)
        || ipos_operation_create(project, "wires", &work)
        || ipos_operation_set_clip(work, "shot")
        || ipos_operation_set_frames(work, argv[4])
        || ipos_operation_set(work, "strokes", strokes)
        || ipos_operation_run(work, show, NULL)
        || ipos_operation_result_frame(work, 0, 0, 0, NULL, NULL, &picture)
        || ipos_operation_result_frame(work, 0, 0, 1, NULL, NULL, &evidence)
        || ipos_frame_write(&picture, 1, "clean.png", &png)
        || ipos_frame_write(&evidence, 1, "evidence.exr", &exr);

    fprintf(stderr, "\n");
    if (failed)
        fprintf(stderr, "wires_project: %s\n", ipos_last_error());
    else
        printf("clean.png, evidence.exr: the best of %zu options; the project holds all of them\n", ipos_operation_result_count(work));
    ipos_frame_release(picture);
    ipos_frame_release(evidence);
    ipos_operation_release(work);
    ipos_project_release(project);
    ipos_context_release(context);
    ipos_free(strokes);
    return failed;
}
