/* The grain of a shot, for what is filled. */
#include "shot.h"
#include "teller.h"
#include "wires_run.h"

ipos_status iw_grain_measure(iw_run *run, const iw_shot *shot, iw_grain *out) {
    ip_shot frames;
    ip_teller teller;
    char refused[160];
    *out = (iw_grain){.seed = (uint64_t)ip_options_int(run->host->options, "seed")};
    ip_teller_open(&teller, run->host);
    IP_TRY(ip_teller_say(&teller, run->done, "measuring the grain"));
    IP_TRY(ip_shot_range(shot->host, shot->clip->index, shot->numbers[0], shot->numbers[shot->count - 1], &frames));
    ipos_status status = ip_shot_open(&frames, refused);
    if (status == IPOS_OK && !*refused) {
        ip_grain_options options;
        const ip_grain_source source = ip_shot_grain_source(&frames, &options, &teller.pulse);
        status = ip_grain_measure(&source, &options, &out->grain);
    }
    ip_shot_close(&frames);
    if (status == IPOS_OK && out->grain.measurable)
        status = ip_grain_make(&out->grain, &out->kernel);
    if (status != IPOS_ERR_ARGUMENT && status != IPOS_ERR_UNSUPPORTED)
        return status;
    out->grain = (ip_grain){0}; /* too small, or windows that move */
    return IPOS_OK;
}
