/* Frames as they were carried, a few side by side. */
#include "carry.h"
#include "curves.h"
#include "flow.h"

#include <math.h>

/* A shot with its examples. */
typedef struct ir_carrying {
    ir_plate *plate;
    ir_scene *scene;
    const ir_known *known; /* [2] */
} ir_carrying;

/* The examples as a frame sees them: along the motion, and where the set is known by that too. */
enum { MOST_VIEWS = 4 };
typedef struct sight {
    ip_plane_f sure[MOST_VIEWS], seen, drawn[2][2]; /* drawn: flows by the set */
    ip_taught_view view[MOST_VIEWS];
    size_t count;
} sight;

static ipos_status add_view(const ir_carrying *t, const ip_image3 *small, size_t index, const ir_known *known, const ip_plane_f flow[2], bool by_set, sight *s) {
    ip_plane_f *sure = &s->sure[s->count];
    IP_TRY(ip_plane_new(t->plate->width, t->plate->height, sure));
    s->view[s->count++] = (ip_taught_view){&known->plate, &known->example, flow, sure, &known->grid,
        fabsf((float)index - (float)known->index) * (by_set ? .5f : 1)};
    IP_TRY(ip_taught_sure(small, &known->small, flow, t->plate->run->host->threads, sure));
    for (int y = 0; y < sure->height && by_set; y++)
        for (int x = 0; x < sure->width; x++)
            ip_row(sure, y)[x] *= ip_row(sure, y)[x]; /* what stands still is seen exactly or not at all */
    return IPOS_OK;
}

static ipos_status add_by_set(const ir_carrying *t, const ip_image3 *small, size_t index, ip_plane_f *const flow[2], sight *s) {
    size_t to[2], count = 0;
    const ir_known *known[2];
    bool is;
    for (int k = 0; k < 2; k++)
        if (flow[k]) {
            known[count] = &t->known[k];
            to[count] = t->known[k].index;
            IP_TRY(ip_planes_new(t->plate->width, t->plate->height, s->drawn[count++], 2));
        }
    IP_TRY(ir_reproject(t->scene, index, to, count, s->drawn, &is));
    for (size_t i = 0; i < count && is; i++)
        IP_TRY(add_view(t, small, index, known[i], s->drawn[i], true, s));
    return IPOS_OK;
}

static ipos_status look(const ir_carrying *t, size_t index, ip_plane_f *const flow[2], sight *s) {
    ip_image3 small;
    IP_TRY(ip_plane_new(t->plate->width, t->plate->height, &s->seen));
    IP_TRY(ir_plate_small(t->plate, index, &small));
    ipos_status status = IPOS_OK;
    for (int k = 0; k < 2 && status == IPOS_OK; k++)
        if (flow[k])
            status = add_view(t, &small, index, &t->known[k], flow[k], false, s);
    if (status == IPOS_OK && t->scene->motion)
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

ipos_status ir_carry(ir_plate *plate, ir_scene *scene, const ir_known known[2], ip_plane_f *const flow[2], ir_carried *c) {
    const ir_carrying at = {plate, scene, known}, *t = &at;
    sight s = {.count = 0};
    ipos_status status = ir_plate_full(&t->plate->footage, c->index, &c->own);
    if (status == IPOS_OK)
        status = ip_planes_new(c->own.c[0].width, c->own.c[0].height, c->part, 2);
    if (status == IPOS_OK)
        status = look(t, c->index, flow, &s);
    if (status == IPOS_OK)
        status = ip_taught_picture(s.view, s.count, t->plate->run->host->threads, &c->own, &s.seen);
    if (status == IPOS_OK) {
        judge(&s, &c->part[0], &c->part[1]);
        ir_light_encode(&c->own, t->plate->run->host->threads);
        c->code = &c->own;
        c->seen = s.seen;
        s.seen = (ip_plane_f){0};
        status = ir_plate_luma(t->plate, c->index, &c->luma);
    }
    ip_planes_free(s.sure, MOST_VIEWS);
    ip_planes_free(s.drawn[0], 2);
    ip_planes_free(s.drawn[1], 2);
    ip_plane_free(&s.seen);
    return status;
}

ipos_status ir_carry_known(const ir_known *known, ir_carried *c) {
    c->known = known;
    c->code = &known->example;
    IP_TRY(ip_plane_new(known->luma.width, known->luma.height, &c->luma));
    ip_plane_copy(&c->luma, &known->luma);
    return IPOS_OK;
}

void ir_carried_free(ir_carried *carried) {
    ip_image3_free(&carried->own);
    ip_plane_free(&carried->luma);
    ip_plane_free(&carried->seen);
    ip_planes_free(carried->part, 2);
    *carried = (ir_carried){0};
}

static void encode_rows(void *user, int64_t begin, int64_t end) {
    const ip_image3 *image = user;
    for (int c = 0; c < 3; c++)
        for (int y = (int)begin; y < (int)end; y++)
            for (int x = 0; x < image->c[0].width; x++)
                ip_row(&image->c[c], y)[x] = ip_srgb_from_linear(ip_row(&image->c[c], y)[x]);
}

void ir_light_encode(const ip_image3 *light, int threads) {
    ip_image3 image = *light;
    ip_parallel(threads, light->c[0].height, 16, encode_rows, &image);
}

ipos_status ir_carried_steady(const ir_plate *plate, const ir_carried *at, const ir_carried *const beside[2], const ip_image3 *out) {
    ip_flow_options options = {.finest = 0, .threads = plate->run->host->threads, .pulse = &plate->run->teller.pulse};
    ip_plane_f flow[2][2] = {{{0}}};
    ip_taught_beside near[2];
    size_t count = 0;
    ipos_status status = IPOS_OK;
    for (int k = 0; k < 2 && status == IPOS_OK; k++)
        if (beside[k]) {
            status = ip_flow(&at->luma, &beside[k]->luma, &options, flow[k]);
            near[count++] = (ip_taught_beside){beside[k]->code, flow[k], &beside[k]->luma, beside[k]->seen.data ? &beside[k]->seen : NULL};
        }
    if (status == IPOS_OK)
        ip_taught_steady(near, count, &at->luma, &at->seen, options.threads, at->code, out);
    ip_planes_free(flow[0], 2);
    ip_planes_free(flow[1], 2);
    return status;
}
