#include "camera.h"
#include "fit.h"

#include <math.h>

enum { ROUNDS = 4, LEAST = 60 };
static const double CLOSE = 1.5, TURN_LEAST = .6; /* pixels; degrees */

void ip_pose_apply(const ip_pose *pose, const double world[3], double camera[3]) {
    for (int i = 0; i < 3; i++)
        camera[i] = pose->r[3 * i] * world[0] + pose->r[3 * i + 1] * world[1] + pose->r[3 * i + 2] * world[2] + pose->t[i];
}

void ip_pose_turn(const ip_pose *pose, const double world[3], double camera[3]) {
    for (int i = 0; i < 3; i++)
        camera[i] = ip_dot3(pose->r + 3 * i, world);
}

void ip_pose_turn_back(const ip_pose *pose, const double camera[3], double world[3]) {
    for (int i = 0; i < 3; i++)
        world[i] = pose->r[i] * camera[0] + pose->r[3 + i] * camera[1] + pose->r[6 + i] * camera[2];
}

void ip_pose_centre(const ip_pose *pose, double out[3]) {
    double back[3] = {-pose->t[0], -pose->t[1], -pose->t[2]};
    ip_pose_turn_back(pose, back, out);
}

void ip_camera_free(ip_camera_path *path) {
    ip_free(path->pose);
    ip_free(path->known);
    ip_free(path->point);
    ip_free(path->good);
    *path = (ip_camera_path){0};
}

/* Work of one solution. */
typedef struct solving {
    const ip_tracks *t;
    ip_camera_path *path;
    double *world;  /* room for points, and where they are seen */
    float *seen, *other;
    uint8_t *inlier;
} solving;

static const float *at(const ip_tracks *t, size_t frame, size_t point) {
    return t->at + 2 * (frame * t->points + point);
}

/* Distance of a point to where a frame sees it; huge behind it. */
static double off(const solving *s, size_t frame, size_t point) {
    double c[3];
    const float *seen = at(s->t, frame, point);
    ip_pose_apply(&s->path->pose[frame], s->path->point + 3 * point, c);
    if (c[2] < 1e-6)
        return 1e9;
    return hypot(s->path->lens.focal * c[0] / c[2] + s->path->lens.cx - (double)seen[0], s->path->lens.focal * c[1] / c[2] + s->path->lens.cy - (double)seen[1]);
}

static void direction(const solving *s, size_t frame, size_t point, double out[3]) {
    const float *seen = at(s->t, frame, point);
    double c[3] = {((double)seen[0] - s->path->lens.cx) / s->path->lens.focal, ((double)seen[1] - s->path->lens.cy) / s->path->lens.focal, 1}, w[3];
    double length = sqrt(c[0] * c[0] + c[1] * c[1] + 1);
    ip_pose_turn_back(&s->path->pose[frame], c, w);
    for (int i = 0; i < 3; i++)
        out[i] = w[i] / length;
}

/* The point nearest to all rays, those of near views counting more; two passes. */
static bool triangulate(const solving *s, size_t point) {
    double *x = s->path->point + 3 * point;
    for (int pass = 0; pass < 2; pass++) {
        double N[9] = {0}, b[3] = {0};
        int views = 0;
        for (size_t f = 0; f < s->t->frames; f++) {
            double d[3], c[3], weight = 1;
            if (!s->path->known[f] || !s->t->seen[f * s->t->points + point])
                continue;
            direction(s, f, point, d);
            ip_pose_centre(&s->path->pose[f], c);
            if (pass) {
                double away = off(s, f, point), z = (x[0] - c[0]) * d[0] + (x[1] - c[1]) * d[1] + (x[2] - c[2]) * d[2];
                weight = 1 / fmax(z * z, 1e-12) / (1 + away * away);
            }
            for (int i = 0; i < 3; i++)
                for (int j = 0; j < 3; j++) {
                    double m = weight * ((i == j) - d[i] * d[j]);
                    N[3 * i + j] += m;
                    b[i] += m * c[j];
                }
            views++;
        }
        if (views < 2 || !ip_solve(N, b, 3, x))
            return false;
    }
    return true;
}

static void triangulate_all(solving *s) {
    for (size_t p = 0; p < s->t->points; p++) {
        s->path->good[p] = triangulate(s, p);
        double sum = 0, views = 0;
        for (size_t f = 0; f < s->t->frames && s->path->good[p]; f++)
            if (s->path->known[f] && s->t->seen[f * s->t->points + p]) {
                sum += fmin(off(s, f, p), 100);
                views++;
            }
        s->path->good[p] = s->path->good[p] && sum / fmax(views, 1) < CLOSE;
    }
}

/* A frame's pose from the good points it sees. */
static ipos_status resect(solving *s, size_t frame, bool start) {
    size_t count = 0;
    for (size_t p = 0; p < s->t->points; p++) {
        if (!s->path->good[p] || !s->t->seen[frame * s->t->points + p] || (start && off(s, frame, p) > 2 * CLOSE))
            continue;
        memcpy(s->world + 3 * count, s->path->point + 3 * p, 3 * sizeof(double));
        memcpy(s->seen + 2 * count++, at(s->t, frame, p), 2 * sizeof(float));
    }
    if (count < LEAST / 2)
        return ip_fail(IPOS_ERR_NOT_FOUND, "frame %zu sees too few of the points", frame);
    return ip_geometry_resect(s->world, s->seen, count, &s->path->lens, start ? &s->path->pose[frame] : NULL, &s->path->pose[frame]);
}

/* The two frames that see enough points alike and lie furthest apart; false: none. */
static bool far_pair(const ip_tracks *t, size_t pair[2]) {
    size_t wanted = IP_MAX((size_t)LEAST, t->points / 3);
    for (size_t gap = t->frames - 1; gap >= 1; gap--)
        for (size_t a = 0; a + gap < t->frames; a++) {
            size_t both = 0;
            for (size_t p = 0; p < t->points; p++)
                both += t->seen[a * t->points + p] && t->seen[(a + gap) * t->points + p];
            if (both >= wanted) {
                pair[0] = a;
                pair[1] = a + gap;
                return true;
            }
        }
    return false;
}

static ipos_status begin(solving *s, const size_t pair[2]) {
    size_t count = 0;
    for (size_t p = 0; p < s->t->points; p++)
        if (s->t->seen[pair[0] * s->t->points + p] && s->t->seen[pair[1] * s->t->points + p]) {
            memcpy(s->seen + 2 * count, at(s->t, pair[0], p), 2 * sizeof(float));
            memcpy(s->other + 2 * count++, at(s->t, pair[1], p), 2 * sizeof(float));
        }
    s->path->pose[pair[0]] = (ip_pose){.r = {1, 0, 0, 0, 1, 0, 0, 0, 1}};
    IP_TRY(ip_geometry_relative(s->seen, s->other, count, &s->path->lens, &s->path->pose[pair[1]], s->inlier));
    s->path->known[pair[0]] = s->path->known[pair[1]] = 1;
    triangulate_all(s);
    return IPOS_OK;
}

static bool still_wanted(const void *pulse) {
    return ip_alive(pulse);
}

/* Turns of resection and triangulation get near, but crawl where turning and moving the camera look alike: that is left to an adjustment of all
 * at once. */
static ipos_status adjust(solving *s, size_t fixed, const ip_pulse *pulse) {
    size_t count = 0;
    ip_sighting *seen = ip_alloc(s->t->frames * s->t->points * sizeof *seen);
    if (!seen)
        return IPOS_ERR_NO_MEMORY;
    for (size_t f = 0; f < s->t->frames; f++)
        for (size_t p = 0; p < s->t->points; p++)
            if (s->path->known[f] && s->path->good[p] && s->t->seen[f * s->t->points + p] && off(s, f, p) < 4 * CLOSE)
                seen[count++] = (ip_sighting){(uint32_t)f, (uint32_t)p, at(s->t, f, p)[0], at(s->t, f, p)[1]};
    ipos_status status = ip_geometry_adjust(seen, count, &s->path->lens, fixed, s->path->pose, s->t->frames, s->path->point, still_wanted, pulse);
    ip_free(seen);
    return status;
}

/* Median error and the angle under which points are seen. */
static void judge(solving *s) {
    size_t count = 0, points = 0;
    float *errors = ip_alloc(s->t->frames * s->t->points * sizeof *errors), *angles = ip_alloc(s->t->points * sizeof *angles);
    for (size_t p = 0; p < s->t->points && errors && angles; p++) {
        double first[3], last[3];
        size_t views = 0;
        for (size_t f = 0; f < s->t->frames && s->path->good[p]; f++)
            if (s->path->known[f] && s->t->seen[f * s->t->points + p]) {
                errors[count++] = (float)off(s, f, p);
                direction(s, f, p, views++ ? last : first);
            }
        if (views > 1) {
            double cosine = first[0] * last[0] + first[1] * last[1] + first[2] * last[2];
            angles[points++] = (float)(acos(fmin(1, cosine)) * 180 / 3.14159265358979323846);
        }
    }
    s->path->error = count ? (double)ip_select(errors, count, count / 2) : 1e9;
    s->path->parallax = points ? (double)ip_quantile(angles, points, .8) : 0;
    if (points < LEAST)
        snprintf(s->path->reason, sizeof s->path->reason, "only %zu points could be followed through the shot", points);
    else if (s->path->parallax < TURN_LEAST)
        snprintf(s->path->reason, sizeof s->path->reason, "the camera hardly moves: things are seen under %.2f degrees at most", s->path->parallax);
    else if (s->path->error > 1)
        snprintf(s->path->reason, sizeof s->path->reason, "no rigid motion explains the shot: points are off by %.1f pixels", s->path->error);
    ip_free(errors);
    ip_free(angles);
}

static ipos_status solve(solving *s, const ip_pulse *pulse) {
    size_t pair[2];
    char *why = s->path->reason;
    if (s->t->frames < 3 || s->t->points < LEAST || !far_pair(s->t, pair)) {
        snprintf(why, sizeof s->path->reason, "too little can be followed through the shot");
        return IPOS_OK;
    }
    ipos_status status = begin(s, pair);
    for (int round = 0; round < ROUNDS && status == IPOS_OK; round++) {
        for (size_t f = 0; f < s->t->frames && ip_alive(pulse); f++) {
            ipos_status found = resect(s, f, s->path->known[f]);
            if (found == IPOS_ERR_NO_MEMORY)
                return found;
            s->path->known[f] = found == IPOS_OK;
        }
        if (!ip_alive(pulse))
            return ip_fail(IPOS_ERR_CANCELLED, "relight: cancelled");
        triangulate_all(s);
    }
    if (status == IPOS_OK)
        status = adjust(s, pair[0], pulse);
    if (status == IPOS_OK)
        triangulate_all(s);
    if (status == IPOS_ERR_NO_MEMORY || status == IPOS_ERR_CANCELLED)
        return status;
    if (status != IPOS_OK)
        snprintf(why, sizeof s->path->reason, "%.150s", ipos_last_error());
    else
        judge(s);
    for (size_t f = 0; f < s->t->frames && !why[0]; f++)
        if (!s->path->known[f])
            snprintf(why, sizeof s->path->reason, "frame %zu of the shot cannot be placed", f + 1);
    return IPOS_OK;
}

ipos_status ip_camera_solve(const ip_tracks *tracks, const ip_lens *lens, const ip_pulse *pulse, ip_camera_path *out) {
    size_t points = IP_MAX(tracks->points, 1);
    *out = (ip_camera_path){.count = tracks->frames, .points = tracks->points, .lens = *lens, .pose = ip_calloc(tracks->frames, sizeof *out->pose),
        .known = ip_calloc(tracks->frames, 1), .point = ip_calloc(3 * points, sizeof(double)), .good = ip_calloc(points, 1)};
    solving s = {tracks, out, ip_calloc(3 * points, sizeof(double)), ip_calloc(2 * points, sizeof(float)), ip_calloc(2 * points, sizeof(float)),
        ip_calloc(points, 1)};
    bool room = out->pose && out->known && out->point && out->good && s.world && s.seen && s.other && s.inlier;
    ipos_status status = room ? solve(&s, pulse) : IPOS_ERR_NO_MEMORY;
    ip_free(s.world);
    ip_free(s.seen);
    ip_free(s.other);
    ip_free(s.inlier);
    if (status != IPOS_OK)
        ip_camera_free(out);
    return status;
}

ipos_status ip_camera_points(const ip_tracks *tracks, ip_camera_path *path) {
    size_t points = IP_MAX(tracks->points, 1);
    path->points = tracks->points;
    path->point = ip_calloc(3 * points, sizeof(double));
    path->good = ip_calloc(points, 1);
    if (!path->point || !path->good)
        return IPOS_ERR_NO_MEMORY;
    solving s = {.t = tracks, .path = path};
    triangulate_all(&s);
    judge(&s);
    return IPOS_OK;
}
