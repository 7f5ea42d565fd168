/* Grades that bring one set of colours to another. */
#ifndef IP_LOOK_GRADE_FIT_H
#define IP_LOOK_GRADE_FIT_H

#include "grade.h"

/* One place in two pictures, working encoding. */
typedef struct ip_grade_pair {
    float from[3], to[3];
} ip_grade_pair;

/* The grade whose result has the quantiles of the targets, 2 to 98 %, along eight directions of colour (R, G, B, luma, the three differences,
 * the sum). Quantiles, not pairs: noise and places off by a pixel bend a fit to pairs towards weaker contrast, but leave the sets alone. A soft
 * absolute value of the residuals over .01, and a slight pull to no change where the colours do not say. Sets of under 64: IPOS_ERR_ARGUMENT. */
ipos_status ip_grade_fit_sets(const ip_grade_pair *pairs, size_t count, ip_grade *out);
/* The same, where some pairs may show other things (moved ones, shadows): those that are off by more than 2.5 times the median residual are
 * dropped, twice. Reorders pairs; the first *kept are those that stayed. */
ipos_status ip_grade_fit_most(ip_grade_pair *pairs, size_t count, ip_grade *out, size_t *kept);
/* The last step of it: brings the pairs that a grade leaves off by at most 2.5 times the median residual to the front; how many they are. */
ipos_status ip_grade_keep(const ip_grade *grade, ip_grade_pair *pairs, size_t count, size_t *kept);
/* Least squares over pairs that belong together exactly, e.g. of another kind of transform. */
ipos_status ip_grade_fit_pairs(const ip_grade_pair *pairs, size_t count, ip_grade *out);
/* The ASC CDL nearest to a grade over the colours `from` of pairs. */
ipos_status ip_cdl_fit(const ip_grade *grade, const ip_grade_pair *pairs, size_t count, ip_cdl *out);

#endif
