/* What match.c and match_search.c share. */
#ifndef IP_MATCH_INTERNAL_H
#define IP_MATCH_INTERNAL_H

#include "match.h"
#include <stdlib.h>

enum { IP_MATCH_LEVELS = 8, IP_MATCH_COARSE = 120 };

/* Eight bytes a pixel: R, G, B, slopes of the luma (+128), three zeros; the edge repeated around. */
typedef struct ip_features {
    int width, height, stride;
    uint64_t *block;
    const uint64_t *at; /* pixel (0,0) */
} ip_features;

typedef struct ip_vector {
    int16_t u, v;
    int32_t cost;
} ip_vector;

typedef struct ip_field {
    int width, height;
    ip_vector *at;
} ip_field;

/* levels[0] is half size, each next one half of that. */
ipos_status ip_features_pyramid(const ip_image3 *image, int count, ip_features *levels);
void ip_features_free(ip_features *features);
void ip_field_free(ip_field *field);

/* The coarsest level, exhaustively around nothing and around start; and a finer one from start, the coarser field, its most common
 * displacements, by propagation and random search. Where pulse says stop: IPOS_ERR_CANCELLED. */
ipos_status ip_search_all(const ip_features *a, const ip_features *b, const ip_plane_f start[2], const ip_pulse *pulse, ip_field *out);
ipos_status ip_search_level(const ip_features *a, const ip_features *b, const ip_plane_f start[2], const ip_field *coarse,
    const ip_pulse *pulse, ip_field *out);
/* What the start itself costs at every pixel: 0..120, large where it leads outside. */
ipos_status ip_match_costs(const ip_features *a, const ip_features *b, const ip_plane_f start[2], const ip_pulse *pulse, ip_field *out);

#endif
