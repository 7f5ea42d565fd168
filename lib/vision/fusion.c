#include "inbetween_plan.h"
#include <math.h>

typedef struct side_job {
    const ip_inbetween_plan *plan;
    const ip_layer *layer;
    ip_inbetween_fusion *fusion;
} side_job;

static float magnitude(float x, float y) {
    float m = sqrtf(x * x + y * y) / 16.f;
    return m < 4.f ? m : 4.f;
}

static void side_rows(void *user, int64_t begin, int64_t end) {
    side_job *job = user;
    const ip_layer *layer = job->layer;
    ip_plane_f *side = job->fusion->side;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < job->fusion->width; x++) {
            float ax = ip_row(&layer->a[0], y)[x], ay = ip_row(&layer->a[1], y)[x];
            float bx = ip_row(&layer->b[0], y)[x], by = ip_row(&layer->b[1], y)[x];
            ip_row(&side[3], y)[x] = IP_MIN(ip_row(&layer->cover_a, y)[x], 2.f);
            ip_row(&side[4], y)[x] = IP_MIN(ip_row(&layer->cover_b, y)[x], 2.f);
            ip_row(&side[5], y)[x] = magnitude(ax, ay);
            ip_row(&side[6], y)[x] = magnitude(ax - bx, ay - by);
            ip_row(&side[7], y)[x] = job->plan->position;
        }
}

typedef struct candidate_job {
    const ip_inbetween_plan *plan;
    const ip_layer *layer;
    const ip_plane_f *left, *right;
    ip_inbetween_fusion *fusion;
    int channel;
} candidate_job;

static void candidate_rows(void *user, int64_t begin, int64_t end) {
    candidate_job *job = user;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < job->fusion->width; x++)
            for (int i = 0; i < 4; i++) {
                ip_place p = ip_layer_place(job->plan, i >= 2 ? job->layer->b : job->layer->a, i & 1, x, y);
                ip_row(&job->fusion->warped[i].c[job->channel], y)[x] = ip_sample_cubic(i & 1 ? job->right : job->left, p.x, p.y);
            }
}

static ipos_status allocate(ip_inbetween_fusion *f) {
    for (int i = 0; i < 4; i++)
        IP_TRY(ip_planes_new(f->width, f->height, f->warped[i].c, 3));
    for (int i = 0; i < 2; i++)
        IP_TRY(ip_planes_new(f->width, f->height, f->still[i].c, 3));
    IP_TRY(ip_planes_new(f->width, f->height, f->logits, IP_INBETWEEN_CANDIDATES));
    return ip_planes_new(f->width, f->height, f->side, IP_INBETWEEN_SIDES);
}

/* The logits want finite, limited colour; the candidates keep what the caller gave. */
static void limited(const ip_plane_f *from, ip_plane_f *to) {
    for (int y = 0; y < to->height; y++)
        for (int x = 0; x < to->width; x++) {
            float v = ip_row(from, y)[x];
            ip_row(to, y)[x] = v >= -.25f ? (v < 1.5f ? v : 1.5f) : isnan(v) ? 0.f : -.25f;
        }
}

static ipos_status fill(const ip_inbetween_plan *plan, const ip_image3 *left, const ip_image3 *right, int threads, ip_image3 seen[2],
    ip_inbetween_fusion *f) {
    const ip_layer *layer = &plan->layers[0];
    IP_TRY(allocate(f));
    for (int side = 0; side < 2; side++) {
        IP_TRY(ip_planes_new(f->width, f->height, seen[side].c, 3));
        for (int c = 0; c < 3; c++) {
            ip_plane_f part = ip_plane_part(&(side ? right : left)->c[c], plan->active);
            ip_plane_copy(&f->still[side].c[c], &part);
            limited(&part, &seen[side].c[c]);
        }
    }
    IP_TRY(ip_layer_logits(plan, layer, &seen[0], &seen[1], f->logits, f->side, threads));
    for (int c = 0; c < 3; c++) {
        candidate_job job = {plan, layer, &f->still[0].c[c], &f->still[1].c[c], f, c};
        ip_parallel(threads, f->height, 8, candidate_rows, &job);
    }
    side_job job = {plan, layer, f};
    ip_parallel(threads, f->height, 16, side_rows, &job);
    return IPOS_OK;
}

ipos_status ip_inbetween_fusion_make(const ip_inbetween_plan *plan, const ip_image3 *left, const ip_image3 *right, int threads,
    ip_inbetween_fusion *out) {
    memset(out, 0, sizeof *out);
    if (plan->layer_count < 1)
        return ip_fail(IPOS_ERR_ARGUMENT, "inbetween: an average has no candidates to fuse");
    out->width = plan->active.width;
    out->height = plan->active.height;
    out->active = plan->active;
    ip_image3 seen[2] = {0};
    ipos_status status = fill(plan, left, right, threads, seen, out);
    for (int i = 0; i < 2; i++)
        ip_planes_free(seen[i].c, 3);
    if (status != IPOS_OK)
        ip_inbetween_fusion_free(out);
    return status;
}

void ip_inbetween_fusion_free(ip_inbetween_fusion *fusion) {
    for (int i = 0; i < 4; i++)
        ip_planes_free(fusion->warped[i].c, 3);
    for (int i = 0; i < 2; i++)
        ip_planes_free(fusion->still[i].c, 3);
    ip_planes_free(fusion->logits, IP_INBETWEEN_CANDIDATES);
    ip_planes_free(fusion->side, IP_INBETWEEN_SIDES);
    memset(fusion, 0, sizeof *fusion);
}

void ip_inbetween_plan_set_logits(ip_inbetween_plan *plan, const ip_plane_f logits[IP_INBETWEEN_CANDIDATES], int threads) {
    if (plan->layer_count > 0)
        ip_layer_softmax(&plan->layers[0], logits, threads);
}
