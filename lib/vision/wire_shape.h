/* What drawing a wire shares between its files: the wire as straight strips and the tables of its looks. */
#ifndef IP_WIRE_SHAPE_H
#define IP_WIRE_SHAPE_H

#include "wire_draw.h"

enum {
    DEFOCUS_MOST = 8,
    SECTION = 64, /* entries across the wire */
    WAVE = 256    /* entries of a sine */
};
#define SLOW_STEP 4.f /* pixels between entries of slow changes */

/* A straight part of the wire. The area of a unit square on one side of a line at distance d is a trapezoid's integral over d, of
 * which wide (|n|'s larger part), flat and ramp are the sides. */
typedef struct strip {
    float x, y, tx, ty, length, from; /* from: arc length at its beginning */
    float flat, end, slope, bend;     /* of the trapezoid */
    bool first, last;
} strip;

typedef struct wire {
    const ip_wire_look *look;
    strip *strips;
    size_t count;
    float length, half[2];
    float section[SECTION + 1]; /* integral of the shading from one side to a place across, in widths */
    float wave[WAVE];
    float *slow; /* slow changes by arc length */
    size_t slow_count;
    float strand_gain, strand_slant;
    bool chevron;
    uint64_t seed;
} wire;

typedef struct kernel {
    int radius;
    float weight[2 * DEFOCUS_MOST + 1][2 * DEFOCUS_MOST + 1];
} kernel;

/* look and seed are kept; the rest is freed by ip_wire_shape_free, after a failure too. */
ipos_status ip_wire_shape(const ip_curve *curve, const ip_wire_look *look, uint64_t seed, wire *out);
void ip_wire_shape_free(wire *w);
void ip_wire_kernel(float radius, kernel *out);

static inline uint64_t ip_mixed(uint64_t x) { /* SplitMix64's finaliser: Steele, Lea, Flood, OOPSLA 2014 */
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

#endif
