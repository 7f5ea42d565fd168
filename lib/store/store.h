/* The project on disk: catalogue (SQLite), ingest, models, options, decisions, ledger. */
#ifndef IP_STORE_H
#define IP_STORE_H

#include "io.h"
#include <interpos/model.h>
#include <interpos/operation.h>
#include <interpos/project.h>

typedef struct ip_store ip_store;

ipos_status ip_store_create(const char *folder, const char *title, const ip_io_env *env, ip_store **out);
ipos_status ip_store_open(const char *folder, const ip_io_env *env, ip_store **out);
void ip_store_close(ip_store *store);
const char *ip_store_folder(const ip_store *store); /* absolute */
const char *ip_store_id(const ip_store *store);     /* random 128-bit hex, made once */
ipos_status ip_store_info_json(ip_store *store, char **json);

/* progress is called on the calling thread; see ipos_project_ingest. */
ipos_status ip_store_ingest(ip_store *store, const char *footage, const ipos_clip_config *config, ipos_progress_fn progress,
    void *user);
ipos_status ip_store_clips_json(ip_store *store, const char *name, char **json);
ipos_status ip_store_set_training(ip_store *store, const char *clip, int32_t training, const char *by, const char *note);

/* What an operation needs to know of a clip; freed with ip_store_clip_free. */
typedef struct ip_store_clip {
    char *name, *encoding, *owner, *licence, *path, *format;
    int64_t first, last;
    ipos_rational rate;
    int training;
    int64_t *cuts, *duplicates, *missing;
    size_t cut_count, duplicate_count, missing_count;
} ip_store_clip;
ipos_status ip_store_clip_get(ip_store *store, const char *name, ip_store_clip *out);
void ip_store_clip_free(ip_store_clip *clip);
/* IPOS_ERR_PERMISSION where the clip's allowed operations leave the operation out, or, for training, where it is not allowed. */
ipos_status ip_store_check_permission(ip_store *store, const char *clip, const char *operation, bool training);
/* Names of all clips whose training is allowed, comma-separated (ip_free). */
ipos_status ip_store_trainable(ip_store *store, char **names);
/* One frame, bytes checked against the catalogue (IPOS_ERR_CHANGED). Keeps the media of a few clips open between calls. */
ipos_status ip_store_frame(ip_store *store, const char *clip, int64_t number, ipos_frame **out);
/* The same, not recorded as a source of options in the making. */
ipos_status ip_store_source_frame(ip_store *store, const char *clip, int64_t number, ipos_frame **out);

/* Models: models/NAME.safetensors, checkpoints in models/NAME.checkpoint with what it was started with as JSON. */
ipos_status ip_store_checkpoint_save(ip_store *store, const char *name, const char *settings_json, const void *bytes, size_t size);
ipos_status ip_store_checkpoint_load(ip_store *store, const char *name, char **settings_json, void **bytes, size_t *size); /* NOT_FOUND */
/* Stores the weights with the card in the safetensors header ("__metadata__": {"interpos.card": JSON}), registers model and hash,
 * appends to the ledger, drops the checkpoint. measured: JSON from training; the card is made from it, the catalogue (every
 * input frame with hash and permission) and settings. */
ipos_status ip_store_model_save(ip_store *store, const char *name, const char *operation, const char *clips,
    const char *settings_json,
    const char *measured_json, const char *started_utc, const void *weights, size_t size);
ipos_status ip_store_model_load(ip_store *store, const char *name, void **bytes, size_t *size, char **card_json, char hash[65]);
ipos_status ip_store_models_json(ip_store *store, char **json);
char *ip_card_text(const char *card_json); /* for people */

/* What operations found and can find again, in the project's folder cache, at most 8 GiB; key: 64 hexadecimal digits. recall: *bytes NULL where it is not
 * there or not whole, else the caller frees them. */
ipos_status ip_cache_recall(ip_store *store, const char *key, void **bytes, size_t *size);
ipos_status ip_cache_keep(ip_store *store, const char *key, const void *bytes, size_t size);

/* Options. Frames of the clip read through ip_store_frame between begin and commit are recorded as the options' sources; the
 * pictures get the metadata of the source frame nearest to them. begin makes a request; add_frame writes the picture (format as the clip's own) and the evidence; add names a variant;
 * commit makes all visible at once (atomic), or abandon removes every trace. Ids are "o" and a number.
 * After begin: add_clip names a further clip whose frames count as sources (refused as begin refuses the clip itself). edits: the pictures
 * are frames of the clip, changed: each has exactly its own source's metadata and every part of its file, and is held against it by
 * ip_edit_check. */
typedef struct ip_option_writer ip_option_writer;
ipos_status ip_store_options_begin(ip_store *store, const char *operation, const char *clip, const char *frames,
    const char *parameters_json, const char *model_name, const char *model_hash, ip_option_writer **out);
ipos_status ip_option_add_clip(ip_option_writer *writer, const char *clip);
void ip_option_edits(ip_option_writer *writer);
ipos_status ip_option_add_frame(ip_option_writer *writer, const char *variant, ipos_rational time, double confidence,
    ipos_frame *picture, ipos_frame *evidence);
ipos_status ip_option_add(ip_option_writer *writer, const char *variant, const char *title, int rank, double score,
    const char *details_json);
ipos_status ip_option_commit(ip_option_writer *writer, char ***ids, size_t *count); /* ids in rank order; frees writer */
void ip_option_abandon(ip_option_writer *writer);
ipos_status ip_store_options_json(ip_store *store, const char *id, char **json);
ipos_status ip_store_option_frame(ip_store *store, const char *id, size_t index, bool evidence, ipos_frame **out);
/* IPOS_ERR_ENGINE unless picture, which is source changed, has its windows and channels, and its bits wherever the channel "evidence" of
 * the evidence map, or what lies outside of the map, is 0. */
ipos_status ip_edit_check(int64_t number, const ipos_frame *source, const ipos_frame *picture, const ipos_frame *evidence);
/* Records results handed to a host as a draft: a ledger act and a row of state "draft" without pictures. clip, model (may be NULL) and
 * results are JSON objects or arrays, parameters a JSON object; clip needs "name". *id is the draft's ("o12", ip_free). */
ipos_status ip_store_draft(ip_store *store, const char *operation, const char *clip_json, const char *parameters_json,
    const char *model_json, const char *results_json, char **id);
ipos_status ip_store_decide(ip_store *store, const char *id, bool accept, const char *by, const char *note);

/* Ledger: an append-only chain; details is a JSON object. by may be NULL. */
ipos_status ip_ledger_append(ip_store *store, const char *act, const char *by, const char *details_json);
ipos_status ip_ledger_json(ip_store *store, char **json);
ipos_status ip_store_verify(ip_store *store, bool footage, ipos_progress_fn progress, void *user, char **json);

#endif
