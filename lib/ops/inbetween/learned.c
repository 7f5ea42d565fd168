/* The trained fusion over a classical plan, and its leave-one-out trial. */
#include "learned.h"

#include "fuse.h"
#include "samples.h"

struct ib_learned {
    ip_op_host *host;
    ip_fuse *fuse;
};

ipos_status ib_learned_open(ip_op_host *host, const void *model, size_t size, ib_learned **out) {
    const ip_backend_v1 *backend = ip_backend();
    if (!backend)
        return IPOS_ERR_ENGINE;
    int32_t device;
    IP_TRY(backend->device_find(host->device, &device));
    ib_learned *learned = ip_calloc(1, sizeof *learned);
    if (!learned)
        return IPOS_ERR_NO_MEMORY;
    learned->host = host;
    ipos_status status = ip_fuse_load(backend, device, model, size, &learned->fuse);
    if (status != IPOS_OK) {
        ib_learned_close(learned);
        return ip_fail_in(status, "the model for inbetween");
    }
    *out = learned;
    return IPOS_OK;
}

void ib_learned_close(ib_learned *learned) {
    if (!learned)
        return;
    ip_fuse_free(learned->fuse);
    ip_free(learned);
}

void ib_fuse_input(const ip_inbetween_fusion *fusion, ip_fuse_input *out) {
    _Static_assert((int)IP_FUSE_CANDIDATES == (int)IP_INBETWEEN_CANDIDATES && (int)IP_FUSE_SIDES == (int)IP_INBETWEEN_SIDES,
        "the network sees what the plan gives");
    *out = (ip_fuse_input){.width = fusion->width, .height = fusion->height, .stride = fusion->logits[0].stride};
    for (int k = 0; k < IP_FUSE_CANDIDATES; k++) {
        const ip_image3 *image = k < 4 ? &fusion->warped[k] : &fusion->still[k - 4];
        for (int c = 0; c < 3; c++)
            out->candidate[k][c] = image->c[c].data;
        out->logit[k] = fusion->logits[k].data;
    }
    for (int k = 0; k < IP_FUSE_SIDES; k++)
        out->side[k] = fusion->side[k].data;
}

static ipos_status still_there(void *user, double done) {
    (void)done;
    ip_op_host *host = user;
    return ip_cancelled(host->cancel) ? ip_fail(IPOS_ERR_CANCELLED, "cancelled") : IPOS_OK;
}

/* Packed planes of logits and residual for a fusion. */
static ipos_status forward(ib_learned *learned, const ip_inbetween_fusion *fusion, ip_plane_f logits[IP_INBETWEEN_CANDIDATES],
    ip_plane_f residual[3], float *store) {
    size_t plane = (size_t)fusion->width * (size_t)fusion->height;
    ip_fuse_input input;
    ib_fuse_input(fusion, &input);
    ip_fuse_output output = {0};
    for (int k = 0; k < IP_INBETWEEN_CANDIDATES; k++) {
        logits[k] = (ip_plane_f){fusion->width, fusion->height, fusion->width, store + (size_t)k * plane};
        output.logit[k] = logits[k].data;
    }
    for (int k = 0; k < 3; k++) {
        residual[k] = (ip_plane_f){fusion->width, fusion->height, fusion->width, store + (size_t)(IP_INBETWEEN_CANDIDATES + k) * plane};
        output.residual[k] = residual[k].data;
    }
    ip_fuse_limits limits = {.memory = learned->host->memory_limit / 2, .cancel = learned->host->cancel, .tick = still_there, .user = learned->host};
    return ip_fuse_forward(learned->fuse, &input, &limits, &output);
}

ipos_status ib_learned_apply(ib_learned *learned, ip_inbetween_plan *plan, const ip_image3 *left, const ip_image3 *right, int threads,
    ib_residual *residual) {
    *residual = (ib_residual){0};
    ip_inbetween_fusion fusion;
    IP_TRY(ip_inbetween_fusion_make(plan, left, right, threads, &fusion));
    ip_plane_f *planes = ip_calloc(3, sizeof *planes), logits[IP_INBETWEEN_CANDIDATES];
    float *store = ip_alloc((size_t)fusion.width * (size_t)fusion.height * (IP_INBETWEEN_CANDIDATES + 3) * sizeof *store);
    ipos_status status = planes && store ? forward(learned, &fusion, logits, planes, store) : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK) {
        ip_inbetween_plan_set_logits(plan, logits, threads);
        *residual = (ib_residual){fusion.active, planes, store};
    } else {
        ip_free(planes);
        ip_free(store);
    }
    ip_inbetween_fusion_free(&fusion);
    return status;
}

void ib_residual_free(ib_residual *residual) {
    ip_free((void *)residual->rgb);
    ip_free(residual->store);
    *residual = (ib_residual){0};
}

typedef struct trial_work {
    ib_learned *learned;
    ib_trial *out;
} trial_work;

static ipos_status compare(const ib_planned *planned, const ib_residual *residual, int threads, ib_likeness *out) {
    ip_image3 made = {0};
    ipos_status status = ib_plan_colour(planned, residual, threads, &made);
    if (status == IPOS_OK)
        status = ib_compare(&made, &planned->truth, threads, out);
    ip_image3_free(&made);
    return status;
}

/* With the plan at hand: its own picture, then the network's, both beside the truth on the active part. */
static ipos_status trial(void *user, const ib_planned *planned) {
    trial_work *work = user;
    int threads = work->learned->host->threads;
    IP_TRY(compare(planned, NULL, threads, &work->out->classical));
    ib_residual residual;
    IP_TRY(ib_learned_apply(work->learned, planned->plan, &planned->left, &planned->right, threads, &residual));
    ipos_status status = compare(planned, &residual, threads, &work->out->learned);
    work->out->measured = status == IPOS_OK;
    ib_residual_free(&residual);
    return status;
}

/* A network has to show at least so many dB on the known neighbours before a frame is made with it. */
static const double learned_margin = .02;

bool ib_learned_helps(const ip_inbetween_choice *choice, double gain, double structure) {
    if (structure < 0)
        return false;
    if (choice->variant != IP_INBETWEEN_AVERAGE)
        return gain >= learned_margin;
    return choice->measured && choice->psnr[IP_INBETWEEN_PLAIN] + gain >= choice->psnr[IP_INBETWEEN_AVERAGE] + learned_margin;
}

ipos_status ib_learned_trial(ib_learned *learned, const ib_shot *shot, size_t index, const ip_inbetween_choice *choice, ib_trial *out) {
    *out = (ib_trial){0};
    if (index == 0 || index + 1 >= shot->count)
        return IPOS_OK;
    ib_shot rest;
    IP_TRY(ib_shot_without(shot, index, &rest));
    ip_inbetween_variant variant = choice->variant == IP_INBETWEEN_AVERAGE ? IP_INBETWEEN_PLAIN : choice->variant;
    trial_work work = {learned, out};
    ipos_status status = ib_plan_known(&rest, shot->numbers[index], variant, choice->trajectory, trial, &work);
    ib_shot_close(&rest);
    return status;
}
