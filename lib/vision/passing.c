#include "passing.h"

#include "flow.h"
#include <math.h>

enum {
    SMALL = 520,   /* flow is sought where the longer side is at most this */
    CELLS = 2,     /* halvings from there to the cells that carry the motion */
    MIDDLE = 2,    /* cells around one whose median is its motion */
    RUN = 64,      /* pixels that are sorted at a time */
    LEVEL = 16     /* pixels around one over which the light may have changed, at 540 lines */
};
static const float another_scene = .12f; /* mean difference along the motion */

typedef struct aligned {
    ip_plane_f plane, valid; /* valid: 1 where the neighbour sees the place */
} aligned;

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

static float median_of(float *values, size_t count) {
    for (size_t i = 1; i < count; i++) { /* insertion: a handful of values */
        float value = values[i];
        size_t k = i;
        for (; k > 0 && values[k - 1] > value; k--)
            values[k] = values[k - 1];
        values[k] = value;
    }
    return count & 1 ? values[count / 2] : .5f * (values[count / 2 - 1] + values[count / 2]);
}

static void median_cells(const ip_plane_f *cells, ip_plane_f *out) {
    for (int y = 0; y < cells->height; y++)
        for (int x = 0; x < cells->width; x++) {
            float around[(2 * MIDDLE + 1) * (2 * MIDDLE + 1)];
            size_t count = 0;
            for (int dy = -MIDDLE; dy <= MIDDLE; dy++)
                for (int dx = -MIDDLE; dx <= MIDDLE; dx++)
                    if (x + dx >= 0 && x + dx < cells->width && y + dy >= 0 && y + dy < cells->height)
                        around[count++] = ip_row(cells, y + dy)[x + dx];
            ip_row(out, y)[x] = median_of(around, count);
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
    const ip_plane_f *other, *cells;
    const aligned *out;
} aligning;

static void bring_rows(void *user, int64_t begin, int64_t end) {
    const aligning *job = user;
    const ip_plane_f *other = job->other, *cells = job->cells;
    float sx = (float)cells->width / (float)other->width, sy = (float)cells->height / (float)other->height;
    for (int y = (int)begin; y < (int)end; y++) {
        float v = fminf(fmaxf(((float)y + .5f) * sy - .5f, 0), (float)(cells->height - 1));
        int above = (int)v, below = IP_MIN(above + 1, cells->height - 1);
        float down = v - (float)above;
        for (int x = 0; x < other->width; x++) {
            float u = fminf(fmaxf(((float)x + .5f) * sx - .5f, 0), (float)(cells->width - 1)), to[2];
            int left = (int)u, right = IP_MIN(left + 1, cells->width - 1);
            for (int i = 0; i < 2; i++) {
                const float *a = ip_row(&cells[i], above), *b = ip_row(&cells[i], below);
                float l = a[left] + down * (b[left] - a[left]), r = a[right] + down * (b[right] - a[right]);
                to[i] = l + (u - (float)left) * (r - l) + (float)(i ? y : x);
            }
            bool inside = to[0] >= 0 && to[1] >= 0 && to[0] <= (float)(other->width - 1) && to[1] <= (float)(other->height - 1);
            ip_row(&job->out->valid, y)[x] = inside;
            ip_row(&job->out->plane, y)[x] = inside ? ip_sample_cubic(other, to[0], to[1]) : 0;
        }
    }
}

/* Brings a neighbour here; *usable is false where it shows something else. */
static ipos_status align(const ip_plane_f *luma, const ip_plane_f *small, const ip_plane_f *other, int halvings, int threads, aligned *out, bool *usable) {
    ip_plane_f other_small, cells[2] = {0};
    IP_TRY(reduce(other, halvings, 255, threads, &other_small));
    ipos_status status = scene_motion(small, &other_small, halvings, threads, cells);
    ip_plane_free(&other_small);
    if (status == IPOS_OK)
        status = ip_plane_new(luma->width, luma->height, &out->plane);
    if (status == IPOS_OK)
        status = ip_plane_new(luma->width, luma->height, &out->valid);
    double apart = 0, seen = 0;
    if (status == IPOS_OK)
        ip_parallel(threads, luma->height, 8, bring_rows, &(aligning){other, cells, out});
    for (int y = 0; y < luma->height && status == IPOS_OK; y += 3)
        for (int x = 0; x < luma->width; x += 3) {
            float valid = ip_row(&out->valid, y)[x];
            apart += valid * fabsf(ip_row(luma, y)[x] - ip_row(&out->plane, y)[x]);
            seen += valid;
        }
    ip_planes_free(cells, 2);
    *usable = seen > .2 / 9 * luma->width * luma->height && apart < another_scene * seen;
    return status;
}

typedef struct medians {
    const ip_plane_f *luma;
    const aligned *views;
    int count;
    ip_plane_f *out, *known;
} medians;

/* Sorts the values of every pixel of a run by exchanging neighbours: the same steps for all, which a compiler can do many at a time. */
static void sort_run(float values[IP_PASSING_MOST][RUN], int count) {
    for (int pass = 0; pass < count; pass++)
        for (int i = pass & 1; i + 1 < count; i += 2)
            for (int x = 0; x < RUN; x++) {
                float a = values[i][x], b = values[i + 1][x];
                values[i][x] = a < b ? a : b;
                values[i + 1][x] = a < b ? b : a;
            }
}

static void less_median(void *user, int64_t begin, int64_t end) {
    const medians *m = user;
    float values[IP_PASSING_MOST][RUN] = {0};
    for (int y = (int)begin; y < (int)end; y++)
        for (int x0 = 0; x0 < m->luma->width; x0 += RUN) {
            int width = IP_MIN(RUN, m->luma->width - x0), seen[RUN] = {0};
            for (int i = 0; i < m->count; i++)
                for (int x = 0; x < width; x++) {
                    bool valid = ip_row(&m->views[i].valid, y)[x0 + x] > 0;
                    values[i][x] = valid ? ip_row(&m->views[i].plane, y)[x0 + x] : INFINITY;
                    seen[x] += valid;
                }
            sort_run(values, m->count);
            for (int x = 0; x < width; x++) {
                bool known = seen[x] >= 2;
                ip_row(m->known, y)[x0 + x] = known;
                ip_row(m->out, y)[x0 + x] = known ? ip_row(m->luma, y)[x0 + x] - .5f * (values[(seen[x] - 1) / 2][x] + values[seen[x] / 2][x]) : 0;
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
    aligned views[IP_PASSING_MOST] = {0};
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
        else {
            ip_plane_free(&views[used].plane);
            ip_plane_free(&views[used].valid);
        }
    }
    if (status == IPOS_OK) {
        medians m = {.luma = luma, .views = views, .count = used, .out = out, .known = &known};
        ip_parallel(threads, luma->height, 8, less_median, &m);
        status = level(out, &known, threads);
    }
    for (int i = 0; i < used; i++) {
        ip_plane_free(&views[i].plane);
        ip_plane_free(&views[i].valid);
    }
    ip_plane_free(&known);
    ip_plane_free(&small);
    return status;
}
