/* Grain taken out: along time first. */
#include "grain_remove.h"
#include <math.h>

enum { WINDOW = 2 };
static const float ALLOWED = 1.25f; /* times the grain of two frames: what chance makes of a mean over 25 pixels */
static const float STEEP = 4.f;     /* how much each further part counts */

typedef struct temporal {
    const ip_grain *grain;
    const ip_image3 *image;
    ip_image3 sum;                        /* weighted */
    ip_plane_f weight, squares;           /* sums of weights and of their squares */
    ip_plane_f luma, excess, tmp;
    ip_image3 warped;
    ip_grain_motion *motion;
} temporal;

static void temporal_free(temporal *t) {
    ip_image3_free(&t->sum);
    ip_image3_free(&t->warped);
    ip_plane_free(&t->weight);
    ip_plane_free(&t->squares);
    ip_plane_free(&t->luma);
    ip_plane_free(&t->excess);
    ip_plane_free(&t->tmp);
    ip_free(t->motion);
}

static ipos_status temporal_new(const ip_grain *grain, const ip_image3 *image, temporal *t) {
    int w = image->c[0].width, h = image->c[0].height;
    ip_grain_grid grid = ip_grain_grid_of(w, h);
    ip_plane_f *planes[] = {&t->weight, &t->squares, &t->luma, &t->excess, &t->tmp};
    *t = (temporal){.grain = grain, .image = image};
    ipos_status status = ip_image3_new(w, h, &t->sum);
    if (status == IPOS_OK)
        status = ip_image3_new(w, h, &t->warped);
    for (size_t i = 0; i < IP_COUNT(planes) && status == IPOS_OK; i++)
        status = ip_plane_new(w, h, planes[i]);
    t->motion = ip_calloc((size_t)grid.columns * (size_t)grid.rows + 1, sizeof *t->motion);
    if (status == IPOS_OK && !t->motion)
        status = IPOS_ERR_NO_MEMORY;
    if (status != IPOS_OK)
        temporal_free(t);
    return status;
}

/* Mean over the channels of the squared difference in units of the grain of two frames. */
static void measure_excess(temporal *t, int threads) {
    for (int y = 0; y < t->luma.height; y++)
        for (int x = 0; x < t->luma.width; x++) {
            float sum = 0.f;
            for (int c = 0; c < 3; c++) {
                float d = ip_row(&t->image->c[c], y)[x] - ip_row(&t->warped.c[c], y)[x];
                sum += d * d / (2.f * ip_grain_variance(t->grain, c, ip_row(&t->luma, y)[x]) + 1e-12f);
            }
            ip_row(&t->excess, y)[x] = sum < 1e4f ? sum / 3.f : 1e4f; /* also what is not a number */
        }
    ip_box_blur(&t->excess, &t->excess, &t->tmp, WINDOW, WINDOW, threads);
}

static bool finite3(const ip_image3 *image, int x, int y) {
    return isfinite(ip_row(&image->c[0], y)[x]) && isfinite(ip_row(&image->c[1], y)[x]) && isfinite(ip_row(&image->c[2], y)[x]);
}

static void add_neighbour(temporal *t) {
    ip_grain_grid grid = ip_grain_grid_of(t->luma.width, t->luma.height);
    for (int y = 0; y < grid.rows * IP_GRAIN_BLOCK; y++)
        for (int x = 0; x < grid.columns * IP_GRAIN_BLOCK; x++) {
            if (!t->motion[y / IP_GRAIN_BLOCK * grid.columns + x / IP_GRAIN_BLOCK].known || !finite3(&t->warped, x, y))
                continue;
            float more = STEEP * fmaxf(0.f, ip_row(&t->excess, y)[x] - ALLOWED), weight = 1.f / (1.f + more * more);
            for (int c = 0; c < 3; c++)
                ip_row(&t->sum.c[c], y)[x] += weight * ip_row(&t->warped.c[c], y)[x];
            ip_row(&t->weight, y)[x] += weight;
            ip_row(&t->squares, y)[x] += weight * weight;
        }
}

static ipos_status use_neighbour(temporal *t, const ip_image3 *neighbour, const ip_grain_remove_options *options) {
    int w = t->luma.width, h = t->luma.height;
    ip_grain_grid grid = ip_grain_grid_of(w, h);
    memset(t->motion, 0, ((size_t)grid.columns * (size_t)grid.rows) * sizeof *t->motion);
    for (int halvings = 1; halvings <= 2; halvings++) {
        ip_plane_f here = {0}, there = {0};
        ipos_status status = ip_grain_flow_luma(t->image, halvings, options->threads, &here);
        if (status == IPOS_OK)
            status = ip_grain_flow_luma(neighbour, halvings, options->threads, &there);
        if (status == IPOS_OK)
            status = ip_grain_motions(&here, &there, grid, 1 << halvings, options->threads, options->pulse, t->motion);
        ip_plane_free(&here);
        ip_plane_free(&there);
        IP_TRY(status);
    }
    ip_grain_warp(neighbour, t->motion, options->threads, &t->warped);
    measure_excess(t, options->threads);
    add_neighbour(t);
    return IPOS_OK;
}

/* The weighted means into out (finite everywhere), and the share of the grain's variance left. */
static void finish(temporal *t, ip_image3 *out, ip_plane_f *left) {
    for (int y = 0; y < t->luma.height; y++)
        for (int x = 0; x < t->luma.width; x++) {
            float weight = ip_row(&t->weight, y)[x] + 1.f;
            for (int c = 0; c < 3; c++) {
                float v = ip_row(&t->image->c[c], y)[x];
                ip_row(&out->c[c], y)[x] = isfinite(v) ? (v + ip_row(&t->sum.c[c], y)[x]) / weight : 0.f;
            }
            ip_row(left, y)[x] = (1.f + ip_row(&t->squares, y)[x]) / (weight * weight);
        }
}

static ipos_status along_time(const ip_grain *grain, const ip_image3 *near[2], const ip_image3 *image, const ip_grain_remove_options *options,
    ip_image3 *out, ip_plane_f *left) {
    temporal t;
    IP_TRY(temporal_new(grain, image, &t));
    ip_luma(image, -1e6f, 1e6f, &t.luma, options->threads);
    ip_box_blur(&t.luma, &t.luma, &t.tmp, WINDOW, WINDOW, options->threads);
    ipos_status status = IPOS_OK;
    for (int i = 0; i < 2 && status == IPOS_OK; i++)
        if (near[i] && !options->spatial_only)
            status = use_neighbour(&t, near[i], options);
    if (status == IPOS_OK)
        finish(&t, out, left);
    temporal_free(&t);
    return status;
}

/* out = image + strength * (clean - image) where the image is finite. */
static void blend(const ip_image3 *image, const ip_image3 *clean, float strength, ip_image3 *out) {
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < out->c[c].height; y++)
            for (int x = 0; x < out->c[c].width; x++) {
                float v = ip_row(&image->c[c], y)[x];
                ip_row(&out->c[c], y)[x] = isfinite(v) ? v + strength * (ip_row(&clean->c[c], y)[x] - v) : v;
            }
}

static ipos_status check_sizes(const ip_image3 *image, const ip_image3 *other, const char *name) {
    if (other && (other->c[0].width != image->c[0].width || other->c[0].height != image->c[0].height))
        return ip_fail(IPOS_ERR_ARGUMENT, "grain: %s of %dx%d, expected %dx%d like the image", name, other->c[0].width, other->c[0].height,
            image->c[0].width, image->c[0].height);
    return IPOS_OK;
}

ipos_status ip_grain_remove(const ip_grain *grain, const ip_image3 *before, const ip_image3 *image, const ip_image3 *after,
    const ip_grain_remove_options *options, ip_image3 *out, ip_plane_f *remaining) {
    const ip_grain_remove_options none = {0};
    const ip_image3 *near[2] = {before, after};
    ip_image3 clean = {0};
    ip_plane_f left = {0};
    options = options ? options : &none;
    IP_TRY(ip_grain_check(grain));
    IP_TRY(check_sizes(image, before, "frame before"));
    IP_TRY(check_sizes(image, after, "frame after"));
    IP_TRY(check_sizes(image, out, "out"));
    if (remaining && (remaining->width != image->c[0].width || remaining->height != image->c[0].height))
        return ip_fail(IPOS_ERR_ARGUMENT, "grain: remaining of %dx%d, expected the image's size", remaining->width, remaining->height);
    ipos_status status = ip_image3_new(image->c[0].width, image->c[0].height, &clean);
    if (status == IPOS_OK)
        status = ip_plane_new(image->c[0].width, image->c[0].height, &left);
    if (status == IPOS_OK)
        status = along_time(grain, near, image, options, &clean, &left);
    if (status == IPOS_OK && !ip_alive(options->pulse))
        status = ip_fail(IPOS_ERR_CANCELLED, "grain: cancelled");
    if (status == IPOS_OK)
        status = ip_grain_shrink(grain, &left, options->threads, &clean);
    if (status == IPOS_OK) {
        if (remaining)
            ip_plane_copy(remaining, &left);
        blend(image, &clean, options->strength > 0.f ? fminf(options->strength, 1.f) : 1.f, out);
    }
    ip_plane_free(&left);
    ip_image3_free(&clean);
    return status;
}
