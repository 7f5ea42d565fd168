/* Raw frames for the tools of the benchmarks: 32-bit float R,G,B of every pixel, linear light, frames one after another. */
#ifndef TOOL_FRAMES_H
#define TOOL_FRAMES_H

#include "source.h"

#include <stdlib.h>

typedef struct film {
    float *samples;
    size_t width, height;
    ip_look_source source;
} film;

static inline void must(ipos_status status) {
    if (status != IPOS_OK) {
        fprintf(stderr, "%s\n", ipos_last_error());
        exit(1);
    }
}

static inline ipos_status film_fetch(void *user, size_t index, const ip_image3 *to) {
    const film *f = user;
    const float *frame = f->samples + index * f->width * f->height * 3;
    for (size_t y = 0; y < f->height; y++)
        for (size_t x = 0; x < f->width; x++)
            for (size_t c = 0; c < 3; c++)
                ip_row(&to->c[c], (int)y)[x] = frame[(y * f->width + x) * 3 + c];
    return IPOS_OK;
}

/* arg: WIDTH HEIGHT FILE. clip: linear value samples end at, 0: none. */
static inline void film_open(film *f, char **arg, const ip_encoding *encoding, float clip) {
    void *bytes;
    size_t size;
    f->width = strtoul(arg[0], NULL, 10);
    f->height = strtoul(arg[1], NULL, 10);
    must(ip_file_read(arg[2], 0, &bytes, &size));
    f->samples = bytes;
    f->source = (ip_look_source){.count = size / IP_MAX((size_t)1, f->width * f->height * 3 * sizeof(float)), .width = (int)f->width,
        .height = (int)f->height, .encoding = encoding, .clip = clip, .threads = 1, .fetch = film_fetch, .user = f};
}

static inline void film_close(film *f) { ip_free(f->samples); }

static inline void write_all(FILE *file, const void *bytes, size_t size, const char *path) {
    if (!file || fwrite(bytes, 1, size, file) != size)
        must(ip_fail(IPOS_ERR_IO, "%s: cannot be written", path));
}

/* R,G,B of every pixel, as they are. */
static inline void write_image(FILE *file, const ip_image3 *image, const char *path) {
    for (int y = 0; y < image->c[0].height; y++)
        for (int x = 0; x < image->c[0].width; x++) {
            const float rgb[3] = {ip_row(&image->c[0], y)[x], ip_row(&image->c[1], y)[x], ip_row(&image->c[2], y)[x]};
            write_all(file, rgb, sizeof rgb, path);
        }
}

static inline void write_plane(FILE *file, const ip_plane_f *plane, const char *path) {
    for (int y = 0; y < plane->height; y++)
        write_all(file, ip_row(plane, y), (size_t)plane->width * sizeof(float), path);
}

#endif
