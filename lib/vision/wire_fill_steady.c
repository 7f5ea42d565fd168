/* Fills are made frame by frame, each with its own errors, and what differs from frame to frame flickers. So the fills of the frames before and
 * behind are brought here along the motion of the filled pictures and averaged in: errors of three frames that are not the same halve, and
 * what is the same stays. Where the frame itself shows the plate it is left alone. */
#include "mask.h"
#include "wire_fill_internal.h"
#include <math.h>

static const float WEIGHT = 1.5f;  /* of a neighbour, by the frame's own: between 1 and 2, of which 1 gives .05 dB more on two clips for choosing and 2 flickers less */
static const float APART = 30.f;   /* a neighbour so many times further off than the ring around says counts half */
static const float AS_STILL = 1.2f; /* what no motion may leave of the ring, by what the flow does */
static const float ROUNDING = 1.f / 255.f;
static const float TWO = 2.f;      /* one picture, with its own grain, leaves twice what the mean of many does */

/* The filled picture of the tile stands for the frame. */
static ipos_status open_work(const ip_wire_fill *fill, const ip_wire_tile *tile, ip_wire_work *work) {
    int w = tile->box.width, h = tile->box.height;
    ip_plane_f tmp;
    *work = (ip_wire_work){.lanczos = fill->lanczos, .box = tile->box};
    IP_TRY(ip_plane_new(w, h, &work->active));
    IP_TRY(ip_plane_new(w, h, &work->known));
    IP_TRY(ip_plane_new(w, h, &work->luma));
    ip_plane_copy(&work->active, &tile->hole);
    IP_TRY(ip_plane_new(w, h, &tmp));
    ip_mask_grow(&work->active, &tmp, IP_WIRE_RING);
    ip_plane_free(&tmp);
    ip_plane_fill(&work->known, 1.f);
    ip_wire_luma(&tile->colour, &work->luma, 1);
    return IPOS_OK;
}

/* The other frame's fills in place of its wires. */
static void paste(const ip_wire_filled *filled, ip_wire_view *view) {
    for (size_t i = 0; i < filled->count; i++) {
        const ip_wire_tile *tile = &filled->tiles[i];
        int left = tile->box.x - view->from.x, top = tile->box.y - view->from.y;
        for (int y = IP_MAX(0, -top); y < tile->box.height && y + top < view->from.height; y++)
            for (int x = IP_MAX(0, -left); x < tile->box.width && x + left < view->from.width; x++)
                if (ip_row(&tile->hole, y)[x] > 0.f)
                    for (int c = 0; c < 3; c++)
                        ip_row(&view->colour.c[c], y + top)[x + left] = ip_row(&tile->colour.c[c], y)[x];
    }
}

/* All is known now but what lies outside the frame, and a pixel beside it. */
static void mark_outside(const ip_wire_fill *fill, ip_wire_view *view) {
    for (int y = 0; y < view->from.height; y++)
        for (int x = 0; x < view->from.width; x++) {
            int fx = view->from.x + x, fy = view->from.y + y;
            ip_row(&view->unsafe, y)[x] = fx < 1 || fy < 1 || fx > fill->source.width - 2 || fy > fill->source.height - 2 ? 1.f : 0.f;
        }
}

typedef struct difference {
    float offset[3]; /* of the light: what the ring here has more */
    float square;    /* mean square of what is left on the ring */
} difference;

static bool compare_ring(const ip_wire_tile *tile, const ip_wire_work *work, const ip_wire_view *view, difference *out) {
    double sum[3] = {0}, squares = 0, count = 0;
    for (int y = 0; y < tile->box.height; y++)
        for (int x = 0; x < tile->box.width; x++) {
            if (!(ip_row(&work->active, y)[x] > 0.f) || ip_row(&tile->hole, y)[x] > 0.f || !(ip_row(&view->valid, y)[x] > 0.f))
                continue;
            double d[3];
            for (int c = 0; c < 3; c++)
                d[c] = (double)ip_row(&tile->colour.c[c], y)[x] - (double)ip_row(&view->seen.c[c], y)[x];
            if (!(fabs(d[0]) + fabs(d[1]) + fabs(d[2]) < 1e3))
                continue;
            for (int c = 0; c < 3; c++) {
                sum[c] += d[c];
                squares += d[c] * d[c] / 3;
            }
            count++;
        }
    *out = (difference){{0}, 0};
    for (int c = 0; c < 3 && count > 0; c++) {
        out->offset[c] = (float)(sum[c] / count);
        squares -= sum[c] * sum[c] / count / 3;
    }
    out->square = count > 0 ? (float)IP_MAX(0., squares / count) : 0.f;
    return count >= 16;
}

static float square(float v) { return v * v; }

static void add(const ip_wire_tile *tile, const ip_wire_view *view, const difference *ring, ip_image3 *sum, ip_plane_f *weight, ip_plane_f *squares) {
    float usual = square(APART) * (ring->square + square(ROUNDING)), least = tile->rest + square(ROUNDING);
    float alike = least / (least + IP_MAX(0.f, ring->square - TWO * tile->rest)); /* a frame of another blur or sharpness is not */
    for (int y = 0; y < tile->box.height; y++)
        for (int x = 0; x < tile->box.width; x++) {
            if (!(ip_row(&tile->hole, y)[x] > 0.f) || !(ip_row(&view->valid, y)[x] > 0.f))
                continue;
            float seen[3], apart = 0.f;
            for (int c = 0; c < 3; c++) {
                seen[c] = ip_row(&view->seen.c[c], y)[x] + ring->offset[c];
                apart += square(seen[c] - ip_row(&tile->colour.c[c], y)[x]) / 3.f;
            }
            float k = WEIGHT * alike * (1.f - ip_row(&tile->own, y)[x]) * usual / (usual + apart);
            if (!(k > 0.f))
                continue;
            for (int c = 0; c < 3; c++)
                ip_row(&sum->c[c], y)[x] += k * seen[c];
            ip_row(weight, y)[x] += k;
            ip_row(squares, y)[x] += k * k;
        }
}

/* The view, or the same part of the other frame as it stands where that leaves no more of the ring. */
static ipos_status judged(const ip_wire_tile *tile, const ip_wire_work *work, ip_wire_view *view, difference *ring, bool *usable) {
    *usable = compare_ring(tile, work, view, ring);
    if (!ip_wire_may_be_still(view))
        return IPOS_OK;
    ip_wire_view still;
    difference left;
    IP_TRY(ip_wire_still_open(work, view, &still));
    if (compare_ring(tile, work, &still, &left) && (!*usable || left.square <= AS_STILL * ring->square)) {
        const ip_image3 seen = view->seen;
        const ip_plane_f valid = view->valid;
        view->seen = still.seen;
        view->valid = still.valid;
        still.seen = seen;
        still.valid = valid;
        *ring = left;
        *usable = true;
    }
    ip_wire_view_close(&still);
    return IPOS_OK;
}

static ipos_status bring(ip_wire_fill *fill, const ip_wire_tile *tile, const ip_wire_work *work, const ip_wire_coarse *motion,
    const ip_wire_filled *filled, ip_image3 *sum, ip_plane_f *weight, ip_plane_f *squares) {
    ip_wire_view view;
    difference ring;
    bool usable;
    ipos_status status = ip_wire_view_open(fill, work, motion, &view, &usable);
    if (status == IPOS_OK && usable) {
        paste(filled, &view);
        mark_outside(fill, &view);
        status = ip_wire_align(work, &view);
        if (status == IPOS_OK)
            status = ip_wire_sample(work, &view);
        if (status == IPOS_OK)
            status = judged(tile, work, &view, &ring, &usable);
        if (status == IPOS_OK && usable)
            add(tile, &view, &ring, sum, weight, squares);
    }
    ip_wire_view_close(&view);
    return status;
}

static void mix(const ip_wire_tile *tile, const ip_image3 *sum, const ip_plane_f *weight, const ip_plane_f *squares, ip_wire_steadied *out) {
    for (int y = 0; y < tile->box.height; y++)
        for (int x = 0; x < tile->box.width; x++) {
            float all = 1.f + ip_row(weight, y)[x], kept = (1.f + ip_row(squares, y)[x]) / square(all);
            for (int c = 0; c < 3; c++) {
                float own = ip_row(&tile->colour.c[c], y)[x];
                ip_row(&out->colour.c[c], y)[x] = all > 1.f ? (own + ip_row(&sum->c[c], y)[x]) / all : own;
            }
            ip_row(&out->lacking, y)[x] = all > 1.f ? 1.f - (1.f - ip_row(&tile->lacking, y)[x]) * kept : ip_row(&tile->lacking, y)[x];
        }
}

/* Motion to the frames beside that are given, in their order. */
static ipos_status motions_to(ip_wire_fill *fill, size_t index, const ip_wire_filled *beside, size_t count, ip_wire_motions *m) {
    *m = (ip_wire_motions){.index = index, .near = count, .count = count};
    for (size_t i = 0; i < count; i++)
        m->list[i] = (ip_wire_coarse){.sequence = 0, .index = beside[i].index};
    return ip_wire_motions_near(fill, m);
}

static ipos_status steady_tile(ip_wire_fill *fill, const ip_wire_tile *tile, const ip_wire_motions *motions, const ip_wire_filled *beside,
    ip_wire_steadied *out) {
    enum { SUM, WEIGHT_OF = 3, SQUARES, COUNT };
    ip_wire_work work;
    ip_plane_f p[COUNT];
    IP_TRY(ip_planes_new(tile->box.width, tile->box.height, p, COUNT));
    ip_image3 sum = {{p[SUM], p[SUM + 1], p[SUM + 2]}};
    ipos_status status = open_work(fill, tile, &work);
    for (size_t i = 0; i < motions->count && status == IPOS_OK; i++)
        status = bring(fill, tile, &work, &motions->list[i], &beside[i], &sum, &p[WEIGHT_OF], &p[SQUARES]);
    if (status == IPOS_OK)
        status = ip_planes_new(tile->box.width, tile->box.height, out->colour.c, 3);
    if (status == IPOS_OK)
        status = ip_plane_new(tile->box.width, tile->box.height, &out->lacking);
    if (status == IPOS_OK)
        mix(tile, &sum, &p[WEIGHT_OF], &p[SQUARES], out);
    ip_wire_work_close(&work);
    ip_planes_free(p, COUNT);
    return status;
}

void ip_wire_steadied_free(ip_wire_steadied *steadied, size_t count) {
    for (size_t i = 0; i < count && steadied; i++) {
        ip_planes_free(steadied[i].colour.c, 3);
        ip_plane_free(&steadied[i].lacking);
    }
    ip_free(steadied);
}

ipos_status ip_wire_steady(ip_wire_fill *fill, const ip_wire_filled *here, const ip_wire_filled *beside, size_t count, ip_wire_steadied **out) {
    ip_wire_motions motions;
    *out = ip_calloc(IP_MAX(here->count, 1), sizeof **out);
    if (!*out)
        return IPOS_ERR_NO_MEMORY;
    ipos_status status = here->count ? motions_to(fill, here->index, beside, count, &motions) : IPOS_OK;
    for (size_t i = 0; i < here->count && status == IPOS_OK; i++)
        status = steady_tile(fill, &here->tiles[i], &motions, beside, &(*out)[i]);
    if (here->count)
        ip_wire_motions_free(&motions);
    if (status != IPOS_OK) {
        ip_wire_steadied_free(*out, here->count);
        *out = NULL;
    }
    return status;
}
