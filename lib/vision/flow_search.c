#include "flow.h"
#include "simd.h"
#include <math.h>

enum { SIDE = 8, STEP = 3, PAD = 16, STRIPE = 16 };

typedef float v8 __attribute__((vector_size(32)));
typedef float v8u __attribute__((vector_size(32), aligned(4), may_alias));

typedef int v8i __attribute__((vector_size(32)));

typedef struct patch {
    float u, v;             /* displacement */
    float start_u, start_v;
    float ixx, ixy, iyy;    /* inverse of the structure tensor, 0 where it has none */
    float sum_x, sum_y;     /* of the gradients */
} patch;

typedef struct search {
    const ip_pulse *pulse;
    ip_plane_f a, gx, gy, b; /* b has PAD repeated samples around it */
    int across, down, width, height, steps, pass;
    patch *patches;
    ip_plane_f *flow;
} search;

typedef struct fit {
    float cost, bx, by;
} fit;

IP_INLINE float total(const v8 *v) {
    return (((*v)[0] + (*v)[4]) + ((*v)[2] + (*v)[6])) + (((*v)[1] + (*v)[5]) + ((*v)[3] + (*v)[7]));
}
IP_INLINE int patch_at(int i, int size) { return IP_MIN(i * STEP, size - SIDE); }
IP_INLINE float clamp(float v, float low, float high) { return v > low ? (v < high ? v : high) : low; }

IP_INLINE const float *target(const search *s, float x, float y, float *fx, float *fy) {
    x = clamp(x, -12.f, (float)s->width + 4.f);
    y = clamp(y, -12.f, (float)s->height + 4.f);
    int xi = (int)(x + PAD) - PAD, yi = (int)(y + PAD) - PAD;
    *fx = x - (float)xi;
    *fy = y - (float)yi;
    return s->b.data + (ptrdiff_t)yi * s->b.stride + xi;
}

/* Sum of squared differences after taking out their mean, and its half gradient. */
IP_INLINE fit patch_fit(const search *s, const patch *p, int x, int y, float u, float v) {
    float fx, fy;
    const float *q = target(s, (float)x + u, (float)y + v, &fx, &fy);
    v8 sum = {0}, squares = {0}, dx = {0}, dy = {0};
    v8 top = *(const v8u *)q, next = *(const v8u *)(q + 1);
    top += fx * (next - top);
    for (int r = 0; r < SIDE; r++) {
        q += s->b.stride;
        v8 bottom = *(const v8u *)q;
        next = *(const v8u *)(q + 1);
        bottom += fx * (next - bottom);
        v8 d = top + fy * (bottom - top) - *(const v8u *)(ip_row(&s->a, y + r) + x);
        sum += d;
        squares += d * d;
        dx += d * *(const v8u *)(ip_row(&s->gx, y + r) + x);
        dy += d * *(const v8u *)(ip_row(&s->gy, y + r) + x);
        top = bottom;
    }
    float mean = total(&sum) * (1.f / (SIDE * SIDE));
    return (fit){total(&squares) - mean * mean * (SIDE * SIDE), total(&dx) - mean * p->sum_x, total(&dy) - mean * p->sum_y};
}

IP_INLINE void descend(const search *s, patch *p, int x, int y, fit now) {
    for (int i = 0; i < s->steps; i++) {
        float du = p->ixx * now.bx + p->ixy * now.by, dv = p->ixy * now.bx + p->iyy * now.by;
        float size = du * du + dv * dv;
        if (!(size > 1e-4f))
            break;
        if (size > 4.f) { /* no step beyond two pixels: the linearisation does not reach further */
            float k = 2.f / sqrtf(size);
            du *= k;
            dv *= k;
        }
        fit then = patch_fit(s, p, x, y, p->u - du, p->v - dv);
        if (then.cost >= now.cost)
            break;
        p->u -= du;
        p->v -= dv;
        now = then;
    }
}

IP_INLINE void visit(search *s, int i, int j, int di, int dj, int first, int last) {
    patch *p = &s->patches[j * s->across + i];
    int x = patch_at(i, s->width), y = patch_at(j, s->height);
    fit best = patch_fit(s, p, x, y, p->u, p->v);
    const patch *near[2] = {i + di >= 0 && i + di < s->across ? p + di : NULL, j + dj >= first && j + dj < last ? p + dj * s->across : NULL};
    for (int k = 0; k < 2; k++) {
        if (!near[k])
            continue;
        fit other = patch_fit(s, p, x, y, near[k]->u, near[k]->v);
        if (other.cost < best.cost) {
            best = other;
            p->u = near[k]->u;
            p->v = near[k]->v;
        }
    }
    float u = p->u, v = p->v;
    descend(s, p, x, y, best);
    float du = p->u - u, dv = p->v - v;
    if (du * du + dv * dv > SIDE * SIDE) {
        p->u = u;
        p->v = v;
    }
}

IP_HOT static void prepare_row(search *s, int j) {
    int y = patch_at(j, s->height);
    for (int i = 0; i < s->across; i++) {
        patch *p = &s->patches[j * s->across + i];
        int x = patch_at(i, s->width);
        v8 xx = {0}, xy = {0}, yy = {0}, sx = {0}, sy = {0};
        for (int r = 0; r < SIDE; r++) {
            v8 gx = *(const v8u *)(ip_row(&s->gx, y + r) + x), gy = *(const v8u *)(ip_row(&s->gy, y + r) + x);
            xx += gx * gx;
            xy += gx * gy;
            yy += gy * gy;
            sx += gx;
            sy += gy;
        }
        const float n = 1.f / (SIDE * SIDE);
        p->sum_x = total(&sx);
        p->sum_y = total(&sy);
        float hxx = total(&xx) - p->sum_x * p->sum_x * n, hxy = total(&xy) - p->sum_x * p->sum_y * n,
              hyy = total(&yy) - p->sum_y * p->sum_y * n;
        hxx += 1.f; /* a little damping keeps flat patches where they are */
        hyy += 1.f;
        float k = 1.f / (hxx * hyy - hxy * hxy);
        p->ixx = hyy * k;
        p->ixy = -hxy * k;
        p->iyy = hxx * k;
        p->start_u = p->u = ip_row(&s->flow[0], y + SIDE / 2)[x + SIDE / 2];
        p->start_v = p->v = ip_row(&s->flow[1], y + SIDE / 2)[x + SIDE / 2];
    }
}

/* A stripe is a fixed set of patch rows; nothing is read across its edges, so the order stripes run in does not matter. The
 * second pass shifts the stripes by half so that good patches still travel on. */
IP_HOT static void search_stripe(search *s, int stripe) {
    int first = IP_MAX(stripe * STRIPE - (s->pass ? STRIPE / 2 : 0), 0);
    int last = IP_MIN((stripe + 1) * STRIPE - (s->pass ? STRIPE / 2 : 0), s->down);
    if (!s->pass) {
        for (int j = first; j < last; j++)
            for (int i = 0; i < s->across; i++)
                visit(s, i, j, -1, -1, first, last);
    } else {
        for (int j = last - 1; j >= first; j--)
            for (int i = s->across - 1; i >= 0; i--)
                visit(s, i, j, 1, 1, first, last);
    }
}

static void prepare_rows(void *user, int64_t begin, int64_t end) {
    for (int64_t j = begin; j < end; j++)
        prepare_row(user, (int)j);
}

static void search_stripes(void *user, int64_t begin, int64_t end) {
    const search *s = user;
    for (int64_t i = begin; i < end && ip_alive(s->pulse); i++)
        search_stripe(user, (int)i);
}

/* Every pixel: mean of the displacements of the patches over it, weighted by how well each explains that pixel. */
IP_HOT static void densify_rows(void *user, int64_t begin, int64_t end) {
    search *s = user;
    const v8 one = {1, 1, 1, 1, 1, 1, 1, 1};
    ip_plane_f *fu = &s->flow[0], *fv = &s->flow[1];
    for (int y = (int)begin; y < (int)end; y++) {
        memset(ip_row(&s->flow[2], y), 0, (size_t)s->width * sizeof(float));
        memset(ip_row(fu, y), 0, (size_t)s->width * sizeof(float));
        memset(ip_row(fv, y), 0, (size_t)s->width * sizeof(float));
    }
    for (int j = 0; j < s->down; j++) {
        int y = patch_at(j, s->height), from = IP_MAX(0, (int)begin - y), to = IP_MIN(SIDE, (int)end - y);
        if (from >= to)
            continue;
        for (int i = 0; i < s->across; i++) {
            const patch *p = &s->patches[j * s->across + i];
            int x = patch_at(i, s->width);
            float fx, fy;
            const float *q = target(s, (float)x + p->u, (float)y + p->v, &fx, &fy) + (ptrdiff_t)from * s->b.stride;
            v8 top = *(const v8u *)q, next = *(const v8u *)(q + 1);
            top += fx * (next - top);
            for (int r = from; r < to; r++) {
                q += s->b.stride;
                v8 bottom = *(const v8u *)q;
                next = *(const v8u *)(q + 1);
                bottom += fx * (next - bottom);
                v8 d = top + fy * (bottom - top) - *(const v8u *)(ip_row(&s->a, y + r) + x);
                top = bottom;
                v8i size = (v8i)d & 0x7fffffff, over = (v8)size > one;
                v8 k = 1.f / (v8)((size & over) | ((v8i)one & ~over)); /* 1 / max(1, |d|) */
                *(v8u *)(ip_row(&s->flow[2], y + r) + x) += k;
                *(v8u *)(ip_row(fu, y + r) + x) += k * p->u;
                *(v8u *)(ip_row(fv, y + r) + x) += k * p->v;
            }
        }
    }
    for (int y = (int)begin; y < (int)end; y++) {
        float *u = ip_row(fu, y), *v = ip_row(fv, y), *k = ip_row(&s->flow[2], y);
        for (int x = 0; x < s->width; x++) {
            u[x] /= k[x];
            v[x] /= k[x];
        }
    }
}

static ipos_status padded(const ip_plane_f *from, ip_plane_f *whole, ip_plane_f *inside) {
    IP_TRY(ip_plane_new(from->width + 2 * PAD, from->height + 2 * PAD, whole));
    for (int y = -PAD; y < from->height + PAD; y++) {
        const float *in = ip_row(from, y < 0 ? 0 : y >= from->height ? from->height - 1 : y);
        float *out = ip_row(whole, y + PAD);
        for (int x = 0; x < PAD; x++) {
            out[x] = in[0];
            out[PAD + from->width + x] = in[from->width - 1];
        }
        memcpy(out + PAD, in, (size_t)from->width * sizeof(float));
    }
    *inside = (ip_plane_f){from->width, from->height, whole->stride, ip_row(whole, PAD) + PAD};
    return IPOS_OK;
}

static ipos_status run(search *s, const ip_plane_f *a, const ip_plane_f *b, ip_plane_f planes[4], ip_plane_f flow[2], int threads) {
    IP_TRY(ip_planes_new(a->width, a->height, planes, 3));
    IP_TRY(padded(b, &planes[3], &s->b));
    s->patches = ip_calloc((size_t)s->across * (size_t)s->down, sizeof *s->patches);
    if (!s->patches)
        return IPOS_ERR_NO_MEMORY;
    ip_sobel(a, &planes[0], &planes[1], threads);
    for (int k = 0; k < 2; k++)
        for (int y = 0; y < a->height; y++)
            for (int x = 0; x < a->width; x++)
                ip_row(&planes[k], y)[x] *= .5f; /* to grey levels a pixel */
    s->a = *a;
    s->gx = planes[0];
    s->gy = planes[1];
    ip_plane_f target_flow[3] = {flow[0], flow[1], planes[2]};
    s->flow = target_flow;
    ip_parallel(threads, s->down, 8, prepare_rows, s);
    int stripes = (s->down + STRIPE - 1) / STRIPE;
    for (s->pass = 0; s->pass < 2; s->pass++)
        ip_parallel(threads, stripes + s->pass, 1, search_stripes, s);
    ip_parallel(threads, s->height, 32, densify_rows, s);
    return IPOS_OK;
}

ipos_status ip_flow_search(const ip_plane_f *a, const ip_plane_f *b, int steps, const ip_pulse *pulse, ip_plane_f flow[2], int threads) {
    if (a->width < SIDE || a->height < SIDE)
        return ip_fail(IPOS_ERR_ARGUMENT, "flow: plane %dx%d, expected at least 8x8", a->width, a->height);
    search s = {.width = a->width, .height = a->height, .steps = steps, .pulse = pulse};
    s.across = (a->width - SIDE + STEP - 1) / STEP + 1;
    s.down = (a->height - SIDE + STEP - 1) / STEP + 1;
    ip_plane_f planes[4] = {0};
    ipos_status status = run(&s, a, b, planes, flow, threads);
    ip_free(s.patches);
    ip_planes_free(planes, 4);
    return status;
}
