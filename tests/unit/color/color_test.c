/* lib/color: curves against published values, round trips, the working encoding, halves. */
#include "color.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

static bool near(double a, double b, double relative, double absolute)
{
    return fabs(a - b) <= absolute + relative * fabs(b);
}

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

static uint32_t to_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return bits;
}

static void test_table(void **state)
{
    (void)state;
    ip_buffer names = {0};
    for (size_t i = 0; i < ip_encoding_count(); i++) {
        const ip_encoding *e = ip_encoding_at(i);
        assert_ptr_equal(ip_encoding_find(e->name), e);
        assert_true(*e->help);
        ip_buffer_printf(&names, "%s%s", i ? "," : "", e->name);
    }
    char *text = ip_buffer_take(&names);
    assert_string_equal(text, ip_encoding_names());
    ip_free(text);
    assert_null(ip_encoding_at(ip_encoding_count()));
    assert_null(ip_encoding_find("Linear"));
    assert_null(ip_encoding_find(""));
    assert_null(ip_encoding_find(NULL));
    assert_int_equal(ip_encoding_find("acescg")->kind, IP_ENCODING_LINEAR);
    assert_int_equal(ip_encoding_find("rec709")->kind, IP_ENCODING_DISPLAY);
    assert_int_equal(ip_encoding_find("cineon")->kind, IP_ENCODING_LOG);
    assert_int_equal(ip_encoding_find("data")->kind, IP_ENCODING_DATA);
}

/* Neutral code values through OpenColorIO 2.1.2: its built-in camera curves, and for sRGB its ExponentWithLinear transform. Its
 * LogC constants have more digits than ARRI's published ones; its Canon curve is a table that ends at code 0. */
static void test_against_opencolorio(void **state)
{
    (void)state;
    static const float codes[] = {-0.1f, 0, 0.05f, 0.12f, 0.2f, 0.4f, 0.6f, 0.8f, 1};
    static const struct {
        const char *name;
        float linear[9];
    } curves[] = {
        {"acescct", {-0.016404333f, -0.0069168811f, -0.0021731551f, 0.0044680615f, 0.013452321f, 0.15261827f, 1.7314731f, 19.64377f, 222.8609f}},
        {"logc3", {-0.035920598f, -0.017290486f, -0.0079754312f, 0.0050656446f, 0.022556886f, 0.1965507f, 1.3176119f, 8.5407276f, 55.080036f}},
        {"clog3", {NAN, -0.073813342f, -0.037786558f, -0.0023335963f, 0.037636723f, 0.28228444f, 1.1395235f, 4.1432662f, 14.668302f}},
        {"vlog", {-0.040178418f, -0.02232131f, -0.013392755f, -0.00089277874f, 0.013719641f, 0.14238895f, 1.0085213f, 6.8388581f, 46.085533f}},
        {"log3g10", {-0.016582115f, -0.0099999988f, -0.005699093f, 0.0055665602f, 0.033555202f, 0.37300426f, 3.0185122f, 23.636377f, 184.32237f}},
        {"slog3", {-0.029125001f, -0.014023696f, -0.006473043f, 0.004097871f, 0.018513091f, 0.16276409f, 1.0367974f, 6.3326654f, 38.420948f}},
        {"srgb", {-0.010022824f, 0, 0.0039359382f, 0.013411746f, 0.033104759f, 0.13286829f, 0.31854683f, 0.6038273f, 1}},
    };
    for (size_t i = 0; i < IP_COUNT(curves); i++)
        for (size_t k = 0; k < IP_COUNT(codes); k++)
            if (!isnan(curves[i].linear[k]))
                assert_true(near(ip_encoding_find(curves[i].name)->to_linear(codes[k]), curves[i].linear[k], 1e-5, 2e-7));
}

/* Values the makers print for curves that OpenColorIO 2.1 does not have, and for a few that it does. */
static void test_published(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double linear, code, tolerance;
    } values[] = {
        {"srgb", 0.5, 0.735356983, 1e-7},       {"rec709", 0.18, 0.409, 5e-4},            {"rec709", 1, 1, 1e-7},
        {"gamma2.2", 0.5, 0.729740052, 1e-7},   {"acescct", 0.18, 0.413588402, 1e-7},     {"logc3", 0.18, 0.391007, 1e-6},
        {"logc3", 0, 0.092809, 1e-7},           {"logc4", 0.18, 0.278395916, 1e-7},       {"logc4", 0, 0.092863, 1e-5},
        {"logc4", 469.8, 1, 1e-6},              {"slog3", 0.18, 420 / 1023.0, 1e-7},      {"slog3", 0, 95 / 1023.0, 1e-7},
        {"slog3", 0.9, 598 / 1023.0, 5e-4},     {"vlog", 0.18, 433 / 1023.0, 5e-4},       {"vlog", 0, 128 / 1023.0, 2e-4},
        {"vlog", 0.9, 602 / 1023.0, 5e-4},      {"log3g10", 0.18, 1.0 / 3, 1e-6},         {"log3g10", 0, 0.091551, 1e-6},
        {"log3g10", 184.322, 1, 1e-6},          {"clog3", 0.18, 0.343389, 1e-6},          {"clog3", 0, 128 / 1023.0, 1e-5},
        {"applelog", 0.18, 0.488272, 1e-5},     {"applelog", 0, 0.150476, 1e-5},          {"applelog", 12, 1, 1e-5},
        {"cineon", 1, 685 / 1023.0, 1e-7},      {"cineon", 0, 95 / 1023.0, 1e-7},         {"cineon", 0.18, 0.457319613, 1e-7},
    };
    for (size_t i = 0; i < IP_COUNT(values); i++)
        assert_true(near(ip_encoding_find(values[i].name)->from_linear((float)values[i].linear), values[i].code, 0, values[i].tolerance));
}

static void test_round_trips(void **state)
{
    (void)state;
    for (size_t i = 0; i < ip_encoding_count(); i++) {
        const ip_encoding *e = ip_encoding_at(i);
        bool flat = strcmp(e->name, "applelog") == 0; /* published flat below -0.0564 */
        float before = -INFINITY;
        for (int k = -4000; k <= 4000; k++) {
            float linear = (float)(k < 0 ? -1 : 1) * (float)pow(fabs(k / 4000.0), 6) * 65504;
            if (flat && linear < -0.056f)
                continue;
            float code = e->from_linear(linear);
            assert_true(isfinite(code));
            assert_true(code >= before); /* rising, over every join */
            before = code;
            assert_true(near(e->to_linear(code), linear, 4e-5, 3e-7)); /* a single's steps of code, magnified by the log */
        }
        for (int k = -200; k <= 1400; k++) {
            float code = (float)k / 1000, linear = e->to_linear(code);
            assert_true(isfinite(linear));
            if (!flat || code > 0.001f)
                assert_true(near(e->from_linear(linear), code, 2e-6, 2e-6));
        }
        assert_true(isnan(e->to_linear(NAN)) && isnan(e->from_linear(NAN)));
    }
}

static void test_working_curve(void **state)
{
    (void)state;
    const ip_encoding *linear = ip_encoding_find("linear");
    float v[] = {0, -0.0f, 0.18f, 1, -1, 65504, FLT_MAX, -FLT_MAX, INFINITY, -INFINITY, NAN, FLT_MIN, 1e-30f};
    float w[IP_COUNT(v)];
    memcpy(w, v, sizeof v);
    ip_to_working(linear, w, IP_COUNT(v));
    assert_int_equal(to_bits(w[0]), 0);
    assert_int_equal(to_bits(w[1]), 0x80000000);
    assert_true(near(w[2], 0.4, 0, 0.01));
    assert_true(near(w[3], 0.65, 0, 0.01));
    assert_true(w[4] == -w[3]);
    assert_true(w[5] < 3 && w[6] < 15 && w[7] == -w[6]);
    assert_true(w[8] == INFINITY && w[9] == -INFINITY && isnan(w[10]));
    ip_from_working(linear, w, IP_COUNT(v));
    assert_int_equal(to_bits(w[1]), 0x80000000);
    assert_true(isfinite(w[6]) && near(w[6], FLT_MAX, 1e-5, 0));
    assert_true(w[8] == INFINITY && w[9] == -INFINITY && isnan(w[10]));
    float far[] = {100, -100, FLT_MAX};
    ip_from_working(linear, far, 3); /* nothing a network may say overflows */
    assert_true(isfinite(far[0]) && far[1] == -far[0] && isfinite(far[2]));
    static const char *const untouched[] = {"srgb", "rec709", "logc3", "cineon", "data"};
    for (size_t i = 0; i < IP_COUNT(untouched); i++) {
        float codes[] = {-0.5f, 0.3f, 100};
        ip_to_working(ip_encoding_find(untouched[i]), codes, 3);
        ip_from_working(ip_encoding_find(untouched[i]), codes, 3);
        assert_true(codes[0] == -0.5f && codes[1] == 0.3f && codes[2] == 100);
    }
}

/* Against the curve's definition in double precision, and back; every half, then singles all over the range. */
static void test_working_precision(void **state)
{
    (void)state;
    const ip_encoding *linear = ip_encoding_find("linear");
    enum { COUNT = 65536 + 200000 };
    float *in = malloc(COUNT * sizeof *in), *out = malloc(COUNT * sizeof *out);
    uint32_t seed = 1;
    for (int i = 0; i < COUNT; i++) {
        seed = seed * 1664525u + 1013904223u;
        in[i] = i < 65536 ? ip_half_to_float((uint16_t)i) : from_bits(seed);
    }
    memcpy(out, in, COUNT * sizeof *in);
    ip_to_working(linear, out, COUNT);
    for (int i = 0; i < COUNT; i++)
        if (isfinite(in[i]))
            assert_true(near(out[i], copysign(7.0 / 64 / log(2) * log1p(64.0 * fabs((double)in[i])), in[i]), 3e-7, 1e-37));
    ip_from_working(linear, out, COUNT);
    for (int i = 0; i < COUNT; i++) {
        if (isnan(in[i]))
            assert_true(isnan(out[i]));
        else if (isinf(in[i]))
            assert_true(out[i] == in[i]);
        else
            assert_true(near(out[i], in[i], fabsf(in[i]) <= 1e9f ? 1e-6 : 4e-6, 1e-38));
    }
    /* An odd length ends outside the vectors; the bits must not depend on the place. */
    for (int i = 0; i < 200; i++) {
        float run[7], one = in[1000 * i];
        for (int k = 0; k < 7; k++)
            run[k] = one;
        ip_to_working(linear, run, 7);
        ip_to_working(linear, &one, 1);
        for (int k = 0; k < 7; k++)
            assert_int_equal(to_bits(run[k]), to_bits(one));
    }
    free(in);
    free(out);
}

/* The value of a half by its definition. */
static double half_value(uint16_t half)
{
    int exponent = half >> 10 & 31, fraction = half & 0x3ff;
    double value = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
    return half & 0x8000 ? -value : value;
}

static void test_halves(void **state)
{
    (void)state;
    static uint16_t all[65536], back[65536];
    static float floats[65536];
    for (uint32_t i = 0; i < 65536; i++)
        all[i] = (uint16_t)i;
    ip_halves_to_floats(all, floats, 65536);
    ip_floats_to_halves(floats, back, 65536);
    for (uint32_t i = 0; i < 65536; i++) {
        float plain = ip_half_to_float(all[i]);
        assert_int_equal(to_bits(plain), to_bits(floats[i])); /* the plain twin and the processor's */
        assert_int_equal(ip_float_to_half(plain), back[i]);
        if ((i & 0x7c00) != 0x7c00)
            assert_true(plain == half_value(all[i]));
        bool nan = (i & 0x7fff) > 0x7c00;
        assert_true(isnan(plain) == nan && (nan || back[i] == i));
        if (nan)
            assert_int_equal(back[i], i | 0x200);
    }
}

/* Rounding: below, at and above the middle between every two halves, both ways of converting. */
static void test_half_rounding(void **state)
{
    (void)state;
    enum { COUNT = 0x7bff * 3 };
    float *in = malloc(COUNT * sizeof *in);
    uint16_t *out = malloc(COUNT * sizeof *out);
    for (uint32_t i = 0; i < 0x7bff; i++) {
        float middle = (float)((half_value((uint16_t)i) + half_value((uint16_t)(i + 1))) / 2);
        in[3 * i] = nextafterf(middle, 0);
        in[3 * i + 1] = middle;
        in[3 * i + 2] = nextafterf(middle, INFINITY);
    }
    ip_floats_to_halves(in, out, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t low = i / 3, expected = i % 3 == 0 ? low : i % 3 == 2 ? low + 1 : low + (low & 1);
        assert_int_equal(out[i], expected);
        assert_int_equal(ip_float_to_half(in[i]), expected);
        assert_int_equal(ip_float_to_half(-in[i]), expected | 0x8000);
    }
    static const struct {
        float value;
        uint16_t half;
    } edges[] = {{65504, 0x7bff}, {65519.996f, 0x7bff}, {65520, 0x7c00}, {FLT_MAX, 0x7c00}, {INFINITY, 0x7c00}, {-INFINITY, 0xfc00}, {0, 0},
        {-0.0f, 0x8000}, {FLT_MIN, 0}, {FLT_TRUE_MIN, 0}, {-FLT_TRUE_MIN, 0x8000}};
    for (size_t i = 0; i < IP_COUNT(edges); i++)
        assert_int_equal(ip_float_to_half(edges[i].value), edges[i].half);
    uint32_t seed = 7;
    for (int i = 0; i < COUNT; i++)
        in[i] = from_bits(seed = seed * 1664525u + 1013904223u);
    ip_floats_to_halves(in, out, COUNT);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(out[i], ip_float_to_half(in[i]));
    free(in);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table), cmocka_unit_test(test_against_opencolorio),
        cmocka_unit_test(test_published), cmocka_unit_test(test_round_trips), cmocka_unit_test(test_working_curve),
        cmocka_unit_test(test_working_precision), cmocka_unit_test(test_halves), cmocka_unit_test(test_half_rounding)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
