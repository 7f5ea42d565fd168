/* One painted stroke carried to another frame: by the set where it lies on that, else along the motion. */
#include "flow.h"
#include "gauss.h"
#include "relight_op.h"

#include <math.h>

static const float ALIKE = .1f;  /* display luma that what is followed may change by */
static const float THERE = .08f; /* relative depth within which a place is the one that was painted */

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
        ip_flow_follow(flow, marks->path);
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

ipos_status ir_mark_carry(ir_scene *scene, const ir_mark *mark, size_t index, const ip_plane_f *out, ip_plane_f *tmp) {
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
    carry_job job = {scene, mark, ir_marks_key(&scene->marks, mark->index), &slot->shape, &slot->luma, out};
    ip_parallel(scene->host->threads, out->height, 8, carry_rows, &job);
    if (mark->by == IR_BY_MOTION) /* single pixels that look otherwise are no reason for a hole */
        ip_gauss_blur(out, out, tmp, 1.5 * (double)ip_relight_unit(out->width), scene->host->threads);
    return IPOS_OK;
}
