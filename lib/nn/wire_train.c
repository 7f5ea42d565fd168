/* Training the wire detector: batches, the loss, the held-out score. */
#include "wire_net.h"

#include <math.h>

enum {
    PIXELS = IP_WIRE_PATCH * IP_WIRE_PATCH,
    PARTS = IP_WIRE_PLANES + 2,
    MOST_EXAMPLES = 256,
    ON_PROCESSOR = 8,
    ON_CARD = 32 /* a card is no slower for it, and 8 keep it waiting for its orders */
};

/* The examples of one step. Each comes from a random stream of its own, so that neither threads nor who draws them when matter. */
typedef struct batch {
    const ip_wire_training *training;
    int32_t count;
    int64_t step;
    float *planes, *target, *weight;
    atomic_int status;
} batch;

typedef struct run {
    ip_wire_net *net;
    const ip_wire_training *training;
    batch batch[2];  /* of this step, and of the next while a card computes */
    ip_later *ahead; /* draws batch[next] */
    int next;
    bool drawing;    /* batch[next] was begun */
} run;

static ip_wire_example example_at(const batch *b, int32_t item)
{
    float *planes = b->planes + (size_t)item * IP_WIRE_PLANES * PIXELS;
    ip_wire_example example = {.target = b->target + (size_t)item * PIXELS, .weight = b->weight + (size_t)item * PIXELS};
    for (int k = 0; k < IP_WIRE_PLANES; k++)
        example.plane[k] = planes + k * PIXELS;
    return example;
}

static void draw_some(void *user, int64_t begin, int64_t end)
{
    batch *b = user;
    for (int64_t i = begin; i < end; i++) {
        ip_rng rng = ip_rng_at(b->training->plan.seed, (uint64_t)(b->step * MOST_EXAMPLES + i + 1));
        ip_wire_example example = example_at(b, (int32_t)i);
        ipos_status status = b->training->draw(b->training->user, &rng, &example);
        if (status != IPOS_OK)
            b->status = status;
    }
}

static void draw_all(void *user)
{
    batch *b = user;
    b->status = IPOS_OK;
    ip_parallel(IP_MAX(b->training->threads, 1), b->count, 1, draw_some, b);
}

/* The batch of a step; where a card computes, the processors draw the next one meanwhile. */
static ipos_status batch_of(run *r, int64_t step, batch **out)
{
    ip_later_wait(r->ahead);
    r->ahead = NULL;
    batch *now = &r->batch[r->next], *next = &r->batch[!r->next];
    if (!r->drawing || now->step != step) {
        now->step = step;
        draw_all(now);
    }
    r->drawing = next->planes != NULL;
    if (r->drawing) {
        r->next = !r->next;
        next->step = step + 1;
        r->ahead = ip_later_begin(draw_all, next);
    }
    *out = now;
    /* the reason stays with the thread that drew */
    return now->status == IPOS_OK ? IPOS_OK : ip_fail(now->status, "training: the examples of step %lld could not be drawn", (long long)step);
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
    batch *now;
    (void)rng;
    IP_TRY(batch_of(r, step, &now));
    int64_t shape[4] = {now->count, IP_WIRE_PLANES, IP_WIRE_PATCH, IP_WIRE_PATCH};
    ip_tensor *planes = ip_t_from(t, now->planes, shape, 4);
    shape[1] = 1;
    ip_tensor *target = ip_t_from(t, now->target, shape, 4), *weight = ip_t_from(t, now->weight, shape, 4);
    ip_tensor *logits = ip_wire_net_logits(t, ip_wire_net_params(r->net), planes);
    *out = ip_t_add(t, cross_entropy(t, logits, target, weight), ip_t_affine(t, dice(t, logits, target, weight), .3, 0));
    return t->status;
}

static ipos_status make_room(batch *b)
{
    b->planes = ip_alloc((size_t)b->count * PARTS * PIXELS * sizeof *b->planes);
    if (!b->planes)
        return IPOS_ERR_NO_MEMORY;
    b->target = b->planes + (size_t)b->count * IP_WIRE_PLANES * PIXELS;
    b->weight = b->target + (size_t)b->count * PIXELS;
    return IPOS_OK;
}

static ipos_status score(const run *r, ipos_status (*preview)(void *, const ip_wire_example *, const float *), double *f1)
{
    const ip_wire_training *training = r->training;
    double hit = 0, missed = 0, wrong = 0;
    batch room = {.count = 1};
    float *answer = ip_alloc(PIXELS * sizeof *answer);
    ipos_status status = answer ? make_room(&room) : IPOS_ERR_NO_MEMORY;
    for (int64_t i = 0; i < training->held_out_count && status == IPOS_OK; i++) {
        ip_wire_example e = example_at(&room, 0);
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
    ip_free(room.planes);
    *f1 = 2 * hit / fmax(2 * hit + missed + wrong, 1);
    return status;
}

static ipos_status validate(void *user, double *value)
{
    run *r = user;
    return score(r, r->training->preview, value);
}

ipos_status ip_wire_net_train(ip_wire_net *net, const ip_wire_training *training, ip_train_result *result)
{
    *result = (ip_train_result){0};
    ip_params *params = ip_wire_net_params(net);
    bool card = params->device != IP_DEVICE_CPU;
    if (training->batch < 0 || training->batch > MOST_EXAMPLES)
        return ip_fail(IPOS_ERR_ARGUMENT, "training: a batch of %d, expected 1 to %d, or 0 for as many as suit the device", training->batch, MOST_EXAMPLES);
    batch empty = {.training = training, .count = training->batch ? training->batch : card ? ON_CARD : ON_PROCESSOR};
    run r = {.net = net, .training = training, .batch = {empty, empty}};
    ip_train_task task = {.user = &r, .architecture = IP_WIRE_ARCHITECTURE, .params = params, .loss = loss, .validate = validate};
    ip_train_plan plan = training->plan;
    if (plan.rate <= 0)
        plan.rate = 2e-3;
    ipos_status status = make_room(&r.batch[0]);
    if (status == IPOS_OK && card)
        status = make_room(&r.batch[1]);
    if (status == IPOS_OK)
        status = ip_train(&task, &plan, &training->host, result);
    ip_later_wait(r.ahead);
    ip_free(r.batch[0].planes);
    ip_free(r.batch[1].planes);
    return status;
}

ipos_status ip_wire_net_score(const ip_wire_net *net, const ip_wire_training *training, double *f1)
{
    const run r = {.net = (ip_wire_net *)net, .training = training};
    return score(&r, NULL, f1);
}
