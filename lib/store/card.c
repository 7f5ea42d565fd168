#include "card.h"
#include <interpos/version.h>

static ipos_status input_frames(ip_store *store, int64_t clip, json_t **out)
{
    sqlite3_stmt *rows;
    bool row = false;
    ipos_status status = ip_db_prepare(store->db, &rows, "SELECT number, lower(hex(sha256)) FROM frames WHERE clip=? ORDER BY number", "i", clip);

    *out = json_array();
    while (status == IPOS_OK && (status = ip_db_step(rows, &row)) == IPOS_OK && row)
        json_array_append_new(*out, json_pack("{s:I, s:s}", "number", (json_int_t)sqlite3_column_int64(rows, 0), "sha256", ip_db_text(rows, 1)));
    sqlite3_finalize(rows);
    return status;
}

static ipos_status add_input(ip_store *store, const char *clip, const char *operation, json_t *inputs)
{
    ip_clip_row row;
    json_t *frames = NULL, *input;

    /* Asked again here: permission may have been withdrawn while the training ran. */
    IP_TRY(ip_store_check_permission(store, clip, operation, true));
    IP_TRY(ip_clip_load(store, clip, &row));
    ipos_status status = input_frames(store, row.id, &frames);
    if (status == IPOS_OK) {
        input = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:O}", "clip", row.name, "training",
            ip_training_name(row.training), "licence",
            row.licence, "owner", row.owner, "permission_source", ip_doc_text_or_null(row.permission_source), "file_sha256",
            ip_doc_text_or_null(row.file_sha256), "consents", json_loads(row.consents, 0, NULL), "frames", frames);
        if (json_array_append_new(inputs, input) != 0)
            status = ip_no_memory(1024);
    }
    json_decref(frames);
    ip_clip_row_free(&row);
    return status;
}

static json_t *first_of(json_t *a, json_t *b, const char *key, json_t *fallback)
{
    json_t *value = json_object_get(a, key);

    if (!value || json_is_null(value))
        value = json_object_get(b, key);
    if (!value || json_is_null(value))
        return fallback;
    json_decref(fallback);
    return json_incref(value);
}

/* Everything the training was told and reported, the report's own settings winning. */
static json_t *merged(json_t *settings, json_t *measured)
{
    json_t *all = settings ? json_deep_copy(settings) : json_object();

    json_object_del(all, "look"); /* has a place of its own on the card */
    if (json_is_object(json_object_get(measured, "settings")))
        json_object_update(all, json_object_get(measured, "settings"));
    return all;
}

static json_t *versions_of(json_t *settings, json_t *measured)
{
    char version[32];

    snprintf(version, sizeof version, "%d.%d.%d", IPOS_VERSION_MAJOR, IPOS_VERSION_MINOR, IPOS_VERSION_PATCH);
    json_t *own = json_pack("{s:s, s:s}", "interpos", version, "sqlite", sqlite3_libversion());
    json_t *told[] = {json_object_get(settings, "versions"), json_object_get(measured, "versions")};

    for (size_t i = 0; i < IP_COUNT(told); i++)
        if (json_is_object(told[i]))
            json_object_update(own, told[i]);
    return own;
}

static json_t *assemble(ip_store *store, const ip_card_source *source, json_t *settings, json_t *measured, json_t *inputs)
{
    char finished[32];

    ip_utc_text(finished);
    return json_pack("{s:s, s:s, s:o, s:s, s:s, s:O, s:o, s:o, s:o, s:o, s:o, s:n, s:o, s:o, s:o, s:o, s:o, s:s, s:o}", "name",
        source->name, "operation",
        source->operation, "architecture", first_of(measured, settings, "architecture", json_string("")), "project", store->id,
        "project_title", store->title, "inputs", inputs, "held_out", first_of(measured, settings, "held_out", json_array()),
        "settings",
        merged(settings, measured), "seed", first_of(measured, settings, "seed", json_null()), "steps",
        first_of(measured, settings, "steps", json_null()), "versions", versions_of(settings, measured), "base_weights", "score",
        first_of(measured, settings, "score", json_object()), "seconds", first_of(measured, settings, "seconds", json_null()),
        "training",
        first_of(measured, NULL, "training", json_null()), "look", first_of(settings, NULL, "look", json_null()), "started",
        source->started ? json_string(source->started) : json_null(), "finished", finished, "operator",
        first_of(settings, measured, "operator", json_null()));
}

ipos_status ip_card_make(ip_store *store, const ip_card_source *source, json_t **card)
{
    json_t *settings = NULL, *measured = NULL, *clips = ip_doc_split(source->clips), *inputs = json_array(), *clip;
    size_t i;
    ipos_status status = ip_doc_parse(source->settings && *source->settings ? source->settings : "{}", "model settings", &settings);

    *card = NULL;
    if (status == IPOS_OK)
        status = ip_doc_parse(source->measured && *source->measured ? source->measured : "{}", "what training measured", &measured);
    if (status == IPOS_OK && json_array_size(clips) == 0)
        status = ip_fail(IPOS_ERR_ARGUMENT, "model \"%s\": the clips it was trained on must be named", source->name);
    json_array_foreach(clips, i, clip)
        if (status == IPOS_OK)
            status = add_input(store, json_string_value(clip), source->operation, inputs);
    if (status == IPOS_OK && !(*card = assemble(store, source, settings, measured, inputs)))
        status = ip_fail(IPOS_ERR_FORMAT, "model \"%s\": its card cannot be put together from what training reported",
            source->name);
    json_decref(inputs);
    json_decref(clips);
    json_decref(settings);
    json_decref(measured);
    return status;
}
