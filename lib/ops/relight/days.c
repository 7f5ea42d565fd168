/* Relighting from a location's own days: the same view by day and in the evening, from a camera that stands. */
#include "carry.h"
#include "days.h"

#include <math.h>
#include <stdlib.h>

enum { MOST = 48, OWN = 7, BY_DAY = 0, EVENING = 1 };
static const char *const roles[2] = {"day", "evening"};

typedef struct days {
    ir_run *run;
    ir_two two;
    ir_plate plate;
    ip_image3 *picture[2]; /* at the analysis' size */
    size_t count[2];
    ip_image3 gain;
    ip_plane_f sure;
} days;

/* A frame of another clip at the size of the analysis. */
static ipos_status add_picture(days *d, int which, ip_shot *shot, size_t index) {
    ip_image3 full, *small = &d->picture[which][d->count[which]];
    const double wide = (double)shot->window.width * (double)d->plate.footage.window.height;
    const double high = (double)shot->window.height * (double)d->plate.footage.window.width;
    if (fabs(wide - high) > .01 * wide)
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: frames of clip %s are %dx%d, the shot's %dx%d: the same view is expected, at any size but of that shape",
            roles[which], shot->clip.clip->name, shot->window.width, shot->window.height, d->plate.footage.window.width, d->plate.footage.window.height);
    ip_look_source source = ip_shot_source(shot, &d->run->teller.pulse);
    IP_TRY(ip_look_fetch(&source, index, 2 * d->plate.width - 1, &full));
    ipos_status status = ip_image3_new(d->plate.width, d->plate.height, small);
    for (int c = 0; c < 3 && status == IPOS_OK; c++)
        ip_resize(&full.c[c], &small->c[c], 1, d->run->host->threads);
    d->count[which] += status == IPOS_OK;
    ip_image3_free(&full);
    return status;
}

static ipos_status add_clip(days *d, int which, size_t clip) {
    const ip_op_clip *of = &d->run->host->clips[clip];
    ip_shot shot;
    char what[24];
    snprintf(what, sizeof what, "%s: clip", roles[which]);
    ipos_status status = ip_shot_use(d->run->host, clip, of->first, of->last, what, &shot);
    for (size_t i = 0; i < shot.count && status == IPOS_OK; i++) {
        if (d->count[which] == MOST)
            status = ip_fail(IPOS_ERR_ARGUMENT, "%s: more than %d pictures: a clip's every frame counts as one; give fewer", roles[which], MOST);
        else
            status = add_picture(d, which, &shot, i);
    }
    ip_shot_close(&shot);
    return status;
}

static void free_pictures(days *d) {
    for (int which = 0; which < 2; which++) {
        for (size_t i = 0; i < d->count[which]; i++)
            ip_image3_free(&d->picture[which][i]);
        ip_free(d->picture[which]);
        d->picture[which] = NULL;
        d->count[which] = 0;
    }
}

static ipos_status read_pictures(days *d) {
    const ip_op_host *host = d->run->host;
    for (int which = 0; which < 2; which++) {
        d->picture[which] = ip_calloc(MOST, sizeof *d->picture[which]);
        if (!d->picture[which])
            return IPOS_ERR_NO_MEMORY;
        for (size_t i = 1; i < host->clip_count; i++)
            if (!strcmp(host->clips[i].role, roles[which]))
                IP_TRY(add_clip(d, which, i));
    }
    return IPOS_OK;
}

/* What stands still in the shot: the median of a few frames, spread over it. */
static ipos_status find_own(days *d, ip_image3 *own) {
    ip_image3 frame[OWN] = {{{{0}}}};
    size_t count = IP_MIN(d->plate.footage.count, (size_t)OWN), held = 0;
    ipos_status status = ip_image3_new(d->plate.width, d->plate.height, own);
    for (; held < count && status == IPOS_OK; held += status == IPOS_OK)
        status = ir_plate_small(&d->plate, ip_look_spread_at(d->plate.footage.count, count, held), &frame[held]);
    for (int c = 0; c < 3 && status == IPOS_OK; c++)
        for (int y = 0; y < d->plate.height; y++)
            for (int x = 0; x < d->plate.width; x++) {
                float value[OWN];
                for (size_t i = 0; i < count; i++)
                    value[i] = ip_row(&frame[i].c[c], y)[x];
                qsort(value, count, sizeof *value, ip_by_float);
                ip_row(&own->c[c], y)[x] = value[count / 2];
            }
    for (size_t i = 0; i < held; i++)
        ip_image3_free(&frame[i]);
    return status;
}

static ipos_status find_gain(days *d) {
    ip_image3 own;
    IP_TRY(read_pictures(d));
    IP_TRY(find_own(d, &own));
    ip_days given = {&own, d->picture[BY_DAY], d->picture[EVENING], d->count[BY_DAY], d->count[EVENING]};
    ipos_status status = ip_image3_new(d->plate.width, d->plate.height, &d->gain);
    if (status == IPOS_OK)
        status = ip_plane_new(d->plate.width, d->plate.height, &d->sure);
    if (status == IPOS_OK)
        status = ip_days_gain(&given, d->run->host->threads, &d->gain, &d->sure);
    ip_buffer_printf(&d->run->details, "\"days\":[");
    for (size_t i = 0; i < d->count[BY_DAY] && status == IPOS_OK; i++)
        ip_buffer_printf(&d->run->details, "%s%.3f", i ? "," : "", ip_days_alike(&own, &d->picture[BY_DAY][i]));
    ip_buffer_printf(&d->run->details, "],\"evenings\":%zu", d->count[EVENING]);
    ip_image3_free(&own);
    return status;
}

static ipos_status graded(days *d, size_t index, ip_image3 *made) {
    ip_image3 small, smooth = {0};
    ip_plane_f luma = {0}, changed = {0};
    const ir_look look = {.strength = 1, .threads = d->run->host->threads};
    IP_TRY(ir_plate_small(&d->plate, index, &small));
    ipos_status status = ip_image3_new(d->plate.width, d->plate.height, &smooth);
    if (status == IPOS_OK)
        status = ip_days_smooth(&d->gain, &small, look.threads, &smooth);
    if (status == IPOS_OK)
        status = ip_plane_new(d->plate.width, d->plate.height, &luma);
    if (status == IPOS_OK) {
        ip_display_luma(&small, &luma, look.threads);
        status = ip_plane_new(made->c[0].width, made->c[0].height, &changed);
    }
    if (status == IPOS_OK)
        status = ir_picture(&smooth, &luma, &look, made, &changed);
    ip_plane_free(&changed);
    ip_plane_free(&luma);
    ip_image3_free(&smooth);
    ip_image3_free(&small);
    return status;
}

static ipos_status emit(days *d, size_t index) {
    ip_image3 light = {0}, made = {0};
    ip_plane_f keep = {0}, part[2] = {{0}};
    ip_clip *clip = &d->plate.footage.clip;
    ir_change change = {.clip = clip, .number = d->plate.footage.numbers[index], .light = &light, .made = &made, .sure = &part[0], .kind = &part[1]};
    ipos_status status = ir_plate_full(&d->plate.footage, index, &light);
    if (status == IPOS_OK)
        status = ir_plate_full(&d->plate.footage, index, &made);
    if (status == IPOS_OK)
        status = ip_planes_new(light.c[0].width, light.c[0].height, part, 2);
    if (status == IPOS_OK)
        status = graded(d, index, &made);
    if (status == IPOS_OK) {
        ip_resize(&d->sure, &part[0], 1, d->run->host->threads);
        ip_plane_fill(&part[1], IR_GRADED);
        status = ip_clip_frame(clip, change.number, &change.source);
    }
    if (status == IPOS_OK)
        status = ir_keep_read(d->run, change.source, change.number, &keep);
    change.keep = keep.data ? &keep : NULL;
    if (status == IPOS_OK)
        status = ir_two_emit(d->run, &d->two, &change);
    ip_image3_free(&light);
    ip_image3_free(&made);
    ip_plane_free(&keep);
    ip_planes_free(part, 2);
    return status;
}

static ipos_status run_frames(days *d, const ipos_rational *times, size_t count) {
    IP_TRY(ir_step(d->run, 0, "looking at the location's days"));
    IP_TRY(find_gain(d));
    for (size_t i = 0; i < count; i++) {
        const size_t index = ip_shot_index(&d->plate.footage, times[i].num);
        IP_TRY(ir_step(d->run, .1 + .9 * (double)i / (double)count, "relighting from other days"));
        if (index == d->plate.footage.count)
            return ip_fail(IPOS_ERR_NOT_FOUND, "clip %s has no frame %lld", d->run->host->clips[0].name, (long long)times[i].num);
        IP_TRY(emit(d, index));
    }
    return IPOS_OK;
}

static ipos_status run_shot(ir_run *run, void *user, int64_t first, int64_t last, const ipos_rational *times, size_t count) {
    days *d = user;
    ip_buffer_printf(&run->details, "%s{\"first\":%lld,\"last\":%lld,", run->details.data[run->details.size - 1] == '[' ? "" : ",", (long long)first,
        (long long)last);
    ipos_status status = ir_plate_open(run, first, last, &d->plate);
    if (status == IPOS_OK)
        status = run_frames(d, times, count);
    ip_buffer_printf(&run->details, "}");
    free_pictures(d);
    ip_image3_free(&d->gain);
    ip_plane_free(&d->sure);
    ir_plate_close(&d->plate);
    return status;
}

ipos_status ir_days_run(ir_run *run) {
    days d = {.run = run, .two = {.name = "days", .title = {"As this place looks in the evening", "Three fifths of the way"}}};
    for (int which = 0; which < 2; which++)
        if (!ir_has_clip(run->host, roles[which]))
            return ip_fail(IPOS_ERR_ARGUMENT, "%s: is missing: the light is learned from pictures by day and in the evening, so give both or neither",
                roles[which]);
    IP_TRY(ir_two_read(run->host, "day and evening", &d.two));
    ip_buffer_printf(&run->details, "{\"way\":\"days\",\"shots\":[");
    IP_TRY(ir_each_shot(run, run_shot, &d));
    return ir_two_offer(run, &d.two);
}
