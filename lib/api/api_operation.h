/* One operation: settings, input, results. */
#ifndef IP_API_OPERATION_H
#define IP_API_OPERATION_H

#include "api.h"

typedef struct ip_picture {
    ipos_rational time;
    double confidence;
    ipos_frame *picture, *evidence; /* host clips; a project's are read when asked for */
} ip_picture;

typedef struct ip_result {
    char *option, *variant, *title, *details;
    double score;
    int rank;
    ip_picture *pictures;
    size_t count;
} ip_result;

/* A frame the host handed in: its hash for the draft's record, its attributes for the results. */
typedef struct ip_source {
    size_t clip;            /* place among the run's clips */
    char *name;             /* of a further clip; NULL: the clip worked on */
    int64_t number;
    char hash[65];
    ipos_frame *attributes; /* one pixel; NULL: a further clip's */
    ipos_frame *frame;      /* one that is to be changed, whole, while the run lasts */
} ip_source;

typedef struct ip_host_input {
    ipos_host_clip clip; /* texts owned */
    ipos_fetch_fn fetch;
    void *user;
    int64_t *holes; /* numbers the host turned out not to have, ascending */
    size_t hole_count;
} ip_host_input;

/* job_clips.c: [0] is the clip worked on, then those that options of type clip name. Views point into the rest. */
typedef struct ip_job_clips {
    ip_op_clip *views;
    ip_store_clip *stored; /* of a project's clips */
    char **names;          /* NULL for [0] */
    size_t count;
} ip_job_clips;

struct ipos_operation {
    uint32_t magic;
    atomic_int refs;
    ipos_project *project;
    const ip_op_spec *spec;
    pthread_mutex_t lock;
    ip_cancel cancel;
    ip_option_values *options;
    ipos_model *model;
    char *clip;         /* input (a); NULL: host or none */
    ip_host_input host; /* input (b); fetch NULL: none */
    char *frames;
    ip_times times;
    bool running;       /* a callback of the run may look, not change or run anything */
    bool finished;
    ip_result *results;
    size_t result_count;
    ip_source *sources;
    size_t source_count;
};

/* operation.c */
ipos_status ip_operation_enter(ipos_operation *operation); /* as ip_enter; while it runs it is IPOS_ERR_STATE to its callbacks too */
ipos_status ip_operation_leave(ipos_operation *operation, ipos_status status);
/* Every setting with its value, as text. */
ipos_status ip_operation_parameters(const ipos_operation *operation, char **json);

/* job_clips.c: IPOS_ERR_NOT_FOUND, _PERMISSION, _STATE for a clip that cannot be used, with the option that names it in the text. */
ipos_status ip_job_clips_of(const ipos_operation *operation, ip_job_clips *out);
void ip_job_clips_free(ip_job_clips *clips);

/* results.c */
void ip_results_clear(ipos_operation *operation);
void ip_results_drop(ipos_operation *operation); /* what variants have emitted so far, for a run that starts over */
ip_result *ip_result_of(ipos_operation *operation, const char *variant); /* found or made; NULL: no memory */
ipos_status ip_result_add(ipos_operation *operation, const char *variant, ipos_rational time, double confidence, ipos_frame *picture,
    ipos_frame *evidence);
void ip_results_sort(ipos_operation *operation);
/* Replaces the results by what the project stored under ids. */
ipos_status ip_results_load(ipos_operation *operation, char *const *ids, size_t count);

/* host_input.c, host_record.c */
ipos_status ip_host_set(ip_host_input *input, const ipos_host_clip *clip, ipos_fetch_fn fetch, void *user);
void ip_host_clear(ip_host_input *input);
/* A frame of the run's clip number index, which is view. Holes in the clip worked on are noted for a run that starts over. */
ipos_status ip_host_fetch(ipos_operation *operation, size_t index, const ip_op_clip *view, int64_t number, ipos_frame **out);
/* Attributes of the nearest source frame for a result, its timecode counted on to a whole frame, else left out. A changed frame has all
 * those of its own source, and is held against it by ip_edit_check. */
ipos_status ip_host_dress(ipos_operation *operation, ipos_rational time, ipos_frame *picture, const ipos_frame *evidence);
void ip_host_settle(ipos_operation *operation); /* after a run: gives up the frames kept for it */
/* Records the hand-out in the ledger as a draft and gives every result its id. */
ipos_status ip_host_record(ipos_operation *operation);

#endif
