/* JSON in and out, SVG that parses, robust fits, and sources that are refused. */
#include "film.h"
#include "charts.h"
#include "chroma.h"
#include "fit.h"
#include "flicker.h"
#include "gauss.h"
#include "light.h"
#include "plot.h"

#include <expat.h>

/* Written, read and written again: the same text. */
#define ROUND_TRIP(name, value)                                          \
    do {                                                                 \
        ip_##name again;                                                 \
        json_t *first = ip_##name##_json(value);                         \
        assert_non_null(first);                                          \
        assert_int_equal(ip_##name##_parse(first, &again), IPOS_OK);     \
        json_t *second = ip_##name##_json(&again);                       \
        assert_true(json_equal(first, second));                          \
        char *text = json_dumps(first, 0);                               \
        json_t *third = json_loads(text, 0, NULL);                       \
        assert_true(json_equal(first, third)); /* every digit survives */ \
        json_object_set_new(third, "surprise", json_true());             \
        assert_int_equal(ip_##name##_parse(third, &again), IPOS_ERR_FORMAT); \
        json_object_del(third, "surprise");                              \
        json_object_del(third, json_object_iter_key(json_object_iter(third))); \
        assert_int_equal(ip_##name##_parse(third, &again), IPOS_ERR_FORMAT); \
        json_t *list = json_array();                                     \
        assert_int_equal(ip_##name##_parse(list, &again), IPOS_ERR_FORMAT); \
        json_decref(list);                                               \
        json_decref(first);                                              \
        json_decref(second);                                             \
        json_decref(third);                                              \
        free(text);                                                      \
    } while (0)

static const ip_reading GOOD = {.confidence = 1. / 3., .frames = 12};

static ip_reading bad(void) {
    ip_reading reading = {.frames = 3};
    ip_not_measurable(&reading, "%d \"lamps\" <of> none & more", 3);
    return reading;
}

static ip_bloom a_bloom(void) {
    ip_bloom b = {.strength_known = true, .width = 1920, .luma = {.reading = GOOD, .radius = M_PI, .strength = .1, .explained = .3}};
    for (int k = 0; k < IP_BLOOM_KERNELS; k++) {
        b.sigma[k] = 1.5 * (k + 1);
        b.luma.weight[k] = .1 / (k + 3);
        b.channel[0].weight[k] = .01 * k;
    }
    b.channel[0].reading = GOOD;
    b.channel[1].reading = bad();
    b.channel[2].reading = GOOD;
    return b;
}

static ip_white a_white(void) {
    ip_white w = {.level = GOOD, .red = 1.1, .blue = .9, .drift = GOOD, .points = 3, .time = {0., 4., 8.}, .red_path = {0., .01, .02}, .blue_path = {0., -.01, .005}};
    return w;
}

static void records_survive_json(void **state) {
    (void)state;
    ip_bloom bloom = a_bloom();
    ip_vignette vignette = {.reading = GOOD, .a = -.4, .b = 1e-17, .c = .03, .corner = .67, .pairs = 12};
    ip_chroma chroma = {.width = 1920, .height = 1080, .red = {.reading = GOOD, .corner = .7}, .blue = {.reading = bad()}};
    ip_sharp sharp = {.reading = GOOD, .mtf50 = .3, .edges = 40, .curve = {1., .9}};
    ip_tone tone = {.reading = bad(), .scene = true, .code = {.1, .2}, .stops = {-16.}, .black = {0., .01, -.02}};
    ip_white white = a_white();
    ip_flicker flicker = {.reading = GOOD, .steps = 2, .gain = {.01, -.02}, .rms = .015};
    ip_skin skin = {.reading = GOOD, .u = .22, .v = .49, .cov = {1e-5, 2e-6, 3e-5}, .pixels = 9000};
    ip_light light = {.reading = GOOD, .ratio = 4., .stops = 2., .key = {1.1, 1., .8}};
    ROUND_TRIP(bloom, &bloom);
    ROUND_TRIP(vignette, &vignette);
    ROUND_TRIP(chroma, &chroma);
    ROUND_TRIP(sharp, &sharp);
    ROUND_TRIP(tone, &tone);
    ROUND_TRIP(white, &white);
    ROUND_TRIP(flicker, &flicker);
    ROUND_TRIP(skin, &skin);
    ROUND_TRIP(light, &light);
}

static void a_vignette_of_two_terms_is_still_read(void **state) {
    (void)state;
    ip_vignette vignette = {.reading = GOOD, .a = -.4, .b = .1, .corner = .74, .pairs = 12}, again = {.c = 9.};
    json_t *value = ip_vignette_json(&vignette);
    assert_non_null(value);
    assert_int_equal(json_object_del(value, "c"), 0);
    assert_int_equal(ip_vignette_parse(value, &again), IPOS_OK);
    assert_true(again.a == -.4 && again.b == .1 && again.c == 0.);
    json_object_del(value, "b");
    assert_int_equal(ip_vignette_parse(value, &again), IPOS_ERR_FORMAT);
    json_decref(value);
}

static void reasons_and_values_come_back(void **state) {
    (void)state;
    ip_bloom bloom = a_bloom(), again;
    json_t *value = ip_bloom_json(&bloom);
    assert_int_equal(ip_bloom_parse(value, &again), IPOS_OK);
    assert_string_equal(again.channel[1].reading.reason, "3 \"lamps\" <of> none & more");
    assert_false(ip_measured(&again.channel[1].reading));
    assert_true(again.luma.radius == M_PI && again.luma.reading.confidence == 1. / 3. && again.luma.reading.frames == 12);
    json_array_set_new(json_object_get(json_object_get(value, "luma"), "weight"), 0, json_real(-1.));
    assert_int_equal(ip_bloom_parse(value, &again), IPOS_ERR_FORMAT);
    json_decref(value);
    ip_white white = a_white(), other;
    value = ip_white_json(&white);
    assert_int_equal(json_array_size(json_object_get(value, "time")), 3);
    assert_int_equal(ip_white_parse(value, &other), IPOS_OK);
    json_object_set_new(value, "points", json_integer(4)); /* more than there are */
    assert_int_equal(ip_white_parse(value, &other), IPOS_ERR_FORMAT);
    json_object_set_new(value, "points", json_integer(-4));
    assert_int_equal(ip_white_parse(value, &other), IPOS_ERR_FORMAT);
    json_object_set_new(value, "points", json_integer(1000000));
    assert_int_equal(ip_white_parse(value, &other), IPOS_ERR_FORMAT);
    json_decref(value);
}

typedef struct drawn {
    int lines, words, circles, depth;
    char text[4096];
} drawn;

static void XMLCALL started(void *user, const XML_Char *name, const XML_Char **attributes) {
    drawn *d = user;
    d->lines += strcmp(name, "polyline") == 0;
    d->words += strcmp(name, "text") == 0;
    d->circles += strcmp(name, "circle") == 0;
    for (; *attributes; attributes += 2)
        if (strcmp(attributes[0], "points") == 0)
            assert_null(strstr(attributes[1], "nan"));
}

static void XMLCALL said(void *user, const XML_Char *text, int length) {
    drawn *d = user;
    size_t have = strlen(d->text);
    if (have + (size_t)length + 1 < sizeof d->text) {
        memcpy(d->text + have, text, (size_t)length);
        d->text[have + (size_t)length] = 0;
    }
}

static drawn parsed(char *svg) {
    drawn d = {0};
    assert_non_null(svg);
    XML_Parser parser = XML_ParserCreate(NULL);
    XML_SetUserData(parser, &d);
    XML_SetElementHandler(parser, started, NULL);
    XML_SetCharacterDataHandler(parser, said);
    if (XML_Parse(parser, svg, (int)strlen(svg), 1) != XML_STATUS_OK)
        fail_msg("SVG: %s at line %lu", XML_ErrorString(XML_GetErrorCode(parser)), XML_GetCurrentLineNumber(parser));
    XML_ParserFree(parser);
    ip_free(svg);
    return d;
}

static void charts_are_well_formed(void **state) {
    (void)state;
    ip_bloom bloom = a_bloom();
    drawn d = parsed(ip_bloom_svg(&bloom, "A & B < \"C\" \x01 \xff."));
    assert_int_equal(d.lines, 3); /* luma, red, blue; green was not measured */
    assert_non_null(strstr(d.text, "A & B < \"C\" ? ?."));
    ip_white white = a_white();
    d = parsed(ip_white_svg(&white, NULL));
    assert_int_equal(d.lines, 3);
    ip_vignette vignette = {.reading = bad()};
    d = parsed(ip_vignette_svg(&vignette, NULL));
    assert_int_equal(d.lines, 0);
    assert_non_null(strstr(d.text, "not measurable here: 3 \"lamps\" <of> none & more"));
    vignette.reading = GOOD;
    assert_int_equal(parsed(ip_vignette_svg(&vignette, NULL)).lines, 1);
    ip_tone tone = {.reading = GOOD, .code = {0., .05, .1, .2, .3, .4, .5, .6, .7, .8, 1.4}};
    d = parsed(ip_tone_svg(&tone, NULL));
    assert_true(d.lines == 1 && d.circles == IP_TONE_LEVELS && strstr(d.text, "1.4"));
    const ip_skin skins[2] = {{.reading = GOOD, .u = .22, .v = .49, .cov = {1e-5, -1e-5, 3e-5}}, {.reading = GOOD, .u = .25, .v = .5, .cov = {1e-5, 0., 1e-5}}};
    const char *names[2] = {"day", "night & fog"};
    d = parsed(ip_skin_svg(skins, names, 2, NULL));
    assert_true(d.lines == 4 && d.circles == 3 && strstr(d.text, "night & fog"));
    ip_sharp sharp = {.reading = GOOD, .curve = {1., .9, .8}};
    assert_int_equal(parsed(ip_sharp_svg(&sharp, NULL)).lines, 1);
}

static void plots_break_lines_at_what_is_not_finite(void **state) {
    (void)state;
    const double x[] = {0., 1., 2., 3., 4.}, y[] = {0., 1., NAN, INFINITY, 1e300};
    ip_plot plot;
    ip_plot_begin(&plot, "t", (ip_plot_axis){"x", 0., 4.}, (ip_plot_axis){"y", NAN, 1.});
    ip_plot_line(&plot, x, y, 5, "\"><script>", NULL);
    ip_plot_points(&plot, x, y, 5, 2., "#000", NULL);
    ip_plot_text(&plot, 1., 1., "here");
    drawn d = parsed(ip_plot_end(&plot));
    assert_int_equal(d.lines, 2);
    assert_int_equal(d.circles, 3);
    assert_non_null(strstr(d.text, "here"));
}

static void names_stand_beside_the_axes(void **state) {
    (void)state;
    const double x[] = {0., 1.}, y[] = {0., 1.};
    for (int named = 0; named < 2; named++) {
        ip_plot plot;
        ip_plot_begin(&plot, "t", (ip_plot_axis){"x", 0., 1.}, (ip_plot_axis){"y", 0., 1.});
        ip_plot_line(&plot, x, y, 2, "#000", named ? "exposure" : NULL);
        char *svg = ip_plot_end(&plot);
        assert_non_null(svg);
        const char *right = strstr(svg, "<clipPath"), *name = strstr(svg, ">exposure<");
        int left, top, wide, whole, at = 0;
        assert_int_equal(sscanf(right, "<clipPath id=\"axes\"><rect x=\"%d\" y=\"%d\" width=\"%d\"", &left, &top, &wide), 3);
        assert_int_equal(sscanf(strstr(svg, "version=\"1.1\""), "version=\"1.1\" width=\"%d\"", &whole), 1);
        assert_int_equal(name != NULL, named);
        while (name && strncmp(name, "<text", 5) != 0)
            name--;
        if (name)
            assert_int_equal(sscanf(name, "<text x=\"%d", &at), 1);
        assert_true(named ? at > left + wide && at + 80 < whole : left + wide + 20 == whole);
        ip_free(svg);
    }
}

static void nnls_finds_the_corner(void **state) {
    (void)state;
    const double N[9] = {2., 1., 0., 1., 2., 1., 0., 1., 2.}, b[3] = {1., -3., 2.};
    double x[3];
    ip_nnls(N, b, 3, x);
    assert_true(fabs(x[0] - .5) < 1e-12 && x[1] == 0. && fabs(x[2] - 1.) < 1e-12);
    for (int i = 0; i < 3; i++) { /* the conditions of Karush, Kuhn and Tucker */
        double slope = -b[i];
        for (int j = 0; j < 3; j++)
            slope += N[3 * i + j] * x[j];
        assert_true(x[i] > 0. ? fabs(slope) < 1e-12 : slope >= -1e-12);
    }
}

static void robust_fits_leave_out_outliers_and_offsets(void **state) {
    (void)state;
    ip_fit_rows rows = {.unknowns = 2};
    ip_rng rng = ip_rng_at(1, 1);
    for (int i = 0; i < 2000; i++) {
        ip_fit_row row = {.x = {(float)ip_rng_normal(&rng), (float)ip_rng_normal(&rng)}, .weight = 1.f, .block = (uint16_t)(i % 3), .tag = (uint8_t)(i & 1)};
        row.y = 2.f * row.x[0] - row.x[1] + 10.f * row.block + .01f * (float)ip_rng_normal(&rng) + (i % 5 == 0 ? 40.f : 0.f);
        assert_int_equal(ip_fit_add(&rows, &row), IPOS_OK);
    }
    ip_fit_result fit;
    ip_fit_options options = {.tags = 3, .iterations = 30, .blocks = 3};
    assert_int_equal(ip_fit(&rows, &options, &fit), IPOS_OK);
    assert_true(fabs(fit.solution[0] - 2.) < .01 && fabs(fit.solution[1] + 1.) < .01 && fit.rows == 2000);
    options.tags = 2;
    assert_int_equal(ip_fit(&rows, &options, &fit), IPOS_OK);
    assert_true(fit.rows == 1000 && fabs(fit.solution[0] - 2.) < .01);
    options.tags = 4;
    assert_int_equal(ip_fit(&rows, &options, &fit), IPOS_OK);
    assert_true(fit.rows == 0 && fit.solution[0] == 0.);
    ip_fit_free(&rows);
}

static void quantiles_are_those_of_the_sorted_values(void **state) {
    (void)state;
    float values[1001];
    for (int share = 0; share <= 10; share++) {
        for (int i = 0; i <= 1000; i++)
            values[i] = (float)((i * 389) % 1001);
        assert_true(ip_quantile(values, 1001, .1 * share) == 100.f * (float)share);
    }
}

static void gauss_has_the_width_it_tells(void **state) {
    (void)state;
    const double sigmas[] = {.8, 3., 4., 6., 17., 24.};
    for (size_t i = 0; i < IP_COUNT(sigmas); i++) {
        ip_plane_f p[2];
        assert_int_equal(ip_planes_new(301, 201, p, 2), IPOS_OK);
        ip_row(&p[0], 100)[150] = 1.f;
        ip_gauss_blur(&p[0], &p[0], &p[1], sigmas[i], 1);
        double sum = 0., square = 0.;
        for (int y = 0; y < 201; y++)
            for (int x = 0; x < 301; x++) {
                sum += ip_row(&p[0], y)[x];
                square += ip_row(&p[0], y)[x] * (x - 150.) * (x - 150.);
            }
        assert_true(fabs(sum - 1.) < 2e-3);
        assert_true(fabs(sqrt(square / sum) / ip_gauss_sigma(sigmas[i]) - 1.) < .01);
        assert_true(fabs(ip_gauss_sigma(sigmas[i]) / sigmas[i] - 1.) < .05);
        ip_planes_free(p, 2);
    }
}

static ipos_status broken(void *user, size_t index, const ip_image3 *to) {
    (void)user;
    (void)to;
    return ip_fail(IPOS_ERR_IO, "frame %zu is gone", index);
}

static bool never(void *user) { return user != NULL; }

static void sources_that_cannot_be_measured_are_errors(void **state) {
    (void)state;
    ip_look_source source = {.count = 3, .width = 64, .height = 48, .encoding = ip_encoding_find("srgb"), .clip = 1.f, .threads = 1, .fetch = broken};
    ip_tone tone;
    ip_vignette vignette;
    ip_white white;
    ip_bloom bloom;
    assert_int_equal(ip_tone_measure(&source, &tone), IPOS_ERR_IO);
    assert_int_equal(ip_bloom_measure(&source, &bloom), IPOS_ERR_IO);
    assert_int_equal(ip_white_measure(&source, &white), IPOS_ERR_IO);
    assert_int_equal(ip_vignette_measure(&source, &vignette), IPOS_OK); /* too few frames for a pair: none is asked for */
    assert_false(ip_measured(&vignette.reading));
    source.encoding = ip_encoding_find("data");
    assert_int_equal(ip_tone_measure(&source, &tone), IPOS_ERR_ARGUMENT);
    assert_non_null(strstr(ipos_last_error(), "tone: encoding data"));
    source.encoding = ip_encoding_find("srgb");
    source.count = 0;
    assert_int_equal(ip_tone_measure(&source, &tone), IPOS_ERR_ARGUMENT);
    const ip_pulse stop = {.beat = never};
    source.count = 3;
    source.pulse = &stop;
    assert_int_equal(ip_tone_measure(&source, &tone), IPOS_ERR_CANCELLED);
    assert_int_equal(ip_bloom_measure(&source, &bloom), IPOS_ERR_CANCELLED);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(records_survive_json), cmocka_unit_test(a_vignette_of_two_terms_is_still_read),
        cmocka_unit_test(reasons_and_values_come_back),
        cmocka_unit_test(charts_are_well_formed), cmocka_unit_test(plots_break_lines_at_what_is_not_finite), cmocka_unit_test(names_stand_beside_the_axes), cmocka_unit_test(nnls_finds_the_corner),
        cmocka_unit_test(robust_fits_leave_out_outliers_and_offsets), cmocka_unit_test(quantiles_are_those_of_the_sorted_values),
        cmocka_unit_test(gauss_has_the_width_it_tells), cmocka_unit_test(sources_that_cannot_be_measured_are_errors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
