/* Inside training: the two stages share the budget, the clips and the checkpoint. train.c is the detector's, train_fusion.c the fusion's. */
#ifndef IP_WIRES_TRAIN_H
#define IP_WIRES_TRAIN_H

#include "rehearse.h"

enum { IW_TRAIN_REACH = 7 };
/* Of the budget: more steps still help the detector, while the fusion has gained hundredths of a dB at any length tried. */
static const double iw_detector_part = .92;

typedef struct iw_training {
    ip_op_host *host;
    ip_clip *clips;
    iw_plate *plates, *held;
    size_t plate_count, held_count;
    float scale;
    iw_sampler sampler, held_sampler;
    iw_crop *crops, *held_crops;
    size_t crop_count, held_crop_count, chosen_by;
    ip_buffer held_text;
    double done, begin, part;
    const char *stage;
} iw_training;

/* Checkpoints say which stage they are of and carry the finished detector: {stage, seconds of the whole, size of the model}, model, the
 * trainer's own checkpoint. */
typedef struct iw_mark {
    char magic[8];
    uint32_t stage, detector_steps;
    double seconds;
    uint64_t model_size;
} iw_mark;
static const char iw_mark_magic[8] = "IPWIRES1";

typedef struct iw_saver {
    iw_training *t;
    iw_mark mark;
    const void *model;
} iw_saver;

typedef struct iw_figures {
    double f1, seconds, model, classical;
    int64_t steps[2];
    size_t scored;
    double *by_clip; /* model, classical, count for each clip */
} iw_figures;

/* user: iw_training. */
ipos_status iw_train_tick(void *user);
/* user: iw_saver. */
ipos_status iw_train_save(void *user, const void *bytes, size_t size);
ipos_status iw_train_progress(void *user, double done, const char *stage, const char *extra);
/* Where a clip's frames to learn from end and those held out begin. */
void iw_train_parts(const ip_op_clip *clip, int64_t *end, int64_t *held);
/* Of a budget in steps; 0: by time. */
int64_t iw_detector_steps(const ip_op_host *host);
ipos_status iw_fusion_stage(iw_training *t, ip_wire_model *model, const iw_mark *from, const uint8_t *rest, size_t rest_size, double seconds, double since,
    iw_figures *out);

#endif
