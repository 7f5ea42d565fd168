// Gradients, the optimiser step, and the table itself.
#include "shim.hpp"
#include "torch_backend.h"

#include <c10/core/GradMode.h>
#include <cmath>
#include <cstring>

namespace ip {
namespace {

int32_t track(ip_tensor *handle, int32_t on) noexcept
{
    return guarded("track", [&] { tensor(handle).set_requires_grad(on != 0); });
}

int32_t gradients(int32_t on) noexcept
{
    bool former = c10::GradMode::is_enabled();
    c10::GradMode::set_enabled(on != 0);
    return former;
}

int32_t backward(const ip_tensor *loss) noexcept
{
    return guarded("backward", [&] { tensor(loss).backward(); });
}

int32_t grad(ip_tensor **out, const ip_tensor *handle) noexcept
{
    return made("grad", out, [&] {
        if (!tensor(handle).grad().defined())
            throw wrong_state("the tensor has no gradient: track() it and call backward() first");
        return tensor(handle).grad();
    });
}

int32_t clear_grad(ip_tensor *handle) noexcept
{
    return guarded("clear_grad", [&] { tensor(handle).mutable_grad().reset(); });
}

int32_t detach(ip_tensor **out, const ip_tensor *handle) noexcept
{
    return made("detach", out, [&] { return tensor(handle).detach(); });
}

// Read back once: a card would be waited for at every tensor.
double norm_of(ip_tensor *const *params, int32_t count)
{
    at::Tensor squares;
    for (int32_t i = 0; i < count; i++) {
        const at::Tensor &slope = tensor(params[i]).grad();
        if (!slope.defined())
            continue;
        at::Tensor square = slope.norm().to(at::kDouble).square_();
        squares = squares.defined() ? squares.add_(square) : square;
    }
    return squares.defined() ? std::sqrt(squares.item<double>()) : 0;
}

int32_t grad_norm(ip_tensor *const *params, int32_t count, double *norm) noexcept
{
    return guarded("grad_norm", [&] {
        if (!norm)
            throw bad_argument("no place for the result (NULL)");
        c10::AutoGradMode off(false);
        *norm = norm_of(params, count);
    });
}

int32_t clip_grads(ip_tensor *const *params, int32_t count, double max_norm, double *norm) noexcept
{
    return guarded("clip_grads", [&] {
        c10::AutoGradMode off(false);
        double before = norm_of(params, count);
        if (norm)
            *norm = before;
        if (!(before > max_norm))
            return;
        for (int32_t i = 0; i < count; i++) {
            at::Tensor slope = tensor(params[i]).grad();
            if (slope.defined())
                slope.mul_(max_norm / (before + 1e-6));
        }
    });
}

// Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.
int32_t adamw(ip_tensor *const *params, ip_tensor *const *first, ip_tensor *const *second, int32_t count, double lr, double beta1,
    double beta2, double epsilon, double decay, int64_t step) noexcept
{
    return guarded("adamw", [&] {
        if (step < 1)
            throw bad_argument("steps count from 1");
        c10::AutoGradMode off(false);
        double left1 = 1 - std::pow(beta1, static_cast<double>(step)), left2 = 1 - std::pow(beta2, static_cast<double>(step));
        for (int32_t i = 0; i < count; i++) {
            at::Tensor &p = tensor(params[i]), &m = tensor(first[i]), &v = tensor(second[i]);
            const at::Tensor &slope = p.grad();
            if (!slope.defined())
                continue;
            p.mul_(1 - lr * decay);
            m.lerp_(slope, 1 - beta1);
            v.mul_(beta2).addcmul_(slope, slope, 1 - beta2);
            p.addcdiv_(m, v.div(left2).sqrt_().add_(epsilon), -lr / left1);
        }
    });
}

int32_t lerp(ip_tensor *const *to, ip_tensor *const *from, int32_t count, double weight) noexcept
{
    return guarded("lerp", [&] {
        c10::AutoGradMode off(false);
        for (int32_t i = 0; i < count; i++)
            tensor(to[i]).lerp_(tensor(from[i]), weight);
    });
}

int32_t all_finite(ip_tensor *const *tensors, int32_t count, int32_t *finite) noexcept
{
    return guarded("all_finite", [&] {
        if (!finite)
            throw bad_argument("no place for the result (NULL)");
        c10::AutoGradMode off(false);
        *finite = 1;
        for (int32_t i = 0; i < count && *finite; i++)
            *finite = std::isfinite(tensor(tensors[i]).abs().max().item<double>());
    });
}

void fill_system(ip_backend_v1 &table) noexcept
{
    table.struct_size = sizeof table;
    table.version = 1;
    table.name = "torch";
    table.library_version = library_version;
    table.built_with = built_with;
    table.capability = capability;
    table.device_count = device_count;
    table.device_name = device_name;
    table.device_find = device_find;
    table.set_threads = set_threads;
    table.threads = threads;
    table.set_log = set_log;
    table.use_cache = use_cache;
    table.trim = trim;
    table.memory = memory;
    table.measure = measure;
}

} // namespace

void fill_train(ip_backend_v1 &table) noexcept
{
    table.track = track;
    table.gradients = gradients;
    table.backward = backward;
    table.grad = grad;
    table.clear_grad = clear_grad;
    table.detach = detach;
    table.grad_norm = grad_norm;
    table.clip_grads = clip_grads;
    table.adamw = adamw;
    table.lerp = lerp;
    table.all_finite = all_finite;
}

} // namespace ip

const ip_backend_v1 *ip_torch_backend(int32_t (*fail)(int32_t status, const char *text))
{
    static const ip_backend_v1 table = [] {
        ip_backend_v1 filled = {};
        ip::fill_system(filled);
        ip::fill_tensor(filled);
        ip::fill_ops(filled);
        ip::fill_train(filled);
        return filled;
    }();
    ip::set_fail(fail);
    // Binaries fit one minor only: "1.13." of "1.13.1".
    const char *built = ip::built_with(), *running = ip::library_version();
    const char *dot = std::strchr(built, '.');
    const char *patch = dot ? std::strchr(dot + 1, '.') : nullptr;
    size_t compared = patch ? static_cast<size_t>(patch - built) + 1 : std::strlen(built);
    if (std::strncmp(built, running, compared) == 0)
        return &table;
    char text[200];
    std::snprintf(text, sizeof text, "this engine was built for libtorch %s but found %s; install that version or rebuild", built, running);
    fail(IPOS_ERR_CONFLICT, text);
    return nullptr;
}
