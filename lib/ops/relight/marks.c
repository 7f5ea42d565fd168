/* Painted strokes: what they lie on, and all of them together on a frame. */
#include "guided.h"
#include "relight_op.h"

#include <math.h>
#include <stdlib.h>

static const float WIDTH = 24, SOFT = 4; /* pixels at 640: a band whose width is not said; edges */

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

const struct ir_key *ir_marks_key(const ir_marks *marks, size_t index) {
    for (size_t k = 0; k < marks->keys; k++)
        if (marks->key[k].index == index)
            return &marks->key[k];
    return NULL;
}

static ipos_status add_key(ir_scene *scene, size_t index) {
    ir_marks *marks = &scene->marks;
    struct ir_slot *slot;
    if (ir_marks_key(marks, index))
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
    const ipos_box *window = &scene->footage->window;
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
    const struct ir_key *key = ir_marks_key(&scene->marks, index);
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
    for (size_t i = 0; i < scene->footage->count; i++)
        for (size_t s = 0; s < strokes->count; s++)
            if (strokes->at[s].frame == scene->footage->numbers[i])
                IP_TRY(make_mark(scene, &strokes->at[s], s + 1, i, &marks->at[marks->count++]));
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
            status = ir_mark_carry(scene, &marks->at[k], index, &part[0], &part[2]);
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
