/* Training through the public API: permissions, budget by steps, preview, cancel and resume, the card. */
#include "api_fixture.h"
#include <stdbool.h>

static ipos_train_config train_config(const char *name)
{
    return (ipos_train_config){.struct_size = sizeof(ipos_train_config), .name = name, .operation = "inbetween", .steps = 12, .seed = 3,
        .threads = 2, .device = "cpu", .operator_name = "tests"};
}

typedef struct watch {
    int calls, stop_after;
    bool loss;
} watch;

static int32_t on_progress(void *user, double done, double remaining, const char *stage, const char *json)
{
    watch *watch_ = user;
    json_t *object = json_loads(json, 0, NULL);

    (void)done, (void)remaining, (void)stage;
    watch_->calls++;
    watch_->loss = watch_->loss || json_is_number(json_object_get(object, "loss"));
    const bool training = json_is_number(json_object_get(object, "loss"));
    json_decref(object);
    return watch_->stop_after && training && --watch_->stop_after == 0;
}

static void test_refused(void **state)
{
    fixture *made = *state;
    ipos_train_config train = train_config("m");
    ipos_model *model = (ipos_model *)made;

    train.name = NULL;
    assert_int_equal(ipos_model_train(made->project, &train, NULL, NULL, &model), IPOS_ERR_ARGUMENT);
    assert_null(model);
    train = train_config("a/b");
    assert_int_equal(ipos_model_train(made->project, &train, NULL, NULL, &model), IPOS_ERR_ARGUMENT);
    train = train_config("m");
    train.operation = "teleport";
    assert_int_equal(ipos_model_train(made->project, &train, NULL, NULL, &model), IPOS_ERR_NOT_FOUND);
    train = train_config("m");
    train.minutes = -1;
    assert_int_equal(ipos_model_train(made->project, &train, NULL, NULL, &model), IPOS_ERR_ARGUMENT);
    train = train_config("m");
    train.clips = "shot,nothing";
    assert_int_equal(ipos_model_train(made->project, &train, NULL, NULL, &model), IPOS_ERR_NOT_FOUND);
    train.clips = "shot,,";
    assert_int_equal(ipos_model_train(made->project, &train, NULL, NULL, &model), IPOS_ERR_ARGUMENT);
    OK(ipos_project_set_training(made->project, "shot", IPOS_TRAINING_DENIED, "tests", NULL));
    train = train_config("m");
    assert_int_equal(ipos_model_train(made->project, &train, NULL, NULL, &model), IPOS_ERR_PERMISSION);
    train.clips = "shot";
    assert_int_equal(ipos_model_train(made->project, &train, NULL, NULL, &model), IPOS_ERR_PERMISSION);
    assert_int_equal(ipos_model_open(made->project, "m", &model), IPOS_ERR_NOT_FOUND);
}

static void check_card(ipos_model *model)
{
    char *text;

    OK(ipos_model_card(model, &text));
    json_t *card = fixture_json(text), *inputs = json_object_get(card, "inputs");
    assert_string_equal(json_string_value(json_object_get(card, "operation")), "inbetween");
    assert_int_equal(json_array_size(inputs), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(inputs, 0), "training")), "allowed");
    assert_int_equal(json_array_size(json_object_get(json_array_get(inputs, 0), "frames")), FIXTURE_FRAMES);
    assert_true(json_is_number(json_object_get(json_object_get(card, "score"), "held_out")));
    assert_true(json_is_number(json_object_get(json_object_get(card, "score"), "baseline")));
    json_decref(card);
    OK(ipos_model_card_text(model, &text));
    assert_non_null(strstr(text, "shot"));
    ipos_free(text);
}

static void test_train_and_render(void **state)
{
    fixture *made = *state;
    ipos_train_config train = train_config("day1");
    ipos_operation *operation;
    ipos_model *model;
    ipos_frame *preview;
    watch watch_ = {0};
    char path[128], *text;

    snprintf(path, sizeof path, "%s/preview.png", made->folder);
    train.preview = path;
    OK(ipos_model_train(made->project, &train, on_progress, &watch_, &model));
    assert_true(watch_.calls > 0 && watch_.loss);
    OK(ipos_frame_read(made->context, path, NULL, &preview));
    ipos_frame_release(preview);
    check_card(model);
    assert_int_equal(ipos_model_train(made->project, &train, NULL, NULL, NULL), IPOS_ERR_CONFLICT);
    train.resume = 1;
    OK(ipos_model_train(made->project, &train, NULL, NULL, NULL)); /* done already */
    train.steps++;
    assert_int_equal(ipos_model_train(made->project, &train, NULL, NULL, NULL), IPOS_ERR_CONFLICT);
    assert_non_null(strstr(ipos_last_error(), "steps"));
    OK(ipos_operation_create(made->project, "inbetween", &operation));
    OK(ipos_operation_set_model(operation, model));
    ipos_model_release(model);
    OK(ipos_operation_set_clip(operation, "shot"));
    OK(ipos_operation_set_frames(operation, "1010"));
    OK(ipos_operation_run(operation, NULL, NULL));
    assert_true(ipos_operation_result_count(operation) >= 1);
    ipos_operation_release(operation);
    OK(ipos_project_verify(made->project, 1, NULL, NULL, &text));
    ipos_free(text);
}

static void test_resume(void **state)
{
    fixture *made = *state;
    ipos_train_config train = train_config("day2");
    ipos_model *model;
    watch watch_ = {.stop_after = 3};
    char *text;

    train.steps = 40;
    assert_int_equal(ipos_model_train(made->project, &train, on_progress, &watch_, &model), IPOS_ERR_CANCELLED);
    assert_null(model);
    OK(ipos_project_models(made->project, &text));
    ipos_free(text);
    train.resume = 1;
    OK(ipos_model_train(made->project, &train, NULL, NULL, &model));
    check_card(model);
    ipos_model_release(model);
}

static void test_other_project(void **state)
{
    fixture *made = *state;
    ipos_train_config train = train_config("day1");
    ipos_project *other;
    ipos_operation *operation;
    ipos_model *model, *moved;
    char path[128], command[512];

    train.steps = 2;
    OK(ipos_model_train(made->project, &train, NULL, NULL, &model));
    snprintf(path, sizeof path, "%s/other", made->folder);
    OK(ipos_project_create(made->context, path, NULL, &other));
    OK(ipos_operation_create(other, "inbetween", &operation));
    assert_int_equal(ipos_operation_set_model(operation, model), IPOS_ERR_PERMISSION);
    ipos_operation_release(operation);
    snprintf(command, sizeof command, "mkdir -p %s/other/models && cp %s/project/models/day1* %s/other/models/", made->folder, made->folder,
        made->folder);
    assert_int_equal(system(command), 0);
    assert_int_not_equal(ipos_model_open(other, "day1", &moved), IPOS_OK);
    assert_null(moved);
    ipos_project_release(other);
    ipos_model_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_refused, fixture_open_clip, fixture_close),
        cmocka_unit_test_setup_teardown(test_train_and_render, fixture_open_clip, fixture_close),
        cmocka_unit_test_setup_teardown(test_resume, fixture_open_clip, fixture_close),
        cmocka_unit_test_setup_teardown(test_other_project, fixture_open_clip, fixture_close)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
