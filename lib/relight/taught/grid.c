/* The grid's cells by conjugate gradients on the normal equations, which are never written down. */
#include "grid.h"
#include "fit.h"

#include <math.h>

enum { TERMS = 12, STEPS = 60, SAMPLES = 60000 };
static const float TOGETHER = 8; /* a difference of neighbours counts as much as so many samples */
/* And one to the whole picture's change, by what it is: a channel's own gain, what other channels add to it, a constant. Where a cell saw greys
 * alone nothing says which of them it is, and a colour that comes by later must not be turned into another one. */
static const float HOME_GAIN = 2, HOME_MIX = 60, HOME_SHIFT = 6;

/* Where a colour lies among the cells: the lowest of eight, and how far beyond it. */
typedef struct place {
    int cell;
    float part[3]; /* x, y, z */
} place;

typedef struct sample {
    place at;
    float rgb[3], to[3];
} sample;

static int cut(float *at, int count) {
    float limited = fminf(fmaxf(*at, 0), (float)(count - 1) - 1e-4f);
    int low = (int)limited;
    *at = limited - (float)low;
    return low;
}

static place place_of(float x, float y, const float rgb[3]) {
    float luma = .2126f * rgb[0] + .7152f * rgb[1] + .0722f * rgb[2];
    place p = {.part = {x * IP_GRID_X - .5f, y * IP_GRID_Y - .5f, luma * (IP_GRID_Z - 1)}};
    int cx = cut(&p.part[0], IP_GRID_X), cy = cut(&p.part[1], IP_GRID_Y), cz = cut(&p.part[2], IP_GRID_Z);
    p.cell = (cz * IP_GRID_Y + cy) * IP_GRID_X + cx;
    return p;
}

/* The eight cells around a place and what each counts for. */
static void corners(const place *p, int cell[8], float weight[8]) {
    static const int step[3] = {1, IP_GRID_X, IP_GRID_X * IP_GRID_Y};
    for (int k = 0; k < 8; k++) {
        cell[k] = p->cell;
        weight[k] = 1;
        for (int d = 0; d < 3; d++) {
            bool far = k >> d & 1;
            cell[k] += far ? step[d] : 0;
            weight[k] *= far ? p->part[d] : 1 - p->part[d];
        }
    }
}

static void slice(const float *cells, const place *p, const float rgb[3], float out[3]) {
    int cell[8];
    float weight[8], affine[TERMS] = {0};
    corners(p, cell, weight);
    for (int k = 0; k < 8; k++)
        for (int t = 0; t < TERMS; t++)
            affine[t] += weight[k] * cells[cell[k] * TERMS + t];
    for (int c = 0; c < 3; c++)
        out[c] = affine[4 * c] * rgb[0] + affine[4 * c + 1] * rgb[1] + affine[4 * c + 2] * rgb[2] + affine[4 * c + 3];
}

static void splat(float *cells, const place *p, const float rgb[3], const float value[3]) {
    int cell[8];
    float weight[8], affine[TERMS];
    corners(p, cell, weight);
    for (int c = 0; c < 3; c++)
        for (int t = 0; t < 4; t++)
            affine[4 * c + t] = value[c] * (t < 3 ? rgb[t] : 1);
    for (int k = 0; k < 8; k++)
        for (int t = 0; t < TERMS; t++)
            cells[cell[k] * TERMS + t] += weight[k] * affine[t];
}

static float home(int term) { return term % 4 == 3 ? HOME_SHIFT : term % 4 == term / 4 ? HOME_GAIN : HOME_MIX; }

/* out += TOGETHER * (sum of differences to neighbours) + home * in */
static void hold_together(const float *in, float *out) {
    static const int count[3] = {IP_GRID_X, IP_GRID_Y, IP_GRID_Z}, step[3] = {1, IP_GRID_X, IP_GRID_X * IP_GRID_Y};
    for (int i = 0; i < IP_GRID_CELLS; i++) {
        for (int t = 0; t < TERMS; t++)
            out[i * TERMS + t] += home(t) * in[i * TERMS + t];
        for (int d = 0; d < 3; d++) {
            int j = i + step[d];
            if (i / step[d] % count[d] == count[d] - 1)
                continue;
            for (int t = 0; t < TERMS; t++) {
                float pull = TOGETHER * (in[i * TERMS + t] - in[j * TERMS + t]);
                out[i * TERMS + t] += pull;
                out[j * TERMS + t] -= pull;
            }
        }
    }
}

static void normal_times(const sample *samples, size_t count, const float *in, float *out) {
    memset(out, 0, sizeof *out * IP_GRID_CELLS * TERMS);
    for (size_t i = 0; i < count; i++) {
        float value[3];
        slice(in, &samples[i].at, samples[i].rgb, value);
        splat(out, &samples[i].at, samples[i].rgb, value);
    }
    hold_together(in, out);
}

static double dot(const float *a, const float *b) {
    double sum = 0;
    for (int i = 0; i < IP_GRID_CELLS * TERMS; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* The whole picture's change, gain and constant of each channel, in every cell. */
static void start(const sample *samples, size_t count, float *cells) {
    for (int c = 0; c < 3; c++) {
        double normal[4] = {0}, right[2] = {0}, solution[2];
        for (size_t i = 0; i < count; i++) {
            double x = (double)samples[i].rgb[c], y = (double)samples[i].to[c];
            normal[0] += x * x;
            normal[1] += x;
            right[0] += x * y;
            right[1] += y;
        }
        normal[2] = normal[1];
        normal[3] = 1.03 * (double)count; /* rather a gain */
        normal[0] += 1e-3 * (double)count;
        right[0] += 1e-3 * (double)count;
        if (!ip_solve(normal, right, 2, solution))
            memcpy(solution, (double[2]){1, 0}, sizeof solution);
        for (int i = 0; i < IP_GRID_CELLS; i++) {
            cells[i * TERMS + 5 * c] = (float)solution[0];
            cells[i * TERMS + 4 * c + 3] = (float)solution[1];
        }
    }
}

/* Adds to the cells what takes away the residual; work holds four vectors of their size. */
static ipos_status solve(const sample *samples, size_t count, const ip_pulse *pulse, float *cells, float *work) {
    size_t size = (size_t)IP_GRID_CELLS * TERMS;
    float *more = work, *residual = work + size, *way = work + 2 * size, *image = work + 3 * size;
    for (size_t i = 0; i < count; i++) {
        float value[3];
        slice(cells, &samples[i].at, samples[i].rgb, value);
        for (int c = 0; c < 3; c++)
            value[c] = samples[i].to[c] - value[c];
        splat(residual, &samples[i].at, samples[i].rgb, value);
    }
    memcpy(way, residual, size * sizeof *way);
    double old = dot(residual, residual), first = old;
    for (int step = 0; step < STEPS && old > 1e-8 * first; step++) {
        if (!ip_alive(pulse))
            return ip_fail(IPOS_ERR_CANCELLED, "learning a change of colour: cancelled");
        normal_times(samples, count, way, image);
        float length = (float)(old / dot(way, image));
        for (size_t i = 0; i < size; i++) {
            more[i] += length * way[i];
            residual[i] -= length * image[i];
        }
        double now = dot(residual, residual);
        for (size_t i = 0; i < size; i++)
            way[i] = residual[i] + (float)(now / old) * way[i];
        old = now;
    }
    for (size_t i = 0; i < size; i++)
        cells[i] += more[i];
    return IPOS_OK;
}

/* Every step-th pixel each way. */
static size_t gather(const ip_image3 *from, const ip_image3 *to, int step, sample *samples) {
    int width = from->c[0].width, height = from->c[0].height;
    size_t count = 0;
    for (int y = step / 2; y < height; y += step)
        for (int x = step / 2; x < width; x += step) {
            sample *s = &samples[count++];
            for (int c = 0; c < 3; c++) {
                s->rgb[c] = ip_row(&from->c[c], y)[x];
                s->to[c] = ip_row(&to->c[c], y)[x];
            }
            s->at = place_of(((float)x + .5f) / (float)width, ((float)y + .5f) / (float)height, s->rgb);
        }
    return count;
}

ipos_status ip_grid_fit(const ip_image3 *from, const ip_image3 *to, const ip_pulse *pulse, ip_grid *out) {
    int width = from->c[0].width, height = from->c[0].height, step = 1;
    size_t size = (size_t)IP_GRID_CELLS * TERMS;
    while ((width / step) * (height / step) > SAMPLES)
        step++;
    sample *samples = ip_calloc((size_t)(width / step + 1) * (size_t)(height / step + 1), sizeof *samples);
    float *work = ip_calloc(4 * size, sizeof *work);
    out->cell = ip_calloc(size, sizeof *out->cell);
    ipos_status status = samples && work && out->cell ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK) {
        size_t count = gather(from, to, step, samples);
        start(samples, count, out->cell);
        status = solve(samples, count, pulse, out->cell, work);
    }
    ip_free(samples);
    ip_free(work);
    if (status != IPOS_OK)
        ip_grid_free(out);
    return status;
}

void ip_grid_free(ip_grid *grid) {
    ip_free(grid->cell);
    *grid = (ip_grid){0};
}

void ip_grid_at(const ip_grid *grid, float x, float y, const float rgb[3], float out[3]) {
    place p = place_of(x, y, rgb);
    slice(grid->cell, &p, rgb, out);
    for (int c = 0; c < 3; c++)
        out[c] = fminf(fmaxf(out[c], 0), 1.2f);
}
