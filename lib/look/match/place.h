/* Where one frame lies in another that may be framed otherwise: shifted, nearer or farther, turned a little. */
#ifndef IP_LOOK_PLACE_H
#define IP_LOOK_PLACE_H

#include "image.h"

/* A frame made ready: locally normalised luma, so that gain and offset do not matter, at two sizes. */
typedef struct ip_place_view {
    int width, height;             /* of the luma given */
    ip_plane_f coarse, middle;     /* 80 and 240 pixels wide */
} ip_place_view;
ipos_status ip_place_view_new(const ip_plane_f *luma, int threads, ip_place_view *out); /* code values; at least 16x16 */
void ip_place_view_free(ip_place_view *view);

/* A similarity about the middle of a: (x, y) of a is at ip_place_at of b, in pixels of the luma given. */
typedef struct ip_place {
    double x, y;          /* where the middle of a is in b; fractions of b's width */
    double scale, turn;   /* b's pixels for one of a if both were of one width; radians */
    double score;         /* correlation x square root of the shared part of a, 0..1 */
} ip_place;
void ip_place_at(const ip_place *place, const ip_place_view *a, const ip_place_view *b, double x, double y, double out[2]);

/* Correlation (normalised, Lewis, "Fast Normalized Cross-Correlation", Vision Interface 1995) of every shift at nine scales, .62 to 1.62, and
 * turns of -5, 0 and 5 degrees, that shares a fifth of the picture or more. The best `most` that are different, best first, each refined. */
enum { IP_PLACE_MOST = 8 };
ipos_status ip_place_find(const ip_place_view *a, const ip_place_view *b, size_t most, ip_place *out, size_t *found);
void ip_place_refine(const ip_place_view *a, const ip_place_view *b, ip_place *place);

#endif
