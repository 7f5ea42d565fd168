#include "publish.h"
#include <unistd.h>

typedef struct ip_publishing {
    ip_store *store;
    const char *id;
    json_t *option, *files; /* files: what is published, [{"path","sha256"}] */
    ip_store_clip clip;
    ip_target target;
    ip_progress progress;
    int64_t bytes;
    size_t absent; /* pictures that are not in place yet */
} ip_publishing;

static ipos_status load_option(ip_publishing *work)
{
    char *text;
    json_t *list;

    IP_TRY(ip_store_options_json(work->store, work->id, &text));
    ipos_status status = ip_doc_parse(text, "option", &list);
    ip_free(text);
    IP_TRY(status);
    work->option = json_incref(json_array_get(list, 0));
    json_decref(list);
    const char *state = json_string_value(json_object_get(work->option, "state"));
    if (!state || strcmp(state, "accepted") != 0)
        return ip_fail(IPOS_ERR_NOT_ACCEPTED, "option \"%s\": is %s: a named person must accept it before it leaves the project", work->id,
            state ? state : "damaged");
    return ip_store_clip_get(work->store, json_string_value(json_object_get(work->option, "clip")), &work->clip);
}

/* What the option was made from must still be what it was made from. */
static ipos_status check_sources(ip_publishing *work)
{
    const size_t count = json_array_size(json_object_get(work->option, "frames"));
    size_t i;
    json_t *source;
    ipos_status status = IPOS_OK;

    json_array_foreach(json_object_get(work->option, "sources"), i, source) {
        const char *clip = json_string_value(json_object_get(source, "clip"));
        status = ip_store_source_check(work->store, clip ? clip : work->clip.name, json_integer_value(json_object_get(source, "frame")));
        if (status == IPOS_OK)
            status = ip_progress_tell(&work->progress, 0, 0, (int64_t)count, 0, false);
        if (status != IPOS_OK)
            break;
    }
    return status;
}

static ipos_rational time_of(const json_t *frame)
{
    const json_t *time = json_object_get(frame, "time");

    return (ipos_rational){json_integer_value(json_array_get(time, 0)), json_integer_value(json_array_get(time, 1))};
}

/* The picture's stored bytes if the format asked for is the one it is kept in, else the same samples in the other format. */
static ipos_status picture_bytes(ip_publishing *work, size_t index, const char *from, const char *to, const char *expected,
    void **bytes,
    size_t *size, char hash[65])
{
    const char *format = ip_path_format(to);
    ipos_write_config config = {sizeof config, .format = format};
    ipos_frame *frame;
    ip_stamp stamp;
    ipos_status status;

    *bytes = NULL;
    if (strcmp(format, ip_path_format(from)) == 0) {
        status = ip_read_stamped(from, bytes, size, &stamp);
        if (status == IPOS_OK && (!ip_sha256_of(*bytes, *size, hash) || strcmp(hash, expected) != 0))
            status = ip_fail(IPOS_ERR_TAMPERED, "%s: was altered since it was made (SHA-256 expected %s, found %s)", from,
                expected, hash);
    } else {
        IP_TRY(ip_store_option_frame(work->store, work->id, index, false, &frame));
        status = ip_image_write(&frame, 1, &config, NULL, bytes, size);
        ipos_frame_release(frame);
        if (status != IPOS_OK)
            ip_fail_in(status, "%s", to);
        else if (!ip_sha256_of(*bytes, *size, hash))
            status = ip_fail(IPOS_ERR_UNKNOWN, "%s: hashing failed", to);
    }
    if (status != IPOS_OK) {
        ip_free(*bytes);
        *bytes = NULL;
    }
    return status;
}

/* Where a picture goes. In a folder a changed frame has the name of the file that it was. */
static ipos_status path_of(ip_publishing *work, const json_t *frame, const char *from, char **to)
{
    const ipos_rational time = time_of(frame);
    char *source = NULL;

    if (work->target.kind == IP_TARGET_FOLDER && time.den == 1 && ip_option_changes(work->option, time.num))
        IP_TRY(ip_store_source_name(work->store, work->clip.name, time.num, &source));
    *to = source && *source ? ip_target_same(&work->target, source, from) : ip_target_path(&work->target, time, from);
    ip_free(source);
    return *to ? IPOS_OK : ip_no_memory(256);
}

/* One picture: looked at only (existing files must be identical), or put in place. */
static ipos_status picture(ip_publishing *work, size_t index, bool write)
{
    const json_t *frame = json_array_get(json_object_get(work->option, "frames"), index);
    const char *from = json_string_value(json_object_get(frame, "picture"));
    const char *expected = json_string_value(json_object_get(frame, "picture_sha256"));
    char *to, hash[65];
    void *bytes = NULL;
    size_t size = 0;

    if (!from)
        return ip_fail(IPOS_ERR_TAMPERED, "option \"%s\": picture %zu has no file", work->id, index);
    ipos_status status = path_of(work, frame, from, &to);
    if (status != IPOS_OK)
        return status;
    const bool there = access(to, F_OK) == 0;
    work->absent += !write && !there;
    if (write || there) {
        status = picture_bytes(work, index, from, to, expected, &bytes, &size, hash);
        if (status == IPOS_OK)
            status = ip_place_bytes(to, work->id, bytes, size, hash, write, NULL);
    }
    if (status == IPOS_OK && write) {
        json_array_append_new(work->files, json_pack("{s:s, s:s}", "path", to, "sha256", hash));
        work->bytes += (int64_t)size;
    }
    ip_free(bytes);
    ip_free(to);
    return status;
}

/* Pictures are out from the first one on, even if a stop or a kill keeps the last from following: the ledger says so beforehand. */
static ipos_status announce(ip_publishing *work)
{
    char *details;

    if (work->absent == 0)
        return IPOS_OK;
    json_t *note = json_pack("{s:s, s:s, s:I}", "option", work->id, "path", work->target.output, "pictures", (json_int_t)work->absent);
    if (!note)
        return ip_fail(IPOS_ERR_ARGUMENT, "publish: the output's path is not valid UTF-8");
    IP_TRY(ip_doc_give(note, &details));
    ipos_status status = ip_ledger_append(work->store, "publishing", NULL, details);
    ip_free(details);
    return status;
}

static ipos_status pictures(ip_publishing *work, size_t count)
{
    const char *output = work->target.output;
    char *folder = work->target.kind == IP_TARGET_FOLDER ? ip_strdup(output)
                                                         : ip_format("%.*s", (int)IP_MAX(strrchr(output, '/') - output, 1), output);
    ipos_status status = folder ? ip_make_folders(folder) : ip_no_memory(256);

    ip_free(folder);
    /* First look, then write: a conflict at the last picture leaves no half sequence behind. */
    for (size_t i = 0; i < count && status == IPOS_OK; i++)
        status = picture(work, i, false);
    if (status == IPOS_OK)
        status = announce(work);
    for (size_t i = 0; i < count && status == IPOS_OK; i++) {
        status = picture(work, i, true);
        if (status == IPOS_OK)
            status = ip_progress_tell(&work->progress, (double)(i + 1) / (double)count, (int64_t)i + 1, (int64_t)count,
                work->bytes, i + 1 == count);
    }
    return status;
}

/* Whether the ledger says that this option put exactly these bytes there. */
static ipos_status was_published(ip_publishing *work, const char *path, const char *hash, bool *yes)
{
    sqlite3_stmt *rows;
    bool row = false;
    ipos_status status = ip_db_prepare(work->store->db, &rows, "SELECT details FROM ledger WHERE act='publishing' ORDER BY seq DESC", "");

    *yes = false;
    while (status == IPOS_OK && !*yes && (status = ip_db_step(rows, &row)) == IPOS_OK && row) {
        json_t *details = json_loads(ip_db_text(rows, 0), 0, NULL);
        const char *option = json_string_value(json_object_get(details, "option"));
        const char *there = json_string_value(json_object_get(details, "path")), *sha = json_string_value(json_object_get(details, "sha256"));
        *yes = option && there && sha && strcmp(option, work->id) == 0 && strcmp(there, path) == 0 && strcmp(sha, hash) == 0;
        json_decref(details);
    }
    sqlite3_finalize(rows);
    return status;
}

static ipos_status encode(ip_publishing *work, const char *temporary, size_t count)
{
    ip_movie_writer *writer;
    ipos_status status;

    IP_TRY(ip_movie_create(&work->store->env, temporary, work->clip.rate, &writer));
    for (status = IPOS_OK; status == IPOS_OK && work->bytes < (int64_t)count; work->bytes++) {
        ipos_frame *frame;
        status = ip_store_option_frame(work->store, work->id, (size_t)work->bytes, false, &frame);
        if (status != IPOS_OK)
            break;
        status = ip_movie_add(writer, frame);
        ipos_frame_release(frame);
        if (status == IPOS_OK)
            status = ip_progress_tell(&work->progress, (double)work->bytes / (double)count, work->bytes + 1, (int64_t)count, 0,
                false);
    }
    if (status == IPOS_OK)
        return ip_movie_end(writer, true);
    char *text = ip_strdup(ipos_last_error());
    (void)ip_movie_end(writer, false);
    ip_fail(status, "%s", text ? text : "out of memory");
    ip_free(text);
    return status;
}

/* An encoder need not give the same bytes twice, so the ledger notes the film's hash before it appears under its name. */
static ipos_status movie(ip_publishing *work, size_t count)
{
    const char *path = work->target.output;
    char hash[65], *temporary, *details;
    uint64_t size;
    bool ours = false;
    ipos_status status;

    if (access(path, F_OK) == 0) {
        IP_TRY(ip_sha256_file(path, hash, &size));
        IP_TRY(was_published(work, path, hash, &ours));
        if (!ours)
            return ip_fail(IPOS_ERR_CONFLICT, "%s: exists and is not this option's: nothing is overwritten, choose another output or move it away", path);
        json_array_append_new(work->files, json_pack("{s:s, s:s}", "path", path, "sha256", hash));
        return IPOS_OK;
    }
    temporary = ip_place_temporary(path, work->id);
    if (!temporary)
        return ip_no_memory(256);
    unlink(temporary);
    status = encode(work, temporary, count);
    if (status == IPOS_OK)
        status = ip_sha256_file(temporary, hash, &size);
    json_t *note = status == IPOS_OK ? json_pack("{s:s, s:s, s:s}", "option", work->id, "path", path, "sha256", hash) : NULL;
    if (status == IPOS_OK && (status = ip_doc_give(note, &details)) == IPOS_OK) {
        status = ip_ledger_append(work->store, "publishing", NULL, details);
        ip_free(details);
    }
    if (status == IPOS_OK)
        status = ip_place_file(temporary, path);
    else
        unlink(temporary);
    ip_free(temporary);
    if (status == IPOS_OK)
        json_array_append_new(work->files, json_pack("{s:s, s:s}", "path", path, "sha256", hash));
    return status == IPOS_OK ? ip_progress_tell(&work->progress, 1, (int64_t)count, (int64_t)count, (int64_t)size, true) : status;
}

/* The act, unless the very same is there already: repeating a publish that was complete changes nothing. */
static ipos_status record(ip_publishing *work)
{
    sqlite3_stmt *row;
    json_t *details = json_pack("{s:s, s:O}", "option", work->id, "files", work->files);
    char *text = ip_doc_text(details);

    json_decref(details);
    if (!text)
        return ip_fail(IPOS_ERR_ARGUMENT, "publish: the output's path is not valid UTF-8");
    ipos_status status = ip_db_first(work->store->db, &row, "SELECT 1 FROM ledger WHERE act='publish' AND details=?", "t", text);
    if (status == IPOS_OK)
        sqlite3_finalize(row);
    else if (status == IPOS_ERR_NOT_FOUND)
        status = ip_ledger_append(work->store, "publish", NULL, text);
    ip_free(text);
    return status;
}

ipos_status ip_publish(ip_store *store, const char *id, const char *output, ipos_progress_fn progress, void *user, char **json)
{
    ip_publishing work = {.store = store, .id = id, .files = json_array()};
    char *lock = ip_format("publish-%s.lock", id ? id : "");
    int fd = -1;

    if (json)
        *json = NULL;
    ip_progress_start(&work.progress, progress, user, store->env.cancel, "publishing", id ? id : "");
    ipos_status status = work.files && lock ? load_option(&work) : ip_no_memory(64);
    size_t count = json_array_size(json_object_get(work.option, "frames"));
    if (status == IPOS_OK)
        status = ip_target_of(output, &work.clip, count, &work.target);
    if (status == IPOS_OK)
        status = check_sources(&work);
    if (status == IPOS_OK)
        status = ip_lock_take(store, lock, true, &fd);
    if (status == IPOS_OK)
        status = work.target.kind == IP_TARGET_MOVIE ? movie(&work, count) : pictures(&work, count);
    if (status == IPOS_OK)
        status = record(&work);
    if (status == IPOS_OK && json)
        status = ip_doc_give(json_pack("{s:O}", "files", work.files), json);
    ip_lock_end(store, lock, fd);
    ip_free(lock);
    ip_target_free(&work.target);
    ip_store_clip_free(&work.clip);
    json_decref(work.option);
    json_decref(work.files);
    return status;
}
