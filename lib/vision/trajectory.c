#include "session.h"
#include "trajectory.h"
#include <math.h>

/* Curvature is a matter of the camera: it is taken from a window this share of the height wide (62 lines of 540). */
static const float WINDOW = .115f;

static void sum_into(ip_plane_f *to, const ip_plane_f *a, float ka, const ip_plane_f *b, float kb) {
    for (int y = 0; y < to->height; y++) {
        const float *ra = ip_row(a, y), *rb = ip_row(b, y);
        float *out = ip_row(to, y);
        for (int x = 0; x < to->width; x++)
            out[x] = ka * ra[x] + kb * rb[x];
    }
}

/* ka*a + kb*b of two flows, smoothed; out allocated. */
static ipos_status smooth_sum(const ip_plane_f *a, float ka, const ip_plane_f *b, float kb, ip_plane_f out[2], int threads) {
    int w = a[0].width, h = a[0].height, radius = (int)(WINDOW * .5f * (float)h + .5f);
    ip_plane_f tmp;
    IP_TRY(ip_planes_new(w, h, out, 2));
    ipos_status status = ip_plane_new(w, h, &tmp);
    for (int i = 0; i < 2 && status == IPOS_OK; i++) {
        sum_into(&out[i], &a[i], ka, &b[i], kb);
        ip_box_blur(&out[i], &out[i], &tmp, IP_MIN(radius, w - 1), IP_MIN(radius, h - 1), threads);
    }
    ip_plane_free(&tmp);
    if (status != IPOS_OK)
        ip_planes_free(out, 2);
    return status;
}

/* With p(0), p(1) the known places and a the acceleration, p(s) lies a*s*(s-1)/2 off the straight line; a is the change of mean
 * velocity from the span before to the span after. */
ipos_status ip_trajectory(ip_inbetween *session, const size_t frames[4], double time, ip_plane_f curve[2]) {
    const double *t = session->times;
    double gap = t[frames[2]] - t[frames[1]], s = (time - t[frames[1]]) / gap;
    double before = (t[frames[1]] - t[frames[0]]) / gap, after = (t[frames[3]] - t[frames[2]]) / gap;
    double k = -.5 * s * (1. - s) / (1. + .5 * (before + after));
    ip_flow_key keys[2] = {{frames[1], frames[0], IP_FLOW_MEDIUM}, {frames[2], frames[3], IP_FLOW_MEDIUM}};
    const ip_plane_f *flows[2];
    IP_TRY(ip_session_flows(session, keys, 2, flows));
    return smooth_sum(flows[0], (float)(k / before), flows[1], (float)(k / after), curve, session->source.threads);
}

/* How far known frame i lies off the straight line between its neighbours, seen from i. */
static ipos_status observed(ip_inbetween *session, size_t i, ip_plane_f curve[2]) {
    const double *t = session->times;
    float s = (float)((t[i] - t[i - 1]) / (t[i + 1] - t[i - 1]));
    ip_flow_key keys[2] = {{i, i - 1, IP_FLOW_MEDIUM}, {i, i + 1, IP_FLOW_MEDIUM}};
    const ip_plane_f *flows[2];
    IP_TRY(ip_session_flows(session, keys, 2, flows));
    return smooth_sum(flows[0], s - 1.f, flows[1], -s, curve, session->source.threads);
}

static void add_products(const ip_plane_f seen[2], const ip_plane_f made[2], double sums[3]) {
    for (int i = 0; i < 2; i++)
        for (int y = 0; y < seen[0].height; y += 4)
            for (int x = 0; x < seen[0].width; x += 4) {
                double o = ip_row(&seen[i], y)[x], p = ip_row(&made[i], y)[x];
                sums[0] += o * o;
                sums[1] += o * p;
                sums[2] += p * p;
            }
}

ipos_status ip_trajectory_evidence(ip_inbetween *session, size_t i, bool *possible, double sums[3]) {
    *possible = i >= 2 && i + 2 < session->source.count;
    sums[0] = sums[1] = sums[2] = 0;
    if (!*possible)
        return IPOS_OK;
    ip_plane_f seen[2], made[2];
    IP_TRY(observed(session, i, seen));
    const size_t frames[4] = {i - 2, i - 1, i + 1, i + 2};
    ipos_status status = ip_trajectory(session, frames, session->times[i], made);
    if (status == IPOS_OK) {
        add_products(seen, made, sums);
        double n = 2. * ((seen[0].width + 3) / 4) * ((seen[0].height + 3) / 4);
        for (int k = 0; k < 3; k++)
            sums[k] /= n;
        ip_planes_free(made, 2);
    }
    ip_planes_free(seen, 2);
    return status;
}
