/* Procedural wires for training: what a rig looks like in a plate, drawn over the production's own dailies with a matte that is exact.
 *
 * A wire is a curve (straight, sagging, whipping) with a width along it, shaded as a lit cylinder: diffuse light, a highlight along it,
 * twist or braid as a pattern along it; composited in the working encoding through its coverage times opacity; blurred by defocus
 * and by its own motion; given the plate's grain. */
#ifndef IP_WIRE_DRAW_H
#define IP_WIRE_DRAW_H

#include "curve.h"
#include "image.h"

typedef struct ip_wire_look {
    float width[2];      /* pixels at both ends; .4 .. 14 */
    float colour[3];     /* base, in the working encoding of the plate it is drawn on */
    float opacity;       /* 0..1; under 1 for nylon and thin lines */
    float shade;         /* code values from one side to the other; above 0 the side of the curve's normal is the brighter one */
    float highlight;     /* added to the middle of a shiny wire, in code values */
    float twist_period, twist_depth; /* pixels along the wire and code values of a strand pattern; depth 0: smooth */
    float lengthwise;    /* standard deviation of slow changes of brightness along it, code values */
    float defocus;       /* radius of the disk, pixels, at most 8; 0: sharp */
    float motion[2];     /* pixels it moves while the shutter is open */
    float grain;         /* standard deviation of the plate's, code values; what the covered plate lost is added, by squares:
                          * grain^2 * (1 - (1 - matte)^2) */
} ip_wire_look;

/* Draws the wire into image. alpha (same size, may be NULL) receives the largest of what it holds and this wire's matte (coverage
 * times opacity after blurs). Where the matte is 0 (under 1/2048 counts as 0) neither is touched. seed decides grain, slow changes and
 * how strands run. Points of the curve that are not finite are left out; a look that is not finite is refused. */
ipos_status ip_wire_draw(ip_image3 *image, const ip_curve *curve, const ip_wire_look *look, uint64_t seed, ip_plane_f *alpha);

/* Random looks in the proportions met on sets, at scale 1: 25 % braided rope (4 .. 8 px), 12 % nylon (.8 .. 3 px, opacity .3 .. .8), 38 %
 * steel, 25 % painted (both .5 .. 12 px, log-uniform, 85 % of them under 6); 17 % are under 1 px. 31 % (half of the ropes, a quarter of the
 * rest) have low contrast: the mean of colour is 3 .. 10 percent of range off that of local; the others 10 .. 90 (rope 45), brighter or
 * darker. 35 % move 2 .. 14 px; 30 % (60 % of the ropes) are out of focus by .5 .. 2 px, the rest softened by .1 .. .49.
 * scale: picture height / 540, .25 .. 2; sizes grow with it, widths staying in .4 .. 14. local: mean colour of the plate under the curve.
 * range: the plate's own spread (its .5 to 99.5 percentile distance), by which contrasts, shading and highlights are measured, so that
 * flat log plates get fair wires; wires that would leave 0..1 take the other side of local, or the limit. */
void ip_wire_look_random(ip_rng *rng, float scale, const float local[3], float range, float grain, ip_wire_look *look);
/* A random curve inside or across width x height: 70 % cross it from border to border, 30 % end inside (9 % at both ends); 40 % straight
 * or nearly, 30 % sagging (catenary), 30 % slack (S-shapes, a third of them with a loop). step: distance of its points. */
ipos_status ip_wire_curve_random(ip_rng *rng, int width, int height, float step, ip_curve *out);
/* Robust standard deviation of the plate's grain: from the median absolute second difference, along both axes, of the luma. */
float ip_plate_grain(const ip_image3 *image);

#endif
