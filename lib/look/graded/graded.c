#include "graded_internal.h"

enum { FRAMES = 6, HALVES = 4, SUGGEST_FRAMES = 3 };
static const double CONFIDENCE = .5;

ipos_status ip_graded_new(uint64_t seed, ip_graded **out) {
    *out = ip_calloc(1, sizeof **out);
    if (!*out)
        return IPOS_ERR_NO_MEMORY;
    (*out)->seed = seed;
    (*out)->part = ip_calloc(IP_GRADED_SHOTS_MOST * FRAMES * HALVES, sizeof *(*out)->part);
    (*out)->shot = ip_calloc(IP_GRADED_SHOTS_MOST * FRAMES, sizeof *(*out)->shot);
    if ((*out)->part && (*out)->shot)
        return IPOS_OK;
    ip_graded_free(*out);
    *out = NULL;
    return IPOS_ERR_NO_MEMORY;
}

void ip_graded_free(ip_graded *graded) {
    if (!graded)
        return;
    ip_kernel_fit_free(&graded->fit);
    ip_free(graded->part);
    ip_free(graded->shot);
    ip_free(graded);
}

static ipos_status same_encoding(const ip_graded *graded, const ip_look_source *source) {
    IP_TRY(ip_look_check(source, "graded: the shot"));
    if (graded->shots && graded->like.encoding != source->encoding)
        return ip_fail(IPOS_ERR_ARGUMENT, "graded: a shot is %s and another %s, expected one encoding; convert one of them", source->encoding->name,
            graded->like.encoding->name);
    return IPOS_OK;
}

ipos_status ip_graded_add(ip_graded *graded, const ip_look_source *shot) {
    IP_TRY(same_encoding(graded, shot));
    if (graded->shots == IP_GRADED_SHOTS_MOST)
        return IPOS_OK;
    if (!graded->shots)
        graded->like = (ip_look_source){.encoding = shot->encoding, .clip = shot->clip, .threads = 1};
    const size_t chosen = ip_look_spread(shot->count, FRAMES);
    for (size_t i = 0; i < chosen; i++) {
        ip_image3 picture;
        if (!ip_alive(shot->pulse))
            return ip_fail(IPOS_ERR_CANCELLED, "graded: cancelled");
        IP_TRY(ip_part_picture(shot, ip_look_spread_at(shot->count, chosen, i), &picture));
        const int w = picture.c[0].width, h = picture.c[0].height;
        const ip_box_i halves[HALVES] = {{0, 0, w / 2, h}, {w / 2, 0, w - w / 2, h}, {0, 0, w, h / 2}, {0, h / 2, w, h - h / 2}};
        ip_part *part = &graded->part[graded->frames * HALVES];
        for (int k = 0; k < HALVES; k++)
            ip_part_add(&picture, halves[k], IP_PART_MOST, &part[k]);
        graded->shot[graded->frames++] = graded->shots;
        ip_image3_free(&picture);
    }
    graded->shots++;
    return IPOS_OK;
}

/* Of the halves that show enough; the shots they are of are counted anew. */
static ipos_status examples_of(const ip_graded *graded, ip_example *examples, size_t *count, int64_t *shots) {
    int64_t last = -1;
    *count = 0;
    *shots = 0;
    for (size_t i = 0; i < graded->frames * HALVES; i++) {
        ip_example *e = &examples[*count];
        ip_rng rng = ip_rng_at(graded->seed, i);
        bool usable;
        e->was = graded->part[i];
        e->reference = &graded->part[i ^ 1];
        ip_part_grade(&graded->like, &e->was, &rng, &e->graded);
        IP_TRY(ip_part_way_back(&graded->like, &e->graded, &e->was, e->out, &usable));
        if (!usable)
            continue;
        IP_TRY(ip_part_inputs(&graded->like, &e->graded, e->reference, e->in));
        *shots += graded->shot[i / HALVES] != last;
        last = graded->shot[i / HALVES];
        e->shot = *shots - 1;
        ++*count;
    }
    return IPOS_OK;
}

ipos_status ip_graded_learn(ip_graded *graded, ip_graded_score *score) {
    size_t count = 0;
    *score = graded->score = (ip_graded_score){0};
    ip_example *examples = ip_calloc(graded->frames * HALVES + 1, sizeof *examples);
    ipos_status status = examples ? examples_of(graded, examples, &count, &graded->score.shots) : IPOS_ERR_NO_MEMORY;
    graded->score.examples = (int64_t)count;
    if (status == IPOS_OK && graded->score.shots >= IP_GRADED_SHOTS_LEAST)
        status = ip_graded_judge(&graded->like, examples, count, &graded->score);
    if (status == IPOS_OK && graded->score.better)
        status = ip_graded_fit(examples, count, -1, &graded->fit);
    ip_free(examples);
    *score = graded->score;
    return status;
}

static ipos_status whole(const ip_look_source *source, ip_part *out) {
    const size_t chosen = ip_look_spread(source->count, SUGGEST_FRAMES);
    *out = (ip_part){0};
    for (size_t i = 0; i < chosen; i++) {
        ip_image3 picture;
        IP_TRY(ip_part_picture(source, ip_look_spread_at(source->count, chosen, i), &picture));
        ip_part_add(&picture, (ip_box_i){0, 0, picture.c[0].width, picture.c[0].height}, IP_PART_MOST / chosen, out);
        ip_image3_free(&picture);
    }
    return IPOS_OK;
}

ipos_status ip_graded_suggest(const ip_graded *graded, const ip_look_source *shot, const ip_look_source *reference, ip_shot_match *match) {
    double in[IP_GRADED_IN], out[IP_GRADED_OUT];
    ip_grade_pair pairs[IP_PART_MOST];
    IP_TRY(same_encoding(graded, shot));
    IP_TRY(same_encoding(graded, reference));
    ip_part *part = ip_calloc(2, sizeof *part);
    ipos_status status = part ? whole(shot, &part[0]) : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK)
        status = whole(reference, &part[1]);
    if (status == IPOS_OK)
        status = ip_part_inputs(&graded->like, &part[0], &part[1], in);
    if (status == IPOS_OK) {
        ip_kernel_fit_at(&graded->fit, in, out);
        status = ip_part_change(&part[0], out, pairs, &match->grade);
    }
    if (status == IPOS_OK) {
        match->reading.confidence = CONFIDENCE * (1. - graded->score.learned / graded->score.none);
        status = ip_shot_match_cdl(pairs, part[0].count, match);
    }
    ip_free(part);
    return status;
}
