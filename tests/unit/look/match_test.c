/* Shots of known grades matched: the grade comes back, what matches already stays, what shares nothing is a suggestion, texts say the same. */
#include "difference.h"
#include "film.h"
#include "grade_fit.h"
#include "place.h"
#include "shot_match.h"

#include <expat.h>

enum { W = 320, H = 180 };

static const ip_grade known = {{1.14, .95, .9}, {-.015, .01, .02}, {1.1, 1., .92}, 1.18};

/* A plate of colours over most of 0..1, in code values, seen from (x0, y0), nearer by zoom, with a little noise that is new in every frame. */
static void plate(film *f, size_t frame, double x0, double y0, double zoom, uint64_t seed) {
    ip_rng rng = ip_rng_at(seed + 100 * frame, 3);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            double u = x0 + x / zoom, v = y0 + y / zoom, base = film_texture(u, v, seed), red = film_texture(v + 900., u, seed), blue = film_texture(u - 700., v + 300., seed);
            const double code[3] = {.45 + .14 * base + .07 * red, .45 + .14 * base, .42 + .13 * base + .06 * blue};
            for (int c = 0; c < 3; c++)
                ip_row(&f->frame[frame].c[c], y)[x] = (float)fmin(.97, fmax(.03, code[c] + .004 * ip_rng_normal(&rng)));
        }
}

/* Code values of all frames to linear light; graded: with the known grade taken off first, so that the match has to put it on. */
static void to_light(film *f, bool graded) {
    for (size_t i = 0; i < f->count; i++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                double v[3], z[3];
                for (int c = 0; c < 3; c++)
                    z[c] = v[c] = ip_row(&f->frame[i].c[c], y)[x];
                if (graded)
                    ip_grade_undo(&known, v, z);
                for (int c = 0; c < 3; c++)
                    ip_row(&f->frame[i].c[c], y)[x] = f->source.encoding->to_linear((float)z[c]);
            }
}

/* Of code values, as a lens does whose corners get exp(-fall) of the light. */
static void darken_corners(film *f, double fall) {
    for (size_t i = 0; i < f->count && fall > 0.; i++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                for (int c = 0; c < 3; c++) {
                    const double u = 2. * x / (W - 1) - 1., v = 2. * y / (H - 1) - 1., radius = (u * u * W * W + v * v * H * H) / (W * W + H * H);
                    float *code = &ip_row(&f->frame[i].c[c], y)[x];
                    *code = f->source.encoding->from_linear(f->source.encoding->to_linear(*code) * (float)exp(-fall * radius));
                }
}

static void two_shots_of(film *shot, film *reference, double x0, double zoom, bool graded, uint64_t seed, double fall) {
    film_new(shot, W, H, 2, "srgb", 1.f);
    film_new(reference, W, H, 2, "srgb", 1.f);
    for (size_t i = 0; i < 2; i++) {
        plate(shot, i, x0 + 3. * (double)i, 11., zoom, seed);
        plate(reference, i, 5. * (double)i, 0., 1., 5);
    }
    darken_corners(shot, fall);
    darken_corners(reference, fall);
    to_light(shot, graded);
    to_light(reference, false);
}

static void two_shots(film *shot, film *reference, double x0, double zoom, bool graded, uint64_t seed) {
    two_shots_of(shot, reference, x0, zoom, graded, seed, 0.);
}

/* Mean and largest CIEDE2000 between what a match makes of the shot's colours and what the known grade does. */
static void against_known(const ip_shot_match *m, const film *shot, double *mean, double *most) {
    size_t n = 0;
    *mean = *most = 0.;
    for (int y = 2; y < H; y += 5)
        for (int x = 2; x < W; x += 5, n++) {
            double in[3], a[3], b[3], la[3], lb[3];
            for (int c = 0; c < 3; c++)
                in[c] = shot->source.encoding->from_linear(ip_row(&shot->frame[0].c[c], y)[x]);
            ip_grade_at(&m->grade, in, a);
            ip_grade_at(&known, in, b);
            for (int c = 0; c < 3; c++) {
                a[c] = shot->source.encoding->to_linear((float)a[c]);
                b[c] = shot->source.encoding->to_linear((float)b[c]);
            }
            ip_lab(a, la);
            ip_lab(b, lb);
            double d = ip_ciede2000(la, lb);
            *mean += d;
            *most = fmax(*most, d);
        }
    *mean /= (double)n;
}

static void a_known_grade_is_found_in_other_framings(void **state) {
    (void)state;
    const double framing[3][2] = {{14., 1.}, {70., 1.}, {40., 1.3}};
    for (int i = 0; i < 3; i++) {
        film shot, reference;
        ip_shot_match m;
        double mean, most;
        two_shots(&shot, &reference, framing[i][0], framing[i][1], true, 5);
        assert_int_equal(ip_shot_match_measure(film_start(&shot), film_start(&reference), &m), IPOS_OK);
        assert_true(ip_measured(&m.reading) && m.registered && !m.matching && m.places >= 1 && m.pairs > 1000);
        assert_true(m.before > 2. && m.after < .3 * m.before && m.reading.confidence > .5 && m.reading.frames == 4);
        against_known(&m, &shot, &mean, &most);
        if (!(mean < .35 && most < 2.))
            fail_msg("framing %d: %g on average, %g at most from the known grade", i, mean, most);
        assert_true(m.cdl_error < 1.);
        film_free(&shot);
        film_free(&reference);
    }
}

static void corners_that_a_lens_darkens_are_no_contrast(void **state) {
    (void)state;
    film shot, reference;
    ip_shot_match m;
    double mean, most;
    two_shots_of(&shot, &reference, 60., 1.4, true, 5, .6);
    assert_int_equal(ip_shot_match_measure(film_start(&shot), film_start(&reference), &m), IPOS_OK);
    assert_true(m.registered && m.pairs > 1000);
    against_known(&m, &shot, &mean, &most);
    if (!(mean < .7))
        fail_msg("%g on average, %g at most from the known grade", mean, most);
    film_free(&shot);
    film_free(&reference);
}

static void a_matching_shot_keeps_every_bit(void **state) {
    (void)state;
    film shot, reference;
    ip_shot_match m;
    ip_image3 before;
    two_shots(&shot, &reference, 30., 1.1, false, 5);
    assert_int_equal(ip_shot_match_measure(film_start(&shot), film_start(&reference), &m), IPOS_OK);
    assert_true(m.registered && m.matching && ip_grade_is_none(&m.grade) && m.cdl.saturation == 1. && m.cdl_error == 0.);
    assert_int_equal(ip_image3_new(W, H, &before), IPOS_OK);
    ip_row(&shot.frame[0].c[1], 3)[5] = NAN;
    ip_row(&shot.frame[0].c[2], 4)[5] = -0.f;
    for (int c = 0; c < 3; c++)
        ip_plane_copy(&before.c[c], &shot.frame[0].c[c]);
    ip_grade_apply(&m.grade, &shot.frame[0], 2);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < H; y++)
            assert_memory_equal(ip_row(&before.c[c], y), ip_row(&shot.frame[0].c[c], y), W * sizeof(float));
    ip_image3_free(&before);
    film_free(&shot);
    film_free(&reference);
}

static void other_content_gives_a_suggestion(void **state) {
    (void)state;
    film shot, reference;
    ip_shot_match m;
    two_shots(&shot, &reference, 4000., 1., true, 6);
    assert_int_equal(ip_shot_match_measure(film_start(&shot), film_start(&reference), &m), IPOS_OK);
    assert_true(ip_measured(&m.reading) && !m.registered && !m.matching && m.places == 0);
    assert_true(m.reading.confidence > 0. && m.reading.confidence <= .3 && m.share > .1);
    for (int c = 0; c < 3; c++)
        ip_plane_fill(&shot.frame[0].c[c], 0.f), ip_plane_fill(&shot.frame[1].c[c], 0.f);
    assert_int_equal(ip_shot_match_measure(film_start(&shot), film_start(&reference), &m), IPOS_OK);
    assert_non_null(strstr(m.reading.reason, "shot is black"));
    assert_true(ip_grade_is_none(&m.grade) && m.reading.confidence == 0.);
    reference.source.encoding = ip_encoding_find("logc3");
    assert_int_equal(ip_shot_match_measure(film_start(&shot), film_start(&reference), &m), IPOS_ERR_ARGUMENT);
    film_free(&shot);
    film_free(&reference);
}

static void gains_of_a_shared_palette_are_suggested(void **state) {
    (void)state;
    enum { N = 900 };
    static ip_colour_at shot[N], reference[N];
    const double gains[3] = {1.3, 1.1, .85};
    double log_gain[3], shared;
    ip_rng rng = ip_rng_at(4, 4);
    for (int i = 0; i < N; i++) { /* three materials in shares that differ between the shots */
        for (int k = 0; k < 2; k++) {
            int material = i % 10 < (k ? 5 : 3) ? 0 : i % 10 < 8 ? 1 : 2;
            const double colour[3][3] = {{.1, .12, .2}, {.4, .3, .2}, {.05, .08, .03}};
            for (int c = 0; c < 3; c++)
                (k ? shot : reference)[i].rgb[c] = (float)(colour[material][c] * exp(.1 * ip_rng_normal(&rng)) / (k ? gains[c] : 1.));
            (k ? shot : reference)[i].tile = i % 9;
        }
    }
    assert_int_equal(ip_suggest_gains(shot, N, reference, N, log_gain, &shared), IPOS_OK);
    assert_true(shared > .5);
    for (int c = 0; c < 3; c++)
        if (!(fabs(log_gain[c] - log(gains[c])) < .06))
            fail_msg("channel %d: gain %g, expected %g", c, exp(log_gain[c]), gains[c]);
    assert_int_equal(ip_suggest_gains(shot, N, shot, N, log_gain, &shared), IPOS_OK);
    assert_true(fabs(log_gain[0]) + fabs(log_gain[1]) + fabs(log_gain[2]) < 1e-6);
}

static void grades_undo_and_survive_outside(void **state) {
    (void)state;
    const double values[4][3] = {{.2, .5, .7}, {-.3, -.1, -.4}, {3., 12., 700.}, {0., 0., 0.}};
    for (int i = 0; i < 4; i++) {
        double z[3], back[3];
        ip_image3 one;
        ip_grade_at(&known, values[i], z);
        ip_grade_undo(&known, z, back);
        assert_int_equal(ip_image3_new(1, 1, &one), IPOS_OK);
        for (int c = 0; c < 3; c++) {
            assert_true(fabs(back[c] - values[i][c]) < 1e-9 * (1. + fabs(values[i][c])));
            one.c[c].data[0] = (float)values[i][c];
        }
        ip_grade_apply(&known, &one, 1);
        for (int c = 0; c < 3; c++)
            assert_true(fabs(one.c[c].data[0] - z[c]) < 3e-6 * (1. + fabs(z[c])));
        ip_image3_free(&one);
    }
}

static void differences_are_those_published(void **state) {
    (void)state;
    /* pairs 1, 7, 13, 17, 19, 25 and 34 of Sharma, Wu, Dalal (2005), table 1 */
    const double pair[7][7] = {{50., 2.6772, -79.7751, 50., 0., -82.7485, 2.0425}, {50., 0., 0., 50., -1., 2., 2.3669}, {50., -.001, 2.49, 50., .0011, -2.49, 4.7461},
        {50., 2.5, 0., 73., 25., -18., 27.1492}, {50., 2.5, 0., 56., -27., -3., 31.9030}, {60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644},
        {2.0776, .0795, -1.1350, .9033, -.0636, -.5514, .9082}};
    for (int i = 0; i < 7; i++)
        if (!(fabs(ip_ciede2000(pair[i], pair[i] + 3) - pair[i][6]) < 1e-4))
            fail_msg("pair %d: %g, expected %g", i, ip_ciede2000(pair[i], pair[i] + 3), pair[i][6]);
    const double white[3] = {1., 1., 1.};
    double lab[3];
    ip_lab(white, lab);
    assert_true(fabs(lab[0] - 100.) < 1e-4 && fabs(lab[1]) < .01 && fabs(lab[2]) < .01);
}

/* ---- texts */

typedef struct cdl_reader {
    char text[512], id[64];
    size_t size;
    double number[10];
    int count;
    char description[128];
} cdl_reader;

static void on_begin(void *user, const char *name, const char **attribute) {
    cdl_reader *r = user;
    r->size = 0;
    if (strcmp(name, "ColorCorrection") == 0 && attribute[0] && strcmp(attribute[0], "id") == 0)
        snprintf(r->id, sizeof r->id, "%s", attribute[1]);
}

static void on_text(void *user, const char *text, int size) {
    cdl_reader *r = user;
    for (int i = 0; i < size && r->size + 1 < sizeof r->text; i++)
        r->text[r->size++] = text[i];
    r->text[r->size] = 0;
}

static void on_end(void *user, const char *name) {
    cdl_reader *r = user;
    if (strcmp(name, "Description") == 0)
        snprintf(r->description, sizeof r->description, "%.100s", r->text);
    int wanted = strcmp(name, "Saturation") == 0 ? 1 : strcmp(name, "Slope") == 0 || strcmp(name, "Offset") == 0 || strcmp(name, "Power") == 0 ? 3 : 0;
    char *at = r->text;
    for (int i = 0; i < wanted; i++)
        r->number[r->count++] = strtod(at, &at);
    r->size = 0;
}

static void the_cdl_is_near_and_reads_back(void **state) {
    (void)state;
    enum { N = 500 };
    static ip_grade_pair pairs[N];
    ip_rng rng = ip_rng_at(8, 8);
    ip_cdl cdl;
    cdl_reader r = {.count = 0};
    for (int i = 0; i < N; i++)
        for (int c = 0; c < 3; c++)
            pairs[i].from[c] = (float)(.1 + .7 * ip_rng_unit(&rng));
    assert_int_equal(ip_cdl_fit(&known, pairs, N, &cdl), IPOS_OK);
    char *text = ip_cdl_text(&cdl, ip_encoding_find("srgb"), "a<b> & \"c\"", "R&D <one>");
    XML_Parser parser = XML_ParserCreate(NULL);
    XML_SetUserData(parser, &r);
    XML_SetElementHandler(parser, on_begin, on_end);
    XML_SetCharacterDataHandler(parser, on_text);
    assert_non_null(text);
    assert_int_equal(XML_Parse(parser, text, (int)strlen(text), 1), XML_STATUS_OK);
    assert_string_equal(r.id, "a<b> & \"c\"");
    assert_non_null(strstr(r.description, "R&D <one>; for srgb"));
    assert_int_equal(r.count, 10);
    ip_cdl again = {{r.number[0], r.number[1], r.number[2]}, {r.number[3], r.number[4], r.number[5]}, {r.number[6], r.number[7], r.number[8]}, r.number[9]};
    double off = 0.;
    for (int i = 0; i < N; i++) {
        double in[3] = {pairs[i].from[0], pairs[i].from[1], pairs[i].from[2]}, a[3], b[3], z[3];
        ip_cdl_at(&cdl, in, a);
        ip_cdl_at(&again, in, b);
        ip_grade_at(&known, in, z);
        for (int c = 0; c < 3; c++) {
            assert_true(fabs(a[c] - b[c]) < 1e-6);
            off += fabs(a[c] - z[c]) / (3. * N);
        }
    }
    if (!(off < .012))
        fail_msg("the CDL is off by %g on average", off);
    XML_ParserFree(parser);
    ip_free(text);
}

static void the_cube_reads_back(void **state) {
    (void)state;
    enum { S = IP_CUBE_SIDE };
    char *text = ip_grade_cube(&known, ip_encoding_find("srgb"), "of \"a\"\nb"), *at = text;
    int size = 0, count = 0;
    assert_non_null(text);
    assert_true(strncmp(text, "TITLE \"of ab\"\n", 14) == 0);
    static double value[S * S * S][3];
    while (at && *at) {
        if (strncmp(at, "LUT_3D_SIZE ", 12) == 0)
            size = atoi(at + 12);
        else if ((*at >= '0' && *at <= '9') || *at == '-') {
            char *next = at;
            assert_true(count < S * S * S);
            for (int c = 0; c < 3; c++)
                value[count][c] = strtod(next, &next);
            assert_true(*next == '\n');
            count++;
        }
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    assert_int_equal(size, S);
    assert_int_equal(count, S * S * S);
    for (int b = 0; b < S; b += 4) /* red varies fastest */
        for (int g = 0; g < S; g += 4)
            for (int r = 0; r < S; r++) {
                double in[3] = {r / (S - 1.), g / (S - 1.), b / (S - 1.)}, z[3];
                ip_grade_at(&known, in, z);
                for (int c = 0; c < 3; c++)
                    assert_true(fabs(z[c] - value[(b * S + g) * S + r][c]) < 1e-6);
            }
    ip_free(text);
}

static void json_reads_back_and_refuses(void **state) {
    (void)state;
    ip_shot_match m = {.reading = {.confidence = .7, .frames = 6}, .registered = true, .places = 4, .pairs = 5000, .share = .4, .before = 8.5, .after = .6, .grade = known,
        .cdl = {{1.1, 1., .9}, {0., .01, 0.}, {1., 1.1, 1.}, .8}, .cdl_error = .2, .encoding = ip_encoding_find("logc3")}, again;
    json_t *value = ip_shot_match_json(&m);
    assert_non_null(value);
    assert_int_equal(ip_shot_match_parse(value, &again), IPOS_OK);
    assert_memory_equal(&again.grade, &m.grade, sizeof m.grade);
    assert_memory_equal(&again.cdl, &m.cdl, sizeof m.cdl);
    assert_true(again.encoding == m.encoding && again.registered && !again.matching && again.pairs == 5000 && again.after == .6);
    json_object_set_new(value, "saturation", json_real(0.));
    assert_int_equal(ip_shot_match_parse(value, &again), IPOS_ERR_FORMAT);
    json_object_set_new(value, "saturation", json_real(1.));
    json_object_set_new(value, "encoding", json_string("data"));
    assert_int_equal(ip_shot_match_parse(value, &again), IPOS_ERR_FORMAT);
    json_object_del(value, "encoding");
    assert_int_equal(ip_shot_match_parse(value, &again), IPOS_ERR_FORMAT);
    json_decref(value);
}

static void threads_give_the_same_bits(void **state) {
    (void)state;
    film shot, reference;
    ip_shot_match m[2];
    two_shots(&shot, &reference, 20., 1., true, 5);
    for (int i = 0; i < 2; i++) {
        shot.source.threads = reference.source.threads = 1 + 2 * i;
        assert_int_equal(ip_shot_match_measure(film_start(&shot), film_start(&reference), &m[i]), IPOS_OK);
    }
    assert_memory_equal(&m[0].grade, &m[1].grade, sizeof m[0].grade);
    assert_memory_equal(&m[0].cdl, &m[1].cdl, sizeof m[0].cdl);
    film_free(&shot);
    film_free(&reference);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differences_are_those_published),
        cmocka_unit_test(grades_undo_and_survive_outside),
        cmocka_unit_test(the_cdl_is_near_and_reads_back),
        cmocka_unit_test(the_cube_reads_back),
        cmocka_unit_test(json_reads_back_and_refuses),
        cmocka_unit_test(gains_of_a_shared_palette_are_suggested),
        cmocka_unit_test(a_known_grade_is_found_in_other_framings),
        cmocka_unit_test(corners_that_a_lens_darkens_are_no_contrast),
        cmocka_unit_test(a_matching_shot_keeps_every_bit),
        cmocka_unit_test(other_content_gives_a_suggestion),
        cmocka_unit_test(threads_give_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
