#include "image.h"
#include "simd.h"
#include <math.h>
#include <stdlib.h>

ipos_status ip_plane_new(int width, int height, ip_plane_f *out) {
    *out = (ip_plane_f){0};
    if (width < 1 || height < 1)
        return ip_fail(IPOS_ERR_ARGUMENT, "plane: size %dx%d, expected at least 1x1", width, height);
    ptrdiff_t stride = ((ptrdiff_t)width + 15) / 16 * 16;
    size_t bytes = (size_t)stride * (size_t)height * sizeof(float);
    float *data = ip_aligned_alloc(64, bytes);
    if (!data)
        return ip_no_memory(bytes);
    memset(data, 0, bytes);
    *out = (ip_plane_f){width, height, stride, data};
    return IPOS_OK;
}

void ip_plane_free(ip_plane_f *plane) {
    ip_free(plane->data);
    *plane = (ip_plane_f){0};
}

ipos_status ip_planes_new(int width, int height, ip_plane_f *planes, size_t count) {
    memset(planes, 0, count * sizeof *planes);
    for (size_t i = 0; i < count; i++) {
        ipos_status status = ip_plane_new(width, height, &planes[i]);
        if (status != IPOS_OK) {
            ip_planes_free(planes, i);
            return status;
        }
    }
    return IPOS_OK;
}

void ip_planes_free(ip_plane_f *planes, size_t count) {
    for (size_t i = 0; i < count; i++)
        ip_plane_free(&planes[i]);
}

ipos_status ip_image3_new(int width, int height, ip_image3 *out) {
    *out = (ip_image3){0};
    return ip_planes_new(width, height, out->c, 3);
}

void ip_image3_free(ip_image3 *image) {
    ip_planes_free(image->c, 3);
}

void ip_plane_fill(ip_plane_f *plane, float value) {
    for (int y = 0; y < plane->height; y++)
        for (int x = 0; x < plane->width; x++)
            ip_row(plane, y)[x] = value;
}

void ip_plane_copy(ip_plane_f *to, const ip_plane_f *from) {
    for (int y = 0; y < to->height; y++)
        memcpy(ip_row(to, y), ip_row(from, y), (size_t)to->width * sizeof(float));
}

void ip_plane_max(const ip_plane_f *to, const ip_plane_f *from) {
    for (int y = 0; y < to->height; y++)
        for (int x = 0; x < to->width; x++)
            ip_row(to, y)[x] = fmaxf(ip_row(to, y)[x], ip_row(from, y)[x]);
}

ip_plane_f ip_plane_part(const ip_plane_f *plane, ip_box_i box) {
    return (ip_plane_f){box.width, box.height, plane->stride, ip_row(plane, box.y) + box.x};
}

typedef struct two_planes {
    const ip_plane_f *from;
    ip_plane_f *to, *also;
    float gain;
    int rx, ry;
} two_planes;

static void halve_rows(void *user, int64_t begin, int64_t end) {
    const two_planes *job = user;
    const ip_plane_f *from = job->from;
    for (int y = (int)begin; y < (int)end; y++) {
        const float *a = ip_row(from, 2 * y), *b = ip_row(from, IP_MIN(2 * y + 1, from->height - 1));
        float *out = ip_row(job->to, y);
        int whole = from->width / 2;
        for (int x = 0; x < whole; x++)
            out[x] = .25f * ((a[2 * x] + a[2 * x + 1]) + (b[2 * x] + b[2 * x + 1]));
        if (from->width & 1)
            out[whole] = .5f * (a[2 * whole] + b[2 * whole]);
    }
}

ipos_status ip_halve(const ip_plane_f *from, ip_plane_f *out, int threads) {
    IP_TRY(ip_plane_new((from->width + 1) / 2, (from->height + 1) / 2, out));
    two_planes job = {.from = from, .to = out};
    ip_parallel(threads, out->height, 32, halve_rows, &job);
    return IPOS_OK;
}

/* As ip_sample_linear() at every pixel; what depends on the column alone is worked out once for a piece of the rows. */
IP_HOT static void resize_rows(void *user, int64_t begin, int64_t end) {
    enum { PIECE = 256 };
    const two_planes *job = user;
    const ip_plane_f *from = job->from;
    float sx = (float)from->width / (float)job->to->width, sy = (float)from->height / (float)job->to->height, share[PIECE];
    int left[PIECE], right[PIECE];
    for (int x0 = 0; x0 < job->to->width; x0 += PIECE) {
        int width = IP_MIN(PIECE, job->to->width - x0);
        for (int k = 0; k < width; k++)
            ip_linear_at(((float)(x0 + k) + .5f) * sx - .5f, from->width, &left[k], &right[k], &share[k]);
        for (int y = (int)begin; y < (int)end; y++) {
            int top, bottom;
            float down;
            ip_linear_at(((float)y + .5f) * sy - .5f, from->height, &top, &bottom, &down);
            const float *a = ip_row(from, top), *b = ip_row(from, bottom);
            float *out = ip_row(job->to, y) + x0;
            for (int k = 0; k < width; k++)
                out[k] = job->gain * ip_linear_mix(a, b, left[k], right[k], share[k], down);
        }
    }
}

void ip_resize(const ip_plane_f *from, ip_plane_f *to, float gain, int threads) {
    two_planes job = {.from = from, .to = to, .gain = gain};
    ip_parallel(threads, to->height, 16, resize_rows, &job);
}

float ip_median_size(const ip_plane_f *plane, const ip_plane_f *less, size_t samples) {
    enum { MOST = 4096 };
    float some[MOST];
    size_t count = 0, width = (size_t)plane->width, all = width * (size_t)plane->height, every = all / IP_MIN(samples, (size_t)MOST) + 1;
    for (size_t i = every / 2; i < all; i += every) {
        int x = (int)(i % width), y = (int)(i / width);
        some[count++] = fabsf(ip_row(plane, y)[x] - (less ? ip_row(less, y)[x] : 0.f));
    }
    qsort(some, count, sizeof *some, ip_by_float);
    return some[count / 2];
}

static void blur_rows(void *user, int64_t begin, int64_t end) {
    const two_planes *job = user;
    int w = job->from->width, r = job->rx;
    for (int y = (int)begin; y < (int)end; y++) {
        const float *in = ip_row(job->from, y);
        float *out = ip_row(job->to, y);
        double sum = (double)in[0] * (r + 1);
        for (int x = 1; x <= r; x++)
            sum += in[IP_MIN(x, w - 1)];
        for (int x = 0; x < w; x++) {
            out[x] = (float)(sum * job->gain);
            sum += (double)in[IP_MIN(x + r + 1, w - 1)] - in[IP_MAX(x - r, 0)];
        }
    }
}

/* Running sums down the columns, in doubles so that they do not drift; ranges are of columns. */
static void blur_columns(void *user, int64_t begin, int64_t end) {
    const two_planes *job = user;
    int h = job->from->height, r = job->ry;
    enum { CHUNK = 64 };
    double sum[CHUNK];
    for (int x0 = (int)begin; x0 < (int)end; x0 += CHUNK) {
        int n = IP_MIN(CHUNK, (int)end - x0);
        for (int i = 0; i < n; i++)
            sum[i] = (double)ip_row(job->from, 0)[x0 + i] * (r + 1);
        for (int y = 1; y <= r; y++)
            for (int i = 0; i < n; i++)
                sum[i] += ip_row(job->from, IP_MIN(y, h - 1))[x0 + i];
        for (int y = 0; y < h; y++) {
            const float *in = ip_row(job->from, IP_MIN(y + r + 1, h - 1)) + x0, *gone = ip_row(job->from, IP_MAX(y - r, 0)) + x0;
            float *out = ip_row(job->to, y) + x0;
            for (int i = 0; i < n; i++) {
                out[i] = (float)(sum[i] * job->gain);
                sum[i] += (double)in[i] - gone[i];
            }
        }
    }
}

void ip_box_blur(const ip_plane_f *from, ip_plane_f *to, ip_plane_f *tmp, int rx, int ry, int threads) {
    two_planes rows = {.from = from, .to = tmp, .gain = 1.f / (float)(2 * rx + 1), .rx = rx};
    ip_parallel(threads, from->height, 32, blur_rows, &rows);
    two_planes columns = {.from = tmp, .to = to, .gain = 1.f / (float)(2 * ry + 1), .ry = ry};
    ip_parallel(threads, from->width, 64, blur_columns, &columns);
}

IP_HOT static void sobel_row(const float *a, const float *b, const float *c, float *gx, float *gy, int w) {
    for (int x = 0; x < w; x++) {
        int l = x > 0 ? x - 1 : 0, r = x < w - 1 ? x + 1 : w - 1;
        gx[x] = .25f * ((a[r] - a[l]) + 2.f * (b[r] - b[l]) + (c[r] - c[l]));
        gy[x] = .25f * ((c[l] - a[l]) + 2.f * (c[x] - a[x]) + (c[r] - a[r]));
    }
}

static void sobel_rows(void *user, int64_t begin, int64_t end) {
    const two_planes *job = user;
    const ip_plane_f *p = job->from;
    for (int y = (int)begin; y < (int)end; y++)
        sobel_row(ip_row(p, IP_MAX(y - 1, 0)), ip_row(p, y), ip_row(p, IP_MIN(y + 1, p->height - 1)), ip_row(job->to, y), ip_row(job->also, y),
            p->width);
}

void ip_sobel(const ip_plane_f *from, ip_plane_f *gx, ip_plane_f *gy, int threads) {
    two_planes job = {.from = from, .to = gx, .also = gy};
    ip_parallel(threads, from->height, 32, sobel_rows, &job);
}

typedef struct luma_job {
    const ip_image3 *image;
    ip_plane_f *out;
    float low, high;
} luma_job;

static inline float finite_in(float v, float low, float high) {
    v = isfinite(v) ? v : (isnan(v) ? 0.f : v); /* infinities fall to the limits */
    return v < low ? low : v > high ? high : v;
}

static void luma_rows(void *user, int64_t begin, int64_t end) {
    const luma_job *job = user;
    for (int y = (int)begin; y < (int)end; y++) {
        const float *r = ip_row(&job->image->c[0], y), *g = ip_row(&job->image->c[1], y), *b = ip_row(&job->image->c[2], y);
        float *out = ip_row(job->out, y);
        for (int x = 0; x < job->out->width; x++)
            out[x] = .2126f * finite_in(r[x], job->low, job->high) + .7152f * finite_in(g[x], job->low, job->high) +
                .0722f * finite_in(b[x], job->low, job->high);
    }
}

void ip_luma(const ip_image3 *image, float low, float high, ip_plane_f *out, int threads) {
    luma_job job = {image, out, low, high};
    ip_parallel(threads, out->height, 32, luma_rows, &job);
}
