#include "sharp_edge.h"
#include "fit.h"
#include <math.h>
#include <stdlib.h>

enum { FRAMES = 6, STEP = 8, CANDIDATES = 400, EDGES = FRAMES * 120, EDGES_LEAST = 12 };

static int by_energy(const void *a, const void *b) {
    const ip_edge_place *p = a, *q = b;
    if (p->energy != q->energy)
        return p->energy > q->energy ? -1 : 1;
    return p->y != q->y ? p->y - q->y : p->x - q->x;
}

static int by_mtf(const void *a, const void *b) {
    double p = ((const ip_edge *)a)->mtf50, q = ((const ip_edge *)b)->mtf50;
    return (p > q) - (p < q);
}

static void make_luma(const ip_image3 *image, float clip, const ip_plane_f *luma, const ip_plane_f *clipped) {
    for (int y = 0; y < luma->height; y++)
        for (int x = 0; x < luma->width; x++) {
            float r = ip_row(&image->c[0], y)[x], g = ip_row(&image->c[1], y)[x], b = ip_row(&image->c[2], y)[x];
            ip_row(luma, y)[x] = ip_luma_of(r, g, b);
            ip_row(clipped, y)[x] = clip > 0.f && fmaxf(r, fmaxf(g, b)) > .98f * clip ? 1.f : 0.f;
        }
}

static bool clean_window(const ip_plane_f *clipped, const ip_edge_place *c) {
    for (int y = c->y - IP_EDGE_HALF; y <= c->y + IP_EDGE_HALF; y++)
        for (int x = c->x - IP_EDGE_HALF; x <= c->x + IP_EDGE_HALF; x++)
            if (ip_row(clipped, y)[x] > 0.f)
                return false;
    return true;
}

/* The strongest coherent windows of a frame, their edge near the middle. */
static size_t candidates(const ip_plane_f *gx, const ip_plane_f *gy, const ip_plane_f *clipped, ip_edge_place *list) {
    size_t count = 0;
    for (int y = IP_EDGE_HALF + 2; y < gx->height - IP_EDGE_HALF - 2; y += STEP)
        for (int x = IP_EDGE_HALF + 2; x < gx->width - IP_EDGE_HALF - 2; x += STEP) {
            ip_edge_place c = {.x = x, .y = y};
            if (!ip_edge_look(gx, gy, &c) || !clean_window(clipped, &c))
                continue;
            if (count == CANDIDATES) {
                qsort(list, count, sizeof *list, by_energy);
                count = CANDIDATES / 2;
            }
            list[count++] = c;
        }
    qsort(list, count, sizeof *list, by_energy);
    return count;
}

static ipos_status measure_frame(const ip_look_source *source, size_t index, ip_edge_place *list, ip_edge *edges, size_t *count) {
    ip_image3 image;
    ip_plane_f part[4] = {0};
    IP_TRY(ip_look_fetch(source, index, 0, &image));
    ipos_status status = ip_planes_new(image.c[0].width, image.c[0].height, part, 4);
    if (status == IPOS_OK) {
        make_luma(&image, source->clip, &part[0], &part[1]);
        ip_sobel(&part[0], &part[2], &part[3], source->threads);
        double white = source->clip > 0.f ? source->clip : 1.;
        size_t found = candidates(&part[2], &part[3], &part[1], list), taken = 0;
        for (size_t i = 0; i < found && taken < EDGES / FRAMES; i++) {
            bool good = ip_edge_measure(&part[0], &list[i], .05 * white, &edges[*count]);
            *count += good;
            taken += good;
        }
    }
    ip_planes_free(part, 4);
    ip_image3_free(&image);
    return status;
}

static void summarise(ip_edge *edges, size_t count, ip_sharp *out) {
    qsort(edges, count, sizeof *edges, by_mtf);
    out->edges = (int64_t)count;
    out->mtf50 = edges[count * 3 / 4].mtf50;
    out->median = edges[count / 2].mtf50;
    out->spread = (edges[count * 3 / 4].mtf50 - edges[count / 4].mtf50) / out->median;
    size_t first = count * 5 / 8, last = IP_MAX(first + 1, count * 7 / 8);
    for (int i = 0; i < IP_SHARP_FREQUENCIES; i++) {
        float values[EDGES];
        for (size_t e = first; e < last; e++)
            values[e - first] = (float)edges[e].curve[i];
        out->curve[i] = ip_select(values, last - first, (last - first) / 2);
        out->overshoot = fmax(out->overshoot, out->curve[i] - 1.);
    }
    out->reading.confidence = (double)count / ((double)count + 20.) / (1. + out->spread);
}

ipos_status ip_sharp_measure(const ip_look_source *source, ip_sharp *out) {
    *out = (ip_sharp){0};
    IP_TRY(ip_look_check(source, "sharpness"));
    ip_edge_place *list = ip_alloc(CANDIDATES * sizeof *list);
    ip_edge *edges = ip_alloc(EDGES * sizeof *edges);
    ipos_status status = list && edges ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    size_t frames = ip_look_spread(source->count, FRAMES), count = 0;
    for (size_t i = 0; i < frames && status == IPOS_OK; i++)
        status = measure_frame(source, ip_look_spread_at(source->count, frames, i), list, edges, &count);
    out->reading.frames = (int64_t)frames;
    if (status == IPOS_OK && count >= EDGES_LEAST)
        summarise(edges, count, out);
    else if (status == IPOS_OK)
        ip_not_measurable(&out->reading, "%zu straight, strong, isolated edges in %zu frames, at least %d are needed", count, frames, EDGES_LEAST);
    ip_free(list);
    ip_free(edges);
    return status;
}

static const ip_field fields[] = {IP_FIELD(ip_sharp, reading, IP_FIELD_READING), IP_FIELD(ip_sharp, mtf50, IP_FIELD_REAL),
    IP_FIELD(ip_sharp, median, IP_FIELD_REAL), IP_FIELD(ip_sharp, spread, IP_FIELD_REAL), IP_FIELD(ip_sharp, overshoot, IP_FIELD_REAL),
    IP_FIELD(ip_sharp, edges, IP_FIELD_INT), IP_FIELDS(ip_sharp, curve, IP_FIELD_REAL, IP_SHARP_FREQUENCIES)};

json_t *ip_sharp_json(const ip_sharp *sharp) { return ip_record_json(fields, IP_COUNT(fields), sharp); }

ipos_status ip_sharp_parse(const json_t *value, ip_sharp *out) {
    *out = (ip_sharp){0};
    return ip_record_parse(fields, IP_COUNT(fields), value, "sharpness", out);
}
