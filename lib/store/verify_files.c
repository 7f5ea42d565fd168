/* Files on disk against the hashes the catalogue has of them. */
#include "verify.h"

static ipos_status tell(ip_verify *verify)
{
    int64_t done = verify->files + verify->frames;

    return ip_progress_tell(&verify->progress, (double)done / (double)IP_MAX(verify->total, 1), done, verify->total,
        verify->bytes, false);
}

/* Missing, unreadable or different: a problem; the look goes on. */
static ipos_status check_file(ip_verify *verify, const char *path, const char *expected)
{
    char found[65];
    uint64_t size = 0;
    ipos_status status = ip_sha256_file(path, found, &size);

    if (status == IPOS_ERR_NO_MEMORY)
        return status;
    verify->bytes += (int64_t)size;
    if (status != IPOS_OK)
        ip_verify_problem(verify, "%s", ipos_last_error());
    else if (strcmp(found, expected) != 0)
        ip_verify_problem(verify, "%s: was altered (SHA-256 expected %s, found %s)", path, expected, found);
    return tell(verify);
}

static ipos_status option_files(ip_verify *verify)
{
    sqlite3_stmt *rows;
    bool row = false;
    ipos_status status = ip_db_prepare(verify->store->db, &rows,
        "SELECT option, picture, picture_sha256, evidence, evidence_sha256 FROM option_frames ORDER BY option, position", "");

    while (status == IPOS_OK && (status = ip_db_step(rows, &row)) == IPOS_OK && row) {
        for (int i = 1; i <= 3 && status == IPOS_OK; i += 2) {
            if (sqlite3_column_type(rows, i) == SQLITE_NULL)
                continue;
            char *path = ip_option_path(verify->store, sqlite3_column_int64(rows, 0), ip_db_text(rows, i));
            verify->files++;
            status = path ? check_file(verify, path, ip_db_text(rows, i + 1)) : ip_no_memory(256);
            ip_free(path);
        }
    }
    sqlite3_finalize(rows);
    return status;
}

static ipos_status model_files(ip_verify *verify)
{
    sqlite3_stmt *rows;
    bool row = false;
    ipos_status status = ip_db_prepare(verify->store->db, &rows, "SELECT file, sha256 FROM models ORDER BY id", "");

    while (status == IPOS_OK && (status = ip_db_step(rows, &row)) == IPOS_OK && row) {
        char *path = ip_format("%s/models/%s", verify->store->folder, ip_db_text(rows, 0));
        verify->files++;
        status = path ? check_file(verify, path, ip_db_text(rows, 1)) : ip_no_memory(256);
        ip_free(path);
    }
    sqlite3_finalize(rows);
    return status;
}

static ipos_status clip_files(ip_verify *verify, const ip_clip_row *clip)
{
    sqlite3_stmt *rows;
    bool row = false;
    ipos_status status;

    if (strcmp(clip->kind, "movie") == 0) {
        char *path = ip_clip_file(verify->store, clip, NULL);
        status = path ? check_file(verify, path, clip->file_sha256 ? clip->file_sha256 : "") : ip_no_memory(256);
        verify->frames += clip->frames;
        ip_free(path);
        return status;
    }
    status = ip_db_prepare(verify->store->db, &rows, "SELECT file, lower(hex(sha256)) FROM frames WHERE clip=? ORDER BY number",
        "i", clip->id);
    while (status == IPOS_OK && (status = ip_db_step(rows, &row)) == IPOS_OK && row) {
        char *path = ip_clip_file(verify->store, clip, ip_db_text(rows, 0));
        verify->frames++;
        status = path ? check_file(verify, path, ip_db_text(rows, 1)) : ip_no_memory(256);
        ip_free(path);
    }
    sqlite3_finalize(rows);
    return status;
}

ipos_status ip_verify_files(ip_verify *verify, bool footage)
{
    IP_TRY(option_files(verify));
    IP_TRY(model_files(verify));
    if (footage)
        IP_TRY(ip_verify_each_clip(verify, "WHERE state='ready' ", clip_files));
    return ip_progress_tell(&verify->progress, 1, verify->files + verify->frames, verify->files + verify->frames, verify->bytes,
        true);
}
