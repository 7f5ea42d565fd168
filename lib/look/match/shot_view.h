/* Two shots laid over each other, for matching: what shot_match.c and shot_view.c share. */
#ifndef IP_LOOK_SHOT_VIEW_H
#define IP_LOOK_SHOT_VIEW_H

#include "grade_fit.h"
#include "place.h"
#include "source.h"

/* A frame made ready: values in the working encoding, the same blurred for colour, luma for place. */
typedef struct ip_shot_view {
    ip_image3 code, soft;
    ip_plane_f luma;
    ip_place_view place;
} ip_shot_view;
ipos_status ip_shot_view_new(const ip_look_source *source, size_t index, ip_shot_view *out);
/* Of a picture in linear light that is at hand; it is taken over, on failure too. */
ipos_status ip_shot_view_of(const ip_look_source *source, ip_image3 *linear, ip_shot_view *out);
void ip_shot_view_free(ip_shot_view *view);

typedef struct ip_shot_pairs { /* begins as {0} */
    ip_grade_pair *pair;
    float (*radius)[2]; /* squared, of half the diagonal: of the pair's place in a, in b */
    size_t count, room;
    int64_t places;
    double share; /* the largest of a frame pair */
} ip_shot_pairs;

/* Lays b over a at place and adds the colours of what then agrees, at most 2500. Nothing is added where the pictures turn out not to show the
 * same: agreed: the share of a that does. */
ipos_status ip_shot_pairs_add(const ip_look_source *source, const ip_shot_view *a, const ip_shot_view *b, const ip_place *place, ip_shot_pairs *out, double *agreed);

/* Correlation, -1..1, of the local structure of luma a and of another that was laid over it and is met along flow, where inside is over 0. Flat places
 * agree with any flat place; they may be kept for their colour only where the structure around says that both show the same. */
ipos_status ip_shot_alike(const ip_plane_f *a, const ip_plane_f *other, const ip_plane_f *inside, const ip_plane_f flow[2], int threads, double *out);
static const double IP_SHOT_ALIKE_LEAST = .5; /* pictures of different things stay below */

/* Neither in the noise of the blacks nor near where samples end. */
bool ip_shot_usable(const ip_look_source *source, const float rgb[3]);

#endif
