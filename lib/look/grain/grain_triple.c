/* Differences of three aligned frames. */
#include "grain_internal.h"
#include <math.h>

enum { ENOUGH = 60 }; /* % of the blocks */

ipos_status ip_grain_triple_new(int width, int height, ip_grain_triple *out) {
    ip_grain_grid grid = ip_grain_grid_of(width, height);
    *out = (ip_grain_triple){0};
    ipos_status status = ip_image3_new(width, height, &out->before);
    if (status == IPOS_OK)
        status = ip_image3_new(width, height, &out->after);
    if (status == IPOS_OK)
        status = ip_image3_new(width, height, &out->gradient);
    if (status == IPOS_OK)
        status = ip_plane_new(width, height, &out->luma);
    if (status == IPOS_OK)
        status = ip_plane_new(width, height, &out->valid);
    for (int i = 0; i < 2 && status == IPOS_OK; i++) {
        out->motion[i] = ip_calloc((size_t)grid.columns * (size_t)grid.rows, sizeof **out->motion);
        status = out->motion[i] ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    }
    if (status != IPOS_OK)
        ip_grain_triple_free(out);
    return status;
}

void ip_grain_triple_free(ip_grain_triple *triple) {
    ip_image3_free(&triple->before);
    ip_image3_free(&triple->after);
    ip_image3_free(&triple->gradient);
    ip_plane_free(&triple->luma);
    ip_plane_free(&triple->valid);
    ip_free(triple->motion[0]);
    ip_free(triple->motion[1]);
    *triple = (ip_grain_triple){0};
}

static bool clipped(const ip_image3 *image, int x, int y, bool unclipped) {
    for (int c = 0; c < 3; c++) {
        float v = ip_row(&image->c[c], y)[x];
        if (!isfinite(v) || (!unclipped && (v <= .004f || v >= .996f)))
            return true;
    }
    return false;
}

static bool lame(const ip_grain_triple *t, int x, int y) {
    for (int c = 0; c < 3; c++)
        if (!isfinite(ip_row(&t->before.c[c], y)[x]) || !isfinite(ip_row(&t->after.c[c], y)[x]))
            return true;
    return false;
}

/* Blocks whose place is known in both neighbours and where no more than one sample in the middle frame clips: without its clipped samples
 * a block would show less grain than it has. */
static void mark_valid(const ip_image3 *image, bool unclipped, ip_grain_triple *t) {
    ip_grain_grid grid = ip_grain_grid_of(t->valid.width, t->valid.height);
    ip_plane_fill(&t->valid, 0.f);
    for (int by = 0; by < grid.rows; by++)
        for (int bx = 0; bx < grid.columns; bx++) {
            int lost = 0, x0 = bx * IP_GRAIN_BLOCK, y0 = by * IP_GRAIN_BLOCK, at = by * grid.columns + bx;
            if (!t->motion[0][at].known || !t->motion[1][at].known)
                continue;
            for (int y = y0; y < y0 + IP_GRAIN_BLOCK; y++)
                for (int x = x0; x < x0 + IP_GRAIN_BLOCK; x++)
                    lost += clipped(image, x, y, unclipped) || lame(t, x, y);
            for (int y = y0; y < y0 + IP_GRAIN_BLOCK && lost <= 1; y++)
                for (int x = x0; x < x0 + IP_GRAIN_BLOCK; x++)
                    ip_row(&t->valid, y)[x] = clipped(image, x, y, unclipped) || lame(t, x, y) ? 0.f : 1.f;
        }
}

static void box3(ip_plane_f *plane, ip_plane_f *tmp, int radius, int threads) {
    for (int i = 0; i < 3; i++)
        ip_box_blur(plane, plane, tmp, radius, radius, threads);
}

/* Takes the mean over the neighbourhood out: changes of light from frame to frame. tmp: three planes, the first the blurred valid. */
static void high_pass(const ip_plane_f *valid, ip_plane_f *plane, ip_plane_f tmp[3], int threads) {
    for (int y = 0; y < plane->height; y++)
        for (int x = 0; x < plane->width; x++) {
            float v = ip_row(plane, y)[x];
            ip_row(&tmp[1], y)[x] = ip_row(valid, y)[x] > 0.f && isfinite(v) ? v : 0.f;
        }
    box3(&tmp[1], &tmp[2], IP_GRAIN_PASS_RADIUS, threads);
    for (int y = 0; y < plane->height; y++)
        for (int x = 0; x < plane->width; x++) {
            float weight = ip_row(&tmp[0], y)[x];
            ip_row(plane, y)[x] = ip_row(valid, y)[x] > 0.f && weight > 0.f ? ip_row(plane, y)[x] - ip_row(&tmp[1], y)[x] / weight : 0.f;
        }
}

/* From the neighbours' warped pictures in before and after to differences, mean gradient and luma. */
static void differences(const ip_image3 *middle, ip_grain_triple *t, ip_plane_f tmp[3], int threads) {
    ip_plane_fill(&t->luma, 0.f);
    static const float weight[3] = {.2126f, .7152f, .0722f};
    for (int c = 0; c < 3; c++) {
        for (int y = 0; y < middle->c[c].height; y++) {
            const float *m = ip_row(&middle->c[c], y);
            float *b = ip_row(&t->before.c[c], y), *a = ip_row(&t->after.c[c], y), *mean = ip_row(&tmp[0], y);
            for (int x = 0; x < middle->c[c].width; x++) {
                bool ok = ip_row(&t->valid, y)[x] > 0.f;
                mean[x] = ok ? (b[x] + m[x] + a[x]) * (1.f / 3.f) : isfinite(m[x]) ? m[x] : 0.f;
                b[x] = m[x] - b[x];
                a[x] = m[x] - a[x];
            }
        }
        box3(&tmp[0], &tmp[1], 1, threads);
        ip_sobel(&tmp[0], &tmp[1], &tmp[2], threads);
        for (int y = 0; y < middle->c[c].height; y++)
            for (int x = 0; x < middle->c[c].width; x++) {
                float gx = .5f * ip_row(&tmp[1], y)[x], gy = .5f * ip_row(&tmp[2], y)[x];
                ip_row(&t->gradient.c[c], y)[x] = gx * gx + gy * gy;
                ip_row(&t->luma, y)[x] += weight[c] * ip_row(&tmp[0], y)[x];
            }
    }
    ip_plane_copy(&tmp[0], &t->valid);
    box3(&tmp[0], &tmp[1], IP_GRAIN_PASS_RADIUS, threads);
    for (int c = 0; c < 3; c++) {
        high_pass(&t->valid, &t->before.c[c], tmp, threads);
        high_pass(&t->valid, &t->after.c[c], tmp, threads);
    }
}

static bool most_known(const ip_grain_triple *t, int width, int height) {
    ip_grain_grid grid = ip_grain_grid_of(width, height);
    int all = grid.columns * grid.rows, known = 0;
    for (int i = 0; i < all; i++)
        known += t->motion[0][i].known && t->motion[1][i].known;
    return known >= ENOUGH * all / 100;
}

/* At half size; where grain is too strong or coarse for that, at quarter size. */
static ipos_status find_motion(const ip_image3 images[3], const ip_grain_options *options, ip_grain_triple *t) {
    int w = t->luma.width, h = t->luma.height;
    ip_grain_grid grid = ip_grain_grid_of(w, h);
    for (int i = 0; i < 2; i++)
        memset(t->motion[i], 0, (size_t)grid.columns * (size_t)grid.rows * sizeof *t->motion[i]);
    for (int halvings = 1; halvings <= 2 && (halvings == 1 || !most_known(t, w, h)); halvings++) {
        ip_plane_f luma[3] = {0};
        ipos_status status = IPOS_OK;
        for (int i = 0; i < 3 && status == IPOS_OK; i++)
            status = ip_grain_flow_luma(&images[i], halvings, options->threads, &luma[i]);
        for (int i = 0; i < 2 && status == IPOS_OK; i++)
            status = ip_grain_motions(&luma[1], &luma[2 * i], grid, 1 << halvings, options->threads, options->pulse, t->motion[i]);
        ip_planes_free(luma, 3);
        IP_TRY(status);
    }
    return IPOS_OK;
}

ipos_status ip_grain_triple_fill(const ip_image3 images[3], const ip_grain_options *options, ip_grain_triple *t) {
    int threads = options->threads;
    ip_plane_f tmp[3] = {0};
    IP_TRY(ip_planes_new(t->luma.width, t->luma.height, tmp, 3));
    ipos_status status = find_motion(images, options, t);
    if (status == IPOS_OK) {
        ip_grain_warp(&images[0], t->motion[0], threads, &t->before);
        ip_grain_warp(&images[2], t->motion[1], threads, &t->after);
        mark_valid(&images[1], options->unclipped, t);
        differences(&images[1], t, tmp, threads);
    }
    ip_planes_free(tmp, 3);
    return status;
}
