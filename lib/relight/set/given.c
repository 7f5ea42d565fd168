/* The path, the scale and the room of a set of which something is given. */
#include "set_parts.h"
#include "fit.h"

#include <math.h>
#include <stdlib.h>

enum { APART = 12 };
static const double CLOSE = .016; /* of the depth, as for the ground of a set that is estimated */

void ip_known_free(ip_known *known) {
    ip_rays_free(known->rays);
    ip_free(known->pose);
    *known = (ip_known){0};
}

static ipos_status path_new(ip_set *set, const ip_lens *lens) {
    size_t frames = set->source.track.count;
    set->path = (ip_camera_path){.count = frames, .lens = *lens, .pose = ip_calloc(frames, sizeof *set->path.pose), .known = ip_calloc(frames, 1)};
    return set->path.pose && set->path.known ? IPOS_OK : IPOS_ERR_NO_MEMORY;
}

/* Pixels and points of a frame for its pose. */
typedef struct pairs {
    double *world;
    float *seen;
    size_t count, most;
} pairs;

static ipos_status pairs_new(size_t most, pairs *out) {
    *out = (pairs){ip_alloc(IP_MAX(most, 1) * 3 * sizeof(double)), ip_alloc(IP_MAX(most, 1) * 2 * sizeof(float)), 0, most};
    return out->world && out->seen ? IPOS_OK : IPOS_ERR_NO_MEMORY;
}

static void pairs_free(pairs *p) {
    ip_free(p->world);
    ip_free(p->seen);
}

static void pairs_add(pairs *p, const double at[3], float x, float y) {
    if (p->count == p->most)
        return;
    memcpy(p->world + 3 * p->count, at, 3 * sizeof *at);
    p->seen[2 * p->count] = x;
    p->seen[2 * p->count++ + 1] = y;
}

static ipos_status gather_position(ip_set *set, size_t index, const ip_plane_f at[3], pairs *p) {
    const ip_given *given = &set->source.given;
    p->count = 0;
    IP_TRY(given->position(given->user, index, at));
    for (int y = APART / 2; y < at[0].height; y += APART)
        for (int x = APART / 2; x < at[0].width; x += APART) {
            double world[3] = {ip_row(&at[0], y)[x], ip_row(&at[1], y)[x], ip_row(&at[2], y)[x]};
            if (isfinite(world[0] + world[1] + world[2]))
                pairs_add(p, world, (float)x, (float)y);
        }
    if (p->count < 20)
        return ip_fail(IPOS_ERR_FORMAT, "position: frame %zu of the shot holds %zu usable places: expected a world position in most pixels", index + 1, p->count);
    return IPOS_OK;
}

/* Each pixel of a pass of positions is seen where its position lies. */
static ipos_status check_position(const ip_set *set, size_t index, const pairs *p) {
    double sum = 0;
    for (size_t i = 0; i < p->count; i++) {
        double c[3];
        ip_pose_apply(&set->path.pose[index], p->world + 3 * i, c);
        sum += c[2] > 0 ? fmin(hypot(set->path.lens.focal * c[0] / c[2] + set->path.lens.cx - (double)p->seen[2 * i],
            set->path.lens.focal * c[1] / c[2] + set->path.lens.cy - (double)p->seen[2 * i + 1]), 100) : 100;
    }
    if (sum / (double)p->count > 2)
        return ip_fail(IPOS_ERR_FORMAT, "position: frame %zu of the shot: the camera does not see its positions where they are, they are off by %.1f pixels: is %s",
            index + 1, sum / (double)p->count, set->source.given.pose ? "it of the same world, in the same unit?" : "focal right?");
    return IPOS_OK;
}

static ipos_status resect_position(ip_set *set, size_t index, const ip_plane_f at[3], pairs *p) {
    IP_TRY(gather_position(set, index, at, p));
    if (!set->source.given.pose)
        IP_TRY(ip_geometry_resect(p->world, p->seen, p->count, &set->path.lens, NULL, &set->path.pose[index]));
    return check_position(set, index, p);
}

/* The poses from positions; where they are given, whether they fit. */
static ipos_status path_by_position(ip_set *set, const ip_lens *lens) {
    ip_plane_f at[3];
    pairs p;
    if (!set->source.given.pose)
        IP_TRY(path_new(set, lens));
    IP_TRY(ip_planes_new(set->source.width, set->source.height, at, 3));
    ipos_status status = pairs_new((size_t)(set->source.width / APART + 2) * (size_t)(set->source.height / APART + 2), &p);
    for (size_t f = 0; f < set->path.count && status == IPOS_OK; f++) {
        status = ip_alive(set->source.track.pulse) ? resect_position(set, f, at, &p) : ip_fail(IPOS_ERR_CANCELLED, "relight: cancelled");
        set->path.known[f] = 1;
    }
    pairs_free(&p);
    ip_planes_free(at, 3);
    return status;
}

/* Points of the middle frame with their given depth, seen by the others: the camera may stand, turn or move. */
static ipos_status path_by_depth(ip_set *set, const ip_tracks *tracks, const ip_lens *lens) {
    const ip_given *given = &set->source.given;
    ip_plane_f inverse;
    pairs p;
    ip_pose start = {.r = {1, 0, 0, 0, 1, 0, 0, 0, 1}};
    IP_TRY(path_new(set, lens));
    IP_TRY(ip_plane_new(set->source.width, set->source.height, &inverse));
    ipos_status status = pairs_new(tracks->points, &p);
    if (status == IPOS_OK)
        status = given->depth(given->user, set->middle, &inverse);
    for (size_t f = 0; f < set->path.count && status == IPOS_OK; f++) {
        p.count = 0;
        for (size_t i = 0; i < tracks->points; i++) {
            const float *from = tracks->at + 2 * (set->middle * tracks->points + i), *to = tracks->at + 2 * (f * tracks->points + i);
            double w = ip_row(&inverse, (int)(from[1] + .5f))[(int)(from[0] + .5f)];
            if (!tracks->seen[f * tracks->points + i] || !(w > 0))
                continue;
            double at[3] = {((double)from[0] - lens->cx) / lens->focal / w, ((double)from[1] - lens->cy) / lens->focal / w, 1 / w};
            pairs_add(&p, at, to[0], to[1]);
        }
        set->path.known[f] = 1;
        set->path.pose[f] = start;
        if (f == set->middle)
            continue;
        if (p.count < 30 || ip_geometry_resect(p.world, p.seen, p.count, lens, NULL, &set->path.pose[f]) != IPOS_OK) {
            snprintf(set->reason, sizeof set->reason, "frame %zu of the shot cannot be placed: too little of the middle frame can be followed to it", f + 1);
            break;
        }
    }
    pairs_free(&p);
    ip_plane_free(&inverse);
    return status;
}

/* The scale of poses whose unit is not known, from a given depth: what followed points lie at, over what they were found at. */
static ipos_status scale_by_depth(ip_set *set, const ip_tracks *tracks) {
    const ip_given *given = &set->source.given;
    ip_plane_f inverse;
    size_t count = 0;
    IP_TRY(ip_plane_new(set->source.width, set->source.height, &inverse));
    float *ratio = ip_alloc(IP_MAX(tracks->points, 1) * sizeof *ratio);
    ipos_status status = ratio ? given->depth(given->user, set->middle, &inverse) : IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < tracks->points && status == IPOS_OK; i++) {
        const float *from = tracks->at + 2 * (set->middle * tracks->points + i);
        double c[3], w = ip_row(&inverse, (int)(from[1] + .5f))[(int)(from[0] + .5f)];
        ip_pose_apply(&set->path.pose[set->middle], set->path.point + 3 * i, c);
        if (set->path.good[i] && w > 0 && c[2] > 0)
            ratio[count++] = (float)(1 / w / c[2]);
    }
    if (status == IPOS_OK && count < 30)
        snprintf(set->reason, sizeof set->reason, "too few points of the camera track have a depth: its scale is not known");
    double scale = count ? (double)ip_quantile(ratio, count, .5) : 1;
    for (size_t f = 0; f < set->path.count && count; f++)
        for (int k = 0; k < 3; k++)
            set->path.pose[f].t[k] *= scale;
    for (size_t i = 0; i < 3 * set->path.points && count; i++)
        set->path.point[i] *= scale;
    ip_free(ratio);
    ip_plane_free(&inverse);
    return status;
}

static ipos_status find_path(ip_set *set, double focal) {
    const ip_set_source *s = &set->source;
    const ip_given *given = &s->given;
    const ip_lens own = {focal * s->width, .5 * (s->width - 1), .5 * (s->height - 1)}, *lens = given->pose ? &given->lens : &own;
    ip_tracks tracks;
    bool whole = given->depth || given->mesh || given->position; /* followed points are not needed for depth */
    if (given->position && !given->pose)
        return path_by_position(set, lens);
    if (given->pose) {
        IP_TRY(path_new(set, lens));
        memcpy(set->path.pose, given->pose, set->path.count * sizeof *given->pose);
        memset(set->path.known, 1, set->path.count);
        if (given->position)
            IP_TRY(path_by_position(set, lens));
        if (whole && (given->metres || !given->depth))
            return IPOS_OK;
    }
    IP_TRY(ip_tracks_make(&s->track, set->middle, &tracks));
    ipos_status status = given->pose ? ip_camera_points(&tracks, &set->path) : given->depth ? path_by_depth(set, &tracks, lens)
                                                                            : ip_camera_solve(&tracks, lens, s->track.pulse, &set->path);
    if (status == IPOS_OK && given->pose && given->depth)
        status = scale_by_depth(set, &tracks);
    ip_tracks_free(&tracks);
    if (status == IPOS_OK && set->path.reason[0] && !(given->pose && whole))
        memcpy(set->reason, set->path.reason, sizeof set->reason);
    return status;
}

/* The range that a sweep looks in where depth is not given everywhere. */
static ipos_status find_range(ip_set *set) {
    ip_view view;
    size_t count = 0;
    if (set->path.points && !set->path.reason[0])
        return ip_set_range(set);
    IP_TRY(ip_given_view(set, set->middle, &view));
    float *inverse = ip_alloc((size_t)view.inverse.width * (size_t)view.inverse.height * sizeof *inverse);
    for (int y = 0; y < view.inverse.height && inverse; y++)
        for (int x = 0; x < view.inverse.width; x++)
            if (ip_row(&view.agreeing, y)[x] > 0)
                inverse[count++] = ip_row(&view.inverse, y)[x];
    if (count < 100) {
        snprintf(set->reason, sizeof set->reason, "what is given shows nothing in frame %zu of the shot: do camera and set lie in one world, in one unit?", set->middle + 1);
    } else {
        ip_set_range_of(set, inverse, count);
    }
    ip_view_free(&view);
    ip_free(inverse);
    return inverse ? IPOS_OK : IPOS_ERR_NO_MEMORY;
}

/* Points of the views' lower halves by their height along up: the height most of them share, within a tolerance that grows with distance. */
static ipos_status find_ground(ip_set *set, const double up[3], double *ground) {
    enum { STEP = 5 };
    size_t most = 0, count = 0;
    for (size_t k = 0; k < set->keys; k++)
        most += (size_t)(set->view[k].inverse.width / STEP + 1) * (size_t)(set->view[k].inverse.height / 2 / STEP + 2);
    float *height = ip_alloc(most * 2 * sizeof *height), *sorted = ip_alloc(most * sizeof *sorted), *depth = height ? height + most : NULL;
    double best = -1, eye[3];
    ipos_status status = height && sorted ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    ip_pose_centre(&set->path.pose[set->middle], eye);
    for (size_t k = 0; k < set->keys && status == IPOS_OK; k++)
        for (int y = set->view[k].inverse.height / 2; y < set->view[k].inverse.height; y += STEP)
            for (int x = 0; x < set->view[k].inverse.width; x += STEP) {
                double at[3], w = ip_row(&set->view[k].inverse, y)[x];
                if (!(w > 0) || ip_row(&set->view[k].agreeing, y)[x] < IP_AGREE || count == most)
                    continue;
                ip_world_of(&set->view[k].pose, &set->path.lens, x, y, 1 / w, at);
                if (ip_dot3(up, at) < ip_dot3(up, eye)) {
                    depth[count] = (float)(1 / w);
                    height[count++] = (float)(ip_dot3(up, at) - ip_dot3(up, eye));
                }
            }
    set->room.ground_share = 0;
    memcpy(sorted ? sorted : height, height, status == IPOS_OK ? count * sizeof *height : 0);
    for (int q = 1; q < 200 && count > 200 && status == IPOS_OK; q++) {
        double level = (double)ip_quantile(sorted, count, q / 200.), on = 0;
        for (size_t i = 0; i < count; i++)
            on += fabs((double)height[i] - level) < CLOSE * (double)depth[i];
        if (on > best) {
            best = on;
            *ground = level;
        }
    }
    size_t near = 0;
    for (size_t i = 0; i < count && best > 0; i++)
        if (fabs((double)height[i] - *ground) < .5 * CLOSE * (double)depth[i])
            sorted[near++] = height[i];
    if (near)
        *ground = (double)ip_quantile(sorted, near, .5);
    set->room.ground_share = count ? best / (double)count : 0;
    if (status == IPOS_OK && set->room.ground_share < .1)
        snprintf(set->reason, sizeof set->reason, "no level ground is to be seen under the camera that was given (%.0f %%): is its up right?",
            100 * set->room.ground_share);
    ip_free(height);
    ip_free(sorted);
    return status;
}

static void scale_view(ip_view *view, double scale) {
    for (int y = 0; y < view->inverse.height; y++)
        for (int x = 0; x < view->inverse.width; x++)
            ip_row(&view->inverse, y)[x] = (float)((double)ip_row(&view->inverse, y)[x] / scale);
}

/* Right, up and forward of the middle camera over its foot. */
static void place(ip_set *set, const double up[3], double ground, double height) {
    ip_known *known = &set->known;
    double eye[3], ahead[3], z[3] = {0, 0, 1}, length;
    double scale = set->source.given.metres || (set->source.given.depth && set->source.given.pose) ? 1 : height / -ground;
    ip_pose_centre(&set->path.pose[set->middle], eye);
    ip_pose_turn_back(&set->path.pose[set->middle], z, ahead);
    double steep = ip_dot3(up, ahead);
    for (int k = 0; k < 3; k++) {
        known->foot[k] = eye[k] + ground * up[k];
        known->turn[3 + k] = up[k];
        known->turn[6 + k] = ahead[k] - steep * up[k];
    }
    length = fmax(sqrt(ip_dot3(known->turn + 6, known->turn + 6)), 1e-9);
    for (int k = 0; k < 3; k++)
        known->turn[6 + k] /= length;
    const double *f = known->turn + 6, *u = known->turn + 3;
    double right[3] = {f[1] * u[2] - f[2] * u[1], f[2] * u[0] - f[0] * u[2], f[0] * u[1] - f[1] * u[0]};
    memcpy(known->turn, right, sizeof right);
    known->scale = set->room.scale = scale;
    for (size_t i = 0; i < set->path.count; i++) {
        ip_pose old = set->path.pose[i], *pose = &set->path.pose[i];
        for (int r = 0; r < 3; r++) {
            for (int c = 0; c < 3; c++)
                pose->r[3 * r + c] = ip_dot3(old.r + 3 * r, known->turn + 3 * c);
            pose->t[r] = scale * (ip_dot3(old.r + 3 * r, known->foot) + old.t[r]);
        }
    }
    for (size_t k = 0; k < set->keys; k++) {
        set->view[k].pose = set->path.pose[set->key[k]];
        scale_view(&set->view[k], scale);
    }
}

/* Without an up of its own the set is placed by its ground; a depth in metres keeps its scale. */
static ipos_status place_by_ground(ip_set *set, size_t nearest, double height) {
    IP_TRY(ip_room_place(set->view, set->keys, nearest, height, &set->path, &set->room));
    if (set->room.reason[0]) {
        memcpy(set->reason, set->room.reason, sizeof set->reason);
        return IPOS_OK;
    }
    if (set->source.given.depth) {
        double back = 1 / set->room.scale;
        for (size_t f = 0; f < set->path.count; f++)
            for (int k = 0; k < 3; k++)
                set->path.pose[f].t[k] *= back;
        for (size_t k = 0; k < set->keys; k++) {
            set->view[k].pose = set->path.pose[set->key[k]];
            scale_view(&set->view[k], back);
        }
        set->room.scale = 1;
    }
    set->known.scale = set->room.scale;
    return IPOS_OK;
}

static ipos_status keep_given_world(ip_set *set) {
    const ip_given *given = &set->source.given;
    set->known.scale = 1;
    set->known.pose = ip_alloc(IP_MAX(set->path.count, 1) * sizeof *set->known.pose);
    if (!set->known.pose)
        return IPOS_ERR_NO_MEMORY;
    memcpy(set->known.pose, set->path.pose, set->path.count * sizeof *set->known.pose);
    return given->mesh ? ip_rays_new(given->mesh->at, given->mesh->points, given->mesh->corner, given->mesh->triangles, &set->known.rays) : IPOS_OK;
}

ipos_status ip_given_build(ip_set *set, double focal, double height) {
    const ip_given *given = &set->source.given;
    double ground = 0;
    set->middle = set->source.track.count / 2;
    IP_TRY(find_path(set, focal));
    if (set->reason[0])
        return IPOS_OK;
    IP_TRY(keep_given_world(set));
    IP_TRY(find_range(set));
    if (set->reason[0])
        return IPOS_OK;
    size_t nearest = ip_set_keys(set);
    for (size_t k = 0; k < set->keys; k++)
        IP_TRY(ip_given_view(set, set->key[k], &set->view[k]));
    for (size_t k = 0; k < set->keys; k++)
        IP_TRY(ip_given_agree(set, &set->view[k], set->key[k]));
    if (given->pose || given->position) {
        IP_TRY(find_ground(set, given->up, &ground));
        if (!set->reason[0])
            place(set, given->up, ground, height);
    } else {
        IP_TRY(place_by_ground(set, nearest, height));
    }
    if (set->reason[0])
        return IPOS_OK;
    set->far_inverse /= set->known.scale;
    set->near_inverse /= set->known.scale;
    return ip_room_build(set->view, set->keys, &set->path.lens, &set->room);
}
