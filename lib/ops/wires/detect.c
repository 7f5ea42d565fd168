/* How likely each pixel of a plate shows a wire: the network's answer, or ridges where there is none. */
#include "wires_op.h"

#include "ridge.h"
#include <math.h>

static ipos_status by_network(iw_shot *shot, const ip_image3 *plate, ip_box_i box, const ip_plane_f *prompt, ip_plane_f *out) {
    size_t pixels = (size_t)box.width * (size_t)box.height;
    float *room = ip_alloc(2 * pixels * sizeof *room);
    if (!room)
        return IPOS_ERR_NO_MEMORY;
    ip_wire_view view = {.width = box.width, .height = box.height, .stride = plate->c[0].stride};
    for (int c = 0; c < 3; c++)
        view.plane[c] = ip_row(&plate->c[c], box.y) + box.x;
    float *planes = NULL;
    if (prompt) { /* rows of one view lie equally far apart */
        planes = ip_calloc((size_t)view.stride * (size_t)box.height, sizeof *planes);
        for (int y = 0; planes && y < box.height; y++)
            memcpy(planes + y * view.stride, ip_row(prompt, y), (size_t)box.width * sizeof *planes);
        view.plane[3] = planes;
    }
    ipos_status status = prompt && !planes ? IPOS_ERR_NO_MEMORY : ip_wire_net_run(shot->net, &view, shot->tick, shot->user, room);
    for (int y = 0; y < box.height && status == IPOS_OK; y++)
        memcpy(ip_row(out, y), room + (size_t)y * (size_t)box.width, (size_t)box.width * sizeof *room);
    ip_free(planes);
    ip_free(room);
    return status;
}

static ipos_status by_ridges(iw_shot *shot, const ip_image3 *plate, ip_box_i box, const ip_plane_f *prompt, ip_plane_f *out) {
    enum { MARGIN = 12 };
    static const float half = .05f;
    int x0 = IP_MAX(0, box.x - MARGIN), y0 = IP_MAX(0, box.y - MARGIN);
    ip_box_i wide = {x0, y0, IP_MIN(plate->c[0].width, box.x + box.width + MARGIN) - x0,
        IP_MIN(plate->c[0].height, box.y + box.height + MARGIN) - y0};
    ip_image3 part;
    for (int c = 0; c < 3; c++)
        part.c[c] = ip_plane_part(&plate->c[c], wide);
    ip_plane_f luma, ridges = {0};
    IP_TRY(ip_plane_new(wide.width, wide.height, &luma));
    ip_luma(&part, -1, 2, &luma, shot->host->threads);
    ipos_status status = ip_ridges(&luma, half, shot->host->threads, &ridges);
    for (int y = 0; y < box.height && status == IPOS_OK; y++)
        for (int x = 0; x < box.width; x++)
            ip_row(out, y)[x] = ip_row(&ridges, box.y - y0 + y)[box.x - x0 + x] * (prompt ? ip_row(prompt, y)[x] : 1);
    ip_plane_free(&luma);
    ip_plane_free(&ridges);
    return status;
}

ipos_status iw_detect(iw_shot *shot, size_t index, ip_box_i box, const ip_plane_f *prompt, ip_plane_f *out) {
    const ip_image3 *plate;
    IP_TRY(iw_shot_plate(shot, index, &plate));
    IP_TRY(ip_plane_new(box.width, box.height, out));
    ipos_status status = shot->net ? by_network(shot, plate, box, prompt, out) : by_ridges(shot, plate, box, prompt, out);
    if (status != IPOS_OK)
        ip_plane_free(out);
    return status;
}
