/* Float planes and what is done to them: the ground of every step in this room. Rows run top first; stride counts floats. */
#ifndef IP_IMAGE_H
#define IP_IMAGE_H

#include "core.h"

typedef struct ip_plane_f {
    int width, height;
    ptrdiff_t stride; /* floats from row to row */
    float *data;
} ip_plane_f;

/* Three planes of one size: R,G,B in the working encoding. */
typedef struct ip_image3 {
    ip_plane_f c[3];
} ip_image3;

typedef struct ip_box_i {
    int x, y, width, height;
} ip_box_i;

/* A sign of life from inside long steps, given on whichever thread is at work; false asks the step to end soon. */
typedef struct ip_pulse {
    bool (*beat)(void *user);
    void *user;
} ip_pulse;
static inline bool ip_alive(const ip_pulse *pulse) { return !pulse || pulse->beat(pulse->user); }

static inline float *ip_row(const ip_plane_f *plane, int y) { return plane->data + (ptrdiff_t)y * plane->stride; }

/* Zeroed, rows 64-byte aligned. The plane is {0} on failure. Freeing a {0} plane does nothing. */
ipos_status ip_plane_new(int width, int height, ip_plane_f *out);
void ip_plane_free(ip_plane_f *plane);
ipos_status ip_planes_new(int width, int height, ip_plane_f *planes, size_t count);
void ip_planes_free(ip_plane_f *planes, size_t count);
ipos_status ip_image3_new(int width, int height, ip_image3 *out);
void ip_image3_free(ip_image3 *image);
void ip_plane_fill(ip_plane_f *plane, float value);
void ip_plane_copy(ip_plane_f *to, const ip_plane_f *from); /* same size */
void ip_plane_max(const ip_plane_f *to, const ip_plane_f *from); /* sample by sample the larger; same size */
/* A view of a part; shares the samples, must not be freed. */
ip_plane_f ip_plane_part(const ip_plane_f *plane, ip_box_i box);

/* Mean of 2x2; the result is ceil(w/2) x ceil(h/2) (odd edges repeat their last sample). */
ipos_status ip_halve(const ip_plane_f *from, ip_plane_f *out, int threads);
/* Bilinear to another size (pixel centres kept in place), values times gain. */
void ip_resize(const ip_plane_f *from, ip_plane_f *to, float gain, int threads);
/* Box mean of (2*rx+1) x (2*ry+1) with the edge repeated; in place allowed (tmp has the plane's size). Edge samples count as often
 * as they are repeated. */
void ip_box_blur(const ip_plane_f *from, ip_plane_f *to, ip_plane_f *tmp, int rx, int ry, int threads);
/* Median of the sizes of plane - less (of plane where less is NULL) at no more than `samples` places spread over it evenly; at most 4096. */
float ip_median_size(const ip_plane_f *plane, const ip_plane_f *less, size_t samples);
/* Sobel/4 (so that a ramp of 1 a pixel gives 2), edges repeated. */
void ip_sobel(const ip_plane_f *from, ip_plane_f *gx, ip_plane_f *gy, int threads);

/* A position brought to 0..size-1: far outside, and not-finite ones, must not overflow the conversion to int. */
static inline float ip_within(float at, int size) {
    return at >= 0.f ? (at < (float)(size - 1) ? at : (float)(size - 1)) : 0.f; /* NaN compares false: 0 */
}
/* The two samples such a position lies between, and the second's share. */
static inline void ip_linear_at(float at, int size, int *first, int *second, float *share) {
    at = ip_within(at, size);
    *first = (int)at;
    *second = *first + (*first < size - 1);
    *share = at - (float)*first;
}
/* Of two rows, a above b, between columns left and right. */
static inline float ip_linear_mix(const float *a, const float *b, int left, int right, float across, float down) {
    float upper = a[left] + across * (a[right] - a[left]), lower = b[left] + across * (b[right] - b[left]);
    return upper + down * (lower - upper);
}
/* One sample at (x, y), the position clamped to the plane; not-finite positions read (0,0). */
float ip_sample_linear(const ip_plane_f *plane, float x, float y);
float ip_sample_cubic(const ip_plane_f *plane, float x, float y); /* Keys bicubic, a = -.75 */
void ip_sample_cubic_row(const ip_plane_f *plane, const float *x, const float *y, int count, float *out); /* the same at count places */
void ip_sample_cubic3(const ip_image3 *image, float x, float y, float out[3]); /* planes of one size */
/* Mitchell and Netravali's cubic (SIGGRAPH 1988): softer, and more alike at places on and between samples, so that grain pulses less with the motion. */
void ip_sample_even3(const ip_image3 *image, float x, float y, float out[3]);
/* to(x,y) = from at (x + gx*vx(x,y) + cx(x,y), y + gx*vy + cy); planes c may be NULL. cubic: Keys, else bilinear. */
typedef struct ip_warp {
    const ip_plane_f *vx, *vy, *cx, *cy;
    float gain;
    bool cubic;
} ip_warp;
void ip_warp_plane(const ip_plane_f *from, const ip_warp *warp, ip_plane_f *to, int threads);

/* Push-pull: fills values where weight is small from coarser levels of sum(weight*value)/sum(weight); where the weight is >= full the
 * value is kept. count planes share one weight plane (values are given NOT multiplied by it). Where nothing is known at all: 0. */
ipos_status ip_push_pull(ip_plane_f *values, size_t count, const ip_plane_f *weight, float full, int threads);

/* The part of a frame inside letterbox or pillar bars: lines at the border that stay flat and at the level of the border in every
 * image given are bars, at whatever level that is. Cut sides shrink by 2 more. The whole frame if less than 40 % would be left. */
ip_box_i ip_letterbox(const ip_plane_f *const *lumas, size_t count);

/* Rec.709 weights on code values; not-finite values become 0 and the result is limited to low..high. For matching only. */
void ip_luma(const ip_image3 *image, float low, float high, ip_plane_f *out, int threads);

#endif
