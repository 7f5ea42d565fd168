/* Drawing: the curve becomes long straight strips; every sub-frame of the shutter finds the nearest strip of each pixel and adds the
 * exact area of the pixel that the wire covers; matte and shading are sums over the shutter, defocused together, then laid over. */
#include "wire_shape.h"
#include "simd.h"
#include <math.h>

enum {
    BLOCK = 128,       /* pixels of the picture at a time: the sums stay in cache, memory does not grow with the picture */
    SUBFRAMES_MOST = 64
};
static const float STROBE = .7f;        /* pixels between sub-frames: under a pixel, so that thin wires do not fall into lines */
static const float LEAST = 1.f / 2048;  /* matte under this is none */

typedef struct nearest {
    float square, d, s; /* distance squared; signed distance; arc length */
    int32_t strip;
} nearest;

typedef struct span {
    int begin, end;
} span;

typedef struct tile {
    int x, y, width, height; /* with the halo that defocus needs; x and y may be outside the picture */
    nearest *near;
    float *matte, *light, *rows; /* light: shading times matte. rows: two rows for the defocused sums */
    span *now, *all;             /* columns touched in each row: in this sub-frame, in any */
} tile;

/* Near enough to a normal deviate for grain: four uniform ones added. */
static float bell(uint64_t bits) {
    int sum = (int)(bits & 0xffff) + (int)(bits >> 16 & 0xffff) + (int)(bits >> 32 & 0xffff) + (int)(bits >> 48);
    return (float)(sum - 131070) * (1.f / 37837.2f);
}

/* Narrows lo..hi to where low <= slope * x + at <= high. */
static inline void limit_columns(float slope, float at, float low, float high, float *lo, float *hi) {
    if (fabsf(slope) < 1e-5f) {
        if (at < low || at > high)
            *hi = *lo - 1.f;
        return;
    }
    float a = (low - at) / slope, b = (high - at) / slope;
    *lo = fmaxf(*lo, fminf(a, b));
    *hi = fminf(*hi, fmaxf(a, b));
}

static inline void keep_nearest(const strip *p, int32_t index, float s, float d, nearest *to) {
    float over = s < 0.f ? s : s > p->length ? s - p->length : 0.f, square = d * d + over * over;
    if (square >= to->square)
        return;
    to->square = square;
    to->strip = index;
    if (over != 0.f && !(over < 0.f ? p->first : p->last)) { /* round at the joints, flat at the ends */
        d = d < 0.f ? -sqrtf(square) : sqrtf(square);
        s -= over;
    }
    to->d = d;
    to->s = p->from + s;
}

IP_HOT static void find_nearest(const wire *w, const tile *t, float ox, float oy) {
    for (size_t i = 0; i < w->count; i++) {
        const strip *p = &w->strips[i];
        float x0 = p->x + ox - (float)t->x - .5f, y0 = p->y + oy - (float)t->y - .5f, y1 = y0 + p->ty * p->length;
        float reach = fmaxf(w->half[0], w->half[1]) + .7072f;
        float top = fmaxf(ceilf(fminf(y0, y1) - reach), 0.f), bottom = fminf(floorf(fmaxf(y0, y1) + reach), (float)(t->height - 1));
        for (int y = (int)top; y <= (int)bottom; y++) {
            float lo = 0.f, hi = (float)(t->width - 1), py = (float)y - y0;
            limit_columns(-p->ty, py * p->tx + x0 * p->ty, -reach, reach, &lo, &hi);
            limit_columns(p->tx, py * p->ty - x0 * p->tx, -reach, p->length + reach, &lo, &hi);
            int begin = (int)ceilf(lo), end = (int)floorf(hi) + 1;
            if (hi < lo || begin >= end)
                continue;
            nearest *row = t->near + (ptrdiff_t)y * t->width;
            for (int x = begin; x < end; x++) {
                float px = (float)x - x0;
                keep_nearest(p, (int32_t)i, px * p->tx + py * p->ty, py * p->tx - px * p->ty, &row[x]);
            }
            t->now[y] = (span){IP_MIN(t->now[y].begin, begin), IP_MAX(t->now[y].end, end)};
        }
    }
}

/* Share of a pixel on the near side of a line at distance d from its centre. */
static inline float side(const strip *p, float d) {
    float x = fabsf(d), rest = p->end - x;
    float share = x <= p->flat ? .5f + x * p->slope : rest > 0.f ? 1.f - rest * rest * p->bend : 1.f;
    return d < 0.f ? 1.f - share : share;
}

static inline float section_at(const wire *w, float u) {
    float at = (u + 1.f) * (.5f * SECTION);
    int i = IP_MIN(IP_MAX((int)at, 0), SECTION - 1);
    return w->section[i] + (at - (float)i) * (w->section[i + 1] - w->section[i]);
}

/* Brightness against the base colour, a mean over the part of the pixel that the wire covers. */
static inline float lit(const wire *w, float d, float s, float half) {
    float lo = fmaxf(d - .5f, -half) / half, hi = fminf(d + .5f, half) / half, u = fminf(fmaxf(.5f * (lo + hi), -.97f), .97f);
    lo = fmaxf(fminf(lo, u - .03f), -1.f);
    hi = fminf(fmaxf(hi, u + .03f), 1.f);
    float value = 2.f * (section_at(w, hi) - section_at(w, lo)) / (hi - lo);
    if (w->strand_gain != 0.f) {
        float turn = s / w->look->twist_period + w->strand_slant * (w->chevron ? fabsf(u) : u);
        value += w->strand_gain * w->wave[(int)floorf(turn * WAVE) & (WAVE - 1)];
    }
    float at = fminf(fmaxf(s, 0.f) * (1.f / SLOW_STEP), (float)(w->slow_count - 2));
    size_t i = (size_t)at;
    return value + w->slow[i] + (at - (float)i) * (w->slow[i + 1] - w->slow[i]);
}

/* Adds a sub-frame to the sums and clears the nearest again. */
IP_HOT static void add_subframe(const wire *w, const tile *t, float share) {
    for (int y = 0; y < t->height; y++) {
        span on = t->now[y];
        if (on.begin >= on.end)
            continue;
        t->now[y] = (span){t->width, 0};
        t->all[y] = (span){IP_MIN(t->all[y].begin, on.begin), IP_MAX(t->all[y].end, on.end)};
        nearest *row = t->near + (ptrdiff_t)y * t->width;
        float *matte = t->matte + (ptrdiff_t)y * t->width, *light = t->light + (ptrdiff_t)y * t->width;
        for (int x = on.begin; x < on.end; x++) {
            nearest n = row[x];
            if (n.square == INFINITY)
                continue;
            row[x].square = INFINITY;
            float half = w->half[0] + (w->half[1] - w->half[0]) * fminf(fmaxf(n.s / w->length, 0.f), 1.f);
            float area = side(&w->strips[n.strip], n.d + half) - side(&w->strips[n.strip], n.d - half);
            area *= fminf(fmaxf(n.s + .5f, 0.f), 1.f) * fminf(fmaxf(w->length - n.s + .5f, 0.f), 1.f);
            if (area <= 0.f)
                continue;
            matte[x] += share * area;
            light[x] += share * area * lit(w, n.d, n.s, half);
        }
    }
}

IP_HOT static void add_scaled(float *restrict to, const float *restrict from, float scale, int count) {
    for (int i = 0; i < count; i++)
        to[i] += scale * from[i];
}

/* The defocused sums of one row of the tile; false where there are none. The columns are those of *on. */
static bool defocused_row(const tile *t, const kernel *k, int y, float **matte, float **light, span *on) {
    int r = k->radius;
    *matte = t->matte + (ptrdiff_t)y * t->width;
    *light = t->light + (ptrdiff_t)y * t->width;
    *on = t->all[y];
    for (int j = y - r; j <= y + r; j++)
        *on = (span){IP_MIN(on->begin, t->all[j].begin - r), IP_MAX(on->end, t->all[j].end + r)};
    *on = (span){IP_MAX(on->begin, r), IP_MIN(on->end, t->width - r)};
    if (on->begin >= on->end)
        return false;
    if (!r)
        return true;
    int count = on->end - on->begin;
    memset(t->rows, 0, 2 * (size_t)t->width * sizeof *t->rows);
    for (int j = -r; j <= r; j++)
        for (int i = -r; i <= r && t->all[y + j].begin < t->all[y + j].end; i++) {
            float weight = k->weight[j + r][i + r];
            ptrdiff_t from = (ptrdiff_t)(y + j) * t->width + on->begin + i;
            if (weight == 0.f)
                continue;
            add_scaled(t->rows + on->begin, t->matte + from, weight, count);
            add_scaled(t->rows + t->width + on->begin, t->light + from, weight, count);
        }
    *matte = t->rows;
    *light = t->rows + t->width;
    return true;
}

/* Plate and wire each bring their grain in proportion to what they show; noise adds by squares, so the wire's is raised to what keeps
 * the sum at full strength: 1 - (1 - a)^2. */
static void lay_over(const wire *w, const tile *t, const kernel *k, ip_image3 *image, ip_plane_f *alpha) {
    for (int y = k->radius; y < t->height - k->radius; y++) {
        float *matte, *light;
        span on;
        if (!defocused_row(t, k, y, &matte, &light, &on))
            continue;
        float *rows[3] = {ip_row(&image->c[0], t->y + y), ip_row(&image->c[1], t->y + y), ip_row(&image->c[2], t->y + y)};
        float *out = alpha ? ip_row(alpha, t->y + y) : NULL;
        for (int x = on.begin; x < on.end; x++) {
            float a = fminf(matte[x] * w->look->opacity, 1.f), noise[3] = {0};
            int column = t->x + x;
            if (a < LEAST)
                continue;
            if (w->look->grain > 0.f) {
                uint64_t bits = ip_mixed(w->seed ^ ((uint64_t)(uint32_t)(t->y + y) << 32 | (uint32_t)column));
                float strength = w->look->grain * sqrtf(a * (2.f - a)), shared = .8f * bell(bits);
                for (int c = 0; c < 3; c++)
                    noise[c] = strength * (shared + .6f * bell(bits = ip_mixed(bits)));
            }
            for (int c = 0; c < 3; c++)
                rows[c][column] = rows[c][column] * (1.f - a) + a * w->look->colour[c] + w->look->opacity * light[x] + noise[c];
            if (out)
                out[column] = fmaxf(out[column], a);
        }
    }
}

static bool near_block(const wire *w, const tile *t) {
    float reach = fmaxf(w->half[0], w->half[1]) + 1.f, mx = .5f * fabsf(w->look->motion[0]), my = .5f * fabsf(w->look->motion[1]);
    for (size_t i = 0; i < w->count; i++) {
        const strip *p = &w->strips[i];
        float x1 = p->x + p->tx * p->length, y1 = p->y + p->ty * p->length;
        if (fmaxf(p->x, x1) + reach + mx > (float)t->x && fminf(p->x, x1) - reach - mx < (float)(t->x + t->width) &&
            fmaxf(p->y, y1) + reach + my > (float)t->y && fminf(p->y, y1) - reach - my < (float)(t->y + t->height))
            return true;
    }
    return false;
}

static void draw_block(const wire *w, tile *t, const kernel *k, ip_image3 *image, ip_plane_f *alpha) {
    size_t pixels = (size_t)t->width * (size_t)t->height;
    for (size_t i = 0; i < pixels; i++)
        t->near[i].square = INFINITY;
    memset(t->matte, 0, pixels * sizeof *t->matte);
    memset(t->light, 0, pixels * sizeof *t->light);
    for (int y = 0; y < t->height; y++)
        t->now[y] = t->all[y] = (span){t->width, 0};
    float mx = w->look->motion[0], my = w->look->motion[1];
    int frames = (int)fminf(fmaxf(ceilf(hypotf(mx, my) / STROBE), 1.f), SUBFRAMES_MOST);
    for (int i = 0; i < frames; i++) {
        float at = ((float)i + .5f) / (float)frames - .5f;
        find_nearest(w, t, at * mx, at * my);
        add_subframe(w, t, 1.f / (float)frames);
    }
    lay_over(w, t, k, image, alpha);
}

static bool tile_new(int width, int height, int radius, tile *t) {
    int w = IP_MIN(width, (int)BLOCK) + 2 * radius, h = IP_MIN(height, (int)BLOCK) + 2 * radius;
    size_t pixels = (size_t)w * (size_t)h, spans = 2 * (size_t)h;
    char *room = ip_aligned_alloc(64, pixels * (sizeof *t->near + 2 * sizeof *t->matte) + spans * sizeof *t->now +
        2 * (size_t)w * sizeof *t->rows);
    *t = (tile){.near = (nearest *)(void *)room};
    if (!room)
        return false;
    t->matte = (float *)(void *)(t->near + pixels);
    t->light = t->matte + pixels;
    t->rows = t->light + pixels;
    t->now = (span *)(void *)(t->rows + 2 * w);
    t->all = t->now + h;
    return true;
}

/* The part of the picture that the wire can reach. */
static ip_box_i reach_box(const wire *w, const kernel *k, int width, int height) {
    float more[2], lo[2] = {INFINITY, INFINITY}, hi[2] = {-INFINITY, -INFINITY};
    for (int i = 0; i < 2; i++)
        more[i] = fmaxf(w->half[0], w->half[1]) + 1.f + .5f * fminf(fabsf(w->look->motion[i]), 1e6f) + (float)k->radius;
    for (size_t i = 0; i < w->count; i++) {
        const strip *p = &w->strips[i];
        float ends[2][2] = {{p->x, p->y}, {p->x + p->tx * p->length, p->y + p->ty * p->length}};
        for (int j = 0; j < 4; j++) {
            lo[j & 1] = fminf(lo[j & 1], ends[j >> 1][j & 1]);
            hi[j & 1] = fmaxf(hi[j & 1], ends[j >> 1][j & 1]);
        }
    }
    int x0 = (int)fmaxf(floorf(lo[0] - more[0]), 0.f), y0 = (int)fmaxf(floorf(lo[1] - more[1]), 0.f);
    int x1 = (int)fminf(ceilf(hi[0] + more[0]), (float)width), y1 = (int)fminf(ceilf(hi[1] + more[1]), (float)height);
    return (ip_box_i){x0, y0, IP_MAX(x1 - x0, 0), IP_MAX(y1 - y0, 0)};
}

static bool same_size(const ip_plane_f *a, const ip_plane_f *b) {
    return a->width == b->width && a->height == b->height;
}

ipos_status ip_wire_draw(ip_image3 *image, const ip_curve *curve, const ip_wire_look *look, uint64_t seed, ip_plane_f *alpha) {
    const ip_plane_f *c = image->c;
    if (!same_size(&c[0], &c[1]) || !same_size(&c[0], &c[2]) || (alpha && !same_size(&c[0], alpha)))
        return ip_fail(IPOS_ERR_ARGUMENT, "wire: planes of different sizes");
    wire w;
    kernel k;
    tile t;
    IP_TRY(ip_wire_shape(curve, look, seed, &w));
    ip_wire_kernel(look->defocus, &k);
    ip_box_i box = reach_box(&w, &k, c[0].width, c[0].height);
    if (box.width && box.height && !tile_new(box.width, box.height, k.radius, &t)) {
        ip_wire_shape_free(&w);
        return IPOS_ERR_NO_MEMORY;
    }
    for (int y = 0; y < box.height; y += BLOCK)
        for (int x = 0; x < box.width; x += BLOCK) {
            t.x = box.x + x - k.radius;
            t.y = box.y + y - k.radius;
            t.width = IP_MIN(box.width - x, (int)BLOCK) + 2 * k.radius;
            t.height = IP_MIN(box.height - y, (int)BLOCK) + 2 * k.radius;
            if (near_block(&w, &t))
                draw_block(&w, &t, &k, image, alpha);
        }
    if (box.width && box.height)
        ip_free(t.near);
    ip_wire_shape_free(&w);
    return IPOS_OK;
}
