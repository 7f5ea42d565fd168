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
    way there, back;
    ip_grain_grid grid;
    int scale; /* full-size pixels in one of the flow's */
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

/* Least squares over the window, again without what lies off by more than the last fit's doubled rms. In the flow's pixels. */
static bool fit_window(const way *there, int cx, int cy, float m[6]) {
    const ip_plane_f *flow = there->flow;
    int x0 = IP_MAX(0, cx - WINDOW / 2), x1 = IP_MIN(flow->width, cx + WINDOW / 2), y0 = IP_MAX(0, cy - WINDOW / 2);
    int y1 = IP_MIN(flow->height, cy + WINDOW / 2);
    float limit = INFINITY;
    double counted = 0, off = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double s[6] = {0}, r[2][3] = {{0}};
        counted = off = 0;
        for (int y = y0; y < y1; y++)
            for (int x = x0; x < x1; x++) {
                float u = ip_row(&flow[0], y)[x], v = ip_row(&flow[1], y)[x], px = (float)(x - cx), py = (float)(y - cy);
                float du = u - (m[0] + m[1] * px + m[2] * py), dv = v - (m[3] + m[4] * px + m[5] * py);
                if (!(du * du + dv * dv <= limit) || !there->agrees[(size_t)y * (size_t)flow->width + (size_t)x])
                    continue;
                counted++;
                off += du * du + dv * dv;
                s[0] += 1, s[1] += px, s[2] += py, s[3] += px * px, s[4] += px * py, s[5] += py * py;
                r[0][0] += u, r[0][1] += u * px, r[0][2] += u * py;
                r[1][0] += v, r[1][1] += v * px, r[1][2] += v * py;
            }
        if (counted < FEWEST || !affine(s, (const double(*)[3])r, m))
            return false;
        if (round > 0)
            limit = (float)fmax(4. * off / counted, 1e-4);
    }
    return counted >= ENOUGH * (double)((x1 - x0) * (y1 - y0)) && off <= (double)(BENT * BENT) * counted;
}

/* In the flow's pixels and back again; a pixel's middle lies half a pixel further in. Motions that are known already stay. */
static void fit_block(const motion_job *job, int bx, int by) {
    float scale = (float)job->scale, inset = .5f * (scale - 1.f);
    int middle_x = bx * IP_GRAIN_BLOCK + IP_GRAIN_BLOCK / 2, middle_y = by * IP_GRAIN_BLOCK + IP_GRAIN_BLOCK / 2;
    int cx = middle_x / job->scale, cy = middle_y / job->scale;
    ip_grain_motion *out = &job->motion[by * job->grid.columns + bx];
    float m[6] = {0}, n[6] = {0};
    if (out->known || !fit_window(&job->there, cx, cy, m))
        return;
    float tx = (float)cx + m[0], ty = (float)cy + m[3];
    if (!(tx >= 4.f && ty >= 4.f && tx <= (float)(job->there.flow->width - 5) && ty <= (float)(job->there.flow->height - 5)))
        return;
    int rx = (int)(tx + .5f), ry = (int)(ty + .5f);
    if (!fit_window(&job->back, rx, ry, n))
        return;
    float dx = tx - (float)rx, dy = ty - (float)ry;
    float du = scale * (m[0] + n[0] + n[1] * dx + n[2] * dy), dv = scale * (m[3] + n[3] + n[4] * dx + n[5] * dy);
    if (!(du * du + dv * dv <= AGREE * AGREE))
        return;
    memcpy(out->m, m, sizeof m);
    out->m[0] = scale * m[0] - inset * (m[1] + m[2]);
    out->m[3] = scale * m[3] - inset * (m[4] + m[5]);
    out->known = true;
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
    if (status == IPOS_OK && !agreed)
        status = IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK) {
        motion_job job = {{there, agreed}, {back, agreed + places}, grid, scale, motion};
        agree_job both[2] = {{&job.there, &job.back}, {&job.back, &job.there}};
        for (int i = 0; i < 2; i++)
            ip_parallel(threads, from->height, 16, agree_rows, &both[i]);
        ip_parallel(threads, job.grid.rows, 1, fit_rows, &job);
    }
    ip_free(agreed);
    ip_planes_free(there, 2);
    ip_planes_free(back, 2);
    return status;
}

void ip_grain_taps(int phase, float taps[IP_GRAIN_TAPS]) {
    double f = (double)phase / IP_GRAIN_PHASES, sum = 0, t[IP_GRAIN_TAPS];
    for (int i = 0; i < IP_GRAIN_TAPS; i++) {
        double x = i - 3 - f, px = 3.14159265358979323846 * x;
        t[i] = fabs(x) < 1e-9 ? 1. : sin(px) / px * sin(px / 4) / (px / 4);
        sum += t[i];
    }
    for (int i = 0; i < IP_GRAIN_TAPS; i++)
        taps[i] = (float)(t[i] / sum);
}

typedef struct warp_job {
    const ip_image3 *from;
    const ip_grain_motion *motion;
    ip_grain_grid grid;
    ip_image3 *to;
    float taps[IP_GRAIN_PHASES][IP_GRAIN_TAPS];
} warp_job;

static void split(float at, int *whole, int *phase) {
    float rounded = floorf(at * IP_GRAIN_PHASES + .5f);
    *whole = (int)floorf(rounded / IP_GRAIN_PHASES);
    *phase = (int)(rounded - (float)*whole * IP_GRAIN_PHASES);
}

static float sample(const ip_plane_f *from, int x, int y, const float *tx, const float *ty) {
    float sum = 0.f;
    bool inside = x >= 3 && y >= 3 && x + 4 < from->width && y + 4 < from->height;
    for (int j = 0; j < IP_GRAIN_TAPS; j++) {
        const float *row = ip_row(from, inside ? y + j - 3 : IP_MIN(IP_MAX(y + j - 3, 0), from->height - 1));
        float line = 0.f;
        if (inside)
            for (int i = 0; i < IP_GRAIN_TAPS; i++)
                line += tx[i] * row[x + i - 3];
        else
            for (int i = 0; i < IP_GRAIN_TAPS; i++)
                line += tx[i] * row[IP_MIN(IP_MAX(x + i - 3, 0), from->width - 1)];
        sum += ty[j] * line;
    }
    return sum;
}

static void warp_block(const warp_job *job, int bx, int by) {
    const ip_grain_motion *motion = &job->motion[by * job->grid.columns + bx];
    if (!motion->known)
        return;
    for (int y = 0; y < IP_GRAIN_BLOCK; y++)
        for (int x = 0; x < IP_GRAIN_BLOCK; x++) {
            int px = bx * IP_GRAIN_BLOCK + x, py = by * IP_GRAIN_BLOCK + y, sx, sy, fx, fy;
            float dx = (float)(x - IP_GRAIN_BLOCK / 2), dy = (float)(y - IP_GRAIN_BLOCK / 2);
            split((float)px + motion->m[0] + motion->m[1] * dx + motion->m[2] * dy, &sx, &fx);
            split((float)py + motion->m[3] + motion->m[4] * dx + motion->m[5] * dy, &sy, &fy);
            for (int c = 0; c < 3; c++)
                ip_row(&job->to->c[c], py)[px] = sample(&job->from->c[c], sx, sy, job->taps[fx], job->taps[fy]);
        }
}

static void warp_rows(void *user, int64_t begin, int64_t end) {
    const warp_job *job = user;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < job->grid.columns; x++)
            warp_block(job, x, y);
}

void ip_grain_warp(const ip_image3 *from, const ip_grain_motion *motion, int threads, ip_image3 *to) {
    warp_job job = {.from = from, .motion = motion, .grid = ip_grain_grid_of(from->c[0].width, from->c[0].height), .to = to};
    for (int i = 0; i < IP_GRAIN_PHASES; i++)
        ip_grain_taps(i, job.taps[i]);
    for (int c = 0; c < 3; c++)
        ip_plane_fill(&to->c[c], 0.f);
    ip_parallel(threads, job.grid.rows, 1, warp_rows, &job);
}
