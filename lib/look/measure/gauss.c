#include "gauss.h"
#include "simd.h"
#include <math.h>

enum { PASSES = 4, TAPS = 17 };
static const double BOXES_FROM = 4.;

typedef struct blur_job {
    const ip_plane_f *from, *to;
    float weight[TAPS];
    int radius;
} blur_job;

IP_HOT static void add_taps(const float *low, const float *high, float weight, float *out, int n) {
    for (int x = 0; x < n; x++)
        out[x] += weight * (low[x] + high[x]);
}

static void blur_row(const blur_job *job, const float *in, float *out) {
    int w = job->from->width, r = job->radius;
    for (int x = 0; x < w; x++)
        out[x] = job->weight[0] * in[x];
    for (int t = 1; t <= r; t++) {
        int inner = IP_MAX(0, w - 2 * t);
        if (inner > 0)
            add_taps(in, in + 2 * t, job->weight[t], out + t, inner);
        for (int x = 0; x < w; x++) {
            if (x == t && inner > 0)
                x += inner;
            if (x < w)
                out[x] += job->weight[t] * (in[IP_MAX(0, x - t)] + in[IP_MIN(w - 1, x + t)]);
        }
    }
}

static void blur_rows(void *user, int64_t begin, int64_t end) {
    const blur_job *job = user;
    for (int y = (int)begin; y < (int)end; y++)
        blur_row(job, ip_row(job->from, y), ip_row(job->to, y));
}

static void blur_columns(void *user, int64_t begin, int64_t end) {
    const blur_job *job = user;
    int w = job->from->width, last = job->from->height - 1;
    for (int y = (int)begin; y < (int)end; y++) {
        const float *in = ip_row(job->from, y);
        float *out = ip_row(job->to, y);
        for (int x = 0; x < w; x++)
            out[x] = job->weight[0] * in[x];
        for (int t = 1; t <= job->radius; t++)
            add_taps(ip_row(job->from, IP_MAX(0, y - t)), ip_row(job->from, IP_MIN(last, y + t)), job->weight[t], out, w);
    }
}

static void sampled_blur(const ip_plane_f *from, const ip_plane_f *to, const ip_plane_f *tmp, double sigma, int threads) {
    blur_job rows = {.from = from, .to = tmp, .radius = IP_MIN(TAPS - 1, (int)ceil(4. * sigma))};
    double sum = 1.;
    for (int t = 1; t <= rows.radius; t++)
        sum += 2. * exp(-.5 * t * t / (sigma * sigma));
    for (int t = 0; t <= rows.radius; t++)
        rows.weight[t] = (float)(exp(-.5 * t * t / (sigma * sigma)) / sum);
    blur_job columns = rows;
    columns.from = tmp;
    columns.to = to;
    ip_parallel(threads, from->height, 16, blur_rows, &rows);
    ip_parallel(threads, from->height, 16, blur_columns, &columns);
}

/* The radii of the box blurs; returns the sigma they give together. */
static double box_radii(double sigma, int radius[PASSES]) {
    int narrow = (int)floor(sqrt(12. * sigma * sigma / PASSES + 1.));
    narrow -= 1 - narrow % 2;
    double count = (12. * sigma * sigma - PASSES * (narrow * narrow + 4. * narrow + 3.)) / (-4. * narrow - 4.);
    int of_narrow = (int)floor(count + .5);
    double variance = 0.;
    for (int i = 0; i < PASSES; i++) {
        int width = i < of_narrow ? narrow : narrow + 2;
        radius[i] = (width - 1) / 2;
        variance += (width * width - 1.) / 12.;
    }
    return sqrt(variance);
}

void ip_gauss_blur(const ip_plane_f *from, const ip_plane_f *to, const ip_plane_f *tmp, double sigma, int threads) {
    if (sigma < BOXES_FROM) {
        sampled_blur(from, to, tmp, sigma, threads);
        return;
    }
    int radius[PASSES];
    ip_plane_f target = *to, scratch = *tmp;
    box_radii(sigma, radius);
    for (int i = 0; i < PASSES; i++)
        ip_box_blur(i ? to : from, &target, &scratch, radius[i], radius[i], threads);
}

double ip_gauss_sigma(double sigma) {
    int radius[PASSES];
    return sigma < BOXES_FROM ? sigma : box_radii(sigma, radius);
}

ipos_status ip_local_normal(const ip_plane_f *from, double sigma, float floor, const ip_plane_f *out, int threads) {
    ip_plane_f part[3];
    IP_TRY(ip_planes_new(from->width, from->height, part, 3));
    ip_gauss_blur(from, &part[0], &part[2], sigma, threads);
    for (int y = 0; y < from->height; y++)
        for (int x = 0; x < from->width; x++) {
            float d = ip_row(from, y)[x] - ip_row(&part[0], y)[x];
            ip_row(&part[1], y)[x] = d * d;
        }
    ip_gauss_blur(&part[1], &part[1], &part[2], sigma, threads);
    for (int y = 0; y < from->height; y++)
        for (int x = 0; x < from->width; x++)
            ip_row(out, y)[x] = (ip_row(from, y)[x] - ip_row(&part[0], y)[x]) / (sqrtf(fmaxf(0.f, ip_row(&part[1], y)[x])) + floor);
    ip_planes_free(part, 3);
    return IPOS_OK;
}

/* One sweep; dir 1 looks up and left, -1 down and right. */
static void sweep(const ip_plane_f *d, int dir) {
    static const struct {
        int x, y;
        float cost;
    } near[] = {{-1, 0, 1.f}, {0, -1, 1.f}, {-1, -1, 1.4f}, {1, -1, 1.4f}, {-2, -1, 2.2f}, {2, -1, 2.2f}, {-1, -2, 2.2f}, {1, -2, 2.2f}};
    for (int j = 0; j < d->height; j++)
        for (int i = 0; i < d->width; i++) {
            int x = dir > 0 ? i : d->width - 1 - i, y = dir > 0 ? j : d->height - 1 - j;
            float best = ip_row(d, y)[x];
            for (size_t k = 0; k < IP_COUNT(near) && best > 0; k++) {
                int nx = x + dir * near[k].x, ny = y + dir * near[k].y;
                if (nx >= 0 && ny >= 0 && nx < d->width && ny < d->height)
                    best = ip_row(d, ny)[nx] + near[k].cost < best ? ip_row(d, ny)[nx] + near[k].cost : best;
            }
            ip_row(d, y)[x] = best;
        }
}

void ip_distance_to(const ip_plane_f *mask, const ip_plane_f *out) {
    for (int y = 0; y < mask->height; y++)
        for (int x = 0; x < mask->width; x++)
            ip_row(out, y)[x] = ip_row(mask, y)[x] > 0.f ? 0.f : 1e9f;
    sweep(out, 1);
    sweep(out, -1);
}
