/* A set with its true geometry: a plain, a box on it, a wall behind; y up, the camera looks along -z and moves to the right. */
#include "set_parts.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { WIDTH = 192, HEIGHT = 108, FRAMES = 3 };
static const double FOCAL = .8, EYE = 1.6, STEP = .5;

static const char scene[] =
    "v -40 0 10\nv 40 0 10\nv 40 0 -40\nv -40 0 -40\nf 1 2 3 4\n"
    "v -1 0 -9\nv 1 0 -9\nv 1 3 -9\nv -1 3 -9\nv -1 0 -11\nv 1 0 -11\nv 1 3 -11\nv -1 3 -11\nf 5 6 7 8\nf 9 10 11 12\nf 5 9 12 8\nf 6 10 11 7\nf 8 7 11 12\n"
    "v -40 0 -20\nv 40 0 -20\nv 40 5 -20\nv -40 5 -20\nf 13 14 15 16\n";

typedef struct stage {
    ip_mesh mesh;
    ip_pose pose[FRAMES];
    ip_plane_f luma, sky;
    ip_rays *rays;
    void *kept[FRAMES + 1];
    size_t sizes[FRAMES + 1];
    int recalled, asked_depth;
    ip_image3 light;
} stage;

static void near(double got, double wanted, double within, const char *what) {
    if (!(fabs(got - wanted) <= within))
        fail_msg("%s: %.4f, expected %.4f +- %.4f", what, got, wanted, within);
}

static ipos_status give_luma(void *user, size_t index, const ip_plane_f **out) {
    (void)index;
    *out = &((stage *)user)->luma;
    return IPOS_OK;
}

static ipos_status give_sky(void *user, size_t index, const ip_plane_f **out) {
    (void)index;
    *out = &((stage *)user)->sky;
    return IPOS_OK;
}

static ipos_status give_light(void *user, size_t index, const ip_image3 **out) {
    (void)index;
    *out = &((stage *)user)->light;
    return IPOS_OK;
}

static void open_stage(stage *s) {
    memset(s, 0, sizeof *s);
    assert_int_equal(ip_mesh_parse(scene, strlen(scene), "scene", &s->mesh), IPOS_OK);
    assert_int_equal(ip_rays_new(s->mesh.at, s->mesh.points, s->mesh.corner, s->mesh.triangles, &s->rays), IPOS_OK);
    assert_int_equal(ip_plane_new(WIDTH, HEIGHT, &s->luma), IPOS_OK);
    assert_int_equal(ip_plane_new(WIDTH, HEIGHT, &s->sky), IPOS_OK);
    ip_plane_fill(&s->luma, .5f);
    assert_int_equal(ip_image3_new(WIDTH, HEIGHT, &s->light), IPOS_OK);
    for (int y = 0; y < HEIGHT; y++) /* over the wall */
        for (int x = 0; x < WIDTH; x++)
            ip_row(&s->sky, y)[x] = (.5 * (HEIGHT - 1) - y) / (FOCAL * WIDTH) * 20 + EYE > 5;
    for (int f = 0; f < FRAMES; f++)
        s->pose[f] = (ip_pose){{1, 0, 0, 0, -1, 0, 0, 0, -1}, {-STEP * (f - 1), EYE, 0}};
}

static void close_stage(stage *s) {
    ip_mesh_free(&s->mesh);
    ip_rays_free(s->rays);
    ip_plane_free(&s->luma);
    ip_plane_free(&s->sky);
    ip_image3_free(&s->light);
    for (int i = 0; i <= FRAMES; i++)
        ip_free(s->kept[i]);
}

static ip_set_source source_of(stage *s) {
    return (ip_set_source){{FRAMES, give_luma, NULL, s, NULL}, give_sky, give_light, WIDTH, HEIGHT, 2,
        .given = {.pose = s->pose, .lens = {FOCAL * WIDTH, .5 * (WIDTH - 1), .5 * (HEIGHT - 1)}, .up = {0, 1, 0}, .metres = true, .user = s}};
}

/* The pixel of the middle frame that shows a place: x right, y up, z forward. */
static float value_at(const ip_plane_f *p, double x, double y, double z) {
    return ip_row(p, (int)lround(.5 * (HEIGHT - 1) - FOCAL * WIDTH * (y - EYE) / z))[(int)lround(.5 * (WIDTH - 1) + FOCAL * WIDTH * x / z)];
}

static void check_light(ip_set *set) {
    ip_light_ask old = {90, 45, IP_CLEAR, 1, 0}, now = {-90, 45, IP_CLEAR, 1, 0};
    ip_relight_pair pair;
    ip_surface surface;
    ip_set_frame frame;
    ip_plane_f still;
    assert_int_equal(ip_daylight_pair(&old, &now, &pair), IPOS_OK);
    assert_int_equal(ip_set_cast(set, pair.now.toward), IPOS_OK);
    assert_int_equal(ip_set_look(set, 1, &frame), IPOS_OK);
    assert_int_equal(ip_surface_new(WIDTH, HEIGHT, &surface), IPOS_OK);
    assert_int_equal(ip_plane_new(WIDTH, HEIGHT, &still), IPOS_OK);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            ip_row(&surface.sky, y)[x] = y < 20;
    assert_int_equal(ip_set_surface(set, &frame, &pair, &surface, &still), IPOS_OK);
    near((double)value_at(&frame.kind, 3, 0, 10), IP_IS_GROUND, 0, "kind of the ground");
    near((double)value_at(&frame.kind, 0, 2, 9), IP_IS_UPRIGHT, 0, "kind of the box");
    assert_true(ip_row(&frame.kind, 2)[WIDTH / 2] == IP_IS_SKY);
    assert_true(ip_row(&surface.sky, 2)[WIDTH / 2] == 1 && value_at(&surface.sky, 3, 2, 20) == 0);
    /* A sun to the right, 45 degrees high: 3 m of shadow to the left of the box; the other sun the other way. */
    for (int sun = 0; sun < 2; sun++) {
        double side = sun ? 1 : -1;
        near((double)value_at(&surface.seen[sun], side * 2.5, 0, 10), 0, 0, "in the box's shadow");
        near((double)value_at(&surface.seen[sun], side * 4.6, 0, 10), 1, 0, "beyond it");
        near((double)value_at(&surface.seen[sun], -side * 2.5, 0, 10), 1, 0, "on the sunny side");
        near((double)value_at(&surface.facing[sun], side * 4.6, 0, 10), sqrt(.5), 1e-5, "facing of the ground");
        near((double)value_at(&surface.facing[sun], 0, 2, 9), .02, 1e-6, "facing of the box's front");
    }
    ip_plane_free(&still);
    ip_surface_free(&surface);
    ip_set_frame_free(&frame);
}

static void test_mesh(void **state) {
    (void)state;
    stage s;
    ip_set set;
    ip_set_frame frame;
    open_stage(&s);
    ip_set_source source = source_of(&s);
    source.given.mesh = &s.mesh;
    assert_int_equal(ip_set_build(&source, FOCAL, 1, &set), IPOS_OK); /* the camera's true height is used, not this one */
    assert_string_equal(set.reason, "");
    near(set.known.scale, 1, 0, "scale");
    near(ip_set_horizon(&set), .5, 1e-6, "horizon");
    near(-set.room.wall[0].offset, 20, .2, "wall");
    assert_int_equal(ip_set_look(&set, 1, &frame), IPOS_OK);
    near(1 / (double)value_at(&frame.view.inverse, 0, 2, 9), 9, 1e-3, "depth of the box");
    near(1 / (double)value_at(&frame.view.inverse, 4, 3, 20), 20, 1e-3, "depth of the wall");
    near((double)value_at(&frame.normal[1], 3, 0, 10), 1, 1e-6, "normal of the ground");
    near((double)value_at(&frame.normal[2], 0, 2, 9), -1, 1e-6, "normal of the box");
    ip_set_frame_free(&frame);
    check_light(&set);
    ip_set_free(&set);
    close_stage(&s);
}

/* COLMAP's world has its own unit: the camera's height tells it. */
static void test_unknown_scale(void **state) {
    (void)state;
    stage s;
    ip_set set;
    ip_set_frame frame;
    open_stage(&s);
    ip_set_source source = source_of(&s);
    source.given.mesh = &s.mesh;
    source.given.metres = false;
    assert_int_equal(ip_set_build(&source, FOCAL, 3.2, &set), IPOS_OK);
    near(set.known.scale, 2, .01, "scale");
    assert_int_equal(ip_set_look(&set, 1, &frame), IPOS_OK);
    near(1 / (double)value_at(&frame.view.inverse, 0, 2, 9), 18, .1, "depth of the box");
    ip_set_frame_free(&frame);
    check_light(&set);
    ip_set_free(&set);
    close_stage(&s);
}

static ipos_status give_position(void *user, size_t index, const ip_plane_f at[3]) {
    stage *s = user;
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            float from[3] = {(float)(STEP * ((double)index - 1)), (float)EYE, 0}, n[3], distance = 0;
            float along[3] = {(float)((x - .5 * (WIDTH - 1)) / (FOCAL * WIDTH)), (float)((.5 * (HEIGHT - 1) - y) / (FOCAL * WIDTH)), -1};
            bool hit = ip_rays_first(s->rays, from, along, 0, &distance, n);
            for (int k = 0; k < 3; k++)
                ip_row(&at[k], y)[x] = hit ? from[k] + distance * along[k] : NAN;
        }
    return IPOS_OK;
}

/* Positions alone tell camera, depth and normals; with the mesh they cast its shadows. */
static void test_position(void **state) {
    (void)state;
    for (int with = 0; with < 2; with++) {
        stage s;
        ip_set set;
        open_stage(&s);
        ip_set_source source = source_of(&s);
        source.given.pose = NULL;
        source.given.position = give_position;
        source.given.mesh = with ? &s.mesh : NULL;
        assert_int_equal(ip_set_build(&source, FOCAL, 1, &set), IPOS_OK);
        assert_string_equal(set.reason, "");
        for (size_t f = 0; f < FRAMES; f++) {
            double eye[3];
            ip_pose_centre(&set.path.pose[f], eye);
            near(eye[0], STEP * ((double)f - 1), 5e-3, "x of the camera");
            near(eye[1], EYE, 5e-3, "its height");
        }
        if (with)
            check_light(&set);
        ip_set_free(&set);
        close_stage(&s);
    }
}

static ipos_status recall(void *user, int64_t index, void **bytes, size_t *size) {
    stage *s = user;
    *size = s->sizes[index + 1];
    *bytes = *size ? ip_alloc(*size) : NULL;
    if (*bytes) {
        memcpy(*bytes, s->kept[index + 1], *size);
        s->recalled++;
    }
    return IPOS_OK;
}

static ipos_status keep(void *user, int64_t index, const void *bytes, size_t size) {
    stage *s = user;
    ip_free(s->kept[index + 1]);
    s->kept[index + 1] = ip_alloc(size);
    memcpy(s->kept[index + 1], bytes, s->sizes[index + 1] = size);
    return IPOS_OK;
}

static void same_frame(ip_set *a, ip_set *b, size_t index) {
    ip_set_frame one, two;
    ip_buffer x = {0}, y = {0};
    assert_int_equal(ip_set_look(a, index, &one), IPOS_OK);
    assert_int_equal(ip_set_look(b, index, &two), IPOS_OK);
    ip_set_frame_pack(&one, index, &x);
    ip_set_frame_pack(&two, index, &y);
    assert_int_equal(x.size, y.size);
    assert_memory_equal(x.data, y.data, x.size);
    ip_buffer_free(&x);
    ip_buffer_free(&y);
    ip_set_frame_free(&one);
    ip_set_frame_free(&two);
}

/* What was kept comes back bit for bit and is used; what was cut off or is another frame's is made anew. */
static void test_remembered(void **state) {
    (void)state;
    stage s;
    ip_set plain, first, second;
    open_stage(&s);
    ip_set_source source = source_of(&s);
    source.given.mesh = &s.mesh;
    assert_int_equal(ip_set_build(&source, FOCAL, 1, &plain), IPOS_OK);
    source.recall = recall;
    source.keep = keep;
    assert_int_equal(ip_set_build(&source, FOCAL, 1, &first), IPOS_OK);
    assert_int_equal(s.recalled, 0);
    same_frame(&plain, &first, 1);
    assert_int_equal(ip_set_build(&source, FOCAL, 1, &second), IPOS_OK);
    assert_int_equal(s.recalled, 1);
    same_frame(&plain, &second, 1);
    assert_int_equal(s.recalled, 2);
    assert_memory_equal(&plain.room, &second.room, sizeof plain.room);
    check_light(&second);
    ip_set_free(&second);
    for (int broken = 0; broken < 2; broken++) {
        for (int i = 0; i < 3; i += 2) {
            if (broken)
                s.sizes[i] /= 2;
            else
                ((char *)s.kept[i])[0] ^= 1;
        }
        assert_int_equal(ip_set_build(&source, FOCAL, 1, &second), IPOS_OK);
        same_frame(&plain, &second, 1);
        check_light(&second);
        ip_set_free(&second);
    }
    ip_set_free(&plain);
    ip_set_free(&first);
    close_stage(&s);
}

/* A camera that does not stand in the set that was given. */
static void test_elsewhere(void **state) {
    (void)state;
    stage s;
    ip_set set;
    open_stage(&s);
    ip_set_source source = source_of(&s);
    source.given.mesh = &s.mesh;
    for (int f = 0; f < FRAMES; f++)
        s.pose[f].t[1] = -900; /* far below, looking level */
    assert_int_equal(ip_set_build(&source, FOCAL, 1, &set), IPOS_OK);
    assert_non_null(strstr(set.reason, "in one world, in one unit"));
    ip_set_free(&set);
    close_stage(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mesh), cmocka_unit_test(test_unknown_scale), cmocka_unit_test(test_position),
        cmocka_unit_test(test_remembered), cmocka_unit_test(test_elsewhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
