/* Ingesting a clip that is there already: nothing to do, or other footage. */
#include "ingest.h"
#include <errno.h>

typedef struct ip_known {
    ip_stamp stamp;
    uint8_t hash[32];
} ip_known;

static ipos_status other(const ip_ingest *ingest, const char *path, const char *why)
{
    return ip_fail(IPOS_ERR_CONFLICT, "clip \"%s\": %s: %s: the name holds other footage; restore the file or give this footage another name",
        ingest->row.name, path, why);
}

static ipos_status compare_bytes(ip_ingest *ingest, const char *path, const uint8_t hash[32])
{
    char found[65], expected[65];
    uint64_t size;

    IP_TRY(ip_sha256_file(path, found, &size));
    for (int i = 0; i < 32; i++)
        snprintf(expected + 2 * i, 3, "%02x", hash[i]);
    ingest->bytes += (int64_t)size;
    return strcmp(found, expected) == 0 ? IPOS_OK : other(ingest, path, "its bytes differ from those ingested");
}

/* One file: untouched, or touched with the same bytes (then its new stamp is noted). */
static ipos_status check_file(ip_ingest *ingest, sqlite3_stmt *known, int64_t number, const char *path)
{
    struct stat st;
    bool row;
    ip_known was = {0};

    sqlite3_reset(known);
    sqlite3_bind_int64(known, 1, ingest->row.id);
    sqlite3_bind_int64(known, 2, number);
    IP_TRY(ip_db_step(known, &row));
    if (row) {
        was.stamp = (ip_stamp){sqlite3_column_int64(known, 0), sqlite3_column_int64(known, 1), sqlite3_column_int64(known, 2)};
        if (sqlite3_column_bytes(known, 3) == 32)
            memcpy(was.hash, sqlite3_column_blob(known, 3), 32);
    }
    sqlite3_reset(known);
    if (!row)
        return other(ingest, path, "was not there when the clip was ingested");
    if (stat(path, &st) != 0)
        return ip_fail(IPOS_ERR_NOT_FOUND, "%s: %s", path, strerror(errno));
    ip_stamp now = ip_stamp_of(&st);
    if (ip_stamp_same(now, was.stamp))
        return IPOS_OK;
    IP_TRY(compare_bytes(ingest, path, was.hash));
    return ip_db_run(ingest->store->db, "UPDATE frames SET size=?, mtime=?, inode=? WHERE clip=? AND number=?", "iiiii", now.size,
        now.mtime, now.inode, ingest->row.id, number);
}

static ipos_status check_images(ip_ingest *ingest)
{
    const ip_media_info *info = ingest->info;
    sqlite3_stmt *known;
    size_t hole = 0;
    ipos_status status = ip_db_prepare(ingest->store->db, &known,
        "SELECT size, mtime, inode, sha256 FROM frames WHERE clip=? AND number=?", "");

    for (int64_t n = ip_ingest_next(info, info->first - 1, &hole); status == IPOS_OK
        && n <= info->last; n = ip_ingest_next(info, n, &hole)) {
        char *path = ip_media_frame_path(ingest->media, n);
        status = path ? check_file(ingest, known, n, path) : ip_no_memory(256);
        ip_free(path);
        ingest->done++;
        if (status == IPOS_OK)
            status = ip_progress_tell(&ingest->progress, (double)ingest->done / (double)IP_MAX(ingest->total, 1), n,
                ingest->total, ingest->bytes, false);
    }
    sqlite3_finalize(known);
    return status;
}

static ipos_status check_movie(ip_ingest *ingest, const ip_clip_row *old)
{
    struct stat st;
    char found[65];
    ip_stamp now;

    if (stat(ingest->row.source, &st) != 0)
        return ip_fail(IPOS_ERR_NOT_FOUND, "%s: %s", ingest->row.source, strerror(errno));
    if (ip_stamp_same(ip_stamp_of(&st), old->file))
        return IPOS_OK;
    IP_TRY(ip_hash_stamped(ingest->row.source, &ingest->progress, found, &now));
    if (!old->file_sha256 || strcmp(found, old->file_sha256) != 0)
        return other(ingest, ingest->row.source, "its bytes differ from those ingested");
    return ip_db_run(ingest->store->db, "UPDATE clips SET file_size=?, file_mtime=?, file_inode=? WHERE id=?", "iiii", now.size,
        now.mtime,
        now.inode, old->id);
}

ipos_status ip_ingest_check(ip_ingest *ingest, const ip_clip_row *old)
{
    char why[96];

    IP_TRY(ip_ingest_compare(old, &ingest->row));
    ingest->row.id = old->id;
    if (ingest->info->movie) {
        IP_TRY(check_movie(ingest, old));
    } else {
        if (ingest->info->count != old->frames || ingest->info->first != old->first || ingest->info->last != old->last) {
            snprintf(why, sizeof why, "has frames %lld to %lld (%lld files), ingested were %lld to %lld (%lld)",
                (long long)ingest->info->first,
                (long long)ingest->info->last, (long long)ingest->info->count, (long long)old->first, (long long)old->last,
                (long long)old->frames);
            return other(ingest, ingest->row.source, why);
        }
        IP_TRY(check_images(ingest));
    }
    return ip_progress_tell(&ingest->progress, 1, old->last, old->frames, ingest->bytes, true);
}
