/* The deflicker on raw frames, for look_deflicker.py:
 *
 *   deflicker_tool WIDTH HEIGHT ENCODING CLIP TYPE IN OUT [level|global]
 *
 * IN, OUT: R,G,B of every pixel, frames one after another, TYPE u8 codes or f32 values as the encoding has them. CLIP: linear value samples
 * end at, 0: none. The plan as one line of JSON to stdout, and the processor seconds that its steps took. */
#include "deflicker.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

typedef struct film {
    uint8_t *bytes;
    int width, height;
    bool codes;
    const ip_encoding *encoding;
    float linear[256];
} film;

/* Of all threads: wall time would be that of whatever else the machine does. */
static double cpu_seconds(void) { return (double)clock() / CLOCKS_PER_SEC; }

static void must(ipos_status status) {
    if (status != IPOS_OK) {
        fprintf(stderr, "deflicker_tool: %s\n", ipos_last_error());
        exit(1);
    }
}

static size_t at(const film *f, size_t index, int x, int y, int c) {
    return ((index * (size_t)f->height + (size_t)y) * (size_t)f->width + (size_t)x) * 3 + (size_t)c;
}

static float stored(const film *f, size_t place) { return f->codes ? (float)f->bytes[place] / 255.f : ((const float *)(void *)f->bytes)[place]; }

static ipos_status fetch(void *user, size_t index, const ip_image3 *to) {
    const film *f = user;
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < f->height; y++)
            for (int x = 0; x < f->width; x++) {
                size_t place = at(f, index, x, y, c);
                ip_row(&to->c[c], y)[x] = f->codes ? f->linear[f->bytes[place]] : f->encoding->to_linear(stored(f, place));
            }
    return IPOS_OK;
}

static void load(const film *f, size_t index, const ip_image3 *image) {
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < f->height; y++) {
            for (int x = 0; x < f->width; x++)
                ip_row(&image->c[c], y)[x] = stored(f, at(f, index, x, y, c));
            ip_to_working(f->encoding, ip_row(&image->c[c], y), (size_t)f->width);
        }
}

static void keep(const film *f, size_t index, const ip_image3 *image) {
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < f->height; y++) {
            float *row = ip_row(&image->c[c], y);
            ip_from_working(f->encoding, row, (size_t)f->width);
            for (int x = 0; x < f->width; x++) {
                size_t place = at(f, index, x, y, c);
                if (f->codes)
                    f->bytes[place] = (uint8_t)(fminf(1.f, fmaxf(0.f, row[x])) * 255.f + .5f);
                else
                    ((float *)(void *)f->bytes)[place] = row[x];
            }
        }
}

static bool still(const ip_deflicker_frame *frame) {
    for (int b = 0; b < IP_DEFLICKER_BANDS; b++)
        if (frame->log_gain[b] != 0.f)
            return false;
    return true;
}

/* Seconds of the gains alone. */
static double treat(const film *f, const ip_deflicker_plan *plan, float clip, int threads) {
    ip_image3 image;
    double seconds = 0.;
    must(ip_image3_new(f->width, f->height, &image));
    for (size_t i = 0; i < plan->count; i++) {
        if (still(&plan->frame[i]))
            continue;
        load(f, i, &image);
        double start = cpu_seconds();
        must(ip_deflicker_apply(&plan->frame[i], f->encoding, clip, &image, threads));
        seconds += cpu_seconds() - start;
        keep(f, i, &image);
    }
    ip_image3_free(&image);
    return seconds;
}

static json_t *describe(const ip_deflicker_plan *plan) {
    json_t *frames = json_array();
    for (size_t i = 0; i < plan->count; i++) {
        const ip_deflicker_frame *f = &plan->frame[i];
        json_t *gains = json_array();
        for (int b = 0; b < IP_DEFLICKER_BANDS; b++)
            json_array_append_new(gains, json_real((double)f->log_gain[b]));
        json_array_append_new(frames, json_pack("{s:f, s:f, s:f, s:i, s:i, s:o}", "exposure", (double)f->exposure, "trend", (double)f->trend, "confidence",
            (double)f->confidence, "shot", f->shot, "stretch", f->stretch, "gain", gains));
    }
    return json_pack("{s:f, s:s, s:f, s:f, s:f, s:f, s:I, s:I, s:I, s:o}", "confidence", plan->reading.confidence, "reason", plan->reading.reason, "rms",
        plan->rms, "band_rms", plan->band_rms, "agreement", plan->agreement, "bands_agreement", plan->bands_agreement, "shots", (json_int_t)plan->shots, "stretches", (json_int_t)plan->stretches,
        "treated", (json_int_t)plan->treated, "frames", frames);
}

int main(int count, char **arg) {
    if (count < 8) {
        fprintf(stderr, "usage: deflicker_tool WIDTH HEIGHT ENCODING CLIP u8|f32 IN OUT [level|global]\n");
        return 2;
    }
    film f = {.width = atoi(arg[1]), .height = atoi(arg[2]), .encoding = ip_encoding_find(arg[3]), .codes = strcmp(arg[5], "u8") == 0};
    void *bytes;
    size_t size, frame = (size_t)f.width * (size_t)f.height * 3 * (f.codes ? 1 : sizeof(float));
    must(ip_file_read(arg[6], 0, &bytes, &size));
    f.bytes = bytes;
    for (int i = 0; i < 256 && f.encoding; i++)
        f.linear[i] = f.encoding->to_linear((float)i / 255.f);
    int threads = getenv("THREADS") ? atoi(getenv("THREADS")) : 1;
    ip_look_source source = {.count = frame ? size / frame : 0, .width = f.width, .height = f.height, .encoding = f.encoding, .clip = strtof(arg[4], NULL),
        .threads = threads, .fetch = fetch, .user = &f};
    const ip_deflicker_options options = {.level = count > 8 && strcmp(arg[8], "level") == 0, .global_only = count > 8 && strcmp(arg[8], "global") == 0};
    ip_deflicker_plan plan;
    double start = cpu_seconds();
    must(ip_deflicker_plan_new(&source, &options, &plan));
    double planned = cpu_seconds() - start, applied = treat(&f, &plan, source.clip, threads);
    must(ip_file_write(arg[7], bytes, size));
    json_t *value = describe(&plan);
    json_object_set_new(value, "plan_seconds", json_real(planned));
    json_object_set_new(value, "apply_seconds", json_real(applied));
    char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
    printf("%s\n", text);
    free(text);
    json_decref(value);
    ip_deflicker_plan_free(&plan);
    ip_free(bytes);
    return 0;
}
