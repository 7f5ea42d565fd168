#include "fake_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static ipos_status fetch(ip_op_host *host, size_t clip, int64_t number, ipos_frame **out) {
    fake_host *fake = host->user;
    assert_true(clip < host->clip_count);
    assert_true(clip || fake->fetches < 1024);
    if (clip == 0)
        fake->fetched[fake->fetches++] = number;
    else if (number < fake->clips[clip].first || number > fake->clips[clip].last)
        return ip_fail(IPOS_ERR_NOT_FOUND, "frame %d of clip %d", (int)number, (int)clip);
    return fake->make[clip](number, out);
}

static ipos_status frame_like(ip_op_host *host, const ipos_frame *model, int32_t type, ipos_frame **out) {
    (void)host;
    return ip_frame_like(model, type, NULL, NULL, out);
}

static ipos_status frame_new(ip_op_host *host, const ipos_box *window, const ipos_channel *channels, size_t count, ipos_frame **out) {
    (void)host;
    return ip_frame_new(window, NULL, channels, count, NULL, NULL, out);
}

static ipos_status progress(ip_op_host *host, double done, const char *stage, const char *extra) {
    (void)stage, (void)extra;
    assert_true(done >= 0 && done <= 1);
    return ip_cancelled(host->cancel) ? ip_fail(IPOS_ERR_CANCELLED, "cancelled") : IPOS_OK;
}

static ipos_status emit(ip_op_host *host, const char *variant, ipos_rational time, double confidence, ipos_frame *picture, ipos_frame *evidence) {
    fake_host *fake = host->user;
    assert_true(fake->emits < FAKE_MAX);
    snprintf(fake->emitted[fake->emits].variant, 32, "%s", variant);
    fake->emitted[fake->emits].time = time;
    fake->emitted[fake->emits].confidence = confidence;
    fake->emitted[fake->emits].picture = picture;
    fake->emitted[fake->emits++].evidence = evidence;
    ipos_frame_retain(picture);
    ipos_frame_retain(evidence);
    return IPOS_OK;
}

static ipos_status variant(ip_op_host *host, const char *name, const char *title, int rank, double score, const char *details) {
    fake_host *fake = host->user;
    assert_non_null(title);
    assert_non_null(details);
    assert_true(fake->variant_count < FAKE_MAX);
    if (!fake->details)
        fake->details = strdup(details);
    snprintf(fake->variants[fake->variant_count].variant, 32, "%s", name);
    fake->variants[fake->variant_count].rank = rank;
    fake->variants[fake->variant_count++].score = score;
    return IPOS_OK;
}

static ipos_status save_checkpoint(ip_op_host *host, const void *bytes, size_t size) {
    fake_host *fake = host->user;
    assert_true(bytes && size);
    fake->checkpoints++;
    return IPOS_OK;
}

static ipos_status save_model(ip_op_host *host, const void *bytes, size_t size, const char *measured) {
    fake_host *fake = host->user;
    fake->model = malloc(size);
    memcpy(fake->model, bytes, size);
    fake->model_bytes = size;
    fake->measured = strdup(measured);
    return IPOS_OK;
}

static ipos_status preview(ip_op_host *host, ipos_frame *picture) {
    assert_non_null(picture);
    ((fake_host *)host->user)->previews++;
    return IPOS_OK;
}

void fake_open(fake_host *fake, const ip_op_spec *spec, int64_t first, int64_t last, const char *encoding,
    ipos_status (*make)(int64_t, ipos_frame **), const char *const *options) {
    *fake = (fake_host){.make = {make}};
    fake->clips[0] = (ip_op_clip){.name = "c", .role = "", .encoding = encoding, .first = first, .last = last, .rate = {24, 1}};
    ip_option_values *values = ip_options_new(spec->options, spec->option_count);
    assert_non_null(values);
    for (; options && options[0]; options += 2)
        assert_int_equal(ip_options_set(values, options[0], options[1]), IPOS_OK);
    fake->host = (ip_op_host){.user = fake, .threads = 2, .memory_limit = (uint64_t)1 << 30, .device = "cpu", .options = values, .clips = fake->clips,
        .clip_count = 1, .fetch = fetch, .frame_like = frame_like, .frame_new = frame_new, .progress = progress, .emit = emit,
        .variant = variant, .save_checkpoint = save_checkpoint, .save_model = save_model, .preview = preview, .checkpoint_seconds = 20};
}

void fake_role(fake_host *fake, const char *role, int64_t first, int64_t last, const char *encoding, ipos_status (*make)(int64_t, ipos_frame **)) {
    size_t at = fake->host.clip_count++;
    assert_true(at < FAKE_CLIPS);
    fake->clips[at] = (ip_op_clip){.name = role, .role = role, .encoding = encoding, .first = first, .last = last, .rate = {24, 1}};
    fake->make[at] = make;
}

void fake_times(fake_host *fake, const ipos_rational *times, size_t count) {
    fake->host.times = times;
    fake->host.time_count = count;
}

ipos_frame *fake_picture(const fake_host *fake, const char *name, ipos_rational time) {
    for (int i = 0; i < fake->emits; i++)
        if (!strcmp(fake->emitted[i].variant, name) && fake->emitted[i].time.num == time.num && fake->emitted[i].time.den == time.den)
            return fake->emitted[i].picture;
    return NULL;
}

ipos_frame *fake_evidence(const fake_host *fake, const char *name, ipos_rational time) {
    for (int i = 0; i < fake->emits; i++)
        if (!strcmp(fake->emitted[i].variant, name) && fake->emitted[i].time.num == time.num && fake->emitted[i].time.den == time.den)
            return fake->emitted[i].evidence;
    return NULL;
}

bool fake_fetched(const fake_host *fake, int64_t number) {
    for (int i = 0; i < fake->fetches; i++)
        if (fake->fetched[i] == number)
            return true;
    return false;
}

void fake_close(fake_host *fake) {
    for (int i = 0; i < fake->emits; i++) {
        ipos_frame_release(fake->emitted[i].picture);
        ipos_frame_release(fake->emitted[i].evidence);
    }
    ip_options_free((ip_option_values *)fake->host.options);
    free(fake->model);
    free(fake->measured);
    free(fake->details);
}
