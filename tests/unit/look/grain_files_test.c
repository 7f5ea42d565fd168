/* The grain model written and read: JSON, and the AV1 film-grain table as aomenc reads it. */
#include "plate.h"

static void json_keeps_every_bit(void **state) {
    (void)state;
    ip_grain grain = model(1.f / 3333.f, .61803399f, .1234567f, .3333333f), back;
    grain.temporal = .0123456789f;
    grain.dispersion = 1.0000001f;
    grain.unsteady = 1e-9f;
    char *text, *again;
    assert_int_equal(ip_grain_to_json(&grain, &text), IPOS_OK);
    assert_int_equal(ip_grain_from_json(text, &back), IPOS_OK);
    assert_memory_equal(grain.autocorrelation, back.autocorrelation, sizeof grain.autocorrelation);
    assert_memory_equal(grain.channels, back.channels, sizeof grain.channels);
    assert_memory_equal(grain.bins, back.bins, sizeof grain.bins);
    assert_true(back.measurable && back.frames == 3 && back.temporal == grain.temporal && back.dispersion == grain.dispersion && back.unsteady == grain.unsteady &&
        back.lag_error == grain.lag_error && back.confidence == grain.confidence);
    assert_int_equal(ip_grain_to_json(&back, &again), IPOS_OK);
    assert_string_equal(text, again);
    ip_free(text);
    ip_free(again);
}

static void refusals_are_kept(void **state) {
    (void)state;
    ip_grain grain = {.reason = "compressed, \"as seen\""}, back;
    char *text;
    assert_int_equal(ip_grain_to_json(&grain, &text), IPOS_OK);
    assert_int_equal(ip_grain_from_json(text, &back), IPOS_OK);
    assert_false(back.measurable);
    assert_string_equal(back.reason, grain.reason);
    ip_free(text);
}

/* Text with the first `from` replaced by `to`. */
static char *replaced(const char *text, const char *from, const char *to) {
    const char *at = strstr(text, from);
    assert_non_null(at);
    return ip_format("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void damaged_json_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *from, *to;
    } damage[] = {{"{", ""}, {"\"grain\"", "\"grown\""}, {"\"grain\":1", "\"grain\":2"}, {"\"grain\": 1", "\"grain\": 2"}, {"\"bins\"", "\"bans\""},
        {"\"variance\":[", "\"variance\":[1,"}, {"\"variance\":[", "\"variance\":[-"}, {"\"frames\":3", "\"frames\":-3"}, {"\"channels\":[[1.0,", "\"channels\":[[0.5,"},
        {"\"measurable\":true", "\"measurable\":1"}, {"\"temporal\":", "\"temporal\":\"a\",\"x\":"}, {"\"autocorrelation\":[[", "\"autocorrelation\":[[[9],"},
        {"\"level\":", "\"level\":1e30,\"lev\":"}};
    ip_grain grain = model(.001f, .5f, .1f, .3f), back;
    char *text;
    int tried = 0;
    assert_int_equal(ip_grain_to_json(&grain, &text), IPOS_OK);
    for (size_t i = 0; i < IP_COUNT(damage); i++) {
        if (!strstr(text, damage[i].from))
            continue;
        char *bad = replaced(text, damage[i].from, damage[i].to);
        ipos_status status = ip_grain_from_json(bad, &back);
        if (status == IPOS_OK)
            fail_msg("\"%s\" for \"%s\" is read", damage[i].to, damage[i].from);
        assert_false(back.measurable);
        ip_free(bad);
        tried++;
    }
    assert_true(tried >= 12);
    ip_free(text);
}

typedef struct av1_table {
    int p[12], points[3], at[3][14][2], taps[3][25];
    long long begin, end;
} av1_table;

static int next_int(const char **text) {
    char *end;
    long value = strtol(*text, &end, 10);
    assert_ptr_not_equal(end, *text);
    *text = end;
    return (int)value;
}

static void expect(const char **text, const char *word) {
    while (**text == ' ' || **text == '\t' || **text == '\n')
        ++*text;
    if (strncmp(*text, word, strlen(word)) != 0)
        fail_msg("expected %s at \"%.20s\"", word, *text);
    *text += strlen(word);
}

/* As grain_table.c of libaom reads it. */
static av1_table parse(const char *text) {
    static const char *const points[3] = {"sY", "sCb", "sCr"}, *const taps[3] = {"cY", "cCb", "cCr"};
    av1_table t;
    int apply, seed, update, used = 0;
    assert_memory_equal(text, "filmgrn1\n", 9);
    text += 9;
    assert_int_equal(sscanf(text, "E %lld %lld %d %d %d\n%n", &t.begin, &t.end, &apply, &seed, &update, &used), 5);
    assert_true(apply == 1 && update == 1 && seed > 0 && seed < 65536);
    text += used;
    expect(&text, "p");
    for (int i = 0; i < 12; i++)
        t.p[i] = next_int(&text);
    for (int c = 0; c < 3; c++) {
        expect(&text, points[c]);
        t.points[c] = next_int(&text);
        assert_true(t.points[c] > 0 && t.points[c] <= (c ? 10 : 14));
        for (int i = 0; i < t.points[c]; i++) {
            t.at[c][i][0] = next_int(&text);
            t.at[c][i][1] = next_int(&text);
            assert_true(t.at[c][i][0] >= 0 && t.at[c][i][0] <= 255 && t.at[c][i][1] >= 0 && t.at[c][i][1] <= 255);
            assert_true(i == 0 || t.at[c][i][0] > t.at[c][i - 1][0]);
        }
    }
    for (int c = 0; c < 3; c++) {
        expect(&text, taps[c]);
        for (int i = 0; i < (c ? 25 : 24); i++) {
            t.taps[c][i] = next_int(&text);
            assert_true(t.taps[c][i] >= -128 && t.taps[c][i] <= 127);
        }
    }
    assert_string_equal(text, "\n");
    return t;
}

/* Runs the table's luma recursion over white noise; the deviation and the neighbour's correlation of what comes out. */
static void synthesise(const av1_table *t, double *deviation, double *across) {
    enum { SIZE = 300 };
    double *g = calloc(SIZE * SIZE, sizeof *g), sum = 0, next = 0, n = 0;
    ip_rng rng = ip_rng_at(1, 2);
    for (int y = 3; y < SIZE; y++)
        for (int x = 3; x < SIZE - 3; x++) {
            double v = 32. / (1 << t->p[2]) * ip_rng_normal(&rng);
            for (int i = 0; i < 24; i++)
                v += t->taps[0][i] / (double)(1 << t->p[1]) * g[(y + i / 7 - 3) * SIZE + x + i % 7 - 3];
            g[y * SIZE + x] = v;
        }
    for (int y = 20; y < SIZE; y++)
        for (int x = 20; x < SIZE - 20; x++, n++) {
            sum += g[y * SIZE + x] * g[y * SIZE + x];
            next += g[y * SIZE + x] * g[y * SIZE + x + 1];
        }
    *deviation = sqrt(sum / n);
    *across = next / sum;
    free(g);
}

static void av1_tables_make_the_grain(void **state) {
    (void)state;
    static const float lags[][2] = {{0, 0}, {.4f, .1f}, {2.f / 3.f, 1.f / 6.f}};
    for (size_t i = 0; i < IP_COUNT(lags); i++) {
        ip_grain grain = model(.0004f, lags[i][0], lags[i][1], 1.f - 1e-5f);
        char *text;
        assert_int_equal(ip_grain_to_av1(&grain, NULL, &text), IPOS_OK);
        av1_table t = parse(text);
        double deviation, across;
        synthesise(&t, &deviation, &across);
        double code = t.at[0][5][1] * deviation / (1 << t.p[3]); /* grey grain of deviation .02 in 219 codes */
        if (fabs(code / (.02 * 219) - 1) > .06 || fabs(across - (double)lags[i][0]) > .06)
            fail_msg("deviation %.2f codes, expected %.2f; neighbours %.2f, expected %.2f", code, .02 * 219, across, (double)lags[i][0]);
        assert_true(t.p[0] == 3 && t.p[1] >= 6 && t.p[1] <= 9 && t.p[2] <= 3 && t.p[3] >= 8 && t.p[3] <= 11);
        assert_true(t.at[1][5][1] <= 2); /* grey grain has no chroma */
        ip_free(text);
    }
}

static void av1_options_are_checked(void **state) {
    (void)state;
    ip_grain grain = model(.0004f, .3f, 0, .2f);
    const ip_grain_av1_options some = {.seed = 11, .begin = 10, .end = 20, .bt2020 = true}, wrong = {.begin = 20, .end = 10};
    char *text;
    assert_int_equal(ip_grain_to_av1(&grain, &some, &text), IPOS_OK);
    av1_table t = parse(text);
    assert_true(t.begin == 10 && t.end == 20);
    assert_non_null(strstr(text, "E 10 20 1 11 1\n"));
    ip_free(text);
    assert_int_equal(ip_grain_to_av1(&grain, &wrong, &text), IPOS_ERR_ARGUMENT);
    assert_null(text);
    grain.bins[3].variance[0] = NAN;
    assert_int_equal(ip_grain_to_av1(&grain, NULL, &text), IPOS_ERR_ARGUMENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_keeps_every_bit),
        cmocka_unit_test(refusals_are_kept),
        cmocka_unit_test(damaged_json_is_refused),
        cmocka_unit_test(av1_tables_make_the_grain),
        cmocka_unit_test(av1_options_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
