#include "set_parts.h"
#include "fit.h"
#include "moving.h"
#include "round.h"

#include <math.h>
#include <stdlib.h>

ipos_status ip_set_depth(ip_set *set, size_t index, ip_view *out) {
    static const int steps[] = {3, -3, 6, -6, 9, -9, 12, -12, 14, -14, 2, -2, 1, -1};
    const ip_track_source *track = &set->source.track;
    const ip_plane_f *luma;
    ip_plane_f feature[IP_DEPTH_VIEWS + 1] = {{0}};
    ip_depth_view of = {&feature[0], &set->path.pose[index]}, others[IP_DEPTH_VIEWS];
    ip_depth_options options = {set->path.lens, set->far_inverse, set->near_inverse, set->source.threads, track->pulse};
    size_t count = 0;
    *out = (ip_view){.pose = set->path.pose[index]};
    ipos_status status = track->luma(track->user, index, &luma);
    if (status == IPOS_OK)
        status = ip_depth_feature(luma, options.threads, &feature[0]);
    for (size_t s = 0; s < IP_COUNT(steps) && count < IP_DEPTH_VIEWS && status == IPOS_OK; s++) {
        int64_t other = (int64_t)index + steps[s];
        if (other < 0 || other >= (int64_t)track->count || (abs(steps[s]) < 3 && count >= 3))
            continue;
        status = track->luma(track->user, (size_t)other, &luma);
        if (status == IPOS_OK)
            status = ip_depth_feature(luma, options.threads, &feature[count + 1]);
        others[count] = (ip_depth_view){&feature[count + 1], &set->path.pose[other]};
        count++;
    }
    if (status == IPOS_OK)
        status = ip_depth_find(&of, others, count, &options, &out->inverse);
    if (status == IPOS_OK)
        status = ip_plane_new(out->inverse.width, out->inverse.height, &out->agreeing);
    ip_planes_free(feature, IP_DEPTH_VIEWS + 1);
    return status;
}

void ip_set_agree(const ip_set *set, const ip_view *view, size_t index) {
    const ip_plane_f *others[IP_KEYS];
    const ip_pose *poses[IP_KEYS];
    size_t count = 0;
    for (size_t k = 0; k < set->keys; k++)
        if (set->key[k] != index) {
            others[count] = &set->view[k].inverse;
            poses[count++] = &set->view[k].pose;
        }
    ip_depth_agree(&view->inverse, &view->pose, others, poses, count, &set->path.lens, .035f, set->source.threads, &view->agreeing);
}

void ip_set_range_of(ip_set *set, float *inverse, size_t count) {
    set->far_inverse = .25 * (double)ip_quantile(inverse, count, .02);
    set->near_inverse = 1.35 * (double)ip_quantile(inverse, count, .995);
}

ipos_status ip_set_range(ip_set *set) {
    float *inverse = ip_alloc(IP_MAX(set->path.points, 1) * sizeof *inverse);
    size_t count = 0;
    if (!inverse)
        return IPOS_ERR_NO_MEMORY;
    for (size_t p = 0; p < set->path.points; p++) {
        double c[3];
        ip_pose_apply(&set->path.pose[set->middle], set->path.point + 3 * p, c);
        if (set->path.good[p] && c[2] > 0)
            inverse[count++] = (float)(1 / c[2]);
    }
    if (count < 30)
        snprintf(set->reason, sizeof set->reason, "too few points have a depth");
    else
        ip_set_range_of(set, inverse, count);
    ip_free(inverse);
    return IPOS_OK;
}

size_t ip_set_keys(ip_set *set) {
    const size_t frames = set->source.track.count;
    size_t nearest = 0;
    set->keys = IP_MIN(frames, (size_t)IP_KEYS);
    for (size_t k = 0; k < set->keys; k++)
        set->key[k] = set->keys > 1 ? (k * (frames - 1) + (set->keys - 1) / 2) / (set->keys - 1) : 0;
    for (size_t k = 0; k < set->keys; k++)
        if (llabs((long long)set->key[k] - (long long)set->middle) < llabs((long long)set->key[nearest] - (long long)set->middle))
            nearest = k;
    set->middle = set->key[nearest];
    return nearest;
}

static ipos_status find_views(ip_set *set) {
    for (size_t k = 0; k < set->keys; k++)
        IP_TRY(ip_set_depth(set, set->key[k], &set->view[k]));
    for (size_t k = 0; k < set->keys; k++)
        ip_set_agree(set, &set->view[k], set->key[k]);
    return IPOS_OK;
}

static ipos_status build(ip_set *set, double focal, double height) {
    const ip_set_source *s = &set->source;
    ip_tracks tracks;
    ip_lens lens = {focal * s->width, .5 * (s->width - 1), .5 * (s->height - 1)};
    size_t nearest;
    set->middle = s->track.count / 2;
    IP_TRY(ip_tracks_make(&s->track, set->middle, &tracks));
    ipos_status status = ip_camera_solve(&tracks, &lens, s->track.pulse, &set->path);
    ip_tracks_free(&tracks);
    IP_TRY(status);
    if (set->path.reason[0]) {
        memcpy(set->reason, set->path.reason, sizeof set->reason);
        return IPOS_OK;
    }
    IP_TRY(ip_set_range(set));
    if (set->reason[0])
        return IPOS_OK;
    nearest = ip_set_keys(set);
    IP_TRY(find_views(set));
    IP_TRY(ip_room_place(set->view, set->keys, nearest, height, &set->path, &set->room));
    if (!set->room.reason[0]) {
        set->far_inverse /= set->room.scale;
        set->near_inverse /= set->room.scale;
        return ip_room_build(set->view, set->keys, &set->path.lens, &set->room);
    }
    memcpy(set->reason, set->room.reason, sizeof set->reason);
    return IPOS_OK;
}

static ipos_status recall_set(const ip_set_source *source, ip_set *out, bool *found) {
    void *bytes = NULL;
    size_t size;
    *found = false;
    if (!source->recall)
        return IPOS_OK;
    IP_TRY(source->recall(source->track.user, -1, &bytes, &size));
    ipos_status status = bytes ? ip_set_unpack(bytes, size, source, out, found) : IPOS_OK;
    ip_free(bytes);
    return status;
}

static ipos_status keep_packed(const ip_set_source *source, int64_t index, ip_buffer *bytes) {
    ipos_status status = bytes->failed ? IPOS_ERR_NO_MEMORY : source->keep(source->track.user, index, bytes->data, bytes->size);
    ip_buffer_free(bytes);
    return status;
}

static ipos_status build_anew(ip_set *set, double focal, double height) {
    ip_buffer bytes = {0};
    IP_TRY(ip_given_any(&set->source.given) ? ip_given_build(set, focal, height) : build(set, focal, height));
    if (!set->source.keep)
        return IPOS_OK;
    ip_set_pack(set, &bytes);
    return keep_packed(&set->source, -1, &bytes);
}

ipos_status ip_set_build(const ip_set_source *source, double focal, double height, ip_set *out) {
    bool found;
    IP_TRY(recall_set(source, out, &found));
    if (found)
        return IPOS_OK;
    *out = (ip_set){.source = *source};
    ipos_status status = build_anew(out, focal, height);
    if (status != IPOS_OK)
        ip_set_free(out);
    return status;
}

void ip_set_free(ip_set *set) {
    for (size_t k = 0; k < IP_KEYS; k++)
        ip_view_free(&set->view[k]);
    ip_caster_free(&set->caster);
    ip_camera_free(&set->path);
    ip_known_free(&set->known);
    *set = (ip_set){0};
}

ipos_status ip_set_copy_view(const ip_view *from, ip_view *to) {
    *to = (ip_view){.pose = from->pose};
    IP_TRY(ip_plane_new(from->inverse.width, from->inverse.height, &to->inverse));
    IP_TRY(ip_plane_new(from->inverse.width, from->inverse.height, &to->agreeing));
    ip_plane_copy(&to->inverse, &from->inverse);
    ip_plane_copy(&to->agreeing, &from->agreeing);
    return IPOS_OK;
}

ipos_status ip_set_beside(const ip_set *set, size_t index, bool few, ip_plane_f luma[3], ip_beside beside[2], size_t *count) {
    static const int steps[] = {8, -8, 5, -5, 3, -3, 2, -2};
    const ip_track_source *track = &set->source.track;
    const ip_plane_f *from;
    *count = 0;
    for (size_t s = 0; s < IP_COUNT(steps) - (few ? 2 : 0) && *count < 2; s++) {
        int64_t other = (int64_t)index + steps[s];
        if (other < 0 || other >= (int64_t)track->count)
            continue;
        IP_TRY(track->luma(track->user, (size_t)other, &from));
        ip_plane_copy(&luma[*count], from);
        beside[*count] = (ip_beside){&set->path.pose[other], &luma[*count]};
        ++*count;
    }
    IP_TRY(track->luma(track->user, index, &from));
    ip_plane_copy(&luma[2], from);
    return IPOS_OK;
}

ipos_status ip_set_things(ip_set *set, size_t index, ip_set_frame *out) {
    ip_plane_f copy[3];
    ip_beside beside[2];
    size_t count;
    IP_TRY(ip_planes_new(set->source.width, set->source.height, copy, 3));
    ipos_status status = ip_set_beside(set, index, false, copy, beside, &count);
    out->luma = &copy[2];
    if (status == IPOS_OK)
        status = set->source.sky(set->source.track.user, index, &out->sky);
    if (status == IPOS_OK)
        status = set->source.light(set->source.track.user, index, &out->light);
    if (status == IPOS_OK)
        status = ip_things_find(&set->room, &set->path.lens, beside, count, set->source.threads, out);
    out->luma = out->sky = NULL;
    out->light = NULL;
    ip_planes_free(copy, 3);
    return status;
}

size_t ip_set_key_of(const ip_set *set, size_t index) {
    size_t k = 0;
    while (k < set->keys && set->key[k] != index)
        k++;
    return k;
}

static ipos_status look(ip_set *set, size_t index, ip_set_frame *out) {
    size_t k = ip_set_key_of(set, index);
    *out = (ip_set_frame){0};
    if (ip_given_any(&set->source.given))
        return ip_given_look(set, index, out);
    ipos_status status = k < set->keys ? ip_set_copy_view(&set->view[k], &out->view) : ip_set_depth(set, index, &out->view);
    if (status == IPOS_OK && k == set->keys)
        ip_set_agree(set, &out->view, index);
    if (status == IPOS_OK)
        status = ip_set_things(set, index, out);
    if (status != IPOS_OK)
        ip_set_frame_free(out);
    return status;
}

ipos_status ip_set_look(ip_set *set, size_t index, ip_set_frame *out) {
    const ip_set_source *s = &set->source;
    ip_buffer packed = {0};
    void *bytes = NULL;
    size_t size;
    bool fits = false;
    if (s->recall)
        IP_TRY(s->recall(s->track.user, (int64_t)index, &bytes, &size));
    ipos_status status = bytes ? ip_set_frame_unpack(bytes, size, index, s->width, s->height, out, &fits) : IPOS_OK;
    ip_free(bytes);
    if (status != IPOS_OK || fits)
        return status;
    IP_TRY(look(set, index, out));
    if (!s->keep)
        return IPOS_OK;
    ip_set_frame_pack(out, index, &packed);
    status = keep_packed(s, (int64_t)index, &packed);
    if (status != IPOS_OK)
        ip_set_frame_free(out);
    return status;
}

ipos_status ip_set_cast(ip_set *set, const double toward[3]) {
    ip_set_frame frame[3] = {{{{{0}}}}};
    const ip_set_frame *all[3];
    size_t chosen[3] = {0, set->keys / 2, set->keys - 1}, count = set->keys < 3 ? 1 : 3;
    ipos_status status = IPOS_OK;
    ip_caster_free(&set->caster);
    if (set->known.rays)
        return IPOS_OK;
    for (size_t i = 0; i < count && status == IPOS_OK; i++) {
        status = ip_set_look(set, set->key[chosen[i]], &frame[i]);
        all[i] = &frame[i];
    }
    if (status == IPOS_OK)
        status = ip_caster_make(&set->room, all, count, &set->path.lens, toward, &set->caster);
    for (size_t i = 0; i < count; i++)
        ip_set_frame_free(&frame[i]);
    return status;
}

ipos_status ip_set_plain_surface(const ip_set *set, const ip_set_frame *frame, const ip_relight_pair *pair, const ip_surface *surface, const ip_plane_f *still) {
    const double *toward[2] = {pair->old.toward, pair->now.toward};
    for (int y = 0; y < frame->kind.height; y++)
        for (int x = 0; x < frame->kind.width; x++) {
            float kind = ip_row(&frame->kind, y)[x];
            int wall = (int)ip_row(&frame->wall, y)[x];
            double level[3] = {0, 0, -1};
            const double *normal = set->room.walls ? set->room.wall[kind == IP_IS_UPRIGHT && wall > 0 ? wall - 1 : 0].normal : level;
            ip_row(&surface->ground, y)[x] = kind == IP_IS_GROUND;
            ip_row(&surface->thing, y)[x] = kind == IP_IS_THING || kind == IP_IS_MOVING;
            ip_row(still, y)[x] = kind == IP_IS_GROUND || kind == IP_IS_UPRIGHT;
            for (int k = 0; k < 2; k++) {
                double facing = kind == IP_IS_GROUND ? toward[k][1] : normal[0] * toward[k][0] + normal[2] * toward[k][2];
                ip_row(&surface->facing[k], y)[x] = (float)fmax(facing, .02);
            }
        }
    ip_plane_f behind;
    IP_TRY(ip_plane_new(frame->kind.width, frame->kind.height, &behind));
    ipos_status status = ip_cast_behind(&set->room, frame, &set->path.lens, set->source.threads, &behind);
    if (status == IPOS_OK) {
        ip_caster_seen(&set->caster, &behind, frame, &set->path.lens, set->source.threads, &surface->seen[IP_NEW_SUN]);
        status = ip_round_things(frame, pair, surface);
    }
    if (status == IPOS_OK)
        status = ip_moving_shade(&behind, frame, &set->path.lens, toward[IP_NEW_SUN], set->source.threads, &surface->passing);
    ip_plane_free(&behind);
    return status;
}

ipos_status ip_set_surface(const ip_set *set, const ip_set_frame *frame, const ip_relight_pair *pair, const ip_surface *surface, const ip_plane_f *still) {
    return ip_given_any(&set->source.given) ? ip_given_surface(set, frame, pair, surface, still) : ip_set_plain_surface(set, frame, pair, surface, still);
}

double ip_set_horizon(const ip_set *set) {
    const ip_pose *pose = &set->path.pose[set->middle];
    double ahead[3] = {0, 0, 1}, c[3];
    for (int i = 0; i < 3; i++)
        c[i] = pose->r[3 * i] * ahead[0] + pose->r[3 * i + 1] * ahead[1] + pose->r[3 * i + 2] * ahead[2];
    return (set->path.lens.focal * c[1] / c[2] + set->path.lens.cy + .5) / set->source.height;
}
