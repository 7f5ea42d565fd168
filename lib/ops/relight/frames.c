/* Frames of a shot and what is known of them. */
#include "flow.h"
#include "reflect.h"
#include "relight_op.h"
#include "shine.h"

#include <math.h>

enum { WIDEST = 1030 };

static void slot_free(struct ir_slot *slot) {
    ip_image3_free(&slot->light);
    ip_plane_free(&slot->luma);
    ip_surface_free(&slot->surface);
    ir_layers_free(&slot->layers);
    ip_plane_free(&slot->sky);
    ip_plane_free(&slot->still);
    ip_set_frame_free(&slot->shape);
    for (int k = 0; k < 2; k++)
        ip_planes_free(slot->flow[k], 2);
    *slot = (struct ir_slot){0};
}

void ir_scene_forget(ir_scene *scene, size_t before) {
    for (size_t i = 0; i < scene->slot_count; i++) {
        struct ir_slot *slot = &scene->slots[i];
        if (!slot->used || slot->index >= before)
            continue;
        ip_surface_free(&slot->surface);
        ip_plane_free(&slot->still);
        slot->has_surface = false;
        ir_layers_free(&slot->layers);
        ip_set_frame_free(&slot->shape);
        for (int k = 0; k < 2; k++)
            ip_planes_free(slot->flow[k], 2);
    }
}

void ir_scene_close(ir_scene *scene) {
    for (size_t i = 0; i < scene->slot_count; i++)
        slot_free(&scene->slots[i]);
    ip_free(scene->slots);
    for (size_t i = 0; i < IP_COUNT(scene->woven); i++)
        ip_free(scene->woven[i].values);
    ir_marks_free(&scene->marks);
    ip_set_free(&scene->set);
    ir_passes_close(&scene->passes);
    ip_shades_close(&scene->shades);
    *scene = (ir_scene){0};
}

ipos_status ir_scene_frame(ir_scene *scene, size_t index, struct ir_slot **out) {
    struct ir_slot *oldest = scene->slots;
    for (size_t i = 0; i < scene->slot_count; i++) {
        struct ir_slot *slot = &scene->slots[i];
        if (slot->used && slot->index == index) {
            slot->used = ++scene->clock;
            *out = slot;
            return IPOS_OK;
        }
        if (slot->used < oldest->used)
            oldest = slot;
    }
    slot_free(oldest);
    IP_TRY(ir_light_fetch(&scene->source, index, WIDEST, &oldest->light));
    scene->width = oldest->light.c[0].width;
    scene->height = oldest->light.c[0].height;
    IP_TRY(ip_plane_new(scene->width, scene->height, &oldest->luma));
    ip_display_luma(&oldest->light, &oldest->luma, scene->host->threads);
    oldest->index = index;
    oldest->used = ++scene->clock;
    *out = oldest;
    return IPOS_OK;
}

static ipos_status scene_sky(ir_scene *scene, struct ir_slot *slot) {
    if (slot->sky.data)
        return IPOS_OK;
    bool found;
    IP_TRY(ip_plane_new(scene->width, scene->height, &slot->sky));
    ipos_status status = ir_recall_plane(scene, IR_KEPT_SKY, slot->index, &slot->sky, &found);
    if (status == IPOS_OK && !found)
        status = ip_sky_find(&slot->light, scene->host->threads, &slot->sky);
    if (status == IPOS_OK && !found)
        status = ir_keep_plane(scene, IR_KEPT_SKY, slot->index, &slot->sky);
    if (status != IPOS_OK)
        ip_plane_free(&slot->sky);
    return status;
}

static ipos_status shape(ir_scene *scene, size_t index, ip_surface *out, ip_plane_f *still) {
    struct ir_slot *slot;
    ip_set_frame frame;
    IP_TRY(ir_scene_frame(scene, index, &slot));
    IP_TRY(scene_sky(scene, slot));
    ip_plane_copy(&out->sky, &slot->sky);
    if (!scene->motion) {
        ip_plane_fill(still, 1);
        /* Where light goes on over white. Code values of screens are exposed anew: what a low sun loses would only flatten them. */
        bool screen = scene->footage->clip.encoding->kind == IP_ENCODING_DISPLAY;
        ip_surface_guess(&scene->settings->pair, scene->horizon, screen ? 1 : ip_gets_through(scene->settings->pair.now.toward), out);
        return IPOS_OK;
    }
    IP_TRY(ip_set_look(&scene->set, index, &frame));
    ipos_status status = ip_set_surface(&scene->set, &frame, &scene->settings->pair, out, still);
    if (status == IPOS_OK)
        status = ir_scene_frame(scene, index, &slot);
    if (status == IPOS_OK && scene->settings->mirror > 0)
        status = ip_shine_find(&frame, &scene->set.path.lens, &slot->light, &scene->settings->pair, scene->host->threads, out);
    if (status == IPOS_OK && scene->settings->offered[IR_GEOMETRY]) {
        ir_layers_free(&slot->layers);
        status = ir_layers_take(&scene->set, &frame, &slot->layers);
    }
    if (status == IPOS_OK && scene->marks.count) {
        ip_set_frame_free(&slot->shape);
        slot->shape = frame;
    } else {
        ip_set_frame_free(&frame);
    }
    return status;
}

ipos_status ir_scene_shaped(ir_scene *scene, size_t index, struct ir_slot **out) {
    ip_surface made;
    ip_plane_f still = {0};
    IP_TRY(ir_scene_frame(scene, index, out));
    if ((*out)->still.data)
        return IPOS_OK;
    IP_TRY(ip_surface_new(scene->width, scene->height, &made));
    ipos_status status = ip_plane_new(scene->width, scene->height, &still);
    if (status == IPOS_OK)
        status = shape(scene, index, &made, &still);
    if (status == IPOS_OK)
        status = ir_scene_frame(scene, index, out);
    if (status != IPOS_OK) {
        ip_plane_free(&still);
        ip_surface_free(&made);
        return status;
    }
    (*out)->surface = made;
    (*out)->still = still;
    return IPOS_OK;
}

/* Colours of four frames spread over the shot, and what the change of light does to their brightness. */
static ipos_status gather_shades(ir_scene *scene) {
    size_t chosen = IP_MIN(scene->footage->count, (size_t)4);
    IP_TRY(ip_shades_open(&scene->shades));
    for (size_t i = 0; i < chosen; i++) {
        struct ir_slot *slot;
        double white = 0;
        size_t index = scene->motion ? scene->set.key[ip_look_spread_at(scene->set.keys, chosen, i)] : ip_look_spread_at(scene->footage->count, chosen, i);
        IP_TRY(ir_scene_shaped(scene, index, &slot));
        ip_shades_add(&scene->shades, &slot->light, &slot->surface, &slot->still);
        scene->change += ip_regrade_mean(&slot->surface, &scene->settings->pair) / (double)chosen;
        IP_TRY(ip_reflect_white(&slot->light, &slot->surface, &slot->still, &scene->settings->pair, &white));
        scene->white += white / (double)chosen;
    }
    return IPOS_OK;
}

/* Exposure as a camera would be set. Code values of screens end at white: a low sun that shines at upright things would burn them out, so the picture
 * gets about as much darker as an evening does. Scene-linear and log values go on: there a part of what the set loses is made up for,
 * if new shadows fall: without geometry none do, and the picture is as bright as it should be. */
static double camera_stops(const ir_scene *scene) {
    const double *a = scene->settings->pair.old.toward, *b = scene->settings->pair.now.toward;
    double apart = acos(fmin(1, a[0] * b[0] + a[1] * b[1] + a[2] * b[2])), darker = .4 * fmin(1, apart / .5);
    return scene->footage->clip.encoding->kind == IP_ENCODING_DISPLAY ? -fmax(0, scene->change + darker) : scene->motion ? .3 * fmax(0, -scene->change) : 0;
}

static ipos_status find_flow(ir_scene *scene, const struct ir_slot *slot, const struct ir_slot *other, ip_plane_f searched[2], ip_plane_f flow[2]) {
    ip_flow_options options = {.finest = 1, .threads = scene->host->threads, .pulse = scene->pulse, .searched = searched};
    ip_plane_f luma[2];
    IP_TRY(ip_planes_new(scene->width, scene->height, luma, 2));
    for (int y = 0; y < scene->height; y++)
        for (int x = 0; x < scene->width; x++) {
            ip_row(&luma[0], y)[x] = 255 * ip_row(&slot->luma, y)[x];
            ip_row(&luma[1], y)[x] = 255 * ip_row(&other->luma, y)[x];
        }
    ipos_status status = ip_flow(&luma[0], &luma[1], &options, flow);
    ip_planes_free(luma, 2);
    return status;
}

ipos_status ir_scene_flow(ir_scene *scene, size_t index, int way, const ip_plane_f **out) {
    struct ir_slot *slot, *other;
    ip_plane_f searched[2] = {{0}};
    IP_TRY(ir_scene_frame(scene, index, &slot));
    *out = slot->flow[way];
    if (slot->flow[way][0].data)
        return IPOS_OK;
    IP_TRY(ir_recall_flow(scene, way, index, searched));
    if (searched[0].data) {
        ipos_status status = ip_flow_again(searched, scene->width, scene->height, scene->host->threads, slot->flow[way]);
        ip_planes_free(searched, 2);
        return status;
    }
    IP_TRY(ir_scene_frame(scene, way ? index + 1 : index - 1, &other));
    ipos_status status = find_flow(scene, slot, other, searched, slot->flow[way]);
    if (status == IPOS_OK)
        status = ir_keep_flow(scene, way, index, searched);
    ip_planes_free(searched, 2);
    return status;
}

static ipos_status give_luma(void *user, size_t index, const ip_plane_f **out) {
    struct ir_slot *slot;
    IP_TRY(ir_scene_frame(user, index, &slot));
    *out = &slot->luma;
    return IPOS_OK;
}

static ipos_status give_sky(void *user, size_t index, const ip_plane_f **out) {
    struct ir_slot *slot;
    IP_TRY(ir_scene_frame(user, index, &slot));
    IP_TRY(scene_sky(user, slot));
    *out = &slot->sky;
    return IPOS_OK;
}

static ipos_status give_light(void *user, size_t index, const ip_image3 **out) {
    struct ir_slot *slot;
    IP_TRY(ir_scene_frame(user, index, &slot));
    *out = &slot->light;
    return IPOS_OK;
}

static ipos_status give_flow(void *user, size_t index, int forward, const ip_plane_f **out) {
    return ir_scene_flow(user, index, forward, out);
}

/* What was given, for people. */
static void tell_given(ir_scene *scene) {
    const ip_given *g = &scene->set.source.given;
    const char *warning = scene->settings->brought->camera.warning;
    const char *const names[] = {g->pose ? "camera" : NULL, g->depth ? "depth" : NULL, g->position ? "position" : NULL, g->normal ? "normals" : NULL,
        g->mesh ? "mesh" : NULL};
    size_t used = 0;
    for (size_t i = 0; i < IP_COUNT(names); i++)
        if (names[i])
            used += (size_t)snprintf(scene->reason + used, sizeof scene->reason - used, "%s%s", used ? ", " : "", names[i]);
    snprintf(scene->reason + used, sizeof scene->reason - used, " brought along; %.0f %% of the lower half ground%s%.100s",
        100 * scene->set.room.ground_share, warning[0] ? "; " : "", warning);
}

/* The set from the camera's motion, where it is wanted and there is one. */
static ipos_status find_set(ir_scene *scene) {
    const ir_settings *s = scene->settings;
    ip_set_source source = {{scene->footage->count, give_luma, give_flow, scene, scene->pulse}, give_sky, give_light, scene->width, scene->height, scene->host->threads};
    if (!strcmp(s->geometry, "none")) {
        snprintf(scene->reason, sizeof scene->reason, "geometry=none was asked for");
        return IPOS_OK;
    }
    if (s->brought)
        IP_TRY(ir_passes_open(&scene->passes, s->brought, scene->footage->numbers, scene->footage->count, scene->footage->window, scene->width, scene->height, &source.given));
    if (scene->footage->count < 5 && !ip_given_any(&source.given)) {
        snprintf(scene->reason, sizeof scene->reason, "%zu frames: at least 5 are needed to see the camera move", scene->footage->count);
    } else {
        IP_TRY(ir_remember(scene, &source));
        IP_TRY(ip_set_build(&source, s->focal > 0 ? (double)s->focal : .9, (double)s->camera_height, &scene->set));
        scene->motion = !scene->set.reason[0];
        if (scene->motion) {
            IP_TRY(ip_set_cast(&scene->set, s->pair.now.toward));
            if (ip_given_any(&source.given))
                tell_given(scene);
            else
                snprintf(scene->reason, sizeof scene->reason, "camera followed within %.2f pixels, things seen under %.1f degrees, %.0f %% of the lower half ground, "
                "%zu walls", scene->set.path.error, scene->set.path.parallax, 100 * scene->set.room.ground_share, scene->set.room.walls);
        } else {
            snprintf(scene->reason, sizeof scene->reason, "%s", scene->set.reason);
        }
    }
    if (!scene->motion && ip_given_any(&source.given))
        return ip_fail(IPOS_ERR_UNSUPPORTED, "what was brought along does not make a set: %s; give more, or leave it away", scene->reason);
    if (!scene->motion && !strcmp(s->geometry, "motion"))
        return ip_fail(IPOS_ERR_UNSUPPORTED, "geometry: the camera's motion does not show the set: %s; ask for auto or none", scene->reason);
    return IPOS_OK;
}

/* As many frames at hand as a third of the memory holds. */
static ipos_status make_slots(ir_scene *scene) {
    struct ir_slot first = {0};
    IP_TRY(ip_look_fetch(&scene->source, 0, WIDEST, &first.light));
    scene->width = first.light.c[0].width;
    scene->height = first.light.c[0].height;
    slot_free(&first);
    uint64_t bytes = (uint64_t)scene->width * (uint64_t)scene->height * sizeof(float) * (scene->settings->offered[IR_GEOMETRY] ? 21 : 16), limit = scene->host->memory_limit;
    uint64_t most = (limit ? limit : (uint64_t)3 << 30) / 3 / bytes;
    scene->slot_count = IP_MAX((size_t)IR_LEAST_HELD, (size_t)IP_MIN(most, scene->footage->count));
    scene->slots = ip_calloc(scene->slot_count, sizeof *scene->slots);
    return scene->slots ? IPOS_OK : IPOS_ERR_NO_MEMORY;
}

ipos_status ir_scene_set(ir_scene *scene, ip_op_host *host, const ir_settings *settings, ip_shot *footage, const ip_pulse *pulse) {
    *scene = (ir_scene){.host = host, .settings = settings, .footage = footage, .pulse = pulse};
    scene->source = ip_shot_source(footage, pulse);
    IP_TRY(make_slots(scene));
    return find_set(scene);
}

ipos_status ir_scene_open(ir_scene *scene, ip_op_host *host, ir_settings *settings, const ir_strokes *strokes, ip_shot *footage, const ip_pulse *pulse) {
    IP_TRY(ir_scene_set(scene, host, settings, footage, pulse));
    IP_TRY(ir_old_sun(scene, settings));
    scene->horizon = settings->horizon > -1e8f ? settings->horizon : scene->motion ? (float)ip_set_horizon(&scene->set) : .5f;
    IP_TRY(ir_marks_open(scene, strokes));
    IP_TRY(gather_shades(scene));
    scene->camera = camera_stops(scene);
    return IPOS_OK;
}
