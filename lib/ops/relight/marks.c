/* Painted strokes carried through the shot. */
#include "gauss.h"
#include "guided.h"
#include "relight_op.h"

#include <math.h>
#include <stdlib.h>

static const float WIDTH = 24, SOFT = 4; /* pixels at 640: a band whose width is not said; edges */
static const float ALIKE = .1f;          /* display luma that what is followed may change by */
static const float THERE = .08f;         /* relative depth within which a place is the one that was painted */

void ir_marks_free(ir_marks *marks) {
    for (size_t i = 0; i < marks->count; i++) {
        ip_brush_free(&marks->at[i].brush);
        ip_gobo_free(&marks->at[i].gobo);
    }
    for (size_t k = 0; k < marks->keys; k++) {
        ip_set_frame_free(&marks->key[k].shape);
        ip_plane_free(&marks->key[k].luma);
    }
    ip_free(marks->at);
    ip_free(marks->key);
    ip_planes_free(marks->path, 2);
    *marks = (ir_marks){0};
}

static const struct ir_key *key_of(const ir_marks *marks, size_t index) {
    for (size_t k = 0; k < marks->keys; k++)
        if (marks->key[k].index == index)
            return &marks->key[k];
    return NULL;
}

static ipos_status add_key(ir_scene *scene, size_t index) {
    ir_marks *marks = &scene->marks;
    struct ir_slot *slot;
    if (key_of(marks, index))
        return IPOS_OK;
    struct ir_key *key = &marks->key[marks->keys++];
    key->index = index;
    IP_TRY(ir_scene_frame(scene, index, &slot));
    IP_TRY(ip_plane_new(scene->width, scene->height, &key->luma));
    ip_plane_copy(&key->luma, &slot->luma);
    return scene->motion && scene->set.path.known[index] ? ip_set_look(&scene->set, index, &key->shape) : IPOS_OK;
}

/* What most of a mark lies on decides how it is carried: the room exactly, things by their depth, all else by what is seen to move. */
static void choose_way(const struct ir_key *key, ir_mark *mark) {
    const ip_plane_f *kind = &key->shape.kind;
    double on[3] = {0}; /* by way */
    mark->by = IR_BY_MOTION;
    for (int y = 0; y < kind->height; y++)
        for (int x = 0; x < kind->width; x++) {
            float is = ip_row(kind, y)[x];
            on[is == IP_IS_GROUND || is == IP_IS_UPRIGHT ? IR_BY_ROOM : is == IP_IS_THING ? IR_BY_THINGS : IR_BY_MOTION] +=
                (double)ip_brush_at(&mark->brush, (float)x, (float)y);
        }
    for (int way = 0; way < 3; way++)
        if (on[way] > on[mark->by])
            mark->by = way;
}

static ipos_status make_mark(ir_scene *scene, const ir_stroke *stroke, size_t number, size_t index, ir_mark *mark) {
    const ipos_box *window = &scene->footage.window;
    float scale[2] = {(float)scene->width / (float)window->width, (float)scene->height / (float)window->height}, unit = ip_relight_unit(scene->width);
    float half = .5f * (stroke->width > 0 ? stroke->width * scale[0] : WIDTH * unit), soft = SOFT * unit;
    char what[96];
    snprintf(what, sizeof what, "strokes: stroke %zu (%s) on frame %lld", number, ir_stroke_kind_name(stroke->kind), (long long)stroke->frame);
    *mark = (ir_mark){.stroke = stroke, .index = index};
    ip_point *at = ip_alloc(stroke->count * sizeof *at);
    if (!at)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < stroke->count; i++)
        at[i] = (ip_point){stroke->at[i].x * scale[0] - .5f, stroke->at[i].y * scale[1] - .5f};
    ipos_status status = ip_brush_make(at, stroke->count, half, soft, &mark->brush);
    double covers = 0;
    for (int y = 0; y < scene->height && status == IPOS_OK; y++)
        for (int x = 0; x < scene->width; x++)
            covers += (double)ip_brush_at(&mark->brush, (float)x, (float)y);
    if (status == IPOS_OK && covers < .5)
        status = ip_fail(IPOS_ERR_ARGUMENT, "%s lies off the picture: expected points in pixels from 0,0 to %d,%d", what, window->width, window->height);
    if (status == IPOS_OK)
        status = add_key(scene, index);
    const struct ir_key *key = key_of(&scene->marks, index);
    if (status == IPOS_OK && key->shape.kind.data) {
        choose_way(key, mark);
        if (stroke->kind == IR_GOBO) {
            mark->by = IR_BY_GOBO;
            status = ip_gobo_lay(&scene->set.room, &scene->set.path.pose[index], &scene->set.path.lens, at, stroke->count, half, soft, what, &mark->gobo);
        }
    }
    ip_free(at);
    return status;
}

ipos_status ir_marks_open(ir_scene *scene, const ir_strokes *strokes) {
    ir_marks *marks = &scene->marks;
    if (!strokes->count)
        return IPOS_OK;
    marks->at = ip_calloc(strokes->count, sizeof *marks->at);
    marks->key = ip_calloc(strokes->count, sizeof *marks->key);
    if (!marks->at || !marks->key)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < scene->footage.count; i++)
        for (size_t s = 0; s < strokes->count; s++)
            if (strokes->at[s].frame == scene->footage.numbers[i])
                IP_TRY(make_mark(scene, &strokes->at[s], s + 1, i, &marks->at[marks->count++]));
    return IPOS_OK;
}

/* marks->path from `from` to `to`, along the flows between. */
static ipos_status find_path(ir_scene *scene, size_t from, size_t to) {
    ir_marks *marks = &scene->marks;
    int way = to > from;
    if (marks->path[0].data && marks->path_from == from && marks->path_to == to)
        return IPOS_OK;
    if (!marks->path[0].data)
        IP_TRY(ip_planes_new(scene->width, scene->height, marks->path, 2));
    ip_plane_fill(&marks->path[0], 0);
    ip_plane_fill(&marks->path[1], 0);
    marks->path_from = marks->path_to = from;
    for (size_t at = from; at != to; at = way ? at + 1 : at - 1) {
        const ip_plane_f *flow;
        IP_TRY(ir_scene_flow(scene, at, way, &flow));
        for (int y = 0; y < scene->height; y++)
            for (int x = 0; x < scene->width; x++) {
                float *u = &ip_row(&marks->path[0], y)[x], *v = &ip_row(&marks->path[1], y)[x], px = (float)x + *u, py = (float)y + *v;
                *u += ip_sample_linear(&flow[0], px, py);
                *v += ip_sample_linear(&flow[1], px, py);
            }
    }
    marks->path_to = to;
    return IPOS_OK;
}

typedef struct carry_job {
    const ir_scene *scene;
    const ir_mark *mark;
    const struct ir_key *key;
    const ip_set_frame *shape; /* of the frame it is carried to; NULL where the set is not known */
    const ip_plane_f *luma, *out;
} carry_job;

/* Where a pixel of a frame with a known shape lies: on the room if it belongs to it. */
static void place_of(const carry_job *job, int x, int y, double world[3]) {
    const ip_set_frame *f = job->shape;
    float kind = ip_row(&f->kind, y)[x], room = ip_row(&f->room, y)[x], inverse = ip_row(&f->view.inverse, y)[x];
    bool flat = kind == IP_IS_GROUND || (kind == IP_IS_UPRIGHT && room < 9e3f && fabsf(inverse * room - 1) < THERE);
    ip_world_of(&f->view.pose, &job->scene->set.path.lens, x, y, flat ? (double)room : 1 / fmax((double)inverse, 1e-4), world);
}

static float by_shape(const carry_job *job, int x, int y) {
    const ip_lens *lens = &job->scene->set.path.lens;
    const ip_set_frame *key = &job->key->shape;
    float kind = ip_row(&job->shape->kind, y)[x];
    double world[3], c[3];
    if (kind == IP_IS_SKY || kind == IP_IS_MOVING)
        return 0;
    place_of(job, x, y, world);
    if (job->mark->by == IR_BY_GOBO)
        return ip_gobo_at(&job->mark->gobo, world, job->scene->settings->pair.now.toward);
    ip_pose_apply(&key->view.pose, world, c);
    if (c[2] < .05)
        return 0;
    float px = (float)(lens->focal * c[0] / c[2] + lens->cx), py = (float)(lens->focal * c[1] / c[2] + lens->cy);
    float cover = ip_brush_at(&job->mark->brush, px, py);
    if (cover <= 0 || (job->mark->by == IR_BY_ROOM && (kind == IP_IS_GROUND || kind == IP_IS_UPRIGHT)))
        return cover; /* also where something stood before it when it was painted */
    bool in = px >= 0 && py >= 0 && px <= (float)(key->kind.width - 1) && py <= (float)(key->kind.height - 1);
    return in && fabsf(ip_sample_linear(&key->view.inverse, px, py) * (float)c[2] - 1) < 2 * THERE ? cover : 0;
}

static float by_motion(const carry_job *job, int x, int y) {
    const ir_marks *marks = &job->scene->marks;
    float px = (float)x + ip_row(&marks->path[0], y)[x], py = (float)y + ip_row(&marks->path[1], y)[x];
    float cover = ip_brush_at(&job->mark->brush, px, py);
    if (cover <= 0)
        return 0;
    float apart = (ip_sample_linear(&job->key->luma, px, py) - ip_row(job->luma, y)[x]) / ALIKE;
    return cover * expf(-apart * apart);
}

static void carry_rows(void *user, int64_t begin, int64_t end) {
    const carry_job *job = user;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < job->out->width; x++)
            ip_row(job->out, y)[x] = job->mark->by != IR_BY_MOTION ? by_shape(job, x, y)
                : job->key->luma.data ? by_motion(job, x, y) : 0;
}

/* One mark on a frame. */
static ipos_status carry(ir_scene *scene, const ir_mark *mark, size_t index, const ip_plane_f *out, ip_plane_f *tmp) {
    struct ir_slot *slot;
    bool own = index == mark->index && mark->by != IR_BY_GOBO;
    if (own) {
        for (int y = 0; y < out->height; y++)
            for (int x = 0; x < out->width; x++)
                ip_row(out, y)[x] = ip_brush_at(&mark->brush, (float)x, (float)y);
        return IPOS_OK;
    }
    if (mark->by == IR_BY_MOTION)
        IP_TRY(find_path(scene, index, mark->index));
    IP_TRY(ir_scene_frame(scene, index, &slot));
    if (mark->by != IR_BY_MOTION && !slot->shape.kind.data) { /* the frame had to make room for others */
        ip_set_frame shape;
        IP_TRY(ip_set_look(&scene->set, index, &shape));
        ipos_status status = ir_scene_frame(scene, index, &slot);
        if (status != IPOS_OK) {
            ip_set_frame_free(&shape);
            return status;
        }
        slot->shape = shape;
    }
    carry_job job = {scene, mark, key_of(&scene->marks, mark->index), &slot->shape, &slot->luma, out};
    ip_parallel(scene->host->threads, out->height, 8, carry_rows, &job);
    if (mark->by == IR_BY_MOTION) /* single pixels that look otherwise are no reason for a hole */
        ip_gauss_blur(out, out, tmp, 1.5 * (double)ip_relight_unit(out->width), scene->host->threads);
    return IPOS_OK;
}

static bool is_same(const ir_mark *a, const ir_mark *b) {
    return a->stroke->kind == b->stroke->kind && !strcmp(a->stroke->name, b->stroke->name);
}

/* How much the mark counts on a frame: 1, or between two keys of one name the less the further it is. */
static float share_of(const ir_marks *marks, const ir_mark *mark, size_t index) {
    double away = fabs((double)index - (double)mark->index);
    for (size_t i = 0; i < marks->count; i++) {
        const ir_mark *other = &marks->at[i];
        if (other == mark || !is_same(other, mark))
            continue;
        bool beside = (other->index > index) == (mark->index > index) || other->index == index;
        double its = fabs((double)index - (double)other->index);
        if (beside && its < away)
            return 0;
    }
    for (size_t i = 0; i < marks->count; i++) { /* the nearest on the other side */
        const ir_mark *other = &marks->at[i];
        size_t between = 0;
        if (other == mark || !is_same(other, mark) || mark->index == index || (other->index > index) == (mark->index > index))
            continue;
        for (size_t k = 0; k < marks->count; k++)
            between += is_same(&marks->at[k], mark) && marks->at[k].index > IP_MIN(other->index, mark->index) && marks->at[k].index < IP_MAX(other->index, mark->index);
        if (!between)
            return (float)(fabs((double)index - (double)other->index) / fabs((double)mark->index - (double)other->index));
    }
    return 1;
}

/* All marks of a kind: keys of one name are blended, names are joined. */
static ipos_status join(ir_scene *scene, ir_stroke_kind kind, size_t index, const ip_plane_f *out, bool *any) {
    const ir_marks *marks = &scene->marks;
    ip_plane_f part[3]; /* a mark, a name's marks, room */
    *any = false;
    IP_TRY(ip_planes_new(scene->width, scene->height, part, 3));
    ipos_status status = IPOS_OK;
    ip_plane_f whole = *out;
    ip_plane_fill(&whole, 0);
    for (size_t i = 0; i < marks->count && status == IPOS_OK; i++) {
        bool first = marks->at[i].stroke->kind == kind;
        for (size_t k = 0; k < i && first; k++)
            first = !is_same(&marks->at[k], &marks->at[i]);
        if (!first)
            continue;
        *any = true;
        ip_plane_fill(&part[1], 0);
        for (size_t k = i; k < marks->count && status == IPOS_OK; k++) {
            float share = is_same(&marks->at[k], &marks->at[i]) ? share_of(marks, &marks->at[k], index) : 0;
            if (share <= 0)
                continue;
            status = carry(scene, &marks->at[k], index, &part[0], &part[2]);
            for (int y = 0; y < out->height && status == IPOS_OK; y++)
                for (int x = 0; x < out->width; x++)
                    ip_row(&part[1], y)[x] += share * ip_row(&part[0], y)[x];
        }
        ip_plane_max(out, &part[1]);
    }
    ip_planes_free(part, 3);
    return status;
}

/* Drawn roughly, old shadows end where the picture shows that they do. */
static ipos_status to_edges(ir_scene *scene, size_t index, const ip_plane_f *mask) {
    struct ir_slot *slot;
    IP_TRY(ir_scene_frame(scene, index, &slot));
    IP_TRY(ip_guided(&slot->luma, mask, mask, ip_relight_pixels(mask->width, 5), 3e-3f, scene->host->threads));
    for (int y = 0; y < mask->height; y++)
        for (int x = 0; x < mask->width; x++)
            ip_row(mask, y)[x] = fminf(fmaxf(ip_row(mask, y)[x], 0), 1);
    return IPOS_OK;
}

ipos_status ir_marks_apply(ir_scene *scene, size_t index, const ip_surface *surface) {
    static const struct {
        ir_stroke_kind kind;
        int sun;
        bool shades;
    } steps[] = {{IR_OLD_REMOVE, IP_OLD_SUN, false}, {IR_OLD_ADD, IP_OLD_SUN, true}, {IR_REMOVE, IP_NEW_SUN, false}, {IR_GOBO, IP_NEW_SUN, true},
        {IR_ADD, IP_NEW_SUN, true}};
    ip_plane_f mask;
    ipos_status status = IPOS_OK;
    if (!scene->marks.count)
        return IPOS_OK;
    IP_TRY(ip_plane_new(scene->width, scene->height, &mask));
    for (size_t s = 0; s < IP_COUNT(steps) && status == IPOS_OK; s++) {
        const ip_plane_f *seen = &surface->seen[steps[s].sun];
        bool any;
        status = join(scene, steps[s].kind, index, &mask, &any);
        if (status == IPOS_OK && any && steps[s].sun == IP_OLD_SUN)
            status = to_edges(scene, index, &mask);
        for (int y = 0; y < mask.height && any && status == IPOS_OK; y++)
            for (int x = 0; x < mask.width; x++) {
                float *to = &ip_row(seen, y)[x];
                *to += ip_row(&mask, y)[x] * ((steps[s].shades ? 0 : 1) - *to);
            }
    }
    ip_plane_free(&mask);
    return status;
}

ipos_status ir_marks_keep(ir_scene *scene, size_t index, ip_plane_f *keep) {
    bool any = false;
    *keep = (ip_plane_f){0};
    for (size_t i = 0; i < scene->marks.count; i++)
        any = any || scene->marks.at[i].stroke->kind == IR_PROTECT;
    if (!any)
        return IPOS_OK;
    IP_TRY(ip_plane_new(scene->width, scene->height, keep));
    ipos_status status = join(scene, IR_PROTECT, index, keep, &any);
    if (status != IPOS_OK)
        ip_plane_free(keep);
    return status;
}

void ir_marks_tell(const ir_marks *marks, ip_buffer *to) {
    static const char *const by[] = {"motion", "room", "things", "sun"};
    ip_buffer_printf(to, "[");
    for (size_t i = 0; i < marks->count; i++)
        ip_buffer_printf(to, "%s{\"kind\":\"%s\",\"frame\":%lld,\"by\":\"%s\"}", i ? "," : "", ir_stroke_kind_name(marks->at[i].stroke->kind),
            (long long)marks->at[i].stroke->frame, by[marks->at[i].by]);
    ip_buffer_printf(to, "]");
}
