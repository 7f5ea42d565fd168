/* Training the fusion network on the dailies: crops of planned frames, made when first asked for and kept. */
#include "samples.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

enum { TRAIN_CROP = 192, HELD_CROP = 384, CROPS = 2, HELD_LEAST = 16, HELD_MOST = 32 };
/* What an example keeps: 6 candidates of 3 planes, 6 logits, 8 sides, the truth's 3, the classical picture's 3. */
enum { PLANES = 3 * IP_FUSE_CANDIDATES + IP_FUSE_CANDIDATES + IP_FUSE_SIDES + 3 + 3 };

typedef struct crop {
    float *store; /* PLANES packed planes; NULL until made */
    int width, height;
} crop;

typedef struct training {
    ip_op_host *host;
    ib_planner *planner;
    ib_split split;
    ib_triplet *train, *held; /* the ones in use */
    size_t train_count, held_count;
    size_t chosen_by; /* so many of the held-out crops choose the checkpoint; the rest give the score on the card */
    crop *train_crops, *held_crops;
    double done;
    const char *stage;
} training;

static ipos_status tick(void *user) {
    training *work = user;
    return work->host->progress(work->host, work->done, work->stage, "");
}

/* Copies one box of everything into a crop. */
static ipos_status cut(const ib_example *example, ip_box_i box, crop *out) {
    size_t plane = (size_t)box.width * (size_t)box.height;
    float *store = ip_alloc(plane * PLANES * sizeof *store), *to = store;
    if (!store)
        return IPOS_ERR_NO_MEMORY;
    const ip_plane_f *planes[PLANES];
    int n = 0;
    for (int k = 0; k < IP_FUSE_CANDIDATES; k++)
        for (int c = 0; c < 3; c++)
            planes[n++] = k < 4 ? &example->fusion.warped[k].c[c] : &example->fusion.still[k - 4].c[c];
    for (int k = 0; k < IP_FUSE_CANDIDATES; k++)
        planes[n++] = &example->fusion.logits[k];
    for (int k = 0; k < IP_FUSE_SIDES; k++)
        planes[n++] = &example->fusion.side[k];
    for (int c = 0; c < 3; c++)
        planes[n++] = &example->truth.c[c];
    for (int c = 0; c < 3; c++)
        planes[n++] = &example->classical.c[c];
    for (int i = 0; i < PLANES; i++, to += plane)
        for (int y = 0; y < box.height; y++)
            memcpy(to + (size_t)y * (size_t)box.width, ip_row(planes[i], box.y + y) + box.x, (size_t)box.width * sizeof *to);
    *out = (crop){.store = store, .width = box.width, .height = box.height};
    return IPOS_OK;
}

/* Mean square error of the classical picture in a box. */
static double box_error(const ib_example *example, ip_box_i box) {
    double sum = 0;
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < box.height; y += 2) {
            const float *a = ip_row(&example->classical.c[c], box.y + y) + box.x, *b = ip_row(&example->truth.c[c], box.y + y) + box.x;
            for (int x = 0; x < box.width; x += 2) {
                double d = (double)a[x] - (double)b[x];
                sum += isfinite(d) ? fmin(d * d, 1) : 0;
            }
        }
    return sum / (.75 * box.width * box.height);
}

static ip_box_i random_box(const ib_example *example, int side, uint64_t *dice) {
    int width = IP_MIN(side, example->fusion.width), height = IP_MIN(side, example->fusion.height);
    return (ip_box_i){(int)(ib_random(dice) % (uint64_t)(example->fusion.width - width + 1)),
        (int)(ib_random(dice) % (uint64_t)(example->fusion.height - height + 1)), width, height};
}

/* The first crop lies where the classical picture is worst of eight places, the others anywhere. */
static ipos_status cut_all(const ib_example *example, int side, int count, uint64_t seed, crop *out) {
    uint64_t dice = seed;
    for (int i = 0; i < count; i++) {
        ip_box_i best = random_box(example, side, &dice);
        double error = box_error(example, best);
        for (int k = 0; i == 0 && k < 7; k++) {
            ip_box_i box = random_box(example, side, &dice);
            double worse = box_error(example, box);
            if (worse > error) {
                best = box;
                error = worse;
            }
        }
        IP_TRY(cut(example, best, &out[i]));
    }
    return IPOS_OK;
}

static ipos_status make_crops(training *work, ib_triplet triplet, int side, int count, crop *out) {
    ib_example example;
    IP_TRY(ib_planner_make(work->planner, triplet, &example));
    uint64_t seed = work->host->seed * 2654435761u ^ (uint64_t)triplet.number << 8 ^ (uint64_t)triplet.clip;
    ipos_status status = cut_all(&example, side, count, seed, out);
    ib_example_free(&example);
    return status;
}

static void show(const crop *from, int32_t group, ip_fuse_example *out) {
    size_t plane = (size_t)from->width * (size_t)from->height;
    *out = (ip_fuse_example){.group = group};
    out->input.width = from->width;
    out->input.height = from->height;
    out->input.stride = from->width;
    const float *at = from->store;
    for (int k = 0; k < IP_FUSE_CANDIDATES; k++)
        for (int c = 0; c < 3; c++, at += plane)
            out->input.candidate[k][c] = at;
    for (int k = 0; k < IP_FUSE_CANDIDATES; k++, at += plane)
        out->input.logit[k] = at;
    for (int k = 0; k < IP_FUSE_SIDES; k++, at += plane)
        out->input.side[k] = at;
    for (int c = 0; c < 3; c++, at += plane)
        out->target[c] = at;
}

static ipos_status train_example(void *user, int64_t index, ip_fuse_example *out) {
    training *work = user;
    crop *crops = &work->train_crops[index / CROPS * CROPS];
    if (!crops[0].store)
        IP_TRY(make_crops(work, work->train[index / CROPS], TRAIN_CROP, CROPS, crops));
    show(&work->train_crops[index], 0, out);
    return IPOS_OK;
}

static ipos_status held_example(void *user, int64_t index, ip_fuse_example *out) {
    training *work = user;
    if (!work->held_crops[index].store)
        IP_TRY(make_crops(work, work->held[index], HELD_CROP, 1, &work->held_crops[index]));
    show(&work->held_crops[index], (int32_t)work->held[index].clip, out);
    return IPOS_OK;
}

/* Takes turns between the clips, so that a long one does not crowd out the others. */
static size_t take_turns(const ib_triplet *from, size_t count, size_t clips, size_t wanted, ib_triplet *to) {
    size_t taken = 0;
    for (size_t round = 0; taken < wanted; round++) {
        size_t before = taken;
        for (size_t clip = 0; clip < clips && taken < wanted; clip++) {
            size_t seen = 0;
            for (size_t i = 0; i < count; i++)
                if (from[i].clip == clip && seen++ == round) {
                    to[taken++] = from[i];
                    break;
                }
        }
        if (taken == before)
            break;
    }
    return taken;
}

static ipos_status pick(const ib_triplet *from, size_t count, size_t clips, size_t wanted, ib_triplet **to, size_t *taken) {
    *to = ip_calloc(IP_MAX(wanted, 1), sizeof **to);
    if (!*to)
        return IPOS_ERR_NO_MEMORY;
    *taken = take_turns(from, count, clips, wanted, *to);
    return IPOS_OK;
}

/* A score on what chose the checkpoint would flatter it, so every second crop of each clip is kept for the card. */
static ipos_status part_held(training *work) {
    ib_triplet *sorted = ip_calloc(IP_MAX(work->held_count, 1), sizeof *sorted);
    if (!sorted)
        return IPOS_ERR_NO_MEMORY;
    size_t front = 0, back = work->held_count;
    for (size_t i = 0; i < work->held_count; i++) {
        size_t rank = 0;
        for (size_t k = 0; k < i; k++)
            rank += work->held[k].clip == work->held[i].clip;
        sorted[rank % 2 ? --back : front++] = work->held[i];
    }
    ip_free(work->held);
    work->held = sorted;
    work->chosen_by = front;
    return IPOS_OK;
}

static size_t crop_bytes(int side) {
    return (size_t)side * (size_t)side * PLANES * sizeof(float);
}

/* How many frames to plan: as many as memory holds, and no more than the budget has time to look at a few times. With a step budget
 * the number follows from the steps alone, so that the run can be repeated. */
static size_t pool_size(const training *work, double plan_seconds) {
    const ip_op_host *host = work->host;
    size_t room = (size_t)(IP_MIN(host->memory_limit / 3, (uint64_t)1500 << 20) / (CROPS * crop_bytes(TRAIN_CROP)));
    size_t wanted = host->steps > 0 ? (size_t)host->steps / 4 + 4 : (size_t)(.25 * host->seconds / fmax(plan_seconds, .01)) + 4;
    return IP_MAX((size_t)4, IP_MIN(IP_MIN(room, wanted), work->split.train_count));
}

static ipos_status prepare(training *work) {
    ip_op_host *host = work->host;
    IP_TRY(ib_split_make(host, &work->split));
    ib_shuffle(work->split.train, work->split.train_count, host->seed + 1);
    ib_shuffle(work->split.held, work->split.held_count, 1); /* the same test whatever the seed */
    IP_TRY(ib_planner_new(host, tick, work, &work->planner));
    size_t wanted = IP_MIN(IP_MAX(2 * host->clip_count, (size_t)HELD_LEAST), (size_t)HELD_MOST);
    IP_TRY(pick(work->split.held, work->split.held_count, host->clip_count, wanted, &work->held, &work->held_count));
    IP_TRY(part_held(work));
    work->held_crops = ip_calloc(work->held_count, sizeof *work->held_crops);
    if (!work->held_crops)
        return IPOS_ERR_NO_MEMORY;
    double begin = ip_now();
    work->stage = "planning held-out frames";
    for (size_t i = 0; i < work->held_count; i++) {
        ip_fuse_example example;
        IP_TRY(held_example(work, (int64_t)i, &example));
    }
    double each = (ip_now() - begin) / (double)work->held_count;
    IP_TRY(pick(work->split.train, work->split.train_count, host->clip_count, pool_size(work, each), &work->train, &work->train_count));
    work->train_crops = ip_calloc(work->train_count * CROPS, sizeof *work->train_crops);
    return work->train_crops ? IPOS_OK : IPOS_ERR_NO_MEMORY;
}

static ipos_status progress(void *user, double done, const char *stage, const char *extra) {
    training *work = user;
    work->done = fmax(work->done, done); /* the trainer says -1 where it does not know */
    return work->host->progress(work->host, work->done, stage, extra);
}

static ipos_status save_checkpoint(void *user, const void *bytes, size_t size) {
    training *work = user;
    return work->host->save_checkpoint(work->host, bytes, size);
}

/* A held-out crop side by side: the truth, the network's picture, and the earlier frame warped without it. */
static ipos_status preview(void *user, const ip_fuse_example *example, const float *const picture[3]) {
    training *work = user;
    if (!work->host->preview)
        return IPOS_OK;
    int width = example->input.width, height = example->input.height;
    const ipos_channel channels[3] = {{"R", IPOS_U8, 1, 1}, {"G", IPOS_U8, 1, 1}, {"B", IPOS_U8, 1, 1}};
    ipos_box window = {0, 0, 3 * width, height};
    ipos_frame *frame;
    IP_TRY(work->host->frame_new(work->host, &window, channels, 3, &frame));
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < height; y++) {
            uint8_t *line = frame->channels[c].data + y * frame->channels[c].row_stride;
            const float *sources[3] = {example->target[c], picture[c], example->input.candidate[0][c]};
            for (int part = 0; part < 3; part++)
                for (int x = 0; x < width; x++) {
                    ptrdiff_t stride = part == 1 ? width : example->input.stride;
                    float value = sources[part][y * stride + x];
                    line[(part * width + x) * frame->channels[c].pixel_stride] = (uint8_t)lrintf(255 * fminf(fmaxf(value, 0), 1));
                }
        }
    ipos_status status = ipos_frame_set_encoding(frame, "srgb");
    if (status == IPOS_OK)
        status = work->host->preview(work->host, frame);
    ipos_frame_release(frame);
    return status;
}

static double psnr(const float *a, const float *b, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        double d = (double)a[i] - (double)b[i];
        sum += isfinite(d) ? d * d : isfinite(b[i]) ? 1 : 0; /* as in the trial of learned.c */
    }
    return -10 * log10(fmax(sum / (double)count, 1e-10));
}

typedef struct score {
    double model, classical;
    size_t count;
} score;

/* Scores the finished network on the held-out crops that chose nothing (on all, where each clip has but one). scores: one a clip. */
static ipos_status score_model(training *work, const ip_fuse *fuse, score *scores, score *mean) {
    size_t begin = work->chosen_by < work->held_count ? work->chosen_by : 0;
    for (size_t i = begin; i < work->held_count; i++) {
        const crop *from = &work->held_crops[i];
        size_t plane = (size_t)from->width * (size_t)from->height;
        const float *truth = from->store + (PLANES - 6) * plane, *classical = from->store + (PLANES - 3) * plane;
        ip_fuse_example example;
        IP_TRY(held_example(work, (int64_t)i, &example));
        float *picture = ip_alloc(3 * plane * sizeof *picture);
        if (!picture)
            return IPOS_ERR_NO_MEMORY;
        ip_fuse_output output = {.picture = {picture, picture + plane, picture + 2 * plane}};
        ipos_status status = ip_fuse_forward(fuse, &example.input, NULL, &output);
        if (status == IPOS_OK) {
            double with = psnr(picture, truth, 3 * plane), without = psnr(classical, truth, 3 * plane);
            score *both[2] = {&scores[work->held[i].clip], mean};
            for (int k = 0; k < 2; k++) {
                both[k]->model += with;
                both[k]->classical += without;
                both[k]->count++;
            }
        }
        ip_free(picture);
        IP_TRY(status);
        IP_TRY(tick(work));
    }
    return IPOS_OK;
}

static json_t *clip_scores(const training *work, const score *scores) {
    json_t *list = json_array();
    for (size_t i = 0; i < work->host->clip_count; i++)
        if (scores[i].count)
            json_array_append_new(list, json_pack("{s:s,s:f,s:f}", "clip", work->host->clips[i].name, "model",
                scores[i].model / (double)scores[i].count, "baseline", scores[i].classical / (double)scores[i].count));
    return list;
}

/* {"architecture","steps","seconds","score":{...},"held_out":[...],"settings":{...},"versions":{...}} */
static char *measured(const training *work, const ip_backend_v1 *backend, const ip_fuse *fuse, const ip_train_result *result,
    const score *scores, const score *mean) {
    double model = mean->model / (double)IP_MAX(mean->count, 1), classical = mean->classical / (double)IP_MAX(mean->count, 1);
    json_t *document = json_pack("{s:s,s:I,s:f}", "architecture", IP_FUSE_ARCHITECTURE, "steps", (json_int_t)result->steps, "seconds", result->seconds);
    json_object_set_new(document, "score", json_pack("{s:f,s:f,s:f,s:s,s:o}", "held_out", model, "baseline", classical, "gain", model - classical,
        "unit", "dB, mean PSNR of held-out crops that did not choose the checkpoint, peak 1 in the working encoding", "per_clip",
        clip_scores(work, scores)));
    json_object_set_new(document, "held_out", json_loads(work->split.text, 0, NULL));
    json_object_set_new(document, "settings", json_pack("{s:I,s:I,s:I,s:I,s:i,s:i,s:I,s:I}", "parameters", (json_int_t)ip_fuse_size(fuse),
        "frames_learnt_from", (json_int_t)work->train_count, "crops_choosing", (json_int_t)work->chosen_by, "crops_scored",
        (json_int_t)mean->count, "crop", (int)TRAIN_CROP, "held_out_crop", (int)HELD_CROP, "best_step", (json_int_t)result->best_step,
        "skipped_steps", (json_int_t)result->skipped));
    json_object_set_new(document, "versions", json_pack("{s:s,s:s}", "libtorch", backend->library_version(), "cpu_capability", backend->capability()));
    char *text = document ? json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(document);
    return text;
}

static ipos_status learn(training *work, const ip_backend_v1 *backend, ip_fuse *fuse, double begin) {
    ip_op_host *host = work->host;
    ip_fuse_training plan = {
        .train = {.user = work, .count = (int64_t)(work->train_count * CROPS), .example = train_example},
        .held_out = {.user = work, .count = (int64_t)work->chosen_by, .example = held_example},
        .groups = (int32_t)host->clip_count,
        .plan = {.steps = host->steps, .seconds = fmax(1, host->seconds - (ip_now() - begin)), .seed = host->seed,
            .checkpoint_seconds = host->checkpoint_seconds, .checkpoint = host->checkpoint, .checkpoint_bytes = host->checkpoint_bytes},
        .host = {.user = work, .progress = progress, .save_checkpoint = save_checkpoint},
        .preview = preview,
        .preview_user = work,
    };
    ip_train_result result = {0};
    IP_TRY(ip_fuse_train(fuse, &plan, &result));
    score *scores = ip_calloc(host->clip_count, sizeof *scores), mean = {0};
    if (!scores)
        return IPOS_ERR_NO_MEMORY;
    work->stage = "scoring the finished model";
    ipos_status status = score_model(work, fuse, scores, &mean);
    void *bytes = NULL;
    size_t size = 0;
    if (status == IPOS_OK)
        status = ip_fuse_save(fuse, NULL, &bytes, &size);
    char *text = status == IPOS_OK ? measured(work, backend, fuse, &result, scores, &mean) : NULL;
    if (status == IPOS_OK)
        status = text ? host->save_model(host, bytes, size, text) : ip_no_memory(0);
    free(text);
    ip_free(bytes);
    ip_free(scores);
    return status;
}

ipos_status ib_train(ip_op_host *host) {
    const ip_backend_v1 *backend = ip_backend();
    if (!backend)
        return IPOS_ERR_ENGINE;
    int32_t device;
    IP_TRY(backend->device_find(host->device, &device));
    training work = {.host = host, .stage = "looking through the clips"};
    double begin = ip_now();
    ip_fuse *fuse = NULL;
    ipos_status status = tick(&work);
    if (status == IPOS_OK)
        status = prepare(&work);
    if (status == IPOS_OK)
        status = ip_fuse_new(backend, device, host->seed, &fuse);
    if (status == IPOS_OK)
        status = learn(&work, backend, fuse, begin);
    ip_fuse_free(fuse);
    for (size_t i = 0; work.train_crops && i < work.train_count * CROPS; i++)
        ip_free(work.train_crops[i].store);
    for (size_t i = 0; work.held_crops && i < work.held_count; i++)
        ip_free(work.held_crops[i].store);
    ip_free(work.train_crops);
    ip_free(work.held_crops);
    ip_free(work.train);
    ip_free(work.held);
    ib_planner_free(work.planner);
    ib_split_free(&work.split);
    return status;
}
