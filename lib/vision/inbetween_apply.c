#include "inbetween_plan.h"
#include "simd.h"
#include <math.h>

typedef struct apply_job {
    const ip_inbetween_plan *plan;
    const ip_plane_f *left, *right; /* the whole frame */
    ip_plane_f in_left, in_right;   /* the active part */
    ip_plane_f *out;
} apply_job;

/* A candidate below this share is not worth sampling; the others make up for it. */
static const float NEGLIGIBLE = 1.f / 512.f;

static float blend(const apply_job *job, const ip_layer *layer, int x, int y) {
    float sum = 0.f, weights = 0.f;
    for (int i = 0; i < IP_INBETWEEN_CANDIDATES; i++) {
        float k = ip_row(&layer->weight[i], y)[x];
        if (k < NEGLIGIBLE)
            continue;
        const ip_plane_f *frame = i & 1 ? &job->in_right : &job->in_left;
        weights += k;
        if (i >= 4) {
            sum += k * ip_row(frame, y)[x];
        } else {
            ip_place p = ip_layer_place(job->plan, i >= 2 ? layer->b : layer->a, i & 1, x, y);
            sum += k * ip_sample_cubic(frame, p.x, p.y);
        }
    }
    return sum / weights;
}

static void apply_rows(void *user, int64_t begin, int64_t end) {
    apply_job *job = user;
    const ip_inbetween_plan *plan = job->plan;
    ip_box_i active = plan->active;
    float right = plan->position;
    for (int y = (int)begin; y < (int)end; y++) {
        const float *a = ip_row(job->left, y), *b = ip_row(job->right, y);
        float *out = ip_row(job->out, y);
        bool row_active = plan->layer_count > 0 && y >= active.y && y < active.y + active.height;
        for (int x = 0; x < plan->width; x++) {
            if (!row_active || x < active.x || x >= active.x + active.width) {
                out[x] = a[x] == b[x] ? a[x] : (1.f - right) * a[x] + right * b[x];
                continue;
            }
            float sum = 0.f;
            for (int i = 0; i < plan->layer_count; i++)
                sum += blend(job, &plan->layers[i], x - active.x, y - active.y);
            out[x] = plan->layer_count > 1 ? sum / (float)plan->layer_count : sum;
        }
    }
}

void ip_inbetween_apply(const ip_inbetween_plan *plan, const ip_plane_f *left, const ip_plane_f *right, ip_plane_f *out, int threads) {
    apply_job job = {plan, left, right, ip_plane_part(left, plan->active), ip_plane_part(right, plan->active), out};
    ip_parallel(threads, plan->height, 8, apply_rows, &job);
}

typedef struct nearest_job {
    const ip_inbetween_plan *plan;
    size_t bytes;
    const uint8_t *left, *right;
    ptrdiff_t left_stride, right_stride, out_stride;
    uint8_t *out;
} nearest_job;

static int near(float v, int size) { return v > 0.f ? (v < (float)(size - 1) ? (int)(v + .5f) : size - 1) : 0; }

static void nearest_rows(void *user, int64_t begin, int64_t end) {
    nearest_job *job = user;
    const ip_inbetween_plan *plan = job->plan;
    ip_box_i active = plan->active;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < plan->width; x++) {
            bool right = plan->position > .5f;
            int fx = x, fy = y;
            int ax = x - active.x, ay = y - active.y;
            if (plan->layer_count > 0 && ax >= 0 && ay >= 0 && ax < active.width && ay < active.height) {
                const ip_layer *layer = &plan->layers[0];
                int best = 0;
                for (int i = 1; i < IP_INBETWEEN_CANDIDATES; i++)
                    if (ip_row(&layer->weight[i], ay)[ax] > ip_row(&layer->weight[best], ay)[ax])
                        best = i;
                right = best & 1;
                if (best < 4) {
                    ip_place p = ip_layer_place(plan, best >= 2 ? layer->b : layer->a, right, ax, ay);
                    fx = active.x + near(p.x, active.width);
                    fy = active.y + near(p.y, active.height);
                }
            }
            const uint8_t *from = right ? job->right + fy * job->right_stride : job->left + fy * job->left_stride;
            memcpy(job->out + y * job->out_stride + (size_t)x * job->bytes, from + (size_t)fx * job->bytes, job->bytes);
        }
}

void ip_inbetween_apply_nearest(const ip_inbetween_plan *plan, size_t element_bytes, const void *left, ptrdiff_t left_stride,
    const void *right, ptrdiff_t right_stride, void *out, ptrdiff_t out_stride, int threads) {
    nearest_job job = {plan, element_bytes, left, right, left_stride, right_stride, out_stride, out};
    ip_parallel(threads, plan->height, 16, nearest_rows, &job);
}

void ip_inbetween_evidence(const ip_inbetween_plan *plan, ip_plane_f *confidence, ip_plane_f *evidence, int threads) {
    (void)threads;
    ip_box_i active = plan->active;
    for (int y = 0; y < plan->height; y++)
        for (int x = 0; x < plan->width; x++) {
            int ax = x - active.x, ay = y - active.y;
            bool in = ax >= 0 && ay >= 0 && ax < active.width && ay < active.height;
            float trust = in ? ip_row(&plan->confidence, ay)[ax] : 1.f;
            if (confidence)
                ip_row(confidence, y)[x] = trust;
            if (evidence)
                ip_row(evidence, y)[x] = trust >= .15f ? 1.f : 3.f;
        }
}

void ip_inbetween_plan_info(const ip_inbetween_plan *plan, ip_inbetween_info *out) {
    double sum = 0;
    for (int y = 0; y < plan->active.height; y++)
        for (int x = 0; x < plan->active.width; x++)
            sum += ip_row(&plan->confidence, y)[x];
    *out = (ip_inbetween_info){plan->left, plan->right, plan->position, plan->active,
        sum / ((double)plan->active.width * plan->active.height)};
}

void ip_inbetween_plan_free(ip_inbetween_plan *plan) {
    if (!plan)
        return;
    for (int i = 0; i < IP_MAX_LAYERS; i++) {
        ip_layer *layer = &plan->layers[i];
        ip_planes_free(layer->a, 2);
        ip_planes_free(layer->b, 2);
        ip_plane_free(&layer->cover_a);
        ip_plane_free(&layer->cover_b);
        ip_planes_free(layer->weight, IP_INBETWEEN_CANDIDATES);
    }
    ip_planes_free(plan->curve, 2);
    ip_plane_free(&plan->confidence);
    ip_free(plan);
}
