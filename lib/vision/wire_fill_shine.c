/* What shines through: a wire's soft edges, and what a matte holds beside it, still show the plate of the frame itself.
 *
 * Along a wire its profile hardly changes while the plate behind it does. So the frame less the fill, averaged along the wire, is what the
 * wire adds at that place of its profile: a(W-B), with a the wire's cover, W its colour and B the plate's mean along it. Taken from the frame
 * it leaves (1-a)B + aB_mean, from which B follows where a is small. How much that is believed beside the fill is decided by what both are
 * expected to be wrong by (inverse variances); what changes along the wire, a rope's strands or a profile that does not fit, counts as error.
 * Known-colour unmixing is Smith and Blinn's (SIGGRAPH 1996); here neither cover nor colour is given. */
#include "mask.h"
#include "wire_fill_internal.h"
#include <math.h>

enum {
    TURNS = 48,    /* directions looked at over half a turn */
    FAR = 20,      /* half a line, pixels: the direction and whether there is anything */
    NEAR = 4,      /* half a line over which the profile is taken */
    CONTRAST = 8,  /* how far from a pixel the wire's full contrast is looked for */
    CALM = 8,      /* radius over which the fill's expected error is evened out */
};
static const float CHANCE = 3.f;     /* mean squares of so many times what the fill's own error explains are a wire */
static const float TOGETHER = .2f;   /* variance of a near line's mean, by that of one sample; neighbours are wrong together */
static const float TOGETHER_FAR = .05f;
static const float UNEVEN = .12f;    /* of what the wire adds may be otherwise */
static const float JITTER = .4f;     /* pixels: the profile may lie aside */
static const float EXPLAINED = 1.5f; /* of the change along the wire is the fill's own error */
static const float COVERED = .7f;    /* no more is to be seen under so much of a wire */
static const float CANDOUR = 4.f;    /* the fill's variance by what its views say of it: best of 1, 2, 4 and about as good as 8 on the clips for choosing */
static const float ROUNDING = .55f / 255.f;

typedef float v4 __attribute__((vector_size(16)));

enum { IN, D, MEAN = D + 3, FILL = MEAN + 3, DOUBT = FILL + 3, BEST, TURN, SCATTER, FAR_MEAN, CHANGE, SIZE, MOST, TMP, COUNT };
typedef struct shine {
    int width, height;
    ip_plane_f p[COUNT];
    v4 *cells; /* the differences and 1, in the matte, row by row with FAR zeros around */
    ptrdiff_t stride;
    int line[TURNS][2 * FAR + 1]; /* offsets of a far line, cells */
    float weight[2 * FAR + 1], all;  /* of its samples, their sum */
    float way[TURNS][2], near[4 * NEAR + 1], near_all; /* direction; of samples half a pixel apart */
} shine;

static float square(float v) { return v * v; }

static float bell(float at, float half) { return expf(-.5f * square(at / (.6f * half))); }

/* The frame less the fill, where the frame is hidden. */
static void differences(const ip_wire_work *work, const ip_wire_tile *tile, shine *s) {
    for (int y = 0; y < s->height; y++)
        for (int x = 0; x < s->width; x++) {
            float d[3], most = 0.f;
            for (int c = 0; c < 3; c++) {
                d[c] = ip_row(&work->frame.c[c], y)[x] - ip_row(&tile->colour.c[c], y)[x];
                most = IP_MAX(most, isfinite(d[c]) ? fabsf(d[c]) : INFINITY);
            }
            if (!(ip_row(&work->matte, y)[x] > 0.f) || !(most < 4.f))
                continue;
            ip_row(&s->p[IN], y)[x] = 1.f;
            for (int c = 0; c < 3; c++)
                ip_row(&s->p[D + c], y)[x] = d[c];
        }
}

/* The variance the fill is expected to have, evened out. */
static void even_doubt(const ip_wire_work *work, shine *s) {
    ip_plane_f *list[] = {&s->p[DOUBT]};
    for (int y = 0; y < s->height; y++)
        for (int x = 0; x < s->width; x++)
            ip_row(&s->p[DOUBT], y)[x] = square(ip_row(&work->doubt, y)[x]) * ip_row(&s->p[IN], y)[x];
    ip_plane_copy(&s->p[CHANGE], &s->p[IN]);
    ip_wire_smooth(list, 1, &s->p[CHANGE], &s->p[TMP], CALM);
    for (int y = 0; y < s->height; y++)
        for (int x = 0; x < s->width; x++)
            ip_row(&s->p[DOUBT], y)[x] = CANDOUR * ip_row(&s->p[DOUBT], y)[x] + square(ROUNDING);
}

static void lay_lines(shine *s) {
    for (int i = 0; i <= 2 * FAR; i++)
        s->all += s->weight[i] = bell((float)(i - FAR), FAR);
    for (int i = 0; i <= 4 * NEAR; i++)
        s->near_all += s->near[i] = bell(.5f * (float)(i - 2 * NEAR), NEAR);
    for (int t = 0; t < TURNS; t++) {
        float angle = 3.14159265f * (float)t / TURNS;
        s->way[t][0] = cosf(angle);
        s->way[t][1] = sinf(angle);
        for (int i = 0; i <= 2 * FAR; i++)
            s->line[t][i] = (int)(lrintf((float)(i - FAR) * s->way[t][1]) * s->stride + lrintf((float)(i - FAR) * s->way[t][0]));
    }
}

static ipos_status lay_cells(shine *s) {
    s->stride = s->width + 2 * FAR;
    size_t bytes = (size_t)s->stride * (size_t)(s->height + 2 * FAR) * sizeof *s->cells;
    s->cells = ip_aligned_alloc(sizeof *s->cells, bytes);
    if (!s->cells)
        return ip_no_memory(bytes);
    memset(s->cells, 0, bytes);
    for (int y = 0; y < s->height; y++)
        for (int x = 0; x < s->width; x++)
            s->cells[(y + FAR) * s->stride + x + FAR] =
                (v4){ip_row(&s->p[D], y)[x], ip_row(&s->p[D + 1], y)[x], ip_row(&s->p[D + 2], y)[x], ip_row(&s->p[IN], y)[x]};
    return IPOS_OK;
}

/* Sums along one direction: of the differences' means, what they amount to. */
static void sum_turn(const shine *s, int turn, ip_plane_f *energy, ip_plane_f *mean) {
    for (int y = 0; y < s->height; y++)
        for (int x = 0; x < s->width; x++) {
            const v4 *at = s->cells + (y + FAR) * s->stride + x + FAR;
            v4 sum = {0};
            ip_row(energy, y)[x] = ip_row(mean, y)[x] = 0.f;
            if (!((*at)[3] > 0.f))
                continue;
            for (int i = 0; i <= 2 * FAR; i++)
                sum += s->weight[i] * at[s->line[turn][i]];
            float e = (square(sum[0]) + square(sum[1]) + square(sum[2])) / 3.f;
            ip_row(energy, y)[x] = e / square(s->all);
            ip_row(mean, y)[x] = e / square(sum[3]) * sum[3] / s->all; /* a short line proves less */
        }
}

/* Which way the wire runs: where the differences add up most. */
static ipos_status find_turns(shine *s) {
    enum { ENERGY, MEANS, OWN };
    ip_plane_f p[OWN];
    IP_TRY(ip_planes_new(s->width, s->height, p, OWN));
    for (int t = 0; t < TURNS; t++) {
        sum_turn(s, t, &p[ENERGY], &p[MEANS]);
        for (int again = 0; again < 2; again++)
            ip_box_blur(&p[ENERGY], &p[ENERGY], &s->p[TMP], 2, 2, 1);
        for (int y = 0; y < s->height; y++)
            for (int x = 0; x < s->width; x++)
                if (ip_row(&p[ENERGY], y)[x] > ip_row(&s->p[BEST], y)[x]) {
                    ip_row(&s->p[BEST], y)[x] = ip_row(&p[ENERGY], y)[x];
                    ip_row(&s->p[TURN], y)[x] = (float)t;
                    ip_row(&s->p[FAR_MEAN], y)[x] = ip_row(&p[MEANS], y)[x];
                }
    }
    ip_planes_free(p, OWN);
    return IPOS_OK;
}

/* Means of planes along the wire, of what lies in the matte. Returns the share of the line that does. */
static float along(const shine *s, int x, int y, const ip_plane_f *const *planes, size_t count, float *out) {
    const float *way = s->way[(int)ip_row(&s->p[TURN], y)[x]];
    float in = 0.f;
    memset(out, 0, count * sizeof *out);
    for (int i = 0; i <= 4 * NEAR; i++) {
        float at = .5f * (float)(i - 2 * NEAR), px = (float)x + at * way[0], py = (float)y + at * way[1];
        if (px < 0.f || py < 0.f || px > (float)(s->width - 1) || py > (float)(s->height - 1))
            continue;
        int left = IP_MIN((int)px, s->width - 2), top = IP_MIN((int)py, s->height - 2);
        float fx = px - (float)left, fy = py - (float)top;
        float w[4] = {(1.f - fx) * (1.f - fy), fx * (1.f - fy), (1.f - fx) * fy, fx * fy};
        for (int n = 0; n < 4; n++) {
            int sx = left + (n & 1), sy = top + (n >> 1);
            float own = s->near[i] * w[n] * ip_row(&s->p[IN], sy)[sx];
            in += own;
            for (size_t c = 0; c < count && own > 0.f; c++) /* beside the matte a sample may be anything */
                out[c] += own * ip_row(planes[c], sy)[sx];
        }
    }
    for (size_t c = 0; c < count; c++)
        out[c] /= IP_MAX(in, 1e-6f);
    return in / s->near_all;
}

static void take_means(const ip_wire_tile *tile, shine *s) {
    const ip_plane_f *planes[6];
    for (int c = 0; c < 3; c++) {
        planes[c] = &s->p[D + c];
        planes[3 + c] = &tile->colour.c[c];
    }
    for (int y = 0; y < s->height; y++)
        for (int x = 0; x < s->width; x++) {
            float mean[6];
            if (!(ip_row(&s->p[IN], y)[x] > 0.f))
                continue;
            float share = along(s, x, y, planes, 6, mean), size = 0.f, change = 0.f;
            for (int c = 0; c < 3; c++) {
                ip_row(&s->p[MEAN + c], y)[x] = mean[c];
                ip_row(&s->p[FILL + c], y)[x] = mean[3 + c];
                size += square(mean[c]) / 3.f;
                change += square(ip_row(&s->p[D + c], y)[x] - mean[c]) / 3.f;
            }
            ip_row(&s->p[SIZE], y)[x] = sqrtf(size);
            ip_row(&s->p[CHANGE], y)[x] = change;
            ip_row(&s->p[SCATTER], y)[x] = IP_MIN(1.f, TOGETHER / IP_MAX(share, .1f));
        }
}

static float slope(const ip_plane_f *plane, int x, int y) {
    int l = IP_MAX(x - 1, 0), r = IP_MIN(x + 1, plane->width - 1), t = IP_MAX(y - 1, 0), b = IP_MIN(y + 1, plane->height - 1);
    return .25f * (square(ip_row(plane, y)[r] - ip_row(plane, y)[l]) + square(ip_row(plane, b)[x] - ip_row(plane, t)[x]));
}

/* The plate under one pixel as the frame shows it, and its variance; false where it shows nothing. */
static bool plate_of(const ip_wire_work *work, const shine *s, int x, int y, float plate[3], float *variance) {
    const ip_plane_f *change[] = {&s->p[CHANGE]};
    float doubt = ip_row(&s->p[DOUBT], y)[x], size = square(ip_row(&s->p[SIZE], y)[x]), scatter = doubt * ip_row(&s->p[SCATTER], y)[x];
    float near = 1.f - CHANCE * scatter / IP_MAX(size, 1e-12f), far = 1.f - CHANCE * TOGETHER_FAR * doubt / IP_MAX(ip_row(&s->p[FAR_MEAN], y)[x], 1e-12f);
    float there = IP_MAX(0.f, IP_MAX(near, far)), moved;
    float added = there * sqrtf(size), cover = IP_MIN(1.f, added / IP_MAX(ip_row(&s->p[MOST], y)[x], 1e-4f));
    if (cover > COVERED)
        return false;
    along(s, x, y, change, 1, &moved);
    for (int c = 0; c < 3; c++)
        plate[c] = (ip_row(&work->frame.c[c], y)[x] - there * ip_row(&s->p[MEAN + c], y)[x] - cover * ip_row(&s->p[FILL + c], y)[x]) / (1.f - cover);
    *variance = (IP_MIN(scatter, size) + square(UNEVEN * added) + square(ROUNDING) + IP_MAX(0.f, moved - EXPLAINED * doubt) +
        square(JITTER) * slope(&s->p[SIZE], x, y)) / square(1.f - cover);
    return true;
}

static void mix(const shine *s, int x, int y, const float plate[3], float variance, ip_wire_tile *tile) {
    float doubt = ip_row(&s->p[DOUBT], y)[x], share = doubt / (doubt + variance);
    for (int c = 0; c < 3; c++) {
        float *to[IP_WIRE_SLOTS + 1] = {&ip_row(&tile->colour.c[c], y)[x]};
        for (int k = 0; k < IP_WIRE_SLOTS; k++) /* whichever picture a network chooses */
            to[k + 1] = &ip_row(&tile->slot[k].c[c], y)[x];
        for (size_t k = 0; k < IP_COUNT(to); k++)
            *to[k] += share * (plate[c] - *to[k]);
    }
    ip_row(&tile->lacking, y)[x] *= square(1.f - share);
    if (!(ip_row(&tile->hole, y)[x] > 0.f))
        return;
    ip_row(&tile->own, y)[x] = share;
    if (share > .5f)
        ip_row(&tile->evidence, y)[x] = 1.f;
    ip_row(&tile->confidence, y)[x] = powf(ip_row(&tile->confidence, y)[x], sqrtf(1.f - share)); /* exp(-error), the error less by as much */
}

ipos_status ip_wire_shine(const ip_wire_work *work, ip_wire_tile *tile) {
    shine s = {.width = work->box.width, .height = work->box.height};
    if (s.width < 2 || s.height < 2)
        return IPOS_OK;
    IP_TRY(ip_planes_new(s.width, s.height, s.p, COUNT));
    differences(work, tile, &s);
    even_doubt(work, &s);
    ipos_status status = lay_cells(&s);
    if (status == IPOS_OK) {
        lay_lines(&s);
        status = find_turns(&s);
    }
    ip_free(s.cells);
    if (status == IPOS_OK) {
        take_means(tile, &s);
        ip_plane_copy(&s.p[MOST], &s.p[SIZE]);
        ip_mask_grow(&s.p[MOST], &s.p[TMP], CONTRAST);
    }
    for (int y = 0; y < s.height && status == IPOS_OK; y++)
        for (int x = 0; x < s.width; x++) {
            float plate[3], variance;
            if (ip_row(&s.p[IN], y)[x] > 0.f && plate_of(work, &s, x, y, plate, &variance))
                mix(&s, x, y, plate, variance, tile);
        }
    ip_planes_free(s.p, COUNT);
    return status;
}
