/* A request's options become visible: folders renamed and rows written inside one transaction. */
#include "catalogue.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

static int by_rank(const void *a, const void *b)
{
    const ip_option_variant *x = a, *y = b;

    return x->rank != y->rank ? (x->rank > y->rank) - (x->rank < y->rank) : strcmp(x->variant, y->variant);
}

static json_t *parse_or_null(const char *text)
{
    json_t *value = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;

    return value ? value : json_null();
}

static ipos_status frames_record(ip_store *store, int64_t id, json_t *list)
{
    sqlite3_stmt *rows;
    bool row = false;
    ipos_status status = ip_db_prepare(store->db, &rows,
        "SELECT time_num, time_den, confidence, picture, picture_sha256, evidence, evidence_sha256 FROM option_frames WHERE option=?"
        " ORDER BY position", "i", id);

    while (status == IPOS_OK && (status = ip_db_step(rows, &row)) == IPOS_OK && row) {
        json_t *frame = json_pack("{s:[I, I], s:f, s:s, s:s, s:s?, s:s?}", "time", (json_int_t)sqlite3_column_int64(rows, 0),
            (json_int_t)sqlite3_column_int64(rows, 1), "confidence", sqlite3_column_double(rows, 2), "picture", ip_db_text(rows, 3),
            "picture_sha256", ip_db_text(rows, 4), "evidence", (const char *)sqlite3_column_text(rows, 5), "evidence_sha256",
            (const char *)sqlite3_column_text(rows, 6));
        if (json_array_append_new(list, frame) != 0)
            status = ip_fail(IPOS_ERR_TAMPERED, "option o%lld: its rows are damaged", (long long)id);
    }
    sqlite3_finalize(rows);
    return status;
}

ipos_status ip_option_record(ip_store *store, int64_t id, json_t **record)
{
    sqlite3_stmt *row;
    char name[32];
    json_t *frames = json_array();
    ipos_status status = frames_record(store, id, frames);

    *record = NULL;
    if (status == IPOS_OK)
        status = ip_db_first(store->db, &row,
            "SELECT request, operation, clip, frames, variant, title, rank, score, details, parameters, model, model_sha256, sources,"
            " created FROM options WHERE id=?", "i", id);
    if (status != IPOS_OK) {
        json_decref(frames);
        return status;
    }
    snprintf(name, sizeof name, "o%lld", (long long)id);
    *record = json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:I, s:f, s:o, s:o, s:s?, s:s?, s:o, s:s, s:o}", "option", name, "request",
        (json_int_t)sqlite3_column_int64(row, 0), "operation", ip_db_text(row, 1), "clip", ip_db_text(row, 2), "frames_asked",
        ip_db_text(row, 3), "variant", ip_db_text(row, 4), "title", ip_db_text(row, 5), "rank",
        (json_int_t)sqlite3_column_int64(row, 6),
        "score", sqlite3_column_double(row, 7), "details", parse_or_null(ip_db_text(row, 8)), "parameters",
        parse_or_null(ip_db_text(row, 9)), "model", (const char *)sqlite3_column_text(row, 10), "model_sha256",
        (const char *)sqlite3_column_text(row, 11), "sources", parse_or_null(ip_db_text(row, 12)), "created",
        ip_db_text(row, 13), "frames",
        frames);
    sqlite3_finalize(row);
    return *record ? IPOS_OK : ip_fail(IPOS_ERR_TAMPERED, "option %s: its rows are damaged", name);
}

static ipos_status insert_frames(ip_store *store, int64_t id, const ip_option_variant *variant)
{
    for (size_t i = 0; i < variant->count; i++) {
        const ip_option_picture *p = &variant->pictures[i];
        IP_TRY(ip_db_run(store->db, "INSERT INTO option_frames VALUES(?,?,?,?,?,?,?,?,?)", "iiiir" "tttt", id, (int64_t)i, p->time.num,
            p->time.den, p->confidence, p->picture, p->picture_hash, p->evidence, p->evidence ? p->evidence_hash : NULL));
    }
    return IPOS_OK;
}

static ipos_status place_folder(ip_store *store, int64_t id, const char *from)
{
    char *to = ip_option_path(store, id, NULL), *mark = ip_path_join(from, IP_OPTION_MARK);
    ipos_status status = to && mark ? ip_file_write(mark, "", 0) : ip_no_memory(256);

    if (status == IPOS_OK && ip_option_unfinished(store, id))
        status = ip_remove_tree(to);
    /* What is left then is not ours to remove: rename refuses a folder that is not empty. */
    if (status == IPOS_OK && rename(from, to) != 0)
        status = ip_fail(errno == ENOTEMPTY || errno == EEXIST ? IPOS_ERR_CONFLICT : IPOS_ERR_IO,
            "%s: cannot be put in place: %s (was an older catalogue put back?)", to, strerror(errno));
    ip_free(mark);
    ip_free(to);
    return status;
}

static ipos_status insert_variant(ip_option_writer *writer, int64_t request, const ip_option_variant *v, const char *sources,
    int64_t *id)
{
    ip_store *store = writer->store;
    char when[32];

    ip_utc_text(when);
    IP_TRY(ip_db_run(store->db,
        "INSERT INTO options(request, operation, clip, frames, variant, title, rank, score, details, parameters, model, model_sha256,"
        " sources, created, state) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,'open')", "itttttirtttttt", request, writer->operation,
        writer->clip.name, writer->frames, v->variant, v->title ? v->title : v->variant, (int64_t)v->rank, v->score,
        v->details ? v->details : "{}", writer->parameters, writer->model, writer->model_hash, sources, when));
    *id = sqlite3_last_insert_rowid(store->db);
    IP_TRY(insert_frames(store, *id, v));
    return place_folder(store, *id, v->folder);
}

/* Everything under the write lock. made gets the ids whose folders are in place, also on failure. */
static ipos_status write_rows(ip_option_writer *writer, const char *sources, int64_t *made, size_t *made_count)
{
    ip_store *store = writer->store;
    sqlite3_stmt *row;
    int64_t request;
    char *options = ip_path_join(store->folder, "options");
    json_t *records = json_array(), *record;
    ipos_status status = ip_db_first(store->db, &row, "SELECT COALESCE(MAX(request), 0) + 1 FROM options", "");

    if (status == IPOS_OK) {
        request = sqlite3_column_int64(row, 0);
        sqlite3_finalize(row);
    }
    for (size_t i = 0; status == IPOS_OK && i < writer->count; i++) {
        status = insert_variant(writer, request, &writer->variants[i], sources, &made[*made_count]);
        (*made_count)++;
        if (status == IPOS_OK)
            status = ip_option_record(store, made[i], &record);
        if (status == IPOS_OK)
            json_array_append_new(records, record);
    }
    if (status == IPOS_OK)
        status = options ? ip_sync_folder(options) : ip_no_memory(256);
    ip_free(options);
    if (status != IPOS_OK) {
        json_decref(records);
        return status;
    }
    return ip_ledger_add(store, "options", NULL, json_pack("{s:I, s:s, s:s, s:o}", "request", (json_int_t)request, "operation", writer->operation,
        "clip", writer->clip.name, "options", records));
}

static ipos_status id_texts(const int64_t *made, size_t count, char ***ids)
{
    *ids = ip_calloc(count, sizeof **ids);
    for (size_t i = 0; *ids && i < count; i++)
        if (!((*ids)[i] = ip_format("o%lld", (long long)made[i])))
            return ip_no_memory(32);
    return *ids ? IPOS_OK : ip_no_memory(count * sizeof **ids);
}

/* After the commit the marks go; after a roll-back what was put in place is nobody's, and goes too. The error text stays. */
static void settle(ip_store *store, const int64_t *made, size_t count, ipos_status status)
{
    char *text = ip_strdup(ipos_last_error());

    for (size_t i = 0; i < count; i++) {
        char *path = status == IPOS_OK || ip_option_unfinished(store, made[i]) ? ip_option_path(store, made[i],
            status == IPOS_OK ? IP_OPTION_MARK : NULL)
                                                                               : NULL;
        if (path)
            (void)ip_remove_tree(path);
        ip_free(path);
    }
    if (status != IPOS_OK)
        ip_fail(status, "%s", text ? text : "out of memory");
    ip_free(text);
}

static ipos_status commit(ip_option_writer *writer, char ***ids, size_t *count)
{
    int64_t *made = ip_calloc(writer->count + 1, sizeof *made);
    size_t made_count = 0;
    char *sources = NULL;
    ipos_status status = made ? ip_writer_sources(writer, &sources) : ip_no_memory(64);

    if (status == IPOS_OK && (status = ip_store_begin(writer->store)) == IPOS_OK) {
        status = ip_store_end(writer->store, write_rows(writer, sources, made, &made_count));
        settle(writer->store, made, made_count, status);
    }
    if (status == IPOS_OK && (status = id_texts(made, made_count, ids)) == IPOS_OK)
        *count = made_count;
    ip_free(sources);
    ip_free(made);
    return status;
}

ipos_status ip_option_commit(ip_option_writer *writer, char ***ids, size_t *count)
{
    ipos_status status;

    *ids = NULL;
    *count = 0;
    /* A variant that was only described, or only drawn, still counts if it has pictures. */
    for (size_t i = 0; i < writer->count; i++) {
        if (!writer->variants[i].named)
            writer->variants[i].rank = 1 << 20;
        if (!writer->variants[i].named || !isfinite(writer->variants[i].score))
            writer->variants[i].score = -1;
    }
    if (writer->count == 0)
        status = ip_fail(IPOS_ERR_STATE, "options: the operation made nothing");
    else {
        qsort(writer->variants, writer->count, sizeof *writer->variants, by_rank);
        status = commit(writer, ids, count);
    }
    ip_option_writer_free(writer);
    return status;
}
