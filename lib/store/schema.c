/* The catalogue's tables, as an ordered list of steps: append, never edit. */
#include "db.h"
#include <unistd.h>

const ip_migration ip_schema[] = {
    {1,
     "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
     "CREATE TABLE clips("
     " id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, state TEXT NOT NULL, path TEXT NOT NULL, source TEXT NOT NULL,"
     " kind TEXT NOT NULL, format TEXT NOT NULL, codec TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
     " frames INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL, sample_type INTEGER NOT NULL, bits INTEGER NOT NULL,"
     " rate_num INTEGER NOT NULL, rate_den INTEGER NOT NULL, encoding TEXT NOT NULL, owner TEXT NOT NULL, licence TEXT NOT NULL,"
     " training INTEGER NOT NULL, permission_source TEXT, operations TEXT NOT NULL, consents TEXT NOT NULL, tags TEXT NOT NULL,"
     " timecode TEXT, movie_first INTEGER NOT NULL, copied INTEGER NOT NULL, duplicate_check INTEGER NOT NULL,"
     " file_size INTEGER NOT NULL, file_mtime INTEGER NOT NULL, file_inode INTEGER NOT NULL, file_sha256 TEXT,"
     " cuts TEXT NOT NULL, duplicates TEXT NOT NULL, missing TEXT NOT NULL, digest TEXT, created TEXT NOT NULL);"
     "CREATE TABLE frames("
     " clip INTEGER NOT NULL REFERENCES clips(id), number INTEGER NOT NULL, file TEXT, size INTEGER NOT NULL, mtime INTEGER NOT NULL,"
     " inode INTEGER NOT NULL, sha256 BLOB NOT NULL, PRIMARY KEY(clip, number)) WITHOUT ROWID;"
     /* Only while a clip is being ingested: what cut and duplicate detection needs of the frames seen so far. */
     "CREATE TABLE thumbs("
     " clip INTEGER NOT NULL REFERENCES clips(id), number INTEGER NOT NULL, luma BLOB NOT NULL,"
     " PRIMARY KEY(clip, number)) WITHOUT ROWID;"
     "CREATE TABLE models("
     " id INTEGER PRIMARY KEY, name TEXT NOT NULL, version INTEGER NOT NULL, operation TEXT NOT NULL, clips TEXT NOT NULL,"
     " file TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL, gain REAL, created TEXT NOT NULL, UNIQUE(name, version));"
     "CREATE TABLE options("
     " id INTEGER PRIMARY KEY AUTOINCREMENT, request INTEGER NOT NULL, operation TEXT NOT NULL, clip TEXT NOT NULL,"
     " frames TEXT NOT NULL, variant TEXT NOT NULL, title TEXT NOT NULL, rank INTEGER NOT NULL, score REAL NOT NULL,"
     " details TEXT NOT NULL, parameters TEXT NOT NULL, model TEXT, model_sha256 TEXT, sources TEXT NOT NULL, created TEXT NOT NULL,"
     " state TEXT NOT NULL, decided_by TEXT, decided_note TEXT, decided_when TEXT);"
     "CREATE INDEX options_request ON options(request);"
     "CREATE TABLE option_frames("
     " option INTEGER NOT NULL REFERENCES options(id), position INTEGER NOT NULL, time_num INTEGER NOT NULL, time_den INTEGER NOT NULL,"
     " confidence REAL NOT NULL, picture TEXT NOT NULL, picture_sha256 TEXT NOT NULL, evidence TEXT, evidence_sha256 TEXT,"
     " PRIMARY KEY(option, position)) WITHOUT ROWID;"
     /* signature: room for a signed chain. */
     "CREATE TABLE ledger("
     " seq INTEGER PRIMARY KEY, whenever TEXT NOT NULL, act TEXT NOT NULL, by_whom TEXT, details TEXT NOT NULL,"
     " previous TEXT NOT NULL, hash TEXT NOT NULL, signature BLOB);"
     "CREATE INDEX ledger_act ON ledger(act);"
     "CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;"
     "CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;"},
};
const size_t ip_schema_count = IP_COUNT(ip_schema);

static ipos_status pragma_int(sqlite3 *db, const char *sql, int64_t *out)
{
    sqlite3_stmt *statement;

    *out = 0;
    IP_TRY(ip_db_first(db, &statement, sql, ""));
    *out = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return IPOS_OK;
}

static ipos_status backup(sqlite3 *db, const char *path, int version)
{
    char *copy = ip_format("%s.schema%d.backup", path, version);
    ipos_status status;

    if (!copy)
        return ip_no_memory(strlen(path));
    /* A leftover of an interrupted migration may be half a copy; the catalogue itself is still whole. */
    unlink(copy);
    status = ip_db_run(db, "VACUUM INTO ?", "t", copy);
    if (status != IPOS_OK)
        ip_fail_in(status, "%s: copying the catalogue before migrating it", copy);
    ip_free(copy);
    return status;
}

static ipos_status migrate_locked(sqlite3 *db, const ip_migration *steps, size_t count, int64_t *version)
{
    /* Another process may have migrated while this one waited for the lock. */
    IP_TRY(pragma_int(db, "PRAGMA user_version", version));
    for (size_t i = 0; i < count; i++) {
        char set[96];

        if (steps[i].version <= *version)
            continue;
        IP_TRY(ip_db_exec(db, steps[i].sql));
        snprintf(set, sizeof set, "PRAGMA user_version=%d; PRAGMA application_id=%d", steps[i].version, IP_APPLICATION_ID);
        IP_TRY(ip_db_exec(db, set));
    }
    return IPOS_OK;
}

ipos_status ip_db_migrate(sqlite3 *db, const char *path, const ip_migration *steps, size_t count, int *from)
{
    int64_t version, application, locked;
    int newest = steps[count - 1].version;
    ipos_status status;

    IP_TRY(pragma_int(db, "PRAGMA user_version", &version));
    IP_TRY(pragma_int(db, "PRAGMA application_id", &application));
    *from = (int)version;
    if (version && application != IP_APPLICATION_ID)
        return ip_fail(IPOS_ERR_FORMAT, "%s: an SQLite file of another application (application_id %lld)", path, (long long)application);
    if (version > newest)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: schema %lld is newer than this library's %d: open it with a newer libinterpos",
            path, (long long)version, newest);
    if (version == newest)
        return IPOS_OK;
    if (version)
        IP_TRY(backup(db, path, (int)version));
    IP_TRY(ip_db_exec(db, "BEGIN IMMEDIATE"));
    status = migrate_locked(db, steps, count, &locked);
    if (status == IPOS_OK)
        status = ip_db_exec(db, "COMMIT");
    if (status != IPOS_OK)
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}
