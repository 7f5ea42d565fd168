/* Operations that change frames, and further clips by role: what the library promises for them, with an operation that inverts a
 * rectangle, and lies if asked to. */
#include "api_fixture.h"
#include <stdbool.h>
#include <unistd.h>

enum { BOX_X = 8, BOX_Y = 8, BOX_WIDTH = 16, BOX_HEIGHT = 12 };

static ipos_operation *edit_of(fixture *made, const char *clip, const char *frames)
{
    ipos_operation *operation;

    OK(ipos_operation_create(made->project, "edit", &operation));
    if (clip)
        OK(ipos_operation_set_clip(operation, clip));
    OK(ipos_operation_set_frames(operation, frames));
    return operation;
}

static void run_fails(ipos_operation *operation, ipos_status expected, const char *first, const char *second)
{
    ipos_status status = ipos_operation_run(operation, NULL, NULL);

    if (status != expected || !strstr(ipos_last_error(), first) || (second && !strstr(ipos_last_error(), second)))
        fail_msg("status %d, \"%s\", expected %d, \"%s\"", (int)status, ipos_last_error(), (int)expected, first);
}

static ipos_result_info result_of(ipos_operation *operation)
{
    ipos_result_info result = {.struct_size = sizeof result};

    OK(ipos_operation_result(operation, 0, &result));
    return result;
}

static json_t *option_of(fixture *made, const char *id)
{
    char *text;

    OK(ipos_project_options(made->project, id, &text));
    json_t *list = fixture_json(text), *option = json_incref(json_array_get(list, 0));
    json_decref(list);
    return option;
}

static size_t sample_bytes(int32_t type)
{
    return type == IPOS_U8 ? 1 : type == IPOS_U16 || type == IPOS_F16 ? 2 : 4;
}

/* Every sample of every channel: the same bits outside of the box, others inside. */
static void changed_in_the_box(const ipos_frame *before, const ipos_frame *after)
{
    assert_int_equal(ipos_frame_channel_count(before), ipos_frame_channel_count(after));
    for (size_t c = 0; c < ipos_frame_channel_count(before); c++) {
        ipos_channel channel;
        ipos_plane was, is;
        ipos_box window;
        OK(ipos_frame_windows(before, &window, NULL));
        OK(ipos_frame_channel(before, c, &channel, &was));
        OK(ipos_frame_channel(after, (size_t)ipos_frame_find_channel(after, channel.name), NULL, &is));
        for (int y = 0; y < window.height; y++)
            for (int x = 0; x < window.width; x++) {
                const bool inside = x >= BOX_X && y >= BOX_Y && x < BOX_X + BOX_WIDTH && y < BOX_Y + BOX_HEIGHT;
                const bool same = memcmp((char *)was.data + y * was.row_stride + x * was.pixel_stride,
                    (char *)is.data + y * is.row_stride + x * is.pixel_stride, sample_bytes(channel.sample_type)) == 0;
                if (same == inside)
                    fail_msg("channel %s at %d,%d is %s", channel.name, x, y, same ? "the same" : "another");
            }
    }
}

/* The same attributes, no more and no fewer, but for the one named. */
static void same_attributes(const ipos_frame *a, const ipos_frame *b, const char *but)
{
    assert_int_equal(ipos_frame_attribute_count(a), ipos_frame_attribute_count(b));
    for (size_t i = 0; i < ipos_frame_attribute_count(a); i++) {
        const char *name, *type, *other_type;
        const void *bytes, *other_bytes;
        size_t size, other_size;
        OK(ipos_frame_attribute(a, i, &name, &type, &bytes, &size));
        const int64_t at = ipos_frame_find_attribute(b, name);
        if (at < 0)
            fail_msg("%s is gone", name);
        OK(ipos_frame_attribute(b, (size_t)at, NULL, &other_type, &other_bytes, &other_size));
        assert_string_equal(type, other_type);
        if (but && strcmp(name, but) == 0)
            continue;
        if (size != other_size || memcmp(bytes, other_bytes, size) != 0)
            fail_msg("%s is another", name);
    }
}

static void published(fixture *made, const char *option, const char *folder, size_t count)
{
    char path[160], *text;

    snprintf(path, sizeof path, "%s/%s/", made->folder, folder);
    OK(ipos_option_accept(made->project, option, "A. Editor", NULL));
    OK(ipos_option_publish(made->project, option, path, NULL, NULL, &text));
    json_t *list = fixture_json(text);
    assert_int_equal(json_array_size(json_object_get(list, "files")), count);
    json_decref(list);
    OK(ipos_project_verify(made->project, 1, NULL, NULL, &text));
    ipos_free(text);
}

static bool is_source(const json_t *option, const char *clip, int frame)
{
    json_t *source;
    size_t i;

    json_array_foreach(json_object_get(option, "sources"), i, source) {
        const char *name = json_string_value(json_object_get(source, "clip"));
        if (json_integer_value(json_object_get(source, "frame")) == frame && (clip ? name && strcmp(name, clip) == 0 : !name))
            return true;
    }
    return false;
}

static void test_project_clip(void **state)
{
    static const int numbers[] = {1003, 1005, 1006};
    fixture *made = *state;
    ipos_operation *operation = edit_of(made, "shot", "1005-1006,1003");
    char path[200];

    OK(ipos_operation_run(operation, NULL, NULL));
    assert_int_equal(ipos_operation_result_count(operation), 1);
    ipos_result_info result = result_of(operation);
    assert_int_equal(result.frames, 3);
    json_t *option = option_of(made, result.option);
    published(made, result.option, "out", 3);
    for (size_t i = 0; i < 3; i++) {
        ipos_frame *before, *after, *file, *map;
        ipos_rational time;
        OK(ipos_project_frame(made->project, "shot", numbers[i], &before));
        OK(ipos_operation_result_frame(operation, 0, i, 0, &time, NULL, &after));
        OK(ipos_operation_result_frame(operation, 0, i, 1, NULL, NULL, &map));
        snprintf(path, sizeof path, "%s/out/shot.%d.png", made->folder, numbers[i]);
        OK(ipos_frame_read(made->context, path, NULL, &file));
        assert_true(time.num == numbers[i] && time.den == 1);
        assert_true(is_source(option, NULL, numbers[i]));
        changed_in_the_box(before, after);
        changed_in_the_box(before, file);
        same_attributes(before, file, NULL);
        assert_true(ipos_frame_find_channel(map, "matte") >= 0 && ipos_frame_find_channel(map, "matte.shadow") >= 0);
        assert_int_equal(ipos_frame_channel_count(map), 4);
        ipos_frame_release(before);
        ipos_frame_release(after);
        ipos_frame_release(file);
        ipos_frame_release(map);
    }
    assert_false(is_source(option, NULL, 1004));
    assert_true(json_is_string(json_object_get(option, "sheet")));
    json_decref(option);
    ipos_operation_release(operation);
}

static void test_wrong_frames(void **state)
{
    fixture *made = *state;
    ipos_clip_config clip = fixture_clip("shot");
    char pattern[128], path[160];

    fixture_footage(made, pattern);
    snprintf(path, sizeof path, "%s/plates/shot.1010.png", made->folder);
    assert_int_equal(unlink(path), 0);
    OK(ipos_project_ingest(made->project, pattern, &clip, NULL, NULL));
    ipos_operation *operation = edit_of(made, "shot", "1005,2011/2");
    run_fails(operation, IPOS_ERR_ARGUMENT, "2011/2", "whole numbers");
    OK(ipos_operation_set_frames(operation, "1009-1011"));
    run_fails(operation, IPOS_ERR_ARGUMENT, "no frame 1010", "'shot'");
    OK(ipos_operation_set_frames(operation, "1000"));
    run_fails(operation, IPOS_ERR_ARGUMENT, "1001 to 1024", NULL);
    OK(ipos_operation_set_frames(operation, "1009,1011"));
    OK(ipos_operation_run(operation, NULL, NULL));
    ipos_operation_release(operation);
}

/* Half floats with all that must stay: attributes, windows, a second part. */
static void write_exr(fixture *made, const char *path, const char *compression, int number)
{
    const ipos_box data = {-2, 3, 64, 48}, display = {0, 0, 64, 48};
    const ipos_channel channels[] = {{"B", IPOS_F16, 1, 1}, {"G", IPOS_F16, 1, 1}, {"R", IPOS_F16, 1, 1}, {"id", IPOS_U32, 1, 1}};
    ipos_frame *parts[2];
    const ipos_write_config config = {.struct_size = sizeof config, .compression = compression};

    for (int p = 0; p < 2; p++) {
        OK(ipos_frame_create(made->context, &data, &display, channels, p ? 1 : 4, &parts[p]));
        for (size_t c = 0; c < ipos_frame_channel_count(parts[p]); c++) {
            ipos_plane plane;
            ipos_channel channel;
            OK(ipos_frame_channel(parts[p], c, &channel, &plane));
            for (int y = 0; y < data.height; y++)
                for (int x = 0; x < data.width; x++) {
                    const uint32_t value = (uint32_t)(0x3000 + ((x * 37 + y * 11 + number * 5 + p * 3) * 2654435761u >> 22));
                    memcpy((char *)plane.data + y * plane.row_stride + x * plane.pixel_stride, &value, sample_bytes(channel.sample_type));
                }
        }
        OK(ipos_frame_set_attribute(parts[p], "name", "string", p ? "depth" : "beauty", p ? 5 : 6));
        OK(ipos_frame_set_attribute(parts[p], "reel", "string", "A001", 4));
        OK(ipos_frame_set_attribute(parts[p], "vendor", "vendorType", "\1\0\377", 3));
    }
    /* A timecode that no counting would give: hour 10, frame 99 of 24, flags set. */
    for (int p = 0; p < 2; p++)
        OK(ipos_frame_set_attribute(parts[p], "timeCode", "timecode", "\x99\x80\x80\xd0\1\2\3\4", 8));
    OK(ipos_frame_write(parts, 2, path, &config));
    ipos_frame_release(parts[0]);
    ipos_frame_release(parts[1]);
}

static void edit_exr(fixture *made, const char *name, const char *compression)
{
    ipos_clip_config clip = fixture_clip(name);
    char path[200];

    snprintf(path, sizeof path, "mkdir -p %s/%s", made->folder, name);
    assert_int_equal(system(path), 0);
    for (int i = 8; i < 12; i++) {
        snprintf(path, sizeof path, "%s/%s/p.%d.exr", made->folder, name, i); /* numbers without leading zeros */
        write_exr(made, path, compression, i);
    }
    clip.encoding = "linear";
    snprintf(path, sizeof path, "%s/%s", made->folder, name);
    OK(ipos_project_ingest(made->project, path, &clip, NULL, NULL));
    ipos_operation *operation = edit_of(made, name, "9,10");
    OK(ipos_operation_run(operation, NULL, NULL));
    snprintf(path, sizeof path, "out_%s", name);
    published(made, result_of(operation).option, path, 2);
    for (int part = 0; part < 4; part++) {
        const ipos_read_config which = {.struct_size = sizeof which, .part = part % 2};
        ipos_frame *before, *after;
        char was[200];
        snprintf(was, sizeof was, "%s/%s/p.%d.exr", made->folder, name, 9 + part / 2);
        snprintf(path, sizeof path, "%s/out_%s/p.%d.exr", made->folder, name, 9 + part / 2);
        OK(ipos_frame_read(made->context, was, &which, &before));
        OK(ipos_frame_read(made->context, path, &which, &after));
        same_attributes(before, after, strncmp(compression, "dwa", 3) == 0 ? "compression" : NULL);
        if (part % 2 == 0)
            changed_in_the_box(before, after);
        ipos_frame_release(before);
        ipos_frame_release(after);
    }
    ipos_operation_release(operation);
}

static void test_exr(void **state)
{
    edit_exr(*state, "zipped", "zip");
    edit_exr(*state, "lossy", "dwaa");
}

static void test_one_image(void **state)
{
    fixture *made = *state;
    ipos_clip_config clip = fixture_clip("still");
    ipos_frame *frame = fixture_frame(made->context, 3);
    char path[160];

    snprintf(path, sizeof path, "%s/still.png", made->folder);
    OK(ipos_frame_write(&frame, 1, path, NULL));
    ipos_frame_release(frame);
    OK(ipos_project_ingest(made->project, path, &clip, NULL, NULL));
    json_t *clips;
    char *text, number[32];
    OK(ipos_project_clips(made->project, "still", &text));
    clips = fixture_json(text);
    snprintf(number, sizeof number, "%lld", (long long)json_integer_value(json_object_get(json_array_get(clips, 0), "first")));
    json_decref(clips);
    ipos_operation *operation = edit_of(made, "still", number);
    OK(ipos_operation_run(operation, NULL, NULL));
    published(made, result_of(operation).option, "stills", 1);
    snprintf(path, sizeof path, "%s/stills/still.png", made->folder);
    assert_int_equal(access(path, R_OK), 0);
    ipos_operation_release(operation);
}

/* What an operation must not do is found out, and nothing of it is kept. */
static void test_lies(void **state)
{
    static const char *const lies[][2] = {{"outside", "0,0"}, {"window", "windows"}, {"unasked", "nobody asked"}, {"half", "nobody asked"},
        {"bare", "without an evidence map"}};
    fixture *made = *state;
    ipos_operation *operation = edit_of(made, "shot", "1003-1005");
    char *text;

    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        OK(ipos_operation_set(operation, "lie", lies[i][0]));
        run_fails(operation, IPOS_ERR_ENGINE, lies[i][1], NULL);
        assert_int_equal(ipos_operation_result_count(operation), 0);
    }
    OK(ipos_project_options(made->project, NULL, &text));
    json_t *list = fixture_json(text);
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
    ipos_operation_release(operation);
}

static json_t *told(const ipos_operation *operation, size_t index)
{
    ipos_result_info result = {.struct_size = sizeof result};

    OK(ipos_operation_result(operation, 0, &result));
    json_t *details = json_loads(result.details, 0, NULL), *clip = json_incref(json_array_get(json_object_get(details, "clips"), index));
    json_decref(details);
    assert_non_null(clip);
    return clip;
}

static void clip_is(const ipos_operation *operation, size_t index, const char *name, const char *role, const char *encoding, bool may_train,
    int served, int lacking)
{
    json_t *clip = told(operation, index);

    assert_string_equal(json_string_value(json_object_get(clip, "name")), name);
    assert_string_equal(json_string_value(json_object_get(clip, "role")), role);
    assert_string_equal(json_string_value(json_object_get(clip, "encoding")), encoding);
    assert_int_equal(json_is_true(json_object_get(clip, "may_train")), may_train);
    assert_int_equal(json_integer_value(json_object_get(clip, "served")), served);
    assert_int_equal(json_integer_value(json_object_get(clip, "lacking")), lacking);
    json_decref(clip);
}

static void ingest_as(fixture *made, const char *name, const char *encoding, int32_t training, const char *operations)
{
    ipos_clip_config clip = fixture_clip(name);
    char pattern[160], command[300];

    snprintf(command, sizeof command, "cp -r %s/plates %s/%s", made->folder, made->folder, name);
    assert_int_equal(system(command), 0);
    snprintf(pattern, sizeof pattern, "%s/%s", made->folder, name);
    clip.encoding = encoding;
    clip.training = training;
    clip.operations = operations;
    OK(ipos_project_ingest(made->project, pattern, &clip, NULL, NULL));
}

static void test_roles(void **state)
{
    fixture *made = *state;
    ipos_operation *operation = edit_of(made, "shot", "1003,1004");
    char path[160];

    ingest_as(made, "holes", "data", IPOS_TRAINING_DENIED, NULL);
    ingest_as(made, "take2", "rec709", IPOS_TRAINING_ALLOWED, "edit");
    ingest_as(made, "guarded", "rec709", IPOS_TRAINING_ALLOWED, "relight");
    OK(ipos_operation_set(operation, "matte", "nowhere"));
    run_fails(operation, IPOS_ERR_NOT_FOUND, "nowhere", "\"matte\"");
    OK(ipos_operation_set(operation, "matte", "guarded"));
    run_fails(operation, IPOS_ERR_PERMISSION, "guarded", "\"matte\"");
    OK(ipos_operation_set(operation, "matte", "shot"));
    run_fails(operation, IPOS_ERR_ARGUMENT, "the one to work on", "\"matte\"");
    OK(ipos_operation_set(operation, "matte", "holes"));
    OK(ipos_operation_set(operation, "takes", "take2,holes,take2"));
    run_fails(operation, IPOS_ERR_ARGUMENT, "named twice", "\"takes\"");
    OK(ipos_operation_set(operation, "takes", "take2,,holes"));
    run_fails(operation, IPOS_ERR_ARGUMENT, "empty name", "\"takes\"");
    OK(ipos_operation_set(operation, "takes", "take2, holes"));
    OK(ipos_operation_run(operation, NULL, NULL));
    clip_is(operation, 0, "shot", "", "rec709", true, 0, 0);
    clip_is(operation, 1, "holes", "matte", "data", false, 2, 0);
    clip_is(operation, 2, "take2", "takes", "rec709", true, 2, 0);
    clip_is(operation, 3, "holes", "takes", "data", false, 2, 0);
    json_t *option = option_of(made, result_of(operation).option);
    assert_int_equal(json_array_size(json_object_get(option, "sources")), 6);
    assert_true(is_source(option, NULL, 1003) && is_source(option, "holes", 1004) && is_source(option, "take2", 1003));
    json_decref(option);
    published(made, result_of(operation).option, "out", 2);
    /* A matte that is no longer what it was made from. */
    snprintf(path, sizeof path, "%s/holes/shot.1004.png", made->folder);
    FILE *file = fopen(path, "r+b");
    fseek(file, -20, SEEK_END);
    fputc(7, file);
    fclose(file);
    snprintf(path, sizeof path, "%s/again/", made->folder);
    assert_int_equal(ipos_option_publish(made->project, result_of(operation).option, path, NULL, NULL, NULL), IPOS_ERR_CHANGED);
    assert_non_null(strstr(ipos_last_error(), "holes/shot.1004.png"));
    ipos_operation_release(operation);
}

typedef struct host {
    ipos_context *context;
    int64_t hole;       /* of the clip "comp"; 0: none */
    int mattes, frames; /* how often asked */
} host;

static ipos_status fetch(void *user, const char *clip, int64_t number, const char *channels, ipos_frame **out)
{
    host *host_ = user;
    const bool matte = strcmp(clip, "key") == 0;

    (void)channels;
    assert_true(matte || strcmp(clip, "comp") == 0);
    host_->mattes += matte;
    host_->frames += !matte;
    if (matte ? number == 4 : number == host_->hole)
        return IPOS_ERR_NOT_FOUND;
    *out = fixture_frame(host_->context, (int)number);
    OK(ipos_frame_set_encoding(*out, "logc3"));
    OK(ipos_frame_set_attribute(*out, "camera", "string", "A", 1));
    return ipos_frame_set_attribute(*out, "timeCode", "timecode", "\x99\x80\x80\xd0\1\2\3\4", 8);
}

static void test_host(void **state)
{
    fixture *made = *state;
    const ipos_host_clip clip = {.struct_size = sizeof clip, .name = "comp", .first = 1, .last = 9, .rate = {24, 1}, .encoding = "rec709",
        .owner = "tests", .licence = "made here", .training = IPOS_TRAINING_DENIED};
    host host_ = {.context = made->context};
    ipos_operation *operation = edit_of(made, NULL, "3-5");
    ipos_frame *before, *after;

    OK(ipos_operation_set_host_clip(operation, &clip, fetch, &host_));
    OK(ipos_operation_set(operation, "matte", "key"));
    OK(ipos_operation_set(operation, "takes", "key"));
    OK(ipos_operation_run(operation, NULL, NULL));
    assert_int_equal(host_.frames, 3); /* what the key lacks starts nothing over */
    assert_int_equal(host_.mattes, 6);
    clip_is(operation, 0, "comp", "", "rec709", false, 0, 0);
    clip_is(operation, 1, "key", "matte", "data", false, 2, 1);
    clip_is(operation, 2, "key", "takes", "rec709", false, 2, 1);
    for (int i = 0; i < 3; i++) {
        OK(fetch(&host_, "comp", 3 + i, "", &before));
        OK(ipos_operation_result_frame(operation, 0, (size_t)i, 0, NULL, NULL, &after));
        changed_in_the_box(before, after);
        same_attributes(before, after, NULL);
        assert_string_equal(ipos_frame_encoding(after), "logc3");
        ipos_frame_release(before);
        ipos_frame_release(after);
    }
    json_t *option = option_of(made, result_of(operation).option);
    json_t *results = json_object_get(json_object_get(option, "details"), "results");
    assert_true(is_source(results, NULL, 3) && is_source(results, "key", 5));
    assert_false(is_source(results, "key", 4));
    json_decref(option);
    OK(ipos_operation_set(operation, "lie", "outside"));
    run_fails(operation, IPOS_ERR_ENGINE, "channel", "original");
    OK(ipos_operation_set(operation, "lie", "unread"));
    run_fails(operation, IPOS_ERR_ENGINE, "without reading", NULL);
    OK(ipos_operation_set(operation, "lie", "nothing"));
    host_.hole = 5;
    run_fails(operation, IPOS_ERR_ARGUMENT, "no frame 5", "'comp'");
    OK(ipos_operation_set_frames(operation, "7/2"));
    run_fails(operation, IPOS_ERR_ARGUMENT, "7/2", "whole");
    ipos_operation_release(operation);
}

static void test_listing(void **state)
{
    ipos_operation *operation = edit_of(*state, NULL, "3");
    ipos_option_info info = {.struct_size = sizeof info};
    char *text;
    size_t i;
    json_t *entry, *clip;

    OK(ipos_operation_option_info(operation, 2, &info));
    assert_int_equal(info.type, IPOS_OPTION_CLIP);
    assert_string_equal(info.preset, "");
    OK(ipos_operations(&text));
    json_t *list = fixture_json(text);
    json_array_foreach(list, i, entry) {
        const bool edits = strcmp(json_string_value(json_object_get(entry, "name")), "edit") == 0;
        assert_int_equal(json_is_true(json_object_get(entry, "edits")), edits);
        clip = edits ? json_array_get(json_object_get(entry, "options"), 2) : NULL;
        if (clip)
            assert_string_equal(json_string_value(json_object_get(clip, "type")), "clip");
    }
    json_decref(list);
    ipos_operation_release(operation);
}

static void test_strokes(void **state)
{
    fixture *made = *state;
    ipos_operation *operation = edit_of(made, "shot", "1003");
    char path[160], *json;

    assert_int_equal(ipos_operation_set(operation, "strokes", "{\"strokes\":[{\"frame\":1003,\"points\":[[1,2]]}]}"), IPOS_ERR_ARGUMENT);
    assert_non_null(strstr(ipos_last_error(), "setting \"strokes\": stroke 1: it has 1 points, expected 2 to 1000"));
    snprintf(path, sizeof path, "%s/s.svg", made->folder);
    FILE *file = fopen(path, "w");
    fprintf(file, "<svg><path id='left' d='M10 20L30 40'/></svg>");
    fclose(file);
    assert_int_equal(ipos_strokes_read(path, INT64_MIN, &json), IPOS_ERR_FORMAT);
    assert_null(json);
    assert_non_null(strstr(ipos_last_error(), path));
    assert_int_equal(ipos_strokes_read(NULL, 1, &json), IPOS_ERR_ARGUMENT);
    OK(ipos_strokes_read(path, 1003, &json));
    OK(ipos_operation_set(operation, "strokes", json));
    OK(ipos_operation_run(operation, NULL, NULL));
    json_t *option = option_of(made, result_of(operation).option), *details = json_object_get(option, "details");
    assert_string_equal(json_string_value(json_object_get(json_object_get(option, "parameters"), "strokes")), json);
    json_t *given = json_loads(json, 0, NULL);
    assert_true(json_equal(json_object_get(given, "strokes"), json_object_get(details, "strokes")));
    json_decref(given);
    json_decref(option);
    ipos_free(json);
    /* A caller built against the struct as it was. */
    ipos_result_info old = {.struct_size = offsetof(ipos_result_info, details)};
    old.details = "untouched";
    OK(ipos_operation_result(operation, 0, &old));
    assert_string_equal(old.details, "untouched");
    ipos_operation_release(operation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_project_clip, fixture_open_clip, fixture_close),
        cmocka_unit_test_setup_teardown(test_wrong_frames, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_exr, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_one_image, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_lies, fixture_open_clip, fixture_close),
        cmocka_unit_test_setup_teardown(test_roles, fixture_open_clip, fixture_close),
        cmocka_unit_test_setup_teardown(test_host, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_listing, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_strokes, fixture_open_clip, fixture_close)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
