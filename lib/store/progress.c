#include "catalogue.h"

#define TICK 0.2 /* seconds between calls */

void ip_progress_start(ip_progress *progress, ipos_progress_fn call, void *user, const ip_cancel *cancel, const char *verb,
    const char *clip)
{
    *progress = (ip_progress){call, user, cancel, verb, clip, ip_now(), 0, -1, 0};
}

ipos_status ip_progress_tell(ip_progress *progress, double fraction, int64_t frame, int64_t frames, int64_t bytes, bool force)
{
    double now = ip_now(), remaining = -1, gone = now - progress->started;

    if (ip_cancelled(progress->cancel))
        return ip_fail(IPOS_ERR_CANCELLED, "%s %s: cancelled", progress->verb, progress->clip);
    if (!progress->call || (!force && now - progress->last < TICK))
        return IPOS_OK;
    /* Work that was found done counts for nothing in the estimate. */
    if (progress->base < 0) {
        progress->base = fraction;
        progress->started = now;
    }
    progress->last = now;
    progress->done = IP_MAX(progress->done, IP_MIN(fraction, 1));
    if (gone > 0.5 && progress->done > progress->base + 1e-6)
        remaining = gone * (1 - progress->done) / (progress->done - progress->base);
    if (progress->done >= 1)
        remaining = 0;

    char *stage = ip_format("%s %s %lld/%lld", progress->verb, progress->clip, (long long)frame, (long long)frames);
    json_t *value = stage ? json_pack("{s:s, s:f, s:f, s:s, s:I, s:I, s:I}", "stage", stage, "done", progress->done,
        "remaining", remaining,
        "clip", progress->clip, "frame", (json_int_t)frame, "frames", (json_int_t)frames, "bytes", (json_int_t)bytes) : NULL;
    char *json = ip_doc_text(value);
    json_decref(value);
    ipos_status status = IPOS_OK;
    if (!stage || !json)
        status = ip_no_memory(256);
    else if (progress->call(progress->user, progress->done, remaining, stage, json) != 0)
        status = ip_fail(IPOS_ERR_CANCELLED, "%s: stopped by the caller", stage);
    ip_free(stage);
    ip_free(json);
    return status;
}
