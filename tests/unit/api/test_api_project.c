/* Projects through the public API. */
#include "api_fixture.h"
#include <pthread.h>
#include <unistd.h>
#include <sys/wait.h>

static int32_t count_calls(void *user, double done, double remaining, const char *stage, const char *json)
{
    double *last = user;
    json_t *object = json_loads(json, 0, NULL);

    (void)remaining;
    assert_true(done >= last[0] && done <= 1);
    assert_true(stage && *stage);
    assert_true(json_is_object(object));
    json_decref(object);
    last[0] = done;
    last[1]++;
    return 0;
}

static int32_t stop(void *user, double done, double remaining, const char *stage, const char *json)
{
    (void)user, (void)done, (void)remaining, (void)stage, (void)json;
    return 1;
}

static void test_ingest(void **state)
{
    fixture *made = *state;
    ipos_clip_config clip = fixture_clip("shot");
    double progress[2] = {0};
    char pattern[128], *text;
    size_t frames_before;

    fixture_footage(made, pattern);
    OK(ipos_project_ingest(made->project, pattern, &clip, count_calls, progress));
    assert_true(progress[1] > 0);
    OK(ipos_project_clips(made->project, "shot", &text));
    json_t *list = fixture_json(text), *entry = json_array_get(list, 0);
    assert_int_equal(json_integer_value(json_object_get(entry, "frames")), FIXTURE_FRAMES);
    assert_int_equal(json_integer_value(json_object_get(entry, "first")), 1001);
    assert_string_equal(json_string_value(json_object_get(entry, "training")), "allowed");
    json_decref(list);
    OK(ipos_project_ledger(made->project, &text));
    list = fixture_json(text);
    frames_before = json_array_size(list);
    json_decref(list);
    OK(ipos_project_ingest(made->project, pattern, &clip, NULL, NULL)); /* found unchanged */
    OK(ipos_project_clips(made->project, NULL, &text));
    list = fixture_json(text);
    assert_int_equal(json_array_size(list), 1);
    json_decref(list);
    OK(ipos_project_ledger(made->project, &text));
    list = fixture_json(text);
    assert_int_equal(json_array_size(list), frames_before);
    json_decref(list);
}

static void test_ingest_refused(void **state)
{
    fixture *made = *state;
    ipos_clip_config clip = fixture_clip("shot");
    char pattern[128], *text;

    fixture_footage(made, pattern);
    clip.training = IPOS_TRAINING_UNKNOWN;
    assert_int_not_equal(ipos_project_ingest(made->project, pattern, &clip, NULL, NULL), IPOS_OK);
    clip = fixture_clip("no/slash");
    assert_int_equal(ipos_project_ingest(made->project, pattern, &clip, NULL, NULL), IPOS_ERR_ARGUMENT);
    clip = fixture_clip("shot");
    clip.owner = NULL;
    assert_int_equal(ipos_project_ingest(made->project, pattern, &clip, NULL, NULL), IPOS_ERR_ARGUMENT);
    clip = fixture_clip("shot");
    clip.struct_size = 12;
    assert_int_equal(ipos_project_ingest(made->project, pattern, &clip, NULL, NULL), IPOS_ERR_ARGUMENT);
    clip = fixture_clip("shot");
    assert_int_equal(ipos_project_ingest(made->project, "/nonexistent/a.%04d.png", &clip, NULL, NULL), IPOS_ERR_NOT_FOUND);
    assert_int_equal(ipos_project_ingest(made->project, pattern, &clip, stop, NULL), IPOS_ERR_CANCELLED);
    OK(ipos_project_ingest(made->project, pattern, &clip, NULL, NULL)); /* goes on */
    assert_int_equal(ipos_project_clips(made->project, "other", &text), IPOS_ERR_NOT_FOUND);
    assert_null(text);
}

static void test_frame_outlives_parents(void **state)
{
    fixture *made = *state;
    ipos_frame *frame, *missing = (ipos_frame *)made;
    ipos_plane plane;

    OK(ipos_project_frame(made->project, "shot", 1005, &frame));
    assert_int_equal(ipos_project_frame(made->project, "shot", 5, &missing), IPOS_ERR_NOT_FOUND);
    assert_null(missing);
    ipos_project_release(made->project);
    ipos_context_release(made->context);
    OK(ipos_frame_channel(frame, (size_t)ipos_frame_find_channel(frame, "G"), NULL, &plane));
    for (int y = 0; y < FIXTURE_HEIGHT; y++)
        for (int x = 0; x < FIXTURE_WIDTH; x++)
            assert_int_equal(((unsigned char *)plane.data)[y * plane.row_stride + x * plane.pixel_stride], fixture_sample(x, y, 1, 4));
    ipos_frame_release(frame);
    made->project = NULL;
    made->context = NULL;
}

static void test_changed_frame(void **state)
{
    fixture *made = *state;
    ipos_frame *frame = fixture_frame(made->context, 3);
    char path[160], *text;

    snprintf(path, sizeof path, "%s/plates/shot.1010.png", made->folder);
    OK(ipos_frame_write(&frame, 1, path, NULL));
    ipos_frame_release(frame);
    assert_int_equal(ipos_project_frame(made->project, "shot", 1010, &frame), IPOS_ERR_CHANGED);
    assert_int_equal(ipos_project_verify(made->project, 1, NULL, NULL, &text), IPOS_ERR_TAMPERED);
    json_t *report = fixture_json(text);
    assert_true(json_array_size(json_object_get(report, "problems")) > 0);
    assert_true(json_is_false(json_object_get(report, "ok")));
    json_decref(report);
}

static void test_training_permission(void **state)
{
    fixture *made = *state;
    char *text;

    assert_int_equal(ipos_project_set_training(made->project, "shot", IPOS_TRAINING_DENIED, NULL, NULL), IPOS_ERR_ARGUMENT);
    assert_int_equal(ipos_project_set_training(made->project, "shot", 5, "me", NULL), IPOS_ERR_ARGUMENT);
    OK(ipos_project_set_training(made->project, "shot", IPOS_TRAINING_DENIED, "M. Ortiz", "withdrawn"));
    OK(ipos_project_clips(made->project, "shot", &text));
    json_t *list = fixture_json(text);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "training")), "denied");
    json_decref(list);
    OK(ipos_project_verify(made->project, 1, NULL, NULL, &text));
    ipos_free(text);
}

static void *use_from_here(void *project)
{
    char *text;

    return (void *)(intptr_t)ipos_project_info(project, &text);
}

static int32_t try_other_thread(void *user, double done, double remaining, const char *stage, const char *json)
{
    fixture *made = user;
    pthread_t other;
    void *status;
    char *text;

    (void)done, (void)remaining, (void)stage, (void)json;
    assert_int_equal(pthread_create(&other, NULL, use_from_here, made->project), 0);
    pthread_join(other, &status);
    assert_int_equal((intptr_t)status, IPOS_ERR_STATE);
    OK(ipos_project_info(made->project, &text)); /* the same thread may */
    ipos_free(text);
    return 0;
}

static void test_one_thread(void **state)
{
    fixture *made = *state;
    char *text;

    OK(ipos_project_verify(made->project, 1, try_other_thread, made, &text));
    ipos_free(text);
    OK(ipos_project_info(made->project, &text));
    ipos_free(text);
}

static void test_fork(void **state)
{
    fixture *made = *state;
    char *text;
    int status = 0;
    const pid_t child = fork();

    if (child == 0)
        _exit(ipos_project_info(made->project, &text) == IPOS_ERR_STATE ? 0 : 1);
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    assert_int_equal(status, 0);
    OK(ipos_project_info(made->project, &text));
    ipos_free(text);
}

static void test_open_twice(void **state)
{
    fixture *made = *state;
    ipos_project *second, *third = (ipos_project *)made;
    char path[128], *text;

    snprintf(path, sizeof path, "%s/project", made->folder);
    OK(ipos_project_open(made->context, path, &second));
    OK(ipos_project_clips(second, "shot", &text));
    ipos_free(text);
    ipos_project_release(second);
    assert_int_not_equal(ipos_project_create(made->context, path, NULL, &third), IPOS_OK);
    assert_null(third);
    assert_int_equal(ipos_project_open(made->context, "/nonexistent", &third), IPOS_ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_ingest, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_ingest_refused, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_frame_outlives_parents, fixture_open_clip, fixture_close),
        cmocka_unit_test_setup_teardown(test_changed_frame, fixture_open_clip, fixture_close),
        cmocka_unit_test_setup_teardown(test_training_permission, fixture_open_clip, fixture_close),
        cmocka_unit_test_setup_teardown(test_one_thread, fixture_open_clip, fixture_close),
        cmocka_unit_test_setup_teardown(test_fork, fixture_open_clip, fixture_close),
        cmocka_unit_test_setup_teardown(test_open_twice, fixture_open_clip, fixture_close)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
