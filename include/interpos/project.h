/* interpos/project.h: a production's folder: clips, permissions, options, decisions, ledger. Part of libinterpos.
 *
 * A project is a folder with an SQLite catalogue, models, and options. Footage stays where it is and is only read.
 * Lists come back as JSON documents (UTF-8, sorted keys, freed with ipos_free): members are only ever added.
 * One thread at a time per handle; several processes may open one project: writers wait for one another.
 */
#ifndef INTERPOS_PROJECT_H
#define INTERPOS_PROJECT_H

#include <interpos/frame.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ipos_project ipos_project;

/* Makes a new project in folder, which must not exist or be empty. title: for people; NULL: the folder's name. */
IPOS_API IPOS_NODISCARD ipos_status ipos_project_create(ipos_context *context, const char *folder, const char *title, ipos_project **out);
/* Opens an existing one; an older schema is migrated (a copy of the catalogue is kept), a newer one is refused. */
IPOS_API IPOS_NODISCARD ipos_status ipos_project_open(ipos_context *context, const char *folder, ipos_project **out);
IPOS_API void ipos_project_retain(ipos_project *project);
IPOS_API void ipos_project_release(ipos_project *project);
/* {"id","title","folder","schema","clips","frames","models","options"} */
IPOS_API IPOS_NODISCARD ipos_status ipos_project_info(ipos_project *project, char **json);

enum {
    IPOS_TRAINING_UNKNOWN = 0, /* refused at ingest */
    IPOS_TRAINING_ALLOWED = 1,
    IPOS_TRAINING_DENIED = 2   /* operations may read the clip, nothing may learn from it */
};

typedef struct ipos_clip_config {
    uint32_t struct_size;
    int32_t training;          /* IPOS_TRAINING_ALLOWED or _DENIED; required */
    const char *name;          /* unique in the project; letters, digits, '.', '_', '-'; required */
    const char *owner;         /* who owns the footage; required */
    const char *licence;       /* the basis on which it is used, e.g. "production-owned", "CC BY 3.0"; required */
    const char *encoding;      /* see ipos_frame_set_encoding; NULL: from the files, else refused with the choices listed */
    ipos_rational rate;        /* frames a second; 0/0: from the files, else refused */
    const char *operations;    /* comma-separated operations allowed on it; NULL: all */
    const char *consents;      /* JSON array of {"performer","reference","scope"}; NULL: none recorded */
    const char *tags;          /* comma-separated "key=value" or "word": camera, lens, scene, take ...; NULL: none */
    const char *permission_source; /* the document the training permission comes from; NULL: not stated */
    int64_t first_frame;       /* number of a movie's first frame; sequences keep their own numbers */
    int32_t copy;              /* 1: also copy the files into the project */
    int32_t duplicate_check;   /* 0: on; -1: off */
} ipos_clip_config;

/* Records a clip: an image sequence (pattern or folder), one image, or a movie. Hashes every frame (SHA-256 of the file's
 * bytes; of the decoded samples for movies, and of the whole movie file), finds cuts and duplicate frames, reads timecode.
 * Idempotent: the same footage under the same name is found unchanged; after an interruption it goes on where it stopped.
 * A name that holds other footage gives IPOS_ERR_CONFLICT. */
IPOS_API IPOS_NODISCARD ipos_status ipos_project_ingest(ipos_project *project, const char *footage, const ipos_clip_config *config,
    ipos_progress_fn progress, void *user);
/* Every clip: [{"name","frames","first","last","width","height","rate":[n,d],"encoding","owner","licence","training",
 * "operations":[],"tags":[],"consents":[],"shots":[[first,last]...],"duplicates":n,"timecode","path","state"}].
 * name NULL: all; else that clip alone, or IPOS_ERR_NOT_FOUND. */
IPOS_API IPOS_NODISCARD ipos_status ipos_project_clips(ipos_project *project, const char *name, char **json);
/* Reads one frame of a clip after checking that its bytes are those that were ingested (IPOS_ERR_CHANGED if not). */
IPOS_API IPOS_NODISCARD ipos_status ipos_project_frame(ipos_project *project, const char *clip, int64_t number, ipos_frame **out);
/* Changes a clip's training permission (allowed/denied) with who and why; recorded in the ledger. */
IPOS_API IPOS_NODISCARD ipos_status ipos_project_set_training(ipos_project *project, const char *clip, int32_t training,
    const char *by, const char *note);

/* Options an operation made: [{"id","operation","clip","request","variant","title","state":"open|accepted|rejected|draft",
 * "score","frames":[{"time":[n,d],"confidence","picture","evidence"}],"model","parameters":{},"sources":[{"frame","sha256","clip"}],
 * "details":{},"decision":{"by","note","when"},"sheet","created"}], newest last. "picture", "evidence", "sheet" are absolute paths of
 * image files. A source without "clip" is a frame of the option's own clip. "details" is the operation's to fill; where it follows things
 * through the shot: "strokes" (the curves it found, as ipos_strokes_read gives them) and "lost":[{"wire","first","last"}], runs of frames
 * where it lost one. A draft's "details" has "results":{"sources","variants":[{"variant","details"...}]} instead. id NULL: all. */
IPOS_API IPOS_NODISCARD ipos_status ipos_project_options(ipos_project *project, const char *id, char **json);
/* Picture of option id at index (0-based, in time order); evidence != 0 gives its evidence map instead: one channel "evidence":
 * 0 original, 1 seen in another frame, 2 seen in another take, 3 invented, 4 the frame's own in other light, colour or grain,
 * 5 its old shadow lifted, 6 a new one cast on it, 7 sky in other light; and a channel "confidence" 0..1. There may be more: "matte", what
 * was taken out (0..1, soft), and "matte.shadow", its shadow; "relight.lifted" and "relight.cast", stops, and "relight.sky", a share. */
IPOS_API IPOS_NODISCARD ipos_status ipos_option_frame(ipos_project *project, const char *id, size_t index, int32_t evidence, ipos_frame **out);
/* A named person's decision. by is required; note may be NULL. A later decision replaces an earlier one; both stay in the ledger. */
IPOS_API IPOS_NODISCARD ipos_status ipos_option_accept(ipos_project *project, const char *id, const char *by, const char *note);
IPOS_API IPOS_NODISCARD ipos_status ipos_option_reject(ipos_project *project, const char *id, const char *by, const char *note);
/* Writes an accepted option's frames to output: a folder, a sequence pattern, or (one frame) a file. Format, sample type,
 * metadata and numbering are the source's (a movie gives PNG or TIFF at its bit depth). In a folder, changed frames have the names of the
 * files that they were. Changed frames of an EXR with a lossy compression (B44, DWA) are written with ZIP: what did not change stays bit by
 * bit. A name that ends in .mkv (lossless) or .mov (ProRes) gives a movie. IPOS_ERR_CHANGED if a frame that the option was made from is no longer what was ingested. Existing files are not overwritten
 * (IPOS_ERR_CONFLICT) unless they are identical: an interrupted publish is finished by repeating it. json (may be NULL) gets
 * {"files":[{"path","sha256"}]}. */
IPOS_API IPOS_NODISCARD ipos_status ipos_option_publish(ipos_project *project, const char *id, const char *output,
    ipos_progress_fn progress, void *user, char **json);

/* Every act, oldest first, one JSON array of {"seq","when","act","by","details":{},"previous","hash"}. */
IPOS_API IPOS_NODISCARD ipos_status ipos_project_ledger(ipos_project *project, char **json);
/* Checks the ledger's chain, that the catalogue agrees with it, and the stored files of models and options against their
 * hashes; with footage != 0 every ingested frame too. json gets {"ok","checked":{},"problems":[text...]}; IPOS_ERR_TAMPERED
 * (with the JSON still given) when something does not match. */
IPOS_API IPOS_NODISCARD ipos_status ipos_project_verify(ipos_project *project, int32_t footage, ipos_progress_fn progress, void *user, char **json);

#ifdef __cplusplus
}
#endif
#endif
