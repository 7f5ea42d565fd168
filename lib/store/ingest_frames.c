#include "ingest.h"
#include <errno.h>
#include <unistd.h>

#define COMMIT_SECONDS 0.5
#define BATCH_BYTES ((int64_t)256 << 20) /* decoded frames held at once */
#define BATCH_MOST 64

int64_t ip_ingest_next(const ip_media_info *info, int64_t number, size_t *hole)
{
    number++;
    while (*hole < info->missing_count && info->missing[*hole] < number)
        (*hole)++;
    while (*hole < info->missing_count && info->missing[*hole] == number) {
        number++;
        (*hole)++;
    }
    return number;
}

static void item_clear(ip_ingest_item *item)
{
    ip_free(item->path);
    ip_free(item->error);
    memset(item, 0, sizeof *item);
}

static void bytes_of(const char *hex, uint8_t out[32])
{
    for (int i = 0; i < 32; i++) {
        unsigned value = 0;
        for (int j = 0; j < 2; j++)
            value = value << 4 | (unsigned)(hex[2 * i + j] <= '9' ? hex[2 * i + j] - '0' : hex[2 * i + j] - 'a' + 10);
        out[i] = (uint8_t)value;
    }
}

static ipos_status insert(ip_ingest *ingest, const ip_ingest_item *item)
{
    const char *slash = item->path ? strrchr(item->path, '/') : NULL;
    uint8_t hash[32];

    bytes_of(item->hash, hash);
    IP_TRY(ip_db_run(ingest->store->db, "INSERT OR REPLACE INTO frames(clip, number, file, size, mtime, inode, sha256) VALUES(?,?,?,?,?,?,?)",
        "iitiiib", ingest->row.id, item->number, slash ? slash + 1 : item->path, item->stamp.size, item->stamp.mtime,
        item->stamp.inode,
        (const void *)hash, sizeof hash));
    return ip_db_run(ingest->store->db, "INSERT OR REPLACE INTO thumbs(clip, number, luma) VALUES(?,?,?)", "iib", ingest->row.id,
        item->number, (const void *)item->thumb, sizeof item->thumb);
}

/* Puts the finished frames into the catalogue: what a kill can cost is the time since. */
static ipos_status flush(ip_ingest *ingest)
{
    ipos_status status = IPOS_OK;

    if (ingest->pending_count) {
        IP_TRY(ip_store_begin(ingest->store));
        for (size_t i = 0; i < ingest->pending_count && status == IPOS_OK; i++)
            status = insert(ingest, &ingest->pending[i]);
        status = ip_store_end(ingest->store, status);
    }
    for (size_t i = 0; i < ingest->pending_count; i++)
        item_clear(&ingest->pending[i]);
    ingest->pending_count = 0;
    ingest->committed = ip_now();
    return status;
}

static ipos_status add(ip_ingest *ingest, ip_ingest_item *item)
{
    if (ingest->pending_count == ingest->pending_room) {
        size_t room = ingest->pending_room ? 2 * ingest->pending_room : 64;
        ip_ingest_item *grown = ip_realloc(ingest->pending, room * sizeof *grown);
        if (!grown)
            return ip_no_memory(room * sizeof *grown);
        ingest->pending = grown;
        ingest->pending_room = room;
    }
    ingest->pending[ingest->pending_count++] = *item;
    memset(item, 0, sizeof *item);
    return IPOS_OK;
}

static ipos_status tell(ip_ingest *ingest, int64_t number)
{
    double fraction = ingest->total > 0 ? 0.99 * (double)ingest->done / (double)ingest->total : 0;

    return ip_progress_tell(&ingest->progress, IP_MIN(fraction, 0.99), number, ingest->total, ingest->bytes, false);
}

ipos_status ip_ingest_copy(ip_ingest *ingest, const char *from, const void *bytes, size_t size, const char *hash)
{
    const char *slash = strrchr(from, '/');
    char *to = ip_clip_file(ingest->store, &ingest->row, slash ? slash + 1 : from);
    char found[65];
    uint64_t length;
    ipos_status status = to ? ip_file_write(to, bytes, size) : ip_no_memory(256);

    if (status == IPOS_OK)
        status = ip_sha256_file(to, found, &length);
    if (status == IPOS_OK && strcmp(found, hash) != 0)
        status = ip_fail(IPOS_ERR_IO, "%s: the copy reads back differently from %s: check the disk", to, from);
    ip_free(to);
    return status;
}

/* One file: bytes read once, those bytes hashed, decoded, and copied if asked. */
static ipos_status look(ip_ingest *ingest, ip_ingest_item *item)
{
    void *bytes = NULL;
    size_t size = 0;
    ipos_frame *frame = NULL;
    ipos_status status = ip_read_stamped(item->path, &bytes, &size, &item->stamp);

    item->size = (int64_t)size;
    if (status == IPOS_OK && !ip_sha256_of(bytes, size, item->hash))
        status = ip_fail(IPOS_ERR_UNKNOWN, "%s: hashing failed", item->path);
    if (status == IPOS_OK && (status = ip_image_read(&ingest->env, NULL, bytes, size, 0, &frame)) != IPOS_OK)
        ip_fail_in(status, "%s", item->path);
    if (status == IPOS_OK)
        status = ip_thumb_make(frame, ingest->row.encoding, item->thumb);
    if (status == IPOS_OK && ingest->row.copied)
        status = ip_ingest_copy(ingest, item->path, bytes, size, item->hash);
    ipos_frame_release(frame);
    ip_free(bytes);
    return status;
}

typedef struct ip_batch {
    ip_ingest *ingest;
    ip_ingest_item items[BATCH_MOST];
    size_t count;
} ip_batch;

static void work(void *user, int64_t begin, int64_t end)
{
    ip_batch *batch = user;

    for (int64_t i = begin; i < end; i++) {
        ip_ingest_item *item = &batch->items[i];
        item->status = look(batch->ingest, item);
        if (item->status != IPOS_OK)
            item->error = ip_strdup(ipos_last_error());
    }
}

static ipos_status run_batch(ip_ingest *ingest, ip_batch *batch)
{
    ipos_status status = IPOS_OK;
    int64_t number = 0;

    ip_parallel(IP_MIN(2, ip_processors()), (int64_t)batch->count, 1, work, batch);
    for (size_t i = 0; i < batch->count; i++) {
        ip_ingest_item *item = &batch->items[i];
        if (status == IPOS_OK && item->status != IPOS_OK)
            status = ip_fail(item->status, "%s", item->error ? item->error : "out of memory");
        if (status == IPOS_OK) {
            number = item->number;
            ingest->bytes += item->size;
            ingest->done++;
            status = add(ingest, item);
        }
        item_clear(item);
    }
    batch->count = 0;
    if (ip_now() - ingest->committed > COMMIT_SECONDS || status != IPOS_OK) {
        /* Frames that were fine are kept even where the next one was not; the first failure is the one to report. */
        char *text = status == IPOS_OK ? NULL : ip_strdup(ipos_last_error());
        ipos_status flushed = flush(ingest);
        if (status == IPOS_OK)
            status = flushed;
        else
            ip_fail(status, "%s", text ? text : "out of memory");
        ip_free(text);
    }
    return status == IPOS_OK ? tell(ingest, number) : status;
}

/* A frame that an earlier, interrupted run finished and whose file has not been touched since. */
static ipos_status finished(ip_ingest *ingest, sqlite3_stmt *known, const ip_ingest_item *item, bool *yes)
{
    struct stat st;
    bool row;
    const char *slash = strrchr(item->path, '/');

    *yes = false;
    sqlite3_reset(known);
    sqlite3_bind_int64(known, 1, ingest->row.id);
    sqlite3_bind_int64(known, 2, item->number);
    IP_TRY(ip_db_step(known, &row));
    if (row && stat(item->path, &st) == 0) {
        ip_stamp stamp = {sqlite3_column_int64(known, 1), sqlite3_column_int64(known, 2), sqlite3_column_int64(known, 3)};
        *yes = ip_stamp_same(stamp, ip_stamp_of(&st)) && strcmp(ip_db_text(known, 0), slash ? slash + 1 : item->path) == 0;
    }
    sqlite3_reset(known);
    return IPOS_OK;
}

static size_t batch_size(const ip_ingest *ingest)
{
    int64_t frame = (int64_t)IP_MAX(ingest->info->width, 1) * IP_MAX(ingest->info->height, 1) * 16;

    return (size_t)IP_MIN(IP_MAX(BATCH_BYTES / frame, 2), BATCH_MOST);
}

ipos_status ip_ingest_images(ip_ingest *ingest)
{
    const ip_media_info *info = ingest->info;
    ip_batch *batch = ip_calloc(1, sizeof *batch);
    sqlite3_stmt *known = NULL;
    size_t hole = 0, most = batch_size(ingest);
    ipos_status status = batch ? ip_db_prepare(ingest->store->db, &known,
        "SELECT f.file, f.size, f.mtime, f.inode FROM frames f JOIN thumbs t USING(clip, number) WHERE f.clip=? AND f.number=?", "")
                               : ip_no_memory(sizeof *batch);

    if (batch)
        batch->ingest = ingest;
    ingest->committed = ip_now();
    for (int64_t n = ip_ingest_next(info, info->first - 1, &hole); status == IPOS_OK
        && n <= info->last; n = ip_ingest_next(info, n, &hole)) {
        ip_ingest_item item = {.number = n, .path = ip_media_frame_path(ingest->media, n)};
        bool there = false;
        status = item.path ? finished(ingest, known, &item, &there) : ip_no_memory(256);
        if (status != IPOS_OK || there) {
            ingest->done += there;
            item_clear(&item);
            if (there)
                status = tell(ingest, n);
            continue;
        }
        batch->items[batch->count++] = item;
        if (batch->count >= most)
            status = run_batch(ingest, batch);
    }
    if (status == IPOS_OK && batch->count)
        status = run_batch(ingest, batch);
    for (size_t i = 0; batch && i < batch->count; i++)
        item_clear(&batch->items[i]);
    if (status == IPOS_OK) {
        status = flush(ingest);
    } else if (status == IPOS_ERR_CANCELLED) {
        char *text = ip_strdup(ipos_last_error());
        (void)flush(ingest);
        ip_fail(status, "%s", text ? text : "cancelled");
        ip_free(text);
    }
    sqlite3_finalize(known);
    ip_free(batch);
    return status;
}

static ipos_status first_unknown(ip_ingest *ingest, int64_t *index)
{
    sqlite3_stmt *row;

    IP_TRY(ip_db_first(ingest->store->db, &row, "SELECT MAX(number) FROM frames WHERE clip=?", "i", ingest->row.id));
    *index = sqlite3_column_type(row, 0) == SQLITE_NULL ? 0 : sqlite3_column_int64(row, 0) + 1 - ingest->row.movie_first;
    sqlite3_finalize(row);
    return IPOS_OK;
}

static ipos_status movie_frame(ip_ingest *ingest, int64_t index)
{
    ip_ingest_item item = {.number = index + ingest->row.movie_first};
    ipos_frame *frame = NULL;
    ipos_status status = ip_media_read(ingest->media, index, &frame);

    if (status != IPOS_OK)
        return status;
    if (!ip_frame_hash(frame, item.hash))
        status = ip_fail(IPOS_ERR_UNKNOWN, "%s: hashing frame %lld failed", ingest->row.source, (long long)index);
    if (status == IPOS_OK)
        status = ip_thumb_make(frame, ingest->row.encoding, item.thumb);
    for (size_t c = 0; c < frame->channel_count; c++)
        ingest->bytes += (int64_t)frame->channels[c].width * frame->channels[c].height * (int64_t)ip_sample_bytes(frame->channels[c].type);
    ipos_frame_release(frame);
    if (status == IPOS_OK)
        status = add(ingest, &item);
    return status;
}

ipos_status ip_ingest_movie(ip_ingest *ingest)
{
    int64_t index;
    ipos_status status, flushed;

    IP_TRY(first_unknown(ingest, &index));
    ingest->committed = ip_now();
    ingest->done = index;
    for (;; index++) {
        status = movie_frame(ingest, index);
        if (status != IPOS_OK)
            break;
        ingest->done++;
        ingest->total = IP_MAX(ingest->total, ingest->done);
        if (ip_now() - ingest->committed > COMMIT_SECONDS)
            status = flush(ingest);
        if (status == IPOS_OK)
            status = tell(ingest, index + ingest->row.movie_first);
        if (status != IPOS_OK)
            break;
    }
    char *text = ip_strdup(ipos_last_error());
    flushed = flush(ingest);
    if (status == IPOS_ERR_NOT_FOUND) {
        status = index > 0 ? flushed : ip_fail(IPOS_ERR_FORMAT, "%s: holds no frames", ingest->row.source);
        ingest->total = index;
    } else {
        ip_fail(status, "%s", text ? text : "out of memory");
    }
    ip_free(text);
    return status;
}
