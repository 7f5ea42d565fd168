/* A thin, checked face of SQLite: statements with typed arguments, one transaction at a time. */
#ifndef IP_DB_H
#define IP_DB_H

#include "core.h"
#include <sqlite3.h>

#define IP_APPLICATION_ID 0x49504f53 /* "IPOS" */

/* One step of the schema: brings user_version to version. */
typedef struct ip_migration {
    int version;
    const char *sql;
} ip_migration;
extern const ip_migration ip_schema[]; /* schema.c, ascending */
extern const size_t ip_schema_count;

/* Opens with the rollback journal, synchronous=FULL, foreign keys, a busy timeout. create: the file must not exist yet. */
ipos_status ip_db_open(const char *path, bool create, sqlite3 **out);
/* Words SQLite's last failure as "doing: ..." with the fitting status. */
ipos_status ip_db_fail(sqlite3 *db, const char *doing);
ipos_status ip_db_exec(sqlite3 *db, const char *sql);
/* Prepares sql and binds by format: t text or NULL, i int64_t, r double, n double where NaN means NULL, b pointer and size_t. */
ipos_status ip_db_prepare(sqlite3 *db, sqlite3_stmt **out, const char *sql, const char *format, ...);
/* The next row: IPOS_OK and *row says whether there was one. */
ipos_status ip_db_step(sqlite3_stmt *statement, bool *row);
/* Prepare, run to the end, finalize. */
ipos_status ip_db_run(sqlite3 *db, const char *sql, const char *format, ...);
/* Prepare and step to the first row. Without one: IPOS_ERR_NOT_FOUND, no text. The caller finalizes *out. */
ipos_status ip_db_first(sqlite3 *db, sqlite3_stmt **out, const char *sql, const char *format, ...);
const char *ip_db_text(sqlite3_stmt *statement, int column); /* "" for NULL */

/* Brings the schema up to the last of steps; before the first change of an older catalogue it is copied to
 * PATH.schemaN.backup. A newer schema, or a file of another application, is refused. from gets the version found. */
ipos_status ip_db_migrate(sqlite3 *db, const char *path, const ip_migration *steps, size_t count, int *from);

#endif
