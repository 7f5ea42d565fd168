/* The curved path between two known frames from the flows on either side of them. */
#ifndef IP_TRAJECTORY_H
#define IP_TRAJECTORY_H

#include "inbetween_plan.h"

/* frames: the known frame before the left one, left, right, the one after. curve is allocated: the smoothed offset from the straight
 * line at time, pixels. */
ipos_status ip_trajectory(ip_inbetween *session, const size_t frames[4], double time, ip_plane_f curve[2]);

/* Known frame i against what its neighbours' curvature says: means of observed*observed, observed*predicted, predicted*predicted
 * (square pixels). possible: it has two known frames on both sides. */
ipos_status ip_trajectory_evidence(ip_inbetween *session, size_t i, bool *possible, double sums[3]);

#endif
