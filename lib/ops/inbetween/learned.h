/* The network trained on the project's own dailies, on top of a classical plan. */
#ifndef IP_INBETWEEN_LEARNED_H
#define IP_INBETWEEN_LEARNED_H

#include "inbetween_op.h"

typedef struct ib_learned ib_learned;
/* model: the bytes of a model file trained for this operation. */
ipos_status ib_learned_open(ip_op_host *host, const void *model, size_t size, ib_learned **out);
void ib_learned_close(ib_learned *learned);
/* Lets the network choose the plan's weights, and gives what it adds to the colour; residual's planes are freed by
 * ib_residual_free. left, right: the working-encoding colour of the plan's two frames. */
ipos_status ib_learned_apply(ib_learned *learned, ip_inbetween_plan *plan, const ip_image3 *left, const ip_image3 *right, int threads,
    ib_residual *residual);
void ib_residual_free(ib_residual *residual);

/* Leave-one-out: known frame `index` of the shot is predicted from its own neighbours without and with the network. measured is
 * false where it has none. psnr: peak 1 in the working encoding, on the part inside the letterbox. */
typedef struct ib_trial {
    bool measured;
    ib_likeness classical, learned;
} ib_trial;
/* Whether a network that gained so many dB on the known neighbours over the classical plan it sits on is also ahead of the best
 * method without one: an average has no plan to sit on. structure: the gain in SSIM; a network that pays for PSNR with blur is refused. */
bool ib_learned_helps(const ip_inbetween_choice *choice, double gain, double structure);
ipos_status ib_learned_trial(ib_learned *learned, const ib_shot *shot, size_t index, const ip_inbetween_choice *choice, ib_trial *out);

#endif
