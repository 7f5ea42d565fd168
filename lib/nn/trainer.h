/* The training loop, for any task: AdamW with warm-up and cosine decay over the budget, gradient clipping, an averaged copy of the
 * weights (EMA) scored on held-out material, the best one kept, checkpoints that a later run goes on from bit by bit. */
#ifndef IP_TRAINER_H
#define IP_TRAINER_H

#include "nn.h"

/* What is learnt. Callbacks come on the calling thread; a failure ends the training with that status. */
typedef struct ip_train_task {
    void *user;
    const char *architecture; /* into checkpoints */
    ip_params *params;        /* start values; afterwards the best average, or the last */
    /* Draws the batch of one step from rng, or from the plan's seed and step, and from nothing else, and gives the loss (one value, on the tape). */
    ipos_status (*loss)(void *user, ip_tape *tape, ip_rng *rng, int64_t step, ip_tensor **loss);
    /* Score (higher is better) of params as they stand; gradients are off. */
    ipos_status (*validate)(void *user, double *score);
    /* A picture for people, after each validation; may be NULL. */
    ipos_status (*preview)(void *user);
} ip_train_task;

/* Zero means the default in brackets. */
typedef struct ip_train_plan {
    int64_t steps;             /* budget in steps; 0: by time */
    double seconds;            /* budget in seconds from now on; with steps 0 */
    double rate, decay;        /* peak learning rate (8e-4), weight decay (1e-4) */
    int64_t warm_up;           /* steps (50) */
    double clip, ema;          /* gradient norm (1), EMA factor (.995) */
    bool keep_last;            /* the last average is the result, whatever its score: where what is held out is too little to choose by */
    int validations;           /* in the whole run (20); by time fewer where they would take more than an eighth of it */
    uint64_t seed;
    double checkpoint_seconds; /* at least so often (20) */
    const void *checkpoint;    /* to go on from; its seed must be this one */
    size_t checkpoint_bytes;
} ip_train_plan;

/* Who watches. Members may be NULL. */
typedef struct ip_train_host {
    void *user;
    /* A few times a second. done: 0..1, or negative for "as before" (a sign of life while scoring). extra: JSON members "loss", "score", "baseline", "step", "steps". IPOS_ERR_CANCELLED stops: a last
     * checkpoint is saved and ip_train returns it. */
    ipos_status (*progress)(void *user, double done, const char *stage, const char *extra);
    ipos_status (*save_checkpoint)(void *user, const void *bytes, size_t size);
} ip_train_host;

typedef struct ip_train_result {
    int64_t steps, best_step; /* best_step 0: nothing beat the start */
    double seconds;           /* of training, over all runs */
    double loss;              /* running mean */
    double start_score, score; /* of the start values and of the average that is kept */
    int64_t skipped;          /* steps left out as their gradient was not finite */
} ip_train_result;

/* With a step budget the weights depend on task, plan, thread count and library alone, however often the run was interrupted. */
ipos_status ip_train(const ip_train_task *task, const ip_train_plan *plan, const ip_train_host *host, ip_train_result *result);

#endif
