#include "place.h"
#include "gauss.h"
#include "simd.h"
#include <math.h>

enum { COARSE = 80, MIDDLE = 240, SCALES = 9, TURNS = 3, APART = 4 };
static const double SCALE_STEP = .12, TURN_STEP = .0873, SHARE_LEAST = .2;
static const float FLOOR = .02f;

typedef float v8 __attribute__((vector_size(32)));
typedef float v8u __attribute__((vector_size(32), aligned(4), may_alias));

static ipos_status normal_at(const ip_plane_f *luma, int width, double sigma, int threads, ip_plane_f *out) {
    ip_plane_f small = {0}, half = {0}, scratch = {0};
    int height = IP_MAX(8, (int)lrint((double)luma->height * width / luma->width));
    ipos_status status = ip_plane_new(luma->width, luma->height, &small);
    if (status == IPOS_OK)
        ip_plane_copy(&small, luma);
    while (status == IPOS_OK && small.width >= 2 * width) {
        status = ip_halve(&small, &half, threads);
        ip_plane_free(&small);
        small = half;
    }
    if (status == IPOS_OK)
        status = ip_plane_new(width, height, out);
    if (status == IPOS_OK)
        status = ip_plane_new(width, height, &scratch);
    if (status == IPOS_OK) {
        ip_resize(&small, out, 1.f, threads);
        ip_gauss_blur(out, out, &scratch, .8, threads);
        status = ip_local_normal(out, sigma, FLOOR, out, threads);
    }
    ip_plane_free(&small);
    ip_plane_free(&scratch);
    return status;
}

ipos_status ip_place_view_new(const ip_plane_f *luma, int threads, ip_place_view *out) {
    *out = (ip_place_view){.width = luma->width, .height = luma->height};
    ipos_status status = normal_at(luma, COARSE, 5., threads, &out->coarse);
    if (status == IPOS_OK)
        status = normal_at(luma, MIDDLE, 7., threads, &out->middle);
    if (status != IPOS_OK)
        ip_place_view_free(out);
    return status;
}

void ip_place_view_free(ip_place_view *view) {
    ip_plane_free(&view->coarse);
    ip_plane_free(&view->middle);
}

/* From pixels of plane a to pixels of plane b, both of one width. */
static void place_at(const ip_place *p, const ip_plane_f *a, const ip_plane_f *b, double x, double y, double out[2]) {
    double u = x - .5 * (a->width - 1), v = y - .5 * (a->height - 1), c = p->scale * cos(p->turn), s = p->scale * sin(p->turn);
    out[0] = p->x * b->width - .5 + c * u - s * v;
    out[1] = p->y * b->width - .5 + s * u + c * v;
}

void ip_place_at(const ip_place *place, const ip_place_view *a, const ip_place_view *b, double x, double y, double out[2]) {
    double k = (double)b->width / a->width, u = k * (x - .5 * (a->width - 1)), v = k * (y - .5 * (a->height - 1));
    double c = place->scale * cos(place->turn), s = place->scale * sin(place->turn);
    out[0] = place->x * b->width - .5 + c * u - s * v;
    out[1] = place->y * b->width - .5 + s * u + c * v;
}

/* ---- every shift */

typedef struct sums { /* of squares, over everything left of and above a place */
    int stride;
    double *at;
} sums;

static ipos_status sums_new(const ip_plane_f *plane, sums *out) {
    out->stride = plane->width + 1;
    out->at = ip_calloc((size_t)out->stride * (size_t)(plane->height + 1), sizeof *out->at);
    if (!out->at)
        return IPOS_ERR_NO_MEMORY;
    for (int y = 0; y < plane->height; y++)
        for (int x = 0; x < plane->width; x++) {
            double v = ip_row(plane, y)[x], *s = out->at + y * out->stride + x;
            s[out->stride + 1] = v * v + s[1] + s[out->stride] - s[0];
        }
    return IPOS_OK;
}

static double within(const sums *s, int x, int y, int w, int h) {
    const double *top = s->at + y * s->stride + x, *bottom = top + h * s->stride;
    return bottom[w] - bottom[0] - top[w] + top[0];
}

typedef struct shifts {
    const ip_plane_f *a, *b;
    sums sa, sb;
    int x0, y0, across, down; /* of the shift of b's corner in a */
    float *score;
} shifts;

IP_INLINE float row_product(const float *a, const float *b, int n) {
    v8 sum = {0};
    int x = 0;
    for (; x + 8 <= n; x += 8)
        sum += *(const v8u *)(a + x) * *(const v8u *)(b + x);
    float rest = 0.f;
    for (; x < n; x++)
        rest += a[x] * b[x];
    return rest + ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

IP_HOT static void score_row(const shifts *s, int j) {
    int dy = s->y0 + j, y0 = IP_MAX(0, dy), y1 = IP_MIN(s->a->height, s->b->height + dy);
    double whole = (double)s->a->width * s->a->height, least = SHARE_LEAST * fmin(whole, (double)s->b->width * s->b->height);
    for (int i = 0; i < s->across; i++) {
        int dx = s->x0 + i, x0 = IP_MAX(0, dx), x1 = IP_MIN(s->a->width, s->b->width + dx), w = x1 - x0, h = y1 - y0;
        float *score = s->score + j * s->across + i;
        *score = 0.f;
        if (w < 16 || h < 8 || (double)w * h < least)
            continue;
        float sum = 0.f;
        for (int y = y0; y < y1; y++)
            sum += row_product(ip_row(s->a, y) + x0, ip_row(s->b, y - dy) + x0 - dx, w);
        double size = within(&s->sa, x0, y0, w, h) * within(&s->sb, x0 - dx, y0 - dy, w, h);
        if (size > 0.)
            *score = (float)(sum / sqrt(size) * sqrt(w * h / whole));
    }
}

static void keep(const ip_place *p, size_t room, ip_place *list, size_t *count) {
    for (size_t i = 0; i < *count; i++)
        if (hypot(list[i].x - p->x, list[i].y - p->y) * COARSE < APART && fabs(log(list[i].scale / p->scale)) < 2.5 * SCALE_STEP) {
            if (p->score <= list[i].score)
                return;
            memmove(list + i, list + i + 1, (--*count - i) * sizeof *list);
            break;
        }
    size_t at = *count;
    while (at > 0 && list[at - 1].score < p->score)
        at--;
    if (at >= room)
        return;
    *count = IP_MIN(*count + 1, room);
    memmove(list + at + 1, list + at, (*count - at - 1) * sizeof *list);
    list[at] = *p;
}

/* Peaks of the scores as places. */
static void peaks(const shifts *s, const ip_place_view *b, double scale, double turn, ip_place *list, size_t *count) {
    for (int j = 1; j + 1 < s->down; j++)
        for (int i = 1; i + 1 < s->across; i++) {
            const float *v = s->score + j * s->across + i;
            if (*v <= 0.f || *v < v[-1] || *v < v[1] || *v < v[-s->across] || *v < v[s->across])
                continue;
            /* the middle of a, from the middle of the turned b; then back to b's own pixels */
            double u = .5 * (s->a->width - s->b->width) - (s->x0 + i), w = .5 * (s->a->height - s->b->height) - (s->y0 + j);
            double c = cos(turn) * scale, k = sin(turn) * scale;
            ip_place p = {.scale = scale, .turn = turn, .score = *v};
            p.x = (.5 * b->coarse.width + c * u - k * w) / b->coarse.width;
            p.y = (.5 * b->coarse.height + k * u + c * w) / b->coarse.width;
            keep(&p, IP_PLACE_MOST, list, count);
        }
}

/* b, turned and scaled so that it lies in a by a shift alone. */
static ipos_status turned(const ip_plane_f *b, double scale, double turn, ip_plane_f *out) {
    IP_TRY(ip_plane_new(IP_MAX(16, (int)lrint(b->width / scale)), IP_MAX(8, (int)lrint(b->height / scale)), out));
    double c = cos(turn) * scale, s = sin(turn) * scale;
    for (int y = 0; y < out->height; y++)
        for (int x = 0; x < out->width; x++) {
            double u = x - .5 * (out->width - 1), v = y - .5 * (out->height - 1);
            double bx = .5 * (b->width - 1) + c * u - s * v, by = .5 * (b->height - 1) + s * u + c * v;
            bool inside = bx > -.5 && by > -.5 && bx < b->width - .5 && by < b->height - .5;
            ip_row(out, y)[x] = inside ? ip_sample_linear(b, (float)bx, (float)by) : 0.f;
        }
    return IPOS_OK;
}

static ipos_status try_pose(const ip_place_view *a, const ip_place_view *b, double scale, double turn, ip_place *list, size_t *count) {
    ip_plane_f view = {0};
    IP_TRY(turned(&b->coarse, scale, turn, &view));
    shifts s = {.a = &a->coarse, .b = &view, .x0 = 16 - view.width, .y0 = 8 - view.height};
    s.across = a->coarse.width - 16 - s.x0 + 1;
    s.down = a->coarse.height - 8 - s.y0 + 1;
    ipos_status status = sums_new(s.a, &s.sa);
    if (status == IPOS_OK)
        status = sums_new(s.b, &s.sb);
    if (status == IPOS_OK && s.across > 0 && s.down > 0) {
        s.score = ip_calloc((size_t)s.across * (size_t)s.down, sizeof *s.score);
        status = s.score ? IPOS_OK : IPOS_ERR_NO_MEMORY;
        for (int j = 0; status == IPOS_OK && j < s.down; j++)
            score_row(&s, j);
        if (status == IPOS_OK)
            peaks(&s, b, scale, turn, list, count);
    }
    ip_free(s.sa.at);
    ip_free(s.sb.at);
    ip_free(s.score);
    ip_plane_free(&view);
    return status;
}

ipos_status ip_place_find(const ip_place_view *a, const ip_place_view *b, size_t most, ip_place *out, size_t *found) {
    ip_place list[IP_PLACE_MOST];
    size_t count = 0;
    *found = 0;
    for (int i = 0; i < SCALES; i++)
        for (int j = 0; j < TURNS; j++)
            IP_TRY(try_pose(a, b, exp(SCALE_STEP * (i - SCALES / 2)), TURN_STEP * (j - TURNS / 2), list, &count));
    for (size_t i = 0; i < count && i < most; i++) {
        ip_place_refine(a, b, &list[i]);
        keep(&list[i], most, out, found);
    }
    return IPOS_OK;
}

/* ---- refinement */

static double score_of(const ip_place *p, const ip_plane_f *a, const ip_plane_f *b) {
    enum { STEP = 2 };
    double ab = 0., aa = 0., bb = 0.;
    int inside = 0, all = 0;
    for (int y = STEP / 2; y < a->height; y += STEP)
        for (int x = STEP / 2; x < a->width; x += STEP) {
            double to[2];
            place_at(p, a, b, x, y, to);
            all++;
            if (!(to[0] >= 0. && to[1] >= 0. && to[0] <= b->width - 1 && to[1] <= b->height - 1))
                continue;
            float va = ip_row(a, y)[x], vb = ip_sample_linear(b, (float)to[0], (float)to[1]);
            inside++;
            ab += va * vb;
            aa += va * va;
            bb += vb * vb;
        }
    return inside * 20 > all && aa > 0. && bb > 0. ? ab / sqrt(aa * bb) * sqrt((double)inside / all) : 0.;
}

void ip_place_refine(const ip_place_view *a, const ip_place_view *b, ip_place *place) {
    double step = 1.; /* in pixels at the border of the coarse picture */
    place->score = score_of(place, &a->middle, &b->middle);
    for (int round = 0; round < 30 && step > .05; round++) {
        ip_place best = *place;
        for (int k = 0; k < 8; k++) {
            ip_place next = *place;
            double by = (k & 1 ? step : -step) / COARSE;
            switch (k / 2) {
            case 0: next.x += by; break;
            case 1: next.y += by; break;
            case 2: next.scale *= exp(2. * by); break;
            default: next.turn += 2. * by;
            }
            next.score = score_of(&next, &a->middle, &b->middle);
            if (next.score > best.score)
                best = next;
        }
        if (best.score > place->score)
            *place = best;
        else
            step *= .5;
    }
}
