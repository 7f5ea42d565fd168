/* Wire removal over frames whose background and wires are known. */
#include "fake_host.h"
#include "moving.h"
#include "wires_op.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* A bright wire from the top border to the bottom one, 3 px wide; it goes left while the background goes right. */
static float wire_at(int64_t number, int y) {
    return 80 - 2.0f * (float)number + .15f * (float)y;
}

static float wire_cover(int64_t number, int x, int y) {
    float away = fabsf((float)x + .5f - wire_at(number, y));
    return away < 1 ? 1 : away < 2 ? 2 - away : 0;
}

static ipos_status wired_u8(int64_t number, ipos_frame **out) {
    IP_TRY(moving_u8(number, out));
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                uint8_t *at = (*out)->channels[c].data + y * (*out)->channels[c].row_stride + x * (*out)->channels[c].pixel_stride;
                float cover = wire_cover(number, x, y);
                *at = (uint8_t)lrintf((float)*at * (1 - cover) + 255 * cover);
            }
    return IPOS_OK;
}

/* The same in linear light, half floats among other channels, in a data window that moves. */
static ipos_status wired_exr(int64_t number, ipos_frame **out) {
    IP_TRY(moving_exr(number, out));
    for (int i = 1; i < 4; i++) {
        ip_channel *channel = &(*out)->channels[i];
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                uint16_t *at = (uint16_t *)(void *)(channel->data + y * channel->row_stride + x * channel->pixel_stride);
                float cover = wire_cover(number, x + (*out)->data_window.x, y + (*out)->data_window.y);
                *at = ip_float_to_half(ip_half_to_float(*at) * (1 - cover) + 6 * cover);
            }
    }
    return IPOS_OK;
}

static ipos_status one_plane(int64_t number, float (*value)(int64_t, int, int), ipos_frame **out) {
    static const ipos_channel channel = {"Y", IPOS_U8, 1, 1};
    ipos_box window = {0, 0, W, H};
    IP_TRY(ip_frame_new(&window, NULL, &channel, 1, NULL, NULL, out));
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            (*out)->channels[0].data[y * (*out)->channels[0].row_stride + x * (*out)->channels[0].pixel_stride] =
                (uint8_t)lrintf(255 * value(number, x, y));
    return ipos_frame_set_encoding(*out, "data");
}

static ipos_status painted(int64_t number, ipos_frame **out) {
    return one_plane(number, wire_cover, out);
}

static float lower_half(int64_t number, int x, int y) {
    (void)number, (void)x;
    return y >= H / 2;
}

static ipos_status holdout(int64_t number, ipos_frame **out) {
    return one_plane(number, lower_half, out);
}

static const char stroke[] = "{\"strokes\":[{\"wire\":\"main\",\"frame\":8,\"points\":[[65,1],[68,30],[74,60],[78,95]]}]}";
static const ipos_rational times[] = {{6, 1}, {8, 1}, {10, 1}};

static uint8_t value_u8(const ipos_frame *frame, int c, int x, int y) {
    return frame->channels[c].data[y * frame->channels[c].row_stride + x * frame->channels[c].pixel_stride];
}

/* Mean square error on the wire, and how many samples differ from the source where the evidence says that nothing was done. */
static void compare(const fake_host *fake, const char *variant, ipos_rational time, double *error, int *changed, double *found) {
    ipos_frame *clean, *wired, *made = fake_picture(fake, variant, time), *evidence = fake_evidence(fake, variant, time);
    double sum = 0, count = 0, hit = 0;
    assert_non_null(made);
    assert_non_null(evidence);
    assert_int_equal(moving_u8(time.num, &clean), IPOS_OK);
    assert_int_equal(wired_u8(time.num, &wired), IPOS_OK);
    const ip_channel *map = &evidence->channels[ipos_frame_find_channel(evidence, "evidence")];
    *changed = 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            uint16_t half;
            memcpy(&half, map->data + y * map->row_stride + x * map->pixel_stride, sizeof half);
            for (int c = 0; c < 3; c++) {
                if (half == 0)
                    *changed += value_u8(made, c, x, y) != value_u8(wired, c, x, y);
                if (wire_cover(time.num, x, y) > .5f) {
                    double d = (double)value_u8(made, c, x, y) - value_u8(clean, c, x, y);
                    sum += d * d;
                    count++;
                    hit += half != 0;
                }
            }
        }
    *error = sum / count;
    *found = hit / count;
    ipos_frame_release(clean);
    ipos_frame_release(wired);
}

static void check_removed(const fake_host *fake, const char *variant, double most) {
    for (size_t i = 0; i < IP_COUNT(times); i++) {
        double error, found;
        int changed;
        compare(fake, variant, times[i], &error, &changed, &found);
        assert_int_equal(changed, 0);
        if (found < .97 || error > most)
            fail_msg("%s, frame %d: %.0f %% of the wire found, mean square error %.1f", variant, (int)times[i].num, 100 * found, error);
    }
}

static void a_stroke_on_one_frame_clears_the_others(void **state) {
    (void)state;
    fake_host fake;
    fake_open(&fake, ip_op_wires.spec, 1, 16, "rec709", wired_u8, (const char *const[]){"strokes", stroke, "tune", "0", NULL});
    fake_times(&fake, times, IP_COUNT(times));
    assert_int_equal(ip_op_wires.run(&fake.host), IPOS_OK);
    check_removed(&fake, "standard", 100);
    check_removed(&fake, "wide", 120);
    assert_int_equal(fake.variant_count, 5); /* no model: all but learned */
    assert_true(fake.variants[0].score > 30);
    json_t *details = json_loads(fake.details, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(details, "lost")), 0);
    assert_true(json_array_size(json_object_get(details, "strokes")) > 5);
    json_decref(details);
    const ipos_frame *matte = fake_picture(&fake, "matte", times[1]);
    assert_int_equal(matte->channel_count, 1);
    assert_true(value_u8(matte, 0, (int)wire_at(8, 40), 40) > 150);
    assert_int_equal(value_u8(matte, 0, (int)wire_at(8, 40) + 12, 40), 0);
    fake_close(&fake);
}

static void the_shot_teaches_a_network_of_its_own(void **state) {
    (void)state;
    fake_host fake;
    fake_open(&fake, ip_op_wires.spec, 1, 16, "rec709", wired_u8, (const char *const[]){"strokes", stroke, "tune", "12", "variants", "standard", NULL});
    fake.clips[0].may_train = true;
    fake_times(&fake, times, 1);
    assert_int_equal(ip_op_wires.run(&fake.host), IPOS_OK);
    assert_non_null(strstr(fake.details, "\"detector\":\"tuned\",\"tuned_steps\":12"));
    /* A dozen steps teach nothing yet; so it says that the wire is lost, or finds it, and either way changes nothing else. */
    double error, found;
    int changed;
    compare(&fake, "standard", times[0], &error, &changed, &found);
    assert_int_equal(changed, 0);
    assert_true(found > .9 || strstr(fake.details, "\"lost\":[{\"wire\":\"main\""));
    fake_close(&fake);
    /* Without permission nothing is learned. */
    fake_open(&fake, ip_op_wires.spec, 1, 16, "rec709", wired_u8, (const char *const[]){"strokes", stroke, "tune", "12", "variants", "standard", NULL});
    fake_times(&fake, times, 1);
    assert_int_equal(ip_op_wires.run(&fake.host), IPOS_OK);
    assert_non_null(strstr(fake.details, "\"detector\":\"ridges\",\"tuned_steps\":0"));
    fake_close(&fake);
}

static void painted_mattes_need_no_stroke(void **state) {
    (void)state;
    fake_host fake;
    fake_open(&fake, ip_op_wires.spec, 1, 16, "rec709", wired_u8, (const char *const[]){"variants", "standard,grain", NULL});
    fake_role(&fake, "matte", 1, 16, "data", painted);
    fake_times(&fake, times, IP_COUNT(times));
    assert_int_equal(ip_op_wires.run(&fake.host), IPOS_OK);
    check_removed(&fake, "standard", 100);
    fake_close(&fake);
}

static void what_is_held_out_keeps_its_bits(void **state) {
    (void)state;
    fake_host fake;
    fake_open(&fake, ip_op_wires.spec, 1, 16, "rec709", wired_u8, (const char *const[]){"variants", "standard", NULL});
    fake_role(&fake, "matte", 1, 16, "data", painted);
    fake_role(&fake, "holdout", 5, 5, "data", holdout); /* one frame holds for all */
    fake_times(&fake, times, 1);
    assert_int_equal(ip_op_wires.run(&fake.host), IPOS_OK);
    ipos_frame *wired, *made = fake_picture(&fake, "standard", times[0]);
    assert_int_equal(wired_u8(times[0].num, &wired), IPOS_OK);
    int upper = 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            bool same = value_u8(made, 0, x, y) == value_u8(wired, 0, x, y);
            if (y >= H / 2)
                assert_true(same);
            else
                upper += !same;
        }
    assert_true(upper > 50);
    ipos_frame_release(wired);
    fake_close(&fake);
}

static void linear_light_and_other_channels(void **state) {
    (void)state;
    fake_host fake;
    fake_open(&fake, ip_op_wires.spec, 1, 16, "linear", wired_exr, (const char *const[]){"strokes", stroke, "tune", "0", "variants", "standard", NULL});
    fake_times(&fake, times, IP_COUNT(times));
    assert_int_equal(ip_op_wires.run(&fake.host), IPOS_OK);
    ipos_frame *wired, *clean, *made = fake_picture(&fake, "standard", times[1]);
    assert_int_equal(wired_exr(8, &wired), IPOS_OK);
    assert_int_equal(moving_exr(8, &clean), IPOS_OK);
    double before = 0, after = 0;
    for (size_t i = 0; i < 6; i++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                size_t bytes = ip_sample_bytes(wired->channels[i].type);
                ptrdiff_t at = y * wired->channels[i].row_stride + x * wired->channels[i].pixel_stride;
                const uint8_t *is = made->channels[i].data + y * made->channels[i].row_stride + x * made->channels[i].pixel_stride;
                if (i == 0 || i > 3) {
                    assert_memory_equal(is, wired->channels[i].data + at, bytes);
                    continue;
                }
                uint16_t half[3];
                memcpy(&half[0], is, 2);
                memcpy(&half[1], wired->channels[i].data + at, 2);
                memcpy(&half[2], clean->channels[i].data + at, 2);
                after += fabs((double)ip_half_to_float(half[0]) - (double)ip_half_to_float(half[2]));
                before += fabs((double)ip_half_to_float(half[1]) - (double)ip_half_to_float(half[2]));
            }
    if (!(after < .2 * before))
        fail_msg("%.1f of %.1f is left of the wire", after, before);
    ipos_frame_release(wired);
    ipos_frame_release(clean);
    fake_close(&fake);
}

static ipos_status slope_u8(int64_t number, ipos_frame **out) {
    static const ipos_channel channels[3] = {{"R", IPOS_U8, 1, 1}, {"G", IPOS_U8, 1, 1}, {"B", IPOS_U8, 1, 1}};
    ipos_box window = {0, 0, W, H};
    IP_TRY(ip_frame_new(&window, NULL, channels, 3, NULL, NULL, out));
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                (*out)->channels[c].data[y * (*out)->channels[c].row_stride + x * (*out)->channels[c].pixel_stride] =
                    (uint8_t)(40 + x + (x > 70 ? 40 : 0) + (7 * x + 13 * y + 3 * (int)number) % 5);
    return ipos_frame_set_encoding(*out, "rec709");
}

/* A stroke where no wire is: the tool says that it lost it, and paints next to nothing. */
static void a_stroke_on_nothing_is_lost(void **state) {
    (void)state;
    static const char nothing[] = "{\"strokes\":[{\"wire\":\"ghost\",\"frame\":8,\"points\":[[110,5],[104,40],[110,90]]}]}";
    fake_host fake;
    fake_open(&fake, ip_op_wires.spec, 1, 16, "rec709", slope_u8, (const char *const[]){"strokes", nothing, "tune", "0", "variants", "standard", NULL});
    fake_times(&fake, times, IP_COUNT(times));
    assert_int_equal(ip_op_wires.run(&fake.host), IPOS_OK);
    assert_non_null(strstr(fake.details, "\"lost\":[{\"wire\":\"ghost\""));
    ipos_frame *source, *made = fake_picture(&fake, "standard", times[2]);
    assert_int_equal(slope_u8(10, &source), IPOS_OK);
    int changed = 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            changed += value_u8(made, 0, x, y) != value_u8(source, 0, x, y);
    assert_true(changed < 40);
    ipos_frame_release(source);
    fake_close(&fake);
}

/* Gone on frames 8 and 9; from 10 on 22 px further to the left than it would have been. */
static float leap_at(int64_t number, int y) {
    return wire_at(number, y) - (number > 9 ? 22 : 0);
}

static ipos_status leaping_u8(int64_t number, ipos_frame **out) {
    IP_TRY(moving_u8(number, out));
    for (int c = 0; c < 3 && number != 8 && number != 9; c++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                if (fabsf((float)x + .5f - leap_at(number, y)) < 1.5f)
                    (*out)->channels[c].data[y * (*out)->channels[c].row_stride + x * (*out)->channels[c].pixel_stride] = 250;
    return IPOS_OK;
}

static int painted_pixels(const ipos_frame *matte) {
    int count = 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            count += value_u8(matte, 0, x, y) > 77;
    return count;
}

static void a_wire_that_was_gone_is_found_where_it_comes_back(void **state) {
    (void)state;
    static const char drawn[] = "{\"strokes\":[{\"wire\":\"main\",\"frame\":5,\"points\":[[71,1],[74,30],[80,60],[84,95]]}]}";
    static const ipos_rational asked[] = {{7, 1}, {8, 1}, {9, 1}, {12, 1}};
    fake_host fake;
    fake_open(&fake, ip_op_wires.spec, 1, 16, "rec709", leaping_u8, (const char *const[]){"strokes", drawn, "tune", "0", "variants", "matte", "reach", "2", NULL});
    fake_times(&fake, asked, IP_COUNT(asked));
    assert_int_equal(ip_op_wires.run(&fake.host), IPOS_OK);
    for (size_t i = 0; i < IP_COUNT(asked); i++) {
        const ipos_frame *matte = fake_picture(&fake, "matte", asked[i]);
        int64_t number = asked[i].num;
        if (number == 8 || number == 9) {
            assert_int_equal(painted_pixels(matte), 0);
            continue;
        }
        int found = 0, rows = 0;
        for (int y = 4; y < H - 4; y += 4, rows++)
            found += value_u8(matte, 0, (int)leap_at(number, y), y) > 150;
        if (found < rows - 1)
            fail_msg("frame %d: found on %d of %d rows", (int)number, found, rows);
        assert_in_range(painted_pixels(matte), 2 * H, 8 * H);
    }
    assert_non_null(strstr(fake.details, "\"lost\":[{\"wire\":\"main\",\"first\":8,\"last\":9}"));
    fake_close(&fake);
}

static ipos_status blinking_u8(int64_t number, ipos_frame **out) {
    return number == 8 ? moving_u8(number, out) : wired_u8(number, out);
}

static void a_stroke_where_nothing_is_seen_does_not_lose_the_frames_beside(void **state) {
    (void)state;
    static const char drawn[] = "{\"strokes\":[{\"wire\":\"main\",\"frame\":5,\"points\":[[71,1],[74,30],[80,60],[84,95]]},"
        "{\"wire\":\"main\",\"frame\":8,\"points\":[[64,1],[68,30],[73,60],[78,95]]}]}";
    static const ipos_rational asked[] = {{7, 1}, {8, 1}, {9, 1}, {10, 1}};
    fake_host fake;
    fake_open(&fake, ip_op_wires.spec, 1, 16, "rec709", blinking_u8, (const char *const[]){"strokes", drawn, "tune", "0", "variants", "matte", "reach", "2", NULL});
    fake_times(&fake, asked, IP_COUNT(asked));
    assert_int_equal(ip_op_wires.run(&fake.host), IPOS_OK);
    for (size_t i = 0; i < IP_COUNT(asked); i++) {
        const ipos_frame *matte = fake_picture(&fake, "matte", asked[i]);
        int64_t number = asked[i].num;
        int found = 0, rows = 0;
        for (int y = 4; y < H - 4; y += 4, rows++)
            found += value_u8(matte, 0, (int)wire_at(number, y), y) > 150;
        if (number == 8 ? painted_pixels(matte) > 0 : found < rows - 1)
            fail_msg("frame %d: found on %d of %d rows, %d pixels painted", (int)number, found, rows, painted_pixels(matte));
    }
    assert_non_null(strstr(fake.details, "\"lost\":[{\"wire\":\"main\",\"first\":8,\"last\":8}"));
    fake_close(&fake);
}

/* Two wires that cross between frames 6 and 10; each is drawn once, before. */
static float other_at(int64_t number, int y) {
    return 30 + 4.0f * (float)number - .12f * (float)y;
}

static ipos_status crossing_u8(int64_t number, ipos_frame **out) {
    IP_TRY(wired_u8(number, out));
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                if (fabsf((float)x + .5f - other_at(number, y)) < 1.5f)
                    (*out)->channels[c].data[y * (*out)->channels[c].row_stride + x * (*out)->channels[c].pixel_stride] = 5;
    return IPOS_OK;
}

static void wires_that_cross_stay_themselves(void **state) {
    (void)state;
    static const char drawn[] = "{\"strokes\":[{\"wire\":\"bright\",\"frame\":3,\"points\":[[74,1],[79,30],[83,60],[88,95]]},"
        "{\"wire\":\"dark\",\"frame\":3,\"points\":[[42,1],[38,30],[35,60],[31,95]]}]}";
    static const ipos_rational asked[] = {{12, 1}};
    fake_host fake;
    fake_open(&fake, ip_op_wires.spec, 1, 16, "rec709", crossing_u8, (const char *const[]){"strokes", drawn, "tune", "0", "variants", "matte", "reach", "2", NULL});
    fake_times(&fake, asked, 1);
    assert_int_equal(ip_op_wires.run(&fake.host), IPOS_OK);
    json_t *details = json_loads(fake.details, 0, NULL), *strokes = json_object_get(details, "strokes");
    int seen = 0;
    for (size_t i = 0; i < json_array_size(strokes); i++) {
        const json_t *one = json_array_get(strokes, i), *points = json_object_get(one, "points");
        if (json_integer_value(json_object_get(one, "frame")) != 12)
            continue;
        bool bright = !strcmp(json_string_value(json_object_get(one, "wire")), "bright");
        double off = 0;
        for (size_t k = 0; k < json_array_size(points); k++) {
            double x = json_number_value(json_array_get(json_array_get(points, k), 0)), y = json_number_value(json_array_get(json_array_get(points, k), 1));
            off += fabs(x - (double)(bright ? wire_at(12, (int)y) : other_at(12, (int)y))) / (double)json_array_size(points);
        }
        if (off > 2)
            fail_msg("%s: %.1f pixels off", bright ? "bright" : "dark", off);
        seen++;
    }
    assert_int_equal(seen, 2);
    json_decref(details);
    fake_close(&fake);
}

static void refusals_say_what_to_do(void **state) {
    (void)state;
    static const struct {
        const char *name, *value, *says;
    } bad[] = {
        {"strokes", "", "draw a stroke"},
        {"strokes", "[1", "not JSON"},
        {"strokes", "{\"strokes\":[{\"frame\":8,\"points\":[[1,2]]}]}", "2 to 1000"},
        {"strokes", "{\"strokes\":[{\"points\":[[1,2],[3,4]]}]}", "frame"},
        {"strokes", "{\"strokes\":[{\"frame\":8,\"kind\":\"rope\",\"points\":[[1,2],[3,4]]}]}", "wire or shadow"},
        {"variants", "best", "none of standard"},
        {"variants", "learned", "needs a model"},
    };
    for (size_t i = 0; i < IP_COUNT(bad); i++) {
        fake_host fake;
        fake_open(&fake, ip_op_wires.spec, 1, 16, "rec709", wired_u8, (const char *const[]){bad[i].name, bad[i].value, NULL});
        fake_times(&fake, times, 1);
        assert_int_equal(ip_op_wires.run(&fake.host), IPOS_ERR_ARGUMENT);
        if (!strstr(ipos_last_error(), bad[i].says))
            fail_msg("%s=%s: \"%s\" does not say %s", bad[i].name, bad[i].value, ipos_last_error(), bad[i].says);
        fake_close(&fake);
    }
}

static void proposals_change_nothing(void **state) {
    (void)state;
    fake_host fake;
    fake_open(&fake, ip_op_wires.spec, 1, 16, "rec709", wired_u8, (const char *const[]){"mode", "propose", NULL});
    fake_times(&fake, times, 1);
    assert_int_equal(ip_op_wires.run(&fake.host), IPOS_OK);
    assert_int_equal(fake.variant_count, 1);
    json_t *details = json_loads(fake.details, 0, NULL), *strokes = json_object_get(details, "strokes");
    bool found = false;
    for (size_t i = 0; i < json_array_size(strokes); i++) {
        const json_t *points = json_object_get(json_array_get(strokes, i), "points");
        double length = 0, off = 0;
        for (size_t k = 0; k < json_array_size(points); k++) {
            double x = json_number_value(json_array_get(json_array_get(points, k), 0)), y = json_number_value(json_array_get(json_array_get(points, k), 1));
            off = fmax(off, fabs(x - (double)wire_at(6, (int)y)));
            length++;
        }
        found = found || (length > 5 && off < 3);
    }
    assert_true(found);
    json_decref(details);
    fake_close(&fake);
}

/* Training by steps: a model with its card, bit-exact when repeated, and of use in a run. */
static void training_makes_a_model_that_runs(void **state) {
    (void)state;
    fake_host fake, again;
    for (int i = 0; i < 2; i++) {
        fake_host *one = i ? &again : &fake;
        fake_open(one, ip_op_wires.spec, 1, 16, "rec709", moving_u8, NULL);
        one->host.steps = 10;
        one->host.seed = 5;
        assert_int_equal(ip_op_wires.train(&one->host), IPOS_OK);
        assert_true(one->model_bytes > 100000);
    }
    assert_int_equal(fake.model_bytes, again.model_bytes);
    assert_memory_equal(fake.model, again.model, fake.model_bytes);
    json_t *card = json_loads(fake.measured, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(card, "architecture")), "interpos.wires.3");
    assert_true(json_is_number(json_object_get(json_object_get(card, "score"), "gain")));
    assert_true(json_is_number(json_object_get(json_object_get(card, "detector"), "f1")));
    assert_int_equal(json_array_size(json_object_get(card, "held_out")), 1);
    json_decref(card);
    fake_host run;
    fake_open(&run, ip_op_wires.spec, 1, 16, "rec709", wired_u8, (const char *const[]){"variants", "learned,standard", NULL});
    fake_role(&run, "matte", 1, 16, "data", painted);
    run.host.model = fake.model;
    run.host.model_bytes = fake.model_bytes;
    fake_times(&run, times, IP_COUNT(times));
    assert_int_equal(ip_op_wires.run(&run.host), IPOS_OK);
    assert_int_equal(run.variant_count, 2);
    check_removed(&run, "learned", 80);
    fake_close(&run);
    fake_close(&fake);
    fake_close(&again);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stroke_on_one_frame_clears_the_others),
        cmocka_unit_test(the_shot_teaches_a_network_of_its_own),
        cmocka_unit_test(painted_mattes_need_no_stroke),
        cmocka_unit_test(what_is_held_out_keeps_its_bits),
        cmocka_unit_test(linear_light_and_other_channels),
        cmocka_unit_test(a_stroke_on_nothing_is_lost),
        cmocka_unit_test(a_wire_that_was_gone_is_found_where_it_comes_back),
        cmocka_unit_test(a_stroke_where_nothing_is_seen_does_not_lose_the_frames_beside),
        cmocka_unit_test(wires_that_cross_stay_themselves),
        cmocka_unit_test(refusals_say_what_to_do),
        cmocka_unit_test(proposals_change_nothing),
        cmocka_unit_test(training_makes_a_model_that_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
