#include "flow.h"
#include "simd.h"
#include <math.h>

/* Checkerboard storage: the samples of one colour of every row packed together, so that a relaxation sweep over one colour is a
 * plain loop. Pixel (x,y) has colour (x+y)&1 and index x>>1 in its row. Eight zeros lie on either side and a zero row above and below. */
enum { MARGIN = 8 };

typedef struct board {
    int half, height;
    ptrdiff_t stride;
    float *data, *color[2];
} board;

enum { B_U, B_V, B_A12, B_B1, B_B2, B_I11, B_I22, B_RIGHT, B_BELOW, BOARDS };

typedef struct refine {
    const ip_plane_f *a;
    ip_plane_f *u, *v;
    ip_plane_f warped, iz, ix, iy, ixx, ixy, iyy, ixz, iyz, inside, smooth;
    const ip_refine_options *options;
    board boards[BOARDS];
    int color;
} refine;

static const float OMEGA = 1.6f, ZETA2 = .01f, EPS2 = 1e-6f;

static ipos_status board_new(int width, int height, board *out) {
    *out = (board){.half = (width + 1) / 2, .height = height};
    out->stride = (out->half + 2 * MARGIN + 15) / 16 * 16;
    size_t side = (size_t)out->stride * (size_t)(height + 2), bytes = 2 * side * sizeof(float);
    out->data = ip_aligned_alloc(64, bytes);
    if (!out->data)
        return ip_no_memory(bytes);
    memset(out->data, 0, bytes);
    for (int c = 0; c < 2; c++)
        out->color[c] = out->data + (size_t)c * side + out->stride + MARGIN;
    return IPOS_OK;
}

IP_INLINE float *board_row(const board *b, int color, int y) { return b->color[color] + (ptrdiff_t)y * b->stride; }

/* n samples from column x0, which is even. */
static void split_piece(const board *b, int y, int x0, const float *row, int n) {
    for (int parity = 0; parity < 2; parity++) {
        float *out = board_row(b, (parity + y) & 1, y) + (x0 >> 1);
        for (int x = parity; x < n; x += 2)
            out[x >> 1] = row[x];
    }
}

static void join_row(const board *b, int y, float *row, int width) {
    for (int parity = 0; parity < 2; parity++) {
        const float *in = board_row(b, (parity + y) & 1, y);
        for (int x = parity; x < width; x += 2)
            row[x] = in[x >> 1];
    }
}

/* Central differences, edges repeated. */
IP_HOT static void differences(const ip_plane_f *p, ip_plane_f *gx, ip_plane_f *gy, int y) {
    const float *row = ip_row(p, y), *up = ip_row(p, y > 0 ? y - 1 : 0), *down = ip_row(p, y < p->height - 1 ? y + 1 : y);
    int w = p->width;
    if (gx) {
        float *out = ip_row(gx, y);
        out[0] = .5f * (row[w > 1] - row[0]);
        for (int x = 1; x < w - 1; x++)
            out[x] = .5f * (row[x + 1] - row[x - 1]);
        out[w - 1] = .5f * (row[w - 1] - row[w > 1 ? w - 2 : 0]);
    }
    if (gy) {
        float *out = ip_row(gy, y);
        for (int x = 0; x < w; x++)
            out[x] = .5f * (down[x] - up[x]);
    }
}

/* warped: b along the flow; iz: what remains; smooth serves as the mean of a and warped, whose slopes are ix, iy. */
static void residual_rows(void *user, int64_t begin, int64_t end) {
    refine *r = user;
    int w = r->a->width, h = r->a->height;
    for (int y = (int)begin; y < (int)end; y++) {
        const float *a = ip_row(r->a, y), *b = ip_row(&r->warped, y), *u = ip_row(r->u, y), *v = ip_row(r->v, y);
        float *iz = ip_row(&r->iz, y), *mean = ip_row(&r->smooth, y), *in = ip_row(&r->inside, y);
        for (int x = 0; x < w; x++) {
            float px = (float)x + u[x], py = (float)y + v[x];
            in[x] = px >= 0.f && py >= 0.f && px <= (float)(w - 1) && py <= (float)(h - 1) ? 1.f : 0.f;
            iz[x] = b[x] - a[x];
            mean[x] = .5f * (a[x] + b[x]);
        }
    }
}

static void slope_rows(void *user, int64_t begin, int64_t end) {
    refine *r = user;
    for (int y = (int)begin; y < (int)end; y++) {
        differences(&r->smooth, &r->ix, &r->iy, y);
        differences(&r->iz, &r->ixz, &r->iyz, y);
    }
}

static void curve_rows(void *user, int64_t begin, int64_t end) {
    refine *r = user;
    for (int y = (int)begin; y < (int)end; y++) {
        differences(&r->ix, &r->ixx, &r->ixy, y);
        differences(&r->iy, NULL, &r->iyy, y);
    }
}

/* Diffusivity 1/sqrt(|grad u|^2 + |grad v|^2 + eps^2) at every pixel. */
IP_HOT static void diffusivity_rows(void *user, int64_t begin, int64_t end) {
    refine *r = user;
    int w = r->a->width, h = r->a->height;
    float alpha = .5f * r->options->smooth; /* edges take the sum of two pixels */
    for (int y = (int)begin; y < (int)end; y++) {
        int yn = y < h - 1 ? y + 1 : y;
        const float *u = ip_row(r->u, y), *v = ip_row(r->v, y), *un = ip_row(r->u, yn), *vn = ip_row(r->v, yn);
        float *out = ip_row(&r->smooth, y);
        for (int x = 0; x < w - 1; x++) {
            float ux = u[x + 1] - u[x], uy = un[x] - u[x], vx = v[x + 1] - v[x], vy = vn[x] - v[x];
            out[x] = alpha / sqrtf(ux * ux + uy * uy + vx * vx + vy * vy + EPS2);
        }
        float uy = un[w - 1] - u[w - 1], vy = vn[w - 1] - v[w - 1];
        out[w - 1] = alpha / sqrtf(uy * uy + vy * vy + EPS2);
    }
}

enum { CHUNK = 256 };

/* The equations of a piece of one row. a11, a22 end up inverted. */
typedef struct row_system {
    float a11[CHUNK], a12[CHUNK], a22[CHUNK], b1[CHUNK], b2[CHUNK], right[CHUNK], below[CHUNK];
} row_system;

typedef struct start_flow {
    refine *r;
    const ip_plane_f *u0, *v0; /* the flow the residual was taken at */
} start_flow;

/* Normal equations of the robust brightness and gradient terms, for the whole flow (not its increment). */
IP_HOT static void data_piece(const start_flow *job, int y, int x0, int n, row_system *restrict s) {
    const refine *r = job->r;
    const float *ix = ip_row(&r->ix, y) + x0, *iy = ip_row(&r->iy, y) + x0, *iz = ip_row(&r->iz, y) + x0, *ixx = ip_row(&r->ixx, y) + x0,
                *ixy = ip_row(&r->ixy, y) + x0, *iyy = ip_row(&r->iyy, y) + x0, *ixz = ip_row(&r->ixz, y) + x0,
                *iyz = ip_row(&r->iyz, y) + x0, *in = ip_row(&r->inside, y) + x0, *u = ip_row(r->u, y) + x0, *v = ip_row(r->v, y) + x0,
                *u0 = ip_row(job->u0, y) + x0, *v0 = ip_row(job->v0, y) + x0;
    float delta = r->options->brightness, gamma = r->options->gradient;
    for (int x = 0; x < n; x++) {
        float du = u[x] - u0[x], dv = v[x] - v0[x];
        float norm = 1.f / (ix[x] * ix[x] + iy[x] * iy[x] + ZETA2), e = iz[x] + ix[x] * du + iy[x] * dv;
        float k = in[x] * delta * norm / sqrtf(e * e * norm + EPS2);
        float nx = 1.f / (ixx[x] * ixx[x] + ixy[x] * ixy[x] + ZETA2), ny = 1.f / (iyy[x] * iyy[x] + ixy[x] * ixy[x] + ZETA2);
        float ex = ixz[x] + ixx[x] * du + ixy[x] * dv, ey = iyz[x] + ixy[x] * du + iyy[x] * dv;
        float g = in[x] * gamma / sqrtf(ex * ex * nx + ey * ey * ny + EPS2), gx = g * nx, gy = g * ny;
        float a11 = k * ix[x] * ix[x] + gx * ixx[x] * ixx[x] + gy * ixy[x] * ixy[x] + ZETA2;
        float a12 = k * ix[x] * iy[x] + gx * ixx[x] * ixy[x] + gy * ixy[x] * iyy[x];
        float a22 = k * iy[x] * iy[x] + gx * ixy[x] * ixy[x] + gy * iyy[x] * iyy[x] + ZETA2;
        s->b1[x] = a11 * u0[x] + a12 * v0[x] - (k * iz[x] * ix[x] + gx * ixz[x] * ixx[x] + gy * iyz[x] * ixy[x]);
        s->b2[x] = a12 * u0[x] + a22 * v0[x] - (k * iz[x] * iy[x] + gx * ixz[x] * ixy[x] + gy * iyz[x] * iyy[x]);
        s->a11[x] = a11;
        s->a12[x] = a12;
        s->a22[x] = a22;
    }
}

/* Smoothness along the edges to the four neighbours; an edge weighs the sum of its two ends. */
static void smooth_piece(const refine *r, int y, int x0, int n, row_system *s) {
    int w = r->a->width, h = r->a->height;
    const float *k = ip_row(&r->smooth, y), *up = y > 0 ? ip_row(&r->smooth, y - 1) : NULL, *down = y < h - 1 ? ip_row(&r->smooth, y + 1) : NULL;
    for (int i = 0; i < n; i++) {
        int x = x0 + i;
        s->right[i] = x < w - 1 ? k[x] + k[x + 1] : 0.f;
        s->below[i] = down ? k[x] + down[x] : 0.f;
        float around = s->right[i] + s->below[i] + (x > 0 ? k[x - 1] + k[x] : 0.f) + (up ? up[x] + k[x] : 0.f);
        s->a11[i] = 1.f / (s->a11[i] + around);
        s->a22[i] = 1.f / (s->a22[i] + around);
    }
}

static void system_rows(void *user, int64_t begin, int64_t end) {
    start_flow *job = user;
    refine *r = job->r;
    int w = r->a->width;
    row_system s;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x0 = 0; x0 < w; x0 += CHUNK) {
            int n = IP_MIN(CHUNK, w - x0);
            data_piece(job, y, x0, n, &s);
            smooth_piece(r, y, x0, n, &s);
            const float *rows[] = {s.a12, s.b1, s.b2, s.a11, s.a22, s.right, s.below};
            static const int boards[] = {B_A12, B_B1, B_B2, B_I11, B_I22, B_RIGHT, B_BELOW};
            for (size_t i = 0; i < IP_COUNT(boards); i++)
                split_piece(&r->boards[boards[i]], y, x0, rows[i], n);
        }
}

/* One colour of one row. The other colour's left neighbour of index k is k-1+odd, the right one k+odd. */
IP_HOT static void relax_row(const refine *r, int y, int c) {
    const board *b = r->boards;
    int odd = (y + c) & 1, n = b->half;
    float *restrict u = board_row(&b[B_U], c, y), *restrict v = board_row(&b[B_V], c, y);
    const float *ul = board_row(&b[B_U], !c, y) - 1 + odd, *vl = board_row(&b[B_V], !c, y) - 1 + odd;
    const float *uu = board_row(&b[B_U], !c, y - 1), *vu = board_row(&b[B_V], !c, y - 1);
    const float *ud = board_row(&b[B_U], !c, y + 1), *vd = board_row(&b[B_V], !c, y + 1);
    const float *kl = board_row(&b[B_RIGHT], !c, y) - 1 + odd, *kr = board_row(&b[B_RIGHT], c, y);
    const float *ku = board_row(&b[B_BELOW], !c, y - 1), *kd = board_row(&b[B_BELOW], c, y);
    const float *a12 = board_row(&b[B_A12], c, y), *b1 = board_row(&b[B_B1], c, y), *b2 = board_row(&b[B_B2], c, y);
    const float *i11 = board_row(&b[B_I11], c, y), *i22 = board_row(&b[B_I22], c, y);
    for (int k = 0; k < n; k++) {
        float su = kl[k] * ul[k] + kr[k] * ul[k + 1] + (ku[k] * uu[k] + kd[k] * ud[k]);
        float sv = kl[k] * vl[k] + kr[k] * vl[k + 1] + (ku[k] * vu[k] + kd[k] * vd[k]);
        float un = u[k] + OMEGA * ((b1[k] + su - a12[k] * v[k]) * i11[k] - u[k]);
        v[k] += OMEGA * ((b2[k] + sv - a12[k] * un) * i22[k] - v[k]);
        u[k] = un;
    }
}

static void relax_rows(void *user, int64_t begin, int64_t end) {
    refine *r = user;
    for (int y = (int)begin; y < (int)end; y++)
        relax_row(r, y, r->color);
}

static void iterate(refine *r, const ip_plane_f start[2], int threads) {
    int h = r->a->height, w = r->a->width;
    start_flow job = {r, &start[0], &start[1]};
    for (int outer = 0; outer < r->options->outer && ip_alive(r->options->pulse); outer++) {
        ip_parallel(threads, h, 32, diffusivity_rows, r);
        ip_parallel(threads, h, 32, system_rows, &job);
        for (int y = 0; y < h; y++) {
            split_piece(&r->boards[B_U], y, 0, ip_row(r->u, y), w);
            split_piece(&r->boards[B_V], y, 0, ip_row(r->v, y), w);
        }
        for (int inner = 0; inner < r->options->inner; inner++)
            for (r->color = 0; r->color < 2; r->color++)
                ip_parallel(threads, h, 64, relax_rows, r);
        for (int y = 0; y < h; y++) {
            join_row(&r->boards[B_U], y, ip_row(r->u, y), w);
            join_row(&r->boards[B_V], y, ip_row(r->v, y), w);
        }
    }
}

static ipos_status run(refine *r, const ip_plane_f *b, ip_plane_f *own, int threads) {
    int w = r->a->width, h = r->a->height;
    IP_TRY(ip_planes_new(w, h, own, 13));
    ip_plane_f *mine[] = {&r->warped, &r->iz, &r->ix, &r->iy, &r->ixx, &r->ixy, &r->iyy, &r->ixz, &r->iyz, &r->inside, &r->smooth};
    for (size_t i = 0; i < IP_COUNT(mine); i++)
        *mine[i] = own[i];
    for (int i = 0; i < BOARDS; i++)
        IP_TRY(board_new(w, h, &r->boards[i]));
    ip_warp warp = {.vx = r->u, .vy = r->v, .gain = 1.f};
    ip_warp_plane(b, &warp, &r->warped, threads);
    ip_parallel(threads, h, 32, residual_rows, r);
    ip_parallel(threads, h, 32, slope_rows, r);
    ip_parallel(threads, h, 32, curve_rows, r);
    ip_plane_copy(&own[11], r->u);
    ip_plane_copy(&own[12], r->v);
    iterate(r, &own[11], threads);
    return IPOS_OK;
}

ipos_status ip_flow_refine(const ip_plane_f *a, const ip_plane_f *b, const ip_refine_options *options, ip_plane_f flow[2], int threads) {
    refine r = {.a = a, .u = &flow[0], .v = &flow[1], .options = options};
    ip_plane_f own[13] = {0};
    ipos_status status = run(&r, b, own, threads);
    for (int i = 0; i < BOARDS; i++)
        ip_free(r.boards[i].data);
    ip_planes_free(own, 13);
    return status;
}
