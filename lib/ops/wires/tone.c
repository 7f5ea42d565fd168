/* How bright a wire is. Where it is brighter than what lies behind it, it is at least so bright as it is seen there, for blur and its own
 * thinness only take from that; where darker, at most so bright. That holds on every frame, whatever it hangs before. */
#include "wires_track.h"

#include <math.h>
#include <stdlib.h>

/* Every point of a trace that stands out of both its sides, as the value in its middle: of the brighter ones and of the darker ones. */
typedef struct tones {
    float *brighter, *darker;
    size_t bright, dark;
} tones;

static ipos_status tones_of(const iw_work *w, const ip_trace *trace, float width, tones *out) {
    const ip_plane_f *luma = &w->luma;
    float aside = .5f * width + 2;
    *out = (tones){.brighter = ip_alloc(IP_MAX(trace->curve.count, 1) * sizeof(float)), .darker = ip_alloc(IP_MAX(trace->curve.count, 1) * sizeof(float))};
    if (!out->brighter || !out->darker)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < trace->curve.count; i++) {
        ip_point tangent, n, at = trace->curve.at[i];
        if (trace->seen[i] < .3f)
            continue;
        ip_curve_frame(&trace->curve, i, 3, &tangent, &n);
        float middle = 0, a = ip_sample_linear(luma, at.x - .5f + aside * n.x, at.y - .5f + aside * n.y),
              b = ip_sample_linear(luma, at.x - .5f - aside * n.x, at.y - .5f - aside * n.y);
        for (int k = -1; k <= 1; k++)
            middle += ip_sample_linear(luma, at.x - .5f + .5f * (float)k * n.x, at.y - .5f + .5f * (float)k * n.y) / 3;
        if (middle > a && middle > b)
            out->brighter[out->bright++] = middle;
        else if (middle < a && middle < b)
            out->darker[out->dark++] = middle;
    }
    qsort(out->brighter, out->bright, sizeof(float), ip_by_float);
    qsort(out->darker, out->dark, sizeof(float), ip_by_float);
    return IPOS_OK;
}

static void tones_free(tones *t) {
    ip_free(t->brighter);
    ip_free(t->darker);
}

static float count_below(const float *sorted, size_t count, float limit) {
    size_t below = 0;
    while (below < count && sorted[below] < limit)
        below++;
    return (float)below;
}

ipos_status iw_tone_contradiction(const iw_work *w, const iw_follow *f, const ip_trace *trace, float *share) {
    static const float margin = .08f;
    tones t;
    *share = 0;
    ipos_status status = tones_of(w, trace, f->seen->width, &t);
    if (status == IPOS_OK && t.bright + t.dark > 0) {
        float wrong = count_below(t.darker, t.dark, f->tone[0] - margin) + (float)t.bright - count_below(t.brighter, t.bright, f->tone[1] + margin);
        *share = wrong / (float)(t.bright + t.dark);
    }
    tones_free(&t);
    return status;
}

ipos_status iw_tone_learn(const iw_work *w, iw_seen *seen) {
    tones t;
    seen->tone[0] = -INFINITY;
    seen->tone[1] = INFINITY;
    ipos_status status = tones_of(w, &seen->trace, seen->width, &t);
    size_t enough = (t.bright + t.dark) / 4 + 3;
    if (status == IPOS_OK && t.bright >= enough)
        seen->tone[0] = t.brighter[t.bright * 3 / 20];
    if (status == IPOS_OK && t.dark >= enough)
        seen->tone[1] = t.darker[t.dark * 17 / 20];
    tones_free(&t);
    return status;
}

/* A rope that swung before the scene where it was drawn is not the edge of a path that lies still in it, however much of a wire that looks. */
float iw_passing_share(const iw_work *w, const ip_trace *trace) {
    static const float plain = .025f;
    size_t count = 0, passing = 0;
    for (size_t i = 0; i < trace->curve.count && w->passing.data; i++) {
        int x = (int)(trace->curve.at[i].x - (float)w->box.x), y = (int)(trace->curve.at[i].y - (float)w->box.y);
        if (trace->seen[i] < .3f || x < 1 || y < 1 || x >= w->passing.width - 1 || y >= w->passing.height - 1)
            continue;
        float most = 0;
        for (int k = 0; k < 9; k++)
            most = fmaxf(most, fabsf(ip_row(&w->passing, y + k / 3 - 1)[x + k % 3 - 1]));
        count++;
        passing += most > plain;
    }
    return count ? (float)passing / (float)count : 0;
}

float iw_rest(const iw_work *w, const iw_follow *f, const ip_trace *trace) {
    return w->passing.data && f->passes > .5f ? fmaxf(0, 1 - iw_passing_share(w, trace) / (.9f * f->passes)) : 0;
}
