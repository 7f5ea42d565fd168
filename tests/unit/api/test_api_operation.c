/* Operations through the public API: settings, input from the project and from a host, results, cancel. */
#include "api_fixture.h"
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

static ipos_operation *operation_of(fixture *made)
{
    ipos_operation *operation;

    OK(ipos_operation_create(made->project, "inbetween", &operation));
    return operation;
}

static void test_settings(void **state)
{
    ipos_operation *operation = operation_of(*state), *none = operation;
    ipos_option_info info = {.struct_size = sizeof info};
    char *text;

    assert_int_equal(ipos_operation_create(((fixture *)*state)->project, "teleport", &none), IPOS_ERR_NOT_FOUND);
    assert_null(none);
    assert_non_null(strstr(ipos_last_error(), "inbetween"));
    assert_true(ipos_operation_option_count(operation) > 0);
    for (size_t i = 0; i < ipos_operation_option_count(operation); i++) {
        OK(ipos_operation_option_info(operation, i, &info));
        assert_true(*info.name && *info.help && info.unit && info.choices && info.preset);
        assert_true(info.type >= IPOS_OPTION_INT && info.type <= IPOS_OPTION_CHOICE);
        OK(ipos_operation_set(operation, info.name, info.preset));
        if (info.type == IPOS_OPTION_INT || info.type == IPOS_OPTION_REAL) {
            assert_int_equal(ipos_operation_set_real(operation, info.name, info.maximum + 1), IPOS_ERR_ARGUMENT);
            assert_non_null(strstr(ipos_last_error(), info.name));
        }
        if (info.type == IPOS_OPTION_CHOICE)
            assert_int_equal(ipos_operation_set(operation, info.name, "no such choice"), IPOS_ERR_ARGUMENT);
    }
    info.struct_size = 8;
    assert_int_equal(ipos_operation_option_info(operation, 0, &info), IPOS_ERR_ARGUMENT);
    info.struct_size = sizeof info;
    assert_int_equal(ipos_operation_option_info(operation, 999, &info), IPOS_ERR_ARGUMENT);
    assert_int_equal(ipos_operation_set(operation, "no_such_setting", "1"), IPOS_ERR_ARGUMENT);
    assert_int_equal(ipos_operation_set(operation, NULL, "1"), IPOS_ERR_ARGUMENT);
    OK(ipos_operations(&text));
    json_t *list = fixture_json(text), *options = json_object_get(json_array_get(list, 0), "options");
    assert_int_equal(json_array_size(options), ipos_operation_option_count(operation));
    json_decref(list);
    ipos_operation_release(operation);
}

static void test_not_ready(void **state)
{
    ipos_operation *operation = operation_of(*state);
    ipos_result_info result = {.struct_size = sizeof result};

    assert_int_equal(ipos_operation_run(operation, NULL, NULL), IPOS_ERR_STATE);
    OK(ipos_operation_set_clip(operation, "shot"));
    assert_int_equal(ipos_operation_run(operation, NULL, NULL), IPOS_ERR_STATE);
    assert_int_equal(ipos_operation_set_frames(operation, "10-"), IPOS_ERR_ARGUMENT);
    OK(ipos_operation_set_frames(operation, "5"));
    assert_int_equal(ipos_operation_run(operation, NULL, NULL), IPOS_ERR_ARGUMENT);
    assert_non_null(strstr(ipos_last_error(), "1001"));
    OK(ipos_operation_set_frames(operation, "1010"));
    OK(ipos_operation_set_clip(operation, "other"));
    assert_int_equal(ipos_operation_run(operation, NULL, NULL), IPOS_ERR_NOT_FOUND);
    assert_int_equal(ipos_operation_result(operation, 0, &result), IPOS_ERR_STATE);
    assert_int_equal(ipos_operation_result_count(operation), 0);
    ipos_operation_release(operation);
}

/* Mean absolute error of channel G against what was hidden. */
static double error_of(const ipos_frame *frame, int number)
{
    ipos_channel channel;
    ipos_plane plane;
    double sum = 0;

    OK(ipos_frame_channel(frame, (size_t)ipos_frame_find_channel(frame, "G"), &channel, &plane));
    assert_int_equal(channel.sample_type, IPOS_U8);
    for (int y = 0; y < FIXTURE_HEIGHT; y++)
        for (int x = 0; x < FIXTURE_WIDTH; x++)
            sum += fabs((double)((unsigned char *)plane.data)[y * plane.row_stride + x * plane.pixel_stride] - fixture_sample(x, y, 1, number));
    return sum / (FIXTURE_WIDTH * FIXTURE_HEIGHT);
}

static int32_t count(void *user, double done, double remaining, const char *stage, const char *json)
{
    (void)done, (void)remaining, (void)stage, (void)json;
    ++*(int *)user;
    return 0;
}

static void test_project_clip(void **state)
{
    fixture *made = *state;
    ipos_operation *operation = operation_of(made);
    ipos_result_info result = {.struct_size = sizeof result};
    ipos_rational time;
    double confidence;
    ipos_frame *frame;
    char output[128], *text;
    int calls = 0;

    OK(ipos_operation_set_clip(operation, "shot"));
    OK(ipos_operation_set_frames(operation, "1012,1010"));
    OK(ipos_operation_run(operation, count, &calls));
    assert_true(calls > 0);
    assert_true(ipos_operation_result_count(operation) >= 1);
    for (size_t i = 0; i < ipos_operation_result_count(operation); i++) {
        OK(ipos_operation_result(operation, i, &result));
        assert_int_equal(result.frames, 2);
        assert_true(*result.option && *result.variant && *result.title);
        for (size_t k = 0; k < 2; k++) {
            OK(ipos_operation_result_frame(operation, i, k, 0, &time, &confidence, &frame));
            assert_int_equal(time.num, k ? 1012 : 1010);
            assert_int_equal(time.den, 1);
            assert_true(confidence >= 0 && confidence <= 1);
            if (i == 0)
                assert_true(error_of(frame, k ? 11 : 9) < 12);
            ipos_frame_release(frame);
        }
        assert_int_equal(ipos_operation_result_frame(operation, i, 2, 0, NULL, NULL, &frame), IPOS_ERR_ARGUMENT);
        assert_null(frame);
    }
    OK(ipos_operation_result(operation, 0, &result));
    OK(ipos_operation_result_frame(operation, 0, 0, 1, NULL, NULL, &frame));
    assert_true(ipos_frame_find_channel(frame, "evidence") >= 0);
    ipos_frame_release(frame);
    OK(ipos_project_options(made->project, result.option, &text));
    json_t *list = fixture_json(text);
    const char *sheet = json_string_value(json_object_get(json_array_get(list, 0), "sheet"));
    assert_non_null(sheet);
    assert_int_equal(access(sheet, R_OK), 0);
    json_decref(list);
    snprintf(output, sizeof output, "%s/published", made->folder);
    assert_int_equal(ipos_option_publish(made->project, result.option, output, NULL, NULL, NULL), IPOS_ERR_NOT_ACCEPTED);
    OK(ipos_option_accept(made->project, result.option, "M. Ortiz", NULL));
    OK(ipos_option_publish(made->project, result.option, output, NULL, NULL, &text));
    list = fixture_json(text);
    assert_int_equal(json_array_size(json_object_get(list, "files")), 2);
    json_decref(list);
    OK(ipos_project_verify(made->project, 1, NULL, NULL, &text));
    ipos_free(text);
    ipos_operation_release(operation);
}

typedef struct host {
    ipos_context *context;
    int fetched, freed, fail_at;
    int64_t hole; /* a number the host does not have; 0: none */
    int64_t asked[256];
} host;

static ipos_host_clip host_clip(void)
{
    return (ipos_host_clip){.struct_size = sizeof(ipos_host_clip), .name = "comp", .first = 0, .last = 9, .rate = {24, 1},
        .encoding = "rec709", .owner = "tests", .licence = "made here", .training = IPOS_TRAINING_DENIED};
}

static ipos_status fetch(void *user, const char *clip, int64_t number, const char *channels, ipos_frame **out)
{
    host *host_ = user;

    assert_string_equal(clip, "comp");
    assert_string_equal(channels, "R,G,B");
    host_->asked[host_->fetched++ & 255] = number;
    if (host_->fail_at && host_->fetched >= host_->fail_at)
        return IPOS_ERR_IO;
    if (host_->hole && number == host_->hole)
        return IPOS_ERR_NOT_FOUND;
    *out = fixture_frame(host_->context, (int)number);
    return ipos_frame_set_attribute(*out, "camera", "string", "A", 1);
}

static void free_pixels(void *user)
{
    __atomic_add_fetch((int *)user, 1, __ATOMIC_RELAXED);
}

static unsigned char host_pixels[10][FIXTURE_HEIGHT][FIXTURE_WIDTH][3];

/* Interleaved memory of the host's own. */
static ipos_status fetch_wrapped(void *user, const char *clip, int64_t number, const char *channels, ipos_frame **out)
{
    static const ipos_channel rgb[] = {{"R", IPOS_U8, 1, 1}, {"G", IPOS_U8, 1, 1}, {"B", IPOS_U8, 1, 1}};
    const ipos_box window = {0, 0, FIXTURE_WIDTH, FIXTURE_HEIGHT};
    unsigned char *pixels = &host_pixels[number][0][0][0];
    const ipos_plane planes[] = {{pixels, FIXTURE_WIDTH * 3, 3}, {pixels + 1, FIXTURE_WIDTH * 3, 3}, {pixels + 2, FIXTURE_WIDTH * 3, 3}};
    host *host_ = user;

    (void)clip, (void)channels;
    for (int y = 0; y < FIXTURE_HEIGHT; y++)
        for (int x = 0; x < FIXTURE_WIDTH; x++)
            for (int c = 0; c < 3; c++)
                host_pixels[number][y][x][c] = fixture_sample(x, y, c, (int)number);
    host_->fetched++;
    return ipos_frame_wrap(host_->context, &window, NULL, rgb, planes, 3, free_pixels, &host_->freed, out);
}

static void test_host_clip(void **state)
{
    fixture *made = *state;
    ipos_operation *operation = operation_of(made);
    ipos_host_clip clip = host_clip();
    ipos_result_info result = {.struct_size = sizeof result};
    host host_ = {.context = made->context};
    ipos_frame *frame;
    char *text;

    OK(ipos_operation_set_host_clip(operation, &clip, fetch, &host_));
    OK(ipos_operation_set_frames(operation, "5,3.5"));
    OK(ipos_operation_run(operation, NULL, NULL));
    for (int i = 0; i < host_.fetched; i++)
        assert_int_not_equal(host_.asked[i & 255], 5);
    OK(ipos_operation_result(operation, 0, &result));
    assert_int_equal(result.frames, 2);
    assert_true(*result.option);
    OK(ipos_operation_result_frame(operation, 0, 1, 0, NULL, NULL, &frame));
    assert_true(error_of(frame, 5) < 12);
    assert_true(ipos_frame_find_attribute(frame, "camera") >= 0);
    assert_string_equal(ipos_frame_encoding(frame), "rec709");
    OK(ipos_project_options(made->project, result.option, &text));
    json_t *list = fixture_json(text);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "state")), "draft");
    json_decref(list);
    OK(ipos_project_verify(made->project, 0, NULL, NULL, &text));
    ipos_free(text);
    ipos_operation_release(operation);
    assert_true(error_of(frame, 5) < 12); /* results outlive the operation */
    ipos_frame_release(frame);
}

static void test_host_memory(void **state)
{
    fixture *made = *state;
    ipos_operation *operation = operation_of(made);
    ipos_host_clip clip = host_clip();
    host host_ = {.context = made->context};
    ipos_frame *frame;

    OK(ipos_operation_set_host_clip(operation, &clip, fetch_wrapped, &host_));
    OK(ipos_operation_set_frames(operation, "4"));
    OK(ipos_operation_run(operation, NULL, NULL));
    OK(ipos_operation_result_frame(operation, 0, 0, 0, NULL, NULL, &frame));
    assert_true(error_of(frame, 4) < 12);
    ipos_frame_release(frame);
    ipos_operation_release(operation);
    assert_true(host_.fetched > 0);
    assert_int_equal(host_.freed, host_.fetched); /* every frame's memory was given back */
}

static void test_host_failures(void **state)
{
    fixture *made = *state;
    ipos_operation *operation = operation_of(made);
    ipos_host_clip clip = host_clip();
    host host_ = {.context = made->context, .fail_at = 2};

    clip.training = IPOS_TRAINING_UNKNOWN;
    assert_int_equal(ipos_operation_set_host_clip(operation, &clip, fetch, &host_), IPOS_ERR_ARGUMENT);
    clip = host_clip();
    clip.owner = NULL;
    assert_int_equal(ipos_operation_set_host_clip(operation, &clip, fetch, &host_), IPOS_ERR_ARGUMENT);
    clip = host_clip();
    clip.first = 20;
    assert_int_equal(ipos_operation_set_host_clip(operation, &clip, fetch, &host_), IPOS_ERR_ARGUMENT);
    clip = host_clip();
    OK(ipos_operation_set_host_clip(operation, &clip, fetch, &host_));
    OK(ipos_operation_set_frames(operation, "4"));
    assert_int_equal(ipos_operation_run(operation, NULL, NULL), IPOS_ERR_IO);
    assert_non_null(strstr(ipos_last_error(), "fetch"));
    host_ = (host){.context = made->context};
    OK(ipos_operation_run(operation, NULL, NULL)); /* and again, whole */
    ipos_operation_release(operation);
}

static int32_t never_falls(void *user, double done, double remaining, const char *stage, const char *json)
{
    (void)remaining, (void)stage, (void)json;
    assert_true(done >= *(double *)user);
    *(double *)user = done;
    return 0;
}

static void test_host_hole(void **state)
{
    fixture *made = *state;
    ipos_operation *operation = operation_of(made);
    ipos_host_clip clip = host_clip();
    host host_ = {.context = made->context, .hole = 6};
    ipos_result_info result = {.struct_size = sizeof result};
    ipos_frame *frame;
    double done = 0;

    OK(ipos_operation_set_host_clip(operation, &clip, fetch, &host_));
    OK(ipos_operation_set_frames(operation, "5"));
    OK(ipos_operation_run(operation, never_falls, &done));
    OK(ipos_operation_result(operation, 0, &result));
    assert_int_equal(result.frames, 1);
    OK(ipos_operation_result_frame(operation, 0, 0, 0, NULL, NULL, &frame));
    assert_true(error_of(frame, 5) < 16); /* from 4 and 7 */
    ipos_frame_release(frame);
    ipos_operation_release(operation);
}

static int32_t stop(void *user, double done, double remaining, const char *stage, const char *json)
{
    (void)user, (void)done, (void)remaining, (void)stage, (void)json;
    return 7;
}

static void *cancel_soon(void *operation)
{
    usleep(30000);
    ipos_operation_cancel(operation);
    ipos_operation_release(operation);
    return NULL;
}

static void test_cancel(void **state)
{
    fixture *made = *state;
    ipos_operation *operation = operation_of(made);
    pthread_t other;
    char *text;

    OK(ipos_operation_set_clip(operation, "shot"));
    OK(ipos_operation_set_frames(operation, "1003-1021x2"));
    assert_int_equal(ipos_operation_run(operation, stop, NULL), IPOS_ERR_CANCELLED);
    ipos_operation_cancel(operation);
    assert_int_equal(ipos_operation_run(operation, NULL, NULL), IPOS_ERR_CANCELLED);
    ipos_operation_retain(operation);
    assert_int_equal(pthread_create(&other, NULL, cancel_soon, operation), 0);
    assert_int_equal(ipos_operation_run(operation, NULL, NULL), IPOS_ERR_CANCELLED);
    pthread_join(other, NULL);
    OK(ipos_project_options(made->project, NULL, &text));
    json_t *list = fixture_json(text);
    assert_int_equal(json_array_size(list), 0); /* nothing half done */
    json_decref(list);
    OK(ipos_operation_set_frames(operation, "1003"));
    OK(ipos_operation_run(operation, NULL, NULL));
    ipos_operation_release(operation);
}

/* One user of the library: a context, an engine and a project of its own. */
static void *work_alone(void *argument)
{
    const char *folder = argument;
    ipos_context_config config = {.struct_size = sizeof config, .threads = 1};
    ipos_host_clip clip = host_clip();
    ipos_operation *operation = NULL;
    ipos_project *project = NULL;
    ipos_context *context = NULL;
    ipos_frame *frame = NULL;
    host host_ = {0};
    bool failed = ipos_context_create(&config, &context) || ipos_project_create(context, folder, NULL, &project)
        || ipos_operation_create(project, "inbetween", &operation) || ipos_operation_set_frames(operation, "3");

    host_.context = context;
    failed = failed || ipos_operation_set_host_clip(operation, &clip, fetch, &host_) || ipos_operation_run(operation, NULL, NULL)
        || ipos_operation_result_frame(operation, 0, 0, 0, NULL, NULL, &frame) || error_of(frame, 3) > 12;
    if (failed)
        fprintf(stderr, "%s: %s\n", folder, ipos_last_error());
    ipos_frame_release(frame);
    ipos_operation_release(operation);
    ipos_project_release(project);
    ipos_context_release(context);
    return failed ? argument : NULL;
}

static void test_two_contexts(void **state)
{
    fixture *made = *state;
    char first[128], second[128];
    pthread_t other;
    void *failed;

    snprintf(first, sizeof first, "%s/first", made->folder);
    snprintf(second, sizeof second, "%s/second", made->folder);
    assert_int_equal(pthread_create(&other, NULL, work_alone, second), 0);
    assert_null(work_alone(first));
    pthread_join(other, &failed);
    assert_null(failed);
}

static void test_allowed_operations(void **state)
{
    fixture *made = *state;
    ipos_operation *operation = operation_of(made);
    ipos_clip_config clip = fixture_clip("guarded");
    char pattern[128];

    fixture_footage(made, pattern);
    clip.operations = "relight";
    OK(ipos_project_ingest(made->project, pattern, &clip, NULL, NULL));
    OK(ipos_operation_set_clip(operation, "guarded"));
    OK(ipos_operation_set_frames(operation, "1010"));
    assert_int_equal(ipos_operation_run(operation, NULL, NULL), IPOS_ERR_PERMISSION);
    ipos_operation_release(operation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_settings, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_not_ready, fixture_open_clip, fixture_close),
        cmocka_unit_test_setup_teardown(test_project_clip, fixture_open_clip, fixture_close),
        cmocka_unit_test_setup_teardown(test_host_clip, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_host_memory, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_host_failures, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_host_hole, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_two_contexts, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_cancel, fixture_open_clip, fixture_close),
        cmocka_unit_test_setup_teardown(test_allowed_operations, fixture_open, fixture_close)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
