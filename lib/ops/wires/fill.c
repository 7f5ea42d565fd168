#include "wires_fill.h"

#include <math.h>
#include <stdlib.h>

enum {
    KEPT = 3, /* fills at hand: of a frame and of those beside it */
    WHOLE = 7 /* reach from which on what the whole shot shows may be used */
};

struct iw_fill {
    iw_shot *shot;
    const iw_beside *beside;
    iw_holes holes;
    const ip_shot_grain *grain;
    const ip_fuse *fuse;
    size_t sequences, *counts;
    int64_t **numbers;  /* by sequence from 1 on */
    ip_wire_source source;
    ip_wire_fill *fill;
    ip_wire_filled kept[KEPT]; /* before they are steadied; at index % KEPT; index SIZE_MAX: none */
};

static ipos_status colour(void *user, size_t sequence, size_t index, ip_box_i box, const ip_image3 *to) {
    iw_fill *fill = user;
    ip_clip *clip = sequence ? &fill->beside->takes[sequence - 1] : fill->shot->clip;
    int64_t number = sequence ? fill->numbers[sequence][index] : fill->shot->numbers[index];
    ipos_frame *frame;
    IP_TRY(ip_clip_frame(clip, number, &frame));
    return ip_clip_colour(clip, frame, fill->shot->canvas, box, to);
}

/* What a person wants left alone is not replaced, though a wire before it is no background for other frames either; where only one frame
 * is given it holds for all. */
static ipos_status keep_out(const iw_fill *fill, size_t index, ip_box_i box, const ip_plane_f *hole) {
    ip_clip *clip = fill->beside->holdout;
    ipos_frame *frame = NULL;
    ip_plane_f kept;
    if (!clip)
        return IPOS_OK;
    ipos_status status = ip_clip_frame_or_only(clip, fill->shot->numbers[index], &frame);
    if (status == IPOS_ERR_NOT_FOUND || status == IPOS_ERR_ARGUMENT)
        return IPOS_OK;
    IP_TRY(status);
    IP_TRY(ip_plane_new(box.width, box.height, &kept));
    status = ip_clip_grey(frame, fill->shot->canvas, box, &kept);
    for (int y = 0; y < box.height && status == IPOS_OK; y++)
        for (int x = 0; x < box.width; x++)
            if (ip_row(&kept, y)[x] > .5f)
                ip_row(hole, y)[x] = 0;
    ip_plane_free(&kept);
    return status;
}

static ipos_status holes_of(const iw_fill *fill, size_t index, ip_box_i box, const ip_plane_f *to) {
    ip_plane_f more;
    iw_matte_hole(&fill->shot->matte[index], fill->holes.dilate, box, to);
    if (!fill->shot->shadow[index].alpha)
        return IPOS_OK;
    IP_TRY(ip_plane_new(box.width, box.height, &more));
    iw_matte_hole(&fill->shot->shadow[index], fill->holes.dilate, box, &more);
    ip_plane_max(to, &more);
    ip_plane_free(&more);
    return IPOS_OK;
}

static bool is_test(const iw_fill *fill) {
    return fill->holes.shift_x || fill->holes.shift_y;
}

/* For a test, holes beside the wires join the wires' own. */
static ipos_status add_shifted(const iw_fill *fill, size_t index, ip_box_i box, const ip_plane_f *to) {
    ip_plane_f moved;
    ip_box_i from = {box.x - fill->holes.shift_x, box.y - fill->holes.shift_y, box.width, box.height};
    IP_TRY(ip_plane_new(box.width, box.height, &moved));
    ipos_status status = holes_of(fill, index, from, &moved);
    ip_plane_max(to, &moved);
    ip_plane_free(&moved);
    return status;
}

static ipos_status matte(void *user, size_t sequence, size_t index, ip_box_i box, const ip_plane_f *to) {
    iw_fill *fill = user;
    if (sequence) {
        for (int y = 0; y < box.height; y++)
            memset(ip_row(to, y), 0, (size_t)box.width * sizeof(float));
        return IPOS_OK;
    }
    IP_TRY(holes_of(fill, index, box, to));
    return is_test(fill) ? add_shifted(fill, index, box, to) : IPOS_OK;
}

static ipos_status tick(void *user) {
    iw_fill *fill = user;
    return fill->shot->tick ? fill->shot->tick(fill->shot->user) : IPOS_OK;
}

static ipos_status list_takes(iw_fill *fill) {
    for (size_t i = 0; i < fill->beside->take_count; i++) {
        const ip_op_clip *clip = fill->beside->takes[i].clip;
        ipos_frame *frame;
        IP_TRY(ip_clip_numbers(clip, clip->first, clip->last, &fill->numbers[i + 1], &fill->counts[i + 1]));
        if (!fill->counts[i + 1])
            continue;
        IP_TRY(ip_clip_frame(&fill->beside->takes[i], fill->numbers[i + 1][0], &frame));
        ipos_box data = frame->data_window, canvas = fill->shot->canvas;
        if (data.width != canvas.width || data.height != canvas.height)
            return ip_fail(IPOS_ERR_ARGUMENT, "%s: clip %s is %dx%d, the shot %dx%d: give takes of one size", clip->role, clip->name, data.width,
                data.height, canvas.width, canvas.height);
    }
    return IPOS_OK;
}

ipos_status iw_fill_open(iw_shot *shot, const iw_beside *beside, const iw_holes *holes, int reach, const ip_shot_grain *grain, const ip_fuse *fuse,
    iw_fill **out) {
    *out = NULL;
    iw_fill *fill = ip_calloc(1, sizeof *fill);
    if (!fill)
        return IPOS_ERR_NO_MEMORY;
    *fill = (iw_fill){.shot = shot, .beside = beside, .holes = *holes, .grain = grain, .fuse = fuse, .sequences = beside->take_count + 1};
    for (size_t i = 0; i < KEPT; i++)
        fill->kept[i].index = SIZE_MAX;
    fill->counts = ip_calloc(fill->sequences, sizeof *fill->counts);
    fill->numbers = ip_calloc(fill->sequences, sizeof *fill->numbers);
    ipos_status status = fill->counts && fill->numbers ? list_takes(fill) : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK) {
        fill->counts[0] = shot->count;
        fill->source = (ip_wire_source){.user = fill, .width = shot->canvas.width, .height = shot->canvas.height, .count = fill->counts,
            .sequences = fill->sequences, .colour = colour, .matte = matte, .tick = tick, .threads = shot->host->threads};
        const ip_wire_fill_options options = {.reach = reach, .held = !is_test(fill) && reach >= WHOLE, .covered = is_test(fill),
            .grain = grain && !grain->grain.measurable, .seed = grain ? grain->seed : 0};
        status = ip_wire_fill_open(&fill->source, &options, &fill->fill);
    }
    if (status != IPOS_OK) {
        iw_fill_close(fill);
        return status;
    }
    *out = fill;
    return IPOS_OK;
}

void iw_fill_close(iw_fill *fill) {
    if (!fill)
        return;
    ip_wire_fill_close(fill->fill);
    for (size_t i = 0; i < KEPT; i++)
        ip_wire_tiles_free(fill->kept[i].tiles, fill->kept[i].count);
    for (size_t i = 0; fill->numbers && i < fill->sequences; i++)
        ip_free(fill->numbers[i]);
    ip_free(fill->numbers);
    ip_free(fill->counts);
    ip_free(fill);
}

void iw_fuse_input(const ip_wire_tile *tile, ip_fuse_input *out) {
    _Static_assert((int)IP_FUSE_CANDIDATES == (int)IP_WIRE_SLOTS && (int)IP_FUSE_SIDES == (int)IP_WIRE_SIDES, "the network sees what a tile holds");
    *out = (ip_fuse_input){.width = tile->box.width, .height = tile->box.height, .stride = tile->hole.stride};
    for (int k = 0; k < IP_WIRE_SLOTS; k++) {
        for (int c = 0; c < 3; c++)
            out->candidate[k][c] = tile->slot[k].c[c].data;
        out->logit[k] = tile->logit[k].data;
    }
    for (int k = 0; k < IP_WIRE_SIDES; k++)
        out->side[k] = tile->side[k].data;
}

/* The network's picture in place of the classical one; packed planes take the tile's own rows. */
static ipos_status correct(const iw_fill *fill, ip_wire_tile *tile) {
    size_t plane = (size_t)tile->box.width * (size_t)tile->box.height;
    float *room = ip_alloc(3 * plane * sizeof *room);
    if (!room)
        return IPOS_ERR_NO_MEMORY;
    ip_fuse_input input;
    iw_fuse_input(tile, &input);
    ip_fuse_output output = {.picture = {room, room + plane, room + 2 * plane}};
    ip_fuse_limits limits = {.cancel = fill->shot->host->cancel};
    ipos_status status = ip_fuse_forward(fill->fuse, &input, &limits, &output);
    for (int c = 0; c < 3 && status == IPOS_OK; c++)
        for (int y = 0; y < tile->box.height; y++)
            for (int x = 0; x < tile->box.width; x++) {
                float value = output.picture[c][(size_t)y * (size_t)tile->box.width + (size_t)x];
                if (ip_row(&tile->hole, y)[x] > 0 && isfinite(value))
                    ip_row(&tile->colour.c[c], y)[x] = value;
            }
    ip_free(room);
    return status;
}

ipos_status iw_fill_tiles(iw_fill *fill, size_t index, ip_wire_tile **tiles, size_t *count) {
    IP_TRY(ip_wire_fill_frame(fill->fill, index, tiles, count));
    ipos_status status = IPOS_OK;
    for (size_t i = 0; fill->fuse && i < *count && status == IPOS_OK; i++)
        status = correct(fill, &(*tiles)[i]);
    for (size_t i = 0; i < *count && status == IPOS_OK; i++)
        status = keep_out(fill, index, (*tiles)[i].box, &(*tiles)[i].hole);
    if (status != IPOS_OK) {
        ip_wire_tiles_free(*tiles, *count);
        *tiles = NULL;
        *count = 0;
    }
    return status;
}

/* The fill of a frame as it is made, kept until the frames beside it have been steadied. */
static ipos_status filled_at(iw_fill *fill, size_t index, const ip_wire_filled **out) {
    ip_wire_filled *at = &fill->kept[index % KEPT];
    *out = at;
    if (at->index == index)
        return IPOS_OK;
    ip_wire_tiles_free(at->tiles, at->count);
    *at = (ip_wire_filled){.index = SIZE_MAX};
    IP_TRY(iw_fill_tiles(fill, index, &at->tiles, &at->count));
    ip_wire_tiles_slim(at->tiles, at->count);
    at->index = index;
    return IPOS_OK;
}

static ipos_status steadied_at(iw_fill *fill, size_t index, const ip_wire_filled **here, ip_wire_steadied **out) {
    ip_wire_filled beside[2];
    size_t count = 0;
    IP_TRY(filled_at(fill, index, here));
    for (int way = -1; way <= 1; way += 2) {
        size_t other = index + (size_t)way;
        const ip_wire_filled *filled;
        if (other >= fill->shot->count || !(*here)->count)
            continue;
        IP_TRY(filled_at(fill, other, &filled));
        beside[count++] = *filled;
    }
    return ip_wire_steady(fill->fill, *here, beside, count, out);
}

static ipos_status add_grain(const iw_fill *fill, size_t index, const ip_wire_tile *tile, ip_wire_steadied *to) {
    if (fill->grain && fill->grain->grain.measurable) {
        const ip_grain_add_options options = {.seed = fill->grain->seed, .frame = fill->shot->numbers[index], .x = tile->box.x, .y = tile->box.y,
            .missing = &to->lacking, .threads = fill->shot->host->threads};
        IP_TRY(ip_grain_missing(&fill->grain->grain, &to->colour, NULL, &tile->hole, fill->shot->host->threads, &to->lacking));
        return ip_grain_add(&fill->grain->grain, &fill->grain->kernel, &options, &to->colour);
    }
    for (int c = 0; c < 3 && tile->grain.c[0].data; c++)
        for (int y = 0; y < tile->box.height; y++)
            for (int x = 0; x < tile->box.width; x++)
                if (ip_row(&tile->hole, y)[x] > 0)
                    ip_row(&to->colour.c[c], y)[x] += ip_row(&tile->grain.c[c], y)[x] *
                        sqrtf(ip_row(&to->lacking, y)[x] / fmaxf(ip_row(&tile->lacking, y)[x], .25f)); /* made for what one fill lacks */
    return IPOS_OK;
}

ipos_status iw_fill_picture(iw_fill *fill, size_t index, ipos_frame *picture, ip_plane_f *evidence, ip_plane_f *confidence, double *confidence_mean) {
    const ip_wire_filled *here;
    ip_wire_steadied *steadied;
    double sum = 0, pixels = 0;
    IP_TRY(steadied_at(fill, index, &here, &steadied));
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < here->count && status == IPOS_OK; i++) {
        const ip_wire_tile *tile = &here->tiles[i];
        status = add_grain(fill, index, tile, &steadied[i]);
        if (status == IPOS_OK)
            status = ip_clip_put_colour(fill->shot->clip, picture, fill->shot->canvas, tile->box, &steadied[i].colour, &tile->hole);
        for (int y = 0; y < tile->box.height; y++)
            for (int x = 0; x < tile->box.width; x++) {
                if (!(ip_row(&tile->hole, y)[x] > 0))
                    continue;
                sum += ip_row(&tile->confidence, y)[x];
                pixels++;
                if (evidence) {
                    ip_row(evidence, tile->box.y + y)[tile->box.x + x] = ip_row(&tile->evidence, y)[x];
                    ip_row(confidence, tile->box.y + y)[tile->box.x + x] = ip_row(&tile->confidence, y)[x];
                }
            }
    }
    *confidence_mean = pixels > 0 ? sum / pixels : 1;
    ip_wire_steadied_free(steadied, here->count);
    return status;
}

static ipos_status tile_error(const iw_fill *fill, size_t index, const ip_wire_tile *tile, double *sum, double *count) {
    ip_plane_f own;
    ip_image3 truth;
    IP_TRY(ip_plane_new(tile->box.width, tile->box.height, &own));
    ipos_status status = ip_image3_new(tile->box.width, tile->box.height, &truth);
    iw_matte_hole(&fill->shot->matte[index], fill->holes.dilate + 3, tile->box, &own);
    if (status == IPOS_OK)
        status = colour((void *)fill, 0, index, tile->box, &truth);
    for (int y = 0; y < tile->box.height && status == IPOS_OK; y++)
        for (int x = 0; x < tile->box.width; x++) {
            if (!(ip_row(&tile->hole, y)[x] > 0) || ip_row(&own, y)[x] > 0)
                continue;
            for (int c = 0; c < 3; c++) {
                double d = (double)ip_row(&tile->colour.c[c], y)[x] - (double)ip_row(&truth.c[c], y)[x];
                *sum += isfinite(d) ? d * d : 0;
                *count += isfinite(d);
            }
        }
    ip_plane_free(&own);
    ip_image3_free(&truth);
    return status;
}

ipos_status iw_fill_error(iw_fill *fill, size_t index, double *sum, double *count) {
    ip_wire_tile *tiles;
    size_t tile_count;
    IP_TRY(iw_fill_tiles(fill, index, &tiles, &tile_count));
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < tile_count && status == IPOS_OK; i++)
        status = tile_error(fill, index, &tiles[i], sum, count);
    ip_wire_tiles_free(tiles, tile_count);
    return status;
}
