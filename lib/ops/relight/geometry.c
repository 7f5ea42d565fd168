/* What is known of a frame as layers for other tools, and for the next request. */
#include "relight_op.h"

#include <math.h>

enum { EV_CONFIDENCE, EV_KIND, SKY, GROUND, THINGS, MOVING, OLD_SHADOW, NEW_SHADOW, DEPTH, NORMAL, CHANNELS = NORMAL + 3 };
static const ipos_channel channels[CHANNELS] = {{"confidence", IPOS_F16, 1, 1}, {"evidence", IPOS_F16, 1, 1}, {"matte.sky", IPOS_F16, 1, 1},
    {"matte.ground", IPOS_F16, 1, 1}, {"matte.things", IPOS_F16, 1, 1}, {"matte.moving", IPOS_F16, 1, 1}, {"matte.old_shadow", IPOS_F16, 1, 1},
    {"matte.new_shadow", IPOS_F16, 1, 1}, {"depth.Z", IPOS_F32, 1, 1}, {"normal.X", IPOS_F32, 1, 1}, {"normal.Y", IPOS_F32, 1, 1},
    {"normal.Z", IPOS_F32, 1, 1}};

void ir_layers_free(ir_layers *layers) {
    ip_plane_free(&layers->inverse);
    ip_plane_free(&layers->kind);
    ip_planes_free(layers->normal, 3);
    *layers = (ir_layers){.known = false};
}

/* Where nothing was given a surface faces as it is lit: up, or as the wall behind it. */
static void plain_normal(const ip_set *set, const ip_set_frame *f, int x, int y, double n[3]) {
    int wall = (int)ip_row(&f->wall, y)[x];
    float kind = ip_row(&f->kind, y)[x];
    n[0] = n[1] = 0;
    n[2] = -1;
    if (kind == IP_IS_GROUND) {
        n[1] = 1;
        n[2] = 0;
    } else if (set->room.walls) {
        memcpy(n, set->room.wall[kind == IP_IS_UPRIGHT && wall > 0 ? wall - 1 : 0].normal, 3 * sizeof *n);
    }
}

ipos_status ir_layers_take(const ip_set *set, const ip_set_frame *f, ir_layers *out) {
    ip_plane_f planes[5];
    IP_TRY(ip_planes_new(f->kind.width, f->kind.height, planes, 5));
    *out = (ir_layers){true, planes[0], planes[1], {planes[2], planes[3], planes[4]}};
    ip_plane_copy(&out->inverse, &f->view.inverse);
    ip_plane_copy(&out->kind, &f->kind);
    for (int y = 0; y < f->kind.height; y++)
        for (int x = 0; x < f->kind.width; x++) {
            double n[3] = {0};
            for (int k = 0; k < 3 && f->normal[0].data; k++)
                n[k] = (double)ip_row(&f->normal[k], y)[x];
            if (n[0] == 0 && n[1] == 0 && n[2] == 0)
                plain_normal(set, f, x, y, n);
            if (ip_row(&f->kind, y)[x] == IP_IS_SKY)
                n[0] = n[1] = n[2] = 0;
            for (int k = 0; k < 3; k++)
                ip_row(&out->normal[k], y)[x] = (float)(k == 2 ? -n[k] : n[k]); /* z towards the viewer, as the track has it */
        }
    return IPOS_OK;
}

static void fill_pixel(const ip_surface *surface, const ir_layers *layers, float px, float py, float out[CHANNELS]) {
    int x = IP_MIN(IP_MAX((int)(px + .5f), 0), surface->sky.width - 1), y = IP_MIN(IP_MAX((int)(py + .5f), 0), surface->sky.height - 1);
    out[EV_CONFIDENCE] = 1;
    out[EV_KIND] = 0;
    out[SKY] = ip_sample_linear(&surface->sky, px, py);
    out[GROUND] = ip_sample_linear(&surface->ground, px, py) * (1 - out[SKY]);
    out[OLD_SHADOW] = (1 - ip_sample_linear(&surface->seen[IP_OLD_SUN], px, py)) * (1 - out[SKY]);
    out[NEW_SHADOW] = (1 - ip_sample_linear(&surface->seen[IP_NEW_SUN], px, py)) * (1 - out[SKY]);
    for (int c = THINGS; c <= MOVING; c++)
        out[c] = layers->known && ip_row(&layers->kind, y)[x] == (c == THINGS ? IP_IS_THING : IP_IS_MOVING);
    bool solid = layers->known && ip_row(&layers->kind, y)[x] != IP_IS_SKY && ip_row(&layers->inverse, y)[x] > 1e-5f;
    out[DEPTH] = solid ? 1 / ip_row(&layers->inverse, y)[x] : 0;
    for (int k = 0; k < 3; k++)
        out[NORMAL + k] = solid ? ip_row(&layers->normal[k], y)[x] : 0;
}

ipos_status ir_geometry_layers(ip_op_host *host, const ipos_frame *source, const ip_surface *surface, const ir_layers *layers, ipos_frame **out) {
    ip_plane_f rows;
    int width = source->data_window.width, height = source->data_window.height;
    IP_TRY(ip_evidence_new(host, &source->data_window, source, channels, CHANNELS, out));
    IP_TRY(ip_plane_new(width, CHANNELS, &rows));
    float sx = (float)surface->sky.width / (float)width, sy = (float)surface->sky.height / (float)height;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            float value[CHANNELS];
            fill_pixel(surface, layers, ((float)x + .5f) * sx - .5f, ((float)y + .5f) * sy - .5f, value);
            for (int c = 0; c < CHANNELS; c++)
                ip_row(&rows, c)[x] = value[c];
        }
        for (size_t c = 0; c < CHANNELS; c++)
            ip_evidence_row(*out, c, y, ip_row(&rows, (int)c));
    }
    ip_plane_free(&rows);
    return IPOS_OK;
}
