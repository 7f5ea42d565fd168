/* Where the camera does not move, neither does the plate, and a flow that says so only nearly moves it by tenths of a pixel from frame to
 * frame: edges then flicker. So a place that shows the same without any motion is taken as it stands, without resampling. */
#include "wire_fill_internal.h"

static const float AS_GOOD = 1.1f;  /* of a view's error by its flow */
static const float FARTHEST = 1.f;  /* pixels of motion that may yet be none */

bool ip_wire_may_be_still(const ip_wire_view *view) { return view->sequence == 0 && view->motion < FARTHEST; }

ipos_status ip_wire_still_open(const ip_wire_work *work, const ip_wire_view *view, ip_wire_view *still) {
    int w = work->box.width, h = work->box.height, left = work->box.x - view->from.x, top = work->box.y - view->from.y;
    *still = (ip_wire_view){.sequence = view->sequence, .index = view->index, .from = view->from, .motion = view->motion};
    IP_TRY(ip_planes_new(w, h, still->seen.c, 3));
    ipos_status status = ip_plane_new(w, h, &still->valid);
    if (status == IPOS_OK)
        status = ip_plane_new(w, h, &still->error);
    if (status != IPOS_OK) {
        ip_wire_view_close(still);
        return status;
    }
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            if (!(ip_row(&work->active, y)[x] > 0.f) || ip_row(&view->unsafe, y + top)[x + left] > 0.f)
                continue;
            for (int c = 0; c < 3; c++)
                ip_row(&still->seen.c[c], y)[x] = ip_row(&view->colour.c[c], y + top)[x + left];
            ip_row(&still->valid, y)[x] = 1.f;
        }
    return IPOS_OK;
}

ipos_status ip_wire_still(const ip_wire_work *work, ip_wire_view *view) {
    ip_wire_view still;
    if (!ip_wire_may_be_still(view))
        return IPOS_OK;
    IP_TRY(ip_wire_still_open(work, view, &still));
    ipos_status status = ip_wire_judge(work, &still);
    for (int y = 0; y < work->box.height && status == IPOS_OK; y++)
        for (int x = 0; x < work->box.width; x++) {
            float error = ip_row(&still.error, y)[x];
            if (!(ip_row(&still.valid, y)[x] > 0.f) || (ip_row(&view->valid, y)[x] > 0.f && error > AS_GOOD * ip_row(&view->error, y)[x]))
                continue;
            for (int c = 0; c < 3; c++)
                ip_row(&view->seen.c[c], y)[x] = ip_row(&still.seen.c[c], y)[x];
            ip_row(&view->error, y)[x] = error;
            ip_row(&view->valid, y)[x] = 1.f;
        }
    ip_wire_view_close(&still);
    return status;
}
