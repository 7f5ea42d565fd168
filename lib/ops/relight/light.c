/* What every way of relighting needs: light back into frames, mattes. */
#include "relight_op.h"

#include <math.h>

ipos_status ir_light_write(const ip_clip *clip, const ip_image3 *light, const ip_plane_f *changed, ipos_frame *picture) {
    const ip_encoding *encoding = clip->encoding;
    ip_box_i all = {0, 0, changed->width, changed->height};
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < all.height; y++) {
            float *line = ip_row(&light->c[c], y);
            for (int x = 0; x < all.width && encoding->kind != IP_ENCODING_LINEAR; x++)
                line[x] = encoding->from_linear(line[x]);
            ip_to_working(encoding, line, (size_t)all.width);
        }
    return ip_clip_put_colour(clip, picture, picture->data_window, all, light, changed);
}

ipos_status ir_light_fetch(const ip_look_source *source, size_t index, int widest, ip_image3 *out) {
    IP_TRY(ip_look_fetch(source, index, widest, out));
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < out->c[c].height; y++) {
            float *line = ip_row(&out->c[c], y);
            for (int x = 0; x < out->c[c].width; x++)
                line[x] = fmaxf(line[x], 0);
        }
    return IPOS_OK;
}

ipos_status ir_keep_read(ir_run *run, const ipos_frame *source, int64_t number, ip_plane_f *keep) {
    ip_clip *clip = &run->protect;
    ipos_frame *frame;
    *keep = (ip_plane_f){0};
    if (!clip->host)
        return IPOS_OK;
    ipos_status status = ip_clip_frame_or_only(clip, number, &frame);
    if (status == IPOS_ERR_NOT_FOUND)
        return IPOS_OK;
    IP_TRY(status);
    IP_TRY(ip_plane_new(source->data_window.width, source->data_window.height, keep));
    IP_TRY(ip_clip_grey(frame, source->data_window, (ip_box_i){0, 0, keep->width, keep->height}, keep));
    float kept = 1 - (float)ip_options_real(run->host->options, "gentle");
    for (int y = 0; y < keep->height && kept < 1; y++)
        for (int x = 0; x < keep->width; x++)
            ip_row(keep, y)[x] *= kept;
    return IPOS_OK;
}

ipos_status ir_open_role(ip_op_host *host, const char *role, ip_clip *clip) {
    for (size_t i = 1; i < host->clip_count; i++) {
        if (strcmp(host->clips[i].role, role) != 0)
            continue;
        if (clip->host)
            return ip_fail(IPOS_ERR_ARGUMENT, "%s: one clip is expected, not several", role);
        IP_TRY(ip_clip_open(clip, host, i, 2));
    }
    return IPOS_OK;
}

bool ir_has_clip(const ip_op_host *host, const char *role) {
    for (size_t i = 1; i < host->clip_count; i++)
        if (!strcmp(host->clips[i].role, role))
            return true;
    return false;
}
