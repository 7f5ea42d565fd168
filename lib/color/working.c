/* The working encoding of scene-linear values:  y = sign(x) * 7/64 * log2(1 + 64 |x|).
 *
 * 7/64 has three bits, so a whole power of two maps to a single without rounding: the curve is split there, and only the
 * remainder goes through a polynomial. Rounding y to single then is nearly all the error there is, and near 0 the whole
 * relative precision stays. One body serves both instruction sets; contraction is off, so both give the same bits. */
#include "color.h"

#define STEP (7.0f / 64)          /* of y for a factor of two */
#define LN2 0.693147180559945309f
#define LAST 0x7f7fffffu          /* bits of the largest single; above it are infinity and NaN, which pass through */

static inline __attribute__((always_inline)) float encode(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, 4);
    uint32_t sign = bits & 0x80000000;
    float a, m, y;
    bits &= 0x7fffffff;
    memcpy(&a, &bits, 4);
    /* a + 1/64 = 2^(e - 6) m with m in [sqrt(1/2), sqrt(2)) */
    float v = a + 0x1p-6f;
    uint32_t shifted;
    memcpy(&shifted, &v, 4);
    shifted += 0x3f800000 - 0x3f3504f3;
    int32_t e = (int32_t)(shifted >> 23) - 127 + 6;
    uint32_t mantissa = (shifted & 0x7fffff) + 0x3f3504f3;
    memcpy(&m, &mantissa, 4);
    float f = e == 0 ? a * 64 : m - 1;
    /* ln(1 + f): Cephes' logf */
    float z = f * f;
    float p = 7.0376836292e-2f;
    p = p * f - 1.1514610310e-1f;
    p = p * f + 1.1676998740e-1f;
    p = p * f - 1.2420140846e-1f;
    p = p * f + 1.4249322787e-1f;
    p = p * f - 1.6668057665e-1f;
    p = p * f + 2.0000714765e-1f;
    p = p * f - 2.4999993993e-1f;
    p = p * f + 3.3333331174e-1f;
    float ln = f + (p * f * z - 0.5f * z);
    y = (float)e * STEP + ln * (STEP / LN2);
    uint32_t out;
    memcpy(&out, &y, 4);
    out = bits > LAST ? bits : out;
    out |= sign;
    memcpy(&y, &out, 4);
    return y;
}

static inline __attribute__((always_inline)) float decode(float y)
{
    uint32_t bits;
    memcpy(&bits, &y, 4);
    uint32_t sign = bits & 0x80000000;
    float t, scale, x;
    bits &= 0x7fffffff;
    uint32_t low = IP_MIN(bits, 0x416a8000u); /* 134 steps, where single ends; the bits are in the order of the values */
    memcpy(&t, &low, 4);
    int32_t e = (int32_t)(t * (1 / STEP) + 0.5f);
    float g = (t - (float)e * STEP) * (LN2 / STEP);
    /* exp(g) - 1: Cephes' expf */
    float p = 1.9875691500e-4f;
    p = p * g + 1.3981999507e-3f;
    p = p * g + 8.3334519073e-3f;
    p = p * g + 4.1665795894e-2f;
    p = p * g + 1.6666665459e-1f;
    p = p * g + 5.0000001201e-1f;
    float q = p * g * g + g;
    int32_t power = (e - 7 + 127) << 23; /* half of 2^(e - 6), which for e = 134 would be too large */
    memcpy(&scale, &power, 4);
    x = ((scale - 0x1p-7f) + scale * q) * 2;
    uint32_t out;
    memcpy(&out, &x, 4);
    out = IP_MIN(out, LAST);
    uint32_t through = -(uint32_t)(bits > LAST); /* a mask: GCC makes a branch of the other form, and then no vectors */
    out = (bits & through) | (out & ~through) | sign;
    memcpy(&x, &out, 4);
    return x;
}

static void encode_plain(float *samples, size_t n)
{
    for (size_t i = 0; i < n; i++)
        samples[i] = encode(samples[i]);
}

static void decode_plain(float *samples, size_t n)
{
    for (size_t i = 0; i < n; i++)
        samples[i] = decode(samples[i]);
}

#if defined(__x86_64__)
#define WIDE 1
__attribute__((target("avx2"))) static void encode_avx2(float *samples, size_t n)
{
    for (size_t i = 0; i < n; i++)
        samples[i] = encode(samples[i]);
}

__attribute__((target("avx2"))) static void decode_avx2(float *samples, size_t n)
{
    for (size_t i = 0; i < n; i++)
        samples[i] = decode(samples[i]);
}
#endif

void ip_to_working(const ip_encoding *encoding, float *samples, size_t n)
{
    if (encoding->kind != IP_ENCODING_LINEAR)
        return;
#if WIDE
    if (__builtin_cpu_supports("avx2")) {
        encode_avx2(samples, n);
        return;
    }
#endif
    encode_plain(samples, n);
}

void ip_from_working(const ip_encoding *encoding, float *samples, size_t n)
{
    if (encoding->kind != IP_ENCODING_LINEAR)
        return;
#if WIDE
    if (__builtin_cpu_supports("avx2")) {
        decode_avx2(samples, n);
        return;
    }
#endif
    decode_plain(samples, n);
}
