/* A change of colour learned from one pair of pictures: affine transforms on a coarse grid over place and brightness.
 *
 * The bilateral grid of Chen, Paris, Durand (SIGGRAPH 2007) with affine cells as in Gharbi, Chen, Barron, Hasinoff, Durand, "Deep Bilateral
 * Learning" (SIGGRAPH 2017); here the cells are no network's but the least squares answer for one pair, held together by their neighbours. */
#ifndef IP_GRID_H
#define IP_GRID_H

#include "image.h"

enum { IP_GRID_X = 20, IP_GRID_Y = 12, IP_GRID_Z = 8, IP_GRID_CELLS = IP_GRID_X * IP_GRID_Y * IP_GRID_Z };

typedef struct ip_grid {
    float *cell; /* [z][y][x][12]: for each of R,G,B what R,G,B and 1 count for */
} ip_grid;

/* From a picture and what became of it, R,G,B as screens show them (sRGB code, limited to 0..1), of one size. Both finite. Allocates out; where
 * cells saw nothing they follow those around them, and all of them, weakly, the one affine change that fits the whole picture. */
ipos_status ip_grid_fit(const ip_image3 *from, const ip_image3 *to, const ip_pulse *pulse, ip_grid *out);
void ip_grid_free(ip_grid *grid);
/* What becomes of a colour (0..1) at a place of the picture it was learned on, 0..1 each way; beyond its border as at it. out is limited to 0..1.2. */
void ip_grid_at(const ip_grid *grid, float x, float y, const float rgb[3], float out[3]);

#endif
