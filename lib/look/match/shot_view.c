#include "shot_view.h"
#include "gauss.h"
#include "register.h"
#include <math.h>

enum { WIDEST = 480, MOST_PAIRS = 2500, RIM = 6 };
static const double SOFT = 2., SHARE_LEAST = .03, WITHIN_LEAST = .12; /* flow finds 1 to 6 % even between pictures of different things */
static const float LOW = .012f, HIGH = .988f;

bool ip_shot_usable(const ip_look_source *source, const float rgb[3]) {
    float high = source->clip > 0.f ? HIGH * ip_look_code(source, source->clip) : 1e6f;
    for (int c = 0; c < 3; c++)
        if (!(rgb[c] > LOW && rgb[c] < high))
            return false;
    return true;
}

static ipos_status soften(const ip_image3 *from, ip_image3 *to, int threads) {
    ip_plane_f scratch = {0};
    IP_TRY(ip_plane_new(from->c[0].width, from->c[0].height, &scratch));
    for (int c = 0; c < 3; c++)
        ip_gauss_blur(&from->c[c], &to->c[c], &scratch, SOFT, threads);
    ip_plane_free(&scratch);
    return IPOS_OK;
}

ipos_status ip_shot_view_new(const ip_look_source *source, size_t index, ip_shot_view *out) {
    ip_image3 linear;
    *out = (ip_shot_view){0};
    IP_TRY(ip_look_fetch(source, index, WIDEST, &linear));
    return ip_shot_view_of(source, &linear, out);
}

ipos_status ip_shot_view_of(const ip_look_source *source, ip_image3 *linear, ip_shot_view *out) {
    *out = (ip_shot_view){.code = *linear};
    *linear = (ip_image3){0};
    int w = out->code.c[0].width, h = out->code.c[0].height;
    ipos_status status = ip_plane_new(w, h, &out->luma);
    if (status == IPOS_OK)
        status = ip_image3_new(w, h, &out->soft);
    if (status == IPOS_OK) {
        ip_look_code_luma(source, &out->code, &out->luma);
        for (int c = 0; c < 3; c++)
            ip_look_code_plane(source, &out->code.c[c], &out->code.c[c]);
        status = soften(&out->code, &out->soft, source->threads);
    }
    if (status == IPOS_OK)
        status = ip_place_view_new(&out->luma, source->threads, &out->place);
    if (status != IPOS_OK)
        ip_shot_view_free(out);
    return status;
}

void ip_shot_view_free(ip_shot_view *view) {
    ip_image3_free(&view->code);
    ip_image3_free(&view->soft);
    ip_plane_free(&view->luma);
    ip_place_view_free(&view->place);
}

typedef struct laid {
    ip_image3 soft;       /* of b, in the frame of a */
    ip_plane_f luma, inside;
} laid;

static void laid_free(laid *l) {
    ip_image3_free(&l->soft);
    ip_plane_free(&l->luma);
    ip_plane_free(&l->inside);
}

/* Blurred once it lies in a: a blur of b as it is would be another one there where the framing differs, and leave another contrast. */
static ipos_status lay(const ip_shot_view *a, const ip_shot_view *b, const ip_place *place, int threads, laid *out) {
    int w = a->luma.width, h = a->luma.height, bw = b->luma.width, bh = b->luma.height;
    *out = (laid){0};
    IP_TRY(ip_image3_new(w, h, &out->soft));
    IP_TRY(ip_plane_new(w, h, &out->luma));
    IP_TRY(ip_plane_new(w, h, &out->inside));
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            double at[2];
            float rgb[3];
            ip_place_at(place, &a->place, &b->place, x, y, at);
            ip_sample_cubic3(&b->code, (float)at[0], (float)at[1], rgb);
            for (int c = 0; c < 3; c++)
                ip_row(&out->soft.c[c], y)[x] = rgb[c];
            ip_row(&out->luma, y)[x] = ip_sample_cubic(&b->luma, (float)at[0], (float)at[1]);
            ip_row(&out->inside, y)[x] = at[0] >= RIM && at[1] >= RIM && at[0] <= bw - 1 - RIM && at[1] <= bh - 1 - RIM ? 1.f : 0.f;
        }
    return soften(&out->soft, &out->soft, threads);
}

ipos_status ip_shot_alike(const ip_plane_f *a, const ip_plane_f *other, const ip_plane_f *inside, const ip_plane_f flow[2], int threads, double *out) {
    ip_plane_f n[2] = {0};
    double ab = 0., aa = 0., bb = 0.;
    ipos_status status = ip_planes_new(a->width, a->height, n, 2);
    if (status == IPOS_OK)
        status = ip_local_normal(a, 4., .02f, &n[0], threads);
    if (status == IPOS_OK)
        status = ip_local_normal(other, 4., .02f, &n[1], threads);
    for (int y = 0; status == IPOS_OK && y < a->height; y++)
        for (int x = 0; x < a->width; x++) {
            if (!(ip_row(inside, y)[x] > 0.f))
                continue;
            float u = ip_row(&n[0], y)[x], v = ip_sample_linear(&n[1], (float)x + ip_row(&flow[0], y)[x], (float)y + ip_row(&flow[1], y)[x]);
            ab += u * v;
            aa += u * u;
            bb += v * v;
        }
    *out = aa > 0. && bb > 0. ? ab / sqrt(aa * bb) : 0.;
    ip_planes_free(n, 2);
    return status;
}

static bool grow(ip_shot_pairs *pairs, size_t by) {
    if (pairs->count + by <= pairs->room)
        return true;
    ip_grade_pair *more = ip_realloc(pairs->pair, (pairs->count + by) * sizeof *more);
    pairs->pair = more ? more : pairs->pair;
    float (*radius)[2] = more ? ip_realloc(pairs->radius, (pairs->count + by) * sizeof *radius) : NULL;
    pairs->radius = radius ? radius : pairs->radius;
    if (radius)
        pairs->room = pairs->count + by;
    return radius != NULL;
}

/* Where pixel (x, y) of a is in the laid b; false where it is not to be used. */
static bool found_at(const laid *l, const ip_registration *r, int x, int y, float to[2]) {
    to[0] = (float)x + ip_row(&r->flow[0], y)[x];
    to[1] = (float)y + ip_row(&r->flow[1], y)[x];
    return ip_row(&r->agreed, y)[x] > 0.f && ip_row(&l->inside, y)[x] > 0.f && ip_sample_linear(&l->inside, to[0], to[1]) > .99f;
}

static float radius_of(const ip_plane_f *plane, double x, double y) {
    const double u = (plane->width - 1) / 2., v = (plane->height - 1) / 2.;
    return (float)(((x - u) * (x - u) + (y - v) * (y - v)) / (u * u + v * v));
}

static void collect(const ip_look_source *source, const ip_shot_view *a, const ip_shot_view *b, const ip_place *place, const laid *l,
    const ip_registration *r, size_t good, ip_shot_pairs *out) {
    size_t seen = 0, taken = 0, most = IP_MIN(good, (size_t)MOST_PAIRS);
    for (int y = 0; y < a->luma.height; y++)
        for (int x = 0; x < a->luma.width; x++) {
            float to[2];
            if (!found_at(l, r, x, y, to) || taken >= most || seen++ * most < taken * good)
                continue;
            ip_grade_pair *p = &out->pair[out->count];
            for (int c = 0; c < 3; c++)
                p->from[c] = ip_row(&a->soft.c[c], y)[x];
            ip_sample_cubic3(&l->soft, to[0], to[1], p->to);
            double at[2];
            ip_place_at(place, &a->place, &b->place, to[0], to[1], at);
            out->radius[out->count][0] = radius_of(&a->luma, x, y);
            out->radius[out->count][1] = radius_of(&b->luma, at[0], at[1]);
            taken++;
            if (ip_shot_usable(source, p->from) && ip_shot_usable(source, p->to))
                out->count++;
        }
}

ipos_status ip_shot_pairs_add(const ip_look_source *source, const ip_shot_view *a, const ip_shot_view *b, const ip_place *place, ip_shot_pairs *out, double *agreed) {
    laid l;
    ip_registration r = {0};
    size_t good = 0, inside = 0;
    double structure = 0.;
    *agreed = 0.;
    ipos_status status = lay(a, b, place, source->threads, &l);
    if (status == IPOS_OK)
        status = ip_register(source, &a->luma, &l.luma, &r);
    if (status == IPOS_OK)
        status = ip_shot_alike(&a->luma, &l.luma, &l.inside, r.flow, source->threads, &structure);
    for (int y = 0; status == IPOS_OK && y < a->luma.height; y++)
        for (int x = 0; x < a->luma.width; x++) {
            float to[2];
            good += found_at(&l, &r, x, y, to);
            inside += ip_row(&l.inside, y)[x] > 0.f;
        }
    double share = (double)good / ((double)a->luma.width * a->luma.height);
    if (status == IPOS_OK && share >= SHARE_LEAST && (double)good >= WITHIN_LEAST * (double)inside && structure >= IP_SHOT_ALIKE_LEAST) {
        status = grow(out, IP_MIN(good, (size_t)MOST_PAIRS)) ? IPOS_OK : IPOS_ERR_NO_MEMORY;
        if (status == IPOS_OK) {
            collect(source, a, b, place, &l, &r, good, out);
            out->places++;
            out->share = fmax(out->share, share);
            *agreed = share;
        }
    }
    ip_registration_free(&r);
    laid_free(&l);
    return status;
}
