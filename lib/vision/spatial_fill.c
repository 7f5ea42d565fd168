/* Smooth interpolation of holes: the surface of least curvature that meets the surroundings in value and slope.
 *
 * Minimises the sum of squared Laplacians over hole and rim plus STIFF times the squared distance from the rim's samples, by conjugate
 * gradients from a push-pull start. See Damelin & Hoang, "On surface
 * completion and image inpainting by biharmonic functions" (IJMMS 2018), for the unregularised case. */
#include "simd.h"
#include "wire_fill.h"
#include "wire_fill_internal.h"
#include <math.h>

enum { RIM = 2, STEPS = 160, LANES = 4 };
static const float STIFF = 30.f; /* soft rims were measured: every bit of softness costs more than the grain that comes in */

typedef float v4 __attribute__((vector_size(16))); /* one sample of four planes: they are solved side by side */

/* A sample of hole or rim: its place in the padded picture, and which second differences exist at it and at its neighbours. */
typedef struct sample {
    int at;
    float across, down;             /* 0 at the border of the picture, else 1 */
    float left, right, above, below; /* across of the neighbours beside, down of those above and below; 0 outside the domain */
    float stiff;                    /* 0 in the hole */
} sample;

typedef struct domain {
    int width, height, stride; /* one sample of padding on every side */
    sample *list;
    int count;
} domain;

/* far: distance from the hole. */
static void list_samples(domain *d, const ip_plane_f *far) {
    int w = d->width, h = d->height;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            float away = ip_row(far, y)[x];
            if (away > RIM)
                continue;
            float across = x > 0 && x < w - 1 ? 1.f : 0.f, down = y > 0 && y < h - 1 ? 1.f : 0.f;
            sample s = {.at = (y + 1) * d->stride + x + 1, .across = across, .down = down, .stiff = away > 0.f ? STIFF : 0.f};
            s.left = x > 1 && ip_row(far, y)[x - 1] <= RIM ? 1.f : 0.f;
            s.right = x < w - 2 && ip_row(far, y)[x + 1] <= RIM ? 1.f : 0.f;
            s.above = y > 1 && ip_row(far, y - 1)[x] <= RIM ? 1.f : 0.f;
            s.below = y < h - 2 && ip_row(far, y + 1)[x] <= RIM ? 1.f : 0.f;
            d->list[d->count++] = s;
        }
}

static ipos_status domain_new(const ip_plane_f *hole, domain *d) {
    int w = hole->width, h = hole->height;
    *d = (domain){.width = w, .height = h, .stride = w + 2};
    ip_plane_f far;
    IP_TRY(ip_plane_new(w, h, &far));
    d->list = ip_alloc((size_t)w * (size_t)h * sizeof *d->list);
    if (d->list) {
        ip_wire_distance(hole, RIM + 2.f, &far);
        list_samples(d, &far);
    }
    ip_plane_free(&far);
    return d->list ? IPOS_OK : IPOS_ERR_NO_MEMORY;
}

/* out = A u over the domain: A = L'L + stiff, L the Laplacian without the differences that would leave the picture. lap: zero outside. */
IP_HOT static void apply(const domain *d, const v4 *u, v4 *lap, v4 *out) {
    const int stride = d->stride;
    for (int i = 0; i < d->count; i++) {
        const sample *s = &d->list[i];
        const v4 *c = u + s->at;
        lap[s->at] = s->across * (c[-1] + c[1] - 2.f * c[0]) + s->down * (c[-stride] + c[stride] - 2.f * c[0]);
    }
    for (int i = 0; i < d->count; i++) {
        const sample *s = &d->list[i];
        const v4 *c = lap + s->at;
        v4 sum = s->left * c[-1] + s->right * c[1] + s->above * c[-stride] + s->below * c[stride] - 2.f * (s->across + s->down) * c[0];
        out[i] = sum + s->stiff * u[s->at];
    }
}

/* Sums in pieces: float sums of a whole domain would be too coarse. */
IP_HOT static void dot(const v4 *a, const v4 *b, int n, double out[LANES]) {
    for (int k = 0; k < LANES; k++)
        out[k] = 0;
    for (int i = 0; i < n; i += 256) {
        v4 sum = {0};
        for (int j = i; j < IP_MIN(i + 256, n); j++)
            sum += a[j] * b[j];
        for (int k = 0; k < LANES; k++)
            out[k] += (double)sum[k];
    }
}

typedef struct solver {
    v4 *u, *full, *lap;      /* padded pictures */
    v4 *data, *r, *p, *q;    /* over the domain */
} solver;

/* One step of conjugate gradients in each lane; false when all lanes are done. */
IP_HOT static bool advance(const domain *d, const solver *v, double rr[LANES], const double stop[LANES]) {
    int n = d->count;
    double pq[LANES], next[LANES];
    v4 a = {0}, b = {0};
    bool more = false;
    for (int i = 0; i < n; i++)
        v->full[d->list[i].at] = v->p[i];
    apply(d, v->full, v->lap, v->q);
    dot(v->p, v->q, n, pq);
    for (int k = 0; k < LANES; k++)
        if (rr[k] > stop[k] && pq[k] > 0) {
            a[k] = (float)(rr[k] / pq[k]);
            more = true;
        }
    for (int i = 0; i < n; i++) {
        v->u[d->list[i].at] += a * v->p[i];
        v->r[i] -= a * v->q[i];
    }
    dot(v->r, v->r, n, next);
    for (int k = 0; k < LANES; k++) {
        b[k] = rr[k] > 0 ? (float)(next[k] / rr[k]) : 0.f;
        rr[k] = next[k];
    }
    for (int i = 0; i < n; i++)
        v->p[i] = v->r[i] + b * v->p[i];
    return more;
}

static void solve(const domain *d, const solver *v, int steps) {
    int n = d->count;
    double rr[LANES], stop[LANES];
    apply(d, v->u, v->lap, v->r);
    for (int i = 0; i < n; i++) {
        v->r[i] = d->list[i].stiff * v->data[i] - v->r[i];
        v->p[i] = v->r[i];
    }
    dot(v->r, v->r, n, rr);
    for (int k = 0; k < LANES; k++)
        stop[k] = IP_MAX(rr[k] * 1e-6, 1e-13);
    while (steps-- > 0 && advance(d, v, rr, stop))
        ;
}

static void load(const domain *d, const ip_plane_f *planes, int lanes, const solver *v) {
    for (int k = 0; k < lanes; k++)
        for (int y = 0; y < d->height; y++)
            for (int x = 0; x < d->width; x++)
                v->u[(y + 1) * d->stride + x + 1][k] = ip_row(&planes[k], y)[x];
    for (int i = 0; i < d->count; i++)
        v->data[i] = v->u[d->list[i].at];
}

/* Back to the planes, kept inside the range of the known rim. */
static void store(const domain *d, ip_plane_f *planes, int lanes, const solver *v) {
    for (int k = 0; k < lanes; k++) {
        float low = INFINITY, high = -INFINITY;
        for (int i = 0; i < d->count; i++)
            if (d->list[i].stiff > 0.f) {
                low = IP_MIN(low, v->data[i][k]);
                high = IP_MAX(high, v->data[i][k]);
            }
        float more = .1f * (high - low);
        for (int i = 0; i < d->count && low <= high; i++)
            if (d->list[i].stiff == 0.f) {
                float value = v->u[d->list[i].at][k];
                value = value < low - more ? low - more : value > high + more ? high + more : value;
                ip_row(&planes[k], d->list[i].at / d->stride - 1)[d->list[i].at % d->stride - 1] = value;
            }
    }
}

/* Planes hold a start in the hole. */
static ipos_status fill_lanes(const domain *d, ip_plane_f *planes, int lanes, int steps) {
    size_t whole = (size_t)d->stride * (size_t)(d->height + 2), n = (size_t)d->count, bytes = (3 * whole + 4 * n) * sizeof(v4);
    v4 *block = ip_aligned_alloc(64, bytes);
    if (!block)
        return IPOS_ERR_NO_MEMORY;
    memset(block, 0, bytes);
    v4 *list = block + 3 * whole;
    solver v = {block, block + whole, block + 2 * whole, list, list + n, list + 2 * n, list + 3 * n};
    load(d, planes, lanes, &v);
    solve(d, &v, steps);
    store(d, planes, lanes, &v);
    ip_free(block);
    return IPOS_OK;
}

/* 1 where a sample is asked for or cannot be used. */
static void mark_unknown(const ip_plane_f *planes, size_t count, const ip_plane_f *hole, ip_plane_f *unknown) {
    for (int y = 0; y < hole->height; y++)
        for (int x = 0; x < hole->width; x++) {
            bool bad = !(ip_row(hole, y)[x] <= 0.f);
            for (size_t i = 0; i < count; i++)
                bad = bad || !isfinite(ip_row(&planes[i], y)[x]);
            ip_row(unknown, y)[x] = bad ? 1.f : 0.f;
        }
}

/* copies: one plane for each, then unknown and known. */
static ipos_status fill_copies(const ip_plane_f *planes, size_t count, const ip_plane_f *hole, ip_plane_f *copies, int steps, int threads) {
    ip_plane_f *unknown = &copies[count], *known = &copies[count + 1];
    mark_unknown(planes, count, hole, unknown);
    for (int y = 0; y < hole->height; y++)
        for (int x = 0; x < hole->width; x++)
            ip_row(known, y)[x] = 1.f - ip_row(unknown, y)[x];
    for (size_t i = 0; i < count; i++)
        ip_plane_copy(&copies[i], &planes[i]);
    IP_TRY(ip_push_pull(copies, count, known, 1.f, threads));
    domain d;
    IP_TRY(domain_new(unknown, &d));
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < count && status == IPOS_OK; i += LANES)
        status = fill_lanes(&d, &copies[i], (int)IP_MIN(count - i, (size_t)LANES), steps);
    ip_free(d.list);
    return status;
}

ipos_status ip_spatial_fill_quick(ip_plane_f *planes, size_t count, const ip_plane_f *hole, int steps, int threads) {
    ip_plane_f *copies = ip_calloc(count + 2, sizeof *copies);
    if (!copies)
        return IPOS_ERR_NO_MEMORY;
    ipos_status status = ip_planes_new(hole->width, hole->height, copies, count + 2);
    if (status == IPOS_OK)
        status = fill_copies(planes, count, hole, copies, steps, threads);
    for (size_t i = 0; i < count && status == IPOS_OK; i++)
        for (int y = 0; y < hole->height; y++)
            for (int x = 0; x < hole->width; x++)
                if (!(ip_row(hole, y)[x] <= 0.f))
                    ip_row(&planes[i], y)[x] = ip_row(&copies[i], y)[x];
    ip_planes_free(copies, count + 2);
    ip_free(copies);
    return status;
}

ipos_status ip_spatial_fill(ip_plane_f *planes, size_t count, const ip_plane_f *hole, int threads) {
    return ip_spatial_fill_quick(planes, count, hole, STEPS, threads);
}
