#include "db.h"
#include <math.h>
#include <unistd.h>

#define BUSY_MS 30000

ipos_status ip_db_fail(sqlite3 *db, const char *doing)
{
    int code = db ? sqlite3_errcode(db) : SQLITE_NOMEM;
    const char *text = db ? sqlite3_errmsg(db) : "out of memory";
    const char *path = db ? sqlite3_db_filename(db, "main") : NULL;

    if (!path || !*path)
        path = "catalogue";
    switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ip_fail(IPOS_ERR_CONFLICT, "%s: %s: another process has been writing for over %d s, try again", path, doing,
            BUSY_MS / 1000);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ip_fail(IPOS_ERR_FORMAT, "%s: %s: damaged or no catalogue (%s), restore a backup", path, doing, text);
    case SQLITE_NOMEM:
        return ip_fail(IPOS_ERR_NO_MEMORY, "%s: %s: out of memory", path, doing);
    case SQLITE_FULL:
        return ip_fail(IPOS_ERR_IO, "%s: %s: the disk is full, make room and try again", path, doing);
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
        return ip_fail(IPOS_ERR_IO, "%s: %s: cannot be opened for writing (%s)", path, doing, text);
    case SQLITE_IOERR:
        return ip_fail(IPOS_ERR_IO, "%s: %s: reading or writing failed (%s)", path, doing, text);
    default:
        return ip_fail(IPOS_ERR_UNKNOWN, "%s: %s: %s", path, doing, text);
    }
}

ipos_status ip_db_exec(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? IPOS_OK : ip_db_fail(db, "changing the catalogue");
}

ipos_status ip_db_open(const char *path, bool create, sqlite3 **out)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_PRIVATECACHE | (create ? SQLITE_OPEN_CREATE : 0);
    ipos_status status;

    *out = NULL;
    if (!create && access(path, F_OK) != 0)
        return ip_fail(IPOS_ERR_NOT_FOUND, "%s: not found: the folder holds no project, make one first", path);
    if (sqlite3_open_v2(path, out, flags, NULL) != SQLITE_OK) {
        status = ip_db_fail(*out, "opening");
        sqlite3_close(*out);
        *out = NULL;
        return status;
    }
    sqlite3_extended_result_codes(*out, 0);
    sqlite3_busy_timeout(*out, BUSY_MS);
    /* Trusted-schema off: a doctored catalogue must not run functions through views or triggers. */
    status = ip_db_exec(*out, "PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;"
                              "PRAGMA temp_store=MEMORY");
    if (status != IPOS_OK) {
        sqlite3_close(*out);
        *out = NULL;
    }
    return status;
}

static ipos_status prepare(sqlite3 *db, sqlite3_stmt **out, const char *sql, const char *format, va_list list)
{
    int code;

    *out = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, out, NULL) != SQLITE_OK)
        return ip_db_fail(db, sql);
    for (int i = 1; *format; i++, format++) {
        if (*format == 't') {
            code = sqlite3_bind_text(*out, i, va_arg(list, const char *), -1, SQLITE_TRANSIENT);
        } else if (*format == 'i') {
            code = sqlite3_bind_int64(*out, i, va_arg(list, int64_t));
        } else if (*format == 'b') {
            const void *bytes = va_arg(list, const void *);
            code = sqlite3_bind_blob64(*out, i, bytes, va_arg(list, size_t), SQLITE_TRANSIENT);
        } else {
            double value = va_arg(list, double);
            code = *format == 'n' && isnan(value) ? sqlite3_bind_null(*out, i) : sqlite3_bind_double(*out, i, value);
        }
        if (code != SQLITE_OK) {
            ipos_status status = ip_db_fail(db, sql);
            sqlite3_finalize(*out);
            *out = NULL;
            return status;
        }
    }
    return IPOS_OK;
}

ipos_status ip_db_prepare(sqlite3 *db, sqlite3_stmt **out, const char *sql, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    ipos_status status = prepare(db, out, sql, format, list);
    va_end(list);
    return status;
}

ipos_status ip_db_step(sqlite3_stmt *statement, bool *row)
{
    int code = sqlite3_step(statement);

    *row = code == SQLITE_ROW;
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return IPOS_OK;
    return ip_db_fail(sqlite3_db_handle(statement), "reading or changing the catalogue");
}

ipos_status ip_db_run(sqlite3 *db, const char *sql, const char *format, ...)
{
    sqlite3_stmt *statement;
    bool row = true;
    va_list list;

    va_start(list, format);
    ipos_status status = prepare(db, &statement, sql, format, list);
    va_end(list);
    while (status == IPOS_OK && row)
        status = ip_db_step(statement, &row);
    sqlite3_finalize(statement);
    return status;
}

ipos_status ip_db_first(sqlite3 *db, sqlite3_stmt **out, const char *sql, const char *format, ...)
{
    bool row = false;
    va_list list;

    va_start(list, format);
    ipos_status status = prepare(db, out, sql, format, list);
    va_end(list);
    if (status == IPOS_OK)
        status = ip_db_step(*out, &row);
    if (status == IPOS_OK && !row)
        status = IPOS_ERR_NOT_FOUND;
    if (status != IPOS_OK) {
        sqlite3_finalize(*out);
        *out = NULL;
    }
    return status;
}

const char *ip_db_text(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);

    return text ? (const char *)text : "";
}
