/* Strokes as areas and bands, gobos on a room, the old sun from shadows, the grain of lifted shadows. */
#include "daylight.h"
#include "gobo.h"
#include "lift_grain.h"
#include "old_sun.h"
#include "sky_glow.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { WIDTH = 320, HEIGHT = 180 };
static const double EYE = 1.7, WALL = 14;
static const ip_lens lens = {.9 * WIDTH, .5 * (WIDTH - 1), .5 * (HEIGHT - 1)};

static void near(double got, double wanted, double within, const char *what) {
    if (!(fabs(got - wanted) <= within))
        fail_msg("%s: %g, expected %g within %g", what, got, wanted, within);
}

static void test_brush(void **state) {
    (void)state;
    static const ip_point box[5] = {{10, 10}, {30, 10}, {30, 20}, {10, 20}, {10, 10}}, line[3] = {{0, 0}, {10, 0}, {10, 10}};
    ip_brush brush;
    assert_true(ip_is_area(box, 5) && !ip_is_area(box, 4) && !ip_is_area(line, 3));
    assert_int_equal(ip_brush_make(box, 5, 3, 2, &brush), IPOS_OK);
    near(ip_brush_at(&brush, 20, 15), 1, 0, "inside");
    near(ip_brush_at(&brush, 30, 15), .5, 1e-6, "on the edge");
    near(ip_brush_at(&brush, 31.1f, 15), 0, 0, "outside");
    near(ip_brush_at(&brush, NAN, 15), 0, 0, "nowhere");
    ip_brush_free(&brush);
    assert_int_equal(ip_brush_make(line, 3, 3, 2, &brush), IPOS_OK);
    near(ip_brush_at(&brush, 5, 0), 1, 0, "along a band");
    near(ip_brush_at(&brush, 5, -3), .5, 1e-6, "at its edge");
    near(ip_brush_at(&brush, 13, 5), .5, 1e-6, "after its bend");
    near(ip_brush_at(&brush, 4, 7), 0, 0, "in the bend, which is no area");
    ip_brush_free(&brush);
}

static ip_pose pose_at(double x) {
    return (ip_pose){{1, 0, 0, 0, -1, 0, 0, 0, 1}, {-x, EYE, 0}};
}

static ip_room make_room(void) {
    ip_room room = {.walls = 1, .scale = 1};
    room.wall[0] = (ip_wall){{0, 0, -1}, -WALL, -60, 60, 1};
    return room;
}

static ip_point seen_at(const ip_pose *pose, double x, double y, double z) {
    double world[3] = {x, y, z}, c[3];
    ip_pose_apply(pose, world, c);
    return (ip_point){(float)(lens.focal * c[0] / c[2] + lens.cx), (float)(lens.focal * c[1] / c[2] + lens.cy)};
}

static void test_gobo(void **state) {
    (void)state;
    ip_room room = make_room();
    ip_pose pose = pose_at(0);
    static const double corner[5][2] = {{-1, 6}, {1, 6}, {1, 8}, {-1, 8}, {-1, 6}};
    double toward[3], in[3] = {0, 0, 7}, out[3] = {2, 0, 7}, over[3], wall[3] = {0, 2, WALL};
    ip_point at[5];
    ip_gobo gobo;
    for (int i = 0; i < 5; i++)
        at[i] = seen_at(&pose, corner[i][0], 0, corner[i][1]);
    ip_sun_toward(-120, 30, toward);
    assert_int_equal(ip_gobo_lay(&room, &pose, &lens, at, 5, 1, 2, "stroke 1", &gobo), IPOS_OK);
    near(ip_gobo_at(&gobo, in, toward), 1, 1e-6, "on the ground inside");
    near(ip_gobo_at(&gobo, out, toward), 0, 1e-6, "on the ground outside");
    for (int k = 0; k < 3; k++)
        over[k] = in[k] + 2 * toward[k]; /* the head of who stands there */
    near(ip_gobo_at(&gobo, over, toward), 1, 1e-6, "on the way from the sun");
    over[0] += 1.5;
    near(ip_gobo_at(&gobo, over, toward), 0, 1e-6, "beside that way");
    in[1] = -1;
    near(ip_gobo_at(&gobo, in, toward), 0, 1e-6, "under the ground");
    near(ip_gobo_at(&gobo, wall, toward), 0, 1e-6, "on the wall");
    ip_gobo_free(&gobo);
    /* On the wall. */
    static const double hole[5][2] = {{-1, 1}, {1, 1}, {1, 3}, {-1, 3}, {-1, 1}};
    for (int i = 0; i < 5; i++)
        at[i] = seen_at(&pose, hole[i][0], hole[i][1], WALL);
    assert_int_equal(ip_gobo_lay(&room, &pose, &lens, at, 5, 1, 2, "stroke 1", &gobo), IPOS_OK);
    near(ip_gobo_at(&gobo, wall, toward), 1, 1e-6, "on the wall inside");
    wall[1] = 4;
    near(ip_gobo_at(&gobo, wall, toward), 0, 1e-6, "on the wall outside");
    ip_gobo_free(&gobo);
    /* A gobo that reaches over the horizon, and one where there is nothing. */
    at[0] = at[4] = (ip_point){WIDTH / 2, HEIGHT - 1};
    at[1] = (ip_point){WIDTH / 2 + 30, HEIGHT - 1};
    at[2] = (ip_point){WIDTH / 2 + 30, HEIGHT - 20};
    at[3] = (ip_point){WIDTH / 2, 20};
    assert_int_equal(ip_gobo_lay(&room, &pose, &lens, at, 5, 1, 2, "stroke 7", &gobo), IPOS_ERR_ARGUMENT);
    assert_non_null(strstr(ipos_last_error(), "stroke 7: point 3"));
    room.walls = 0;
    for (int i = 0; i < 5; i++)
        at[i].y = 5 + (float)i;
    assert_int_equal(ip_gobo_lay(&room, &pose, &lens, at, 5, 1, 2, "stroke 7", &gobo), IPOS_ERR_ARGUMENT);
    assert_non_null(strstr(ipos_last_error(), "use add"));
    ip_gobo_free(&gobo);
}

/* Three boards before a wall, as the set finder would give them. */
static void build_frame(const ip_room *room, double x, ip_set_frame *f) {
    static const double board[3][4] = {{-4, -3, 2.4, 9}, {-.5, .7, 1.6, 8}, {3, 4.2, 3, 10}}; /* left, right, high, away */
    ip_plane_f *planes[] = {&f->view.inverse, &f->view.agreeing, &f->room, &f->wall, &f->kind};
    *f = (ip_set_frame){.view.pose = pose_at(x)};
    for (size_t i = 0; i < IP_COUNT(planes); i++)
        assert_int_equal(ip_plane_new(WIDTH, HEIGHT, planes[i]), IPOS_OK);
    for (int y = 0; y < HEIGHT; y++)
        for (int px = 0; px < WIDTH; px++) {
            ip_room_hit hit = ip_room_at(room, &f->view.pose, &lens, px, y);
            ip_row(&f->room, y)[px] = hit.depth;
            ip_row(&f->wall, y)[px] = (float)hit.what;
            ip_row(&f->view.inverse, y)[px] = 1 / hit.depth;
            ip_row(&f->view.agreeing, y)[px] = 5;
            ip_row(&f->kind, y)[px] = hit.what < 0 ? IP_IS_SKY : hit.what ? IP_IS_UPRIGHT : IP_IS_GROUND;
            for (int b = 0; b < 3; b++) {
                double wx = x + (px - lens.cx) / lens.focal * board[b][3], wy = EYE - (y - lens.cy) / lens.focal * board[b][3];
                if (wx > board[b][0] && wx < board[b][1] && wy > 0 && wy < board[b][2]) {
                    ip_row(&f->view.inverse, y)[px] = (float)(1 / board[b][3]);
                    ip_row(&f->kind, y)[px] = IP_IS_THING;
                }
            }
        }
}

typedef struct shaded {
    ip_set_frame frame[2];
    ip_plane_f shade[2], still[2];
    ip_old_sun_view view[2];
} shaded;

/* The shadows of a sun, and noise that is none of it. */
static void shade_set(const ip_room *room, double azimuth, double elevation, float noise, shaded *s) {
    const ip_set_frame *frames[2] = {&s->frame[0], &s->frame[1]};
    double toward[3];
    ip_caster caster;
    ip_rng rng = ip_rng_at(3, 1);
    ip_sun_toward(azimuth, elevation, toward);
    for (int i = 0; i < 2; i++)
        build_frame(room, .8 * i, &s->frame[i]);
    assert_int_equal(ip_caster_make(room, frames, 2, &lens, toward, &caster), IPOS_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ip_plane_new(WIDTH, HEIGHT, &s->shade[i]), IPOS_OK);
        assert_int_equal(ip_plane_new(WIDTH, HEIGHT, &s->still[i]), IPOS_OK);
        ip_plane_f behind;
        assert_int_equal(ip_plane_new(WIDTH, HEIGHT, &behind), IPOS_OK);
        assert_int_equal(ip_cast_behind(room, &s->frame[i], &lens, 1, &behind), IPOS_OK);
        ip_caster_seen(&caster, &behind, &s->frame[i], &lens, 1, &s->shade[i]);
        ip_plane_free(&behind);
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++) {
                float kind = ip_row(&s->frame[i].kind, y)[x], *shade = &ip_row(&s->shade[i], y)[x];
                ip_row(&s->still[i], y)[x] = kind == IP_IS_GROUND || kind == IP_IS_UPRIGHT;
                *shade = (float)ip_rng_below(&rng, 1000) < 1000 * noise ? (float)ip_rng_below(&rng, 2) : 1 - *shade;
            }
        s->view[i] = (ip_old_sun_view){&s->frame[i], &s->shade[i], &s->still[i]};
    }
    ip_caster_free(&caster);
}

static void shaded_free(shaded *s) {
    for (int i = 0; i < 2; i++) {
        ip_set_frame_free(&s->frame[i]);
        ip_plane_free(&s->shade[i]);
        ip_plane_free(&s->still[i]);
    }
}

static void test_old_sun(void **state) {
    (void)state;
    static const double suns[][2] = {{-140, 42}, {155, 33}, {-100, 55}};
    ip_room room = make_room();
    ip_old_sun sun;
    for (size_t i = 0; i < IP_COUNT(suns); i++) {
        shaded s;
        shade_set(&room, suns[i][0], suns[i][1], .3f, &s);
        assert_int_equal(ip_old_sun_find(s.view, 2, &room, &lens, NAN, 2, NULL, &sun), IPOS_OK);
        assert_string_equal(sun.reason, "");
        near(sun.azimuth, suns[i][0], 5, "azimuth");
        near(sun.elevation, suns[i][1], 5, "elevation");
        assert_true(sun.confidence > .5f);
        assert_int_equal(ip_old_sun_find(s.view, 2, &room, &lens, suns[i][1], 1, NULL, &sun), IPOS_OK);
        near(sun.azimuth, suns[i][0], 4, "azimuth where the elevation is told");
        assert_true(sun.elevation == suns[i][1]);
        shaded_free(&s);
    }
}

static bool never(void *user) {
    (void)user;
    return false;
}

static void test_no_old_sun(void **state) {
    (void)state;
    ip_room room = make_room();
    ip_old_sun sun;
    shaded s;
    shade_set(&room, 160, 45, 1, &s); /* nothing but noise */
    assert_int_equal(ip_old_sun_find(s.view, 2, &room, &lens, NAN, 2, NULL, &sun), IPOS_OK);
    assert_true(sun.reason[0] && sun.confidence < .3f);
    ip_pulse pulse = {never, NULL};
    assert_int_equal(ip_old_sun_find(s.view, 2, &room, &lens, NAN, 2, &pulse, &sun), IPOS_ERR_CANCELLED);
    for (int i = 0; i < 2; i++)
        ip_plane_fill(&s.shade[i], 0);
    assert_int_equal(ip_old_sun_find(s.view, 2, &room, &lens, NAN, 2, NULL, &sun), IPOS_OK);
    assert_non_null(strstr(sun.reason, "hardly any shadow"));
    shaded_free(&s);
}

/* Grain of a sensor: variance of light .0004 v + 1e-6, the same for all channels. */
static float sensor(float light) {
    return .0004f * light + 1e-6f;
}

static ip_grain grain_of(const ip_encoding *encoding) {
    ip_grain grain = {.measurable = true, .confidence = 1, .frames = 8, .lag_error = .01f, .dispersion = 1};
    for (int i = 0; i < IP_GRAIN_BINS; i++) {
        float code = .04f + .92f * ((float)i + .5f) / IP_GRAIN_BINS, ends[2] = {code - .001f, code + .001f}, middle = code;
        ip_from_working(encoding, ends, 2);
        ip_from_working(encoding, &middle, 1);
        float slope = .002f / (ends[1] - ends[0]);
        grain.bins[i] = (ip_grain_bin){code, {0}, 1, 100};
        for (int c = 0; c < 3; c++)
            grain.bins[i].variance[c] = sensor(middle) * slope * slope;
    }
    for (int c = 0; c < 3; c++) {
        grain.autocorrelation[c][IP_GRAIN_REACH][IP_GRAIN_REACH] = 1;
        grain.channels[c][c] = 1;
    }
    return grain;
}

static double deviation_of(const ip_plane_f *p, int x0, int x1) {
    double sum = 0, squares = 0, n = 0;
    for (int y = 16; y < p->height - 16; y++)
        for (int x = x0; x < x1; x++) {
            double v = (double)ip_row(p, y)[x];
            sum += v;
            squares += v * v;
            n++;
        }
    return sqrt(squares / n - sum / n * (sum / n));
}

static void test_lift_grain(void **state) {
    (void)state;
    const ip_encoding *encoding = ip_encoding_find("linear");
    ip_grain grain = grain_of(encoding);
    ip_image3 light, was;
    ip_plane_f stops;
    ip_rng rng = ip_rng_at(5, 1);
    enum { W = 256, H = 128 };
    const float shade = .06f, lit = .4f, lift = lit / shade;
    assert_int_equal(ip_image3_new(W, H, &light), IPOS_OK);
    assert_int_equal(ip_image3_new(W, H, &was), IPOS_OK);
    assert_int_equal(ip_plane_new(W, H, &stops), IPOS_OK);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            ip_row(&stops, y)[x] = x < W / 2 ? log2f(lift) : 0;
            for (int c = 0; c < 3; c++) {
                float base = x < W / 2 ? shade : lit, normal = 0;
                for (int k = 0; k < 12; k++)
                    normal += (float)ip_rng_below(&rng, 1 << 20) / (1 << 20) - .5f;
                ip_row(&light.c[c], y)[x] = base + normal * sqrtf(sensor(base));
            }
        }
    ip_row(&light.c[0], 40)[40] = NAN;
    for (int c = 0; c < 3; c++)
        ip_plane_copy(&was.c[c], &light.c[c]);
    double before = deviation_of(&light.c[1], 16, W / 2 - 16) * lift / deviation_of(&light.c[1], W / 2 + 16, W - 16);
    assert_int_equal(ip_lift_grain(&grain, encoding, &stops, 0, NULL, NULL, 1, NULL, &light), IPOS_OK);
    assert_memory_equal(ip_row(&light.c[1], 60), ip_row(&was.c[1], 60), W * sizeof(float));
    assert_int_equal(ip_lift_grain(&grain, encoding, &stops, 1, NULL, NULL, 2, NULL, &light), IPOS_OK);
    double after = deviation_of(&light.c[1], 16, W / 2 - 16) * lift / deviation_of(&light.c[1], W / 2 + 16, W - 16);
    assert_true(before > 2.2);
    near(after, 1, .1, "grain of what is lifted over that around it");
    for (int y = 0; y < H; y++) /* the rest keeps its bits */
        assert_memory_equal(ip_row(&light.c[0], y) + W / 2, ip_row(&was.c[0], y) + W / 2, W / 2 * sizeof(float));
    assert_true(isnan(ip_row(&light.c[0], 40)[40]));
    ip_image3_free(&light);
    ip_image3_free(&was);
    ip_plane_free(&stops);
}

static void test_sky_glow(void **state) {
    (void)state;
    ip_light_ask noon = {170, 58, IP_CLEAR, 1, 0}, evening = {10, 7, IP_CLEAR, 1, 0}, behind = {-170, 7, IP_CLEAR, 1, 0};
    ip_relight_pair pair;
    ip_image3 gain;
    ip_plane_f sky;
    const ip_sky_view view = {NULL, lens, .5 * HEIGHT};
    near(ip_sky_glow_at(0), 10 * (1 - exp(-1.5 * 3.14159265358979)), 1e-9, "at the sun");
    near(ip_sky_glow_at(.5), 10 * (exp(-1.5) - exp(-1.5 * 3.14159265358979)), 1e-9, "half a radian away");
    near(ip_sky_glow_at(1.6), 0, 0, "beyond a right angle");
    assert_int_equal(ip_image3_new(WIDTH, HEIGHT, &gain), IPOS_OK);
    assert_int_equal(ip_plane_new(WIDTH, HEIGHT, &sky), IPOS_OK);
    for (int y = 0; y < HEIGHT / 2; y++)
        for (int x = 0; x < WIDTH; x++)
            ip_row(&sky, y)[x] = 1;
    assert_int_equal(ip_daylight_pair(&noon, &behind, &pair), IPOS_OK);
    ip_sky_glow(&pair, &view, 1, 2, &sky, &gain);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++)
                assert_true(ip_row(&gain.c[c], y)[x] <= 0 && ip_row(&gain.c[c], y)[x] > -.6f); /* little of the old sun high over the view */
    for (int c = 0; c < 3; c++)
        ip_plane_fill(&gain.c[c], .25f);
    assert_int_equal(ip_daylight_pair(&evening, &evening, &pair), IPOS_OK);
    ip_sky_glow(&pair, &view, 1, 2, &sky, &gain);
    assert_true(ip_row(&gain.c[0], 20)[200] == .25f);
    assert_int_equal(ip_daylight_pair(&noon, &evening, &pair), IPOS_OK);
    ip_sky_glow(&pair, &view, 1, 1, &sky, &gain);
    int x = (int)(lens.cx + lens.focal * tan(10 / 57.29578)), y = (int)(.5 * HEIGHT - lens.focal * tan(7 / 57.29578) / cos(10 / 57.29578));
    double rgb[3], level;
    for (int c = 0; c < 3; c++)
        rgb[c] = log2(1 + ip_sky_glow_at(0) * pair.now.sun[c] / ip_luminance(pair.now.sun));
    level = ip_luminance(rgb);
    for (int c = 0; c < 3; c++)
        near(ip_row(&gain.c[c], y)[x], .25 + rgb[c] - level + level / (1 + level / .8), .05, "at the sun");
    assert_true(ip_row(&gain.c[2], 5)[300] < ip_row(&gain.c[0], 5)[300]);
    assert_true(ip_row(&gain.c[0], 5)[300] > ip_row(&gain.c[0], 5)[20] && ip_row(&gain.c[0], HEIGHT - 5)[x] == .25f);
    ip_image3_free(&gain);
    ip_plane_free(&sky);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_brush), cmocka_unit_test(test_gobo), cmocka_unit_test(test_old_sun),
        cmocka_unit_test(test_no_old_sun), cmocka_unit_test(test_lift_grain), cmocka_unit_test(test_sky_glow)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
