/* The donor read between its pixels. */
#include "patch_internal.h"
#include <math.h>

void ip_patch_sampler_new(int count, ip_patch_sampler *out) {
    out->count = count;
    for (int i = 0; i < IP_GRAIN_PHASES; i++)
        ip_grain_lanczos(i, count, out->taps[i]);
}

static void split(double at, int *whole, int *phase) {
    double rounded = floor(at * IP_GRAIN_PHASES + .5);
    *whole = (int)floor(rounded / IP_GRAIN_PHASES);
    *phase = (int)(rounded - (double)*whole * IP_GRAIN_PHASES);
}

/* Keys' cubic at the border, and where a sample is not finite, as it reaches less far. */
void ip_patch_sample(const ip_patch_sampler *sampler, const ip_image3 *from, const double at[2], float out[3]) {
    int x, y, px, py, after = sampler->count / 2, before = after - 1;
    split(at[0], &x, &px);
    split(at[1], &y, &py);
    float all = NAN;
    if (x >= before && y >= before && x + after < from->c[0].width && y + after < from->c[0].height) {
        all = 0.f;
        for (int c = 0; c < 3; c++) {
            float sum = 0.f;
            for (int j = 0; j < sampler->count; j++) {
                const float *row = ip_row(&from->c[c], y + j - before) + x - before;
                float line = 0.f;
                for (int i = 0; i < sampler->count; i++)
                    line += sampler->taps[px][i] * row[i];
                sum += sampler->taps[py][j] * line;
            }
            out[c] = sum;
            all += sum;
        }
    }
    if (!isfinite(all))
        ip_sample_cubic3(from, (float)at[0], (float)at[1], out);
}
