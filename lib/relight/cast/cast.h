/* Shadows of a sun: what stands before the room, made thick, thrown along the light onto the room; and the main wall, for what lies behind it. */
#ifndef IP_CAST_H
#define IP_CAST_H

#include "facade.h"

/* Points that stop the sun, as a map across its direction: how far towards the sun the last of them lies. */
typedef struct ip_caster {
    double toward[3], side[3], over[3]; /* unit; side and over span the map */
    double low[2];                      /* of the map, metres */
    double cell;
    int width, height;
    float *far;                         /* along toward, metres; -1e9 where nothing stops the light */
    int blocks_wide, blocks_high;
    float *block;                       /* the furthest of each block of cells */
    ip_facade facade;
} ip_caster;

/* From a few frames of the set. toward: to the sun, in the world. Things get the thickness their outline suggests (the radius of the largest disk
 * in it), pushed back by .7 of that, for depth is that of their front. */
ipos_status ip_caster_make(const ip_room *room, const ip_set_frame *const *frames, size_t count, const ip_lens *lens, const double toward[3], ip_caster *out);
void ip_caster_free(ip_caster *caster);
/* 1 / depth of what shadows fall on in a frame, whatever throws them. */
ipos_status ip_cast_behind(const ip_room *room, const ip_set_frame *frame, const ip_lens *lens, int threads, const ip_plane_f *behind);
/* How much of the sun gets to every pixel of a frame, 0..1; edges are the softer the further off what throws them. */
void ip_caster_seen(const ip_caster *caster, const ip_plane_f *behind, const ip_set_frame *frame, const ip_lens *lens, int threads, const ip_plane_f *seen);

#endif
