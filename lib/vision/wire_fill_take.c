/* Other takes and clean plates: framed and exposed differently, so where to start and how bright they are must be found first. */
#include "wire_fill_internal.h"
#include <math.h>
#include <stdlib.h>

enum { TINY = 64, SHORTEST = 12 }; /* sides of the pictures whole-frame shifts are searched in */

static void moments(const ip_plane_f *p, ip_box_i box, double *mean, double *deviation) {
    double sum = 0, square = 0, n = (double)box.width * box.height;
    for (int y = box.y; y < box.y + box.height; y++)
        for (int x = box.x; x < box.x + box.width; x++) {
            double v = ip_row(p, y)[x];
            sum += v;
            square += v * v;
        }
    *mean = sum / n;
    *deviation = sqrt(IP_MAX(0., square / n - *mean * *mean));
}

static ip_box_i overlap(int w, int h, int dx, int dy) {
    return (ip_box_i){IP_MAX(0, -dx), IP_MAX(0, -dy), w - abs(dx), h - abs(dy)};
}

/* Correlation of a with b shifted back by (dx, dy), 1 at best. */
static double correlation(const ip_plane_f *a, const ip_plane_f *b, int dx, int dy) {
    ip_box_i in_a = overlap(a->width, a->height, dx, dy), in_b = {in_a.x + dx, in_a.y + dy, in_a.width, in_a.height};
    double mean[2], deviation[2], sum = 0;
    moments(a, in_a, &mean[0], &deviation[0]);
    moments(b, in_b, &mean[1], &deviation[1]);
    for (int y = 0; y < in_a.height; y++)
        for (int x = 0; x < in_a.width; x++)
            sum += (ip_row(a, in_a.y + y)[in_a.x + x] - mean[0]) * (ip_row(b, in_b.y + y)[in_b.x + x] - mean[1]);
    return sum / ((double)in_a.width * in_a.height * deviation[0] * deviation[1] + 1e-9);
}

static ipos_status shrink(const ip_plane_f *from, ip_plane_f *out, int *factor, int threads) {
    *factor = 1;
    IP_TRY(ip_plane_new(from->width, from->height, out));
    ip_plane_copy(out, from);
    while (IP_MAX(out->width, out->height) > TINY && IP_MIN(out->width, out->height) >= 2 * SHORTEST) {
        ip_plane_f half;
        ipos_status status = ip_halve(out, &half, threads);
        ip_plane_free(out);
        IP_TRY(status);
        *out = half;
        *factor *= 2;
    }
    return IPOS_OK;
}

static ipos_status find_shift(const ip_plane_f *here, const ip_plane_f *there, int shift[2]) {
    ip_plane_f a, b = {0};
    int factor;
    IP_TRY(shrink(here, &a, &factor, 1));
    ipos_status status = shrink(there, &b, &factor, 1);
    double best = -2;
    for (int dy = -a.height / 3; dy <= a.height / 3 && status == IPOS_OK; dy++)
        for (int dx = -a.width / 3; dx <= a.width / 3; dx++) {
            double far = hypot(dx, dy) / (a.width + a.height), c = correlation(&a, &b, dx, dy) - .05 * far;
            if (c > best) {
                best = c;
                shift[0] = dx * factor;
                shift[1] = dy * factor;
            }
        }
    ip_planes_free((ip_plane_f[]){a, b}, 2);
    return status;
}

void ip_wire_expose(const ip_plane_f *like, ip_box_i here, ip_plane_f *plane, ip_box_i there) {
    double mean[2], deviation[2];
    moments(like, here, &mean[0], &deviation[0]);
    moments(plane, there, &mean[1], &deviation[1]);
    double gain = deviation[1] > .5 ? deviation[0] / deviation[1] : 1;
    gain = IP_MAX(.2, IP_MIN(5., gain));
    for (int y = 0; y < plane->height; y++)
        for (int x = 0; x < plane->width; x++) {
            float *v = &ip_row(plane, y)[x];
            *v = (float)((*v - mean[1]) * gain + mean[0]);
        }
}

ipos_status ip_wire_take_start(const ip_plane_f *here, const ip_plane_f *there, ip_plane_f *exposed, ip_plane_f start[2]) {
    int shift[2] = {0, 0};
    IP_TRY(find_shift(here, there, shift));
    IP_TRY(ip_plane_new(there->width, there->height, exposed));
    ip_plane_copy(exposed, there);
    ip_box_i in_here = overlap(here->width, here->height, shift[0], shift[1]);
    ip_box_i in_there = {in_here.x + shift[0], in_here.y + shift[1], in_here.width, in_here.height};
    ip_wire_expose(here, in_here, exposed, in_there);
    IP_TRY(ip_planes_new(here->width, here->height, start, 2));
    for (int i = 0; i < 2; i++)
        ip_plane_fill(&start[i], (float)shift[i]);
    return IPOS_OK;
}
