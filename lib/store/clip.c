#include "catalogue.h"

const char ip_clip_select[] =
    "SELECT id, name, state, path, source, kind, format, codec, encoding, owner, licence, permission_source, operations, consents, tags,"
    " timecode, file_sha256, cuts, duplicates, missing, digest, created, first, last, frames, width, height, sample_type, bits, training,"
    " movie_first, copied, duplicate_check, rate_num, rate_den, file_size, file_mtime, file_inode FROM clips ";

/* The text columns 1..21 and integer columns 22..32 of ip_clip_select, in order. */
#define TEXTS(row)                                                                                                                    \
    {&(row)->name, &(row)->state, &(row)->path, &(row)->source, &(row)->kind, &(row)->format, &(row)->codec, &(row)->encoding,        \
        &(row)->owner, &(row)->licence, &(row)->permission_source, &(row)->operations, &(row)->consents, &(row)->tags,                \
        &(row)->timecode, &(row)->file_sha256, &(row)->cuts, &(row)->duplicates, &(row)->missing, &(row)->digest, &(row)->created}
#define NUMBERS(row)                                                                                                                  \
    {&(row)->first, &(row)->last, &(row)->frames, &(row)->width, &(row)->height, &(row)->sample_type, &(row)->bits, &(row)->training, \
        &(row)->movie_first, &(row)->copied, &(row)->duplicate_check, &(row)->rate.num, &(row)->rate.den, &(row)->file.size,          \
        &(row)->file.mtime, &(row)->file.inode}

void ip_clip_row_free(ip_clip_row *row)
{
    char **const texts[] = TEXTS(row);

    for (size_t i = 0; i < IP_COUNT(texts); i++)
        ip_free(*texts[i]);
    memset(row, 0, sizeof *row);
}

ipos_status ip_clip_next(sqlite3_stmt *statement, ip_clip_row *row)
{
    char **const texts[] = TEXTS(row);
    int64_t *const numbers[] = NUMBERS(row);

    memset(row, 0, sizeof *row);
    row->id = sqlite3_column_int64(statement, 0);
    for (size_t i = 0; i < IP_COUNT(texts); i++) {
        const char *text = (const char *)sqlite3_column_text(statement, 1 + (int)i);
        if (text && !(*texts[i] = ip_strdup(text))) {
            ip_clip_row_free(row);
            return ip_no_memory(strlen(text));
        }
    }
    for (size_t i = 0; i < IP_COUNT(numbers); i++)
        *numbers[i] = sqlite3_column_int64(statement, 1 + (int)(IP_COUNT(texts) + i));
    return IPOS_OK;
}

static ipos_status unknown_clip(ip_store *store, const char *name)
{
    sqlite3_stmt *rows;
    bool row = false;
    ip_buffer names = {0};
    ipos_status status = ip_db_prepare(store->db, &rows, "SELECT name FROM clips ORDER BY name LIMIT 20", "");

    while (status == IPOS_OK && (status = ip_db_step(rows, &row)) == IPOS_OK && row)
        ip_buffer_printf(&names, "%s%s", names.size ? ", " : "", ip_db_text(rows, 0));
    sqlite3_finalize(rows);
    if (status == IPOS_OK)
        status = ip_fail(IPOS_ERR_NOT_FOUND, "clip \"%s\": not in this project; it has: %.*s", name, (int)names.size, names.size
            ? names.data : "");
    ip_buffer_free(&names);
    return status;
}

ipos_status ip_clip_load(ip_store *store, const char *name, ip_clip_row *row)
{
    sqlite3_stmt *statement;
    char *sql = ip_format("%sWHERE name=?", ip_clip_select);
    ipos_status status = sql ? ip_db_first(store->db, &statement, sql, "t", name ? name : "") : ip_no_memory(512);

    memset(row, 0, sizeof *row);
    ip_free(sql);
    if (status == IPOS_ERR_NOT_FOUND)
        return unknown_clip(store, name ? name : "");
    if (status == IPOS_OK) {
        status = ip_clip_next(statement, row);
        sqlite3_finalize(statement);
    }
    return status;
}

const char *ip_training_name(int64_t training)
{
    return training == IPOS_TRAINING_ALLOWED ? "allowed" : training == IPOS_TRAINING_DENIED ? "denied" : "unknown";
}

/* A JSON column; damaged text becomes null, which then differs from the ledger's. */
static json_t *column_json(const char *text)
{
    json_t *value = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;

    return value ? value : json_null();
}

json_t *ip_clip_record(const ip_clip_row *row, bool complete)
{
    json_t *record = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:s, s:o, s:s, s:I, s:b, s:b}", "clip", row->name,
        "owner", row->owner,
        "licence", row->licence, "permission_source", ip_doc_text_or_null(row->permission_source), "operations",
        column_json(row->operations), "consents", column_json(row->consents), "tags", column_json(row->tags), "source", row->source,
        "kind", row->kind, "rate", ip_doc_rational(row->rate), "encoding", row->encoding, "first_frame",
        (json_int_t)row->movie_first,
        "copied", row->copied != 0, "duplicate_check", row->duplicate_check == 0);

    if (!record || !complete)
        return record;
    json_t *found = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "path",
        row->path, "format",
        row->format, "codec", row->codec, "first", (json_int_t)row->first, "last", (json_int_t)row->last, "frames",
        (json_int_t)row->frames, "width", (json_int_t)row->width, "height", (json_int_t)row->height, "sample_type",
        (json_int_t)row->sample_type, "bits", (json_int_t)row->bits, "timecode", ip_doc_text_or_null(row->timecode), "file_sha256",
        ip_doc_text_or_null(row->file_sha256), "cuts", column_json(row->cuts), "duplicates", column_json(row->duplicates),
        "missing",
        column_json(row->missing), "frames_sha256", ip_doc_text_or_null(row->digest), "created", row->created);
    if (!found || json_object_update(record, found) != 0) {
        json_decref(record);
        record = NULL;
    }
    json_decref(found);
    return record;
}

ipos_status ip_clip_digest(ip_store *store, int64_t clip, char hex[65])
{
    sqlite3_stmt *rows;
    bool row = false, ok = true;
    ip_sha256 *hash = ip_sha256_new();
    ipos_status status = hash ? ip_db_prepare(store->db, &rows,
        "SELECT number, file, sha256 FROM frames WHERE clip=? ORDER BY number", "i", clip)
                              : ip_no_memory(128);

    if (status != IPOS_OK) {
        if (hash)
            (void)ip_sha256_end(hash, hex);
        return status;
    }
    while ((status = ip_db_step(rows, &row)) == IPOS_OK && row && ok) {
        char number[32];
        const char *file = ip_db_text(rows, 1);
        snprintf(number, sizeof number, "%lld ", (long long)sqlite3_column_int64(rows, 0));
        ok = ip_sha256_add(hash, number, strlen(number)) && ip_sha256_add(hash, file, strlen(file) + 1) &&
             ip_sha256_add(hash, sqlite3_column_blob(rows, 2), (size_t)sqlite3_column_bytes(rows, 2));
    }
    sqlite3_finalize(rows);
    ok = ip_sha256_end(hash, hex) && ok;
    if (status == IPOS_OK && !ok)
        status = ip_fail(IPOS_ERR_UNKNOWN, "hashing the frame rows failed");
    return status;
}

/* Runs of frames between cuts. */
static json_t *shots_of(const ip_clip_row *row)
{
    json_t *shots = json_array(), *cuts = column_json(row->cuts), *cut;
    int64_t first = row->first;
    size_t i;

    if (strcmp(row->state, "ready") == 0 && row->frames > 0) {
        json_array_foreach(cuts, i, cut) {
            json_array_append_new(shots, json_pack("[I, I]", (json_int_t)first, json_integer_value(cut) - 1));
            first = json_integer_value(cut);
        }
        json_array_append_new(shots, json_pack("[I, I]", (json_int_t)first, (json_int_t)row->last));
    }
    json_decref(cuts);
    return shots;
}

static json_t *clip_json(const ip_clip_row *row)
{
    json_t *duplicates = column_json(row->duplicates);
    json_t *value = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:o, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:I, s:o, s:s, s:s}",
        "name", row->name,
        "frames", (json_int_t)row->frames, "first", (json_int_t)row->first, "last", (json_int_t)row->last, "width",
        (json_int_t)row->width, "height", (json_int_t)row->height, "rate", ip_doc_rational(row->rate), "encoding", row->encoding,
        "owner", row->owner, "licence", row->licence, "training", ip_training_name(row->training), "operations",
        column_json(row->operations), "tags", column_json(row->tags), "consents", column_json(row->consents), "shots",
        shots_of(row),
        "duplicates", (json_int_t)json_array_size(duplicates), "timecode", ip_doc_text_or_null(row->timecode), "path", row->path,
        "state", row->state);
    json_t *more = json_pack("{s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:s, s:s}", "kind", row->kind, "format", row->format,
        "codec", row->codec,
        "bits", (json_int_t)row->bits, "permission_source", ip_doc_text_or_null(row->permission_source), "missing",
        column_json(row->missing), "duplicate_frames", json_incref(duplicates), "file_sha256",
        ip_doc_text_or_null(row->file_sha256),
        "source", row->source, "created", row->created);

    if (value && more)
        json_object_update(value, more);
    json_decref(more);
    json_decref(duplicates);
    return value;
}

ipos_status ip_store_clips_json(ip_store *store, const char *name, char **json)
{
    sqlite3_stmt *rows;
    bool more = false;
    ip_clip_row row;
    json_t *list = json_array();
    ipos_status status;

    *json = NULL;
    if (name) {
        status = ip_clip_load(store, name, &row);
        if (status == IPOS_OK) {
            json_array_append_new(list, clip_json(&row));
            ip_clip_row_free(&row);
        }
    } else {
        char *sql = ip_format("%sORDER BY id", ip_clip_select);
        status = sql ? ip_db_prepare(store->db, &rows, sql, "") : ip_no_memory(512);
        ip_free(sql);
        while (status == IPOS_OK && (status = ip_db_step(rows, &more)) == IPOS_OK && more) {
            status = ip_clip_next(rows, &row);
            if (status == IPOS_OK) {
                json_array_append_new(list, clip_json(&row));
                ip_clip_row_free(&row);
            }
        }
        if (sql)
            sqlite3_finalize(rows);
    }
    if (status == IPOS_OK)
        return ip_doc_give(list, json);
    json_decref(list);
    return status;
}
