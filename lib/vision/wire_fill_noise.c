/* How much grain a whole frame has, by brightness: a tile full of texture cannot tell. */
#include "wire_fill_internal.h"
#include <math.h>
#include <stdlib.h>

enum { WINDOW = 7, FEWEST = 24 };

int ip_wire_noise_bin(float luma) { return luma >= 0.f ? (luma < 255.f ? (int)(luma * (IP_WIRE_BINS / 255.f)) : IP_WIRE_BINS - 1) : 0; }

/* Mean square of the residual and mean brightness of a window; false where something in it is not known. */
static bool measure(const ip_plane_f *luma, const ip_plane_f *residual, const ip_plane_f *known, int x0, int y0, float *power, float *mean) {
    *power = *mean = 0.f;
    for (int y = y0; y < y0 + WINDOW; y++)
        for (int x = x0; x < x0 + WINDOW; x++) {
            if (!(ip_row(known, y)[x] > 0.f))
                return false;
            *power += ip_row(residual, y)[x] * ip_row(residual, y)[x];
            *mean += ip_row(luma, y)[x];
        }
    *power /= WINDOW * WINDOW;
    *mean /= WINDOW * WINDOW;
    return *power > 1e-4f; /* clipped: no grain to be seen */
}

/* The calm end of what was collected. */
static float calm(float *list, size_t n) {
    qsort(list, n, sizeof *list, ip_by_float);
    return sqrtf(list[n / 8]);
}

static void by_brightness(const ip_plane_f *luma, const ip_plane_f *residual, const ip_plane_f *known, float *lists, size_t room,
    float noise[IP_WIRE_BINS]) {
    size_t n[IP_WIRE_BINS + 1] = {0};
    for (int y = 0; y + WINDOW <= luma->height; y += WINDOW)
        for (int x = 0; x + WINDOW <= luma->width; x += WINDOW) {
            float power, mean;
            if (!measure(luma, residual, known, x, y, &power, &mean))
                continue;
            int bin = ip_wire_noise_bin(mean);
            lists[(size_t)bin * room + n[bin]++] = power;
            lists[IP_WIRE_BINS * room + n[IP_WIRE_BINS]++] = power;
        }
    float all = n[IP_WIRE_BINS] > 0 ? calm(lists + IP_WIRE_BINS * room, n[IP_WIRE_BINS]) : INFINITY;
    for (int i = 0; i < IP_WIRE_BINS; i++)
        noise[i] = n[i] >= FEWEST ? calm(lists + (size_t)i * room, n[i]) : all;
}

ipos_status ip_wire_noise(const ip_plane_f *luma, const ip_plane_f *known, float noise[IP_WIRE_BINS], int threads) {
    int w = luma->width, h = luma->height;
    ip_plane_f p[2];
    IP_TRY(ip_planes_new(w, h, p, 2));
    ip_box_blur(luma, &p[0], &p[1], 1, 1, threads);
    ip_box_blur(&p[0], &p[0], &p[1], 1, 1, threads);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            ip_row(&p[0], y)[x] = ip_row(luma, y)[x] - ip_row(&p[0], y)[x];
    size_t room = (size_t)(w / WINDOW + 1) * (size_t)(h / WINDOW + 1);
    float *lists = ip_alloc((IP_WIRE_BINS + 1) * room * sizeof *lists);
    if (lists)
        by_brightness(luma, &p[0], known, lists, room, noise);
    ip_free(lists);
    ip_planes_free(p, 2);
    return lists ? IPOS_OK : IPOS_ERR_NO_MEMORY;
}
