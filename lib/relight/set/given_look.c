/* Depth, normals and kinds of a frame of a set of which something is given. */
#include "set_parts.h"
#include "gauss.h"
#include "mask.h"

#include <math.h>

static const float ENOUGH = .02f; /* of what is no sky may be left unknown before it is swept for */
static const float NOTHING = 1e-6f; /* 1 / z where nothing is */
static const float BEFORE = .97f; /* of the mesh's depth: what is nearer stands before it */

/* The mesh as a frame sees it. */
typedef struct mesh_job {
    const ip_set *set;
    size_t index;
    const ip_plane_f *inverse; /* in units of the given world; 0: nothing */
    const ip_plane_f *normal;  /* three planes in the set's axes, or NULL */
} mesh_job;

void ip_known_turn(const ip_known *known, const float given[3], double out[3]) {
    for (int k = 0; k < 3; k++)
        out[k] = known->turn[3 * k] * given[0] + known->turn[3 * k + 1] * given[1] + known->turn[3 * k + 2] * given[2];
}

void ip_known_ray(const ip_set *set, size_t index, double x, double y, float from[3], float along[3]) {
    const ip_pose *pose = &set->known.pose[index];
    const ip_lens *lens = &set->path.lens;
    double eye[3], ray[3], c[3] = {(x - lens->cx) / lens->focal, (y - lens->cy) / lens->focal, 1};
    ip_pose_centre(pose, eye);
    ip_pose_turn_back(pose, c, ray);
    for (int k = 0; k < 3; k++) {
        from[k] = (float)eye[k];
        along[k] = (float)ray[k];
    }
}

static void mesh_rows(void *user, int64_t begin, int64_t end) {
    const mesh_job *job = user;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < job->inverse->width; x++) {
            float from[3], along[3], depth, n[3];
            double normal[3] = {0};
            ip_known_ray(job->set, job->index, x, y, from, along);
            bool hit = ip_rays_first(job->set->known.rays, from, along, 1e-3f, &depth, n);
            ip_row(job->inverse, y)[x] = hit ? 1 / depth : 0;
            if (!job->normal)
                continue;
            if (hit)
                ip_known_turn(&job->set->known, n, normal);
            for (int k = 0; k < 3; k++)
                ip_row(&job->normal[k], y)[x] = (float)normal[k];
        }
}

/* Takes values where there are none yet. */
static void fill(const ip_plane_f *from, float scale, const ip_view *view) {
    for (int y = 0; y < from->height; y++)
        for (int x = 0; x < from->width; x++) {
            float *to = &ip_row(&view->inverse, y)[x], value = ip_row(from, y)[x];
            if (*to != 0 || value == 0)
                continue;
            *to = value > 0 ? value / scale : -1;
            ip_row(&view->agreeing, y)[x] = value > 0 ? IP_GIVEN : 0;
        }
}

static ipos_status fill_position(ip_set *set, size_t index, const ip_view *view, const ip_plane_f *part) {
    const ip_given *given = &set->source.given;
    const ip_pose *pose = set->known.pose ? &set->known.pose[index] : &set->path.pose[index];
    IP_TRY(given->position(given->user, index, part + 1));
    for (int y = 0; y < part->height; y++)
        for (int x = 0; x < part->width; x++) {
            double c[3], at[3] = {ip_row(&part[1], y)[x], ip_row(&part[2], y)[x], ip_row(&part[3], y)[x]};
            ip_pose_apply(pose, at, c);
            ip_row(part, y)[x] = isfinite(c[2]) && c[2] > 0 ? (float)(1 / c[2]) : 0;
        }
    fill(part, (float)set->known.scale, view);
    return IPOS_OK;
}

static ipos_status fill_swept(ip_set *set, size_t index, const ip_view *view) {
    const ip_plane_f *sky;
    size_t unknown = 0, all = 0;
    IP_TRY(set->source.sky(set->source.track.user, index, &sky));
    for (int y = 0; y < sky->height; y++)
        for (int x = 0; x < sky->width; x++) {
            bool solid = ip_row(sky, y)[x] < .5f;
            all += solid;
            unknown += solid && ip_row(&view->inverse, y)[x] == 0;
        }
    if (!(set->near_inverse > 0) || (float)unknown <= ENOUGH * (float)all)
        return IPOS_OK;
    ip_view swept;
    IP_TRY(ip_set_depth(set, index, &swept));
    for (int y = 0; y < sky->height; y++)
        for (int x = 0; x < sky->width; x++)
            if (ip_row(&view->inverse, y)[x] == 0)
                ip_row(&view->inverse, y)[x] = ip_row(&swept.inverse, y)[x];
    ip_view_free(&swept);
    return IPOS_OK;
}

/* A depth in metres fits the set's units but for a set placed by a camera whose scale nobody told. */
static ipos_status fill_all(ip_set *set, size_t index, const ip_view *view, const ip_plane_f *part) {
    const ip_given *given = &set->source.given;
    if (given->depth) {
        IP_TRY(given->depth(given->user, index, part));
        fill(part, 1, view);
    }
    if (given->position)
        IP_TRY(fill_position(set, index, view, part));
    if (set->known.rays) {
        mesh_job job = {set, index, part, NULL};
        ip_parallel(set->source.threads, part->height, 8, mesh_rows, &job);
        fill(part, (float)set->known.scale, view);
    }
    IP_TRY(fill_swept(set, index, view));
    for (int y = 0; y < part->height; y++)
        for (int x = 0; x < part->width; x++)
            ip_row(&view->inverse, y)[x] = fmaxf(ip_row(&view->inverse, y)[x], NOTHING);
    return IPOS_OK;
}

ipos_status ip_given_view(ip_set *set, size_t index, ip_view *out) {
    ip_plane_f part[6];
    *out = (ip_view){.pose = set->path.pose[index]};
    if (!ip_alive(set->source.track.pulse))
        return ip_fail(IPOS_ERR_CANCELLED, "relight: cancelled");
    IP_TRY(ip_planes_new(set->source.width, set->source.height, part, 6));
    out->inverse = part[4];
    out->agreeing = part[5];
    ipos_status status = fill_all(set, index, out, part);
    ip_planes_free(part, 4);
    if (status != IPOS_OK)
        ip_view_free(out);
    return status;
}

/* What a mesh does not hold stands before it. */
static ipos_status doubt(const ip_set *set, const ip_view *view, size_t index) {
    ip_plane_f mesh;
    IP_TRY(ip_plane_new(set->source.width, set->source.height, &mesh));
    mesh_job job = {set, index, &mesh, NULL};
    ip_parallel(set->source.threads, mesh.height, 8, mesh_rows, &job);
    for (int y = 0; y < mesh.height; y++)
        for (int x = 0; x < mesh.width; x++)
            if (ip_row(&mesh, y)[x] / (float)set->known.scale < BEFORE * ip_row(&view->inverse, y)[x])
                ip_row(&view->agreeing, y)[x] = 0;
    ip_plane_free(&mesh);
    return IPOS_OK;
}

ipos_status ip_given_agree(const ip_set *set, const ip_view *view, size_t index) {
    const ip_given *given = &set->source.given;
    if (set->known.rays)
        return given->depth || given->position ? doubt(set, view, index) : IPOS_OK;
    ip_set_agree(set, view, index);
    for (int y = 0; y < view->inverse.height; y++)
        for (int x = 0; x < view->inverse.width; x++)
            if (ip_row(&view->inverse, y)[x] <= NOTHING) /* all views agree that nothing is there: no place for all that */
                ip_row(&view->agreeing, y)[x] = 0;
    return IPOS_OK;
}

/* From places beside: of each two the nearer in depth, so that no normal bends over an edge. */
static void normals_of_depth(const ip_view *view, const ip_lens *lens, const ip_plane_f normal[3]) {
    const ip_plane_f *w = &view->inverse;
    for (int y = 0; y < w->height; y++)
        for (int x = 0; x < w->width; x++) {
            double at[3], beside[2][3], n[3], eye[3], length, toward;
            float own = ip_row(w, y)[x];
            ip_world_of(&view->pose, lens, x, y, 1 / (double)own, at);
            for (int way = 0; way < 2; way++) {
                int best[2] = {x, y};
                float least = 1e30f;
                for (int step = -1; step <= 1; step += 2) {
                    int nx = IP_MIN(IP_MAX(x + (way ? 0 : step), 0), w->width - 1), ny = IP_MIN(IP_MAX(y + (way ? step : 0), 0), w->height - 1);
                    float apart = fabsf(ip_row(w, ny)[nx] - own);
                    if ((nx != x || ny != y) && apart < least) {
                        least = apart;
                        best[0] = nx;
                        best[1] = ny;
                    }
                }
                ip_world_of(&view->pose, lens, best[0], best[1], 1 / (double)ip_row(w, best[1])[best[0]], beside[way]);
                for (int k = 0; k < 3; k++)
                    beside[way][k] -= at[k];
            }
            for (int k = 0; k < 3; k++)
                n[k] = beside[0][(k + 1) % 3] * beside[1][(k + 2) % 3] - beside[0][(k + 2) % 3] * beside[1][(k + 1) % 3];
            length = sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
            ip_pose_centre(&view->pose, eye);
            toward = n[0] * (eye[0] - at[0]) + n[1] * (eye[1] - at[1]) + n[2] * (eye[2] - at[2]);
            for (int k = 0; k < 3; k++)
                ip_row(&normal[k], y)[x] = length > 1e-12 && own > 1e-4f ? (float)(n[k] / (toward < 0 ? -length : length)) : 0;
        }
}

/* A pass of normals, in the set's axes. */
static ipos_status take_normals(const ip_set *set, size_t index, ip_set_frame *f) {
    const ip_given *given = &set->source.given;
    ip_plane_f pass[3];
    IP_TRY(ip_planes_new(f->kind.width, f->kind.height, pass, 3));
    ipos_status status = given->normal(given->user, index, pass);
    for (int y = 0; y < f->kind.height && status == IPOS_OK; y++)
        for (int x = 0; x < f->kind.width; x++) {
            float n[3] = {ip_row(&pass[0], y)[x], ip_row(&pass[1], y)[x], ip_row(&pass[2], y)[x]};
            double axes[3] = {n[0], -n[1], -n[2]}, out[3];
            if (n[0] == 0 && n[1] == 0 && n[2] == 0)
                continue;
            if (given->normals_of_camera)
                ip_pose_turn_back(&f->view.pose, axes, out);
            else
                ip_known_turn(&set->known, n, out);
            for (int k = 0; k < 3; k++)
                ip_row(&f->normal[k], y)[x] = (float)out[k];
        }
    ip_planes_free(pass, 3);
    return status;
}

static ipos_status find_normals(ip_set *set, size_t index, ip_set_frame *f) {
    const ip_given *given = &set->source.given;
    if (!given->normal && !given->depth && !given->position && !set->known.rays)
        return IPOS_OK;
    IP_TRY(ip_planes_new(f->kind.width, f->kind.height, f->normal, 3));
    if (set->known.rays) {
        mesh_job job = {set, index, &f->room, f->normal};
        ip_parallel(set->source.threads, f->room.height, 8, mesh_rows, &job);
        for (int y = 0; y < f->room.height; y++)
            for (int x = 0; x < f->room.width; x++) {
                float *room = &ip_row(&f->room, y)[x];
                *room = *room > 0 ? (float)set->known.scale / *room : 1e4f;
            }
    } else if (given->depth || given->position) {
        normals_of_depth(&f->view, &set->path.lens, f->normal);
    }
    return given->normal ? take_normals(set, index, f) : IPOS_OK;
}

/* How far a place's luma lies outside that of the 3x3 pixels around it in another frame. */
static float outside(const ip_plane_f *luma, double u, double v, float own) {
    float low = 1e9f, high = -1e9f;
    int x = (int)(u + .5), y = (int)(v + .5);
    for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++) {
            float value = ip_row(luma, IP_MIN(IP_MAX(y + dy, 0), luma->height - 1))[IP_MIN(IP_MAX(x + dx, 0), luma->width - 1)];
            low = fminf(low, value);
            high = fmaxf(high, value);
        }
    return fmaxf(0, fmaxf(own - high, low - own));
}

/* Where frames on both sides do not fit the mesh: something moves before it. Lumas: of this frame and of those beside. */
static ipos_status moving_by_picture(const ip_set *set, const ip_set_frame *f, const ip_plane_f *luma, const ip_beside *beside, size_t count, ip_plane_f part[3]) {
    const ip_lens *lens = &set->path.lens;
    int width = f->kind.width, height = f->kind.height;
    float unit = ip_relight_unit(width);
    int32_t *labels;
    ip_piece *pieces;
    size_t found;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            double world[3], c[3];
            float least = 1;
            bool any = false;
            ip_world_of(&f->view.pose, lens, x, y, (double)ip_row(&f->room, y)[x], world);
            for (size_t k = 0; k < count; k++) {
                ip_pose_apply(beside[k].pose, world, c);
                double u = lens->focal * c[0] / c[2] + lens->cx, v = lens->focal * c[1] / c[2] + lens->cy;
                if (c[2] < .1 || u < 0 || v < 0 || u > width - 1 || v > height - 1)
                    continue;
                any = true;
                least = fminf(least, outside(beside[k].luma, u, v, ip_row(luma, y)[x]));
            }
            ip_row(&part[0], y)[x] = any && ip_row(&f->room, y)[x] < 9e3f && least > .03f;
        }
    ip_box_blur(&part[0], &part[1], &part[2], ip_relight_pixels(width, 5), ip_relight_pixels(width, 5), set->source.threads);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            ip_row(&part[0], y)[x] = ip_row(&part[1], y)[x] > .35f;
    IP_TRY(ip_mask_pieces(&part[0], &labels, &pieces, &found));
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            int32_t label = labels[y * width + x];
            ip_row(&part[0], y)[x] = label && (float)pieces[label - 1].area > 600 * unit * unit;
        }
    ip_free(labels);
    ip_free(pieces);
    ip_mask_close(&part[0], &part[1], ip_relight_pixels(width, 8));
    return IPOS_OK;
}

static ipos_status find_moving(ip_set *set, size_t index, const ip_set_frame *f, ip_plane_f part[6]) {
    ip_beside beside[2];
    size_t count;
    if (set->source.given.depth || set->source.given.position) {
        for (int y = 0; y < f->kind.height; y++)
            for (int x = 0; x < f->kind.width; x++)
                ip_row(&part[0], y)[x] = ip_row(&f->view.inverse, y)[x] * ip_row(&f->room, y)[x] * BEFORE > 1;
        return IPOS_OK;
    }
    IP_TRY(ip_set_beside(set, index, true, &part[3], beside, &count));
    return moving_by_picture(set, f, &part[5], beside, count, part);
}

/* Kinds where a mesh is given: by its normals, and what moves before it. */
static ipos_status find_kinds(ip_set *set, size_t index, ip_set_frame *f) {
    ip_plane_f part[6];
    const ip_plane_f *sky;
    IP_TRY(ip_planes_new(f->kind.width, f->kind.height, part, 6));
    ipos_status status = find_moving(set, index, f, part);
    if (status == IPOS_OK)
        status = set->source.sky(set->source.track.user, index, &sky);
    for (int y = 0; y < f->kind.height && status == IPOS_OK; y++)
        for (int x = 0; x < f->kind.width; x++) {
            double at[3];
            bool solid = ip_row(&f->room, y)[x] < 9e3f;
            ip_world_of(&f->view.pose, &set->path.lens, x, y, (double)ip_row(&f->room, y)[x], at);
            bool level = solid && ip_row(&f->normal[1], y)[x] > .8f && at[1] < .5;
            ip_row(&f->wall, y)[x] = level ? 0 : solid ? 1 : -1;
            ip_row(&f->kind, y)[x] = ip_row(&part[0], y)[x] > .5f ? IP_IS_MOVING : !solid && ip_row(sky, y)[x] > .5f ? IP_IS_SKY
                : level ? IP_IS_GROUND : IP_IS_UPRIGHT;
        }
    ip_planes_free(part, 6);
    return status;
}

static ipos_status look(ip_set *set, size_t index, ip_set_frame *out) {
    size_t key = ip_set_key_of(set, index);
    IP_TRY(key < set->keys ? ip_set_copy_view(&set->view[key], &out->view) : ip_given_view(set, index, &out->view));
    if (key == set->keys)
        IP_TRY(ip_given_agree(set, &out->view, index));
    if (!set->known.rays) {
        IP_TRY(ip_set_things(set, index, out));
        return find_normals(set, index, out);
    }
    ip_plane_f own[3];
    IP_TRY(ip_planes_new(set->source.width, set->source.height, own, 3));
    out->room = own[0];
    out->wall = own[1];
    out->kind = own[2];
    IP_TRY(find_normals(set, index, out));
    return find_kinds(set, index, out);
}

ipos_status ip_given_look(ip_set *set, size_t index, ip_set_frame *out) {
    ipos_status status = look(set, index, out);
    out->index = index;
    if (status != IPOS_OK)
        ip_set_frame_free(out);
    return status;
}
