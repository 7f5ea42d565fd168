/* Decisions on options, and drafts: results that left through a host. */
#include "catalogue.h"

static ipos_status decide_row(ip_store *store, int64_t id, bool accept, const char *by, const char *note)
{
    sqlite3_stmt *row;
    char when[32];
    json_t *details;
    ipos_status status = ip_db_first(store->db, &row, "SELECT state FROM options WHERE id=?", "i", id);

    if (status == IPOS_ERR_NOT_FOUND)
        return ip_fail(status, "option \"o%lld\": not in this project", (long long)id);
    if (status != IPOS_OK)
        return status;
    bool draft = strcmp(ip_db_text(row, 0), "draft") == 0;
    sqlite3_finalize(row);
    if (draft)
        return ip_fail(IPOS_ERR_STATE, "option \"o%lld\": is a draft handed to a host, its pictures are not here: nothing to decide", (long long)id);
    ip_utc_text(when);
    IP_TRY(ip_db_run(store->db, "UPDATE options SET state=?, decided_by=?, decided_note=?, decided_when=? WHERE id=?", "tttti",
        accept ? "accepted" : "rejected", by, note, when, id));
    char name[32];
    snprintf(name, sizeof name, "o%lld", (long long)id);
    details = json_pack("{s:s, s:s?, s:s}", "option", name, "note", note, "when", when);
    if (!details)
        return ip_fail(IPOS_ERR_ARGUMENT, "note: not valid UTF-8");
    return ip_ledger_add(store, accept ? "accept" : "reject", by, details);
}

ipos_status ip_store_decide(ip_store *store, const char *id, bool accept, const char *by, const char *note)
{
    int64_t number;

    if (!ip_option_id(id, &number))
        return ip_fail(IPOS_ERR_NOT_FOUND, "option \"%s\": not in this project", id ? id : "");
    if (!by || !*by)
        return ip_fail(IPOS_ERR_ARGUMENT, "option \"%s\": a decision needs the name of who makes it", id);
    IP_TRY(ip_store_begin(store));
    return ip_store_end(store, decide_row(store, number, accept, by, note));
}

/* What came with a draft, as one object; NULL texts become null. */
static ipos_status draft_details(const char *clip_json, const char *model_json, const char *results_json, json_t **out)
{
    json_t *clip = NULL, *model = NULL, *results = NULL;
    ipos_status status = ip_doc_parse(clip_json ? clip_json : "", "draft: clip", &clip);

    *out = NULL;
    if (status == IPOS_OK && !json_is_string(json_object_get(clip, "name")))
        status = ip_fail(IPOS_ERR_ARGUMENT, "draft: the clip needs a \"name\"");
    if (status == IPOS_OK && model_json)
        status = ip_doc_parse(model_json, "draft: model", &model);
    if (status == IPOS_OK)
        status = ip_doc_parse(results_json ? results_json : "[]", "draft: results", &results);
    if (status == IPOS_OK && !(*out = json_pack("{s:O, s:O?, s:O}", "host_clip", clip, "model", model, "results", results)))
        status = ip_no_memory(256);
    json_decref(clip);
    json_decref(model);
    json_decref(results);
    return status;
}

static ipos_status insert_draft(ip_store *store, const char *operation, const char *parameters, json_t *details, int64_t *id)
{
    json_t *model = json_object_get(details, "model"), *record;
    char when[32], *text = ip_doc_text(details);

    ip_utc_text(when);
    ipos_status status = text ? ip_db_run(store->db,
        "INSERT INTO options(request, operation, clip, frames, variant, title, rank, score, details, parameters, model, model_sha256,"
        " sources, created, state) VALUES((SELECT COALESCE(MAX(request), 0) + 1 FROM options),?,?,'','','handed to a host',0,-1,?,?,?,?,'[]',?,'draft')",
        "ttttttt", operation, json_string_value(json_object_get(json_object_get(details, "host_clip"), "name")), text, parameters,
        json_string_value(json_object_get(model, "name")), json_string_value(json_object_get(model, "sha256")),
        when) : ip_no_memory(256);
    ip_free(text);
    IP_TRY(status);
    *id = sqlite3_last_insert_rowid(store->db);
    IP_TRY(ip_option_record(store, *id, &record));
    return ip_ledger_add(store, "draft", NULL, record);
}

ipos_status ip_store_draft(ip_store *store, const char *operation, const char *clip_json, const char *parameters_json,
    const char *model_json, const char *results_json, char **id)
{
    json_t *details, *parameters;
    char *parameters_text = NULL;
    int64_t number = 0;

    *id = NULL;
    if (!operation || !ip_name_ok(operation))
        return ip_fail(IPOS_ERR_ARGUMENT, "draft: the operation's name is required");
    IP_TRY(draft_details(clip_json, model_json, results_json, &details));
    ipos_status status = ip_doc_parse(parameters_json ? parameters_json : "{}", "draft: parameters", &parameters);
    if (status == IPOS_OK)
        status = ip_doc_give(parameters, &parameters_text);
    if (status == IPOS_OK && (status = ip_store_begin(store)) == IPOS_OK)
        status = ip_store_end(store, insert_draft(store, operation, parameters_text, details, &number));
    if (status == IPOS_OK && !(*id = ip_format("o%lld", (long long)number)))
        status = ip_no_memory(32);
    ip_free(parameters_text);
    json_decref(details);
    return status;
}
