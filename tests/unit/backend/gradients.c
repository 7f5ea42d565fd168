/* Every differentiable call of the table against finite differences. */
#include "test_backend.h"

#include <math.h>

enum { MAX_INPUTS = 3, MAX_VALUES = 2000 };

typedef struct checked {
    const char *name;
    int inputs;
    int32_t rank[MAX_INPUTS];
    int64_t shape[MAX_INPUTS][4];
    double low, high; /* of the inputs' values */
    int32_t (*apply)(ip_tensor **out, ip_tensor *const *in);
} checked;

#define APPLY(NAME, CALL) \
    static int32_t NAME(ip_tensor **out, ip_tensor *const *in) { return ip_tested->CALL; }
APPLY(conv, conv2d(out, in[0], in[1], in[2], 1, 1))
APPLY(conv_stride, conv2d(out, in[0], in[1], NULL, 2, 1))
APPLY(conv_pad0, conv2d(out, in[0], in[1], in[2], 1, 0))
APPLY(conv_leaky, conv2d_leaky(out, in[0], in[1], in[2], 2, 1, .1))
APPLY(relu, relu(out, in[0]))
APPLY(leaky, leaky_relu(out, in[0], .1))
APPLY(sigmoid, sigmoid(out, in[0]))
APPLY(tanh_, tanh(out, in[0]))
APPLY(softmax, softmax(out, in[0], 1))
APPLY(shuffle, pixel_shuffle(out, in[0], 2))
APPLY(unshuffle, pixel_unshuffle(out, in[0], 2))
APPLY(up_nearest, upsample(out, in[0], 6, 8, IP_UP_NEAREST))
APPLY(up_bilinear, upsample(out, in[0], 6, 8, IP_UP_BILINEAR))
APPLY(pool, avg_pool(out, in[0], 2, 2))
APPLY(pad_zero, pad(out, in[0], 1, 2, 1, 0, IP_PAD_ZERO))
APPLY(pad_reflect, pad(out, in[0], 1, 2, 1, 0, IP_PAD_REFLECT))
APPLY(pad_replicate, pad(out, in[0], 1, 2, 1, 3, IP_PAD_REPLICATE))
APPLY(add, add(out, in[0], in[1]))
APPLY(sub, sub(out, in[0], in[1]))
APPLY(mul, mul(out, in[0], in[1]))
APPLY(div_, div(out, in[0], in[1]))
APPLY(maximum, maximum(out, in[0], in[1]))
APPLY(minimum, minimum(out, in[0], in[1]))
APPLY(affine, affine(out, in[0], 1.7, -.3))
APPLY(offset, affine(out, in[0], 1, .5))
APPLY(clamp, clamp(out, in[0], -.5, .5))
APPLY(abs_, abs(out, in[0]))
APPLY(sqrt_, sqrt(out, in[0]))
APPLY(exp_, exp(out, in[0]))
APPLY(log_, log(out, in[0]))
APPLY(square, square(out, in[0]))
APPLY(sum_all, sum(out, in[0], IP_ALL_DIMS))
APPLY(sum_dim, sum(out, in[0], -1))
APPLY(mean_all, mean(out, in[0], IP_ALL_DIMS))
APPLY(mean_dim, mean(out, in[0], 1))
APPLY(cat, cat(out, (const ip_tensor *const *)in, 2, 1))
APPLY(slice, slice(out, in[0], 2, 1, 2))
APPLY(transpose, transpose(out, in[0], -1, -2))
APPLY(flip, flip(out, in[0], 3))
APPLY(last, channels_last(out, in[0]))
APPLY(clone, clone(out, in[0]))
APPLY(warp, warp(out, in[0], in[1], IP_WARP_BILINEAR))
APPLY(warp_cubic, warp(out, in[0], in[1], IP_WARP_BICUBIC))

static int32_t reshape(ip_tensor **out, ip_tensor *const *in)
{
    int64_t shape[2] = {6, 4};
    return ip_tested->reshape(out, in[0], shape, 2);
}

#define PICTURE {1, 4, 3, 4}
#define ONE(NAME, APPLY_IT, LOW, HIGH) {NAME, 1, {4}, {PICTURE}, LOW, HIGH, APPLY_IT}
#define TWO(NAME, APPLY_IT, LOW, HIGH) {NAME, 2, {4, 4}, {PICTURE, {1, 1, 3, 4}}, LOW, HIGH, APPLY_IT}

static const checked all[] = {
    {"conv2d", 3, {4, 4, 1}, {{2, 3, 5, 6}, {4, 3, 3, 3}, {4}}, -1, 1, conv},
    {"conv2d stride 2", 2, {4, 4}, {{1, 3, 6, 7}, {4, 3, 3, 3}}, -1, 1, conv_stride},
    {"conv2d, leaky", 3, {4, 4, 1}, {{1, 3, 6, 7}, {4, 3, 3, 3}, {4}}, -1, 1, conv_leaky},
    {"conv2d unpadded 1x3", 3, {4, 4, 1}, {{1, 2, 4, 6}, {3, 2, 1, 3}, {3}}, -1, 1, conv_pad0},
    ONE("relu", relu, -1, 1), ONE("leaky_relu", leaky, -1, 1), ONE("sigmoid", sigmoid, -2, 2), ONE("tanh", tanh_, -1, 1),
    ONE("softmax", softmax, -2, 2), ONE("pixel_shuffle", shuffle, -1, 1),
    {"pixel_unshuffle", 1, {4}, {{1, 2, 4, 6}}, -1, 1, unshuffle},
    ONE("upsample nearest", up_nearest, -1, 1), ONE("upsample bilinear", up_bilinear, -1, 1), ONE("avg_pool", pool, -1, 1),
    ONE("pad zero", pad_zero, -1, 1), ONE("pad reflect", pad_reflect, -1, 1), ONE("pad replicate", pad_replicate, -1, 1),
    TWO("add", add, -1, 1), TWO("sub", sub, -1, 1), TWO("mul", mul, -1, 1), TWO("div", div_, .5, 2), TWO("maximum", maximum, -1, 1),
    TWO("minimum", minimum, -1, 1), ONE("affine", affine, -1, 1), ONE("affine offset", offset, -1, 1), ONE("clamp", clamp, -1, 1),
    ONE("abs", abs_, -1, 1), ONE("sqrt", sqrt_, .5, 2), ONE("exp", exp_, -1, 1), ONE("log", log_, .5, 2), ONE("square", square, -1, 1),
    ONE("sum", sum_all, -1, 1), ONE("sum of a dim", sum_dim, -1, 1), ONE("mean", mean_all, -1, 1), ONE("mean of a dim", mean_dim, -1, 1),
    TWO("cat", cat, -1, 1), ONE("slice", slice, -1, 1), {"reshape", 1, {2}, {{8, 3}}, -1, 1, reshape},
    ONE("transpose", transpose, -1, 1), ONE("flip", flip, -1, 1), ONE("channels_last", last, -1, 1), ONE("clone", clone, -1, 1),
    {"warp", 2, {4, 4}, {{1, 3, 6, 7}, {1, 2, 6, 7}}, -.45, -.05, warp},
    {"warp bicubic", 2, {4, 4}, {{1, 3, 6, 7}, {1, 2, 6, 7}}, -.45, -.05, warp_cubic},
};

/* sum of result * fixed weights, so that every element's gradient is its own. */
static double weighted(const checked *c, ip_tensor *const *in, ip_tensor **loss)
{
    const ip_backend_v1 *b = ip_tested;
    ip_tensor *out, *weights, *product;
    int64_t shape[8];
    float *values;
    double total;
    ok(c->apply(&out, in));
    int64_t count = b->count(out);
    values = malloc((size_t)count * sizeof *values);
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)(.5 + fmod((double)i * .618, 1));
    ok(b->from_memory(&weights, values, shape, b->shape(out, shape), IP_DEVICE_CPU));
    ok(b->mul(&product, out, weights));
    ok(b->sum(loss, product, IP_ALL_DIMS));
    /* in double: the differences below are small */
    ok(b->to_memory(product, values, count));
    total = 0;
    for (int64_t i = 0; i < count; i++)
        total += values[i];
    free(values);
    b->drop(out);
    b->drop(weights);
    b->drop(product);
    return total;
}

static double nudged(const checked *c, ip_tensor *const *in, int which, float *values, int64_t count, int64_t i, float by)
{
    ip_tensor *loss;
    float kept = values[i];
    values[i] = kept + by;
    ok(ip_tested->assign(in[which], values, count));
    double result = weighted(c, in, &loss);
    ip_tested->drop(loss);
    values[i] = kept;
    ok(ip_tested->assign(in[which], values, count));
    return result;
}

static void check_input(const checked *c, ip_tensor *const *in, int which)
{
    const ip_backend_v1 *b = ip_tested;
    float values[MAX_VALUES], slopes[MAX_VALUES];
    const float step = 4e-3f;
    int64_t count = b->count(in[which]);
    ip_tensor *grad;
    ok(b->grad(&grad, in[which]));
    ok(b->to_memory(grad, slopes, count));
    b->drop(grad);
    ok(b->to_memory(in[which], values, count));
    for (int64_t i = 0; i < count; i++) {
        double slope = (nudged(c, in, which, values, count, i, step) - nudged(c, in, which, values, count, i, -step)) / (2 * (double)step);
        if (fabs(slope - slopes[i]) > 3e-3 + 4e-3 * fabs(slope))
            fail_msg("%s: input %d, value %d: gradient %g, finite difference %g", c->name, which, (int)i, slopes[i], slope);
    }
}

static void check_one(const checked *c)
{
    const ip_backend_v1 *b = ip_tested;
    ip_tensor *in[MAX_INPUTS] = {0}, *loss;
    for (int i = 0; i < c->inputs; i++) {
        int64_t count = 1;
        float values[MAX_VALUES];
        for (int32_t k = 0; k < c->rank[i]; k++)
            count *= c->shape[i][k];
        assert_true(count <= MAX_VALUES);
        /* steps of an irrational number: no ties, and nothing closer to a kink than a step */
        for (int64_t k = 0; k < count; k++)
            values[k] = (float)(c->low + (c->high - c->low) * fmod(.013 + (double)(k + 1) * .6180339887 + i * .37, 1));
        for (int64_t k = 0; k < count; k++) {
            double kinks[] = {0, -.5, .5};
            for (size_t n = 0; n < 3; n++)
                values[k] += fabs((double)values[k] - kinks[n]) < .01 ? .02f : 0;
        }
        ok(b->from_memory(&in[i], values, c->shape[i], c->rank[i], IP_DEVICE_CPU));
        ok(b->track(in[i], 1));
    }
    (void)weighted(c, in, &loss);
    ok(b->backward(loss));
    b->drop(loss);
    b->gradients(0);
    for (int i = 0; i < c->inputs; i++)
        check_input(c, in, i);
    b->gradients(1);
    for (int i = 0; i < c->inputs; i++)
        b->drop(in[i]);
}

void test_gradients(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        check_one(&all[i]);
}
