#include "flow.h"
#include "wire_fill_internal.h"
#include <math.h>

static void small_free(ip_wire_small *small) {
    ip_plane_free(&small->luma);
    *small = (ip_wire_small){0};
}

void ip_wire_cache_free(ip_wire_fill *fill) {
    for (size_t i = 0; i < IP_WIRE_CACHE; i++)
        small_free(&fill->cache[i]);
}

/* Halves colour*known and known, so that no trace of a wire stays in what is kept. */
static ipos_status shrink(ip_plane_f *luma, ip_plane_f *known, int halvings, int threads) {
    for (int y = 0; y < luma->height; y++)
        for (int x = 0; x < luma->width; x++)
            ip_row(luma, y)[x] *= ip_row(known, y)[x];
    for (int i = 0; i < halvings; i++) {
        ip_plane_f *planes[2] = {luma, known};
        for (int k = 0; k < 2; k++) {
            ip_plane_f half;
            IP_TRY(ip_halve(planes[k], &half, threads));
            ip_plane_free(planes[k]);
            *planes[k] = half;
        }
    }
    for (int y = 0; y < luma->height; y++)
        for (int x = 0; x < luma->width; x++) {
            float k = ip_row(known, y)[x];
            ip_row(luma, y)[x] *= k > 0.f ? 1.f / k : 0.f;
        }
    return ip_push_pull(luma, 1, known, .5f, threads);
}

static ipos_status make_small(ip_wire_fill *fill, size_t sequence, size_t index, ip_wire_small *out) {
    const ip_wire_source *s = &fill->source;
    ip_box_i all = {0, 0, s->width, s->height};
    ip_image3 whole;
    ip_plane_f known = {0}, luma = {0};
    IP_TRY(ip_planes_new(s->width, s->height, whole.c, 3));
    ipos_status status = ip_plane_new(s->width, s->height, &known);
    if (status == IPOS_OK)
        status = ip_plane_new(s->width, s->height, &luma);
    if (status == IPOS_OK)
        status = s->colour(s->user, sequence, index, all, &whole);
    if (status == IPOS_OK)
        status = s->matte(s->user, sequence, index, all, &known);
    for (int y = 0; y < s->height && status == IPOS_OK; y++)
        for (int x = 0; x < s->width; x++) {
            float sum = 0.f;
            for (int c = 0; c < 3; c++)
                sum += fabsf(ip_row(&whole.c[c], y)[x]);
            ip_row(&known, y)[x] = ip_row(&known, y)[x] <= 0.f && sum < 1e4f ? 1.f : 0.f;
        }
    if (status == IPOS_OK) {
        ip_wire_luma(&whole, &luma, s->threads);
        if (fill->options.grain && sequence == 0)
            status = ip_wire_noise(&luma, &known, out->noise, s->threads);
    }
    if (status == IPOS_OK)
        status = shrink(&luma, &known, fill->halvings, s->threads);
    ip_planes_free(whole.c, 3);
    ip_plane_free(&known);
    if (status == IPOS_OK)
        out->luma = luma;
    else
        ip_plane_free(&luma);
    return status;
}

static ipos_status keep(ip_wire_fill *fill, size_t sequence, size_t index, const ip_wire_small **out) {
    ip_wire_small *oldest = &fill->cache[0];
    fill->clock++;
    for (size_t i = 0; i < IP_WIRE_CACHE; i++) {
        ip_wire_small *at = &fill->cache[i];
        if (at->luma.data && at->sequence == sequence && at->index == index) {
            at->used = fill->clock;
            *out = at;
            return IPOS_OK;
        }
        if (at->used < oldest->used)
            oldest = at;
    }
    small_free(oldest);
    IP_TRY(make_small(fill, sequence, index, oldest));
    oldest->sequence = sequence;
    oldest->index = index;
    oldest->used = fill->clock;
    *out = oldest;
    return IPOS_OK;
}

static ipos_status small_of(ip_wire_fill *fill, size_t sequence, size_t index, const ip_plane_f **out) {
    const ip_wire_small *small;
    IP_TRY(keep(fill, sequence, index, &small));
    *out = &small->luma;
    return IPOS_OK;
}

ipos_status ip_wire_frame_noise(ip_wire_fill *fill, size_t index, float noise[IP_WIRE_BINS]) {
    const ip_wire_small *small;
    IP_TRY(keep(fill, 0, index, &small));
    memcpy(noise, small->noise, sizeof small->noise);
    return IPOS_OK;
}

static const int NEAR[] = {1, 2, 3, 5, 7}, FAR[] = {10, 14, 20, 28, 40, 56, 80, 4, 6, 8, 12, 17, 24};

static size_t choose_in_time(const ip_wire_fill *fill, size_t index, const int *steps, size_t count, ip_wire_coarse *list, size_t most) {
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        for (int side = -1; side <= 1 && steps[i] <= fill->options.reach; side += 2) {
            int64_t at = (int64_t)index + side * steps[i];
            if (at >= 0 && at < (int64_t)fill->count[0] && n < most)
                list[n++] = (ip_wire_coarse){.sequence = 0, .index = (size_t)at};
        }
    return n;
}

/* Two frames of every other sequence, at the same share of its length. */
static size_t choose_takes(const ip_wire_fill *fill, size_t index, ip_wire_coarse *list, size_t most) {
    size_t n = 0;
    for (size_t s = 1; s < fill->source.sequences; s++) {
        size_t c = fill->count[s], at = fill->count[0] > 1 && c > 0 ? index * (c - 1) / (fill->count[0] - 1) : 0;
        if (c > 0 && n < most)
            list[n++] = (ip_wire_coarse){.sequence = s, .index = at};
        if (c > 1 && n < most)
            list[n++] = (ip_wire_coarse){.sequence = s, .index = at + 1 < c ? at + 1 : at - 1};
    }
    return n;
}

void ip_wire_choose(const ip_wire_fill *fill, size_t index, ip_wire_motions *m) {
    size_t most = IP_MIN((size_t)fill->options.candidates, (size_t)IP_WIRE_CANDIDATES), others = 0;
    for (size_t s = 1; s < fill->source.sequences; s++)
        others += fill->count[s] > 0;
    *m = (ip_wire_motions){.index = index};
    size_t n = choose_in_time(fill, index, NEAR, IP_COUNT(NEAR), m->list, most - IP_MIN(2 * others, most / 2));
    n += choose_takes(fill, index, m->list + n, most - n);
    m->near = n;
    m->count = n + choose_in_time(fill, index, FAR, IP_COUNT(FAR), m->list + n, most - n);
}

typedef struct coarse_job {
    const ip_plane_f *small[IP_WIRE_CANDIDATES], *here;
    ip_wire_motions *motions;
    size_t first, last;
    ipos_status status[3];
} coarse_job;

/* In time, a motion starts from the one before it, stretched. */
static ipos_status flow_in_time(const coarse_job *job, size_t i, const ip_wire_coarse *last) {
    ip_wire_coarse *at = &job->motions->list[i];
    ip_flow_options options = {.finest = 1, .threads = 1};
    ip_plane_f from[2] = {{0}, {0}};
    if (last) {
        float ratio = ((float)at->index - (float)job->motions->index) / ((float)last->index - (float)job->motions->index);
        IP_TRY(ip_planes_new(job->here->width, job->here->height, from, 2));
        for (int c = 0; c < 2; c++)
            ip_resize(&last->flow[c], &from[c], ratio, 1);
        options.initial_u = &from[0];
        options.initial_v = &from[1];
    }
    ipos_status status = ip_flow(job->here, job->small[i], &options, at->flow);
    ip_planes_free(from, 2);
    return status;
}

static ipos_status flow_to_take(const coarse_job *job, size_t i) {
    ip_plane_f exposed = {0}, start[2] = {{0}, {0}};
    ipos_status status = ip_wire_take_start(job->here, job->small[i], &exposed, start);
    ip_flow_options options = {.finest = 1, .threads = 1, .initial_u = &start[0], .initial_v = &start[1]};
    if (status == IPOS_OK)
        status = ip_flow(job->here, &exposed, &options, job->motions->list[i].flow);
    ip_plane_free(&exposed);
    ip_planes_free(start, 2);
    return status;
}

/* 0 earlier, 1 later, 2 another sequence. */
static int kind_of(const ip_wire_motions *m, size_t i) { return m->list[i].sequence > 0 ? 2 : m->list[i].index > m->index; }

/* A job is one kind. */
static void flow_job(void *user, int64_t begin, int64_t end) {
    coarse_job *job = user;
    ip_wire_motions *m = job->motions;
    for (int64_t k = begin; k < end; k++) {
        const ip_wire_coarse *before = NULL;
        for (size_t i = 0; i < job->last && job->status[k] == IPOS_OK; i++) {
            if (kind_of(m, i) != k)
                continue;
            if (i >= job->first)
                job->status[k] = k == 2 ? flow_to_take(job, i) : flow_in_time(job, i, before);
            before = &m->list[i];
        }
    }
}

/* Makes the motions first..last-1. */
static ipos_status make_motions(ip_wire_fill *fill, ip_wire_motions *m, size_t first, size_t last) {
    coarse_job job = {.motions = m, .first = first, .last = last};
    IP_TRY(small_of(fill, 0, m->index, &job.here));
    for (size_t i = first; i < last; i++)
        IP_TRY(small_of(fill, m->list[i].sequence, m->list[i].index, &job.small[i]));
    if (fill->source.tick)
        IP_TRY(fill->source.tick(fill->source.user));
    ip_parallel(fill->source.threads, 3, 1, flow_job, &job);
    for (int k = 0; k < 3; k++)
        if (job.status[k] != IPOS_OK)
            return ip_fail(job.status[k], "wire fill: motion to a neighbour failed");
    m->made = last;
    return IPOS_OK;
}

ipos_status ip_wire_motions_near(ip_wire_fill *fill, ip_wire_motions *m) {
    return m->near > 0 && m->made == 0 ? make_motions(fill, m, 0, m->near) : IPOS_OK;
}

ipos_status ip_wire_motions_far(ip_wire_fill *fill, ip_wire_motions *m) {
    return m->made < m->count ? make_motions(fill, m, m->near, m->count) : IPOS_OK;
}

void ip_wire_motions_free(ip_wire_motions *m) {
    for (size_t i = 0; i < m->count; i++)
        ip_planes_free(m->list[i].flow, 2);
}

ipos_status ip_wire_standing(ip_wire_fill *fill, const ip_wire_motions *m, float least, float *share) {
    static const float plain = 12.f; /* levels across two pixels */
    const ip_plane_f *here, *u = &m->list[0].flow[0], *v = &m->list[0].flow[1];
    float scale = (float)(1 << fill->halvings);
    size_t all = 0, standing = 0;
    IP_TRY(small_of(fill, 0, m->index, &here));
    for (int y = 1; y < here->height - 1; y++)
        for (int x = 1; x < here->width - 1; x++) {
            float gx = ip_row(here, y)[x + 1] - ip_row(here, y)[x - 1], gy = ip_row(here, y + 1)[x] - ip_row(here, y - 1)[x];
            if (!(hypotf(gx, gy) > plain))
                continue;
            all++;
            standing += scale * hypotf(ip_row(u, y)[x], ip_row(v, y)[x]) < least;
        }
    *share = all ? (float)standing / (float)all : 0.f;
    return IPOS_OK;
}
