/* What a training run carries from step to step; in trainer.c and checkpoint.c only. */
#ifndef IP_TRAIN_STATE_H
#define IP_TRAIN_STATE_H

#include "trainer.h"
#include "weights.h"

enum { IP_SET_EMA, IP_SET_FIRST, IP_SET_SECOND, IP_SET_BEST, IP_SETS };

typedef struct ip_train_state {
    const ip_backend_v1 *b;
    const ip_train_task *task;
    const ip_train_host *host;
    ip_train_plan plan;
    size_t count;
    ip_tensor **sets[IP_SETS];
    /* kept in checkpoints */
    int64_t step, applied, best_step, validated_step, skipped, skipped_in_a_row;
    double seconds, loss, start_score, best_score, validated;
    /* of this run */
    double before, started, saved, reported, validation_seconds;
} ip_train_state;

ipos_status ip_train_state_make(ip_train_state *state); /* the sets, from the parameters */
void ip_train_state_free(ip_train_state *state);
ipos_status ip_train_state_save(const ip_train_state *state, void **bytes, size_t *size);
ipos_status ip_train_state_load(ip_train_state *state); /* from plan.checkpoint */

#endif
