#include "inbetween_plan.h"
#include "simd.h"
#include <math.h>

/* How strongly disagreement counts, what leaving the frame costs, and what standing still has to overcome. */
static const float SHARPNESS = 64.f, OUTSIDE = 6.f, OUTSIDE_DIFFERENCE = .03f, STILL = 2.f, FLOOR = -12.f;
enum { BLUR = 3 };

typedef struct fuse_job {
    const ip_inbetween_plan *plan;
    const ip_layer *layer;
    const ip_image3 *left, *right;
    ip_plane_f *logits, *difference;
} fuse_job;

static inline bool inside(const ip_plane_f *plane, ip_place p) {
    return p.x >= -.5f && p.y >= -.5f && p.x <= (float)plane->width - .5f && p.y <= (float)plane->height - .5f;
}

static float apart(const fuse_job *job, ip_place l, ip_place r) {
    float a[3], b[3];
    ip_sample_cubic3(job->left, l.x, l.y, a);
    ip_sample_cubic3(job->right, r.x, r.y, b);
    return (fabsf(a[0] - b[0]) + fabsf(a[1] - b[1]) + fabsf(a[2] - b[2])) * (1.f / 3.f);
}

/* Differences of the two warps of A and of B and of the frames as they are; whether each position lies inside is put in the logits. */
static void difference_rows(void *user, int64_t begin, int64_t end) {
    fuse_job *job = user;
    const ip_plane_f *frame = &job->left->c[0];
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < frame->width; x++) {
            float still = 0.f;
            for (int c = 0; c < 3; c++)
                still += fabsf(ip_row(&job->left->c[c], y)[x] - ip_row(&job->right->c[c], y)[x]);
            ip_row(&job->difference[2], y)[x] = still * (1.f / 3.f);
            for (int k = 0; k < 2 && job->layer; k++) {
                const ip_plane_f *motion = k ? job->layer->b : job->layer->a;
                ip_place l = ip_layer_place(job->plan, motion, false, x, y), r = ip_layer_place(job->plan, motion, true, x, y);
                ip_row(&job->difference[k], y)[x] = apart(job, l, r);
                ip_row(&job->logits[2 * k], y)[x] = inside(frame, l) ? 1.f : 0.f;
                ip_row(&job->logits[2 * k + 1], y)[x] = inside(frame, r) ? 1.f : 0.f;
            }
        }
}

static void logit_rows(void *user, int64_t begin, int64_t end) {
    fuse_job *job = user;
    float position = job->plan->position;
    float bias[2] = {logf(2.f * (1.f - position)), logf(2.f * position)};
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < job->left->c[0].width; x++) {
            for (int k = 0; k < 2; k++) {
                float in[2] = {ip_row(&job->logits[2 * k], y)[x], ip_row(&job->logits[2 * k + 1], y)[x]}, both = in[0] * in[1];
                float common = -SHARPNESS * (ip_row(&job->difference[k], y)[x] * both + OUTSIDE_DIFFERENCE * (1.f - both));
                for (int side = 0; side < 2; side++) {
                    float v = common - OUTSIDE * (1.f - in[side]) + bias[side];
                    ip_row(&job->logits[2 * k + side], y)[x] = v > FLOOR ? v : FLOOR;
                }
            }
            for (int side = 0; side < 2; side++) {
                float v = -SHARPNESS * ip_row(&job->difference[2], y)[x] - STILL + bias[side];
                ip_row(&job->logits[4 + side], y)[x] = v > FLOOR ? v : FLOOR;
            }
        }
}

ipos_status ip_layer_logits(const ip_inbetween_plan *plan, const ip_layer *layer, const ip_image3 *left, const ip_image3 *right,
    ip_plane_f logits[IP_INBETWEEN_CANDIDATES], ip_plane_f difference[3], int threads) {
    int w = left->c[0].width, h = left->c[0].height;
    fuse_job job = {plan, layer, left, right, logits, difference};
    ip_parallel(threads, h, 8, difference_rows, &job);
    ip_plane_f tmp;
    IP_TRY(ip_plane_new(w, h, &tmp));
    for (int i = layer ? 0 : 2; i < 3; i++)
        ip_box_blur(&difference[i], &difference[i], &tmp, BLUR, BLUR, threads);
    ip_plane_free(&tmp);
    if (layer)
        ip_parallel(threads, h, 16, logit_rows, &job);
    return IPOS_OK;
}

typedef struct softmax_job {
    ip_layer *layer;
    const ip_plane_f *logits;
} softmax_job;

static void softmax_rows(void *user, int64_t begin, int64_t end) {
    softmax_job *job = user;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < job->logits[0].width; x++) {
            float v[IP_INBETWEEN_CANDIDATES], most = -INFINITY, sum = 0.f;
            for (int i = 0; i < IP_INBETWEEN_CANDIDATES; i++) {
                v[i] = ip_row(&job->logits[i], y)[x];
                most = v[i] > most ? v[i] : most;
            }
            for (int i = 0; i < IP_INBETWEEN_CANDIDATES; i++)
                sum += v[i] = expf(v[i] - most);
            for (int i = 0; i < IP_INBETWEEN_CANDIDATES; i++)
                ip_row(&job->layer->weight[i], y)[x] = v[i] / sum;
        }
}

void ip_layer_softmax(ip_layer *layer, const ip_plane_f logits[IP_INBETWEEN_CANDIDATES], int threads) {
    softmax_job job = {layer, logits};
    ip_parallel(threads, logits[0].height, 16, softmax_rows, &job);
}

/* Confidence falls to 1/e where the better pair of warps differs by a twentieth of the range. */
static void note_confidence(ip_inbetween_plan *plan, const ip_layer *layer, const ip_plane_f difference[3]) {
    for (int y = 0; y < plan->confidence.height; y++)
        for (int x = 0; x < plan->confidence.width; x++) {
            float best = expf(-20.f * ip_row(&difference[2], y)[x]);
            if (layer) {
                float cover[2] = {ip_row(&layer->cover_a, y)[x], ip_row(&layer->cover_b, y)[x]}, moved = 0.f;
                for (int k = 0; k < 2; k++) {
                    float agree = expf(-20.f * ip_row(&difference[k], y)[x]) * IP_MIN(cover[k], 1.f);
                    moved = agree > moved ? agree : moved;
                }
                float still = ip_row(&layer->weight[4], y)[x] + ip_row(&layer->weight[5], y)[x];
                best = moved + still * (best - moved);
            }
            ip_row(&plan->confidence, y)[x] += best / (float)IP_MAX(plan->layer_count, 1);
        }
}

ipos_status ip_layer_fuse(ip_inbetween_plan *plan, ip_layer *layer, const ip_seen *left, const ip_seen *right, int threads) {
    ip_plane_f planes[IP_INBETWEEN_CANDIDATES + 3];
    IP_TRY(ip_planes_new(plan->active.width, plan->active.height, planes, IP_COUNT(planes)));
    ip_plane_f *difference = planes + IP_INBETWEEN_CANDIDATES;
    ipos_status status = ip_layer_logits(plan, layer, &left->color, &right->color, planes, difference, threads);
    if (status == IPOS_OK) {
        if (layer)
            ip_layer_softmax(layer, planes, threads);
        note_confidence(plan, layer, difference);
    }
    ip_planes_free(planes, IP_COUNT(planes));
    return status;
}
