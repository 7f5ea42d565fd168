/* Pictures, mattes and evidence on their way out, and the proposals of strokes. */
#include "evidence.h"
#include "wires_run.h"

static void set_plane(const ip_channel *channel, const uint8_t *alpha, size_t n, uint8_t *line) {
    for (size_t x = 0; x < n; x++) {
        float value = (float)alpha[x] / 255;
        ip_samples_from_float(channel->type, &value, line + (ptrdiff_t)x * channel->pixel_stride, channel->pixel_stride, 1);
    }
}

/* A matte into a channel of a frame that covers the canvas. */
static void put_matte(const iw_shot *shot, const iw_matte *matte, ipos_frame *frame, size_t channel) {
    const ip_channel *to = &frame->channels[channel];
    for (int y = 0; y < matte->box.height && matte->alpha; y++) {
        int row = shot->canvas.y + matte->box.y + y - frame->data_window.y, column = shot->canvas.x + matte->box.x - frame->data_window.x;
        int begin = IP_MAX(0, -column), end = IP_MIN(matte->box.width, to->width - column);
        if (row >= 0 && row < to->height && end > begin)
            set_plane(to, matte->alpha + (size_t)y * (size_t)matte->box.width + begin, (size_t)(end - begin),
                to->data + row * to->row_stride + (column + begin) * to->pixel_stride);
    }
}

static ipos_status evidence_frame(iw_run *run, const iw_shot *shot, size_t index, const ipos_frame *like, const ip_plane_f planes[2], ipos_frame **out) {
    static const ipos_channel channels[4] = {{"confidence", IPOS_F16, 1, 1}, {"evidence", IPOS_F16, 1, 1}, {"matte", IPOS_F16, 1, 1},
        {"matte.shadow", IPOS_F16, 1, 1}};
    bool shadow = false;
    for (size_t i = 0; i < shot->wires.count; i++)
        shadow = shadow || shot->wires.at[i].shadow;
    IP_TRY(ip_evidence_new(run->host, &shot->canvas, like, channels, shadow ? 4 : 3, out));
    for (size_t k = 0; k < 2; k++)
        for (int y = 0; y < shot->canvas.height; y++)
            ip_evidence_row(*out, k, y, ip_row(&planes[k], y));
    put_matte(shot, &shot->matte[index], *out, 2);
    if (shadow)
        put_matte(shot, &shot->shadow[index], *out, 3);
    return IPOS_OK;
}

ipos_status iw_emit_fill(iw_run *run, iw_shot *shot, iw_fill *fill, int variant, size_t index) {
    ipos_frame *source, *picture = NULL, *evidence = NULL;
    ip_plane_f planes[2];
    double confidence = 1;
    IP_TRY(ip_clip_frame(&run->clip, shot->numbers[index], &source));
    IP_TRY(run->host->frame_like(run->host, source, 0, &picture));
    ipos_status status = ip_frame_copy_pixels(picture, source);
    if (status == IPOS_OK)
        status = ip_planes_new(shot->canvas.width, shot->canvas.height, planes, 2);
    if (status == IPOS_OK) {
        ip_plane_fill(&planes[0], 1);
        status = iw_fill_picture(fill, index, picture, &planes[1], &planes[0], &confidence);
        if (status == IPOS_OK)
            status = evidence_frame(run, shot, index, picture, planes, &evidence);
        ip_planes_free(planes, 2);
    }
    if (status == IPOS_OK)
        status = run->host->emit(run->host, iw_variant_names[variant], (ipos_rational){shot->numbers[index], 1}, confidence, picture, evidence);
    ipos_frame_release(picture);
    ipos_frame_release(evidence);
    return status;
}

ipos_status iw_emit_matte(iw_run *run, iw_shot *shot, const char *variant, size_t index) {
    ipos_frame *source, *picture = NULL;
    IP_TRY(ip_clip_frame(&run->clip, shot->numbers[index], &source));
    int32_t type = source->channels[0].type == IPOS_U8 || source->channels[0].type == IPOS_U16 ? source->channels[0].type : IPOS_F16;
    const ipos_channel channel = {"Y", type, 1, 1};
    IP_TRY(run->host->frame_new(run->host, &shot->canvas, &channel, 1, &picture));
    picture->display_window = source->display_window;
    ipos_status status = ipos_frame_set_encoding(picture, "data");
    put_matte(shot, &shot->matte[index], picture, 0);
    if (status == IPOS_OK)
        status = run->host->emit(run->host, variant, (ipos_rational){shot->numbers[index], 1}, 1, picture, NULL);
    ipos_frame_release(picture);
    return status;
}

static ipos_status propose_frame(iw_run *run, iw_shot *shot, size_t index) {
    ip_wire_map map = {0};
    ip_curve *curves = NULL;
    float *sure = NULL, unit = iw_lines(shot);
    size_t count = 0;
    ip_box_i all = {0, 0, (shot->canvas.width + shot->scale - 1) / shot->scale, (shot->canvas.height + shot->scale - 1) / shot->scale};
    IP_TRY(iw_detect(shot, index, all, NULL, &map.plane));
    ipos_status status = iw_propose(&map, unit, 24, &curves, &sure, &count);
    ip_plane_f alpha = {0};
    if (status == IPOS_OK)
        status = ip_plane_new(shot->canvas.width, shot->canvas.height, &alpha);
    for (size_t i = 0; i < count; i++) {
        char name[48];
        snprintf(name, sizeof name, "proposal-%lld-%zu", (long long)shot->numbers[index], i + 1);
        if (status == IPOS_OK) {
            iw_details_stroke(run, name, false, shot->numbers[index], &curves[i], (float)shot->scale, 0, sure[i]);
            for (size_t k = 0; k < curves[i].count; k++)
                curves[i].at[k] = (ip_point){curves[i].at[k].x * (float)shot->scale, curves[i].at[k].y * (float)shot->scale};
            ip_curve_band(&curves[i], NULL, (float)shot->scale, 1, 0, 0, &alpha);
        }
        ip_curve_free(&curves[i]);
    }
    if (status == IPOS_OK)
        status = iw_matte_join(&shot->matte[index], (ip_box_i){0, 0, shot->canvas.width, shot->canvas.height}, &alpha);
    if (status == IPOS_OK)
        status = iw_emit_matte(run, shot, "proposals", index);
    ip_plane_free(&alpha);
    ip_plane_free(&map.plane);
    ip_free(curves);
    ip_free(sure);
    return status;
}

ipos_status iw_propose_all(iw_run *run, iw_shot *shot, const ipos_rational *times, size_t count) {
    shot->net = run->model.net;
    for (size_t i = 0; i < count; i++) {
        size_t index = iw_index_of(shot, times[i].num);
        IP_TRY(iw_step(run, (double)i / (double)count, "looking for wires"));
        if (index == shot->count)
            return ip_fail(IPOS_ERR_NOT_FOUND, "clip %s has no frame %lld", run->clip.clip->name, (long long)times[i].num);
        IP_TRY(propose_frame(run, shot, index));
    }
    return IPOS_OK;
}
