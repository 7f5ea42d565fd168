/* Film and sensor grain: measured from consecutive frames, made, added, taken out, written down.
 *
 * Pictures are R,G,B in the working encoding, luma is .2126 R + .7152 G + .0722 B of it, variances are squares of that scale. Every picture
 * function takes any finite value; not-finite samples are left alone and measured nowhere. */
#ifndef IP_GRAIN_H
#define IP_GRAIN_H

#include "image.h"

enum { IP_GRAIN_FRAMES = 18, IP_GRAIN_BINS = 10, IP_GRAIN_REACH = 5, IP_GRAIN_LAGS = 2 * IP_GRAIN_REACH + 1, IP_GRAIN_KERNEL = 8 };

typedef struct ip_grain_bin {
    float level;       /* luma it speaks for: the mean of its blocks, else the middle of the bin */
    float variance[3]; /* of the grain at that level; drawn to the line between confident neighbours (>= .4), or on through them, where it is not */
    float confidence;  /* 0..1; .5 where the standard error is 5 % of the variance; 0: not measured here */
    int blocks;        /* 16x16 blocks it rests on, over all frames used */
} ip_grain_bin;

/* What is known of the grain. If measurable is false only reason, frames and the three checks hold; nothing else may be used. */
typedef struct ip_grain {
    bool measurable;
    char reason[192];  /* why not; "" if measurable */
    float confidence;  /* 0..1, of the whole */
    int frames;        /* frames looked at */
    ip_grain_bin bins[IP_GRAIN_BINS]; /* luma .04 to .96 in equal parts, ascending level */
    float autocorrelation[3][IP_GRAIN_LAGS][IP_GRAIN_LAGS]; /* [channel][5 + dy][5 + dx]; 1 in the middle, symmetric about it */
    float lag_error;      /* standard error of one value of it */
    float channels[3][3]; /* correlation of R, G and B at one place: symmetric, 1 on the diagonal */
    float temporal;       /* correlation of the grain with the frame before; 0 expected of grain, more where a codec or denoiser kept it */
    float dispersion;     /* how unevenly the grain lies over the picture, over what its autocorrelation explains; 1 expected */
    float unsteady;       /* relative spread of the total variance from frame to frame; 0 expected */
} ip_grain;

/* Consecutive frames of one shot, all of one size. fetch fills `to` (planes of that size); frames are asked for in any order. */
typedef struct ip_grain_source {
    int width, height;
    size_t count;
    ipos_status (*fetch)(void *user, size_t index, const ip_image3 *to);
    void *user;
} ip_grain_source;

typedef struct ip_grain_options { /* zero is default */
    size_t triples;         /* at most so many runs of three frames, spread evenly; 0: 6 */
    bool unclipped;         /* the footage clips nowhere in 0..1; else samples <= .004 or >= .996 count as clipped */
    float step;             /* of the code values the frames came from (1/255 for 8 bits), 0: not quantised */
    int threads;
    const ip_pulse *pulse;  /* may be NULL; where it says stop: IPOS_ERR_CANCELLED */
} ip_grain_options;

/* Grain of the shot. Each run of three frames is aligned on its middle frame by flow smoothed over 48 pixels (so that it cannot follow
 * the grain), and the differences to the frame before and after are multiplied with each other: what both have in common is the grain
 * of the middle frame, whatever the interpolation did to the others. Where a window's flow tells no motion, that which most of the
 * picture has is taken, if there is one and it leaves no more than four times the flow's difference. The rest of the picture's detail is taken out by regression on its
 * squared gradient to a gradient of zero, robustly (biweight; Beaton, Tukey, Technometrics 1974), in ten bins of luma. Of the autocorrelation, what lags beyond 5.5 pixels
 * have on average, up to .02 of the variance, is taken for the scene's and off all lags: grain that is coarser than that reads a little finer.
 *
 * IPOS_OK with out->measurable false and a reason is an answer: fewer than three frames, too little that could be aligned, less than
 * the quantisation makes, or traces of a codec or a denoiser: grain that stays from frame to frame, lies unevenly, or comes and goes.
 * Errors: IPOS_ERR_ARGUMENT (sizes under 64x64), memory, cancelled, or what fetch returned. Same bits for any number of threads. */
ipos_status ip_grain_measure(const ip_grain_source *source, const ip_grain_options *options, ip_grain *out);
size_t ip_grain_frames(size_t count, size_t at[IP_GRAIN_FRAMES]); /* those it looks at unless told how many triples, ascending */

/* Variance of a channel (0..2) at a luma: linear between the bins' levels, constant beyond them. */
float ip_grain_variance(const ip_grain *grain, int channel, float luma);
/* Whether the numbers make sense as a model that can be used; IPOS_ERR_ARGUMENT with a text if not. */
ipos_status ip_grain_check(const ip_grain *grain);

/* Filters that turn white noise into grain of unit variance: kernel[c][8 + dy][8 + dx], and the lower-triangular mixture that gives three
 * independent noises the channels' correlation before they are filtered. */
typedef struct ip_grain_kernel {
    float filter[3][2 * IP_GRAIN_KERNEL + 1][2 * IP_GRAIN_KERNEL + 1];
    float mix[3][3];
    int radius; /* taps further out than this are 0 in all three */
} ip_grain_kernel;

/* The zero-phase square root of the power spectrum. The measured lags are kept as far as a power spectrum allows and those beyond 5
 * are free (projections in turn, Youla, Webb, IEEE Trans. Medical Imaging 1982). Before that they are drawn to the mean of the three channels and to
 * that of lags at the same distance, as far as they differ from them by no more than their error (empirical Bayes; James, Stein, 1961). */
ipos_status ip_grain_make(const ip_grain *grain, ip_grain_kernel *out);

typedef struct ip_grain_add_options {
    uint64_t seed;
    int64_t frame;             /* number of the frame in its shot: other numbers, other grain */
    int x, y;                  /* where the image's first sample lies in the whole picture */
    float gain;                /* on the standard deviation; 0: 1 */
    const ip_plane_f *missing; /* per pixel the share 0..1 of the variance to be added; where 0 the samples keep their bits. NULL: 1 */
    const ip_plane_f *coarse;  /* with missing: the share of what is coarse in the grain (ip_grain_missing_bands), missing being that of the rest. NULL: as missing */
    const ip_plane_f *luma;    /* the level the grain goes by; NULL: the image's own, sample by sample */
    int threads;
} ip_grain_add_options;

/* Adds grain in place. Each sample's grain depends on seed, frame, and its place in the whole picture only, so tiles join without
 * seams and give the bits of the whole; it repeats neither within a picture nor from frame to frame (noise by counter: Philox, see
 * rng.c). Planes given must have the image's size. */
ipos_status ip_grain_add(const ip_grain *grain, const ip_grain_kernel *kernel, const ip_grain_add_options *options, ip_image3 *image);

/* For matched regrain: the share 0..1 of the grain's variance that each place of `image` lacks, for ip_grain_add's `missing`, 0 where
 * region is 0 (NULL: everywhere). The power of a second-difference filter (Immerkaer, CVIU 1996; its
 * taps 1 to 3 pixels apart, as the grain is coarse) in windows of about 80 pixels is
 * set against that of `reference`: a picture of the same scene with the grain as it should be (the frame next to it, along the motion or not),
 * detail of the scene being much the same in both. Without a reference, against what the grain model predicts, in places whose gradient
 * grain alone could make: fine detail there passes for grain. Power beyond four times what a window has counts as so much, and the rest is brought to what
 * normal grain would have (Huber, M-estimate of scale, 1964, in four rounds): a few wrong pixels, as at a seam, do not pass for grain. Grain blurred by interpolation counts by what it
 * has left in the fine frequencies. missing: allocated by the caller, of the image's size. */
ipos_status ip_grain_missing(const ip_grain *grain, const ip_image3 *image, const ip_image3 *reference, const ip_plane_f *region, int threads,
    ip_plane_f *missing);

typedef struct ip_grain_remove_options { /* zero is default */
    float strength;           /* share of the grain to take out, 0..1; 0: 1 */
    bool spatial_only;
    int threads;
    const ip_pulse *pulse;
} ip_grain_remove_options;

/* The same in two bands, for pictures whose grain is softened, not gone: interpolation and averages take more of what is fine. Power is looked at behind filters of
 * two widths, and what each says is shared out between what a Gaussian of .6 pixels (times the width) leaves of the grain, coarse, and the rest, fine. */
ipos_status ip_grain_missing_bands(const ip_grain *grain, const ip_image3 *image, const ip_image3 *reference, const ip_plane_f *region, int threads,
    ip_plane_f *fine, ip_plane_f *coarse);

/* The middle frame without its grain. First along time: neighbours (before, after; either may be NULL) are brought to it by flow and
 * averaged in, the less the more their difference, over 5x5 pixels, shows beyond the grain of two frames (1 / (1 + (4 excess)^2), the excess
 * over 1.25 times that grain, in parts of it). What grain is left is taken out by empirical Wiener shrinkage of overlapping 8x8 cosine transforms (Yaroslavsky,
 * Egiazarian, Astola, SPIE 2001) against the grain's own spectrum. remaining (may be NULL, else the image's size): share of the grain's
 * variance left after the temporal part, 1 where no neighbour helped: what lies near 1 rests on the spatial guess alone.
 * out: the image's size, may be `image`. Not-finite samples come back as they were. */
ipos_status ip_grain_remove(const ip_grain *grain, const ip_image3 *before, const ip_image3 *image, const ip_image3 *after,
    const ip_grain_remove_options *options, ip_image3 *out, ip_plane_f *remaining);

/* JSON, one object: {"grain": 1, "measurable", "reason", "confidence", "frames", "bins": [{"level", "variance": [r, g, b], "confidence",
 * "blocks"}], "autocorrelation": [3][11][11], "lag_error", "channels": [3][3], "temporal", "dispersion", "unsteady"}. Reading gives the
 * bits that were written. *text: the caller frees with ip_free. Errors of reading: IPOS_ERR_FORMAT with the name of what is wrong. */
ipos_status ip_grain_to_json(const ip_grain *grain, char **text);
ipos_status ip_grain_from_json(const char *text, ip_grain *out);

typedef struct ip_grain_av1_options { /* zero is default */
    uint16_t seed;    /* 0: 7391 */
    int64_t begin, end; /* in units of 1/10,000,000 s; both 0: all of any film */
    bool bt2020;      /* the pictures are coded with BT.2020 luma; else BT.709 */
} ip_grain_av1_options;

/* A film-grain table ("filmgrn1", as aomenc and SvtAv1EncApp read it) for footage coded as 8- or 10-bit 4:2:0, limited range, whose code
 * values are this working encoding. Scaling points: standard deviation of luma, Cb and Cr grain at the bins' levels; auto-regression of lag 3,
 * fitted to the autocorrelation by Yule-Walker, for luma as it is and for chroma as it is after 2x2 averaging, with the share of
 * chroma that luma explains. Limits of the format: one spectrum for all levels; strengths of 8 bits (steps of about 1 % of a code
 * value); a causal filter of 24 coefficients of 8 bits, so correlation beyond 3 pixels only as the recursion makes it; grain repeats in
 * blocks of 32 pixels drawn from one 73x82 template. Chroma grain goes by luma. *text: freed with ip_free. */
ipos_status ip_grain_to_av1(const ip_grain *grain, const ip_grain_av1_options *options, char **text);

#endif
