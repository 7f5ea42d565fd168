/* What is known of a frame as layers for other tools, and for the next request. */
#include "curves.h"
#include "quote.h"
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

enum { POINT_VIEWS = 3, POINTS_ACROSS = 32 }; /* key frames that points are taken from, and how many of a row of each */

/* Believed places of a key frame, evenly over it, in pixels of the picture. */
static ipos_status points_of(ir_scene *scene, size_t key, ip_given_point *points, size_t *count) {
    const ip_set *set = &scene->set;
    const ip_view *view = &set->view[key];
    struct ir_slot *slot;
    double wide = (double)scene->footage->window.width / scene->width, high = (double)scene->footage->window.height / scene->height;
    int step = IP_MAX(1, scene->width / POINTS_ACROSS);
    IP_TRY(ir_scene_frame(scene, set->key[key], &slot));
    for (int y = step / 2; y < scene->height; y += step)
        for (int x = step / 2; x < scene->width; x += step) {
            float inverse = ip_row(&view->inverse, y)[x];
            ip_given_point *at = &points[*count];
            if (ip_row(&view->agreeing, y)[x] < IP_AGREE || inverse < 1e-4f)
                continue;
            *at = (ip_given_point){.x = (x + .5) * wide, .y = (y + .5) * high, .frame = set->key[key]};
            ip_world_of(&view->pose, &set->path.lens, x, y, 1 / (double)inverse, at->world);
            for (int c = 0; c < 3; c++)
                at->rgb[c] = (uint8_t)(255 * ip_srgb_from_linear(fminf(fmaxf(ip_row(&slot->light.c[c], y)[x], 0), 1)) + .5f);
            ++*count;
        }
    return IPOS_OK;
}

static void tell_file(ip_buffer *to, const char *name, ip_buffer *file) {
    char *text = ip_buffer_take(file);
    ip_buffer_printf(to, "\"%s\":", name);
    ip_quote(to, text ? text : "");
    to->failed = to->failed || !text;
    ip_free(text);
}

ipos_status ir_track_tell(ir_scene *scene, ip_buffer *to) {
    const ip_set *set = &scene->set;
    const ip_camera_path *path = &set->path;
    const ipos_box *window = &scene->footage->window;
    double scale = (double)window->width / scene->width;
    ip_lens lens = {scale * path->lens.focal, scale * (path->lens.cx + .5) - .5, (double)window->height / scene->height * (path->lens.cy + .5) - .5};
    size_t count = 0, before = set->keys, take[POINT_VIEWS] = {0, set->keys / 2, set->keys - 1};
    int step = IP_MAX(1, scene->width / POINTS_ACROSS);
    ip_given_point *points = ip_alloc(POINT_VIEWS * (size_t)(scene->width / step + 1) * (size_t)(scene->height / step + 1) * sizeof *points);
    ipos_status status = points ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    for (int k = 0; k < POINT_VIEWS && status == IPOS_OK; k++)
        if (set->keys && take[k] != before) {
            before = take[k];
            status = points_of(scene, take[k], points, &count);
        }
    if (status == IPOS_OK) {
        ip_given_files files = {{0}};
        ip_buffer_printf(to, "\"camera\":");
        ip_given_camera_write(to, scene->footage->numbers, path->pose, path->count, &path->lens, scene->width, scene->height);
        ip_given_colmap_write(&files, scene->footage->numbers, path->pose, path->count, &lens, window->width, window->height, points, count,
            path->error > 0 ? path->error : -1);
        ip_buffer_printf(to, ",\"colmap\":{");
        tell_file(to, "cameras", &files.cameras);
        ip_buffer_printf(to, ",");
        tell_file(to, "images", &files.images);
        ip_buffer_printf(to, ",");
        tell_file(to, "points3D", &files.points);
        ip_buffer_printf(to, "}");
        ip_given_files_free(&files);
    }
    ip_free(points);
    return status;
}
