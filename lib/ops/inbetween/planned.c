/* A frame that exists, planned from its neighbours as if it were missing: what training and the gate learn from. */
#include "inbetween_op.h"

static ipos_status whole_colour(const ib_clip *clip, const ipos_frame *frame, ip_image3 *out) {
    IP_TRY(ip_image3_new(clip->canvas.width, clip->canvas.height, out));
    return ib_colour(clip, frame, (float *const[3]){out->c[0].data, out->c[1].data, out->c[2].data}, out->c[0].stride);
}

/* The parts of three planes under box, copied. */
static ipos_status crop(const ip_image3 *from, ip_box_i box, ip_image3 *out) {
    IP_TRY(ip_image3_new(box.width, box.height, out));
    for (int c = 0; c < 3; c++) {
        ip_plane_f part = ip_plane_part(&from->c[c], box);
        ip_plane_copy(&out->c[c], &part);
    }
    return IPOS_OK;
}

static ipos_status frame_colour(ib_clip *clip, int64_t number, ip_image3 *out) {
    ipos_frame *frame;
    IP_TRY(ip_clip_frame(&clip->frames, number, &frame));
    return whole_colour(clip, frame, out);
}

static ipos_status fill(ib_clip *clip, const int64_t numbers[3], ib_planned *planned) {
    IP_TRY(frame_colour(clip, numbers[0], &planned->left));
    IP_TRY(frame_colour(clip, numbers[2], &planned->right));
    ip_inbetween_info info;
    ip_inbetween_plan_info(planned->plan, &info);
    planned->active = info.active;
    ip_image3 whole = {0};
    ipos_status status = frame_colour(clip, numbers[1], &whole);
    if (status == IPOS_OK)
        status = crop(&whole, info.active, &planned->truth);
    ip_image3_free(&whole);
    return status;
}

ipos_status ib_plan_known(ib_shot *shot, int64_t number, ip_inbetween_variant variant, double trajectory,
    ipos_status (*use)(void *user, const ib_planned *planned), void *user) {
    ib_clip *clip = shot->clip;
    size_t left;
    if (!ib_shot_gap(shot, (double)number, &left))
        return ip_fail(IPOS_ERR_NOT_FOUND, "clip %s: frame %lld has no known frame on both sides", clip->frames.clip->name, (long long)number);
    const int64_t numbers[3] = {shot->numbers[left], number, shot->numbers[left + 1]};
    for (int i = 0; i < 3; i++) {
        ipos_frame *frame;
        IP_TRY(ip_clip_frame(&clip->frames, numbers[i], &frame));
        ib_canvas_include(clip, frame);
    }
    IP_TRY(ib_shot_open(shot));
    ib_planned planned = {0};
    if (shot->lean && variant == IP_INBETWEEN_FULL)
        variant = IP_INBETWEEN_PLAIN;
    ipos_status status = ip_inbetween_plan_make(shot->session, (double)number, variant, trajectory, &planned.plan);
    if (status == IPOS_OK)
        status = fill(clip, numbers, &planned);
    if (status == IPOS_OK)
        status = use(user, &planned);
    ip_image3_free(&planned.left);
    ip_image3_free(&planned.right);
    ip_image3_free(&planned.truth);
    ip_inbetween_plan_free(planned.plan);
    return status;
}

ipos_status ib_plan_colour(const ib_planned *planned, const ib_residual *residual, int threads, ip_image3 *out) {
    ip_plane_f made;
    *out = (ip_image3){0};
    IP_TRY(ip_plane_new(planned->left.c[0].width, planned->left.c[0].height, &made));
    ipos_status status = ip_image3_new(planned->active.width, planned->active.height, out);
    for (int c = 0; c < 3 && status == IPOS_OK; c++) {
        ip_inbetween_apply(planned->plan, &planned->left.c[c], &planned->right.c[c], &made, threads);
        ip_plane_f part = ip_plane_part(&made, planned->active);
        ip_plane_copy(&out->c[c], &part);
        for (int y = 0; residual && y < out->c[c].height; y++) {
            float *line = ip_row(&out->c[c], y);
            const float *add = ip_row(&residual->rgb[c], y);
            for (int x = 0; x < out->c[c].width; x++)
                line[x] += add[x];
        }
    }
    ip_plane_free(&made);
    return status;
}
