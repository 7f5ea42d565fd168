#include "wire_fill_internal.h"
#include <math.h>

enum { MEMBRANE_RADIUS = 4, ERROR_RADIUS = 4 };

static const float BLIND = 20.f / 255.f; /* added to the error where no ring pixel judges */

/* Difference of frame and view on the ring, 0 elsewhere; weight 1 where both are known. */
static void ring_difference(const ip_wire_work *work, const ip_wire_view *view, ip_plane_f difference[3], ip_plane_f *weight) {
    for (int y = 0; y < work->box.height; y++)
        for (int x = 0; x < work->box.width; x++) {
            bool both = ip_row(&view->valid, y)[x] > 0.f && ip_row(&work->known, y)[x] > 0.f && ip_row(&work->active, y)[x] > 0.f;
            ip_row(weight, y)[x] = both ? 1.f : 0.f;
            for (int c = 0; c < 3; c++)
                ip_row(&difference[c], y)[x] = both ? ip_row(&work->colour.c[c], y)[x] - ip_row(&view->seen.c[c], y)[x] : 0.f;
        }
}

/* Another take may be exposed otherwise: its contrast on the ring is given the frame's, channel by channel. */
static void match_contrast(const ip_wire_work *work, ip_wire_view *view, const ip_plane_f *weight) {
    for (int c = 0; c < 3; c++) {
        double n = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0;
        for (int y = 0; y < work->box.height; y++)
            for (int x = 0; x < work->box.width; x++) {
                if (!(ip_row(weight, y)[x] > 0.f))
                    continue;
                double here = ip_row(&work->colour.c[c], y)[x], there = ip_row(&view->seen.c[c], y)[x];
                n++;
                a += here;
                b += there;
                aa += here * here;
                bb += there * there;
                ab += here * there;
            }
        if (n < 50)
            continue;
        double va = aa / n - a / n * (a / n), vb = bb / n - b / n * (b / n), together = ab / n - a / n * (b / n);
        if (!(va > 1e-6 && vb > 1e-6) || together < .5 * sqrt(va * vb))
            continue;
        float gain = (float)IP_MAX(.25, IP_MIN(4., sqrt(va / vb)));
        for (int y = 0; y < work->box.height; y++)
            for (int x = 0; x < work->box.width; x++)
                ip_row(&view->seen.c[c], y)[x] *= gain;
    }
}

static float square(float v) { return v * v; }

ipos_status ip_wire_judge(const ip_wire_work *work, ip_wire_view *view) {
    enum { DIFFERENCE, MEMBRANE = 3, WEIGHT = 6, TMP, ERROR, ERROR_WEIGHT, COUNT };
    int w = work->box.width, h = work->box.height;
    ip_plane_f p[COUNT];
    IP_TRY(ip_planes_new(w, h, p, COUNT));
    ring_difference(work, view, p, &p[WEIGHT]);
    if (view->sequence > 0) {
        match_contrast(work, view, &p[WEIGHT]);
        ring_difference(work, view, p, &p[WEIGHT]);
    }
    for (int c = 0; c < 3; c++)
        ip_plane_copy(&p[MEMBRANE + c], &p[DIFFERENCE + c]);
    ip_plane_copy(&p[ERROR_WEIGHT], &p[WEIGHT]);
    ip_plane_f *membrane[] = {&p[MEMBRANE], &p[MEMBRANE + 1], &p[MEMBRANE + 2]}, *error[] = {&p[ERROR]};
    ip_wire_smooth(membrane, 3, &p[WEIGHT], &p[TMP], MEMBRANE_RADIUS);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            float sum = 0.f;
            for (int c = 0; c < 3 && ip_row(&p[ERROR_WEIGHT], y)[x] > 0.f; c++)
                sum += square(ip_row(&p[DIFFERENCE + c], y)[x] - ip_row(&p[MEMBRANE + c], y)[x]);
            ip_row(&p[ERROR], y)[x] = sum / 3.f;
        }
    ip_wire_smooth(error, 1, &p[ERROR_WEIGHT], &p[TMP], ERROR_RADIUS);
    const float even = view->sequence > 0 ? .01f : .25f; /* doubt from the correction; another take's exposure is none */
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            bool judged = ip_row(&p[WEIGHT], y)[x] > 1e-3f;
            float sum = 0.f;
            if (!(ip_row(&view->valid, y)[x] > 0.f) && !view->around.data)
                continue;
            for (int c = 0; c < 3; c++) {
                float m = judged ? ip_row(&p[MEMBRANE + c], y)[x] : 0.f;
                ip_row(&view->seen.c[c], y)[x] += m;
                sum += m * m;
            }
            float wrong = sqrtf(IP_MAX(0.f, ip_row(&p[ERROR], y)[x]) + even * sum / 3.f) + (judged ? 0.f : BLIND);
            if (ip_row(&view->valid, y)[x] > 0.f)
                ip_row(&view->error, y)[x] = wrong;
            if (view->around.data)
                ip_row(&view->around, y)[x] = wrong;
        }
    ip_planes_free(p, COUNT);
    return IPOS_OK;
}
