/* Before a camera that does not move, a place that a wire covers now was seen at some time before and will be seen again, if not within the
 * frames that are looked at anyway. So the shot is gone through once in either direction, every pixel holding the mean of what it showed
 * since it last changed, and what is held about the wires of each frame is noted. Places that no frame shows are filled from around
 * them once for all frames: what is invented may be wrong, but it does not flicker. */
#include "mask.h"
#include "wire_fill_internal.h"
#include <math.h>

enum {
    WINDOW = 64,  /* frames gone through at a time, */
    BESIDE = 16,  /* and so many more on both sides */
    MOST = 12,    /* frames a mean is of at most: the light may change slowly */
    SURE = 4,     /* frames that make what is held before or behind alone believable */
    APART = 7,    /* frames between which a camera that moves is seen to */
    PLACES = 3
};
static const float CHANGED = 12.f / 255.f; /* what shows something else */
static const float STILL = .35f;           /* pixels that a place may seem to have moved between frames APART */
static const float ENOUGH = .25f;          /* of the places where something is to be seen must not have moved: performers may fill the rest */
static const float UNSURE = 6.f / 255.f;
static const float CHANGES = 20.f / 255.f; /* what changes does so by about as much */
static const float EVER = 80.f / 255.f;    /* where things ever changed, what is never seen is a matter of each frame */

typedef struct spot {
    float colour[3];
    uint8_t many; /* frames it is the mean of; 0: not seen */
    uint8_t age;  /* frames since it was seen last */
    uint8_t calm; /* frames since it became what it is */
} spot;

typedef struct spots { /* pixels of a frame in rows */
    uint32_t *row;     /* height + 1: the first of each row; NULL: there are none */
    uint16_t *x;
    spot *held[2];     /* before, behind */
} spots;

struct ip_wire_held {
    size_t first, count; /* of the shot's frames; none: the camera moves */
    bool known;
    spots *frames, never;
};

static void spots_free(spots *s) {
    ip_free(s->row);
    ip_free(s->x);
    ip_free(s->held[0]);
    ip_free(s->held[1]);
}

static void forget(ip_wire_held *held) {
    for (size_t i = 0; i < held->count && held->frames; i++)
        spots_free(&held->frames[i]);
    spots_free(&held->never);
    ip_free(held->frames);
    *held = (ip_wire_held){0};
}

void ip_wire_held_free(ip_wire_held *held) {
    if (held)
        forget(held);
    ip_free(held);
}

/* Room for the pixels of a mask. */
static ipos_status spots_at(const ip_plane_f *mask, spots *to) {
    size_t count = 0;
    *to = (spots){.row = ip_alloc(((size_t)mask->height + 1) * sizeof *to->row)};
    if (!to->row)
        return IPOS_ERR_NO_MEMORY;
    for (int y = 0; y < mask->height; y++) {
        to->row[y] = (uint32_t)count;
        for (int x = 0; x < mask->width; x++)
            count += ip_row(mask, y)[x] > 0.f;
    }
    to->row[mask->height] = (uint32_t)count;
    to->x = ip_alloc(IP_MAX(count, 1) * sizeof *to->x);
    for (int i = 0; i < 2; i++)
        to->held[i] = ip_calloc(IP_MAX(count, 1), sizeof *to->held[i]);
    if (!to->x || !to->held[0] || !to->held[1])
        return IPOS_ERR_NO_MEMORY;
    for (int y = 0; y < mask->height; y++)
        for (uint32_t i = to->row[y], x = 0; i < to->row[y + 1]; x++)
            if (ip_row(mask, y)[x] > 0.f)
                to->x[i++] = (uint16_t)x;
    return IPOS_OK;
}

typedef struct passage {
    const ip_wire_fill *fill;
    ip_image3 colour, mean;
    ip_plane_f matte, tmp, hidden, count;
    ip_plane_f seen, became; /* when it was seen last and when it became what it is, in frames gone through */
} passage;

static ipos_status passage_open(const ip_wire_fill *fill, passage *p) {
    int w = fill->source.width, h = fill->source.height;
    *p = (passage){.fill = fill};
    IP_TRY(ip_planes_new(w, h, p->colour.c, 3));
    IP_TRY(ip_planes_new(w, h, p->mean.c, 3));
    ip_plane_f *more[] = {&p->matte, &p->tmp, &p->hidden, &p->count, &p->seen, &p->became};
    for (size_t i = 0; i < IP_COUNT(more); i++)
        IP_TRY(ip_plane_new(w, h, more[i]));
    return IPOS_OK;
}

static void passage_close(passage *p) {
    ip_planes_free(p->colour.c, 3);
    ip_planes_free(p->mean.c, 3);
    ip_plane_f *more[] = {&p->matte, &p->tmp, &p->hidden, &p->count, &p->seen, &p->became};
    for (size_t i = 0; i < IP_COUNT(more); i++)
        ip_plane_free(more[i]);
}

/* A frame with its matte (0 or 1); hidden: the matte, what is not finite, and a pixel beside either. */
static ipos_status look_at(passage *p, size_t index) {
    const ip_wire_source *s = &p->fill->source;
    ip_box_i all = {0, 0, s->width, s->height};
    if (s->tick)
        IP_TRY(s->tick(s->user));
    IP_TRY(s->colour(s->user, 0, index, all, &p->colour));
    IP_TRY(s->matte(s->user, 0, index, all, &p->matte));
    for (int y = 0; y < all.height; y++)
        for (int x = 0; x < all.width; x++) {
            float sum = 0.f, *m = &ip_row(&p->matte, y)[x];
            for (int c = 0; c < 3; c++)
                sum += fabsf(ip_row(&p->colour.c[c], y)[x]);
            *m = *m <= 0.f ? 0.f : 1.f;
            ip_row(&p->hidden, y)[x] = *m > 0.f || !(sum < 1e4f) ? 1.f : 0.f;
        }
    ip_mask_grow(&p->hidden, &p->tmp, 1);
    return IPOS_OK;
}

static void note(const passage *p, int way, float now, const spots *to) {
    for (int y = 0; y < p->count.height; y++)
        for (uint32_t i = to->row[y]; i < to->row[y + 1]; i++) {
            int x = to->x[i];
            spot *at = &to->held[way][i];
            for (int c = 0; c < 3; c++)
                at->colour[c] = ip_row(&p->mean.c[c], y)[x];
            at->many = (uint8_t)ip_row(&p->count, y)[x];
            at->age = (uint8_t)(now - ip_row(&p->seen, y)[x]);
            at->calm = (uint8_t)(now - ip_row(&p->became, y)[x]);
        }
}

static void hold(passage *p, float now) {
    for (int y = 0; y < p->count.height; y++)
        for (int x = 0; x < p->count.width; x++) {
            float *n = &ip_row(&p->count, y)[x], apart = 0.f;
            if (ip_row(&p->hidden, y)[x] > 0.f)
                continue;
            for (int c = 0; c < 3; c++) {
                float d = ip_row(&p->colour.c[c], y)[x] - ip_row(&p->mean.c[c], y)[x];
                apart += d * d;
            }
            *n = *n > 0.f && apart < 3.f * CHANGED * CHANGED ? fminf(*n + 1.f, MOST) : 1.f;
            if (*n <= 1.f)
                ip_row(&p->became, y)[x] = now;
            ip_row(&p->seen, y)[x] = now;
            for (int c = 0; c < 3; c++) {
                float *mean = &ip_row(&p->mean.c[c], y)[x], value = ip_row(&p->colour.c[c], y)[x];
                *mean = *n > 1.f ? *mean + (value - *mean) / *n : value;
            }
        }
}

/* Places that nothing was held of, filled from around them as the shot ends. */
static ipos_status invent(passage *p, spots *never) {
    for (int y = 0; y < p->count.height; y++)
        for (int x = 0; x < p->count.width; x++)
            ip_row(&p->tmp, y)[x] = ip_row(&p->count, y)[x] > 0.f ? 0.f : 1.f;
    IP_TRY(spots_at(&p->tmp, never));
    if (never->row[p->tmp.height])
        IP_TRY(ip_spatial_fill(p->mean.c, 3, &p->tmp, p->fill->source.threads));
    note(p, 0, 0.f, never);
    return IPOS_OK;
}

static ipos_status go_through(ip_wire_held *held, passage *p) {
    for (int way = 0; way < 2; way++) {
        ip_plane_f *new[] = {&p->count, &p->seen, &p->became};
        for (size_t i = 0; i < IP_COUNT(new); i++)
            ip_plane_fill(new[i], 0.f);
        for (size_t k = 0; k < held->count; k++) {
            size_t i = way ? held->count - 1 - k : k;
            IP_TRY(look_at(p, held->first + i));
            if (!way) {
                ip_mask_grow(&p->matte, &p->tmp, IP_WIRE_RING);
                IP_TRY(spots_at(&p->matte, &held->frames[i]));
            }
            note(p, way, (float)k, &held->frames[i]);
            hold(p, (float)k);
        }
        if (!way)
            IP_TRY(invent(p, &held->never));
    }
    return IPOS_OK;
}

static ipos_status camera_still(ip_wire_fill *fill, size_t first, size_t count, bool *still) {
    size_t apart = IP_MIN((size_t)APART, count - 1);
    *still = apart > 0;
    for (size_t k = 0; k < PLACES && *still; k++) {
        size_t at = first + k * (count - 1 - apart) / (PLACES - 1);
        ip_wire_motions m = {.index = at, .near = 1, .count = 1, .list = {{.sequence = 0, .index = at + apart}}};
        ipos_status status = ip_wire_motions_near(fill, &m);
        float share = 0.f;
        if (status == IPOS_OK)
            status = ip_wire_standing(fill, &m, STILL, &share);
        *still = status == IPOS_OK && share > ENOUGH;
        ip_wire_motions_free(&m);
        IP_TRY(status);
    }
    return IPOS_OK;
}

/* What is held about a window of frames; nothing where the camera moves. */
static ipos_status fetch(ip_wire_fill *fill, size_t index) {
    size_t begin = index / WINDOW * WINDOW, first = begin > BESIDE ? begin - BESIDE : 0, last = IP_MIN(begin + WINDOW + BESIDE, fill->count[0]);
    bool still;
    passage p;
    if (!fill->held && !(fill->held = ip_calloc(1, sizeof *fill->held)))
        return IPOS_ERR_NO_MEMORY;
    ip_wire_held *held = fill->held;
    if (held->known && held->first == first)
        return IPOS_OK;
    forget(held);
    IP_TRY(camera_still(fill, first, last - first, &still));
    *held = (ip_wire_held){.known = true, .first = first};
    if (!still || fill->source.width > UINT16_MAX)
        return IPOS_OK;
    held->frames = ip_calloc(last - first, sizeof *held->frames);
    if (!held->frames)
        return IPOS_ERR_NO_MEMORY;
    held->count = last - first;
    ipos_status status = passage_open(fill, &p);
    if (status == IPOS_OK)
        status = go_through(held, &p);
    passage_close(&p);
    if (status != IPOS_OK)
        forget(held);
    return status;
}

/* The part of a row that lies in a box: first and end. */
static void part_of(const spots *s, int y, ip_box_i box, uint32_t *first, uint32_t *end) {
    *first = s->row[y];
    *end = s->row[y + 1];
    while (*first < *end && s->x[*first] < box.x)
        ++*first;
    while (*end > *first && s->x[*end - 1] >= box.x + box.width)
        --*end;
}

/* The ring is held since the frame before, the hole perhaps for long: where things around have changed since it was seen, it may have too. */
static ipos_status doubt_the_old(const ip_wire_work *work, const ip_plane_f *age, const ip_plane_f *calm, size_t gone, ip_wire_view *view) {
    enum { OLD, OLD_WEIGHT, NEWS, NEWS_EVER, RING, TMP, COUNT, RADIUS = 4 };
    int w = work->box.width, h = work->box.height;
    ip_plane_f p[COUNT];
    IP_TRY(ip_planes_new(w, h, p, COUNT));
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            bool valid = ip_row(&view->valid, y)[x] > 0.f, hole = ip_row(&work->matte, y)[x] > 0.f;
            ip_row(&p[OLD], y)[x] = ip_row(age, y)[x];
            ip_row(&p[OLD_WEIGHT], y)[x] = valid && hole ? 1.f : 0.f;
            ip_row(&p[RING], y)[x] = valid && !hole ? 1.f : 0.f;
        }
    ip_plane_f *old[] = {&p[OLD]}, *news[] = {&p[NEWS], &p[NEWS_EVER]};
    ip_wire_smooth(old, 1, &p[OLD_WEIGHT], &p[TMP], RADIUS);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            float since = ip_row(calm, y)[x] + .5f;
            ip_row(&p[NEWS], y)[x] = since < ip_row(&p[OLD], y)[x] ? 1.f : 0.f;
            ip_row(&p[NEWS_EVER], y)[x] = since < (float)gone ? 1.f : 0.f;
        }
    ip_wire_smooth(news, 2, &p[RING], &p[TMP], RADIUS);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            float *error = &ip_row(&view->error, y)[x], *around = &ip_row(&view->around, y)[x];
            *error = hypotf(*error, CHANGES * ip_row(&p[NEWS], y)[x]);
            *around = hypotf(*around, EVER * ip_row(&p[NEWS_EVER], y)[x]);
        }
    ip_planes_free(p, COUNT);
    return IPOS_OK;
}

static ipos_status fill_view(const ip_wire_work *work, const spots *s, int way, size_t gone, const ip_plane_f age_calm[2], ip_wire_view *view) {
    IP_TRY(ip_planes_new(work->box.width, work->box.height, view->seen.c, 3));
    ip_plane_f *more[] = {&view->valid, &view->error, &view->many, &view->around};
    for (size_t i = 0; i < IP_COUNT(more); i++)
        IP_TRY(ip_plane_new(work->box.width, work->box.height, more[i]));
    for (int y = 0; y < work->box.height; y++) {
        uint32_t first, end;
        part_of(s, work->box.y + y, work->box, &first, &end);
        for (uint32_t i = first; i < end; i++) {
            const spot *held = &s->held[way][i];
            int x = s->x[i] - work->box.x;
            if (!held->many || !(ip_row(&work->active, y)[x] > 0.f))
                continue;
            for (int c = 0; c < 3; c++)
                ip_row(&view->seen.c[c], y)[x] = held->colour[c];
            ip_row(&view->valid, y)[x] = 1.f;
            ip_row(&view->many, y)[x] = held->many;
            ip_row(&age_calm[0], y)[x] = held->age;
            ip_row(&age_calm[1], y)[x] = held->calm;
        }
    }
    IP_TRY(ip_wire_judge(work, view));
    return doubt_the_old(work, &age_calm[0], &age_calm[1], gone, view);
}

static ipos_status open_view(const ip_wire_work *work, const spots *s, int way, size_t gone, ip_wire_view *view) {
    ip_plane_f age_calm[2];
    IP_TRY(ip_planes_new(work->box.width, work->box.height, age_calm, 2));
    ipos_status status = fill_view(work, s, way, gone, age_calm, view);
    ip_planes_free(age_calm, 2);
    return status;
}

/* What is held before and behind may be two things, of which the frame shows one; and what was seen for a moment only may be neither. */
static void doubt(const ip_wire_view view[2], int width, int height) {
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            bool there[2] = {ip_row(&view[0].valid, y)[x] > 0.f, ip_row(&view[1].valid, y)[x] > 0.f};
            float apart = 0.f;
            for (int c = 0; c < 3 && there[0] && there[1]; c++) {
                float d = ip_row(&view[0].seen.c[c], y)[x] - ip_row(&view[1].seen.c[c], y)[x];
                apart += d * d / 3.f;
            }
            for (int i = 0; i < 2; i++) {
                float *error = &ip_row(&view[i].error, y)[x];
                if (there[i] && there[1 - i])
                    *error = sqrtf(*error * *error + apart);
                else if (there[i] && ip_row(&view[i].many, y)[x] < SURE)
                    *error = sqrtf(*error * *error + UNSURE * UNSURE);
            }
        }
}

/* Where no frame shows the place, what all share in place of the tile's own, as far as what is held agrees around here. */
static void share_invented(const spots *never, const ip_wire_view view[2], ip_wire_work *work) {
    for (int y = 0; y < work->box.height && never->row; y++) {
        uint32_t first, end;
        part_of(never, work->box.y + y, work->box, &first, &end);
        for (uint32_t i = first; i < end; i++) {
            int x = never->x[i] - work->box.x;
            if (!(ip_row(&work->matte, y)[x] > 0.f))
                continue;
            float error = fminf(ip_row(&view[0].around, y)[x], ip_row(&view[1].around, y)[x]), own = ip_row(&work->invented, y)[x];
            float share = own * own / (own * own + error * error + 1e-12f);
            for (int c = 0; c < 3; c++) {
                float *to = &ip_row(&work->colour.c[c], y)[x];
                *to += share * (never->held[0][i].colour[c] - *to);
            }
        }
    }
}

ipos_status ip_wire_held_views(ip_wire_fill *fill, size_t index, ip_wire_work *work, ip_wire_view *views, size_t *count) {
    if (!fill->options.held)
        return IPOS_OK;
    IP_TRY(fetch(fill, index));
    const ip_wire_held *held = fill->held;
    if (!held->count)
        return IPOS_OK;
    const spots *s = &held->frames[index - held->first];
    for (int way = 0; way < 2; way++) {
        size_t place = index - held->first, gone = way ? held->count - 1 - place : place;
        ip_wire_view *view = &views[*count + (size_t)way];
        *view = (ip_wire_view){.index = index};
        ipos_status status = open_view(work, s, way, gone, view);
        if (status != IPOS_OK) {
            for (int i = 0; i <= way; i++)
                ip_wire_view_close(&views[*count + (size_t)i]);
            return status;
        }
    }
    doubt(views + *count, work->box.width, work->box.height);
    share_invented(&held->never, views + *count, work);
    *count += 2;
    return IPOS_OK;
}
