/* Chromaticity of linear R,G,B. */
#ifndef IP_LOOK_COLORIMETRY_H
#define IP_LOOK_COLORIMETRY_H

#include "color.h"

/* CIE 1976 u', v' (CIE 15:2018) of linear R,G,B in the primaries of the encoding: AP1 for acescg and acescct, AP0 for aces2065-1, Rec.709
 * for all others, camera logs included (their primaries are not declared, so their loci compare with each other alone). Black and
 * negative sums give the white point. */
void ip_chromaticity(const ip_encoding *encoding, const double rgb[3], double *u, double *v);

#endif
