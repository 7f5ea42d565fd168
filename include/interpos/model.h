/* interpos/model.h: models trained on a project's own dailies. Part of libinterpos. */
#ifndef INTERPOS_MODEL_H
#define INTERPOS_MODEL_H

#include <interpos/project.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Trained weights with their card. Immutable, may be shared between threads. */
typedef struct ipos_model ipos_model;

typedef struct ipos_train_config {
    uint32_t struct_size;
    int32_t resume;          /* 1: go on from the last checkpoint of this model name, if there is one */
    const char *name;        /* the model's name in the project; letters, digits, '.', '_', '-'; required */
    const char *operation;   /* the operation it is for, e.g. "inbetween"; required */
    const char *clips;       /* comma-separated clip names; NULL: every clip whose training permission is "allowed".
                                Naming a clip without permission is IPOS_ERR_PERMISSION. */
    double minutes;          /* time budget; 0 with steps 0: 10 minutes */
    int64_t steps;           /* step budget; 0: by time. Fixed steps, seed, threads and library version repeat bit-exactly. */
    uint64_t seed;
    int32_t threads;         /* 0: as the context says */
    const char *device;      /* "auto", "cpu", "cuda", "cuda:1"; NULL: "auto" */
    const char *operator_name; /* who started it, for the card; NULL: not stated */
    const char *preview;     /* path of a PNG that is kept up to date while training (written atomically); NULL: none */
    const char *look;        /* the production's look, a document of ipos_look_json, to be kept on the card; NULL: none */
} ipos_train_config;

/* Trains in the engine and stores the best checkpoint on held-out shots. Blocks; progress on this thread. A part of the
 * dailies is held out by shot; the card gives its score beside the classical baseline's, per clip. Cancelling, or the death
 * of either process, keeps the last checkpoint: call again with resume = 1. A finished model is not replaced: its name gives
 * IPOS_ERR_CONFLICT, except that resume = 1 with the settings it was made with finds it done. out may be NULL. */
IPOS_API IPOS_NODISCARD ipos_status ipos_model_train(ipos_project *project, const ipos_train_config *config,
    ipos_progress_fn progress, void *user, ipos_model **out);
/* Opens a trained model of this project. One trained in another project is IPOS_ERR_PERMISSION, an altered file IPOS_ERR_TAMPERED. */
IPOS_API IPOS_NODISCARD ipos_status ipos_model_open(ipos_project *project, const char *name, ipos_model **out);
IPOS_API void ipos_model_retain(ipos_model *model);
IPOS_API void ipos_model_release(ipos_model *model);
/* The model card. JSON: {"name","operation","architecture","project","inputs":[{"clip","training","licence","owner",
 * "frames":[{"number","sha256"}]}],"held_out":[...],"settings":{},"seed","versions":{},"base_weights":null,
 * "score":{"held_out","baseline","gain","per_clip":[{"clip","model","baseline"}]},"look":{...} or null,"started","finished","operator"} (ipos_free). */
IPOS_API IPOS_NODISCARD ipos_status ipos_model_card(ipos_model *model, char **json);
/* The same for people, plain text (ipos_free). */
IPOS_API IPOS_NODISCARD ipos_status ipos_model_card_text(ipos_model *model, char **text);
/* [{"name","operation","state":"ready|unfinished","created","gain"}] */
IPOS_API IPOS_NODISCARD ipos_status ipos_project_models(ipos_project *project, char **json);

#ifdef __cplusplus
}
#endif
#endif
