/* What lies behind a wire: seen in other frames of the shot or in other takes, else interpolated from around the hole.
 *
 * Works on tiles along the matte only: cost follows the wire's area. For every tile: motion to frames within reach (a coarse flow of
 * whole frames at reduced size, then a flow of the tile against the shifted part of the other frame, with the wire's own motion kept out
 * of it, then small windows moved towards the picture all have in common), samples that are not under the other frame's matte, a
 * photometric correction from the ring around the hole, weights by how well the ring agrees. A spatial fill is blended in by what both
 * are expected to be wrong by: the views on the ring, the spatial fill on the same hole moved beside itself. What shines
 * through the wire's soft edges, or lies beside it in a wide matte, is told from the wire and joined to the fill by the same rule. */
#ifndef IP_WIRE_FILL_H
#define IP_WIRE_FILL_H

#include "image.h"

/* The shot. All callbacks come on the calling thread; a failure ends the call with it. Sequence 0 is the shot itself; others are
 * takes or a clean plate, the same size. index: 0..count[sequence]-1 in time order. */
typedef struct ip_wire_source {
    void *user;
    int width, height;
    const size_t *count;   /* frames of each sequence */
    size_t sequences;      /* at least 1 */
    /* Colour of a box in the working encoding; the box lies inside the frame; to has the box's size. */
    ipos_status (*colour)(void *user, size_t sequence, size_t index, ip_box_i box, const ip_image3 *to);
    /* Matte 0..1 of a box: samples over 0 are not to be believed as background (already dilated as wished). */
    ipos_status (*matte)(void *user, size_t sequence, size_t index, ip_box_i box, const ip_plane_f *to);
    ipos_status (*tick)(void *user); /* often; may be NULL */
    int threads;
} ip_wire_source;

typedef struct ip_wire_fill_options {
    int reach;          /* frames to look at on both sides in the shot; 0: 20. Beyond 7 only for what nearer ones do not show */
    int candidates;     /* at most so many aligned pictures a tile; 0: 16, at most 24 */
    bool grain;         /* give the fill the plate's own grain where averaging took it away */
    bool held;          /* before a camera that does not move, use what all of the shot shows: it is gone through twice, 64 frames at a time */
    bool covered;       /* nothing of the plate is looked for under the matte itself: for holes laid where no wire is */
    uint64_t seed;      /* of the grain: the same for the same frame and seed */
} ip_wire_fill_options;

enum { IP_WIRE_SLOTS = 6, IP_WIRE_SIDES = 8 }; /* the layout of ip_fuse_input: a network may correct the blend */

/* One tile of a filled frame. Planes have box's size. Everything outside the matte is the frame as it was; matte pixels of the box that
 * another tile owns are filled in colour and slots too (so that no wire is seen), but are not in `hole`. */
typedef struct ip_wire_tile {
    ip_box_i box;
    ip_plane_f hole;        /* 1 on matte pixels this tile owns, else 0 */
    ip_image3 colour;       /* the classical fill, without grain */
    ip_image3 grain;        /* to be added to whichever fill is used, 0 outside the hole; planes {0} without options.grain */
    ip_plane_f lacking;     /* in the hole: share 0..1 of the grain's variance that the colour has lost; 0 outside */
    float rest;             /* mean square of what the pictures from elsewhere leave of the ring around the hole, 0 where there are none */
    ip_plane_f own;         /* in the hole: share 0..1 of the colour that is what the frame itself shows through the wire */
    ip_plane_f evidence;    /* in the hole: 1 seen in the shot (elsewhere or through the wire), 2 in another take, 3 invented; 0 outside */
    ip_plane_f confidence;  /* 0..1 in the hole, 1 outside */
    /* For the network: slots 0..3 the best aligned pictures, best first (the spatial fill where there are fewer), 4 the weighted mean of
     * all, 5 the spatial fill; all equal to the frame outside the hole. logits: prior of the blend, -12..0. sides: error of slots 0, 1,
     * 2 (code values), share of candidates that saw the pixel (0..1), distance to the hole's edge / 8 pixels, motion / 16 pixels (at
     * most 4), spread of the candidates (code values), matte (other tiles' part too). */
    ip_image3 slot[IP_WIRE_SLOTS];
    ip_plane_f logit[IP_WIRE_SLOTS];
    ip_plane_f side[IP_WIRE_SIDES];
} ip_wire_tile;

typedef struct ip_wire_fill ip_wire_fill; /* caches coarse pictures and flows; one thread at a time */
ipos_status ip_wire_fill_open(const ip_wire_source *source, const ip_wire_fill_options *options, ip_wire_fill **out);
void ip_wire_fill_close(ip_wire_fill *fill);
/* Tiles of frame index of sequence 0 that together hold every pixel whose matte is over 0, each pixel in the part of exactly one tile's
 * hole. Tiles are at most 192 pixels a side (112 now: 80 and a margin of 16). ip_wire_tiles_free frees them. */
ipos_status ip_wire_fill_frame(ip_wire_fill *fill, size_t index, ip_wire_tile **tiles, size_t *count);
void ip_wire_tiles_free(ip_wire_tile *tiles, size_t count);

/* What only a network needs of tiles. */
void ip_wire_tiles_slim(ip_wire_tile *tiles, size_t count);

/* Fills of neighbouring frames averaged along their motion, so that they flicker less and err less. */
typedef struct ip_wire_filled {
    size_t index;
    ip_wire_tile *tiles; /* of ip_wire_fill_frame; slots and sides may be gone */
    size_t count;
} ip_wire_filled;
typedef struct ip_wire_steadied {
    ip_image3 colour;   /* in place of the tile's */
    ip_plane_f lacking;
} ip_wire_steadied;
/* beside: the frames before and behind that there are, at most 2. *out: for every tile of `here`, in its order; freed with ip_wire_steadied_free. */
ipos_status ip_wire_steady(ip_wire_fill *fill, const ip_wire_filled *here, const ip_wire_filled *beside, size_t count, ip_wire_steadied **out);
void ip_wire_steadied_free(ip_wire_steadied *steadied, size_t count);

/* The spatial fill alone: every sample with hole > 0 from around it; planes of one size, in place. */
ipos_status ip_spatial_fill(ip_plane_f *planes, size_t count, const ip_plane_f *hole, int threads);

#endif
