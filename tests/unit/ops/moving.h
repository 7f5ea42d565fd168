/* Frames whose motion is known: a smooth texture that moves 3 px right and 1 px down a frame. */
#ifndef MOVING_H
#define MOVING_H

#include "color.h"
#include "frame.h"

enum { W = 128, H = 96 };
extern int64_t moving_cut_at; /* frames from here on show something else */
float moving_texture(double x, double y, int64_t number, int c);
ipos_status moving_u8(int64_t number, ipos_frame **out); /* R,G,B, rec709 */
/* Half R,G,B, a float depth, an alpha that is 1 everywhere, identifiers; a data window that moves about in the display window. */
ipos_status moving_exr(int64_t number, ipos_frame **out);

#endif
