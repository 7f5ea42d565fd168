/* Wires under load that are too faint, or too smeared by their own motion, for a detector that looks at every place by itself: what passes before
 * the scene, averaged along straight lines of about the direction in which each is expected. */
#include "wires_track.h"

#include "line.h"
#include <math.h>

static const float spread = .15f; /* radians a wire may have turned */
/* Evidence that is no more than the most of a wide search finds in noise and texture, and how much more of it counts as sure. */
static const float nothing = 1.7f, much = 2.4f, surest = .8f;

static bool is_sought(const iw_work *w, const iw_follow *f) {
    return f->search && !f->stroke && iw_stiff(w, f) && f->starts[0].curve.count >= 2;
}

/* Where little passes but what is thin: over a performer everything passes, and his outlines are no wires. By the mean size of the difference
 * around a place, in multiples of that of the middle place. */
static const float calm = 3.5f, busy = 6;

static ipos_status weigh_calm(const iw_work *w, const ip_plane_f *difference, ip_plane_f *lines) {
    enum { SIZE, TMP, COUNT, SAMPLES = 2048 };
    ip_plane_f p[COUNT];
    int reach = (int)lrintf(20 * iw_lines(w->shot));
    IP_TRY(ip_planes_new(difference->width, difference->height, p, COUNT));
    for (int y = 0; y < difference->height; y++)
        for (int x = 0; x < difference->width; x++)
            ip_row(&p[SIZE], y)[x] = fabsf(ip_row(difference, y)[x]);
    ip_box_blur(&p[SIZE], &p[SIZE], &p[TMP], reach, reach, w->shot->host->threads);
    float usual = ip_median_size(&p[SIZE], NULL, SAMPLES) + 1e-6f;
    for (int y = 0; y < difference->height; y++)
        for (int x = 0; x < difference->width; x++)
            ip_row(lines, y)[x] *= fminf(fmaxf((busy - ip_row(&p[SIZE], y)[x] / usual) / (busy - calm), 0), 1);
    ip_planes_free(p, COUNT);
    return IPOS_OK;
}

/* Where a wire may have gone: less is believed the further it would have swung. */
static ipos_status weigh_near(const iw_work *w, ip_plane_f *lines) {
    ip_plane_f near;
    IP_TRY(ip_plane_new(lines->width, lines->height, &near));
    for (size_t i = 0; i < w->count; i++)
        for (size_t k = 0; k < w->follow[i].start_count && is_sought(w, &w->follow[i]); k++) {
            const iw_start *start = &w->follow[i].starts[k];
            ip_curve_band(&start->curve, NULL, .5f * start->sweep, .5f * start->sweep, w->box.x, w->box.y, &near);
        }
    for (int y = 0; y < lines->height; y++)
        for (int x = 0; x < lines->width; x++)
            ip_row(lines, y)[x] *= ip_row(&near, y)[x];
    ip_plane_free(&near);
    return IPOS_OK;
}

/* Wires of about one direction, and the part of the box where they may be. */
typedef struct direction {
    float angle;
    float left, top, right, bottom;
} direction;

/* As far as a wire may have swung, and as far again, for what is usual there. */
static void reach_of(const iw_work *w, const iw_follow *f, direction *d) {
    for (size_t k = 0; k < f->start_count; k++)
        for (size_t i = 0; i < f->starts[k].curve.count; i++) {
            ip_point at = f->starts[k].curve.at[i];
            float far = 2 * f->starts[k].sweep;
            d->left = fminf(d->left, at.x - far - (float)w->box.x);
            d->top = fminf(d->top, at.y - far - (float)w->box.y);
            d->right = fmaxf(d->right, at.x + far - (float)w->box.x);
            d->bottom = fmaxf(d->bottom, at.y + far - (float)w->box.y);
        }
}

static size_t list_directions(const iw_work *w, direction *list, size_t most) {
    size_t count = 0;
    for (size_t i = 0; i < w->count; i++) {
        if (!is_sought(w, &w->follow[i]))
            continue;
        float angle = iw_direction(&w->follow[i].starts[0].curve);
        size_t k = 0;
        while (k < count && fabsf(remainderf(list[k].angle - angle, 3.14159265f)) > .3f * spread)
            k++;
        if (k == most)
            continue;
        if (k == count)
            list[count++] = (direction){angle, INFINITY, INFINITY, -INFINITY, -INFINITY};
        reach_of(w, &w->follow[i], &list[k]);
    }
    return count;
}

static ipos_status add_direction(const iw_work *w, const ip_plane_f *difference, const direction *d, const ip_plane_f *sum) {
    int left = (int)fmaxf(d->left, 0), top = (int)fmaxf(d->top, 0);
    ip_box_i box = {left, top, (int)fminf(d->right, (float)w->box.width) - left, (int)fminf(d->bottom, (float)w->box.height) - top};
    if (box.width < 1 || box.height < 1)
        return IPOS_OK;
    ip_plane_f from = ip_plane_part(difference, box), to = ip_plane_part(sum, box), found;
    IP_TRY(ip_line_evidence(&from, d->angle, spread, iw_lines(w->shot), w->shot->host->threads, &found));
    ip_plane_max(&to, &found);
    ip_plane_free(&found);
    return IPOS_OK;
}

ipos_status iw_lines_find(iw_work *w) {
    enum { MOST = 8 };
    direction list[MOST];
    size_t count = list_directions(w, list, MOST);
    if (!count)
        return IPOS_OK;
    ip_plane_f difference;
    IP_TRY(ip_plane_new(w->box.width, w->box.height, &w->lines));
    IP_TRY(ip_plane_new(w->box.width, w->box.height, &difference));
    ipos_status status = iw_shot_difference(w->shot, w->index, w->box, &difference);
    for (size_t k = 0; k < count && status == IPOS_OK; k++)
        status = add_direction(w, &difference, &list[k], &w->lines);
    for (int y = 0; y < w->box.height && status == IPOS_OK; y++)
        for (int x = 0; x < w->box.width; x++) {
            float *value = &ip_row(&w->lines, y)[x];
            *value = fminf(fmaxf((*value - nothing) / much, 0), surest);
        }
    if (status == IPOS_OK)
        status = weigh_calm(w, &difference, &w->lines);
    if (status == IPOS_OK)
        status = weigh_near(w, &w->lines);
    ip_plane_free(&difference);
    return status;
}
