#include "wire_fill_internal.h"
#include <math.h>

enum { BEST = 4 };
static const float FLOOR = -12.f, DISTRUST_TAKES = 1.15f, RESAMPLED = .75f; /* of the grain's variance survives resampling */
static const float STEADY = 3.f; /* a mean of many frames counts as so many views at most: its grain is less, its other errors are not */
static const float OPTIMISM = 1.2f; /* views are aligned and corrected on the ring: in the hole they are this much worse */

/* One pixel's views, best first. */
typedef struct ranked {
    const ip_wire_view *view;
    float error;
    float many;
    float colour[3];
} ranked;

static size_t rank(const ip_wire_view *views, size_t count, int x, int y, ranked *list) {
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (!(ip_row(&views[i].valid, y)[x] > 0.f))
            continue;
        ranked r = {.view = &views[i], .error = ip_row(&views[i].error, y)[x] * (views[i].sequence > 0 ? DISTRUST_TAKES : 1.f),
            .many = views[i].many.data ? fminf(ip_row(&views[i].many, y)[x], STEADY) : 1.f};
        for (int c = 0; c < 3; c++)
            r.colour[c] = ip_row(&views[i].seen.c[c], y)[x];
        size_t at = n++;
        for (; at > 0 && list[at - 1].error > r.error; at--)
            list[at] = list[at - 1];
        list[at] = r;
    }
    return n;
}

typedef struct verdict {
    float mean[3], spread, error; /* of the weighted mean of the views */
    float takes;                  /* share of weight from other sequences */
    float blend;                  /* share of the views against the spatial fill */
    float kept;                   /* share of the grain's variance that the mean keeps */
} verdict;

/* Weighted mean by error, as good as its best view at worst. */
static verdict weigh(const ranked *list, size_t n) {
    verdict v = {0};
    float sum = 0.f, square = 0.f, error = 0.f, squares = 0.f;
    const float least = list[0].error, width = IP_MAX(.5f * least + 1.f / 255.f, 1.f / 255.f);
    for (size_t i = 0; i < n; i++) {
        float d = (list[i].error - least) / width, k = expf(-d * d) * list[i].many;
        sum += k;
        squares += k * k / list[i].many;
        error += k * list[i].error * list[i].error;
        v.takes += list[i].view->sequence > 0 ? k : 0.f;
        for (int c = 0; c < 3; c++) {
            v.mean[c] += k * list[i].colour[c];
            square += k * list[i].colour[c] * list[i].colour[c];
        }
    }
    for (int c = 0; c < 3; c++) {
        v.mean[c] /= sum;
        square -= sum * v.mean[c] * v.mean[c];
    }
    v.takes /= sum;
    v.kept = RESAMPLED * squares / (sum * sum);
    v.spread = sqrtf(IP_MAX(0.f, square / (3.f * sum)));
    v.error = sqrtf(error / sum);
    return v;
}

bool ip_wire_common(const ip_wire_view *views, size_t count, int x, int y, float mean[3]) {
    ranked list[IP_WIRE_VIEWS];
    size_t n = rank(views, count, x, y, list);
    if (n == 0)
        return false;
    verdict v = weigh(list, n);
    memcpy(mean, v.mean, sizeof v.mean);
    return true;
}

static void put(ip_image3 *image, int x, int y, const float v[3]) {
    for (int c = 0; c < 3; c++)
        ip_row(&image->c[c], y)[x] = v[c];
}

typedef struct pixel {
    int x, y;  /* in the work's box */
    int tx, ty; /* in the tile's */
} pixel;

static float prior(float share) { return share > 6.2e-6f ? (share < 1.f ? logf(share) : 0.f) : FLOOR; }

/* Slots and their prior: best views first, the spatial fill where there are fewer. */
static void fill_slots(ip_wire_tile *tile, const ranked *list, size_t n, const verdict *v, const float spatial[3], pixel at) {
    for (size_t i = 0; i < BEST; i++) {
        put(&tile->slot[i], at.tx, at.ty, i < n ? list[i].colour : spatial);
        ip_row(&tile->logit[i], at.ty)[at.tx] = FLOOR;
    }
    put(&tile->slot[4], at.tx, at.ty, n > 0 ? v->mean : spatial);
    put(&tile->slot[5], at.tx, at.ty, spatial);
    float k = n > 0 ? v->blend : 0.f;
    ip_row(&tile->logit[4], at.ty)[at.tx] = prior(k);
    ip_row(&tile->logit[5], at.ty)[at.tx] = prior(1.f - k);
}

/* How far the views are believed against the spatial fill. */
static float share(const ip_wire_work *work, verdict *v, pixel at, float invented) {
    v->error *= OPTIMISM * ip_row(&work->relief, at.y)[at.x];
    float seen = v->error * v->error, made = invented * invented;
    return made / (seen + made + 1e-12f);
}

static void fill_pixel(ip_wire_work *work, const ip_wire_view *views, size_t count, ip_wire_tile *tile, pixel at) {
    ranked list[IP_WIRE_VIEWS];
    size_t n = rank(views, count, at.x, at.y, list);
    float spatial[3], out[3], invented = ip_row(&work->invented, at.y)[at.x];
    for (int c = 0; c < 3; c++)
        out[c] = spatial[c] = ip_row(&work->colour.c[c], at.y)[at.x];
    verdict v = {0};
    if (n > 0) {
        v = weigh(list, n);
        v.blend = share(work, &v, at, invented);
        for (int c = 0; c < 3; c++)
            out[c] = spatial[c] + v.blend * (v.mean[c] - spatial[c]);
    }
    put(&tile->colour, at.tx, at.ty, out);
    fill_slots(tile, list, n, &v, spatial, at);
    ip_row(&tile->lacking, at.ty)[at.tx] = IP_MAX(0.f, 1.f - v.blend * v.blend * v.kept);
    float expected = n > 0 ? sqrtf(v.blend * v.blend * v.error * v.error + (1.f - v.blend) * (1.f - v.blend) * invented * invented) : invented;
    ip_row(&work->doubt, at.y)[at.x] = expected;
    ip_row(&tile->evidence, at.ty)[at.tx] = v.blend < .5f ? 3.f : v.takes > .5f ? 2.f : 1.f;
    ip_row(&tile->confidence, at.ty)[at.tx] = expf(-expected * (255.f / 20.f));
    for (size_t i = 0; i < 3; i++)
        ip_row(&tile->side[i], at.ty)[at.tx] = i < n ? list[i].error : invented;
    ip_row(&tile->side[3], at.ty)[at.tx] = count > 0 ? (float)n / (float)count : 0.f;
    ip_row(&tile->side[4], at.ty)[at.tx] = ip_row(&work->depth, at.y)[at.x] / 8.f;
    ip_row(&tile->side[5], at.ty)[at.tx] = n > 0 ? IP_MIN(list[0].view->motion / 16.f, 4.f) : 0.f;
    ip_row(&tile->side[6], at.ty)[at.tx] = n > 0 ? v.spread : 0.f;
    ip_row(&tile->side[7], at.ty)[at.tx] = 1.f;
}

static ipos_status tile_planes(ip_wire_tile *tile) {
    int w = tile->box.width, h = tile->box.height;
    IP_TRY(ip_planes_new(w, h, tile->colour.c, 3));
    for (int i = 0; i < IP_WIRE_SLOTS; i++)
        IP_TRY(ip_planes_new(w, h, tile->slot[i].c, 3));
    IP_TRY(ip_planes_new(w, h, tile->logit, IP_WIRE_SLOTS));
    IP_TRY(ip_planes_new(w, h, tile->side, IP_WIRE_SIDES));
    IP_TRY(ip_plane_new(w, h, &tile->evidence));
    IP_TRY(ip_plane_new(w, h, &tile->lacking));
    IP_TRY(ip_plane_new(w, h, &tile->own));
    return ip_plane_new(w, h, &tile->confidence);
}

/* What the views' mean leaves of the frame on the ring: how good the mean is in the hole next to it, and the grain that averaging
 * took away. */
static float note_residual(ip_wire_work *work, const ip_wire_view *views, size_t count, ip_plane_f *power, ip_plane_f *judged) {
    double sum = 0, pixels = 0;
    for (int y = 0; y < work->box.height; y++)
        for (int x = 0; x < work->box.width; x++) {
            ranked list[IP_WIRE_VIEWS];
            if (!(ip_row(&work->active, y)[x] > 0.f && ip_row(&work->known, y)[x] > 0.f))
                continue;
            size_t n = rank(views, count, x, y, list);
            if (n < 1)
                continue;
            verdict v = weigh(list, n);
            float gain = 1.f / sqrtf(1.f + v.kept);
            for (int c = 0; c < 3; c++) {
                float d = ip_row(&work->colour.c[c], y)[x] - v.mean[c];
                ip_row(&work->residual.c[c], y)[x] = gain * d;
                ip_row(power, y)[x] += d * d / 3.f;
            }
            ip_row(judged, y)[x] = v.error * v.error;
            ip_row(&work->residual_known, y)[x] = 1.f;
            sum += ip_row(power, y)[x];
            pixels++;
        }
    return pixels > 0 ? (float)(sum / pixels) : 0.f;
}

/* work->relief: averaged views are better than each was judged; how much, where the ring says. */
static ipos_status measure_relief(ip_wire_work *work, const ip_wire_view *views, size_t count, float *rest) {
    enum { POWER, JUDGED, WEIGHT, TMP, COUNT };
    ip_plane_f p[COUNT];
    IP_TRY(ip_planes_new(work->box.width, work->box.height, p, COUNT));
    *rest = note_residual(work, views, count, &p[POWER], &p[JUDGED]);
    ip_plane_copy(&p[WEIGHT], &work->residual_known);
    ip_plane_f *list[] = {&p[POWER], &p[JUDGED]};
    ip_wire_smooth(list, 2, &p[WEIGHT], &p[TMP], 4);
    for (int y = 0; y < work->box.height; y++)
        for (int x = 0; x < work->box.width; x++) {
            float judged = ip_row(&p[JUDGED], y)[x], ratio = judged > 1e-12f ? ip_row(&p[POWER], y)[x] / judged : 1.f;
            ip_row(&work->relief, y)[x] = ip_row(&p[WEIGHT], y)[x] > 1e-3f ? sqrtf(IP_MAX(.05f, IP_MIN(2.f, ratio))) : 1.f;
        }
    ip_planes_free(p, COUNT);
    return IPOS_OK;
}

ipos_status ip_wire_blend(ip_wire_work *work, ip_wire_view *views, size_t count, ip_wire_tile *tile) {
    IP_TRY(tile_planes(tile));
    IP_TRY(measure_relief(work, views, count, &tile->rest));
    int left = tile->box.x - work->box.x, top = tile->box.y - work->box.y;
    for (int y = 0; y < tile->box.height; y++)
        for (int x = 0; x < tile->box.width; x++) {
            pixel at = {x + left, y + top, x, y};
            ip_row(&tile->confidence, y)[x] = 1.f;
            if (ip_row(&work->matte, at.y)[at.x] > 0.f) {
                fill_pixel(work, views, count, tile, at);
                if (ip_row(&tile->hole, y)[x] > 0.f)
                    continue;
                ip_row(&tile->evidence, y)[x] = ip_row(&tile->lacking, y)[x] = 0.f; /* another tile's */
                ip_row(&tile->confidence, y)[x] = 1.f;
                continue;
            }
            float v[3];
            for (int c = 0; c < 3; c++)
                v[c] = ip_row(&work->frame.c[c], at.y)[at.x];
            put(&tile->colour, x, y, v);
            for (int i = 0; i < IP_WIRE_SLOTS; i++) {
                put(&tile->slot[i], x, y, v);
                ip_row(&tile->logit[i], y)[x] = i == 4 ? 0.f : FLOOR;
            }
        }
    return IPOS_OK;
}
