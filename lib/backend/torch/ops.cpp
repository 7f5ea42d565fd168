// Layers and arithmetic, all of them with gradients.
#include "shim.hpp"

namespace ip {
namespace {

int32_t conv2d(ip_tensor **out, const ip_tensor *x, const ip_tensor *weight, const ip_tensor *bias, int32_t stride, int32_t pad) noexcept
{
    return made("conv2d", out, [&] {
        return at::conv2d(tensor(x), tensor(weight), bias ? tensor(bias) : at::Tensor(), stride, pad);
    });
}

// In place: the planes of a picture pass through memory once less, and no gradient needs what was there.
int32_t conv2d_leaky(ip_tensor **out, const ip_tensor *x, const ip_tensor *weight, const ip_tensor *bias, int32_t stride, int32_t pad,
    double slope) noexcept
{
    return made("conv2d_leaky", out, [&] {
        if (!(slope > 0))
            throw bad_argument("the slope must be over 0");
        at::Tensor y = at::conv2d(tensor(x), tensor(weight), bias ? tensor(bias) : at::Tensor(), stride, pad);
        return at::leaky_relu_(y, slope);
    });
}

int32_t leaky_relu(ip_tensor **out, const ip_tensor *x, double slope) noexcept
{
    return made("leaky_relu", out, [&] { return at::leaky_relu(tensor(x), slope); });
}

int32_t softmax(ip_tensor **out, const ip_tensor *x, int32_t dim) noexcept
{
    return made("softmax", out, [&] { return at::softmax(tensor(x), dim); });
}

int32_t pixel_shuffle(ip_tensor **out, const ip_tensor *x, int32_t factor) noexcept
{
    return made("pixel_shuffle", out, [&] { return at::pixel_shuffle(tensor(x), factor); });
}

int32_t pixel_unshuffle(ip_tensor **out, const ip_tensor *x, int32_t factor) noexcept
{
    return made("pixel_unshuffle", out, [&] { return at::pixel_unshuffle(tensor(x), factor); });
}

int32_t upsample(ip_tensor **out, const ip_tensor *x, int64_t height, int64_t width, int32_t mode) noexcept
{
    return made("upsample", out, [&] {
        if (mode != IP_UP_NEAREST && mode != IP_UP_BILINEAR)
            throw bad_argument("no such way to enlarge");
        return mode == IP_UP_NEAREST ? at::upsample_nearest2d(tensor(x), {height, width})
                                     : at::upsample_bilinear2d(tensor(x), {height, width}, false);
    });
}

int32_t avg_pool(ip_tensor **out, const ip_tensor *x, int32_t size, int32_t stride) noexcept
{
    return made("avg_pool", out, [&] { return at::avg_pool2d(tensor(x), {size, size}, {stride, stride}); });
}

int32_t pad(ip_tensor **out, const ip_tensor *x, int64_t left, int64_t right, int64_t top, int64_t bottom, int32_t mode) noexcept
{
    return made("pad", out, [&] {
        int64_t sides[4] = {left, right, top, bottom};
        switch (mode) {
        case IP_PAD_ZERO: return at::constant_pad_nd(tensor(x), sides, 0);
        case IP_PAD_REFLECT: return at::reflection_pad2d(tensor(x), sides);
        case IP_PAD_REPLICATE: return at::replication_pad2d(tensor(x), sides);
        default: throw bad_argument("no such way to pad");
        }
    });
}

int32_t affine(ip_tensor **out, const ip_tensor *x, double scale, double offset) noexcept
{
    return made("affine", out, [&] {
        at::Tensor scaled = scale == 1 ? tensor(x) : tensor(x) * scale;
        return offset == 0 && scale != 1 ? scaled : scaled + offset;
    });
}

int32_t clamp(ip_tensor **out, const ip_tensor *x, double low, double high) noexcept
{
    return made("clamp", out, [&] { return at::clamp(tensor(x), low, high); });
}

int32_t sum(ip_tensor **out, const ip_tensor *x, int32_t dim) noexcept
{
    return made("sum", out, [&] { return dim == IP_ALL_DIMS ? at::sum(tensor(x)) : at::sum(tensor(x), {dim}, true); });
}

int32_t mean(ip_tensor **out, const ip_tensor *x, int32_t dim) noexcept
{
    return made("mean", out, [&] { return dim == IP_ALL_DIMS ? at::mean(tensor(x)) : at::mean(tensor(x), {dim}, true); });
}

int32_t warp(ip_tensor **out, const ip_tensor *image, const ip_tensor *flow, int32_t mode) noexcept
{
    return made("warp", out, [&] {
        const at::Tensor &from = tensor(image), &by = tensor(flow);
        if (from.dim() != 4 || by.dim() != 4 || by.size(1) != 2 || (mode != IP_WARP_BILINEAR && mode != IP_WARP_BICUBIC))
            throw bad_argument("warp wants {batch, channels, height, width} and {batch, 2, height, width}");
        // grid_sampler counts from -1 to 1 between the outer edges of the first and the last pixel.
        double width = static_cast<double>(from.size(3)), height = static_cast<double>(from.size(2));
        at::Tensor x = at::arange(by.size(3), by.options()).view({1, 1, -1}) + by.select(1, 0);
        at::Tensor y = at::arange(by.size(2), by.options()).view({1, -1, 1}) + by.select(1, 1);
        at::Tensor grid = at::stack({(x * 2 + 1) / width - 1, (y * 2 + 1) / height - 1}, -1);
        return at::grid_sampler(from, grid, mode == IP_WARP_BICUBIC ? 2 : 0, 1, false);
    });
}

#define IP_UNARY(NAME, EXPRESSION)                                                         \
    int32_t NAME(ip_tensor **out, const ip_tensor *handle) noexcept                       \
    {                                                                                      \
        return made(#NAME, out, [&] { const at::Tensor &x = tensor(handle); return EXPRESSION; }); \
    }
#define IP_BINARY(NAME, EXPRESSION)                                                        \
    int32_t NAME(ip_tensor **out, const ip_tensor *left, const ip_tensor *right) noexcept  \
    {                                                                                      \
        return made(#NAME, out, [&] {                                                      \
            const at::Tensor &a = tensor(left), &b = tensor(right);                        \
            return EXPRESSION;                                                             \
        });                                                                                \
    }

IP_UNARY(relu, at::relu(x))
IP_UNARY(sigmoid, at::sigmoid(x))
IP_UNARY(tanh, at::tanh(x))
IP_UNARY(abs, at::abs(x))
IP_UNARY(sqrt, at::sqrt(x))
IP_UNARY(exp, at::exp(x))
IP_UNARY(log, at::log(x))
IP_UNARY(square, x * x)
IP_BINARY(add, a + b)
IP_BINARY(sub, a - b)
IP_BINARY(mul, a * b)
IP_BINARY(div, a / b)
IP_BINARY(maximum, at::maximum(a, b))
IP_BINARY(minimum, at::minimum(a, b))

} // namespace

void fill_ops(ip_backend_v1 &table) noexcept
{
    table.conv2d = conv2d;
    table.conv2d_leaky = conv2d_leaky;
    table.relu = relu;
    table.leaky_relu = leaky_relu;
    table.sigmoid = sigmoid;
    table.tanh = tanh;
    table.softmax = softmax;
    table.pixel_shuffle = pixel_shuffle;
    table.pixel_unshuffle = pixel_unshuffle;
    table.upsample = upsample;
    table.avg_pool = avg_pool;
    table.pad = pad;
    table.add = add;
    table.sub = sub;
    table.mul = mul;
    table.div = div;
    table.maximum = maximum;
    table.minimum = minimum;
    table.affine = affine;
    table.clamp = clamp;
    table.abs = abs;
    table.sqrt = sqrt;
    table.exp = exp;
    table.log = log;
    table.square = square;
    table.sum = sum;
    table.mean = mean;
    table.warp = warp;
}

} // namespace ip
