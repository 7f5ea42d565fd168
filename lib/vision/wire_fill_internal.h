/* The parts of the wire fill, in the order they work. Colours are finite inside, errors are code values. */
#ifndef IP_WIRE_FILL_INTERNAL_H
#define IP_WIRE_FILL_INTERNAL_H

#include "wire_fill.h"

/* Matching sees values between these. */
static const float IP_WIRE_LOW = -.25f, IP_WIRE_HIGH = 1.5f;
enum {
    IP_WIRE_MARGIN = 16, /* a tile's box around its own pixels */
    IP_WIRE_CELL = 80,  /* side of the part of a frame whose hole one tile owns */
    IP_WIRE_SMALL = 520, /* whole frames are halved until their longer side is at most this */
    IP_WIRE_REACH = 20,  /* what is fetched of another frame beyond the shifted tile */
    IP_WIRE_RING = 7,    /* pixels around the hole that judge a candidate */
    IP_WIRE_ROUNDS = 2,  /* of alignment towards the common picture */
    IP_WIRE_CANDIDATES = 24,
    IP_WIRE_VIEWS = IP_WIRE_CANDIDATES + 2, /* and what is held */
};

/* --- wire_fill_coarse.c: small pictures of whole frames and the motion between them --- */
enum { IP_WIRE_BINS = 8, IP_WIRE_CACHE = 64, IP_WIRE_FRACTIONS = 256 };
typedef struct ip_wire_small {
    size_t sequence, index;
    uint64_t used;
    ip_plane_f luma; /* wires filled, about 0..255; {0}: an empty place */
    float noise[IP_WIRE_BINS]; /* of the full-size frame by brightness, 0..255; only with grain wanted */
} ip_wire_small;

typedef struct ip_wire_coarse {
    size_t sequence, index;
    ip_plane_f flow[2]; /* at the small size, in small pixels */
} ip_wire_coarse;

void ip_wire_lanczos(float weights[IP_WIRE_FRACTIONS + 1][6]);
struct ip_wire_fill {
    ip_wire_source source;
    size_t *count;
    ip_wire_fill_options options;
    float lanczos[IP_WIRE_FRACTIONS + 1][6]; /* weights for a sample between two pixels */
    int halvings;                  /* small = full / 2^halvings */
    uint64_t clock;
    ip_wire_small cache[IP_WIRE_CACHE];
    struct ip_wire_held *held;     /* what is held of the shot; NULL until asked for */
};
/* Frames worth looking at from a frame of the shot: those always looked at, then those for what they do not see. */
typedef struct ip_wire_motions {
    size_t index, near, count, made;
    ip_wire_coarse list[IP_WIRE_CANDIDATES];
} ip_wire_motions;
void ip_wire_choose(const ip_wire_fill *fill, size_t index, ip_wire_motions *m);
ipos_status ip_wire_motions_near(ip_wire_fill *fill, ip_wire_motions *m);
ipos_status ip_wire_motions_far(ip_wire_fill *fill, ip_wire_motions *m); /* near comes first */
void ip_wire_motions_free(ip_wire_motions *m);
/* Of the places where there is something to follow, the share that the first motion moves by less than `least` pixels. */
ipos_status ip_wire_standing(ip_wire_fill *fill, const ip_wire_motions *m, float least, float *share);
/* The noise of frame index of the shot, as kept. */
ipos_status ip_wire_frame_noise(ip_wire_fill *fill, size_t index, float noise[IP_WIRE_BINS]);
void ip_wire_cache_free(ip_wire_fill *fill);

/* wire_fill_noise.c: standard deviation of the grain after a small blur is taken away; infinite where nothing says. luma 0..255. */
ipos_status ip_wire_noise(const ip_plane_f *luma, const ip_plane_f *known, float noise[IP_WIRE_BINS], int threads);
int ip_wire_noise_bin(float luma);

/* --- wire_fill_take.c: other takes --- */
/* A start for the motion from here to there: the best shift of the whole picture, and there at here's exposure. */
ipos_status ip_wire_take_start(const ip_plane_f *here, const ip_plane_f *there, ip_plane_f *exposed, ip_plane_f start[2]);
/* Gives plane the mean and contrast, over the box there, that like has over the box here. */
void ip_wire_expose(const ip_plane_f *like, ip_box_i here, ip_plane_f *plane, ip_box_i there);

/* --- a tile at work --- */
typedef struct ip_wire_work {
    const float (*lanczos)[6];
    ip_box_i box;       /* in the frame */
    ip_image3 frame;    /* as fetched */
    ip_image3 colour;   /* finite; what is not known is filled from around it */
    ip_plane_f matte, known, active; /* 0 or 1; active: matte or ring */
    ip_plane_f depth;   /* of matte pixels: distance to the nearest known one */
    ip_plane_f luma;    /* of colour, 0..255 */
    ip_plane_f invented; /* expected error of the spatial fill */
    ip_plane_f doubt; /* of matte pixels: expected error of the fill */
    ip_plane_f relief; /* error of the views' mean by their own, on the ring */
    ip_image3 residual;  /* of ring pixels: the frame less the views' mean */
    ip_plane_f residual_known; /* 1 where there is such a mean */
} ip_wire_work;

/* A frame seen through its motion. Planes of the work's box unless said otherwise. */
typedef struct ip_wire_view {
    size_t sequence, index;
    ip_box_i from;      /* fetched part: the work's box, shifted, and IP_WIRE_REACH around; may leave the frame */
    ip_image3 colour;   /* of from; finite, filled */
    ip_plane_f luma;    /* of from, at the work's exposure */
    ip_plane_f unsafe;  /* of from: samples here touch the unknown */
    ip_plane_f start[2]; /* coarse motion less the shift */
    ip_plane_f flow[2]; /* to from, less IP_WIRE_REACH and the shift */
    ip_image3 seen;     /* corrected picture where active */
    ip_plane_f valid, error;
    ip_plane_f many;    /* frames that a pixel is the mean of; {0}: 1 everywhere */
    ip_plane_f around;  /* error by the ring, not only where valid; {0}: not wanted */
    float motion;       /* pixels, median */
    ipos_status status;
} ip_wire_view;

/* ip_spatial_fill with fewer steps of its solver, for an estimate. */
ipos_status ip_spatial_fill_quick(ip_plane_f *planes, size_t count, const ip_plane_f *hole, int steps, int threads);

/* wire_fill_work.c */
ipos_status ip_wire_work_open(ip_wire_fill *fill, size_t index, ip_box_i box, ip_wire_work *work);
void ip_wire_work_close(ip_wire_work *work);
/* Fetches what the coarse motion says; *usable is false where too little lies inside the frame. */
ipos_status ip_wire_view_open(ip_wire_fill *fill, const ip_wire_work *work, const ip_wire_coarse *coarse, ip_wire_view *view, bool *usable);
void ip_wire_view_close(ip_wire_view *view);
/* Replaces what is not finite or not known by what is around it: known gets 0 there. */
ipos_status ip_wire_clean(ip_image3 *colour, ip_plane_f *known);
/* Rec.709 luma as matching sees it, 0..255 for values 0..1. */
void ip_wire_luma(const ip_image3 *colour, ip_plane_f *luma, int threads);
/* Chamfer distance to the nearest sample of mask that is over 0, at most limit. */
void ip_wire_distance(const ip_plane_f *mask, float limit, ip_plane_f *out);

/* wire_fill_align.c: flow and samples of a view. Many views may be aligned at once. */
ipos_status ip_wire_align(const ip_wire_work *work, ip_wire_view *view);
ipos_status ip_wire_sample(const ip_wire_work *work, ip_wire_view *view);
/* wire_fill_target.c, wire_fill_refine.c: towards the picture the views have in common. */
typedef struct ip_wire_target {
    int width, height; /* of the work's box; the planes have 8 more on every side */
    ip_plane_f near; /* of the work's size: 1 within reach of the wire */
    ip_plane_f luma, weight, gx, gy; /* 0..255; weight 0 where nothing is known; slopes a pixel */
} ip_wire_target;
ipos_status ip_wire_target_open(const ip_wire_work *work, const ip_wire_view *views, size_t count, ip_wire_target *out);
void ip_wire_target_close(ip_wire_target *target);
ipos_status ip_wire_refine(const ip_wire_work *work, const ip_wire_target *target, ip_wire_view *view);
/* wire_fill_judge.c: correction from the ring and error of a view. */
ipos_status ip_wire_judge(const ip_wire_work *work, ip_wire_view *view);
/* wire_fill_still.c: what has not moved. */
bool ip_wire_may_be_still(const ip_wire_view *view);
/* The same part of the other frame as it stands: seen and valid, error to be judged. ip_wire_view_close closes it. */
ipos_status ip_wire_still_open(const ip_wire_work *work, const ip_wire_view *view, ip_wire_view *still);
/* Takes a judged view's pixels as they stand where that is as good. */
ipos_status ip_wire_still(const ip_wire_work *work, ip_wire_view *view);
/* Normalised smoothing: values and weight (0..1) are blurred with a Gaussian-like kernel; values come back divided by weight, which
 * comes back blurred. */
void ip_wire_smooth(ip_plane_f *const *values, size_t count, ip_plane_f *weight, ip_plane_f *tmp, int radius);
/* wire_fill_held.c: before a camera that does not move, what the shot showed before and shows behind, as two views more, and what is never
 * seen filled once for all frames. Adds nothing where the camera moves. */
typedef struct ip_wire_held ip_wire_held;
ipos_status ip_wire_held_views(ip_wire_fill *fill, size_t index, ip_wire_work *work, ip_wire_view *views, size_t *count);
void ip_wire_held_free(ip_wire_held *held);
/* wire_fill_blend.c */
/* The weighted mean of the views at a pixel; false where none sees it. */
bool ip_wire_common(const ip_wire_view *views, size_t count, int x, int y, float mean[3]);
ipos_status ip_wire_blend(ip_wire_work *work, ip_wire_view *views, size_t count, ip_wire_tile *tile);
/* wire_fill_shine.c: joins what the frame itself still shows of the plate to the fill; after ip_wire_blend. */
ipos_status ip_wire_shine(const ip_wire_work *work, ip_wire_tile *tile);
/* wire_fill_grain.c: tile->grain, as much as tile->lacking says, and no more than noise. */
ipos_status ip_wire_grain(const ip_wire_work *work, const float noise[IP_WIRE_BINS], uint64_t seed, ip_wire_tile *tile);

#endif
