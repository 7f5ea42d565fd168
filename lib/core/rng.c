/* Philox 4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. */
#include "core.h"

#include <math.h>

ip_rng ip_rng_at(uint64_t seed, uint64_t stream)
{
    return (ip_rng){.key = seed, .stream = stream, .counter = 0};
}

uint64_t ip_rng_bits(ip_rng *rng)
{
    uint32_t c[4] = {(uint32_t)rng->counter, (uint32_t)(rng->counter >> 32), (uint32_t)rng->stream, (uint32_t)(rng->stream >> 32)};
    uint32_t k0 = (uint32_t)rng->key, k1 = (uint32_t)(rng->key >> 32);
    rng->counter++;
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c[0], p1 = (uint64_t)0xCD9E8D57u * c[2];
        uint32_t n[4] = {(uint32_t)(p1 >> 32) ^ c[1] ^ k0, (uint32_t)p1, (uint32_t)(p0 >> 32) ^ c[3] ^ k1, (uint32_t)p0};
        memcpy(c, n, sizeof c);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return (uint64_t)c[1] << 32 | c[0];
}

double ip_rng_unit(ip_rng *rng)
{
    return (double)(ip_rng_bits(rng) >> 11) * 0x1p-53;
}

int64_t ip_rng_below(ip_rng *rng, int64_t count)
{
    return count > 1 ? (int64_t)(ip_rng_bits(rng) % (uint64_t)count) : 0;
}

double ip_rng_normal(ip_rng *rng)
{
    double radius = sqrt(-2 * log(1 - ip_rng_unit(rng)));
    return radius * cos(6.283185307179586 * ip_rng_unit(rng));
}
