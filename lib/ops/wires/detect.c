/* How likely each pixel of a plate shows a wire: the network's answer, or ridges where there is none, or both on a single frame. */
#include "wires_op.h"

#include "ridge.h"
#include <math.h>

static ipos_status by_network(iw_shot *shot, size_t index, const ip_image3 *plate, ip_box_i box, const ip_plane_f *prompt, ip_plane_f *out) {
    size_t pixels = (size_t)box.width * (size_t)box.height;
    float *room = ip_alloc(2 * pixels * sizeof *room);
    if (!room)
        return IPOS_ERR_NO_MEMORY;
    ip_wire_view view = {.width = box.width, .height = box.height, .stride = plate->c[0].stride};
    for (int c = 0; c < 3; c++)
        view.plane[c] = ip_row(&plate->c[c], box.y) + box.x;
    /* rows of one view lie equally far apart */
    ip_plane_f planes[2] = {0};
    ipos_status status = ip_planes_new((int)view.stride, box.height, planes, 2);
    if (status == IPOS_OK)
        status = iw_shot_passing(shot, index, box, &planes[1]);
    for (int y = 0; prompt && status == IPOS_OK && y < box.height; y++)
        memcpy(ip_row(&planes[0], y), ip_row(prompt, y), (size_t)box.width * sizeof(float));
    view.plane[3] = prompt ? planes[0].data : NULL;
    view.plane[4] = planes[1].data;
    if (status == IPOS_OK)
        status = ip_wire_net_run(shot->net, &view, shot->tick, shot->user, room);
    for (int y = 0; y < box.height && status == IPOS_OK; y++)
        memcpy(ip_row(out, y), room + (size_t)y * (size_t)box.width, (size_t)box.width * sizeof *room);
    ip_planes_free(planes, 2);
    ip_free(room);
    return status;
}

static ipos_status by_ridges(iw_shot *shot, size_t index, const ip_image3 *plate, ip_box_i box, const ip_plane_f *prompt, ip_plane_f *out) {
    enum { MARGIN = 12 };
    static const float half = .05f;
    int x0 = IP_MAX(0, box.x - MARGIN), y0 = IP_MAX(0, box.y - MARGIN);
    ip_box_i wide = {x0, y0, IP_MIN(plate->c[0].width, box.x + box.width + MARGIN) - x0,
        IP_MIN(plate->c[0].height, box.y + box.height + MARGIN) - y0};
    ip_image3 part;
    for (int c = 0; c < 3; c++)
        part.c[c] = ip_plane_part(&plate->c[c], wide);
    ip_plane_f look[2], ridges[2] = {0}; /* of the picture itself and of what passes before the scene */
    IP_TRY(ip_planes_new(wide.width, wide.height, look, 2));
    ip_luma(&part, -1, 2, &look[0], shot->host->threads);
    ipos_status status = iw_shot_difference(shot, index, wide, &look[1]);
    for (int i = 0; i < 2 && status == IPOS_OK; i++)
        status = ip_ridges(&look[i], i ? .5f * half : half, shot->host->threads, &ridges[i]);
    for (int y = 0; y < box.height && status == IPOS_OK; y++)
        for (int x = 0; x < box.width; x++) {
            int row = box.y - y0 + y, column = box.x - x0 + x;
            ip_row(out, y)[x] = fmaxf(ip_row(&ridges[0], row)[column], ip_row(&ridges[1], row)[column]) * (prompt ? ip_row(prompt, y)[x] : 1);
        }
    ip_planes_free(look, 2);
    ip_planes_free(ridges, 2);
    return status;
}

/* Of a single frame nothing is known of what passes before the scene, which the network leans on: there it misses plain lines that stand out. */
static ipos_status with_ridges(iw_shot *shot, size_t index, const ip_image3 *plate, ip_box_i box, const ip_plane_f *prompt, ip_plane_f *out) {
    ip_plane_f ridges;
    IP_TRY(ip_plane_new(box.width, box.height, &ridges));
    ipos_status status = by_ridges(shot, index, plate, box, prompt, &ridges);
    if (status == IPOS_OK)
        ip_plane_max(out, &ridges);
    ip_plane_free(&ridges);
    return status;
}

ipos_status iw_detect(iw_shot *shot, size_t index, ip_box_i box, const ip_plane_f *prompt, ip_plane_f *out) {
    const ip_image3 *plate;
    IP_TRY(iw_shot_plate(shot, index, &plate));
    IP_TRY(ip_plane_new(box.width, box.height, out));
    ipos_status status = shot->net ? by_network(shot, index, plate, box, prompt, out) : by_ridges(shot, index, plate, box, prompt, out);
    if (shot->net && shot->count == 1 && status == IPOS_OK)
        status = with_ridges(shot, index, plate, box, prompt, out);
    if (status != IPOS_OK)
        ip_plane_free(out);
    return status;
}
