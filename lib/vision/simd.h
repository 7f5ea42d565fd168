/* Hot loops are plain C over rows; this compiles them a second time for machines with AVX2 and picks at load. No FMA contraction
 * is allowed in this project, so both versions give the same bits as long as a loop fixes its own order of summation. */
#ifndef IP_SIMD_H
#define IP_SIMD_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(IP_NO_CLONES)
#define IP_HOT __attribute__((target_clones("arch=x86-64-v3", "default"), optimize("O3")))
#else
#define IP_HOT
#endif

#define IP_INLINE static inline __attribute__((always_inline))

#endif
