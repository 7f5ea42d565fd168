/* The backend's table: completeness, values, errors, optimiser, memory. Gradients are in gradients.c. */
#include "test_backend.h"

#include <math.h>
#include <pthread.h>

const ip_backend_v1 *ip_tested;
#define b ip_tested

static void about(void **state)
{
    (void)state;
    int32_t device = 7;
    char name[32];
    printf("%s %s, built %s, %s, devices %d, threads %d\n", b->name, b->library_version(), b->built_with(), b->capability(),
        b->device_count(), b->threads());
    assert_int_equal(b->struct_size, sizeof(ip_backend_v1));
    const void *const *members = (const void *const *)(const void *)((const char *)b + offsetof(ip_backend_v1, name));
    for (size_t i = 0; i < (sizeof *b - offsetof(ip_backend_v1, name)) / sizeof(void *); i++)
        assert_non_null(members[i]);
    assert_true(strlen(b->capability()) > 0);
    ok(b->device_find("cpu", &device));
    assert_int_equal(device, IP_DEVICE_CPU);
    ok(b->device_name(device, name, sizeof name));
    assert_string_equal(name, "cpu");
    ok(b->device_find(NULL, &device));
    assert_int_equal(b->device_find("cuda:99", &device), IPOS_ERR_ARGUMENT);
    assert_int_equal(b->device_find("cuda:", &device), IPOS_ERR_ARGUMENT);
    assert_int_equal(b->device_find("tpu", &device), IPOS_ERR_ARGUMENT);
}

static ip_tensor *line(int64_t count, float first, float step)
{
    float values[64];
    ip_tensor *out;
    for (int64_t i = 0; i < count; i++)
        values[i] = first + step * (float)i;
    ok(b->from_memory(&out, values, &count, 1, IP_DEVICE_CPU));
    return out;
}

static void values_and_shapes(void **state)
{
    (void)state;
    ip_tensor *x, *y, *twice, *part, *half;
    int64_t shape[8], count = 6;
    float back[6];
    double value;
    x = line(6, 0, 1);
    ok(b->reshape(&y, x, (int64_t[]){1, 2, 3}, 3));
    assert_int_equal(b->shape(y, shape), 3);
    assert_int_equal(shape[2], 3);
    ok(b->transpose(&twice, y, 1, 2));
    ok(b->to_memory(twice, back, count));
    const float swapped[6] = {0, 3, 1, 4, 2, 5};
    assert_memory_equal(back, swapped, sizeof swapped);
    ok(b->slice(&part, x, 0, 2, 1));
    ok(b->value(part, &value));
    assert_true(value == 2);
    ok(b->cast(&half, x, IP_BF16));
    ok(b->to_memory(half, back, count));
    assert_true(back[5] == 5);
    assert_int_equal(b->to_memory(x, back, 5), IPOS_ERR_ARGUMENT);
    assert_int_equal(b->value(x, &value), IPOS_ERR_ARGUMENT);
    b->drop(x);
    ok(b->to_memory(y, back, count)); /* lives on its own */
    b->drop(y);
    b->drop(twice);
    b->drop(part);
    b->drop(half);
    b->drop(NULL);
}

static void warp_moves(void **state)
{
    (void)state;
    ip_tensor *image, *flow, *out;
    float pixels[4 * 5], moved[4 * 5], by[2 * 4 * 5];
    int64_t shape[4] = {1, 1, 4, 5}, flow_shape[4] = {1, 2, 4, 5};
    for (int i = 0; i < 20; i++) {
        pixels[i] = (float)(i * i);
        by[i] = 1;
        by[20 + i] = -1;
    }
    ok(b->from_memory(&image, pixels, shape, 4, IP_DEVICE_CPU));
    ok(b->from_memory(&flow, by, flow_shape, 4, IP_DEVICE_CPU));
    for (int mode = IP_WARP_BILINEAR; mode <= IP_WARP_BICUBIC; mode++) {
        ok(b->warp(&out, image, flow, mode));
        ok(b->to_memory(out, moved, 20));
        for (int y = 0; y < 4; y++) {
            for (int x = 0; x < 5; x++)
                assert_float_equal(moved[y * 5 + x], pixels[IP_MAX(y - 1, 0) * 5 + IP_MIN(x + 1, 4)], 1e-3);
        }
        b->drop(out);
    }
    b->drop(image);
    b->drop(flow);
}

static void errors_stay_inside(void **state)
{
    (void)state;
    ip_tensor *x = line(6, 0, 1), *y = line(5, 0, 1), *out = x;
    int64_t huge = (int64_t)1 << 57, large = (int64_t)1 << 50, negative = -1;
    assert_true(b->add(&out, x, y) < 0);
    assert_null(out);
    assert_true(strstr(ipos_last_error(), "add") == ipos_last_error());
    assert_null(strstr(ipos_last_error(), "frame #"));
    assert_null(strchr(ipos_last_error(), '\n'));
    assert_int_equal(b->add(&out, x, NULL), IPOS_ERR_ARGUMENT);
    assert_int_equal(b->add(NULL, x, x), IPOS_ERR_ARGUMENT);
    assert_true(b->conv2d(&out, x, y, NULL, 1, 1) < 0);
    assert_true(b->slice(&out, x, 0, 4, 9) < 0);
    assert_true(b->slice(&out, x, 3, 0, 1) < 0);
    assert_true(b->backward(x) < 0);
    assert_int_equal(b->grad(&out, x), IPOS_ERR_STATE);
    assert_int_equal(b->full(&out, &negative, 1, 0, IP_DEVICE_CPU), IPOS_ERR_ARGUMENT);
    assert_int_equal(b->full(&out, &large, 9, 0, IP_DEVICE_CPU), IPOS_ERR_ARGUMENT);
    assert_int_equal(b->full(&out, &huge, 1, 0, IP_DEVICE_CPU), IPOS_ERR_NO_MEMORY);
    assert_int_equal(b->full(&out, &large, 1, 0, IP_DEVICE_CPU), IPOS_ERR_NO_MEMORY);
    assert_true(b->full(&out, &(int64_t){4}, 1, 0, b->device_count()) < 0);
    assert_int_equal(b->set_threads(0), IPOS_ERR_ARGUMENT);
    b->drop(x);
    b->drop(y);
}

static void generators_repeat(void **state)
{
    (void)state;
    float first[50], second[50];
    int64_t count = 50;
    for (int kind = 0; kind < 2; kind++) {
        for (int i = 0; i < 2; i++) {
            ip_generator *generator;
            ip_tensor *x;
            ok(b->generator(&generator, 42, IP_DEVICE_CPU));
            ok(kind ? b->uniform(&x, &count, 1, -2, 3, generator) : b->randn(&x, &count, 1, generator));
            ok(b->to_memory(x, i ? second : first, count));
            b->drop(x);
            b->drop_generator(generator);
        }
        assert_memory_equal(first, second, sizeof first);
        for (int i = 0; i < 50; i++)
            assert_true(fabsf(first[i]) < 6 && (!kind || (first[i] >= -2 && first[i] < 3)));
        assert_true(first[0] != first[1]);
    }
}

/* Two steps of AdamW by hand. */
static void adamw_steps(void **state)
{
    (void)state;
    const double lr = .1, b1 = .9, b2 = .999, epsilon = 1e-8, decay = .01, slopes[2] = {3, -1};
    double p = 2, m = 0, v = 0, got;
    ip_tensor *param = line(1, 2, 0), *first = line(1, 0, 0), *second = line(1, 0, 0), *slope, *product;
    ok(b->track(param, 1));
    for (int step = 1; step <= 2; step++) {
        double g = slopes[step - 1];
        slope = line(1, (float)g, 0);
        ok(b->mul(&product, param, slope));
        ok(b->backward(product));
        ok(b->adamw(&param, &first, &second, 1, lr, b1, b2, epsilon, decay, step));
        ok(b->clear_grad(param));
        b->drop(slope);
        b->drop(product);
        p *= 1 - lr * decay;
        m = b1 * m + (1 - b1) * g;
        v = b2 * v + (1 - b2) * g * g;
        p -= lr * (m / (1 - pow(b1, step))) / (sqrt(v / (1 - pow(b2, step))) + epsilon);
        ok(b->value(param, &got));
        assert_float_equal(got, p, 1e-5);
    }
    b->drop(param);
    b->drop(first);
    b->drop(second);
}

static void clip_and_lerp(void **state)
{
    (void)state;
    ip_tensor *x = line(2, 3, 1), *total, *square, *grad, *y = line(2, 0, 0);
    float values[2];
    double norm;
    int32_t finite;
    ok(b->track(x, 1));
    ok(b->square(&square, x));
    ok(b->sum(&total, square, IP_ALL_DIMS));
    ok(b->backward(total)); /* 6, 8 */
    ok(b->clip_grads(&x, 1, 1, &norm));
    assert_float_equal(norm, 10, 1e-4);
    ok(b->grad_norm(&x, 1, &norm));
    assert_float_equal(norm, 1, 1e-4);
    ok(b->grad(&grad, x));
    ok(b->to_memory(grad, values, 2));
    assert_float_equal(values[0], .6, 1e-4);
    ok(b->lerp(&y, &x, 1, .25));
    ok(b->to_memory(y, values, 2));
    assert_float_equal(values[1], 1, 1e-6);
    ok(b->all_finite(&y, 1, &finite));
    assert_int_equal(finite, 1);
    ok(b->assign(y, (float[]){1, NAN}, 2));
    ok(b->all_finite(&y, 1, &finite));
    assert_int_equal(finite, 0);
    b->drop(x);
    b->drop(y);
    b->drop(square);
    b->drop(total);
    b->drop(grad);
}

static void no_gradients_when_off(void **state)
{
    (void)state;
    ip_tensor *x = line(1, 3, 0), *y;
    ok(b->track(x, 1));
    int32_t former = b->gradients(0);
    ok(b->square(&y, x));
    b->gradients(former);
    assert_true(b->backward(y) < 0);
    b->drop(x);
    b->drop(y);
}

static void threads_and_speed(void **state)
{
    (void)state;
    double inference = 0, training = 0;
    ok(b->set_threads(2));
    assert_int_equal(b->threads(), 2);
    ok(b->set_threads(1));
    ok(b->measure(IP_DEVICE_CPU, .1, &inference, &training));
    assert_true(inference > .1 && training > .1);
    printf("1 thread: %.0f GFLOP/s inference, %.0f training\n", inference, training);
}

/* Last: the cache stays for the rest of the process. */
static void memory_is_kept_and_limited(void **state)
{
    (void)state;
    const uint64_t mebi = 1 << 20;
    uint64_t in_use, peak, kept;
    ip_tensor *x, *y = NULL;
    int64_t count = 2 * (int64_t)mebi; /* 8 MiB */
    ok(b->use_cache(64 * mebi, 32 * mebi));
    b->memory(&in_use, &peak, &kept);
    uint64_t before = in_use;
    ok(b->full(&x, &count, 1, 1, IP_DEVICE_CPU));
    b->memory(&in_use, &peak, &kept);
    assert_true(in_use - before >= 8 * mebi && in_use - before <= 11 * mebi && peak == in_use && kept == 0);
    b->drop(x);
    b->memory(&in_use, NULL, &kept);
    assert_true(in_use == before && kept >= 8 * mebi);
    ok(b->full(&x, &count, 1, 1, IP_DEVICE_CPU)); /* from what was kept */
    b->memory(NULL, NULL, &kept);
    assert_true(kept == 0);
    count *= 4;
    assert_int_equal(b->full(&y, &count, 1, 1, IP_DEVICE_CPU), IPOS_ERR_NO_MEMORY);
    assert_non_null(strstr(ipos_last_error(), "limit"));
    b->drop(x);
    b->trim();
    b->memory(&in_use, &peak, &kept);
    assert_true(kept == 0 && in_use == before);
    ok(b->use_cache(1024 * mebi, 0));
    ok(b->full(&y, &count, 1, 1, IP_DEVICE_CPU));
    b->drop(y);
}

static void *in_thread(void *failed)
{
    ip_tensor *x = NULL, *y = NULL;
    int64_t shape[4] = {1, 16, 32, 32}, kernel[4] = {16, 16, 3, 3};
    *(int *)failed = b->set_threads(2) || b->full(&x, shape, 4, 1, IP_DEVICE_CPU) || b->full(&y, kernel, 4, 1, IP_DEVICE_CPU);
    for (int i = 0; i < 20 && !*(int *)failed; i++) {
        ip_tensor *z;
        *(int *)failed = b->conv2d(&z, x, y, NULL, 1, 1);
        b->drop(z);
    }
    b->drop(x);
    b->drop(y);
    return NULL;
}

static void another_thread(void **state)
{
    (void)state;
    pthread_t thread;
    int failed = -1;
    assert_int_equal(pthread_create(&thread, NULL, in_thread, &failed), 0);
    pthread_join(thread, NULL);
    assert_int_equal(failed, 0);
}

int main(void)
{
    b = ip_backend();
    if (!b) {
        fprintf(stderr, "%s\n", ipos_last_error());
        return 1;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(about), cmocka_unit_test(values_and_shapes), cmocka_unit_test(warp_moves),
        cmocka_unit_test(errors_stay_inside), cmocka_unit_test(generators_repeat), cmocka_unit_test(adamw_steps),
        cmocka_unit_test(clip_and_lerp), cmocka_unit_test(no_gradients_when_off), cmocka_unit_test(test_gradients),
        cmocka_unit_test(threads_and_speed), cmocka_unit_test(memory_is_kept_and_limited), cmocka_unit_test(another_thread)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
