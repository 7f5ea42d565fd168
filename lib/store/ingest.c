#include "ingest.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static const int64_t FIRST_FRAME_MOST = INT64_C(1) << 40; /* far from where a film's own numbers would overflow */

/* Frames in order for ip_shots_find. */
typedef struct ip_thumb_reader {
    sqlite3_stmt *row;
    int64_t clip, *numbers, last;
    uint8_t hash[32];
} ip_thumb_reader;

static ipos_status read_thumb(void *user, int64_t index, uint16_t out[IP_THUMB_SIZE], bool *same)
{
    ip_thumb_reader *reader = user;
    bool row;

    *same = false;
    sqlite3_reset(reader->row);
    sqlite3_bind_int64(reader->row, 1, reader->clip);
    sqlite3_bind_int64(reader->row, 2, reader->numbers[index]);
    IP_TRY(ip_db_step(reader->row, &row));
    if (!row || sqlite3_column_bytes(reader->row, 0) != IP_THUMB_SIZE * 2 || sqlite3_column_bytes(reader->row, 1) != 32)
        return ip_fail(IPOS_ERR_FORMAT, "frame %lld: its record is damaged, ingest the clip again",
            (long long)reader->numbers[index]);
    memcpy(out, sqlite3_column_blob(reader->row, 0), IP_THUMB_SIZE * 2);
    *same = index > 0 && reader->last == index - 1 && memcmp(reader->hash, sqlite3_column_blob(reader->row, 1), 32) == 0;
    memcpy(reader->hash, sqlite3_column_blob(reader->row, 1), 32);
    reader->last = index;
    sqlite3_reset(reader->row);
    return IPOS_OK;
}

static ipos_status numbers_of(ip_ingest *ingest, int64_t **numbers, int64_t *count)
{
    sqlite3_stmt *rows;
    bool row = false;
    int64_t room;

    *numbers = NULL;
    IP_TRY(ip_db_first(ingest->store->db, &rows, "SELECT COUNT(*) FROM frames WHERE clip=?", "i", ingest->row.id));
    room = sqlite3_column_int64(rows, 0);
    sqlite3_finalize(rows);
    *numbers = ip_calloc((size_t)IP_MAX(room, 1), sizeof **numbers);
    if (!*numbers)
        return ip_no_memory((size_t)room * 8);
    ipos_status status = ip_db_prepare(ingest->store->db, &rows, "SELECT number FROM frames WHERE clip=? ORDER BY number", "i",
        ingest->row.id);
    for (*count = 0; status == IPOS_OK && (status = ip_db_step(rows, &row)) == IPOS_OK && row && *count < room; (*count)++)
        (*numbers)[*count] = sqlite3_column_int64(rows, 0);
    sqlite3_finalize(rows);
    return status;
}

static ipos_status list_text(const int64_t *indices, size_t count, const int64_t *numbers, char **out)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_integer(numbers ? numbers[indices[i]] : indices[i]));
    ip_free(*out);
    return ip_doc_give(list, out);
}

/* Cuts, duplicates, holes and the digest into row. */
static ipos_status find_shots(ip_ingest *ingest)
{
    ip_clip_row *row = &ingest->row;
    ip_thumb_reader reader = {.clip = row->id, .last = -2};
    ip_shots shots = {0};
    char digest[65];
    ipos_status status = numbers_of(ingest, &reader.numbers, &row->frames);

    if (status == IPOS_OK)
        status = ip_db_prepare(ingest->store->db, &reader.row,
            "SELECT t.luma, f.sha256 FROM thumbs t JOIN frames f USING(clip, number) WHERE t.clip=? AND t.number=?", "");
    if (status == IPOS_OK)
        status = ip_shots_find(row->frames, read_thumb, &reader, &shots);
    sqlite3_finalize(reader.row);
    if (status == IPOS_OK) {
        row->first = reader.numbers[0];
        row->last = reader.numbers[row->frames - 1];
        status = list_text(shots.cuts, shots.cut_count, reader.numbers, &row->cuts);
    }
    if (status == IPOS_OK)
        status = list_text(shots.duplicates, row->duplicate_check < 0 ? 0 : shots.duplicate_count, reader.numbers,
            &row->duplicates);
    if (status == IPOS_OK)
        status = list_text(ingest->info->missing, ingest->info->movie ? 0 : ingest->info->missing_count, NULL, &row->missing);
    if (status == IPOS_OK)
        status = ip_clip_digest(ingest->store, row->id, digest);
    if (status == IPOS_OK) {
        ip_free(row->digest);
        row->digest = ip_strdup(digest);
        status = row->digest ? IPOS_OK : ip_no_memory(65);
    }
    ip_shots_free(&shots);
    ip_free(reader.numbers);
    return status;
}

static ipos_status finish(ip_ingest *ingest)
{
    ip_clip_row *row = &ingest->row;
    json_t *record;
    ipos_status status;

    IP_TRY(find_shots(ingest));
    record = ip_clip_record(row, true);
    status = record && json_object_set_new(record, "training", json_string(ip_training_name(row->training))) == 0
        ? ip_store_begin(ingest->store) : ip_no_memory(1024);
    if (status != IPOS_OK) {
        json_decref(record);
        return status;
    }
    status = ip_db_run(ingest->store->db,
        "UPDATE clips SET state='ready', first=?, last=?, frames=?, cuts=?, duplicates=?, missing=?, digest=? WHERE id=?",
        "iiittt" "ti",
        row->first, row->last, row->frames, row->cuts, row->duplicates, row->missing, row->digest, row->id);
    if (status == IPOS_OK)
        status = ip_db_run(ingest->store->db, "DELETE FROM thumbs WHERE clip=?", "i", row->id);
    if (status == IPOS_OK)
        status = ip_ledger_add(ingest->store, "ingest", NULL, record);
    else
        json_decref(record);
    IP_TRY(ip_store_end(ingest->store, status));
    return ip_progress_tell(&ingest->progress, 1, row->last, row->frames, ingest->bytes, true);
}

static ipos_status insert_clip(ip_ingest *ingest)
{
    ip_clip_row *r = &ingest->row;

    IP_TRY(ip_db_run(ingest->store->db, "DELETE FROM thumbs WHERE clip IN (SELECT id FROM clips WHERE name=?)", "t", r->name));
    IP_TRY(ip_db_run(ingest->store->db, "DELETE FROM frames WHERE clip IN (SELECT id FROM clips WHERE name=?)", "t", r->name));
    IP_TRY(ip_db_run(ingest->store->db, "DELETE FROM clips WHERE name=?", "t", r->name));
    IP_TRY(ip_db_run(ingest->store->db,
        "INSERT INTO clips(name, state, path, source, kind, format, codec, first, last, frames, width, height, sample_type, bits, rate_num,"
        " rate_den, encoding, owner, licence, training, permission_source, operations, consents, tags, timecode, movie_first, copied,"
        " duplicate_check, file_size, file_mtime, file_inode, file_sha256, cuts, duplicates, missing, created)"
        " VALUES(?,?,?,?,?,?,?,?,?,0,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        "ttttttt" "ii" "iiii" "ii" "ttt" "i" "ttttt" "iii" "iii" "ttttt",
        r->name, r->state, r->path, r->source, r->kind, r->format, r->codec, r->first, r->last, r->width, r->height, r->sample_type,
        r->bits, r->rate.num, r->rate.den, r->encoding, r->owner, r->licence, r->training, r->permission_source, r->operations,
        r->consents, r->tags, r->timecode, r->movie_first, r->copied, r->duplicate_check, r->file.size, r->file.mtime,
        r->file.inode,
        r->file_sha256, r->cuts, r->duplicates, r->missing, r->created));
    r->id = sqlite3_last_insert_rowid(ingest->store->db);
    return IPOS_OK;
}

/* The clip with its permission, before any frame: from here on an interrupted ingest can be gone on with. */
static ipos_status register_clip(ip_ingest *ingest)
{
    json_t *record = ip_clip_record(&ingest->row, false);
    ipos_status status;

    if (!record || json_object_set_new(record, "training", json_string(ip_training_name(ingest->row.training))) != 0) {
        json_decref(record);
        return ip_no_memory(1024);
    }
    status = ip_store_begin(ingest->store);
    if (status != IPOS_OK) {
        json_decref(record);
        return status;
    }
    status = insert_clip(ingest);
    if (status == IPOS_OK)
        status = ip_ledger_add(ingest->store, "clip", NULL, record);
    else
        json_decref(record);
    return ip_store_end(ingest->store, status);
}

static ipos_status hash_movie(ip_ingest *ingest)
{
    char hash[65];
    ip_clip_row *row = &ingest->row;

    IP_TRY(ip_hash_stamped(row->source, &ingest->progress, hash, &row->file));
    row->file_sha256 = ip_strdup(hash);
    return row->file_sha256 ? IPOS_OK : ip_no_memory(65);
}

static ipos_status copy_movie(ip_ingest *ingest)
{
    char *to = ip_clip_file(ingest->store, &ingest->row, NULL), found[65];
    uint64_t size;
    ipos_status status = to ? IPOS_OK : ip_no_memory(256);

    if (status == IPOS_OK && access(to, F_OK) != 0)
        status = ip_copy_file(ingest->row.source, to);
    if (status == IPOS_OK)
        status = ip_sha256_file(to, found, &size);
    if (status == IPOS_OK && strcmp(found, ingest->row.file_sha256) != 0)
        status = ip_fail(IPOS_ERR_IO, "%s: the copy reads back differently from %s: remove it and check the disk", to,
            ingest->row.source);
    ip_free(to);
    return status;
}

static ipos_status make_copy_folder(ip_ingest *ingest)
{
    char *folder = ip_format("%s/footage/%s", ingest->store->folder, ingest->row.name);
    ipos_status status = folder ? ip_make_folders(folder) : ip_no_memory(256);

    ip_free(folder);
    return status;
}

/* Whether the clip's row belongs to the same footage with the same settings, so that its frames count. */
static bool resumable(const ip_ingest *ingest, const ip_clip_row *old)
{
    bool same_movie = !ingest->info->movie || (old->file_sha256 && strcmp(old->file_sha256, ingest->row.file_sha256) == 0);

    return same_movie && ip_ingest_compare(old, &ingest->row) == IPOS_OK;
}

static ipos_status ingest_clip(ip_ingest *ingest)
{
    ip_clip_row old;
    ipos_status status = ip_clip_load(ingest->store, ingest->row.name, &old);

    if (status != IPOS_OK && status != IPOS_ERR_NOT_FOUND)
        return status;
    if (status == IPOS_OK && strcmp(old.state, "ready") == 0) {
        status = ip_ingest_check(ingest, &old);
        ip_clip_row_free(&old);
        return status;
    }
    bool known = status == IPOS_OK;
    status = ingest->info->movie ? hash_movie(ingest) : IPOS_OK;
    if (status == IPOS_OK && known && resumable(ingest, &old)) {
        /* The row as it stands is what gets completed. */
        ip_clip_row mine = ingest->row;
        ingest->row = old;
        old = mine;
    } else if (status == IPOS_OK) {
        status = register_clip(ingest);
    }
    if (known)
        ip_clip_row_free(&old);
    if (status == IPOS_OK && ingest->row.copied)
        status = make_copy_folder(ingest);
    if (status == IPOS_OK && ingest->row.copied && ingest->info->movie)
        status = copy_movie(ingest);
    if (status == IPOS_OK)
        status = ingest->info->movie ? ip_ingest_movie(ingest) : ip_ingest_images(ingest);
    return status == IPOS_OK ? finish(ingest) : status;
}

static ipos_status check_config(const char *footage, const ipos_clip_config *config)
{
    if (!footage || !*footage)
        return ip_fail(IPOS_ERR_ARGUMENT, "ingest: the footage's path is required");
    if (!config || !config->name || !ip_name_ok(config->name))
        return ip_fail(IPOS_ERR_ARGUMENT, "ingest: clip name \"%s\": expected 1 to 100 letters, digits, '.', '_', '-'",
            config && config->name ? config->name : "");
    if (config->training != IPOS_TRAINING_ALLOWED && config->training != IPOS_TRAINING_DENIED)
        return ip_fail(IPOS_ERR_ARGUMENT, "clip \"%s\": whether it may be trained on is unknown: say allowed or denied",
            config->name);
    if (config->first_frame < -FIRST_FRAME_MOST || config->first_frame > FIRST_FRAME_MOST)
        return ip_fail(IPOS_ERR_ARGUMENT, "clip \"%s\": first_frame %lld, expected at most %lld either way", config->name,
            (long long)config->first_frame, (long long)FIRST_FRAME_MOST);
    return IPOS_OK;
}

ipos_status ip_store_ingest(ip_store *store, const char *footage, const ipos_clip_config *config, ipos_progress_fn progress,
    void *user)
{
    ip_ingest ingest = {.store = store, .config = config, .env = store->env};
    char *lock;
    int fd = -1;
    ipos_status status;

    IP_TRY(check_config(footage, config));
    ingest.env.make = NULL;
    IP_TRY(ip_media_open(&ingest.env, footage, &ingest.media));
    ingest.info = ip_media_info_of(ingest.media);
    ingest.total = ingest.info->count;
    ip_progress_start(&ingest.progress, progress, user, store->env.cancel, "ingesting", config->name);
    status = ip_ingest_settings(&ingest);
    lock = ip_format("ingest-%s.lock", config->name);
    if (status == IPOS_OK)
        status = lock ? ip_lock_take(store, lock, false, &fd) : ip_no_memory(128);
    if (status == IPOS_OK)
        status = ingest_clip(&ingest);
    ip_lock_end(store, lock, fd);
    ip_free(lock);
    ip_free(ingest.pending);
    ip_clip_row_free(&ingest.row);
    ip_media_close(ingest.media);
    return status;
}
