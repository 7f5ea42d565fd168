#include "round.h"
#include "camera.h"
#include "mask.h"

#include <math.h>

static const float OWN_SHADE = .65f;            /* of the sun on wide things: they shade parts of themselves */
static const float NARROW = 20, WIDE = 32;      /* pixels at 640 across: cylinders below, not at all above */

static bool is_thing(float kind) { return kind == IP_IS_THING || kind == IP_IS_MOVING; }

/* One thing across a row, from x0 to before x1. */
static void light_run(const ip_set_frame *f, const ip_relight_pair *pair, const ip_surface *s, int y, int x0, int x1) {
    float unit = ip_relight_unit(f->kind.width), round = fminf(fmaxf((WIDE * unit - (float)(x1 - x0)) / ((WIDE - NARROW) * unit), 0), 1);
    const double *toward[2] = {pair->old.toward, pair->now.toward};
    for (int sun = 0; sun < 2; sun++) {
        double c[3];
        ip_pose_turn(&f->view.pose, toward[sun], c);
        for (int x = x0; x < x1; x++) {
            if (!is_thing(ip_row(&f->kind, y)[x]))
                continue;
            double across = (2 * (x - x0) + 1.) / (x1 - x0) - 1, lit = fmax(across * c[0] - sqrt(1 - across * across) * c[2], .02);
            float *facing = &ip_row(&s->facing[sun], y)[x];
            *facing += round * ((float)lit - *facing);
        }
    }
    for (int x = x0; x < x1; x++)
        if (is_thing(ip_row(&f->kind, y)[x]))
            ip_row(&s->seen[IP_NEW_SUN], y)[x] *= OWN_SHADE + round * (1 - OWN_SHADE);
}

ipos_status ip_round_things(const ip_set_frame *frame, const ip_relight_pair *pair, const ip_surface *surface) {
    int width = frame->kind.width, height = frame->kind.height;
    ip_plane_f part[2];
    IP_TRY(ip_planes_new(width, height, part, 2));
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            ip_row(&part[0], y)[x] = is_thing(ip_row(&frame->kind, y)[x]);
    ip_mask_close(&part[0], &part[1], ip_relight_pixels(width, 3)); /* twigs at the edge of a crown are no poles */
    for (int y = 0; y < height; y++)
        for (int from = 0, to = 0; ip_mask_run(ip_row(&part[0], y), width, &from, &to);)
            light_run(frame, pair, surface, y, from, to);
    ip_planes_free(part, 2);
    return IPOS_OK;
}
