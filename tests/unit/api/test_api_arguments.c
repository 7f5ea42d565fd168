/* Every entry point with NULL and dead handles, NULL pointers and wrong sizes: a status and a text, never a crash. */
#include <interpos/interpos.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define REFUSED(call)                                   \
    do {                                                \
        assert_int_equal((call), IPOS_ERR_ARGUMENT);    \
        assert_true(strlen(ipos_last_error()) > 5);     \
    } while (0)

static ipos_context *context;

static int make_context(void **state)
{
    (void)state;
    return ipos_context_create(NULL, &context);
}

static int drop_context(void **state)
{
    (void)state;
    ipos_context_release(context);
    return 0;
}

static void test_release_null(void **state)
{
    (void)state;
    ipos_context_release(NULL);
    ipos_project_release(NULL);
    ipos_model_release(NULL);
    ipos_frame_release(NULL);
    ipos_operation_release(NULL);
    ipos_context_retain(NULL);
    ipos_project_retain(NULL);
    ipos_model_retain(NULL);
    ipos_frame_retain(NULL);
    ipos_operation_retain(NULL);
    ipos_operation_cancel(NULL);
    ipos_free(NULL);
    assert_non_null(ipos_last_error());
}

static void test_contexts(void **state)
{
    ipos_context *made = (ipos_context *)state;
    ipos_context_config config = {.struct_size = sizeof config};
    char *json = (char *)state;

    REFUSED(ipos_context_create(NULL, NULL));
    config.struct_size = 8;
    REFUSED(ipos_context_create(&config, &made));
    assert_null(made);
    config.struct_size = sizeof config;
    config.engine_path = "relative/engine";
    REFUSED(ipos_context_create(&config, &made));
    config = (ipos_context_config){.struct_size = sizeof config, .ffmpeg_path = "ffmpeg"};
    REFUSED(ipos_context_create(&config, &made));
    config = (ipos_context_config){.struct_size = sizeof config, .log_level = 9};
    REFUSED(ipos_context_create(&config, &made));
    config = (ipos_context_config){.struct_size = sizeof config, .engine_mode = 7};
    REFUSED(ipos_context_create(&config, &made));
    config = (ipos_context_config){.struct_size = sizeof config, .threads = -1};
    REFUSED(ipos_context_create(&config, &made));
    REFUSED(ipos_context_engine_info(NULL, 0, &json));
    assert_null(json);
    REFUSED(ipos_context_engine_info(context, 0, NULL));
}

static void test_grown_struct(void **state)
{
    struct {
        ipos_context_config known;
        uint64_t later[2];
    } config = {.known = {.struct_size = sizeof config, .built_against = IPOS_VERSION}};
    ipos_context *made;

    (void)state;
    assert_int_equal(ipos_context_create(&config.known, &made), IPOS_OK); /* members of a newer header left at zero */
    ipos_context_release(made);
    config.later[1] = 1;
    assert_int_equal(ipos_context_create(&config.known, &made), IPOS_ERR_UNSUPPORTED);
    assert_null(made);
    config.later[1] = 0;
    config.known.built_against = 7u << 16;
    assert_int_equal(ipos_context_create(&config.known, &made), IPOS_ERR_UNSUPPORTED);
}

static void test_frames(void **state)
{
    const ipos_box window = {0, 0, 4, 4}, empty = {0, 0, 0, 4};
    const ipos_channel channel = {"Y", IPOS_U8, 1, 1}, strange = {"Y", 77, 1, 1}, nameless = {NULL, IPOS_U8, 1, 1};
    const ipos_plane plane = {(void *)state, 4, 1};
    ipos_frame *frame = (ipos_frame *)state, *none = NULL;
    ipos_write_config config = {.struct_size = sizeof config};
    void *bytes;
    size_t size;
    char *json;

    REFUSED(ipos_frame_create(NULL, &window, NULL, &channel, 1, &frame));
    assert_null(frame);
    REFUSED(ipos_frame_create(context, NULL, NULL, &channel, 1, &frame));
    REFUSED(ipos_frame_create(context, &window, NULL, NULL, 1, &frame));
    REFUSED(ipos_frame_create(context, &window, NULL, &channel, 0, &frame));
    REFUSED(ipos_frame_create(context, &window, NULL, &strange, 1, &frame));
    REFUSED(ipos_frame_create(context, &window, NULL, &nameless, 1, &frame));
    REFUSED(ipos_frame_create(context, &empty, NULL, &channel, 1, &frame));
    REFUSED(ipos_frame_create(context, &window, NULL, &channel, 1, NULL));
    REFUSED(ipos_frame_wrap(context, &window, NULL, &channel, NULL, 1, NULL, NULL, &frame));
    REFUSED(ipos_frame_wrap(NULL, &window, NULL, &channel, &plane, 1, NULL, NULL, &frame));
    REFUSED(ipos_frame_windows(NULL, NULL, NULL));
    assert_int_equal(ipos_frame_channel_count(NULL), 0);
    REFUSED(ipos_frame_channel(NULL, 0, NULL, NULL));
    assert_int_equal(ipos_frame_find_channel(NULL, "Y"), -1);
    REFUSED(ipos_frame_set_encoding(NULL, "srgb"));
    assert_non_null(ipos_frame_encoding(NULL));
    assert_int_equal(ipos_frame_attribute_count(NULL), 0);
    assert_int_equal(ipos_frame_find_attribute(NULL, "x"), -1);
    REFUSED(ipos_frame_timecode(NULL, NULL));
    REFUSED(ipos_frame_convert(NULL, IPOS_F32, &frame));
    REFUSED(ipos_frame_read(context, NULL, NULL, &frame));
    REFUSED(ipos_frame_read(NULL, "a.png", NULL, &frame));
    REFUSED(ipos_frame_read(context, "a.png", NULL, NULL));
    REFUSED(ipos_frame_read_memory(context, NULL, 4, NULL, &frame));
    assert_int_equal(ipos_frame_read_memory(context, "", 0, NULL, &frame), IPOS_ERR_FORMAT);
    REFUSED(ipos_frame_write(NULL, 1, "a.png", NULL));
    REFUSED(ipos_frame_write(&none, 1, "a.png", NULL));
    REFUSED(ipos_frame_write(&none, 0, "a.png", NULL));
    REFUSED(ipos_frame_write_memory(&none, 1, NULL, &bytes, &size));
    REFUSED(ipos_frame_write_memory(&none, 1, &config, &bytes, &size));
    REFUSED(ipos_media_info(NULL, "x", &json));
    REFUSED(ipos_media_info(context, NULL, &json));
    REFUSED(ipos_media_info(context, "x", NULL));
    REFUSED(ipos_encodings(NULL));
}

static void test_projects(void **state)
{
    ipos_project *project = (ipos_project *)state;
    ipos_clip_config clip = {.struct_size = sizeof clip};
    ipos_train_config train = {.struct_size = sizeof train};
    ipos_operation *operation;
    ipos_model *model;
    ipos_frame *frame;
    char *json = (char *)state;

    REFUSED(ipos_project_create(NULL, "x", NULL, &project));
    assert_null(project);
    REFUSED(ipos_project_create(context, NULL, NULL, &project));
    REFUSED(ipos_project_create(context, "", NULL, &project));
    REFUSED(ipos_project_open(context, "x", NULL));
    REFUSED(ipos_project_open(NULL, "x", &project));
    REFUSED(ipos_project_info(NULL, &json));
    assert_null(json);
    REFUSED(ipos_project_ingest(NULL, "x", &clip, NULL, NULL));
    REFUSED(ipos_project_ingest(NULL, "x", NULL, NULL, NULL));
    REFUSED(ipos_project_clips(NULL, NULL, &json));
    REFUSED(ipos_project_frame(NULL, "x", 0, &frame));
    REFUSED(ipos_project_set_training(NULL, "x", 1, "me", NULL));
    REFUSED(ipos_project_options(NULL, NULL, &json));
    REFUSED(ipos_option_frame(NULL, "o1", 0, 0, &frame));
    REFUSED(ipos_option_accept(NULL, "o1", "me", NULL));
    REFUSED(ipos_option_reject(NULL, "o1", "me", NULL));
    REFUSED(ipos_option_publish(NULL, "o1", "x", NULL, NULL, NULL));
    REFUSED(ipos_project_ledger(NULL, &json));
    REFUSED(ipos_project_verify(NULL, 0, NULL, NULL, &json));
    REFUSED(ipos_project_models(NULL, &json));
    REFUSED(ipos_model_train(NULL, &train, NULL, NULL, &model));
    REFUSED(ipos_model_train(NULL, NULL, NULL, NULL, &model));
    REFUSED(ipos_model_open(NULL, "m", &model));
    REFUSED(ipos_model_card(NULL, &json));
    REFUSED(ipos_model_card_text(NULL, &json));
    REFUSED(ipos_operation_create(NULL, "inbetween", &operation));
    REFUSED(ipos_operation_create(NULL, NULL, &operation));
}

static ipos_status fetch_none(void *user, const char *clip, int64_t number, const char *channels, ipos_frame **out)
{
    (void)user, (void)clip, (void)number, (void)channels, (void)out;
    return IPOS_ERR_NOT_FOUND;
}

static void test_operations(void **state)
{
    ipos_option_info option = {.struct_size = sizeof option};
    ipos_result_info result = {.struct_size = sizeof result};
    ipos_host_clip clip = {.struct_size = sizeof clip};
    ipos_frame *frame = (ipos_frame *)state;

    REFUSED(ipos_operations(NULL));
    assert_int_equal(ipos_operation_option_count(NULL), 0);
    REFUSED(ipos_operation_option_info(NULL, 0, &option));
    REFUSED(ipos_operation_set(NULL, "a", "b"));
    REFUSED(ipos_operation_set_int(NULL, "a", 1));
    REFUSED(ipos_operation_set_real(NULL, "a", 1));
    REFUSED(ipos_operation_set_model(NULL, NULL));
    REFUSED(ipos_operation_set_clip(NULL, "a"));
    REFUSED(ipos_operation_set_frames(NULL, "1"));
    REFUSED(ipos_operation_set_host_clip(NULL, &clip, fetch_none, NULL));
    REFUSED(ipos_operation_set_host_clip(NULL, NULL, fetch_none, NULL));
    REFUSED(ipos_operation_run(NULL, NULL, NULL));
    assert_int_equal(ipos_operation_result_count(NULL), 0);
    REFUSED(ipos_operation_result(NULL, 0, &result));
    REFUSED(ipos_operation_result_frame(NULL, 0, 0, 0, NULL, NULL, &frame));
    assert_null(frame);
}

static void test_wrong_kind_of_handle(void **state)
{
    char *json;

    (void)state;
    REFUSED(ipos_project_info((ipos_project *)context, &json));
    REFUSED(ipos_model_card((ipos_model *)context, &json));
    REFUSED(ipos_operation_run((ipos_operation *)context, NULL, NULL));
    ipos_project_release((ipos_project *)context);
    ipos_operation_cancel((ipos_operation *)context);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(ipos_status_name(IPOS_OK), "IPOS_OK");
    assert_string_equal(ipos_status_name(IPOS_ERR_TAMPERED), "IPOS_ERR_TAMPERED");
    assert_string_equal(ipos_status_name(5), "unknown status");
    assert_int_equal(ipos_version(), IPOS_VERSION);
    assert_string_equal(ipos_version_text(), "0.1.0");
    assert_int_equal(ipos_feature(NULL), 0);
    assert_int_equal(ipos_feature("teleport"), 0);
    assert_int_equal(ipos_feature("png"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_release_null), cmocka_unit_test(test_contexts), cmocka_unit_test(test_grown_struct),
        cmocka_unit_test(test_frames), cmocka_unit_test(test_projects), cmocka_unit_test(test_operations),
        cmocka_unit_test(test_wrong_kind_of_handle), cmocka_unit_test(test_names)};

    return cmocka_run_group_tests(tests, make_context, drop_context);
}
