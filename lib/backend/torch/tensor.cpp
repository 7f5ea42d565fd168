// Making, reading and shaping tensors.
#include "shim.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>
#include <cstring>

struct ip_generator {
    at::Generator value;
    c10::Device device;
};

namespace ip {
namespace {

at::TensorOptions floats(int32_t number)
{
    return at::TensorOptions().dtype(at::kFloat).device(device(number));
}

int32_t generator(ip_generator **out, uint64_t seed, int32_t number) noexcept
{
    return guarded("generator", [&] {
        if (!out)
            throw bad_argument("no place for the result (NULL)");
        *out = nullptr;
        // Always drawn on the CPU, so a seed means the same numbers on every device.
        *out = new ip_generator{at::detail::createCPUGenerator(seed), device(number)};
    });
}

void drop_generator(ip_generator *generator) noexcept
{
    (void)guarded("generator", [&] { delete generator; });
}

int32_t randn(ip_tensor **out, const int64_t *shape, int32_t rank, ip_generator *generator) noexcept
{
    return made("randn", out, [&] {
        if (!generator)
            throw bad_argument("a generator is missing (NULL)");
        return at::randn(extents(shape, rank), generator->value, at::TensorOptions().dtype(at::kFloat)).to(generator->device);
    });
}

int32_t uniform(ip_tensor **out, const int64_t *shape, int32_t rank, double low, double high, ip_generator *generator) noexcept
{
    return made("uniform", out, [&] {
        if (!generator)
            throw bad_argument("a generator is missing (NULL)");
        at::Tensor unit = at::rand(extents(shape, rank), generator->value, at::TensorOptions().dtype(at::kFloat));
        return unit.mul_(high - low).add_(low).to(generator->device);
    });
}

int32_t from_memory(ip_tensor **out, const float *values, const int64_t *shape, int32_t rank, int32_t number) noexcept
{
    return made("from_memory", out, [&] {
        at::Tensor fresh = at::empty(extents(shape, rank), at::TensorOptions().dtype(at::kFloat));
        if (fresh.numel() > 0) {
            if (!values)
                throw bad_argument("no values (NULL)");
            std::memcpy(fresh.data_ptr<float>(), values, static_cast<size_t>(fresh.numel()) * sizeof(float));
        }
        return fresh.to(device(number));
    });
}

int32_t full(ip_tensor **out, const int64_t *shape, int32_t rank, double value, int32_t number) noexcept
{
    return made("full", out, [&] { return at::full(extents(shape, rank), value, floats(number)); });
}

int32_t to_memory(const ip_tensor *handle, float *values, int64_t count) noexcept
{
    return guarded("to_memory", [&] {
        const at::Tensor &from = tensor(handle);
        if (count != from.numel() || (count > 0 && !values))
            throw bad_argument("the room is not the tensor's size");
        at::Tensor packed = from.detach().to(c10::Device(c10::DeviceType::CPU), at::kFloat).contiguous();
        if (count > 0)
            std::memcpy(values, packed.data_ptr<float>(), static_cast<size_t>(count) * sizeof(float));
    });
}

int32_t assign(ip_tensor *handle, const float *values, int64_t count) noexcept
{
    return guarded("assign", [&] {
        c10::AutoGradMode off(false);
        at::Tensor &to = tensor(handle);
        if (count != to.numel() || (count > 0 && !values))
            throw bad_argument("the values do not fill the tensor");
        if (count > 0)
            to.copy_(at::from_blob(const_cast<float *>(values), to.sizes(), at::TensorOptions().dtype(at::kFloat)));
    });
}

int32_t copy(ip_tensor *to, const ip_tensor *from) noexcept
{
    return guarded("copy", [&] {
        c10::AutoGradMode off(false);
        if (tensor(to).sizes() != tensor(from).sizes())
            throw bad_argument("tensors of different shapes");
        tensor(to).copy_(tensor(from));
    });
}

int32_t value(const ip_tensor *handle, double *out) noexcept
{
    return guarded("value", [&] {
        if (!out || tensor(handle).numel() != 1)
            throw bad_argument("value wants a tensor of one element");
        *out = tensor(handle).item<double>();
    });
}

int32_t shape(const ip_tensor *handle, int64_t extent[8]) noexcept
{
    if (!handle || handle->value.dim() > IP_MAX_RANK)
        return 0;
    for (int64_t i = 0; i < handle->value.dim(); i++)
        extent[i] = handle->value.size(i);
    return static_cast<int32_t>(handle->value.dim());
}

int64_t count(const ip_tensor *handle) noexcept
{
    return handle ? handle->value.numel() : 0;
}

int32_t share(ip_tensor **out, const ip_tensor *handle) noexcept
{
    return made("share", out, [&] { return tensor(handle); });
}

int32_t clone(ip_tensor **out, const ip_tensor *handle) noexcept
{
    return made("clone", out, [&] { return tensor(handle).clone(); });
}

void drop(ip_tensor *handle) noexcept
{
    (void)guarded("drop", [&] { delete handle; });
}

int32_t to_device(ip_tensor **out, const ip_tensor *handle, int32_t number) noexcept
{
    return made("to_device", out, [&] { return tensor(handle).to(device(number)); });
}

int32_t cast(ip_tensor **out, const ip_tensor *handle, int32_t type) noexcept
{
    return made("cast", out, [&] {
        if (type != IP_F32 && type != IP_BF16 && type != IP_F16)
            throw bad_argument("no such sample type");
        return tensor(handle).to(type == IP_F32 ? at::kFloat : type == IP_BF16 ? at::kBFloat16 : at::kHalf);
    });
}

int32_t channels_last(ip_tensor **out, const ip_tensor *handle) noexcept
{
    return made("channels_last", out, [&] { return tensor(handle).contiguous(at::MemoryFormat::ChannelsLast); });
}

int32_t cat(ip_tensor **out, const ip_tensor *const *parts, int32_t number, int32_t dim) noexcept
{
    return made("cat", out, [&] {
        std::vector<at::Tensor> list;
        for (int32_t i = 0; i < number; i++)
            list.push_back(tensor(parts[i]));
        return at::cat(list, dim);
    });
}

int32_t slice(ip_tensor **out, const ip_tensor *x, int32_t dim, int64_t start, int64_t length) noexcept
{
    return made("slice", out, [&] { return tensor(x).narrow(dim, start, length); });
}

int32_t reshape(ip_tensor **out, const ip_tensor *x, const int64_t *extent, int32_t rank) noexcept
{
    return made("reshape", out, [&] { return tensor(x).reshape(extents(extent, rank)); });
}

int32_t transpose(ip_tensor **out, const ip_tensor *x, int32_t dim0, int32_t dim1) noexcept
{
    return made("transpose", out, [&] { return tensor(x).transpose(dim0, dim1); });
}

int32_t flip(ip_tensor **out, const ip_tensor *x, int32_t dim) noexcept
{
    return made("flip", out, [&] { return tensor(x).flip({dim}); });
}

} // namespace

void fill_tensor(ip_backend_v1 &table) noexcept
{
    table.generator = generator;
    table.drop_generator = drop_generator;
    table.randn = randn;
    table.uniform = uniform;
    table.from_memory = from_memory;
    table.full = full;
    table.to_memory = to_memory;
    table.assign = assign;
    table.copy = copy;
    table.value = value;
    table.shape = shape;
    table.count = count;
    table.share = share;
    table.clone = clone;
    table.drop = drop;
    table.to_device = to_device;
    table.cast = cast;
    table.channels_last = channels_last;
    table.cat = cat;
    table.slice = slice;
    table.reshape = reshape;
    table.transpose = transpose;
    table.flip = flip;
}

} // namespace ip
