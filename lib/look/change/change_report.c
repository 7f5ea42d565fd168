#include "change_report.h"
#include "change_internal.h"
#include <math.h>

enum { WIDEST = 960, SMALL = 240, TRIES = 5, PAIRS = 4000, PAIRS_LEAST = 200 };
static const double COMPARED_LEAST = .05;

/* ---- the best of some frames */

typedef struct candidates {
    size_t index[TRIES], count;
    ip_place_view view[TRIES];
} candidates;

static void candidates_free(candidates *c) {
    for (size_t i = 0; i < c->count; i++)
        ip_place_view_free(&c->view[i]);
}

static ipos_status look_over(const ip_look_source *source, size_t fixed, candidates *out) {
    size_t chosen = fixed == IP_CHANGE_CHOOSE ? ip_look_spread(source->count, TRIES) : 1;
    for (size_t i = 0; i < chosen; i++) {
        ip_image3 image;
        ip_plane_f luma = {0};
        out->index[i] = fixed == IP_CHANGE_CHOOSE ? ip_look_spread_at(source->count, chosen, i) : fixed;
        IP_TRY(ip_look_fetch(source, out->index[i], 2 * SMALL, &image));
        ipos_status status = ip_plane_new(image.c[0].width, image.c[0].height, &luma);
        if (status == IPOS_OK) {
            ip_look_code_luma(source, &image, &luma);
            status = ip_place_view_new(&luma, source->threads, &out->view[i]);
        }
        ip_plane_free(&luma);
        ip_image3_free(&image);
        IP_TRY(status);
        out->count++;
    }
    return IPOS_OK;
}

static ipos_status best_of(const ip_look_source *take, const candidates *a, const candidates *b, size_t frame[2]) {
    double best = -1.;
    for (size_t i = 0; i < a->count; i++)
        for (size_t j = 0; j < b->count; j++) {
            ip_place place;
            size_t found;
            if (!ip_alive(take->pulse))
                return ip_fail(IPOS_ERR_CANCELLED, "change report: cancelled");
            IP_TRY(ip_place_find(&a->view[i], &b->view[j], 1, &place, &found));
            double score = found ? place.score : 0.;
            if (score > best) {
                best = score;
                frame[0] = a->index[i];
                frame[1] = b->index[j];
            }
        }
    return IPOS_OK;
}

static ipos_status choose(const ip_look_source *take, const ip_look_source *reference, size_t frame[2]) {
    candidates a = {0}, b = {0};
    if (frame[0] != IP_CHANGE_CHOOSE && frame[1] != IP_CHANGE_CHOOSE)
        return IPOS_OK;
    ipos_status status = look_over(take, frame[0], &a);
    if (status == IPOS_OK)
        status = look_over(reference, frame[1], &b);
    if (status == IPOS_OK)
        status = best_of(take, &a, &b, frame);
    candidates_free(&a);
    candidates_free(&b);
    return status;
}

/* ---- one pair */

/* A frame in linear light at working size. */
static ipos_status shrink(const ip_image3 *from, int threads, ip_image3 *out) {
    *out = (ip_image3){0};
    IP_TRY(ip_image3_new(from->c[0].width, from->c[0].height, out));
    for (int c = 0; c < 3; c++) {
        ip_plane_copy(&out->c[c], &from->c[c]);
        while (out->c[c].width > WIDEST) {
            ip_plane_f half;
            ipos_status status = ip_halve(&out->c[c], &half, threads);
            if (status != IPOS_OK) {
                ip_image3_free(out);
                return status;
            }
            ip_plane_free(&out->c[c]);
            out->c[c] = half;
        }
    }
    return IPOS_OK;
}

static ipos_status view(const ip_look_source *source, const ip_image3 *image, ip_shot_view *out) {
    ip_image3 small;
    IP_TRY(shrink(image, source->threads, &small));
    return ip_shot_view_of(source, &small, out);
}

static double halvings(int from, int to) {
    double k = 1.;
    for (; from > to; from = (from + 1) / 2)
        k *= 2.;
    return k;
}

/* The transform in pixels of the frames: pixel centres of a halved picture lie between those of the whole one. */
static void describe_transform(const ip_change_pair *pair, const ip_look_source *reference, ip_change_report *report) {
    const ip_look_source *take = pair->source;
    double k = report->scale, m = halvings(reference->width, pair->b.luma.width), s = .5 * (k - 1.), t = .5 * (m - 1.);
    const double *h = pair->overlay.homography;
    double part[9], *out = report->homography;
    for (int i = 0; i < 3; i++) { /* h times (x - s) / k */
        part[3 * i] = h[3 * i] / k;
        part[3 * i + 1] = h[3 * i + 1] / k;
        part[3 * i + 2] = h[3 * i + 2] - (h[3 * i] + h[3 * i + 1]) * s / k;
    }
    for (int j = 0; j < 3; j++) {
        out[j] = m * part[j] + t * part[6 + j];
        out[3 + j] = m * part[3 + j] + t * part[6 + j];
        out[6 + j] = part[6 + j];
    }
    for (int i = 0; i < 9; i++)
        out[i] /= part[8];
    double x = .5 * (take->width - 1), y = .5 * (take->height - 1), middle[2], right[2], down[2];
    ip_homography_at(out, x, y, middle);
    ip_homography_at(out, x + 1., y, right);
    ip_homography_at(out, x, y + 1., down);
    report->shift[0] = middle[0] - x;
    report->shift[1] = middle[1] - y;
    double ux = right[0] - middle[0], uy = right[1] - middle[1], vx = down[0] - middle[0], vy = down[1] - middle[1];
    report->zoom = sqrt(fabs(ux * vy - uy * vx));
    report->turn = atan2(uy, ux) * 180. / M_PI;
    report->share = pair->overlay.share;
    report->residual = pair->overlay.residual * m;
}

static ipos_status lies(const ip_change_pair *pair, const ip_look_source *reference, ip_change_report *report) {
    int w = pair->a.luma.width, h = pair->a.luma.height;
    double m = halvings(reference->width, pair->b.luma.width);
    IP_TRY(ip_planes_new(w, h, report->lies, 2));
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            double at[2];
            ip_overlay_at(&pair->overlay, x, y, at);
            for (int i = 0; i < 2; i++)
                ip_row(&report->lies[i], y)[x] = (float)(m * at[i] + .5 * (m - 1.));
        }
    return IPOS_OK;
}

static ipos_status match(ip_change_pair *pair, ip_change_report *report) {
    ip_grade_pair *pairs = NULL;
    ip_overlay_grade found = {.grade = ip_grade_none()};
    size_t count;
    ipos_status status = ip_overlay_pairs(pair->source, &pair->overlay, &pair->a, &pair->laid, PAIRS, &pairs, &count);
    if (status == IPOS_OK && count >= PAIRS_LEAST) {
        status = ip_overlay_match(pair->source->encoding, pairs, count, &found);
        if (status == IPOS_OK)
            status = ip_change_global(pair->source, pairs, count, found.kept, report);
    } else if (status == IPOS_OK) {
        ip_not_measurable(&report->reading, "%zu places agree that are neither clipped nor black, at least %d are needed", count, PAIRS_LEAST);
        ip_not_measurable(&report->global, "%s", report->reading.reason);
    }
    report->grade = found.grade;
    report->match_before = found.before;
    report->match_after = found.after;
    ip_free(pairs);
    return status;
}

static ipos_status compare(ip_change_pair *pair, const ip_look_source *reference, ip_change_report *report) {
    int w = pair->a.luma.width, h = pair->a.luma.height, threads = pair->source->threads;
    ip_plane_f mask = {0};
    IP_TRY(ip_overlay_find(pair->source, &pair->a, &pair->b, NULL, &pair->overlay));
    report->structure = pair->overlay.structure;
    if (!pair->overlay.found) {
        ip_not_measurable(&report->reading, "the frames do not lie over each other: %.0f %% agrees, structure correlates by %.2f",
            100. * pair->overlay.share, pair->overlay.structure);
        ip_not_measurable(&report->global, "%s", report->reading.reason);
        return IPOS_OK;
    }
    describe_transform(pair, reference, report);
    IP_TRY(lies(pair, reference, report));
    IP_TRY(ip_image3_new(w, h, &pair->laid));
    IP_TRY(ip_image3_new(w, h, &pair->expected));
    IP_TRY(ip_plane_new(w, h, &pair->inside));
    ip_overlay_lay(&pair->overlay, &pair->b.code, &pair->laid, &pair->inside, threads);
    IP_TRY(match(pair, report));
    if (!ip_measured(&report->reading))
        return IPOS_OK;
    for (int c = 0; c < 3; c++)
        ip_plane_copy(&pair->expected.c[c], &pair->laid.c[c]);
    ip_grade_apply(&report->grade, &pair->expected, threads);
    if (!ip_alive(pair->source->pulse))
        return ip_fail(IPOS_ERR_CANCELLED, "change report: cancelled");
    ipos_status status = ip_change_map(pair, report, &mask);
    if (status == IPOS_OK && report->compared < COMPARED_LEAST)
        ip_not_measurable(&report->reading, "%.0f %% of the take can be compared, the rest is clipped or not in the reference", 100. * report->compared);
    else if (status == IPOS_OK)
        status = ip_change_regions(pair, &mask, report);
    if (status == IPOS_OK && ip_measured(&report->reading))
        report->reading.confidence = fmax(0., pair->overlay.structure) * (1. - exp(-8. * report->share)) / (1. + report->match_after * report->match_after / 36.);
    ip_plane_free(&mask);
    return status;
}

static void pair_free(ip_change_pair *pair) {
    ip_shot_view_free(&pair->a);
    ip_shot_view_free(&pair->b);
    ip_overlay_free(&pair->overlay);
    ip_image3_free(&pair->laid);
    ip_image3_free(&pair->expected);
    ip_plane_free(&pair->inside);
    for (int i = 0; i < 2; i++)
        ip_image3_free(&pair->lab[i]);
}

static ipos_status measure(const ip_look_source *take, const ip_look_source *reference, const ip_change_options *options, ip_image3 image[2],
    ip_change_report *report) {
    ip_change_pair pair = {.source = take, .options = options};
    IP_TRY(ip_look_fetch(take, report->frame[0], 0, &image[0]));
    IP_TRY(ip_look_fetch(reference, report->frame[1], 0, &image[1]));
    ipos_status status = view(take, &image[0], &pair.a);
    if (status == IPOS_OK)
        status = view(reference, &image[1], &pair.b);
    if (status == IPOS_OK) {
        report->scale = halvings(take->width, pair.a.luma.width);
        status = compare(&pair, reference, report);
    }
    pair_free(&pair);
    if (status == IPOS_OK)
        status = ip_change_whole(take, &image[0], reference, &image[1], options, report);
    return status;
}

static ipos_status check(const ip_look_source *take, size_t take_frame, const ip_look_source *reference, size_t reference_frame) {
    IP_TRY(ip_look_check(take, "change report: the take"));
    IP_TRY(ip_look_check(reference, "change report: the reference"));
    if (take->encoding != reference->encoding)
        return ip_fail(IPOS_ERR_ARGUMENT, "change report: the take is %s and the reference %s, expected one encoding; convert one of them",
            take->encoding->name, reference->encoding->name);
    if ((take_frame != IP_CHANGE_CHOOSE && take_frame >= take->count) || (reference_frame != IP_CHANGE_CHOOSE && reference_frame >= reference->count))
        return ip_fail(IPOS_ERR_ARGUMENT, "change report: frames %zu of %zu and %zu of %zu, expected ones that exist", take_frame, take->count,
            reference_frame, reference->count);
    return IPOS_OK;
}

ipos_status ip_change_report_measure(const ip_look_source *take, size_t take_frame, const ip_look_source *reference, size_t reference_frame,
    const ip_change_options *options, ip_change_report *out) {
    static const ip_change_options none = {0};
    ip_image3 image[2] = {0};
    *out = (ip_change_report){.reading.frames = 2, .frame = {take_frame, reference_frame}, .grade = ip_grade_none()};
    IP_TRY(check(take, take_frame, reference, reference_frame));
    ipos_status status = choose(take, reference, out->frame);
    if (status == IPOS_OK)
        status = measure(take, reference, options ? options : &none, image, out);
    for (int i = 0; i < 2; i++)
        ip_image3_free(&image[i]);
    if (status != IPOS_OK)
        ip_change_report_free(out);
    return status;
}

void ip_change_report_free(ip_change_report *report) {
    ip_plane_free(&report->difference);
    ip_plane_free(&report->looked);
    ip_plane_free(&report->belongs);
    ip_planes_free(report->lies, 2);
}
