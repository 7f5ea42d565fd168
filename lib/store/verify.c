#include "verify.h"

void ip_verify_problem(ip_verify *verify, const char *format, ...)
{
    char text[1024];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    json_t *value = json_string(text);
    json_array_append_new(verify->problems, value ? value : json_string("a damaged text (not UTF-8) in the catalogue"));
}

static void check_act(ip_verify *verify, sqlite3_stmt *row, const char *previous, char hash[65])
{
    int64_t seq = sqlite3_column_int64(row, 0);
    const char *by = (const char *)sqlite3_column_text(row, 3), *text = ip_db_text(row, 4);
    json_t *details = json_loads(text, 0, NULL);
    char *canonical = ip_doc_text(details);

    hash[0] = 0;
    if (seq != verify->acts)
        ip_verify_problem(verify, "ledger: act %lld stands where %lld was expected: acts were removed or put in", (long long)seq,
            (long long)verify->acts);
    if (!details || !canonical || strcmp(canonical, text) != 0)
        ip_verify_problem(verify, "ledger: act %lld: its details were altered", (long long)seq);
    else if (!ip_ledger_hash(seq, ip_db_text(row, 1), ip_db_text(row, 2), by, details, ip_db_text(row, 5), hash) ||
             strcmp(hash, ip_db_text(row, 6)) != 0)
        ip_verify_problem(verify, "ledger: act %lld (%s): does not match its hash: it was altered", (long long)seq,
            ip_db_text(row, 2));
    if (strcmp(ip_db_text(row, 5), previous) != 0)
        ip_verify_problem(verify, "ledger: act %lld does not follow the act before it: acts were altered, removed or reordered",
            (long long)seq);
    if (details)
        ip_verify_replay(verify, ip_db_text(row, 2), by, details);
    snprintf(hash, 65, "%s", ip_db_text(row, 6));
    ip_free(canonical);
    json_decref(details);
}

/* The newest act against both notes of it. */
static ipos_status check_head(ip_verify *verify, const char *last)
{
    ip_store *store = verify->store;
    char *count = NULL, *hash = NULL, *path = ip_ledger_head_path(store), found[65] = "";
    void *bytes = NULL;
    size_t size = 0;
    int64_t number = 0;
    sqlite3_stmt *row;
    ipos_status status = path ? ip_meta_get(store, "ledger_count", &count) : ip_no_memory(256);

    if (status == IPOS_OK)
        status = ip_meta_get(store, "ledger_hash", &hash);
    if (status == IPOS_OK && (!count || !hash || !ip_parse_int(count, &number) || number != verify->acts || strcmp(hash, last) != 0))
        ip_verify_problem(verify, "ledger: has %lld acts, the catalogue noted %s: acts were cut off or added",
            (long long)verify->acts,
            count ? count : "nothing");
    if (status == IPOS_OK && ip_file_read(path, 4096, &bytes, &size) != IPOS_OK) {
        ip_verify_problem(verify, "ledger.head: missing: without it a cut-off ledger cannot be told");
    } else if (status == IPOS_OK) {
        json_t *head = json_loadb(bytes, size, 0, NULL);
        const char *said = json_string_value(json_object_get(head, "hash")), *project = json_string_value(json_object_get(head, "project"));
        number = json_integer_value(json_object_get(head, "count"));
        /* Being behind is what a crash between commit and writing the file leaves; then its act must be in the chain. */
        if (ip_db_first(store->db, &row, "SELECT hash FROM ledger WHERE seq=?", "i", number) == IPOS_OK) {
            snprintf(found, sizeof found, "%s", ip_db_text(row, 0));
            sqlite3_finalize(row);
        }
        if (!said || !project || strcmp(project, store->id) != 0 || strcmp(said, found) != 0 || number > verify->acts)
            ip_verify_problem(verify, "ledger.head: speaks of act %lld, which the ledger does not have like that: acts were cut off or altered",
                (long long)number);
        json_decref(head);
    }
    ip_free(bytes);
    ip_free(count);
    ip_free(hash);
    ip_free(path);
    return status;
}

ipos_status ip_verify_chain(ip_verify *verify)
{
    sqlite3_stmt *rows;
    bool row = false;
    char previous[65] = IP_LEDGER_START, hash[65];
    ipos_status status = ip_db_prepare(verify->store->db, &rows,
        "SELECT seq, whenever, act, by_whom, details, previous, hash FROM ledger ORDER BY seq", "");

    while (status == IPOS_OK && (status = ip_db_step(rows, &row)) == IPOS_OK && row) {
        verify->acts++;
        check_act(verify, rows, previous, hash);
        memcpy(previous, hash, sizeof previous);
    }
    sqlite3_finalize(rows);
    if (status == IPOS_OK && verify->acts == 0)
        ip_verify_problem(verify, "ledger: empty: even the act that made the project is gone");
    return status == IPOS_OK ? check_head(verify, previous) : status;
}

static ipos_status check_integrity(ip_verify *verify)
{
    sqlite3_stmt *row;

    IP_TRY(ip_db_first(verify->store->db, &row, "PRAGMA integrity_check(1)", ""));
    if (strcmp(ip_db_text(row, 0), "ok") != 0)
        ip_verify_problem(verify, "interpos.sqlite: damaged: %s", ip_db_text(row, 0));
    sqlite3_finalize(row);
    return IPOS_OK;
}

static json_t *report(const ip_verify *verify)
{
    return json_pack("{s:b, s:{s:I, s:I, s:I, s:I, s:I}, s:O}", "ok", json_array_size(verify->problems) == 0, "checked", "acts",
        (json_int_t)verify->acts, "rows", (json_int_t)verify->rows, "files", (json_int_t)verify->files, "frames",
        (json_int_t)verify->frames,
        "bytes", (json_int_t)verify->bytes, "problems", verify->problems);
}

ipos_status ip_store_verify(ip_store *store, bool footage, ipos_progress_fn progress, void *user, char **json)
{
    ip_verify verify = {.store = store, .problems = json_array(), .clips = json_object(), .options = json_object(),
        .models = json_object()};
    ipos_status status;

    *json = NULL;
    ip_progress_start(&verify.progress, progress, user, store->env.cancel, "verifying", store->title);
    /* One view of the catalogue throughout, whatever other processes write meanwhile. */
    status = ip_db_exec(store->db, "BEGIN");
    if (status == IPOS_OK) {
        status = check_integrity(&verify);
        if (status == IPOS_OK)
            status = ip_verify_chain(&verify);
        if (status == IPOS_OK)
            status = ip_verify_catalogue(&verify);
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    }
    if (status == IPOS_OK)
        status = ip_verify_files(&verify, footage);
    /* A catalogue too damaged to read is a finding, not a failure to look. */
    if (status == IPOS_ERR_FORMAT) {
        ip_verify_problem(&verify, "%s", ipos_last_error());
        status = IPOS_OK;
    }
    if (status == IPOS_OK)
        status = ip_doc_give(report(&verify), json);
    size_t count = json_array_size(verify.problems);
    if (status == IPOS_OK && count)
        status = ip_fail(IPOS_ERR_TAMPERED, "%s: %zu problem%s, first: %s", store->folder, count, count == 1 ? "" : "s",
            json_string_value(json_array_get(verify.problems, 0)));
    json_decref(verify.problems);
    json_decref(verify.clips);
    json_decref(verify.options);
    json_decref(verify.models);
    json_decref(verify.project);
    return status;
}
