/* What the store's files share with one another and with the review room; nobody else includes it. */
#ifndef IP_CATALOGUE_H
#define IP_CATALOGUE_H

#include "db.h"
#include "store.h"
#include <jansson.h>
#include <sys/stat.h>

#define IP_LEDGER_START "0000000000000000000000000000000000000000000000000000000000000000"

/* The identity of a file that has not been touched. */
typedef struct ip_stamp {
    int64_t size, mtime, inode; /* mtime in ns */
} ip_stamp;
static inline ip_stamp ip_stamp_of(const struct stat *st)
{
    return (ip_stamp){st->st_size, (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec, (int64_t)st->st_ino};
}
static inline bool ip_stamp_same(ip_stamp a, ip_stamp b) { return a.size == b.size && a.mtime == b.mtime && a.inode == b.inode; }

/* One row of clips. Texts are owned; JSON columns are kept as text. */
typedef struct ip_clip_row {
    int64_t id;
    char *name, *state, *path, *source, *kind, *format, *codec, *encoding, *owner, *licence, *permission_source;
    char *operations, *consents, *tags, *timecode, *file_sha256, *cuts, *duplicates, *missing, *digest, *created;
    int64_t first, last, frames, width, height, sample_type, bits, training, movie_first, copied, duplicate_check;
    ipos_rational rate;
    ip_stamp file;
} ip_clip_row;
ipos_status ip_clip_load(ip_store *store, const char *name, ip_clip_row *row); /* IPOS_ERR_NOT_FOUND with the known names */
ipos_status ip_clip_next(sqlite3_stmt *statement, ip_clip_row *row);           /* from IP_CLIP_SELECT's current row */
void ip_clip_row_free(ip_clip_row *row);
extern const char ip_clip_select[];
/* What the ledger records of a clip: the settings, and, once it is complete, all that was found. Training is apart. */
json_t *ip_clip_record(const ip_clip_row *row, bool complete);
const char *ip_training_name(int64_t training);
char *ip_clip_file(ip_store *store, const ip_clip_row *row, const char *file); /* absolute path; file NULL: the clip's own path */
/* SHA-256 over every frame row of the clip, in order. */
ipos_status ip_clip_digest(ip_store *store, int64_t clip, char hex[65]);

/* A clip and its movie kept open between ip_store_frame calls. */
typedef struct ip_open_clip {
    char *name;
    ip_clip_row row;
    ip_media *media;
    ip_stamp file;
    uint64_t used;  /* the store's turn when it was last asked for */
    bool loaded;
} ip_open_clip;

struct ip_store {
    sqlite3 *db;
    char *folder, *title, *ffmpeg;
    char id[33];
    ip_io_env env;
    ip_option_writer *writer; /* notes which frames are read while it is open */
    ip_open_clip opened[4], *open; /* kept open: an operation reads several by turns; open is the one in use */
    uint64_t turn;
    int64_t counter;          /* for names in tmp/ */
    bool head_due;            /* the running transaction appended to the ledger */
};

/* Transactions: begin takes the write lock. end commits if status is IPOS_OK, else rolls back and returns status with its text. */
ipos_status ip_store_begin(ip_store *store);
ipos_status ip_store_end(ip_store *store, ipos_status status);
ipos_status ip_meta_get(ip_store *store, const char *key, char **value); /* NULL if absent */
ipos_status ip_meta_set(ip_store *store, const char *key, const char *value);

/* Inside a transaction; steals details. */
ipos_status ip_ledger_add(ip_store *store, const char *act, const char *by, json_t *details);
/* After a commit that appended, and at open: brings ledger.head up to date where it is merely behind. */
ipos_status ip_ledger_head_write(ip_store *store);
char *ip_ledger_head_path(ip_store *store);
/* Canonical text of a JSON value (sorted, compact; ip_free) and the hash of one act. */
char *ip_doc_text(const json_t *value);
bool ip_ledger_hash(int64_t seq, const char *when, const char *act, const char *by, json_t *details, const char *previous,
    char hex[65]);

/* JSON helpers. Loading a text that is not JSON gives IPOS_ERR_FORMAT with what in the text. */
ipos_status ip_doc_parse(const char *text, const char *what, json_t **out);
json_t *ip_doc_split(const char *comma_list);           /* array of trimmed, non-empty words; never NULL but for memory */
json_t *ip_doc_text_or_null(const char *text);
json_t *ip_doc_rational(ipos_rational value);
ipos_status ip_doc_give(json_t *value, char **text);    /* dumps sorted, drops value */

/* scratch.c: work folders under tmp/, each held by a lock file for as long as its owner lives. */
typedef struct ip_scratch {
    char *folder, *lock;
    int fd;
} ip_scratch;
ipos_status ip_scratch_open(ip_store *store, ip_scratch *out);
void ip_scratch_close(ip_scratch *scratch); /* removes folder and lock */
ipos_status ip_scratch_clean(ip_store *store); /* leftovers of dead owners */
ipos_status ip_remove_tree(const char *path);  /* no links followed */
ipos_status ip_sync_folder(const char *path);
ipos_status ip_copy_file(const char *from, const char *to); /* atomic: a temporary beside it, fsync, rename */
/* A named lock file under tmp/; IPOS_ERR_CONFLICT if another process or handle holds it (wait: for 30 s). */
ipos_status ip_lock_take(ip_store *store, const char *name, bool wait, int *fd);
void ip_lock_drop(int fd);
void ip_lock_end(ip_store *store, const char *name, int fd); /* drops it and removes the file */

/* progress.c: a few calls a second, a time estimate, the documented JSON members. */
typedef struct ip_progress {
    ipos_progress_fn call;
    void *user;
    const ip_cancel *cancel;
    const char *verb, *clip;
    double started, last, base, done;
} ip_progress;
void ip_progress_start(ip_progress *progress, ipos_progress_fn call, void *user, const ip_cancel *cancel, const char *verb,
    const char *clip);
/* fraction 0..1; IPOS_ERR_CANCELLED when the caller or the cancel flag wants to stop. force: do not wait for the next tick. */
ipos_status ip_progress_tell(ip_progress *progress, double fraction, int64_t frame, int64_t frames, int64_t bytes, bool force);

/* frames.c: a file's bytes, read once. The stamp is that of the open file before and after; a file that changes while being
 * read is IPOS_ERR_CHANGED. */
ipos_status ip_read_stamped(const char *path, void **bytes, size_t *size, ip_stamp *stamp);
/* The hash of a large file, which must stay as it is meanwhile; can be cancelled. progress may be NULL. */
ipos_status ip_hash_stamped(const char *path, ip_progress *progress, char hash[65], ip_stamp *stamp);
/* The parts or pages behind the first of the file that a frame is in (ip_frames_free); most files have none. */
ipos_status ip_store_source_rest(ip_store *store, const char *clip, int64_t number, ipos_frame ***rest, size_t *count);
/* Name of the file, without its folder, that frame number was ingested from; "" for a movie (ip_free). */
ipos_status ip_store_source_name(ip_store *store, const char *clip, int64_t number, char **name);
ipos_status ip_store_source_check(ip_store *store, const char *clip, int64_t number); /* IPOS_ERR_CHANGED unless its bytes are as ingested */
void ip_open_clip_reset(ip_store *store);

/* An option being made. */
typedef struct ip_option_picture {
    char *picture, *evidence; /* file names in the variant's folder */
    char picture_hash[65], evidence_hash[65];
    ipos_rational time;
    double confidence;
} ip_option_picture;
typedef struct ip_option_variant {
    char *variant, *title, *details, *folder;
    int rank;
    double score;
    bool named; /* ip_option_add has come */
    ip_option_picture *pictures;
    size_t count, room;
} ip_option_variant;
/* Frames of one clip that were read while the writer is open, ascending. */
typedef struct ip_option_source {
    char *clip;
    int64_t id, *numbers;
    size_t count, room;
} ip_option_source;
struct ip_option_writer {
    ip_store *store;
    ip_scratch scratch;
    ip_clip_row clip;
    char *operation, *frames, *parameters, *model, *model_hash;
    ip_option_variant *variants;
    size_t count;
    bool edits;               /* pictures are changed frames of the clip, not new ones */
    ip_option_source *read;   /* the clip's own first, then those of ip_option_add_clip */
    size_t read_count;
    int64_t nearest;          /* the source frame attributes came from last */
    ipos_frame *attributes;
};
/* option_sources.c */
ipos_status ip_writer_note(ip_option_writer *writer, const char *clip, int64_t number); /* writer may be NULL */
ipos_status ip_writer_sources(ip_option_writer *writer, char **text);
void ip_writer_sources_free(ip_option_writer *writer);
/* Whether the option's picture of frame number is that frame, changed. Frames that are made are never read, so their own number is not
 * among the sources; changed ones always are. */
bool ip_option_changes(const json_t *option, int64_t number);
/* option_dress.c: a view of picture's samples with the metadata of its source; the caller's frame stays as it is. */
ipos_status ip_writer_dress(ip_option_writer *writer, ipos_rational time, const ipos_frame *picture, ipos_frame **out);
/* What goes into the picture's file: dressed, and for a changed frame the other parts of its source. Also on failure: ip_frames_free. */
ipos_status ip_writer_parts(ip_option_writer *writer, ipos_rational time, ipos_frame *dressed, ipos_frame ***parts, size_t *count);
/* option_evidence.c: the map as it is kept, half floats of every channel; "confidence" and "evidence" must be there. */
ipos_status ip_evidence_half(const ipos_frame *evidence, ipos_frame **out);
ipos_status ip_model_record(ip_store *store, const char *name, int64_t version, json_t **record); /* models.c, as for the ledger */
/* option_commit.c: the ledger's record of one option from its rows. */
ipos_status ip_option_record(ip_store *store, int64_t id, json_t **record);
void ip_option_writer_free(ip_option_writer *writer);
/* Whether frames ("10-20,31/2") asks for the whole number. */
bool ip_frames_ask(const char *frames, int64_t number);

/* A file in an option's folder until its transaction has committed. */
#define IP_OPTION_MARK "unfinished"
bool ip_option_unfinished(ip_store *store, int64_t id);
/* options.c */
char *ip_option_path(ip_store *store, int64_t id, const char *file); /* NULL file: the option's folder */
bool ip_option_id(const char *text, int64_t *id);
/* "10" -> "0010", 21/2 -> "0010+1_2", -3/2 -> "-0002+1_2". */
void ip_time_label(ipos_rational time, int digits, char out[64]);
bool ip_format_fits(const ipos_frame *frame, const char *format);
/* The image format made pictures of a clip are kept in: "exr", "tiff", "png". */
const char *ip_format_for(const ipos_frame *frame, const char *clip_format);

#endif
