/* The catalogue's rows against what the ledger says they must be. */
#include "verify.h"

/* Names the members that differ. */
static void differ(ip_verify *verify, const char *what, const char *name, const json_t *row, const json_t *record)
{
    const char *key;
    json_t *value;
    bool named = false;

    json_object_foreach((json_t *)row, key, value) {
        if (!json_equal(value, json_object_get(record, key))) {
            ip_verify_problem(verify, "%s \"%s\": \"%s\" differs from the ledger", what, name, key);
            named = true;
        }
    }
    if (!named)
        ip_verify_problem(verify, "%s \"%s\": differs from the ledger", what, name);
}

static void check_record(ip_verify *verify, const char *what, const char *name, const json_t *row, const json_t *record)
{
    verify->rows++;
    if (!row || !json_equal(row, record))
        differ(verify, what, name, row, record);
}

static ipos_status check_clip(ip_verify *verify, const ip_clip_row *row)
{
    json_t *expected = json_object_get(verify->clips, row->name), *record;
    bool ready = strcmp(row->state, "ready") == 0;
    char digest[65];

    if (!expected) {
        ip_verify_problem(verify, "clip \"%s\": no act put it into the catalogue", row->name);
        return IPOS_OK;
    }
    json_object_set_new(expected, "seen", json_true());
    if (ready != json_is_true(json_object_get(expected, "complete")))
        ip_verify_problem(verify, "clip \"%s\": its state \"%s\" does not follow from the ledger", row->name, row->state);
    record = ip_clip_record(row, ready);
    check_record(verify, "clip", row->name, record, json_object_get(expected, "record"));
    json_decref(record);
    const char *training = json_string_value(json_object_get(expected, "training"));
    if (!training || strcmp(training, ip_training_name(row->training)) != 0)
        ip_verify_problem(verify, "clip \"%s\": training is %s in the catalogue, %s by the ledger", row->name,
            ip_training_name(row->training),
            training ? training : "nothing");
    if (!ready)
        return IPOS_OK;
    verify->total += row->frames;
    IP_TRY(ip_clip_digest(verify->store, row->id, digest));
    if (!row->digest || strcmp(digest, row->digest) != 0)
        ip_verify_problem(verify, "clip \"%s\": its frame records were altered", row->name);
    return IPOS_OK;
}

ipos_status ip_verify_each_clip(ip_verify *verify, const char *where, ipos_status (*check)(ip_verify *, const ip_clip_row *))
{
    sqlite3_stmt *rows;
    bool more = false;
    ip_clip_row row;
    char *sql = ip_format("%s%sORDER BY id", ip_clip_select, where);
    ipos_status status = sql ? ip_db_prepare(verify->store->db, &rows, sql, "") : ip_no_memory(512);

    if (!sql)
        return status;
    ip_free(sql);
    while (status == IPOS_OK && (status = ip_db_step(rows, &more)) == IPOS_OK && more) {
        status = ip_clip_next(rows, &row);
        if (status == IPOS_OK) {
            status = check(verify, &row);
            ip_clip_row_free(&row);
        }
    }
    sqlite3_finalize(rows);
    return status;
}

static ipos_status check_option(ip_verify *verify, sqlite3_stmt *row)
{
    int64_t id = sqlite3_column_int64(row, 0);
    char name[32];
    json_t *expected, *record = NULL, *decision;

    snprintf(name, sizeof name, "o%lld", (long long)id);
    expected = json_object_get(verify->options, name);
    if (!expected) {
        ip_verify_problem(verify, "option \"%s\": no act made it", name);
        return IPOS_OK;
    }
    json_object_set_new(expected, "seen", json_true());
    ipos_status status = ip_option_record(verify->store, id, &record);
    if (status != IPOS_OK && status != IPOS_ERR_TAMPERED)
        return status;
    check_record(verify, "option", name, record, json_object_get(expected, "record"));
    verify->total += 2 * (int64_t)json_array_size(json_object_get(record, "frames"));
    json_decref(record);
    decision = sqlite3_column_type(row, 2) == SQLITE_NULL ? json_null() : json_pack("{s:s, s:s?, s:s}", "by",
        ip_db_text(row, 2), "note",
        (const char *)sqlite3_column_text(row, 3), "when", ip_db_text(row, 4));
    const char *state = json_string_value(json_object_get(expected, "state"));
    if (!state || strcmp(state, ip_db_text(row, 1)) != 0 || !decision
        || !json_equal(decision, json_object_get(expected, "decision")))
        ip_verify_problem(verify, "option \"%s\": its decision (%s by %s) differs from the ledger (%s)", name,
            ip_db_text(row, 1), ip_db_text(row, 2),
            state ? state : "none");
    json_decref(decision);
    return IPOS_OK;
}

static ipos_status check_model(ip_verify *verify, sqlite3_stmt *row)
{
    const char *name = ip_db_text(row, 0);
    int64_t version = sqlite3_column_int64(row, 1);
    char *key = ip_format("%s/%lld", name, (long long)version);
    json_t *expected = key ? json_object_get(verify->models, key) : NULL, *record;
    ipos_status status = key ? ip_model_record(verify->store, name, version, &record) : ip_no_memory(128);

    if (status == IPOS_OK && !expected)
        ip_verify_problem(verify, "model \"%s\": no act made it", name);
    else if (status == IPOS_OK)
        check_record(verify, "model", name, record, expected);
    if (status == IPOS_OK) {
        json_decref(record);
        if (expected)
            json_object_del(verify->models, key);
        verify->total++;
    }
    ip_free(key);
    return status;
}

static ipos_status each(ip_verify *verify, const char *sql, ipos_status (*check)(ip_verify *, sqlite3_stmt *))
{
    sqlite3_stmt *rows;
    bool row = false;
    ipos_status status = ip_db_prepare(verify->store->db, &rows, sql, "");

    while (status == IPOS_OK && (status = ip_db_step(rows, &row)) == IPOS_OK && row)
        status = check(verify, rows);
    sqlite3_finalize(rows);
    return status;
}

static void report_missing(ip_verify *verify, const char *what, json_t *expected)
{
    const char *name;
    json_t *value;

    json_object_foreach(expected, name, value)
        if (!json_is_true(json_object_get(value, "seen")))
            ip_verify_problem(verify, "%s \"%s\": is in the ledger but gone from the catalogue", what, name);
}

static ipos_status check_project(ip_verify *verify)
{
    const char *id = json_string_value(json_object_get(verify->project, "project"));
    const char *title = json_string_value(json_object_get(verify->project, "title"));

    verify->rows++;
    if (!id || strcmp(id, verify->store->id) != 0 || !title || strcmp(title, verify->store->title) != 0)
        ip_verify_problem(verify, "project: its id or title differs from the ledger");
    return IPOS_OK;
}

ipos_status ip_verify_catalogue(ip_verify *verify)
{
    IP_TRY(check_project(verify));
    IP_TRY(ip_verify_each_clip(verify, "", check_clip));
    IP_TRY(each(verify, "SELECT id, state, decided_by, decided_note, decided_when FROM options ORDER BY id", check_option));
    IP_TRY(each(verify, "SELECT name, version FROM models ORDER BY id", check_model));
    report_missing(verify, "clip", verify->clips);
    report_missing(verify, "option", verify->options);
    report_missing(verify, "model", verify->models);
    return IPOS_OK;
}
