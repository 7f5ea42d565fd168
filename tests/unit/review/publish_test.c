/* What leaves the project: only what was accepted, under the right names, nothing overwritten, finished after a kill. */
#include "fixture.h"
#include "publish.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* An accepted option of the pictures at times. */
static char *accepted(fixture *f, const char *clip, const ipos_rational *times, size_t count)
{
    ip_option_writer *writer;
    ipos_frame *source;
    char **ids, *id;
    size_t n;

    need(ip_store_options_begin(f->store, "inbetween", clip, "", NULL, NULL, NULL, &writer));
    for (size_t i = 0; i < count; i++) {
        need(ip_store_frame(f->store, clip, 100 + (int64_t)i % 3, &source));
        need(ip_option_add_frame(writer, "full", times[i], 1, source, NULL));
        ipos_frame_release(source);
    }
    need(ip_option_add(writer, "full", "Full", 0, 30, NULL));
    need(ip_option_commit(writer, &ids, &n));
    id = ids[0];
    ip_free(ids);
    need(ip_store_decide(f->store, id, true, "Ann", NULL));
    return id;
}

static bool there(fixture *f, const char *name)
{
    char *path = fixture_path(f, name);
    bool yes = access(path, F_OK) == 0;

    ip_free(path);
    return yes;
}

static ipos_status publish(fixture *f, const char *id, const char *name, char **json)
{
    char *path = fixture_path(f, name);
    ipos_status status = ip_publish(f->store, id, path, NULL, NULL, json);

    ip_free(path);
    return status;
}

static void only_what_was_accepted(void **state)
{
    fixture *f = *state;
    char *id, *draft;

    make_sequence(f, "shot", 100, 6, 0);
    need(ingest(f, "shot"));
    id = make_option(f, "shot", "102", (ipos_rational){102, 1});
    need_fail(publish(f, id, "out/", NULL), IPOS_ERR_NOT_ACCEPTED, "open");
    need(ip_store_decide(f->store, id, false, "Ann", NULL));
    need_fail(publish(f, id, "out/", NULL), IPOS_ERR_NOT_ACCEPTED, "rejected");
    need(ip_store_draft(f->store, "inbetween", "{\"name\":\"host\"}", NULL, NULL, NULL, &draft));
    need_fail(publish(f, draft, "out/", NULL), IPOS_ERR_NOT_ACCEPTED, "draft");
    need_fail(publish(f, "o77", "out/", NULL), IPOS_ERR_NOT_FOUND, "o77");
    assert_false(there(f, "out"));
    need(ip_store_decide(f->store, id, true, "Ann", NULL));
    need(publish(f, id, "out/", NULL));
    assert_true(there(f, "out/shot.0102.png"));
    verify_clean(f);
    ip_free(draft);
    ip_free(id);
}

static void names_and_conflicts(void **state)
{
    fixture *f = *state;
    static const ipos_rational times[3] = {{202, 2}, {205, 2}, {103, 1}};
    char *id, *json, *path, *text;

    make_sequence(f, "shot", 100, 6, 0);
    need(ingest(f, "shot"));
    id = accepted(f, "shot", times, 3);
    need(publish(f, id, "out", &json));
    assert_true(there(f, "out/shot.0101.png") && there(f, "out/shot.0102+1_2.png") && there(f, "out/shot.0103.png"));
    json_t *result = parse(json);
    assert_int_equal(json_array_size(json_object_get(result, "files")), 3);
    assert_int_equal(strlen(json_string_value(json_object_get(json_array_get(json_object_get(result, "files"), 0), "sha256"))), 64);
    json_decref(result);
    need(publish(f, id, "seq/new.######.png", NULL));
    assert_true(there(f, "seq/new.000101.png") && there(f, "seq/new.000102+1_2.png"));
    need(publish(f, id, "seq/t%d.tif", NULL));
    assert_true(there(f, "seq/t101.tif"));
    need_fail(publish(f, id, "seq/one.png", NULL), IPOS_ERR_ARGUMENT, "3 pictures");
    need_fail(publish(f, id, "seq/one.%04d.jpg", NULL), IPOS_ERR_UNSUPPORTED, ".exr");
    need_fail(publish(f, id, "seq/e.%04d.exr", NULL), IPOS_ERR_UNSUPPORTED, NULL);
    /* Again: identical files are left, and the ledger has nothing new to say. */
    char *before, *after;
    need(ip_ledger_json(f->store, &before));
    need(publish(f, id, "out", NULL));
    need(ip_ledger_json(f->store, &after));
    assert_string_equal(before, after);
    /* Another picture under one of the names: nothing is written, nothing is overwritten. */
    path = fixture_path(f, "out/shot.0103.png");
    flip_byte(path, -30);
    text = fixture_path(f, "out/shot.0101.png");
    unlink(text);
    need_fail(publish(f, id, "out", NULL), IPOS_ERR_CONFLICT, "shot.0103.png");
    assert_false(there(f, "out/shot.0101.png"));
    unlink(path);
    need(publish(f, id, "out", NULL));
    verify_clean(f);
    ip_free(before);
    ip_free(after);
    ip_free(text);
    ip_free(path);
    ip_free(id);
}

static void altered_pictures_stay_inside(void **state)
{
    fixture *f = *state;
    static const ipos_rational times[1] = {{102, 1}};
    char *id, *path = ip_path_join(f->project, "options/o1/picture.0102.png");

    make_sequence(f, "shot", 100, 6, 0);
    need(ingest(f, "shot"));
    id = accepted(f, "shot", times, 1);
    flip_byte(path, -30);
    need_fail(publish(f, id, "one.png", NULL), IPOS_ERR_TAMPERED, "picture.0102.png");
    assert_false(there(f, "one.png"));
    flip_byte(path, -30);
    need(publish(f, id, "one.png", NULL));
    assert_true(there(f, "one.png"));
    ip_free(path);
    ip_free(id);
}

/* A picture whose sources are no longer what it was made from stays inside, */
static void changed_footage_is_not_published(void **state)
{
    fixture *f = *state;
    static const ipos_rational times[1] = {{203, 2}};
    char *id, *source = ip_path_join(f->footage, "shot/shot.0100.png"), *other = ip_path_join(f->footage, "shot/shot.0105.png");

    make_sequence(f, "shot", 100, 6, 0);
    need(ingest(f, "shot"));
    id = accepted(f, "shot", times, 1);
    flip_byte(other, -30); /* nothing was made from this one */
    need(publish(f, id, "before.png", NULL));
    flip_byte(source, -30);
    need_fail(publish(f, id, "after.png", NULL), IPOS_ERR_CHANGED, "shot.0100.png");
    need_fail(publish(f, id, "before.png", NULL), IPOS_ERR_CHANGED, "shot.0100.png");
    assert_false(there(f, "after.png"));
    unlink(source);
    need_fail(publish(f, id, "after.png", NULL), IPOS_ERR_NOT_FOUND, "shot.0100.png");
    ip_free(source);
    ip_free(other);
    ip_free(id);
}

static int32_t stop_at_the_end(void *user, double done, double remaining, const char *stage, const char *json)
{
    (void)user, (void)remaining, (void)stage, (void)json;
    return done >= 1;
}

/* What has left the project stands in the ledger, however the publishing ended. */
static void a_stop_leaves_a_trace(void **state)
{
    fixture *f = *state;
    static const ipos_rational times[3] = {{202, 2}, {205, 2}, {103, 1}};
    char *id, *path = fixture_path(f, "out/"), *ledger;
    ipos_status status;

    make_sequence(f, "shot", 100, 6, 0);
    need(ingest(f, "shot"));
    id = accepted(f, "shot", times, 3);
    status = ip_publish(f->store, id, path, stop_at_the_end, NULL, NULL);
    assert_int_equal(status, IPOS_ERR_CANCELLED);
    assert_true(there(f, "out/shot.0101.png"));
    need(ip_ledger_json(f->store, &ledger));
    assert_non_null(strstr(ledger, "\"publishing\""));
    assert_null(strstr(ledger, "\"publish\""));
    ip_free(ledger);
    need(ip_publish(f->store, id, path, NULL, NULL, NULL));
    need(ip_ledger_json(f->store, &ledger));
    assert_non_null(strstr(ledger, "\"publish\""));
    ip_free(ledger);
    verify_clean(f);
    ip_free(path);
    ip_free(id);
}

/* Killed while publishing, at random moments, then repeated: every file is whole, nothing else is left. */
static void killed_publish_is_finished(void **state)
{
    fixture *f = *state;
    ipos_rational times[40];
    char *id, name[64];

    make_sequence(f, "shot", 100, 200, 0);
    need(ingest(f, "shot"));
    for (int i = 0; i < 40; i++)
        times[i] = (ipos_rational){110 + i, 1};
    id = accepted(f, "shot", times, 40);
    srand(5);
    for (int round = 0; round < 10; round++) {
        snprintf(name, sizeof name, "out%d", round);
        pid_t child = fork();
        if (child == 0) {
            fixture mine = *f;
            if (ip_store_open(f->project, NULL, &mine.store) != IPOS_OK || publish(&mine, id, name, NULL) != IPOS_OK)
                _exit(1);
            _exit(0);
        }
        assert_true(child > 0);
        usleep((useconds_t)(rand() % 60000));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        fixture_reopen(f);
        need(publish(f, id, name, NULL));
        char *folder = fixture_path(f, name), *command = ip_format("%s/", folder);
        ip_media *media;
        need(ip_media_open(NULL, folder, &media));
        assert_int_equal(ip_media_info_of(media)->count, 40);
        ip_media_close(media);
        ip_free(command);
        ip_free(folder);
    }
    verify_clean(f);
    ip_free(id);
}

static void contact_sheets(void **state)
{
    fixture *f = *state;
    char *id, *json;
    ipos_frame *sheet;

    make_sequence(f, "shot", 100, 6, 0);
    need(ingest(f, "shot"));
    id = make_option(f, "shot", "102", (ipos_rational){102, 1});
    need(ip_store_options_json(f->store, id, &json));
    json_t *list = parse(json);
    assert_true(json_is_null(json_object_get(json_array_get(list, 0), "sheet")));
    json_decref(list);
    need(ip_contact_sheet(f->store, id, NULL));
    need(ip_store_options_json(f->store, id, &json));
    list = parse(json);
    const char *path = json_string_value(json_object_get(json_array_get(list, 0), "sheet"));
    assert_non_null(path);
    need(ip_image_read(NULL, path, NULL, 0, 0, &sheet));
    assert_int_equal(sheet->data_window.width, 4 * 96 + 3 * 4);
    assert_int_equal(sheet->data_window.height, 54);
    /* The middle of the second cell shows the picture, which is frame 101; the first shows 101 as well, the third 103. */
    const ip_channel *red = &sheet->channels[ipos_frame_find_channel(sheet, "R")];
    const uint8_t *row = red->data + 20 * red->row_stride;
    assert_int_equal(row[40 * red->pixel_stride], row[140 * red->pixel_stride]);
    ipos_frame *third;
    need(ip_store_frame(f->store, "shot", 103, &third));
    const ip_channel *source = &third->channels[ipos_frame_find_channel(third, "R")];
    assert_in_range(row[240 * red->pixel_stride], source->data[20 * source->row_stride + 40 * source->pixel_stride] - 1,
        source->data[20 * source->row_stride + 40 * source->pixel_stride] + 1);
    ipos_frame_release(third);
    ipos_frame_release(sheet);
    json_decref(list);
    verify_clean(f);
    ip_free(id);
}

/* A changed frame: before, after, matte, evidence, all of the part that changed. */
static void changed_contact_sheet(void **state)
{
    static const ipos_channel channels[3] = {{"confidence", IPOS_F32, 1, 1}, {"evidence", IPOS_F32, 1, 1}, {"matte", IPOS_F32, 1, 1}};
    const ipos_box box = {0, 0, 400, 200};
    fixture *f = *state;
    ip_option_writer *writer;
    ipos_frame *source = make_picture(box.width, box.height, 0, 0, IPOS_U8), *picture, *map, *sheet;
    char *path = fixture_path(f, "footage/one"), *file = ip_path_join(path, "one.0100.png"), **ids, *out = fixture_path(f, "sheet.png");
    size_t n;

    need(ip_make_folders(path));
    need(ip_image_write(&source, 1, NULL, file, NULL, NULL));
    need(ingest(f, "one"));
    need(ip_store_options_begin(f->store, "wires", "one", "100", NULL, NULL, NULL, &writer));
    ip_option_edits(writer);
    need(ip_frame_like(source, 0, NULL, NULL, &picture));
    need(ip_frame_copy_pixels(picture, source));
    need(ip_frame_new(&box, NULL, channels, 3, NULL, NULL, &map));
    for (int y = 90; y < 110; y++)
        for (int x = 190; x < 210; x++) {
            const float one = 1;
            for (int c = 0; c < 3; c++)
                picture->channels[c].data[y * picture->channels[c].row_stride + x * picture->channels[c].pixel_stride] ^= 0x80;
            for (int c = 0; c < 3; c++)
                memcpy(map->channels[c].data + y * map->channels[c].row_stride + x * map->channels[c].pixel_stride, &one, sizeof one);
        }
    need(ip_option_add_frame(writer, "full", (ipos_rational){100, 1}, 1, picture, map));
    need(ip_option_commit(writer, &ids, &n));
    need(ip_contact_sheet(f->store, ids[0], out));
    need(ip_image_read(NULL, out, NULL, 0, 0, &sheet));
    const int cell = (1600 - 12) / 4;
    assert_int_equal(sheet->data_window.width, 4 * cell + 12);
    const ip_channel *red = &sheet->channels[ipos_frame_find_channel(sheet, "R")], *green = &sheet->channels[ipos_frame_find_channel(sheet, "G")];
    const int middle = sheet->data_window.height / 2;
    int wide = 0;
    for (int x = 0; x < cell; x++)
        wide += red->data[middle * red->row_stride + (2 * (cell + 4) + x) * red->pixel_stride] == 255;
    assert_in_range(wide, cell / 4, cell / 2); /* 20 of 56 pixels across, not 20 of 400 */
    const int before = red->data[middle * red->row_stride + cell / 2 * red->pixel_stride];
    const int after = red->data[middle * red->row_stride + (cell + 4 + cell / 2) * red->pixel_stride];
    assert_in_range(abs(before - after), 127, 129);
    const ptrdiff_t at = middle * green->row_stride + (3 * (cell + 4) + cell / 2) * green->pixel_stride;
    assert_true(green->data[at] > red->data[at]); /* from another frame */
    verify_clean(f);
    ipos_frame_release(source);
    ipos_frame_release(picture);
    ipos_frame_release(map);
    ipos_frame_release(sheet);
    ip_free(ids[0]);
    ip_free(ids);
    ip_free(path);
    ip_free(file);
    ip_free(out);
}

static void films(void **state)
{
    fixture *f = *state;
    ipos_rational times[5];
    char *id, *path = fixture_path(f, "cut.mkv");
    ip_media *media;

    if (access("/usr/bin/ffmpeg", X_OK) != 0)
        skip();
    make_sequence(f, "shot", 100, 12, 0);
    need(ingest(f, "shot"));
    for (int i = 0; i < 5; i++)
        times[i] = (ipos_rational){2 * 101 + i, 2};
    id = accepted(f, "shot", times, 5);
    need(publish(f, id, "cut.mkv", NULL));
    need(ip_media_open(NULL, path, &media));
    for (int i = 0; i < 5; i++) {
        ipos_frame *a, *b;
        need(ip_media_read(media, i, &a));
        need(ip_store_option_frame(f->store, id, (size_t)i, false, &b));
        for (size_t c = 0; c < 3; c++)
            for (int y = 0; y < 54; y++)
                for (int x = 0; x < 96; x++) {
                    const ip_channel *p = &a->channels[c], *q = &b->channels[ipos_frame_find_channel(b, p->name)];
                    assert_int_equal(p->data[y * p->row_stride + x * p->pixel_stride],
                        q->data[y * q->row_stride + x * q->pixel_stride]);
                }
        ipos_frame_release(a);
        ipos_frame_release(b);
    }
    ip_media_close(media);
    need(publish(f, id, "cut.mkv", NULL));
    flip_byte(path, -100);
    need_fail(publish(f, id, "cut.mkv", NULL), IPOS_ERR_CONFLICT, "cut.mkv");
    verify_clean(f);
    ip_free(path);
    ip_free(id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_what_was_accepted, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_stop_leaves_a_trace, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(names_and_conflicts, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(altered_pictures_stay_inside, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(changed_footage_is_not_published, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(killed_publish_is_finished, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(contact_sheets, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(changed_contact_sheet, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(films, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
