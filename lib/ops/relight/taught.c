/* Relighting by example: frames of the shot that somebody relit are carried through it. */
#include "carry.h"

#include <math.h>
#include <stdlib.h>

/* A frame of an example's clip. */
typedef struct given {
    int64_t number;
    ip_shot *clip;
    size_t at;
} given;

typedef struct taught {
    ir_run *run;
    ir_two two;
    ip_shot *clips;     /* of the role example */
    size_t clip_count;
    given *given;       /* ascending */
    size_t count;
    ir_plate plate;     /* of the shot at work */
    ir_settings settings; /* what the set needs of them */
    ir_scene scene;     /* the same shot, for the set; motion false: none is known */
    ir_known known[2];  /* the example before the frames at work, and the one after */
} taught;

static int by_number(const void *a, const void *b) {
    const given *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static ipos_status add_clip(taught *t, size_t index) {
    const ip_op_clip *clip = &t->run->host->clips[index];
    ip_shot *shot = &t->clips[t->clip_count];
    t->clip_count++;
    IP_TRY(ip_shot_use(t->run->host, index, clip->first, clip->last, "example: clip", shot));
    given *grown = ip_realloc(t->given, (t->count + shot->count) * sizeof *grown);
    if (!grown)
        return IPOS_ERR_NO_MEMORY;
    t->given = grown;
    for (size_t i = 0; i < shot->count; i++)
        grown[t->count++] = (given){shot->numbers[i], shot, i};
    return IPOS_OK;
}

static ipos_status read_examples(taught *t) {
    const ip_op_host *host = t->run->host;
    t->clips = ip_calloc(host->clip_count, sizeof *t->clips);
    if (!t->clips)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 1; i < host->clip_count; i++)
        if (!strcmp(host->clips[i].role, "example"))
            IP_TRY(add_clip(t, i));
        else if (!strcmp(host->clips[i].role, "day") || !strcmp(host->clips[i].role, "evening"))
            return ip_fail(IPOS_ERR_ARGUMENT, "example: clip %s is given as %s too: relight by example or by the location's days, not by both",
                host->clips[i].name, host->clips[i].role);
    qsort(t->given, t->count, sizeof *t->given, by_number);
    for (size_t i = 1; i < t->count; i++)
        if (t->given[i].number == t->given[i - 1].number)
            return ip_fail(IPOS_ERR_ARGUMENT, "example: frame %lld is given twice, by clip %s and by clip %s: leave one of them out",
                (long long)t->given[i].number, t->given[i - 1].clip->clip.clip->name, t->given[i].clip->clip.clip->name);
    return IPOS_OK;
}

static size_t index_of(const taught *t, int64_t number) { return ip_shot_index(&t->plate.footage, number); }

static void copy3(const ip_image3 *from, ip_image3 *to) {
    for (int c = 0; c < 3; c++)
        ip_plane_copy(&to->c[c], &from->c[c]);
}

/* A frame's light with those beside it, and what it rests on. */
static ipos_status finish(taught *t, const ir_carried *at, const ir_carried *const beside[2], ip_image3 *made, ip_plane_f part[2]) {
    if (at->known) {
        copy3(&at->known->light, made);
        ip_plane_fill(&part[0], 1);
        ip_plane_fill(&part[1], IR_OTHER_TAKE);
        return IPOS_OK;
    }
    for (int k = 0; k < 2; k++)
        ip_plane_copy(&part[k], &at->part[k]);
    return ir_carried_steady(&t->plate, at, beside, made);
}

/* A frame in its variants. */
static ipos_status emit(taught *t, const ir_carried *at, const ir_carried *const beside[2]) {
    ip_image3 light = {0}, made = {0};
    ip_plane_f keep = {0}, part[2] = {{0}};
    ir_change change = {.clip = &t->plate.footage.clip, .number = t->plate.footage.numbers[at->index], .light = &light, .made = &made, .sure = &part[0],
        .kind = &part[1]};
    ipos_status status = ir_plate_full(&t->plate.footage, at->index, &light);
    if (status == IPOS_OK)
        status = ip_image3_new(light.c[0].width, light.c[0].height, &made);
    if (status == IPOS_OK)
        status = ip_planes_new(light.c[0].width, light.c[0].height, part, 2);
    if (status == IPOS_OK)
        status = finish(t, at, beside, &made, part);
    if (status == IPOS_OK)
        status = ip_clip_frame(&t->plate.footage.clip, change.number, &change.source);
    if (status == IPOS_OK)
        status = ir_keep_read(t->run, change.source, change.number, &keep);
    change.keep = keep.data ? &keep : NULL;
    if (status == IPOS_OK)
        status = ip_clip_frame(&t->plate.footage.clip, change.number, &change.source);
    if (status == IPOS_OK)
        status = ir_two_emit(t->run, &t->two, &change);
    ip_image3_free(&light);
    ip_image3_free(&made);
    ip_plane_free(&keep);
    ip_planes_free(part, 2);
    return status;
}

/* Frames between two examples, or beyond the last: those asked for and the ones beside them, ascending. Of each its index in the shot, and the flow to the
 * example after them. */
typedef struct stretch {
    size_t count, *index;
    bool *asked;
    ip_plane_f (*later)[2];
} stretch;

/* Flows to the later example, held until the frames' turn: smaller where memory is short. */
static ipos_status look_back(taught *t, const stretch *s) {
    const ir_known *known = &t->known[1];
    uint64_t limit = t->run->host->memory_limit ? t->run->host->memory_limit : (uint64_t)3 << 30;
    int shrink = 1;
    ir_way way = {0};
    while (shrink < 8 && (uint64_t)t->plate.width * (uint64_t)t->plate.height * 8 / (uint64_t)(shrink * shrink) * s->count > limit / 3)
        shrink *= 2;
    ipos_status status = known->is ? ir_way_start(known, &way) : IPOS_OK;
    for (size_t i = s->count; known->is && i-- > 0 && status == IPOS_OK;) {
        ip_plane_f flow[2] = {{0}};
        while (way.index > s->index[i] && status == IPOS_OK)
            status = ir_way_step(&t->plate, false, &way);
        if (status == IPOS_OK && way.index != known->index && !(t->known[0].is && way.index == t->known[0].index))
            status = ir_way_direct(&t->plate, known, &way, flow);
        if (status == IPOS_OK && flow[0].data)
            status = ip_planes_new(IP_MAX(1, t->plate.width / shrink), IP_MAX(1, t->plate.height / shrink), s->later[i], 2);
        for (int k = 0; k < 2 && status == IPOS_OK && flow[0].data; k++)
            ip_resize(&flow[k], &s->later[i][k], (float)s->later[i][k].width / (float)t->plate.width, t->run->host->threads);
        ip_planes_free(flow, 2);
        if (status == IPOS_OK)
            status = ir_step(t->run, .5 * (double)(s->count - i) / (double)s->count, "following the motion to the example");
    }
    ir_way_free(&way);
    return status;
}

static ipos_status carry_between(taught *t, const stretch *s, size_t i, ir_way *way, ir_carried *c) {
    ip_plane_f earlier[2] = {{0}}, later[2] = {{0}};
    ip_plane_f *flow[2] = {NULL, NULL};
    ipos_status status = IPOS_OK;
    *c = (ir_carried){.index = s->index[i]};
    for (int k = 0; k < 2; k++)
        if (t->known[k].is && t->known[k].index == c->index)
            return ir_carry_known(&t->known[k], c);
    while (t->known[0].is && way->index < c->index && status == IPOS_OK)
        status = ir_way_step(&t->plate, true, way);
    if (status == IPOS_OK && t->known[0].is) {
        status = ir_way_direct(&t->plate, &t->known[0], way, earlier);
        flow[0] = earlier;
    }
    if (status == IPOS_OK && s->later[i][0].data) {
        status = ip_planes_new(t->plate.width, t->plate.height, later, 2);
        for (int k = 0; k < 2 && status == IPOS_OK; k++)
            ip_resize(&s->later[i][k], &later[k], (float)t->plate.width / (float)s->later[i][k].width, t->run->host->threads);
        flow[1] = later;
    }
    if (status == IPOS_OK)
        status = ir_carry(&t->plate, &t->scene, t->known, flow, c);
    ip_planes_free(earlier, 2);
    ip_planes_free(later, 2);
    return status;
}

/* Each frame once those beside it are carried. */
static ipos_status run_stretch(taught *t, const stretch *s) {
    ir_way way = {0};
    ir_carried held[3] = {{0}};
    ipos_status status = look_back(t, s);
    if (status == IPOS_OK && t->known[0].is)
        status = ir_way_start(&t->known[0], &way);
    for (size_t i = 0; i <= s->count && status == IPOS_OK; i++) {
        if (i < s->count) {
            ir_carried_free(&held[i % 3]);
            status = ir_step(t->run, .5 + .5 * (double)i / (double)s->count, "relighting by example");
            if (status == IPOS_OK)
                status = carry_between(t, s, i, &way, &held[i % 3]);
        }
        if (!i || !s->asked[i - 1] || status != IPOS_OK)
            continue;
        const ir_carried *at = &held[(i - 1) % 3], *beside[2] = {i > 1 ? &held[(i - 2) % 3] : NULL, i < s->count ? &held[i % 3] : NULL};
        for (int k = 0; k < 2; k++)
            if (beside[k] && beside[k]->index + 1 != at->index + 2 * (size_t)k)
                beside[k] = NULL;
        status = emit(t, at, beside);
    }
    for (int k = 0; k < 3; k++)
        ir_carried_free(&held[k]);
    ir_way_free(&way);
    for (size_t i = 0; i < s->count; i++)
        ip_planes_free(s->later[i], 2);
    return status;
}

/* Those asked for, with the frames beside them from first to last; an example at the end needs none. */
static ipos_status list_frames(taught *t, const ipos_rational *times, size_t count, const size_t limit[2], bool ends, stretch *s) {
    for (size_t i = 0; i < count; i++) {
        size_t index = index_of(t, times[i].num);
        if (index == t->plate.footage.count)
            return ip_fail(IPOS_ERR_NOT_FOUND, "clip %s has no frame %lld", t->run->host->clips[0].name, (long long)times[i].num);
        size_t beside = ends && index == limit[1] ? 0 : 1;
        for (size_t at = index - IP_MIN(beside, index - limit[0]); at <= IP_MIN(index + beside, limit[1]); at++) {
            if (!s->count || s->index[s->count - 1] < at)
                s->index[s->count++] = at;
            if (at == index)
                s->asked[s->count - 1] = true;
        }
    }
    return IPOS_OK;
}

/* The examples a and b (either may be NULL) with the asked frames from..to, which none lies between. */
static ipos_status between(taught *t, const given *a, const given *b, const ipos_rational *times, size_t count) {
    stretch s = {.index = ip_calloc(3 * count, sizeof *s.index), .asked = ip_calloc(3 * count, sizeof *s.asked), .later = ip_calloc(3 * count, sizeof *s.later)};
    const given *ends[2] = {a, b};
    size_t limit[2] = {a ? index_of(t, a->number) : 0, b ? index_of(t, b->number) : t->plate.footage.count - 1};
    ipos_status status = s.index && s.asked && s.later ? list_frames(t, times, count, limit, b != NULL, &s) : IPOS_ERR_NO_MEMORY;
    for (int k = 0; k < 2 && status == IPOS_OK; k++) {
        if (t->known[k].is && (!ends[k] || t->known[k].index != limit[k]))
            ir_known_free(&t->known[k]);
        if (ends[k] && !t->known[k].is)
            status = ir_known_make(&t->plate, limit[k], ends[k]->clip, ends[k]->at, &t->known[k]);
    }
    if (status == IPOS_OK)
        status = run_stretch(t, &s);
    ip_free(s.index);
    ip_free(s.asked);
    ip_free(s.later);
    return status;
}

/* Stretch after stretch: up to the first example, from each to the next, beyond the last. An example belongs to the stretch it ends. */
static ipos_status all_between(taught *t, const given *first, size_t count, const ipos_rational *times, size_t asked) {
    const double begin = t->run->begin, part = t->run->part;
    ipos_status status = IPOS_OK;
    size_t done = 0;
    for (size_t k = 0; k <= count && status == IPOS_OK; k++) {
        const given *a = k ? &first[k - 1] : NULL, *b = k < count ? &first[k] : NULL;
        size_t end = done;
        while (end < asked && (!b || times[end].num <= b->number))
            end++;
        t->run->begin = begin + part * (double)done / (double)asked;
        t->run->part = part * (double)(end - done) / (double)asked;
        if (end > done)
            status = between(t, a, b, &times[done], end - done);
        done = end;
    }
    for (int k = 0; k < 2; k++)
        ir_known_free(&t->known[k]);
    return status;
}

static ipos_status run_shot(ir_run *run, void *user, int64_t first, int64_t last, const ipos_rational *times, size_t count) {
    taught *t = user;
    size_t from = 0, to;
    while (from < t->count && t->given[from].number < first)
        from++;
    for (to = from; to < t->count && t->given[to].number <= last; to++)
        ;
    if (from == to)
        return ip_fail(IPOS_ERR_ARGUMENT, "example: the shot of frames %lld to %lld has none among the examples, whose first is frame %lld: give one of its "
            "frames, numbered as it is in clip %s", (long long)first, (long long)last, (long long)t->given[0].number, run->host->clips[0].name);
    ipos_status status = ir_plate_open(run, first, last, &t->plate);
    for (size_t i = from; i < to && status == IPOS_OK; i++)
        if (index_of(t, t->given[i].number) == t->plate.footage.count)
            status = ip_fail(IPOS_ERR_ARGUMENT, "example: frame %lld does not exist in clip %s: number examples like the frames they were made from",
                (long long)t->given[i].number, run->host->clips[0].name);
    if (status == IPOS_OK)
        status = ir_step(run, 0, "looking at the shot");
    if (status == IPOS_OK)
        status = ir_scene_set(&t->scene, run->host, &t->settings, &t->plate.footage, &run->teller.pulse);
    if (status == IPOS_OK)
        status = all_between(t, &t->given[from], to - from, times, count);
    if (status == IPOS_OK) {
        ip_buffer_printf(&run->details, "%s{\"first\":%lld,\"last\":%lld,\"examples\":[", run->details.data[run->details.size - 1] == '[' ? "" : ",",
            (long long)first, (long long)last);
        for (size_t i = from; i < to; i++)
            ip_buffer_printf(&run->details, "%s%lld", i > from ? "," : "", (long long)t->given[i].number);
        ip_buffer_printf(&run->details, "],\"geometry\":\"%s\",\"reason\":\"%s\"}", t->scene.motion ? "motion" : "none", t->scene.reason);
    }
    ir_scene_close(&t->scene);
    ir_plate_close(&t->plate);
    return status;
}

ipos_status ir_taught_run(ir_run *run) {
    taught t = {.run = run, .two = {.name = "taught", .title = {"As the examples show it", "Three fifths of the way"}}};
    const ip_option_values *set = run->host->options;
    t.settings = (ir_settings){.geometry = ip_options_text(set, "geometry"), .focal = (float)ip_options_real(set, "focal"),
        .camera_height = (float)ip_options_real(set, "camera_height"), .pair.now.toward = {0, 1, 0}};
    ipos_status status = ir_two_read(run->host, "option example", &t.two);
    if (status == IPOS_OK)
        status = read_examples(&t);
    ip_buffer_printf(&run->details, "{\"way\":\"example\",\"shots\":[");
    if (status == IPOS_OK)
        status = ir_each_shot(run, run_shot, &t);
    if (status == IPOS_OK)
        status = ir_two_offer(run, &t.two);
    for (size_t i = 0; i < t.clip_count; i++)
        ip_shot_close(&t.clips[i]);
    ip_free(t.clips);
    ip_free(t.given);
    return status;
}
