/* The folder, the schema, the ledger: made, opened, migrated, altered. */
#include "fixture.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void makes_and_opens(void **state)
{
    fixture *f = *state;
    ip_store *other;
    char *text, id[33];

    snprintf(id, sizeof id, "%s", ip_store_id(f->store));
    assert_int_equal(strlen(id), 32);
    need_fail(ip_store_create(f->project, NULL, NULL, &other), IPOS_ERR_CONFLICT, f->project);
    need_fail(ip_store_open(f->footage, NULL, &other), IPOS_ERR_NOT_FOUND, "no project");
    assert_null(other);
    fixture_reopen(f);
    assert_string_equal(ip_store_id(f->store), id);
    need(ip_store_info_json(f->store, &text));
    json_t *info = parse(text);
    assert_string_equal(json_string_value(json_object_get(info, "title")), "Test");
    assert_string_equal(json_string_value(json_object_get(info, "folder")), f->project);
    assert_int_equal(json_integer_value(json_object_get(info, "schema")), ip_schema[ip_schema_count - 1].version);
    assert_int_equal(json_integer_value(json_object_get(info, "clips")), 0);
    json_decref(info);
    verify_clean(f);
}

static void exec(const char *path, const char *sql)
{
    sqlite3 *db;
    char *error = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", sql, error);
    sqlite3_close(db);
}

static void refuses_newer_and_foreign(void **state)
{
    fixture *f = *state;
    char *path = ip_path_join(f->project, "interpos.sqlite");
    ip_store *other;

    ip_store_close(f->store);
    f->store = NULL;
    exec(path, "PRAGMA user_version=999");
    need_fail(ip_store_open(f->project, NULL, &other), IPOS_ERR_UNSUPPORTED, "999");
    exec(path, "PRAGMA user_version=1; PRAGMA application_id=42");
    need_fail(ip_store_open(f->project, NULL, &other), IPOS_ERR_FORMAT, "interpos.sqlite");
    FILE *file = fopen(path, "wb");
    fputs("this is no database at all, but it is long enough to be looked at as one", file);
    fclose(file);
    need_fail(ip_store_open(f->project, NULL, &other), IPOS_ERR_FORMAT, "interpos.sqlite");
    ip_free(path);
}

/* A later library's list of steps: the older catalogue is copied, then changed; a failing step changes nothing. */
static void migrates_with_a_copy(void **state)
{
    fixture *f = *state;
    const ip_migration good[] = {ip_schema[0], {2, "CREATE TABLE extra(a); INSERT INTO extra VALUES(7);"}};
    const ip_migration bad[] = {ip_schema[0], good[1], {3, "CREATE TABLE more(a); NOT SQL;"}};
    char *path = ip_path_join(f->project, "interpos.sqlite"), *copy = ip_format("%s.schema1.backup", path);
    sqlite3 *db;
    int from;

    ip_store_close(f->store);
    f->store = NULL;
    need(ip_db_open(path, false, &db));
    need(ip_db_migrate(db, path, good, 2, &from));
    assert_int_equal(from, 1);
    need(ip_db_run(db, "UPDATE extra SET a=8", ""));
    need_fail(ip_db_migrate(db, path, bad, 3, &from), IPOS_ERR_UNKNOWN, "NOT");
    assert_int_equal(from, 2);
    sqlite3_stmt *row;
    need(ip_db_first(db, &row, "SELECT COUNT(*) FROM sqlite_schema WHERE name='more'", ""));
    assert_int_equal(sqlite3_column_int64(row, 0), 0);
    sqlite3_finalize(row);
    sqlite3_close(db);
    need(ip_db_open(copy, false, &db));
    need(ip_db_first(db, &row, "SELECT value FROM meta WHERE key='title'", ""));
    assert_string_equal(ip_db_text(row, 0), "Test");
    sqlite3_finalize(row);
    sqlite3_close(db);
    ip_free(copy);
    ip_free(path);
}

static void ledger_is_a_chain(void **state)
{
    fixture *f = *state;
    char *text, previous[65] = IP_LEDGER_START, hash[65];
    size_t i;
    json_t *act;

    need(ip_ledger_append(f->store, "note", "Zoë", "{\"b\":2,\"a\":[1.5,null,\"ü\"]}"));
    need(ip_ledger_append(f->store, "note", NULL, NULL));
    need_fail(ip_ledger_append(f->store, "note", NULL, "[1]"), IPOS_ERR_ARGUMENT, "object");
    need_fail(ip_ledger_append(f->store, "note", NULL, "{"), IPOS_ERR_FORMAT, "JSON");
    need_fail(ip_ledger_append(f->store, "", NULL, NULL), IPOS_ERR_ARGUMENT, "act");
    need(ip_ledger_json(f->store, &text));
    json_t *list = parse(text);
    assert_int_equal(json_array_size(list), 3);
    json_array_foreach(list, i, act) {
        const char *by = json_string_value(json_object_get(act, "by"));
        assert_int_equal(json_integer_value(json_object_get(act, "seq")), i + 1);
        assert_string_equal(json_string_value(json_object_get(act, "previous")), previous);
        assert_true(ip_ledger_hash((int64_t)i + 1, json_string_value(json_object_get(act, "when")), json_string_value(json_object_get(act, "act")),
            by, json_object_get(act, "details"), previous, hash));
        assert_string_equal(json_string_value(json_object_get(act, "hash")), hash);
        memcpy(previous, hash, sizeof previous);
    }
    json_decref(list);
    verify_clean(f);
}

static void found_by_verify(fixture *f, const char *word)
{
    char *json = NULL;

    need_fail(ip_store_verify(f->store, false, NULL, NULL, &json), IPOS_ERR_TAMPERED, NULL);
    assert_non_null(json);
    json_t *report = parse(json);
    assert_true(json_is_false(json_object_get(report, "ok")));
    char *problems = ip_doc_text(json_object_get(report, "problems"));
    if (word && !strstr(problems, word))
        fail_msg("\"%s\" is not in %s", word, problems);
    ip_free(problems);
    json_decref(report);
}

/* Alters a copy of the project's catalogue, looks, and puts the good one back. */
static void tampered(fixture *f, const char *sql, const char *word)
{
    char *path = ip_path_join(f->project, "interpos.sqlite"), *good = ip_path_join(f->folder, "good.sqlite");

    ip_store_close(f->store);
    f->store = NULL;
    need(ip_copy_file(path, good));
    exec(path, "DROP TRIGGER ledger_no_update; DROP TRIGGER ledger_no_delete");
    exec(path, sql);
    need(ip_store_open(f->project, NULL, &f->store));
    found_by_verify(f, word);
    ip_store_close(f->store);
    assert_int_equal(rename(good, path), 0);
    need(ip_store_open(f->project, NULL, &f->store));
    ip_free(path);
    ip_free(good);
}

static void alterations_are_found(void **state)
{
    fixture *f = *state;
    char *id;

    make_sequence(f, "shot", 1, 12, 0);
    need(ingest(f, "shot"));
    id = make_option(f, "shot", "5", (ipos_rational){5, 1});
    need(ip_store_decide(f->store, id, true, "Ann", "good"));
    need(ip_store_set_training(f->store, "shot", IPOS_TRAINING_DENIED, "Ann", NULL));
    need(ip_ledger_append(f->store, "note", NULL, "{\"x\":1}"));
    verify_clean(f);

    tampered(f, "UPDATE ledger SET by_whom='Bob' WHERE act='accept'", "does not match its hash");
    tampered(f, "UPDATE ledger SET whenever='2020-01-01T00:00:00.000Z' WHERE seq=2", "act 2");
    tampered(f, "UPDATE ledger SET details=replace(details, '\"x\":1', '\"x\":2') WHERE act='note'", "hash");
    tampered(f, "UPDATE ledger SET details=details || ' ' WHERE act='note'", "details");
    tampered(f, "DELETE FROM ledger WHERE seq=3", "removed");
    tampered(f, "DELETE FROM ledger WHERE seq=(SELECT MAX(seq) FROM ledger)", "cut off");
    tampered(f, "UPDATE ledger SET seq=-1 WHERE seq=2; UPDATE ledger SET seq=2 WHERE seq=3; UPDATE ledger SET seq=3 WHERE seq=-1", "reordered");
    tampered(f, "UPDATE clips SET training=1", "training");
    tampered(f, "UPDATE clips SET owner='Else'", "owner");
    tampered(f, "UPDATE clips SET operations='[\"*\",\"x\"]'", "operations");
    tampered(f, "UPDATE clips SET path='/somewhere'", "path");
    tampered(f, "UPDATE frames SET sha256=zeroblob(32) WHERE number=3", "frame records");
    tampered(f, "UPDATE frames SET number=99 WHERE number=12", "frame records");
    tampered(f, "UPDATE options SET state='open', decided_by=NULL, decided_note=NULL, decided_when=NULL", "decision");
    tampered(f, "UPDATE options SET decided_by='Bob'", "decision");
    tampered(f, "UPDATE options SET score=99", "score");
    tampered(f, "UPDATE option_frames SET confidence=1", "frames");
    tampered(f, "UPDATE option_frames SET picture_sha256='00'", "frames");
    tampered(f, "DELETE FROM option_frames; DELETE FROM options", "gone");
    tampered(f, "UPDATE meta SET value='x' WHERE key='title'", "project");
    verify_clean(f);
    ip_free(id);
}

/* The tail cut off with all traces inside the catalogue removed: the second place knows. */
static void truncation_is_found(void **state)
{
    fixture *f = *state;
    char *head = ip_path_join(f->project, "ledger.head");

    for (int i = 0; i < 3; i++)
        need(ip_ledger_append(f->store, "note", NULL, NULL));
    tampered(f, "DELETE FROM ledger WHERE seq=4; UPDATE meta SET value='3' WHERE key='ledger_count';"
                "UPDATE meta SET value=(SELECT hash FROM ledger WHERE seq=3) WHERE key='ledger_hash'", "ledger.head");
    /* Nor can one write on top of such a catalogue. */
    char *path = ip_path_join(f->project, "interpos.sqlite");
    ip_store_close(f->store);
    exec(path, "DROP TRIGGER ledger_no_delete; DELETE FROM ledger WHERE seq=4; UPDATE meta SET value='3' WHERE key='ledger_count';"
               "UPDATE meta SET value=(SELECT hash FROM ledger WHERE seq=3) WHERE key='ledger_hash'");
    need(ip_store_open(f->project, NULL, &f->store));
    need_fail(ip_ledger_append(f->store, "note", NULL, NULL), IPOS_ERR_TAMPERED, "ledger.head");
    /* Without the head file it goes on, but the ledger says that it was missing. */
    assert_int_equal(unlink(head), 0);
    found_by_verify(f, "missing");
    need(ip_ledger_append(f->store, "note", NULL, NULL));
    char *text;
    need(ip_ledger_json(f->store, &text));
    assert_non_null(strstr(text, "head-missing"));
    ip_free(text);
    ip_free(path);
    ip_free(head);
}

/* A crash between the commit and the writing of ledger.head leaves that one act behind: no fault, and made good by the next act. */
static void head_may_be_behind(void **state)
{
    fixture *f = *state;
    char *head = ip_path_join(f->project, "ledger.head"), *old = ip_path_join(f->folder, "old.head"), *text;
    void *bytes;
    size_t size;

    need(ip_ledger_append(f->store, "note", NULL, NULL));
    need(ip_copy_file(head, old));
    need(ip_ledger_append(f->store, "note", NULL, NULL));
    assert_int_equal(rename(old, head), 0);
    verify_clean(f);
    need(ip_ledger_append(f->store, "note", NULL, NULL));
    need(ip_file_read(head, 4096, &bytes, &size));
    text = ip_format("%.*s", (int)size, (char *)bytes);
    assert_non_null(strstr(text, "\"count\":4,"));
    verify_clean(f);
    /* One that says another hash is a fault, and nothing is appended beside it. */
    char *hash = strstr(text, "\"hash\":\"") + 8;
    *hash = *hash == '0' ? '1' : '0';
    need(ip_file_write(head, text, size));
    found_by_verify(f, "ledger.head");
    need_fail(ip_ledger_append(f->store, "note", NULL, NULL), IPOS_ERR_TAMPERED, "ledger.head");
    ip_free(text);
    ip_free(bytes);
    ip_free(head);
    ip_free(old);
}

/* Most of a young catalogue is empty pages. */
static long used_byte(const char *path, long size)
{
    FILE *file = fopen(path, "rb");
    long offset;

    assert_non_null(file);
    do {
        offset = rand() % size;
        fseek(file, offset, SEEK_SET);
    } while (fgetc(file) == 0);
    fclose(file);
    return offset;
}

/* Any single byte changed anywhere in the catalogue's used cells either does no harm or is found. */
static void flipped_bytes(void **state)
{
    fixture *f = *state;
    char *path = ip_path_join(f->project, "interpos.sqlite"), *good = ip_path_join(f->folder, "good.sqlite"), *id;
    struct stat st;
    int found = 0, harmless = 0;

    make_sequence(f, "shot", 1, 12, 0);
    need(ingest(f, "shot"));
    id = make_option(f, "shot", "5", (ipos_rational){5, 1});
    char before[65], after[65];
    ip_store_close(f->store);
    f->store = NULL;
    need(ip_copy_file(path, good));
    assert_int_equal(stat(path, &st), 0);
    srand(11);
    for (int i = 0; i < 200; i++) {
        long offset = used_byte(good, (long)st.st_size);
        char *first = NULL, *json = NULL;
        flip_byte(path, offset);
        ipos_status status = ip_store_open(f->project, NULL, &f->store);
        if (status == IPOS_OK)
            status = ip_store_verify(f->store, false, NULL, NULL, &json);
        if (status != IPOS_OK) {
            found++;
        } else {
            harmless++; /* then every list must say what it said before */
            need(ip_store_options_json(f->store, NULL, &first));
            assert_true(ip_sha256_of(first, strlen(first), after));
        }
        ip_free(first);
        ip_free(json);
        ip_store_close(f->store);
        f->store = NULL;
        need(ip_copy_file(good, path));
        if (status == IPOS_OK) {
            need(ip_store_open(f->project, NULL, &f->store));
            need(ip_store_options_json(f->store, NULL, &first));
            assert_true(ip_sha256_of(first, strlen(first), before));
            assert_string_equal(before, after);
            ip_free(first);
            ip_store_close(f->store);
            f->store = NULL;
        }
    }
    print_message("%d flips found, %d harmless (free space)\n", found, harmless);
    assert_true(found > 100);
    need(ip_store_open(f->project, NULL, &f->store));
    verify_clean(f);
    ip_free(id);
    ip_free(path);
    ip_free(good);
}

/* A lock is one holder's; a fork of the host that keeps running does not keep it. */
static void locks(void **state)
{
    fixture *f = *state;
    int a, b;

    need(ip_lock_take(f->store, "x.lock", false, &a));
    need_fail(ip_lock_take(f->store, "x.lock", false, &b), IPOS_ERR_CONFLICT, "x.lock");
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    ip_lock_drop(a);
    need(ip_lock_take(f->store, "x.lock", true, &b));
    ip_lock_end(f->store, "x.lock", b);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void remembers(void **state)
{
    fixture *f = *state;
    char key[65], *path, *folder = ip_path_join(f->project, "cache");
    void *bytes;
    size_t size;

    memset(key, 'a', 64);
    key[64] = 0;
    path = ip_path_join(folder, key);
    need(ip_cache_recall(f->store, key, &bytes, &size));
    assert_null(bytes);
    need(ip_cache_keep(f->store, key, "what was found", 15));
    need(ip_cache_keep(f->store, key, "what was found now", 19));
    need(ip_cache_recall(f->store, key, &bytes, &size));
    assert_int_equal(size, 19);
    assert_string_equal(bytes, "what was found now");
    ip_free(bytes);
    verify_clean(f);
    flip_byte(path, 70); /* altered: it is not there, and goes */
    need(ip_cache_recall(f->store, key, &bytes, &size));
    assert_null(bytes);
    assert_int_equal(access(path, F_OK), -1);
    need_fail(ip_cache_keep(f->store, "../escape", "x", 1), IPOS_ERR_ARGUMENT, "key");
    need_fail(ip_cache_recall(f->store, "A", &bytes, &size), IPOS_ERR_ARGUMENT, "key");
    need(ip_cache_keep(f->store, key, "x", 1));
    need(ip_remove_tree(folder)); /* anybody may */
    need(ip_cache_recall(f->store, key, &bytes, &size));
    assert_null(bytes);
    need(ip_cache_keep(f->store, key, "x", 1));
    verify_clean(f);
    ip_free(path);
    ip_free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(makes_and_opens, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(refuses_newer_and_foreign, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(migrates_with_a_copy, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(ledger_is_a_chain, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(alterations_are_found, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(truncation_is_found, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(head_may_be_behind, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(locks, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(remembers, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(flipped_bytes, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
