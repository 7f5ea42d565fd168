/* Small footage and a project for the tests of the public API, made in a folder of their own. */
#ifndef API_FIXTURE_H
#define API_FIXTURE_H

#include <interpos/interpos.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { FIXTURE_WIDTH = 160, FIXTURE_HEIGHT = 96, FIXTURE_FRAMES = 24 };

typedef struct fixture {
    char folder[64];
    ipos_context *context;
    ipos_project *project;
} fixture;

#define OK(call)                                                                       \
    do {                                                                               \
        ipos_status ok_status_ = (call);                                               \
        if (ok_status_ != IPOS_OK)                                                     \
            fail_msg("%s: %s", #call, ipos_last_error());                              \
    } while (0)

static inline unsigned char fixture_sample(int x, int y, int channel, int number)
{
    const int bx = x - 20 - 3 * number, by = y - 30 - number;

    if (bx >= 0 && bx < 40 && by >= 0 && by < 30)
        return (unsigned char)(200 - 30 * channel - ((bx * 7 + by * 5) & 63));
    return (unsigned char)(40 + 20 * channel + ((x * 3 + y * 5 + x * y / 16) & 31));
}

static inline ipos_frame *fixture_frame(ipos_context *context, int number)
{
    const ipos_box window = {0, 0, FIXTURE_WIDTH, FIXTURE_HEIGHT};
    const ipos_channel rgb[] = {{"R", IPOS_U8, 1, 1}, {"G", IPOS_U8, 1, 1}, {"B", IPOS_U8, 1, 1}};
    ipos_frame *frame;
    ipos_plane plane;

    OK(ipos_frame_create(context, &window, NULL, rgb, 3, &frame));
    for (int c = 0; c < 3; c++) {
        OK(ipos_frame_channel(frame, (size_t)c, NULL, &plane));
        for (int y = 0; y < FIXTURE_HEIGHT; y++)
            for (int x = 0; x < FIXTURE_WIDTH; x++)
                ((unsigned char *)plane.data)[y * plane.row_stride + x * plane.pixel_stride] = fixture_sample(x, y, c, number);
    }
    return frame;
}

/* folder/plates/shot.1001.png ... */
static inline void fixture_footage(fixture *fixture_, char pattern[128])
{
    char path[160];

    snprintf(path, sizeof path, "mkdir -p %s/plates", fixture_->folder);
    assert_int_equal(system(path), 0);
    for (int i = 0; i < FIXTURE_FRAMES; i++) {
        ipos_frame *frame = fixture_frame(fixture_->context, i);
        snprintf(path, sizeof path, "%s/plates/shot.%d.png", fixture_->folder, 1001 + i);
        OK(ipos_frame_write(&frame, 1, path, NULL));
        ipos_frame_release(frame);
    }
    snprintf(pattern, 128, "%s/plates/shot.%%04d.png", fixture_->folder);
}

static inline ipos_clip_config fixture_clip(const char *name)
{
    return (ipos_clip_config){.struct_size = sizeof(ipos_clip_config), .name = name, .training = IPOS_TRAINING_ALLOWED, .owner = "tests",
        .licence = "made here", .encoding = "rec709", .rate = {24, 1}};
}

static inline int fixture_open(void **state)
{
    fixture *made = calloc(1, sizeof *made);
    const ipos_context_config config = {.struct_size = sizeof config, .engine_path = getenv("INTERPOS_TEST_ENGINE")}; /* NULL: the library's own */
    char path[128];

    strcpy(made->folder, "/tmp/interpos-api-XXXXXX");
    if (!mkdtemp(made->folder) || ipos_context_create(&config, &made->context) != IPOS_OK)
        return -1;
    snprintf(path, sizeof path, "%s/project", made->folder);
    *state = made;
    return ipos_project_create(made->context, path, "fixture", &made->project);
}

/* With one clip "shot". */
static inline int fixture_open_clip(void **state)
{
    char pattern[128];
    ipos_clip_config clip = fixture_clip("shot");

    if (fixture_open(state) != 0)
        return -1;
    fixture_footage(*state, pattern);
    OK(ipos_project_ingest(((fixture *)*state)->project, pattern, &clip, NULL, NULL));
    return 0;
}

static inline int fixture_close(void **state)
{
    fixture *made = *state;
    char command[128];

    ipos_project_release(made->project);
    ipos_context_release(made->context);
    snprintf(command, sizeof command, "rm -rf %s", made->folder);
    int failed = system(command);
    free(made);
    return failed;
}

/* Parses and frees text. */
static inline json_t *fixture_json(char *text)
{
    json_t *document = json_loads(text, 0, NULL);

    assert_non_null(document);
    ipos_free(text);
    return document;
}

#endif
