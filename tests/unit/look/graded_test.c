/* A suggestion learned from graded shots: better than colours alone where the shots have a look, not used where they have none, the same bits every time. */
#include "film.h"
#include "graded.h"

enum { W = 160, H = 90, SHOTS = 10, FRAMES = 2 };

static const ip_grade known = {{1.25, 1., .85}, {-.02, .01, .02}, {1.2, 1.1, 1.}, 1.25};

/* A shot of one production: whatever it shows, its light is warm and its contrast the same; what it shows takes the
 * colours of every quarter of the picture here or there, and without a look as far as it likes. */
static void shot(film *f, uint64_t seed, bool look, bool graded) {
    film_new(f, W, H, FRAMES, "srgb", 1.f);
    for (size_t i = 0; i < FRAMES; i++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                ip_rng rng = ip_rng_at(seed, 1 + (uint64_t)(x >= W / 2) + 2 * (uint64_t)(y >= H / 2));
                double u = x + 3. * (double)i, base = film_texture(u, y, seed), red = film_texture(y + 900., u, seed), blue = film_texture(u - 700., y + 300., seed);
                double code[3] = {.47 + .13 * base + .05 * red, .43 + .13 * base, .37 + .12 * base + .05 * blue}, z[3];
                for (int c = 0; c < 3; c++)
                    code[c] = fmin(.95, fmax(.04, code[c] + (look ? .16 : .6) * (ip_rng_unit(&rng) - .5)));
                memcpy(z, code, sizeof z);
                if (graded)
                    ip_grade_undo(&known, code, z);
                for (int c = 0; c < 3; c++)
                    ip_row(&f->frame[i].c[c], y)[x] = f->source.encoding->to_linear((float)z[c]);
            }
}

static ip_graded *taught(size_t shots, bool look, int threads, ip_graded_score *score) {
    ip_graded *graded;
    assert_int_equal(ip_graded_new(4, &graded), IPOS_OK);
    for (size_t i = 0; i < shots; i++) {
        film f;
        shot(&f, 20 + i, look, false);
        f.source.threads = threads;
        assert_int_equal(ip_graded_add(graded, film_start(&f)), IPOS_OK);
        film_free(&f);
    }
    assert_int_equal(ip_graded_learn(graded, score), IPOS_OK);
    return graded;
}

/* Mean CIEDE2000 between what a grade makes of the shot's colours and what the known one does. */
static double off(const ip_grade *grade, const film *f) {
    double sum = 0.;
    for (int y = 1; y < H; y += 3)
        for (int x = 1; x < W; x += 3) {
            double in[3], a[3], b[3];
            for (int c = 0; c < 3; c++)
                in[c] = f->source.encoding->from_linear(ip_row(&f->frame[0].c[c], y)[x]);
            ip_grade_at(grade, in, a);
            ip_grade_at(&known, in, b);
            sum += ip_shot_difference(f->source.encoding, a, b);
        }
    return sum / (W / 3 * (H / 3));
}

static void a_look_is_learned(void **state) {
    (void)state;
    enum { CASES = 5 };
    ip_graded_score score;
    const ip_grade none = ip_grade_none();
    double before = 0., by_colours = 0., after = 0.;
    ip_graded *graded = taught(SHOTS, true, 1, &score);
    if (!(score.shots == SHOTS && score.examples > 30 * FRAMES && score.better && score.learned < .75 * score.none && score.learned < .75 * score.colours))
        fail_msg("%d examples: none %.2f, colours %.2f, learned %.2f", (int)score.examples, score.none, score.colours, score.learned);
    for (uint64_t i = 0; i < CASES; i++) {
        film own, reference;
        ip_shot_match match;
        shot(&own, 500 + i, true, true);
        shot(&reference, 700 + i, true, false);
        assert_int_equal(ip_shot_match_measure(film_start(&own), film_start(&reference), &match), IPOS_OK);
        assert_true(ip_measured(&match.reading) && !match.registered);
        before += off(&none, &own);
        by_colours += off(&match.grade, &own);
        film_start(&own);
        film_start(&reference);
        assert_int_equal(ip_graded_suggest(graded, &own.source, &reference.source, &match), IPOS_OK);
        after += off(&match.grade, &own);
        assert_true(match.cdl_error < 1. && match.reading.confidence > 0. && match.reading.confidence <= .5 && !match.registered);
        film_free(&own);
        film_free(&reference);
    }
    if (!(after < .7 * before && after < .7 * by_colours))
        fail_msg("%.2f, by colours %.2f, learned %.2f", before / CASES, by_colours / CASES, after / CASES);
    ip_graded_free(graded);
}

static void another_encoding_is_refused(void **state) {
    (void)state;
    film f;
    ip_graded_score score;
    ip_graded *graded = taught(IP_GRADED_SHOTS_LEAST, true, 1, &score);
    shot(&f, 777, true, false);
    f.source.encoding = ip_encoding_find("logc3");
    assert_int_equal(ip_graded_add(graded, film_start(&f)), IPOS_ERR_ARGUMENT);
    assert_non_null(strstr(ipos_last_error(), "logc3"));
    ip_graded_free(graded);
    film_free(&f);
}

static void what_has_no_look_is_left_to_colours(void **state) {
    (void)state;
    ip_graded_score score;
    ip_graded *graded = taught(5, false, 1, &score);
    if (score.better)
        fail_msg("none %.2f, colours %.2f, learned %.2f", score.none, score.colours, score.learned);
    ip_graded_free(graded);
    graded = taught(IP_GRADED_SHOTS_LEAST - 1, true, 1, &score);
    assert_true(score.shots == IP_GRADED_SHOTS_LEAST - 1 && !score.better);
    ip_graded_free(graded);
}

static void the_same_bits_whatever_the_threads(void **state) {
    (void)state;
    film own, reference;
    ip_graded_score score[2];
    ip_shot_match match[2];
    shot(&own, 501, true, true);
    shot(&reference, 777, true, false);
    for (int i = 0; i < 2; i++) {
        ip_graded *graded = taught(6, true, 1 + 2 * i, &score[i]);
        match[i] = (ip_shot_match){.encoding = own.source.encoding};
        own.source.threads = reference.source.threads = 1 + 2 * i;
        film_start(&own);
        film_start(&reference);
        assert_true(score[i].better);
        assert_int_equal(ip_graded_suggest(graded, &own.source, &reference.source, &match[i]), IPOS_OK);
        ip_graded_free(graded);
    }
    assert_memory_equal(&score[0], &score[1], sizeof score[0]);
    assert_memory_equal(&match[0].grade, &match[1].grade, sizeof match[0].grade);
    film_free(&own);
    film_free(&reference);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_look_is_learned),
        cmocka_unit_test(another_encoding_is_refused),
        cmocka_unit_test(what_has_no_look_is_left_to_colours),
        cmocka_unit_test(the_same_bits_whatever_the_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
