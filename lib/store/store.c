#include "catalogue.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

ipos_status ip_store_begin(ip_store *store)
{
    store->head_due = false;
    return ip_db_exec(store->db, "BEGIN IMMEDIATE");
}

ipos_status ip_store_end(ip_store *store, ipos_status status)
{
    if (status == IPOS_OK)
        status = ip_db_exec(store->db, "COMMIT");
    if (status != IPOS_OK) {
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
        store->head_due = false;
        return status;
    }
    if (!store->head_due)
        return IPOS_OK;
    store->head_due = false;
    /* The change is committed. A head file left behind is brought up by the next act; it never hides one. */
    (void)ip_ledger_head_write(store);
    return IPOS_OK;
}

ipos_status ip_meta_get(ip_store *store, const char *key, char **value)
{
    sqlite3_stmt *row;
    ipos_status status = ip_db_first(store->db, &row, "SELECT value FROM meta WHERE key=?", "t", key);

    *value = NULL;
    if (status == IPOS_ERR_NOT_FOUND)
        return IPOS_OK;
    if (status != IPOS_OK)
        return status;
    *value = ip_strdup(ip_db_text(row, 0));
    sqlite3_finalize(row);
    return *value ? IPOS_OK : ip_no_memory(64);
}

ipos_status ip_meta_set(ip_store *store, const char *key, const char *value)
{
    return ip_db_run(store->db, "INSERT INTO meta(key, value) VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value=?2", "tt",
        key, value);
}

static ipos_status random_id(char id[33])
{
    unsigned char bytes[16];
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);

    if (fd >= 0)
        close(fd);
    if (got != (ssize_t)sizeof bytes)
        return ip_fail(IPOS_ERR_IO, "/dev/urandom: cannot be read: %s", strerror(errno));
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(id + 2 * i, 3, "%02x", bytes[i]);
    return IPOS_OK;
}

static bool folder_empty(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    bool empty = true;

    while (folder && empty && (entry = readdir(folder)))
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    if (folder)
        closedir(folder);
    return empty;
}

static ipos_status make_folders(const char *folder)
{
    static const char *const names[] = {"models", "options", "tmp"};

    for (size_t i = 0; i < IP_COUNT(names); i++) {
        char *path = ip_path_join(folder, names[i]);
        ipos_status status = path ? ip_make_folders(path) : ip_no_memory(64);
        ip_free(path);
        IP_TRY(status);
    }
    return IPOS_OK;
}

static ip_store *store_new(const char *folder, const ip_io_env *env)
{
    ip_store *store = ip_calloc(1, sizeof *store);

    if (!store)
        return NULL;
    store->folder = ip_path_absolute(folder);
    if (env)
        store->env = *env;
    if (env && env->ffmpeg_path) {
        store->ffmpeg = ip_strdup(env->ffmpeg_path);
        store->env.ffmpeg_path = store->ffmpeg;
    }
    if (!store->folder || (env && env->ffmpeg_path && !store->ffmpeg)) {
        ip_store_close(store);
        return NULL;
    }
    return store;
}

void ip_store_close(ip_store *store)
{
    if (!store)
        return;
    ip_open_clip_reset(store);
    sqlite3_close(store->db);
    ip_free(store->folder);
    ip_free(store->title);
    ip_free(store->ffmpeg);
    ip_free(store);
}

/* The catalogue with its first rows, in one transaction: it exists whole or not at all. */
static ipos_status create_catalogue(ip_store *store, const char *title, const char *path)
{
    const char *name = strrchr(store->folder, '/');
    char when[32];
    int from;
    json_t *details;

    IP_TRY(random_id(store->id));
    IP_TRY(ip_db_open(path, true, &store->db));
    IP_TRY(ip_db_migrate(store->db, path, ip_schema, ip_schema_count, &from));
    store->title = ip_strdup(title && *title ? title : name && name[1] ? name + 1 : "project");
    if (!store->title)
        return ip_no_memory(64);
    ip_utc_text(when);
    details = json_pack("{s:s, s:s}", "project", store->id, "title", store->title);
    if (!details)
        return ip_fail(IPOS_ERR_ARGUMENT, "title: not valid UTF-8");
    ipos_status status = ip_store_begin(store);
    if (status == IPOS_OK)
        status = ip_meta_set(store, "id", store->id);
    if (status == IPOS_OK)
        status = ip_meta_set(store, "title", store->title);
    if (status == IPOS_OK)
        status = ip_meta_set(store, "created", when);
    if (status != IPOS_OK) {
        json_decref(details);
        return ip_store_end(store, status);
    }
    return ip_store_end(store, ip_ledger_add(store, "create", NULL, details));
}

ipos_status ip_store_create(const char *folder, const char *title, const ip_io_env *env, ip_store **out)
{
    ip_store *store;
    char *path = NULL;
    struct stat st;
    ipos_status status;

    *out = NULL;
    if (!folder || !*folder)
        return ip_fail(IPOS_ERR_ARGUMENT, "project folder: a path is required");
    store = store_new(folder, env);
    if (!store)
        return ip_no_memory(sizeof *store);
    if (lstat(store->folder, &st) == 0 && (!S_ISDIR(st.st_mode) || !folder_empty(store->folder)))
        status = ip_fail(IPOS_ERR_CONFLICT, "%s: exists and is not an empty folder: give a new one, or open it if it is a project", store->folder);
    else
        status = make_folders(store->folder);
    if (status == IPOS_OK) {
        path = ip_path_join(store->folder, "interpos.sqlite");
        status = path ? create_catalogue(store, title, path) : ip_no_memory(64);
        ip_free(path);
    }
    if (status != IPOS_OK) {
        ip_store_close(store);
        return status;
    }
    *out = store;
    return IPOS_OK;
}

static ipos_status open_catalogue(ip_store *store)
{
    char *path = ip_path_join(store->folder, "interpos.sqlite");
    char *id = NULL;
    sqlite3_stmt *row = NULL;
    int from = 0;
    ipos_status status = path ? ip_db_open(path, false, &store->db) : ip_no_memory(64);

    if (status == IPOS_OK)
        status = ip_db_first(store->db, &row, "PRAGMA application_id", "");
    if (status == IPOS_OK && sqlite3_column_int64(row, 0) != IP_APPLICATION_ID)
        status = ip_fail(IPOS_ERR_FORMAT, "%s: no interpos catalogue (or its making was interrupted: remove the folder and create it again)", path);
    sqlite3_finalize(row);
    if (status == IPOS_OK)
        status = ip_db_migrate(store->db, path, ip_schema, ip_schema_count, &from);
    if (status == IPOS_OK)
        status = ip_meta_get(store, "id", &id);
    if (status == IPOS_OK)
        status = ip_meta_get(store, "title", &store->title);
    if (status == IPOS_OK && (!id || strlen(id) != 32 || !store->title))
        status = ip_fail(IPOS_ERR_FORMAT, "%s: has no project id: its making was interrupted, remove the folder and create it again", path);
    if (status == IPOS_OK)
        memcpy(store->id, id, sizeof store->id);
    ip_free(id);
    ip_free(path);
    return status;
}

ipos_status ip_store_open(const char *folder, const ip_io_env *env, ip_store **out)
{
    ip_store *store;
    ipos_status status;

    *out = NULL;
    if (!folder || !*folder)
        return ip_fail(IPOS_ERR_ARGUMENT, "project folder: a path is required");
    store = store_new(folder, env);
    if (!store)
        return ip_no_memory(sizeof *store);
    status = open_catalogue(store);
    if (status == IPOS_OK)
        status = make_folders(store->folder);
    if (status == IPOS_OK)
        status = ip_scratch_clean(store);
    if (status != IPOS_OK) {
        ip_store_close(store);
        return status;
    }
    *out = store;
    return IPOS_OK;
}

const char *ip_store_folder(const ip_store *store)
{
    return store->folder;
}

const char *ip_store_id(const ip_store *store)
{
    return store->id;
}

ipos_status ip_store_info_json(ip_store *store, char **json)
{
    sqlite3_stmt *row;
    json_t *info;

    *json = NULL;
    IP_TRY(ip_db_first(store->db, &row,
        "SELECT (SELECT COUNT(*) FROM clips), (SELECT TOTAL(frames) FROM clips), (SELECT COUNT(DISTINCT name) FROM models),"
        " (SELECT COUNT(*) FROM options), (SELECT value FROM meta WHERE key='created')", ""));
    info = json_pack("{s:s, s:s, s:s, s:i, s:I, s:I, s:I, s:I, s:s}", "id", store->id, "title", store->title, "folder",
        store->folder,
        "schema", ip_schema[ip_schema_count - 1].version, "clips", (json_int_t)sqlite3_column_int64(row, 0), "frames",
        (json_int_t)sqlite3_column_int64(row, 1), "models", (json_int_t)sqlite3_column_int64(row, 2), "options",
        (json_int_t)sqlite3_column_int64(row, 3), "created", ip_db_text(row, 4));
    sqlite3_finalize(row);
    return ip_doc_give(info, json);
}
