#include "wire_fill_internal.h"
#include <math.h>

static const float ENOUGH = .02f; /* of a tile's hole may stay unseen before frames further off are asked */

ipos_status ip_wire_fill_open(const ip_wire_source *source, const ip_wire_fill_options *options, ip_wire_fill **out) {
    *out = NULL;
    if (source->width < 1 || source->height < 1 || source->sequences < 1 || !source->count || source->count[0] < 1)
        return ip_fail(IPOS_ERR_ARGUMENT, "wire fill: %dx%d, %zu sequences, expected a picture and at least one frame", source->width,
            source->height, source->sequences);
    ip_wire_fill *fill = ip_calloc(1, sizeof *fill);
    if (!fill)
        return IPOS_ERR_NO_MEMORY;
    fill->source = *source;
    fill->count = ip_alloc(source->sequences * sizeof *fill->count);
    if (!fill->count) {
        ip_free(fill);
        return IPOS_ERR_NO_MEMORY;
    }
    memcpy(fill->count, source->count, source->sequences * sizeof *fill->count);
    fill->source.count = fill->count;
    ip_wire_lanczos(fill->lanczos);
    fill->options = options ? *options : (ip_wire_fill_options){0};
    if (fill->options.reach < 1)
        fill->options.reach = 20;
    if (fill->options.candidates < 1)
        fill->options.candidates = 16;
    for (int side = IP_MAX(source->width, source->height); side > IP_WIRE_SMALL; side = (side + 1) / 2)
        fill->halvings++;
    fill->halvings = IP_MAX(fill->halvings, IP_MIN(source->width, source->height) >= 128 ? 1 : 0);
    *out = fill;
    return IPOS_OK;
}

void ip_wire_fill_close(ip_wire_fill *fill) {
    if (!fill)
        return;
    ip_wire_cache_free(fill);
    ip_wire_held_free(fill->held);
    ip_free(fill->count);
    ip_free(fill);
}

void ip_wire_tiles_free(ip_wire_tile *tiles, size_t count) {
    for (size_t i = 0; i < count && tiles; i++) {
        ip_wire_tile *t = &tiles[i];
        ip_plane_free(&t->hole);
        ip_planes_free(t->colour.c, 3);
        ip_planes_free(t->grain.c, 3);
        ip_plane_free(&t->lacking);
        ip_plane_free(&t->own);
        ip_plane_free(&t->evidence);
        ip_plane_free(&t->confidence);
    }
    ip_wire_tiles_slim(tiles, count);
    ip_free(tiles);
}

void ip_wire_tiles_slim(ip_wire_tile *tiles, size_t count) {
    for (size_t i = 0; i < count && tiles; i++) {
        ip_wire_tile *t = &tiles[i];
        for (int k = 0; k < IP_WIRE_SLOTS; k++)
            ip_planes_free(t->slot[k].c, 3);
        ip_planes_free(t->logit, IP_WIRE_SLOTS);
        ip_planes_free(t->side, IP_WIRE_SIDES);
    }
}

static ip_box_i grow(ip_box_i box, int by, int width, int height) {
    int left = IP_MAX(box.x - by, 0), top = IP_MAX(box.y - by, 0);
    int right = IP_MIN(box.x + box.width + by, width), bottom = IP_MIN(box.y + box.height + by, height);
    return (ip_box_i){left, top, right - left, bottom - top};
}

/* The box of the matte's pixels inside a cell; empty if there are none. */
static ip_box_i tight(const ip_plane_f *matte, ip_box_i cell) {
    int left = INT32_MAX, top = INT32_MAX, right = -1, bottom = -1;
    for (int y = cell.y; y < cell.y + cell.height; y++)
        for (int x = cell.x; x < cell.x + cell.width; x++)
            if (!(ip_row(matte, y)[x] <= 0.f)) {
                left = IP_MIN(left, x);
                right = IP_MAX(right, x);
                top = IP_MIN(top, y);
                bottom = IP_MAX(bottom, y);
            }
    return right < 0 ? (ip_box_i){0} : (ip_box_i){left, top, right - left + 1, bottom - top + 1};
}

/* Cells with matte in them, each with its box and own part of the hole. */
static ipos_status lay_tiles(const ip_plane_f *matte, ip_wire_tile **tiles, size_t *count) {
    int w = matte->width, h = matte->height;
    size_t room = (size_t)((w + IP_WIRE_CELL - 1) / IP_WIRE_CELL) * (size_t)((h + IP_WIRE_CELL - 1) / IP_WIRE_CELL);
    *count = 0;
    *tiles = ip_calloc(room, sizeof **tiles);
    if (!*tiles)
        return IPOS_ERR_NO_MEMORY;
    for (int y = 0; y < h; y += IP_WIRE_CELL)
        for (int x = 0; x < w; x += IP_WIRE_CELL) {
            ip_box_i own = tight(matte, (ip_box_i){x, y, IP_MIN(IP_WIRE_CELL, w - x), IP_MIN(IP_WIRE_CELL, h - y)});
            if (own.width < 1)
                continue;
            ip_wire_tile *tile = &(*tiles)[(*count)++];
            tile->box = grow(own, IP_WIRE_MARGIN, w, h);
            IP_TRY(ip_plane_new(tile->box.width, tile->box.height, &tile->hole));
            for (int j = own.y; j < own.y + own.height; j++)
                for (int i = own.x; i < own.x + own.width; i++)
                    if (!(ip_row(matte, j)[i] <= 0.f))
                        ip_row(&tile->hole, j - tile->box.y)[i - tile->box.x] = 1.f;
        }
    return IPOS_OK;
}

typedef struct views_job {
    const ip_wire_work *work;
    const ip_wire_target *target; /* NULL: align from the coarse motion */
    ip_wire_view *views;
} views_job;

static void view_range(void *user, int64_t begin, int64_t end) {
    views_job *job = user;
    for (int64_t i = begin; i < end; i++) {
        ip_wire_view *view = &job->views[i];
        view->status = job->target ? ip_wire_refine(job->work, job->target, view) : ip_wire_align(job->work, view);
        if (view->status == IPOS_OK)
            view->status = ip_wire_sample(job->work, view);
        if (view->status == IPOS_OK)
            view->status = ip_wire_judge(job->work, view);
        if (view->status == IPOS_OK)
            view->status = ip_wire_still(job->work, view);
    }
}

static ipos_status tick(const ip_wire_fill *fill) {
    return fill->source.tick ? fill->source.tick(fill->source.user) : IPOS_OK;
}

/* Aligns views first..count-1 on their own, then towards what all have in common. */
static ipos_status align_views(const ip_wire_fill *fill, const ip_wire_work *work, ip_wire_view *views, size_t first, size_t count) {
    for (int round = 0; round <= IP_WIRE_ROUNDS; round++) {
        ip_wire_target target = {0};
        ipos_status status = round > 0 ? ip_wire_target_open(work, views, count, &target) : IPOS_OK;
        views_job job = {work, round > 0 ? &target : NULL, views + first};
        if (status == IPOS_OK)
            ip_parallel(fill->source.threads, (int64_t)(count - first), 1, view_range, &job);
        for (size_t i = first; i < count && status == IPOS_OK; i++)
            if (views[i].status != IPOS_OK)
                status = ip_fail(views[i].status, "wire fill: a view of frame %zu failed", views[i].index);
        ip_wire_target_close(&target);
        IP_TRY(status);
        IP_TRY(tick(fill));
    }
    return IPOS_OK;
}

/* Adds views of motions first..last-1. */
static ipos_status add_views(ip_wire_fill *fill, const ip_wire_work *work, const ip_wire_motions *motions, size_t first, size_t last,
    ip_wire_view *views, size_t *count) {
    size_t before = *count;
    for (size_t i = first; i < last; i++) {
        bool usable;
        ip_wire_view *view = &views[*count];
        ipos_status status = ip_wire_view_open(fill, work, &motions->list[i], view, &usable);
        if (status != IPOS_OK || !usable)
            ip_wire_view_close(view);
        else
            ++*count;
        IP_TRY(status);
    }
    return align_views(fill, work, views, before, *count);
}

/* Share of the matte that fewer than two views see. */
static float unseen(const ip_wire_work *work, const ip_wire_view *views, size_t count) {
    float holes = 0.f, missing = 0.f;
    for (int y = 0; y < work->box.height; y++)
        for (int x = 0; x < work->box.width; x++) {
            if (!(ip_row(&work->matte, y)[x] > 0.f))
                continue;
            int seen = 0;
            for (size_t i = 0; i < count && seen < 2; i++)
                seen += ip_row(&views[i].valid, y)[x] > 0.f;
            holes += 1.f;
            missing += seen < 2 ? 1.f : 0.f;
        }
    return holes > 0.f ? missing / holes : 0.f;
}

static ipos_status fill_tile(ip_wire_fill *fill, ip_wire_motions *motions, ip_wire_tile *tile) {
    ip_wire_work work;
    ip_wire_view views[IP_WIRE_VIEWS];
    size_t count = 0;
    ipos_status status = ip_wire_work_open(fill, motions->index, tile->box, &work);
    if (status == IPOS_OK)
        status = ip_wire_held_views(fill, motions->index, &work, views, &count);
    if (status == IPOS_OK)
        status = add_views(fill, &work, motions, 0, motions->near, views, &count);
    if (status == IPOS_OK && motions->count > motions->near && unseen(&work, views, count) > ENOUGH) {
        status = ip_wire_motions_far(fill, motions);
        if (status == IPOS_OK)
            status = add_views(fill, &work, motions, motions->near, motions->count, views, &count);
    }
    if (status == IPOS_OK && fill->options.grain)
        status = ip_planes_new(tile->box.width, tile->box.height, tile->grain.c, 3);
    if (status == IPOS_OK)
        status = ip_wire_blend(&work, views, count, tile);
    if (status == IPOS_OK && !fill->options.covered)
        status = ip_wire_shine(&work, tile);
    float noise[IP_WIRE_BINS];
    if (status == IPOS_OK && fill->options.grain)
        status = ip_wire_frame_noise(fill, motions->index, noise);
    if (status == IPOS_OK && fill->options.grain)
        status = ip_wire_grain(&work, noise, fill->options.seed ^ (uint64_t)motions->index << 20, tile);
    for (size_t i = 0; i < count; i++)
        ip_wire_view_close(&views[i]);
    ip_wire_work_close(&work);
    return status == IPOS_OK ? tick(fill) : status;
}

ipos_status ip_wire_fill_frame(ip_wire_fill *fill, size_t index, ip_wire_tile **tiles, size_t *count) {
    *tiles = NULL;
    *count = 0;
    if (index >= fill->count[0])
        return ip_fail(IPOS_ERR_ARGUMENT, "wire fill: frame %zu of %zu", index, fill->count[0]);
    const ip_wire_source *s = &fill->source;
    ip_plane_f matte;
    IP_TRY(ip_plane_new(s->width, s->height, &matte));
    ipos_status status = s->matte(s->user, 0, index, (ip_box_i){0, 0, s->width, s->height}, &matte);
    if (status == IPOS_OK)
        status = lay_tiles(&matte, tiles, count);
    ip_plane_free(&matte);
    ip_wire_motions motions;
    ip_wire_choose(fill, index, &motions);
    if (status == IPOS_OK && *count > 0)
        status = ip_wire_motions_near(fill, &motions);
    for (size_t i = 0; i < *count && status == IPOS_OK; i++)
        status = fill_tile(fill, &motions, &(*tiles)[i]);
    ip_wire_motions_free(&motions);
    if (status != IPOS_OK) {
        ip_wire_tiles_free(*tiles, *count);
        *tiles = NULL;
        *count = 0;
    }
    return status;
}
