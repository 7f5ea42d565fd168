/* One frame laid over another of the same set-up: a homography, and over it a little bending. */
#ifndef IP_LOOK_OVERLAY_H
#define IP_LOOK_OVERLAY_H

#include "shot_view.h"

typedef struct ip_overlay_options { /* all 0: the defaults */
    double most;               /* pixels of b the bending may be long; 0: 1.5 */
    double smooth;             /* sigma it is smoothed by, pixels of a; 0: 6 */
    const ip_plane_f *without; /* of a's size: where over 0 a says nothing, and the bending comes from around; NULL: all of a speaks */
} ip_overlay_options;

/* Pixel (x, y) of a is at ip_overlay_at of b, each in pixels of the luma given. */
typedef struct ip_overlay {
    bool found;            /* false: the pictures share too little, nothing below holds but structure */
    double homography[9];  /* of a to b, row-major, the last 1 */
    ip_plane_f bend[2];    /* pixels of b, added to it */
    ip_plane_f agreed;     /* of a's size: 1 where a place was found in b that looks alike and that flow both ways leads to, 0 elsewhere and where b ends */
    double share;          /* of a that agreed, 0..1 */
    double structure;      /* correlation of the local structure as b lies, -1..1 */
    double residual;       /* median length of what the homography leaves, pixels of b */
} ip_overlay;

/* Places b (ip_place_find, up to three tries, best first), finds the flow of what is then left without seeing exposure (ip_register), fits the
 * homography to it robustly (direct linear equations, Cauchy's weights), and takes what flow is left after it, where it is short, smoothed and cut off
 * at `most`, as bending: parallax and lens, but not a prop that was moved, which stays where it is in b. found is false where less than
 * 12 % of the shared part agrees, or the structures correlate by less than IP_SHOT_ALIKE_LEAST along the flow or by less than .2 as b lies in the end. options may be NULL. IPOS_ERR_CANCELLED, memory. */
ipos_status ip_overlay_find(const ip_look_source *source, const ip_shot_view *a, const ip_shot_view *b, const ip_overlay_options *options, ip_overlay *out);
void ip_overlay_free(ip_overlay *overlay);
void ip_overlay_at(const ip_overlay *overlay, double x, double y, double out[2]);

/* b in the frame of a, bicubic; inside: 1 where b has a picture, else 0. Planes of a's size. */
void ip_overlay_lay(const ip_overlay *overlay, const ip_image3 *b, const ip_image3 *out, const ip_plane_f *inside, int threads);

/* Colours of places that agree, b's as `from` and a's as `to`, blurred by 2 pixels in a, at most `most`, evenly spread; those that are clipped or black in
 * either are left out. laid: b's code laid over a. The caller frees. */
ipos_status ip_overlay_pairs(const ip_look_source *source, const ip_overlay *overlay, const ip_shot_view *a, const ip_image3 *laid, size_t most,
    ip_grade_pair **pairs, size_t *count);

/* overlay_match.c. The grade that brings `from` of such pairs to `to`, for takes of one set-up: three gains in linear light (exposure, white balance; robustly,
 * Cauchy's weights, so that light on a third of the picture does not move them) unless a whole grade (ip_grade_fit_most) comes clearly nearer, and
 * none where that gains too little (ip_shot_matching). Reorders the pairs: the first *kept belong together. At least 64 pairs. */
typedef struct ip_overlay_grade {
    ip_grade grade;
    double before, after; /* median CIEDE2000 of all pairs */
    size_t kept;
} ip_overlay_grade;
ipos_status ip_overlay_match(const ip_encoding *encoding, ip_grade_pair *pairs, size_t count, ip_overlay_grade *out);

/* overlay_fit.c. The homography that takes from[i] to to[i], robustly; false where the points do not fix one. Points in the same unit, x and y. */
bool ip_homography_fit(const float (*from)[2], const float (*to)[2], size_t count, double out[9]);
void ip_homography_at(const double h[9], double x, double y, double out[2]);
bool ip_homography_inverse(const double h[9], double out[9]);

#endif
