/* lib/vision: what lies behind a wire. */
#include "scene.h"
#include "wire_fill.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

/* A textured plate in even motion, and a wire over it that moves on its own. */
typedef struct stage {
    scene scene;
    int frames;
    double wire_speed;       /* px a frame, across */
    int wire_width;
    bool soft;               /* the wire's cover falls to nothing before the matte ends */
    bool whole, poison;      /* a matte over everything; not-finite and huge samples in the plate */
    float grain;
    bool plate;              /* sequence 1: a clean plate, moved and darker */
    ipos_status fail;        /* of the colour callback at frame fail_at */
    size_t fail_at, calls;
} stage;

static const float WIRE = -.05f;

static double aside(const stage *s, size_t index, int x, int y) {
    return fabs(x - (.35 * s->scene.width + .25 * y + s->wire_speed * ((double)index - s->frames / 2)));
}

static bool under_wire(const stage *s, size_t index, int x, int y) { return aside(s, index, x, y) <= .5 * s->wire_width; }

static float cover(const stage *s, size_t index, int x, int y) {
    return s->soft ? (float)fmin(fmax((3.5 - aside(s, index, x, y)) / 2.5, 0), 1) : under_wire(s, index, x, y) ? 1.f : 0.f;
}

static float truth(const stage *s, size_t sequence, size_t index, int x, int y, int c) {
    scene moved = s->scene;
    float v = sequence > 0 ? .8f * scene_at(&moved, 0, x - 9, y + 5) : scene_at(&moved, (double)index, x, y);
    if (s->grain > 0) {
        ip_rng rng = ip_rng_at(77 + index, (uint64_t)y << 32 | (uint64_t)(4 * x + c));
        v += s->grain * (float)ip_rng_normal(&rng);
    }
    return v * (1.f - .1f * (float)c);
}

static ipos_status colour(void *user, size_t sequence, size_t index, ip_box_i box, const ip_image3 *to) {
    stage *s = user;
    assert_true(box.x >= 0 && box.y >= 0 && box.width > 0 && box.height > 0);
    assert_true(box.x + box.width <= s->scene.width && box.y + box.height <= s->scene.height);
    s->calls++;
    if (s->fail != IPOS_OK && index == s->fail_at)
        return ip_fail(s->fail, "frame is lost");
    for (int y = box.y; y < box.y + box.height; y++)
        for (int x = box.x; x < box.x + box.width; x++)
            for (int c = 0; c < 3; c++) {
                float plate = truth(s, sequence, index, x, y, c), k = sequence == 0 ? cover(s, index, x, y) : 0.f;
                float v = k < 1.f ? plate + k * (WIRE - plate) : WIRE;
                if (s->poison && (x * 7 + y * 13 + (int)index) % 97 == 0)
                    v = (x + y) % 3 == 0 ? NAN : (x + y) % 3 == 1 ? INFINITY : -1e30f;
                ip_row(&to->c[c], y - box.y)[x - box.x] = v;
            }
    return IPOS_OK;
}

static ipos_status matte(void *user, size_t sequence, size_t index, ip_box_i box, const ip_plane_f *to) {
    const stage *s = user;
    for (int y = box.y; y < box.y + box.height; y++)
        for (int x = box.x; x < box.x + box.width; x++)
            ip_row(to, y - box.y)[x - box.x] = sequence == 0 && (s->whole || under_wire(s, index, x, y)) ? 1.f : 0.f;
    return IPOS_OK;
}

typedef struct outcome {
    ip_plane_f colour[3], evidence, times;
    double error; /* root mean square over the hole */
    size_t pixels;
} outcome;

static void outcome_free(outcome *o) {
    ip_planes_free(o->colour, 3);
    ip_plane_free(&o->evidence);
    ip_plane_free(&o->times);
}

static void paste(const stage *s, const ip_wire_tile *t, size_t index, outcome *o) {
    assert_true(t->box.x >= 0 && t->box.y >= 0 && t->box.x + t->box.width <= s->scene.width && t->box.y + t->box.height <= s->scene.height);
    assert_true(t->box.width <= 192 && t->box.height <= 192);
    for (int y = 0; y < t->box.height; y++)
        for (int x = 0; x < t->box.width; x++) {
            int fx = x + t->box.x, fy = y + t->box.y;
            bool wire = s->whole || under_wire(s, index, fx, fy), own = ip_row(&t->hole, y)[x] > 0.f;
            assert_true(!own || wire);
            for (int c = 0; c < 3; c++) {
                float v = ip_row(&t->colour.c[c], y)[x], as_it_was = truth(s, 0, index, fx, fy, c);
                if (!wire && !s->poison)
                    assert_true(v == as_it_was && ip_row(&t->slot[2].c[c], y)[x] == as_it_was);
                assert_true(!wire || isfinite(v));
                if (t->grain.c[0].data && !own)
                    assert_true(ip_row(&t->grain.c[c], y)[x] == 0.f);
                if (own) {
                    v += t->grain.c[0].data ? ip_row(&t->grain.c[c], y)[x] : 0.f;
                    ip_row(&o->colour[c], fy)[fx] = v;
                    o->error += (double)(v - as_it_was) * (v - as_it_was);
                }
            }
            float confidence = ip_row(&t->confidence, y)[x], evidence = ip_row(&t->evidence, y)[x];
            assert_true(confidence >= 0.f && confidence <= 1.f && (own || confidence == 1.f));
            assert_true(own ? evidence >= 1.f && evidence <= 3.f : evidence == 0.f);
            for (int i = 0; i < IP_WIRE_SLOTS; i++)
                assert_true(ip_row(&t->logit[i], y)[x] >= -12.f && ip_row(&t->logit[i], y)[x] <= 0.f);
            for (int i = 0; i < IP_WIRE_SIDES; i++)
                assert_true(isfinite(ip_row(&t->side[i], y)[x]));
            if (own) {
                ip_row(&o->evidence, fy)[fx] = evidence;
                ip_row(&o->times, fy)[fx] += 1.f;
                o->pixels++;
            }
        }
}

static void run(stage *s, size_t index, const ip_wire_fill_options *options, int threads, outcome *o) {
    size_t counts[2] = {(size_t)s->frames, 1}, count;
    ip_wire_source source = {s, s->scene.width, s->scene.height, counts, s->plate ? 2 : 1, colour, matte, NULL, threads};
    ip_wire_fill *fill;
    ip_wire_tile *tiles;
    memset(o, 0, sizeof *o);
    assert_int_equal(ip_planes_new(s->scene.width, s->scene.height, o->colour, 3), IPOS_OK);
    assert_int_equal(ip_plane_new(s->scene.width, s->scene.height, &o->evidence), IPOS_OK);
    assert_int_equal(ip_plane_new(s->scene.width, s->scene.height, &o->times), IPOS_OK);
    assert_int_equal(ip_wire_fill_open(&source, options, &fill), IPOS_OK);
    assert_int_equal(ip_wire_fill_frame(fill, index, &tiles, &count), IPOS_OK);
    for (size_t i = 0; i < count; i++)
        paste(s, &tiles[i], index, o);
    ip_wire_tiles_free(tiles, count);
    ip_wire_fill_close(fill);
    for (int y = 0; y < s->scene.height; y++)
        for (int x = 0; x < s->scene.width; x++)
            assert_true(ip_row(&o->times, y)[x] == (s->whole || under_wire(s, index, x, y) ? 1.f : 0.f));
    o->error = o->pixels ? sqrt(o->error / (3. * (double)o->pixels)) : 0;
}

static double share(const outcome *o, float kind) {
    size_t n = 0;
    for (int y = 0; y < o->evidence.height; y++)
        for (int x = 0; x < o->evidence.width; x++)
            n += ip_row(&o->evidence, y)[x] == kind;
    return o->pixels ? (double)n / (double)o->pixels : 0;
}

static const stage MOVING = {.scene = {.width = 300, .height = 220, .vx = 3.3, .vy = -1.2}, .frames = 9, .wire_speed = -4, .wire_width = 5};

static void test_seen_in_other_frames(void **state) {
    (void)state;
    stage s = MOVING;
    outcome o;
    run(&s, 4, NULL, 2, &o);
    assert_true(o.error < .006);
    assert_true(share(&o, 1.f) > .9);
    outcome_free(&o);
}

static void test_same_for_any_threads(void **state) {
    (void)state;
    stage s = MOVING;
    outcome a, b;
    ip_wire_fill_options options = {.grain = true, .seed = 5};
    run(&s, 3, &options, 1, &a);
    run(&s, 3, &options, 3, &b);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < s.scene.height; y++)
            assert_memory_equal(ip_row(&a.colour[c], y), ip_row(&b.colour[c], y), (size_t)s.scene.width * sizeof(float));
    outcome_free(&a);
    outcome_free(&b);
}

static void test_still_wire_is_invented(void **state) {
    (void)state;
    stage s = MOVING;
    s.scene.vx = s.scene.vy = s.wire_speed = 0;
    outcome o;
    run(&s, 4, NULL, 1, &o);
    assert_true(share(&o, 3.f) == 1.);
    assert_true(o.error < .06);
    outcome_free(&o);
}

static double apart_by(const outcome *a, const outcome *b) {
    double sum = 0, n = 0;
    for (int y = 0; y < a->evidence.height; y++)
        for (int x = 0; x < a->evidence.width; x++)
            if (ip_row(&a->evidence, y)[x] > 0.f && ip_row(&b->evidence, y)[x] > 0.f) {
                sum += fabs(ip_row(&a->colour[1], y)[x] - ip_row(&b->colour[1], y)[x]);
                n++;
            }
    assert_true(n > 0);
    return sum / n;
}

static const stage LOCKED = {.scene = {.width = 112, .height = 80}, .frames = 48, .wire_speed = .4, .wire_width = 5, .grain = .01f};

static void test_still_camera_holds_what_it_saw(void **state) {
    (void)state;
    stage s = LOCKED;
    outcome near, held;
    run(&s, 24, &(ip_wire_fill_options){.reach = 7}, 2, &near);
    run(&s, 24, &(ip_wire_fill_options){.reach = 7, .held = true}, 2, &held);
    assert_true(share(&near, 3.f) > .05 && share(&held, 3.f) < .2 * share(&near, 3.f)); /* the wire leaves a place within 13 frames */
    assert_true(held.error < .8 * near.error);
    outcome_free(&near);
    outcome_free(&held);
}

static void test_what_is_never_seen_does_not_flicker(void **state) {
    (void)state;
    stage s = LOCKED;
    outcome o[4];
    s.wire_speed = 0;
    for (int i = 0; i < 4; i++)
        run(&s, 20 + (size_t)(i & 1), &(ip_wire_fill_options){.reach = 7, .held = i > 1}, 2, &o[i]);
    assert_true(share(&o[2], 3.f) > .9);
    assert_true(apart_by(&o[2], &o[3]) < .5 * apart_by(&o[0], &o[1]));
    for (int i = 0; i < 4; i++)
        outcome_free(&o[i]);
}

static void test_moving_camera_holds_nothing(void **state) {
    (void)state;
    stage s = MOVING;
    outcome a, b;
    run(&s, 4, &(ip_wire_fill_options){.reach = 7}, 2, &a);
    run(&s, 4, &(ip_wire_fill_options){.reach = 7, .held = true}, 2, &b);
    assert_true(apart_by(&a, &b) == 0 && a.error == b.error);
    outcome_free(&a);
    outcome_free(&b);
}

static void test_failure_while_the_shot_is_gone_through(void **state) {
    (void)state;
    stage s = LOCKED;
    size_t counts[1] = {(size_t)s.frames}, count = 7;
    ip_wire_source source = {&s, s.scene.width, s.scene.height, counts, 1, colour, matte, NULL, 1};
    ip_wire_fill *fill;
    ip_wire_tile *tiles = (ip_wire_tile *)&count;
    assert_int_equal(ip_wire_fill_open(&source, &(ip_wire_fill_options){.reach = 7, .held = true}, &fill), IPOS_OK);
    s.fail = IPOS_ERR_IO;
    s.fail_at = 44; /* further off than the reach */
    assert_int_equal(ip_wire_fill_frame(fill, 20, &tiles, &count), IPOS_ERR_IO);
    assert_true(!tiles && count == 0);
    s.fail = IPOS_OK;
    assert_int_equal(ip_wire_fill_frame(fill, 20, &tiles, &count), IPOS_OK); /* and it may be asked again */
    assert_true(count > 0);
    ip_wire_tiles_free(tiles, count);
    ip_wire_fill_close(fill);
}

static void test_clean_plate(void **state) {
    (void)state;
    stage s = MOVING;
    s.scene.vx = s.scene.vy = s.wire_speed = 0;
    s.wire_width = 15;
    s.plate = true;
    outcome o;
    run(&s, 4, NULL, 1, &o);
    assert_true(share(&o, 2.f) > .9);
    assert_true(o.error < .025);
    outcome_free(&o);
}

static void test_single_frame_and_tiny(void **state) {
    (void)state;
    stage s = MOVING;
    s.frames = 1;
    outcome o;
    run(&s, 0, NULL, 2, &o);
    assert_true(share(&o, 3.f) == 1.);
    outcome_free(&o);
    static const int sizes[][2] = {{8, 8}, {1, 1}, {1, 40}, {40, 2}, {17, 9}};
    for (size_t i = 0; i < IP_COUNT(sizes); i++)
        for (int whole = 0; whole < 2; whole++) {
            stage tiny = {.scene = {.width = sizes[i][0], .height = sizes[i][1], .vx = .5}, .frames = 4, .wire_speed = 1, .wire_width = 2, .whole = whole};
            run(&tiny, 1, &(ip_wire_fill_options){.grain = true}, 1, &o);
            outcome_free(&o);
        }
}

static void test_matte_over_everything(void **state) {
    (void)state;
    stage s = MOVING;
    s.whole = true;
    outcome o;
    run(&s, 4, NULL, 2, &o);
    assert_true(o.pixels == 300 * 220 && share(&o, 3.f) == 1.);
    outcome_free(&o);
}

static void test_damage_does_not_spread(void **state) {
    (void)state;
    stage s = MOVING;
    s.poison = true;
    outcome o;
    run(&s, 4, NULL, 1, &o);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < s.scene.height; y++)
            for (int x = 0; x < s.scene.width; x++)
                if (under_wire(&s, 4, x, y))
                    assert_true(fabsf(ip_row(&o.colour[c], y)[x] - truth(&s, 0, 4, x, y, c)) < .25f);
    assert_true(o.error < .03);
    outcome_free(&o);
}

/* Root mean square where less than half of the plate is covered. */
static double edge_error(const stage *s, const outcome *o) {
    double sum = 0, n = 0;
    for (int y = 0; y < s->scene.height; y++)
        for (int x = 0; x < s->scene.width; x++)
            for (int c = 0; c < 3 && under_wire(s, 4, x, y) && cover(s, 4, x, y) < .5f; c++, n++)
                sum += pow(ip_row(&o->colour[c], y)[x] - truth(s, 0, 4, x, y, c), 2);
    return sqrt(sum / n);
}

/* A soft wire that hides one place in all frames: only its own edges still show what is there. */
static void test_plate_shines_through(void **state) {
    (void)state;
    stage s = MOVING;
    s.scene.vx = s.scene.vy = s.wire_speed = 0;
    s.wire_width = 9;
    s.soft = true;
    s.grain = .04f;
    outcome seen, covered;
    run(&s, 4, NULL, 1, &seen);
    run(&s, 4, &(ip_wire_fill_options){.covered = true}, 1, &covered);
    assert_true(edge_error(&s, &seen) < .7 * edge_error(&s, &covered));
    assert_true(share(&covered, 3) > .95 && share(&seen, 3) < .8);
    outcome_free(&seen);
    outcome_free(&covered);
    s.soft = false; /* under a hard one there is nothing to be seen */
    run(&s, 4, NULL, 1, &seen);
    run(&s, 4, &(ip_wire_fill_options){.covered = true}, 1, &covered);
    assert_true(seen.error < 1.02 * covered.error && share(&seen, 3) > .95);
    outcome_free(&seen);
    outcome_free(&covered);
}

static void test_grain(void **state) {
    (void)state;
    stage s = MOVING;
    s.grain = .03f;
    outcome with, without, again, other;
    run(&s, 4, &(ip_wire_fill_options){.seed = 1}, 1, &without);
    run(&s, 4, &(ip_wire_fill_options){.seed = 1, .grain = true}, 1, &with);
    run(&s, 4, &(ip_wire_fill_options){.seed = 1, .grain = true}, 1, &again);
    run(&s, 4, &(ip_wire_fill_options){.seed = 2, .grain = true}, 1, &other);
    double power[3] = {0};
    size_t n = 0, differ = 0;
    stage clean = s;
    clean.grain = 0;
    for (int y = 1; y < s.scene.height - 1; y++)
        for (int x = 1; x < s.scene.width - 1; x++) {
            if (!under_wire(&s, 4, x, y))
                continue;
            n++;
            const outcome *list[] = {&without, &with};
            for (int i = 0; i < 2; i++)
                power[i] += pow(ip_row(&list[i]->colour[1], y)[x] - truth(&clean, 0, 4, x, y, 1), 2);
            assert_true(ip_row(&with.colour[1], y)[x] == ip_row(&again.colour[1], y)[x]);
            differ += ip_row(&with.colour[1], y)[x] != ip_row(&other.colour[1], y)[x];
        }
    double expected = .03 * .9;
    assert_true(sqrt(power[0] / (double)n) < .75 * expected);
    assert_true(fabs(sqrt(power[1] / (double)n) / expected - 1) < .25);
    assert_true(differ > n / 2);
    outcome_free(&with);
    outcome_free(&without);
    outcome_free(&again);
    outcome_free(&other);
}

/* Frame 4 and, of `count`, the frames beside it, filled and steadied. */
typedef struct steadied {
    ip_wire_filled filled[3]; /* 4, 3, 5 */
    ip_wire_steadied *of;
} steadied;

static void steady(stage *s, size_t count, int threads, steadied *out) {
    static const size_t index[3] = {4, 3, 5};
    const size_t frames = (size_t)s->frames;
    const ip_wire_source source = {.user = s, .width = s->scene.width, .height = s->scene.height, .count = &frames, .sequences = 1, .colour = colour,
        .matte = matte, .threads = threads};
    ip_wire_fill *fill;
    assert_int_equal(ip_wire_fill_open(&source, &(ip_wire_fill_options){.reach = 7}, &fill), IPOS_OK);
    for (size_t i = 0; i < 3; i++) {
        out->filled[i].index = index[i];
        assert_int_equal(ip_wire_fill_frame(fill, index[i], &out->filled[i].tiles, &out->filled[i].count), IPOS_OK);
        ip_wire_tiles_slim(out->filled[i].tiles, out->filled[i].count);
    }
    assert_int_equal(ip_wire_steady(fill, &out->filled[0], out->filled + 1, count, &out->of), IPOS_OK);
    ip_wire_fill_close(fill);
}

static void steadied_free(steadied *s) {
    ip_wire_steadied_free(s->of, s->filled[0].count);
    for (size_t i = 0; i < 3; i++)
        ip_wire_tiles_free(s->filled[i].tiles, s->filled[i].count);
}

/* Mean square distance of the fill, as made or steadied, from the plate without grain. */
static double from_plate(const stage *s, const steadied *of, bool after) {
    stage clean = *s;
    double sum = 0, count = 0;
    clean.grain = 0;
    for (size_t i = 0; i < of->filled[0].count; i++) {
        const ip_wire_tile *t = &of->filled[0].tiles[i];
        const ip_image3 *picture = after ? &of->of[i].colour : &t->colour;
        for (int y = 0; y < t->box.height; y++)
            for (int x = 0; x < t->box.width; x++)
                for (int c = 0; c < 3 && ip_row(&t->hole, y)[x] > 0; c++, count++) {
                    double d = (double)ip_row(&picture->c[c], y)[x] - truth(&clean, 0, 4, t->box.x + x, t->box.y + y, c);
                    assert_true(s->poison || isfinite(d));
                    sum += isfinite(d) ? d * d : 0;
                }
    }
    assert_true(count > 1000);
    return sum / count;
}

static void test_steadied_by_the_frames_beside(void **state) {
    (void)state;
    stage s = MOVING;
    steadied both, alone, threads;
    s.grain = .03f;
    steady(&s, 2, 1, &both);
    steady(&s, 0, 1, &alone);
    steady(&s, 2, 3, &threads);
    assert_true(from_plate(&s, &both, true) < .87 * from_plate(&s, &both, false));
    for (size_t i = 0; i < both.filled[0].count; i++) {
        const ip_wire_tile *t = &both.filled[0].tiles[i];
        for (int y = 0; y < t->box.height; y++)
            for (int c = 0; c < 3; c++) {
                size_t bytes = (size_t)t->box.width * sizeof(float);
                assert_memory_equal(ip_row(&alone.of[i].colour.c[c], y), ip_row(&t->colour.c[c], y), bytes);
                assert_memory_equal(ip_row(&both.of[i].colour.c[c], y), ip_row(&threads.of[i].colour.c[c], y), bytes);
                for (int x = 0; x < t->box.width; x++) {
                    bool hole = ip_row(&t->hole, y)[x] > 0;
                    assert_true(hole || ip_row(&both.of[i].colour.c[c], y)[x] == ip_row(&t->colour.c[c], y)[x]);
                    assert_true(ip_row(&both.of[i].lacking, y)[x] >= ip_row(&t->lacking, y)[x] - 1e-6f && ip_row(&both.of[i].lacking, y)[x] <= 1);
                }
            }
    }
    steadied_free(&both);
    steadied_free(&alone);
    steadied_free(&threads);
    s.poison = true;
    steady(&s, 2, 2, &both);
    for (size_t i = 0; i < both.filled[0].count; i++)
        for (int y = 0; y < both.of[i].lacking.height; y++)
            for (int x = 0; x < both.of[i].lacking.width; x++)
                if (ip_row(&both.filled[0].tiles[i].hole, y)[x] > 0)
                    assert_true(isfinite(ip_row(&both.of[i].colour.c[1], y)[x]));
    steadied_free(&both);
}

static ipos_status stop(void *user) {
    (void)user;
    return ip_fail(IPOS_ERR_CANCELLED, "enough");
}

static void test_failures_come_out(void **state) {
    (void)state;
    stage s = MOVING;
    size_t counts[1] = {9}, count = 7;
    s.fail = IPOS_ERR_IO;
    s.fail_at = 5;
    ip_wire_source source = {&s, 300, 220, counts, 1, colour, matte, NULL, 2};
    ip_wire_fill *fill;
    ip_wire_tile *tiles;
    assert_int_equal(ip_wire_fill_open(&source, NULL, &fill), IPOS_OK);
    assert_int_equal(ip_wire_fill_frame(fill, 4, &tiles, &count), IPOS_ERR_IO);
    assert_true(!tiles && count == 0);
    assert_int_equal(ip_wire_fill_frame(fill, 9, &tiles, &count), IPOS_ERR_ARGUMENT);
    ip_wire_fill_close(fill);
    s.fail = IPOS_OK;
    source.tick = stop;
    assert_int_equal(ip_wire_fill_open(&source, NULL, &fill), IPOS_OK);
    assert_int_equal(ip_wire_fill_frame(fill, 4, &tiles, &count), IPOS_ERR_CANCELLED);
    ip_wire_fill_close(fill);
    source.sequences = 0;
    assert_int_equal(ip_wire_fill_open(&source, NULL, &fill), IPOS_ERR_ARGUMENT);
    assert_true(!fill);
    ip_wire_fill_close(NULL);
}

static void test_spatial_fill(void **state) {
    (void)state;
    ip_plane_f p, hole;
    assert_int_equal(ip_plane_new(60, 50, &p), IPOS_OK);
    assert_int_equal(ip_plane_new(60, 50, &hole), IPOS_OK);
    for (int y = 0; y < 50; y++)
        for (int x = 0; x < 60; x++) {
            bool in = abs(x - 20 - y / 2) <= 4;
            ip_row(&p, y)[x] = in ? NAN : .01f * (float)x - .02f * (float)y;
            ip_row(&hole, y)[x] = in ? 1.f : 0.f;
        }
    ip_row(&p, 25)[50] = INFINITY; /* far from the hole, and right beside it */
    ip_row(&p, 25)[38] = NAN;
    assert_int_equal(ip_spatial_fill(&p, 1, &hole, 2), IPOS_OK);
    assert_true(isinf(ip_row(&p, 25)[50]) && isnan(ip_row(&p, 25)[38]));
    for (int y = 0; y < 50; y++)
        for (int x = 0; x < 60; x++)
            if (ip_row(&hole, y)[x] > 0.f)
                assert_true(fabsf(ip_row(&p, y)[x] - (.01f * (float)x - .02f * (float)y)) < .01f); /* a slope goes on */
    ip_plane_fill(&hole, 1.f);
    assert_int_equal(ip_spatial_fill(&p, 1, &hole, 1), IPOS_OK);
    assert_true(ip_row(&p, 10)[10] == 0.f);
    ip_plane_free(&p);
    ip_plane_free(&hole);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seen_in_other_frames),
        cmocka_unit_test(test_same_for_any_threads),
        cmocka_unit_test(test_still_wire_is_invented),
        cmocka_unit_test(test_still_camera_holds_what_it_saw), cmocka_unit_test(test_what_is_never_seen_does_not_flicker),
        cmocka_unit_test(test_moving_camera_holds_nothing), cmocka_unit_test(test_failure_while_the_shot_is_gone_through),
        cmocka_unit_test(test_clean_plate),
        cmocka_unit_test(test_single_frame_and_tiny),
        cmocka_unit_test(test_matte_over_everything),
        cmocka_unit_test(test_damage_does_not_spread), cmocka_unit_test(test_plate_shines_through),
        cmocka_unit_test(test_grain), cmocka_unit_test(test_steadied_by_the_frames_beside),
        cmocka_unit_test(test_failures_come_out),
        cmocka_unit_test(test_spatial_fill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
