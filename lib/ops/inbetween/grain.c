/* The shot's grain on frames that were made: averaging and interpolation take it away. */
#include "inbetween_op.h"
#include "shot.h"
#include "teller.h"

#include <math.h>

ipos_status ib_grain_measure(const ib_shot *shot, double done, ib_grain *out) {
    ip_op_host *host = shot->clip->frames.host;
    ip_shot frames;
    ip_teller teller;
    char refused[160];
    *out = (ib_grain){.seed = (uint64_t)ip_options_int(host->options, "seed")};
    ip_teller_open(&teller, host);
    IP_TRY(ip_teller_say(&teller, done, "measuring the grain"));
    IP_TRY(ip_shot_list(host, shot->clip->frames.index, shot->numbers, shot->count, &frames));
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
    out->grain = (ip_grain){.reason = "the frames are too small, or their windows move"};
    return IPOS_OK;
}

static ipos_status lay(const ib_grain *grain, const ip_clip *clip, double time, const ipos_frame *like, ipos_frame *picture, ip_image3 *image,
    ip_image3 *reference, ip_plane_f *missing) {
    const ipos_box window = picture->data_window;
    const ip_box_i all = {0, 0, window.width, window.height};
    const int threads = clip->host->threads;
    IP_TRY(ip_clip_colour(clip, picture, window, all, image));
    IP_TRY(ip_clip_colour(clip, like, window, all, reference));
    IP_TRY(ip_grain_missing(&grain->grain, image, reference, NULL, threads, missing));
    const ip_grain_add_options options = {.seed = grain->seed, .frame = llround(time * 1024), .missing = missing, .threads = threads};
    IP_TRY(ip_grain_add(&grain->grain, &grain->kernel, &options, image));
    return ip_clip_put_colour(clip, picture, window, all, image, missing);
}

ipos_status ib_grain_add(const ib_grain *grain, const ip_clip *clip, double time, const ipos_frame *like, ipos_frame *picture) {
    ip_image3 image = {0}, reference = {0};
    ip_plane_f missing = {0};
    const int w = picture->data_window.width, h = picture->data_window.height;
    if (!grain->grain.measurable)
        return IPOS_OK;
    ipos_status status = ip_image3_new(w, h, &image);
    if (status == IPOS_OK)
        status = ip_image3_new(w, h, &reference);
    if (status == IPOS_OK)
        status = ip_plane_new(w, h, &missing);
    if (status == IPOS_OK)
        status = lay(grain, clip, time, like, picture, &image, &reference, &missing);
    ip_image3_free(&image);
    ip_image3_free(&reference);
    ip_plane_free(&missing);
    return status;
}
