/* The look's document: what is pooled and how, tags, pictures, and what is refused. */
#include "bloom.h"
#include "chroma.h"
#include "fingerprint.h"
#include "flicker.h"
#include "pool.h"
#include "sharp.h"
#include "tone.h"
#include "vignette.h"
#include "white.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include <expat.h>

static void must(ipos_status status) {
    if (status != IPOS_OK)
        fail_msg("%s", ipos_last_error());
}

static const ip_reading NONE = {.reason = "nothing there"};
static ip_reading sure(double confidence) { return (ip_reading){.confidence = confidence, .frames = 4}; }

static json_t *grain_json(double variance, float confidence) {
    ip_grain grain = {.measurable = confidence > 0.f, .confidence = confidence, .frames = 12};
    char *text;
    if (!grain.measurable)
        snprintf(grain.reason, sizeof grain.reason, "nothing there");
    for (int b = 0; b < IP_GRAIN_BINS; b++)
        grain.bins[b] = (ip_grain_bin){.level = .085f + .092f * (float)b, .variance = {(float)variance, (float)variance, (float)variance}, .confidence = confidence, .blocks = 10};
    for (int c = 0; c < 3; c++) {
        grain.channels[c][c] = 1.f;
        grain.autocorrelation[c][IP_GRAIN_REACH][IP_GRAIN_REACH] = 1.f;
    }
    must(ip_grain_to_json(&grain, &text));
    json_t *value = json_loads(text, 0, NULL);
    ip_free(text);
    return value;
}

/* A clip whose every number follows from one; confidence 0: nothing was measured. */
static json_t *clip(const char *name, int64_t frames, double number, double confidence, const char *tag) {
    const ip_reading reading = confidence > 0. ? sure(confidence) : NONE;
    ip_bloom bloom = {.strength_known = true, .width = 640, .luma = {reading, .radius = number, .strength = .1},
        .channel = {{reading}, {reading}, {reading}}};
    for (int k = 0; k < IP_BLOOM_KERNELS; k++)
        bloom.sigma[k] = 1. + k;
    ip_vignette vignette = {.reading = reading, .a = -number / 100., .corner = exp(-number / 100.), .pairs = 3};
    ip_chroma chroma = {.width = 640, .height = 360, .red = {.reading = reading, .corner = number}, .blue = {.reading = NONE}};
    ip_sharp sharp = {.reading = reading, .mtf50 = number / 100., .edges = 20};
    ip_tone tone = {.reading = reading, .black = {0., number / 1000., 0.}};
    ip_white white = {.level = reading, .red = number, .blue = 1., .drift = sure(.5), .rms = number / 10., .points = 2, .time = {0., 4.}, .red_path = {0., .1}};
    ip_flicker flicker = {.reading = reading, .rms = number / 1000., .steps = 2, .gain = {.1, -.1}};
    json_t *entry = json_pack("{s:s, s:s, s:I, s:I, s:I, s:[[I,I]], s:[s*], s:[], s:[]}", "clip", name, "encoding", "rec709", "width", (json_int_t)640,
        "height", (json_int_t)360, "frames", (json_int_t)frames, "shots", (json_int_t)0, (json_int_t)frames - 1, "tags", tag, "skin", "light");
    json_object_set_new(entry, "grain", grain_json(number * 1e-4, (float)confidence));
    json_object_set_new(entry, "bloom", ip_bloom_json(&bloom));
    json_object_set_new(entry, "vignette", ip_vignette_json(&vignette));
    json_object_set_new(entry, "chroma", ip_chroma_json(&chroma));
    json_object_set_new(entry, "sharp", ip_sharp_json(&sharp));
    json_object_set_new(entry, "tone", ip_tone_json(&tone));
    json_object_set_new(entry, "white", ip_white_json(&white));
    json_object_set_new(entry, "flicker", ip_flicker_json(&flicker));
    return entry;
}

static json_t *document(json_t *clips) {
    json_t *look;
    must(ip_fingerprint_new("abc", clips, &look));
    must(ip_fingerprint_check(look));
    return look;
}

static double at(const json_t *from, const char *a, const char *b) { return json_number_value(json_object_get(json_object_get(from, a), b)); }

static void one_clip_is_itself(void **state) {
    (void)state;
    json_t *look = document(json_pack("[o]", clip("A", 24, 3., .8, NULL))), *one = json_array_get(json_object_get(look, "clips"), 0);
    for (size_t i = 0; i < IP_LOOK_KINDS; i++)
        assert_true(json_equal(json_object_get(one, ip_look_kinds[i]), json_object_get(json_object_get(look, "all"), ip_look_kinds[i])));
    json_decref(look);
}

static void medians_by_confidence(void **state) {
    (void)state;
    json_t *look = document(json_pack("[o,o,o,o]", clip("A", 24, 2., .3, "night"), clip("B", 24, 9., .2, "night"), clip("C", 24, 4., .9, NULL),
        clip("D", 24, 77., 0., NULL)));
    const json_t *all = json_object_get(look, "all"), *night;
    assert_float_equal(at(all, "sharp", "mtf50"), .04, 1e-12);
    assert_float_equal(at(all, "vignette", "a"), -.04, 1e-12);
    assert_float_equal(at(all, "flicker", "rms"), .004, 1e-12);
    assert_float_equal(at(all, "white", "red"), 4., 1e-12);
    assert_float_equal(at(all, "white", "rms"), .65, 1e-12); /* its drift is measured in all four, alike sure: between .4 and .9 */
    assert_float_equal(at(json_object_get(all, "bloom"), "luma", "radius"), 4., 1e-12);
    assert_float_equal(at(json_object_get(all, "chroma"), "red", "corner"), 4., 1e-12);
    assert_int_equal((int)at(all, "sharp", "edges"), 60);
    assert_int_equal((int)at(json_object_get(all, "sharp"), "reading", "frames"), 12);
    assert_string_equal(json_string_value(json_object_get(json_object_get(json_object_get(json_object_get(all, "chroma"), "blue"), "reading"), "reason")), "nothing there");
    const json_t *bin = json_array_get(json_object_get(json_object_get(all, "grain"), "bins"), 3);
    assert_float_equal(json_number_value(json_array_get(json_object_get(bin, "variance"), 1)), 4e-4, 1e-9);
    assert_int_equal(json_integer_value(json_object_get(bin, "blocks")), 30);
    assert_int_equal(json_array_size(json_object_get(json_object_get(all, "white"), "time")), 0);
    must(ip_fingerprint_find(look, "tag:night", &night));
    assert_int_equal(json_array_size(json_object_get(night, "clips")), 2);
    assert_float_equal(at(night, "sharp", "mtf50"), .02, 1e-12);
    json_decref(look);
}

static void nothing_measured(void **state) {
    (void)state;
    json_t *look = document(json_pack("[o,o]", clip("A", 24, 2., 0., NULL), clip("B", 24, 3., 0., NULL)));
    const json_t *all = json_object_get(look, "all");
    ip_grain grain;
    assert_string_equal(json_string_value(json_object_get(json_object_get(json_object_get(all, "sharp"), "reading"), "reason")), "nothing there");
    assert_int_equal(ip_fingerprint_grain(all, NULL, &grain), IPOS_ERR_NOT_FOUND);
    assert_non_null(strstr(ipos_last_error(), "nothing there"));
    json_decref(look);
}

static void only_what_is_alike(void **state) {
    (void)state;
    json_t *other = clip("B", 100, 9., .8, NULL), *look;
    json_object_set_new(other, "width", json_integer(1920));
    look = document(json_pack("[o,o,o]", clip("A", 60, 2., .8, NULL), other, clip("C", 60, 2., .8, NULL)));
    const json_t *all = json_object_get(look, "all");
    assert_int_equal(json_array_size(json_object_get(all, "clips")), 2);
    assert_string_equal(json_string_value(json_array_get(json_object_get(all, "left_out"), 0)), "B");
    assert_float_equal(at(all, "sharp", "mtf50"), .02, 1e-12);
    json_decref(look);
}

static void pictures(void **state) {
    (void)state;
    json_t *look = document(json_pack("[o,o]", clip("A<&>", 24, 3., .8, NULL), clip("B", 24, 3., 0., NULL)));
    static const char *const of[] = {NULL, "A<&>", "B"};
    for (size_t i = 0; i < IP_COUNT(of); i++)
        for (const char *name = ip_fingerprint_plots(); *name; name += strcspn(name, ",") + (name[strcspn(name, ",")] == ',')) {
            const json_t *entry;
            char *svg, *one = ip_format("%.*s", (int)strcspn(name, ","), name);
            must(ip_fingerprint_find(look, of[i], &entry));
            must(ip_fingerprint_plot(entry, of[i], one, &svg));
            XML_Parser parser = XML_ParserCreate(NULL);
            assert_int_equal(XML_Parse(parser, svg, (int)strlen(svg), 1), XML_STATUS_OK);
            XML_ParserFree(parser);
            if (i == 2 && strcmp(one, "skin") != 0 && strcmp(one, "white") != 0)
                assert_non_null(strstr(svg, "not measurable here: nothing there"));
            ip_free(svg);
            ip_free(one);
        }
    const json_t *entry;
    char *svg = NULL;
    assert_int_equal(ip_fingerprint_find(look, "Z", &entry), IPOS_ERR_NOT_FOUND);
    assert_non_null(strstr(ipos_last_error(), "B"));
    must(ip_fingerprint_find(look, NULL, &entry));
    assert_int_equal(ip_fingerprint_plot(entry, NULL, "smell", &svg), IPOS_ERR_NOT_FOUND);
    assert_non_null(strstr(ipos_last_error(), "vignette"));
    json_decref(look);
}

static void expect(json_t *look, ipos_status status, const char *word) {
    assert_int_equal(ip_fingerprint_check(look), status);
    if (!strstr(ipos_last_error(), word))
        fail_msg("'%s' is not in: %s", word, ipos_last_error());
    json_decref(look);
}

static json_t *fresh(void) { return document(json_pack("[o]", clip("A", 24, 3., .8, "night"))); }
static json_t *clip_of(json_t *look) { return json_array_get(json_object_get(look, "clips"), 0); }

static void refused(void **state) {
    (void)state;
    json_t *look = fresh();
    json_object_set_new(look, "format", json_string("interpos.look.2"));
    expect(look, IPOS_ERR_UNSUPPORTED, "interpos.look.2");
    json_object_del(look = fresh(), "format");
    expect(look, IPOS_ERR_FORMAT, "format");
    json_object_del(look = fresh(), "all");
    expect(look, IPOS_ERR_FORMAT, "all");
    json_object_del(clip_of(look = fresh()), "vignette");
    expect(look, IPOS_ERR_FORMAT, "clip A: vignette");
    json_object_set_new(json_object_get(clip_of(look = fresh()), "sharp"), "mtf50", json_string("much"));
    expect(look, IPOS_ERR_FORMAT, "mtf50");
    json_object_del(json_object_get(clip_of(look = fresh()), "grain"), "bins");
    expect(look, IPOS_ERR_FORMAT, "bins");
    json_object_set_new(clip_of(look = fresh()), "skin", json_pack("[{s:s}]", "name", "Nora"));
    expect(look, IPOS_ERR_FORMAT, "skin");
    json_object_set_new(look = fresh(), "clips", json_array());
    expect(look, IPOS_ERR_FORMAT, "clips");
    expect(json_pack("[i]", 1), IPOS_ERR_FORMAT, "object");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_clip_is_itself), cmocka_unit_test(medians_by_confidence), cmocka_unit_test(nothing_measured),
        cmocka_unit_test(only_what_is_alike), cmocka_unit_test(pictures), cmocka_unit_test(refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
