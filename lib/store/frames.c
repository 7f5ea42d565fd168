/* Frames of clips, read so that the bytes checked are the bytes decoded. */
#include "catalogue.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static ipos_status read_all(int fd, const char *path, uint8_t *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t got = read(fd, bytes + at, size - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ip_fail(IPOS_ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
        if (got == 0)
            return ip_fail(IPOS_ERR_CHANGED, "%s: became shorter while it was read", path);
        at += (size_t)got;
    }
    return IPOS_OK;
}

ipos_status ip_read_stamped(const char *path, void **bytes, size_t *size, ip_stamp *stamp)
{
    struct stat before, after;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ipos_status status = IPOS_OK;

    *bytes = NULL;
    *size = 0;
    if (fd < 0)
        return ip_fail(errno == ENOENT ? IPOS_ERR_NOT_FOUND : IPOS_ERR_IO, "%s: cannot be opened: %s", path, strerror(errno));
    if (fstat(fd, &before) != 0 || !S_ISREG(before.st_mode)) {
        close(fd);
        return ip_fail(IPOS_ERR_IO, "%s: not a regular file", path);
    }
    *size = (size_t)before.st_size;
    *bytes = ip_alloc(*size ? *size : 1);
    if (!*bytes)
        status = ip_no_memory(*size);
    else
        status = read_all(fd, path, *bytes, *size);
    *stamp = ip_stamp_of(&before);
    if (status == IPOS_OK && (fstat(fd, &after) != 0 || !ip_stamp_same(*stamp, ip_stamp_of(&after))))
        status = ip_fail(IPOS_ERR_CHANGED, "%s: changed while it was read, wait until whatever writes it has finished", path);
    close(fd);
    if (status != IPOS_OK) {
        ip_free(*bytes);
        *bytes = NULL;
    }
    return status;
}

static ipos_status hash_open(int fd, const char *path, int64_t total, ip_progress *progress, ip_sha256 *hash)
{
    enum { PIECE = 1 << 20 };
    uint8_t *piece = ip_alloc(PIECE);
    ipos_status status = piece ? IPOS_OK : ip_no_memory(PIECE);

    for (int64_t at = 0; status == IPOS_OK && at < total;) {
        size_t n = (size_t)IP_MIN(total - at, PIECE);
        status = read_all(fd, path, piece, n);
        if (status == IPOS_OK && !ip_sha256_add(hash, piece, n))
            status = ip_fail(IPOS_ERR_UNKNOWN, "%s: hashing failed", path);
        at += (int64_t)n;
        if (status == IPOS_OK && progress)
            status = ip_progress_tell(progress, 0, 0, 0, at, false);
    }
    ip_free(piece);
    return status;
}

ipos_status ip_hash_stamped(const char *path, ip_progress *progress, char hex[65], ip_stamp *stamp)
{
    struct stat before, after;
    ip_sha256 *hash;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ipos_status status;

    if (fd < 0)
        return ip_fail(errno == ENOENT ? IPOS_ERR_NOT_FOUND : IPOS_ERR_IO, "%s: cannot be opened: %s", path, strerror(errno));
    if (fstat(fd, &before) != 0 || !S_ISREG(before.st_mode) || !(hash = ip_sha256_new())) {
        close(fd);
        return ip_fail(IPOS_ERR_IO, "%s: not a regular file, or out of memory", path);
    }
    *stamp = ip_stamp_of(&before);
    status = hash_open(fd, path, before.st_size, progress, hash);
    if (!ip_sha256_end(hash, hex) && status == IPOS_OK)
        status = ip_fail(IPOS_ERR_UNKNOWN, "%s: hashing failed", path);
    if (status == IPOS_OK && (fstat(fd, &after) != 0 || !ip_stamp_same(*stamp, ip_stamp_of(&after))))
        status = ip_fail(IPOS_ERR_CHANGED, "%s: changed while it was read, wait until whatever writes it has finished", path);
    close(fd);
    return status;
}

char *ip_clip_file(ip_store *store, const ip_clip_row *row, const char *file)
{
    char *path = *row->path == '/' ? ip_strdup(row->path) : ip_path_join(store->folder, row->path);
    char *slash = path ? strrchr(path, '/') : NULL, *joined;

    if (!slash || !file)
        return path;
    *slash = 0;
    joined = ip_path_join(path, file);
    ip_free(path);
    return joined;
}

static void close_clip(ip_open_clip *open)
{
    ip_media_close(open->media);
    if (open->loaded)
        ip_clip_row_free(&open->row);
    memset(open, 0, sizeof *open);
}

void ip_open_clip_reset(ip_store *store)
{
    for (size_t i = 0; i < IP_COUNT(store->opened); i++)
        close_clip(&store->opened[i]);
    store->open = NULL;
}

/* The place of the clip, or one that is free, or the one not asked for for longest. */
static ip_open_clip *place_for(ip_store *store, const char *clip)
{
    ip_open_clip *oldest = store->opened;

    for (size_t i = 0; i < IP_COUNT(store->opened); i++) {
        ip_open_clip *at = &store->opened[i];
        if (at->loaded && strcmp(at->row.name, clip) == 0)
            return at;
        if (at->used < oldest->used)
            oldest = at;
    }
    return oldest;
}

static ipos_status open_clip(ip_store *store, const char *clip)
{
    ip_open_clip *open = place_for(store, clip);

    store->open = open;
    if (!open->loaded || strcmp(open->row.name, clip) != 0) {
        close_clip(open);
        IP_TRY(ip_clip_load(store, clip, &open->row));
        open->loaded = true;
        if (strcmp(open->row.state, "ready") != 0) {
            close_clip(open);
            return ip_fail(IPOS_ERR_STATE, "clip \"%s\": its ingest is not finished, run ingest again", clip);
        }
    }
    open->used = ++store->turn;
    return IPOS_OK;
}

static ipos_status changed(const char *path, int64_t number, const char *expected, const char *found)
{
    return ip_fail(IPOS_ERR_CHANGED, "%s: frame %lld is not what was ingested (SHA-256 expected %s, found %s): restore the file or ingest it as another clip",
        path, (long long)number, expected, found);
}

static ipos_status image_frame(ip_store *store, const char *path, int64_t number, const char *expected, ipos_frame **out)
{
    void *bytes;
    size_t size;
    ip_stamp stamp;
    char found[65];
    ipos_status status;

    IP_TRY(ip_read_stamped(path, &bytes, &size, &stamp));
    if (!ip_sha256_of(bytes, size, found))
        status = ip_fail(IPOS_ERR_UNKNOWN, "%s: hashing failed", path);
    else if (strcmp(found, expected) != 0)
        status = changed(path, number, expected, found);
    else if ((status = ip_image_read(&store->env, NULL, bytes, size, 0, out)) != IPOS_OK)
        ip_fail_in(status, "%s", path);
    ip_free(bytes);
    return status;
}

/* The movie behind a clip, opened and hashed once; later only looked at for a change of size, time or inode. */
static ipos_status open_movie(ip_store *store, const char *path)
{
    ip_open_clip *open = store->open;
    struct stat st;
    char found[65];
    ipos_status status;

    if (stat(path, &st) != 0)
        return ip_fail(errno == ENOENT ? IPOS_ERR_NOT_FOUND : IPOS_ERR_IO, "%s: %s", path, strerror(errno));
    if (open->media && ip_stamp_same(open->file, ip_stamp_of(&st)))
        return IPOS_OK;
    ip_media_close(open->media);
    open->media = NULL;
    IP_TRY(ip_hash_stamped(path, NULL, found, &open->file));
    if (!open->row.file_sha256 || strcmp(found, open->row.file_sha256) != 0)
        return ip_fail(IPOS_ERR_CHANGED, "%s: not the movie that was ingested (SHA-256 expected %s, found %s)", path,
            open->row.file_sha256 ? open->row.file_sha256 : "none", found);
    status = ip_media_open(&store->env, path, &open->media);
    if (status == IPOS_OK && (stat(path, &st) != 0 || !ip_stamp_same(open->file, ip_stamp_of(&st)))) {
        ip_media_close(open->media);
        open->media = NULL;
        status = ip_fail(IPOS_ERR_CHANGED, "%s: changed while it was opened", path);
    }
    return status;
}

static ipos_status movie_frame(ip_store *store, const char *path, int64_t number, const char *expected, ipos_frame **out)
{
    char found[65];

    IP_TRY(open_movie(store, path));
    IP_TRY(ip_media_read(store->open->media, number - store->open->row.movie_first, out));
    if (ip_frame_hash(*out, found) && strcmp(found, expected) == 0)
        return IPOS_OK;
    ipos_frame_release(*out);
    *out = NULL;
    return changed(path, number, expected, found);
}

static void hex_of(const void *bytes, int size, char hex[65])
{
    hex[0] = 0;
    for (int i = 0; i < size && i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", ((const uint8_t *)bytes)[i]);
}

/* Opens the clip; the path of the file that frame number is in, and the hash it was ingested with. */
static ipos_status find_frame(ip_store *store, const char *clip, int64_t number, char **path, char expected[65])
{
    sqlite3_stmt *row;

    *path = NULL;
    if (!clip)
        return ip_fail(IPOS_ERR_ARGUMENT, "a frame was asked for without naming its clip");
    IP_TRY(open_clip(store, clip));
    ipos_status status = ip_db_first(store->db, &row, "SELECT file, sha256 FROM frames WHERE clip=? AND number=?", "ii",
        store->open->row.id, number);
    if (status == IPOS_ERR_NOT_FOUND)
        return ip_fail(status, "clip \"%s\": has no frame %lld (it has %lld to %lld)", clip, (long long)number,
            (long long)store->open->row.first, (long long)store->open->row.last);
    if (status != IPOS_OK)
        return status;
    hex_of(sqlite3_column_blob(row, 1), sqlite3_column_bytes(row, 1), expected);
    *path = ip_clip_file(store, &store->open->row, (const char *)sqlite3_column_text(row, 0));
    sqlite3_finalize(row);
    return *path ? IPOS_OK : ip_no_memory(256);
}

ipos_status ip_store_source_check(ip_store *store, const char *clip, int64_t number)
{
    char expected[65], found[65], *path;
    ip_stamp stamp;

    IP_TRY(find_frame(store, clip, number, &path, expected));
    ipos_status status;
    if (strcmp(store->open->row.kind, "movie") == 0) {
        status = open_movie(store, path);
    } else {
        status = ip_hash_stamped(path, NULL, found, &stamp);
        if (status == IPOS_OK && strcmp(found, expected) != 0)
            status = changed(path, number, expected, found);
    }
    ip_free(path);
    return status;
}

ipos_status ip_store_source_frame(ip_store *store, const char *clip, int64_t number, ipos_frame **out)
{
    char expected[65], *path, *encoding;
    ipos_status status;

    *out = NULL;
    IP_TRY(find_frame(store, clip, number, &path, expected));
    if (strcmp(store->open->row.kind, "movie") == 0)
        status = movie_frame(store, path, number, expected, out);
    else
        status = image_frame(store, path, number, expected, out);
    ip_free(path);
    if (status != IPOS_OK)
        return status;
    /* The catalogue's word on the encoding, given by a person, stands over the file's. */
    encoding = ip_strdup(store->open->row.encoding);
    if (!encoding) {
        ipos_frame_release(*out);
        *out = NULL;
        return ip_no_memory(32);
    }
    ip_free((*out)->encoding);
    (*out)->encoding = encoding;
    return IPOS_OK;
}

ipos_status ip_store_source_rest(ip_store *store, const char *clip, int64_t number, ipos_frame ***rest, size_t *count)
{
    char expected[65], found[65], *path;
    void *bytes = NULL;
    size_t size;
    ip_stamp stamp;

    *rest = NULL;
    *count = 0;
    IP_TRY(find_frame(store, clip, number, &path, expected));
    const char *format = store->open->row.format;
    ipos_status status = IPOS_OK;
    if (strcmp(store->open->row.kind, "movie") != 0 && (strcmp(format, "exr") == 0 || strcmp(format, "tiff") == 0)) {
        status = ip_read_stamped(path, &bytes, &size, &stamp);
        if (status == IPOS_OK && (!ip_sha256_of(bytes, size, found) || strcmp(found, expected) != 0))
            status = changed(path, number, expected, found);
        if (status == IPOS_OK && (status = ip_image_read_parts(&store->env, NULL, bytes, size, 1, rest, count)) != IPOS_OK)
            ip_fail_in(status, "%s: a part behind the first, which must stay as it is", path);
    }
    ip_free(bytes);
    ip_free(path);
    return status;
}

ipos_status ip_store_source_name(ip_store *store, const char *clip, int64_t number, char **name)
{
    char expected[65], *path;

    *name = NULL;
    IP_TRY(find_frame(store, clip, number, &path, expected));
    const char *slash = strrchr(path, '/');
    *name = ip_strdup(strcmp(store->open->row.kind, "movie") == 0 ? "" : slash ? slash + 1 : path);
    ip_free(path);
    return *name ? IPOS_OK : IPOS_ERR_NO_MEMORY;
}

ipos_status ip_store_frame(ip_store *store, const char *clip, int64_t number, ipos_frame **out)
{
    IP_TRY(ip_store_source_frame(store, clip, number, out));
    ipos_status status = ip_writer_note(store->writer, clip, number);
    if (status != IPOS_OK) {
        ipos_frame_release(*out);
        *out = NULL;
    }
    return status;
}
