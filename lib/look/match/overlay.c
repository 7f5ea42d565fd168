#include "overlay.h"
#include "fit.h"
#include "gauss.h"
#include "register.h"
#include <math.h>

enum { TRIES = 3, STEP = 3, RIM = 3 };
static const double WITHIN_LEAST = .12, SHORT = 2.; /* flow left that is longer than SHORT times `most` is no bending */
static const double PAIR_BLUR = 2., LAID_LEAST = .2;

void ip_overlay_at(const ip_overlay *overlay, double x, double y, double out[2]) {
    ip_homography_at(overlay->homography, x, y, out);
    if (overlay->bend[0].data) {
        out[0] += ip_sample_linear(&overlay->bend[0], (float)x, (float)y);
        out[1] += ip_sample_linear(&overlay->bend[1], (float)x, (float)y);
    }
}

typedef struct lay_job {
    const ip_overlay *overlay;
    const ip_image3 *from, *to;
    const ip_plane_f *inside;
} lay_job;

static bool within(const ip_plane_f *plane, const double at[2], double rim) {
    return at[0] >= rim && at[1] >= rim && at[0] <= plane->width - 1 - rim && at[1] <= plane->height - 1 - rim;
}

static void lay_rows(void *user, int64_t begin, int64_t end) {
    const lay_job *job = user;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < job->inside->width; x++) {
            double at[2];
            float rgb[3];
            ip_overlay_at(job->overlay, x, y, at);
            ip_sample_cubic3(job->from, (float)at[0], (float)at[1], rgb);
            for (int c = 0; c < 3; c++)
                ip_row(&job->to->c[c], y)[x] = rgb[c];
            ip_row(job->inside, y)[x] = within(&job->from->c[0], at, RIM) ? 1.f : 0.f;
        }
}

void ip_overlay_lay(const ip_overlay *overlay, const ip_image3 *b, const ip_image3 *out, const ip_plane_f *inside, int threads) {
    lay_job job = {overlay, b, out, inside};
    ip_parallel(threads, inside->height, 8, lay_rows, &job);
}

/* ---- finding */

typedef struct search {
    const ip_look_source *source;
    const ip_shot_view *a, *b;
    const ip_overlay_options *options;
    ip_plane_f laid, inside; /* luma of b as it lies so far */
    ip_registration flow;
} search;

/* Registers a with b as it lies under overlay's homography; agreed only where both have a picture. */
static ipos_status registered(search *s, const ip_overlay *overlay) {
    const ip_plane_f *luma = &s->b->luma;
    for (int y = 0; y < s->laid.height; y++)
        for (int x = 0; x < s->laid.width; x++) {
            double at[2];
            ip_homography_at(overlay->homography, x, y, at);
            ip_row(&s->laid, y)[x] = ip_sample_cubic(luma, (float)at[0], (float)at[1]);
            ip_row(&s->inside, y)[x] = within(luma, at, RIM) ? 1.f : 0.f;
        }
    ip_registration_free(&s->flow);
    IP_TRY(ip_register(s->source, &s->a->luma, &s->laid, &s->flow));
    for (int y = 0; y < s->laid.height; y++)
        for (int x = 0; x < s->laid.width; x++) {
            float tx = (float)x + ip_row(&s->flow.flow[0], y)[x], ty = (float)y + ip_row(&s->flow.flow[1], y)[x];
            bool good = ip_row(&s->inside, y)[x] > 0.f && ip_sample_linear(&s->inside, tx, ty) > .99f;
            if (!good || (s->options->without && ip_row(s->options->without, y)[x] > 0.f))
                ip_row(&s->flow.agreed, y)[x] = 0.f;
        }
    return IPOS_OK;
}

static double agreed_share(const search *s, double *of_inside) {
    size_t good = 0, inside = 0;
    for (int y = 0; y < s->laid.height; y++)
        for (int x = 0; x < s->laid.width; x++) {
            good += ip_row(&s->flow.agreed, y)[x] > 0.f;
            inside += ip_row(&s->inside, y)[x] > 0.f && !(s->options->without && ip_row(s->options->without, y)[x] > 0.f);
        }
    *of_inside = inside ? (double)good / (double)inside : 0.;
    return (double)good / ((double)s->laid.width * s->laid.height);
}

/* The homography to where the flow leads, in place of overlay's. */
static ipos_status refit(const search *s, ip_overlay *overlay) {
    size_t room = (size_t)(s->laid.width / STEP + 1) * (size_t)(s->laid.height / STEP + 1), count = 0;
    float (*points)[2] = ip_calloc(2 * room, sizeof *points);
    double h[9];
    if (!points)
        return IPOS_ERR_NO_MEMORY;
    for (int y = 0; y < s->laid.height; y += STEP)
        for (int x = 0; x < s->laid.width; x += STEP) {
            double at[2];
            if (!(ip_row(&s->flow.agreed, y)[x] > 0.f))
                continue;
            ip_homography_at(overlay->homography, (double)x + ip_row(&s->flow.flow[0], y)[x], (double)y + ip_row(&s->flow.flow[1], y)[x], at);
            points[count][0] = (float)x;
            points[count][1] = (float)y;
            points[room + count][0] = (float)at[0];
            points[room + count][1] = (float)at[1];
            count++;
        }
    if (ip_homography_fit((const float (*)[2])points, (const float (*)[2])(points + room), count, h))
        memcpy(overlay->homography, h, sizeof h);
    ip_free(points);
    return IPOS_OK;
}

static void from_place(const search *s, const ip_place *place, double h[9]) {
    double o[2], x[2], y[2];
    ip_place_at(place, &s->a->place, &s->b->place, 0., 0., o);
    ip_place_at(place, &s->a->place, &s->b->place, 1., 0., x);
    ip_place_at(place, &s->a->place, &s->b->place, 0., 1., y);
    const double m[9] = {x[0] - o[0], y[0] - o[0], o[0], x[1] - o[1], y[1] - o[1], o[1], 0., 0., 1.};
    memcpy(h, m, sizeof m);
}

/* Flow left after the homography, in pixels of b, and its length; false where it is no bending. */
static bool left_at(const search *s, const ip_overlay *overlay, int x, int y, double limit, double left[2]) {
    double here[2], there[2];
    if (!(ip_row(&s->flow.agreed, y)[x] > 0.f))
        return false;
    ip_homography_at(overlay->homography, x, y, here);
    ip_homography_at(overlay->homography, (double)x + ip_row(&s->flow.flow[0], y)[x], (double)y + ip_row(&s->flow.flow[1], y)[x], there);
    left[0] = there[0] - here[0];
    left[1] = there[1] - here[1];
    return hypot(left[0], left[1]) <= limit;
}

static void cut_off(const ip_plane_f bend[2], double most) {
    for (int y = 0; y < bend[0].height; y++)
        for (int x = 0; x < bend[0].width; x++) {
            double length = hypot(ip_row(&bend[0], y)[x], ip_row(&bend[1], y)[x]);
            for (int i = 0; length > most && i < 2; i++)
                ip_row(&bend[i], y)[x] *= (float)(most / length);
        }
}

static ipos_status bending(const search *s, ip_overlay *overlay) {
    double most = s->options->most > 0. ? s->options->most : 1.5, smooth = s->options->smooth > 0. ? s->options->smooth : 6.;
    int w = s->laid.width, h = s->laid.height, threads = s->source->threads;
    ip_plane_f weight[2] = {0};
    IP_TRY(ip_planes_new(w, h, overlay->bend, 2));
    IP_TRY(ip_planes_new(w, h, weight, 2));
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            double left[2];
            if (!left_at(s, overlay, x, y, SHORT * most, left))
                continue;
            ip_row(&overlay->bend[0], y)[x] = (float)left[0];
            ip_row(&overlay->bend[1], y)[x] = (float)left[1];
            ip_row(&weight[0], y)[x] = 1.f;
        }
    for (int i = 0; i < 2; i++)
        ip_gauss_blur(&overlay->bend[i], &overlay->bend[i], &weight[1], smooth, threads);
    ip_gauss_blur(&weight[0], &weight[0], &weight[1], smooth, threads);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int i = 0; i < 2; i++)
                ip_row(&overlay->bend[i], y)[x] /= fmaxf(1e-3f, ip_row(&weight[0], y)[x]);
    ipos_status status = ip_push_pull(overlay->bend, 2, &weight[0], .2f, threads);
    cut_off(overlay->bend, most);
    ip_planes_free(weight, 2);
    return status;
}

static ipos_status residual_of(const search *s, ip_overlay *overlay) {
    size_t count = 0;
    float *length = ip_calloc((size_t)s->laid.width * (size_t)s->laid.height, sizeof *length);
    if (!length)
        return IPOS_ERR_NO_MEMORY;
    for (int y = 0; y < s->laid.height; y++)
        for (int x = 0; x < s->laid.width; x++) {
            double left[2];
            if (left_at(s, overlay, x, y, 1e9, left))
                length[count++] = (float)hypot(left[0], left[1]);
        }
    overlay->residual = count ? ip_select(length, count, count / 2) : 0.;
    ip_free(length);
    return IPOS_OK;
}

/* Is it the same scene, as b lies now? */
static ipos_status judge(const search *s, ip_overlay *overlay, bool *same) {
    double of_inside;
    overlay->share = agreed_share(s, &of_inside);
    IP_TRY(ip_shot_alike(&s->a->luma, &s->laid, &s->inside, s->flow.flow, s->source->threads, &overlay->structure));
    *same = of_inside >= WITHIN_LEAST && overlay->structure >= IP_SHOT_ALIKE_LEAST;
    return IPOS_OK;
}

/* The same again without the flow, which finds its way between any two pictures: as b will lie in the end. */
static ipos_status judge_as_laid(const search *s, ip_overlay *overlay) {
    IP_TRY(ip_shot_alike(&s->a->luma, &s->laid, &s->inside, overlay->bend, s->source->threads, &overlay->structure));
    overlay->found = overlay->found && overlay->structure >= LAID_LEAST;
    return IPOS_OK;
}

static ipos_status find(search *s, ip_overlay *overlay) {
    ip_place place[TRIES];
    size_t found;
    IP_TRY(ip_plane_new(s->a->luma.width, s->a->luma.height, &s->laid));
    IP_TRY(ip_plane_new(s->a->luma.width, s->a->luma.height, &s->inside));
    IP_TRY(ip_place_find(&s->a->place, &s->b->place, TRIES, place, &found));
    for (size_t i = 0; i < found && !overlay->found; i++) {
        if (!ip_alive(s->source->pulse))
            return ip_fail(IPOS_ERR_CANCELLED, "laying two frames over each other: cancelled");
        from_place(s, &place[i], overlay->homography);
        IP_TRY(registered(s, overlay));
        IP_TRY(judge(s, overlay, &overlay->found));
    }
    if (!overlay->found)
        return IPOS_OK;
    IP_TRY(refit(s, overlay));
    IP_TRY(registered(s, overlay));
    IP_TRY(refit(s, overlay));
    IP_TRY(registered(s, overlay));
    IP_TRY(judge(s, overlay, &overlay->found));
    IP_TRY(residual_of(s, overlay));
    IP_TRY(bending(s, overlay));
    return judge_as_laid(s, overlay);
}

ipos_status ip_overlay_find(const ip_look_source *source, const ip_shot_view *a, const ip_shot_view *b, const ip_overlay_options *options, ip_overlay *out) {
    const ip_overlay_options none = {0};
    search s = {.source = source, .a = a, .b = b, .options = options ? options : &none};
    *out = (ip_overlay){0};
    ipos_status status = find(&s, out);
    out->agreed = s.flow.agreed;
    s.flow.agreed = (ip_plane_f){0};
    ip_registration_free(&s.flow);
    ip_plane_free(&s.laid);
    ip_plane_free(&s.inside);
    if (status != IPOS_OK)
        ip_overlay_free(out);
    return status;
}

void ip_overlay_free(ip_overlay *overlay) {
    ip_planes_free(overlay->bend, 2);
    ip_plane_free(&overlay->agreed);
}

/* ---- colours */

ipos_status ip_overlay_pairs(const ip_look_source *source, const ip_overlay *overlay, const ip_shot_view *a, const ip_image3 *laid, size_t most,
    ip_grade_pair **pairs, size_t *count) {
    int w = a->luma.width, h = a->luma.height;
    ip_image3 soft = {0};
    ip_plane_f scratch = {0};
    size_t good = 0, seen = 0, taken = 0;
    *count = 0;
    *pairs = ip_calloc(most, sizeof **pairs);
    ipos_status status = *pairs ? ip_image3_new(w, h, &soft) : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK)
        status = ip_plane_new(w, h, &scratch);
    for (int c = 0; status == IPOS_OK && c < 3; c++)
        ip_gauss_blur(&laid->c[c], &soft.c[c], &scratch, PAIR_BLUR, source->threads);
    for (int y = 0; status == IPOS_OK && y < h; y++)
        for (int x = 0; x < w; x++)
            good += ip_row(&overlay->agreed, y)[x] > 0.f;
    for (int y = 0; status == IPOS_OK && y < h; y++)
        for (int x = 0; x < w && taken < most; x++) {
            if (!(ip_row(&overlay->agreed, y)[x] > 0.f) || seen++ * IP_MIN(good, most) < taken * good)
                continue;
            ip_grade_pair *p = &(*pairs)[*count];
            for (int c = 0; c < 3; c++) {
                p->from[c] = ip_row(&soft.c[c], y)[x];
                p->to[c] = ip_row(&a->soft.c[c], y)[x];
            }
            taken++;
            *count += ip_shot_usable(source, p->from) && ip_shot_usable(source, p->to);
        }
    ip_image3_free(&soft);
    ip_plane_free(&scratch);
    return status;
}
