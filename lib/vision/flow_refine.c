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

static void split_row(const board *b, int y, const float *row, int width) {
    for (int parity = 0; parity < 2; parity++) {
        float *out = board_row(b, (parity + y) & 1, y);
        for (int x = parity; x < width; x += 2)
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

typedef struct row_system {
    float *a11, *a12, *a22, *b1, *b2;
} row_system;

/* Normal equations of the robust brightness and gradient terms at one row, for the whole flow (not its increment). u0, v0 is the flow
 * the residual was taken at. */
IP_HOT static void data_row(const refine *r, int y, const float *restrict u0, const float *restrict v0, row_system s) {
    const float *ix = ip_row(&r->ix, y), *iy = ip_row(&r->iy, y), *iz = ip_row(&r->iz, y), *ixx = ip_row(&r->ixx, y),
                *ixy = ip_row(&r->ixy, y), *iyy = ip_row(&r->iyy, y), *ixz = ip_row(&r->ixz, y), *iyz = ip_row(&r->iyz, y),
                *in = ip_row(&r->inside, y), *u = ip_row(r->u, y), *v = ip_row(r->v, y);
    float delta = r->options->brightness, gamma = r->options->gradient;
    float *restrict a11 = s.a11, *restrict a12 = s.a12, *restrict a22 = s.a22, *restrict b1 = s.b1, *restrict b2 = s.b2;
    for (int x = 0; x < r->a->width; x++) {
        float du = u[x] - u0[x], dv = v[x] - v0[x];
        float n = 1.f / (ix[x] * ix[x] + iy[x] * iy[x] + ZETA2), e = iz[x] + ix[x] * du + iy[x] * dv;
        float k = in[x] * delta * n / sqrtf(e * e * n + EPS2);
        float nx = 1.f / (ixx[x] * ixx[x] + ixy[x] * ixy[x] + ZETA2), ny = 1.f / (iyy[x] * iyy[x] + ixy[x] * ixy[x] + ZETA2);
        float ex = ixz[x] + ixx[x] * du + ixy[x] * dv, ey = iyz[x] + ixy[x] * du + iyy[x] * dv;
        float g = in[x] * gamma / sqrtf(ex * ex * nx + ey * ey * ny + EPS2), gx = g * nx, gy = g * ny;
        a11[x] = k * ix[x] * ix[x] + gx * ixx[x] * ixx[x] + gy * ixy[x] * ixy[x] + ZETA2;
        a12[x] = k * ix[x] * iy[x] + gx * ixx[x] * ixy[x] + gy * ixy[x] * iyy[x];
        a22[x] = k * iy[x] * iy[x] + gx * ixy[x] * ixy[x] + gy * iyy[x] * iyy[x] + ZETA2;
        float r1 = k * iz[x] * ix[x] + gx * ixz[x] * ixx[x] + gy * iyz[x] * ixy[x];
        float r2 = k * iz[x] * iy[x] + gx * ixz[x] * ixy[x] + gy * iyz[x] * iyy[x];
        b1[x] = a11[x] * u0[x] + a12[x] * v0[x] - r1;
        b2[x] = a12[x] * u0[x] + a22[x] * v0[x] - r2;
    }
}

typedef struct start_flow {
    refine *r;
    const ip_plane_f *u0, *v0;
    ip_plane_f *scratch; /* 8 planes of one row per image row are not needed: 8 rows a range */
} start_flow;

static void system_rows(void *user, int64_t begin, int64_t end) {
    start_flow *job = user;
    refine *r = job->r;
    int w = r->a->width, h = r->a->height;
    for (int y = (int)begin; y < (int)end; y++) {
        float *row[8];
        for (int i = 0; i < 8; i++)
            row[i] = ip_row(&job->scratch[i], y % job->scratch[i].height);
        row_system s = {row[0], row[1], row[2], row[3], row[4]};
        data_row(r, y, ip_row(job->u0, y), ip_row(job->v0, y), s);
        const float *k = ip_row(&r->smooth, y), *up = y > 0 ? ip_row(&r->smooth, y - 1) : NULL,
                    *down = y < h - 1 ? ip_row(&r->smooth, y + 1) : NULL;
        float *right = row[5], *below = row[6];
        for (int x = 0; x < w; x++) {
            right[x] = x < w - 1 ? k[x] + k[x + 1] : 0.f;
            below[x] = down ? k[x] + down[x] : 0.f;
        }
        for (int x = 0; x < w; x++) {
            float around = right[x] + below[x] + (x > 0 ? right[x - 1] : 0.f) + (up ? up[x] + k[x] : 0.f);
            s.a11[x] = 1.f / (s.a11[x] + around);
            s.a22[x] = 1.f / (s.a22[x] + around);
        }
        split_row(&r->boards[B_I11], y, s.a11, w);
        split_row(&r->boards[B_A12], y, s.a12, w);
        split_row(&r->boards[B_I22], y, s.a22, w);
        split_row(&r->boards[B_B1], y, s.b1, w);
        split_row(&r->boards[B_B2], y, s.b2, w);
        split_row(&r->boards[B_RIGHT], y, right, w);
        split_row(&r->boards[B_BELOW], y, below, w);
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

static ipos_status iterate(refine *r, ip_plane_f start[2], ip_plane_f scratch[8], int threads) {
    int h = r->a->height, w = r->a->width;
    start_flow job = {r, &start[0], &start[1], scratch};
    for (int outer = 0; outer < r->options->outer; outer++) {
        ip_parallel(threads, h, 32, diffusivity_rows, r);
        ip_parallel(threads, h, 32, system_rows, &job);
        for (int y = 0; y < h; y++) {
            split_row(&r->boards[B_U], y, ip_row(r->u, y), w);
            split_row(&r->boards[B_V], y, ip_row(r->v, y), w);
        }
        for (int inner = 0; inner < r->options->inner; inner++)
            for (r->color = 0; r->color < 2; r->color++)
                ip_parallel(threads, h, 64, relax_rows, r);
        for (int y = 0; y < h; y++) {
            join_row(&r->boards[B_U], y, ip_row(r->u, y), w);
            join_row(&r->boards[B_V], y, ip_row(r->v, y), w);
        }
    }
    return IPOS_OK;
}

static ipos_status run(refine *r, const ip_plane_f *b, ip_plane_f *own, ip_plane_f scratch[8], int threads) {
    int w = r->a->width, h = r->a->height;
    IP_TRY(ip_planes_new(w, h, own, 13));
    IP_TRY(ip_planes_new(w, h, scratch, 8));
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
    return iterate(r, &own[11], scratch, threads);
}

ipos_status ip_flow_refine(const ip_plane_f *a, const ip_plane_f *b, const ip_refine_options *options, ip_plane_f flow[2], int threads) {
    refine r = {.a = a, .u = &flow[0], .v = &flow[1], .options = options};
    ip_plane_f own[13] = {0}, scratch[8] = {0};
    ipos_status status = run(&r, b, own, scratch, threads);
    for (int i = 0; i < BOARDS; i++)
        ip_free(r.boards[i].data);
    ip_planes_free(own, 13);
    ip_planes_free(scratch, 8);
    return status;
}
