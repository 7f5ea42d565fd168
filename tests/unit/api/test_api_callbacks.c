/* What happens while a call runs: a callback that changes, drops or runs what is running, permissions withdrawn, a stop. */
#include "api_fixture.h"
#include <stdbool.h>

typedef struct meddler {
    fixture *made;
    ipos_operation *operation;
    int calls;
    bool with_timecode;
} meddler;

static ipos_status fetch(void *user, const char *clip, int64_t number, const char *channels, ipos_frame **out)
{
    meddler *m = user;
    const ipos_timecode timecode = {.hours = 10, .frames = (int32_t)number};

    (void)clip, (void)channels;
    *out = fixture_frame(m->made->context, (int)number);
    return m->with_timecode ? ipos_frame_set_timecode(*out, &timecode) : IPOS_OK;
}

static ipos_host_clip host_clip(void)
{
    return (ipos_host_clip){.struct_size = sizeof(ipos_host_clip), .name = "comp", .first = 0, .last = 9, .rate = {24, 1},
        .encoding = "rec709", .owner = "tests", .licence = "made here", .training = IPOS_TRAINING_DENIED};
}

static int32_t meddle(void *user, double done, double remaining, const char *stage, const char *json)
{
    meddler *m = user;
    const ipos_host_clip clip = host_clip();
    ipos_result_info info = {.struct_size = sizeof info};

    (void)done, (void)remaining, (void)stage, (void)json;
    assert_int_equal(ipos_operation_set_frames(m->operation, "5"), IPOS_ERR_STATE);
    assert_int_equal(ipos_operation_set_clip(m->operation, "shot"), IPOS_ERR_STATE);
    assert_int_equal(ipos_operation_set_host_clip(m->operation, &clip, fetch, m), IPOS_ERR_STATE);
    assert_int_equal(ipos_operation_set_model(m->operation, NULL), IPOS_ERR_STATE);
    assert_int_equal(ipos_operation_set(m->operation, "variants", "plain"), IPOS_ERR_STATE);
    assert_int_equal(ipos_operation_run(m->operation, NULL, NULL), IPOS_ERR_STATE);
    assert_non_null(strstr(ipos_last_error(), "callback"));
    assert_int_equal(ipos_operation_result(m->operation, 0, &info), IPOS_ERR_STATE);
    if (m->calls++ == 0)
        ipos_operation_release(m->operation);
    return 0;
}

static ipos_operation *operation_on(meddler *m, const ipos_host_clip *clip, const char *frames)
{
    ipos_operation *operation;

    OK(ipos_operation_create(m->made->project, "inbetween", &operation));
    OK(ipos_operation_set_host_clip(operation, clip, fetch, m));
    OK(ipos_operation_set_frames(operation, frames));
    OK(ipos_operation_set(operation, "variants", "plain"));
    return operation;
}

/* Under a sanitizer this would show what is used after it went. */
static void test_callback_meddles(void **state)
{
    meddler m = {.made = *state};
    const ipos_host_clip clip = host_clip();

    m.operation = operation_on(&m, &clip, "4");
    ipos_operation_retain(m.operation);
    OK(ipos_operation_run(m.operation, meddle, &m));
    assert_true(m.calls > 0);
    assert_int_equal(ipos_operation_result_count(m.operation), 1);
    OK(ipos_operation_set_frames(m.operation, "5")); /* after the run as before */
    ipos_operation_release(m.operation);
    m = (meddler){.made = *state};
    m.operation = operation_on(&m, &clip, "4");
    OK(ipos_operation_run(m.operation, meddle, &m)); /* the only reference goes while it runs */
}

static int32_t drop_project(void *user, double done, double remaining, const char *stage, const char *json)
{
    fixture *made = user;

    (void)done, (void)remaining, (void)stage, (void)json;
    ipos_project_release(made->project);
    made->project = NULL;
    return 1;
}

static void test_callback_drops_the_project(void **state)
{
    fixture *made = *state;
    ipos_clip_config clip = fixture_clip("shot");
    char pattern[128], path[128];

    fixture_footage(made, pattern);
    assert_int_equal(ipos_project_ingest(made->project, pattern, &clip, drop_project, made), IPOS_ERR_CANCELLED);
    assert_null(made->project);
    snprintf(path, sizeof path, "%s/project", made->folder);
    OK(ipos_project_open(made->context, path, &made->project));
    OK(ipos_project_ingest(made->project, pattern, &clip, NULL, NULL));
}

static void test_host_clip_limits(void **state)
{
    meddler m = {.made = *state};
    ipos_host_clip clip = host_clip();
    ipos_operation *operation = operation_on(&m, &clip, "4");

    clip.last = INT64_MAX;
    assert_int_equal(ipos_operation_set_host_clip(operation, &clip, fetch, &m), IPOS_ERR_ARGUMENT);
    assert_non_null(strstr(ipos_last_error(), "at most"));
    clip.first = INT64_MIN;
    assert_int_equal(ipos_operation_set_host_clip(operation, &clip, fetch, &m), IPOS_ERR_ARGUMENT);
    clip = host_clip();
    clip.encoding = "sepia";
    assert_int_equal(ipos_operation_set_host_clip(operation, &clip, fetch, &m), IPOS_ERR_ARGUMENT);
    assert_non_null(strstr(ipos_last_error(), "rec709"));
    clip = host_clip();
    clip.owner = "K\xf6ln"; /* Latin-1 */
    assert_int_equal(ipos_operation_set_host_clip(operation, &clip, fetch, &m), IPOS_ERR_ARGUMENT);
    assert_non_null(strstr(ipos_last_error(), "UTF-8"));
    clip = host_clip();
    clip.first = (INT64_C(1) << 40) - 9;
    clip.last = INT64_C(1) << 40;
    OK(ipos_operation_set_host_clip(operation, &clip, fetch, &m));
    OK(ipos_operation_set_frames(operation, "9999/10000"));
    assert_int_equal(ipos_operation_run(operation, NULL, NULL), IPOS_ERR_ARGUMENT); /* far outside, not overflown into */
    ipos_operation_release(operation);
    ipos_clip_config movie = fixture_clip("film");
    movie.first_frame = INT64_MAX;
    assert_int_equal(ipos_project_ingest(m.made->project, m.made->folder, &movie, NULL, NULL), IPOS_ERR_ARGUMENT);
    assert_non_null(strstr(ipos_last_error(), "first_frame"));
}

static void test_host_timecode(void **state)
{
    meddler m = {.made = *state, .with_timecode = true};
    const ipos_host_clip clip = host_clip();
    ipos_operation *operation = operation_on(&m, &clip, "4,11/2");
    ipos_timecode timecode;
    ipos_frame *frame;

    OK(ipos_operation_run(operation, NULL, NULL));
    OK(ipos_operation_result_frame(operation, 0, 0, 0, NULL, NULL, &frame));
    OK(ipos_frame_timecode(frame, &timecode));
    assert_int_equal(timecode.hours, 10);
    assert_int_equal(timecode.frames, 4);
    ipos_frame_release(frame);
    OK(ipos_operation_result_frame(operation, 0, 1, 0, NULL, NULL, &frame));
    assert_int_equal(ipos_frame_timecode(frame, &timecode), IPOS_ERR_NOT_FOUND);
    ipos_frame_release(frame);
    ipos_operation_release(operation);
}

static void test_settings_that_cannot_be(void **state)
{
    meddler m = {.made = *state};
    const ipos_host_clip clip = host_clip();
    ipos_operation *operation = operation_on(&m, &clip, "4");

    OK(ipos_operation_set(operation, "variants", "full,plian"));
    assert_int_equal(ipos_operation_run(operation, NULL, NULL), IPOS_ERR_ARGUMENT);
    assert_non_null(strstr(ipos_last_error(), "plian"));
    OK(ipos_operation_set(operation, "variants", "full,learned"));
    assert_int_equal(ipos_operation_run(operation, NULL, NULL), IPOS_ERR_ARGUMENT);
    assert_non_null(strstr(ipos_last_error(), "needs a model"));
    ipos_operation_release(operation);
}

static ipos_train_config train_config(void)
{
    return (ipos_train_config){.struct_size = sizeof(ipos_train_config), .name = "day", .operation = "inbetween", .steps = 500, .seed = 3,
        .threads = 2, .device = "cpu"};
}

static int32_t withdraw(void *user, double done, double remaining, const char *stage, const char *json)
{
    meddler *m = user;

    (void)done, (void)remaining, (void)stage, (void)json;
    if (m->calls++ == 0)
        OK(ipos_project_set_training(m->made->project, "shot", IPOS_TRAINING_DENIED, "tests", "changed our mind"));
    return 0;
}

static json_t *models_of(fixture *made)
{
    char *text;

    OK(ipos_project_models(made->project, &text));
    return fixture_json(text);
}

/* 500 steps would take minutes: withdrawing ends them with the next frame that is read. */
static void test_permission_withdrawn(void **state)
{
    meddler m = {.made = *state};
    const ipos_train_config train = train_config();
    ipos_model *model;

    assert_int_equal(ipos_model_train(m.made->project, &train, withdraw, &m, &model), IPOS_ERR_PERMISSION);
    assert_null(model);
    json_t *models = models_of(m.made);
    assert_int_equal(json_array_size(models), 0);
    json_decref(models);
}

static int32_t stop_at_step(void *user, double done, double remaining, const char *stage, const char *json)
{
    json_t *object = json_loads(json, 0, NULL);
    const int64_t step = json_integer_value(json_object_get(object, "step"));

    (void)done, (void)remaining, (void)stage;
    json_decref(object);
    if (step > *(int64_t *)user)
        *(int64_t *)user = step;
    return step >= 2;
}

/* Far less than checkpoint_seconds after the start, so that only the stop itself can have kept one. */
static void test_stop_keeps_a_checkpoint(void **state)
{
    fixture *made = *state;
    ipos_train_config train = train_config();
    int64_t step = 0;

    assert_int_equal(ipos_model_train(made->project, &train, stop_at_step, &step, NULL), IPOS_ERR_CANCELLED);
    assert_true(step >= 2);
    json_t *models = models_of(made), *model = json_array_get(models, 0);
    assert_int_equal(json_array_size(models), 1);
    assert_string_equal(json_string_value(json_object_get(model, "state")), "unfinished");
    json_decref(models);
}

/* Weights learned in one production do not get into another by way of a checkpoint. */
static void test_checkpoint_of_another_project(void **state)
{
    fixture *made = *state;
    ipos_train_config train = train_config();
    ipos_clip_config clip = fixture_clip("shot");
    ipos_project *other;
    int64_t step = 0;
    char path[160], command[400];

    assert_int_equal(ipos_model_train(made->project, &train, stop_at_step, &step, NULL), IPOS_ERR_CANCELLED);
    snprintf(path, sizeof path, "%s/other", made->folder);
    OK(ipos_project_create(made->context, path, NULL, &other));
    snprintf(path, sizeof path, "%s/plates", made->folder);
    OK(ipos_project_ingest(other, path, &clip, NULL, NULL));
    snprintf(command, sizeof command, "cp %s/project/models/day.checkpoint %s/other/models/", made->folder, made->folder);
    assert_int_equal(system(command), 0);
    train.resume = 1;
    assert_int_equal(ipos_model_train(other, &train, stop_at_step, &step, NULL), IPOS_ERR_PERMISSION);
    assert_non_null(strstr(ipos_last_error(), "another project"));
    ipos_project_release(other);
    OK(ipos_project_set_training(made->project, "shot", IPOS_TRAINING_DENIED, "tests", NULL));
    assert_int_equal(ipos_model_train(made->project, &train, NULL, NULL, NULL), IPOS_ERR_PERMISSION); /* nor one withdrawn */
    OK(ipos_project_set_training(made->project, "shot", IPOS_TRAINING_ALLOWED, "tests", NULL));
    step = 0;
    assert_int_equal(ipos_model_train(made->project, &train, stop_at_step, &step, NULL), IPOS_ERR_CANCELLED);
    assert_true(step >= 2); /* goes on in its own */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_callback_meddles, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_callback_drops_the_project, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_host_clip_limits, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_host_timecode, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_settings_that_cannot_be, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_permission_withdrawn, fixture_open_clip, fixture_close),
        cmocka_unit_test_setup_teardown(test_stop_keeps_a_checkpoint, fixture_open_clip, fixture_close),
        cmocka_unit_test_setup_teardown(test_checkpoint_of_another_project, fixture_open_clip, fixture_close)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
