#include "inbetween_plan.h"
#include "session.h"
#include "flow.h"
#include <math.h>

/* Matching sees working-encoding values between these: highlights beyond still count as bright, and nothing can overflow. */
static const float LOW = -.25f, HIGH = 1.5f;

static void seen_free(ip_seen *seen) {
    ip_planes_free(seen->color.c, 3);
    ip_plane_free(&seen->luma);
}

static void limit_plane(ip_plane_f *plane) {
    for (int y = 0; y < plane->height; y++) {
        float *row = ip_row(plane, y);
        for (int x = 0; x < plane->width; x++) {
            float v = row[x];
            row[x] = v >= LOW ? (v < HIGH ? v : HIGH) : isnan(v) ? 0.f : LOW;
        }
    }
}

static ipos_status fetch_whole(ip_inbetween *session, size_t index, ip_image3 *image) {
    const ip_inbetween_source *s = &session->source;
    IP_TRY(ip_planes_new(s->width, s->height, image->c, 3));
    float *const rows[3] = {image->c[0].data, image->c[1].data, image->c[2].data};
    ipos_status status = s->fetch(s->user, index, rows, image->c[0].stride);
    for (int c = 0; c < 3 && status == IPOS_OK; c++)
        limit_plane(&image->c[c]);
    if (status != IPOS_OK)
        ip_planes_free(image->c, 3);
    return status;
}

static ipos_status make_seen(ip_inbetween *session, size_t index, ip_seen *out) {
    ip_box_i box = session->active;
    ip_image3 whole;
    memset(out, 0, sizeof *out);
    IP_TRY(fetch_whole(session, index, &whole));
    ipos_status status = ip_planes_new(box.width, box.height, out->color.c, 3);
    if (status == IPOS_OK)
        status = ip_plane_new(box.width, box.height, &out->luma);
    if (status == IPOS_OK) {
        for (int c = 0; c < 3; c++) {
            ip_plane_f part = ip_plane_part(&whole.c[c], box);
            ip_plane_copy(&out->color.c[c], &part);
        }
        ip_luma(&out->color, LOW, HIGH, &out->luma, session->source.threads);
        for (int y = 0; y < box.height; y++)
            for (int x = 0; x < box.width; x++)
                ip_row(&out->luma, y)[x] *= 255.f;
    }
    ip_planes_free(whole.c, 3);
    if (status != IPOS_OK)
        seen_free(out);
    return status;
}

/* Bars belong to the shot: its first, middle and last known frames say where they are, whatever time is asked for first. */
static ipos_status find_active(ip_inbetween *session) {
    size_t at[3] = {0, session->source.count / 2, session->source.count - 1}, n = 0;
    ip_plane_f luma[3] = {0};
    const ip_plane_f *list[3];
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < 3 && status == IPOS_OK; i++) {
        if (i > 0 && at[i] == at[i - 1])
            continue;
        ip_image3 whole;
        status = fetch_whole(session, at[i], &whole);
        if (status != IPOS_OK)
            break;
        status = ip_plane_new(session->source.width, session->source.height, &luma[n]);
        if (status == IPOS_OK) {
            ip_luma(&whole, LOW, HIGH, &luma[n], session->source.threads);
            list[n] = &luma[n];
            n++;
        }
        ip_planes_free(whole.c, 3);
    }
    if (status == IPOS_OK) {
        session->active = ip_letterbox(list, n);
        session->active_known = true;
    }
    ip_planes_free(luma, 3);
    return status;
}

ipos_status ip_session_tick(ip_inbetween *session) {
    const ip_inbetween_source *s = &session->source;
    if (ip_cancelled(s->cancel))
        return ip_fail(IPOS_ERR_CANCELLED, "inbetween: cancelled");
    return s->tick ? s->tick(s->user) : IPOS_OK;
}

/* Long steps ask on all their threads; the one that called into the session also gives the tick, a few times a second. */
static bool beat(void *user) {
    static const double PAUSE = .2;
    ip_inbetween *session = user;
    const ip_inbetween_source *s = &session->source;
    if (ip_cancelled(s->cancel) || atomic_load_explicit(&session->stopped, memory_order_relaxed))
        return false;
    if (!s->tick || !pthread_equal(pthread_self(), session->owner) || ip_now() - session->last_tick < PAUSE)
        return true;
    session->last_tick = ip_now();
    if (s->tick(s->user) == IPOS_OK)
        return true;
    atomic_store_explicit(&session->stopped, true, memory_order_relaxed);
    return false;
}

static const ip_pulse *begin_step(ip_inbetween *session) {
    session->owner = pthread_self();
    atomic_store_explicit(&session->stopped, false, memory_order_relaxed);
    return &session->pulse;
}

ipos_status ip_session_frame(ip_inbetween *session, size_t index, const ip_seen **out) {
    if (!session->active_known)
        IP_TRY(find_active(session));
    ip_seen_slot *slot = &session->frames[0];
    for (int i = 0; i < session->frame_slots; i++) {
        ip_seen_slot *s = &session->frames[i];
        if (s->used && s->index == index) {
            s->used = ++session->clock;
            *out = &s->seen;
            return IPOS_OK;
        }
        if (s->used < slot->used)
            slot = s;
    }
    seen_free(&slot->seen);
    slot->used = 0;
    IP_TRY(make_seen(session, index, &slot->seen));
    slot->index = index;
    slot->used = ++session->clock;
    *out = &slot->seen;
    return IPOS_OK;
}

typedef struct flow_task {
    const ip_seen *a, *b;
    ip_flow_slot *slot;
    ipos_status status;
} flow_task;

typedef struct flow_batch {
    flow_task tasks[IP_FLOW_BATCH];
    int count, threads_each;
    const ip_pulse *pulse;
} flow_batch;

static void run_tasks(void *user, int64_t begin, int64_t end) {
    flow_batch *batch = user;
    for (int64_t i = begin; i < end; i++) {
        flow_task *task = &batch->tasks[i];
        ip_flow_options options = {.finest = task->slot->key.kind == IP_FLOW_FINE ? 0 : 1, .flipped = task->slot->key.kind == IP_FLOW_FLIPPED,
            .threads = batch->threads_each, .pulse = batch->pulse};
        task->status = ip_flow(&task->a->luma, &task->b->luma, &options, task->slot->flow);
    }
}

static ip_flow_slot *flow_slot(ip_inbetween *session, ip_flow_key key, bool *found) {
    ip_flow_slot *oldest = &session->flows[0];
    for (int i = 0; i < session->flow_slots; i++) {
        ip_flow_slot *s = &session->flows[i];
        *found = s->used && s->key.from == key.from && s->key.to == key.to && s->key.kind == key.kind;
        if (*found)
            return s;
        if (s->used < oldest->used)
            oldest = s;
    }
    return oldest;
}

static ipos_status run_batch(ip_inbetween *session, flow_batch *batch) {
    if (!batch->count)
        return IPOS_OK;
    int threads = IP_MAX(session->source.threads, 1);
    batch->threads_each = IP_MAX(1, threads / batch->count);
    batch->pulse = begin_step(session);
    ip_parallel(threads, batch->count, 1, run_tasks, batch);
    ipos_status status = IPOS_OK;
    for (int i = 0; i < batch->count; i++)
        if (batch->tasks[i].status != IPOS_OK) {
            batch->tasks[i].slot->used = 0;
            status = batch->tasks[i].status; /* its text may belong to another thread: say it here */
        }
    if (status == IPOS_OK || status == IPOS_ERR_CANCELLED)
        IP_TRY(ip_session_tick(session)); /* says why */
    return status == IPOS_OK ? status : ip_fail(status, status == IPOS_ERR_CANCELLED ? "inbetween: cancelled" : "inbetween: the flow between two frames failed (memory?)");
}

ipos_status ip_session_flows(ip_inbetween *session, const ip_flow_key *keys, int count, const ip_plane_f **flows) {
    flow_batch batch = {0};
    for (int i = 0; i < count; i++) {
        bool found;
        ip_flow_slot *slot = flow_slot(session, keys[i], &found);
        if (!found) {
            flow_task *task = &batch.tasks[batch.count];
            ip_planes_free(slot->flow, 2);
            slot->used = 0;
            IP_TRY(ip_session_frame(session, keys[i].from, &task->a));
            IP_TRY(ip_session_frame(session, keys[i].to, &task->b));
            slot->key = keys[i];
            task->slot = slot;
            batch.count++;
        }
        slot->used = ++session->clock;
        flows[i] = slot->flow;
    }
    return run_batch(session, &batch);
}

ipos_status ip_session_override(ip_inbetween *session, size_t from, size_t to, const ip_override **sides) {
    ip_override_slot *slot = &session->overrides[0];
    for (int i = 0; i < IP_OVERRIDE_SLOTS; i++) {
        ip_override_slot *s = &session->overrides[i];
        if (s->used && s->from == from && s->to == to) {
            s->used = ++session->clock;
            *sides = s->sides;
            return IPOS_OK;
        }
        if (s->used < slot->used)
            slot = s;
    }
    const ip_flow_key keys[2] = {{from, to, IP_FLOW_MEDIUM}, {to, from, IP_FLOW_MEDIUM}};
    const ip_plane_f *flows[2];
    const ip_seen *a, *b;
    IP_TRY(ip_session_flows(session, keys, 2, flows));
    IP_TRY(ip_session_frame(session, from, &a));
    IP_TRY(ip_session_frame(session, to, &b));
    ip_override_free(&slot->sides[0]);
    ip_override_free(&slot->sides[1]);
    slot->used = 0;
    ipos_status status = ip_match(&a->color, &b->color, flows[0], flows[1], session->source.threads, begin_step(session), slot->sides);
    if (status == IPOS_ERR_CANCELLED)
        IP_TRY(ip_session_tick(session)); /* says why */
    IP_TRY(status);
    slot->from = from;
    slot->to = to;
    slot->used = ++session->clock;
    *sides = slot->sides;
    return ip_session_tick(session);
}

const ip_inbetween_source *ip_session_source(const ip_inbetween *session) { return &session->source; }
ip_box_i ip_session_active(const ip_inbetween *session) { return session->active; }

/* Above this a session keeps enough for one frame and its gate, not for its neighbours' too. */
static bool large(int width, int height) { return (double)width * height > 4e6; }

uint64_t ip_inbetween_memory(int width, int height, ip_inbetween_variant variant) {
    static const uint64_t measured[IP_INBETWEEN_VARIANTS] = {140, 300, 460}; /* bytes a pixel; see inbetween.h */
    return (measured[variant] + (large(width, height) ? 0 : 110)) * (uint64_t)width * (uint64_t)height;
}

ipos_status ip_inbetween_open(const ip_inbetween_source *source, ip_inbetween **out) {
    *out = NULL;
    if (source->width < 1 || source->height < 1 || source->count < 2 || !source->times || !source->fetch)
        return ip_fail(IPOS_ERR_ARGUMENT, "inbetween: %zu known frames of %dx%d, expected at least 2 of at least 1x1", source->count,
            source->width, source->height);
    for (size_t i = 0; i < source->count; i++)
        if (!isfinite(source->times[i]) || (i && source->times[i] <= source->times[i - 1]))
            return ip_fail(IPOS_ERR_ARGUMENT, "inbetween: time %zu of the known frames is not after the one before", i);
    ip_inbetween *session = ip_calloc(1, sizeof *session);
    if (!session)
        return IPOS_ERR_NO_MEMORY;
    session->source = *source;
    session->pulse = (ip_pulse){beat, session};
    bool few = large(source->width, source->height);
    session->frame_slots = few ? IP_FRAME_SLOTS / 2 : IP_FRAME_SLOTS;
    session->flow_slots = few ? IP_FLOW_SLOTS / 2 : IP_FLOW_SLOTS;
    session->times = ip_calloc(source->count, sizeof *session->times);
    session->loo = ip_calloc(source->count, sizeof *session->loo);
    if (!session->times || !session->loo) {
        ip_inbetween_close(session);
        return IPOS_ERR_NO_MEMORY;
    }
    memcpy(session->times, source->times, source->count * sizeof *session->times);
    session->source.times = session->times;
    *out = session;
    return IPOS_OK;
}

void ip_inbetween_close(ip_inbetween *session) {
    if (!session)
        return;
    for (int i = 0; i < IP_FRAME_SLOTS; i++)
        seen_free(&session->frames[i].seen);
    for (int i = 0; i < IP_FLOW_SLOTS; i++)
        ip_planes_free(session->flows[i].flow, 2);
    for (int i = 0; i < IP_OVERRIDE_SLOTS; i++) {
        ip_override_free(&session->overrides[i].sides[0]);
        ip_override_free(&session->overrides[i].sides[1]);
    }
    ip_free(session->times);
    ip_free(session->loo);
    ip_free(session);
}
