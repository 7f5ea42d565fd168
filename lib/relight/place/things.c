#include "things.h"
#include "gauss.h"
#include "guided.h"
#include "mask.h"
#include "trim.h"

#include <math.h>

enum { RESIDUE, THINGS, HEIGHT, TMP, MOVING, PART, PLANES };
static const double NEARER = .93, LOW = .3;

void ip_set_frame_free(ip_set_frame *frame) {
    ip_plane_free(&frame->view.inverse);
    ip_plane_free(&frame->view.agreeing);
    ip_plane_free(&frame->room);
    ip_plane_free(&frame->wall);
    ip_plane_free(&frame->kind);
    ip_planes_free(frame->normal, 3);
}

typedef struct things_job {
    const ip_room *room;
    const ip_lens *lens;
    const ip_beside *beside;
    size_t count;
    ip_set_frame *frame;
    ip_plane_f *part;
} things_job;

/* The room behind every pixel, how high what is seen lies, and how badly the frames beside fit if all were room: the best fit of them. */
static void room_rows(void *user, int64_t begin, int64_t end) {
    const things_job *job = user;
    const ip_set_frame *f = job->frame;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < f->room.width; x++) {
            ip_room_hit hit = ip_room_at(job->room, &f->view.pose, job->lens, x, y);
            double world[3], c[3], depth = 1 / fmax((double)ip_row(&f->view.inverse, y)[x], 1e-4);
            float least = 1;
            ip_row(&f->room, y)[x] = hit.depth;
            ip_row(&f->wall, y)[x] = (float)hit.what;
            ip_world_of(&f->view.pose, job->lens, x, y, depth, world);
            ip_row(&job->part[HEIGHT], y)[x] = (float)world[1];
            ip_world_of(&f->view.pose, job->lens, x, y, (double)hit.depth, world);
            bool any = false;
            for (size_t k = 0; k < job->count; k++) {
                ip_pose_apply(job->beside[k].pose, world, c);
                double u = job->lens->focal * c[0] / c[2] + job->lens->cx, v = job->lens->focal * c[1] / c[2] + job->lens->cy;
                if (c[2] < .1 || u < 0 || v < 0 || u > f->room.width - 1 || v > f->room.height - 1)
                    continue;
                any = true;
                least = fminf(least, fabsf(ip_sample_linear(job->beside[k].luma, (float)u, (float)v) - ip_row(f->luma, y)[x]));
            }
            ip_row(&job->part[RESIDUE], y)[x] = any ? least : 0;
        }
}

/* Where a share of the (2 radius + 1)^2 neighbours has at least so much residue. */
static void residue_share(ip_plane_f *part, float least, int radius, int threads, ip_plane_f *out) {
    for (int y = 0; y < out->height; y++)
        for (int x = 0; x < out->width; x++)
            ip_row(out, y)[x] = ip_row(&part[RESIDUE], y)[x] > least;
    ip_box_blur(out, out, &part[TMP], radius, radius, threads);
}

/* Depth of what is behind a pixel at most. A gap: what is nearer than the wall beside it stands before it, the rest is far. */
static float room_behind(const things_job *job, int x, int y) {
    const ip_set_frame *f = job->frame;
    float room = ip_row(&f->room, y)[x];
    return ip_row(&f->wall, y)[x] <= 0 ? fminf(room, ip_room_backdrop(job->room, &f->view.pose, job->lens, x, y)) : room;
}

/* So near, and said by so many, that it needs no other witness: plain boxes hide no texture that would show the room to be wrong. */
static bool surely_near(const things_job *job, int x, int y) {
    const ip_set_frame *f = job->frame;
    float room = room_behind(job, x, y);
    return room < 9e3f && ip_row(&f->view.inverse, y)[x] * room > 1.2f && ip_row(&f->view.agreeing, y)[x] >= IP_AGREE + 1;
}

/* Nearer than the room, over the ground, where the room does not explain the frames; edges on the picture's edges. */
static ipos_status candidates(const things_job *job, int threads) {
    ip_set_frame *f = job->frame;
    ip_plane_f *part = job->part, *mask = &part[THINGS];
    int width = mask->width;
    for (int y = 0; y < mask->height; y++)
        for (int x = 0; x < width; x++) {
            float w = ip_row(&f->view.inverse, y)[x];
            float room = room_behind(job, x, y);
            bool near = room < 9e3f && w * room * (float)NEARER > 1, high = ip_row(&part[HEIGHT], y)[x] > (float)LOW;
            ip_row(mask, y)[x] = near && high && ip_row(f->sky, y)[x] < .5f;
        }
    IP_TRY(ip_guided(f->luma, mask, mask, ip_relight_pixels(width, 7), 2e-3f, threads));
    residue_share(part, .03f, ip_relight_pixels(width, 7), threads, &part[PART]);
    for (int y = 0; y < mask->height; y++)
        for (int x = 0; x < width; x++)
            ip_row(mask, y)[x] = ip_row(mask, y)[x] > .5f && (ip_row(&part[PART], y)[x] > .12f || surely_near(job, x, y));
    return IPOS_OK;
}

/* Height of the topmost and the lowest pixel of a column of a piece. */
static bool column_stands(const things_job *job, const int32_t *labels, int32_t label, const ip_piece *piece, int x) {
    float top = -1e9f, foot = 1e9f;
    int width = job->frame->room.width;
    for (int y = piece->box.y; y < piece->box.y + piece->box.height; y++)
        if (labels[y * width + x] == label) {
            float h = ip_row(&job->part[HEIGHT], y)[x];
            top = fmaxf(top, h);
            foot = fminf(foot, h);
        }
    return top > .65f && top - foot > .4f;
}

static ipos_status keep_things(const things_job *job) {
    ip_plane_f *mask = &job->part[THINGS];
    float unit = ip_relight_unit(mask->width);
    int32_t *labels;
    ip_piece *pieces;
    size_t count;
    IP_TRY(ip_mask_pieces(mask, &labels, &pieces, &count));
    for (size_t i = 0; i < count; i++) {
        const ip_box_i b = pieces[i].box;
        int32_t label = (int32_t)i + 1;
        int sure = 0;
        float top = -1e9f, foot = 1e9f;
        for (int y = b.y; y < b.y + b.height; y++)
            for (int x = b.x; x < b.x + b.width; x++)
                if (labels[y * mask->width + x] == label) {
                    float h = ip_row(&job->part[HEIGHT], y)[x];
                    sure += ip_row(&job->frame->view.agreeing, y)[x] >= IP_AGREE;
                    top = fmaxf(top, h);
                    foot = fminf(foot, h);
                }
        bool keep = (float)pieces[i].area >= 80 * unit * unit && (float)sure >= .4f * (float)pieces[i].area && top - foot >= .5f;
        for (int x = b.x; x < b.x + b.width; x++) {
            bool stands = keep && column_stands(job, labels, label, &pieces[i], x);
            for (int y = b.y; y < b.y + b.height; y++)
                if (labels[y * mask->width + x] == label)
                    ip_row(mask, y)[x] = stands;
        }
    }
    ip_free(labels);
    ip_free(pieces);
    return IPOS_OK;
}

/* Large pieces whose depth nobody confirms and that no room explains. */
static ipos_status find_moving(const things_job *job, int threads) {
    ip_set_frame *f = job->frame;
    ip_plane_f *part = job->part, *mask = &part[MOVING];
    int width = mask->width;
    float unit = ip_relight_unit(width);
    int32_t *labels;
    ip_piece *pieces;
    size_t count;
    for (int y = 0; y < mask->height; y++)
        for (int x = 0; x < width; x++)
            ip_row(mask, y)[x] = ip_row(&f->view.agreeing, y)[x] < IP_AGREE && ip_row(f->sky, y)[x] < .5f;
    IP_TRY(ip_mask_pieces(mask, &labels, &pieces, &count));
    int *off = ip_calloc(count + 1, sizeof *off);
    for (int y = 0; off && y < mask->height; y++)
        for (int x = 0; x < width; x++)
            off[labels[y * width + x]] += ip_row(&part[RESIDUE], y)[x] > .05f;
    for (int y = 0; off && y < mask->height; y++)
        for (int x = 0; x < width; x++) {
            int32_t label = labels[y * width + x];
            ip_row(mask, y)[x] = label && (float)pieces[label - 1].area > 900 * unit * unit && (float)off[label] > .3f * (float)pieces[label - 1].area;
        }
    bool done = off != NULL;
    ip_free(off);
    ip_free(labels);
    ip_free(pieces);
    if (!done)
        return IPOS_ERR_NO_MEMORY;
    ip_mask_open(mask, &part[TMP], ip_relight_pixels(width, 6));
    ip_mask_close(mask, &part[TMP], ip_relight_pixels(width, 15));
    IP_TRY(ip_guided(f->luma, mask, mask, ip_relight_pixels(width, 7), 2e-3f, threads));
    return IPOS_OK;
}

/* Kinds; low things at the foot of a wall are ground: a kerb, a pavement. */
static void name_kinds(const things_job *job, int threads) {
    ip_set_frame *f = job->frame;
    ip_plane_f *part = job->part;
    int reach = ip_relight_pixels(f->kind.width, 20);
    ip_box_blur(&part[HEIGHT], &part[PART], &part[TMP], 2, 2, threads);
    for (int y = 0; y < f->kind.height; y++)
        for (int x = 0; x < f->kind.width; x++) {
            float kind = ip_row(&f->wall, y)[x] == 0 ? IP_IS_GROUND : IP_IS_UPRIGHT, w = ip_row(&f->view.inverse, y)[x];
            if (kind == IP_IS_UPRIGHT && ip_row(&f->wall, IP_MIN(f->kind.height - 1, y + reach))[x] == 0 && ip_row(&part[PART], y)[x] < .35f &&
                w * ip_row(&f->room, y)[x] * .97f < 1)
                kind = IP_IS_GROUND;
            if (ip_row(&part[THINGS], y)[x] > 0)
                kind = IP_IS_THING;
            if (ip_row(&part[MOVING], y)[x] > .5f)
                kind = IP_IS_MOVING;
            if (ip_row(f->sky, y)[x] > .5f)
                kind = IP_IS_SKY;
            ip_row(&f->kind, y)[x] = kind;
        }
}

ipos_status ip_things_find(const ip_room *room, const ip_lens *lens, const ip_beside *beside, size_t count, int threads, ip_set_frame *frame) {
    int width = frame->view.inverse.width, height = frame->view.inverse.height;
    ip_plane_f part[PLANES], own[3];
    things_job job = {room, lens, beside, count, frame, part};
    IP_TRY(ip_planes_new(width, height, part, PLANES));
    ipos_status status = ip_planes_new(width, height, own, 3);
    if (status == IPOS_OK) {
        frame->room = own[0];
        frame->wall = own[1];
        frame->kind = own[2];
        ip_parallel(threads, height, 8, room_rows, &job);
        status = candidates(&job, threads);
    }
    if (status == IPOS_OK)
        status = keep_things(&job);
    if (status == IPOS_OK)
        status = ip_trim(frame->light, threads, &part[THINGS]);
    if (status == IPOS_OK)
        status = find_moving(&job, threads);
    if (status == IPOS_OK)
        name_kinds(&job, threads);
    ip_planes_free(part, PLANES);
    return status;
}
