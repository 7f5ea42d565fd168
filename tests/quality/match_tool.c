/* One shot matched to another, for look_match.py:
 *
 *   match_tool ENCODING CLIP WIDTH HEIGHT SHOT WIDTH HEIGHT REFERENCE OUT [WIDTH HEIGHT GRADED]...
 *
 * GRADED: shots that look as they should, to learn from where SHOT and REFERENCE show nothing in common.
 * SHOT, REFERENCE: 32-bit float R,G,B of every pixel, linear light, frames one after another. OUT receives the shot's frames in the working
 * encoding, graded. One line of JSON to stdout: the match, with the seconds it and the grading took. */
#include "graded.h"
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

static json_t *learned(char **shots, int count, const film *shot, const film *reference, ip_shot_match *match) {
    ip_graded *graded;
    ip_graded_score score;
    const double start = ip_now();
    must(ip_graded_new(0, &graded));
    for (int i = 0; i + 2 < count; i += 3) {
        film f;
        film_open(&f, shots + i, shot->source.encoding, shot->source.clip);
        must(ip_graded_add(graded, &f.source));
        film_close(&f);
    }
    must(ip_graded_learn(graded, &score));
    if (score.better)
        must(ip_graded_suggest(graded, &shot->source, &reference->source, match));
    ip_graded_free(graded);
    return json_pack("{s:I, s:f, s:f, s:f, s:b, s:f}", "shots", (json_int_t)score.shots, "none", score.none, "colours", score.colours, "learned", score.learned,
        "better", score.better, "seconds", ip_now() - start);
}

int main(int count, char **arg) {
    if (count < 10 || (count - 10) % 3) {
        fprintf(stderr, "usage: match_tool ENCODING CLIP WIDTH HEIGHT SHOT WIDTH HEIGHT REFERENCE OUT [WIDTH HEIGHT GRADED]...\n");
        return 2;
    }
    film shot, reference;
    ip_shot_match match, again;
    double start = ip_now(), took, each;
    film_open(&shot, arg + 3, ip_encoding_find(arg[1]), strtof(arg[2], NULL));
    film_open(&reference, arg + 6, ip_encoding_find(arg[1]), strtof(arg[2], NULL));
    must(ip_shot_match_measure(&shot.source, &reference.source, &match));
    took = ip_now() - start;
    json_t *graded = count > 10 && !match.registered ? learned(arg + 10, count - 10, &shot, &reference, &match) : NULL;
    json_t *value = ip_shot_match_json(&match);
    must(ip_shot_match_parse(value, &again));
    grade_frames(&shot, &again, arg[9], &each);
    json_object_set_new(value, "seconds", json_real(took));
    json_object_set_new(value, "seconds_a_frame", json_real(each));
    if (graded)
        json_object_set_new(value, "graded", graded);
    char *text = json_dumps(value, JSON_COMPACT);
    puts(text);
    free(text);
    json_decref(value);
    film_close(&shot);
    film_close(&reference);
    return 0;
}
