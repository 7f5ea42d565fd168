/* What is known of a frame, old shadows too, made steady by its neighbours along the motion. */
#include "flow.h"
#include "relight_op.h"

#include <math.h>

enum { STEADY = 8 };
/* The planes of a surface that are averaged over neighbours. */
static void averaged(const ip_surface *s, const ip_plane_f *planes[STEADY]) {
    const ip_plane_f *list[STEADY] = {&s->sky, &s->ground, &s->facing[0], &s->facing[1], &s->seen[0], &s->seen[1], &s->glint, &s->thing};
    memcpy(planes, list, sizeof list);
}

/* By the picture's colours, and by what throws them where a mesh is given. */
static ipos_status look_for_shadows(ir_scene *scene, const ip_image3 *light, const ip_plane_f *still, const ip_surface *made) {
    ip_plane_f by_rays = {0};
    bool rays = scene->motion && scene->set.known.rays;
    if (rays) {
        IP_TRY(ip_plane_new(scene->width, scene->height, &by_rays));
        ip_plane_copy(&by_rays, &made->seen[IP_OLD_SUN]);
    }
    ipos_status status = ip_shades_find(&scene->shades, light, &scene->settings->pair, still, scene->host->threads, made);
    if (status == IPOS_OK && rays)
        ip_given_join(&by_rays, &made->seen[IP_OLD_SUN]);
    ip_plane_free(&by_rays);
    return status;
}

/* They do not depend on the new light: an earlier run may have found them. */
static ipos_status find_old_shadows(ir_scene *scene, const struct ir_slot *slot, const ip_plane_f *still, const ip_surface *made) {
    const ip_plane_f *seen = &made->seen[IP_OLD_SUN];
    bool found = false;
    if (scene->motion)
        IP_TRY(ir_recall_plane(scene, IR_KEPT_SHADOWS, slot->index, seen, &found));
    if (found)
        return IPOS_OK;
    IP_TRY(look_for_shadows(scene, &slot->light, still, made));
    return scene->motion ? ir_keep_plane(scene, IR_KEPT_SHADOWS, slot->index, seen) : IPOS_OK;
}

/* What one frame shows by itself. */
static ipos_status find_surface(ir_scene *scene, size_t index, struct ir_slot **out) {
    struct ir_slot *slot;
    ip_surface made;
    ip_plane_f still = {0};
    IP_TRY(ir_scene_frame(scene, index, &slot));
    *out = slot;
    if (slot->has_surface)
        return IPOS_OK;
    IP_TRY(ip_surface_new(scene->width, scene->height, &made));
    ipos_status status = ip_plane_new(scene->width, scene->height, &still);
    if (status == IPOS_OK)
        status = ir_scene_shape(scene, index, &made, &still);
    if (status == IPOS_OK)
        status = ir_scene_frame(scene, index, &slot);
    if (status == IPOS_OK)
        status = find_old_shadows(scene, slot, &still, &made);
    ip_plane_free(&still);
    if (status != IPOS_OK) {
        ip_surface_free(&made);
        return status;
    }
    slot->surface = made;
    slot->has_surface = true;
    *out = slot;
    return IPOS_OK;
}

/* Where four pixels around a place lie, for planes of one size, which all have one stride; as ip_sample_linear. */
typedef struct place {
    ptrdiff_t left, right, below, below_right;
    float fx, fy;
} place;

static place place_of(const ip_plane_f *plane, float x, float y) {
    int x0 = (int)x, y0 = (int)y, right = x0 < plane->width - 1;
    ptrdiff_t at = y0 * plane->stride + x0, below = y0 < plane->height - 1 ? at + plane->stride : at;
    return (place){at, at + right, below, below + right, x - (float)x0, y - (float)y0};
}

static float between(const float *data, const place *at) {
    float top = data[at->left] + at->fx * (data[at->right] - data[at->left]);
    float bottom = data[at->below] + at->fx * (data[at->below_right] - data[at->below]);
    return top + at->fy * (bottom - top);
}

/* Adds what frame index + step (+-1, +-2) says, brought here along the flows between, to sums and weights. */
static ipos_status add_neighbour(ir_scene *scene, size_t index, int step, ip_plane_f path[2], const ip_surface *sum, const ip_plane_f *weight) {
    struct ir_slot *slot, *here;
    const ip_plane_f *flow;
    int way = step > 0;
    size_t from = way ? index + (size_t)step - 1 : index - (size_t)(-step - 1), to = way ? from + 1 : from - 1;
    IP_TRY(ir_scene_flow(scene, from, way, &flow));
    ip_flow_follow(flow, path);
    IP_TRY(find_surface(scene, to, &slot));
    IP_TRY(ir_scene_frame(scene, index, &here));
    const ip_plane_f *theirs[STEADY], *sums[STEADY];
    averaged(&slot->surface, theirs);
    averaged(sum, sums);
    for (int y = 0; y < scene->height; y++) {
        const float *dx = ip_row(&path[0], y), *dy = ip_row(&path[1], y), *own = ip_row(&here->luma, y);
        float *sum_row[STEADY], *all = ip_row(weight, y);
        for (int k = 0; k < STEADY; k++)
            sum_row[k] = ip_row(sums[k], y);
        for (int x = 0; x < scene->width; x++) {
            float px = (float)x + dx[x], py = (float)y + dy[x];
            if (!(px >= 0 && py >= 0 && px <= (float)(scene->width - 1) && py <= (float)(scene->height - 1)))
                continue;
            place at = place_of(&slot->luma, px, py);
            float apart = (between(slot->luma.data, &at) - own[x]) / .06f, w = expf(-apart * apart);
            for (int k = 0; k < STEADY; k++)
                sum_row[k][x] += w * between(theirs[k]->data, &at);
            all[x] += w;
        }
    }
    return IPOS_OK;
}

static void divide(const ip_surface *sum, const ip_plane_f *weight) {
    const ip_plane_f *planes[STEADY];
    averaged(sum, planes);
    for (int k = 0; k < STEADY; k++)
        for (int y = 0; y < weight->height; y++)
            for (int x = 0; x < weight->width; x++)
                ip_row(planes[k], y)[x] /= ip_row(weight, y)[x];
}

static ipos_status gather(ir_scene *scene, size_t index, const ip_surface *sum, ip_plane_f part[3]) {
    ip_plane_fill(&part[2], 1);
    for (int way = -1; way <= 1; way += 2) {
        ip_plane_fill(&part[0], 0);
        ip_plane_fill(&part[1], 0);
        for (int k = 1; k <= IR_REACH; k++) {
            int64_t other = (int64_t)index + way * k;
            if (other < 0 || other >= (int64_t)scene->footage.count || !ip_alive(scene->pulse))
                break;
            IP_TRY(add_neighbour(scene, index, way * k, part, sum, &part[2]));
        }
    }
    if (!ip_alive(scene->pulse))
        return ip_fail(IPOS_ERR_CANCELLED, "relight: cancelled");
    divide(sum, &part[2]);
    return IPOS_OK;
}

ipos_status ir_scene_surface(ir_scene *scene, size_t index, ip_surface *out) {
    struct ir_slot *slot;
    ip_plane_f part[3];
    *out = (ip_surface){0};
    IP_TRY(find_surface(scene, index, &slot));
    IP_TRY(ip_planes_new(scene->width, scene->height, part, 3));
    ipos_status status = ip_surface_new(scene->width, scene->height, out);
    if (status == IPOS_OK) {
        ip_plane_copy(&out->sky, &slot->surface.sky);
        ip_plane_copy(&out->ground, &slot->surface.ground);
        ip_plane_copy(&out->passing, &slot->surface.passing);
        ip_plane_copy(&out->pane, &slot->surface.pane);
        ip_plane_copy(&out->glint, &slot->surface.glint);
        ip_plane_copy(&out->thing, &slot->surface.thing);
        for (int k = 0; k < 2; k++) {
            ip_plane_copy(&out->facing[k], &slot->surface.facing[k]);
            ip_plane_copy(&out->seen[k], &slot->surface.seen[k]);
        }
        status = gather(scene, index, out, part);
    }
    for (int y = 0; y < scene->height && status == IPOS_OK; y++) /* shadows that wander belong to their frame alone */
        for (int x = 0; x < scene->width; x++)
            ip_row(&out->seen[IP_NEW_SUN], y)[x] = fminf(ip_row(&out->seen[IP_NEW_SUN], y)[x], ip_row(&out->passing, y)[x]);
    if (status == IPOS_OK)
        status = ir_marks_apply(scene, index, out);
    ip_planes_free(part, 3);
    if (status != IPOS_OK)
        ip_surface_free(out);
    return status;
}
