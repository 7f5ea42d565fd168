/* lib/relight on a set that is known: a street of plain ground, a wall 12 m away, a board before it, seen from a dolly. */
#include "flow.h"
#include "guided.h"
#include "mask.h"
#include "set.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { WIDTH = 256, HEIGHT = 160, FRAMES = 9 };
static const double FOCAL = .9, EYE = 1.6, WALL = 12, BOARD = 8, STEP = .14;

static ip_plane_f plane(int width, int height) {
    ip_plane_f p;
    assert_int_equal(ip_plane_new(width, height, &p), IPOS_OK);
    return p;
}

/* Smooth noise of 0..1 over a lattice. */
static double lattice(int x, int y, int salt) {
    ip_rng rng = ip_rng_at((uint64_t)(salt * 7919 + 13), ((uint64_t)(uint32_t)x << 32) | (uint32_t)y);
    return ip_rng_unit(&rng);
}

static double noise(double x, double y, int salt) {
    int ix = (int)floor(x), iy = (int)floor(y);
    double fx = x - ix, fy = y - iy, sx = fx * fx * (3 - 2 * fx), sy = fy * fy * (3 - 2 * fy);
    double a = lattice(ix, iy, salt), b = lattice(ix + 1, iy, salt), c = lattice(ix, iy + 1, salt), d = lattice(ix + 1, iy + 1, salt);
    return (a * (1 - sx) + b * sx) * (1 - sy) + (c * (1 - sx) + d * sx) * sy;
}

/* What a ray from (eye, EYE, 0) through (dx, dy, 1) sees: brightness below 0 for sky. */
static double seen(double eye, double dx, double dy) {
    double y = EYE + BOARD * dy, x = eye + BOARD * dx;
    if (fabs(x) < .7 && y > 0 && y < 2.4)
        return .2 + .6 * noise(4 * x + 50, 4 * y, 3);
    if (dy < 0 && EYE / -dy < WALL) {
        double z = EYE / -dy;
        return .2 + .5 * noise(2.5 * (eye + z * dx), 2.5 * z, 1);
    }
    y = EYE + WALL * dy;
    return y > 4.6 ? -1 : .3 + .5 * noise(2 * (eye + WALL * dx) + 100, 2 * y, 2);
}

typedef struct street {
    ip_image3 light[FRAMES];
    ip_plane_f luma[FRAMES], sky[FRAMES], flow[FRAMES][2][2];
} street;

static void build_street(street *s) {
    memset(s, 0, sizeof *s);
    for (int f = 0; f < FRAMES; f++) {
        assert_int_equal(ip_image3_new(WIDTH, HEIGHT, &s->light[f]), IPOS_OK);
        s->luma[f] = plane(WIDTH, HEIGHT);
        s->sky[f] = plane(WIDTH, HEIGHT);
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++) {
                double sum = 0, sky = 0;
                for (int k = 0; k < 4; k++) {
                    double dx = (x + (k & 1 ? .25 : -.25) - .5 * (WIDTH - 1)) / (FOCAL * WIDTH), dy = (.5 * (HEIGHT - 1) - y - (k & 2 ? .25 : -.25)) / (FOCAL * WIDTH);
                    double v = seen(STEP * (f - FRAMES / 2), dx, dy);
                    sum += v < 0 ? .5 : v;
                    sky += v < 0;
                }
                for (int c = 0; c < 3; c++)
                    ip_row(&s->light[f].c[c], y)[x] = (float)(sky > 2 ? (c == 2 ? .8 : c == 1 ? .45 : .25) : sum / 4);
            }
        ip_display_luma(&s->light[f], &s->luma[f], 2);
        assert_int_equal(ip_sky_find(&s->light[f], 2, &s->sky[f]), IPOS_OK);
    }
}

static void free_street(street *s) {
    for (int f = 0; f < FRAMES; f++) {
        ip_image3_free(&s->light[f]);
        ip_plane_free(&s->luma[f]);
        ip_plane_free(&s->sky[f]);
        for (int k = 0; k < 2; k++)
            ip_planes_free(s->flow[f][k], 2);
    }
}

static ipos_status give_luma(void *user, size_t index, const ip_plane_f **out) {
    *out = &((street *)user)->luma[index];
    return IPOS_OK;
}

static ipos_status give_sky(void *user, size_t index, const ip_plane_f **out) {
    *out = &((street *)user)->sky[index];
    return IPOS_OK;
}

static ipos_status give_light(void *user, size_t index, const ip_image3 **out) {
    *out = &((street *)user)->light[index];
    return IPOS_OK;
}

static ipos_status give_flow(void *user, size_t index, int forward, const ip_plane_f **out) {
    street *s = user;
    if (!s->flow[index][forward][0].data) {
        ip_plane_f code[2] = {plane(WIDTH, HEIGHT), plane(WIDTH, HEIGHT)};
        for (int k = 0; k < 2; k++)
            for (int y = 0; y < HEIGHT; y++)
                for (int x = 0; x < WIDTH; x++)
                    ip_row(&code[k], y)[x] = 255 * ip_row(&s->luma[k ? (forward ? index + 1 : index - 1) : index], y)[x];
        ip_flow_options options = {.finest = 0, .threads = 2};
        IP_TRY(ip_flow(&code[0], &code[1], &options, s->flow[index][forward]));
        ip_planes_free(code, 2);
    }
    *out = s->flow[index][forward];
    return IPOS_OK;
}

static void near(double got, double wanted, double within, const char *what) {
    if (!(fabs(got - wanted) <= within))
        fail_msg("%s: %.4f, expected %.4f +- %.4f", what, got, wanted, within);
}

/* The pixel of the middle frame that shows a place. */
static void pixel_of(double x, double y, double z, int out[2]) {
    out[0] = (int)lround(.5 * (WIDTH - 1) + FOCAL * WIDTH * x / z);
    out[1] = (int)lround(.5 * (HEIGHT - 1) - FOCAL * WIDTH * (y - EYE) / z);
}

static float value_at(const ip_plane_f *p, double x, double y, double z) {
    int at[2];
    pixel_of(x, y, z, at);
    return ip_row(p, at[1])[at[0]];
}

static void test_set(void **state) {
    (void)state;
    street s;
    ip_set set;
    ip_set_frame frame;
    build_street(&s);
    ip_set_source source = {{FRAMES, give_luma, give_flow, &s, NULL}, give_sky, give_light, WIDTH, HEIGHT, 2};
    assert_int_equal(ip_set_build(&source, FOCAL, EYE, &set), IPOS_OK);
    assert_string_equal(set.reason, "");
    assert_true(set.path.error < .3);
    near(ip_set_horizon(&set), .5, .02, "horizon");
    assert_true(set.room.walls >= 1);
    near(-set.room.wall[0].offset, WALL, .08 * WALL, "wall");
    assert_true(set.room.wall[0].normal[2] < -.98);
    assert_int_equal(ip_set_look(&set, set.middle, &frame), IPOS_OK);
    near(1 / (double)value_at(&frame.view.inverse, 3, 3, WALL), WALL, .08 * WALL, "depth of the wall");
    near(1 / (double)value_at(&frame.view.inverse, 0, 1.2, BOARD), BOARD, .08 * BOARD, "depth of the board");
    near((double)value_at(&frame.kind, 3, 3, WALL), IP_IS_UPRIGHT, 0, "kind of the wall");
    near((double)value_at(&frame.kind, 2, 0, 6), IP_IS_GROUND, 0, "kind of the ground");
    near((double)value_at(&frame.kind, 0, 1.4, BOARD), IP_IS_THING, 0, "kind of the board");
    assert_true(ip_row(&frame.kind, 3)[WIDTH / 2] == IP_IS_SKY);
    /* A sun behind the camera to its left throws the board's shadow 4 m to the right, about 1 m further down. */
    ip_light_ask old = {170, 58, IP_CLEAR, 1, 0}, now = {-135, 10, IP_CLEAR, 1, 0};
    ip_relight_pair pair;
    ip_surface surface;
    ip_plane_f still = plane(WIDTH, HEIGHT);
    assert_int_equal(ip_daylight_pair(&old, &now, &pair), IPOS_OK);
    assert_int_equal(ip_set_cast(&set, pair.now.toward), IPOS_OK);
    assert_int_equal(ip_surface_new(WIDTH, HEIGHT, &surface), IPOS_OK);
    assert_int_equal(ip_set_surface(&set, &frame, &pair, &surface, &still), IPOS_OK);
    assert_true(value_at(&surface.seen[IP_NEW_SUN], 4.1, .6, WALL) < .3f);
    assert_true(value_at(&surface.seen[IP_NEW_SUN], -4, .6, WALL) > .9f);
    assert_true(value_at(&surface.seen[IP_NEW_SUN], 4.1, 4, WALL) > .9f);
    near((double)value_at(&surface.facing[IP_NEW_SUN], 3, 3, WALL), -pair.now.toward[2], .12, "facing of the wall");
    near((double)value_at(&surface.facing[IP_NEW_SUN], 2, 0, 6), pair.now.toward[1], .01, "facing of the ground");
    assert_true(value_at(&still, 0, 1.4, BOARD) == 0 && value_at(&still, 3, 3, WALL) == 1);
    ip_plane_free(&still);
    ip_surface_free(&surface);
    ip_set_frame_free(&frame);
    ip_set_free(&set);
    free_street(&s);
}

/* The same picture over and over: no parallax, and it is said. */
static void test_locked_camera(void **state) {
    (void)state;
    street s;
    ip_set set;
    build_street(&s);
    for (int f = 1; f < FRAMES; f++)
        ip_plane_copy(&s.luma[f], &s.luma[0]);
    ip_set_source source = {{FRAMES, give_luma, give_flow, &s, NULL}, give_sky, give_light, WIDTH, HEIGHT, 2};
    assert_int_equal(ip_set_build(&source, FOCAL, EYE, &set), IPOS_OK);
    assert_true(set.reason[0] != 0);
    ip_set_free(&set);
    free_street(&s);
}

/* 1 / z of the street; -1 in the sky. */
static ipos_status give_depth(void *user, size_t index, const ip_plane_f *inverse) {
    (void)user;
    double eye = STEP * ((double)index - FRAMES / 2);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            double dx = (x - .5 * (WIDTH - 1)) / (FOCAL * WIDTH), dy = (.5 * (HEIGHT - 1) - y) / (FOCAL * WIDTH), z = EYE + WALL * dy > 4.6 ? -1 : WALL;
            if (dy < 0)
                z = fmin(WALL, EYE / -dy);
            if (fabs(eye + BOARD * dx) < .7 && EYE + BOARD * dy > 0 && EYE + BOARD * dy < 2.4)
                z = BOARD;
            ip_row(inverse, y)[x] = (float)(1 / z);
        }
    return IPOS_OK;
}

static void check_path(const ip_set *set, double within) {
    for (size_t f = 1; f < FRAMES; f++) {
        double a[3], b[3];
        ip_pose_centre(&set->path.pose[f - 1], a);
        ip_pose_centre(&set->path.pose[f], b);
        near(b[0] - a[0], STEP, within, "step of the camera");
        near(b[1], EYE, .05, "height of the camera");
    }
}

/* Depth in metres alone: it tells the camera and its scale, whatever height is said. */
static void test_given_depth(void **state) {
    (void)state;
    street s;
    ip_set set;
    ip_set_frame frame;
    build_street(&s);
    ip_set_source source = {{FRAMES, give_luma, give_flow, &s, NULL}, give_sky, give_light, WIDTH, HEIGHT, 2, .given = {.depth = give_depth, .user = &s}};
    assert_int_equal(ip_set_build(&source, FOCAL, 1, &set), IPOS_OK);
    assert_string_equal(set.reason, "");
    check_path(&set, .2 * STEP);
    near(-set.room.wall[0].offset, WALL, .01 * WALL, "wall");
    assert_int_equal(ip_set_look(&set, set.middle, &frame), IPOS_OK);
    near((double)value_at(&frame.kind, 0, 1.4, BOARD), IP_IS_THING, 0, "kind of the board");
    double toward[3];
    ip_sun_toward(-135, 10, toward);
    assert_int_equal(ip_set_cast(&set, toward), IPOS_OK);
    assert_true(set.caster.far && set.caster.cell < .1); /* the sky's depth is no place that casts a shadow */
    near((double)value_at(&frame.normal[1], 2, 0, 6), 1, .02, "normal of the ground");
    near((double)value_at(&frame.normal[2], 3, 3, WALL), -1, .02, "normal of the wall");
    ip_set_frame_free(&frame);
    ip_set_free(&set);
    free_street(&s);
}

/* A track without a unit: a depth in metres tells it; without one the height of the camera does. */
static void test_given_camera(void **state) {
    (void)state;
    for (int with = 0; with < 2; with++) {
        street s;
        ip_set set;
        ip_set_frame frame;
        ip_pose pose[FRAMES];
        build_street(&s);
        for (int f = 0; f < FRAMES; f++) /* y up, looking along -z, in units of 3 m */
            pose[f] = (ip_pose){{1, 0, 0, 0, -1, 0, 0, 0, -1}, {-STEP * (f - FRAMES / 2) / 3, EYE / 3, 0}};
        ip_set_source source = {{FRAMES, give_luma, give_flow, &s, NULL}, give_sky, give_light, WIDTH, HEIGHT, 2,
            .given = {.pose = pose, .lens = {FOCAL * WIDTH, .5 * (WIDTH - 1), .5 * (HEIGHT - 1)}, .up = {0, 1, 0}, .depth = with ? give_depth : NULL, .user = &s}};
        assert_int_equal(ip_set_build(&source, .5, with ? 1 : EYE, &set), IPOS_OK);
        assert_string_equal(set.reason, "");
        check_path(&set, .05 * STEP);
        near(-set.room.wall[0].offset, WALL, .05 * WALL, "wall");
        assert_int_equal(ip_set_look(&set, set.middle, &frame), IPOS_OK);
        near(1 / (double)value_at(&frame.view.inverse, 0, 1.2, BOARD), BOARD, .05 * BOARD, "depth of the board");
        ip_set_frame_free(&frame);
        ip_set_free(&set);
        free_street(&s);
    }
}

static void test_same_light(void **state) {
    (void)state;
    ip_light_ask noon = {150, 58, IP_CLEAR, 1, 0};
    ip_relight_pair pair;
    ip_surface surface;
    ip_image3 gain;
    ip_regrade how = {0, 1, 1, 6};
    assert_int_equal(ip_daylight_pair(&noon, &noon, &pair), IPOS_OK);
    assert_int_equal(ip_surface_new(64, 48, &surface), IPOS_OK);
    assert_int_equal(ip_image3_new(64, 48, &gain), IPOS_OK);
    ip_plane_fill(&surface.seen[IP_OLD_SUN], .3f);
    assert_int_equal(ip_regrade_gain(&surface, &pair, &how, 2, &gain, NULL, NULL), IPOS_OK);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < 48; y++)
            for (int x = 0; x < 64; x++)
                assert_true(ip_row(&gain.c[c], y)[x] == 0);
    ip_image3_free(&gain);
    ip_surface_free(&surface);
}

/* Of a low sun less gets to what faces it, of a high one nearly all; the old one is not touched. */
static void test_guess(void **state) {
    (void)state;
    ip_light_ask noon = {150, 58, IP_CLEAR, 1, 0}, evening = {-170, 7, IP_CLEAR, 1, 0};
    ip_relight_pair pair;
    ip_surface open, between;
    assert_int_equal(ip_daylight_pair(&noon, &evening, &pair), IPOS_OK);
    assert_int_equal(ip_surface_new(32, 64, &open), IPOS_OK);
    assert_int_equal(ip_surface_new(32, 64, &between), IPOS_OK);
    near((double)ip_gets_through(pair.old.toward), .95, .01, "of noon's sun");
    near((double)ip_gets_through(pair.now.toward), .6, .02, "of evening's sun");
    ip_surface_guess(&pair, .5f, 1, &open);
    ip_surface_guess(&pair, .5f, ip_gets_through(pair.now.toward), &between);
    for (int y = 0; y < 64; y += 21) {
        near((double)ip_row(&between.facing[IP_OLD_SUN], y)[5], (double)ip_row(&open.facing[IP_OLD_SUN], y)[5], 0, "facing noon's sun");
        near((double)ip_row(&between.facing[IP_NEW_SUN], y)[5] / (double)ip_row(&open.facing[IP_NEW_SUN], y)[5], .6, .02, "facing evening's sun");
    }
    assert_true(ip_row(&open.facing[IP_NEW_SUN], 0)[5] > 2 * ip_row(&open.facing[IP_NEW_SUN], 63)[5]); /* walls more than ground */
    ip_surface_free(&open);
    ip_surface_free(&between);
}

/* A lit thing before a wall in shade: softened shadows end at its outline, while those on the wall alone are soft. */
static void test_outlines(void **state) {
    (void)state;
    enum { WIDE = 640, HIGH = 16, EDGE = 300, SHADE = 100 };
    ip_light_ask noon = {150, 58, IP_CLEAR, 1, 0}, evening = {-120, 7, IP_CLEAR, 1, 0};
    ip_relight_pair pair;
    ip_surface surface;
    ip_image3 gain;
    ip_regrade how = {0, 1, 1, 6};
    assert_int_equal(ip_daylight_pair(&noon, &evening, &pair), IPOS_OK);
    assert_int_equal(ip_surface_new(WIDE, HIGH, &surface), IPOS_OK);
    assert_int_equal(ip_image3_new(WIDE, HIGH, &gain), IPOS_OK);
    ip_plane_fill(&surface.sky, 0);
    ip_plane_fill(&surface.ground, 0);
    for (int y = 0; y < HIGH; y++)
        for (int x = 0; x < WIDE; x++) {
            ip_row(&surface.thing, y)[x] = x >= EDGE;
            ip_row(&surface.seen[IP_NEW_SUN], y)[x] = x < SHADE || x >= EDGE;
        }
    assert_int_equal(ip_regrade_gain(&surface, &pair, &how, 2, &gain, NULL, NULL), IPOS_OK);
    const float *row = ip_row(&gain.c[0], HIGH / 2);
    float shade = row[200], lit = row[500];
    assert_true(lit > shade + 1);
    assert_true(fabsf(row[EDGE - 4] - shade) < .05f && fabsf(row[EDGE + 3] - lit) < .05f);
    assert_true(row[SHADE + 3] > shade + .2f && row[SHADE - 4] < lit - .05f);
    ip_image3_free(&gain);
    ip_surface_free(&surface);
}

static void test_masks(void **state) {
    (void)state;
    ip_plane_f mask = plane(30, 20), tmp = plane(30, 20), grey = plane(30, 20);
    int32_t *labels;
    ip_piece *pieces;
    size_t count;
    for (int y = 5; y < 9; y++)
        for (int x = 4; x < 10; x++)
            ip_row(&mask, y)[x] = 1;
    ip_row(&mask, 15)[20] = ip_row(&mask, 16)[21] = 1; /* touch at a corner */
    assert_int_equal(ip_mask_pieces(&mask, &labels, &pieces, &count), IPOS_OK);
    assert_int_equal(count, 2);
    assert_int_equal(pieces[0].area, 24);
    assert_int_equal(pieces[1].area, 2);
    assert_int_equal(pieces[1].box.x, 20);
    assert_int_equal(labels[6 * 30 + 5], 1);
    ip_free(labels);
    ip_free(pieces);
    ip_mask_open(&mask, &tmp, 1); /* what is under 3 pixels goes, the rest keeps its shape */
    double sum = 0;
    for (int y = 0; y < 20; y++)
        for (int x = 0; x < 30; x++)
            sum += (double)ip_row(&mask, y)[x];
    assert_true(sum == 24);
    /* A step in the guide stays a step in what it guides. */
    for (int y = 0; y < 20; y++)
        for (int x = 0; x < 30; x++) {
            ip_row(&grey, y)[x] = x >= 15;
            ip_row(&mask, y)[x] = x >= 13;
        }
    assert_int_equal(ip_guided(&grey, &mask, &mask, 4, 1e-3f, 2), IPOS_OK);
    assert_true(ip_row(&mask, 10)[14] < .6f && ip_row(&mask, 10)[15] > .85f && ip_row(&mask, 10)[2] < .05f);
    ip_plane_free(&mask);
    ip_plane_free(&tmp);
    ip_plane_free(&grey);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_masks), cmocka_unit_test(test_same_light), cmocka_unit_test(test_guess), cmocka_unit_test(test_outlines),
        cmocka_unit_test(test_locked_camera),
        cmocka_unit_test(test_set), cmocka_unit_test(test_given_depth), cmocka_unit_test(test_given_camera)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
