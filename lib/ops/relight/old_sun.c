/* The sun of the footage, looked for where nobody told it. */
#include "old_sun.h"
#include "relight_op.h"

#include <math.h>

static const float SURE = .75f; /* less confidence than that leaves the assumption as it is */

/* A key frame with the shadows in it; planes are the caller's to free. */
typedef struct one_view {
    ip_set_frame frame;
    ip_surface surface;
    ip_plane_f still;
} one_view;

/* Nothing of the sun is known yet: every surface counts as turned to it a little. */
static ipos_status make_view(ir_scene *scene, size_t index, one_view *out) {
    IP_TRY(ip_set_look(&scene->set, index, &out->frame));
    IP_TRY(ip_surface_new(scene->width, scene->height, &out->surface));
    IP_TRY(ip_plane_new(scene->width, scene->height, &out->still));
    for (int y = 0; y < scene->height; y++)
        for (int x = 0; x < scene->width; x++) {
            float kind = ip_row(&out->frame.kind, y)[x];
            ip_row(&out->surface.sky, y)[x] = kind == IP_IS_SKY;
            ip_row(&out->surface.ground, y)[x] = kind == IP_IS_GROUND;
            ip_row(&out->surface.facing[IP_OLD_SUN], y)[x] = .6f;
            ip_row(&out->still, y)[x] = kind == IP_IS_GROUND || kind == IP_IS_UPRIGHT;
        }
    return IPOS_OK;
}

static ipos_status find_shades(ir_scene *scene, const size_t *index, size_t count, one_view *views) {
    ip_shades shades;
    struct ir_slot *slot;
    ipos_status status = ip_shades_open(&shades);
    for (size_t i = 0; i < count && status == IPOS_OK; i++) {
        status = ir_scene_frame(scene, index[i], &slot);
        if (status == IPOS_OK)
            ip_shades_add(&shades, &slot->light, &views[i].surface, &views[i].still);
    }
    for (size_t i = 0; i < count && status == IPOS_OK; i++) {
        status = ir_scene_frame(scene, index[i], &slot);
        if (status == IPOS_OK)
            status = ip_shades_find(&shades, &slot->light, &scene->settings->pair, &views[i].still, scene->host->threads, &views[i].surface);
        for (int y = 0; y < scene->height && status == IPOS_OK; y++)
            for (int x = 0; x < scene->width; x++)
                ip_row(&views[i].surface.seen[IP_OLD_SUN], y)[x] = 1 - ip_row(&views[i].surface.seen[IP_OLD_SUN], y)[x];
    }
    ip_shades_close(&shades);
    return status;
}

static ipos_status search(ir_scene *scene, double elevation, ip_old_sun *out) {
    size_t count = IP_MIN(scene->set.keys, (size_t)3), index[IP_OLD_SUN_VIEWS];
    one_view made[IP_OLD_SUN_VIEWS] = {{{{{{0}}}}}};
    ip_old_sun_view views[IP_OLD_SUN_VIEWS];
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < count && status == IPOS_OK; i++) {
        index[i] = scene->set.key[ip_look_spread_at(scene->set.keys, count, i)];
        status = make_view(scene, index[i], &made[i]);
        views[i] = (ip_old_sun_view){&made[i].frame, &made[i].surface.seen[IP_OLD_SUN], &made[i].still};
    }
    if (status == IPOS_OK)
        status = find_shades(scene, index, count, made);
    if (status == IPOS_OK)
        status = ip_old_sun_find(views, count, &scene->set.room, &scene->set.path.lens, elevation, scene->host->threads, scene->pulse, out);
    for (size_t i = 0; i < count; i++) {
        ip_set_frame_free(&made[i].frame);
        ip_surface_free(&made[i].surface);
        ip_plane_free(&made[i].still);
    }
    return status;
}

ipos_status ir_old_sun(ir_scene *scene, ir_settings *settings) {
    ip_old_sun sun = {0};
    if (!settings->look_for_old)
        return IPOS_OK;
    if (!scene->motion)
        snprintf(sun.reason, sizeof sun.reason, "the set is not known");
    else
        IP_TRY(search(scene, settings->old_elevation_told ? settings->old.elevation : NAN, &sun));
    if (!sun.reason[0] && sun.confidence < SURE)
        snprintf(sun.reason, sizeof sun.reason, "several suns fit the shadows about as well (best %.0f, %.0f)", sun.azimuth, sun.elevation);
    settings->old_confidence = sun.confidence;
    memcpy(settings->old_reason, sun.reason, sizeof settings->old_reason);
    if (sun.reason[0])
        return IPOS_OK;
    if (settings->now_follows)
        settings->now.azimuth = sun.azimuth;
    settings->old.azimuth = sun.azimuth;
    settings->old.elevation = sun.elevation;
    settings->old_from = "estimated";
    IP_TRY(ir_settings_pairs(settings));
    return settings->now_follows ? ip_set_cast(&scene->set, settings->pair.now.toward) : IPOS_OK;
}
