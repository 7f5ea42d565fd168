#include "local_match.h"
#include "overlay.h"
#include "record.h"
#include <math.h>

enum { FRAMES = 3, TILE = 24, PASSES = 2 };
static const float PRIOR = 30.f;       /* pixels of evidence that a correction has to outweigh */
static const float SPREAD_COUNTS = .5f; /* variance within a cell against the square of its mean */
static const double GAIN_LEAST = .1, WORTH = .004; /* share; code values */
static const float MOST = .12f;       /* differences beyond are other things, not other light */

enum { WEIGHT = 3, SQUARES, SUMS };
typedef float grid[IP_LOCAL_TONES][IP_LOCAL_DOWN][IP_LOCAL_ACROSS][SUMS]; /* of three corrections, of pixels, of squares of all three */

typedef struct learning {
    const ip_grade *grade;
    const ip_image3 *soft, *laid;
    const ip_plane_f *agreed;
    const ip_look_source *source;
} learning;

/* Graded colour, and what the reference has more; false where it is not to be used. */
static bool difference_at(const learning *l, int x, int y, double graded[3], float more[3]) {
    double own[3];
    float a[3], b[3];
    if (!(ip_row(l->agreed, y)[x] > 0.f))
        return false;
    for (int c = 0; c < 3; c++) {
        own[c] = (double)(a[c] = ip_row(&l->soft->c[c], y)[x]);
        b[c] = ip_row(&l->laid->c[c], y)[x];
    }
    if (!ip_shot_usable(l->source, a) || !ip_shot_usable(l->source, b))
        return false;
    ip_grade_at(l->grade, own, graded);
    for (int c = 0; c < 3; c++) {
        more[c] = b[c] - (float)graded[c];
        if (!(fabsf(more[c]) < MOST))
            return false;
    }
    return true;
}

static float tone_of(const float rgb[3]) { return fminf(fmaxf(ip_luma_of(rgb[0], rgb[1], rgb[2]), 0.f), 1.f) * (IP_LOCAL_TONES - 1); }
static float column_of(double x, int width) { return (float)fmin(fmax((x + .5) / width * IP_LOCAL_ACROSS - .5, 0.), IP_LOCAL_ACROSS - 1); }
static float row_of(double y, int height) { return (float)fmin(fmax((y + .5) / height * IP_LOCAL_DOWN - .5, 0.), IP_LOCAL_DOWN - 1); }

/* half: of tiles of the picture, in a checkerboard; -1: all. */
static void splat(const learning *l, int half, grid g) {
    const int w = l->agreed->width, h = l->agreed->height;
    memset(g, 0, sizeof(grid));
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            double graded[3];
            float more[3];
            if ((half >= 0 && ((x / TILE + y / TILE) & 1) != half) || !difference_at(l, x, y, graded, more))
                continue;
            const float rgb[3] = {(float)graded[0], (float)graded[1], (float)graded[2]};
            float *cell = g[(int)(tone_of(rgb) + .5f)][(int)(row_of(y, h) + .5f)][(int)(column_of(x, w) + .5f)];
            for (int c = 0; c < 3; c++) {
                cell[c] += more[c];
                cell[SQUARES] += more[c] * more[c];
            }
            cell[WEIGHT] += 1.f;
        }
}

static void smooth_along(float *first, size_t count, size_t step) {
    float before[SUMS] = {0.f}, now[SUMS];
    for (size_t i = 0; i < count; i++) {
        float *at = first + i * step;
        memcpy(now, at, sizeof now);
        for (int k = 0; k < SUMS; k++)
            at[k] = .5f * now[k] + .25f * ((i ? before[k] : now[k]) + (i + 1 < count ? at[step + (size_t)k] : now[k]));
        memcpy(before, now, sizeof before);
    }
}

static void smooth(grid g) {
    for (int pass = 0; pass < PASSES; pass++) {
        for (int t = 0; t < IP_LOCAL_TONES; t++)
            for (int y = 0; y < IP_LOCAL_DOWN; y++)
                smooth_along(g[t][y][0], IP_LOCAL_ACROSS, SUMS);
        for (int t = 0; t < IP_LOCAL_TONES; t++)
            for (int x = 0; x < IP_LOCAL_ACROSS; x++)
                smooth_along(g[t][0][x], IP_LOCAL_DOWN, (size_t)IP_LOCAL_ACROSS * SUMS);
    }
    for (int y = 0; y < IP_LOCAL_DOWN; y++)
        for (int x = 0; x < IP_LOCAL_ACROSS; x++)
            smooth_along(g[0][y][x], IP_LOCAL_TONES, (size_t)IP_LOCAL_DOWN * IP_LOCAL_ACROSS * SUMS);
}

/* Other light moves all of a place one way; things that moved, and edges, leave as much of one sign as of the other. */
static void settle_cell(const float sum[SUMS], float out[3]) {
    float mean[3], one_way = 0.f, share;
    for (int c = 0; c < 3; c++) {
        mean[c] = sum[c] / (sum[WEIGHT] + PRIOR);
        one_way += mean[c] * mean[c];
    }
    share = one_way / (one_way + SPREAD_COUNTS * fmaxf(0.f, sum[SQUARES] / (sum[WEIGHT] + PRIOR) - one_way) + 1e-12f);
    for (int c = 0; c < 3; c++)
        out[c] = share * mean[c];
}

static void settle(grid g, ip_local_key *key) {
    smooth(g);
    for (int t = 0; t < IP_LOCAL_TONES; t++)
        for (int y = 0; y < IP_LOCAL_DOWN; y++)
            for (int x = 0; x < IP_LOCAL_ACROSS; x++)
                settle_cell(g[t][y][x], key->cell[t][y][x]);
}

/* Trilinear. */
static inline void slice(const ip_local_key *key, float column, float row, float tone, float out[3]) {
    int x = IP_MIN((int)column, IP_LOCAL_ACROSS - 2), y = IP_MIN((int)row, IP_LOCAL_DOWN - 2), t = IP_MIN((int)tone, IP_LOCAL_TONES - 2);
    float fx = column - (float)x, fy = row - (float)y, ft = tone - (float)t;
    for (int c = 0; c < 3; c++) {
        float part[2];
        for (int k = 0; k < 2; k++) {
            const float(*a)[3] = key->cell[t + k][y], (*b)[3] = key->cell[t + k][y + 1];
            float above = a[x][c] + fx * (a[x + 1][c] - a[x][c]), below = b[x][c] + fx * (b[x + 1][c] - b[x][c]);
            part[k] = above + fy * (below - above);
        }
        out[c] = part[0] + ft * (part[1] - part[0]);
    }
}

/* Sums over the tiles of the other half. */
static void hold_against(const learning *l, int half, const ip_local_key *key, double sum[2], double *count) {
    const int w = l->agreed->width, h = l->agreed->height;
    for (int y = 0; y < h; y += 2)
        for (int x = 0; x < w; x += 2) {
            double graded[3];
            float more[3], correction[3];
            if (((x / TILE + y / TILE) & 1) == half || !difference_at(l, x, y, graded, more))
                continue;
            const float rgb[3] = {(float)graded[0], (float)graded[1], (float)graded[2]};
            slice(key, column_of(x, w), row_of(y, h), tone_of(rgb), correction);
            for (int c = 0; c < 3; c++) {
                sum[0] += fabs((double)more[c]);
                sum[1] += fabs((double)(more[c] - correction[c]));
            }
            *count += 3.;
        }
}

static ipos_status learn(const learning *l, ip_local_key *key, double sum[2], double *count) {
    float(*g)[IP_LOCAL_DOWN][IP_LOCAL_ACROSS][SUMS] = ip_calloc(1, sizeof(grid));
    if (!g)
        return IPOS_ERR_NO_MEMORY;
    for (int half = 0; half < 2; half++) {
        splat(l, half, g);
        settle(g, key);
        hold_against(l, half, key, sum, count);
    }
    splat(l, -1, g);
    settle(g, key);
    ip_free(g);
    return IPOS_OK;
}

/* The reference's frame that the key shares most with; share 0: none. */
static ipos_status find_best(const ip_look_source *source, const ip_local_key *key, const ip_shot_view *others, size_t count, ip_overlay *best, size_t *which) {
    *best = (ip_overlay){0};
    for (size_t i = 0; i < count; i++) {
        ip_overlay one;
        IP_TRY(ip_overlay_find(source, &key->view, &others[i], NULL, &one));
        if (one.found && one.share > best->share) {
            ip_overlay_free(best);
            *best = one;
            *which = i;
        } else {
            ip_overlay_free(&one);
        }
    }
    return IPOS_OK;
}

static ipos_status learn_key(const ip_look_source *shot, const ip_shot_view *others, size_t count, const ip_grade *grade, ip_local_key *key, double sum[2],
    double *samples, bool *found) {
    ip_overlay overlay;
    ip_image3 laid = {0};
    ip_plane_f inside = {0};
    size_t which = 0;
    const int w = key->view.luma.width, h = key->view.luma.height;
    IP_TRY(find_best(shot, key, others, count, &overlay, &which));
    *found = overlay.share > 0.;
    ipos_status status = *found ? ip_image3_new(w, h, &laid) : IPOS_OK;
    if (status == IPOS_OK && *found)
        status = ip_plane_new(w, h, &inside);
    if (status == IPOS_OK && *found) {
        ip_overlay_lay(&overlay, &others[which].soft, &laid, &inside, shot->threads);
        const learning l = {grade, &key->view.soft, &laid, &overlay.agreed, shot};
        status = learn(&l, key, sum, samples);
    }
    ip_overlay_free(&overlay);
    ip_image3_free(&laid);
    ip_plane_free(&inside);
    return status;
}

static ipos_status learn_all(const ip_look_source *shot, const ip_shot_view *others, size_t count, const ip_grade *grade, ip_local_match *out) {
    const size_t chosen = ip_look_spread(shot->count, IP_LOCAL_KEYS);
    double sum[2] = {0.}, samples = 0.;
    for (size_t i = 0; i < chosen; i++) {
        ip_local_key *key = &out->key[out->keys];
        bool found;
        *key = (ip_local_key){.index = ip_look_spread_at(shot->count, chosen, i)};
        IP_TRY(ip_shot_view_new(shot, key->index, &key->view));
        ipos_status status = learn_key(shot, others, count, grade, key, sum, &samples, &found);
        if (status != IPOS_OK || !found)
            ip_shot_view_free(&key->view);
        IP_TRY(status);
        out->keys += found;
    }
    out->reading.frames = (int64_t)out->keys;
    if (!out->keys || !(samples > 0.)) {
        ip_not_measurable(&out->reading, "no frame of the reference lies over the shot's");
        return IPOS_OK;
    }
    out->before = sum[0] / samples;
    out->after = sum[1] / samples;
    out->reading.confidence = fmax(0., 1. - out->after / out->before);
    if (out->after > (1. - GAIN_LEAST) * out->before || out->before - out->after < WORTH)
        ip_not_measurable(&out->reading, "the grade leaves little that differs from place to place: %.4f, %.4f when corrected", out->before, out->after);
    return IPOS_OK;
}

ipos_status ip_local_match_measure(const ip_look_source *shot, const ip_look_source *reference, const ip_grade *grade, ip_local_match *out) {
    ip_shot_view others[FRAMES];
    const size_t chosen = ip_look_spread(reference->count, FRAMES);
    size_t count = 0;
    ipos_status status = IPOS_OK;
    *out = (ip_local_match){0};
    for (; count < chosen && status == IPOS_OK; count += status == IPOS_OK)
        status = ip_shot_view_new(reference, ip_look_spread_at(reference->count, chosen, count), &others[count]);
    if (status == IPOS_OK)
        status = learn_all(shot, others, count, grade, out);
    while (count > 0)
        ip_shot_view_free(&others[--count]);
    if (status != IPOS_OK)
        ip_local_match_free(out);
    return status;
}

void ip_local_match_free(ip_local_match *match) {
    while (match->keys > 0)
        ip_shot_view_free(&match->key[--match->keys].view);
}

ipos_status ip_local_match_place(const ip_local_match *match, const ip_look_source *shot, size_t index, ip_local_place *out) {
    size_t after = 0;
    ip_shot_view view = {0};
    *out = (ip_local_place){.found = match->keys > 0};
    while (after < match->keys && match->key[after].index < index)
        after++;
    if (after == match->keys || after == 0) {
        out->weight[after ? after - 1 : 0] = 1.;
    } else {
        double from = (double)match->key[after - 1].index, to = (double)match->key[after].index;
        out->weight[after] = ((double)index - from) / (to - from);
        out->weight[after - 1] = 1. - out->weight[after];
    }
    IP_TRY(ip_shot_view_new(shot, index, &view));
    ipos_status status = IPOS_OK;
    for (size_t k = 0; k < match->keys && status == IPOS_OK; k++) {
        ip_overlay overlay = {0};
        if (!(out->weight[k] > 0.))
            continue;
        status = ip_overlay_find(shot, &view, &match->key[k].view, NULL, &overlay);
        out->found = out->found && overlay.found;
        memcpy(out->homography[k], overlay.homography, sizeof overlay.homography);
        ip_overlay_free(&overlay);
    }
    ip_shot_view_free(&view);
    return status;
}

typedef struct applying {
    const ip_local_match *match;
    const ip_local_place *place;
    const ip_image3 *image;
    float strength;
} applying;

static void apply_rows(void *user, int64_t begin, int64_t end) {
    const applying *a = user;
    const int w = a->image->c[0].width, h = a->image->c[0].height;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < w; x++) {
            float rgb[3], sum[3] = {0.f};
            for (int c = 0; c < 3; c++)
                rgb[c] = ip_row(&a->image->c[c], y)[x];
            float tone = tone_of(rgb);
            if (!isfinite(rgb[0] + rgb[1] + rgb[2]))
                continue;
            for (size_t k = 0; k < a->match->keys; k++) {
                const ip_local_key *key = &a->match->key[k];
                const int kw = key->view.luma.width, kh = key->view.luma.height;
                double to[2];
                float one[3];
                if (!(a->place->weight[k] > 0.))
                    continue;
                ip_homography_at(a->place->homography[k], (x + .5) * kw / w - .5, (y + .5) * kh / h - .5, to);
                slice(key, column_of(to[0], kw), row_of(to[1], kh), tone, one);
                for (int c = 0; c < 3; c++)
                    sum[c] += (float)a->place->weight[k] * one[c];
            }
            for (int c = 0; c < 3; c++)
                ip_row(&a->image->c[c], y)[x] = rgb[c] + a->strength * sum[c];
        }
}

void ip_local_match_apply(const ip_local_match *match, const ip_local_place *place, double strength, const ip_image3 *image, int threads) {
    applying a = {match, place, image, (float)strength};
    if (place->found && strength > 0.)
        ip_parallel(threads, image->c[0].height, 16, apply_rows, &a);
}
