/* The wire detector: it learns, resumes, is saved, and answers the same in tiles. */
#include "wire_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SIDE = IP_WIRE_PATCH };

/* A bright line at a random height over noise; a prompt over another height means: nothing. */
static ipos_status draw(void *user, ip_rng *rng, ip_wire_example *e) {
    (void)user;
    int line = 10 + (int)ip_rng_below(rng, SIDE - 20);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            int i = y * SIDE + x;
            bool on = y >= line && y < line + 3;
            for (int c = 0; c < 3; c++)
                e->plane[c][i] = .4f + (on ? .4f : 0) + .05f * (float)(ip_rng_unit(rng) - .5);
            e->plane[3][i] = 0;
            e->plane[4][i] = .5f;
            e->target[i] = on;
            e->weight[i] = 1;
        }
    return IPOS_OK;
}

static ipos_status held_out(void *user, int64_t index, ip_wire_example *e) {
    ip_rng rng = ip_rng_at(99, (uint64_t)index);
    return draw(user, &rng, e);
}

typedef struct kept {
    void *bytes;
    size_t size;
    int64_t stop_at, seen;
} kept;

static ipos_status save(void *user, const void *bytes, size_t size) {
    kept *k = user;
    free(k->bytes);
    k->bytes = malloc(size);
    memcpy(k->bytes, bytes, size);
    k->size = size;
    return IPOS_OK;
}

static ipos_status progress(void *user, double done, const char *stage, const char *extra) {
    kept *k = user;
    (void)stage, (void)extra;
    return k->stop_at && done > .5 && k->seen++ >= 0 ? ip_fail(IPOS_ERR_CANCELLED, "stop") : IPOS_OK;
}

static ip_wire_training plan(kept *k, int64_t steps) {
    return (ip_wire_training){.draw = draw, .held_out = held_out, .held_out_count = 4, .batch = 2,
        .plan = {.steps = steps, .seed = 4, .rate = 4e-3, .warm_up = 5, .ema = .9, .validations = 2, .checkpoint_seconds = 1000},
        .host = {.user = k, .progress = progress, .save_checkpoint = save}};
}

static ip_wire_net *fresh(void) {
    ip_wire_net *net;
    assert_int_equal(ip_wire_net_new(ip_backend(), IP_DEVICE_CPU, 1, &net), IPOS_OK);
    return net;
}

static void bytes_of(ip_wire_net *net, void **bytes, size_t *size) {
    ip_wire_model model = {.net = net};
    assert_int_equal(ip_fuse_new(ip_backend(), IP_DEVICE_CPU, 1, &model.fuse), IPOS_OK);
    assert_int_equal(ip_wire_model_save(&model, bytes, size), IPOS_OK);
    ip_fuse_free(model.fuse);
}

static void it_learns_a_line(void **state) {
    (void)state;
    kept k = {0};
    ip_wire_net *net = fresh();
    ip_wire_training training = plan(&k, 60);
    ip_train_result result;
    assert_int_equal(ip_wire_net_train(net, &training, &result), IPOS_OK);
    double f1;
    assert_int_equal(ip_wire_net_score(net, &training, &f1), IPOS_OK);
    assert_float_equal(f1, result.score, 1e-9);
    assert_true(result.start_score < .3);
    if (!(f1 > .9))
        fail_msg("F1 %.3f after 60 steps", f1);
    ip_wire_net_free(net);
    free(k.bytes);
}

static void how_many_draw_changes_nothing(void **state) {
    (void)state;
    kept k = {0};
    ip_train_result result;
    void *bytes[2];
    size_t size[2];
    for (int i = 0; i < 2; i++) {
        ip_wire_net *net = fresh();
        ip_wire_training training = plan(&k, 4);
        training.batch = 5;
        training.threads = i ? 4 : 1;
        assert_int_equal(ip_wire_net_train(net, &training, &result), IPOS_OK);
        bytes_of(net, &bytes[i], &size[i]);
        ip_wire_net_free(net);
    }
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(bytes[0], bytes[1], size[0]);
    ip_free(bytes[0]);
    ip_free(bytes[1]);
    free(k.bytes);
}

static ipos_status refuse(void *user, ip_rng *rng, ip_wire_example *e) {
    (void)user, (void)rng, (void)e;
    return ip_fail(IPOS_ERR_NO_MEMORY, "none left");
}

static void what_cannot_be_drawn_ends_the_training(void **state) {
    (void)state;
    kept k = {0};
    ip_train_result result;
    ip_wire_net *net = fresh();
    ip_wire_training training = plan(&k, 4);
    training.draw = refuse;
    training.threads = 2;
    assert_int_equal(ip_wire_net_train(net, &training, &result), IPOS_ERR_NO_MEMORY);
    assert_non_null(strstr(ipos_last_error(), "examples of step 0"));
    training.batch = 257;
    assert_int_equal(ip_wire_net_train(net, &training, &result), IPOS_ERR_ARGUMENT);
    ip_wire_net_free(net);
    free(k.bytes);
}

static void a_stopped_training_goes_on_bit_by_bit(void **state) {
    (void)state;
    kept k = {0}, stopped = {.stop_at = 1};
    ip_train_result result;
    ip_wire_net *whole = fresh(), *parts = fresh();
    ip_wire_training training = plan(&k, 8);
    assert_int_equal(ip_wire_net_train(whole, &training, &result), IPOS_OK);
    training = plan(&stopped, 8);
    assert_int_equal(ip_wire_net_train(parts, &training, &result), IPOS_ERR_CANCELLED);
    assert_non_null(stopped.bytes);
    training = plan(&k, 8);
    training.plan.checkpoint = stopped.bytes;
    training.plan.checkpoint_bytes = stopped.size;
    assert_int_equal(ip_wire_net_train(parts, &training, &result), IPOS_OK);
    void *a, *b;
    size_t a_size, b_size;
    bytes_of(whole, &a, &a_size);
    bytes_of(parts, &b, &b_size);
    assert_int_equal(a_size, b_size);
    assert_memory_equal(a, b, a_size);
    ip_free(a);
    ip_free(b);
    ip_wire_net_free(whole);
    ip_wire_net_free(parts);
    free(k.bytes);
    free(stopped.bytes);
}

static float *answers(const ip_wire_net *net, const float *planes, int width, int height) {
    size_t plane = (size_t)width * (size_t)height;
    float *out = malloc(plane * sizeof *out);
    const ip_wire_view view = {.width = width, .height = height, .stride = width, .plane = {planes, planes + plane, planes + 2 * plane}};
    assert_int_equal(ip_wire_net_run(net, &view, NULL, NULL, out), IPOS_OK);
    return out;
}

static void a_saved_model_answers_the_same(void **state) {
    (void)state;
    enum { WIDE = 37, HIGH = 53 };
    ip_wire_model model, again;
    void *bytes;
    size_t size;
    float planes[3 * WIDE * HIGH];
    ip_rng rng = ip_rng_at(5, 5);
    for (size_t i = 0; i < IP_COUNT(planes); i++)
        planes[i] = i == 100 ? NAN : (float)ip_rng_unit(&rng);
    assert_int_equal(ip_wire_model_new(ip_backend(), IP_DEVICE_CPU, 7, &model), IPOS_OK);
    assert_int_equal(ip_wire_model_save(&model, &bytes, &size), IPOS_OK);
    assert_int_equal(ip_wire_model_load(ip_backend(), IP_DEVICE_CPU, bytes, size, &again), IPOS_OK);
    float *a = answers(model.net, planes, WIDE, HIGH), *b = answers(again.net, planes, WIDE, HIGH);
    assert_memory_equal(a, b, WIDE * HIGH * sizeof *a);
    for (int i = 0; i < WIDE * HIGH; i++)
        assert_true(a[i] >= 0 && a[i] <= 1);
    ip_wire_model_free(&again);
    assert_int_equal(ip_wire_model_load(ip_backend(), IP_DEVICE_CPU, bytes, size - 8, &again), IPOS_ERR_FORMAT);
    free(a);
    free(b);
    ip_free(bytes);
    ip_wire_model_free(&model);
}

/* Wider than a tile: the answer of the whole must be that of a part, where the part's border is out of reach. */
static void tiles_meet_without_a_seam(void **state) {
    (void)state;
    enum { WIDE = 1100, HIGH = 32, FROM = 560, PART = 480 };
    ip_wire_net *net = fresh();
    float *planes = malloc(3 * WIDE * HIGH * sizeof *planes), *part = malloc(3 * PART * HIGH * sizeof *part);
    ip_rng rng = ip_rng_at(6, 6);
    for (int i = 0; i < 3 * WIDE * HIGH; i++)
        planes[i] = (float)ip_rng_unit(&rng);
    for (int row = 0; row < 3 * HIGH; row++)
        memcpy(part + row * PART, planes + row * WIDE + FROM, PART * sizeof *part);
    float *whole = answers(net, planes, WIDE, HIGH), *cut = answers(net, part, PART, HIGH);
    for (int y = 0; y < HIGH; y++)
        for (int x = IP_WIRE_REACH; x < PART - IP_WIRE_REACH; x++)
            assert_float_equal(whole[y * WIDE + FROM + x], cut[y * PART + x], 1e-4);
    free(planes);
    free(part);
    free(whole);
    free(cut);
    ip_wire_net_free(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_learns_a_line), cmocka_unit_test(how_many_draw_changes_nothing),
        cmocka_unit_test(what_cannot_be_drawn_ends_the_training),
        cmocka_unit_test(a_stopped_training_goes_on_bit_by_bit),
        cmocka_unit_test(a_saved_model_answers_the_same),
        cmocka_unit_test(tiles_meet_without_a_seam),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
