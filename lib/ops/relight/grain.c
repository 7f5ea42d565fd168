/* Grain of lifted shadows: the shot's own is measured, theirs brought to it. */
#include "lift_grain.h"
#include "relight_op.h"

enum { MOST = 60 }; /* frames around the middle that it is measured on */

ipos_status ir_grain_open(ir_scene *scene, double done) {
    const ip_shot *shot = &scene->footage;
    if (scene->settings->unchanged || !(scene->settings->grain > 0) || !(scene->settings->regrade.lift > 0)) {
        snprintf(scene->grain.grain.reason, sizeof scene->grain.grain.reason, "not asked for");
        return IPOS_OK;
    }
    size_t count = IP_MIN(shot->count, (size_t)MOST);
    return ip_shot_grain_measure(scene->host, 0, shot->numbers + (shot->count - count) / 2, count, done, 0, &scene->grain);
}

ipos_status ir_grain_lift(const ir_scene *scene, const ip_plane_f *lifted, const ir_look *look, const ip_image3 *light) {
    const ip_grain *grain = &scene->grain.grain;
    ip_plane_f stops;
    if (!grain->measurable || !(scene->settings->grain > 0))
        return IPOS_OK;
    IP_TRY(ip_plane_new(light->c[0].width, light->c[0].height, &stops));
    ip_resize(lifted, &stops, look->strength, look->threads);
    for (int y = 0; y < stops.height && look->keep; y++)
        for (int x = 0; x < stops.width; x++)
            ip_row(&stops, y)[x] *= 1 - ip_row(look->keep, y)[x];
    ipos_status status = ip_lift_grain(grain, scene->footage.clip.encoding, &stops, scene->settings->grain, look->threads, scene->pulse, light);
    ip_plane_free(&stops);
    return status;
}
