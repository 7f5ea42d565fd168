/* Changed places gathered to regions, and what kind of change each is. */
#include "change_internal.h"
#include "difference.h"
#include "fit.h"
#include "gauss.h"
#include <math.h>
#include <stdlib.h>

enum { RIM = 3, A = 0, E = 1 }; /* the take's, and what was expected */
static const double LEAST_AREA = .00015, STRUCTURE_SMOOTH = 1.5;
static const double SAME = .5;      /* correlation of gradients from which on the structure is the same */
static const double SHARP = .11;    /* steepness of the difference at its steepest, over its height, 1/pixel: an edge has .2, light .05 */
static const double BLANK = .4;     /* what is left of a difference where it is averaged, if it is one of detail alone */
static const float CHROMA = .5f;
static const double COLOURFUL = .8; /* chroma over lightness, from which on a change is one of colour */

typedef struct found {
    ip_change_region region;
    int number;
} found;

typedef struct work {
    const ip_change_pair *pair;
    ip_change_report *report;
    ip_plane_f slope[2][3][2]; /* of A and E: L*, a*, b*; x and y; those of colour weigh CHROMA */
    ip_plane_f steep;         /* of the difference of both in L*a*b* */
    int *label;               /* 0: none, -1: changed and not yet visited */
    int *list;                /* pixels of the region at hand */
    float *values;            /* scratch, one a pixel */
    found best[IP_CHANGE_REGIONS];
    int width, height;
} work;

static int at(const work *w, int x, int y) { return y * w->width + x; }

/* Fills list with the region of a pixel; returns its size. */
static int gather(work *w, int first, int number) {
    int count = 0;
    w->list[count++] = first;
    w->label[first] = number;
    for (int i = 0; i < count; i++) {
        int x = w->list[i] % w->width, y = w->list[i] / w->width;
        for (int j = IP_MAX(0, y - 1); j <= IP_MIN(w->height - 1, y + 1); j++)
            for (int k = IP_MAX(0, x - 1); k <= IP_MIN(w->width - 1, x + 1); k++)
                if (w->label[at(w, k, j)] == -1) {
                    w->label[at(w, k, j)] = number;
                    w->list[count++] = at(w, k, j);
                }
    }
    return count;
}

static void lab_at(const work *w, int image, int pixel, double lab[3]) {
    for (int c = 0; c < 3; c++)
        lab[c] = ip_row(&w->pair->lab[image].c[c], pixel / w->width)[pixel % w->width];
}

/* Y of L*, as far as it matters for a ratio. */
static double light_of(double lightness) { return fmax(.002, lightness > 8. ? pow((lightness + 16.) / 116., 3.) : lightness / 903.3); }

/* What the kind is decided by. */
typedef struct evidence {
    double lightness, chroma; /* mean of the difference; chroma: what light alone does not do */
    double distance;          /* mean length of it */
    double structure, sharp;
} evidence;

static void measure_colours(work *w, int count, ip_change_region *region, evidence *e) {
    double sum = 0., mean[3] = {0}, chroma[2] = {0};
    int x0 = w->width, y0 = w->height, x1 = 0, y1 = 0;
    for (int i = 0; i < count; i++) {
        int pixel = w->list[i], x = pixel % w->width, y = pixel / w->width;
        double a[3], b[3], d2 = 0.;
        lab_at(w, A, pixel, a);
        lab_at(w, E, pixel, b);
        double d = ip_ciede2000(a, b), scale = (a[0] + 16.) / (b[0] + 16.);
        w->values[i] = (float)d;
        sum += d;
        for (int c = 0; c < 3; c++) {
            mean[c] += (a[c] - b[c]) / count;
            d2 += (a[c] - b[c]) * (a[c] - b[c]);
        }
        for (int c = 0; c < 2; c++)
            chroma[c] += (a[1 + c] - scale * b[1 + c]) / count;
        e->distance += sqrt(d2) / count;
        x0 = IP_MIN(x0, x), y0 = IP_MIN(y0, y), x1 = IP_MAX(x1, x), y1 = IP_MAX(y1, y);
    }
    region->mean = sum / count;
    region->peak = ip_quantile(w->values, (size_t)count, .98);
    region->box = (ip_box_i){x0, y0, x1 - x0 + 1, y1 - y0 + 1};
    region->area = count;
    e->lightness = fabs(mean[0]);
    e->chroma = hypot(chroma[0], chroma[1]);
    for (int i = 0; i < count; i++) {
        double a[3], b[3];
        lab_at(w, A, w->list[i], a);
        lab_at(w, E, w->list[i], b);
        w->values[i] = (float)log2(light_of(a[0]) / light_of(b[0]));
    }
    region->stops = ip_select(w->values, (size_t)count, (size_t)count / 2);
}

static bool near_region(const work *w, int x, int y, int number) {
    for (int j = IP_MAX(0, y - RIM); j <= IP_MIN(w->height - 1, y + RIM); j += RIM)
        for (int i = IP_MAX(0, x - RIM); i <= IP_MIN(w->width - 1, x + RIM); i += RIM)
            if (w->label[at(w, i, j)] == number)
                return true;
    return false;
}

/* Over the region and a rim of it, where things have their outline. */
static void measure_structure(work *w, int number, const ip_box_i *box, evidence *e) {
    double aa = 0., bb = 0., ab = 0.;
    size_t count = 0;
    for (int y = IP_MAX(0, box->y - RIM); y < IP_MIN(w->height, box->y + box->height + RIM); y++)
        for (int x = IP_MAX(0, box->x - RIM); x < IP_MIN(w->width, box->x + box->width + RIM); x++) {
            if (!near_region(w, x, y, number))
                continue;
            for (int k = 0; k < 6; k++) {
                double a = ip_row(&w->slope[A][k / 2][k % 2], y)[x], b = ip_row(&w->slope[E][k / 2][k % 2], y)[x];
                aa += a * a;
                bb += b * b;
                ab += a * b;
            }
            w->values[count++] = ip_row(&w->steep, y)[x];
        }
    e->structure = aa > 0. && bb > 0. ? ab / sqrt(aa * bb) : 0.;
    e->sharp = count ? ip_quantile(w->values, count, .95) : 0.;
}

static double between(double low, double high, double v) { return fmax(0., fmin(1., (v - low) / (high - low))); }

static void decide(const evidence *e, ip_change_region *region) {
    double sharp = e->sharp / fmax(1., region->peak);
    bool same = e->structure > SAME;
    double signed_part = hypot(e->lightness, e->chroma) / fmax(1e-6, e->distance);
    region->structure = e->structure;
    if (!same && sharp > SHARP) {
        region->kind = IP_CHANGE_THING;
        region->certainty = fmin(between(SAME, 0., e->structure), between(SHARP, 2. * SHARP, sharp));
    } else if (same && signed_part < BLANK) {
        region->kind = IP_CHANGE_DETAIL;
        region->certainty = fmin(between(SAME, 1., e->structure), between(BLANK, 0., signed_part));
    } else {
        double part = e->chroma / fmax(1e-6, e->lightness);
        region->kind = part > COLOURFUL ? IP_CHANGE_COLOUR : IP_CHANGE_LIGHT;
        region->certainty = fmin(fabs(part - COLOURFUL) / (part + COLOURFUL), fmax(between(SAME, 1., e->structure), between(SHARP, 0., sharp)));
    }
}

static int by_importance(const void *a, const void *b) {
    const ip_change_region *p = &((const found *)a)->region, *q = &((const found *)b)->region;
    if (p->importance != q->importance)
        return p->importance > q->importance ? -1 : 1;
    return p->box.y != q->box.y ? p->box.y - q->box.y : p->box.x - q->box.x;
}

/* To pixels of the take's frame. */
static void to_full(const work *w, ip_change_region *region) {
    const ip_look_source *take = w->pair->source;
    double k = w->report->scale;
    int x = (int)(region->box.x * k), y = (int)(region->box.y * k);
    int right = IP_MIN(take->width, (int)((region->box.x + region->box.width) * k)), bottom = IP_MIN(take->height, (int)((region->box.y + region->box.height) * k));
    region->box = (ip_box_i){x, y, IP_MAX(1, right - x), IP_MAX(1, bottom - y)};
    region->area = fmin(region->area * k * k, (double)region->box.width * region->box.height);
}

/* Keeps the most important; once all places are taken, the last is for the one at hand. */
static void keep(work *w, const found *one) {
    ip_change_report *report = w->report;
    report->found++;
    if (report->regions < IP_CHANGE_REGIONS)
        w->best[report->regions++] = *one;
    else if (by_importance(one, &w->best[IP_CHANGE_REGIONS - 1]) < 0)
        w->best[IP_CHANGE_REGIONS - 1] = *one;
    else
        return;
    if (report->regions == IP_CHANGE_REGIONS)
        qsort(w->best, IP_CHANGE_REGIONS, sizeof *w->best, by_importance);
}

/* The ranks of the regions, into the report's plane. */
static ipos_status rank(work *w, int numbers) {
    ip_change_report *report = w->report;
    float *rank_of = ip_calloc((size_t)numbers + 1, sizeof *rank_of);
    if (!rank_of)
        return IPOS_ERR_NO_MEMORY;
    qsort(w->best, (size_t)report->regions, sizeof *w->best, by_importance);
    for (int64_t i = 0; i < report->regions; i++) {
        report->region[i] = w->best[i].region;
        rank_of[w->best[i].number] = (float)(i + 1);
    }
    ipos_status status = ip_plane_new(w->width, w->height, &report->belongs);
    for (int y = 0; status == IPOS_OK && y < w->height; y++)
        for (int x = 0; x < w->width; x++)
            ip_row(&report->belongs, y)[x] = rank_of[w->label[at(w, x, y)]];
    ip_free(rank_of);
    return status;
}

static ipos_status gather_all(work *w) {
    double whole = (double)w->width * w->height, least = (w->pair->options->least_area > 0. ? w->pair->options->least_area : LEAST_AREA) * whole;
    int number = 0;
    for (int first = 0; first < w->width * w->height; first++) {
        if (w->label[first] != -1)
            continue;
        found one = {0};
        ip_change_region *region = &one.region;
        evidence e = {0};
        int count = gather(w, first, ++number);
        one.number = number;
        if (count < least)
            continue;
        measure_colours(w, count, region, &e);
        measure_structure(w, number, &region->box, &e);
        decide(&e, region);
        region->importance = region->mean * sqrt(100. * count / whole);
        to_full(w, region);
        keep(w, &one);
    }
    return rank(w, number);
}

/* Gradients of lightness, and of the difference in all of L*a*b*. */
static ipos_status prepare(work *w) {
    const ip_image3 *lab = w->pair->lab;
    int threads = w->pair->source->threads;
    ip_plane_f part[4];
    IP_TRY(ip_planes_new(w->width, w->height, part, 4));
    for (int i = 0; i < 2; i++)
        for (int c = 0; c < 3; c++) {
            ip_gauss_blur(&lab[i].c[c], &part[0], &part[1], STRUCTURE_SMOOTH, threads);
            for (int y = 0; c > 0 && y < w->height; y++)
                for (int x = 0; x < w->width; x++)
                    ip_row(&part[0], y)[x] *= CHROMA;
            ip_sobel(&part[0], &w->slope[i][c][0], &w->slope[i][c][1], threads);
        }
    for (int c = 0; c < 3; c++) {
        for (int y = 0; y < w->height; y++)
            for (int x = 0; x < w->width; x++)
                ip_row(&part[0], y)[x] = ip_row(&lab[A].c[c], y)[x] - ip_row(&lab[E].c[c], y)[x];
        ip_gauss_blur(&part[0], &part[0], &part[1], STRUCTURE_SMOOTH, threads);
        ip_sobel(&part[0], &part[2], &part[3], threads);
        for (int y = 0; y < w->height; y++)
            for (int x = 0; x < w->width; x++) {
                float gx = .5f * ip_row(&part[2], y)[x], gy = .5f * ip_row(&part[3], y)[x];
                ip_row(&w->steep, y)[x] += gx * gx + gy * gy;
            }
    }
    for (int y = 0; y < w->height; y++)
        for (int x = 0; x < w->width; x++)
            ip_row(&w->steep, y)[x] = sqrtf(ip_row(&w->steep, y)[x]);
    ip_planes_free(part, 4);
    return IPOS_OK;
}

ipos_status ip_change_regions(const ip_change_pair *pair, const ip_plane_f *mask, ip_change_report *report) {
    work w = {.pair = pair, .report = report, .width = mask->width, .height = mask->height};
    size_t pixels = (size_t)w.width * (size_t)w.height;
    ipos_status status = ip_planes_new(w.width, w.height, &w.slope[A][0][0], 12);
    if (status == IPOS_OK)
        status = ip_plane_new(w.width, w.height, &w.steep);
    if (status == IPOS_OK) {
        w.label = ip_calloc(pixels, sizeof *w.label);
        w.list = ip_calloc(pixels, sizeof *w.list);
        w.values = ip_calloc(pixels, sizeof *w.values);
        status = w.label && w.list && w.values ? prepare(&w) : IPOS_ERR_NO_MEMORY;
    }
    if (status == IPOS_OK) {
        for (size_t i = 0; i < pixels; i++)
            w.label[i] = ip_row(mask, (int)(i / (size_t)w.width))[i % (size_t)w.width] > 0.f ? -1 : 0;
        status = gather_all(&w);
    }
    ip_planes_free(&w.slope[A][0][0], 12);
    ip_plane_free(&w.steep);
    ip_free(w.label);
    ip_free(w.list);
    ip_free(w.values);
    return status;
}
