/* New grain on a picture. */
#include "grain_internal.h"
#include "simd.h"
#include <math.h>
#include <stdlib.h>

enum { BAND = 32 };

typedef struct add_job {
    const ip_grain *grain;
    const ip_grain_kernel *kernel, *low; /* low: what is coarse of it; NULL: not told apart */
    const ip_grain_add_options *options;
    ip_image3 *image;
    int radius;         /* of both */
    float *noise;       /* a row of three white noises for every row of the picture and `radius` more on each side */
    size_t row;         /* floats of one noise in a row */
} add_job;

/* Two normal numbers of one counter value of the sample's stream (Box, Muller 1958). */
static void normals(ip_rng *rng, float out[2]) {
    uint64_t bits = ip_rng_bits(rng);
    double a = ((double)(uint32_t)bits + .5) * 0x1p-32, b = (double)(bits >> 32) * 0x1p-32;
    float radius = sqrtf(-2.f * logf((float)a)), angle = 6.2831853f * (float)b;
    out[0] = radius * cosf(angle);
    out[1] = radius * sinf(angle);
}

/* White noise of the whole picture's sample (x, y): three numbers with the channels' mixture. */
static void noise_at(const add_job *job, int x, int y, float *out) {
    float n[4];
    ip_rng rng = {.key = job->options->seed, .stream = (uint64_t)(uint32_t)y << 32 | (uint32_t)x, .counter = (uint64_t)job->options->frame * 2};
    normals(&rng, n);
    normals(&rng, n + 2);
    for (int c = 0; c < 3; c++) {
        const float *mix = job->kernel->mix[c];
        out[(size_t)c * job->row] = mix[0] * n[0] + mix[1] * n[1] + mix[2] * n[2];
    }
}

static void fill_noise(void *user, int64_t begin, int64_t end) {
    const add_job *job = user;
    int radius = job->radius;
    for (int64_t y = begin; y < end; y++)
        for (size_t x = 0; x < job->row; x++)
            noise_at(job, job->options->x + (int)x - radius, job->options->y + (int)y - radius, job->noise + (size_t)y * 3 * job->row + x);
}

IP_HOT static void add_scaled(float *to, const float *from, float weight, int n) {
    for (int i = 0; i < n; i++)
        to[i] += weight * from[i];
}

static void filter_row(const add_job *job, const ip_grain_kernel *kernel, int c, int y, int width, float *out) {
    int radius = job->radius;
    memset(out, 0, (size_t)width * sizeof *out);
    for (int dy = -radius; dy <= radius; dy++) {
        const float *from = job->noise + ((size_t)(y + radius + dy) * 3 + (size_t)c) * job->row;
        for (int dx = -radius; dx <= radius; dx++)
            add_scaled(out, from + radius + dx, kernel->filter[c][IP_GRAIN_KERNEL + dy][IP_GRAIN_KERNEL + dx], width);
    }
}

static bool wanted(const ip_plane_f *missing, int y, int width) {
    if (!missing)
        return true;
    for (int x = 0; x < width; x++)
        if (ip_row(missing, y)[x] > 0.f)
            return true;
    return false;
}

static void level_row(const add_job *job, int y, float *out) {
    const ip_image3 *image = job->image;
    for (int x = 0; x < image->c[0].width; x++)
        out[x] = job->options->luma ? ip_row(job->options->luma, y)[x] :
            .2126f * ip_row(&image->c[0], y)[x] + .7152f * ip_row(&image->c[1], y)[x] + .0722f * ip_row(&image->c[2], y)[x];
}

/* Grain in two bands: shares of the variance become amplitudes. */
static void mix_bands(const add_job *job, int y, int width, const float *low, float *grain) {
    const float *fine = ip_row(job->options->missing, y), *coarse = ip_row(job->options->coarse, y);
    for (int x = 0; x < width; x++)
        grain[x] = fine[x] > 0.f ? grain[x] + (sqrtf(coarse[x] / fine[x]) - 1.f) * low[x] : low[x];
}

static float part_of(const add_job *job, int x, int y) {
    float fine = job->options->missing ? ip_row(job->options->missing, y)[x] : 1.f;
    return fine > 0.f || !job->low ? fine : ip_row(job->options->coarse, y)[x];
}

/* tmp: three rows. */
static void add_row(const add_job *job, int y, float *tmp) {
    int width = job->image->c[0].width;
    float *level = tmp, *grain = tmp + width, *low = tmp + 2 * (size_t)width, gain = job->options->gain > 0.f ? job->options->gain : 1.f;
    if (!wanted(job->options->missing, y, width) && !(job->low && wanted(job->options->coarse, y, width)))
        return;
    level_row(job, y, level);
    for (int c = 0; c < 3; c++) {
        float *row = ip_row(&job->image->c[c], y);
        filter_row(job, job->kernel, c, y, width, grain);
        if (job->low) {
            filter_row(job, job->low, c, y, width, low);
            mix_bands(job, y, width, low, grain);
        }
        for (int x = 0; x < width; x++) {
            float part = part_of(job, x, y);
            if (part > 0.f && isfinite(row[x]) && isfinite(level[x]))
                row[x] += gain * sqrtf(fminf(part, 1.f) * ip_grain_variance(job->grain, c, level[x])) * grain[x];
        }
    }
}

typedef struct rows_job {
    const add_job *add;
    float *tmp; /* three rows for each band */
} rows_job;

static void add_bands(void *user, int64_t begin, int64_t end) {
    const rows_job *job = user;
    int width = job->add->image->c[0].width, height = job->add->image->c[0].height;
    for (int64_t band = begin; band < end; band++)
        for (int y = (int)band * BAND; y < IP_MIN(((int)band + 1) * BAND, height); y++)
            add_row(job->add, y, job->tmp + (size_t)band * 3 * (size_t)width);
}

/* The kernel behind a Gaussian, as far out as there is room. */
static void soften(const ip_grain_kernel *kernel, float sigma, ip_grain_kernel *out) {
    enum { MIDDLE = IP_GRAIN_KERNEL };
    const int from = kernel->radius, reach = IP_MIN(MIDDLE, from + (int)ceilf(3.f * sigma));
    double weight[2 * MIDDLE + 1], sum = 0.;
    for (int d = 0; d <= from + reach; d++) {
        weight[d] = exp(-.5 * d * d / (double)(sigma * sigma));
        sum += d ? 2. * weight[d] : weight[d];
    }
    *out = *kernel;
    out->radius = reach;
    for (int c = 0; c < 3; c++)
        for (int y = -reach; y <= reach; y++)
            for (int x = -reach; x <= reach; x++) {
                double v = 0.;
                for (int j = -from; j <= from; j++)
                    for (int i = -from; i <= from; i++)
                        v += weight[abs(y - j)] * weight[abs(x - i)] * (double)kernel->filter[c][MIDDLE + j][MIDDLE + i];
                out->filter[c][MIDDLE + y][MIDDLE + x] = (float)(v / (sum * sum));
            }
}

static ipos_status same_size(const ip_image3 *image, const ip_plane_f *plane, const char *name) {
    if (plane && (plane->width != image->c[0].width || plane->height != image->c[0].height))
        return ip_fail(IPOS_ERR_ARGUMENT, "grain: %s of %dx%d for an image of %dx%d, expected one size", name, plane->width, plane->height,
            image->c[0].width, image->c[0].height);
    return IPOS_OK;
}

ipos_status ip_grain_add(const ip_grain *grain, const ip_grain_kernel *kernel, const ip_grain_add_options *options, ip_image3 *image) {
    int width = image->c[0].width, height = image->c[0].height, bands = (height + BAND - 1) / BAND;
    IP_TRY(ip_grain_check(grain));
    IP_TRY(same_size(image, options->missing, "missing"));
    IP_TRY(same_size(image, options->coarse, "coarse"));
    IP_TRY(same_size(image, options->luma, "luma"));
    ip_grain_kernel low;
    add_job job = {.grain = grain, .kernel = kernel, .options = options, .image = image, .radius = kernel->radius};
    if (options->missing && options->coarse) {
        soften(kernel, ip_grain_split(grain), &low);
        job.low = &low;
        job.radius = low.radius;
    }
    const int radius = job.radius;
    job.row = (size_t)(width + 2 * radius);
    job.noise = ip_alloc((size_t)(height + 2 * radius) * 3 * job.row * sizeof *job.noise);
    rows_job rows = {&job, ip_alloc((size_t)bands * 3 * (size_t)width * sizeof(float))};
    ipos_status status = job.noise && rows.tmp ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK) {
        ip_parallel(options->threads, height + 2 * radius, 8, fill_noise, &job);
        ip_parallel(options->threads, bands, 1, add_bands, &rows);
    }
    ip_free(job.noise);
    ip_free(rows.tmp);
    return status;
}
