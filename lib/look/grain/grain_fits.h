/* The fits that make the grain model of blocks. */
#ifndef IP_GRAIN_FITS_H
#define IP_GRAIN_FITS_H

#include "grain_internal.h"

enum { IP_GRAIN_FEWEST = 40 }; /* blocks, for anything to be said */

/* Lists for the fits. */
typedef struct ip_grain_fits {
    const ip_grain_blocks *blocks;
    size_t *order;
    float *key, *x, *y, *scratch;
    float least;    /* confidence of a bin that counts */
    float quantum;  /* variance of rounding */
    float floor[3]; /* squared gradient that grain of variance 1 alone shows in the mean of three frames */
    ip_grain before; /* the model of the round before, for the floor */
    ip_grain_prior slope[3]; /* deviation 0: none */
    float ratio[3];  /* 0: variances by products; else by squares, times this */
} ip_grain_fits;

ipos_status ip_grain_fits_new(const ip_grain_blocks *blocks, float step, ip_grain_fits *f);
void ip_grain_fits_free(ip_grain_fits *f);
/* One bin of the curve; least: confidence for the bin to count. */
void ip_grain_measure_bin(ip_grain_fits *f, int b, float least, ip_grain *out);
/* Bins that do not count take what lies between those that do, as far as their own value is no better. beyond: those further out than all
 * that do go on along the line through them, else they are constant. False if none counts. */
bool ip_grain_fill_gaps(float least, bool beyond, ip_grain *out);
/* These rest on the curve; false where too few blocks are calm. */
bool ip_grain_measure_lags(ip_grain_fits *f, ip_grain *out);
bool ip_grain_measure_channels(ip_grain_fits *f, ip_grain *out);
/* ratio: of variance by products to variance by squares, 1 of grain that is new in every frame and blocks that lie true. slope: squares
 * over gradient, the same at every level as far as it is misalignment. */
void ip_grain_measure_temporal(ip_grain_fits *f, ip_grain *out, float ratio[3], ip_grain_prior slope[3]);
void ip_grain_measure_dispersion(ip_grain_fits *f, ip_grain *out);
void ip_grain_measure_unsteady(ip_grain_fits *f, int triples, ip_grain *out);

#endif
