/* Training the fusion network: batches, the loss, the held-out score. */
#include "fuse_net.h"

#include <math.h>

typedef struct run {
    ip_fuse *fuse;
    const ip_fuse_training *training;
    int32_t batch;
    float *candidates, *aux, *logits, *target; /* of one batch */
    double *score;                             /* per group, of the last validation */
    int64_t *members;
    bool started; /* group_start is known */
} run;

enum { PATCH_PIXELS = IP_FUSE_PATCH * IP_FUSE_PATCH };

static void release(const ip_fuse_source *source, ip_fuse_example *example)
{
    if (source->release)
        source->release(source->user, example);
}

static double motion(const ip_fuse_input *in, int32_t x, int32_t y)
{
    const float *plane = in->side[IP_FUSE_MOTION];
    double sum = 0;
    int32_t right = IP_MIN(x + IP_FUSE_PATCH, in->width), bottom = IP_MIN(y + IP_FUSE_PATCH, in->height);
    for (int32_t j = IP_MAX(y, 0); plane && j < bottom; j += 4) {
        for (int32_t i = IP_MAX(x, 0); i < right; i += 4) {
            float value = plane[(ptrdiff_t)j * in->stride + i];
            sum += isfinite(value) ? value : 0;
        }
    }
    return sum;
}

/* Anywhere inside; an example smaller than a patch lies anywhere inside the patch. */
static int32_t draw_place(int32_t size, ip_rng *rng)
{
    int32_t room = size - IP_FUSE_PATCH;
    return room >= 0 ? (int32_t)ip_rng_below(rng, room + 1) : -(int32_t)ip_rng_below(rng, 1 - room);
}

static ip_fuse_view draw_view(const ip_fuse_input *in, bool ordered, ip_rng *rng)
{
    ip_fuse_view view = {.width = IP_FUSE_PATCH, .height = IP_FUSE_PATCH};
    double best = -1;
    for (int i = 0; i < 2; i++) {
        int32_t x = draw_place(in->width, rng), y = draw_place(in->height, rng);
        double moved = motion(in, x, y);
        if (moved > best) {
            best = moved;
            view.x0 = x;
            view.y0 = y;
        }
    }
    uint64_t bits = ip_rng_bits(rng);
    view.flip_x = bits & 1;
    view.flip_y = bits & 2;
    view.transpose = bits & 4;
    view.reverse_time = !ordered && (bits & 8);
    view.gain = (float)(.75 + .5 * ip_rng_unit(rng));
    return view;
}

static ipos_status draw(run *r, ip_rng *rng, int32_t item)
{
    const ip_fuse_source *source = &r->training->train;
    size_t pixels = PATCH_PIXELS, at = (size_t)item * pixels;
    ip_fuse_example example = {0};
    IP_TRY(source->example(source->user, ip_rng_below(rng, source->count), &example));
    const ip_fuse_input *in = &example.input;
    ipos_status status = IPOS_OK;
    if (in->width < IP_FUSE_LEAST || in->height < IP_FUSE_LEAST || in->stride < in->width) {
        status = ip_fail(IPOS_ERR_ARGUMENT, "training: a picture of %d x %d; at least %d x %d is needed", in->width, in->height, IP_FUSE_LEAST,
            IP_FUSE_LEAST);
    } else {
        ip_fuse_view view = draw_view(in, r->training->ordered, rng);
        ip_fuse_gather(in, example.target, &view, r->candidates + 18 * at, r->aux + IP_FUSE_AUX * at, r->logits + IP_FUSE_CANDIDATES * at,
            r->target + 3 * at);
    }
    release(source, &example);
    return status;
}

static ipos_status loss(void *user, ip_tape *t, ip_rng *rng, int64_t step, ip_tensor **out)
{
    run *r = user;
    (void)step;
    for (int32_t i = 0; i < r->batch; i++)
        IP_TRY(draw(r, rng, i));
    int64_t shape[4] = {r->batch, 18, IP_FUSE_PATCH, IP_FUSE_PATCH};
    ip_tensor *candidates = ip_t_from(t, r->candidates, shape, 4);
    shape[1] = IP_FUSE_AUX;
    ip_tensor *aux = ip_t_from(t, r->aux, shape, 4);
    shape[1] = IP_FUSE_CANDIDATES;
    ip_tensor *logits = ip_t_from(t, r->logits, shape, 4);
    shape[1] = 3;
    ip_tensor *target = ip_t_from(t, r->target, shape, 4);
    ip_tensor *change = ip_fuse_net(t, &r->fuse->params, ip_t_slice(t, candidates, 1, 0, IP_FUSE_IMAGES), aux);
    ip_tensor *picture = ip_fuse_blend(t, candidates, logits, change);
    *out = ip_t_add(t, ip_t_affine(t, ip_charbonnier(t, picture, target, 1e-3), 4, 0), ip_laplacian_loss(t, picture, target, 3));
    return t->status;
}

static double psnr(const ip_fuse_example *example, float *const picture[3])
{
    const ip_fuse_input *in = &example->input;
    double sum = 0, count = 0;
    for (int c = 0; c < 3; c++) {
        for (int32_t y = 0; y < in->height; y++) {
            const float *a = example->target[c] + (ptrdiff_t)y * in->stride, *b = picture[c] + (ptrdiff_t)y * in->width;
            for (int32_t x = 0; x < in->width; x++) {
                double d = (double)a[x] - b[x];
                if (isfinite(d)) {
                    sum += d * d;
                    count++;
                }
            }
        }
    }
    double error = count > 0 ? sum / count : 1;
    return error > 1e-10 ? -10 * log10(error) : 100;
}

static ipos_status sign_of_life(void *user, double done)
{
    run *r = user;
    const ip_train_host *host = &r->training->host;
    (void)done;
    return host->progress ? host->progress(host->user, -1, "scoring on held-out material", "") : IPOS_OK;
}

static ipos_status score_one(run *r, const ip_fuse_example *example, bool show)
{
    size_t pixels = (size_t)IP_MAX(example->input.width, 0) * (size_t)IP_MAX(example->input.height, 0);
    if (example->group < 0 || example->group >= r->training->groups)
        return ip_fail(IPOS_ERR_ARGUMENT, "training: an example of group %d, there are %d", example->group, r->training->groups);
    float *planes = ip_alloc(3 * pixels * sizeof *planes + 1);
    if (!planes)
        return IPOS_ERR_NO_MEMORY;
    ip_fuse_output output = {.picture = {planes, planes + pixels, planes + 2 * pixels}};
    ip_fuse_limits limits = {.tick = sign_of_life, .user = r};
    ipos_status status = ip_fuse_forward(r->fuse, &example->input, &limits, &output);
    if (status == IPOS_OK) {
        r->score[example->group] += psnr(example, output.picture);
        r->members[example->group]++;
        if (show)
            status = r->training->preview(r->training->preview_user, example, (const float *const *)output.picture);
    }
    ip_free(planes);
    return status;
}

/* Mean over all held-out pictures; keeps the scores by group of the start and of the best. */
static ipos_status validate(void *user, double *score)
{
    run *r = user;
    const ip_fuse_training *training = r->training;
    const ip_fuse_source *source = &training->held_out;
    memset(r->score, 0, (size_t)training->groups * sizeof *r->score);
    memset(r->members, 0, (size_t)training->groups * sizeof *r->members);
    for (int64_t i = 0; i < source->count; i++) {
        ip_fuse_example example = {0};
        IP_TRY(source->example(source->user, i, &example));
        ipos_status status = score_one(r, &example, i == 0 && training->preview);
        release(source, &example);
        IP_TRY(status);
    }
    double sum = 0;
    for (int32_t g = 0; g < training->groups; g++) {
        sum += r->score[g];
        r->score[g] = r->members[g] > 0 ? r->score[g] / (double)r->members[g] : 0;
    }
    *score = sum / (double)source->count;
    if (!r->started && training->group_start)
        memcpy(training->group_start, r->score, (size_t)training->groups * sizeof *r->score);
    r->started = true;
    return IPOS_OK;
}

/* A resumed training does not score its start. */
static ipos_status train(run *r, const ip_train_task *task, ip_train_result *result)
{
    const ip_fuse_training *training = r->training;
    double ignored;
    if (training->plan.checkpoint && training->group_start)
        IP_TRY(validate(r, &ignored));
    ip_train_plan plan = training->plan;
    if (plan.rate <= 0)
        plan.rate = 4e-4;
    IP_TRY(ip_train(task, &plan, &training->host, result));
    if (!training->group_score)
        return IPOS_OK;
    IP_TRY(validate(r, &ignored));
    memcpy(training->group_score, r->score, (size_t)training->groups * sizeof *r->score);
    return IPOS_OK;
}

static ipos_status check(const ip_fuse_training *training)
{
    if (!training->train.example || training->train.count < 1)
        return ip_fail(IPOS_ERR_ARGUMENT, "training: no examples to learn from; add clips, or longer ones");
    if (!training->held_out.example || training->held_out.count < 1 || training->groups < 1)
        return ip_fail(IPOS_ERR_ARGUMENT, "training: nothing is held out to score on; add clips, or longer ones");
    if (training->batch < 0 || training->batch > 256)
        return ip_fail(IPOS_ERR_ARGUMENT, "training: a batch of %d", training->batch);
    return IPOS_OK;
}

static ipos_status make_room(run *r)
{
    size_t count = (size_t)r->batch * PATCH_PIXELS, groups = (size_t)r->training->groups;
    r->candidates = ip_alloc((18 + IP_FUSE_AUX + IP_FUSE_CANDIDATES + 3) * count * sizeof(float));
    r->score = ip_calloc(groups, sizeof *r->score);
    r->members = ip_calloc(groups, sizeof *r->members);
    if (!r->candidates || !r->score || !r->members)
        return IPOS_ERR_NO_MEMORY;
    r->aux = r->candidates + 18 * count;
    r->logits = r->aux + IP_FUSE_AUX * count;
    r->target = r->logits + IP_FUSE_CANDIDATES * count;
    return IPOS_OK;
}

ipos_status ip_fuse_train(ip_fuse *fuse, const ip_fuse_training *training, ip_train_result *result)
{
    *result = (ip_train_result){0};
    IP_TRY(check(training));
    run r = {.fuse = fuse, .training = training, .batch = training->batch ? training->batch : 4};
    ip_train_task task = {.user = &r, .architecture = IP_FUSE_ARCHITECTURE, .params = &fuse->params, .loss = loss, .validate = validate};
    ipos_status status = make_room(&r);
    if (status == IPOS_OK)
        status = train(&r, &task, result);
    ip_free(r.candidates);
    ip_free(r.score);
    ip_free(r.members);
    return status;
}
