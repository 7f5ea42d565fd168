#include "card.h"
#include "model_header.h"
#include <math.h>
#include <unistd.h>

static char *model_path(ip_store *store, const char *file)
{
    return ip_format("%s/models/%s", store->folder, file);
}

/* The first version keeps the plain name; a file, once registered, is never written again. */
static ipos_status next_file(ip_store *store, const char *name, int64_t *version, char **file)
{
    sqlite3_stmt *row;

    *file = NULL;
    IP_TRY(ip_db_first(store->db, &row, "SELECT COALESCE(MAX(version), 0) + 1 FROM models WHERE name=?", "t", name));
    *version = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    *file = *version == 1 ? ip_format("%s.safetensors", name) : ip_format("%s.v%lld.safetensors", name, (long long)*version);
    return *file ? IPOS_OK : ip_no_memory(128);
}

static json_t *model_record(sqlite3_stmt *row)
{
    json_t *clips = json_loads(ip_db_text(row, 3), 0, NULL);

    return json_pack("{s:s, s:I, s:s, s:o, s:s, s:I, s:s, s:o, s:s}", "model", ip_db_text(row, 0), "version",
        (json_int_t)sqlite3_column_int64(row, 1), "operation", ip_db_text(row, 2), "clips", clips ? clips : json_null(), "file",
        ip_db_text(row, 4), "size", (json_int_t)sqlite3_column_int64(row, 5), "sha256", ip_db_text(row, 6), "gain",
        sqlite3_column_type(row, 7) == SQLITE_NULL ? json_null() : json_real(sqlite3_column_double(row, 7)), "created",
        ip_db_text(row, 8));
}

ipos_status ip_model_record(ip_store *store, const char *name, int64_t version, json_t **record)
{
    sqlite3_stmt *row;

    *record = NULL;
    IP_TRY(ip_db_first(store->db, &row,
        "SELECT name, version, operation, clips, file, size, sha256, gain, created FROM models WHERE name=? AND version=?",
        "ti", name, version));
    *record = model_record(row);
    sqlite3_finalize(row);
    return *record ? IPOS_OK : ip_fail(IPOS_ERR_TAMPERED, "model \"%s\": its row is damaged", name);
}

/* Under the write lock nobody can withdraw a permission between this and the model's row. */
static ipos_status check_clips(ip_store *store, const ip_card_source *source)
{
    json_t *clips = ip_doc_split(source->clips), *clip;
    ipos_status status = clips ? IPOS_OK : ip_no_memory(256);
    size_t i;

    json_array_foreach(clips, i, clip)
        if (status == IPOS_OK)
            status = ip_store_check_permission(store, json_string_value(clip), source->operation, true);
    json_decref(clips);
    return status;
}

/* The file and its row, under the write lock. */
static ipos_status register_model(ip_store *store, const ip_card_source *source, const json_t *card, const void *bytes, size_t size)
{
    json_t *gain = json_object_get(json_object_get(card, "score"), "gain"), *record;
    char hash[65], when[32], *file = NULL, *path = NULL, *clips = NULL;
    int64_t version;
    ipos_status status = check_clips(store, source);

    if (status != IPOS_OK)
        return status;
    status = next_file(store, source->name, &version, &file);

    ip_utc_text(when);
    if (status == IPOS_OK)
        status = ip_doc_give(ip_doc_split(source->clips), &clips);
    if (status == IPOS_OK && !ip_sha256_of(bytes, size, hash))
        status = ip_fail(IPOS_ERR_UNKNOWN, "model \"%s\": hashing failed", source->name);
    if (status == IPOS_OK)
        status = (path = model_path(store, file)) ? ip_file_write(path, bytes, size) : ip_no_memory(256);
    if (status == IPOS_OK)
        status = ip_db_run(store->db, "INSERT INTO models(name, version, operation, clips, file, size, sha256, gain, created)"
                                      " VALUES(?,?,?,?,?,?,?,?,?)", "tittti" "tnt", source->name, version, source->operation,
                                      clips, file,
            (int64_t)size, hash, json_is_number(gain) ? json_number_value(gain) : (double)NAN, when);
    if (status == IPOS_OK)
        status = ip_model_record(store, source->name, version, &record);
    if (status == IPOS_OK)
        status = ip_ledger_add(store, "model", json_string_value(json_object_get(card, "operator")), record);
    ip_free(clips);
    ip_free(path);
    ip_free(file);
    return status;
}

ipos_status ip_store_model_save(ip_store *store, const char *name, const char *operation, const char *clips,
    const char *settings_json,
    const char *measured_json, const char *started_utc, const void *weights, size_t size)
{
    const ip_card_source source = {name, operation, clips, settings_json, measured_json, started_utc};
    json_t *card = NULL;
    char *text = NULL, *checkpoint;
    void *bytes = NULL;
    size_t length = 0;

    if (!name || !ip_name_ok(name) || !operation || !ip_name_ok(operation))
        return ip_fail(IPOS_ERR_ARGUMENT, "model name \"%s\": expected letters, digits, '.', '_', '-'", name ? name : "");
    ipos_status status = ip_card_make(store, &source, &card);
    if (status == IPOS_OK && !(text = ip_doc_text(card)))
        status = ip_no_memory(1024);
    if (status == IPOS_OK && (status = ip_model_header_with_card(weights, size, text, &bytes, &length)) != IPOS_OK)
        ip_fail_in(status, "model \"%s\"", name);
    if (status == IPOS_OK && (status = ip_store_begin(store)) == IPOS_OK)
        status = ip_store_end(store, register_model(store, &source, card, bytes, length));
    if (status == IPOS_OK && (checkpoint = ip_format("%s/models/%s.checkpoint", store->folder, name))) {
        unlink(checkpoint); /* it has become the model */
        ip_free(checkpoint);
    }
    json_decref(card);
    ip_free(text);
    ip_free(bytes);
    return status;
}

/* Whose model the bytes are: IPOS_ERR_PERMISSION if another project's. */
static ipos_status check_project(ip_store *store, const char *path, const void *bytes, size_t size, char **card)
{
    json_t *parsed;
    ipos_status status = ip_model_header_card(bytes, size, card);

    if (status == IPOS_OK)
        status = ip_doc_parse(*card, "model card", &parsed);
    if (status != IPOS_OK) {
        ip_free(*card);
        *card = NULL;
        return ip_fail_in(status, "%s", path);
    }
    const char *project = json_string_value(json_object_get(parsed, "project"));
    if (!project || strcmp(project, store->id) != 0) {
        status = ip_fail(IPOS_ERR_PERMISSION, "%s: was trained in another project (%s): a model serves the production whose dailies it learned"
                                              " from; train one here", path, project ? project : "unknown");
        ip_free(*card);
        *card = NULL;
    }
    json_decref(parsed);
    return status;
}

static ipos_status load(ip_store *store, const char *path, const char *expected, void **bytes, size_t *size, char **card,
    char hash[65])
{
    ip_stamp stamp;

    IP_TRY(ip_read_stamped(path, bytes, size, &stamp));
    if (!ip_sha256_of(*bytes, *size, hash))
        return ip_fail(IPOS_ERR_UNKNOWN, "%s: hashing failed", path);
    if (strcmp(hash, expected) == 0)
        return check_project(store, path, *bytes, *size, card);
    /* Swapped for another project's file, or altered: the first has the clearer text. */
    if (check_project(store, path, *bytes, *size, card) == IPOS_ERR_PERMISSION)
        return IPOS_ERR_PERMISSION;
    return ip_fail(IPOS_ERR_TAMPERED, "%s: was altered since it was trained (SHA-256 expected %s, found %s): restore the file",
        path,
        *expected ? expected : "none, it is not in the catalogue", hash);
}

ipos_status ip_store_model_load(ip_store *store, const char *name, void **bytes, size_t *size, char **card_json, char hash[65])
{
    sqlite3_stmt *row = NULL;
    char *path, *expected, *card = NULL;
    ipos_status status;

    *bytes = NULL;
    *size = 0;
    *card_json = NULL;
    hash[0] = 0;
    if (!name || !ip_name_ok(name))
        return ip_fail(IPOS_ERR_NOT_FOUND, "model \"%s\": not in this project", name ? name : "");
    status = ip_db_first(store->db, &row, "SELECT file, sha256 FROM models WHERE name=? ORDER BY version DESC LIMIT 1", "t", name);
    if (status != IPOS_OK && status != IPOS_ERR_NOT_FOUND)
        return status;
    bool known = status == IPOS_OK;
    path = known ? model_path(store, ip_db_text(row, 0)) : ip_format("%s/models/%s.safetensors", store->folder, name);
    expected = ip_strdup(known ? ip_db_text(row, 1) : "");
    sqlite3_finalize(row);
    if (!path || !expected)
        status = ip_no_memory(256);
    else if (!known && access(path, F_OK) != 0)
        status = ip_fail(IPOS_ERR_NOT_FOUND, "model \"%s\": not in this project, train it first", name);
    else
        status = load(store, path, expected, bytes, size, &card, hash);
    ip_free(path);
    ip_free(expected);
    if (status != IPOS_OK) {
        ip_free(*bytes);
        ip_free(card);
        *bytes = NULL;
        *size = 0;
        return status;
    }
    *card_json = card;
    return IPOS_OK;
}
