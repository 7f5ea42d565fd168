/* interpos/operation.h: the errands of post. Part of libinterpos. */
#ifndef INTERPOS_OPERATION_H
#define INTERPOS_OPERATION_H

#include <interpos/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One job: an operation's kind, its settings, its input, its results. One thread at a time, except ipos_operation_cancel. */
typedef struct ipos_operation ipos_operation;

enum {
    IPOS_OPTION_INT = 1,
    IPOS_OPTION_REAL = 2,
    IPOS_OPTION_BOOL = 3,   /* 0 or 1; as text also true/false, on/off, yes/no */
    IPOS_OPTION_TEXT = 4,
    IPOS_OPTION_CHOICE = 5, /* text, one of choices */
    IPOS_OPTION_CLIP = 6,   /* text: names of other clips, comma-separated; "" none. See ipos_operation_set_clip */
    IPOS_OPTION_FILE = 7    /* text: path of a file that the operation reads; kept as an absolute path; "" none */
};

typedef struct ipos_option_info {
    uint32_t struct_size;
    int32_t type;
    const char *name;     /* texts are static */
    const char *help;
    const char *unit;     /* "" if none */
    const char *choices;  /* comma-separated; "" unless IPOS_OPTION_CHOICE */
    const char *preset;   /* the default as text */
    double minimum;       /* INT and REAL: inclusive range */
    double maximum;
} ipos_option_info;

/* Kinds of operation: [{"name","title","help","trainable":bool,"edits":bool,"options":[{"name","type","help","unit","choices":[],
 * "default","minimum","maximum"}]}] (ipos_free). type: "int", "real", "bool", "text", "choice", "clip", "file". edits: it changes frames that
 * exist; otherwise it makes frames. */
IPOS_API IPOS_NODISCARD ipos_status ipos_operations(char **json);

/* kind: "inbetween", ... An unknown kind is IPOS_ERR_NOT_FOUND with the known ones in the text. */
IPOS_API IPOS_NODISCARD ipos_status ipos_operation_create(ipos_project *project, const char *kind, ipos_operation **out);
IPOS_API void ipos_operation_retain(ipos_operation *operation);
IPOS_API void ipos_operation_release(ipos_operation *operation);

IPOS_API size_t ipos_operation_option_count(const ipos_operation *operation);
IPOS_API IPOS_NODISCARD ipos_status ipos_operation_option_info(const ipos_operation *operation, size_t index, ipos_option_info *info);
/* Sets an option from text ("0.5", "true", "gentle"). Unknown names, values of the wrong type and out of range are
 * IPOS_ERR_ARGUMENT with a text that names what is allowed. */
IPOS_API IPOS_NODISCARD ipos_status ipos_operation_set(ipos_operation *operation, const char *name, const char *value);
IPOS_API IPOS_NODISCARD ipos_status ipos_operation_set_int(ipos_operation *operation, const char *name, int64_t value);
IPOS_API IPOS_NODISCARD ipos_status ipos_operation_set_real(ipos_operation *operation, const char *name, double value);
/* The model to use; NULL: the classical method alone. */
IPOS_API IPOS_NODISCARD ipos_status ipos_operation_set_model(ipos_operation *operation, ipos_model *model);

/* Strokes: curves that a person draws where something is, e.g. along a wire. Operations that use them have an option "strokes", which takes
 *   {"strokes":[{"wire":"left","frame":1012,"kind":"wire","points":[[x,y],...],"width":4}]}
 * wire: a name (without one each stroke is a wire of its own); the same name on several frames: the same wire, keyed there. kind: for
 * "wires" "wire" (the default) or "shadow", of the wire of that name if there is one; for "relight" "add", "remove", "old-add",
 * "old-remove", "gobo" or "protect", see its option: there a curve that ends where it begins is an area, any other a band of its width.
 * points: 2 to 1000, in continuous pixels of the picture's data window: the first pixel covers 0..1 both ways. width: pixels, may be left
 * out. ("confidence" and "note" are allowed and dropped.)
 *
 * Reads them from such a JSON file, or from the paths (M L H V C S Q T Z), polylines and lines of an SVG file; curves are flattened. An SVG
 * element's id is the wire's name; its frame is data-frame (a group's holds for what is in it), or the end of an id such as left@1012;
 * data-kind is the kind (a group's holds for what is in it; a class "shadow" makes it a shadow too); stroke-width is the width. User units
 * are pixels from the viewBox's corner. Transforms translate, scale and matrix are applied, others refused (IPOS_ERR_UNSUPPORTED). frame:
 * for strokes that name none; INT64_MIN: refuse those. *json (ipos_free) is the form above, checked: kind and frame always there, numbers
 * to 1/10000. What is wrong is IPOS_ERR_FORMAT with file, stroke, value and what was expected. */
IPOS_API IPOS_NODISCARD ipos_status ipos_strokes_read(const char *path, int64_t frame, char **json);

/* Input (a): a clip of the project. Options of type IPOS_OPTION_CLIP name further ones: a clean plate, another take, a matte. At the run
 * each must be in the project and its permission allow the operation; the frames read from it are among the results' sources. */
IPOS_API IPOS_NODISCARD ipos_status ipos_operation_set_clip(ipos_operation *operation, const char *clip);
/* Which frames: comma-separated "10", "10-20", "1-99x2" (every second), "10.5", "21/2". For "inbetween" these are the frames to make;
 * whole numbers among them are treated as missing and never read. "10-12x1/4": every quarter. Sorted, each once. For an operation that
 * edits these are the frames to change: whole numbers that the clip has, else the run is IPOS_ERR_ARGUMENT. A changed frame keeps every
 * attribute (timecode too), all channels and parts of its source, and all samples where its evidence map says "original": the library
 * compares them. */
IPOS_API IPOS_NODISCARD ipos_status ipos_operation_set_frames(ipos_operation *operation, const char *frames);

/* Input (b): frames from the host. fetch is called on the thread in ipos_operation_run only. It stores a frame in *out (the
 * library takes over that reference) and returns IPOS_OK; IPOS_ERR_NOT_FOUND where the clip has no such frame; another status
 * to stop the job with it. channels: comma-separated names wanted; giving more is fine (a grey picture gives "Y"). A result
 * carries the attributes of the source frame nearest to it; its timecode is counted on to a whole frame, and left out where the time
 * is a fraction or the rate is not known. A frame that is changed is fetched like any other and its result carries its own attributes;
 * the library keeps such a frame until the run is over.
 * Options of type IPOS_OPTION_CLIP name further clips of the host's: fetch is called with those names too, for numbers from first to last.
 * There IPOS_ERR_NOT_FOUND means only that this clip lacks the frame. Their encoding is the clip's; for the options "matte" and
 * "holdout" it is "data": 0..1, no light. What the clip says about training holds for them too. */
typedef ipos_status (*ipos_fetch_fn)(void *user, const char *clip, int64_t number, const char *channels, ipos_frame **out);
typedef struct ipos_host_clip {
    uint32_t struct_size;
    int32_t training;      /* as in ipos_clip_config; recorded */
    const char *name;      /* for the ledger and the callback; required */
    int64_t first, last;   /* frame numbers that exist; at most 10 million */
    ipos_rational rate;    /* 0/0: unknown */
    const char *encoding;  /* required */
    const char *owner;     /* required */
    const char *licence;   /* required */
} ipos_host_clip;
IPOS_API IPOS_NODISCARD ipos_status ipos_operation_set_host_clip(ipos_operation *operation, const ipos_host_clip *clip,
    ipos_fetch_fn fetch, void *user);

/* Runs the job; blocks; progress (may be NULL) on this thread. With a project clip every variant is stored as an option of the
 * project; with a host clip results stay in memory and the hand-out is recorded in the ledger as a draft. */
IPOS_API IPOS_NODISCARD ipos_status ipos_operation_run(ipos_operation *operation, ipos_progress_fn progress, void *user);
/* Stops a running job from any thread that holds a reference, or from a signal handler; the run returns IPOS_ERR_CANCELLED. Called
 * before a run, it stops that one. */
IPOS_API void ipos_operation_cancel(ipos_operation *operation);

/* Results after a successful run, best first. */
typedef struct ipos_result_info {
    uint32_t struct_size;
    int32_t frames;        /* pictures in this result */
    const char *option;    /* id in the project; the draft's id for host clips */
    const char *variant;   /* which method, e.g. "full", "plain", "average" */
    const char *title;     /* for people; these texts live until the operation runs again or goes */
    double score;          /* the operation's own leave-one-out score in dB; negative where it could not be measured */
    const char *details;   /* what the operation has to say about this result: a JSON object, "{}" if nothing */
} ipos_result_info;
IPOS_API size_t ipos_operation_result_count(const ipos_operation *operation);
IPOS_API IPOS_NODISCARD ipos_status ipos_operation_result(const ipos_operation *operation, size_t index, ipos_result_info *info);
/* Picture number frame (0-based, in time order) of result index, its time in frames and confidence 0..1. evidence != 0: its
 * evidence map (see ipos_option_frame). The caller owns *out. time and confidence may be NULL. */
IPOS_API IPOS_NODISCARD ipos_status ipos_operation_result_frame(const ipos_operation *operation, size_t index, size_t frame,
    int32_t evidence, ipos_rational *time, double *confidence, ipos_frame **out);

#ifdef __cplusplus
}
#endif
#endif
