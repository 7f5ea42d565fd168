#include "wire_fill_internal.h"
#include <math.h>
#include <stdlib.h>

static float median_of(float *values, size_t count) {
    qsort(values, count, sizeof *values, ip_by_float);
    return count > 0 ? values[count / 2] : 0.f;
}

/* Coarse motion over the tile, in full pixels, and its median where the tile is active. */
static ipos_status start_flow(const ip_wire_fill *fill, const ip_wire_work *work, const ip_wire_coarse *coarse, ip_wire_view *view,
    int shift[2]) {
    int w = work->box.width, h = work->box.height;
    float scale = (float)(1 << fill->halvings);
    IP_TRY(ip_planes_new(w, h, view->start, 2));
    float *some = ip_alloc((size_t)w * (size_t)h * sizeof *some), middle[2];
    if (!some)
        return IPOS_ERR_NO_MEMORY;
    for (int i = 0; i < 2; i++) {
        size_t n = 0;
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                float px = ((float)(work->box.x + x) + .5f) / scale - .5f, py = ((float)(work->box.y + y) + .5f) / scale - .5f;
                float v = scale * ip_sample_linear(&coarse->flow[i], px, py);
                v = v > -1e5f ? (v < 1e5f ? v : 1e5f) : -1e5f;
                ip_row(&view->start[i], y)[x] = v;
                if (ip_row(&work->active, y)[x] > 0.f && (x + y) % 3 == 0)
                    some[n++] = v;
            }
        middle[i] = median_of(some, n);
        shift[i] = (int)lrintf(middle[i]);
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                ip_row(&view->start[i], y)[x] -= (float)shift[i];
    }
    ip_free(some);
    view->motion = hypotf(middle[0], middle[1]);
    return IPOS_OK;
}

/* The part of a box that may leave the frame: what lies outside stays 0 and unknown. */
static ipos_status fetch(ip_wire_fill *fill, ip_wire_view *view, ip_box_i inside, ip_plane_f *known) {
    const ip_wire_source *s = &fill->source;
    ip_box_i part = {inside.x - view->from.x, inside.y - view->from.y, inside.width, inside.height};
    ip_image3 to;
    for (int c = 0; c < 3; c++)
        to.c[c] = ip_plane_part(&view->colour.c[c], part);
    IP_TRY(s->colour(s->user, view->sequence, view->index, inside, &to));
    ip_plane_f k = ip_plane_part(known, part);
    IP_TRY(s->matte(s->user, view->sequence, view->index, inside, &k));
    for (int y = 0; y < inside.height; y++)
        for (int x = 0; x < inside.width; x++)
            ip_row(&k, y)[x] = ip_row(&k, y)[x] <= 0.f ? 1.f : 0.f;
    return IPOS_OK;
}

/* A sample reads the 4x4 around it: one pixel more of the unknown is unsafe. */
static void mark_unsafe(const ip_plane_f *known, ip_plane_f *unsafe) {
    for (int y = 0; y < known->height; y++)
        for (int x = 0; x < known->width; x++) {
            bool bad = false;
            for (int j = IP_MAX(y - 1, 0); j <= IP_MIN(y + 1, known->height - 1); j++)
                for (int i = IP_MAX(x - 1, 0); i <= IP_MIN(x + 1, known->width - 1); i++)
                    bad = bad || !(ip_row(known, j)[i] > 0.f);
            ip_row(unsafe, y)[x] = bad ? 1.f : 0.f;
        }
}

ipos_status ip_wire_view_open(ip_wire_fill *fill, const ip_wire_work *work, const ip_wire_coarse *coarse, ip_wire_view *view, bool *usable) {
    *usable = false;
    memset(view, 0, sizeof *view);
    view->sequence = coarse->sequence;
    view->index = coarse->index;
    int w = work->box.width, h = work->box.height, shift[2];
    IP_TRY(start_flow(fill, work, coarse, view, shift));
    ip_box_i from = {work->box.x + shift[0] - IP_WIRE_REACH, work->box.y + shift[1] - IP_WIRE_REACH, w + 2 * IP_WIRE_REACH, h + 2 * IP_WIRE_REACH};
    view->from = from;
    int left = IP_MAX(from.x, 0), top = IP_MAX(from.y, 0);
    int right = IP_MIN(from.x + from.width, fill->source.width), bottom = IP_MIN(from.y + from.height, fill->source.height);
    ip_box_i inside = {left, top, right - left, bottom - top};
    if (inside.width < 4 || inside.height < 4 || (double)inside.width * inside.height < .2 * from.width * from.height)
        return IPOS_OK;
    ip_plane_f known;
    IP_TRY(ip_planes_new(from.width, from.height, view->colour.c, 3));
    IP_TRY(ip_plane_new(from.width, from.height, &view->unsafe));
    IP_TRY(ip_plane_new(from.width, from.height, &known));
    ipos_status status = fetch(fill, view, inside, &known);
    if (status == IPOS_OK)
        status = ip_wire_clean(&view->colour, &known);
    if (status == IPOS_OK)
        mark_unsafe(&known, &view->unsafe);
    ip_plane_free(&known);
    *usable = status == IPOS_OK;
    return status;
}

void ip_wire_view_close(ip_wire_view *view) {
    ip_planes_free(view->colour.c, 3);
    ip_planes_free(view->start, 2);
    ip_planes_free(view->flow, 2);
    ip_planes_free(view->seen.c, 3);
    ip_plane_free(&view->luma);
    ip_plane_free(&view->unsafe);
    ip_plane_free(&view->valid);
    ip_plane_free(&view->error);
    ip_plane_free(&view->many);
    ip_plane_free(&view->around);
}
