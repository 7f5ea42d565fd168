#include "match_internal.h"
#include "simd.h"
#include <math.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { PAD = 8, CUT = 120, TAPS = 49, OUTSIDE = 1 << 20, DOMINANT = 3 };

void ip_features_free(ip_features *features) {
    ip_free(features->block);
    memset(features, 0, sizeof *features);
}

void ip_field_free(ip_field *field) {
    ip_free(field->at);
    memset(field, 0, sizeof *field);
}

static uint64_t byte_of(float v) { return (uint64_t)(v > 0.f ? (v < 255.f ? v + .5f : 255.f) : 0.f); }

static ipos_status features_new(const ip_plane_f rgb[3], ip_features *out) {
    int w = rgb[0].width, h = rgb[0].height;
    *out = (ip_features){.width = w, .height = h, .stride = w + 2 * PAD};
    out->block = ip_calloc((size_t)out->stride * (size_t)(h + 2 * PAD), sizeof *out->block);
    if (!out->block)
        return IPOS_ERR_NO_MEMORY;
    out->at = out->block + (ptrdiff_t)PAD * out->stride + PAD;
    ip_plane_f luma, slope[2];
    IP_TRY(ip_plane_new(w, h, &luma));
    ipos_status status = ip_planes_new(w, h, slope, 2);
    if (status == IPOS_OK) {
        ip_image3 image = {{rgb[0], rgb[1], rgb[2]}};
        ip_luma(&image, -1.f, 2.f, &luma, 1);
        ip_sobel(&luma, &slope[0], &slope[1], 1);
        for (int y = -PAD; y < h + PAD; y++)
            for (int x = -PAD; x < w + PAD; x++) {
                int yy = IP_MAX(0, IP_MIN(h - 1, y)), xx = IP_MAX(0, IP_MIN(w - 1, x));
                uint64_t v = 0;
                for (int c = 0; c < 3; c++)
                    v |= byte_of(255.f * ip_row(&rgb[c], yy)[xx]) << (8 * c);
                for (int c = 0; c < 2; c++)
                    v |= byte_of(128.f + 255.f * ip_row(&slope[c], yy)[xx]) << (24 + 8 * c);
                out->block[(ptrdiff_t)(y + PAD) * out->stride + x + PAD] = v;
            }
        ip_planes_free(slope, 2);
    }
    ip_plane_free(&luma);
    return status;
}

ipos_status ip_features_pyramid(const ip_image3 *image, int count, ip_features *levels) {
    ip_plane_f now[3] = {image->c[0], image->c[1], image->c[2]};
    ipos_status status = IPOS_OK;
    for (int i = 0; i < count && status == IPOS_OK; i++) {
        ip_plane_f next[3] = {0};
        for (int c = 0; c < 3 && status == IPOS_OK; c++)
            status = ip_halve(&now[c], &next[c], 1);
        if (i > 0)
            ip_planes_free(now, 3);
        memcpy(now, next, sizeof now);
        if (status == IPOS_OK)
            status = features_new(now, &levels[i]);
    }
    if (count > 0)
        ip_planes_free(now, 3);
    return status;
}

/* The neighbourhood of one pixel: which taps look like its centre, and how much each counts (of 255). */
typedef struct support {
    int count, total;
    int offset[TAPS], weight[TAPS]; /* offset in a; both images have one stride */
} support;

IP_INLINE int apart(uint64_t a, uint64_t b) {
#if defined(__SSE2__)
    return _mm_cvtsi128_si32(_mm_sad_epu8(_mm_cvtsi64_si128((long long)a), _mm_cvtsi64_si128((long long)b)));
#else
    int sum = 0;
    for (int i = 0; i < 5; i++)
        sum += abs((int)(a >> (8 * i) & 255) - (int)(b >> (8 * i) & 255));
    return sum;
#endif
}

typedef struct tables {
    int weight[3 * 255 + 1];
} tables;

static void tables_fill(tables *t) {
    for (int i = 0; i <= 3 * 255; i++) {
        double k = exp(-i / 40.);
        t->weight[i] = k < .02 ? 0 : (int)(255 * k + .5);
    }
}

/* The centre comes first, then outwards row by row: a bad candidate is left early. */
static void support_make(const tables *t, const ip_features *a, int x, int y, int step, support *s) {
    const uint64_t *center = a->at + (ptrdiff_t)y * a->stride + x, rgb = 0xffffff;
    static const int order[7] = {0, -1, 1, -2, 2, -3, 3};
    s->count = s->total = 0;
    for (int j = 0; j < 7; j++)
        for (int i = 0; i < 7; i++) {
            int offset = order[j] * step * a->stride + order[i] * step;
            int k = t->weight[apart(center[offset] & rgb, *center & rgb)];
            if (k) {
                s->offset[s->count] = offset;
                s->weight[s->count++] = k;
                s->total += k;
            }
        }
}

/* Weighted mean, or more than limit as soon as that is certain. */
static int support_cost(const support *s, const uint64_t *a, const uint64_t *b, int limit) {
    int sum = 0, stop = limit < CUT ? (limit + 1) * s->total : INT32_MAX;
    for (int i = 0; i < s->count; i++) {
        int d = apart(a[s->offset[i]], b[s->offset[i]]);
        sum += s->weight[i] * (d < CUT ? d : CUT);
        if (sum >= stop)
            return limit + 1;
    }
    return sum / s->total;
}

typedef struct level {
    const ip_features *a, *b;
    ip_field *field;
    const tables *tables;
    int step; /* of the taps */
    const ip_pulse *pulse;
} level;

typedef struct spot {
    int x, y;
    support support;
    ip_vector best;
} spot;

static void spot_at(const level *l, int x, int y, spot *s) {
    s->x = x;
    s->y = y;
    support_make(l->tables, l->a, x, y, l->step, &s->support);
}

/* extra is a handicap that keeps equal matches near the start. */
static void try(const level *l, spot *s, int u, int v, int extra) {
    int tx = s->x + u, ty = s->y + v;
    if (tx < 0 || ty < 0 || tx >= l->b->width || ty >= l->b->height || (u == s->best.u && v == s->best.v && s->best.cost <= CUT))
        return;
    int limit = s->best.cost - 1 - extra;
    if (limit < 0)
        return;
    int cost = support_cost(&s->support, l->a->at + (ptrdiff_t)s->y * l->a->stride + s->x, l->b->at + (ptrdiff_t)ty * l->b->stride + tx, limit) +
        extra;
    if (cost < s->best.cost)
        s->best = (ip_vector){(int16_t)u, (int16_t)v, cost};
}

static uint32_t scramble(uint32_t x, uint32_t y, uint32_t pass) {
    uint32_t h = x * 0x9e3779b1u ^ y * 0x85ebca77u ^ pass * 0xc2b2ae3du;
    h ^= h >> 15;
    h *= 0x2c1b3c6du;
    h ^= h >> 12;
    h *= 0x297a2d39u;
    return h ^ h >> 15;
}

/* Propagation from the two neighbours already visited, then random steps of shrinking radius. */
static void sweep(const level *l, int pass, int radius) {
    int w = l->a->width, h = l->a->height, dir = pass & 1 ? 1 : -1;
    spot s;
    for (int k = 0; k < h && ip_alive(l->pulse); k++)
        for (int i = 0; i < w; i++) {
            int y = dir < 0 ? k : h - 1 - k, x = dir < 0 ? i : w - 1 - i;
            ip_vector *own = &l->field->at[y * w + x];
            s.best = *own;
            spot_at(l, x, y, &s);
            if (x + dir >= 0 && x + dir < w)
                try(l, &s, own[dir].u, own[dir].v, 0);
            if (y + dir >= 0 && y + dir < h)
                try(l, &s, own[dir * w].u, own[dir * w].v, 0);
            for (int r = radius; r >= 1; r /= 2) {
                uint32_t random = scramble((uint32_t)x, (uint32_t)y, (uint32_t)(pass * 16 + r));
                int span = 2 * r + 1, u = (int)((random & 0xffff) * (uint32_t)span >> 16) - r, v = (int)((random >> 16) * (uint32_t)span >> 16) - r;
                try(l, &s, s.best.u + u, s.best.v + v, 0);
            }
            *own = s.best;
        }
}

static ipos_status field_new(int width, int height, ip_field *out) {
    *out = (ip_field){width, height, ip_calloc((size_t)width * (size_t)height, sizeof *out->at)};
    return out->at ? IPOS_OK : IPOS_ERR_NO_MEMORY;
}

static ipos_status finished(const ip_pulse *pulse) {
    return ip_alive(pulse) ? IPOS_OK : ip_fail(IPOS_ERR_CANCELLED, "match: cancelled");
}

ipos_status ip_search_all(const ip_features *a, const ip_features *b, const ip_plane_f start[2], const ip_pulse *pulse, ip_field *out) {
    IP_TRY(field_new(a->width, a->height, out));
    tables t;
    tables_fill(&t);
    level l = {a, b, out, &t, 1, pulse};
    int across = (int)(.22f * (float)a->width), down = (int)(.11f * (float)a->width);
    spot s;
    for (int y = 0; y < a->height && ip_alive(pulse); y++)
        for (int x = 0; x < a->width; x++) {
            spot_at(&l, x, y, &s);
            s.best = (ip_vector){0, 0, OUTSIDE};
            try(&l, &s, (int)lrintf(ip_row(&start[0], y)[x]), (int)lrintf(ip_row(&start[1], y)[x]), 0);
            if (x > 0)
                try(&l, &s, out->at[y * a->width + x - 1].u, out->at[y * a->width + x - 1].v, 0);
            for (int v = -down; v <= down; v++)
                for (int u = -across; u <= across; u++)
                    try(&l, &s, u, v, (abs(u) + abs(v)) / 64);
            out->at[y * a->width + x] = s.best;
        }
    for (int pass = 0; pass < 2; pass++)
        sweep(&l, pass, 2);
    return finished(pulse);
}

/* The displacements most of the coarser field agrees on, in steps of two. */
static int dominant(const ip_field *coarse, ip_vector found[DOMINANT]) {
    enum { SPAN = 64 };
    int *votes = ip_calloc(SPAN * SPAN, sizeof *votes), count = 0;
    if (!votes)
        return 0; /* starts are a help, not a need */
    for (int i = 0; i < coarse->width * coarse->height; i++) {
        int u = (coarse->at[i].u + 64) >> 1, v = (coarse->at[i].v + 64) >> 1;
        if (u >= 0 && v >= 0 && u < SPAN && v < SPAN)
            votes[v * SPAN + u]++;
    }
    for (; count < DOMINANT; count++) {
        int best = 0;
        for (int i = 1; i < SPAN * SPAN; i++)
            best = votes[i] > votes[best] ? i : best;
        if (votes[best] * 50 < coarse->width * coarse->height)
            break;
        found[count] = (ip_vector){(int16_t)((best % SPAN) * 2 - 64), (int16_t)((best / SPAN) * 2 - 64), 0};
        for (int j = -1; j <= 1; j++) /* and its neighbours are the same motion */
            for (int i = -1; i <= 1; i++) {
                int at = best + j * SPAN + i;
                if (at >= 0 && at < SPAN * SPAN)
                    votes[at] = 0;
            }
    }
    ip_free(votes);
    return count;
}

ipos_status ip_search_level(const ip_features *a, const ip_features *b, const ip_plane_f start[2], const ip_field *coarse,
    const ip_pulse *pulse, ip_field *out) {
    IP_TRY(field_new(a->width, a->height, out));
    tables t;
    tables_fill(&t);
    level l = {a, b, out, &t, 2, pulse};
    ip_vector common[DOMINANT];
    int commons = dominant(coarse, common);
    spot s;
    for (int y = 0; y < a->height && ip_alive(pulse); y++)
        for (int x = 0; x < a->width; x++) {
            ip_vector from = coarse->at[IP_MIN(y / 2, coarse->height - 1) * coarse->width + IP_MIN(x / 2, coarse->width - 1)];
            spot_at(&l, x, y, &s);
            s.best = (ip_vector){0, 0, OUTSIDE};
            try(&l, &s, (int)lrintf(ip_row(&start[0], y)[x]), (int)lrintf(ip_row(&start[1], y)[x]), 0);
            try(&l, &s, 2 * from.u, 2 * from.v, 0);
            try(&l, &s, 0, 0, 0);
            for (int i = 0; i < commons; i++)
                try(&l, &s, 2 * common[i].u, 2 * common[i].v, 0);
            out->at[y * a->width + x] = s.best;
        }
    for (int pass = 0; pass < 4; pass++)
        sweep(&l, pass, 4);
    return finished(pulse);
}

ipos_status ip_match_costs(const ip_features *a, const ip_features *b, const ip_plane_f start[2], const ip_pulse *pulse, ip_field *out) {
    IP_TRY(field_new(a->width, a->height, out));
    tables t;
    tables_fill(&t);
    level l = {a, b, out, &t, 2, pulse};
    spot s;
    for (int y = 0; y < a->height && ip_alive(pulse); y++)
        for (int x = 0; x < a->width; x++) {
            spot_at(&l, x, y, &s);
            s.best = (ip_vector){0, 0, OUTSIDE};
            try(&l, &s, (int)lrintf(ip_row(&start[0], y)[x]), (int)lrintf(ip_row(&start[1], y)[x]), 0);
            out->at[y * a->width + x] = s.best;
        }
    return finished(pulse);
}
