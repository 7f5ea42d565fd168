/* One slanted edge: its line, its profile, its modulation. */
#ifndef IP_SHARP_EDGE_H
#define IP_SHARP_EDGE_H

#include "sharp.h"

enum { IP_EDGE_HALF = 12 }; /* windows are 2 * 12 + 1 pixels each way */

typedef struct ip_edge {
    double mtf50, curve[IP_SHARP_FREQUENCIES];
} ip_edge;

typedef struct ip_edge_place {
    int x, y; /* middle of the window */
    double energy, nx, ny; /* sum of squared gradients, and their direction */
} ip_edge_place;

/* Whether the gradients around place->x, y have one direction (structure tensor; Bigun and Granlund, ICCV 1987); fills the rest of it. */
bool ip_edge_look(const ip_plane_f *gx, const ip_plane_f *gy, ip_edge_place *place);
/* False where the window holds no straight edge of a height over least alone, or one that runs along the grid of pixels. */
bool ip_edge_measure(const ip_plane_f *luma, const ip_edge_place *place, double least, ip_edge *out);

#endif
