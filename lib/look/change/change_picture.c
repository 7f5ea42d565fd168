/* The change report as a picture. */
#include "change_report.h"
#include <math.h>

enum { GAP = 4, DIGIT_WIDE = 3, DIGIT_HIGH = 5 };
static const float HOT = 25.f; /* dE that is shown as white */
static const float COLOURS[4][3] = {{.95f, .2f, .2f}, {.98f, .85f, .15f}, {.3f, .55f, 1.f}, {.25f, .85f, .35f}};

/* 3 x 5 dots, top row first, bit 2 leftmost. */
static const unsigned char DIGITS[10][DIGIT_HIGH] = {{7, 5, 5, 5, 7}, {2, 6, 2, 2, 7}, {7, 1, 7, 4, 7}, {7, 1, 7, 1, 7}, {5, 5, 7, 1, 1}, {7, 4, 7, 1, 7},
    {7, 4, 7, 5, 7}, {7, 1, 1, 2, 2}, {7, 5, 7, 5, 7}, {7, 5, 7, 1, 7}};

/* Display codes stay; scene light and logs go through the sRGB curve, white at 1. */
static float shown(const ip_encoding *encoding, float linear) {
    const ip_encoding *display = encoding->kind == IP_ENCODING_DISPLAY ? encoding : ip_encoding_find("srgb");
    float v = display->from_linear(linear);
    return v > 0.f ? fminf(v, 1.f) : 0.f;
}

static void dot(const ip_image3 *image, int x, int y, const float colour[3]) {
    if (x < 0 || y < 0 || x >= image->c[0].width || y >= image->c[0].height)
        return;
    for (int c = 0; c < 3; c++)
        ip_row(&image->c[c], y)[x] = colour[c];
}

static void block(const ip_image3 *image, int x, int y, int width, int height, const float colour[3]) {
    for (int j = y; j < y + height; j++)
        for (int i = x; i < x + width; i++)
            dot(image, i, j, colour);
}

static void frame(const ip_image3 *image, const ip_box_i *b, int thick, const float colour[3]) {
    block(image, b->x - thick, b->y - thick, b->width + 2 * thick, thick, colour);
    block(image, b->x - thick, b->y + b->height, b->width + 2 * thick, thick, colour);
    block(image, b->x - thick, b->y, thick, b->height, colour);
    block(image, b->x + b->width, b->y, thick, b->height, colour);
}

static void number(const ip_image3 *image, int x, int y, int value, int size, const float colour[3]) {
    static const float black[3] = {0.f, 0.f, 0.f};
    int digits = value >= 10 ? 2 : 1;
    block(image, x, y, (digits * (DIGIT_WIDE + 1) + 1) * size, (DIGIT_HIGH + 2) * size, black);
    for (int k = 0; k < digits; k++) {
        const unsigned char *rows = DIGITS[k == digits - 1 ? value % 10 : value / 10];
        for (int j = 0; j < DIGIT_HIGH; j++)
            for (int i = 0; i < DIGIT_WIDE; i++)
                if (rows[j] >> (DIGIT_WIDE - 1 - i) & 1)
                    block(image, x + (1 + k * (DIGIT_WIDE + 1) + i) * size, y + (1 + j) * size, size, size, colour);
    }
}

/* Dark blue over red and yellow to white; grey where nothing was compared. */
static void heat(float difference, bool looked, float level, float out[3]) {
    if (!looked) {
        out[0] = out[1] = out[2] = .3f;
        return;
    }
    float v = fmaxf(0.f, fminf(1.f, difference / HOT)), weak = difference < level ? .5f : 1.f;
    out[0] = weak * fminf(1.f, 2.2f * v);
    out[1] = weak * fmaxf(0.f, fminf(1.f, 2.2f * v - .7f));
    out[2] = weak * fmaxf(.12f * (1.f - v), 3.f * v - 2.f);
}

typedef struct draw_job {
    const ip_change_report *report;
    const ip_look_source *take;
    const ip_image3 *take_image, *reference_image, *out;
} draw_job;

static void draw_rows(void *user, int64_t begin, int64_t end) {
    const draw_job *job = user;
    const ip_change_report *r = job->report;
    int w = r->difference.width, step = (int)r->scale;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < w; x++) {
            float sum[2][3] = {{0}}, there[3], hot[3], count = (float)(step * step);
            float ax = ip_row(&r->lies[0], y)[x], ay = ip_row(&r->lies[1], y)[x];
            for (int j = 0; j < step; j++)
                for (int i = 0; i < step; i++) { /* the mean over the map's pixel in both, as far as their scales are alike */
                    int fx = IP_MIN(x * step + i, job->take->width - 1), fy = IP_MIN(y * step + j, job->take->height - 1);
                    float off = .5f * (float)(step - 1);
                    ip_sample_cubic3(job->reference_image, ax + (float)i - off, ay + (float)j - off, there);
                    for (int c = 0; c < 3; c++) {
                        sum[0][c] += there[c] / count;
                        sum[1][c] += ip_row(&job->take_image->c[c], fy)[fx] / count;
                    }
                }
            bool beyond = ax < 0.f || ay < 0.f || ax > (float)(job->reference_image->c[0].width - 1) || ay > (float)(job->reference_image->c[0].height - 1);
            heat(ip_row(&r->difference, y)[x], ip_row(&r->looked, y)[x] > 0.f, (float)r->level, hot);
            for (int c = 0; c < 3; c++) {
                float *row = ip_row(&job->out->c[c], y);
                row[x] = beyond ? .3f : shown(job->take->encoding, sum[0][c]);
                row[w + GAP + x] = shown(job->take->encoding, sum[1][c]);
                row[2 * (w + GAP) + x] = hot[c];
            }
        }
}

static void annotate(const ip_change_report *r, const ip_image3 *out) {
    int w = r->difference.width, h = r->difference.height, size = IP_MAX(1, w / 400);
    for (int i = (int)r->regions - 1; i >= 0; i--) {
        const ip_change_region *region = &r->region[i];
        const float *colour = COLOURS[region->kind];
        ip_box_i b = {(int)(region->box.x / r->scale), (int)(region->box.y / r->scale), (int)ceil(region->box.width / r->scale),
            (int)ceil(region->box.height / r->scale)};
        int high = (DIGIT_HIGH + 2) * size, above = b.y - size - high;
        for (int panel = 0; panel < 3; panel++) {
            ip_plane_f part[3]; /* so that nothing is drawn over the next panel */
            for (int c = 0; c < 3; c++)
                part[c] = ip_plane_part(&out->c[c], (ip_box_i){panel * (w + GAP), 0, w, h});
            ip_image3 view = {{part[0], part[1], part[2]}};
            frame(&view, &b, size, colour);
            number(&view, IP_MAX(0, b.x - size), above >= 0 ? above : IP_MIN(h - high, b.y + b.height + size), i + 1, size, colour);
        }
    }
}

static bool sized(const ip_image3 *image, int width, int height) { return image->c[0].width == width && image->c[0].height == height; }

ipos_status ip_change_report_picture(const ip_change_report *report, const ip_look_source *take, const ip_image3 *take_image, const ip_image3 *reference_image,
    ip_image3 *out) {
    *out = (ip_image3){0};
    if (!report->difference.data)
        return ip_fail(IPOS_ERR_ARGUMENT, "change report: nothing was compared (%s), there is no picture of it", report->reading.reason);
    if (!sized(take_image, take->width, take->height))
        return ip_fail(IPOS_ERR_ARGUMENT, "change report: a picture of %dx%d for a take of %dx%d", take_image->c[0].width, take_image->c[0].height, take->width,
            take->height);
    IP_TRY(ip_image3_new(3 * report->difference.width + 2 * GAP, report->difference.height, out));
    draw_job job = {report, take, take_image, reference_image, out};
    ip_parallel(take->threads, report->difference.height, 8, draw_rows, &job);
    annotate(report, out);
    return IPOS_OK;
}
