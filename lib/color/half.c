/* half <-> single. The bulk forms use F16C where the processor has it (every one with AVX2 does); the plain code gives the same
 * bits, NaN payloads included. */
#include "color.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define HAVE_F16C 1
#endif

float ip_half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 0x3ff, bits;
    float value;
    if (exponent == 0) {
        value = (float)fraction * 0x1p-24f; /* exact, and no subnormal single for a host that flushes them */
        memcpy(&bits, &value, 4);
        bits |= sign;
    } else if (exponent == 31)
        bits = sign | 0x7f800000 | fraction << 13 | (fraction ? 0x400000 : 0); /* NaNs come out quiet */
    else
        bits = sign | (exponent + 112) << 23 | fraction << 13;
    memcpy(&value, &bits, 4);
    return value;
}

uint16_t ip_float_to_half(float value)
{
    uint32_t bits, magnitude, sign;
    memcpy(&bits, &value, 4);
    sign = bits >> 16 & 0x8000;
    magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000)
        return (uint16_t)(sign | 0x7e00 | (magnitude >> 13 & 0x3ff));
    if (magnitude >= 0x477ff000) /* 65520: rounds to infinity */
        return (uint16_t)(sign | 0x7c00);
    if (magnitude >= 0x38800000) /* normal: the carry of rounding runs into the exponent as it should */
        return (uint16_t)(sign | (magnitude - 0x38000000 + 0xfff + (magnitude >> 13 & 1)) >> 13);
    if (magnitude <= 0x33000000) /* up to half the smallest subnormal */
        return (uint16_t)sign;
    uint32_t shift = 126 - (magnitude >> 23), fraction = (magnitude & 0x7fffff) | 0x800000;
    uint32_t rounded = (fraction + ((uint32_t)1 << (shift - 1)) - 1 + (fraction >> shift & 1)) >> shift;
    return (uint16_t)(sign | rounded);
}

#if HAVE_F16C
__attribute__((target("avx2,f16c"))) static size_t to_floats_f16c(const uint16_t *halves, float *out, size_t n)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(halves + i))));
    return i;
}

__attribute__((target("avx2,f16c"))) static size_t to_halves_f16c(const float *in, uint16_t *out, size_t n)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm_storeu_si128((__m128i *)(void *)(out + i), _mm256_cvtps_ph(_mm256_loadu_ps(in + i), _MM_FROUND_TO_NEAREST_INT));
    return i;
}
#endif

void ip_halves_to_floats(const uint16_t *halves, float *out, size_t n)
{
    size_t i = 0;
#if HAVE_F16C
    if (__builtin_cpu_supports("avx2"))
        i = to_floats_f16c(halves, out, n);
#endif
    for (; i < n; i++)
        out[i] = ip_half_to_float(halves[i]);
}

void ip_floats_to_halves(const float *in, uint16_t *out, size_t n)
{
    size_t i = 0;
#if HAVE_F16C
    if (__builtin_cpu_supports("avx2"))
        i = to_halves_f16c(in, out, n);
#endif
    for (; i < n; i++)
        out[i] = ip_float_to_half(in[i]);
}
