#include "image.h"
#include <math.h>
#include <stdlib.h>

/* A bar's line spreads less than SPREAD, lies within LEVEL of the border's own level and within LEVEL of the darkest of the frame. */
static const float SPREAD = .08f, LEVEL = .06f;

typedef struct line_stats {
    float low, middle, high;
} line_stats;

static line_stats stats(float *samples, int n) {
    qsort(samples, (size_t)n, sizeof *samples, ip_by_float);
    return (line_stats){samples[(n - 1) * 2 / 100], samples[n / 2], samples[(n - 1) * 98 / 100]};
}

/* Line i of the brightest of all frames: row i, or column i. */
static line_stats line(const ip_plane_f *const *lumas, size_t count, bool column, int i, float *scratch) {
    int n = column ? lumas[0]->height : lumas[0]->width;
    for (int k = 0; k < n; k++) {
        float most = -INFINITY;
        for (size_t f = 0; f < count; f++) {
            float v = column ? ip_row(lumas[f], k)[i] : ip_row(lumas[f], i)[k];
            most = v > most ? v : most;
        }
        scratch[k] = most;
    }
    return stats(scratch, n);
}

static float darkest(const ip_plane_f *const *lumas, size_t count, float *scratch) {
    float least = INFINITY;
    const ip_plane_f *first = lumas[0];
    for (int i = 0; i < 16; i++) {
        line_stats s = line(lumas, count, false, (int)((long)i * (first->height - 1) / 15), scratch);
        least = s.low < least ? s.low : least;
    }
    return least;
}

/* How many lines from one side are bar. */
static int bar(const ip_plane_f *const *lumas, size_t count, bool column, bool from_end, float dark, float *scratch) {
    int lines = column ? lumas[0]->width : lumas[0]->height;
    float level = 0.f;
    for (int i = 0; i < lines; i++) {
        line_stats s = line(lumas, count, column, from_end ? lines - 1 - i : i, scratch);
        if (i == 0)
            level = s.middle;
        if (s.high - s.low > SPREAD || fabsf(s.middle - level) > LEVEL || s.middle > dark + LEVEL)
            return i;
    }
    return lines;
}

ip_box_i ip_letterbox(const ip_plane_f *const *lumas, size_t count) {
    int w = lumas[0]->width, h = lumas[0]->height;
    ip_box_i whole = {0, 0, w, h};
    float *scratch = ip_alloc((size_t)IP_MAX(w, h) * sizeof *scratch);
    if (!scratch)
        return whole; /* bars are a refinement: without memory for it the whole frame is right too */
    float dark = darkest(lumas, count, scratch);
    int cut[4] = {bar(lumas, count, true, false, dark, scratch), bar(lumas, count, false, false, dark, scratch),
        bar(lumas, count, true, true, dark, scratch), bar(lumas, count, false, true, dark, scratch)};
    ip_free(scratch);
    for (int i = 0; i < 4; i++)
        cut[i] += cut[i] > 0 ? 2 : 0;
    ip_box_i box = {cut[0], cut[1], w - cut[0] - cut[2], h - cut[1] - cut[3]};
    if (box.width < 1 || box.height < 1 || (double)box.width * box.height < .4 * w * h)
        return whole;
    return box;
}
