/* The grain of a shot, for frames that are made or filled. Engine only. */
#ifndef IP_SHOT_GRAIN_H
#define IP_SHOT_GRAIN_H

#include "grain.h"
#include "op.h"

typedef struct ip_shot_grain {
    ip_grain grain;
    ip_grain_kernel kernel; /* where it is measurable */
    uint64_t seed;
} ip_shot_grain;
/* From the frames of a clip with these numbers, ascending, all of one shot; tells progress at `done` of the run. Footage that cannot be measured
 * (compressed, too few frames, too small, windows that move) is no failure: grain.measurable is false and grain.reason says why. */
ipos_status ip_shot_grain_measure(ip_op_host *host, size_t clip, const int64_t *numbers, size_t count, double done, uint64_t seed, ip_shot_grain *out);

#endif
