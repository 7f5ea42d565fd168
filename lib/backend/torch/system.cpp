// Versions, devices, threads, warnings, and the machine's convolution speed.
#include "shim.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <algorithm>
#include <c10/core/GradMode.h>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

namespace ip {
namespace {

int32_t (*keep_text)(int32_t status, const char *text);
std::mutex log_lock;
void (*log_call)(void *user, int32_t level, const char *text);
void *log_user;

void one_line(char *to, size_t room, const char *from) noexcept
{
    size_t n = 0;
    for (; *from && n + 1 < room; from++)
        to[n++] = *from == '\n' || *from == '\r' || *from == '\t' ? ' ' : *from;
    while (n > 0 && to[n - 1] == ' ')
        n--;
    to[n] = 0;
}

void warn(const std::string &text) noexcept
{
    char line[500];
    one_line(line, sizeof line, text.c_str());
    std::lock_guard<std::mutex> held(log_lock);
    if (log_call)
        log_call(log_user, 2, line);
}

struct handler final : c10::WarningHandler {
#if TORCH_VERSION_MAJOR >= 2
    void process(const c10::Warning &warning) override { warn(warning.msg()); }
#else
    void process(const c10::SourceLocation &, const std::string &text, const bool) override { warn(text); }
#endif
};

double now()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <class Body> double seconds_of(double budget, Body body)
{
    body(); // the first call chooses kernels and touches fresh memory
    std::vector<double> times;
    double end = now() + budget;
    do {
        double begin = now();
        body();
        times.push_back(now() - begin);
    } while (now() < end);
    std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
    return times[times.size() / 2];
}

// The library has no calls for these, or not in every version, but its description of itself names them.
std::string described(const char *key) noexcept
{
    try {
        std::string config = at::show_config();
        size_t at = config.find(key);
        if (at == std::string::npos)
            return {};
        at += std::strlen(key);
        return config.substr(at, config.find_first_of(", \n", at) - at);
    } catch (...) {
        return {};
    }
}

} // namespace

void set_fail(int32_t (*fail)(int32_t status, const char *text)) noexcept
{
    keep_text = fail;
}

int32_t report(int32_t status, const char *call, const char *text) noexcept
{
    static const char *const memory_texts[] = {"can't allocate memory", "out of memory", "not enough memory", "std::bad_alloc"};
    char line[600], whole[700];
    one_line(line, sizeof line, text);
    for (const char *sign : memory_texts) {
        if (std::strstr(line, sign))
            status = IPOS_ERR_NO_MEMORY;
    }
    std::snprintf(whole, sizeof whole, "%s: %s", call, line);
    return keep_text ? keep_text(status, whole) : status;
}

c10::WarningHandler *warning_handler() noexcept
{
    static handler instance;
    return &instance;
}

void set_log(void (*log)(void *user, int32_t level, const char *text), void *user) noexcept
{
    std::lock_guard<std::mutex> held(log_lock);
    log_call = log;
    log_user = user;
}

const char *built_with() noexcept
{
    return TORCH_VERSION;
}

const char *library_version() noexcept
{
    static const std::string text = described("TORCH_VERSION=");
    return text.empty() ? TORCH_VERSION : text.c_str();
}

const char *capability() noexcept
{
    static const std::string text = described("CPU capability usage: ");
    return text.c_str();
}

int32_t device_count() noexcept
{
    int32_t count = 0;
    if (guarded("devices", [&] { count = at::hasCUDA() ? static_cast<int32_t>(at::getNumGPUs()) : 0; }) != IPOS_OK)
        return 0;
    return count;
}

int32_t device_name(int32_t number, char *text, size_t room) noexcept
{
    return guarded("device", [&] {
        if (!text || room < 16 || number >= device_count())
            throw bad_argument("no such device, or no room for its name");
        if (number < 0)
            std::snprintf(text, room, "cpu");
        else
            std::snprintf(text, room, "cuda:%d", number);
    });
}

int32_t device_find(const char *text, int32_t *number) noexcept
{
    return guarded("device", [&] {
        if (!number)
            throw bad_argument("no place for the result (NULL)");
        *number = IP_DEVICE_CPU;
        if (text && std::strcmp(text, "cpu") == 0)
            return;
        int32_t count = device_count(), wanted = 0;
        if (!text || std::strcmp(text, "auto") == 0) {
            *number = count > 0 ? 0 : IP_DEVICE_CPU;
        } else {
            char *end = nullptr;
            long value = std::strncmp(text, "cuda:", 5) == 0 ? std::strtol(text + 5, &end, 10) : 0;
            if (std::strcmp(text, "cuda") != 0 && (!end || end == text + 5 || *end || value < 0 || value > 127))
                throw bad_argument("device is not auto, cpu, cuda or cuda:N");
            wanted = static_cast<int32_t>(value);
            if (wanted >= count)
                throw bad_argument("no such CUDA device in this machine or this libtorch; use auto or cpu");
            *number = wanted;
        }
        if (*number >= 0) {
            at::globalContext().setDeterministicCuDNN(true);
            at::globalContext().setBenchmarkCuDNN(false);
        }
    });
}

int32_t set_threads(int32_t wanted) noexcept
{
    return guarded("threads", [&] {
        if (wanted < 1 || wanted > 1024)
            throw bad_argument("threads must be 1..1024");
        if (at::get_num_threads() != wanted) // each change drops the kernels kept ready
            at::set_num_threads(wanted);
    });
}

int32_t threads() noexcept
{
    int32_t count = 1;
    (void)guarded("threads", [&] { count = at::get_num_threads(); });
    return count;
}

int32_t measure(int32_t number, double seconds, double *inference, double *training) noexcept
{
    return guarded("speed", [&] {
        constexpr int64_t batch = 2, side = 256, channels = 32;
        const double work = 2.0 * batch * side * side * channels * channels * 9 * 1e-9;
        at::TensorOptions options = at::TensorOptions().dtype(at::kFloat).device(device(number));
        at::Tensor x = at::full({batch, channels, side, side}, .5, options).contiguous(at::MemoryFormat::ChannelsLast);
        at::Tensor weight = at::full({channels, channels, 3, 3}, .01, options).contiguous(at::MemoryFormat::ChannelsLast);
        auto finish = [&](const at::Tensor &result) { (void)result.flatten()[0].item<float>(); }; // waits for a device
        if (inference) {
            c10::AutoGradMode off(false);
            *inference = work / seconds_of(seconds, [&] { finish(at::conv2d(x, weight, {}, 1, 1)); });
        }
        if (training) {
            c10::AutoGradMode on(true);
            x.set_requires_grad(true);
            weight.set_requires_grad(true);
            *training = 3 * work / seconds_of(seconds, [&] {
                at::conv2d(x, weight, {}, 1, 1).sum().backward();
                finish(weight.grad());
                x.mutable_grad().reset();
                weight.mutable_grad().reset();
            });
        }
    });
}

} // namespace ip
