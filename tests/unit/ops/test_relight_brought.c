/* Relighting with a camera and a mesh brought along; what it finds out as layers, brought along again. */
#include "fake_host.h"
#include "relight_op.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { WIDE = 160, HIGH = 96, SKY = 20, FRAMES = 3, FLOWS = 2 * (FRAMES - 1) };
static const double EYE = 1.6;

static const char scene[] = /* ground, a box 3 m high 9 m away, a wall 20 m away: the world is z up, the camera looks along y */
    "v -40 -10 0\nv 40 -10 0\nv 40 40 0\nv -40 40 0\nf 1 2 3 4\n"
    "v -1 9 0\nv 1 9 0\nv 1 9 3\nv -1 9 3\nv -1 11 0\nv 1 11 0\nv 1 11 3\nv -1 11 3\nf 5 6 7 8\nf 9 10 11 12\nf 5 9 12 8\nf 6 10 11 7\nf 8 7 11 12\n"
    "v -40 20 0\nv 40 20 0\nv 40 20 5\nv -40 20 5\nf 13 14 15 16\n";
static const char camera[] = "{\"interpos_camera\":1,\"up\":\"z\",\"focal\":0.8,\"frames\":["
    "{\"number\":0,\"matrix\":[[1,0,0,-0.5],[0,0,-1,0],[0,1,0,1.6]]},{\"number\":1,\"matrix\":[[1,0,0,0],[0,0,-1,0],[0,1,0,1.6]]},"
    "{\"number\":2,\"matrix\":[[1,0,0,0.5],[0,0,-1,0],[0,1,0,1.6]]}]}";

static ipos_status frame_of(int64_t number, ipos_frame **out) {
    static const ipos_channel channels[3] = {{"B", IPOS_F16, 1, 1}, {"G", IPOS_F16, 1, 1}, {"R", IPOS_F16, 1, 1}};
    static const float sky[3] = {.6f, .3f, .15f};
    ipos_box window = {-3, 5, WIDE, HIGH};
    (void)number;
    IP_TRY(ip_frame_new(&window, NULL, channels, 3, NULL, NULL, out));
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < HIGH; y++)
            for (int x = 0; x < WIDE; x++) {
                float value = y < SKY ? sky[c] : .4f;
                ip_channel *to = &(*out)->channels[c];
                ip_samples_from_float(to->type, &value, to->data + y * to->row_stride + x * to->pixel_stride, to->pixel_stride, 1);
            }
    return ipos_frame_set_encoding(*out, "linear");
}

static float value_of(const ipos_frame *frame, const char *name, int x, int y) {
    int64_t index = ipos_frame_find_channel(frame, name);
    float value;
    if (index < 0)
        fail_msg("no channel %s", name);
    const ip_channel *channel = &frame->channels[index];
    ip_samples_to_float(channel->type, channel->data + y * channel->row_stride + x * channel->pixel_stride, channel->pixel_stride, &value, 1);
    return value;
}

static float at(const ipos_frame *frame, const char *name, double x, double y, double z) {
    return value_of(frame, name, (int)lround(.5 * (WIDE - 1) + .8 * WIDE * x / z), (int)lround(.5 * (HIGH - 1) - .8 * WIDE * (y - EYE) / z));
}

static void near(double got, double wanted, double within, const char *what) {
    if (!(fabs(got - wanted) <= within))
        fail_msg("%s: %.4f, expected %.4f +- %.4f", what, got, wanted, within);
}

static char mesh_path[] = "/tmp/interpos_brought_XXXXXX";
static const ipos_rational times[] = {{0, 1}, {1, 1}, {2, 1}};
static ipos_frame *layers[FRAMES]; /* of the first run */

static int write_mesh(void **state) {
    (void)state;
    int fd = mkstemp(mesh_path);
    return fd < 0 || write(fd, scene, sizeof scene - 1) != (ssize_t)(sizeof scene - 1) || close(fd) != 0;
}

static int remove_mesh(void **state) {
    (void)state;
    for (int f = 0; f < FRAMES; f++)
        ipos_frame_release(layers[f]);
    return unlink(mesh_path);
}

static void open_fake(fake_host *fake, const char *const *options) {
    fake_open(fake, &ip_op_relight_spec, 0, FRAMES - 1, "linear", frame_of, options);
    fake_times(fake, times, FRAMES);
}

static void check_layers(const ipos_frame *evidence) {
    near((double)at(evidence, "depth.Z", 0, 2, 9), 9, .01, "depth of the box");
    near((double)at(evidence, "depth.Z", 4, 3, 20), 20, .02, "depth of the wall");
    near((double)at(evidence, "normal.Y", 3, 0, 10), 1, 1e-3, "normal of the ground");
    near((double)at(evidence, "normal.Z", 0, 2, 9), 1, 1e-3, "normal of the box, towards the viewer");
    near((double)at(evidence, "matte.ground", 3, 0, 10), 1, .01, "ground");
    assert_true(value_of(evidence, "depth.Z", 80, 2) == 0 && value_of(evidence, "matte.sky", 80, 2) > .9f && at(evidence, "matte.sky", 3, 3, 20) < .1f);
    assert_true(value_of(evidence, "evidence", 80, 60) == 0 && value_of(evidence, "confidence", 80, 60) == 1);
}

static ipos_status give_layers(int64_t number, ipos_frame **out) {
    *out = layers[number];
    ipos_frame_retain(*out);
    return IPOS_OK;
}

static void bring_again(const char *const *options) {
    fake_host fake;
    open_fake(&fake, options);
    fake_role(&fake, "depth", 0, FRAMES - 1, "data", give_layers);
    fake_role(&fake, "normals", 0, FRAMES - 1, "data", give_layers);
    if (ip_op_relight.run(&fake.host) != IPOS_OK)
        fail_msg("%s", ipos_last_error());
    assert_non_null(strstr(fake.details, "camera, depth, normals brought along"));
    check_layers(fake_evidence(&fake, "geometry", times[1]));
    fake_close(&fake);
}

static const char *text_of(const json_t *colmap, const char *name) {
    const char *text = json_string_value(json_object_get(colmap, name));
    if (!text)
        fail_msg("no %s", name);
    return text;
}

/* All of them on the ground, the wall or the box. */
static void check_points(const char *text) {
    size_t count = 0;
    for (const char *line = strchr(text, '\n') + 1; *line; line = strchr(line, '\n') + 1, count++) {
        double v[4];
        assert_int_equal(sscanf(line, "%lf %lf %lf %lf", &v[0], &v[1], &v[2], &v[3]), 4);
        bool on = fabs(v[2]) < .02 || fabs(v[3] + 20) < .05 || (fabs(v[1]) < 1.02 && v[3] < -8.95 && v[3] > -11.05);
        if (!on)
            fail_msg("point %zu at %g %g %g lies on nothing", count, v[1], v[2], v[3]);
    }
    assert_true(count > 100);
}

static void test_round_trip(void **state) {
    (void)state;
    const char *const options[] = {"camera", camera, "mesh", mesh_path, "old_azimuth", "90", "old_elevation", "45", "azimuth", "-90", "elevation", "45",
        "variants", "full,geometry", NULL};
    fake_host fake;
    open_fake(&fake, options);
    if (ip_op_relight.run(&fake.host) != IPOS_OK)
        fail_msg("%s", ipos_last_error());
    assert_non_null(strstr(fake.details, "camera, mesh brought along"));
    assert_non_null(strstr(fake.details, "\"triangles\":14"));
    assert_int_equal(fake.variant_count, 2);
    ipos_frame *evidence = fake_evidence(&fake, "geometry", times[1]), *made = fake_picture(&fake, "geometry", times[1]), *source;
    check_layers(evidence);
    near((double)at(evidence, "matte.old_shadow", -2.5, 0, 10), 1, .1, "old shadow"); /* the plain picture does not show it */
    near((double)at(evidence, "matte.new_shadow", 2.5, 0, 10), 1, .01, "new shadow");
    near((double)at(evidence, "matte.new_shadow", -2.5, 0, 10), 0, .01, "no new shadow");
    assert_true(evidence->channels[ipos_frame_find_channel(evidence, "depth.Z")].type == IPOS_F32);
    assert_int_equal(frame_of(1, &source), IPOS_OK);
    for (size_t c = 0; c < 3; c++)
        for (int y = 0; y < HIGH; y++)
            assert_memory_equal(source->channels[c].data + y * source->channels[c].row_stride, made->channels[c].data + y * made->channels[c].row_stride, WIDE * 2);
    ipos_frame_release(source);
    /* The box's shadow on the ground is darker than the ground beside it; the old one is lifted. */
    const ipos_frame *full = fake_picture(&fake, "full", times[1]);
    assert_true(at(full, "G", 2.5, 0, 10) < .4f * at(full, "G", 4.6, 0, 10));
    assert_true(at(full, "G", -2.5, 0, 10) > 1.5f * at(full, "G", -4.6, 0, 10));
    for (int f = 0; f < FRAMES; f++) {
        layers[f] = fake_evidence(&fake, "geometry", times[f]);
        ipos_frame_retain(layers[f]);
    }
    char *details = strdup(fake.details);
    fake_close(&fake);
    /* Again, from the layers and the track of the first run: as JSON, and as COLMAP's text. */
    json_t *made_of = json_loads(details, 0, NULL), *colmap = json_object_get(json_array_get(json_object_get(made_of, "shots"), 0), "colmap");
    assert_non_null(strstr(text_of(colmap, "cameras"), "SIMPLE_PINHOLE 160 96 128 80 48\n"));
    check_points(text_of(colmap, "points3D"));
    const char *const json[] = {"camera", details, "variants", "geometry", NULL};
    const char *const texts[] = {"camera", text_of(colmap, "images"), "camera_models", text_of(colmap, "cameras"), "up", "y", "metres", "1", "variants", "geometry", NULL};
    bring_again(json);
    bring_again(texts);
    json_decref(made_of);
    free(details);
}

/* Normals packed into 0..1, as pictures have them. */
static ipos_status packed(int64_t number, ipos_frame **out) {
    static const ipos_channel channels[3] = {{"X", IPOS_F32, 1, 1}, {"Y", IPOS_F32, 1, 1}, {"Z", IPOS_F32, 1, 1}};
    ipos_box window = {-3, 5, WIDE, HIGH};
    (void)number;
    IP_TRY(ip_frame_new(&window, NULL, channels, 3, NULL, NULL, out));
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < HIGH; y++)
            for (int x = 0; x < WIDE; x++) {
                float value = c == 1 ? .6f : .2f;
                memcpy((*out)->channels[c].data + y * (*out)->channels[c].row_stride + x * (*out)->channels[c].pixel_stride, &value, sizeof value);
            }
    return ipos_frame_set_encoding(*out, "data");
}

static ipos_status light(int64_t number, ipos_frame **out) {
    return frame_of(number, out);
}

static void refused(const char *const *options, const char *role, const char *encoding, ipos_status (*make)(int64_t, ipos_frame **), const char *says) {
    fake_host fake;
    open_fake(&fake, options);
    if (role)
        fake_role(&fake, role, 0, FRAMES - 1, encoding, make);
    if (ip_op_relight.run(&fake.host) == IPOS_OK)
        fail_msg("%s: taken, though \"%s\" was expected", role ? role : options[0], says);
    if (!strstr(ipos_last_error(), says))
        fail_msg("\"%s\" does not say \"%s\"", ipos_last_error(), says);
    assert_int_equal(fake.emits, 0);
    fake_close(&fake);
}

static void test_refused(void **state) {
    (void)state;
    static const char one[] = "{\"interpos_camera\":1,\"focal\":0.8,\"frames\":[{\"number\":0,\"matrix\":[[1,0,0,0],[0,1,0,0],[0,0,1,0]]}]}";
    refused((const char *const[]){"mesh", mesh_path, NULL}, NULL, NULL, NULL, "mesh: where the camera stands");
    refused((const char *const[]){"camera", one, NULL}, NULL, NULL, NULL, "camera: frame 1 is not in it (it has 0 to 0)");
    refused((const char *const[]){"camera", camera, "mesh", "/nowhere.ply", NULL}, NULL, NULL, NULL, "/nowhere.ply");
    refused((const char *const[]){"camera", camera, "metres", "two", NULL}, NULL, NULL, NULL, "metres: \"two\"");
    refused((const char *const[]){"camera", camera, NULL}, "depth", "linear", light, "ingest it with the encoding data");
    refused((const char *const[]){"camera", camera, "mesh", mesh_path, NULL}, "normals", "data", packed, "not packed into 0 to 1");
    refused((const char *const[]){"normals_axes", "world", NULL}, "normals", "data", packed, "normals: how the world lies");
    refused((const char *const[]){"camera", camera, NULL}, "position", "data", light, "position: frame 1 of the shot");
    refused((const char *const[]){"camera", camera, NULL}, NULL, NULL, NULL, "what was brought along does not make a set"); /* nothing to follow */
    refused((const char *const[]){"depth_along", "ray", NULL}, "depth", "data", packed, "need the camera's lens");
}

/* A project's cache. */
static struct {
    char key[65];
    void *bytes;
    size_t size;
} kept[64];
static int kept_count, recalled;

static ipos_status recall(ip_op_host *host, const char *key, void **bytes, size_t *size) {
    (void)host;
    *bytes = NULL;
    for (int i = 0; i < kept_count; i++)
        if (!strcmp(kept[i].key, key)) {
            *bytes = ip_alloc(kept[i].size);
            memcpy(*bytes, kept[i].bytes, *size = kept[i].size);
            recalled++;
        }
    return IPOS_OK;
}

static ipos_status keep(ip_op_host *host, const char *key, const void *bytes, size_t size) {
    (void)host;
    assert_true(kept_count < 64);
    snprintf(kept[kept_count].key, sizeof kept->key, "%s", key);
    kept[kept_count].bytes = ip_alloc(size);
    memcpy(kept[kept_count].bytes, bytes, kept[kept_count].size = size);
    kept_count++;
    return IPOS_OK;
}

static void light_with(fake_host *fake, const char *old_azimuth, const char *azimuth, bool remember) {
    const char *const options[] = {"camera", camera, "mesh", mesh_path, "old_azimuth", old_azimuth, "old_elevation", "45", "azimuth", azimuth, "elevation",
        "40", NULL};
    open_fake(fake, options);
    fake->host.recall = remember ? recall : NULL;
    fake->host.keep = remember ? keep : NULL;
    if (ip_op_relight.run(&fake->host) != IPOS_OK)
        fail_msg("%s", ipos_last_error());
}

static void same_bits(const ipos_frame *a, const ipos_frame *b) {
    assert_true(a && b && a->channel_count == b->channel_count);
    for (size_t c = 0; c < a->channel_count; c++)
        for (int y = 0; y < HIGH; y++)
            assert_memory_equal(a->channels[c].data + y * a->channels[c].row_stride, b->channels[c].data + y * b->channels[c].row_stride,
                (size_t)WIDE * (size_t)a->channels[c].pixel_stride);
}

/* With what earlier lights left behind, a light comes out bit for bit as without; anew: how much it had to find. */
static void check_remembered(const char *old_azimuth, const char *azimuth, int anew) {
    fake_host plain, with;
    int before = kept_count;
    light_with(&plain, old_azimuth, azimuth, false);
    light_with(&with, old_azimuth, azimuth, true);
    assert_int_equal(kept_count - before, anew);
    assert_int_equal(plain.emits, with.emits);
    for (int i = 0; i < plain.emits; i++) {
        same_bits(plain.emitted[i].picture, with.emitted[i].picture);
        same_bits(plain.emitted[i].evidence, with.emitted[i].evidence);
    }
    fake_close(&plain);
    fake_close(&with);
}

static void test_second_light(void **state) {
    (void)state;
    check_remembered("90", "-90", 2 + 3 * FRAMES + FLOWS); /* the set, the grain; shape, sky and old shadows of every frame */
    recalled = 0;
    check_remembered("90", "-90", 0);
    assert_true(recalled >= 2 + 3 * FRAMES + FLOWS);
    check_remembered("90", "-30", 0);
    check_remembered("70", "-30", FRAMES); /* another old sun has other shadows */
    for (int i = 0; i < kept_count; i++)
        ip_free(kept[i].bytes);
    kept_count = 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip), cmocka_unit_test(test_second_light), cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, write_mesh, remove_mesh);
}
