#include "image.h"
#include "simd.h"
#include <math.h>

float ip_sample_linear(const ip_plane_f *plane, float x, float y) {
    int x0, x1, y0, y1;
    float fx, fy;
    ip_linear_at(x, plane->width, &x0, &x1, &fx);
    ip_linear_at(y, plane->height, &y0, &y1, &fy);
    return ip_linear_mix(ip_row(plane, y0), ip_row(plane, y1), x0, x1, fx, fy);
}

/* Keys 1981 with a = -.75; the four weights sum to 1. */
IP_INLINE void cubic_weights(float f, float w[4]) {
    const float a = -.75f;
    float g = 1.f - f;
    w[0] = a * f * g * g;
    w[3] = a * g * f * f;
    w[1] = ((a + 2.f) * f - (a + 3.f)) * f * f + 1.f;
    w[2] = 1.f - w[0] - w[1] - w[3];
}

/* Mitchell, Netravali 1988 with B = C = 1/3; they sum to 1. */
IP_INLINE void even_weights(float f, float w[4]) {
    float g = 1.f - f;
    w[0] = (7.f * g - 6.f) * g * g / 18.f;
    w[3] = (7.f * f - 6.f) * f * f / 18.f;
    w[1] = ((21.f * f - 36.f) * f * f + 16.f) / 18.f;
    w[2] = 1.f - w[0] - w[1] - w[3];
}

typedef float v4 __attribute__((vector_size(16)));
typedef float v4u __attribute__((vector_size(16), aligned(4), may_alias));

typedef struct cubic_place {
    int x, y;
    bool inner; /* the whole 4x4 lies inside */
    float wy[4];
    v4 wx;
} cubic_place;

IP_INLINE bool inner_place(const ip_plane_f *plane, int x, int y) { return x >= 1 && y >= 1 && x + 2 < plane->width && y + 2 < plane->height; }

IP_INLINE void cubic_at(const ip_plane_f *plane, float x, float y, bool even, cubic_place *at) {
    x = ip_within(x, plane->width);
    y = ip_within(y, plane->height);
    float wx[4];
    at->x = (int)x;
    at->y = (int)y;
    at->inner = inner_place(plane, at->x, at->y);
    if (even) {
        even_weights(x - (float)at->x, wx);
        even_weights(y - (float)at->y, at->wy);
    } else {
        cubic_weights(x - (float)at->x, wx);
        cubic_weights(y - (float)at->y, at->wy);
    }
    at->wx = (v4){wx[0], wx[1], wx[2], wx[3]};
}

IP_INLINE float cubic_read(const ip_plane_f *plane, const cubic_place *at) {
    v4 sum = {0};
    if (at->inner) {
        const float *p = ip_row(plane, at->y - 1) + at->x - 1;
        for (int j = 0; j < 4; j++, p += plane->stride)
            sum += at->wy[j] * *(const v4u *)p;
    } else {
        int w = plane->width, h = plane->height;
        for (int j = 0; j < 4; j++) {
            int yy = at->y - 1 + j;
            const float *row = ip_row(plane, yy < 0 ? 0 : yy > h - 1 ? h - 1 : yy);
            int xx[4];
            for (int i = 0; i < 4; i++) {
                xx[i] = at->x - 1 + i;
                xx[i] = xx[i] < 0 ? 0 : xx[i] > w - 1 ? w - 1 : xx[i];
            }
            sum += at->wy[j] * (v4){row[xx[0]], row[xx[1]], row[xx[2]], row[xx[3]]};
        }
    }
    sum *= at->wx;
    return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

float ip_sample_cubic(const ip_plane_f *plane, float x, float y) {
    cubic_place at;
    cubic_at(plane, x, y, false, &at);
    return cubic_read(plane, &at);
}

IP_HOT void ip_sample_cubic_row(const ip_plane_f *plane, const float *x, const float *y, int count, float *out) {
    enum { RUN = 64 };
    float px[RUN], py[RUN], wx[4][RUN], wy[4][RUN];
    int cx[RUN], cy[RUN];
    for (int from = 0; from < count; from += RUN) {
        int run = IP_MIN(RUN, count - from);
        for (int k = 0; k < RUN; k++) {
            px[k] = ip_within(x[from + IP_MIN(k, run - 1)], plane->width);
            py[k] = ip_within(y[from + IP_MIN(k, run - 1)], plane->height);
        }
        for (int k = 0; k < RUN; k++) {
            float ax[4], ay[4];
            cx[k] = (int)px[k];
            cy[k] = (int)py[k];
            cubic_weights(px[k] - (float)cx[k], ax);
            cubic_weights(py[k] - (float)cy[k], ay);
            for (int i = 0; i < 4; i++) {
                wx[i][k] = ax[i];
                wy[i][k] = ay[i];
            }
        }
        for (int k = 0; k < run; k++) {
            const cubic_place at = {.x = cx[k], .y = cy[k], .wy = {wy[0][k], wy[1][k], wy[2][k], wy[3][k]}, .wx = {wx[0][k], wx[1][k], wx[2][k], wx[3][k]},
                .inner = inner_place(plane, cx[k], cy[k])};
            out[from + k] = cubic_read(plane, &at);
        }
    }
}

IP_INLINE void sample3(const ip_image3 *image, float x, float y, bool even, float out[3]) {
    cubic_place at;
    cubic_at(&image->c[0], x, y, even, &at);
    for (int c = 0; c < 3; c++)
        out[c] = cubic_read(&image->c[c], &at);
}

void ip_sample_cubic3(const ip_image3 *image, float x, float y, float out[3]) { sample3(image, x, y, false, out); }

void ip_sample_even3(const ip_image3 *image, float x, float y, float out[3]) { sample3(image, x, y, true, out); }

typedef struct warp_job {
    const ip_plane_f *from;
    const ip_warp *warp;
    ip_plane_f *to;
} warp_job;

static void warp_rows(void *user, int64_t begin, int64_t end) {
    const warp_job *job = user;
    const ip_warp *warp = job->warp;
    float gain = warp->gain;
    for (int y = (int)begin; y < (int)end; y++) {
        const float *vx = ip_row(warp->vx, y), *vy = ip_row(warp->vy, y);
        const float *cx = warp->cx ? ip_row(warp->cx, y) : NULL, *cy = warp->cy ? ip_row(warp->cy, y) : NULL;
        float *out = ip_row(job->to, y);
        for (int x = 0; x < job->to->width; x++) {
            float px = (float)x + gain * vx[x] + (cx ? cx[x] : 0.f), py = (float)y + gain * vy[x] + (cy ? cy[x] : 0.f);
            out[x] = warp->cubic ? ip_sample_cubic(job->from, px, py) : ip_sample_linear(job->from, px, py);
        }
    }
}

void ip_warp_plane(const ip_plane_f *from, const ip_warp *warp, ip_plane_f *to, int threads) {
    warp_job job = {from, warp, to};
    ip_parallel(threads, to->height, 8, warp_rows, &job);
}
