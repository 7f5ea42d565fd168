/* Runs lib/look's grain over raw files, for tests/quality/look_grain.py. Frames are 32-bit float RGB, one after another.
 *
 *   grain_tool measure WIDTH HEIGHT FRAMES FILE [STEP [TRIPLES]]   the model as JSON on stdout
 *   grain_tool add WIDTH HEIGHT FRAMES FILE MODEL SEED OUT [GAIN]  every frame with grain, frame numbers from 0
 *   grain_tool match WIDTH HEIGHT FRAMES FILE REFERENCE|- MODEL SEED OUT  every frame with what it lacks of the grain
 *   grain_tool remove WIDTH HEIGHT FRAMES FILE MODEL OUT           every frame without its grain, then a plane of what remained
 *   grain_tool av1 MODEL                                           the table on stdout */
#include "grain.h"

#include <stdlib.h>

typedef struct clip {
    int width, height;
    size_t count;
    const float *rgb;
} clip;

static void must(ipos_status status) {
    if (status != IPOS_OK) {
        fprintf(stderr, "grain_tool: %s\n", ipos_last_error());
        exit(1);
    }
}

static void *load(const char *path, size_t least) {
    void *bytes;
    size_t got;
    must(ip_file_read(path, 0, &bytes, &got));
    if (got < least) {
        fprintf(stderr, "grain_tool: %s: %zu bytes, expected %zu\n", path, got, least);
        exit(1);
    }
    return bytes;
}

static clip load_clip(char **arguments) {
    clip c = {.width = atoi(arguments[0]), .height = atoi(arguments[1]), .count = (size_t)atoi(arguments[2])};
    c.rgb = load(arguments[3], (size_t)c.width * (size_t)c.height * 3 * c.count * sizeof(float));
    return c;
}

static ipos_status fetch(void *user, size_t index, const ip_image3 *to) {
    const clip *c = user;
    const float *from = c->rgb + index * (size_t)c->width * (size_t)c->height * 3;
    for (int y = 0; y < c->height; y++)
        for (int x = 0; x < c->width; x++)
            for (int k = 0; k < 3; k++)
                ip_row(&to->c[k], y)[x] = *from++;
    return IPOS_OK;
}

static void write_image(const ip_image3 *image, FILE *file) {
    for (int y = 0; y < image->c[0].height; y++)
        for (int x = 0; x < image->c[0].width; x++)
            for (int k = 0; k < 3; k++)
                fwrite(&ip_row(&image->c[k], y)[x], sizeof(float), 1, file);
}

static void load_model(const char *path, ip_grain *grain, ip_grain_kernel *kernel) {
    char *text = load(path, 2);
    must(ip_grain_from_json(text, grain));
    ip_free(text);
    must(ip_grain_make(grain, kernel));
}

static int measure(int n, char **arguments) {
    clip c = load_clip(arguments);
    ip_grain_options options = {.threads = 2, .step = n > 4 ? strtof(arguments[4], NULL) : 0.f, .triples = n > 5 ? (size_t)atoi(arguments[5]) : 0};
    const ip_grain_source source = {c.width, c.height, c.count, fetch, &c};
    ip_grain grain;
    char *text;
    must(ip_grain_measure(&source, &options, &grain));
    must(ip_grain_to_json(&grain, &text));
    puts(text);
    ip_free(text);
    return 0;
}
#ifndef MEASURE_ONLY
static int add(int n, char **arguments) {
    clip c = load_clip(arguments);
    ip_grain grain;
    ip_grain_kernel kernel;
    ip_image3 image;
    FILE *out = fopen(arguments[6], "wb");
    load_model(arguments[4], &grain, &kernel);
    must(ip_image3_new(c.width, c.height, &image));
    for (size_t i = 0; i < c.count; i++) {
        const ip_grain_add_options options = {.seed = strtoull(arguments[5], NULL, 10), .frame = (int64_t)i, .threads = 2,
            .gain = n > 7 ? strtof(arguments[7], NULL) : 0.f};
        must(fetch(&c, i, &image));
        must(ip_grain_add(&grain, &kernel, &options, &image));
        write_image(&image, out);
    }
    return fclose(out);
}

static int match(char **arguments) {
    clip c = load_clip(arguments), reference = c;
    bool refer = strcmp(arguments[4], "-") != 0;
    ip_grain grain;
    ip_grain_kernel kernel;
    ip_image3 image, other;
    ip_plane_f missing;
    FILE *out = fopen(arguments[7], "wb");
    if (refer)
        reference.rgb = load(arguments[4], (size_t)c.width * (size_t)c.height * 3 * c.count * sizeof(float));
    load_model(arguments[5], &grain, &kernel);
    must(ip_image3_new(c.width, c.height, &image));
    must(ip_image3_new(c.width, c.height, &other));
    must(ip_plane_new(c.width, c.height, &missing));
    for (size_t i = 0; i < c.count; i++) {
        const ip_grain_add_options options = {.seed = strtoull(arguments[6], NULL, 10), .frame = (int64_t)i, .threads = 2, .missing = &missing};
        must(fetch(&c, i, &image));
        must(fetch(&reference, i, &other));
        must(ip_grain_missing(&grain, &image, refer ? &other : NULL, NULL, 2, &missing));
        must(ip_grain_add(&grain, &kernel, &options, &image));
        write_image(&image, out);
    }
    return fclose(out);
}

static int take_out(char **arguments) {
    clip c = load_clip(arguments);
    ip_grain grain;
    ip_grain_kernel kernel;
    ip_image3 near[3], clean;
    ip_plane_f remaining;
    FILE *out = fopen(arguments[5], "wb");
    load_model(arguments[4], &grain, &kernel);
    for (int k = 0; k < 3; k++)
        must(ip_image3_new(c.width, c.height, &near[k]));
    must(ip_image3_new(c.width, c.height, &clean));
    must(ip_plane_new(c.width, c.height, &remaining));
    for (size_t i = 0; i < c.count; i++) {
        const ip_grain_remove_options options = {.threads = 2};
        for (size_t k = 0; k < 3; k++)
            if (i + k >= 1 && i + k - 1 < c.count)
                must(fetch(&c, i + k - 1, &near[k]));
        must(ip_grain_remove(&grain, i > 0 ? &near[0] : NULL, &near[1], i + 1 < c.count ? &near[2] : NULL, &options, &clean, &remaining));
        write_image(&clean, out);
        for (int y = 0; y < c.height; y++)
            fwrite(ip_row(&remaining, y), sizeof(float), (size_t)c.width, out);
    }
    return fclose(out);
}

static int av1(const char *path) {
    ip_grain grain;
    ip_grain_kernel kernel;
    char *text;
    load_model(path, &grain, &kernel);
    must(ip_grain_to_av1(&grain, NULL, &text));
    fputs(text, stdout);
    ip_free(text);
    return 0;
}
#endif
int main(int n, char **arguments) {
    if (n >= 6 && strcmp(arguments[1], "measure") == 0)
        return measure(n - 2, arguments + 2);
#ifndef MEASURE_ONLY
    if (n >= 9 && strcmp(arguments[1], "add") == 0)
        return add(n - 2, arguments + 2);
    if (n == 10 && strcmp(arguments[1], "match") == 0)
        return match(arguments + 2);
    if (n == 8 && strcmp(arguments[1], "remove") == 0)
        return take_out(arguments + 2);
    if (n == 3 && strcmp(arguments[1], "av1") == 0)
        return av1(arguments[2]);
#endif
    fprintf(stderr, "grain_tool measure|add|match|remove|av1 ...: see the source\n");
    return 2;
}
