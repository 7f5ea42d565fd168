/* One shot matched to another, for look_match.py:
 *
 *   match_tool ENCODING CLIP WIDTH HEIGHT SHOT WIDTH HEIGHT REFERENCE OUT
 *
 * SHOT, REFERENCE: 32-bit float R,G,B of every pixel, linear light, frames one after another. OUT receives the shot's frames in the working
 * encoding, graded. One line of JSON to stdout: the match, with the seconds it and the grading took. */
#include "shot_match.h"

#include <stdlib.h>

typedef struct film {
    float *samples;
    size_t width, height;
    ip_look_source source;
} film;

static void must(ipos_status status) {
    if (status != IPOS_OK) {
        fprintf(stderr, "match_tool: %s\n", ipos_last_error());
        exit(1);
    }
}

static ipos_status fetch(void *user, size_t index, const ip_image3 *to) {
    const film *f = user;
    const float *frame = f->samples + index * f->width * f->height * 3;
    for (size_t y = 0; y < f->height; y++)
        for (size_t x = 0; x < f->width; x++)
            for (size_t c = 0; c < 3; c++)
                ip_row(&to->c[c], (int)y)[x] = frame[(y * f->width + x) * 3 + c];
    return IPOS_OK;
}

static void open_film(film *f, char **arg, const ip_encoding *encoding, float clip) {
    void *bytes;
    size_t size;
    f->width = strtoul(arg[0], NULL, 10);
    f->height = strtoul(arg[1], NULL, 10);
    must(ip_file_read(arg[2], 0, &bytes, &size));
    f->samples = bytes;
    f->source = (ip_look_source){.count = size / IP_MAX((size_t)1, f->width * f->height * 3 * sizeof(float)), .width = (int)f->width,
        .height = (int)f->height, .encoding = encoding, .clip = clip, .threads = 1, .fetch = fetch, .user = f};
}

static void grade_frames(film *f, const ip_shot_match *match, const char *path, double *seconds) {
    FILE *out = fopen(path, "wb");
    ip_image3 image;
    must(out ? IPOS_OK : ip_fail(IPOS_ERR_IO, "%s: cannot be written", path));
    must(ip_image3_new((int)f->width, (int)f->height, &image));
    *seconds = 0.;
    for (size_t i = 0; i < f->source.count; i++) {
        float *frame = f->samples + i * f->width * f->height * 3;
        must(fetch(f, i, &image));
        for (int c = 0; c < 3; c++)
            ip_look_code_plane(&f->source, &image.c[c], &image.c[c]);
        double start = ip_now();
        ip_grade_apply(&match->grade, &image, 1);
        *seconds += (ip_now() - start) / (double)f->source.count;
        for (size_t k = 0; k < f->width * f->height; k++)
            for (size_t c = 0; c < 3; c++)
                frame[k * 3 + c] = ip_row(&image.c[c], (int)(k / f->width))[k % f->width];
        if (fwrite(frame, sizeof(float), f->width * f->height * 3, out) != f->width * f->height * 3)
            must(ip_fail(IPOS_ERR_IO, "%s: cannot be written", path));
    }
    fclose(out);
    ip_image3_free(&image);
}

int main(int count, char **arg) {
    if (count != 10) {
        fprintf(stderr, "usage: match_tool ENCODING CLIP WIDTH HEIGHT SHOT WIDTH HEIGHT REFERENCE OUT\n");
        return 2;
    }
    film shot, reference;
    ip_shot_match match, again;
    double start = ip_now(), took, each;
    open_film(&shot, arg + 3, ip_encoding_find(arg[1]), strtof(arg[2], NULL));
    open_film(&reference, arg + 6, ip_encoding_find(arg[1]), strtof(arg[2], NULL));
    must(ip_shot_match_measure(&shot.source, &reference.source, &match));
    took = ip_now() - start;
    json_t *value = ip_shot_match_json(&match);
    must(ip_shot_match_parse(value, &again));
    grade_frames(&shot, &again, arg[9], &each);
    json_object_set_new(value, "seconds", json_real(took));
    json_object_set_new(value, "seconds_a_frame", json_real(each));
    char *text = json_dumps(value, JSON_COMPACT);
    puts(text);
    free(text);
    json_decref(value);
    ip_free(shot.samples);
    ip_free(reference.samples);
    return 0;
}
