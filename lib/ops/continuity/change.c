/* Frames with their colour changed, on their way out. */
#include "continuity_op.h"
#include "evidence.h"

static ipos_status make_room(ic_run *run, const ip_shot *shot) {
    if (run->keep.width == shot->window.width && run->keep.height == shot->window.height)
        return IPOS_OK;
    ip_image3_free(&run->before);
    ip_image3_free(&run->after);
    ip_plane_free(&run->keep);
    IP_TRY(ip_image3_new(shot->window.width, shot->window.height, &run->before));
    IP_TRY(ip_image3_new(shot->window.width, shot->window.height, &run->after));
    return ip_plane_new(shot->window.width, shot->window.height, &run->keep);
}

ipos_status ic_mask(ip_clip *mask, int64_t number, ipos_box window, const ip_plane_f *to) {
    const ip_op_clip *clip = mask->clip;
    ipos_frame *frame;
    ipos_status status = ip_clip_frame_or_only(mask, number, &frame);
    if (status == IPOS_ERR_NOT_FOUND)
        return ip_fail(status, "%s: clip %s has no frame %lld: give one for every frame that is changed, or a single one for all", clip->role, clip->name,
            (long long)number);
    IP_TRY(status);
    return ip_clip_grey(frame, window, (ip_box_i){0, 0, window.width, window.height}, to);
}

/* keep: what share of the change stays, by place. */
static ipos_status read_keep(ic_run *run, const ip_shot *shot, int64_t number) {
    ip_plane_fill(&run->keep, 1);
    if (run->matte.host && !run->mode->owns_matte)
        IP_TRY(ic_mask(&run->matte, number, shot->window, &run->keep));
    if (!run->holdout.host)
        return IPOS_OK;
    ip_plane_f held;
    IP_TRY(ip_plane_new(shot->window.width, shot->window.height, &held));
    ipos_status status = ic_mask(&run->holdout, number, shot->window, &held);
    for (int y = 0; status == IPOS_OK && y < held.height; y++)
        for (int x = 0; x < held.width; x++)
            ip_row(&run->keep, y)[x] *= 1 - ip_row(&held, y)[x];
    ip_plane_free(&held);
    return status;
}

/* The kept share of the change into `after`; keep becomes 1 where a sample differs. */
static void keep_rows(void *user, int64_t begin, int64_t end) {
    ic_run *run = user;
    for (int y = (int)begin; y < (int)end; y++) {
        float *keep = ip_row(&run->keep, y);
        for (int x = 0; x < run->keep.width; x++) {
            bool differs = false;
            for (int c = 0; c < 3; c++) {
                float was = ip_row(&run->before.c[c], y)[x], *is = &ip_row(&run->after.c[c], y)[x];
                *is = keep[x] < 1 ? was + keep[x] * (*is - was) : *is;
                differs = differs || (*is != was && *is == *is);
            }
            keep[x] = differs && keep[x] > 0;
        }
    }
}

static ipos_status evidence_frame(ic_run *run, const ip_shot *shot, const ipos_frame *like, const ic_marks *marks, ipos_frame **out) {
    static const ipos_channel channels[2] = {{"confidence", IPOS_F16, 1, 1}, {"evidence", IPOS_F16, 1, 1}};
    float *line = ip_alloc((size_t)shot->window.width * sizeof *line);
    if (!line)
        return IPOS_ERR_NO_MEMORY;
    ipos_status status = ip_evidence_new(run->host, &shot->window, like, channels, 2, out);
    for (size_t k = 0; k < 2 && status == IPOS_OK; k++)
        for (int y = 0; y < shot->window.height; y++) {
            for (int x = 0; x < shot->window.width; x++) {
                float sure = marks->by_place ? ip_row(marks->by_place, y)[x] : (float)marks->confidence;
                line[x] = ip_row(&run->keep, y)[x] > 0 ? (k ? marks->kind : sure) : (k ? 0.f : 1.f);
            }
            ip_evidence_row(*out, k, y, line);
        }
    ip_free(line);
    return status;
}

typedef struct emission {
    ic_run *run;
    ic_part *part;
    int variant;
    double confidence;
    ic_change change;
    void *user;
} emission;

static ipos_status emit_frame(void *user, size_t index, size_t asked) {
    const emission *e = user;
    ic_run *run = e->run;
    ip_shot *shot = &e->part->shot;
    const int64_t number = shot->numbers[index];
    ic_marks marks = {.kind = IC_REGRADED, .confidence = e->confidence};
    ipos_frame *source, *picture = NULL, *evidence = NULL;
    (void)asked;
    IP_TRY(ip_shot_frame(shot, index, true, &run->before));
    for (int c = 0; c < 3; c++)
        ip_plane_copy(&run->after.c[c], &run->before.c[c]);
    IP_TRY(e->change(e->user, index, &run->after, &marks));
    IP_TRY(read_keep(run, shot, number));
    ip_parallel(run->host->threads, run->keep.height, 32, keep_rows, run);
    IP_TRY(ip_clip_frame(&shot->clip, number, &source));
    IP_TRY(run->host->frame_like(run->host, source, 0, &picture));
    ipos_status status = ip_frame_copy_pixels(picture, source);
    if (status == IPOS_OK)
        status = ip_clip_put_colour(&shot->clip, picture, shot->window, (ip_box_i){0, 0, shot->window.width, shot->window.height}, &run->after, &run->keep);
    if (status == IPOS_OK)
        status = evidence_frame(run, shot, picture, &marks, &evidence);
    if (status == IPOS_OK)
        status = run->host->emit(run->host, run->mode->variants[e->variant].name, (ipos_rational){number, 1}, marks.confidence, picture, evidence);
    ipos_frame_release(picture);
    ipos_frame_release(evidence);
    return status;
}

ipos_status ic_each(ic_run *run, ic_part *part, int variant, ipos_status (*each)(void *user, size_t index, size_t asked), void *user) {
    for (size_t i = 0; i < part->count; i++) {
        const size_t index = ip_shot_index(&part->shot, part->times[i].num);
        if (index == part->shot.count)
            return ip_fail(IPOS_ERR_NOT_FOUND, "clip %s has no frame %lld", part->shot.clip.clip->name, (long long)part->times[i].num);
        char stage[64];
        snprintf(stage, sizeof stage, "%s: frame %lld", run->mode->variants[variant].name, (long long)part->times[i].num);
        IP_TRY(ic_step(run, (double)i / (double)part->count, stage));
        IP_TRY(each(user, index, i));
    }
    return IPOS_OK;
}

ipos_status ic_emit(ic_run *run, ic_part *part, int variant, double confidence, ic_change change, void *user) {
    emission e = {run, part, variant, confidence, change, user};
    IP_TRY(make_room(run, &part->shot));
    return ic_each(run, part, variant, emit_frame, &e);
}
