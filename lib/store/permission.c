/* What may be done with a clip, and what an operation gets to know of it. */
#include "catalogue.h"

ipos_status ip_store_set_training(ip_store *store, const char *clip, int32_t training, const char *by, const char *note)
{
    ip_clip_row row;
    ipos_status status;

    if (training != IPOS_TRAINING_ALLOWED && training != IPOS_TRAINING_DENIED)
        return ip_fail(IPOS_ERR_ARGUMENT, "clip \"%s\": training %d, expected allowed (%d) or denied (%d)", clip ? clip : "",
            (int)training,
            IPOS_TRAINING_ALLOWED, IPOS_TRAINING_DENIED);
    if (!by || !*by)
        return ip_fail(IPOS_ERR_ARGUMENT, "clip \"%s\": a change of permission needs the name of who makes it", clip ? clip : "");
    IP_TRY(ip_store_begin(store));
    status = ip_clip_load(store, clip, &row);
    if (status != IPOS_OK)
        return ip_store_end(store, status);
    json_t *details = json_pack("{s:s, s:s, s:s, s:s?}", "clip", row.name, "from", ip_training_name(row.training), "to",
        ip_training_name(training), "note", note);
    status = details ? ip_db_run(store->db, "UPDATE clips SET training=? WHERE id=?", "ii", (int64_t)training, row.id)
                     : ip_fail(IPOS_ERR_ARGUMENT, "note: not valid UTF-8");
    ip_clip_row_free(&row);
    if (status == IPOS_OK)
        status = ip_ledger_add(store, "training", by, details);
    else
        json_decref(details);
    return ip_store_end(store, status);
}

static bool allowed_operation(const char *operations, const char *operation)
{
    json_t *list = json_loads(operations, 0, NULL), *item;
    bool found = false;
    size_t i;

    json_array_foreach(list, i, item) {
        const char *name = json_string_value(item);
        found = found || (name && (strcmp(name, "*") == 0 || strcmp(name, operation) == 0));
    }
    json_decref(list);
    return found;
}

ipos_status ip_store_check_permission(ip_store *store, const char *clip, const char *operation, bool training)
{
    ip_clip_row row;
    ipos_status status = IPOS_OK;

    IP_TRY(ip_clip_load(store, clip, &row));
    if (strcmp(row.state, "ready") != 0)
        status = ip_fail(IPOS_ERR_STATE, "clip \"%s\": its ingest is not finished, run ingest again", row.name);
    else if (!allowed_operation(row.operations, operation))
        status = ip_fail(IPOS_ERR_PERMISSION, "clip \"%s\": operation \"%s\" is not among those its permission allows: %s",
            row.name, operation,
            row.operations);
    else if (training && row.training != IPOS_TRAINING_ALLOWED)
        status = ip_fail(IPOS_ERR_PERMISSION, "clip \"%s\": training is %s for this footage (owner: %s), leave it out", row.name,
            ip_training_name(row.training), row.owner);
    ip_clip_row_free(&row);
    return status;
}

ipos_status ip_store_trainable(ip_store *store, char **names)
{
    sqlite3_stmt *rows;
    bool row = false;
    ip_buffer list = {0};
    ipos_status status = ip_db_prepare(store->db, &rows, "SELECT name FROM clips WHERE training=? AND state='ready' ORDER BY id", "i",
        (int64_t)IPOS_TRAINING_ALLOWED);

    *names = NULL;
    while (status == IPOS_OK && (status = ip_db_step(rows, &row)) == IPOS_OK && row)
        ip_buffer_printf(&list, "%s%s", list.size ? "," : "", ip_db_text(rows, 0));
    sqlite3_finalize(rows);
    ip_buffer_add(&list, "", 1);
    if (status == IPOS_OK && !(*names = ip_buffer_take(&list)))
        status = ip_no_memory(list.size);
    if (status != IPOS_OK)
        ip_buffer_free(&list);
    return status;
}

static ipos_status numbers_of(const char *text, int64_t **out, size_t *count)
{
    json_t *list = json_loads(text, 0, NULL), *item;
    size_t i;

    *count = json_array_size(list);
    *out = *count ? ip_alloc(*count * sizeof **out) : NULL;
    if (*count && !*out) {
        json_decref(list);
        return ip_no_memory(*count * sizeof **out);
    }
    json_array_foreach(list, i, item)
        (*out)[i] = json_integer_value(item);
    json_decref(list);
    return IPOS_OK;
}

ipos_status ip_store_clip_get(ip_store *store, const char *name, ip_store_clip *out)
{
    ip_clip_row row;
    ipos_status status;

    memset(out, 0, sizeof *out);
    IP_TRY(ip_clip_load(store, name, &row));
    if (strcmp(row.state, "ready") != 0) {
        status = ip_fail(IPOS_ERR_STATE, "clip \"%s\": its ingest is not finished, run ingest again", row.name);
        ip_clip_row_free(&row);
        return status;
    }
    out->first = row.first;
    out->last = row.last;
    out->rate = row.rate;
    out->training = (int)row.training;
    status = numbers_of(row.cuts, &out->cuts, &out->cut_count);
    if (status == IPOS_OK)
        status = numbers_of(row.duplicates, &out->duplicates, &out->duplicate_count);
    if (status == IPOS_OK)
        status = numbers_of(row.missing, &out->missing, &out->missing_count);
    char **const from[] = {&row.name, &row.encoding, &row.owner, &row.licence, &row.path, &row.format};
    char **const to[] = {&out->name, &out->encoding, &out->owner, &out->licence, &out->path, &out->format};
    for (size_t i = 0; i < IP_COUNT(from); i++) {
        *to[i] = *from[i];
        *from[i] = NULL;
    }
    ip_clip_row_free(&row);
    if (status != IPOS_OK)
        ip_store_clip_free(out);
    return status;
}

void ip_store_clip_free(ip_store_clip *clip)
{
    ip_free(clip->name);
    ip_free(clip->encoding);
    ip_free(clip->owner);
    ip_free(clip->licence);
    ip_free(clip->path);
    ip_free(clip->format);
    ip_free(clip->cuts);
    ip_free(clip->duplicates);
    ip_free(clip->missing);
    memset(clip, 0, sizeof *clip);
}
