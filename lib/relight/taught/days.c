/* Medians over days, pixel by pixel. */
#include "days.h"
#include "fit.h"
#include "guided.h"
#include "surface.h"

#include <math.h>

static const float FLOOR = .01f;   /* of ratios, scene-linear */
static const float TINT = .22f;    /* stops by which a picture's own change of colour may differ from its location's */
static const float FLAT = 3e-3f;   /* variance of screens' luma below which nothing is an edge */

static float stops(float light) { return log2f(fmaxf(light, 0) + FLOOR); }

typedef struct value {
    float at, weight;
} value;

/* Where half of the weight lies below; between two values where they share it. Reorders. */
static float middle(value *values, size_t count) {
    float total = 0, below = 0;
    for (size_t i = 1; i < count; i++)
        for (size_t j = i; j > 0 && values[j].at < values[j - 1].at; j--) {
            value t = values[j];
            values[j] = values[j - 1];
            values[j - 1] = t;
        }
    for (size_t i = 0; i < count; i++)
        total += values[i].weight;
    for (size_t i = 0; i < count; i++) {
        below += values[i].weight;
        if (below > .5f * total * 1.0001f || i + 1 == count)
            return values[i].at;
        if (below > .5f * total * .9999f)
            return .5f * (values[i].at + values[i + 1].at);
    }
    return 0;
}

/* Mean absolute difference of log luminance, less what a gain alone makes. */
double ip_days_alike(const ip_image3 *a, const ip_image3 *b) {
    int width = a->c[0].width, height = a->c[0].height, step = IP_MAX(1, width / 320);
    float *apart = ip_calloc((size_t)(width / step + 1) * (size_t)(height / step + 1), sizeof *apart);
    size_t count = 0;
    double sum = 0;
    if (!apart)
        return 0;
    for (int y = step / 2; y < height; y += step)
        for (int x = step / 2; x < width; x += step) {
            float luma[2];
            for (int k = 0; k < 2; k++) {
                const ip_image3 *image = k ? b : a;
                luma[k] = stops(.2126f * ip_row(&image->c[0], y)[x] + .7152f * ip_row(&image->c[1], y)[x] + .0722f * ip_row(&image->c[2], y)[x]);
            }
            apart[count++] = luma[1] - luma[0];
        }
    float gain = ip_select(apart, count, count / 2);
    for (size_t i = 0; i < count; i++)
        sum += fabsf(apart[i] - gain);
    ip_free(apart);
    return exp(-sum / (.5 * (double)count));
}

typedef struct gain_job {
    const ip_days *days;
    const float *alike; /* of the days */
    value *room;        /* a row's own: most values of a pixel, for every row */
    size_t most;
    const ip_image3 *gain;
    const ip_plane_f *sure;
} gain_job;

static void gain_row(const gain_job *job, int y, value *room) {
    const ip_days *days = job->days;
    for (int x = 0; x < job->sure->width; x++) {
        float own[3], usual[3], luma[2] = {0}, spread = 0;
        static const float weight[3] = {.2126f, .7152f, .0722f};
        for (int c = 0; c < 3; c++) {
            float here = stops(ip_row(&days->own->c[c], y)[x]);
            for (size_t i = 0; i < days->evenings; i++)
                room[i] = (value){stops(ip_row(&days->evening[i].c[c], y)[x]), 1};
            float evening = middle(room, days->evenings);
            for (size_t i = 0; i < days->evenings; i++)
                spread += fabsf(room[i].at - evening) / (float)(3 * days->evenings);
            room[days->days] = (value){here, 1};
            for (size_t i = 0; i < days->days; i++)
                room[i] = (value){stops(ip_row(&days->day[i].c[c], y)[x]), job->alike[i]};
            own[c] = evening - here;
            usual[c] = evening - middle(room, days->days + 1);
            luma[0] += weight[c] * own[c];
            luma[1] += weight[c] * usual[c];
        }
        for (int c = 0; c < 3; c++) {
            float tint = usual[c] - luma[1], differs = own[c] - luma[0] - tint;
            ip_row(&job->gain->c[c], y)[x] = luma[0] + tint + fminf(fmaxf(differs, -TINT), TINT);
        }
        ip_row(job->sure, y)[x] = (days->evenings > 1 ? .8f : .5f) / (1 + spread * spread);
    }
}

static void gain_rows(void *user, int64_t begin, int64_t end) {
    const gain_job *job = user;
    for (int y = (int)begin; y < (int)end; y++)
        gain_row(job, y, job->room + (size_t)y * job->most);
}

ipos_status ip_days_gain(const ip_days *days, int threads, const ip_image3 *gain, const ip_plane_f *sure) {
    size_t most = IP_MAX(days->days + 1, days->evenings);
    value *room = ip_calloc(most * (size_t)sure->height, sizeof *room);
    float *alike = ip_calloc(days->days, sizeof *alike);
    if (room && alike) {
        for (size_t i = 0; i < days->days; i++)
            alike[i] = (float)ip_days_alike(days->own, &days->day[i]);
        gain_job job = {days, alike, room, most, gain, sure};
        ip_parallel(threads, sure->height, 8, gain_rows, &job);
    }
    ipos_status status = room && alike ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    ip_free(room);
    ip_free(alike);
    return status;
}

ipos_status ip_days_smooth(const ip_image3 *gain, const ip_image3 *frame, int threads, const ip_image3 *smooth) {
    int radius = ip_relight_pixels(frame->c[0].width, 12);
    ip_plane_f luma;
    IP_TRY(ip_plane_new(frame->c[0].width, frame->c[0].height, &luma));
    ip_display_luma(frame, &luma, threads);
    ipos_status status = IPOS_OK;
    for (int c = 0; c < 3 && status == IPOS_OK; c++)
        status = ip_guided(&luma, &gain->c[c], &smooth->c[c], radius, FLAT, threads);
    ip_plane_free(&luma);
    return status;
}
