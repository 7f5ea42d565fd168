/* What the files of grain measurement share. */
#ifndef IP_GRAIN_INTERNAL_H
#define IP_GRAIN_INTERNAL_H

#include "grain.h"

enum { IP_GRAIN_BLOCK = 16, IP_GRAIN_HALF_LAGS = (IP_GRAIN_LAGS * IP_GRAIN_LAGS + 1) / 2, IP_GRAIN_TAPS = 8, IP_GRAIN_PHASES = 64 };
#define IP_GRAIN_LOW .04f
#define IP_GRAIN_HIGH .96f
/* Standard deviation of the Gaussian that three box means of radius 12 come to: differences of frames lose what is coarser. */
#define IP_GRAIN_PASS_RADIUS 12
#define IP_GRAIN_PASS_VARIANCE (3.f * (25.f * 25.f - 1.f) / 12.f)

/* Affine motion of a block: displacement = (m[0] + m[1] x + m[2] y, m[3] + m[4] x + m[5] y), x and y from the block's middle. */
typedef struct ip_grain_motion {
    float m[6];
    bool known;
} ip_grain_motion;

/* Blocks over a picture: whole ones only. */
typedef struct ip_grain_grid {
    int columns, rows;
} ip_grain_grid;
static inline ip_grain_grid ip_grain_grid_of(int width, int height) { return (ip_grain_grid){width / IP_GRAIN_BLOCK, height / IP_GRAIN_BLOCK}; }

/* grain_align.c: motion of every block of `from` to `to` that is not known yet, by flow both ways; where that tells none, what motion most of the picture has,
 * if it leaves no much greater difference. Planes as made by the next function;
 * scale: 1 << halvings. motion: columns * rows. */
ipos_status ip_grain_motions(const ip_plane_f *from, const ip_plane_f *to, ip_grain_grid grid, int scale, int threads, const ip_pulse *pulse,
    ip_grain_motion *motion);
/* Luma fit for flow: smaller, 0..255, blurred. */
ipos_status ip_grain_flow_luma(const ip_image3 *image, int halvings, int threads, ip_plane_f *out);
/* Lanczos taps of a fraction of phase / 64 pixel, for samples 1 - count / 2 .. count / 2, count even; sum 1. And eight of them. */
void ip_grain_lanczos(int phase, int count, float *taps);
void ip_grain_taps(int phase, float taps[IP_GRAIN_TAPS]);
/* `from` moved onto the frame that the motion belongs to, block by block; 0 where unknown. */
void ip_grain_warp(const ip_image3 *from, const ip_grain_motion *motion, int threads, ip_image3 *to);

/* The middle frame less its neighbours, aligned, less what is coarser than 12 pixels. */
typedef struct ip_grain_triple {
    ip_image3 before, after; /* differences */
    ip_image3 gradient;      /* squared gradient of the aligned mean */
    ip_plane_f luma, valid;  /* of the aligned mean; 1 where differences count, else 0 */
    ip_grain_motion *motion[2];
} ip_grain_triple;
ipos_status ip_grain_triple_new(int width, int height, ip_grain_triple *out);
void ip_grain_triple_free(ip_grain_triple *triple);
/* images: before, middle, after. */
ipos_status ip_grain_triple_fill(const ip_image3 images[3], const ip_grain_options *options, ip_grain_triple *triple);

/* grain_blocks.c: what one block shows. */
typedef struct ip_grain_block {
    int triple;
    float luma, gradient[3];
    float cross[3][3];                      /* mean of before[i] * after[j], both ways */
    float pair[3];                          /* mean of (before^2 + after^2) */
    float lags[3][IP_GRAIN_HALF_LAGS];      /* mean of before(x) * after(x + lag), both ways: half plane, the last is lag 0 */
    uint8_t phase[2][2];                    /* of the motion in the middle, x and y */
} ip_grain_block;
typedef struct ip_grain_blocks {
    ip_grain_block *at;
    size_t count, room;
} ip_grain_blocks;
ipos_status ip_grain_blocks_add(const ip_grain_triple *triple, int index, int threads, ip_grain_blocks *blocks);
static inline int ip_grain_lag_x(int i) { return i % IP_GRAIN_LAGS - IP_GRAIN_REACH; }
static inline int ip_grain_lag_y(int i) { return i / IP_GRAIN_LAGS - IP_GRAIN_REACH; }

/* grain_fit.c: y = intercept + slope * x, biweight. spread: robust standard deviation of what is left; error: of the intercept. prior: what is
 * known of the slope (NULL: nothing). False with fewer than 6 points. Scratch of n floats. */
typedef struct ip_grain_line {
    double intercept, slope, error, spread, weight;
} ip_grain_line;
typedef struct ip_grain_prior {
    double slope, deviation; /* deviation > 0 */
} ip_grain_prior;
bool ip_grain_line_fit(const float *x, const float *y, size_t n, const ip_grain_prior *prior, float *scratch, ip_grain_line *out);
float ip_grain_quantile(float *values, size_t n, double q); /* reorders */

/* grain_kernel.c */
float ip_grain_sum(const float r[IP_GRAIN_LAGS][IP_GRAIN_LAGS]); /* over all lags */
/* Power spectrum at (u, v) / 64 cycles a pixel for u, v in 0..63, not negative, of unit mean. */
void ip_grain_spectrum(const ip_grain *grain, int channel, float spectrum[64][64]);

/* grain_spatial.c: power that grain of variance 1 has behind the second-difference filter; behind three 3x3 means and Sobel, as a squared
 * gradient; and after interpolation at a phase (x, y). */
float ip_grain_response(const float r[IP_GRAIN_LAGS][IP_GRAIN_LAGS], int stride);
/* The least distance 1..3 of the filter's taps at which it sees a fair part of this grain. */
int ip_grain_stride(const ip_grain *grain);
float ip_grain_gradient_response(const float r[IP_GRAIN_LAGS][IP_GRAIN_LAGS]);
float ip_grain_kept(const float r[IP_GRAIN_LAGS][IP_GRAIN_LAGS], const uint8_t phase[2]);
/* Standard deviation of the Gaussian that tells coarse from fine where grain is added in two bands. */
float ip_grain_split(const ip_grain *grain);
/* The amplitude that this Gaussian leaves of what the filter sees of the grain, in the mean over channels. */
double ip_grain_split_seen(const ip_grain *grain, int stride);
/* The filter's output squared: 0 at the border. */
void ip_grain_second_difference(const ip_plane_f *from, int stride, ip_plane_f *power, int threads);

#endif
