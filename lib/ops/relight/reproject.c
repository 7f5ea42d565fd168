/* Motion without looking for it: the set's shape seen from two places of the camera's path. */
#include "carry.h"

#include <math.h>

typedef struct reproject_job {
    const ip_set *set;
    const ip_set_frame *frame;
    const ip_pose *to;
    const ip_plane_f *flow;
} reproject_job;

static void reproject_rows(void *user, int64_t begin, int64_t end) {
    const reproject_job *job = user;
    const ip_lens *lens = &job->set->path.lens;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < job->flow[0].width; x++) {
            float kind = ip_row(&job->frame->kind, y)[x], inverse = ip_row(&job->frame->view.inverse, y)[x];
            bool room = kind == IP_IS_GROUND || kind == IP_IS_SKY; /* textureless as often as not: the plane knows better than the sweep */
            double depth = room ? (double)ip_row(&job->frame->room, y)[x] : 1 / fmax((double)inverse, 1e-4), world[3], camera[3];
            if (kind == IP_IS_SKY)
                depth = 1e4;
            ip_world_of(&job->frame->view.pose, lens, x, y, depth, world);
            ip_pose_apply(job->to, world, camera);
            bool before = camera[2] > 1e-6;
            ip_row(&job->flow[0], y)[x] = before ? (float)(lens->focal * camera[0] / camera[2] + lens->cx - x) : -1e6f;
            ip_row(&job->flow[1], y)[x] = before ? (float)(lens->focal * camera[1] / camera[2] + lens->cy - y) : -1e6f;
        }
}

ipos_status ir_reproject(ir_scene *scene, size_t from, const size_t *to, size_t count, ip_plane_f (*flow)[2], bool *known) {
    const ip_set *set = &scene->set;
    ip_set_frame frame;
    *known = scene->motion && set->path.known[from];
    for (size_t i = 0; i < count; i++)
        *known = *known && set->path.known[to[i]];
    if (!*known)
        return IPOS_OK;
    IP_TRY(ip_set_look(&scene->set, from, &frame));
    for (size_t i = 0; i < count; i++) {
        reproject_job job = {set, &frame, &set->path.pose[to[i]], flow[i]};
        ip_parallel(scene->host->threads, flow[i][0].height, 8, reproject_rows, &job);
    }
    ip_set_frame_free(&frame);
    return IPOS_OK;
}
