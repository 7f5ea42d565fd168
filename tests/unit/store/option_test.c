/* Options: made whole or not at all, decided by named people, never altered unseen. */
#include "fixture.h"
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static json_t *option_of(fixture *f, const char *id)
{
    char *text;

    need(ip_store_options_json(f->store, id, &text));
    json_t *list = parse(text), *option = json_incref(json_array_get(list, 0));
    json_decref(list);
    return option;
}

static int entries(fixture *f, const char *name)
{
    char *path = ip_path_join(f->project, name);
    DIR *folder = opendir(path);
    struct dirent *entry;
    int n = 0;

    assert_non_null(folder);
    while ((entry = readdir(folder)))
        n += entry->d_name[0] == 'o' || entry->d_name[0] == 'w';
    closedir(folder);
    ip_free(path);
    return n;
}

static void carries_the_metadata(void **state)
{
    fixture *f = *state;
    char *id;
    ipos_frame *frame;
    ipos_timecode timecode;

    make_exr_sequence(f, "shot", 100, 30);
    ipos_clip_config config = clip_config("shot");
    char *path = ip_path_join(f->footage, "shot");
    config.encoding = "linear";
    need(ip_store_ingest(f->store, path, &config, NULL, NULL));
    ip_free(path);
    /* 124 is to be made and so are its neighbours: metadata comes from 121, three frames earlier. */
    id = make_option(f, "shot", "122-126", (ipos_rational){124, 1});
    json_t *option = option_of(f, id), *entry = json_array_get(json_object_get(option, "frames"), 0);
    assert_string_equal(json_string_value(json_object_get(option, "state")), "open");
    assert_string_equal(json_string_value(json_object_get(option, "variant")), "full");
    assert_true(json_is_null(json_object_get(option, "decision")));
    assert_true(json_real_value(json_object_get(option, "score")) == 31.5);
    assert_non_null(strstr(json_string_value(json_object_get(entry, "picture")), "/options/o1/picture.0124.exr"));
    json_t *source = json_array_get(json_object_get(option, "sources"), 0);
    assert_int_equal(json_integer_value(json_object_get(source, "frame")), 123);
    assert_int_equal(strlen(json_string_value(json_object_get(source, "sha256"))), 64);
    json_decref(option);
    need(ip_store_option_frame(f->store, id, 0, false, &frame));
    need(ipos_frame_timecode(frame, &timecode));
    assert_int_equal(timecode.seconds, 1);
    assert_int_equal(timecode.frames, 0);
    assert_true(ipos_frame_find_attribute(frame, "reelName") >= 0);
    const ip_attribute *number = ip_frame_attribute(frame, "number");
    assert_true(number && number->size == 3 && memcmp(number->bytes, "121", 3) == 0);
    assert_int_equal(frame->channels[0].type, IPOS_F16);
    ipos_frame_release(frame);
    need(ip_store_option_frame(f->store, id, 0, true, &frame));
    assert_true(ipos_frame_find_channel(frame, "evidence") >= 0 && ipos_frame_find_channel(frame, "confidence") >= 0);
    ipos_frame_release(frame);
    need_fail(ip_store_option_frame(f->store, id, 1, false, &frame), IPOS_ERR_NOT_FOUND, "picture 1");
    ip_free(id);
    id = make_option(f, "shot", "110.5", (ipos_rational){221, 2});
    option = option_of(f, id);
    entry = json_array_get(json_object_get(option, "frames"), 0);
    assert_non_null(strstr(json_string_value(json_object_get(entry, "picture")), "/picture.0110+1_2.exr"));
    json_decref(option);
    ip_free(id);
    /* Three quarters of the way the later frame is the nearer one; its timecode stays as it is. */
    id = make_option(f, "shot", "110.75", (ipos_rational){443, 4});
    need(ip_store_option_frame(f->store, id, 0, false, &frame));
    number = ip_frame_attribute(frame, "number");
    assert_true(number && memcmp(number->bytes, "111", 3) == 0);
    need(ipos_frame_timecode(frame, &timecode));
    assert_int_equal(timecode.frames, 11);
    ipos_frame_release(frame);
    verify_clean(f);
    ip_free(id);
}

static void decisions(void **state)
{
    fixture *f = *state;
    char *id, *path;
    ipos_frame *frame;

    make_sequence(f, "shot", 1, 12, 0);
    need(ingest(f, "shot"));
    id = make_option(f, "shot", "5", (ipos_rational){5, 1});
    need_fail(ip_store_decide(f->store, id, true, "", NULL), IPOS_ERR_ARGUMENT, "name");
    need_fail(ip_store_decide(f->store, "o99", true, "Ann", NULL), IPOS_ERR_NOT_FOUND, "o99");
    need_fail(ip_store_decide(f->store, "../o1", true, "Ann", NULL), IPOS_ERR_NOT_FOUND, NULL);
    need(ip_store_decide(f->store, id, true, "Ann", "lovely"));
    need(ip_store_decide(f->store, id, false, "Bob", NULL));
    json_t *option = option_of(f, id), *decision = json_object_get(option, "decision");
    assert_string_equal(json_string_value(json_object_get(option, "state")), "rejected");
    assert_string_equal(json_string_value(json_object_get(decision, "by")), "Bob");
    assert_true(json_is_null(json_object_get(decision, "note")));
    json_decref(option);
    verify_clean(f);
    path = ip_path_join(f->project, "options/o1/picture.0005.png");
    flip_byte(path, -30);
    need_fail(ip_store_option_frame(f->store, id, 0, false, &frame), IPOS_ERR_TAMPERED, "picture.0005.png");
    char *json = NULL;
    need_fail(ip_store_verify(f->store, false, NULL, NULL, &json), IPOS_ERR_TAMPERED, "picture.0005.png");
    ip_free(json);
    ip_free(path);
    ip_free(id);
}

static void abandoned_leaves_nothing(void **state)
{
    fixture *f = *state;
    ip_option_writer *writer, *second;
    ipos_frame *frame;
    char **ids;
    size_t count;

    make_sequence(f, "shot", 1, 6, 0);
    need(ingest(f, "shot"));
    need_fail(ip_store_options_begin(f->store, "inbetween", "none", "2", NULL, NULL, NULL, &writer), IPOS_ERR_NOT_FOUND, "none");
    need(ip_store_options_begin(f->store, "inbetween", "shot", "2", NULL, NULL, NULL, &writer));
    need_fail(ip_store_options_begin(f->store, "inbetween", "shot", "2", NULL, NULL, NULL, &second), IPOS_ERR_STATE, NULL);
    need(ip_store_frame(f->store, "shot", 1, &frame));
    need_fail(ip_option_add_frame(writer, "full", (ipos_rational){2, 1}, 2.0, frame, NULL), IPOS_ERR_ARGUMENT, "confidence");
    need_fail(ip_option_add_frame(writer, "../full", (ipos_rational){2, 1}, 1, frame, NULL), IPOS_ERR_ARGUMENT, "variant");
    need(ip_option_add_frame(writer, "full", (ipos_rational){2, 1}, 1, frame, NULL));
    need_fail(ip_option_add_frame(writer, "full", (ipos_rational){4, 2}, 1, frame, NULL), IPOS_ERR_ARGUMENT, "already");
    need_fail(ip_option_add(writer, "plain", "Plain", 1, 0, NULL), IPOS_ERR_STATE, "no pictures");
    ip_option_abandon(writer);
    assert_int_equal(entries(f, "tmp"), 0);
    need(ip_store_options_begin(f->store, "inbetween", "shot", "2", NULL, NULL, NULL, &writer));
    need_fail(ip_option_commit(writer, &ids, &count), IPOS_ERR_STATE, "nothing");
    assert_int_equal(entries(f, "tmp"), 0);
    assert_int_equal(entries(f, "options"), 0);
    ipos_frame_release(frame);
    verify_clean(f);
}

static void several_in_rank_order(void **state)
{
    fixture *f = *state;
    static const char *const names[3] = {"average", "full", "plain"};
    ip_option_writer *writer;
    ipos_frame *frame;
    char **ids;
    size_t count;

    make_sequence(f, "shot", 1, 9, 0);
    need(ingest(f, "shot"));
    need(ip_store_options_begin(f->store, "inbetween", "shot", "4,2", NULL, "m", "hash", &writer));
    need(ip_store_frame(f->store, "shot", 1, &frame));
    for (int i = 0; i < 3; i++) {
        need(ip_option_add_frame(writer, names[i], (ipos_rational){4, 1}, 1, frame, NULL));
        need(ip_option_add_frame(writer, names[i], (ipos_rational){2, 1}, 0.5, frame, NULL));
        need(ip_option_add(writer, names[i], names[i], 2 - i, -1, NULL));
    }
    ipos_frame_release(frame);
    need(ip_option_commit(writer, &ids, &count));
    assert_int_equal(count, 3);
    json_t *option = option_of(f, ids[0]);
    assert_string_equal(json_string_value(json_object_get(option, "variant")), "plain");
    assert_string_equal(json_string_value(json_object_get(option, "model")), "m");
    json_t *first = json_object_get(json_array_get(json_object_get(option, "frames"), 0), "time");
    assert_int_equal(json_integer_value(json_array_get(first, 0)), 2);
    json_decref(option);
    for (size_t i = 0; i < count; i++)
        ip_free(ids[i]);
    ip_free(ids);
    verify_clean(f);
}

static void drafts(void **state)
{
    fixture *f = *state;
    char *id;
    ipos_frame *frame;

    need_fail(ip_store_draft(f->store, "inbetween", "{}", "{}", NULL, "[]", &id), IPOS_ERR_ARGUMENT, "name");
    need(ip_store_draft(f->store, "inbetween", "{\"name\":\"host\",\"owner\":\"X\"}", "{\"a\":1}", NULL, "[{\"variant\":\"full\",\"score\":3.25}]", &id));
    json_t *option = option_of(f, id);
    assert_string_equal(json_string_value(json_object_get(option, "state")), "draft");
    assert_string_equal(json_string_value(json_object_get(option, "clip")), "host");
    assert_int_equal(json_array_size(json_object_get(option, "frames")), 0);
    json_decref(option);
    need_fail(ip_store_decide(f->store, id, true, "Ann", NULL), IPOS_ERR_STATE, "draft");
    need_fail(ip_store_option_frame(f->store, id, 0, false, &frame), IPOS_ERR_NOT_FOUND, NULL);
    verify_clean(f);
    ip_free(id);
}

/* Killed while options are being written, at random moments: a request is there whole or not at all, and nothing is left over. */
static void killed_while_writing(void **state)
{
    fixture *f = *state;

    make_sequence(f, "shot", 1, 12, 0);
    need(ingest(f, "shot"));
    srand(3);
    for (int round = 0; round < 12; round++) {
        pid_t child = fork();
        if (child == 0) {
            fixture mine = *f;
            if (ip_store_open(f->project, NULL, &mine.store) != IPOS_OK)
                _exit(1);
            for (;;)
                ip_free(make_option(&mine, "shot", "5", (ipos_rational){5, 1}));
        }
        assert_true(child > 0);
        usleep((useconds_t)(5000 + rand() % 120000));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        fixture_reopen(f);
        assert_int_equal(entries(f, "tmp"), 0);
        char *text;
        need(ip_store_options_json(f->store, NULL, &text));
        json_t *list = parse(text);
        assert_int_equal(entries(f, "options"), json_array_size(list));
        json_decref(list);
        verify_clean(f);
    }
}

/* A catalogue from before the options were made is put back: their folders must survive opening and later work. */
static void old_catalogue_keeps_pictures(void **state)
{
    fixture *f = *state;
    char *path = ip_path_join(f->project, "interpos.sqlite"), *old = ip_path_join(f->folder, "old.sqlite"), *head, *id;
    char *picture = ip_path_join(f->project, "options/o1/picture.0005.png");

    make_sequence(f, "shot", 1, 12, 0);
    need(ingest(f, "shot"));
    need(ip_copy_file(path, old));
    id = make_option(f, "shot", "5", (ipos_rational){5, 1});
    ip_store_close(f->store);
    assert_int_equal(rename(old, path), 0);
    head = ip_path_join(f->project, "ledger.head");
    assert_int_equal(unlink(head), 0);
    need(ip_store_open(f->project, NULL, &f->store));
    assert_int_equal(access(picture, F_OK), 0);
    ip_option_writer *writer;
    ipos_frame *frame;
    char **ids;
    size_t count;
    need(ip_store_options_begin(f->store, "inbetween", "shot", "5", NULL, NULL, NULL, &writer));
    need(ip_store_frame(f->store, "shot", 4, &frame));
    need(ip_option_add_frame(writer, "full", (ipos_rational){5, 1}, 1, frame, NULL));
    ipos_frame_release(frame);
    need_fail(ip_option_commit(writer, &ids, &count), IPOS_ERR_CONFLICT, "older catalogue");
    assert_int_equal(access(picture, F_OK), 0);
    ip_free(id);
    ip_free(head);
    ip_free(picture);
    ip_free(path);
    ip_free(old);
}

/* A frame of the clip with its first samples changed, and a map that says so; integers as an operation may use them. */
static void change(fixture *f, int64_t number, ipos_frame **picture, ipos_frame **map)
{
    static const ipos_channel channels[4] = {{"confidence", IPOS_U8, 1, 1}, {"evidence", IPOS_U8, 1, 1}, {"matte", IPOS_U8, 1, 1},
        {"matte.shadow", IPOS_U16, 1, 1}};
    ipos_frame *source;

    need(ip_store_frame(f->store, "shot", number, &source));
    need(ip_frame_like(source, 0, NULL, NULL, picture));
    need(ip_frame_copy_pixels(*picture, source));
    need(ip_frame_new(&source->data_window, NULL, channels, 4, NULL, NULL, map));
    (*picture)->channels[0].data[0] ^= 1;
    (*picture)->channels[2].data[(*picture)->channels[2].row_stride + 2] ^= 1;
    for (int y = 0; y < 2; y++)
        for (int c = 1; c < 3; c++) {
            ip_channel *channel = &(*map)->channels[ipos_frame_find_channel(*map, c == 1 ? "evidence" : "matte")];
            memset(channel->data + y * channel->row_stride, c == 1 ? 3 : 255, 2);
        }
    ipos_frame_release(source);
}

static void changed_frames(void **state)
{
    fixture *f = *state;
    ip_option_writer *writer;
    ipos_frame *picture, *map, *source, *made;
    char **ids;
    size_t count;

    make_exr_sequence(f, "shot", 100, 12);
    make_sequence(f, "other", 100, 12, 0);
    ipos_clip_config config = clip_config("shot");
    char *path = ip_path_join(f->footage, "shot");
    config.encoding = "linear";
    need(ip_store_ingest(f->store, path, &config, NULL, NULL));
    ip_free(path);
    need(ingest(f, "other"));
    need(ip_store_options_begin(f->store, "wires", "shot", "103-105", NULL, NULL, NULL, &writer));
    ip_option_edits(writer);
    need_fail(ip_option_add_clip(writer, "none"), IPOS_ERR_NOT_FOUND, "none");
    need(ip_option_add_clip(writer, "other"));
    change(f, 104, &picture, &map);
    for (int64_t number = 101; number < 104; number++) { /* by turns */
        need(ip_store_frame(f->store, "other", number, &source));
        ipos_frame_release(source);
        need(ip_store_frame(f->store, "shot", number + 4, &source));
        ipos_frame_release(source);
    }
    need_fail(ip_option_add_frame(writer, "full", (ipos_rational){209, 2}, 1, picture, map), IPOS_ERR_ENGINE, "whole");
    need_fail(ip_option_add_frame(writer, "full", (ipos_rational){104, 1}, 1, picture, NULL), IPOS_ERR_ENGINE, "evidence");
    need_fail(ip_option_add_frame(writer, "full", (ipos_rational){103, 1}, 1, picture, map), IPOS_ERR_ENGINE, "frame 103: the operation changed channel");
    map->data_window.x = 5; /* what lies outside of the map is the original */
    need_fail(ip_option_add_frame(writer, "full", (ipos_rational){104, 1}, 1, picture, map), IPOS_ERR_ENGINE, "at 0,0");
    map->data_window.x = 0;
    need(ip_option_add_frame(writer, "full", (ipos_rational){104, 1}, 1, picture, map));
    ipos_frame_release(picture);
    ipos_frame_release(map);
    need(ip_option_add(writer, "full", "Full", 0, -1, "{\"lost\":[]}"));
    need(ip_option_commit(writer, &ids, &count));
    need(ip_store_option_frame(f->store, ids[0], 0, false, &made));
    need(ip_store_source_frame(f->store, "shot", 104, &source));
    assert_int_equal(made->attribute_count, source->attribute_count);
    for (size_t i = 0; i < source->attribute_count; i++) {
        const ip_attribute *a = &source->attributes[i], *b = ip_frame_attribute(made, a->name);
        assert_true(b && a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0);
    }
    ipos_frame_release(made);
    ipos_frame_release(source);
    need(ip_store_option_frame(f->store, ids[0], 0, true, &made));
    assert_int_equal(made->channel_count, 4);
    float values[96 * 54];
    need(ip_channel_to_float(&made->channels[ipos_frame_find_channel(made, "matte")], values));
    assert_true(values[0] == 1 && values[2] == 0);
    need(ip_channel_to_float(&made->channels[ipos_frame_find_channel(made, "evidence")], values));
    assert_true(values[0] == 3 && values[2] == 0);
    ipos_frame_release(made);
    json_t *option = option_of(f, ids[0]), *sources = json_object_get(option, "sources");
    assert_true(ip_option_changes(option, 104) && !ip_option_changes(option, 101));
    assert_int_equal(json_array_size(sources), 8); /* 103 to 107 of the one, 101 to 103 of the other */
    assert_string_equal(json_string_value(json_object_get(json_array_get(sources, 5), "clip")), "other");
    json_decref(option);
    verify_clean(f);
    ip_free(ids[0]);
    ip_free(ids);
}

static void timecodes(void **state)
{
    (void)state;
    ipos_timecode t = {0, 0, 59, 29, 1, 7};
    t = ip_timecode_after(&t, 1, (ipos_rational){30000, 1001});
    assert_true(t.minutes == 1 && t.seconds == 0 && t.frames == 2 && t.user_data == 7);
    t = (ipos_timecode){0, 9, 59, 29, 1, 0};
    t = ip_timecode_after(&t, 1, (ipos_rational){30000, 1001});
    assert_true(t.minutes == 10 && t.seconds == 0 && t.frames == 0);
    t = (ipos_timecode){0, 1, 0, 2, 1, 0};
    t = ip_timecode_after(&t, -1, (ipos_rational){30000, 1001});
    assert_true(t.minutes == 0 && t.seconds == 59 && t.frames == 29);
    t = (ipos_timecode){23, 59, 59, 23, 0, 0};
    t = ip_timecode_after(&t, 1, (ipos_rational){24000, 1001});
    assert_true(t.hours == 0 && t.minutes == 0 && t.seconds == 0 && t.frames == 0);
    assert_true(ip_frames_ask("3,10-20,30-40x5", 35) && ip_frames_ask("3, 10-20", 20) && !ip_frames_ask("30-40x5", 36));
    assert_true(!ip_frames_ask("21/2,10.5", 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(carries_the_metadata, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(decisions, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(abandoned_leaves_nothing, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(several_in_rank_order, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(drafts, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(killed_while_writing, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(old_catalogue_keeps_pictures, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(changed_frames, fixture_setup, fixture_teardown),
        cmocka_unit_test(timecodes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
