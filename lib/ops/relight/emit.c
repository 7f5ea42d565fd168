/* A frame in all its variants, with what it rests on. */
#include "carry.h"
#include "reflect.h"

#include <math.h>

static const float SURE = .05f; /* of the softness: the shadows of a mesh that was given lie where they fall, and rays soften them */
enum { GAIN_LIFTED, GAIN_CAST, GAIN_PLANES };
enum { EV_CONFIDENCE, EV_KIND, EV_LIFTED, EV_CAST, EV_SKY, EV_CHANNELS };

typedef struct one_frame {
    ir_run *run;
    ir_scene *scene;
    size_t index;
    int64_t number;
    ipos_frame *source;
    ip_surface surface;
    ip_plane_f luma;   /* of the analysis, for enlarging */
    ip_plane_f keep;   /* {0}: none */
} one_frame;

/* Evidence in steps of 1/64, finer than anybody can tell: noise below that makes up most of a file and of the time to pack it. */
static float stepped(float value) {
    return rintf(64 * value) / 64;
}

/* What was done to a pixel: 4 regraded, 5 an old shadow lifted, 6 a new shadow cast, 7 sky; how sure that is. */
static void judge(float lifted, float cast, float sky, float *kind, float *sure) {
    *kind = sky > .5f ? 7 : cast < -.35f ? 6 : lifted > .35f ? 5 : 4;
    *sure = sky > .5f ? .9f : .85f / (1 + .25f * fmaxf(lifted, 0) + .2f * fmaxf(-cast, 0));
}

static ipos_status make_evidence(const one_frame *f, const ip_plane_f *changed, const ip_plane_f stops[GAIN_PLANES], ipos_frame **out, double *mean) {
    static const ipos_channel channels[EV_CHANNELS] = {{"confidence", IPOS_F16, 1, 1}, {"evidence", IPOS_F16, 1, 1}, {"relight.lifted", IPOS_F16, 1, 1},
        {"relight.cast", IPOS_F16, 1, 1}, {"relight.sky", IPOS_F16, 1, 1}};
    double sum = 0;
    float *line[EV_CHANNELS];
    ip_plane_f rows;
    IP_TRY(ip_evidence_new(f->run->host, &f->source->data_window, f->source, channels, EV_CHANNELS, out));
    IP_TRY(ip_plane_new(changed->width, EV_CHANNELS, &rows));
    for (int k = 0; k < EV_CHANNELS; k++)
        line[k] = ip_row(&rows, k);
    float sx = (float)f->surface.sky.width / (float)changed->width, sy = (float)f->surface.sky.height / (float)changed->height;
    const ip_plane_f *from[] = {[EV_LIFTED] = &stops[GAIN_LIFTED], [EV_CAST] = &stops[GAIN_CAST], [EV_SKY] = &f->surface.sky};
    bool same = changed->width == f->surface.sky.width && changed->height == f->surface.sky.height;
    for (int y = 0; y < changed->height; y++) {
        for (int x = 0; x < changed->width; x++) {
            float px = ((float)x + .5f) * sx - .5f, py = ((float)y + .5f) * sy - .5f;
            bool is = ip_row(changed, y)[x] > 0;
            for (int k = EV_LIFTED; k <= EV_SKY; k++)
                line[k][x] = !is ? 0 : stepped(same ? ip_row(from[k], y)[x] : ip_sample_linear(from[k], px, py));
            judge(line[EV_LIFTED][x], line[EV_CAST][x], line[EV_SKY][x], &line[EV_KIND][x], &line[EV_CONFIDENCE][x]);
            line[EV_CONFIDENCE][x] = stepped(line[EV_CONFIDENCE][x]);
            if (!is) {
                line[EV_KIND][x] = 0;
                line[EV_CONFIDENCE][x] = 1;
            }
            sum += line[EV_CONFIDENCE][x];
        }
        for (size_t k = 0; k < EV_CHANNELS; k++)
            ip_evidence_row(*out, k, y, line[k]);
    }
    ip_plane_free(&rows);
    *mean = sum / ((double)changed->width * changed->height);
    return IPOS_OK;
}

/* A clear sky is brighter and warmer towards its sun, and what mirrors shows it. exposure: stops that gain holds on top. */
static ipos_status add_sky(const one_frame *f, const ip_relight_pair *pair, float exposure, const ip_image3 *gain) {
    ir_scene *scene = f->scene;
    const ip_set *set = &scene->set;
    struct ir_slot *slot;
    ip_mirrors mirrors = {{0, 0, -1}, scene->white, scene->settings->mirror, exposure};
    double width = scene->width, height = scene->height, focal = (scene->settings->focal > 0 ? (double)scene->settings->focal : .9) * width;
    ip_sky_view view = {NULL, {focal, .5 * (width - 1), .5 * (height - 1)}, (double)scene->horizon * height - .5};
    if (scene->motion && set->path.known[f->index]) {
        view.pose = &set->path.pose[f->index];
        view.lens = set->path.lens;
    }
    if (set->room.walls)
        memcpy(mirrors.wall, set->room.wall[0].normal, sizeof mirrors.wall);
    ip_sky_glow(pair, &view, scene->settings->glow, f->run->host->threads, &f->surface.sky, gain);
    IP_TRY(ir_scene_frame(scene, f->index, &slot));
    ip_reflect(&f->surface, pair, &view, &mirrors, &slot->light, f->run->host->threads, gain);
    return IPOS_OK;
}

/* The light of one variant: changes light, says where and by how much shadows were changed (at the analysis' size). */
static ipos_status relit(const one_frame *f, int variant, const ip_image3 *light, ip_plane_f *changed, const ip_plane_f stops[GAIN_PLANES]) {
    const ir_settings *set = f->scene->settings;
    const ip_relight_pair *pair = variant == IR_HARD ? &set->hard : &set->pair;
    ip_regrade how = set->regrade;
    ir_look look = {.strength = set->strength, .haze = set->haze, .bloom = set->bloom, .keep = f->keep.data ? &f->keep : NULL,
        .threads = f->run->host->threads};
    ip_image3 gain;
    how.exposure += (float)f->scene->camera;
    how.softness *= f->scene->set.known.rays ? SURE : 1;
    for (int c = 0; c < 3; c++)
        look.veil[c] = 1.2 * set->pair.now.sun[c] + set->pair.now.ambient[c];
    if (variant == IR_GENTLE) {
        look.strength *= .6f;
        how.softness *= 2;
    } else if (variant == IR_HARD) {
        how.softness *= .4f;
    }
    ip_plane_fill(changed, 0);
    if (set->unchanged)
        return IPOS_OK;
    IP_TRY(ip_image3_new(f->surface.sky.width, f->surface.sky.height, &gain));
    ipos_status status = ip_regrade_gain(&f->surface, pair, &how, look.threads, &gain, &stops[GAIN_LIFTED], &stops[GAIN_CAST]);
    if (status == IPOS_OK)
        status = add_sky(f, pair, how.exposure, &gain);
    if (status == IPOS_OK)
        status = ir_grain_lift(f->scene, f->index, &stops[GAIN_LIFTED], &look, light);
    if (status == IPOS_OK)
        status = ir_picture(&gain, &f->luma, &look, light, changed);
    ip_image3_free(&gain);
    return status;
}

static ipos_status emit_variant(const one_frame *f, int variant) {
    ip_op_host *host = f->run->host;
    ipos_frame *picture = NULL, *evidence = NULL;
    ip_image3 light = {0};
    ip_plane_f changed = {0}, stops[GAIN_PLANES] = {{0}};
    double sure = 1;
    int width = f->source->data_window.width, height = f->source->data_window.height;
    IP_TRY(host->frame_like(host, f->source, 0, &picture));
    ipos_status status = ip_frame_copy_pixels(picture, f->source);
    if (status == IPOS_OK)
        status = ir_plate_full(f->scene->footage, f->index, &light);
    if (status == IPOS_OK)
        status = ip_plane_new(width, height, &changed);
    if (status == IPOS_OK)
        status = ip_planes_new(f->surface.sky.width, f->surface.sky.height, stops, GAIN_PLANES);
    if (status == IPOS_OK && variant == IR_GEOMETRY) {
        struct ir_slot *slot;
        status = ir_scene_frame(f->scene, f->index, &slot);
        if (status == IPOS_OK)
            status = ir_geometry_layers(host, f->source, &f->surface, &slot->layers, &evidence);
    } else if (status == IPOS_OK && variant == IR_SUN)
        ir_draw_sun(f->scene->settings, f->scene->horizon, &f->surface, &light, &changed);
    else if (status == IPOS_OK)
        status = relit(f, variant, &light, &changed, stops);
    if (status == IPOS_OK && !evidence)
        status = ir_light_write(&f->scene->footage->clip, &light, &changed, picture);
    if (status == IPOS_OK && !evidence)
        status = make_evidence(f, &changed, stops, &evidence, &sure);
    if (status == IPOS_OK)
        status = host->emit(host, ir_variant_names[variant], (ipos_rational){f->number, 1}, sure, picture, evidence);
    ip_planes_free(stops, GAIN_PLANES);
    ip_plane_free(&changed);
    ip_image3_free(&light);
    ipos_frame_release(picture);
    ipos_frame_release(evidence);
    return status;
}

/* What was painted to keep its light, besides the mattes. */
static ipos_status add_painted(one_frame *f) {
    ip_plane_f painted, large;
    IP_TRY(ir_marks_keep(f->scene, f->index, &painted));
    if (!painted.data)
        return IPOS_OK;
    ipos_status status = ip_plane_new(f->source->data_window.width, f->source->data_window.height, &large);
    if (status == IPOS_OK) {
        ip_resize(&painted, &large, 1 - (float)ip_options_real(f->run->host->options, "gentle"), f->run->host->threads);
        if (f->keep.data)
            ip_plane_max(&large, &f->keep);
        ip_plane_free(&f->keep);
        f->keep = large;
    }
    ip_plane_free(&painted);
    return status;
}

ipos_status ir_emit(ir_run *run, ir_scene *scene, size_t index) {
    one_frame f = {.run = run, .scene = scene, .index = index, .number = scene->footage->numbers[index]};
    struct ir_slot *slot;
    IP_TRY(ir_scene_surface(scene, index, &f.surface));
    ipos_status status = ir_scene_frame(scene, index, &slot);
    if (status == IPOS_OK)
        status = ip_plane_new(scene->width, scene->height, &f.luma);
    if (status == IPOS_OK) {
        ip_plane_copy(&f.luma, &slot->luma);
        status = ip_clip_frame(&scene->footage->clip, f.number, &f.source);
    }
    if (status == IPOS_OK)
        status = ir_keep_read(run, f.source, f.number, &f.keep);
    if (status == IPOS_OK)
        status = add_painted(&f);
    for (int v = 0; v < IR_VARIANTS && status == IPOS_OK; v++)
        if (scene->settings->offered[v])
            status = emit_variant(&f, v);
    ip_plane_free(&f.keep);
    ip_plane_free(&f.luma);
    ip_surface_free(&f.surface);
    return status;
}
