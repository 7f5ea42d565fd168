#include "taught.h"
#include "curves.h"
#include "fit.h"
#include "gauss.h"
#include "guided.h"
#include "surface.h"

#include <math.h>

enum { CELLS = IP_GRID_X * IP_GRID_Y * IP_GRID_Z };

static float code(float light) {
    return ip_srgb_from_linear(fmaxf(light, 0));
}

static void code_at(const ip_image3 *image, int x, int y, float out[3]) {
    for (int c = 0; c < 3; c++)
        out[c] = code(ip_row(&image->c[c], y)[x]);
}

/* Place in the grid of a position (0..1) and a colour. */
static void place(float px, float py, const float rgb[3], float at[3]) {
    float luma = .2126f * rgb[0] + .7152f * rgb[1] + .0722f * rgb[2];
    at[0] = fminf(fmaxf(px * IP_GRID_X - .5f, 0), IP_GRID_X - 1.001f);
    at[1] = fminf(fmaxf(py * IP_GRID_Y - .5f, 0), IP_GRID_Y - 1.001f);
    at[2] = fminf(fmaxf(luma * IP_GRID_Z - .5f, 0), IP_GRID_Z - 1.001f);
}

/* The eight cells around and their shares. */
static void corners(const float at[3], int cell[8], float share[8]) {
    for (int k = 0; k < 8; k++) {
        int index[3];
        share[k] = 1;
        for (int d = 0; d < 3; d++) {
            int base = (int)at[d], up = k >> d & 1;
            float part = at[d] - (float)base;
            index[d] = base + up;
            share[k] *= up ? part : 1 - part;
        }
        cell[k] = (index[2] * IP_GRID_Y + index[1]) * IP_GRID_X + index[0];
    }
}

/* Sums of a pixel: the upper half of x x', then x y'. */
static void add_pixel(double *sums, const float from[3], const float to[3], double weight) {
    double x[4] = {(double)from[0], (double)from[1], (double)from[2], 1};
    int n = 0;
    for (int i = 0; i < 4; i++)
        for (int j = i; j < 4; j++)
            sums[n++] += weight * x[i] * x[j];
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < 4; i++)
            sums[n++] += weight * x[i] * (double)to[c];
}

/* Sums shared with the next cells along one axis (1 2 1). */
static void share_axis(double *sums, int step, int length) {
    double line[32];
    for (int first = 0; first < CELLS; first++) {
        if (first / step % length)
            continue;
        for (int t = 0; t < IP_GRID_TERMS; t++) {
            for (int i = 0; i < length; i++)
                line[i] = sums[(size_t)(first + i * step) * IP_GRID_TERMS + (size_t)t];
            for (int i = 0; i < length; i++)
                sums[(size_t)(first + i * step) * IP_GRID_TERMS + (size_t)t] = .5 * line[i] + .25 * line[IP_MAX(0, i - 1)] + .25 * line[IP_MIN(length - 1, i + 1)];
        }
    }
}

/* The affine map of a cell; where it holds little, drawn to the mean gain of all. */
static void solve_cell(const double *sums, const double gain[3], float *out) {
    double weight = sums[9], ridge = 2 + .01 * weight;
    for (int c = 0; c < 3; c++) {
        double N[16], b[4], x[4];
        for (int i = 0, n = 0; i < 4; i++)
            for (int j = i; j < 4; j++, n++)
                N[4 * i + j] = N[4 * j + i] = sums[n];
        for (int i = 0; i < 4; i++) {
            b[i] = sums[10 + 4 * c + i] + (i == c ? ridge * gain[c] : 0);
            N[5 * i] += ridge;
        }
        bool solved = ip_solve(N, b, 4, x);
        for (int i = 0; i < 4; i++)
            out[4 * c + i] = (float)(solved ? x[i] : i == c ? gain[c] : 0);
    }
}

ipos_status ip_grid_fit(const ip_image3 *from, const ip_image3 *to, ip_grid *out) {
    double *sums = ip_calloc(CELLS * IP_GRID_TERMS, sizeof *sums), was[3] = {0}, is[3] = {0}, gain[3];
    int width = from->c[0].width, height = from->c[0].height;
    out->cell = ip_calloc(CELLS * 12, sizeof *out->cell);
    if (!sums || !out->cell) {
        ip_free(sums);
        ip_grid_free(out);
        return IPOS_ERR_NO_MEMORY;
    }
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            float a[3], b[3], at[3], share[8];
            int cell[8];
            code_at(from, x, y, a);
            code_at(to, x, y, b);
            place(((float)x + .5f) / (float)width, ((float)y + .5f) / (float)height, a, at);
            corners(at, cell, share);
            for (int k = 0; k < 8; k++)
                add_pixel(sums + (size_t)cell[k] * IP_GRID_TERMS, a, b, (double)share[k]);
            for (int c = 0; c < 3; c++) {
                was[c] += (double)a[c];
                is[c] += (double)b[c];
            }
        }
    for (int c = 0; c < 3; c++)
        gain[c] = is[c] / fmax(was[c], 1e-9);
    share_axis(sums, 1, IP_GRID_X);
    share_axis(sums, IP_GRID_X, IP_GRID_Y);
    share_axis(sums, IP_GRID_X * IP_GRID_Y, IP_GRID_Z);
    for (int i = 0; i < CELLS; i++)
        solve_cell(sums + (size_t)i * IP_GRID_TERMS, gain, out->cell + (size_t)i * 12);
    ip_free(sums);
    return IPOS_OK;
}

void ip_grid_free(ip_grid *grid) {
    ip_free(grid->cell);
    grid->cell = NULL;
}

static void slice(const ip_grid *grid, float px, float py, const float rgb[3], float out[3]) {
    float at[3], share[8], map[12] = {0};
    int cell[8];
    place(px, py, rgb, at);
    corners(at, cell, share);
    for (int k = 0; k < 8; k++)
        for (int i = 0; i < 12; i++)
            map[i] += share[k] * grid->cell[(size_t)cell[k] * 12 + (size_t)i];
    for (int c = 0; c < 3; c++)
        out[c] = map[4 * c] * rgb[0] + map[4 * c + 1] * rgb[1] + map[4 * c + 2] * rgb[2] + map[4 * c + 3];
}

/* Bilinear: what is carried over frames should not gain in grain. */
static void sample3(const ip_image3 *image, float x, float y, float out[3]) {
    for (int c = 0; c < 3; c++)
        out[c] = ip_sample_linear(&image->c[c], x, y);
}

enum { FIT, SUM_R, SUM_G, SUM_B, WEIGHT, BEST, TMP, PLANES };

/* How well one example, carried here, fits the frame: the blurred difference of both as they were. */
static void find_fit(const ip_image3 *light, const ip_candidate *e, ip_plane_f *part, int threads) {
    for (int y = 0; y < part->height; y++)
        for (int x = 0; x < part->width; x++) {
            float was[3], own[3], sum = 0;
            sample3(e->from, ip_row(e->x, y)[x], ip_row(e->y, y)[x], was);
            code_at(light, x, y, own);
            for (int c = 0; c < 3; c++)
                sum += fabsf(code(was[c]) - own[c]);
            ip_row(&part[FIT], y)[x] = sum;
        }
    ip_gauss_blur(&part[FIT], &part[FIT], &part[TMP], 1.5 * (double)ip_relight_unit(part->width), threads);
}

/* The relit example, nudged by a quarter of what the frame differs by, into the sums. */
static void add_example(const ip_image3 *light, const ip_candidate *e, ip_plane_f *part) {
    for (int y = 0; y < part->height; y++)
        for (int x = 0; x < part->width; x++) {
            float px = ip_row(e->x, y)[x], py = ip_row(e->y, y)[x], was[3], is[3], off = ip_row(&part[FIT], y)[x] / .12f, fit = expf(-off * off);
            if (!(px >= 0 && py >= 0 && px <= (float)(part->width - 1) && py <= (float)(part->height - 1)))
                fit = 0;
            fit *= e->strict ? fit : 1;
            sample3(e->from, px, py, was);
            sample3(e->to, px, py, is);
            float weight = (fit + 1e-4f) / e->distance;
            for (int c = 0; c < 3; c++) {
                float own = ip_row(&light->c[c], y)[x], made = (fmaxf(is[c], 0) + .01f) * powf((own + .01f) / (fmaxf(was[c], 0) + .01f), .25f) - .01f;
                ip_row(&part[SUM_R + c], y)[x] += weight * code(made);
            }
            ip_row(&part[WEIGHT], y)[x] += weight;
            ip_row(&part[BEST], y)[x] = fmaxf(ip_row(&part[BEST], y)[x], fit);
        }
}

/* The colour the grids give a pixel, nearer examples counting more. */
static void by_grids(const ip_candidate *e, size_t count, int x, int y, int width, int height, const float own[3], float out[3]) {
    float all = 0;
    memset(out, 0, 3 * sizeof *out);
    for (size_t i = 0; i < count; i++) {
        float made[3], weight = 1 / e[i].distance;
        if (e[i].strict)
            continue;
        slice(e[i].grid, (ip_row(e[i].x, y)[x] + .5f) / (float)width, (ip_row(e[i].y, y)[x] + .5f) / (float)height, own, made);
        for (int c = 0; c < 3; c++)
            out[c] += weight * made[c];
        all += weight;
    }
    for (int c = 0; c < 3; c++)
        out[c] /= fmaxf(all, 1e-9f);
}

ipos_status ip_taught_gain(const ip_image3 *light, const ip_candidate *candidates, size_t count, int threads, const ip_image3 *gain,
    const ip_plane_f *sure) {
    ip_plane_f part[PLANES];
    int width = sure->width, height = sure->height;
    IP_TRY(ip_planes_new(width, height, part, PLANES));
    for (size_t i = 0; i < count; i++) {
        find_fit(light, &candidates[i], part, threads);
        add_example(light, &candidates[i], part);
    }
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            ip_row(sure, y)[x] = fminf(fmaxf((ip_row(&part[BEST], y)[x] - .15f) / .35f, 0), 1);
    ip_gauss_blur(sure, sure, &part[TMP], (double)ip_relight_unit(width), threads);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            float own[3], grid[3], share = ip_row(sure, y)[x];
            code_at(light, x, y, own);
            by_grids(candidates, count, x, y, width, height, own, grid);
            for (int c = 0; c < 3; c++) {
                float made = share * ip_row(&part[SUM_R + c], y)[x] / ip_row(&part[WEIGHT], y)[x] + (1 - share) * fmaxf(grid[c], 0);
                float was = fmaxf(ip_row(&light->c[c], y)[x], 1e-3f);
                ip_row(&gain->c[c], y)[x] = fminf(fmaxf(log2f(fmaxf(ip_srgb_to_linear(made), 1e-4f) / was), -8), 8);
            }
        }
    ip_planes_free(part, PLANES);
    return IPOS_OK;
}

ipos_status ip_days_gain(const ip_image3 *light, const ip_image3 *from, const ip_image3 *to, int threads, const ip_image3 *gain) {
    int width = light->c[0].width, height = light->c[0].height;
    ip_plane_f luma;
    IP_TRY(ip_plane_new(width, height, &luma));
    ip_display_luma(light, &luma, threads);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            float g[3], mean;
            for (int c = 0; c < 3; c++)
                g[c] = log2f((ip_row(&to->c[c], y)[x] + .01f) / (ip_row(&from->c[c], y)[x] + .01f));
            mean = (g[0] + g[1] + g[2]) / 3;
            for (int c = 0; c < 3; c++)
                ip_row(&gain->c[c], y)[x] = mean + fminf(fmaxf(g[c] - mean, -.75f), .75f);
        }
    ipos_status status = IPOS_OK;
    for (int c = 0; c < 3 && status == IPOS_OK; c++)
        status = ip_guided(&luma, &gain->c[c], &gain->c[c], ip_relight_pixels(width, 19), 1e-2f, threads);
    ip_plane_free(&luma);
    return status;
}
