#include "camera.h"
#include "gauss.h"

#include <math.h>
#include <stdlib.h>

enum { MOST = 2500, APART = 5, BORDER = 6 };
static const float AGREE = .7f;

typedef struct corner {
    float strength;
    int x, y;
} corner;

static int stronger(const void *a, const void *b) {
    const corner *x = a, *y = b;
    if (x->strength != y->strength)
        return x->strength < y->strength ? 1 : -1;
    return x->y != y->y ? x->y - y->y : x->x - y->x;
}

/* The smaller eigenvalue of the mean gradient products, into part[0]. */
static void corner_strength(const ip_plane_f *luma, ip_plane_f part[4]) {
    ip_sobel(luma, &part[0], &part[1], 1);
    for (int y = 0; y < luma->height; y++)
        for (int x = 0; x < luma->width; x++) {
            float gx = ip_row(&part[0], y)[x], gy = ip_row(&part[1], y)[x];
            ip_row(&part[0], y)[x] = gx * gx;
            ip_row(&part[1], y)[x] = gy * gy;
            ip_row(&part[2], y)[x] = gx * gy;
        }
    for (int k = 0; k < 3; k++)
        ip_gauss_blur(&part[k], &part[k], &part[3], 1.5, 1);
    for (int y = 0; y < luma->height; y++)
        for (int x = 0; x < luma->width; x++) {
            float a = ip_row(&part[0], y)[x], b = ip_row(&part[1], y)[x], c = ip_row(&part[2], y)[x];
            ip_row(&part[0], y)[x] = .5f * (a + b - sqrtf((a - b) * (a - b) + 4 * c * c));
        }
}

/* Corners, strongest first, some pixels apart from each other. */
static ipos_status find_corners(const ip_plane_f *luma, ip_tracks *out, size_t from) {
    ip_plane_f part[4];
    IP_TRY(ip_planes_new(luma->width, luma->height, part, 4));
    corner_strength(luma, part);
    corner *found = ip_calloc((size_t)luma->width * (size_t)luma->height, sizeof *found);
    size_t count = 0;
    for (int y = BORDER; found && y < luma->height - BORDER; y++)
        for (int x = BORDER; x < luma->width - BORDER; x++) {
            float s = ip_row(&part[0], y)[x];
            bool top = s > 1e-5f;
            for (int dy = -1; dy <= 1 && top; dy++)
                for (int dx = -1; dx <= 1 && top; dx++)
                    top = (!dx && !dy) || s > ip_row(&part[0], y + dy)[x + dx];
            if (top)
                found[count++] = (corner){s, x, y};
        }
    if (found)
        qsort(found, count, sizeof *found, stronger);
    ip_plane_fill(&part[1], 0); /* taken */
    for (size_t i = 0; found && i < count && out->points < MOST; i++) {
        if (ip_row(&part[1], found[i].y)[found[i].x] > 0)
            continue;
        for (int y = IP_MAX(0, found[i].y - APART); y <= IP_MIN(luma->height - 1, found[i].y + APART); y++)
            for (int x = IP_MAX(0, found[i].x - APART); x <= IP_MIN(luma->width - 1, found[i].x + APART); x++)
                ip_row(&part[1], y)[x] = 1;
        out->at[2 * (from * MOST + out->points)] = (float)found[i].x;
        out->at[2 * (from * MOST + out->points) + 1] = (float)found[i].y;
        out->seen[from * MOST + out->points++] = 1;
    }
    ip_planes_free(part, 4);
    ip_free(found);
    return found ? IPOS_OK : IPOS_ERR_NO_MEMORY;
}

/* All points of a frame to the next one on the way. */
static ipos_status follow(const ip_track_source *source, ip_tracks *t, size_t from, int forward) {
    const ip_plane_f *flow;
    size_t to = forward ? from + 1 : from - 1;
    const float *at = t->at + 2 * from * MOST;
    float *next = t->at + 2 * to * MOST;
    if (!ip_alive(source->pulse))
        return ip_fail(IPOS_ERR_CANCELLED, "relight: cancelled");
    IP_TRY(source->flow(source->user, from, forward, &flow));
    int width = flow[0].width, height = flow[0].height;
    for (size_t p = 0; p < t->points; p++) {
        next[2 * p] = at[2 * p] + ip_sample_linear(&flow[0], at[2 * p], at[2 * p + 1]);
        next[2 * p + 1] = at[2 * p + 1] + ip_sample_linear(&flow[1], at[2 * p], at[2 * p + 1]);
    }
    IP_TRY(source->flow(source->user, to, !forward, &flow));
    for (size_t p = 0; p < t->points; p++) {
        float x = next[2 * p], y = next[2 * p + 1];
        float back = hypotf(x + ip_sample_linear(&flow[0], x, y) - at[2 * p], y + ip_sample_linear(&flow[1], x, y) - at[2 * p + 1]);
        bool inside = x >= 2 && y >= 2 && x <= (float)(width - 3) && y <= (float)(height - 3);
        t->seen[to * MOST + p] = t->seen[from * MOST + p] && inside && back < AGREE;
    }
    return IPOS_OK;
}

enum { HALF = 5, SIDE = 2 * HALF + 1, STEPS = 8 };

/* A window of the first frame, with its slopes. */
typedef struct window {
    float value[SIDE * SIDE], gx[SIDE * SIDE], gy[SIDE * SIDE], xx, xy, yy;
} window;

static bool cut_window(const ip_plane_f *luma, const float at[2], window *w) {
    w->xx = w->xy = w->yy = 0;
    for (int k = 0; k < SIDE * SIDE; k++) {
        float x = at[0] + (float)(k % SIDE - HALF), y = at[1] + (float)(k / SIDE - HALF);
        w->value[k] = ip_sample_linear(luma, x, y);
        w->gx[k] = .5f * (ip_sample_linear(luma, x + 1, y) - ip_sample_linear(luma, x - 1, y));
        w->gy[k] = .5f * (ip_sample_linear(luma, x, y + 1) - ip_sample_linear(luma, x, y - 1));
        w->xx += w->gx[k] * w->gx[k];
        w->xy += w->gx[k] * w->gy[k];
        w->yy += w->gy[k] * w->gy[k];
    }
    return w->xx * w->yy - w->xy * w->xy > 1e-6f;
}

/* Brings a point to where the window fits best; false where it does not or the point would go far. */
static bool settle_point(const ip_plane_f *luma, const window *w, float at[2]) {
    float x = at[0], y = at[1], det = w->xx * w->yy - w->xy * w->xy, off = 1e9f;
    for (int i = 0; i < STEPS && off > 1e-4f; i++) {
        float bx = 0, by = 0;
        for (int k = 0; k < SIDE * SIDE; k++) {
            float e = ip_sample_cubic(luma, x + (float)(k % SIDE - HALF), y + (float)(k / SIDE - HALF)) - w->value[k];
            bx += w->gx[k] * e;
            by += w->gy[k] * e;
        }
        float dx = (w->yy * bx - w->xy * by) / det, dy = (w->xx * by - w->xy * bx) / det;
        x -= dx;
        y -= dy;
        off = dx * dx + dy * dy;
    }
    bool good = hypotf(x - at[0], y - at[1]) < 1.5f && off < 1e-2f;
    if (good) {
        at[0] = x;
        at[1] = y;
    }
    return good;
}

/* Steps from frame to frame drift: every point is set against the first frame itself (Lucas, Kanade, IJCAI 1981, inverse form of Baker,
 * Matthews, IJCV 2004). */
static ipos_status stop_drift(const ip_track_source *source, ip_tracks *t, size_t from) {
    const ip_plane_f *luma;
    window *windows = ip_alloc(IP_MAX(t->points, 1) * sizeof *windows);
    ipos_status status = windows ? source->luma(source->user, from, &luma) : IPOS_ERR_NO_MEMORY;
    for (size_t p = 0; p < t->points && status == IPOS_OK; p++)
        t->seen[from * t->points + p] = cut_window(luma, t->at + 2 * (from * t->points + p), &windows[p]);
    for (size_t f = 0; f < t->frames && status == IPOS_OK; f++) {
        status = source->luma(source->user, f, &luma);
        for (size_t p = 0; p < t->points && status == IPOS_OK && f != from; p++) {
            uint8_t *seen = &t->seen[f * t->points + p];
            *seen = *seen && t->seen[from * t->points + p] && settle_point(luma, &windows[p], t->at + 2 * (f * t->points + p));
        }
    }
    ip_free(windows);
    return status;
}

/* Rows of MOST become rows of the points there are. */
static void pack(ip_tracks *t) {
    for (size_t f = 0; f < t->frames; f++) {
        memmove(t->at + 2 * f * t->points, t->at + 2 * f * MOST, 2 * t->points * sizeof *t->at);
        memmove(t->seen + f * t->points, t->seen + f * MOST, t->points);
    }
}

ipos_status ip_tracks_make(const ip_track_source *source, size_t from, ip_tracks *out) {
    const ip_plane_f *luma;
    *out = (ip_tracks){.frames = source->count, .at = ip_calloc(source->count * MOST * 2, sizeof(float)), .seen = ip_calloc(source->count * MOST, 1)};
    ipos_status status = out->at && out->seen ? source->luma(source->user, from, &luma) : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK)
        status = find_corners(luma, out, from);
    for (size_t f = from; f + 1 < source->count && status == IPOS_OK; f++)
        status = follow(source, out, f, 1);
    for (size_t f = from; f > 0 && status == IPOS_OK; f--)
        status = follow(source, out, f, 0);
    if (status == IPOS_OK) {
        pack(out);
        status = stop_drift(source, out, from);
    }
    if (status != IPOS_OK)
        ip_tracks_free(out);
    return status;
}

void ip_tracks_free(ip_tracks *tracks) {
    ip_free(tracks->at);
    ip_free(tracks->seen);
    *tracks = (ip_tracks){0};
}
