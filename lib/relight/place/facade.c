#include "facade.h"
#include "gauss.h"
#include "mask.h"

#include <math.h>

static const double BEHIND = 2.5;   /* metres: fronts of one row step back by less */
static const double THROUGH = 1.15; /* times the wall's depth: seen through it */

void ip_facade_free(ip_facade *facade) {
    for (size_t i = 0; i < facade->count; i++)
        ip_plane_free(&facade->view[i].open);
    *facade = (ip_facade){0};
}

static ipos_status find_open(const ip_room *room, const ip_set_frame *f, const ip_lens *lens, const ip_plane_f *open) {
    ip_plane_f tmp;
    float unit = ip_relight_unit(open->width);
    IP_TRY(ip_plane_new(open->width, open->height, &tmp));
    for (int y = 0; y < open->height; y++)
        for (int x = 0; x < open->width; x++) {
            double depth = 1 / fmax((double)ip_row(&f->view.inverse, y)[x], 1e-4), kind = (double)ip_row(&f->kind, y)[x];
            bool far = kind == IP_IS_UPRIGHT && depth > THROUGH * (double)ip_room_backdrop(room, &f->view.pose, lens, x, y);
            ip_row(open, y)[x] = kind == IP_IS_SKY || far;
        }
    ip_mask_open(open, &tmp, ip_relight_pixels(open->width, 3));
    ip_gauss_blur(open, open, &tmp, 1.5 * (double)unit, 1);
    ip_plane_free(&tmp);
    return IPOS_OK;
}

ipos_status ip_facade_make(const ip_room *room, const ip_set_frame *const *frames, size_t count, const ip_lens *lens, const double toward[3], ip_facade *out) {
    *out = (ip_facade){.lens = *lens, .toward = {toward[0], toward[1], toward[2]}};
    if (!room->walls || ip_dot3(room->wall[0].normal, toward) < .02)
        return IPOS_OK;
    memcpy(out->normal, room->wall[0].normal, sizeof out->normal);
    out->offset = room->wall[0].offset;
    for (size_t i = 0; i < IP_MIN(count, (size_t)IP_FACADE_VIEWS); i++) {
        ipos_status status = ip_plane_new(frames[i]->kind.width, frames[i]->kind.height, &out->view[i].open);
        if (status == IPOS_OK) {
            out->view[i].pose = frames[i]->view.pose;
            out->count = i + 1;
            status = find_open(room, frames[i], lens, &out->view[i].open);
        }
        if (status != IPOS_OK) {
            ip_facade_free(out);
            return status;
        }
    }
    return IPOS_OK;
}

/* Where a view sees a place of the wall, moved to its picture's border where that is outside; returns by how far. */
static double nearest(const ip_facade *facade, size_t i, const double place[3], float at[2]) {
    const ip_plane_f *open = &facade->view[i].open;
    double c[3];
    ip_pose_apply(&facade->view[i].pose, place, c);
    double depth = fmax(c[2], .1), u = facade->lens.focal * c[0] / depth + facade->lens.cx, v = facade->lens.focal * c[1] / depth + facade->lens.cy;
    if (c[2] < .1) /* beside the camera or behind it: far off to that side */
        u = c[0] < 0 ? -1e5 : 1e5;
    at[0] = (float)fmin(fmax(u, 0), open->width - 1);
    at[1] = (float)fmin(fmax(v, 0), open->height - 1);
    return hypot(u - (double)at[0], v - (double)at[1]);
}

float ip_facade_lit(const ip_facade *facade, const double at[3]) {
    double away = ip_dot3(facade->normal, at) - facade->offset, least = 1e30, place[3];
    float lit = 1;
    if (!facade->count || away > -BEHIND)
        return 1;
    double reach = -away / ip_dot3(facade->normal, facade->toward);
    for (int k = 0; k < 3; k++)
        place[k] = at[k] + reach * facade->toward[k];
    for (size_t i = 0; i < facade->count; i++) {
        float p[2];
        double outside = nearest(facade, i, place, p);
        if (outside < least - 1e-3) {
            least = outside;
            lit = ip_sample_linear(&facade->view[i].open, p[0], p[1]);
        }
    }
    return lit;
}
