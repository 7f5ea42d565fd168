/* Pictures as the detector sees them. */
#include "wires_op.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_LINES = 1100 };

int iw_plate_scale(int height) {
    return (height + MOST_LINES - 1) / MOST_LINES;
}

/* Every 16th pixel of the luma, lines 4 apart. */
static ipos_status add_samples(ip_clip *clip, ipos_box canvas, int64_t number, float **samples, size_t *count) {
    ipos_frame *frame;
    ip_image3 line;
    IP_TRY(ip_clip_frame(clip, number, &frame));
    IP_TRY(ip_image3_new(canvas.width, 1, &line));
    size_t most = (size_t)((canvas.height + 3) / 4) * (size_t)((canvas.width + 3) / 4);
    float *grown = ip_realloc(*samples, (*count + most) * sizeof *grown);
    ipos_status status = grown ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    if (grown)
        *samples = grown;
    for (int y = 0; y < canvas.height && status == IPOS_OK; y += 4) {
        status = ip_clip_colour(clip, frame, canvas, (ip_box_i){0, y, canvas.width, 1}, &line);
        for (int x = 0; x < canvas.width && status == IPOS_OK; x += 4) {
            float luma = .2126f * line.c[0].data[x] + .7152f * line.c[1].data[x] + .0722f * line.c[2].data[x];
            if (isfinite(luma))
                (*samples)[(*count)++] = luma;
        }
    }
    ip_image3_free(&line);
    return status;
}

ipos_status iw_stretch_find(ip_clip *clip, ipos_box canvas, const int64_t *numbers, size_t count, iw_stretch *out) {
    float *samples = NULL;
    size_t total = 0;
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < 4 && i < count && status == IPOS_OK; i++)
        status = add_samples(clip, canvas, numbers[count <= 4 ? i : i * (count - 1) / 3], &samples, &total);
    *out = (iw_stretch){0, 1};
    if (status == IPOS_OK && total) {
        qsort(samples, total, sizeof *samples, ip_by_float);
        float low = samples[total / 200], high = samples[total - 1 - total / 200];
        *out = (iw_stretch){low, 1 / fmaxf(high - low, .02f)};
    }
    ip_free(samples);
    return status;
}

/* Means of scale x scale pixels; not-finite ones count as black. */
static void reduce_row(const ip_image3 *band, int scale, iw_stretch stretch, ip_image3 *out, int y) {
    for (int c = 0; c < 3; c++)
        for (int x = 0; x < out->c[0].width; x++) {
            float sum = 0;
            int n = 0;
            for (int dy = 0; dy < band->c[c].height; dy++)
                for (int dx = 0; dx < scale && x * scale + dx < band->c[c].width; dx++, n++) {
                    float value = ip_row(&band->c[c], dy)[x * scale + dx];
                    sum += isfinite(value) ? value : stretch.low;
                }
            ip_row(&out->c[c], y)[x] = (sum / (float)n - stretch.low) * stretch.gain;
        }
}

ipos_status iw_plate_make(const ip_clip *clip, const ipos_frame *frame, ipos_box canvas, int scale, iw_stretch stretch, ip_image3 *out) {
    int width = (canvas.width + scale - 1) / scale, height = (canvas.height + scale - 1) / scale;
    ip_image3 band;
    IP_TRY(ip_image3_new(width, height, out));
    ipos_status status = ip_image3_new(canvas.width, scale, &band);
    for (int y = 0; y < height && status == IPOS_OK; y++) {
        ip_box_i box = {0, y * scale, canvas.width, IP_MIN(scale, canvas.height - y * scale)};
        ip_image3 part = band;
        for (int c = 0; c < 3; c++)
            part.c[c].height = box.height;
        status = ip_clip_colour(clip, frame, canvas, box, &part);
        if (status == IPOS_OK)
            reduce_row(&part, scale, stretch, out, y);
    }
    ip_image3_free(&band);
    if (status != IPOS_OK)
        ip_image3_free(out);
    return status;
}

ipos_status iw_shot_plate(iw_shot *shot, size_t index, const ip_image3 **out) {
    size_t oldest = 0;
    for (size_t i = 0; i < IP_COUNT(shot->plates); i++) {
        if (shot->plates[i].used && shot->plates[i].index == index) {
            shot->plates[i].used = ++shot->clock;
            *out = &shot->plates[i].image;
            return IPOS_OK;
        }
        if (shot->plates[i].used < shot->plates[oldest].used)
            oldest = i;
    }
    ipos_frame *frame;
    IP_TRY(ip_clip_frame(shot->clip, shot->numbers[index], &frame));
    shot->plates[oldest].used = 0;
    ip_image3_free(&shot->plates[oldest].image);
    IP_TRY(iw_plate_make(shot->clip, frame, shot->canvas, shot->scale, shot->stretch, &shot->plates[oldest].image));
    shot->plates[oldest].index = index;
    shot->plates[oldest].used = ++shot->clock;
    *out = &shot->plates[oldest].image;
    return IPOS_OK;
}
