/* Training on the shot itself: its strokes are examples of what is looked for, all else on their frames of what is not. */
#include "wires_op.h"

#include "ridge.h"
#include "wire_draw.h"
#include <math.h>

enum { OTHERS = 6, HELD = 2 };
static const float beside_best = .3f;   /* of the wire's best, at least */
static const float trace_of_wire = .1f; /* confidence, before training on the shot; real wires .11 and more, of 84 strokes on nothing six */

typedef struct labelled {
    ip_image3 image;
    ip_plane_f passing;
    ip_plane_f labels, sure; /* sure {0}: everywhere */
    ip_curve *curves;
    size_t count;
} labelled;

typedef struct tuning {
    iw_shot *shot;
    iw_plate *plates;
    labelled *owned; /* one a plate */
    size_t count, known; /* plates; those with strokes */
    iw_sampler sampler;
} tuning;

static void tuning_free(tuning *t) {
    for (size_t i = 0; i < t->count; i++) {
        ip_image3_free(&t->owned[i].image);
        ip_plane_free(&t->owned[i].passing);
        ip_plane_free(&t->owned[i].labels);
        ip_plane_free(&t->owned[i].sure);
        for (size_t k = 0; k < t->owned[i].count; k++)
            ip_curve_free(&t->owned[i].curves[k]);
        ip_free(t->owned[i].curves);
    }
    ip_free(t->owned);
    ip_free(t->plates);
}

static ipos_status take_plate(tuning *t, size_t index, labelled **out) {
    const ip_image3 *plate;
    labelled *own = &t->owned[t->count];
    IP_TRY(iw_shot_plate(t->shot, index, &plate));
    IP_TRY(ip_image3_new(plate->c[0].width, plate->c[0].height, &own->image));
    t->count++;
    for (int c = 0; c < 3; c++)
        ip_plane_copy(&own->image.c[c], &plate->c[c]);
    *out = own;
    IP_TRY(ip_plane_new(plate->c[0].width, plate->c[0].height, &own->passing));
    return iw_shot_difference(t->shot, index, (ip_box_i){0, 0, own->passing.width, own->passing.height}, &own->passing);
}

/* A sloppy stroke laid onto the line under it, and how wide that is. */
static ipos_status snap(tuning *t, const ip_plane_f *luma, const ip_plane_f *ridges, const iw_stroke *stroke, labelled *own) {
    float unit = iw_lines(t->shot), width = stroke->width / (float)t->shot->scale;
    const ip_wire_map map = {*ridges, 0, 0};
    const ip_trace_options options = {.step = IW_STEP, .reach = 9 * unit, .stay = 1};
    ip_curve rough;
    ip_trace trace;
    IP_TRY(iw_stroke_curve(t->shot, stroke, &rough));
    ipos_status status = ip_trace_find(&map, &rough, &options, &trace);
    ip_curve_free(&rough);
    IP_TRY(status);
    if (!(width > 0))
        status = ip_curve_width(luma, &trace.curve, 14 * unit, &width);
    ip_curve *grown = status == IPOS_OK ? ip_realloc(own->curves, (own->count + 1) * sizeof *grown) : NULL;
    if (!grown) {
        ip_trace_free(&trace);
        return status == IPOS_OK ? IPOS_ERR_NO_MEMORY : status;
    }
    own->curves = grown;
    ip_curve_band(&trace.curve, NULL, fmaxf(.5f * width - .5f, .2f), 1, 0, 0, &own->labels);
    grown[own->count++] = trace.curve;
    ip_free(trace.seen);
    return IPOS_OK;
}

/* How surely the wire is seen on the best of the frames where it was drawn. */
static float best_of(const iw_shot *shot, size_t wire) {
    float best = 0;
    for (size_t i = 0; i < shot->count; i++)
        if (iw_stroke_at(shot, wire, i))
            best = fmaxf(best, iw_seen_at(shot, wire, i)->confidence);
    return best;
}

/* Whether a stroke is to be taught as a wire. One that is not is background like the rest of its frame: where next to nothing is seen,
 * though the wire is on another frame, it would teach that nothing is a wire. */
static bool is_lesson(const iw_shot *shot, size_t wire, size_t index) {
    if (!iw_stroke_at(shot, wire, index))
        return false;
    return !shot->net || iw_seen_at(shot, wire, index)->confidence >= fmaxf(fminf(trace_of_wire, .5f * shot->threshold), beside_best * best_of(shot, wire));
}

ipos_status iw_doubt(iw_shot *shot) {
    ip_free(shot->doubted);
    shot->doubted = ip_calloc(IP_MAX(shot->wires.count, 1), sizeof *shot->doubted);
    if (!shot->doubted)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < shot->wires.count; i++) {
        shot->doubted[i] = true;
        for (size_t k = 0; k < shot->count; k++)
            shot->doubted[i] = shot->doubted[i] && !is_lesson(shot, i, k);
    }
    return IPOS_OK;
}

static size_t lessons(const iw_shot *shot, size_t index) {
    size_t count = 0;
    for (size_t i = 0; i < shot->wires.count; i++)
        count += is_lesson(shot, i, index);
    return count;
}

/* A frame with strokes for some wires only shows the others too, for all we know: only around the strokes the rest is no wire. */
static ipos_status doubt_rest(const tuning *t, size_t index, labelled *own) {
    size_t stroked = 0;
    for (size_t i = 0; i < t->shot->wires.count; i++)
        stroked += iw_stroke_at(t->shot, i, index) != NULL;
    if (stroked == t->shot->wires.count)
        return IPOS_OK;
    IP_TRY(ip_plane_new(own->labels.width, own->labels.height, &own->sure));
    for (size_t i = 0; i < own->count; i++)
        ip_curve_band(&own->curves[i], NULL, 14 * iw_lines(t->shot), 0, 0, 0, &own->sure);
    return IPOS_OK;
}

static ipos_status label_frame(tuning *t, size_t index) {
    labelled *own;
    ip_plane_f luma, ridges = {0};
    IP_TRY(take_plate(t, index, &own));
    IP_TRY(ip_plane_new(own->image.c[0].width, own->image.c[0].height, &own->labels));
    IP_TRY(ip_plane_new(own->labels.width, own->labels.height, &luma));
    ip_luma(&own->image, -1, 2, &luma, t->shot->host->threads);
    ipos_status status = ip_ridges(&luma, .05f, t->shot->host->threads, &ridges);
    for (size_t i = 0; i < t->shot->wires.count && status == IPOS_OK; i++)
        if (is_lesson(t->shot, i, index))
            status = snap(t, &luma, &ridges, iw_stroke_at(t->shot, i, index), own);
    ip_plane_free(&luma);
    ip_plane_free(&ridges);
    return status == IPOS_OK ? doubt_rest(t, index, own) : status;
}

static ipos_status collect(tuning *t) {
    const iw_shot *shot = t->shot;
    size_t known = 0, others = 0;
    t->owned = ip_calloc(shot->count, sizeof *t->owned);
    t->plates = ip_calloc(shot->count, sizeof *t->plates);
    if (!t->owned || !t->plates)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < shot->count; i++)
        if (lessons(shot, i)) {
            IP_TRY(label_frame(t, i));
            known++;
        }
    for (size_t i = 0; i < OTHERS && i + known < shot->count; i++) {
        labelled *own;
        size_t index = i * (shot->count - 1) / OTHERS;
        if (!lessons(shot, index) && others++ < OTHERS)
            IP_TRY(take_plate(t, index, &own));
    }
    for (size_t i = 0; i < t->count; i++)
        t->plates[i] = (iw_plate){.image = t->owned[i].image, .passing = t->owned[i].passing, .grain = ip_plate_grain(&t->owned[i].image),
            .labels = t->owned[i].labels.data ? &t->owned[i].labels : NULL, .sure = t->owned[i].sure.data ? &t->owned[i].sure : NULL, .curves = t->owned[i].curves, .curve_count = t->owned[i].count};
    t->known = known;
    return IPOS_OK;
}

static ipos_status draw(void *user, ip_rng *rng, ip_wire_example *example) {
    tuning *t = user;
    return iw_sample(&t->sampler, rng, example);
}

static ipos_status held_out(void *user, int64_t index, ip_wire_example *example) {
    ip_rng rng = ip_rng_at(7777, (uint64_t)index);
    return draw(user, &rng, example);
}

static ipos_status progress(void *user, double done, const char *stage, const char *extra) {
    tuning *t = user;
    (void)done, (void)stage, (void)extra;
    return t->shot->tick ? t->shot->tick(t->shot->user) : IPOS_OK;
}

ipos_status iw_tune(iw_shot *shot, const ip_wire_net *start, const ip_backend_v1 *backend, int32_t device, int64_t steps, uint64_t seed,
    ip_wire_net **out) {
    tuning t = {.shot = shot};
    ip_train_result result;
    *out = NULL;
    ipos_status status = collect(&t);
    if (status != IPOS_OK || !t.known) {
        tuning_free(&t);
        return status;
    }
    t.sampler = (iw_sampler){.plates = t.plates, .count = t.count, .scale = iw_lines(shot), .known_share = .6f};
    status = start ? ip_wire_net_copy(start, out) : ip_wire_net_new(backend, device, seed, out);
    /* Chosen by its score on crops of this very shot, the network that had learnt nothing was kept: a few ropes among drawn wires weigh nothing there. */
    const ip_wire_training training = {.user = &t, .draw = draw, .held_out = held_out, .held_out_count = HELD, .threads = shot->host->threads,
        .plan = {.steps = steps, .seed = seed, .rate = start ? 1e-3 : 2e-3, .warm_up = start ? 10 : 50, .ema = start ? .97 : .99, .validations = 1, .keep_last = true},
        .host = {.user = &t, .progress = progress}};
    if (status == IPOS_OK)
        status = ip_wire_net_train(*out, &training, &result);
    if (status != IPOS_OK) {
        ip_wire_net_free(*out);
        *out = NULL;
    }
    tuning_free(&t);
    return status;
}
