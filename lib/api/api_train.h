/* One training run: what was asked for, and what the engine's callbacks need. */
#ifndef IP_API_TRAIN_H
#define IP_API_TRAIN_H

#include "api.h"

typedef struct ip_train {
    ipos_project *project;
    ipos_train_config config;  /* defaults filled in */
    const ip_op_spec *spec;
    char **names;              /* clips, sorted, no two equal */
    size_t name_count;
    ip_store_clip *clips;
    ip_op_clip *views;
    json_t *request;           /* what must be equal for a checkpoint to be gone on from */
    json_t *look;             /* for the card; NULL: none */
    char started[32];
    double begun, elapsed;     /* this run's start; seconds of work in runs before it */
    void *checkpoint;
    size_t checkpoint_bytes;
    bool saved;                /* the engine has handed over a model */
    ipos_frame *preview;       /* newest one not yet written */
    double preview_written;
    bool preview_there;
    ipos_progress_fn progress;
    void *user;
} ip_train;

/* train_input.c: clips and their permissions, the checkpoint to go on from. */
ipos_status ip_train_prepare(ip_train *train);
void ip_train_clear(ip_train *train);
/* A clip without permission cannot be learned from: asked before the run, with every frame, with every checkpoint, and by the store
 * before it keeps a model. */
ipos_status ip_train_permissions(const ip_train *train);
/* request, seconds worked so far and start, as JSON text (ip_free). */
ipos_status ip_train_settings(const ip_train *train, char **json);
char *ip_train_clip_list(const ip_train *train); /* comma-separated (ip_free) */

#endif
