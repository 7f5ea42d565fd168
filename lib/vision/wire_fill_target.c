#include "wire_fill_internal.h"

enum { PAD = 8, NEAR = 16 };

/* Brightness of the frame, in the hole of what the views have in common. */
static void paint(const ip_wire_work *work, const ip_wire_view *views, size_t count, ip_wire_target *out) {
    for (int y = 0; y < out->height; y++)
        for (int x = 0; x < out->width; x++) {
            float *k = &ip_row(&out->weight, y + PAD)[x + PAD], *luma = &ip_row(&out->luma, y + PAD)[x + PAD], mean[3];
            *luma = ip_row(&work->luma, y)[x];
            *k = ip_row(&work->known, y)[x] > 0.f && ip_row(&out->near, y)[x] > 0.f ? 1.f : 0.f;
            if (!(ip_row(&work->matte, y)[x] > 0.f) || !ip_wire_common(views, count, x, y, mean))
                continue;
            *k = .7f;
            float v = .2126f * mean[0] + .7152f * mean[1] + .0722f * mean[2];
            *luma = 255.f * IP_MAX(IP_WIRE_LOW, IP_MIN(IP_WIRE_HIGH, v));
        }
}

static void slopes(ip_wire_target *out) {
    for (int y = PAD; y < out->height + PAD; y++)
        for (int x = PAD; x < out->width + PAD; x++) {
            int l = IP_MAX(x - 1, PAD), r = IP_MIN(x + 1, out->width + PAD - 1), t = IP_MAX(y - 1, PAD), b = IP_MIN(y + 1, out->height + PAD - 1);
            ip_row(&out->gx, y)[x] = .5f * (ip_row(&out->luma, y)[r] - ip_row(&out->luma, y)[l]);
            ip_row(&out->gy, y)[x] = .5f * (ip_row(&out->luma, b)[x] - ip_row(&out->luma, t)[x]);
        }
}

ipos_status ip_wire_target_open(const ip_wire_work *work, const ip_wire_view *views, size_t count, ip_wire_target *out) {
    int w = work->box.width, h = work->box.height;
    memset(out, 0, sizeof *out);
    out->width = w;
    out->height = h;
    ip_plane_f *planes[] = {&out->luma, &out->weight, &out->gx, &out->gy};
    for (size_t i = 0; i < IP_COUNT(planes); i++)
        IP_TRY(ip_plane_new(w + 2 * PAD, h + 2 * PAD, planes[i]));
    IP_TRY(ip_plane_new(w, h, &out->near));
    ip_wire_distance(&work->matte, NEAR + 2.f, &out->near);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            ip_row(&out->near, y)[x] = ip_row(&out->near, y)[x] < NEAR ? 1.f : 0.f;
    paint(work, views, count, out);
    slopes(out);
    return IPOS_OK;
}

void ip_wire_target_close(ip_wire_target *target) {
    ip_plane_f *planes[] = {&target->luma, &target->weight, &target->gx, &target->gy, &target->near};
    for (size_t i = 0; i < IP_COUNT(planes); i++)
        ip_plane_free(planes[i]);
}
