// CPU memory kept for reuse: fresh pages from the system cost several times the convolution that fills them.
#include "shim.hpp"

#include <c10/core/CPUAllocator.h>
#include <cinttypes>
#include <cstdlib>
#include <cstring>
#include <mutex>

namespace ip {
namespace {

constexpr size_t header_bytes = 64; // keeps the samples behind it aligned
constexpr unsigned class_count = 256;

struct header {
    size_t bytes; // of the block, header included
    unsigned size_class;
    header *next;
};
static_assert(sizeof(header) <= header_bytes, "a header fits before the samples");

std::mutex lock;
header *kept_blocks[class_count];
uint64_t cache_limit, use_limit, used_bytes, peak_bytes, kept_bytes;

// Four classes to a power of two: at most a quarter more than was asked for.
size_t class_of(size_t bytes, unsigned *size_class)
{
    if (bytes < 256)
        bytes = 256;
    unsigned shift = 61u - static_cast<unsigned>(__builtin_clzll(bytes - 1)); // leaves three bits
    size_t quarter = static_cast<size_t>(1) << shift, steps = (bytes + quarter - 1) >> shift;
    *size_class = shift * 4 + static_cast<unsigned>(steps - 4);
    return steps << shift;
}

void give_back(void *samples) noexcept
{
    if (!samples)
        return;
    header *block = reinterpret_cast<header *>(static_cast<char *>(samples) - header_bytes);
    {
        std::lock_guard<std::mutex> held(lock);
        used_bytes -= block->bytes;
        if (kept_bytes + block->bytes <= cache_limit) {
            block->next = kept_blocks[block->size_class];
            kept_blocks[block->size_class] = block;
            kept_bytes += block->bytes;
            return;
        }
    }
    std::free(block);
}

void deleter(void *samples)
{
    give_back(samples);
}

void free_kept() noexcept
{
    std::lock_guard<std::mutex> held(lock);
    for (header *&list : kept_blocks) {
        while (header *block = list) {
            list = block->next;
            std::free(block);
        }
    }
    kept_bytes = 0;
}

[[noreturn]] void refuse(size_t bytes)
{
    char text[160];
    if (use_limit)
        std::snprintf(text, sizeof text, "can't allocate memory: %zu bytes on top of %" PRIu64 " pass the limit of %" PRIu64, bytes, used_bytes, use_limit);
    else
        std::snprintf(text, sizeof text, "can't allocate memory: %zu bytes on top of %" PRIu64, bytes, used_bytes);
    throw c10::Error(c10::SourceLocation{__func__, __FILE__, __LINE__}, text);
}

header *from_list(size_t bytes, unsigned size_class)
{
    std::lock_guard<std::mutex> held(lock);
    if (use_limit && used_bytes + bytes > use_limit)
        refuse(bytes);
    used_bytes += bytes;
    if (used_bytes > peak_bytes)
        peak_bytes = used_bytes;
    header *block = kept_blocks[size_class];
    if (block) {
        kept_blocks[size_class] = block->next;
        kept_bytes -= bytes;
    }
    return block;
}

void *take(size_t bytes)
{
    if (bytes == 0)
        return nullptr;
    if (bytes > SIZE_MAX / 8)
        refuse(bytes);
    unsigned size_class;
    bytes = class_of(bytes + header_bytes, &size_class);
    header *block = from_list(bytes, size_class);
    if (!block) {
        void *fresh = nullptr;
        if (posix_memalign(&fresh, 64, bytes) != 0) {
            free_kept();
            if (posix_memalign(&fresh, 64, bytes) != 0) {
                std::lock_guard<std::mutex> held(lock);
                used_bytes -= bytes;
                refuse(bytes);
            }
        }
        block = static_cast<header *>(fresh);
    }
    block->bytes = bytes;
    block->size_class = size_class;
    return reinterpret_cast<char *>(block) + header_bytes;
}

// allocate() lost its const between the versions this builds with, and copy_data() came: both forms stand here, and the
// one the base class declares overrides it.
struct cache final : c10::Allocator {
    at::DataPtr make(size_t bytes) const
    {
        void *samples = take(bytes);
        return {samples, samples, &deleter, at::Device(at::DeviceType::CPU)};
    }
    at::DataPtr allocate(size_t bytes) const { return make(bytes); }
    at::DataPtr allocate(size_t bytes) { return make(bytes); }
    c10::DeleterFnPtr raw_deleter() const override { return &deleter; }
    void copy_data(void *to, const void *from, std::size_t count) const { std::memcpy(to, from, count); }
};

} // namespace

int32_t use_cache(uint64_t cache_bytes, uint64_t limit_bytes) noexcept
{
    return guarded("memory cache", [&] {
        // Never destroyed: the library frees blocks while the process ends. The priority is above the library's own (0).
        static cache *allocator = new cache;
        {
            std::lock_guard<std::mutex> held(lock);
            cache_limit = cache_bytes;
            use_limit = limit_bytes;
        }
        if (c10::GetCPUAllocator() != allocator)
            c10::SetCPUAllocator(allocator, 100);
        if (cache_bytes < kept_bytes)
            free_kept();
    });
}

void trim() noexcept
{
    free_kept();
}

void memory(uint64_t *in_use, uint64_t *peak, uint64_t *kept) noexcept
{
    std::lock_guard<std::mutex> held(lock);
    if (in_use)
        *in_use = used_bytes;
    if (peak)
        *peak = peak_bytes;
    if (kept)
        *kept = kept_bytes;
    peak_bytes = used_bytes;
}

} // namespace ip
