/* Checkpoints and the list of models. A checkpoint is one file, so that settings and weights never part:
 * "IPCKPT1\n", u64 little-endian length of the settings, the settings (JSON), the state, SHA-256 of all before as 64 hex digits. */
#include "catalogue.h"
#include <dirent.h>
#include <math.h>
#include <time.h>

#define MAGIC "IPCKPT1\n"
#define HEAD 16

static char *checkpoint_path(ip_store *store, const char *name)
{
    return ip_format("%s/models/%s.checkpoint", store->folder, name);
}

ipos_status ip_store_checkpoint_save(ip_store *store, const char *name, const char *settings_json, const void *bytes, size_t size)
{
    size_t length = strlen(settings_json ? settings_json : "{}"), total = HEAD + length + size + 64;
    char *path, hash[65];
    uint8_t *file;
    ipos_status status;

    if (!name || !ip_name_ok(name))
        return ip_fail(IPOS_ERR_ARGUMENT, "model name \"%s\": expected letters, digits, '.', '_', '-'", name ? name : "");
    file = ip_alloc(total);
    path = checkpoint_path(store, name);
    if (!file || !path) {
        ip_free(file);
        ip_free(path);
        return ip_no_memory(total);
    }
    memcpy(file, MAGIC, 8);
    for (int i = 0; i < 8; i++)
        file[8 + i] = (uint8_t)((uint64_t)length >> (8 * i));
    memcpy(file + HEAD, settings_json ? settings_json : "{}", length);
    if (size)
        memcpy(file + HEAD + length, bytes, size);
    if (!ip_sha256_of(file, total - 64, hash)) {
        status = ip_fail(IPOS_ERR_UNKNOWN, "%s: hashing failed", path);
    } else {
        memcpy(file + total - 64, hash, 64);
        status = ip_file_write(path, file, total);
    }
    ip_free(path);
    ip_free(file);
    return status;
}

/* Offsets of a whole checkpoint; false if it is not one. */
static bool check(const uint8_t *file, size_t total, size_t *length)
{
    uint64_t n = 0;
    char hash[65];

    if (total < HEAD + 64 || memcmp(file, MAGIC, 8) != 0)
        return false;
    for (int i = 7; i >= 0; i--)
        n = n << 8 | file[8 + i];
    *length = (size_t)n;
    return n <= total - HEAD - 64 && ip_sha256_of(file, total - 64, hash) && memcmp(hash, file + total - 64, 64) == 0;
}

ipos_status ip_store_checkpoint_load(ip_store *store, const char *name, char **settings_json, void **bytes, size_t *size)
{
    char *path;
    void *file = NULL;
    size_t total = 0, length = 0;
    ip_stamp stamp;
    ipos_status status;

    *settings_json = NULL;
    *bytes = NULL;
    *size = 0;
    if (!name || !ip_name_ok(name))
        return ip_fail(IPOS_ERR_NOT_FOUND, "model \"%s\": has no checkpoint", name ? name : "");
    path = checkpoint_path(store, name);
    status = path ? ip_read_stamped(path, &file, &total, &stamp) : ip_no_memory(256);
    if (status == IPOS_ERR_NOT_FOUND)
        ip_fail(status, "model \"%s\": has no checkpoint to go on from", name);
    if (status == IPOS_OK && !check(file, total, &length))
        status = ip_fail(IPOS_ERR_FORMAT, "%s: the checkpoint is damaged: remove it and train from the start", path);
    if (status == IPOS_OK) {
        *size = total - HEAD - 64 - length;
        *settings_json = ip_format("%.*s", (int)length, (char *)file + HEAD);
        *bytes = ip_alloc(IP_MAX(*size, 1));
        if (*bytes)
            memcpy(*bytes, (uint8_t *)file + HEAD + length, *size);
        if (!*bytes || !*settings_json) {
            ip_free(*bytes);
            ip_free(*settings_json);
            *bytes = *settings_json = NULL;
            status = ip_no_memory(total);
        }
    }
    ip_free(file);
    ip_free(path);
    return status;
}

static ipos_status list_ready(ip_store *store, json_t *list)
{
    sqlite3_stmt *rows;
    bool row = false;
    ipos_status status = ip_db_prepare(store->db, &rows,
        "SELECT m.name, m.operation, m.created, m.gain, m.version, m.sha256, m.clips FROM models m"
        " WHERE m.version=(SELECT MAX(version) FROM models WHERE name=m.name) ORDER BY m.id", "");

    while (status == IPOS_OK && (status = ip_db_step(rows, &row)) == IPOS_OK && row) {
        json_t *clips = json_loads(ip_db_text(rows, 6), 0, NULL);
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:o, s:I, s:s, s:o}", "name", ip_db_text(rows, 0), "operation",
            ip_db_text(rows, 1), "state", "ready", "created", ip_db_text(rows, 2), "gain",
            sqlite3_column_type(rows, 3) == SQLITE_NULL
                ? json_null() : json_real(sqlite3_column_double(rows, 3)), "version", (json_int_t)sqlite3_column_int64(rows, 4),
                "sha256",
            ip_db_text(rows, 5), "clips", clips ? clips : json_null()));
    }
    sqlite3_finalize(rows);
    return status;
}

/* A checkpoint is an unfinished model unless a finished one has its name: then that stands for both. */
static ipos_status list_unfinished(ip_store *store, const char *name, json_t *list)
{
    char *settings, *path, when[32] = "";
    void *bytes;
    size_t size, i;
    struct stat st;
    struct tm utc;
    json_t *item, *parsed;

    json_array_foreach(list, i, item)
        if (strcmp(json_string_value(json_object_get(item, "name")), name) == 0)
            return IPOS_OK;
    ipos_status status = ip_store_checkpoint_load(store, name, &settings, &bytes, &size);
    if (status != IPOS_OK)
        return status == IPOS_ERR_NO_MEMORY ? status : IPOS_OK; /* damaged: training says so when it is asked to go on */
    path = checkpoint_path(store, name);
    if (path && stat(path, &st) == 0 && gmtime_r(&st.st_mtim.tv_sec, &utc))
        strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
    parsed = json_loads(settings, 0, NULL);
    const char *operation = json_string_value(json_object_get(parsed, "operation"));
    json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:n}", "name", name, "operation", operation ? operation : "", "state",
        "unfinished", "created", when, "gain"));
    json_decref(parsed);
    ip_free(path);
    ip_free(settings);
    ip_free(bytes);
    return IPOS_OK;
}

ipos_status ip_store_models_json(ip_store *store, char **json)
{
    json_t *list = json_array();
    char *path = ip_path_join(store->folder, "models");
    ipos_status status = path ? list_ready(store, list) : ip_no_memory(256);
    DIR *folder = status == IPOS_OK ? opendir(path) : NULL;
    struct dirent *entry;

    *json = NULL;
    while (folder && status == IPOS_OK && (entry = readdir(folder))) {
        size_t length = strlen(entry->d_name);
        char name[112];
        if (length <= 11 || length >= sizeof name + 11 || strcmp(entry->d_name + length - 11, ".checkpoint") != 0)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)(length - 11), entry->d_name);
        if (ip_name_ok(name))
            status = list_unfinished(store, name, list);
    }
    if (folder)
        closedir(folder);
    ip_free(path);
    if (status == IPOS_OK)
        return ip_doc_give(list, json);
    json_decref(list);
    return status;
}
