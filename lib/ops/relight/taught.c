/* Light from pictures: examples carried along the motion, the means of other days. */
#include "flow.h"
#include "relight_op.h"

#include <math.h>
#include <stdlib.h>

static ipos_status fetch_light(ip_op_host *host, size_t clip, int64_t number, int width, int height, ip_image3 *out) {
    char refused[160];
    ip_shot shot;
    *out = (ip_image3){0};
    ipos_status status = ip_shot_range(host, clip, number, number, &shot);
    if (status == IPOS_OK)
        status = ip_shot_open(&shot, refused);
    if (status == IPOS_OK && refused[0])
        status = ip_fail(IPOS_ERR_UNSUPPORTED, "clip %s: %s", host->clips[clip].name, refused);
    if (status == IPOS_OK) {
        ip_look_source source = ip_shot_source(&shot, NULL);
        ip_image3 full;
        status = ip_look_fetch(&source, 0, 0, &full);
        if (status == IPOS_OK)
            status = ip_image3_new(width, height, out);
        for (int c = 0; c < 3 && status == IPOS_OK; c++)
            ip_resize(&full.c[c], &out->c[c], 1, host->threads);
        ip_image3_free(&full);
    }
    ip_shot_close(&shot);
    return status;
}

/* The mean of a clip's frames, at the size of the first; at most 32 of them. */
static ipos_status mean_of(ip_op_host *host, size_t clip, ip_image3 *out) {
    char refused[160];
    const ip_op_clip *of = &host->clips[clip];
    ip_shot shot;
    ip_image3 one = {0};
    size_t count = 0;
    ipos_status status = ip_shot_range(host, clip, of->first, of->last, &shot);
    if (status == IPOS_OK)
        status = ip_shot_open(&shot, refused);
    if (status == IPOS_OK && refused[0])
        status = ip_fail(IPOS_ERR_UNSUPPORTED, "clip %s: %s", of->name, refused);
    ip_look_source source = status == IPOS_OK ? ip_shot_source(&shot, NULL) : (ip_look_source){0};
    size_t chosen = status == IPOS_OK ? ip_look_spread(shot.count, 32) : 0;
    for (size_t i = 0; i < chosen && status == IPOS_OK; i++) {
        status = ip_look_fetch(&source, ip_look_spread_at(shot.count, chosen, i), 1030, &one);
        if (status == IPOS_OK && !count)
            status = ip_image3_new(one.c[0].width, one.c[0].height, out);
        for (int c = 0; c < 3 && status == IPOS_OK; c++)
            for (int y = 0; y < one.c[c].height; y++)
                for (int x = 0; x < one.c[c].width; x++)
                    ip_row(&out->c[c], y)[x] += (fmaxf(ip_row(&one.c[c], y)[x], 0) - ip_row(&out->c[c], y)[x]) / (float)(count + 1);
        count++;
        ip_image3_free(&one);
    }
    ip_shot_close(&shot);
    return status;
}

ipos_status ir_taught_open(ip_op_host *host, ir_taught *out) {
    static const char *const roles[2] = {"days", "evenings"};
    for (size_t i = 1; i < host->clip_count; i++) {
        const char *role = host->clips[i].role;
        for (int k = 0; k < 2; k++)
            if (!strcmp(role, roles[k])) {
                if (out->day[k].c[0].data)
                    return ip_fail(IPOS_ERR_ARGUMENT, "%s: one clip is expected, not several", role);
                IP_TRY(mean_of(host, i, &out->day[k]));
            }
        if (!strcmp(role, "example")) {
            if (out->example.host)
                return ip_fail(IPOS_ERR_ARGUMENT, "example: one clip is expected, not several");
            IP_TRY(ip_clip_open(&out->example, host, i, IR_EXAMPLES));
        }
    }
    if (!out->day[0].c[0].data != !out->day[1].c[0].data)
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: pictures of both lights are needed: give days (the old light) and evenings (the new)",
            out->day[0].c[0].data ? "days" : "evenings");
    if (out->example.host && out->day[0].c[0].data)
        return ip_fail(IPOS_ERR_ARGUMENT, "example: the light is taught by an example or by days and evenings, not by both");
    return IPOS_OK;
}

void ir_taught_close(ir_taught *taught) {
    ip_clip_close(&taught->example);
    for (int k = 0; k < 2; k++)
        ip_image3_free(&taught->day[k]);
}

/* Frames of the shot that the example holds, the nearest first; at most IR_EXAMPLES. */
static size_t examples_of(const ir_taught *taught, const ir_scene *scene, size_t index, size_t found[IR_EXAMPLES]) {
    size_t count = 0;
    const ip_op_clip *clip = taught->example.clip;
    for (size_t i = 0; i < scene->footage.count; i++) {
        int64_t n = scene->footage.numbers[i];
        if (n < clip->first || n > clip->last || ip_sorted_has(clip->missing, clip->missing_count, n))
            continue;
        size_t k = count;
        for (; k > 0 && llabs((long long)found[k - 1] - (long long)index) > llabs((long long)i - (long long)index); k--)
            if (k < IR_EXAMPLES)
                found[k] = found[k - 1];
        if (k < IR_EXAMPLES)
            found[k] = i;
        count = IP_MIN(count + 1, (size_t)IR_EXAMPLES);
    }
    return count;
}

typedef struct carried {
    ip_plane_f at[2];      /* where every pixel lies in the example */
    ip_image3 from, to;
    ip_grid grid;
} carried;

static void carried_free(carried *c) {
    ip_planes_free(c->at, 2);
    ip_image3_free(&c->from);
    ip_image3_free(&c->to);
    ip_grid_free(&c->grid);
}

/* Flows from frame to frame, one after the other, then set against the example itself. */
static ipos_status find_path(ir_scene *scene, size_t index, size_t example, ip_plane_f at[2]) {
    struct ir_slot *slot;
    const ip_plane_f *flow;
    ip_plane_f luma[2], refined[2] = {{0}};
    int width = scene->width, height = scene->height, forward = example > index;
    IP_TRY(ip_planes_new(width, height, at, 2));
    for (size_t f = index; f != example; f = forward ? f + 1 : f - 1) {
        IP_TRY(ir_scene_flow(scene, f, forward, &flow));
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) {
                float *u = &ip_row(&at[0], y)[x], *v = &ip_row(&at[1], y)[x], px = (float)x + *u, py = (float)y + *v;
                *u += ip_sample_linear(&flow[0], px, py);
                *v += ip_sample_linear(&flow[1], px, py);
            }
    }
    if (index != example) {
        IP_TRY(ip_planes_new(width, height, luma, 2));
        ipos_status status = IPOS_OK;
        for (int k = 0; k < 2 && status == IPOS_OK; k++) {
            status = ir_scene_frame(scene, k ? example : index, &slot);
            for (int y = 0; y < height && status == IPOS_OK; y++)
                for (int x = 0; x < width; x++)
                    ip_row(&luma[k], y)[x] = 255 * ip_row(&slot->luma, y)[x];
        }
        ip_flow_options options = {.finest = 0, .threads = scene->host->threads, .pulse = scene->pulse, .initial_u = &at[0], .initial_v = &at[1]};
        if (status == IPOS_OK)
            status = ip_flow(&luma[0], &luma[1], &options, refined);
        ip_planes_free(luma, 2);
        IP_TRY(status);
        for (int k = 0; k < 2; k++) {
            ip_plane_copy(&at[k], &refined[k]);
            ip_plane_free(&refined[k]);
        }
    }
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            ip_row(&at[0], y)[x] += (float)x;
            ip_row(&at[1], y)[x] += (float)y;
        }
    return IPOS_OK;
}

static ipos_status carry(ir_taught *taught, ir_scene *scene, size_t index, size_t example, carried *out) {
    struct ir_slot *slot;
    IP_TRY(find_path(scene, index, example, out->at));
    IP_TRY(ir_scene_frame(scene, example, &slot));
    IP_TRY(ip_image3_new(scene->width, scene->height, &out->from));
    for (int c = 0; c < 3; c++)
        ip_plane_copy(&out->from.c[c], &slot->light.c[c]);
    IP_TRY(fetch_light(scene->host, taught->example.index, scene->footage.numbers[example], scene->width, scene->height, &out->to));
    return ip_grid_fit(&out->from, &out->to, &out->grid);
}

static ipos_status by_example(ir_taught *taught, ir_scene *scene, size_t index, const size_t *example, size_t count, const ip_image3 *gain,
    const ip_plane_f *sure) {
    carried one[IR_EXAMPLES] = {{{{0}}}};
    ip_candidate candidate[IR_EXAMPLES];
    struct ir_slot *slot;
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < count && status == IPOS_OK; i++) {
        status = carry(taught, scene, index, example[i], &one[i]);
        float distance = fmaxf(1, fabsf((float)example[i] - (float)index));
        candidate[i] = (ip_candidate){&one[i].at[0], &one[i].at[1], &one[i].from, &one[i].to, distance, false, &one[i].grid};
    }
    if (status == IPOS_OK)
        status = ir_scene_frame(scene, index, &slot);
    if (status == IPOS_OK)
        status = ip_taught_gain(&slot->light, candidate, count, scene->host->threads, gain, sure);
    for (size_t i = 0; i < IR_EXAMPLES; i++)
        carried_free(&one[i]);
    return status;
}

static ipos_status by_days(ir_taught *taught, ir_scene *scene, size_t index, const ip_image3 *gain, ip_plane_f sure) {
    struct ir_slot *slot;
    ip_image3 mean[2] = {{{{0}}}};
    IP_TRY(ir_scene_frame(scene, index, &slot));
    ipos_status status = IPOS_OK;
    for (int k = 0; k < 2 && status == IPOS_OK; k++) {
        status = ip_image3_new(scene->width, scene->height, &mean[k]);
        for (int c = 0; c < 3 && status == IPOS_OK; c++)
            ip_resize(&taught->day[k].c[c], &mean[k].c[c], 1, scene->host->threads);
    }
    if (status == IPOS_OK)
        status = ip_days_gain(&slot->light, &mean[0], &mean[1], scene->host->threads, gain);
    ip_plane_fill(&sure, .7f);
    for (int k = 0; k < 2; k++)
        ip_image3_free(&mean[k]);
    return status;
}

ipos_status ir_taught_gain(ir_taught *taught, ir_scene *scene, size_t index, const char **by, const ip_image3 *gain, const ip_plane_f *sure) {
    size_t example[IR_EXAMPLES], count = taught->example.host ? examples_of(taught, scene, index, example) : 0;
    *by = taught->day[0].c[0].data ? "days" : count ? "example" : "";
    if (taught->example.host && !count)
        return ip_fail(IPOS_ERR_ARGUMENT, "example: clip %s holds no frame of the shot %lld..%lld: number the relit frames like the shot's",
            taught->example.clip->name, (long long)scene->footage.numbers[0], (long long)scene->footage.numbers[scene->footage.count - 1]);
    if (!**by || !gain)
        return IPOS_OK;
    return taught->day[0].c[0].data ? by_days(taught, scene, index, gain, *sure) : by_example(taught, scene, index, example, count, gain, sure);
}
