/* What is known of a frame, old shadows too, made steady by its neighbours along the motion. */
#include "flow.h"
#include "relight_op.h"
#include "simd.h"

#include <math.h>

enum { STEADY = 8 };
/* The planes of a surface that are averaged over neighbours. */
static void averaged(const ip_surface *s, const ip_plane_f *planes[STEADY]) {
    const ip_plane_f *list[STEADY] = {&s->sky, &s->ground, &s->facing[0], &s->facing[1], &s->seen[0], &s->seen[1], &s->glint, &s->thing};
    memcpy(planes, list, sizeof list);
}

/* By the picture's colours, and by what throws them where a mesh is given. */
static ipos_status look_for_shadows(ir_scene *scene, const struct ir_slot *slot) {
    const ip_surface *made = &slot->surface;
    ip_plane_f by_rays = {0};
    bool rays = scene->motion && scene->set.known.rays;
    if (rays) {
        IP_TRY(ip_plane_new(scene->width, scene->height, &by_rays));
        ip_plane_copy(&by_rays, &made->seen[IP_OLD_SUN]);
    }
    ipos_status status = ip_shades_find(&scene->shades, &slot->light, &scene->settings->pair, &slot->still, scene->host->threads, made);
    if (status == IPOS_OK && rays)
        ip_given_join(&by_rays, &made->seen[IP_OLD_SUN]);
    ip_plane_free(&by_rays);
    return status;
}

/* They do not depend on the new light: an earlier run may have found them. */
static ipos_status find_old_shadows(ir_scene *scene, const struct ir_slot *slot) {
    const ip_plane_f *seen = &slot->surface.seen[IP_OLD_SUN];
    bool found = false;
    if (scene->motion)
        IP_TRY(ir_recall_plane(scene, IR_KEPT_SHADOWS, slot->index, seen, &found));
    if (found)
        return IPOS_OK;
    IP_TRY(look_for_shadows(scene, slot));
    return scene->motion ? ir_keep_plane(scene, IR_KEPT_SHADOWS, slot->index, seen) : IPOS_OK;
}

/* What one frame shows by itself. */
static ipos_status find_surface(ir_scene *scene, size_t index, struct ir_slot **out) {
    IP_TRY(ir_scene_frame(scene, index, out));
    if ((*out)->has_surface)
        return IPOS_OK;
    IP_TRY(ir_scene_shaped(scene, index, out));
    IP_TRY(find_old_shadows(scene, *out));
    ip_plane_free(&(*out)->still);
    (*out)->has_surface = true;
    return IPOS_OK;
}

/* The averaged planes of a frame, pixel after pixel: all values of a place lie side by side. Held for the frames that the next ones look at. */
static ipos_status weave(ir_scene *scene, size_t index, const float **out) {
    struct ir_woven *woven = &scene->woven[index % IP_COUNT(scene->woven)];
    struct ir_slot *slot;
    const ip_plane_f *planes[STEADY];
    const size_t width = (size_t)scene->width, height = (size_t)scene->height;
    *out = woven->values;
    if (woven->values && woven->index == index)
        return IPOS_OK;
    IP_TRY(find_surface(scene, index, &slot));
    if (!woven->values && !(woven->values = ip_alloc(width * height * STEADY * sizeof *woven->values)))
        return IPOS_ERR_NO_MEMORY;
    averaged(&slot->surface, planes);
    for (size_t y = 0; y < height; y++)
        for (size_t k = 0; k < STEADY; k++) {
            const float *from = ip_row(planes[k], (int)y);
            for (size_t x = 0; x < width; x++)
                woven->values[(y * width + x) * STEADY + k] = from[x];
        }
    woven->index = index;
    *out = woven->values;
    return IPOS_OK;
}

/* Frame index + step (+-1, +-2), brought here along the flows between: its values, and where they are looked up. */
typedef struct neighbour {
    const float *values;
    const ip_plane_f *path, *luma, *own;
    float *sum;          /* woven */
    const ip_plane_f *weight;
} neighbour;

/* As ip_sample_linear, for all values of a place at once. */
IP_INLINE void add_place(const float *restrict a, const float *restrict b, const float *restrict c, const float *restrict d, float fx, float fy, float w,
    float *restrict sum) {
#pragma GCC unroll 1 /* unrolled it would not become vectors */
    for (int k = 0; k < STEADY; k++) {
        float high = a[k] + fx * (b[k] - a[k]), low = c[k] + fx * (d[k] - c[k]);
        sum[k] += w * (high + fy * (low - high));
    }
}

IP_HOT static void add_row(const neighbour *n, int y) {
    const float *dx = ip_row(&n->path[0], y), *dy = ip_row(&n->path[1], y), *own = ip_row(n->own, y);
    const int width = n->luma->width, height = n->luma->height;
    float *weight = ip_row(n->weight, y), *sum = n->sum + (ptrdiff_t)y * width * STEADY;
    for (int x = 0; x < width; x++) {
        float px = (float)x + dx[x], py = (float)y + dy[x];
        if (!(px >= 0 && py >= 0 && px <= (float)(width - 1) && py <= (float)(height - 1)))
            continue;
        const int x0 = (int)px, y0 = (int)py, x1 = IP_MIN(x0 + 1, width - 1), y1 = IP_MIN(y0 + 1, height - 1);
        const float fx = px - (float)x0, fy = py - (float)y0, *above = ip_row(n->luma, y0), *below = ip_row(n->luma, y1);
        float top = above[x0] + fx * (above[x1] - above[x0]), bottom = below[x0] + fx * (below[x1] - below[x0]);
        const float apart = (top + fy * (bottom - top) - own[x]) / .06f, w = expf(-apart * apart);
        const float *upper = n->values + (ptrdiff_t)y0 * width * STEADY, *lower = n->values + (ptrdiff_t)y1 * width * STEADY;
        add_place(upper + x0 * STEADY, upper + x1 * STEADY, lower + x0 * STEADY, lower + x1 * STEADY, fx, fy, w, sum + (ptrdiff_t)x * STEADY);
        weight[x] += w;
    }
}

static void add_rows(void *user, int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; y++)
        add_row(user, (int)y);
}

/* Adds what frame index + step says to sums and weights. path: from the last step's, which goes on. */
static ipos_status add_neighbour(ir_scene *scene, size_t index, int step, ip_plane_f path[2], float *sum, const ip_plane_f *weight) {
    struct ir_slot *there, *here;
    const ip_plane_f *flow;
    const float *values;
    int way = step > 0;
    size_t from = way ? index + (size_t)step - 1 : index - (size_t)(-step - 1), to = way ? from + 1 : from - 1;
    IP_TRY(ir_scene_flow(scene, from, way, &flow));
    if (from != index)
        ip_flow_follow(flow, path);
    for (int k = 0; k < 2 && from == index; k++)
        ip_plane_copy(&path[k], &flow[k]);
    IP_TRY(weave(scene, to, &values));
    IP_TRY(ir_scene_frame(scene, to, &there));
    IP_TRY(ir_scene_frame(scene, index, &here));
    neighbour n = {values, path, &there->luma, &here->luma, sum, weight};
    ip_parallel(scene->host->threads, scene->height, 8, add_rows, &n);
    return IPOS_OK;
}

static void divide(const float *sum, const ip_plane_f *weight, const ip_surface *out) {
    const ip_plane_f *planes[STEADY];
    averaged(out, planes);
    for (int y = 0; y < weight->height; y++, sum += (size_t)weight->width * STEADY)
        for (int k = 0; k < STEADY; k++)
            for (int x = 0; x < weight->width; x++)
                ip_row(planes[k], y)[x] = sum[x * STEADY + k] / ip_row(weight, y)[x];
}

/* part: room for a path and the weights. */
static ipos_status gather(ir_scene *scene, size_t index, float *sum, const ip_surface *out, ip_plane_f part[3]) {
    const float *own;
    IP_TRY(weave(scene, index, &own));
    memcpy(sum, own, (size_t)scene->width * (size_t)scene->height * STEADY * sizeof *sum);
    ip_plane_fill(&part[2], 1);
    for (int way = -1; way <= 1; way += 2)
        for (int k = 1; k <= IR_REACH; k++) {
            int64_t other = (int64_t)index + way * k;
            if (other < 0 || other >= (int64_t)scene->footage->count || !ip_alive(scene->pulse))
                break;
            IP_TRY(add_neighbour(scene, index, way * k, part, sum, &part[2]));
        }
    if (!ip_alive(scene->pulse))
        return ip_fail(IPOS_ERR_CANCELLED, "relight: cancelled");
    divide(sum, &part[2], out);
    return IPOS_OK;
}

ipos_status ir_scene_surface(ir_scene *scene, size_t index, ip_surface *out) {
    struct ir_slot *slot;
    ip_plane_f part[3];
    *out = (ip_surface){0};
    IP_TRY(find_surface(scene, index, &slot));
    IP_TRY(ip_planes_new(scene->width, scene->height, part, 3));
    float *sum = ip_alloc((size_t)scene->width * (size_t)scene->height * STEADY * sizeof *sum);
    ipos_status status = sum ? ip_surface_new(scene->width, scene->height, out) : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK) {
        ip_plane_copy(&out->passing, &slot->surface.passing);
        ip_plane_copy(&out->pane, &slot->surface.pane);
        status = gather(scene, index, sum, out, part);
    }
    ip_free(sum);
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
