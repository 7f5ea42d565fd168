/* Measuring the look through the public API: numbers against what was drawn, clips and marks, cancel, the document and back. */
#include "api_fixture.h"
#include <math.h>
#include <stdbool.h>

enum { WIDE = 256, HIGH = 160, PLATES = 14, NOISE_BITS = 6 };
static const double LEVEL = 110; /* of the plate with grain, in 8-bit codes */

/* Sum of uniform numbers: nearly Gaussian, one draw after another. */
static double draw(uint32_t *state)
{
    double sum = 0;

    for (int i = 0; i < 12; i++) {
        *state = *state * 1664525u + 1013904223u;
        sum += (double)(*state >> 8) / (1 << 24);
    }
    return sum - 6;
}

/* Soft hills about LEVEL with grain of a known deviation, the same for no two frames. */
static void grain_footage(fixture *made, double deviation, char pattern[128])
{
    const ipos_box window = {0, 0, WIDE, HIGH};
    const ipos_channel rgb[] = {{"R", IPOS_U8, 1, 1}, {"G", IPOS_U8, 1, 1}, {"B", IPOS_U8, 1, 1}};
    uint32_t seed = 7;
    char path[160];

    snprintf(path, sizeof path, "mkdir -p %s/grain", made->folder);
    assert_int_equal(system(path), 0);
    for (int i = 0; i < PLATES; i++) {
        ipos_frame *frame;
        ipos_plane plane;
        OK(ipos_frame_create(made->context, &window, NULL, rgb, 3, &frame));
        for (int c = 0; c < 3; c++) {
            OK(ipos_frame_channel(frame, (size_t)c, NULL, &plane));
            for (int y = 0; y < HIGH; y++)
                for (int x = 0; x < WIDE; x++)
                    ((unsigned char *)plane.data)[y * plane.row_stride + x * plane.pixel_stride] =
                        (unsigned char)lround(LEVEL + 12. * sin(x / 9.) * cos(y / 8.) + 10. * sin((x + 2 * y) / 31.) + deviation * draw(&seed));
        }
        snprintf(path, sizeof path, "%s/grain/g.%d.png", made->folder, 1 + i);
        OK(ipos_frame_write(&frame, 1, path, NULL));
        ipos_frame_release(frame);
    }
    snprintf(pattern, 128, "%s/grain/g.%%d.png", made->folder);
}

static json_t *document_of(const ipos_look *look)
{
    char *text;

    OK(ipos_look_json(look, &text));
    return fixture_json(text);
}

static const json_t *clip_of(const json_t *document, const char *name)
{
    size_t i;
    const json_t *entry;

    json_array_foreach(json_object_get(document, "clips"), i, entry)
        if (strcmp(json_string_value(json_object_get(entry, "clip")), name) == 0)
            return entry;
    fail_msg("clip %s is not in the document", name);
    return NULL;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Median luma of what the fixture draws, in code values. */
static double drawn_median(void)
{
    enum { COUNT = FIXTURE_WIDTH * FIXTURE_HEIGHT };
    static double values[COUNT];

    for (int y = 0; y < FIXTURE_HEIGHT; y++)
        for (int x = 0; x < FIXTURE_WIDTH; x++)
            values[y * FIXTURE_WIDTH + x] = (.2126 * fixture_sample(x, y, 0, 11) + .7152 * fixture_sample(x, y, 1, 11) + .0722 * fixture_sample(x, y, 2, 11)) / 255;
    qsort(values, COUNT, sizeof *values, ascending);
    return values[COUNT / 2];
}

static void test_measure(void **state)
{
    fixture *made = *state;
    ipos_clip_config config = fixture_clip("grain");
    char pattern[128], *svg, *table;
    ipos_look *look;

    grain_footage(made, NOISE_BITS, pattern);
    config.tags = "camera=B";
    OK(ipos_project_ingest(made->project, pattern, &config, NULL, NULL));
    OK(ipos_look_measure(made->project, NULL, NULL, NULL, &look));
    json_t *document = document_of(look);
    assert_string_equal(json_string_value(json_object_get(document, "format")), "interpos.look.1");
    assert_int_equal(json_array_size(json_object_get(document, "clips")), 2);
    const json_t *shot = clip_of(document, "shot"), *grainy = clip_of(document, "grain");
    assert_int_equal(json_integer_value(json_object_get(shot, "width")), FIXTURE_WIDTH);
    assert_int_equal(json_integer_value(json_object_get(shot, "frames")), FIXTURE_FRAMES);

    /* tone: the median that was drawn */
    const json_t *code = json_object_get(json_object_get(shot, "tone"), "code");
    assert_true(fabs(json_number_value(json_array_get(code, 5)) - drawn_median()) < .015);

    /* grain: the variance that was drawn (and that of rounding), in the bin around LEVEL */
    const json_t *grain = json_object_get(grainy, "grain"), *bin = json_array_get(json_object_get(grain, "bins"), 4);
    const double expected = (NOISE_BITS * NOISE_BITS + 1. / 12) / (255. * 255.);
    if (!json_is_true(json_object_get(grain, "measurable")))
        fail_msg("grain: %s", json_string_value(json_object_get(grain, "reason")));
    for (size_t c = 0; c < 3; c++)
        assert_true(fabs(json_number_value(json_array_get(json_object_get(bin, "variance"), c)) / expected - 1) < .15);

    /* the tag and the whole */
    const json_t *tags = json_object_get(document, "tags"), *all = json_object_get(document, "all");
    assert_int_equal(json_array_size(tags), 1);
    assert_true(json_equal(json_object_get(json_array_get(tags, 0), "grain"), grain));
    assert_string_equal(json_string_value(json_array_get(json_object_get(all, "left_out"), 0)), "grain");

    OK(ipos_look_plot(look, "grain", "grain", &svg));
    assert_non_null(strstr(svg, "<polyline"));
    ipos_free(svg);
    OK(ipos_look_grain_table(look, "tag:camera=B", &table));
    assert_int_equal(strncmp(table, "filmgrn1\n", 9), 0);
    ipos_free(table);
    json_decref(document);
    ipos_look_release(look);
}

/* Same numbers with one thread and with three. */
static void test_threads(void **state)
{
    fixture *made = *state;
    char *text[2];

    for (int i = 0; i < 2; i++) {
        const ipos_look_config config = {.struct_size = sizeof config, .threads = i ? 3 : 1, .clips = "shot"};
        ipos_look *look;
        OK(ipos_look_measure(made->project, &config, NULL, NULL, &look));
        OK(ipos_look_json(look, &text[i]));
        ipos_look_release(look);
    }
    assert_string_equal(text[0], text[1]);
    ipos_free(text[0]);
    ipos_free(text[1]);
}

static void test_marks(void **state)
{
    fixture *made = *state;
    ipos_look_config config = {.struct_size = sizeof config, .marks = "{\"marks\":[{\"clip\":\"shot\",\"frame\":1003,\"kind\":\"skin\",\"box\":"
        "[30,36,28,24],\"name\":\"Nora\"}]}"};
    ipos_look *look;
    char *svg;

    OK(ipos_look_measure(made->project, &config, NULL, NULL, &look));
    json_t *document = document_of(look), *mark = json_array_get(json_object_get(clip_of(document, "shot"), "skin"), 0);
    const json_t *measured = json_object_get(mark, "measured");
    assert_string_equal(json_string_value(json_object_get(mark, "name")), "Nora");
    assert_null(json_object_get(json_object_get(measured, "reading"), "reason"));
    assert_true(json_number_value(json_object_get(measured, "u")) > .2); /* redder than white: the block's red is above its green */
    OK(ipos_look_plot(look, "shot", "skin", &svg));
    assert_non_null(strstr(svg, "Nora"));
    ipos_free(svg);
    json_decref(document);
    ipos_look_release(look);
    static const struct {
        const char *marks, *word;
        ipos_status status;
    } wrong[] = {
        {"{", "JSON", IPOS_ERR_ARGUMENT},
        {"{\"marks\":[{\"clip\":\"shot\"}]}", "mark 1", IPOS_ERR_ARGUMENT},
        {"{\"marks\":[{\"clip\":\"other\",\"frame\":1003,\"kind\":\"skin\",\"box\":[0,0,9,9]}]}", "other", IPOS_ERR_NOT_FOUND},
        {"{\"marks\":[{\"clip\":\"shot\",\"frame\":3,\"kind\":\"skin\",\"box\":[0,0,9,9]}]}", "frame 3", IPOS_ERR_NOT_FOUND},
        {"{\"marks\":[{\"clip\":\"shot\",\"frame\":1003,\"kind\":\"light\",\"box\":[150,0,90,9]}]}", "box", IPOS_ERR_ARGUMENT},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        config.marks = wrong[i].marks;
        ipos_status status = ipos_look_measure(made->project, &config, NULL, NULL, &look);
        if (status != wrong[i].status || !strstr(ipos_last_error(), wrong[i].word))
            fail_msg("%s: %d, %s", wrong[i].marks, status, ipos_last_error());
        assert_null(look);
    }
}

static int32_t stop_at_once(void *user, double done, double remaining, const char *stage, const char *json)
{
    (void)done, (void)remaining, (void)stage, (void)json;
    ++*(int *)user;
    return 1;
}

static void test_refused(void **state)
{
    fixture *made = *state;
    ipos_look_config config = {.struct_size = sizeof config, .clips = "shot,nothing"};
    ipos_look *look = (ipos_look *)made;
    int calls = 0;

    assert_int_equal(ipos_look_measure(made->project, &config, NULL, NULL, &look), IPOS_ERR_NOT_FOUND);
    assert_null(look);
    assert_non_null(strstr(ipos_last_error(), "nothing"));
    config.clips = "shot, shot";
    assert_int_equal(ipos_look_measure(made->project, &config, NULL, NULL, &look), IPOS_ERR_ARGUMENT);
    config.clips = "shot,,";
    assert_int_equal(ipos_look_measure(made->project, &config, NULL, NULL, &look), IPOS_ERR_ARGUMENT);
    config.clips = NULL;
    config.shots = -1;
    assert_int_equal(ipos_look_measure(made->project, &config, NULL, NULL, &look), IPOS_ERR_ARGUMENT);
    config.shots = 0;
    config.struct_size = 4;
    assert_int_equal(ipos_look_measure(made->project, &config, NULL, NULL, &look), IPOS_ERR_ARGUMENT);
    assert_int_equal(ipos_look_measure(NULL, NULL, NULL, NULL, &look), IPOS_ERR_ARGUMENT);
    assert_int_equal(ipos_look_measure(made->project, NULL, stop_at_once, &calls, &look), IPOS_ERR_CANCELLED);
    assert_int_equal(calls, 1);
    ipos_operation *operation;
    assert_int_equal(ipos_operation_create(made->project, "look", &operation), IPOS_ERR_NOT_FOUND);
}

static void test_permission(void **state)
{
    fixture *made = *state;
    ipos_clip_config clip = fixture_clip("kept");
    ipos_look_config config = {.struct_size = sizeof config, .clips = "kept"};
    ipos_look *look;
    char pattern[128];

    snprintf(pattern, sizeof pattern, "%s/plates/shot.%%04d.png", made->folder);
    clip.operations = "inbetween";
    OK(ipos_project_ingest(made->project, pattern, &clip, NULL, NULL));
    assert_int_equal(ipos_look_measure(made->project, &config, NULL, NULL, &look), IPOS_ERR_PERMISSION);
    OK(ipos_look_measure(made->project, NULL, NULL, NULL, &look)); /* all that may be */
    json_t *document = document_of(look);
    assert_int_equal(json_array_size(json_object_get(document, "clips")), 1);
    json_decref(document);
    ipos_look_release(look);
}

/* Numbers that mean no light, and pictures too small, are answered and not measured. */
static void test_not_measurable(void **state)
{
    fixture *made = *state;
    ipos_clip_config clip = fixture_clip("key");
    ipos_look_config config = {.struct_size = sizeof config, .clips = "key"};
    ipos_look *look;
    char pattern[128], *table;

    snprintf(pattern, sizeof pattern, "%s/plates/shot.%%04d.png", made->folder);
    clip.encoding = "data";
    OK(ipos_project_ingest(made->project, pattern, &clip, NULL, NULL));
    OK(ipos_look_measure(made->project, &config, NULL, NULL, &look));
    json_t *document = document_of(look);
    const json_t *tone = json_object_get(json_object_get(clip_of(document, "key"), "tone"), "reading");
    assert_non_null(strstr(json_string_value(json_object_get(tone, "reason")), "data"));
    assert_int_equal(ipos_look_grain_table(look, NULL, &table), IPOS_ERR_NOT_FOUND);
    assert_non_null(strstr(ipos_last_error(), "no light"));
    json_decref(document);
    ipos_look_release(look);
}

static void test_json(void **state)
{
    fixture *made = *state;
    ipos_look *look, *again = (ipos_look *)made;
    char *text, *back;

    OK(ipos_look_measure(made->project, NULL, NULL, NULL, &look));
    OK(ipos_look_json(look, &text));
    OK(ipos_look_from_json(text, &again));
    OK(ipos_look_json(again, &back));
    assert_string_equal(text, back);
    ipos_free(back);
    ipos_look_retain(again);
    ipos_look_release(again);
    ipos_look_release(again);
    assert_int_equal(ipos_look_plot(look, "shot", "smell", &back), IPOS_ERR_NOT_FOUND);
    assert_null(back);
    assert_int_equal(ipos_look_plot(look, "tag:none", "tone", &back), IPOS_ERR_NOT_FOUND);
    assert_non_null(strstr(ipos_last_error(), "shot"));
    ipos_look_release(look);

    assert_int_equal(ipos_look_from_json("{\"format\":", &again), IPOS_ERR_FORMAT);
    assert_null(again);
    assert_non_null(strstr(ipos_last_error(), "line 1"));
    assert_int_equal(ipos_look_from_json("{}", &again), IPOS_ERR_FORMAT);
    *strstr(text, "interpos.look.1") = 'I';
    assert_int_equal(ipos_look_from_json(text, &again), IPOS_ERR_FORMAT);
    *strstr(text, "Interpos.look.1") = 'i';
    strstr(text, "interpos.look.1")[14] = '7';
    assert_int_equal(ipos_look_from_json(text, &again), IPOS_ERR_UNSUPPORTED);
    assert_non_null(strstr(ipos_last_error(), "interpos.look.7"));
    assert_int_equal(ipos_look_from_json(NULL, &again), IPOS_ERR_ARGUMENT);
    assert_int_equal(ipos_look_json(NULL, &back), IPOS_ERR_ARGUMENT);
    ipos_look_release(NULL);
    ipos_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_measure, fixture_open_clip, fixture_close),
        cmocka_unit_test_setup_teardown(test_threads, fixture_open_clip, fixture_close),
        cmocka_unit_test_setup_teardown(test_marks, fixture_open_clip, fixture_close),
        cmocka_unit_test_setup_teardown(test_refused, fixture_open_clip, fixture_close),
        cmocka_unit_test_setup_teardown(test_permission, fixture_open_clip, fixture_close),
        cmocka_unit_test_setup_teardown(test_not_measurable, fixture_open_clip, fixture_close),
        cmocka_unit_test_setup_teardown(test_json, fixture_open_clip, fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
