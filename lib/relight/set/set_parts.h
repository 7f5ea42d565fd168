/* Steps of the set that given geometry shares; only for set.c, given*.c. */
#ifndef IP_SET_PARTS_H
#define IP_SET_PARTS_H

#include "set.h"

/* Depth of a frame from those around it by plane sweep. */
ipos_status ip_set_depth(ip_set *set, size_t index, ip_view *out);
/* How far its depth agrees with that of the key frames, itself not counted. */
void ip_set_agree(const ip_set *set, const ip_view *view, size_t index);
/* 1 / z of the followed points on the middle frame, with room on both sides; of, for any values of it, which are changed. */
ipos_status ip_set_range(ip_set *set);
void ip_set_range_of(ip_set *set, float *inverse, size_t count);
/* Which frames are keys, and the key nearest to the middle, which becomes it. */
size_t ip_set_keys(ip_set *set);
/* Which key a frame is; keys: none. */
size_t ip_set_key_of(const ip_set *set, size_t index);
/* The lumas of two frames some way off, on both sides where there are such, and of the frame itself, copied into luma[0], [1] and [2]. few: not those that are nearest. */
ipos_status ip_set_beside(const ip_set *set, size_t index, bool few, ip_plane_f luma[3], ip_beside beside[2], size_t *count);
/* Things before the room; frames beside to see whether it explains them. */
ipos_status ip_set_things(ip_set *set, size_t index, ip_set_frame *out);
ipos_status ip_set_copy_view(const ip_view *from, ip_view *to);
static inline void ip_view_free(ip_view *view) {
    ip_plane_free(&view->inverse);
    ip_plane_free(&view->agreeing);
}

/* As bytes. fits: they are of this set and this build's making; else nothing is made and the caller starts afresh. A set's reason is packed too. */
void ip_set_pack(const ip_set *set, ip_buffer *out);
ipos_status ip_set_unpack(const void *bytes, size_t size, const ip_set_source *source, ip_set *out, bool *fits);
void ip_set_frame_pack(const ip_set_frame *frame, size_t index, ip_buffer *out);
ipos_status ip_set_frame_unpack(const void *bytes, size_t size, size_t index, int width, int height, ip_set_frame *out, bool *fits);

/* A frame's depth as it is given, by a sweep where it says nothing; agreeing: IP_GIVEN where it is given. In the set's units. */
enum { IP_GIVEN = 9 };
ipos_status ip_given_view(ip_set *set, size_t index, ip_view *out);
/* Where depth moves with the frame (a pass holds people and cars) or was swept: as ip_set_agree. What stands before a mesh is not believed. */
ipos_status ip_given_agree(const ip_set *set, const ip_view *view, size_t index);
/* ip_set_surface where nothing is given. */
ipos_status ip_set_plain_surface(const ip_set *set, const ip_set_frame *frame, const ip_relight_pair *pair, const ip_surface *surface, const ip_plane_f *still);
/* A direction of the given world in the set's axes; the ray of a pixel in the given world, as long as a depth of 1. */
void ip_known_turn(const ip_known *known, const float given[3], double out[3]);
void ip_known_ray(const ip_set *set, size_t index, double x, double y, float from[3], float along[3]);

#endif
