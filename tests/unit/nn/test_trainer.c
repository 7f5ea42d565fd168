/* The training loop on a small task: learn a fixed 3x3 filter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include <math.h>

#include "trainer.h"
#include "weights.h"

static const ip_backend_v1 *b;
enum { SIDE = 12, PIXELS = 2 * SIDE * SIDE };

typedef struct filter {
    ip_params params, wanted;
    int64_t stop_at;      /* progress says stop after so many steps */
    int64_t last_step;
    int bad_losses;       /* this many first losses are not finite */
    int previews, saves;
    void *checkpoint;
    size_t checkpoint_bytes;
    double last_done;
} filter;

#define ok(call)                                                                                        \
    do {                                                                                                \
        ipos_status ok_status_ = (call);                                                                \
        if (ok_status_ != IPOS_OK)                                                                      \
            fail_msg("%s:%d: %s gives %d: %s", __FILE__, __LINE__, #call, ok_status_, ipos_last_error()); \
    } while (0)

static void filter_new(filter *f)
{
    *f = (filter){.stop_at = -1};
    ip_params_init(&f->params, b, IP_DEVICE_CPU);
    ip_params_init(&f->wanted, b, IP_DEVICE_CPU);
    ip_rng rng = ip_rng_at(1, 0), other = ip_rng_at(2, 0);
    ok(ip_conv_add(&f->params, "a", 2, 8, 1, &rng));
    ok(ip_conv_add(&f->params, "b", 8, 2, 1, &rng));
    ok(ip_conv_add(&f->wanted, "a", 2, 8, 1, &other));
    ok(ip_conv_add(&f->wanted, "b", 8, 2, 1, &other));
}

static void filter_free(filter *f)
{
    ip_params_clear(&f->params);
    ip_params_clear(&f->wanted);
    ip_free(f->checkpoint);
}

static ip_tensor *net(ip_tape *t, const ip_params *p, const ip_tensor *x)
{
    return ip_conv(t, p, "b", ip_t_leaky(t, ip_conv(t, p, "a", x, 1), .1), 1);
}

static ip_tensor *difference(filter *f, ip_tape *t, ip_rng *rng)
{
    float pixels[PIXELS];
    int64_t shape[4] = {1, 2, SIDE, SIDE};
    for (int i = 0; i < PIXELS; i++)
        pixels[i] = (float)ip_rng_normal(rng);
    if (f->bad_losses > 0) {
        f->bad_losses--;
        pixels[3] = NAN;
    }
    ip_tensor *x = ip_t_from(t, pixels, shape, 4);
    return ip_charbonnier(t, net(t, &f->params, x), net(t, &f->wanted, x), 1e-3);
}

static ipos_status loss(void *user, ip_tape *t, ip_rng *rng, int64_t step, ip_tensor **out)
{
    (void)step;
    *out = difference(user, t, rng);
    return t->status;
}

static ipos_status validate(void *user, double *score)
{
    ip_tape tape;
    double sum = 0, value = 0;
    for (int i = 0; i < 4; i++) {
        ip_rng rng = ip_rng_at(999, (uint64_t)i);
        int bad = ((filter *)user)->bad_losses;
        ((filter *)user)->bad_losses = 0;
        ip_tape_begin(&tape, b, IP_DEVICE_CPU);
        ip_tensor *error = difference(user, &tape, &rng);
        ok(b->value(error, &value));
        ok(ip_tape_end(&tape));
        ((filter *)user)->bad_losses = bad;
        sum += value;
    }
    *score = -sum;
    return IPOS_OK;
}

static ipos_status preview(void *user)
{
    ((filter *)user)->previews++;
    return IPOS_OK;
}

static ipos_status progress(void *user, double done, const char *stage, const char *extra)
{
    filter *f = user;
    long long step = -1;
    const char *text = strstr(extra, "\"step\":");
    assert_non_null(stage);
    assert_true(text && sscanf(text, "\"step\":%lld", &step) == 1);
    assert_true(done >= f->last_done && done <= 1);
    f->last_done = done;
    f->last_step = step;
    return f->stop_at >= 0 && step >= f->stop_at ? ip_fail(IPOS_ERR_CANCELLED, "enough") : IPOS_OK;
}

static ipos_status save(void *user, const void *bytes, size_t size)
{
    filter *f = user;
    f->saves++;
    ip_free(f->checkpoint);
    f->checkpoint = ip_alloc(size);
    memcpy(f->checkpoint, bytes, size);
    f->checkpoint_bytes = size;
    return IPOS_OK;
}

static ipos_status train(filter *f, const ip_train_plan *plan, ip_train_result *result)
{
    ip_train_task task = {f, "test.filter", &f->params, loss, validate, preview};
    ip_train_host host = {f, progress, save};
    f->last_done = 0;
    return ip_train(&task, plan, &host, result);
}

static void weights_of(filter *f, float *values)
{
    for (size_t i = 0; i < f->params.count; i++) {
        int64_t count = b->count(f->params.tensors[i]);
        ok(b->to_memory(f->params.tensors[i], values, count));
        values += count;
    }
}

enum { NUMBERS = 8 * 2 * 9 + 8 + 2 * 8 * 9 + 2 };

static void learning_works(void **state)
{
    (void)state;
    filter f;
    ip_train_result result;
    filter_new(&f);
    assert_int_equal(ip_params_size(&f.params), NUMBERS);
    ok(train(&f, &(ip_train_plan){.steps = 300, .rate = 1e-2, .seed = 7}, &result));
    printf("score %.3f -> %.3f at step %lld\n", result.start_score, result.score, (long long)result.best_step);
    assert_int_equal(result.steps, 300);
    assert_true(result.score > .5 * result.start_score && result.best_step > 0); /* negative: at most half the error left */
    assert_true(f.previews == 21 && f.last_done == 1);
    double now;
    ok(validate(&f, &now));
    assert_true(now == result.score); /* the weights left behind are the best ones */
    filter_free(&f);
}

static void straight(float *weights, int64_t steps, uint64_t seed)
{
    filter f;
    ip_train_result result;
    filter_new(&f);
    ok(train(&f, &(ip_train_plan){.steps = steps, .seed = seed, .validations = 8}, &result));
    weights_of(&f, weights);
    filter_free(&f);
}

static void interrupted_run_is_the_same(void **state)
{
    (void)state;
    float once[NUMBERS], again[NUMBERS], other[NUMBERS], resumed[NUMBERS];
    filter f, g;
    ip_train_result result;
    straight(once, 40, 5);
    straight(again, 40, 5);
    straight(other, 40, 6);
    assert_memory_equal(once, again, sizeof once);
    assert_memory_not_equal(once, other, sizeof once);
    filter_new(&f);
    f.stop_at = 20; /* a validation falls on step 20, and is what gets interrupted */
    assert_int_equal(train(&f, &(ip_train_plan){.steps = 40, .seed = 5, .validations = 8}, &result), IPOS_ERR_CANCELLED);
    assert_int_equal(f.last_step, 20);
    assert_true(f.saves == 1);
    filter_new(&g);
    ok(train(&g, &(ip_train_plan){.steps = 40, .seed = 5, .validations = 8, .checkpoint = f.checkpoint, .checkpoint_bytes = f.checkpoint_bytes}, &result));
    assert_int_equal(result.steps, 40);
    weights_of(&g, resumed);
    assert_memory_equal(once, resumed, sizeof once);
    filter_free(&f);
    filter_free(&g);
}

static void unfit_checkpoints(void **state)
{
    (void)state;
    filter f, g;
    ip_train_result result;
    filter_new(&f);
    f.stop_at = 3;
    assert_int_equal(train(&f, &(ip_train_plan){.steps = 60, .seed = 5}, &result), IPOS_ERR_CANCELLED);
    ip_train_plan plan = {.steps = 60, .seed = 6, .checkpoint = f.checkpoint, .checkpoint_bytes = f.checkpoint_bytes};
    filter_new(&g);
    assert_int_equal(train(&g, &plan, &result), IPOS_ERR_ARGUMENT); /* another seed */
    assert_non_null(strstr(ipos_last_error(), "seed 5"));
    plan.seed = 5;
    plan.checkpoint_bytes -= 4;
    assert_int_equal(train(&g, &plan, &result), IPOS_ERR_FORMAT); /* cut off */
    void *model;
    ok(ip_weights_save(&g.params, &(ip_weight_set){"", g.params.tensors}, 1, "test.filter", NULL, &model, &plan.checkpoint_bytes));
    plan.checkpoint = model;
    assert_int_equal(train(&g, &plan, &result), IPOS_ERR_FORMAT); /* a model, not a checkpoint */
    ip_free(model);
    ok(ip_weights_save(&g.params, &(ip_weight_set){"", g.params.tensors}, 1, "test.other", NULL, &model, &plan.checkpoint_bytes));
    plan.checkpoint = model;
    assert_int_equal(train(&g, &plan, &result), IPOS_ERR_UNSUPPORTED); /* another network */
    ip_free(model);
    filter_free(&f);
    filter_free(&g);
}

static void not_finite_steps_are_left_out(void **state)
{
    (void)state;
    filter f;
    ip_train_result result;
    filter_new(&f);
    f.bad_losses = 5;
    ok(train(&f, &(ip_train_plan){.steps = 60, .rate = 1e-2}, &result));
    assert_int_equal(result.skipped, 5);
    assert_true(result.score > result.start_score);
    f.bad_losses = 1000;
    assert_int_equal(train(&f, &(ip_train_plan){.steps = 60}, &result), IPOS_ERR_STATE);
    filter_free(&f);
}

static void time_budget(void **state)
{
    (void)state;
    filter f;
    ip_train_result result;
    filter_new(&f);
    double begin = ip_now();
    ok(train(&f, &(ip_train_plan){.seconds = .8, .rate = 1e-2, .checkpoint_seconds = .2, .validations = 4}, &result));
    assert_true(ip_now() - begin < 30 && result.steps > 2 && f.saves >= 1);
    assert_true(f.previews >= 2 && f.previews <= 6);
    assert_int_equal(train(&f, &(ip_train_plan){0}, &result), IPOS_ERR_ARGUMENT);
    filter_free(&f);
}

/* Known answers of Philox 4x32-10, from its authors' test vectors: counter and key all zero. */
static void random_numbers(void **state)
{
    (void)state;
    ip_rng rng = ip_rng_at(0, 0);
    assert_true(ip_rng_bits(&rng) == 0xe169c58d6627e8d5ull);
    double sum = 0, squares = 0;
    for (int i = 0; i < 20000; i++) {
        double x = ip_rng_normal(&rng);
        sum += x;
        squares += x * x;
        int64_t k = ip_rng_below(&rng, 7);
        assert_true(k >= 0 && k < 7);
    }
    assert_true(fabs(sum / 20000) < .03 && fabs(squares / 20000 - 1) < .05);
}

static void tape_failures_stick(void **state)
{
    (void)state;
    ip_tape tape;
    float values[2] = {1, 2};
    ip_tape_begin(&tape, b, IP_DEVICE_CPU);
    ip_tensor *x = ip_t_from(&tape, values, (int64_t[]){2}, 1), *y = ip_t_from(&tape, values, (int64_t[]){1}, 1);
    assert_non_null(ip_t_add(&tape, x, y));
    assert_null(ip_t_slice(&tape, x, 0, 1, 5));
    assert_null(ip_t_add(&tape, x, y));
    assert_true(ip_tape_end(&tape) < 0);
}

int main(void)
{
    b = ip_backend();
    if (!b || b->set_threads(2) != IPOS_OK) {
        fprintf(stderr, "%s\n", ipos_last_error());
        return 1;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_numbers), cmocka_unit_test(tape_failures_stick), cmocka_unit_test(learning_works),
        cmocka_unit_test(interrupted_run_is_the_same), cmocka_unit_test(unfit_checkpoints), cmocka_unit_test(not_finite_steps_are_left_out),
        cmocka_unit_test(time_budget)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
