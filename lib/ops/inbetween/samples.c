/* Which frames teach, which are held out, and the plan of one of them. */
#include "samples.h"

uint64_t ib_random(uint64_t *state) { /* SplitMix64, Steele, Lea and Flood 2014 */
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void ib_shuffle(ib_triplet *triplets, size_t count, uint64_t seed) {
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)(ib_random(&seed) % i);
        ib_triplet swap = triplets[i - 1];
        triplets[i - 1] = triplets[j];
        triplets[j] = swap;
    }
}

typedef struct span {
    size_t begin, end; /* triplets of one shot within a clip's list */
} span;

static ipos_status append(ib_triplet **list, size_t *count, const ib_triplet *from, size_t n) {
    if (!n)
        return IPOS_OK;
    ib_triplet *grown = ip_realloc(*list, (*count + n) * sizeof *grown);
    if (!grown)
        return IPOS_ERR_NO_MEMORY;
    memcpy(grown + *count, from, n * sizeof *grown);
    *list = grown;
    *count += n;
    return IPOS_OK;
}

/* The triplets of a clip, shot after shot; spans and triplets are the caller's. */
static ipos_status clip_triplets(ip_op_host *host, size_t index, ib_triplet **triplets, span **spans, size_t *shots) {
    const ip_op_clip *info = &host->clips[index];
    ib_clip clip = {.frames = {.host = host, .index = index, .clip = info}};
    size_t count = 0;
    *spans = ip_calloc(info->cut_count + 1, sizeof **spans);
    *shots = 0;
    if (!*spans)
        return IPOS_ERR_NO_MEMORY;
    for (size_t s = 0; s <= info->cut_count; s++) {
        ib_shot shot;
        IP_TRY(ib_shot_find(&clip, (double)(s ? info->cuts[s - 1] : info->first), NULL, 0, &shot));
        size_t begin = count;
        ipos_status status = IPOS_OK;
        for (size_t i = 1; i + 1 < shot.count && status == IPOS_OK; i++)
            /* Neighbours further apart than the clip's own step were not neighbours for the camera. */
            if (shot.numbers[i + 1] - shot.numbers[i - 1] <= 4)
                status = append(triplets, &count, &(ib_triplet){index, shot.numbers[i]}, 1);
        ib_shot_close(&shot);
        IP_TRY(status);
        if (count > begin)
            (*spans)[(*shots)++] = (span){begin, count};
    }
    return IPOS_OK;
}

static void note_held(ip_buffer *text, const ip_op_clip *clip, const ib_triplet *first, const ib_triplet *last) {
    ip_buffer_printf(text, "%s{\"clip\":\"%s\",\"first\":%lld,\"last\":%lld}", text->size > 1 ? "," : "", clip->name,
        (long long)first->number, (long long)last->number);
}

static ipos_status split_clip(ip_op_host *host, size_t index, ib_split *split, ip_buffer *text) {
    ib_triplet *triplets = NULL;
    span *spans = NULL;
    size_t shots = 0;
    ipos_status status = clip_triplets(host, index, &triplets, &spans, &shots);
    for (size_t s = 0; s < shots && status == IPOS_OK; s++) {
        size_t count = spans[s].end - spans[s].begin, train = count, held = 0;
        if (shots >= 4)
            held = s % 5 == 4 || (shots == 4 && s == 3) ? count : 0, train = count - held;
        else if (count >= 5) {
            held = count / 5;
            train = count - held > 2 ? count - held - 2 : 1;
        }
        const ib_triplet *first = triplets + spans[s].begin, *end = triplets + spans[s].end;
        status = append(&split->train, &split->train_count, first, train);
        if (status == IPOS_OK && held) {
            status = append(&split->held, &split->held_count, end - held, held);
            note_held(text, &host->clips[index], end - held, end - 1);
        }
    }
    ip_free(triplets);
    ip_free(spans);
    return status;
}

ipos_status ib_split_make(ip_op_host *host, ib_split *out) {
    *out = (ib_split){0};
    ip_buffer text = {0};
    ip_buffer_printf(&text, "[");
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < host->clip_count && status == IPOS_OK; i++)
        status = split_clip(host, i, out, &text);
    ip_buffer_printf(&text, "]");
    out->text = ip_buffer_take(&text);
    if (status == IPOS_OK && !out->text)
        status = IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK && (!out->train_count || !out->held_count))
        status = ip_fail(IPOS_ERR_ARGUMENT,
            "training: the clips hold %zu frames to learn from and %zu to test on; it takes a shot of at least 7 frames that are not "
            "repeats: add longer clips",
            out->train_count, out->held_count);
    if (status != IPOS_OK)
        ib_split_free(out);
    return status;
}

void ib_split_free(ib_split *split) {
    ip_free(split->train);
    ip_free(split->held);
    ip_free(split->text);
    *split = (ib_split){0};
}

struct ib_planner {
    ip_op_host *host;
    ib_clip *clips;
    bool *open;
    ipos_status (*tick)(void *user);
    void *tick_user;
};

ipos_status ib_planner_new(ip_op_host *host, ipos_status (*tick)(void *), void *tick_user, ib_planner **out) {
    ib_planner *planner = ip_calloc(1, sizeof *planner);
    if (!planner)
        return IPOS_ERR_NO_MEMORY;
    *planner = (ib_planner){.host = host, .tick = tick, .tick_user = tick_user};
    planner->clips = ip_calloc(host->clip_count, sizeof *planner->clips);
    planner->open = ip_calloc(host->clip_count, sizeof *planner->open);
    if (!planner->clips || !planner->open) {
        ib_planner_free(planner);
        return IPOS_ERR_NO_MEMORY;
    }
    *out = planner;
    return IPOS_OK;
}

void ib_planner_free(ib_planner *planner) {
    if (!planner)
        return;
    for (size_t i = 0; planner->clips && planner->open && i < planner->host->clip_count; i++)
        if (planner->open[i])
            ip_clip_close(&planner->clips[i].frames);
    ip_free(planner->clips);
    ip_free(planner->open);
    ip_free(planner);
}

/* Receives one plan and keeps what a network sees of it. */
typedef struct keep_work {
    int threads;
    ib_example *out;
} keep_work;

static ipos_status keep(void *user, const ib_planned *planned) {
    keep_work *work = user;
    IP_TRY(ip_inbetween_fusion_make(planned->plan, &planned->left, &planned->right, work->threads, &work->out->fusion));
    IP_TRY(ib_plan_colour(planned, NULL, work->threads, &work->out->classical));
    IP_TRY(ip_image3_new(planned->active.width, planned->active.height, &work->out->truth));
    for (int c = 0; c < 3; c++)
        ip_plane_copy(&work->out->truth.c[c], &planned->truth.c[c]);
    return IPOS_OK;
}

ipos_status ib_planner_make(ib_planner *planner, ib_triplet triplet, ib_example *out) {
    *out = (ib_example){0};
    ib_clip *clip = &planner->clips[triplet.clip];
    if (!planner->open[triplet.clip]) {
        IP_TRY(ip_clip_open(&clip->frames, planner->host, triplet.clip, IB_CACHE));
        planner->open[triplet.clip] = true;
    }
    ib_shot shot;
    IP_TRY(ib_shot_find(clip, (double)triplet.number, &triplet.number, 1, &shot));
    shot.tick = planner->tick;
    shot.tick_user = planner->tick_user;
    keep_work work = {planner->host->threads, out};
    ipos_status status = ib_plan_known(&shot, triplet.number, IP_INBETWEEN_PLAIN, 0, keep, &work);
    ib_shot_close(&shot);
    if (status != IPOS_OK)
        ib_example_free(out);
    return status;
}

void ib_example_free(ib_example *example) {
    if (example->fusion.width)
        ip_inbetween_fusion_free(&example->fusion);
    ip_image3_free(&example->truth);
    ip_image3_free(&example->classical);
    *example = (ib_example){0};
}
