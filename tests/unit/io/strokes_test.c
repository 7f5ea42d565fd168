/* Strokes from JSON and SVG: what is read, in which form it comes back, what is said about the rest. */
#include "io_test.h"
#include "strokes.h"
#include <math.h>

static json_t *read_text(const char *text, int64_t frame) {
    char *json = NULL;
    if (ip_strokes_parse(text, strlen(text), "file", frame, &json) != IPOS_OK)
        fail_msg("%s: %s", text, ipos_last_error());
    json_t *root = json_loads(json, 0, NULL);
    assert_non_null(root);
    ip_free(json);
    json_t *list = json_incref(json_object_get(root, "strokes"));
    assert_int_equal(json_object_size(root), 1);
    json_decref(root);
    return list;
}

static void refuse(const char *text, ipos_status expected, const char *first, const char *second) {
    char *json = (char *)1;
    ipos_status status = ip_strokes_parse(text, strlen(text), "dir/file", IP_STROKES_NO_FRAME, &json);
    if (status != expected || json || strncmp(ipos_last_error(), "dir/file", 8) != 0 || !strstr(ipos_last_error(), first) ||
        (second && !strstr(ipos_last_error(), second)))
        fail_msg("%s: status %d, \"%s\"", text, (int)status, ipos_last_error());
}

static const char *text_of(const json_t *list, size_t index, const char *name) {
    return json_string_value(json_object_get(json_array_get(list, index), name));
}

static double number_of(const json_t *list, size_t index, const char *name) {
    return json_number_value(json_object_get(json_array_get(list, index), name));
}

static size_t count_of(const json_t *list, size_t index) {
    return json_array_size(json_object_get(json_array_get(list, index), "points"));
}

/* at: negative counts from the end */
static void point_is(const json_t *list, size_t index, int at, double x, double y) {
    const json_t *points = json_object_get(json_array_get(list, index), "points");
    const json_t *point = json_array_get(points, at < 0 ? json_array_size(points) - (size_t)-at : (size_t)at);
    const double px = json_number_value(json_array_get(point, 0)), py = json_number_value(json_array_get(point, 1));
    if (!point || fabs(px - x) > 2e-4 || fabs(py - y) > 2e-4)
        fail_msg("stroke %zu, point %d: %g,%g, expected %g,%g", index, at, px, py, x, y);
}

static void test_json(void **state) {
    (void)state;
    json_t *list = read_text("\xef\xbb\xbf {\"strokes\":[{\"wire\":\"left\",\"frame\":1012,\"points\":[[1,2],[3.123456,4e1]],\"width\":4},"
                             "{\"wire\":\"left\",\"frame\":1020,\"points\":[[1,2],[3,4]],\"confidence\":0.5,\"note\":\"x\"},"
                             "{\"wire\":\"left\",\"kind\":\"shadow\",\"points\":[[0,0],[-5,2000.5]],\"width\":null}]}", 7);
    assert_int_equal(json_array_size(list), 3);
    assert_string_equal(text_of(list, 0, "kind"), "wire");
    assert_string_equal(text_of(list, 0, "wire"), "left");
    assert_true(number_of(list, 0, "width") == 4);
    point_is(list, 0, 1, 3.1235, 40);
    assert_null(json_object_get(json_array_get(list, 1), "confidence"));
    assert_string_equal(text_of(list, 2, "kind"), "shadow");
    assert_true(number_of(list, 2, "frame") == 7);
    assert_null(json_object_get(json_array_get(list, 2), "width"));
    json_decref(list);
    list = read_text("{\"strokes\":[]}", 1);
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
}

static void test_broken_json(void **state) {
    static const char *const cases[][3] = {
        {"{\"strokes\":[", "not valid JSON", "line 1"},
        {"[]", "\"strokes\"", NULL},
        {"{\"strokes\":{}}", "\"strokes\"", NULL},
        {"{\"strokes\":[],\"clip\":1}", "\"clip\"", "expected strokes"},
        {"{\"strokes\":[7]}", "stroke 1", "object"},
        {"{\"strokes\":[{\"points\":[[1,2],[3,4]]}]}", "stroke 1", "frame"},
        {"{\"strokes\":[{\"frame\":1.5,\"points\":[[1,2],[3,4]]}]}", "\"frame\" is 1.5", "whole number"},
        {"{\"strokes\":[{\"frame\":99999999999999,\"points\":[[1,2],[3,4]]}]}", "99999999999999", NULL},
        {"{\"strokes\":[{\"frame\":1,\"points\":[[1,2],[3,4]]},{\"frame\":1,\"wire\":\"a\",\"points\":[[1,2]]}]}", "stroke 2 (wire 'a')", "1 points"},
        {"{\"strokes\":[{\"frame\":1,\"points\":[[1,2],[3,4,5]]}]}", "points[1]", "[3,4,5]"},
        {"{\"strokes\":[{\"frame\":1,\"points\":[[1,2],[3,\"4\"]]}]}", "points[1]", "\"4\""},
        {"{\"strokes\":[{\"frame\":1,\"points\":[[1,2],[3,1e7]]}]}", "points[1]", "1000000"},
        {"{\"strokes\":[{\"frame\":1,\"points\":[[1,2],[1,2]]}]}", "one", "curve"},
        {"{\"strokes\":[{\"frame\":1,\"points\":7}]}", "\"points\" is 7", "list"},
        {"{\"strokes\":[{\"frame\":1}]}", "\"points\" is nothing", "list"},
        {"{\"strokes\":[{\"frame\":1,\"points\":[[1,2],[3,4]],\"kind\":\"rope\"}]}", "\"rope\"", "shadow"},
        {"{\"strokes\":[{\"frame\":1,\"points\":[[1,2],[3,4]],\"kind\":\"add,remove\"}]}", "\"add,remove\"", "old-add"},
        {"{\"strokes\":[{\"frame\":1,\"points\":[[1,2],[3,4]],\"width\":0}]}", "\"width\" is 0", "over 0"},
        {"{\"strokes\":[{\"frame\":1,\"points\":[[1,2],[3,4]],\"widht\":2}]}", "\"widht\"", "width"},
        {"{\"strokes\":[{\"frame\":1,\"points\":[[1,2],[3,4]],\"wire\":\"\"}]}", "\"wire\" is \"\"", "name"},
        {"{\"strokes\":[{\"frame\":1,\"points\":[[1,2],[3,4]],\"wire\":\"a\\u000ab\"}]}", "\"wire\"", "name"},
        {"{\"strokes\":[{\"frame\":1,\"wire\":\"a\",\"points\":[[1,2],[3,4]]},{\"frame\":1,\"wire\":\"a\",\"points\":[[1,2],[3,5]]}]}", "stroke 2", "second"},
        {"hello", "neither JSON", "SVG"},
        {"", "neither JSON", "SVG"},
    };
    (void)state;
    for (size_t i = 0; i < IP_COUNT(cases); i++)
        refuse(cases[i][0], IPOS_ERR_FORMAT, cases[i][1], cases[i][2]);
}

#define SVG "<svg xmlns=\"http://www.w3.org/2000/svg\">"

static void test_svg(void **state) {
    json_t *list = read_text("<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg' xmlns:i='urn:i' viewBox='10 20 1920 1080' width='96' height='54'>"
        "<i:view><path d='M0 0'/></i:view><defs><path d='M0 0L1 1'/></defs><rect transform='rotate(3)'/><text>a</text>"
        "<g data-frame='1012' style='fill:none; stroke-width : 3px' transform='translate(5) scale(2)'>"
        "<path id='left' d='M10,20 30-1.5.5 7'/><g class='soft shadow'><line id='left' x1='1' y1='2' x2='3' y2='4' stroke-width='1'/></g></g>"
        "<polyline id='right@1020' points='11,22 33,44 55 66' data-kind='old-add' transform='matrix(0 1 -1 0 0 0), translate(1 2)'/>"
        "<path d='m0 0h2v-3l1 1z' id='@1021'/><g display='none'><use/></g><g style='display:none'><use/></g></svg>", 7);
    (void)state;
    assert_int_equal(json_array_size(list), 4);
    assert_string_equal(text_of(list, 0, "wire"), "left");
    assert_true(number_of(list, 0, "frame") == 1012 && number_of(list, 0, "width") == 6);
    assert_string_equal(text_of(list, 0, "kind"), "wire");
    assert_int_equal(count_of(list, 0), 3);
    point_is(list, 0, 0, 2 * 10 + 5 - 10, 2 * 20 - 20);
    point_is(list, 0, 1, 2 * 30 + 5 - 10, -2 * 1.5 - 20);
    point_is(list, 0, 2, 2 * .5 + 5 - 10, 2 * 7 - 20);
    assert_string_equal(text_of(list, 1, "kind"), "shadow");
    assert_string_equal(text_of(list, 1, "wire"), "left");
    assert_true(number_of(list, 1, "width") == 2);
    assert_string_equal(text_of(list, 2, "wire"), "right");
    assert_string_equal(text_of(list, 2, "kind"), "old-add");
    assert_true(number_of(list, 2, "frame") == 1020);
    assert_null(json_object_get(json_array_get(list, 2), "width"));
    point_is(list, 2, 0, -(22 + 2) - 10, 11 + 1 - 20);
    assert_null(json_object_get(json_array_get(list, 3), "wire"));
    assert_int_equal(count_of(list, 3), 5);
    point_is(list, 3, 3, 3 - 10, -2 - 20);
    point_is(list, 3, 4, -10, -20);
    json_decref(list);
    list = read_text("<svg><line x2='4' y2='4' id='a'/></svg>", -3); /* without a namespace */
    assert_true(number_of(list, 0, "frame") == -3);
    json_decref(list);
}

/* Every curve letter, absolute and relative, against the same curve as a cubic, and against its own formula. */
static void test_curves(void **state) {
    json_t *list = read_text(SVG "<path id='a' d='M0 0C0 100 100 100 100 0S200-100 200 0'/><path id='b' d='M0 0c0 100 100 100 100 0s100-100 100 0'/>"
        "<path id='c' d='M10 10Q60 110 110 10T210 10'/><path id='d' d='m10 10q50 100 100 0t100 0'/><path id='e' d='M0 0S100 100 100 0'/>"
        "<path id='f' d='M5 5T9 5'/></svg>", 1);
    (void)state;
    assert_true(json_equal(json_object_get(json_array_get(list, 0), "points"), json_object_get(json_array_get(list, 1), "points")));
    assert_true(json_equal(json_object_get(json_array_get(list, 2), "points"), json_object_get(json_array_get(list, 3), "points")));
    point_is(list, 0, -1, 200, 0);
    point_is(list, 2, -1, 210, 10);
    point_is(list, 4, -1, 100, 0);
    point_is(list, 5, -1, 9, 5);
    const json_t *points = json_object_get(json_array_get(list, 2), "points");
    assert_in_range(json_array_size(points), 10, 80);
    double worst = 0;
    for (size_t i = 0; i + 1 < json_array_size(points); i++) { /* the middle of each piece against the parabolas through the points */
        const double x = (json_number_value(json_array_get(json_array_get(points, i), 0)) + json_number_value(json_array_get(json_array_get(points, i + 1), 0))) / 2;
        const double y = (json_number_value(json_array_get(json_array_get(points, i), 1)) + json_number_value(json_array_get(json_array_get(points, i + 1), 1))) / 2;
        const double t = fmod(x - 10, 100) / 100, side = x < 110 ? 1 : -1;
        worst = fmax(worst, fabs(y - (10 + side * 200 * t * (1 - t))));
    }
    assert_true(worst > 0 && worst < 0.11);
    json_decref(list);
}

static void test_broken_svg(void **state) {
    static const struct {
        const char *text, *first, *second;
        ipos_status status;
    } cases[] = {
        {"<svg><path", "not valid XML", "line 1", IPOS_ERR_FORMAT},
        {"<html/>", "<svg>", "html", IPOS_ERR_FORMAT},
        {"<svg/>", "nothing is drawn", NULL, IPOS_ERR_FORMAT},
        {SVG "<path id='p' d='M0 0L9 9'/></svg>", "stroke 1 (wire 'p')", "frame", IPOS_ERR_FORMAT},
        {SVG "<path id='p@x' data-frame='x' d='M0 0L9 9'/></svg>", "data-frame \"x\"", "'p@x'", IPOS_ERR_FORMAT},
        {SVG "<path id='p@4' data-frame='5' d='M0 0L9 9'/></svg>", "frame 4", "5", IPOS_ERR_FORMAT},
        {SVG "<g transform='rotate(4)'><path id='p@1' d='M0 0L9 9'/></g></svg>", "rotate(4)", "translate", IPOS_ERR_UNSUPPORTED},
        {SVG "<path id='p@1' transform='scale(1 2 3)' d='M0 0L9 9'/></svg>", "scale(1 2 3)", "'p@1'", IPOS_ERR_UNSUPPORTED},
        {SVG "<path id='p@1' transform='matrix(1' d='M0 0L9 9'/></svg>", "matrix(1", NULL, IPOS_ERR_UNSUPPORTED},
        {SVG "<path id='p@1' d='M0 0A1 1 0 0 0 9 9'/></svg>", "arc", "'p@1'", IPOS_ERR_UNSUPPORTED},
        {SVG "<path id='p@1' d='M0 0L9 9M1 1L2 2'/></svg>", "more than one part", "'p@1'", IPOS_ERR_UNSUPPORTED},
        {SVG "<path id='p@1' d='M0 0L9 9ZL2 2'/></svg>", "after Z", "'p@1'", IPOS_ERR_UNSUPPORTED},
        {SVG "<path id='p@1' d='L9 9'/></svg>", "\"L9 9\"", "expected M", IPOS_ERR_FORMAT},
        {SVG "<path id='p@1' d='M0 0C1 2 3 4'/></svg>", "\"C1 2 3 4\"", NULL, IPOS_ERR_FORMAT},
        {SVG "<path id='p@1' d='M0 0#'/></svg>", "\"#\"", NULL, IPOS_ERR_FORMAT},
        {SVG "<path id='p@1' d='M0 0L1e999 1'/></svg>", "L1e999", NULL, IPOS_ERR_FORMAT},
        {SVG "<path id='p@1'/></svg>", "0 points", "wire 'p'", IPOS_ERR_FORMAT},
        {SVG "<polyline id='p@1' points='1 2 3'/></svg>", "points", "pairs", IPOS_ERR_FORMAT},
        {SVG "<line id='p@1' x1='1mm'/></svg>", "x1 \"1mm\"", NULL, IPOS_ERR_FORMAT},
        {SVG "<line x2='9' id='p@1' stroke-width='2mm'/></svg>", "stroke-width \"2mm\"", "pixels", IPOS_ERR_UNSUPPORTED},
        {SVG "<line x2='9' id='p@1' stroke-width='0'/></svg>", "\"width\" is 0", NULL, IPOS_ERR_FORMAT},
        {SVG "<line x2='9' id='p@1' data-kind='rope'/></svg>", "data-kind \"rope\"", "shadow", IPOS_ERR_FORMAT},
        {SVG "<line x2='9e300' id='p@1' transform='scale(1e300)'/></svg>", "far", NULL, IPOS_ERR_FORMAT},
        {SVG "\n<polygon points='1 2 3 4 5 6'/></svg>", "<polygon>", "line 2", IPOS_ERR_UNSUPPORTED},
        {SVG "<svg/></svg>", "one <svg>", NULL, IPOS_ERR_UNSUPPORTED},
        {"<svg viewBox='0 0 0 9'/>", "viewBox", "width and height", IPOS_ERR_FORMAT},
    };
    (void)state;
    for (size_t i = 0; i < IP_COUNT(cases); i++)
        refuse(cases[i].text, cases[i].status, cases[i].first, cases[i].second);
}

static void test_hostile_xml(void **state) {
    ip_buffer text = {0};
    char *json;
    (void)state;
    for (int i = 0; i < 200; i++)
        ip_buffer_printf(&text, i ? "<g>" : "<svg>");
    assert_int_equal(ip_strokes_parse(text.data, text.size, "deep", 1, &json), IPOS_ERR_FORMAT);
    assert_non_null(strstr(ipos_last_error(), "deep"));
    text.size = 0;
    ip_buffer_printf(&text, "<!DOCTYPE svg [<!ENTITY a0 \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\">");
    for (int i = 1; i < 30; i++)
        ip_buffer_printf(&text, "<!ENTITY a%d \"&a%d;&a%d;&a%d;&a%d;\">", i, i - 1, i - 1, i - 1, i - 1);
    ip_buffer_printf(&text, "]><svg><line id=\"&a29;\"/></svg>");
    assert_int_equal(ip_strokes_parse(text.data, text.size, "laughs", 1, &json), IPOS_ERR_FORMAT);
    const char *outside = "<!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><svg><text>&x;</text><line id='l' x2='9'/></svg>";
    json_t *list = read_text(outside, 1); /* nothing is fetched */
    assert_int_equal(json_array_size(list), 1);
    json_decref(list);
    ip_buffer_free(&text);
}

static void test_files_and_settings(void **state) {
    char *folder = scratch_folder(), *path = ip_path_join(folder, "s.json"), *json;
    static const char good[] = "{\"strokes\":[{\"frame\":3,\"points\":[[1,2],[3,4]]}]}";
    (void)state;
    assert_int_equal(ip_strokes_read(path, 1, &json), IPOS_ERR_NOT_FOUND);
    assert_non_null(strstr(ipos_last_error(), path));
    assert_int_equal(ip_file_write(path, good, strlen(good)), IPOS_OK);
    assert_int_equal(ip_strokes_read(path, IP_STROKES_NO_FRAME, &json), IPOS_OK);
    assert_string_equal(json, "{\"strokes\":[{\"frame\":3,\"kind\":\"wire\",\"points\":[[1.0,2.0],[3.0,4.0]]}]}");
    char *again;
    assert_int_equal(ip_strokes_check(json, "setting", &again), IPOS_OK);
    assert_string_equal(json, again);
    ip_free(again);
    ip_free(json);
    assert_int_equal(ip_strokes_check("", "setting", &json), IPOS_OK);
    assert_string_equal(json, "");
    ip_free(json);
    assert_int_equal(ip_strokes_check("<svg/>", "setting", &json), IPOS_ERR_ARGUMENT);
    assert_int_equal(ip_strokes_check("{\"strokes\":[{\"frame\":\"3\"}]}", "setting", &json), IPOS_ERR_ARGUMENT);
    assert_non_null(strstr(ipos_last_error(), "setting: stroke 1: \"frame\" is \"3\""));
    remove_folder(folder);
    ip_free(path);
    ip_free(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_json), cmocka_unit_test(test_broken_json), cmocka_unit_test(test_svg),
        cmocka_unit_test(test_curves), cmocka_unit_test(test_broken_svg), cmocka_unit_test(test_hostile_xml), cmocka_unit_test(test_files_and_settings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
