/* Both suns on a frame of a set of which something is given. */
#include "moving.h"
#include "set_parts.h"

#include <math.h>

enum { PLACES = 4 };
static const double SUN = .0046; /* radius of the sun's disc, radians */

typedef struct light_job {
    const ip_set *set;
    const ip_set_frame *frame;
    const ip_relight_pair *pair;
    const ip_surface *surface;
    const ip_plane_f *still;
    double across[2][2][3]; /* two directions across each sun's, unit */
} light_job;

/* What falls on a place of a pixel: sums of cosines, and of cosines where the sun gets through. */
typedef struct falling {
    double facing[2], lit[2];
    int hits;
} falling;

/* From the set's axes to those of the given world; a direction. */
static void turn_back(const ip_known *known, const double set[3], float out[3]) {
    for (int k = 0; k < 3; k++)
        out[k] = (float)(known->turn[k] * set[0] + known->turn[3 + k] * set[1] + known->turn[6 + k] * set[2]);
}

/* A point of the sun's disc, for place s of a pixel: rings of the disc and turns that differ from pixel to pixel, drawn by a hash (Wang's). */
static void sun_point(const light_job *job, int sun, int x, int y, int s, float out[3]) {
    const double *toward = sun ? job->pair->now.toward : job->pair->old.toward;
    uint32_t h = (uint32_t)y * 73856093u ^ (uint32_t)x * 19349663u;
    h = (h ^ 61u) ^ (h >> 16);
    h *= 9u;
    h ^= h >> 4;
    h *= 0x27d4eb2du;
    h ^= h >> 15;
    double turn = 6.283185307179586 * ((double)(h & 0xffff) / 65536 + s * .25), radius = SUN * sqrt((s + .5) / PLACES), d[3];
    for (int k = 0; k < 3; k++)
        d[k] = toward[k] + radius * (cos(turn) * job->across[sun][0][k] + sin(turn) * job->across[sun][1][k]);
    turn_back(&job->set->known, d, out);
}

/* Both suns at a place (given world) that faces n (the set's axes); off: how far to step off it, in the given world's units. */
static void fall(const light_job *job, int x, int y, int s, const float at[3], const double n[3], float off, falling *sum) {
    float n_given[3], from[3];
    turn_back(&job->set->known, n, n_given);
    for (int k = 0; k < 3; k++)
        from[k] = at[k] + off * n_given[k];
    for (int sun = 0; sun < 2; sun++) {
        double facing = ip_dot3(n, sun ? job->pair->now.toward : job->pair->old.toward);
        float toward[3];
        if (facing <= 0)
            continue;
        sun_point(job, sun, x, y, s, toward);
        sum->facing[sun] += facing;
        if (!ip_rays_stopped(job->set->known.rays, from, toward, 0))
            sum->lit[sun] += facing;
    }
    sum->hits++;
}

/* The normal of the pixel as it is given, or NULL. */
static bool normal_at(const ip_set_frame *f, int x, int y, double n[3]) {
    for (int k = 0; k < 3; k++)
        n[k] = f->normal[0].data ? (double)ip_row(&f->normal[k], y)[x] : 0;
    return n[0] != 0 || n[1] != 0 || n[2] != 0;
}

/* The given normal at a place of a pixel, if it is that of what the mesh shows there. */
static bool given_normal(const ip_set_frame *f, double x, double y, const double mesh[3], double n[3]) {
    double length = 0;
    for (int k = 0; k < 3; k++) {
        n[k] = (double)ip_sample_linear(&f->normal[k], (float)x, (float)y);
        length += n[k] * n[k];
    }
    length = sqrt(length);
    for (int k = 0; k < 3; k++)
        n[k] /= fmax(length, 1e-9);
    return length > .5 && ip_dot3(n, mesh) > .5;
}

static void mesh_pixel(const light_job *job, int x, int y, falling *sum) {
    const ip_set *set = job->set;
    static const double step[PLACES][2] = {{-.25, -.25}, {.25, -.25}, {-.25, .25}, {.25, .25}};
    for (int s = 0; s < PLACES; s++) {
        float from[3], along[3], depth, n[3], at[3];
        double normal[3], given[3];
        ip_known_ray(set, job->frame->index, x + step[s][0], y + step[s][1], from, along);
        if (!ip_rays_first(set->known.rays, from, along, 1e-3f, &depth, n))
            continue;
        ip_known_turn(&set->known, n, normal);
        for (int k = 0; k < 3; k++)
            at[k] = from[k] + depth * along[k];
        bool has = set->source.given.normal && given_normal(job->frame, x + step[s][0], y + step[s][1], normal, given);
        fall(job, x, y, s, at, has ? given : normal, 2e-4f * depth + 1e-4f, sum);
    }
}

/* What moves before the mesh: its place by its depth if there is one, else it is lit as something upright that faces the camera. */
static void moving_pixel(const light_job *job, int x, int y, falling *sum) {
    const ip_set *set = job->set;
    float depth = 1 / ip_row(&job->frame->view.inverse, y)[x];
    bool placed = set->source.given.depth || set->source.given.position;
    double n[3];
    float from[3], along[3], at[3];
    if (!normal_at(job->frame, x, y, n) || !set->source.given.normal) {
        ip_known_ray(set, job->frame->index, x, y, from, along);
        ip_known_turn(&set->known, along, n);
        double level = fmax(hypot(n[0], n[2]), 1e-9);
        n[0] /= -level;
        n[1] = 0;
        n[2] /= -level;
    }
    if (!placed) {
        for (int sun = 0; sun < 2; sun++)
            sum->facing[sun] = sum->lit[sun] = fmax(ip_dot3(n, sun ? job->pair->now.toward : job->pair->old.toward), 0);
        sum->hits = 1;
        return;
    }
    for (int s = 0; s < PLACES; s++) {
        ip_known_ray(set, job->frame->index, x, y, from, along);
        for (int k = 0; k < 3; k++)
            at[k] = from[k] + depth / (float)set->known.scale * along[k];
        fall(job, x, y, s, at, n, 2e-4f * depth + 1e-4f, sum);
    }
}

static void ray_rows(void *user, int64_t begin, int64_t end) {
    const light_job *job = user;
    const ip_set_frame *f = job->frame;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < f->kind.width; x++) {
            falling sum = {{0}, {0}, 0};
            float kind = ip_row(&f->kind, y)[x], *sky = &ip_row(&job->surface->sky, y)[x];
            if (kind == IP_IS_MOVING)
                moving_pixel(job, x, y, &sum);
            else
                mesh_pixel(job, x, y, &sum);
            ip_row(&job->surface->ground, y)[x] = kind == IP_IS_GROUND;
            ip_row(job->still, y)[x] = kind == IP_IS_GROUND || kind == IP_IS_UPRIGHT;
            if (kind != IP_IS_MOVING)
                *sky = fminf(*sky > .02f ? 1 : 0, 1 - (float)sum.hits / PLACES);
            ip_row(&job->surface->seen[IP_OLD_SUN], y)[x] = -1;
            for (int sun = 0; sun < 2 && sum.hits; sun++) {
                ip_row(&job->surface->facing[sun], y)[x] = (float)fmax(sum.facing[sun] / sum.hits, .02);
                ip_row(&job->surface->seen[sun], y)[x] = sum.facing[sun] > 0 ? (float)(sum.lit[sun] / sum.facing[sun]) : 0;
            }
        }
}

static ipos_status by_rays(const ip_set *set, const ip_set_frame *frame, const ip_relight_pair *pair, const ip_surface *surface, const ip_plane_f *still) {
    light_job job = {set, frame, pair, surface, still, {{{0}}}};
    ip_sun_across(pair->old.toward, job.across[IP_OLD_SUN][0], job.across[IP_OLD_SUN][1]);
    ip_sun_across(pair->now.toward, job.across[IP_NEW_SUN][0], job.across[IP_NEW_SUN][1]);
    ip_parallel(set->source.threads, frame->kind.height, 4, ray_rows, &job);
    ip_plane_f behind; /* what moves is held by no mesh */
    IP_TRY(ip_plane_new(frame->kind.width, frame->kind.height, &behind));
    ipos_status status = ip_cast_behind(&set->room, frame, &set->path.lens, set->source.threads, &behind);
    if (status == IPOS_OK)
        status = ip_moving_shade(&behind, frame, &set->path.lens, pair->now.toward, set->source.threads, &surface->passing);
    ip_plane_free(&behind);
    return status;
}

ipos_status ip_given_surface(const ip_set *set, const ip_set_frame *frame, const ip_relight_pair *pair, const ip_surface *surface, const ip_plane_f *still) {
    const double *toward[2] = {pair->old.toward, pair->now.toward};
    if (set->known.rays)
        return by_rays(set, frame, pair, surface, still);
    IP_TRY(ip_set_plain_surface(set, frame, pair, surface, still));
    for (int y = 0; y < frame->kind.height && frame->normal[0].data; y++)
        for (int x = 0; x < frame->kind.width; x++) {
            double n[3];
            if (normal_at(frame, x, y, n))
                for (int sun = 0; sun < 2; sun++)
                    ip_row(&surface->facing[sun], y)[x] = (float)fmax(ip_dot3(n, toward[sun]), .02);
        }
    return IPOS_OK;
}

void ip_given_join(const ip_plane_f *by_rays, const ip_plane_f *seen) {
    for (int y = 0; y < seen->height; y++)
        for (int x = 0; x < seen->width; x++)
            if (ip_row(by_rays, y)[x] >= 0)
                ip_row(seen, y)[x] = ip_row(by_rays, y)[x];
}
