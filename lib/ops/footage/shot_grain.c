#include "shot_grain.h"
#include "shot.h"
#include "teller.h"

ipos_status ip_shot_grain_measure(ip_op_host *host, size_t clip, const int64_t *numbers, size_t count, double done, uint64_t seed, ip_shot_grain *out) {
    ip_shot frames;
    ip_teller teller;
    char refused[160];
    *out = (ip_shot_grain){.seed = seed};
    ip_teller_open(&teller, host);
    IP_TRY(ip_teller_say(&teller, done, "measuring the grain"));
    IP_TRY(ip_shot_list(host, clip, numbers, count, &frames));
    ipos_status status = ip_shot_open(&frames, refused);
    if (status == IPOS_OK && !*refused) {
        ip_grain_options options;
        const ip_grain_source source = ip_shot_grain_source(&frames, &options, &teller.pulse);
        status = ip_grain_measure(&source, &options, &out->grain);
    } else if (status == IPOS_OK) {
        snprintf(out->grain.reason, sizeof out->grain.reason, "%s", refused);
    }
    ip_shot_close(&frames);
    if (status == IPOS_OK && out->grain.measurable)
        status = ip_grain_make(&out->grain, &out->kernel);
    if (status != IPOS_ERR_ARGUMENT && status != IPOS_ERR_UNSUPPORTED)
        return status;
    out->grain = (ip_grain){.reason = "the frames are too small, or their windows move"};
    return IPOS_OK;
}
