/* Cuts and repeated frames, from small luma pictures. Pure functions. */
#ifndef IP_CUTS_H
#define IP_CUTS_H

#include "frame.h"

#define IP_THUMB_W 32
#define IP_THUMB_H 18
#define IP_THUMB_SIZE (IP_THUMB_W * IP_THUMB_H)
#define IP_THUMB_ONE 32768 /* code of working value 1; values up to 2 are kept */

/* Block means of luma in the working encoding over the display window. */
ipos_status ip_thumb_make(const ipos_frame *frame, const char *encoding, uint16_t out[IP_THUMB_SIZE]);

/* Gives frame index's thumbnail, and whether its stored hash equals the hash of the frame before it. */
typedef ipos_status (*ip_thumb_fn)(void *user, int64_t index, uint16_t out[IP_THUMB_SIZE], bool *same);

typedef struct ip_shots {
    int64_t *cuts, *duplicates; /* indices: first frames of shots but the first; frames that repeat the one before. ip_free */
    size_t cut_count, duplicate_count;
} ip_shots;
/* A cut: every frame shortly before differs from every frame shortly after by more than motion explains, and by twice
 * what is usual around it; so a flash, or up to two foreign frames, is no cut. A duplicate: the same hash, or no change where the
 * frames on both sides change clearly. Bars that stay black for the whole clip are left out. Dissolves are not found. */
ipos_status ip_shots_find(int64_t count, ip_thumb_fn thumb, void *user, ip_shots *out);
void ip_shots_free(ip_shots *shots);

#endif
