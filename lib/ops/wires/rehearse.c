#include "rehearse.h"

#include "wire_draw.h"
#include "wires_fill.h"
#include <math.h>

/* 6 candidates of 3 planes, 6 logits, 8 sides, truth 3, classical 3, hole. */
enum { PLANES = 4 * IP_WIRE_SLOTS + IP_WIRE_SIDES + 7, TRUTH = 4 * IP_WIRE_SLOTS + IP_WIRE_SIDES, DRAWN = 3 };

typedef struct rehearsal {
    iw_shot shot; /* as the fill wants it: frames and mattes */
    iw_beside beside;
} rehearsal;

static void rehearsal_free(rehearsal *r) {
    for (size_t i = 0; r->shot.matte && i < r->shot.count; i++)
        iw_matte_free(&r->shot.matte[i]);
    ip_free(r->shot.matte);
    ip_free(r->shot.shadow);
    ip_free(r->shot.numbers);
}

/* Mattes of wires that drift and swing over the frames. */
static ipos_status draw_mattes(rehearsal *r, ip_rng *rng) {
    iw_shot *shot = &r->shot;
    ip_plane_f plane;
    IP_TRY(ip_plane_new(shot->canvas.width, shot->canvas.height, &plane));
    ipos_status status = IPOS_OK;
    ip_box_i all = {0, 0, shot->canvas.width, shot->canvas.height};
    float unit = fmaxf(1, (float)shot->canvas.height / 540);
    for (int n = 0; n < DRAWN && status == IPOS_OK; n++) {
        ip_curve curve;
        status = ip_wire_curve_random(rng, shot->canvas.width, shot->canvas.height, 4, &curve);
        if (status != IPOS_OK)
            break;
        float width = unit * (float)exp(log(1.5) + ip_rng_unit(rng) * log(8)), drift[2] = {(float)(3 * ip_rng_normal(rng)), (float)(2 * ip_rng_normal(rng))};
        for (size_t i = 0; i < shot->count && status == IPOS_OK; i++) {
            ip_plane_fill(&plane, 0);
            ip_curve_band(&curve, NULL, .5f * width, 1, 0, 0, &plane);
            status = iw_matte_join(&shot->matte[i], all, &plane);
            for (size_t k = 0; k < curve.count; k++) {
                curve.at[k].x += drift[0] * unit;
                curve.at[k].y += drift[1] * unit * (float)k / (float)curve.count;
            }
        }
        ip_curve_free(&curve);
    }
    ip_plane_free(&plane);
    return status;
}

static ipos_status open_rehearsal(ip_clip *clip, int64_t number, int reach, rehearsal *r, size_t *middle) {
    int64_t first, last;
    ipos_frame *frame;
    *r = (rehearsal){.shot = {.host = clip->host, .clip = clip, .scale = 1}};
    ip_op_shot_range(clip->clip, (double)number, &first, &last);
    IP_TRY(ip_clip_numbers(clip->clip, IP_MAX(first, number - reach), IP_MIN(last, number + reach), &r->shot.numbers, &r->shot.count));
    IP_TRY(ip_clip_frame(clip, number, &frame));
    r->shot.canvas = frame->data_window;
    r->shot.matte = ip_calloc(IP_MAX(r->shot.count, 1), sizeof *r->shot.matte);
    r->shot.shadow = ip_calloc(IP_MAX(r->shot.count, 1), sizeof *r->shot.shadow);
    for (*middle = 0; *middle < r->shot.count && r->shot.numbers[*middle] != number;)
        ++*middle;
    return r->shot.matte && r->shot.shadow ? IPOS_OK : IPOS_ERR_NO_MEMORY;
}

size_t iw_crop_bytes(void) {
    return (size_t)IW_CROP * IW_CROP * PLANES * sizeof(float);
}

static double hole_in(const ip_wire_tile *tile, int x0, int y0, int width, int height) {
    double sum = 0;
    for (int y = y0; y < y0 + height; y++)
        for (int x = x0; x < x0 + width; x++)
            sum += ip_row(&tile->hole, y)[x] > 0;
    return sum;
}

static ipos_status cut(const ip_wire_tile *tile, const ip_image3 *truth, int x0, int y0, int width, int height, iw_crop *out) {
    size_t plane = (size_t)width * (size_t)height;
    const ip_plane_f *planes[PLANES];
    int n = 0;
    for (int k = 0; k < IP_WIRE_SLOTS; k++)
        for (int c = 0; c < 3; c++)
            planes[n++] = &tile->slot[k].c[c];
    for (int k = 0; k < IP_WIRE_SLOTS; k++)
        planes[n++] = &tile->logit[k];
    for (int k = 0; k < IP_WIRE_SIDES; k++)
        planes[n++] = &tile->side[k];
    for (int c = 0; c < 3; c++)
        planes[n++] = &truth->c[c];
    for (int c = 0; c < 3; c++)
        planes[n++] = &tile->colour.c[c];
    planes[n] = &tile->hole;
    out->store = ip_alloc(plane * PLANES * sizeof *out->store);
    if (!out->store)
        return IPOS_ERR_NO_MEMORY;
    out->width = width;
    out->height = height;
    for (int i = 0; i < PLANES; i++)
        for (int y = 0; y < height; y++)
            memcpy(out->store + ((size_t)i * (size_t)height + (size_t)y) * (size_t)width, ip_row(planes[i], y0 + y) + x0, (size_t)width * sizeof(float));
    return IPOS_OK;
}

/* The part of a tile with most hole, of a few places. */
static ipos_status take_tile(rehearsal *r, size_t middle, const ip_wire_tile *tile, ip_rng *rng, iw_crop *out, bool *taken) {
    int width = IP_MIN(IW_CROP, tile->box.width), height = IP_MIN(IW_CROP, tile->box.height), best[2] = {0, 0};
    double most = -1;
    *taken = false;
    if (width < IP_FUSE_LEAST || height < IP_FUSE_LEAST)
        return IPOS_OK;
    for (int i = 0; i < 6; i++) {
        int x = (int)ip_rng_below(rng, tile->box.width - width + 1), y = (int)ip_rng_below(rng, tile->box.height - height + 1);
        double hole = hole_in(tile, x, y, width, height);
        if (hole > most) {
            most = hole;
            best[0] = x;
            best[1] = y;
        }
    }
    if (most < 60)
        return IPOS_OK;
    ipos_frame *frame;
    ip_image3 truth;
    IP_TRY(ip_clip_frame(r->shot.clip, r->shot.numbers[middle], &frame));
    IP_TRY(ip_image3_new(tile->box.width, tile->box.height, &truth));
    ipos_status status = ip_clip_colour(r->shot.clip, frame, r->shot.canvas, tile->box, &truth);
    if (status == IPOS_OK)
        status = cut(tile, &truth, best[0], best[1], width, height, out);
    ip_image3_free(&truth);
    *taken = status == IPOS_OK;
    return status;
}

ipos_status iw_rehearse(ip_clip *clip, size_t clip_index, int64_t number, int reach, ip_rng *rng, size_t most, ipos_status (*tick)(void *), void *user,
    iw_crop *crops, size_t *count) {
    rehearsal r;
    size_t middle = 0, tile_count = 0, begin = *count;
    ip_wire_tile *tiles = NULL;
    iw_fill *fill = NULL;
    ipos_status status = open_rehearsal(clip, number, reach, &r, &middle);
    r.shot.tick = tick;
    r.shot.user = user;
    const iw_holes holes = {.dilate = 1 + (int)ip_rng_below(rng, 2)};
    if (status == IPOS_OK)
        status = draw_mattes(&r, rng);
    if (status == IPOS_OK)
        status = iw_fill_open(&r.shot, &r.beside, &holes, reach, NULL, NULL, &fill);
    if (status == IPOS_OK)
        status = iw_fill_tiles(fill, middle, &tiles, &tile_count);
    size_t skip = tile_count > most ? tile_count - most : 0;
    for (size_t i = 0; i < tile_count && *count - begin < most && status == IPOS_OK; i++) {
        if (skip && ip_rng_below(rng, (int64_t)(tile_count - i)) < (int64_t)skip) {
            skip--;
            continue;
        }
        bool taken;
        status = take_tile(&r, middle, &tiles[i], rng, &crops[*count], &taken);
        crops[*count].clip = clip_index;
        *count += taken;
    }
    ip_wire_tiles_free(tiles, tile_count);
    iw_fill_close(fill);
    rehearsal_free(&r);
    return status;
}

void iw_crop_example(const iw_crop *crop, ip_fuse_example *out) {
    size_t plane = (size_t)crop->width * (size_t)crop->height;
    const float *at = crop->store;
    *out = (ip_fuse_example){.group = (int32_t)crop->clip};
    out->input.width = crop->width;
    out->input.height = crop->height;
    out->input.stride = crop->width;
    for (int k = 0; k < IP_WIRE_SLOTS; k++)
        for (int c = 0; c < 3; c++, at += plane)
            out->input.candidate[k][c] = at;
    for (int k = 0; k < IP_WIRE_SLOTS; k++, at += plane)
        out->input.logit[k] = at;
    for (int k = 0; k < IP_WIRE_SIDES; k++, at += plane)
        out->input.side[k] = at;
    for (int c = 0; c < 3; c++, at += plane)
        out->target[c] = at;
}

void iw_crop_hide(iw_crop *crop) {
    size_t plane = (size_t)crop->width * (size_t)crop->height;
    float *truth = crop->store + TRUTH * plane;
    const float *hole = truth + 6 * plane;
    for (int c = 0; c < 3; c++)
        for (size_t i = 0; i < plane; i++)
            if (!(hole[i] > 0))
                truth[(size_t)c * plane + i] = NAN;
}

void iw_crop_score(const iw_crop *crop, const float *picture, double *classical, double *made) {
    size_t plane = (size_t)crop->width * (size_t)crop->height;
    const float *truth = crop->store + TRUTH * plane, *plain = truth + 3 * plane, *hole = plain + 3 * plane;
    double sums[2] = {0, 0}, count = 0;
    for (int c = 0; c < 3; c++)
        for (size_t i = 0; i < plane; i++) {
            double a = (double)plain[(size_t)c * plane + i] - (double)truth[(size_t)c * plane + i];
            double b = (double)picture[(size_t)c * plane + i] - (double)truth[(size_t)c * plane + i];
            if (!(hole[i] > 0) || !isfinite(a) || !isfinite(b))
                continue;
            sums[0] += a * a;
            sums[1] += b * b;
            count++;
        }
    *classical = -10 * log10(fmax(sums[0] / fmax(count, 1), 1e-10));
    *made = -10 * log10(fmax(sums[1] / fmax(count, 1), 1e-10));
}
