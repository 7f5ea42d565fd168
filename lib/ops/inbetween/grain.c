/* The shot's grain on frames that were made: averaging and interpolation take it away. */
#include "inbetween_op.h"

#include <math.h>

static ipos_status lay(const ip_shot_grain *grain, const ip_clip *clip, double time, const ipos_frame *like, ipos_frame *picture, ip_image3 *image,
    ip_image3 *reference, ip_plane_f missing[2]) {
    const ipos_box window = picture->data_window;
    const ip_box_i all = {0, 0, window.width, window.height};
    const int threads = clip->host->threads;
    IP_TRY(ip_clip_colour(clip, picture, window, all, image));
    IP_TRY(ip_clip_colour(clip, like, window, all, reference));
    IP_TRY(ip_grain_missing_bands(&grain->grain, image, reference, NULL, threads, &missing[0], &missing[1]));
    const ip_grain_add_options options = {.seed = grain->seed, .frame = llround(time * 1024), .missing = &missing[0], .coarse = &missing[1], .threads = threads};
    IP_TRY(ip_grain_add(&grain->grain, &grain->kernel, &options, image));
    ip_plane_max(&missing[0], &missing[1]);
    return ip_clip_put_colour(clip, picture, window, all, image, &missing[0]);
}

ipos_status ib_grain_add(const ip_shot_grain *grain, const ip_clip *clip, double time, const ipos_frame *like, ipos_frame *picture) {
    ip_image3 image = {0}, reference = {0};
    ip_plane_f missing[2] = {0};
    const int w = picture->data_window.width, h = picture->data_window.height;
    if (!grain->grain.measurable)
        return IPOS_OK;
    ipos_status status = ip_image3_new(w, h, &image);
    if (status == IPOS_OK)
        status = ip_image3_new(w, h, &reference);
    if (status == IPOS_OK)
        status = ip_planes_new(w, h, missing, 2);
    if (status == IPOS_OK)
        status = lay(grain, clip, time, like, picture, &image, &reference, missing);
    ip_image3_free(&image);
    ip_image3_free(&reference);
    ip_planes_free(missing, 2);
    return status;
}
