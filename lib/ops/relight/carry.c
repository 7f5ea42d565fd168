/* Examples and the motion to them. */
#include "carry.h"
#include "curves.h"
#include "flow.h"

#include <math.h>

enum { WIDEST = 1030, FINE = 720 }; /* pictures up to FINE wide are searched at twice their size: patches of 8 pixels are large in them */

ipos_status ir_plate_open(ir_run *run, int64_t first, int64_t last, ir_plate *out) {
    ip_image3 small;
    *out = (ir_plate){.run = run};
    IP_TRY(ip_shot_use(run->host, 0, first, last, "clip", &out->footage));
    out->source = ip_shot_source(&out->footage, &run->teller.pulse);
    IP_TRY(ip_look_fetch(&out->source, 0, WIDEST, &small));
    out->width = small.c[0].width;
    out->height = small.c[0].height;
    ip_image3_free(&small);
    return IPOS_OK;
}

void ir_plate_close(ir_plate *plate) {
    ip_shot_close(&plate->footage);
    *plate = (ir_plate){0};
}

ipos_status ir_plate_small(ir_plate *plate, size_t index, ip_image3 *out) {
    return ir_light_fetch(&plate->source, index, WIDEST, out);
}

ipos_status ir_plate_full(ip_shot *footage, size_t index, ip_image3 *out) {
    IP_TRY(ip_image3_new(footage->window.width, footage->window.height, out));
    ipos_status status = ip_shot_frame(footage, index, false, out);
    if (status != IPOS_OK)
        ip_image3_free(out);
    return status;
}

/* Luma for the flow, 0..255. */
static ipos_status luma_of(const ip_image3 *small, int threads, ip_plane_f *out) {
    IP_TRY(ip_plane_new(small->c[0].width, small->c[0].height, out));
    ip_display_luma(small, out, threads);
    for (int y = 0; y < out->height; y++)
        for (int x = 0; x < out->width; x++)
            ip_row(out, y)[x] *= 255;
    return IPOS_OK;
}

ipos_status ir_plate_luma(ir_plate *plate, size_t index, ip_plane_f *out) {
    ip_image3 small;
    IP_TRY(ir_plate_small(plate, index, &small));
    ipos_status status = luma_of(&small, plate->run->host->threads, out);
    ip_image3_free(&small);
    return status;
}

/* Samples that are no numbers: of the plate 0, of the example what the plate has. */
static void make_finite(const ip_image3 *plate, const ip_image3 *light) {
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < plate->c[0].height; y++) {
            float *from = ip_row(&plate->c[c], y), *to = ip_row(&light->c[c], y);
            for (int x = 0; x < plate->c[0].width; x++) {
                from[x] = isfinite(from[x]) ? from[x] : 0;
                to[x] = isfinite(to[x]) ? to[x] : from[x];
            }
        }
}

/* As screens show it, at the analysis' size; allocates out. */
static ipos_status screen_of(const ip_image3 *light, int width, int height, int threads, ip_image3 *out) {
    IP_TRY(ip_image3_new(width, height, out));
    for (int c = 0; c < 3; c++) {
        ip_resize(&light->c[c], &out->c[c], 1, threads);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) {
                float *at = &ip_row(&out->c[c], y)[x];
                *at = ip_srgb_from_linear(fminf(fmaxf(*at, 0), 1));
            }
    }
    return IPOS_OK;
}

/* plate and example become what screens show. */
static ipos_status encode(ir_known *known, int threads) {
    IP_TRY(ip_image3_new(known->light.c[0].width, known->light.c[0].height, &known->example));
    for (int c = 0; c < 3; c++)
        ip_plane_copy(&known->example.c[c], &known->light.c[c]);
    ir_light_encode(&known->example, threads);
    ir_light_encode(&known->plate, threads);
    return IPOS_OK;
}

static ipos_status learn(const ir_plate *plate, ir_known *known) {
    int threads = plate->run->host->threads;
    ip_image3 from, to = {0};
    IP_TRY(screen_of(&known->plate, plate->width, plate->height, threads, &from));
    ipos_status status = screen_of(&known->light, plate->width, plate->height, threads, &to);
    if (status == IPOS_OK)
        status = ip_grid_fit(&from, &to, &plate->run->teller.pulse, &known->grid);
    ip_image3_free(&from);
    ip_image3_free(&to);
    return status;
}

ipos_status ir_known_make(ir_plate *plate, size_t index, ip_shot *example, size_t at, ir_known *out) {
    const ip_op_clip *clips = plate->run->host->clips;
    const ipos_box *a = &plate->footage.window, *b = &example->window;
    *out = (ir_known){.index = index};
    if (a->width != b->width || a->height != b->height)
        return ip_fail(IPOS_ERR_ARGUMENT, "example: frames of clip %s are %dx%d, those of clip %s %dx%d: give examples of the shot's size",
            clips[example->clip.index].name, b->width, b->height, clips[0].name, a->width, a->height);
    ipos_status status = ir_plate_full(&plate->footage, index, &out->plate);
    if (status == IPOS_OK)
        status = ir_plate_full(example, at, &out->light);
    if (status == IPOS_OK) {
        make_finite(&out->plate, &out->light);
        status = ir_plate_small(plate, index, &out->small);
    }
    if (status == IPOS_OK)
        status = luma_of(&out->small, plate->run->host->threads, &out->luma);
    if (status == IPOS_OK)
        status = learn(plate, out);
    if (status == IPOS_OK)
        status = encode(out, plate->run->host->threads);
    out->is = status == IPOS_OK;
    if (status != IPOS_OK)
        ir_known_free(out);
    return status;
}

void ir_known_free(ir_known *known) {
    ip_image3_free(&known->plate);
    ip_image3_free(&known->light);
    ip_image3_free(&known->example);
    ip_image3_free(&known->small);
    ip_plane_free(&known->luma);
    ip_grid_free(&known->grid);
    *known = (ir_known){0};
}

ipos_status ir_way_start(const ir_known *known, ir_way *way) {
    *way = (ir_way){.index = known->index};
    IP_TRY(ip_plane_new(known->luma.width, known->luma.height, &way->luma));
    ip_plane_copy(&way->luma, &known->luma);
    return ip_planes_new(known->luma.width, known->luma.height, way->flow, 2);
}

/* flow, from here to the frame the way came from, goes on along the way's own. */
static void chain(const ip_plane_f way[2], const ip_plane_f flow[2]) {
    for (int y = 0; y < flow[0].height; y++)
        for (int x = 0; x < flow[0].width; x++) {
            float *u = &ip_row(&flow[0], y)[x], *v = &ip_row(&flow[1], y)[x], px = (float)x + *u, py = (float)y + *v;
            *u += ip_sample_linear(&way[0], px, py);
            *v += ip_sample_linear(&way[1], px, py);
        }
}

ipos_status ir_way_step(ir_plate *plate, bool forward, ir_way *way) {
    const ip_op_host *host = plate->run->host;
    ip_flow_options options = {.finest = 0, .threads = host->threads, .pulse = &plate->run->teller.pulse};
    ip_plane_f luma, flow[2] = {{0}};
    size_t next = forward ? way->index + 1 : way->index - 1;
    IP_TRY(ir_plate_luma(plate, next, &luma));
    ipos_status status = ip_flow(&luma, &way->luma, &options, flow);
    if (status != IPOS_OK) {
        ip_plane_free(&luma);
        return status;
    }
    chain(way->flow, flow);
    ir_way_free(way);
    *way = (ir_way){next, luma, {flow[0], flow[1]}};
    return IPOS_OK;
}

ipos_status ir_way_direct(const ir_plate *plate, const ir_known *known, const ir_way *way, ip_plane_f flow[2]) {
    const int threads = plate->run->host->threads, width = way->luma.width, height = way->luma.height, times = width <= FINE ? 2 : 1;
    ip_flow_options options = {.finest = 0, .threads = threads, .pulse = &plate->run->teller.pulse, .initial_u = &way->flow[0], .initial_v = &way->flow[1]};
    ip_plane_f luma[2], fine[2] = {{0}};
    if (times == 1)
        return ip_flow(&way->luma, &known->luma, &options, flow);
    IP_TRY(ip_planes_new(times * width, times * height, luma, 2));
    ip_resize(&way->luma, &luma[0], 1, threads);
    ip_resize(&known->luma, &luma[1], 1, threads);
    ipos_status status = ip_flow(&luma[0], &luma[1], &options, fine);
    if (status == IPOS_OK)
        status = ip_planes_new(width, height, flow, 2);
    for (int k = 0; k < 2 && status == IPOS_OK; k++)
        ip_resize(&fine[k], &flow[k], 1 / (float)times, threads);
    ip_planes_free(fine, 2);
    ip_planes_free(luma, 2);
    return status;
}

void ir_way_free(ir_way *way) {
    ip_plane_free(&way->luma);
    ip_planes_free(way->flow, 2);
}
