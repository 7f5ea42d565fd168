/* What a global match leaves from place to place: light that falls otherwise, a corner that is warmer. Learned from the two shots themselves. */
#ifndef IP_LOOK_LOCAL_MATCH_H
#define IP_LOOK_LOCAL_MATCH_H

#include "grade.h"
#include "shot_view.h"

enum { IP_LOCAL_KEYS = 3, IP_LOCAL_ACROSS = 16, IP_LOCAL_DOWN = 9, IP_LOCAL_TONES = 6 };

/* Corrections of R,G,B by place and luma, in the working encoding: a bilateral grid (Chen, Paris, Durand, SIGGRAPH 2007). */
typedef struct ip_local_key {
    size_t index;      /* the shot's frame it lies on */
    ip_shot_view view; /* of it, to find other frames in */
    float cell[IP_LOCAL_TONES][IP_LOCAL_DOWN][IP_LOCAL_ACROSS][3];
} ip_local_key;

typedef struct ip_local_match {
    ip_reading reading;   /* not measurable: the shots do not show the same, or what is left has no structure that holds */
    double before, after; /* mean absolute difference of colours that the grids did not learn from, code values: by the grade alone, and with them */
    size_t keys;
    ip_local_key key[IP_LOCAL_KEYS];
} ip_local_match;

/* Up to three frames of the shot, evenly spread, each over the one of up to three of the reference that it shares most with (ip_overlay_find, which does
 * not follow props); what the grade leaves there is averaged into the grids and smoothed, thin evidence towards none. Each grid is made twice from half of
 * the picture's tiles and held against the other half; where together they gain less than a tenth, or than a code of 8 bits, the answer is "not measurable". The caller frees. */
ipos_status ip_local_match_measure(const ip_look_source *shot, const ip_look_source *reference, const ip_grade *grade, ip_local_match *out);
void ip_local_match_free(ip_local_match *match);

/* Where a frame of the shot lies in the keys: the two around it in time, by how near they are. found: in all of them. */
typedef struct ip_local_place {
    bool found;
    double weight[IP_LOCAL_KEYS]; /* sum 1; 0: that key is not used */
    double homography[IP_LOCAL_KEYS][9];
} ip_local_place;
ipos_status ip_local_match_place(const ip_local_match *match, const ip_look_source *shot, size_t index, ip_local_place *out);

/* Adds strength times the corrections to a frame behind the grade, of any size; samples that are not finite stay. A place that was not found changes
 * nothing. */
void ip_local_match_apply(const ip_local_match *match, const ip_local_place *place, double strength, const ip_image3 *image, int threads);

#endif
