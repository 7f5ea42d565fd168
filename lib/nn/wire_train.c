/* Training the wire detector: batches, the loss, the held-out score. */
#include "wire_net.h"

#include <math.h>

enum { PIXELS = IP_WIRE_PATCH * IP_WIRE_PATCH, PARTS = IP_WIRE_PLANES + 2 };

typedef struct run {
    ip_wire_net *net;
    const ip_wire_training *training;
    int32_t batch;
    float *planes, *target, *weight;
} run;

static ip_wire_example example_at(const run *r, int32_t item)
{
    float *planes = r->planes + (size_t)item * IP_WIRE_PLANES * PIXELS;
    ip_wire_example example = {.target = r->target + (size_t)item * PIXELS, .weight = r->weight + (size_t)item * PIXELS};
    for (int k = 0; k < IP_WIRE_PLANES; k++)
        example.plane[k] = planes + k * PIXELS;
    return example;
}

/* weight * (max(x, 0) - x * t + log(1 + exp(-|x|))): cross-entropy of logits that neither overflows nor loses digits. */
static ip_tensor *cross_entropy(ip_tape *t, const ip_tensor *x, const ip_tensor *target, const ip_tensor *weight)
{
    ip_tensor *soft = ip_t_log(t, ip_t_affine(t, ip_t_exp(t, ip_t_affine(t, ip_t_abs(t, x), -1, 0)), 1, 1));
    ip_tensor *hard = ip_t_sub(t, ip_t_leaky(t, x, 0), ip_t_mul(t, x, target));
    return ip_t_mean(t, ip_t_mul(t, weight, ip_t_add(t, hard, soft)), IP_ALL_DIMS);
}

/* 1 - 2 sum(p t) / sum(p^2 + t^2) over the whole batch, so that empty patches do no harm. */
static ip_tensor *dice(ip_tape *t, const ip_tensor *x, const ip_tensor *target, const ip_tensor *weight)
{
    ip_tensor *known = ip_t_clamp(t, weight, 0, 1), *p = ip_t_mul(t, ip_t_sigmoid(t, x), known), *want = ip_t_mul(t, target, known);
    ip_tensor *both = ip_t_sum(t, ip_t_mul(t, p, want), IP_ALL_DIMS);
    ip_tensor *all = ip_t_add(t, ip_t_sum(t, ip_t_square(t, p), IP_ALL_DIMS), ip_t_sum(t, ip_t_square(t, want), IP_ALL_DIMS));
    return ip_t_affine(t, ip_t_div(t, both, ip_t_affine(t, all, 1, 1)), -2, 1);
}

static ipos_status loss(void *user, ip_tape *t, ip_rng *rng, int64_t step, ip_tensor **out)
{
    run *r = user;
    (void)step;
    for (int32_t i = 0; i < r->batch; i++) {
        ip_wire_example example = example_at(r, i);
        IP_TRY(r->training->draw(r->training->user, rng, &example));
    }
    int64_t shape[4] = {r->batch, IP_WIRE_PLANES, IP_WIRE_PATCH, IP_WIRE_PATCH};
    ip_tensor *planes = ip_t_from(t, r->planes, shape, 4);
    shape[1] = 1;
    ip_tensor *target = ip_t_from(t, r->target, shape, 4), *weight = ip_t_from(t, r->weight, shape, 4);
    ip_tensor *logits = ip_wire_net_logits(t, ip_wire_net_params(r->net), planes);
    *out = ip_t_add(t, cross_entropy(t, logits, target, weight), ip_t_affine(t, dice(t, logits, target, weight), .3, 0));
    return t->status;
}

static ipos_status score(run *r, ipos_status (*preview)(void *, const ip_wire_example *, const float *), double *f1)
{
    const ip_wire_training *training = r->training;
    double hit = 0, missed = 0, wrong = 0;
    float *answer = ip_alloc(PIXELS * sizeof *answer);
    ipos_status status = answer ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    for (int64_t i = 0; i < training->held_out_count && status == IPOS_OK; i++) {
        ip_wire_example e = example_at(r, 0);
        status = training->held_out(training->user, i, &e);
        ip_wire_view view = {.width = IP_WIRE_PATCH, .height = IP_WIRE_PATCH, .stride = IP_WIRE_PATCH};
        for (int k = 0; k < IP_WIRE_PLANES; k++)
            view.plane[k] = e.plane[k];
        if (status == IPOS_OK)
            status = ip_wire_net_run(r->net, &view, NULL, NULL, answer);
        for (int at = 0; at < PIXELS && status == IPOS_OK; at++) {
            bool found = answer[at] > .5f, there = e.target[at] >= .25f, known = e.weight[at] > 0 && (there || e.target[at] < .02f);
            hit += known && found && there;
            missed += known && !found && there;
            wrong += known && found && !there;
        }
        if (status == IPOS_OK && i == 0 && preview)
            status = preview(training->user, &e, answer);
    }
    ip_free(answer);
    *f1 = 2 * hit / fmax(2 * hit + missed + wrong, 1);
    return status;
}

static ipos_status validate(void *user, double *value)
{
    run *r = user;
    return score(r, r->training->preview, value);
}

static ipos_status make_room(run *r)
{
    r->planes = ip_alloc((size_t)r->batch * PARTS * PIXELS * sizeof *r->planes);
    if (!r->planes)
        return IPOS_ERR_NO_MEMORY;
    r->target = r->planes + (size_t)r->batch * IP_WIRE_PLANES * PIXELS;
    r->weight = r->target + (size_t)r->batch * PIXELS;
    return IPOS_OK;
}

ipos_status ip_wire_net_train(ip_wire_net *net, const ip_wire_training *training, ip_train_result *result)
{
    *result = (ip_train_result){0};
    if (training->batch < 0 || training->batch > 256)
        return ip_fail(IPOS_ERR_ARGUMENT, "training: a batch of %d", training->batch);
    run r = {.net = net, .training = training, .batch = training->batch ? training->batch : 8};
    ip_train_task task = {.user = &r, .architecture = IP_WIRE_ARCHITECTURE, .params = ip_wire_net_params(net), .loss = loss, .validate = validate};
    ip_train_plan plan = training->plan;
    if (plan.rate <= 0)
        plan.rate = 2e-3;
    IP_TRY(make_room(&r));
    ipos_status status = ip_train(&task, &plan, &training->host, result);
    ip_free(r.planes);
    return status;
}

ipos_status ip_wire_net_score(const ip_wire_net *net, const ip_wire_training *training, double *f1)
{
    run r = {.net = (ip_wire_net *)net, .training = training, .batch = 1};
    IP_TRY(make_room(&r));
    ipos_status status = score(&r, NULL, f1);
    ip_free(r.planes);
    return status;
}
