#include "lift_grain.h"

#include <math.h>

enum { TILE = 640, AROUND = 64, WINDOW = 8 }; /* pixels; what moves further than AROUND is split within the picture */
static const float NOTHING = .25f, ALL = .75f; /* stops */
static const float LEFT_MOST = .6f, UNEVEN = 2.3f;

static float working_of(const ip_encoding *encoding, float light) {
    float code = encoding->kind == IP_ENCODING_LINEAR ? light : encoding->from_linear(light);
    ip_to_working(encoding, &code, 1);
    return code;
}

static float light_of(const ip_encoding *encoding, float code) {
    ip_from_working(encoding, &code, 1);
    return encoding->kind == IP_ENCODING_LINEAR ? code : encoding->to_linear(code);
}

/* Standard deviation in light of a channel at `value`, where the picture has that working luma. */
static float deviation(const ip_grain *grain, const ip_encoding *encoding, int channel, float value, float luma) {
    float step = fmaxf(.02f * fabsf(value), 1e-4f);
    float slope = (working_of(encoding, value + step) - working_of(encoding, value - step)) / (2 * step);
    return sqrtf(ip_grain_variance(grain, channel, luma)) / fmaxf(slope, 1e-6f);
}

float ip_lift_grain_share(const ip_grain *grain, const ip_encoding *encoding, int channel, float value, const float rgb[3], float stops) {
    static const float weight[3] = {.2126f, .7152f, .0722f};
    float lift = exp2f(stops), luma[2] = {0};
    for (int c = 0; c < 3; c++) {
        luma[0] += weight[c] * working_of(encoding, rgb[c]);
        luma[1] += weight[c] * working_of(encoding, lift * rgb[c]);
    }
    float has = deviation(grain, encoding, channel, value, luma[0]), wanted = deviation(grain, encoding, channel, lift * value, luma[1]) / lift;
    return has > 0 ? fminf(wanted / has, 1) : 1;
}

typedef struct lift_job {
    const ip_grain *grain;
    const ip_encoding *encoding;
    const ip_plane_f *stops;
    float amount;
    const ip_image3 *light;
    ip_image3 work, clean;
    ip_image3 left; /* share of the grain's deviation that is still in clean */
    ip_box_i part; /* of the picture that work and clean hold */
    ip_box_i core; /* of the picture that is written */
} lift_job;

/* Of the grain that was taken out, how much goes back so that both parts together have `share` of the whole: the deviation of what stayed is
 * about UNEVEN times what an even split would leave, the rest of the variance is what both have in common. */
static float kept(float share, float left) {
    float out = 1 - left, stayed = fminf(UNEVEN * left, .95f), a = out * out, b = .5f * (1 - a - stayed * stayed), c = stayed * stayed - share * share;
    return c < 0 ? (sqrtf(b * b - a * c) - b) / a : 0;
}

static void mix_rows(void *user, int64_t begin, int64_t end) {
    const lift_job *job = user;
    for (int y = job->core.y + (int)begin; y < job->core.y + (int)end; y++)
        for (int x = job->core.x; x < job->core.x + job->core.width; x++) {
            float stops = ip_row(job->stops, y)[x], t = fminf(fmaxf((stops - NOTHING) / (ALL - NOTHING), 0), 1), whole = job->amount * t * t * (3 - 2 * t), rgb[3];
            int px = x - job->part.x, py = y - job->part.y;
            if (!(whole > 0))
                continue;
            for (int c = 0; c < 3; c++)
                rgb[c] = light_of(job->encoding, ip_row(&job->clean.c[c], py)[px]);
            for (int c = 0; c < 3; c++) {
                float *to = &ip_row(&job->light->c[c], y)[x], clean = ip_row(&job->clean.c[c], py)[px], grain = ip_row(&job->work.c[c], py)[px] - clean;
                float left = ip_row(&job->left.c[c], py)[px], share = ip_lift_grain_share(job->grain, job->encoding, c, rgb[c], rgb, stops);
                float keeps = 1 - whole * (1 - kept(share, left));
                if (isfinite(*to) && isfinite(grain) && isfinite(keeps))
                    *to = light_of(job->encoding, clean + keeps * grain);
            }
        }
}

/* The split leaves some grain with the detail, more where there is much of that: how much shows in what it took out. */
static ipos_status find_left(lift_job *job, int threads) {
    static const float weight[3] = {.2126f, .7152f, .0722f};
    ip_plane_f part[3]; /* squares of the grain taken out, variance expected, room */
    int width = job->part.width, height = job->part.height;
    IP_TRY(ip_planes_new(width, height, part, 3));
    for (int c = 0; c < 3; c++) {
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) {
                float luma = 0, out = ip_row(&job->work.c[c], y)[x] - ip_row(&job->clean.c[c], y)[x];
                for (int k = 0; k < 3; k++)
                    luma += weight[k] * ip_row(&job->clean.c[k], y)[x];
                bool is = isfinite(luma) && isfinite(out);
                ip_row(&part[0], y)[x] = is ? out * out : 0;
                ip_row(&part[1], y)[x] = is ? ip_grain_variance(job->grain, c, luma) : 0;
            }
        for (int k = 0; k < 2; k++)
            ip_box_blur(&part[k], &part[k], &part[2], WINDOW, WINDOW, threads);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) {
                float expected = ip_row(&part[1], y)[x], taken = expected > 0 ? sqrtf(fmaxf(ip_row(&part[0], y)[x], 0) / expected) : 1;
                ip_row(&job->left.c[c], y)[x] = fminf(fmaxf(1 - taken, 0), LEFT_MOST);
            }
    }
    ip_planes_free(part, 3);
    return IPOS_OK;
}

static bool any_in(const ip_plane_f *stops, ip_box_i box) {
    for (int y = box.y; y < box.y + box.height; y++)
        for (int x = box.x; x < box.x + box.width; x++)
            if (ip_row(stops, y)[x] > NOTHING)
                return true;
    return false;
}

/* The part of a picture in the working encoding; allocates out. */
static ipos_status cut(const lift_job *job, const ip_image3 *picture, ip_image3 *out) {
    IP_TRY(ip_image3_new(job->part.width, job->part.height, out));
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < job->part.height; y++) {
            const float *from = ip_row(&picture->c[c], job->part.y + y) + job->part.x;
            float *to = ip_row(&out->c[c], y);
            for (int x = 0; x < job->part.width; x++)
                to[x] = job->encoding->kind == IP_ENCODING_LINEAR ? from[x] : job->encoding->from_linear(from[x]);
            ip_to_working(job->encoding, to, (size_t)job->part.width);
        }
    return IPOS_OK;
}

/* pictures: before, the picture as it was (tiles beside this one have been written), after. */
static ipos_status work_tile(lift_job *job, const ip_image3 *const pictures[3], int threads, const ip_pulse *pulse) {
    ip_grain_remove_options options = {.spatial_only = !pictures[0] && !pictures[2], .threads = threads, .pulse = pulse};
    ip_image3 beside[3] = {{{{0}}}};
    ipos_status status = ip_image3_new(job->part.width, job->part.height, &job->clean);
    for (int k = 0; k < 3 && status == IPOS_OK; k++)
        if (pictures[k])
            status = cut(job, pictures[k], k == 1 ? &job->work : &beside[k]);
    if (status == IPOS_OK)
        status = ip_grain_remove(job->grain, pictures[0] ? &beside[0] : NULL, &job->work, pictures[2] ? &beside[2] : NULL, &options, &job->clean, NULL);
    ip_image3_free(&beside[0]);
    ip_image3_free(&beside[2]);
    if (status == IPOS_OK)
        status = ip_image3_new(job->part.width, job->part.height, &job->left);
    if (status == IPOS_OK)
        status = find_left(job, threads);
    if (status == IPOS_OK)
        ip_parallel(threads, job->core.height, 8, mix_rows, job);
    ip_image3_free(&job->work);
    ip_image3_free(&job->left);
    ip_image3_free(&job->clean);
    return status;
}

ipos_status ip_lift_grain(const ip_grain *grain, const ip_encoding *encoding, const ip_plane_f *stops, float amount, const ip_image3 *before,
    const ip_image3 *after, int threads, const ip_pulse *pulse, const ip_image3 *light) {
    int width = stops->width, height = stops->height;
    ip_image3 was;
    const ip_image3 *pictures[3] = {before, &was, after};
    lift_job job = {.grain = grain, .encoding = encoding, .stops = stops, .amount = amount, .light = light};
    if (!(amount > 0) || !any_in(stops, (ip_box_i){0, 0, width, height}))
        return IPOS_OK;
    IP_TRY(ip_image3_new(width, height, &was));
    for (int c = 0; c < 3; c++)
        ip_plane_copy(&was.c[c], &light->c[c]);
    ipos_status status = IPOS_OK;
    for (int y = 0; y < height && status == IPOS_OK; y += TILE)
        for (int x = 0; x < width && status == IPOS_OK; x += TILE) {
            job.core = (ip_box_i){x, y, IP_MIN(TILE, width - x), IP_MIN(TILE, height - y)};
            int left = IP_MAX(0, x - AROUND), top = IP_MAX(0, y - AROUND);
            job.part = (ip_box_i){left, top, IP_MIN(width, x + TILE + AROUND) - left, IP_MIN(height, y + TILE + AROUND) - top};
            if (any_in(stops, job.core))
                status = work_tile(&job, pictures, threads, pulse);
        }
    ip_image3_free(&was);
    return status;
}
