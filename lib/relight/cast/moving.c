#include "moving.h"
#include "mask.h"

#include <math.h>
#include <stdlib.h>

static const double FEET = .8;     /* of the columns' lowest pixels, so many end higher than where a thing stands */
static const double ON_GROUND = .4; /* share of the columns under which there is ground */

static int by_row(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b;
}

/* 1 / depth at which a piece stands on the ground; 0 where it does not. feet: room for a row of every column. */
static float standing(const ip_set_frame *f, const int32_t *labels, int32_t label, ip_box_i box, int *feet) {
    int width = f->kind.width, height = f->kind.height, columns = 0, on_ground = 0;
    for (int x = box.x; x < box.x + box.width; x++) {
        int y = box.y + box.height - 1;
        while (y >= box.y && labels[y * width + x] != label)
            y--;
        if (y < box.y)
            continue;
        int under = IP_MIN(height - 1, y + 3);
        on_ground += y >= height - 2 || ip_row(&f->kind, under)[x] == IP_IS_GROUND;
        feet[columns++] = y;
    }
    if (!columns || on_ground < ON_GROUND * columns)
        return 0;
    qsort(feet, (size_t)columns, sizeof *feet, by_row);
    int row = IP_MIN(height - 1, feet[(int)(FEET * (columns - 1))] + 1);
    float depth = 1e4f;
    for (int x = box.x; x < box.x + box.width; x++)
        if (ip_row(&f->wall, row)[x] == 0)
            depth = fminf(depth, ip_row(&f->room, row)[x]);
    return depth < 9e3f ? 1 / depth : 0;
}

/* The frame as if there were nothing but what moves, each piece at its depth. any: there is something. */
static ipos_status stand_up(const ip_set_frame *f, const ip_set_frame *made, bool *any) {
    int width = f->kind.width, height = f->kind.height;
    float unit = ip_relight_unit(width);
    int32_t *labels;
    ip_piece *pieces;
    size_t count;
    int *feet = ip_alloc((size_t)width * sizeof *feet);
    *any = false;
    if (!feet)
        return IPOS_ERR_NO_MEMORY;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            ip_row(&made->kind, y)[x] = ip_row(&f->kind, y)[x] == IP_IS_MOVING;
    ipos_status status = ip_mask_pieces(&made->kind, &labels, &pieces, &count);
    ip_plane_f kind = made->kind;
    ip_plane_fill(&kind, IP_IS_GROUND);
    for (size_t i = 0; i < count && status == IPOS_OK; i++) {
        ip_box_i b = pieces[i].box;
        float inverse = (float)pieces[i].area > 300 * unit * unit ? standing(f, labels, (int32_t)i + 1, b, feet) : 0;
        for (int y = b.y; y < b.y + b.height && inverse > 0; y++)
            for (int x = b.x; x < b.x + b.width; x++)
                if (labels[y * width + x] == (int32_t)i + 1) {
                    ip_row(&made->kind, y)[x] = IP_IS_THING;
                    ip_row(&made->view.inverse, y)[x] = inverse;
                }
        *any = *any || inverse > 0;
    }
    if (status == IPOS_OK) {
        ip_free(labels);
        ip_free(pieces);
    }
    ip_free(feet);
    return status;
}

ipos_status ip_moving_shade(const ip_plane_f *behind, const ip_set_frame *frame, const ip_lens *lens, const double toward[3], int threads,
    const ip_plane_f *seen) {
    const ip_room bare = {.walls = 0};
    ip_set_frame made = {.view.pose = frame->view.pose};
    const ip_set_frame *frames[1] = {&made};
    ip_plane_f own[5];
    ip_caster caster = {.far = NULL};
    bool any;
    IP_TRY(ip_planes_new(seen->width, seen->height, own, 5));
    made.view.inverse = own[0];
    made.view.agreeing = own[1];
    made.room = own[2];
    made.kind = own[3];
    ip_plane_fill(&made.view.inverse, 1e-4f);
    ip_plane_fill(&made.view.agreeing, IP_AGREE);
    ip_plane_fill(&made.room, 1e4f);
    ipos_status status = stand_up(frame, &made, &any);
    if (status == IPOS_OK && any)
        status = ip_caster_make(&bare, frames, 1, lens, toward, &caster);
    if (status == IPOS_OK && any)
        ip_caster_seen(&caster, behind, frame, lens, threads, &own[4]);
    for (int y = 0; y < seen->height && status == IPOS_OK && any; y++)
        for (int x = 0; x < seen->width; x++) {
            float kind = ip_row(&frame->kind, y)[x];
            if (kind == IP_IS_GROUND || kind == IP_IS_UPRIGHT)
                ip_row(seen, y)[x] = fminf(ip_row(seen, y)[x], ip_row(&own[4], y)[x]);
        }
    ip_caster_free(&caster);
    ip_planes_free(own, 5);
    return status;
}
