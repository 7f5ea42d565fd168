#include "line.h"

#include <math.h>

enum {
    HALF = 20,   /* of a piece averaged before it is looked at across, units */
    ALL = 40,    /* half of the line its pieces are averaged over */
    AROUND = 20, /* half of the width that tells what is usual */
    SAMPLES = 4096
};
static const float step = .025f; /* radians from direction to direction: a pixel at the ends of a line */
static const float most = 6;     /* no single place counts for more */
static const float near = 1.2f;  /* times what is seen close by is the most that the line adds there */

/* out(x, y) = plane at (x + lean * (y - middle) - margin, y): lines that lean so become columns. Or back. */
typedef struct lean_job {
    const ip_plane_f *from, *to;
    float lean, shift;
    bool most_of;
} lean_job;

static void lean_rows(void *user, int64_t begin, int64_t end) {
    const lean_job *job = user;
    for (int y = (int)begin; y < (int)end; y++) {
        const float *from = ip_row(job->from, y);
        float *to = ip_row(job->to, y), by = job->shift + job->lean * ((float)y - .5f * (float)job->from->height);
        int whole = (int)floorf(by), last = job->from->width - 1;
        float share = by - (float)whole;
        for (int x = 0; x < job->to->width; x++) {
            int at = x + whole, next = at + 1;
            at = at < 0 ? 0 : at > last ? last : at;
            next = next < 0 ? 0 : next > last ? last : next;
            float value = from[at] + share * (from[next] - from[at]);
            to[x] = job->most_of && to[x] > value ? to[x] : value;
        }
    }
}

typedef struct across_job {
    const ip_plane_f *plane, *out;
    int side;
} across_job;

static void across_rows(void *user, int64_t begin, int64_t end) {
    const across_job *job = user;
    for (int y = (int)begin; y < (int)end; y++) {
        const float *p = ip_row(job->plane, y);
        float *out = ip_row(job->out, y);
        for (int x = job->side; x < job->plane->width - job->side; x++) {
            float a = p[x] - p[x - job->side], b = p[x] - p[x + job->side];
            out[x] = a * b > 0 ? fminf(fabsf(a), fabsf(b)) : 0;
        }
    }
}

enum { LEANT, ALONG, STANDS, LOCAL, SUM, TMP, PLANES };

/* Evidence of columns of p[LEANT], in p[SUM]. */
static void columns(ip_plane_f p[PLANES], float unit, int threads) {
    static const struct {
        int side, blur; /* pixels at a unit of 1 */
    } scales[] = {{2, 0}, {4, 1}};
    int half = (int)lrintf(HALF * unit), all = (int)lrintf(ALL * unit), around = (int)lrintf(AROUND * unit);
    ip_box_blur(&p[LEANT], &p[ALONG], &p[TMP], 0, half, threads);
    ip_plane_fill(&p[SUM], 0);
    for (size_t i = 0; i < IP_COUNT(scales); i++) {
        const ip_plane_f *look = &p[ALONG];
        if (scales[i].blur) {
            ip_box_blur(&p[ALONG], &p[LEANT], &p[TMP], (int)lrintf((float)scales[i].blur * unit), 0, threads);
            look = &p[LEANT];
        }
        across_job job = {look, &p[STANDS], (int)lrintf((float)scales[i].side * unit)};
        ip_plane_fill(&p[STANDS], 0);
        ip_parallel(threads, look->height, 16, across_rows, &job);
        ip_box_blur(look, &p[LOCAL], &p[TMP], (int)lrintf(4 * unit), 0, threads);
        float noise = 1.4826f * ip_median_size(look, &p[LOCAL], SAMPLES) + 1e-6f; /* the deviation of normal noise by the median of its size */
        ip_box_blur(&p[STANDS], &p[LOCAL], &p[TMP], around, all, threads);
        for (int y = 0; y < look->height; y++)
            for (int x = 0; x < look->width; x++) {
                float value = fminf(ip_row(&p[STANDS], y)[x] / (noise + 2 * ip_row(&p[LOCAL], y)[x]), most), *to = &ip_row(&p[SUM], y)[x];
                *to = value > *to ? value : *to;
            }
    }
    ip_box_blur(&p[SUM], &p[STANDS], &p[TMP], 0, half / 2, threads);
    ip_box_blur(&p[SUM], &p[SUM], &p[TMP], 0, all, threads);
    for (int y = 0; y < p[SUM].height; y++) /* a line ends where nothing is seen of it */
        for (int x = 0; x < p[SUM].width; x++)
            ip_row(&p[SUM], y)[x] = fminf(ip_row(&p[SUM], y)[x], near * ip_row(&p[STANDS], y)[x]);
}

/* Lines no further than half a right angle from columns; angle of the line from a column, to the right with y. */
static ipos_status steep(const ip_plane_f *plane, float angle, float spread, float unit, int threads, ip_plane_f *out) {
    ip_plane_f p[PLANES];
    int margin = (int)ceilf(.5f * (float)plane->height * fminf(tanf(fabsf(angle) + spread), 2)) + 1;
    IP_TRY(ip_planes_new(plane->width + 2 * margin, plane->height, p, PLANES));
    for (float by = -spread; by <= spread + .5f * step; by += step) {
        float lean = fmaxf(-2, fminf(tanf(angle + by), 2));
        lean_job there = {plane, &p[LEANT], lean, (float)-margin, false};
        ip_parallel(threads, plane->height, 16, lean_rows, &there);
        columns(p, unit, threads);
        lean_job back = {&p[SUM], out, -lean, (float)margin, true};
        ip_parallel(threads, plane->height, 16, lean_rows, &back);
    }
    ip_planes_free(p, PLANES);
    return IPOS_OK;
}

static ipos_status turned(const ip_plane_f *plane, ip_plane_f *out) {
    IP_TRY(ip_plane_new(plane->height, plane->width, out));
    for (int y = 0; y < plane->height; y++)
        for (int x = 0; x < plane->width; x++)
            ip_row(out, x)[y] = ip_row(plane, y)[x];
    return IPOS_OK;
}

ipos_status ip_line_evidence(const ip_plane_f *plane, float angle, float spread, float unit, int threads, ip_plane_f *out) {
    const float right = 1.57079633f;
    float from_column = remainderf(right - angle, 2 * right); /* dx by dy */
    if (fabsf(from_column) <= .5f * right) {
        IP_TRY(ip_plane_new(plane->width, plane->height, out));
        ipos_status status = steep(plane, from_column, spread, unit, threads, out);
        if (status != IPOS_OK)
            ip_plane_free(out);
        return status;
    }
    ip_plane_f side, found = {0};
    IP_TRY(turned(plane, &side));
    ipos_status status = ip_plane_new(side.width, side.height, &found);
    if (status == IPOS_OK)
        status = steep(&side, remainderf(angle, 2 * right), spread, unit, threads, &found);
    if (status == IPOS_OK)
        status = turned(&found, out);
    ip_plane_free(&side);
    ip_plane_free(&found);
    return status;
}
