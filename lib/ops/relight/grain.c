/* Grain of lifted shadows: the shot's own is measured, theirs brought to it. */
#include "carry.h"
#include "lift_grain.h"

#include <math.h>

static const float LEAST = .25f; /* stops; less is left alone: lift_grain.h */
enum { MOST = 60 }; /* frames around the middle that it is measured on */

ipos_status ir_grain_open(ir_scene *scene, double done) {
    const ip_shot *shot = scene->footage;
    if (scene->settings->unchanged || !(scene->settings->grain > 0) || !(scene->settings->regrade.lift > 0)) {
        snprintf(scene->grain.grain.reason, sizeof scene->grain.grain.reason, "not asked for");
        return IPOS_OK;
    }
    size_t count = IP_MIN(shot->count, (size_t)MOST);
    bool found;
    IP_TRY(ir_recall_grain(scene, &scene->grain, &found));
    if (found)
        return IPOS_OK;
    IP_TRY(ip_shot_grain_measure(scene->host, 0, shot->numbers + (shot->count - count) / 2, count, done, 0, &scene->grain));
    return ir_keep_grain(scene, &scene->grain);
}

ipos_status ir_grain_lift(ir_scene *scene, size_t index, const ip_plane_f *lifted, const ir_look *look, const ip_image3 *light) {
    const ip_grain *grain = &scene->grain.grain;
    ip_image3 beside[2] = {{{{0}}}}; /* before, after */
    ip_plane_f stops;
    float most = 0;
    if (!grain->measurable || !(scene->settings->grain > 0))
        return IPOS_OK;
    IP_TRY(ip_plane_new(light->c[0].width, light->c[0].height, &stops));
    ip_resize(lifted, &stops, look->strength, look->threads);
    for (int y = 0; y < stops.height && look->keep; y++)
        for (int x = 0; x < stops.width; x++)
            ip_row(&stops, y)[x] *= 1 - ip_row(look->keep, y)[x];
    for (int y = 0; y < stops.height; y++)
        for (int x = 0; x < stops.width; x++)
            most = fmaxf(most, ip_row(&stops, y)[x]);
    ipos_status status = IPOS_OK;
    for (int k = 0; k < 2 && most > LEAST && status == IPOS_OK; k++)
        if (k ? index + 1 < scene->footage->count : index > 0)
            status = ir_plate_full(scene->footage, k ? index + 1 : index - 1, &beside[k]);
    if (status == IPOS_OK && most > LEAST)
        status = ip_lift_grain(grain, scene->footage->clip.encoding, &stops, scene->settings->grain, beside[0].c[0].data ? &beside[0] : NULL,
            beside[1].c[0].data ? &beside[1] : NULL, look->threads, scene->pulse, light);
    ip_image3_free(&beside[0]);
    ip_image3_free(&beside[1]);
    ip_plane_free(&stops);
    return status;
}
