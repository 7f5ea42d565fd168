/* A made picture beside the true one. */
#include "inbetween_op.h"

#include <math.h>

/* Against the truth b. A sample that is not finite where the truth is counts as wrong by the whole range, or a network that gives
 * nothing but NaN would look perfect. */
static double mean_square(const ip_plane_f *a, const ip_plane_f *b) {
    double sum = 0;
    for (int y = 0; y < a->height; y++) {
        const float *p = ip_row(a, y), *q = ip_row(b, y);
        double line = 0;
        for (int x = 0; x < a->width; x++) {
            double d = (double)p[x] - (double)q[x];
            line += isfinite(d) ? d * d : isfinite(q[x]) ? 1 : 0;
        }
        sum += line;
    }
    return sum / ((double)a->width * a->height);
}

static double psnr(const ip_image3 *a, const ip_image3 *b) {
    double error = 0;
    for (int c = 0; c < 3; c++)
        error += mean_square(&a->c[c], &b->c[c]) / 3;
    return -10 * log10(fmax(error, 1e-10));
}

/* Mean structural similarity (Wang, Bovik, Sheikh, Simoncelli 2004) of two lumas, windows of 7x7, peak 1. m: room for six planes. */
static double similarity(const ip_plane_f *a, const ip_plane_f *b, ip_plane_f m[6], int threads) {
    const float c1 = .0001f, c2 = .0009f;
    for (int y = 0; y < a->height; y++) {
        const float *p = ip_row(a, y), *q = ip_row(b, y);
        float *aa = ip_row(&m[2], y), *bb = ip_row(&m[3], y), *ab = ip_row(&m[4], y);
        for (int x = 0; x < a->width; x++) {
            aa[x] = p[x] * p[x];
            bb[x] = q[x] * q[x];
            ab[x] = p[x] * q[x];
        }
    }
    ip_box_blur(a, &m[0], &m[5], 3, 3, threads);
    ip_box_blur(b, &m[1], &m[5], 3, 3, threads);
    for (int i = 2; i < 5; i++)
        ip_box_blur(&m[i], &m[i], &m[5], 3, 3, threads);
    double sum = 0;
    for (int y = 0; y < a->height; y++) {
        const float *ma = ip_row(&m[0], y), *mb = ip_row(&m[1], y), *aa = ip_row(&m[2], y), *bb = ip_row(&m[3], y), *ab = ip_row(&m[4], y);
        for (int x = 0; x < a->width; x++) {
            float both = ma[x] * mb[x], squares = ma[x] * ma[x] + mb[x] * mb[x];
            sum += (2 * both + c1) * (2 * (ab[x] - both) + c2) / ((squares + c1) * (aa[x] + bb[x] - squares + c2));
        }
    }
    return sum / ((double)a->width * a->height);
}

ipos_status ib_compare(const ip_image3 *made, const ip_image3 *truth, int threads, ib_likeness *out) {
    ip_plane_f planes[8];
    IP_TRY(ip_planes_new(truth->c[0].width, truth->c[0].height, planes, 8));
    ip_luma(made, -1, 4, &planes[6], threads);
    ip_luma(truth, -1, 4, &planes[7], threads);
    *out = (ib_likeness){.psnr = psnr(made, truth), .ssim = similarity(&planes[6], &planes[7], planes, threads)};
    ip_planes_free(planes, 8);
    return IPOS_OK;
}
