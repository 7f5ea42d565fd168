/* Light of a whole picture under a gain: the gain's size, bloom, haze, what is kept. */
#include "gauss.h"
#include "guided.h"
#include "relight_op.h"

#include <math.h>

typedef struct picture_job {
    const ip_image3 *gain, *light;
    const ir_look *look;
    const ip_plane_f *changed;
} picture_job;

static void multiply_rows(void *user, int64_t begin, int64_t end) {
    const picture_job *job = user;
    for (int y = (int)begin; y < (int)end; y++) {
        const float *keep = job->look->keep ? ip_row(job->look->keep, y) : NULL;
        float *changed = ip_row(job->changed, y);
        for (int x = 0; x < job->changed->width; x++) {
            float share = job->look->strength * (keep ? 1 - keep[x] : 1);
            for (int c = 0; c < 3; c++) {
                float *value = &ip_row(&job->light->c[c], y)[x], stops = share * ip_row(&job->gain->c[c], y)[x];
                if (!isfinite(*value) || stops == 0)
                    continue;
                *value *= exp2f(stops);
                changed[x] = 1;
            }
        }
    }
}

/* What glows and what veils, added where the picture may change. */
static ipos_status glow(const ir_look *look, const ip_image3 *light, ip_plane_f *changed) {
    float bloom = look->bloom * look->strength, haze = .25f * look->haze * look->strength, unit = ip_relight_unit(changed->width);
    ip_plane_f part[2];
    if (bloom <= 0 && haze <= 0)
        return IPOS_OK;
    IP_TRY(ip_planes_new(changed->width, changed->height, part, 2));
    for (int c = 0; c < 3; c++) {
        for (int y = 0; y < changed->height; y++)
            for (int x = 0; x < changed->width; x++) {
                float value = ip_row(&light->c[c], y)[x];
                ip_row(&part[0], y)[x] = isfinite(value) ? fminf(value, 4) : 0;
            }
        if (bloom > 0)
            ip_gauss_blur(&part[0], &part[0], &part[1], 18 * unit, look->threads);
        for (int y = 0; y < changed->height; y++)
            for (int x = 0; x < changed->width; x++) {
                float *value = &ip_row(&light->c[c], y)[x], share = look->keep ? 1 - ip_row(look->keep, y)[x] : 1;
                if (!isfinite(*value) || share <= 0)
                    continue;
                *value += share * bloom * (ip_row(&part[0], y)[x] - *value) + share * haze * ((float)look->veil[c] - *value);
                ip_row(changed, y)[x] = 1;
            }
    }
    ip_planes_free(part, 2);
    return IPOS_OK;
}

/* The gain at the picture's size, its edges on the picture's edges. */
static ipos_status enlarge(const ip_image3 *gain, const ip_plane_f *guide, const ip_image3 *light, int threads, ip_image3 *out) {
    ip_image3 finite = *light;
    ip_plane_f full;
    int width = light->c[0].width, height = light->c[0].height;
    IP_TRY(ip_image3_new(width, height, out));
    ipos_status status = ip_plane_new(width, height, &full);
    if (status == IPOS_OK) {
        ip_display_luma(&finite, &full, threads);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                if (!isfinite(ip_row(&full, y)[x]))
                    ip_row(&full, y)[x] = 0;
        for (int c = 0; c < 3 && status == IPOS_OK; c++)
            status = ip_guided_up(guide, &gain->c[c], &full, &out->c[c], 2, 1e-3f, threads);
    }
    ip_plane_free(&full);
    return status;
}

ipos_status ir_picture(const ip_image3 *gain, const ip_plane_f *guide, const ir_look *look, const ip_image3 *light, ip_plane_f *changed) {
    ip_image3 large = {0};
    ipos_status status = IPOS_OK;
    ip_plane_fill(changed, 0);
    bool same = gain->c[0].width == changed->width && gain->c[0].height == changed->height;
    if (!same)
        status = enlarge(gain, guide, light, look->threads, &large);
    if (status == IPOS_OK) {
        picture_job job = {same ? gain : &large, light, look, changed};
        ip_parallel(look->threads, changed->height, 8, multiply_rows, &job);
        status = glow(look, light, changed);
    }
    ip_image3_free(&large);
    return status;
}
