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

/* The examples as a frame sees them: along the motion, and where the set is known by that too. */
enum { MOST_VIEWS = 4 };
typedef struct sight {
    ip_plane_f sure[MOST_VIEWS], seen, drawn[2][2]; /* drawn: flows by the set */
    ip_taught_view view[MOST_VIEWS];
    size_t count;
} sight;

static ipos_status add_view(taught *t, const ip_image3 *small, size_t index, const ir_known *known, const ip_plane_f flow[2], bool by_set, sight *s) {
    ip_plane_f *sure = &s->sure[s->count];
    IP_TRY(ip_plane_new(t->plate.width, t->plate.height, sure));
    s->view[s->count++] = (ip_taught_view){&known->plate, &known->example, flow, sure, &known->grid,
        fabsf((float)index - (float)known->index) * (by_set ? .5f : 1)};
    IP_TRY(ip_taught_sure(small, &known->small, flow, t->run->host->threads, sure));
    for (int y = 0; y < sure->height && by_set; y++)
        for (int x = 0; x < sure->width; x++)
            ip_row(sure, y)[x] *= ip_row(sure, y)[x]; /* what stands still is seen exactly or not at all */
    return IPOS_OK;
}

static ipos_status add_by_set(taught *t, const ip_image3 *small, size_t index, ip_plane_f *const flow[2], sight *s) {
    size_t to[2], count = 0;
    const ir_known *known[2];
    bool is;
    for (int k = 0; k < 2; k++)
        if (flow[k]) {
            known[count] = &t->known[k];
            to[count] = t->known[k].index;
            IP_TRY(ip_planes_new(t->plate.width, t->plate.height, s->drawn[count++], 2));
        }
    IP_TRY(ir_reproject(&t->scene, index, to, count, s->drawn, &is));
    for (size_t i = 0; i < count && is; i++)
        IP_TRY(add_view(t, small, index, known[i], s->drawn[i], true, s));
    return IPOS_OK;
}

static ipos_status look(taught *t, size_t index, ip_plane_f *const flow[2], sight *s) {
    ip_image3 small;
    IP_TRY(ip_plane_new(t->plate.width, t->plate.height, &s->seen));
    IP_TRY(ir_plate_small(&t->plate, index, &small));
    ipos_status status = IPOS_OK;
    for (int k = 0; k < 2 && status == IPOS_OK; k++)
        if (flow[k])
            status = add_view(t, &small, index, &t->known[k], flow[k], false, s);
    if (status == IPOS_OK && t->scene.motion)
        status = add_by_set(t, &small, index, flow, s);
    ip_image3_free(&small);
    return status;
}

/* What the result rests on: seen in another frame, the surer the better they agree, or graded by the grid. Planes of the frame's size. */
static void judge(const sight *s, const ip_plane_f *out, const ip_plane_f *kind) {
    float sx = (float)s->seen.width / (float)out->width, sy = (float)s->seen.height / (float)out->height;
    for (int y = 0; y < out->height; y++)
        for (int x = 0; x < out->width; x++) {
            float px = ((float)x + .5f) * sx - .5f, py = ((float)y + .5f) * sy - .5f, best = 0, share = ip_sample_linear(&s->seen, px, py);
            for (size_t v = 0; v < s->count; v++)
                best = fmaxf(best, ip_sample_linear(&s->sure[v], px, py));
            ip_row(out, y)[x] = share * (.5f + .4f * best) + (1 - share) * .35f;
            ip_row(kind, y)[x] = share > .5f ? IR_OTHER_FRAME : IR_GRADED;
        }
}

/* made becomes the frame as the examples say. */
static ipos_status carry(taught *t, size_t index, ip_plane_f *const flow[2], const ip_image3 *made, const ip_plane_f *out, const ip_plane_f *kind) {
    sight s = {.count = 0};
    ipos_status status = look(t, index, flow, &s);
    if (status == IPOS_OK)
        status = ip_taught_picture(s.view, s.count, t->run->host->threads, made, &s.seen);
    if (status == IPOS_OK)
        judge(&s, out, kind);
    ip_planes_free(s.sure, MOST_VIEWS);
    ip_planes_free(s.drawn[0], 2);
    ip_planes_free(s.drawn[1], 2);
    ip_plane_free(&s.seen);
    return status;
}

static void copy3(const ip_image3 *from, ip_image3 *to) {
    for (int c = 0; c < 3; c++)
        ip_plane_copy(&to->c[c], &from->c[c]);
}

/* A frame in its variants. flow: to the known examples, NULL for one that does not count; known: the example that this frame has itself. */
static ipos_status emit(taught *t, size_t index, ip_plane_f *const flow[2], const ir_known *known) {
    ip_image3 light = {0}, made = {0};
    ip_plane_f keep = {0}, part[2] = {{0}};
    ir_change change = {.clip = &t->plate.footage.clip, .number = t->plate.footage.numbers[index], .light = &light, .made = &made, .sure = &part[0],
        .kind = &part[1]};
    ipos_status status = ir_plate_full(&t->plate.footage, index, &light);
    if (status == IPOS_OK)
        status = ip_clip_frame(&t->plate.footage.clip, change.number, &change.source);
    if (status == IPOS_OK)
        status = ip_image3_new(light.c[0].width, light.c[0].height, &made);
    if (status == IPOS_OK)
        status = ip_planes_new(light.c[0].width, light.c[0].height, part, 2);
    if (status == IPOS_OK)
        status = ir_keep_read(t->run, change.source, change.number, &keep);
    if (status == IPOS_OK && known) {
        copy3(&known->light, &made);
        ip_plane_fill(&part[0], 1);
        ip_plane_fill(&part[1], IR_OTHER_TAKE);
    } else if (status == IPOS_OK) {
        copy3(&light, &made);
        status = carry(t, index, flow, &made, &part[0], &part[1]);
    }
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

/* Frames between two examples, or beyond the last: index of each in the shot, and the flow to the example after them. */
typedef struct stretch {
    size_t count, *index;
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
        if (status == IPOS_OK && way.index != known->index)
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

static ipos_status emit_between(taught *t, const stretch *s, size_t i, ir_way *way) {
    ip_plane_f earlier[2] = {{0}}, later[2] = {{0}};
    ip_plane_f *flow[2] = {NULL, NULL};
    ipos_status status = IPOS_OK;
    for (int k = 0; k < 2; k++)
        if (t->known[k].is && t->known[k].index == s->index[i])
            return emit(t, s->index[i], flow, &t->known[k]);
    while (t->known[0].is && way->index < s->index[i] && status == IPOS_OK)
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
        status = emit(t, s->index[i], flow, NULL);
    ip_planes_free(earlier, 2);
    ip_planes_free(later, 2);
    return status;
}

static ipos_status run_stretch(taught *t, const stretch *s) {
    ir_way way = {0};
    ipos_status status = look_back(t, s);
    if (status == IPOS_OK && t->known[0].is)
        status = ir_way_start(&t->known[0], &way);
    for (size_t i = 0; i < s->count && status == IPOS_OK; i++) {
        status = ir_step(t->run, .5 + .5 * (double)i / (double)s->count, "relighting by example");
        if (status == IPOS_OK)
            status = emit_between(t, s, i, &way);
    }
    ir_way_free(&way);
    for (size_t i = 0; i < s->count; i++)
        ip_planes_free(s->later[i], 2);
    return status;
}

/* The examples a and b (either may be NULL) with the asked frames from..to, which none lies between. */
static ipos_status between(taught *t, const given *a, const given *b, const ipos_rational *times, size_t count) {
    stretch s = {.count = count, .index = ip_calloc(count, sizeof *s.index), .later = ip_calloc(count, sizeof *s.later)};
    const given *ends[2] = {a, b};
    ipos_status status = s.index && s.later ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < count && status == IPOS_OK; i++) {
        s.index[i] = index_of(t, times[i].num);
        if (s.index[i] == t->plate.footage.count)
            status = ip_fail(IPOS_ERR_NOT_FOUND, "clip %s has no frame %lld", t->run->host->clips[0].name, (long long)times[i].num);
    }
    for (int k = 0; k < 2 && status == IPOS_OK; k++) {
        size_t index = ends[k] ? index_of(t, ends[k]->number) : 0;
        if (t->known[k].is && (!ends[k] || t->known[k].index != index))
            ir_known_free(&t->known[k]);
        if (ends[k] && !t->known[k].is)
            status = ir_known_make(&t->plate, index, ends[k]->clip, ends[k]->at, &t->known[k]);
    }
    if (status == IPOS_OK)
        status = run_stretch(t, &s);
    ip_free(s.index);
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
        status = ir_scene_set(&t->scene, run->host, &t->settings, first, last, &run->teller.pulse);
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
