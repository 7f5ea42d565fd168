/* The matte of one frame, from where its wires were found. */
#include "wires_track.h"

#include <math.h>

/* A wire that ends a point or two before the border of the picture goes on beyond it. */
static void band_to_border(const iw_work *w, const iw_seen *seen, float half, float soft, ip_plane_f *to) {
    const ip_curve *curve = &seen->trace.curve;
    ip_curve_band(curve, seen->use, half, soft, w->box.x, w->box.y, to);
    for (int end = 0; end < 2; end++) {
        size_t at = end ? curve->count - 1 : 0;
        ip_point tangent, normal, two[2] = {curve->at[at]};
        float by = end ? 2.5f * IW_STEP : -2.5f * IW_STEP;
        ip_curve_frame(curve, at, 4, &tangent, &normal);
        two[1] = (ip_point){two[0].x + by * tangent.x, two[0].y + by * tangent.y};
        const ip_curve rest = {two, 2};
        if (seen->use[at] && iw_to_border(w->shot, two[1]) < 0)
            ip_curve_band(&rest, NULL, half, soft, w->box.x, w->box.y, to);
    }
}

ipos_status iw_paint(iw_work *w, bool shadow) {
    iw_shot *shot = w->shot;
    ip_plane_f alpha, corridor;
    bool any = false;
    IP_TRY(ip_plane_new(w->box.width, w->box.height, &alpha));
    ipos_status status = ip_plane_new(w->box.width, w->box.height, &corridor);
    for (size_t i = 0; i < w->count && status == IPOS_OK; i++) {
        const iw_seen *seen = w->follow[i].seen;
        if (seen->lost || !seen->use || shot->wires.at[w->follow[i].wire].shadow != shadow)
            continue;
        any = true;
        band_to_border(w, seen, .5f * seen->width + 3, 2, &corridor);
        band_to_border(w, seen, fmaxf(.5f * seen->width - (shot->net ? .5f : 0), .25f), 1, &alpha);
    }
    /* Ridges tell where a line is, not how wide. */
    for (int y = 0; y < w->box.height && any && shot->net && status == IPOS_OK; y++)
        for (int x = 0; x < w->box.width; x++) {
            float *to = &ip_row(&alpha, y)[x];
            *to = fmaxf(*to, ip_row(&w->hinted, y)[x] * ip_row(&corridor, y)[x]);
        }
    if (any && status == IPOS_OK) {
        ip_box_i box = {w->box.x * shot->scale, w->box.y * shot->scale, 0, 0};
        box.width = IP_MIN(shot->canvas.width, (w->box.x + w->box.width) * shot->scale) - box.x;
        box.height = IP_MIN(shot->canvas.height, (w->box.y + w->box.height) * shot->scale) - box.y;
        ip_plane_f full = alpha;
        if (shot->scale > 1) {
            status = ip_plane_new(w->box.width * shot->scale, w->box.height * shot->scale, &full);
            if (status == IPOS_OK)
                ip_resize(&alpha, &full, 1, shot->host->threads);
        }
        if (status == IPOS_OK)
            status = iw_matte_join(shadow ? &shot->shadow[w->index] : &shot->matte[w->index], box, &full);
        if (shot->scale > 1)
            ip_plane_free(&full);
    }
    ip_plane_free(&corridor);
    ip_plane_free(&alpha);
    return status;
}
