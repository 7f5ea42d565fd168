/* Another light from a location's own days: what its evenings look like where it looks like this by day.
 *
 * For a camera that stands. The gain from here to the evenings, pixel by pixel (median over evenings of log light), is carried by the edges of the
 * picture it is for (guided.h), so people and things of other days leave no outline. Its change of colour is that of the days' own pictures, and
 * this picture may differ from it by so much: a red car is not made the grey of the street it hides. Pictures are scene-linear R,G,B of one size,
 * that of the analysis, finite and not negative. After "Data-driven Hallucination of Different Times of Day", Shih et al., SIGGRAPH Asia 2013. */
#ifndef IP_DAYS_H
#define IP_DAYS_H

#include "image.h"

/* Pictures by day and in the evening; at least one of each. own: what does not move in the shot itself. */
typedef struct ip_days {
    const ip_image3 *own;
    const ip_image3 *day, *evening;
    size_t days, evenings;
} ip_days;

/* Writes log2 of what R,G,B of `own` become, not yet smoothed, and how sure that is (0..1, by how much the evenings agree). */
ipos_status ip_days_gain(const ip_days *days, int threads, const ip_image3 *gain, const ip_plane_f *sure);
/* The same along the edges of a frame of the shot: smooth is written. */
ipos_status ip_days_smooth(const ip_image3 *gain, const ip_image3 *frame, int threads, const ip_image3 *smooth);

/* How alike two pictures of a place are: 1 alike, towards 0 for another hour or weather. Gain alone does not count. */
double ip_days_alike(const ip_image3 *a, const ip_image3 *b);

#endif
