/* Where skin sits in the grade: the chromaticities of pixels that the user marked on one frame. No detector, no data base of faces. */
#ifndef IP_SKIN_H
#define IP_SKIN_H

#include "record.h"
#include "region.h"

typedef struct ip_skin {
    ip_reading reading;
    double u, v;          /* mean CIE 1976 u', v' */
    double cov[3];        /* covariance: uu, uv, vv */
    double stops;         /* median luma in stops over .18 */
    double range;         /* from the 10th to the 90th percentile of luma, stops */
    double kept;          /* share of the marked pixels that belong to the locus, 0..1 */
    int64_t pixels;       /* that were used */
} ip_skin;

/* Mean and covariance after three rounds of leaving out what lies beyond 3 standard deviations (Mahalanobis distance; the covariance is
 * corrected for the cut), so that hair, eyes and background in a box weigh little. Not measurable: fewer than 64 usable pixels, less than half
 * of them in the locus, or a locus wider than .03 in u' or v', which is no single surface. */
ipos_status ip_skin_measure(const ip_look_source *source, const ip_region *region, ip_skin *out);

json_t *ip_skin_json(const ip_skin *skin);
ipos_status ip_skin_parse(const json_t *value, ip_skin *out);

#endif
