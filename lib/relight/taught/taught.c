/* Examples as seen from a frame, blended. */
#include "taught.h"
#include "curves.h"
#include "gauss.h"
#include "surface.h"

#include <math.h>

static const float FLOOR = .01f;     /* of ratios, scene-linear */
static const float RATIO = .15f;     /* share of the log ratio that is believed */
static const float APART = .12f;     /* difference of screens' values, summed over R,G,B, at which agreement is 1/e */
static const float CONTRADICT = .2f; /* screens' luma that views may be apart until the less likely one counts 1/e */
static const float LIGHTER = 1.5f;   /* log of how much likelier white is than black where views contradict each other */
static const float ENOUGH[2] = {.15f, .5f}; /* agreement from which the example is looked at, and at which it is all that counts */

static float screen(float light) { return ip_srgb_from_linear(fminf(fmaxf(light, 0), 1)); }

typedef struct sure_job {
    const ip_image3 *here, *there;
    const ip_plane_f *flow, *out;
} sure_job;

static void apart_rows(void *user, int64_t begin, int64_t end) {
    const sure_job *job = user;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < job->out->width; x++) {
            float px = (float)x + ip_row(&job->flow[0], y)[x], py = (float)y + ip_row(&job->flow[1], y)[x], sum = 0;
            for (int c = 0; c < 3; c++)
                sum += fabsf(screen(ip_sample_linear(&job->there->c[c], px, py)) - screen(ip_row(&job->here->c[c], y)[x]));
            ip_row(job->out, y)[x] = sum;
        }
}

ipos_status ip_taught_sure(const ip_image3 *here, const ip_image3 *there, const ip_plane_f flow[2], int threads, const ip_plane_f *sure) {
    sure_job job = {here, there, flow, sure};
    ip_plane_f tmp;
    IP_TRY(ip_plane_new(sure->width, sure->height, &tmp));
    ip_parallel(threads, sure->height, 8, apart_rows, &job);
    ip_gauss_blur(sure, sure, &tmp, 1.5 * (double)ip_relight_unit(sure->width), threads);
    ip_plane_free(&tmp);
    for (int y = 0; y < sure->height; y++)
        for (int x = 0; x < sure->width; x++) {
            float *at = &ip_row(sure, y)[x], px = (float)x + ip_row(&flow[0], y)[x], py = (float)y + ip_row(&flow[1], y)[x];
            bool inside = px >= 0 && py >= 0 && px <= (float)(sure->width - 1) && py <= (float)(sure->height - 1);
            *at = inside ? expf(-(*at / APART) * (*at / APART)) : 0;
        }
    return IPOS_OK;
}

enum { MOST_VIEWS = 8 };

typedef struct picture_job {
    const ip_taught_view *views;
    ip_plane_f (*place)[2]; /* for each view: its flow where it can be believed, smooth elsewhere */
    ip_plane_f *weight;     /* for each view */
    size_t count;
    const ip_image3 *light;
    const ip_plane_f *seen;
} picture_job;

/* The grid's answer as light: it speaks of 0..1, and what lies beyond goes along by the same factor. */
static float by_grid(float light, float made) {
    float limited = fminf(fmaxf(light, 0), 1), was = limited + FLOOR, is = ip_srgb_to_linear(made) + FLOOR;
    return limited == light ? is - FLOOR : (light + FLOOR) * is / was - FLOOR;
}

/* plate, example: as screens show them. */
static float by_example(float light, float plate, float example) {
    example = ip_srgb_to_linear(example);
    plate = ip_srgb_to_linear(plate);
    return (example + FLOOR) * powf((fmaxf(light, 0) + FLOOR) / (fmaxf(plate, 0) + FLOOR), RATIO) - FLOOR;
}

/* What the views say of a pixel, as screens show it (mirrored at 0, going on over 1). */
static void pixel(const picture_job *job, const float light[3], int x, int y, float out[3]) {
    const ip_plane_f *seen = job->seen;
    float wide = (float)job->light->c[0].width / (float)seen->width, high = (float)job->light->c[0].height / (float)seen->height;
    float ax = ((float)x + .5f) / wide - .5f, ay = ((float)y + .5f) / high - .5f, total = 0, sum[2][3] = {{0}}, rgb[3];
    float share = ip_sample_linear(seen, ax, ay);
    for (int c = 0; c < 3; c++)
        rgb[c] = screen(light[c]);
    for (size_t v = 0; v < job->count; v++) {
        const ip_taught_view *view = &job->views[v];
        float px = (float)x + wide * ip_sample_linear(&view->flow[0], ax, ay), py = (float)y + high * ip_sample_linear(&view->flow[1], ax, ay);
        float weight = ip_sample_linear(&job->weight[v], ax, ay), plate[3], example[3], made[3];
        total += weight;
        if (share > 0) {
            ip_sample_even3(view->plate, px, py, plate);
            ip_sample_even3(view->example, px, py, example);
            for (int c = 0; c < 3; c++)
                sum[0][c] += weight * ip_srgb_from_linear(by_example(light[c], plate[c], example[c]));
        }
        if (share < 1) {
            float gx = ((float)x + .5f) / wide + ip_sample_linear(&job->place[v][0], ax, ay);
            float gy = ((float)y + .5f) / high + ip_sample_linear(&job->place[v][1], ax, ay);
            ip_grid_at(view->grid, gx / (float)seen->width, gy / (float)seen->height, rgb, made);
            for (int c = 0; c < 3; c++)
                sum[1][c] += weight * ip_srgb_from_linear(by_grid(light[c], made[c]));
        }
    }
    for (int c = 0; c < 3; c++)
        out[c] = (share * sum[0][c] + (1 - share) * sum[1][c]) / total;
}

static void picture_rows(void *user, int64_t begin, int64_t end) {
    const picture_job *job = user;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < job->light->c[0].width; x++) {
            float light[3], made[3];
            bool finite = true;
            for (int c = 0; c < 3; c++) {
                light[c] = ip_row(&job->light->c[c], y)[x];
                finite = finite && isfinite(light[c]);
            }
            if (!finite)
                continue;
            pixel(job, light, x, y, made);
            for (int c = 0; c < 3; c++)
                ip_row(&job->light->c[c], y)[x] = ip_srgb_to_linear(made[c]);
        }
}

/* Where nothing agrees the flow is arbitrary and leaps; the grid is asked at places that go on smoothly from where it is known. */
static ipos_status find_places(const ip_taught_view *views, size_t count, int threads, ip_plane_f (*place)[2]) {
    ip_plane_f tmp;
    ipos_status status = ip_plane_new(views->sure->width, views->sure->height, &tmp);
    for (size_t v = 0; v < count && status == IPOS_OK; v++) {
        const ip_plane_f *sure = views[v].sure;
        status = ip_planes_new(sure->width, sure->height, place[v], 2);
        for (int k = 0; k < 2 && status == IPOS_OK; k++)
            ip_plane_copy(&place[v][k], &views[v].flow[k]);
        if (status == IPOS_OK)
            status = ip_push_pull(place[v], 2, sure, ENOUGH[1], threads);
        for (int k = 0; k < 2 && status == IPOS_OK; k++)
            ip_gauss_blur(&place[v][k], &place[v][k], &tmp, 8 * (double)ip_relight_unit(sure->width), threads);
    }
    ip_plane_free(&tmp);
    return status;
}

typedef struct said_job {
    const ip_taught_view *view;
    const ip_image3 *light;
    const ip_plane_f *out;
} said_job;

/* Luma of what a view alone says, at the analysis' size, 0..1. */
static void said_rows(void *user, int64_t begin, int64_t end) {
    const said_job *job = user;
    const ip_taught_view *view = job->view;
    float wide = (float)job->light->c[0].width / (float)job->out->width, high = (float)job->light->c[0].height / (float)job->out->height;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < job->out->width; x++) {
            float ax = ((float)x + .5f) * wide - .5f, ay = ((float)y + .5f) * high - .5f, plate[3], example[3], rgb[3];
            float px = ax + wide * ip_row(&view->flow[0], y)[x], py = ay + high * ip_row(&view->flow[1], y)[x];
            ip_sample_even3(view->plate, px, py, plate);
            ip_sample_even3(view->example, px, py, example);
            for (int c = 0; c < 3; c++) {
                float light = ip_sample_linear(&job->light->c[c], ax, ay);
                rgb[c] = screen(by_example(isfinite(light) ? light : 0, plate[c], example[c]));
            }
            ip_row(job->out, y)[x] = .2126f * rgb[0] + .7152f * rgb[1] + .0722f * rgb[2];
        }
}

/* Views that contradict each other make a ghost of both: the one that is surer, nearer and lighter (shade that only one of them has is more often
 * that of something which moved) is followed, others as far as they agree. */
static void settle(const ip_taught_view *views, size_t count, const ip_plane_f *said, const ip_plane_f *near, const ip_plane_f *weight) {
    for (int y = 0; y < weight->height; y++)
        for (int x = 0; x < weight->width; x++) {
            float sum = 0, total = 0;
            for (size_t v = 0; v < count; v++) {
                float tells = ip_row(&said[v], y)[x], s = (ip_row(&near[v], y)[x] + 1e-4f) / views[v].distance * expf(LIGHTER * tells);
                sum += s * tells;
                total += s;
            }
            for (size_t v = 0; v < count; v++) {
                float off = (ip_row(&said[v], y)[x] - sum / total) / CONTRADICT;
                ip_row(&weight[v], y)[x] = (ip_row(views[v].sure, y)[x] + 1e-4f) / views[v].distance * expf(-off * off) + 1e-6f;
            }
        }
}

static ipos_status find_weights(const ip_taught_view *views, size_t count, const ip_image3 *light, int threads, const ip_plane_f *weight) {
    int width = weight[0].width, height = weight[0].height;
    double blur = 2 * (double)ip_relight_unit(width);
    ip_plane_f part[2 * MOST_VIEWS + 1]; /* what each says, how sure each is around, room */
    IP_TRY(ip_planes_new(width, height, part, IP_COUNT(part)));
    for (size_t v = 0; v < count; v++) {
        said_job job = {&views[v], light, &part[v]};
        ip_parallel(threads, height, 8, said_rows, &job);
        ip_gauss_blur(&part[v], &part[v], &part[2 * MOST_VIEWS], blur, threads);
        ip_gauss_blur(views[v].sure, &part[MOST_VIEWS + v], &part[2 * MOST_VIEWS], blur, threads);
    }
    settle(views, count, part, &part[MOST_VIEWS], weight);
    ip_planes_free(part, IP_COUNT(part));
    return IPOS_OK;
}

/* The share of each pixel that is seen, softly. */
static ipos_status find_seen(const ip_taught_view *views, size_t count, int threads, const ip_plane_f *seen) {
    ip_plane_f tmp;
    IP_TRY(ip_plane_new(seen->width, seen->height, &tmp));
    for (int y = 0; y < seen->height; y++)
        for (int x = 0; x < seen->width; x++) {
            float best = 0;
            for (size_t v = 0; v < count; v++)
                best = fmaxf(best, ip_row(views[v].sure, y)[x]);
            ip_row(seen, y)[x] = fminf(fmaxf((best - ENOUGH[0]) / (ENOUGH[1] - ENOUGH[0]), 0), 1);
        }
    ip_gauss_blur(seen, seen, &tmp, (double)ip_relight_unit(seen->width), threads);
    ip_plane_free(&tmp);
    for (int y = 0; y < seen->height; y++)
        for (int x = 0; x < seen->width; x++)
            ip_row(seen, y)[x] = fminf(fmaxf(ip_row(seen, y)[x], 0), 1);
    return IPOS_OK;
}

ipos_status ip_taught_picture(const ip_taught_view *views, size_t count, int threads, const ip_image3 *light, const ip_plane_f *seen) {
    ip_plane_f place[MOST_VIEWS][2] = {{{0}}}, weight[MOST_VIEWS] = {{0}};
    if (count < 1 || count > MOST_VIEWS)
        return ip_fail(IPOS_ERR_ARGUMENT, "relighting by example: %zu views of examples, expected 1 to %d", count, MOST_VIEWS);
    ipos_status status = find_places(views, count, threads, place);
    if (status == IPOS_OK)
        status = ip_planes_new(seen->width, seen->height, weight, count);
    if (status == IPOS_OK)
        status = find_weights(views, count, light, threads, weight);
    if (status == IPOS_OK)
        status = find_seen(views, count, threads, seen);
    if (status == IPOS_OK) {
        picture_job job = {views, place, weight, count, light, seen};
        ip_parallel(threads, light->c[0].height, 8, picture_rows, &job);
    }
    for (size_t v = 0; v < count; v++)
        ip_planes_free(place[v], 2);
    ip_planes_free(weight, MOST_VIEWS);
    return status;
}
