/* One shot matched to another, for look_match.py:
 *
 *   match_tool ENCODING CLIP WIDTH HEIGHT SHOT WIDTH HEIGHT REFERENCE OUT
 *
 * SHOT, REFERENCE: 32-bit float R,G,B of every pixel, linear light, frames one after another. OUT receives the shot's frames in the working
 * encoding, graded. One line of JSON to stdout: the match, with the seconds it and the grading took. */
#include "shot_match.h"
#include "tool_frames.h"
static void grade_frames(film *f, const ip_shot_match *match, const char *path, double *seconds) {
    FILE *out = fopen(path, "wb");
    ip_image3 image;
    must(ip_image3_new((int)f->width, (int)f->height, &image));
    *seconds = 0.;
    for (size_t i = 0; i < f->source.count; i++) {
        must(film_fetch(f, i, &image));
        for (int c = 0; c < 3; c++)
            ip_look_code_plane(&f->source, &image.c[c], &image.c[c]);
        double start = ip_now();
        ip_grade_apply(&match->grade, &image, 1);
        *seconds += (ip_now() - start) / (double)f->source.count;
        write_image(out, &image, path);
    }
    must(out ? IPOS_OK : ip_fail(IPOS_ERR_IO, "%s: cannot be written", path));
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
    film_open(&shot, arg + 3, ip_encoding_find(arg[1]), strtof(arg[2], NULL));
    film_open(&reference, arg + 6, ip_encoding_find(arg[1]), strtof(arg[2], NULL));
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
    film_close(&shot);
    film_close(&reference);
    return 0;
}
