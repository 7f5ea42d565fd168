/* The fusion network: starts as the classical blend, tiles without seams, learns, resumes, survives bad input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include <math.h>

#include "fuse_net.h"
#include "fuse_sample.h"

static const ip_backend_v1 *b;

#define ok(call)                                                                                        \
    do {                                                                                                \
        ipos_status ok_status_ = (call);                                                                \
        if (ok_status_ != IPOS_OK)                                                                      \
            fail_msg("%s:%d: %s gives %d: %s", __FILE__, __LINE__, #call, ok_status_, ipos_last_error()); \
    } while (0)

typedef struct picture {
    float *planes;
    ip_fuse_output out;
} picture;

static picture picture_new(const ip_fuse_input *in)
{
    size_t count = (size_t)in->width * (size_t)in->height;
    picture p = {.planes = calloc(12 * count, sizeof(float))};
    for (int k = 0; k < 12; k++)
        *(k < 6 ? &p.out.logit[k] : k < 9 ? &p.out.residual[k - 6] : &p.out.picture[k - 9]) = p.planes + (size_t)k * count;
    return p;
}

/* Gives every parameter of the head noise, so that the network says something. */
static void disturb(ip_fuse *fuse)
{
    ip_rng rng = ip_rng_at(11, 0);
    ip_tensor *head = ip_params_find(&fuse->params, "head.weight");
    int64_t count = b->count(head);
    float *values = malloc((size_t)count * sizeof *values);
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)(.06 * ip_rng_normal(&rng));
    ok(b->assign(head, values, count));
    free(values);
}

static void fresh_network_changes_nothing(void **state)
{
    (void)state;
    fuse_sample s;
    ip_fuse *fuse;
    fuse_sample_new(&s, 75, 50, 1);
    ok(ip_fuse_new(b, IP_DEVICE_CPU, 3, &fuse));
    printf("%lld numbers\n", (long long)ip_fuse_size(fuse));
    assert_true(ip_fuse_size(fuse) > 560000 && ip_fuse_size(fuse) < 620000);
    picture p = picture_new(&s.example.input);
    ok(ip_fuse_forward(fuse, &s.example.input, NULL, &p.out));
    for (size_t i = 0; i < 75 * 50; i++) {
        double sum = 0, blend = 0;
        for (int k = 0; k < IP_FUSE_CANDIDATES; k++) {
            double weight = exp(s.example.input.logit[k][i]);
            sum += weight;
            blend += weight * s.example.input.candidate[k][2][i];
            assert_true(p.out.logit[k][i] == s.example.input.logit[k][i]);
        }
        assert_float_equal(p.out.picture[2][i], blend / sum, 1e-6);
        assert_true(p.out.residual[0][i] == 0);
    }
    free(p.planes);
    ip_fuse_free(fuse);
    fuse_sample_free(&s);
}

static void tiles_have_no_seams(void **state)
{
    (void)state;
    fuse_sample s;
    ip_fuse *fuse;
    const int width = 603, height = 331;
    fuse_sample_new(&s, width, height, 2);
    ok(ip_fuse_new(b, IP_DEVICE_CPU, 3, &fuse));
    disturb(fuse);
    picture whole = picture_new(&s.example.input), tiled = picture_new(&s.example.input);
    ok(ip_fuse_forward(fuse, &s.example.input, NULL, &whole.out));
    ok(ip_fuse_forward(fuse, &s.example.input, &(ip_fuse_limits){.tile = 160}, &tiled.out));
    double worst = 0, changed = 0;
    for (size_t i = 0; i < (size_t)12 * (size_t)width * (size_t)height; i++) {
        worst = fmax(worst, fabs((double)whole.planes[i] - tiled.planes[i]));
        assert_true(isfinite(whole.planes[i]));
    }
    for (size_t i = 0; i < (size_t)width * (size_t)height; i++)
        changed = fmax(changed, fabs((double)whole.out.logit[0][i] - s.example.input.logit[0][i]));
    printf("tiled and whole differ by %.2g, the network changes logits by up to %.2g\n", worst, changed);
    assert_true(worst < 1e-4 && changed > .1);
    free(whole.planes);
    free(tiled.planes);
    ip_fuse_free(fuse);
    fuse_sample_free(&s);
}

/* The whole reach of the network is inside the overlap: pixels further away than IP_FUSE_REACH do not count. */
static void reach_is_known(void **state)
{
    (void)state;
    fuse_sample s;
    ip_fuse *fuse;
    const int width = 640, height = 64;
    fuse_sample_new(&s, width, height, 2);
    ok(ip_fuse_new(b, IP_DEVICE_CPU, 3, &fuse));
    disturb(fuse);
    picture before = picture_new(&s.example.input), after = picture_new(&s.example.input);
    ok(ip_fuse_forward(fuse, &s.example.input, NULL, &before.out));
    for (int k = 0; k < 32; k++) {
        for (int y = 0; y < height; y++)
            s.planes[((size_t)k * (size_t)height + (size_t)y) * (size_t)width + 320] += 50;
    }
    ok(ip_fuse_forward(fuse, &s.example.input, NULL, &after.out));
    int furthest = 0;
    for (int x = 0; x < width; x++) {
        for (int y = 0; y < height; y++) {
            size_t i = (size_t)y * (size_t)width + (size_t)x;
            for (int c = 0; c < 3; c++) {
                if (fabsf(before.out.residual[c][i] - after.out.residual[c][i]) > 1e-5f)
                    furthest = IP_MAX(furthest, abs(x - 320));
            }
        }
    }
    printf("a pixel reaches %d pixels\n", furthest);
    assert_true(furthest > 60 && furthest <= IP_FUSE_REACH);
    free(before.planes);
    free(after.planes);
    ip_fuse_free(fuse);
    fuse_sample_free(&s);
}

static void memory_is_bounded(void **state)
{
    (void)state;
    fuse_sample s;
    ip_fuse *fuse;
    uint64_t before, peak;
    const uint64_t limit = 192ull << 20;
    fuse_sample_new(&s, 1280, 720, 2);
    ok(ip_fuse_new(b, IP_DEVICE_CPU, 3, &fuse));
    picture p = picture_new(&s.example.input);
    b->memory(&before, NULL, NULL);
    ok(ip_fuse_forward(fuse, &s.example.input, &(ip_fuse_limits){.memory = limit}, &p.out));
    b->memory(NULL, &peak, NULL);
    printf("backend used %.0f MiB of %.0f\n", (double)(peak - before) / 1048576, (double)limit / 1048576);
    assert_true(peak - before < limit);
    b->memory(&before, NULL, NULL);
    ok(ip_fuse_forward(fuse, &s.example.input, NULL, &p.out));
    b->memory(NULL, &peak, NULL);
    printf("untiled: %.0f bytes a pixel in the backend\n", (double)(peak - before) / (1280 * 720));
    free(p.planes);
    ip_fuse_free(fuse);
    fuse_sample_free(&s);
}

static void bad_input(void **state)
{
    (void)state;
    fuse_sample s;
    ip_fuse *fuse;
    ip_cancel cancel = {1};
    fuse_sample_new(&s, 33, 17, 2);
    ok(ip_fuse_new(b, IP_DEVICE_CPU, 3, &fuse));
    disturb(fuse);
    picture p = picture_new(&s.example.input);
    assert_int_equal(ip_fuse_forward(fuse, &s.example.input, &(ip_fuse_limits){.cancel = &cancel}, &p.out), IPOS_ERR_CANCELLED);
    s.planes[100] = NAN; /* in A0's red */
    s.planes[(18 + 2) * 33 * 17 + 40] = INFINITY; /* in a logit */
    s.example.input.side[IP_FUSE_SPREAD] = NULL;
    ok(ip_fuse_forward(fuse, &s.example.input, NULL, &p.out));
    for (size_t i = 0; i < 12 * 33 * 17; i++)
        assert_true(isfinite(p.planes[i]));
    ip_fuse_input broken = s.example.input;
    broken.candidate[3][1] = NULL;
    assert_int_equal(ip_fuse_forward(fuse, &broken, NULL, &p.out), IPOS_ERR_ARGUMENT);
    broken = s.example.input;
    broken.stride = 32;
    assert_int_equal(ip_fuse_forward(fuse, &broken, NULL, &p.out), IPOS_ERR_ARGUMENT);
    free(p.planes);
    ip_fuse_free(fuse);
    fuse_sample_free(&s);
}

/* Each augmentation of a patch is its own inverse, and what the tensors blend is what the tiles blend. */
static void patches(void **state)
{
    (void)state;
    enum { W = 32, N = W * W };
    fuse_sample s;
    float planes[5][18 * N], aux[16 * N], logits[6 * N], target[3 * N];
    fuse_sample_new(&s, 50, 40, 4);
    const ip_fuse_input *in = &s.example.input;
    ip_fuse_view view = {.x0 = 7, .y0 = 5, .width = W, .height = W, .gain = 1};
    ip_fuse_gather(in, s.example.target, &view, planes[0], aux, logits, target);
    assert_true(planes[0][W + 3] == in->candidate[0][0][6 * 50 + 10] && logits[5 * N] == in->logit[5][5 * 50 + 7]);
    assert_true(target[2 * N + 1] == s.example.target[2][5 * 50 + 8]);
    assert_float_equal(aux[IP_FUSE_CANDIDATES * N], 8 * in->side[0][5 * 50 + 7], 1e-5);
    assert_float_equal(aux[13 * N + 5], 0, 1e-6); /* half time */
    view.flip_x = true;
    ip_fuse_gather(in, s.example.target, &view, planes[1], aux, NULL, NULL);
    view.flip_x = false;
    view.flip_y = true;
    ip_fuse_gather(in, s.example.target, &view, planes[2], aux, NULL, NULL);
    view.flip_y = false;
    view.transpose = true;
    ip_fuse_gather(in, s.example.target, &view, planes[3], aux, NULL, NULL);
    view.transpose = false;
    view.reverse_time = true;
    view.gain = 2;
    ip_fuse_gather(in, s.example.target, &view, planes[4], aux, NULL, NULL);
    for (int y = 0; y < W; y++) {
        for (int x = 0; x < W; x++) {
            float value = planes[0][y * W + x];
            assert_true(planes[1][y * W + W - 1 - x] == value && planes[2][(W - 1 - y) * W + x] == value && planes[3][x * W + y] == value);
            assert_float_equal(planes[4][3 * N + y * W + x], 2 * value, 1e-6); /* A0 in A1's place */
        }
    }
    /* outside repeats the border */
    view = (ip_fuse_view){.x0 = 40, .y0 = -3, .width = W, .height = W, .gain = 1};
    ip_fuse_gather(in, s.example.target, &view, planes[0], aux, NULL, NULL);
    assert_true(planes[0][W - 1] == in->candidate[0][0][49] && planes[0][0] == in->candidate[0][0][40]);
    fuse_sample_free(&s);
}

static void blends_agree(void **state)
{
    (void)state;
    fuse_sample s;
    ip_fuse *fuse;
    ip_tape tape;
    fuse_sample_new(&s, 64, 48, 2);
    ok(ip_fuse_new(b, IP_DEVICE_CPU, 3, &fuse));
    disturb(fuse);
    picture p = picture_new(&s.example.input);
    ok(ip_fuse_forward(fuse, &s.example.input, NULL, &p.out));
    float *buffer = malloc((18 + 16 + 6 + 3) * 64 * 48 * sizeof *buffer);
    ip_fuse_view view = {.width = 64, .height = 48, .gain = 1};
    ip_fuse_gather(&s.example.input, NULL, &view, buffer, buffer + 18 * 3072, buffer + 34 * 3072, NULL);
    ip_tape_begin(&tape, b, IP_DEVICE_CPU);
    ip_tensor *candidates = ip_t_from(&tape, buffer, (int64_t[]){1, 18, 48, 64}, 4);
    ip_tensor *change = ip_fuse_net(&tape, &fuse->params, ip_t_slice(&tape, candidates, 1, 0, 12),
        ip_t_from(&tape, buffer + 18 * 3072, (int64_t[]){1, 16, 48, 64}, 4));
    ip_tensor *blend = ip_fuse_blend(&tape, candidates, ip_t_from(&tape, buffer + 34 * 3072, (int64_t[]){1, 6, 48, 64}, 4), change);
    ok(b->to_memory(blend, buffer + 40 * 3072, 3 * 3072));
    ok(ip_tape_end(&tape));
    for (int i = 0; i < 3 * 3072; i++)
        assert_float_equal(buffer[40 * 3072 + i], p.out.picture[0][i], 2e-6);
    free(buffer);
    free(p.planes);
    ip_fuse_free(fuse);
    fuse_sample_free(&s);
}

typedef struct supply {
    fuse_sample samples[6];
    int out, previews, fail_at, asked;
    ip_fuse_training training;
    int64_t stop_at;
    void *checkpoint;
    size_t checkpoint_bytes;
} supply;

static ipos_status example(void *user, int64_t index, ip_fuse_example *out)
{
    supply *s = user;
    if (s->fail_at > 0 && ++s->asked >= s->fail_at)
        return ip_fail(IPOS_ERR_CHANGED, "frame 7 changed");
    *out = s->samples[index].example;
    s->out++;
    return IPOS_OK;
}

static ipos_status held_out(void *user, int64_t index, ip_fuse_example *out)
{
    ip_fuse_example taken;
    IP_TRY(example(user, 4 + index, &taken));
    taken.group = (int32_t)index;
    *out = taken;
    return IPOS_OK;
}

static void give_back(void *user, ip_fuse_example *taken)
{
    assert_non_null(taken->target[0]);
    ((supply *)user)->out--;
}

static ipos_status show(void *user, const ip_fuse_example *taken, const float *const planes[3])
{
    assert_true(taken->input.width == 96 && isfinite(planes[2][0]));
    ((supply *)user)->previews++;
    return IPOS_OK;
}

static ipos_status progress(void *user, double done, const char *stage, const char *extra)
{
    supply *s = user;
    long long step = -1;
    const char *text = strstr(extra, "\"step\":");
    (void)stage;
    assert_true(done <= 1);
    if (text)
        sscanf(text, "\"step\":%lld", &step);
    return s->stop_at > 0 && step >= s->stop_at ? ip_fail(IPOS_ERR_CANCELLED, "enough") : IPOS_OK;
}

static ipos_status save(void *user, const void *bytes, size_t size)
{
    supply *s = user;
    ip_free(s->checkpoint);
    s->checkpoint = ip_alloc(size);
    memcpy(s->checkpoint, bytes, size);
    s->checkpoint_bytes = size;
    return IPOS_OK;
}

static void supply_new(supply *s, int64_t steps)
{
    *s = (supply){0};
    for (int i = 0; i < 6; i++)
        fuse_sample_new(&s->samples[i], i == 5 ? 101 : i == 4 ? 96 : 110 + 15 * i, i == 5 ? 57 : 90 + 15 * i, 50 + (uint64_t)i);
    s->training = (ip_fuse_training){.train = {s, 4, example, give_back}, .held_out = {s, 2, held_out, give_back}, .groups = 2, .batch = 2,
        .plan = {.steps = steps, .seed = 9, .rate = 8e-4, .validations = 2, .warm_up = 5}, .host = {s, progress, save}, .preview = show, .preview_user = s};
}

static void supply_free(supply *s)
{
    assert_int_equal(s->out, 0); /* every example was given back */
    for (int i = 0; i < 6; i++)
        fuse_sample_free(&s->samples[i]);
    ip_free(s->checkpoint);
}

static void training_helps(void **state)
{
    (void)state;
    supply s;
    ip_fuse *fuse, *again;
    ip_train_result result;
    double start[2], score[2];
    void *bytes, *bytes_again;
    size_t size, size_again;
    supply_new(&s, 60);
    s.training.group_start = start;
    s.training.group_score = score;
    ok(ip_fuse_new(b, IP_DEVICE_CPU, 3, &fuse));
    ok(ip_fuse_train(fuse, &s.training, &result));
    printf("held out %.2f -> %.2f dB in %lld steps, %.0f ms a step of 2 patches\n", result.start_score, result.score, (long long)result.steps,
        1000 * result.seconds / (double)result.steps);
    assert_true(result.score > result.start_score + 1);
    assert_float_equal((score[0] + score[1]) / 2, result.score, 1e-9);
    assert_float_equal((start[0] + start[1]) / 2, result.start_score, 1e-9);
    assert_true(s.previews >= 3);
    /* saved and loaded it gives the same bits, and says what it is */
    json_t *metadata = json_pack("{s:s}", "card", "{}");
    ok(ip_fuse_save(fuse, metadata, &bytes, &size));
    ok(ip_fuse_load(b, IP_DEVICE_CPU, bytes, size, &again));
    ok(ip_fuse_save(again, metadata, &bytes_again, &size_again));
    json_decref(metadata);
    assert_int_equal(size, size_again);
    assert_memory_equal(bytes, bytes_again, size);
    ip_fuse_free(again);
    ((char *)bytes)[size - 1] = 0x7f; /* a NaN */
    ((char *)bytes)[size - 2] = (char)0xff;
    assert_int_equal(ip_fuse_load(b, IP_DEVICE_CPU, bytes, size, &again), IPOS_ERR_FORMAT);
    assert_null(again);
    assert_int_equal(ip_fuse_load(b, IP_DEVICE_CPU, bytes, size - 8, &again), IPOS_ERR_FORMAT);
    ip_free(bytes);
    ip_free(bytes_again);
    ip_fuse_free(fuse);
    supply_free(&s);
}

static void train_to(supply *s, int64_t stop_at, const supply *from, ipos_status wanted, void **bytes, size_t *size)
{
    ip_fuse *fuse;
    ip_train_result result;
    supply_new(s, 8);
    s->stop_at = stop_at;
    if (from) {
        s->training.plan.checkpoint = from->checkpoint;
        s->training.plan.checkpoint_bytes = from->checkpoint_bytes;
    }
    ok(ip_fuse_new(b, IP_DEVICE_CPU, 3, &fuse));
    assert_int_equal(ip_fuse_train(fuse, &s->training, &result), wanted);
    ok(ip_fuse_save(fuse, NULL, bytes, size));
    ip_fuse_free(fuse);
}

static void resumes_bit_exactly(void **state)
{
    (void)state;
    supply a, c, d;
    void *once, *half, *resumed;
    size_t size, half_size, resumed_size;
    train_to(&a, 0, NULL, IPOS_OK, &once, &size);
    train_to(&c, 4, NULL, IPOS_ERR_CANCELLED, &half, &half_size);
    train_to(&d, 0, &c, IPOS_OK, &resumed, &resumed_size);
    assert_int_equal(size, resumed_size);
    assert_memory_equal(once, resumed, size);
    ip_free(once);
    ip_free(half);
    ip_free(resumed);
    supply_free(&a);
    supply_free(&c);
    supply_free(&d);
}

static void failing_supplies(void **state)
{
    (void)state;
    supply s;
    ip_fuse *fuse;
    ip_train_result result;
    ok(ip_fuse_new(b, IP_DEVICE_CPU, 3, &fuse));
    for (int at = 1; at < 9; at++) {
        supply_new(&s, 2);
        s.fail_at = at;
        assert_int_equal(ip_fuse_train(fuse, &s.training, &result), IPOS_ERR_CHANGED);
        assert_string_equal(ipos_last_error(), "frame 7 changed");
        supply_free(&s);
    }
    supply_new(&s, 2);
    s.training.held_out.count = 0;
    assert_int_equal(ip_fuse_train(fuse, &s.training, &result), IPOS_ERR_ARGUMENT);
    s.training.held_out.count = 2;
    s.training.groups = 1;
    assert_int_equal(ip_fuse_train(fuse, &s.training, &result), IPOS_ERR_ARGUMENT);
    s.training.groups = 2;
    for (int i = 0; i < 4; i++)
        s.samples[i].example.input.width = 31;
    assert_int_equal(ip_fuse_train(fuse, &s.training, &result), IPOS_ERR_ARGUMENT);
    supply_free(&s);
    ip_fuse_free(fuse);
}

/* A limit met at any place of a step: a status, nothing lost, and the next run works with what it needs. */
static void memory_runs_out(void **state)
{
    (void)state;
    supply s;
    ip_fuse *fuse;
    ip_train_result result;
    uint64_t before, after = 0;
    int refused = 0;
    ipos_status last = IPOS_ERR_UNKNOWN;
    ok(ip_fuse_new(b, IP_DEVICE_CPU, 3, &fuse));
    b->memory(&before, NULL, NULL);
    for (uint64_t room = 1 << 20; room < 200u << 20; room *= 2) {
        supply_new(&s, 1);
        ok(b->use_cache(1ull << 30, before + room));
        ipos_status status = ip_fuse_train(fuse, &s.training, &result);
        assert_true(status == IPOS_OK || status == IPOS_ERR_NO_MEMORY);
        refused += status != IPOS_OK;
        supply_free(&s);
        b->memory(&after, NULL, NULL);
        /* libtorch holds on to a failed backward pass until the next one */
        assert_true(after <= before + room);
        last = status;
    }
    assert_true(refused > 2);
    assert_int_equal(last, IPOS_OK);
    assert_int_equal(after, before);
    ok(b->use_cache(1ull << 30, 0));
    ip_fuse_free(fuse);
}

int main(void)
{
    b = ip_backend();
    if (!b || b->set_threads(2) != IPOS_OK || b->use_cache(1ull << 30, 0) != IPOS_OK) {
        fprintf(stderr, "%s\n", ipos_last_error());
        return 1;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(fresh_network_changes_nothing), cmocka_unit_test(patches), cmocka_unit_test(blends_agree),
        cmocka_unit_test(tiles_have_no_seams), cmocka_unit_test(reach_is_known), cmocka_unit_test(memory_is_bounded), cmocka_unit_test(bad_input),
        cmocka_unit_test(training_helps), cmocka_unit_test(resumes_bit_exactly), cmocka_unit_test(failing_supplies),
        cmocka_unit_test(memory_runs_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
