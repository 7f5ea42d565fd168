#include "wire_fill_internal.h"
#include <math.h>
#include <stdlib.h>

static const float HUGE_VALUE = 1e4f; /* no working encoding comes near: damage */

void ip_wire_distance(const ip_plane_f *mask, float limit, ip_plane_f *out) {
    int w = mask->width, h = mask->height;
    const float diagonal = 1.41421356f;
    for (int y = 0; y < h; y++) {
        float *row = ip_row(out, y), *up = y > 0 ? ip_row(out, y - 1) : NULL;
        for (int x = 0; x < w; x++) {
            float v = ip_row(mask, y)[x] > 0.f ? 0.f : limit;
            if (x > 0)
                v = IP_MIN(v, row[x - 1] + 1.f);
            if (up) {
                v = IP_MIN(v, up[x] + 1.f);
                v = x > 0 ? IP_MIN(v, up[x - 1] + diagonal) : v;
                v = x < w - 1 ? IP_MIN(v, up[x + 1] + diagonal) : v;
            }
            row[x] = v;
        }
    }
    for (int y = h - 1; y >= 0; y--) {
        float *row = ip_row(out, y), *down = y < h - 1 ? ip_row(out, y + 1) : NULL;
        for (int x = w - 1; x >= 0; x--) {
            float v = row[x];
            if (x < w - 1)
                v = IP_MIN(v, row[x + 1] + 1.f);
            if (down) {
                v = IP_MIN(v, down[x] + 1.f);
                v = x > 0 ? IP_MIN(v, down[x - 1] + diagonal) : v;
                v = x < w - 1 ? IP_MIN(v, down[x + 1] + diagonal) : v;
            }
            row[x] = v;
        }
    }
}

ipos_status ip_wire_clean(ip_image3 *colour, ip_plane_f *known) {
    bool hole = false;
    for (int y = 0; y < known->height; y++)
        for (int x = 0; x < known->width; x++) {
            float *k = &ip_row(known, y)[x];
            for (int c = 0; c < 3; c++) {
                float *v = &ip_row(&colour->c[c], y)[x];
                if (!(fabsf(*v) < HUGE_VALUE)) {
                    *v = 0.f;
                    *k = 0.f;
                }
            }
            hole = hole || !(*k > 0.f);
        }
    return hole ? ip_push_pull(colour->c, 3, known, 1.f, 1) : IPOS_OK;
}

void ip_wire_luma(const ip_image3 *colour, ip_plane_f *luma, int threads) {
    ip_luma(colour, IP_WIRE_LOW, IP_WIRE_HIGH, luma, threads);
    for (int y = 0; y < luma->height; y++)
        for (int x = 0; x < luma->width; x++)
            ip_row(luma, y)[x] *= 255.f;
}

/* known: 1 where the matte is 0 (a matte that is not a number is not believed). */
static void invert_matte(const ip_plane_f *matte, ip_plane_f *known) {
    for (int y = 0; y < matte->height; y++)
        for (int x = 0; x < matte->width; x++)
            ip_row(known, y)[x] = ip_row(matte, y)[x] <= 0.f ? 1.f : 0.f;
}

static void mark(ip_wire_work *work) {
    for (int y = 0; y < work->matte.height; y++)
        for (int x = 0; x < work->matte.width; x++) {
            float *m = &ip_row(&work->matte, y)[x], away;
            *m = *m <= 0.f ? 0.f : 1.f;
            away = ip_row(&work->active, y)[x];
            ip_row(&work->active, y)[x] = away <= IP_WIRE_RING ? 1.f : 0.f;
        }
}

static ipos_status work_planes(ip_wire_fill *fill, size_t index, ip_wire_work *work) {
    int w = work->box.width, h = work->box.height;
    const ip_wire_source *s = &fill->source;
    IP_TRY(ip_planes_new(w, h, work->frame.c, 3));
    IP_TRY(ip_planes_new(w, h, work->colour.c, 3));
    IP_TRY(ip_planes_new(w, h, work->residual.c, 3));
    ip_plane_f *more[] = {&work->matte, &work->known, &work->active, &work->depth, &work->luma, &work->invented,
        &work->residual_known, &work->relief, &work->doubt};
    for (size_t i = 0; i < IP_COUNT(more); i++)
        IP_TRY(ip_plane_new(w, h, more[i]));
    IP_TRY(s->colour(s->user, 0, index, work->box, &work->frame));
    return s->matte(s->user, 0, index, work->box, &work->matte);
}

/* How wrong the spatial fill is around here: the same hole moved onto the ring on both sides is filled and compared with the truth. */
static const int TRY[2][2] = {{1, 0}, {0, 1}};
enum { QUICK = 40 };

static ipos_status try_moved(const ip_wire_work *work, int dx, int dy, ip_plane_f *error, ip_plane_f *weight) {
    int w = work->box.width, h = work->box.height;
    ip_plane_f planes[4];
    IP_TRY(ip_planes_new(w, h, planes, 4));
    for (int c = 0; c < 3; c++)
        ip_plane_copy(&planes[c], &work->colour.c[c]);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            int sx = x - dx, sy = y - dy;
            bool moved = sx >= 0 && sy >= 0 && sx < w && sy < h && ip_row(&work->matte, sy)[sx] > 0.f;
            ip_row(&planes[3], y)[x] = moved || !(ip_row(&work->known, y)[x] > 0.f) ? 1.f : 0.f;
        }
    ipos_status status = ip_spatial_fill_quick(planes, 3, &planes[3], QUICK, 1);
    for (int y = 0; y < h && status == IPOS_OK; y++)
        for (int x = 0; x < w; x++) {
            if (!(ip_row(&planes[3], y)[x] > 0.f && ip_row(&work->known, y)[x] > 0.f))
                continue;
            float sum = 0.f;
            for (int c = 0; c < 3; c++) {
                float d = ip_row(&planes[c], y)[x] - ip_row(&work->colour.c[c], y)[x];
                sum += d * d;
            }
            ip_row(error, y)[x] += sum / 3.f;
            ip_row(weight, y)[x] += 1.f;
        }
    ip_planes_free(planes, 4);
    return status;
}

static ipos_status measure_invented(ip_wire_work *work) {
    int w = work->box.width, h = work->box.height;
    ip_plane_f planes[2];
    float deepest = 0.f;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            deepest = IP_MAX(deepest, ip_row(&work->depth, y)[x]);
    IP_TRY(ip_planes_new(w, h, planes, 2));
    int step = (int)(2.f * deepest) + 2;
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < IP_COUNT(TRY) && status == IPOS_OK; i++)
        status = try_moved(work, step * TRY[i][0], step * TRY[i][1], &planes[0], &planes[1]);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            float *k = &ip_row(&planes[1], y)[x];
            if (*k > 0.f)
                ip_row(&planes[0], y)[x] /= *k;
            *k = *k > 0.f ? 1.f : 0.f;
        }
    if (status == IPOS_OK) {
        ip_plane_f *list[] = {&planes[0]};
        ip_wire_smooth(list, 1, &planes[1], &work->invented, 9);
        status = ip_push_pull(planes, 1, &planes[1], 1e-3f, 1);
    }
    for (int y = 0; y < h && status == IPOS_OK; y++)
        for (int x = 0; x < w; x++)
            ip_row(&work->invented, y)[x] = sqrtf(IP_MAX(0.f, ip_row(&planes[0], y)[x]));
    ip_planes_free(planes, 2);
    return status;
}

ipos_status ip_wire_work_open(ip_wire_fill *fill, size_t index, ip_box_i box, ip_wire_work *work) {
    memset(work, 0, sizeof *work);
    work->box = box;
    work->lanczos = (const float (*)[6])fill->lanczos;
    IP_TRY(work_planes(fill, index, work));
    invert_matte(&work->matte, &work->known);
    for (int c = 0; c < 3; c++)
        ip_plane_copy(&work->colour.c[c], &work->frame.c[c]);
    IP_TRY(ip_wire_clean(&work->colour, &work->known));
    ip_plane_f hole;
    IP_TRY(ip_plane_new(box.width, box.height, &hole));
    for (int y = 0; y < box.height; y++)
        for (int x = 0; x < box.width; x++)
            ip_row(&hole, y)[x] = 1.f - ip_row(&work->known, y)[x];
    ipos_status status = ip_spatial_fill(work->colour.c, 3, &hole, fill->source.threads);
    ip_plane_free(&hole);
    IP_TRY(status);
    ip_wire_distance(&work->known, 1e4f, &work->depth);
    for (int y = 0; y < box.height; y++) /* from the matte, for the ring */
        for (int x = 0; x < box.width; x++)
            ip_row(&work->matte, y)[x] = ip_row(&work->matte, y)[x] <= 0.f ? 0.f : 1.f;
    ip_wire_distance(&work->matte, IP_WIRE_RING + 2.f, &work->active);
    mark(work);
    ip_wire_luma(&work->colour, &work->luma, 1);
    return measure_invented(work);
}

void ip_wire_work_close(ip_wire_work *work) {
    ip_planes_free(work->frame.c, 3);
    ip_planes_free(work->colour.c, 3);
    ip_planes_free(work->residual.c, 3);
    ip_plane_f *more[] = {&work->matte, &work->known, &work->active, &work->depth, &work->luma, &work->invented,
        &work->residual_known, &work->relief, &work->doubt};
    for (size_t i = 0; i < IP_COUNT(more); i++)
        ip_plane_free(more[i]);
}
