/* Mattes over a part of the picture. */
#include "wires_op.h"

#include <math.h>

void iw_matte_free(iw_matte *matte) {
    ip_free(matte->alpha);
    *matte = (iw_matte){0};
}

static ip_box_i box_union(ip_box_i a, ip_box_i b) {
    int x = IP_MIN(a.x, b.x), y = IP_MIN(a.y, b.y);
    return (ip_box_i){x, y, IP_MAX(a.x + a.width, b.x + b.width) - x, IP_MAX(a.y + a.height, b.y + b.height) - y};
}

ipos_status iw_matte_join(iw_matte *matte, ip_box_i box, const ip_plane_f *plane) {
    ip_box_i all = matte->alpha ? box_union(matte->box, box) : box;
    uint8_t *alpha = matte->alpha;
    if (!alpha || memcmp(&all, &matte->box, sizeof all) != 0) {
        alpha = ip_calloc((size_t)all.width * (size_t)all.height, 1);
        if (!alpha)
            return IPOS_ERR_NO_MEMORY;
        for (int y = 0; matte->alpha && y < matte->box.height; y++)
            memcpy(alpha + (size_t)(matte->box.y - all.y + y) * (size_t)all.width + (matte->box.x - all.x),
                matte->alpha + (size_t)y * (size_t)matte->box.width, (size_t)matte->box.width);
        ip_free(matte->alpha);
        *matte = (iw_matte){all, alpha};
    }
    for (int y = 0; y < box.height; y++) {
        uint8_t *line = alpha + (size_t)(box.y - all.y + y) * (size_t)all.width + (box.x - all.x);
        const float *from = ip_row(plane, y);
        for (int x = 0; x < box.width; x++) {
            uint8_t value = (uint8_t)lrintf(255 * fminf(fmaxf(from[x], 0), 1));
            line[x] = IP_MAX(line[x], value);
        }
    }
    return IPOS_OK;
}

/* Marks the disk of `dilate` around a pixel. */
static void spread(int cx, int cy, int dilate, const ip_plane_f *to) {
    for (int dy = -dilate; dy <= dilate; dy++) {
        int y = cy + dy, wide = (int)sqrtf((float)(dilate * dilate - dy * dy) + .5f);
        if (y < 0 || y >= to->height)
            continue;
        int left = IP_MAX(0, cx - wide), right = IP_MIN(to->width - 1, cx + wide);
        for (int x = left; x <= right; x++)
            ip_row(to, y)[x] = 1;
    }
}

void iw_matte_hole(const iw_matte *matte, int dilate, ip_box_i box, const ip_plane_f *to) {
    enum { INSIDE = 77 }; /* .3 of 255 */
    for (int y = 0; y < box.height; y++)
        memset(ip_row(to, y), 0, (size_t)box.width * sizeof(float));
    if (!matte->alpha)
        return;
    int left = IP_MAX(matte->box.x, box.x - dilate), right = IP_MIN(matte->box.x + matte->box.width, box.x + box.width + dilate);
    int top = IP_MAX(matte->box.y, box.y - dilate), bottom = IP_MIN(matte->box.y + matte->box.height, box.y + box.height + dilate);
    for (int y = top; y < bottom; y++) {
        const uint8_t *line = matte->alpha + (size_t)(y - matte->box.y) * (size_t)matte->box.width - matte->box.x;
        for (int x = left; x < right; x++)
            if (line[x] >= INSIDE)
                spread(x - box.x, y - box.y, dilate, to);
    }
}
