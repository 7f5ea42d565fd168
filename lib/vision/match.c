#include "match_internal.h"
#include <math.h>

static const float AGREE = 1.f; /* forward and backward displacement, half-size pixels */
/* CLUSTER: half the accepted pixels within this radius must agree, or the picture gets specks of other motion. */
enum { BETTER = 15, WORST = 121, CLUSTER = 4 };

typedef struct direction {
    const ip_image3 *from, *to;
    const ip_plane_f *flow;
    ip_features a[IP_MATCH_LEVELS], b[IP_MATCH_LEVELS];
    ip_field field;      /* half size when done */
    ip_field given;      /* what the flow costs there */
    ipos_status status;
} direction;

typedef struct match_job {
    direction sides[2];
    int levels; /* 1/2, 1/4, ... */
    const ip_pulse *pulse;
} match_job;

static ipos_status search_levels(match_job *job, direction *d) {
    int w = d->from->c[0].width, h = d->from->c[0].height;
    IP_TRY(ip_features_pyramid(d->from, job->levels, d->a));
    IP_TRY(ip_features_pyramid(d->to, job->levels, d->b));
    ip_field coarse = {0};
    for (int i = job->levels - 1; i >= 0; i--) {
        const ip_features *a = &d->a[i], *b = &d->b[i];
        ip_plane_f start[2];
        IP_TRY(ip_planes_new(a->width, a->height, start, 2));
        ip_resize(&d->flow[0], &start[0], (float)a->width / (float)w, 1);
        ip_resize(&d->flow[1], &start[1], (float)a->height / (float)h, 1);
        ip_field next = {0};
        ipos_status status = i == job->levels - 1 ? ip_search_all(a, b, start, job->pulse, &next)
                                                    : ip_search_level(a, b, start, &coarse, job->pulse, &next);
        ip_field_free(&coarse);
        coarse = next;
        if (status == IPOS_OK && i == 0)
            status = ip_match_costs(a, b, start, job->pulse, &d->given);
        ip_planes_free(start, 2);
        if (status != IPOS_OK) {
            ip_field_free(&coarse);
            return status;
        }
    }
    d->field = coarse;
    return IPOS_OK;
}

static void search_directions(void *user, int64_t begin, int64_t end) {
    match_job *job = user;
    for (int64_t i = begin; i < end; i++)
        job->sides[i].status = search_levels(job, &job->sides[i]);
}

/* Clearly better than the flow, lands inside, and the other direction leads back. */
static bool accepted(const direction *d, const direction *back, int x, int y) {
    ip_vector v = d->field.at[y * d->field.width + x];
    int tx = x + v.u, ty = y + v.v;
    if (tx < 0 || ty < 0 || tx >= d->field.width || ty >= d->field.height)
        return false;
    ip_vector r = back->field.at[ty * d->field.width + tx];
    if (abs(v.u + r.u) > AGREE || abs(v.v + r.v) > AGREE)
        return false;
    return IP_MIN(d->given.at[y * d->given.width + x].cost, WORST) - v.cost > BETTER;
}

static void mask_rows(void *user, int64_t begin, int64_t end) {
    const direction *d = ((const void **)user)[0], *back = ((const void **)user)[1];
    ip_plane_f *mask = ((void **)user)[2];
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < mask->width; x++)
            ip_row(mask, y)[x] = accepted(d, back, x, y) ? 1.f : 0.f;
}

/* Mean of the displacements around that are within a pixel of this one: takes the steps out of whole numbers. */
static void smooth_vector(const direction *d, const ip_plane_f *mask, int x, int y, float *u, float *v) {
    ip_vector own = d->field.at[y * d->field.width + x];
    int su = 0, sv = 0, n = 0;
    for (int j = IP_MAX(0, y - 1); j <= IP_MIN(mask->height - 1, y + 1); j++)
        for (int i = IP_MAX(0, x - 1); i <= IP_MIN(mask->width - 1, x + 1); i++) {
            ip_vector o = d->field.at[j * d->field.width + i];
            if (ip_row(mask, j)[i] > 0.f && abs(o.u - own.u) <= 1 && abs(o.v - own.v) <= 1) {
                su += o.u;
                sv += o.v;
                n++;
            }
        }
    *u = n ? (float)su / (float)n : (float)own.u;
    *v = n ? (float)sv / (float)n : (float)own.v;
}

static ipos_status make_override(const direction *d, const direction *back, const ip_image3 *frame, int threads, ip_override *out) {
    int w = d->field.width, h = d->field.height;
    ip_plane_f planes[3]; /* accepted, how much of the surroundings is, scratch */
    IP_TRY(ip_planes_new(w, h, planes, 3));
    void *user[3] = {(void *)d, (void *)back, &planes[0]};
    ip_parallel(threads, h, 8, mask_rows, user);
    ip_box_blur(&planes[0], &planes[1], &planes[2], CLUSTER, CLUSTER, threads);
    float sx = (float)frame->c[0].width / (float)w, sy = (float)frame->c[0].height / (float)h;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            if (!(ip_row(&planes[0], y)[x] > 0.f) || ip_row(&planes[1], y)[x] < .5f)
                continue;
            float u, v;
            smooth_vector(d, &planes[0], x, y, &u, &v);
            ip_row(&out->mask, y)[x] = 1.f;
            ip_row(&out->u, y)[x] = u * sx;
            ip_row(&out->v, y)[x] = v * sy;
        }
    ip_planes_free(planes, 3);
    return IPOS_OK;
}

static ipos_status match(match_job *job, int threads, ip_override out[2]) {
    const ip_image3 *a = job->sides[0].from;
    int w = (a->c[0].width + 1) / 2, h = (a->c[0].height + 1) / 2;
    for (int i = 0; i < 2; i++) {
        IP_TRY(ip_plane_new(w, h, &out[i].u));
        IP_TRY(ip_plane_new(w, h, &out[i].v));
        IP_TRY(ip_plane_new(w, h, &out[i].mask));
    }
    if (a->c[0].width < 32 || a->c[0].height < 32)
        return IPOS_OK;
    ip_parallel(threads, 2, 1, search_directions, job);
    for (int i = 0; i < 2; i++)
        if (job->sides[i].status != IPOS_OK)
            return ip_fail(job->sides[i].status, job->sides[i].status == IPOS_ERR_CANCELLED ? "match: cancelled" : "match: out of memory");
    IP_TRY(make_override(&job->sides[0], &job->sides[1], a, threads, &out[0]));
    return make_override(&job->sides[1], &job->sides[0], a, threads, &out[1]);
}

ipos_status ip_match(const ip_image3 *a, const ip_image3 *b, const ip_plane_f forward[2], const ip_plane_f backward[2], int threads,
    const ip_pulse *pulse, ip_override out[2]) {
    match_job job = {.sides = {{.from = a, .to = b, .flow = forward}, {.from = b, .to = a, .flow = backward}}, .levels = 1, .pulse = pulse};
    for (int w = (a->c[0].width + 1) / 2; w > IP_MATCH_COARSE && job.levels < IP_MATCH_LEVELS; w = (w + 1) / 2)
        job.levels++;
    memset(out, 0, 2 * sizeof *out);
    ipos_status status = match(&job, threads, out);
    for (int i = 0; i < 2; i++) {
        ip_field_free(&job.sides[i].field);
        ip_field_free(&job.sides[i].given);
        for (int l = 0; l < IP_MATCH_LEVELS; l++) {
            ip_features_free(&job.sides[i].a[l]);
            ip_features_free(&job.sides[i].b[l]);
        }
        if (status != IPOS_OK)
            ip_override_free(&out[i]);
    }
    return status;
}

void ip_override_free(ip_override *override) {
    ip_plane_free(&override->u);
    ip_plane_free(&override->v);
    ip_plane_free(&override->mask);
}

void ip_override_apply(const ip_override *override, ip_plane_f flow[2], int threads) {
    (void)threads;
    for (int y = 0; y < flow[0].height; y++) {
        const float *mask = ip_row(&override->mask, y / 2), *u = ip_row(&override->u, y / 2), *v = ip_row(&override->v, y / 2);
        for (int x = 0; x < flow[0].width; x++)
            if (mask[x / 2] > 0.f) {
                ip_row(&flow[0], y)[x] = u[x / 2];
                ip_row(&flow[1], y)[x] = v[x / 2];
            }
    }
}
