/* Ingest: what is required, what is found, and what happens when it is repeated, interrupted or the footage changes. */
#include "fixture.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static json_t *clip_of(fixture *f, const char *name)
{
    char *text;

    need(ip_store_clips_json(f->store, name, &text));
    json_t *list = parse(text), *clip = json_incref(json_array_get(list, 0));
    json_decref(list);
    return clip;
}

static int64_t member(const json_t *value, const char *key)
{
    return json_integer_value(json_object_get(value, key));
}

static void refuses_what_is_missing(void **state)
{
    fixture *f = *state;
    char *path = ip_path_join(f->footage, "shot");

    make_sequence(f, "shot", 1, 3, 0);
    ipos_clip_config config = clip_config("shot");
    config.training = IPOS_TRAINING_UNKNOWN;
    need_fail(ip_store_ingest(f->store, path, &config, NULL, NULL), IPOS_ERR_ARGUMENT, "unknown");
    config = clip_config("shot");
    config.owner = NULL;
    need_fail(ip_store_ingest(f->store, path, &config, NULL, NULL), IPOS_ERR_ARGUMENT, "owner");
    config = clip_config("shot");
    config.licence = "";
    need_fail(ip_store_ingest(f->store, path, &config, NULL, NULL), IPOS_ERR_ARGUMENT, "licence");
    config = clip_config("../shot");
    need_fail(ip_store_ingest(f->store, path, &config, NULL, NULL), IPOS_ERR_ARGUMENT, "name");
    config = clip_config("shot");
    config.rate = (ipos_rational){0, 0};
    need_fail(ip_store_ingest(f->store, path, &config, NULL, NULL), IPOS_ERR_ARGUMENT, "rate");
    config = clip_config("shot");
    config.encoding = "technicolor";
    need_fail(ip_store_ingest(f->store, path, &config, NULL, NULL), IPOS_ERR_ARGUMENT, "acescg");
    config = clip_config("shot");
    config.consents = "[{\"performer\":\"A. Person\"}]";
    need_fail(ip_store_ingest(f->store, path, &config, NULL, NULL), IPOS_ERR_ARGUMENT, "consents");
    config.consents = "A. Person, C-17";
    need_fail(ip_store_ingest(f->store, path, &config, NULL, NULL), IPOS_ERR_ARGUMENT, "consents");
    config = clip_config("shot");
    need_fail(ip_store_ingest(f->store, "/nonexistent/footage", &config, NULL, NULL), IPOS_ERR_NOT_FOUND, "/nonexistent");
    need_fail(ip_store_clips_json(f->store, "shot", &(char *){NULL}), IPOS_ERR_NOT_FOUND, "shot");
    verify_clean(f);
    ip_free(path);
}

static void records_a_sequence(void **state)
{
    fixture *f = *state;
    char *path = ip_path_join(f->footage, "shot"), *hole = ip_format("%s/shot.1005.png", path), hash[65], *file;
    ipos_clip_config config = clip_config("shot");
    ipos_frame *frame;
    uint64_t size;

    make_sequence(f, "shot", 1000, 20, 10);
    unlink(hole);
    config.tags = "camera=A, scene=12,, rain";
    config.operations = "inbetween";
    config.consents = "[{\"performer\":\"A. Person\",\"reference\":\"C-17\",\"scope\":\"all\"}]";
    need(ip_store_ingest(f->store, path, &config, NULL, NULL));
    json_t *clip = clip_of(f, "shot");
    assert_int_equal(member(clip, "frames"), 19);
    assert_int_equal(member(clip, "first"), 1000);
    assert_int_equal(member(clip, "last"), 1019);
    assert_int_equal(member(clip, "width"), 96);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(clip, "missing"), 0)), 1005);
    json_t *shots = json_pack("[[i,i],[i,i]]", 1000, 1009, 1010, 1019);
    assert_true(json_equal(json_object_get(clip, "shots"), shots));
    assert_int_equal(json_array_size(json_object_get(clip, "tags")), 3);
    assert_string_equal(json_string_value(json_object_get(clip, "state")), "ready");
    assert_string_equal(json_string_value(json_object_get(clip, "training")), "allowed");
    json_decref(shots);
    json_decref(clip);

    need(ip_store_frame(f->store, "shot", 1007, &frame));
    assert_string_equal(frame->encoding, "srgb");
    ipos_frame_release(frame);
    need_fail(ip_store_frame(f->store, "shot", 1005, &frame), IPOS_ERR_NOT_FOUND, "1005");
    need(ip_store_check_permission(f->store, "shot", "inbetween", true));
    need_fail(ip_store_check_permission(f->store, "shot", "relight", false), IPOS_ERR_PERMISSION, "relight");

    file = ip_format("%s/shot.1007.png", path);
    need(ip_sha256_file(file, hash, &size));
    flip_byte(file, -20);
    need_fail(ip_store_frame(f->store, "shot", 1007, &frame), IPOS_ERR_CHANGED, hash);
    flip_byte(file, -20);
    verify_clean(f);
    ip_free(file);
    ip_free(hole);
    ip_free(path);
}

static void training_permission(void **state)
{
    fixture *f = *state;
    char *names;

    make_sequence(f, "shot", 1, 4, 0);
    need(ingest(f, "shot"));
    need(ip_store_trainable(f->store, &names));
    assert_string_equal(names, "shot");
    ip_free(names);
    need_fail(ip_store_set_training(f->store, "shot", IPOS_TRAINING_DENIED, NULL, "no name"), IPOS_ERR_ARGUMENT, "name");
    need_fail(ip_store_set_training(f->store, "shot", IPOS_TRAINING_UNKNOWN, "Ann", NULL), IPOS_ERR_ARGUMENT, "denied");
    need(ip_store_set_training(f->store, "shot", IPOS_TRAINING_DENIED, "Ann", "the actor objects"));
    need_fail(ip_store_check_permission(f->store, "shot", "inbetween", true), IPOS_ERR_PERMISSION, "denied");
    need(ip_store_check_permission(f->store, "shot", "inbetween", false));
    need(ip_store_trainable(f->store, &names));
    assert_string_equal(names, "");
    ip_free(names);
    /* Ingesting again with the old answer must not bring the permission back. */
    need_fail(ingest(f, "shot"), IPOS_ERR_CONFLICT, "training");
    verify_clean(f);
}

static int64_t acts(fixture *f)
{
    char *text;

    need(ip_ledger_json(f->store, &text));
    json_t *list = parse(text);
    int64_t n = (int64_t)json_array_size(list);
    json_decref(list);
    return n;
}

static void repeating_changes_nothing(void **state)
{
    fixture *f = *state;
    char *path, *other;

    make_sequence(f, "shot", 1, 12, 0);
    make_sequence(f, "other", 1, 12, 0);
    need(ingest(f, "shot"));
    int64_t before = acts(f);
    need(ingest(f, "shot"));
    assert_int_equal(acts(f), before);
    /* Touched with the same bytes: hashed again and found the same. */
    path = ip_format("%s/shot/shot.0005.png", f->footage);
    other = ip_format("%s/copy.png", f->folder);
    need(ip_copy_file(path, other));
    assert_int_equal(rename(other, path), 0);
    need(ingest(f, "shot"));
    assert_int_equal(acts(f), before);

    ipos_clip_config config = clip_config("shot");
    ip_free(other);
    other = ip_path_join(f->footage, "other");
    need_fail(ip_store_ingest(f->store, other, &config, NULL, NULL), IPOS_ERR_CONFLICT, "source");
    flip_byte(path, -20);
    need_fail(ingest(f, "shot"), IPOS_ERR_CONFLICT, "shot.0005.png");
    flip_byte(path, -20);
    need(ingest(f, "shot"));
    config = clip_config("shot");
    config.owner = "Somebody Else";
    ip_free(other);
    other = ip_path_join(f->footage, "shot");
    need_fail(ip_store_ingest(f->store, other, &config, NULL, NULL), IPOS_ERR_CONFLICT, "owner");
    verify_clean(f);
    ip_free(other);
    ip_free(path);
}

static void copies_when_asked(void **state)
{
    fixture *f = *state;
    char *path = ip_path_join(f->footage, "shot"), *file;
    ipos_clip_config config = clip_config("shot");
    ipos_frame *frame;

    make_sequence(f, "shot", 7, 3, 0);
    config.copy = 1;
    need(ip_store_ingest(f->store, path, &config, NULL, NULL));
    need(ip_remove_tree(path));
    need(ip_store_frame(f->store, "shot", 8, &frame));
    ipos_frame_release(frame);
    verify_clean(f);
    file = ip_path_join(f->project, "footage/shot/shot.0008.png");
    flip_byte(file, -20);
    char *report = NULL;
    need_fail(ip_store_verify(f->store, true, NULL, NULL, &report), IPOS_ERR_TAMPERED, "shot.0008.png");
    ip_free(report);
    ip_free(file);
    ip_free(path);
}

static void make_movie(const char *path, int count)
{
    ip_movie_writer *writer;

    need(ip_movie_create(NULL, path, (ipos_rational){25, 1}, &writer));
    for (int i = 0; i < count; i++) {
        ipos_frame *frame = make_picture(96, 54, i / 30, 1.5 * i, IPOS_U8);
        need(ip_movie_add(writer, frame));
        ipos_frame_release(frame);
    }
    need(ip_movie_end(writer, true));
}

static int32_t stop_later(void *user, double done, double remaining, const char *stage, const char *json)
{
    (void)remaining;
    (void)stage;
    (void)json;
    return done > *(double *)user;
}

static void records_a_movie(void **state)
{
    fixture *f = *state;
    char *path = ip_path_join(f->footage, "take.mkv"), *other = ip_path_join(f->footage, "moved.mkv");
    ipos_clip_config config = clip_config("take");
    ipos_frame *frame, *expected;
    double stop = 0.3;

    if (access("/usr/bin/ffmpeg", X_OK) != 0)
        skip();
    make_movie(path, 60);
    config.rate = (ipos_rational){0, 0};
    config.first_frame = 1001;
    need_fail(ip_store_ingest(f->store, path, &config, stop_later, &stop), IPOS_ERR_CANCELLED, NULL);
    need(ip_store_ingest(f->store, path, &config, NULL, NULL));
    need(ip_store_ingest(f->store, path, &config, NULL, NULL));
    json_t *clip = clip_of(f, "take"), *shots = json_pack("[[i,i],[i,i]]", 1001, 1030, 1031, 1060);
    assert_int_equal(member(clip, "frames"), 60);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(clip, "rate"), 0)), 25);
    assert_true(json_equal(json_object_get(clip, "shots"), shots));
    json_decref(shots);
    json_decref(clip);
    need(ip_store_frame(f->store, "take", 1041, &frame));
    expected = make_picture(96, 54, 1, 1.5 * 40, IPOS_U8);
    const ip_channel *a = &frame->channels[ipos_frame_find_channel(frame, "G")], *b = &expected->channels[ipos_frame_find_channel(expected, "G")];
    for (int y = 0; y < 54; y++)
        for (int x = 0; x < 96; x++)
            assert_int_equal(a->data[y * a->row_stride + x * a->pixel_stride], b->data[y * b->row_stride + x * b->pixel_stride]);
    ipos_frame_release(frame);
    ipos_frame_release(expected);
    need(ip_store_frame(f->store, "take", 1001, &frame));
    ipos_frame_release(frame);
    need_fail(ip_store_frame(f->store, "take", 1061, &frame), IPOS_ERR_NOT_FOUND, "1061");
    verify_clean(f);
    /* Another movie in its place, with the media still open. */
    make_movie(other, 59);
    assert_int_equal(rename(other, path), 0);
    need_fail(ip_store_frame(f->store, "take", 1005, &frame), IPOS_ERR_CHANGED, "take.mkv");
    need_fail(ip_store_ingest(f->store, path, &config, NULL, NULL), IPOS_ERR_CONFLICT, "take.mkv");
    ip_free(path);
    ip_free(other);
}

static int32_t stop_at_third(void *user, double done, double remaining, const char *stage, const char *json)
{
    json_t *value = json_loads(json, 0, NULL);

    (void)remaining;
    assert_non_null(value);
    assert_true(json_is_string(json_object_get(value, "clip")) && json_is_integer(json_object_get(value, "frame")) &&
                json_is_integer(json_object_get(value, "frames")) && json_is_integer(json_object_get(value, "bytes")));
    assert_non_null(strstr(stage, "shot"));
    assert_true(done >= *(double *)user);
    *(double *)user = done;
    json_decref(value);
    return done > 0.3;
}

static void cancel_and_go_on(void **state)
{
    fixture *f = *state;
    char *path = ip_path_join(f->footage, "shot");
    ipos_clip_config config = clip_config("shot");
    double done = 0;
    ipos_frame *frame;

    make_sequence(f, "shot", 1, 200, 0);
    need_fail(ip_store_ingest(f->store, path, &config, stop_at_third, &done), IPOS_ERR_CANCELLED, "shot");
    json_t *clip = clip_of(f, "shot");
    assert_string_equal(json_string_value(json_object_get(clip, "state")), "ingesting");
    json_decref(clip);
    need_fail(ip_store_frame(f->store, "shot", 1, &frame), IPOS_ERR_STATE, "ingest");
    need(ip_store_ingest(f->store, path, &config, NULL, NULL));
    verify_clean(f);
    ip_free(path);
}

static int64_t frames_recorded(fixture *f)
{
    sqlite3_stmt *row;

    need(ip_db_first(f->store->db, &row, "SELECT COUNT(*) FROM frames", ""));
    int64_t n = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    return n;
}

/* A child is killed at random moments; what it committed stays, and the work goes on to the same end. */
static void killed_ingest_goes_on(void **state)
{
    fixture *f = *state;
    int64_t last = 0;

    make_sequence(f, "shot", 1, 400, 100);
    srand(7);
    for (int round = 0; round < 8; round++) {
        pid_t child = fork();
        if (child == 0) {
            ip_store *store;
            ipos_clip_config config = clip_config("shot");
            char *path = ip_path_join(f->footage, "shot");
            if (ip_store_open(f->project, NULL, &store) != IPOS_OK || ip_store_ingest(store, path, &config, NULL, NULL) != IPOS_OK)
                _exit(1);
            _exit(0);
        }
        assert_true(child > 0);
        usleep((useconds_t)(rand() % 900) * 1000);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        fixture_reopen(f);
        int64_t now = frames_recorded(f);
        assert_true(now >= last);
        last = now;
    }
    need(ingest(f, "shot"));
    json_t *clip = clip_of(f, "shot");
    assert_int_equal(member(clip, "frames"), 400);
    assert_int_equal(json_array_size(json_object_get(clip, "shots")), 4);
    json_decref(clip);
    verify_clean(f);
}

/* Two processes put different clips into one project; both must succeed. A third clip of the same name conflicts or is found. */
static void two_writers(void **state)
{
    fixture *f = *state;
    pid_t children[2];
    const char *const names[2] = {"left", "right"};

    make_sequence(f, "left", 1, 150, 0);
    make_sequence(f, "right", 1, 150, 0);
    ip_store_close(f->store); /* no open catalogue is carried over a fork */
    f->store = NULL;
    for (int i = 0; i < 2; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            fixture mine = *f;
            if (ip_store_open(f->project, NULL, &mine.store) != IPOS_OK || ingest(&mine, names[i]) != IPOS_OK)
                _exit(1);
            for (int k = 0; k < 20; k++)
                if (ip_ledger_append(mine.store, "test", names[i], "{}") != IPOS_OK)
                    _exit(2);
            _exit(0);
        }
        assert_true(children[i] > 0);
    }
    for (int i = 0; i < 2; i++) {
        int code;
        assert_int_equal(waitpid(children[i], &code, 0), children[i]);
        assert_int_equal(code, 0);
    }
    need(ip_store_open(f->project, NULL, &f->store));
    assert_int_equal(frames_recorded(f), 300);
    assert_int_equal(acts(f), 1 + 2 * 2 + 40);
    verify_clean(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(refuses_what_is_missing, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(records_a_sequence, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(training_permission, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(repeating_changes_nothing, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(copies_when_asked, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(records_a_movie, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(cancel_and_go_on, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(killed_ingest_goes_on, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(two_writers, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
