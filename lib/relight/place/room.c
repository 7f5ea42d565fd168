#include "room.h"
#include "fit.h"

#include <math.h>

enum { GROUND_TRIES = 600, WALL_TRIES = 500, STEP = 3 };
static const double TOLERANCE = .016, TILT = .9063; /* of the depth; cosine of 25 degrees */

typedef struct spot {
    double at[3], depth;
} spot;

typedef struct spots {
    spot *at;
    size_t count, room;
} spots;

static void cross(const double a[3], const double b[3], double out[3]) {
    out[0] = a[1] * b[2] - a[2] * b[1];
    out[1] = a[2] * b[0] - a[0] * b[2];
    out[2] = a[0] * b[1] - a[1] * b[0];
}

static bool unit(double v[3]) {
    double length = sqrt(ip_dot3(v, v));
    for (int i = 0; i < 3; i++)
        v[i] /= fmax(length, 1e-300);
    return length > 1e-9;
}

void ip_world_of(const ip_pose *pose, const ip_lens *lens, double x, double y, double depth, double out[3]) {
    double c[3] = {(x - lens->cx) / lens->focal * depth - pose->t[0], (y - lens->cy) / lens->focal * depth - pose->t[1], depth - pose->t[2]};
    ip_pose_turn_back(pose, c, out);
}

/* Believed points of a view from row `top` on. */
static ipos_status gather(const ip_view *view, const ip_lens *lens, int top, spots *out) {
    for (int y = top; y < view->inverse.height; y += STEP)
        for (int x = 0; x < view->inverse.width; x += STEP) {
            double w = ip_row(&view->inverse, y)[x];
            if (ip_row(&view->agreeing, y)[x] < IP_AGREE || !(w > 0))
                continue;
            if (out->count == out->room) {
                out->room = out->room ? 2 * out->room : 8192;
                spot *grown = ip_realloc(out->at, out->room * sizeof *grown);
                if (!grown)
                    return IPOS_ERR_NO_MEMORY;
                out->at = grown;
            }
            spot *s = &out->at[out->count++];
            s->depth = 1 / w;
            ip_world_of(&view->pose, lens, x, y, 1 / w, s->at);
        }
    return IPOS_OK;
}

static double share_on(const spots *all, const double normal[3], double offset, size_t step) {
    size_t on = 0, count = 0;
    for (size_t i = 0; i < all->count; i += step, count++)
        on += fabs(ip_dot3(normal, all->at[i].at) - offset) < TOLERANCE * all->at[i].depth;
    return count ? (double)on / (double)count : 0;
}

/* The level plane most points lie on. */
static double find_ground(const spots *all, const double up[3], double normal[3], double *offset) {
    ip_rng rng = ip_rng_at(0, 1);
    double best = 0;
    for (int i = 0; i < GROUND_TRIES; i++) {
        const spot *p[3];
        double a[3], b[3], n[3];
        for (int k = 0; k < 3; k++)
            p[k] = &all->at[ip_rng_below(&rng, (int64_t)all->count)];
        for (int k = 0; k < 3; k++) {
            a[k] = p[1]->at[k] - p[0]->at[k];
            b[k] = p[2]->at[k] - p[0]->at[k];
        }
        cross(a, b, n);
        if (!unit(n) || fabs(ip_dot3(n, up)) < TILT)
            continue;
        double sign = ip_dot3(n, up) < 0 ? -1 : 1;
        for (int k = 0; k < 3; k++)
            n[k] *= sign;
        double share = share_on(all, n, ip_dot3(n, p[0]->at), 1 + all->count / 4000);
        if (share > best) {
            best = share;
            memcpy(normal, n, sizeof n);
            *offset = ip_dot3(n, p[0]->at);
        }
    }
    return best;
}

/* Least squares of the height over the plane on the points that lie on it, relative to their distance. */
static void refine_ground(const spots *all, double normal[3], double *offset) {
    for (int round = 0; round < 5; round++) { /* ever closer: a kerb beside the road is not to tilt it */
        double tolerance = TOLERANCE / (1 + round);
        double side[3] = {1, 0, 0}, along[3], N[9] = {0}, b[3] = {0}, tilt[3];
        if (fabs(normal[0]) > .9)
            side[0] = 0, side[1] = 1;
        cross(normal, side, along);
        unit(along);
        cross(along, normal, side);
        for (size_t i = 0; i < all->count; i++) {
            const spot *s = &all->at[i];
            double off = ip_dot3(normal, s->at) - *offset, weight = 1 / (s->depth * s->depth), row[3] = {ip_dot3(side, s->at), ip_dot3(along, s->at), 1};
            if (fabs(off) > tolerance * s->depth)
                continue;
            for (int r = 0; r < 3; r++) {
                b[r] += weight * row[r] * off;
                for (int c = 0; c < 3; c++)
                    N[3 * r + c] += weight * row[r] * row[c];
            }
        }
        if (!ip_solve(N, b, 3, tilt))
            return;
        double length = sqrt(1 + tilt[0] * tilt[0] + tilt[1] * tilt[1]);
        for (int k = 0; k < 3; k++)
            normal[k] = (normal[k] - tilt[0] * side[k] - tilt[1] * along[k]) / length;
        *offset = (*offset + tilt[2]) / length;
    }
}

/* camera = r x + t of the old world becomes scale camera = (r turn') x' + scale (r foot + t) of the new: x' = scale turn (x - foot). */
static void move_pose(ip_pose *pose, const double turn[9], const double foot[3], double scale) {
    ip_pose old = *pose;
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++)
            pose->r[3 * i + j] = ip_dot3(old.r + 3 * i, turn + 3 * j);
        pose->t[i] = scale * (ip_dot3(old.r + 3 * i, foot) + old.t[i]);
    }
}

static double place(ip_view *views, size_t count, size_t middle, const double normal[3], double offset, double height, ip_camera_path *path) {
    double eye[3], ahead[3], turn[9], foot[3], z[3] = {0, 0, 1};
    ip_pose_centre(&views[middle].pose, eye);
    ip_pose_turn_back(&views[middle].pose, z, ahead);
    double over = ip_dot3(normal, eye) - offset, steep = ip_dot3(normal, ahead), scale = height / over;
    for (int k = 0; k < 3; k++) {
        foot[k] = eye[k] - over * normal[k];
        turn[3 + k] = normal[k];
        turn[6 + k] = ahead[k] - steep * normal[k];
    }
    unit(turn + 6);
    cross(turn + 6, turn + 3, turn); /* forward x up: to the right */
    for (size_t f = 0; f < path->count; f++)
        move_pose(&path->pose[f], turn, foot, scale);
    for (size_t v = 0; v < count; v++) {
        move_pose(&views[v].pose, turn, foot, scale);
        for (int y = 0; y < views[v].inverse.height; y++)
            for (int x = 0; x < views[v].inverse.width; x++)
                ip_row(&views[v].inverse, y)[x] = (float)((double)ip_row(&views[v].inverse, y)[x] / scale);
    }
    return scale;
}

ipos_status ip_room_place(ip_view *views, size_t count, size_t middle, double height, ip_camera_path *path, ip_room *room) {
    spots all = {0};
    double up[3], normal[3], offset = 0, eye[3], above[3] = {0, -1, 0};
    ipos_status status = IPOS_OK;
    room->reason[0] = 0;
    for (size_t v = 0; v < count && status == IPOS_OK; v++)
        status = gather(&views[v], &path->lens, views[v].inverse.height / 2, &all);
    ip_pose_turn_back(&views[middle].pose, above, up);
    ip_pose_centre(&views[middle].pose, eye);
    room->ground_share = status == IPOS_OK && all.count > 200 ? find_ground(&all, up, normal, &offset) : 0;
    if (status == IPOS_OK && room->ground_share < .15)
        snprintf(room->reason, sizeof room->reason, "no level ground is to be seen (%.0f %% of the lower half's depth)", 100 * room->ground_share);
    else if (status == IPOS_OK) {
        refine_ground(&all, normal, &offset);
        if (ip_dot3(normal, eye) - offset <= 0)
            snprintf(room->reason, sizeof room->reason, "the level plane that was found lies over the camera");
        else
            room->scale = place(views, count, middle, normal, offset, height, path);
    }
    ip_free(all.at);
    return status;
}

/* An upright plane through two points; false where they are too near. */
static bool wall_of(const spot *a, const spot *b, ip_wall *wall) {
    double dx = b->at[0] - a->at[0], dz = b->at[2] - a->at[2], length = hypot(dx, dz);
    if (length < .5)
        return false;
    *wall = (ip_wall){.normal = {dz / length, 0, -dx / length}};
    wall->offset = ip_dot3(wall->normal, a->at);
    return true;
}

static double count_on(const spots *all, const ip_wall *wall, size_t step) {
    double on = 0;
    for (size_t i = 0; i < all->count; i += step)
        on += fabs(ip_dot3(wall->normal, all->at[i].at) - wall->offset) < TOLERANCE * all->at[i].depth;
    return on * (double)step;
}

/* Total least squares in the plane of the map. */
static void refine_wall(const spots *all, ip_wall *wall) {
    for (int round = 0; round < 4; round++) { /* ever closer: facades of a row stand a little before and behind each other */
        double tolerance = TOLERANCE / (1 + round);
        double n = 0, x = 0, z = 0, xx = 0, xz = 0, zz = 0;
        for (size_t i = 0; i < all->count; i++) {
            const spot *s = &all->at[i];
            if (fabs(ip_dot3(wall->normal, s->at) - wall->offset) > tolerance * s->depth)
                continue;
            n++;
            x += s->at[0];
            z += s->at[2];
            xx += s->at[0] * s->at[0];
            xz += s->at[0] * s->at[2];
            zz += s->at[2] * s->at[2];
        }
        if (n < 20)
            return;
        x /= n;
        z /= n;
        double angle = .5 * atan2(2 * (xz / n - x * z), xx / n - x * x - (zz / n - z * z)); /* of the line */
        wall->normal[0] = -sin(angle);
        wall->normal[2] = cos(angle);
        wall->offset = wall->normal[0] * x + wall->normal[2] * z;
    }
}

/* Reach and side; takes its points out of all. */
static ipos_status settle_wall(spots *all, ip_wall *wall) {
    float *along = ip_alloc(IP_MAX(all->count, 1) * sizeof *along);
    size_t count = 0, kept = 0;
    if (!along)
        return IPOS_ERR_NO_MEMORY;
    if (wall->offset > 0) { /* the camera's foot is at 0: it has to be on the side the normal points to */
        for (int k = 0; k < 3; k++)
            wall->normal[k] = -wall->normal[k];
        wall->offset = -wall->offset;
    }
    for (size_t i = 0; i < all->count; i++) {
        const spot *s = &all->at[i];
        if (fabs(ip_dot3(wall->normal, s->at) - wall->offset) < TOLERANCE * s->depth) {
            along[count++] = (float)(wall->normal[2] * s->at[0] - wall->normal[0] * s->at[2]);
        } else {
            all->at[kept++] = *s;
        }
    }
    all->count = kept;
    wall->weight = (double)count;
    if (count) {
        wall->low = (double)ip_quantile(along, count, .01) - 1;
        wall->high = (double)ip_quantile(along, count, .99) + 1;
    }
    ip_free(along);
    return IPOS_OK;
}

/* A row of trees before a wall is no wall: along a larger one, well before it. */
static bool before_another(const ip_room *room, const ip_wall *wall) {
    for (size_t i = 0; i < room->walls; i++)
        if (ip_dot3(room->wall[i].normal, wall->normal) > .9 && wall->offset > .9 * room->wall[i].offset)
            return true;
    return false;
}

ipos_status ip_room_build(const ip_view *views, size_t count, const ip_lens *lens, ip_room *room) {
    spots all = {0};
    ip_rng rng = ip_rng_at(0, 2);
    ipos_status status = IPOS_OK;
    size_t kept = 0;
    room->walls = 0;
    for (size_t v = 0; v < count && status == IPOS_OK; v++)
        status = gather(&views[v], lens, 0, &all);
    for (size_t i = 0; i < all.count; i++)
        if (all.at[i].at[1] > .3)
            all.at[kept++] = all.at[i];
    all.count = kept;
    while (room->walls < IP_WALLS && all.count > IP_MAX((size_t)300, kept / 20) && status == IPOS_OK) {
        ip_wall best = {0}, wall;
        for (int i = 0; i < WALL_TRIES; i++) {
            if (!wall_of(&all.at[ip_rng_below(&rng, (int64_t)all.count)], &all.at[ip_rng_below(&rng, (int64_t)all.count)], &wall))
                continue;
            wall.weight = count_on(&all, &wall, 1 + all.count / 3000);
            if (wall.weight > best.weight)
                best = wall;
        }
        if (best.weight < .03 * (double)kept)
            break;
        refine_wall(&all, &best);
        status = settle_wall(&all, &best);
        if (room->walls && best.weight < .2 * room->wall[0].weight)
            break;
        if (!before_another(room, &best))
            room->wall[room->walls++] = best;
    }
    ip_free(all.at);
    return status;
}

ip_room_hit ip_room_at(const ip_room *room, const ip_pose *pose, const ip_lens *lens, double x, double y) {
    double eye[3], ray[3], c[3] = {(x - lens->cx) / lens->focal, (y - lens->cy) / lens->focal, 1};
    ip_room_hit hit = {1e4f, -1};
    ip_pose_centre(pose, eye);
    ip_pose_turn_back(pose, c, ray);
    if (ray[1] < -1e-6 && eye[1] / -ray[1] < (double)hit.depth)
        hit = (ip_room_hit){(float)(eye[1] / -ray[1]), 0};
    for (size_t i = 0; i < room->walls; i++) {
        const ip_wall *w = &room->wall[i];
        double depth = (w->offset - ip_dot3(w->normal, eye)) / ip_dot3(w->normal, ray);
        double along = w->normal[2] * (eye[0] + depth * ray[0]) - w->normal[0] * (eye[2] + depth * ray[2]);
        if (depth > .1 && depth < (double)hit.depth && along > w->low && along < w->high)
            hit = (ip_room_hit){(float)depth, (int)i + 1};
    }
    return hit;
}

float ip_room_backdrop(const ip_room *room, const ip_pose *pose, const ip_lens *lens, double x, double y) {
    double eye[3], ray[3], c[3] = {(x - lens->cx) / lens->focal, (y - lens->cy) / lens->focal, 1};
    const ip_wall *w = &room->wall[0];
    if (!room->walls)
        return 1e4f;
    ip_pose_centre(pose, eye);
    ip_pose_turn_back(pose, c, ray);
    double depth = (w->offset - ip_dot3(w->normal, eye)) / ip_dot3(w->normal, ray);
    return depth > .1 ? (float)fmin(depth, 1e4) : 1e4f;
}
