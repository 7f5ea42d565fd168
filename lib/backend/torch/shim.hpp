// What the files of this folder share: handles and the barrier no exception crosses.
#pragma once

#include "backend.h"

#include <ATen/ATen.h>
#include <cstdio>
#include <exception>
#include <new>
#include <stdexcept>
#include <torch/version.h>

struct ip_tensor {
    at::Tensor value;
};

namespace ip {

#if TORCH_VERSION_MAJOR >= 2
using warning_guard = c10::WarningUtils::WarningHandlerGuard;
#else
using warning_guard = c10::Warning::WarningHandlerGuard;
#endif

struct bad_argument : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};
struct wrong_state : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Keeps the text; "can't allocate memory" and its kin become IPOS_ERR_NO_MEMORY whatever status says.
int32_t report(int32_t status, const char *call, const char *text) noexcept;
c10::WarningHandler *warning_handler() noexcept;

template <class Body> int32_t guarded(const char *call, Body body) noexcept
{
    try {
        warning_guard warnings(warning_handler());
        body();
        return IPOS_OK;
    } catch (const bad_argument &error) {
        return report(IPOS_ERR_ARGUMENT, call, error.what());
    } catch (const wrong_state &error) {
        return report(IPOS_ERR_STATE, call, error.what());
    } catch (const c10::Error &error) {
        return report(IPOS_ERR_UNKNOWN, call, error.what_without_backtrace());
    } catch (const std::bad_alloc &) {
        return report(IPOS_ERR_NO_MEMORY, call, "out of memory");
    } catch (const std::exception &error) {
        return report(IPOS_ERR_UNKNOWN, call, error.what());
    } catch (...) {
        return report(IPOS_ERR_UNKNOWN, call, "an unknown exception");
    }
}

inline const at::Tensor &tensor(const ip_tensor *handle)
{
    if (!handle)
        throw bad_argument("a tensor is missing (NULL)");
    return handle->value;
}

inline at::Tensor &tensor(ip_tensor *handle)
{
    if (!handle)
        throw bad_argument("a tensor is missing (NULL)");
    return handle->value;
}

// A call whose result is one new tensor.
template <class Body> int32_t made(const char *call, ip_tensor **out, Body body) noexcept
{
    if (!out)
        return report(IPOS_ERR_ARGUMENT, call, "no place for the result (NULL)");
    *out = nullptr;
    return guarded(call, [&] { *out = new ip_tensor{body()}; });
}

inline c10::Device device(int32_t number)
{
    if (number < IP_DEVICE_CPU || number > 127)
        throw bad_argument("no such device number");
    return number < 0 ? c10::Device(c10::DeviceType::CPU) : c10::Device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(number));
}

inline at::IntArrayRef extents(const int64_t *shape, int32_t rank)
{
    if (rank < 0 || rank > IP_MAX_RANK || (rank > 0 && !shape))
        throw bad_argument("the rank must be 0..8");
    int64_t count = 1;
    for (int32_t i = 0; i < rank; i++) {
        if (shape[i] < 0 || __builtin_mul_overflow(count, shape[i] > 0 ? shape[i] : 1, &count) || count > INT64_MAX / 16)
            throw bad_argument("a shape with a negative or an absurd extent");
    }
    return at::IntArrayRef(shape, static_cast<size_t>(rank));
}

// system.cpp
const char *library_version() noexcept;
const char *built_with() noexcept;
const char *capability() noexcept;
int32_t device_count() noexcept;
int32_t device_name(int32_t number, char *text, size_t room) noexcept;
int32_t device_find(const char *text, int32_t *number) noexcept;
int32_t set_threads(int32_t threads) noexcept;
int32_t threads() noexcept;
void set_log(void (*log)(void *user, int32_t level, const char *text), void *user) noexcept;
int32_t measure(int32_t number, double seconds, double *inference, double *training) noexcept;
void set_fail(int32_t (*fail)(int32_t status, const char *text)) noexcept;

// memory.cpp
int32_t use_cache(uint64_t cache_bytes, uint64_t limit_bytes) noexcept;
void trim() noexcept;
void memory(uint64_t *in_use, uint64_t *peak, uint64_t *kept) noexcept;

// Each fills its members of the table.
void fill_tensor(ip_backend_v1 &table) noexcept;
void fill_ops(ip_backend_v1 &table) noexcept;
void fill_train(ip_backend_v1 &table) noexcept;

} // namespace ip
