#include "register.h"
#include "flow.h"
#include "gauss.h"
#include <math.h>

static const float AGREE = .5f, FLOOR = .02f;
static const float DIFFER_MOST = .3f * 46.f * 46.f; /* mean square around a place; pictures of different things differ by 2 */

ipos_status ip_register_normal(const ip_look_source *source, const ip_plane_f *from, ip_plane_f *out) {
    IP_TRY(ip_plane_new(from->width, from->height, out));
    IP_TRY(ip_local_normal(from, 8., FLOOR, out, source->threads));
    for (int y = 0; y < out->height; y++)
        for (int x = 0; x < out->width; x++)
            ip_row(out, y)[x] = 127.5f + 46.f * fmaxf(-2.7f, fminf(2.7f, ip_row(out, y)[x]));
    return IPOS_OK;
}

static void compare(const ip_plane_f forward[2], const ip_plane_f backward[2], const ip_plane_f *agreed) {
    int w = agreed->width, h = agreed->height;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            float u = ip_row(&forward[0], y)[x], v = ip_row(&forward[1], y)[x], tx = (float)x + u, ty = (float)y + v;
            bool inside = tx >= 0.f && ty >= 0.f && tx <= (float)(w - 1) && ty <= (float)(h - 1);
            float du = inside ? u + ip_sample_linear(&backward[0], tx, ty) : 1e9f, dv = inside ? v + ip_sample_linear(&backward[1], tx, ty) : 1e9f;
            ip_row(agreed, y)[x] = inside && du * du + dv * dv < AGREE * AGREE ? 1.f : 0.f;
        }
}

/* Takes out what does not look alike: flow finds its way between any two pictures. */
static ipos_status compare_pictures(const ip_plane_f n[2], const ip_plane_f flow[2], const ip_plane_f *agreed, int threads) {
    ip_plane_f part[2];
    IP_TRY(ip_planes_new(agreed->width, agreed->height, part, 2));
    for (int y = 0; y < agreed->height; y++)
        for (int x = 0; x < agreed->width; x++) {
            float d = ip_sample_linear(&n[1], (float)x + ip_row(&flow[0], y)[x], (float)y + ip_row(&flow[1], y)[x]) - ip_row(&n[0], y)[x];
            ip_row(&part[0], y)[x] = d * d;
        }
    ip_gauss_blur(&part[0], &part[0], &part[1], 3., threads);
    for (int y = 0; y < agreed->height; y++)
        for (int x = 0; x < agreed->width; x++)
            if (!(ip_row(&part[0], y)[x] < DIFFER_MOST))
                ip_row(agreed, y)[x] = 0.f;
    ip_planes_free(part, 2);
    return IPOS_OK;
}

ipos_status ip_register(const ip_look_source *source, const ip_plane_f *a, const ip_plane_f *b, ip_registration *out) {
    *out = (ip_registration){0};
    ip_plane_f n[2] = {0}, backward[2] = {0};
    const ip_flow_options options = {.finest = 1, .threads = source->threads, .pulse = source->pulse};
    ipos_status status = ip_register_normal(source, a, &n[0]);
    if (status == IPOS_OK)
        status = ip_register_normal(source, b, &n[1]);
    if (status == IPOS_OK)
        status = ip_flow(&n[0], &n[1], &options, out->flow);
    if (status == IPOS_OK)
        status = ip_flow(&n[1], &n[0], &options, backward);
    if (status == IPOS_OK)
        status = ip_plane_new(a->width, a->height, &out->agreed);
    if (status == IPOS_OK) {
        compare(out->flow, backward, &out->agreed);
        status = compare_pictures(n, out->flow, &out->agreed, source->threads);
    }
    ip_planes_free(n, 2);
    ip_planes_free(backward, 2);
    if (status != IPOS_OK)
        ip_registration_free(out);
    return status;
}

static void inside_only(const ip_plane_f flow[2], const ip_plane_f *agreed) {
    for (int y = 0; y < agreed->height; y++)
        for (int x = 0; x < agreed->width; x++) {
            float tx = (float)x + ip_row(&flow[0], y)[x], ty = (float)y + ip_row(&flow[1], y)[x];
            ip_row(agreed, y)[x] = tx >= 0.f && ty >= 0.f && tx <= (float)(agreed->width - 1) && ty <= (float)(agreed->height - 1) ? 1.f : 0.f;
        }
}

ipos_status ip_register_quick(const ip_look_source *source, const ip_plane_f *a, const ip_plane_f *b, const ip_plane_f look[2], int finest,
    ip_registration *out) {
    *out = (ip_registration){0};
    const ip_flow_options options = {.finest = finest, .threads = source->threads, .pulse = source->pulse};
    ipos_status status = ip_flow(a, b, &options, out->flow);
    if (status == IPOS_OK)
        status = ip_plane_new(a->width, a->height, &out->agreed);
    if (status == IPOS_OK) {
        inside_only(out->flow, &out->agreed);
        status = compare_pictures(look, out->flow, &out->agreed, source->threads);
    }
    if (status != IPOS_OK)
        ip_registration_free(out);
    return status;
}

void ip_registration_free(ip_registration *registration) {
    ip_planes_free(registration->flow, 2);
    ip_plane_free(&registration->agreed);
}
