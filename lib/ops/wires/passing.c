/* What passes before the scene on the plates of a shot or of a clip that is learnt from. */
#include "wires_op.h"

#include "passing.h"
#include <math.h>

enum { NEIGHBOURS = 6 };

static ipos_status luma_of(const ip_image3 *plate, int threads, ip_plane_f *out) {
    IP_TRY(ip_plane_new(plate->c[0].width, plate->c[0].height, out));
    ip_luma(plate, -1, 2, out, threads);
    return IPOS_OK;
}

/* The nearest frames first, one before, one behind, while there are some. */
static size_t nearest(size_t index, size_t count, size_t beside[NEIGHBOURS]) {
    size_t found = 0;
    for (size_t away = 1; away < count && found < NEIGHBOURS; away++) {
        if (index >= away)
            beside[found++] = index - away;
        if (index + away < count && found < NEIGHBOURS)
            beside[found++] = index + away;
    }
    return found;
}

static ipos_status difference(iw_shot *shot, size_t index, ip_plane_f *out) {
    size_t beside[NEIGHBOURS], count = nearest(index, shot->count, beside);
    ip_plane_f lumas[NEIGHBOURS + 1] = {0};
    const ip_image3 *plate;
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i <= count && status == IPOS_OK; i++) {
        status = iw_shot_plate(shot, i < count ? beside[i] : index, &plate);
        if (status == IPOS_OK)
            status = luma_of(plate, shot->host->threads, &lumas[i]);
    }
    if (status == IPOS_OK)
        status = ip_plane_new(lumas[count].width, lumas[count].height, out);
    if (status == IPOS_OK)
        status = ip_passing(&lumas[count], lumas, count, shot->host->threads, out);
    ip_planes_free(lumas, count + 1);
    return status;
}

static ipos_status keep(iw_shot *shot, size_t index, size_t slot) {
    ip_plane_f plane = {0};
    IP_TRY(shot->tick ? shot->tick(shot->user) : IPOS_OK);
    ipos_status status = difference(shot, index, &plane);
    uint8_t *bytes = status == IPOS_OK ? ip_alloc((size_t)plane.width * (size_t)plane.height) : NULL;
    for (int y = 0; bytes && y < plane.height; y++)
        for (int x = 0; x < plane.width; x++)
            bytes[(size_t)y * (size_t)plane.width + (size_t)x] = (uint8_t)lrintf(254 * ip_wire_passing(ip_row(&plane, y)[x]));
    ip_free(shot->passing[slot].bytes);
    shot->passing[slot].bytes = bytes;
    shot->passing[slot].index = index;
    shot->passing[slot].width = plane.width;
    shot->passing[slot].used = bytes ? ++shot->clock : 0;
    ip_plane_free(&plane);
    return status == IPOS_OK && !bytes ? IPOS_ERR_NO_MEMORY : status;
}

ipos_status iw_shot_passing(iw_shot *shot, size_t index, ip_box_i box, ip_plane_f *out) {
    size_t slot = 0;
    while (slot < IP_COUNT(shot->passing) && !(shot->passing[slot].used && shot->passing[slot].index == index))
        slot++;
    if (slot == IP_COUNT(shot->passing)) {
        slot = 0;
        for (size_t i = 1; i < IP_COUNT(shot->passing); i++)
            if (shot->passing[i].used < shot->passing[slot].used)
                slot = i;
        IP_TRY(keep(shot, index, slot));
    }
    shot->passing[slot].used = ++shot->clock;
    for (int y = 0; y < box.height; y++) {
        const uint8_t *row = shot->passing[slot].bytes + (size_t)(box.y + y) * (size_t)shot->passing[slot].width + (size_t)box.x;
        for (int x = 0; x < box.width; x++)
            ip_row(out, y)[x] = (float)row[x] / 254;
    }
    return IPOS_OK;
}

ipos_status iw_shot_difference(iw_shot *shot, size_t index, ip_box_i box, ip_plane_f *out) {
    IP_TRY(iw_shot_passing(shot, index, box, out));
    for (int y = 0; y < box.height; y++)
        for (int x = 0; x < box.width; x++)
            ip_row(out, y)[x] = (ip_row(out, y)[x] - .5f) / 4;
    return IPOS_OK;
}

void iw_shot_passing_free(iw_shot *shot) {
    for (size_t i = 0; i < IP_COUNT(shot->passing); i++)
        ip_free(shot->passing[i].bytes);
}

ipos_status iw_clip_passing(ip_clip *clip, int64_t number, ipos_box canvas, int scale, iw_stretch stretch, const ip_image3 *plate, int threads,
    ip_plane_f *out) {
    ip_plane_f lumas[NEIGHBOURS] = {0}, luma = {0};
    size_t count = 0;
    *out = (ip_plane_f){0};
    ipos_status status = luma_of(plate, threads, &luma);
    for (int64_t away = 1; away <= NEIGHBOURS / 2 && status == IPOS_OK; away++)
        for (int way = -1; way <= 1 && status == IPOS_OK; way += 2) {
            ipos_frame *frame;
            ip_image3 beside;
            status = ip_clip_frame(clip, number + way * away, &frame);
            if (status == IPOS_ERR_NOT_FOUND || (status == IPOS_OK && memcmp(&frame->data_window, &canvas, sizeof canvas) != 0)) {
                status = IPOS_OK;
                continue;
            }
            if (status == IPOS_OK)
                status = iw_plate_make(clip, frame, canvas, scale, stretch, &beside);
            if (status != IPOS_OK)
                break;
            status = luma_of(&beside, threads, &lumas[count++]);
            ip_image3_free(&beside);
        }
    if (status == IPOS_OK)
        status = ip_plane_new(luma.width, luma.height, out);
    if (status == IPOS_OK)
        status = ip_passing(&luma, lumas, count, threads, out);
    ip_planes_free(lumas, count);
    ip_plane_free(&luma);
    return status;
}
