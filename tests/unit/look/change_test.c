/* Two takes of one made set-up: what did not change stays unreported, what did is found where it is and called what it is. */
#include "change_report.h"
#include "film.h"

enum { W = 480, H = 270 };

typedef struct scene {
    double x, y;            /* of the camera */
    float gain[3];          /* linear light */
    float noise;
    uint64_t seed;          /* of the noise */
    bool sky, things, lit, tinted, moved, elsewhere;
} scene;

static const scene plain = {.gain = {1.f, 1.f, 1.f}, .noise = .006f, .seed = 1};

static const ip_box_i prop = {120, 90, 26, 30}, prop_after = {196, 112, 26, 30}, added = {330, 170, 30, 30}, lit = {200, 60, 120, 120};

static bool in_box(const ip_box_i *b, double x, double y) { return x >= b->x && y >= b->y && x < b->x + b->width && y < b->y + b->height; }

/* Code values of the set at a place of it. */
static void set_at(const scene *s, double u, double v, double code[3]) {
    uint64_t seed = s->elsewhere ? 6 : 5;
    double base = film_texture(u, v, seed), red = film_texture(v + 900., u, seed), blue = film_texture(u - 700., v + 300., seed);
    code[0] = .42 + .12 * base + .06 * red, code[1] = .42 + .12 * base, code[2] = .4 + .11 * base + .05 * blue;
    if (s->sky && v < 70.)
        for (int c = 0; c < 3; c++)
            code[c] = 1. + .1 * base + .02 * red;
    if (in_box(s->moved ? &prop_after : &prop, u, v))
        code[0] = .75, code[1] = .3, code[2] = .2;
    if (s->things && in_box(&added, u, v))
        code[0] = .15, code[1] = .25 + .1 * film_texture(u + 3000., v, 5), code[2] = .6;
    for (int c = 0; c < 3; c++)
        code[c] = fmax(.02, code[c]);
}

static double about(const ip_box_i *b, double u, double v) {
    double x = (u - b->x - .5 * b->width) / (.5 * b->width), y = (v - b->y - .5 * b->height) / (.5 * b->height);
    return exp(-1.2 * (x * x + y * y));
}

static void shoot(film *f, size_t frame, const scene *s) {
    ip_rng rng = ip_rng_at(s->seed + 100 * frame, 3);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            double code[3], part = about(&lit, x + s->x, y + s->y);
            const double tint[3] = {1. + .3 * part, 1., 1. - .3 * part};
            set_at(s, x + s->x, y + s->y, code);
            for (int c = 0; c < 3; c++) {
                float linear = f->source.encoding->to_linear((float)code[c]) * s->gain[c];
                linear *= (float)((s->lit ? 1. + .6 * part : 1.) * (s->tinted ? tint[c] : 1.));
                float noisy = f->source.encoding->from_linear(fminf(1.f, linear)) + s->noise * (float)ip_rng_normal(&rng);
                ip_row(&f->frame[frame].c[c], y)[x] = fminf(1.f, f->source.encoding->to_linear(noisy));
            }
        }
}

static ip_change_report compared(const scene *take, const scene *reference, int threads) {
    film a, b;
    ip_change_report report;
    film_new(&a, W, H, 1, "srgb", 1.f);
    film_new(&b, W, H, 1, "srgb", 1.f);
    a.source.threads = b.source.threads = threads;
    shoot(&a, 0, take);
    shoot(&b, 0, reference);
    assert_int_equal(ip_change_report_measure(film_start(&a), 0, film_start(&b), 0, NULL, &report), IPOS_OK);
    film_free(&a);
    film_free(&b);
    return report;
}

static scene moved_camera(uint64_t seed) {
    scene s = plain;
    s.x = 7.3, s.y = -4.6;
    s.gain[0] = 1.25f * 1.06f, s.gain[1] = 1.25f, s.gain[2] = 1.25f * .94f;
    s.seed = seed;
    return s;
}

static void an_unchanged_pair_has_no_region(void **state) {
    (void)state;
    scene take = moved_camera(7);
    ip_change_report r = compared(&take, &plain, 1);
    assert_true(ip_measured(&r.reading) && r.reading.confidence > .3);
    if (r.found != 0)
        fail_msg("%d regions in an unchanged pair, the first %s at %d,%d", (int)r.found, ip_change_kind_name(r.region[0].kind), r.region[0].box.x, r.region[0].box.y);
    assert_true(fabs(r.shift[0] - 7.3) < .15 && fabs(r.shift[1] + 4.6) < .15 && fabs(r.zoom - 1.) < .002 && fabs(r.turn) < .1);
    assert_true(ip_measured(&r.global) && fabs(r.red - 1.06) < .012 && fabs(r.blue - .94) < .012);
    assert_true(fabs(r.exposure - log2(1.25 * ip_luma_of(1.06f, 1.f, .94f))) < .03);
    assert_true(fabs(r.contrast - 1.) < .05 && fabs(r.saturation - 1.) < .08);
    assert_true(r.match_before > 4. && r.match_after < 1. && r.share > .5 && r.compared > .85 && r.scale == 1.);
    assert_true(!ip_measured(&r.skin));
    ip_change_report_free(&r);
}

/* The part of truth in the take's frame that the best region's box covers, over what both cover. */
static double overlap(const ip_change_report *r, ip_box_i truth, const scene *take, const ip_change_region **best) {
    double most = 0.;
    truth.x -= (int)lrint(take->x), truth.y -= (int)lrint(take->y);
    for (int64_t i = 0; i < r->regions; i++) {
        const ip_box_i *b = &r->region[i].box;
        double w = IP_MIN(b->x + b->width, truth.x + truth.width) - IP_MAX(b->x, truth.x), h = IP_MIN(b->y + b->height, truth.y + truth.height) - IP_MAX(b->y, truth.y);
        double both = w > 0. && h > 0. ? w * h : 0., part = both / ((double)b->width * b->height + (double)truth.width * truth.height - both);
        if (part > most) {
            most = part;
            *best = &r->region[i];
        }
    }
    return most;
}

static void what_moved_and_what_came_is_found(void **state) {
    (void)state;
    scene take = moved_camera(8);
    take.moved = take.things = true;
    ip_change_report r = compared(&take, &plain, 1);
    const ip_box_i truths[3] = {prop, prop_after, added};
    if (r.found != 3)
        fail_msg("%d regions, expected 3", (int)r.found);
    for (int i = 0; i < 3; i++) {
        const ip_change_region *region = NULL;
        double part = overlap(&r, truths[i], &take, &region);
        if (!(part > .6))
            fail_msg("thing %d: the best box covers %g of it", i, part);
        if (region->kind != IP_CHANGE_THING)
            fail_msg("thing %d is called %s: structure %g, mean %g, certainty %g", i, ip_change_kind_name(region->kind), region->structure, region->mean, region->certainty);
        assert_true(region->mean > 8. && region->peak >= region->mean && region->area > .6 * truths[i].width * truths[i].height);
        assert_true(ip_row(&r.belongs, region->box.y + region->box.height / 2)[region->box.x + region->box.width / 2] == (float)(region - r.region + 1));
    }
    for (int64_t i = 1; i < r.regions; i++)
        assert_true(r.region[i - 1].importance >= r.region[i].importance);
    ip_change_report_free(&r);
}

static void a_clipped_sky_is_no_change(void **state) {
    (void)state;
    scene take = moved_camera(9), reference = plain;
    take.sky = reference.sky = true;
    for (int i = 0; i < 2; i++) {
        ip_change_report r = i ? compared(&reference, &take, 1) : compared(&take, &reference, 1);
        assert_true(ip_measured(&r.reading) && r.compared < .85 && r.compared > .5);
        if (r.found != 0)
            fail_msg("%d regions, the first at %d,%d", (int)r.found, r.region[0].box.x, r.region[0].box.y);
        ip_change_report_free(&r);
    }
}

static void light_and_colour_are_called_so(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        const ip_change_region *region = NULL;
        scene take = moved_camera(10);
        take.lit = i == 0;
        take.tinted = i == 1;
        ip_change_report r = compared(&take, &plain, 1);
        assert_true(r.found >= 1);
        assert_true(overlap(&r, lit, &take, &region) > .4 && region == &r.region[0]);
        assert_int_equal(region->kind, i ? IP_CHANGE_COLOUR : IP_CHANGE_LIGHT);
        assert_true(region->structure > .6);
        if (i == 0)
            assert_true(region->stops > .25 && region->stops < .65);
        ip_change_report_free(&r);
    }
}

static ipos_status fetch_any(void *user, size_t index, const ip_image3 *to) {
    film *f = user;
    f->fetched = 0;
    return film_fetch(user, index, to);
}

static void the_pair_is_chosen(void **state) {
    (void)state;
    film a, b;
    ip_change_report r;
    film_new(&a, W, H, 3, "srgb", 1.f);
    film_new(&b, W, H, 3, "srgb", 1.f);
    a.source.fetch = b.source.fetch = fetch_any;
    for (size_t i = 0; i < 3; i++) {
        scene s = plain;
        s.x = 900. * (double)i + 5.;
        shoot(&a, i, &s);
        s.x = i == 2 ? 910. : -900. * (double)(i + 1);
        shoot(&b, i, &s);
    }
    assert_int_equal(ip_change_report_measure(&a.source, IP_CHANGE_CHOOSE, &b.source, IP_CHANGE_CHOOSE, NULL, &r), IPOS_OK);
    assert_true(ip_measured(&r.reading) && r.frame[0] == 1 && r.frame[1] == 2 && fabs(r.shift[0] + 5.) < .3);
    ip_change_report_free(&r);
    film_free(&a);
    film_free(&b);
}

static void what_cannot_be_compared_is_said(void **state) {
    (void)state;
    film a, b;
    ip_change_report r;
    ip_image3 picture;
    scene elsewhere = plain;
    elsewhere.x = 5000., elsewhere.elsewhere = true;
    film_new(&a, W, H, 1, "srgb", 1.f);
    film_new(&b, W, H, 1, "srgb", 1.f);
    shoot(&a, 0, &plain);
    shoot(&b, 0, &elsewhere);
    assert_int_equal(ip_change_report_measure(film_start(&a), 0, film_start(&b), 0, NULL, &r), IPOS_OK);
    if (!strstr(r.reading.reason, "do not lie over each other"))
        fail_msg("other places are compared: share %g, structure %g, %d regions; %s", r.share, r.structure, (int)r.found, r.reading.reason);
    assert_true(r.found == 0 && r.reading.confidence == 0. && !ip_measured(&r.global));
    assert_int_equal(ip_change_report_picture(&r, &a.source, &a.frame[0], &b.frame[0], &picture), IPOS_ERR_ARGUMENT);
    ip_change_report_free(&r);
    for (int c = 0; c < 3; c++)
        ip_plane_fill(&a.frame[0].c[c], 0.f);
    assert_int_equal(ip_change_report_measure(film_start(&a), 0, film_start(&b), 0, NULL, &r), IPOS_OK);
    assert_true(!ip_measured(&r.reading));
    ip_change_report_free(&r);
    assert_int_equal(ip_change_report_measure(film_start(&a), 1, film_start(&b), 0, NULL, &r), IPOS_ERR_ARGUMENT);
    b.source.encoding = ip_encoding_find("logc3");
    assert_int_equal(ip_change_report_measure(film_start(&a), 0, film_start(&b), 0, NULL, &r), IPOS_ERR_ARGUMENT);
    assert_non_null(strstr(ipos_last_error(), "expected one encoding"));
    film_free(&a);
    film_free(&b);
}

static bool stop(void *user) {
    (void)user;
    return false;
}

static void it_can_be_stopped(void **state) {
    (void)state;
    film a;
    ip_change_report r;
    const ip_pulse pulse = {.beat = stop};
    film_new(&a, W, H, 1, "srgb", 1.f);
    a.source.pulse = &pulse;
    assert_int_equal(ip_change_report_measure(film_start(&a), 0, &a.source, 0, NULL, &r), IPOS_ERR_CANCELLED);
    film_free(&a);
}

static void json_and_picture_say_the_same(void **state) {
    (void)state;
    film a, b;
    ip_change_report r;
    ip_image3 picture;
    scene take = plain;
    take.things = true;
    film_new(&a, W, H, 1, "srgb", 1.f);
    film_new(&b, W, H, 1, "srgb", 1.f);
    shoot(&a, 0, &take);
    shoot(&b, 0, &plain);
    assert_int_equal(ip_change_report_measure(film_start(&a), 0, film_start(&b), 0, NULL, &r), IPOS_OK);
    json_t *value = ip_change_report_json(&r), *list = json_object_get(value, "regions"), *first = json_array_get(list, 0);
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(json_string_value(json_object_get(first, "kind")), "thing");
    assert_int_equal(json_integer_value(json_array_get(json_object_get(first, "box"), 2)), r.region[0].box.width);
    assert_true(json_real_value(json_object_get(value, "exposure")) == r.exposure);
    assert_int_equal(json_array_size(json_object_get(value, "homography")), 9);
    json_decref(value);
    assert_int_equal(ip_change_report_picture(&r, &a.source, &a.frame[0], &b.frame[0], &picture), IPOS_OK);
    assert_int_equal(picture.c[0].width, 3 * W + 8);
    assert_int_equal(picture.c[0].height, H);
    float red = 0.f;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < picture.c[0].width; x++)
            for (int c = 0; c < 3; c++)
                assert_true(ip_row(&picture.c[c], y)[x] >= 0.f && ip_row(&picture.c[c], y)[x] <= 1.f);
    const ip_box_i *box = &r.region[0].box;
    red = ip_row(&picture.c[0], box->y - 1)[W + 4 + box->x + box->width / 2]; /* the frame of the box, on the take */
    assert_true(red > .9f && ip_row(&picture.c[1], box->y - 1)[W + 4 + box->x + box->width / 2] < .3f);
    /* the take's panel is the take */
    assert_true(fabsf(ip_row(&picture.c[1], 20)[W + 4 + 20] - a.source.encoding->from_linear(ip_row(&a.frame[0].c[1], 20)[20])) < 1e-5f);
    ip_image3_free(&picture);
    ip_change_report_free(&r);
    film_free(&a);
    film_free(&b);
}

static void threads_give_the_same_bits(void **state) {
    (void)state;
    scene take = moved_camera(11);
    take.things = true;
    ip_change_report one = compared(&take, &plain, 1), three = compared(&take, &plain, 3);
    assert_memory_equal(one.homography, three.homography, sizeof one.homography);
    assert_memory_equal(&one.grade, &three.grade, sizeof one.grade);
    assert_int_equal(one.found, three.found);
    for (int y = 0; y < H; y++)
        assert_memory_equal(ip_row(&one.difference, y), ip_row(&three.difference, y), W * sizeof(float));
    ip_change_report_free(&one);
    ip_change_report_free(&three);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unchanged_pair_has_no_region),
        cmocka_unit_test(what_moved_and_what_came_is_found),
        cmocka_unit_test(a_clipped_sky_is_no_change),
        cmocka_unit_test(light_and_colour_are_called_so),
        cmocka_unit_test(the_pair_is_chosen),
        cmocka_unit_test(what_cannot_be_compared_is_said),
        cmocka_unit_test(it_can_be_stopped),
        cmocka_unit_test(json_and_picture_say_the_same),
        cmocka_unit_test(threads_give_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
