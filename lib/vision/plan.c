#include "inbetween_plan.h"
#include "splat.h"
#include "trajectory.h"
#include "simd.h"
#include <math.h>

/* Coverage below this is a hole. */
static const float FULL_COVER = .5f;

typedef struct weigh_job {
    const ip_seen *from, *to;
    const ip_plane_f *flow;
    ip_plane_f *weight;
} weigh_job;

/* Vectors that lead to another colour are believed less. */
static void weigh_rows(void *user, int64_t begin, int64_t end) {
    weigh_job *job = user;
    for (int y = (int)begin; y < (int)end; y++) {
        const float *u = ip_row(&job->flow[0], y), *v = ip_row(&job->flow[1], y), *luma = ip_row(&job->from->luma, y);
        float *out = ip_row(job->weight, y);
        for (int x = 0; x < job->weight->width; x++) {
            float error = fabsf(ip_sample_linear(&job->to->luma, (float)x + u[x], (float)y + v[x]) - luma[x]);
            out[x] = expf(-.15f * IP_MIN(error, 60.f)) + 1e-4f;
        }
    }
}

static ipos_status project(const ip_seen *from, const ip_seen *to, const ip_plane_f flow[2], float reach, float sign, ip_plane_f motion[2],
    ip_plane_f *cover, int threads) {
    ip_plane_f weight;
    int w = from->luma.width, h = from->luma.height;
    IP_TRY(ip_plane_new(w, h, &weight));
    weigh_job job = {from, to, flow, &weight};
    ip_parallel(threads, h, 16, weigh_rows, &job);
    ip_splat splat = {&flow[0], &flow[1], &weight, reach, sign};
    ipos_status status = ip_planes_new(w, h, motion, 2);
    if (status == IPOS_OK)
        status = ip_plane_new(w, h, cover);
    if (status == IPOS_OK)
        status = ip_splat_flow(&splat, FULL_COVER, motion, cover, threads);
    ip_plane_free(&weight);
    return status;
}

/* The pair's flows of one kind, both ways, with the override put in for the full variant. */
static ipos_status layer_flows(ip_inbetween *session, const ip_inbetween_plan *plan, ip_flow_kind kind, ip_plane_f flows[4]) {
    ip_flow_key keys[2] = {{plan->left, plan->right, kind}, {plan->right, plan->left, kind}};
    const ip_plane_f *found[2];
    const ip_override *sides = NULL;
    if (plan->variant == IP_INBETWEEN_FULL)
        IP_TRY(ip_session_override(session, plan->left, plan->right, &sides));
    IP_TRY(ip_session_flows(session, keys, 2, found));
    IP_TRY(ip_planes_new(plan->active.width, plan->active.height, flows, 4));
    for (int i = 0; i < 2; i++) {
        ip_plane_copy(&flows[2 * i], &found[i][0]);
        ip_plane_copy(&flows[2 * i + 1], &found[i][1]);
        if (sides)
            ip_override_apply(&sides[i], &flows[2 * i], ip_session_source(session)->threads);
    }
    return IPOS_OK;
}

static ipos_status add_layer(ip_inbetween *session, ip_inbetween_plan *plan, ip_layer *layer, ip_flow_kind kind) {
    const ip_seen *left, *right;
    int threads = ip_session_source(session)->threads;
    ip_plane_f flows[4] = {0};
    ipos_status status = layer_flows(session, plan, kind, flows);
    if (status == IPOS_OK)
        status = ip_session_frame(session, plan->left, &left);
    if (status == IPOS_OK)
        status = ip_session_frame(session, plan->right, &right);
    if (status == IPOS_OK)
        status = project(left, right, &flows[0], plan->position, 1.f, layer->a, &layer->cover_a, threads);
    if (status == IPOS_OK)
        status = project(right, left, &flows[2], 1.f - plan->position, -1.f, layer->b, &layer->cover_b, threads);
    ip_planes_free(flows, 4);
    IP_TRY(status);
    IP_TRY(ip_planes_new(plan->active.width, plan->active.height, layer->weight, IP_INBETWEEN_CANDIDATES));
    IP_TRY(ip_layer_fuse(plan, layer, left, right, threads));
    return ip_session_tick(session);
}

/* The curved path, where there are known frames on both sides of the pair. */
static ipos_status bend(ip_inbetween *session, ip_inbetween_plan *plan, double lambda) {
    const ip_inbetween_source *source = ip_session_source(session);
    if (!(lambda > 0.) || plan->left == 0 || plan->right + 1 >= source->count)
        return IPOS_OK;
    const size_t frames[4] = {plan->left - 1, plan->left, plan->right, plan->right + 1};
    double time = source->times[plan->left] + plan->position * (source->times[plan->right] - source->times[plan->left]);
    IP_TRY(ip_trajectory(session, frames, time, plan->curve));
    for (int i = 0; i < 2; i++)
        for (int y = 0; y < plan->curve[i].height; y++)
            for (int x = 0; x < plan->curve[i].width; x++)
                ip_row(&plan->curve[i], y)[x] *= (float)lambda;
    plan->curved = true;
    return IPOS_OK;
}

static ipos_status build(ip_inbetween *session, ip_inbetween_plan *plan, double lambda) {
    const ip_inbetween_source *source = ip_session_source(session);
    const ip_seen *left, *right;
    IP_TRY(ip_session_frame(session, plan->left, &left));
    IP_TRY(ip_session_frame(session, plan->right, &right));
    plan->active = ip_session_active(session);
    IP_TRY(ip_plane_new(plan->active.width, plan->active.height, &plan->confidence));
    if (plan->variant == IP_INBETWEEN_AVERAGE)
        return ip_layer_fuse(plan, NULL, left, right, source->threads);
    plan->layer_count = plan->variant == IP_INBETWEEN_FULL ? 3 : 1;
    IP_TRY(bend(session, plan, lambda));
    for (int i = 0; i < plan->layer_count; i++)
        IP_TRY(add_layer(session, plan, &plan->layers[i], (ip_flow_kind)i));
    return IPOS_OK;
}

ipos_status ip_plan_between(ip_inbetween *session, size_t left, size_t right, double time, ip_inbetween_variant variant, double lambda,
    ip_inbetween_plan **out) {
    const ip_inbetween_source *source = ip_session_source(session);
    *out = NULL;
    ip_inbetween_plan *plan = ip_calloc(1, sizeof *plan);
    if (!plan)
        return IPOS_ERR_NO_MEMORY;
    plan->width = source->width;
    plan->height = source->height;
    plan->left = left;
    plan->right = right;
    plan->variant = variant;
    plan->position = (float)((time - source->times[left]) / (source->times[right] - source->times[left]));
    ipos_status status = build(session, plan, lambda);
    if (status != IPOS_OK) {
        ip_inbetween_plan_free(plan);
        return status;
    }
    *out = plan;
    return IPOS_OK;
}

ipos_status ip_find_gap(const ip_inbetween *session, double time, size_t *left) {
    const ip_inbetween_source *source = ip_session_source(session);
    for (size_t i = 0; i + 1 < source->count; i++)
        if (time > source->times[i] && time < source->times[i + 1]) {
            *left = i;
            return IPOS_OK;
        }
    return ip_fail(IPOS_ERR_ARGUMENT, "inbetween: time %g is not strictly between two known frames of the shot (%g to %g)", time,
        source->times[0], source->times[source->count - 1]);
}

ipos_status ip_inbetween_plan_make(ip_inbetween *session, double time, ip_inbetween_variant variant, double trajectory,
    ip_inbetween_plan **out) {
    *out = NULL;
    size_t left = 0;
    if ((unsigned)variant >= IP_INBETWEEN_VARIANTS)
        return ip_fail(IPOS_ERR_ARGUMENT, "inbetween: variant %d, expected average, plain or full", (int)variant);
    IP_TRY(ip_find_gap(session, time, &left));
    return ip_plan_between(session, left, left + 1, time, variant, trajectory, out);
}

const char *ip_inbetween_variant_name(ip_inbetween_variant variant) {
    static const char *const names[IP_INBETWEEN_VARIANTS] = {"average", "plain", "full"};
    return (unsigned)variant < IP_INBETWEEN_VARIANTS ? names[variant] : "unknown";
}
