#include "flow.h"
#include "simd.h"
#include "wire_fill_internal.h"
#include <math.h>

enum { TAPS = 6 };

void ip_wire_smooth(ip_plane_f *const *values, size_t count, ip_plane_f *weight, ip_plane_f *tmp, int radius) {
    for (size_t i = 0; i < count; i++) {
        for (int y = 0; y < weight->height; y++)
            for (int x = 0; x < weight->width; x++)
                ip_row(values[i], y)[x] *= ip_row(weight, y)[x];
        for (int pass = 0; pass < 2; pass++)
            ip_box_blur(values[i], values[i], tmp, radius, radius, 1);
    }
    for (int pass = 0; pass < 2; pass++)
        ip_box_blur(weight, weight, tmp, radius, radius, 1);
    for (size_t i = 0; i < count; i++)
        for (int y = 0; y < weight->height; y++)
            for (int x = 0; x < weight->width; x++) {
                float k = ip_row(weight, y)[x];
                ip_row(values[i], y)[x] = k > 1e-6f ? ip_row(values[i], y)[x] / k : 0.f;
            }
}

/* Motion is not to be believed in the hole and right at it. */
static void believe(const ip_wire_work *work, ip_plane_f *weight) {
    int w = weight->width, h = weight->height;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            bool bad = false;
            for (int j = IP_MAX(y - 1, 0); j <= IP_MIN(y + 1, h - 1); j++)
                for (int i = IP_MAX(x - 1, 0); i <= IP_MIN(x + 1, w - 1); i++)
                    bad = bad || !(ip_row(&work->known, j)[i] > 0.f);
            ip_row(weight, y)[x] = bad ? 0.f : 1.f;
        }
}

/* The motion inside the hole from around it: from close by where that says enough, else from further off. */
static ipos_status carry_in(const ip_wire_work *work, ip_plane_f flow[2]) {
    enum { BELIEF, NEAR, NEAR_WEIGHT = NEAR + 2, FAR, FAR_WEIGHT = FAR + 2, TMP, COUNT };
    int w = flow[0].width, h = flow[0].height;
    ip_plane_f p[COUNT];
    IP_TRY(ip_planes_new(w, h, p, COUNT));
    believe(work, &p[BELIEF]);
    ip_plane_copy(&p[NEAR_WEIGHT], &p[BELIEF]);
    ip_plane_copy(&p[FAR_WEIGHT], &p[BELIEF]);
    for (int i = 0; i < 2; i++) {
        ip_plane_copy(&p[NEAR + i], &flow[i]);
        ip_plane_copy(&p[FAR + i], &flow[i]);
    }
    ip_plane_f *near[] = {&p[NEAR], &p[NEAR + 1]}, *far[] = {&p[FAR], &p[FAR + 1]};
    ip_wire_smooth(near, 2, &p[NEAR_WEIGHT], &p[TMP], 3);
    ip_wire_smooth(far, 2, &p[FAR_WEIGHT], &p[TMP], 9);
    ipos_status status = ip_push_pull(&p[FAR], 2, &p[FAR_WEIGHT], .02f, 1);
    for (int y = 0; y < h && status == IPOS_OK; y++)
        for (int x = 0; x < w; x++) {
            if (ip_row(&p[BELIEF], y)[x] > 0.f)
                continue;
            float k = IP_MIN(ip_row(&p[NEAR_WEIGHT], y)[x] * 20.f, 1.f);
            for (int i = 0; i < 2; i++) {
                float n = ip_row(&p[NEAR + i], y)[x], f = ip_row(&p[FAR + i], y)[x];
                ip_row(&flow[i], y)[x] = f + k * (n - f);
            }
        }
    ip_planes_free(p, COUNT);
    return status;
}

void ip_wire_lanczos(float weights[IP_WIRE_FRACTIONS + 1][6]) {
    for (int k = 0; k <= IP_WIRE_FRACTIONS; k++) {
        double f = (double)k / IP_WIRE_FRACTIONS, sum = 0, w[TAPS];
        for (int i = 0; i < TAPS; i++) {
            double t = i - 2 - f, a = 3.14159265358979 * t;
            w[i] = fabs(t) < 1e-9 ? 1 : 3 * sin(a) * sin(a / 3) / (a * a);
            sum += w[i];
        }
        for (int i = 0; i < TAPS; i++)
            weights[k][i] = (float)(w[i] / sum);
    }
}

/* Values of the three planes at a place whose whole kernel lies inside. */
IP_INLINE void sample3(const ip_image3 *image, int x, int y, const float wx[TAPS], const float wy[TAPS], float out[3]) {
    for (int c = 0; c < 3; c++) {
        const float *row = ip_row(&image->c[c], y - 2) + x - 2;
        float sum = 0.f;
        for (int j = 0; j < TAPS; j++, row += image->c[c].stride) {
            float line = 0.f;
            for (int i = 0; i < TAPS; i++)
                line += wx[i] * row[i];
            sum += wy[j] * line;
        }
        out[c] = sum;
    }
}

static void sample_all(const ip_wire_work *work, ip_wire_view *view) {
    int w = work->box.width, h = work->box.height, fw = view->from.width, fh = view->from.height;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            if (!(ip_row(&work->active, y)[x] > 0.f))
                continue;
            float px = (float)x + IP_WIRE_REACH + ip_row(&view->flow[0], y)[x], py = (float)y + IP_WIRE_REACH + ip_row(&view->flow[1], y)[x];
            if (!(px >= 2.f && py >= 2.f && px < (float)(fw - 3) && py < (float)(fh - 3)))
                continue;
            int x0 = (int)px, y0 = (int)py;
            float fx = px - (float)x0, fy = py - (float)y0, out[3];
            if (ip_row(&view->unsafe, y0 + (fy > .5f))[x0 + (fx > .5f)] > 0.f)
                continue;
            const float *wx = work->lanczos[(int)(fx * IP_WIRE_FRACTIONS + .5f)], *wy = work->lanczos[(int)(fy * IP_WIRE_FRACTIONS + .5f)];
            sample3(&view->colour, x0, y0, wx, wy, out);
            for (int c = 0; c < 3; c++)
                ip_row(&view->seen.c[c], y)[x] = out[c];
            ip_row(&view->valid, y)[x] = 1.f;
        }
}

static ipos_status make_luma(const ip_wire_work *work, ip_wire_view *view) {
    ip_box_i part = {IP_WIRE_REACH, IP_WIRE_REACH, work->box.width, work->box.height};
    IP_TRY(ip_plane_new(view->from.width, view->from.height, &view->luma));
    ip_wire_luma(&view->colour, &view->luma, 1);
    if (view->sequence > 0)
        ip_wire_expose(&work->luma, (ip_box_i){0, 0, part.width, part.height}, &view->luma, part);
    return IPOS_OK;
}

ipos_status ip_wire_sample(const ip_wire_work *work, ip_wire_view *view) {
    int w = work->box.width, h = work->box.height;
    if (!view->valid.data) {
        IP_TRY(ip_planes_new(w, h, view->seen.c, 3));
        IP_TRY(ip_plane_new(w, h, &view->valid));
        IP_TRY(ip_plane_new(w, h, &view->error));
    }
    ip_plane_fill(&view->valid, 0.f);
    sample_all(work, view);
    return IPOS_OK;
}

ipos_status ip_wire_align(const ip_wire_work *work, ip_wire_view *view) {
    IP_TRY(make_luma(work, view));
    ip_plane_f luma = ip_plane_part(&view->luma, (ip_box_i){IP_WIRE_REACH, IP_WIRE_REACH, work->box.width, work->box.height});
    /* Half the tile's size is enough for what follows; a flow at full size was slower and up to .9 dB worse. */
    ip_flow_options options = {.finest = 1, .threads = 1, .initial_u = &view->start[0], .initial_v = &view->start[1]};
    IP_TRY(ip_flow(&work->luma, &luma, &options, view->flow));
    return carry_in(work, view->flow);
}
