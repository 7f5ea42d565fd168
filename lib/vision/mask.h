/* Masks: planes of 0 and 1, grown, shrunk, and taken apart into connected pieces. */
#ifndef IP_MASK_H
#define IP_MASK_H

#include "image.h"

/* Squares of 2 radius + 1 pixels, in place; outside the plane nothing is looked at. tmp has the plane's size. */
void ip_mask_grow(const ip_plane_f *mask, const ip_plane_f *tmp, int radius);
void ip_mask_shrink(const ip_plane_f *mask, const ip_plane_f *tmp, int radius);
static inline void ip_mask_close(const ip_plane_f *mask, const ip_plane_f *tmp, int radius) {
    ip_mask_grow(mask, tmp, radius);
    ip_mask_shrink(mask, tmp, radius);
}
static inline void ip_mask_open(const ip_plane_f *mask, const ip_plane_f *tmp, int radius) {
    ip_mask_shrink(mask, tmp, radius);
    ip_mask_grow(mask, tmp, radius);
}

/* The next run of samples over 0 in a row of width samples, from *to on: *from to before *to; both begin as 0. false: there is none. */
bool ip_mask_run(const float *row, int width, int *from, int *to);

typedef struct ip_piece {
    ip_box_i box;
    int area;
} ip_piece;

/* Pieces of what is over 0, joined across edges and corners. labels (packed, width * height): 0 outside, else the number of the piece from 1;
 * piece n is at [n - 1]. The caller frees *pieces and *labels. */
ipos_status ip_mask_pieces(const ip_plane_f *mask, int32_t **labels, ip_piece **pieces, size_t *count);

#endif
