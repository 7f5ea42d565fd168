/* Tracks and meshes from elsewhere: what is understood, what is refused and in which words; rays through a box. */
#include "given_camera.h"
#include "mesh.h"
#include "rays.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void near(double got, double wanted, double within, const char *what) {
    if (!(fabs(got - wanted) <= within))
        fail_msg("%s: %.6f, expected %.6f +- %.6f", what, got, wanted, within);
}

static void says(const char *part) {
    if (!strstr(ipos_last_error(), part))
        fail_msg("\"%s\" does not say \"%s\"", ipos_last_error(), part);
}

static ip_mesh parsed(const char *text) {
    ip_mesh mesh;
    if (ip_mesh_parse(text, strlen(text), "set", &mesh) != IPOS_OK)
        fail_msg("%s", ipos_last_error());
    return mesh;
}

static void test_obj(void **state) {
    (void)state;
    ip_mesh mesh = parsed("# a comment\nmtllib x.mtl\nv 0 0 0\nv 1 0 0 1.0\r\nv 1 1 0\nv 0 1 0\nvt 0 0\nvn 0 0 1\nf 1/1/1 2//1 3/1 4\nf -4 -3 -2\nf 1 2\n");
    assert_int_equal(mesh.points, 4);
    assert_int_equal(mesh.triangles, 3);
    static const uint32_t corners[9] = {0, 1, 2, 0, 2, 3, 0, 1, 2};
    assert_memory_equal(mesh.corner, corners, sizeof corners);
    assert_true(mesh.at[3] == 1 && mesh.at[7] == 1 && mesh.at[10] == 1);
    ip_mesh_free(&mesh);
}

static const char ply_head[] = "ply\nformat ascii 1.0\ncomment made by hand\nelement vertex 4\nproperty double x\nproperty float y\nproperty float z\n"
    "property uchar red\nelement edge 1\nproperty int vertex1\nelement face 2\nproperty uchar flag\nproperty list uchar int vertex_indices\nend_header\n";

static void test_ply_ascii(void **state) {
    (void)state;
    char text[1024];
    snprintf(text, sizeof text, "%s0 0 0 9\n1 0 0 9\n1 1 0 9\n0 1.5 0 9\n7\n1 4 0 1 2 3\n1 3 0 1 2\n", ply_head);
    ip_mesh mesh = parsed(text);
    assert_int_equal(mesh.points, 4);
    assert_int_equal(mesh.triangles, 3);
    assert_true(mesh.at[10] == 1.5f && mesh.corner[5] == 3);
    ip_mesh_free(&mesh);
}

/* One triangle, binary; bytes at the end can be left out. */
static size_t binary(char *to, size_t room) {
    static const float at[12] = {0, 0, 0, 1, 2, 0, 0, 3, 0, 1, 0, 0};
    static const uint8_t count = 3;
    static const int32_t corner[3] = {0, 1, 2};
    int head = snprintf(to, room, "ply\r\nformat binary_little_endian 1.0\r\nelement vertex 3\r\nproperty float x\r\nproperty float y\r\nproperty float z\r\n"
        "property float quality\r\nelement face 1\r\nproperty list uchar int vertex_index\r\nend_header\r\n");
    memcpy(to + head, at, sizeof at);
    to[(size_t)head + sizeof at] = (char)count;
    memcpy(to + head + sizeof at + 1, corner, sizeof corner);
    return (size_t)head + sizeof at + 1 + sizeof corner;
}

static void test_ply_binary(void **state) {
    (void)state;
    char bytes[1024];
    size_t size = binary(bytes, sizeof bytes);
    ip_mesh mesh;
    assert_int_equal(ip_mesh_parse(bytes, size, "set.ply", &mesh), IPOS_OK);
    assert_int_equal(mesh.triangles, 1);
    assert_true(mesh.at[3] == 2 && mesh.at[4] == 0 && mesh.at[6] == 0); /* quality is passed over */
    ip_mesh_free(&mesh);
    for (size_t cut = 0; cut < size; cut++) { /* wherever it ends */
        char *part = malloc(cut + 1);
        memcpy(part, bytes, cut);
        part[cut] = 0;
        assert_int_equal(ip_mesh_parse(part, cut, "set.ply", &mesh), IPOS_ERR_FORMAT);
        assert_null(mesh.at);
        free(part);
    }
    bytes[size - 12] = 7; /* a corner */
    assert_int_equal(ip_mesh_parse(bytes, size, "set.ply", &mesh), IPOS_ERR_FORMAT);
    says("set.ply, byte ");
    says("names point 7 of 3");
}

static void test_broken_meshes(void **state) {
    (void)state;
    static const struct { const char *text, *says; } cases[] = {
        {"v 0 0 0\nv 1 zero 0\n", "set, line 2: \"zero\" is no number"},
        {"v 0 0\n", "set, line 1: a point with 2 numbers"},
        {"v 0 0 inf\n", "set, line 1: "},
        {"v 0 0 0\nf 1 1 2\n", "set, line 2: a face names point 1 of 1"},
        {"v 0 0 0\nf 1 1 0\n", "counted from 1"},
        {"v 0 0 0\n", "there is no triangle in it"},
        {"", "there is no triangle in it"},
        {"ply\nformat binary_big_endian 1.0\nend_header\n", "line 2: format \"binary_big_endian\""},
        {"ply\nelement vertex 1\nend_header\n", "names no format"},
        {"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nend_header\n", "has no x, y, z"},
        {"ply\nformat ascii 1.0\nelement vertex 1\nproperty real x\nend_header\n", "line 4: \"real\" is no type"},
        {"ply\nformat ascii 1.0\nelement vertex -1\nend_header\n", "expected element NAME COUNT"},
        {"ply\nformat ascii 1.0\nproperty float x\nend_header\n", "before the first element"},
        {"ply\nformat ascii 1.0\nhello\n", "line 3: \"hello\""},
        {"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\nproperty float z\nend_header\n1 2\n", "line 8: fewer numbers"}};
    for (size_t i = 0; i < IP_COUNT(cases); i++) {
        ip_mesh mesh;
        assert_int_equal(ip_mesh_parse(cases[i].text, strlen(cases[i].text), "set", &mesh), IPOS_ERR_FORMAT);
        says(cases[i].says);
    }
    ip_mesh mesh;
    assert_int_not_equal(ip_mesh_read("/nowhere/set.ply", &mesh), IPOS_OK);
    says("/nowhere/set.ply");
}

#define MATRIX "\"matrix\":[[1,0,0,3],[0,1,0,1.5],[0,0,1,-2]]"

static void test_camera_json(void **state) {
    (void)state;
    ip_given_words words = {.metres = -1};
    ip_given_camera camera;
    assert_int_equal(ip_given_camera_read("{\"interpos_camera\":1,\"up\":\"z\",\"metres\":0.5,\"focal\":0.9,\"frames\":[{\"number\":7," MATRIX "},{\"number\":3,"
        MATRIX ",\"note\":\"x\"}]}", &words, &camera), IPOS_OK);
    assert_int_equal(camera.count, 2);
    assert_true(camera.number[0] == 3 && camera.number[1] == 7);
    assert_true(ip_given_camera_index(&camera, 7) == 1 && ip_given_camera_index(&camera, 4) == 2);
    near(camera.focal, .9, 0, "focal");
    assert_true(camera.up[2] == 1 && camera.up[1] == 0);
    /* It looks along -z with y up: what lies 5 units before it, and 1 up, is at 0,-.5,2.5 m of our camera. */
    const ip_pose *p = &camera.pose[0];
    double world[3] = {1.5, 1.25, -3.5}, c[3];
    for (int i = 0; i < 3; i++)
        c[i] = p->r[3 * i] * world[0] + p->r[3 * i + 1] * world[1] + p->r[3 * i + 2] * world[2] + p->t[i];
    near(c[0], 0, 1e-9, "x");
    near(c[1], -.5, 1e-9, "y");
    near(c[2], 2.5, 1e-9, "z");
    ip_given_camera_free(&camera);
}

static void test_broken_cameras(void **state) {
    (void)state;
    static const struct { const char *text, *says; } cases[] = {
        {"{", "camera: line 1"},
        {"{\"focal\":1,\"frames\":[]}", "interpos_camera is missing"},
        {"{\"interpos_camera\":2,\"focal\":1,\"frames\":[]}", "interpos_camera is 2: expected 1"},
        {"{\"interpos_camera\":1,\"frames\":[]}", "focal is missing"},
        {"{\"interpos_camera\":1,\"focal\":\"35mm\",\"frames\":[]}", "focal is \"35mm\""},
        {"{\"interpos_camera\":1,\"focal\":1,\"frames\":[]}", "there is no frame"},
        {"{\"interpos_camera\":1,\"focal\":1,\"up\":\"x\",\"frames\":[]}", "up is \"x\""},
        {"{\"interpos_camera\":1,\"focal\":1,\"looks\":\"x\",\"frames\":[]}", "looks is \"x\""},
        {"{\"interpos_camera\":1,\"focal\":1,\"frames\":[{\"number\":1.5," MATRIX "}]}", "frames[0].number is 1.5"},
        {"{\"interpos_camera\":1,\"focal\":1,\"frames\":[{\"number\":1,\"matrix\":[[2,0,0,0],[0,2,0,0],[0,0,2,0]]}]}", "(frame 1)"},
        {"{\"interpos_camera\":1,\"focal\":1,\"frames\":[{\"number\":1,\"matrix\":[[1,0,0,0],[0,1,0,0],[0,0,-1,0]]}]}", "no mirror"},
        {"{\"interpos_camera\":1,\"focal\":1,\"frames\":[{\"number\":1,\"matrix\":[[1,0,0],[0,1,0],[0,0,1]]}]}", "three rows of four numbers"},
        {"{\"interpos_camera\":1,\"focal\":1,\"frames\":[{\"number\":1," MATRIX "},{\"number\":1," MATRIX "}]}", "frame 1 is there twice"},
        {"{\"interpos_camera\":1,\"focal\":1,\"frames\":[{\"number\":1," MATRIX "},{\"number\":2,\"focal\":1.2," MATRIX "}]}", "zooms"}};
    ip_given_words words = {.metres = -1};
    for (size_t i = 0; i < IP_COUNT(cases); i++) {
        ip_given_camera camera;
        assert_int_equal(ip_given_camera_read(cases[i].text, &words, &camera), IPOS_ERR_FORMAT);
        says(cases[i].says);
        assert_null(camera.pose);
    }
}

static void test_colmap(void **state) {
    (void)state;
    static const char models[] = "# Camera list\n1 SIMPLE_RADIAL 1000 500 800 500 250 0.01\n", images[] =
        "# Image list\n12 0.7071067811865476 0 0.7071067811865476 0 1 2 3 1 shot_v02.1004.exr\n10 20 -1 30 40 5\n13 1 0 0 0 0 0 0 1 shot_v02.1003.exr\n\n";
    ip_given_words words = {.metres = -1, .models = models};
    ip_given_camera camera;
    assert_int_equal(ip_given_camera_read(images, &words, &camera), IPOS_OK);
    assert_true(camera.count == 2 && camera.number[0] == 1003 && camera.number[1] == 1004);
    near(camera.focal, .8, 1e-12, "focal");
    near(camera.centre[1], .5, 1e-12, "centre");
    assert_true(camera.up[1] == -1 && camera.metres == 0);
    assert_non_null(strstr(camera.warning, "distortion"));
    static const double turned[9] = {0, 0, 1, 0, 1, 0, -1, 0, 0};
    for (int i = 0; i < 9; i++)
        near(camera.pose[1].r[i], turned[i], 1e-12, "rotation");
    near(camera.pose[1].t[2], 3, 0, "place");
    ip_given_camera_free(&camera);
    static const struct { const char *images, *models, *says; } cases[] = {
        {images, NULL, "camera_models=@cameras.txt"}, {images, "# none\n", "there is no camera in it"},
        {images, "1 FISHEYE 10 10 5 5 5\n", "camera model \"FISHEYE\""}, {images, "1 PINHOLE 10 10 5 6 5 5\n", "not square"},
        {images, "2 PINHOLE 10 10 5 5 5 5\n", "camera 1 is not in camera_models"}, {images, "1 PINHOLE 10 10 5\n", "line 1: the focal length down is missing"},
        {"1 1 0 0 0 0 0 zero 1 a1.exr\n", models, "line 1: TZ is \"zero\""}, {"1 2 0 0 0 0 0 0 1 a1.exr\n", models, "quaternion of length 2"},
        {"1 1 0 0 0 0 0 0 1 still.exr\n", models, "the frame's number"}};
    for (size_t i = 0; i < IP_COUNT(cases); i++) {
        words.models = cases[i].models;
        assert_int_not_equal(ip_given_camera_read(cases[i].images, &words, &camera), IPOS_OK);
        says(cases[i].says);
    }
}

/* What is written reads back, in the mirrored axes of a set (z forward). */
static void test_written(void **state) {
    (void)state;
    double a = .3;
    ip_pose pose[2] = {{{1, 0, 0, 0, -1, 0, 0, 0, 1}, {-.2, 1.7, .1}}, {{cos(a), 0, -sin(a), 0, -1, 0, sin(a), 0, cos(a)}, {.5, 1.6, -.3}}};
    int64_t number[2] = {1001, 1002};
    ip_lens lens = {568.9, 319.5, 180.25};
    ip_buffer text = {0};
    ip_given_words words = {.metres = -1};
    ip_given_camera camera;
    ip_buffer_printf(&text, "{\"other\":1,\"shots\":[{\"camera\":");
    ip_given_camera_write(&text, number, pose, 2, &lens, 640, 360);
    ip_buffer_printf(&text, "}]}");
    char *all = ip_buffer_take(&text);
    assert_int_equal(ip_given_camera_read(all, &words, &camera), IPOS_OK);
    ip_free(all);
    near(camera.focal * 640, lens.focal, 1e-6, "focal");
    near(camera.centre[1] * 360 - .5, lens.cy, 1e-6, "centre");
    for (int f = 0; f < 2; f++)
        for (int i = 0; i < 3; i++) {
            for (int k = 0; k < 3; k++)
                near(camera.pose[f].r[3 * i + k], k == 2 ? -pose[f].r[3 * i + k] : pose[f].r[3 * i + k], 1e-8, "rotation");
            near(camera.pose[f].t[i], pose[f].t[i], 1e-8, "place");
        }
    ip_given_camera_free(&camera);
}

/* A rotation by angle around an axis of length 1, then into a set's axes (z forward). */
static void turned(double angle, double ax, double ay, double az, double r[9]) {
    double c = cos(angle), s = sin(angle), d = 1 - c;
    double m[9] = {c + ax * ax * d, ax * ay * d - az * s, ax * az * d + ay * s, ay * ax * d + az * s, c + ay * ay * d, ay * az * d - ax * s,
        az * ax * d - ay * s, az * ay * d + ax * s, c + az * az * d};
    for (int k = 0; k < 9; k++)
        r[k] = k % 3 == 2 ? -m[k] : m[k];
}

/* COLMAP's text reads back: through every way to a quaternion, and points where their frames show them. */
static void test_written_colmap(void **state) {
    (void)state;
    static const double turn[6][4] = {{.3, 0, 1, 0}, {3.1, 1, 0, 0}, {3.1, 0, 1, 0}, {3.1, 0, 0, 1}, {-3, .6, 0, .8}, {0, 1, 0, 0}};
    int64_t number[6] = {7, 8, 9, 10, 11, 12345};
    ip_pose pose[6];
    ip_lens lens = {568.9, 319.25, 180.5};
    ip_given_point point[3] = {{{.5, 1, 4}, 0, 0, 0, {255, 0, 9}}, {{-1, .25, 6}, 0, 0, 0, {1, 2, 3}}, {{2, -1, -5}, 0, 0, 4, {0, 128, 0}}};
    ip_given_files files = {{0}};
    for (int f = 0; f < 6; f++) {
        turned(turn[f][0], turn[f][1], turn[f][2], turn[f][3], pose[f].r);
        for (int k = 0; k < 3; k++)
            pose[f].t[k] = .1 * (f + 1) - .3 * k;
    }
    ip_given_colmap_write(&files, number, pose, 6, &lens, 640, 360, point, 3, .0625);
    char *cameras = ip_buffer_take(&files.cameras), *images = ip_buffer_take(&files.images), *points = ip_buffer_take(&files.points);
    ip_given_words words = {.up = "y", .metres = 1, .models = cameras};
    ip_given_camera camera;
    assert_int_equal(ip_given_camera_read(images, &words, &camera), IPOS_OK);
    assert_true(camera.count == 6 && camera.number[5] == 12345 && camera.up[1] == 1 && camera.metres == 1 && !camera.warning[0]);
    near(camera.focal * 640, lens.focal, 1e-6, "focal");
    near(camera.centre[0] * 640 - .5, lens.cx, 1e-6, "centre");
    near(camera.centre[1] * 360 - .5, lens.cy, 1e-6, "centre");
    for (int f = 0; f < 6; f++)
        for (int i = 0; i < 3; i++) {
            for (int k = 0; k < 3; k++)
                near(camera.pose[f].r[3 * i + k], k == 2 ? -pose[f].r[3 * i + k] : pose[f].r[3 * i + k], 1e-9, "rotation");
            near(camera.pose[f].t[i], pose[f].t[i], 1e-8, "place");
        }
    ip_given_camera_free(&camera);
    assert_non_null(strstr(images, "1 0007.png\n0 0 1 0 0 2 \n2 ")); /* two points, then the next image */
    assert_non_null(strstr(points, "\n2 -1 0.25 -6 1 2 3 0.0625 1 1\n3 2 -1 5 0 128 0 0.0625 5 0\n"));
    ip_free(cameras);
    ip_free(images);
    ip_free(points);
}

static void test_rays(void **state) {
    (void)state;
    ip_mesh mesh = parsed("v -1 -1 5\nv 1 -1 5\nv 1 1 5\nv -1 1 5\nf 1 2 3 4\n");
    ip_rays *rays;
    assert_int_equal(ip_rays_new(mesh.at, mesh.points, mesh.corner, mesh.triangles, &rays), IPOS_OK);
    ip_mesh_free(&mesh); /* it has its own */
    static const float eye[3] = {0, 0, 0}, ahead[3] = {.1f, 0, 2}, beside[3] = {1, 0, 1}, behind[3] = {0, 0, 9}, back[3] = {0, 0, -1};
    float distance, normal[3];
    assert_true(ip_rays_first(rays, eye, ahead, 0, &distance, normal));
    near((double)distance, 2.5, 1e-6, "distance");
    near((double)normal[2], -1, 1e-6, "normal"); /* towards the eye */
    assert_false(ip_rays_first(rays, eye, beside, 0, &distance, normal));
    assert_true(ip_rays_first(rays, behind, back, 0, &distance, normal));
    near((double)normal[2], 1, 1e-6, "normal from behind");
    assert_true(ip_rays_stopped(rays, eye, ahead, 0));
    assert_false(ip_rays_stopped(rays, eye, ahead, 3));
    assert_false(ip_rays_stopped(rays, behind, ahead, 0));
    ip_rays_free(rays);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_obj), cmocka_unit_test(test_ply_ascii), cmocka_unit_test(test_ply_binary),
        cmocka_unit_test(test_broken_meshes), cmocka_unit_test(test_camera_json), cmocka_unit_test(test_broken_cameras), cmocka_unit_test(test_colmap),
        cmocka_unit_test(test_written), cmocka_unit_test(test_written_colmap), cmocka_unit_test(test_rays)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
