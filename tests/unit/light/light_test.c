/* lib/light: the sun's place against published values, the colours of daylight. */
#include "daylight.h"
#include "sun.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void near(double got, double wanted, double within, const char *what) {
    if (!(fabs(got - wanted) <= within))
        fail_msg("%s: %.5f, expected %.5f", what, got, wanted);
}

static void test_moments(void **state) {
    (void)state;
    double days = 1;
    near(ip_moment(2000, 1, 1, 12), 0, 1e-9, "J2000");
    near(ip_moment(1987, 6, 19, 12), 2446966.0 - 2451545.0, 1e-9, "Meeus, example 7.b"); /* 1987 June 19.5 is JD 2446966.0 */
    near(ip_moment(1957, 10, 4, .81 * 24), 2436116.31 - 2451545.0, 1e-6, "Meeus, example 7.a");
    assert_int_equal(ip_moment_parse("2024-06-21T19:30+02:00", "time", &days), IPOS_OK);
    near(days, ip_moment(2024, 6, 21, 17.5), 1e-9, "with an offset");
    assert_int_equal(ip_moment_parse("2024-02-29 05:45:30-09:30", "time", &days), IPOS_OK);
    near(days, ip_moment(2024, 2, 29, 15.25 + 30. / 3600), 1e-9, "seconds, west of Greenwich");
    static const char *const wrong[] = {"", "noon", "2024-06-21T19:30", "2023-02-29T12:00Z", "2024-13-01T12:00Z", "2024-06-21T24:00Z",
        "2024-06-21T19:30+2:00", "2024-06-21T19:30Zulu"};
    for (size_t i = 0; i < IP_COUNT(wrong); i++) {
        assert_int_equal(ip_moment_parse(wrong[i], "time", &days), IPOS_ERR_ARGUMENT);
        assert_non_null(strstr(ipos_last_error(), "time: "));
    }
}

static void test_places(void **state) {
    (void)state;
    ip_place place;
    assert_int_equal(ip_place_parse("39.742476,-105.1786", "place", &place), IPOS_OK);
    near(place.latitude, 39.742476, 1e-12, "latitude");
    near(place.longitude, -105.1786, 1e-12, "longitude");
    static const char *const wrong[] = {"", "Prague", "12", "1,2,3", "91,0", "0,181", ",", "1,"};
    for (size_t i = 0; i < IP_COUNT(wrong); i++)
        assert_int_equal(ip_place_parse(wrong[i], "place", &place), IPOS_ERR_ARGUMENT);
}

/* The worked example of the NREL solar position algorithm: zenith 50.11162, azimuth 194.34024 at 820 hPa. */
static void test_the_sun(void **state) {
    (void)state;
    double days;
    ip_place golden = {39.742476, -105.1786};
    assert_int_equal(ip_moment_parse("2003-10-17T12:30:30-07:00", "time", &days), IPOS_OK);
    ip_sun sun = ip_sun_at(golden, days);
    near(sun.azimuth, 194.34024, .02, "azimuth");
    near(sun.elevation, 90 - 50.11162, .02, "elevation");
    /* At the same place sunrise is at 06:12:43 and sunset at 17:18:51 (the example's own figures): the sun's centre is then at -.8333 without
     * refraction, .0 +- .3 with it. */
    assert_int_equal(ip_moment_parse("2003-10-17T06:12:43-07:00", "time", &days), IPOS_OK);
    near(ip_sun_at(golden, days).elevation, -.27, .1, "sunrise");
    assert_int_equal(ip_moment_parse("2003-10-17T17:18:51-07:00", "time", &days), IPOS_OK);
    near(ip_sun_at(golden, days).elevation, -.27, .1, "sunset");
    assert_true(ip_sun_at(golden, days).azimuth > 250 && ip_sun_at(golden, days).azimuth < 262);
    /* At the June solstice the sun stands in the zenith of the tropic of Cancer at noon, and due north at noon in the south. */
    near(ip_sun_at((ip_place){23.44, 0}, ip_moment(2024, 6, 20, 12 + 1.8 / 60)).elevation, 90, .1, "zenith");
    double north = ip_sun_at((ip_place){-33.9, 18.4}, ip_moment(2024, 6, 20, 12 - 18.4 / 15)).azimuth;
    assert_true(north < 1 || north > 359);
    assert_true(ip_sun_at((ip_place){80, 0}, ip_moment(2024, 12, 21, 12)).elevation < -12); /* polar night */
}

static void test_colours(void **state) {
    (void)state;
    ip_light_ask noon, golden, dull, dusk;
    ip_relight_pair pair;
    assert_true(ip_light_preset("midday", &noon) && ip_light_preset("golden-hour", &golden));
    assert_true(ip_light_preset("overcast", &dull) && ip_light_preset("blue-hour", &dusk));
    assert_false(ip_light_preset("noonish", &noon));
    noon.azimuth = 160.6;
    golden.azimuth = -121.4;
    assert_int_equal(ip_daylight_pair(&noon, &golden, &pair), IPOS_OK);
    near(pair.sky[0], 2.02, .02, "sky, red"); /* the figures of the prototype these formulas come from */
    near(pair.sky[1], 1.79, .02, "sky, green");
    near(pair.sky[2], 1.33, .02, "sky, blue");
    near(ip_luminance(pair.now.sun), ip_luminance(pair.old.sun), 1e-9, "one exposure");
    near(ip_luminance(pair.now.ambient), .17 * ip_luminance(pair.old.sun), 1e-9, "ambient");
    assert_true(pair.now.sun[0] / pair.now.sun[2] > 1.8 * pair.old.sun[0] / pair.old.sun[2]); /* warmer light */
    assert_true(pair.now.ambient[0] / pair.now.ambient[2] < pair.now.sun[0] / pair.now.sun[2]); /* cooler shade */
    assert_true(pair.now.toward[0] < -.8 && pair.now.toward[2] < -.4);
    near(pair.now.toward[1], sin(7 * acos(-1) / 180), 1e-9, "up");
    assert_int_equal(ip_daylight_pair(&noon, &noon, &pair), IPOS_OK);
    for (int c = 0; c < 3; c++)
        assert_true(pair.sky[c] == 1 && pair.old.sun[c] == pair.now.sun[c] && pair.old.ambient[c] == pair.now.ambient[c]);
    assert_int_equal(ip_daylight_pair(&noon, &dull, &pair), IPOS_OK);
    assert_true(pair.now.sun[1] == 0 && pair.now.ambient[1] > 2 * pair.old.ambient[1]);
    assert_int_equal(ip_daylight_pair(&noon, &dusk, &pair), IPOS_OK);
    assert_true(pair.now.ambient[2] > 2 * pair.now.ambient[0] && pair.sky[0] < .3);
    noon.elevation = 95;
    assert_int_equal(ip_daylight_pair(&noon, &golden, &pair), IPOS_ERR_ARGUMENT);
    noon.elevation = NAN;
    assert_int_equal(ip_daylight_pair(&noon, &golden, &pair), IPOS_ERR_ARGUMENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_moments), cmocka_unit_test(test_places), cmocka_unit_test(test_the_sun),
        cmocka_unit_test(test_colours)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
