#include "catalogue.h"
#include <unistd.h>

static void set_path(ip_store *store, int64_t id, json_t *frame, const char *key)
{
    const char *file = json_string_value(json_object_get(frame, key));
    char *path = file ? ip_option_path(store, id, file) : NULL;

    if (path)
        json_object_set_new(frame, key, json_string(path));
    ip_free(path);
}

/* The ledger's record of the option, with what changes and where its files are. */
static ipos_status option_json(ip_store *store, sqlite3_stmt *row, json_t **out)
{
    int64_t id = sqlite3_column_int64(row, 0);
    char *sheet, request[32];
    json_t *frame, *decision = json_null();
    size_t i;

    IP_TRY(ip_option_record(store, id, out));
    snprintf(request, sizeof request, "r%lld", (long long)json_integer_value(json_object_get(*out, "request")));
    json_object_set_new(*out, "request", json_string(request));
    json_object_set(*out, "id", json_object_get(*out, "option"));
    json_object_del(*out, "option");
    json_array_foreach(json_object_get(*out, "frames"), i, frame) {
        set_path(store, id, frame, "picture");
        set_path(store, id, frame, "evidence");
    }
    json_object_set_new(*out, "state", json_string(ip_db_text(row, 1)));
    if (sqlite3_column_type(row, 2) != SQLITE_NULL)
        decision = json_pack("{s:s, s:s?, s:s}", "by", ip_db_text(row, 2), "note", (const char *)sqlite3_column_text(row, 3),
            "when",
            ip_db_text(row, 4));
    json_object_set_new(*out, "decision", decision);
    sheet = ip_option_path(store, id, "sheet.png");
    json_object_set_new(*out, "sheet", sheet && access(sheet, R_OK) == 0 ? json_string(sheet) : json_null());
    ip_free(sheet);
    return IPOS_OK;
}

ipos_status ip_store_options_json(ip_store *store, const char *id, char **json)
{
    sqlite3_stmt *rows = NULL;
    bool row = false;
    int64_t wanted = 0;
    json_t *list, *option;
    ipos_status status;

    *json = NULL;
    if (id && !ip_option_id(id, &wanted))
        return ip_fail(IPOS_ERR_NOT_FOUND, "option \"%s\": not in this project (ids look like o12)", id);
    list = json_array();
    status = ip_db_prepare(store->db, &rows, id ? "SELECT id, state, decided_by, decided_note, decided_when FROM options WHERE id=?"
        : "SELECT id, state, decided_by, decided_note, decided_when FROM options ORDER BY id", id ? "i" : "", wanted);
    while (status == IPOS_OK && (status = ip_db_step(rows, &row)) == IPOS_OK && row) {
        status = option_json(store, rows, &option);
        if (status == IPOS_OK)
            json_array_append_new(list, option);
    }
    sqlite3_finalize(rows);
    if (status == IPOS_OK && id && json_array_size(list) == 0)
        status = ip_fail(IPOS_ERR_NOT_FOUND, "option \"%s\": not in this project", id);
    if (status == IPOS_OK)
        return ip_doc_give(list, json);
    json_decref(list);
    return status;
}

ipos_status ip_store_option_frame(ip_store *store, const char *id, size_t index, bool evidence, ipos_frame **out)
{
    sqlite3_stmt *row;
    int64_t number;
    void *bytes = NULL;
    size_t size;
    char hash[65], *path, *expected;
    ip_stamp stamp;

    *out = NULL;
    if (!ip_option_id(id, &number))
        return ip_fail(IPOS_ERR_NOT_FOUND, "option \"%s\": not in this project", id ? id : "");
    ipos_status status = ip_db_first(store->db, &row, evidence ? "SELECT evidence, evidence_sha256 FROM option_frames WHERE option=? AND position=?"
        : "SELECT picture, picture_sha256 FROM option_frames WHERE option=? AND position=?", "ii", number, (int64_t)index);
    if (status == IPOS_ERR_NOT_FOUND)
        return ip_fail(status, "option \"%s\": has no picture %zu", id, index);
    if (status != IPOS_OK)
        return status;
    bool there = sqlite3_column_type(row, 0) != SQLITE_NULL;
    path = ip_option_path(store, number, ip_db_text(row, 0));
    expected = ip_strdup(ip_db_text(row, 1));
    sqlite3_finalize(row);
    if (!path || !expected)
        status = ip_no_memory(256);
    else if (!there)
        status = ip_fail(IPOS_ERR_NOT_FOUND, "option \"%s\": picture %zu has no evidence map", id, index);
    else
        status = ip_read_stamped(path, &bytes, &size, &stamp);
    if (status == IPOS_OK && (!ip_sha256_of(bytes, size, hash) || strcmp(hash, expected) != 0))
        status = ip_fail(IPOS_ERR_TAMPERED, "%s: was altered since it was made (SHA-256 expected %s, found %s)", path, expected,
            hash);
    if (status == IPOS_OK)
        status = ip_image_read(&store->env, NULL, bytes, size, 0, out);
    ip_free(bytes);
    ip_free(path);
    ip_free(expected);
    return status;
}
