/* From mattes to pictures: the fill of a shot, with or without the network, and how well it does where the truth is known. */
#ifndef IP_WIRES_FILL_H
#define IP_WIRES_FILL_H

#include "shot_grain.h"
#include "wires_op.h"

/* Where the holes of a fill lie. */
typedef struct iw_holes {
    int dilate;            /* around the mattes, pixels */
    int shift_x, shift_y;  /* not both 0: the holes stand beside the mattes, to be compared with what is there */
} iw_holes;

/* Clips beside the shot. */
typedef struct iw_beside {
    ip_clip *takes;        /* clean plates and other takes */
    size_t take_count;
    ip_clip *holdout;      /* NULL: none */
} iw_beside;

typedef struct iw_fill iw_fill;
/* reach: as in ip_wire_fill_options. grain NULL: none is added; where it could not be measured, pieces of the frame's own residual stand in; fuse NULL: classical. Everything given must outlive it. */
ipos_status iw_fill_open(iw_shot *shot, const iw_beside *beside, const iw_holes *holes, int reach, const ip_shot_grain *grain, const ip_fuse *fuse,
    iw_fill **out);
void iw_fill_close(iw_fill *fill);

/* Fills frame index: changes picture (a copy of it) within the hole, writes evidence, confidence (planes of the canvas; may be NULL
 * together) there. confidence_mean: over the hole, 1 where there is none. */
ipos_status iw_fill_picture(iw_fill *fill, size_t index, ipos_frame *picture, ip_plane_f *evidence, ip_plane_f *confidence, double *confidence_mean);
/* With shifted holes: sum of squared errors against what is there, and how many samples, over holes that touch no matte. */
ipos_status iw_fill_error(iw_fill *fill, size_t index, double *sum, double *count);

/* The tiles of a frame, the network's colour in them where there is one; freed with ip_wire_tiles_free. */
ipos_status iw_fill_tiles(iw_fill *fill, size_t index, ip_wire_tile **tiles, size_t *count);
/* What the network sees of a tile. */
void iw_fuse_input(const ip_wire_tile *tile, ip_fuse_input *out);

#endif
