#include "passing.h"

#include "flow.h"
#include "simd.h"
#include <math.h>

enum {
    SMALL = 520,   /* flow is sought where the longer side is at most this */
    CELLS = 2,     /* halvings from there to the cells that carry the motion */
    MIDDLE = 2,    /* cells around one whose median is its motion */
    RUN = 64,      /* pixels that are sorted at a time */
    LEVEL = 16     /* pixels around one over which the light may have changed, at 540 lines */
};
static const float another_scene = .12f; /* mean difference along the motion */

/* A plane halved `times`, values times gain. */
static ipos_status reduce(const ip_plane_f *from, int times, float gain, int threads, ip_plane_f *out) {
    ip_plane_f now;
    IP_TRY(ip_plane_new(from->width, from->height, &now));
    for (int y = 0; y < from->height; y++)
        for (int x = 0; x < from->width; x++)
            ip_row(&now, y)[x] = gain * ip_row(from, y)[x];
    for (int i = 0; i < times; i++) {
        ip_plane_f half;
        ipos_status status = ip_halve(&now, &half, threads);
        ip_plane_free(&now);
        IP_TRY(status);
        now = half;
    }
    *out = now;
    return IPOS_OK;
}

/* Sorts the values of every place of a run by exchanging neighbours: the same steps for all, which a compiler can do many at a time. */
IP_INLINE void sort_run(float (*values)[RUN], int count) {
    for (int pass = 0; pass < count; pass++)
        for (int i = pass & 1; i + 1 < count; i += 2)
            for (int x = 0; x < RUN; x++) {
                float a = values[i][x], b = values[i + 1][x];
                values[i][x] = a < b ? a : b;
                values[i + 1][x] = a > b ? a : b;
            }
}

/* Of sorted values of which the first `seen` count. */
IP_INLINE float median_at(float (*values)[RUN], int seen, int x) { return .5f * (values[(seen - 1) / 2][x] + values[seen / 2][x]); }

IP_HOT static void median_cells(const ip_plane_f *cells, ip_plane_f *out) {
    enum { SIDE = 2 * MIDDLE + 1, AROUND = SIDE * SIDE };
    float values[AROUND][RUN];
    for (int y = 0; y < cells->height; y++)
        for (int x0 = 0; x0 < cells->width; x0 += RUN) {
            int width = IP_MIN(RUN, cells->width - x0), seen[RUN] = {0};
            for (int i = 0; i < AROUND; i++) {
                int dx = x0 + i % SIDE - MIDDLE, from = y + i / SIDE - MIDDLE, inside = from >= 0 && from < cells->height;
                int first = inside ? IP_MAX(0, -dx) : RUN, last = inside ? IP_MIN(width, cells->width - dx) : RUN;
                for (int k = 0; k < RUN; k++)
                    values[i][k] = INFINITY;
                for (int k = first; k < last; k++) {
                    values[i][k] = ip_row(cells, from)[k + dx];
                    seen[k]++;
                }
            }
            sort_run(values, AROUND);
            for (int k = 0; k < width; k++)
                ip_row(out, y)[x0 + k] = median_at(values, seen[k], k);
        }
}

/* The motion of the scene in cells, in pixels at full size, from the flow between the small pictures. */
static ipos_status scene_motion(const ip_plane_f *small, const ip_plane_f *other, int halvings, int threads, ip_plane_f cells[2]) {
    const ip_flow_options options = {.finest = 1, .threads = threads};
    ip_plane_f flow[2], raw;
    IP_TRY(ip_flow(small, other, &options, flow));
    ipos_status status = IPOS_OK;
    for (int i = 0; i < 2 && status == IPOS_OK; i++) {
        status = reduce(&flow[i], CELLS, (float)(1 << halvings), threads, &raw);
        if (status != IPOS_OK)
            break;
        status = ip_plane_new(raw.width, raw.height, &cells[i]);
        if (status == IPOS_OK)
            median_cells(&raw, &cells[i]);
        ip_plane_free(&raw);
    }
    ip_planes_free(flow, 2);
    return status;
}

typedef struct aligning {
    const ip_plane_f *other, *cells, *out;
} aligning;

/* Where a row or column of pixels lies between those of the cells. */
typedef struct between {
    int first, second;
    float share; /* of the second */
} between;

static between between_cells(int pixel, float scale, int cells) {
    between at;
    ip_linear_at(((float)pixel + .5f) * scale - .5f, cells, &at.first, &at.second, &at.share);
    return at;
}

static void bring_rows(void *user, int64_t begin, int64_t end) {
    enum { PIECE = 256 };
    const aligning *job = user;
    const ip_plane_f *other = job->other, *cells = job->cells;
    float sx = (float)cells->width / (float)other->width, sy = (float)cells->height / (float)other->height;
    float mixed[PIECE + 2], to[2][PIECE]; /* cells are larger than pixels */
    between across[PIECE];
    for (int x0 = 0; x0 < other->width; x0 += PIECE) {
        int width = IP_MIN(PIECE, other->width - x0);
        for (int k = 0; k < width; k++)
            across[k] = between_cells(x0 + k, sx, cells->width);
        int left = across[0].first, count = across[width - 1].second - left + 1;
        for (int y = (int)begin; y < (int)end; y++) {
            between down = between_cells(y, sy, cells->height);
            for (int i = 0; i < 2; i++) {
                const float *a = ip_row(&cells[i], down.first) + left, *b = ip_row(&cells[i], down.second) + left;
                for (int k = 0; k < count; k++)
                    mixed[k] = a[k] + down.share * (b[k] - a[k]);
                for (int k = 0; k < width; k++) {
                    float l = mixed[across[k].first - left], r = mixed[across[k].second - left];
                    to[i][k] = l + across[k].share * (r - l) + (float)(i ? y : x0 + k);
                }
            }
            float *out = ip_row(job->out, y) + x0;
            ip_sample_cubic_row(other, to[0], to[1], width, out);
            for (int k = 0; k < width; k++) {
                bool inside = to[0][k] >= 0 && to[1][k] >= 0 && to[0][k] <= (float)(other->width - 1) && to[1][k] <= (float)(other->height - 1);
                out[k] = inside ? out[k] : INFINITY;
            }
        }
    }
}

/* Brings a neighbour here, INFINITY where it does not see the place; *usable is false where it shows something else. */
static ipos_status align(const ip_plane_f *luma, const ip_plane_f *small, const ip_plane_f *other, int halvings, int threads, ip_plane_f *out, bool *usable) {
    ip_plane_f other_small, cells[2] = {0};
    IP_TRY(reduce(other, halvings, 255, threads, &other_small));
    ipos_status status = scene_motion(small, &other_small, halvings, threads, cells);
    ip_plane_free(&other_small);
    if (status == IPOS_OK)
        status = ip_plane_new(luma->width, luma->height, out);
    double apart = 0, seen = 0;
    if (status == IPOS_OK)
        ip_parallel(threads, luma->height, 8, bring_rows, &(aligning){other, cells, out});
    for (int y = 0; y < luma->height && status == IPOS_OK; y += 3)
        for (int x = 0; x < luma->width; x += 3) {
            float there = ip_row(out, y)[x];
            apart += there < INFINITY ? fabsf(ip_row(luma, y)[x] - there) : 0;
            seen += there < INFINITY;
        }
    ip_planes_free(cells, 2);
    *usable = seen > .2 / 9 * luma->width * luma->height && apart < another_scene * seen;
    return status;
}

typedef struct medians {
    const ip_plane_f *luma, *views;
    int count;
    ip_plane_f *out, *known;
} medians;

IP_HOT static void less_median(void *user, int64_t begin, int64_t end) {
    const medians *m = user;
    float values[IP_PASSING_MOST][RUN] = {0};
    for (int y = (int)begin; y < (int)end; y++)
        for (int x0 = 0; x0 < m->luma->width; x0 += RUN) {
            int width = IP_MIN(RUN, m->luma->width - x0), seen[RUN] = {0};
            for (int i = 0; i < m->count; i++) {
                const float *row = ip_row(&m->views[i], y) + x0;
                for (int x = 0; x < width; x++) {
                    values[i][x] = row[x];
                    seen[x] += row[x] < INFINITY;
                }
            }
            sort_run(values, m->count);
            for (int x = 0; x < width; x++) {
                bool known = seen[x] >= 2;
                ip_row(m->known, y)[x0 + x] = known;
                ip_row(m->out, y)[x0 + x] = known ? ip_row(m->luma, y)[x0 + x] - median_at(values, seen[x], x) : 0;
            }
        }
}

/* Takes changes of the light away: what is left over wide areas. */
static ipos_status level(ip_plane_f *out, const ip_plane_f *known, int threads) {
    ip_plane_f wide[3];
    int reach = IP_MAX(1, LEVEL * IP_MAX(out->height, 540) / 540);
    IP_TRY(ip_planes_new(out->width, out->height, wide, 3));
    for (int again = 0; again < 2; again++) {
        ip_box_blur(again ? &wide[0] : out, &wide[0], &wide[2], reach, reach, threads);
        ip_box_blur(again ? &wide[1] : known, &wide[1], &wide[2], reach, reach, threads);
    }
    for (int y = 0; y < out->height; y++)
        for (int x = 0; x < out->width; x++)
            if (ip_row(known, y)[x] > 0)
                ip_row(out, y)[x] -= ip_row(&wide[0], y)[x] / ip_row(&wide[1], y)[x];
    ip_planes_free(wide, 3);
    return IPOS_OK;
}

ipos_status ip_passing(const ip_plane_f *luma, const ip_plane_f *others, size_t count, int threads, ip_plane_f *out) {
    ip_plane_f views[IP_PASSING_MOST] = {0};
    int used = 0, halvings = 0;
    ip_plane_f small, known = {0};
    while (IP_MAX(luma->width, luma->height) >> halvings > SMALL && IP_MIN(luma->width, luma->height) >> halvings >= 64)
        halvings++;
    IP_TRY(reduce(luma, halvings, 255, threads, &small));
    ipos_status status = ip_plane_new(luma->width, luma->height, &known);
    for (size_t i = 0; i < count && used < IP_PASSING_MOST && status == IPOS_OK; i++) {
        bool usable = false;
        status = align(luma, &small, &others[i], halvings, threads, &views[used], &usable);
        if (usable && status == IPOS_OK)
            used++;
        else
            ip_plane_free(&views[used]);
    }
    if (status == IPOS_OK) {
        medians m = {.luma = luma, .views = views, .count = used, .out = out, .known = &known};
        ip_parallel(threads, luma->height, 8, less_median, &m);
        status = level(out, &known, threads);
    }
    ip_planes_free(views, IP_COUNT(views));
    ip_plane_free(&known);
    ip_plane_free(&small);
    return status;
}
