/* The chain of acts. hash = SHA-256 of the act's canonical JSON, which names the act before it. The count and hash of the
 * newest act stand in meta and in ledger.head as well, so that cutting off the tail shows. */
#include "catalogue.h"
#include <errno.h>
#include <unistd.h>

char *ip_doc_text(const json_t *value)
{
    char *text = value ? json_dumps(value, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    char *copy = text ? ip_strdup(text) : NULL;

    free(text);
    return copy;
}

bool ip_ledger_hash(int64_t seq, const char *when, const char *act, const char *by, json_t *details, const char *previous,
    char hex[65])
{
    json_t *entry = json_pack("{s:I, s:s, s:s, s:s?, s:O, s:s}", "seq", (json_int_t)seq, "when", when, "act", act, "by", by,
        "details",
        details, "previous", previous);
    char *text = ip_doc_text(entry);
    bool ok = text && ip_sha256_of(text, strlen(text), hex);

    ip_free(text);
    json_decref(entry);
    return ok;
}

char *ip_ledger_head_path(ip_store *store)
{
    return ip_path_join(store->folder, "ledger.head");
}

/* count and hash of the newest act as meta says. */
static ipos_status head_of(ip_store *store, int64_t *count, char hash[65])
{
    char *text = NULL, *value = NULL;
    ipos_status status = ip_meta_get(store, "ledger_count", &text);

    *count = 0;
    if (status == IPOS_OK)
        status = ip_meta_get(store, "ledger_hash", &value);
    if (status == IPOS_OK && text && (!ip_parse_int(text, count) || !value || strlen(value) != 64))
        status = ip_fail(IPOS_ERR_TAMPERED, "%s: the catalogue's note of the newest act is damaged", store->folder);
    snprintf(hash, 65, "%s", value ? value : IP_LEDGER_START);
    ip_free(text);
    ip_free(value);
    return status;
}

/* Compares ledger.head with the chain. *missing: there is no such file. IPOS_ERR_TAMPERED if it speaks of acts the chain
 * does not have. Being behind is no fault: a crash between commit and writing the file leaves it so. */
static ipos_status head_check(ip_store *store, bool *missing)
{
    char *path = ip_ledger_head_path(store);
    void *bytes = NULL;
    size_t size = 0;
    json_t *head = NULL;
    sqlite3_stmt *row = NULL;
    ipos_status status = IPOS_OK;

    *missing = false;
    if (!path)
        return ip_no_memory(64);
    if (access(path, F_OK) != 0) {
        *missing = true;
        ip_free(path);
        return IPOS_OK;
    }
    status = ip_file_read(path, 4096, &bytes, &size);
    if (status == IPOS_OK) {
        head = json_loadb(bytes, size, 0, NULL);
        int64_t count = json_integer_value(json_object_get(head, "count"));
        const char *hash = json_string_value(json_object_get(head, "hash"));
        const char *project = json_string_value(json_object_get(head, "project"));
        if (!hash || !project || count < 1)
            status = ip_fail(IPOS_ERR_TAMPERED, "%s: damaged, restore it from a backup", path);
        else if (strcmp(project, store->id) != 0)
            status = ip_fail(IPOS_ERR_TAMPERED, "%s: belongs to another project (%s)", path, project);
        else
            status = ip_db_first(store->db, &row, "SELECT hash FROM ledger WHERE seq=?", "i", count);
        if (status == IPOS_ERR_NOT_FOUND)
            status = ip_fail(IPOS_ERR_TAMPERED, "%s: knows %lld acts, the catalogue has fewer: acts were cut off or an old catalogue put"
                                                " back; restore the newer interpos.sqlite", path, (long long)count);
        else if (status == IPOS_OK && strcmp(ip_db_text(row, 0), hash) != 0)
            status = ip_fail(IPOS_ERR_TAMPERED, "%s: act %lld differs from the catalogue's: the ledger was altered", path,
                (long long)count);
    }
    sqlite3_finalize(row);
    json_decref(head);
    ip_free(bytes);
    ip_free(path);
    return status;
}

ipos_status ip_ledger_head_write(ip_store *store)
{
    int64_t count;
    char hash[65];
    char *path = NULL, *text = NULL;
    bool missing;
    int fd;
    ipos_status status = ip_lock_take(store, "head.lock", true, &fd);

    /* Under the lock the newest state is read again, so that two processes cannot put the older one last. */
    if (status == IPOS_OK)
        status = head_check(store, &missing);
    if (status == IPOS_OK)
        status = head_of(store, &count, hash);
    if (status == IPOS_OK) {
        path = ip_ledger_head_path(store);
        text = ip_format("{\"count\":%lld,\"hash\":\"%s\",\"project\":\"%s\"}\n", (long long)count, hash, store->id);
        status = path && text ? ip_file_write(path, text, strlen(text)) : ip_no_memory(256);
    }
    ip_free(path);
    ip_free(text);
    ip_lock_drop(fd);
    return status;
}

static ipos_status add_row(ip_store *store, const char *act, const char *by, json_t *details)
{
    int64_t seq;
    char previous[65], hash[65], when[32], number[32];
    char *text = NULL;
    ipos_status status = head_of(store, &seq, previous);

    if (status != IPOS_OK)
        return status;
    seq++;
    ip_utc_text(when);
    text = ip_doc_text(details);
    if (!text || !ip_ledger_hash(seq, when, act, by, details, previous, hash)) {
        ip_free(text);
        return ip_no_memory(1024);
    }
    status = ip_db_run(store->db, "INSERT INTO ledger(seq, whenever, act, by_whom, details, previous, hash) VALUES(?,?,?,?,?,?,?)",
        "ittttt" "t", seq, when, act, by, text, previous, hash);
    ip_free(text);
    snprintf(number, sizeof number, "%lld", (long long)seq);
    if (status == IPOS_OK)
        status = ip_meta_set(store, "ledger_count", number);
    if (status == IPOS_OK)
        status = ip_meta_set(store, "ledger_hash", hash);
    return status;
}

ipos_status ip_ledger_add(ip_store *store, const char *act, const char *by, json_t *details)
{
    bool missing;
    int64_t count;
    char hash[65];
    ipos_status status = json_is_object(details) ? head_check(store, &missing)
                                                 : ip_fail(IPOS_ERR_ARGUMENT, "ledger: details of \"%s\" must be a JSON object",
                                                     act);

    /* A lost ledger.head is replaced, but not silently. */
    if (status == IPOS_OK && missing && !store->head_due) {
        status = head_of(store, &count, hash);
        if (status == IPOS_OK && count > 0) {
            json_t *lost = json_pack("{s:I, s:s}", "count", (json_int_t)count, "hash", hash);
            status = lost ? add_row(store, "head-missing", NULL, lost) : ip_no_memory(128);
            json_decref(lost);
        }
    }
    if (status == IPOS_OK)
        status = add_row(store, act, by, details);
    if (status == IPOS_OK)
        store->head_due = true;
    json_decref(details);
    return status;
}

ipos_status ip_ledger_append(ip_store *store, const char *act, const char *by, const char *details_json)
{
    json_t *details;

    if (!act || !ip_name_ok(act))
        return ip_fail(IPOS_ERR_ARGUMENT, "ledger: an act needs a name of letters, digits, '.', '_', '-'");
    IP_TRY(ip_doc_parse(details_json ? details_json : "{}", "details of a ledger entry", &details));
    ipos_status status = ip_store_begin(store);
    if (status != IPOS_OK) {
        json_decref(details);
        return status;
    }
    return ip_store_end(store, ip_ledger_add(store, act, by, details));
}

ipos_status ip_ledger_json(ip_store *store, char **json)
{
    sqlite3_stmt *rows;
    bool row = false;
    json_t *list = json_array();

    *json = NULL;
    ipos_status status = list ? ip_db_prepare(store->db, &rows,
        "SELECT seq, whenever, act, by_whom, details, previous, hash FROM ledger ORDER BY seq", "") : ip_no_memory(64);
    if (status != IPOS_OK) {
        json_decref(list);
        return status;
    }
    while ((status = ip_db_step(rows, &row)) == IPOS_OK && row) {
        json_t *details = json_loads(ip_db_text(rows, 4), 0, NULL);
        json_t *entry = json_pack("{s:I, s:s, s:s, s:s?, s:o, s:s, s:s}", "seq", (json_int_t)sqlite3_column_int64(rows, 0), "when",
            ip_db_text(rows, 1), "act", ip_db_text(rows, 2), "by", (const char *)sqlite3_column_text(rows, 3), "details",
            details ? details : json_string("damaged"), "previous", ip_db_text(rows, 5), "hash", ip_db_text(rows, 6));
        if (!entry || json_array_append_new(list, entry) != 0) {
            status = ip_fail(IPOS_ERR_TAMPERED, "%s: act %lld is not text, run verify", store->folder,
                (long long)sqlite3_column_int64(rows, 0));
            break;
        }
    }
    sqlite3_finalize(rows);
    if (status == IPOS_OK)
        return ip_doc_give(list, json);
    json_decref(list);
    return status;
}
