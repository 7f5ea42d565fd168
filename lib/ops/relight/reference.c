/* The new light's colours from a take of the production's own. */
#include "relight_op.h"

#include <math.h>

enum { WIDEST = 400, LOOKS = 6 };

static ipos_status read_light(ip_shot *shot, const ip_pulse *pulse, int threads, ip_light_of *out) {
    ip_look_source source = ip_shot_source(shot, pulse);
    ip_image3 picture[LOOKS] = {{{{0}}}};
    size_t count = IP_MIN(shot->count, (size_t)LOOKS), held = 0;
    ipos_status status = IPOS_OK;
    for (; held < count && status == IPOS_OK; held += status == IPOS_OK)
        status = ir_light_fetch(&source, ip_look_spread_at(shot->count, count, held), WIDEST, &picture[held]);
    if (status == IPOS_OK)
        status = ip_light_of_pictures(picture, count, ip_shot_clip(shot), threads, out);
    for (size_t i = 0; i < held; i++)
        ip_image3_free(&picture[i]);
    return status;
}

static ipos_status read_clip(ir_run *run, size_t index, int64_t first, int64_t last, const char *what, ip_light_of *out) {
    ip_shot shot;
    ipos_status status = ip_shot_use(run->host, index, first, last, what, &shot);
    if (status == IPOS_OK)
        status = read_light(&shot, &run->teller.pulse, run->host->threads, out);
    ip_shot_close(&shot);
    return status;
}

/* One clip; read once a request. */
static ipos_status read_reference(ir_run *run) {
    const ip_op_host *host = run->host;
    size_t found = 0;
    for (size_t i = 1; i < host->clip_count; i++)
        if (!strcmp(host->clips[i].role, "reference")) {
            if (found)
                return ip_fail(IPOS_ERR_ARGUMENT, "reference: one clip is expected, not %s and %s", host->clips[found].name, host->clips[i].name);
            found = i;
        }
    IP_TRY(read_clip(run, found, host->clips[found].first, host->clips[found].last, "reference: clip", &run->reference));
    if (run->reference.reason[0])
        return ip_fail(IPOS_ERR_UNSUPPORTED, "reference: clip %s shows no light to go by: %s; choose another take, outdoors, with sun and shade in it",
            host->clips[found].name, run->reference.reason);
    run->has_reference = true;
    return IPOS_OK;
}

ipos_status ir_reference_use(ir_run *run, ir_settings *settings, int64_t first, int64_t last) {
    if (!ir_has_clip(run->host, "reference"))
        return IPOS_OK;
    if (!run->has_reference)
        IP_TRY(read_reference(run));
    IP_TRY(read_clip(run, 0, first, last, "clip", &settings->own));
    settings->reference = settings->own.reason[0] ? NULL : &run->reference; /* the formula it is */
    return ir_settings_pairs(settings);
}

void ir_reference_tell(const ir_run *run, const ir_settings *settings, ip_buffer *to) {
    const ip_relight_pair *pair = &settings->pair;
    if (!run->has_reference)
        return;
    if (!settings->reference) {
        ip_buffer_printf(to, ",\"reference\":{\"used\":false,\"reason\":\"%s\"}", settings->own.reason);
        return;
    }
    ip_buffer_printf(to, ",\"reference\":{\"used\":true,\"sun\":[%.4f,%.4f,%.4f],\"ambient\":[%.4f,%.4f,%.4f],\"sky\":[%.4f,%.4f,%.4f]}", pair->now.sun[0],
        pair->now.sun[1], pair->now.sun[2], pair->now.ambient[0], pair->now.ambient[1], pair->now.ambient[2], pair->sky[0], pair->sky[1], pair->sky[2]);
}
