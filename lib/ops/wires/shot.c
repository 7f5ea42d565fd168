/* The work on one shot: what is known of it, where its wires run, its pictures. */
#include "wires_run.h"

#include <math.h>

/* The frames between the first and the last that matter: those asked for with reach around them, and those with strokes. */
static ipos_status list_frames(iw_run *run, iw_shot *shot, int64_t first, int64_t last, const ipos_rational *times, size_t count) {
    int64_t reach = run->propose ? 3 : ip_options_int(run->host->options, "reach");
    int64_t low = times[0].num - reach, high = times[count - 1].num + reach;
    for (size_t i = 0; i < run->wires.count && !run->propose; i++)
        for (size_t k = 0; k < run->wires.at[i].count; k++) {
            int64_t frame = run->wires.at[i].strokes[k].frame;
            if (frame >= first && frame <= last) {
                low = IP_MIN(low, frame);
                high = IP_MAX(high, frame);
            }
        }
    IP_TRY(ip_clip_numbers(run->clip.clip, IP_MAX(low, first), IP_MIN(high, last), &shot->numbers, &shot->count));
    if (!shot->count)
        return ip_fail(IPOS_ERR_NOT_FOUND, "clip %s: no frames between %lld and %lld", run->clip.clip->name, (long long)low, (long long)high);
    shot->matte = ip_calloc(shot->count, sizeof *shot->matte);
    shot->shadow = ip_calloc(shot->count, sizeof *shot->shadow);
    shot->painted = ip_calloc(shot->count, sizeof *shot->painted);
    return shot->matte && shot->shadow && shot->painted ? IPOS_OK : IPOS_ERR_NO_MEMORY;
}

static ipos_status copy_wires(const iw_wires *from, int64_t first, int64_t last, iw_shot *shot) {
    for (size_t i = 0; i < from->count; i++)
        for (size_t k = 0; k < from->at[i].count; k++) {
            const iw_stroke *stroke = &from->at[i].strokes[k];
            if (stroke->frame < first || stroke->frame > last)
                continue;
            const ip_curve curve = {stroke->points, stroke->count};
            IP_TRY(iw_wires_add(&shot->wires, from->at[i].name, stroke->frame, &curve));
            iw_wire *wire = &shot->wires.at[shot->wires.count - 1];
            wire->shadow = from->at[i].shadow;
            for (size_t s = 0; s < wire->count; s++)
                if (wire->strokes[s].frame == stroke->frame)
                    wire->strokes[s].width = stroke->width;
        }
    return IPOS_OK;
}

static ipos_status open_shot(iw_run *run, iw_shot *shot, int64_t first, int64_t last, const ipos_rational *times, size_t count) {
    ipos_frame *frame;
    *shot = (iw_shot){.host = run->host, .clip = &run->clip, .threshold = (float)ip_options_real(run->host->options, "threshold")};
    IP_TRY(list_frames(run, shot, first, last, times, count));
    IP_TRY(ip_clip_frame(&run->clip, times[0].num, &frame));
    shot->canvas = frame->data_window;
    ip_clip_limit(&run->clip, frame, run->host->memory_limit ? run->host->memory_limit / 3 : UINT64_MAX, 4);
    if (shot->canvas.width < 8 || shot->canvas.height < 8)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "clip %s: frames of %dx%d, expected at least 8x8", run->clip.clip->name, shot->canvas.width,
            shot->canvas.height);
    shot->scale = iw_plate_scale(shot->canvas.height);
    IP_TRY(iw_stretch_find(&run->clip, shot->canvas, shot->numbers, shot->count, &shot->stretch));
    if (!run->propose)
        IP_TRY(copy_wires(&run->wires, shot->numbers[0], shot->numbers[shot->count - 1], shot));
    return IPOS_OK;
}

static void close_shot(iw_shot *shot) {
    iw_shot_forget(shot);
    for (size_t i = 0; shot->matte && i < shot->count; i++)
        iw_matte_free(&shot->matte[i]);
    for (size_t i = 0; i < IP_COUNT(shot->plates); i++)
        ip_image3_free(&shot->plates[i].image);
    iw_shot_passing_free(shot);
    iw_wires_free(&shot->wires);
    ip_free(shot->seen);
    ip_free(shot->matte);
    ip_free(shot->shadow);
    ip_free(shot->painted);
    ip_free(shot->doubted);
    ip_free(shot->numbers);
}

/* Painted mattes of the frames that have one. */
static ipos_status load_painted(iw_run *run, iw_shot *shot) {
    ip_box_i all = {0, 0, shot->canvas.width, shot->canvas.height};
    ip_plane_f plane;
    if (!run->matte.host)
        return IPOS_OK;
    IP_TRY(ip_plane_new(all.width, all.height, &plane));
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < shot->count && status == IPOS_OK; i++) {
        ipos_frame *frame;
        const ip_op_clip *clip = run->matte.clip;
        if (shot->numbers[i] < clip->first || shot->numbers[i] > clip->last)
            continue;
        status = ip_clip_frame(&run->matte, shot->numbers[i], &frame);
        if (status == IPOS_ERR_NOT_FOUND) {
            status = IPOS_OK;
            continue;
        }
        if (status == IPOS_OK)
            status = ip_clip_grey(frame, shot->canvas, all, &plane);
        if (status == IPOS_OK)
            status = iw_matte_join(&shot->matte[i], all, &plane);
        shot->painted[i] = status == IPOS_OK;
    }
    ip_plane_free(&plane);
    return status;
}

/* Without strokes, the painted frame nearest to those that have none says where the wires run. */
static ipos_status strokes_from_paint(iw_shot *shot) {
    size_t from = SIZE_MAX, open = 0;
    for (size_t i = 0; i < shot->count; i++) {
        if (!shot->painted[i])
            open++;
        else if (shot->matte[i].alpha && (from == SIZE_MAX || open))
            from = i;
    }
    if (shot->wires.count || !open || from == SIZE_MAX)
        return IPOS_OK;
    const iw_matte *matte = &shot->matte[from];
    ip_wire_map map = {.x = matte->box.x, .y = matte->box.y};
    IP_TRY(ip_plane_new(matte->box.width, matte->box.height, &map.plane));
    for (int y = 0; y < matte->box.height; y++)
        for (int x = 0; x < matte->box.width; x++)
            ip_row(&map.plane, y)[x] = (float)matte->alpha[(size_t)y * (size_t)matte->box.width + (size_t)x] / 255;
    ip_curve *curves = NULL;
    float *sure = NULL;
    size_t count = 0;
    ipos_status status = iw_propose(&map, iw_lines(shot) * (float)shot->scale, 16, &curves, &sure, &count);
    for (size_t i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "painted-%zu", i + 1);
        if (status == IPOS_OK)
            status = iw_wires_add(&shot->wires, name, shot->numbers[from], &curves[i]);
        ip_curve_free(&curves[i]);
    }
    ip_free(curves);
    ip_free(sure);
    ip_plane_free(&map.plane);
    return status;
}

static int64_t tune_steps(const iw_run *run) {
    int64_t asked = ip_options_int(run->host->options, "tune");
    if (!run->clip.clip->may_train || asked == 0)
        return 0;
    return asked > 0 ? asked : run->model.net ? 800 : 0;
}

static ipos_status find_wires(iw_run *run, iw_shot *shot) {
    bool open = false;
    ip_wire_net *tuned = NULL;
    for (size_t i = 0; i < shot->count; i++)
        open = open || !shot->painted[i];
    shot->seen = ip_calloc(IP_MAX(shot->wires.count, 1) * shot->count, sizeof *shot->seen);
    if (!shot->seen)
        return IPOS_ERR_NO_MEMORY;
    shot->net = run->model.net;
    int64_t steps = open && shot->wires.count ? tune_steps(run) : 0;
    ipos_status status = IPOS_OK;
    if (steps) {
        status = iw_step(run, 0, "learning the strokes");
        if (status == IPOS_OK && shot->net)
            status = iw_track_strokes(shot);
        if (status == IPOS_OK && shot->net)
            status = iw_doubt(shot);
        if (status == IPOS_OK)
            status = iw_tune(shot, run->model.net, run->backend, run->device, steps, (uint64_t)ip_options_int(run->host->options, "seed"), &tuned);
        iw_shot_forget(shot);
        shot->net = tuned ? tuned : shot->net;
    }
    if (status == IPOS_OK && open && shot->wires.count)
        status = iw_step(run, .35, "following the wires");
    if (status == IPOS_OK && open)
        status = iw_track(shot);
    if (status == IPOS_OK)
        status = iw_details_shot(run, shot, tuned ? "tuned" : shot->net ? "model" : "ridges", tuned ? steps : 0);
    shot->net = NULL;
    ip_wire_net_free(tuned);
    return status;
}

size_t iw_index_of(const iw_shot *shot, int64_t number) {
    size_t i = 0;
    while (i < shot->count && shot->numbers[i] != number)
        i++;
    return i;
}

/* The shift that puts the mattes of all frames on the fewest pixels of mattes, of a ring of candidates. */
static void choose_shift(const iw_shot *shot, const size_t *frames, size_t count, iw_holes *holes) {
    static const int ways[8][2] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}, {1, 1}, {-1, 1}, {1, -1}, {-1, -1}};
    int unit = IP_MAX(12, shot->canvas.height / 12), least = INT32_MAX;
    for (int ring = 1; ring <= 2; ring++)
        for (int w = 0; w < 8; w++) {
            int hit = 0, dx = ways[w][0] * unit * ring, dy = ways[w][1] * unit * ring;
            for (size_t i = 0; i < count; i++) {
                const iw_matte *m = &shot->matte[frames[i]];
                for (int y = 0; y < m->box.height; y += 2)
                    for (int x = 0; x < m->box.width; x += 2) {
                        int tx = x + dx, ty = y + dy, px = m->box.x + tx, py = m->box.y + ty;
                        if (m->alpha[(size_t)y * (size_t)m->box.width + (size_t)x] < 77)
                            continue;
                        hit += px < 0 || py < 0 || px >= shot->canvas.width || py >= shot->canvas.height ||
                            (tx >= 0 && ty >= 0 && tx < m->box.width && ty < m->box.height &&
                                m->alpha[(size_t)ty * (size_t)m->box.width + (size_t)tx] >= 77);
                    }
            }
            if (hit < least) {
                least = hit;
                holes->shift_x = dx;
                holes->shift_y = dy;
            }
        }
}

/* Fills holes beside the wires on a few frames, where what belongs there is known. */
static ipos_status measure(iw_run *run, iw_shot *shot, const ipos_rational *times, size_t count) {
    size_t frames[3], taken = 0;
    for (size_t i = 0; i < 3; i++) {
        size_t index = iw_index_of(shot, times[(2 * i + 1) * count / 6].num);
        if (index < shot->count && shot->matte[index].alpha && (!taken || frames[taken - 1] != index))
            frames[taken++] = index;
    }
    int reach = (int)ip_options_int(run->host->options, "reach");
    iw_holes holes = {.dilate = (int)ip_options_int(run->host->options, "dilate")};
    choose_shift(shot, frames, taken, &holes);
    for (int method = 0; method < (run->model.fuse ? 2 : 1); method++) {
        iw_fill *fill;
        IP_TRY(iw_fill_open(shot, &run->beside, &holes, reach, NULL, method ? run->model.fuse : NULL, &fill));
        ipos_status status = IPOS_OK;
        for (size_t i = 0; i < taken && status == IPOS_OK; i++)
            status = iw_fill_error(fill, frames[i], &run->error[method], &run->count[method]);
        iw_fill_close(fill);
        IP_TRY(status);
    }
    run->use_learned = run->count[1] > 0 && run->error[1] / run->count[1] < .995 * run->error[0] / run->count[0];
    return IPOS_OK;
}

static ipos_status make_variant(iw_run *run, iw_shot *shot, int variant, const ip_shot_grain *grain, const ipos_rational *times, size_t count, double begin,
    double part) {
    const ip_option_values *options = run->host->options;
    int reach = variant == IW_NEAR ? 3 : (int)ip_options_int(options, "reach");
    const iw_holes holes = {.dilate = (int)ip_options_int(options, "dilate") + (variant == IW_WIDE ? 2 : 0)};
    bool learned = variant == IW_LEARNED || (variant != IW_STANDARD && run->use_learned);
    iw_fill *fill = NULL;
    if (variant != IW_MATTE)
        IP_TRY(iw_fill_open(shot, &run->beside, &holes, reach, variant == IW_GRAIN ? grain : NULL, learned ? run->model.fuse : NULL, &fill));
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < count && status == IPOS_OK; i++) {
        char stage[96];
        snprintf(stage, sizeof stage, "%s, frame %lld", iw_variant_names[variant], (long long)times[i].num);
        status = iw_step(run, begin + part * (double)i / (double)count, stage);
        size_t index = iw_index_of(shot, times[i].num);
        if (status == IPOS_OK && index == shot->count)
            status = ip_fail(IPOS_ERR_NOT_FOUND, "clip %s has no frame %lld", run->clip.clip->name, (long long)times[i].num);
        if (status == IPOS_OK)
            status = variant == IW_MATTE ? iw_emit_matte(run, shot, "matte", index) : iw_emit_fill(run, shot, fill, variant, index);
    }
    iw_fill_close(fill);
    return status;
}

static ipos_status make_pictures(iw_run *run, iw_shot *shot, const ipos_rational *times, size_t count) {
    int offered = 0, made = 0;
    ip_shot_grain *grain = ip_calloc(1, sizeof *grain);
    if (!grain)
        return IPOS_ERR_NO_MEMORY;
    ipos_status status = run->offered[IW_GRAIN] ? ip_shot_grain_measure(run->host, shot->clip->index, shot->numbers, shot->count, run->done,
        (uint64_t)ip_options_int(run->host->options, "seed"), grain) : IPOS_OK;
    for (int v = 0; v < IW_VARIANTS; v++)
        offered += run->offered[v];
    for (int v = 0; v < IW_VARIANTS && status == IPOS_OK; v++)
        if (run->offered[v])
            status = make_variant(run, shot, v, grain, times, count, .6 + .4 * made++ / offered, .4 / offered);
    ip_free(grain);
    return status;
}

static ipos_status work_on(iw_run *run, iw_shot *shot, const ipos_rational *times, size_t count) {
    shot->tick = iw_tick;
    shot->user = run;
    if (run->propose)
        return iw_propose_all(run, shot, times, count);
    IP_TRY(load_painted(run, shot));
    IP_TRY(strokes_from_paint(shot));
    bool any = shot->wires.count > 0;
    for (size_t i = 0; i < shot->count; i++)
        any = any || shot->painted[i];
    if (!any)
        return ip_fail(IPOS_ERR_ARGUMENT, "wires: the shot of frames %lld-%lld has no stroke and no painted matte: draw one on any of its frames, or "
            "leave these frames out", (long long)shot->numbers[0], (long long)shot->numbers[shot->count - 1]);
    IP_TRY(find_wires(run, shot));
    if (ip_options_bool(run->host->options, "gate")) {
        IP_TRY(iw_step(run, .5, "measuring beside the wires"));
        IP_TRY(measure(run, shot, times, count));
    } else
        run->use_learned = run->model.fuse != NULL;
    return make_pictures(run, shot, times, count);
}

ipos_status iw_run_shot(iw_run *run, int64_t first, int64_t last, const ipos_rational *times, size_t count) {
    iw_shot shot;
    ipos_status status = open_shot(run, &shot, first, last, times, count);
    if (status == IPOS_OK)
        status = work_on(run, &shot, times, count);
    close_shot(&shot);
    return status;
}
