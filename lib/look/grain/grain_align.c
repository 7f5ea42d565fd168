/* Three frames brought to the middle one, so closely that what differs is grain. */
#include "grain_internal.h"
#include "flow.h"
#include <math.h>

/* Grain shakes the flow, so it is computed at half size or less, and only what an affine motion over a window makes of it is believed. */
enum { WINDOW = 24, ROUNDS = 4, FEWEST = 150 };
static const float ROUGH = 1.f;      /* of the flow's pixels between the ways there and back for a place to count */
static const float AGREE = .3f;      /* full-size pixels between the fitted motions there and back */
static const float BENT = .6f;       /* of the flow's pixels rms that the flow may differ from the fitted motion */
static const float ENOUGH = .6f;     /* share of the window that must count */
static const double SHARED_LEAST = .05, SHARED = .5; /* shares: of the flow that agrees, and of that what must have the shared motion */
static const float SHARED_NEAR = 16.f;    /* squared pixels of the flow about the median to begin with */
static const double WORSE = 4.;      /* times what the flow leaves of difference that the shared motion may leave */

ipos_status ip_grain_flow_luma(const ip_image3 *image, int halvings, int threads, ip_plane_f *out) {
    ip_plane_f next, tmp = {0};
    IP_TRY(ip_plane_new(image->c[0].width, image->c[0].height, out));
    ip_luma(image, -.5f, 2.f, out, threads);
    ipos_status status = IPOS_OK;
    for (int i = 0; i < halvings && status == IPOS_OK; i++) {
        status = ip_halve(out, &next, threads);
        ip_plane_free(out);
        *out = next;
    }
    if (status == IPOS_OK)
        status = ip_plane_new(out->width, out->height, &tmp);
    if (status != IPOS_OK) {
        ip_plane_free(out);
        return status;
    }
    for (int y = 0; y < out->height; y++)
        for (int x = 0; x < out->width; x++)
            ip_row(out, y)[x] *= 255.f;
    ip_box_blur(out, out, &tmp, 1, 1, threads);
    ip_box_blur(out, out, &tmp, 1, 1, threads);
    ip_plane_free(&tmp);
    return IPOS_OK;
}

/* The ways there and back, two planes each, and where a place comes back to itself by the other way: looked at once, as every place lies in the
 * windows of many blocks. */
typedef struct way {
    const ip_plane_f *flow;
    uint8_t *agrees; /* row by row */
} way;

typedef struct motion_job {
    const ip_plane_f *from, *to;
    way there, back;
    ip_grain_grid grid;
    int scale; /* full-size pixels in one of the flow's */
    bool has_shared;
    float shared[2][6]; /* motion that most of the picture has, there and back, about its middle */
    ip_grain_motion *motion;
} motion_job;

static bool agrees(const ip_plane_f *there, const ip_plane_f *back, int x, int y) {
    float u = ip_row(&there[0], y)[x], v = ip_row(&there[1], y)[x], tx = (float)x + u, ty = (float)y + v;
    if (!(tx >= 0 && ty >= 0 && tx <= (float)(there->width - 1) && ty <= (float)(there->height - 1)))
        return false;
    float du = u + ip_sample_linear(&back[0], tx, ty), dv = v + ip_sample_linear(&back[1], tx, ty);
    return du * du + dv * dv < ROUGH * ROUGH;
}

typedef struct agree_job {
    const way *there, *back;
} agree_job;

static void agree_rows(void *user, int64_t begin, int64_t end) {
    const agree_job *job = user;
    int w = job->there->flow->width;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < w; x++)
            job->there->agrees[(size_t)y * (size_t)w + (size_t)x] = agrees(job->there->flow, job->back->flow, x, y);
}

/* Normal equations of (1, x, y) against both displacements, by Cramer. */
static bool affine(const double s[6], const double r[2][3], float m[6]) {
    double a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5]; /* [a b c; b d e; c e f] */
    double det = a * (d * f - e * e) - b * (b * f - c * e) + c * (b * e - c * d);
    if (!(fabs(det) > 1e-6))
        return false;
    for (int k = 0; k < 2; k++) {
        const double *q = r[k];
        m[3 * k] = (float)((q[0] * (d * f - e * e) - b * (q[1] * f - e * q[2]) + c * (q[1] * e - d * q[2])) / det);
        m[3 * k + 1] = (float)((a * (q[1] * f - e * q[2]) - q[0] * (b * f - e * c) + c * (b * q[2] - q[1] * c)) / det);
        m[3 * k + 2] = (float)((a * (d * q[2] - q[1] * e) - b * (b * q[2] - q[1] * c) + q[0] * (b * e - d * c)) / det);
    }
    return true;
}

/* Least squares over a part of the flow, from m on, again and again without what lies off by more than the last fit's doubled rms. In the flow's pixels, x
 * and y from (cx, cy). limit: squared, of the first round. Returns the share that counts. */
static double fit_part(const way *there, ip_box_i part, int cx, int cy, float limit, float m[6], double *off) {
    const ip_plane_f *flow = there->flow;
    double counted = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double s[6] = {0}, r[2][3] = {{0}};
        counted = *off = 0;
        for (int y = part.y; y < part.y + part.height; y++)
            for (int x = part.x; x < part.x + part.width; x++) {
                float u = ip_row(&flow[0], y)[x], v = ip_row(&flow[1], y)[x], px = (float)(x - cx), py = (float)(y - cy);
                float du = u - (m[0] + m[1] * px + m[2] * py), dv = v - (m[3] + m[4] * px + m[5] * py);
                if (!(du * du + dv * dv <= limit) || !there->agrees[(size_t)y * (size_t)flow->width + (size_t)x])
                    continue;
                counted++;
                *off += du * du + dv * dv;
                s[0] += 1, s[1] += px, s[2] += py, s[3] += px * px, s[4] += px * py, s[5] += py * py;
                r[0][0] += u, r[0][1] += u * px, r[0][2] += u * py;
                r[1][0] += v, r[1][1] += v * px, r[1][2] += v * py;
            }
        if (counted < FEWEST || !affine(s, (const double(*)[3])r, m))
            return 0;
        if (round > 0)
            limit = (float)fmax(4. * *off / counted, 1e-4);
    }
    *off /= counted;
    return counted / ((double)part.width * part.height);
}

static ip_box_i window_about(const ip_plane_f *flow, int cx, int cy) {
    int x0 = IP_MAX(0, cx - WINDOW / 2), y0 = IP_MAX(0, cy - WINDOW / 2);
    return (ip_box_i){x0, y0, IP_MIN(flow->width, cx + WINDOW / 2) - x0, IP_MIN(flow->height, cy + WINDOW / 2) - y0};
}

static bool fit_window(const way *there, int cx, int cy, float m[6]) {
    double off;
    return fit_part(there, window_about(there->flow, cx, cy), cx, cy, INFINITY, m, &off) >= ENOUGH && off <= (double)(BENT * BENT);
}

/* The motion that most of the flow has, as of a camera on a tripod or one that pans: for places where the flow follows the grain. False: there is none. */
static bool fit_shared(const way *there, float *scratch, float m[6]) {
    const int w = there->flow->width, h = there->flow->height;
    size_t n = 0;
    double off;
    for (int k = 0; k < 2; k++) {
        n = 0;
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                if (there->agrees[(size_t)y * (size_t)w + (size_t)x])
                    scratch[n++] = ip_row(&there->flow[k], y)[x];
        m[3 * k] = ip_grain_quantile(scratch, n, .5);
    }
    double agreed = (double)n / ((double)w * h);
    return agreed >= SHARED_LEAST && fit_part(there, (ip_box_i){0, 0, w, h}, w / 2, h / 2, SHARED_NEAR, m, &off) >= SHARED * agreed;
}

static void shared_at(const motion_job *job, int direction, int cx, int cy, float m[6]) {
    const float *g = job->shared[direction], x = (float)(cx - job->from->width / 2), y = (float)(cy - job->from->height / 2);
    memcpy(m, g, 6 * sizeof *m);
    m[0] += g[1] * x + g[2] * y;
    m[3] += g[4] * x + g[5] * y;
}

/* Whether the shared motion leaves no much greater difference in the window than the flow, which is better for following the grain, does. */
static bool lies_there(const motion_job *job, int cx, int cy, const float m[6]) {
    const ip_box_i box = window_about(job->from, cx, cy);
    double shared = 0, own = 0;
    for (int y = box.y; y < box.y + box.height; y++)
        for (int x = box.x; x < box.x + box.width; x++) {
            float px = (float)(x - cx), py = (float)(y - cy), here = ip_row(job->from, y)[x];
            float a = here - ip_sample_linear(job->to, (float)x + m[0] + m[1] * px + m[2] * py, (float)y + m[3] + m[4] * px + m[5] * py);
            float b = here - ip_sample_linear(job->to, (float)x + ip_row(&job->there.flow[0], y)[x], (float)y + ip_row(&job->there.flow[1], y)[x]);
            shared += a * a;
            own += b * b;
        }
    return shared <= WORSE * own;
}

/* Motion of a place there and from where it leads back, both in the flow's pixels: its own window's, or the shared one. */
static bool motion_of(const motion_job *job, bool shared, int cx, int cy, float m[6], float n[6], int back_at[2]) {
    memset(m, 0, 6 * sizeof *m);
    memset(n, 0, 6 * sizeof *n);
    if (shared)
        shared_at(job, 0, cx, cy, m);
    else if (!fit_window(&job->there, cx, cy, m))
        return false;
    float tx = (float)cx + m[0], ty = (float)cy + m[3];
    if (!(tx >= 4.f && ty >= 4.f && tx <= (float)(job->from->width - 5) && ty <= (float)(job->from->height - 5)))
        return false;
    back_at[0] = (int)(tx + .5f), back_at[1] = (int)(ty + .5f);
    if (!shared)
        return fit_window(&job->back, back_at[0], back_at[1], n);
    shared_at(job, 1, back_at[0], back_at[1], n);
    return lies_there(job, cx, cy, m);
}

/* In the flow's pixels and back again; a pixel's middle lies half a pixel further in. Motions that are known already stay. */
static void fit_block(const motion_job *job, int bx, int by) {
    float scale = (float)job->scale, inset = .5f * (scale - 1.f), m[6], n[6];
    int middle_x = bx * IP_GRAIN_BLOCK + IP_GRAIN_BLOCK / 2, middle_y = by * IP_GRAIN_BLOCK + IP_GRAIN_BLOCK / 2;
    int cx = middle_x / job->scale, cy = middle_y / job->scale, at[2];
    ip_grain_motion *out = &job->motion[by * job->grid.columns + bx];
    for (int shared = 0; shared <= (int)job->has_shared && !out->known; shared++) {
        if (!motion_of(job, shared > 0, cx, cy, m, n, at))
            continue;
        float dx = (float)cx + m[0] - (float)at[0], dy = (float)cy + m[3] - (float)at[1];
        float du = scale * (m[0] + n[0] + n[1] * dx + n[2] * dy), dv = scale * (m[3] + n[3] + n[4] * dx + n[5] * dy);
        if (!(du * du + dv * dv <= AGREE * AGREE))
            continue;
        memcpy(out->m, m, sizeof m);
        out->m[0] = scale * m[0] - inset * (m[1] + m[2]);
        out->m[3] = scale * m[3] - inset * (m[4] + m[5]);
        out->known = true;
    }
}

static void fit_rows(void *user, int64_t begin, int64_t end) {
    const motion_job *job = user;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < job->grid.columns; x++)
            fit_block(job, x, y);
}

ipos_status ip_grain_motions(const ip_plane_f *from, const ip_plane_f *to, ip_grain_grid grid, int scale, int threads, const ip_pulse *pulse,
    ip_grain_motion *motion) {
    const ip_flow_options options = {.finest = 1, .threads = threads, .pulse = pulse};
    ip_plane_f there[2] = {0}, back[2] = {0};
    ipos_status status = ip_flow(from, to, &options, there);
    if (status == IPOS_OK)
        status = ip_flow(to, from, &options, back);
    size_t places = (size_t)from->width * (size_t)from->height;
    uint8_t *agreed = status == IPOS_OK ? ip_calloc(2 * places, 1) : NULL;
    float *scratch = agreed ? ip_alloc(places * sizeof *scratch) : NULL;
    if (status == IPOS_OK && !scratch)
        status = IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK) {
        motion_job job = {from, to, {there, agreed}, {back, agreed + places}, grid, scale, false, {{0}}, motion};
        agree_job both[2] = {{&job.there, &job.back}, {&job.back, &job.there}};
        for (int i = 0; i < 2; i++)
            ip_parallel(threads, from->height, 16, agree_rows, &both[i]);
        job.has_shared = fit_shared(&job.there, scratch, job.shared[0]) && fit_shared(&job.back, scratch, job.shared[1]);
        ip_parallel(threads, job.grid.rows, 1, fit_rows, &job);
    }
    ip_free(scratch);
    ip_free(agreed);
    ip_planes_free(there, 2);
    ip_planes_free(back, 2);
    return status;
}
