#include "flow.h"
#include <math.h>

enum { LEVELS = 16, SMALLEST = 32 };

typedef struct pyramid {
    ip_plane_f level[LEVELS];
    int count;
} pyramid;

/* A copy of at least SMALLEST x SMALLEST with the edge repeated, mirrored if asked. */
static ipos_status base_level(const ip_plane_f *from, bool flipped, ip_plane_f *out) {
    IP_TRY(ip_plane_new(IP_MAX(from->width, SMALLEST), IP_MAX(from->height, SMALLEST), out));
    for (int y = 0; y < out->height; y++) {
        const float *in = ip_row(from, IP_MIN(y, from->height - 1));
        float *row = ip_row(out, y);
        for (int x = 0; x < out->width; x++) {
            int at = IP_MIN(x, from->width - 1);
            row[x] = in[flipped ? from->width - 1 - at : at];
        }
    }
    return IPOS_OK;
}

static ipos_status pyramid_new(const ip_plane_f *from, bool flipped, int threads, pyramid *out) {
    IP_TRY(base_level(from, flipped, &out->level[0]));
    int longer = IP_MAX(out->level[0].width, out->level[0].height), shorter = IP_MIN(out->level[0].width, out->level[0].height);
    int levels = IP_MIN((int)floor(log2(longer / 32.) + .5), (int)floor(log2(shorter / 8.)));
    levels = IP_MAX(1, IP_MIN(levels + 1, LEVELS));
    for (out->count = 1; out->count < levels; out->count++)
        IP_TRY(ip_halve(&out->level[out->count - 1], &out->level[out->count], threads));
    return IPOS_OK;
}

static void negate(ip_plane_f *plane) {
    for (int y = 0; y < plane->height; y++)
        for (int x = 0; x < plane->width; x++)
            ip_row(plane, y)[x] *= -1.f;
}

static void mirror(ip_plane_f *plane) {
    for (int y = 0; y < plane->height; y++) {
        float *row = ip_row(plane, y);
        for (int x = 0; x < plane->width / 2; x++) {
            float t = row[x];
            row[x] = row[plane->width - 1 - x];
            row[plane->width - 1 - x] = t;
        }
    }
}

static ipos_status start(const ip_flow_options *options, const ip_plane_f *top, ip_plane_f flow[2]) {
    IP_TRY(ip_planes_new(top->width, top->height, flow, 2));
    if (options->initial_u) {
        ip_resize(options->initial_u, &flow[0], (float)top->width / (float)options->initial_u->width, options->threads);
        ip_resize(options->initial_v, &flow[1], (float)top->height / (float)options->initial_v->height, options->threads);
        if (options->flipped) {
            mirror(&flow[0]);
            mirror(&flow[1]);
            negate(&flow[0]);
        }
    }
    return IPOS_OK;
}

/* The flow of one level as the start of the next finer one. */
static ipos_status finer(ip_plane_f flow[2], int width, int height, int threads) {
    ip_plane_f next[2];
    IP_TRY(ip_planes_new(width, height, next, 2));
    for (int i = 0; i < 2; i++) {
        ip_resize(&flow[i], &next[i], 2.f, threads);
        ip_plane_free(&flow[i]);
        flow[i] = next[i];
    }
    return IPOS_OK;
}

static ipos_status copy_of(const ip_plane_f flow[2], ip_plane_f out[2]) {
    IP_TRY(ip_planes_new(flow[0].width, flow[0].height, out, 2));
    for (int k = 0; k < 2; k++)
        ip_plane_copy(&out[k], &flow[k]);
    return IPOS_OK;
}

static ipos_status descend(const pyramid *a, const pyramid *b, const ip_flow_options *options, ip_plane_f flow[2]) {
    const ip_refine_options refine = {.outer = 5, .inner = 5, .smooth = 10.f, .brightness = 5.f, .gradient = 10.f, .pulse = options->pulse};
    int finest = IP_MIN(options->finest, a->count - 1), threads = options->threads;
    IP_TRY(start(options, &a->level[a->count - 1], flow));
    for (int i = a->count - 1; i >= finest; i--) {
        IP_TRY(ip_flow_search(&a->level[i], &b->level[i], 6, options->pulse, flow, threads));
        IP_TRY(ip_flow_refine(&a->level[i], &b->level[i], &refine, flow, threads));
        if (!ip_alive(options->pulse))
            return ip_fail(IPOS_ERR_CANCELLED, "flow: cancelled");
        if (i == finest && options->searched)
            IP_TRY(copy_of(flow, options->searched));
        if (i > 0)
            IP_TRY(finer(flow, a->level[i - 1].width, a->level[i - 1].height, threads));
    }
    for (int i = finest - 2; i >= 0; i--)
        IP_TRY(finer(flow, a->level[i].width, a->level[i].height, threads));
    return IPOS_OK;
}

/* From the padded, perhaps mirrored result to planes of the caller's size. */
static ipos_status finish(ip_plane_f flow[2], int width, int height, bool flipped) {
    for (int i = 0; i < 2; i++) {
        ip_plane_f out;
        IP_TRY(ip_plane_new(width, height, &out));
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) {
                float v = ip_row(&flow[i], y)[flipped ? width - 1 - x : x];
                ip_row(&out, y)[x] = flipped && i == 0 ? -v : v;
            }
        ip_plane_free(&flow[i]);
        flow[i] = out;
    }
    return IPOS_OK;
}

ipos_status ip_flow(const ip_plane_f *a, const ip_plane_f *b, const ip_flow_options *options, ip_plane_f flow[2]) {
    pyramid pa = {0}, pb = {0};
    memset(flow, 0, 2 * sizeof *flow);
    if (options->searched)
        memset(options->searched, 0, 2 * sizeof *options->searched);
    ipos_status status = IPOS_OK;
    if (a->width != b->width || a->height != b->height)
        return ip_fail(IPOS_ERR_ARGUMENT, "flow: planes %dx%d and %dx%d, expected one size", a->width, a->height, b->width, b->height);
    if (status == IPOS_OK)
        status = pyramid_new(a, options->flipped, options->threads, &pa);
    if (status == IPOS_OK)
        status = pyramid_new(b, options->flipped, options->threads, &pb);
    if (status == IPOS_OK)
        status = descend(&pa, &pb, options, flow);
    if (status == IPOS_OK)
        status = finish(flow, a->width, a->height, options->flipped);
    ip_planes_free(pa.level, LEVELS);
    ip_planes_free(pb.level, LEVELS);
    if (status != IPOS_OK)
        ip_planes_free(flow, 2);
    if (status != IPOS_OK && options->searched)
        ip_planes_free(options->searched, 2);
    return status;
}

ipos_status ip_flow_again(const ip_plane_f searched[2], int width, int height, int threads, ip_plane_f flow[2]) {
    int size[LEVELS][2] = {{IP_MAX(width, SMALLEST), IP_MAX(height, SMALLEST)}}, level = 0;
    memset(flow, 0, 2 * sizeof *flow);
    for (; level < LEVELS - 1 && size[level][0] > searched[0].width; level++)
        for (int k = 0; k < 2; k++)
            size[level + 1][k] = (size[level][k] + 1) / 2;
    if (size[level][0] != searched[0].width || size[level][1] != searched[0].height)
        return ip_fail(IPOS_ERR_ARGUMENT, "flow: what was searched is %dx%d, which is no level of %dx%d", searched[0].width, searched[0].height, width, height);
    ipos_status status = copy_of(searched, flow);
    for (int i = level - 1; i >= 0 && status == IPOS_OK; i--)
        status = finer(flow, size[i][0], size[i][1], threads);
    if (status == IPOS_OK)
        status = finish(flow, width, height, false);
    if (status != IPOS_OK)
        ip_planes_free(flow, 2);
    return status;
}

void ip_flow_follow(const ip_plane_f flow[2], const ip_plane_f path[2]) {
    for (int y = 0; y < path->height; y++)
        for (int x = 0; x < path->width; x++) {
            float *u = &ip_row(&path[0], y)[x], *v = &ip_row(&path[1], y)[x], px = (float)x + *u, py = (float)y + *v;
            *u += ip_sample_linear(&flow[0], px, py);
            *v += ip_sample_linear(&flow[1], px, py);
        }
}
