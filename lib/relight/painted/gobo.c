#include "gobo.h"

#include <math.h>

/* Light that hardly touches the plane throws the outline along it without end: there only the plane itself is in shadow. */
static const double GRAZES = .05;
static const double ON_IT = .25, FARTHEST = 500; /* metres */

void ip_gobo_free(ip_gobo *gobo) {
    ip_brush_free(&gobo->brush);
    *gobo = (ip_gobo){0};
}

/* The surface most of the points lie on; -1: none. */
static int find_plane(const ip_room *room, const ip_pose *pose, const ip_lens *lens, const ip_point *points, size_t count) {
    size_t votes[IP_WALLS + 1] = {0};
    int best = -1;
    for (size_t i = 0; i < count; i++) {
        int what = ip_room_at(room, pose, lens, (double)points[i].x, (double)points[i].y).what;
        if (what >= 0 && ++votes[what] && (best < 0 || votes[what] > votes[best]))
            best = what;
    }
    return best;
}

static void set_plane(const ip_room *room, int what, ip_gobo *out) {
    if (what == 0) {
        out->normal[1] = out->side[0] = out->over[2] = 1;
        return;
    }
    const ip_wall *wall = &room->wall[what - 1];
    memcpy(out->normal, wall->normal, sizeof out->normal);
    out->offset = wall->offset;
    out->side[0] = wall->normal[2];
    out->side[2] = -wall->normal[0];
    out->over[1] = 1;
}

ipos_status ip_gobo_lay(const ip_room *room, const ip_pose *pose, const ip_lens *lens, const ip_point *points, size_t count, float half, float soft,
    const char *what, ip_gobo *out) {
    int plane = find_plane(room, pose, lens, points, count);
    *out = (ip_gobo){0};
    if (plane < 0)
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: a gobo lies on the ground or a wall of the set, and none was found where it is drawn: use add", what);
    set_plane(room, plane, out);
    ip_point *at = ip_alloc(count * sizeof *at);
    double eye[3], ray[3], depth = 0, mean = 0;
    if (!at)
        return IPOS_ERR_NO_MEMORY;
    ip_pose_centre(pose, eye);
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < count && status == IPOS_OK; i++) {
        double c[3] = {((double)points[i].x - lens->cx) / lens->focal, ((double)points[i].y - lens->cy) / lens->focal, 1}, world[3];
        ip_pose_turn_back(pose, c, ray);
        depth = (out->offset - ip_dot3(out->normal, eye)) / ip_dot3(out->normal, ray);
        if (!(depth > .05 && depth < FARTHEST))
            status = ip_fail(IPOS_ERR_ARGUMENT, "%s: point %zu is not on the %s that the rest of the gobo lies on: %s", what, i,
                plane ? "wall" : "ground", plane ? "keep to one wall" : "keep below the horizon");
        for (int k = 0; k < 3; k++)
            world[k] = eye[k] + depth * ray[k];
        at[i] = (ip_point){(float)ip_dot3(out->side, world), (float)ip_dot3(out->over, world)};
        mean += depth / (double)count;
    }
    float metre = (float)(mean / lens->focal); /* of a pixel */
    if (status == IPOS_OK)
        status = ip_brush_make(at, count, half * metre, soft * metre, &out->brush);
    out->brush.area = status == IPOS_OK && ip_is_area(points, count);
    ip_free(at);
    return status;
}

float ip_gobo_at(const ip_gobo *gobo, const double world[3], const double toward[3]) {
    double away = ip_dot3(gobo->normal, world) - gobo->offset, into = ip_dot3(gobo->normal, toward), at[3] = {world[0], world[1], world[2]};
    bool on = fabs(away) < ON_IT;
    if (!on && (away < 0 || into < GRAZES)) /* behind the plane, or the sun does not shine on it */
        return 0;
    for (int k = 0; k < 3; k++)
        at[k] -= into < GRAZES ? away * gobo->normal[k] : away / into * toward[k];
    return ip_brush_at(&gobo->brush, (float)ip_dot3(gobo->side, at), (float)ip_dot3(gobo->over, at));
}
