/* The last part of a pixel of alignment: Lucas & Kanade (IJCAI 1981) in small windows along the wire, against the frame with what the
 * views agree on inside the hole. Each view is moved towards their common picture, so their mean stays sharp. All windows of a step
 * share one warp of the view. */
#include "simd.h"
#include "wire_fill_internal.h"
#include <math.h>

enum { SPACING = 6, WIDE = 16, PAD = WIDE / 2, STEPS = 2 };
static const float DAMP = .5f;     /* squared code values a pixel: what a flat window's motion is held back by */
static const float FARTHEST = 2.f; /* pixels a window may move */

typedef float v8 __attribute__((vector_size(32)));
typedef float v8u __attribute__((vector_size(32), aligned(4), may_alias));

/* Everything about a grid of windows; planes of the grid's size. */
typedef struct nodes {
    ip_plane_f u, v, weight;     /* best so far */
    ip_plane_f rest;             /* mean square left there */
    ip_plane_f next_u, next_v;   /* to be tried */
} nodes;
enum { NODE_PLANES = sizeof(nodes) / sizeof(ip_plane_f) };

/* Weighted sums over a window: gx gx, gx gy, gy gy, gx r, gy r, gx, gy, r, r r, 1. */
enum { XX, XY, YY, XR, YR, X, Y, R, RR, ONE, SUMS };

static const float RAMP[WIDE] = {1, 2, 3, 4, 5, 6, 7, 8, 8, 7, 6, 5, 4, 3, 2, 1};

IP_HOT static void gather(const ip_plane_f *gx, const ip_plane_f *gy, const ip_plane_f *left, const ip_plane_f *weight, int x, int y, float sums[SUMS]) {
    v8 s[SUMS] = {{0}};
    for (int j = 0; j < WIDE; j++)
        for (int i = 0; i < WIDE; i += 8) {
            v8 k = *(const v8u *)(ip_row(weight, y + j) + x + i) * *(const v8u *)(RAMP + i) * RAMP[j];
            v8 a = *(const v8u *)(ip_row(gx, y + j) + x + i), b = *(const v8u *)(ip_row(gy, y + j) + x + i);
            v8 r = *(const v8u *)(ip_row(left, y + j) + x + i), ka = k * a, kb = k * b, kr = k * r;
            s[XX] += ka * a;
            s[XY] += ka * b;
            s[YY] += kb * b;
            s[XR] += ka * r;
            s[YR] += kb * r;
            s[X] += ka;
            s[Y] += kb;
            s[R] += kr;
            s[RR] += kr * r;
            s[ONE] += k;
        }
    for (int i = 0; i < SUMS; i++)
        sums[i] = ((s[i][0] + s[i][4]) + (s[i][1] + s[i][5])) + ((s[i][2] + s[i][6]) + (s[i][3] + s[i][7]));
}

/* The move that explains what is left, less the window's mean; returns how well determined it is, 0..1. */
static float solve(const float s[SUMS], float move[2]) {
    float n = 1.f / s[ONE], mx = s[X] * n, my = s[Y] * n, mr = s[R] * n;
    float a = s[XX] * n - mx * mx, b = s[XY] * n - mx * my, c = s[YY] * n - my * my, p = s[XR] * n - mx * mr, q = s[YR] * n - my * mr;
    float least = .5f * (a + c - sqrtf((a - c) * (a - c) + 4.f * b * b));
    a += DAMP;
    c += DAMP;
    float determinant = a * c - b * b;
    move[0] = (c * p - b * q) / determinant;
    move[1] = (a * q - b * p) / determinant;
    least = IP_MAX(0.f, least);
    return least / (least + 2.f * DAMP) + .02f;
}

/* The moves to be tried at a pixel, between those of the windows around it. */
IP_INLINE void move_at(const nodes *n, int x, int y, float move[2]) {
    int left, right, top, bottom;
    float across, down;
    ip_linear_at((float)x / SPACING, n->next_u.width, &left, &right, &across);
    ip_linear_at((float)y / SPACING, n->next_u.height, &top, &bottom, &down);
    for (int i = 0; i < 2; i++) {
        const ip_plane_f *next = i ? &n->next_v : &n->next_u;
        move[i] = ip_linear_mix(ip_row(next, top), ip_row(next, bottom), left, right, across, down);
    }
}

/* What the view leaves of the target at the present motion plus the tried moves; padded like the target. */
static void warp(const ip_wire_target *target, const ip_wire_view *view, const nodes *n, ip_plane_f *left, ip_plane_f *weight) {
    int w = target->width, h = target->height, fw = view->from.width, fh = view->from.height;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            float k = ip_row(&target->weight, y + PAD)[x + PAD], *to = &ip_row(weight, y + PAD)[x + PAD];
            *to = 0.f;
            if (!(k > 0.f))
                continue;
            float move[2];
            move_at(n, x, y, move);
            float px = (float)x + IP_WIRE_REACH + ip_row(&view->flow[0], y)[x] + move[0];
            float py = (float)y + IP_WIRE_REACH + ip_row(&view->flow[1], y)[x] + move[1];
            if (!(px >= 1.f && py >= 1.f && px < (float)(fw - 2) && py < (float)(fh - 2)) || ip_row(&view->unsafe, (int)(py + .5f))[(int)(px + .5f)] > 0.f)
                continue;
            ip_row(left, y + PAD)[x + PAD] = ip_row(&target->luma, y + PAD)[x + PAD] - ip_sample_cubic(&view->luma, px, py);
            *to = k;
        }
}

/* Takes the tried move where it leaves less than the best so far, and proposes the next. */
static void judge_node(nodes *n, int i, int j, const float s[SUMS], bool last) {
    const float full = 72.f * 72.f;
    float *u = &ip_row(&n->u, j)[i], *v = &ip_row(&n->v, j)[i], *next_u = &ip_row(&n->next_u, j)[i], *next_v = &ip_row(&n->next_v, j)[i];
    float rest = s[RR] / s[ONE] - s[R] / s[ONE] * (s[R] / s[ONE]), move[2];
    if (!(s[ONE] > .15f * full) || !(rest < ip_row(&n->rest, j)[i]) || !(hypotf(*next_u, *next_v) <= FARTHEST)) {
        *next_u = *u;
        *next_v = *v;
        return;
    }
    ip_row(&n->rest, j)[i] = rest;
    *u = *next_u;
    *v = *next_v;
    ip_row(&n->weight, j)[i] = s[ONE] / full * solve(s, move);
    if (!last) {
        *next_u = *u + move[0];
        *next_v = *v + move[1];
    }
}

static bool near_wire(const ip_wire_work *work, int cx, int cy) {
    int w = work->box.width, h = work->box.height;
    for (int y = IP_MAX(cy - SPACING, 0); y <= IP_MIN(cy + SPACING, h - 1); y += 3)
        for (int x = IP_MAX(cx - SPACING, 0); x <= IP_MIN(cx + SPACING, w - 1); x += 3)
            if (ip_row(&work->active, y)[x] > 0.f)
                return true;
    return false;
}

/* Each node with its neighbours, by trust. */
static void node_mean(const nodes *n, int i, int j, float out[2]) {
    float sum = 1e-3f, u = 0.f, v = 0.f;
    for (int y = IP_MAX(j - 1, 0); y <= IP_MIN(j + 1, n->u.height - 1); y++)
        for (int x = IP_MAX(i - 1, 0); x <= IP_MIN(i + 1, n->u.width - 1); x++) {
            float k = ip_row(&n->weight, y)[x] * (x == i && y == j ? 1.f : x == i || y == j ? .5f : .25f);
            sum += k;
            u += k * ip_row(&n->u, y)[x];
            v += k * ip_row(&n->v, y)[x];
        }
    out[0] = u / sum;
    out[1] = v / sum;
}

static void spread(const ip_wire_target *target, nodes *n, ip_plane_f flow[2]) {
    for (int j = 0; j < n->u.height; j++)
        for (int i = 0; i < n->u.width; i++) {
            float d[2];
            node_mean(n, i, j, d);
            ip_row(&n->next_u, j)[i] = d[0];
            ip_row(&n->next_v, j)[i] = d[1];
        }
    for (int y = 0; y < target->height; y++)
        for (int x = 0; x < target->width; x++) {
            if (!(ip_row(&target->near, y)[x] > 0.f))
                continue;
            float move[2];
            move_at(n, x, y, move);
            ip_row(&flow[0], y)[x] += move[0];
            ip_row(&flow[1], y)[x] += move[1];
        }
}

static void steps(const ip_wire_work *work, const ip_wire_target *target, ip_wire_view *view, nodes *n, ip_plane_f *left, ip_plane_f *weight) {
    ip_plane_fill(&n->rest, INFINITY);
    for (int step = 0; step <= STEPS; step++) {
        warp(target, view, n, left, weight);
        for (int j = 0; j < n->u.height; j++)
            for (int i = 0; i < n->u.width; i++) {
                int cx = i * SPACING, cy = j * SPACING;
                if (cx >= work->box.width || cy >= work->box.height || !near_wire(work, cx, cy))
                    continue;
                float sums[SUMS];
                gather(&target->gx, &target->gy, left, weight, cx, cy, sums);
                judge_node(n, i, j, sums, step == STEPS);
            }
    }
    spread(target, n, view->flow);
}

ipos_status ip_wire_refine(const ip_wire_work *work, const ip_wire_target *target, ip_wire_view *view) {
    nodes n;
    ip_plane_f padded[2];
    IP_TRY(ip_planes_new(work->box.width / SPACING + 2, work->box.height / SPACING + 2, (ip_plane_f *)&n, NODE_PLANES));
    ipos_status status = ip_planes_new(target->luma.width, target->luma.height, padded, 2);
    if (status == IPOS_OK) {
        steps(work, target, view, &n, &padded[0], &padded[1]);
        ip_planes_free(padded, 2);
    }
    ip_planes_free((ip_plane_f *)&n, NODE_PLANES);
    return status;
}
